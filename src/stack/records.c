/* SPDX-License-Identifier: MIT
 *
 * records.c: life and death of connections, half-open entries and TIME-WAIT entries.
 *
 * A connection's slot is freed when it is CLOSED or a TIME-WAIT entry stands for it, and the program has given its handle back. Until then
 * what was received stays readable and pl_error tells what happened.
 */
#include "stack/net.h"

struct tcp_ctx stack_tcp_ctx(pl_stack *s)
{
    return (struct tcp_ctx){.now = s->now, .wire_now = s->now - s->shifted, .pools = &s->pools, .config = &s->config, .secrets = &s->secrets.tcp, .env = s->env,
                            .counters = &s->counters};
}

static uint32_t conn_ref(const pl_stack *s, uint32_t slot) { return flow_ref(&s->flows, FLOW_CONN, slot); }

static void set_path(struct tcp *c, const struct path *p)
{
    c->path_iface = p->iface;
    c->path_neighbor = p->neighbor;
    c->path_generation = p->neighbor_generation;
    c->path_mtu = p->mtu;
}

uint32_t conn_new(pl_stack *s, const struct flow *f, const struct path *p, uint64_t cookie)
{
    uint32_t slot = slots_take(&s->pools.conns);
    if (!slot)
        return 0;
    struct tcp *c = conn_at(s, slot);
    c->flow = *f;
    c->flow.kind = FLOW_CONN;
    c->handle = handle_of(HANDLE_CONN, &s->pools.conns, slot);
    c->cookie = cookie;
    set_path(c, p);
    return slot;
}

bool scratch_init(pl_stack *s, struct tcp_ctx *x, const struct flow *f, const struct tcp_inherited *like, struct tcp *c)
{
    struct path path;
    if (path_find_flow(s, f, &path) != PL_OK)
        return false;
    memset(c, 0, sizeof *c);
    c->flow = *f;
    set_path(c, &path);
    tcp_init(x, c);
    if (like)
        tcp_inherit(c, like);
    return true;
}

/* A record that has no connection of its own, as far as a change of its state has to be told. */
static void scratch_told(const struct flow *f, enum pl_state state, struct tcp *c)
{
    memset(c, 0, sizeof *c);
    c->flow = *f;
    c->state = (uint8_t)state;
    c->path_iface = -1;
}

/* ------------------------------------------------------------------ TIME-WAIT ------------------------------------------------------------------ */

static struct time_wait *time_wait_at(const pl_stack *s, uint32_t slot) { return slots_at(&s->time_waits, slot); }

static void order_unlink(pl_stack *s, uint32_t slot)
{
    struct time_wait *w = time_wait_at(s, slot);
    if (w->order_prev)
        time_wait_at(s, w->order_prev)->order_next = w->order_next;
    else
        s->time_wait_oldest = w->order_next;
    if (w->order_next)
        time_wait_at(s, w->order_next)->order_prev = w->order_prev;
    else
        s->time_wait_newest = w->order_prev;
}

static void order_append(pl_stack *s, uint32_t slot)
{
    struct time_wait *w = time_wait_at(s, slot);
    w->order_next = 0;
    w->order_prev = s->time_wait_newest;
    if (s->time_wait_newest)
        time_wait_at(s, s->time_wait_newest)->order_next = slot;
    else
        s->time_wait_oldest = slot;
    s->time_wait_newest = slot;
}

/* All wait equally long, so the oldest is the next to end: it alone stands in the wheel. */
static void watch_oldest(pl_stack *s)
{
    if (s->time_wait_oldest)
        ref_deadline(s, flow_ref(&s->flows, FLOW_TIME_WAIT, s->time_wait_oldest), time_wait_at(s, s->time_wait_oldest)->until);
}

static struct half_open *half_open_at(const pl_stack *s, uint32_t slot) { return slots_at(&s->half_opens, slot); }

/* RFC 9293 3.6.1, MAY-2: until the newer SYN has proved to be no old duplicate, the entry stays, and its time runs on: what is inserted into the table
 * later is found first. */
