/* SPDX-License-Identifier: MIT
 *
 * BBR's events, draft-ietf-ccwg-bbr section 5.2: what the stack tells, in the order of the draft.
 */
#include "transport/tcp/cc/bbr.h"

#include "transport/tcp/cc/bbr_state.h"

const struct pl_cc_ops bbr_ops = {
    .name = "bbr",
    .flags = PL_CC_OWN_RECOVERY | PL_CC_WANTS_RATE,
    .on_start = bbr_on_start,
    .on_ack = bbr_on_ack,
    .on_loss = bbr_on_loss,
    .on_rto = bbr_on_rto,
    .on_recovered = bbr_on_recovered,
    .on_undo = bbr_on_undo,
    .on_restart = bbr_on_restart,
    .on_lost = bbr_on_lost,
    .on_describe = bbr_on_describe,
};

/* 5.2.1, OnInit. What is zero there is zero here. */
void bbr_on_start(void *user, struct pl_cc *cc, void *state, pl_time now, pl_time srtt)
{
    struct bbr *b = state;
    (void)user;
    b->min_rtt = b->probe_rtt_min_delay = srtt ? srtt : BBR_RTT_INFINITY;
    b->least_rtt = BBR_RTT_INFINITY;
    b->min_rtt_stamp = b->probe_rtt_min_stamp = now;
    b->undo_state = BBR_NO_STATE;
    b->extra_acked_interval_start = now;
    b->inflight_longterm = b->probe_up_acked_per_inc = BBR_INFINITY;
    b->ack_phase = BBR_ACKS_INIT;
    b->initial_cwnd = cc->cwnd;           /* C.InitialCwnd, 5.6.4.1 */
    b->has_seen_rtt = srtt != 0;
    b->random = now ^ ((uint64_t)cc->mss << 48) ^ srtt << 16 ^ cc->cwnd;
    bbr_reset_short_term_model(b);
    bbr_init_pacing_rate(b, cc, srtt);
    bbr_enter_startup(b);
}

/* 5.6.4.4: "When BBR exits loss recovery it restores C.cwnd to the "last known good" value that C.cwnd held before entering recovery." */
static void recovered(struct bbr *b, struct pl_cc *cc)
{
    if (b->in_recovery)
        bbr_restore_cwnd(b, cc);
    b->in_recovery = b->is_saved = false;
}

/* GenerateRateSample, as far as it is left to do. */
static struct bbr_rs rate_sample(const struct bbr *b, const struct pl_cc_ack *a)
{
    struct bbr_rs rs = {
        .now = a->now,
        .rtt = a->rtt,
        .prior_delivered = a->rate.prior_delivered,
        .delivered = a->rate.delivered,
        .newly_acked = a->delivered,
        .lost = a->rate.lost,
        .tx_in_flight = a->rate.tx_in_flight,
        .inflight = a->in_flight,
        .is_app_limited = bbr_was_app_limited(b, a->rate.app_limited, a->rate.prior_delivered),
        .phase = a->phase,
    };
    if (a->rate.valid)
        rs.delivery_rate = bbr_min64((uint64_t)a->rate.delivered * PL_S / a->rate.interval, BBR_BW_MAX);
    return rs;
}

