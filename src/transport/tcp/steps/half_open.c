/* SPDX-License-Identifier: MIT
 *
 * half_open.c: the passive side between the first and the third message: SYN-RECEIVED as a compact entry. RFC 9293 3.10.7.2, RFC 4987 3.
 *
 * A segment for an entry goes through the same steps as one for a connection: the entry is thawed into a scratch connection, the steps of
 * input.c run on it, and it is frozen again, or takes a connection's slot when the third message is good.
 */
#include "transport/tcp/tcp.h"

static struct tcp_options_wish wish(const struct tcp_ctx *x, const struct tcp *c)
{
    return (struct tcp_options_wish){.wscale = x->config->window_scaling, .timestamps = x->config->timestamps, .sack = x->config->sack,
                                     .rcv_wscale = window_scale_for(tcp_rcvbuf_most(x, c))};
}

/* RFC 9293 3.10.7.2 third: "Set RCV.NXT to SEG.SEQ+1, IRS is set to SEG.SEQ ... SND.NXT is set to ISS+1 and SND.UNA to ISS." */
void half_open_make(struct tcp_ctx *x, struct tcp *c, const struct tcp_seg *seg, uint32_t iss)
{
    struct tcp_options_wish w = wish(x, c);
    options_agree(&c->opt, &seg->opts, &w, tcp_ipv6(&c->flow));
    options_set_mss(&c->opt, c->path_mtu, tcp_ipv6(&c->flow));
    tcp_log_scale(x, c, &seg->opts);
    c->state = c->reopens ? PL_TIME_WAIT : PL_LISTEN;
    c->rcv.irs = seg->seq;
    c->rcv.nxt = seg->seq + 1;
    c->snd.iss = c->snd.una = iss;
    c->snd.nxt = iss + 1;
    c->snd.wnd = c->snd.max_wnd = seg->wnd_raw;          /* RFC 7323 2.2-d: the window of a SYN is never scaled */
    c->snd.wl1 = seg->seq;
    c->snd.wl2 = iss;
    c->ts.offset = tcp_timestamp_offset(x, &c->flow);
    c->ts.recent = seg->opts.ts_val;
    c->ts.recent_at = x->now;
    c->ts.last_ack_sent = c->rcv.nxt;
    c->remote_uto = c->uto_enabled ? seg->opts.user_timeout : 0;
    c->syn_due = true;
    timers_set_resend(&c->timers, RESEND_RTO, x->now + x->config->rto_initial);     /* whether or not the device takes the SYN-ACK */
    tcp_state(x, c, PL_SYN_RECEIVED, c->reopens ? PL_WHY_GOT_NEW_SYN : PL_WHY_GOT_SYN);
}

/* As answered_lately, for half a second; it wraps after a minute: at worst an answer is withheld once. */
static bool lately(const struct half_open *h, pl_time now)
{
    return h->answered_ms && (uint16_t)((uint32_t)(now / PL_MS) - (h->answered_ms & ~1u)) < 500;
}

/* `c` was made by tcp_init and tcp_inherit for this flow, and has its timestamps' offset. */
void half_open_thaw(struct tcp_ctx *x, const struct half_open *h, struct tcp *c)
{
    struct tcp_options *o = &c->opt;
    o->peer_mss = h->peer_mss;
    o->snd_wscale = h->snd_wscale;
    o->rcv_wscale = h->rcv_wscale;
    o->wscale_ok = h->flags & HALF_WSCALE;
    o->ts_ok = h->flags & HALF_TS;
    o->sack_ok = h->flags & HALF_SACK;
    options_set_mss(o, c->path_mtu, tcp_ipv6(&c->flow));
    tcp_rcvbuf_scaled(c);                 /* the listener's option may have changed; the scale was told to the peer */
    c->state = PL_SYN_RECEIVED;
    c->reopens = (h->flags & HALF_REOPENS) != 0;
    c->rcv.irs = h->irs;
    c->rcv.nxt = h->irs + 1;
    c->snd.iss = c->snd.una = h->iss;
    c->snd.nxt = h->flags & HALF_DEFERRED ? h->iss : h->iss + 1;     /* nothing was sent yet: no acknowledgement can be right */
    c->snd.wnd = c->snd.max_wnd = h->snd_wnd;
    c->snd.wl1 = h->irs;
    c->snd.wl2 = h->iss;
    c->ts.recent = h->ts_recent;
    c->ts.recent_at = x->now;             /* an entry lives for seconds: never stale */
    c->ts.last_ack_sent = c->rcv.nxt;
    c->remote_uto = h->remote_uto;
    c->syn_due = h->flags & HALF_SYN_DUE;
    c->syn_repeated = (h->flags & HALF_REPEATED) || h->retries;
    /* RFC 5961 7 in 2 bytes: what might be the answer to our own answer is answered twice a second (threats V45). */
    c->challenge_ms = (uint32_t)(x->wire_now / PL_MS);
    c->challenges = (uint8_t)(x->config->challenge_acks - (lately(h, x->wire_now) ? 0 : 1));
    c->syn_retries = h->retries;
    c->rtt.backoffs = h->retries;
    if (h->ack_why)
        delack_owe(&c->delack, h->ack_why);
    c->syn_sent = h->flags & HALF_SENT;
    if (h->small)
        c->rcv.wnd = tcp_small_window(c);
    if (c->syn_sent)                      /* only the first copy gives a sample of the round trip: it left one RTO before its repeat is due */
        c->syn_sent_at = h->resend_at - x->config->rto_initial;
    if (h->resend_at)
        timers_set_resend(&c->timers, RESEND_RTO, h->resend_at);
}

void half_open_freeze(const struct tcp_ctx *x, struct half_open *h, const struct tcp *c)
{
    h->iss = c->snd.iss;
    h->irs = c->rcv.irs;
    h->peer_mss = c->opt.peer_mss;
    h->snd_wscale = c->opt.snd_wscale & 15;
    h->rcv_wscale = c->opt.rcv_wscale & 15;
    h->snd_wnd = (uint16_t)c->snd.wnd;
    h->ts_recent = c->ts.recent;
    h->remote_uto = c->remote_uto;
    h->retries = c->syn_retries & 127;
    h->ack_why = c->delack.now ? (uint8_t)c->delack.why : 0;
    h->resend_at = c->timers.at[TIMER_RESEND];
    h->flags = (uint8_t)((h->flags & (HALF_DEFERRED | HALF_REOPENS)) | (c->opt.wscale_ok ? HALF_WSCALE : 0) | (c->opt.ts_ok ? HALF_TS : 0) | (c->opt.sack_ok ? HALF_SACK : 0) |
                         (c->syn_due ? HALF_SYN_DUE : 0) | (c->syn_sent ? HALF_SENT : 0) | (c->syn_repeated ? HALF_REPEATED : 0));
    h->small = c->syn_sent && c->rcv.wnd == tcp_small_window(c);
    if (c->challenges == x->config->challenge_acks && !lately(h, (pl_time)c->challenge_ms * PL_MS))
        h->answered_ms = (uint16_t)answered_at((pl_time)c->challenge_ms * PL_MS);
}
