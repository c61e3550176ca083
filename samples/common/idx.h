/* The IDX format of the MNIST family, plain or in gzip [yann.lecun.com/exdb/mnist]. SPDX-License-Identifier: Apache-2.0 */
#ifndef SAMPLES_IDX_H
#define SAMPLES_IDX_H

#include <stddef.h>
#include <stdint.h>

enum { IDX_MAX_DIMS = 4 };

/* An array of bytes. */
typedef struct idx_array {
    int ndim;
    int64_t shape[IDX_MAX_DIMS];
    int64_t numel;
    uint8_t *data; /* from malloc; idx_free gives it back */
} idx_array;

typedef enum idx_status { IDX_OK = 0, IDX_MISSING = 1, IDX_DAMAGED = 2, IDX_NO_MEMORY = 3 } idx_status;

/* Reads a file of unsigned bytes with ndim dimensions. On failure out is untouched and message says what is wrong. */
idx_status idx_read(const char *path, int ndim, idx_array *out, char *message, size_t nbytes);
void idx_free(idx_array *array);

#endif
