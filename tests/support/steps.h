/* SPDX-License-Identifier: MIT
 *
 * steps.h: how much work a call is, counted exactly: the instructions that the processor executes, one by one, in a copy of this process. The call
 * itself changes nothing here.
 */
#ifndef PARLEY_TESTS_STEPS_H
#define PARLEY_TESTS_STEPS_H

#include <stdbool.h>
#include <stdint.h>

/* Whether this machine lets a process trace its child. */
bool steps_possible(void);
/* Instructions of fn(user), a few hundred of the counting itself included. */
uint64_t steps_of(void (*fn)(void *user), void *user);

#endif
