/* SPDX-License-Identifier: MIT
 *
 * pl_counters and what the trace tells of a connection's life: each number moves when, and only when, its thing happens. What other tests name is not
 * here: drops and segments whose names are in their expectations.
 */
#include "support/played.h"

static unsigned told[PL_WHY_COUNT];       /* PL_TRACE_STATE, TIMER and DECISION events by reason */
static uint64_t frames_told;

static void listen_to(void *user, const struct pl_trace_event *e)
{
    (void)user;
    if (e->kind == PL_TRACE_IN || e->kind == PL_TRACE_OUT)
        frames_told++;
    else
        told[e->why]++;
}

static struct pl_counters counters(const struct played *p)
{
    struct pl_counters n;
    assert_int_equal(pl_counters(p->d.s[1], &n, sizeof n), PL_OK);
    return n;
}

static void make(struct played *p, void **state, const struct pl_config *config)
{
    memset(told, 0, sizeof told);
    frames_told = 0;
    played_init(p, SIX(state), config);
    p->d.env[1].trace = listen_to;
}

static void make_open(struct played *p, void **state, const struct pl_config *config)
{
    make(p, state, config);
    played_open_plain(p, 1000);
    (void)played_drains(p);
}

static void until_closed(struct played *p)
{
    for (unsigned i = 0; i < 2000 && played_status(p).state != PL_CLOSED; i++) {
        (void)played_drains(p);
        if (!played_next_deadline(p))
            break;
    }
    (void)played_drains(p);
}

/* Accepted, opened, failed, reset; MUST-12: an orderly end is no failure. */
static void connections_are_counted(void **state)
{
    struct played p;
    struct forged syn;
    make_open(&p, state, NULL);
    assert_int_equal(counters(&p).connections_accepted, 1);
    assert_int_equal(counters(&p).connections_opened, 0);
    assert_int_equal(pl_finish(p.d.s[1], p.c), PL_OK);
    (void)played_drains(&p);
    played_gives(&p, PL_FIN | PL_ACK, 0, 1, 0);
    played_wait(&p, p.d.now + 61 * PL_S);
    assert_int_equal(counters(&p).connections_failed, 0);
    assert_true(told[PL_WHY_CALL_FINISH] == 1 && told[PL_WHY_GOT_FIN] == 1 && told[PL_WHY_GOT_ACK_OF_FIN] == 1 && told[PL_WHY_TIMER_2MSL] == 1);
    for (unsigned answered = 0; answered < 2; answered++) {
        pl_conn c = duo_connect(&p.d, 1, SIX(state), 81);
        do
            assert_true(duo_take_segment(&p.d, 1, &syn));
        while (!(syn.flags & PL_SYN));
        struct forged reply = {.src = syn.dst, .dst = syn.src, .seq = 7000, .ack = syn.seq + 1, .wnd = 1000, .flags = answered ? PL_SYN | PL_ACK : PL_RST | PL_ACK};
        duo_give_segment(&p.d, 1, &reply);
        assert_int_equal(pl_error(p.d.s[1], c), answered ? PL_OK : PL_ECONNREFUSED);
        assert_int_equal(counters(&p).connections_opened, answered);
        assert_int_equal(counters(&p).connections_failed, 1);
        assert_int_equal(counters(&p).connections_reset, 0);
        struct forged rst = {.src = syn.dst, .dst = syn.src, .seq = 7001, .flags = PL_RST};
        if (answered)
            duo_give_segment(&p.d, 1, &rst);
        if (answered)
            assert_int_equal(pl_error(p.d.s[1], c), PL_ECONNRESET);
    }
    assert_int_equal(counters(&p).connections_failed, 2);
    assert_int_equal(counters(&p).connections_reset, 1);
    assert_int_equal(told[PL_WHY_GOT_RST], 2);
    assert_true(frames_told > 0);
    assert_int_equal(counters(&p).trace_events, frames_told);
    played_free(&p);
}

