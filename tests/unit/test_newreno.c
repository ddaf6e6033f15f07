/* SPDX-License-Identifier: MIT
 *
 * NewReno's congestion avoidance and its answer to losses, RFC 5681; its slow start is in test_hystart.c.
 */
#include "support/unit.h"

#include "transport/tcp/cc/newreno.h"

enum { MSS = 1000 };

struct one {
    struct pl_cc cc;
    struct newreno state;
};

static struct one avoiding(uint32_t cwnd) { return (struct one){.cc = {.cwnd = cwnd, .ssthresh = cwnd, .mss = MSS}}; }

static void arrives(struct one *o, uint32_t bytes)
{
    struct pl_cc_ack a = {.acked = bytes, .delivered = bytes, .limited = true};
    newreno_on_ack(NULL, &o->cc, &o->state, &a);
}

static void one_segment_for_each_window(void **state)
{
    struct one o = avoiding(5 * MSS);
    (void)state;
    arrives(&o, 4 * MSS);
    assert_int_equal(o.cc.cwnd, 5 * MSS);
    arrives(&o, 2 * MSS);                 /* one more than it takes: that counts for the next */
    assert_int_equal(o.cc.cwnd, 6 * MSS);
    arrives(&o, 4 * MSS);
    assert_int_equal(o.cc.cwnd, 6 * MSS);
    arrives(&o, MSS);
    assert_int_equal(o.cc.cwnd, 7 * MSS);
}

static void half_a_segment_of_the_window_is_not_waited_for(void **state)
{
    struct one o = avoiding(3 * MSS + MSS / 2);
    (void)state;
    arrives(&o, 2 * MSS);
    assert_int_equal(o.cc.cwnd, 3 * MSS + MSS / 2);
    arrives(&o, MSS);
    assert_int_equal(o.cc.cwnd, 4 * MSS + MSS / 2);
}

/* The ACK that fills a hole covers much that had arrived before: only what is new counts. */
static void what_was_known_to_have_arrived_does_not_count_again(void **state)
{
    struct one o = avoiding(5 * MSS);
    (void)state;
    struct pl_cc_ack a = {.acked = 10 * MSS, .delivered = MSS, .limited = true};
    newreno_on_ack(NULL, &o.cc, &o.state, &a);
    arrives(&o, 3 * MSS);
    assert_int_equal(o.cc.cwnd, 5 * MSS);
    arrives(&o, MSS);
    assert_int_equal(o.cc.cwnd, 6 * MSS);
}

static void an_ack_of_many_windows_counts_as_one(void **state)
{
    struct one o = avoiding(2 * MSS);
    (void)state;
    arrives(&o, 50 * MSS);
    assert_int_equal(o.cc.cwnd, 3 * MSS);
    arrives(&o, 2 * MSS);
    assert_int_equal(o.cc.cwnd, 3 * MSS);
}

static void an_unused_window_and_a_repair_grow_nothing(void **state)
{
    struct one o = avoiding(5 * MSS);
    (void)state;
    struct pl_cc_ack a = {.acked = 5 * MSS, .delivered = 5 * MSS};
    newreno_on_ack(NULL, &o.cc, &o.state, &a);
    a.limited = true;
    a.phase = PL_CC_RECOVERY;
    newreno_on_ack(NULL, &o.cc, &o.state, &a);
    arrives(&o, 4 * MSS);
    assert_int_equal(o.cc.cwnd, 5 * MSS);
}

static void a_loss_halves_and_is_taken_back(void **state)
{
    struct one o = avoiding(12 * MSS);
    (void)state;
    o.cc.ssthresh = 9 * MSS;
    newreno_on_loss(NULL, &o.cc, &o.state, 0, 11 * MSS);
    assert_int_equal(o.cc.ssthresh, 11 * MSS / 2);       /* of what was in flight: RFC 5681 (4) */
    o.cc.cwnd = o.cc.ssthresh;
    newreno_on_undo(NULL, &o.cc, &o.state, 0);
    assert_int_equal(o.cc.cwnd, 12 * MSS);
    assert_int_equal(o.cc.ssthresh, 9 * MSS);
    newreno_on_loss(NULL, &o.cc, &o.state, 0, 3 * MSS);
    assert_int_equal(o.cc.ssthresh, 2 * MSS);            /* not less */
}

static void a_time_out_leaves_one_segment(void **state)
{
    struct one o = avoiding(12 * MSS);
    (void)state;
    newreno_on_rto(NULL, &o.cc, &o.state, 0, 8 * MSS, true);
    assert_int_equal(o.cc.ssthresh, 4 * MSS);
    assert_int_equal(o.cc.cwnd, MSS);
    newreno_on_rto(NULL, &o.cc, &o.state, 0, MSS, false);
    assert_int_equal(o.cc.ssthresh, 4 * MSS);            /* RFC 5681 3.1: the same loss halves once */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_segment_for_each_window),
        cmocka_unit_test(half_a_segment_of_the_window_is_not_waited_for),
        cmocka_unit_test(what_was_known_to_have_arrived_does_not_count_again),
        cmocka_unit_test(an_ack_of_many_windows_counts_as_one),
        cmocka_unit_test(an_unused_window_and_a_repair_grow_nothing),
        cmocka_unit_test(a_loss_halves_and_is_taken_back),
        cmocka_unit_test(a_time_out_leaves_one_segment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
