/* SPDX-License-Identifier: MIT
 *
 * api_tcp.c: the public calls on connections and listeners: RFC 9293 3.9.1. What they mean is in transport/tcp/user.c.
 */
#include "stack/net.h"
#include "wire/ip_proto.h"

static bool unspecified(const struct pl_addr *a) { return route_addr_is_zero(a->b); }

/* The address and port that it takes, or an error. */
static int bind_listener(pl_stack *s, const struct pl_listen_params *p, struct flow *f)
{
    *f = (struct flow){.local_port = p->local.port, .protocol = WIRE_PROTO_TCP, .kind = FLOW_LISTENER};
    if (p->catch_all)
        return !unspecified(&p->local.addr) || p->local.port ? PL_EINVAL : s->catch_all ? PL_EADDRINUSE : PL_OK;
    if (p->local.port == 0)
        return PL_EINVAL;
    if (!unspecified(&p->local.addr) && !path_is_ours(s, &p->local.addr))
        return PL_EADDRNOTAVAIL;
    memcpy(f->local, p->local.addr.b, 16);
    f->zone = p->local.addr.zone;
    if (unspecified(&p->local.addr) && f->zone != FLOW_ZONE_IP6)
        f->zone = 0;
    return flow_find(&s->flows, f) ? PL_EADDRINUSE : PL_OK;
}

/* RFC 9293 3.9.1.1: a listener of its own, or an error: connections of the same port, opening or open, are not asked (MUST-41, 42). */
int pl_listen(pl_stack *s, const struct pl_listen_params *p, pl_listener *out)
{
    struct flow f;
    if (!p || !out)
        return PL_EINVAL;
    int e = bind_listener(s, p, &f);
    if (e != PL_OK)
        return e;
    uint32_t slot = slots_take(&s->listeners);
    if (!slot)
        return PL_ENOMEM;
    struct listener *l = slots_at(&s->listeners, slot);
    l->flow = f;
    l->cookie = p->cookie;
    l->backlog = p->backlog ? p->backlog : s->config.backlog_default;
    l->isn = -1;
    l->catch_all = p->catch_all;
    l->deferred = p->deferred;
    struct tcp_ctx x = stack_tcp_ctx(s);
    struct tcp c = {.state = PL_CLOSED};
    tcp_init(&x, &c);
    tcp_bequeath(&c, &l->like);
    if (p->catch_all)
        s->catch_all = slot, s->foreign = true;
    else
        flow_insert(&s->flows, flow_ref(&s->flows, FLOW_LISTENER, slot));
    *out = handle_of(HANDLE_LISTENER, &s->listeners, slot);
    return PL_OK;
}

int pl_accept(pl_stack *s, pl_listener h, pl_conn *out, struct pl_endpoint *remote)
{
    uint32_t slot = handle_slot(s, h, HANDLE_LISTENER);
    if (!slot || !out)
        return slot ? PL_EINVAL : PL_EHANDLE;
    struct listener *l = slots_at(&s->listeners, slot);
    uint32_t conn = list_pop(&l->accept, stack_conn_nodes(s));
    if (!conn)
        return PL_EAGAIN;
    struct tcp *c = conn_at(s, conn);
    struct tcp_ctx x = stack_tcp_ctx(s);
    c->listener = 0;
    *out = c->handle;
    if (remote) {
        *remote = (struct pl_endpoint){.addr = {.zone = c->flow.zone}, .port = c->flow.remote_port};
        memcpy(remote->addr.b, c->flow.remote, 16);
    }
    if (l->accept.count)
        event_post(s, flow_ref(&s->flows, FLOW_LISTENER, slot), PL_EV_ACCEPTABLE);
    /* what happened before the program knew the connection; RFC 9293 3.8.5, MUST-32: urgent data, too; RFC 5482 3.1-b: the peer's user timeout */
    uint32_t news = tcp_user_ready(&x, c) & (PL_EV_READABLE | PL_EV_PEER_FINISHED | PL_EV_URGENT | PL_EV_ERROR | PL_EV_CLOSED);
    event_post(s, flow_ref(&s->flows, FLOW_CONN, conn), news | (c->remote_uto ? PL_EV_USER_TIMEOUT : 0) | (c->soft_error ? PL_EV_TROUBLE : 0));
    return PL_OK;
}

static const struct time_wait *wait_at(const pl_stack *s, uint32_t slot) { return slots_at(&s->time_waits, slot); }

