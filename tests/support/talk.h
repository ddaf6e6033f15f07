/* SPDX-License-Identifier: MIT
 *
 * talk.h: one connection between us and the kernel on a rig, in either role: opened, looked at from both ends, used, closed. A failure says what
 * each end thinks of it.
 */
#ifndef PARLEY_TESTS_TALK_H
#define PARLEY_TESTS_TALK_H

#include <linux/tcp.h>

#include "support/transfer.h"

enum { TALK_PORT = 7010 };                /* where we listen */
/* The kernel's numbers of states, as in tcp_info and /proc/net/tcp. */
enum { TALK_K_ESTABLISHED = 1, TALK_K_SYN_SENT, TALK_K_SYN_RECV, TALK_K_FIN_WAIT1, TALK_K_FIN_WAIT2, TALK_K_TIME_WAIT, TALK_K_CLOSE, TALK_K_CLOSE_WAIT,
       TALK_K_LAST_ACK, TALK_K_LISTEN, TALK_K_CLOSING };

struct talk {
    struct rig *rig;
    int version;
    bool client;                          /* we are */
    pl_listener listener;
    pl_conn conn;
    int kernel_listener, fd;
    uint16_t kernel_port;                 /* of the kernel's end */
    uint64_t sent, got, total;            /* of the stream under way */
};

/* Each role, over IPv4 and IPv6: the body sees `version` and `client`. */
#define TALK_EACH_ROLE_AND_VERSION for (int i_ = 0, version = 4, client = 0; i_ < 4; i_++, version = i_ & 1 ? 6 : 4, client = i_ >> 1)

struct talk talk_open(struct rig *, int version, bool client);
/* Begins only: the SYN is not sent before the loop runs (client), or was sent by the kernel. */
void talk_begin(struct talk *, uint16_t our_port, uint16_t kernel_port);
/* The next connection of the same listener. our_port, kernel_port: 0: whichever. */
void talk_again(struct talk *, uint16_t our_port, uint16_t kernel_port);
void talk_becomes_open(struct talk *);    /* runs until both ends have it; fails the case if they do not */
void talk_close(struct talk *);           /* whatever is left; then nothing is left on our side */

struct pl_tcp_status talk_status(const struct talk *);
struct tcp_info talk_info(const struct talk *);
uint16_t talk_port_of(int fd);
bool talk_has_error(void *talk);          /* ours has */
int talk_kernel_error(const struct talk *);                         /* SO_ERROR, which is cleared by it */
uint64_t talk_sent_because(const struct rig *, enum pl_reason);     /* frames that we sent for this reason so far */
uint64_t talk_drops(const struct rig *, enum pl_drop);
/* Runs until both are in these states; kernels -1: whatever. Fails the case if they do not get there. */
void talk_meets(struct talk *, enum pl_state ours, int kernels);

/* Streams: t->total bytes; the writers are called until it is done. They write and read as much as there is room or text for. */
extern uint8_t talk_buffer[256 << 10];
void talk_we_write(struct talk *);
void talk_kernel_writes(struct talk *);
bool talk_to_kernel(void *talk);
bool talk_from_kernel(void *talk);
void talk_stream(struct talk *, rig_done_fn *way, uint64_t bytes);

#endif
