/* SPDX-License-Identifier: MIT
 *
 * input.c: SEGMENT ARRIVES, RFC 9293 3.10.7, in the RFC's order.
 *
 * CLOSED (3.10.7.1) and LISTEN (3.10.7.2) have no connection: the stack asks closed_arrives and listen_arrives before it comes here; so do
 * TIME-WAIT entries with time_wait_arrives. A half-open entry goes through tcp_input_checks as a scratch connection and on with tcp_input_rest
 * when it has become a connection.
 */
#include "base/seq.h"
#include "transport/tcp/tcp.h"

/* RFC 9293 3.10.7.4 first to fourth, and the ACK bit of the fifth. */
enum pl_drop tcp_input_checks(struct tcp_ctx *x, struct tcp *c, struct tcp_seg *seg)
{
    enum pl_drop drop = acceptable_first_sequence(x, c, seg);
    if (drop == PL_DROP_NONE)
        drop = acceptable_second_rst(x, c, seg);
    /* third, security: this host has no compartments (RFC 9293 appendix A.1) */
    if (drop == PL_DROP_NONE)
        drop = acceptable_fourth_syn(x, c, seg);
    /* fifth: "if the ACK bit is off, drop the segment and return" */
    if (drop == PL_DROP_NONE && !(seg->flags & PL_ACK))
        drop = PL_DROP_TCP_NO_ACK;
    return drop;
}

/* Sixth to eighth. */
static enum pl_drop urgent_text_fin(struct tcp_ctx *x, struct tcp *c, struct tcp_seg *seg)
{
    text_sixth_urgent(x, c, seg);
    enum pl_drop drop = text_seventh(x, c, seg);
    if (drop == PL_DROP_NONE && c->state != PL_CLOSED)
        drop = teardown_eighth_fin(x, c, seg);
    return drop;
}

/* RFC 9293 3.10.7.4 fifth to eighth. */
enum pl_drop tcp_input_rest(struct tcp_ctx *x, struct tcp *c, struct tcp_seg *seg)
{
    enum pl_drop drop = PL_DROP_NONE;
    if (c->state == PL_SYN_RECEIVED) {
        drop = handshake_fifth_ack(x, c, seg);
        if (drop == PL_DROP_NONE)
            user_timeout_tell(x, c);
        if (drop == PL_DROP_NONE && c->fin_queued)
            teardown_finish(x, c);
    }
    if (drop == PL_DROP_NONE)
        drop = ack_fifth(x, c, seg);
    if (drop != PL_DROP_NONE)
        return drop;
    /* RFC 7323 4.3 (2). Not before the ACK was judged: one guessed segment that covers RCV.NXT could set TS.Recent far ahead, and PAWS would drop
     * whatever the peer sends from then on (threats V43, V59). */
    if (c->opt.ts_ok && (seg->opts.have & WIRE_OPT_TIMESTAMPS))      /* RFC 7323 3.2-i: else they mean nothing */
        timestamps_received(&c->ts, seg->opts.ts_val, seg->seq, x->now);
    keepalive_heard(x, c);
    if (seg->opts.have & WIRE_OPT_USER_TIMEOUT)
        user_timeout_arrives(x, c, seg);
    if (c->fin_acked)
        teardown_fin_acked(x, c);
    if (c->state == PL_CLOSED)
        return PL_DROP_NONE;              /* LAST-ACK: "if our FIN is now acknowledged, delete the TCB, enter the CLOSED state, and return" */
    return urgent_text_fin(x, c, seg);
}

enum pl_drop tcp_input(struct tcp_ctx *x, struct tcp *c, struct tcp_seg *seg)
{
    enum pl_drop drop;
    c->count.segs_in += seg->segs;
    if (c->state == PL_SYN_SENT) {
        drop = handshake_arrives(x, c, seg);
        if (drop != PL_DROP_NONE)
            return drop;
        if (seg->opts.have & WIRE_OPT_USER_TIMEOUT)
            user_timeout_arrives(x, c, seg);
        if (c->state == PL_ESTABLISHED)
            user_timeout_tell(x, c);
        if (c->state == PL_ESTABLISHED && c->fin_queued)
            teardown_finish(x, c);
        return urgent_text_fin(x, c, seg);               /* "continue processing at the sixth step" */
    }
    drop = tcp_input_checks(x, c, seg);
    return drop == PL_DROP_NONE ? tcp_input_rest(x, c, seg) : drop;
}
