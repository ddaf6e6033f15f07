/* SPDX-License-Identifier: MIT
 *
 * Which ranges a SACK option reports, and in which order: RFC 2018 4, RFC 2883 4.
 */
#include "support/unit.h"

#include "base/prng.h"
#include "base/seq.h"
#include "transport/tcp/models/out_of_order.h"

static uint64_t room[64];                 /* for one record */

static struct ooo *make(unsigned n, uint32_t base)
{
    struct ooo *o = (struct ooo *)room;
    struct range merged;
    assert_true(ooo_bytes(16) <= sizeof room);
    memset(room, 0, sizeof room);
    ooo_ranges(o)->capacity = 16;
    for (unsigned i = 0; i < n; i++)
        assert_true(ranges_add(ooo_ranges(o), base + 100 * i, base + 100 * i + 50, &merged));
    return o;
}

static void arrives(struct ooo *o, uint32_t lo, uint32_t hi)
{
    struct range merged;
    assert_true(ranges_add(ooo_ranges(o), lo, hi, &merged));
    ooo_arrived(o, merged);
}

/* RFC 2018 4-e, 4-f: the newest first, and as many as there is room for */
static void the_newest_range_comes_first(void **state)                                  /* RFC 2018 4: MUST */
{
    (void)state;
    for (unsigned newest = 0; newest < 6; newest++)
        for (unsigned most = 0; most <= 4; most++) {
            struct ooo *o = make(6, 0xffffff00);                         /* the set spans the wrap */
            struct wire_tcp_opts opts = {0};
            arrives(o, 0xffffff00 + 100 * newest + 50, 0xffffff00 + 100 * newest + 60);
            assert_int_equal(ooo_report(o, &opts, most), most);
            assert_int_equal(ooo_owes(o), most == 0);
            if (most) {                   /* RFC 2018 4: the contiguous block containing it */
                assert_int_equal(opts.sack[0].lo, 0xffffff00 + 100 * newest);
                assert_int_equal(opts.sack[0].hi, 0xffffff00 + 100 * newest + 60);
            }
            for (unsigned i = 1; i < most; i++)
                for (unsigned k = 0; k < i; k++)
                    assert_int_not_equal(opts.sack[i].lo, opts.sack[k].lo);          /* no block twice */
        }
}

/* RFC 2018 4-g: the example of RFC 2018 7, case 3, one segment further: each block is told three times, the newest first. */
static void the_others_are_those_that_were_first_before(void **state)
{
    (void)state;
    struct ooo *o = make(0, 0);
    struct wire_tcp_opts opts = {0};
    static const uint32_t came[] = {6000, 7000, 8000, 9000};
    for (unsigned i = 0; i < 4; i++) {
        arrives(o, came[i], came[i] + 500);
        assert_int_equal(ooo_report(o, &opts, 3), i < 2 ? i + 1 : 3);
        for (unsigned k = 0; k <= i && k < 3; k++)
            assert_int_equal(opts.sack[k].lo, came[i - k]);
    }
    arrives(o, 6500, 7000);               /* joins the two oldest: the newest change */
    assert_int_equal(ooo_report(o, &opts, 3), 3);
    assert_int_equal(opts.sack[0].lo, 6000);
    assert_int_equal(opts.sack[0].hi, 7500);
    assert_int_equal(opts.sack[1].lo, 9000);
    assert_int_equal(opts.sack[2].lo, 8000);
}

/* RFC 2018 8-b */
static void a_range_that_was_taken_since_is_not_reported(void **state)
{
    (void)state;
    struct ooo *o = make(2, 1000);
    struct wire_tcp_opts opts = {0};
    arrives(o, 900, 950);
    assert_int_equal(ranges_pop_front(ooo_ranges(o), 900), 950);
    assert_int_equal(ooo_report(o, &opts, 4), 2);
    assert_int_equal(opts.sack[0].lo, 1000);
    assert_false(ooo_owes(o));
    ooo_ranges(o)->count = 0;             /* let go for want of memory */
    assert_int_equal(ooo_report(o, &opts, 4), 0);
    assert_true(ooo_empty(o));
}

