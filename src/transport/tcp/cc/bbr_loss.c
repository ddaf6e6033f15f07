/* SPDX-License-Identifier: MIT
 *
 * What BBR makes of losses, draft-ietf-ccwg-bbr sections 5.5.10.2 and 5.5.11: too much was in flight; or nothing was lost after all.
 */
#include "transport/tcp/cc/bbr_state.h"

/* 5.6.4.4, SaveCwnd: "the latest C.cwnd unmodulated by loss recovery or ProbeRTT". */
void bbr_save_cwnd(struct bbr *b, const struct pl_cc *cc)
{
    b->prior_cwnd = !b->in_recovery && b->state != BBR_PROBE_RTT ? cc->cwnd : bbr_max32(b->prior_cwnd, cc->cwnd);
}

void bbr_restore_cwnd(const struct bbr *b, struct pl_cc *cc) { cc->cwnd = bbr_max32(cc->cwnd, b->prior_cwnd); }

/* 5.5.11.1, SaveStateUponLoss: "when a loss recovery episode starts", and at no later loss of it, which would save what the first already changed. */
void bbr_save_state_upon_loss(struct bbr *b, const struct pl_cc *cc)
{
    bbr_save_cwnd(b, cc);
    if (b->is_saved)
        return;
    b->is_saved = true;
    b->undo_state = BBR_NO_STATE;
    b->undo_bw_shortterm = b->bw_shortterm;
    b->undo_inflight_shortterm = b->inflight_shortterm;
    b->undo_inflight_longterm = b->inflight_longterm;
}

/* 5.5.10.2, IsInflightTooHigh: "Do loss signals suggest C.inflight was too high?" */
bool bbr_is_inflight_too_high(const struct bbr *b, uint32_t lost, uint32_t tx_in_flight)
{
    return (uint64_t)lost * 100 > (uint64_t)tx_in_flight * BBR_LOSS_THRESH_PERCENT || (lost && b->no_sack);
}

/* 5.3.3.8.3, TargetInflight: "Our estimated BDP, unless congestion cut C.cwnd." */
uint32_t bbr_target_inflight(const struct bbr *b, const struct pl_cc *cc) { return bbr_min32(bbr_bdp_multiple(b, b->bw, 100), cc->cwnd); }

/* 5.5.10.2, InflightAtLoss: "At what prefix of "packet" P did losses exceed BBR.LossThresh?"; P may be many segments long. */
static uint32_t inflight_at_loss(const struct pl_cc_lost *p)
{
    uint32_t inflight_prev = p->tx_in_flight > p->bytes ? p->tx_in_flight - p->bytes : 0;
    uint32_t lost_prev = p->lost_since_sent > p->bytes ? p->lost_since_sent - p->bytes : 0;
    uint64_t allowed = (uint64_t)inflight_prev * BBR_LOSS_THRESH_PERCENT, lost = (uint64_t)lost_prev * 100;
    uint32_t lost_prefix = allowed > lost ? (uint32_t)((allowed - lost) / (100 - BBR_LOSS_THRESH_PERCENT)) : 0;
    return inflight_prev + bbr_min32(lost_prefix, p->bytes);
}

static void handle_inflight_too_high(struct bbr *b, const struct pl_cc *cc, uint32_t tx_in_flight, bool is_app_limited, pl_time now)
{
    b->prev_probe_too_high = true;
    b->is_bw_probe_sample = false;        /* "only react once per bw probe" */
    if (!is_app_limited)
        b->inflight_longterm = bbr_max32(tx_in_flight, bbr_percent(bbr_target_inflight(b, cc), BBR_BETA_PERCENT));
    if (b->state == BBR_PROBE_BW_UP) {
        b->undo_state = BBR_PROBE_BW_UP;
        bbr_start_probe_bw_down(b, now);
    }
}

/* 5.5.10.2, HandleLostPacket. */
void bbr_handle_lost_packet(struct bbr *b, const struct pl_cc *cc, const struct pl_cc_lost *p)
{
    b->delivered = p->delivered_total;
    if (!b->loss_events_in_round || p->seq != b->lost_end)
        b->loss_events_in_round += b->loss_events_in_round < UINT8_MAX;
    b->lost_end = p->seq + p->bytes;
    if (!b->is_loss_in_round) {           /* NoteLoss */
        b->loss_round_delivered = b->delivered;
        bbr_save_state_upon_loss(b, cc);
    }
    b->is_loss_in_round = true;
    if (b->is_bw_probe_sample && bbr_is_inflight_too_high(b, p->lost_since_sent, p->tx_in_flight))
        handle_inflight_too_high(b, cc, inflight_at_loss(p), bbr_was_app_limited(b, p->app_limited, p->prior_delivered), p->now);
}

/* 5.5.11.2, HandleSpuriousLossDetection. */
void bbr_handle_spurious_loss_detection(struct bbr *b, struct pl_cc *cc)
{
    bbr_restore_cwnd(b, cc);
    b->is_loss_in_round = false;
    bbr_reset_full_bw(b);
    b->bw_shortterm = bbr_max64(b->bw_shortterm, b->undo_bw_shortterm);
    b->inflight_shortterm = bbr_max32(b->inflight_shortterm, b->undo_inflight_shortterm);
    b->inflight_longterm = bbr_max32(b->inflight_longterm, b->undo_inflight_longterm);
    /* "If flow was probing bandwidth, return to that state" */
    if (b->undo_state == BBR_STARTUP && b->state != BBR_STARTUP) {
        b->full_bw_reached = false;
        if (b->state != BBR_PROBE_RTT)
            bbr_enter_startup(b);
    } else if (b->undo_state == BBR_PROBE_BW_UP && b->state != BBR_PROBE_BW_UP) {
        if (b->state != BBR_PROBE_RTT)
            bbr_start_probe_bw_refill(b);
    }
    b->undo_state = BBR_NO_STATE;
}
