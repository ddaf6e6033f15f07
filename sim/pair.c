/* SPDX-License-Identifier: MIT
 *
 * pair.c: two hosts on one link, and what happened between them. See pair.h; expectations are in pair_expect.c.
 *
 * A segment comes to be with the sender's PL_TRACE_OUT. The link then shows the frames of each side in the same order, which gives the
 * segment its number on the link; by that number it is known again when it is lost, copied or arrives.
 */
#include "sim/pair_private.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NONE SIZE_MAX

static struct pl_addr ip4(unsigned last)
{
    return (struct pl_addr){.b = {[10] = 0xff, 0xff, 192, 0, 2, (uint8_t)last}};
}

static struct pl_addr ip6(unsigned last)
{
    return (struct pl_addr){.b = {0x20, 0x01, 0x0d, 0xb8, [15] = (uint8_t)last}};
}

void pair_opts_default(struct pair_opts *o)
{
    memset(o, 0, sizeof *o);
    o->seed = 1;
    o->hosts.link.delay = 10 * PL_MS;
    for (unsigned i = 0; i < 2; i++) {
        o->hosts.v4[i] = ip4(i + 1);
        o->hosts.v6[i] = ip6(i + 1);
    }
    o->client_port = 49152;
}

static void *grown(void *array, size_t *capacity, size_t need, size_t size)
{
    if (need <= *capacity) return array;
    *capacity = *capacity ? 2 * *capacity : 64;
    array = realloc(array, *capacity * size);
    if (!array) {
        fputs("sim: out of memory\n", stderr);
        abort();
    }
    return array;
}

/* ---------------------------------------- what happened ---------------------------------------- */

static struct pair_segment *add_segment(struct pair *p, enum pair_side from, const struct pl_trace_segment *s, pl_time now)
{
    p->segment = grown(p->segment, &p->segment_capacity, p->segments + 1, sizeof *p->segment);
    struct pair_segment *t = &p->segment[p->segments];
    memset(t, 0, sizeof *t);
    t->from = from;
    t->sent = now;
    t->arrived = PL_NEVER;
    t->seg = *s;
    t->flags = s->flags;
    t->seq = s->seq;
    t->ack = s->ack;
    t->len = s->len;
    t->win = s->wnd;
    t->state[0] = t->state[1] = 0xff;
    p->segments++;
    return t;
}

/* A frame that was dropped before its connection was looked for, and a reset that belongs to none, say CLOSED and mean nothing. */
static bool tells_state(const struct pl_trace_event *e)
{
    if (e->protocol != 6) return false;
    if (e->conn || e->state_before != PL_CLOSED || e->state_after != PL_CLOSED) return true;
    return e->kind == PL_TRACE_IN ? !e->drop || e->drop == PL_DROP_TCP_CLOSED : e->kind != PL_TRACE_OUT;
}

/* The state that a side is known to be in, by its last event about this client port; 0xff: none. */
static uint8_t known_state(const struct pair *p, enum pair_side side, uint16_t client_port)
{
    for (size_t i = p->events; i > 0; i--) {
        const struct pair_event *v = &p->event[i - 1];
        if (v->side != side || !tells_state(&v->e)) continue;
        /* The listener turned something away: the connection, if there was one, is what it was. */
        if (v->e.state_before == PL_LISTEN && v->e.state_after == PL_LISTEN) continue;
        if ((side == PAIR_CLIENT ? v->e.local.port : v->e.remote.port) == client_port) return v->e.state_after;
    }
    return side == PAIR_SERVER && p->listening ? PL_LISTEN : 0xff;
}

static void segment_sent(struct pair *p, enum pair_side side, const struct pl_trace_event *e)
{
    uint16_t client_port = side == PAIR_CLIENT ? e->local.port : e->remote.port;
    uint8_t other = known_state(p, !side, client_port);
    struct pair_segment *t = add_segment(p, side, e->seg, e->now);
    t->why = e->why;
    t->client_port = client_port;
    t->state[side] = tells_state(e) ? e->state_after : known_state(p, side, client_port);
    t->state[!side] = other;
}

static void segment_arrived(struct pair *p, enum pair_side side, const struct pl_trace_event *e)
{
    size_t n = p->arriving[side];
    p->arriving[side] = NONE;
    if (n == NONE || p->segment[n].fate == PAIR_ARRIVED) return;
    struct pair_segment *t = &p->segment[n];
    t->fate = PAIR_ARRIVED;
    t->arrived = e->now;
    t->drop = e->drop;
    t->state[side] = tells_state(e) ? e->state_after : known_state(p, side, t->client_port);
    if (t->injected && e->seg) t->seg = *e->seg, t->win = e->seg->wnd;
}

