/* SPDX-License-Identifier: MIT
 *
 * m08_four_way_close.c: mission M8: the four-way close, RFC 9293 3.6 figure 12: either side may begin, each direction ends on its own, the
 * side that closed first waits 2 MSL, and nothing that was sent before a FIN is lost.
 */
#include "mission/mission.h"

/* Figure 12, begun by `first`. */
static void close_begun_by(void **state, enum pair_side first, const char *lines)
{
    struct pair p;
    struct program_conn *conn[2];
    char byte;
    mission_start_isn(&p, state, 99, 299, NULL, NULL);
    conn[0] = mission_establish(&p, &conn[1]);
    struct program_conn *a = conn[first], *b = conn[!first];
    pl_time start = p.sim->now;
    assert_int_equal(program_finish(a), 0);
    RUN_FOR(&p, 10 * PL_MS);
    assert_int_equal(mission_status(b).state, PL_CLOSE_WAIT);
    assert_true(b->peer_finished && b->seen_bits & PL_EV_PEER_FINISHED);       /* its program is told */
    assert_int_equal(pl_recv(STACK(b), b->handle, &byte, 1), 0);
    RUN_FOR(&p, 10 * PL_MS);
    assert_int_equal(mission_status(a).state, PL_FIN_WAIT_2);
    assert_false(a->peer_finished);
    assert_int_equal(pl_recv(STACK(a), a->handle, &byte, 1), PL_EAGAIN);
    RUN_FOR(&p, 180 * PL_MS);
    assert_int_equal(program_finish(b), 0);
    assert_int_equal(mission_status(b).state, PL_LAST_ACK);
    RUN(&p);
    EXPECT(&p, lines);
    mission_assert_states(&p, first, first == PAIR_CLIENT ? "CLOSED SYN-SENT ESTABLISHED FIN-WAIT-1 FIN-WAIT-2 TIME-WAIT CLOSED"
                                                          : "LISTEN SYN-RECEIVED ESTABLISHED FIN-WAIT-1 FIN-WAIT-2 TIME-WAIT CLOSED");
    mission_assert_states(&p, !first, first == PAIR_CLIENT ? "LISTEN SYN-RECEIVED ESTABLISHED CLOSE-WAIT LAST-ACK CLOSED"
                                                           : "CLOSED SYN-SENT ESTABLISHED CLOSE-WAIT LAST-ACK CLOSED");
    /* the passive side is CLOSED on the last ACK, the active side 2 MSL after it sent it */
    assert_true(b->over_at == start + 220 * PL_MS);
    assert_true(p.sim->now == start + 210 * PL_MS + 60 * PL_S);
    assert_int_equal(a->error, 0);
    assert_int_equal(b->error, 0);
    pair_free(&p);
}

static void four_messages_begun_by_the_client(void **state)
{
    close_begun_by(state, PAIR_CLIENT,
        "C> FIN,ACK seq=100 ack=300 len=0 at=100ms states=FIN-WAIT-1,CLOSE-WAIT why=FIN_CLOSE\n"
        "S> ACK     seq=300 ack=101 len=0 at=110ms states=FIN-WAIT-2,CLOSE-WAIT why=ACK_FIN\n"
        "S> FIN,ACK seq=300 ack=101 len=0 at=300ms states=TIME-WAIT,LAST-ACK    why=FIN_CLOSE\n"
        "C> ACK     seq=101 ack=301 len=0 at=310ms states=TIME-WAIT,CLOSED      why=ACK_FIN\n");
}

static void four_messages_begun_by_the_server(void **state)
{
    close_begun_by(state, PAIR_SERVER,
        "S> FIN,ACK seq=300 ack=100 len=0 at=100ms states=CLOSE-WAIT,FIN-WAIT-1 why=FIN_CLOSE\n"
        "C> ACK     seq=100 ack=301 len=0 at=110ms states=CLOSE-WAIT,FIN-WAIT-2 why=ACK_FIN\n"
        "C> FIN,ACK seq=100 ack=301 len=0 at=300ms states=LAST-ACK,TIME-WAIT    why=FIN_CLOSE\n"
        "S> ACK     seq=301 ack=101 len=0 at=310ms states=CLOSED,TIME-WAIT      why=ACK_FIN\n");
}

