/* SPDX-License-Identifier: MIT
 *
 * ICMP of both families: headers, what an error quotes (threats V20), Neighbour Discovery and its options (threats V24).
 */
#include "support/unit.h"

#include "base/bytes.h"
#include "base/prng.h"
#include "support/guard.h"
#include "wire/icmp6_hdr.h"
#include "wire/ip4_hdr.h"
#include "wire/ip6_hdr.h"

static void the_header_is_read_and_written(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {8, 1, 0x12, 0x34, 0xab, 0xcd, 0x00, 0x07, 0xff};
    struct wire_icmp h;
    for (size_t n = 0; n <= sizeof bytes; n++)                 /* threats V19 */
        assert_int_equal(wire_icmp_read(guard_copy(bytes, n), n, &h), n >= 8);
    assert_int_equal(h.type, WIRE_ICMP4_ECHO);
    assert_int_equal(h.code, 1);
    assert_memory_equal(&h.sum, bytes + 2, 2);
    assert_int_equal(wire_icmp_id(&h), 0xabcd);
    assert_int_equal(wire_icmp_seq(&h), 7);
    assert_int_equal(wire_icmp4_mtu(&h), 7);
    assert_int_equal(wire_icmp4_pointer(&h), 0xab);
    assert_int_equal(wire_icmp_echo_word(0xabcd, 7), h.word);
    uint8_t back[8];
    wire_icmp_write(back, &h);
    assert_memory_equal(back, bytes, 8);
    guard_reset();
}

static void errors_are_told_from_queries(void **state)
{
    (void)state;
    static const uint8_t four[] = {3, 4, 5, 11, 12};           /* RFC 1122 3.2.2 */
    for (unsigned type = 0; type < 256; type++) {
        bool expected = false;
        for (size_t i = 0; i < sizeof four; i++)
            expected |= four[i] == type;
        assert_int_equal(wire_icmp4_is_error((uint8_t)type), expected);
        assert_int_equal(wire_icmp6_is_error((uint8_t)type), type < 128);
    }
}

/* A quoted packet: IP header of the given size, then TCP 1234 > 80 with sequence number 0x01020304. */
static size_t quoted_ip4(uint8_t *b, unsigned hdr_bytes, uint16_t frag_off, uint8_t protocol)
{
    static const uint8_t transport[] = {0x04, 0xd2, 0x00, 0x50, 1, 2, 3, 4, 9, 9};
    struct wire_ip4 h = {.hdr_bytes = (uint8_t)hdr_bytes,
                         .ttl = 1,
                         .protocol = protocol,
                         .total_bytes = 1500,
                         .frag_off = frag_off,
                         .src = IP4(192, 0, 2, 1),
                         .dst = IP4(192, 0, 2, 2)};
    wire_ip4_write(b, &h);
    memcpy(b + hdr_bytes, transport, sizeof transport);
    return hdr_bytes + sizeof transport;
}

static void a_quotation_is_read_as_far_as_it_goes(void **state)
{
    (void)state;
    static const uint8_t src[16] = IP4(192, 0, 2, 1), dst[16] = IP4(192, 0, 2, 2);
    static const unsigned headers[] = {20, 24, 60};
    for (size_t i = 0; i < COUNT_OF(headers); i++) {
        uint8_t b[80];
        size_t whole = quoted_ip4(b, headers[i], 0, WIRE_PROTO_TCP);
        for (size_t n = 0; n <= whole; n++) {
            struct wire_quote q;
            bool readable = wire_quote_read(guard_copy(b, n), n, &q);
            assert_int_equal(readable, n >= headers[i]);
            assert_int_equal(q.has_ports, n >= headers[i] + 4);
            assert_int_equal(q.has_seq, n >= headers[i] + 8);
            assert_int_equal(q.src_port, q.has_ports ? 1234 : 0);
            assert_int_equal(q.dst_port, q.has_ports ? 80 : 0);
            assert_int_equal(q.seq, q.has_seq ? 0x01020304 : 0);
            if (readable) {
                assert_int_equal(q.version, 4);
                assert_int_equal(q.protocol, WIRE_PROTO_TCP);
                assert_memory_equal(q.src, src, 16);
                assert_memory_equal(q.dst, dst, 16);
            }
        }
        guard_reset();
    }
}

