/* SPDX-License-Identifier: MIT
 *
 * acceptable.c: RFC 9293 3.10.7.4 first to fourth: may this segment speak to the connection at all? RFC 7323 5 (PAWS), RFC 5961 1.1, 3, 4.
 */
#include "base/seq.h"
#include "transport/tcp/tcp.h"

static void challenge(struct tcp_ctx *x, struct tcp *c)
{
    if (tcp_may_challenge(x, c))
        delack_owe(&c->delack, PL_WHY_ACK_CHALLENGE);
}

/* RFC 2883 4, 4.3: text below RCV.NXT: the peer is told that it came twice, whatever PAWS thinks of it. */
static bool old_text(struct tcp_ctx *x, struct tcp *c, const struct tcp_seg *seg)
{
    return seg->len && !(seg->flags & PL_SYN) && seq_lt(seg->seq, c->rcv.nxt) &&
           tcp_came_twice(x, c, seg->seq, seq_min(seg->seq + seg->len, c->rcv.nxt));
}

/* RFC 7323 5.3-a, 5.3-b, 5.3-c R1: timestamps first, of each segment once, when it arrives. Their lack drops the segment and
 * nothing more: RFC 7323 3.2-g, 3.2-h. */
static enum pl_drop timestamps_first(struct tcp_ctx *x, struct tcp *c, const struct tcp_seg *seg)
{
    if (!c->opt.ts_ok)
        return PL_DROP_NONE;
    /* An old peer may send its third message without: threats V59. A SYN is the peer's after a restart or an old one: it did not agree to anything,
     * and the fourth step's challenge is how both find out (RFC 9293 3.10.7.4 fourth, 3.5.1). */
    if (!(seg->opts.have & WIRE_OPT_TIMESTAMPS))
        return c->state == PL_SYN_RECEIVED || (seg->flags & PL_SYN) ? PL_DROP_NONE : PL_DROP_TCP_NO_TIMESTAMP;
    if (!timestamps_paws_rejects(&c->ts, seg->opts.ts_val, x->now))
        return PL_DROP_NONE;
    if (!old_text(x, c, seg) && (seg->len || tcp_may_challenge(x, c)))
        delack_owe(&c->delack, PL_WHY_ACK_DUPLICATE);
    return PL_DROP_TCP_PAWS;
}

/* RFC 9293 3.10.7.4 first, the table of four cases. */
static bool in_window(const struct tcp *c, const struct tcp_seg *seg)
{
    uint32_t nxt = c->rcv.nxt, wnd = c->rcv.wnd;
    if (seg->len == 0)
        return wnd == 0 ? seg->seq == nxt : seq_in(seg->seq, nxt, nxt + wnd);
    if (wnd == 0)
        return false;
    return seq_in(seg->seq, nxt, nxt + wnd) || seq_in(seg->seq + seg->len - 1, nxt, nxt + wnd);
}

/* The peer repeats the SYN that brought us to SYN-RECEIVED. Alone: our SYN-ACK was lost, repeat it. With an ACK: the other half of a simultaneous
 * open (RFC 9293 3.5 figure 7): its SYN is known already, the rest counts. True: dropped. */
static bool syn_again(struct tcp *c, struct tcp_seg *seg)
{
    if (c->state != PL_SYN_RECEIVED || !(seg->flags & PL_SYN) || seg->seq != c->rcv.irs)
        return false;
    if (!(seg->flags & PL_ACK)) {
        c->syn_due = true;
        return true;
    }
    if (!c->active)                       /* a client that we answered never sends one: not acceptable */
        return false;
    seg->seq++;
    seg->len--;
    seg->flags &= (uint8_t)~PL_SYN;
    uint32_t known = c->rcv.nxt - seg->seq;              /* text that came with the first SYN: here again, or left out */
    if (seg->text < known) {
        seg->len = seg->text = 0;
        seg->flags &= (uint8_t)~PL_FIN;
    } else {
        seg->len -= known, seg->text -= known, seg->text_off += known;
    }
    seg->seq = c->rcv.nxt;
    seg->up = seg->up > known + 1 ? (uint16_t)(seg->up - known - 1) : 0;     /* RFC 9293 3.1: from SEG.SEQ, which was the SYN's */
    return false;
}

static bool ack_is_valid(const struct tcp *c, const struct tcp_seg *seg)
{
    return tcp_synchronised(c) || ((seg->flags & PL_ACK) && seq_lt(c->snd.una, seg->ack) && seq_le(seg->ack, c->snd.nxt));
}

/* RFC 9293 3.8.4: a keepalive, or a probe of our window: one before what is awaited, with an ACK that fits. It can be no answer to our own ACK, which
 * never carries that number, so it starts no loop; and it must be answered, or the peer gives us up. */
static bool asks_whether_alive(const struct tcp *c, const struct tcp_seg *seg)
{
    return tcp_synchronised(c) && seg->seq == c->rcv.nxt - 1 && (seg->flags & PL_ACK) && seq_le(c->snd.una, seg->ack) && seq_le(seg->ack, c->snd.nxt);
}

