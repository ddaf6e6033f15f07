/* SPDX-License-Identifier: MIT
 *
 * test_waiting.c: calls that wait, in virtual time: what they wait for and until when, how they go on, end late, are interrupted; and what takes longer
 * than a comparison with the kernel can (test_matrix.c): time-outs of connections, keepalive, linger.
 */
#include "support/unit.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>

#include "os/posix/sock/sock.h"
#include "support/duo.h"

static struct duo d;
static struct sock_world *w[2];

static int setup(void **state)
{
    (void)state;
    struct pl_config c = duo_config();
    c.connections_max = c.half_open_max = 16;
    c.listeners_max = c.udp_max = 4;
    c.chunks_max = 512;
    c.records_max = 1024;
    c.flights_max = c.gaps_max = 16;
    duo_init(&d, &c, false);
    for (int i = 0; i < 2; i++) {
        struct sock_params p = {.stack = d.s[i], .config = &c, .now = d.now, .first_fd = i * 100, .files_max = 8, .seed = 5};
        w[i] = sock_world_new(&p);
        assert_non_null(w[i]);
    }
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    sock_world_free(w[0]);
    sock_world_free(w[1]);
    duo_free(&d);
    return 0;
}

static void settle(void)
{
    for (int round = 0; round < 2; round++) {
        duo_exchange(&d);
        sock_turn(w[0], d.now);
        sock_turn(w[1], d.now);
    }
}

/* Time passes; what is due in it happens. */
static void pass(pl_time by)
{
    pl_time until = d.now + by;
    while (d.now < until) {
        pl_time a = pl_deadline(d.s[0]), b = pl_deadline(d.s[1]), next = a < b ? a : b;
        d.now = next <= d.now ? d.now + 1 : next < until ? next : until;
        settle();
    }
}

static struct sockaddr_in name(int host, uint16_t port)
{
    return (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(0xc0000201u + (unsigned)host)}};
}
#define SA(a) (const struct sockaddr *)&(a), sizeof(a)

static int listener(int backlog)
{
    struct sockaddr_in a = name(1, 80);
    int l = sock_socket(w[1], AF_INET, SOCK_STREAM, 0);
    assert_int_equal(sock_bind(w[1], l, SA(a)), 0);
    assert_int_equal(sock_listen(w[1], l, backlog), 0);
    return l;
}

struct both {
    int l, c, s;
};

static struct both connected(void)
{
    struct both b = {listener(3), sock_socket(w[0], AF_INET, SOCK_STREAM, 0), -1};
    struct sockaddr_in a = name(1, 80);
    struct sock_op op = {0};
    assert_int_equal(sock_connect(w[0], b.c, SA(a), &op), SOCK_BLOCKED);
    settle();
    assert_int_equal(sock_connect(w[0], b.c, SA(a), &op), 0);
    b.s = sock_accept(w[1], b.l, NULL, NULL, 0, NULL);
    assert_int_equal(b.s, 101);
    return b;
}

static void set_time(struct sock_world *of, int fd, int option, pl_time t)
{
    struct timeval tv = {(time_t)(t / PL_S), (suseconds_t)(t % PL_S / 1000)};
    assert_int_equal(sock_setsockopt(of, fd, SOL_SOCKET, option, &tv, sizeof tv), 0);
}

static void set_int(struct sock_world *of, int fd, int level, int option, int v)
{
    assert_int_equal(sock_setsockopt(of, fd, level, option, &v, sizeof v), 0);
}

static int pending_error(struct sock_world *of, int fd)
{
    int v = -1;
    socklen_t n = sizeof v;
    assert_int_equal(sock_getsockopt(of, fd, SOL_SOCKET, SO_ERROR, &v, &n), 0);
    return v;
}

/* ------------------------------------------------------------ waiting ------------------------------------------------------------ */

