/* SPDX-License-Identifier: MIT
 *
 * m03_wrong_ack.c: mission M3: a wrong acknowledgement in the handshake is answered with RST as RFC 9293 3.10.7 forms it, and makes no
 * connection; what the RFC says shall be silent is silent.
 */
#include "mission/mission.h"

/* A client in SYN-SENT with ISS 300 whose SYN was lost, so that the server knows nothing. */
static struct program_conn *syn_sent(struct pair *p, void **state)
{
    mission_start_isn(p, state, 300, 700, NULL, NULL);
    assert_int_equal(pair_listen(p, 80, plan_hold()), 0);
    impair_drop_nth(pair_impair(p, PAIR_CLIENT), 1);
    struct program_conn *c = pair_connect(p, 80, plan_hold());
    assert_non_null(c);
    RUN_FOR(p, 1 * PL_MS);
    EXPECT(p, "C> SYN seq=300 ack=0 len=0 lost\n");
    return c;
}

static void forge_to_client(struct pair *p, uint8_t flags, uint32_t seq, uint32_t ack, const char *text)
{
    struct pair_forged f = {49152, 80, flags, seq, ack, 1000, text, text ? strlen(text) : 0};
    pair_forge(p, PAIR_SERVER, &f, p->sim->now + 1 * PL_MS);
    RUN_FOR(p, 1 * PL_MS);
}

static void in_syn_sent_a_wrong_ack_is_answered_by_seq_seg_ack_ctl_rst(void **state)
{
    static const uint32_t wrong[] = {300, 302, 0, 299, 1 + 0x80000000u, 4294967295};
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        struct pair p;
        struct program_conn *c = syn_sent(&p, state);
        char lines[300];
        forge_to_client(&p, PL_SYN | PL_ACK, 9, wrong[i], NULL);
        RUN_FOR(&p, 20 * PL_MS);
        snprintf(lines, sizeof lines, "S> SYN,ACK injected seq=9 ack=%" PRIu32 " drop=TCP_SYN_SENT_ACK\n"
                                      "C> RST     seq=%" PRIu32 " ack=0 len=0 win=0 why=RST_BAD_ACK states=SYN-SENT,LISTEN\n",
            wrong[i], wrong[i]);
        EXPECT(&p, lines);
        assert_int_equal(pair_count_drops(&p, PAIR_SERVER, PL_DROP_TCP_LISTEN_RST), 1);
        assert_int_equal(mission_status(c).state, PL_SYN_SENT);
        assert_false(c->connected);
        /* the connection comes about none the less */
        RUN(&p);
        EXPECT(&p, "C> SYN     seq=300 ack=0   at=1s\n"
                   "S> SYN,ACK seq=700 ack=301\n"
                   "C> ACK     seq=301 ack=701 states=ESTABLISHED,ESTABLISHED\n");
        pair_free(&p);
    }
}

static void in_syn_sent_a_bare_wrong_ack_is_answered_by_rst_too(void **state)
{
    struct pair p;
    struct program_conn *c = syn_sent(&p, state);
    forge_to_client(&p, PL_ACK, 9, 5000, "text");
    EXPECT(&p, "S> ACK injected seq=9 ack=5000 len=4 drop=TCP_SYN_SENT_ACK\n"
               "C> RST seq=5000 ack=0 len=0\n");
    assert_int_equal(mission_status(c).state, PL_SYN_SENT);
    pair_free(&p);
}

static void in_syn_sent_a_right_ack_without_syn_is_dropped_in_silence(void **state)
{
    struct pair p;
    struct program_conn *c = syn_sent(&p, state);
    forge_to_client(&p, PL_ACK, 9, 301, "text");
    forge_to_client(&p, PL_FIN, 9, 0, NULL);
    EXPECT(&p, "S> ACK injected drop=TCP_SYN_SENT_OTHER\n"
               "S> FIN injected drop=TCP_SYN_SENT_OTHER\n");
    assert_int_equal(mission_status(c).state, PL_SYN_SENT);
    pair_free(&p);
}

