/* SPDX-License-Identifier: MIT
 *
 * user.c: what the program asks for: OPEN, SEND, RECEIVE, CLOSE, ABORT, STATUS: RFC 9293 3.10.1 to 3.10.6.
 */
#include "base/seq.h"
#include "transport/tcp/models/user_timeout.h"
#include "transport/tcp/tcp.h"

void tcp_init(struct tcp_ctx *x, struct tcp *c)
{
    struct rtt_bounds b = tcp_rtt_bounds(x);
    rtt_init(&c->rtt, &b);
    tcp_buffers_first(x, c);
    c->user_timeout_ms = tcp_ms(x->config->user_timeout);
    c->uto_enabled = x->config->user_timeout_option;
    c->uto_changeable = true;
    c->keepalive_idle_ms = tcp_ms(x->config->keepalive_idle);
    c->keepalive_interval_ms = tcp_ms(x->config->keepalive_interval);
    c->keepalive_probes = (uint8_t)x->config->keepalive_probes;
    c->hop_limit = x->config->hop_limit;
    c->algorithm = x->config->congestion_control;
    c->opt.mss = TCP_MSS_FLOOR;
    uint32_t room = c->rcvbuf_bytes < 65535 ? c->rcvbuf_bytes : 65535;
    c->rcv.wnd = room;
    c->progress_at = c->heard_at = x->now;
}

/* 3.10.1, active OPEN: "An initial send sequence number (ISS) is selected. A SYN segment of the form <SEQ=ISS><CTL=SYN> is sent. Set SND.UNA to
 * ISS, SND.NXT to ISS+1, enter SYN-SENT state, and return." */
void tcp_user_open(struct tcp_ctx *x, struct tcp *c, uint32_t iss)
{
    c->active = true;
    c->ts.offset = tcp_timestamp_offset(x, &c->flow);
    c->snd.iss = c->snd.una = iss;
    c->snd.nxt = iss + 1;
    c->syn_due = true;
    timers_set_resend(&c->timers, RESEND_RTO, x->now + x->config->rto_initial);     /* RFC 9293 3.8.3, MUST-22: whether or not the device takes the SYN */
    c->opt.rcv_wscale = window_scale_for(tcp_rcvbuf_most(x, c));    /* RFC 7323 2.3: fixed for the connection from the SYN on */
    tcp_rcvbuf_scaled(c);
    options_set_mss(&c->opt, c->path_mtu, tcp_ipv6(&c->flow));
    tcp_state(x, c, PL_SYN_SENT, PL_WHY_CALL_CONNECT);
}

/* 3.10.2: which states take data, and what the others answer. */
static int may_send(const struct tcp *c)
{
    if (c->error)
        return c->error;
    switch (c->state) {
    case PL_SYN_SENT:
    case PL_SYN_RECEIVED:                 /* "Queue the data for transmission after entering ESTABLISHED state." */
    case PL_ESTABLISHED:
    case PL_CLOSE_WAIT:
        return c->fin_queued ? PL_EPIPE : PL_OK;
    case PL_CLOSED:
        return c->fin_queued ? PL_EPIPE : PL_ENOTCONN;
    default:
        return PL_EPIPE;                  /* "error: connection closing" */
    }
}

/* What is given now is the first that the peer has to answer for: its time counts from here. */
static void waiting_begins(const struct tcp_ctx *x, struct tcp *c)
{
    if (c->syn_acked && c->snd_stream.len == 0 && !tcp_outstanding(c))
        tcp_outstanding_begins(x, c);
}

ptrdiff_t tcp_user_send(struct tcp_ctx *x, struct tcp *c, const void *bytes, size_t n)
{
    int e = may_send(c);
    if (e)
        return e;
    uint32_t room = c->sndbuf_bytes > c->snd_stream.len ? c->sndbuf_bytes - c->snd_stream.len : 0;
    uint32_t most = n < room ? (uint32_t)n : room;
    waiting_begins(x, c);
    uint32_t took = stream_append(&x->pools->chunks, &c->snd_stream, bytes, most);
    c->wants_write = took < n;
    return took || n == 0 ? (ptrdiff_t)took : PL_EAGAIN;
}