static void collect(struct pair *p, enum pair_side side, const struct pl_trace_event *e)
{
    if (e->protocol == 6 && e->seg && e->kind == PL_TRACE_OUT) segment_sent(p, side, e);
    if (e->kind == PL_TRACE_IN) segment_arrived(p, side, e);
    p->event = grown(p->event, &p->event_capacity, p->events + 1, sizeof *p->event);
    struct pair_event *v = &p->event[p->events++];
    *v = (struct pair_event){.side = side, .e = *e};
    if (e->seg) v->seg = *e->seg;
    v->e.seg = NULL;                                   /* set when it is read: the array moves */
    v->e.frame = NULL;
    v->e.nspans = 0;
}

static void collect_client(void *user, const struct pl_trace_event *e)
{
    collect(user, PAIR_CLIENT, e);
}

static void collect_server(void *user, const struct pl_trace_event *e)
{
    collect(user, PAIR_SERVER, e);
}

static void keep_frame(struct pair_segment *t, const struct packet *packet)
{
    t->id = packet->id;
    t->frame_bytes = packet->len;
    t->frame = malloc(packet->len ? packet->len : 1);
    if (t->frame) memcpy(t->frame, packet->bytes, packet->len);
    else t->frame_bytes = 0;
}

static size_t segment_by_id(const struct pair *p, uint64_t id)
{
    for (size_t i = p->segments; i > 0; i--)
        if (p->segment[i - 1].id == id) return i - 1;
    return NONE;
}

/* A frame on the link: TCP frames of a side come in the order of its PL_TRACE_OUT events with a segment. */
static void frame_seen(struct pair *p, const struct sim_tap_event *t)
{
    enum pair_side from = (enum pair_side)t->from;
    struct match_tcp any = {.ethernet = t->link->params.ethernet};
    if (!match_tcp(&any, t->packet)) return;
    if (t->fate == SIM_INJECTED) {
        struct pl_trace_segment none = {0};
        struct pair_segment *s = add_segment(p, from, &none, t->now);
        s->injected = true;
        pair_read_frame(s, t->packet->bytes, t->packet->len, any.ethernet);
        keep_frame(s, t->packet);
        return;
    }
    for (size_t *i = &p->untold[from]; *i < p->segments; ++*i) {
        struct pair_segment *s = &p->segment[*i];
        if (s->from != from || s->id || s->injected) continue;
        keep_frame(s, t->packet);
        ++*i;
        return;
    }
}

static void watch_link(void *user, const struct sim_tap_event *t)
{
    struct pair *p = user;
    if (t->link != p->link) return;
    if (t->fate == SIM_SENT || t->fate == SIM_INJECTED) {
        frame_seen(p, t);
        return;
    }
    size_t n = segment_by_id(p, t->packet->id);
    if (t->fate == SIM_ARRIVING) p->arriving[!t->from] = n;
    if (n == NONE) return;
    struct pair_segment *s = &p->segment[n];
    switch (t->fate) {
    case SIM_LOST:
        if (t->packet->copy || s->fate == PAIR_ARRIVED) break;
        s->fate = PAIR_LOST;
        s->lost_why = t->why;
        break;
    case SIM_DUPLICATED: s->copies++; break;
    case SIM_DELAYED: s->delayed = true; break;
    case SIM_CORRUPTED: s->corrupted = true; break;
    default: break;
    }
}

/* ---------------------------------------- building it ---------------------------------------- */

static struct pl_config side_config(const struct pair_opts *o, enum pair_side side)
{
    struct pl_config c;
    pl_config_default(&c, sizeof c);
    c.check = true;
    c.connections_max = 64;
    c.half_open_max = 64;
    c.time_wait_max = 64;
    c.listeners_max = 8;
    c.udp_max = 8;
    c.flights_max = c.gaps_max = 0;
    c.records_max = 4096;
    c.chunks_max = 1024;
    c.chunk_bytes = 4096;
    if (o->configure) o->configure(&c, side, o->user);
    return c;
}

int pair_init(struct pair *p, const struct pair_opts *opts)
{
    static const char *const name[] = {"client", "server"};
    memset(p, 0, sizeof *p);
    if (opts) p->opts = *opts;
    else pair_opts_default(&p->opts);
    p->arriving[0] = p->arriving[1] = NONE;
    p->next_port = p->opts.client_port;
    p->sim = sim_new(p->opts.seed);
    for (unsigned i = 0; i < 2; i++) {
        struct pl_config c = side_config(&p->opts, (enum pair_side)i);
        p->node[i] = sim_add_host(p->sim, name[i], &c);
        if (!p->node[i]) return PL_EINVAL;
        sim_node_trace(p->node[i], i ? collect_server : collect_client, p);
        p->program[i] = program_new(p->node[i]);
    }
    p->link = sim_connect_hosts(p->sim, p->node[0], p->node[1], &p->opts.hosts);
    sim_tap(p->sim, watch_link, p);
    return p->link ? 0 : PL_EINVAL;
}

