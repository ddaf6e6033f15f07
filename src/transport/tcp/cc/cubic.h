/* SPDX-License-Identifier: MIT
 *
 * cubic.h: CUBIC, RFC 9438, without its answers to ECN; slow start is HyStart++ (hystart.h).
 *
 * After a loss the window falls to beta = 0.7 of what was in flight, and grows along W_cubic(t) = C (t - K)^3 + W_max: fast at first, then hardly at all around
 * W_max, where the loss was, then faster and faster, in search of a new W_max. Reno's window, W_est, is estimated along with it: the larger of the two holds.
 *
 * Windows are bytes and times nanoseconds, but K and t are whole milliseconds in the cubic function, rounded down: windows to 2^30 bytes, MSS from 1, and
 * any t stay within 64 bits without a rounding but the last one. (But at the smallest windows K is more than a second: 1 ms is less than 0.1 % of it.)
 *
 * What is relied on:
 *   - An epoch (the congestion avoidance stage of the RFC) begins with the first ACK that finds cwnd >= ssthresh, the window in use (ack->limited) and no fast
 *     recovery going on; that ACK lets nothing grow. So it does not matter when cwnd has settled near ssthresh: just before or after on_recovered.
 *   - Whoever changes cwnd or the MSS besides (RFC 7661 after idling, a new path MTU) ends the epoch, and the next one begins from there.
 *   - HyStart++ does not listen to ACKs that find the window not used: they say nothing of the queue that it would fill.
 *   - t stands still from an ACK to the next if the latter finds the window not used, and over on_restart (section 5.8).
 *   - on_undo takes back the latest on_loss or first on_rto, cwnd and ssthresh included, unless cwnd has outgrown what it was by then.
 */
#ifndef TCP_CC_CUBIC_H
#define TCP_CC_CUBIC_H

#include "transport/tcp/cc/hystart.h"

/* RFC 9438 4.1.2, and what an undo restores. */
struct cubic_stage {
    pl_time epoch;                        /* t_epoch, moved on by what does not count */
    uint64_t est_rest;                    /* what is left of the last increment of w_est, in parts of a byte: 1 / (17 cwnd) */
    uint32_t cwnd_rest;                   /* of cwnd: 1 / cwnd */
    uint32_t w_max, w_est, cwnd_prior;    /* w_max 0: no congestion event yet */
    uint32_t k_ms;
    uint32_t cwnd, mss;                   /* as this stage left them */
    bool running;                         /* an epoch is: the above holds */
    bool timed_out;                       /* the next epoch is the first after a time-out */
    bool reno_friendly;
};

struct cubic {
    struct cubic_stage stage;
    pl_time seen;                         /* the last ACK */
    struct hystart hystart;
    struct {
        bool possible;
        uint32_t cwnd, ssthresh;
        struct cubic_stage stage;
    } undo;
};
_Static_assert(sizeof(struct cubic) <= PL_CC_STATE_BYTES, "the state of an algorithm");

/* The functions of struct pl_cc_ops, whose flags are 0; on_recovered and on_lost are NULL. */
void cubic_on_start(void *user, struct pl_cc *, void *state, pl_time now, pl_time srtt);
void cubic_on_ack(void *user, struct pl_cc *, void *state, const struct pl_cc_ack *);
/* The part of cubic_on_ack for ACKs that find the window not used, and nothing missing. */
void cubic_unused(struct cubic *, const struct pl_cc *, pl_time now);
void cubic_on_loss(void *user, struct pl_cc *, void *state, pl_time now, uint32_t flight);
void cubic_on_rto(void *user, struct pl_cc *, void *state, pl_time now, uint32_t flight, bool first);
void cubic_on_undo(void *user, struct pl_cc *, void *state, pl_time now);
void cubic_on_restart(void *user, struct pl_cc *, void *state, pl_time now, pl_time idle, bool app_limited);
const char *cubic_on_describe(void *user, const struct pl_cc *, const void *state);

/* The largest r with r^3 <= n. */
uint32_t cubic_root(uint64_t n);
/* W_cubic(t) of the stage, in bytes: 0 where it would be less, UINT32_MAX where it would be more. */
uint32_t cubic_window(const struct cubic_stage *, pl_time t, uint32_t mss);

#endif