/* 3.9.1.2, MUST-62: the URGENT flag of SEND: "the SND.UP pointer is advanced to the end of what was given", any length of it. */
void tcp_user_urgent(struct tcp *c)
{
    uint32_t first = c->snd.una + (c->syn_acked ? 0 : 1);
    c->snd.up = first + c->snd_stream.len;
    c->urgent_out = c->snd_stream.len != 0;
}

int tcp_user_reserve(struct tcp_ctx *x, struct tcp *c, size_t wanted, struct pl_span *span)
{
    int e = may_send(c);
    *span = (struct pl_span){NULL, 0};
    if (e)
        return e;
    uint32_t room = c->sndbuf_bytes > c->snd_stream.len ? c->sndbuf_bytes - c->snd_stream.len : 0;
    uint32_t got = 0;
    uint8_t *p = room ? stream_reserve(&x->pools->chunks, &c->snd_stream, wanted < room ? (uint32_t)wanted : room, &got) : NULL;
    c->wants_write = got == 0;
    if (got == 0)
        return PL_EAGAIN;
    *span = (struct pl_span){p, got};
    return PL_OK;
}

int tcp_user_commit(struct tcp_ctx *x, struct tcp *c, size_t n)
{
    int e = may_send(c);
    if (e)
        return e;
    uint32_t room = c->sndbuf_bytes > c->snd_stream.len ? c->sndbuf_bytes - c->snd_stream.len : 0;
    if (n > room || n > stream_room(&x->pools->chunks, &c->snd_stream) || (n && !c->snd_stream.reserved))
        return PL_EINVAL;
    waiting_begins(x, c);
    stream_extend(&c->snd_stream, (uint32_t)n);
    return PL_OK;
}

/* 3.10.3: nothing readable: the end of the stream, an error, or wait. Text that came before ESTABLISHED waits for it. */
static int nothing_to_read(const struct tcp *c)
{
    if (c->fin_received)
        return PL_OK;
    if (c->error)
        return c->error;
    return c->state == PL_CLOSED ? PL_ENOTCONN : PL_EAGAIN;
}

/* Text that came with a SYN is not given "until it is clear the data is valid" (RFC 9293 3.5), and never if the connection was not made. */
static bool readable(const struct tcp *c) { return c->rcv_stream.len && c->syn_acked; }

ptrdiff_t tcp_user_recv(struct tcp_ctx *x, struct tcp *c, void *bytes, size_t n)
{
    if (!readable(c))
        return nothing_to_read(c);
    uint32_t take = n < c->rcv_stream.len ? (uint32_t)n : c->rcv_stream.len;
    stream_copy(&x->pools->chunks, &c->rcv_stream, 0, bytes, take);
    return tcp_user_consume(x, c, take) == PL_OK ? (ptrdiff_t)take : PL_EINVAL;
}

int tcp_user_peek(struct tcp_ctx *x, struct tcp *c, struct pl_span *spans, unsigned max)
{
    uint32_t covered;
    if (!readable(c))
        return nothing_to_read(c);
    return (int)stream_spans(&x->pools->chunks, &c->rcv_stream, 0, c->rcv_stream.len, spans, max, &covered);
}

int tcp_user_consume(struct tcp_ctx *x, struct tcp *c, size_t n)
{
    if (n > c->rcv_stream.len)
        return PL_EINVAL;
    stream_drop(&x->pools->chunks, &c->rcv_stream, (uint32_t)n);
    if (c->urgent_in && seq_ge(c->rcv.nxt - c->rcv_stream.len, c->rcv.up))
        c->urgent_in = false;
    x->chunks_freed = true;
    return PL_OK;
}

/* 3.10.4, the half of CLOSE that ends our direction. */
int tcp_user_finish(struct tcp_ctx *x, struct tcp *c)
{
    if (c->error)
        return c->error;
    if (c->fin_queued)
        return PL_ECLOSING;               /* "error: connection closing" */
    if (c->state == PL_CLOSED)
        return PL_ENOTCONN;
    waiting_begins(x, c);
    teardown_finish(x, c);
    return PL_OK;
}

