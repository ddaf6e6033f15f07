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

/* The state, or what stands before what it usually waits for. */
static const char *waits_for(const struct tcp *c)
{
    if (c->state == PL_SYN_SENT && !c->syn_sent)
        return "our SYN waits for the device, or for the next hop's link address";
    if (c->state == PL_SYN_RECEIVED && !c->syn_sent)
        return "the peer's SYN is here; our answer waits for the device, or for the next hop's link address";
    if (c->fin_queued && !c->fin_sent && tcp_synchronised(c) && c->state != PL_TIME_WAIT)
        return c->fin_received ? "both sides have finished; our FIN goes when everything before it has gone"
                               : "we have finished sending; our FIN goes when everything before it has gone";
    return waiting[c->state];
}

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

/* Why what waits to be sent has not gone. In the order in which output.c asks. */
static const char *held_back_by(const struct tcp_ctx *x, const struct tcp *c, const struct tcp_flight *f)
{
    const struct tcp_flight *m = tcp_memory(x, c);
    uint32_t in_flight = c->snd.nxt - c->snd.una, window = c->snd.wnd > in_flight ? c->snd.wnd - in_flight : 0;
    if (!c->syn_acked)
        return "the handshake comes first. ";
    if (f && f->queue.lost)
        return "what was lost goes first. ";
    if (c->snd.wnd == 0)
        return "the peer's window is closed. ";
    if (window == 0)
        return "the peer's window is full. ";
    if (f && c->cc.cwnd <= tcp_pipe(f))
        return "the congestion window is full. ";
    if (f && c->cc.cwnd - tcp_pipe(f) < c->opt.mss && c->cc.cwnd - tcp_pipe(f) < tcp_unsent(c))
        return "the rest of the congestion window is less than a segment. ";
    if (c->timers.resend_is == RESEND_PERSIST && !c->cork)
        return "the peer's window is too small to be worth a segment. ";
    if (tcp_unsent(c) < c->opt.mss && c->cork && !c->fin_queued)
        return "the program corked it until a segment is full. ";
    if (f && tcp_unsent(c) < c->opt.mss && !c->nodelay && !c->fin_queued)
        return "held back for a full segment while something is under way (Nagle). ";
    if (m && tcp_paced(x, c, m) == 0)
        return "spread over time (pacing). ";
    if (!f && !tcp_flight_can(x, c))
        return "too many connections have something under way. ";
    if (f && window < c->opt.mss && window < tcp_unsent(c))
        return "the rest of the peer's window is too small to be worth a segment. ";
    return "about to go. ";
}

static void streams(struct text *t, const struct tcp_ctx *x, const struct tcp *c)
{
    const struct tcp_flight *f = tcp_flight(x, c);
    if (f)
        number(t, "", c->snd.nxt - c->snd.una, " bytes of sequence space are not acknowledged. ");
    if (f && f->queue.lost)
        number(t, "", f->queue.lost, " segments are taken for lost and will be repeated. ");
    if (tcp_unsent(c)) {
        number(t, "", tcp_unsent(c), " bytes wait to be sent: ");
        text_put(t, held_back_by(x, c, f));
    }
    if (c->rcv_stream.len)
        number(t, "", c->rcv_stream.len, " bytes wait to be read. ");
    if (tcp_has_gaps(x, c))
        number(t, "", tcp_gaps(x, c)->count, " runs of bytes arrived ahead of a gap. ");
}

/* Not said of a buffer that grows whenever there is need. */
static void buffer(struct text *t, const char *what, uint32_t bytes, enum pl_buffer_bound bound)
{
    static const char *const why[] = {[PL_BUFFER_FIXED] = " bytes, a fixed size. ", [PL_BUFFER_LARGEST] = " bytes, the largest size of the config. ",
                                      [PL_BUFFER_MEMORY] = " bytes, as much as each may have of the memory that is left. ",
                                      [PL_BUFFER_UNSCALED] = " bytes; the peer does not scale windows, so no larger one can be said. "};
    if (bound != PL_BUFFER_TUNED)
        number(t, what, bytes, why[bound]);
}

static void buffers(struct text *t, const struct tcp_ctx *x, const struct tcp *c)
{
    if (tcp_unsent(c) || c->wants_write)
        buffer(t, "The send buffer has ", c->sndbuf_bytes, tcp_sndbuf_bound(x, c));
    if (c->count.bytes_received && !c->fin_received)
        buffer(t, "The receive buffer has ", c->rcvbuf_bytes, tcp_rcvbuf_bound(x, c));
}

static void trouble(struct text *t, const struct tcp *c)
{
    if (c->error) {
        text_put(t, "It failed: ");
        text_put(t, pl_strerror(c->error));
        text_put(t, ". ");
    } else if (c->soft_error == PL_ETIMEDOUT) {
        text_put(t, "The peer does not answer. ");
    } else if (c->soft_error) {
        text_put(t, "The network says: ");
        text_put(t, pl_strerror(c->soft_error));
        text_put(t, ". ");
    }
}

static const char *resend_is(const struct tcp *c)
{
    switch (c->timers.resend_is) {
    case RESEND_PERSIST:
        return c->snd.wnd ? "It goes anyway" : "Window probe";
    case RESEND_LOSS_PROBE:
        return "Loss probe";
    case RESEND_REORDER:
        return "What is missing counts as lost";
    default:
        return "Retransmission";
    }
}

size_t tcp_explain(const struct tcp_ctx *x, const struct tcp *c, char *buffer, size_t size)
{
    struct text t = text_of(buffer, size);
    text_put(&t, pl_state_name(c->state));
    text_put(&t, ": ");
    text_put(&t, waits_for(c));
    text_put(&t, ". ");
    trouble(&t, c);
    streams(&t, x, c);
    tcp_explain_sender(x, c, &t);
    buffers(&t, x, c);
    if (c->syn_sent || c->state != PL_SYN_SENT)          /* else it is only there to end this */
        timer(&t, x, c, TIMER_RESEND, resend_is(c));
    timer(&t, x, c, TIMER_DELACK, "Delayed ACK");
    timer(&t, x, c, TIMER_KEEPALIVE, "Keepalive check");
    timer(&t, x, c, TIMER_LIFE, "Time limit");
    return t.len;
}
