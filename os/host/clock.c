/* SPDX-License-Identifier: MIT
 *
 * clock.c: see clock.h.
 */
#include "os/host/clock.h"

#include <time.h>

pl_time host_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (pl_time)t.tv_sec * PL_S + (pl_time)t.tv_nsec;
}
