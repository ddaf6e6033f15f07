/* SPDX-License-Identifier: MIT
 *
 * Which ranges a SACK option reports, and in which order: RFC 2018 4.
 */
#include "support/unit.h"

#include "base/prng.h"
#include "transport/tcp/models/out_of_order.h"

static uint64_t room[32];                 /* for one set of ranges */

static struct ranges *make(unsigned n, uint32_t base)
{
    struct ranges *r = (struct ranges *)room;
    struct range merged;
    assert_true(ranges_bytes(16) <= sizeof room);
    memset(room, 0, sizeof room);
    r->capacity = 16;
    for (unsigned i = 0; i < n; i++)
        assert_true(ranges_add(r, base + 100 * i, base + 100 * i + 50, &merged));
    return r;
}

/* RFC 2018 4-e */
static void the_newest_range_comes_first(void **state)                                  /* RFC 2018 4: MUST */
{
    (void)state;
    for (unsigned newest = 0; newest < 6; newest++) {
        struct ranges *r = make(6, 0xffffff00);                          /* the set spans the wrap */
        struct wire_tcp_opts o = {0};
        struct ooo_recent recent = {0xffffff00 + 100 * newest, 0xffffff00 + 100 * newest + 50};
        assert_int_equal(ooo_sack_blocks(r, recent, &o, 4), 4);
        assert_int_equal(o.sack[0].lo, recent.lo);
        assert_int_equal(o.sack[0].hi, recent.hi);
        for (unsigned i = 1; i < 4; i++)
            for (unsigned k = 0; k < i; k++)
                assert_int_not_equal(o.sack[i].lo, o.sack[k].lo);    /* no block twice */
    }
}

/* RFC 2018 4-e */
static void the_first_block_is_the_whole_range_around_what_came(void **state)           /* RFC 2018 4: the contiguous block containing it */
{
    (void)state;
    struct ranges *r = make(3, 1000);
    struct wire_tcp_opts o = {0};
    assert_int_equal(ooo_sack_blocks(r, (struct ooo_recent){1210, 1220}, &o, 3), 3);
    assert_int_equal(o.sack[0].lo, 1200);
    assert_int_equal(o.sack[0].hi, 1250);
}

/* RFC 2018 4-f */
static void no_more_blocks_than_fit_and_all_if_they_do(void **state)                    /* RFC 2018 3: 3 with timestamps, 4 without */
{
    (void)state;
    for (unsigned n = 0; n <= 6; n++)
        for (unsigned most = 0; most <= 4; most++) {
            struct ranges *r = make(n, 5000);
            struct wire_tcp_opts o = {0};
            unsigned got = ooo_sack_blocks(r, (struct ooo_recent){5000, 5050}, &o, most);
            assert_int_equal(got, n < most ? n : most);
            for (unsigned i = 0; i < got; i++)
                assert_true(ranges_covers(r, o.sack[i].lo, o.sack[i].hi));
        }
}

/* RFC 2018 8-b */
static void a_range_that_was_taken_since_is_not_reported(void **state)
{
    (void)state;
    struct ranges *r = make(2, 1000);
    struct wire_tcp_opts o = {0};
    assert_int_equal(ooo_sack_blocks(r, (struct ooo_recent){900, 950}, &o, 4), 2);
    assert_int_equal(o.sack[0].lo, 1000);
    assert_int_equal(ooo_sack_blocks(r, (struct ooo_recent){0, 0}, &o, 4), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_newest_range_comes_first),
        cmocka_unit_test(the_first_block_is_the_whole_range_around_what_came),
        cmocka_unit_test(no_more_blocks_than_fit_and_all_if_they_do),
        cmocka_unit_test(a_range_that_was_taken_since_is_not_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
