/* Where the data of packages lie. SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "data.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

const data_source data_novels = {"the novels", "r-cran-janeaustenr", "/usr/lib/R/site-library/janeaustenr/data", "Rdata.rdx"};
const data_source data_glosses = {"the glosses of WordNet", "wordnet-base", "/usr/share/wordnet", "data.noun"};
const data_source data_ratings = {"the ratings of lectures", "r-cran-lme4", "/usr/lib/R/site-library/lme4/data", "Rdata.rdx"};

static int found(const data_source *source, const char *root, const char *below, char folder[FILE_PATH_MAX]) {
    char path[FILE_PATH_MAX];
    int n;
    if (!root) return 0;
    n = snprintf(folder, FILE_PATH_MAX, "%s%s%s", root, below, source->folder);
    return n > 0 && n < FILE_PATH_MAX && file_join(path, folder, source->file) == 0 && access(path, R_OK) == 0;
}

int data_find(const data_source *source, char folder[FILE_PATH_MAX]) {
    if (found(source, getenv("MPT_DATA"), "", folder)) return 0;
    if (found(source, "", "", folder)) return 0;
    if (found(source, getenv("XDG_CACHE_HOME"), "/mpt", folder)) return 0;
    if (found(source, getenv("HOME"), "/.cache/mpt", folder)) return 0;
    snprintf(folder, FILE_PATH_MAX, "%s", source->folder);
    return -1;
}

void data_missing(const data_source *source, const char *reason, char *message, size_t nbytes) {
    snprintf(message, nbytes,
             "%s are not there (%s)\n"
             "get them with:  scripts/data.sh %s\n"
             "or name the folder that holds them with --data",
             source->what, reason, source->package);
}
