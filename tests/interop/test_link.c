/* SPDX-License-Identifier: MIT
 *
 * test_link.c: the kernel behind a link of the simulation, in real time: a stream arrives byte by byte as it was sent, both ways, though the link loses frames;
 * and it is the link that says how fast it goes and how far it is.
 */
#include "support/skip.h"
#include "support/transfer.h"
#include "support/unit.h"

#include "os/host/clock.h"
#include "sim/with_link.h"

enum { BYTES = 2 << 20, MBIT = 50, DELAY_MS = 5, LOSS_PER_MILLION = 5000 };

static const struct with_link_params path = {.link = {.rate = MBIT * 1000000, .delay = DELAY_MS * PL_MS, .queue_packets = 64},
    .loss = {LOSS_PER_MILLION, LOSS_PER_MILLION}, .seed = 3, .clock = host_now};

static struct pl_driver *behind_a_link(struct pl_driver *d)
{
    struct pl_driver *wrapped;
    assert_int_equal(with_link_open(d, &path, &wrapped), 0);
    return wrapped;
}
static const struct rig_kind far_tun = {.name = "tun behind a link", .wrap = behind_a_link};

struct watch {
    struct transfer t;
    pl_time min_rtt;
};

/* Done as the transfer is; looks at the round trip meanwhile. */
static bool done(void *user)
{
    struct watch *w = user;
    struct pl_tcp_status st;
    if (w->t.conn && pl_status(w->t.rig->stack, w->t.conn, &st, sizeof st) == 0 && st.srtt) w->min_rtt = st.min_rtt;
    return transfer_done(&w->t);
}

static void play(bool to_kernel)
{
    struct rig r;
    struct watch w = {0};
    if (!rig_open(&r, &far_tun, NULL)) SKIP_BECAUSE(rig_why);
    pl_time began = host_now();
    transfer_begin(&w.t, &r, 4, to_kernel, BYTES);
    if (!rig_run(&r, done, &w, RIG_PATIENCE)) fail_msg("%llu of %d bytes came", (unsigned long long)w.t.got, BYTES);
    assert_int_equal(w.t.error, 0);
    /* No faster than the link: headers only make it slower. */
    assert_true(host_now() - began >= (pl_time)BYTES * 8 * PL_S / (MBIT * 1000000));
    assert_true(w.min_rtt >= 2 * DELAY_MS * PL_MS);
    assert_true(w.min_rtt < 2 * DELAY_MS * PL_MS + PL_S);
    const struct sim_direction *d = &with_link_link(host_loop_driver(&r.loop, r.iface))->dir[to_kernel ? WITH_LINK_OUT : WITH_LINK_IN];
    assert_true(d->lost_way > 0);
    assert_true(d->delivered_bytes > BYTES);
    assert_int_equal(with_link_refused(host_loop_driver(&r.loop, r.iface)), 0);
    transfer_end(&w.t);
    rig_close(&r);
}

static void test_we_send(void **state)
{
    (void)state;
    play(true);
}

static void test_the_kernel_sends(void **state)
{
    (void)state;
    play(false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_we_send), cmocka_unit_test(test_the_kernel_sends)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
