/* SPDX-License-Identifier: MIT
 *
 * The timing wheel against an array that is searched from end to end: exact order, never late, always progress.
 */
#include "support/unit.h"

#include <sys/mman.h>
#include <unistd.h>

#include "base/prng.h"
#include "base/wheel.h"

enum { CAPACITY = 200, MANY = 256 };
static uint32_t capacity;                 /* of the wheels: CAPACITY; or one more than fits into a byte */

struct pair {
    struct wheel w;
    struct wheel_node nodes[MANY];
    uint32_t heads[WHEEL_LEVELS * WHEEL_SLOTS];
    pl_time when[CAPACITY + 1];           /* the model; PL_NEVER: not set */
    uint64_t order[CAPACITY + 1], stamp;
    pl_time now;
};

static struct pair *make_pair(pl_time now)
{
    struct pair *p = calloc(1, sizeof *p);
    assert_true(wheel_bytes(capacity) <= sizeof p->nodes + sizeof p->heads);
    wheel_init(&p->w, p->nodes, capacity, now);
    for (unsigned i = 0; i <= CAPACITY; i++)
        p->when[i] = PL_NEVER;
    p->now = now;
    return p;
}

static void set(struct pair *p, uint32_t id, pl_time when)
{
    wheel_set(&p->w, id, when);
    p->when[id] = when;
    p->order[id] = p->stamp++;
}

/* The id that is due first; 0: none set. */
static uint32_t first_of(const struct pair *p)
{
    uint32_t best = 0;
    for (uint32_t id = 1; id <= CAPACITY; id++) {
        if (p->when[id] == PL_NEVER)
            continue;
        if (!best || p->when[id] < p->when[best] || (p->when[id] == p->when[best] && p->order[id] < p->order[best]))
            best = id;
    }
    return best;
}

static void pop_and_compare(struct pair *p)
{
    uint32_t id = first_of(p);
    uint32_t expected = id && p->when[id] <= p->now ? id : 0;
    assert_int_equal(wheel_pop(&p->w, p->now), expected);
    if (expected) {
        p->when[expected] = PL_NEVER;
        assert_true(wheel_when(&p->w, expected) == PL_NEVER);
    }
}

static void drain(struct pair *p)
{
    for (;;) {
        uint32_t id = first_of(p);
        pop_and_compare(p);
        if (!id || p->when[id] != PL_NEVER)
            break;
    }
    /* DESIGN: when nothing is due any more, the next call lies in the future, or the loop would spin. */
    assert_true(wheel_next(&p->w) > p->now);
}

static void compare_next(const struct pair *p)
{
    uint32_t id = first_of(p), count = 0;
    for (uint32_t i = 1; i <= CAPACITY; i++) {
        count += p->when[i] != PL_NEVER;
        assert_true(wheel_when(&p->w, i) == p->when[i]);
    }
    assert_int_equal(p->w.count, count);
    if (id)
        assert_true(wheel_next(&p->w) <= p->when[id]);
    else
        assert_true(wheel_next(&p->w) == PL_NEVER);
}

static pl_time plus(pl_time t, pl_time by) { return t < PL_NEVER - 1 - by ? t + by : PL_NEVER - 1; }

/* From nanoseconds to centuries, with a taste for equal deadlines and for slot borders. */
static pl_time some_deadline(struct pair *p, struct prng *g)
{
    switch (prng_below(g, 8)) {
    case 0: return p->now - (prng_next(g) & 0xfffff) % (p->now + 1);
    case 1: return p->now;
    case 2: return plus(p->now, (pl_time)prng_below(g, 4) << prng_below(g, 60)) & ~(pl_time)0x3fff;
    case 3: {
        pl_time other = p->when[1 + prng_below(g, CAPACITY)];
        return other == PL_NEVER ? p->now : other;
    }
    default: return plus(p->now, prng_next(g) >> (prng_below(g, 60) + 1));
    }
}

