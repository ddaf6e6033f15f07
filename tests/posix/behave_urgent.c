/* SPDX-License-Identifier: MIT
 *
 * behave_urgent.c: the out-of-band byte.
 */
#include "behave.h"

#include <linux/sockios.h>

#define K t->k

static ssize_t get(struct scene *t, int fd, void *b, size_t n, int flags) { return K->recvfrom(K, fd, b, n, flags, NULL, NULL); }
static ssize_t put(struct scene *t, int fd, const char *text, int flags) { return K->sendto(K, fd, text, strlen(text), flags, NULL, 0); }

static void at_mark(struct scene *t, int fd)
{
    int n = -1;
    int e = K->ioctl(K, fd, SIOCATMARK, &n);
    if (e)
        told(t, "SIOCATMARK", e);
    else
        say(t, "at mark: %d", n);
    K->ioctl(K, fd, FIONREAD, &n);
    say(t, "readable: %d", n);
}

/* "abc", then "X" out of band, then "def". */
static struct both sent(struct scene *t)
{
    struct both b = connected(t);
    set_int(t, "TCP_NODELAY", b.c, IPPROTO_TCP, TCP_NODELAY, 1);
    told(t, "send", put(t, b.c, "abc", 0));
    told(t, "send MSG_OOB", put(t, b.c, "X", MSG_OOB));
    told(t, "send", put(t, b.c, "def", 0));
    await(t, b.s, POLLPRI);
    K->settle(K);
    return b;
}

static void byte_first(struct scene *t)
{
    struct both b = sent(t);
    char c[16];
    told_ready(t, "poll", b.s);
    at_mark(t, b.s);
    told_bytes(t, "MSG_OOB | MSG_PEEK", get(t, b.s, c, 16, MSG_OOB | MSG_PEEK), c);
    told_bytes(t, "MSG_OOB", get(t, b.s, c, 16, MSG_OOB), c);
    told(t, "MSG_OOB again", get(t, b.s, c, 16, MSG_OOB));
    told_ready(t, "poll", b.s);
    told_bytes(t, "recv", get(t, b.s, c, 16, 0), c);
    at_mark(t, b.s);
    told_ready(t, "poll", b.s);
    told_bytes(t, "recv", get(t, b.s, c, 16, 0), c);
    at_mark(t, b.s);
}

static void stream_first(struct scene *t)
{
    struct both b = sent(t);
    char c[16];
    told_bytes(t, "recv", get(t, b.s, c, 16, 0), c);
    at_mark(t, b.s);
    told_ready(t, "poll", b.s);
    told_bytes(t, "MSG_OOB", get(t, b.s, c, 16, MSG_OOB), c);
    at_mark(t, b.s);
    told_bytes(t, "recv", get(t, b.s, c, 16, 0), c);
    at_mark(t, b.s);
}

static void byte_missed(struct scene *t)
{
    struct both b = sent(t);
    char c[16];
    told_bytes(t, "recv", get(t, b.s, c, 16, 0), c);
    told_bytes(t, "recv", get(t, b.s, c, 16, 0), c);
    told(t, "MSG_OOB", get(t, b.s, c, 16, MSG_OOB));
    told_ready(t, "poll", b.s);
}

static void in_line(struct scene *t)
{
    struct both b = connected(t);
    char c[16];
    set_int(t, "SO_OOBINLINE", b.s, SOL_SOCKET, SO_OOBINLINE, 1);
    set_int(t, "TCP_NODELAY", b.c, IPPROTO_TCP, TCP_NODELAY, 1);
    told(t, "send", put(t, b.c, "abc", 0));
    told(t, "send MSG_OOB", put(t, b.c, "X", MSG_OOB));
    told(t, "send", put(t, b.c, "def", 0));
    await(t, b.s, POLLIN);
    K->settle(K);
    told_ready(t, "poll", b.s);
    told(t, "MSG_OOB", get(t, b.s, c, 16, MSG_OOB));
    told_bytes(t, "recv", get(t, b.s, c, 16, 0), c);
    at_mark(t, b.s);
    told_bytes(t, "recv", get(t, b.s, c, 16, 0), c);
    at_mark(t, b.s);
}

