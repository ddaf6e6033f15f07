/* SPDX-License-Identifier: MIT
 *
 * The states of a neighbour, RFC 4861 7.2 and 7.3: every edge of the diagram in link/neighbor.h, and that no other exists.
 */
#include "support/unit.h"

#include "base/prng.h"
#include "link/neighbor.h"

static const uint8_t MAC_A[6] = {2, 0, 0, 0, 0, 0xa}, MAC_B[6] = {2, 0, 0, 0, 0, 0xb};
#define T0 (100 * PL_S)

static struct nud fresh(void)
{
    struct nud n;
    nud_init(&n, 0);
    return n;
}

static struct nud reachable(void)
{
    struct nud n = fresh();
    nud_wanted(&n, T0);
    assert_int_equal(nud_answered(&n, MAC_A, true, true, T0), NUD_RESOLVED);
    assert_int_equal(n.state, NUD_REACHABLE);
    return n;
}

static struct nud stale(void)
{
    struct nud n = fresh();
    assert_int_equal(nud_heard(&n, MAC_A, T0), NUD_RESOLVED);
    assert_int_equal(n.state, NUD_STALE);
    return n;
}

static struct nud probing(void)
{
    struct nud n = stale();
    nud_wanted(&n, T0);
    assert_int_equal(n.state, NUD_DELAY);
    assert_int_equal(nud_fires(&n, T0 + 5 * PL_S), NUD_ASK_UNICAST);
    assert_int_equal(n.state, NUD_PROBE);
    return n;
}

static void a_request_goes_at_once_and_again_each_second_three_times_in_all(void **state)
{
    (void)state;
    struct nud n = fresh();
    assert_false(nud_usable(&n));
    assert_int_equal(n.when, PL_NEVER);
    assert_int_equal(nud_wanted(&n, T0), NUD_ASK);
    assert_int_equal(nud_wanted(&n, T0), NUD_NOTHING);
    assert_int_equal(n.when, T0 + PL_S);
    assert_int_equal(nud_fires(&n, T0 + PL_S - 1), NUD_NOTHING);
    assert_int_equal(nud_fires(&n, T0 + PL_S), NUD_ASK);
    assert_int_equal(nud_fires(&n, T0 + 2 * PL_S), NUD_ASK);
    assert_int_equal(nud_fires(&n, T0 + 3 * PL_S), NUD_GIVE_UP);
    assert_int_equal(n.state, NUD_FAILED);
    assert_false(nud_usable(&n));
}

static void a_failure_is_remembered_for_three_seconds(void **state)
{
    (void)state;
    struct nud n = fresh();
    nud_wanted(&n, T0);
    for (unsigned i = 1; i <= 3; i++)
        nud_fires(&n, T0 + i * PL_S);
    assert_int_equal(nud_wanted(&n, T0 + 4 * PL_S), NUD_NOTHING);
    assert_int_equal(nud_fires(&n, T0 + 6 * PL_S - 1), NUD_NOTHING);
    assert_int_equal(nud_fires(&n, T0 + 6 * PL_S), NUD_REMOVE);
}

static void a_late_answer_still_counts(void **state)
{
    (void)state;
    struct nud n = fresh();
    nud_wanted(&n, T0);
    for (unsigned i = 1; i <= 3; i++)
        nud_fires(&n, T0 + i * PL_S);
    assert_int_equal(nud_answered(&n, MAC_A, true, true, T0 + 4 * PL_S), NUD_RESOLVED);
    assert_int_equal(n.state, NUD_REACHABLE);
    assert_int_equal(n.when, PL_NEVER);
}

static void an_answer_without_address_resolves_nothing(void **state)
{
    (void)state;
    struct nud n = fresh();
    nud_wanted(&n, T0);
    assert_int_equal(nud_answered(&n, NULL, true, true, T0), NUD_NOTHING);
    assert_int_equal(n.state, NUD_INCOMPLETE);
    assert_int_equal(n.when, T0 + PL_S);
}

static void an_unsolicited_answer_to_our_request_gives_stale(void **state)
{
    (void)state;
    struct nud n = fresh();
    nud_wanted(&n, T0);
    assert_int_equal(nud_answered(&n, MAC_A, false, true, T0), NUD_RESOLVED);
    assert_int_equal(n.state, NUD_STALE);
    assert_memory_equal(n.mac, MAC_A, 6);
}