static void acknowledgements_by_their_reason(void **state)
{
    struct played p;
    make_open(&p, state, NULL);
    for (unsigned i = 0; i < 9; i++)
        played_gives(&p, PL_ACK | PL_PSH, i, 0, 1), (void)played_drains(&p);
    assert_int_equal(counters(&p).sent[PL_WHY_ACK_DELAYED], 0);
    played_gives(&p, PL_ACK, 9, 0, 1);
    played_wait(&p, p.d.now + 40 * PL_MS);
    (void)played_drains(&p);
    assert_int_equal(counters(&p).sent[PL_WHY_ACK_DELAYED], 1);
    played_gives(&p, PL_ACK, 20, 0, 10);
    (void)played_drains(&p);
    assert_int_equal(counters(&p).sent[PL_WHY_ACK_GAP_FILLED], 0);
    played_gives(&p, PL_ACK, 10, 0, 10);
    (void)played_drains(&p);
    assert_int_equal(counters(&p).sent[PL_WHY_ACK_GAP_FILLED], 1);
    played_free(&p);
}

/* RFC 9293 3.10.5; 3.6.1, SHLD-3 */
static void resets_by_their_reason(void **state)
{
    struct played p;
    make_open(&p, state, NULL);
    assert_int_equal(pl_abort(p.d.s[1], p.c), PL_OK);
    (void)played_drains(&p);
    assert_int_equal(counters(&p).sent[PL_WHY_RST_ABORT], 1);
    assert_int_equal(told[PL_WHY_CALL_ABORT], 1);
    p.peer_port++;
    played_open_plain(&p, 1000);
    assert_int_equal(pl_close(p.d.s[1], p.c), PL_OK);
    (void)played_drains(&p);
    played_gives(&p, PL_ACK, 0, 1, 5);
    (void)played_drains(&p);
    assert_int_equal(counters(&p).sent[PL_WHY_RST_DATA_AFTER_CLOSE], 1);
    assert_int_equal(counters(&p).drops[PL_DROP_TCP_DATA_AFTER_CLOSE], 1);
    played_free(&p);
}

/* The peer's SYN and the ACK that ends its handshake, of another port each time. */
static void knocks(struct played *p, const char *from)
{
    struct forged syn = played_segment(p, PL_SYN, (uint32_t)-1, 0, 0), r;
    syn.src.port = ++p->peer_port;
    if (from)
        syn.src = forge_endpoint(from, p->peer_port);
    duo_give_segment(&p->d, 1, &syn);
    if (!duo_take_segment(&p->d, 1, &r))
        return;
    struct forged ack = played_segment(p, PL_ACK, 0, 0, 0);
    ack.src = syn.src;
    ack.ack = r.seq + 1;
    duo_give_segment(&p->d, 1, &ack);
}

static void what_finds_no_room(void **state)
{
    struct pl_config config = duo_config();
    struct played p;
    make_open(&p, state, NULL);
    pl_close(p.d.s[1], p.listener);
    p.listener = duo_listen(&p.d, 1, PLAYED_PORT, 1);
    knocks(&p, NULL);
    assert_int_equal(counters(&p).drops[PL_DROP_TCP_ACCEPT_FULL], 0);
    knocks(&p, NULL);
    assert_int_equal(counters(&p).drops[PL_DROP_TCP_ACCEPT_FULL], 1);
    assert_int_equal(pl_close(p.d.s[1], p.listener), PL_OK);
    assert_true(told[PL_WHY_LISTENER_CLOSED] > 0);
    played_free(&p);

    config.connections_max = 1;
    make_open(&p, state, &config);
    knocks(&p, NULL);
    assert_int_equal(counters(&p).drops[PL_DROP_TCP_NO_SLOT], 1);
    knocks(&p, SIX(state) ? "2001:db8:ffff::1" : "198.51.100.1");
    assert_int_equal(counters(&p).drops[PL_DROP_NO_ROUTE], 1);
    assert_int_equal(pl_iface_remove(p.d.s[1], 0), PL_OK);
    assert_int_equal(told[PL_WHY_IFACE_GONE], 2);         /* the connection, and the half-open entry that found no slot */
    assert_int_equal(pl_error(p.d.s[1], p.c), PL_ENETDOWN);
    played_free(&p);
}