static void ack_and_fin_travel_together_when_nothing_is_left_to_send(void **state)
{
    struct pair p;
    mission_start_isn(&p, state, 99, 299, NULL, NULL);
    struct program_conn *s, *c = mission_establish(&p, &s);
    s->plan.hold = false;
    s->plan.finish_last = true;                                        /* finishes as soon as it hears of the end */
    assert_int_equal(program_finish(c), 0);
    RUN(&p);
    EXPECT(&p, "C> FIN,ACK seq=100 ack=300 len=0 at=100ms states=FIN-WAIT-1,CLOSE-WAIT\n"
               "S> FIN,ACK seq=300 ack=101 len=0 at=110ms states=TIME-WAIT,LAST-ACK\n"
               "C> ACK     seq=101 ack=301 len=0 at=120ms states=TIME-WAIT,CLOSED\n");
    mission_assert_states(&p, PAIR_CLIENT, "CLOSED SYN-SENT ESTABLISHED FIN-WAIT-1 FIN-WAIT-2 TIME-WAIT CLOSED");
    pair_free(&p);
}

static void after_its_fin_a_side_still_receives_whatever_the_other_sends(void **state)
{
    struct pair p;
    mission_start(&p, state, NULL, NULL);
    struct program_conn *s, *c = mission_establish(&p, &s);
    c->plan.verify = true;
    s->plan.salt = c->plan.expect_salt = 9;
    assert_int_equal(program_finish(c), 0);
    RUN_FOR(&p, 50 * PL_MS);
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(program_send_pattern(s, 1000), 1000);
        RUN_FOR(&p, 3600 * PL_S);                                      /* a half-closed connection stays, too */
        assert_int_equal(c->received, 1000 * (i + 1));
        assert_int_equal(mission_status(c).state, PL_FIN_WAIT_2);
        assert_int_equal(mission_status(s).state, PL_CLOSE_WAIT);
    }
    s->plan.send_bytes = s->sent + 200000;
    s->plan.hold = false;
    program_pump(s);
    RUN(&p);
    assert_true(pair_received(c, 205000));
    EXPECT(&p, "C> FIN,ACK seq=1 ack=1 len=0\n"
               "S> ACK     seq=1 ack=2 len=0\n"
               "S> PSH,ACK seq=1 ack=2 len=1000\n"
               "C> ACK     seq=2 ack=1001 len=0\n"
               "*\n"
               "C> ACK     seq=2 ack=205002 len=0 states=TIME-WAIT,CLOSED\n");
    pair_free(&p);
}

static void the_fin_follows_everything_that_was_queued_before(void **state)
{
    struct pair p;
    mission_start(&p, state, NULL, NULL);
    struct program_conn *s, *c = mission_establish(&p, &s);
    s->plan.verify = true;
    c->plan.salt = s->plan.expect_salt = 9;
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(program_send_pattern(c, 60000), 60000);
    assert_int_equal(program_finish(c), 0);
    assert_int_equal(pl_send(STACK(c), c->handle, "x", 1), PL_EPIPE);  /* write after shutdown */
    assert_int_equal(program_finish(c), PL_ECLOSING);
    RUN(&p);
    assert_true(pair_received(s, 300000));
    size_t fins = 0;
    for (size_t i = 0; i < p.segments; i++)
        if (p.segment[i].from == PAIR_CLIENT && p.segment[i].flags & PL_FIN) {
            fins++;
            assert_int_equal(p.segment[i].seq + p.segment[i].len, 300001);
        }
    assert_int_equal(fins, 1);
    assert_int_equal(mission_status(c).state, PL_FIN_WAIT_2);
    pair_free(&p);
}

