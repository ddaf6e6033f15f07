/* SPDX-License-Identifier: MIT
 *
 * tcp_rx.c: a TCP segment from its header on: form, checksum, whose it is, input, and what follows from it. RFC 9293 3.1, 3.10.7.
 */
#include "base/checksum.h"
#include "base/seq.h"
#include "stack/net.h"
#include "transport/tcp/models/user_timeout.h"
#include "wire/ip_proto.h"
#include "wire/tcp_hdr.h"

struct arrival {                          /* a segment on its way to its record */
    struct packet *p;
    struct tcp_seg seg;
    struct flow key;                      /* local is ours */
};

static bool checksum_good(const pl_stack *s, const struct packet *p)
{
    uint32_t sum = csum_pseudo(p->src.b, p->dst.b, WIRE_PROTO_TCP, p->l4_bytes);
    sum = csum_add(sum, csum_spans(p->frame->span, p->frame->nspans, p->l4_off, p->l4_bytes, s->env->cpu));
    return csum_fold(sum) == 0xffff;
}

/* For the trace only. */
static void describe(const struct tcp_seg *seg, struct packet *p)
{
    const struct wire_tcp_opts *o = &seg->opts;
    p->has_seg = true;
    p->seg = (struct pl_trace_segment){.seq = seg->seq, .ack = seg->flags & PL_ACK ? seg->ack : 0, .len = seg->text, .wnd = seg->wnd_raw, .wnd_raw = seg->wnd_raw,
                                       .up = seg->up, .flags = seg->flags, .opts = o->have, .wscale = o->wscale, .nsack = o->nsack, .mss = o->mss,
                                       .segs = seg->segs, .ts_val = o->ts_val, .ts_ecr = o->ts_ecr};
    p->seg.user_timeout_s = (uint32_t)(user_timeout_ms(o->user_timeout) / 1000);
    for (unsigned i = 0; i < o->nsack && i < 4; i++)
        p->seg.sack[2 * i] = o->sack[i].lo, p->seg.sack[2 * i + 1] = o->sack[i].hi;
}

/* Reads the header; false: p->drop says why not. */
static bool read_segment(pl_stack *s, struct packet *p, struct arrival *a)
{
    struct wire_tcp h;
    const uint8_t *at = p->bytes + p->l4_off;
    size_t have = p->contiguous > p->l4_off ? p->contiguous - p->l4_off : 0;
    if (have > p->l4_bytes)
        have = p->l4_bytes;
    if (!wire_tcp_read(at, have, &h)) {
        p->drop = PL_DROP_TCP_HEADER;
        return false;
    }
    p->src_port = h.src_port;
    p->dst_port = h.dst_port;
    struct tcp_seg *seg = &a->seg;        /* field by field: `opts` is filled by its reader, and this is done for each segment */
    seg->seq = h.seq, seg->ack = h.ack;
    seg->wnd = seg->wnd_raw = h.wnd, seg->up = h.up;
    seg->flags = h.flags, seg->tos = p->tos;
    seg->text = p->l4_bytes - h.hdr_bytes;
    seg->segs = p->frame->gso_segs ? p->frame->gso_segs : 1;
    seg->spans = p->frame->span, seg->nspans = p->frame->nspans;
    seg->text_off = p->l4_off + h.hdr_bytes;
    seg->had_text = false;
    seg->len = seg->text + (h.flags / PL_SYN & 1) + (h.flags / PL_FIN & 1);
    /* RFC 9293 3.1, MUST-5: in any segment */
    wire_tcp_opts_read(at + WIRE_TCP_BYTES, h.hdr_bytes - WIRE_TCP_BYTES, &seg->opts);
    if (s->env->trace)
        describe(seg, p);
    /* RFC 9293 3.9.2.3, MUST-57: nothing that was sent to many is answered. */
    if (p->to_group)
        p->drop = PL_DROP_TCP_BROADCAST;
    else if (!p->csum_ok && !checksum_good(s, p))        /* RFC 9293 3.1, MUST-3 */
        p->drop = PL_DROP_TCP_CHECKSUM;
    else if (h.src_port == h.dst_port && memcmp(p->src.b, p->dst.b, 16) == 0)
        p->drop = PL_DROP_TCP_LAND;
    return p->drop == PL_DROP_NONE;
}

