/* SPDX-License-Identifier: MIT
 *
 * traffic.c: when the programs of a flow may send how much. They only raise the send_bytes of their plans; program.c does the rest. See traffic.h.
 */
#include "sim/traffic.h"
#include <stdlib.h>

#define TICK_MIN PL_MS
#define PORTION 1448                      /* bytes that a rated program writes at a time, where that is not too often */

unsigned traffic_sender(const struct traffic *t)
{
    return t->plan.kind == TRAFFIC_REQUEST;
}

uint64_t traffic_received(const struct traffic *t)
{
    const struct program_conn *c = t->conn[!traffic_sender(t)];
    return c ? c->received : 0;
}

/* Bytes at `rate` bits a second in `span`, rounded down to microseconds. */
static uint64_t bytes_in(uint64_t rate, pl_time span)
{
    return span / PL_S * rate / 8 + span % PL_S / PL_US * rate / 8000000;
}

static uint64_t limit(const struct traffic *t, uint64_t bytes)
{
    return t->plan.bytes && bytes > t->plan.bytes ? t->plan.bytes : bytes;
}

static void allow(struct traffic *t, uint64_t bytes)
{
    struct program_conn *c = t->conn[0];
    c->plan.send_bytes = limit(t, bytes);
    if (t->plan.bytes && c->plan.send_bytes == t->plan.bytes) c->plan.hold = false;
    if (c->handle) program_pump(c);
}

static pl_time tick_ns(const struct traffic *t)
{
    pl_time one = sim_transmit_ns(PORTION, t->plan.rate);
    return one > TICK_MIN ? one : TICK_MIN;
}

static bool is_over(const struct traffic *t)
{
    return !t->conn[0] || t->conn[0]->over || t->conn[0]->finished;
}

/* What the rate allows by now. From all on-times together: a bit of each, rounded off, would be less than the rate. */
static void allow_rated(struct traffic *t, pl_time now)
{
    allow(t, bytes_in(t->plan.rate, t->on_before + (t->sending ? now - t->on_since : 0)));
}

static void tick(struct sim *s, void *user);

/* One tick at a time: one that was to come when it was turned off may still be when it is turned on again. */
static void tick_later(struct traffic *t)
{
    if (t->ticking) return;
    t->ticking = true;
    sim_at(t->sim, t->sim->now + tick_ns(t), tick, t);
}

static void tick(struct sim *s, void *user)
{
    struct traffic *t = user;
    t->ticking = false;
    if (is_over(t) || !t->sending) return;
    allow_rated(t, s->now);
    if (!is_over(t)) tick_later(t);
}

static void turn_off(struct sim *s, void *user);

static void turn_on(struct sim *s, void *user)
{
    struct traffic *t = user;
    if (is_over(t)) return;
    t->sending = true;
    t->on_since = s->now;
    if (t->plan.rate) tick_later(t);
    else allow(t, UINT64_MAX);
    if (t->plan.kind == TRAFFIC_ONOFF) sim_at(s, s->now + t->plan.on, turn_off, t);
}

static void turn_off(struct sim *s, void *user)
{
    struct traffic *t = user;
    if (is_over(t)) return;
    t->sending = false;
    t->on_before += s->now - t->on_since;
    if (t->plan.rate) allow_rated(t, s->now);
    else t->conn[0]->plan.send_bytes = t->conn[0]->sent;
    sim_at(s, s->now + t->plan.off, turn_on, t);
}

static void ask(struct sim *s, void *user)
{
    struct traffic *t = user;
    struct program_conn *c = t->conn[0];
    if (is_over(t)) return;
    t->asked++;
    t->asked_at = s->now;
    c->plan.send_bytes = t->asked * t->plan.request;
    program_pump(c);
}

static void stop(struct sim *s, void *user)
{
    struct traffic *t = user;
    (void)s;
    if (is_over(t)) return;
    t->sending = false;
    t->conn[0]->plan.send_bytes = t->conn[0]->sent;
    t->conn[0]->plan.hold = false;
    if (t->conn[0]->handle) program_pump(t->conn[0]);
}

static void start(struct sim *s, void *user)
{
    struct traffic *t = user;
    struct program_plan plan = {.hold = true, .blank = true, .tag = t};
    t->conn[0] = program_connect(t->client, (struct pl_connect_params){.remote = t->remote}, &plan, &t->error);
    if (!t->conn[0]) return;
    int rc = t->plan.cc_given ? pl_set(t->client->node->stack, t->conn[0]->handle, PL_OPT_CONGESTION, t->plan.cc) : 0;
    if (rc) sim_fail(s, "the congestion control of a flow to port %u: %s", (unsigned)t->remote.port, pl_strerror(rc));
    if (t->plan.kind == TRAFFIC_REQUEST) ask(s, t);
    else turn_on(s, t);
    if (t->plan.stop) sim_at(s, t->plan.stop, stop, t);
}

static void serve(struct traffic *t, struct program_conn *c)
{
    while (c->received >= (t->answered + (uint64_t)1) * t->plan.request) {
        t->answered++;
        c->plan.send_bytes += t->plan.answer;
    }
    if (c->handle) program_pump(c);
}

static void answer_came(struct traffic *t, const struct program_conn *c)
{
    if (t->done == t->asked || c->received < t->asked * t->plan.answer) return;
    t->done++;
    hist_add(&t->turn, t->sim->now - t->asked_at);
    if (t->plan.count && t->done == t->plan.count) {
        t->done_at = t->sim->now;
        stop(t->sim, t);
    } else {
        sim_at(t->sim, t->sim->now + t->plan.think, ask, t);
    }
}

static void acted(struct program *p, struct program_conn *c)
{
    struct traffic *t = c->plan.tag;
    (void)p;
    if (!t) return;
    if (c->accepted) {
        t->conn[1] = c;
        if (t->plan.kind == TRAFFIC_REQUEST) serve(t, c);
        else if (t->plan.bytes && c->received >= t->plan.bytes && !t->done_at) t->done_at = t->sim->now;
    } else if (t->plan.kind == TRAFFIC_REQUEST) {
        answer_came(t, c);
    }
    /* A flow that was told to stop is over when the last of what the sender's stack held is there. */
    if (c == t->conn[!traffic_sender(t)] && c->peer_finished && !t->done_at) t->done_at = t->sim->now;
    if (c->error && !t->error) t->error = c->error;
}

int traffic_begin(struct traffic *t, struct sim *s, struct program *client, struct program *server, struct pl_endpoint remote, const struct traffic_plan *plan)
{
    t->sim = s;
    t->client = client;
    t->server = server;
    t->remote = remote;
    t->plan = *plan;
    struct program_plan sink = {.blank = true, .finish_last = true, .tag = t};
    client->acted = server->acted = acted;
    int rc = program_listen(server, &remote, &sink, -1);
    if (!rc && plan->cc_given) rc = pl_set(server->node->stack, server->port[server->ports - 1].handle, PL_OPT_CONGESTION, plan->cc);
    if (!rc) sim_at(s, plan->start, start, t);
    return rc;
}

void traffic_free(struct traffic *t)
{
    free(t->ring);
    t->ring = NULL;
}
