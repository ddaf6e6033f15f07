/* SPDX-License-Identifier: MIT
 *
 * NewReno's window: RFC 5681, RFC 6582, RFC 6928, docs/defaults.md. Slow start itself is test_hystart.c, what leads the window through a repair is PRR.
 */
#include "support/unit.h"

#include "base/prng.h"
#include "transport/tcp/cc/cc.h"
#include "transport/tcp/cc/newreno.h"

enum { MSS = 1000 };

struct flow {
    struct pl_cc cc;
    struct newreno n;
};

static struct flow flow_of(uint32_t cwnd, uint32_t ssthresh) { return (struct flow){.cc = {.cwnd = cwnd, .ssthresh = ssthresh, .mss = MSS}}; }

/* An ACK of so many bytes, all of which arrived just now. */
static void acks(struct flow *f, uint32_t bytes, bool limited)
{
    struct pl_cc_ack a = {.acked = bytes, .delivered = bytes, .limited = limited, .now = PL_S, .nxt = 1};
    newreno_on_ack(NULL, &f->cc, &f->n, &a);
}

static void the_initial_window_is_that_of_rfc_6928(void **state)                        /* RFC 6928 2: min(10 MSS, max(2 MSS, 14600)) */
{
    static const struct {
        uint32_t mss, iw;
    } rows[] = {{48, 480}, {536, 5360}, {1220, 12200}, {1448, 14480}, {1460, 14600}, {2000, 14600}, {7300, 14600}, {8960, 17920}, {65495, 130990}};
    (void)state;
    for (unsigned i = 0; i < COUNT_OF(rows); i++) {
        struct pl_cc cc;
        assert_int_equal(cc_initial_window(rows[i].mss), rows[i].iw);
        cc_init(&cc, rows[i].mss, false);
        assert_int_equal(cc.cwnd, rows[i].iw);
        assert_int_equal(cc.ssthresh, PL_CC_CWND_MAX);               /* RFC 5681 3.1: arbitrarily high */
        cc_init(&cc, rows[i].mss, true);
        assert_int_equal(cc.cwnd, rows[i].mss);                      /* more than one SYN lost: RFC 6928 2 */
    }
}

/* MUST-19 */
static void slow_start_grows_by_bytes_acknowledged_at_most_8_mss_an_ack(void **state)   /* RFC 5681 3.1, RFC 9406 4.3 */
{
    (void)state;
    struct flow f = flow_of(10000, PL_CC_CWND_MAX);
    acks(&f, 1000, true);
    assert_int_equal(f.cc.cwnd, 11000);
    acks(&f, 1, true);                    /* ACK division gains nothing: threats V53 */
    assert_int_equal(f.cc.cwnd, 11001);
    acks(&f, 100000, true);
    assert_int_equal(f.cc.cwnd, 19001);
    assert_string_equal(newreno_on_describe(NULL, &f.cc, &f.n), "slow start");
}

/* RFC 3465 2.3, RFC 5681 3.1: after a time-out an ACK may be of what arrived long ago. */
static void slow_start_after_a_time_out_grows_by_one_mss_an_ack(void **state)
{
    (void)state;
    for (unsigned paced = 0; paced < 2; paced++) {
        struct flow f = flow_of(1000, 20000);
        struct pl_cc_ack a = {.acked = 9000, .delivered = 9000, .limited = true, .now = PL_S, .nxt = 1, .phase = PL_CC_LOSS, .after_rto = true, .paced = paced};
        newreno_on_ack(NULL, &f.cc, &f.n, &a);
        assert_int_equal(f.cc.cwnd, 2000);
        a.acked = 1;
        newreno_on_ack(NULL, &f.cc, &f.n, &a);
        assert_int_equal(f.cc.cwnd, 2001);
    }
}

static void a_window_that_is_not_used_does_not_grow(void **state)                       /* RFC 7661 4.1 */
{
    (void)state;
    struct flow f = flow_of(10000, PL_CC_CWND_MAX), g = flow_of(10000, 10000);
    for (int n = 0; n < 100; n++)
        acks(&f, 1000, false), acks(&g, 1000, false);
    assert_int_equal(f.cc.cwnd, 10000);
    assert_int_equal(g.cc.cwnd, 10000);
}

/* RFC 9937 6: while a loss is being repaired, PRR leads the window. */
static void in_fast_recovery_nothing_grows(void **state)
{
    (void)state;
    struct flow f = flow_of(10000, 20000);
    struct pl_cc_ack a = {.acked = 1000, .delivered = 1000, .limited = true, .phase = PL_CC_RECOVERY};
    newreno_on_ack(NULL, &f.cc, &f.n, &a);
    assert_int_equal(f.cc.cwnd, 10000);
    f.cc.ssthresh = 10000;
    for (unsigned n = 0; n < 50; n++)
        newreno_on_ack(NULL, &f.cc, &f.n, &a);
    assert_int_equal(f.cc.cwnd, 10000);
}

/* MUST-19 */
static void congestion_avoidance_adds_one_mss_per_window(void **state)                  /* RFC 5681 3.1 (3) */
{
    (void)state;
    struct flow f = flow_of(10000, 10000);
    for (int window = 0; window < 20; window++) {
        uint32_t before = f.cc.cwnd;
        for (uint32_t left = before; left; left -= 1000) {
            assert_int_equal(f.cc.cwnd, before);
            acks(&f, 1000, true);
        }
        assert_int_equal(f.cc.cwnd, before + 1000);
    }
    assert_string_equal(newreno_on_describe(NULL, &f.cc, &f.n), "congestion avoidance");
    /* in steps that do not divide it: what is over counts for the next; the part of a segment that no window holds does not */
    f = flow_of(10400, 10400);
    for (unsigned n = 0; n < 3; n++)
        acks(&f, 4000, true);
    assert_int_equal(f.cc.cwnd, 11400);
    acks(&f, 8999, true);
    assert_int_equal(f.cc.cwnd, 11400);
    acks(&f, 1, true);
    assert_int_equal(f.cc.cwnd, 12400);
}

