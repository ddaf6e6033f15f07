/* SPDX-License-Identifier: MIT
 *
 * The same scripts through packetdrill's plug: the same verdicts and the same packets at the same times, with calls that really wait, in threads of their own.
 *
 * TIME-LIMIT: 240 s
 */
#include "script/scripts.h"
#include "support/skip.h"

#include <unistd.h>

static char object[4096];

static void the_plug_is_there(void **state)
{
    (void)state;
    SKIP_BECAUSE("the plug is built without sanitizers: run the gcc build's test");
}

int main(void)
{
    struct CMUnitTest *cases;
    const struct CMUnitTest missing[] = {cmocka_unit_test(the_plug_is_there)};
    ssize_t n = readlink("/proc/self/exe", object, sizeof object - 64);
    char *end = n > 0 ? (object[n] = 0, strrchr(object, '/')) : NULL;
    if (end)
        strcpy(end, "/libparley-packetdrill.so");        /* beside this program */
    if (!end || access(object, R_OK) != 0)
        return cmocka_run_group_tests_name("plug", missing, NULL, NULL);
    size_t count = scripts_cases(&cases, object);
    return _cmocka_run_group_tests("plug", cases, count, NULL, NULL);
}
