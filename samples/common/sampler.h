/* Draws from what a network says of the next symbol, the same on every machine. SPDX-License-Identifier: Apache-2.0 */
#ifndef SAMPLES_SAMPLER_H
#define SAMPLES_SAMPLER_H

#include <stdint.h>

typedef struct sampler {
    uint64_t state;
} sampler;

sampler sampler_begin(uint64_t seed);
/* An index with the probability softmax(logits / temperature); temperature 0: the largest. */
int32_t sampler_draw(sampler *s, const float *logits, int32_t n, double temperature);
/* A normal number [Box and Muller 1958]. */
double sampler_normal(sampler *s);

#endif
