/* SPDX-License-Identifier: MIT
 *
 * m01_handshake.c: mission M1: the three-way handshake, RFC 9293 3.5 figure 6: its states, its numbers, what each side checks and when
 * each side knows that the connection stands.
 */
#include "mission/mission.h"

static void three_messages_with_the_numbers_and_states_of_figure_6(void **state)
{
    struct pair p;
    mission_start_isn(&p, state, 100, 300, NULL, NULL);
    assert_int_equal(pair_listen(&p, 80, plan_hold()), 0);
    assert_non_null(pair_connect(&p, 80, plan_hold()));
    RUN(&p);
    EXPECT(&p, "C> SYN     seq=100 ack=0   len=0 win=65535 states=SYN-SENT,SYN-RECEIVED    at=0ms  arrives=10ms why=SYN_CONNECT\n"
               "S> SYN,ACK seq=300 ack=101 len=0 win=65535 states=ESTABLISHED,SYN-RECEIVED at=10ms arrives=20ms why=SYN_ACK_ANSWER\n"
               "C> ACK     seq=101 ack=301 len=0           states=ESTABLISHED,ESTABLISHED  at=20ms arrives=30ms why=ACK_HANDSHAKE\n");
    mission_assert_states(&p, PAIR_CLIENT, "CLOSED SYN-SENT ESTABLISHED");
    mission_assert_states(&p, PAIR_SERVER, "LISTEN SYN-RECEIVED ESTABLISHED");
    pair_free(&p);
}

static void the_client_is_told_after_the_second_message_the_server_after_the_third(void **state)
{
    struct pair p;
    mission_start(&p, state, NULL, NULL);
    assert_int_equal(pair_listen(&p, 80, plan_hold()), 0);
    struct program_conn *c = pair_connect(&p, 80, plan_hold());
    RUN_FOR(&p, 20 * PL_MS - 1);
    assert_false(c->connected);
    assert_int_equal(mission_status(c).state, PL_SYN_SENT);
    assert_int_equal(pl_ready(STACK(c), c->handle) & (PL_EV_CONNECTED | PL_EV_READABLE | PL_EV_CLOSED), 0);
    RUN_FOR(&p, 1);
    assert_true(c->connected);
    assert_int_equal(mission_status(c).state, PL_ESTABLISHED);
    RUN_FOR(&p, 10 * PL_MS - 1);
    assert_null(pair_conn(&p, PAIR_SERVER, 0));
    assert_int_equal(pair_state(&p, PAIR_SERVER), PL_SYN_RECEIVED);
    RUN_FOR(&p, 1);
    assert_non_null(pair_conn(&p, PAIR_SERVER, 0));
    assert_int_equal(mission_status(pair_conn(&p, PAIR_SERVER, 0)).state, PL_ESTABLISHED);
    pair_free(&p);
}

static void a_syn_ack_without_the_ack_bit_makes_no_connection_at_once(void **state)
{
    struct pair p;
    mission_start_isn(&p, state, 100, 300, NULL, NULL);
    impair_drop_nth(pair_impair(&p, PAIR_CLIENT), 1);
    struct program_conn *c = pair_connect(&p, 80, plan_hold());
    pair_forge(&p, PAIR_SERVER, &(struct pair_forged){49152, 80, PL_SYN, 300, 101, 1000, NULL, 0}, 5 * PL_MS);
    RUN_FOR(&p, 6 * PL_MS);
    assert_int_equal(mission_status(c).state, PL_SYN_RECEIVED);        /* as in figure 7 */
    assert_false(c->connected);
    pair_free(&p);
}

