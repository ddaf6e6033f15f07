/* SPDX-License-Identifier: MIT
 *
 * talk.c: see talk.h.
 */
#include "support/talk.h"

#include "support/unit.h"

#include <errno.h>
#include <netinet/in.h>
#include <unistd.h>

uint8_t talk_buffer[256 << 10];

/* ---- what each end says */

struct pl_tcp_status talk_status(const struct talk *t)
{
    struct pl_tcp_status st;
    assert_int_equal(pl_status(t->rig->stack, t->conn, &st, sizeof st), 0);
    return st;
}

struct tcp_info talk_info(const struct talk *t)
{
    struct tcp_info i = {0};
    socklen_t n = sizeof i;
    assert_int_equal(getsockopt(t->fd, IPPROTO_TCP, TCP_INFO, &i, &n), 0);
    return i;
}

uint16_t talk_port_of(int fd)
{
    struct sockaddr_storage a;
    socklen_t n = sizeof a;
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
    return ntohs(a.ss_family == AF_INET ? ((struct sockaddr_in *)&a)->sin_port : ((struct sockaddr_in6 *)&a)->sin6_port);
}

bool talk_has_error(void *user)
{
    const struct talk *t = user;
    return pl_error(t->rig->stack, t->conn) != 0;
}

int talk_kernel_error(const struct talk *t)
{
    int error = 0;
    socklen_t n = sizeof error;
    assert_int_equal(getsockopt(t->fd, SOL_SOCKET, SO_ERROR, &error, &n), 0);
    return error;
}

static struct pl_counters counters(const struct rig *r)
{
    struct pl_counters c;
    assert_int_equal(pl_counters(r->stack, &c, sizeof c), 0);
    return c;
}

uint64_t talk_sent_because(const struct rig *r, enum pl_reason why) { return counters(r).sent[why]; }
uint64_t talk_drops(const struct rig *r, enum pl_drop drop) { return counters(r).drops[drop]; }

struct meeting {
    struct talk *t;
    int ours, kernels;
};
static bool states_are(void *user)
{
    const struct meeting *m = user;
    return (int)talk_status(m->t).state == m->ours && (m->kernels < 0 || talk_info(m->t).tcpi_state == m->kernels);
}

void talk_meets(struct talk *t, enum pl_state ours, int kernels)
{
    struct meeting m = {t, (int)ours, kernels};
    if (!rig_run(t->rig, states_are, &m, RIG_PATIENCE))
        fail_msg("we are in state %d, not %d; the kernel in %d, not %d", (int)talk_status(t).state, (int)ours, t->fd < 0 ? -1 : talk_info(t).tcpi_state,
                 kernels);
}

/* ---- begin and end */

