/* SPDX-License-Identifier: MIT
 *
 * Which congestion control a connection has, and what one hears: include/parley/cc.h. Host 1 of a duo; its peer is played by hand.
 */
#include "support/played.h"

#include "stack/stack.h"
#include "transport/tcp/cc/cc.h"

enum { MSS = 1000 };

/* An algorithm of the program's own, that notes what it hears. */
struct ours {
    struct { unsigned start, ack, loss, rto, first, recovered, undo, restart, lost; } calls;
    struct pl_cc_ack ack;                 /* the last of each */
    struct pl_cc_lost lost;
    uint32_t flight;
    pl_time start_srtt, idle;
    bool state_was_zero, state_was_kept;
    uint32_t state_bytes;
    uint32_t set_cwnd;                    /* 0: leave it */
};
static struct ours ours;

static void on_start(void *user, struct pl_cc *cc, void *state, pl_time now, pl_time srtt)
{
    struct ours *o = user;
    static const uint8_t zero[PL_CC_STATE_BYTES];
    (void)now, (void)cc;
    assert_ptr_equal(o, &ours);
    o->calls.start++;
    o->start_srtt = srtt;
    o->state_was_zero = memcmp(state, zero, o->state_bytes) == 0 && (uintptr_t)state % 8 == 0;
    memset(state, 0x5a, o->state_bytes);
}

static void kept(struct ours *o, const void *state)
{
    for (uint32_t n = 0; n < o->state_bytes; n++)
        o->state_was_kept &= ((const uint8_t *)state)[n] == 0x5a;
}

static void on_ack(void *user, struct pl_cc *cc, void *state, const struct pl_cc_ack *a)
{
    struct ours *o = user;
    kept(o, state);
    assert_int_equal(cc->mss, MSS);
    o->calls.ack++;
    o->ack = *a;
    if (o->set_cwnd)
        cc->cwnd = o->set_cwnd;
}

static void on_loss(void *user, struct pl_cc *cc, void *state, pl_time now, uint32_t flight)
{
    struct ours *o = user;
    (void)now;
    kept(o, state);
    o->calls.loss++;
    o->flight = flight;
    cc->ssthresh = 4 * MSS;
}

static void on_rto(void *user, struct pl_cc *cc, void *state, pl_time now, uint32_t flight, bool first)
{
    struct ours *o = user;
    (void)now;
    kept(o, state);
    o->calls.rto++;
    o->calls.first += first;
    o->flight = flight;
    cc->cwnd = MSS;
    cc->ssthresh = 4 * MSS;
}

static void on_recovered(void *user, struct pl_cc *cc, void *state, pl_time now)
{
    (void)cc, (void)state, (void)now;
    ((struct ours *)user)->calls.recovered++;
}

static void on_undo(void *user, struct pl_cc *cc, void *state, pl_time now)
{
    (void)state, (void)now;
    ((struct ours *)user)->calls.undo++;
    cc->cwnd = 7 * MSS;
}

static void on_restart(void *user, struct pl_cc *cc, void *state, pl_time now, pl_time idle, bool app_limited)
{
    struct ours *o = user;
    (void)cc, (void)now, (void)app_limited;
    kept(o, state);
    o->calls.restart++;
    o->idle = idle;
}

static void on_lost(void *user, struct pl_cc *cc, void *state, const struct pl_cc_lost *l)
{
    struct ours *o = user;
    (void)cc;
    kept(o, state);
    o->calls.lost++;
    o->lost = *l;
}

static const char *on_describe(void *user, const struct pl_cc *cc, const void *state)
{
    (void)user, (void)cc, (void)state;
    return "waiting";
}

static struct pl_cc_ops ops(uint32_t flags, uint32_t state_bytes)
{
    ours = (struct ours){.state_bytes = state_bytes ? state_bytes : PL_CC_STATE_BYTES, .state_was_kept = true};
    return (struct pl_cc_ops){.name = "ours", .flags = flags, .state_bytes = state_bytes, .user = &ours, .on_start = on_start, .on_ack = on_ack, .on_loss = on_loss,
                              .on_rto = on_rto, .on_recovered = on_recovered, .on_undo = on_undo, .on_restart = on_restart, .on_lost = on_lost, .on_describe = on_describe};
}

static struct pl_config roomy(void)
{
    struct pl_config c = duo_config();
    c.sndbuf_bytes = 65536;
    c.chunks_max = 400;
    c.cc_state_bytes = PL_CC_STATE_BYTES;
    c.loss_probe = false;
    return c;
}

