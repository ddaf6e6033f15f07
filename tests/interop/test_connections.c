/* SPDX-License-Identifier: MIT
 *
 * test_connections.c: a thousand connections with the kernel's TCP in each role, opened a hundred at a time, and ended in every way there is; none
 * is left in any state on either side, but the kernel's TIME-WAIT (mission M20).
 */
#include "support/skip.h"
#include "support/transfer.h"
#include "support/unit.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "os/host/clock.h"

enum { TOTAL = 1000, WAVE = 100, PORT = 7009, SMALL = 100, LARGE = 3000 };

enum way {                                /* in this order, again and again */
    WE_CLOSE,                             /* we send and close, the kernel reads to the end and closes */
    KERNEL_CLOSES,
    BOTH_CLOSE,                           /* without a byte, and without waiting for each other */
    WE_ABORT,
    KERNEL_ABORTS,
    WE_HALF_CLOSE,                        /* we send and finish; the kernel then sends, and closes */
    KERNEL_HALF_CLOSES,
    WE_LEAVE_UNREAD,                      /* we close without having read: RFC 9293 3.6.1, SHLD-3 */
    WAYS
};

struct one {
    enum way way;
    pl_conn conn;
    int fd;                               /* the kernel's; -1: closed */
    bool we_began, we_ended, kernel_began, kernel_ended;
    uint64_t we_got, kernel_got;
};

struct scene {
    struct rig *rig;
    int version, epoll, kernel_listener;
    pl_listener listener;
    struct one one[WAVE];
    uint16_t by_port[65536];              /* the client's port: number in the wave plus 1 */
    unsigned ended[WAYS];
};
static struct scene scene;

static bool wave_over(void *user)
{
    const struct scene *s = user;
    for (int i = 0; i < WAVE; i++)
        if (!s->one[i].we_ended || !s->one[i].kernel_ended) return false;
    return true;
}

/* ---- we */

static void we_end(struct scene *s, struct one *o)
{
    assert_int_equal(pl_close(s->rig->stack, o->conn), 0);
    o->conn = 0;
    o->we_ended = true;
}

static void we_send(struct scene *s, const struct one *o, size_t n)
{
    uint8_t bytes[LARGE];
    transfer_fill(0, bytes, n);
    assert_int_equal(pl_send(s->rig->stack, o->conn, bytes, n), n);
}

static void we_begin(struct scene *s, struct one *o)
{
    o->we_began = true;
    switch (o->way) {
    case WE_CLOSE:
        we_send(s, o, SMALL);
        we_end(s, o);
        break;
    case BOTH_CLOSE:
        we_end(s, o);
        break;
    case WE_ABORT:
        we_send(s, o, SMALL);
        break;                            /* and abort when the kernel's program, too, has the connection: when it has sent something */
    case WE_HALF_CLOSE:
        we_send(s, o, SMALL);
        assert_int_equal(pl_finish(s->rig->stack, o->conn), 0);
        break;
    default:
        break;
    }
}

/* Something came: bytes, the end, or an error. */
static void we_hear(struct scene *s, struct one *o)
{
    uint8_t bytes[LARGE];
    ptrdiff_t n;
    if (o->way == WE_LEAVE_UNREAD || o->way == WE_ABORT) {
        if (!(pl_ready(s->rig->stack, o->conn) & PL_EV_READABLE)) return;
        if (o->way == WE_ABORT) assert_int_equal(pl_abort(s->rig->stack, o->conn), 0);
        we_end(s, o);
        return;
    }
    while ((n = pl_recv(s->rig->stack, o->conn, bytes, sizeof bytes)) > 0) {
        assert_int_equal(transfer_check(o->we_got, bytes, (size_t)n), o->we_got + (size_t)n);
        o->we_got += (uint64_t)n;
    }
    if (n == PL_EAGAIN) return;
    if (o->way == KERNEL_ABORTS) {
        assert_int_equal(n, PL_ECONNRESET);
        assert_true(o->we_got <= SMALL);
    } else {
        if (n < 0) fail_msg("way %d: %s", o->way, pl_strerror((int)n));
        assert_int_equal(o->we_got, o->way == WE_HALF_CLOSE ? LARGE : SMALL);
        if (o->way == KERNEL_HALF_CLOSES) we_send(s, o, LARGE);
    }
    we_end(s, o);
}

static void accept_all(struct scene *s)
{
    pl_conn c;
    struct pl_endpoint from;
    while (pl_accept(s->rig->stack, s->listener, &c, &from) == 0) {
        unsigned number = s->by_port[from.port];
        assert_true(number > 0);
        struct one *o = &s->one[number - 1];
        assert_int_equal(o->conn, 0);
        o->conn = c;
        assert_int_equal(pl_set_cookie(s->rig->stack, c, number), 0);
        we_begin(s, o);
    }
}

static void on_event(void *user, const struct pl_event *e)
{
    struct scene *s = user;
    if (s->listener && e->handle == s->listener) {
        accept_all(s);
        return;
    }
    struct one *o = &s->one[e->cookie - 1];
    if (o->conn != e->handle) return;
    if (!o->we_began && e->bits & PL_EV_CONNECTED) we_begin(s, o);
    if (o->conn && e->bits & (PL_EV_READABLE | PL_EV_PEER_FINISHED | PL_EV_ERROR | PL_EV_CLOSED)) we_hear(s, o);
}

