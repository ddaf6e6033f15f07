/* SPDX-License-Identifier: MIT
 *
 * link.h: a point-to-point link between two interfaces. Each direction is a queue (drop-tail), a transmitter that needs bytes * 8 / rate
 * for a frame, an impairment, and a delay: in this order, so that a frame lost on the way has used its share of the rate.
 */
#ifndef SIM_LINK_H
#define SIM_LINK_H

#include "sim/impair.h"

struct sim;
struct sim_node;

struct sim_link_params {
    uint64_t rate;                        /* bits per second; 0: infinite */
    pl_time delay;                        /* propagation */
    uint64_t queue_bytes;                 /* waiting behind the frame being transmitted; 0: no limit */
    uint32_t queue_packets;               /* same */
    uint32_t mtu;                         /* of IP packet; 0: no check. Super-frames count as their segments */
    bool ethernet;                        /* frames carry an Ethernet header */
};

/* A frame that waits for the transmitter: when its own transmission starts. */
struct sim_slot {
    pl_time start;
    size_t bytes;
};

struct sim_direction {
    struct sim_node *to;
    int to_iface;
    struct impair impair;
    pl_time busy_until;
    struct sim_slot *slot;                /* a ring would be smaller; frames leave at the front, so it is compacted when half is gone */
    size_t slots, slot_first, slot_capacity;
    uint64_t waiting_bytes, frames, bytes, lost, delivered;
};

/* Side 0 and 1 are the ends; direction i goes from side i to the other. */
struct sim_link {
    struct sim *sim;
    struct sim_link_params params;
    unsigned number;                      /* in order of making */
    struct sim_node *node[2];
    int iface[2];
    struct sim_direction dir[2];
    bool down;                            /* everything is lost */
    struct impair_list scratch;
};

/* What an observer of the wire is told. */
enum sim_fate {
    SIM_SENT,                             /* it was put on the link */
    SIM_LOST,                             /* `why` says by what */
    SIM_DUPLICATED,                       /* packet->copy of it goes out as well */
    SIM_DELAYED,                          /* by `extra`, or held until others have passed (extra: PL_NEVER) */
    SIM_CORRUPTED,
    SIM_INJECTED,                         /* made by hand; it arrives later */
    SIM_ARRIVING,                         /* the receiver is about to get it */
};
struct sim_tap_event {
    enum sim_fate fate;
    pl_time now;
    const struct sim_link *link;
    unsigned from;                        /* side of the link it comes from */
    const struct packet *packet;
    pl_time extra;
    const char *why;
};
typedef void sim_tap_fn(void *user, const struct sim_tap_event *);

/* Puts a frame that the node at side `from` sent on the link; takes the packet over. */
void sim_link_send(struct sim_link *, unsigned from, struct packet *, pl_time now);
void sim_link_release(struct sim_link *, unsigned from, pl_time now);      /* impair_release, when its time has come */
struct impair *sim_link_impair(struct sim_link *, unsigned from);
/* Nanoseconds that `bytes` need at `rate` bits per second, rounded up; 0 for rate 0. Exact for up to 2^31 bytes. */
pl_time sim_transmit_ns(uint64_t bytes, uint64_t rate);
void sim_link_free(struct sim_link *);

#endif
