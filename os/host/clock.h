/* SPDX-License-Identifier: MIT
 *
 * clock.h: the time of this machine, for the doors of the stack.
 */
#ifndef OS_HOST_CLOCK_H
#define OS_HOST_CLOCK_H

#include <parley/types.h>

/* CLOCK_MONOTONIC in nanoseconds: never goes backwards, and stands still while the machine sleeps. */
pl_time host_now(void);

#endif
