/* Folders, files read whole, and files that appear whole or not at all. SPDX-License-Identifier: Apache-2.0 */
#ifndef SAMPLES_FILE_H
#define SAMPLES_FILE_H

#include <stdint.h>
#include <stdio.h>

enum { FILE_PATH_MAX = 4096 };

/* Joins a folder and a name into path; returns 0, or -1 where the result is too long. */
int file_join(char path[FILE_PATH_MAX], const char *folder, const char *name);

/* Makes a folder and those above it; one that exists is fine. Returns 0, or -1 with errno. */
int file_make_folder(const char *path);

/* Reads a whole file of at most limit bytes into memory from malloc. Returns 0, or -1 with errno; EFBIG: the file is larger. */
int file_read(const char *path, int64_t limit, uint8_t **out, int64_t *n);

/* A file on its way: written beside its final place and renamed when complete. */
typedef struct file_draft {
    char path[FILE_PATH_MAX];
    char draft_path[FILE_PATH_MAX];
    FILE *stream;
} file_draft;

/* Opens a draft of path; returns 0, or -1 with errno. */
int file_draft_open(file_draft *draft, const char *path);
/* Puts the draft in its place; where anything written has failed, removes it and returns -1 with errno. */
int file_draft_commit(file_draft *draft);

#endif
