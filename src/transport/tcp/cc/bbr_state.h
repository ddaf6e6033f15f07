/* SPDX-License-Identifier: MIT
 *
 * bbr_state.h: what BBR remembers, under the draft's names (draft-ietf-ccwg-bbr-06 section 2), and how its files call each other:
 *
 *   bbr.c             5.2            what happens at each event, in the draft's order
 *   bbr_startup.c     5.3.1, 5.3.2   Startup, Drain; has the pipe been filled?
 *   bbr_probe_bw.c    5.3.3          DOWN, CRUISE, REFILL, UP
 *   bbr_probe_rtt.c   5.3.4          ProbeRTT, and min_rtt (5.5.7)
 *   bbr_model.c       5.5            rounds, max_bw, extra_acked, the short-term model
 *   bbr_loss.c        5.5.10, 5.5.11 losses, and losses that were none
 *   bbr_control.c     5.6            pacing rate, quantum, cwnd
 *
 * Bandwidth is in bytes per second, data in bytes, gains in hundredths. C.* of the draft is struct pl_cc, RS.* is struct bbr_rs.
 */
#ifndef TCP_CC_BBR_STATE_H
#define TCP_CC_BBR_STATE_H

#include <parley/cc.h>

enum bbr_state { BBR_STARTUP, BBR_DRAIN, BBR_PROBE_BW_DOWN, BBR_PROBE_BW_CRUISE, BBR_PROBE_BW_REFILL, BBR_PROBE_BW_UP, BBR_PROBE_RTT, BBR_NO_STATE };
enum bbr_ack_phase { BBR_ACKS_INIT, BBR_ACKS_REFILLING, BBR_ACKS_PROBE_STARTING, BBR_ACKS_PROBE_FEEDBACK, BBR_ACKS_PROBE_STOPPING };

/* 2.5 to 2.16: the constants. */
enum {
    BBR_STARTUP_PACING_GAIN = 277,
    BBR_DRAIN_PACING_GAIN = 50,
    BBR_DOWN_PACING_GAIN = 90,
    BBR_DEFAULT_CWND_GAIN = 200,
    BBR_PROBE_RTT_CWND_GAIN = 50,
    BBR_PACING_MARGIN_PERCENT = 1,
    BBR_LOSS_THRESH_PERCENT = 2,
    BBR_BETA_PERCENT = 70,
    BBR_HEADROOM_PERCENT = 15,
    BBR_STARTUP_FULL_LOSS_CNT = 6,
    BBR_EXTRA_ACKED_FILTER_LEN = 10,      /* rounds */
    BBR_RENO_ROUNDS = 63,                 /* 5.3.3.8.2: T_reno_bound */
};
#define BBR_MIN_RTT_FILTER_LEN (10 * PL_S)
#define BBR_PROBE_RTT_DURATION (200 * PL_MS)
#define BBR_PROBE_RTT_INTERVAL (5 * PL_S)

#define BBR_INFINITY UINT32_MAX           /* data */
#define BBR_BW_INFINITY UINT64_MAX
#define BBR_RTT_INFINITY UINT64_MAX
#define BBR_BW_MAX ((uint64_t)1 << 40)    /* bytes per second: no sample above; so that products of it fit into 64 bits */

/* The rate sample of one ACK, with what else it brought. */
struct bbr_rs {
    pl_time now, rtt;                     /* rtt: RS.rtt, 0: none */
    uint64_t delivery_rate;               /* RS.delivery_rate, 0: none */
    uint64_t prior_delivered;
    uint32_t delivered, newly_acked, lost, tx_in_flight;
    uint32_t inflight;                    /* C.inflight */
    bool is_app_limited;
    uint8_t phase;                        /* enum pl_cc_phase */
};

struct bbr {
    /* 2.7, 2.9: state, and the model of the path */
    uint8_t state;                        /* BBR.state */
    uint8_t ack_phase;                    /* BBR.ack_phase */
    uint8_t undo_state;
    uint8_t bw_probe_up_rounds;
    bool round_start, loss_round_start, idle_restart;
    bool full_bw_reached, full_bw_now;
    bool is_bw_probe_sample, is_loss_in_round;
    bool prev_probe_too_high, prev_probe_precautionary;
    bool probe_rtt_expired, probe_rtt_round_done;
    bool in_recovery;                     /* InLossRecovery(): from on_loss or on_rto to on_recovered */
    bool is_saved;                        /* 5.5.11.1: what this loss episode may have to restore is saved */
    bool is_rto;                          /* a time-out: on_lost tells what it takes out of C.inflight */
    bool has_seen_rtt;                    /* 5.6.2: "the initial C.srtt after the first non-zero RTT sample" */
    bool no_sack;                         /* !C.has_selective_acks */
    bool is_cwnd_limited, was_cwnd_limited;              /* 2.2, C.is_cwnd_limited: in this round, in the last */
    uint8_t full_bw_count;
    uint8_t loss_events_in_round;         /* 5.3.1.3: discontiguous ranges lost in this round */
    uint32_t lost_end;                    /* where the last of them ends */
    uint32_t round_count, drain_start_round, rounds_since_probe_up;

    uint64_t delivered;                   /* C.delivered */
    uint64_t next_round_delivered, loss_round_delivered;
    uint64_t max_bw, bw, bw_shortterm, bw_latest, full_bw;
    uint64_t max_bw_filter[2];            /* 5.5.6: the previous ProbeBW cycle and this one */
    uint32_t inflight_longterm, inflight_shortterm, inflight_latest;
    uint32_t max_inflight, initial_cwnd, prior_cwnd;
    pl_time min_rtt, min_rtt_stamp;
    pl_time least_rtt;                    /* the smallest of all RS.rtt */
    pl_time probe_rtt_min_delay, probe_rtt_min_stamp, probe_rtt_done_stamp;

