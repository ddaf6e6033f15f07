/* SPDX-License-Identifier: MIT
 *
 * world.c: the clock and what happens at each stroke. See world.h.
 *
 * Items of the queue that have become void (the stack's deadline moved, the held frame left) are taken out without moving the clock.
 */
#include "sim/world.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TX_BATCH 8

static void *must(void *p)
{
    if (!p) {
        fputs("sim: out of memory\n", stderr);
        abort();
    }
    return p;
}

struct sim *sim_new(uint64_t seed)
{
    struct sim *s = must(calloc(1, sizeof *s));
    s->seed = seed;
    s->spin_limit = 200000;
    return s;
}

void sim_free(struct sim *s)
{
    if (!s) return;
    queue_free(&s->queue);
    for (unsigned i = 0; i < s->links; i++)
        sim_link_free(s->link[i]);
    for (unsigned i = 0; i < s->nodes; i++)
        sim_node_free(s->node[i]);
    free(s);
}

struct sim_node *sim_add_node(struct sim *s, const char *name, const struct sim_node_ops *ops, void *machine)
{
    if (s->nodes == SIM_NODES_MAX) {
        sim_fail(s, "more than %d nodes", SIM_NODES_MAX);
        return NULL;
    }
    struct sim_node *n = must(calloc(1, sizeof *n));
    n->sim = s;
    n->ops = ops;
    n->machine = machine;
    n->wake_at = n->timer_at = n->wake_item_at = PL_NEVER;
    snprintf(n->name, sizeof n->name, "%s", name);
    n->number = s->nodes;
    s->node[s->nodes++] = n;
    return n;
}

struct sim_link *sim_add_link(struct sim *s, const struct sim_link_params *params, struct sim_node *a, int ia, struct sim_node *b, int ib)
{
    if (s->links == SIM_LINKS_MAX || ia < 0 || ib < 0 || ia >= SIM_IFACES_MAX || ib >= SIM_IFACES_MAX) {
        sim_fail(s, "no room for a link from %s to %s", a->name, b->name);
        return NULL;
    }
    struct sim_link *l = must(calloc(1, sizeof *l));
    struct sim_node *end[2] = {a, b};
    int iface[2] = {ia, ib};
    l->sim = s;
    l->params = *params;
    l->number = s->links;
    for (unsigned i = 0; i < 2; i++) {
        l->node[i] = end[i];
        l->iface[i] = iface[i];
        l->dir[i].to = end[!i];
        l->dir[i].to_iface = iface[!i];
        impair_init(&l->dir[i].impair, sim_prng_mix(s->seed, 2 * l->number + i + 1));
        sim_prng_seed(&l->dir[i].jitter, sim_prng_mix(s->seed, 0x71770000u + 2 * l->number + i));
        sim_link_set(l, i, params);
        end[i]->link[iface[i]] = l;
        end[i]->link_side[iface[i]] = i;
        if ((unsigned)iface[i] >= end[i]->ifaces) end[i]->ifaces = (unsigned)iface[i] + 1;
    }
    s->link[s->links++] = l;
    return l;
}

void sim_tap(struct sim *s, sim_tap_fn *fn, void *user)
{
    if (s->taps == SIM_TAPS_MAX) {
        sim_fail(s, "more than %d taps", SIM_TAPS_MAX);
        return;
    }
    s->tap[s->taps] = fn;
    s->tap_user[s->taps++] = user;
}

void sim_tap_tell(struct sim *s, const struct sim_tap_event *e)
{
    for (unsigned i = 0; i < s->taps; i++)
        s->tap[i](s->tap_user[i], e);
}

void sim_at(struct sim *s, pl_time at, void (*fn)(struct sim *, void *user), void *user)
{
    if (at < s->now) at = s->now;
    queue_put(&s->queue, &(struct sim_item){.at = at, .what = SIM_CALL, .fn = fn, .user = user});
}

void sim_inject(struct sim_link *l, unsigned to, const void *bytes, size_t len, pl_time at)
{
    struct packet *p = packet_from_bytes(bytes, len);
    p->injected = true;
    p->id = ++l->sim->packets;
    if (at < l->sim->now) at = l->sim->now;
    sim_tap_tell(l->sim, &(struct sim_tap_event){.fate = SIM_INJECTED, .now = l->sim->now, .link = l, .from = !to, .packet = p,
        .extra = at - l->sim->now});
    queue_put(&l->sim->queue, &(struct sim_item){.at = at, .what = SIM_DELIVER, .link = l, .side = to, .node = l->node[to], .packet = p});
}

const char *sim_failure(const struct sim *s)
{
    return s->failure[0] ? s->failure : NULL;
}

void sim_fail(struct sim *s, const char *format, ...)
{
    if (s->failure[0]) return;            /* the first is the cause */
    int n = snprintf(s->failure, sizeof s->failure, "at %" PRIu64 ".%09" PRIu64 " s (seed %" PRIu64 "): ", s->now / PL_S, s->now % PL_S,
                     s->seed);
    va_list args;
    va_start(args, format);
    vsnprintf(s->failure + n, sizeof s->failure - (size_t)n, format, args);
    va_end(args);
}

