/* SPDX-License-Identifier: MIT
 *
 * Congestion window validation: RFC 7661. A sender is played whose round trips are exact, so each number can be written down.
 */
#include "support/unit.h"

#include "transport/tcp/cc/cc.h"
#include "transport/tcp/models/validate.h"

enum { MSS = 1000, IW = 10000 };

/* Nothing grows the window here but the test. */
struct sender {
    struct pl_cc cc;
    struct validate v;
    pl_time now, rtt, idle_since;
    uint32_t una, nxt;
    bool limited;                         /* what the last ACK was told */
};

static struct sender sender(uint32_t cwnd, uint32_t ssthresh)
{
    struct sender s = {.cc = {.cwnd = cwnd, .ssthresh = ssthresh, .mss = MSS}, .now = 1000 * PL_S, .rtt = 100 * PL_MS, .una = UINT32_MAX - 20000};
    s.nxt = s.una;
    s.idle_since = s.now;
    validate_init(&s.v, true, true, s.nxt, s.now);
    return s;
}

static void sends(struct sender *s, uint32_t bytes)
{
    if (s->una == s->nxt)
        validate_restart(&s->v, &s->cc, s->nxt, s->now, s->now - s->idle_since, s->rtt);
    s->nxt += bytes;
}

static void acked(struct sender *s, uint32_t bytes)
{
    struct validate_ack a = {.now = s->now, .srtt = s->rtt, .una_before = s->una, .una = s->una + bytes, .nxt = s->nxt, .pipe = s->nxt - s->una};
    assert_true(bytes <= a.pipe);
    s->una += bytes;
    s->limited = validate_ack(&s->v, &s->cc, &a);
    if (s->una == s->nxt)
        s->idle_since = s->now;
}

/* A burst that is acknowledged a round trip later, two segments at a time. */
static void burst(struct sender *s, uint32_t bytes)
{
    sends(s, bytes);
    s->now += s->rtt;
    while (s->una != s->nxt)
        acked(s, s->nxt - s->una < 2 * MSS ? s->nxt - s->una : 2 * MSS);
}

static void idles(struct sender *s, pl_time t) { s->now += t; }

/* ------------------------------------------------------------------- samples ------------------------------------------------------------------- */

static void a_connection_begins_validated_with_pipe_ack_undefined(void **state)    /* RFC 7661 4.1, 4.3 */
{
    (void)state;
    struct sender s = sender(IW, PL_CC_CWND_MAX);
    assert_true(validate_holds(&s.v));
    assert_int_equal(s.v.pipe_ack, VALIDATE_UNDEFINED);
    sends(&s, 1000);
    assert_true(validate_holds(&s.v));    /* little was sent, and nothing is measured yet */
    assert_int_equal(s.v.pipe_ack, VALIDATE_UNDEFINED);
    s.now += s.rtt;
    acked(&s, 1000);
    assert_int_equal(s.v.pipe_ack, 1000);
    assert_false(validate_holds(&s.v));
}

static void a_sample_is_what_a_round_trip_acknowledged(void **state)               /* RFC 7661 4.2-a */
{
    (void)state;
    struct sender s = sender(20000, 10000);
    burst(&s, 12000);
    assert_int_equal(s.v.pipe_ack, 12000);
    /* without a pause: what was under way when the sample began, a segment more sent for each that is acknowledged */
    s = sender(20000, 10000);
    sends(&s, 20000);
    for (unsigned i = 0; i < 10; i++) {
        if (i % 5 == 0)
            s.now += s.rtt;
        acked(&s, 4000);
        sends(&s, 4000);
    }
    assert_int_equal(s.v.pipe_ack, 20000);
    assert_true(validate_holds(&s.v));
}

/* An ACK that comes before what the one before has let go was sent, as in a batch of frames, begins no sample: it would be too small. */
static void acks_that_come_together_make_no_sample_smaller(void **state)
{
    (void)state;
    struct sender s = sender(20000, 10000);
    sends(&s, 20000);
    for (unsigned round = 0; round < 4; round++) {
        s.now += s.rtt;
        for (unsigned i = 0; i < 10; i++)
            acked(&s, 2000);
        sends(&s, 20000);
        assert_int_equal(s.v.pipe_ack, 20000);
    }
    /* and where the last sample ends in the middle of a batch */
    for (unsigned round = 0; round < 4; round++) {
        s.now += s.rtt;
        for (unsigned i = 0; i < 7; i++)
            acked(&s, 2000);
        sends(&s, 14000);
        s.now += s.rtt;
        for (unsigned i = 0; i < 10; i++)
            acked(&s, 2000);
        sends(&s, 20000);
    }
    assert_in_range(s.v.highest[0], 18000, 20000);
}