static void random_run(pl_time start, uint64_t seed, unsigned rounds)
{
    struct pair *p = make_pair(start);
    struct prng g;
    prng_seed(&g, seed);
    for (unsigned round = 0; round < rounds; round++) {
        uint32_t id = 1 + prng_below(&g, CAPACITY);
        switch (prng_below(&g, 10)) {
        case 0:
            wheel_clear(&p->w, id);
            p->when[id] = PL_NEVER;
            break;
        case 1:
            wheel_set(&p->w, id, PL_NEVER);
            p->when[id] = PL_NEVER;
            break;
        case 2:
            pop_and_compare(p);
            break;
        case 3:
            p->now = plus(p->now, prng_next(&g) >> (prng_below(&g, 44) + 20));
            if (prng_below(&g, 2))
                drain(p);
            break;
        case 4:                           /* as a loop does it: sleep until the wheel says, then serve */
            if (wheel_next(&p->w) != PL_NEVER && wheel_next(&p->w) > p->now)
                p->now = wheel_next(&p->w);
            drain(p);
            break;
        default:
            set(p, id, some_deadline(p, &g));
        }
        if (round % 16 == 0)
            compare_next(p);
    }
    drain(p);
    free(p);
}

static void agrees_with_a_sorted_list(void **state)
{
    (void)state;
    random_run(0, 1, 60000);
    random_run(1234567890, 2, 60000);
    random_run(1790000000 * PL_S, 3, 60000);                   /* Unix time in nanoseconds */
}

static void agrees_beyond_48_bits_of_ticks(void **state)
{
    (void)state;
    random_run(((pl_time)1 << 62) - 1, 4, 30000);
    random_run(((pl_time)1 << 62) - 3 * PL_S, 5, 30000);
    random_run(((pl_time)1 << 63) - 1, 6, 30000);
    random_run(((pl_time)3 << 62) + 12345, 7, 30000);
    random_run(PL_NEVER - PL_S, 8, 30000);
}

static void equal_deadlines_come_in_the_order_in_which_they_were_set(void **state)
{
    (void)state;
    static const pl_time deadlines[] = {5, 70 * PL_MS, 200 * PL_MS, 3 * PL_S, 7200 * PL_S};
    for (size_t i = 0; i < COUNT_OF(deadlines); i++) {
        struct pair *p = make_pair(0);
        for (uint32_t n = 0; n < CAPACITY; n++)
            set(p, 1 + n * 7 % CAPACITY, deadlines[i]);
        set(p, 8, deadlines[i]);          /* setting again counts as setting now */
        p->now = deadlines[i] - 1;
        drain(p);
        p->now = deadlines[i];
        for (uint32_t n = 0; n < CAPACITY; n++)
            if (n != 1)
                assert_int_equal(wheel_pop(&p->w, p->now), 1 + n * 7 % CAPACITY);
        assert_int_equal(wheel_pop(&p->w, p->now), 8);
        assert_int_equal(wheel_pop(&p->w, p->now), 0);
        free(p);
    }
}

static void a_lonely_deadline_is_named_exactly(void **state)
{
    (void)state;
    struct prng g;
    prng_seed(&g, 9);
    for (unsigned round = 0; round < 1000; round++) {
        pl_time now = prng_next(&g) >> 3, when = plus(now, 1 + (prng_next(&g) >> (prng_below(&g, 62) + 1)));
        struct pair *p = make_pair(now);
        set(p, 3, when);
        assert_true(wheel_next(&p->w) == when);
        free(p);
    }
}

static void the_past_is_due_at_once_and_the_earliest_first(void **state)
{
    (void)state;
    struct pair *p = make_pair(10 * PL_S);
    drain(p);
    set(p, 1, 9 * PL_S);
    set(p, 2, 0);
    set(p, 3, 10 * PL_S);
    assert_int_equal(wheel_pop(&p->w, 10 * PL_S), 2);
    assert_int_equal(wheel_pop(&p->w, 10 * PL_S), 1);
    assert_int_equal(wheel_pop(&p->w, 10 * PL_S), 3);
    free(p);
}

