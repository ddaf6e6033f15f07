/* SPDX-License-Identifier: MIT
 *
 * loopback.h: this kernel's own TCP over `lo`, to compare with: a child in a network namespace of its own, which holds both ends and measures on
 * request. Its CPU time holds the system calls and all that the kernel does for both ends: over `lo` that happens in the caller's time.
 */
#ifndef BENCH_LOOPBACK_H
#define BENCH_LOOPBACK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct loopback {
    pid_t child;                          /* ends with us */
    int ask, answer;                      /* pipes */
};
enum loopback_what { LOOPBACK_TURN, LOOPBACK_CYCLE };    /* a byte there and back; a connection: open, a byte each way, close */

/* Before the process is large. False: `why` says what forbids it. */
bool loopback_open(struct loopback *, char *why, size_t why_size);
double loopback_ns(struct loopback *, enum loopback_what, unsigned times);      /* CPU time of one; 0: it failed */
void loopback_close(struct loopback *);

#endif
