/* SPDX-License-Identifier: MIT
 *
 * test_kernel_ss.c: the kernel's `ss` says of its end what pl_status says of ours: each state of RFC 9293 figure 5 that either end can stand still in,
 * and the numbers of a connection in use (missions M1, M2, M4, M7, M8, M9, M20).
 */
#include "support/skip.h"
#include "support/ss.h"
#include "support/talk.h"
#include "support/unit.h"

#include <netinet/in.h>
#include <time.h>
#include <unistd.h>

#define OPEN_OR_SKIP(r, kind, config)                                                                                                                 \
    if (!ss_installed()) SKIP_BECAUSE("no ss (iproute2)");                                                                                            \
    if (!rig_open(r, kind, config)) SKIP_BECAUSE(rig_why)

static uint16_t our_port(const struct talk *t) { return t->client ? talk_status(t).local.port : TALK_PORT; }

static struct ss said(const struct talk *t, uint16_t ours)
{
    struct ss s;
    if (!ss_find(t->rig, t->kernel_port, ours, &s)) fail_msg("ss knows no connection of ports %u and %u", t->kernel_port, ours);
    return s;
}

static void ss_says(const struct talk *t, uint16_t ours, const char *state)
{
    struct ss s = said(t, ours);
    assert_string_equal(s.state, state);
}

static void ss_knows_none(const struct talk *t, uint16_t ours)
{
    struct ss s;
    if (ss_find(t->rig, t->kernel_port, ours, &s)) fail_msg("still there: %s", s.line);
}

/* ---- states */

static void the_handshake_state_by_state(void **state)
{
    struct rig r;
    OPEN_OR_SKIP(&r, *state, NULL);
    TALK_EACH_ROLE_AND_VERSION {
        struct talk t = {.rig = &r, .version = version, .client = client, .kernel_listener = -1, .fd = -1};
        r.patience = PL_MS;
        talk_begin(&t, 0, 0);
        if (client) {
            uint16_t ours = our_port(&t);
            ss_knows_none(&t, ours);
            assert_int_equal(talk_status(&t).state, PL_SYN_SENT);
            rig_transmit(&r);
            ss_says(&t, ours, "SYN-RECV");
            talk_becomes_open(&t);
            ss_says(&t, ours, "ESTAB");
            ss_says(&t, 0, "LISTEN");
        } else {
            struct ss s = said(&t, TALK_PORT);
            assert_string_equal(s.state, "SYN-SENT");
            assert_string_equal(s.timer, "on");
            talk_becomes_open(&t);
            ss_says(&t, TALK_PORT, "ESTAB");
        }
        assert_int_equal(talk_status(&t).state, PL_ESTABLISHED);
        talk_close(&t);
    }
    rig_close(&r);
}

/* We close first: FIN-WAIT-1, FIN-WAIT-2, TIME-WAIT are ours; CLOSE-WAIT and LAST-ACK the kernel's. */
static void our_close_state_by_state(void **state)
{
    struct rig r;
    OPEN_OR_SKIP(&r, *state, NULL);
    TALK_EACH_ROLE_AND_VERSION {
        struct talk t = talk_open(&r, version, client);
        uint16_t ours = our_port(&t);
        assert_int_equal(pl_finish(r.stack, t.conn), 0);
        assert_int_equal(talk_status(&t).state, PL_FIN_WAIT_1);
        ss_says(&t, ours, "ESTAB");
        talk_meets(&t, PL_FIN_WAIT_2, TALK_K_CLOSE_WAIT);
        ss_says(&t, ours, "CLOSE-WAIT");
        close(t.fd);
        t.fd = -1;
        ss_says(&t, ours, "LAST-ACK");
        assert_int_equal(talk_status(&t).state, PL_FIN_WAIT_2);
        talk_meets(&t, PL_TIME_WAIT, -1);
        rig_run(&r, NULL, NULL, 10 * PL_MS);
        ss_knows_none(&t, ours);          /* CLOSED earlier than we are (M8) */
        talk_close(&t);
    }
    rig_close(&r);
}

