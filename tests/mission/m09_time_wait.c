/* SPDX-License-Identifier: MIT
 *
 * m09_time_wait.c: mission M9: TIME-WAIT: the last ACK may be lost, and old segments of the dead connection harm neither the wait nor a new
 * connection on the same ports. RFC 9293 3.6.1, 3.10.7.4; RFC 1337; RFC 6191.
 */
#include "mission/mission.h"

/* The client closes first and is in TIME-WAIT; the server is CLOSED. All numbers below 3 are used: the client's SND.NXT and RCV.NXT
 * are 2. */
static void client_waits(struct pair *p, void **state, mission_configure *configure, void *user)
{
    mission_start(p, state, configure, user);
    struct program_conn *s, *c = mission_establish(p, &s);
    c->plan.keep_handle = s->plan.keep_handle = false;
    assert_int_equal(program_finish(c), 0);
    RUN_FOR(p, 100 * PL_MS);
    assert_int_equal(program_finish(s), 0);
    RUN_FOR(p, 15 * PL_MS);                                            /* the client has sent its last ACK at 210 ms */
    assert_int_equal(pair_state(p, PAIR_CLIENT), PL_TIME_WAIT);
    EXPECT(p, "C> FIN,ACK seq=1 ack=1\n S> ACK seq=1 ack=2\n S> FIN,ACK seq=1 ack=2\n C> ACK seq=2 ack=2 at=210ms\n");
}

static void without_timestamps(struct pl_config *c, enum pair_side side, void *user)
{
    (void)side;
    (void)user;
    c->timestamps = false;
}

/* MUST-13 */
static void it_lasts_2_msl_and_not_longer(void **state)
{
    struct pair p;
    client_waits(&p, state, NULL, NULL);
    RUN_FOR(&p, 210 * PL_MS + 60 * PL_S - 1 - p.sim->now);
    assert_int_equal(pair_state(&p, PAIR_CLIENT), PL_TIME_WAIT);
    RUN_FOR(&p, 1);
    assert_int_equal(pair_state(&p, PAIR_CLIENT), PL_CLOSED);
    mission_assert_clean(&p, PAIR_CLIENT);
    RUN(&p);
    EXPECT(&p, "");
    pair_free(&p);
}

static void msl_5_s(struct pl_config *c, enum pair_side side, void *user)
{
    (void)side;
    (void)user;
    c->msl = 5 * PL_S;
}

static void the_msl_is_the_configs(void **state)
{
    struct pair p;
    client_waits(&p, state, msl_5_s, NULL);
    RUN(&p);
    assert_true(p.sim->now == 10210 * PL_MS);
    pair_free(&p);
}

static void a_lost_last_ack_is_sent_again_and_the_wait_begins_anew(void **state)
{
    struct pair p;
    mission_start(&p, state, NULL, NULL);
    struct program_conn *s, *c = mission_establish(&p, &s);
    assert_int_equal(program_finish(c), 0);
    RUN_FOR(&p, 100 * PL_MS);
    EXPECT(&p, "C> FIN,ACK seq=1 ack=1 at=100ms\n"
               "S> ACK     seq=1 ack=2 at=110ms\n");
    assert_non_null(impair_add(pair_impair(&p, PAIR_CLIENT), &(struct impair_rule){.kind = IMPAIR_DROP, .nth = 1, .count = 3}));
    assert_int_equal(program_finish(s), 0);
    RUN(&p);
    EXPECT(&p, "S> FIN,ACK seq=1 ack=2 at=200ms  states=TIME-WAIT,LAST-ACK\n"
               "C> ACK     seq=2 ack=2 at=210ms  lost why=ACK_FIN\n"
               "S> FIN,ACK seq=1 ack=2 at=420ms  why=PROBE_LOSS\n"
               "C> ACK     seq=2 ack=2 at=430ms  lost why=ACK_TIME_WAIT\n"
               "S> FIN,ACK seq=1 ack=2 at=640ms  why=FIN_REPEAT\n"
               "C> ACK     seq=2 ack=2 at=650ms  lost why=ACK_TIME_WAIT\n"
               "S> FIN,ACK seq=1 ack=2 at=1080ms why=FIN_REPEAT\n"
               "C> ACK     seq=2 ack=2 at=1090ms why=ACK_TIME_WAIT states=TIME-WAIT,CLOSED\n");
    assert_true(s->over_at == 1100 * PL_MS);
    assert_int_equal(s->error, 0);
    assert_true(p.sim->now == 1090 * PL_MS + 60 * PL_S);               /* 2 MSL from the last repeated FIN */
    pair_free(&p);
}

