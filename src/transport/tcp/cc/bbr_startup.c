/* SPDX-License-Identifier: MIT
 *
 * Startup and Drain, draft-ietf-ccwg-bbr sections 5.3.1 and 5.3.2: twice as fast each round until the pipe is full, then slowly until the queue is gone.
 */
#include "transport/tcp/cc/bbr_state.h"

void bbr_enter_startup(struct bbr *b) { b->state = BBR_STARTUP; }

static void enter_drain(struct bbr *b)
{
    b->state = BBR_DRAIN;
    b->drain_start_round = b->round_count;
}

/* 5.3.1.2, ResetFullBW. */
void bbr_reset_full_bw(struct bbr *b)
{
    b->full_bw = 0;
    b->full_bw_count = 0;
    b->full_bw_now = false;
}

/* 5.3.1.2, CheckFullBWReached: the pipe is full when three rounds bring no 25 % more. An ACK without a rate is no evidence either way. */
void bbr_check_full_bw_reached(struct bbr *b, const struct bbr_rs *rs)
{
    if (b->full_bw_now || !b->round_start || rs->is_app_limited || !rs->delivery_rate)
        return;
    if (rs->delivery_rate >= b->full_bw * 125 / 100) {
        bbr_reset_full_bw(b);             /* "bw is still growing, so reset" */
        b->full_bw = rs->delivery_rate;
        return;
    }
    b->full_bw_count++;
    b->full_bw_now = b->full_bw_count >= 3;
    if (b->full_bw_now)
        b->full_bw_reached = true;
}

/* 5.3.1.3, CheckStartupHighLoss: in fast recovery for a round, more than 2 % lost in a round, in six places or more. The round is the one that began with its
 * first loss (loss_round_start ends it). Without SACK any loss will do. */
static bool is_startup_loss_high(const struct bbr *b, const struct bbr_rs *rs)
{
    if (rs->phase != PL_CC_RECOVERY)
        return false;
    if (b->no_sack)
        return b->loss_events_in_round > 0;
    return b->loss_round_start && b->loss_events_in_round >= BBR_STARTUP_FULL_LOSS_CNT && bbr_is_inflight_too_high(b, rs->lost, rs->tx_in_flight);
}

/* 5.3.1.1, CheckStartupDone. */
void bbr_check_startup_done(struct bbr *b, const struct bbr_rs *rs)
{
    if (b->state == BBR_STARTUP && !b->full_bw_reached && is_startup_loss_high(b, rs)) {
        b->undo_state = BBR_STARTUP;
        b->full_bw_now = b->full_bw_reached = true;
        b->inflight_longterm = bbr_max32(bbr_bdp_multiple(b, b->bw, 100), b->inflight_latest);
    }
    if (b->loss_round_start)
        b->loss_events_in_round = 0;
    if (b->state == BBR_STARTUP && b->full_bw_reached)
        enter_drain(b);
}

/* 5.3.2, CheckDrainDone: "However, it could take longer if the bandwidth was overestimated": three rounds are enough. */
bool bbr_is_drain_done(const struct bbr *b, const struct pl_cc *cc, const struct bbr_rs *rs)
{
    return b->state == BBR_DRAIN && (rs->inflight <= bbr_inflight(b, cc, b->bw, 100) || b->round_count > b->drain_start_round + 3);
}
