/* Fashion-MNIST [Xiao et al. 2017] in memory. SPDX-License-Identifier: Apache-2.0 */
#ifndef SAMPLES_DATASET_H
#define SAMPLES_DATASET_H

#include <stddef.h>
#include <stdint.h>

enum { DATASET_SIDE = 28, DATASET_PIXELS = DATASET_SIDE * DATASET_SIDE, DATASET_CLASSES = 10 };

/* Mean and standard deviation of the training pixels, in units of white: a pixel is image * DATASET_DEVIATION + DATASET_MEAN. */
#define DATASET_MEAN 0.2860f
#define DATASET_DEVIATION 0.3530f

/* Where the package dataset-fashion-mnist of Debian and Ubuntu puts its files. */
#define DATASET_FOLDER "/usr/share/datasets/fashion-mnist"

typedef struct dataset {
    int64_t n;
    float *images;   /* [n, 1, 28, 28], normalised: (pixel - DATASET_MEAN) / DATASET_DEVIATION */
    uint8_t *labels; /* [n], 0 to 9 */
} dataset;

/* Reads "train" or "t10k" from folder; limit > 0 keeps only the first images. Returns 0, or -1 with a message of several lines. */
int dataset_load(dataset *out, const char *folder, const char *part, int64_t limit, char *message, size_t nbytes);
void dataset_free(dataset *set);

/* Copies n images and labels, those that order names (see shuffle.h and batches.h). */
void dataset_gather(const dataset *set, const int32_t *order, int64_t n, float *images, uint8_t *labels);

#endif
