/* A sample may print and exit where something fails; the library never does. SPDX-License-Identifier: Apache-2.0 */
#ifndef SAMPLES_CHECK_H
#define SAMPLES_CHECK_H

#include <mpt.h>
#include <stdio.h>
#include <stdlib.h>

/* What a sample's process returns. */
enum { EXIT_OK = 0, EXIT_RUN_TIME = 1, EXIT_USAGE = 2 };

static inline void check_status(mpt_status status, const char *call, const char *file, int line) {
    if (status == MPT_OK) return;
    fflush(stdout);
    fprintf(stderr, "%s:%d: %s\n  %s: %s\n", file, line, call, mpt_status_name(status), mpt_last_error());
    exit(EXIT_RUN_TIME);
}

/* Runs a call of mpt; where it fails, says which call, where and why, and ends the process. */
#define CHECK(call) check_status((call), #call, __FILE__, __LINE__)

#endif
