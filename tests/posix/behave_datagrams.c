/* SPDX-License-Identifier: MIT
 *
 * behave_datagrams.c: UDP.
 */
#include "behave.h"

#include <linux/sockios.h>

#define K t->k

static int bound(struct scene *t, int host, uint16_t port)
{
    int u = udp4(t, host);
    struct name a = any4(port);
    int e = K->bind(K, u, SA(a));
    if (e)
        told(t, "bind", e);
    return u;
}

static ssize_t to(struct scene *t, int u, int host, uint16_t port, const char *text)
{
    struct name a = name4(host, port);
    return K->sendto(K, u, text, strlen(text), 0, SA(a));
}

static void there_and_back(struct scene *t)
{
    int a = udp4(t, 0), b = bound(t, 1, t->port);
    struct name from = {.n = sizeof from.ss}, me = {.n = sizeof me.ss};
    char c[16];
    told(t, "sendto", to(t, a, 1, t->port, "hello"));
    told_bytes(t, "recvfrom", K->recvfrom(K, b, c, 16, 0, (struct sockaddr *)&from.ss, &from.n), c);
    told_name(t, "from", &from, t->port);
    told(t, "answer", K->sendto(K, b, "yes", 3, 0, SA(from)));
    told_bytes(t, "recv", K->recvfrom(K, a, c, 16, 0, NULL, NULL), c);
    told(t, "getsockname", K->getsockname(K, a, (struct sockaddr *)&me.ss, &me.n));
    told_name(t, "me", &me, t->port);
}

static void borders(struct scene *t)
{
    int a = udp4(t, 0), b = bound(t, 1, t->port), n = -1;
    char c[16] = "";
    to(t, a, 1, t->port, "abcdef");
    to(t, a, 1, t->port, "");
    to(t, a, 1, t->port, "gh");
    await(t, b, POLLIN);
    K->settle(K);
    told(t, "FIONREAD", K->ioctl(K, b, FIONREAD, &n));
    say(t, "%d", n);
    told_bytes(t, "peek", K->recvfrom(K, b, c, 16, MSG_PEEK, NULL, NULL), c);
    told_bytes(t, "recv 3", K->recvfrom(K, b, c, 3, 0, NULL, NULL), c);
    told(t, "FIONREAD", K->ioctl(K, b, FIONREAD, &n));
    say(t, "%d", n);
    told_ready(t, "an empty one waits", b);
    told_bytes(t, "recv", K->recvfrom(K, b, c, 16, 0, NULL, NULL), c);
    told(t, "recv 1, MSG_TRUNC", K->recvfrom(K, b, c, 1, MSG_TRUNC, NULL, NULL));
    told(t, "recv", K->recvfrom(K, b, c, 16, MSG_DONTWAIT, NULL, NULL));
}

static void truncated(struct scene *t)
{
    int a = udp4(t, 0), b = bound(t, 1, t->port);
    char c[3] = "", name[64];
    struct iovec v = {c, 3};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_name = name, .msg_namelen = sizeof name};
    to(t, a, 1, t->port, "abcdef");
    await(t, b, POLLIN);
    told_bytes(t, "recvmsg", K->recvmsg(K, b, &m, 0), c);
    say(t, "flags %s, name %d", m.msg_flags & MSG_TRUNC ? "MSG_TRUNC" : "none", (int)m.msg_namelen);
}

static void no_destination(struct scene *t)
{
    int a = udp4(t, 0);
    struct name p = name4(1, 0), six = name6(1, t->port);
    told(t, "send", K->sendto(K, a, "x", 1, 0, NULL, 0));
    told(t, "write", K->write(K, a, "x", 1));
    told(t, "to port 0", K->sendto(K, a, "x", 1, 0, SA(p)));
    told(t, "to a 6", K->sendto(K, a, "x", 1, 0, SA(six)));
    p = name4(1, t->port);
    told(t, "15 bytes of address", K->sendto(K, a, "x", 1, 0, (struct sockaddr *)&p.ss, 15));
    ((struct sockaddr_in *)&p.ss)->sin_addr.s_addr = htonl(0xc6336401);
    told(t, "to where no route leads", K->sendto(K, a, "x", 1, 0, SA(p)));
}

