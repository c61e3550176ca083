/* Where the data of packages lie. SPDX-License-Identifier: Apache-2.0
 *
 * A package's files are looked for below $MPT_DATA where that is set, then where the package manager puts them, then in
 * $XDG_CACHE_HOME/mpt (~/.cache/mpt), where scripts/data.sh unpacks packages without installing them.
 */
#ifndef SAMPLES_DATA_H
#define SAMPLES_DATA_H

#include <stddef.h>

#include "file.h"

typedef struct data_source {
    const char *what;    /* for messages: "the novels" */
    const char *package; /* of Debian and Ubuntu */
    const char *folder;  /* of the package, from the root: "/usr/share/..." */
    const char *file;    /* one of the files in it */
} data_source;

extern const data_source data_novels;  /* six novels by Jane Austen: see text.h */
extern const data_source data_glosses; /* WordNet: see glosses.h */
extern const data_source data_ratings; /* of lectures by students, "InstEval": see rdata.h */

/* The folder that has the source's file. Returns 0, or -1 where there is none: then it is the folder of the package. */
int data_find(const data_source *source, char folder[FILE_PATH_MAX]);
/* What to tell a user where the source's files cannot be opened, for reason. */
void data_missing(const data_source *source, const char *reason, char *message, size_t nbytes);

#endif
