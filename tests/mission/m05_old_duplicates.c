/* SPDX-License-Identifier: MIT
 *
 * m05_old_duplicates.c: mission M5: an old duplicate SYN makes no connection (RFC 9293 3.5 figure 8), likewise an old SYN-ACK and old
 * data. The third message is what prevents it: only the client's answer tells the server whether anybody wanted a connection.
 */
#include "mission/mission.h"

static void figure_8_an_old_syn_first_is_answered_reset_and_forgotten(void **state)
{
    struct pair p;
    mission_start_isn(&p, state, 100, 300, NULL, NULL);
    assert_int_equal(pair_listen(&p, 80, plan_hold()), 0);
    impair_delay_nth(pair_impair(&p, PAIR_CLIENT), 1, 30 * PL_MS);     /* the new SYN arrives at 40 ms */
    struct program_conn *c = pair_connect(&p, 80, plan_hold());
    pair_forge(&p, PAIR_CLIENT, &(struct pair_forged){49152, 80, PL_SYN, 90, 0, 1000, NULL, 0}, 5 * PL_MS);
    RUN_FOR(&p, 30 * PL_MS);
    /* two messages were exchanged, and the server's program was not bothered */
    assert_null(pair_conn(&p, PAIR_SERVER, 0));
    assert_int_equal(mission_status(c).state, PL_SYN_SENT);
    RUN(&p);
    EXPECT(&p, "C> SYN     injected seq=90\n"
               "C> SYN     seq=100 ack=0   at=0ms arrives=40ms delayed                states=SYN-SENT,SYN-RECEIVED\n"
               "S> SYN,ACK seq=300 ack=91  at=5ms                                     states=SYN-SENT,SYN-RECEIVED drop=TCP_SYN_SENT_ACK\n"
               "C> RST     seq=91  ack=0   at=15ms                                    states=SYN-SENT,LISTEN\n"
               "S> SYN,ACK seq=300 ack=101 at=40ms                                    states=ESTABLISHED,SYN-RECEIVED\n"
               "C> ACK     seq=101 ack=301 at=50ms                                    states=ESTABLISHED,ESTABLISHED\n");
    mission_assert_states(&p, PAIR_SERVER, "LISTEN SYN-RECEIVED LISTEN SYN-RECEIVED ESTABLISHED");
    assert_non_null(pair_conn(&p, PAIR_SERVER, 0));
    assert_null(pair_conn(&p, PAIR_SERVER, 1));
    pair_free(&p);
}

static void an_old_syn_of_a_client_that_is_closed_makes_no_connection(void **state)
{
    struct pair p;
    mission_start_isn(&p, state, 100, 300, NULL, NULL);
    assert_int_equal(pair_listen(&p, 80, plan_hold()), 0);
    p.port = 5000;
    pair_forge(&p, PAIR_CLIENT, &(struct pair_forged){5000, 80, PL_SYN, 90, 0, 1000, NULL, 0}, 5 * PL_MS);
    RUN(&p);
    EXPECT(&p, "C> SYN     injected seq=90         states=?,SYN-RECEIVED\n"
               "S> SYN,ACK seq=300 ack=91 at=5ms   states=CLOSED,SYN-RECEIVED drop=TCP_CLOSED\n"
               "C> RST     seq=91  ack=0  at=15ms  states=CLOSED,LISTEN\n");
    assert_null(pair_conn(&p, PAIR_SERVER, 0));
    mission_assert_clean(&p, PAIR_SERVER);
    pair_free(&p);
}