static void a_reset_does_not_end_it(void **state)
{
    static const struct { uint8_t flags; uint32_t seq; } rst[] = {{PL_RST, 2}, {PL_RST | PL_ACK, 2}, {PL_RST, 3}, {PL_RST, 0}};
    struct pair p;
    client_waits(&p, state, without_timestamps, NULL);
    for (size_t i = 0; i < COUNT_OF(rst); i++)
        pair_forge(&p, PAIR_SERVER, &(struct pair_forged){p.port, 80, rst[i].flags, rst[i].seq, 2, 0, NULL, 0}, (i + 1) * PL_S);
    RUN_FOR(&p, 10 * PL_S);
    assert_int_equal(pair_count_drops(&p, PAIR_CLIENT, PL_DROP_TCP_RST_TIME_WAIT), COUNT_OF(rst));
    EXPECT(&p, "S> RST injected\n S> RST,ACK injected\n S> RST injected\n S> RST injected\n");
    RUN(&p);
    assert_true(p.sim->now == 60210 * PL_MS);                          /* nor prolong it */
    pair_free(&p);
}

static void old_data_is_answered_with_the_state_of_things(void **state)
{
    struct pair p;
    client_waits(&p, state, without_timestamps, NULL);
    pair_forge(&p, PAIR_SERVER, &(struct pair_forged){p.port, 80, PL_ACK | PL_PSH, 1, 2, 1000, "old", 3}, 1 * PL_S);
    /* a bare ACK in order: nothing to say */
    pair_forge(&p, PAIR_SERVER, &(struct pair_forged){p.port, 80, PL_ACK, 2, 2, 1000, NULL, 0}, 2 * PL_S);
    pair_forge(&p, PAIR_SERVER, &(struct pair_forged){p.port, 80, PL_ACK, 900, 2, 1000, NULL, 0}, 3 * PL_S);
    RUN(&p);
    EXPECT(&p, "S> PSH,ACK injected\n S> ACK injected\n S> ACK injected\n"
               "C> ACK seq=2 ack=2 len=0 at=1s\n"
               /* the server knows nothing any more, and its RST would end the wait (RFC 1337's assassination) */
               "S> RST seq=2 drop=TCP_RST_TIME_WAIT\n"
               "C> ACK seq=2 ack=2 len=0 at=3s\n"
               "S> RST seq=2 drop=TCP_RST_TIME_WAIT\n");
    assert_true(p.sim->now == 60210 * PL_MS);
    pair_free(&p);
}

static void the_waiting_side_cannot_open_the_same_connection(void **state)
{
    struct pl_connect_params again = {.local.port = 49152, .remote.port = 80};
    struct pair p;
    pl_conn h;
    client_waits(&p, state, NULL, NULL);
    again.remote.addr = SIX(state) ? p.opts.hosts.v6[1] : p.opts.hosts.v4[1];
    again.local.addr = SIX(state) ? p.opts.hosts.v6[0] : p.opts.hosts.v4[0];
    assert_int_equal(pl_connect(p.node[0]->stack, &again, &h), PL_EADDRINUSE);
    RUN(&p);
    assert_int_equal(pl_connect(p.node[0]->stack, &again, &h), 0);
    assert_int_equal(pl_close(p.node[0]->stack, h), 0);
    pair_free(&p);
}

static void the_program_may_give_its_handle_back_meanwhile(void **state)
{
    struct pair p;
    struct pl_tcp_status st;
    client_waits(&p, state, NULL, NULL);
    assert_true(pair_conn(&p, PAIR_CLIENT, 0)->handle == 0);           /* it did, on PL_EV_CLOSED */
    assert_int_equal(pl_status(p.node[0]->stack, 0, &st, sizeof st), PL_EHANDLE);
    uint32_t n[PL_STATE_COUNT];
    pl_states(p.node[0]->stack, n);
    assert_int_equal(n[PL_TIME_WAIT], 1);
    pair_free(&p);
}

/* -------------------- a new connection on the same ports -------------------- */