/* MUST-12 */
static void everything_received_is_read_before_the_end_is_told(void **state)
{
    struct pair p;
    char buffer[64];
    mission_start(&p, state, NULL, NULL);
    struct program_conn *s, *c = mission_establish(&p, &s);
    s->plan.paused = true;
    assert_int_equal(program_send_pattern(c, 100), 100);
    assert_int_equal(program_finish(c), 0);
    RUN(&p);
    assert_int_equal(mission_status(s).state, PL_CLOSE_WAIT);
    assert_int_equal(pl_recv(STACK(s), s->handle, buffer, sizeof buffer), 64);
    assert_int_equal(pl_recv(STACK(s), s->handle, buffer, sizeof buffer), 36);
    assert_int_equal(pl_recv(STACK(s), s->handle, buffer, sizeof buffer), 0);
    assert_int_equal(pl_recv(STACK(s), s->handle, buffer, sizeof buffer), 0);
    pair_free(&p);
}

static void a_lost_fin_of_the_active_side_is_repeated(void **state)
{
    struct pair p;
    mission_start(&p, state, NULL, NULL);
    struct program_conn *s, *c = mission_establish(&p, &s);
    s->plan.hold = false;
    s->plan.finish_last = true;
    assert_non_null(impair_add(pair_impair(&p, PAIR_CLIENT), &(struct impair_rule){.kind = IMPAIR_DROP, .nth = 1, .count = 2}));
    assert_int_equal(program_finish(c), 0);
    RUN(&p);
    EXPECT(&p, "C> FIN,ACK seq=1 ack=1 at=100ms lost\n"
               "C> FIN,ACK seq=1 ack=1 at=320ms lost why=PROBE_LOSS\n"
               "C> FIN,ACK seq=1 ack=1 at=540ms why=FIN_REPEAT\n"
               "S> FIN,ACK seq=1 ack=2 at=550ms\n"
               "C> ACK     seq=2 ack=2 at=560ms states=TIME-WAIT,CLOSED\n");
    pair_free(&p);
}

static void a_lost_ack_of_the_first_fin_is_sent_again_when_the_fin_is_repeated(void **state)
{
    struct pair p;
    mission_start(&p, state, NULL, NULL);
    struct program_conn *s, *c = mission_establish(&p, &s);
    impair_drop_nth(pair_impair(&p, PAIR_SERVER), 1);
    assert_int_equal(program_finish(c), 0);
    RUN(&p);
    EXPECT(&p, "C> FIN,ACK seq=1 ack=1 at=100ms states=FIN-WAIT-1,CLOSE-WAIT\n"
               "S> ACK     seq=1 ack=2 at=110ms lost\n"
               "C> FIN,ACK seq=1 ack=1 at=320ms why=PROBE_LOSS\n"
               "S> ACK     seq=1 ack=2 at=330ms states=FIN-WAIT-2,CLOSE-WAIT\n");
    assert_int_equal(mission_status(s).state, PL_CLOSE_WAIT);
    pair_free(&p);
}

static void a_lost_fin_of_the_passive_side_is_repeated(void **state)
{
    struct pair p;
    mission_start(&p, state, NULL, NULL);
    struct program_conn *s, *c = mission_establish(&p, &s);
    assert_int_equal(program_finish(c), 0);
    RUN(&p);
    EXPECT(&p, "C> FIN,ACK\n S> ACK\n");
    impair_drop_nth(pair_impair(&p, PAIR_SERVER), 1);
    pl_time t = p.sim->now;
    assert_int_equal(program_finish(s), 0);
    RUN(&p);
    EXPECT(&p, "S> FIN,ACK seq=1 ack=2 lost states=FIN-WAIT-2,LAST-ACK\n"
               "S> FIN,ACK seq=1 ack=2 why=PROBE_LOSS states=TIME-WAIT,LAST-ACK\n"
               "C> ACK     seq=2 ack=2 states=TIME-WAIT,CLOSED\n");
    assert_true(s->over_at == t + 220 * PL_MS + 20 * PL_MS);
    pair_free(&p);
}

