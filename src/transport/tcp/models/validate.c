/* SPDX-License-Identifier: MIT */
#include "transport/tcp/models/validate.h"
#include "transport/tcp/cc/cc.h"

static uint32_t max32(uint32_t a, uint32_t b) { return a > b ? a : b; }
static uint32_t min32(uint32_t a, uint32_t b) { return a < b ? a : b; }

/* RFC 7661 4.2-b: the pipeACK Sampling Period: max(3 RTT, 1 second) */
static pl_time sampling_period(pl_time srtt) { return 3 * srtt > PL_S ? 3 * srtt : PL_S; }

static void wait_for_sending(struct validate *v, uint32_t nxt, pl_time now)
{
    v->waiting = true;
    v->sample_end = nxt;
    v->at = now;
}

static void undefined(struct validate *v, uint32_t nxt, pl_time now)
{
    for (unsigned i = 0; i < VALIDATE_PERIODS; i++)
        v->highest[i] = 0;
    v->pipe_ack = VALIDATE_UNDEFINED;
    v->period_at = now;
    v->since = 0;
    v->full = false;
    wait_for_sending(v, nxt, now);
}

/* RFC 7661 4.1 */
void validate_init(struct validate *v, bool on, bool rates, uint32_t nxt, pl_time now)
{
    *v = (struct validate){.on = on, .rates = rates};
    undefined(v, nxt, now);
}

/* ------------------------------------------------------------------- the phase ------------------------------------------------------------------- */

/* RFC 7661 4.4.2: "a sender in the non-validated phase SHOULD control the maximum burst size, e.g., ... paces out the cwnd over its estimate of the RTT".
 * An algorithm that paces does that itself; an initial window may go at once at any time (RFC 6928), so an answer of that size is not held up. A round trip of
 * less than a millisecond, what any pace lets go at once, has nothing to spread over. */
#define SPREAD_RTT_MIN PL_MS
static void spread(struct validate *v, struct pl_cc *cc, pl_time srtt)
{
    if (v->paced)
        cc->pacing_rate = cc->quantum = 0;
    v->paced = v->since && cc->pacing_rate == 0 && srtt >= SPREAD_RTT_MIN && cc->cwnd > cc_initial_window(cc->mss);
    if (v->paced) {
        cc->pacing_rate = (uint64_t)cc->cwnd * PL_S / srtt;
        cc->quantum = cc_initial_window(cc->mss);
    }
}

/* RFC 7661 4.3, 4.4-a, 4.4-g: which phase it is, as of `at`. */
static void judge(struct validate *v, const struct pl_cc *cc, pl_time at)
{
    if (v->pipe_ack >= cc->cwnd / 2)
        v->since = 0;
    else if (v->since == 0)
        v->since = at ? at : 1;
}

/* What is older than the sampling period falls out of pipeACK, a measurement period at a time. */
static void age(struct validate *v, const struct pl_cc *cc, pl_time now, pl_time srtt)
{
    pl_time length = sampling_period(srtt) / VALIDATE_PERIODS;
    uint32_t largest;
    for (unsigned n = 0; now - v->period_at >= length && n < VALIDATE_PERIODS; n++) {
        v->period_at += length;
        largest = v->highest[VALIDATE_PERIODS - 1] = 0;
        for (unsigned i = VALIDATE_PERIODS - 1; i > 0; i--) {
            v->highest[i] = v->highest[i - 1];
            largest = max32(largest, v->highest[i]);
        }
        v->highest[0] = 0;
        v->pipe_ack = largest;
        judge(v, cc, v->period_at);
    }
    if (now - v->period_at >= length)
        v->period_at = now;
}

/* RFC 7661 4.4.3-a, 4.4.3-b, 4.5.2: "make one reduction ... for each NVP". */
static void expire(struct validate *v, struct pl_cc *cc, pl_time now)
{
    while (v->since && now - v->since >= VALIDATE_NVP) {
        uint32_t half = max32(cc->cwnd / 2, cc_initial_window(cc->mss));
        if (cc->cwnd <= half) {
            v->since = now;
            break;
        }
        cc->ssthresh = max32(cc->ssthresh, (uint32_t)((uint64_t)cc->cwnd * 3 / 4));
        cc->cwnd = half;
        v->expired++;
        v->since += VALIDATE_NVP;
        judge(v, cc, v->since);
    }
}

static void conclude(struct validate *v, struct pl_cc *cc, pl_time now, pl_time srtt)
{
    judge(v, cc, now);
    if (v->since || v->paced) {
        expire(v, cc, now);
        spread(v, cc, srtt);
    }
}

/* -------------------------------------------------------------------- samples -------------------------------------------------------------------- */

