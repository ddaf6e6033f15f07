/* SPDX-License-Identifier: MIT
 *
 * calls.c: the socket calls of the plug. A descriptor outside is a real one (of /dev/null), so that it can be polled, copied and closed like any other; `inside`
 * says which socket of the world it stands for.
 */
#include "plug/plug.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

static ssize_t ssize_of(ssize_t r)
{
    if (r >= 0)
        return r;
    errno = (int)-r;
    return -1;
}

bool plug_has(const struct plug *p, int fd) { return p && fd >= 0 && fd < PLUG_FDS && p->inside[fd] >= 0; }

static int in(const struct plug *p, int fd) { return plug_has(p, fd) ? p->inside[fd] : -1; }

/* A real descriptor for a socket of the world. */
static int outside(struct plug *p, int inner)
{
    if (inner < 0)
        return inner;
    int fd = (int)syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDWR | O_CLOEXEC);
    if (fd < 0 || fd >= PLUG_FDS) {
        if (fd >= 0)
            syscall(SYS_close, fd);
        sock_close(p->node.world, inner, NULL);
        return -EMFILE;
    }
    p->inside[fd] = inner;
    return fd;
}

/* ------------------------------------------------------------------ calls that wait ------------------------------------------------------------------ */

struct waiting {
    struct plug *p;
    struct sock_op op;
};

static bool enter(struct waiting *w, void *u)
{
    *w = (struct waiting){.p = u};
    pthread_mutex_lock(&w->p->lock);
    return plug_ready(w->p);
}

/* The call would wait: sleeps until it may get further. False: `r` is its result. */
static bool again(struct waiting *w, ssize_t r)
{
    struct plug *p = w->p;
    plug_settle(p);
    if (r != SOCK_BLOCKED)
        return false;
    struct plug_waiter me = {.next = p->waiters, .thread = pthread_self(), .op = &w->op}, **at;
    p->waiters = &me;
    plug_unfreeze(p);                     /* woken before, and there was not enough for it: time goes on */
    while (!me.woken)
        pthread_cond_wait(&p->changed, &p->lock);
    for (at = &p->waiters; *at != &me; at = &(*at)->next) {}
    *at = me.next;
    return true;
}

static ssize_t leave(struct waiting *w, ssize_t r)
{
    pthread_mutex_unlock(&w->p->lock);
    return ssize_of(r);
}

/* Runs `call`, which may wait, with the lock held. */
#define WAITING(u, call)                                                                                                                              \
    struct waiting w;                                                                                                                                 \
    ssize_t r = enter(&w, u) ? 0 : -errno;                                                                                                            \
    if (r == 0)                                                                                                                                       \
        do                                                                                                                                            \
            r = (call);                                                                                                                               \
        while (again(&w, r));                                                                                                                         \
    return leave(&w, r)
#define INNER in(w.p, fd)

static int do_socket(void *u, int domain, int type, int protocol)
{
    WAITING(u, outside(w.p, sock_socket(w.p->node.world, domain, type, protocol)));
}

static int bind_inside(struct plug *p, int fd, const struct sockaddr *name, socklen_t bytes)
{
    if (name && bytes >= sizeof(sa_family_t))
        plug_knows_address(p, name);      /* packetdrill chooses the addresses; bind says what is wrong with this one */
    return sock_bind(p->node.world, in(p, fd), name, bytes);
}

static int do_bind(void *u, int fd, const struct sockaddr *name, socklen_t bytes) { WAITING(u, bind_inside(w.p, fd, name, bytes)); }

static int do_listen(void *u, int fd, int backlog) { WAITING(u, sock_listen(w.p->node.world, INNER, backlog)); }

static int do_accept(void *u, int fd, struct sockaddr *name, socklen_t *bytes)
{
    struct waiting w;
    ssize_t r = -ENOMEM;
    if (enter(&w, u)) {
        do
            r = sock_accept(w.p->node.world, INNER, name, bytes, 0, &w.op);
        while (again(&w, r));
        r = outside(w.p, (int)r);
    }
    return (int)leave(&w, r);
}

static int do_connect(void *u, int fd, const struct sockaddr *name, socklen_t bytes) { WAITING(u, sock_connect(w.p->node.world, INNER, name, bytes, &w.op)); }

/* ------------------------------------------------------------------ bytes ------------------------------------------------------------------ */

