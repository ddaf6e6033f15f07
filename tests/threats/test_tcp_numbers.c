/* SPDX-License-Identifier: MIT
 *
 * Threats V40, V57 and V58: what a stranger must not be able to predict: initial sequence numbers, ports and timestamps. Statistical, with fixed
 * seeds: each bound lies five standard deviations or more from what is expected, so that only a change of the generator can cross it.
 */
#include "support/unit.h"

#include "support/victim.h"

enum { CONNECTS = 10000 };

static struct victim v;
static uint32_t sample[CONNECTS], other[CONNECTS];

static struct pl_config config(uint8_t seed)
{
    struct pl_config c = victim_config();
    c.timestamps = true;
    memset(c.seed, seed, sizeof c.seed);
    return c;
}

static int make(void **state)
{
    struct pl_config c = config(1);
    (void)state;
    victim_make(&v, &c);
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    victim_free(&v);
    return 0;
}

/* ------------------------------------------------------------ statistics ------------------------------------------------------------ */

/* Chi-square of 256 bins: 255 is expected, with a standard deviation of 22.6. Far below is as suspicious as far above: a counter. */
static void uniform(const char *what, const uint32_t *x, uint32_t n, unsigned shift)
{
    uint32_t bins[256] = {0};
    double sum = 0, expected = n / 256.0;
    for (uint32_t i = 0; i < n; i++)
        bins[x[i] >> shift & 255]++;
    for (unsigned b = 0; b < 256; b++)
        sum += (bins[b] - expected) * (bins[b] - expected) / expected;
    if (sum < 255 - 5 * 22.6 || sum > 255 + 5 * 22.6)
        fail_msg("%s, bits %u to %u: chi-square %.0f", what, shift, shift + 7, sum);
}

static int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

/* Of n values out of 2^32, n^2 / 2^33 are expected to collide: of 10,000, one in 86 times. */
static uint32_t collisions(const uint32_t *x, uint32_t n)
{
    static uint32_t sorted[65536];
    uint32_t found = 0;
    memcpy(sorted, x, n * sizeof *x);
    qsort(sorted, n, sizeof *sorted, by_value);
    for (uint32_t i = 1; i < n; i++)
        found += sorted[i] == sorted[i - 1];
    return found;
}

static void looks_random(const char *what, const uint32_t *x, uint32_t n)
{
    static uint32_t steps[CONNECTS], doubles[CONNECTS];
    for (uint32_t i = 0; i + 1 < n; i++)
        steps[i] = x[i + 1] - x[i];
    for (uint32_t i = 0; i + 2 < n; i++)               /* an LCG or a counter that is shuffled has steps that follow from each other */
        doubles[i] = steps[i + 1] - steps[i];
    for (unsigned shift = 0; shift < 32; shift += 8) {
        uniform(what, x, n, shift);
        uniform("its steps", steps, n - 1, shift);
        uniform("the steps of its steps", doubles, n - 2, shift);
    }
    assert_true(collisions(x, n) <= 2);
    assert_true(collisions(steps, n - 1) <= 2);
}

/* ------------------------------------------------------------ what the victim says first ------------------------------------------------------------ */

static struct forged called(const struct pl_endpoint *remote, uint16_t local_port)
{
    struct pl_connect_params params = {.remote = *remote, .local = {.port = local_port}};
    struct forged f;
    pl_conn c;
    pl_poll(v.s, v.now);
    assert_int_equal(pl_connect(v.s, &params, &c), PL_OK);
    assert_true(victim_take(&v, &f));
    assert_int_equal(f.flags, PL_SYN);
    assert_int_equal(pl_close(v.s, c), PL_OK);
    victim_silent(&v);
    return f;
}

static struct forged answered(const struct pl_endpoint *from)
{
    struct forged f = {.src = *from, .dst = victim_endpoint(memcmp(from->addr.b, (uint8_t[12]){[10] = 0xff, [11] = 0xff}, 12) != 0, VICTIM_PORT), .seq = 1,
                       .flags = PL_SYN, .wnd = 1000, .opts = {.have = WIRE_OPT_TIMESTAMPS}}, said;
    struct forged end = f;
    assert_int_equal(victim_give(&v, &f), PL_DROP_NONE);
    assert_true(victim_take(&v, &said));
    assert_int_equal(said.flags, PL_SYN | PL_ACK);
    end.flags = PL_RST, end.seq = 2;
    assert_int_equal(victim_give(&v, &end), PL_DROP_TCP_RST_TAKEN);
    return said;
}

/* ------------------------------------------------------------ V40 ------------------------------------------------------------ */

static void v40_ten_thousand_initial_sequence_numbers_have_no_pattern(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < 6; kind++) {
        bool v6 = kind & 1;
        for (uint32_t i = 0; i < CONNECTS; i++) {
            struct pl_endpoint far = victim_stranger(v6, kind / 2 == 0 ? i : 0, (uint16_t)(kind / 2 == 0 ? 443 : 1000 + i));
            sample[i] = kind / 2 == 2 ? answered(&far).seq : called(&far, (uint16_t)(kind / 2 ? 0 : 50000)).seq;
        }
        looks_random("initial sequence numbers", sample, CONNECTS);
    }
}

