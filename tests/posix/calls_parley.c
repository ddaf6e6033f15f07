/* SPDX-License-Identifier: MIT
 *
 * calls_parley.c: the calls of os/posix/sock on two stacks with a link between them, in virtual time. A call that would wait lets frames and time
 * pass until it gets further; if nothing would ever happen again it fails with ETIME, which no system call here gives.
 */
#include "calls.h"

#include <errno.h>
#include <stdlib.h>

#include "os/posix/sock/sock.h"
#include "support/duo.h"

enum { HOST_FDS = 1000 };                 /* host 0 has 3 .. 999, host 1 1003 .. */

struct hosts {
    struct calls calls;
    struct duo duo;
    struct sock_world *world[2];
};

static struct sock_world *world_of(struct calls *k, int fd) { return ((struct hosts *)k->own)->world[fd >= HOST_FDS]; }

static void p_settle(struct calls *k)
{
    struct hosts *h = k->own;
    duo_exchange(&h->duo);
    for (int i = 0; i < 2; i++)
        sock_turn(h->world[i], h->duo.now);
    duo_exchange(&h->duo);
    for (int i = 0; i < 2; i++)
        sock_turn(h->world[i], h->duo.now);
}

/* To the next thing that happens, `until` at the latest. False: nothing ever will. */
static bool step(struct calls *k, pl_time until)
{
    struct hosts *h = k->own;
    pl_time a = pl_deadline(h->duo.s[0]), b = pl_deadline(h->duo.s[1]), next = a < b ? a : b;
    if (next > until)
        next = until;
    if (next == PL_NEVER)
        return false;
    h->duo.now = next > h->duo.now ? next : h->duo.now + 1;
    p_settle(k);
    return true;
}

static void p_elapse(struct calls *k, int ms)
{
    struct hosts *h = k->own;
    pl_time until = h->duo.now + (pl_time)ms * PL_MS;
    while (h->duo.now < until)
        step(k, until);
}

/* After a call: what it sent arrives. Whether to call again. */
static bool again(struct calls *k, struct sock_op *op, ssize_t *result)
{
    p_settle(k);
    if (op->broken_pipe && *result == -EPIPE)
        k->pipes++;
    if (*result != SOCK_BLOCKED)
        return false;
    if (op->fd >= 0 && sock_op_ready(world_of(k, op->fd), op))
        return true;
    if (step(k, op->until))
        return true;
    *result = -ETIME;
    return false;
}

#define WAITING(result, name, parameters, arguments)                                                                                   \
    static result p_##name parameters                                                                                                  \
    {                                                                                                                                  \
        struct sock_op op = {0};                                                                                                       \
        ssize_t r;                                                                                                                     \
        do                                                                                                                             \
            r = sock_##name arguments;                                                                                                 \
        while (again(k, &op, &r));                                                                                                     \
        return (result)r;                                                                                                              \
    }
#define PASS(result, name, parameters, arguments)                                                                                      \
    static result p_##name parameters                                                                                                  \
    {                                                                                                                                  \
        result r = sock_##name arguments;                                                                                              \
        p_settle(k);                                                                                                                   \
        return r;                                                                                                                      \
    }
#define W world_of(k, fd)
PASS(int, bind, (struct calls *k, int fd, const struct sockaddr *a, socklen_t n), (W, fd, a, n))
PASS(int, listen, (struct calls *k, int fd, int backlog), (W, fd, backlog))
WAITING(int, accept, (struct calls *k, int fd, struct sockaddr *a, socklen_t *n, int flags), (W, fd, a, n, flags, &op))
WAITING(int, connect, (struct calls *k, int fd, const struct sockaddr *a, socklen_t n), (W, fd, a, n, &op))
PASS(int, getsockname, (struct calls *k, int fd, struct sockaddr *a, socklen_t *n), (W, fd, a, n))
PASS(int, getpeername, (struct calls *k, int fd, struct sockaddr *a, socklen_t *n), (W, fd, a, n))
WAITING(ssize_t, sendmsg, (struct calls *k, int fd, const struct msghdr *m, int flags), (W, fd, m, flags, &op))
WAITING(ssize_t, recvmsg, (struct calls *k, int fd, struct msghdr *m, int flags), (W, fd, m, flags, &op))
WAITING(ssize_t, sendto, (struct calls *k, int fd, const void *b, size_t n, int flags, const struct sockaddr *a, socklen_t an),
        (W, fd, b, n, flags, a, an, &op))
