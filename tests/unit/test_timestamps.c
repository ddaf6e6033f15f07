/* SPDX-License-Identifier: MIT
 *
 * Timestamps: the clock, the echo, PAWS. RFC 7323 4.3, 5.
 */
#include "support/unit.h"

#include "transport/tcp/models/timestamps.h"

#define DAY (86400 * PL_S)

/* RFC 7323 4.1, 5.4-a, 5.4-b, 5.4-c */
static void the_clock_ticks_every_millisecond_from_its_offset(void **state)             /* RFC 7323 5.4; threats V58 */
{
    (void)state;
    assert_int_equal(timestamps_clock(0, 0), 0);
    assert_int_equal(timestamps_clock(5, PL_MS - 1), 5);
    assert_int_equal(timestamps_clock(5, PL_MS), 6);
    assert_int_equal(timestamps_clock(0xffffffff, PL_MS), 0);        /* wraps */
    assert_int_equal(timestamps_clock(1, ((pl_time)1 << 32) * PL_MS), 1);
}

static void paws_rejects_what_is_older_across_the_wrap(void **state)                    /* RFC 7323 5.3 R1, 5.5 */
{
    static const struct {
        uint32_t recent, val;
        pl_time age;
        bool rejected;
    } rows[] = {
        {1000, 1000, 0, false}, {1000, 1001, 0, false},  {1000, 999, 0, true},      {0, 0xffffffff, 0, true},
        {0xffffffff, 0, 0, false}, {0xfffffff0, 0x10, 0, false}, {0x10, 0xfffffff0, 0, true}, {0, 0x7fffffff, 0, false},
        {0, 0x80000001, 0, true},  {1000, 999, 24 * DAY - 1, true}, {1000, 999, 24 * DAY, false}, {1000, 1, 300 * DAY, false},
    };
    (void)state;
    for (unsigned i = 0; i < COUNT_OF(rows); i++) {
        struct timestamps t = {.recent = rows[i].recent, .recent_at = 7};
        assert_int_equal(timestamps_paws_rejects(&t, rows[i].val, 7 + rows[i].age), rows[i].rejected);
    }
}

/* RFC 7323 4.3-a, 4.3-b, 4.3-c, 5.2-a */
static void the_echo_comes_from_the_segment_at_the_last_ack(void **state)               /* RFC 7323 4.3 (2) */
{
    static const struct {
        uint32_t seq, val, recent;
        pl_time age;
    } rows[] = {
        {5000, 2000, 2000, 0},            /* in order */
        {4000, 2000, 2000, 0},            /* starts earlier, holds the byte */
        {5001, 2000, 1000, 0},            /* behind a gap: the echo stays, so that the round trip counts from the missing one */
        {5000, 999, 1000, 0},             /* older */
        {5000, 1000, 1000, 0},
        {5000, 999, 999, 24 * DAY},       /* what is remembered proves nothing any more */
        {5001, 999, 1000, 24 * DAY},
    };
    (void)state;
    for (unsigned i = 0; i < COUNT_OF(rows); i++) {
        struct timestamps t = {.recent = 1000, .recent_at = 1, .last_ack_sent = 5000};
        timestamps_received(&t, rows[i].val, rows[i].seq, 1 + rows[i].age);
        assert_int_equal(t.recent, rows[i].recent);
    }
}

static void an_equal_timestamp_refreshes_the_age(void **state)                          /* RFC 7323 5.5: TS.Recent is as old as its last proof */
{
    (void)state;
    struct timestamps t = {.recent = 1000, .recent_at = 1, .last_ack_sent = 5000};
    timestamps_received(&t, 1000, 5000, 20 * DAY);
    assert_true(timestamps_paws_rejects(&t, 999, 30 * DAY));
}

static void the_wrap_of_sequence_numbers_does_not_confuse_the_echo(void **state)
{
    (void)state;
    struct timestamps t = {.recent = 1, .last_ack_sent = 0x10};
    timestamps_received(&t, 2, 0xfffffff0, 0);
    assert_int_equal(t.recent, 2);
    t.last_ack_sent = 0xfffffff0;
    timestamps_received(&t, 3, 0x10, 0);
    assert_int_equal(t.recent, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_clock_ticks_every_millisecond_from_its_offset),
        cmocka_unit_test(paws_rejects_what_is_older_across_the_wrap),
        cmocka_unit_test(the_echo_comes_from_the_segment_at_the_last_ack),
        cmocka_unit_test(an_equal_timestamp_refreshes_the_age),
        cmocka_unit_test(the_wrap_of_sequence_numbers_does_not_confuse_the_echo),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
