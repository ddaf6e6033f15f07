/* SPDX-License-Identifier: MIT
 *
 * sim.h: the parts of `parley sim`: the report, and what is kept while it runs.
 */
#ifndef CLI_SIM_H
#define CLI_SIM_H

#include "cli/pcap.h"
#include "sim/run.h"
#include "view/ladder.h"

/* The summary on stdout, or with --json its lines. */
void sim_report(const struct sim_run *);

/* --series: a row for each flow and each direction of a link at each tick. */
struct sim_series {
    FILE *out;                            /* NULL: none */
    bool jsonl;
    uint64_t received[SCENARIO_FLOWS_MAX];
    pl_time last;
};
/* JSON lines if the file's name ends with .jsonl, else CSV. False: errno says why not. */
bool sim_series_open(struct sim_series *, const char *path);
void sim_series_tick(struct sim_series *, const struct sim_run *);
bool sim_series_close(struct sim_series *);            /* false: errno says why not all could be written */

/* --pcap and --ladder: they read the wire and the hosts' traces. */
struct sim_watch;
/* dir: where the capture files go, one per link; NULL: none. ladder: of the first flow, NULL: none. NULL: `why` says what could not be done. */
struct sim_watch *sim_watch_new(struct sim_run *, const char *dir, struct ladder *ladder, char *why, size_t size);
bool sim_watch_close(struct sim_watch *);              /* false: errno says why not all could be written */

#endif
