/* SPDX-License-Identifier: MIT
 *
 * cc.h: the congestion controls by number, and what all of them share. A switch, not a table of pointers: the block and the core hold none.
 */
#ifndef TCP_CC_CC_H
#define TCP_CC_CC_H

#include <parley/cc.h>

struct pl_env;

/* Who is asked: what a call needs beside its arguments. */
struct cc_call {
    const struct pl_env *env;
    struct pl_cc *cc;
    void *state;
    uint32_t algorithm;                   /* enum pl_cc_algorithm */
};

uint32_t cc_initial_window(uint32_t mss);                                   /* RFC 6928 2 */
void cc_init(struct pl_cc *, uint32_t mss, bool syn_was_lost);
bool cc_exists(const struct pl_env *, uint32_t algorithm, uint32_t state_bytes);       /* and does with so much state */
uint32_t cc_state_bytes(const struct pl_env *, uint32_t algorithm);         /* that one which exists needs */
const char *cc_name(const struct pl_env *, uint32_t algorithm);
uint32_t cc_flags(const struct pl_env *, uint32_t algorithm);               /* enum pl_cc_flag */

void cc_start(struct cc_call, pl_time now, pl_time srtt);
void cc_ack(struct cc_call, const struct pl_cc_ack *);
/* An ACK while nothing is missing and the window was not used: true: the algorithm need not hear more of it. */
bool cc_unused(struct cc_call, pl_time now);
void cc_loss(struct cc_call, pl_time now, uint32_t flight);
void cc_rto(struct cc_call, pl_time now, uint32_t flight, bool first);
void cc_recovered(struct cc_call, pl_time now);
void cc_undo(struct cc_call, pl_time now);
void cc_restart(struct cc_call, pl_time now, pl_time idle, bool app_limited);
void cc_lost(struct cc_call, const struct pl_cc_lost *);
const char *cc_describe(struct cc_call);

#endif
