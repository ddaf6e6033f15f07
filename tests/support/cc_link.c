/* SPDX-License-Identifier: MIT */
#include "support/cc_link.h"

#include <stdlib.h>
#include <string.h>

enum { HEADERS = 40, REORDERING = 3 };

static struct cc_packet *packet(struct cc_flow *f, uint64_t number) { return &f->ring[number % CC_LINK_RING]; }

void cc_link_init(struct cc_link *l, uint64_t bits_per_second, pl_time rtt, uint32_t queue_bytes)
{
    *l = (struct cc_link){.rate = bits_per_second / 8, .rtt = rtt, .queue_bytes = queue_bytes, .mss = 1460, .now = 1 * PL_S};
    l->air = calloc(CC_LINK_RING * CC_LINK_FLOWS, sizeof *l->air);
    prng_seed(&l->luck, 2027);
}

struct cc_flow *cc_link_add(struct cc_link *l, const struct pl_cc_ops *ops, pl_time start)
{
    struct cc_flow *f = &l->flow[l->flows++];
    *f = (struct cc_flow){.ops = ops, .start = start, .next_send = start, .srtt = l->rtt, .min_rtt = l->rtt, .min_in_flight = UINT32_MAX};
    f->ring = calloc(CC_LINK_RING, sizeof *f->ring);
    f->cc = (struct pl_cc){.cwnd = 10 * l->mss, .ssthresh = PL_CC_CWND_MAX, .mss = l->mss};
    ops->on_start(ops->user, &f->cc, f->state, start, l->rtt);
    f->phases[0] = ops->on_describe(ops->user, &f->cc, f->state);
    f->visits[0] = 1;
    return f;
}

void cc_link_free(struct cc_link *l)
{
    for (unsigned i = 0; i < l->flows; i++)
        free(l->flow[i].ring);
    free(l->air);
}

static void note_phase(struct cc_flow *f)
{
    const char *name = f->ops->on_describe(f->ops->user, &f->cc, f->state);
    unsigned i = 0;
    if (name == f->phases[f->phase_now])
        return;
    while (f->phases[i] && f->phases[i] != name)
        i++;
    f->phases[i] = name;
    f->visits[i]++;
    f->phase_now = i;
}
const char *cc_flow_phase(const struct cc_flow *f) { return f->phases[f->phase_now]; }
unsigned cc_flow_visits(const struct cc_flow *f, const char *phase)
{
    for (unsigned i = 0; i < 16 && f->phases[i]; i++)
        if (strcmp(f->phases[i], phase) == 0)
            return f->visits[i];
    return 0;
}

static uint64_t app_unsent(const struct cc_link *l, const struct cc_flow *f)
{
    if (!f->app_rate)
        return UINT32_MAX;
    uint64_t given = (l->now - f->app_at) / PL_US * f->app_rate / 1000000;
    return given > f->app_sent + l->mss ? given - f->app_sent : 0;
}

/* Into the queue, and out of it as an ACK; or not. */
static void transmit(struct cc_link *l, uint32_t flow, uint64_t number)
{
    uint64_t on_wire = l->mss + HEADERS;
    pl_time backlog = l->free_at > l->now ? l->free_at - l->now : 0;
    if (l->black_out && l->black_out--)
        return;
    if (backlog * (l->rate / 1000) / PL_MS + on_wire > l->queue_bytes || prng_below(&l->luck, 1000000) < l->loss_ppm)
        return;
    l->free_at = l->now + backlog + on_wire * PL_S / l->rate;
    pl_time at = l->free_at + l->rtt;
    if (l->slot)
        at = (at + l->slot - 1) / l->slot * l->slot;
    l->air[l->air_tail++ % (CC_LINK_RING * CC_LINK_FLOWS)] = (struct cc_in_air){at, number, flow};
}