WAITING(ssize_t, recvfrom, (struct calls *k, int fd, void *b, size_t n, int flags, struct sockaddr *a, socklen_t *an), (W, fd, b, n, flags, a, an, &op))
WAITING(ssize_t, read, (struct calls *k, int fd, void *b, size_t n), (W, fd, b, n, &op))
WAITING(ssize_t, write, (struct calls *k, int fd, const void *b, size_t n), (W, fd, b, n, &op))
WAITING(ssize_t, readv, (struct calls *k, int fd, const struct iovec *v, int n), (W, fd, v, n, &op))
WAITING(ssize_t, writev, (struct calls *k, int fd, const struct iovec *v, int n), (W, fd, v, n, &op))
PASS(int, shutdown, (struct calls *k, int fd, int how), (W, fd, how))
WAITING(int, close, (struct calls *k, int fd), (W, fd, &op))
PASS(int, getsockopt, (struct calls *k, int fd, int level, int name, void *v, socklen_t *n), (W, fd, level, name, v, n))
PASS(int, setsockopt, (struct calls *k, int fd, int level, int name, const void *v, socklen_t n), (W, fd, level, name, v, n))
PASS(int, fcntl, (struct calls *k, int fd, int command, long argument), (W, fd, command, argument))
PASS(int, ioctl, (struct calls *k, int fd, unsigned long request, void *argument), (W, fd, request, argument))
PASS(int, epoll_ctl, (struct calls *k, int fd, int what, int target, struct epoll_event *event), (W, fd, what, target, event))

static pl_time span_of(int ms) { return ms < 0 ? PL_NEVER : (pl_time)ms * PL_MS; }

WAITING(int, poll, (struct calls *k, struct pollfd *p, nfds_t n, int ms), (world_of(k, n ? p[0].fd : 0), p, n, span_of(ms), &op))
WAITING(int, epoll_wait, (struct calls *k, int fd, struct epoll_event *events, int max, int ms), (W, fd, events, max, span_of(ms), &op))

static void p_patience(unsigned seconds) { (void)seconds; }             /* here it is known at once */

static int p_socket(struct calls *k, int host, int domain, int type, int protocol)
{
    return sock_socket(((struct hosts *)k->own)->world[host], domain, type, protocol);
}

static int p_epoll_create(struct calls *k, int host, int flags) { return sock_epoll_create(((struct hosts *)k->own)->world[host], flags); }

struct calls *calls_parley_new(void)
{
    struct hosts *h = calloc(1, sizeof *h);
    struct pl_config c;
    pl_config_default(&c, sizeof c);
    c.check = true;
    c.connections_max = c.half_open_max = 256;
    c.listeners_max = c.udp_max = c.time_wait_max = 64;
    c.chunks_max = 1024;
    c.records_max = 4096;
    c.flights_max = c.gaps_max = 64;
    memset(c.seed, 7, sizeof c.seed);
    duo_init(&h->duo, &c, false);
    h->calls = (struct calls){"parley", 0, h, p_socket, p_bind, p_listen, p_accept, p_connect, p_getsockname, p_getpeername, p_sendmsg, p_recvmsg, p_sendto,
                              p_recvfrom, p_read, p_write, p_readv, p_writev, p_shutdown, p_close, p_getsockopt, p_setsockopt, p_fcntl, p_ioctl, p_poll,
                              p_epoll_create, p_epoll_ctl, p_epoll_wait, p_settle, p_elapse, p_patience};
    for (int i = 0; i < 2; i++) {
        struct sock_params p = {.stack = h->duo.s[i], .config = &c, .now = h->duo.now, .first_fd = 3 + i * HOST_FDS, .files_max = 200,
                                .seed = (uint64_t)i + 1};
        h->world[i] = sock_world_new(&p);
    }
    return &h->calls;
}

void calls_parley_free(struct calls *k)
{
    struct hosts *h = k->own;
    for (int i = 0; i < 2; i++)
        sock_world_free(h->world[i]);
    duo_free(&h->duo);
    free(h);
}
