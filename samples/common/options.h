/* The command lines of the samples. SPDX-License-Identifier: Apache-2.0 */
#ifndef SAMPLES_OPTIONS_H
#define SAMPLES_OPTIONS_H

#include <mpt.h>

/* The value of --precision fp8. */
#define OPTIONS_FP8 MPT_F8E4M3

/* What every sample has. */
typedef struct options {
    mpt_dtype precision; /* MPT_F32, MPT_F16, MPT_BF16 or OPTIONS_FP8 */
    mpt_fp8_recipe recipe;
    const char *keep; /* patterns of layers that fp8 leaves in bf16, with commas between */
    mpt_device device;
    int64_t epochs, batch, limit;
    int64_t stop; /* 0: at the end */
    uint64_t seed;
    int32_t threads;
    int eager;
    const char *data, *out;
    const char *resume; /* NULL: start afresh */
} options;

/* An option of one sample: exactly one of the pointers is set, and *number, *real or *flag holds the default. */
typedef struct option_row {
    const char *name;
    int64_t *number;
    double *real;
    int *flag;
    double least, most; /* numbers and reals */
} option_row;

typedef struct option_set {
    const char *help; /* the sample and its options; what every sample has follows */
    int64_t epochs;   /* defaults; 0: the sample has no such option */
    int64_t batch;
    const char *data; /* NULL: the reader knows where to look */
    const char *keep; /* NULL: none */
    const option_row *rows;
    int n_rows;
} option_set;

typedef enum options_result { OPTIONS_RUN = 0, OPTIONS_HELP = 1, OPTIONS_WRONG = 2 } options_result;

/* Takes "--name value" and "--name=value". OPTIONS_HELP: the help has been printed; OPTIONS_WRONG: a message has. */
options_result options_parse(options *out, const option_set *set, int argc, char **argv);
/* The same for a main function: makes the folder of --out, and ends the process where there is nothing to run. */
options options_or_exit(const option_set *set, int argc, char **argv);

/* "f32", "f16", "bf16" or "fp8". */
const char *options_precision(const options *o);

/* Those of fashion_mnist.c. */
extern const option_set options_fashion_mnist;

#endif