static void a_shift_moves_every_deadline_and_keeps_their_order(void **state)
{
    (void)state;
    struct prng g;
    prng_seed(&g, 10);
    for (unsigned round = 0; round < 200; round++) {
        struct pair *p = make_pair((pl_time)1 << 40);
        for (unsigned i = 0; i < 150; i++)
            set(p, 1 + prng_below(&g, CAPACITY), some_deadline(p, &g) >> 2);
        drain(p);
        pl_time by = prng_next(&g) >> (prng_below(&g, 61) + 2);
        bool back = round & 1;
        if (back && by > p->now)
            by = p->now / 2;
        wheel_shift(&p->w, back ? 0 - by : by);
        p->now = back ? p->now - by : p->now + by;
        for (uint32_t id = 1; id <= CAPACITY; id++)
            if (p->when[id] != PL_NEVER)
                p->when[id] = back ? p->when[id] - by : p->when[id] + by;
        compare_next(p);
        while (first_of(p)) {
            p->now = wheel_next(&p->w);
            drain(p);
        }
        free(p);
    }
}

static void a_copied_wheel_continues(void **state)
{
    (void)state;
    struct pair *p = make_pair(0), *copy = malloc(sizeof *copy);
    for (uint32_t id = 1; id <= CAPACITY; id++)
        set(p, id, (pl_time)id * 37 % 101 * PL_MS);
    memcpy(copy, p, sizeof *p);
    memset(p, 0xee, sizeof *p);
    free(p);
    while (first_of(copy)) {
        if (wheel_next(&copy->w) > copy->now)
            copy->now = wheel_next(&copy->w);
        drain(copy);
    }
    free(copy);
}

static void zero_is_an_empty_wheel_and_init_touches_no_node(void **state)
{
    (void)state;
    struct wheel zero = {0};
    assert_true(wheel_next(&zero) == PL_NEVER);
    assert_int_equal(wheel_pop(&zero, PL_S), 0);
    size_t page = (size_t)sysconf(_SC_PAGESIZE), bytes = wheel_bytes(1000);
    assert_int_equal(bytes % 64, 0);
    size_t pages = (bytes + page - 1) / page;
    char *block = mmap(NULL, (1 + pages) * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(block != MAP_FAILED && sizeof(struct wheel) <= page);
    mprotect(block + page, pages * page, PROT_NONE);
    wheel_init((struct wheel *)(void *)block, block + page, 1000, 5);
    munmap(block, (1 + pages) * page);
}

static void a_node_out_of_the_wheel_is_zero(void **state)
{
    (void)state;
    struct pair *p = make_pair(0);
    static const struct wheel_node zero;
    set(p, 1, 5), set(p, 2, PL_S), set(p, 3, PL_S);
    wheel_clear(&p->w, 2);
    assert_int_equal(wheel_pop(&p->w, 5), 1);
    assert_memory_equal(&p->nodes[0], &zero, sizeof zero);
    assert_memory_equal(&p->nodes[1], &zero, sizeof zero);
    free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_a_sorted_list),
        cmocka_unit_test(agrees_beyond_48_bits_of_ticks),
        cmocka_unit_test(equal_deadlines_come_in_the_order_in_which_they_were_set),
        cmocka_unit_test(a_lonely_deadline_is_named_exactly),
        cmocka_unit_test(the_past_is_due_at_once_and_the_earliest_first),
        cmocka_unit_test(a_shift_moves_every_deadline_and_keeps_their_order),
        cmocka_unit_test(a_copied_wheel_continues),
        cmocka_unit_test(zero_is_an_empty_wheel_and_init_touches_no_node),
        cmocka_unit_test(a_node_out_of_the_wheel_is_zero),
    };
    capacity = CAPACITY;
    int failed = cmocka_run_group_tests_name("ids of a byte", tests, NULL, NULL);
    capacity = MANY;
    return failed + cmocka_run_group_tests_name("longer ids", tests, NULL, NULL);
}