static void an_ack_of_many_windows_counts_as_one(void **state)     /* RFC 5681 3.1: "at most one full-sized segment per RTT" */
{
    (void)state;
    struct flow f = flow_of(2000, 2000);
    acks(&f, 1000000, true);
    assert_int_equal(f.cc.cwnd, 3000);
    acks(&f, 1, true);
    assert_int_equal(f.cc.cwnd, 3000);
}

static void a_time_out_leaves_one_segment_and_halves_once(void **state)                 /* RFC 5681 3.1 (4) */
{
    (void)state;
    struct flow f = flow_of(40000, PL_CC_CWND_MAX);
    newreno_on_rto(NULL, &f.cc, &f.n, 1, 30000, true);
    assert_int_equal(f.cc.cwnd, 1000);
    assert_int_equal(f.cc.ssthresh, 15000);
    newreno_on_rto(NULL, &f.cc, &f.n, 2, 1000, false);   /* the same segment again: ssthresh stays */
    assert_int_equal(f.cc.ssthresh, 15000);
    newreno_on_rto(NULL, &f.cc, &f.n, 3, 500, true);
    assert_int_equal(f.cc.ssthresh, 2000);               /* never under 2 MSS */
}

static void a_loss_halves_what_was_in_flight(void **state)                              /* RFC 5681 3.2 (2) */
{
    (void)state;
    struct flow f = flow_of(20000, PL_CC_CWND_MAX);
    newreno_on_loss(NULL, &f.cc, &f.n, 1, 20000);
    assert_int_equal(f.cc.ssthresh, 10000);
    assert_int_equal(f.cc.cwnd, 20000);                  /* the stack leads it there */
    newreno_on_loss(NULL, &f.cc, &f.n, 2, 3000);
    assert_int_equal(f.cc.ssthresh, 2000);
}

/* RFC 4015 3.2 (6), (7): as it was; but what has grown beyond that meanwhile stays. */
static void what_was_a_mistake_is_taken_back(void **state)
{
    (void)state;
    for (unsigned rto = 0; rto < 2; rto++) {
        struct flow f = flow_of(20000, 16000);
        if (rto) {
            newreno_on_rto(NULL, &f.cc, &f.n, 1, 20000, true);
            newreno_on_rto(NULL, &f.cc, &f.n, 2, 1000, false);       /* a back-off does not hide it */
        } else {
            newreno_on_loss(NULL, &f.cc, &f.n, 1, 20000);
            f.cc.cwnd = 11000;
        }
        newreno_on_undo(NULL, &f.cc, &f.n, 3);
        assert_int_equal(f.cc.cwnd, 20000);
        assert_int_equal(f.cc.ssthresh, 16000);
        f.cc.cwnd = 30000, f.cc.ssthresh = 25000;
        newreno_on_undo(NULL, &f.cc, &f.n, 4);
        assert_int_equal(f.cc.cwnd, 30000);
        assert_int_equal(f.cc.ssthresh, 25000);
    }
}

static void whatever_happens_the_window_is_bounded(void **state)
{
    (void)state;
    struct prng p;
    struct flow f = flow_of(480, PL_CC_CWND_MAX);
    prng_seed(&p, 5681);
    for (int n = 0; n < 500000; n++) {
        uint32_t bytes = prng_below(&p, 1u << (1 + prng_below(&p, 30)));
        f.cc.mss = 48 + prng_below(&p, 65448);
        switch (prng_below(&p, 8)) {
        case 0: newreno_on_rto(NULL, &f.cc, &f.n, (pl_time)n, bytes, prng_below(&p, 2)); break;
        case 1: newreno_on_loss(NULL, &f.cc, &f.n, (pl_time)n, bytes); break;
        case 2: newreno_on_undo(NULL, &f.cc, &f.n, (pl_time)n); break;
        case 3: newreno_on_recovered(NULL, &f.cc, &f.n, (pl_time)n); break;
        default: acks(&f, bytes, true); break;
        }
        assert_in_range(f.cc.cwnd, 48, PL_CC_CWND_MAX);
        assert_in_range(f.cc.ssthresh, 2 * 48, PL_CC_CWND_MAX);
        assert_true(f.n.acked <= 2u * PL_CC_CWND_MAX);
        if (f.cc.cwnd < f.cc.mss)         /* the stack never leaves it less */
            f.cc.cwnd = f.cc.mss;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_initial_window_is_that_of_rfc_6928),
        cmocka_unit_test(slow_start_grows_by_bytes_acknowledged_at_most_8_mss_an_ack),
        cmocka_unit_test(slow_start_after_a_time_out_grows_by_one_mss_an_ack),
        cmocka_unit_test(a_window_that_is_not_used_does_not_grow),
        cmocka_unit_test(in_fast_recovery_nothing_grows),
        cmocka_unit_test(congestion_avoidance_adds_one_mss_per_window),
        cmocka_unit_test(an_ack_of_many_windows_counts_as_one),
        cmocka_unit_test(a_time_out_leaves_one_segment_and_halves_once),
        cmocka_unit_test(a_loss_halves_what_was_in_flight),
        cmocka_unit_test(what_was_a_mistake_is_taken_back),
        cmocka_unit_test(whatever_happens_the_window_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
