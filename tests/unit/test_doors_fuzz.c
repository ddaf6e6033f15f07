/* SPDX-License-Identifier: MIT
 *
 * Any calls and any frames (support/havoc.h), with fixed seeds; PARLEY_FUZZ_SEEDS=FIRST-LAST runs others, PARLEY_FUZZ_COVERAGE=1 tells what
 * was reached.
 */
#include "support/unit.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "support/havoc.h"

static void say_where(int signal)
{
    ssize_t ignored = write(2, havoc_where(), strlen(havoc_where()));
    (void)ignored;
    (void)signal;
}

static struct pl_counters seen;           /* over all runs: a fuzz that reaches nothing proves nothing */

static void count(const pl_stack *s)
{
    struct pl_counters c;
    pl_counters(s, &c, sizeof c);
    for (unsigned n = 0; n < PL_DROP_COUNT; n++)
        seen.drops[n] += c.drops[n];
    for (unsigned n = 0; n < PL_WHY_SENT_COUNT; n++)
        seen.sent[n] += c.sent[n];
    seen.connections_accepted += c.connections_accepted;
    seen.connections_opened += c.connections_opened;
}

static void play(unsigned seed)
{
    struct havoc *r = havoc_new(seed);
    while (r->step < 800)
        havoc_step(r);
    havoc_end(r);
    count(r->h[0].s);
    count(r->h[1].s);
    havoc_free(r);
}

static void any_calls_and_any_frames_keep_the_rules(void **state)
{
    (void)state;
    unsigned first = 1, last = 2000;
    const char *asked = getenv("PARLEY_FUZZ_SEEDS");
    if (asked)
        sscanf(asked, "%u-%u", &first, &last);
    signal(SIGABRT, say_where);
    for (unsigned seed = first; seed <= last; seed++)
        play(seed);
    unsigned drops = 0, sent = 0;
    for (unsigned n = 1; n < PL_DROP_COUNT; n++)
        drops += seen.drops[n] != 0;
    for (unsigned n = 1; n < PL_WHY_SENT_COUNT; n++)
        sent += seen.sent[n] != 0;
    if (getenv("PARLEY_FUZZ_COVERAGE")) {
        for (unsigned n = 1; n < PL_DROP_COUNT; n++)
            print_message("%10llu drop %s\n", (unsigned long long)seen.drops[n], pl_drop_name(n));
        for (unsigned n = 1; n < PL_WHY_SENT_COUNT; n++)
            print_message("%10llu sent %s\n", (unsigned long long)seen.sent[n], pl_reason_name(n));
    }
    print_message("%llu opened, %llu accepted, %u kinds of drops, %u kinds of segments\n", (unsigned long long)seen.connections_opened,
                  (unsigned long long)seen.connections_accepted, drops, sent);
    assert_true(asked || (seen.connections_accepted > 1000 && drops > 40 && sent > 25));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(any_calls_and_any_frames_keep_the_rules)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