/* Departure (docs/defaults.md): after a time-out without progress a bare ACK at the right edge that acknowledges something new counts, as MUST-66 has it where the
 * edge is RCV.NXT. It comes of a peer that has used all of the window, and some of that was lost, or refused for want of memory. If both sides have, neither hears
 * the other's ACKs, each repeats what the other has had for long, and neither learns of it: for ever. */
static bool tells_from_the_edge(const struct tcp_ctx *x, const struct tcp *c, const struct tcp_seg *seg)
{
    if (seg->len || seg->seq != c->rcv.nxt + c->rcv.wnd || !(seg->flags & PL_ACK) || !tcp_synchronised(c))
        return false;
    const struct tcp_flight *f = tcp_flight(x, c);
    return f && f->retries && seq_lt(c->snd.una, seg->ack) && seq_le(seg->ack, c->snd.nxt);
}

enum pl_drop acceptable_first_sequence(struct tcp_ctx *x, struct tcp *c, struct tcp_seg *seg)
{
    /* A RST is judged by its number alone, whatever it carries, and with a window of zero too (MUST-66, RFC 5961 3.2-d); its timestamp is not looked at:
     * RFC 7323 5.2-d, 5.2-e. */
    if (seg->flags & PL_RST)
        return c->rcv.wnd ? seq_in(seg->seq, c->rcv.nxt, c->rcv.nxt + c->rcv.wnd) ? PL_DROP_NONE : PL_DROP_TCP_RST_OUTSIDE
                          : seg->seq == c->rcv.nxt ? PL_DROP_NONE : PL_DROP_TCP_RST_OUTSIDE;
    enum pl_drop drop = timestamps_first(x, c, seg);
    if (drop != PL_DROP_NONE)
        return drop;
    if (syn_again(c, seg))
        return PL_DROP_TCP_DUPLICATE;
    if (!in_window(c, seg)) {
        if (tells_from_the_edge(x, c, seg))
            return PL_DROP_NONE;
        /* MUST-66: with a window of zero, "special allowance should be made to accept valid ACKs, URGs, and RSTs": the text goes, the ACK stays. */
        if (c->rcv.wnd == 0 && seg->seq == c->rcv.nxt && !(seg->flags & PL_SYN) && ack_is_valid(c, seg)) {
            delack_owe(&c->delack, PL_WHY_ACK_DUPLICATE);
            seg->had_text = true;
            seg->text = seg->len = 0;
            seg->flags &= (uint8_t)~(PL_FIN | PL_PSH);
            return PL_DROP_NONE;
        }
        bool old = seq_le(seg->seq + seg->len, c->rcv.nxt);
        /* "<SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>": always for text, within bounds for what might be the answer to our own answer (threats V45). */
        if (!old_text(x, c, seg) && (seg->len || asks_whether_alive(c, seg) || tcp_may_challenge(x, c)))
            tcp_owe_duplicate(x, c, PL_WHY_ACK_DUPLICATE);
        return old ? PL_DROP_TCP_DUPLICATE : PL_DROP_TCP_OUTSIDE_WINDOW;
    }
    return PL_DROP_NONE;
}

/* RFC 9293 3.5.3, SHLD-2: whether it carries text makes no difference. */
enum pl_drop acceptable_second_rst(struct tcp_ctx *x, struct tcp *c, struct tcp_seg *seg)
{
    if (!(seg->flags & PL_RST))
        return PL_DROP_NONE;
    /* RFC 9293 3.10.7.4 second, RFC 5961 3.2, 3.2-b, 3.2-c: inside the window but not exactly the next byte: a guess. */
    if (seg->seq != c->rcv.nxt) {
        challenge(x, c);
        return PL_DROP_TCP_RST_CHALLENGED;
    }
    int error = PL_ECONNRESET;            /* RFC 5961 3.2-a, 4.2-c */
    if (c->state == PL_SYN_RECEIVED && !c->active) {     /* MUST-11: "return this connection to the LISTEN state" */
        tcp_return(x, c, PL_WHY_GOT_RST);
        return PL_DROP_TCP_RST_TAKEN;
    }
    if (c->state == PL_SYN_RECEIVED)      /* "the user should be signaled "connection refused"" */
        error = PL_ECONNREFUSED;
    else if (c->state == PL_CLOSING || c->state == PL_LAST_ACK || c->state == PL_TIME_WAIT)
        error = c->snd_stream.len ? PL_ECONNRESET : 0;   /* "enter the CLOSED state"; told only if text was lost with it */
    tcp_die(x, c, error, PL_WHY_GOT_RST);
    return PL_DROP_TCP_RST_TAKEN;
}

enum pl_drop acceptable_fourth_syn(struct tcp_ctx *x, struct tcp *c, struct tcp_seg *seg)
{
    if (!(seg->flags & PL_SYN))
        return PL_DROP_NONE;
    /* RFC 9293 3.10.7.4 fourth: "If the connection was initiated with a passive OPEN, then return this connection to the LISTEN state". */
    if (c->state == PL_SYN_RECEIVED && !c->active) {
        tcp_return(x, c, PL_WHY_GOT_SYN);
        return PL_DROP_TCP_SYN_RETURNED;
    }
    challenge(x, c);                      /* RFC 5961 4.2, 4.2-a, 4.2-b: irrespective of the sequence number */
    return PL_DROP_TCP_SYN_CHALLENGED;
}
