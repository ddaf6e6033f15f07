/* SPDX-License-Identifier: MIT */
#include "transport/tcp/cc/cc.h"
#include "transport/tcp/cc/bbr.h"
#include "transport/tcp/cc/bbr_state.h"
#include "transport/tcp/cc/cubic.h"
#include "transport/tcp/cc/newreno.h"
#include "transport/tcp/cc/none.h"
#include <parley/parley.h>

static uint32_t max32(uint32_t a, uint32_t b) { return a > b ? a : b; }
static uint32_t min32(uint32_t a, uint32_t b) { return a < b ? a : b; }

uint32_t cc_initial_window(uint32_t mss) { return min32(10 * mss, max32(2 * mss, 14600)); }

void cc_init(struct pl_cc *cc, uint32_t mss, bool syn_was_lost)
{
    *cc = (struct pl_cc){.cwnd = syn_was_lost ? mss : cc_initial_window(mss), .ssthresh = PL_CC_CWND_MAX, .mss = mss};
}

/* NULL: not a program's own, or the environment it came from is gone: then NewReno stands in. */
static const struct pl_cc_ops *own(const struct pl_env *env, uint32_t algorithm)
{
    uint32_t i = algorithm - PL_CC_USER;
    return algorithm >= PL_CC_USER && i < env->cc_count ? &env->cc[i] : NULL;
}

uint32_t cc_state_bytes(const struct pl_env *env, uint32_t algorithm)
{
    static const uint16_t bytes[PL_CC_USER] = {[PL_CC_NEWRENO] = sizeof(struct newreno), [PL_CC_CUBIC] = sizeof(struct cubic), [PL_CC_BBR] = sizeof(struct bbr)};
    const struct pl_cc_ops *o = own(env, algorithm);
    if (o)
        return o->state_bytes ? o->state_bytes : PL_CC_STATE_BYTES;
    return bytes[algorithm < PL_CC_USER ? algorithm : PL_CC_NEWRENO];
}

/* MAY-18 */
bool cc_exists(const struct pl_env *env, uint32_t algorithm, uint32_t state_bytes)
{
    return (algorithm < PL_CC_USER || own(env, algorithm)) && cc_state_bytes(env, algorithm) <= state_bytes;
}

const char *cc_name(const struct pl_env *env, uint32_t algorithm)
{
    static const char names[PL_CC_USER][8] = {"newreno", "cubic", "bbr", "none"};
    const struct pl_cc_ops *o = own(env, algorithm);
    return o ? o->name : names[algorithm < PL_CC_USER ? algorithm : PL_CC_NEWRENO];
}

uint32_t cc_flags(const struct pl_env *env, uint32_t algorithm)
{
    const struct pl_cc_ops *o = own(env, algorithm);
    return o ? o->flags : algorithm == PL_CC_BBR ? PL_CC_OWN_RECOVERY | PL_CC_WANTS_RATE : algorithm == PL_CC_NONE ? PL_CC_OWN_RECOVERY : 0;
}

/* A program's own function of that name, if the algorithm is one. */
#define OWN(k, name, ...)                                                                  \
    const struct pl_cc_ops *o = own((k).env, (k).algorithm);                                \
    if (o) {                                                                                \
        if (o->name)                                                                        \
            o->name(o->user, (k).cc, (k).state, __VA_ARGS__);                               \
        return;                                                                             \
    }

void cc_start(struct cc_call k, pl_time now, pl_time srtt)
{
    OWN(k, on_start, now, srtt)
    if (k.algorithm == PL_CC_CUBIC)
        cubic_on_start(NULL, k.cc, k.state, now, srtt);
    else if (k.algorithm == PL_CC_BBR)
        bbr_on_start(NULL, k.cc, k.state, now, srtt);
    else if (k.algorithm == PL_CC_NONE)
        none_on_start(NULL, k.cc, k.state, now, srtt);
}