static void make_key(struct arrival *a)
{
    struct packet *p = a->p;
    a->key = (struct flow){.local_port = p->dst_port, .remote_port = p->src_port, .zone = p->src.zone, .protocol = WIRE_PROTO_TCP, .foreign = p->foreign};
    memcpy(a->key.local, p->dst.b, 16);
    memcpy(a->key.remote, p->src.b, 16);
}

static void answer(pl_stack *s, struct arrival *a, const struct tcp_reply *r)
{
    if (!r->due)
        return;
    struct owed_tcp o = {.flow = a->key, .seq = r->seq, .ack = r->ack, .flags = r->flags, .why = r->why,
                         .opts = r->ts ? WIRE_OPT_TIMESTAMPS : 0, .ts_val = r->ts_val, .ts_ecr = r->ts_ecr};
    owed_tcp(s, a->p->iface, &o);
}

/* RFC 7323 2.3-d: the window of every segment but a SYN is scaled. RFC 9293 3.1, MUST-1, REC-1: 16 bits without a sign, kept in 32. */
static void scale_window(struct arrival *a, bool scaled, uint8_t shift)
{
    if (scaled && !(a->seg.flags & PL_SYN))
        a->seg.wnd = (uint32_t)a->seg.wnd_raw << shift;
    a->p->seg.wnd = a->seg.wnd;
}

static void conn_rx(pl_stack *s, struct arrival *a, uint32_t slot)
{
    struct tcp *c = conn_at(s, slot);
    struct packet *p = a->p;
    struct tcp_ctx *x = &p->run->x;
    if (p->run->conn != slot) {
        tcp_rx_settle(s, p->run);
        tcp_ctx_renew(x);
    }
    p->conn = c->handle;
    p->cookie = c->cookie;
    p->state_before = c->state;
    scale_window(a, c->opt.wscale_ok, c->opt.snd_wscale);
    uint8_t before = c->state;
    p->drop = (uint16_t)tcp_input(x, c, &a->seg);
    p->state_after = c->state;
    if (before == PL_SYN_SENT && tcp_synchronised(c))
        s->counters.connections_opened++;
    p->run->conn = slot;
    if (c->state != PL_ESTABLISHED || x->reply.due)      /* else the results of the next segment may be added to these */
        tcp_rx_settle(s, p->run);
    else if (s->config.check)
        tcp_check(x, c);
}

void tcp_rx_settle(pl_stack *s, struct rx_run *run)
{
    uint32_t slot = run->conn;
    run->conn = 0;
    if (slot)
        conn_after(s, slot, &run->x);
}

/* ------------------------------------------------------------------ LISTEN and half-open ------------------------------------------------------------------ */

static uint32_t choose_isn(pl_stack *s, const struct listener *l, const struct flow *f, uint32_t w_slot)
{
    struct tcp_tuple t = tcp_tuple(f);
    uint32_t iss = l->isn >= 0 ? (uint32_t)l->isn : isn_choose(&s->secrets.tcp, &t, s->now - s->shifted);
    return w_slot ? time_wait_iss(slots_at(&s->time_waits, w_slot), iss) : iss;
}

static bool room_for_half_open(const pl_stack *s, uint32_t l_slot)
{
    const struct listener *l = slots_at(&s->listeners, l_slot);
    return l->half_open < l->backlog && s->half_opens.used < s->half_opens.capacity;
}