/* The kernel closes first; its FIN-WAIT-2 becomes an entry with a timer when its program has let go. */
static void the_kernels_close_state_by_state(void **state)
{
    struct rig r;
    OPEN_OR_SKIP(&r, *state, NULL);
    TALK_EACH_ROLE_AND_VERSION {
        struct talk t = talk_open(&r, version, client);
        uint16_t ours = our_port(&t);
        assert_int_equal(shutdown(t.fd, SHUT_WR), 0);
        ss_says(&t, ours, "FIN-WAIT-1");
        assert_int_equal(talk_status(&t).state, PL_ESTABLISHED);
        talk_meets(&t, PL_CLOSE_WAIT, TALK_K_FIN_WAIT2);
        struct ss s = said(&t, ours);
        assert_string_equal(s.state, "FIN-WAIT-2");
        close(t.fd);
        t.fd = -1;
        s = said(&t, ours);
        assert_string_equal(s.state, "FIN-WAIT-2");
        assert_string_equal(s.timer, "timewait");
        assert_int_equal(pl_finish(r.stack, t.conn), 0);
        assert_int_equal(talk_status(&t).state, PL_LAST_ACK);
        talk_meets(&t, PL_CLOSED, -1);
        assert_int_equal(pl_error(r.stack, t.conn), 0);
        s = said(&t, ours);
        assert_string_equal(s.state, "TIME-WAIT");
        assert_string_equal(s.timer, "timewait");
        assert_in_range(s.timer_ms, 50000, 60000);
        talk_close(&t);
    }
    rig_close(&r);
}

/* RFC 9293 3.6 case 3, figure 13: both FINs are on their way before either arrives: CLOSING on both sides, then TIME-WAIT on both. */
static void both_close_at_once(void **state)
{
    struct rig r;
    OPEN_OR_SKIP(&r, *state, NULL);
    TALK_EACH_ROLE_AND_VERSION {
        struct talk t = talk_open(&r, version, client);
        uint16_t ours = our_port(&t);
        assert_int_equal(shutdown(t.fd, SHUT_WR), 0);       /* its FIN waits in the device */
        assert_int_equal(pl_finish(r.stack, t.conn), 0);
        ss_says(&t, ours, "FIN-WAIT-1");
        assert_int_equal(talk_status(&t).state, PL_FIN_WAIT_1);
        uint64_t acks = talk_sent_because(&r, PL_WHY_ACK_FIN), fins = talk_sent_because(&r, PL_WHY_FIN_CLOSE);
        rig_transmit(&r);                                  /* ours crosses it */
        ss_says(&t, ours, "CLOSING");
        assert_int_equal(talk_status(&t).state, PL_FIN_WAIT_1);
        talk_meets(&t, PL_TIME_WAIT, -1);
        rig_run(&r, NULL, NULL, 10 * PL_MS);              /* the entry still owes the ACK */
        assert_int_equal(talk_sent_because(&r, PL_WHY_FIN_CLOSE), fins + 1);
        assert_int_equal(talk_sent_because(&r, PL_WHY_FIN_REPEAT), 0);
        assert_int_equal(talk_sent_because(&r, PL_WHY_ACK_FIN), acks + 1);
        ss_says(&t, ours, "TIME-WAIT");
        assert_int_equal(recv(t.fd, talk_buffer, 1, 0), 0);
        assert_int_equal(pl_recv(r.stack, t.conn, talk_buffer, 1), 0);
        assert_int_equal(pl_error(r.stack, t.conn), 0);
        talk_close(&t);
    }
    rig_close(&r);
}

/* ---- numbers */

static bool all_acknowledged(void *user)
{
    const struct talk *t = user;
    struct pl_tcp_status st = talk_status(t);
    return st.bytes_acked == st.bytes_sent && talk_info(t).tcpi_unacked == 0 && talk_info(t).tcpi_bytes_acked >= 300000;
}

