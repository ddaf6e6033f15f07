/* SPDX-License-Identifier: MIT
 *
 * node.h: a host of the simulation: a stack with its block of memory, its interfaces, and the program that runs on it.
 *
 * What the world needs of a stack is five functions. Those of a pl_stack are the default; a test may put a machine of its own in their
 * place.
 */
#ifndef SIM_NODE_H
#define SIM_NODE_H

#include "sim/link.h"
#include <parley/parley.h>

struct sim_node;

struct sim_node_ops {                     /* as pl_rx, pl_tx, pl_poll, pl_deadline, pl_event_next */
    int (*rx)(struct sim_node *, int iface, const struct pl_frame *, size_t n, pl_time now);
    int (*tx)(struct sim_node *, int iface, struct pl_frame *, size_t n, pl_time now);
    void (*poll)(struct sim_node *, pl_time now);
    pl_time (*deadline)(const struct sim_node *);
    bool (*event_next)(struct sim_node *, struct pl_event *);
};
extern const struct sim_node_ops sim_stack_ops;

#define SIM_IFACES_MAX 8
#define SIM_SINKS_MAX 8

struct sim_node {
    struct sim *sim;
    const struct sim_node_ops *ops;
    char name[16];
    unsigned number;                      /* in order of making */
    void *machine;                        /* of the ops, when they are not the stack's */

    pl_stack *stack;
    void *block, *memory;                 /* memory: what was allocated; the block lies in it */
    size_t block_bytes;
    struct pl_config config;
    struct pl_env env;

    /* The program. Callbacks may call the stack and the sim_node_ functions, not sim_run. `user` is theirs. */
    void (*on_event)(struct sim_node *, const struct pl_event *);
    void (*on_time)(struct sim_node *);   /* as asked for with sim_node_wake */
    void *user;

    struct sim_link *link[SIM_IFACES_MAX];/* by interface number */
    unsigned link_side[SIM_IFACES_MAX];
    unsigned ifaces;

    pl_trace_fn *sink[SIM_SINKS_MAX];
    void *sink_user[SIM_SINKS_MAX];
    unsigned sinks;

    pl_time wake_at, timer_at;            /* when, PL_NEVER: not */
    /* A wake that is put off keeps its item in the queue, which is put back when its time has come: each acknowledgement puts one off. */
    pl_time wake_item_at;                 /* of the item that stands in the queue; PL_NEVER: none */
    uint64_t wake_order;                  /* what the item should have */
    uint64_t wake_generation, timer_generation;
    bool dead;                            /* switched off: takes and gives nothing (a crashed host) */
};

/* Asks for on_time at `at` (once; a later call replaces it; PL_NEVER takes it back). */
void sim_node_wake(struct sim_node *, pl_time at);
/* Another reader of the node's trace. Their order is that of adding. At most SIM_SINKS_MAX; more end the program. */
void sim_node_trace(struct sim_node *, pl_trace_fn *, void *user);
/* Switches the host off or on again, with its memory as it was. Frames for a dead host are lost. */
void sim_node_power(struct sim_node *, bool on);
void sim_node_free(struct sim_node *);

/* Makes node->stack in a new block. `config`: NULL for the default; a zero seed is filled from the world's. Returns 0 or PL_E*. */
int sim_node_stack(struct sim_node *, const struct pl_config *config);

#endif
