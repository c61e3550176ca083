/* Draws from what a network says of the next symbol. SPDX-License-Identifier: Apache-2.0 */
#include "sampler.h"

#include <math.h>

#include "shuffle.h"

sampler sampler_begin(uint64_t seed) {
    sampler s;
    s.state = random_begin(seed, -1); /* training's orders have the steps from 0 on */
    return s;
}

/* From [0, 1). */
static double uniform(sampler *s) {
    return (double)(random_next(&s->state) >> 11) * 0x1p-53;
}

int32_t sampler_draw(sampler *s, const float *logits, int32_t n, double temperature) {
    double sum = 0, left;
    int32_t best = 0, i;
    for (i = 1; i < n; ++i) {
        if (logits[i] > logits[best]) best = i;
    }
    if (!(temperature > 0)) return best;
    for (i = 0; i < n; ++i) sum += exp((logits[i] - logits[best]) / temperature);
    left = uniform(s) * sum;
    for (i = 0; i < n; ++i) {
        left -= exp((logits[i] - logits[best]) / temperature);
        if (left < 0) return i;
    }
    return best; /* rounding, or logits that are no numbers */
}

double sampler_normal(sampler *s) {
    const double radius = sqrt(-2 * log(1 - uniform(s)));
    return radius * cos(6.283185307179586 * uniform(s));
}
