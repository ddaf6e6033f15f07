/* SPDX-License-Identifier: MIT
 *
 * clock.c: see clock.h.
 */
#include "os/host/clock.h"

#include <time.h>

static pl_time ask(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (pl_time)t.tv_sec * PL_S + (pl_time)t.tv_nsec;
}

pl_time host_now(void)
{
    return ask(CLOCK_MONOTONIC);
}

pl_time host_wall_clock(void)
{
    return ask(CLOCK_REALTIME);
}
