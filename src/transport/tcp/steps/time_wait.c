/* SPDX-License-Identifier: MIT
 *
 * time_wait.c: TIME-WAIT: the side that closed first stays reachable for 2 MSL, so that it can acknowledge the peer's FIN again, and so that
 * old segments die out before the ports are used anew. RFC 9293 3.6, 3.10.7.4; RFC 1337; RFC 6191.
 *
 * What is left of the connection is a compact entry. Deviations, listed in docs/defaults.md: every RST is ignored (RFC 1337's first fix); the wait is begun
 * anew TIME_WAIT_RESTARTS times at most.
 */
#include "base/seq.h"
#include "transport/tcp/tcp.h"

#define TIME_WAIT_REUSE_AFTER (1 * PL_S + 1 * PL_MS)      /* docs/defaults.md */

void time_wait_freeze(struct time_wait *w, const struct tcp *c, pl_time until)
{
    w->snd_nxt = c->snd.nxt;
    w->rcv_nxt = c->rcv.nxt;
    w->rcv_wnd = c->rcv.wnd;
    w->ts_recent = c->ts.recent;
    w->ts_ok = c->opt.ts_ok;
    w->rcv_wscale = c->opt.rcv_wscale & 15;
    w->hop_limit = c->hop_limit;
    w->dscp = (c->tos >> 2) & 63;
    w->until = until;
    w->ack_why = c->delack.now || c->delack.waiting ? (uint8_t)c->delack.why : 0;
}

/* `c` was made by tcp_init for this flow. */
void time_wait_thaw(struct tcp_ctx *x, const struct time_wait *w, struct tcp *c)
{
    c->state = PL_TIME_WAIT;
    c->active = true;
    c->syn_acked = c->fin_queued = c->fin_sent = c->fin_acked = c->fin_received = true;
    c->snd.una = c->snd.nxt = w->snd_nxt;
    c->rcv.nxt = w->rcv_nxt;
    c->rcv.wnd = w->rcv_wnd;
    c->opt.ts_ok = w->ts_ok;
    c->opt.wscale_ok = w->rcv_wscale != 0;
    c->opt.rcv_wscale = w->rcv_wscale;
    c->opt.mss = TCP_MSS_FLOOR;
    c->hop_limit = w->hop_limit;          /* RFC 9293 3.9.2, MUST-48, MUST-49: to the last segment */
    c->tos = (uint8_t)(w->dscp << 2);
    c->ts.offset = tcp_timestamp_offset(x, &c->flow);
    c->ts.recent = w->ts_recent;
    c->ts.recent_at = x->now;
    c->ts.last_ack_sent = w->rcv_nxt;
    if (w->ack_why)
        delack_owe(&c->delack, w->ack_why);
}

/* RFC 6191 2 (SHLD-4), RFC 9293 3.6.1 (MAY-2): may this SYN open a new incarnation? Only if provably newer than everything of the old one. */
bool time_wait_accepts_syn(const struct tcp_ctx *x, const struct time_wait *w, const struct tcp_seg *seg)
{
    if ((seg->flags & (PL_SYN | PL_ACK | PL_RST | PL_FIN)) != PL_SYN)
        return false;
    bool has_ts = x->config->timestamps && (seg->opts.have & WIRE_OPT_TIMESTAMPS);      /* "would be enabled for the new incarnation" */
    bool seq_newer = seq_ge(seg->seq, w->rcv_nxt);       /* greater than the number of the FIN */
    if (has_ts && w->ts_ok)
        return seq_gt(seg->opts.ts_val, w->ts_recent) || (seg->opts.ts_val == w->ts_recent && seq_newer);
    return has_ts || seq_newer;
}

/* RFC 9293 3.6.1, MAY-2: the new connection's ISS is "larger than the largest sequence number it used on the previous connection incarnation". */
uint32_t time_wait_iss(const struct time_wait *w, uint32_t iss) { return seq_gt(iss, w->snd_nxt) ? iss : w->snd_nxt + 65536; }

