/* The command line of the Fashion-MNIST sample. SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataset.h"
#include "help.h"
#include "history.h"

typedef struct choice {
    const char *name;
    int value;
} choice;

static const choice precisions[] = {{"f32", MPT_F32}, {"f16", MPT_F16}, {"bf16", MPT_BF16}, {NULL, 0}};
static const choice devices[] = {{"auto", MPT_DEVICE_AUTO}, {"cpu", MPT_DEVICE_CPU}, {"cuda", MPT_DEVICE_CUDA}, {NULL, 0}};

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

/* Stores the value of an option; returns 0, or -1 after a message. */
static int set_value(options *o, const char *name, const char *text) {
    int64_t number = 0;
    int chosen = 0, failed;
    if (strcmp(name, "precision") == 0) {
        failed = parse_choice(name, text, precisions, &chosen);
        if (!failed) o->precision = (mpt_dtype)chosen;
    } else if (strcmp(name, "device") == 0) {
        failed = parse_choice(name, text, devices, &chosen);
        if (!failed) o->device = (mpt_device)chosen;
    } else if (strcmp(name, "epochs") == 0) {
        failed = parse_number(name, text, 1, HISTORY_MAX, &o->epochs);
    } else if (strcmp(name, "batch") == 0) {
        failed = parse_number(name, text, 1, 60000, &o->batch);
    } else if (strcmp(name, "limit") == 0) {
        failed = parse_number(name, text, 0, INT32_MAX, &o->limit);
    } else if (strcmp(name, "seed") == 0) {
        failed = parse_number(name, text, 0, INT64_MAX, &number);
        o->seed = (uint64_t)number;
    } else if (strcmp(name, "threads") == 0) {
        failed = parse_number(name, text, 0, 1024, &number);
        o->threads = (int32_t)number;
    } else {
        if (strcmp(name, "data") == 0)
            o->data = text;
        else if (strcmp(name, "out") == 0)
            o->out = text;
        else
            o->resume = text;
        failed = *text ? 0 : -1;
        if (failed) fprintf(stderr, "--%s needs a path\n", name);
    }
    return failed;
}

static int takes_value(const char *name) {
    static const char *const names[] = {"precision", "device",  "epochs", "batch", "limit",
                                        "seed",      "threads", "data",   "out",   "resume"};
    size_t i;
    for (i = 0; i < sizeof names / sizeof names[0]; ++i) {
        if (strcmp(name, names[i]) == 0) return 1;
    }
    return 0;
}

options_result options_parse(options *out, int argc, char **argv) {
    options o = {MPT_F32, MPT_DEVICE_AUTO, 10, 128, 0, 0, 0, 0, DATASET_FOLDER, "demo-output", NULL};
    int i;
    for (i = 1; i < argc; ++i) {
        char name[16];
        const char *equals = strchr(argv[i], '='), *value;
        const size_t length = equals ? (size_t)(equals - argv[i]) : strlen(argv[i]);
        const int is_option = strncmp(argv[i], "--", 2) == 0 && length - 2 < sizeof name;
        snprintf(name, sizeof name, "%.*s", is_option ? (int)length - 2 : 0, argv[i] + (is_option ? 2 : 0));
        if (!equals && (strcmp(name, "help") == 0 || strcmp(argv[i], "-h") == 0)) {
            fputs(help_text, stdout);
            return OPTIONS_HELP;
        }
        if (!equals && strcmp(name, "eager") == 0) {
            o.eager = 1;
            continue;
        }
        if (!takes_value(name)) {
            fprintf(stderr, "%s: no such option; --help lists them\n", argv[i]);
            return OPTIONS_WRONG;
        }
        if (!equals && i + 1 == argc) {
            fprintf(stderr, "--%s needs a value; --help shows which\n", name);
            return OPTIONS_WRONG;
        }
        value = equals ? equals + 1 : argv[++i];
        if (set_value(&o, name, value) != 0) return OPTIONS_WRONG;
    }
    *out = o;
    return OPTIONS_RUN;
}
