/* SPDX-License-Identifier: MIT
 *
 * flight.c: what a sender remembers of its path while something is outstanding, and for as long after as there is room: taking it, giving it back; the
 * order of its timers; pacing.
 */
#include "base/check.h"
#include "transport/tcp/tcp.h"

/* ------------------------------------------------------------- taking, giving back ------------------------------------------------------------- */

static struct tcp_flight *at(const struct tcp_ctx *x, uint32_t slot) { return slots_at(&x->pools->flights, slot); }

/* Where there is a flight for each connection nobody needs another's. */
static bool enough_for_all(const struct tcp_ctx *x) { return x->pools->flights.capacity >= x->pools->conns.capacity; }

static void idle_append(struct tcp_ctx *x, uint32_t slot)
{
    struct tcp_flight *f = at(x, slot);
    f->idle = true;
    if (enough_for_all(x))
        return;
    f->idle_next = 0;
    f->idle_prev = x->pools->idle.last;
    if (x->pools->idle.last)
        at(x, x->pools->idle.last)->idle_next = slot;
    else
        x->pools->idle.first = slot;
    x->pools->idle.last = slot;
}

static void idle_remove(struct tcp_ctx *x, struct tcp_flight *f)
{
    f->idle = false;
    if (enough_for_all(x))
        return;
    if (f->idle_prev)
        at(x, f->idle_prev)->idle_next = f->idle_next;
    else
        x->pools->idle.first = f->idle_next;
    if (f->idle_next)
        at(x, f->idle_next)->idle_prev = f->idle_prev;
    else
        x->pools->idle.last = f->idle_prev;
}

bool tcp_flight_can(const struct tcp_ctx *x, const struct tcp *c)
{
    return c->flight || x->pools->flights.used < x->pools->flights.capacity || x->pools->idle.first;
}

static uint32_t take(struct tcp_ctx *x, struct tcp *c)
{
    uint32_t slot = slots_take(&x->pools->flights);
    if (slot)
        return slot;
    slot = x->pools->idle.first;         /* the longest idle connection forgets what it knew of its path */
    CHECK(slot);
    struct tcp *owner = (struct tcp *)slots_array(&x->pools->conns) + at(x, slot)->owner;
    CHECK(owner != c);
    tcp_flight_give(x, owner);
    return slots_take(&x->pools->flights);
}

/* The connection's, or what stands in for it where the environment has it not. */
static uint8_t algorithm(const struct tcp_ctx *x, const struct tcp *c)
{
    return cc_exists(x->env, c->algorithm, x->config->cc_state_bytes) ? c->algorithm : PL_CC_NEWRENO;
}

/* An algorithm's state is new: it begins with what is known all the same. */
static void start(const struct tcp_ctx *x, struct tcp *c, struct tcp_flight *f)
{
    memset(f->cc_state, 0, x->config->cc_state_bytes);
    f->algorithm = algorithm(x, c);
    f->cc_flags = (uint8_t)cc_flags(x->env, f->algorithm);
    c->cc.pacing_rate = 0;
    c->cc.quantum = 0;
    validate_init(&f->validate, x->config->validate_window && !(f->cc_flags & PL_CC_OWN_RECOVERY), !(f->cc_flags & PL_CC_WANTS_RATE), c->snd.nxt, x->wire_now);
    cc_start(tcp_cc(x, c, f), x->wire_now, c->rtt.srtt);
}

/* Another one takes over. Who led the window himself had no ssthresh: in the midst of a repair the new one answers to the loss, RFC 5681 3.2; and a window
 * without bound says nothing of the path. */
static void take_over(const struct tcp_ctx *x, struct tcp *c, struct tcp_flight *f)
{
    bool led_itself = f->cc_flags & PL_CC_OWN_RECOVERY;
    if (c->cc.cwnd >= PL_CC_CWND_MAX) {
        uint32_t iw = cc_initial_window(c->opt.mss), pipe = tcp_pipe(f);
        c->cc.cwnd = iw > pipe ? iw : pipe;
    }
    start(x, c, f);
    if (led_itself && !(f->cc_flags & PL_CC_OWN_RECOVERY) && (f->in_recovery || f->in_rto_recovery)) {
        uint32_t flight = c->snd.nxt - c->snd.una - f->queue.sacked;
        cc_loss(tcp_cc(x, c, f), x->wire_now, flight);
        prr_begin(&f->prr, flight);
    }
}