/* May we open a new incarnation ourselves? What RFC 6191 2 asks of the SYN must be true of ours: both use timestamps, and ours is greater than any that
 * we sent. The peer's clock may be as slow as one tick a second (RFC 7323 5.4), and has to have ticked since it last spoke, or PAWS could not
 * tell its old segments from the new ones (RFC 7323 appendix B.2). */
bool time_wait_allows_connect(const struct tcp_ctx *x, const struct time_wait *w)
{
    pl_time began = w->until - 2 * x->config->msl;       /* or began anew */
    uint32_t answered = w->answered_ms ? (uint32_t)(x->wire_now / PL_MS) - (w->answered_ms & ~1u) : UINT32_MAX;
    return w->ts_ok && x->config->timestamps && !w->ack_why && !w->parked && x->now - began >= TIME_WAIT_REUSE_AFTER &&
           answered >= TIME_WAIT_REUSE_AFTER / PL_MS;
}

/* RFC 5961 7: what the peer may answer in its turn is owed twice a second at most, or two ends that disagree never stop (threats V45). */
static void answer(const struct tcp_ctx *x, struct time_wait *w, enum pl_reason why)
{
    if (answered_lately(w->answered_ms, x->wire_now))
        return;
    w->answered_ms = answered_at(x->wire_now);
    w->ack_why = (uint8_t)why;
}

/* RFC 7323 3.2, 5.3 R1: as acceptable.c has it. An entry is too short-lived for its TS.Recent to become stale. */
static enum pl_drop timestamps_first(const struct tcp_ctx *x, struct time_wait *w, const struct tcp_seg *seg)
{
    if (!w->ts_ok)
        return PL_DROP_NONE;
    if (!(seg->opts.have & WIRE_OPT_TIMESTAMPS))
        return PL_DROP_TCP_NO_TIMESTAMP;
    if (!seq_lt(seg->opts.ts_val, w->ts_recent))
        return PL_DROP_NONE;
    answer(x, w, PL_WHY_ACK_DUPLICATE);
    return PL_DROP_TCP_PAWS;
}

enum pl_drop time_wait_arrives(const struct tcp_ctx *x, struct time_wait *w, const struct tcp_seg *seg)
{
    /* RFC 1337 3: "ignore RST segments in TIME-WAIT state" */
    if (seg->flags & PL_RST)
        return PL_DROP_TCP_RST_TIME_WAIT;
    if (seg->flags & PL_SYN) {
        answer(x, w, PL_WHY_ACK_CHALLENGE);
        return PL_DROP_TCP_SYN_CHALLENGED;
    }
    enum pl_drop drop = timestamps_first(x, w, seg);
    if (drop != PL_DROP_NONE)
        return drop;
    if (!(seg->flags & PL_ACK))
        return PL_DROP_TCP_NO_ACK;
    /* RFC 9293 3.10.7.4 fifth: "The only thing that can arrive in this state is a retransmission of the remote FIN. Acknowledge it, and restart
     * the 2 MSL timeout." */
    if ((seg->flags & PL_FIN) && seg->seq + seg->len == w->rcv_nxt) {
        if (w->restarts < TIME_WAIT_RESTARTS) {          /* a peer that never stops would keep the entry for ever */
            w->restarts++;
            w->until = x->now + 2 * x->config->msl;
        }
        w->ack_why = PL_WHY_ACK_TIME_WAIT;
        return PL_DROP_TCP_DUPLICATE;
    }
    /* RFC 9293 3.10.7.4 first: what is not acceptable is answered; a bare ACK of the right number needs no answer. */
    if (seg->len || seg->seq != w->rcv_nxt) {
        answer(x, w, PL_WHY_ACK_DUPLICATE);
        return seq_le(seg->seq + seg->len, w->rcv_nxt) ? PL_DROP_TCP_DUPLICATE : PL_DROP_TCP_OUTSIDE_WINDOW;
    }
    return PL_DROP_TCP_DUPLICATE;
}
