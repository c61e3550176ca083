/* What the place that output goes to can show. SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "terminal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static int locale_is_utf8(void) {
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    size_t i;
    for (i = 0; i < sizeof names / sizeof names[0]; ++i) {
        const char *value = getenv(names[i]);
        if (value && *value) return strstr(value, "UTF-8") || strstr(value, "utf8") || strstr(value, "utf-8");
    }
    return 0;
}

void terminal_open(terminal *term, FILE *stream) {
    const char *kind = getenv("TERM"), *no_color = getenv("NO_COLOR");
    term->stream = stream;
    term->in_place = isatty(fileno(stream)) && kind && strcmp(kind, "dumb") != 0;
    term->colour = term->in_place && !(no_color && *no_color);
    term->utf8 = locale_is_utf8();
}

int terminal_width(const terminal *term) {
    struct winsize size;
    if (ioctl(fileno(term->stream), TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
    return 80;
}
