/* SPDX-License-Identifier: MIT
 *
 * test_kernel_meets.c: how we and the kernel meet when it is not the plain way: both open at once, a message of the handshake is lost, an old SYN comes
 * late, and the ports of a connection that is in TIME-WAIT are used again (missions M3, M5, M6, M7, M9, M20).
 */
#include "support/forge.h"
#include "support/skip.h"
#include "support/ss.h"
#include "support/talk.h"
#include "support/unit.h"

#include <errno.h>
#include <netinet/in.h>
#include <unistd.h>

#include "os/host/clock.h"

enum { OUR_PORT = 7020, KERNEL_PORT = 7030 };

static void works(struct talk *t)
{
    talk_stream(t, talk_to_kernel, 100000);
    talk_stream(t, talk_from_kernel, 100000);
}

/* ---- RFC 9293 3.5 figure 7: nobody listens, and both connect */

static void both_open_at_once(void **state)
{
    struct rig r;
    if (!ss_installed()) SKIP_BECAUSE("no ss (iproute2)");
    if (!rig_open(&r, *state, NULL)) SKIP_BECAUSE(rig_why);
    r.patience = PL_MS;
    for (int version = 4; version <= 6; version += 2) {
        uint16_t ours = (uint16_t)(OUR_PORT + version), kernels = (uint16_t)(KERNEL_PORT + version);
        struct talk t = {.rig = &r, .version = version, .kernel_listener = -1, .kernel_port = kernels};
        struct sockaddr_storage a;
        struct ss s;
        t.fd = rig_socket(&r, version, SOCK_STREAM, 0);
        socklen_t n = rig_sockaddr(version, true, kernels, &a);
        assert_int_equal(bind(t.fd, (struct sockaddr *)&a, n), 0);
        n = rig_sockaddr(version, false, ours, &a);
        assert_true(connect(t.fd, (struct sockaddr *)&a, n) < 0 && errno == EINPROGRESS);
        struct pl_connect_params p = {.remote = rig_endpoint(version, true, kernels), .local = {.port = ours}};
        assert_int_equal(pl_connect(r.stack, &p, &t.conn), 0);
        rig_transmit(&r);                                  /* its SYN waits in the device: they cross */
        assert_true(ss_find(&r, kernels, ours, &s));
        assert_string_equal(s.state, "SYN-RECV");
        assert_int_equal(talk_status(&t).state, PL_SYN_SENT);
        uint64_t crossed = talk_sent_because(&r, PL_WHY_SYN_ACK_CROSSED);
        for (int frames = 0; talk_status(&t).state == PL_SYN_SENT && frames < 20; frames++)
            rig_receive(&r, 1);                            /* up to its SYN, but not its SYN-ACK */
        assert_int_equal(talk_status(&t).state, PL_SYN_RECEIVED);
        rig_transmit(&r);
        talk_becomes_open(&t);
        assert_int_equal(talk_sent_because(&r, PL_WHY_SYN_ACK_CROSSED), crossed + 1);
        assert_true(talk_status(&t).timestamps && talk_status(&t).sack && talk_status(&t).window_scaling);
        works(&t);
        talk_close(&t);
    }
    rig_close(&r);
}

/* ---- M6: a message of the handshake is lost */

enum lost { SYN, SYN_ACK, THIRD };
static void a_handshake_that_loses(void **state, enum lost lost)
{
    struct rig r;
    if (!rig_open(&r, *state, NULL)) SKIP_BECAUSE(rig_why);
    r.patience = PL_MS;
    for (int version = 4; version <= 6; version += 2) {
        struct talk t = {.rig = &r, .version = version, .client = lost != SYN_ACK, .kernel_listener = -1};
        talk_begin(&t, 0, 0);
        pl_time began = host_now();
        if (lost == THIRD) rig_transmit(&r);
        unsigned said = 0;
        for (int tries = 0; tries < 1000 && said == 0; tries++) {     /* a loaded machine may be slow to hand it over */
            rig_receive(&r, 16);
            said = rig_lose(&r);
            if (said == 0) usleep(1000);
        }
        assert_int_equal(said, 1);
        talk_becomes_open(&t);
        assert_true(host_now() - began > 500 * PL_MS);     /* by the first repetition, a second later */
        assert_true(host_now() - began < 2900 * PL_MS);
        struct pl_tcp_status st = talk_status(&t);
        assert_true(st.timestamps && st.sack && st.window_scaling);
        works(&t);
        talk_close(&t);
    }
    rig_close(&r);
}

