/* SPDX-License-Identifier: MIT
 *
 * run.c: from a scenario to a world, and through its time. See run.h.
 */
#include "sim/run.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---------------------------------------- building ---------------------------------------- */

static unsigned flows_of(const struct scenario *s, unsigned node)
{
    unsigned n = 0;
    for (unsigned i = 0; i < s->flows; i++)
        n += s->flow[i].node[0] == node || s->flow[i].node[1] == node;
    return n;
}

static uint64_t larger(uint64_t a, uint64_t b) { return a > b ? a : b; }

/* Room for the host's flows, each with full buffers, and no more: worlds may have many hosts. Auto-tuned ones have 256 MiB together at most, as long as that is
 * enough for their first sizes and for one of the largest. */
static struct pl_config config_of(const struct scenario *s, unsigned node)
{
    const struct scenario_host *h = &s->node[node].host;
    uint32_t flows = flows_of(s, node);
    struct pl_config c;
    pl_config_default(&c, sizeof c);
    if (!flows) flows = 1;
    c.sndbuf_bytes = (uint32_t)h->sndbuf;
    c.rcvbuf_bytes = (uint32_t)h->rcvbuf;
    c.sndbuf_max = (uint32_t)h->sndbuf_max;
    c.rcvbuf_max = (uint32_t)h->rcvbuf_max;
    c.timestamps = h->timestamps;
    c.sack = h->sack;
    c.window_scaling = h->window_scaling;
    c.delayed_ack = h->delayed_ack;
    c.rto_min = h->rto_min;
    c.congestion_control = h->cc;
    c.mem_is_zero = true;                 /* large buffers cost what is used of them */
    c.connections_max = 2 * flows + 8;
    c.half_open_max = c.time_wait_max = flows + 16;
    c.listeners_max = flows + 1;
    c.udp_max = 1;
    c.ifaces_max = 1;
    c.addrs_max = c.routes_max = c.neighbors_max = 8;
    c.paths_max = 256;
    uint64_t snd = larger(h->sndbuf, h->sndbuf_max), rcv = larger(h->rcvbuf, h->rcvbuf_max), flow = larger(snd, rcv);
    uint64_t first = (h->sndbuf + h->rcvbuf) * flows, most = (snd + rcv) * flows, bytes = most < 256 << 20 ? most : larger(256 << 20, larger(first, 2 * flow));
    c.records_per_conn_max = (uint32_t)(snd / 500 + 512);
    c.records_max = (uint32_t)(bytes / 500 + 512 * flows);
    c.gaps_max = c.connections_max;
    c.gaps_per_conn_max = rcv / 3000 > 65536 ? 65536 : rcv / 3000 > 1024 ? (uint32_t)(rcv / 3000) : 1024;         /* every second segment lost */
    c.chunks_max = (uint32_t)(bytes / c.chunk_bytes * 5 / 4 + 64 * flows + 256);
    return c;
}

static bool add_host(struct sim_run *r, unsigned i)
{
    const struct scenario *s = r->scenario;
    struct pl_config c = config_of(s, i);
    r->node[i] = sim_add_host(r->sim, s->node[i].name, &c);
    if (!r->node[i]) return false;
    r->program[i] = program_new(r->node[i]);
    struct pl_iface_params ip = {.mtu = 1500, .link = PL_LINK_IP, .csum_offload = s->node[i].host.csum_offload};
    for (unsigned l = 0; l < s->links; l++)
        for (unsigned side = 0; side < 2; side++)
            if (s->link[l].node[side] == i) ip.mtu = s->link[l].params[side].mtu;
    struct pl_addr v4 = router_host_address(s->node[i].number, false), v6 = router_host_address(s->node[i].number, true);
    int rc = pl_iface_add(r->node[i]->stack, &ip);
    if (rc == 0) rc = pl_addr_add(r->node[i]->stack, 0, &v4, 24);
    if (rc == 0 && ip.mtu >= 1280) rc = pl_addr_add(r->node[i]->stack, 0, &v6, 64);
    if (rc) sim_fail(r->sim, "the interface of %s: %s", s->node[i].name, pl_strerror(rc));
    return rc == 0;
}

