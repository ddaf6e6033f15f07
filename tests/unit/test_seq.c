/* SPDX-License-Identifier: MIT
 *
 * Sequence number arithmetic (RFC 9293 3.4) and the byte cursor.
 */
#include "support/unit.h"

#include "base/bytes.h"
#include "base/seq.h"
#include "support/guard.h"

static void comparison_is_modulo_2_32(void **state)
{
    (void)state;
    static const uint32_t starts[] = {0, 1, 0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff};
    static const uint32_t ahead[] = {1, 2, 1000, 0x7fffffff};
    for (size_t i = 0; i < COUNT_OF(starts); i++) {
        for (size_t j = 0; j < COUNT_OF(ahead); j++) {
            uint32_t a = starts[i], b = a + ahead[j];
            assert_true(seq_lt(a, b) && seq_le(a, b) && seq_gt(b, a) && seq_ge(b, a));
            assert_false(seq_lt(b, a) || seq_le(b, a) || seq_gt(a, b) || seq_ge(a, b));
            assert_int_equal(seq_max(a, b), b);
            assert_int_equal(seq_min(a, b), a);
            assert_int_equal(seq_diff(b, a), ahead[j]);
            assert_int_equal(seq_diff(a, b), -(int64_t)ahead[j]);
        }
        assert_true(seq_le(starts[i], starts[i]) && seq_ge(starts[i], starts[i]) && !seq_lt(starts[i], starts[i]));
    }
}

static void a_window_may_wrap(void **state)
{
    (void)state;
    assert_true(seq_in(0xffffffff, 0xfffffffe, 3));
    assert_true(seq_in(2, 0xfffffffe, 3));
    assert_false(seq_in(3, 0xfffffffe, 3));
    assert_false(seq_in(0xfffffffd, 0xfffffffe, 3));
    assert_false(seq_in(5, 5, 5));
}

static void a_reader_fails_sticky_and_yields_zeros(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    for (size_t n = 0; n <= sizeof bytes; n++) {
        struct reader r = reader_of(guard_copy(bytes, n), n);
        uint8_t rest[2] = {0xee, 0xee};
        assert_int_equal(read_u8(&r), n >= 1 ? 1 : 0);
        assert_int_equal(read_be16(&r), n >= 3 ? 0x0203 : 0);
        assert_int_equal(read_be32(&r), n >= 7 ? 0x04050607 : 0);
        read_copy(&r, rest, 2);
        assert_int_equal(rest[0], n >= 9 ? 8 : 0);
        assert_int_equal(r.bad, n < 9);
        if (n < 9)
            assert_int_equal(read_u8(&r), 0);     /* sticky, although a byte may be left */
        assert_null(read_bytes(&r, 1));
    }
    guard_reset();
}

static void numbers_are_in_network_order(void **state)
{
    (void)state;
    uint8_t b[4];
    put_be32(b, 0x01020304);
    assert_int_equal(b[0], 1);
    assert_int_equal(b[3], 4);
    assert_int_equal(get_be32(b), 0x01020304);
    put_be16(b, 0xfffe);
    assert_int_equal(b[0], 0xff);
    assert_int_equal(get_be16(b), 0xfffe);
    put_be32(b, 0xffffffff);
    assert_int_equal(get_be32(b), 0xffffffff);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comparison_is_modulo_2_32),
        cmocka_unit_test(a_window_may_wrap),
        cmocka_unit_test(a_reader_fails_sticky_and_yields_zeros),
        cmocka_unit_test(numbers_are_in_network_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
