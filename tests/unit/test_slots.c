/* SPDX-License-Identifier: MIT
 *
 * Pools of slots, and lists of numbers, against plain arrays.
 */
#include "support/unit.h"

#include <sys/mman.h>
#include <unistd.h>

#include "base/list.h"
#include "base/prng.h"
#include "base/slots.h"

enum { SLOT_BYTES = 24, CAPACITY = 50 };

static struct slots *make_pool(uint32_t slot_bytes, uint32_t capacity, size_t *bytes)
{
    *bytes = 64 + slots_bytes(slot_bytes, capacity);
    struct slots *p = aligned_alloc(64, *bytes);
    memset(p, 0, *bytes);
    slots_init(p, (char *)p + 64, slot_bytes, capacity);
    return p;
}

static bool all_zero(const void *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (((const uint8_t *)p)[i])
            return false;
    return true;
}

static void slots_are_what_was_taken_and_not_given_back(void **state)
{
    (void)state;
    size_t bytes;
    struct slots *p = make_pool(SLOT_BYTES, CAPACITY, &bytes);
    bool live[CAPACITY + 1] = {false};
    uint32_t generation[CAPACITY + 1] = {0}, used = 0;
    struct prng g;
    prng_seed(&g, 1);
    for (unsigned round = 0; round < 50000; round++) {
        /* Long runs of either kind, so that the pool fills and empties. */
        if (prng_below(&g, 8) < ((round / 300) & 1 ? 3u : 5u)) {
            uint32_t slot = slots_take(p);
            assert_int_equal(slot != 0, used < CAPACITY);
            if (slot) {
                assert_in_range(slot, 1, CAPACITY);
                assert_false(live[slot]);
                assert_true(all_zero(slots_at(p, slot), SLOT_BYTES));
                assert_true(slots_generation(p, slot) != generation[slot]);
                generation[slot] = slots_generation(p, slot);
                memset(slots_at(p, slot), (int)slot, SLOT_BYTES);
                live[slot] = true, used++;
            }
        } else {
            uint32_t slot = 1 + prng_below(&g, CAPACITY);
            if (live[slot]) {
                slots_give(p, slot);
                assert_true(slots_generation(p, slot) != generation[slot]);
                assert_true(all_zero(slots_at(p, slot), SLOT_BYTES));
                live[slot] = false, used--;
            }
        }
        assert_int_equal(p->used, used);
        uint32_t next = 0;
        for (uint32_t slot = 0; slot <= CAPACITY + 1; slot++) {
            bool expected = slot >= 1 && slot <= CAPACITY && live[slot];
            assert_int_equal(slots_live(p, slot), expected);
            if (expected) {
                next = slots_next(p, next);
                assert_int_equal(next, slot);
                assert_int_equal(((uint8_t *)slots_at(p, slot))[SLOT_BYTES - 1], slot);
            }
        }
        assert_int_equal(slots_next(p, next), 0);
    }
    free(p);
}

static void a_copied_pool_works(void **state)
{
    (void)state;
    size_t bytes;
    struct slots *p = make_pool(SLOT_BYTES, CAPACITY, &bytes);
    for (unsigned i = 0; i < 10; i++)
        memset(slots_at(p, slots_take(p)), 7, SLOT_BYTES);
    slots_give(p, 4);
    struct slots *copy = aligned_alloc(64, bytes);
    memcpy(copy, p, bytes);
    memset(p, 0xee, bytes);
    free(p);
    assert_int_equal(slots_take(copy), 4);
    assert_int_equal(slots_take(copy), 11);
    assert_int_equal(((uint8_t *)slots_at(copy, 10))[0], 7);
    free(copy);
}

static void init_touches_no_page_but_its_own(void **state)
{
    (void)state;
    size_t page = (size_t)sysconf(_SC_PAGESIZE), bytes = slots_bytes(4096, 1000);
    assert_int_equal(bytes % 64, 0);
    size_t pages = (bytes + page - 1) / page;
    char *block = mmap(NULL, (1 + pages) * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(block != MAP_FAILED);
    mprotect(block + page, pages * page, PROT_NONE);           /* touching it would kill the test */
    slots_init((struct slots *)(void *)block, block + page, 4096, 1000);
    munmap(block, (1 + pages) * page);
}

static void a_pool_of_one_and_of_none(void **state)
{
    (void)state;
    size_t bytes;
    struct slots *p = make_pool(8, 1, &bytes);
    assert_int_equal(slots_take(p), 1);
    assert_int_equal(slots_take(p), 0);
    slots_give(p, 1);
    assert_int_equal(slots_take(p), 1);
    free(p);
    p = make_pool(8, 0, &bytes);
    assert_int_equal(slots_take(p), 0);
    assert_false(slots_live(p, 0) || slots_live(p, 1));
    free(p);
}

/* Three lists over the same nodes, each beside an array that is searched. */
enum { NODES = 40, LISTS = 3 };

static void lists_are_first_in_first_out(void **state)
{
    (void)state;
    struct list lists[LISTS] = {{0, 0, 0}};
    struct list_node nodes[NODES + 1] = {{0, 0, 0}};
    uint32_t model[LISTS][NODES], count[LISTS] = {0};
    struct prng g;
    prng_seed(&g, 2);
    for (unsigned round = 0; round < 50000; round++) {
        uint32_t l = prng_below(&g, LISTS), id = 1 + prng_below(&g, NODES);
        uint32_t on = nodes[id].on;
        switch (prng_below(&g, 3)) {
        case 0:
            if (!on) {
                list_append(&lists[l], nodes, id, l + 1);
                model[l][count[l]++] = id;
            }
            break;
        case 1:
            if (on) {
                list_remove(&lists[on - 1], nodes, id);
                uint32_t i = 0;
                while (model[on - 1][i] != id)
                    i++;
                memmove(&model[on - 1][i], &model[on - 1][i + 1], (--count[on - 1] - i) * sizeof(uint32_t));
                assert_true(all_zero(&nodes[id], sizeof nodes[id]));
            }
            break;
        default:
            id = list_pop(&lists[l], nodes);
            assert_int_equal(id, count[l] ? model[l][0] : 0);
            if (id)
                memmove(&model[l][0], &model[l][1], --count[l] * sizeof(uint32_t));
        }
        for (l = 0; l < LISTS; l++) {
            assert_int_equal(lists[l].count, count[l]);
            id = lists[l].head;
            uint32_t prev = 0;
            for (uint32_t i = 0; i < count[l]; prev = id, id = nodes[id].next, i++) {
                assert_int_equal(id, model[l][i]);
                assert_int_equal(nodes[id].prev, prev);
                assert_int_equal(nodes[id].on, l + 1);
            }
            assert_int_equal(id, 0);
            assert_int_equal(lists[l].tail, prev);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slots_are_what_was_taken_and_not_given_back),
        cmocka_unit_test(a_copied_pool_works),
        cmocka_unit_test(init_touches_no_page_but_its_own),
        cmocka_unit_test(a_pool_of_one_and_of_none),
        cmocka_unit_test(lists_are_first_in_first_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