/* No port is free any more: the one that has been in TIME-WAIT towards this peer for longest, if a new connection is safe there. */
static uint32_t wait_to_reuse(pl_stack *s, const struct flow *f)
{
    struct tcp_ctx x = stack_tcp_ctx(s);
    for (uint32_t slot = s->time_wait_oldest; slot; slot = wait_at(s, slot)->order_next) {
        const struct flow *w = &wait_at(s, slot)->flow;
        if (w->remote_port == f->remote_port && w->zone == f->zone && memcmp(w->local, f->local, 32) == 0 && !flow_port_taken(&s->flows, w) &&
            time_wait_allows_connect(&x, wait_at(s, slot)))
            return slot;
    }
    return 0;
}

/* The ports that the program wants: RFC 9293 3.10.1: "error: connection already exists", but for RFC 6191's case: *old is its TIME-WAIT entry. */
static int given_port(pl_stack *s, const struct pl_connect_params *p, struct flow *f, uint32_t *old)
{
    struct tcp_ctx x = stack_tcp_ctx(s);
    uint32_t ref = flow_find(&s->flows, f);
    if (!ref)
        return PL_OK;
    if (flow_kind_of(&s->flows, ref) != FLOW_TIME_WAIT)
        return PL_EISCONN;
    *old = ref - s->flows.first[FLOW_TIME_WAIT];
    bool old_isn = p->isn_fixed && time_wait_iss(wait_at(s, *old), p->isn) != p->isn;
    return old_isn || !time_wait_allows_connect(&x, wait_at(s, *old)) ? PL_EADDRINUSE : PL_OK;
}

/* RFC 9293 3.10.1: the local address by route (MUST-44) unless it is given (MUST-43), the local port by RFC 6056. */
static int choose_local(pl_stack *s, const struct pl_connect_params *p, struct flow *f, struct path *path, uint32_t *old)
{
    struct pl_addr local = p->local.addr;
    if (path_is_group(s, &p->remote.addr))
        return PL_EADDRINVALID;           /* MUST-46 */
    int e = path_find(s, &p->remote.addr, &local, path);
    if (e != PL_OK)
        return e;
    *f = (struct flow){.local_port = p->local.port, .remote_port = p->remote.port, .zone = p->remote.addr.zone, .protocol = WIRE_PROTO_TCP};
    memcpy(f->local, local.b, 16);
    memcpy(f->remote, p->remote.addr.b, 16);
    if (memcmp(f->local, f->remote, 16) == 0)
        return PL_EADDRINVALID;           /* a stack does not talk to itself */
    if (f->local_port)
        return given_port(s, p, f, old);
    if (flow_port_choose(&s->flows, f, &s->secrets.ports, &s->port_counter))
        return PL_OK;
    if ((*old = wait_to_reuse(s, f)) == 0)
        return PL_EADDRNOTAVAIL;
    f->local_port = wait_at(s, *old)->flow.local_port;
    f->hash = wait_at(s, *old)->flow.hash;
    return PL_OK;
}

int pl_connect(pl_stack *s, const struct pl_connect_params *p, pl_conn *out)
{
    struct flow f;
    struct path path;
    uint32_t old = 0;
    if (!p || !out || p->remote.port == 0)
        return PL_EINVAL;
    int e = choose_local(s, p, &f, &path, &old);
    if (e != PL_OK)
        return e;
    uint32_t slot = conn_new(s, &f, &path, p->cookie);
    if (!slot)
        return PL_ENOMEM;
    struct tcp_ctx x = stack_tcp_ctx(s);
    struct tcp *c = conn_at(s, slot);
    struct tcp_tuple t = tcp_tuple(&f);
    uint32_t iss = p->isn_fixed ? p->isn : isn_choose(&s->secrets.tcp, &t, x.wire_now);
    if (old) {
        iss = time_wait_iss(wait_at(s, old), iss);
        time_wait_end(s, old, PL_WHY_TIME_WAIT_REUSED);
    }
    flow_insert_hashed(&s->flows, flow_ref(&s->flows, FLOW_CONN, slot));      /* hashed when it was found to be free */
    tcp_init(&x, c);
    tcp_user_open(&x, c, iss);
    *out = c->handle;
    conn_after(s, slot, &x);
    return PL_OK;
}

/* The connection behind a handle, and the context of a call on it. */
#define CONN_OR_RETURN(s, h)                                                                                                                          \
    uint32_t slot = handle_slot(s, h, HANDLE_CONN);                                                                                                   \
    if (!slot)                                                                                                                                        \
        return PL_EHANDLE;                                                                                                                            \
    struct tcp *c = conn_at(s, slot);                                                                                                                 \
    struct tcp_ctx x = stack_tcp_ctx((pl_stack *)(uintptr_t)(s))

