/* The command line of the Fashion-MNIST sample. SPDX-License-Identifier: Apache-2.0 */
#ifndef SAMPLES_OPTIONS_H
#define SAMPLES_OPTIONS_H

#include <mpt.h>

typedef struct options {
    mpt_dtype precision;
    mpt_device device;
    int64_t epochs, batch, limit;
    uint64_t seed;
    int32_t threads;
    int eager;
    const char *data, *out;
    const char *resume; /* NULL: start afresh */
} options;

typedef enum options_result { OPTIONS_RUN = 0, OPTIONS_HELP = 1, OPTIONS_WRONG = 2 } options_result;

/* Takes "--name value" and "--name=value". OPTIONS_HELP: the help has been printed; OPTIONS_WRONG: a message has. */
options_result options_parse(options *out, int argc, char **argv);

#endif
