/* SPDX-License-Identifier: MIT
 *
 * test_impair.c: each kind of damage, on numbered frames of one byte (or two).
 */
#include "sim/impair.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct impair im;
static struct impair_list list;
static char got[4000];

static int begin(void **x)
{
    (void)x;
    impair_init(&im, 1);
    got[0] = 0;
    return 0;
}

static int end(void **x)
{
    (void)x;
    impair_free(&im);
    impair_list_free(&list);
    return 0;
}

/* Appends "number[+extra in ms][c copy] " for each frame that came out. */
static void note_list(void)
{
    for (size_t i = 0; i < list.n; i++) {
        struct packet *p = list.out[i].packet;
        size_t n = strlen(got);
        n += (size_t)snprintf(got + n, sizeof got - n, "%u", p->bytes[0]);
        if (list.out[i].extra) n += (size_t)snprintf(got + n, sizeof got - n, "+%u", (unsigned)(list.out[i].extra / PL_MS));
        if (p->copy) n += (size_t)snprintf(got + n, sizeof got - n, "c%u", (unsigned)p->copy);
        snprintf(got + n, sizeof got - n, " ");
        packet_free(p);
    }
    impair_list_clear(&list);
}

static void push(unsigned number, pl_time now)
{
    uint8_t b[2] = {(uint8_t)number, 0};
    impair_push(&im, packet_from_bytes(b, sizeof b), now, &list);
    note_list();
}

static const char *frames(unsigned n)
{
    for (unsigned i = 1; i <= n; i++)
        push(i, i * PL_MS);
    return got;
}

static void no_rule_changes_nothing(void **x)
{
    (void)x;
    assert_string_equal(frames(3), "1 2 3 ");
}

static void drop_nth_drops_that_one(void **x)
{
    (void)x;
    impair_drop_nth(&im, 2);
    assert_string_equal(frames(4), "1 3 4 ");
    assert_int_equal(im.rule[0].seen, 4);
    assert_int_equal(im.rule[0].hit, 1);
}

static void a_count_takes_the_following_too(void **x)
{
    (void)x;
    impair_drop_nth(&im, 2)->count = 3;
    assert_string_equal(frames(6), "1 5 6 ");
}

static void mask_drops_frames_whose_bit_is_set_and_none_behind_the_64th(void **x)
{
    (void)x;
    impair_drop_mask(&im, 0x15);
    assert_string_equal(frames(6), "2 4 6 ");
    assert_int_equal(begin(NULL), 0);
    impair_drop_mask(&im, 0);
    assert_string_equal(frames(2), "1 2 ");
    assert_int_equal(begin(NULL), 0);
    impair_drop_mask(&im, UINT64_MAX);
    assert_string_equal(frames(66), "65 66 ");
}

static bool is_even(void *user, const struct packet *p)
{
    (void)user;
    return p->bytes[0] % 2 == 0;
}

static void predicate_narrows_what_is_counted(void **x)
{
    (void)x;
    impair_drop_if(&im, is_even, NULL)->nth = 2;
    assert_string_equal(frames(6), "1 2 3 5 6 ");
}

static void loss_is_the_same_for_the_same_seed_and_near_its_rate(void **x)
{
    (void)x;
    char first[sizeof got];
    impair_loss(&im, 250000);
    for (unsigned i = 0; i < 20000; i++)
        impair_push(&im, packet_from_bytes("x", 1), 0, &list);
    size_t left = list.n;
    assert_in_range(left, 14500, 15500);
    while (list.n)
        packet_free(list.out[--list.n].packet);
    assert_int_equal(begin(NULL), 0);
    impair_loss(&im, 250000);
    strcpy(first, frames(100));
    assert_int_equal(begin(NULL), 0);
    impair_loss(&im, 250000);
    assert_string_equal(frames(100), first);
    impair_init(&im, 2);
    got[0] = 0;
    impair_loss(&im, 250000);
    assert_string_not_equal(frames(100), first);
}