void time_wait_park(pl_stack *s, uint32_t slot)
{
    struct time_wait *w = time_wait_at(s, slot);
    w->parked = 1;
    s->time_waits_parked++;
    w->ack_why = 0;
    ref_unqueue(s, flow_ref(&s->flows, FLOW_TIME_WAIT, slot));
}

/* The half-open entry in front of a parked one; and the parked one behind it, 0: there is none, or its time was up. */
static struct half_open *in_front_of(const pl_stack *s, const struct time_wait *w)
{
    return half_open_at(s, flow_find_kind(&s->flows, &w->flow, FLOW_HALF_OPEN) - s->flows.first[FLOW_HALF_OPEN]);
}

static uint32_t behind(const pl_stack *s, const struct half_open *h)
{
    uint32_t ref = h->flags & HALF_REOPENS ? flow_find_kind(&s->flows, &h->flow, FLOW_TIME_WAIT) : 0;
    return ref ? ref - s->flows.first[FLOW_TIME_WAIT] : 0;
}

/* With a million entries nothing of the next to end is in a cache: each step asks for what the step after it reads, an end earlier. */
static void fetch_ahead(const pl_stack *s)
{
    uint32_t first = s->time_wait_oldest, second = first ? time_wait_at(s, first)->order_next : 0;
    if (!second)
        return;
    const struct time_wait *w = time_wait_at(s, second);
    flow_fetch_ahead(&s->flows, &w->flow);
    uint32_t third = w->order_next;
    if (!third)
        return;
    __builtin_prefetch(&time_wait_at(s, third)->flow.hash);
    __builtin_prefetch(&time_wait_at(s, third)->order_next);
    __builtin_prefetch(&slots_meta(&s->time_waits, third)->generation);
    __builtin_prefetch(&stack_ready_nodes(s)[flow_ref(&s->flows, FLOW_TIME_WAIT, third)]);
    wheel_fetch_ahead(&s->wheel, flow_ref(&s->flows, FLOW_TIME_WAIT, third));
}

void time_wait_restarted(pl_stack *s, uint32_t slot)
{
    order_unlink(s, slot);
    order_append(s, slot);
    watch_oldest(s);
}

void time_wait_end(pl_stack *s, uint32_t slot, enum pl_reason why)
{
    struct time_wait *w = time_wait_at(s, slot);
    uint32_t ref = flow_ref(&s->flows, FLOW_TIME_WAIT, slot);
    struct tcp_ctx x = stack_tcp_ctx(s);
    struct tcp scratch, *c = &scratch;
    uint32_t owner = w->owner;
    bool parked = w->parked;
    if (owner) {
        c = conn_at(s, owner);
        c->time_wait = 0;
    } else {
        scratch_told(&w->flow, PL_TIME_WAIT, &scratch);
    }
    if (parked) {
        s->time_waits_parked--;
        in_front_of(s, w)->flags &= (uint8_t)~HALF_REOPENS;
    }
    if (owner || !parked)                 /* else the half-open entry has taken its place */
        tcp_state(&x, c, PL_CLOSED, why);
    flow_remove(&s->flows, ref);
    ref_off(s, ref);
    order_unlink(s, slot);
    watch_oldest(s);
    fetch_ahead(s);
    slots_give(&s->time_waits, slot);
    if (owner)
        conn_forget(s, owner);
}

void time_wait_fires(pl_stack *s, uint32_t slot)
{
    if (time_wait_at(s, slot)->until > s->now)
        watch_oldest(s);
    else
        time_wait_end(s, slot, PL_WHY_TIMER_2MSL);
}