/* The send buffer took less than it has room for: the chunks have run out, not the buffer. */
static void wait_for_chunks(pl_stack *s, uint32_t slot, const struct tcp *c)
{
    struct list_node *nodes = stack_conn_nodes(s);
    if (c->wants_write && c->snd_stream.len < c->sndbuf_bytes && nodes[slot].on == 0)
        list_append(&s->chunk_waiters, nodes, slot, 2);
}

static void touch(pl_stack *s, uint32_t slot, struct tcp *c)
{
    if (!c->released)
        ref_ready(s, flow_ref(&s->flows, FLOW_CONN, slot), c->path_iface);
}

ptrdiff_t pl_send(pl_stack *s, pl_conn h, const void *bytes, size_t n)
{
    CONN_OR_RETURN(s, h);
    if (!bytes && n)
        return PL_EINVAL;
    ptrdiff_t took = tcp_user_send(&x, c, bytes, n);
    if (took > 0)
        touch(s, slot, c);
    wait_for_chunks(s, slot, c);
    return took;
}

ptrdiff_t pl_send_urgent(pl_stack *s, pl_conn h, const void *bytes, size_t n)
{
    ptrdiff_t took = pl_send(s, h, bytes, n);
    if (took > 0)
        tcp_user_urgent(conn_at(s, handle_slot(s, h, HANDLE_CONN)));
    return took;
}

/* RFC 9293 3.8.5, MUST-33 */
ptrdiff_t pl_urgent(const pl_stack *s, pl_conn h)
{
    CONN_OR_RETURN(s, h);
    (void)x;
    return c->urgent_in ? (ptrdiff_t)(c->rcv.up - (c->rcv.nxt - c->rcv_stream.len)) : 0;
}

int pl_send_reserve(pl_stack *s, pl_conn h, size_t want, struct pl_span *span)
{
    CONN_OR_RETURN(s, h);
    int e = tcp_user_reserve(&x, c, want, span);
    wait_for_chunks(s, slot, c);
    return e;
}

int pl_send_commit(pl_stack *s, pl_conn h, size_t n)
{
    CONN_OR_RETURN(s, h);
    int e = tcp_user_commit(&x, c, n);
    touch(s, slot, c);
    return e;
}

/* Reading makes room: whoever waits for chunks, and the peer if the window may open far enough, hears of it. */
static void after_read(pl_stack *s, uint32_t slot, struct tcp *c, struct tcp_ctx *x)
{
    if (!c->released && tcp_window_update_due(x, c))
        touch(s, slot, c);
    if (s->chunk_waiters.count) {
        x->chunks_freed = true;
        conn_after(s, slot, x);
    }
}

ptrdiff_t pl_recv(pl_stack *s, pl_conn h, void *bytes, size_t n)
{
    CONN_OR_RETURN(s, h);
    if (!bytes && n)
        return PL_EINVAL;
    ptrdiff_t got = tcp_user_recv(&x, c, bytes, n);
    if (got > 0)
        after_read(s, slot, c, &x);
    return got;
}

int pl_recv_peek(pl_stack *s, pl_conn h, struct pl_span *spans, unsigned max)
{
    CONN_OR_RETURN(s, h);
    return max == 0 ? PL_EINVAL : tcp_user_peek(&x, c, spans, max);
}

int pl_recv_consume(pl_stack *s, pl_conn h, size_t n)
{
    CONN_OR_RETURN(s, h);
    int e = tcp_user_consume(&x, c, n);
    if (e == PL_OK)
        after_read(s, slot, c, &x);
    return e;
}

int pl_finish(pl_stack *s, pl_conn h)
{
    CONN_OR_RETURN(s, h);
    int e = tcp_user_finish(&x, c);
    conn_after(s, slot, &x);
    return e;
}

int pl_abort(pl_stack *s, pl_conn h)
{
    CONN_OR_RETURN(s, h);
    if (c->time_wait) {                   /* 3.10.5: TIME-WAIT: "enter CLOSED state" */
        time_wait_end(s, c->time_wait, PL_WHY_CALL_ABORT);
        return PL_OK;
    }
    int e = tcp_user_abort(&x, c);
    conn_after(s, slot, &x);
    return e;
}