static void reachable_turns_stale_when_it_is_looked_at_and_needs_no_timer(void **state)
{
    (void)state;
    struct nud n = reachable();
    pl_time end = T0 + n.reachable_ms * PL_MS;
    assert_int_equal(n.when, PL_NEVER);
    assert_int_equal(nud_wanted(&n, end - 1), NUD_NOTHING);
    assert_int_equal(n.state, NUD_REACHABLE);
    assert_int_equal(nud_state_now(&n, end - 1), NUD_REACHABLE);
    assert_int_equal(nud_state_now(&n, end), NUD_STALE);
    assert_int_equal(nud_wanted(&n, end), NUD_NOTHING);
    assert_int_equal(n.state, NUD_DELAY);
    assert_int_equal(n.when, end + 5 * PL_S);
    assert_true(nud_usable(&n));
}

static void reachable_time_lies_between_half_and_one_and_a_half_of_30_s(void **state)
{
    (void)state;
    struct prng g;
    prng_seed(&g, 1);
    uint32_t least = UINT32_MAX, most = 0;
    for (unsigned i = 0; i < 10000; i++) {
        struct nud n;
        nud_init(&n, (uint32_t)prng_next(&g));
        least = n.reachable_ms < least ? n.reachable_ms : least;
        most = n.reachable_ms > most ? n.reachable_ms : most;
    }
    assert_in_range(least, 15000, 15100);
    assert_in_range(most, 44900, 45000);
}

static void a_stale_neighbour_is_used_and_probed_if_nothing_confirms_it(void **state)
{
    (void)state;
    struct nud n = stale();
    assert_int_equal(n.when, PL_NEVER);
    nud_wanted(&n, T0);
    assert_int_equal(n.state, NUD_DELAY);
    assert_true(nud_usable(&n));
    assert_int_equal(nud_fires(&n, T0 + 5 * PL_S - 1), NUD_NOTHING);
    assert_int_equal(nud_fires(&n, T0 + 5 * PL_S), NUD_ASK_UNICAST);
    assert_true(nud_usable(&n));
    assert_int_equal(nud_fires(&n, T0 + 6 * PL_S), NUD_ASK_UNICAST);
    assert_int_equal(nud_fires(&n, T0 + 7 * PL_S), NUD_ASK_UNICAST);
    assert_int_equal(nud_fires(&n, T0 + 8 * PL_S), NUD_REMOVE);
}

static void progress_confirms_in_every_state_that_has_an_address(void **state)
{
    (void)state;
    struct nud n[] = {reachable(), stale(), stale(), probing()};
    nud_wanted(&n[2], T0);
    for (unsigned i = 0; i < COUNT_OF(n); i++) {
        nud_confirm(&n[i], T0 + 7 * PL_S);
        assert_int_equal(n[i].state, NUD_REACHABLE);
        assert_int_equal(n[i].confirmed, T0 + 7 * PL_S);
        assert_int_equal(nud_fires(&n[i], T0 + 20 * PL_S), NUD_NOTHING);
    }
    struct nud incomplete = fresh();
    nud_wanted(&incomplete, T0);
    nud_confirm(&incomplete, T0);
    assert_int_equal(incomplete.state, NUD_INCOMPLETE);
}

static void doubt_probes_at_once(void **state)
{
    (void)state;
    struct nud n = reachable();
    assert_int_equal(nud_doubt(&n, T0 + PL_S), NUD_ASK_UNICAST);
    assert_int_equal(n.state, NUD_PROBE);
    assert_int_equal(n.when, T0 + 2 * PL_S);
    assert_int_equal(nud_doubt(&n, T0 + PL_S), NUD_NOTHING);
    struct nud incomplete = fresh();
    assert_int_equal(nud_doubt(&incomplete, T0), NUD_NOTHING);
}

static void what_a_neighbour_says_of_itself_unasked_is_stale(void **state)
{
    (void)state;
    struct nud n = reachable();
    assert_int_equal(nud_heard(&n, MAC_A, T0), NUD_NOTHING);        /* nothing new */
    assert_int_equal(n.state, NUD_REACHABLE);
    assert_int_equal(nud_heard(&n, MAC_B, T0), NUD_NOTHING);
    assert_int_equal(n.state, NUD_STALE);
    assert_memory_equal(n.mac, MAC_B, 6);
}