/* Each timer that can end a connection says which it was. */
static void each_time_out_is_told(void **state)
{
    struct pl_config config = duo_config();
    struct played p;
    make_open(&p, state, NULL);           /* all repeats used up */
    played_sends(&p, 10);
    until_closed(&p);
    assert_int_equal(told[PL_WHY_TIMER_RETRIES], 2);      /* that it came to that, and the state that follows */
    played_free(&p);

    make_open(&p, state, NULL);
    assert_int_equal(pl_set(p.d.s[1], p.c, PL_OPT_USER_TIMEOUT, (int64_t)(5 * PL_S)), PL_OK);
    played_sends(&p, 10);
    until_closed(&p);
    assert_true(told[PL_WHY_TIMER_USER] == 2 && told[PL_WHY_TIMER_RETRIES] == 0 && told[PL_WHY_TIMER_RTO] > 0);
    played_free(&p);

    make_open(&p, state, NULL);
    p.wnd = 0;
    played_gives(&p, PL_ACK, 0, 0, 0);
    played_sends(&p, 10);
    until_closed(&p);
    assert_true(told[PL_WHY_TIMER_PERSIST] > 10 && told[PL_WHY_TIMER_RETRIES] == 2);
    played_free(&p);

    make_open(&p, state, NULL);
    assert_int_equal(pl_set(p.d.s[1], p.c, PL_OPT_KEEPALIVE, 1), PL_OK);
    until_closed(&p);
    assert_int_equal(told[PL_WHY_TIMER_KEEPALIVE], 11);   /* nine probes, and the end, twice */
    played_free(&p);

    config.orphan_lifetime = 1 * PL_S;
    make_open(&p, state, &config);
    played_sends(&p, 10);
    assert_int_equal(pl_close(p.d.s[1], p.c), PL_OK);
    played_wait(&p, p.d.now);
    for (unsigned i = 0; i < 20; i++) {
        (void)played_drains(&p);
        (void)played_next_deadline(&p);
    }
    assert_int_equal(told[PL_WHY_TIMER_ORPHAN_LIFETIME], 2);
    played_free(&p);
}

static void each_decision_is_told(void **state)
{
    struct pl_config config = duo_config();
    struct played p;
    struct forged s;
    uint8_t frame[DUO_FRAME_BYTES];
    config.user_timeout_option = true;
    make_open(&p, state, &config);
    played_sends(&p, 4000);
    (void)played_drains(&p);
    for (unsigned i = 0; i < 3; i++)
        played_gives(&p, PL_ACK, 0, 0, 0);
    assert_true(told[PL_WHY_CWND_FAST] == 1 && told[PL_WHY_CWND_EXIT] == 0);
    (void)played_drains(&p);
    played_gives(&p, PL_ACK, 0, 4000, 0);
    assert_int_equal(told[PL_WHY_CWND_EXIT], 1);
    played_sends(&p, 10);
    (void)played_drains(&p);
    assert_true(played_next_deadline(&p));
    assert_int_equal(told[PL_WHY_CWND_RTO], 1);
    s = played_segment(&p, PL_ACK, 0, 4000, 0);
    s.opts = (struct wire_tcp_opts){.have = WIRE_OPT_USER_TIMEOUT, .user_timeout = 900};
    duo_give_segment(&p.d, 1, &s);
    assert_int_equal(told[PL_WHY_USER_TIMEOUT_ADOPTED], 1);
    size_t n = duo_take(&p.d, 1, frame);
    if (SIX(state))
        played_icmp(&p, 2, 0, 1300, frame, n);
    else
        played_icmp(&p, 3, 4, 1300, frame, n);
    assert_int_equal(told[PL_WHY_MTU_LOWERED], 1);
    played_free(&p);
}

static void an_attempt_that_ends_early_is_told(void **state)
{
    struct played p;
    struct forged syn;
    uint8_t frame[DUO_FRAME_BYTES];
    make(&p, state, NULL);
    p.c = duo_connect(&p.d, 1, SIX(state), 81);
    size_t n = duo_take(&p.d, 1, frame);
    if (SIX(state))
        played_icmp(&p, 1, 4, 0, frame, n);
    else
        played_icmp(&p, 3, 3, 0, frame, n);
    assert_int_equal(told[PL_WHY_GOT_ICMP], 1);
    assert_int_equal(pl_error(p.d.s[1], p.c), PL_ECONNREFUSED);
    p.c = duo_connect(&p.d, 1, SIX(state), 82);
    assert_true(duo_take_segment(&p.d, 1, &syn));
    struct forged crossed = {.src = syn.dst, .dst = syn.src, .seq = 7000, .wnd = 20000, .flags = PL_SYN};
    duo_give_segment(&p.d, 1, &crossed);
    assert_int_equal(told[PL_WHY_GOT_SYN_CROSSED], 1);
    played_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(connections_are_counted),
        BOTH(acknowledgements_by_their_reason),
        BOTH(resets_by_their_reason),
        BOTH(what_finds_no_room),
        BOTH(each_time_out_is_told),
        BOTH(each_decision_is_told),
        BOTH(an_attempt_that_ends_early_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