/* RFC 5961 3.2-e */
static void in_syn_sent_only_a_rst_with_the_right_ack_refuses(void **state)
{
    struct pair p;
    struct program_conn *c = syn_sent(&p, state);
    forge_to_client(&p, PL_RST, 0, 0, NULL);
    forge_to_client(&p, PL_RST | PL_ACK, 0, 300, NULL);
    forge_to_client(&p, PL_RST | PL_ACK, 0, 302, NULL);
    EXPECT(&p, "S> RST     injected drop=TCP_SYN_SENT_RST\n"
               "S> RST,ACK injected drop=TCP_SYN_SENT_ACK\n"
               "S> RST,ACK injected drop=TCP_SYN_SENT_ACK\n");
    assert_int_equal(mission_status(c).state, PL_SYN_SENT);
    c->plan.keep_handle = true;
    forge_to_client(&p, PL_RST | PL_ACK, 0, 301, NULL);
    EXPECT(&p, "S> RST,ACK injected drop=TCP_RST_TAKEN\n");
    assert_int_equal(mission_status(c).state, PL_CLOSED);
    assert_int_equal(c->error, PL_ECONNREFUSED);
    assert_int_equal(pl_error(STACK(c), c->handle), PL_ECONNREFUSED);
    RUN(&p);
    EXPECT(&p, "");
    pair_free(&p);
}

static void in_syn_received_a_wrong_ack_is_answered_by_seq_seg_ack_ctl_rst(void **state)
{
    static const uint32_t wrong[] = {700, 702, 5, 0, 4294967295};
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        struct pair p;
        mission_start_isn(&p, state, 300, 700, NULL, NULL);
        mission_play_client(&p);
        assert_int_equal(pair_listen(&p, 80, plan_hold()), 0);
        p.port = 5000;
        pair_forge(&p, PAIR_CLIENT, &(struct pair_forged){5000, 80, PL_SYN, 300, 0, 1000, NULL, 0}, 1 * PL_MS);
        RUN_FOR(&p, 2 * PL_MS);
        EXPECT(&p, "C> SYN injected\n"
                   "S> SYN,ACK seq=700 ack=301\n");
        pair_forge(&p, PAIR_CLIENT, &(struct pair_forged){5000, 80, PL_ACK, 301, wrong[i], 1000, NULL, 0}, 3 * PL_MS);
        RUN_FOR(&p, 2 * PL_MS);
        char lines[300];
        snprintf(lines, sizeof lines, "C> ACK injected seq=301 ack=%" PRIu32 " drop=TCP_SYN_RECEIVED_ACK\n"
                                      "S> RST seq=%" PRIu32 " ack=0 len=0 win=0 why=RST_BAD_ACK\n", wrong[i], wrong[i]);
        EXPECT(&p, lines);
        uint32_t n[PL_STATE_COUNT];
        pl_states(p.node[PAIR_SERVER]->stack, n);
        assert_int_equal(n[PL_SYN_RECEIVED], 1);
        assert_int_equal(pair_count_drops(&p, PAIR_SERVER, PL_DROP_TCP_SYN_RECEIVED_ACK), 1);
        /* "form a reset segment and send it": nothing is said of leaving the state, and the right one still counts */
        pair_forge(&p, PAIR_CLIENT, &(struct pair_forged){5000, 80, PL_ACK, 301, 701, 1000, NULL, 0}, 6 * PL_MS);
        RUN_FOR(&p, 2 * PL_MS);
        EXPECT(&p, "C> ACK injected states=?,ESTABLISHED\n");
        assert_non_null(pair_conn(&p, PAIR_SERVER, 0));
        pair_free(&p);
    }
}

/* MUST-11 */
static void in_syn_received_a_rst_returns_to_listen_without_a_word(void **state)
{
    struct pair p;
    mission_start_isn(&p, state, 300, 700, NULL, NULL);
    mission_play_client(&p);
    assert_int_equal(pair_listen(&p, 80, plan_hold()), 0);
    p.port = 5000;
    pair_forge(&p, PAIR_CLIENT, &(struct pair_forged){5000, 80, PL_SYN, 300, 0, 1000, NULL, 0}, 1 * PL_MS);
    pair_forge(&p, PAIR_CLIENT, &(struct pair_forged){5000, 80, PL_RST, 301, 0, 1000, NULL, 0}, 2 * PL_MS);
    RUN(&p);
    EXPECT(&p, "C> SYN injected\n"
               "C> RST injected states=?,LISTEN\n"
               "S> SYN,ACK seq=700 ack=301\n");
    mission_assert_clean(&p, PAIR_SERVER);
    assert_null(pair_conn(&p, PAIR_SERVER, 0));
    pair_free(&p);
}

