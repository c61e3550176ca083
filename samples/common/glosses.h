/* What WordNet [Fellbaum 1998] says of its words' meanings, as sequences of numbers with the part of speech as their class.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SAMPLES_GLOSSES_H
#define SAMPLES_GLOSSES_H

#include <stddef.h>
#include <stdint.h>

enum { GLOSSES_CLASSES = 4, GLOSSES_PADDING = 0, GLOSSES_UNKNOWN = 1, GLOSSES_FIRST_SYMBOL = 2 };

/* "noun", "verb", "adj", "adv": the names of the classes 0 to 3. */
extern const char *const glosses_class_names[GLOSSES_CLASSES];

typedef enum glosses_unit {
    GLOSSES_WORDS = 0,     /* in lower case, without punctuation */
    GLOSSES_CHARACTERS = 1 /* bytes as they are */
} glosses_unit;

typedef struct glosses_options {
    glosses_unit unit;
    int64_t length;      /* units of each sequence: a longer gloss is cut, a shorter one has padding in front, so that the last
                            step always sees a unit of the gloss */
    int64_t max_symbols; /* size of the vocabulary with padding and unknown; 0: no limit */
    int64_t per_class;   /* only so many glosses of each class, so that no class rules; 0: all */
} glosses_options;

typedef struct glosses_part {
    int64_t n;
    const int32_t *ids;     /* [n, length] */
    const int32_t *lengths; /* [n], units without the padding, at least 1 */
    const uint8_t *labels;  /* [n], 0 to 3; the classes lie one behind the other, so shuffle for training (batches.h) */
} glosses_part;

typedef struct glosses {
    int64_t length;
    int64_t n_symbols;
    const char *const
        *symbols; /* the unit of each id; the most frequent of the training part come first, behind the two special ids */
    glosses_part train, test; /* a tenth of each class is for the test; always the same one for the same options */
    void *storage;
} glosses;

/* Reads data.noun, data.verb, data.adj and data.adv. folder NULL: where packages put them (see data.h).
 * Returns 0, or -1 with a message of several lines. */
int glosses_load(glosses *out, const char *folder, const glosses_options *options, char *message, size_t nbytes);
void glosses_free(glosses *g);

#endif
