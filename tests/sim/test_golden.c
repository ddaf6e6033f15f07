/* SPDX-License-Identifier: MIT
 *
 * test_golden.c: what simulated runs result in is what tests/sim/golden/ keeps, byte for byte, and no line of it fails: of the 240 cells of goodput those that are quick
 * (fewer under the sanitizers); all of them in long.test_golden. TIME-LIMIT: 180 s
 *
 *     sim.test_golden --write     writes what it compares, for a first look; `make golden` writes all
 */
#include "support/golden_cells.h"
#include "support/unit.h"

static bool write_them;

static void check(struct golden_table t)
{
    unsigned bad = golden_check(&t, NULL, write_them, write_them);
    free(t.cell);
    assert_int_equal(bad, 0);
}

static void goodput_is_as_kept_and_as_expected(void **x)
{
    (void)x;
#if defined(__SANITIZE_ADDRESS__)
    check(golden_goodput(3));
#else
    check(golden_goodput(40));
#endif
}

static void shares_of_a_bottleneck_are_as_kept_and_fair(void **x)
{
    (void)x;
    check(golden_shares());
}

static void frames_wait_as_long_as_kept(void **x)
{
    (void)x;
    check(golden_delay());
}

int main(int argc, char **argv)
{
    write_them = argc > 1 && !strcmp(argv[1], "--write");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(goodput_is_as_kept_and_as_expected),
        cmocka_unit_test(shares_of_a_bottleneck_are_as_kept_and_fair),
        cmocka_unit_test(frames_wait_as_long_as_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
