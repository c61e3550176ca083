/* Text as numbers, character by character, for language models. SPDX-License-Identifier: Apache-2.0 */
#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data.h"
#include "rdata.h"
#include "shuffle.h"

/* In the order in which they appeared. */
static const char *const novels[] = {"sensesensibility", "prideprejudice", "mansfieldpark", "emma",
                                     "northangerabbey",  "persuasion"};
enum { NOVELS = sizeof novels / sizeof novels[0] };

int text_from_bytes(text *out, const uint8_t *bytes, int64_t n) {
    text t;
    int32_t id_of[256] = {0};
    int64_t i;
    int c;
    memset(&t, 0, sizeof t);
    t.n = n;
    t.n_train = n - n / 10;
    t.ids = malloc(n > 0 ? (size_t)n : 1);
    if (!t.ids) return -1;
    for (i = 0; i < n; ++i) id_of[bytes[i]] = 1;
    for (c = 0; c < 256; ++c) {
        if (!id_of[c]) continue;
        id_of[c] = t.n_symbols;
        t.symbols[t.n_symbols++] = (uint8_t)c;
    }
    for (i = 0; i < n; ++i) t.ids[i] = (uint8_t)id_of[bytes[i]];
    *out = t;
    return 0;
}

void text_free(text *t) {
    free(t->ids);
    memset(t, 0, sizeof *t);
}

int32_t text_id(const text *t, uint8_t character) {
    const uint8_t *found = memchr(t->symbols, character, (size_t)t->n_symbols);
    return found ? (int32_t)(found - t->symbols) : -1;
}

/* Appends the lines of a novel to bytes, or only counts them where bytes is NULL. Returns the number of bytes. */
static int64_t put_lines(const rdata_value *lines, uint8_t *bytes) {
    int64_t total = 0, i;
    for (i = 0; i < rdata_length(lines); ++i) {
        int64_t n = 0;
        const char *line = rdata_string(lines, i, &n);
        if (bytes && n > 0) memcpy(bytes + total, line, (size_t)n);
        if (bytes) bytes[total + n] = '\n';
        total += n + 1;
    }
    return total;
}

static int join_novels(text *out, rdata *db, char *message, size_t nbytes) {
    const rdata_value *lines[NOVELS];
    char reason[FILE_PATH_MAX + 256];
    uint8_t *bytes;
    int64_t total = 0, done = 0;
    int i, failed;
    for (i = 0; i < NOVELS; ++i) {
        if (rdata_get(db, novels[i], &lines[i], reason, sizeof reason) != RDATA_OK) {
            snprintf(message, nbytes, "the novels cannot be used: %s", reason);
            return -1;
        }
        if (rdata_kind(lines[i]) != RDATA_STRING || rdata_length(lines[i]) == 0) {
            snprintf(message, nbytes, "the novels cannot be used: %s has no lines of text", novels[i]);
            return -1;
        }
        total += put_lines(lines[i], NULL);
    }
    bytes = malloc((size_t)total);
    failed = !bytes;
    for (i = 0; i < NOVELS && !failed; ++i) done += put_lines(lines[i], bytes + done);
    failed = failed || text_from_bytes(out, bytes, total) != 0;
    free(bytes);
    if (failed) snprintf(message, nbytes, "no memory for %lld characters", (long long)total);
    return failed ? -1 : 0;
}

int text_load_novels(text *out, const char *folder, char *message, size_t nbytes) {
    char place[FILE_PATH_MAX], reason[FILE_PATH_MAX + 256];
    rdata *db = NULL;
    rdata_status status;
    int result;
    if (!folder) {
        data_find(&data_novels, place);
        folder = place;
    }
    status = rdata_open(folder, &db, reason, sizeof reason);
    if (status == RDATA_MISSING) data_missing(&data_novels, reason, message, nbytes);
    if (status == RDATA_DAMAGED || status == RDATA_NO_MEMORY) snprintf(message, nbytes, "the novels cannot be used: %s", reason);
    if (status != RDATA_OK) return -1;
    result = join_novels(out, db, message, nbytes);
    rdata_close(db);
    return result;
}

/* The window that starts at first. */
static void put_window(const text *t, int64_t first, int64_t length, int32_t *x, int32_t *y) {
    int64_t i;
    for (i = 0; i < length; ++i) {
        x[i] = t->ids[first + i];
        y[i] = t->ids[first + i + 1];
    }
}

int64_t text_sample(const text *t, uint64_t seed, int64_t step, int64_t batch, int64_t length, int32_t *x, int32_t *y) {
    uint64_t state = random_begin(seed, step);
    int64_t i;
    if (length < 1 || length >= t->n_train) return 0;
    for (i = 0; i < batch; ++i) put_window(t, random_below(&state, t->n_train - length), length, x + i * length, y + i * length);
    return batch;
}

int64_t text_validation_windows(const text *t, int64_t length) {
    const int64_t n = t->n - t->n_train;
    return length > 0 && n > 0 ? (n - 1) / length : 0;
}

int64_t text_validation(const text *t, int64_t first, int64_t batch, int64_t length, int32_t *x, int32_t *y) {
    const int64_t left = text_validation_windows(t, length) - first, n = batch < left ? batch : left;
    int64_t i;
    if (first < 0) return 0;
    for (i = 0; i < n; ++i) put_window(t, t->n_train + (first + i) * length, length, x + i * length, y + i * length);
    return n > 0 ? n : 0;
}