/* The server closes first and waits, so that a SYN can meet TIME-WAIT where somebody listens. The old connection carried `bytes` each way.
 * The client's last number is its SND.NXT, the server's RCV.NXT. */
static struct program_conn *server_waits(struct pair *p, void **state, uint32_t bytes, mission_configure *configure)
{
    mission_start(p, state, configure, NULL);
    struct program_conn *s, *c = mission_establish(p, &s);
    c->plan.keep_handle = s->plan.keep_handle = false;
    if (bytes) {
        assert_int_equal(program_send_pattern(c, bytes), bytes);
        assert_int_equal(program_send_pattern(s, bytes), bytes);
        RUN_FOR(p, 500 * PL_MS);
    }
    assert_int_equal(program_finish(s), 0);
    RUN_FOR(p, 100 * PL_MS);
    assert_int_equal(program_finish(c), 0);
    RUN_FOR(p, 100 * PL_MS);
    assert_int_equal(pair_state(p, PAIR_SERVER), PL_TIME_WAIT);
    assert_int_equal(pair_state(p, PAIR_CLIENT), PL_CLOSED);
    EXPECT(p, "*\n");
    return s;
}

/* MAY-2 */
static void a_client_that_comes_again_from_the_same_port_is_accepted_at_once(void **state)
{
    struct pair p;
    server_waits(&p, state, 1000, NULL);
    size_t old_end = p.segments;
    p.opts.isn[0] = -1;
    struct program_plan plan = plan_source(5000, 1);
    p.program[1]->port[0].plan = plan_sink(1);
    struct program_conn *c = pair_connect_from(&p, PAIR_CLIENT, 49152, 80, plan);
    assert_non_null(c);
    RUN_FOR(&p, 15 * PL_MS);
    /* every segment of the dead connection arrives once more, in the middle of the new one */
    for (size_t i = 0; i < old_end; i++)
        pair_replay(&p, i, p.sim->now + 10 * PL_MS + i * PL_MS);
    RUN_FOR(&p, 3 * PL_S);
    assert_true(c->connected);
    assert_int_equal(c->error, 0);
    assert_non_null(pair_conn(&p, PAIR_SERVER, 1));
    assert_true(pair_received(pair_conn(&p, PAIR_SERVER, 1), 5000));
    assert_int_equal(pair_count_events(&p, PAIR_SERVER, PL_TRACE_STATE, PL_WHY_GOT_NEW_SYN), 1);
    pair_free(&p);
}

/* MAY-2 */
static void our_new_iss_lies_above_the_old_snd_nxt(void **state)
{
    struct pair p;
    server_waits(&p, state, 1000, NULL);                               /* the listener's ISN is fixed at 0, below the old SND.NXT */
    p.opts.isn[0] = -1;
    assert_non_null(pair_connect_from(&p, PAIR_CLIENT, 49152, 80, plan_hold()));
    RUN_FOR(&p, 50 * PL_MS);
    const struct pair_segment *syn_ack = NULL;
    for (size_t i = p.expected; i < p.segments; i++)
        if (p.segment[i].flags == (PL_SYN | PL_ACK)) syn_ack = &p.segment[i];
    assert_non_null(syn_ack);
    assert_true(syn_ack->seq > 1002 && syn_ack->seq < 0x80000000u);
    pair_free(&p);
}

static void client_without_timestamps(struct pl_config *c, enum pair_side side, void *user)
{
    if (side == PAIR_CLIENT)
        without_timestamps(c, side, user);
}

struct syn_case {
    const char *name;
    uint32_t seq;
    int ts;                               /* 0: no timestamps option; else relative to the old connection's last: 100 + difference */
    bool accepted;
};

