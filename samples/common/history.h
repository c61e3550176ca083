/* What each epoch came to: as a table on the terminal, as a CSV log and as a plot. SPDX-License-Identifier: Apache-2.0 */
#ifndef SAMPLES_HISTORY_H
#define SAMPLES_HISTORY_H

#include <stdint.h>

#include "metric.h"
#include "terminal.h"

typedef struct history_row {
    int64_t epoch;  /* from 1 */
    double seconds; /* of training, without the test */
    double rate;    /* the learning rate */
    double train_loss, train_metric;
    double test_loss, test_metric;
    double scale;                    /* of the loss; 0: no loss scaling */
    int64_t skipped;                 /* since the start */
} history_row;

enum { HISTORY_MAX = 1000 };

typedef struct history {
    history_row rows[HISTORY_MAX];
    int n;
    const metric *metric; /* NULL: accuracy */
    const char *loss;     /* for the plot; NULL: "cross-entropy" */
} history;

/* Returns 0, or -1 where there are HISTORY_MAX rows. */
int history_add(history *h, const history_row *row);

void history_print_header(const history *h, const terminal *term);
void history_print_row(const history *h, const terminal *term, const history_row *row);

/* Writes the log; returns 0, or -1 with errno. */
int history_write_csv(const history *h, const char *path);
/* Reads the rows of a log up to an epoch; stops at the first that cannot be understood. No log is an empty history. */
void history_read_csv(history *h, const char *path, int64_t last_epoch);
/* Draws loss and metric over the epochs as SVG; returns 0, or -1 with errno. */
int history_write_plot(const history *h, const char *path, const char *title);

#endif
