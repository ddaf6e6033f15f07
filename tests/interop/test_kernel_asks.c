/* SPDX-License-Identifier: MIT
 *
 * test_kernel_asks.c: what the kernel's SYN may ask for, and what either end may leave out: every combination of options, ECN, Fast Open, SYN cookies
 * of either side, urgent data (missions M4, M12, M20).
 */
#include "support/skip.h"
#include "support/ss.h"
#include "support/talk.h"
#include "support/unit.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

static void works(struct talk *t)
{
    talk_stream(t, talk_to_kernel, 100000);
    talk_stream(t, talk_from_kernel, 100000);
}

/* ---- options: those that both want are in force, and all of it works in each combination */

enum { TS = 1, SACK = 2, WSCALE = 4, ALL = 7 };

static void check(struct rig *r, int version, bool client, unsigned want)
{
    struct talk t = talk_open(r, version, client);
    works(&t);
    struct tcp_info i = talk_info(&t);
    struct pl_tcp_status st = talk_status(&t);
    assert_int_equal(!!(i.tcpi_options & TCPI_OPT_TIMESTAMPS), !!(want & TS));
    assert_int_equal(!!(i.tcpi_options & TCPI_OPT_SACK), !!(want & SACK));
    assert_int_equal(!!(i.tcpi_options & TCPI_OPT_WSCALE), !!(want & WSCALE));
    assert_int_equal(st.timestamps, !!(want & TS));
    assert_int_equal(st.sack, !!(want & SACK));
    assert_int_equal(st.window_scaling, !!(want & WSCALE));
    assert_int_equal(i.tcpi_snd_wscale, want & WSCALE ? st.rcv_wscale : 0);
    assert_int_equal(i.tcpi_rcv_wscale, want & WSCALE ? st.snd_wscale : 0);
    assert_true(want & WSCALE ? st.rcv_wscale > 0 && st.snd_wscale > 0 : st.rcv_wscale == 0 && st.snd_wscale == 0);
    uint32_t mss = (version == 4 ? 1460 : 1440) - (want & TS ? 12 : 0);
    assert_int_equal(i.tcpi_snd_mss, mss);
    assert_int_equal(st.mss, mss);
    assert_int_equal(st.peer_mss, version == 4 ? 1460 : 1440);
    talk_close(&t);
}

static void kernel_offers(struct rig *r, unsigned what)
{
    assert_int_equal(testnet_sysctl(&r->net, RIG_KERNEL, "ipv4/tcp_timestamps", what & TS ? "1" : "0"), 0);
    assert_int_equal(testnet_sysctl(&r->net, RIG_KERNEL, "ipv4/tcp_sack", what & SACK ? "1" : "0"), 0);
    assert_int_equal(testnet_sysctl(&r->net, RIG_KERNEL, "ipv4/tcp_window_scaling", what & WSCALE ? "1" : "0"), 0);
}

static void what_the_kernel_does_not_offer_is_not_used(void **state)
{
    struct rig r;
    if (!rig_open(&r, *state, NULL)) SKIP_BECAUSE(rig_why);
    for (unsigned what = 0; what <= ALL; what++) {
        kernel_offers(&r, what);
        TALK_EACH_ROLE_AND_VERSION check(&r, version, client, what);
    }
    rig_close(&r);
}

static void what_we_do_not_offer_is_not_used(void **state)
{
    for (unsigned what = 0; what < ALL; what++) {
        struct rig r;
        struct pl_config c;
        rig_config(&c);
        c.timestamps = what & TS;
        c.sack = what & SACK;
        c.window_scaling = what & WSCALE;
        if (!rig_open(&r, *state, &c)) SKIP_BECAUSE(rig_why);
        TALK_EACH_ROLE_AND_VERSION check(&r, version, client, what);
        kernel_offers(&r, ALL ^ what);                     /* and what only one of them wants is not used either */
        TALK_EACH_ROLE_AND_VERSION check(&r, version, client, 0);
        rig_close(&r);
    }
}

/* ---- RFC 3168, 9768: asked for by the kernel's SYN. We have neither: no ECE in the answer, and on it goes. */