/* RFC 2883 4-a, 4-b, 4-d: each once, the oldest first, and the block around it behind it. */
static void a_duplicate_comes_before_all_and_is_told_once(void **state)
{
    (void)state;
    struct ooo *o = make(3, 1000);
    struct wire_tcp_opts opts = {0};
    ooo_duplicate(o, (struct range){500, 600});
    ooo_duplicate(o, (struct range){1110, 1120});
    assert_int_equal(ooo_report(o, &opts, 2), 2);
    assert_true(opts.sack[0].lo == 500 && opts.sack[0].hi == 600 && opts.sack[1].lo == 1000);
    assert_int_equal(ooo_report(o, &opts, 4), 4);
    assert_true(opts.sack[0].lo == 1110 && opts.sack[0].hi == 1120 && opts.sack[1].lo == 1100 && opts.sack[1].hi == 1150);
    assert_true(opts.sack[2].lo == 1000 && opts.sack[3].lo == 1200);
    assert_false(ooo_owes(o));
    ooo_duplicate(o, (struct range){1100, 1150});        /* the whole block: it stands twice */
    assert_int_equal(ooo_report(o, &opts, 2), 2);
    assert_true(opts.sack[0].lo == 1100 && opts.sack[1].lo == 1100 && opts.sack[1].hi == 1150);
}

static void more_duplicates_than_there_is_room_for_stay_true(void **state)
{
    (void)state;
    struct ooo *o = make(0, 0);
    struct wire_tcp_opts opts = {0};
    for (uint32_t i = 0; i < 20; i++)
        ooo_duplicate(o, (struct range){100 * i, 100 * i + 100});
    ooo_duplicate(o, (struct range){5000, 5100});        /* not where the last one ends: not told */
    for (uint32_t i = 0; i < OOO_DUPLICATES; i++) {
        assert_int_equal(ooo_report(o, &opts, 4), 1);
        assert_int_equal(opts.sack[0].lo, 100 * i);
        assert_int_equal(opts.sack[0].hi, i + 1 < OOO_DUPLICATES ? 100 * i + 100 : 2000);
    }
    assert_int_equal(ooo_report(o, &opts, 4), 0);
}

/* Text and duplicates at random: what is told is held, and every block that changed is told in the end. */
static void what_is_told_is_held_and_every_change_is_told(void **state)
{
    (void)state;
    struct prng p;
    prng_seed(&p, 2018);
    for (unsigned run = 0; run < 300; run++) {
        uint32_t base = run & 1 ? 0xfffffa00 : 4000;
        struct ooo *o = make(0, 0);
        for (unsigned n = 0; n < 60; n++) {
            struct wire_tcp_opts opts = {0};
            struct range changed[OOO_RECENT], r;
            unsigned nchanged = prng_below(&p, OOO_RECENT + 1);
            for (unsigned i = 0; i < nchanged; i++) {
                r.lo = base + 1 + prng_below(&p, 2000), r.hi = r.lo + 1 + prng_below(&p, 100);
                changed[i] = (struct range){0, 0};
                if (ranges_takes(ooo_ranges(o), r.lo, r.hi))
                    arrives(o, r.lo, r.hi), changed[i] = r;
            }
            unsigned told = 0;
            while (ooo_owes(o)) {
                unsigned got = ooo_report(o, &opts, 1 + prng_below(&p, 4));
                assert_true(got > 0);
                for (unsigned i = 0; i < got; i++) {
                    assert_true(ranges_holding(ooo_ranges(o), opts.sack[i].lo, &r));
                    assert_true(r.lo == opts.sack[i].lo && r.hi == opts.sack[i].hi);
                    for (unsigned k = 0; k < nchanged; k++)
                        if (changed[k].lo != changed[k].hi && seq_le(r.lo, changed[k].lo) && seq_le(changed[k].hi, r.hi))
                            told |= 1u << k;
                }
            }
            for (unsigned k = 0; k < nchanged; k++)
                assert_true(changed[k].lo == changed[k].hi || told & 1u << k);
            if (prng_below(&p, 4) == 0)
                ranges_pop_front(ooo_ranges(o), base + prng_below(&p, 500));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_newest_range_comes_first),
        cmocka_unit_test(the_others_are_those_that_were_first_before),
        cmocka_unit_test(a_range_that_was_taken_since_is_not_reported),
        cmocka_unit_test(a_duplicate_comes_before_all_and_is_told_once),
        cmocka_unit_test(more_duplicates_than_there_is_room_for_stay_true),
        cmocka_unit_test(what_is_told_is_held_and_every_change_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
