/* Line plots as SVG, in panels side by side. SPDX-License-Identifier: Apache-2.0 */
#include "plot.h"

#include <math.h>
#include <stdio.h>

#include "file.h"

/* Pixels. */
enum {
    PANEL_WIDTH = 460,
    PANEL_HEIGHT = 340,
    TITLE_HEIGHT = 40,
    MARGIN_LEFT = 66,
    MARGIN_RIGHT = 18,
    MARGIN_TOP = 34,
    MARGIN_BOTTOM = 52,
    TICKS_WANTED = 6
};

/* One direction of a panel: values from low to high lie on pixels from start to end. */
typedef struct axis {
    double low, high, step;
    double start, end;
} axis;

static double place(const axis *a, double value) {
    return a->start + (value - a->low) / (a->high - a->low) * (a->end - a->start);
}

/* The next of 1, 2, 5 times a power of ten that gives about the wanted number of ticks. */
static double nice_step(double range, int whole) {
    const double rough = range / TICKS_WANTED, power = pow(10, floor(log10(rough))), part = rough / power;
    const double step = power * (part <= 1 ? 1 : part <= 2 ? 2 : part <= 5 ? 5 : 10);
    return whole && step < 1 ? 1 : step;
}

static axis make_axis(const plot_panel *panel, int vertical, double start, double end) {
    axis a = {INFINITY, -INFINITY, 1, 0, 0};
    const int whole = !vertical && panel->whole_x;
    int s, i;
    for (s = 0; s < panel->n_series; ++s) {
        for (i = 0; i < panel->series[s].n; ++i) {
            const double x = panel->series[s].x[i], y = panel->series[s].y[i], v = vertical ? y : x;
            if (!isfinite(x) || !isfinite(y)) continue;
            if (v < a.low) a.low = v;
            if (v > a.high) a.high = v;
        }
    }
    if (a.low > a.high) a.low = 0, a.high = 1;
    if (a.low == a.high) {
        const double half = whole ? 1 : fabs(a.low) > 0 ? 0.1 * fabs(a.low) : 1;
        a.low -= half;
        a.high += half;
    }
    a.step = nice_step(a.high - a.low, whole);
    if (vertical) {
        a.low = floor(a.low / a.step) * a.step;
        a.high = ceil(a.high / a.step) * a.step;
    } else {
        const double space = 0.03 * (a.high - a.low);
        a.low -= space;
        a.high += space;
    }
    a.start = start;
    a.end = end;
    return a;
}

static void put_text(FILE *to, double x, double y, const char *attributes, const char *text) {
    fprintf(to, "<text x=\"%.1f\" y=\"%.1f\" %s>", x, y, attributes);
    for (; *text; ++text) {
        if (*text == '&')
            fputs("&amp;", to);
        else if (*text == '<')
            fputs("&lt;", to);
        else if (*text == '>')
            fputs("&gt;", to);
        else
            fputc(*text, to);
    }
    fputs("</text>\n", to);
}

static void draw_ticks(FILE *to, const axis *x, const axis *y) {
    const long first_x = (long)ceil(x->low / x->step - 1e-9), last_x = (long)floor(x->high / x->step + 1e-9);
    const long first_y = (long)ceil(y->low / y->step - 1e-9), last_y = (long)floor(y->high / y->step + 1e-9);
    char text[32];
    long k;
    for (k = first_y; k <= last_y; ++k) {
        const double at = place(y, (double)k * y->step);
        fprintf(to, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"#e4e4e4\"/>\n", x->start, at, x->end, at);
        snprintf(text, sizeof text, "%g", (double)k * y->step);
        put_text(to, x->start - 8, at + 4, "text-anchor=\"end\"", text);
    }
    for (k = first_x; k <= last_x; ++k) {
        const double at = place(x, (double)k * x->step);
        fprintf(to, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"#444\"/>\n", at, y->start, at, y->start + 5);
        snprintf(text, sizeof text, "%g", (double)k * x->step);
        put_text(to, at, y->start + 20, "text-anchor=\"middle\"", text);
    }
}

