/* How far training has come: a bar on a terminal, plain lines elsewhere. SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "progress.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { BAR_MAX = 40, BAR_MIN = 4, FIGURES_MAX = 256 };
static const double redraw_seconds = 0.1;

double progress_clock(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

void progress_begin(progress *p, const terminal *term, const char *title, int64_t total, int64_t later) {
    memset(p, 0, sizeof *p);
    p->term = term;
    p->metric = &metric_accuracy;
    snprintf(p->title, sizeof p->title, "%s", title);
    p->total = total;
    p->later = later;
    p->start = progress_clock();
}

static void format_duration(char *text, size_t nbytes, double seconds) {
    long s = (long)(seconds + 0.5);
    if (s >= 3600)
        snprintf(text, nbytes, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
    else
        snprintf(text, nbytes, "%ld:%02ld", s / 60, s % 60);
}

/* The figures in full, or shorter and without what the bar shows, for a terminal of 80 columns. */
static void format_figures(char *text, size_t nbytes, const progress *p, int64_t done, double now, const progress_values *v,
                           int narrow) {
    const double elapsed = now - p->start;
    const double rate = elapsed > 0 ? (double)done / elapsed : 0;
    const double shown = p->metric->factor * v->metric;
    char left[32] = "?", scale[32] = "-", measured[48] = "";
    if (rate > 0) format_duration(left, sizeof left, (double)(p->total - done + p->later) / rate);
    if (v->scale > 0) snprintf(scale, sizeof scale, "%.6g", v->scale);
    if (narrow) {
        if (isfinite(shown)) snprintf(measured, sizeof measured, " %s %.1f", p->metric->brief, shown);
        snprintf(text, nbytes, "%.1f/s left %s loss %.3f%s scale %s skipped %lld", rate, left, v->loss, measured, scale,
                 (long long)v->skipped);
    } else {
        if (isfinite(shown)) snprintf(measured, sizeof measured, "  %s %.1f%s", p->metric->brief, shown, p->metric->unit);
        snprintf(text, nbytes, "%lld/%lld  %.1f steps/s  left %s  loss %.4f%s  scale %s  skipped %lld", (long long)done,
                 (long long)p->total, rate, left, v->loss, measured, scale, (long long)v->skipped);
    }
}

static void put_cells(FILE *to, const char *cell, int64_t count) {
    while (count-- > 0) fputs(cell, to);
}

static void draw_bar(const progress *p, int64_t done, double now, const progress_values *values) {
    const terminal *term = p->term;
    const char *full = term->utf8 ? "\xe2\x94\x81" : "#"; /* U+2501, a heavy line */
    const char *rest = term->utf8 ? (term->colour ? full : "\xe2\x94\x80") : "-";
    /* The last column stays free: some terminals wrap when it is written. */
    const int room = terminal_width(term) - 1;
    char figures[FIGURES_MAX];
    int bar, narrow;
    for (narrow = 0; narrow < 2; ++narrow) {
        format_figures(figures, sizeof figures, p, done, now, values, narrow);
        bar = room - (int)strlen(p->title) - (int)strlen(figures) - 2;
        if (bar >= BAR_MIN) break;
    }
    fputc('\r', term->stream);
    if (bar >= BAR_MIN) {
        int64_t filled;
        if (bar > BAR_MAX) bar = BAR_MAX;
        filled = p->total > 0 ? done * bar / p->total : bar;
        fprintf(term->stream, "%s ", p->title);
        if (term->colour) fputs("\033[32m", term->stream);
        put_cells(term->stream, full, filled);
        if (term->colour) fputs("\033[90m", term->stream);
        put_cells(term->stream, rest, bar - filled);
        if (term->colour) fputs("\033[0m", term->stream);
        fprintf(term->stream, " %s", figures);
    } else {
        char line[FIGURES_MAX + sizeof p->title];
        snprintf(line, sizeof line, "%s %s", p->title, figures);
        fprintf(term->stream, "%.*s", room > 0 ? room : 1, line);
    }
    fputs("\033[K", term->stream);
    fflush(term->stream);
}

void progress_update(progress *p, int64_t done, const progress_values *values) {
    const double now = progress_clock();
    if (p->term->in_place) {
        if (now - p->last_drawn < redraw_seconds && done < p->total) return;
        p->last_drawn = now;
        draw_bar(p, done, now, values);
    } else {
        char figures[FIGURES_MAX];
        const int64_t tenth = p->total > 0 ? done * 10 / p->total : 10;
        if (tenth == p->last_tenth) return;
        p->last_tenth = tenth;
        format_figures(figures, sizeof figures, p, done, now, values, 0);
        fprintf(p->term->stream, "%s %3d %%  %s\n", p->title, (int)(tenth * 10), figures);
        fflush(p->term->stream);
    }
}

void progress_end(progress *p) {
    if (!p->term->in_place) return;
    fputs("\r\033[K", p->term->stream);
    fflush(p->term->stream);
}
