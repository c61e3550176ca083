/* The networks that bench/peers/networks.py has, too, parameter by parameter in the same order. */
#ifndef MPT_BENCH_MODELS_H
#define MPT_BENCH_MODELS_H

#include <mpt.h>

enum { PIXELS = 784 };

typedef enum input_kind { INPUT_VECTORS, INPUT_IMAGES, INPUT_TOKENS } input_kind;

typedef struct model {
    const char *name;
    input_kind input;
    mpt_layer *(*build)(mpt_context *ctx);
    int64_t context, symbols; /* of tokens: in a sequence, and how many there are */
} model;

const model *find_model(const char *name); /* NULL: there is none */

/* Ends the program with the message of a call that failed. */
void check(mpt_status status, const char *call);
void fail(const char *what, const char *why);
#define OK(call) check((call), #call)

#endif
