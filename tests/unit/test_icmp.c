/* SPDX-License-Identifier: MIT
 *
 * What ICMP and ICMPv6 messages mean to a host: RFC 792, 1122 3.2.2, 4443, 5927, threats V19, V20.
 */
#include "support/unit.h"

#include "base/bytes.h"
#include "base/prng.h"
#include "internet/icmp4.h"
#include "internet/icmp6.h"
#include "support/guard.h"
#include "wire/icmp6_hdr.h"

/* An error with 8 bytes of TCP quoted: ports 80 and 1234, sequence number 77. */
static uint32_t error4(uint8_t *b, uint8_t type, uint8_t code, uint32_t word)
{
    memset(b, 0, 64);
    b[0] = type, b[1] = code;
    put_be32(b + 4, word);
    uint8_t *q = b + 8;
    q[0] = 0x45, q[8] = 60, q[9] = 6;
    put_be16(q + 2, 1500);
    put_be32(q + 12, 0xc0000201);
    put_be32(q + 16, 0xc0000202);
    put_be16(q + 20, 80), put_be16(q + 22, 1234), put_be32(q + 24, 77);
    return 36;
}

static uint32_t error6(uint8_t *b, uint8_t type, uint8_t code, uint32_t word)
{
    memset(b, 0, 64);
    b[0] = type, b[1] = code;
    put_be32(b + 4, word);
    uint8_t *q = b + 8;
    q[0] = 0x60, q[6] = 6, q[7] = 60, q[8] = 0x20, q[24] = 0x20;
    put_be16(q + 4, 1460);
    put_be16(q + 40, 80), put_be16(q + 42, 1234), put_be32(q + 44, 77);
    return 56;
}

static void rfc9293_3_9_2_2_what_each_error_says(void **state)
{
    (void)state;
    static const struct {
        uint8_t family, type, code;
        enum icmp_kind kind;
        int error;
        bool hard;
    } rows[] = {
        {4, 3, 0, ICMP_TROUBLE, PL_ENETUNREACH, true},   {4, 3, 1, ICMP_TROUBLE, PL_EHOSTUNREACH, true},
        {4, 3, 2, ICMP_TROUBLE, PL_ECONNREFUSED, true},  {4, 3, 3, ICMP_TROUBLE, PL_ECONNREFUSED, true},
        {4, 3, 4, ICMP_TOO_BIG, PL_EMSGSIZE, false},     {4, 3, 6, ICMP_TROUBLE, PL_ENETUNREACH, true},
        {4, 3, 13, ICMP_TROUBLE, PL_EHOSTUNREACH, true}, {4, 11, 0, ICMP_TROUBLE, PL_EHOSTUNREACH, false},
        {4, 12, 0, ICMP_TROUBLE, PL_EHOSTUNREACH, false}, {6, 1, 0, ICMP_TROUBLE, PL_ENETUNREACH, true},
        {6, 1, 3, ICMP_TROUBLE, PL_EHOSTUNREACH, true},  {6, 1, 4, ICMP_TROUBLE, PL_ECONNREFUSED, true},
        {6, 2, 0, ICMP_TOO_BIG, PL_EMSGSIZE, false},     {6, 3, 0, ICMP_TROUBLE, PL_EHOSTUNREACH, false},
        {6, 4, 0, ICMP_TROUBLE, PL_EHOSTUNREACH, false}, {6, 4, 1, ICMP_TROUBLE, PL_ECONNREFUSED, true},
    };
    for (unsigned i = 0; i < COUNT_OF(rows); i++) {
        uint8_t b[64];
        struct icmp_news news;
        bool six = rows[i].family == 6;
        uint32_t n = (six ? error6 : error4)(b, rows[i].type, rows[i].code, 1400);
        (six ? icmp6_judge : icmp4_judge)(guard_copy(b, n), n, &news);
        assert_int_equal(news.kind, rows[i].kind);
        assert_int_equal(news.error, rows[i].error);
        assert_int_equal(news.hard, rows[i].hard);
        assert_int_equal(news.quote.seq, 77);
        assert_int_equal(news.quote.src_port, 80);
        assert_int_equal(news.quote.dst_port, 1234);
        if (news.kind == ICMP_TOO_BIG) {
            assert_int_equal(news.mtu, 1400);
            assert_int_equal(news.quoted_bytes, six ? 0 : 1500);
        }
    }
    guard_reset();
}