/* The program gave its handle back: the rest of CLOSE, and nothing is received any more (MAY-1). */
void tcp_user_close(struct tcp_ctx *x, struct tcp *c)
{
    c->orphan = true;
    c->orphan_ms = (uint32_t)(x->wire_now / PL_MS);
    c->progress_at = x->now;
    tcp_receive_ends(x, c);
    if (c->state == PL_CLOSED || c->state == PL_TIME_WAIT) {
        stream_free(&x->pools->chunks, &c->rcv_stream);
        x->chunks_freed = true;
    } else if (c->state == PL_SYN_SENT) { /* 3.10.4: "Delete the TCB" */
        tcp_die(x, c, PL_ECONNABORTED, PL_WHY_CALL_FINISH);
    } else if (c->rcv_stream.len) {       /* RFC 9293 3.6.1, SHLD-3: unread text: the peer must not think that it was taken */
        tcp_owe_reset(x, c, PL_WHY_RST_UNREAD);
        tcp_die(x, c, PL_ECONNABORTED, PL_WHY_CALL_ABORT);
    } else if (!c->fin_queued) {
        teardown_finish(x, c);
    }
}

/* 3.10.5 */
int tcp_user_abort(struct tcp_ctx *x, struct tcp *c)
{
    switch (c->state) {
    case PL_CLOSED:
        return c->error ? c->error : PL_ENOTCONN;
    case PL_SYN_RECEIVED:
    case PL_ESTABLISHED:
    case PL_FIN_WAIT_1:
    case PL_FIN_WAIT_2:
    case PL_CLOSE_WAIT:                   /* "Send a reset segment: <SEQ=SND.NXT><CTL=RST>" */
        tcp_owe_reset(x, c, PL_WHY_RST_ABORT);
        break;
    default:                              /* SYN-SENT, CLOSING, LAST-ACK, TIME-WAIT: no reset */
        break;
    }
    tcp_die(x, c, PL_ECONNABORTED, PL_WHY_CALL_ABORT);
    return PL_OK;
}

uint32_t tcp_user_ready(const struct tcp_ctx *x, const struct tcp *c)
{
    uint32_t bits = 0;
    bool over = c->state == PL_CLOSED || c->state == PL_TIME_WAIT;
    (void)x;
    if (tcp_synchronised(c))
        bits |= PL_EV_CONNECTED;
    if (readable(c) || c->fin_received || c->error || over)
        bits |= PL_EV_READABLE;
    if (may_send(c) != PL_OK || c->snd_stream.len < c->sndbuf_bytes)
        bits |= PL_EV_WRITABLE;
    if (c->fin_received)
        bits |= PL_EV_PEER_FINISHED;
    if (c->urgent_in)
        bits |= PL_EV_URGENT;
    if (c->error)
        bits |= PL_EV_ERROR;
    return bits | (over ? PL_EV_CLOSED : 0);
}

static pl_time spent(const struct tcp_ctx *x, const struct tcp_flight *m, enum tcp_limit by)
{
    return m->limit_spent[by - 1] + (m->limit == by ? x->wire_now - m->limit_since : 0);
}

/* The scoreboard, and what else only a connection with something under way has. */
static void outstanding_status(const struct tcp *c, const struct tcp_flight *f, struct pl_tcp_status *s)
{
    s->phase = f->in_recovery ? PL_CC_RECOVERY : f->in_rto_recovery ? PL_CC_LOSS : PL_CC_OPEN;
    s->in_flight_bytes = tcp_pipe(f);
    s->sacked_bytes = f->queue.sacked;
    s->lost_bytes = c->snd.nxt - c->snd.una - f->queue.sacked - f->queue.pipe;
    s->repeated_bytes = f->queue.repeated;
    s->bytes_delivered += f->queue.sacked;
}

/* What a connection remembers of its path. */
static void path_status(const struct tcp_ctx *x, const struct tcp *c, struct tcp_flight *m, struct pl_tcp_status *s)
{
    const struct validate *v = &m->validate;
    struct pl_cc cc = c->cc;
    s->cc_name = cc_name(x->env, m->algorithm);
    s->cc_doing = cc_describe((struct cc_call){.env = x->env, .cc = &cc, .state = m->cc_state, .algorithm = m->algorithm});
    s->min_rtt = m->rack.min_rtt;
    s->window_validated = validate_holds(v);
    s->reordering_seen = m->rack.reordering_seen;
    s->delivery_limited = v->rate_limited;
    s->delivery_rate = v->rate.us ? (uint64_t)v->rate.bytes * 1000000 / v->rate.us : 0;
    s->reo_wnd = tcp_reo_wnd(x, c, m);
    s->bytes_lost = m->queue.lost_bytes;
    s->recoveries = m->count.recoveries, s->time_outs = m->count.timeouts, s->loss_probes = m->count.probes;
    s->undone = m->count.undone, s->reneged = m->count.reneged;
    s->rwnd_limited_time = spent(x, m, LIMIT_RWND), s->sndbuf_limited_time = spent(x, m, LIMIT_SNDBUF);
    s->busy_time = spent(x, m, LIMIT_BUSY) + s->rwnd_limited_time + s->sndbuf_limited_time;
    s->since_sent = x->wire_now - m->sent_at;
}

