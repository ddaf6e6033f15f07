/* SPDX-License-Identifier: MIT */
#include "behave.h"

#include <arpa/inet.h>
#include <stdio.h>

struct name name4(int host, uint16_t port)
{
    struct name a = {.n = sizeof(struct sockaddr_in)};
    struct sockaddr_in *in = (struct sockaddr_in *)&a.ss;
    in->sin_family = AF_INET;
    in->sin_port = htons(port);
    in->sin_addr.s_addr = htonl(0xc0000201u + (unsigned)host);
    return a;
}

struct name any4(uint16_t port)
{
    struct name a = name4(0, port);
    ((struct sockaddr_in *)&a.ss)->sin_addr.s_addr = 0;
    return a;
}

struct name any6(uint16_t port)
{
    struct name a = {.n = sizeof(struct sockaddr_in6)};
    struct sockaddr_in6 *in = (struct sockaddr_in6 *)&a.ss;
    in->sin6_family = AF_INET6;
    in->sin6_port = htons(port);
    return a;
}

struct name name6(int host, uint16_t port)
{
    struct name a = any6(port);
    inet_pton(AF_INET6, host ? "2001:db8::2" : "2001:db8::1", &((struct sockaddr_in6 *)&a.ss)->sin6_addr);
    return a;
}

struct name mapped(int host, uint16_t port)
{
    struct name a = any6(port);
    inet_pton(AF_INET6, host ? "::ffff:192.0.2.2" : "::ffff:192.0.2.1", &((struct sockaddr_in6 *)&a.ss)->sin6_addr);
    return a;
}

/* ------------------------------------------------------------ saying ------------------------------------------------------------ */

void say(struct scene *t, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    int n = vsnprintf(t->text + t->length, sizeof t->text - t->length - 2, format, list);
    va_end(list);
    t->length += n > 0 ? (size_t)n : 0;
    if (t->length > sizeof t->text - 2)
        t->length = sizeof t->text - 2;
    t->text[t->length++] = '\n';
    t->text[t->length] = 0;
}

void told(struct scene *t, const char *what, ssize_t result)
{
    if (result < 0)
        say(t, "%s = %s", what, strerrorname_np((int)-result));
    else
        say(t, "%s = %zd", what, result);
}

void told_fd(struct scene *t, const char *what, int result)
{
    if (result < 0)
        told(t, what, result);
    else
        say(t, "%s = ok", what);
    keep(t, result);
}

void told_bytes(struct scene *t, const char *what, ssize_t result, const void *bytes)
{
    if (result < 0 || result > 64)
        told(t, what, result);
    else
        say(t, "%s = %zd \"%.*s\"", what, result, (int)result, (const char *)bytes);
}

void told_name(struct scene *t, const char *what, const struct name *a, uint16_t chosen)
{
    char text[64] = "?";
    const struct sockaddr_in *in = (const struct sockaddr_in *)&a->ss;
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&a->ss;
    bool six = a->ss.ss_family == AF_INET6;
    uint16_t port = ntohs(six ? in6->sin6_port : in->sin_port);
    inet_ntop(a->ss.ss_family, six ? (const void *)&in6->sin6_addr : (const void *)&in->sin_addr, text, sizeof text);
    if (port == 0 || (port >= chosen && port < chosen + 8))
        say(t, "%s = %s +%d, %d bytes", what, text, port ? port - chosen : -1, (int)a->n);
    else
        say(t, "%s = %s chosen, %d bytes", what, text, (int)a->n);
}

const char *ready_text(unsigned events)
{
    static const struct {
        unsigned bit;
        const char *name;
    } bits[] = {{POLLIN, "IN"}, {POLLPRI, "PRI"}, {POLLOUT, "OUT"}, {POLLERR, "ERR"}, {POLLHUP, "HUP"}, {POLLNVAL, "NVAL"}, {POLLRDHUP, "RDHUP"},
                {POLLRDNORM, "RDNORM"}, {POLLRDBAND, "RDBAND"}, {POLLWRNORM, "WRNORM"}, {POLLWRBAND, "WRBAND"}};
    static char text[128];
    text[0] = 0;
    for (size_t i = 0; i < sizeof bits / sizeof *bits; i++)
        if (events & bits[i].bit) {
            strcat(text, text[0] ? "|" : "");
            strcat(text, bits[i].name);
        }
    return text[0] ? text : "nothing";
}

