/* SPDX-License-Identifier: MIT
 *
 * ends.h: who sends and who receives: the kernel by sockets in a namespace, parley by a stack. Both have the same buffers, too large to ever limit. The sender has
 * always more to send; the receiver takes what comes at once.
 */
#ifndef BENCH_PATH_ENDS_H
#define BENCH_PATH_ENDS_H

#include <stdio.h>

#include "os/host/loop.h"
#include "os/host/testnet.h"

enum { ENDS_PORT = 7000, ENDS_BUFFER_BYTES = 4 << 20 };
#define ENDS_NEAR "10.9.0.1"
#define ENDS_FAR "10.9.0.2"

/* Of a sender, for people who look for reasons. */
struct end_numbers {
    uint64_t cwnd_bytes, ssthresh_bytes, in_flight_bytes, retransmits, rto_ms;
    pl_time srtt;
};

/* ---- the kernel's. Functions that can fail return false and say why. */

struct kernel_end {
    int fd, listener;                     /* -1: none */
    uint64_t got;
};
/* For a namespace whose kernel is an end. */
bool kernel_tune(const struct testnet *, int ns, char *why, size_t why_size);
bool kernel_connects(struct kernel_end *, const struct testnet *, int ns, const char *to, const char *control, char *why, size_t why_size);
bool kernel_listens(struct kernel_end *, const struct testnet *, int ns, char *why, size_t why_size);
/* When poll(2) finds something; false: the connection is over. */
bool kernel_accepts(struct kernel_end *);
bool kernel_sends(struct kernel_end *);
bool kernel_receives(struct kernel_end *);
void kernel_numbers(const struct kernel_end *, struct end_numbers *);
/* Writes what its TCP counted in this namespace, lines of a name and a number. */
void kernel_counted(const struct testnet *, int ns, FILE *to);

/* ---- parley's, which is near */

struct parley_end {
    struct host_loop loop;
    pl_stack *stack;
    struct pl_env env;
    pl_listener listener;
    pl_conn conn;
    const char *control;                  /* of the sender; NULL: we receive */
    uint64_t got;
    int error;                            /* what the connection died of */
};
/* The driver belongs to the end's loop from then on. Sends to ENDS_FAR, or waits for a connection. */
bool parley_begins(struct parley_end *, struct pl_driver *, const char *control, char *why, size_t why_size);
void parley_numbers(const struct parley_end *, struct end_numbers *);
void parley_counted(const struct parley_end *, FILE *to);            /* what it sent, and for what reasons */

#endif