static void loss_of_nothing_loses_nothing(void **x)
{
    (void)x;
    impair_loss(&im, 0);
    assert_string_equal(frames(3), "1 2 3 ");
}

static void a_rule_added_does_not_shift_the_luck_of_another(void **x)
{
    (void)x;
    char alone[sizeof got];
    impair_loss(&im, 300000);
    strcpy(alone, frames(50));
    assert_int_equal(begin(NULL), 0);
    impair_loss(&im, 300000);
    impair_add(&im, &(struct impair_rule){.kind = IMPAIR_DELAY, .per_million = 500000});
    assert_string_equal(frames(50), alone);
}

static void duplicate_nth_sends_it_twice(void **x)
{
    (void)x;
    impair_duplicate_nth(&im, 2);
    assert_string_equal(frames(3), "1 2 2c1 3 ");
    assert_int_equal(begin(NULL), 0);
    struct impair_rule *r = impair_duplicate_nth(&im, 1);
    r->copies = 2;
    r->delay = 5 * PL_MS;
    assert_string_equal(frames(1), "1 1+5c1 1+10c2 ");
}

static void delay_nth_adds_to_the_delay(void **x)
{
    (void)x;
    impair_delay_nth(&im, 2, 7 * PL_MS);
    impair_delay_nth(&im, 2, 1 * PL_MS);
    assert_string_equal(frames(3), "1 2+8 3 ");
}

static void reorder_nth_holds_it_behind_k(void **x)
{
    (void)x;
    impair_reorder_nth(&im, 2, 2);
    assert_string_equal(frames(5), "1 3 4 2 5 ");
    assert_true(impair_deadline(&im) == PL_NEVER);
}

static void a_held_frame_leaves_when_nobody_overtakes_it(void **x)
{
    (void)x;
    impair_reorder_nth(&im, 2, 5)->delay = 20 * PL_MS;
    frames(2);
    assert_true(impair_deadline(&im) == 22 * PL_MS);
    impair_release(&im, 21 * PL_MS, &list);
    note_list();
    assert_string_equal(got, "1 ");
    impair_release(&im, 22 * PL_MS, &list);
    note_list();
    assert_string_equal(got, "1 2 ");
    assert_true(impair_deadline(&im) == PL_NEVER);
}

static void a_held_frame_whose_copy_goes_on_is_overtaken_by_it(void **x)
{
    (void)x;
    impair_duplicate_nth(&im, 1);
    impair_reorder_nth(&im, 1, 1);
    assert_string_equal(frames(3), "1c1 2 1 3 ");
}

static void corrupt_nth_inverts_exactly_one_bit(void **x)
{
    (void)x;
    impair_corrupt_nth(&im, 1, 9);
    uint8_t b[2] = {0, 0};
    struct packet *p = packet_from_bytes(b, 2);
    p->flags = PL_F_CSUM_OK;
    impair_push(&im, p, 0, &list);
    assert_int_equal(list.n, 1);
    assert_int_equal(list.out[0].packet->bytes[0], 0);
    assert_int_equal(list.out[0].packet->bytes[1], 0x40);
    assert_int_equal(list.out[0].packet->flags, 0);    /* nobody vouches for its checksum any more */
    packet_free(list.out[0].packet);
    list.n = 0;
    assert_int_equal(begin(NULL), 0);
    impair_corrupt_nth(&im, 1, IMPAIR_ANY_BIT);
    impair_push(&im, packet_from_bytes(b, 2), 0, &list);
    unsigned bits = (unsigned)list.out[0].packet->bytes[0] << 8 | list.out[0].packet->bytes[1];
    assert_true(bits && !(bits & (bits - 1)));
    packet_free(list.out[0].packet);
    list.n = 0;
}

