/* SPDX-License-Identifier: MIT
 *
 * Round-trip time and retransmission time-out, RFC 6298, with the numbers of docs/defaults.md.
 */
#include "support/unit.h"

#include "base/prng.h"
#include "transport/tcp/models/rtt.h"

static const struct rtt_bounds usual = {1 * PL_S, 200 * PL_MS, 120 * PL_S};

static void before_the_first_sample_rto_is_one_second(void **state)                     /* RFC 6298 2.1 */
{
    (void)state;
    struct rtt r;
    rtt_init(&r, &usual);
    assert_true(rtt_rto(&r, &usual) == 1 * PL_S);
    assert_true(r.srtt == 0);
}

static void the_first_sample_sets_srtt_and_half_of_it_as_variance(void **state)         /* RFC 6298 2.2 */
{
    (void)state;
    struct rtt r;
    rtt_init(&r, &usual);
    rtt_sample(&r, 300 * PL_MS, &usual);
    assert_true(r.srtt == 300 * PL_MS);
    assert_true(r.rttvar == 150 * PL_MS);
    assert_true(rtt_rto(&r, &usual) == 900 * PL_MS);                 /* SRTT + 4 * RTTVAR */
}

/* RFC 6298 2.3-a, 2.3-b */
static void later_samples_are_smoothed_variance_first(void **state)                     /* RFC 6298 2.3 */
{
    (void)state;
    struct rtt r;
    rtt_init(&r, &usual);
    rtt_sample(&r, 800 * PL_MS, &usual);
    rtt_sample(&r, 400 * PL_MS, &usual);
    assert_true(r.rttvar == 300 * PL_MS + 100 * PL_MS);              /* 3/4 * 400 + 1/4 * |800 - 400|: the old SRTT */
    assert_true(r.srtt == 700 * PL_MS + 50 * PL_MS);                 /* 7/8 * 800 + 1/8 * 400 */
}

/* RFC 6298 1, 2.3-c, 4 */
static void steady_path_gives_the_rto_of_the_defaults(void **state)                     /* docs/defaults.md: RTO */
{
    static const struct {
        pl_time rtt, rto;
    } rows[] = {{100 * PL_MS, 300 * PL_MS}, {10 * PL_MS, 210 * PL_MS}, {1 * PL_MS, 201 * PL_MS}, {1 * PL_S, 1200 * PL_MS}};
    (void)state;
    for (unsigned i = 0; i < COUNT_OF(rows); i++) {
        struct rtt r;
        rtt_init(&r, &usual);
        for (int n = 0; n < 100; n++)
            rtt_sample(&r, rows[i].rtt, &usual);
        pl_time rto = rtt_rto(&r, &usual), off = rto > rows[i].rto ? rto - rows[i].rto : rows[i].rto - rto;
        assert_true(off < 1000);          /* integer rounding, nanoseconds */
    }
}

static void back_off_doubles_up_to_120_seconds(void **state)                            /* RFC 6298 5.5, 2.5 */
{
    (void)state;
    struct rtt r;
    rtt_init(&r, &usual);
    for (int n = 0; n < 100; n++)
        rtt_sample(&r, 100 * PL_MS, &usual);
    pl_time base = rtt_rto(&r, &usual);
    for (r.backoffs = 0; r.backoffs < 200; r.backoffs++) {
        pl_time want = r.backoffs < 20 ? base << r.backoffs : PL_NEVER;
        assert_true(rtt_rto(&r, &usual) == (want < 120 * PL_S ? want : 120 * PL_S));
    }
}

static void new_samples_do_not_end_a_back_off_by_themselves(void **state)               /* RFC 6298 5.7 with Karn: the caller clears it */
{
    (void)state;
    struct rtt r;
    rtt_init(&r, &usual);
    r.backoffs = 2;
    rtt_sample(&r, 100 * PL_MS, &usual);
    assert_int_equal(r.backoffs, 2);
}

static void a_lost_syn_starts_data_with_three_seconds(void **state)                     /* RFC 6298 5.7 */
{
    (void)state;
    struct rtt r;
    rtt_init(&r, &usual);
    rtt_syn_was_lost(&r, &usual);
    assert_true(rtt_rto(&r, &usual) == 3 * PL_S);
    rtt_init(&r, &usual);
    rtt_sample(&r, 50 * PL_MS, &usual);
    pl_time before = r.rto;
    rtt_syn_was_lost(&r, &usual);         /* a sample is worth more */
    assert_true(r.rto == before);
}

static void whatever_is_measured_the_rto_stays_within_its_bounds(void **state)
{
    (void)state;
    struct prng p;
    struct rtt r;
    prng_seed(&p, 6298);
    rtt_init(&r, &usual);
    for (int n = 0; n < 20000; n++) {
        rtt_sample(&r, prng_next(&p) >> (20 + prng_below(&p, 44)), &usual);
        r.backoffs = prng_below(&p, 20);
        pl_time rto = rtt_rto(&r, &usual);
        assert_true(rto >= 200 * PL_MS && rto <= 120 * PL_S);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(before_the_first_sample_rto_is_one_second),
        cmocka_unit_test(the_first_sample_sets_srtt_and_half_of_it_as_variance),
        cmocka_unit_test(later_samples_are_smoothed_variance_first),
        cmocka_unit_test(steady_path_gives_the_rto_of_the_defaults),
        cmocka_unit_test(back_off_doubles_up_to_120_seconds),
        cmocka_unit_test(new_samples_do_not_end_a_back_off_by_themselves),
        cmocka_unit_test(a_lost_syn_starts_data_with_three_seconds),
        cmocka_unit_test(whatever_is_measured_the_rto_stays_within_its_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