/* A connection of 40 ms whose peer reports SACK; its algorithm is `algorithm`, the environment's own ones `own`. */
static void opened(struct played *p, void **state, const struct pl_config *config, const struct pl_cc_ops *own, uint32_t count, uint8_t algorithm)
{
    played_init(p, SIX(state), config);
    p->d.env[1].cc = own;
    p->d.env[1].cc_count = count;
    played_open(p, &(struct wire_tcp_opts){.have = WIRE_OPT_MSS | WIRE_OPT_SACK_PERMITTED, .mss = MSS}, 60000, 40 * PL_MS, NULL);
    assert_int_equal(pl_set(p->d.s[1], p->c, PL_OPT_CONGESTION, algorithm), PL_OK);
}

static void acks(struct played *p, uint32_t ack, uint32_t lo, uint32_t hi)
{
    struct forged f = played_segment(p, PL_ACK, 0, ack, 0);
    if (lo != hi)
        f.opts = (struct wire_tcp_opts){.have = WIRE_OPT_SACK, .nsack = 1, .sack = {{p->first + lo, p->first + hi}}};
    duo_give_segment(&p->d, 1, &f);
}

/* ------------------------------------------------------------------ choosing ------------------------------------------------------------------ */

static void what_there_is_not_is_refused(void **state)
{
    static const int64_t refused[] = {-1, PL_CC_USER + 1, 255, 256, INT64_MAX, INT64_MIN};
    struct pl_config config = roomy();
    struct pl_cc_ops own = ops(0, 0);
    struct played p;
    int64_t v;
    opened(&p, state, &config, &own, 1, PL_CC_USER);
    for (unsigned i = 0; i < COUNT_OF(refused); i++) {
        assert_int_equal(pl_set(p.d.s[1], p.c, PL_OPT_CONGESTION, refused[i]), PL_EINVAL);
        assert_int_equal(pl_set(p.d.s[1], p.listener, PL_OPT_CONGESTION, refused[i]), PL_EINVAL);
    }
    for (uint8_t a = PL_CC_NEWRENO; a <= PL_CC_USER; a++) {
        assert_int_equal(pl_set(p.d.s[1], p.c, PL_OPT_CONGESTION, a), PL_OK);
        assert_int_equal(pl_get(p.d.s[1], p.c, PL_OPT_CONGESTION, &v), PL_OK);
        assert_int_equal(v, a);
    }
    p.d.env[1].cc_count = 0;
    assert_int_equal(pl_set(p.d.s[1], p.c, PL_OPT_CONGESTION, PL_CC_USER), PL_EINVAL);
    played_free(&p);
}

/* config.cc_state_bytes: what does not fit cannot be chosen, nor be the config's. */
static void what_needs_more_state_than_there_is_is_refused(void **state)
{
    struct pl_config config = roomy();
    struct pl_cc_ops own[2] = {ops(0, 0), ops(0, 200)};
    static const struct { uint32_t bytes; bool cubic, bbr, large, small; } rows[] = {
        {48, false, false, false, false}, {192, true, false, false, false}, {200, true, false, false, true}, {440, true, true, false, true}, {448, true, true, true, true},
    };
    for (unsigned i = 0; i < COUNT_OF(rows); i++) {
        struct played p;
        config.cc_state_bytes = rows[i].bytes;
        config.congestion_control = PL_CC_CUBIC;
        assert_int_equal(pl_config_problem(&config) == NULL, rows[i].cubic);
        config.congestion_control = PL_CC_NEWRENO;
        assert_null(pl_config_problem(&config));
        opened(&p, state, &config, own, 2, PL_CC_NEWRENO);
        assert_int_equal(pl_set(p.d.s[1], p.c, PL_OPT_CONGESTION, PL_CC_NONE), PL_OK);
        assert_int_equal(pl_set(p.d.s[1], p.c, PL_OPT_CONGESTION, PL_CC_CUBIC), rows[i].cubic ? PL_OK : PL_EINVAL);
        assert_int_equal(pl_set(p.d.s[1], p.c, PL_OPT_CONGESTION, PL_CC_BBR), rows[i].bbr ? PL_OK : PL_EINVAL);
        assert_int_equal(pl_set(p.d.s[1], p.c, PL_OPT_CONGESTION, PL_CC_USER), rows[i].large ? PL_OK : PL_EINVAL);
        assert_int_equal(pl_set(p.d.s[1], p.c, PL_OPT_CONGESTION, PL_CC_USER + 1), rows[i].small ? PL_OK : PL_EINVAL);
        played_free(&p);
    }
}