/* ---- the kernel */

static void kernel_end(struct one *o)
{
    close(o->fd);                         /* leaves the epoll set by that */
    o->fd = -1;
    o->kernel_ended = true;
}

static void kernel_send(const struct one *o, size_t n)
{
    uint8_t bytes[LARGE];
    transfer_fill(0, bytes, n);
    assert_int_equal(send(o->fd, bytes, n, MSG_NOSIGNAL), n);
}

static void kernel_begin(struct scene *s, struct one *o)
{
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = o};
    static const struct linger at_once = {1, 0};
    o->kernel_began = true;
    switch (o->way) {
    case KERNEL_CLOSES:
        kernel_send(o, SMALL);
        break;
    case KERNEL_ABORTS:
        kernel_send(o, SMALL);
        setsockopt(o->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        break;
    case KERNEL_HALF_CLOSES:
        kernel_send(o, SMALL);
        shutdown(o->fd, SHUT_WR);
        break;
    case WE_ABORT:
    case WE_LEAVE_UNREAD:
        kernel_send(o, SMALL);
        break;
    default:
        break;
    }
    if (o->way == KERNEL_CLOSES || o->way == KERNEL_ABORTS || o->way == BOTH_CLOSE) kernel_end(o);
    else assert_int_equal(epoll_ctl(s->epoll, EPOLL_CTL_MOD, o->fd, &e), 0);
}

static void kernel_hears(struct one *o)
{
    uint8_t bytes[LARGE];
    ssize_t n;
    while ((n = recv(o->fd, bytes, sizeof bytes, 0)) > 0) {
        assert_int_equal(transfer_check(o->kernel_got, bytes, (size_t)n), o->kernel_got + (size_t)n);
        o->kernel_got += (uint64_t)n;
    }
    if (n < 0 && errno == EAGAIN) return;
    if (o->way == WE_ABORT || o->way == WE_LEAVE_UNREAD) {
        assert_int_equal(n, -1);
        assert_int_equal(errno, ECONNRESET);
    } else {
        if (n < 0) fail_msg("way %d: the kernel says %s", o->way, strerror(errno));
        assert_int_equal(o->kernel_got, o->way == KERNEL_HALF_CLOSES ? LARGE : SMALL);
        if (o->way == WE_HALF_CLOSE) kernel_send(o, LARGE);
    }
    kernel_end(o);
}