/* Sequence space that each end has used is what the other has seen; times are each end's own, and of the same path. */
static void the_numbers_of_a_connection_in_use(void **state)
{
    struct rig r;
    OPEN_OR_SKIP(&r, *state, NULL);
    TALK_EACH_ROLE_AND_VERSION {
        struct talk t = talk_open(&r, version, client);
        talk_stream(&t, talk_to_kernel, 200000);
        talk_stream(&t, talk_from_kernel, 300000);
        assert_true(rig_run(&r, all_acknowledged, &t, RIG_PATIENCE));
        rig_run(&r, NULL, NULL, 60 * PL_MS);              /* delayed ACKs too */
        struct pl_tcp_status st = talk_status(&t);
        struct ss s = said(&t, our_port(&t));
        assert_string_equal(s.state, "ESTAB");
        assert_true(ss_word(&s, "ts") && ss_word(&s, "sack"));
        assert_int_equal(ss_number(&s, "mss"), st.mss);
        assert_int_equal(ss_number(&s, "advmss"), st.mss); /* its announcement, less the timestamps */
        assert_int_equal(ss_number(&s, "pmtu"), 1500);
        assert_int_equal(ss_milli(&s, "wscale"), 1000 * st.rcv_wscale);
        assert_int_equal(ss_milli_second(&s, "wscale"), 1000 * st.snd_wscale);
        assert_int_equal(ss_number(&s, "bytes_received"), 200000);
        assert_int_equal(st.bytes_sent, 200000);
        assert_int_equal(st.bytes_acked, 200000);
        assert_int_equal(st.bytes_received, 300000);
        assert_int_equal(ss_number(&s, "bytes_sent") - ss_number(&s, "bytes_retrans"), 300000);
        assert_int_equal(ss_number(&s, "bytes_acked") - (client ? 0 : 1), 300000);       /* it counts the SYN that it sent first */
        /* It takes a super-frame from a device for one segment, and a SYN for none of the connection that it makes. */
        if (!r.kind->offload) assert_in_range(ss_number(&s, "segs_in"), st.segs_out - 1, st.segs_out + 1);
        assert_int_equal(ss_number(&s, "unacked"), 0);
        assert_int_equal(st.in_flight_bytes, 0);
        assert_int_equal(ss_number(&s, "snd_wnd") >> st.rcv_wscale, st.rcv.wnd >> st.rcv_wscale);
        /* Its RTO is SRTT + max(200 ms, 4 RTTVAR), ours too: docs/defaults.md. On a link without delay both stand near the least. */
        assert_in_range(ss_milli(&s, "rto") / 1000, 200, 400);
        assert_in_range(st.rto / PL_MS, 200, 400);
        assert_true(st.srtt > 0 && st.srtt < 100 * PL_MS && ss_milli(&s, "rtt") > 0 && ss_milli(&s, "rtt") < 100000);
        assert_true(st.min_rtt <= st.srtt);
        assert_string_equal(s.timer, "");
        talk_close(&t);
    }
    rig_close(&r);
}

/* ---- repetitions */

static void nobody_listens(pl_time how_long)
{
    struct timespec pause = {.tv_nsec = (long)how_long};
    nanosleep(&pause, NULL);              /* our end does not run: the kernel's segments wait in the device */
}

/* What the kernel repeats because we were slow is a duplicate here, counted once as text, and ss shows its timer and its repetitions. */
static void what_the_kernel_repeats_counts_once(void **state)
{
    struct rig r;
    OPEN_OR_SKIP(&r, *state, NULL);
    TALK_EACH_ROLE_AND_VERSION {
        struct talk t = talk_open(&r, version, client);
        uint16_t ours = our_port(&t);
        talk_stream(&t, talk_from_kernel, 1000);
        uint64_t before = talk_drops(&r, PL_DROP_TCP_DUPLICATE), bytes = talk_status(&t).bytes_received;
        assert_int_equal(send(t.fd, "hello", 5, MSG_NOSIGNAL), 5);
        struct ss s = said(&t, ours);
        assert_string_equal(s.timer, "on");
        assert_int_equal(ss_number(&s, "unacked"), 1);
        for (int tries = 0; ss_milli_second(&s, "retrans") < 1000 && tries < 100; tries++) {     /* the second number: so far */
            nobody_listens(50 * PL_MS);
            s = said(&t, ours);
        }
        assert_true(ss_milli_second(&s, "retrans") >= 1000);
        rig_run(&r, NULL, NULL, 60 * PL_MS);
        assert_true(talk_drops(&r, PL_DROP_TCP_DUPLICATE) >= before + 1);
        assert_int_equal(talk_status(&t).bytes_received, bytes + 5);
        assert_int_equal(pl_recv(r.stack, t.conn, talk_buffer, 100), 5);
        assert_int_equal(pl_recv(r.stack, t.conn, talk_buffer, 100), PL_EAGAIN);
        s = said(&t, ours);
        assert_int_equal(ss_number(&s, "unacked"), 0);
        assert_string_equal(s.timer, "");
        talk_stream(&t, talk_from_kernel, 100000);
        talk_stream(&t, talk_to_kernel, 100000);
        talk_close(&t);
    }
    rig_close(&r);
}