static void ecn_asked_for_is_not_agreed_to(void **state)
{
    struct rig r;
    struct ss s;
    if (!ss_installed()) SKIP_BECAUSE("no ss (iproute2)");
    if (!rig_open(&r, *state, NULL)) SKIP_BECAUSE(rig_why);
    for (int how = 1; how <= 3; how++) {                   /* 1: asks, 2: agrees, 3: asks for AccECN, where the kernel has it */
        char value[2] = {(char)('0' + how), 0};
        int e = testnet_sysctl(&r.net, RIG_KERNEL, "ipv4/tcp_ecn", value);
        if (how == 3 && e < 0) break;
        assert_int_equal(e, 0);
        TALK_EACH_ROLE_AND_VERSION {
            struct talk t = talk_open(&r, version, client);
            works(&t);
            assert_int_equal(talk_info(&t).tcpi_options & (TCPI_OPT_ECN | TCPI_OPT_ECN_SEEN), 0);
            assert_true(ss_find(&r, t.kernel_port, client ? talk_status(&t).local.port : TALK_PORT, &s));
            assert_false(ss_word(&s, "ecn") || ss_word(&s, "ecnseen") || ss_word(&s, "accecn"));
            assert_int_equal(talk_info(&t).tcpi_total_retrans, 0);             /* the first SYN was good enough */
            talk_close(&t);
        }
    }
    rig_close(&r);
}

/* ---- RFC 7413: a cookie asked for, and text on a SYN without one. The option is skipped, the text is not taken, and comes again. */

struct reader {
    struct talk *t;
    size_t want, got;
};
static bool we_read_it(void *user)
{
    struct reader *w = user;
    if (!w->t->conn && pl_accept(w->t->rig->stack, w->t->listener, &w->t->conn, NULL) < 0) return false;
    ptrdiff_t n = pl_recv(w->t->rig->stack, w->t->conn, talk_buffer + w->got, sizeof talk_buffer - w->got);
    if (n > 0) w->got += (size_t)n;
    return w->got >= w->want;
}

static void fast_open_is_a_plain_open_here(void **state)
{
    static const char request[] = "GET / HTTP/1.1\r\n\r\n";
    struct rig r;
    if (!rig_open(&r, *state, NULL)) SKIP_BECAUSE(rig_why);
    r.patience = PL_MS;
    for (int i = 0; i < 4; i++) {
        int version = i & 1 ? 6 : 4;
        bool without_cookie = i >= 2;                      /* text on the SYN at once: the sysctl's bit 2; else its cookie is asked for */
        assert_int_equal(testnet_sysctl(&r.net, RIG_KERNEL, "ipv4/tcp_fastopen", without_cookie ? "5" : "1"), 0);
        struct talk t = {.rig = &r, .version = version, .kernel_listener = -1};
        struct pl_listen_params p = {.local = {.port = TALK_PORT}};
        struct sockaddr_storage a;
        assert_int_equal(pl_listen(r.stack, &p, &t.listener), 0);
        t.fd = rig_socket(&r, version, SOCK_STREAM, 0);
        socklen_t n = rig_sockaddr(version, false, TALK_PORT, &a);
        ssize_t sent = sendto(t.fd, request, sizeof request - 1, MSG_FASTOPEN | MSG_NOSIGNAL, (struct sockaddr *)&a, n);
        if (without_cookie) assert_true(sent == sizeof request - 1 && talk_info(&t).tcpi_data_segs_out == 1);     /* on the SYN, for there is no answer yet */
        else assert_true(sent < 0 && errno == EINPROGRESS);
        assert_int_equal(talk_info(&t).tcpi_options & TCPI_OPT_SYN_DATA, 0);
        struct reader w = {&t, sizeof request - 1, 0};
        if (!without_cookie) {
            talk_becomes_open(&t);
            assert_int_equal(send(t.fd, request, sizeof request - 1, MSG_NOSIGNAL), sizeof request - 1);
        }
        assert_true(rig_run(&r, we_read_it, &w, RIG_PATIENCE));
        assert_int_equal(w.got, sizeof request - 1);
        assert_memory_equal(talk_buffer, request, w.got);
        assert_int_equal(talk_info(&t).tcpi_options & TCPI_OPT_SYN_DATA, 0);   /* "acknowledged on the SYN": no */
        works(&t);
        talk_close(&t);
    }
    rig_close(&r);
}

/* ---- RFC 4987 3.6: cookies of the kernel, which then remembers nothing, and ours */

