/* SPDX-License-Identifier: MIT
 *
 * Which IPv6 packets may be looked at further: RFC 8200, RFC 4443 3.4, RFC 5095, RFC 6946, threats V12, V14 to V17.
 */
#include "support/unit.h"

#include "base/bytes.h"
#include "base/prng.h"
#include "internet/ip6.h"
#include "support/guard.h"
#include "wire/ip6_hdr.h"

struct row {
    const char *name;
    uint8_t next;                         /* of the fixed header */
    uint8_t ext[48], ext_bytes;           /* what follows it; then 8 bytes of zeros */
    uint16_t length;                      /* 0: right; 0xffff: zero */
    bool mapped_src, any_src, group_src, loop_src, mapped_dst, loop_dst;
    uint8_t version;
    enum pl_drop drop;
    bool complain, to_group, fragment;
    uint8_t code;
    uint32_t at;                          /* the pointer, or the header length when it is good */
    uint8_t protocol;
};

static uint32_t build(const struct row *r, uint8_t *b)
{
    uint32_t n = 40u + r->ext_bytes + 8;
    memset(b, 0, 128);
    b[0] = (uint8_t)((r->version ? r->version : 6) << 4);
    put_be16(b + 4, r->length == 0xffff ? 0 : r->length ? r->length : (uint16_t)(n - 40));
    b[6] = r->next;
    b[7] = 64;
    b[8] = 0x20, b[9] = 1, b[23] = 1;
    b[24] = 0x20, b[25] = 1, b[39] = 2;
    static const uint8_t mapped[16] = IP4(192, 0, 2, 1), any[16], loop[16] = {[15] = 1}, group[16] = {0xff, 2, [15] = 1};
    if (r->mapped_src || r->any_src || r->group_src || r->loop_src)
        memcpy(b + 8, r->mapped_src ? mapped : r->any_src ? any : r->group_src ? group : loop, 16);
    if (r->mapped_dst || r->loop_dst)
        memcpy(b + 24, r->mapped_dst ? mapped : loop, 16);
    memcpy(b + 40, r->ext, r->ext_bytes);
    return n;
}

