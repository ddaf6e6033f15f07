/* SPDX-License-Identifier: MIT
 *
 * icmp_error.c: the network says that a packet of ours did not get through. RFC 9293 3.9.2.2, RFC 5927, RFC 1191, RFC 8201.
 *
 * Believed only if it quotes a sequence number that is in flight. Once synchronised an error is soft (deviates from SHLD-26 by RFC 5927); in SYN-SENT
 * it ends the attempt (deviates from MUST-56 for soft errors, as peers do). Both stand in docs/defaults.md.
 */
#include "base/seq.h"
#include "transport/tcp/tcp.h"

static void lower_mtu(struct tcp_ctx *x, struct tcp *c, uint32_t mtu)
{
    uint32_t floor = tcp_ipv6(&c->flow) ? 1280 : 552;
    if (mtu < floor && !tcp_ipv6(&c->flow))
        mtu = floor;                      /* threats V21 */
    if (mtu < floor || mtu >= c->path_mtu)
        return;                           /* never upwards; RFC 8201 4: below 1280 is discarded */
    tcp_trace(x, c, PL_TRACE_DECISION, PL_WHY_MTU_LOWERED, c->path_mtu, mtu);
    c->path_mtu = mtu;
    options_set_mss(&c->opt, mtu, tcp_ipv6(&c->flow));
    struct tcp_flight *f = tcp_flight(x, c);
    if (f) {                              /* RFC 1191 6.4: what was too large is sent again at once, in smaller pieces; not a sign of congestion */
        rtx_mark_all_lost(&x->pools->records, &f->queue);
        f->left_network = 0;              /* all of it has */
    }
    x->mtu_learned = mtu;
}

/* A passive connection in SYN-RECEIVED: nobody is there to be told, and the SYN-ACK's own retries bound it. RFC 5927 4.1: only what quotes our
 * SYN-ACK; it never ends the handshake (anybody may send one, and the peer's next SYN would begin it again anyway). */
enum pl_drop icmp_error_half_open(struct tcp_ctx *x, struct tcp *c, uint32_t seq, int error, uint32_t mtu)
{
    if (!(seq_le(c->snd.una, seq) && seq_lt(seq, c->snd.nxt)))
        return PL_DROP_ICMP_QUOTE_SEQ;
    if (error == PL_EMSGSIZE)
        lower_mtu(x, c, mtu);
    else
        tcp_trace(x, c, PL_TRACE_DECISION, PL_WHY_GOT_ICMP, error, 0);
    return PL_DROP_NONE;
}

enum pl_drop icmp_error_arrives(struct tcp_ctx *x, struct tcp *c, uint32_t seq, int error, bool hard, uint32_t mtu)
{
    /* RFC 5927 4.1: SND.UNA =< SEG.SEQ < SND.NXT */
    if (!(seq_le(c->snd.una, seq) && seq_lt(seq, c->snd.nxt)))
        return PL_DROP_ICMP_QUOTE_SEQ;
    if (error == PL_EMSGSIZE) {
        lower_mtu(x, c, mtu);
        return PL_DROP_NONE;
    }
    (void)hard;                           /* RFC 5927 4.2: hard errors are soft, too, once synchronised */
    if (c->state == PL_SYN_SENT) {
        tcp_die(x, c, error, PL_WHY_GOT_ICMP);
        return PL_DROP_NONE;
    }
    c->soft_error = (int16_t)error;       /* SHLD-25, MUST-47: told now, and again if the connection fails of it later */
    x->news |= PL_EV_TROUBLE;
    return PL_DROP_NONE;
}
