/* SPDX-License-Identifier: MIT
 *
 * scan.h: reading a script character by character: blanks and comments, words, numbers, times. The first mistake is kept, with its line; after it every
 * reader gives nothing, so that callers need to look once.
 */
#ifndef DRILL_SCAN_H
#define DRILL_SCAN_H

#include "drill/script.h"

struct scan {
    const char *name, *at, *end;
    int line;
    const char *last, *blank;             /* the end of the last thing read; the end of the blanks after it */
    int last_line;
    bool failed;
    char *error;
    size_t error_size;
    void **memory;                        /* chain of blocks, for drill_free */
};

void *scan_keep(struct scan *, size_t bytes);                 /* zeroed, the script's; out of memory is a mistake like any other */
const char *scan_keep_text(struct scan *, const char *from, size_t bytes);
void scan_fail(struct scan *, const char *what, ...) __attribute__((format(printf, 2, 3)));
void scan_blank(struct scan *);                               /* skips blanks, line ends, comments */
bool scan_same_line(struct scan *);                           /* is there more on the line on which the last thing ended? */
bool scan_done(struct scan *);                                /* nothing but blanks is left */
char scan_peek(struct scan *);                                /* the next character after blanks, 0 at the end */
bool scan_sees(struct scan *, const char *what);              /* is `what` next? Nothing is taken */
bool scan_takes(struct scan *, const char *what);             /* takes it if it is next; a word only as a whole */
void scan_wants(struct scan *, const char *what);             /* ... and it is a mistake if it is not */
const char *scan_word(struct scan *);                         /* letters, digits, '_', beginning with a letter or '_'; NULL: something else is next */
bool scan_number(struct scan *, int64_t *);                   /* decimal or 0x; false: none is next */
int64_t scan_want_number(struct scan *, const char *what);
uint32_t scan_want_u32(struct scan *, const char *what);      /* 0 .. 2^32 - 1 */
bool scan_seconds(struct scan *, int64_t *us);                /* "1", ".25", "0.000123": to microseconds */
const char *scan_until(struct scan *, const char *end, const char *what);    /* raw text up to `end`, which is taken */

#endif
