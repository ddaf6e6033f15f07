/* SPDX-License-Identifier: MIT
 *
 * state.c: the only writer of a connection's state, for all three kinds of record. RFC 9293 3.3.2, figure 5.
 *
 *                              +---------+  connect()
 *                              |  CLOSED |------------------------------+   tcp_user_open
 *                              +---------+                              V
 *   +---------+  SYN            half_open_make        SYN         +---------+
 *   | LISTEN  |---------------------+        +--------------------| SYN-SENT|
 *   +---------+                     V        V  handshake_arrives +---------+
 *        ^   RST, SYN         +----------------+                        | SYN-ACK: handshake_arrives
 *        +--------------------|  SYN-RECEIVED  |                        |
 *        tcp_return           +----------------+                        V
 *                                    |   |  ACK: handshake_fifth_ack  +-------------+
 *                     teardown_finish|   +--------------------------->| ESTABLISHED |
 *                                    V                                +-------------+
 *                              +-----------+   teardown_finish          |        | FIN: teardown_eighth_fin
 *                              | FIN-WAIT-1|<---------------------------+        V
 *                              +-----------+                              +-----------+
 *          teardown_fin_acked    |       | teardown_eighth_fin            |CLOSE-WAIT |
 *                                V       V                                +-----------+
 *                      +----------+   +---------+                               | teardown_finish
 *                      |FIN-WAIT-2|   | CLOSING |                               V
 *                      +----------+   +---------+                         +-----------+
 *       teardown_eighth_fin  |             | teardown_fin_acked           | LAST-ACK  |
 *                            V             V                              +-----------+
 *                         +-------------------+   2 MSL                         | teardown_fin_acked
 *                         |     TIME-WAIT     |-----------> CLOSED <------------+
 *                         +-------------------+   (the stack's time_wait_expires)
 *
 * Every state may go to CLOSED: a RST, a time-out, an abort, the interface gone (tcp_die). A connection in FIN-WAIT-1 whose FIN is acknowledged by
 * the peer's FIN goes to TIME-WAIT through FIN-WAIT-2. From TIME-WAIT a newer SYN leads to SYN-RECEIVED (half_open_make), and back if it proves to be
 * old (tcp_return, tcp_die).
 */
#include "transport/tcp/tcp.h"
#include "base/check.h"

#define TO(s) (1u << PL_##s)
static const uint16_t edges[PL_STATE_COUNT] = {
    [PL_CLOSED] = TO(SYN_SENT),
    [PL_LISTEN] = TO(SYN_RECEIVED),
    [PL_SYN_SENT] = TO(SYN_RECEIVED) | TO(ESTABLISHED) | TO(CLOSED),
    [PL_SYN_RECEIVED] = TO(ESTABLISHED) | TO(FIN_WAIT_1) | TO(CLOSE_WAIT) | TO(LISTEN) | TO(CLOSED) | TO(TIME_WAIT),
    [PL_ESTABLISHED] = TO(FIN_WAIT_1) | TO(CLOSE_WAIT) | TO(CLOSED),
    [PL_FIN_WAIT_1] = TO(FIN_WAIT_2) | TO(CLOSING) | TO(CLOSED),
    [PL_FIN_WAIT_2] = TO(TIME_WAIT) | TO(CLOSED),
    [PL_CLOSE_WAIT] = TO(LAST_ACK) | TO(CLOSED),
    [PL_CLOSING] = TO(TIME_WAIT) | TO(CLOSED),
    [PL_LAST_ACK] = TO(CLOSED),
    [PL_TIME_WAIT] = TO(CLOSED) | TO(SYN_RECEIVED),
};
#undef TO

static void endpoint(struct pl_endpoint *e, const uint8_t addr[16], uint32_t zone, uint16_t port)
{
    memcpy(e->addr.b, addr, 16);
    e->addr.zone = zone;
    e->port = port;
}

static void trace(struct tcp_ctx *x, const struct tcp *c, enum pl_trace_kind kind, enum pl_reason why, enum pl_state before, int64_t a, int64_t b)
{
    struct pl_trace_event e = {.now = x->now, .kind = (uint8_t)kind, .state_before = (uint8_t)before, .state_after = c->state, .protocol = 6,
                               .why = (uint16_t)why, .iface = c->path_iface, .conn = c->handle, .cookie = c->cookie, .a = a, .b = b};
    endpoint(&e.local, c->flow.local, c->flow.zone, c->flow.local_port);
    endpoint(&e.remote, c->flow.remote, c->flow.zone, c->flow.remote_port);
    x->env->trace(x->env->trace_user, &e);
}

