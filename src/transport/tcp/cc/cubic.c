/* SPDX-License-Identifier: MIT */
#include "transport/tcp/cc/cubic.h"

/* RFC 9438 5.1: C = 0.4 segments / s^3, that is one segment in (2.5 * 10^9) ms^3. */
#define MS3_PER_SEGMENT ((uint64_t)2500000000)
enum { ROOT_MAX = 2642245 };              /* of UINT64_MAX, rounded down */

static uint32_t min32(uint32_t a, uint32_t b) { return a < b ? a : b; }
static uint32_t max32(uint32_t a, uint32_t b) { return a > b ? a : b; }

uint32_t cubic_root(uint64_t n)
{
    uint32_t root = 0;
    for (uint32_t bit = 1u << 21; bit; bit >>= 1) {
        uint64_t r = root | bit;
        if (r <= ROOT_MAX && r * r * r <= n)
            root = (uint32_t)r;
    }
    return root;
}

/* RFC 9438 Figure 1. Further from K than ROOT_MAX ms (44 minutes) any MSS makes more than 2^32 bytes. */
uint32_t cubic_window(const struct cubic_stage *s, pl_time t, uint32_t mss)
{
    uint64_t t_ms = t / PL_MS;
    bool below = t_ms < s->k_ms;
    uint64_t d = below ? s->k_ms - t_ms : t_ms - s->k_ms;
    if (d > ROOT_MAX)
        d = ROOT_MAX;
    uint64_t cube = d * d * d, bytes = cube / MS3_PER_SEGMENT * mss + cube % MS3_PER_SEGMENT * mss / MS3_PER_SEGMENT;
    if (below)
        return bytes < s->w_max ? (uint32_t)(s->w_max - bytes) : 0;
    return bytes < UINT32_MAX - s->w_max ? (uint32_t)(s->w_max + bytes) : UINT32_MAX;
}

static void begin_epoch(struct cubic_stage *s, const struct pl_cc *cc, pl_time now)
{
    /* RFC 9438 4.10: slow start ended without a loss; cwnd_prior is the window at which it did */
    if (s->w_max == 0)
        s->cwnd_prior = cc->cwnd;
    /* There, after a time-out (4.8), and above W_max: K = 0, W_max is the window that there is. Else Figure 2. */
    if (s->timed_out || s->w_max <= cc->cwnd)
        s->w_max = cc->cwnd;
    s->k_ms = cubic_root((s->w_max - cc->cwnd) * MS3_PER_SEGMENT / cc->mss);
    s->epoch = now;
    s->w_est = s->cwnd = cc->cwnd;        /* RFC 9438 4.3; after a time-out RFC 9438 4.8 */
    s->mss = cc->mss;
    s->est_rest = 0;
    s->cwnd_rest = 0;
    s->running = true;
    s->timed_out = s->reno_friendly = false;
}

/* RFC 9438 Figure 4, with bytes for segments: alpha * SMSS * acked / cwnd. alpha = 3 (1 - beta) / (1 + beta) = 9/17. */
static void estimate_reno(struct cubic_stage *s, uint32_t cwnd, uint32_t acked, uint32_t mss)
{
    /* RFC 9438 4.3-b: Reno's own 1 from the window on at which ssthresh was set */
    uint32_t alpha_17 = s->w_est >= s->cwnd_prior ? 17 : 9;
    uint64_t parts = (uint64_t)acked * mss * alpha_17 + s->est_rest, whole = (uint64_t)17 * cwnd;
    s->w_est = min32(s->w_est + (uint32_t)(parts / whole), PL_CC_CWND_MAX);
    s->est_rest = parts % whole;
}

/* RFC 9438 4.4, 4.5: (target - cwnd) / cwnd for each segment acknowledged, below W_max and above it. By bytes, so that ACKs of many segments, or of parts of
 * one, make what an ACK of each segment would. */
static void follow_cubic(struct cubic_stage *s, struct pl_cc *cc, const struct pl_cc_ack *ack, uint32_t acked)
{
    /* RFC 9438 4.2: target = W_cubic(t + RTT), not under cwnd and not over 1.5 cwnd */
    uint32_t cwnd = cc->cwnd, target = cubic_window(s, ack->now - s->epoch + ack->srtt, cc->mss);
    if (target <= cwnd)
        return;
    target = min32(target, cwnd + cwnd / 2);
    uint64_t parts = (uint64_t)(target - cwnd) * acked + s->cwnd_rest;
    cc->cwnd = min32(cwnd + (uint32_t)(parts / cwnd), PL_CC_CWND_MAX);
    s->cwnd_rest = (uint32_t)(parts % cwnd);
}

static void avoid_congestion(struct cubic_stage *s, struct pl_cc *cc, const struct pl_cc_ack *ack)
{
    uint32_t acked = min32(ack->acked, cc->cwnd);         /* an ACK of windows that are long gone counts as one */
    estimate_reno(s, cc->cwnd, acked, cc->mss);
    /* RFC 9438 4.3-a: where Reno would have more than the cubic function, what Reno would have */
    s->reno_friendly = cubic_window(s, ack->now - s->epoch, cc->mss) < s->w_est;
    if (s->reno_friendly)
        cc->cwnd = max32(cc->cwnd, s->w_est);
    else
        follow_cubic(s, cc, ack, acked);
    s->cwnd = cc->cwnd;
}