static void broadcast(struct scene *t)
{
    int a = udp4(t, 0), b = bound(t, 1, t->port);
    struct name p = name4(1, t->port);
    char c;
    ((struct sockaddr_in *)&p.ss)->sin_addr.s_addr = htonl(0xc00002ff);
    told(t, "sendto", K->sendto(K, a, "x", 1, 0, SA(p)));
    told(t, "connect", K->connect(K, a, SA(p)));
    set_int(t, "SO_BROADCAST", a, SOL_SOCKET, SO_BROADCAST, 1);
    told(t, "sendto", K->sendto(K, a, "x", 1, 0, SA(p)));
    told_bytes(t, "recv", K->recvfrom(K, b, &c, 1, 0, NULL, NULL), &c);
    told(t, "connect", K->connect(K, a, SA(p)));
}

static void limited_broadcast(struct scene *t)
{
    struct name p = name4(1, t->port);
    ((struct sockaddr_in *)&p.ss)->sin_addr.s_addr = htonl(0xffffffff);
    told(t, "sendto", K->sendto(K, udp4(t, 0), "x", 1, 0, SA(p)));
}

static void connected_ones(struct scene *t)
{
    int a = udp4(t, 0), b = bound(t, 1, t->port), other = bound(t, 1, t->port + 1);
    struct name n = name4(1, t->port), me = {.n = sizeof me.ss};
    char c[16];
    told(t, "getpeername", K->getpeername(K, a, (struct sockaddr *)&me.ss, &me.n));
    told(t, "connect", K->connect(K, a, SA(n)));
    me.n = sizeof me.ss;
    told(t, "getsockname", K->getsockname(K, a, (struct sockaddr *)&me.ss, &me.n));
    told_name(t, "me", &me, t->port);
    struct name to_me = me;
    told(t, "getpeername", K->getpeername(K, a, (struct sockaddr *)&me.ss, &me.n));
    told_name(t, "peer", &me, t->port);
    told(t, "send", K->sendto(K, a, "x", 1, 0, NULL, 0));
    told_bytes(t, "recv", K->recvfrom(K, b, c, 16, 0, NULL, NULL), c);
    told(t, "from a stranger", K->sendto(K, other, "no", 2, 0, SA(to_me)));
    told(t, "from the peer", K->sendto(K, b, "yes", 3, 0, SA(to_me)));
    await(t, a, POLLIN);
    told_bytes(t, "recv", K->recvfrom(K, a, c, 16, MSG_DONTWAIT, NULL, NULL), c);
    told(t, "recv", K->recvfrom(K, a, c, 16, MSG_DONTWAIT, NULL, NULL));
    told(t, "sendto another", to(t, a, 1, t->port + 1, "z"));
    told_bytes(t, "recv", K->recvfrom(K, other, c, 16, 0, NULL, NULL), c);
}

static void before_connect(struct scene *t)
{
    int a = bound(t, 0, t->port), peer = bound(t, 1, t->port + 1), other = bound(t, 1, t->port + 2);
    struct name n = name4(1, t->port + 1);
    char c[16];
    to(t, other, 0, t->port, "one");
    to(t, other, 0, t->port, "two");
    await(t, a, POLLIN);
    K->settle(K);
    told(t, "connect", K->connect(K, a, SA(n)));
    to(t, other, 0, t->port, "no");
    to(t, peer, 0, t->port, "three");
    K->settle(K);
    for (int i = 0; i < 4; i++)
        told_bytes(t, "recv", K->recvfrom(K, a, c, 16, MSG_DONTWAIT, NULL, NULL), c);
}

static void disconnected(struct scene *t)
{
    int a = udp4(t, 0);
    struct name n = name4(1, t->port), nobody = {.n = sizeof(struct sockaddr_in)}, me = {.n = sizeof me.ss};
    nobody.ss.ss_family = AF_UNSPEC;
    told(t, "connect", K->connect(K, a, SA(n)));
    told(t, "connect again", K->connect(K, a, SA(n)));
    told(t, "connect to nobody", K->connect(K, a, SA(nobody)));
    told(t, "getpeername", K->getpeername(K, a, (struct sockaddr *)&me.ss, &me.n));
    told(t, "send", K->sendto(K, a, "x", 1, 0, NULL, 0));
    me.n = sizeof me.ss;
    told(t, "getsockname", K->getsockname(K, a, (struct sockaddr *)&me.ss, &me.n));
    told_name(t, "me", &me, t->port);
}