static void change(struct tcp_ctx *x, struct tcp *c, struct tcp_flight *f)
{
    uint8_t before = f->algorithm;
    take_over(x, c, f);
    if (f->algorithm != before)
        tcp_trace(x, c, PL_TRACE_DECISION, PL_WHY_CC_CHOSEN, before, f->algorithm);
}

static void begin(struct tcp_ctx *x, struct tcp *c)
{
    uint32_t iw = cc_initial_window(c->opt.mss);
    c->flight = take(x, c);
    struct tcp_flight *f = at(x, c->flight);
    f->owner = slots_index(&x->pools->conns, c);
    rack_init(&f->rack);
    if (c->rtt.srtt)
        rack_rtt(&f->rack, c->rtt.srtt, x->wire_now);
    f->rack.rtt = c->rtt.srtt;            /* until a segment has told: what has just been sent is not lost with the first time-out */
    if (c->cc.cwnd > iw) {                /* it was taken away meanwhile: what cwnd was measured by is not known any more */
        uint32_t before = c->cc.cwnd;
        c->cc.cwnd = iw;
        tcp_trace(x, c, PL_TRACE_DECISION, PL_WHY_CWND_FORGOTTEN, before, iw);
    }
    start(x, c, f);
}

/* What an idle connection knew of the path is old: RFC 7661; where that is off RFC 5681 4.1: nothing was sent for longer than an RTO. */
static void restart(struct tcp_ctx *x, struct tcp *c, struct tcp_flight *f)
{
    struct rtt_bounds b = tcp_rtt_bounds(x);
    pl_time idle = x->wire_now - f->idle_since;
    validate_restart(&f->validate, &c->cc, c->snd.nxt, x->wire_now, idle, c->rtt.srtt);
    if (idle > c->rtt.rto && !f->validate.on && !(f->cc_flags & PL_CC_OWN_RECOVERY) && idle > rtt_rto(&c->rtt, &b)) {
        uint32_t iw = cc_initial_window(c->opt.mss), before = c->cc.cwnd;
        if (before > iw) {
            c->cc.cwnd = iw;
            tcp_trace(x, c, PL_TRACE_DECISION, PL_WHY_CWND_IDLE, before, iw);
        }
    }
    cc_restart(tcp_cc(x, c, f), x->wire_now, idle, f->rate.app_limited != 0);
}

void tcp_flight_begins(struct tcp_ctx *x, struct tcp *c)
{
    struct tcp_seen seen;
    bool listens = x->env->trace != NULL;
    tcp_outstanding_begins(x, c);
    if (listens)
        tcp_look(x, c, &seen);
    if (!c->flight) {
        begin(x, c);
    } else {
        struct tcp_flight *f = at(x, c->flight);
        idle_remove(x, f);
        if (f->algorithm != c->algorithm && f->algorithm != algorithm(x, c))
            change(x, c, f);
        restart(x, c, f);
    }
    if (listens)
        tcp_tell(x, c, &seen);
}

void tcp_flight_end(struct tcp_ctx *x, struct tcp *c)
{
    struct tcp_flight *f = tcp_memory(x, c);
    rtx_free(&x->pools->records, &f->queue);
    f->in_recovery = f->in_rto_recovery = f->probe_due = false;          /* whether a loss probe was needed is asked further: RFC 8985 7.4.2 */
    f->dupacks = f->limited = f->left_network = 0;
    f->retries = f->left = 0;
    f->undo.frto = 0;
    f->idle_since = x->wire_now;
    idle_append(x, c->flight);
}

void tcp_flight_give(struct tcp_ctx *x, struct tcp *c)
{
    if (!c->flight)
        return;
    struct tcp_flight *f = tcp_memory(x, c);
    rtx_free(&x->pools->records, &f->queue);
    if (f->idle)
        idle_remove(x, f);
    slots_give(&x->pools->flights, c->flight);
    c->flight = 0;
}

void tcp_flight_algorithm(struct tcp_ctx *x, struct tcp *c)
{
    struct tcp_flight *f = tcp_flight(x, c);
    struct tcp_seen seen;
    bool listens = x->env->trace != NULL;
    if (!f || f->algorithm == c->algorithm)
        return;                           /* with the next flight */
    if (listens)
        tcp_look(x, c, &seen);
    f->undo.possible = false;             /* it was another's answer, and F-RTO, which may take it back, holds up nothing any more */
    f->undo.frto = 0;
    change(x, c, f);
    if (listens)
        tcp_tell(x, c, &seen);
}

/* Its state says nothing to NewReno. */
void tcp_flight_own_algorithm(const struct tcp_ctx *x, struct tcp *c, struct tcp_flight *f)
{
    if (f->algorithm != algorithm(x, c) && !cc_exists(x->env, f->algorithm, x->config->cc_state_bytes))
        take_over(x, c, f);
}

