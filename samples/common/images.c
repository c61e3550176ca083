/* Fashion-MNIST for a sample's main function. SPDX-License-Identifier: Apache-2.0 */
#include "images.h"

#include <stdio.h>
#include <stdlib.h>

#include "check.h"
#include "file.h"
#include "loop.h"

void images_open(images *s, const options *o, const char *part, int64_t batch) {
    char message[2 * FILE_PATH_MAX];
    if (dataset_load(&s->set, o->data, part, o->limit, message, sizeof message) != 0) {
        fprintf(stderr, "%s\n", message);
        exit(EXIT_RUN_TIME);
    }
    if (batches_open(&s->order, s->set.n, batch, o->seed) != 0) {
        fprintf(stderr, "no memory for the order of %lld images\n", (long long)s->set.n);
        exit(EXIT_RUN_TIME);
    }
    s->pixels = allocate((size_t)s->order.size * DATASET_PIXELS * sizeof *s->pixels);
    s->labels = allocate((size_t)s->order.size);
}

void images_close(images *s) {
    free(s->pixels);
    free(s->labels);
    batches_close(&s->order);
    dataset_free(&s->set);
}

void images_shuffle(images *s, int64_t epoch, uint64_t seed) {
    s->order.seed = seed;
    batches_shuffle(&s->order, epoch);
}

int64_t images_next(images *s) {
    const int32_t *rows;
    const int64_t n = batches_next(&s->order, &rows);
    if (n > 0)
        dataset_gather(&s->set, rows, n, s->pixels, s->labels);
    else
        batches_in_order(&s->order);
    return n;
}

void images_inputs(phase *p, int labels) {
    const int64_t image[4] = {0, 1, DATASET_SIDE, DATASET_SIDE}, label[1] = {0};
    phase_input(p, MPT_F32, 4, image);
    if (labels) phase_input(p, MPT_U8, 1, label);
}
