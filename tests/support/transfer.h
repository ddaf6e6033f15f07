/* SPDX-License-Identifier: MIT
 *
 * transfer.h: bytes between us and the kernel, each of which depends on its place in the stream and is looked at on arrival.
 */
#ifndef PARLEY_TESTS_TRANSFER_H
#define PARLEY_TESTS_TRANSFER_H

#include "support/rig.h"

/* The stream: 8 bytes at a time are a hash of their place. */
void transfer_fill(uint64_t at, void *bytes, size_t n);
/* The place in the stream of the first byte that is not as it should be; at + n: all are right. */
uint64_t transfer_check(uint64_t at, const void *bytes, size_t n);

struct transfer {
    struct rig *rig;
    int version;
    bool to_kernel;                       /* we are the client and send; else we are the server and receive */
    uint64_t bytes;                       /* how many */
    /* the state of it */
    uint64_t sent, got;
    pl_listener listener;
    pl_conn conn;
    int kernel_listener, fd;              /* the kernel's; -1: not open */
    bool ours_closed;                     /* the handle was given back after the stream ended as it should */
    int error;                            /* what our connection died of */
    uint32_t event_bits;                  /* every bit that an event of it had */
};

/* Starts it. The rig's on_event and user are taken over. */
void transfer_begin(struct transfer *, struct rig *, int version, bool to_kernel, uint64_t bytes);
bool transfer_done(void *transfer);
/* Closes what is still open. */
void transfer_end(struct transfer *);
/* All of it: begin, run until done and nothing is left, end. Fails the case, with what each side says, if it does not get there. */
void transfer_run(struct rig *, int version, bool to_kernel, uint64_t bytes);

#endif