/* The connection has reached TIME-WAIT: an entry takes its place in the table. */
static void time_wait_begin(pl_stack *s, uint32_t slot, struct tcp_ctx *x)
{
    struct tcp *c = conn_at(s, slot);
    if (s->time_waits.used == s->time_waits.capacity)
        time_wait_end(s, s->time_wait_oldest, PL_WHY_RECYCLED);
    uint32_t w_slot = slots_take(&s->time_waits), ref = flow_ref(&s->flows, FLOW_TIME_WAIT, w_slot);
    struct time_wait *w = time_wait_at(s, w_slot);
    flow_remove(&s->flows, conn_ref(s, slot));
    w->flow = c->flow;
    w->flow.kind = FLOW_TIME_WAIT;
    w->owner = slot;
    time_wait_freeze(w, c, s->now + 2 * s->config.msl);      /* RFC 9293 3.6.1, MUST-13 */
    flow_insert_hashed(&s->flows, ref);
    order_append(s, w_slot);
    watch_oldest(s);
    if (w->ack_why)
        ref_ready(s, ref, c->path_iface);
    c->time_wait = w_slot;
    c->released = true;
    orphan_ends(s, slot);
    tcp_release(x, c);
    x->news |= PL_EV_CLOSED;
    ref_off(s, conn_ref(s, slot));
}

/* ------------------------------------------------------------------ connections ------------------------------------------------------------------ */

void conn_forget(pl_stack *s, uint32_t slot)
{
    struct tcp *c = conn_at(s, slot);
    if (!c->orphan || !c->released || c->listener)
        return;
    if (c->time_wait)
        time_wait_at(s, c->time_wait)->owner = 0;
    event_drop(s, conn_ref(s, slot));
    ref_off(s, conn_ref(s, slot));
    if (stack_conn_nodes(s)[slot].on)
        list_remove(&s->chunk_waiters, stack_conn_nodes(s), slot);
    slots_give(&s->pools.conns, slot);
}

/* Chunks came back: whoever was refused room for want of them may try again. */
void wake_chunk_waiters(pl_stack *s)
{
    struct list_node *nodes = stack_conn_nodes(s);
    for (uint32_t n = s->chunk_waiters.count; n && chunks_to_send(&s->pools.chunks); n--) {
        uint32_t slot = list_pop(&s->chunk_waiters, nodes);
        if (!conn_at(s, slot)->orphan)
            event_post(s, conn_ref(s, slot), PL_EV_WRITABLE);
    }
}

/* Text in order was refused for want of a chunk: what came early goes first, of one connection after the other; the peer repeats what was refused. */
static void shed_early_text(pl_stack *s)
{
    enum { LOOKED_AT = 16 };
    for (unsigned n = 0; n < LOOKED_AT && s->pools.gaps.used; n++) {
        s->gaps_turn = slots_next(&s->pools.gaps, s->gaps_turn);
        if (!s->gaps_turn)
            continue;
        struct tcp_ctx x = stack_tcp_ctx(s);
        const struct ooo *o = slots_at(&s->pools.gaps, s->gaps_turn);
        if (!tcp_shed_early_text(&x, conn_at(s, o->owner)))
            continue;
        wake_chunk_waiters(s);
        return;
    }
}

static void reply(pl_stack *s, const struct tcp *c, struct tcp_ctx *x)
{
    if (!x->reply.due)
        return;
    struct owed_tcp o = {.flow = c->flow, .seq = x->reply.seq, .ack = x->reply.ack, .flags = x->reply.flags, .tos = c->tos, .hop_limit = c->hop_limit,
                         .of_connection = c->handle != 0, .why = x->reply.why,
                         .opts = x->reply.ts ? WIRE_OPT_TIMESTAMPS : 0, .ts_val = x->reply.ts_val, .ts_ecr = x->reply.ts_ecr};
    owed_tcp(s, c->path_iface, &o);
    x->reply.due = false;
}

static void tell_path(pl_stack *s, const struct tcp *c, const struct tcp_ctx *x)
{
    struct path p = {c->path_iface, c->path_neighbor, c->path_generation, c->path_mtu};
    if (x->progress && c->path_neighbor)
        path_confirm(s, &p);
    if (x->doubt)
        path_doubt(s, &p);
    if (x->mtu_learned) {
        struct pl_addr remote = {.zone = c->flow.zone};
        memcpy(remote.b, c->flow.remote, 16);
        path_mtu_learned(s, &remote, x->mtu_learned);
    }
}

