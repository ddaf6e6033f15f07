/* SPDX-License-Identifier: MIT
 *
 * behave_ready.c: what poll says.
 */
#include "behave.h"

#define K t->k

static void of_new_sockets(struct scene *t)
{
    struct name a = any4(t->port);
    int s = tcp4(t, 0), u = udp4(t, 0), b = tcp4(t, 0);
    told_ready(t, "tcp", s);
    told_ready(t, "udp", u);
    K->bind(K, b, SA(a));
    told_ready(t, "bound", b);
    K->listen(K, b, 1);
    told_ready(t, "listening", b);
}

static void of_a_connection(struct scene *t)
{
    struct both b = connected(t);
    char c;
    told_ready(t, "client", b.c);
    told_ready(t, "server", b.s);
    K->sendto(K, b.c, "x", 1, 0, NULL, 0);
    await(t, b.s, POLLIN);
    told_ready(t, "server with a byte", b.s);
    K->recvfrom(K, b.s, &c, 1, 0, NULL, NULL);
    told_ready(t, "server without", b.s);
}

static void only_what_was_asked(struct scene *t)
{
    struct both b = connected(t);
    struct pollfd p = {.fd = b.c, .events = POLLIN};
    told(t, "POLLIN", K->poll(K, &p, 1, 0));
    p.events = 0;
    told(t, "nothing asked", K->poll(K, &p, 1, 0));
    reset_by_peer(t, &b);
    told(t, "nothing asked, reset", K->poll(K, &p, 1, 0));
    say(t, "%s", ready_text((unsigned short)p.revents));
}

static void several(struct scene *t)
{
    struct both b = connected(t);
    int s = tcp4(t, 0);
    struct pollfd p[5] = {{b.c, POLLIN, 0x77}, {s, POLLOUT, 0}, {-1, POLLIN, 0x77}, {990, POLLIN, 0}, {b.c, POLLOUT, 0}};
    told(t, "poll", K->poll(K, p, 5, 0));
    for (int i = 0; i < 5; i++)
        say(t, "%d %s", i, ready_text((unsigned short)p[i].revents));
}

static void in_time(struct scene *t)
{
    struct both b = connected(t);
    struct pollfd p = {.fd = b.c, .events = POLLIN};
    told(t, "20 ms", K->poll(K, &p, 1, 20));
    K->sendto(K, b.s, "x", 1, 0, NULL, 0);
    told(t, "for ever", K->poll(K, &p, 1, -1));
}

static void of_connecting(struct scene *t)
{
    int l = listener(t, t->port, 5), c = make(t, 0, AF_INET, SOCK_STREAM | SOCK_NONBLOCK);
    struct name to = name4(1, t->port);
    struct pollfd p = {.fd = c, .events = POLLOUT}, q = {.fd = l, .events = POLLIN};
    told(t, "connect", K->connect(K, c, SA(to)));
    told(t, "client", K->poll(K, &p, 1, 1000));
    told(t, "listener", K->poll(K, &q, 1, 1000));
}

static void of_a_shutdown(struct scene *t)
{
    struct both b = connected(t);
    K->shutdown(K, b.s, SHUT_WR);
    await(t, b.c, POLLRDHUP);
    told_ready(t, "client", b.c);
    K->shutdown(K, b.c, SHUT_RD);
    told_ready(t, "client, which does not read any more", b.c);
    struct pollfd p = {.fd = b.c, .events = POLLRDHUP};
    told(t, "POLLRDHUP alone", K->poll(K, &p, 1, 0));
    K->shutdown(K, b.c, SHUT_WR);
    await(t, b.s, POLLRDHUP);
    K->settle(K);
    told_ready(t, "client, over", b.c);
    told_ready(t, "server, over", b.s);
}

static void of_an_epoll(struct scene *t)
{
    int e = keep(t, K->epoll_create(K, 0, 0));
    struct both b = connected(t);
    struct epoll_event ev = {.events = EPOLLIN};
    told_ready(t, "empty", e);
    told(t, "add", K->epoll_ctl(K, e, EPOLL_CTL_ADD, b.c, &ev));
    told_ready(t, "quiet", e);
    K->sendto(K, b.s, "x", 1, 0, NULL, 0);
    await(t, b.c, POLLIN);
    told_ready(t, "ready", e);
}

static void closed(struct scene *t)
{
    int s = tcp4(t, 0);
    K->close(K, s);
    gone(t, s);
    told_ready(t, "closed", s);
}

const struct behaviour behave_ready[] = {
    {"ready: new sockets", of_new_sockets},
    {"ready: a connection", of_a_connection},
    {"ready: only what was asked", only_what_was_asked},
    {"ready: several", several},
    {"ready: in time", in_time},
    {"ready: connecting", of_connecting},
    {"ready: after shutdown", of_a_shutdown},
    {"ready: an epoll descriptor", of_an_epoll},
    {"ready: a closed descriptor", closed},
    {NULL, NULL},
};
