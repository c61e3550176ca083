/* The rows of a data set in batches, the last of which may be smaller. SPDX-License-Identifier: Apache-2.0 */
#include "batches.h"

#include <stdlib.h>
#include <string.h>

#include "shuffle.h"

int batches_open(batches *b, int64_t n, int64_t size, uint64_t seed) {
    memset(b, 0, sizeof *b);
    if (n < 1 || n > INT32_MAX || size < 1) return -1;
    b->order = malloc((size_t)n * sizeof *b->order);
    if (!b->order) return -1;
    b->n = n;
    b->size = size < n ? size : n;
    b->rest = n % b->size;
    b->seed = seed;
    batches_in_order(b);
    return 0;
}

void batches_close(batches *b) {
    free(b->order);
    memset(b, 0, sizeof *b);
}

int64_t batches_count(const batches *b) {
    return b->n / b->size + (b->rest > 0);
}

void batches_shuffle(batches *b, int64_t epoch) {
    shuffle(b->order, b->n, b->seed, epoch);
    b->next = 0;
}

void batches_in_order(batches *b) {
    int64_t i;
    for (i = 0; i < b->n; ++i) b->order[i] = (int32_t)i;
    b->next = 0;
}

int64_t batches_next(batches *b, const int32_t **rows) {
    const int64_t left = b->n - b->next, n = left < b->size ? left : b->size;
    *rows = b->order + b->next;
    b->next += n;
    return n;
}
