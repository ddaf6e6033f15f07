/* SPDX-License-Identifier: MIT
 *
 * Text without stdio: RFC 5952 addresses, durations, cutting at the end of the buffer, and addresses read back.
 */
#include "support/unit.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "base/prng.h"
#include "base/text.h"
#include "support/guard.h"

static struct pl_addr parsed(const char *s)
{
    struct pl_addr a;
    size_t n = strlen(s);
    assert_true(text_parse_addr(guard_copy(s, n), n, &a));
    return a;
}

static void addresses_follow_rfc_5952(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
    } rows[] = {
        {"::", "::"},
        {"::1", "::1"},
        {"1::", "1::"},
        {"2001:db8::1", "2001:db8::1"},
        {"2001:0db8:0000:0000:0000:0000:0002:0001", "2001:db8::2:1"},       /* 4.1, 4.2.1 */
        {"2001:DB8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},                   /* 4.2.2: one zero group is not shortened; 4.3 */
        {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},                      /* 4.2.3: the first of equal runs */
        {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},                            /* 4.2.3: the longest */
        {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
        {"::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"},
        {"1:2:3:4:5:6:0:0", "1:2:3:4:5:6::"},
        {"0:0:3:4:5:6:7:8", "::3:4:5:6:7:8"},
        {"fe80::1%3", "fe80::1%3"},
        {"fe80::%4294967295", "fe80::%4294967295"},
        {"64:ff9b::192.0.2.33", "64:ff9b::c000:221"},
        {"1:2:3:4:5:6:7.8.9.10", "1:2:3:4:5:6:708:90a"},
        {"::ffff:192.0.2.1", "192.0.2.1"},
        {"::FFFF:c000:0201", "192.0.2.1"},
        {"192.0.2.1", "192.0.2.1"},
        {"0.0.0.0", "0.0.0.0"},
        {"255.255.255.255", "255.255.255.255"},
        {"::192.0.2.1", "::c000:201"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char buffer[64];
        struct text t = text_of(buffer, sizeof buffer);
        struct pl_addr a = parsed(rows[i].in);
        text_addr(&t, &a);
        assert_string_equal(buffer, rows[i].out);
        struct pl_addr again = parsed(buffer);
        assert_memory_equal(&a, &again, sizeof a);
    }
    guard_reset();
}

static void what_is_not_an_address_is_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "", ":", ":::", "1", "1:", ":1", "1:2", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8",
        "12345::", "g::", "::1 ", " ::1", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "1.2.3.04", "1..2.3", ".1.2.3.4", "1.2.3.4.", "1.2.3.4%1",
        "::1%", "::1%x", "::1%4294967296", "::1%01", "::1%1%2", "1:2:3:4:5:6:7:1.2.3.4", "1:2:3:4:5:1.2.3.4", "::1.2.3.4:5", "::1.2.3", "1:2:3:4:5:6:7:8:",
        "::1:", "1::2:", "::99999999999999999999", "-1.2.3.4", "0x1.2.3.4", "%1", "1.2.3.4/8",
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct pl_addr a;
        memset(&a, 0xee, sizeof a);
        struct pl_addr before = a;
        size_t n = strlen(rows[i]);
        if (text_parse_addr(guard_copy(rows[i], n), n, &a))
            fail_msg("'%s' was taken for an address", rows[i]);
        assert_memory_equal(&a, &before, sizeof a);
    }
    guard_reset();
}

static void random_addresses_agree_with_the_c_library(void **state)
{
    (void)state;
    struct prng g;
    prng_seed(&g, 1);
    for (unsigned round = 0; round < 20000; round++) {
        struct pl_addr a = {.zone = 0}, back;
        for (unsigned i = 0; i < 16; i += 2) {                 /* many zero groups, many short ones */
            uint32_t v = prng_below(&g, 2) ? 0 : (uint32_t)prng_next(&g) & 0xffff;
            v >>= 4 * prng_below(&g, 4);
            a.b[i] = (uint8_t)(v >> 8), a.b[i + 1] = (uint8_t)v;
        }
        bool embedded = memcmp(a.b, (uint8_t[10]){0}, 10) == 0;            /* where inet_ntop writes dots */
        char buffer[64], theirs[64];
        struct text t = text_of(buffer, sizeof buffer);
        text_addr(&t, &a);
        if (!embedded) {
            assert_non_null(inet_ntop(AF_INET6, a.b, theirs, sizeof theirs));
            assert_string_equal(buffer, theirs);
        }
        assert_true(text_parse_addr(buffer, t.len, &back));
        assert_memory_equal(&a, &back, sizeof a);
    }
}