static void our_lost_syn_is_repeated(void **state) { a_handshake_that_loses(state, SYN); }
static void our_lost_syn_ack_is_asked_for_again(void **state) { a_handshake_that_loses(state, SYN_ACK); }
static void our_lost_third_message_is_asked_for_again(void **state) { a_handshake_that_loses(state, THIRD); }

/* ---- M3, M5: strays. What claims to come from one end was never sent by it. */

static struct forged stray(int version, bool to_kernel, uint16_t from, uint16_t to, uint8_t flags)
{
    return (struct forged){.src = rig_endpoint(version, !to_kernel, from), .dst = rig_endpoint(version, to_kernel, to), .seq = 4711, .flags = flags,
                           .wnd = 1000};
}

static void give_kernel(struct rig *r, const struct forged *f)
{
    uint8_t bytes[FORGE_BYTES_MAX];
    struct pl_driver *d = host_loop_driver(&r->loop, r->iface);
    struct pl_frame frame = {.span[0] = {bytes, forge_tcp(bytes, f)}, .nspans = 1, .gso_segs = 1};
    assert_int_equal(d->ops->send(d, &frame, 1), 1);
}

/* Through a raw socket of the kernel's: it looks like any segment of its own. */
static void give_us(struct rig *r, int version, const struct forged *f)
{
    uint8_t bytes[FORGE_BYTES_MAX];
    struct sockaddr_storage to;
    int s = rig_socket(r, version, SOCK_RAW, IPPROTO_RAW);
    socklen_t n = rig_sockaddr(version, false, 0, &to);
    size_t size = forge_tcp(bytes, f);
    assert_int_equal(sendto(s, bytes, size, 0, (struct sockaddr *)&to, n), size);
    close(s);
}

/* RFC 9293 3.5 figure 8: an old SYN is answered, and that answer is refused by a RST: no connection, and the next one is served. */
static void an_old_syn_makes_no_connection(void **state)
{
    struct rig r;
    struct ss s;
    uint32_t states[PL_STATE_COUNT];
    if (!ss_installed()) SKIP_BECAUSE("no ss (iproute2)");
    if (!rig_open(&r, *state, NULL)) SKIP_BECAUSE(rig_why);
    for (int version = 4; version <= 6; version += 2) {
        struct talk t = talk_open(&r, version, true);
        struct forged f = stray(version, true, OUR_PORT, t.kernel_port, PL_SYN);
        uint64_t resets = talk_sent_because(&r, PL_WHY_RST_CLOSED);
        give_kernel(&r, &f);
        assert_true(ss_find(&r, t.kernel_port, OUR_PORT, &s));
        assert_string_equal(s.state, "SYN-RECV");
        rig_run(&r, NULL, NULL, 20 * PL_MS);
        assert_false(ss_find(&r, t.kernel_port, OUR_PORT, &s));
        assert_int_equal(talk_sent_because(&r, PL_WHY_RST_CLOSED), resets + 1);
        assert_int_equal(accept4(t.kernel_listener, NULL, NULL, SOCK_NONBLOCK), -1);
        works(&t);
        talk_close(&t);

        t = talk_open(&r, version, false);
        f = stray(version, false, KERNEL_PORT, TALK_PORT, PL_SYN);
        give_us(&r, version, &f);
        rig_receive(&r, 16);
        for (int tries = 0; pl_states(r.stack, states), states[PL_SYN_RECEIVED] == 0 && tries < 1000; tries++)
            usleep(1000), rig_receive(&r, 16);
        assert_int_equal(states[PL_SYN_RECEIVED], 1);
        rig_run(&r, NULL, NULL, 20 * PL_MS);
        pl_states(r.stack, states);
        assert_int_equal(states[PL_SYN_RECEIVED], 0);
        pl_conn c;
        assert_int_equal(pl_accept(r.stack, t.listener, &c, NULL), PL_EAGAIN);
        works(&t);
        talk_close(&t);
    }
    rig_close(&r);
}

