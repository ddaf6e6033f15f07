/* SPDX-License-Identifier: MIT
 *
 * test_memory_driver.c: the cable inside the process keeps the contract of driver.h.
 */
#include "support/unit.h"

#include "os/driver/memory.h"

static const struct memory_params plain = {.a = {.mtu = 1500}, .b = {.mtu = 1500}, .frames_max = 4};

struct pair {
    struct pl_driver *a, *b;
};

static struct pair pair_of(const struct memory_params *p)
{
    struct pair x;
    assert_int_equal(memory_pair_open(p, &x.a, &x.b), 0);
    return x;
}

static void pair_close(struct pair *x)
{
    x->a->ops->close(x->a);
    x->b->ops->close(x->b);
}

/* A frame of three spans, one of them empty. */
static struct pl_frame frame_of(char *text)
{
    struct pl_frame f = {.nspans = 3, .gso_segs = 1};
    f.span[0] = (struct pl_span){text, 1};
    f.span[1] = (struct pl_span){text, 0};
    f.span[2] = (struct pl_span){text + 1, strlen(text) - 1};
    return f;
}

static void what_one_sends_the_other_receives_in_order(void **state)
{
    (void)state;
    struct pair x = pair_of(&plain);
    char first[] = "first", second[] = "second";
    struct pl_frame out[2] = {frame_of(first), frame_of(second)}, in[4];
    assert_int_equal(x.a->ops->send(x.a, out, 2), 2);
    memset(first, 0, sizeof first);       /* the bytes are no longer needed on return */
    assert_int_equal(x.a->ops->recv(x.a, in, 4), 0);
    assert_int_equal(x.b->ops->recv(x.b, in, 4), 2);
    assert_int_equal(in[0].nspans, 1);
    assert_memory_equal(in[0].span[0].base, "first", 5);
    assert_int_equal(in[0].span[0].len, 5);
    assert_memory_equal(in[1].span[0].base, "second", 6);
    assert_int_equal(x.b->ops->recv(x.b, in, 4), 0);
    assert_int_equal(x.b->rx_frames, 2);
    assert_int_equal(x.a->tx_bytes, 11);
    pair_close(&x);
}

static void a_full_cable_takes_only_part_and_says_when_there_is_room(void **state)
{
    (void)state;
    struct pair x = pair_of(&plain);
    char text[] = "x.";
    struct pl_frame out[6], in[2];
    for (int i = 0; i < 6; i++)
        out[i] = frame_of(text);
    assert_int_equal(x.a->ops->send(x.a, out, 6), 4);
    assert_true(x.a->ops->deadline(x.a, 7) == PL_NEVER);
    assert_true(x.b->ops->deadline(x.b, 7) == 7);
    assert_int_equal(x.b->ops->recv(x.b, in, 2), 2);
    assert_true(x.a->ops->deadline(x.a, 7) == PL_NEVER);     /* the two are still being read */
    assert_int_equal(x.b->ops->recv(x.b, in, 2), 2);
    assert_true(x.a->ops->deadline(x.a, 7) == 7);
    assert_int_equal(x.a->ops->send(x.a, out, 2), 2);
    assert_true(x.a->ops->deadline(x.a, 7) == PL_NEVER);
    pair_close(&x);
}

static void received_bytes_hold_until_the_next_recv(void **state)
{
    (void)state;
    struct pair x = pair_of(&plain);
    char one[] = "one", other[] = "two";
    struct pl_frame f = frame_of(one), in[1];
    assert_int_equal(x.a->ops->send(x.a, &f, 1), 1);
    assert_int_equal(x.b->ops->recv(x.b, in, 1), 1);
    f = frame_of(other);
    for (int i = 0; i < 3; i++)
        assert_int_equal(x.a->ops->send(x.a, &f, 1), 1);
    assert_int_equal(x.a->ops->send(x.a, &f, 1), 0);
    assert_memory_equal(in[0].span[0].base, "one", 3);
    pair_close(&x);
}

static void an_unfinished_checksum_arrives_vouched_for_and_a_finished_one_does_not(void **state)
{
    (void)state;
    struct pair x = pair_of(&plain);
    char text[] = "frame";
    struct pl_frame f = frame_of(text), in[2];
    f.flags = PL_F_CSUM_PARTIAL;
    f.gso_size = 1;
    f.gso_segs = 5;
    assert_int_equal(x.a->ops->send(x.a, &f, 1), 1);
    f.flags = 0;
    assert_int_equal(x.a->ops->send(x.a, &f, 1), 1);
    assert_int_equal(x.b->ops->recv(x.b, in, 2), 2);
    assert_int_equal(in[0].flags, PL_F_CSUM_OK);
    assert_int_equal(in[0].gso_size, 1);
    assert_int_equal(in[0].gso_segs, 5);
    assert_int_equal(in[1].flags, 0);
    pair_close(&x);
}

static void the_other_end_closed_is_a_device_gone_after_what_was_under_way(void **state)
{
    (void)state;
    struct pair x = pair_of(&plain);
    char text[] = "last words";
    struct pl_frame f = frame_of(text), in[1];
    assert_int_equal(x.a->ops->send(x.a, &f, 1), 1);
    x.a->ops->close(x.a);
    assert_int_equal(x.b->ops->recv(x.b, in, 1), 1);
    assert_memory_equal(in[0].span[0].base, "last words", 10);
    assert_int_equal(x.b->ops->recv(x.b, in, 1), PL_ENETDOWN);
    assert_int_equal(x.b->ops->send(x.b, &f, 1), PL_ENETDOWN);
    x.b->ops->close(x.b);
}

static void empty_and_oversized_frames_are_counted_not_carried(void **state)
{
    (void)state;
    struct pair x = pair_of(&plain);
    char *big = calloc(1, 70000);
    struct pl_frame f[2] = {{.nspans = 0}, {.nspans = 1}}, in[1];
    f[1].span[0] = (struct pl_span){big, 70000};
    assert_int_equal(x.a->ops->send(x.a, f, 2), 2);
    assert_int_equal(x.a->errors, 2);
    assert_int_equal(x.b->ops->recv(x.b, in, 1), 0);
    free(big);
    pair_close(&x);
}

static void bad_parameters_are_refused(void **state)
{
    (void)state;
    struct pl_driver *a, *b;
    struct memory_params p = plain;
    p.a.mtu = 0;
    assert_int_equal(memory_pair_open(&p, &a, &b), PL_EINVAL);
    p = plain;
    p.b.gso_bytes = 65536;
    assert_int_equal(memory_pair_open(&p, &a, &b), PL_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_one_sends_the_other_receives_in_order),
        cmocka_unit_test(a_full_cable_takes_only_part_and_says_when_there_is_room),
        cmocka_unit_test(received_bytes_hold_until_the_next_recv),
        cmocka_unit_test(an_unfinished_checksum_arrives_vouched_for_and_a_finished_one_does_not),
        cmocka_unit_test(the_other_end_closed_is_a_device_gone_after_what_was_under_way),
        cmocka_unit_test(empty_and_oversized_frames_are_counted_not_carried),
        cmocka_unit_test(bad_parameters_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
