/* Fashion-MNIST for a sample's main function: a part of it, batch by batch. SPDX-License-Identifier: Apache-2.0 */
#ifndef SAMPLES_IMAGES_H
#define SAMPLES_IMAGES_H

#include "batches.h"
#include "dataset.h"
#include "options.h"
#include "training.h"

typedef struct images {
    dataset set;
    batches order;
    float *pixels; /* the batch at hand: [n, 1, 28, 28], normalised */
    uint8_t *labels;
} images;

/* Loads "train" or "t10k"; where the data cannot be had, says so and ends the process. */
void images_open(images *s, const options *o, const char *part, int64_t batch);
void images_close(images *s);

/* Starts over, in an order of its own for each seed and epoch. */
void images_shuffle(images *s, int64_t epoch, uint64_t seed);
/* Puts the next batch into pixels and labels and returns its size; 0 at the end, which starts over with the images as stored. */
int64_t images_next(images *s);

/* Adds the inputs of a phase that such batches fit: pixels, and labels too where those are wanted. */
void images_inputs(phase *p, int labels);

#endif