/* The SYN-ACK has to wait until the program says yes: nothing is sent, and the entry is put before the program. */
static void defer(pl_stack *s, uint32_t slot, struct tcp *c, struct tcp_ctx *x)
{
    struct half_open *h = slots_at(&s->half_opens, slot);
    h->flags |= HALF_DEFERRED;
    c->syn_due = false;
    timers_set_resend(&c->timers, RESEND_RTO, s->now + s->config.deferred_timeout);
    tcp_trace(x, c, PL_TRACE_DECISION, PL_WHY_SYN_DEFERRED, 0, 0);
    ref_undecided(s, flow_ref(&s->flows, FLOW_HALF_OPEN, slot), h->listener);
    event_post(s, flow_ref(&s->flows, FLOW_LISTENER, h->listener), PL_EV_INCOMING);
}

/* A good SYN at a listener: RFC 9293 3.10.7.2 third. w_slot: of the TIME-WAIT entry that it reopens, or 0. */
static enum pl_drop make_half_open(pl_stack *s, struct arrival *a, uint32_t l_slot, uint32_t w_slot)
{
    struct listener *l = slots_at(&s->listeners, l_slot);
    struct tcp_ctx x = stack_tcp_ctx(s);
    struct tcp c;
    if (!room_for_half_open(s, l_slot)) {
        if (!s->config.syn_cookies || l->deferred || l->accept.count >= l->backlog)
            return PL_DROP_TCP_BACKLOG;
        cookie_send(s, a->p->iface, l, &a->key, &a->seg);
        return PL_DROP_TCP_COOKIE_SENT;
    }
    if (!scratch_init(s, &x, &a->key, &l->like, &c))
        return PL_DROP_NO_ROUTE;
    uint32_t slot = slots_take(&s->half_opens);
    struct half_open *h = slots_at(&s->half_opens, slot);
    h->flow = a->key;
    h->flow.kind = FLOW_HALF_OPEN;
    h->listener = l_slot;
    l->half_open++;
    if (w_slot) {
        time_wait_park(s, w_slot);
        h->flags = HALF_REOPENS;
        c.reopens = true;
    }
    flow_insert_hashed(&s->flows, flow_ref(&s->flows, FLOW_HALF_OPEN, slot));
    half_open_make(&x, &c, &a->seg, choose_isn(s, l, &a->key, w_slot));
    if (l->deferred)
        defer(s, slot, &c, &x);
    else
        h->ts_offset = c.ts.offset;
    half_open_after(s, slot, &c, &x);
    return PL_DROP_NONE;
}

static uint32_t adopt(pl_stack *, struct arrival *, uint32_t l_slot, uint32_t half, const struct tcp *scratch);

/* The third message is good: what was half open goes on as a connection, RFC 9293 3.10.7.4 fifth. */
static void third_message(pl_stack *s, struct arrival *a, uint32_t l_slot, uint32_t half, const struct tcp *scratch, struct tcp_ctx *x)
{
    uint32_t conn = adopt(s, a, l_slot, half, scratch);
    if (!conn)
        return;                           /* the entry stays, the SYN-ACK will be repeated */
    struct tcp *c = conn_at(s, conn);
    a->p->conn = c->handle;
    a->p->drop = (uint16_t)tcp_input_rest(x, c, &a->seg);
    a->p->state_after = c->state;
    conn_after(s, conn, x);
}

static void listen_rx(pl_stack *s, struct arrival *a, uint32_t l_slot)
{
    const struct listener *l = slots_at(&s->listeners, l_slot);
    struct tcp_reply r = {0};
    struct packet *p = a->p;
    p->state_before = p->state_after = PL_LISTEN;
    if (s->cookies_until > s->now && !l->deferred) {
        struct tcp_ctx x = stack_tcp_ctx(s);
        struct tcp c;
        if (cookie_accepts(s, l, &a->key, &a->seg, &x, &c)) {
            p->state_before = PL_SYN_RECEIVED;
            scale_window(a, c.opt.wscale_ok, c.opt.snd_wscale);
            third_message(s, a, l_slot, 0, &c, &x);
            return;
        }
    }
    p->drop = (uint16_t)listen_arrives(&a->seg, &r);
    if (p->drop == PL_DROP_NONE) {
        p->drop = (uint16_t)make_half_open(s, a, l_slot, 0);
        p->state_after = p->drop ? PL_LISTEN : PL_SYN_RECEIVED;
    }
    answer(s, a, &r);
}

