/* SPDX-License-Identifier: MIT
 *
 * check.c: what holds of a connection between two calls, asserted (config.check). A failure is a mistake of ours, never the peer's doing.
 *
 *   SYN-SENT       our SYN is not acknowledged: SND.UNA = ISS, SND.NXT = ISS+1, nothing of the stream is sent
 *   SYN-RECEIVED   the same, and the peer's SYN is known
 *   ESTABLISHED    both SYNs are acknowledged, no FIN is sent or received
 *   FIN-WAIT-1     our FIN is queued and not acknowledged, the peer's is not received
 *   FIN-WAIT-2     our FIN is acknowledged, the peer's is not received
 *   CLOSE-WAIT     the peer's FIN is received, ours is not queued
 *   CLOSING        both FINs under way: ours is not acknowledged, the peer's is received
 *   LAST-ACK       the same from the passive side: our FIN is queued and not acknowledged, the peer's is received
 *   TIME-WAIT      both FINs are acknowledged
 *   CLOSED         nothing is outstanding, no timer runs
 *   always         SND.UNA =< SND.NXT; what is sent and unacknowledged is SND.NXT - SND.UNA; pipe is at most that; a timer runs while
 *                  something is outstanding, or the first of it is to go again at once
 */
#include "base/check.h"
#include "base/seq.h"
#include "transport/tcp/tcp.h"

static void check_state(const struct tcp *c)
{
    switch (c->state) {
    case PL_SYN_SENT:
    case PL_SYN_RECEIVED:
        CHECK(!c->syn_acked && c->snd.una == c->snd.iss && c->snd.nxt == c->snd.iss + 1 && c->snd_sent == 0);
        break;
    case PL_ESTABLISHED:
        CHECK(c->syn_acked && !c->fin_queued && !c->fin_received);
        break;
    case PL_FIN_WAIT_1:
        CHECK(c->fin_queued && !c->fin_acked && !c->fin_received);
        break;
    case PL_FIN_WAIT_2:
        CHECK(c->fin_acked && !c->fin_received);
        break;
    case PL_CLOSE_WAIT:
        CHECK(!c->fin_queued && c->fin_received);
        break;
    case PL_CLOSING:
    case PL_LAST_ACK:
        CHECK(c->fin_queued && !c->fin_acked && c->fin_received);
        break;
    case PL_TIME_WAIT:
        CHECK(c->fin_acked && c->fin_received);
        break;
    default:
        CHECK(c->state == PL_CLOSED && !c->flight && !c->gaps && timers_next(&c->timers) == PL_NEVER);
        break;
    }
}

static void check_record(const struct rtx_record *r)
{
    CHECK(r->len > 0 && r->again < r->len && (r->again == 0 || r->flags & RTX_LOST));
    CHECK((r->flags & (RTX_LOST | RTX_SACKED)) != (RTX_LOST | RTX_SACKED));
}

static uint32_t list_count(const struct tcp_ctx *x, const struct rtx_list *l, bool lost)
{
    uint32_t n = 0;
    for (uint32_t id = l->first; id; id = rtx_at(&x->pools->records, id)->later, n++)
        CHECK(((rtx_at(&x->pools->records, id)->flags & RTX_LOST) != 0) == lost && !(rtx_at(&x->pools->records, id)->flags & RTX_SACKED));
    return n;
}

static void check_flight(const struct tcp_ctx *x, const struct tcp *c, const struct rtx_queue *q)
{
    uint32_t seq = c->snd.una, pipe = 0, lost = 0, count = 0, sacked = 0, segs = 0, flying = 0;
    for (uint32_t id = q->head; id; id = rtx_at(&x->pools->records, id)->next) {
        const struct rtx_record *r = rtx_at(&x->pools->records, id);
        CHECK(r->seq == seq);
        check_record(r);
        seq += r->len;
        if (r->flags & RTX_SACKED)
            sacked += r->len, segs += r->segs;
        else
            pipe += r->flags & RTX_LOST ? r->again : r->len;
        lost += r->flags & RTX_LOST ? 1 : 0;
        flying += r->flags & (RTX_LOST | RTX_SACKED) ? 0 : 1;
        count++;
    }
    CHECK(seq == c->snd.nxt && pipe == q->pipe && lost == q->lost && count == q->count && count > 0 && count <= x->config->records_per_conn_max);
    CHECK(sacked == q->sacked && segs == q->sacked_segs);
    CHECK(list_count(x, &q->flying, false) == flying && list_count(x, &q->gone, true) == lost);
    CHECK((c->timers.resend_is != RESEND_OFF && c->timers.resend_is != RESEND_PERSIST) || rtx_at(&x->pools->records, q->head)->flags & RTX_LOST);
}

void tcp_check(const struct tcp_ctx *x, const struct tcp *c)
{
    CHECK(c->state != PL_LISTEN);
    check_state(c);
    if (c->state == PL_CLOSED || c->released)
        return;
    uint32_t outstanding = c->snd.nxt - c->snd.una;
    CHECK(seq_le(c->snd.una, c->snd.nxt));
    CHECK(outstanding == c->snd_sent + (c->syn_acked ? 0 : 1) + (c->fin_sent && !c->fin_acked ? 1 : 0));
    CHECK(c->snd_sent <= c->snd_stream.len);
    if (tcp_outstanding(c)) {
        CHECK(c->flight && !tcp_memory(x, c)->idle);
        check_flight(x, c, &tcp_memory(x, c)->queue);
    } else if (c->flight) {
        CHECK(tcp_memory(x, c)->idle && tcp_memory(x, c)->queue.count == 0);
    }
    CHECK(c->rcv.promised >= c->rcv.wnd || !tcp_synchronised(c) || c->fin_received || c->orphan);
    CHECK(!c->gaps || !ooo_empty(tcp_ooo(x, c)));
    if (tcp_has_gaps(x, c))
        CHECK(seq_gt(tcp_gaps(x, c)->at[0].lo, c->rcv.nxt));
}
