/* SPDX-License-Identifier: MIT
 *
 * net.h: what rx.c, path.c, neighbors.c, owed.c, udp.c and iface.c share, and the sizes of the tables they keep in the block:
 *
 *   s->addrs      struct addr_entry    (internet/route.h)
 *   s->routes     struct route_entry   (internet/route.h)
 *   s->neighbors  struct neighbor      (here)
 *   s->paths      struct path_entry    (internet/pmtu.h)
 *   s->udps       struct udp_sock      (stack/udp.h)
 *   s->owed       struct owed          (stack/owed.h)
 */
#ifndef STACK_NET_H
#define STACK_NET_H

#include "internet/pmtu.h"
#include "internet/route.h"
#include "link/neighbor.h"
#include "stack/owed.h"
#include "stack/stack.h"
#include "stack/udp.h"

/* A neighbour on an interface. It begins with a flow so that the one keyed table of the stack finds it too: protocol FLOW_PROTOCOL_NEIGHBOR,
 * remote its address, zone its interface plus one, everything else zero. */
struct neighbor {
    struct flow flow;
    struct nud nud;
    struct list parked;                   /* refs that wait for it, through the ready nodes */
    int32_t iface;
};
enum { FLOW_PROTOCOL_NEIGHBOR = 254 };    /* RFC 3692: never a protocol of ours */

static inline struct neighbor *neighbor_at(const pl_stack *s, uint32_t slot) { return slots_at(&s->neighbors, slot); }
uint32_t neighbor_find(const pl_stack *, int iface, const uint8_t addr[16]);      /* slot, 0: unknown */
uint32_t neighbor_make(pl_stack *, int iface, const uint8_t addr[16]);            /* found or new; 0: no room */
void neighbor_remove(pl_stack *, uint32_t slot);                                  /* what waits for it is told */
void neighbor_acts(pl_stack *, uint32_t slot, enum nud_act);                      /* does what the state machine asked for */
void neighbors_iface_gone(pl_stack *, int iface);

/* Chunks whose bytes were handed out by pl_tx and whose datagrams are done: they rest on s->spent, pinned, until the next door but pl_tx. */
void net_spend(pl_stack *, uint32_t chunk);       /* pins and gives back one that is still taken */
void net_spent_add(pl_stack *, uint32_t chunk);   /* one that was pinned, and given back since */
void net_reap(pl_stack *);                        /* pl_rx, pl_poll, pl_event_next and the UDP calls do this first */
/* pl_stack_shift_time: all times kept by the files named above, but for the deadlines in the wheel. */
void net_shift_time(pl_stack *, pl_time by);

/* tcp_rx.c: the neighbour that this parked or queued ref waited for does not answer. */
void tcp_neighbor_failed(pl_stack *, uint32_t ref);

#endif
