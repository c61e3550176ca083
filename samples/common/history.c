/* What each epoch came to: as a table on the terminal, as a CSV log and as a plot. SPDX-License-Identifier: Apache-2.0 */
#include "history.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "file.h"
#include "plot.h"

const metric metric_accuracy = {"accuracy", "acc", " %", "Accuracy", "% right", 100};

static const metric *metric_of(const history *h) {
    return h->metric ? h->metric : &metric_accuracy;
}

static void csv_header(const history *h, char text[256]) {
    const char *name = metric_of(h)->name;
    snprintf(text, 256, "epoch,seconds,learning_rate,train_loss,train_%s,test_loss,test_%s,loss_scale,skipped", name, name);
}

int history_add(history *h, const history_row *row) {
    if (h->n == HISTORY_MAX) return -1;
    h->rows[h->n++] = *row;
    return 0;
}

void history_print_header(const history *h, const terminal *term) {
    const metric *m = metric_of(h);
    char train[32], test[32];
    snprintf(train, sizeof train, "train %s%s", m->brief, m->unit);
    snprintf(test, sizeof test, "test %s%s", m->brief, m->unit);
    fprintf(term->stream, "%s%5s  %8s  %10s  %11s  %9s  %10s  %10s  %7s%s\n", term->colour ? "\033[1m" : "", "epoch", "time s",
            "train loss", train, "test loss", test, "loss scale", "skipped", term->colour ? "\033[0m" : "");
    fflush(term->stream);
}

void history_print_row(const history *h, const terminal *term, const history_row *row) {
    const double factor = metric_of(h)->factor;
    char scale[32] = "-", train[32] = "-";
    if (row->scale > 0) snprintf(scale, sizeof scale, "%.6g", row->scale);
    if (isfinite(row->train_metric)) snprintf(train, sizeof train, "%.2f", factor * row->train_metric);
    fprintf(term->stream, "%5" PRId64 "  %8.1f  %10.4f  %11s  %9.4f  %10.2f  %10s  %7" PRId64 "\n", row->epoch, row->seconds,
            row->train_loss, train, row->test_loss, factor * row->test_metric, scale, row->skipped);
    fflush(term->stream);
}

int history_write_csv(const history *h, const char *path) {
    file_draft draft;
    char header[256];
    int i;
    if (file_draft_open(&draft, path) != 0) return -1;
    csv_header(h, header);
    fprintf(draft.stream, "%s\n", header);
    for (i = 0; i < h->n; ++i) {
        const history_row *r = &h->rows[i];
        fprintf(draft.stream, "%" PRId64 ",%.3f,%.9g,%.9g,%.9g,%.9g,%.9g,%.9g,%" PRId64 "\n", r->epoch, r->seconds, r->rate,
                r->train_loss, r->train_metric, r->test_loss, r->test_metric, r->scale, r->skipped);
    }
    return file_draft_commit(&draft);
}

void history_read_csv(history *h, const char *path, int64_t last_epoch) {
    char line[512], header[256];
    FILE *file = fopen(path, "r");
    h->n = 0;
    if (!file) return;
    csv_header(h, header);
    if (!fgets(line, sizeof line, file) || strncmp(line, header, strlen(header)) != 0) {
        fclose(file);
        return;
    }
    while (fgets(line, sizeof line, file)) {
        history_row r;
        if (sscanf(line, "%" SCNd64 ",%lf,%lf,%lf,%lf,%lf,%lf,%lf,%" SCNd64, &r.epoch, &r.seconds, &r.rate, &r.train_loss,
                   &r.train_metric, &r.test_loss, &r.test_metric, &r.scale, &r.skipped) != 9)
            break;
        if (r.epoch > last_epoch || history_add(h, &r) != 0) break;
    }
    fclose(file);
}

int history_write_plot(const history *h, const char *path, const char *title) {
    static double epoch[HISTORY_MAX], values[4][HISTORY_MAX];
    const metric *m = metric_of(h);
    plot_series loss[2] = {{"train", "#1f77b4", epoch, values[0], h->n}, {"test", "#d62728", epoch, values[1], h->n}};
    plot_series measured[2] = {{"train", "#1f77b4", epoch, values[2], h->n}, {"test", "#d62728", epoch, values[3], h->n}};
    const plot_panel panels[2] = {{"Loss", "epoch", h->loss ? h->loss : "cross-entropy", loss, 2, 1},
                                  {m->title, "epoch", m->axis, measured, 2, 1}};
    int i;
    for (i = 0; i < h->n; ++i) {
        epoch[i] = (double)h->rows[i].epoch;
        values[0][i] = h->rows[i].train_loss;
        values[1][i] = h->rows[i].test_loss;
        values[2][i] = m->factor * h->rows[i].train_metric;
        values[3][i] = m->factor * h->rows[i].test_metric;
    }
    return plot_write_svg(path, title, panels, 2);
}