static void each_has_a_name_and_a_word_for_what_it_does(void **state)
{
    static const char *const names[] = {"newreno", "cubic", "bbr", "none", "ours"};
    (void)state;
    struct pl_cc_ops own = ops(0, 0);
    struct pl_env env = {.cc = &own, .cc_count = 1};
    for (uint32_t a = 0; a < COUNT_OF(names); a++) {
        uint64_t memory[PL_CC_STATE_BYTES / 8] = {0};
        struct pl_cc cc;
        cc_init(&cc, MSS, false);
        struct cc_call k = {.env = &env, .cc = &cc, .state = memory, .algorithm = a};
        cc_start(k, 1, 0);
        assert_string_equal(cc_name(&env, a), names[a]);
        assert_true(cc_exists(&env, a, PL_CC_STATE_BYTES));
        const char *word = cc_describe(k);
        assert_true(word && *word);
        if (a == PL_CC_USER)
            assert_string_equal(word, "waiting");
    }
    own.on_describe = NULL;
    struct cc_call k = {.env = &env, .algorithm = PL_CC_USER};
    assert_string_equal(cc_describe(k), "");
    assert_string_equal(cc_name(&env, PL_CC_USER + 1), "newreno");
}

/* pl_env: "Where a connection's is missing, NewReno stands in": half of what was in flight, in place of CUBIC's 0.7 or the program's own. */
static void where_the_environment_lacks_it_newreno_stands_in(void **state)
{
    struct pl_config config = roomy();
    config.congestion_control = PL_CC_USER + 3;
    struct played p;
    struct pl_cc_ops own = ops(0, 0);
    played_init(&p, SIX(state), &config);
    played_open(&p, &(struct wire_tcp_opts){.have = WIRE_OPT_MSS, .mss = MSS}, 60000, 40 * PL_MS, NULL);
    played_sends(&p, 10 * MSS);
    assert_int_equal(played_drains(&p), 10);
    for (unsigned i = 0; i < 3; i++)
        played_gives(&p, PL_ACK, 0, 0, 0);
    assert_int_equal(played_status(&p).ssthresh_bytes, 5 * MSS);
    played_drains(&p);
    p.d.now += 40 * PL_MS;
    played_gives(&p, PL_ACK, 0, 10 * MSS, 0);
    assert_int_equal(played_status(&p).cwnd_bytes, 5 * MSS);
    /* it was there, and is gone with the old environment: what it left behind says nothing to NewReno */
    played_sends(&p, 5 * MSS);
    assert_int_equal(played_drains(&p), 5);
    p.d.env[1].cc = &own, p.d.env[1].cc_count = 1;
    assert_int_equal(pl_set(p.d.s[1], p.c, PL_OPT_CONGESTION, PL_CC_USER), PL_OK);
    assert_int_equal(ours.calls.start, 1);
    struct pl_env bare = {.trace = NULL};
    pl_stack *copy = block_copy(p.d.s[1], &bare);
    block_free(p.d.s[1]);
    p.d.s[1] = copy;
    for (uint32_t at = 10 * MSS; at < 15 * MSS; at += MSS) {         /* congestion avoidance: one MSS for a window */
        assert_int_equal(played_status(&p).cwnd_bytes, 5 * MSS);
        played_gives(&p, PL_ACK, 0, at + MSS, 0);
        played_sends(&p, 5 * MSS);
        played_drains(&p);
    }
    assert_int_equal(played_status(&p).cwnd_bytes, 6 * MSS);
    assert_int_equal(ours.calls.ack, 0);
    played_free(&p);
}

/* ------------------------------------------------------------------ hearing ------------------------------------------------------------------ */

