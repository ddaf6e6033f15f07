/* SPDX-License-Identifier: MIT
 *
 * m10_stays.c: mission M10: a connection once made stays until one side ends it, idle or not, or until a limit that was set ends it: the
 * user timeout, the bound on retransmissions, an orphan's bounds. RFC 9293 3.8.3, 3.10.8; docs/defaults.md.
 */
#include "mission/mission.h"

#define WEEK (7 * 24 * 3600 * PL_S)

static void an_idle_week_changes_nothing_and_costs_no_segment(void **state)
{
    struct pair p;
    mission_start(&p, state, NULL, NULL);
    struct program_conn *s, *c = mission_establish(&p, &s);
    RUN_FOR(&p, WEEK);
    EXPECT(&p, "");
    assert_int_equal(mission_status(c).state, PL_ESTABLISHED);
    assert_int_equal(mission_status(s).state, PL_ESTABLISHED);
    s->plan.verify = c->plan.verify = true;
    assert_int_equal(program_send_pattern(c, 5000), 5000);
    assert_int_equal(program_send_pattern(s, 5000), 5000);
    RUN(&p);
    assert_int_equal(s->received, 5000);
    assert_int_equal(c->received, 5000);
    assert_false(s->mismatch || c->mismatch);
    assert_int_equal(mission_status(c).retransmits, 0);
    pair_free(&p);
}

/* RFC 6298 5.2 */
static void an_idle_connection_asks_for_no_timer(void **state)
{
    struct pair p;
    mission_start(&p, state, NULL, NULL);
    struct program_conn *s, *c = mission_establish(&p, &s);
    RUN(&p);
    assert_true(pl_deadline(STACK(c)) == PL_NEVER);
    assert_true(pl_deadline(STACK(s)) == PL_NEVER);
    pair_free(&p);
}

static void a_network_that_fails_and_comes_back_in_idle_time_is_not_noticed(void **state)
{
    struct pair p;
    mission_start(&p, state, NULL, NULL);
    struct program_conn *s, *c = mission_establish(&p, &s);
    p.link->down = true;
    RUN_FOR(&p, WEEK);
    p.link->down = false;
    assert_int_equal(program_send_pattern(c, 100), 100);
    RUN(&p);
    assert_int_equal(s->received, 100);
    EXPECT(&p, "C> PSH,ACK seq=1 ack=1 len=100\n S> ACK ack=101\n");
    pair_free(&p);
}

static void half_closed_it_stays_too_while_the_program_holds_it(void **state)
{
    struct pair p;
    mission_start(&p, state, NULL, NULL);
    struct program_conn *s, *c = mission_establish(&p, &s);
    assert_int_equal(program_finish(c), 0);
    RUN_FOR(&p, WEEK);
    assert_int_equal(mission_status(c).state, PL_FIN_WAIT_2);
    assert_int_equal(mission_status(s).state, PL_CLOSE_WAIT);
    EXPECT(&p, "C> FIN,ACK\n S> ACK\n");
    pair_free(&p);
}

/* RTO 220 ms (one sample of 20 ms), doubling up to 120 s: the text, a loss probe in place of the first time-out, fifteen repetitions, then the sixteenth
 * time-out: 220 ms + 220 ms * (2^10 - 1) + 6 * 120 s.
 * MUST-19, 20b, SHLD-11, RFC 6298 5, 5.1, 5.4, 5.5, 5.6 */
static void data_without_answer_is_given_up_after_15_back_offs(void **state)
{
    struct pair p;
    mission_start(&p, state, NULL, NULL);
    struct program_conn *c = mission_establish(&p, NULL);
    p.link->down = true;
    assert_int_equal(program_send_pattern(c, 100), 100);
    pl_time start = p.sim->now;
    RUN(&p);
    EXPECT(&p, "C> PSH,ACK seq=1 len=100 at=100ms lost why=DATA_NEW\n"
               "C> PSH,ACK seq=1 len=100 at=320ms lost why=PROBE_LOSS\n"
               "C> PSH,ACK seq=1 len=100 at=540ms lost why=DATA_REPEAT_RTO\n"
               "C> PSH,ACK seq=1 len=100 at=980ms lost\n"
               "C> PSH,ACK seq=1 len=100 at=1860ms lost\n"
               "C> PSH,ACK seq=1 len=100 at=3620ms lost\n"
               "C> PSH,ACK seq=1 len=100 at=7140ms lost\n"
               "C> PSH,ACK seq=1 len=100 at=14180ms lost\n"
               "C> PSH,ACK seq=1 len=100 at=28260ms lost\n"
               "C> PSH,ACK seq=1 len=100 at=56420ms lost\n"
               "C> PSH,ACK seq=1 len=100 at=112740ms lost\n"
               "C> PSH,ACK seq=1 len=100 at=225380ms lost\n"
               "C> PSH,ACK seq=1 len=100 at=345380ms lost\n"
               "C> PSH,ACK seq=1 len=100 at=465380ms lost\n"
               "C> PSH,ACK seq=1 len=100 at=585380ms lost\n"
               "C> PSH,ACK seq=1 len=100 at=705380ms lost\n"
               "C> PSH,ACK seq=1 len=100 at=825380ms lost\n");
    assert_int_equal(c->error, PL_ETIMEDOUT);
    assert_true(c->over_at == start + 945280 * PL_MS);
    assert_true(c->seen_bits & PL_EV_ERROR);
    pair_free(&p);
}

