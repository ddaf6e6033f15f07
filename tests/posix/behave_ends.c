/* SPDX-License-Identifier: MIT
 *
 * behave_ends.c: how connections end, and what calls say then: shutdown, close, resets, SO_LINGER.
 */
#include "behave.h"

#define K t->k

static ssize_t get(struct scene *t, int fd, void *b, size_t n, int flags) { return K->recvfrom(K, fd, b, n, flags, NULL, NULL); }
static ssize_t put(struct scene *t, int fd, const char *text, int flags) { return K->sendto(K, fd, text, strlen(text), flags, NULL, 0); }

static int state_of(struct scene *t, int fd)
{
    struct tcp_info i;
    socklen_t n = sizeof i;
    memset(&i, 0, sizeof i);
    K->getsockopt(K, fd, IPPROTO_TCP, TCP_INFO, &i, &n);
    return i.tcpi_state;
}

static void told_end(struct scene *t, const char *who, int fd)
{
    say(t, "%s: state %d", who, state_of(t, fd));
    told_ready(t, who, fd);
}

static void half_close(struct scene *t)
{
    struct both b = connected(t);
    char c[8];
    told(t, "send", put(t, b.c, "abc", 0));
    told(t, "SHUT_WR", K->shutdown(K, b.c, SHUT_WR));
    await(t, b.s, POLLRDHUP);
    K->elapse(K, 100);                    /* the FIN is acknowledged, perhaps with a delay */
    told_end(t, "client", b.c);
    told_end(t, "server", b.s);
    told_bytes(t, "server's recv", get(t, b.s, c, 8, 0), c);
    told_bytes(t, "server's recv", get(t, b.s, c, 8, 0), c);
    told_bytes(t, "server's recv", get(t, b.s, c, 8, 0), c);
    told(t, "server's send", put(t, b.s, "def", 0));
    told_bytes(t, "client's recv", get(t, b.c, c, 8, 0), c);
    unsigned pipes = K->pipes;
    told(t, "client's send", put(t, b.c, "x", 0));
    say(t, "%u SIGPIPE", K->pipes - pipes);
    told(t, "client's send, MSG_NOSIGNAL", put(t, b.c, "x", MSG_NOSIGNAL));
    say(t, "%u SIGPIPE", K->pipes - pipes);
    told(t, "SHUT_WR again", K->shutdown(K, b.c, SHUT_WR));
    get_int(t, "SO_ERROR", b.c, SOL_SOCKET, SO_ERROR);
}

static void both_shut(struct scene *t)
{
    struct both b = connected(t);
    struct name a = {.n = sizeof a.ss};
    char c;
    told(t, "client's SHUT_WR", K->shutdown(K, b.c, SHUT_WR));
    await(t, b.s, POLLRDHUP);
    told(t, "server's SHUT_WR", K->shutdown(K, b.s, SHUT_WR));
    await(t, b.c, POLLHUP);
    K->settle(K);
    told_end(t, "client", b.c);
    told_end(t, "server", b.s);
    told(t, "client's recv", get(t, b.c, &c, 1, 0));
    told(t, "client's getpeername", K->getpeername(K, b.c, (struct sockaddr *)&a.ss, &a.n));
    told(t, "server's getpeername", K->getpeername(K, b.s, (struct sockaddr *)&a.ss, &a.n));
    told(t, "client's shutdown", K->shutdown(K, b.c, SHUT_WR));
    told(t, "server's send", put(t, b.s, "x", MSG_NOSIGNAL));
    told(t, "server's recv", get(t, b.s, &c, 1, 0));
    a = name4(1, t->port);
    told(t, "client's connect", K->connect(K, b.c, SA(a)));
}

static void shut_reading(struct scene *t)
{
    struct both b = connected(t);
    char c[8];
    told(t, "send", put(t, b.c, "abc", 0));
    await(t, b.s, POLLIN);
    told(t, "SHUT_RD", K->shutdown(K, b.s, SHUT_RD));
    told_end(t, "server", b.s);
    told_end(t, "client", b.c);
    told_bytes(t, "recv", get(t, b.s, c, 8, 0), c);
    told_bytes(t, "recv", get(t, b.s, c, 8, 0), c);
    told(t, "send", put(t, b.c, "def", 0));
    K->settle(K);
    told_bytes(t, "recv", get(t, b.s, c, 8, 0), c);
    told_bytes(t, "recv", get(t, b.s, c, 8, 0), c);
    told(t, "server's send", put(t, b.s, "ghi", 0));
    told_bytes(t, "client's recv", get(t, b.c, c, 8, 0), c);
}

static void wrong_shutdown(struct scene *t)
{
    struct both b = connected(t);
    int u = udp4(t, 0);
    told(t, "how 3", K->shutdown(K, b.c, 3));
    told(t, "how -1", K->shutdown(K, b.c, -1));
    told(t, "udp", K->shutdown(K, u, SHUT_RD));
    told_ready(t, "udp", u);
}