struct wait_for_reset {
    struct rig *rig;
    uint64_t before;
};
static bool a_reset_came(void *user)
{
    const struct wait_for_reset *w = user;
    return talk_drops(w->rig, PL_DROP_TCP_CLOSED) > w->before;
}

/* RFC 9293 3.5.2: an acknowledgement out of nowhere is answered by a RST of its own number, whoever is asked; the connections beside it do not notice. */
static void a_wrong_ack_is_reset_by_either(void **state)
{
    struct rig r;
    if (!rig_open(&r, *state, NULL)) SKIP_BECAUSE(rig_why);
    for (int version = 4; version <= 6; version += 2) {
        struct talk t = talk_open(&r, version, true);
        struct forged f = stray(version, true, OUR_PORT, t.kernel_port, PL_ACK);
        struct wait_for_reset w = {&r, talk_drops(&r, PL_DROP_TCP_CLOSED)};
        give_kernel(&r, &f);
        assert_true(rig_run(&r, a_reset_came, &w, RIG_PATIENCE));
        works(&t);
        talk_close(&t);

        t = talk_open(&r, version, false);
        uint64_t resets = talk_sent_because(&r, PL_WHY_RST_BAD_ACK);
        f = stray(version, false, KERNEL_PORT, TALK_PORT, PL_ACK);
        give_us(&r, version, &f);
        rig_run(&r, NULL, NULL, 20 * PL_MS);
        assert_int_equal(talk_sent_because(&r, PL_WHY_RST_BAD_ACK), resets + 1);
        works(&t);
        talk_close(&t);
    }
    rig_close(&r);
}

/* ---- M9: the ports of a connection that was */

static void kernel_reads_to_the_end(struct talk *t)
{
    for (pl_time end = host_now() + RIG_PATIENCE; recv(t->fd, talk_buffer, 1, 0) != 0; rig_run(t->rig, NULL, NULL, PL_MS))
        assert_true(host_now() < end);
}

/* We closed first and wait; the kernel opens again at once from the same port, five times. Each SYN is newer by its timestamp, and without timestamps
 * by its number; what is sent on the new connection is not mistaken for the old one's. */
static void the_kernel_opens_again_and_again_into_our_time_wait(void **state)
{
    struct rig r;
    struct pl_config c;
    rig_config(&c);
    c.msl = 20 * PL_S;
    if (!rig_open(&r, *state, &c)) SKIP_BECAUSE(rig_why);
    for (int i = 0; i < 4; i++) {
        int version = i & 1 ? 6 : 4;
        assert_int_equal(testnet_sysctl(&r.net, RIG_KERNEL, "ipv4/tcp_timestamps", i < 2 ? "1" : "0"), 0);
        struct talk t = talk_open(&r, version, false);
        for (int again = 0; again < 5; again++) {
            uint32_t states[PL_STATE_COUNT], nxt = talk_status(&t).snd.nxt;
            pl_close(r.stack, t.conn);
            t.conn = 0;
            kernel_reads_to_the_end(&t);
            close(t.fd);
            rig_run(&r, NULL, NULL, 10 * PL_MS);
            pl_states(r.stack, states);
            assert_int_equal(states[PL_TIME_WAIT], i + 1);
            pl_time began = host_now();
            talk_again(&t, 0, t.kernel_port);
            assert_true(host_now() - began < 900 * PL_MS);
            pl_states(r.stack, states);
            assert_int_equal(states[PL_TIME_WAIT], i);
            assert_true((int32_t)(talk_status(&t).snd.iss - nxt) > 0);         /* RFC 9293 3.6.1: above everything of the old one */
            works(&t);
        }
        pl_close(r.stack, t.conn);
        kernel_reads_to_the_end(&t);
        close(t.fd);
        pl_close(r.stack, t.listener);
        rig_run(&r, NULL, NULL, 10 * PL_MS);
    }
    rig_close(&r);
}

