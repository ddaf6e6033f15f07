/* SPDX-License-Identifier: MIT
 *
 * skip.h: leave a test case out, and say why.
 *
 * cmocka's skip() takes no reason; the test runner (tools/run-tests) reads it from the line printed here. A reason that speaks of TUN or of
 * namespaces is a failure where CI=true, because there both are expected to work.
 */
#ifndef PARLEY_TESTS_SKIP_H
#define PARLEY_TESTS_SKIP_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>

#define SKIP_BECAUSE(reason)                                                                                                           \
    do {                                                                                                                               \
        printf("# SKIP-REASON: %s: %s\n", __func__, (reason));                                                                         \
        fflush(stdout);                                                                                                                \
        skip();                                                                                                                        \
    } while (0)

#endif