static void it_hears_of_each_ack(void **state)
{
    struct pl_config config = roomy();
    struct pl_cc_ops own = ops(0, 0);
    struct played p;
    opened(&p, state, &config, &own, 1, PL_CC_USER);
    assert_int_equal(ours.calls.start, 0);               /* nothing was sent yet: there is no state */
    played_sends(&p, 30 * MSS);
    assert_int_equal(played_drains(&p), 10);
    assert_int_equal(ours.calls.start, 1);
    assert_true(ours.state_was_zero);
    assert_true(ours.start_srtt == 40 * PL_MS);
    assert_int_equal(ours.calls.restart, 0);
    p.d.now += 30 * PL_MS;
    ours.set_cwnd = 12 * MSS;
    acks(&p, 2 * MSS, 0, 0);
    assert_int_equal(ours.calls.ack, 1);
    assert_true(ours.ack.now == p.d.now && ours.ack.rtt == 30 * PL_MS && ours.ack.min_rtt == 30 * PL_MS && ours.ack.srtt == 40 * PL_MS - 10 * PL_MS / 8);
    assert_int_equal(ours.ack.acked, 2 * MSS);
    assert_int_equal(ours.ack.delivered, 2 * MSS);
    assert_int_equal(ours.ack.in_flight_before, 10 * MSS);
    assert_int_equal(ours.ack.in_flight, 8 * MSS);
    assert_int_equal(ours.ack.nxt - ours.ack.una, 8 * MSS);
    assert_int_equal(ours.ack.phase, PL_CC_OPEN);
    assert_true(ours.ack.limited && !ours.ack.no_sack && !ours.ack.paced && !ours.ack.after_rto && ours.ack.lost == 0);
    assert_int_equal(played_drains(&p), 4);              /* twelve may fly */
    ours.set_cwnd = 1;                    /* "the stack never lets it fall below one MSS" */
    acks(&p, 3 * MSS, 0, 0);
    assert_int_equal(played_status(&p).cwnd_bytes, MSS);
    assert_true(ours.state_was_kept);
    played_free(&p);
}

static void it_hears_of_a_loss_and_of_its_end(void **state)
{
    for (unsigned flags = 0; flags < 4; flags++) {
        struct pl_config config = roomy();
        struct pl_cc_ops own = ops(flags, 0);
        struct played p;
        struct forged s;
        opened(&p, state, &config, &own, 1, PL_CC_USER);
        played_sends(&p, 10 * MSS);
        assert_int_equal(played_drains(&p), 10);
        p.d.now += 40 * PL_MS;
        acks(&p, 0, 2 * MSS, 3 * MSS);
        assert_int_equal(ours.calls.loss, 0);
        assert_true(ours.calls.ack == 1 && ours.ack.acked == 0 && ours.ack.delivered == MSS);
        acks(&p, 0, 2 * MSS, 5 * MSS);    /* two are missing, three arrived behind them */
        assert_int_equal(ours.calls.loss, 1);
        assert_int_equal(ours.flight, 10 * MSS);
        assert_int_equal(ours.ack.lost, 2 * MSS);
        assert_int_equal(ours.ack.in_flight, 5 * MSS);
        assert_int_equal(ours.ack.phase, PL_CC_RECOVERY);
        assert_int_equal(ours.calls.lost, flags & PL_CC_WANTS_RATE ? 2 : 0);
        if (flags & PL_CC_WANTS_RATE) {
            assert_int_equal(ours.lost.bytes, MSS);
            assert_int_equal(ours.lost.seq, p.first + MSS);
            assert_int_equal(ours.lost.lost_total, 2 * MSS);
            assert_true(ours.ack.rate.valid && ours.ack.rate.interval == 40 * PL_MS);
            assert_int_equal(ours.ack.rate.delivered, 3 * MSS);
        }
        /* RFC 9937 leads the window, unless the algorithm wants to do that */
        if (flags & PL_CC_OWN_RECOVERY)
            assert_int_equal(played_status(&p).cwnd_bytes, 10 * MSS);
        else
            assert_true(played_status(&p).cwnd_bytes < 8 * MSS);
        assert_true(played_takes(&p, &s) && s.seq == 0);
        played_drains(&p);
        p.d.now += 40 * PL_MS;
        acks(&p, 10 * MSS, 0, 0);
        assert_int_equal(ours.calls.recovered, 1);
        assert_int_equal(ours.ack.phase, PL_CC_OPEN);
        assert_int_equal(played_status(&p).cwnd_bytes, flags & PL_CC_OWN_RECOVERY ? 10 * MSS : 4 * MSS);
        assert_true(ours.calls.undo == 0 && ours.state_was_kept);
        played_free(&p);
    }
}