void cubic_on_start(void *user, struct pl_cc *cc, void *state, pl_time now, pl_time srtt)
{
    struct cubic *c = state;
    (void)user, (void)cc, (void)srtt;
    c->seen = now;
    cc->pacing_rate = 0;
    cc->quantum = 0;
}

void cubic_unused(struct cubic *c, const struct pl_cc *cc, pl_time now)
{
    if (cc->cwnd >= cc->ssthresh)
        c->stage.epoch += now - c->seen;  /* RFC 9438 4.2-a: what the program did not use is not part of t */
    c->seen = now;
}

void cubic_on_ack(void *user, struct pl_cc *cc, void *state, const struct pl_cc_ack *ack)
{
    struct cubic *c = state;
    struct cubic_stage *s = &c->stage;
    (void)user;
    if (ack->phase != PL_CC_RECOVERY && !ack->limited) {
        cubic_unused(c, cc, ack->now);
        return;
    }
    c->seen = ack->now;
    if (ack->phase == PL_CC_RECOVERY)
        return;
    /* RFC 9438 4.10-a, 4.10-b: slow start below ssthresh, by HyStart++. At ssthresh it is over: that is how RFC 9406 4.2 ends it. */
    if (cc->cwnd < cc->ssthresh)
        hystart_slow_start(&c->hystart, cc, ack);
    else if (!s->running || s->cwnd != cc->cwnd || s->mss != cc->mss)
        begin_epoch(s, cc, ack->now);
    else
        avoid_congestion(s, cc, ack);
}

static void congestion_event(struct cubic *c, struct pl_cc *cc, uint32_t flight)
{
    struct cubic_stage *s = &c->stage;
    /* RFC 9438 4.9.2-a: what an undo restores is kept before the reduction */
    c->undo.possible = true;
    c->undo.cwnd = cc->cwnd;
    c->undo.ssthresh = cc->ssthresh;
    c->undo.stage = *s;
    /* RFC 9438 4.7-a, fast convergence: a loss below W_max says that there is less room than there was. W_max = cwnd * (1 + beta) / 2 */
    s->w_max = cc->cwnd < s->w_max ? (uint32_t)((uint64_t)cc->cwnd * 17 / 20) : cc->cwnd;
    /* RFC 9438 4.6-a, 4.6-b, 4.6-c, Figure 5: beta = 0.7 of FlightSize; never of more than cwnd: what flies beyond it left before an earlier reduction */
    s->cwnd_prior = cc->cwnd;
    cc->ssthresh = max32((uint32_t)((uint64_t)min32(flight, cc->cwnd) * 7 / 10), 2 * cc->mss);
    s->running = false;
}

void cubic_on_loss(void *user, struct pl_cc *cc, void *state, pl_time now, uint32_t flight)
{
    struct cubic *c = state;
    (void)user, (void)now;
    congestion_event(c, cc, flight);
    c->stage.timed_out = false;
}

/* RFC 9438 4.8: cwnd as with Reno (RFC 5681 3.1), ssthresh by beta. */
void cubic_on_rto(void *user, struct pl_cc *cc, void *state, pl_time now, uint32_t flight, bool first)
{
    struct cubic *c = state;
    (void)user, (void)now;
    if (first)
        congestion_event(c, cc, flight);
    cc->cwnd = cc->mss;
    c->stage.timed_out = true;
}

/* RFC 9438 4.9.2-b, 4.9.2-c: as it was, unless the window is larger again than it was. HyStart++ has waited: ssthresh was not its initial value meanwhile. */
void cubic_on_undo(void *user, struct pl_cc *cc, void *state, pl_time now)
{
    struct cubic *c = state;
    (void)user, (void)now;
    if (c->undo.possible && cc->cwnd <= c->undo.cwnd) {
        cc->cwnd = c->undo.cwnd;
        cc->ssthresh = c->undo.ssthresh;
        c->stage = c->undo.stage;
    }
    c->undo.possible = false;
}

void cubic_on_restart(void *user, struct pl_cc *cc, void *state, pl_time now, pl_time idle, bool app_limited)
{
    struct cubic *c = state;
    (void)user, (void)cc, (void)idle, (void)app_limited;
    c->stage.epoch += now - c->seen;      /* RFC 9438 4.2-a, 5.8: nothing flew since the last ACK */
    c->seen = now;
}

const char *cubic_on_describe(void *user, const struct pl_cc *cc, const void *state)
{
    const struct cubic *c = state;
    (void)user;
    if (cc->cwnd < cc->ssthresh)
        return hystart_describe(&c->hystart, cc);
    if (c->stage.reno_friendly)
        return "Reno-friendly";
    return cc->cwnd < c->stage.w_max ? "concave" : "convex";
}