static void none(struct scene *t)
{
    struct both b = connected(t);
    char c;
    told(t, "MSG_OOB", get(t, b.s, &c, 1, MSG_OOB));
    at_mark(t, b.s);
    told(t, "send", put(t, b.c, "abc", 0));
    await(t, b.s, POLLIN);
    told(t, "MSG_OOB", get(t, b.s, &c, 1, MSG_OOB));
}

static void alone(struct scene *t)
{
    struct both b = connected(t);
    char c;
    told(t, "send MSG_OOB", put(t, b.c, "X", MSG_OOB));
    await(t, b.s, POLLPRI);
    told_ready(t, "poll", b.s);
    at_mark(t, b.s);
    told(t, "recv", get(t, b.s, &c, 1, MSG_DONTWAIT));
    told_bytes(t, "MSG_OOB", get(t, b.s, &c, 1, MSG_OOB), &c);
    told_ready(t, "poll", b.s);
    told(t, "recv", get(t, b.s, &c, 1, MSG_DONTWAIT));
}

static void several_bytes(struct scene *t)
{
    struct both b = connected(t);
    char c[16];
    told(t, "send MSG_OOB", put(t, b.c, "abX", MSG_OOB));
    await(t, b.s, POLLPRI);
    K->settle(K);
    told_bytes(t, "MSG_OOB", get(t, b.s, c, 16, MSG_OOB), c);
    told_bytes(t, "recv", get(t, b.s, c, 16, MSG_DONTWAIT), c);
}

static void no_room(struct scene *t)
{
    struct both b = sent(t);
    char c;
    struct iovec v = {&c, 0};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};
    told(t, "MSG_OOB, 0 bytes", K->recvmsg(K, b.s, &m, MSG_OOB));
    say(t, "flags %x", m.msg_flags & (MSG_OOB | MSG_TRUNC));
    v.iov_len = 1;
    told_bytes(t, "MSG_OOB, 1 byte", K->recvmsg(K, b.s, &m, MSG_OOB), &c);
    say(t, "flags %x", m.msg_flags & (MSG_OOB | MSG_TRUNC));
}

static void waits_at_the_mark(struct scene *t)
{
    struct both b = sent(t);
    char c[16];
    told_bytes(t, "MSG_WAITALL 6", get(t, b.s, c, 6, MSG_WAITALL), c);
    told_bytes(t, "peek at the mark", get(t, b.s, c, 16, MSG_PEEK), c);
    told_bytes(t, "recv", get(t, b.s, c, 16, 0), c);
}

static void edge_of_the_byte(struct scene *t)
{
    struct both b = connected(t);
    int e = keep(t, K->epoll_create(K, 1, 0));
    struct epoll_event ev = {.events = EPOLLPRI | EPOLLET};
    told(t, "add", K->epoll_ctl(K, e, EPOLL_CTL_ADD, b.s, &ev));
    told(t, "send", put(t, b.c, "a", 0));
    K->settle(K);
    told(t, "wait", K->epoll_wait(K, e, &ev, 1, 0));
    told(t, "send MSG_OOB", put(t, b.c, "X", MSG_OOB));
    await(t, b.s, POLLPRI);
    int n = K->epoll_wait(K, e, &ev, 1, 0);
    say(t, "%d %s", n, n == 1 ? ready_text(ev.events) : "");
}

const struct behaviour behave_urgent[] = {
    {"urgent: the byte first", byte_first},
    {"urgent: the stream first", stream_first},
    {"urgent: the byte missed", byte_missed},
    {"urgent: in line", in_line},
    {"urgent: none", none},
    {"urgent: alone", alone},
    {"urgent: the last of several", several_bytes},
    {"urgent: no room for it", no_room},
    {"urgent: reading stops at the mark", waits_at_the_mark},
    {"urgent: edge", edge_of_the_byte},
    {NULL, NULL},
};
