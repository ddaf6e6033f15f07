/* SPDX-License-Identifier: MIT
 *
 * explain.c: what a connection waits for, as sentences: the facts that check.c asserts, for a person.
 */
#include "base/text.h"
#include "transport/tcp/tcp.h"
#include <parley/trace.h>

static const char *const waiting[PL_STATE_COUNT] = {
    [PL_CLOSED] = "the connection is over",
    [PL_LISTEN] = "waiting for a SYN",
    [PL_SYN_SENT] = "our SYN is sent; waiting for the peer's SYN-ACK",
    [PL_SYN_RECEIVED] = "both SYNs are sent; waiting for the peer to acknowledge ours",
    [PL_ESTABLISHED] = "open in both directions",
    [PL_FIN_WAIT_1] = "we have finished sending; waiting for the peer to acknowledge our FIN",
    [PL_FIN_WAIT_2] = "our FIN is acknowledged; waiting for the peer to finish",
    [PL_CLOSE_WAIT] = "the peer has finished sending; waiting for our program to finish too",
    [PL_CLOSING] = "both sides finished at once; waiting for the peer to acknowledge our FIN",
    [PL_LAST_ACK] = "both sides have finished; waiting for the peer to acknowledge our FIN",
    [PL_TIME_WAIT] = "both sides have finished; waiting 2 MSL for what may still be in the network",
};

static void number(struct text *t, const char *before, uint64_t n, const char *after)
{
    text_put(t, before);
    text_u64(t, n);
    text_put(t, after);
}

static void timer(struct text *t, const struct tcp_ctx *x, const struct tcp *c, enum tcp_timer which, const char *what)
{
    pl_time at = c->timers.at[which];
    if (!at)
        return;
    text_put(t, what);
    text_put(t, " in ");
    text_duration(t, at > x->now ? at - x->now : 0);
    text_put(t, ". ");
}

size_t tcp_explain(const struct tcp_ctx *x, const struct tcp *c, char *buffer, size_t size)
{
    struct text t = text_of(buffer, size);
    const struct tcp_flight *f = tcp_flight(x, c);
    text_put(&t, pl_state_name(c->state));
    text_put(&t, ": ");
    text_put(&t, waiting[c->state]);
    text_put(&t, ". ");
    if (c->error) {
        text_put(&t, "It failed: ");
        text_put(&t, pl_strerror(c->error));
        text_put(&t, ". ");
    }
    if (f)
        number(&t, "", c->snd.nxt - c->snd.una, " bytes of sequence space are not acknowledged. ");
    if (f && f->queue.lost)
        number(&t, "", f->queue.lost, " segments are taken for lost and will be repeated. ");
    if (tcp_unsent(c)) {
        number(&t, "", tcp_unsent(c), " bytes wait to be sent: ");
        bool window = c->snd.wnd <= c->snd.nxt - c->snd.una;
        bool cwnd = f && c->cc.cwnd < f->queue.pipe + c->opt.mss;
        text_put(&t, window ? "the peer's window is full. " : cwnd ? "the congestion window is full. " : f ? "held back for a full segment (Nagle). " : "about to go. ");
    }
    if (c->rcv_stream.len)
        number(&t, "", c->rcv_stream.len, " bytes wait to be read. ");
    if (tcp_has_gaps(x, c))
        number(&t, "", tcp_gaps(x, c)->count, " runs of bytes arrived ahead of a gap. ");
    timer(&t, x, c, TIMER_RESEND, c->timers.resend_is == RESEND_PERSIST ? "Window probe" : "Retransmission");
    timer(&t, x, c, TIMER_DELACK, "Delayed ACK");
    timer(&t, x, c, TIMER_KEEPALIVE, "Keepalive check");
    timer(&t, x, c, TIMER_LIFE, "Time limit");
    return t.len;
}