/* The kernel closed first, whoever had opened; then the same end opens again. As a client the kernel wants a second of pause and tcp_tw_reuse. */
static void the_kernels_time_wait_is_used_again_in_both_roles(void **state)
{
    struct rig r;
    unsigned states[RIG_KERNEL_STATES];
    if (!rig_open(&r, *state, NULL)) SKIP_BECAUSE(rig_why);
    assert_int_equal(testnet_sysctl(&r.net, RIG_KERNEL, "ipv4/tcp_tw_reuse", "1"), 0);
    struct talk t[2] = {talk_open(&r, 4, false), {0}};
    t[1] = (struct talk){.rig = &r, .version = 6, .kernel_listener = -1, .listener = t[0].listener};
    talk_again(&t[1], 0, 0);
    for (int i = 0; i < 2; i++) {
        close(t[i].fd);
        talk_meets(&t[i], PL_CLOSE_WAIT, -1);
        assert_int_equal(pl_close(r.stack, t[i].conn), 0);
    }
    rig_comes_to_rest(&r);
    rig_kernel_states(&r, states);
    assert_int_equal(states[RIG_K_TIME_WAIT], 2);
    rig_run(&r, NULL, NULL, 1100 * PL_MS);
    for (int i = 0; i < 2; i++) {
        talk_again(&t[i], 0, t[i].kernel_port);
        rig_kernel_states(&r, states);
        assert_int_equal(states[RIG_K_TIME_WAIT], 1 - i);
        works(&t[i]);
    }
    t[1].listener = 0;
    close(t[1].fd);
    pl_close(r.stack, t[1].conn);
    talk_close(&t[0]);

    /* Five times in a row into the TIME-WAIT that its server left: ours to open. */
    for (int version = 4; version <= 6; version += 2) {
        struct talk c = talk_open(&r, version, true);
        uint16_t port = talk_status(&c).local.port;
        for (int again = 0; again < 5; again++) {
            close(c.fd);
            c.fd = -1;
            talk_meets(&c, PL_CLOSE_WAIT, -1);
            pl_close(r.stack, c.conn);
            rig_comes_to_rest(&r);
            rig_run(&r, NULL, NULL, 3 * PL_MS);           /* a tick of the timestamps' clock, by which the kernel sees that the SYN is newer */
            pl_time began = host_now();
            talk_again(&c, port, 0);
            assert_true(host_now() - began < 900 * PL_MS);
            works(&c);
        }
        close(c.fd);
        c.fd = -1;
        talk_meets(&c, PL_CLOSE_WAIT, -1);
        talk_close(&c);
    }
    rig_close(&r);
}

/* Our own TIME-WAIT as a client: the port is not ours to use before its time, and is again after it. */
static void our_own_time_wait_keeps_its_port_until_it_is_over(void **state)
{
    struct rig r;
    if (!rig_open(&r, *state, NULL)) SKIP_BECAUSE(rig_why);
    for (int version = 4; version <= 6; version += 2) {
        struct talk t = talk_open(&r, version, true);
        uint16_t port = talk_status(&t).local.port;
        struct pl_connect_params p = {.remote = rig_endpoint(version, true, t.kernel_port), .local = {.port = port}};
        pl_conn c;
        assert_int_equal(pl_finish(r.stack, t.conn), 0);
        kernel_reads_to_the_end(&t);
        close(t.fd);
        t.fd = -1;
        talk_meets(&t, PL_TIME_WAIT, -1);
        assert_int_equal(pl_connect(r.stack, &p, &c), PL_EADDRINUSE);
        pl_close(r.stack, t.conn);
        rig_comes_to_rest(&r);                             /* 2 MSL, 100 ms */
        talk_again(&t, port, 0);
        works(&t);
        talk_close(&t);
    }
    rig_close(&r);
}

#define CASE(kind, f) {.name = kind ": " #f, .test_func = f, .initial_state = (void *)(uintptr_t)rig_kind(kind)}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE("tun+gso", both_open_at_once),
        CASE("tun+gso", our_lost_syn_is_repeated),
        CASE("tun+gso", our_lost_syn_ack_is_asked_for_again),
        CASE("tun+gso", our_lost_third_message_is_asked_for_again),
        CASE("tun+gso", an_old_syn_makes_no_connection),
        CASE("tun+gso", a_wrong_ack_is_reset_by_either),
        CASE("tun+gso", the_kernel_opens_again_and_again_into_our_time_wait),
        CASE("tun+gso", the_kernels_time_wait_is_used_again_in_both_roles),
        CASE("tun+gso", our_own_time_wait_keeps_its_port_until_it_is_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
