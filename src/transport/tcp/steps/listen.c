/* SPDX-License-Identifier: MIT
 *
 * listen.c: RFC 9293 3.10.7.2: a segment for a listener. The first message of the three-way handshake is judged here.
 */
#include "transport/tcp/tcp.h"

enum pl_drop listen_arrives(const struct tcp_seg *seg, struct tcp_reply *reply)
{
    /* RFC 9293 3.10.7.2 first: a RST "could not be valid since it could not have been sent in response to anything sent". */
    if (seg->flags & PL_RST)
        return PL_DROP_TCP_LISTEN_RST;
    /* RFC 9293 3.10.7.2 second: any acknowledgement is bad: <SEQ=SEG.ACK><CTL=RST> */
    if (seg->flags & PL_ACK) {
        *reply = (struct tcp_reply){.due = true, .flags = PL_RST, .why = PL_WHY_RST_BAD_ACK, .seq = seg->ack};
        tcp_reply_to(reply, seg);
        return PL_DROP_TCP_LISTEN_ACK;
    }
    /* RFC 9293 3.10.7.2 third: a SYN makes a connection. With FIN in the same segment it is nonsense (threats V52). */
    if (seg->flags & PL_SYN)
        return seg->flags & PL_FIN ? PL_DROP_TCP_SYN_FIN : PL_DROP_NONE;
    /* RFC 9293 3.10.7.2 fourth: "Drop the segment and return." */
    return PL_DROP_TCP_LISTEN_OTHER;
}
