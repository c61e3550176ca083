/* The rows of a data set in batches, the last of which may be smaller. SPDX-License-Identifier: Apache-2.0
 *
 *     batches b;
 *     batches_open(&b, set.n, 128, seed);
 *     for (epoch = 0; epoch < epochs; ++epoch) {
 *         batches_shuffle(&b, epoch);
 *         while ((n = batches_next(&b, &rows)) > 0) gather_rows(images, set.images, rows, n, sizeof(float) * 784);
 *     }
 *     batches_close(&b);
 */
#ifndef SAMPLES_BATCHES_H
#define SAMPLES_BATCHES_H

#include <stdint.h>

typedef struct batches {
    int64_t n;    /* rows in all */
    int64_t size; /* of each batch but perhaps the last; at most n */
    int64_t rest; /* rows of a smaller last batch; 0: there is none */
    uint64_t seed;
    int32_t *order;
    int64_t next;
} batches;

/* A size above n counts as n. Returns 0, or -1 where memory is short, n or size is not positive or n does not fit in an int32_t. */
int batches_open(batches *b, int64_t n, int64_t size, uint64_t seed);
void batches_close(batches *b);

/* How many batches cover all rows. */
int64_t batches_count(const batches *b);

/* Starts over in an order that depends on seed and epoch alone, so that a resumed run repeats it. */
void batches_shuffle(batches *b, int64_t epoch);
/* Starts over with the rows as they are stored, as batches_open does: for the test. */
void batches_in_order(batches *b);
/* Points at the rows of the next batch and returns their number: size, then at the end perhaps rest, then 0. */
int64_t batches_next(batches *b, const int32_t **rows);

#endif