static void pipe_ack_is_the_largest_sample_of_the_sampling_period(void **state)    /* RFC 7661 4.2-b */
{
    (void)state;
    struct sender s = sender(20000, 10000);
    burst(&s, 16000);
    pl_time measured = s.now;
    while (s.now + s.rtt - measured < 750 * PL_MS) {     /* a quarter of a second is a measurement period of its own */
        burst(&s, 2000);
        assert_int_equal(s.v.pipe_ack, 16000);
        assert_true(validate_holds(&s.v));
    }
    while (s.now - measured < 1000 * PL_MS)
        burst(&s, 2000);
    assert_int_equal(s.v.pipe_ack, 2000);
    assert_false(validate_holds(&s.v));
    /* a long round trip: three of them */
    s = sender(20000, 10000);
    s.rtt = 1 * PL_S;
    burst(&s, 16000);
    burst(&s, 2000);
    burst(&s, 2000);
    assert_int_equal(s.v.pipe_ack, 16000);
    burst(&s, 2000);
    assert_int_equal(s.v.pipe_ack, 2000);
}

/* -------------------------------------------------------------------- growth -------------------------------------------------------------------- */

static void the_threshold_is_half_of_the_window(void **state)                      /* RFC 7661 4.3, 4.4-a, 4.4-g */
{
    (void)state;
    struct sender s = sender(20000, PL_CC_CWND_MAX);
    burst(&s, 10000);
    assert_true(validate_holds(&s.v));
    s = sender(20002, PL_CC_CWND_MAX);
    burst(&s, 10000);
    assert_false(validate_holds(&s.v));
    burst(&s, 10001);
    assert_true(validate_holds(&s.v));
}

static void what_is_not_validated_grows_only_while_it_is_full(void **state)        /* RFC 7661 4.4-c, 4.4-d, 4.5.3 */
{
    (void)state;
    struct sender s = sender(20000, PL_CC_CWND_MAX);
    burst(&s, 2000);
    burst(&s, 2000);
    assert_false(validate_holds(&s.v));
    assert_false(s.limited);
    sends(&s, 19000);                     /* a whole segment would still fit */
    s.now += s.rtt;
    acked(&s, 2000);
    assert_false(s.limited);
    sends(&s, 2500);                      /* and now none would */
    acked(&s, 2000);
    assert_true(s.limited);
    for (unsigned i = 0; i < 7; i++) {    /* so was the window that these answer to */
        acked(&s, 2000);
        assert_true(s.limited);
    }
    while (s.una != s.nxt)
        acked(&s, 500);
    burst(&s, 2000);
    assert_false(s.limited && !validate_holds(&s.v));
}

static void in_slow_start_a_validated_window_grows_though_it_is_not_full(void **state)
{
    (void)state;
    struct sender s = sender(20000, PL_CC_CWND_MAX);
    burst(&s, 12000);
    sends(&s, 2000);
    s.now += s.rtt;
    acked(&s, 2000);
    assert_true(validate_holds(&s.v) && s.limited);
    s.cc.ssthresh = 10000;                /* congestion avoidance: RFC 9438 5.8 */
    sends(&s, 2000);
    acked(&s, 2000);
    assert_true(validate_holds(&s.v) && !s.limited);
}

static void a_rate_limited_sender_in_slow_start_stops_at_about_twice_what_it_uses(void **state)
{
    (void)state;
    struct sender s = sender(IW, PL_CC_CWND_MAX);
    for (unsigned round = 0; round < 100; round++) {
        sends(&s, 8000);
        s.now += s.rtt;
        while (s.una != s.nxt) {
            acked(&s, 1000);
            s.cc.cwnd += s.limited ? 1000 : 0;
        }
    }
    assert_int_equal(s.cc.cwnd, 17000);   /* seven segments more before the first sample is complete, which then is less than half */
}