static void the_client_is_not_established_by_anything_but_ack_x_plus_1(void **state)
{
    static const uint32_t wrong[] = {0, 99, 100, 102, 100 + 0x80000000u};
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        struct pair p;
        mission_start_isn(&p, state, 100, 300, NULL, NULL);
        impair_drop_nth(pair_impair(&p, PAIR_CLIENT), 1);
        struct program_conn *c = pair_connect(&p, 80, plan_hold());
        pair_forge(&p, PAIR_SERVER, &(struct pair_forged){49152, 80, PL_SYN | PL_ACK, 300, wrong[i], 1000, NULL, 0}, 5 * PL_MS);
        RUN_FOR(&p, 6 * PL_MS);
        assert_int_equal(mission_status(c).state, PL_SYN_SENT);
        pair_forge(&p, PAIR_SERVER, &(struct pair_forged){49152, 80, PL_SYN | PL_ACK, 300, 101, 1000, NULL, 0}, 7 * PL_MS);
        RUN_FOR(&p, 2 * PL_MS);
        assert_int_equal(mission_status(c).state, PL_ESTABLISHED);
        pair_free(&p);
    }
}

static void the_server_is_not_established_by_anything_but_ack_y_plus_1(void **state)
{
    static const uint32_t wrong[] = {0, 299, 300, 302, 300 + 0x80000000u};
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        struct pair p;
        mission_start_isn(&p, state, 100, 300, NULL, NULL);
        mission_play_client(&p);
        assert_int_equal(pair_listen(&p, 80, plan_hold()), 0);
        p.port = 5000;
        pair_forge(&p, PAIR_CLIENT, &(struct pair_forged){5000, 80, PL_SYN, 100, 0, 1000, NULL, 0}, 1 * PL_MS);
        pair_forge(&p, PAIR_CLIENT, &(struct pair_forged){5000, 80, PL_ACK, 101, wrong[i], 1000, NULL, 0}, 2 * PL_MS);
        RUN_FOR(&p, 3 * PL_MS);
        assert_null(pair_conn(&p, PAIR_SERVER, 0));
        assert_int_equal(pair_state(&p, PAIR_SERVER), PL_SYN_RECEIVED);
        /* nor by the right number without the ACK bit */
        pair_forge(&p, PAIR_CLIENT, &(struct pair_forged){5000, 80, PL_PSH, 101, 301, 1000, NULL, 0}, 4 * PL_MS);
        RUN_FOR(&p, 2 * PL_MS);
        assert_null(pair_conn(&p, PAIR_SERVER, 0));
        pair_forge(&p, PAIR_CLIENT, &(struct pair_forged){5000, 80, PL_ACK, 101, 301, 1000, NULL, 0}, 6 * PL_MS);
        RUN_FOR(&p, 2 * PL_MS);
        assert_non_null(pair_conn(&p, PAIR_SERVER, 0));
        assert_int_equal(pair_state(&p, PAIR_SERVER), PL_ESTABLISHED);
        pair_free(&p);
    }
}

static void both_directions_work_at_once_after_it(void **state)
{
    struct program_plan client = plan_source(5000, 1), server = plan_source(7000, 2);
    struct pair p;
    client.verify = server.verify = true;
    client.expect_salt = 2;
    server.expect_salt = 1;
    mission_start(&p, state, NULL, NULL);
    assert_int_equal(pair_listen(&p, 80, server), 0);
    struct program_conn *c = pair_connect(&p, 80, client);
    RUN(&p);
    assert_true(pair_received(c, 7000));
    assert_true(pair_received(pair_conn(&p, PAIR_SERVER, 0), 5000));
    mission_assert_clean(&p, PAIR_CLIENT);
    mission_assert_clean(&p, PAIR_SERVER);
    pair_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(three_messages_with_the_numbers_and_states_of_figure_6),
        BOTH(the_client_is_told_after_the_second_message_the_server_after_the_third),
        BOTH(a_syn_ack_without_the_ack_bit_makes_no_connection_at_once),
        BOTH(the_client_is_not_established_by_anything_but_ack_x_plus_1),
        BOTH(the_server_is_not_established_by_anything_but_ack_y_plus_1),
        BOTH(both_directions_work_at_once_after_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