static void nobody_there(struct scene *t)
{
    int a = udp4(t, 0);
    struct name n = name4(1, t->port);
    char c;
    told(t, "connect", K->connect(K, a, SA(n)));
    told(t, "send", K->sendto(K, a, "x", 1, 0, NULL, 0));
    await(t, a, POLLERR);
    told_ready(t, "poll", a);
    told(t, "recv", K->recvfrom(K, a, &c, 1, 0, NULL, NULL));
    told(t, "recv", K->recvfrom(K, a, &c, 1, MSG_DONTWAIT, NULL, NULL));
    told(t, "send", K->sendto(K, a, "x", 1, 0, NULL, 0));
    K->settle(K);
    get_int(t, "SO_ERROR", a, SOL_SOCKET, SO_ERROR);
    get_int(t, "SO_ERROR", a, SOL_SOCKET, SO_ERROR);
}

static void nobody_there_send(struct scene *t)
{
    int a = udp4(t, 0);
    struct name n = name4(1, t->port);
    told(t, "connect", K->connect(K, a, SA(n)));
    told(t, "send", K->sendto(K, a, "x", 1, 0, NULL, 0));
    await(t, a, POLLERR);
    told(t, "send", K->sendto(K, a, "x", 1, 0, NULL, 0));
}

static void nobody_there_unconnected(struct scene *t)
{
    int a = udp4(t, 0);
    char c;
    told(t, "sendto", to(t, a, 1, t->port, "x"));
    K->settle(K);
    told_ready(t, "poll", a);
    told(t, "recv", K->recvfrom(K, a, &c, 1, MSG_DONTWAIT, NULL, NULL));
    told(t, "sendto", to(t, a, 1, t->port, "x"));
}

static void too_large(struct scene *t)
{
    int a = udp4(t, 0);
    static char block[70000];
    struct name n = name4(1, t->port);
    told(t, "65508 bytes", K->sendto(K, a, block, 65508, 0, SA(n)));
    told(t, "70000 bytes", K->sendto(K, a, block, 70000, 0, SA(n)));
    told(t, "1472 bytes", K->sendto(K, a, block, 1472, 0, SA(n)));
}

static void fragments(struct scene *t)
{
    int a = udp4(t, 0);
    static char block[3000];
    struct name n = name4(1, t->port);
    told(t, "3000 bytes", K->sendto(K, a, block, 3000, 0, SA(n)));
}

static void two_on_a_port(struct scene *t)
{
    bound(t, 0, t->port);
    int b = udp4(t, 0);
    struct name a = any4(t->port), one = name4(0, t->port);
    told(t, "bind", K->bind(K, b, SA(a)));
    told(t, "bind to one", K->bind(K, b, SA(one)));
}

