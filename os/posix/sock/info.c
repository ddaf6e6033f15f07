/* SPDX-License-Identifier: MIT
 *
 * info.c: TCP_INFO: a connection's status in Linux's struct tcp_info. What the stack does not know stays 0.
 */
#include <linux/tcp.h>

#include "os/posix/sock/inside.h"

static uint8_t state_number(const struct sock *s, enum pl_state state)
{
    static const uint8_t of[PL_STATE_COUNT] = {
        [PL_CLOSED] = 7, [PL_LISTEN] = 10, [PL_SYN_SENT] = 2, [PL_SYN_RECEIVED] = 3, [PL_ESTABLISHED] = 1, [PL_FIN_WAIT_1] = 4,
        [PL_FIN_WAIT_2] = 5, [PL_CLOSE_WAIT] = 8, [PL_CLOSING] = 11, [PL_LAST_ACK] = 9, [PL_TIME_WAIT] = 7, /* Linux: another object waits */
    };
    return s->state == SOCK_LISTENING ? of[PL_LISTEN] : of[state];
}

static uint32_t us(pl_time t) { return t / PL_US > UINT32_MAX ? UINT32_MAX : (uint32_t)(t / PL_US); }

static uint32_t ms(pl_time t) { return t == PL_NEVER ? 0 : t / PL_MS > UINT32_MAX ? UINT32_MAX : (uint32_t)(t / PL_MS); }

enum { REORDERING_DEFAULT = 3 };          /* segments: what Linux begins with, and what RFC 8985 goes by until reordering was seen */

/* tcp_info counts segments. What goes again counts as lost on Linux until it is acknowledged: unacked - sacked - lost + retrans is in flight. */
static void fill_sender(struct tcp_info *i, const struct pl_tcp_status *st, uint32_t mss)
{
    i->tcpi_ca_state = st->phase == PL_CC_LOSS ? TCP_CA_Loss : st->phase == PL_CC_RECOVERY ? TCP_CA_Recovery : st->sacked_bytes ? TCP_CA_Disorder : TCP_CA_Open;
    i->tcpi_unacked = (st->snd.nxt - st->snd.una + mss - 1) / mss;
    i->tcpi_sacked = (st->sacked_bytes + mss - 1) / mss;
    i->tcpi_retrans = (st->repeated_bytes + mss - 1) / mss;
    i->tcpi_lost = (st->lost_bytes + mss - 1) / mss + i->tcpi_retrans;
    i->tcpi_reordering = REORDERING_DEFAULT;
    i->tcpi_reord_seen = st->reordering_seen;
    i->tcpi_pacing_rate = st->pacing_rate ? st->pacing_rate : UINT64_MAX;       /* not paced: no limit */
    i->tcpi_max_pacing_rate = UINT64_MAX;
    i->tcpi_delivery_rate = st->delivery_rate;
    i->tcpi_delivery_rate_app_limited = st->delivery_limited;
    i->tcpi_delivered = (uint32_t)((st->bytes_delivered + mss - 1) / mss);
    i->tcpi_busy_time = st->busy_time / PL_US;
    i->tcpi_rwnd_limited = st->rwnd_limited_time / PL_US;
    i->tcpi_sndbuf_limited = st->sndbuf_limited_time / PL_US;
    i->tcpi_last_data_sent = ms(st->since_sent);
    i->tcpi_last_ack_recv = ms(st->since_heard);
}

static void fill(struct tcp_info *i, const struct pl_tcp_status *st)
{
    uint32_t mss = st->mss ? st->mss : 1;
    i->tcpi_retransmits = (uint8_t)(st->backoffs > 255 ? 255 : st->backoffs);
    i->tcpi_backoff = i->tcpi_retransmits;
    i->tcpi_options = (uint8_t)((st->timestamps ? TCPI_OPT_TIMESTAMPS : 0) | (st->sack ? TCPI_OPT_SACK : 0) | (st->window_scaling ? TCPI_OPT_WSCALE : 0));
    i->tcpi_snd_wscale = st->snd_wscale & 15;
    i->tcpi_rcv_wscale = st->rcv_wscale & 15;
    i->tcpi_rto = us(st->rto);
    i->tcpi_snd_mss = st->mss;
    i->tcpi_rcv_mss = st->peer_mss < st->mss ? st->peer_mss : st->mss;
    i->tcpi_advmss = st->mss;
    i->tcpi_rtt = us(st->srtt);
    i->tcpi_rttvar = us(st->rttvar);
    i->tcpi_snd_ssthresh = st->ssthresh_bytes > INT32_MAX / 2 ? INT32_MAX : st->ssthresh_bytes / mss;
    i->tcpi_snd_cwnd = st->cwnd_bytes / mss;
    i->tcpi_rcv_space = st->rcv_space_bytes ? st->rcv_space_bytes : st->rcv.wnd;
    i->tcpi_total_retrans = (uint32_t)st->retransmits;
    i->tcpi_bytes_acked = st->bytes_acked;
    i->tcpi_bytes_received = st->bytes_received;
    i->tcpi_bytes_sent = st->bytes_sent;
    i->tcpi_bytes_retrans = st->bytes_retransmitted;
    i->tcpi_segs_out = (uint32_t)st->segs_out;
    i->tcpi_segs_in = (uint32_t)st->segs_in;
    uint32_t sent = st->snd.nxt - st->snd.una;
    i->tcpi_notsent_bytes = sent < st->sndbuf_used ? st->sndbuf_used - sent : 0;
    i->tcpi_min_rtt = us(st->min_rtt);
    i->tcpi_snd_wnd = st->snd.wnd;
    fill_sender(i, st, mss);
}

int info_tcp(struct sock *s, void *to, socklen_t *bytes)
{
    struct tcp_info i;
    struct pl_tcp_status st;
    memset(&i, 0, sizeof i);
    i.tcpi_state = state_number(s, PL_CLOSED);
    if (s->state != SOCK_LISTENING && s->handle && pl_status(s->world->stack, s->handle, &st, sizeof st) == PL_OK) {
        i.tcpi_state = state_number(s, st.state);
        fill(&i, &st);
    }
    return option_out(&i, sizeof i, to, bytes);
}
