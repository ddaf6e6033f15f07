/* SPDX-License-Identifier: MIT
 *
 * The timers of a connection: which is next, and that RTO and persist never run together (RFC 9293 3.8.6.1).
 */
#include "support/unit.h"

#include "transport/tcp/models/timers.h"

static void nothing_set_means_never(void **state)
{
    (void)state;
    struct tcp_timers t = {.resend_is = RESEND_OFF};
    assert_true(timers_next(&t) == PL_NEVER);
    for (int i = 0; i < TIMER_COUNT; i++)
        assert_false(timers_due(&t, (enum tcp_timer)i, PL_NEVER - 1));
}

static void the_earliest_is_next_and_due_at_its_time_not_before(void **state)
{
    (void)state;
    struct tcp_timers t = {.resend_is = RESEND_OFF};
    for (int i = 0; i < TIMER_COUNT; i++)
        timers_set(&t, (enum tcp_timer)i, (pl_time)(100 - 10 * i));
    for (int i = TIMER_COUNT - 1; i >= 0; i--) {
        pl_time at = (pl_time)(100 - 10 * i);
        assert_true(timers_next(&t) == at);
        assert_false(timers_due(&t, (enum tcp_timer)i, at - 1));
        assert_true(timers_due(&t, (enum tcp_timer)i, at));
        timers_clear(&t, (enum tcp_timer)i);
    }
    assert_true(timers_next(&t) == PL_NEVER);
}

static void time_zero_is_a_time_like_any_other(void **state)       /* 0 means "off" inside */
{
    (void)state;
    struct tcp_timers t = {.resend_is = RESEND_OFF};
    timers_set(&t, TIMER_LIFE, 0);
    assert_true(timers_next(&t) <= 1);
}

static void rto_and_persist_share_one_place(void **state)                               /* RFC 9293 3.8.6.1 */
{
    (void)state;
    struct tcp_timers t = {.resend_is = RESEND_OFF};
    timers_set_resend(&t, RESEND_RTO, 5);
    assert_int_equal(t.resend_is, RESEND_RTO);
    timers_set_resend(&t, RESEND_PERSIST, 9);
    assert_int_equal(t.resend_is, RESEND_PERSIST);
    assert_true(timers_next(&t) == 9);
    timers_clear(&t, TIMER_RESEND);
    assert_int_equal(t.resend_is, RESEND_OFF);
    assert_true(timers_next(&t) == PL_NEVER);
}

static void clearing_another_timer_leaves_the_resend_timer(void **state)
{
    (void)state;
    struct tcp_timers t = {.resend_is = RESEND_OFF};
    timers_set_resend(&t, RESEND_RTO, 5);
    timers_set(&t, TIMER_DELACK, 3);
    timers_clear(&t, TIMER_DELACK);
    assert_int_equal(t.resend_is, RESEND_RTO);
    assert_true(timers_next(&t) == 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_set_means_never),
        cmocka_unit_test(the_earliest_is_next_and_due_at_its_time_not_before),
        cmocka_unit_test(time_zero_is_a_time_like_any_other),
        cmocka_unit_test(rto_and_persist_share_one_place),
        cmocka_unit_test(clearing_another_timer_leaves_the_resend_timer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
