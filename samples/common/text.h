/* Text as numbers, character by character, for language models. SPDX-License-Identifier: Apache-2.0 */
#ifndef SAMPLES_TEXT_H
#define SAMPLES_TEXT_H

#include <stddef.h>
#include <stdint.h>

typedef struct text {
    int64_t n;            /* characters (bytes) in all */
    int64_t n_train;      /* the first 90 % are for training, the rest for validation */
    uint8_t *ids;         /* [n], 0 to n_symbols-1 */
    int32_t n_symbols;    /* different characters */
    uint8_t symbols[256]; /* the character of each id, ascending */
} text;

/* Six novels by Jane Austen, one line under another. folder NULL: where packages put it (see data.h).
 * Returns 0, or -1 with a message of several lines. */
int text_load_novels(text *out, const char *folder, char *message, size_t nbytes);
/* Any bytes. Returns 0, or -1 where memory is short. */
int text_from_bytes(text *out, const uint8_t *bytes, int64_t n);
void text_free(text *t);

/* The id of a character, or -1 where the text has none such. */
int32_t text_id(const text *t, uint8_t character);

/* x and y are [batch, length]; y is x one character later. A window of the validation part follows the one before without a gap. */

/* Windows from random places of the training part, chosen by seed and step alone. Returns batch, or 0 where the part is too short.
 */
int64_t text_sample(const text *t, uint64_t seed, int64_t step, int64_t batch, int64_t length, int32_t *x, int32_t *y);
/* How many windows the validation part has. */
int64_t text_validation_windows(const text *t, int64_t length);
/* Windows first to first+batch-1; returns how many there were, fewer than batch at the end. */
int64_t text_validation(const text *t, int64_t first, int64_t batch, int64_t length, int32_t *x, int32_t *y);

#endif