/* -------------------------------------------------------------------- keeping -------------------------------------------------------------------- */

static void an_idle_time_leaves_the_window_and_spreads_what_comes_next(void **state)   /* RFC 7661 4.4-a, 4.4.2 */
{
    (void)state;
    struct sender s = sender(40000, 30000);
    burst(&s, 40000);
    idles(&s, 900 * PL_MS);
    sends(&s, 1000);
    assert_true(validate_holds(&s.v));    /* what was measured still counts */
    assert_int_equal(s.cc.pacing_rate, 0);
    s.now += s.rtt;
    acked(&s, 1000);
    idles(&s, 100 * PL_S);
    sends(&s, 40000);
    assert_false(validate_holds(&s.v));
    assert_int_equal(s.cc.cwnd, 40000);
    assert_int_equal(s.cc.pacing_rate, 400000);          /* 40000 bytes in 100 ms */
    s.now += s.rtt;
    while (s.una != s.nxt)
        acked(&s, 1000);
    assert_true(validate_holds(&s.v));
    assert_int_equal(s.cc.pacing_rate, 0);
    assert_int_equal(s.cc.cwnd, 40000);
}

static void an_initial_window_is_never_spread_nor_what_an_algorithm_paces(void **state)
{
    (void)state;
    struct sender s = sender(IW, 5000);
    burst(&s, 1000);
    assert_false(validate_holds(&s.v));
    assert_int_equal(s.cc.pacing_rate, 0);
    s = sender(40000, 5000);
    s.cc.pacing_rate = 12345;
    burst(&s, 1000);
    assert_false(validate_holds(&s.v));
    assert_int_equal(s.cc.pacing_rate, 12345);
    burst(&s, 40000);
    assert_int_equal(s.cc.pacing_rate, 12345);
}

static void every_five_minutes_half_of_an_unused_window_goes(void **state)         /* RFC 7661 4.4-b, 4.4.3-a, 4.4.3-b */
{
    (void)state;
    struct sender s = sender(100000, 20000);
    burst(&s, 100000);
    idles(&s, 300 * PL_S + 100 * PL_MS);  /* it counts as used for about a second */
    sends(&s, 1000);
    assert_int_equal(s.cc.cwnd, 100000);
    s.now += s.rtt;
    acked(&s, 1000);
    idles(&s, 1 * PL_S);
    sends(&s, 1000);
    assert_int_equal(s.cc.cwnd, 50000);
    assert_int_equal(s.cc.ssthresh, 75000);
    s.now += s.rtt;
    acked(&s, 1000);
    idles(&s, 600 * PL_S);                /* two more */
    sends(&s, 1000);
    assert_int_equal(s.cc.cwnd, 12500);
    assert_int_equal(s.cc.ssthresh, 75000);
    idles(&s, 10 * 300 * PL_S);           /* and never less than an initial window */
    s.now += s.rtt;
    acked(&s, 1000);
    assert_int_equal(s.cc.cwnd, IW);
    /* the same without a pause, for who sends little all the time */
    s = sender(100000, 20000);
    for (unsigned i = 0; i < 3100; i++)
        burst(&s, 1000);
    assert_int_equal(s.cc.cwnd, 50000);
    assert_int_equal(s.cc.ssthresh, 75000);
    /* what is smaller than an initial window stays */
    s = sender(4000, 2000);
    burst(&s, 1000);
    idles(&s, 1000 * PL_S);
    sends(&s, 1000);
    assert_int_equal(s.cc.cwnd, 4000);
    assert_int_equal(s.cc.ssthresh, 2000);
}

static void what_was_not_measured_does_not_count_for_ever(void **state)
{
    (void)state;
    struct sender s = sender(100000, 20000);
    validate_forget(&s.v, &s.cc, s.nxt, s.now);
    idles(&s, 999 * PL_MS);
    sends(&s, 1000);
    assert_true(validate_holds(&s.v));
    s = sender(100000, 20000);
    idles(&s, 1 * PL_S);
    sends(&s, 1000);
    assert_false(validate_holds(&s.v));
}

/* -------------------------------------------------------------------- losses --------------------------------------------------------------------- */

