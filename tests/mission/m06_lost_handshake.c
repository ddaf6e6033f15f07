/* SPDX-License-Identifier: MIT
 *
 * m06_lost_handshake.c: mission M6: every message of the handshake may be lost. Each is repeated with back-off (RFC 9293 3.8.1, RFC 6298
 * 5.5), given up after its bound with a clear error (3.8.3, MUST-20 to 23), and one copy that gets through is enough.
 */
#include "mission/mission.h"

static bool is_syn(void *user, const struct packet *packet)
{
    return match_tcp(&(struct match_tcp){.flags_mask = PL_SYN, .flags = PL_SYN}, packet) && user == NULL;
}

/* The side loses its first n SYNs or SYN-ACKs. */
static void lose_syns(struct pair *p, enum pair_side from, unsigned n)
{
    const struct impair_rule rule = {.kind = IMPAIR_DROP, .match = is_syn, .nth = 1, .count = n};
    if (n) assert_non_null(impair_add(pair_impair(p, from), &rule));
}

/* RTO 1 s, doubling, 120 s at most. */
static const unsigned syn_s[] = {0, 1, 3, 7, 15, 31, 63, 127}, syn_bound_s = 247;

static void a_lost_syn_is_repeated_after_1_2_4_8_s_and_one_copy_is_enough(void **state)
{
    for (unsigned n = 1; n <= 7; n++) {
        char lines[2000] = "";
        size_t at = 0;
        struct pair p;
        mission_start(&p, state, NULL, NULL);
        lose_syns(&p, PAIR_CLIENT, n);
        assert_int_equal(pair_listen(&p, 80, plan_hold()), 0);
        struct program_conn *c = pair_connect(&p, 80, plan_hold());
        RUN(&p);
        for (unsigned i = 0; i <= n; i++)
            at += (size_t)snprintf(lines + at, sizeof lines - at, "C> SYN seq=0 ack=0 len=0 at=%us why=%s %s\n", syn_s[i],
                i ? "SYN_REPEAT" : "SYN_CONNECT",
                i < n ? "lost" : "arrived");
        snprintf(lines + at, sizeof lines - at,
            "S> SYN,ACK seq=0 ack=1 at=%u010ms\n"
            "C> ACK     seq=1 ack=1 at=%u020ms states=ESTABLISHED,ESTABLISHED\n", syn_s[n], syn_s[n]);
        EXPECT(&p, lines);
        assert_true(c->connected);
        assert_int_equal(c->error, 0);
        pair_free(&p);
    }
}

/* MUST-22, 23 */
static void no_answer_at_all_is_etimedout_after_seven_repeats_and_at_least_3_minutes(void **state)
{
    struct program_plan keep = plan_hold();
    struct pair p;
    char byte;
    keep.keep_handle = true;
    mission_start(&p, state, NULL, NULL);
    impair_loss(pair_impair(&p, PAIR_CLIENT), 1000000);
    assert_int_equal(pair_listen(&p, 80, plan_hold()), 0);
    struct program_conn *c = pair_connect(&p, 80, keep);
    RUN_FOR(&p, 180 * PL_S);
    assert_int_equal(c->error, 0);                                     /* MUST-23 */
    RUN_FOR(&p, syn_bound_s * PL_S - 180 * PL_S - 1);
    assert_int_equal(c->error, 0);
    RUN_FOR(&p, 1);
    assert_int_equal(c->error, PL_ETIMEDOUT);
    assert_true(c->seen_bits & PL_EV_ERROR && c->seen_bits & PL_EV_CLOSED);
    assert_false(c->seen_bits & PL_EV_CONNECTED);
    assert_int_equal(pl_error(STACK(c), c->handle), PL_ETIMEDOUT);
    assert_int_equal(pl_send(STACK(c), c->handle, "x", 1), PL_ETIMEDOUT);
    assert_int_equal(pl_recv(STACK(c), c->handle, &byte, 1), PL_ETIMEDOUT);
    RUN(&p);
    EXPECT(&p, "C> SYN at=0s   lost\n C> SYN at=1s   lost\n C> SYN at=3s   lost\n C> SYN at=7s   lost\n"
               "C> SYN at=15s  lost\n C> SYN at=31s  lost\n C> SYN at=63s  lost\n C> SYN at=127s lost\n");
    mission_assert_states(&p, PAIR_CLIENT, "CLOSED SYN-SENT CLOSED");
    assert_int_equal(program_close(c), 0);
    mission_assert_clean(&p, PAIR_CLIENT);
    pair_free(&p);
}