void cc_ack(struct cc_call k, const struct pl_cc_ack *a)
{
    OWN(k, on_ack, a)
    if (k.algorithm == PL_CC_CUBIC)
        cubic_on_ack(NULL, k.cc, k.state, a);
    else if (k.algorithm == PL_CC_BBR)
        bbr_on_ack(NULL, k.cc, k.state, a);
    else if (k.algorithm != PL_CC_NONE)
        newreno_on_ack(NULL, k.cc, k.state, a);
}

bool cc_unused(struct cc_call k, pl_time now)
{
    if (k.algorithm == PL_CC_CUBIC)
        cubic_unused(k.state, k.cc, now);
    return k.algorithm == PL_CC_CUBIC || k.algorithm == PL_CC_NEWRENO || k.algorithm == PL_CC_NONE;
}

void cc_loss(struct cc_call k, pl_time now, uint32_t flight)
{
    OWN(k, on_loss, now, flight)
    if (k.algorithm == PL_CC_CUBIC)
        cubic_on_loss(NULL, k.cc, k.state, now, flight);
    else if (k.algorithm == PL_CC_BBR)
        bbr_on_loss(NULL, k.cc, k.state, now, flight);
    else if (k.algorithm != PL_CC_NONE)
        newreno_on_loss(NULL, k.cc, k.state, now, flight);
}

void cc_rto(struct cc_call k, pl_time now, uint32_t flight, bool first)
{
    OWN(k, on_rto, now, flight, first)
    if (k.algorithm == PL_CC_CUBIC)
        cubic_on_rto(NULL, k.cc, k.state, now, flight, first);
    else if (k.algorithm == PL_CC_BBR)
        bbr_on_rto(NULL, k.cc, k.state, now, flight, first);
    else if (k.algorithm != PL_CC_NONE)
        newreno_on_rto(NULL, k.cc, k.state, now, flight, first);
}

void cc_recovered(struct cc_call k, pl_time now)
{
    OWN(k, on_recovered, now)
    if (k.algorithm == PL_CC_BBR)
        bbr_on_recovered(NULL, k.cc, k.state, now);
    else if (k.algorithm != PL_CC_CUBIC && k.algorithm != PL_CC_NONE)
        newreno_on_recovered(NULL, k.cc, k.state, now);
}

void cc_undo(struct cc_call k, pl_time now)
{
    OWN(k, on_undo, now)
    if (k.algorithm == PL_CC_CUBIC)
        cubic_on_undo(NULL, k.cc, k.state, now);
    else if (k.algorithm == PL_CC_BBR)
        bbr_on_undo(NULL, k.cc, k.state, now);
    else if (k.algorithm != PL_CC_NONE)
        newreno_on_undo(NULL, k.cc, k.state, now);
}

void cc_restart(struct cc_call k, pl_time now, pl_time idle, bool app_limited)
{
    OWN(k, on_restart, now, idle, app_limited)
    if (k.algorithm == PL_CC_CUBIC)
        cubic_on_restart(NULL, k.cc, k.state, now, idle, app_limited);
    else if (k.algorithm == PL_CC_BBR)
        bbr_on_restart(NULL, k.cc, k.state, now, idle, app_limited);
}

void cc_lost(struct cc_call k, const struct pl_cc_lost *l)
{
    OWN(k, on_lost, l)
    if (k.algorithm == PL_CC_BBR)
        bbr_on_lost(NULL, k.cc, k.state, l);
}

const char *cc_describe(struct cc_call k)
{
    const struct pl_cc_ops *o = own(k.env, k.algorithm);
    if (o)
        return o->on_describe ? o->on_describe(o->user, k.cc, k.state) : "";
    if (k.algorithm == PL_CC_CUBIC)
        return cubic_on_describe(NULL, k.cc, k.state);
    if (k.algorithm == PL_CC_BBR)
        return bbr_on_describe(NULL, k.cc, k.state);
    if (k.algorithm == PL_CC_NONE)
        return none_on_describe(NULL, k.cc, k.state);
    return newreno_on_describe(NULL, k.cc, k.state);
}
