/* SPDX-License-Identifier: MIT
 *
 * How much may fly: RFC 5681, RFC 6582, RFC 6928, docs/defaults.md.
 */
#include "support/unit.h"

#include "base/prng.h"
#include "transport/tcp/cc/newreno.h"

static void the_initial_window_is_that_of_rfc_6928(void **state)                        /* RFC 6928 2: min(10 MSS, max(2 MSS, 14600)) */
{
    static const struct {
        uint32_t mss, iw;
    } rows[] = {{48, 480}, {536, 5360}, {1220, 12200}, {1448, 14480}, {1460, 14600}, {2000, 14600}, {7300, 14600}, {8960, 17920}, {65495, 130990}};
    (void)state;
    for (unsigned i = 0; i < COUNT_OF(rows); i++) {
        struct cc cc;
        assert_int_equal(cc_initial_window(rows[i].mss), rows[i].iw);
        cc_init(&cc, rows[i].mss, false);
        assert_int_equal(cc.cwnd, rows[i].iw);
        assert_true(cc.ssthresh >= CC_CWND_MAX);                     /* RFC 5681 3.1: arbitrarily high */
        cc_init(&cc, rows[i].mss, true);
        assert_int_equal(cc.cwnd, rows[i].mss);                      /* more than one SYN lost: RFC 6928 2 */
    }
}

/* MUST-19 */
static void slow_start_grows_by_bytes_acknowledged_at_most_8_mss_an_ack(void **state)   /* RFC 5681 3.1, RFC 9406 4.3 */
{
    (void)state;
    struct cc cc;
    cc_init(&cc, 1000, false);
    uint32_t before = cc.cwnd;
    cc_on_ack(&cc, 1000, 1000, true);
    assert_int_equal(cc.cwnd, before + 1000);
    cc_on_ack(&cc, 1, 1000, true);        /* ACK division gains nothing: threats V53 */
    assert_int_equal(cc.cwnd, before + 1001);
    cc_on_ack(&cc, 100000, 1000, true);
    assert_int_equal(cc.cwnd, before + 9001);
}

static void a_window_that_is_not_used_does_not_grow(void **state)                       /* RFC 7661 4.1 */
{
    (void)state;
    struct cc cc;
    cc_init(&cc, 1000, false);
    uint32_t before = cc.cwnd;
    for (int n = 0; n < 100; n++)
        cc_on_ack(&cc, 1000, 1000, false);
    assert_int_equal(cc.cwnd, before);
}

/* MUST-19 */
static void congestion_avoidance_adds_one_mss_per_window(void **state)                  /* RFC 5681 3.1 (3) */
{
    (void)state;
    struct cc cc = {.cwnd = 10000, .ssthresh = 10000};
    for (int window = 0; window < 20; window++) {
        uint32_t before = cc.cwnd, left = before;
        while (left) {
            uint32_t n = left < 1000 ? left : 1000;
            cc_on_ack(&cc, n, 1000, true);
            left -= n;
        }
        assert_int_equal(cc.cwnd, before + 1000);
    }
}

static void an_ack_of_many_windows_counts_as_one(void **state)     /* RFC 5681 3.1: "at most one full-sized segment per RTT" */
{
    (void)state;
    struct cc cc = {.cwnd = 2000, .ssthresh = 2000};
    cc_on_ack(&cc, 1000000, 1000, true);
    assert_int_equal(cc.cwnd, 3000);
    cc_on_ack(&cc, 1, 1000, true);
    assert_int_equal(cc.cwnd, 3000);
}

static void a_time_out_leaves_one_segment_and_halves_once(void **state)                 /* RFC 5681 3.1 (4) */
{
    (void)state;
    struct cc cc = {.cwnd = 40000, .ssthresh = CC_CWND_MAX};
    cc_on_rto(&cc, 30000, 1000, true);
    assert_int_equal(cc.cwnd, 1000);
    assert_int_equal(cc.ssthresh, 15000);
    cc_on_rto(&cc, 1000, 1000, false);    /* the same segment again: ssthresh stays */
    assert_int_equal(cc.ssthresh, 15000);
    cc_on_rto(&cc, 500, 1000, true);
    assert_int_equal(cc.ssthresh, 2000);  /* never under 2 MSS */
}

