/* SPDX-License-Identifier: MIT
 *
 * Which MTU in a message is believed (RFC 1191, RFC 8201, threats V21), and the cache of those that were.
 */
#include "support/unit.h"

#include "base/prng.h"
#include "internet/pmtu.h"

static void v21_a_message_only_ever_lowers_and_not_below_the_floor(void **state)
{
    (void)state;
    static const struct {
        bool ip6;
        uint32_t told, quoted, current, expect;
    } rows[] = {
        {false, 1400, 1500, 1500, 1400},    {false, 1500, 1500, 1500, 0},       {false, 1501, 1500, 1500, 0},
        {false, 9000, 1500, 1500, 0},       {false, 552, 1500, 1500, 552},      {false, 551, 1500, 1500, 552},
        {false, 68, 1500, 1500, 552},       {false, 1, 1500, 1500, 552},        {false, 0, 1500, 1500, 1492},
        {false, 0, 1492, 1492, 1006},       {false, 0, 0, 1500, 1492},          {false, 0, 60000, 1500, 1492},
        {false, 0, 1000, 1500, 552},        {false, 0, 552, 552, 0},            {false, 68, 1500, 552, 0},
        {false, 500, 1500, 552, 0},         {false, 0, 65535, 65535, 32000},    {true, 1280, 1500, 1500, 1280},
        {true, 1279, 1500, 1500, 0},        {true, 0, 1500, 1500, 0},           {true, 1, 1500, 1500, 0},
        {true, 1500, 1500, 1500, 0},        {true, UINT32_MAX, 1500, 1500, 0},  {true, 1280, 1500, 1280, 0},
        {true, 1499, 1500, 1500, 1499},
    };
    for (unsigned i = 0; i < COUNT_OF(rows); i++)
        assert_int_equal(pmtu_judge(rows[i].ip6, rows[i].told, rows[i].quoted, rows[i].current), rows[i].expect);
    struct prng g;
    prng_seed(&g, 3);
    for (unsigned i = 0; i < 100000; i++) {
        bool ip6 = prng_below(&g, 2);
        uint32_t current = 552 + prng_below(&g, 65000);
        uint32_t mtu = pmtu_judge(ip6, prng_below(&g, 70000), prng_below(&g, 70000), current);
        assert_true(mtu < current && (mtu == 0 || mtu >= (ip6 ? 1280u : 552u)));
    }
}

static void *memory;
static struct slots *make_table(uint32_t capacity)
{
    size_t head = 64;
    memory = aligned_alloc(64, head + slots_bytes(sizeof(struct path_entry), capacity));
    memset(memory, 0, head + slots_bytes(sizeof(struct path_entry), capacity));
    slots_init(memory, (char *)memory + head, sizeof(struct path_entry), capacity);
    return memory;
}

static const struct siphash_key KEY = {1, 2};
static const uint8_t A[16] = IP4(192, 0, 2, 1), B[16] = {0x20, 1, 0xd, 0xb8, [15] = 1};

static void what_was_learned_is_forgotten_after_ten_minutes(void **state)
{
    (void)state;
    struct slots *t = make_table(16);
    assert_int_equal(pmtu_find(t, &KEY, A, 0, 0), 0);
    pmtu_learn(t, &KEY, A, 0, 1400, 5 * PL_S);
    assert_int_equal(pmtu_find(t, &KEY, A, 0, 5 * PL_S), 1400);
    assert_int_equal(pmtu_find(t, &KEY, B, 0, 5 * PL_S), 0);
    assert_int_equal(pmtu_find(t, &KEY, A, 1, 5 * PL_S), 0);        /* another zone is another destination */
    assert_int_equal(pmtu_find(t, &KEY, A, 0, 605 * PL_S - 1), 1400);
    assert_int_equal(pmtu_find(t, &KEY, A, 0, 605 * PL_S), 0);
    free(memory);
}

static void learning_never_raises(void **state)
{
    (void)state;
    struct slots *t = make_table(4);
    pmtu_learn(t, &KEY, A, 0, 1300, PL_S);
    pmtu_learn(t, &KEY, A, 0, 1400, 2 * PL_S);
    assert_int_equal(pmtu_find(t, &KEY, A, 0, 2 * PL_S), 1300);
    pmtu_learn(t, &KEY, A, 0, 1280, 3 * PL_S);
    assert_int_equal(pmtu_find(t, &KEY, A, 0, 602 * PL_S), 1280);   /* and each message starts the ten minutes anew */
    pmtu_learn(t, &KEY, A, 0, 1450, 700 * PL_S);                    /* forgotten meanwhile */
    assert_int_equal(pmtu_find(t, &KEY, A, 0, 700 * PL_S), 1450);
    free(memory);
}

static void a_full_table_lets_the_oldest_of_a_set_go(void **state)
{
    (void)state;
    for (uint32_t capacity = 1; capacity <= 9; capacity++) {
        struct slots *t = make_table(capacity);
        for (unsigned i = 0; i < 1000; i++) {
            uint8_t addr[16] = IP4(10, 0, 0, 0);
            addr[14] = (uint8_t)(i >> 8), addr[15] = (uint8_t)i;
            pmtu_learn(t, &KEY, addr, 0, 1300 + i % 7, i + 1);
            assert_int_equal(pmtu_find(t, &KEY, addr, 0, i + 1), 1300 + i % 7);     /* the newest is always there */
        }
        free(memory);
    }
    struct slots *t = make_table(4);      /* one set: the four newest */
    for (unsigned i = 0; i < 10; i++) {
        uint8_t addr[16] = IP4(10, 0, 0, 0);
        addr[15] = (uint8_t)i;
        pmtu_learn(t, &KEY, addr, 0, 1300, i + 1);
    }
    for (unsigned i = 0; i < 10; i++) {
        uint8_t addr[16] = IP4(10, 0, 0, 0);
        addr[15] = (uint8_t)i;
        assert_int_equal(pmtu_find(t, &KEY, addr, 0, 11), i >= 6 ? 1300 : 0);
    }
    free(memory);
}

static void it_moves_in_time(void **state)
{
    (void)state;
    struct slots *t = make_table(8);
    pmtu_learn(t, &KEY, B, 0, 1400, PL_S);
    pmtu_shift(t, 1000 * PL_S);
    assert_int_equal(pmtu_find(t, &KEY, B, 0, 1601 * PL_S - 1), 1400);
    assert_int_equal(pmtu_find(t, &KEY, B, 0, 1601 * PL_S), 0);
    free(memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(v21_a_message_only_ever_lowers_and_not_below_the_floor),
        cmocka_unit_test(what_was_learned_is_forgotten_after_ten_minutes),
        cmocka_unit_test(learning_never_raises),
        cmocka_unit_test(a_full_table_lets_the_oldest_of_a_set_go),
        cmocka_unit_test(it_moves_in_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