static ssize_t receive(void *u, int fd, const struct iovec *iov, size_t n, int flags, struct sockaddr *name, socklen_t *bytes)
{
    struct msghdr m = {.msg_iov = (struct iovec *)(uintptr_t)iov, .msg_iovlen = n, .msg_name = name, .msg_namelen = bytes ? *bytes : 0};
    struct waiting w;
    ssize_t r = -ENOMEM;
    if (enter(&w, u))
        do
            r = sock_recvmsg(w.p->node.world, INNER, &m, flags, &w.op);
        while (again(&w, r));
    if (r >= 0 && bytes)
        *bytes = m.msg_namelen;
    return leave(&w, r);
}

static ssize_t give(void *u, int fd, const struct iovec *iov, size_t n, int flags, const struct sockaddr *name, socklen_t bytes)
{
    struct msghdr m = {.msg_iov = (struct iovec *)(uintptr_t)iov, .msg_iovlen = n, .msg_name = (void *)(uintptr_t)name, .msg_namelen = bytes};
    WAITING(u, sock_sendmsg(w.p->node.world, INNER, &m, flags, &w.op));
}

static ssize_t do_read(void *u, int fd, void *to, size_t n) { WAITING(u, sock_read(w.p->node.world, INNER, to, n, &w.op)); }
static ssize_t do_readv(void *u, int fd, const struct iovec *v, int n) { WAITING(u, sock_readv(w.p->node.world, INNER, v, n, &w.op)); }
static ssize_t do_recv(void *u, int fd, void *to, size_t n, int flags) { return receive(u, fd, &(struct iovec){to, n}, 1, flags, NULL, NULL); }
static ssize_t do_recvfrom(void *u, int fd, void *to, size_t n, int flags, struct sockaddr *name, socklen_t *bytes)
{
    return receive(u, fd, &(struct iovec){to, n}, 1, flags, name, bytes);
}
static ssize_t do_recvmsg(void *u, int fd, struct msghdr *m, int flags) { WAITING(u, sock_recvmsg(w.p->node.world, INNER, m, flags, &w.op)); }
static ssize_t do_write(void *u, int fd, const void *p, size_t n) { WAITING(u, sock_write(w.p->node.world, INNER, p, n, &w.op)); }
static ssize_t do_writev(void *u, int fd, const struct iovec *v, int n) { WAITING(u, sock_writev(w.p->node.world, INNER, v, n, &w.op)); }
static ssize_t do_send(void *u, int fd, const void *p, size_t n, int flags) { return give(u, fd, &(struct iovec){(void *)(uintptr_t)p, n}, 1, flags, NULL, 0); }
static ssize_t do_sendto(void *u, int fd, const void *p, size_t n, int flags, const struct sockaddr *name, socklen_t bytes)
{
    return give(u, fd, &(struct iovec){(void *)(uintptr_t)p, n}, 1, flags, name, bytes);
}
static ssize_t do_sendmsg(void *u, int fd, const struct msghdr *m, int flags) { WAITING(u, sock_sendmsg(w.p->node.world, INNER, m, flags, &w.op)); }

/* ------------------------------------------------------------------ the rest ------------------------------------------------------------------ */

static int do_fcntl(void *u, int fd, int command, ...)
{
    va_list args;
    va_start(args, command);
    long argument = va_arg(args, long);
    va_end(args);
    WAITING(u, sock_fcntl(w.p->node.world, INNER, command, argument));
}

static int do_ioctl(void *u, int fd, unsigned long request, ...)
{
    va_list args;
    va_start(args, request);
    void *argument = va_arg(args, void *);
    va_end(args);
    WAITING(u, sock_ioctl(w.p->node.world, INNER, request, argument));
}

int plug_close(void *u, int fd)
{
    struct waiting w;
    ssize_t r = -EBADF;
    if (enter(&w, u) && plug_has(w.p, fd)) {
        do
            r = sock_close(w.p->node.world, INNER, &w.op);
        while (again(&w, r));
        w.p->inside[fd] = -1;
        syscall(SYS_close, fd);
    }
    return (int)leave(&w, r);
}

static int do_shutdown(void *u, int fd, int how) { WAITING(u, sock_shutdown(w.p->node.world, INNER, how)); }

int plug_getsockopt(void *u, int fd, int level, int name, void *value, socklen_t *bytes)
{
    WAITING(u, sock_getsockopt(w.p->node.world, INNER, level, name, value, bytes));
}

