/* SPDX-License-Identifier: MIT
 *
 * world.c: the table of descriptors; and a turn, in which what happened in the stack becomes state, errors and wake-ups of sockets.
 *
 * A handle's cookie is its descriptor plus 1, so an event finds its socket at once. Level is never kept: it is asked of the stack (sock_sync);
 * events are needed for edges only.
 */
#include "os/posix/sock/inside.h"

struct sock_world *sock_world_new(const struct sock_params *p)
{
    struct sock_world *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    w->stack = p->stack;
    w->env = p->env;
    w->config = *p->config;
    w->now = p->now;
    w->first_fd = p->first_fd;
    w->files_max = p->files_max ? p->files_max : 1024;
    w->somaxconn = p->somaxconn ? p->somaxconn : 4096;
    w->port_min = p->port_min ? p->port_min : 32768;
    w->port_max = p->port_max ? p->port_max : 60999;
    w->random = p->seed;
    w->isn_fixed = p->isn_fixed;
    w->isn = p->isn;
    if (w->files_max < 0 || w->first_fd < 0 || w->somaxconn < 0 || w->port_min > w->port_max) {
        free(w);
        errno = EINVAL;
        return NULL;
    }
    w->file = calloc((size_t)w->files_max, sizeof *w->file);
    if (!w->file) {
        free(w);
        return NULL;
    }
    return w;
}

void sock_world_free(struct sock_world *w)
{
    if (!w)
        return;
    for (int i = 0; i < w->files_high; i++)
        if (w->file[i])
            sock_close(w, w->first_fd + i, NULL);
    free(w->file);
    free(w);
}

