/* SPDX-License-Identifier: MIT
 *
 * Sets of ranges against a bitmap, with sequence numbers that wrap past 2^32 on the way.
 */
#include "support/unit.h"

#include "base/prng.h"
#include "base/ranges.h"

enum { WIDTH = 400, CAPACITY_MAX = 64 };

struct pair {
    struct ranges *r;
    uint32_t base;                        /* the sequence number of bit 0 */
    bool bit[WIDTH];
};

static void make_pair(struct pair *p, uint32_t base, uint32_t capacity)
{
    memset(p, 0, sizeof *p);
    p->r = calloc(1, ranges_bytes(capacity));
    p->r->capacity = capacity;
    p->base = base;
}

/* Number of runs of set bits. */
static uint32_t runs(const bool *bit)
{
    uint32_t n = 0;
    for (unsigned i = 0; i < WIDTH; i++)
        n += bit[i] && (i == 0 || !bit[i - 1]);
    return n;
}

/* The ranges are exactly the runs of the bitmap: sorted, disjoint, not touching. */
static void compare(const struct pair *p)
{
    uint32_t i = 0;
    for (unsigned at = 0; at < WIDTH;) {
        if (!p->bit[at]) {
            at++;
            continue;
        }
        unsigned end = at;
        while (end < WIDTH && p->bit[end])
            end++;
        assert_true(i < p->r->count);
        assert_int_equal(p->r->at[i].lo, p->base + at);
        assert_int_equal(p->r->at[i].hi, p->base + end);
        i++;
        at = end;
    }
    assert_int_equal(p->r->count, i);
}

static void add(struct pair *p, unsigned lo, unsigned hi)
{
    bool after[WIDTH];
    memcpy(after, p->bit, sizeof after);
    for (unsigned i = lo; i < hi; i++)
        after[i] = true;
    struct range merged = {1, 0};
    bool fits = runs(after) <= p->r->capacity;
    assert_int_equal(ranges_takes(p->r, p->base + lo, p->base + hi), fits);
    assert_int_equal(ranges_add(p->r, p->base + lo, p->base + hi, &merged), fits);
    if (!fits)
        return;                           /* compare() sees that nothing changed */
    memcpy(p->bit, after, sizeof after);
    unsigned first = lo, last = hi;
    while (lo < hi && first > 0 && p->bit[first - 1])
        first--;
    while (lo < hi && last < WIDTH && p->bit[last])
        last++;
    assert_int_equal(merged.lo, p->base + first);
    assert_int_equal(merged.hi, p->base + last);
}

static void ask(struct pair *p, unsigned lo, unsigned hi)
{
    unsigned first = lo;
    while (first < hi && p->bit[first])
        first++;
    unsigned last = first;
    while (last < hi && !p->bit[last])
        last++;
    struct range gap = {0, 0};
    assert_int_equal(ranges_gap(p->r, p->base + lo, p->base + hi, &gap), first < hi);
    assert_int_equal(ranges_covers(p->r, p->base + lo, p->base + hi), first >= hi);
    if (first < hi) {
        assert_int_equal(gap.lo, p->base + first);
        assert_int_equal(gap.hi, p->base + last);
    }
}

static void drop_below(struct pair *p, unsigned lo)
{
    ranges_drop_below(p->r, p->base + lo);
    memset(p->bit, 0, lo * sizeof p->bit[0]);
}

static void pop_front(struct pair *p, unsigned at)
{
    unsigned end = at;
    for (unsigned i = 0; i <= end && i < WIDTH; i++) {         /* every run that starts at or before `end` */
        if (!p->bit[i])
            continue;
        for (; i < WIDTH && p->bit[i]; i++)
            p->bit[i] = false;
        end = i > end ? i : end;
    }
    assert_int_equal(ranges_pop_front(p->r, p->base + at), p->base + end);
}

static void random_run(uint32_t base, uint32_t capacity, uint64_t seed)
{
    struct pair p;
    struct prng g;
    make_pair(&p, base, capacity);
    prng_seed(&g, seed);
    for (unsigned round = 0; round < 20000; round++) {
        unsigned lo = prng_below(&g, WIDTH), hi = lo + prng_below(&g, prng_below(&g, 4) ? 8 : WIDTH - lo + 1);
        if (hi > WIDTH)
            hi = WIDTH;
        switch (prng_below(&g, 12)) {
        case 0: drop_below(&p, prng_below(&g, 3) ? lo / 8 : lo); break;
        case 1: pop_front(&p, prng_below(&g, 4) ? lo / 8 : lo); break;
        case 2:
        case 3:
        case 4: ask(&p, lo, hi); break;
        default: add(&p, lo, hi);
        }
        compare(&p);
    }
    free(p.r);
}

static void agrees_with_a_bitmap(void **state)
{
    (void)state;
    random_run(1000, CAPACITY_MAX, 1);
    random_run(0x80000000u - WIDTH / 2, CAPACITY_MAX, 2);
}

static void agrees_with_a_bitmap_across_the_wrap(void **state)
{
    (void)state;
    random_run(0u - WIDTH / 2, CAPACITY_MAX, 3);
    random_run(0u - 1, CAPACITY_MAX, 4);
}

static void a_full_set_refuses_without_change(void **state)
{
    (void)state;
    random_run(0u - WIDTH / 2, 4, 5);
    random_run(0, 1, 6);
    random_run(7, 0, 7);
}

static void an_empty_range_adds_nothing(void **state)
{
    (void)state;
    struct pair p;
    make_pair(&p, 0, 2);
    assert_true(ranges_add(p.r, 5, 5, NULL));
    assert_true(ranges_add(p.r, 6, 5, NULL));
    assert_int_equal(p.r->count, 0);
    assert_true(ranges_covers(p.r, 5, 5));
    free(p.r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_a_bitmap),
        cmocka_unit_test(agrees_with_a_bitmap_across_the_wrap),
        cmocka_unit_test(a_full_set_refuses_without_change),
        cmocka_unit_test(an_empty_range_adds_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
