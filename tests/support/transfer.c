/* SPDX-License-Identifier: MIT
 *
 * transfer.c: see transfer.h.
 */
#include "support/transfer.h"

#include "support/unit.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "os/host/clock.h"

enum { PORT = 7007, BUFFER_BYTES = 256 << 10, TURN_BYTES = 4 << 20 };
static uint8_t buffer[BUFFER_BYTES];

/* Sebastiano Vigna's splitmix64. */
static uint64_t word(uint64_t number)
{
    uint64_t z = number * 0x9e3779b97f4a7c15u + 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static uint8_t byte(uint64_t at) { return (uint8_t)(word(at / 8) >> at % 8 * 8); }

void transfer_fill(uint64_t at, void *bytes, size_t n)
{
    uint8_t *p = bytes, *end = p + n;
    for (; p < end && at % 8; at++)
        *p++ = byte(at);
    for (; end - p >= 8; at += 8, p += 8) {
        uint64_t w = word(at / 8);
        memcpy(p, &w, 8);                 /* the machine's byte order is `byte`'s on every machine this is built for: little-endian */
    }
    for (; p < end; at++)
        *p++ = byte(at);
}

uint64_t transfer_check(uint64_t at, const void *bytes, size_t n)
{
    const uint8_t *p = bytes, *end = p + n;
    for (; p < end && at % 8; at++)
        if (*p++ != byte(at)) return at;
    for (; end - p >= 8; at += 8, p += 8) {
        uint64_t w = word(at / 8);
        if (memcmp(p, &w, 8) != 0) break;
    }
    for (; p < end; at++)
        if (*p++ != byte(at)) return at;
    return at;
}

static void check(struct transfer *t, const void *bytes, size_t n)
{
    uint64_t right = transfer_check(t->got, bytes, n);
    if (right != t->got + n) fail_msg("byte %llu differs", (unsigned long long)right);
    t->got += n;
    if (t->got > t->bytes) fail_msg("%llu bytes too many", (unsigned long long)(t->got - t->bytes));
}

/* ---- our side */

static void died(struct transfer *t, int error)
{
    t->error = error;
    pl_close(t->rig->stack, t->conn);
    t->conn = 0;
}

static void we_send(struct transfer *t)
{
    int e = PL_OK;
    while (t->sent < t->bytes) {
        struct pl_span room;
        uint64_t left = t->bytes - t->sent;
        e = pl_send_reserve(t->rig->stack, t->conn, left < BUFFER_BYTES ? (size_t)left : BUFFER_BYTES, &room);
        if (e < 0) break;
        size_t n = room.len < left ? room.len : (size_t)left;
        transfer_fill(t->sent, room.base, n);
        assert_int_equal(pl_send_commit(t->rig->stack, t->conn, n), 0);
        t->sent += n;
        if (t->sent == t->bytes) assert_int_equal(pl_finish(t->rig->stack, t->conn), 0);
    }
    if (e < 0 && e != PL_EAGAIN) died(t, e);
}

static void we_receive(struct transfer *t)
{
    struct pl_span spans[8];
    int n;
    while ((n = pl_recv_peek(t->rig->stack, t->conn, spans, COUNT_OF(spans))) > 0) {
        size_t bytes = 0;
        for (int i = 0; i < n; i++) {
            if (!t->to_kernel) check(t, spans[i].base, spans[i].len);
            bytes += spans[i].len;
        }
        if (t->to_kernel) fail_msg("the kernel sent %zu bytes", bytes);
        assert_int_equal(pl_recv_consume(t->rig->stack, t->conn, bytes), 0);
    }
    if (n == PL_EAGAIN) return;
    if (n < 0) {
        died(t, n);
        return;
    }
    if (!t->to_kernel || t->sent == t->bytes) {          /* the end of the stream: nothing is to come in either direction */
        pl_close(t->rig->stack, t->conn);
        t->conn = 0;
        t->ours_closed = true;
    }
}

static void on_event(void *user, const struct pl_event *e)
{
    struct transfer *t = user;
    if (e->handle == t->listener && t->listener && !t->conn) {
        int error = pl_accept(t->rig->stack, t->listener, &t->conn, NULL);
        assert_true(error == PL_OK || error == PL_EAGAIN);
        return;                           /* its events follow */
    }
    if (!t->conn || e->handle != t->conn) return;
    t->event_bits |= e->bits;
    if (t->to_kernel && e->bits & (PL_EV_CONNECTED | PL_EV_WRITABLE)) we_send(t);
    if (t->conn && e->bits & (PL_EV_READABLE | PL_EV_PEER_FINISHED | PL_EV_ERROR | PL_EV_CLOSED)) we_receive(t);
}

/* ---- the kernel's side */

static void close_fd(struct transfer *t, int *fd)
{
    if (*fd < 0) return;
    host_loop_unwatch(&t->rig->loop, *fd);
    close(*fd);
    *fd = -1;
}

static void kernel_receives(void *user, int fd, short revents)
{
    struct transfer *t = user;
    (void)revents;
    for (uint64_t end = t->got + TURN_BYTES; t->got < end;) {
        ssize_t n = recv(fd, buffer, sizeof buffer, 0);
        if (n < 0 && errno == EAGAIN) return;
        if (n <= 0) {                     /* the end, or the connection failed: t->got tells which */
            close_fd(t, &t->fd);
            return;
        }
        check(t, buffer, (size_t)n);
    }
}

/* After what it had to send: only the end of our stream may come. */
static void kernel_waits_for_the_end(void *user, int fd, short revents)
{
    struct transfer *t = user;
    char c;
    (void)revents;
    ssize_t n = recv(fd, &c, 1, 0);
    if (n < 0 && errno == EAGAIN) return;
    if (n > 0) fail_msg("a byte from nowhere");
    close_fd(t, &t->fd);
}

static void kernel_sends(void *user, int fd, short revents)
{
    struct transfer *t = user;
    (void)revents;
    for (uint64_t end = t->sent + TURN_BYTES; t->sent < t->bytes && t->sent < end;) {
        size_t n = t->bytes - t->sent < sizeof buffer ? (size_t)(t->bytes - t->sent) : sizeof buffer;
        transfer_fill(t->sent, buffer, n);
        ssize_t took = send(fd, buffer, n, MSG_NOSIGNAL);
        if (took < 0 && errno == EAGAIN) return;
        if (took < 0) {
            close_fd(t, &t->fd);
            return;
        }
        t->sent += (size_t)took;
        if ((size_t)took < n) return;
    }
    if (t->sent < t->bytes) return;
    shutdown(fd, SHUT_WR);
    host_loop_watch(&t->rig->loop, fd, POLLIN, kernel_waits_for_the_end, t);
}

static void kernel_accepts(void *user, int fd, short revents)
{
    struct transfer *t = user;
    (void)revents;
    if (t->fd >= 0) return;
    t->fd = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (t->fd < 0) return;
    assert_int_equal(host_loop_watch(&t->rig->loop, t->fd, POLLIN, kernel_receives, t), 0);
}

/* ---- both */

void transfer_begin(struct transfer *t, struct rig *rig, int version, bool to_kernel, uint64_t bytes)
{
    *t = (struct transfer){.rig = rig, .version = version, .to_kernel = to_kernel, .bytes = bytes, .kernel_listener = -1, .fd = -1};
    rig->on_event = on_event;
    rig->user = t;
    if (to_kernel) {
        uint16_t port;
        t->kernel_listener = rig_kernel_listens(rig, version, 5, &port);
        assert_int_equal(host_loop_watch(&rig->loop, t->kernel_listener, POLLIN, kernel_accepts, t), 0);
        struct pl_connect_params p = {.remote = rig_endpoint(version, true, port)};
        assert_int_equal(pl_connect(rig->stack, &p, &t->conn), 0);
    } else {
        struct pl_listen_params p = {.local = {.port = PORT}};
        struct sockaddr_storage to;
        assert_int_equal(pl_listen(rig->stack, &p, &t->listener), 0);
        t->fd = rig_socket(rig, version, SOCK_STREAM, 0);
        socklen_t n = rig_sockaddr(version, false, PORT, &to);
        assert_true(connect(t->fd, (struct sockaddr *)&to, n) == 0 || errno == EINPROGRESS);
        assert_int_equal(host_loop_watch(&rig->loop, t->fd, POLLOUT, kernel_sends, t), 0);
    }
}

bool transfer_done(void *user)
{
    const struct transfer *t = user;
    return (t->got == t->bytes && t->ours_closed && t->fd < 0) || t->error;
}

void transfer_end(struct transfer *t)
{
    close_fd(t, &t->fd);
    close_fd(t, &t->kernel_listener);
    if (t->listener) pl_close(t->rig->stack, t->listener);
    if (t->conn) pl_close(t->rig->stack, t->conn);
    t->rig->on_event = NULL;
}

/* What each side has to say when a transfer stands still. */
static void complain(const struct transfer *t)
{
    char text[500];
    struct pl_tcp_status st;
    struct tcp_info info;
    socklen_t n = sizeof info;
    const struct pl_driver *d = host_loop_driver(&t->rig->loop, t->rig->iface);
    if (t->conn && pl_explain(t->rig->stack, t->conn, text, sizeof text) > 0) print_error("we: %s\n", text);
    if (t->conn && pl_status(t->rig->stack, t->conn, &st, sizeof st) == 0)
        print_error("we: state %d, una %u, nxt %u, wnd %u; rcv.nxt %u, rcv.wnd %u; mss %u, cwnd %u, in flight %u, %llu retransmits\n", (int)st.state,
                    st.snd.una, st.snd.nxt, st.snd.wnd, st.rcv.nxt, st.rcv.wnd, st.mss, st.cwnd_bytes, st.in_flight_bytes,
                    (unsigned long long)st.retransmits);
    if (t->fd >= 0 && getsockopt(t->fd, IPPROTO_TCP, TCP_INFO, &info, &n) == 0)
        print_error("the kernel: state %u, unacked %u, lost %u, retransmits %u, rto %u us\n", info.tcpi_state, info.tcpi_unacked, info.tcpi_lost,
                    info.tcpi_total_retrans, info.tcpi_rto);
    if (d) print_error("device: %llu frames in, %llu out, %llu errors\n", (unsigned long long)d->rx_frames, (unsigned long long)d->tx_frames,
                       (unsigned long long)d->errors);
}

void transfer_run(struct rig *rig, int version, bool to_kernel, uint64_t bytes)
{
    struct transfer t;
    pl_time began = host_now();
    transfer_begin(&t, rig, version, to_kernel, bytes);
    /* At least 8 MiB a second, whatever the machine and the build. */
    bool done = rig_run(rig, transfer_done, &t, RIG_PATIENCE + bytes * 125);
    if (!done || t.error) {
        complain(&t);
        fail_msg("%s, IPv%d, %s the kernel: %s after %llu bytes sent, %llu received, %.3f s", rig->kind->name, version, to_kernel ? "to" : "from",
                 t.error ? pl_strerror(t.error) : "stands still", (unsigned long long)t.sent, (unsigned long long)t.got,
                 (double)(host_now() - began) / 1e9);
    }
    transfer_end(&t);
    rig_comes_to_rest(rig);
    if (getenv("PARLEY_TIMES"))
        print_message("%-16s IPv%d %-4s the kernel: %7.1f MiB in %6.3f s\n", rig->kind->name, version, to_kernel ? "to" : "from",
                      (double)bytes / (1 << 20), (double)(host_now() - began) / 1e9);
}
