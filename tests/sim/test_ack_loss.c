/* SPDX-License-Identifier: MIT
 *
 * test_ack_loss.c: half of all ACKs are lost, and the goodput hardly notices: what is acknowledged counts by bytes (RFC 3465, RFC 9438 5), so it does not matter how
 * many ACKs say so. At most 5 % of it are lost, with each congestion control, with a queue of a whole and of half a bandwidth-delay product.
 */
#include "support/unit.h"

#include "sim/run.h"
#include <stdio.h>

enum { SEEDS = 3, SECONDS = 30 };

/* bit/s */
static uint64_t goodput(const char *algorithm, unsigned queue, unsigned lost_percent, uint64_t seed)
{
    char text[400], error[500];
    size_t n = (size_t)snprintf(text, sizeof text,
                                "time %ds\nhost a cc=%s csum-offload\nhost b csum-offload\nlink a b rate=20Mbit delay=20ms queue=%u\n"
                                "impair b>a loss chance=%u%% only=ack\nflow a b bulk\n",
                                SECONDS, algorithm, queue, lost_percent);
    struct scenario *s = scenario_read(text, n, error, sizeof error);
    if (!s)
        fail_msg("%s", error);
    struct sim_run *r = run_new(s, seed, error, sizeof error);
    if (!r || !run_play(r, 0, NULL, NULL))
        fail_msg("%s", r ? sim_failure(r->sim) : error);
    assert_int_equal(run_flow_counts(r, 0).time_outs, 0);
    uint64_t bits = run_goodput(r, 0);
    run_free(r);
    scenario_free(s);
    return bits;
}

static void costs_little(const char *algorithm)
{
    static const unsigned queues[] = {67, 34};           /* 20 Mbit/s * 40 ms = 67 frames */
    for (size_t q = 0; q < COUNT_OF(queues); q++) {
        uint64_t whole = goodput(algorithm, queues[q], 0, 1);
        assert_true(whole > 18000000);
        for (uint64_t seed = 1; seed <= SEEDS; seed++) {
            uint64_t half = goodput(algorithm, queues[q], 50, seed);
            print_message("%s, queue %u, seed %u: %llu of %llu kbit/s\n", algorithm, queues[q], (unsigned)seed, (unsigned long long)half / 1000, (unsigned long long)whole / 1000);
            assert_true(half * 100 >= whole * 95);
        }
    }
}

static void newreno_loses_five_percent_at_most(void **x) { (void)x, costs_little("newreno"); }
static void cubic_loses_five_percent_at_most(void **x) { (void)x, costs_little("cubic"); }
static void bbr_loses_five_percent_at_most(void **x) { (void)x, costs_little("bbr"); }

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(newreno_loses_five_percent_at_most),
        cmocka_unit_test(cubic_loses_five_percent_at_most),
        cmocka_unit_test(bbr_loses_five_percent_at_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
