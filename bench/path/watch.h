/* SPDX-License-Identifier: MIT
 *
 * watch.h: what one transfer did, kept in files for people who look for reasons: NAME.pcapng holds every frame where it was put on the link and again where it
 * left, what the link did to it and why parley sent it as comments; NAME.tsv the sender's numbers, NAME.txt what
 * it counted in all.
 */
#ifndef BENCH_PATH_WATCH_H
#define BENCH_PATH_WATCH_H

#include <stdio.h>

#include "bench/path/ends.h"
#include "sim/world.h"
#include "view/pcapng.h"

#define WATCH_EVERY (50 * PL_MS)

struct watch {
    FILE *capture_out, *series, *counted;
    struct pcapng capture;
    pl_time began, next;
};

/* Sees what is put on the link from now on, and, by `env`, what parley's stack tells, if it is one of the ends. */
bool watch_open(struct watch *, const char *name, struct sim_link *, struct pl_env *, char *why, size_t why_size);
bool watch_wants(const struct watch *, pl_time now);         /* its numbers: they are due */
void watch_numbers(struct watch *, pl_time now, uint64_t got, const struct end_numbers *);
/* For what the ends counted: the file NAME.txt. */
FILE *watch_counted(struct watch *);
void watch_close(struct watch *);

#endif