static void peer_closes(struct scene *t)
{
    struct both b = connected(t);
    char c[8];
    told(t, "send", put(t, b.s, "bye", 0));
    told(t, "close", K->close(K, b.s));
    gone(t, b.s);
    await(t, b.c, POLLRDHUP);
    told_end(t, "client", b.c);
    told_bytes(t, "recv", get(t, b.c, c, 8, 0), c);
    told_bytes(t, "recv", get(t, b.c, c, 8, 0), c);
    told(t, "send", put(t, b.c, "x", MSG_NOSIGNAL));
    await(t, b.c, POLLHUP);
    told_end(t, "client after its send", b.c);
    told(t, "send", put(t, b.c, "x", MSG_NOSIGNAL));
    told(t, "send", put(t, b.c, "x", MSG_NOSIGNAL));
    told(t, "recv", get(t, b.c, c, 8, 0));
}

static void peer_closes_error(struct scene *t)
{
    struct both b = connected(t);
    char c;
    told(t, "close", K->close(K, b.s));
    gone(t, b.s);
    await(t, b.c, POLLRDHUP);
    told(t, "send", put(t, b.c, "x", MSG_NOSIGNAL));
    await(t, b.c, POLLHUP);
    get_int(t, "SO_ERROR", b.c, SOL_SOCKET, SO_ERROR);
    get_int(t, "SO_ERROR", b.c, SOL_SOCKET, SO_ERROR);
    told(t, "recv", get(t, b.c, &c, 1, 0));
}

static void peer_closes_unread(struct scene *t)
{
    struct both b = connected(t);
    char c;
    told(t, "send", put(t, b.c, "unread", 0));
    await(t, b.s, POLLIN);
    told(t, "close", K->close(K, b.s));
    gone(t, b.s);
    await(t, b.c, POLLHUP);
    told_end(t, "client", b.c);
    told(t, "recv", get(t, b.c, &c, 1, 0));
    told(t, "recv", get(t, b.c, &c, 1, 0));
}

static void reset(struct scene *t)
{
    struct both b = connected(t);
    char c;
    reset_by_peer(t, &b);
    told_end(t, "client", b.c);
    told(t, "recv", get(t, b.c, &c, 1, 0));
    told_end(t, "client", b.c);
    told(t, "recv", get(t, b.c, &c, 1, 0));
    told(t, "send", put(t, b.c, "x", MSG_NOSIGNAL));
    get_int(t, "SO_ERROR", b.c, SOL_SOCKET, SO_ERROR);
    told(t, "shutdown", K->shutdown(K, b.c, SHUT_WR));
}

static void reset_then_send(struct scene *t)
{
    struct both b = connected(t);
    unsigned pipes = K->pipes;
    reset_by_peer(t, &b);
    told(t, "send", put(t, b.c, "x", 0));
    say(t, "%u SIGPIPE", K->pipes - pipes);
    told(t, "send", put(t, b.c, "x", 0));
    say(t, "%u SIGPIPE", K->pipes - pipes);
}

static void reset_asked(struct scene *t)
{
    struct both b = connected(t);
    struct name a = {.n = sizeof a.ss};
    char c;
    reset_by_peer(t, &b);
    get_int(t, "SO_ERROR", b.c, SOL_SOCKET, SO_ERROR);
    get_int(t, "SO_ERROR", b.c, SOL_SOCKET, SO_ERROR);
    told(t, "getpeername", K->getpeername(K, b.c, (struct sockaddr *)&a.ss, &a.n));
    told(t, "recv", get(t, b.c, &c, 1, 0));
    told(t, "getsockname", K->getsockname(K, b.c, (struct sockaddr *)&a.ss, &a.n));
    a = name4(1, t->port);
    told(t, "connect", K->connect(K, b.c, SA(a)));
}

static void reset_behind_bytes(struct scene *t)
{
    struct both b = connected(t);
    char c[8];
    told(t, "send", put(t, b.s, "last", 0));
    reset_by_peer(t, &b);
    told_bytes(t, "recv", get(t, b.c, c, 8, 0), c);
    told(t, "recv", get(t, b.c, c, 8, 0));
    told(t, "recv", get(t, b.c, c, 8, 0));
}

static void reset_peek(struct scene *t)
{
    struct both b = connected(t);
    char c;
    reset_by_peer(t, &b);
    told(t, "peek", get(t, b.c, &c, 1, MSG_PEEK));
    told(t, "peek", get(t, b.c, &c, 1, MSG_PEEK));
}

static void reset_urgent(struct scene *t)
{
    struct both b = connected(t);
    char c;
    reset_by_peer(t, &b);
    told(t, "MSG_OOB", get(t, b.c, &c, 1, MSG_OOB));
}