static void a_read_waits_for_bytes_and_goes_on(void **state)
{
    (void)state;
    struct both b = connected();
    struct sock_op op = {0};
    char c[8];
    assert_int_equal(sock_recv(w[0], b.c, c, 8, 0, &op), SOCK_BLOCKED);
    assert_int_equal(op.fd, b.c);
    assert_int_equal(op.events, POLLIN);
    assert_true(op.until == PL_NEVER);
    assert_false(sock_op_ready(w[0], &op));
    assert_int_equal(sock_recv(w[0], b.c, c, 8, 0, &op), SOCK_BLOCKED);
    assert_int_equal(sock_send(w[1], b.s, "abc", 3, 0, NULL), 3);
    settle();
    assert_true(sock_op_ready(w[0], &op));
    assert_int_equal(sock_recv(w[0], b.c, c, 8, 0, &op), 3);
}

static void a_time_limit_counts_from_the_first_call(void **state)
{
    (void)state;
    struct both b = connected();
    struct sock_op op = {0};
    char c;
    set_time(w[0], b.c, SO_RCVTIMEO, 3 * PL_S);
    pl_time start = d.now;
    assert_int_equal(sock_recv(w[0], b.c, &c, 1, 0, &op), SOCK_BLOCKED);
    assert_true(op.until == start + 3 * PL_S);
    pass(2 * PL_S);
    assert_int_equal(sock_recv(w[0], b.c, &c, 1, 0, &op), SOCK_BLOCKED);
    assert_true(op.until == start + 3 * PL_S);
    assert_false(sock_op_ready(w[0], &op));
    pass(PL_S);
    assert_true(sock_op_ready(w[0], &op));
    assert_int_equal(sock_recv(w[0], b.c, &c, 1, 0, &op), -EAGAIN);
}

static void waitall_gathers_over_many_calls(void **state)
{
    (void)state;
    struct both b = connected();
    struct sock_op op = {0};
    char c[7] = "";
    for (int i = 0; i < 3; i++) {
        assert_int_equal(sock_recv(w[0], b.c, c, 6, MSG_WAITALL, &op), SOCK_BLOCKED);
        assert_int_equal(op.done, 2 * i);
        assert_int_equal(sock_send(w[1], b.s, &"abcdef"[2 * i], 2, 0, NULL), 2);
        settle();
    }
    assert_int_equal(sock_recv(w[0], b.c, c, 6, MSG_WAITALL, &op), 6);
    assert_string_equal(c, "abcdef");
}

static void a_large_send_waits_for_room_and_sends_each_byte_once(void **state)
{
    (void)state;
    enum { ALL = 300000 };
    struct both b = connected();
    struct sock_op op = {0};
    static uint8_t out[ALL], in[ALL];
    size_t got = 0;
    unsigned waits = 0;
    ssize_t n;
    for (size_t i = 0; i < ALL; i++)
        out[i] = (uint8_t)(i ^ i >> 8);
    while ((n = sock_send(w[0], b.c, out, ALL, 0, &op)) == SOCK_BLOCKED) {
        assert_int_equal(op.events, POLLOUT);
        settle();
        for (ssize_t m; (m = sock_recv(w[1], b.s, in + got, ALL - got, 0, NULL)) > 0;)
            got += (size_t)m;
        pass(PL_MS);
        assert_true(++waits < 10000);
    }
    assert_int_equal(n, ALL);
    settle();
    pass(PL_S);
    for (ssize_t m; (m = sock_recv(w[1], b.s, in + got, ALL - got, 0, NULL)) > 0;)
        got += (size_t)m;
    assert_int_equal(got, ALL);
    assert_memory_equal(in, out, ALL);
    assert_true(waits > 1);
}

