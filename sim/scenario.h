/* SPDX-License-Identifier: MIT
 *
 * scenario.h: a network and what happens in it, as text. One statement a line, # begins a remark; docs/scenarios.md is the tour.
 *
 *     time 30s
 *     host a
 *     host b
 *     router r
 *     link a r rate=1Gbit delay=1ms
 *     link r b rate=10Mbit delay=20ms queue=64
 *     impair r>b loss chance=0.1%
 *     at 10s r<>b delay=100ms
 *     flow a b bulk
 */
#ifndef SIM_SCENARIO_H
#define SIM_SCENARIO_H

#include "sim/settings.h"
#include "sim/traffic.h"

#define SCENARIO_RULES_MAX 128
#define SCENARIO_CHANGES_MAX 256
#define SCENARIO_FLOWS_MAX 64

struct scenario_host {                    /* what a line `host` may set */
    uint64_t sndbuf, rcvbuf;              /* first sizes */
    uint64_t sndbuf_max, rcvbuf_max;      /* of auto-tuning; 0: fixed */
    bool timestamps, sack, window_scaling, csum_offload;
    uint8_t cc;                           /* enum pl_cc_algorithm */
    pl_time delayed_ack, rto_min;
};
struct scenario_node {
    char name[SETTING_NAME_BYTES];
    bool router;
    unsigned line, links, number;         /* number: 1, 2, ... among hosts, or among routers */
    struct scenario_host host;
};
struct scenario_link {
    char name[2 * SETTING_NAME_BYTES + 4];    /* "a-b"; with its number behind it if another is called so */
    unsigned node[2], line;
    struct sim_link_params params[2];     /* of the direction from node[i] */
};
struct scenario_rule {
    unsigned link, ways;                  /* ways: bit i: direction i */
    struct impair_rule rule;
    uint8_t only;                         /* 0: every frame; else 1 + match_kind.kind */
};
enum scenario_deed { SCENARIO_SET, SCENARIO_DOWN, SCENARIO_UP };
struct scenario_change {
    pl_time at;
    unsigned link, ways;
    enum scenario_deed deed;
    struct sim_link_params params;        /* those that are set: */
    uint32_t set;                         /* bit: index in the table of a link's settings */
};
struct scenario_flow {
    char name[SETTING_NAME_BYTES];
    unsigned node[2], line;               /* client, server */
    struct traffic_plan plan;
};
/* The names of enum pl_cc_algorithm in a scenario, but for PL_CC_USER's; ends with NULL. */
extern const char *const scenario_cc_words[];

struct scenario {
    uint64_t seed;
    pl_time time, warmup;
    struct scenario_node node[SIM_NODES_MAX];
    struct scenario_link link[SIM_LINKS_MAX];
    struct scenario_rule rule[SCENARIO_RULES_MAX];
    struct scenario_change change[SCENARIO_CHANGES_MAX];
    struct scenario_flow flow[SCENARIO_FLOWS_MAX];
    unsigned nodes, links, rules, changes, flows;
};

/* NULL: `error` says in which line what is wrong ("line 3: ..."). scenario_free is due. */
struct scenario *scenario_read(const char *text, size_t bytes, char *error, size_t size);
void scenario_free(struct scenario *);
/* The direction's settings after the change. */
void scenario_apply(const struct scenario_change *, struct sim_link_params *);
/* The first link on a shortest way from one node to another, those of lower number first; -1: there is none. */
int scenario_first_link(const struct scenario *, unsigned from, unsigned to);

#endif
