/* SPDX-License-Identifier: MIT
 *
 * The congestion control `none`: everything may fly, whatever happens.
 */
#include "support/unit.h"

#include "transport/tcp/cc/none.h"

static void all_that_the_peer_allows_may_fly_unpaced(void **state)
{
    (void)state;
    struct pl_cc cc = {.cwnd = 14480, .ssthresh = 20000, .pacing_rate = 123456, .mss = 1448, .quantum = 2896};   /* of another algorithm */
    none_on_start(NULL, &cc, NULL, 0, 0);
    assert_int_equal(cc.cwnd, PL_CC_CWND_MAX);
    assert_int_equal(cc.ssthresh, PL_CC_CWND_MAX);
    assert_true(cc.pacing_rate == 0);
    assert_int_equal(cc.quantum, 0);
    assert_int_equal(cc.mss, 1448);       /* the stack's */
}

static void nobody_leads_the_window_while_a_loss_is_repaired(void **state)
{
    (void)state;
    assert_true(NONE_FLAGS & PL_CC_OWN_RECOVERY);         /* so that the stack leaves cwnd alone after a loss, a time-out and idling */
    assert_false(NONE_FLAGS & PL_CC_WANTS_RATE);
}

static void it_has_a_word_for_people(void **state)
{
    (void)state;
    struct pl_cc cc = {0};
    assert_string_equal(none_on_describe(NULL, &cc, NULL), "unlimited");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_that_the_peer_allows_may_fly_unpaced),
        cmocka_unit_test(nobody_leads_the_window_while_a_loss_is_repaired),
        cmocka_unit_test(it_has_a_word_for_people),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