int pl_close(pl_stack *s, pl_handle h)
{
    uint32_t slot;
    if ((slot = handle_slot(s, h, HANDLE_CONN)) != 0) {
        struct tcp_ctx x = stack_tcp_ctx(s);
        tcp_user_close(&x, conn_at(s, slot));
        orphan_begins(s, slot, &x);
        event_drop(s, flow_ref(&s->flows, FLOW_CONN, slot));
        conn_after(s, slot, &x);
    } else if ((slot = handle_slot(s, h, HANDLE_LISTENER)) != 0) {
        listener_end(s, slot);
    } else if ((slot = handle_slot(s, h, HANDLE_UDP)) != 0) {
        udp_close_slot(s, slot);
    } else if ((slot = handle_slot(s, h, HANDLE_INCOMING)) != 0) {
        incoming_refuse(s, slot, PL_REFUSE_RESET, PL_WHY_CALL_REFUSE);
    } else {
        return PL_EHANDLE;
    }
    return PL_OK;
}

int pl_status(const pl_stack *s, pl_conn h, struct pl_tcp_status *out, size_t size)
{
    CONN_OR_RETURN(s, h);
    struct pl_tcp_status st;
    tcp_user_status(&x, c, &st);
    memcpy(out, &st, size < sizeof st ? size : sizeof st);
    return PL_OK;
}

int pl_explain(const pl_stack *s, pl_conn h, char *text, size_t size)
{
    CONN_OR_RETURN(s, h);
    if (size == 0)
        return PL_EINVAL;
    size_t n = tcp_explain(&x, c, text, size);
    return (int)(c->time_wait && n < size ? n + time_wait_explain(s, c->time_wait, text + n, size - n) : n);
}

void pl_states(const pl_stack *s, uint32_t counts[PL_STATE_COUNT])
{
    memset(counts, 0, PL_STATE_COUNT * sizeof counts[0]);
    counts[PL_LISTEN] = s->listeners.used;
    counts[PL_SYN_RECEIVED] = s->half_opens.used;
    counts[PL_TIME_WAIT] = s->time_waits.used - s->time_waits_parked;
    for (uint32_t n = slots_next(&s->pools.conns, 0); n; n = slots_next(&s->pools.conns, n))
        if (!conn_at(s, n)->released)
            counts[conn_at(s, n)->state]++;
}

static bool holds_port(const struct flow *f, const struct pl_endpoint *e)
{
    return f->local_port == e->port && (unspecified(&e->addr) || memcmp(f->local, e->addr.b, 16) == 0);
}

void pl_port_states(const pl_stack *s, const struct pl_endpoint *e, uint32_t counts[PL_STATE_COUNT])
{
    memset(counts, 0, PL_STATE_COUNT * sizeof counts[0]);
    for (uint32_t n = slots_next(&s->listeners, 0); n; n = slots_next(&s->listeners, n))
        counts[PL_LISTEN] += holds_port(slots_at(&s->listeners, n), e);
    for (uint32_t n = slots_next(&s->half_opens, 0); n; n = slots_next(&s->half_opens, n))
        counts[PL_SYN_RECEIVED] += holds_port(slots_at(&s->half_opens, n), e);
    for (uint32_t n = slots_next(&s->time_waits, 0); n; n = slots_next(&s->time_waits, n))
        counts[PL_TIME_WAIT] += holds_port(slots_at(&s->time_waits, n), e);
    for (uint32_t n = slots_next(&s->pools.conns, 0); n; n = slots_next(&s->pools.conns, n))
        if (!conn_at(s, n)->released)
            counts[conn_at(s, n)->state] += holds_port(&conn_at(s, n)->flow, e);
}

bool pl_conn_next(const pl_stack *s, uint32_t *cursor, pl_conn *out)
{
    for (*cursor = slots_next(&s->pools.conns, *cursor); *cursor; *cursor = slots_next(&s->pools.conns, *cursor))
        if (!conn_at(s, *cursor)->orphan && !conn_at(s, *cursor)->listener) {
            *out = conn_at(s, *cursor)->handle;
            return true;
        }
    return false;
}

void pl_abort_all(pl_stack *s)
{
    for (uint32_t slot = slots_next(&s->pools.conns, 0); slot; slot = slots_next(&s->pools.conns, slot)) {
        struct tcp_ctx x = stack_tcp_ctx(s);
        struct tcp *c = conn_at(s, slot);
        if (c->released)
            continue;                     /* CLOSED, or a TIME-WAIT entry stands for it */
        tcp_user_abort(&x, c);
        conn_after(s, slot, &x);
    }
}