static void each_fault_has_its_name(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {.name = "TCP", .next = 6, .at = 40, .protocol = 6},
        {.name = "an unknown upper layer", .next = 132, .at = 40, .protocol = 132},
        {.name = "nothing follows", .next = 59, .at = 40, .protocol = 59},
        {.name = "hop-by-hop with padding", .next = 0, .ext = {6, 0, 1, 4}, .ext_bytes = 8, .at = 48, .protocol = 6},
        {.name = "destination options, then UDP", .next = 60, .ext = {17, 0, 1, 4}, .ext_bytes = 8, .at = 48, .protocol = 17},
        {.name = "a routing header with nothing left", .next = 43, .ext = {6, 0, 0, 0}, .ext_bytes = 8, .at = 48, .protocol = 6},
        {.name = "V12 atomic fragment is a whole packet", .next = 44, .ext = {6, 0, 0, 0, 1, 2, 3, 4}, .ext_bytes = 8, .at = 48, .protocol = 6},
        {.name = "first fragment", .next = 44, .ext = {6, 0, 0, 1}, .ext_bytes = 8, .at = 48, .protocol = 6, .fragment = true},
        {.name = "later fragment", .next = 44, .ext = {6, 0, 0, 8}, .ext_bytes = 8, .at = 48, .protocol = 6, .fragment = true},
        {.name = "version 4", .version = 4, .next = 6, .drop = PL_DROP_IP_VERSION},
        {.name = "V2 longer than the frame", .next = 6, .length = 9, .drop = PL_DROP_IP_LENGTH},
        {.name = "V14 hop-by-hop of 2048 bytes", .next = 0, .ext = {6, 255, 1, 4}, .ext_bytes = 8, .drop = PL_DROP_IP6_EXTENSION},
        {.name = "V14 PadN past the end", .next = 0, .ext = {6, 0, 1, 9}, .ext_bytes = 8, .drop = PL_DROP_IP6_EXTENSION, .complain = true,
         .code = 0, .at = 43},
        {.name = "V14 hop-by-hop not first", .next = 60, .ext = {0, 0, 1, 4, 0, 0, 0, 0, 6, 0, 1, 4}, .ext_bytes = 16,
         .drop = PL_DROP_IP6_EXTENSION, .complain = true, .code = 1, .at = 40},
        {.name = "unknown option, skip", .next = 60, .ext = {6, 0, 0x3e, 4}, .ext_bytes = 8, .at = 48, .protocol = 6},
        {.name = "unknown option, discard", .next = 60, .ext = {6, 0, 0x7e, 4}, .ext_bytes = 8, .drop = PL_DROP_IP6_EXTENSION},
        {.name = "unknown option, report", .next = 60, .ext = {6, 0, 0xbe, 4}, .ext_bytes = 8, .drop = PL_DROP_IP6_EXTENSION, .complain = true,
         .to_group = true, .code = 2, .at = 42},
        {.name = "unknown option, report unless group", .next = 60, .ext = {6, 0, 0xfe, 4}, .ext_bytes = 8, .drop = PL_DROP_IP6_EXTENSION,
         .complain = true, .code = 2, .at = 42},
        {.name = "V15 routing header 0 with segments left", .next = 43, .ext = {6, 2, 0, 1}, .ext_bytes = 24, .drop = PL_DROP_IP6_ROUTING,
         .complain = true, .code = 0, .at = 42},
        {.name = "V16 jumbo option beside a length", .next = 0, .ext = {6, 0, 0xc2, 4, 0, 0, 0, 0}, .ext_bytes = 8, .drop = PL_DROP_IP6_JUMBO,
         .complain = true, .code = 2, .at = 42},
        {.name = "V16 jumbogram", .next = 0, .ext = {6, 0, 0xc2, 4, 0xff, 0xff, 0xff, 0xff}, .ext_bytes = 8, .length = 0xffff,
         .drop = PL_DROP_IP6_JUMBO},
        {.name = "V17 mapped source", .next = 6, .mapped_src = true, .drop = PL_DROP_IP_MARTIAN},
        {.name = "V17 mapped destination", .next = 6, .mapped_dst = true, .drop = PL_DROP_IP_MARTIAN},
        {.name = "V17 from a group", .next = 6, .group_src = true, .drop = PL_DROP_IP_MARTIAN},
        {.name = "V17 from ::1", .next = 6, .loop_src = true, .drop = PL_DROP_IP_MARTIAN},
        {.name = "V17 to ::1", .next = 6, .loop_dst = true, .drop = PL_DROP_IP_MARTIAN},
        {.name = "TCP from ::", .next = 6, .any_src = true, .drop = PL_DROP_IP_MARTIAN},
        {.name = "ICMPv6 from :: may be Neighbour Discovery", .next = 58, .any_src = true, .at = 40, .protocol = 58},
    };
    for (unsigned i = 0; i < COUNT_OF(rows); i++) {
        uint8_t b[128];
        uint32_t n = build(&rows[i], b);
        struct ip_in in;
        enum pl_drop drop = ip6_judge(guard_copy(b, n), n, n, &in);
        if (drop != rows[i].drop || in.complain != rows[i].complain)
            fail_msg("%s: drop %d, not %d; complain %d", rows[i].name, (int)drop, (int)rows[i].drop, in.complain);
        if (in.complain) {
            assert_int_equal(in.complain_code, rows[i].code);
            assert_int_equal(in.complain_at, rows[i].at);
            assert_int_equal(in.complain_to_group, rows[i].to_group);
        }
        if (drop)
            continue;
        assert_int_equal(in.fragment, rows[i].fragment);
        assert_int_equal(in.hdr_bytes, rows[i].at);
        assert_int_equal(in.protocol, rows[i].protocol);
        assert_int_equal(in.total_bytes, n);
    }
    guard_reset();
}

static void every_truncation_is_named_and_reads_nothing_beyond(void **state)
{
    (void)state;
    static const struct row r = {.next = 0, .ext = {60, 0, 1, 4, 0, 0, 0, 0, 6, 0, 1, 4}, .ext_bytes = 16};
    uint8_t b[128];
    uint32_t whole = build(&r, b);
    for (uint32_t n = 0; n < whole; n++) {
        struct ip_in in;
        assert_int_equal(ip6_judge(guard_copy(b, n), n, n, &in), n < 40 ? PL_DROP_RUNT : PL_DROP_IP_LENGTH);
        if (n >= 40)                      /* the header's length is right, but only n bytes are in one piece */
            assert_int_equal(ip6_judge(guard_copy(b, n), n, whole, &in), n < 56 ? PL_DROP_IP6_EXTENSION : PL_DROP_NONE);
    }
    guard_reset();
}

static void v14_a_chain_of_200_headers_is_not_walked(void **state)
{
    (void)state;
    uint8_t b[40 + 200 * 8];
    memset(b, 0, sizeof b);
    b[0] = 0x60, b[6] = 60, b[7] = 64, b[8] = 0x20, b[24] = 0x20;
    put_be16(b + 4, 200 * 8);
    for (unsigned i = 0; i < 200; i++)
        b[40 + i * 8] = 60, b[42 + i * 8] = 1, b[43 + i * 8] = 4;
    struct ip_in in;
    assert_int_equal(ip6_judge(guard_copy(b, sizeof b), sizeof b, sizeof b, &in), PL_DROP_IP6_EXTENSION);
    assert_false(in.complain);
    guard_reset();
}

