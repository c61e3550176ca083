/* The command lines of the samples. SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "dataset.h"
#include "file.h"
#include "help.h"
#include "history.h"

typedef struct choice {
    const char *name;
    int value;
} choice;

static const choice precisions[] = {{"f32", MPT_F32}, {"f16", MPT_F16}, {"bf16", MPT_BF16}, {"fp8", OPTIONS_FP8}, {NULL, 0}};
static const choice devices[] = {{"auto", MPT_DEVICE_AUTO}, {"cpu", MPT_DEVICE_CPU}, {"cuda", MPT_DEVICE_CUDA}, {NULL, 0}};
static const choice recipes[] = {
    {"current", MPT_FP8_CURRENT}, {"delayed", MPT_FP8_DELAYED}, {"unscaled", MPT_FP8_UNSCALED}, {NULL, 0}};

const option_set options_fashion_mnist = {HELP_FASHION_MNIST, 10, 128, DATASET_FOLDER, NULL, NULL, 0};

static int parse_choice(const char *name, const char *text, const choice *choices, int *out) {
    const choice *c;
    for (c = choices; c->name; ++c) {
        if (strcmp(text, c->name) != 0) continue;
        *out = c->value;
        return 0;
    }
    fprintf(stderr, "--%s %s: the choices are", name, text);
    for (c = choices; c->name; ++c) fprintf(stderr, " %s", c->name);
    fputc('\n', stderr);
    return -1;
}

static int parse_number(const char *name, const char *text, int64_t least, int64_t most, int64_t *out) {
    char *end;
    long long value;
    errno = 0;
    value = strtoll(text, &end, 10);
    if (end == text || *end || errno || value < least || value > most) {
        fprintf(stderr, "--%s %s: a whole number from %lld to %lld is needed\n", name, text, (long long)least, (long long)most);
        return -1;
    }
    *out = value;
    return 0;
}

static int parse_real(const char *name, const char *text, double least, double most, double *out) {
    char *end;
    const double value = strtod(text, &end);
    /* Written so that NaN is refused too. */
    if (end == text || *end || !(value >= least && value <= most)) {
        fprintf(stderr, "--%s %s: a number from %g to %g is needed\n", name, text, least, most);
        return -1;
    }
    *out = value;
    return 0;
}

static int parse_path(const char *name, const char *text, const char **out) {
    if (!*text) {
        fprintf(stderr, "--%s needs a path\n", name);
        return -1;
    }
    *out = text;
    return 0;
}

/* Stores the value of an option that every sample has; returns 0, -1 after a message, or 1 where it is none of those. */
static int set_common(options *o, const option_set *set, const char *name, const char *text) {
    int64_t number = 0;
    int chosen = 0, failed;
    if (strcmp(name, "precision") == 0) {
        failed = parse_choice(name, text, precisions, &chosen);
        if (!failed) o->precision = (mpt_dtype)chosen;
    } else if (strcmp(name, "recipe") == 0) {
        failed = parse_choice(name, text, recipes, &chosen);
        if (!failed) o->recipe = (mpt_fp8_recipe)chosen;
    } else if (strcmp(name, "keep") == 0) {
        o->keep = text;
        failed = 0;
    } else if (strcmp(name, "device") == 0) {
        failed = parse_choice(name, text, devices, &chosen);
        if (!failed) o->device = (mpt_device)chosen;
    } else if (strcmp(name, "epochs") == 0 && set->epochs) {
        failed = parse_number(name, text, 1, HISTORY_MAX, &o->epochs);
    } else if (strcmp(name, "batch") == 0 && set->batch) {
        failed = parse_number(name, text, 1, 60000, &o->batch);
    } else if (strcmp(name, "limit") == 0) {
        failed = parse_number(name, text, 0, INT32_MAX, &o->limit);
    } else if (strcmp(name, "stop") == 0) {
        failed = parse_number(name, text, 0, HISTORY_MAX, &o->stop);
    } else if (strcmp(name, "seed") == 0) {
        failed = parse_number(name, text, 0, INT64_MAX, &number);
        o->seed = (uint64_t)number;
    } else if (strcmp(name, "threads") == 0) {
        failed = parse_number(name, text, 0, 1024, &number);
        o->threads = (int32_t)number;
    } else if (strcmp(name, "data") == 0) {
        failed = parse_path(name, text, &o->data);
    } else if (strcmp(name, "out") == 0) {
        failed = parse_path(name, text, &o->out);
    } else if (strcmp(name, "resume") == 0) {
        failed = parse_path(name, text, &o->resume);
    } else {
        failed = 1;
    }
    return failed;
}