static void the_kernels_syn_cookies_are_answered(void **state)
{
    struct rig r;
    struct ss s;
    if (!ss_installed()) SKIP_BECAUSE("no ss (iproute2)");
    if (!rig_open(&r, *state, NULL)) SKIP_BECAUSE(rig_why);
    assert_int_equal(testnet_sysctl(&r.net, RIG_KERNEL, "ipv4/tcp_syncookies", "2"), 0);
    r.patience = PL_MS;
    for (int i = 0; i < 4; i++) {
        int version = i & 1 ? 6 : 4;
        bool ts = i < 2;                                   /* where it keeps the other options */
        kernel_offers(&r, ts ? ALL : ALL & ~TS);
        struct talk t = {.rig = &r, .version = version, .client = true, .kernel_listener = -1};
        talk_begin(&t, 0, 0);
        rig_transmit(&r);
        assert_false(ss_find(&r, t.kernel_port, talk_status(&t).local.port, &s));               /* no SYN-RECV: it kept nothing */
        talk_becomes_open(&t);
        assert_int_equal(talk_status(&t).timestamps, ts);
        assert_int_equal(talk_status(&t).window_scaling, ts);
        assert_int_equal(talk_status(&t).sack, ts);
        works(&t);
        talk_close(&t);
    }
    rig_close(&r);
}

enum { CROWD = 5 };
struct crowd {
    struct rig *rig;
    pl_listener listener;
    pl_conn conn[CROWD];
    int n;
};
static bool all_are_in(void *user)
{
    struct crowd *w = user;
    while (w->n < CROWD && pl_accept(w->rig->stack, w->listener, &w->conn[w->n], NULL) == 0)
        w->n++;
    return w->n == CROWD;
}

/* Room for one half-open connection, and five SYNs at once. */
static void our_syn_cookies_are_answered_by_the_kernel(void **state)
{
    struct rig r;
    struct pl_config c;
    rig_config(&c);
    c.half_open_max = 1;
    if (!rig_open(&r, *state, &c)) SKIP_BECAUSE(rig_why);
    r.patience = PL_MS;
    for (int i = 0; i < 4; i++) {
        int version = i & 1 ? 6 : 4;
        bool ts = i < 2;
        kernel_offers(&r, ts ? ALL : ALL & ~TS);
        struct crowd w = {.rig = &r};
        struct pl_listen_params p = {.local = {.port = TALK_PORT}, .backlog = 16};
        struct talk t[CROWD];
        struct sockaddr_storage a;
        socklen_t n = rig_sockaddr(version, false, TALK_PORT, &a);
        assert_int_equal(pl_listen(r.stack, &p, &w.listener), 0);
        for (int k = 0; k < CROWD; k++) {
            t[k] = (struct talk){.rig = &r, .version = version, .kernel_listener = -1, .fd = rig_socket(&r, version, SOCK_STREAM, 0)};
            assert_true(connect(t[k].fd, (struct sockaddr *)&a, n) < 0 && errno == EINPROGRESS);
            t[k].kernel_port = talk_port_of(t[k].fd);
        }
        uint64_t cookies = talk_drops(&r, PL_DROP_TCP_COOKIE_SENT);
        assert_true(rig_run(&r, all_are_in, &w, RIG_PATIENCE));
        assert_int_equal(talk_drops(&r, PL_DROP_TCP_COOKIE_SENT) - cookies, CROWD - 1);
        unsigned by_cookie = 0;
        for (int k = 0; k < CROWD; k++) {
            struct pl_tcp_status st;
            assert_int_equal(pl_status(r.stack, w.conn[k], &st, sizeof st), 0);
            for (int j = 0; j < CROWD; j++)
                if (t[j].kernel_port == st.remote.port) t[j].conn = w.conn[k];
            assert_int_equal(st.timestamps, ts);
            by_cookie += !ts && !st.window_scaling && !st.sack;
            if (ts) assert_true(st.window_scaling && st.sack);
        }
        assert_int_equal(by_cookie, ts ? 0 : CROWD - 1);   /* without timestamps a cookie holds the MSS alone */
        for (int k = 0; k < CROWD; k++) {
            assert_int_equal(talk_status(&t[k]).peer_mss, version == 4 ? 1460 : 1440);
            works(&t[k]);
            close(t[k].fd);
            pl_close(r.stack, t[k].conn);
        }
        pl_close(r.stack, w.listener);
        rig_comes_to_rest(&r);
    }
    rig_close(&r);
}