static void it_hears_of_time_outs_and_that_they_were_a_mistake(void **state)
{
    struct pl_config config = roomy();
    struct pl_cc_ops own = ops(0, 0);
    struct played p;
    opened(&p, state, &config, &own, 1, PL_CC_USER);
    played_sends(&p, 6 * MSS);
    assert_int_equal(played_drains(&p), 6);
    played_sends(&p, 6 * MSS);
    assert_int_equal(played_drains(&p), 4);
    played_wait(&p, p.d.now + 300 * PL_MS);
    assert_int_equal(played_drains(&p), 1);
    assert_true(ours.calls.rto == 1 && ours.calls.first == 1 && ours.flight == 10 * MSS);
    played_wait(&p, p.d.now + 600 * PL_MS);
    assert_int_equal(played_drains(&p), 1);
    assert_true(ours.calls.rto == 2 && ours.calls.first == 1);       /* a back-off */
    acks(&p, MSS, 0, 0);
    assert_int_equal(ours.ack.phase, PL_CC_LOSS);
    assert_true(ours.ack.after_rto);
    assert_int_equal(played_drains(&p), 2);              /* F-RTO: something new */
    acks(&p, 2 * MSS, 0, 0);              /* what was not repeated arrives: the timer was too early */
    assert_int_equal(ours.calls.undo, 1);
    assert_int_equal(ours.ack.phase, PL_CC_OPEN);
    played_free(&p);
}

static void it_hears_that_something_is_sent_after_a_pause(void **state)
{
    struct pl_config config = roomy();
    struct pl_cc_ops own = ops(PL_CC_OWN_RECOVERY, 16);
    struct played p;
    opened(&p, state, &config, &own, 1, PL_CC_USER);
    played_sends(&p, 2 * MSS);
    played_drains(&p);
    acks(&p, 2 * MSS, 0, 0);
    played_wait(&p, p.d.now + 5 * PL_S);
    played_sends(&p, MSS);
    played_drains(&p);
    assert_int_equal(ours.calls.start, 1);
    assert_int_equal(ours.calls.restart, 1);
    assert_true(ours.idle == 5 * PL_S);
    assert_true(ours.state_was_kept);
    played_free(&p);
}

/* "it is lost when a connection that has been idle must give it up for want of memory, and on_start comes again" */
static void what_it_knew_may_be_forgotten_while_the_connection_is_idle(void **state)
{
    struct pl_config config = roomy();
    config.flights_max = 1;
    struct pl_cc_ops own = ops(0, 0);
    struct played p;
    opened(&p, state, &config, &own, 1, PL_CC_USER);
    played_sends(&p, 10 * MSS);
    played_drains(&p);
    ours.set_cwnd = 15 * MSS;
    acks(&p, 10 * MSS, 0, 0);
    assert_int_equal(played_status(&p).cwnd_bytes, 15 * MSS);
    ours.set_cwnd = 0;
    pl_conn first = p.c;
    uint16_t port = p.peer_port;
    uint32_t begin = p.first;
    p.peer_port++;
    played_open(&p, &(struct wire_tcp_opts){.have = WIRE_OPT_MSS, .mss = MSS}, 60000, 40 * PL_MS, NULL);
    played_sends(&p, MSS);                /* the only flight there is */
    assert_int_equal(played_drains(&p), 1);
    played_gives(&p, PL_ACK, 0, MSS, 0);
    p.c = first, p.peer_port = port, p.first = begin;
    played_sends(&p, 20 * MSS);
    assert_int_equal(played_drains(&p), 10);             /* no more than an initial window: what measured cwnd is forgotten */
    assert_int_equal(ours.calls.start, 2);
    assert_true(ours.state_was_zero);
    played_free(&p);
}

