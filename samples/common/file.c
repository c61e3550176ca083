/* Folders, files read whole, and files that appear whole or not at all. SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int file_join(char path[FILE_PATH_MAX], const char *folder, const char *name) {
    int n = snprintf(path, FILE_PATH_MAX, "%s/%s", folder, name);
    return n > 0 && n < FILE_PATH_MAX ? 0 : -1;
}

int file_make_folder(const char *path) {
    char part[FILE_PATH_MAX];
    size_t length = strlen(path), i;
    struct stat info;
    if (length == 0 || length >= sizeof part) {
        errno = length == 0 ? ENOENT : ENAMETOOLONG;
        return -1;
    }
    memcpy(part, path, length + 1);
    for (i = 1; i <= length; ++i) {
        if (part[i] != '/' && part[i] != '\0') continue;
        part[i] = '\0';
        if (mkdir(part, 0777) != 0 && errno != EEXIST) return -1;
        part[i] = path[i];
    }
    if (stat(path, &info) != 0) return -1;
    if (!S_ISDIR(info.st_mode)) {
        errno = ENOTDIR;
        return -1;
    }
    return access(path, W_OK);
}

int file_read(const char *path, int64_t limit, uint8_t **out, int64_t *n) {
    uint8_t *bytes = NULL;
    int64_t done = 0, room = 0;
    int reason = 0;
    FILE *file = fopen(path, "rb");
    if (!file) return -1;
    /* Room grows with what really comes, so that neither a pipe nor a folder needs a size. */
    while (!reason) {
        size_t got;
        if (done == room) {
            uint8_t *larger = realloc(bytes, (size_t)(room = room ? 2 * room : 1 << 16));
            if (!larger) {
                reason = ENOMEM;
                break;
            }
            bytes = larger;
        }
        errno = 0;
        got = fread(bytes + done, 1, (size_t)(room - done), file);
        if (got == 0) {
            if (ferror(file)) reason = errno ? errno : EIO;
            break;
        }
        done += (int64_t)got;
        if (done > limit) reason = EFBIG;
    }
    fclose(file);
    if (reason) {
        free(bytes);
        errno = reason;
        return -1;
    }
    *out = bytes;
    *n = done;
    return 0;
}

int file_draft_open(file_draft *draft, const char *path) {
    int n = snprintf(draft->draft_path, sizeof draft->draft_path, "%s.%ld.part", path, (long)getpid());
    if (n < 0 || (size_t)n >= sizeof draft->draft_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    strcpy(draft->path, path);
    draft->stream = fopen(draft->draft_path, "w");
    return draft->stream ? 0 : -1;
}

int file_draft_commit(file_draft *draft) {
    int failed = ferror(draft->stream) || fflush(draft->stream) != 0;
    int reason = failed ? errno : 0;
    if (fclose(draft->stream) != 0 && !failed) {
        failed = 1;
        reason = errno;
    }
    draft->stream = NULL;
    if (!failed && rename(draft->draft_path, draft->path) == 0) return 0;
    if (!failed) reason = errno;
    remove(draft->draft_path);
    errno = reason ? reason : EIO;
    return -1;
}