/* 3.10.6 */
void tcp_user_status(const struct tcp_ctx *x, const struct tcp *c, struct pl_tcp_status *s)
{
    struct rtt_bounds b = tcp_rtt_bounds(x);
    *s = (struct pl_tcp_status){.state = c->state, .error = c->error, .soft_error = c->soft_error};
    memcpy(s->local.addr.b, c->flow.local, 16);
    memcpy(s->remote.addr.b, c->flow.remote, 16);
    s->local.addr.zone = s->remote.addr.zone = c->flow.zone;
    s->local.port = c->flow.local_port, s->remote.port = c->flow.remote_port;
    s->snd.una = c->snd.una, s->snd.nxt = c->snd.nxt, s->snd.wnd = c->snd.wnd, s->snd.up = c->snd.up;
    s->snd.wl1 = c->snd.wl1, s->snd.wl2 = c->snd.wl2, s->snd.iss = c->snd.iss;
    s->rcv.nxt = c->rcv.nxt, s->rcv.wnd = c->rcv.wnd, s->rcv.up = c->rcv.up, s->rcv.irs = c->rcv.irs;
    s->mss = c->opt.mss, s->peer_mss = c->opt.peer_mss;
    s->snd_wscale = c->opt.snd_wscale, s->rcv_wscale = c->opt.rcv_wscale;
    s->timestamps = c->opt.ts_ok, s->sack = c->opt.sack_ok, s->window_scaling = c->opt.wscale_ok, s->owned = !c->orphan;
    s->sndbuf_bytes = c->sndbuf_bytes, s->sndbuf_used = c->snd_stream.len;
    s->rcvbuf_bytes = c->rcvbuf_bytes, s->rcvbuf_used = c->rcv_stream.len;
    s->sndbuf_bound = tcp_sndbuf_bound(x, c), s->rcvbuf_bound = tcp_rcvbuf_bound(x, c);
    s->cwnd_bytes = c->cc.cwnd, s->ssthresh_bytes = c->cc.ssthresh, s->pacing_rate = c->cc.pacing_rate;
    s->srtt = c->rtt.srtt, s->rttvar = c->rtt.rttvar, s->rto = rtt_rto(&c->rtt, &b), s->min_rtt = c->rtt.srtt;
    s->backoffs = c->rtt.backoffs;
    s->bytes_sent = c->count.bytes_sent, s->bytes_acked = c->count.bytes_acked, s->bytes_received = c->count.bytes_received;
    s->bytes_retransmitted = c->count.bytes_retransmitted;
    s->user_timeout = c->user_timeout_ms * PL_MS, s->peer_user_timeout = user_timeout_ms(c->remote_uto) * PL_MS;
    s->cookie = c->cookie;
    s->segs_out = c->count.segs_out, s->segs_in = c->count.segs_in, s->retransmits = c->count.retransmits;
    s->cc_name = cc_name(x->env, c->algorithm), s->cc_doing = "";
    s->window_validated = true;
    s->rcv_space_bytes = c->rcvbuf_fixed ? 0 : (uint32_t)c->arrived_before << TUNE_UNIT_SHIFT;
    s->bytes_delivered = c->count.bytes_acked;
    s->since_sent = PL_NEVER;
    s->since_heard = c->syn_acked ? x->now - c->heard_at : PL_NEVER;
    s->since_progress = x->now - c->progress_at;
    if (c->flight)
        path_status(x, c, tcp_memory(x, c), s);
    if (tcp_flight(x, c))
        outstanding_status(c, tcp_flight(x, c), s);
}