static bool we_repeated(void *user)
{
    const struct talk *t = user;
    return talk_status(t).backoffs >= 2;
}

/* And the other way: the kernel's end is unplugged; when it is back it has the text once, and our counters tell of each repetition. */
static void what_we_repeat_counts_once(void **state)
{
    struct rig r;
    struct pl_config c;
    rig_config(&c);
    c.user_timeout = 0;
    OPEN_OR_SKIP(&r, *state, &c);
    assert_int_equal(testnet_sysctl(&r.net, RIG_KERNEL, "ipv6/conf/all/keep_addr_on_down", "1"), 0);
    TALK_EACH_ROLE_AND_VERSION {
        struct talk t = talk_open(&r, version, client);
        talk_stream(&t, talk_to_kernel, 1000);
        assert_int_equal(testnet_link_up(&r.net, RIG_KERNEL, RIG_KERNEL_IFACE, false), 0);
        assert_int_equal(pl_send(r.stack, t.conn, "hello", 5), 5);
        assert_true(rig_run(&r, we_repeated, &t, RIG_PATIENCE));
        assert_true(talk_status(&t).retransmits >= 3);   /* a loss probe came first */
        assert_int_equal(talk_status(&t).cwnd_bytes, talk_status(&t).mss);             /* MUST-19 */
        assert_int_equal(testnet_link_up(&r.net, RIG_KERNEL, RIG_KERNEL_IFACE, true), 0);
        t.sent = t.got = t.total = 0;
        pl_time limit = RIG_PATIENCE;
        ptrdiff_t n;
        while ((n = recv(t.fd, talk_buffer, 100, 0)) < 0 && limit > 10 * PL_MS)
            rig_run(&r, NULL, NULL, 10 * PL_MS), limit -= 10 * PL_MS;
        assert_int_equal(n, 5);
        assert_int_equal(recv(t.fd, talk_buffer, 100, 0), -1);
        talk_stream(&t, talk_to_kernel, 100000);
        struct ss s = said(&t, our_port(&t));
        assert_int_equal(ss_number(&s, "bytes_received"), 101005);
        struct pl_tcp_status st = talk_status(&t);
        assert_int_equal(st.bytes_sent, 101005);
        assert_true(st.bytes_retransmitted >= 15 && st.retransmits >= 3);
        assert_int_equal(st.backoffs, 0);
        talk_close(&t);
    }
    rig_close(&r);
}

#define CASE(kind, f) {.name = kind ": " #f, .test_func = f, .initial_state = (void *)(uintptr_t)rig_kind(kind)}
#define WITH_AND_WITHOUT_LINK(f) CASE("tun+gso", f), CASE("tap", f)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE("tun+gso", the_handshake_state_by_state),
        WITH_AND_WITHOUT_LINK(our_close_state_by_state),
        WITH_AND_WITHOUT_LINK(the_kernels_close_state_by_state),
        CASE("tun+gso", both_close_at_once),
        WITH_AND_WITHOUT_LINK(the_numbers_of_a_connection_in_use),
        CASE("tun+gso", what_the_kernel_repeats_counts_once),
        CASE("tun+gso", what_we_repeat_counts_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