/* A forged SYN for the waiting server; RCV.NXT is 2 there. */
static void try_syn(void **state, mission_configure *configure, const struct syn_case *t)
{
    struct pair p;
    server_waits(&p, state, 0, configure);
    uint32_t last = 0;
    for (size_t i = 0; i < p.segments; i++)
        if (p.segment[i].from == PAIR_CLIENT) last = p.segment[i].seg.ts_val;
    mission_play_client(&p);
    struct pair_forged f = {49152, 80, PL_SYN, t->seq, 0, 1000, NULL, 0};
    uint32_t ts = last + (uint32_t)(t->ts - 100);
    uint8_t option[12] = {1, 1, 8, 10, (uint8_t)(ts >> 24), (uint8_t)(ts >> 16), (uint8_t)(ts >> 8), (uint8_t)ts};
    mission_forge_options(&p, PAIR_CLIENT, &f, option, t->ts ? sizeof option : 0, p.sim->now + 1 * PL_S);
    RUN_FOR(&p, 1500 * PL_MS);
    char lines[200];
    snprintf(lines, sizeof lines,
        t->accepted ? "C> SYN injected\n S> SYN,ACK ack=%" PRIu32 "\n" : "C> SYN injected\n S> ACK seq=2 ack=2 len=0 why=ACK_CHALLENGE\n",
        t->seq + 1);
    if (!pair_expect(&p, lines)) {
        fprintf(stderr, "the case: %s\n", t->name);
        fail();
    }
    assert_int_equal(pair_state(&p, PAIR_SERVER), t->accepted ? PL_SYN_RECEIVED : PL_TIME_WAIT);
    pair_free(&p);
}

