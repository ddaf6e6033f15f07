/* SPDX-License-Identifier: MIT
 *
 * m07_simultaneous.c: mission M7: both sides open at once (RFC 9293 3.5 figure 7, MUST-10), and both sides close at once (3.6 figure 13).
 */
#include "mission/mission.h"

/* Both hosts connect at time 0: the client from its port 1000, the server from its port 2000. */
static void open_both(struct pair *p, void **state, struct program_plan client, struct program_plan server, struct program_conn *conn[2])
{
    mission_start_isn(p, state, 100, 300, NULL, NULL);
    conn[1] = pair_connect_from(p, PAIR_SERVER, 2000, 1000, server);
    conn[0] = pair_connect_from(p, PAIR_CLIENT, 1000, 2000, client);
    assert_non_null(conn[0]);
    assert_non_null(conn[1]);
    assert_int_equal(p->port, 1000);
}

/* MUST-10 */
static void figure_7_two_syns_cross_and_one_connection_stands(void **state)
{
    struct pair p;
    struct program_conn *conn[2];
    open_both(&p, state, plan_hold(), plan_hold(), conn);
    RUN(&p);
    EXPECT(&p, "C> SYN     seq=100 ack=0   len=0 at=0ms  arrives=10ms why=SYN_CONNECT\n"
               "S> SYN     seq=300 ack=0   len=0 at=0ms  arrives=10ms why=SYN_CONNECT\n"
               "S> SYN,ACK seq=300 ack=101 len=0 at=10ms arrives=20ms why=SYN_ACK_CROSSED\n"
               "C> SYN,ACK seq=100 ack=301 len=0 at=10ms arrives=20ms why=SYN_ACK_CROSSED\n");
    for (unsigned side = 0; side < 2; side++) {
        mission_assert_states(&p, (enum pair_side)side, "CLOSED SYN-SENT SYN-RECEIVED ESTABLISHED");
        assert_int_equal(mission_status(conn[side]).state, PL_ESTABLISHED);
        assert_true(conn[side]->connected);
        assert_int_equal(conn[side]->error, 0);
        assert_int_equal(p.program[side]->conns, 1);
    }
    pair_free(&p);
}

static void it_carries_data_both_ways_with_the_options_of_both_syns(void **state)
{
    struct program_plan a = plan_source(30000, 1), b = plan_source(40000, 2);
    struct pair p;
    struct program_conn *conn[2];
    a.verify = b.verify = a.keep_handle = b.keep_handle = true;
    a.expect_salt = 2;
    b.expect_salt = 1;
    open_both(&p, state, a, b, conn);
    RUN_FOR(&p, 20 * PL_MS);
    for (unsigned side = 0; side < 2; side++) {
        struct pl_tcp_status s = mission_status(conn[side]);
        assert_true(s.timestamps && s.sack && s.window_scaling);
    }
    RUN(&p);
    assert_true(pair_received(conn[0], 40000));
    assert_true(pair_received(conn[1], 30000));
    assert_true(pair_count_events(&p, PAIR_CLIENT, PL_TRACE_OUT, PL_WHY_DATA_REPEAT_RTO) == 0);
    pair_free(&p);
}

static void one_syn_lost_its_repeat_completes_it(void **state)
{
    struct pair p;
    struct program_conn *conn[2];
    open_both(&p, state, plan_hold(), plan_hold(), conn);
    impair_drop_nth(pair_impair(&p, PAIR_CLIENT), 1);
    RUN(&p);
    EXPECT(&p, "C> SYN     seq=100 ack=0   at=0ms lost\n"
               "S> SYN     seq=300 ack=0   at=0ms  states=SYN-RECEIVED,SYN-SENT\n"
               "C> SYN,ACK seq=100 ack=301 at=10ms states=SYN-RECEIVED,ESTABLISHED\n"
               "S> ACK     seq=301 ack=101 at=20ms states=ESTABLISHED,ESTABLISHED\n");
    assert_true(conn[0]->connected && conn[1]->connected);
    pair_free(&p);
}

static void both_syn_acks_lost_they_are_repeated(void **state)
{
    struct pair p;
    struct program_conn *conn[2];
    open_both(&p, state, plan_hold(), plan_hold(), conn);
    impair_drop_nth(pair_impair(&p, PAIR_CLIENT), 2);
    impair_drop_nth(pair_impair(&p, PAIR_SERVER), 2);
    RUN(&p);
    EXPECT(&p, "C> SYN     seq=100 ack=0   at=0ms\n"
               "S> SYN     seq=300 ack=0   at=0ms\n"
               "S> SYN,ACK seq=300 ack=101 at=10ms lost\n"
               "C> SYN,ACK seq=100 ack=301 at=10ms lost\n"
               "C> SYN,ACK seq=100 ack=301 at=1s\n"
               "S> SYN,ACK seq=300 ack=101 at=1s\n");
    assert_int_equal(mission_status(conn[0]).state, PL_ESTABLISHED);
    assert_int_equal(mission_status(conn[1]).state, PL_ESTABLISHED);
    pair_free(&p);
}

/* MUST-11 */
static void a_reset_of_the_crossed_syn_is_a_refusal(void **state)
{
    struct pair p;
    struct program_plan keep = plan_hold();
    keep.keep_handle = true;
    mission_start_isn(&p, state, 100, 300, NULL, NULL);
    impair_drop_nth(pair_impair(&p, PAIR_CLIENT), 1);
    impair_drop_nth(pair_impair(&p, PAIR_CLIENT), 2);
    struct program_conn *c = pair_connect_from(&p, PAIR_CLIENT, 1000, 2000, keep);
    pair_forge(&p, PAIR_SERVER, &(struct pair_forged){1000, 2000, PL_SYN, 300, 0, 1000, NULL, 0}, 5 * PL_MS);
    pair_forge(&p, PAIR_SERVER, &(struct pair_forged){1000, 2000, PL_RST | PL_ACK, 301, 101, 0, NULL, 0}, 7 * PL_MS);
    RUN(&p);
    mission_assert_states(&p, PAIR_CLIENT, "CLOSED SYN-SENT SYN-RECEIVED CLOSED");
    assert_int_equal(c->error, PL_ECONNREFUSED);
    pair_free(&p);
}

