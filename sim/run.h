/* SPDX-License-Identifier: MIT
 *
 * run.h: a scenario played: (scenario, seed) gives the same frames on every machine, and run_digest is a number that says so.
 *
 *     struct sim_run *r = run_new(scenario, seed, why, sizeof why);
 *     ... taps and traces on r->sim and r->node[] ...
 *     run_play(r, PL_S / 10, NULL, NULL);
 *     run_goodput(r, 0), r->flow[0].retransmits, hist_permille(&r->flow[0].rtt, 500), ...
 *     run_free(r);
 *
 * What is measured is measured from the scenario's warmup on.
 */
#ifndef SIM_RUN_H
#define SIM_RUN_H

#include "sim/router.h"
#include "sim/scenario.h"

#define RUN_PORT 5001                     /* of the first flow's server; the next has 5002 */

struct run_mark {                         /* counts at the end of the warmup */
    uint64_t received, segments, retransmits, retransmitted_bytes, recoveries, time_outs, probes, undone;
};
struct run_way_mark {
    uint64_t frames, bytes, delivered, delivered_bytes, lost, lost_full, lost_codel, lost_mtu, lost_way, marked;
};

struct sim_run {
    const struct scenario *scenario;      /* the caller's, must outlive the run */
    struct sim *sim;
    struct sim_node *node[SIM_NODES_MAX]; /* as in the scenario */
    struct program *program[SIM_NODES_MAX];
    struct router router[SIM_NODES_MAX];
    struct match_kind match[SCENARIO_RULES_MAX];
    struct traffic flow[SCENARIO_FLOWS_MAX];
    struct run_mark flow_mark[SCENARIO_FLOWS_MAX];
    struct run_way_mark way_mark[SIM_LINKS_MAX][2];
    uint64_t digest;
    struct run_ear { struct sim_run *run; unsigned node; } ear[SIM_NODES_MAX];
    unsigned next_change;
    unsigned change_order[SCENARIO_CHANGES_MAX];
};

/* NULL: `why` says what the stacks refuse. */
struct sim_run *run_new(const struct scenario *, uint64_t seed, char *why, size_t size);
/* To the scenario's end, with `tick` (may be NULL) called every `every` of virtual time. False: sim_failure(r->sim) says why. */
typedef void run_tick_fn(void *user, struct sim_run *);
bool run_play(struct sim_run *, pl_time every, run_tick_fn *tick, void *user);
void run_free(struct sim_run *);

/* Bits a second that the flow's receiver got, of what counts, from its start or the end of the warmup to its end or that of the run. */
uint64_t run_goodput(const struct sim_run *, unsigned flow);
struct run_mark run_flow_counts(const struct sim_run *, unsigned flow);        /* since the warmup */
struct run_way_mark run_way_counts(const struct sim_run *, unsigned link, unsigned way);
/* Jain's index of the bulk flows' goodputs, in ten-thousandths: 10000 when all are equal; 0: there are fewer than two. */
unsigned run_fairness(const struct sim_run *);
unsigned jain(const uint64_t *value, unsigned n);

#endif
