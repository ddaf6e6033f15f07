/* SPDX-License-Identifier: MIT
 *
 * The rules of auto-tuning alone (models/tune.h): when a round trip of the receiver is over, what size follows, and the ceiling that memory allows.
 */
#include "support/unit.h"

#include "base/prng.h"
#include "transport/tcp/models/tune.h"

enum { FIRST = 1 << 20, MAX = 64000000 };

static void a_round_is_over_when_the_peer_echoes_a_younger_timestamp(void **state)
{
    static const struct {
        uint32_t echo, began, now;
        bool over;
    } rows[] = {
        {1000, 1000, 1000, false},        /* echoes what was sent before the round began, or in the same millisecond */
        {999, 1000, 1300, false},
        {1000, 1000, 1300, false},
        {1001, 1000, 1300, true},
        {1300, 1000, 1300, true},
        {1301, 1000, 1300, false},        /* what we have not said yet is no echo */
        {0, 1000, 1300, false},
        {5, 0xfffffff0, 20, true},        /* over the end of the numbers */
        {0xfffffff0, 0xfffffff0, 20, false},
        {0xffffffef, 0xfffffff0, 20, false},
        {21, 0xfffffff0, 20, false},
    };
    (void)state;
    for (unsigned i = 0; i < COUNT_OF(rows); i++) {
        struct tune_round r = {.echoes = true, .echo = rows[i].echo, .began = rows[i].began, .now = rows[i].now, .srtt_ms = 1, .arrived = UINT32_MAX, .rcvbuf = 1};
        assert_int_equal(tune_round_over(&r), rows[i].over);
    }
}

static void without_timestamps_it_lasts_a_measured_round_trip_or_a_buffer(void **state)
{
    (void)state;
    struct tune_round r = {.began = 0xffffff00, .now = 0xffffff00 + 300, .srtt_ms = 300, .arrived = UINT32_MAX, .rcvbuf = 1};
    assert_false(tune_round_over(&r));
    r.now++;
    assert_true(tune_round_over(&r));
    r = (struct tune_round){.now = 1000000, .arrived = 65534, .rcvbuf = 65535};
    assert_false(tune_round_over(&r));
    r.arrived++;
    assert_true(tune_round_over(&r));
}

/* The peer doubles its rate in each round trip until it is at `most` per round trip, or stands at the window that it was told a round trip before. Returns the
 * rounds that the window held it back. */
static unsigned held_back(uint32_t window, uint32_t most, uint32_t *end)
{
    uint32_t cwnd = 14600, before = 0, told = window;
    unsigned held = 0;
    for (unsigned round = 0; round < 40; round++) {
        uint32_t sent = cwnd < told ? cwnd : told;
        held += sent < cwnd;
        told = window;                    /* what the ACKs of this round say, the peer knows in the next */
        uint32_t wanted = tune_rcvbuf(sent, before);
        before = sent;
        if (wanted > window)
            window = wanted < MAX ? wanted : MAX;
        cwnd = sent * 2 < most ? sent * 2 : most;
    }
    *end = window;
    return held;
}

static void the_window_is_ahead_of_a_peer_in_slow_start(void **state)
{
    (void)state;
    uint32_t end;
    for (uint32_t most = 100000; most < MAX / 2; most += most / 3) {
        assert_int_equal(held_back(FIRST, most, &end), 0);
        assert_true(end >= 2 * most || end >= FIRST);
        assert_true(end <= 5 * most || end == FIRST);                  /* and not without bound */
        (void)held_back(65535, most, &end);
        assert_true(end >= 2 * most || end == MAX);                    /* from a small one as well, in the end */
    }
}

static void what_arrives_steadily_moves_nothing(void **state)
{
    (void)state;
    assert_int_equal(tune_rcvbuf(0, 0), 0);
    assert_int_equal(tune_rcvbuf(1000000, 1000000), 2000000);
    assert_int_equal(tune_rcvbuf(1000000, 9000000), 2000000);
    assert_int_equal(tune_rcvbuf(1000000, 500000), 5000000);           /* it doubled */
    assert_int_equal(tune_rcvbuf(1000000, 100000), 2600000);           /* it jumped */
    assert_int_equal(tune_rcvbuf(UINT32_MAX, UINT32_MAX / 2), 1 << 30);
    assert_true(tune_program_lags(251, 1000));
    assert_false(tune_program_lags(250, 1000));
    assert_int_equal(tune_sndbuf(500000, 1000000), 0);
    assert_int_equal(tune_sndbuf(500001, 1000000), 1250002);
    assert_int_equal(tune_sndbuf(1 << 30, 1000000), 1 << 30);
}

