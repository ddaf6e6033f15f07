/* SPDX-License-Identifier: MIT
 *
 * When an acknowledgement is due: RFC 9293 3.8.6.3, RFC 5681 4.2, docs/defaults.md.
 */
#include "support/unit.h"

#include "transport/tcp/models/delack.h"
#include <parley/trace.h>

static void the_first_segment_waits_the_second_does_not(void **state)                   /* RFC 9293 3.8.6.3, SHLD-19 */
{
    (void)state;
    struct delack d = {0};
    assert_true(delack_text(&d, 1, true));                           /* start the delay */
    assert_int_equal(d.now, 0);
    assert_false(delack_text(&d, 1, false));                         /* of any size */
    assert_int_equal(d.now, 1);
    assert_int_equal(d.why, PL_WHY_ACK_SECOND);
    delack_sent(&d);
    assert_int_equal(d.now, 0);
    assert_int_equal(d.waiting, 0);
    assert_true(delack_text(&d, 1, true));
}

static void a_super_frame_counts_its_segments(void **state)
{
    (void)state;
    struct delack d = {0};
    assert_false(delack_text(&d, 44, true));
    assert_int_equal(d.now, 1);
    assert_false(delack_text(&d, 300, true));                        /* the counter does not wrap */
    assert_int_equal(d.waiting, 255);
}

static void quick_segments_are_acknowledged_at_once(void **state)                       /* docs/defaults.md: first data segments */
{
    (void)state;
    struct delack d = {.quick = 2};
    assert_true(delack_text(&d, 1, false));                          /* neither full nor pushed: delayed */
    delack_sent(&d);
    for (int n = 0; n < 2; n++) {
        assert_false(delack_text(&d, 1, true));
        assert_int_equal(d.now, 1);
        delack_sent(&d);
    }
    assert_true(delack_text(&d, 1, true));
}

static void in_order_text_owes_one_ack_whatever_its_amount(void **state)  /* equal ACKs would be taken for duplicates: RFC 5681 2 */
{
    (void)state;
    struct delack d = {0};
    for (int n = 0; n < 100; n++)
        delack_text(&d, 1, true);
    assert_int_equal(d.now, 1);
    delack_owe(&d, PL_WHY_ACK_FIN);
    assert_int_equal(d.now, 1);
    delack_sent(&d);
    assert_int_equal(d.now, 0);
}

static void each_out_of_order_segment_owes_one_of_its_own(void **state)                 /* RFC 5681 4.2, 3.2: the peer counts them */
{
    (void)state;
    struct delack d = {0};
    for (int n = 0; n < 3; n++)
        delack_owe_duplicate(&d, PL_WHY_ACK_OUT_OF_ORDER, 255);
    assert_int_equal(d.now, 3);
    delack_sent(&d);
    assert_int_equal(d.now, 2);
    for (int n = 0; n < 1000; n++)
        delack_owe_duplicate(&d, PL_WHY_ACK_OUT_OF_ORDER, 255);
    assert_int_equal(d.now, 255);
}

static void no_more_duplicates_than_the_peer_has_use_for(void **state)                   /* with SACK three are enough */
{
    (void)state;
    struct delack d = {0};
    for (int n = 0; n < 10; n++)
        delack_owe_duplicate(&d, PL_WHY_ACK_OUT_OF_ORDER, 3);
    assert_int_equal(d.now, 3);
}

static void advancing_rcv_nxt_says_what_the_duplicates_would_have_said(void **state)
{
    (void)state;
    struct delack d = {0};
    for (int n = 0; n < 5; n++)
        delack_owe_duplicate(&d, PL_WHY_ACK_OUT_OF_ORDER, 255);
    assert_false(delack_text(&d, 1, true));
    assert_int_equal(d.now, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_segment_waits_the_second_does_not),
        cmocka_unit_test(a_super_frame_counts_its_segments),
        cmocka_unit_test(quick_segments_are_acknowledged_at_once),
        cmocka_unit_test(in_order_text_owes_one_ack_whatever_its_amount),
        cmocka_unit_test(each_out_of_order_segment_owes_one_of_its_own),
        cmocka_unit_test(no_more_duplicates_than_the_peer_has_use_for),
        cmocka_unit_test(advancing_rcv_nxt_says_what_the_duplicates_would_have_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