/* ---- urgent data, RFC 9293 3.8.5, RFC 6093: the pointer names the byte behind it, for both */

static bool we_hear_of_it(void *user)
{
    const struct talk *t = user;
    return pl_urgent(t->rig->stack, t->conn) > 0 && talk_status(t).rcvbuf_used >= 6;
}
static bool kernel_hears_of_it(void *user)
{
    const struct talk *t = user;
    char c;
    return recv(t->fd, &c, 1, MSG_OOB | MSG_PEEK) == 1 || recv(t->fd, talk_buffer, 6, MSG_PEEK) == 5;      /* inline: up to the mark */
}

static void urgent_data_goes_both_ways(void **state)
{
    struct rig r;
    if (!rig_open(&r, *state, NULL)) SKIP_BECAUSE(rig_why);
    TALK_EACH_ROLE_AND_VERSION {
        struct talk t = talk_open(&r, version, client);
        assert_int_equal(send(t.fd, "stop", 4, MSG_NOSIGNAL), 4);
        assert_int_equal(send(t.fd, "it!", 3, MSG_NOSIGNAL | MSG_OOB), 3);
        assert_int_equal(send(t.fd, "later", 5, MSG_NOSIGNAL), 5);
        assert_true(rig_run(&r, we_hear_of_it, &t, RIG_PATIENCE));
        assert_int_equal(pl_urgent(r.stack, t.conn), 7);   /* up to and with the '!' */
        assert_int_equal(pl_recv(r.stack, t.conn, talk_buffer, 7), 7);
        assert_memory_equal(talk_buffer, "stopit!", 7);    /* it stays in the stream */
        assert_int_equal(pl_urgent(r.stack, t.conn), 0);
        rig_run(&r, NULL, NULL, 50 * PL_MS);
        assert_int_equal(pl_recv(r.stack, t.conn, talk_buffer, 100), 5);

        int mark = -1;
        char c = 0;
        assert_int_equal(pl_send_urgent(r.stack, t.conn, "stop!", 5), 5);
        assert_true(rig_run(&r, kernel_hears_of_it, &t, RIG_PATIENCE));
        assert_int_equal(recv(t.fd, &c, 1, MSG_OOB), 1);
        assert_int_equal(c, '!');
        assert_int_equal(recv(t.fd, talk_buffer, 100, 0), 4);                   /* ends at the mark */
        assert_memory_equal(talk_buffer, "stop", 4);
        assert_int_equal(ioctl(t.fd, SIOCATMARK, &mark), 0);
        assert_int_equal(mark, 1);
        assert_int_equal(recv(t.fd, talk_buffer, 100, 0), -1);                  /* goes over the mark */

        assert_int_equal(setsockopt(t.fd, SOL_SOCKET, SO_OOBINLINE, &(int){1}, sizeof(int)), 0);
        assert_int_equal(pl_send_urgent(r.stack, t.conn, "more!!", 6), 6);
        assert_true(rig_run(&r, kernel_hears_of_it, &t, RIG_PATIENCE));
        assert_int_equal(recv(t.fd, talk_buffer, 100, 0), 5);
        assert_int_equal(ioctl(t.fd, SIOCATMARK, &mark), 0);
        assert_int_equal(mark, 1);
        assert_int_equal(recv(t.fd, talk_buffer + 5, 100, 0), 1);
        assert_memory_equal(talk_buffer, "more!!", 6);
        works(&t);
        talk_close(&t);
    }
    rig_close(&r);
}

#define CASE(kind, f) {.name = kind ": " #f, .test_func = f, .initial_state = (void *)(uintptr_t)rig_kind(kind)}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE("tun+gso", what_the_kernel_does_not_offer_is_not_used),
        CASE("tap", what_the_kernel_does_not_offer_is_not_used),
        CASE("tun+gso", what_we_do_not_offer_is_not_used),
        CASE("tun+gso", ecn_asked_for_is_not_agreed_to),
        CASE("tun+gso", fast_open_is_a_plain_open_here),
        CASE("tun+gso", the_kernels_syn_cookies_are_answered),
        CASE("tun+gso", our_syn_cookies_are_answered_by_the_kernel),
        CASE("tun+gso", urgent_data_goes_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