/* RFC 9293 3.4.1, RFC 6528: for one pair of sockets the clock alone moves it, 4 us a step, so an old duplicate never looks new. */
static void v40_for_one_tuple_they_follow_the_clock(void **state)
{
    (void)state;
    for (unsigned passive = 0; passive < 2; passive++)
        for (unsigned v6 = 0; v6 < 2; v6++) {
            struct pl_endpoint far = victim_stranger(v6, 1, 443);
            uint32_t first = passive ? answered(&far).seq : called(&far, 50000).seq, last = first;
            pl_time begin = v.now;
            for (unsigned i = 0; i < 1000; i++) {
                v.now += (i * 7919 % 1000000 + 4) * PL_US;
                uint32_t isn = passive ? answered(&far).seq : called(&far, 50000).seq;
                assert_true((int32_t)(isn - last) > 0);
                assert_int_equal(isn, first + (uint32_t)(v.now / (4 * PL_US) - begin / (4 * PL_US)));
                last = isn;
            }
        }
}

/* Nothing of it can be known without the secret: another seed has nothing in common with it, nor has another tuple. */
static void v40_they_depend_on_every_part_of_the_tuple_and_on_the_seed(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < CONNECTS; i++)
        sample[i] = called(&(struct pl_endpoint){victim_stranger(i & 1, i, 0).addr, 443, 0}, 50000).seq;
    victim_free(&v);
    struct pl_config c = config(2);
    victim_make(&v, &c);
    for (uint32_t i = 0; i < CONNECTS; i++)
        other[i] = called(&(struct pl_endpoint){victim_stranger(i & 1, i, 0).addr, 443, 0}, 50000).seq - sample[i];
    looks_random("the difference that a seed makes", other, CONNECTS);
    struct pl_endpoint a = victim_stranger(false, 1, 443), b = victim_stranger(false, 2, 443), p = victim_stranger(false, 1, 444);
    uint32_t of_a = called(&a, 50000).seq;
    assert_int_not_equal(of_a, called(&b, 50000).seq);
    assert_int_not_equal(of_a, called(&p, 50000).seq);
    assert_int_not_equal(of_a, called(&a, 50001).seq);
    assert_int_equal(of_a, called(&a, 50000).seq);
}

/* ------------------------------------------------------------ V57 ------------------------------------------------------------ */

enum { FIRST_PORT = 32768, PORTS = 65536 - FIRST_PORT };

/* RFC 6056 3.3.3: from peer to peer the ports start at unrelated places ... */
static void v57_the_port_for_one_peer_tells_nothing_of_the_port_for_another(void **state)
{
    (void)state;
    for (unsigned v6 = 0; v6 < 2; v6++)
        for (unsigned by_port = 0; by_port < 2; by_port++) {
            for (uint32_t i = 0; i < CONNECTS; i++) {
                struct pl_endpoint far = victim_stranger(v6, by_port ? 1 : i, (uint16_t)(by_port ? 1 + i : 443));
                uint16_t port = called(&far, 0).src.port;
                assert_true(port >= FIRST_PORT);
                sample[i] = port - FIRST_PORT;
            }
            for (uint32_t i = 0; i + 1 < CONNECTS; i++)
                other[i] = (sample[i + 1] - sample[i]) % PORTS;
            uniform("ports", sample, CONNECTS, 0);
            uniform("ports", sample, CONNECTS, 7);
            uniform("steps of ports", other, CONNECTS - 1, 0);
            uniform("steps of ports", other, CONNECTS - 1, 7);
        }
}

/* ... and to one peer each comes again only after all the others, so an open/close loop never meets its own TIME-WAIT. */
static void v57_an_open_and_close_loop_uses_every_port_before_one_comes_again(void **state)
{
    (void)state;
    for (unsigned v6 = 0; v6 < 2; v6++) {
        static uint8_t seen[65536];
        struct pl_endpoint far = victim_stranger(v6, 77, 443);
        memset(seen, 0, sizeof seen);
        for (uint32_t i = 0; i < PORTS; i++) {
            uint16_t port = called(&far, 0).src.port;
            assert_int_equal(seen[port]++, 0);
            if (i % 100 == 0)             /* what others open in between makes no difference */
                (void)called(&(struct pl_endpoint){victim_stranger(v6, 5000 + i, 0).addr, 80, 0}, 0), i++;
        }
    }
}