static void kernel_accepts(struct scene *s)
{
    struct sockaddr_storage from;
    socklen_t n = sizeof from;
    int fd;
    while ((fd = accept4(s->kernel_listener, (struct sockaddr *)&from, &n, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        uint16_t port = ntohs(s->version == 4 ? ((struct sockaddr_in *)&from)->sin_port : ((struct sockaddr_in6 *)&from)->sin6_port);
        unsigned number = s->by_port[port];
        assert_true(number > 0);
        struct one *o = &s->one[number - 1];
        assert_int_equal(o->fd, -1);
        o->fd = fd;
        struct epoll_event e = {.events = EPOLLIN, .data.ptr = o};
        assert_int_equal(epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &e), 0);
        kernel_begin(s, o);
    }
}

static void kernel_ready(void *user, int fd, short revents)
{
    struct scene *s = user;
    struct epoll_event e[32];
    (void)revents;
    int n = epoll_wait(fd, e, COUNT_OF(e), 0);
    for (int i = 0; i < n; i++) {
        struct one *o = e[i].data.ptr;
        if (!o) kernel_accepts(s);
        else if (!o->kernel_began) kernel_begin(s, o);
        else if (o->fd >= 0) kernel_hears(o);
    }
}

/* ---- both */

static void we_are_clients(struct scene *s)
{
    uint16_t port;
    if (s->kernel_listener < 0) {
        struct epoll_event e = {.events = EPOLLIN};
        s->kernel_listener = rig_kernel_listens(s->rig, s->version, 2 * WAVE, &port);
        assert_int_equal(epoll_ctl(s->epoll, EPOLL_CTL_ADD, s->kernel_listener, &e), 0);
    }
    struct sockaddr_storage a;
    socklen_t n = sizeof a;
    getsockname(s->kernel_listener, (struct sockaddr *)&a, &n);
    port = ntohs(s->version == 4 ? ((struct sockaddr_in *)&a)->sin_port : ((struct sockaddr_in6 *)&a)->sin6_port);
    for (unsigned i = 0; i < WAVE; i++) {
        struct pl_connect_params p = {.remote = rig_endpoint(s->version, true, port), .cookie = i + 1};
        struct pl_tcp_status st;
        assert_int_equal(pl_connect(s->rig->stack, &p, &s->one[i].conn), 0);
        assert_int_equal(pl_status(s->rig->stack, s->one[i].conn, &st, sizeof st), 0);
        assert_int_equal(s->by_port[st.local.port], 0);
        s->by_port[st.local.port] = (uint16_t)(i + 1);
    }
}

static void we_are_the_server(struct scene *s)
{
    int fds[WAVE];
    struct sockaddr_storage a;
    if (!s->listener) {
        struct pl_listen_params p = {.local = {.port = PORT}, .backlog = 2 * WAVE};
        assert_int_equal(pl_listen(s->rig->stack, &p, &s->listener), 0);
    }
    rig_sockets(s->rig, s->version, SOCK_STREAM, fds, WAVE);
    for (unsigned i = 0; i < WAVE; i++) {
        socklen_t n = rig_sockaddr(s->version, false, PORT, &a);
        struct epoll_event e = {.events = EPOLLOUT, .data.ptr = &s->one[i]};
        s->one[i].fd = fds[i];
        assert_true(connect(fds[i], (struct sockaddr *)&a, n) == 0 || errno == EINPROGRESS);
        n = sizeof a;
        assert_int_equal(getsockname(fds[i], (struct sockaddr *)&a, &n), 0);
        uint16_t port = ntohs(s->version == 4 ? ((struct sockaddr_in *)&a)->sin_port : ((struct sockaddr_in6 *)&a)->sin6_port);
        s->by_port[port] = (uint16_t)(i + 1);
        assert_int_equal(epoll_ctl(s->epoll, EPOLL_CTL_ADD, fds[i], &e), 0);
    }
}

static void one_wave(struct scene *s, unsigned first, bool clients)
{
    memset(s->by_port, 0, sizeof s->by_port);
    for (unsigned i = 0; i < WAVE; i++)
        s->one[i] = (struct one){.way = (enum way)((first + i) % WAYS), .fd = -1};
    if (clients) we_are_clients(s);
    else we_are_the_server(s);
    if (!rig_run(s->rig, wave_over, s, RIG_PATIENCE)) {
        for (unsigned i = 0; i < WAVE; i++) {
            const struct one *o = &s->one[i];
            char text[300] = "gone";
            if (o->we_ended && o->kernel_ended) continue;
            if (o->conn) pl_explain(s->rig->stack, o->conn, text, sizeof text);
            print_error("%u, way %d: we began %d, ended %d, got %d; the kernel began %d, ended %d, got %d: %s\n", i, o->way, o->we_began, o->we_ended,
                        (int)o->we_got, o->kernel_began, o->kernel_ended, (int)o->kernel_got, text);
        }
        fail_msg("connections stand still");
    }
    for (unsigned i = 0; i < WAVE; i++)
        s->ended[s->one[i].way]++;
}

static bool kernel_at_rest(struct scene *s)
{
    unsigned states[RIG_KERNEL_STATES];
    rig_kernel_states(s->rig, states);
    for (int i = 0; i < RIG_KERNEL_STATES; i++)
        if (states[i] && i != RIG_K_TIME_WAIT) return false;
    return true;
}

static void play(void **state, bool clients)
{
    struct rig r;
    struct scene *s = &scene;
    if (!rig_open(&r, *state, NULL)) SKIP_BECAUSE(rig_why);
    for (int version = 4; version <= 6; version += 2) {
        *s = (struct scene){.rig = &r, .version = version, .epoll = epoll_create1(EPOLL_CLOEXEC), .kernel_listener = -1};
        r.on_event = on_event;
        r.user = s;
        assert_int_equal(host_loop_watch(&r.loop, s->epoll, POLLIN, kernel_ready, s), 0);
        for (unsigned first = 0; first < TOTAL; first += WAVE)
            one_wave(s, first, clients);
        for (int way = 0; way < WAYS; way++)
            assert_true(s->ended[way] >= TOTAL / WAYS);
        host_loop_unwatch(&r.loop, s->epoll);
        close(s->epoll);
        if (s->kernel_listener >= 0) close(s->kernel_listener);
        if (s->listener) assert_int_equal(pl_close(r.stack, s->listener), 0);
        rig_comes_to_rest(&r);
        uint32_t states[PL_STATE_COUNT];
        pl_states(r.stack, states);
        for (int i = 0; i < PL_STATE_COUNT; i++)
            assert_int_equal(states[i], 0);
        if (!r.kind->tap && !r.kind->veth) assert_true(pl_deadline(r.stack) == PL_NEVER);      /* but neighbours have timers of their own */
        pl_time end = host_now() + RIG_PATIENCE;
        while (!kernel_at_rest(s)) {
            assert_true(host_now() < end);
            rig_run(&r, NULL, NULL, 20 * PL_MS);
        }
    }
    rig_close(&r);
}

static void we_connect_to_the_kernel(void **state) { play(state, true); }
static void the_kernel_connects_to_us(void **state) { play(state, false); }

#define CASE(kind, f) {.name = kind ": " #f, .test_func = f, .initial_state = (void *)(uintptr_t)rig_kind(kind)}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE("tun+gso", we_connect_to_the_kernel),       CASE("tun+gso", the_kernel_connects_to_us),
        CASE("tap", we_connect_to_the_kernel),           CASE("tap", the_kernel_connects_to_us),
        CASE("af_packet+gso", we_connect_to_the_kernel), CASE("af_packet+gso", the_kernel_connects_to_us),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