/* NewReno's answer. */
static void loss(struct sender *s, uint32_t flight)
{
    s->cc.ssthresh = validate_loss(&s->v, &s->cc, flight) / 2;
    if (s->cc.ssthresh < 2 * MSS)
        s->cc.ssthresh = 2 * MSS;
    validate_reduce(&s->v, &s->cc);
}

static void recovered(struct sender *s)
{
    s->cc.cwnd = s->cc.ssthresh;
    validate_recovered(&s->v, &s->cc, s->nxt, s->now);
}

static void a_loss_of_a_validated_window_is_answered_as_ever(void **state)         /* RFC 7661 4.3 */
{
    (void)state;
    struct sender s = sender(40000, 10000);
    burst(&s, 40000);
    assert_int_equal(validate_loss(&s.v, &s.cc, 36000), 36000);
    s.cc.ssthresh = 28000;                /* by another factor than a half */
    validate_reduce(&s.v, &s.cc);
    assert_int_equal(s.cc.ssthresh, 28000);
    validate_resent(&s.v, s.una, 5000);
    recovered(&s);
    assert_int_equal(s.cc.cwnd, 28000);
    assert_int_equal(s.cc.ssthresh, 28000);
}

static void a_loss_of_one_that_is_not_is_answered_from_what_was_used(void **state)  /* RFC 7661 4.4-e, 4.4.1-a, 4.4.1-b */
{
    (void)state;
    struct sender s = sender(100000, 20000);
    burst(&s, 30000);
    assert_false(validate_holds(&s.v));
    loss(&s, 12000);                      /* less than was measured */
    assert_true(validate_holds(&s.v));
    assert_int_equal(s.cc.pacing_rate, 0);
    assert_int_equal(s.cc.ssthresh, 15000);
    validate_resent(&s.v, s.una, 2000);
    validate_resent(&s.v, s.una + 2000, 2000);
    validate_resent(&s.v, s.una, 2000);   /* once more: does not count */
    recovered(&s);
    assert_int_equal(s.cc.cwnd, 13000);   /* (30000 - 4000) / 2 */
    assert_int_equal(s.cc.ssthresh, 13000);
    assert_int_equal(s.v.pipe_ack, VALIDATE_UNDEFINED);
    assert_true(validate_holds(&s.v));
    /* more than was measured; and an algorithm that would take less away */
    s = sender(100000, 20000);
    burst(&s, 3000);
    uint32_t flight = validate_loss(&s.v, &s.cc, 44000);
    assert_int_equal(flight, 44000);
    s.cc.ssthresh = flight / 10 * 7;
    validate_reduce(&s.v, &s.cc);
    assert_int_equal(s.cc.ssthresh, 22000);
}

static void the_window_keeps_a_segment_whatever_was_lost(void **state)             /* RFC 7661 4.4.1-c */
{
    (void)state;
    struct sender s = sender(100000, 20000);
    burst(&s, 1500);
    loss(&s, 1500);
    assert_int_equal(s.cc.ssthresh, MSS);
    validate_resent(&s.v, s.una, 1500);
    recovered(&s);
    assert_int_equal(s.cc.cwnd, MSS);
    assert_int_equal(s.cc.ssthresh, MSS);
}

static void after_a_repair_nothing_is_known_until_a_new_sample(void **state)       /* RFC 7661 4.2-c, 4.4.1-d */
{
    (void)state;
    struct sender s = sender(100000, 20000);
    burst(&s, 60000);
    sends(&s, 60000);
    loss(&s, 60000);
    recovered(&s);
    assert_int_equal(s.cc.cwnd, 30000);
    assert_int_equal(s.v.pipe_ack, VALIDATE_UNDEFINED);
    s.now += s.rtt;
    acked(&s, 60000);                     /* what was sent before: nothing was sent since */
    assert_int_equal(s.v.pipe_ack, VALIDATE_UNDEFINED);
    burst(&s, 16000);
    assert_int_equal(s.v.pipe_ack, 16000);
    assert_true(validate_holds(&s.v));
    /* the next loss knows nothing of the one before */
    sends(&s, 16000);
    loss(&s, 16000);
    assert_int_equal(s.cc.ssthresh, 8000);
    validate_resent(&s.v, s.una, 4000);
    recovered(&s);
    assert_int_equal(s.cc.cwnd, 8000);
}

