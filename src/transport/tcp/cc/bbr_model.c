/* SPDX-License-Identifier: MIT
 *
 * The model of the path, draft-ietf-ccwg-bbr section 5.5: rounds, max_bw, extra_acked, and the bounds that losses set for a short while.
 */
#include <string.h>

#include "transport/tcp/cc/bbr_state.h"

/* bw * t. In parts, so that nothing overflows: bw is at most 2^40 bytes per second, and what is longer than 11 days counts as that. */
uint64_t bbr_bytes_in(uint64_t bw, pl_time t)
{
    uint64_t whole = bbr_min64(t / PL_S, 1000000), part = t % PL_S;
    return bw * whole + bw / PL_S * part + bw % PL_S * part / PL_S;
}

/* 5.6.4.2, BDPMultiple. */
uint32_t bbr_bdp_multiple(const struct bbr *b, uint64_t bw, uint32_t gain)
{
    if (b->min_rtt == BBR_RTT_INFINITY)
        return b->initial_cwnd;           /* "no valid RTT samples yet" */
    return (uint32_t)bbr_min64(bbr_min64(bbr_bytes_in(bw, b->min_rtt), PL_CC_CWND_MAX) * gain / 100, PL_CC_CWND_MAX);
}

/* 5.5.1. */
void bbr_start_round(struct bbr *b) { b->next_round_delivered = b->delivered; }

static void update_round(struct bbr *b, const struct bbr_rs *rs)
{
    b->round_start = rs->prior_delivered >= b->next_round_delivered;
    if (!b->round_start)
        return;
    bbr_start_round(b);
    b->round_count++;
    b->rounds_since_probe_up++;
    b->was_cwnd_limited = b->is_cwnd_limited;
    b->is_cwnd_limited = false;
}

/* 5.5.5: what a busy program could have sent is not known from when it was not busy; but it may have been more than we thought. */
static void update_max_bw(struct bbr *b, const struct bbr_rs *rs)
{
    update_round(b, rs);
    if (!rs->delivery_rate || (rs->is_app_limited && rs->delivery_rate < b->max_bw))
        return;
    b->max_bw_filter[1] = bbr_max64(b->max_bw_filter[1], rs->delivery_rate);
    b->max_bw = bbr_max64(b->max_bw_filter[0], b->max_bw_filter[1]);
}

/* 5.5.6, BBR.cycle_count++: the current cycle becomes the previous one. A cycle without a sample says nothing, and takes no sample's place. */
void bbr_advance_max_bw_filter(struct bbr *b)
{
    if (!b->max_bw_filter[1])
        return;
    b->max_bw_filter[0] = b->max_bw_filter[1];
    b->max_bw_filter[1] = 0;
}

/* 5.5.9, UpdateACKAggregation: how much more than expected arrives at once. */
void bbr_update_ack_aggregation(struct bbr *b, const struct pl_cc *cc, const struct bbr_rs *rs)
{
    uint64_t expected_delivered = bbr_bytes_in(b->bw, rs->now - b->extra_acked_interval_start);
    if (b->extra_acked_delivered <= expected_delivered) {
        b->extra_acked_delivered = 0;     /* "Reset interval if ACK rate is below expected rate" */
        b->extra_acked_interval_start = rs->now;
        expected_delivered = 0;
    }
    b->extra_acked_delivered += rs->newly_acked;
    uint32_t extra = (uint32_t)bbr_min64(b->extra_acked_delivered - expected_delivered, cc->cwnd);
    /* the largest of the last ten rounds; in Startup of this one */
    uint32_t *now = &b->extra_acked_filter[b->round_count % BBR_EXTRA_ACKED_FILTER_LEN];
    if (!b->full_bw_reached && b->round_start)
        memset(b->extra_acked_filter, 0, sizeof b->extra_acked_filter);
    if (b->round_start)
        *now = 0;
    *now = bbr_max32(*now, extra);
    b->extra_acked = 0;
    for (unsigned i = 0; i < BBR_EXTRA_ACKED_FILTER_LEN; i++)
        b->extra_acked = bbr_max32(b->extra_acked, b->extra_acked_filter[i]);
}

/* RS.delivery_rate as a measure of the path in bw_latest. Departure (docs/decisions/0008): what DOWN sends at 0.9 of bw arrives at 0.9 of it, and that is our
 * doing: taken for the path's limit, one loss in that round would keep the flow at 0.9 until the next REFILL. */
static uint64_t delivery_rate_of_path(const struct bbr *b, const struct bbr_rs *rs)
{
    bool is_down = rs->prior_delivered >= b->down_from && rs->prior_delivered < b->down_until;
    return is_down ? rs->delivery_rate * 100 / BBR_DOWN_PACING_GAIN : rs->delivery_rate;
}

/* 5.5.10.3: "Near start of ACK processing" */
void bbr_update_latest_delivery_signals(struct bbr *b, const struct bbr_rs *rs)
{
    b->bw_latest = bbr_max64(b->bw_latest, delivery_rate_of_path(b, rs));
    b->inflight_latest = bbr_max32(b->inflight_latest, rs->delivered);
    b->loss_round_start = rs->prior_delivered >= b->loss_round_delivered;
    if (b->loss_round_start)
        b->loss_round_delivered = b->delivered;
}

/* "Near end of ACK processing" */
void bbr_advance_latest_delivery_signals(struct bbr *b, const struct bbr_rs *rs)
{
    if (!b->loss_round_start)
        return;
    b->bw_latest = delivery_rate_of_path(b, rs);
    b->inflight_latest = rs->delivered;
}

void bbr_reset_congestion_signals(struct bbr *b)
{
    b->is_loss_in_round = false;
    b->bw_latest = 0;
    b->inflight_latest = 0;
}

/* 5.5.10.3, AdaptLowerBoundsFromCongestion: "Once per round-trip respond to congestion", but while probing for bandwidth, when losses have their own answer. */
static void adapt_lower_bounds_from_congestion(struct bbr *b, const struct pl_cc *cc)
{
    bool is_probing_bw = b->state == BBR_STARTUP || b->state == BBR_PROBE_BW_REFILL || b->state == BBR_PROBE_BW_UP;
    if (is_probing_bw || !b->is_loss_in_round)
        return;
    if (b->bw_shortterm == BBR_BW_INFINITY)              /* InitLowerBounds */
        b->bw_shortterm = b->max_bw;
    if (b->inflight_shortterm == BBR_INFINITY)
        b->inflight_shortterm = cc->cwnd;
    b->bw_shortterm = bbr_max64(b->bw_latest, b->bw_shortterm * BBR_BETA_PERCENT / 100);     /* LossLowerBounds */
    b->inflight_shortterm = bbr_max32(b->inflight_latest, bbr_percent(b->inflight_shortterm, BBR_BETA_PERCENT));
}

void bbr_update_congestion_signals(struct bbr *b, const struct pl_cc *cc, const struct bbr_rs *rs)
{
    update_max_bw(b, rs);
    if (!b->loss_round_start)
        return;                           /* "wait until end of round trip" */
    adapt_lower_bounds_from_congestion(b, cc);
    b->is_loss_in_round = false;
}

void bbr_reset_short_term_model(struct bbr *b)
{
    b->bw_shortterm = BBR_BW_INFINITY;
    b->inflight_shortterm = BBR_INFINITY;
}

void bbr_bound_bw_for_model(struct bbr *b) { b->bw = bbr_min64(b->max_bw, b->bw_shortterm); }
