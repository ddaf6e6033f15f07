/* SPDX-License-Identifier: MIT
 *
 * test_golden.c: all 240 cells of tests/sim/golden/goodput.txt, and fill.txt. TIME-LIMIT: 1800 s
 *
 *     long.test_golden --write [WORD ...]     writes all files of tests/sim/golden/ (cells whose keys contain each WORD): `make golden`
 */
#include "support/golden_cells.h"
#include "support/skip.h"
#include "support/unit.h"
#include <math.h>
#include <stdio.h>

static void check(struct golden_table t)
{
#if defined(__SANITIZE_ADDRESS__)
    free(t.cell);
    SKIP_BECAUSE("all cells take an hour under the sanitizers; sim.test_golden plays some of them there");
#else
    unsigned bad = golden_check(&t, NULL, false, true);
    free(t.cell);
    assert_int_equal(bad, 0);
#endif
}

static void goodput_is_as_kept_and_as_expected(void **x)
{
    (void)x;
    check(golden_goodput(HUGE_VAL));
}

static void a_long_fat_pipe_is_filled_from_cold(void **x)
{
    (void)x;
    check(golden_fill());
}

static int write_all(char *const *words)
{
    struct golden_table t[] = {golden_goodput(HUGE_VAL), golden_shares(), golden_delay(), golden_fill()};
    unsigned bad = 0;
    for (size_t i = 0; i < COUNT_OF(t); i++) {
        bad += golden_check(&t[i], words, true, true);
        free(t[i].cell);
    }
    if (bad) fprintf(stderr, "%u lines say FAIL\n", bad);
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(goodput_is_as_kept_and_as_expected), cmocka_unit_test(a_long_fat_pipe_is_filled_from_cold)};
    if (argc > 1 && !strcmp(argv[1], "--write")) return write_all(argv + 2);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