static void user_timeout_2500_ms(struct pl_config *c, enum pair_side side, void *user)
{
    (void)side;
    (void)user;
    c->user_timeout = 2500 * PL_MS;
}

static void the_user_timeout_ends_the_attempt_sooner(void **state)
{
    struct program_plan keep = plan_hold();
    struct pair p;
    keep.keep_handle = true;
    mission_start(&p, state, user_timeout_2500_ms, NULL);
    impair_loss(pair_impair(&p, PAIR_CLIENT), 1000000);
    struct program_conn *c = pair_connect(&p, 80, keep);
    RUN(&p);
    assert_int_equal(c->error, PL_ETIMEDOUT);
    assert_true(c->over_at == 2500 * PL_MS);
    EXPECT(&p, "C> SYN at=0s\n C> SYN at=1s\n");                       /* and no RST for what never was */
    pair_free(&p);
}

static void a_syn_ack_without_answer_is_repeated_five_times_and_then_forgotten(void **state)
{
    struct pair p;
    mission_start(&p, state, NULL, NULL);
    mission_play_client(&p);
    assert_int_equal(pair_listen(&p, 80, plan_hold()), 0);
    p.port = 5000;
    pair_forge(&p, PAIR_CLIENT, &(struct pair_forged){5000, 80, PL_SYN, 70, 0, 1000, NULL, 0}, 10 * PL_MS);
    RUN_FOR(&p, 63010 * PL_MS - 1);
    assert_int_equal(pair_state(&p, PAIR_SERVER), PL_SYN_RECEIVED);
    RUN_FOR(&p, 1);
    mission_assert_clean(&p, PAIR_SERVER);
    RUN(&p);
    EXPECT(&p, "C> SYN     injected\n"
               "S> SYN,ACK seq=0 ack=71 len=0 at=10ms    why=SYN_ACK_ANSWER\n"
               "S> SYN,ACK seq=0 ack=71 len=0 at=1010ms  why=SYN_ACK_REPEAT\n"
               "S> SYN,ACK seq=0 ack=71 len=0 at=3010ms  why=SYN_ACK_REPEAT\n"
               "S> SYN,ACK seq=0 ack=71 len=0 at=7010ms  why=SYN_ACK_REPEAT\n"
               "S> SYN,ACK seq=0 ack=71 len=0 at=15010ms why=SYN_ACK_REPEAT\n"
               "S> SYN,ACK seq=0 ack=71 len=0 at=31010ms why=SYN_ACK_REPEAT\n");
    assert_null(pair_conn(&p, PAIR_SERVER, 0));                        /* the server's program never hears of it */
    pair_free(&p);
}

static void a_lost_syn_ack_is_repeated_and_one_copy_is_enough(void **state)
{
    for (unsigned n = 1; n <= 5; n++) {
        struct pair p;
        mission_start(&p, state, NULL, NULL);
        lose_syns(&p, PAIR_SERVER, n);
        assert_int_equal(pair_listen(&p, 80, plan_sink(1)), 0);
        struct program_conn *c = pair_connect(&p, 80, plan_source(100, 1));
        RUN(&p);
        assert_true(c->connected);
        assert_int_equal(p.program[PAIR_SERVER]->conns, 1);
        assert_true(pair_received(pair_conn(&p, PAIR_SERVER, 0), 100));
        mission_assert_clean(&p, PAIR_CLIENT);
        mission_assert_clean(&p, PAIR_SERVER);
        pair_free(&p);
    }
}

