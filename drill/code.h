/* SPDX-License-Identifier: MIT
 *
 * code.h: what stands between %{ and }% in a script: assertions about TCP_INFO, in the small part of Python that such lines are written in.
 *
 *     assert tcpi_snd_cwnd == 10, tcpi_snd_cwnd
 *     assert 0 < tcpi_rtt < 20000 and not (tcpi_options & TCPI_OPT_ECN)
 *     print(tcpi_rto)
 *
 * Numbers, names, + - * / // % << >> & | ^ ~ < <= == != > >= (chained), and or not, abs min max, brackets; a line each, # to its end. What else Python has is
 * refused with its line, never ignored.
 */
#ifndef DRILL_CODE_H
#define DRILL_CODE_H

#include <stdbool.h>
#include <stddef.h>

typedef bool drill_lookup(void *user, const char *name, double *value);
typedef void drill_say(void *user, const char *text);         /* what print says */

/* Runs the lines of `code`, which begins on line `line` of `script`. False: an assertion does not hold, or the code is not understood: error says which and where. */
bool drill_code_run(const char *script, int line, const char *code, drill_lookup *, drill_say *, void *user, char *error, size_t error_size);

#endif
