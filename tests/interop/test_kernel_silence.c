/* SPDX-License-Identifier: MIT
 *
 * test_kernel_silence.c: what we and the kernel do when the other end says nothing or takes nothing: keepalives, a dead machine found out from either
 * side, closed windows and their probes as `ss` shows them, and windows of 64 MB (missions M10, M11, M12, M14, M20).
 */
#include "support/skip.h"
#include "support/ss.h"
#include "support/talk.h"
#include "support/unit.h"

#include <errno.h>
#include <netinet/in.h>
#include <time.h>
#include <unistd.h>

#include "os/host/clock.h"

/* ---- the four of both roles and versions, at the same time */

static void open_four(struct rig *r, struct talk t[4])
{
    int n = 0;
    TALK_EACH_ROLE_AND_VERSION {
        t[n] = (struct talk){.rig = r, .version = version, .client = client, .kernel_listener = -1, .fd = -1, .listener = n ? t[0].listener : 0};
        r->patience = PL_MS;
        talk_again(&t[n++], 0, 0);
    }
}

static void close_four(struct talk t[4])
{
    for (int i = 3; i > 0; i--) {
        if (t[i].fd >= 0) close(t[i].fd);
        if (t[i].kernel_listener >= 0) close(t[i].kernel_listener);
        pl_close(t[i].rig->stack, t[i].conn);
    }
    talk_close(&t[0]);
}

static void kernel_keeps_alive(const struct talk *t, int on)
{
    assert_int_equal(setsockopt(t->fd, IPPROTO_TCP, TCP_KEEPIDLE, &(int){1}, sizeof(int)), 0);
    assert_int_equal(setsockopt(t->fd, IPPROTO_TCP, TCP_KEEPINTVL, &(int){1}, sizeof(int)), 0);
    assert_int_equal(setsockopt(t->fd, IPPROTO_TCP, TCP_KEEPCNT, &(int){1}, sizeof(int)), 0);
    assert_int_equal(setsockopt(t->fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on), 0);
}

static struct ss said(const struct talk *t)
{
    struct ss s;
    assert_true(ss_find(t->rig, t->kernel_port, t->client ? talk_status(t).local.port : TALK_PORT, &s));
    return s;
}

static void we_are_away(pl_time how_long)
{
    struct timespec pause = {.tv_sec = (time_t)(how_long / PL_S), .tv_nsec = (long)(how_long % PL_S)};
    nanosleep(&pause, NULL);
}

/* ---- keepalive */

static void keepalives_are_asked_and_answered(void **state)
{
    struct rig r;
    struct pl_config c;
    struct talk t[4];
    uint64_t in[4];
    rig_config(&c);
    c.keepalive_idle = c.keepalive_interval = 100 * PL_MS;
    c.keepalive_probes = 2;
    if (!ss_installed()) SKIP_BECAUSE("no ss (iproute2)");
    if (!rig_open(&r, *state, &c)) SKIP_BECAUSE(rig_why);
    open_four(&r, t);
    for (int i = 0; i < 4; i++) {
        kernel_keeps_alive(&t[i], 1);
        struct ss s = said(&t[i]);
        assert_string_equal(s.timer, "keepalive");
        assert_in_range(s.timer_ms, 500, 1000);
        in[i] = talk_status(&t[i]).segs_in;
    }
    rig_run(&r, NULL, NULL, 2300 * PL_MS);                 /* it gives up after two seconds unless it is answered */
    for (int i = 0; i < 4; i++) {
        struct ss s = said(&t[i]);
        assert_string_equal(s.state, "ESTAB");
        assert_string_equal(s.timer, "keepalive");
        assert_int_equal(s.timer_retries, 0);
        assert_true(talk_status(&t[i]).segs_in >= in[i] + 2);
        kernel_keeps_alive(&t[i], 0);
    }
    assert_int_equal(testnet_sysctl(&r.net, RIG_KERNEL, "ipv4/tcp_invalid_ratelimit", "0"), 0);   /* else it answers one probe in half a second */
    uint64_t probes = talk_sent_because(&r, PL_WHY_PROBE_KEEPALIVE);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(pl_set(r.stack, t[i].conn, PL_OPT_KEEPALIVE, 1), 0);
        in[i] = talk_status(&t[i]).segs_in;
    }
    rig_run(&r, NULL, NULL, 700 * PL_MS);
    assert_true(talk_sent_because(&r, PL_WHY_PROBE_KEEPALIVE) >= probes + 4 * 4);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(talk_status(&t[i]).state, PL_ESTABLISHED);
        assert_true(talk_status(&t[i]).segs_in >= in[i] + 4);
        talk_stream(&t[i], talk_to_kernel, 1000);
        talk_stream(&t[i], talk_from_kernel, 1000);
    }
    close_four(t);
    rig_close(&r);
}

static bool all_failed(void *user)
{
    struct talk *t = user;
    for (int i = 0; i < 4; i++)
        if (!pl_error(t[i].rig->stack, t[i].conn)) return false;
    return true;
}

