/* SPDX-License-Identifier: MIT
 *
 * behave_epoll.c: epoll: level, edge, one-shot, and its errors.
 */
#include "behave.h"

#define K t->k

static int add(struct scene *t, int e, int fd, uint32_t events, int number)
{
    struct epoll_event ev = {.events = events, .data = {.u64 = (uint64_t)number}};
    return K->epoll_ctl(K, e, EPOLL_CTL_ADD, fd, &ev);
}

static void wait_now(struct scene *t, const char *what, int e)
{
    struct epoll_event ev[8];
    int n = K->epoll_wait(K, e, ev, 8, 0);
    if (n < 0)
        told(t, what, n);
    else if (n == 0)
        say(t, "%s: none", what);
    for (int i = 0; i < n; i++)
        say(t, "%s: %d %s", what, (int)ev[i].data.u64, ready_text(ev[i].events));
}

static int fresh(struct scene *t) { return keep(t, K->epoll_create(K, 0, 0)); }

static void one(struct scene *t, int fd)
{
    K->sendto(K, fd, "x", 1, 0, NULL, 0);
    K->settle(K);
}

static void level(struct scene *t)
{
    struct both b = connected(t);
    int e = fresh(t);
    char c;
    told(t, "add", add(t, e, b.c, EPOLLIN, 7));
    wait_now(t, "quiet", e);
    one(t, b.s);
    wait_now(t, "a byte", e);
    wait_now(t, "still", e);
    K->recvfrom(K, b.c, &c, 1, 0, NULL, NULL);
    wait_now(t, "read", e);
}

static void edge(struct scene *t)
{
    struct both b = connected(t);
    int e = fresh(t);
    char c;
    told(t, "add", add(t, e, b.c, EPOLLIN | EPOLLET, 7));
    one(t, b.s);
    wait_now(t, "a byte", e);
    wait_now(t, "still", e);
    one(t, b.s);
    wait_now(t, "another", e);
    wait_now(t, "still", e);
    K->recvfrom(K, b.c, &c, 1, 0, NULL, NULL);
    wait_now(t, "one read", e);
    struct epoll_event ev = {.events = EPOLLIN | EPOLLET, .data = {.u64 = 8}};
    told(t, "mod", K->epoll_ctl(K, e, EPOLL_CTL_MOD, b.c, &ev));
    wait_now(t, "modified", e);
    wait_now(t, "still", e);
}

