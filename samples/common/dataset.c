/* Fashion-MNIST [Xiao et al. 2017] in memory. SPDX-License-Identifier: Apache-2.0 */
#include "dataset.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "idx.h"
#include "shuffle.h"

static int read_part(const char *folder, const char *part, const char *kind, int ndim, idx_array *out, char *message,
                     size_t nbytes) {
    char name[64], path[FILE_PATH_MAX], reason[FILE_PATH_MAX + 128];
    idx_status status;
    snprintf(name, sizeof name, "%s-%s-idx%d-ubyte.gz", part, kind, ndim);
    if (file_join(path, folder, name) != 0) {
        snprintf(message, nbytes, "the path of the data set is too long");
        return -1;
    }
    status = idx_read(path, ndim, out, reason, sizeof reason);
    if (status == IDX_OK) return 0;
    if (status == IDX_MISSING) {
        snprintf(message, nbytes,
                 "the Fashion-MNIST data set is not there (%s)\n"
                 "install it with:  sudo apt-get install dataset-fashion-mnist\n"
                 "or name the folder that holds it with --data",
                 reason);
    } else {
        snprintf(message, nbytes, "the Fashion-MNIST data set cannot be used: %s", reason);
    }
    return -1;
}

static int check_counts(const idx_array *images, const idx_array *labels, const char *part, char *message, size_t nbytes) {
    int64_t i;
    if (images->shape[0] != labels->shape[0]) {
        snprintf(message, nbytes, "the data set's part %s has %lld images but %lld labels", part, (long long)images->shape[0],
                 (long long)labels->shape[0]);
        return -1;
    }
    if (images->shape[1] != DATASET_SIDE || images->shape[2] != DATASET_SIDE) {
        snprintf(message, nbytes, "the data set's part %s has images of %lld x %lld pixels where %d x %d are expected", part,
                 (long long)images->shape[1], (long long)images->shape[2], DATASET_SIDE, DATASET_SIDE);
        return -1;
    }
    for (i = 0; i < labels->numel; ++i) {
        if (labels->data[i] < DATASET_CLASSES) continue;
        snprintf(message, nbytes, "label %lld of the data set's part %s is %d; the classes are 0 to %d", (long long)i, part,
                 labels->data[i], DATASET_CLASSES - 1);
        return -1;
    }
    return 0;
}

int dataset_load(dataset *out, const char *folder, const char *part, int64_t limit, char *message, size_t nbytes) {
    idx_array images = {0}, labels = {0};
    dataset set = {0};
    int result = -1;
    int64_t i;
    if (read_part(folder, part, "images", 3, &images, message, nbytes) != 0 ||
        read_part(folder, part, "labels", 1, &labels, message, nbytes) != 0 ||
        check_counts(&images, &labels, part, message, nbytes) != 0)
        goto done;
    set.n = limit > 0 && limit < labels.numel ? limit : labels.numel;
    set.images = malloc((size_t)set.n * DATASET_PIXELS * sizeof *set.images);
    set.labels = malloc((size_t)set.n);
    if (!set.images || !set.labels) {
        snprintf(message, nbytes, "no memory for %lld images", (long long)set.n);
        dataset_free(&set);
        goto done;
    }
    for (i = 0; i < set.n * DATASET_PIXELS; ++i) set.images[i] = ((float)images.data[i] / 255.0f - DATASET_MEAN) / DATASET_DEVIATION;
    memcpy(set.labels, labels.data, (size_t)set.n);
    *out = set;
    result = 0;
done:
    idx_free(&images);
    idx_free(&labels);
    return result;
}

void dataset_free(dataset *set) {
    free(set->images);
    free(set->labels);
    memset(set, 0, sizeof *set);
}

void dataset_gather(const dataset *set, const int32_t *order, int64_t n, float *images, uint8_t *labels) {
    gather_rows(images, set->images, order, n, DATASET_PIXELS * sizeof *images);
    gather_rows(labels, set->labels, order, n, 1);
}
