/* SPDX-License-Identifier: MIT
 *
 * The IPv4 header: known bytes and checksum, every truncation and header length (threats V1, V5), options (V6).
 */
#include "support/unit.h"

#include "base/bytes.h"
#include "base/prng.h"
#include "support/guard.h"
#include "wire/ip4_hdr.h"

static const uint8_t known[20] = {0x45, 0x00, 0x00, 0x73, 0x12, 0x34, 0x40, 0x00, 0x40, 0x11, 0xa6, 0x2d, 0xc0, 0xa8, 0x00, 0x01, 0xc0, 0xa8, 0x00, 0xc7};

static void the_header_is_read_field_by_field(void **state)
{
    (void)state;
    static const uint8_t src[16] = IP4(192, 168, 0, 1), dst[16] = IP4(192, 168, 0, 199);
    struct wire_ip4 h;
    assert_true(wire_ip4_read(guard_copy(known, 20), 20, &h));
    assert_int_equal(h.hdr_bytes, 20);
    assert_int_equal(h.total_bytes, 0x73);
    assert_int_equal(h.id, 0x1234);
    assert_true(h.df && !h.mf && !h.reserved);
    assert_int_equal(h.frag_off, 0);
    assert_int_equal(h.ttl, 64);
    assert_int_equal(h.protocol, WIRE_PROTO_UDP);
    assert_memory_equal(h.src, src, 16);
    assert_memory_equal(h.dst, dst, 16);
    guard_reset();
}

