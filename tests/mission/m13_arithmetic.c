/* SPDX-License-Identifier: MIT
 *
 * m13_arithmetic.c: mission M13: the arithmetic of sequence and acknowledgement numbers, RFC 9293 3.4 and 3.5: a byte counts one, a SYN
 * one, a FIN one, an ACK nothing; SEG.ACK is the next number expected.
 */
#include "mission/mission.h"

/* The server answers 119 bytes as soon as 99 have come. */
static void answer_119(struct program *program, struct program_conn *c, uint32_t bits)
{
    (void)program;
    if (c && (bits & PL_EV_READABLE)) c->plan.send_bytes = 119;
}

static void ninety_nine_and_119_bytes_count_as_the_row_says(void **state)
{
    struct program_plan server = {.finish_last = true, .verify = true, .expect_salt = 1, .salt = 2};
    struct program_plan client = {.hold = true, .salt = 1, .verify = true, .expect_salt = 2, .keep_handle = true};
    struct pair p;
    mission_start(&p, state, NULL, NULL);
    p.program[PAIR_SERVER]->watch = answer_119;
    assert_int_equal(pair_listen(&p, 80, server), 0);
    struct program_conn *c = pair_connect(&p, 80, client);
    assert_non_null(c);
    RUN_FOR(&p, 50 * PL_MS);
    assert_int_equal(program_send_pattern(c, 99), 99);
    RUN_FOR(&p, 50 * PL_MS);
    assert_int_equal(program_finish(c), 0);
    RUN(&p);
    EXPECT(&p, "C> SYN     seq=0   ack=0   len=0\n"
               "S> SYN,ACK seq=0   ack=1   len=0\n"
               "C> ACK     seq=1   ack=1   len=0\n"
               "C> PSH,ACK seq=1   ack=1   len=99\n"
               "S> PSH,ACK seq=1   ack=100 len=119\n"
               "C> ACK     seq=100 ack=120 len=0\n"
               "C> FIN,ACK seq=100 ack=120 len=0\n"
               "S> FIN,ACK seq=120 ack=101 len=0\n"
               "C> ACK     seq=101 ack=121 len=0\n");
    assert_true(pair_received(c, 119));
    assert_true(pair_received(pair_conn(&p, PAIR_SERVER, 0), 99));
    pair_free(&p);
}

/* The row as it is usually told: the server's ACK of the FIN and its own FIN are two messages, because its program finishes later. */
static void the_server_acknowledges_the_fin_and_finishes_apart(void **state)
{
    struct program_plan server = {.hold = true, .verify = true, .expect_salt = 1, .salt = 2};
    struct program_plan client = {.hold = true, .salt = 1, .verify = true, .expect_salt = 2, .keep_handle = true};
    struct pair p;
    mission_start(&p, state, NULL, NULL);
    p.program[PAIR_SERVER]->watch = answer_119;
    assert_int_equal(pair_listen(&p, 80, server), 0);
    struct program_conn *c = pair_connect(&p, 80, client);
    RUN_FOR(&p, 50 * PL_MS);
    assert_int_equal(program_send_pattern(c, 99), 99);
    RUN_FOR(&p, 50 * PL_MS);
    assert_int_equal(program_finish(c), 0);
    RUN_FOR(&p, 50 * PL_MS);
    assert_int_equal(program_finish(pair_conn(&p, PAIR_SERVER, 0)), 0);
    RUN(&p);
    EXPECT(&p, "C> SYN     seq=0   ack=0   len=0\n"
               "S> SYN,ACK seq=0   ack=1   len=0\n"
               "C> ACK     seq=1   ack=1   len=0\n"
               "C> PSH,ACK seq=1   ack=1   len=99\n"
               "S> PSH,ACK seq=1   ack=100 len=119\n"
               "C> ACK     seq=100 ack=120 len=0\n"
               "C> FIN,ACK seq=100 ack=120 len=0   states=FIN-WAIT-1,CLOSE-WAIT\n"
               "S> ACK     seq=120 ack=101 len=0   states=FIN-WAIT-2,CLOSE-WAIT\n"
               "S> FIN,ACK seq=120 ack=101 len=0   states=TIME-WAIT,LAST-ACK\n"
               "C> ACK     seq=101 ack=121 len=0   states=TIME-WAIT,CLOSED\n");
    pair_free(&p);
}

static void a_third_message_1000_2000_means_that_the_second_was_1999_1000(void **state)
{
    struct pair p;
    mission_start_isn(&p, state, 999, 1999, NULL, NULL);
    assert_int_equal(pair_listen(&p, 80, plan_hold()), 0);
    assert_non_null(pair_connect(&p, 80, plan_hold()));
    RUN_FOR(&p, 50 * PL_MS);
    EXPECT(&p, "C> SYN     seq=999  ack=0    len=0\n"
               "S> SYN,ACK seq=1999 ack=1000 len=0\n"
               "C> ACK     seq=1000 ack=2000 len=0\n");
    pair_free(&p);
}

static void numbers_count_on_from_zero_after_the_largest(void **state)
{
    struct program_plan client = {.hold = true, .salt = 1};
    struct pair p;
    mission_start_isn(&p, state, 4294967290, 4294967295, NULL, NULL);
    assert_int_equal(pair_listen(&p, 80, plan_sink(1)), 0);
    struct program_conn *c = pair_connect(&p, 80, client);
    RUN_FOR(&p, 50 * PL_MS);
    assert_int_equal(program_send_pattern(c, 10), 10);
    RUN_FOR(&p, 100 * PL_MS);
    assert_int_equal(program_finish(c), 0);
    RUN(&p);
    EXPECT(&p, "C> SYN     seq=4294967290 ack=0          len=0\n"
               "S> SYN,ACK seq=4294967295 ack=4294967291 len=0\n"
               "C> ACK     seq=4294967291 ack=0          len=0\n"
               "C> PSH,ACK seq=4294967291 ack=0          len=10\n"
               "S> ACK     seq=0          ack=5          len=0\n"
               "C> FIN,ACK seq=5          ack=0          len=0\n"
               "S> FIN,ACK seq=0          ack=6          len=0\n"
               "C> ACK     seq=6          ack=1          len=0\n");
    assert_true(pair_received(pair_conn(&p, PAIR_SERVER, 0), 10));
    pair_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(ninety_nine_and_119_bytes_count_as_the_row_says),
        BOTH(the_server_acknowledges_the_fin_and_finishes_apart),
        BOTH(a_third_message_1000_2000_means_that_the_second_was_1999_1000),
        BOTH(numbers_count_on_from_zero_after_the_largest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
