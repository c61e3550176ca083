/* What each epoch came to: as a table on the terminal, as a CSV log and as a plot. SPDX-License-Identifier: Apache-2.0 */
#include "history.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "file.h"
#include "plot.h"

static const char csv_header[] = "epoch,seconds,learning_rate,train_loss,train_accuracy,test_loss,test_accuracy,loss_scale,skipped";

int history_add(history *h, const history_row *row) {
    if (h->n == HISTORY_MAX) return -1;
    h->rows[h->n++] = *row;
    return 0;
}

void history_print_header(const terminal *term) {
    fprintf(term->stream, "%s%5s  %8s  %10s  %11s  %9s  %10s  %10s  %7s%s\n", term->colour ? "\033[1m" : "", "epoch", "time s",
            "train loss", "train acc %", "test loss", "test acc %", "loss scale", "skipped", term->colour ? "\033[0m" : "");
    fflush(term->stream);
}

void history_print_row(const terminal *term, const history_row *row) {
    char scale[32] = "-";
    if (row->scale > 0) snprintf(scale, sizeof scale, "%.6g", row->scale);
    fprintf(term->stream, "%5" PRId64 "  %8.1f  %10.4f  %11.2f  %9.4f  %10.2f  %10s  %7" PRId64 "\n", row->epoch, row->seconds,
            row->train_loss, 100 * row->train_accuracy, row->test_loss, 100 * row->test_accuracy, scale, row->skipped);
    fflush(term->stream);
}

int history_write_csv(const history *h, const char *path) {
    file_draft draft;
    int i;
    if (file_draft_open(&draft, path) != 0) return -1;
    fprintf(draft.stream, "%s\n", csv_header);
    for (i = 0; i < h->n; ++i) {
        const history_row *r = &h->rows[i];
        fprintf(draft.stream, "%" PRId64 ",%.3f,%.9g,%.9g,%.9g,%.9g,%.9g,%.9g,%" PRId64 "\n", r->epoch, r->seconds, r->rate,
                r->train_loss, r->train_accuracy, r->test_loss, r->test_accuracy, r->scale, r->skipped);
    }
    return file_draft_commit(&draft);
}

void history_read_csv(history *h, const char *path, int64_t last_epoch) {
    char line[512];
    FILE *file = fopen(path, "r");
    h->n = 0;
    if (!file) return;
    if (!fgets(line, sizeof line, file) || strncmp(line, csv_header, strlen(csv_header)) != 0) {
        fclose(file);
        return;
    }
    while (fgets(line, sizeof line, file)) {
        history_row r;
        if (sscanf(line, "%" SCNd64 ",%lf,%lf,%lf,%lf,%lf,%lf,%lf,%" SCNd64, &r.epoch, &r.seconds, &r.rate, &r.train_loss,
                   &r.train_accuracy, &r.test_loss, &r.test_accuracy, &r.scale, &r.skipped) != 9)
            break;
        if (r.epoch > last_epoch || history_add(h, &r) != 0) break;
    }
    fclose(file);
}

int history_write_plot(const history *h, const char *path, const char *title) {
    static double epoch[HISTORY_MAX], values[4][HISTORY_MAX];
    plot_series loss[2] = {{"train", "#1f77b4", epoch, values[0], h->n}, {"test", "#d62728", epoch, values[1], h->n}};
    plot_series accuracy[2] = {{"train", "#1f77b4", epoch, values[2], h->n}, {"test", "#d62728", epoch, values[3], h->n}};
    const plot_panel panels[2] = {{"Loss", "epoch", "cross-entropy", loss, 2, 1}, {"Accuracy", "epoch", "% right", accuracy, 2, 1}};
    int i;
    for (i = 0; i < h->n; ++i) {
        epoch[i] = (double)h->rows[i].epoch;
        values[0][i] = h->rows[i].train_loss;
        values[1][i] = h->rows[i].test_loss;
        values[2][i] = 100 * h->rows[i].train_accuracy;
        values[3][i] = 100 * h->rows[i].test_accuracy;
    }
    return plot_write_svg(path, title, panels, 2);
}