static bool add_node(struct sim_run *r, unsigned i)
{
    const struct scenario_node *n = &r->scenario->node[i];
    if (!n->router) return add_host(r, i);
    router_init(&r->router[i], n->number);
    r->node[i] = sim_add_node(r->sim, n->name, &router_ops, &r->router[i]);
    return r->node[i] != NULL;
}

static void add_ways(struct sim_run *r)
{
    const struct scenario *s = r->scenario;
    for (unsigned i = 0; i < s->nodes; i++)
        for (unsigned to = 0; s->node[i].router && to < s->nodes; to++) {
            int link = s->node[to].router ? -1 : scenario_first_link(s, i, to);
            if (link < 0) continue;
            const struct sim_link *l = r->sim->link[link];
            r->router[i].way[s->node[to].number] = (int8_t)l->iface[l->node[1] == r->node[i]];
        }
}

static bool add_links(struct sim_run *r)
{
    const struct scenario *s = r->scenario;
    for (unsigned i = 0; i < s->links; i++) {
        const struct scenario_link *l = &s->link[i];
        struct sim_node *a = r->node[l->node[0]], *b = r->node[l->node[1]];
        struct sim_link *made = sim_add_link(r->sim, &l->params[0], a, (int)a->ifaces, b, (int)b->ifaces);
        if (!made) return false;
        sim_link_set(made, 1, &l->params[1]);
    }
    for (unsigned i = 0; i < s->rules; i++) {
        const struct scenario_rule *sr = &s->rule[i];
        struct impair_rule rule = sr->rule;
        if (sr->only) {
            r->match[i].kind = sr->only - 1u;
            rule.match = match_kind;
            rule.match_user = &r->match[i];
        }
        for (unsigned way = 0; way < 2; way++)
            if (sr->ways >> way & 1) impair_add(sim_link_impair(r->sim->link[sr->link], way), &rule);
    }
    add_ways(r);
    return true;
}

static void change(struct sim *sim, void *user)
{
    struct sim_run *r = user;
    const struct scenario_change *c = &r->scenario->change[r->change_order[r->next_change++]];
    struct sim_link *l = sim->link[c->link];
    for (unsigned way = 0; way < 2; way++) {
        if (!(c->ways >> way & 1)) continue;
        struct sim_link_params p = l->dir[way].params;
        if (c->deed != SCENARIO_SET) {
            l->dir[way].down = c->deed == SCENARIO_DOWN;
        } else {
            scenario_apply(c, &p);
            sim_link_set(l, way, &p);
        }
    }
}

/* In order of time, and of the text where times are equal: that is also the order in which they are called. */
static void add_changes(struct sim_run *r)
{
    const struct scenario *s = r->scenario;
    for (unsigned i = 0; i < s->changes; i++) {
        unsigned k = i;
        for (; k && s->change[r->change_order[k - 1]].at > s->change[i].at; k--)
            r->change_order[k] = r->change_order[k - 1];
        r->change_order[k] = i;
        sim_at(r->sim, s->change[i].at, change, r);
    }
}

/* ---------------------------------------- measuring ---------------------------------------- */

static struct run_mark flow_now(const struct sim_run *r, unsigned i)
{
    const struct traffic *t = &r->flow[i];
    return (struct run_mark){traffic_received(t), t->segments, t->retransmits, t->retransmitted_bytes, t->recoveries, t->time_outs, t->probes, t->undone};
}

static struct run_way_mark way_now(const struct sim_run *r, unsigned link, unsigned way)
{
    const struct sim_direction *d = &r->sim->link[link]->dir[way];
    return (struct run_way_mark){d->frames, d->bytes, d->delivered, d->delivered_bytes, d->lost, d->lost_full, d->lost_codel, d->lost_mtu, d->lost_way, d->marked};
}