static bool is_open(void *user)
{
    struct talk *t = user;
    if (t->client) {
        if (t->fd < 0) t->fd = accept4(t->kernel_listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    } else if (!t->conn) {
        pl_accept(t->rig->stack, t->listener, &t->conn, NULL);
    }
    return t->fd >= 0 && t->conn && talk_status(t).state == PL_ESTABLISHED && talk_info(t).tcpi_state == TALK_K_ESTABLISHED;
}

void talk_becomes_open(struct talk *t)
{
    char text[500] = "no handle";
    if (rig_run(t->rig, is_open, t, RIG_PATIENCE)) return;
    if (t->conn) pl_explain(t->rig->stack, t->conn, text, sizeof text);
    fail_msg("not open: %s; error %d; the kernel has %s", text, t->conn ? pl_error(t->rig->stack, t->conn) : 0, t->fd < 0 ? "none" : "one");
}

void talk_begin(struct talk *t, uint16_t our_port, uint16_t kernel_port)
{
    struct sockaddr_storage a;
    t->conn = 0;
    t->fd = -1;
    t->sent = t->got = 0;
    if (t->client) {
        if (t->kernel_listener < 0) t->kernel_listener = rig_kernel_listens(t->rig, t->version, 5, &t->kernel_port);
        struct pl_connect_params p = {.remote = rig_endpoint(t->version, true, t->kernel_port), .local = {.port = our_port}};
        assert_int_equal(pl_connect(t->rig->stack, &p, &t->conn), 0);
        return;
    }
    struct pl_listen_params p = {.local = {.port = TALK_PORT}};
    int one = 1;
    if (!t->listener) assert_int_equal(pl_listen(t->rig->stack, &p, &t->listener), 0);
    t->fd = rig_socket(t->rig, t->version, SOCK_STREAM, 0);
    setsockopt(t->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    socklen_t n = rig_sockaddr(t->version, true, kernel_port, &a);
    if (kernel_port) assert_int_equal(bind(t->fd, (struct sockaddr *)&a, n), 0);
    n = rig_sockaddr(t->version, false, TALK_PORT, &a);
    assert_true(connect(t->fd, (struct sockaddr *)&a, n) == 0 || errno == EINPROGRESS);
    t->kernel_port = talk_port_of(t->fd);
}

void talk_again(struct talk *t, uint16_t our_port, uint16_t kernel_port)
{
    talk_begin(t, our_port, kernel_port);
    talk_becomes_open(t);
}

struct talk talk_open(struct rig *r, int version, bool client)
{
    struct talk t = {.rig = r, .version = version, .client = client, .kernel_listener = -1, .fd = -1};
    r->patience = PL_MS;
    talk_again(&t, 0, 0);
    return t;
}

void talk_close(struct talk *t)
{
    if (t->fd >= 0) close(t->fd);
    if (t->kernel_listener >= 0) close(t->kernel_listener);
    if (t->conn) pl_close(t->rig->stack, t->conn);
    if (t->listener) pl_close(t->rig->stack, t->listener);
    rig_comes_to_rest(t->rig);
}

/* ---- streams */

void talk_we_write(struct talk *t)
{
    while (t->sent < t->total) {
        size_t n = t->total - t->sent < sizeof talk_buffer ? (size_t)(t->total - t->sent) : sizeof talk_buffer;
        transfer_fill(t->sent, talk_buffer, n);
        ptrdiff_t took = pl_send(t->rig->stack, t->conn, talk_buffer, n);
        if (took == PL_EAGAIN) return;
        if (took < 0) fail_msg("we cannot send: %s", pl_strerror((int)took));
        t->sent += (uint64_t)took;
    }
}

void talk_kernel_writes(struct talk *t)
{
    while (t->sent < t->total) {
        size_t n = t->total - t->sent < sizeof talk_buffer ? (size_t)(t->total - t->sent) : sizeof talk_buffer;
        transfer_fill(t->sent, talk_buffer, n);
        ssize_t took = send(t->fd, talk_buffer, n, MSG_NOSIGNAL);
        if (took < 0 && errno == EAGAIN) return;
        if (took < 0) fail_msg("the kernel cannot send: %s", strerror(errno));
        t->sent += (uint64_t)took;
    }
}

static void taken(struct talk *t, ptrdiff_t n)
{
    assert_int_equal(transfer_check(t->got, talk_buffer, (size_t)n), t->got + (uint64_t)n);
    t->got += (uint64_t)n;
}

bool talk_to_kernel(void *user)
{
    struct talk *t = user;
    ssize_t n;
    talk_we_write(t);
    while ((n = recv(t->fd, talk_buffer, sizeof talk_buffer, 0)) > 0)
        taken(t, n);
    return t->got == t->total;
}

bool talk_from_kernel(void *user)
{
    struct talk *t = user;
    ptrdiff_t n;
    talk_kernel_writes(t);
    while ((n = pl_recv(t->rig->stack, t->conn, talk_buffer, sizeof talk_buffer)) > 0)
        taken(t, n);
    return t->got == t->total;
}

void talk_stream(struct talk *t, rig_done_fn *way, uint64_t bytes)
{
    t->sent = t->got = 0;
    t->total = bytes;
    if (!rig_run(t->rig, way, t, RIG_PATIENCE)) {
        char text[500] = "";
        pl_explain(t->rig->stack, t->conn, text, sizeof text);
        fail_msg("stands still after %llu of %llu bytes: %s", (unsigned long long)t->got, (unsigned long long)bytes, text);
    }
}
