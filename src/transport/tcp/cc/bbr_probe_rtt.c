/* SPDX-License-Identifier: MIT
 *
 * ProbeRTT and min_rtt, draft-ietf-ccwg-bbr sections 5.3.4 and 5.5.7: when no smaller RTT was seen for 5 s, send so little for a moment that the queue is gone
 * and the path's own delay shows.
 */
#include "transport/tcp/cc/bbr_state.h"

/* Departure (docs/decisions/0008): an RTT within a thirty-second part of the smallest that data ever had, and the time that two segments take, is as good as a
 * smaller one. The queue was empty then, which is what ProbeRTT is to bring about; DOWN empties it once in each cycle, and a path that is ours alone need not
 * pay for ProbeRTT. The smallest ever does not grow: where RTTs do, because of others or of the path, ProbeRTT comes as the draft has it. */
static bool is_queue_empty(struct bbr *b, const struct pl_cc *cc, pl_time rtt)
{
    b->least_rtt = bbr_min64(b->least_rtt, rtt);
    return rtt <= b->least_rtt + b->least_rtt / 32 + (b->max_bw ? 2 * cc->mss * PL_S / b->max_bw : 0);
}

/* 5.3.4.3, UpdateMinRTT. */
void bbr_update_min_rtt(struct bbr *b, const struct pl_cc *cc, const struct bbr_rs *rs)
{
    if (rs->rtt && is_queue_empty(b, cc, rs->rtt))
        b->probe_rtt_min_stamp = rs->now;
    b->probe_rtt_expired = rs->now > b->probe_rtt_min_stamp + BBR_PROBE_RTT_INTERVAL;
    if (rs->rtt && (rs->rtt < b->probe_rtt_min_delay || b->probe_rtt_expired)) {
        b->probe_rtt_min_delay = rs->rtt;
        b->probe_rtt_min_stamp = rs->now;
    }
    bool min_rtt_expired = rs->now > b->min_rtt_stamp + BBR_MIN_RTT_FILTER_LEN;
    if (b->probe_rtt_min_delay < b->min_rtt || min_rtt_expired) {
        b->min_rtt = b->probe_rtt_min_delay;
        b->min_rtt_stamp = b->probe_rtt_min_stamp;
    }
}

/* 5.6.4.5, ProbeRTTCwnd. */
uint32_t bbr_probe_rtt_cwnd(const struct bbr *b, uint32_t mss) { return bbr_max32(bbr_bdp_multiple(b, b->bw, BBR_PROBE_RTT_CWND_GAIN), 4 * mss); }

/* 5.3.4.4, ExitProbeRTT: the queue is gone already, so DOWN is over at once. */
static void exit_probe_rtt(struct bbr *b, pl_time now)
{
    bbr_reset_short_term_model(b);
    if (b->full_bw_reached) {
        bbr_start_probe_bw_down(b, now);
        bbr_start_probe_bw_cruise(b);
    } else {
        bbr_enter_startup(b);
    }
}

/* 5.3.4.3, CheckProbeRTTDone. */
void bbr_check_probe_rtt_done(struct bbr *b, struct pl_cc *cc, pl_time now)
{
    if (!b->probe_rtt_done_stamp || now <= b->probe_rtt_done_stamp)
        return;
    b->probe_rtt_min_stamp = now;         /* "schedule next ProbeRTT" */
    bbr_restore_cwnd(b, cc);
    exit_probe_rtt(b, now);
}

/* 5.3.4.3, HandleProbeRTT. */
static void handle_probe_rtt(struct bbr *b, struct pl_cc *cc, const struct bbr_rs *rs)
{
    /* "Ignore low rate samples during ProbeRTT": MarkConnectionAppLimited. What is sent from here on until it is acknowledged carries the mark. */
    if (b->delivered >= b->limited_until)
        b->limited_from = b->delivered;
    b->limited_until = b->delivered + rs->inflight + 1;
    if (!b->probe_rtt_done_stamp && rs->inflight <= bbr_probe_rtt_cwnd(b, cc->mss)) {
        b->probe_rtt_done_stamp = rs->now + BBR_PROBE_RTT_DURATION;
        b->probe_rtt_round_done = false;
        bbr_start_round(b);
    } else if (b->probe_rtt_done_stamp) {
        if (b->round_start)
            b->probe_rtt_round_done = true;
        if (b->probe_rtt_round_done)
            bbr_check_probe_rtt_done(b, cc, rs->now);
    }
}

/* 5.3.4.3, CheckProbeRTT. */
void bbr_check_probe_rtt(struct bbr *b, struct pl_cc *cc, const struct bbr_rs *rs)
{
    if (b->state != BBR_PROBE_RTT && b->probe_rtt_expired && !b->idle_restart) {
        b->state = BBR_PROBE_RTT;         /* EnterProbeRTT */
        bbr_save_cwnd(b, cc);
        b->probe_rtt_done_stamp = 0;
        b->ack_phase = BBR_ACKS_PROBE_STOPPING;
        bbr_start_round(b);
    }
    if (b->state == BBR_PROBE_RTT)
        handle_probe_rtt(b, cc, rs);
    if (rs->delivered > 0)
        b->idle_restart = false;
}