static void end_of_warmup(struct sim *sim, void *user)
{
    struct sim_run *r = user;
    for (unsigned i = 0; i < r->scenario->flows; i++) {
        r->flow_mark[i] = flow_now(r, i);
        hist_clear(&r->flow[i].rtt);
        hist_clear(&r->flow[i].turn);
    }
    for (unsigned i = 0; i < sim->links; i++)
        for (unsigned way = 0; way < 2; way++) {
            r->way_mark[i][way] = way_now(r, i, way);
            sim->link[i]->dir[way].fullest = sim->link[i]->dir[way].fifo.packets;
            hist_clear(&sim->link[i]->dir[way].wait);
        }
}

static void hear(void *user, const struct pl_trace_event *e)
{
    const struct run_ear *ear = user;
    struct sim_run *r = ear->run;
    for (unsigned k = 0; k < 2; k++) {
        unsigned i = (k ? e->remote.port : e->local.port) - (unsigned)RUN_PORT;
        if (i < r->scenario->flows && r->scenario->flow[i].node[traffic_sender(&r->flow[i])] == ear->node && k != traffic_sender(&r->flow[i]))
            traffic_trace(&r->flow[i], e);
    }
}

static void mix(struct sim_run *r, uint64_t what)
{
    r->digest = (r->digest ^ what) * 0x9e3779b97f4a7c15u;
    r->digest ^= r->digest >> 29;
}

/* What was sent, what became of it, when, and the first bytes of it: all headers. */
static void watch(void *user, const struct sim_tap_event *e)
{
    struct sim_run *r = user;
    mix(r, e->now);
    mix(r, (uint64_t)e->link->number << 32 | e->from << 8 | e->fate);
    if (e->fate != SIM_SENT) return;
    const struct packet *p = e->packet;
    size_t n = p->len < 100 ? p->len : 100;    /* IPv6 and all that TCP may have */
    mix(r, p->len);
    for (size_t i = 0; i < n; i += 4) {
        uint32_t word = 0;
        for (size_t k = i; k < i + 4 && k < n; k++)
            word = word << 8 | p->bytes[k];
        mix(r, word);
    }
}

/* ---------------------------------------- a run ---------------------------------------- */

static bool add_flows(struct sim_run *r)
{
    const struct scenario *s = r->scenario;
    for (unsigned i = 0; i < s->flows; i++) {
        const struct scenario_flow *f = &s->flow[i];
        struct pl_endpoint to = {.addr = router_host_address(s->node[f->node[1]].number, f->plan.v6), .port = (uint16_t)(RUN_PORT + i)};
        int rc = traffic_begin(&r->flow[i], r->sim, r->program[f->node[0]], r->program[f->node[1]], to, &f->plan);
        if (rc) sim_fail(r->sim, "flow %s: %s", f->name, pl_strerror(rc));
        if (rc) return false;
    }
    return true;
}

struct sim_run *run_new(const struct scenario *s, uint64_t seed, char *why, size_t size)
{
    struct sim_run *r = calloc(1, sizeof *r);
    bool good = r != NULL;
    if (!r) {
        snprintf(why, size, "out of memory");
        return NULL;
    }
    r->scenario = s;
    r->sim = sim_new(seed);
    for (unsigned i = 0; good && i < s->nodes; i++)
        good = add_node(r, i);
    /* Where no way has a rate whole windows arrive at one instant: that is no standstill. */
    for (unsigned i = 0; i < s->flows; i++)
        for (unsigned end = 0; end < 2; end++)
            r->sim->spin_limit += larger(s->node[s->flow[i].node[end]].host.sndbuf, s->node[s->flow[i].node[end]].host.sndbuf_max) / 128;
    if (good) good = add_links(r);
    if (good) {
        sim_tap(r->sim, watch, r);
        for (unsigned i = 0; i < s->nodes; i++) {
            r->ear[i] = (struct run_ear){r, i};
            if (!s->node[i].router) sim_node_trace(r->node[i], hear, &r->ear[i]);
        }
        sim_at(r->sim, s->warmup, end_of_warmup, r);
        add_changes(r);
        good = add_flows(r);
    }
    if (good) return r;
    snprintf(why, size, "%s", sim_failure(r->sim));
    run_free(r);
    return NULL;
}

