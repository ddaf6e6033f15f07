/* SPDX-License-Identifier: MIT
 *
 * calls_inside.h: what calls.c and calls_check.c share.
 */
#ifndef DRILL_CALLS_INSIDE_H
#define DRILL_CALLS_INSIDE_H

#include "drill/calls.h"

struct drill_form {                       /* a call, and a letter for each argument or pair: see read_arguments */
    const char *name;
    enum drill_function function;
    const char *pattern;
    bool makes_fd;
};

struct drill_reading {
    struct drill_doing *d;
    const struct drill_call *call;
    const struct drill_names *names;
    const struct drill_value *next;       /* the argument to be read */
    bool failed;
    char *error;
    size_t error_size;
};

bool calls_fail(struct drill_reading *, const char *what, ...) __attribute__((format(printf, 2, 3)));       /* false */
bool calls_number(struct drill_reading *, const struct drill_value *, int64_t *);
const struct drill_value *calls_field(const struct drill_value *of, const char *name);      /* NULL: no such field */
bool calls_option(struct drill_reading *, const struct drill_value *, uint8_t *to, size_t size, size_t *bytes);

#endif