static void draw_series(FILE *to, const plot_series *series, const axis *x, const axis *y) {
    int i, pen_down = 0;
    fprintf(to, "<path fill=\"none\" stroke=\"%s\" stroke-width=\"2\" stroke-linejoin=\"round\" d=\"", series->colour);
    for (i = 0; i < series->n; ++i) {
        if (!isfinite(series->x[i]) || !isfinite(series->y[i])) {
            pen_down = 0;
            continue;
        }
        fprintf(to, "%c%.1f %.1f", pen_down ? 'L' : 'M', place(x, series->x[i]), place(y, series->y[i]));
        pen_down = 1;
    }
    fputs("\"/>\n", to);
    for (i = 0; i < series->n; ++i) {
        if (!isfinite(series->x[i]) || !isfinite(series->y[i])) continue;
        fprintf(to, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\" fill=\"%s\"/>\n", place(x, series->x[i]), place(y, series->y[i]),
                series->colour);
    }
}

/* Above the axes, at the right, where no curve can run through it. */
static void draw_legend(FILE *to, const plot_panel *panel, double right, double top) {
    double x = right;
    int s;
    for (s = panel->n_series - 1; s >= 0; --s) {
        put_text(to, x, top - 8, "text-anchor=\"end\"", panel->series[s].name);
        /* SVG cannot be asked how wide a text is; seven pixels a letter is enough at this size. */
        for (const char *c = panel->series[s].name; *c; ++c) x -= 7;
        fprintf(to, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\" stroke-width=\"3\"/>\n", x - 20, top - 12,
                x - 4, top - 12, panel->series[s].colour);
        x -= 32;
    }
}

static void draw_panel(FILE *to, const plot_panel *panel, double left) {
    const axis x = make_axis(panel, 0, left + MARGIN_LEFT, left + PANEL_WIDTH - MARGIN_RIGHT);
    const axis y = make_axis(panel, 1, TITLE_HEIGHT + PANEL_HEIGHT - MARGIN_BOTTOM, TITLE_HEIGHT + MARGIN_TOP);
    char rotated[96];
    int s;
    draw_ticks(to, &x, &y);
    fprintf(to, "<path fill=\"none\" stroke=\"#444\" d=\"M%.1f %.1fV%.1fH%.1f\"/>\n", x.start, y.end, y.start, x.end);
    for (s = 0; s < panel->n_series; ++s) draw_series(to, &panel->series[s], &x, &y);
    put_text(to, x.start, y.end - 8, "font-weight=\"bold\"", panel->title);
    put_text(to, (x.start + x.end) / 2, y.start + 42, "text-anchor=\"middle\"", panel->x_label);
    snprintf(rotated, sizeof rotated, "text-anchor=\"middle\" transform=\"rotate(-90 %.1f %.1f)\"", left + 18,
             (y.start + y.end) / 2);
    put_text(to, left + 18, (y.start + y.end) / 2, rotated, panel->y_label);
    draw_legend(to, panel, x.end, y.end);
}

int plot_write_svg(const char *path, const char *title, const plot_panel *panels, int n_panels) {
    const int width = PANEL_WIDTH * n_panels, height = TITLE_HEIGHT + PANEL_HEIGHT;
    file_draft draft;
    int i;
    if (file_draft_open(&draft, path) != 0) return -1;
    fprintf(draft.stream,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" font-family=\"sans-serif\" "
            "font-size=\"12\" fill=\"#222\">\n<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n",
            width, height, width, height);
    put_text(draft.stream, width / 2.0, 26, "text-anchor=\"middle\" font-size=\"16\"", title);
    for (i = 0; i < n_panels; ++i) draw_panel(draft.stream, &panels[i], (double)i * PANEL_WIDTH);
    fputs("</svg>\n", draft.stream);
    return file_draft_commit(&draft);
}