bool run_play(struct sim_run *r, pl_time every, run_tick_fn *tick, void *user)
{
    pl_time end = r->scenario->time;
    while (r->sim->now < end) {
        pl_time next = every && end - r->sim->now > every ? r->sim->now + every : end;
        if (sim_run_until(r->sim, next) == SIM_FAILED) return false;
        if (tick) tick(user, r);
    }
    return true;
}

void run_free(struct sim_run *r)
{
    if (!r) return;
    for (unsigned i = 0; i < r->scenario->flows; i++)
        traffic_free(&r->flow[i]);
    for (unsigned i = 0; i < r->scenario->nodes; i++)
        program_free(r->program[i]);
    sim_free(r->sim);
    free(r);
}

/* ---------------------------------------- results ---------------------------------------- */

struct run_mark run_flow_counts(const struct sim_run *r, unsigned i)
{
    struct run_mark now = flow_now(r, i), m = r->flow_mark[i];
    return (struct run_mark){now.received - m.received, now.segments - m.segments, now.retransmits - m.retransmits, now.retransmitted_bytes - m.retransmitted_bytes,
        now.recoveries - m.recoveries, now.time_outs - m.time_outs, now.probes - m.probes, now.undone - m.undone};
}

struct run_way_mark run_way_counts(const struct sim_run *r, unsigned link, unsigned way)
{
    struct run_way_mark n = way_now(r, link, way), m = r->way_mark[link][way];
    return (struct run_way_mark){n.frames - m.frames, n.bytes - m.bytes, n.delivered - m.delivered, n.delivered_bytes - m.delivered_bytes, n.lost - m.lost,
        n.lost_full - m.lost_full, n.lost_codel - m.lost_codel, n.lost_mtu - m.lost_mtu, n.lost_way - m.lost_way, n.marked - m.marked};
}

uint64_t run_goodput(const struct sim_run *r, unsigned i)
{
    const struct traffic *t = &r->flow[i];
    pl_time from = t->plan.start > r->scenario->warmup ? t->plan.start : r->scenario->warmup;
    pl_time to = t->done_at ? t->done_at : r->sim->now;        /* after a `stop` what the stack holds still goes, and counts */
    if (to <= from) return 0;
    uint64_t bits = run_flow_counts(r, i).received * 8, span = to - from;
    /* bits * 10^9 / span without leaving 64 bits: the span in microseconds, or milliseconds, when there are many */
    uint64_t unit = bits < UINT64_MAX / PL_S ? 1 : bits < UINT64_MAX / PL_MS ? PL_US : PL_MS;
    return bits * (PL_S / unit) / (span / unit ? span / unit : 1);
}

unsigned jain(const uint64_t *value, unsigned n)
{
    uint64_t most = 0, sum = 0, squares = 0;
    for (unsigned i = 0; i < n; i++)
        if (value[i] > most) most = value[i];
    if (n < 2 || !most) return 0;
    for (unsigned i = 0; i < n; i++) {
        /* in parts of 2^18 at most, so that nothing overflows for 64 values */
        uint64_t part = value[i] / ((most >> 18) + 1);
        sum += part;
        squares += part * part;
    }
    return (unsigned)(sum * sum * 10000 / (n * squares));
}

unsigned run_fairness(const struct sim_run *r)
{
    uint64_t value[SCENARIO_FLOWS_MAX];
    unsigned n = 0;
    for (unsigned i = 0; i < r->scenario->flows; i++)
        if (r->flow[i].plan.kind == TRAFFIC_BULK) value[n++] = run_goodput(r, i);
    return jain(value, n);
}
