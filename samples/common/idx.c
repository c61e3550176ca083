/* The IDX format of the MNIST family, plain or in gzip [yann.lecun.com/exdb/mnist]. SPDX-License-Identifier: Apache-2.0 */
#include "idx.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* Type code of unsigned bytes, the third byte of a file. */
enum { IDX_TYPE_U8 = 0x08 };
/* No data set of this family is larger; a damaged header must not ask for all memory. */
static const int64_t max_elements = (int64_t)1 << 31;

/* Reads exactly count bytes, in pieces that gzread can count. Returns the bytes read, or -1 where the gzip stream is damaged. */
static int64_t read_bytes(gzFile file, uint8_t *to, int64_t count) {
    int64_t done = 0;
    while (done < count) {
        unsigned piece = count - done > (1 << 20) ? 1u << 20 : (unsigned)(count - done);
        int n = gzread(file, to + done, piece);
        if (n < 0) return -1;
        if (n == 0) break;
        done += n;
    }
    return done;
}

/* Reads count bytes into *data, whose memory grows with what really comes: a header may promise anything.
 * Returns the bytes read, -1 where the gzip stream is damaged, -2 where memory is short. */
static int64_t read_elements(gzFile file, uint8_t **data, int64_t count) {
    int64_t done = 0, room = 0;
    while (done < count) {
        uint8_t *larger;
        int64_t n;
        room = room == 0 ? 1 << 20 : 2 * room;
        if (room > count) room = count;
        larger = realloc(*data, (size_t)room);
        if (!larger) return -2;
        *data = larger;
        n = read_bytes(file, *data + done, room - done);
        if (n < 0) return -1;
        done += n;
        if (done < room) break;
    }
    return done;
}

static idx_status read_open_file(gzFile file, const char *path, int ndim, idx_array *array, char *message, size_t nbytes) {
    uint8_t header[4 + 4 * IDX_MAX_DIMS], extra;
    const int64_t header_bytes = 4 + 4 * (int64_t)ndim;
    int64_t n = read_bytes(file, header, header_bytes);
    int i;
    if (n < header_bytes) {
        snprintf(message, nbytes, "%s: %s inside the header of %d bytes", path, n < 0 ? "damaged gzip data" : "the file ends",
                 (int)header_bytes);
        return IDX_DAMAGED;
    }
    if (header[0] != 0 || header[1] != 0 || header[2] != IDX_TYPE_U8 || header[3] != ndim) {
        snprintf(message, nbytes, "%s: magic %02x%02x%02x%02x where 0000%02x%02x (bytes, %d dimensions) is expected", path,
                 header[0], header[1], header[2], header[3], IDX_TYPE_U8, ndim, ndim);
        return IDX_DAMAGED;
    }
    array->ndim = ndim;
    array->numel = 1;
    for (i = 0; i < ndim; ++i) {
        const uint8_t *p = header + 4 + 4 * i;
        array->shape[i] = (int64_t)p[0] << 24 | (int64_t)p[1] << 16 | (int64_t)p[2] << 8 | (int64_t)p[3];
        if (array->shape[i] < 1 || array->shape[i] > max_elements / array->numel) {
            snprintf(message, nbytes, "%s: extent %lld of dimension %d is not plausible", path, (long long)array->shape[i], i);
            return IDX_DAMAGED;
        }
        array->numel *= array->shape[i];
    }
    n = read_elements(file, &array->data, array->numel);
    if (n == -2) {
        snprintf(message, nbytes, "%s: no memory for %lld bytes", path, (long long)array->numel);
        return IDX_NO_MEMORY;
    }
    if (n < array->numel) {
        if (n < 0)
            snprintf(message, nbytes, "%s: damaged gzip data", path);
        else
            snprintf(message, nbytes, "%s: the file ends after %lld of %lld elements", path, (long long)n, (long long)array->numel);
        return IDX_DAMAGED;
    }
    /* Reading on to the end also makes zlib compare the checksum. */
    n = read_bytes(file, &extra, 1);
    if (n != 0) {
        snprintf(message, nbytes, "%s: %s the %lld elements of its header", path,
                 n < 0 ? "damaged gzip data after" : "more data than", (long long)array->numel);
        return IDX_DAMAGED;
    }
    return IDX_OK;
}

idx_status idx_read(const char *path, int ndim, idx_array *out, char *message, size_t nbytes) {
    idx_array array;
    idx_status status;
    gzFile file;
    memset(&array, 0, sizeof array);
    if (ndim < 1 || ndim > IDX_MAX_DIMS) {
        snprintf(message, nbytes, "ndim is %d; 1 to %d can be read", ndim, IDX_MAX_DIMS);
        return IDX_DAMAGED;
    }
    errno = 0;
    file = gzopen(path, "rb");
    if (!file) {
        snprintf(message, nbytes, "%s: %s", path, errno ? strerror(errno) : "no memory");
        return errno ? IDX_MISSING : IDX_NO_MEMORY;
    }
    gzbuffer(file, 1 << 18);
    status = read_open_file(file, path, ndim, &array, message, nbytes);
    /* A gzip file cut off in its checksum shows only here. */
    if (gzclose(file) != Z_OK && status == IDX_OK) {
        snprintf(message, nbytes, "%s: the gzip data end too early", path);
        status = IDX_DAMAGED;
    }
    if (status == IDX_OK)
        *out = array;
    else
        idx_free(&array);
    return status;
}

void idx_free(idx_array *array) {
    free(array->data);
    memset(array, 0, sizeof *array);
}
