/* SPDX-License-Identifier: MIT
 *
 * handshake.c: the three-way handshake, RFC 9293 3.5.
 *
 *      client                                                server
 *      CLOSED                                                LISTEN
 *      SYN-SENT     --> <SEQ=x><CTL=SYN>                 --> SYN-RECEIVED    listen.c, half_open.c
 *      ESTABLISHED  <-- <SEQ=y><ACK=x+1><CTL=SYN,ACK>    <-- SYN-RECEIVED    handshake_arrives (3.10.7.3)
 *      ESTABLISHED  --> <SEQ=x+1><ACK=y+1><CTL=ACK>      --> ESTABLISHED     handshake_fifth_ack (3.10.7.4 fifth)
 *
 * Why three: after the second message only the client knows that both directions work. An old duplicate SYN gets an answer as well, and it is
 * the client's third message, a RST then, that tells the server that nobody wanted a connection (figure 8).
 */
#include "base/seq.h"
#include "transport/tcp/tcp.h"

/* What the peer's SYN tells, whichever segment brought it; no other segment tells it (RFC 7323 2.2-c). */
static void learn_syn(struct tcp_ctx *x, struct tcp *c, const struct tcp_seg *seg)
{
    struct tcp_options_wish w = {.wscale = x->config->window_scaling, .timestamps = x->config->timestamps, .sack = x->config->sack,
                                 .rcv_wscale = c->opt.rcv_wscale};     /* as announced */
    options_agree(&c->opt, &seg->opts, &w, tcp_ipv6(&c->flow));
    options_set_mss(&c->opt, c->path_mtu, tcp_ipv6(&c->flow));
    tcp_log_scale(x, c, &seg->opts);
    c->rcv.irs = seg->seq;
    c->rcv.nxt = seg->seq + 1;
    c->snd.wnd = c->snd.max_wnd = seg->wnd_raw;          /* RFC 7323 2.2-d: unscaled on a SYN */
    c->snd.wl1 = seg->seq;
    c->snd.wl2 = seg->flags & PL_ACK ? seg->ack : c->snd.iss;
    c->ts.recent = seg->opts.ts_val;
    c->ts.recent_at = x->now;
    c->ts.last_ack_sent = c->rcv.nxt;
}

/* Our SYN is acknowledged: RFC 6298 for its round trip, RFC 6928 2 and RFC 6298 5.7 if it had to be repeated. */
static void our_syn_acked(struct tcp_ctx *x, struct tcp *c)
{
    struct rtt_bounds b = tcp_rtt_bounds(x);
    c->syn_acked = true;
    c->snd.una = c->snd.iss + 1;
    if (c->syn_sent && !c->syn_repeated) /* sent once, at syn_sent_at: which may be 0, an epoch's begin */
        rtt_sample(&c->rtt, x->now - c->syn_sent_at, &b);
    else if (c->syn_retries)
        rtt_syn_was_lost(&c->rtt, &b);
    c->rtt.backoffs = 0;
    cc_init(&c->cc, c->opt.mss, c->syn_retries > 1);
    timers_clear(&c->timers, TIMER_RESEND);
    tcp_receive_begins(x, c);
    c->syn_due = false;
    c->delack.quick = 8;
    c->progress_at = c->heard_at = x->now;
    c->soft_error = 0;
    x->progress = true;
    x->news |= PL_EV_CONNECTED | PL_EV_WRITABLE | (c->rcv_stream.len ? PL_EV_READABLE : 0);
}

/* RFC 9293 3.10.7.3 first: is the acknowledgement, if there is one, of our SYN? */
static enum pl_drop first_ack(struct tcp_ctx *x, struct tcp *c, const struct tcp_seg *seg)
{
    if (!(seg->flags & PL_ACK) || (seq_gt(seg->ack, c->snd.iss) && seq_le(seg->ack, c->snd.nxt)))
        return PL_DROP_NONE;
    if (!(seg->flags & PL_RST)) {         /* <SEQ=SEG.ACK><CTL=RST> */
        x->reply = (struct tcp_reply){.due = true, .flags = PL_RST, .why = PL_WHY_RST_BAD_ACK, .seq = seg->ack};
        tcp_reply_to(&x->reply, seg);
    }
    return PL_DROP_TCP_SYN_SENT_ACK;
}

/* RFC 9293 3.10.7.3 second, RFC 5961 3.2-e: a RST counts only with an acceptable ACK. */
static enum pl_drop second_rst(struct tcp_ctx *x, struct tcp *c, const struct tcp_seg *seg)
{
    if (!(seg->flags & PL_RST))
        return PL_DROP_NONE;
    if (!(seg->flags & PL_ACK))
        return PL_DROP_TCP_SYN_SENT_RST;
    tcp_die(x, c, PL_ECONNREFUSED, PL_WHY_GOT_RST);
    return PL_DROP_TCP_RST_TAKEN;
}

