/* SPDX-License-Identifier: MIT
 *
 * BBR's control parameters, draft-ietf-ccwg-bbr section 5.6: pacing rate, quantum and cwnd follow from the state and the model.
 */
#include "transport/tcp/cc/bbr_state.h"

/* 5.6.1, as a table: gains in hundredths. */
static const struct {
    const char *name;
    uint16_t pacing_gain, cwnd_gain;
} states[] = {
    [BBR_STARTUP] = {"Startup", BBR_STARTUP_PACING_GAIN, BBR_DEFAULT_CWND_GAIN},
    [BBR_DRAIN] = {"Drain", BBR_DRAIN_PACING_GAIN, BBR_DEFAULT_CWND_GAIN},
    [BBR_PROBE_BW_DOWN] = {"ProbeBW_DOWN", BBR_DOWN_PACING_GAIN, BBR_DEFAULT_CWND_GAIN},
    [BBR_PROBE_BW_CRUISE] = {"ProbeBW_CRUISE", 100, BBR_DEFAULT_CWND_GAIN},
    [BBR_PROBE_BW_REFILL] = {"ProbeBW_REFILL", 100, BBR_DEFAULT_CWND_GAIN},
    [BBR_PROBE_BW_UP] = {"ProbeBW_UP", 125, 225},
    [BBR_PROBE_RTT] = {"ProbeRTT", 100, BBR_PROBE_RTT_CWND_GAIN},
};

const char *bbr_state_name(const struct bbr *b) { return states[b->state].name; }

/* 5.6.3, SetSendQuantum. */
static void set_send_quantum(struct pl_cc *cc)
{
    cc->quantum = bbr_max32((uint32_t)bbr_min64(cc->pacing_rate / 1000, 64 * 1024), 2 * cc->mss);
}

/* 5.6.2, InitPacingRate: "When a BBR flow starts it has no bw estimate". */
void bbr_init_pacing_rate(const struct bbr *b, struct pl_cc *cc, pl_time srtt)
{
    uint64_t nominal_bandwidth = bbr_min64((uint64_t)b->initial_cwnd * PL_S / (srtt ? srtt : PL_MS), BBR_BW_MAX);
    cc->pacing_rate = bbr_max64(nominal_bandwidth * BBR_STARTUP_PACING_GAIN / 100, 1);
    set_send_quantum(cc);
}

/* 5.6.2, SetPacingRateWithGain. Without an estimate the rate stays as it is: 0 would mean not paced. Departure (docs/decisions/0008): the margin is one below
 * max_bw. Below bw_shortterm, which is what arrived at the rate of the round before, it would take another 1 % each round in which something was lost, however
 * little: "the steady-state [...] response to a [...] round trip with X% packet loss is to reduce the sending rate by X%" (5.3.3.8.3). */
void bbr_set_pacing_rate_with_gain(const struct bbr *b, struct pl_cc *cc, uint32_t gain)
{
    uint64_t rate = bbr_min64(b->bw, b->max_bw * (100 - BBR_PACING_MARGIN_PERCENT) / 100) * gain / 100;
    if (rate && (b->full_bw_reached || rate > cc->pacing_rate))
        cc->pacing_rate = rate;
}

/* 5.6.4.2, QuantizationBudget; the offload budget of 5.5.8.1 is three quanta. */
static uint32_t quantization_budget(const struct bbr *b, const struct pl_cc *cc, uint32_t inflight_cap)
{
    inflight_cap = bbr_max32(inflight_cap, 3 * cc->quantum);
    inflight_cap = bbr_max32(inflight_cap, 4 * cc->mss);             /* BBR.MinPipeCwnd */
    return b->state == BBR_PROBE_BW_UP ? inflight_cap + 2 * cc->mss : inflight_cap;
}

uint32_t bbr_inflight(const struct bbr *b, const struct pl_cc *cc, uint64_t bw, uint32_t gain)
{
    return quantization_budget(b, cc, bbr_bdp_multiple(b, bw, gain));
}

/* 5.6.4.7, BoundCwndForModel. */
static uint32_t bound_cwnd_for_model(const struct bbr *b, const struct pl_cc *cc)
{
    uint32_t cap = BBR_INFINITY;
    if (b->state == BBR_PROBE_RTT || b->state == BBR_PROBE_BW_CRUISE)
        cap = bbr_inflight_with_headroom(b, cc->mss);
    else if (bbr_is_in_a_probe_bw_state(b))
        cap = b->inflight_longterm;
    return bbr_max32(bbr_min32(cap, b->inflight_shortterm), 4 * cc->mss);
}

/* 5.6.4.6, SetCwnd. */
static void set_cwnd(struct bbr *b, struct pl_cc *cc, const struct bbr_rs *rs)
{
    uint32_t cwnd = cc->cwnd;
    b->max_inflight = quantization_budget(b, cc, bbr_bdp_multiple(b, b->bw, states[b->state].cwnd_gain) + b->extra_acked);
    if (b->full_bw_reached)
        cwnd = bbr_min32(cwnd + rs->newly_acked, b->max_inflight);
    else if (cwnd < b->max_inflight || b->delivered < b->initial_cwnd)
        cwnd += rs->newly_acked;
    cwnd = bbr_max32(cwnd, 4 * cc->mss);
    if (b->state == BBR_PROBE_RTT)        /* 5.6.4.5, BoundCwndForProbeRTT */
        cwnd = bbr_min32(cwnd, bbr_probe_rtt_cwnd(b, cc->mss));
    cc->cwnd = bbr_min32(bbr_min32(cwnd, bound_cwnd_for_model(b, cc)), PL_CC_CWND_MAX);
}

/* 5.2.3, UpdateControlParameters. */
void bbr_update_control_parameters(struct bbr *b, struct pl_cc *cc, const struct bbr_rs *rs)
{
    bbr_set_pacing_rate_with_gain(b, cc, states[b->state].pacing_gain);
    set_send_quantum(cc);
    set_cwnd(b, cc, rs);
}