static void edge_of_writing(struct scene *t)
{
    struct both b = connected(t);
    int e = fresh(t), small = 8192;
    static char block[65536];
    size_t sent = 0, got = 0;
    ssize_t n;
    K->setsockopt(K, b.c, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    nonblocking(t, b.c);
    told(t, "add", add(t, e, b.c, EPOLLOUT | EPOLLET, 7));
    wait_now(t, "at first", e);
    wait_now(t, "still", e);
    for (int quiet = 0; quiet < 3;) {
        n = K->sendto(K, b.c, block, sizeof block, 0, NULL, 0);
        sent += n > 0 ? (size_t)n : 0;
        quiet = n > 0 ? 0 : quiet + 1;
        K->settle(K);
    }
    struct epoll_event ev[8];
    while (K->epoll_wait(K, e, ev, 8, 0) > 0) {
    }
    wait_now(t, "full", e);
    while (got < sent && (n = K->recvfrom(K, b.s, block, sizeof block, 0, NULL, NULL)) > 0)
        got += (size_t)n;
    await(t, b.c, POLLOUT);
    wait_now(t, "room again", e);
    wait_now(t, "still", e);
}

static void edge_of_the_end(struct scene *t)
{
    struct both b = connected(t);
    int e = fresh(t);
    told(t, "add", add(t, e, b.c, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, 7));
    wait_now(t, "at first", e);
    wait_now(t, "still", e);
    K->shutdown(K, b.s, SHUT_WR);
    await(t, b.c, POLLRDHUP);
    wait_now(t, "the peer's end", e);
    wait_now(t, "still", e);
    K->shutdown(K, b.c, SHUT_WR);
    await(t, b.c, POLLHUP);
    K->settle(K);
    wait_now(t, "our end", e);
    wait_now(t, "still", e);
}

static void edge_of_a_reset(struct scene *t)
{
    struct both b = connected(t);
    int e = fresh(t);
    told(t, "add", add(t, e, b.c, EPOLLIN | EPOLLET, 7));
    reset_by_peer(t, &b);
    wait_now(t, "reset", e);
    wait_now(t, "still", e);
}

static void edge_of_connecting(struct scene *t)
{
    int l = listener(t, t->port, 5), c = make(t, 0, AF_INET, SOCK_STREAM | SOCK_NONBLOCK), e = fresh(t), f = keep(t, K->epoll_create(K, 1, 0));
    struct name to = name4(1, t->port);
    told(t, "add", add(t, e, c, EPOLLIN | EPOLLOUT | EPOLLET, 7));
    told(t, "add listener", add(t, f, l, EPOLLIN | EPOLLET, 8));
    wait_now(t, "before", e);
    wait_now(t, "listener before", f);
    told(t, "connect", K->connect(K, c, SA(to)));
    await(t, c, POLLOUT);
    K->settle(K);
    wait_now(t, "after", e);
    wait_now(t, "still", e);
    wait_now(t, "listener after", f);
    wait_now(t, "still", f);
}

static void edge_of_a_listener(struct scene *t)
{
    int l = listener(t, t->port, 5), e = keep(t, K->epoll_create(K, 1, 0));
    struct name to = name4(1, t->port);
    told(t, "add", add(t, e, l, EPOLLIN | EPOLLET, 7));
    for (int i = 0; i < 2; i++)
        told(t, "connect", K->connect(K, tcp4(t, 0), SA(to)));
    await(t, l, POLLIN);
    K->settle(K);
    wait_now(t, "two", e);
    told_fd(t, "accept", K->accept(K, l, NULL, NULL, 0));
    wait_now(t, "one left", e);
    told(t, "connect", K->connect(K, tcp4(t, 0), SA(to)));
    K->settle(K);
    wait_now(t, "another", e);
    K->shutdown(K, l, SHUT_RD);
    wait_now(t, "shut down", e);
}

static void edge_of_both_ways(struct scene *t)
{
    struct both b = connected(t);
    int e = fresh(t), f = fresh(t);
    told(t, "add", add(t, e, b.c, EPOLLIN | EPOLLOUT | EPOLLET, 7));
    told(t, "add to another", add(t, f, b.c, EPOLLOUT | EPOLLET, 8));
    wait_now(t, "at first", e);
    wait_now(t, "at first", f);
    one(t, b.s);
    wait_now(t, "a byte", e);
    wait_now(t, "who waits for room only", f);
    one(t, b.c);
    wait_now(t, "after a send", e);
    wait_now(t, "after a send", f);
}

static void one_shot(struct scene *t)
{
    struct both b = connected(t);
    int e = fresh(t);
    told(t, "add", add(t, e, b.c, EPOLLIN | EPOLLONESHOT, 7));
    one(t, b.s);
    wait_now(t, "a byte", e);
    wait_now(t, "still", e);
    one(t, b.s);
    wait_now(t, "another", e);
    struct epoll_event ev = {.events = EPOLLIN | EPOLLONESHOT, .data = {.u64 = 9}};
    told(t, "add again", add(t, e, b.c, EPOLLIN, 8));
    told(t, "mod", K->epoll_ctl(K, e, EPOLL_CTL_MOD, b.c, &ev));
    wait_now(t, "armed", e);
    wait_now(t, "still", e);
}

static void one_shot_and_reset(struct scene *t)
{
    struct both b = connected(t);
    int e = fresh(t);
    told(t, "add", add(t, e, b.c, EPOLLIN | EPOLLONESHOT, 7));
    one(t, b.s);
    wait_now(t, "a byte", e);
    reset_by_peer(t, &b);
    wait_now(t, "reset", e);
}

static void unasked(struct scene *t)
{
    struct both b = connected(t);
    int e = fresh(t);
    told(t, "add", add(t, e, b.c, 0, 7));
    one(t, b.s);
    wait_now(t, "a byte", e);
    reset_by_peer(t, &b);
    wait_now(t, "reset", e);
}

static void errors(struct scene *t)
{
    int e = fresh(t), f = fresh(t), s = tcp4(t, 0);
    struct epoll_event ev = {.events = EPOLLIN};
    told(t, "mod unknown", K->epoll_ctl(K, e, EPOLL_CTL_MOD, s, &ev));
    told(t, "del unknown", K->epoll_ctl(K, e, EPOLL_CTL_DEL, s, NULL));
    told(t, "add", K->epoll_ctl(K, e, EPOLL_CTL_ADD, s, &ev));
    told(t, "add twice", K->epoll_ctl(K, e, EPOLL_CTL_ADD, s, &ev));
    told(t, "add -1", K->epoll_ctl(K, e, EPOLL_CTL_ADD, -1, &ev));
    told(t, "add to -1", K->epoll_ctl(K, -1, EPOLL_CTL_ADD, s, &ev));
    told(t, "add to a socket", K->epoll_ctl(K, s, EPOLL_CTL_ADD, e, &ev));
    told(t, "add to itself", K->epoll_ctl(K, e, EPOLL_CTL_ADD, e, &ev));
    told(t, "add nothing", K->epoll_ctl(K, e, EPOLL_CTL_ADD, s, NULL));
    told(t, "unknown operation", K->epoll_ctl(K, e, 99, s, &ev));
    told(t, "wait for 0", K->epoll_wait(K, e, &ev, 0, 0));
    told(t, "wait for -1", K->epoll_wait(K, e, &ev, -1, 0));
    told(t, "wait at -1", K->epoll_wait(K, -1, &ev, 1, 0));
    told(t, "wait at a socket", K->epoll_wait(K, s, &ev, 1, 0));
    told(t, "create with unknown flags", K->epoll_create(K, 0, 0x77));
    told(t, "close", K->close(K, f));
    gone(t, f);
    told(t, "wait at a closed one", K->epoll_wait(K, f, &ev, 1, 0));
}

static void nested(struct scene *t)
{
    int e = fresh(t), f = fresh(t);
    struct epoll_event ev = {.events = EPOLLIN};
    struct both b = connected(t);
    told(t, "add", K->epoll_ctl(K, e, EPOLL_CTL_ADD, f, &ev));
    told(t, "add in a circle", K->epoll_ctl(K, f, EPOLL_CTL_ADD, e, &ev));
    told(t, "add", add(t, f, b.c, EPOLLIN, 7));
    wait_now(t, "outer, quiet", e);
    one(t, b.s);
    wait_now(t, "outer", e);
    wait_now(t, "inner", f);
    wait_now(t, "outer", e);
    told(t, "close", K->close(K, f));
    gone(t, f);
    wait_now(t, "outer", e);
}

static void forgets_closed_ones(struct scene *t)
{
    struct both b = connected(t);
    int e = fresh(t), s = tcp4(t, 0);
    told(t, "add", add(t, e, s, EPOLLOUT, 7));
    told(t, "add", add(t, e, b.c, EPOLLOUT, 8));
    K->close(K, s);
    gone(t, s);
    wait_now(t, "one closed", e);
}

static void removed(struct scene *t)
{
    struct both b = connected(t);
    int e = fresh(t);
    told(t, "add", add(t, e, b.c, EPOLLIN, 7));
    one(t, b.s);
    told(t, "del", K->epoll_ctl(K, e, EPOLL_CTL_DEL, b.c, NULL));
    wait_now(t, "removed", e);
    told(t, "add", add(t, e, b.c, EPOLLIN | EPOLLET, 8));
    wait_now(t, "added", e);
}

static void in_turn(struct scene *t)
{
    int e = fresh(t), s[3];
    struct epoll_event ev;
    for (int i = 0; i < 3; i++) {
        s[i] = udp4(t, 0);
        told(t, "add", add(t, e, s[i], EPOLLOUT, i));
    }
    for (int i = 0; i < 6; i++) {
        int n = K->epoll_wait(K, e, &ev, 1, 0);
        say(t, "%d: %d", n, (int)ev.data.u64);
    }
}

static void in_order(struct scene *t)
{
    struct both b = connected(t);
    int l = listener(t, t->port + 1, 1), e = keep(t, K->epoll_create(K, 1, 0)), c = tcp4(t, 0);
    struct name to = name4(1, t->port + 1);
    told(t, "add", add(t, e, b.s, EPOLLIN, 1));
    told(t, "add", add(t, e, l, EPOLLIN, 2));
    told(t, "connect", K->connect(K, c, SA(to)));
    await(t, l, POLLIN);
    one(t, b.c);
    wait_now(t, "both", e);
}

static void in_time(struct scene *t)
{
    struct both b = connected(t);
    int e = fresh(t);
    struct epoll_event ev = {.events = EPOLLIN};
    told(t, "add", add(t, e, b.c, EPOLLIN, 7));
    told(t, "20 ms", K->epoll_wait(K, e, &ev, 1, 20));
    K->sendto(K, b.s, "x", 1, 0, NULL, 0);
    told(t, "for ever", K->epoll_wait(K, e, &ev, 1, -1));
}

const struct behaviour behave_epoll[] = {
    {"epoll: level", level},
    {"epoll: edge", edge},
    {"epoll: edge of writing", edge_of_writing},
    {"epoll: edge of the end", edge_of_the_end},
    {"epoll: edge of a reset", edge_of_a_reset},
    {"epoll: edge of connecting", edge_of_connecting},
    {"epoll: edge of a listener", edge_of_a_listener},
    {"epoll: edge of both ways", edge_of_both_ways},
    {"epoll: one-shot", one_shot},
    {"epoll: one-shot, and a reset", one_shot_and_reset},
    {"epoll: errors are told unasked", unasked},
    {"epoll: errors", errors},
    {"epoll: one in another", nested},
    {"epoll: forgets what is closed", forgets_closed_ones},
    {"epoll: removed and added", removed},
    {"epoll: everyone in turn", in_turn},
    {"epoll: in the order of events", in_order},
    {"epoll: in time", in_time},
    {NULL, NULL},
};
