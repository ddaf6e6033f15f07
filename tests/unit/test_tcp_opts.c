/* SPDX-License-Identifier: MIT
 *
 * TCP options: each kind, each wrong length (threats V29), the order in which they are written, random bytes.
 */
#include "support/unit.h"

#include "base/prng.h"
#include "support/guard.h"
#include "wire/tcp_opts.h"

static struct wire_tcp_opts read_opts(const void *bytes, size_t n)
{
    struct wire_tcp_opts o;
    memset(&o, 0xee, sizeof o);
    wire_tcp_opts_read(guard_copy(bytes, n), n, &o);
    guard_reset();
    return o;
}

enum { SYN_OPTS = WIRE_OPT_MSS | WIRE_OPT_SACK_PERMITTED | WIRE_OPT_TIMESTAMPS | WIRE_OPT_WSCALE };

/* MUST-4 */
static void every_option_of_a_syn_is_read(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {2, 4, 0x05, 0xb4, 4, 2, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8, 1, 3, 3, 7};
    struct wire_tcp_opts o = read_opts(bytes, sizeof bytes);
    assert_int_equal(o.have, SYN_OPTS);
    assert_int_equal(o.mss, 1460);
    assert_int_equal(o.wscale, 7);
    assert_int_equal(o.ts_val, 0x01020304);
    assert_int_equal(o.ts_ecr, 0x05060708);
    assert_int_equal(o.malformed, 0);
}

static void sack_blocks_are_read_in_order(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {1, 1, 5, 18, 0, 0, 0, 1, 0, 0, 0, 2, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 9};
    struct wire_tcp_opts o = read_opts(bytes, sizeof bytes);
    assert_int_equal(o.have, WIRE_OPT_SACK);
    assert_int_equal(o.nsack, 2);
    assert_int_equal(o.sack[0].lo, 1);
    assert_int_equal(o.sack[0].hi, 2);
    assert_int_equal(o.sack[1].lo, 0xffffffff);
    assert_int_equal(o.sack[1].hi, 9);
}

/* MUST-7, 64 */
static void a_wrong_length_ends_the_parse_and_keeps_what_came_before(void **state)
{
    (void)state;
    static const struct {
        uint8_t kind, right_low, right_high;                   /* all lengths that are right, whole blocks for SACK */
    } rows[] = {{2, 4, 4}, {3, 3, 3}, {4, 2, 2}, {5, 10, 34}, {8, 10, 10}, {30, 2, 255}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        for (unsigned length = 0; length < 256; length++) {
            uint8_t bytes[40] = {3, 3, 5, rows[i].kind, (uint8_t)length};
            bool right = length >= rows[i].right_low && length <= rows[i].right_high && (rows[i].kind != 5 || (length - 2) % 8 == 0);
            bool fits = 3 + length <= sizeof bytes;
            struct wire_tcp_opts o = read_opts(bytes, sizeof bytes);
            assert_int_equal(o.malformed, !(right && fits));
            assert_true(o.have & WIRE_OPT_WSCALE);
            if (rows[i].kind != 3)
                assert_int_equal(o.wscale, 5);
            if (!(right && fits))
                assert_int_equal(o.have, WIRE_OPT_WSCALE);
        }
    }
}

static void more_than_four_sack_blocks_are_malformed(void **state)
{
    (void)state;
    uint8_t bytes[42] = {5, 42};          /* no real header has room for it; whoever calls may still hand it in */
    struct wire_tcp_opts o = read_opts(bytes, sizeof bytes);
    assert_int_equal(o.nsack, 0);
    assert_int_equal(o.malformed, 1);
}

static void an_option_cut_by_the_end_is_malformed(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {8, 10, 1, 2, 3, 4, 5, 6, 7, 8};
    for (size_t n = 1; n < sizeof bytes; n++) {
        struct wire_tcp_opts o = read_opts(bytes, n);
        assert_int_equal(o.have, 0);
        assert_int_equal(o.malformed, 1);
    }
    assert_int_equal(read_opts(bytes, sizeof bytes).have, WIRE_OPT_TIMESTAMPS);
    assert_int_equal(read_opts(bytes, 0).malformed, 0);
}

