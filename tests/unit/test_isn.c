/* SPDX-License-Identifier: MIT
 *
 * Initial sequence numbers and timestamp offsets: RFC 9293 3.4.1 (MUST-8, SHLD-1), RFC 6528; threats V40, V58.
 */
#include "support/unit.h"

#include "transport/tcp/models/isn.h"

static const struct tcp_secrets secrets = {{1, 2}, {3, 4}, {5, 6}}, others = {{1, 3}, {3, 5}, {5, 7}};
static const struct tcp_tuple tuple = {IP4(192, 0, 2, 1), IP4(192, 0, 2, 2), 40000, 80, 0};

static void isn_is_a_clock_of_four_microseconds_for_one_tuple(void **state)             /* MUST-8: monotonic across incarnations */
{
    (void)state;
    uint32_t at0 = isn_choose(&secrets, &tuple, 0);
    for (pl_time t = 0; t < 1000 * PL_S; t += 777777 * PL_US)
        assert_int_equal(isn_choose(&secrets, &tuple, t) - at0, (uint32_t)(t / 4000));
    assert_int_equal(isn_choose(&secrets, &tuple, 3999), at0);
    assert_int_equal(isn_choose(&secrets, &tuple, 4000), at0 + 1);
}

/* Each field of the tuple, and the secret, changes both numbers. SHLD-1, MUST-9 */
static void every_part_of_the_tuple_and_the_secret_matter(void **state)
{
    (void)state;
    uint32_t isn[8], ts[8];
    for (unsigned n = 0; n < 8; n++) {
        struct tcp_tuple t = tuple;
        const struct tcp_secrets *s = n == 6 ? &others : &secrets;
        switch (n) {
        case 1: t.local[15]++; break;
        case 2: t.remote[0]++; break;
        case 3: t.local_port++; break;
        case 4: t.remote_port++; break;
        case 5: t.zone++; break;
        case 7: memcpy(t.local, tuple.remote, 16), memcpy(t.remote, tuple.local, 16); break;
        default: break;
        }
        isn[n] = isn_choose(s, &t, 0);
        ts[n] = isn_timestamp_offset(s, &t);
        for (unsigned k = 0; k < n; k++) {
            assert_int_not_equal(isn[n], isn[k]);
            assert_int_not_equal(ts[n], ts[k]);
        }
    }
}

/* RFC 7323 7 */
static void the_timestamp_offset_tells_nothing_about_the_isn(void **state)
{
    (void)state;
    assert_int_not_equal(isn_choose(&secrets, &tuple, 0), isn_timestamp_offset(&secrets, &tuple));
    struct tcp_secrets s = secrets;
    s.isn = others.isn;
    assert_int_equal(isn_timestamp_offset(&s, &tuple), isn_timestamp_offset(&secrets, &tuple));
}

/* Successive ports: in each of the 32 bits about half of the differences are ones. */
static void neighbouring_ports_give_unrelated_numbers(void **state)
{
    (void)state;
    unsigned ones[32] = {0};
    enum { N = 4096 };
    for (unsigned n = 0; n < N; n++) {
        struct tcp_tuple a = tuple, b = tuple;
        a.local_port = (uint16_t)(10000 + n), b.local_port = (uint16_t)(10001 + n);
        uint32_t d = isn_choose(&secrets, &a, 0) ^ isn_choose(&secrets, &b, 0);
        for (unsigned bit = 0; bit < 32; bit++)
            ones[bit] += d >> bit & 1;
    }
    for (unsigned bit = 0; bit < 32; bit++)
        assert_in_range(ones[bit], N / 2 - 200, N / 2 + 200);        /* more than six sigma */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(isn_is_a_clock_of_four_microseconds_for_one_tuple),
        cmocka_unit_test(every_part_of_the_tuple_and_the_secret_matter),
        cmocka_unit_test(the_timestamp_offset_tells_nothing_about_the_isn),
        cmocka_unit_test(neighbouring_ports_give_unrelated_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
