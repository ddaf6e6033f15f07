/* SPDX-License-Identifier: MIT
 *
 * The checks of Neighbour Solicitations and Advertisements, RFC 4861 7.1, threats V24.
 */
#include "support/unit.h"

#include "base/prng.h"
#include "internet/ndp.h"
#include "support/guard.h"

static const uint8_t PEER[16] = {0xfe, 0x80, [15] = 2}, US[16] = {0xfe, 0x80, [15] = 1}, ANY[16];
static const uint8_t GROUP[16] = {0xff, 2, [11] = 1, 0xff, 0, 0, 1}, ALL[16] = {0xff, 2, [15] = 1};
static const uint8_t MAC[6] = {2, 0, 0, 0, 0, 2};

static enum pl_drop judge(const uint8_t *bytes, uint32_t n, const uint8_t *src, const uint8_t *dst, uint8_t hop_limit)
{
    struct nd_in in;
    return ndp_judge(guard_copy(bytes, n), n, src, dst, hop_limit, &in);
}

static void a_good_solicitation(void **state)
{
    (void)state;
    uint8_t b[NDP_BYTES_MAX];
    struct nd_in in;
    uint32_t n = ndp_solicit_write(b, US, MAC);
    assert_int_equal(n, 32);
    assert_int_equal(ndp_judge(guard_copy(b, n), n, PEER, GROUP, 255, &in), PL_DROP_NONE);
    assert_true(in.solicitation);
    assert_memory_equal(in.target, US, 16);
    assert_memory_equal(in.hw, MAC, 6);
    n = ndp_solicit_write(b, US, NULL);
    assert_int_equal(n, 24);
    assert_int_equal(ndp_judge(guard_copy(b, n), n, PEER, US, 255, &in), PL_DROP_NONE);
    assert_null(in.hw);
    guard_reset();
}

static void a_good_advertisement(void **state)
{
    (void)state;
    uint8_t b[NDP_BYTES_MAX];
    struct nd_in in;
    for (unsigned solicited = 0; solicited < 2; solicited++) {
        uint32_t n = ndp_advertise_write(b, PEER, MAC, solicited);
        assert_int_equal(ndp_judge(guard_copy(b, n), n, PEER, US, 255, &in), PL_DROP_NONE);
        assert_true(!in.solicitation && in.override && !in.router);
        assert_int_equal(in.solicited, solicited);
        assert_memory_equal(in.target, PEER, 16);
        assert_memory_equal(in.hw, MAC, 6);
    }
    guard_reset();
}

static void v24_what_fails_a_check_is_dropped(void **state)
{
    (void)state;
    uint8_t ns[NDP_BYTES_MAX], na[NDP_BYTES_MAX], b[NDP_BYTES_MAX];
    ndp_solicit_write(ns, US, MAC);
    ndp_advertise_write(na, PEER, MAC, true);
    for (unsigned hop_limit = 0; hop_limit < 255; hop_limit++) {
        assert_int_equal(judge(ns, 32, PEER, GROUP, (uint8_t)hop_limit), PL_DROP_ND_INVALID);
        assert_int_equal(judge(na, 32, PEER, US, (uint8_t)hop_limit), PL_DROP_ND_INVALID);
    }
    for (uint32_t n = 0; n < 32; n++)     /* cut short: in the header, or in the option */
        assert_int_equal(judge(ns, n, PEER, GROUP, 255), n == 24 ? PL_DROP_NONE : PL_DROP_ND_INVALID);
    memcpy(b, ns, 32), b[1] = 1;          /* code */
    assert_int_equal(judge(b, 32, PEER, GROUP, 255), PL_DROP_ND_INVALID);
    memcpy(b, ns, 32), b[8] = 0xff;       /* the target is a group */
    assert_int_equal(judge(b, 32, PEER, GROUP, 255), PL_DROP_ND_INVALID);
    memcpy(b, ns, 32), b[25] = 0;         /* option of length 0: would never end */
    assert_int_equal(judge(b, 32, PEER, GROUP, 255), PL_DROP_ND_INVALID);
    memcpy(b, ns, 32), b[25] = 2;         /* option beyond the end */
    assert_int_equal(judge(b, 32, PEER, GROUP, 255), PL_DROP_ND_INVALID);
    memcpy(b, ns, 32), b[26] = 3;         /* a group as somebody's link address */
    assert_int_equal(judge(b, 32, PEER, GROUP, 255), PL_DROP_ND_INVALID);
    assert_int_equal(judge(na, 32, PEER, ALL, 255), PL_DROP_ND_INVALID);    /* solicited, yet sent to a group */
    assert_int_equal(judge(na, 32, ANY, US, 255), PL_DROP_ND_INVALID);
    ndp_advertise_write(na, PEER, MAC, false);
    assert_int_equal(judge(na, 32, PEER, ALL, 255), PL_DROP_NONE);
    guard_reset();
}

static void rfc4861_7_1_1_a_station_without_address_asks_the_group_and_gives_none(void **state)
{
    (void)state;
    uint8_t with[NDP_BYTES_MAX], without[NDP_BYTES_MAX];
    ndp_solicit_write(with, US, MAC);
    ndp_solicit_write(without, US, NULL);
    assert_int_equal(judge(without, 24, ANY, GROUP, 255), PL_DROP_NONE);
    assert_int_equal(judge(without, 24, ANY, US, 255), PL_DROP_ND_INVALID);
    assert_int_equal(judge(without, 24, ANY, ALL, 255), PL_DROP_ND_INVALID);
    assert_int_equal(judge(with, 32, ANY, GROUP, 255), PL_DROP_ND_INVALID);
    guard_reset();
}

static void any_bytes_may_come(void **state)
{
    (void)state;
    struct prng g;
    prng_seed(&g, 14);
    unsigned good = 0;
    for (unsigned round = 0; round < 50000; round++) {
        uint8_t b[80];
        uint32_t n = prng_below(&g, 81);
        for (unsigned i = 0; i < n; i++)
            b[i] = (uint8_t)(i >= 24 && prng_below(&g, 2) ? prng_below(&g, 4) : prng_next(&g));
        if (n > 1)
            b[0] = (uint8_t)(135 + prng_below(&g, 2)), b[1] = 0;
        struct nd_in in;
        uint8_t *at = guard_copy(b, n);
        if (ndp_judge(at, n, PEER, US, 255, &in) == PL_DROP_NONE) {
            good++;
            assert_true(in.hw == NULL || (in.hw >= at + 26 && in.hw + 6 <= at + n));
        }
        guard_free(at, n);
    }
    assert_true(good > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_solicitation),
        cmocka_unit_test(a_good_advertisement),
        cmocka_unit_test(v24_what_fails_a_check_is_dropped),
        cmocka_unit_test(rfc4861_7_1_1_a_station_without_address_asks_the_group_and_gives_none),
        cmocka_unit_test(any_bytes_may_come),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
