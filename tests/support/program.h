/* SPDX-License-Identifier: MIT
 *
 * program.h: runs the program `parley` of this build, as a user does, and keeps what it says.
 */
#ifndef PARLEY_TESTS_PROGRAM_H
#define PARLEY_TESTS_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct program_run {
    int status;                           /* exit status, or 128 + signal */
    char *out, *err;                      /* texts; freed by program_forget */
    size_t out_bytes, err_bytes;
};

/* The path of the program beside this test's own. */
const char *program_path(void);
/* Runs `parley words...` (one string, separated by blanks) to its end, in a plain environment (LC_ALL=C, no NO_COLOR). `before` (or NULL) is called in
 * the child before the program starts; what it returns, if not 0, is the exit status. */
struct program_run *program_run(const char *words, int (*before)(void));
void program_forget(struct program_run *);

/* Starts it and returns; its stdout and stderr go to `fd` (-1: to nowhere). */
pid_t program_start(const char *words, int fd);
/* Waits, `seconds` at most, then kills. Exit status, 128 + signal, or -1: it had to be killed. */
int program_await(pid_t, double seconds);
/* Whether text occurs, and how often. */
unsigned program_count(const char *in, const char *what);

#endif