void pair_free(struct pair *p)
{
    for (size_t i = 0; i < p->segments; i++)
        free(p->segment[i].frame);
    free(p->segment);
    free(p->event);
    program_free(p->program[0]);
    program_free(p->program[1]);
    sim_free(p->sim);
    memset(p, 0, sizeof *p);
}

int pair_listen(struct pair *p, uint16_t port, struct program_plan plan)
{
    struct pl_endpoint any = {.port = port};
    int rc = program_listen(p->program[PAIR_SERVER], &any, &plan, p->opts.isn[PAIR_SERVER]);
    if (!rc) p->listening = true;
    return rc;
}

struct program_conn *pair_connect_from(struct pair *p, enum pair_side side, uint16_t local_port, uint16_t remote_port,
                                       struct program_plan plan)
{
    const struct pl_addr *addr = p->opts.v6 ? p->opts.hosts.v6 : p->opts.hosts.v4;
    struct pl_connect_params c = {.isn_fixed = p->opts.isn[side] >= 0, .isn = (uint32_t)p->opts.isn[side]};
    int rc;
    c.remote.addr = addr[!side];
    c.remote.port = remote_port;
    c.local.addr = addr[side];
    c.local.port = local_port;
    struct program_conn *conn = program_connect(p->program[side], c, &plan, &rc);
    struct pl_tcp_status s;
    if (!conn) sim_fail(p->sim, "pl_connect of %s gave %s", p->node[side]->name, pl_error_name(rc));
    else if (!pl_status(p->node[side]->stack, conn->handle, &s, sizeof s)) p->port = side == PAIR_CLIENT ? s.local.port : remote_port;
    return conn;
}

struct program_conn *pair_connect(struct pair *p, uint16_t port, struct program_plan plan)
{
    uint16_t local = p->next_port;
    if (local) p->next_port++;
    return pair_connect_from(p, PAIR_CLIENT, local, port, plan);
}

struct program_conn *pair_conn(struct pair *p, enum pair_side side, unsigned n)
{
    return n < p->program[side]->conns ? p->program[side]->conn[n] : NULL;
}

struct impair *pair_impair(struct pair *p, enum pair_side from)
{
    return sim_link_impair(p->link, from);
}

/* ---------------------------------------- running and asking ---------------------------------------- */

enum sim_end pair_run(struct pair *p)
{
    return sim_run_idle(p->sim, p->sim->now + 3600 * PL_S);
}

enum sim_end pair_run_for(struct pair *p, pl_time t)
{
    return sim_run_until(p->sim, p->sim->now + t);
}

bool pair_run_to_state(struct pair *p, enum pair_side side, enum pl_state state, pl_time within)
{
    pl_time end = p->sim->now + within;
    while (pair_state(p, side) != state && p->sim->now <= end && sim_step(p->sim))
        ;
    return pair_state(p, side) == state;
}

enum pl_state pair_state(const struct pair *p, enum pair_side side)
{
    uint8_t state = known_state(p, side, p->port);
    return state < PL_STATE_COUNT ? (enum pl_state)state : PL_CLOSED;
}

size_t pair_segments(const struct pair *p)
{
    return p->segments;
}

size_t pair_count_events(const struct pair *p, enum pair_side side, enum pl_trace_kind kind, unsigned why)
{
    size_t n = 0;
    for (size_t i = 0; i < p->events; i++)
        n += p->event[i].side == side && p->event[i].e.kind == kind && (!why || p->event[i].e.why == why);
    return n;
}

size_t pair_count_drops(const struct pair *p, enum pair_side side, enum pl_drop drop)
{
    size_t n = 0;
    for (size_t i = 0; i < p->events; i++)
        n += p->event[i].side == side && p->event[i].e.kind == PL_TRACE_IN && p->event[i].e.drop == drop;
    return n;
}

bool pair_received(const struct program_conn *c, uint64_t n)
{
    if (c && c->received == n && c->peer_finished && !c->mismatch && !c->error) return true;
    if (!c) fprintf(stderr, "pair_received: no such connection\n");
    else fprintf(stderr, "pair_received: %llu of %llu bytes, end of stream %s, error %s, %s", (unsigned long long)c->received,
            (unsigned long long)n, c->peer_finished ? "seen" : "not seen", c->error ? pl_error_name(c->error) : "none",
            c->mismatch ? "bytes differ" : "bytes as sent\n");
    if (c && c->mismatch) fprintf(stderr, " first at %llu\n", (unsigned long long)c->mismatch_at);
    return false;
}
