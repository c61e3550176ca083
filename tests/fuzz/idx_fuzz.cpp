// Any bytes as a file of the IDX format: a number of dimensions, then the file, plain or in gzip. SPDX-License-Identifier:
// Apache-2.0
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

extern "C" {
#include "idx.h"
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const int file = memfd_create("idx", 0);
    static char path[64];
    if (size < 1) return 0;
    std::snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    if (ftruncate(file, 0) != 0 || pwrite(file, data + 1, size - 1, 0) != static_cast<ssize_t>(size - 1)) std::abort();

    idx_array array = {};
    char message[512] = "";
    const idx_status status = idx_read(path, data[0] % 6, &array, message, sizeof message);
    if (status == IDX_MISSING) std::abort();
    if ((status == IDX_OK) != (array.data != nullptr) || (status == IDX_OK) != (std::strlen(message) == 0)) std::abort();
    int64_t numel = 1;
    for (int i = 0; i < array.ndim; ++i) numel *= array.shape[i];
    if (status == IDX_OK && numel != array.numel) std::abort();
    // Every element has been read: the sanitizer knows.
    uint32_t sum = 0;
    for (int64_t i = 0; i < array.numel; ++i) sum += array.data[i];
    static volatile uint32_t kept;
    kept = sum;
    (void)kept;
    idx_free(&array);
    return 0;
}
