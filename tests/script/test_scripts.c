/* SPDX-License-Identifier: MIT
 *
 * Every script below tests/script, in this process, over both families. A script fails, too, if something was sent that it does not expect.
 *
 * TIME-LIMIT: 120 s
 */
#include "script/scripts.h"

static void there_are_scripts(void **state)
{
    (void)state;
    struct CMUnitTest *cases;
    assert_true(scripts_cases(&cases, NULL) > 0);
}

int main(void)
{
    struct CMUnitTest *cases;
    const struct CMUnitTest none[] = {cmocka_unit_test(there_are_scripts)};
    size_t n = scripts_cases(&cases, NULL);
    return n ? _cmocka_run_group_tests("scripts", cases, n, NULL, NULL) : cmocka_run_group_tests(none, NULL, NULL);
}