static void a_repeated_syn_is_answered_by_the_same_syn_ack(void **state)
{
    struct pair p;
    mission_start(&p, state, NULL, NULL);
    mission_play_client(&p);
    assert_int_equal(pair_listen(&p, 80, plan_hold()), 0);
    for (unsigned i = 0; i < 2; i++)
        pair_forge(&p, PAIR_CLIENT, &(struct pair_forged){5000, 80, PL_SYN, 70, 0, 1000, NULL, 0}, 10 * PL_MS + i * 300 * PL_MS);
    RUN_FOR(&p, 500 * PL_MS);
    EXPECT(&p, "C> SYN injected\n C> SYN injected\n"
               "S> SYN,ACK seq=0 ack=71 at=10ms\n"
               "S> SYN,ACK seq=0 ack=71 at=310ms\n");
    pair_free(&p);
}

/* The client loses its frames 2 .. n + 1: its third message and the answers to repeated SYN-ACKs. */
static void a_lost_third_message_is_asked_for_by_the_repeated_syn_ack(void **state)
{
    for (unsigned n = 1; n <= 5; n++) {
        char lines[2000];
        size_t at;
        struct pair p;
        mission_start(&p, state, NULL, NULL);
        assert_non_null(impair_add(pair_impair(&p, PAIR_CLIENT), &(struct impair_rule){.kind = IMPAIR_DROP, .nth = 2, .count = n}));
        assert_int_equal(pair_listen(&p, 80, plan_hold()), 0);
        struct program_conn *c = pair_connect(&p, 80, plan_hold());
        RUN(&p);
        at = (size_t)snprintf(lines, sizeof lines, "C> SYN     seq=0\n"
                                                   "S> SYN,ACK seq=0 ack=1 at=10ms\n"
                                                   "C> ACK     seq=1 ack=1 at=20ms lost states=ESTABLISHED,SYN-RECEIVED\n");
        for (unsigned i = 1; i <= n; i++)
            at += (size_t)snprintf(lines + at, sizeof lines - at,
                "S> SYN,ACK seq=0 ack=1 at=%u010ms why=SYN_ACK_REPEAT\n"
                "C> ACK     seq=1 ack=1 at=%u020ms states=ESTABLISHED,%s\n",
                syn_s[i], syn_s[i], i < n ? "SYN-RECEIVED lost" : "ESTABLISHED");
        EXPECT(&p, lines);
        assert_int_equal(mission_status(c).state, PL_ESTABLISHED);
        assert_int_equal(mission_status(pair_conn(&p, PAIR_SERVER, 0)).state, PL_ESTABLISHED);
        pair_free(&p);
    }
}

static void data_does_the_work_of_a_lost_third_message(void **state)
{
    struct pair p;
    mission_start(&p, state, NULL, NULL);
    impair_drop_nth(pair_impair(&p, PAIR_CLIENT), 2);
    assert_int_equal(pair_listen(&p, 80, plan_hold()), 0);
    struct program_conn *c = pair_connect(&p, 80, plan_hold());
    RUN_FOR(&p, 100 * PL_MS);
    assert_int_equal(program_send_pattern(c, 50), 50);
    RUN(&p);
    EXPECT(&p, "C> SYN     seq=0\n"
               "S> SYN,ACK seq=0 ack=1\n"
               "C> ACK     seq=1 ack=1 at=20ms  lost\n"
               "C> PSH,ACK seq=1 ack=1 len=50 at=100ms states=ESTABLISHED,ESTABLISHED\n"
               "S> ACK     seq=1 ack=51\n");
    assert_int_equal(pair_conn(&p, PAIR_SERVER, 0)->received, 50);
    pair_free(&p);
}