static void two_who_reuse(struct scene *t)
{
    struct name a = any4(t->port);
    for (int i = 0; i < 2; i++) {
        int u = udp4(t, 0), on = 1;
        K->setsockopt(K, u, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        told(t, "bind", K->bind(K, u, SA(a)));
    }
}

static void one_address_and_any(struct scene *t)
{
    int any = udp4(t, 1), one = udp4(t, 1), from = udp4(t, 0), on = 1;
    struct name a = any4(t->port), b = name4(1, t->port);
    char c[8];
    K->setsockopt(K, any, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    K->setsockopt(K, one, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    told(t, "bind any", K->bind(K, any, SA(a)));
    told(t, "bind one", K->bind(K, one, SA(b)));
    to(t, from, 1, t->port, "x");
    K->settle(K);
    told(t, "any", K->recvfrom(K, any, c, 8, MSG_DONTWAIT, NULL, NULL));
    told_bytes(t, "one", K->recvfrom(K, one, c, 8, MSG_DONTWAIT, NULL, NULL), c);
}

static void both_families(struct scene *t)
{
    int b = make(t, 1, AF_INET6, SOCK_DGRAM), a = udp4(t, 0), a6 = make(t, 0, AF_INET6, SOCK_DGRAM);
    struct name any = any6(t->port), to6 = name6(1, t->port), from = {.n = sizeof from.ss}, to4 = mapped(1, t->port);
    char c[16];
    told(t, "bind", K->bind(K, b, SA(any)));
    told(t, "over 4", to(t, a, 1, t->port, "four"));
    told_bytes(t, "recvfrom", K->recvfrom(K, b, c, 16, 0, (struct sockaddr *)&from.ss, &from.n), c);
    told_name(t, "from", &from, t->port);
    told(t, "answer", K->sendto(K, b, "yes", 3, 0, SA(from)));
    told_bytes(t, "recv", K->recvfrom(K, a, c, 16, 0, NULL, NULL), c);
    told(t, "over 6", K->sendto(K, a6, "six", 3, 0, SA(to6)));
    from.n = sizeof from.ss;
    told_bytes(t, "recvfrom", K->recvfrom(K, b, c, 16, 0, (struct sockaddr *)&from.ss, &from.n), c);
    told_name(t, "from", &from, t->port);
    told(t, "mapped from the 6", K->sendto(K, a6, "map", 3, 0, SA(to4)));
    told_bytes(t, "recv", K->recvfrom(K, b, c, 16, 0, NULL, NULL), c);
}

static void shut(struct scene *t)
{
    int a = udp4(t, 0);
    struct name n = name4(1, t->port);
    char c;
    told(t, "connect", K->connect(K, a, SA(n)));
    told(t, "SHUT_WR", K->shutdown(K, a, SHUT_WR));
    unsigned pipes = K->pipes;
    told(t, "send", K->sendto(K, a, "x", 1, 0, NULL, 0));
    say(t, "%u SIGPIPE", K->pipes - pipes);
    told_ready(t, "poll", a);
    told(t, "SHUT_RD", K->shutdown(K, a, SHUT_RD));
    told_ready(t, "poll", a);
    told(t, "recv", K->recvfrom(K, a, &c, 1, 0, NULL, NULL));
    told(t, "recv without waiting", K->recvfrom(K, a, &c, 1, MSG_DONTWAIT, NULL, NULL));
}

static void time_limit(struct scene *t)
{
    int a = bound(t, 0, t->port);
    struct timeval tv = {0, 20000};
    char c;
    told(t, "SO_RCVTIMEO", K->setsockopt(K, a, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv));
    told(t, "recv", K->recvfrom(K, a, &c, 1, 0, NULL, NULL));
}

static void urgent(struct scene *t)
{
    int a = udp4(t, 0);
    struct name n = name4(1, t->port);
    char c;
    told(t, "connect", K->connect(K, a, SA(n)));
    told(t, "send MSG_OOB", K->sendto(K, a, "x", 1, MSG_OOB, NULL, 0));
    told(t, "recv MSG_OOB", K->recvfrom(K, a, &c, 1, MSG_OOB | MSG_DONTWAIT, NULL, NULL));
}

static void vectors(struct scene *t)
{
    int a = udp4(t, 0), b = bound(t, 1, t->port);
    struct name n = name4(1, t->port);
    struct iovec v[2] = {{(void *)(uintptr_t)"abc", 3}, {(void *)(uintptr_t)"def", 3}};
    char c[8];
    told(t, "connect", K->connect(K, a, SA(n)));
    told(t, "writev", K->writev(K, a, v, 2));
    told_bytes(t, "read", K->read(K, b, c, 8), c);
}

static void edge(struct scene *t)
{
    int a = udp4(t, 0), b = bound(t, 1, t->port), e = keep(t, K->epoll_create(K, 1, 0));
    struct epoll_event ev = {.events = EPOLLIN | EPOLLET};
    told(t, "add", K->epoll_ctl(K, e, EPOLL_CTL_ADD, b, &ev));
    for (int i = 0; i < 2; i++) {
        to(t, a, 1, t->port, "x");
        await(t, b, POLLIN);
        K->settle(K);
        told(t, "wait", K->epoll_wait(K, e, &ev, 1, 0));
        told(t, "wait", K->epoll_wait(K, e, &ev, 1, 0));
    }
}

const struct behaviour behave_datagrams[] = {
    {"datagrams: there and back", there_and_back},
    {"datagrams: keep their borders", borders},
    {"datagrams: cut off", truncated},
    {"datagrams: no destination", no_destination},
    {"datagrams: broadcast", broadcast},
    {"datagrams: to everybody, without a route", limited_broadcast},
    {"datagrams: connected", connected_ones},
    {"datagrams: what came before connect", before_connect},
    {"datagrams: disconnected", disconnected},
    {"datagrams: nobody there", nobody_there},
    {"datagrams: nobody there, and send", nobody_there_send},
    {"datagrams: nobody there, unconnected", nobody_there_unconnected},
    {"datagrams: too large", too_large},
    {"datagrams: larger than the MTU", fragments},
    {"datagrams: two on one port", two_on_a_port},
    {"datagrams: two who reuse", two_who_reuse},
    {"datagrams: one address goes before any", one_address_and_any},
    {"datagrams: both families", both_families},
    {"datagrams: shutdown", shut},
    {"datagrams: SO_RCVTIMEO", time_limit},
    {"datagrams: MSG_OOB", urgent},
    {"datagrams: writev", vectors},
    {"datagrams: edges", edge},
    {NULL, NULL},
};