/* When the flow may send next: PL_NEVER: not before something arrives. */
static pl_time may_send(const struct cc_link *l, const struct cc_flow *f)
{
    if (f->in_flight + l->mss > f->cc.cwnd || f->nxt - f->una >= CC_LINK_RING)
        return PL_NEVER;
    pl_time at = f->next_send > l->now ? f->next_send : l->now;
    if (f->app_rate && !app_unsent(l, f)) {
        pl_time given = f->app_at + (f->app_sent + l->mss + 1) * PL_S / f->app_rate + PL_US;
        at = given > at ? given : at;
    }
    return at > f->start ? at : f->start;
}

/* A quantum, as far as the window goes. */
static void send_some(struct cc_link *l, uint32_t flow)
{
    struct cc_flow *f = &l->flow[flow];
    uint32_t sent = 0;
    if (f->app_rate && app_unsent(l, f) < 2 * l->mss)
        rate_limited(&f->rate, 0, 0, f->in_flight, f->cc.cwnd);      /* "upon each write from the application" */
    if (!f->in_flight && f->last_sent)
        f->ops->on_restart(f->ops->user, &f->cc, f->state, l->now, l->now - f->last_sent, f->rate.app_limited != 0);
    do {
        struct cc_packet *p = packet(f, f->nxt);
        *p = (struct cc_packet){.sent = l->now};
        f->in_flight += l->mss;
        rate_sent(&f->rate, &p->p, l->now, l->mss, f->in_flight);
        transmit(l, flow, f->nxt++);
        f->app_sent += l->mss;
        f->last_sent = l->now;
        sent += l->mss;
    } while (sent < f->cc.quantum && f->in_flight + l->mss <= f->cc.cwnd && app_unsent(l, f) && f->nxt - f->una < CC_LINK_RING);
    if (f->in_flight == sent)
        f->last_heard = l->now;
    f->next_send = l->now + (f->cc.pacing_rate ? sent * PL_S / f->cc.pacing_rate : 0);
}

static void lose(struct cc_link *l, struct cc_flow *f, struct rate_round *rs, uint64_t number)
{
    struct cc_packet *p = packet(f, number);
    struct pl_cc_lost why;
    p->lost = true;
    f->in_flight -= l->mss;
    f->losses++;
    rate_lost(&f->rate, rs, &p->p, (uint32_t)number * l->mss, l->mss, l->now, &why);
    f->ops->on_lost(f->ops->user, &f->cc, f->state, &why);
}

static void lose_what_lies_behind(struct cc_link *l, struct cc_flow *f, struct rate_round *rs, uint64_t end)
{
    for (; f->scanned < end; f->scanned++)
        if (!packet(f, f->scanned)->arrived && !packet(f, f->scanned)->lost)
            lose(l, f, rs, f->scanned);
    while (f->una < f->nxt && (packet(f, f->una)->arrived || packet(f, f->una)->lost))
        f->una++;
}

static void time_out(struct cc_link *l, struct cc_flow *f)
{
    f->rtos++;
    f->ops->on_rto(f->ops->user, &f->cc, f->state, l->now, f->in_flight, f->phase != PL_CC_LOSS);
    lose_what_lies_behind(l, f, NULL, f->nxt);
    f->phase = PL_CC_LOSS;
    f->recover = f->nxt;
    f->last_heard = l->now;
    note_phase(f);
}
static pl_time time_out_at(const struct cc_flow *f) { return f->in_flight ? f->last_heard + 200 * PL_MS + 3 * f->srtt : PL_NEVER; }