/* A scratch connection becomes a real one in its listener's queue; its half-open entry (0: none, it came by a cookie) goes. 0: p->drop says why not. */
static uint32_t adopt(pl_stack *s, struct arrival *a, uint32_t l_slot, uint32_t half, const struct tcp *scratch)
{
    struct listener *l = slots_at(&s->listeners, l_slot);
    if (l->accept.count >= l->backlog) {
        a->p->drop = PL_DROP_TCP_ACCEPT_FULL;
        return 0;
    }
    struct path path = {scratch->path_iface, scratch->path_neighbor, scratch->path_generation, scratch->path_mtu};
    const struct half_open *h = half ? slots_at(&s->half_opens, half) : NULL;
    uint32_t slot = conn_new(s, &a->key, &path, h && l->deferred ? h->cookie : l->cookie);
    if (!slot) {
        a->p->drop = PL_DROP_TCP_NO_SLOT;
        return 0;
    }
    struct tcp *c = conn_at(s, slot);
    pl_handle handle = c->handle;
    uint64_t cookie = c->cookie;
    *c = *scratch;
    c->flow = a->key;
    c->flow.kind = FLOW_CONN;
    c->handle = handle;
    c->cookie = cookie;
    c->listener = l_slot;
    c->reopens = false;
    c->challenges = 0;                    /* an entry counts them in its own way */
    if (half)
        half_open_adopted(s, half);
    flow_insert_hashed(&s->flows, flow_ref(&s->flows, FLOW_CONN, slot));
    list_append(&l->accept, stack_conn_nodes(s), slot, 1);
    event_post(s, flow_ref(&s->flows, FLOW_LISTENER, l_slot), PL_EV_ACCEPTABLE);
    s->counters.connections_accepted++;
    return slot;
}

static void half_open_rx(pl_stack *s, struct arrival *a, uint32_t slot)
{
    struct half_open *h = slots_at(&s->half_opens, slot);
    struct tcp_ctx x = stack_tcp_ctx(s);
    struct tcp scratch, *c = &scratch;
    struct packet *p = a->p;
    p->state_before = p->state_after = PL_SYN_RECEIVED;
    if (!half_open_scratch(s, &x, slot, c)) {
        p->drop = PL_DROP_NO_ROUTE;
        return;
    }
    if ((h->flags & HALF_DEFERRED) && (a->seg.flags & (PL_SYN | PL_ACK | PL_RST)) == PL_SYN && a->seg.seq == h->irs) {
        p->drop = PL_DROP_TCP_DEFERRED;   /* the program will say when it is answered */
        return;
    }
    scale_window(a, c->opt.wscale_ok, c->opt.snd_wscale);
    enum pl_drop drop = tcp_input_checks(&x, c, &a->seg);
    if (drop == PL_DROP_NONE && seq_lt(c->snd.una, a->seg.ack) && seq_le(a->seg.ack, c->snd.nxt)) {
        third_message(s, a, h->listener, slot, c, &x);
        return;
    }
    if (drop == PL_DROP_NONE)             /* a wrong acknowledgement: the fifth step says what to answer */
        drop = tcp_input_rest(&x, c, &a->seg);
    p->drop = (uint16_t)drop;
    p->state_after = c->state;
    half_open_after(s, slot, c, &x);
}

/* ------------------------------------------------------------------ TIME-WAIT and CLOSED ------------------------------------------------------------------ */

/* The listener's slot, or 0: of the address and port, of every address of ours, of whatever nobody else takes. */
static uint32_t listener_for(pl_stack *s, const struct arrival *a)
{
    uint32_t ref = a->key.foreign ? 0 : flow_find_bound(&s->flows, &a->key);
    return ref ? ref - s->flows.first[FLOW_LISTENER] : s->catch_all;
}