/* ------------------------------------------------------------------- timers -------------------------------------------------------------------- */

void tcp_rto_restart(const struct tcp_ctx *x, const struct tcp *c, struct tcp_flight *f)
{
    struct rtt_bounds b = tcp_rtt_bounds(x);
    f->rto_at = x->now + rtt_rto(&c->rtt, &b);
}

/* RFC 8985 7.2-a, RFC 8985 4-a: not while something else would find the loss. */
bool tcp_may_probe(const struct tcp_ctx *x, const struct tcp *c, const struct tcp_flight *f)
{
    return x->config->loss_probe && c->opt.sack_ok && f->rack.sampled && !f->in_recovery && !f->in_rto_recovery && !f->rack.probe_out && f->queue.sacked == 0 && f->queue.lost == 0;
}

enum { MAX_ACK_DELAY_MS = 200 };          /* TLP.max_ack_delay, docs/defaults.md */

/* RFC 8985 6.2-b, 7.2-c, RFC 8985 8: one timer, whichever it is */
void tcp_rto_arm(const struct tcp_ctx *x, struct tcp *c, struct tcp_flight *f, pl_time reorder_timeout)
{
    pl_time at = f->rto_at;
    enum tcp_resend what = RESEND_RTO;
    if (reorder_timeout) {                /* only this timer is rounded, to a millisecond: docs/defaults.md */
        pl_time due = x->now + (reorder_timeout + PL_MS - 1) / PL_MS * PL_MS;
        if (due < at)
            at = due, what = RESEND_REORDER;
    } else if (tcp_may_probe(x, c, f)) {
        pl_time due = x->now + rack_pto(c->rtt.srtt, c->snd.nxt - c->snd.una <= c->opt.mss, MAX_ACK_DELAY_MS * PL_MS);
        at = due < at ? due : at;         /* "If Now() + PTO > TCP_RTO_expiration()": the probe goes in its place */
        what = RESEND_LOSS_PROBE;
    }
    f->armed_at = x->now;
    timers_set_resend(&c->timers, what, at);
}

/* ------------------------------------------------------------------- pacing -------------------------------------------------------------------- */

/* docs/architecture.md: quanta of max(2 MSS, 1 ms at the rate), at most 64 KiB, of whole segments. */
static uint32_t quantum(const struct tcp *c)
{
    uint64_t q = c->cc.quantum ? c->cc.quantum : c->cc.pacing_rate / 1000;
    if (q < 2u * c->opt.mss && !c->cc.quantum)
        q = 2u * c->opt.mss;
    if (q > 65535)
        q = 65535;
    return q < c->opt.mss ? c->opt.mss : (uint32_t)q - (uint32_t)q % c->opt.mss;
}

static pl_time takes(const struct tcp *c, uint32_t bytes) { return (pl_time)bytes * PL_S / c->cc.pacing_rate; }

uint32_t tcp_paced(const struct tcp_ctx *x, const struct tcp *c, const struct tcp_flight *f)
{
    if (c->cc.pacing_rate == 0)
        return UINT32_MAX;
    if (x->now >= f->next_at)
        return quantum(c);
    return f->quantum_left < c->opt.mss ? 0 : f->quantum_left;
}

/* No pace makes wait longer than the retransmission timer, and a second: a rate that fell to a few bytes per second says nothing of the path any more, and when
 * it rises again what was sent last must not stand in its way. RFC 6298 5.4: what timed out goes then. */
static pl_time latest(const struct tcp_ctx *x, const struct tcp *c) { return x->now + (c->rtt.rto > PL_S ? c->rtt.rto : PL_S); }

/* The next quantum may begin when this one would have left at the rate; a late start is made good by one quantum at most. */
void tcp_pace(const struct tcp_ctx *x, struct tcp *c, struct tcp_flight *f, uint32_t bytes)
{
    if (c->cc.pacing_rate == 0)
        return;
    if (x->now >= f->next_at) {
        uint32_t q = quantum(c);
        pl_time credit = takes(c, q), earliest = x->now > credit ? x->now - credit : 0;
        f->next_at = f->next_at > earliest ? f->next_at : earliest;
        f->quantum_left = q;
    }
    f->next_at += takes(c, bytes);
    if (f->next_at > x->now + PL_S && f->next_at > latest(x, c))
        f->next_at = latest(x, c);
    f->quantum_left -= bytes < f->quantum_left ? bytes : f->quantum_left;
}
