/* Orders and choices that a seed decides, the same on every machine. SPDX-License-Identifier: Apache-2.0 */
#ifndef SAMPLES_SHUFFLE_H
#define SAMPLES_SHUFFLE_H

#include <stddef.h>
#include <stdint.h>

/* A generator that depends on seed and step alone, so that a resumed run repeats it: give its result to the two below. */
uint64_t random_begin(uint64_t seed, int64_t step);
uint64_t random_next(uint64_t *state);
/* 0 to n-1; n is positive. */
int64_t random_below(uint64_t *state, int64_t n);

/* The order of an epoch: a permutation of 0 to n-1. */
void shuffle(int32_t *order, int64_t n, uint64_t seed, int64_t epoch);

/* Copies n rows of row_bytes each, those that rows names. */
void gather_rows(void *to, const void *from, const int32_t *rows, int64_t n, size_t row_bytes);

#endif