static void a_new_syn_that_meets_an_old_one_inside_the_window_comes_through_at_its_repeat(void **state)
{
    struct pair p;
    mission_start_isn(&p, state, 100, 300, NULL, NULL);
    assert_int_equal(pair_listen(&p, 80, plan_hold()), 0);
    pair_forge(&p, PAIR_CLIENT, &(struct pair_forged){49152, 80, PL_SYN, 90, 0, 1000, NULL, 0}, 5 * PL_MS);
    struct program_conn *c = pair_connect(&p, 80, plan_hold());
    RUN(&p);
    /* 3.10.7.4 fourth, SYN-RECEIVED after a passive OPEN: the new SYN returns the old one's connection to LISTEN. */
    EXPECT(&p, "C> SYN     injected seq=90\n"
               "C> SYN     seq=100 ack=0   at=0ms  arrives=10ms drop=TCP_SYN_RETURNED states=SYN-SENT,LISTEN\n"
               "S> SYN,ACK seq=300 ack=91  at=5ms  drop=TCP_SYN_SENT_ACK\n"
               "C> RST     seq=91  ack=0   at=15ms drop=TCP_LISTEN_RST\n"
               "C> SYN     seq=100 ack=0   at=1s\n"
               "S> SYN,ACK seq=300 ack=101\n"
               "C> ACK     seq=101 ack=301 states=ESTABLISHED,ESTABLISHED\n");
    assert_true(c->connected);
    pair_free(&p);
}

static void a_new_syn_that_meets_an_old_one_outside_the_window_resets_it_and_comes_through(void **state)
{
    struct pair p;
    mission_start_isn(&p, state, 1000000, 300, NULL, NULL);
    assert_int_equal(pair_listen(&p, 80, plan_hold()), 0);
    pair_forge(&p, PAIR_CLIENT, &(struct pair_forged){49152, 80, PL_SYN, 90, 0, 1000, NULL, 0}, 5 * PL_MS);
    struct program_conn *c = pair_connect(&p, 80, plan_hold());
    RUN(&p);
    EXPECT(&p, "C> SYN     injected seq=90\n"
               "C> SYN     seq=1000000 ack=0  at=0ms  arrives=10ms drop=TCP_OUTSIDE_WINDOW states=SYN-SENT,SYN-RECEIVED\n"
               "S> SYN,ACK seq=300 ack=91     at=5ms  drop=TCP_SYN_SENT_ACK\n"
               "S> ACK     seq=301 ack=91     at=10ms drop=TCP_SYN_SENT_ACK\n"
               "C> RST     seq=91  ack=0      at=15ms states=SYN-SENT,LISTEN\n"
               "C> RST     seq=91  ack=0      at=20ms drop=TCP_LISTEN_RST\n"
               "C> SYN     seq=1000000        at=1s\n"
               "S> SYN,ACK seq=300 ack=1000001\n"
               "C> ACK     seq=1000001 ack=301 states=ESTABLISHED,ESTABLISHED\n");
    assert_true(c->connected);
    pair_free(&p);
}

/* RFC 5961 1.1, 4.2, 4.2-a, 4.2-b */
static void an_old_syn_at_an_established_connection_is_challenged_and_harms_nothing(void **state)
{
    static const uint32_t seqs[] = {0, 1, 500, 4000000000u};
    struct pair p;
    mission_start(&p, state, NULL, NULL);
    struct program_conn *s, *c = mission_establish(&p, &s);
    for (size_t i = 0; i < COUNT_OF(seqs); i++) {
        pair_forge(&p, PAIR_CLIENT, &(struct pair_forged){p.port, 80, PL_SYN, seqs[i], 0, 1000, NULL, 0}, p.sim->now + 1 * PL_MS);
        RUN_FOR(&p, 2 * PL_MS);
        EXPECT(&p, "C> SYN injected\n"
                   "S> ACK seq=1 ack=1 len=0\n");
        RUN_FOR(&p, 20 * PL_MS);
        EXPECT(&p, "");                                                /* the client that hears that ACK is in step and says nothing */
        assert_int_equal(mission_status(s).state, PL_ESTABLISHED);
    }
    c->plan.salt = s->plan.expect_salt = 5;
    s->plan.verify = true;
    assert_int_equal(program_send_pattern(c, 1000), 1000);
    RUN(&p);
    assert_int_equal(s->received, 1000);
    assert_false(s->mismatch);
    pair_free(&p);
}