static const option_row *find_row(const option_set *set, const char *name) {
    int i;
    for (i = 0; i < set->n_rows; ++i) {
        if (strcmp(set->rows[i].name, name) == 0) return &set->rows[i];
    }
    return NULL;
}

static int set_row(const option_row *row, const char *text) {
    if (row->number) return parse_number(row->name, text, (int64_t)row->least, (int64_t)row->most, row->number);
    return parse_real(row->name, text, row->least, row->most, row->real);
}

/* Is there an option of that name that takes a value? */
static int takes_value(const option_set *set, const char *name) {
    static const char *const names[] = {"precision", "recipe", "keep", "device", "limit", "stop", "seed", "threads", "data", "out", "resume"};
    const option_row *row = find_row(set, name);
    size_t i;
    if (row) return !row->flag;
    for (i = 0; i < sizeof names / sizeof names[0]; ++i) {
        if (strcmp(name, names[i]) == 0) return 1;
    }
    return (set->epochs && strcmp(name, "epochs") == 0) || (set->batch && strcmp(name, "batch") == 0);
}

options_result options_parse(options *out, const option_set *set, int argc, char **argv) {
    options o = {.precision = MPT_F32, .recipe = MPT_FP8_CURRENT, .device = MPT_DEVICE_AUTO, .out = "demo-output"};
    int i;
    o.epochs = set->epochs;
    o.batch = set->batch;
    o.data = set->data;
    o.keep = set->keep ? set->keep : "";
    for (i = 1; i < argc; ++i) {
        char name[16];
        const char *equals = strchr(argv[i], '='), *value;
        const size_t length = equals ? (size_t)(equals - argv[i]) : strlen(argv[i]);
        const int is_option = strncmp(argv[i], "--", 2) == 0 && length - 2 < sizeof name;
        const option_row *row;
        snprintf(name, sizeof name, "%.*s", is_option ? (int)length - 2 : 0, argv[i] + (is_option ? 2 : 0));
        row = find_row(set, name);
        if (!equals && (strcmp(name, "help") == 0 || strcmp(argv[i], "-h") == 0)) {
            fputs(set->help, stdout);
            fputs(HELP_COMMON, stdout);
            return OPTIONS_HELP;
        }
        if (!equals && strcmp(name, "eager") == 0) {
            o.eager = 1;
            continue;
        }
        if (!equals && row && row->flag) {
            *row->flag = 1;
            continue;
        }
        if (!takes_value(set, name)) {
            fprintf(stderr, "%s: no such option; --help lists them\n", argv[i]);
            return OPTIONS_WRONG;
        }
        if (!equals && i + 1 == argc) {
            fprintf(stderr, "--%s needs a value; --help shows which\n", name);
            return OPTIONS_WRONG;
        }
        value = equals ? equals + 1 : argv[++i];
        if ((row ? set_row(row, value) : set_common(&o, set, name, value)) != 0) return OPTIONS_WRONG;
    }
    *out = o;
    return OPTIONS_RUN;
}

options options_or_exit(const option_set *set, int argc, char **argv) {
    options o = {.precision = MPT_F32};
    switch (options_parse(&o, set, argc, argv)) {
        case OPTIONS_HELP:
            exit(EXIT_OK);
        case OPTIONS_WRONG:
            exit(EXIT_USAGE);
        case OPTIONS_RUN:
            break;
    }
    if (file_make_folder(o.out) != 0) {
        fprintf(stderr, "--out %s: ", o.out);
        perror("the folder cannot be made or written");
        exit(EXIT_RUN_TIME);
    }
    return o;
}

const char *options_precision(const options *o) {
    return o->precision == OPTIONS_FP8 ? "fp8" : mpt_dtype_name(o->precision);
}