/* Slow start from 10 segments to 1 GiB, an ACK for each two segments: the buffer is twice the congestion window, and yet it changes seldom. */
static void the_send_buffer_follows_in_few_steps(void **state)
{
    (void)state;
    uint32_t size = 16384;
    unsigned steps = 0;
    for (uint32_t cwnd = 14600; cwnd < 1 << 29; cwnd += 2920) {
        uint32_t to = tune_sndbuf(cwnd, size);
        if (to)
            size = to, steps++;
        assert_true(size >= 2 * cwnd || size == 1 << 30);
    }
    assert_in_range(steps, 10, 60);       /* log(2^30 / 29200) to the base of 1.25: 47 */
}

static void the_ceiling_comes_down_from_max_to_first(void **state)
{
    (void)state;
    struct prng p;
    prng_seed(&p, 42);
    for (int n = 0; n < 100000; n++) {
        uint32_t first = 1 + prng_below(&p, 1u << (1 + prng_below(&p, 29))), max = prng_below(&p, 8) ? 1 + prng_below(&p, 1 << 30) : 0;
        uint64_t all = 1 + (((uint64_t)prng_below(&p, 1 << 24) << 24 | prng_below(&p, 1 << 24)) >> prng_below(&p, 44));
        uint64_t left = all / 1000 * prng_below(&p, 1001), more = left + all / 1000 * prng_below(&p, 50);
        uint32_t at = tune_ceiling(first, max, left, all);
        assert_true(at >= first && (at <= max || at == first));
        assert_true(tune_ceiling(first, max, more, all) >= at);        /* more memory never means less */
        if (max > first) {
            assert_int_equal(tune_ceiling(first, max, all, all), max);
            assert_int_equal(tune_ceiling(first, max, all / 8, all), first);
        }
    }
    assert_int_equal(tune_ceiling(1000, 9000, 5000, 10000), 9000);
    assert_int_equal(tune_ceiling(1000, 9000, 3125, 10000), 5000);     /* half way between an eighth and a half */
    assert_int_equal(tune_ceiling(1000, 9000, 0, 10000), 1000);
}

static void it_grows_as_far_as_memory_allows(void **state)
{
    static const struct {
        uint32_t from, wanted, ceiling, largest, to;
    } rows[] = {
        {1000, 5000, 100000, 100000, 5000},
        {1000, 5000, 100000, 4000, 4000},
        {1000, 1000, 100000, 100000, 1000},
        {1000, 0, 100000, 100000, 1000},
        {1000, 1125, 100000, 100000, 1000},                            /* not worth it, but as the last step */
        {1000, 1126, 100000, 100000, 1126},
        {1000, 9000, 100000, 1001, 1001},
        {5000, 9000, 100000, 4000, 5000},                              /* the config would give less than the program had set */
        {1000, 5000, 1500, 100000, 1000},                              /* memory is in the way */
        {1000, 5000, 1502, 100000, 1251},
        {1000, 5000, 4000, 100000, 2500},
        {1000, 5000, 500, 100000, 1000},
    };
    (void)state;
    for (unsigned i = 0; i < COUNT_OF(rows); i++)
        assert_int_equal(tune_grown(rows[i].from, rows[i].wanted, rows[i].ceiling, rows[i].largest), rows[i].to);
}

static void small_changes_and_little_room_are_not_worth_it(void **state)
{
    (void)state;
    assert_false(tune_shrinks(18000, 16000));
    assert_true(tune_shrinks(18001, 16000));
    assert_false(tune_shrinks(1, 16000));
    unsigned told = 0;
    for (uint32_t n = (1 << 20) - 1; n > 1 << 16; n -= 100)
        told += tune_step_is_told(n, n - 100);
    assert_int_equal(told, 16);                                        /* four octaves */
    assert_true(tune_step_is_told(2, 1) && tune_step_is_told(1 << 30, 1) && !tune_step_is_told(1, 0));
    assert_false(tune_worth_telling(1 << 20, (1 << 20) - 65535));
    assert_true(tune_worth_telling(1 << 20, (1 << 20) - 65536));
    assert_false(tune_worth_telling(1000, 751));
    assert_true(tune_worth_telling(1000, 750));
    assert_true(tune_worth_telling(1, 0));
    assert_false(tune_worth_telling(1, 1));
    assert_false(tune_worth_telling(1, 2));                            /* the program made the buffer smaller than what lies in it */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_round_is_over_when_the_peer_echoes_a_younger_timestamp),
        cmocka_unit_test(without_timestamps_it_lasts_a_measured_round_trip_or_a_buffer),
        cmocka_unit_test(the_window_is_ahead_of_a_peer_in_slow_start),
        cmocka_unit_test(what_arrives_steadily_moves_nothing),
        cmocka_unit_test(the_send_buffer_follows_in_few_steps),
        cmocka_unit_test(the_ceiling_comes_down_from_max_to_first),
        cmocka_unit_test(it_grows_as_far_as_memory_allows),
        cmocka_unit_test(small_changes_and_little_room_are_not_worth_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
