/* SPDX-License-Identifier: MIT
 *
 * world.h: the deterministic network. A run is (scenario, seed): virtual time, one queue of what happens next, dice of its own. Nothing in
 * it depends on the machine, on addresses of memory or on the hour, so the same run gives the same bytes everywhere.
 *
 * The loop of a host, as parley.h has it: pl_tx on every interface until 0, all events to the program, again until both give nothing; then
 * sleep until pl_deadline. After a frame was taken, pl_poll fires what is due at this instant. Then the loop is entered at the events: what
 * arrived is told to the program before anything is sent, so an answer that the program gives at once carries the acknowledgement with it
 * (`tx_first` enters it at pl_tx).
 *
 * The world asserts what the core promises at the end of the loop: pl_deadline() > now. A stack that breaks it, or that does not come to
 * rest at one instant, ends the run with a sentence saying who spins and with what (sim_failure).
 */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include "sim/link.h"
#include "sim/node.h"
#include "sim/queue.h"

#define SIM_NODES_MAX 64
#define SIM_LINKS_MAX 64
#define SIM_TAPS_MAX 8

struct sim {
    pl_time now;
    uint64_t seed;
    struct queue queue;
    struct sim_node *node[SIM_NODES_MAX];
    unsigned nodes;
    struct sim_link *link[SIM_LINKS_MAX];
    unsigned links;
    sim_tap_fn *tap[SIM_TAPS_MAX];
    void *tap_user[SIM_TAPS_MAX];
    unsigned taps;
    uint64_t packets, steps;
    uint64_t instant_steps;               /* steps since the clock last moved */
    bool tx_first;                        /* see above */
    uint64_t spin_limit;                  /* frames and events of one host, or steps of the world, at one instant */
    char failure[600];                    /* "": none */
};

enum sim_end {
    SIM_IDLE,                             /* nothing will ever happen again */
    SIM_BOUND,                            /* the given time has come */
    SIM_FAILED,                           /* see sim_failure */
};

struct sim *sim_new(uint64_t seed);
void sim_free(struct sim *);              /* with nodes, links, packets */
struct sim_node *sim_add_node(struct sim *, const char *name, const struct sim_node_ops *ops, void *machine);
/* A host with a pl_stack (config NULL: the default). NULL if the config is out of range. */
struct sim_node *sim_add_host(struct sim *, const char *name, const struct pl_config *);
/* Connects interface ia of a and ib of b. Side 0 is a's. */
struct sim_link *sim_add_link(struct sim *, const struct sim_link_params *, struct sim_node *a, int ia, struct sim_node *b, int ib);

/* Two hosts on a new link, each with a new interface that carries the given addresses: a PL_LINK_IP link, or an Ethernet if `ethernet`
 * with MACs made from the nodes' numbers (02:00:00:00:00:01, ...). An address left zero is not configured. Prefixes: /24 and /64.
 * Returns NULL with sim_failure set if the stack refuses. */
struct sim_hosts_params {
    struct sim_link_params link;          /* mtu 0: 1500 on the interfaces */
    struct pl_addr v4[2], v6[2];
    uint32_t gso_bytes;
    bool csum_offload;
};
struct sim_link *sim_connect_hosts(struct sim *, struct sim_node *a, struct sim_node *b, const struct sim_hosts_params *);

void sim_tap(struct sim *, sim_tap_fn *, void *user);
void sim_tap_tell(struct sim *, const struct sim_tap_event *);
/* Calls fn(sim, user) at `at`, before anything put in later for the same time. All stacks have the new time then. */
void sim_at(struct sim *, pl_time at, void (*fn)(struct sim *, void *user), void *user);
/* A hand-made frame (an old duplicate, a forgery) arrives at the node on side `to` of the link at time `at`. The bytes are copied. */
void sim_inject(struct sim_link *, unsigned to, const void *bytes, size_t len, pl_time at);

/* One thing happens. false: nothing left, or failed. */
bool sim_step(struct sim *);
/* Everything up to and including `t` happens; now is t then. */
enum sim_end sim_run_until(struct sim *, pl_time t);
/* Runs until nothing is pending, or everything up to and including `bound` has happened. When idle, now is the time of the last thing that
 * happened, not `bound`. */
enum sim_end sim_run_idle(struct sim *, pl_time bound);
/* When the next thing happens of itself; PL_NEVER: nothing will. For who runs the world by a clock of his own. */
pl_time sim_next(struct sim *);
/* What went wrong; NULL: nothing. */
const char *sim_failure(const struct sim *);
void sim_fail(struct sim *, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Lets a host act on what the program just asked of its stack. sim_run and sim_step do it for all, so this is seldom needed. */
void sim_settle(struct sim_node *);

#endif