void validate_rate(struct validate *v, uint32_t bytes, pl_time interval, bool app_limited)
{
    uint64_t us = interval / PL_US;
    if (us == 0 || us > UINT32_MAX || bytes == 0)
        return;
    if (app_limited && v->rate.us && (uint64_t)bytes * v->rate.us < (uint64_t)v->rate.bytes * us)
        return;
    v->rate.bytes = bytes;
    v->rate.us = (uint32_t)us;
    v->rate_limited = app_limited;
}

/* What a sample mostly is where little is said: not the largest of its measurement period, which goes on, and so does the phase. */
static bool nothing_new(const struct validate *v, const struct pl_cc *cc, uint32_t sample, pl_time now)
{
    bool goes_on = now - v->period_at < VALIDATE_PERIOD_MIN && (v->since == 0 || now - v->since < VALIDATE_NVP);
    return goes_on && sample <= v->highest[0] && !v->paced && (v->since == 0) == (v->pipe_ack >= cc->cwnd / 2);
}

/* RFC 7661 4.2-a: "caching the value of HighACK and, after one RTT, measuring the difference". The RTT: until what was under way at the beginning is
 * acknowledged; and that must hold what the ACK before has let go, or a sample would be less than the window for no other reason than its beginning. */
void validate_sample(struct validate *v, struct pl_cc *cc, const struct validate_ack *a)
{
    if (v->waiting) {
        if (a->nxt == v->sample_end) {
            v->at = a->now;
            return;
        }
        v->waiting = false;
        v->sample_una = a->una_before;
        v->sample_end = a->nxt;
        if (seq_lt(a->una, v->sample_end))
            return;
    }
    uint32_t sample = a->una - v->sample_una;
    if (v->rates)
        validate_rate(v, sample, a->now - v->at, !v->full);
    wait_for_sending(v, a->nxt, a->now);
    if (!v->on || nothing_new(v, cc, sample, a->now))
        return;
    if (v->pipe_ack == VALIDATE_UNDEFINED) {
        v->period_at = a->now;
        v->pipe_ack = 0;
    } else {
        age(v, cc, a->now, a->srtt);
    }
    v->highest[0] = max32(v->highest[0], sample);
    v->pipe_ack = max32(v->pipe_ack, sample);
    conclude(v, cc, a->now, a->srtt);
}

void validate_idle(struct validate *v, struct pl_cc *cc, pl_time now, pl_time idle, pl_time srtt)
{
    /* nothing was sent for as long as a sample counts: that is a measurement, too */
    if (v->pipe_ack == VALIDATE_UNDEFINED && idle >= sampling_period(srtt)) {
        v->pipe_ack = 0;
        v->period_at = now - idle;
    }
    if (v->pipe_ack == VALIDATE_UNDEFINED)
        return;
    age(v, cc, now, srtt);
    conclude(v, cc, now, srtt);
}

/* --------------------------------------------------------------------- losses --------------------------------------------------------------------- */

/* RFC 7661 4.4-e: "MUST exit the non-validated phase"; RFC 7661 4.4.1-a */
uint32_t validate_loss(struct validate *v, struct pl_cc *cc, uint32_t flight)
{
    if (v->since == 0)
        return flight;
    v->loss_flight = max32(max32(v->pipe_ack, flight), 1);
    v->resent = 0;
    v->since = 0;
    spread(v, cc, 0);
    return v->loss_flight;
}

/* RFC 7661 4.4.1-a: "cwnd = (Max(pipeACK,LossFlightSize))/2", whatever the algorithm's own factor is; PRR (RFC 9937) leads the window there. */
void validate_reduce(const struct validate *v, struct pl_cc *cc)
{
    if (v->loss_flight)
        cc->ssthresh = min32(cc->ssthresh, max32(v->loss_flight / 2, cc->mss));
}

/* RFC 7661 4.4.1-b, 4.4.1-c, 4.4.1-d: "cwnd = (Max(pipeACK,LossFlightSize) - R)/2", "MUST NOT be reduced below 1 TCP Maximum Segment Size", "MUST
 * re-initialise the pipeACK variable". */
void validate_recovered(struct validate *v, struct pl_cc *cc, uint32_t nxt, pl_time now)
{
    if (v->loss_flight) {
        uint32_t rest = v->loss_flight > v->resent ? v->loss_flight - v->resent : 0;
        cc->ssthresh = min32(cc->ssthresh, max32(rest / 2, cc->mss));
        cc->cwnd = min32(cc->cwnd, cc->ssthresh);
    }
    validate_forget(v, cc, nxt, now);
}

void validate_forget(struct validate *v, struct pl_cc *cc, uint32_t nxt, pl_time now)
{
    v->loss_flight = v->resent = 0;
    undefined(v, nxt, now);
    spread(v, cc, 0);
}