static void figure_13_two_fins_cross_and_both_sides_wait(void **state)
{
    struct pair p;
    mission_start_isn(&p, state, 99, 299, NULL, NULL);
    struct program_conn *s, *c = mission_establish(&p, &s);
    assert_int_equal(program_finish(c), 0);
    assert_int_equal(program_finish(s), 0);
    pl_time t = p.sim->now;
    RUN(&p);
    EXPECT(&p, "C> FIN,ACK seq=100 ack=300 len=0 at=100ms arrives=110ms states=FIN-WAIT-1,CLOSING\n"
               "S> FIN,ACK seq=300 ack=100 len=0 at=100ms arrives=110ms states=CLOSING,FIN-WAIT-1\n"
               "S> ACK     seq=301 ack=101 len=0 at=110ms arrives=120ms states=TIME-WAIT,CLOSING\n"
               "C> ACK     seq=101 ack=301 len=0 at=110ms arrives=120ms states=CLOSING,TIME-WAIT\n");
    mission_assert_states(&p, PAIR_CLIENT, "CLOSED SYN-SENT ESTABLISHED FIN-WAIT-1 CLOSING TIME-WAIT CLOSED");
    mission_assert_states(&p, PAIR_SERVER, "LISTEN SYN-RECEIVED ESTABLISHED FIN-WAIT-1 CLOSING TIME-WAIT CLOSED");
    assert_true(p.sim->now == t + 20 * PL_MS + 60 * PL_S);
    assert_true(c->peer_finished && s->peer_finished);
    assert_int_equal(c->error, 0);
    assert_int_equal(s->error, 0);
    pair_free(&p);
}

static void crossed_fins_with_the_data_of_both_lose_none_of_it(void **state)
{
    struct pair p;
    mission_start(&p, state, NULL, NULL);
    struct program_conn *s, *c = mission_establish(&p, &s);
    c->plan.verify = s->plan.verify = true;
    c->plan.salt = s->plan.expect_salt = 3;
    s->plan.salt = c->plan.expect_salt = 4;
    assert_int_equal(program_send_pattern(c, 5000), 5000);
    assert_int_equal(program_send_pattern(s, 6000), 6000);
    assert_int_equal(program_finish(c), 0);
    assert_int_equal(program_finish(s), 0);
    RUN(&p);
    assert_true(pair_received(c, 6000));
    assert_true(pair_received(s, 5000));
    mission_assert_states(&p, PAIR_CLIENT, "CLOSED SYN-SENT ESTABLISHED FIN-WAIT-1 CLOSING TIME-WAIT CLOSED");
    mission_assert_states(&p, PAIR_SERVER, "LISTEN SYN-RECEIVED ESTABLISHED FIN-WAIT-1 CLOSING TIME-WAIT CLOSED");
    pair_free(&p);
}

static void crossed_fins_whose_acks_are_lost_are_repeated(void **state)
{
    struct pair p;
    mission_start(&p, state, NULL, NULL);
    struct program_conn *s, *c = mission_establish(&p, &s);
    impair_drop_nth(pair_impair(&p, PAIR_CLIENT), 2);                  /* counted from here: the FIN is the first */
    impair_drop_nth(pair_impair(&p, PAIR_SERVER), 2);
    assert_int_equal(program_finish(c), 0);
    assert_int_equal(program_finish(s), 0);
    RUN(&p);
    /* A loss probe, at the RTO of a connection with one sample of 20 ms, SRTT 20 + max(200, 4 * 10), because 2 SRTT + 200 would be later. */
    EXPECT(&p, "C> FIN,ACK seq=1 ack=1 at=100ms\n"
               "S> FIN,ACK seq=1 ack=1 at=100ms\n"
               "S> ACK     seq=2 ack=2 at=110ms lost\n"
               "C> ACK     seq=2 ack=2 at=110ms lost\n"
               "C> FIN,ACK seq=1 ack=2 at=320ms why=PROBE_LOSS\n"
               "S> FIN,ACK seq=1 ack=2 at=320ms why=PROBE_LOSS\n"
               "S> ACK     seq=2 ack=2 at=330ms states=TIME-WAIT,CLOSING\n"
               "C> ACK     seq=2 ack=2 at=330ms states=CLOSING,TIME-WAIT\n");
    mission_assert_states(&p, PAIR_CLIENT, "CLOSED SYN-SENT ESTABLISHED FIN-WAIT-1 CLOSING TIME-WAIT CLOSED");
    mission_assert_states(&p, PAIR_SERVER, "LISTEN SYN-RECEIVED ESTABLISHED FIN-WAIT-1 CLOSING TIME-WAIT CLOSED");
    pair_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(figure_7_two_syns_cross_and_one_connection_stands),
        BOTH(it_carries_data_both_ways_with_the_options_of_both_syns),
        BOTH(one_syn_lost_its_repeat_completes_it),
        BOTH(both_syn_acks_lost_they_are_repeated),
        BOTH(a_reset_of_the_crossed_syn_is_a_refusal),
        BOTH(figure_13_two_fins_cross_and_both_sides_wait),
        BOTH(crossed_fins_with_the_data_of_both_lose_none_of_it),
        BOTH(crossed_fins_whose_acks_are_lost_are_repeated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
