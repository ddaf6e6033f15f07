/* SPDX-License-Identifier: MIT
 *
 * m02_numbers.c: mission M2: a SYN and a FIN consume one sequence number each, even without data; initial sequence numbers come from a
 * clock plus a keyed hash of the connection (RFC 9293 3.4.1, MUST-8, MUST-9, SHLD-1).
 */
#include "mission/mission.h"

static void syn_and_fin_consume_one_number_each_without_data(void **state)
{
    struct pair p;
    mission_start_isn(&p, state, 1000, 5000, NULL, NULL);
    assert_int_equal(pair_listen(&p, 80, plan_sink(1)), 0);
    struct program_conn *c = pair_connect(&p, 80, plan_hold());
    RUN_FOR(&p, 20 * PL_MS);
    struct pl_tcp_status s = mission_status(c);
    assert_int_equal(s.snd.iss, 1000);
    assert_int_equal(s.snd.una, 1001);
    assert_int_equal(s.snd.nxt, 1001);
    assert_int_equal(s.rcv.irs, 5000);
    assert_int_equal(s.rcv.nxt, 5001);
    RUN_FOR(&p, 20 * PL_MS);
    assert_int_equal(program_finish(c), 0);
    RUN(&p);
    EXPECT(&p, "C> SYN     seq=1000 ack=0    len=0\n"
               "S> SYN,ACK seq=5000 ack=1001 len=0\n"
               "C> ACK     seq=1001 ack=5001 len=0\n"
               "C> FIN,ACK seq=1001 ack=5001 len=0\n"
               "S> FIN,ACK seq=5001 ack=1002 len=0\n"
               "C> ACK     seq=1002 ack=5002 len=0\n");
    pair_free(&p);
}

static void a_fin_with_data_consumes_the_number_behind_its_last_byte(void **state)
{
    struct pair p;
    mission_start(&p, state, NULL, NULL);
    struct program_conn *s, *c = mission_establish(&p, &s);
    assert_int_equal(program_send_pattern(c, 10), 10);
    assert_int_equal(program_finish(c), 0);                            /* before the stack could send the ten bytes alone */
    RUN_FOR(&p, 15 * PL_MS);
    assert_int_equal(program_finish(s), 0);
    RUN(&p);
    EXPECT(&p, "C> FIN,PSH,ACK seq=1  ack=1  len=10\n"
               "S> ACK         seq=1  ack=12 len=0\n"
               "S> FIN,ACK     seq=1  ack=12 len=0\n"
               "C> ACK         seq=12 ack=2  len=0\n");
    pair_free(&p);
}

/* The first sequence number of a connection that the client opens at `at` from `port` to `to`, refused by a server that does not listen. */
static uint32_t isn_of(struct pair *p, uint16_t port, uint16_t to, pl_time at)
{
    RUN_FOR(p, at - p->sim->now);
    size_t n = p->segments;
    struct program_conn *c = pair_connect_from(p, PAIR_CLIENT, port, to, (struct program_plan){0});
    assert_non_null(c);
    RUN(p);
    assert_int_equal(c->error, PL_ECONNREFUSED);
    assert_true(p->segments > n);
    assert_int_equal(p->segment[n].flags, PL_SYN);
    return p->segment[n].seq;
}

/* MUST-8 */
static void the_isn_of_one_connection_grows_by_one_every_4_us(void **state)
{
    static const pl_time at[] = {1 * PL_S, 2 * PL_S, 2 * PL_S + 100 * PL_MS, 60 * PL_S, 3600 * PL_S, 10000 * PL_S, 17000 * PL_S};
    struct pair p;
    mission_start_isn(&p, state, -1, -1, NULL, NULL);
    uint32_t first = isn_of(&p, 4000, 80, at[0]);
    for (size_t i = 1; i < COUNT_OF(at); i++)
        assert_int_equal(isn_of(&p, 4000, 80, at[i]), first + (uint32_t)((at[i] - at[0]) / (4 * PL_US)));
    pair_free(&p);
}

/* SHLD-1 */
static void isns_of_different_connections_have_nothing_to_do_with_each_other(void **state)
{
    enum { N = 64 };
    uint32_t isn[N], near = 0, low = 0;
    struct pair p;
    mission_start_isn(&p, state, -1, -1, NULL, NULL);
    for (uint16_t i = 0; i < N; i++) {
        pl_time at = (i + 1) * PL_S;
        isn[i] = isn_of(&p, i % 2 ? (uint16_t)(4000 + i) : 4000, i % 2 ? 80 : (uint16_t)(1000 + i), at) - (uint32_t)(at / (4 * PL_US));
        low += isn[i] < 0x80000000u;
        for (unsigned k = 0; k < i; k++)
            near += isn[i] - isn[k] + 0x10000 < 0x20000;
    }
    /* 2016 pairs of random numbers: one within 2^16 of another is expected 0.06 times; half of them in each half of the circle. */
    assert_true(near <= 2);
    assert_true(low > N / 4 && low < 3 * N / 4);
    pair_free(&p);
}

static uint32_t isn_with_seed(void **state, uint64_t seed)
{
    struct pair p;
    struct pair_opts o;
    pair_opts_default(&o);
    o.v6 = SIX(state);
    o.seed = seed;
    o.isn[0] = o.isn[1] = -1;
    assert_int_equal(pair_init(&p, &o), 0);
    uint32_t isn = isn_of(&p, 4000, 80, 1 * PL_S);
    pair_free(&p);
    return isn;
}

/* MUST-9 */
static void the_secret_decides_and_nothing_else(void **state)
{
    uint32_t one = isn_with_seed(state, 1);
    assert_int_equal(isn_with_seed(state, 1), one);
    for (uint64_t seed = 2; seed < 10; seed++)
        assert_true(isn_with_seed(state, seed) != one);
}

static void a_listener_takes_its_isn_from_the_same_clock(void **state)
{
    struct pair p;
    uint32_t isn[2];
    mission_start_isn(&p, state, -1, -1, NULL, NULL);
    mission_play_client(&p);
    assert_int_equal(pair_listen(&p, 80, plan_hold()), 0);
    for (unsigned i = 0; i < 2; i++) {
        pl_time at = (1 + i * 10) * PL_S;
        RUN_FOR(&p, at - 2 * PL_MS - p.sim->now);
        pair_forge(&p, PAIR_CLIENT, &(struct pair_forged){5000, 80, PL_SYN, 100, 0, 1000, NULL, 0}, at);
        pair_forge(&p, PAIR_CLIENT, &(struct pair_forged){5000, 80, PL_RST, 101, 0, 0, NULL, 0}, at + 1 * PL_MS);
        RUN_FOR(&p, 4 * PL_MS);
        isn[i] = mission_last(&p, PAIR_SERVER)->seq;
        mission_assert_clean(&p, PAIR_SERVER);
    }
    assert_int_equal(isn[1] - isn[0], 10 * PL_S / (4 * PL_US));
    pair_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(syn_and_fin_consume_one_number_each_without_data),
        BOTH(a_fin_with_data_consumes_the_number_behind_its_last_byte),
        BOTH(the_isn_of_one_connection_grows_by_one_every_4_us),
        BOTH(isns_of_different_connections_have_nothing_to_do_with_each_other),
        BOTH(the_secret_decides_and_nothing_else),
        BOTH(a_listener_takes_its_isn_from_the_same_clock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