static void an_urgent_byte_is_the_last_one_even_if_it_had_to_wait(void **state)
{
    (void)state;
    enum { ALL = 40000 };
    struct both b = connected();
    struct sock_op op = {0};
    static uint8_t out[ALL], in[ALL];
    size_t got = 0;
    uint8_t byte = 0;
    ssize_t n;
    out[ALL - 1] = 'X';
    while ((n = sock_send(w[0], b.c, out, ALL, MSG_OOB, &op)) == SOCK_BLOCKED) {
        settle();
        assert_int_equal(sock_recv(w[1], b.s, &byte, 1, MSG_OOB, NULL), -EINVAL);
        for (ssize_t m; (m = sock_recv(w[1], b.s, in + got, ALL - got, 0, NULL)) > 0;)
            got += (size_t)m;
        pass(PL_MS);
    }
    assert_int_equal(n, ALL);
    for (int i = 0; i < 100; i++) {
        pass(50 * PL_MS);
        for (ssize_t m; got < ALL - 1 && (m = sock_recv(w[1], b.s, in + got, ALL - got, 0, NULL)) > 0;)
            got += (size_t)m;
    }
    assert_int_equal(got, ALL - 1);
    assert_int_equal(sock_recv(w[1], b.s, &byte, 1, MSG_OOB, NULL), 1);
    assert_int_equal(byte, 'X');
}

static void a_low_water_mark_beyond_the_buffer_is_reached_by_half_of_it(void **state)
{
    (void)state;
    struct both b = connected();
    static uint8_t block[8192];
    set_int(w[1], b.s, SOL_SOCKET, SO_RCVBUF, 8192);
    set_int(w[1], b.s, SOL_SOCKET, SO_RCVLOWAT, 1 << 20);
    assert_true(sock_send(w[0], b.c, block, 1000, 0, NULL) > 0);
    settle();
    assert_int_equal(sock_events(w[1], b.s) & POLLIN, 0);
    assert_true(sock_send(w[0], b.c, block, sizeof block, 0, NULL) > 0);
    pass(PL_S);
    assert_int_equal(sock_events(w[1], b.s) & POLLIN, POLLIN);
}

