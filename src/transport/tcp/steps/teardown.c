/* SPDX-License-Identifier: MIT
 *
 * teardown.c: the four-way close, RFC 9293 3.6: our FIN and the peer's. 3.10.4, 3.10.7.4 fifth (our FIN acknowledged) and eighth (FIN).
 *
 *      active side                                                passive side
 *      ESTABLISHED                                                ESTABLISHED
 *      FIN-WAIT-1   --> <SEQ=u><ACK=v><CTL=FIN,ACK>           --> CLOSE-WAIT     teardown_finish; teardown_eighth_fin
 *      FIN-WAIT-2   <-- <SEQ=v><ACK=u+1><CTL=ACK>             <-- CLOSE-WAIT     teardown_fin_acked
 *      TIME-WAIT    <-- <SEQ=w><ACK=u+1><CTL=FIN,ACK>         <-- LAST-ACK       teardown_eighth_fin; teardown_finish
 *      TIME-WAIT    --> <SEQ=u+1><ACK=w+1><CTL=ACK>           --> CLOSED         teardown_fin_acked
 *
 * Four messages, because each direction is closed on its own: between the second and the third the passive side may go on sending.
 */
#include "base/seq.h"
#include "transport/tcp/tcp.h"

/* RFC 9293 3.10.4: CLOSE: the FIN follows what is queued; the state changes at once. */
void teardown_finish(struct tcp_ctx *x, struct tcp *c)
{
    c->fin_queued = true;
    stream_keep(&x->pools->chunks, &c->snd_stream, 0);
    if (c->state == PL_ESTABLISHED)
        tcp_state(x, c, PL_FIN_WAIT_1, PL_WHY_CALL_FINISH);
    else if (c->state == PL_CLOSE_WAIT)
        tcp_state(x, c, PL_LAST_ACK, PL_WHY_CALL_FINISH);
    /* SYN-SENT, SYN-RECEIVED: "queue for processing after entering ESTABLISHED state" */
}

/* RFC 9293 3.10.7.4 fifth: FIN-WAIT-1, CLOSING, LAST-ACK: "if the FIN segment is now acknowledged". */
void teardown_fin_acked(struct tcp_ctx *x, struct tcp *c)
{
    if (c->state == PL_FIN_WAIT_1)
        tcp_state(x, c, PL_FIN_WAIT_2, PL_WHY_GOT_ACK_OF_FIN);
    else if (c->state == PL_CLOSING)
        tcp_state(x, c, PL_TIME_WAIT, PL_WHY_GOT_ACK_OF_FIN);
    else if (c->state == PL_LAST_ACK)
        tcp_die(x, c, 0, PL_WHY_GOT_ACK_OF_FIN);
}

/* RFC 9293 3.10.7.4 eighth. A FIN that arrives ahead of missing text is remembered and counts when the text is complete. */
enum pl_drop teardown_eighth_fin(struct tcp_ctx *x, struct tcp *c, struct tcp_seg *seg)
{
    if ((seg->flags & PL_FIN) && !c->fin_received) {
        c->fin_known = true;
        c->fin_seq = seg->seq + seg->text;
        if (seg->text == 0 && c->fin_seq != c->rcv.nxt)      /* RFC 5681 4.2: out of order, as text would be: say at once what is missing */
            tcp_owe_duplicate(x, c, PL_WHY_ACK_OUT_OF_ORDER);
    }
    if (c->fin_known && !c->fin_received && seq_lt(c->fin_seq, c->rcv.nxt))
        c->fin_known = false;             /* text has come from behind it: whoever sent it, it was none */
    if (!c->fin_known || c->fin_received || c->fin_seq != c->rcv.nxt)
        return PL_DROP_NONE;
    /* "advance RCV.NXT over the FIN, and send an acknowledgment for the FIN" */
    c->fin_received = true;
    c->rcv.nxt++;
    c->rcv.wnd = c->rcv.wnd ? c->rcv.wnd - 1 : 0;
    tcp_receive_ends(x, c);
    delack_owe(&c->delack, PL_WHY_ACK_FIN);
    if (tcp_has_gaps(x, c)) {             /* text behind the end of the stream: nonsense, let go */
        tcp_gaps(x, c)->count = 0;
        tcp_gaps_forget(x, c);
        stream_trim(&x->pools->chunks, &c->rcv_stream);
        x->chunks_freed = true;
    }
    x->news |= PL_EV_READABLE | PL_EV_PEER_FINISHED;
    switch (c->state) {
    case PL_ESTABLISHED:
        tcp_state(x, c, PL_CLOSE_WAIT, PL_WHY_GOT_FIN);
        break;
    case PL_FIN_WAIT_1:                   /* our FIN is not acknowledged yet, else we would be in FIN-WAIT-2 */
        tcp_state(x, c, PL_CLOSING, PL_WHY_GOT_FIN);
        break;
    case PL_FIN_WAIT_2:
        tcp_state(x, c, PL_TIME_WAIT, PL_WHY_GOT_FIN);
        break;
    default:
        break;
    }
    return PL_DROP_NONE;
}