/* MUST-21 */
static void the_user_timeout_ends_it_when_data_waits_that_long(void **state)
{
    struct pair p;
    mission_start(&p, state, NULL, NULL);
    struct program_conn *s, *c = mission_establish(&p, &s);
    assert_int_equal(pl_set(STACK(c), c->handle, PL_OPT_USER_TIMEOUT, (int64_t)(30 * PL_S)), 0);
    RUN_FOR(&p, WEEK);                                                 /* idle does not count: nothing waits */
    assert_int_equal(mission_status(c).state, PL_ESTABLISHED);
    pl_time start = p.sim->now;
    p.link->down = true;
    assert_int_equal(program_send_pattern(c, 100), 100);
    RUN_FOR(&p, 30 * PL_S - 1);
    assert_int_equal(c->error, 0);
    RUN_FOR(&p, 1);
    assert_int_equal(c->error, PL_ETIMEDOUT);
    assert_true(c->over_at == start + 30 * PL_S);
    assert_int_equal(pair_state(&p, PAIR_CLIENT), PL_CLOSED);
    RUN(&p);
    EXPECT(&p, "*\n C> RST seq=101 why=RST_TIMEOUT lost\n");
    assert_int_equal(mission_status(s).state, PL_ESTABLISHED);         /* it never heard */
    pair_free(&p);
}

static void progress_within_the_user_timeout_keeps_it_alive(void **state)
{
    struct pair p;
    mission_start(&p, state, NULL, NULL);
    struct program_conn *s, *c = mission_establish(&p, &s);
    assert_int_equal(pl_set(STACK(c), c->handle, PL_OPT_USER_TIMEOUT, (int64_t)(5 * PL_S)), 0);
    for (unsigned i = 0; i < 6; i++) {                                 /* 3 s of darkness each */
        p.link->down = true;
        assert_int_equal(program_send_pattern(c, 100), 100);
        RUN_FOR(&p, 3 * PL_S);
        p.link->down = false;
        RUN_FOR(&p, 1500 * PL_MS);
        assert_int_equal(s->received, 100 * (i + 1));
    }
    assert_int_equal(c->error, 0);
    pair_free(&p);
}

/* -------------------- orphans -------------------- */

static void an_orphan_in_fin_wait_2_is_released_after_60_s(void **state)
{
    struct pair p;
    mission_start(&p, state, NULL, NULL);
    struct program_conn *s, *c = mission_establish(&p, &s);
    assert_int_equal(program_close(c), 0);
    RUN_FOR(&p, 30 * PL_S);
    assert_int_equal(pair_state(&p, PAIR_CLIENT), PL_FIN_WAIT_2);
    RUN_FOR(&p, 31 * PL_S);
    mission_assert_clean(&p, PAIR_CLIENT);
    assert_int_equal(pair_count_events(&p, PAIR_CLIENT, PL_TRACE_TIMER, PL_WHY_TIMER_FIN_WAIT_2), 1);
    pair_free(&p);
}

static void an_orphan_without_answer_is_reset_after_8_back_offs(void **state)
{
    struct pair p;
    mission_start(&p, state, NULL, NULL);
    struct program_conn *c = mission_establish(&p, NULL);
    p.link->down = true;
    assert_int_equal(program_send_pattern(c, 100), 100);
    assert_int_equal(program_close(c), 0);
    /* 220 ms to the loss probe, then 220 ms * (2^9 - 1), together 112.64 s: sooner than 120 s without progress */
    RUN_FOR(&p, 112640 * PL_MS - 1);
    uint32_t n[PL_STATE_COUNT];
    pl_states(p.node[0]->stack, n);
    assert_int_equal(n[PL_FIN_WAIT_1], 1);
    RUN_FOR(&p, 1);
    mission_assert_clean(&p, PAIR_CLIENT);
    RUN(&p);
    EXPECT(&p, "*\n C> RST seq=102 why=RST_TIMEOUT lost\n");
    pair_free(&p);
}

static void an_orphan_before_a_closed_window_is_reset_after_120_s(void **state)
{
    struct pair p;
    mission_start(&p, state, NULL, NULL);
    struct program_conn *s, *c = mission_establish(&p, &s);
    s->plan.paused = true;
    uint8_t block[20000] = {0};
    while (pl_send(STACK(c), c->handle, block, sizeof block) > 0)
        RUN_FOR(&p, 100 * PL_MS);
    RUN_FOR(&p, 10 * PL_S);
    assert_int_equal(mission_status(c).snd.wnd, 0);
    assert_int_equal(program_close(c), 0);
    RUN_FOR(&p, 119 * PL_S);
    assert_int_equal(pair_state(&p, PAIR_CLIENT), PL_FIN_WAIT_1);
    RUN_FOR(&p, 2 * PL_S);
    mission_assert_clean(&p, PAIR_CLIENT);
    assert_int_equal(pair_count_events(&p, PAIR_CLIENT, PL_TRACE_TIMER, PL_WHY_TIMER_ORPHAN), 1);
    assert_int_equal(s->error, PL_ECONNRESET);
    pair_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(an_idle_week_changes_nothing_and_costs_no_segment),
        BOTH(an_idle_connection_asks_for_no_timer),
        BOTH(a_network_that_fails_and_comes_back_in_idle_time_is_not_noticed),
        BOTH(half_closed_it_stays_too_while_the_program_holds_it),
        BOTH(data_without_answer_is_given_up_after_15_back_offs),
        BOTH(the_user_timeout_ends_it_when_data_waits_that_long),
        BOTH(progress_within_the_user_timeout_keeps_it_alive),
        BOTH(an_orphan_in_fin_wait_2_is_released_after_60_s),
        BOTH(an_orphan_without_answer_is_reset_after_8_back_offs),
        BOTH(an_orphan_before_a_closed_window_is_reset_after_120_s),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