/* ---------------------------------------- one host at one instant ---------------------------------------- */

struct settle {
    uint64_t frames, events, rounds;
    struct pl_event last_event;
    uint8_t last_frame[64];
    size_t last_frame_len;
    int last_iface;
};

static void report_spin(struct sim_node *n, const struct settle *t, const char *what)
{
    char hex[2 * sizeof t->last_frame + 1] = "";
    size_t shown = t->last_frame_len < sizeof t->last_frame ? t->last_frame_len : sizeof t->last_frame;
    for (size_t i = 0; i < shown; i++)
        sprintf(hex + 2 * i, "%02x", t->last_frame[i]);
    sim_fail(n->sim,
        "%s %s: %" PRIu64 " frames and %" PRIu64 " events in %" PRIu64 " rounds at one instant; last event: handle %#" PRIx64
        " bits %#x; last frame: %zu bytes on interface %d: %s",
        n->name, what, t->frames, t->events, t->rounds, t->last_event.handle, t->last_event.bits, t->last_frame_len, t->last_iface, hex);
}

/* pl_tx on one interface until it gives 0. Returns whether it gave anything. */
static bool drain_tx(struct sim_node *n, int iface, struct settle *t)
{
    uint8_t room[TX_BATCH][256];
    struct pl_frame f[TX_BATCH];
    int used = TX_BATCH;
    for (bool any = false;; any = true) {
        /* The spans but the first are the stack's to set: clearing them would cost more than all else here. */
        for (int i = 0; i < used; i++) {
            memset(&f[i].nspans, 0, sizeof f[i] - offsetof(struct pl_frame, nspans));
            f[i].span[0] = (struct pl_span){room[i], sizeof room[i]};
            f[i].nspans = 1;
        }
        int got = n->ops->tx(n, iface, f, TX_BATCH, n->sim->now);
        if (got < 0) sim_fail(n->sim, "pl_tx of %s on interface %d gave %d", n->name, iface, got);
        if (got <= 0) return any;
        used = got;
        for (int i = 0; i < got; i++) {
            /* Copied at once: the spans hold only until the next call. */
            struct packet *p = packet_from_frame(&f[i]);
            t->last_frame_len = p->len;
            t->last_iface = iface;
            memcpy(t->last_frame, p->bytes, p->len < sizeof t->last_frame ? p->len : sizeof t->last_frame);
            t->frames++;
            if (n->dead) packet_free(p);
            else sim_link_send(n->link[iface], n->link_side[iface], p, n->sim->now);
        }
        if (t->frames > n->sim->spin_limit) return true;
    }
}

static bool drain_events(struct sim_node *n, struct settle *t)
{
    bool any = false;
    while (t->events <= n->sim->spin_limit && n->ops->event_next(n, &t->last_event)) {
        any = true;
        t->events++;
        if (n->on_event && !n->dead) n->on_event(n, &t->last_event);
    }
    return any;
}

static void arm(struct sim_node *n, pl_time at)
{
    struct queue *q = &n->sim->queue;
    if (at == n->wake_at) return;
    n->wake_at = at;
    if (at == PL_NEVER) return;
    n->wake_order = queue_order(q);
    if (at >= n->wake_item_at) return;    /* what stands there is put off */
    n->wake_item_at = at;
    queue_put_ordered(q, &(struct sim_item){.at = at, .order = n->wake_order, .what = SIM_WAKE, .node = n, .generation = ++n->wake_generation});
}

void sim_settle(struct sim_node *n)
{
    struct settle t = {0};
    if (n->sim->failure[0]) return;
    if (n->dead) {
        arm(n, PL_NEVER);
        return;
    }
    n->ops->poll(n, n->sim->now);
    if (!n->sim->tx_first) drain_events(n, &t);
    for (bool busy = true; busy;) {
        busy = false;
        t.rounds++;
        for (unsigned i = 0; i < n->ifaces; i++)
            if (n->link[i] && drain_tx(n, (int)i, &t)) busy = true;
        if (drain_events(n, &t)) busy = true;
        if (n->sim->failure[0]) return;
        if (t.frames > n->sim->spin_limit || t.events > n->sim->spin_limit) {
            report_spin(n, &t, "does not come to rest");
            return;
        }
    }
    pl_time due = n->ops->deadline(n);
    if (due <= n->sim->now) {
        char what[120];
        snprintf(what, sizeof what, "is idle but its deadline is %" PRIu64 ", not after now (%" PRIu64 ")", due, n->sim->now);
        report_spin(n, &t, what);
        return;
    }
    arm(n, due);
}

/* ---------------------------------------- the world ---------------------------------------- */

static void poll_all(struct sim *s)
{
    for (unsigned i = 0; i < s->nodes; i++)
        if (!s->node[i]->dead) s->node[i]->ops->poll(s->node[i], s->now);
}