static void v20_a_short_or_wrong_quotation_is_ignored(void **state)
{
    (void)state;
    uint8_t b[64];
    struct icmp_news news;
    uint32_t whole = error4(b, 3, 3, 0);
    for (uint32_t n = 0; n < whole; n++) {
        icmp4_judge(guard_copy(b, n), n, &news);
        assert_int_equal(news.kind, ICMP_NOTHING);
        assert_int_equal(news.drop, n < 8 ? PL_DROP_ICMP_MALFORMED : PL_DROP_ICMP_QUOTE);
    }
    b[8] = 0x4f;                          /* IHL 15 */
    icmp4_judge(guard_copy(b, whole), whole, &news);
    assert_int_equal(news.drop, PL_DROP_ICMP_QUOTE);
    b[8] = 0x44;                          /* IHL 4 */
    icmp4_judge(guard_copy(b, whole), whole, &news);
    assert_int_equal(news.drop, PL_DROP_ICMP_QUOTE);
    error4(b, 3, 3, 0);
    put_be16(b + 8 + 6, 0x2001);          /* a later fragment: what follows is no header */
    icmp4_judge(guard_copy(b, whole), whole, &news);
    assert_int_equal(news.drop, PL_DROP_ICMP_QUOTE);
    whole = error6(b, 1, 4, 0);
    for (uint32_t n = 0; n < whole; n++) {
        icmp6_judge(guard_copy(b, n), n, &news);
        assert_int_equal(news.kind, ICMP_NOTHING);
        assert_int_equal(news.drop, n < 8 ? PL_DROP_ICMP_MALFORMED : PL_DROP_ICMP_QUOTE);
    }
    error4(b, 1, 4, 0);                   /* IPv4 quoted by ICMPv6, and the other way round */
    icmp6_judge(guard_copy(b, whole), whole, &news);
    assert_int_equal(news.drop, PL_DROP_ICMP_QUOTE);
    error6(b, 3, 3, 0);
    icmp4_judge(guard_copy(b, whole), whole, &news);
    assert_int_equal(news.drop, PL_DROP_ICMP_QUOTE);
    guard_reset();
}

static void every_other_type_asks_nothing(void **state)
{
    (void)state;
    for (unsigned type = 0; type < 256; type++) {
        uint8_t b[64];
        struct icmp_news news;
        uint32_t n = error4(b, (uint8_t)type, 0, 0);
        icmp4_judge(b, n, &news);
        bool known = type == 0 || type == 3 || type == 8 || type == 11 || type == 12;
        assert_int_equal(news.kind != ICMP_NOTHING, known);
        if (!known)
            assert_int_equal(news.drop, type == 4 ? PL_DROP_ICMP_SOURCE_QUENCH : PL_DROP_ICMP_TYPE);
        assert_int_equal(icmp4_may_be_complained_of((uint8_t)type), type == 0 || type == 8);
        n = error6(b, (uint8_t)type, 0, 0);
        icmp6_judge(b, n, &news);
        known = (type >= 1 && type <= 4) || type == 128 || type == 129 || type == 135 || type == 136;
        assert_int_equal(news.kind != ICMP_NOTHING, known);
        if (!known)
            assert_int_equal(news.drop, PL_DROP_ICMP_TYPE);
    }
}

static void v19_echo_needs_its_eight_bytes(void **state)
{
    (void)state;
    static const uint8_t request4[8] = {8, 0, 0, 0, 0x12, 0x34, 0, 1}, reply4[8] = {0, 0, 0, 0, 0x12, 0x34, 0, 1};
    static const uint8_t request6[8] = {128, 0, 0, 0, 0x12, 0x34, 0, 1}, reply6[8] = {129, 0, 0, 0, 0x12, 0x34, 0, 1};
    struct icmp_news news;
    for (uint32_t n = 0; n <= 8; n++) {
        enum pl_drop drop = n < 8 ? PL_DROP_ICMP_MALFORMED : PL_DROP_NONE;
        icmp4_judge(guard_copy(request4, n), n, &news);
        assert_int_equal(news.kind, n < 8 ? ICMP_NOTHING : ICMP_ECHO);
        assert_int_equal(news.drop, drop);
        icmp6_judge(guard_copy(request6, n), n, &news);
        assert_int_equal(news.kind, n < 8 ? ICMP_NOTHING : ICMP_ECHO);
        assert_int_equal(news.drop, drop);
    }
    icmp4_judge(reply4, 8, &news);
    assert_true(news.kind == ICMP_ECHO_REPLY && news.ident == 0x1234);
    icmp6_judge(reply6, 8, &news);
    assert_true(news.kind == ICMP_ECHO_REPLY && news.ident == 0x1234);
    guard_reset();
}

static void any_bytes_may_come(void **state)
{
    (void)state;
    struct prng g;
    prng_seed(&g, 13);
    for (unsigned round = 0; round < 100000; round++) {
        uint8_t b[96];
        uint32_t n = prng_below(&g, 97);
        if (prng_below(&g, 2))
            (prng_below(&g, 2) ? error4 : error6)(b, (uint8_t)prng_below(&g, 5), (uint8_t)prng_below(&g, 5), 0);
        for (unsigned i = 0; i < n; i++)
            if (prng_below(&g, 8) == 0 || i >= 64)
                b[i] = (uint8_t)prng_next(&g);
        uint8_t *at = guard_copy(b, n);
        struct icmp_news news;
        icmp4_judge(at, n, &news);
        assert_int_equal(news.kind == ICMP_NOTHING, news.drop != PL_DROP_NONE);
        icmp6_judge(at, n, &news);
        assert_int_equal(news.kind == ICMP_NOTHING, news.drop != PL_DROP_NONE);
        guard_free(at, n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc9293_3_9_2_2_what_each_error_says),
        cmocka_unit_test(v20_a_short_or_wrong_quotation_is_ignored),
        cmocka_unit_test(every_other_type_asks_nothing),
        cmocka_unit_test(v19_echo_needs_its_eight_bytes),
        cmocka_unit_test(any_bytes_may_come),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