static void a_later_fragment_has_no_ports(void **state)
{
    (void)state;
    uint8_t b[80];
    struct wire_quote q;
    size_t n = quoted_ip4(b, 20, 1480, WIRE_PROTO_TCP);
    assert_true(wire_quote_read(b, n, &q));
    assert_false(q.has_ports || q.has_seq);
}

static void a_quoted_echo_names_its_id(void **state)
{
    (void)state;
    uint8_t b[80];
    struct wire_quote q;
    size_t n = quoted_ip4(b, 20, 0, WIRE_PROTO_ICMP4);
    assert_true(wire_quote_read(b, n, &q));
    assert_int_equal(q.icmp_type, 4);
    assert_int_equal(q.echo_id, 0x0102);
    assert_int_equal(q.echo_seq, 0x0304);
    assert_int_equal(q.src_port, 0);
}

static void a_quoted_ip6_packet_is_read_behind_its_extensions(void **state)
{
    (void)state;
    uint8_t b[40 + 8 + 8 + 10] = {0};
    struct wire_ip6 h = {.next = WIRE_PROTO_DSTOPTS, .payload_bytes = 1400, .src = {0xfe, 0x80}, .dst = {0x20, 1}};
    wire_ip6_write(b, &h);
    b[40] = WIRE_PROTO_FRAGMENT;
    b[48] = WIRE_PROTO_TCP, b[51] = 1;    /* a first fragment */
    memcpy(b + 56, "\x04\xd2\x00\x50\1\2\3\4", 8);
    for (size_t n = 0; n <= sizeof b; n++) {
        struct wire_quote q;
        assert_int_equal(wire_quote_read(guard_copy(b, n), n, &q), n >= 40);
        assert_int_equal(q.has_ports, n >= 60);
        assert_int_equal(q.has_seq, n >= 64);
        if (n >= 56)
            assert_int_equal(q.protocol, WIRE_PROTO_TCP);
        if (n >= 64)
            assert_int_equal(q.seq, 0x01020304);
    }
    guard_reset();
    b[50] = 0x05;                         /* a later one */
    struct wire_quote q;
    assert_true(wire_quote_read(b, sizeof b, &q));
    assert_false(q.has_ports);
}

static void random_quotations_are_survived(void **state)
{
    (void)state;
    struct prng g;
    prng_seed(&g, 1);
    uint8_t *end = (uint8_t *)guard_alloc(128) + 128;
    for (unsigned round = 0; round < 100000; round++) {
        size_t n = prng_below(&g, 100);
        uint8_t *p = end - n;
        for (size_t i = 0; i < n; i++)
            p[i] = (uint8_t)(prng_below(&g, 2) ? prng_below(&g, 61) : prng_next(&g));
        if (n)
            p[0] = (uint8_t)(prng_below(&g, 2) ? 0x60 : 0x40 + prng_below(&g, 16));
        struct wire_quote q;
        bool ok = wire_quote_read(p, n, &q);
        assert_true(ok || (!q.has_ports && !q.has_seq));
        assert_true(q.has_ports || !q.has_seq);
    }
    guard_reset();
}

static void neighbour_messages_are_read_and_written(void **state)
{
    (void)state;
    uint8_t bytes[24] = {136, 0, 0x12, 0x34, 0xe0, 0, 0, 0, 0xfe, 0x80};
    bytes[23] = 5;
    struct wire_nd h;
    for (size_t n = 0; n <= 24; n++)
        assert_int_equal(wire_nd_read(guard_copy(bytes, n), n, &h), n == 24);
    assert_int_equal(h.type, WIRE_ICMP6_NEIGHBOR_ADVERT);
    assert_true(h.router && h.solicited && h.override);
    assert_memory_equal(h.target, bytes + 8, 16);
    for (unsigned flags = 0; flags < 8; flags++) {
        uint8_t back[24];
        bytes[4] = (uint8_t)(flags << 5);
        assert_true(wire_nd_read(bytes, 24, &h));
        assert_int_equal(h.router, flags >> 2);
        assert_int_equal(h.solicited, flags >> 1 & 1);
        assert_int_equal(h.override, flags & 1);
        wire_nd_write(back, &h);
        assert_memory_equal(back, bytes, 24);
    }
    bytes[0] = WIRE_ICMP6_NEIGHBOR_SOLICIT;                     /* the flags are reserved there: ignored, sent as zero */
    uint8_t back[24];
    assert_true(wire_nd_read(bytes, 24, &h));
    assert_false(h.router || h.solicited || h.override);
    wire_nd_write(back, &h);
    assert_int_equal(back[4], 0);
    guard_reset();
}