/* PL_OPT_CONGESTION: "at any time; the window stays, the rest begins anew" */
static void it_can_be_changed_on_a_connection_that_is_at_work(void **state)
{
    struct pl_config config = roomy();
    struct pl_cc_ops own = ops(0, 0);
    struct played p;
    opened(&p, state, &config, &own, 1, PL_CC_NEWRENO);
    played_sends(&p, 30 * MSS);
    assert_int_equal(played_drains(&p), 10);
    p.d.now += 40 * PL_MS;
    acks(&p, 5 * MSS, 0, 0);
    uint32_t cwnd = played_status(&p).cwnd_bytes;
    assert_int_equal(cwnd, 15 * MSS);
    assert_int_equal(pl_set(p.d.s[1], p.c, PL_OPT_CONGESTION, PL_CC_USER), PL_OK);
    assert_int_equal(ours.calls.start, 1);
    assert_true(ours.state_was_zero && ours.start_srtt == 40 * PL_MS);
    assert_int_equal(played_status(&p).cwnd_bytes, cwnd);
    assert_int_equal(pl_set(p.d.s[1], p.c, PL_OPT_CONGESTION, PL_CC_USER), PL_OK);
    assert_int_equal(ours.calls.start, 1);               /* it was that one */
    acks(&p, 6 * MSS, 0, 0);
    assert_int_equal(ours.calls.ack, 1);
    assert_int_equal(pl_set(p.d.s[1], p.c, PL_OPT_CONGESTION, PL_CC_CUBIC), PL_OK);
    acks(&p, 7 * MSS, 0, 0);
    assert_int_equal(ours.calls.ack, 1);
    for (uint32_t at = 8 * MSS; played_status(&p).sndbuf_used; at += MSS) {
        played_drains(&p);
        acks(&p, at, 0, 0);
    }
    assert_int_equal(pl_set(p.d.s[1], p.c, PL_OPT_CONGESTION, PL_CC_USER), PL_OK);
    assert_int_equal(ours.calls.start, 1);               /* nothing is outstanding: with the next that is */
    played_sends(&p, MSS);
    played_drains(&p);
    assert_int_equal(ours.calls.start, 2);
    played_free(&p);
}

/* In the middle of a repair, too: what was lost is repeated all the same, and the old algorithm's answer to it is never taken back. */
static void it_can_be_changed_while_a_loss_is_repaired(void **state)
{
    for (uint8_t to = PL_CC_NEWRENO; to <= PL_CC_USER; to++) {
        struct pl_config config = roomy();
        struct pl_cc_ops own = ops(0, 0);
        struct played p;
        struct forged s;
        opened(&p, state, &config, &own, 1, to == PL_CC_CUBIC ? PL_CC_NEWRENO : PL_CC_CUBIC);
        played_sends(&p, 10 * MSS);
        played_drains(&p);
        p.d.now += 40 * PL_MS;
        acks(&p, 0, MSS, 10 * MSS);
        assert_true(played_takes(&p, &s) && s.seq == 0);
        assert_int_equal(pl_set(p.d.s[1], p.c, PL_OPT_CONGESTION, to), PL_OK);
        p.d.now += 40 * PL_MS;
        struct forged f = played_segment(&p, PL_ACK, 0, 10 * MSS, 0);        /* the first came twice */
        f.opts = (struct wire_tcp_opts){.have = WIRE_OPT_SACK, .nsack = 1, .sack = {{p.first, p.first + MSS}}};
        duo_give_segment(&p.d, 1, &f);
        assert_int_equal(ours.calls.undo, 0);
        played_sends(&p, 3 * MSS);
        assert_true(played_drains(&p) > 0);
        acks(&p, 13 * MSS, 0, 0);
        assert_int_equal(played_status(&p).in_flight_bytes, 0);
        played_free(&p);
    }
}

/* "A function that is NULL is not called." */
static void functions_that_it_does_not_have_are_not_called(void **state)
{
    struct pl_config config = roomy();
    struct pl_cc_ops own = {.name = "idle"};
    struct played p;
    opened(&p, state, &config, &own, 1, PL_CC_USER);
    played_sends(&p, 10 * MSS);
    assert_int_equal(played_drains(&p), 10);
    acks(&p, MSS, 0, 0);
    acks(&p, MSS, 2 * MSS, 5 * MSS);
    played_drains(&p);
    played_wait(&p, p.d.now + 2 * PL_S);
    played_drains(&p);
    acks(&p, 10 * MSS, 0, 0);
    played_wait(&p, p.d.now + 2 * PL_S);
    played_sends(&p, MSS);
    assert_int_equal(played_drains(&p), 1);
    played_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(what_there_is_not_is_refused),
        BOTH(what_needs_more_state_than_there_is_is_refused),
        cmocka_unit_test(each_has_a_name_and_a_word_for_what_it_does),
        BOTH(where_the_environment_lacks_it_newreno_stands_in),
        BOTH(it_hears_of_each_ack),
        BOTH(it_hears_of_a_loss_and_of_its_end),
        BOTH(it_hears_of_time_outs_and_that_they_were_a_mistake),
        BOTH(it_hears_that_something_is_sent_after_a_pause),
        BOTH(what_it_knew_may_be_forgotten_while_the_connection_is_idle),
        BOTH(it_can_be_changed_on_a_connection_that_is_at_work),
        BOTH(it_can_be_changed_while_a_loss_is_repaired),
        BOTH(functions_that_it_does_not_have_are_not_called),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