    /* 2.12 */
    pl_time extra_acked_interval_start;
    uint64_t extra_acked_delivered;
    uint32_t extra_acked_filter[BBR_EXTRA_ACKED_FILTER_LEN];         /* the largest of each of the last rounds, at round_count % length */
    uint32_t extra_acked;

    /* 2.14 */
    uint32_t probe_up_acked_per_inc, bw_probe_up_acked, pad_;
    pl_time cycle_stamp, bw_probe_wait;

    /* 2.15 */
    uint64_t undo_bw_shortterm;
    uint32_t undo_inflight_shortterm, undo_inflight_longterm;

    /* C.delivered between which we held back on purpose: ProbeRTT (5.3.4.3, MarkConnectionAppLimited), and the last ProbeBW_DOWN */
    uint64_t limited_from, limited_until;
    uint64_t down_from, down_until;       /* down_until is UINT64_MAX while it lasts */
    uint64_t random;
};
_Static_assert(sizeof(struct bbr) <= PL_CC_STATE_BYTES, "BBR's state");

static inline uint32_t bbr_min32(uint32_t a, uint32_t b) { return a < b ? a : b; }
static inline uint32_t bbr_max32(uint32_t a, uint32_t b) { return a > b ? a : b; }
static inline uint64_t bbr_min64(uint64_t a, uint64_t b) { return a < b ? a : b; }
static inline uint64_t bbr_max64(uint64_t a, uint64_t b) { return a > b ? a : b; }
static inline uint32_t bbr_percent(uint32_t x, uint32_t percent) { return (uint32_t)((uint64_t)x * percent / 100); }
static inline bool bbr_is_in_a_probe_bw_state(const struct bbr *b) { return b->state >= BBR_PROBE_BW_DOWN && b->state <= BBR_PROBE_BW_UP; }
static inline bool bbr_is_cwnd_limited(const struct bbr *b) { return b->is_cwnd_limited || b->was_cwnd_limited; }

static inline bool bbr_was_app_limited(const struct bbr *b, bool marked, uint64_t prior_delivered)
{
    return marked || (prior_delivered >= b->limited_from && prior_delivered < b->limited_until);
}

/* bbr_startup.c */
void bbr_enter_startup(struct bbr *);
void bbr_reset_full_bw(struct bbr *);
void bbr_check_full_bw_reached(struct bbr *, const struct bbr_rs *);
void bbr_check_startup_done(struct bbr *, const struct bbr_rs *);
bool bbr_is_drain_done(const struct bbr *, const struct pl_cc *, const struct bbr_rs *);
/* bbr_probe_bw.c */
void bbr_start_probe_bw_down(struct bbr *, pl_time now);
void bbr_start_probe_bw_cruise(struct bbr *);
void bbr_start_probe_bw_refill(struct bbr *);
void bbr_update_probe_bw_cycle_phase(struct bbr *, const struct pl_cc *, const struct bbr_rs *);
uint32_t bbr_inflight_with_headroom(const struct bbr *, uint32_t mss);
/* bbr_probe_rtt.c */
void bbr_update_min_rtt(struct bbr *, const struct pl_cc *, const struct bbr_rs *);
void bbr_check_probe_rtt(struct bbr *, struct pl_cc *, const struct bbr_rs *);
void bbr_check_probe_rtt_done(struct bbr *, struct pl_cc *, pl_time now);
uint32_t bbr_probe_rtt_cwnd(const struct bbr *, uint32_t mss);
/* bbr_model.c */
uint64_t bbr_bytes_in(uint64_t bw, pl_time);
uint32_t bbr_bdp_multiple(const struct bbr *, uint64_t bw, uint32_t gain);
void bbr_start_round(struct bbr *);
void bbr_update_latest_delivery_signals(struct bbr *, const struct bbr_rs *);
void bbr_advance_latest_delivery_signals(struct bbr *, const struct bbr_rs *);
void bbr_update_congestion_signals(struct bbr *, const struct pl_cc *, const struct bbr_rs *);
void bbr_reset_congestion_signals(struct bbr *);
void bbr_reset_short_term_model(struct bbr *);
void bbr_advance_max_bw_filter(struct bbr *);
void bbr_update_ack_aggregation(struct bbr *, const struct pl_cc *, const struct bbr_rs *);
void bbr_bound_bw_for_model(struct bbr *);
/* bbr_loss.c */
void bbr_save_cwnd(struct bbr *, const struct pl_cc *);
void bbr_restore_cwnd(const struct bbr *, struct pl_cc *);
void bbr_save_state_upon_loss(struct bbr *, const struct pl_cc *);
bool bbr_is_inflight_too_high(const struct bbr *, uint32_t lost, uint32_t tx_in_flight);
uint32_t bbr_target_inflight(const struct bbr *, const struct pl_cc *);
void bbr_handle_lost_packet(struct bbr *, const struct pl_cc *, const struct pl_cc_lost *);
void bbr_handle_spurious_loss_detection(struct bbr *, struct pl_cc *);
/* bbr_control.c */
const char *bbr_state_name(const struct bbr *);
void bbr_init_pacing_rate(const struct bbr *, struct pl_cc *, pl_time srtt);
void bbr_set_pacing_rate_with_gain(const struct bbr *, struct pl_cc *, uint32_t gain);
void bbr_update_control_parameters(struct bbr *, struct pl_cc *, const struct bbr_rs *);
uint32_t bbr_inflight(const struct bbr *, const struct pl_cc *, uint64_t bw, uint32_t gain);

#endif