static void fin_that_arrives_before_its_data_waits_for_it(void **state)
{
    struct pair p;
    mission_start(&p, state, NULL, NULL);
    struct program_conn *s, *c = mission_establish(&p, &s);
    s->plan.verify = true;
    c->plan.salt = s->plan.expect_salt = 9;
    impair_drop_nth(pair_impair(&p, PAIR_CLIENT), 1);
    assert_int_equal(program_send_pattern(c, 500), 500);
    RUN_FOR(&p, 1 * PL_MS);
    assert_int_equal(program_finish(c), 0);
    RUN_FOR(&p, 50 * PL_MS);
    assert_int_equal(mission_status(s).state, PL_ESTABLISHED);         /* the FIN is there, the data before it is not */
    assert_false(s->peer_finished);
    RUN(&p);
    assert_true(pair_received(s, 500));
    assert_int_equal(mission_status(s).state, PL_CLOSE_WAIT);
    EXPECT(&p, "C> PSH,ACK seq=1   ack=1   len=500 lost\n"
               "C> FIN,ACK seq=501 ack=1   len=0\n"
               "S> ACK     seq=1   ack=1   len=0   why=ACK_OUT_OF_ORDER at=111ms\n"
               "C> FIN,ACK seq=501 ack=1   len=0   why=PROBE_LOSS       at=320ms\n"
               "S> ACK     seq=1   ack=1   len=0   why=ACK_OUT_OF_ORDER at=330ms\n"
               "C> PSH,ACK seq=1   ack=1   len=500 why=DATA_REPEAT_RTO  at=540ms\n"
               "C> FIN,ACK seq=501 ack=1   len=0   why=FIN_REPEAT       at=540ms\n"
               "S> ACK     seq=1   ack=502 len=0   states=FIN-WAIT-2,CLOSE-WAIT\n"
               "S> ACK     seq=1   ack=502 len=0\n");
    pair_free(&p);
}

static void a_program_that_gives_its_handle_back_finishes_in_the_background(void **state)
{
    struct pair p;
    mission_start(&p, state, NULL, NULL);
    assert_int_equal(pair_listen(&p, 80, plan_sink(1)), 0);
    struct program_conn *c = pair_connect(&p, 80, (struct program_plan){.hold = true, .salt = 1});
    RUN_FOR(&p, 100 * PL_MS);
    assert_int_equal(program_send_pattern(c, 20000), 20000);
    assert_int_equal(program_close(c), 0);
    RUN(&p);
    assert_true(pair_received(pair_conn(&p, PAIR_SERVER, 0), 20000));
    mission_assert_states(&p, PAIR_CLIENT, "CLOSED SYN-SENT ESTABLISHED FIN-WAIT-1 FIN-WAIT-2 TIME-WAIT CLOSED");
    mission_assert_clean(&p, PAIR_CLIENT);
    pair_free(&p);
}

/* SHLD-3, MAY-1 */
static void a_close_with_unread_data_tells_the_peer_by_rst(void **state)
{
    struct pair p;
    mission_start(&p, state, NULL, NULL);
    struct program_conn *s, *c = mission_establish(&p, &s);
    s->plan.paused = true;
    assert_int_equal(program_send_pattern(c, 100), 100);
    RUN_FOR(&p, 100 * PL_MS);
    assert_int_equal(program_close(s), 0);
    RUN(&p);
    EXPECT(&p, "C> PSH,ACK seq=1 ack=1 len=100\n"
               "S> ACK     seq=1 ack=101 len=0\n"
               "S> RST     seq=1 why=RST_UNREAD states=CLOSED,CLOSED\n");
    assert_int_equal(c->error, PL_ECONNRESET);
    mission_assert_clean(&p, PAIR_SERVER);
    pair_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(four_messages_begun_by_the_client),
        BOTH(four_messages_begun_by_the_server),
        BOTH(ack_and_fin_travel_together_when_nothing_is_left_to_send),
        BOTH(after_its_fin_a_side_still_receives_whatever_the_other_sends),
        BOTH(the_fin_follows_everything_that_was_queued_before),
        BOTH(everything_received_is_read_before_the_end_is_told),
        BOTH(a_lost_fin_of_the_active_side_is_repeated),
        BOTH(a_lost_ack_of_the_first_fin_is_sent_again_when_the_fin_is_repeated),
        BOTH(a_lost_fin_of_the_passive_side_is_repeated),
        BOTH(fin_that_arrives_before_its_data_waits_for_it),
        BOTH(a_program_that_gives_its_handle_back_finishes_in_the_background),
        BOTH(a_close_with_unread_data_tells_the_peer_by_rst),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
