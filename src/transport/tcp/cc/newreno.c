/* SPDX-License-Identifier: MIT */
#include "transport/tcp/cc/newreno.h"

static uint32_t max32(uint32_t a, uint32_t b) { return a > b ? a : b; }
static uint32_t min32(uint32_t a, uint32_t b) { return a < b ? a : b; }

void newreno_on_ack(void *user, struct pl_cc *cc, void *state, const struct pl_cc_ack *a)
{
    struct newreno *n = state;
    (void)user;
    if (!a->limited || a->phase == PL_CC_RECOVERY)
        return;
    if (cc->cwnd < cc->ssthresh) {        /* RFC 5681 3.1 slow start, by bytes (RFC 3465), as RFC 9406 does it */
        hystart_slow_start(&n->hystart, cc, a);
        return;
    }
    /* RFC 5681 3.1 congestion avoidance: one MSS for each window that has arrived. The ACK that ends a repair counts too, with what it says that is new. A window is
     * the whole segments of it: after half a segment that was never sent nobody waits. */
    uint32_t window = cc->cwnd - cc->cwnd % cc->mss;
    n->acked += min32(a->delivered, window);
    if (n->acked >= window) {
        n->acked -= window;
        cc->cwnd = min32(cc->cwnd + cc->mss, PL_CC_CWND_MAX);
    }
}

static void remember(const struct pl_cc *cc, struct newreno *n)
{
    n->prior_cwnd = cc->cwnd;
    n->prior_ssthresh = cc->ssthresh;
    n->acked = 0;
}

void newreno_on_loss(void *user, struct pl_cc *cc, void *state, pl_time now, uint32_t flight)
{
    (void)user, (void)now;
    remember(cc, state);
    cc->ssthresh = max32(flight / 2, 2 * cc->mss);       /* RFC 5681 (4) */
}

void newreno_on_rto(void *user, struct pl_cc *cc, void *state, pl_time now, uint32_t flight, bool first)
{
    (void)user, (void)now;
    if (first) {
        remember(cc, state);
        cc->ssthresh = max32(flight / 2, 2 * cc->mss);   /* RFC 5681 (4) */
    }
    cc->cwnd = cc->mss;
}

void newreno_on_recovered(void *user, struct pl_cc *cc, void *state, pl_time now)
{
    struct newreno *n = state;
    (void)user, (void)cc, (void)now;
    n->acked = 0;
}

void newreno_on_undo(void *user, struct pl_cc *cc, void *state, pl_time now)
{
    const struct newreno *n = state;
    (void)user, (void)now;
    cc->cwnd = max32(cc->cwnd, n->prior_cwnd);
    cc->ssthresh = max32(cc->ssthresh, n->prior_ssthresh);
}

const char *newreno_on_describe(void *user, const struct pl_cc *cc, const void *state)
{
    (void)user;
    return cc->cwnd < cc->ssthresh ? hystart_describe(&((const struct newreno *)state)->hystart, cc) : "congestion avoidance";
}