static void an_error_is_recognised_behind_extension_headers(void **state)
{
    (void)state;
    static const struct {
        struct row r;
        bool error;
    } rows[] = {
        {{.next = 58, .ext = {1}, .ext_bytes = 8}, true},
        {{.next = 58, .ext = {127}, .ext_bytes = 8}, true},
        {{.next = 58, .ext = {128}, .ext_bytes = 8}, false},
        {{.next = 60, .ext = {58, 0, 0xfe, 4, 0, 0, 0, 0, 1}, .ext_bytes = 16}, true},
        {{.next = 44, .ext = {58, 9, 0, 0, 0, 0, 0, 0, 1}, .ext_bytes = 16}, true},
        {{.next = 60, .ext = {6, 0, 0xfe, 4, 0, 0, 0, 0, 1}, .ext_bytes = 16}, false},
        {{.next = 6, .ext = {1}, .ext_bytes = 8}, false},
        {{.next = 60, .ext = {58, 200}, .ext_bytes = 8}, false},
    };
    for (unsigned i = 0; i < COUNT_OF(rows); i++) {
        uint8_t b[128];
        uint32_t whole = build(&rows[i].r, b);
        assert_int_equal(ip6_carries_error(guard_copy(b, whole), whole), rows[i].error);
        for (uint32_t n = 0; n < whole; n++)
            ip6_carries_error(guard_copy(b, n), n);
    }
    guard_reset();
}

static void any_bytes_may_come_and_what_passes_lies_inside_the_frame(void **state)
{
    (void)state;
    static const uint8_t nexts[] = {0, 6, 17, 43, 44, 58, 59, 60, 99};
    struct prng g;
    prng_seed(&g, 12);
    unsigned passed = 0;
    for (unsigned round = 0; round < 100000; round++) {
        uint8_t b[160];
        uint32_t n = prng_below(&g, 161);
        for (unsigned i = 0; i < n; i++)
            b[i] = (uint8_t)(prng_below(&g, 3) ? nexts[prng_below(&g, sizeof nexts)] : prng_next(&g));
        if (n >= 40 && prng_below(&g, 8)) {
            b[0] = 0x60, b[8] = 0x20, b[24] = 0x20;
            put_be16(b + 4, (uint16_t)(n - 40 - prng_below(&g, 3) * (n > 45)));
        }
        struct ip_in in;
        uint8_t *at = guard_copy(b, n);
        if (ip6_judge(at, n, n, &in) == PL_DROP_NONE) {
            passed++;
            assert_true(in.hdr_bytes >= 40 && in.hdr_bytes <= in.total_bytes && in.total_bytes <= n && in.next_at < in.hdr_bytes);
        } else if (in.complain) {
            assert_true(in.complain_at < n);
        }
        ip6_carries_error(at, n);
        guard_free(at, n);
    }
    assert_true(passed > 1000);
}

static void groups(void **state)
{
    (void)state;
    static const uint8_t addr[16] = {0x20, 1, [13] = 0xab, 0xcd, 0xef}, expect[16] = {0xff, 2, [11] = 1, 0xff, 0xab, 0xcd, 0xef};
    uint8_t group[16];
    ip6_solicited_node(group, addr);
    assert_memory_equal(group, expect, 16);
    static const uint8_t all[][16] = {{0xff, 1, [15] = 1}, {0xff, 2, [15] = 1}, {0xff, 2, [15] = 2}, {0xff, 5, [15] = 1}, {0xff, 2, 1, [15] = 1}};
    for (unsigned i = 0; i < COUNT_OF(all); i++)
        assert_int_equal(ip6_is_all_nodes(all[i]), i < 2);
}

static void what_is_written_is_read_back(void **state)
{
    (void)state;
    static const uint8_t local[16] = {0x20, 1, [15] = 1}, remote[16] = {0x20, 1, [15] = 2};
    struct ip6_out out = {.local = local, .remote = remote, .protocol = 6, .hop_limit = 64, .tos = 0xb9, .payload_bytes = 1000};
    uint8_t *b = guard_alloc(40);
    struct wire_ip6 h;
    assert_int_equal(ip6_write(b, &out), 40);
    assert_true(wire_ip6_read(b, 40, &h));
    assert_int_equal(h.payload_bytes, 1000);
    assert_int_equal(h.next, 6);
    assert_int_equal(h.hop_limit, 64);
    assert_int_equal(h.dscp << 2 | h.ecn, 0xb9);
    assert_int_equal(h.flow, 0);
    assert_memory_equal(h.src, local, 16);
    assert_memory_equal(h.dst, remote, 16);
    guard_reset();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_fault_has_its_name),
        cmocka_unit_test(every_truncation_is_named_and_reads_nothing_beyond),
        cmocka_unit_test(v14_a_chain_of_200_headers_is_not_walked),
        cmocka_unit_test(an_error_is_recognised_behind_extension_headers),
        cmocka_unit_test(any_bytes_may_come_and_what_passes_lies_inside_the_frame),
        cmocka_unit_test(groups),
        cmocka_unit_test(what_is_written_is_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
