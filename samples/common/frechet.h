/* How far two sets of images are apart: the Frechet distance of two normal distributions [Dowson and Landau 1982], as in the FID
 * [Heusel et al. 2017], but of plain features that need no network: the means of the 7 x 7 tiles of 4 x 4 pixels.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SAMPLES_FRECHET_H
#define SAMPLES_FRECHET_H

#include <stdint.h>

enum { FRECHET_FEATURES = 49 };

/* Sums over the images of one set; all 0 at the start. */
typedef struct moments {
    int64_t n;
    double sum[FRECHET_FEATURES], products[FRECHET_FEATURES][FRECHET_FEATURES];
} moments;

/* Adds n images of 28 x 28 pixels. */
void moments_add(moments *m, const float *images, int64_t n);
/* The sum of the features' variances: the distance to a set that has the same mean image over and over. */
double moments_spread(const moments *m);
/* |mean difference|^2 + trace(A + B - 2 sqrt(sqrt(A) B sqrt(A))) of the covariances A and B. Both sets have images. */
double frechet_distance(const moments *a, const moments *b);

#endif
