/* SPDX-License-Identifier: MIT */
#include "transport/tcp/cc/newreno.h"

static uint32_t max32(uint32_t a, uint32_t b) { return a > b ? a : b; }
static uint32_t min32(uint32_t a, uint32_t b) { return a < b ? a : b; }

uint32_t cc_initial_window(uint32_t mss) { return min32(10 * mss, max32(2 * mss, 14600)); }

void cc_init(struct cc *cc, uint32_t mss, bool syn_was_lost)
{
    *cc = (struct cc){.cwnd = syn_was_lost ? mss : cc_initial_window(mss), .ssthresh = CC_CWND_MAX};
}

void cc_on_ack(struct cc *cc, uint32_t acked, uint32_t mss, bool limited)
{
    if (!limited)
        return;
    if (cc->cwnd < cc->ssthresh) {        /* RFC 5681 3.1 slow start, by bytes (RFC 3465), at most 8 MSS an ACK (docs/defaults.md) */
        cc->cwnd = min32(cc->cwnd + min32(acked, 8 * mss), CC_CWND_MAX);
        return;
    }
    /* RFC 5681 3.1 congestion avoidance: one MSS for each window acknowledged. The ACK that follows a repair may cover many windows that are long
     * gone: it counts as one. */
    cc->acked += min32(acked, cc->cwnd);
    if (cc->acked >= cc->cwnd) {
        cc->acked -= cc->cwnd;
        cc->cwnd = min32(cc->cwnd + mss, CC_CWND_MAX);
    }
}

void cc_on_rto(struct cc *cc, uint32_t flight, uint32_t mss, bool first)
{
    if (first)
        cc->ssthresh = max32(flight / 2, 2 * mss);       /* RFC 5681 (4) */
    cc->cwnd = mss;
    cc->acked = 0;
}

void cc_on_loss(struct cc *cc, uint32_t flight, uint32_t mss)
{
    cc->ssthresh = max32(flight / 2, 2 * mss);
    cc->cwnd = cc->ssthresh + 3 * mss;
    cc->acked = 0;
}

void cc_on_duplicate(struct cc *cc, uint32_t mss) { cc->cwnd = min32(cc->cwnd + mss, CC_CWND_MAX); }

void cc_on_partial(struct cc *cc, uint32_t acked, uint32_t mss)
{
    cc->cwnd = cc->cwnd > acked ? cc->cwnd - acked : 0;
    if (acked >= mss)
        cc->cwnd += mss;
    cc->cwnd = max32(cc->cwnd, mss);
}

void cc_on_recovered(struct cc *cc, uint32_t flight, uint32_t mss)
{
    cc->cwnd = max32(min32(cc->ssthresh, max32(flight, mss) + mss), 2 * mss);
    cc->acked = 0;
}

void cc_on_idle(struct cc *cc, uint32_t mss) { cc->cwnd = min32(cc->cwnd, cc_initial_window(mss)); }
