/* SPDX-License-Identifier: MIT
 *
 * test_with_link.c: a link of the simulation in front of a device, by a clock that the test turns. The device is one end of a cable in memory.
 */
#include "support/unit.h"

#include "os/driver/memory.h"
#include "sim/with_link.h"

static pl_time now;
static pl_time clock_of_test(void) { return now; }

static const struct with_link_params plain = {.link = {.rate = 8000000, .delay = 10 * PL_MS, .queue_packets = 4}, .seed = 5, .clock = clock_of_test};

struct setup {
    struct pl_driver *link, *far;         /* what we drive; and who is at the other end of the device */
};

static struct setup open_link(const struct with_link_params *p)
{
    struct setup s;
    struct pl_driver *device;
    struct pl_iface_params end = {.mtu = 1500, .gso_bytes = 65535, .csum_offload = true};
    now = 7 * PL_S;
    assert_int_equal(memory_pair_open(&(struct memory_params){.a = end, .b = end}, &device, &s.far), 0);
    assert_int_equal(with_link_open(device, p, &s.link), 0);
    return s;
}

static void close_link(struct setup s)
{
    s.link->ops->close(s.link);
    s.far->ops->close(s.far);
}

static void send_numbered(struct pl_driver *d, unsigned number)
{
    uint8_t bytes[1000] = {(uint8_t)(number >> 8), (uint8_t)number};
    struct pl_frame f = {.span[0] = {bytes, sizeof bytes}, .nspans = 1};
    assert_int_equal(d->ops->send(d, &f, 1), 1);
}

/* The number of the next frame that came; -1: none has. */
static int received(struct pl_driver *d)
{
    struct pl_frame f;
    int n = d->ops->recv(d, &f, 1);
    assert_true(n >= 0);
    if (n == 0) return -1;
    const uint8_t *b = f.span[0].base;
    assert_int_equal(f.span[0].len, 1000);
    return b[0] << 8 | b[1];
}

/* Turns the clock to the link's deadline. */
static void next_deadline(struct pl_driver *d)
{
    pl_time due = d->ops->deadline(d, now);
    assert_true(due != PL_NEVER && due > now);
    now = due;
}

/* ---- cases */

/* 1000 bytes at 8 Mbit/s are 1 ms. */
static void test_a_frame_leaves_after_its_time(void **state)
{
    struct setup s = open_link(&plain);
    (void)state;
    assert_true(s.link->ops->deadline(s.link, now) == PL_NEVER);
    send_numbered(s.link, 1);
    assert_true(s.link->ops->deadline(s.link, now) == 7 * PL_S + 11 * PL_MS);
    now += 11 * PL_MS - 1;
    assert_int_equal(received(s.link), -1);
    assert_int_equal(received(s.far), -1);
    now++;
    assert_int_equal(received(s.link), -1);              /* our own does not come back; but asking moves the link on */
    assert_int_equal(received(s.far), 1);
    assert_int_equal(received(s.far), -1);
    close_link(s);
}

static void test_what_the_device_has_comes_through_the_link(void **state)
{
    struct setup s = open_link(&plain);
    (void)state;
    send_numbered(s.far, 1);
    send_numbered(s.far, 2);
    assert_int_equal(received(s.link), -1);              /* it is taken from the device now */
    pl_time due[2] = {7 * PL_S + 11 * PL_MS, 7 * PL_S + 12 * PL_MS};
    for (int number = 1; number <= 2; number++) {
        while (now < due[number - 1]) {
            assert_int_equal(received(s.link), -1);
            next_deadline(s.link);
        }
        assert_true(now == due[number - 1]);
        assert_int_equal(received(s.link), number);
    }
    close_link(s);
}

static void test_the_queue_is_bounded(void **state)
{
    struct setup s = open_link(&plain);
    (void)state;
    for (unsigned i = 0; i < 8; i++)
        send_numbered(s.link, i);         /* one is being transmitted, four wait */
    now += PL_S;
    assert_int_equal(received(s.link), -1);
    for (int i = 0; i < 5; i++)
        assert_int_equal(received(s.far), i);
    assert_int_equal(received(s.far), -1);
    assert_int_equal(with_link_link(s.link)->dir[WITH_LINK_OUT].lost_full, 3);
    close_link(s);
}

