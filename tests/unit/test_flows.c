/* SPDX-License-Identifier: MIT
 *
 * The table of flows, against a plain list of what stands in it: found is the newest of a flow, or of a kind; whatever is removed, the others are still
 * found. The table is so small that searches run into each other and around its end.
 */
#include "support/unit.h"

#include "base/prng.h"
#include "transport/flows.h"

enum { OF_A_KIND = 8, REFS = 2 * OF_A_KIND, PLACES = 2 * REFS, TUPLES = 6, ROUNDS = 100000 };

static struct world {
    struct flows t;
    struct slots pool[FLOW_KINDS];
    struct flow_place places[PLACES];
    _Alignas(64) uint8_t memory[2][4096];
    uint32_t order[REFS], n;              /* the model: refs, oldest first */
} w;

static struct flow tuple(unsigned number)
{
    struct flow f = {.local = {[10] = 0xff, [11] = 0xff, [15] = 1}, .remote = {[10] = 0xff, [11] = 0xff, [15] = 2}, .local_port = 80,
                     .remote_port = (uint16_t)(1000 + number), .protocol = 6};
    return f;
}

static void make_world(uint64_t seed)
{
    static const enum flow_kind kinds[2] = {FLOW_CONN, FLOW_TIME_WAIT};
    memset(&w, 0, sizeof w);
    w.t.places = (uint64_t)((char *)w.places - (char *)&w.t);
    w.t.mask = PLACES - 1;
    w.t.key = (struct siphash_key){seed, seed + 1};
    for (unsigned i = 0; i < 2; i++)
        slots_init(&w.pool[kinds[i]], w.memory[i], sizeof(struct flow), OF_A_KIND);
    for (unsigned k = 0; k < FLOW_KINDS; k++) {
        w.t.pool[k] = (uint64_t)((char *)&w.pool[k] - (char *)&w.t);
        w.t.first[k + 1] = w.t.first[k] + w.pool[k].capacity;
    }
}

static void insert(struct prng *g)
{
    enum flow_kind kind = prng_below(g, 2) ? FLOW_CONN : FLOW_TIME_WAIT;
    uint32_t slot = slots_take(&w.pool[kind]);
    if (!slot) return;
    uint32_t ref = flow_ref(&w.t, kind, slot);
    *(struct flow *)flow_at(&w.t, ref) = tuple(prng_below(g, TUPLES));
    flow_insert(&w.t, ref);
    w.order[w.n++] = ref;
}

static void delete_any(struct prng *g)
{
    if (!w.n) return;
    uint32_t i = prng_below(g, w.n), ref = w.order[i];
    enum flow_kind kind = flow_kind_of(&w.t, ref);
    flow_remove(&w.t, ref);
    flow_remove(&w.t, ref);               /* is not there: changes nothing */
    slots_give(&w.pool[kind], ref - w.t.first[kind]);
    memmove(&w.order[i], &w.order[i + 1], (--w.n - i) * sizeof w.order[0]);
}

static uint32_t newest(const struct flow *f, int kind)
{
    for (uint32_t i = w.n; i--;)
        if (flow_same(flow_at(&w.t, w.order[i]), f) && (kind < 0 || (int)flow_kind_of(&w.t, w.order[i]) == kind)) return w.order[i];
    return 0;
}

static void the_newest_is_found_and_what_is_removed_hides_nobody(void **state)
{
    (void)state;
    struct prng g;
    prng_seed(&g, 3);
    unsigned found = 0, full = 0;
    for (unsigned round = 0; round < ROUNDS; round++) {
        if (round % 1000 == 0) make_world(round);       /* other places for the same flows */
        if (prng_below(&g, 8) < ((round / 50) & 1 ? 2u : 6u))
            insert(&g);
        else
            delete_any(&g);
        full += w.n == REFS;
        assert_int_equal(w.t.count, w.n);
        for (unsigned i = 0; i < TUPLES; i++) {
            struct flow key = tuple(i);
            uint32_t ref = flow_find(&w.t, &key);
            assert_int_equal(ref, newest(&key, -1));
            assert_int_equal(flow_find_kind(&w.t, &key, FLOW_CONN), newest(&key, FLOW_CONN));
            assert_int_equal(flow_find_kind(&w.t, &key, FLOW_TIME_WAIT), newest(&key, FLOW_TIME_WAIT));
            found += ref != 0;
        }
    }
    assert_in_range(found, ROUNDS, (uint64_t)ROUNDS * TUPLES - 1);
    assert_true(full > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_newest_is_found_and_what_is_removed_hides_nobody)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
