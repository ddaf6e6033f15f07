/* SPDX-License-Identifier: MIT
 *
 * closed.c: RFC 9293 3.10.7.1: a segment for a connection that does not exist.
 */
#include "transport/tcp/tcp.h"

enum pl_drop closed_arrives(const struct tcp_seg *seg, struct tcp_reply *reply)
{
    /* RFC 9293 3.10.7.1: "An incoming segment containing a RST is discarded." */
    if (seg->flags & PL_RST)
        return PL_DROP_TCP_CLOSED;
    reply->due = true;
    reply->why = seg->flags & PL_SYN && !(seg->flags & PL_ACK) ? PL_WHY_RST_REFUSED : PL_WHY_RST_CLOSED;
    if (seg->flags & PL_ACK) {
        /* RFC 9293 3.10.7.1: <SEQ=SEG.ACK><CTL=RST> */
        reply->flags = PL_RST;
        reply->seq = seg->ack;
        reply->ack = 0;
    } else {
        /* RFC 9293 3.10.7.1: <SEQ=0><ACK=SEG.SEQ+SEG.LEN><CTL=RST,ACK> */
        reply->flags = PL_RST | PL_ACK;
        reply->seq = 0;
        reply->ack = seg->seq + seg->len;
    }
    tcp_reply_to(reply, seg);
    return PL_DROP_TCP_CLOSED;
}