static void an_unreachable_neighbour_is_ehostunreach(void **state)
{
    teardown(state);
    struct pl_config c = duo_config();
    duo_init(&d, &c, true);               /* Ethernet: somebody has to answer for the address */
    for (int i = 0; i < 2; i++)
        w[i] = sock_world_new(&(struct sock_params){.stack = d.s[i], .config = &c, .now = d.now, .first_fd = i * 100});
    int s = sock_socket(w[0], AF_INET, SOCK_STREAM, 0), u = sock_socket(w[0], AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in nobody = name(76, 80);
    struct sock_op op = {0};
    assert_int_equal(sock_connect(w[0], u, SA(nobody), NULL), 0);
    assert_int_equal(sock_send(w[0], u, "x", 1, 0, NULL), 1);
    assert_int_equal(sock_connect(w[0], s, SA(nobody), &op), SOCK_BLOCKED);
    pass(5 * PL_S);
    assert_int_equal(sock_connect(w[0], s, SA(nobody), &op), -EHOSTUNREACH);
    assert_int_equal(sock_events(w[0], u) & POLLERR, POLLERR);
    assert_int_equal(sock_send(w[0], u, "x", 1, 0, NULL), -EHOSTUNREACH);
}

static void writable_means_a_third_of_the_buffer(void **state)
{
    (void)state;
    struct both b = connected();
    static uint8_t block[30000];
    int queued = 0;
    set_int(w[0], b.c, SOL_SOCKET, SO_SNDBUF, sizeof block);
    set_int(w[1], b.s, SOL_SOCKET, SO_RCVBUF, 8000);
    assert_int_equal(sock_send(w[0], b.c, block, sizeof block, 0, NULL), sizeof block);
    assert_int_equal(sock_events(w[0], b.c) & POLLOUT, 0);
    pass(PL_S);
    assert_int_equal(sock_ioctl(w[0], b.c, SIOCOUTQ, &queued), 0);
    assert_in_range(queued, 20001, sizeof block - 1);              /* something was acknowledged, less than a third */
    assert_int_equal(sock_events(w[0], b.c) & POLLOUT, 0);
    assert_int_equal(sock_send(w[0], b.c, block, 1, 0, NULL), 1);  /* room there is */
    assert_true(sock_recv(w[1], b.s, block, sizeof block, 0, NULL) > 0);
    pass(PL_S);
    assert_int_equal(sock_events(w[0], b.c) & POLLOUT, POLLOUT);
}

static void a_signal_ends_a_call_with_what_was_moved_or_eintr(void **state)
{
    (void)state;
    struct both b = connected();
    struct sock_op op = {0}, other = {0};
    char c[8];
    assert_int_equal(sock_recv(w[0], b.c, c, 8, MSG_WAITALL, &op), SOCK_BLOCKED);
    assert_int_equal(sock_op_interrupt(&op), -EINTR);
    assert_int_equal(sock_send(w[1], b.s, "abc", 3, 0, NULL), 3);
    settle();
    assert_int_equal(sock_recv(w[0], b.c, c, 8, MSG_WAITALL, &other), SOCK_BLOCKED);
    assert_int_equal(sock_op_interrupt(&other), 3);
}

static void without_an_op_no_call_waits(void **state)
{
    (void)state;
    int l = listener(1), c = sock_socket(w[0], AF_INET, SOCK_STREAM, 0), u = sock_socket(w[0], AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in a = name(1, 80);
    struct pollfd p = {.fd = c, .events = POLLIN};
    char b;
    assert_int_equal(sock_accept(w[1], l, NULL, NULL, 0, NULL), -EAGAIN);
    assert_int_equal(sock_connect(w[0], c, SA(a), NULL), -EINPROGRESS);
    assert_int_equal(sock_recv(w[0], c, &b, 1, 0, NULL), -EAGAIN);
    assert_int_equal(sock_send(w[0], c, "x", 1, 0, NULL), -EAGAIN);
    assert_int_equal(sock_recv(w[0], u, &b, 1, 0, NULL), -EAGAIN);
    assert_int_equal(sock_poll(w[0], &p, 1, PL_NEVER, NULL), 0);
}

static void accept_waits(void **state)
{
    (void)state;
    int l = listener(1), c = sock_socket(w[0], AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in a = name(1, 80);
    struct sock_op op = {0};
    assert_int_equal(sock_accept(w[1], l, NULL, NULL, 0, &op), SOCK_BLOCKED);
    assert_int_equal(op.fd, l);
    assert_int_equal(sock_connect(w[0], c, SA(a), NULL), -EINPROGRESS);
    settle();
    assert_true(sock_op_ready(w[1], &op));
    assert_int_equal(sock_accept(w[1], l, NULL, NULL, 0, &op), 101);
}

static void closed_while_it_waits(void **state)
{
    (void)state;
    struct both b = connected();
    struct sock_op op = {0};
    char c;
    assert_int_equal(sock_recv(w[0], b.c, &c, 1, 0, &op), SOCK_BLOCKED);
    assert_int_equal(sock_close(w[0], b.c, NULL), 0);
    assert_true(sock_op_ready(w[0], &op));
    assert_int_equal(sock_recv(w[0], b.c, &c, 1, 0, &op), -EBADF);
}

static void a_number_given_to_another_is_not_waited_on(void **state)
{
    (void)state;
    struct both b = connected();
    struct sock_op op = {0}, wait = {0};
    char c;
    int e = sock_epoll_create(w[0], 0);
    struct epoll_event ev;
    assert_int_equal(sock_recv(w[0], b.c, &c, 1, 0, &op), SOCK_BLOCKED);
    assert_int_equal(sock_epoll_wait(w[0], e, &ev, 1, PL_NEVER, &wait), SOCK_BLOCKED);
    assert_int_equal(sock_close(w[0], b.c, NULL), 0);
    assert_int_equal(sock_close(w[0], e, NULL), 0);
    assert_int_equal(sock_socket(w[0], AF_INET, SOCK_DGRAM, 0), b.c);
    assert_int_equal(sock_epoll_create(w[0], 0), e);
    assert_true(sock_op_ready(w[0], &op));
    assert_int_equal(sock_recv(w[0], b.c, &c, 1, 0, &op), -EBADF);
    assert_int_equal(sock_epoll_wait(w[0], e, &ev, 1, PL_NEVER, &wait), -EBADF);
    assert_int_equal(sock_recv(w[0], b.c, &c, 1, 0, NULL), -EAGAIN);
}

static void shut_down_while_it_waits(void **state)
{
    (void)state;
    struct both b = connected();
    struct sock_op op = {0};
    char c;
    assert_int_equal(sock_recv(w[0], b.c, &c, 1, 0, &op), SOCK_BLOCKED);
    assert_int_equal(sock_shutdown(w[0], b.c, SHUT_RD), 0);
    assert_true(sock_op_ready(w[0], &op));
    assert_int_equal(sock_recv(w[0], b.c, &c, 1, 0, &op), 0);
}

static void poll_and_epoll_wait_for_any_change_and_no_longer_than_told(void **state)
{
    (void)state;
    struct both b = connected();
    int e = sock_epoll_create(w[0], 0);
    struct epoll_event ev = {.events = EPOLLIN};
    struct pollfd p = {.fd = b.c, .events = POLLIN};
    struct sock_op op = {0}, eop = {0};
    assert_int_equal(sock_epoll_ctl(w[0], e, EPOLL_CTL_ADD, b.c, &ev), 0);
    assert_int_equal(sock_poll(w[0], &p, 1, PL_S, &op), SOCK_BLOCKED);
    assert_int_equal(op.fd, -1);
    assert_true(op.until == d.now + PL_S);
    assert_int_equal(sock_epoll_wait(w[0], e, &ev, 1, PL_NEVER, &eop), SOCK_BLOCKED);
    pass(PL_S);
    assert_int_equal(sock_poll(w[0], &p, 1, PL_S, &op), 0);
    assert_int_equal(sock_epoll_wait(w[0], e, &ev, 1, PL_NEVER, &eop), SOCK_BLOCKED);
    assert_int_equal(sock_send(w[1], b.s, "x", 1, 0, NULL), 1);
    settle();
    assert_int_equal(sock_epoll_wait(w[0], e, &ev, 1, PL_NEVER, &eop), 1);
}

/* ------------------------------------------------------------ what takes time ------------------------------------------------------------ */

static void connect_gives_up_after_the_stacks_patience(void **state)
{
    (void)state;
    int c = sock_socket(w[0], AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in a = name(1, 80);
    struct sock_op op = {0};
    d.cut[0] = true;
    pl_time start = d.now;
    int r;
    while ((r = sock_connect(w[0], c, SA(a), &op)) == SOCK_BLOCKED)
        pass(PL_S);
    assert_int_equal(r, -ETIMEDOUT);
    assert_true(d.now - start >= 180 * PL_S);                      /* RFC 9293 3.8.3, MUST-23 */
    assert_int_equal(pending_error(w[0], c), 0);                   /* it was told */
}

static void a_time_limit_leaves_connect_under_way(void **state)
{
    (void)state;
    listener(1);
    int c = sock_socket(w[0], AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in a = name(1, 80);
    struct sock_op op = {0};
    set_time(w[0], c, SO_SNDTIMEO, 500 * PL_MS);
    d.cut[0] = true;
    assert_int_equal(sock_connect(w[0], c, SA(a), &op), SOCK_BLOCKED);
    pass(500 * PL_MS);
    assert_int_equal(sock_connect(w[0], c, SA(a), &op), -EINPROGRESS);
    d.cut[0] = false;
    pass(PL_S);
    op = (struct sock_op){0};
    assert_int_equal(sock_connect(w[0], c, SA(a), &op), 0);
    assert_int_equal(sock_connect(w[0], c, SA(a), &op), -EISCONN);
}

static void keepalive_ends_a_connection_to_nobody(void **state)
{
    (void)state;
    struct both b = connected();
    struct sock_op op = {0};
    char c;
    set_int(w[0], b.c, IPPROTO_TCP, TCP_KEEPIDLE, 10);
    set_int(w[0], b.c, IPPROTO_TCP, TCP_KEEPINTVL, 2);
    set_int(w[0], b.c, IPPROTO_TCP, TCP_KEEPCNT, 3);
    set_int(w[0], b.c, SOL_SOCKET, SO_KEEPALIVE, 1);
    assert_int_equal(sock_recv(w[0], b.c, &c, 1, 0, &op), SOCK_BLOCKED);
    d.cut[1] = true;
    pass(15 * PL_S);
    assert_int_equal(sock_recv(w[0], b.c, &c, 1, 0, &op), SOCK_BLOCKED);
    pass(2 * PL_S);
    assert_int_equal(sock_recv(w[0], b.c, &c, 1, 0, &op), -ETIMEDOUT);
    assert_int_equal(sock_recv(w[0], b.c, &c, 1, 0, &op), 0);
}

static void the_user_timeout_ends_a_send_to_nobody(void **state)
{
    (void)state;
    struct both b = connected();
    set_int(w[0], b.c, IPPROTO_TCP, TCP_USER_TIMEOUT, 3000);
    d.cut[1] = true;
    assert_int_equal(sock_send(w[0], b.c, "x", 1, 0, NULL), 1);
    pass(2 * PL_S);
    assert_int_equal(sock_events(w[0], b.c) & POLLERR, 0);
    pass(3 * PL_S);
    assert_int_equal(sock_events(w[0], b.c) & (POLLERR | POLLHUP), POLLERR | POLLHUP);
    assert_int_equal(pending_error(w[0], b.c), ETIMEDOUT);
}

static void what_a_listener_is_told_holds_for_its_connections(void **state)
{
    (void)state;
    int l = listener(1), c = sock_socket(w[0], AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in a = name(1, 80);
    set_int(w[1], l, IPPROTO_TCP, TCP_USER_TIMEOUT, 3000);
    assert_int_equal(sock_connect(w[0], c, SA(a), NULL), -EINPROGRESS);
    settle();
    int s = sock_accept(w[1], l, NULL, NULL, 0, NULL);
    assert_int_equal(s, 101);
    d.cut[0] = true;
    assert_int_equal(sock_send(w[1], s, "x", 1, 0, NULL), 1);
    pass(5 * PL_S);
    assert_int_equal(pending_error(w[1], s), ETIMEDOUT);
}

static void close_lingers_until_everything_is_acknowledged(void **state)
{
    (void)state;
    struct both b = connected();
    struct linger l = {1, 10};
    struct sock_op op = {0};
    assert_int_equal(sock_setsockopt(w[0], b.c, SOL_SOCKET, SO_LINGER, &l, sizeof l), 0);
    d.cut[0] = true;
    assert_int_equal(sock_send(w[0], b.c, "last words", 10, 0, NULL), 10);
    assert_int_equal(sock_close(w[0], b.c, &op), SOCK_BLOCKED);
    assert_true(op.until == d.now + 10 * PL_S);
    assert_int_equal(sock_send(w[0], b.c, "x", 1, 0, NULL), -EBADF);
    assert_int_equal(sock_close(w[0], b.c, &(struct sock_op){0}), -EBADF);
    settle();
    assert_false(sock_op_ready(w[0], &op));
    assert_int_equal(sock_close(w[0], b.c, &op), SOCK_BLOCKED);
    d.cut[0] = false;
    pass(3 * PL_S);
    assert_true(sock_op_ready(w[0], &op));
    assert_int_equal(sock_close(w[0], b.c, &op), 0);
    assert_int_equal(sock_socket(w[0], AF_INET, SOCK_STREAM, 0), b.c);
}

static void close_lingers_no_longer_than_told(void **state)
{
    (void)state;
    struct both b = connected();
    struct linger l = {1, 2};
    struct sock_op op = {0};
    assert_int_equal(sock_setsockopt(w[0], b.c, SOL_SOCKET, SO_LINGER, &l, sizeof l), 0);
    d.cut[0] = true;
    assert_int_equal(sock_send(w[0], b.c, "last words", 10, 0, NULL), 10);
    assert_int_equal(sock_close(w[0], b.c, &op), SOCK_BLOCKED);
    pass(2 * PL_S);
    assert_true(sock_op_ready(w[0], &op));
    assert_int_equal(sock_close(w[0], b.c, &op), 0);
    assert_int_equal(sock_close(w[0], b.c, NULL), -EBADF);
}

static void a_close_without_lingering_delivers_in_the_background(void **state)
{
    (void)state;
    struct both b = connected();
    char c[16];
    d.cut[0] = true;
    assert_int_equal(sock_send(w[0], b.c, "last words", 10, 0, NULL), 10);
    assert_int_equal(sock_close(w[0], b.c, &(struct sock_op){0}), 0);
    settle();
    d.cut[0] = false;
    pass(3 * PL_S);
    assert_int_equal(sock_recv(w[1], b.s, c, 16, 0, NULL), 10);
    assert_int_equal(sock_recv(w[1], b.s, c, 16, 0, NULL), 0);
}

static void descriptors_end_and_nothing_is_lost_for_want_of_one(void **state)
{
    (void)state;
    int l = listener(3), fd, last = -1;
    struct sockaddr_in a = name(1, 80);
    int c = sock_socket(w[0], AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    assert_int_equal(sock_connect(w[0], c, SA(a), NULL), -EINPROGRESS);
    settle();
    while ((fd = sock_socket(w[1], AF_INET, SOCK_DGRAM, 0)) >= 0)
        last = fd;
    assert_int_equal(fd, -EMFILE);
    assert_int_equal(last, 107);
    assert_int_equal(sock_accept(w[1], l, NULL, NULL, 0, NULL), -EMFILE);
    assert_int_equal(sock_close(w[1], last, NULL), 0);
    assert_int_equal(sock_accept(w[1], l, NULL, NULL, 0, NULL), last);
}

static void a_full_stack_is_enobufs(void **state)
{
    (void)state;
    struct sockaddr_in a = name(1, 80);
    pl_udp taken;
    while (pl_udp_open(d.s[0], NULL, 0, &taken) == PL_OK) {
    }
    int u = sock_socket(w[0], AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(sock_sendto(w[0], u, "x", 1, 0, SA(a), NULL), -ENOBUFS);
    assert_int_equal(sock_bind(w[0], u, SA(((struct sockaddr_in){.sin_family = AF_INET}))), -ENOBUFS);
    struct sockaddr_in me;
    socklen_t n = sizeof me;
    assert_int_equal(sock_getsockname(w[0], u, (struct sockaddr *)&me, &n), 0);
    assert_int_equal(me.sin_port, 0);
}

static void a_lost_interface_is_enetdown(void **state)
{
    (void)state;
    struct both b = connected();
    struct sock_op op = {0};
    char c;
    assert_int_equal(sock_recv(w[0], b.c, &c, 1, 0, &op), SOCK_BLOCKED);
    assert_int_equal(pl_iface_remove(d.s[0], 0), PL_OK);
    sock_turn(w[0], d.now);
    assert_true(sock_op_ready(w[0], &op));
    assert_int_equal(sock_recv(w[0], b.c, &c, 1, 0, &op), -ENETDOWN);
    assert_int_equal(sock_recv(w[0], b.c, &c, 1, 0, &op), 0);
}

static void the_end_of_a_world_ends_its_connections(void **state)
{
    (void)state;
    struct both b = connected();
    char c;
    sock_world_free(w[0]);
    w[0] = NULL;
    duo_exchange(&d);
    sock_turn(w[1], d.now);
    assert_int_equal(sock_recv(w[1], b.s, &c, 1, 0, NULL), 0);
}

static void a_range_of_descriptors_or_ports_that_is_none_is_refused(void **state)
{
    (void)state;
    struct pl_config c = duo_config();
    struct sock_params p = {.stack = d.s[0], .config = &c, .first_fd = -1};
    assert_null(sock_world_new(&p));
    assert_int_equal(errno, EINVAL);
    p = (struct sock_params){.stack = d.s[0], .config = &c, .port_min = 9, .port_max = 8};
    assert_null(sock_world_new(&p));
}

static void bind_0_finds_the_last_free_port_and_then_says_so(void **state)
{
    (void)state;
    struct pl_config c = duo_config();
    struct sock_params p = {.stack = d.s[0], .config = &c, .now = d.now, .port_min = 4000, .port_max = 4002};
    struct sock_world *small = sock_world_new(&p);
    struct sockaddr_in any = {.sin_family = AF_INET}, me;
    socklen_t n = sizeof me;
    unsigned seen = 0;
    for (int i = 0; i < 3; i++) {
        int s = sock_socket(small, AF_INET, SOCK_STREAM, 0);
        assert_int_equal(sock_bind(small, s, SA(any)), 0);
        assert_int_equal(sock_getsockname(small, s, (struct sockaddr *)&me, &n), 0);
        seen |= 1u << (ntohs(me.sin_port) - 4000);
    }
    assert_int_equal(seen, 7);
    int s = sock_socket(small, AF_INET, SOCK_STREAM, 0);
    assert_int_equal(sock_bind(small, s, SA(any)), -EADDRINUSE);
    assert_int_equal(sock_listen(small, s, 1), -EAGAIN);
    sock_world_free(small);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_read_waits_for_bytes_and_goes_on),
        CASE(a_time_limit_counts_from_the_first_call),
        CASE(waitall_gathers_over_many_calls),
        CASE(a_large_send_waits_for_room_and_sends_each_byte_once),
        CASE(an_urgent_byte_is_the_last_one_even_if_it_had_to_wait),
        CASE(a_low_water_mark_beyond_the_buffer_is_reached_by_half_of_it),
        CASE(an_unreachable_neighbour_is_ehostunreach),
        CASE(writable_means_a_third_of_the_buffer),
        CASE(a_signal_ends_a_call_with_what_was_moved_or_eintr),
        CASE(without_an_op_no_call_waits),
        CASE(accept_waits),
        CASE(closed_while_it_waits),
        CASE(a_number_given_to_another_is_not_waited_on),
        CASE(shut_down_while_it_waits),
        CASE(poll_and_epoll_wait_for_any_change_and_no_longer_than_told),
        CASE(connect_gives_up_after_the_stacks_patience),
        CASE(a_time_limit_leaves_connect_under_way),
        CASE(keepalive_ends_a_connection_to_nobody),
        CASE(the_user_timeout_ends_a_send_to_nobody),
        CASE(what_a_listener_is_told_holds_for_its_connections),
        CASE(close_lingers_until_everything_is_acknowledged),
        CASE(close_lingers_no_longer_than_told),
        CASE(a_close_without_lingering_delivers_in_the_background),
        CASE(descriptors_end_and_nothing_is_lost_for_want_of_one),
        CASE(a_full_stack_is_enobufs),
        CASE(a_lost_interface_is_enetdown),
        CASE(the_end_of_a_world_ends_its_connections),
        CASE(a_range_of_descriptors_or_ports_that_is_none_is_refused),
        CASE(bind_0_finds_the_last_free_port_and_then_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