static void an_advertisement_is_taken_by_the_table_of_7_2_5(void **state)
{
    (void)state;
    static const struct {
        bool other_mac, has_mac, solicited, override;
        int after;
        bool mac_changes;
    } rows[] = {
        {false, true, true, true, NUD_REACHABLE, false},    {false, true, true, false, NUD_REACHABLE, false},
        {false, true, false, true, NUD_STALE, false},       {false, true, false, false, NUD_STALE, false},
        {false, false, true, false, NUD_REACHABLE, false},  {false, false, false, true, NUD_STALE, false},
        {true, true, true, true, NUD_REACHABLE, true},      {true, true, false, true, NUD_STALE, true},
        {true, true, true, false, NUD_STALE, false},        {true, true, false, false, NUD_STALE, false},
    };
    for (unsigned i = 0; i < COUNT_OF(rows); i++) {
        struct nud n = stale();
        const uint8_t *mac = !rows[i].has_mac ? NULL : rows[i].other_mac ? MAC_B : MAC_A;
        assert_int_equal(nud_answered(&n, mac, rows[i].solicited, rows[i].override, T0), NUD_NOTHING);
        assert_int_equal(n.state, rows[i].after);
        assert_memory_equal(n.mac, rows[i].mac_changes ? MAC_B : MAC_A, 6);
    }
    /* another address without the right to override makes a reachable one doubtful, and no more */
    struct nud n = reachable();
    nud_answered(&n, MAC_B, true, false, T0);
    assert_int_equal(n.state, NUD_STALE);
    assert_memory_equal(n.mac, MAC_A, 6);
}

static void what_the_program_set_stays(void **state)
{
    (void)state;
    struct nud n = fresh();
    nud_wanted(&n, T0);
    nud_set_permanent(&n, MAC_A);
    assert_int_equal(n.when, PL_NEVER);
    assert_int_equal(nud_heard(&n, MAC_B, T0), NUD_NOTHING);
    assert_int_equal(nud_answered(&n, MAC_B, true, true, T0), NUD_NOTHING);
    assert_int_equal(nud_doubt(&n, T0), NUD_NOTHING);
    nud_confirm(&n, T0);
    assert_int_equal(nud_wanted(&n, T0 + 1000 * PL_S), NUD_NOTHING);
    assert_int_equal(n.state, NUD_PERMANENT);
    assert_memory_equal(n.mac, MAC_A, 6);
    assert_int_equal(nud_spare(&n, T0 + 1000 * PL_S), 0);
}

static void who_makes_room_first(void **state)
{
    (void)state;
    struct nud failed = fresh(), asked = fresh(), warm = reachable(), cold = reachable(), old = stale(), busy = probing();
    nud_wanted(&failed, T0);
    for (unsigned i = 1; i <= 3; i++)
        nud_fires(&failed, T0 + i * PL_S);
    nud_wanted(&asked, T0);
    pl_time now = T0 + 8 * PL_S;
    nud_wanted(&warm, now);
    assert_true(nud_spare(&failed, now) > nud_spare(&old, now));
    assert_true(nud_spare(&old, now) > nud_spare(&cold, now));
    assert_true(nud_spare(&cold, now) > 0);
    assert_int_equal(nud_spare(&warm, now), 0);
    assert_int_equal(nud_spare(&asked, now), 0);
    assert_int_equal(nud_spare(&busy, now), 0);
}

static void shifted_in_time_it_goes_on_the_same(void **state)
{
    (void)state;
    struct nud a = probing(), b = a;
    nud_shift(&b, 7 * PL_S);
    for (pl_time t = T0 + 5 * PL_S; t < T0 + 10 * PL_S; t += PL_S / 4) {
        assert_int_equal(nud_fires(&a, t), nud_fires(&b, t + 7 * PL_S));
        assert_int_equal(a.state, b.state);
    }
    struct nud never = reachable();
    nud_shift(&never, PL_S);
    assert_int_equal(never.when, PL_NEVER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_goes_at_once_and_again_each_second_three_times_in_all),
        cmocka_unit_test(a_failure_is_remembered_for_three_seconds),
        cmocka_unit_test(a_late_answer_still_counts),
        cmocka_unit_test(an_answer_without_address_resolves_nothing),
        cmocka_unit_test(an_unsolicited_answer_to_our_request_gives_stale),
        cmocka_unit_test(reachable_turns_stale_when_it_is_looked_at_and_needs_no_timer),
        cmocka_unit_test(reachable_time_lies_between_half_and_one_and_a_half_of_30_s),
        cmocka_unit_test(a_stale_neighbour_is_used_and_probed_if_nothing_confirms_it),
        cmocka_unit_test(progress_confirms_in_every_state_that_has_an_address),
        cmocka_unit_test(doubt_probes_at_once),
        cmocka_unit_test(what_a_neighbour_says_of_itself_unasked_is_stale),
        cmocka_unit_test(an_advertisement_is_taken_by_the_table_of_7_2_5),
        cmocka_unit_test(what_the_program_set_stays),
        cmocka_unit_test(who_makes_room_first),
        cmocka_unit_test(shifted_in_time_it_goes_on_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