/* Pairs of measurements want the same luck, also when one sends and the other receives. */
static void test_both_directions_lose_the_same(void **state)
{
    struct with_link_params p = plain;
    bool lost[2][500] = {{false}};
    unsigned n[2] = {0, 0};
    (void)state;
    p.loss[WITH_LINK_OUT] = p.loss[WITH_LINK_IN] = 30000;
    struct setup s = open_link(&p);
    for (unsigned i = 0; i < 500; i++) {
        send_numbered(s.link, i);
        send_numbered(s.far, i);
        assert_int_equal(received(s.link), -1);
        now += 11 * PL_MS;
        lost[WITH_LINK_IN][i] = received(s.link) < 0;
        lost[WITH_LINK_OUT][i] = received(s.far) < 0;
    }
    assert_memory_equal(lost[0], lost[1], sizeof lost[0]);
    for (unsigned i = 0; i < 500; i++)
        n[0] += lost[0][i], n[1] += lost[1][i];
    assert_in_range(n[0], 5, 30);
    close_link(s);
}

static void test_lateness_is_kept(void **state)
{
    struct setup s = open_link(&plain);
    (void)state;
    send_numbered(s.link, 1);
    now += 11 * PL_MS;
    assert_int_equal(received(s.link), -1);
    assert_int_equal(with_link_late(s.link)->n, 1);
    assert_int_equal(with_link_late(s.link)->max, 0);
    send_numbered(s.link, 2);
    now += 14 * PL_MS;
    send_numbered(s.link, 3);             /* sending looks at the clock as well */
    assert_int_equal(with_link_late(s.link)->max, 3 * PL_MS);
    close_link(s);
}

/* The device keeps frames only as fast as somebody takes them. */
static void test_a_full_device_is_counted(void **state)
{
    struct with_link_params p = plain;
    struct pl_driver *device;
    struct setup s;
    struct pl_iface_params end = {.mtu = 1500};
    (void)state;
    p.link.queue_packets = 0;
    now = PL_S;
    assert_int_equal(memory_pair_open(&(struct memory_params){.a = end, .b = end, .frames_max = 4}, &device, &s.far), 0);
    assert_int_equal(with_link_open(device, &p, &s.link), 0);
    for (unsigned i = 0; i < 6; i++)
        send_numbered(s.link, i);
    now += PL_S;
    assert_int_equal(received(s.link), -1);
    assert_int_equal(with_link_refused(s.link), 2);
    close_link(s);
}

static void test_a_device_that_goes_is_told_after_what_came(void **state)
{
    struct setup s = open_link(&plain);
    struct pl_frame f;
    (void)state;
    send_numbered(s.far, 1);
    assert_int_equal(received(s.link), -1);
    s.far->ops->close(s.far);
    now += PL_S;
    assert_int_equal(received(s.link), 1);
    assert_true(s.link->ops->deadline(s.link, now) == now);
    assert_int_equal(s.link->ops->recv(s.link, &f, 1), PL_ENETDOWN);
    s.link->ops->close(s.link);
}

static void test_it_offers_no_super_frames_and_wants_a_clock(void **state)
{
    struct setup s = open_link(&plain);
    struct with_link_params p = plain;
    struct pl_driver *never_made;
    (void)state;
    assert_int_equal(s.link->params.mtu, 1500);
    assert_int_equal(s.link->params.gso_bytes, 0);
    assert_false(s.link->params.csum_offload);
    p.clock = NULL;
    assert_int_equal(with_link_open(s.far, &p, &never_made), PL_EINVAL);
    close_link(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_frame_leaves_after_its_time),
        cmocka_unit_test(test_what_the_device_has_comes_through_the_link),
        cmocka_unit_test(test_the_queue_is_bounded),
        cmocka_unit_test(test_both_directions_lose_the_same),
        cmocka_unit_test(test_lateness_is_kept),
        cmocka_unit_test(test_a_full_device_is_counted),
        cmocka_unit_test(test_a_device_that_goes_is_told_after_what_came),
        cmocka_unit_test(test_it_offers_no_super_frames_and_wants_a_clock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
