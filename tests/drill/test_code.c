/* SPDX-License-Identifier: MIT
 *
 * The code between %{ and }%: what holds passes, what does not is told with the value, what is not understood is refused.
 */
#include "support/unit.h"

#include "drill/code.h"

static char said[200];

static bool look(void *user, const char *name, double *v)
{
    (void)user;
    *v = strcmp(name, "tcpi_snd_cwnd") == 0 ? 10 : strcmp(name, "tcpi_rtt") == 0 ? 1500 : -1;
    return *v > 0;
}

static void say(void *user, const char *text)
{
    (void)user;
    strncpy(said, text, sizeof said - 1);
}

static void holds(const char *code)
{
    char error[300] = "";
    if (!drill_code_run("t.pkt", 5, code, look, say, NULL, error, sizeof error))
        fail_msg("%s: %s", code, error);
}

static void says(const char *code, const char *what)
{
    char error[300] = "";
    assert_false(drill_code_run("t.pkt", 5, code, look, say, NULL, error, sizeof error));
    if (!strstr(error, what))
        fail_msg("%s: %s", code, error);
}

static void true_assertions_hold(void **state)
{
    (void)state;
    holds("assert tcpi_snd_cwnd == 10");
    holds("\n  assert 1 < tcpi_rtt <= 1500, tcpi_rtt # fine\n assert (tcpi_rtt //\n 1000) == 1; assert True\n");
    holds("assert not tcpi_rtt != 1500 and (0 or 1)");
    holds("assert abs(-3) + max(1, 2, 3) * 2 == 9 and min(4, 2) == 2 and int(2.7) == 2");
    holds("assert (5 & 4 | 1) == 5 and 1 << 4 == 0x10 and 6 ^ 3 == 5 and ~0 == -1 and 7 % 4 == 3 and -7 // 2 == -4 and 1 / 4 == .25");
    holds("print('a', tcpi_rtt)");
    assert_string_equal(said, "a 1500");
}

static void false_ones_say_what_is(void **state)
{
    (void)state;
    says("assert tcpi_snd_cwnd == 11", "t.pkt:5: assert tcpi_snd_cwnd == 11 does not hold: tcpi_snd_cwnd is 10");
    says("\n\nassert tcpi_rtt < 3, 'slow'", "t.pkt:7: assert tcpi_rtt < 3 does not hold: slow");
    says("assert 10 > 5 > 7", "does not hold");
    says("assert 1 < 2 == 3", "does not hold");
}

static void what_is_not_understood_is_refused(void **state)
{
    (void)state;
    says("import os", "t.pkt:5: \"import os\"");
    says("assert tcpi_nothing == 1", "tcpi_nothing is not known");
    says("assert open(3)", "open() is not known");
    says("assert (1", "\")\" expected");
    says("assert 1 1", "\"1\" is not understood");
    says("assert 2 ** 3 == 8", "not understood");
    says("assert", "a number or a name");
    says("assert 1 / 0", "division by zero");
    says("assert 1 << 99", "shift");
    says("print('x", "no end");
    char deep[400];
    memset(deep, '(', sizeof deep - 1);
    memcpy(deep, "assert ", 7);
    deep[sizeof deep - 1] = 0;
    says(deep, "nested");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(true_assertions_hold),
        cmocka_unit_test(false_ones_say_what_is),
        cmocka_unit_test(what_is_not_understood_is_refused),
    };
    return cmocka_run_group_tests_name("drill.code", tests, NULL, NULL);
}