/* The kernel's machine dies: two are found out by keepalives, two by text that nobody acknowledges. */
static void we_find_out_that_the_kernel_is_dead(void **state)
{
    struct rig r;
    struct pl_config c;
    struct talk t[4];
    rig_config(&c);
    c.keepalive_idle = c.keepalive_interval = 50 * PL_MS;
    c.keepalive_probes = 2;
    c.user_timeout = 500 * PL_MS;
    if (!rig_open(&r, *state, &c)) SKIP_BECAUSE(rig_why);
    open_four(&r, t);
    assert_int_equal(testnet_link_up(&r.net, RIG_KERNEL, RIG_KERNEL_IFACE, false), 0);
    pl_time began = host_now();
    for (int i = 0; i < 4; i++) {
        if (i & 1) assert_int_equal(pl_set(r.stack, t[i].conn, PL_OPT_KEEPALIVE, 1), 0);
        else assert_int_equal(pl_send(r.stack, t[i].conn, "hello", 5), 5);
    }
    assert_true(rig_run(&r, all_failed, t, RIG_PATIENCE));
    assert_true(host_now() - began >= 490 * PL_MS);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(pl_error(r.stack, t[i].conn), PL_ETIMEDOUT);
        assert_int_equal(pl_recv(r.stack, t[i].conn, talk_buffer, 1), PL_ETIMEDOUT);
    }
    close_four(t);
    rig_close(&r);
}

/* We are away for longer than the kernel waits. It gives up by keepalive, or because text is not acknowledged; when we are back
 * we answer what lies in the device, and its RST tells us. */
static void the_kernel_finds_out_that_we_are_dead(void **state)
{
    struct rig r;
    struct talk t[4];
    if (!rig_open(&r, *state, NULL)) SKIP_BECAUSE(rig_why);
    open_four(&r, t);
    for (int i = 0; i < 4; i++) {
        if (i & 1) {
            kernel_keeps_alive(&t[i], 1);
        } else {
            assert_int_equal(setsockopt(t[i].fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &(int){700}, sizeof(int)), 0);
            assert_int_equal(send(t[i].fd, "hello", 5, MSG_NOSIGNAL), 5);
        }
    }
    for (pl_time end = host_now() + RIG_PATIENCE; talk_info(&t[0]).tcpi_state != TALK_K_CLOSE || talk_info(&t[1]).tcpi_state != TALK_K_CLOSE ||
                                                  talk_info(&t[2]).tcpi_state != TALK_K_CLOSE || talk_info(&t[3]).tcpi_state != TALK_K_CLOSE;
         we_are_away(50 * PL_MS))
        assert_true(host_now() < end);
    for (int i = 0; i < 4; i++)
        assert_int_equal(talk_kernel_error(&t[i]), ETIMEDOUT);
    assert_true(rig_run(&r, all_failed, t, RIG_PATIENCE));
    for (int i = 0; i < 4; i++)
        assert_int_equal(pl_error(r.stack, t[i].conn), PL_ECONNRESET);
    close_four(t);
    rig_close(&r);
}

/* ---- closed windows */

static bool the_kernels_are_closed(void *user)
{
    struct talk *t = user;
    bool all = true;
    for (int i = 0; i < 4; i++) {
        talk_we_write(&t[i]);
        all &= talk_status(&t[i]).snd.wnd == 0;
    }
    return all;
}

static void the_kernel_stops_reading_and_goes_on(void **state)
{
    struct rig r;
    struct talk t[4];
    struct pl_config c;
    rig_config(&c);
    c.chunks_max *= 2;                    /* four send buffers at once */
    if (!rig_open(&r, *state, &c)) SKIP_BECAUSE(rig_why);
    open_four(&r, t);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(setsockopt(t[i].fd, SOL_SOCKET, SO_RCVBUF, &(int){65536}, sizeof(int)), 0);
        t[i].total = 4 << 20;
    }
    assert_true(rig_run(&r, the_kernels_are_closed, t, RIG_PATIENCE));
    uint64_t probes = talk_sent_because(&r, PL_WHY_PROBE_ZERO_WINDOW);
    rig_run(&r, NULL, NULL, 900 * PL_MS);                  /* 200 ms, 400 ms */
    assert_in_range(talk_sent_because(&r, PL_WHY_PROBE_ZERO_WINDOW) - probes, 4, 16);
    for (int i = 0; i < 4; i++) {
        char text[500];
        assert_int_equal(talk_status(&t[i]).state, PL_ESTABLISHED);
        assert_int_equal(talk_status(&t[i]).retransmits, 0);
        assert_true(pl_explain(r.stack, t[i].conn, text, sizeof text) > 0);
        assert_non_null(strstr(text, "window"));
        assert_true(rig_run(&r, talk_to_kernel, &t[i], RIG_PATIENCE));
    }
    close_four(t);
    rig_close(&r);
}

static bool ours_are_closed(void *user)
{
    struct talk *t = user;
    bool all = true;
    for (int i = 0; i < 4; i++) {
        talk_kernel_writes(&t[i]);
        all &= talk_status(&t[i]).rcvbuf_used == talk_status(&t[i]).rcvbuf_bytes;
    }
    return all;
}
static bool the_kernel_probed(void *user)
{
    struct talk *t = user;
    bool all = true;
    for (int i = 0; i < 4; i++)
        all &= talk_info(&t[i]).tcpi_probes > 0 || talk_info(&t[i]).tcpi_backoff > 0;
    return all;
}

