/* Orders and choices that a seed decides, the same on every machine. SPDX-License-Identifier: Apache-2.0 */
#include "shuffle.h"

#include <string.h>

/* SplitMix64 [Steele et al. 2014]. */
uint64_t random_next(uint64_t *state) {
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

uint64_t random_begin(uint64_t seed, int64_t step) {
    uint64_t state = seed;
    /* Passing the seed through the generator first keeps (seed, step) and (seed + 1, step - 1) apart. */
    return random_next(&state) + (uint64_t)step;
}

int64_t random_below(uint64_t *state, int64_t n) {
    return (int64_t)(random_next(state) % (uint64_t)n);
}

void shuffle(int32_t *order, int64_t n, uint64_t seed, int64_t epoch) {
    uint64_t state = random_begin(seed, epoch);
    int64_t i;
    for (i = 0; i < n; ++i) order[i] = (int32_t)i;
    for (i = n - 1; i > 0; --i) {
        int64_t j = random_below(&state, i + 1);
        int32_t held = order[i];
        order[i] = order[j];
        order[j] = held;
    }
}

void gather_rows(void *to, const void *from, const int32_t *rows, int64_t n, size_t row_bytes) {
    int64_t i;
    for (i = 0; i < n; ++i) memcpy((char *)to + (size_t)i * row_bytes, (const char *)from + (size_t)rows[i] * row_bytes, row_bytes);
}