static void without_timestamps(struct pl_config *c, enum pair_side side, void *user)
{
    (void)side;
    (void)user;
    c->timestamps = false;
}

/* All three messages of the handshake arrive once more, one second apart. */
static void repeat_the_handshake(struct pair *p, const char *lines)
{
    struct program_conn *s, *c = mission_establish(p, &s);
    for (size_t i = 0; i < 3; i++)
        pair_replay(p, i, p->sim->now + (i + 1) * PL_S);
    RUN(p);
    EXPECT(p, lines);
    assert_int_equal(mission_status(c).state, PL_ESTABLISHED);
    assert_int_equal(mission_status(s).state, PL_ESTABLISHED);
    assert_null(pair_conn(p, PAIR_SERVER, 1));
}

static void old_handshake_messages_that_come_twice_change_nothing(void **state)
{
    struct pair p;
    mission_start(&p, state, without_timestamps, NULL);
    repeat_the_handshake(&p, "C> SYN     injected seq=0\n"
                             "S> SYN,ACK injected seq=0 ack=1\n"
                             "C> ACK     injected seq=1 ack=1\n"
                             "S> ACK     seq=1 ack=1 len=0 at=1100ms why=ACK_DUPLICATE\n"
                             "C> ACK     seq=1 ack=1 len=0 at=2100ms why=ACK_DUPLICATE\n");
    pair_free(&p);
}

static void old_timestamps_make_even_the_third_message_old(void **state)
{
    struct pair p;
    mission_start(&p, state, NULL, NULL);
    repeat_the_handshake(&p, "C> SYN     injected seq=0       drop=TCP_PAWS\n"
                             "S> SYN,ACK injected seq=0 ack=1 drop=TCP_PAWS\n"
                             "C> ACK     injected seq=1 ack=1 drop=TCP_PAWS\n"
                             "S> ACK     seq=1 ack=1 len=0 at=1100ms\n"
                             "C> ACK     seq=1 ack=1 len=0 at=2100ms\n"
                             "S> ACK     seq=1 ack=1 len=0 at=3100ms\n");
    pair_free(&p);
}

static void an_old_syn_ack_at_a_client_that_is_closed_is_reset(void **state)
{
    struct pair p;
    mission_start(&p, state, NULL, NULL);
    pair_forge(&p, PAIR_SERVER, &(struct pair_forged){5000, 80, PL_SYN | PL_ACK, 300, 777, 1000, NULL, 0}, 5 * PL_MS);
    RUN(&p);
    EXPECT(&p, "S> SYN,ACK injected drop=TCP_CLOSED\n"
               "C> RST seq=777 ack=0 len=0\n");
    pair_free(&p);
}

static void old_data_is_acknowledged_again_and_not_delivered_again(void **state)
{
    struct pair p;
    mission_start(&p, state, NULL, NULL);
    struct program_conn *s, *c = mission_establish(&p, &s);
    size_t data = p.segments;
    s->plan.verify = true;
    c->plan.salt = s->plan.expect_salt = 7;
    assert_int_equal(program_send_pattern(c, 300), 300);
    RUN(&p);
    assert_int_equal(program_send_pattern(c, 200), 200);
    RUN(&p);
    EXPECT(&p, "C> PSH,ACK seq=1   len=300\n"
               "S> ACK     seq=1   ack=301\n"
               "C> PSH,ACK seq=301 len=200\n"
               "S> ACK     seq=1   ack=501\n");
    pair_replay(&p, data, p.sim->now + 1 * PL_S);
    RUN(&p);
    EXPECT(&p, "C> PSH,ACK injected seq=1 len=300\n"
               "S> ACK     seq=1   ack=501 len=0\n");
    assert_int_equal(s->received, 500);
    assert_false(s->mismatch);
    pair_free(&p);
}