void told_ready(struct scene *t, const char *what, int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN | POLLPRI | POLLOUT | POLLRDHUP | POLLRDNORM | POLLRDBAND | POLLWRNORM | POLLWRBAND};
    int n = t->k->poll(t->k, &p, 1, 0);
    say(t, "%s: %d %s", what, n, ready_text((unsigned short)p.revents));
}

/* ------------------------------------------------------------ making ------------------------------------------------------------ */

int keep(struct scene *t, int fd)
{
    if (fd >= 0 && t->fds < SCENE_FDS)
        t->fd[t->fds++] = fd;
    return fd;
}

void gone(struct scene *t, int fd)
{
    for (int i = 0; i < t->fds; i++)
        if (t->fd[i] == fd)
            t->fd[i--] = t->fd[--t->fds];
}

int make(struct scene *t, int host, int domain, int type) { return keep(t, t->k->socket(t->k, host, domain, type, 0)); }
int tcp4(struct scene *t, int host) { return make(t, host, AF_INET, SOCK_STREAM); }
int tcp6(struct scene *t, int host) { return make(t, host, AF_INET6, SOCK_STREAM); }
int udp4(struct scene *t, int host) { return make(t, host, AF_INET, SOCK_DGRAM); }

int listener(struct scene *t, uint16_t port, int backlog)
{
    int l = tcp4(t, 1), on = 1;
    struct name a = any4(port);
    t->k->setsockopt(t->k, l, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    int e = t->k->bind(t->k, l, SA(a));
    if (e == 0)
        e = t->k->listen(t->k, l, backlog);
    if (e)
        told(t, "listener", e);
    return l;
}

struct both connected(struct scene *t)
{
    struct both b = {listener(t, t->port, 5), tcp4(t, 0), -1};
    struct name a = name4(1, t->port);
    int e = t->k->connect(t->k, b.c, SA(a));
    if (e)
        told(t, "connect", e);
    b.s = keep(t, t->k->accept(t->k, b.l, NULL, NULL, 0));
    if (b.s < 0)
        told(t, "accept", b.s);
    return b;
}

void nonblocking(struct scene *t, int fd)
{
    int e = t->k->fcntl(t->k, fd, F_SETFL, O_NONBLOCK);
    if (e)
        told(t, "fcntl", e);
}

void set_int(struct scene *t, const char *what, int fd, int level, int name, int v)
{
    int e = t->k->setsockopt(t->k, fd, level, name, &v, sizeof v);
    say(t, "set %s %d = %s", what, v, e ? strerrorname_np(-e) : "0");
}

void get_int(struct scene *t, const char *what, int fd, int level, int name)
{
    int v = -4711;
    socklen_t n = sizeof v;
    int e = t->k->getsockopt(t->k, fd, level, name, &v, &n);
    if (e)
        say(t, "get %s = %s", what, strerrorname_np(-e));
    else
        say(t, "get %s = %d, %d bytes", what, v, (int)n);
}

void await(struct scene *t, int fd, short events)
{
    struct pollfd p = {.fd = fd, .events = events};
    if (t->k->poll(t->k, &p, 1, 5000) != 1)
        say(t, "in vain: waited for %s", ready_text((unsigned short)events));
}

void reset_by_peer(struct scene *t, struct both *b)
{
    struct linger l = {1, 0};
    t->k->setsockopt(t->k, b->s, SOL_SOCKET, SO_LINGER, &l, sizeof l);
    told(t, "close with reset", t->k->close(t->k, b->s));
    gone(t, b->s);
    b->s = -1;
    await(t, b->c, POLLHUP);
}