void tcp_trace(struct tcp_ctx *x, const struct tcp *c, enum pl_trace_kind kind, enum pl_reason why, int64_t a, int64_t b)
{
    if (x->env->trace)
        trace(x, c, kind, why, c->state, a, b);
}

void tcp_state(struct tcp_ctx *x, struct tcp *c, enum pl_state to, enum pl_reason why)
{
    enum pl_state from = c->state;
    CHECK(edges[from] & (1u << to));
    c->state = (uint8_t)to;
    if (x->env->trace)
        trace(x, c, PL_TRACE_STATE, why, from, 0, 0);
}

void tcp_release(struct tcp_ctx *x, struct tcp *c)
{
    tcp_flight_give(x, c);
    tcp_receive_ends(x, c);
    if (c->gaps)
        slots_give(&x->pools->gaps, c->gaps);
    c->gaps = 0;
    stream_free(&x->pools->chunks, &c->snd_stream);
    c->snd_sent = 0;
    if (c->orphan)
        stream_free(&x->pools->chunks, &c->rcv_stream);
    else
        stream_trim(&x->pools->chunks, &c->rcv_stream);
    x->chunks_freed = true;
    c->timers = (struct tcp_timers){0};
    c->delack = (struct delack){0};
    c->syn_due = c->probe_due = c->keepalive_due = c->override_due = false;
}

/* RFC 9293 3.10.7.4 second, fourth, MUST-11: "return this connection to the LISTEN state". RFC 9293 3.6.1, MAY-2: what reopened a connection from
 * TIME-WAIT "returns to TIME-WAIT state if the SYN turns out to be an old duplicate". */
void tcp_return(struct tcp_ctx *x, struct tcp *c, enum pl_reason why)
{
    tcp_state(x, c, c->reopens ? PL_TIME_WAIT : PL_LISTEN, c->reopens ? PL_WHY_TIME_WAIT_AGAIN : why);
}

/* RFC 9293 3.6, MUST-12: the error tells an abort from an orderly end, which has none. */
void tcp_die(struct tcp_ctx *x, struct tcp *c, int error, enum pl_reason why)
{
    if (c->error == 0)
        c->error = (int16_t)error;
    if (c->reopens)
        tcp_return(x, c, why);
    else
        tcp_state(x, c, PL_CLOSED, why);
    tcp_release(x, c);
    x->news |= PL_EV_CLOSED | PL_EV_READABLE | PL_EV_WRITABLE | (error ? PL_EV_ERROR : 0);
}

/* RFC 9293 3.10.5, 3.5.3: <SEQ=SND.NXT><CTL=RST> */
void tcp_owe_reset(struct tcp_ctx *x, struct tcp *c, enum pl_reason why)
{
    x->reply = (struct tcp_reply){.due = true, .flags = PL_RST, .why = (uint16_t)why, .seq = c->snd.nxt, .ts = c->opt.ts_ok};
    if (c->opt.ts_ok) {                   /* RFC 7323 3.2-e, 5.2-c */
        x->reply.ts_val = timestamps_clock(c->ts.offset, x->wire_now);
        x->reply.ts_ecr = c->ts.recent;
    }
}

/* RFC 5961 7-a, 7-b, limited per connection only: a bucket shared with others would tell them what arrives here (threats V44). */
bool tcp_may_challenge(struct tcp_ctx *x, struct tcp *c)
{
    uint32_t ms = (uint32_t)(x->wire_now / PL_MS);           /* wraps after 49 days: then a period may count as the same as those long ago */
    if (c->challenges == 0 || (pl_time)(ms - c->challenge_ms) * PL_MS >= x->config->challenge_period) {
        c->challenge_ms = ms;
        c->challenges = 0;
    }
    if (c->challenges >= x->config->challenge_acks)
        return false;
    c->challenges++;
    return true;
}

/* There was nothing that the peer had to answer for, and now there is. The user timeout counts from here. */
void tcp_outstanding_begins(const struct tcp_ctx *x, struct tcp *c) { c->progress_at = x->now; }

/* RFC 9293 3.8.3: R1: the network layer is asked to look (MUST-20a), and the program may decide (MUST-47, SHLD-9) before R2 decides for it. */
void tcp_doubt(struct tcp_ctx *x, struct tcp *c)
{
    x->doubt = true;
    if (c->soft_error)
        return;                           /* told already */
    c->soft_error = PL_ETIMEDOUT;
    x->news |= PL_EV_TROUBLE;
}