/* MUST-6, 68 */
static void an_unknown_option_is_skipped(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {254, 6, 1, 2, 3, 4, 99, 2, 2, 4, 0, 100};
    struct wire_tcp_opts o = read_opts(bytes, sizeof bytes);
    assert_int_equal(o.have, WIRE_OPT_MSS);
    assert_int_equal(o.mss, 100);
    assert_int_equal(o.malformed, 0);
}

/* MUST-4 */
static void nothing_is_read_behind_the_end_of_options(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {1, 0, 2, 4, 0, 100, 2, 0};
    struct wire_tcp_opts o = read_opts(bytes, sizeof bytes);
    assert_int_equal(o.have, 0);
    assert_int_equal(o.malformed, 0);
}

static void values_are_reported_not_judged(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {2, 4, 0, 0, 3, 3, 255};
    struct wire_tcp_opts o = read_opts(bytes, sizeof bytes);
    assert_int_equal(o.mss, 0);
    assert_int_equal(o.wscale, 255);
}

/* MUST-69 */
static void options_are_written_in_the_usual_order(void **state)
{
    (void)state;
    static const struct {
        uint8_t have, nsack;
        uint8_t bytes[40];
        unsigned n;
    } rows[] = {
        {SYN_OPTS, 0, {2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 1, 3, 3, 7}, 20},
        {SYN_OPTS & ~WIRE_OPT_TIMESTAMPS, 0, {2, 4, 5, 0xb4, 1, 1, 4, 2, 1, 3, 3, 7}, 12},
        {SYN_OPTS & ~WIRE_OPT_SACK_PERMITTED, 0, {2, 4, 5, 0xb4, 1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 1, 3, 3, 7}, 20},
        {WIRE_OPT_MSS, 0, {2, 4, 5, 0xb4}, 4},
        {WIRE_OPT_MSS | WIRE_OPT_WSCALE, 0, {2, 4, 5, 0xb4, 1, 3, 3, 7}, 8},
        {WIRE_OPT_TIMESTAMPS, 0, {1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2}, 12},
        {WIRE_OPT_SACK, 1, {1, 1, 5, 10, 0, 0, 0, 10, 0, 0, 0, 11}, 12},
        {WIRE_OPT_SACK, 0, {0}, 0},
        {0, 0, {0}, 0},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct wire_tcp_opts o = {.have = rows[i].have, .mss = 1460, .wscale = 7, .ts_val = 1, .ts_ecr = 2, .nsack = rows[i].nsack};
        o.sack[0].lo = 10, o.sack[0].hi = 11;
        uint8_t *out = guard_alloc(rows[i].n);
        assert_int_equal(wire_tcp_opts_write(out, &o), rows[i].n);
        assert_memory_equal(out, rows[i].bytes, rows[i].n);
        guard_reset();
    }
}

static void as_many_sack_blocks_as_fit(void **state)
{
    (void)state;
    for (unsigned have = 0; have < 16; have++) {
        for (uint8_t nsack = 0; nsack < 7; nsack++) {
            struct wire_tcp_opts o = {.have = (uint8_t)(have | WIRE_OPT_SACK), .nsack = nsack};
            for (unsigned i = 0; i < 4; i++)
                o.sack[i].lo = 100 * i, o.sack[i].hi = 100 * i + 50;
            struct wire_tcp_opts plain = o;
            plain.have = (uint8_t)have;
            uint8_t *out = guard_alloc(40);
            unsigned without = wire_tcp_opts_write(out, &plain), n = wire_tcp_opts_write(out, &o);
            unsigned fit = (40 - without) >= 12 ? (40 - without - 4) / 8 : 0;
            unsigned expected = nsack < fit ? nsack : fit;
            expected = expected < 4 ? expected : 4;
            struct wire_tcp_opts back;
            wire_tcp_opts_read(out, n, &back);
            assert_int_equal(n % 4, 0);
            assert_int_equal(back.nsack, expected);
            assert_memory_equal(back.sack, o.sack, expected * sizeof o.sack[0]);
            assert_int_equal(back.malformed, 0);
            guard_reset();
        }
    }
}