static void v57_when_all_ports_are_taken_the_program_is_told(void **state)
{
    (void)state;
    struct pl_config c = config(3);
    victim_free(&v);
    c.connections_max = PORTS + 100;
    c.flights_max = c.gaps_max = 1;
    victim_make(&v, &c);
    struct pl_endpoint far = victim_stranger(true, 1, 443), another = victim_stranger(true, 2, 443);
    struct pl_connect_params params = {.remote = far};
    static uint8_t seen[65536];
    struct forged f;
    pl_conn conn, last = 0;
    memset(seen, 0, sizeof seen);
    for (uint32_t i = 0; i < PORTS; i++) {
        assert_int_equal(pl_connect(v.s, &params, &conn), PL_OK);
        assert_true(victim_take(&v, &f));
        assert_int_equal(seen[f.src.port]++, 0);
        last = i == PORTS / 2 ? conn : last;
    }
    assert_int_equal(pl_connect(v.s, &params, &conn), PL_EADDRNOTAVAIL);
    assert_int_equal(v.s->pools.conns.used, PORTS);
    params.remote = another;              /* to another peer they are all free */
    assert_int_equal(pl_connect(v.s, &params, &conn), PL_OK);
    assert_true(victim_take(&v, &f));
    struct pl_tcp_status st;
    assert_int_equal(pl_status(v.s, last, &st, sizeof st), PL_OK);
    assert_int_equal(pl_close(v.s, last), PL_OK);
    params.remote = far;
    assert_int_equal(pl_connect(v.s, &params, &conn), PL_OK);
    assert_true(victim_take(&v, &f));
    assert_int_equal(f.src.port, st.local.port);
}

/* ------------------------------------------------------------ V58 ------------------------------------------------------------ */

/* RFC 7323 7: at one moment each peer sees another clock: none tells how long the machine is up, nor that two of them talk to the same machine. */
static void v58_timestamps_are_unrelated_from_peer_to_peer(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < 4; kind++) {
        for (uint32_t i = 0; i < CONNECTS; i++) {
            struct pl_endpoint far = victim_stranger(kind & 1, i, 443);
            struct forged f = kind & 2 ? answered(&far) : called(&far, 50000);
            assert_true(f.opts.have & WIRE_OPT_TIMESTAMPS);
            sample[i] = f.opts.ts_val;
            other[i] = f.opts.ts_val - f.seq;                 /* and it is no help for the sequence number */
        }
        looks_random("timestamps", sample, CONNECTS);
        looks_random("timestamps against sequence numbers", other, CONNECTS);
    }
}

/* RFC 7323 5.4, RFC 6191: to one peer it counts milliseconds, across connections as within one. */
static void v58_for_one_tuple_the_clock_goes_on_from_connection_to_connection(void **state)
{
    (void)state;
    for (unsigned v6 = 0; v6 < 2; v6++) {
        struct pl_endpoint far = victim_stranger(v6, 1, 443);
        uint32_t first = called(&far, 50000).opts.ts_val;
        pl_time begin = v.now;
        for (unsigned i = 0; i < 1000; i++) {
            v.now += (i * 7919 % 100000 + 1) * PL_MS;
            assert_int_equal(called(&far, 50000).opts.ts_val, first + (uint32_t)(v.now / PL_MS - begin / PL_MS));
        }
        struct peer_wish w = {.opts = {.have = WIRE_OPT_TIMESTAMPS}, .number = 3};
        struct peer p = peer_connects(&v, v6, &w);
        first = p.ts_ecr;
        begin = v.now;
        for (unsigned i = 1; i < 20; i++) {
            victim_wait(&v, i * PL_S);
            (void)victim_hush(&v);
            peer_works(&p, "some seconds");
            assert_int_equal(p.ts_ecr, first + (uint32_t)(v.now / PL_MS - begin / PL_MS));
        }
        assert_int_equal(pl_abort(v.s, p.c), PL_OK);
        assert_int_equal(pl_close(v.s, p.c), PL_OK);
        (void)victim_hush(&v);
        victim_wait(&v, 100 * PL_S);
        assert_int_equal(answered(&p.at).opts.ts_val, first + (uint32_t)(v.now / PL_MS - begin / PL_MS));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(v40_ten_thousand_initial_sequence_numbers_have_no_pattern, make, unmake),
        cmocka_unit_test_setup_teardown(v40_for_one_tuple_they_follow_the_clock, make, unmake),
        cmocka_unit_test_setup_teardown(v40_they_depend_on_every_part_of_the_tuple_and_on_the_seed, make, unmake),
        cmocka_unit_test_setup_teardown(v57_the_port_for_one_peer_tells_nothing_of_the_port_for_another, make, unmake),
        cmocka_unit_test_setup_teardown(v57_an_open_and_close_loop_uses_every_port_before_one_comes_again, make, unmake),
        cmocka_unit_test_setup_teardown(v57_when_all_ports_are_taken_the_program_is_told, make, unmake),
        cmocka_unit_test_setup_teardown(v58_timestamps_are_unrelated_from_peer_to_peer, make, unmake),
        cmocka_unit_test_setup_teardown(v58_for_one_tuple_the_clock_goes_on_from_connection_to_connection, make, unmake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
