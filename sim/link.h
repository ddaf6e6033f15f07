/* SPDX-License-Identifier: MIT
 *
 * link.h: a point-to-point link between two interfaces. Each direction is a queue (drop-tail or CoDel), a transmitter that needs bytes * 8 / rate
 * for a frame, an impairment, and a delay: in this order, so that a frame lost on the way has used its share of the rate.
 *
 * Jitter is drawn for each frame, evenly from 0 to `jitter`, and added to the delay. Frames do not overtake each other by it, nor when the delay is made shorter, unless
 * jitter_reorders: one that would arrive before its forerunner arrives with it.
 */
#ifndef SIM_LINK_H
#define SIM_LINK_H

#include "sim/codel.h"
#include "sim/hist.h"
#include "sim/impair.h"

struct sim;
struct sim_node;

enum sim_queue_kind { SIM_DROP_TAIL, SIM_CODEL };

struct sim_link_params {
    uint64_t rate;                        /* bits per second; 0: infinite */
    pl_time delay, jitter;                /* propagation */
    uint64_t queue_bytes;                 /* waiting behind the frame being transmitted; 0: no limit */
    uint32_t queue_packets;               /* same */
    uint32_t mtu;                         /* of IP packet; 0: no check. Super-frames count as their segments */
    pl_time codel_target, codel_interval; /* 0: 5 ms, 100 ms */
    uint8_t queue;                        /* enum sim_queue_kind */
    bool ecn;                             /* CoDel marks where it may instead of dropping */
    bool jitter_reorders;
    bool ethernet;                        /* frames carry an Ethernet header; of the whole link */
};

struct sim_direction {
    struct sim_node *to;
    int to_iface;
    struct sim_link_params params;
    struct impair impair;
    struct fifo fifo;                     /* waiting for the transmitter */
    struct fifo way;                      /* under way, those that arrive in order: the first stands in the world's queue, the others come there after it */
    struct codel codel;
    struct sim_prng jitter;
    pl_time busy_until, last_arrival;
    bool start_pending;                   /* a SIM_START stands in the world's queue, for busy_until or before */
    bool down;                            /* everything that is sent is lost */
    uint64_t frames, bytes, delivered, delivered_bytes;
    uint64_t lost, lost_full, lost_codel, lost_mtu, lost_way, marked;    /* lost: of all kinds */
    uint32_t fullest;                     /* frames that waited at one time, at most */
    struct hist wait;                     /* ns from coming to the queue to the start of transmission */
};

/* Side 0 and 1 are the ends; direction i goes from side i to the other. */
struct sim_link {
    struct sim *sim;
    struct sim_link_params params;        /* as given */
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
    SIM_CHANGED,                          /* its headers, on the way; `why` says what */
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
/* From now on, for one direction. What is being transmitted or under way is not touched; what waits follows the new numbers. */
void sim_link_set(struct sim_link *, unsigned from, const struct sim_link_params *);
void sim_link_start(struct sim_link *, unsigned from, pl_time now);        /* the transmitter is free, when its time has come */
void sim_link_enter(struct sim_link *, unsigned from, struct packet *, pl_time now);    /* the frame's not_before has come */
void sim_link_arrived(struct sim_link *, unsigned from);                   /* the first of those under way in order leaves the way */
void sim_link_release(struct sim_link *, unsigned from, pl_time now);      /* impair_release, when its time has come */
struct impair *sim_link_impair(struct sim_link *, unsigned from);
/* Nanoseconds that `bytes` need at `rate` bits per second, rounded up; 0 for rate 0. Exact for up to 2^31 bytes. */
pl_time sim_transmit_ns(uint64_t bytes, uint64_t rate);
void sim_link_free(struct sim_link *);

#endif