static void a_server_that_gave_up_resets_the_client_that_thinks_it_is_connected(void **state)
{
    struct program_plan keep = plan_hold();
    struct pair p;
    keep.keep_handle = true;
    mission_start(&p, state, NULL, NULL);
    assert_non_null(impair_add(pair_impair(&p, PAIR_CLIENT), &(struct impair_rule){.kind = IMPAIR_DROP, .nth = 2, .count = 6}));
    assert_int_equal(pair_listen(&p, 80, plan_hold()), 0);
    struct program_conn *c = pair_connect(&p, 80, keep);
    RUN(&p);
    mission_assert_clean(&p, PAIR_SERVER);
    assert_int_equal(mission_status(c).state, PL_ESTABLISHED);
    EXPECT(&p, "*\n");
    assert_int_equal(program_send_pattern(c, 50), 50);
    RUN(&p);
    EXPECT(&p, "C> PSH,ACK seq=1 ack=1 len=50\n"
               "S> RST seq=1 ack=0 len=0\n");
    assert_int_equal(c->error, PL_ECONNRESET);
    pair_free(&p);
}

/* RFC 6298 5.7: the time-out of the SYN says that the initial RTO may be too small; with no sample yet the first data gets 3 s.
 * RFC 6298 5.7 */
static void after_a_lost_syn_the_first_data_has_an_rto_of_3_s(void **state)
{
    struct pair p;
    mission_start(&p, state, NULL, NULL);
    lose_syns(&p, PAIR_CLIENT, 1);
    impair_drop_nth(pair_impair(&p, PAIR_CLIENT), 4);                  /* SYN, SYN, ACK, data */
    assert_int_equal(pair_listen(&p, 80, plan_hold()), 0);
    struct program_conn *c = pair_connect(&p, 80, plan_hold());
    RUN_FOR(&p, 2 * PL_S);
    assert_int_equal(program_send_pattern(c, 50), 50);
    RUN(&p);
    EXPECT(&p, "C> SYN lost\n C> SYN at=1s\n S> SYN,ACK\n C> ACK\n"
               "C> PSH,ACK seq=1 len=50 at=2s lost\n"
               "C> PSH,ACK seq=1 len=50 at=5s why=DATA_REPEAT_RTO\n"
               "S> ACK     ack=51\n");
    pair_free(&p);
}

/* RFC 6928 2: more than one lost SYN: start with one segment. */
static void after_two_lost_syns_the_congestion_window_begins_at_one_segment(void **state)
{
    for (unsigned n = 0; n <= 3; n++) {
        struct pair p;
        mission_start(&p, state, NULL, NULL);
        lose_syns(&p, PAIR_CLIENT, n);
        assert_int_equal(pair_listen(&p, 80, plan_hold()), 0);
        struct program_conn *c = pair_connect(&p, 80, plan_hold());
        RUN(&p);
        struct pl_tcp_status s = mission_status(c);
        assert_int_equal(s.cwnd_bytes, n > 1 ? s.mss : 10 * s.mss);
        pair_free(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(a_lost_syn_is_repeated_after_1_2_4_8_s_and_one_copy_is_enough),
        BOTH(no_answer_at_all_is_etimedout_after_seven_repeats_and_at_least_3_minutes),
        BOTH(the_user_timeout_ends_the_attempt_sooner),
        BOTH(a_syn_ack_without_answer_is_repeated_five_times_and_then_forgotten),
        BOTH(a_lost_syn_ack_is_repeated_and_one_copy_is_enough),
        BOTH(a_repeated_syn_is_answered_by_the_same_syn_ack),
        BOTH(a_lost_third_message_is_asked_for_by_the_repeated_syn_ack),
        BOTH(data_does_the_work_of_a_lost_third_message),
        BOTH(a_server_that_gave_up_resets_the_client_that_thinks_it_is_connected),
        BOTH(after_a_lost_syn_the_first_data_has_an_rto_of_3_s),
        BOTH(after_two_lost_syns_the_congestion_window_begins_at_one_segment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
