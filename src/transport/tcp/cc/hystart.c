/* SPDX-License-Identifier: MIT */
#include "transport/tcp/cc/hystart.h"

#include "base/seq.h"

/* RFC 9406 4.3-e: only the initial slow start, when ssthresh is at its initial value; a later one ends at the ssthresh that a loss has found. */
static bool is_initial(const struct pl_cc *cc) { return cc->ssthresh >= PL_CC_CWND_MAX; }

/* RFC 9406 4.2: cwnd = cwnd + min(N, L * SMSS), in CSS a part of it. By bytes: dividing ACKs gains nothing (section 6). After a time-out L = 1. */
static void grow(struct pl_cc *cc, const struct pl_cc_ack *ack, bool css)
{
    uint32_t n = ack->acked, room = cc->ssthresh - cc->cwnd, l = ack->after_rto ? 1 : HYSTART_L;
    if ((!ack->paced || ack->after_rto) && n > l * cc->mss)            /* RFC 9406 4.3-c: L = 8, infinity when paced */
        n = l * cc->mss;
    if (css)
        n /= HYSTART_CSS_GROWTH_DIVISOR;
    cc->cwnd += n < room ? n : room;
}

static void enter_css_if_delayed(struct hystart *h)
{
    pl_time thresh = h->last_round_min_rtt / HYSTART_MIN_RTT_DIVISOR;
    if (thresh > HYSTART_MAX_RTT_THRESH)
        thresh = HYSTART_MAX_RTT_THRESH;
    if (thresh < HYSTART_MIN_RTT_THRESH)
        thresh = HYSTART_MIN_RTT_THRESH;
    if (h->current_round_min_rtt >= h->last_round_min_rtt + thresh) {
        h->css_baseline_min_rtt = h->current_round_min_rtt;
        h->css = true;
        h->css_rounds = 0;
    }
}

static void judge_delay(struct hystart *h)
{
    if (h->rtt_sample_count < HYSTART_N_RTT_SAMPLE)
        return;
    if (h->css)                           /* below the baseline: the exit from slow start was premature */
        h->css = h->current_round_min_rtt >= h->css_baseline_min_rtt;
    else if (h->last_round_min_rtt)
        enter_css_if_delayed(h);
}

/* RFC 9406 4.2, after the growth: true when CSS_ROUNDS rounds are complete. The sample of the ACK that ends a round is still one of that round: what it
 * acknowledges was sent before the round's end was set. */
static bool listen(struct hystart *h, const struct pl_cc_ack *ack)
{
    if (!h->started) {
        h->started = true;
        h->window_end = ack->nxt;
    }
    if (ack->rtt) {
        if (h->current_round_min_rtt == 0 || ack->rtt < h->current_round_min_rtt)
            h->current_round_min_rtt = ack->rtt;
        if (h->rtt_sample_count < HYSTART_N_RTT_SAMPLE)
            h->rtt_sample_count++;
        judge_delay(h);
    }
    if (seq_lt(ack->una, h->window_end) && seq_le(h->window_end, ack->nxt))
        return false;                     /* else it has ended, perhaps by more than 2 GiB that did not use the window */
    h->last_round_min_rtt = h->current_round_min_rtt;
    h->current_round_min_rtt = 0;
    h->rtt_sample_count = 0;
    h->window_end = ack->nxt;
    /* the round in the middle of which CSS began counts as well */
    return h->css && ++h->css_rounds >= HYSTART_CSS_ROUNDS;
}

void hystart_slow_start(struct hystart *h, struct pl_cc *cc, const struct pl_cc_ack *ack)
{
    bool initial = is_initial(cc);
    if (ack->limited)
        grow(cc, ack, initial && h->css);
    if (initial && listen(h, ack))
        cc->ssthresh = cc->cwnd;
}

const char *hystart_describe(const struct hystart *h, const struct pl_cc *cc)
{
    return is_initial(cc) && h->css ? "conservative slow start" : "slow start";
}
