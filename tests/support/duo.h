/* SPDX-License-Identifier: MIT
 *
 * duo.h: two stacks on one link without delay, for tests that look into the core:
 *
 *     host 0: 192.0.2.1, 2001:db8::1        host 1: 192.0.2.2, 2001:db8::2
 *
 * and either of them alone, with its peer played by hand (forge.h).
 */
#ifndef PARLEY_TESTS_DUO_H
#define PARLEY_TESTS_DUO_H

#include "support/block.h"
#include "support/forge.h"

enum { DUO_FRAME_BYTES = 2200 };

struct duo {
    pl_stack *s[2];
    struct pl_env env[2];
    pl_time now;
    bool cut[2];                          /* what host n sends is lost */
    uint32_t frames[2];                   /* sent by host n so far */
};

/* Small tables, no timestamps, invariants checked; for tests to change. The seed is fixed. */
struct pl_config duo_config(void);
/* config NULL: duo_config(). Ethernet: with ARP and Neighbour Discovery. */
void duo_init(struct duo *, const struct pl_config *, bool ethernet);
void duo_free(struct duo *);              /* asserts nothing */

struct pl_endpoint duo_endpoint(unsigned host, bool ipv6, uint16_t port);
pl_listener duo_listen(struct duo *, unsigned host, uint16_t port, uint32_t backlog);
pl_conn duo_connect(struct duo *, unsigned from, bool ipv6, uint16_t port);
/* A whole handshake between host 0 (first) and a listener of host 1. */
void duo_open(struct duo *, bool ipv6, uint16_t port, pl_conn both[2]);

/* Frames go to and fro until neither host has anything to say at this time. */
void duo_exchange(struct duo *);
/* Time passes, from deadline to deadline, with exchanges. */
void duo_run(struct duo *, pl_time by);
void duo_drain_events(struct duo *);
/* The bits of the events of this handle that wait at the host; all events of the host are taken. */
uint32_t duo_events(struct duo *, unsigned host, pl_handle);

/* By hand. Takes the next frame out of host n at d->now (flattened into `frame`); 0: nothing to say. */
size_t duo_take(struct duo *, unsigned host, uint8_t frame[DUO_FRAME_BYTES]);
void duo_give(struct duo *, unsigned host, const uint8_t *frame, size_t bytes);
/* The same with segments; duo_take_segment lets frames that are not TCP pass by. `text` is not kept. */
bool duo_take_segment(struct duo *, unsigned host, struct forged *);
void duo_give_segment(struct duo *, unsigned host, const struct forged *);

/* A receiver's right edge, as it is and as the segments tell it. All zero: nothing was seen yet. */
struct right_edge {
    uint32_t edge, told;                  /* the true one, and the rightmost that was announced */
    bool open;
};
/* Its connection, right after it has sent this segment. What is announced never lies left of what was announced, but for rounding by the scale, and the true edge
 * never moves left at all: SHLD-14. */
void right_edge_stays(struct right_edge *, const struct pl_tcp_status *, const struct forged *);

#endif
