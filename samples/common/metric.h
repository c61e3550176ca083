/* What a network is measured by beside its loss. SPDX-License-Identifier: Apache-2.0 */
#ifndef SAMPLES_METRIC_H
#define SAMPLES_METRIC_H

typedef struct metric {
    const char *name;  /* in the log: "accuracy" */
    const char *brief; /* in tables: "acc" */
    const char *unit;  /* behind a value, with its space: " %"; "" for none */
    const char *title; /* of its plot: "Accuracy" */
    const char *axis;  /* "% right" */
    double factor;     /* a value times this is shown */
} metric;

/* The share of answers that are right. */
extern const metric metric_accuracy;

#endif