static void an_empty_frame_is_never_corrupted(void **x)
{
    (void)x;
    impair_corrupt_nth(&im, 1, IMPAIR_ANY_BIT);
    impair_push(&im, packet_from_bytes("", 0), 0, &list);
    assert_int_equal(list.n, 1);
    packet_free(list.out[0].packet);
    list.n = 0;
}

static void every_rule_counts_every_frame(void **x)
{
    (void)x;
    impair_drop_nth(&im, 1);
    impair_duplicate_nth(&im, 1);
    impair_duplicate_nth(&im, 2);
    assert_string_equal(frames(2), "2 2c1 ");
}

static void rules_beyond_the_limit_are_refused(void **x)
{
    (void)x;
    for (unsigned i = 0; i < IMPAIR_RULES_MAX; i++)
        assert_non_null(impair_drop_nth(&im, 1000));
    assert_null(impair_drop_nth(&im, 1000));
}

static struct packet *tcp_packet(unsigned flags, size_t text, size_t cut, bool six)
{
    uint8_t b[200] = {0};
    size_t header = six ? 40 : 20, len = header + 20 + text;
    if (six) b[0] = 0x60, b[5] = (uint8_t)(20 + text), b[6] = 6;
    else b[0] = 0x45, b[3] = (uint8_t)len, b[9] = 6;
    b[header + 3] = 80;
    b[header + 7] = 42;
    b[header + 12] = 5 << 4;
    b[header + 13] = (uint8_t)flags;
    return packet_from_bytes(b, len - cut);
}

static bool matches(struct match_tcp m, unsigned flags, size_t text, size_t cut, bool six)
{
    struct packet *p = tcp_packet(flags, text, cut, six);
    bool yes = match_tcp(&m, p);
    packet_free(p);
    return yes;
}

static void match_tcp_reads_flags_ports_text_and_never_past_the_end(void **x)
{
    (void)x;
    struct match_tcp syn = {.flags_mask = PL_SYN | PL_ACK, .flags = PL_SYN}, data = {.len_min = 5, .port = 80};
    for (int six = 0; six < 2; six++) {
        assert_true(matches(syn, PL_SYN, 0, 0, six));
        assert_false(matches(syn, PL_SYN | PL_ACK, 0, 0, six));
        assert_true(matches(data, PL_ACK, 5, 0, six));
        assert_false(matches(data, PL_ACK, 4, 0, six));
        assert_false(matches((struct match_tcp){.port = 81}, PL_ACK, 0, 0, six));
        assert_true(matches((struct match_tcp){.seq_given = true, .seq = 42}, PL_ACK, 0, 0, six));
        assert_false(matches((struct match_tcp){.seq_given = true, .seq = 43}, PL_ACK, 0, 0, six));
        for (size_t cut = 1; cut <= (six ? 60u : 40u); cut++)
            assert_false(matches((struct match_tcp){0}, PL_ACK, 0, cut, six));
    }
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        T(no_rule_changes_nothing),
        T(drop_nth_drops_that_one),
        T(a_count_takes_the_following_too),
        T(mask_drops_frames_whose_bit_is_set_and_none_behind_the_64th),
        T(predicate_narrows_what_is_counted),
        T(loss_is_the_same_for_the_same_seed_and_near_its_rate),
        T(loss_of_nothing_loses_nothing),
        T(a_rule_added_does_not_shift_the_luck_of_another),
        T(duplicate_nth_sends_it_twice),
        T(delay_nth_adds_to_the_delay),
        T(reorder_nth_holds_it_behind_k),
        T(a_held_frame_leaves_when_nobody_overtakes_it),
        T(a_held_frame_whose_copy_goes_on_is_overtaken_by_it),
        T(corrupt_nth_inverts_exactly_one_bit),
        T(an_empty_frame_is_never_corrupted),
        T(every_rule_counts_every_frame),
        T(rules_beyond_the_limit_are_refused),
        T(match_tcp_reads_flags_ports_text_and_never_past_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