static inline void advise(pl_stack *s, const struct tcp *c, const struct tcp_ctx *x)
{
    if ((x->progress && c->path_neighbor) || x->doubt || x->mtu_learned)
        tell_path(s, c, x);
}

void conn_after(pl_stack *s, uint32_t slot, struct tcp_ctx *x)
{
    struct tcp *c = conn_at(s, slot);
    uint32_t ref = conn_ref(s, slot);
    reply(s, c, x);
    advise(s, c, x);
    if (c->state == PL_TIME_WAIT && !c->released) {
        time_wait_begin(s, slot, x);
    } else if (c->state == PL_CLOSED && !c->released) {
        c->released = true;
        orphan_ends(s, slot);
        flow_remove(&s->flows, ref);
        ref_off(s, ref);
        if (c->error)
            s->counters.connections_failed++;
        if (c->error == PL_ECONNRESET)
            s->counters.connections_reset++;
    }
    if (x->starved)
        shed_early_text(s);
    if (x->chunks_freed)
        wake_chunk_waiters(s);
    if (x->news && !c->orphan && !c->listener)
        event_post(s, ref, x->news);
    if (s->config.check)
        tcp_check(x, c);
    if (c->released) {
        conn_forget(s, slot);
        return;
    }
    if (c->orphan || c->user_timeout_ms)     /* these bounds hold even if the connection never gets to send again */
        life_rearm(x, c);
    ref_ready(s, ref, c->path_iface);
    ref_deadline(s, ref, timers_next(&c->timers));
}

void conn_fires(pl_stack *s, uint32_t slot)
{
    struct tcp_ctx x = stack_tcp_ctx(s);
    struct tcp *c = conn_at(s, slot);
    if (c->released)
        return;
    tcp_timeouts(&x, c);
    conn_after(s, slot, &x);
}

/* ------------------------------------------------------------------ half-open ------------------------------------------------------------------ */

bool half_open_scratch(pl_stack *s, struct tcp_ctx *x, uint32_t slot, struct tcp *c)
{
    const struct half_open *h = half_open_at(s, slot);
    const struct listener *l = slots_at(&s->listeners, h->listener);
    if (!scratch_init(s, x, &h->flow, &l->like, c))
        return false;
    c->ts.offset = l->deferred ? tcp_timestamp_offset(x, &h->flow) : h->ts_offset;
    half_open_thaw(x, h, c);
    return true;
}

static void half_open_free(pl_stack *s, uint32_t slot)
{
    struct half_open *h = half_open_at(s, slot);
    uint32_t ref = flow_ref(&s->flows, FLOW_HALF_OPEN, slot), w_slot = behind(s, h);
    struct listener *l = slots_at(&s->listeners, h->listener);
    l->half_open--;
    if (w_slot) {
        time_wait_at(s, w_slot)->parked = 0;
        s->time_waits_parked--;
    }
    /* the program has its handle and may be busy with it: it should hear that nobody waits any more */
    if ((h->flags & HALF_DEFERRED) && stack_ready_nodes(s)[ref].on == 0)
        event_post(s, flow_ref(&s->flows, FLOW_LISTENER, h->listener), PL_EV_WITHDRAWN);
    flow_remove(&s->flows, ref);
    ref_off(s, ref);
    slots_give(&s->half_opens, slot);
}

void half_open_end(pl_stack *s, uint32_t slot, enum pl_reason why)
{
    struct half_open *h = half_open_at(s, slot);
    struct tcp_ctx x = stack_tcp_ctx(s);
    struct tcp c;
    scratch_told(&h->flow, PL_SYN_RECEIVED, &c);
    c.reopens = (h->flags & HALF_REOPENS) != 0;
    tcp_die(&x, &c, 0, why);
    half_open_free(s, slot);
}

void half_open_adopted(pl_stack *s, uint32_t slot)
{
    uint32_t w_slot = behind(s, half_open_at(s, slot));
    if (w_slot)                           /* the SYN was new: the old connection is over for good */
        time_wait_end(s, w_slot, PL_WHY_GOT_NEW_SYN);
    half_open_free(s, slot);
}