static void random_strings_agree_with_the_c_library(void **state)
{
    (void)state;
    static const char alphabet[] = "::::..0012fF9a";
    struct prng g;
    prng_seed(&g, 2);
    unsigned accepted = 0;
    for (unsigned round = 0; round < 200000; round++) {
        char s[24];
        unsigned n = prng_below(&g, 18);
        for (unsigned i = 0; i < n; i++)
            s[i] = alphabet[prng_below(&g, sizeof alphabet - 1)];
        s[n] = 0;
        struct pl_addr a;
        uint8_t theirs[16] = {[10] = 0xff, [11] = 0xff};
        bool valid = inet_pton(AF_INET6, s, theirs) == 1;
        if (!valid)
            valid = inet_pton(AF_INET, s, theirs + 12) == 1;
        if (text_parse_addr(s, n, &a) != valid)
            fail_msg("'%s': expected %d", s, valid);
        if (valid)
            assert_memory_equal(a.b, theirs, 16);
        accepted += valid;
    }
    assert_true(accepted > 200);
}

static void endpoints_put_ip6_in_brackets(void **state)
{
    (void)state;
    char buffer[80];
    struct text t = text_of(buffer, sizeof buffer);
    struct pl_endpoint e = {.addr = parsed("192.0.2.1"), .port = 80};
    text_endpoint(&t, &e);
    text_char(&t, ' ');
    e = (struct pl_endpoint){.addr = parsed("fe80::1%2"), .port = 65535};
    text_endpoint(&t, &e);
    assert_string_equal(buffer, "192.0.2.1:80 [fe80::1%2]:65535");
    guard_reset();
}

static void durations_choose_their_unit(void **state)
{
    (void)state;
    static const struct {
        pl_time d;
        const char *out;
    } rows[] = {
        {0, "0 ms"},           {7, "7 ns"},          {999, "999 ns"},        {1000, "1 us"},      {40000, "40 us"},    {1500, "1.5 us"},
        {999999, "999.999 us"}, {200 * PL_MS, "200 ms"}, {1234567, "1.234 ms"}, {PL_S, "1 s"},       {1500 * PL_MS, "1.5 s"},
        {PL_S + PL_MS, "1.001 s"}, {PL_S + 10 * PL_MS, "1.01 s"}, {PL_S + 1, "1 s"}, {61 * PL_S, "61 s"}, {7200 * PL_S, "7200 s"},
        {PL_NEVER - 1, "18446744073.709 s"}, {PL_NEVER, "never"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char buffer[32];
        struct text t = text_of(buffer, sizeof buffer);
        text_duration(&t, rows[i].d);
        assert_string_equal(buffer, rows[i].out);
    }
}

static void numbers_are_written_whole(void **state)
{
    (void)state;
    char buffer[128];
    struct text t = text_of(buffer, sizeof buffer);
    text_u64(&t, 0), text_char(&t, ' ');
    text_u64(&t, UINT64_MAX), text_char(&t, ' ');
    text_i64(&t, INT64_MIN), text_char(&t, ' ');
    text_i64(&t, -1), text_char(&t, ' ');
    text_i64(&t, INT64_MAX), text_char(&t, ' ');
    text_hex(&t, 0xabc, 4), text_char(&t, ' ');
    text_hex(&t, UINT64_MAX, 16), text_char(&t, ' ');
    text_hex(&t, 0x1f, 18);
    assert_string_equal(buffer, "0 18446744073709551615 -9223372036854775808 -1 9223372036854775807 0abc ffffffffffffffff 00000000000000001f");
    assert_int_equal(t.len, strlen(buffer));
}

static void what_does_not_fit_is_cut_and_terminated(void **state)
{
    (void)state;
    static const char whole[] = "abc 12345 2001:db8::1";
    struct pl_addr a = parsed("2001:db8::1");
    for (size_t cap = 1; cap <= sizeof whole + 2; cap++) {
        char *buffer = guard_alloc(cap);
        struct text t = text_of(buffer, cap);
        text_put(&t, "abc ");
        text_u64(&t, 12345);
        text_char(&t, ' ');
        text_addr(&t, &a);
        size_t n = cap - 1 < sizeof whole - 1 ? cap - 1 : sizeof whole - 1;
        assert_int_equal(t.len, n);
        assert_memory_equal(buffer, whole, n);
        assert_int_equal(buffer[n], 0);
    }
    struct text none = text_of(NULL, 0);
    text_put(&none, "nothing");
    assert_int_equal(none.len, 0);
    guard_reset();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_follow_rfc_5952),
        cmocka_unit_test(what_is_not_an_address_is_refused),
        cmocka_unit_test(random_addresses_agree_with_the_c_library),
        cmocka_unit_test(random_strings_agree_with_the_c_library),
        cmocka_unit_test(endpoints_put_ip6_in_brackets),
        cmocka_unit_test(durations_choose_their_unit),
        cmocka_unit_test(numbers_are_written_whole),
        cmocka_unit_test(what_does_not_fit_is_cut_and_terminated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