/* RFC 2018 5.1-a */
static void fast_retransmit_and_recovery_as_in_rfc_5681_and_6582(void **state)
{
    (void)state;
    struct cc cc = {.cwnd = 20000, .ssthresh = CC_CWND_MAX};
    cc_on_loss(&cc, 20000, 1000);
    assert_int_equal(cc.ssthresh, 10000);                            /* RFC 5681 3.2 (2) */
    assert_int_equal(cc.cwnd, 13000);                                /* (3): ssthresh plus 3 MSS */
    cc_on_duplicate(&cc, 1000);
    assert_int_equal(cc.cwnd, 14000);                                /* (4) */
    cc_on_partial(&cc, 3000, 1000);
    assert_int_equal(cc.cwnd, 12000);                                /* RFC 6582 3.2 (3): deflate, add one back */
    cc_on_partial(&cc, 500, 1000);
    assert_int_equal(cc.cwnd, 11500);     /* less than a segment was acknowledged: nothing is added back */
    cc_on_partial(&cc, 50000, 1000);
    assert_int_equal(cc.cwnd, 1000);      /* never nothing */
    cc_on_recovered(&cc, 4000, 1000);
    assert_int_equal(cc.cwnd, 5000);      /* RFC 6582 3.2 (3), full: min(ssthresh, max(flight, MSS) + MSS) */
    cc_on_recovered(&cc, 40000, 1000);
    assert_int_equal(cc.cwnd, 10000);
}

static void after_idle_the_window_is_at_most_the_initial_one(void **state)              /* RFC 5681 4.1 */
{
    (void)state;
    struct cc cc = {.cwnd = 100000, .ssthresh = 50000};
    cc_on_idle(&cc, 1000);
    assert_int_equal(cc.cwnd, 10000);
    cc.cwnd = 3000;
    cc_on_idle(&cc, 1000);
    assert_int_equal(cc.cwnd, 3000);
    assert_int_equal(cc.ssthresh, 50000);
}

static void whatever_happens_a_segment_may_fly_and_the_window_is_bounded(void **state)
{
    (void)state;
    struct prng p;
    struct cc cc;
    prng_seed(&p, 5681);
    cc_init(&cc, 48, false);
    for (int n = 0; n < 500000; n++) {
        uint32_t mss = 48 + prng_below(&p, 65448), bytes = prng_below(&p, 1u << (1 + prng_below(&p, 30)));
        switch (prng_below(&p, 8)) {
        case 0: cc_on_rto(&cc, bytes, mss, prng_below(&p, 2)); break;
        case 1: cc_on_loss(&cc, bytes, mss); break;
        case 2: cc_on_partial(&cc, bytes, mss); break;
        case 3: cc_on_recovered(&cc, bytes, mss); break;
        case 4: cc_on_duplicate(&cc, mss); break;
        default: cc_on_ack(&cc, bytes, mss, true); break;
        }
        assert_in_range(cc.cwnd, 48, CC_CWND_MAX);
        assert_true(cc.ssthresh >= 2 * 48);
        assert_true(cc.acked <= 2u * CC_CWND_MAX);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_initial_window_is_that_of_rfc_6928),
        cmocka_unit_test(slow_start_grows_by_bytes_acknowledged_at_most_8_mss_an_ack),
        cmocka_unit_test(a_window_that_is_not_used_does_not_grow),
        cmocka_unit_test(congestion_avoidance_adds_one_mss_per_window),
        cmocka_unit_test(an_ack_of_many_windows_counts_as_one),
        cmocka_unit_test(a_time_out_leaves_one_segment_and_halves_once),
        cmocka_unit_test(fast_retransmit_and_recovery_as_in_rfc_5681_and_6582),
        cmocka_unit_test(after_idle_the_window_is_at_most_the_initial_one),
        cmocka_unit_test(whatever_happens_a_segment_may_fly_and_the_window_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