static void what_is_written_is_read_again(void **state)
{
    (void)state;
    struct prng g;
    prng_seed(&g, 1);
    for (unsigned round = 0; round < 10000; round++) {
        struct wire_tcp_opts o = {.have = (uint8_t)prng_below(&g, 16)}, back;
        if (o.have & WIRE_OPT_MSS)
            o.mss = (uint16_t)prng_next(&g);
        if (o.have & WIRE_OPT_WSCALE)
            o.wscale = (uint8_t)prng_next(&g);
        if (o.have & WIRE_OPT_TIMESTAMPS)
            o.ts_val = (uint32_t)prng_next(&g), o.ts_ecr = (uint32_t)prng_next(&g);
        if (prng_below(&g, 2))
            o.have |= WIRE_OPT_USER_TIMEOUT, o.user_timeout = (uint16_t)prng_next(&g);
        if (!(o.have & ~(WIRE_OPT_TIMESTAMPS | WIRE_OPT_USER_TIMEOUT)) && prng_below(&g, 2)) {
            o.have |= WIRE_OPT_SACK;
            o.nsack = (uint8_t)(1 + prng_below(&g, o.have & WIRE_OPT_USER_TIMEOUT ? 2 : 3));
            for (unsigned i = 0; i < o.nsack; i++)
                o.sack[i].lo = (uint32_t)prng_next(&g), o.sack[i].hi = (uint32_t)prng_next(&g);
        }
        uint8_t bytes[40];
        unsigned n = wire_tcp_opts_write(bytes, &o);
        wire_tcp_opts_read(bytes, n, &back);
        assert_memory_equal(&o, &back, sizeof o);
    }
}

static void random_bytes_of_every_length_are_survived(void **state)
{
    (void)state;
    static const uint8_t kinds[] = {0, 1, 2, 3, 4, 5, 8, 10, 4, 3, 2, 34, 18, 26, 28, 255};
    struct prng g;
    prng_seed(&g, 2);
    uint8_t *end = (uint8_t *)guard_alloc(40) + 40;
    unsigned good = 0;
    for (unsigned round = 0; round < 100000; round++) {
        size_t n = prng_below(&g, 41);
        for (size_t i = 0; i < n; i++)
            end[(ptrdiff_t)(i - n)] = prng_below(&g, 4) ? kinds[prng_below(&g, sizeof kinds)] : (uint8_t)prng_next(&g);
        struct wire_tcp_opts o;
        wire_tcp_opts_read(end - n, n, &o);
        assert_true(o.nsack <= 4 && o.malformed <= 1 && o.have < 64);
        good += !o.malformed;
    }
    assert_true(good > 1000);
    guard_reset();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_option_of_a_syn_is_read),
        cmocka_unit_test(sack_blocks_are_read_in_order),
        cmocka_unit_test(a_wrong_length_ends_the_parse_and_keeps_what_came_before),
        cmocka_unit_test(more_than_four_sack_blocks_are_malformed),
        cmocka_unit_test(an_option_cut_by_the_end_is_malformed),
        cmocka_unit_test(an_unknown_option_is_skipped),
        cmocka_unit_test(nothing_is_read_behind_the_end_of_options),
        cmocka_unit_test(values_are_reported_not_judged),
        cmocka_unit_test(options_are_written_in_the_usual_order),
        cmocka_unit_test(as_many_sack_blocks_as_fit),
        cmocka_unit_test(what_is_written_is_read_again),
        cmocka_unit_test(random_bytes_of_every_length_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