/* SHLD-4 */
static void with_timestamps_on_both_the_greater_one_is_accepted(void **state)
{
    static const struct syn_case cases[] = {
        {"timestamp greater, sequence number below", 0, 101, true},
        {"timestamp greater, sequence number above", 1000, 101, true},
        {"timestamp equal, sequence number above", 3, 100, true},
        {"timestamp equal, sequence number behind the FIN", 2, 100, true},
        {"timestamp equal, sequence number of the FIN", 1, 100, false},
        {"timestamp smaller, sequence number above", 1000, 99, false},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        try_syn(state, NULL, &cases[i]);
}

/* SHLD-4 */
static void timestamps_on_the_new_one_only_are_accepted(void **state)
{
    static const struct syn_case cases[] = {
        {"only the new has timestamps, sequence number below", 0, 101, true},
        {"only the new has timestamps, sequence number above", 1000, 101, true},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        try_syn(state, client_without_timestamps, &cases[i]);
}

/* RFC 6191 2: "would be enabled": by us as well. A server that does not use them has no use for the client's. */
static void timestamps_that_we_would_not_use_count_for_nothing(void **state)
{
    static const struct syn_case cases[] = {
        {"the server has none, sequence number above", 1000, 101, true},
        {"the server has none, sequence number of the FIN", 1, 101, false},
        {"the server has none, sequence number below", 0, 101, false},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        try_syn(state, without_timestamps, &cases[i]);
}

static void without_timestamps_on_the_new_one_the_sequence_number_decides(void **state)
{
    static const struct syn_case cases[] = {
        {"no timestamps on the new, sequence number above", 3, 0, true},
        {"no timestamps on the new, sequence number behind the FIN", 2, 0, true},
        {"no timestamps on the new, sequence number of the FIN", 1, 0, false},
        {"no timestamps on the new, sequence number below", 0, 0, false},
        {"no timestamps on the new, half the circle below", 0x80000002u, 0, false},
    };
    for (unsigned old = 0; old < 2; old++)
        for (size_t i = 0; i < COUNT_OF(cases); i++)
            try_syn(state, old ? NULL : client_without_timestamps, &cases[i]);
}

/* MAY-2 (2): an old duplicate that looks new: the client, which knows nothing of it, resets, and the wait goes on to its end as if nothing had been. */
static void a_syn_that_proves_to_be_old_leads_back_to_time_wait(void **state)
{
    struct pair p;
    server_waits(&p, state, 0, without_timestamps);
    pl_time entered = 110 * PL_MS;
    for (size_t i = 0; i < p.segments; i++)
        if (p.segment[i].from == PAIR_CLIENT && (p.segment[i].flags & PL_FIN)) entered = p.segment[i].arrived;
    pl_time at = p.sim->now + 1 * PL_S;
    pair_forge(&p, PAIR_CLIENT, &(struct pair_forged){49152, 80, PL_SYN, 1000, 0, 1000, NULL, 0}, at);
    RUN_FOR(&p, 1500 * PL_MS);
    EXPECT(&p, "C> SYN     seq=1000          injected\n"
               "S> SYN,ACK          ack=1001          states=CLOSED,SYN-RECEIVED\n"
               "C> RST                                states=CLOSED,TIME-WAIT why=RST_CLOSED drop=TCP_RST_TAKEN\n");
    assert_int_equal(pair_count_events(&p, PAIR_SERVER, PL_TRACE_STATE, PL_WHY_TIME_WAIT_AGAIN), 1);
    assert_int_equal(pair_state(&p, PAIR_SERVER), PL_TIME_WAIT);
    RUN(&p);
    EXPECT(&p, "");
    assert_int_equal(pair_state(&p, PAIR_SERVER), PL_CLOSED);
    assert_true(p.sim->now == entered + 60 * PL_S);
    pair_free(&p);
}

static void one_time_wait(struct pl_config *c, enum pair_side side, void *user)
{
    (void)side;
    (void)user;
    c->time_wait_max = 1;
}

static void a_full_table_gives_up_its_oldest_entry(void **state)
{
    struct pair p;
    mission_start(&p, state, one_time_wait, NULL);
    assert_int_equal(pair_listen(&p, 80, plan_sink(1)), 0);
    for (unsigned i = 0; i < 3; i++) {
        assert_non_null(pair_connect(&p, 80, plan_source(10, 1)));
        RUN_FOR(&p, 1 * PL_S);
        uint32_t n[PL_STATE_COUNT];
        pl_states(p.node[0]->stack, n);
        assert_int_equal(n[PL_TIME_WAIT], 1);
    }
    assert_int_equal(pair_count_events(&p, PAIR_CLIENT, PL_TRACE_STATE, PL_WHY_RECYCLED), 2);
    RUN(&p);
    mission_assert_clean(&p, PAIR_CLIENT);
    pair_free(&p);
}

static unsigned waiting(struct pair *p)
{
    uint32_t n[PL_STATE_COUNT];
    pl_states(p->node[0]->stack, n);
    return n[PL_TIME_WAIT];
}

/* Each of several ends at its own time; the one whose wait began anew ends after the others. */
static void of_several_each_ends_at_its_own_time(void **state)
{
    struct pair p;
    mission_start(&p, state, without_timestamps, NULL);
    pl_time began = p.sim->now;
    assert_int_equal(pair_listen(&p, 80, plan_sink(1)), 0);
    assert_non_null(pair_connect(&p, 80, plan_source(10, 1)));
    RUN_FOR(&p, 1 * PL_S);
    uint16_t first = p.port;
    for (unsigned i = 0; i < 2; i++) {
        assert_non_null(pair_connect(&p, 80, plan_source(10, 1)));
        RUN_FOR(&p, 1 * PL_S);
    }
    assert_int_equal(waiting(&p), 3);
    pair_forge(&p, PAIR_SERVER, &(struct pair_forged){first, 80, PL_FIN | PL_ACK, 1, 12, 0, NULL, 0}, 7 * PL_S);
    RUN_FOR(&p, 8 * PL_S);
    assert_int_equal(pair_count_drops(&p, PAIR_CLIENT, PL_DROP_TCP_DUPLICATE), 1);
    static const struct { unsigned seconds, left; } then[] = {{60, 3}, {62, 2}, {63, 1}, {66, 1}, {68, 0}};
    for (size_t i = 0; i < COUNT_OF(then); i++) {
        RUN_FOR(&p, began + then[i].seconds * PL_S - p.sim->now);
        assert_int_equal(waiting(&p), then[i].left);
    }
    pair_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(it_lasts_2_msl_and_not_longer),
        BOTH(the_msl_is_the_configs),
        BOTH(a_lost_last_ack_is_sent_again_and_the_wait_begins_anew),
        BOTH(a_reset_does_not_end_it),
        BOTH(old_data_is_answered_with_the_state_of_things),
        BOTH(the_waiting_side_cannot_open_the_same_connection),
        BOTH(the_program_may_give_its_handle_back_meanwhile),
        BOTH(a_client_that_comes_again_from_the_same_port_is_accepted_at_once),
        BOTH(our_new_iss_lies_above_the_old_snd_nxt),
        BOTH(with_timestamps_on_both_the_greater_one_is_accepted),
        BOTH(timestamps_on_the_new_one_only_are_accepted),
        BOTH(timestamps_that_we_would_not_use_count_for_nothing),
        BOTH(without_timestamps_on_the_new_one_the_sequence_number_decides),
        BOTH(a_syn_that_proves_to_be_old_leads_back_to_time_wait),
        BOTH(a_full_table_gives_up_its_oldest_entry),
        BOTH(of_several_each_ends_at_its_own_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