static void time_wait_rx(pl_stack *s, struct arrival *a, uint32_t slot)
{
    struct time_wait *w = slots_at(&s->time_waits, slot);
    struct tcp_ctx x = stack_tcp_ctx(s);
    struct packet *p = a->p;
    uint32_t l_slot = listener_for(s, a);
    p->state_before = p->state_after = PL_TIME_WAIT;
    if (l_slot && time_wait_accepts_syn(&x, w, &a->seg)) {
        /* full: the wait goes on until the new one can be served */
        p->drop = room_for_half_open(s, l_slot) ? (uint16_t)make_half_open(s, a, l_slot, slot) : PL_DROP_TCP_BACKLOG;
        p->state_after = p->drop ? PL_TIME_WAIT : PL_SYN_RECEIVED;
        return;
    }
    pl_time until = w->until;
    p->drop = (uint16_t)time_wait_arrives(&x, w, &a->seg);
    if (w->until != until)
        time_wait_restarted(s, slot);
    if (w->ack_why)
        ref_ready(s, flow_ref(&s->flows, FLOW_TIME_WAIT, slot), p->iface);
}

/* The record that the segment is for; a stale guess cannot match: a freed slot is zero, a released one says so. */
static uint32_t find(pl_stack *s, struct arrival *a)
{
    if (s->last_conn) {
        const struct tcp *c = conn_at(s, s->last_conn);
        if (flow_same(&c->flow, &a->key) && !c->released)
            return flow_ref(&s->flows, FLOW_CONN, s->last_conn);
    }
    uint32_t ref = flow_find(&s->flows, &a->key);
    if (ref && flow_kind_of(&s->flows, ref) == FLOW_CONN)
        s->last_conn = ref - s->flows.first[FLOW_CONN];
    if (ref)
        return ref;
    uint32_t l_slot = listener_for(s, a);
    return l_slot ? flow_ref(&s->flows, FLOW_LISTENER, l_slot) : 0;
}

void tcp_rx(pl_stack *s, struct packet *p)
{
    struct arrival a;
    a.p = p;
    p->state_before = p->state_after = PL_CLOSED;
    if (!read_segment(s, p, &a))
        return;
    make_key(&a);
    uint32_t ref = find(s, &a);
    enum flow_kind kind = ref ? flow_kind_of(&s->flows, ref) : FLOW_KINDS;
    if (kind == FLOW_CONN) {
        conn_rx(s, &a, ref - s->flows.first[FLOW_CONN]);
        return;
    }
    tcp_rx_settle(s, p->run);
    if (!ref && p->foreign) {             /* of a catch-all listener that is gone: nothing to us */
        p->drop = PL_DROP_IP_NOT_FOR_US;
        return;
    }
    if (!ref) {                           /* RFC 9293 3.10.7.1 */
        struct tcp_reply r = {0};
        p->drop = (uint16_t)closed_arrives(&a.seg, &r);
        answer(s, &a, &r);
        return;
    }
    uint32_t slot = ref - s->flows.first[kind];
    if (kind == FLOW_HALF_OPEN)
        half_open_rx(s, &a, slot);
    else if (kind == FLOW_TIME_WAIT)
        time_wait_rx(s, &a, slot);
    else
        listen_rx(s, &a, slot);
}

/* ------------------------------------------------------------------ news from below ------------------------------------------------------------------ */

/* RFC 9293 3.9.2.2, MUST-54: to the connection whose segment is quoted. */
enum pl_drop tcp_rx_icmp(pl_stack *s, const struct flow *quoted, uint32_t seq, int error, bool hard, uint32_t mtu)
{
    struct flow key = *quoted;
    uint32_t ref = flow_find(&s->flows, &key);
    enum flow_kind kind = ref ? flow_kind_of(&s->flows, ref) : FLOW_KINDS;
    struct tcp_ctx x = stack_tcp_ctx(s);
    enum pl_drop drop = PL_DROP_ICMP_QUOTE;
    if (kind == FLOW_CONN) {
        uint32_t slot = ref - s->flows.first[FLOW_CONN];
        drop = icmp_error_arrives(&x, conn_at(s, slot), seq, error, hard, mtu);
        conn_after(s, slot, &x);
    } else if (kind == FLOW_HALF_OPEN) {
        uint32_t slot = ref - s->flows.first[FLOW_HALF_OPEN];
        struct tcp c;
        if (half_open_scratch(s, &x, slot, &c)) {
            drop = icmp_error_half_open(&x, &c, seq, error, mtu);
            half_open_after(s, slot, &c, &x);
        }
    }
    return drop;
}