/* splitmix64: which ports are tried first need not be secret here, only spread */
uint64_t sock_random(struct sock_world *w)
{
    uint64_t z = w->random += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* ------------------------------------------------------------ the table ------------------------------------------------------------ */

struct sock *sock_find(struct sock_world *w, int fd)
{
    int i = fd < w->first_fd ? -1 : fd - w->first_fd;
    return i < 0 || i >= w->files_high || !w->file[i] || w->file[i]->closing ? NULL : w->file[i];
}

int sock_find_socket(struct sock_world *w, int fd, struct sock **out)
{
    *out = sock_find(w, fd);
    return !*out ? -EBADF : (*out)->kind == SOCK_KIND_EPOLL ? -ENOTSOCK : 0;
}

int sock_find_again(struct sock_world *w, int fd, const struct sock_op *op, struct sock **out)
{
    int error = sock_find_socket(w, fd, out);
    return !error && op && op->begun && op->serial != (*out)->serial ? -EBADF : error;
}

/* POSIX: the lowest descriptor that is free */
int sock_make(struct sock_world *w, enum sock_kind kind, struct sock **out)
{
    int i = 0;
    while (i < w->files_max && w->file[i])
        i++;
    if (i == w->files_max)
        return -EMFILE;
    struct sock *s = calloc(1, sizeof *s);
    if (!s)
        return -ENOBUFS;
    s->world = w;
    s->serial = ++w->serials;
    s->fd = w->first_fd + i;
    s->kind = (uint8_t)kind;
    w->file[i] = *out = s;
    if (i >= w->files_high)
        w->files_high = i + 1;
    return s->fd;
}

void sock_drop(struct sock *s)
{
    struct sock_world *w = s->world;
    w->file[s->fd - w->first_fd] = NULL;
    while (w->files_high && !w->file[w->files_high - 1])
        w->files_high--;
    epoll_forget_socket(s);
    if (s->kind == SOCK_KIND_EPOLL)
        epoll_free(s);
    w->starved -= s->starved;
    datagram_forget(s);
    free(s);
}

int sock_socket(struct sock_world *w, int domain, int type, int protocol)
{
    int flags = type & (SOCK_NONBLOCK | SOCK_CLOEXEC), kind = type & ~flags;
    if (domain != AF_INET && domain != AF_INET6)
        return -EAFNOSUPPORT;
    if (kind < 0 || kind > 10)            /* no type of Linux at all */
        return -EINVAL;
    if (kind != SOCK_STREAM && kind != SOCK_DGRAM)
        return -ESOCKTNOSUPPORT;
    if (protocol < 0 || protocol > 262)
        return -EINVAL;
    if (protocol != 0 && protocol != (kind == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP))
        return -EPROTONOSUPPORT;
    struct sock *s;
    int fd = sock_make(w, kind == SOCK_STREAM ? SOCK_KIND_TCP : SOCK_KIND_UDP, &s);
    if (fd < 0)
        return fd;
    s->v6 = domain == AF_INET6;
    s->nonblock = (flags & SOCK_NONBLOCK) != 0;
    s->cloexec = (flags & SOCK_CLOEXEC) != 0;
    option_defaults(s);
    sock_address_any(s, &s->local.addr);
    return fd;
}

/* ------------------------------------------------------------ the stack's side ------------------------------------------------------------ */

void sock_attach(struct sock *s, pl_handle handle)
{
    s->handle = handle;
    pl_set_cookie(s->world->stack, handle, (uint64_t)s->fd + 1);
}

void sock_detach(struct sock *s)
{
    if (s->handle)
        pl_close(s->world->stack, s->handle);
    s->handle = 0;
}

static void note_error(struct sock *s)
{
    int e = pl_error(s->world->stack, s->handle);
    if (s->error_seen || e == 0)
        return;
    s->error_seen = true;
    s->error = e == PL_ECONNABORTED ? ECONNRESET : -sock_errno(e);      /* ours, see stream_refuses: programs know one word for it */
    if (s->error == ECONNRESET && s->peer_finished)      /* POSIX send: "the socket ... is no longer connected": it had said that it is done */
        s->error = EPIPE;
}

void sock_sync(struct sock *s)
{
    if (s->kind == SOCK_KIND_UDP)
        datagram_pull(s);
    if (s->kind != SOCK_KIND_TCP || !s->handle || s->state == SOCK_LISTENING)
        return;
    uint32_t bits = pl_ready(s->world->stack, s->handle);
    if (s->state == SOCK_CONNECTING && (bits & PL_EV_CONNECTED))
        s->state = SOCK_CONNECTED;
    if (bits & PL_EV_PEER_FINISHED)
        s->peer_finished = true;
    if (bits & PL_EV_URGENT)
        urgent_sync(s);
    note_error(s);
    if (bits & PL_EV_CLOSED)
        s->over = true;
}

int sock_error_take(struct sock *s)
{
    int e = s->error;
    s->error = 0;
    return -e;
}

static void tcp_event(struct sock *s, uint32_t bits)
{
    uint32_t wakes = 0;
    if (bits & PL_EV_ACCEPTABLE || bits & PL_EV_READABLE)
        wakes |= EPOLLIN | EPOLLRDNORM;
    if (bits & PL_EV_URGENT)
        wakes |= EPOLLPRI;
    if (stream_refuses(s))
        bits |= PL_EV_CLOSED;
    sock_sync(s);
    if (bits & (PL_EV_CONNECTED | PL_EV_PEER_FINISHED | PL_EV_ERROR | PL_EV_CLOSED))
        epoll_wake(s, WAKE_ALL);
    else if (wakes)
        epoll_wake(s, wakes);
}

static void udp_event(struct sock *s, uint32_t bits)
{
    bool had = s->held;
    int error = s->error;
    datagram_pull(s);
    if ((bits & PL_EV_READABLE) && (s->held || had))
        epoll_wake(s, EPOLLIN | EPOLLRDNORM);
    if (s->error != error)
        epoll_wake(s, WAKE_ALL);
    if (bits & PL_EV_WRITABLE)
        epoll_wake(s, EPOLLOUT | EPOLLWRNORM);
}

/* Those that could not write: can they now? Few are so at one time. */
static void feed_starved(struct sock_world *w)
{
    for (int i = 0; i < w->files_high && w->starved; i++) {
        struct sock *s = w->file[i];
        if (!s || !s->starved || !stream_writable(s))
            continue;
        s->starved = false;
        w->starved--;
        epoll_wake(s, EPOLLOUT | EPOLLWRNORM);
    }
}

void sock_take_events(struct sock_world *w, const struct sock *but)
{
    struct pl_event e;
    while (pl_event_next(w->stack, &e)) {
        struct sock *s = e.cookie ? sock_find(w, (int)(e.cookie - 1)) : NULL;
        if (!s || s == but || s->handle != e.handle)
            continue;
        if (s->kind == SOCK_KIND_TCP)
            tcp_event(s, e.bits);
        else if (s->kind == SOCK_KIND_UDP)
            udp_event(s, e.bits);
    }
}

void sock_turn(struct sock_world *w, pl_time now)
{
    if (now > w->now)
        w->now = now;
    pl_poll(w->stack, w->now);
    sock_take_events(w, NULL);
    feed_starved(w);
}

/* ------------------------------------------------------------ waiting ------------------------------------------------------------ */

ssize_t sock_wait(struct sock *s, struct sock_op *op, short events, pl_time timeout, ssize_t late)
{
    if (!op)
        return late;
    if (!op->begun) {
        op->begun = true;
        op->serial = s->serial;
        op->until = timeout ? s->world->now + timeout : PL_NEVER;
    } else if (s->world->now >= op->until) {
        return late;
    }
    op->fd = s->fd;
    op->events = events;
    return SOCK_BLOCKED;
}

bool sock_op_ready(struct sock_world *w, const struct sock_op *op)
{
    if (op->fd < 0 || w->now >= op->until)
        return true;
    struct sock *s = op->fd < w->first_fd + w->files_high ? w->file[op->fd - w->first_fd] : NULL;
    if (s && s->serial == op->serial && s->closing)
        return close_ready(s);
    if (!s || s->serial != op->serial || (ready_events(s) & (op->events | POLLERR | POLLHUP)) != 0)
        return true;
    /* Who has bytes already and wants more takes any: SO_RCVLOWAT counts them all, POLLIN only those that are still here. */
    return s->kind == SOCK_KIND_TCP && op->done && (op->events & POLLIN) && stream_readable(s) > 0;
}

ssize_t sock_op_interrupt(const struct sock_op *op) { return op->done ? (ssize_t)op->done : -EINTR; }