/* Nothing may be sent in the name of an entry that waits for the program, but RFC 9293 3.10.7.4's ACK of what is not acceptable: how a peer that
 * has begun anew finds out (RFC 9293 3.5.1). */
static void deferred_answers(pl_stack *s, struct tcp *c)
{
    struct owed_tcp o = {.flow = c->flow, .seq = c->snd.nxt, .ack = c->rcv.nxt, .flags = PL_ACK, .tos = c->tos, .hop_limit = c->hop_limit,
                         .why = c->delack.why};
    if (c->delack.now)
        owed_tcp(s, c->path_iface, &o);
    c->delack.now = 0;
}

void half_open_after(pl_stack *s, uint32_t slot, struct tcp *c, struct tcp_ctx *x)
{
    struct half_open *h = half_open_at(s, slot);
    uint32_t ref = flow_ref(&s->flows, FLOW_HALF_OPEN, slot);
    reply(s, c, x);
    advise(s, c, x);
    if (c->state != PL_SYN_RECEIVED) {
        half_open_free(s, slot);
        return;
    }
    if (h->flags & HALF_DEFERRED)
        deferred_answers(s, c);
    half_open_freeze(x, h, c);
    if (c->syn_due || c->delack.now)
        ref_ready(s, ref, c->path_iface);
    ref_deadline(s, ref, timers_next(&c->timers));
}

void half_open_fires(pl_stack *s, uint32_t slot)
{
    struct tcp_ctx x = stack_tcp_ctx(s);
    const struct half_open *h = half_open_at(s, slot);
    struct tcp c;
    if (h->flags & HALF_DEFERRED) {
        if (s->now < h->resend_at)
            ref_deadline(s, flow_ref(&s->flows, FLOW_HALF_OPEN, slot), h->resend_at);
        else
            half_open_end(s, slot, PL_WHY_TIMER_UNDECIDED);
        return;
    }
    if (!half_open_scratch(s, &x, slot, &c)) {
        half_open_end(s, slot, PL_WHY_NO_WAY);
        return;
    }
    tcp_timeouts(&x, &c);
    half_open_after(s, slot, &c, &x);
}

/* The listener goes: RFC 9293 3.10.4: what waits on it is reset. */
void listener_end(pl_stack *s, uint32_t slot)
{
    struct listener *l = slots_at(&s->listeners, slot);
    uint32_t ref = flow_ref(&s->flows, FLOW_LISTENER, slot);
    for (uint32_t h = slots_next(&s->half_opens, 0); h; h = slots_next(&s->half_opens, h)) {
        struct tcp_ctx x = stack_tcp_ctx(s);
        struct tcp c;
        if (half_open_at(s, h)->listener != slot)
            continue;
        if (half_open_at(s, h)->flags & HALF_DEFERRED) {
            incoming_refuse(s, h, PL_REFUSE_RESET, PL_WHY_LISTENER_CLOSED);
            continue;
        }
        if (!half_open_scratch(s, &x, h, &c)) {
            half_open_end(s, h, PL_WHY_LISTENER_CLOSED);
            continue;
        }
        tcp_owe_reset(&x, &c, PL_WHY_RST_ABORT);
        tcp_die(&x, &c, 0, PL_WHY_LISTENER_CLOSED);
        half_open_after(s, h, &c, &x);
    }
    for (uint32_t c_slot; (c_slot = list_pop(&l->accept, stack_conn_nodes(s))) != 0;) {
        struct tcp_ctx x = stack_tcp_ctx(s);
        struct tcp *c = conn_at(s, c_slot);
        c->listener = 0;
        if (c->state != PL_CLOSED && c->state != PL_TIME_WAIT)
            tcp_user_abort(&x, c);
        tcp_user_close(&x, c);            /* nobody will read what it holds */
        conn_after(s, c_slot, &x);
    }
    event_drop(s, ref);
    if (s->catch_all == slot)             /* it never was in the table */
        s->catch_all = 0;
    else
        flow_remove(&s->flows, ref);
    slots_give(&s->listeners, slot);
}
