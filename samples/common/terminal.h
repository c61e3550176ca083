/* What the place that output goes to can show. SPDX-License-Identifier: Apache-2.0 */
#ifndef SAMPLES_TERMINAL_H
#define SAMPLES_TERMINAL_H

#include <stdio.h>

typedef struct terminal {
    FILE *stream;
    int in_place; /* 1: a terminal that can rewrite a line */
    int colour;   /* 1: escape sequences for colours are welcome [no-color.org] */
    int utf8;     /* 1: the locale's encoding is UTF-8 */
} terminal;

void terminal_open(terminal *term, FILE *stream);
/* Columns now; the window may have been resized. */
int terminal_width(const terminal *term);

#endif
