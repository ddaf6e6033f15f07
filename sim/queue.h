/* SPDX-License-Identifier: MIT
 *
 * queue.h: what is going to happen, ordered by time, and at equal times by the order in which it was put in. That second key is what makes
 * a run the same on every machine. A binary heap.
 */
#ifndef SIM_QUEUE_H
#define SIM_QUEUE_H

#include "sim/packet.h"

struct sim;
struct sim_node;
struct sim_link;

enum sim_what {
    SIM_DELIVER,                          /* packet arrives at side `side` of link */
    SIM_ENTER,                            /* packet may leave its host and comes to the link's queue */
    SIM_START,                            /* the transmitter of that direction is free */
    SIM_RELEASE,                          /* the impairment of that direction wants its time */
    SIM_WAKE,                             /* node's stack has something due; void unless `generation` is still the node's */
    SIM_TIMER,                            /* node's program asked for it; same */
    SIM_CALL,                             /* fn(sim, user) */
};

struct sim_item {
    pl_time at;
    uint64_t order;
    uint8_t what;                         /* enum sim_what */
    uint8_t side;
    bool in_order;                        /* SIM_DELIVER: the first of those under way in order (link.h); the others wait behind it */
    uint64_t generation;
    struct sim_node *node;
    struct sim_link *link;
    struct packet *packet;
    void (*fn)(struct sim *, void *user);
    void *user;
};

struct queue {
    struct sim_item *heap;
    size_t n, capacity;
    uint64_t order;
};

void queue_put(struct queue *, const struct sim_item *);    /* sets `order` */
/* For what comes to the queue later than it was decided: its place among what happens at the same time is taken now, and used then. */
uint64_t queue_order(struct queue *);
void queue_put_ordered(struct queue *, const struct sim_item *);    /* with its `order` */
const struct sim_item *queue_first(const struct queue *);   /* NULL: empty */
bool queue_take(struct queue *, struct sim_item *);
void queue_free(struct queue *);                            /* and the packets in it, but for those that a link has as well (in_order) */

#endif