static void neighbour_options_are_walked_within_the_message(void **state)
{
    (void)state;
    static const struct {
        uint8_t bytes[24];
        size_t n;
        bool well_formed;
        int found;                        /* where the target link-layer address lies, -1: nowhere */
    } rows[] = {
        {{0}, 0, true, -1},
        {{2, 1, 1, 2, 3, 4, 5, 6}, 8, true, 2},
        {{1, 1, 1, 2, 3, 4, 5, 6}, 8, true, -1},
        {{5, 1, 0, 0, 0, 0, 5, 0xdc, 2, 1, 1, 2, 3, 4, 5, 6}, 16, true, 10},
        {{2, 1, 1, 2, 3, 4, 5, 6, 2, 1, 9, 9, 9, 9, 9, 9}, 16, true, 2},   /* the first counts */
        {{2, 2, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0, 0, 0}, 16, true, -1},  /* not an Ethernet address */
        {{2, 0, 1, 2, 3, 4, 5, 6}, 8, false, -1},
        {{2, 1, 1, 2, 3, 4, 5, 6, 99, 0, 0, 0, 0, 0, 0, 0}, 16, false, 2},
        {{2, 2, 1, 2, 3, 4, 5, 6}, 8, false, -1},
        {{2, 255, 1, 2, 3, 4, 5, 6}, 8, false, -1},
        {{2, 1, 1, 2, 3, 4, 5}, 7, false, -1},
        {{2}, 1, false, -1},
        {{2, 1}, 2, false, -1},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const uint8_t *at = guard_copy(rows[i].bytes, rows[i].n), *hw;
        assert_int_equal(wire_nd_lladdr_find(at, rows[i].n, WIRE_ND_TARGET_LLADDR, &hw), rows[i].well_formed);
        assert_int_equal(hw ? hw - at : -1, rows[i].found);
    }
    guard_reset();
}

static void a_link_layer_address_option_is_found_again(void **state)
{
    (void)state;
    static const uint8_t mine[6] = {2, 0, 0, 0, 0, 9};
    uint8_t bytes[8];
    const uint8_t *hw;
    wire_nd_lladdr_write(bytes, WIRE_ND_SOURCE_LLADDR, mine);
    assert_true(wire_nd_lladdr_find(bytes, 8, WIRE_ND_SOURCE_LLADDR, &hw));
    assert_memory_equal(hw, mine, 6);
}

static void random_neighbour_options_are_survived(void **state)
{
    (void)state;
    struct prng g;
    prng_seed(&g, 2);
    uint8_t *end = (uint8_t *)guard_alloc(128) + 128;
    for (unsigned round = 0; round < 50000; round++) {
        size_t n = prng_below(&g, 100);
        uint8_t *p = end - n;
        for (size_t i = 0; i < n; i++)
            p[i] = (uint8_t)(prng_below(&g, 3) ? prng_below(&g, 4) : prng_next(&g));
        struct reader r = reader_of(p, n);
        struct wire_nd_opt o;
        unsigned steps = 0;
        while (wire_nd_opt_next(&r, &o) > 0) {
            assert_true(o.at >= p && o.at + o.bytes <= end && o.bytes >= 8);
            assert_true(++steps <= 12);
        }
    }
    guard_reset();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_header_is_read_and_written),
        cmocka_unit_test(errors_are_told_from_queries),
        cmocka_unit_test(a_quotation_is_read_as_far_as_it_goes),
        cmocka_unit_test(a_later_fragment_has_no_ports),
        cmocka_unit_test(a_quoted_echo_names_its_id),
        cmocka_unit_test(a_quoted_ip6_packet_is_read_behind_its_extensions),
        cmocka_unit_test(random_quotations_are_survived),
        cmocka_unit_test(neighbour_messages_are_read_and_written),
        cmocka_unit_test(neighbour_options_are_walked_within_the_message),
        cmocka_unit_test(a_link_layer_address_option_is_found_again),
        cmocka_unit_test(random_neighbour_options_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