/* All ACKs of one moment for one flow are one. */
static void hear(struct cc_link *l)
{
    struct cc_in_air first = l->air[l->air_head % (CC_LINK_RING * CC_LINK_FLOWS)];
    struct cc_flow *f = &l->flow[first.flow];
    struct rate_round rs = {0};
    struct pl_cc_ack a = {.now = l->now, .in_flight_before = f->in_flight, .srtt = f->srtt, .min_rtt = f->min_rtt, .no_sack = f->no_sack};
    uint64_t newest = 0, una = f->una;
    rate_limited(&f->rate, (uint32_t)(app_unsent(l, f) & UINT32_MAX), 0, f->in_flight, f->cc.cwnd);
    while (l->air_head != l->air_tail) {
        struct cc_in_air *in = &l->air[l->air_head % (CC_LINK_RING * CC_LINK_FLOWS)];
        if (in->at != first.at || in->flow != first.flow)
            break;
        struct cc_packet *p = packet(f, in->number);
        l->air_head++;
        if (p->lost)
            continue;                     /* given up too early */
        p->arrived = true;
        f->in_flight -= l->mss;
        rate_delivered(&f->rate, &rs, &p->p, l->mss, p->sent, (uint32_t)(in->number + 1) * l->mss, l->now);
        newest = in->number;
        a.rtt = l->now - p->sent;
    }
    if (!rs.has_data)
        return;
    f->last_heard = l->now;
    f->min_rtt = a.rtt < f->min_rtt ? a.rtt : f->min_rtt;
    f->srtt += a.rtt / 8 - f->srtt / 8;
    f->max_rtt = a.rtt > f->max_rtt ? a.rtt : f->max_rtt;
    lose_what_lies_behind(l, f, &rs, newest > REORDERING ? newest - REORDERING : 0);
    if (rs.newly_lost && f->phase == PL_CC_OPEN) {
        f->phase = PL_CC_RECOVERY;
        f->recover = f->nxt;
        f->ops->on_loss(f->ops->user, &f->cc, f->state, l->now, a.in_flight_before);
    } else if (f->phase != PL_CC_OPEN && newest >= f->recover) {
        f->phase = PL_CC_OPEN;
        (f->spurious ? f->ops->on_undo : f->ops->on_recovered)(f->ops->user, &f->cc, f->state, l->now);
    }
    a.acked = (uint32_t)(f->una - una) * l->mss;
    a.delivered = rs.newly_acked;
    a.lost = rs.newly_lost;
    a.in_flight = f->in_flight;
    a.delivered_total = f->rate.delivered;
    a.lost_total = f->rate.lost;
    a.una = (uint32_t)f->una * l->mss + first.flow;
    a.nxt = (uint32_t)f->nxt * l->mss + first.flow;
    a.phase = f->phase;
    a.limited = a.in_flight_before + l->mss > f->cc.cwnd;
    a.paced = true;
    rate_finish(&f->rate, &rs, f->min_rtt, &a.rate);
    a.app_limited = f->rate.app_limited != 0;
    f->ops->on_ack(f->ops->user, &f->cc, f->state, &a);
    f->min_in_flight = f->in_flight < f->min_in_flight ? f->in_flight : f->min_in_flight;
    note_phase(f);
}

/* One event, if there is one until then. */
static bool step(struct cc_link *l, pl_time until)
{
    pl_time best = l->air_head != l->air_tail ? l->air[l->air_head % (CC_LINK_RING * CC_LINK_FLOWS)].at : PL_NEVER;
    int who = -1;
    bool rto = false;
    for (unsigned i = 0; i < l->flows; i++) {
        pl_time at = may_send(l, &l->flow[i]), out = time_out_at(&l->flow[i]);
        if (at < best)
            best = at, who = (int)i, rto = false;
        if (out < best)
            best = out, who = (int)i, rto = true;
    }
    if (best > until)
        return false;
    l->now = best > l->now ? best : l->now;
    if (who < 0)
        hear(l);
    else if (rto)
        time_out(l, &l->flow[who]);
    else
        send_some(l, (uint32_t)who);
    return true;
}

void cc_link_run(struct cc_link *l, pl_time duration)
{
    pl_time until = l->now + duration;
    while (step(l, until))
        ;
    l->now = until;
}

bool cc_link_run_to_phase(struct cc_link *l, struct cc_flow *f, const char *phase, pl_time at_most)
{
    pl_time until = l->now + at_most;
    while (strcmp(cc_flow_phase(f), phase) != 0)
        if (!step(l, until))
            return false;
    return true;
}

unsigned cc_link_share(struct cc_link *l, struct cc_flow *f, pl_time duration)
{
    uint64_t before = f->rate.delivered;
    cc_link_run(l, duration);
    uint64_t most = (duration / PL_MS) * (l->rate / 1000) * l->mss / (l->mss + HEADERS);
    return (unsigned)((f->rate.delivered - before) * 100 / most);
}