/* The neighbour does not answer. A connection that is being opened fails; an open one takes it as a loss and tries again after its time-out. */
void tcp_neighbor_failed(pl_stack *s, uint32_t ref)
{
    enum flow_kind kind = flow_kind_of(&s->flows, ref);
    uint32_t slot = ref - s->flows.first[kind];
    struct tcp_ctx x = stack_tcp_ctx(s);
    if (kind == FLOW_HALF_OPEN) {         /* whoever does not answer on its own link will not finish a handshake; its next SYN is as good as this one */
        half_open_end(s, slot, PL_WHY_NO_WAY);
    } else if (kind == FLOW_TIME_WAIT) {
        ((struct time_wait *)slots_at(&s->time_waits, slot))->ack_why = 0;
        ref_unqueue(s, ref);
    } else if (kind == FLOW_CONN) {
        struct tcp *c = conn_at(s, slot);
        ref_unqueue(s, ref);
        if (c->soft_error != PL_EHOSTUNREACH)            /* RFC 9293 3.8.3, MUST-47: the program hears of it */
            x.news |= PL_EV_TROUBLE;
        c->soft_error = PL_EHOSTUNREACH;
        if (c->state == PL_SYN_SENT) {
            tcp_die(&x, c, PL_EHOSTUNREACH, PL_WHY_NO_WAY);
        } else {                          /* what wanted to go counts as sent and lost: the retransmission timer decides */
            struct pl_span spans[PL_SPANS];
            struct tcp_out out;
            struct tcp_want w = tcp_want(&x, c, 0);
            if (w.what != WANT_NOTHING)
                tcp_build(&x, c, &w, &out, spans, PL_SPANS);
        }
        conn_after(s, slot, &x);
    }
}

void tcp_iface_gone(pl_stack *s, int iface)
{
    for (uint32_t slot = slots_next(&s->half_opens, 0); slot; slot = slots_next(&s->half_opens, slot)) {
        struct half_open *h = slots_at(&s->half_opens, slot);
        struct tcp_ctx x = stack_tcp_ctx(s);
        struct tcp c;
        if (!scratch_init(s, &x, &h->flow, NULL, &c) || c.path_iface == iface)
            half_open_end(s, slot, PL_WHY_IFACE_GONE);
    }
    for (uint32_t slot = slots_next(&s->pools.conns, 0); slot; slot = slots_next(&s->pools.conns, slot)) {
        struct tcp_ctx x = stack_tcp_ctx(s);
        struct tcp *c = conn_at(s, slot);
        if (c->path_iface != iface)
            continue;
        if (c->time_wait)
            time_wait_end(s, c->time_wait, PL_WHY_IFACE_GONE);
        if (!slots_live(&s->pools.conns, slot) || c->state == PL_CLOSED)
            continue;
        tcp_die(&x, c, PL_ENETDOWN, PL_WHY_IFACE_GONE);
        conn_after(s, slot, &x);
    }
    for (uint32_t slot = slots_next(&s->time_waits, 0); slot; slot = slots_next(&s->time_waits, slot)) {
        struct time_wait *w = slots_at(&s->time_waits, slot);
        struct tcp_ctx x = stack_tcp_ctx(s);
        struct tcp c;
        if (!scratch_init(s, &x, &w->flow, NULL, &c) || c.path_iface == iface)
            time_wait_end(s, slot, PL_WHY_IFACE_GONE);
    }
}
