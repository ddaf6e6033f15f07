/* SPDX-License-Identifier: MIT
 *
 * clock.h: the time of this machine, for the doors of the stack.
 */
#ifndef OS_HOST_CLOCK_H
#define OS_HOST_CLOCK_H

#include <parley/types.h>

/* CLOCK_MONOTONIC in nanoseconds: never goes backwards, and stands still while the machine sleeps. */
pl_time host_now(void);
/* CLOCK_REALTIME: nanoseconds since 1970, for files that others read. */
pl_time host_wall_clock(void);

#endif