enum pl_drop handshake_arrives(struct tcp_ctx *x, struct tcp *c, struct tcp_seg *seg)
{
    enum pl_drop drop = first_ack(x, c, seg);
    if (drop == PL_DROP_NONE)
        drop = second_rst(x, c, seg);
    if (drop != PL_DROP_NONE)
        return drop;
    /* RFC 9293 3.10.7.3 fifth: "if neither of the SYN or RST bits is set, then drop the segment". */
    if (!(seg->flags & PL_SYN))
        return PL_DROP_TCP_SYN_SENT_OTHER;
    /* RFC 9293 3.10.7.3 fourth: the SYN. */
    learn_syn(x, c, seg);
    if (seg->flags & PL_ACK) {
        our_syn_acked(x, c);
        delack_owe(&c->delack, PL_WHY_ACK_HANDSHAKE);
        tcp_state(x, c, PL_ESTABLISHED, PL_WHY_GOT_SYN_ACK);
    } else {                              /* RFC 9293 3.5 figure 7: both sides opened at once (MUST-10) */
        c->syn_due = true;
        tcp_state(x, c, PL_SYN_RECEIVED, PL_WHY_GOT_SYN_CROSSED);
        seg->len -= seg->flags & PL_FIN ? 1 : 0;         /* a FIN this early will be repeated by its sender */
        seg->flags &= (uint8_t)~PL_FIN;
    }
    seg->seq++;                           /* the SYN is dealt with; what is left is text. RFC 9293 3.1: SEG.UP counts from SEG.SEQ */
    seg->up -= seg->up != 0;
    seg->len--;
    seg->flags &= (uint8_t)~PL_SYN;
    return PL_DROP_NONE;
}

/* RFC 9293 3.10.7.4 fifth, SYN-RECEIVED: the third message. */
enum pl_drop handshake_fifth_ack(struct tcp_ctx *x, struct tcp *c, struct tcp_seg *seg)
{
    if (!(seq_lt(c->snd.una, seg->ack) && seq_le(seg->ack, c->snd.nxt))) {
        /* "If the segment acknowledgment is not acceptable, form a reset segment <SEQ=SEG.ACK><CTL=RST> and send it." */
        x->reply = (struct tcp_reply){.due = true, .flags = PL_RST, .why = PL_WHY_RST_BAD_ACK, .seq = seg->ack};
        tcp_reply_to(&x->reply, seg);
        return PL_DROP_TCP_SYN_RECEIVED_ACK;
    }
    if (c->opt.ts_ok && !(seg->opts.have & WIRE_OPT_TIMESTAMPS))
        x->counters->timestamps_forgotten++;             /* threats V59 */
    our_syn_acked(x, c);
    /* "SND.WND <- SEG.WND, SND.WL1 <- SEG.SEQ, SND.WL2 <- SEG.ACK" */
    c->snd.wnd = c->snd.max_wnd = seg->wnd;
    c->snd.wl1 = seg->seq;
    c->snd.wl2 = seg->ack;
    tcp_state(x, c, PL_ESTABLISHED, PL_WHY_GOT_ACK_OF_SYN);
    return PL_DROP_NONE;
}

/* RFC 9293 3.8.3, MUST-22: a SYN is repeated like data, with back-off and a bound of its own (MUST-23: at least 3 minutes by default). */
void handshake_timeout(struct tcp_ctx *x, struct tcp *c)
{
    bool passive = c->state == PL_SYN_RECEIVED && !c->active;
    uint32_t bound = passive ? x->config->syn_ack_retries : c->syn_retries_max ? c->syn_retries_max : x->config->syn_retries;
    timers_clear(&c->timers, TIMER_RESEND);
    if (c->syn_retries >= bound) {
        tcp_trace(x, c, PL_TRACE_TIMER, PL_WHY_TIMER_RETRIES, (int64_t)(x->now - c->syn_sent_at), c->syn_retries);
        tcp_die(x, c, c->soft_error ? c->soft_error : PL_ETIMEDOUT, PL_WHY_TIMER_RETRIES);
        return;
    }
    struct rtt_bounds b = tcp_rtt_bounds(x);
    tcp_trace(x, c, PL_TRACE_TIMER, PL_WHY_TIMER_RTO, (int64_t)rtt_rto(&c->rtt, &b), c->rtt.backoffs);
    c->syn_retries++;
    c->rtt.backoffs++;
    c->syn_due = true;
    /* at once: the device may never take the repeat, and yet this must end */
    timers_set_resend(&c->timers, RESEND_RTO, x->now + rtt_rto(&c->rtt, &b));
    if (c->syn_retries >= 3)              /* MUST-22: as for data */
        tcp_doubt(x, c);
}