static void the_checksum_is_found_and_set(void **state)
{
    (void)state;
    uint8_t bytes[20];
    memcpy(bytes, known, 20);
    assert_true(wire_ip4_sum_ok(bytes, 20));
    for (unsigned bit = 0; bit < 160; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_false(wire_ip4_sum_ok(bytes, 20));
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    memset(bytes + 10, 0xee, 2);
    wire_ip4_sum_set(bytes, 20);
    assert_memory_equal(bytes, known, 20);
}

static void a_changed_word_updates_the_checksum(void **state)
{
    (void)state;
    struct prng g;
    prng_seed(&g, 1);
    for (unsigned round = 0; round < 5000; round++) {
        uint8_t bytes[20];
        uint16_t sum, before, after;
        for (unsigned i = 0; i < 20; i++)
            bytes[i] = (uint8_t)prng_next(&g);
        wire_ip4_sum_set(bytes, 20);
        memcpy(&sum, bytes + 10, 2);
        memcpy(&before, bytes + 8, 2);
        after = (uint16_t)(prng_below(&g, 8) ? prng_next(&g) : 0);
        memcpy(bytes + 8, &after, 2);
        sum = wire_sum_update(sum, before, after);
        memcpy(bytes + 10, &sum, 2);
        assert_true(wire_ip4_sum_ok(bytes, 20));
    }
}

static void a_header_that_does_not_fit_is_refused(void **state)
{
    (void)state;
    uint8_t bytes[64] = {0};
    memcpy(bytes, known, 20);
    for (unsigned first = 0; first < 256; first++) {
        bytes[0] = (uint8_t)first;
        for (size_t n = 0; n <= 61; n += n < 19 || n > 58 ? 1 : 3) {
            struct wire_ip4 h;
            unsigned ihl = first & 15;
            bool fits = n >= 20 && first >> 4 == 4 && ihl >= 5 && ihl * 4 <= n;
            assert_int_equal(wire_ip4_read(guard_copy(bytes, n), n, &h), fits);
        }
        guard_reset();
    }
}

static void the_header_is_written_as_it_is_read(void **state)
{
    (void)state;
    struct prng g;
    prng_seed(&g, 2);
    for (unsigned round = 0; round < 10000; round++) {
        uint8_t bytes[60] = {0}, back[60];
        unsigned ihl = 5 + prng_below(&g, 11);
        for (unsigned i = 0; i < 20; i++)
            bytes[i] = (uint8_t)prng_next(&g);
        bytes[0] = (uint8_t)(0x40 | ihl);
        struct wire_ip4 h;
        assert_true(wire_ip4_read(bytes, sizeof bytes, &h));
        memset(back, 0xee, sizeof back);
        wire_ip4_write(back, &h);
        assert_memory_equal(back, bytes, ihl * 4);
    }
}

static void fragment_fields_count_in_bytes(void **state)
{
    (void)state;
    uint8_t bytes[20];
    struct wire_ip4 h;
    memcpy(bytes, known, 20);
    put_be16(bytes + 6, 0x2000 | 185);
    assert_true(wire_ip4_read(bytes, 20, &h));
    assert_true(h.mf && !h.df);
    assert_int_equal(h.frag_off, 1480);
    put_be16(bytes + 6, 0x9fff);
    assert_true(wire_ip4_read(bytes, 20, &h));
    assert_true(h.reserved && !h.mf);
    assert_int_equal(h.frag_off, 65528);
}

static void options_are_walked_within_the_header(void **state)
{
    (void)state;
    static const struct {
        uint8_t bytes[12];
        size_t n;
        int last;                         /* what ends the walk */
        unsigned count;
    } rows[] = {
        {{0}, 0, 0, 0},
        {{0, 0, 0, 0}, 4, 0, 0},
        {{1, 1, 1, 0}, 4, 0, 0},
        {{1, 7, 7, 4, 10, 0, 0, 1}, 8, 0, 1},
        {{68, 4, 5, 0, 131, 3, 4, 0}, 8, 0, 2},
        {{131, 0, 0, 0}, 4, -1, 0},
        {{131, 1, 0, 0}, 4, -1, 0},
        {{131, 39, 4, 0}, 4, -1, 0},
        {{1, 1, 1, 131}, 4, -1, 0},
        {{148, 4, 0, 0, 7, 5, 0, 0}, 8, -1, 1},
        {{0, 131, 0, 0}, 4, 0, 0},        /* nothing counts behind END */
        {{7, 4, 1, 2}, 4, 0, 1},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct reader r = reader_of(guard_copy(rows[i].bytes, rows[i].n), rows[i].n);
        struct wire_ip4_opt o;
        unsigned count = 0;
        int got;
        while ((got = wire_ip4_opt_next(&r, &o)) > 0) {
            assert_true(o.type > WIRE_IP4_OPT_NOP && o.bytes >= 2 && o.at[0] == o.type && o.at[1] == o.bytes);
            count++;
        }
        assert_int_equal(got, rows[i].last);
        assert_int_equal(count, rows[i].count);
        assert_int_equal(wire_ip4_opt_next(&r, &o), 0);        /* and it stays ended */
    }
    guard_reset();
}

static void random_options_are_survived(void **state)
{
    (void)state;
    struct prng g;
    prng_seed(&g, 3);
    uint8_t *end = (uint8_t *)guard_alloc(40) + 40;
    for (unsigned round = 0; round < 50000; round++) {
        size_t n = 4 * prng_below(&g, 11);
        for (size_t i = 0; i < n; i++)
            end[(ptrdiff_t)(i - n)] = (uint8_t)(prng_below(&g, 3) ? prng_below(&g, 9) : prng_next(&g));
        struct reader r = reader_of(end - n, n);
        struct wire_ip4_opt o;
        unsigned steps = 0;
        while (wire_ip4_opt_next(&r, &o) > 0) {
            assert_true(o.at >= end - n && o.at + o.bytes <= end);
            assert_true(++steps <= 20);
        }
    }
    guard_reset();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_header_is_read_field_by_field),
        cmocka_unit_test(the_checksum_is_found_and_set),
        cmocka_unit_test(a_changed_word_updates_the_checksum),
        cmocka_unit_test(a_header_that_does_not_fit_is_refused),
        cmocka_unit_test(the_header_is_written_as_it_is_read),
        cmocka_unit_test(fragment_fields_count_in_bytes),
        cmocka_unit_test(options_are_walked_within_the_header),
        cmocka_unit_test(random_options_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
