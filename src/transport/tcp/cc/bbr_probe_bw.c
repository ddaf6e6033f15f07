/* SPDX-License-Identifier: MIT
 *
 * ProbeBW, draft-ietf-ccwg-bbr section 5.3.3: the circle of DOWN (drain what is queued), CRUISE (as fast as the path delivers), REFILL (fill the pipe, and
 * forget what losses said since) and UP (is there more?).
 */
#include "transport/tcp/cc/bbr_state.h"

/* What PickProbeWait draws: splitmix64, so that a replay draws the same. */
static uint64_t draw(struct bbr *b, pl_time now)
{
    uint64_t z = b->random += 0x9e3779b97f4a7c15 + now;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

/* 5.3.3.8.3, PickProbeWait: 2 to 3 s, and a round more or less. */
static void pick_probe_wait(struct bbr *b, pl_time now)
{
    uint64_t z = draw(b, now);
    b->rounds_since_probe_up = z & 1;
    b->bw_probe_wait = 2 * PL_S + (z >> 32) * PL_S / UINT32_MAX;
}

/* 5.3.3.8.3, IsRenoCoexistenceProbeTime: as often as Reno would come to fill what we have in flight, one segment each round. */
static bool is_reno_coexistence_probe_time(const struct bbr *b, const struct pl_cc *cc)
{
    uint32_t reno_rounds = bbr_target_inflight(b, cc) / cc->mss;
    return b->rounds_since_probe_up >= bbr_min32(reno_rounds, BBR_RENO_ROUNDS);
}

/* 5.3.3.9: entering each. */
void bbr_start_probe_bw_down(struct bbr *b, pl_time now)
{
    bbr_reset_congestion_signals(b);
    b->probe_up_acked_per_inc = BBR_INFINITY;            /* "not growing BBR.inflight_longterm" */
    pick_probe_wait(b, now);
    b->cycle_stamp = now;
    b->ack_phase = BBR_ACKS_PROBE_STOPPING;
    bbr_start_round(b);
    b->down_from = b->delivered;
    b->down_until = UINT64_MAX;
    b->state = BBR_PROBE_BW_DOWN;
}

void bbr_start_probe_bw_cruise(struct bbr *b) { b->state = BBR_PROBE_BW_CRUISE; }

void bbr_start_probe_bw_refill(struct bbr *b)
{
    bbr_reset_short_term_model(b);
    b->bw_probe_up_rounds = 0;
    b->bw_probe_up_acked = 0;
    b->prev_probe_precautionary = false;
    b->ack_phase = BBR_ACKS_REFILLING;
    bbr_start_round(b);
    b->state = BBR_PROBE_BW_REFILL;
}

/* "Raise BBR.inflight_longterm slope if appropriate": by 1, 2, 4 ... segments a round. */
static void raise_inflight_longterm_slope(struct bbr *b, const struct pl_cc *cc)
{
    uint32_t growth_this_round = (uint32_t)1 << b->bw_probe_up_rounds;
    b->bw_probe_up_rounds = b->bw_probe_up_rounds < 30 ? b->bw_probe_up_rounds + 1 : 30;
    b->probe_up_acked_per_inc = bbr_max32(cc->cwnd / growth_this_round, cc->mss);
}

static void start_probe_bw_up(struct bbr *b, const struct pl_cc *cc, const struct bbr_rs *rs)
{
    b->ack_phase = BBR_ACKS_PROBE_STARTING;
    bbr_start_round(b);
    bbr_reset_full_bw(b);
    b->full_bw = rs->delivery_rate;
    b->state = BBR_PROBE_BW_UP;
    raise_inflight_longterm_slope(b, cc);
}

/* "Increase BBR.inflight_longterm if appropriate." */
static void probe_inflight_longterm_upward(struct bbr *b, const struct pl_cc *cc, const struct bbr_rs *rs)
{
    if (!bbr_is_cwnd_limited(b) || cc->cwnd < b->inflight_longterm)
        return;                           /* "not fully using BBR.inflight_longterm, so don't grow it" */
    b->bw_probe_up_acked += rs->newly_acked;
    if (b->bw_probe_up_acked >= b->probe_up_acked_per_inc) {
        uint32_t delta = b->bw_probe_up_acked / b->probe_up_acked_per_inc;
        b->bw_probe_up_acked -= delta * b->probe_up_acked_per_inc;
        b->inflight_longterm = (uint32_t)bbr_min64(b->inflight_longterm + (uint64_t)delta * cc->mss, PL_CC_CWND_MAX);
    }
    if (b->round_start)
        raise_inflight_longterm_slope(b, cc);
}

/* AdaptLongTermModel: true if it decided a state transition. */
static bool adapt_long_term_model(struct bbr *b, const struct pl_cc *cc, const struct bbr_rs *rs)
{
    if (b->ack_phase == BBR_ACKS_PROBE_STARTING && b->round_start)
        b->ack_phase = BBR_ACKS_PROBE_FEEDBACK;          /* "starting to get bw probing samples" */
    if (b->ack_phase == BBR_ACKS_PROBE_STOPPING && b->round_start) {
        b->is_bw_probe_sample = false;                   /* "end of samples from bw probing phase" */
        b->ack_phase = BBR_ACKS_INIT;
        if (bbr_is_in_a_probe_bw_state(b) && !rs->is_app_limited)
            bbr_advance_max_bw_filter(b);
        /* 5.3.3.6, Precautionary Bandwidth Probing: Acceleration */
        if (bbr_is_in_a_probe_bw_state(b) && b->prev_probe_precautionary && !b->prev_probe_too_high) {
            bbr_start_probe_bw_refill(b);
            return true;
        }
    }
    if (!bbr_is_inflight_too_high(b, rs->lost, rs->tx_in_flight)) {
        /* "Loss rate is safe. Adjust upper bounds upward." */
        if (b->inflight_longterm == BBR_INFINITY)
            return false;
        if (rs->tx_in_flight > b->inflight_longterm)
            b->inflight_longterm = rs->tx_in_flight;
        if (b->state == BBR_PROBE_BW_UP)
            probe_inflight_longterm_upward(b, cc, rs);
    }
    return false;
}

/* IsTimeToProbeBW. */
static void probe_bw_if_it_is_time(struct bbr *b, const struct pl_cc *cc, pl_time now)
{
    if (now > b->cycle_stamp + b->bw_probe_wait || is_reno_coexistence_probe_time(b, cc))
        bbr_start_probe_bw_refill(b);
}

/* IsTimeToCruise: "enough headroom", and no more in flight than the estimated BDP. */
static bool is_time_to_cruise(const struct bbr *b, const struct pl_cc *cc, const struct bbr_rs *rs)
{
    return rs->inflight <= bbr_inflight_with_headroom(b, cc->mss) && rs->inflight <= bbr_inflight(b, cc, b->max_bw, 100);
}

/* IsTimeToGoDown. */
static bool is_time_to_go_down(struct bbr *b, const struct pl_cc *cc, const struct bbr_rs *rs)
{
    /* 5.3.3.6, Precautionary Bandwidth Probing: Deceleration */
    if (b->prev_probe_too_high && rs->inflight >= b->inflight_longterm) {
        b->prev_probe_precautionary = true;
        return true;
    }
    if (bbr_is_cwnd_limited(b) && cc->cwnd >= b->inflight_longterm) {
        bbr_reset_full_bw(b);             /* "bw is limited by BBR.inflight_longterm" */
        b->full_bw = rs->delivery_rate;
        return false;
    }
    return b->full_bw_now;
}

/* InflightWithHeadroom: what leaves room in the queue for others. */
uint32_t bbr_inflight_with_headroom(const struct bbr *b, uint32_t mss)
{
    if (b->inflight_longterm == BBR_INFINITY)
        return BBR_INFINITY;
    uint32_t headroom = bbr_max32(mss, bbr_percent(b->inflight_longterm, BBR_HEADROOM_PERCENT));
    return bbr_max32(b->inflight_longterm > headroom ? b->inflight_longterm - headroom : 0, 4 * mss);
}

/* UpdateProbeBWCyclePhase: "The core state machine logic for ProbeBW". */
void bbr_update_probe_bw_cycle_phase(struct bbr *b, const struct pl_cc *cc, const struct bbr_rs *rs)
{
    if (!b->full_bw_reached || adapt_long_term_model(b, cc, rs))
        return;
    switch (b->state) {
    case BBR_PROBE_BW_DOWN:
        probe_bw_if_it_is_time(b, cc, rs->now);
        if (b->state == BBR_PROBE_BW_DOWN && is_time_to_cruise(b, cc, rs))
            bbr_start_probe_bw_cruise(b);
        break;
    case BBR_PROBE_BW_CRUISE:
        probe_bw_if_it_is_time(b, cc, rs->now);
        break;
    case BBR_PROBE_BW_REFILL:
        if (b->round_start) {             /* "After one round of REFILL, start UP" */
            b->is_bw_probe_sample = true;
            start_probe_bw_up(b, cc, rs);
        }
        break;
    case BBR_PROBE_BW_UP:
        if (is_time_to_go_down(b, cc, rs)) {
            b->prev_probe_too_high = false;              /* "no high loss (yet)" */
            bbr_start_probe_bw_down(b, rs->now);
        }
        break;
    default:
        break;
    }
}
