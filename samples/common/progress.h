/* How far training has come: a bar on a terminal, plain lines elsewhere. SPDX-License-Identifier: Apache-2.0 */
#ifndef SAMPLES_PROGRESS_H
#define SAMPLES_PROGRESS_H

#include <stdint.h>

#include "metric.h"
#include "terminal.h"

/* What is shown beside the bar. */
typedef struct progress_values {
    double loss;
    double metric; /* NaN: not shown */
    double scale;  /* of the loss; 0: no loss scaling */
    int64_t skipped;
} progress_values;

typedef struct progress {
    const terminal *term;
    const metric *metric; /* accuracy from progress_begin on; another may be set behind it */
    char title[32];
    int64_t total;      /* steps of this bar */
    int64_t later;      /* steps that come after this bar and count for the time left */
    double start;       /* seconds, when step 0 began */
    double last_drawn;  /* seconds; bars */
    int64_t last_tenth; /* plain lines */
} progress;

/* Seconds from a clock that only goes forward. */
double progress_clock(void);

void progress_begin(progress *p, const terminal *term, const char *title, int64_t total, int64_t later);
/* Call after each step: draws when enough has changed. */
void progress_update(progress *p, int64_t done, const progress_values *values);
/* Removes the bar, so that the caller can write a line in its place. */
void progress_end(progress *p);

#endif
