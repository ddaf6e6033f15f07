/* SPDX-License-Identifier: MIT
 *
 * Which IPv4 packets may be looked at further: RFC 791, RFC 1122 3.2.1, threats V1 to V7, V9, V10, V12, V17.
 */
#include "support/unit.h"

#include "base/bytes.h"
#include "base/prng.h"
#include "internet/ip4.h"
#include "support/guard.h"
#include "wire/ip4_hdr.h"

struct row {
    const char *name;
    uint8_t first;                        /* version and IHL; 0: 0x45 */
    uint16_t total;                       /* 0: all of n */
    uint16_t frag;
    uint8_t src[4], dst[4];               /* zeros: 192.0.2.1, 192.0.2.2 */
    uint8_t options[8], options_bytes;
    bool bad_sum;
    uint32_t n;                           /* bytes of the packet in the frame; 0: 40 */
    enum pl_drop drop;
    bool fragment;
};

static uint32_t build(const struct row *r, uint8_t *b)
{
    static const uint8_t src[4] = {192, 0, 2, 1}, dst[4] = {192, 0, 2, 2}, zero[4];
    uint32_t n = r->n ? r->n : 40;
    memset(b, 0, 128);
    b[0] = r->first ? r->first : (uint8_t)(0x45 + r->options_bytes / 4);
    put_be16(b + 2, r->total ? r->total : (uint16_t)n);
    put_be16(b + 6, r->frag);
    b[8] = 64, b[9] = 6;
    memcpy(b + 12, memcmp(r->src, zero, 4) ? r->src : src, 4);
    memcpy(b + 16, memcmp(r->dst, zero, 4) ? r->dst : dst, 4);
    memcpy(b + 20, r->options, r->options_bytes);
    unsigned hdr_bytes = (b[0] & 15u) * 4;
    if (hdr_bytes >= 20 && hdr_bytes <= n)
        wire_ip4_sum_set(b, hdr_bytes);
    if (r->bad_sum)
        b[10] ^= 1;
    return n;
}

static void each_fault_has_its_name(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {.name = "good"},
        {.name = "good with padding", .total = 28, .n = 46},
        {.name = "only a header", .n = 20},
        {.name = "don't fragment", .frag = 0x4000},
        {.name = "the reserved bit says nothing", .frag = 0x8000},
        {.name = "V1 19 bytes", .n = 19, .drop = PL_DROP_RUNT},
        {.name = "V1 1 byte", .n = 1, .drop = PL_DROP_RUNT},
        {.name = "version 6", .first = 0x65, .drop = PL_DROP_IP_VERSION},
        {.name = "version 0", .first = 0x05, .drop = PL_DROP_IP_VERSION},
        {.name = "V2 longer than the frame", .total = 1500, .n = 60, .drop = PL_DROP_IP_LENGTH},
        {.name = "V2 one byte longer", .total = 41, .drop = PL_DROP_IP_LENGTH},
        {.name = "V3 shorter than the header", .total = 10, .drop = PL_DROP_IP_HEADER},
        {.name = "V3 19 bytes", .total = 19, .drop = PL_DROP_IP_HEADER},
        {.name = "V3 IHL 15 and 40 bytes", .first = 0x4f, .total = 40, .n = 60, .drop = PL_DROP_IP_HEADER},
        {.name = "V5 IHL 0", .first = 0x40, .drop = PL_DROP_IP_HEADER},
        {.name = "V5 IHL 1", .first = 0x41, .drop = PL_DROP_IP_HEADER},
        {.name = "V5 IHL 4", .first = 0x44, .drop = PL_DROP_IP_HEADER},
        {.name = "V5 IHL 15 in 20 bytes", .first = 0x4f, .n = 20, .drop = PL_DROP_IP_HEADER},
        {.name = "checksum", .bad_sum = true, .drop = PL_DROP_IP_CHECKSUM},
        {.name = "checksum with options", .bad_sum = true, .options = {1, 1, 1, 0}, .options_bytes = 4, .drop = PL_DROP_IP_CHECKSUM},
        {.name = "no operation and end", .options = {1, 1, 0, 0}, .options_bytes = 4},
        {.name = "record route is not acted on", .options = {7, 7, 4, 0, 0, 0, 0, 0}, .options_bytes = 8},
        {.name = "an option nobody knows", .options = {0x5e, 4, 9, 9}, .options_bytes = 4},
        {.name = "V6 option length 0", .options = {7, 0, 0, 0}, .options_bytes = 4, .drop = PL_DROP_IP_OPTIONS},
        {.name = "V6 option length 1", .options = {7, 1, 0, 0}, .options_bytes = 4, .drop = PL_DROP_IP_OPTIONS},
        {.name = "V6 option length 39", .options = {7, 39, 0, 0}, .options_bytes = 4, .drop = PL_DROP_IP_OPTIONS},
        {.name = "V6 option at the last byte", .options = {1, 1, 1, 7}, .options_bytes = 4, .drop = PL_DROP_IP_OPTIONS},
        {.name = "V7 loose source route", .options = {131, 7, 4, 10, 0, 0, 1, 0}, .options_bytes = 8, .drop = PL_DROP_IP_SOURCE_ROUTE},
        {.name = "V7 strict source route", .options = {137, 7, 4, 10, 0, 0, 1, 0}, .options_bytes = 8, .drop = PL_DROP_IP_SOURCE_ROUTE},
        {.name = "V6 source route of length 0", .options = {131, 0, 4, 0}, .options_bytes = 4, .drop = PL_DROP_IP_OPTIONS},
        {.name = "V9 first fragment", .frag = 0x2000, .fragment = true},
        {.name = "V9 middle fragment", .frag = 0x2003, .fragment = true},
        {.name = "V10 last fragment beyond 65535", .frag = 0x1fff, .fragment = true},
        {.name = "V17 from 127/8", .src = {127, 0, 0, 1}, .drop = PL_DROP_IP_MARTIAN},
        {.name = "V17 to 127/8", .dst = {127, 0, 0, 1}, .drop = PL_DROP_IP_MARTIAN},
        {.name = "V17 from a group", .src = {224, 0, 0, 5}, .drop = PL_DROP_IP_MARTIAN},
        {.name = "V17 from broadcast", .src = {255, 255, 255, 255}, .drop = PL_DROP_IP_MARTIAN},
        {.name = "V17 from net 0", .src = {0, 1, 2, 3}, .drop = PL_DROP_IP_MARTIAN},
        {.name = "V17 from class E", .src = {250, 1, 2, 3}, .drop = PL_DROP_IP_MARTIAN},
    };
    for (unsigned i = 0; i < COUNT_OF(rows); i++) {
        uint8_t b[128];
        uint32_t n = build(&rows[i], b);
        struct ip_in in;
        enum pl_drop drop = ip4_judge(guard_copy(b, n), n, n, &in);
        if (drop != rows[i].drop)
            fail_msg("%s: drop %d, not %d", rows[i].name, (int)drop, (int)rows[i].drop);
        if (drop)
            continue;
        assert_int_equal(in.fragment, rows[i].fragment);
        assert_int_equal(in.total_bytes, rows[i].total ? rows[i].total : n);
        assert_int_equal(in.hdr_bytes, 20 + rows[i].options_bytes);
        assert_int_equal(in.protocol, 6);
        assert_int_equal(in.hop_limit, 64);
        assert_memory_equal(in.src + 12, b + 12, 4);
        assert_memory_equal(in.dst + 12, b + 16, 4);
    }
    guard_reset();
}