static void a_time_out_ends_the_phase_and_is_answered_as_ever(void **state)        /* RFC 7661 4.4-f */
{
    (void)state;
    struct sender s = sender(100000, 20000);
    burst(&s, 3000);
    assert_false(validate_holds(&s.v));
    assert_true(s.cc.pacing_rate != 0);
    validate_forget(&s.v, &s.cc, s.nxt, s.now);
    assert_true(validate_holds(&s.v));
    assert_int_equal(s.cc.pacing_rate, 0);
    assert_int_equal(s.v.pipe_ack, VALIDATE_UNDEFINED);
    assert_int_equal(s.cc.cwnd, 100000);  /* that is the algorithm's */
}

/* ------------------------------------------------------------------- off, rate ------------------------------------------------------------------- */

static void switched_off_it_measures_and_changes_nothing(void **state)
{
    (void)state;
    struct sender s = sender(100000, PL_CC_CWND_MAX);
    validate_init(&s.v, false, true, s.nxt, s.now);
    burst(&s, 3000);
    burst(&s, 3000);
    assert_false(s.limited);
    idles(&s, 3000 * PL_S);
    burst(&s, 3000);
    assert_true(validate_holds(&s.v));
    assert_int_equal(s.cc.cwnd, 100000);
    assert_int_equal(s.cc.pacing_rate, 0);
    assert_int_equal(validate_loss(&s.v, &s.cc, 1000), 1000);
    recovered(&s);
    assert_int_equal(s.v.rate.bytes, 3000);
}

static void the_delivery_rate_is_of_the_last_full_sample_or_of_a_faster_one(void **state)
{
    (void)state;
    struct sender s = sender(40000, 20000);
    assert_int_equal(s.v.rate.us, 0);
    burst(&s, 40000);
    assert_int_equal(s.v.rate.bytes, 40000);
    assert_int_equal(s.v.rate.us, 100000);
    s.rtt = 200 * PL_MS;
    burst(&s, 40000);                     /* slower, and the window was full */
    assert_int_equal(s.v.rate.bytes, 40000);
    assert_int_equal(s.v.rate.us, 200000);
    idles(&s, 50 * PL_MS);
    burst(&s, 20000);                     /* slower, for want of something to send */
    assert_int_equal(s.v.rate.bytes, 40000);
    s.rtt = 50 * PL_MS;
    burst(&s, 20000);
    assert_int_equal(s.v.rate.bytes, 20000);
    assert_int_equal(s.v.rate.us, 50000);
    s.rtt = 0;                            /* no time passes: it says nothing */
    burst(&s, 20000);
    assert_int_equal(s.v.rate.us, 50000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connection_begins_validated_with_pipe_ack_undefined),
        cmocka_unit_test(a_sample_is_what_a_round_trip_acknowledged),
        cmocka_unit_test(acks_that_come_together_make_no_sample_smaller),
        cmocka_unit_test(pipe_ack_is_the_largest_sample_of_the_sampling_period),
        cmocka_unit_test(the_threshold_is_half_of_the_window),
        cmocka_unit_test(what_is_not_validated_grows_only_while_it_is_full),
        cmocka_unit_test(in_slow_start_a_validated_window_grows_though_it_is_not_full),
        cmocka_unit_test(a_rate_limited_sender_in_slow_start_stops_at_about_twice_what_it_uses),
        cmocka_unit_test(an_idle_time_leaves_the_window_and_spreads_what_comes_next),
        cmocka_unit_test(an_initial_window_is_never_spread_nor_what_an_algorithm_paces),
        cmocka_unit_test(every_five_minutes_half_of_an_unused_window_goes),
        cmocka_unit_test(what_was_not_measured_does_not_count_for_ever),
        cmocka_unit_test(a_loss_of_a_validated_window_is_answered_as_ever),
        cmocka_unit_test(a_loss_of_one_that_is_not_is_answered_from_what_was_used),
        cmocka_unit_test(the_window_keeps_a_segment_whatever_was_lost),
        cmocka_unit_test(after_a_repair_nothing_is_known_until_a_new_sample),
        cmocka_unit_test(a_time_out_ends_the_phase_and_is_answered_as_ever),
        cmocka_unit_test(switched_off_it_measures_and_changes_nothing),
        cmocka_unit_test(the_delivery_rate_is_of_the_last_full_sample_or_of_a_faster_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