/* 5.2.3, UpdateOnACK. */
void bbr_on_ack(void *user, struct pl_cc *cc, void *state, const struct pl_cc_ack *a)
{
    struct bbr *b = state;
    struct bbr_rs rs = rate_sample(b, a);
    (void)user;
    b->delivered = a->delivered_total;
    b->no_sack = a->no_sack;
    b->is_rto = false;
    b->random += a->una;                  /* so that connections that start at the same moment do not move in step */
    if (a->in_flight_before + cc->mss > cc->cwnd)
        b->is_cwnd_limited = true;
    if (a->phase == PL_CC_OPEN)           /* whatever way the recovery ended */
        recovered(b, cc);
    if (!b->has_seen_rtt && a->srtt) {
        b->has_seen_rtt = true;
        bbr_init_pacing_rate(b, cc, a->srtt);
    }
    if (!a->delivered) {                  /* it revealed losses, and says nothing else of the path */
        bbr_update_control_parameters(b, cc, &rs);
        return;
    }
    /* UpdateModelAndState */
    bbr_update_latest_delivery_signals(b, &rs);
    bbr_update_congestion_signals(b, cc, &rs);
    bbr_update_ack_aggregation(b, cc, &rs);
    bbr_check_full_bw_reached(b, &rs);
    bbr_check_startup_done(b, &rs);
    if (bbr_is_drain_done(b, cc, &rs))
        bbr_start_probe_bw_down(b, a->now);              /* EnterProbeBW */
    bbr_update_probe_bw_cycle_phase(b, cc, &rs);
    bbr_update_min_rtt(b, cc, &rs);
    bbr_check_probe_rtt(b, cc, &rs);
    if (b->state != BBR_PROBE_BW_DOWN)
        b->down_until = bbr_min64(b->down_until, b->delivered);
    bbr_advance_latest_delivery_signals(b, &rs);
    bbr_bound_bw_for_model(b);
    bbr_update_control_parameters(b, cc, &rs);
}

/* 5.6.4.4, OnEnterFastRecovery. Without SACK nobody knows which segments are lost (on_lost is not called): one is, of those in flight. */
void bbr_on_loss(void *user, struct pl_cc *cc, void *state, pl_time now, uint32_t flight)
{
    struct bbr *b = state;
    struct pl_cc_lost one = {.now = now, .bytes = cc->mss, .delivered_total = b->delivered, .lost_since_sent = cc->mss, .tx_in_flight = flight};
    (void)user;
    bbr_save_state_upon_loss(b, cc);
    b->in_recovery = true;
    if (b->no_sack)
        bbr_handle_lost_packet(b, cc, &one);
}

/* 5.6.4.4, OnEnterRTO: "C.cwnd = C.inflight + 1". What the time-out takes out of C.inflight is told to on_lost after this; without SACK it is everything. */
void bbr_on_rto(void *user, struct pl_cc *cc, void *state, pl_time now, uint32_t flight, bool first)
{
    struct bbr *b = state;
    (void)user, (void)now, (void)first;
    bbr_save_state_upon_loss(b, cc);
    b->in_recovery = true;
    b->is_rto = true;
    cc->cwnd = b->no_sack ? cc->mss : bbr_min32(flight + cc->mss, PL_CC_CWND_MAX);
}

void bbr_on_recovered(void *user, struct pl_cc *cc, void *state, pl_time now)
{
    (void)user, (void)now;
    recovered(state, cc);
}

void bbr_on_undo(void *user, struct pl_cc *cc, void *state, pl_time now)
{
    struct bbr *b = state;
    (void)user, (void)now;
    b->in_recovery = b->is_saved = false;
    bbr_handle_spurious_loss_detection(b, cc);
}

/* 5.4.1, HandleRestartFromIdle. */
void bbr_on_restart(void *user, struct pl_cc *cc, void *state, pl_time now, pl_time idle, bool app_limited)
{
    struct bbr *b = state;
    (void)user, (void)idle;
    if (!app_limited)
        return;
    b->idle_restart = true;
    b->extra_acked_interval_start = now;
    if (bbr_is_in_a_probe_bw_state(b))
        bbr_set_pacing_rate_with_gain(b, cc, 100);
    else if (b->state == BBR_PROBE_RTT)
        bbr_check_probe_rtt_done(b, cc, now);
}

void bbr_on_lost(void *user, struct pl_cc *cc, void *state, const struct pl_cc_lost *lost)
{
    struct bbr *b = state;
    (void)user;
    if (b->is_rto)
        cc->cwnd = bbr_max32(cc->cwnd > lost->bytes ? cc->cwnd - lost->bytes : 0, cc->mss);
    bbr_handle_lost_packet(b, cc, lost);
}

const char *bbr_on_describe(void *user, const struct pl_cc *cc, const void *state)
{
    (void)user, (void)cc;
    return bbr_state_name(state);
}