static void linger_0(struct scene *t)
{
    struct both b = connected(t);
    struct linger l = {1, 0}, m = {9, 9};
    socklen_t n = sizeof m;
    char c;
    told(t, "SO_LINGER", K->setsockopt(K, b.c, SOL_SOCKET, SO_LINGER, &l, sizeof l));
    told(t, "SO_LINGER", K->getsockopt(K, b.c, SOL_SOCKET, SO_LINGER, &m, &n));
    say(t, "%d %d, %d bytes", m.l_onoff, m.l_linger, (int)n);
    told(t, "send", put(t, b.c, "abc", 0));
    told(t, "close", K->close(K, b.c));
    gone(t, b.c);
    await(t, b.s, POLLHUP);
    told_ready(t, "server", b.s);
    told_bytes(t, "recv", get(t, b.s, &c, 1, 0), &c);
}

static void linger_5(struct scene *t)
{
    struct both b = connected(t);
    struct linger l = {1, 5};
    char c[8];
    told(t, "SO_LINGER", K->setsockopt(K, b.c, SOL_SOCKET, SO_LINGER, &l, sizeof l));
    told(t, "send", put(t, b.c, "abc", 0));
    told(t, "close", K->close(K, b.c));
    gone(t, b.c);
    told_bytes(t, "recv", get(t, b.s, c, 8, 0), c);
    told_bytes(t, "recv", get(t, b.s, c, 8, 0), c);
}

static void linger_wrong(struct scene *t)
{
    int s = tcp4(t, 0);
    struct linger l = {1, 5};
    told(t, "4 bytes", K->setsockopt(K, s, SOL_SOCKET, SO_LINGER, &l, 4));
    told(t, "8 bytes", K->setsockopt(K, s, SOL_SOCKET, SO_LINGER, &l, 8));
    l.l_onoff = 0, l.l_linger = 77;
    told(t, "off", K->setsockopt(K, s, SOL_SOCKET, SO_LINGER, &l, 8));
    socklen_t n = sizeof l;
    told(t, "get", K->getsockopt(K, s, SOL_SOCKET, SO_LINGER, &l, &n));
    say(t, "%d %d", l.l_onoff, l.l_linger);
}

static void send_after_peer_shut_reading(struct scene *t)
{
    struct both b = connected(t);
    told(t, "server's SHUT_RD", K->shutdown(K, b.s, SHUT_RD));
    told(t, "client's send", put(t, b.c, "abc", 0));
    K->settle(K);
    told(t, "client's send", put(t, b.c, "abc", 0));
    told_ready(t, "client", b.c);
}

static void shut_both_ways(struct scene *t)
{
    struct both b = connected(t);
    char c;
    told(t, "SHUT_RDWR", K->shutdown(K, b.c, SHUT_RDWR));
    told_ready(t, "client", b.c);
    told(t, "recv", get(t, b.c, &c, 1, 0));
    told(t, "send", put(t, b.c, "x", MSG_NOSIGNAL));
    await(t, b.s, POLLRDHUP);
    told(t, "server's recv", get(t, b.s, &c, 1, 0));
    told(t, "server's send", put(t, b.s, "x", 0));
    K->settle(K);
    told_end(t, "server", b.s);
}

static void states(struct scene *t)
{
    int s = tcp4(t, 0), l = listener(t, t->port + 1, 1);
    say(t, "unconnected %d, listening %d", state_of(t, s), state_of(t, l));
    struct both b = connected(t);
    say(t, "connected %d %d", state_of(t, b.c), state_of(t, b.s));
    K->shutdown(K, b.c, SHUT_WR);
    await(t, b.s, POLLRDHUP);
    K->elapse(K, 100);
    say(t, "half closed %d %d", state_of(t, b.c), state_of(t, b.s));
    K->shutdown(K, b.s, SHUT_WR);
    await(t, b.c, POLLHUP);
    K->settle(K);
    say(t, "closed %d %d", state_of(t, b.c), state_of(t, b.s));
}

const struct behaviour behave_ends[] = {
    {"ends: half-close", half_close},
    {"ends: both directions", both_shut},
    {"ends: SHUT_RD", shut_reading},
    {"ends: wrong shutdowns", wrong_shutdown},
    {"ends: the peer closes", peer_closes},
    {"ends: the peer closes, and SO_ERROR", peer_closes_error},
    {"ends: the peer closes and leaves bytes unread", peer_closes_unread},
    {"ends: reset", reset},
    {"ends: reset, then send", reset_then_send},
    {"ends: reset, and asked", reset_asked},
    {"ends: reset behind bytes", reset_behind_bytes},
    {"ends: reset, and MSG_PEEK", reset_peek},
    {"ends: reset, and MSG_OOB", reset_urgent},
    {"ends: SO_LINGER 0", linger_0},
    {"ends: SO_LINGER 5", linger_5},
    {"ends: SO_LINGER's value", linger_wrong},
    {"ends: the peer shut its reading", send_after_peer_shut_reading},
    {"ends: SHUT_RDWR", shut_both_ways},
    {"ends: states in TCP_INFO", states},
    {NULL, NULL},
};