static void a_listener_answers_any_ack_by_rst_and_a_rst_by_silence(void **state)
{
    struct pair p;
    mission_start_isn(&p, state, 300, 700, NULL, NULL);
    mission_play_client(&p);
    assert_int_equal(pair_listen(&p, 80, plan_hold()), 0);
    pair_forge(&p, PAIR_CLIENT, &(struct pair_forged){5000, 80, PL_ACK, 300, 4000, 1000, NULL, 0}, 1 * PL_MS);
    pair_forge(&p, PAIR_CLIENT, &(struct pair_forged){5000, 80, PL_SYN | PL_ACK, 300, 5000, 1000, NULL, 0}, 2 * PL_MS);
    pair_forge(&p, PAIR_CLIENT, &(struct pair_forged){5000, 80, PL_RST | PL_ACK, 300, 6000, 1000, NULL, 0}, 3 * PL_MS);
    pair_forge(&p, PAIR_CLIENT, &(struct pair_forged){5000, 80, PL_FIN, 300, 0, 1000, NULL, 0}, 4 * PL_MS);
    RUN(&p);
    EXPECT(&p, "C> ACK     injected drop=TCP_LISTEN_ACK\n"
               "C> SYN,ACK injected drop=TCP_LISTEN_ACK\n"
               "C> RST,ACK injected drop=TCP_LISTEN_RST\n"
               "C> FIN     injected drop=TCP_LISTEN_OTHER\n"
               "S> RST seq=4000 ack=0 len=0 win=0\n"
               "S> RST seq=5000 ack=0 len=0 win=0\n");
    mission_assert_clean(&p, PAIR_SERVER);
    pair_free(&p);
}

static void a_closed_port_answers_with_the_two_forms_of_the_rfc(void **state)
{
    struct pair p;
    mission_start(&p, state, NULL, NULL);
    mission_play_client(&p);
    pair_forge(&p, PAIR_CLIENT, &(struct pair_forged){5000, 81, PL_SYN, 300, 0, 1000, NULL, 0}, 1 * PL_MS);
    pair_forge(&p, PAIR_CLIENT, &(struct pair_forged){5000, 81, PL_FIN, 300, 0, 1000, "abc", 3}, 2 * PL_MS);
    pair_forge(&p, PAIR_CLIENT, &(struct pair_forged){5000, 81, PL_ACK, 300, 4000, 1000, "abc", 3}, 3 * PL_MS);
    pair_forge(&p, PAIR_CLIENT, &(struct pair_forged){5000, 81, PL_RST, 300, 0, 1000, NULL, 0}, 4 * PL_MS);
    RUN(&p);
    EXPECT(&p, "C> SYN injected\n"
               "C> FIN injected\n"
               "C> ACK injected\n"
               "C> RST injected\n"
               "S> RST,ACK seq=0    ack=301 len=0 win=0 why=RST_REFUSED\n"
               "S> RST,ACK seq=0    ack=304 len=0 win=0 why=RST_CLOSED\n"
               "S> RST     seq=4000 ack=0   len=0 win=0 why=RST_CLOSED\n");
    pair_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(in_syn_sent_a_wrong_ack_is_answered_by_seq_seg_ack_ctl_rst),
        BOTH(in_syn_sent_a_bare_wrong_ack_is_answered_by_rst_too),
        BOTH(in_syn_sent_a_right_ack_without_syn_is_dropped_in_silence),
        BOTH(in_syn_sent_only_a_rst_with_the_right_ack_refuses),
        BOTH(in_syn_received_a_wrong_ack_is_answered_by_seq_seg_ack_ctl_rst),
        BOTH(in_syn_received_a_rst_returns_to_listen_without_a_word),
        BOTH(a_listener_answers_any_ack_by_rst_and_a_rst_by_silence),
        BOTH(a_closed_port_answers_with_the_two_forms_of_the_rfc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