static void we_stop_reading_and_go_on(void **state)
{
    struct rig r;
    struct talk t[4];
    struct pl_config c;
    rig_config(&c);
    c.rcvbuf_bytes = c.rcvbuf_max = 65536;
    if (!ss_installed()) SKIP_BECAUSE("no ss (iproute2)");
    if (!rig_open(&r, *state, &c)) SKIP_BECAUSE(rig_why);
    open_four(&r, t);
    for (int i = 0; i < 4; i++)
        t[i].total = 4 << 20;
    assert_true(rig_run(&r, ours_are_closed, t, RIG_PATIENCE));
    assert_true(rig_run(&r, the_kernel_probed, t, RIG_PATIENCE));
    for (int i = 0; i < 4; i++) {
        struct ss s = said(&t[i]);
        assert_string_equal(s.state, "ESTAB");
        assert_string_equal(s.timer, "persist");
        assert_true(ss_number(&s, "backoff") + s.timer_retries >= 1);
        assert_int_equal(ss_number(&s, "unacked"), 0);
        assert_int_equal(ss_number(&s, "snd_wnd"), 0);
        assert_true(ss_number(&s, "notsent") > 0);
    }
    rig_run(&r, NULL, NULL, 700 * PL_MS);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(talk_info(&t[i]).tcpi_state, TALK_K_ESTABLISHED);
        assert_int_equal(talk_status(&t[i]).rcv.wnd, 0);
        assert_int_equal(talk_status(&t[i]).rcvbuf_used, 65536);               /* nothing beyond it was taken, and nothing lost */
        assert_true(rig_run(&r, talk_from_kernel, &t[i], RIG_PATIENCE));
        struct ss s = said(&t[i]);
        assert_true(strcmp(s.timer, "persist") != 0);
        assert_true(ss_number(&s, "snd_wnd") > 0);
    }
    close_four(t);
    rig_close(&r);
}

/* ---- large windows */

enum { LARGE = 64 << 20 };
static bool stalled_far(void *user)
{
    struct talk *t = user;
    talk_we_write(t);
    return talk_status(t).bytes_acked > 8 << 20;
}
static bool kernel_stalled_far(void *user)
{
    struct talk *t = user;
    talk_kernel_writes(t);
    return talk_status(t).rcvbuf_used > 8 << 20;
}

static void windows_of_64_mb(void **state)
{
    struct rig r;
    struct pl_config c;
    rig_config(&c);
    c.connections_max = 4;
    c.sndbuf_bytes = 16 << 20;
    c.rcvbuf_bytes = LARGE;
    c.chunk_bytes = 16384;
    c.chunks_max = (80 << 20) / 16384;
    c.records_max = c.records_per_conn_max = 60000;
    if (!rig_open(&r, *state, &c)) SKIP_BECAUSE(rig_why);
    assert_int_equal(testnet_sysctl(&r.net, RIG_KERNEL, "ipv4/tcp_rmem", "4096 33554432 67108864"), 0);
    assert_int_equal(testnet_sysctl(&r.net, RIG_KERNEL, "ipv4/tcp_wmem", "4096 16777216 67108864"), 0);
    TALK_EACH_ROLE_AND_VERSION {
        struct talk t = talk_open(&r, version, client);
        assert_in_range(talk_status(&t).rcv_wscale, 10, 11);
        assert_in_range(talk_status(&t).snd_wscale, 10, 11);
        assert_int_equal(talk_info(&t).tcpi_snd_wscale, talk_status(&t).rcv_wscale);
        assert_int_equal(talk_info(&t).tcpi_rcv_wscale, talk_status(&t).snd_wscale);
        t.total = 24 << 20;
        assert_true(rig_run(&r, stalled_far, &t, RIG_PATIENCE));                /* 8 MB lie in the kernel, unread */
        assert_true(rig_run(&r, talk_to_kernel, &t, RIG_PATIENCE));
        t.sent = t.got = 0;
        assert_true(rig_run(&r, kernel_stalled_far, &t, RIG_PATIENCE));         /* and in us */
        assert_true(talk_status(&t).rcv.wnd > 16 << 20);
        assert_true(talk_info(&t).tcpi_snd_wnd > 16 << 20);
        assert_true(rig_run(&r, talk_from_kernel, &t, RIG_PATIENCE));
        talk_close(&t);
    }
    rig_close(&r);
}

#define CASE(kind, f) {.name = kind ": " #f, .test_func = f, .initial_state = (void *)(uintptr_t)rig_kind(kind)}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE("tun+gso", keepalives_are_asked_and_answered),
        CASE("tun+gso", we_find_out_that_the_kernel_is_dead),
        CASE("tun+gso", the_kernel_finds_out_that_we_are_dead),
        CASE("tun+gso", the_kernel_stops_reading_and_goes_on),
        CASE("tun+gso", we_stop_reading_and_go_on),
        CASE("tun+gso", windows_of_64_mb),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