static int do_setsockopt(void *u, int fd, int level, int name, const void *value, socklen_t bytes)
{
    WAITING(u, sock_setsockopt(w.p->node.world, INNER, level, name, value, bytes));
}

static pl_time ms(int timeout) { return timeout < 0 ? PL_NEVER : (pl_time)timeout * PL_MS; }

static int do_poll(void *u, struct pollfd *set, nfds_t n, int timeout)
{
    struct waiting w;
    ssize_t r = -ENOMEM;
    struct pollfd *inner = n <= PLUG_FDS ? malloc((n ? n : 1) * sizeof *inner) : NULL;
    if (enter(&w, u) && inner) {
        for (nfds_t i = 0; i < n; i++)
            inner[i] = (struct pollfd){.fd = set[i].fd < 0 ? -1 : plug_has(w.p, set[i].fd) ? w.p->inside[set[i].fd] : PLUG_FDS, .events = set[i].events};
        do
            r = sock_poll(w.p->node.world, inner, n, ms(timeout), &w.op);
        while (again(&w, r));
        for (nfds_t i = 0; i < n && r >= 0; i++)
            set[i].revents = inner[i].revents;
    }
    free(inner);
    return (int)leave(&w, r);
}

static int do_epoll_create(void *u, int size)
{
    if (size <= 0)
        return (int)ssize_of(-EINVAL);
    WAITING(u, outside(w.p, sock_epoll_create(w.p->node.world, 0)));
}

static int do_epoll_ctl(void *u, int epoll_fd, int what, int fd, struct epoll_event *e)
{
    WAITING(u, sock_epoll_ctl(w.p->node.world, in(w.p, epoll_fd), what, INNER, e));
}

static int do_epoll_wait(void *u, int epoll_fd, struct epoll_event *e, int max, int timeout)
{
    WAITING(u, sock_epoll_wait(w.p->node.world, in(w.p, epoll_fd), e, max, ms(timeout), &w.op));
}

/* A pipe is the system's; bytes between it and a socket go through a buffer. */
static int do_pipe(void *u, int fd[2])
{
    (void)u;
    return (int)ssize_of(pipe2(fd, O_CLOEXEC) == 0 ? 0 : -errno);
}

static ssize_t do_splice(void *u, int from, off64_t *off_in, int to, off64_t *off_out, size_t n, unsigned flags)
{
    struct plug *p = u;
    uint8_t bytes[65536];
    if (off_in || off_out)
        return ssize_of(-ESPIPE);
    if (plug_has(p, from) == plug_has(p, to))
        return ssize_of(-EINVAL);         /* one end is a socket of ours, the other a pipe */
    n = n < sizeof bytes ? n : sizeof bytes;
    int message = flags & SPLICE_F_NONBLOCK ? MSG_DONTWAIT : 0;
    if (plug_has(p, from)) {
        ssize_t got = do_recv(u, from, bytes, n, message);
        return got <= 0 ? got : write(to, bytes, (size_t)got);
    }
    ssize_t got = read(from, bytes, n);
    return got <= 0 ? got : do_send(u, to, bytes, (size_t)got, message | (flags & SPLICE_F_MORE ? MSG_MORE : 0));
}

static int splice_int(void *u, int from, off64_t *off_in, int to, off64_t *off_out, size_t n, unsigned flags)
{
    return (int)do_splice(u, from, off_in, to, off_out, n, flags);
}

void plug_fill(struct packetdrill_interface *to)
{
    to->socket = do_socket, to->bind = do_bind, to->listen = do_listen, to->accept = do_accept, to->connect = do_connect;
    to->read = do_read, to->readv = do_readv, to->recv = do_recv, to->recvfrom = do_recvfrom, to->recvmsg = do_recvmsg;
    to->write = do_write, to->writev = do_writev, to->send = do_send, to->sendto = do_sendto, to->sendmsg = do_sendmsg;
    to->fcntl = do_fcntl, to->ioctl = do_ioctl, to->close = plug_close, to->shutdown = do_shutdown;
    to->getsockopt = plug_getsockopt, to->setsockopt = do_setsockopt, to->poll = do_poll;
    to->epoll_create = do_epoll_create, to->epoll_ctl = do_epoll_ctl, to->epoll_wait = do_epoll_wait;
    to->pipe = do_pipe, to->splice = splice_int;
}