static void any_bytes_may_come_and_what_passes_lies_inside_the_frame(void **state)
{
    (void)state;
    struct prng g;
    prng_seed(&g, 11);
    unsigned passed = 0;
    for (unsigned round = 0; round < 100000; round++) {
        uint8_t b[128];
        uint32_t n = prng_below(&g, 81);
        for (unsigned i = 0; i < n; i++)
            b[i] = (uint8_t)prng_next(&g);
        if (n >= 20 && prng_below(&g, 8)) {
            b[0] = (uint8_t)(0x45 + prng_below(&g, 4));
            put_be16(b + 2, (uint16_t)prng_below(&g, 90));
            if ((b[0] & 15u) * 4 <= n)
                wire_ip4_sum_set(b, (b[0] & 15u) * 4);
        }
        struct ip_in in;
        uint8_t *at = guard_copy(b, n);
        if (ip4_judge(at, n, n, &in) == PL_DROP_NONE) {
            passed++;
            assert_true(in.hdr_bytes >= 20 && in.hdr_bytes <= in.total_bytes && in.total_bytes <= n);
        }
        guard_free(at, n);
    }
    assert_true(passed > 1000);
}

static void what_is_written_is_read_back(void **state)
{
    (void)state;
    static const uint8_t local[16] = IP4(192, 0, 2, 1), remote[16] = IP4(198, 51, 100, 7);
    struct ip4_out out = {.local = local, .remote = remote, .protocol = 17, .hop_limit = 9, .tos = 0xb9, .dont_fragment = true, .id = 0x1234,
                          .payload_bytes = 80};
    uint8_t *b = guard_alloc(20);
    struct wire_ip4 h;
    assert_int_equal(ip4_write(b, &out), 20);
    assert_true(wire_ip4_read(b, 20, &h));
    assert_true(wire_ip4_sum_ok(b, 20));
    assert_int_equal(h.total_bytes, 100);
    assert_int_equal(h.ttl, 9);
    assert_int_equal(h.protocol, 17);
    assert_int_equal(h.dscp << 2 | h.ecn, 0xb9);
    assert_int_equal(h.id, 0x1234);
    assert_true(h.df && !h.mf && h.frag_off == 0);
    assert_memory_equal(h.src, local, 16);
    assert_memory_equal(h.dst, remote, 16);
    guard_reset();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_fault_has_its_name),
        cmocka_unit_test(any_bytes_may_come_and_what_passes_lies_inside_the_frame),
        cmocka_unit_test(what_is_written_is_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