/* Whoever drives the world may have asked the stacks for things since the last stroke; what is due by now is due. */
static void settle_all(struct sim *s)
{
    for (unsigned i = 0; i < s->nodes; i++)
        sim_settle(s->node[i]);
}

static bool is_void(const struct sim_item *i)
{
    switch (i->what) {
    case SIM_WAKE: return i->order != i->node->wake_order || i->node->wake_at == PL_NEVER;
    case SIM_TIMER: return i->generation != i->node->timer_generation || i->node->dead;
    case SIM_RELEASE: return impair_deadline(&i->link->dir[i->side].impair) > i->at;
    default: return false;
    }
}

static void deliver(struct sim *s, const struct sim_item *i)
{
    struct sim_direction *d = &i->link->dir[!i->side];
    struct sim_tap_event e = {.fate = SIM_ARRIVING, .now = s->now, .link = i->link, .from = !i->side, .packet = i->packet};
    if (i->node->dead) {
        e.fate = SIM_LOST;
        e.why = "the host is switched off";
        d->lost++;
        sim_tap_tell(s, &e);
    } else {
        struct pl_frame f;
        d->delivered++;
        d->delivered_bytes += i->packet->len;
        sim_tap_tell(s, &e);
        packet_frame(i->packet, &f);
        f.rx_time = s->now;
        f.cookie = i->packet->id;         /* for a node that passes it on */
        int rc = i->node->ops->rx(i->node, d->to_iface, &f, 1, s->now);
        if (rc < 0) sim_fail(s, "pl_rx of %s on interface %d gave %d", i->node->name, d->to_iface, rc);
        sim_settle(i->node);
    }
    packet_free(i->packet);
}

static void happen(struct sim *s, const struct sim_item *i)
{
    switch (i->what) {
    case SIM_DELIVER:
        if (i->in_order) sim_link_arrived(i->link, !i->side);
        deliver(s, i);
        break;
    case SIM_ENTER: sim_link_enter(i->link, i->side, i->packet, s->now); break;
    case SIM_START: sim_link_start(i->link, i->side, s->now); break;
    case SIM_RELEASE: sim_link_release(i->link, i->side, s->now); break;
    case SIM_WAKE:
        i->node->wake_at = i->node->wake_item_at = PL_NEVER;
        sim_settle(i->node);
        break;
    case SIM_TIMER:
        i->node->timer_at = PL_NEVER;
        i->node->ops->poll(i->node, s->now);
        if (i->node->on_time) i->node->on_time(i->node);
        sim_settle(i->node);
        break;
    case SIM_CALL:
        poll_all(s);
        i->fn(s, i->user);
        settle_all(s);
        break;
    }
}

/* The next item that is not void; NULL: none. A wake that was put off goes to where it belongs now. */
static const struct sim_item *next_item(struct sim *s)
{
    const struct sim_item *first;
    struct sim_item gone;
    while ((first = queue_first(&s->queue)) && is_void(first)) {
        queue_take(&s->queue, &gone);
        if (gone.what != SIM_WAKE || gone.generation != gone.node->wake_generation) continue;
        gone.node->wake_item_at = gone.at = gone.node->wake_at;
        gone.order = gone.node->wake_order;
        if (gone.at != PL_NEVER) queue_put_ordered(&s->queue, &gone);
    }
    return first;
}

pl_time sim_next(struct sim *s)
{
    const struct sim_item *first = next_item(s);
    return first ? first->at : PL_NEVER;
}

static bool step_until(struct sim *s, pl_time bound)
{
    struct sim_item i;
    const struct sim_item *first = s->failure[0] ? NULL : next_item(s);
    if (!first || first->at > bound) return false;
    queue_take(&s->queue, &i);
    if (i.at > s->now) {
        s->now = i.at;
        s->instant_steps = 0;
    }
    s->steps++;
    if (++s->instant_steps > s->spin_limit) {
        sim_fail(s, "the clock stands still: %" PRIu64 " steps at one instant, the last at %s; is there a link with neither rate nor delay?", s->instant_steps,
            i.node ? i.node->name : "no host");
        packet_free(i.in_order ? NULL : i.packet);
        return false;
    }
    happen(s, &i);
    return s->failure[0] == 0;
}

bool sim_step(struct sim *s)
{
    settle_all(s);
    return step_until(s, PL_NEVER);
}

enum sim_end sim_run_idle(struct sim *s, pl_time bound)
{
    settle_all(s);
    while (step_until(s, bound))
        ;
    if (s->failure[0]) return SIM_FAILED;
    return next_item(s) ? SIM_BOUND : SIM_IDLE;
}

enum sim_end sim_run_until(struct sim *s, pl_time t)
{
    sim_run_idle(s, t);
    if (s->failure[0]) return SIM_FAILED;
    if (t > s->now) {
        s->now = t;
        s->instant_steps = 0;
        /* What the program asks for next is asked at this time. Nothing is due, so this fires nothing. */
        poll_all(s);
    }
    return next_item(s) ? SIM_BOUND : SIM_IDLE;
}
