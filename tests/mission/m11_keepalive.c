/* SPDX-License-Identifier: MIT
 *
 * m11_keepalive.c: mission M11: keepalive, RFC 9293 3.8.4: off unless asked for (MUST-25), only after silence (MUST-26), 2 hours by default
 * (MUST-28), and one probe without answer is no proof (MUST-29).
 */
#include "mission/mission.h"

/* MUST-24, 25 */
static void off_unless_asked_for(void **state)
{
    struct pair p;
    int64_t on = -1;
    mission_start(&p, state, NULL, NULL);
    struct program_conn *c = mission_establish(&p, NULL);
    assert_int_equal(pl_get(STACK(c), c->handle, PL_OPT_KEEPALIVE, &on), 0);
    assert_int_equal(on, 0);
    sim_node_power(p.node[PAIR_SERVER], false);
    RUN_FOR(&p, 24 * 3600 * PL_S);
    EXPECT(&p, "");
    assert_int_equal(mission_status(c).state, PL_ESTABLISHED);
    pair_free(&p);
}

/* MAY-5, MUST-24, 28, SHLD-12 */
static void a_peer_whose_machine_died_is_found_out_after_nine_probes(void **state)
{
    struct pair p;
    mission_start(&p, state, NULL, NULL);
    struct program_conn *c = mission_establish(&p, NULL);
    assert_int_equal(pl_set(STACK(c), c->handle, PL_OPT_KEEPALIVE, 1), 0);
    sim_node_power(p.node[PAIR_SERVER], false);
    RUN_FOR(&p, 10000 * PL_S);
    assert_int_equal(c->error, PL_ETIMEDOUT);
    /* Counted from the call, at 100 ms, or from what was heard last if that was later. */
    EXPECT(&p, "C> ACK seq=0 ack=1 len=0 at=7200100ms why=PROBE_KEEPALIVE lost\n"
               "C> ACK seq=0 ack=1 len=0 at=7275100ms lost\n"
               "C> ACK seq=0 ack=1 len=0 at=7350100ms lost\n"
               "C> ACK seq=0 ack=1 len=0 at=7425100ms lost\n"
               "C> ACK seq=0 ack=1 len=0 at=7500100ms lost\n"
               "C> ACK seq=0 ack=1 len=0 at=7575100ms lost\n"
               "C> ACK seq=0 ack=1 len=0 at=7650100ms lost\n"
               "C> ACK seq=0 ack=1 len=0 at=7725100ms lost\n"
               "C> ACK seq=0 ack=1 len=0 at=7800100ms lost\n"
               "C> RST seq=1 at=7875100ms why=RST_TIMEOUT lost\n");
    assert_true(c->over_at == 7875100 * PL_MS);
    pair_free(&p);
}

static void fast(struct pl_config *c, enum pair_side side, void *user)
{
    (void)side;
    (void)user;
    c->keepalive_idle = 10 * PL_S;
    c->keepalive_interval = 2 * PL_S;
    c->keepalive_probes = 3;
}

/* MUST-27 */
static void a_peer_that_lives_answers_and_the_connection_stays(void **state)
{
    struct pair p;
    mission_start(&p, state, fast, NULL);
    struct program_conn *s, *c = mission_establish(&p, &s);
    assert_int_equal(pl_set(STACK(c), c->handle, PL_OPT_KEEPALIVE, 1), 0);
    RUN_FOR(&p, 35 * PL_S - p.sim->now);
    EXPECT(&p, "C> ACK seq=0 ack=1 len=0 at=10100ms why=PROBE_KEEPALIVE\n"
               "S> ACK seq=1 ack=1 len=0 at=10110ms\n"
               "C> ACK seq=0 ack=1 len=0 at=20120ms\n"
               "S> ACK seq=1 ack=1 len=0 at=20130ms\n"
               "C> ACK seq=0 ack=1 len=0 at=30140ms\n"
               "S> ACK seq=1 ack=1 len=0 at=30150ms\n");
    RUN_FOR(&p, 24 * 3600 * PL_S);
    assert_int_equal(c->error, 0);
    assert_int_equal(mission_status(c).state, PL_ESTABLISHED);
    assert_int_equal(mission_status(s).state, PL_ESTABLISHED);
    assert_int_equal(s->received, 0);
    pair_free(&p);
}

/* MUST-29 */
static void one_or_two_lost_probes_are_no_proof(void **state)
{
    struct pair p;
    mission_start(&p, state, fast, NULL);
    struct program_conn *c = mission_establish(&p, NULL);
    assert_int_equal(pl_set(STACK(c), c->handle, PL_OPT_KEEPALIVE, 1), 0);
    assert_non_null(impair_add(pair_impair(&p, PAIR_CLIENT), &(struct impair_rule){.kind = IMPAIR_DROP, .nth = 1, .count = 2}));
    RUN_FOR(&p, 20 * PL_S - p.sim->now);
    EXPECT(&p, "C> ACK seq=0 at=10100ms lost\n"
               "C> ACK seq=0 at=12100ms lost\n"
               "C> ACK seq=0 at=14100ms\n"
               "S> ACK seq=1 at=14110ms\n");
    assert_int_equal(mission_status(c).state, PL_ESTABLISHED);
    pair_free(&p);
}

/* MUST-26 */
static void traffic_puts_the_probe_off(void **state)
{
    struct pair p;
    mission_start(&p, state, fast, NULL);
    struct program_conn *s, *c = mission_establish(&p, &s);
    assert_int_equal(pl_set(STACK(c), c->handle, PL_OPT_KEEPALIVE, 1), 0);
    RUN_FOR(&p, 5 * PL_S - p.sim->now);
    assert_int_equal(program_send_pattern(s, 10), 10);                 /* heard at 5.010 s */
    RUN_FOR(&p, 5 * PL_S);
    EXPECT(&p, "S> PSH,ACK len=10 at=5s\n C> ACK\n");
    RUN_FOR(&p, 5500 * PL_MS);
    EXPECT(&p, "C> ACK seq=0 at=15010ms why=PROBE_KEEPALIVE\n S> ACK\n");
    pair_free(&p);
}

static void a_peer_that_was_restarted_resets(void **state)
{
    struct pair p;
    mission_start(&p, state, fast, NULL);
    struct program_conn *s, *c = mission_establish(&p, &s);
    assert_int_equal(pl_set(STACK(c), c->handle, PL_OPT_KEEPALIVE, 1), 0);
    /* the server forgets the connection, and its RST does not get through */
    p.link->down = true;
    assert_int_equal(program_abort(s), 0);
    RUN_FOR(&p, 1 * PL_S);
    p.link->down = false;
    RUN_FOR(&p, 20 * PL_S);
    EXPECT(&p, "S> RST lost\n C> ACK seq=0 ack=1 why=PROBE_KEEPALIVE\n S> RST seq=1\n");
    assert_int_equal(c->error, PL_ECONNRESET);
    pair_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(off_unless_asked_for),
        BOTH(a_peer_whose_machine_died_is_found_out_after_nine_probes),
        BOTH(a_peer_that_lives_answers_and_the_connection_stays),
        BOTH(one_or_two_lost_probes_are_no_proof),
        BOTH(traffic_puts_the_probe_off),
        BOTH(a_peer_that_was_restarted_resets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
