/* SPDX-License-Identifier: MIT
 *
 * The TCP and UDP headers: known bytes, every truncation, and bytes to struct and back.
 */
#include "support/unit.h"

#include <parley/types.h>

#include "base/bytes.h"
#include "base/prng.h"
#include "support/guard.h"
#include "wire/tcp_hdr.h"
#include "wire/udp_hdr.h"

static const uint8_t syn_ack[] = {0x00, 0x50, 0x9c, 0x40, 0x01, 0x02, 0x03, 0x04, 0xfe, 0xdc, 0xba, 0x98, 0x65, 0x12,
                                  0x12, 0x34, 0xab, 0xcd, 0x00, 0x07, 0x02, 0x04, 0x05, 0xb4};

static void the_tcp_header_is_read_field_by_field(void **state)
{
    (void)state;
    struct wire_tcp h;
    assert_true(wire_tcp_read(guard_copy(syn_ack, sizeof syn_ack), sizeof syn_ack, &h));
    assert_int_equal(h.src_port, 80);
    assert_int_equal(h.dst_port, 40000);
    assert_int_equal(h.seq, 0x01020304);
    assert_int_equal(h.ack, 0xfedcba98);
    assert_int_equal(h.hdr_bytes, 24);
    assert_int_equal(h.rsrvd, 5);
    assert_int_equal(h.flags, PL_SYN | PL_ACK);
    assert_int_equal(h.wnd, 0x1234);
    assert_memory_equal(&h.sum, syn_ack + 16, 2);              /* as it lies in memory */
    assert_int_equal(h.up, 7);
    guard_reset();
}

static void a_tcp_header_that_does_not_fit_is_refused(void **state)
{
    (void)state;
    struct wire_tcp h;
    uint8_t bytes[80];
    memcpy(bytes, syn_ack, 20);
    memset(bytes + 20, 1, 60);
    for (unsigned offset = 0; offset < 16; offset++) {         /* threats V28 */
        bytes[12] = (uint8_t)(offset << 4);
        for (size_t n = 0; n <= 62; n++) {
            bool fits = n >= 20 && offset >= 5 && offset * 4 <= n;
            assert_int_equal(wire_tcp_read(guard_copy(bytes, n), n, &h), fits);
            if (fits)
                assert_int_equal(h.hdr_bytes, offset * 4);
        }
        guard_reset();
    }
}

static void the_tcp_header_is_written_as_it_is_read(void **state)
{
    (void)state;
    struct prng g;
    prng_seed(&g, 1);
    for (unsigned round = 0; round < 10000; round++) {
        uint8_t bytes[60], back[20];
        for (unsigned i = 0; i < sizeof bytes; i++)
            bytes[i] = (uint8_t)prng_next(&g);
        bytes[12] = (uint8_t)((5 + prng_below(&g, 11)) << 4 | (bytes[12] & 15));
        struct wire_tcp h;
        assert_true(wire_tcp_read(bytes, sizeof bytes, &h));
        wire_tcp_write(back, &h);
        assert_memory_equal(back, bytes, 20);
    }
}

static void the_udp_header_is_read_and_written(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {0x00, 0x35, 0xc0, 0x00, 0x00, 0x08, 0x12, 0x34, 0xff};
    struct wire_udp h;
    for (size_t n = 0; n <= sizeof bytes; n++)
        assert_int_equal(wire_udp_read(guard_copy(bytes, n), n, &h), n >= 8);
    assert_int_equal(h.src_port, 53);
    assert_int_equal(h.dst_port, 0xc000);
    assert_int_equal(h.bytes, 8);
    assert_memory_equal(&h.sum, bytes + 6, 2);
    uint8_t back[8];
    wire_udp_write(back, &h);
    assert_memory_equal(back, bytes, 8);
    guard_reset();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_tcp_header_is_read_field_by_field),
        cmocka_unit_test(a_tcp_header_that_does_not_fit_is_refused),
        cmocka_unit_test(the_tcp_header_is_written_as_it_is_read),
        cmocka_unit_test(the_udp_header_is_read_and_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