static void data_of_an_earlier_connection_outside_the_window_is_refused(void **state)
{
    struct pair p;
    mission_start(&p, state, without_timestamps, NULL);
    struct program_conn *s;
    mission_establish(&p, &s);
    pair_forge(&p, PAIR_CLIENT, &(struct pair_forged){p.port, 80, PL_ACK | PL_PSH, 3000000000u, 1, 1000, "old bytes", 9},
        p.sim->now + 1 * PL_S);
    pair_forge(&p, PAIR_CLIENT, &(struct pair_forged){p.port, 80, PL_ACK | PL_FIN, 2000000000u, 1, 1000, "old", 3}, p.sim->now + 2 * PL_S);
    RUN(&p);
    EXPECT(&p, "C> PSH,ACK injected\n"
               "C> FIN,ACK injected\n"
               "S> ACK seq=1 ack=1 len=0\n"
               "S> ACK seq=1 ack=1 len=0\n");
    assert_int_equal(s->received, 0);
    assert_int_equal(mission_status(s).state, PL_ESTABLISHED);
    pair_free(&p);
}

/* RFC 7323 3.2-g, 3.2-h */
static void data_of_an_earlier_connection_without_its_timestamps_is_dropped(void **state)
{
    struct pair p;
    mission_start(&p, state, NULL, NULL);
    struct program_conn *s;
    mission_establish(&p, &s);
    pair_forge(&p, PAIR_CLIENT, &(struct pair_forged){p.port, 80, PL_ACK | PL_PSH, 1, 1, 1000, "old bytes", 9}, p.sim->now + 1 * PL_S);
    RUN(&p);
    EXPECT(&p, "C> PSH,ACK injected drop=TCP_NO_TIMESTAMP\n");            /* RFC 7323 3.2: in silence */
    assert_int_equal(s->received, 0);
    pair_free(&p);
}

static void old_data_at_a_listener_is_reset(void **state)
{
    struct pair p;
    mission_start(&p, state, NULL, NULL);
    mission_play_client(&p);
    assert_int_equal(pair_listen(&p, 80, plan_hold()), 0);
    pair_forge(&p, PAIR_CLIENT, &(struct pair_forged){5000, 80, PL_ACK | PL_PSH, 300, 4000, 1000, "old bytes", 9}, 1 * PL_MS);
    pair_forge(&p, PAIR_CLIENT, &(struct pair_forged){5000, 80, PL_ACK | PL_FIN, 300, 5000, 1000, NULL, 0}, 2 * PL_MS);
    RUN(&p);
    EXPECT(&p, "C> PSH,ACK injected\n"
               "C> FIN,ACK injected\n"
               "S> RST seq=4000 ack=0\n"
               "S> RST seq=5000 ack=0\n");
    assert_null(pair_conn(&p, PAIR_SERVER, 0));
    pair_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(figure_8_an_old_syn_first_is_answered_reset_and_forgotten),
        BOTH(an_old_syn_of_a_client_that_is_closed_makes_no_connection),
        BOTH(a_new_syn_that_meets_an_old_one_inside_the_window_comes_through_at_its_repeat),
        BOTH(a_new_syn_that_meets_an_old_one_outside_the_window_resets_it_and_comes_through),
        BOTH(an_old_syn_at_an_established_connection_is_challenged_and_harms_nothing),
        BOTH(old_handshake_messages_that_come_twice_change_nothing),
        BOTH(old_timestamps_make_even_the_third_message_old),
        BOTH(an_old_syn_ack_at_a_client_that_is_closed_is_reset),
        BOTH(old_data_is_acknowledged_again_and_not_delivered_again),
        BOTH(data_of_an_earlier_connection_outside_the_window_is_refused),
        BOTH(data_of_an_earlier_connection_without_its_timestamps_is_dropped),
        BOTH(old_data_at_a_listener_is_reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
