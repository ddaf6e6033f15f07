/* SPDX-License-Identifier: MIT
 *
 * behave_opening.c: listen, accept, connect.
 */
#include "behave.h"

#define K t->k

static void connect_and_accept(struct scene *t)
{
    int l = listener(t, t->port, 1), c = tcp4(t, 0);
    struct name to = name4(1, t->port), from = {.n = sizeof from.ss};
    told(t, "connect", K->connect(K, c, SA(to)));
    told_fd(t, "accept", K->accept(K, l, (struct sockaddr *)&from.ss, &from.n, 0));
    told_name(t, "from", &from, t->port);
    told(t, "connect again", K->connect(K, c, SA(to)));
}

static void over_ip6(struct scene *t)
{
    int l = tcp6(t, 1), c = tcp6(t, 0), four = tcp4(t, 0);
    struct name a = any6(t->port), to = name6(1, t->port), to4 = name4(1, t->port), from = {.n = sizeof from.ss};
    told(t, "bind", K->bind(K, l, SA(a)));
    told(t, "listen", K->listen(K, l, 5));
    told(t, "connect 6", K->connect(K, c, SA(to)));
    told_fd(t, "accept", K->accept(K, l, (struct sockaddr *)&from.ss, &from.n, 0));
    told_name(t, "from", &from, t->port);
    told(t, "connect 4", K->connect(K, four, SA(to4)));
    from.n = sizeof from.ss;
    told_fd(t, "accept", K->accept(K, l, (struct sockaddr *)&from.ss, &from.n, 0));
    told_name(t, "from", &from, t->port);
}

static void to_mapped(struct scene *t)
{
    int l = listener(t, t->port, 1), c = tcp6(t, 0);
    struct name to = mapped(1, t->port), me = {.n = sizeof me.ss};
    told(t, "connect", K->connect(K, c, SA(to)));
    told_fd(t, "accept", K->accept(K, l, NULL, NULL, 0));
    told(t, "getsockname", K->getsockname(K, c, (struct sockaddr *)&me.ss, &me.n));
    told_name(t, "me", &me, t->port);
    told(t, "getpeername", K->getpeername(K, c, (struct sockaddr *)&me.ss, &me.n));
    told_name(t, "peer", &me, t->port);
}

static void four_does_not_hear_six(struct scene *t)
{
    listener(t, t->port, 1);
    int c = tcp6(t, 0);
    struct name to = name6(1, t->port);
    told(t, "connect", K->connect(K, c, SA(to)));
}

static void refused(struct scene *t)
{
    int c = tcp4(t, 0);
    struct name to = name4(1, t->port);
    char b;
    told(t, "connect", K->connect(K, c, SA(to)));
    get_int(t, "SO_ERROR", c, SOL_SOCKET, SO_ERROR);
    told_ready(t, "poll", c);
    told(t, "recv", K->recvfrom(K, c, &b, 1, MSG_DONTWAIT, NULL, NULL));
    told(t, "send", K->sendto(K, c, "x", 1, MSG_DONTWAIT | MSG_NOSIGNAL, NULL, 0));
    struct name me = {.n = sizeof me.ss};
    told(t, "getsockname", K->getsockname(K, c, (struct sockaddr *)&me.ss, &me.n));
    told_name(t, "me", &me, t->port);
}

static void refused_then_taken(struct scene *t)
{
    int c = tcp4(t, 0);
    struct name to = name4(1, t->port);
    told(t, "connect", K->connect(K, c, SA(to)));
    int l = listener(t, t->port, 1);
    told(t, "connect again", K->connect(K, c, SA(to)));
    told_fd(t, "accept", K->accept(K, l, NULL, NULL, 0));
    told(t, "send", K->sendto(K, c, "x", 1, 0, NULL, 0));
}

static void refused_without_waiting(struct scene *t)
{
    int c = make(t, 0, AF_INET, SOCK_STREAM | SOCK_NONBLOCK);
    struct name to = name4(1, t->port);
    told(t, "connect", K->connect(K, c, SA(to)));
    await(t, c, POLLOUT);
    told_ready(t, "poll", c);
    get_int(t, "SO_ERROR", c, SOL_SOCKET, SO_ERROR);
    get_int(t, "SO_ERROR", c, SOL_SOCKET, SO_ERROR);
    told_ready(t, "poll", c);
    told(t, "connect", K->connect(K, c, SA(to)));
    told_ready(t, "poll", c);
    told(t, "connect", K->connect(K, c, SA(to)));
    await(t, c, POLLOUT);
    told(t, "connect", K->connect(K, c, SA(to)));
    get_int(t, "SO_ERROR", c, SOL_SOCKET, SO_ERROR);
}

static void refused_read(struct scene *t)
{
    int c = make(t, 0, AF_INET, SOCK_STREAM | SOCK_NONBLOCK);
    struct name to = name4(1, t->port);
    char b;
    told(t, "connect", K->connect(K, c, SA(to)));
    await(t, c, POLLOUT);
    told(t, "recv", K->recvfrom(K, c, &b, 1, 0, NULL, NULL));
    told(t, "recv", K->recvfrom(K, c, &b, 1, 0, NULL, NULL));
    told(t, "send", K->sendto(K, c, "x", 1, MSG_NOSIGNAL, NULL, 0));
    told(t, "shutdown", K->shutdown(K, c, SHUT_WR));
}

static void without_waiting(struct scene *t)
{
    int l = listener(t, t->port, 1), c = make(t, 0, AF_INET, SOCK_STREAM | SOCK_NONBLOCK);
    struct name to = name4(1, t->port);
    told_ready(t, "before", c);
    told(t, "connect", K->connect(K, c, SA(to)));
    await(t, c, POLLOUT);
    told_ready(t, "after", c);
    get_int(t, "SO_ERROR", c, SOL_SOCKET, SO_ERROR);
    told(t, "connect", K->connect(K, c, SA(to)));
    told(t, "connect", K->connect(K, c, SA(to)));
    told_fd(t, "accept", K->accept(K, l, NULL, NULL, 0));
}

/* Nobody answers: the queue of the listener is full. */
static int unanswered(struct scene *t)
{
    listener(t, t->port, 0);
    struct name to = name4(1, t->port);
    int c = -1;
    for (int i = 0; i < 3; i++) {
        c = make(t, 0, AF_INET, SOCK_STREAM | SOCK_NONBLOCK);
        K->connect(K, c, SA(to));
        K->settle(K);
    }
    return c;
}

static void while_it_opens(struct scene *t)
{
    int c = unanswered(t);
    struct name to = name4(1, t->port), me = {.n = sizeof me.ss};
    char b;
    int n = -1;
    told_ready(t, "poll", c);
    told(t, "connect", K->connect(K, c, SA(to)));
    told(t, "send", K->sendto(K, c, "x", 1, MSG_NOSIGNAL, NULL, 0));
    told(t, "recv", K->recvfrom(K, c, &b, 1, 0, NULL, NULL));
    told(t, "getpeername", K->getpeername(K, c, (struct sockaddr *)&me.ss, &me.n));
    told(t, "listen", K->listen(K, c, 1));
    told(t, "bind", K->bind(K, c, SA(me)));
    told(t, "FIONREAD", K->ioctl(K, c, FIONREAD, &n));
    say(t, "%d", n);
    get_int(t, "SO_ERROR", c, SOL_SOCKET, SO_ERROR);
}

static void shutdown_while_it_opens(struct scene *t)
{
    int c = unanswered(t);
    told(t, "shutdown", K->shutdown(K, c, SHUT_WR));
    told_ready(t, "poll", c);
    struct name to = name4(1, t->port + 1);
    told(t, "connect", K->connect(K, c, SA(to)));
}

static void give_up_opening(struct scene *t)
{
    int c = unanswered(t);
    struct name nobody = {.n = sizeof(struct sockaddr_in)}, to = name4(1, t->port + 1);
    nobody.ss.ss_family = AF_UNSPEC;
    told(t, "connect to nobody", K->connect(K, c, SA(nobody)));
    told_ready(t, "poll", c);
    int l = listener(t, t->port + 1, 1);
    told(t, "connect", K->connect(K, c, SA(to)));
    await(t, c, POLLOUT);
    told_fd(t, "accept", K->accept(K, l, NULL, NULL, 0));
    told_ready(t, "poll", c);
    get_int(t, "SO_ERROR", c, SOL_SOCKET, SO_ERROR);
}

static void shut_before(struct scene *t)
{
    int l = listener(t, t->port, 1), c = tcp4(t, 0);
    struct name to = name4(1, t->port);
    told(t, "shutdown", K->shutdown(K, c, SHUT_WR));
    told_ready(t, "poll", c);
    told(t, "connect", K->connect(K, c, SA(to)));
    told_fd(t, "accept", K->accept(K, l, NULL, NULL, 0));
    told(t, "send", K->sendto(K, c, "x", 1, MSG_NOSIGNAL, NULL, 0));
    told_ready(t, "poll", c);
}

static void time_limit_of_connect(struct scene *t)
{
    unanswered(t);
    int c = tcp4(t, 0);
    struct timeval tv = {0, 30000};
    struct name to = name4(1, t->port);
    told(t, "SO_SNDTIMEO", K->setsockopt(K, c, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv));
    told(t, "connect", K->connect(K, c, SA(to)));
    told(t, "connect", K->connect(K, c, SA(to)));
}

static void wrong_addresses(struct scene *t)
{
    int c = tcp4(t, 0), six = tcp6(t, 0);
    struct name a = name4(1, t->port), a6 = name6(1, t->port);
    told(t, "connect, 15 bytes", K->connect(K, c, (struct sockaddr *)&a.ss, 15));
    told(t, "connect, 1 byte", K->connect(K, c, (struct sockaddr *)&a.ss, 1));
    told(t, "connect a 4 to a 6", K->connect(K, c, SA(a6)));
    told(t, "connect a 6 to a 4", K->connect(K, six, SA(a)));
    told(t, "connect 6, 20 bytes", K->connect(K, six, (struct sockaddr *)&a6.ss, 20));
    ((struct sockaddr_in *)&a.ss)->sin_addr.s_addr = htonl(0xe0000001);
    told(t, "connect to a group", K->connect(K, c, SA(a)));
    ((struct sockaddr_in *)&a.ss)->sin_addr.s_addr = htonl(0xffffffff);
    told(t, "connect to everybody", K->connect(K, c, SA(a)));
    ((struct sockaddr_in *)&a.ss)->sin_addr.s_addr = htonl(0xc6336401);
    told(t, "connect to where no route leads", K->connect(K, c, SA(a)));
    a = name4(1, 0);
    told(t, "connect to port 0", K->connect(K, c, SA(a)));
}

static void link_local(struct scene *t)
{
    int s = tcp6(t, 0), u = make(t, 0, AF_INET6, SOCK_DGRAM);
    struct name a = any6(t->port);
    struct sockaddr_in6 *in = (struct sockaddr_in6 *)&a.ss;
    in->sin6_addr.s6_addr[0] = 0xfe, in->sin6_addr.s6_addr[1] = 0x80, in->sin6_addr.s6_addr[15] = 77;
    told(t, "bind without scope", K->bind(K, s, SA(a)));
    told(t, "connect without scope", K->connect(K, s, SA(a)));
    told(t, "sendto without scope", K->sendto(K, u, "x", 1, 0, SA(a)));
    told(t, "connect udp without scope", K->connect(K, u, SA(a)));
}

static void no_accept(struct scene *t)
{
    int s = tcp4(t, 0), u = udp4(t, 0);
    told(t, "accept unbound", K->accept(K, s, NULL, NULL, 0));
    struct name a = any4(t->port);
    told(t, "bind", K->bind(K, s, SA(a)));
    told(t, "accept bound", K->accept(K, s, NULL, NULL, 0));
    told(t, "listen", K->listen(K, s, 1));
    told(t, "accept with unknown flags", K->accept(K, s, NULL, NULL, 0x4711));
    nonblocking(t, s);
    told(t, "accept, nobody there", K->accept(K, s, NULL, NULL, 0));
    told(t, "accept udp", K->accept(K, u, NULL, NULL, 0));
    told(t, "listen udp", K->listen(K, u, 1));
}

static void accept_time_limit(struct scene *t)
{
    int l = listener(t, t->port, 1);
    struct timeval tv = {0, 20000};
    told(t, "SO_RCVTIMEO", K->setsockopt(K, l, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv));
    told(t, "accept", K->accept(K, l, NULL, NULL, 0));
}

static void calls_on_a_listener(struct scene *t)
{
    int l = listener(t, t->port, 1), n = -1;
    struct name to = name4(0, t->port + 1);
    char b;
    told(t, "connect", K->connect(K, l, SA(to)));
    told(t, "send", K->sendto(K, l, "x", 1, MSG_NOSIGNAL, NULL, 0));
    told(t, "recv", K->recvfrom(K, l, &b, 1, MSG_DONTWAIT, NULL, NULL));
    told(t, "FIONREAD", K->ioctl(K, l, FIONREAD, &n));
    told(t, "bind", K->bind(K, l, SA(to)));
    told(t, "listen again", K->listen(K, l, 7));
    get_int(t, "SO_ACCEPTCONN", l, SOL_SOCKET, SO_ACCEPTCONN);
    get_int(t, "SO_ERROR", l, SOL_SOCKET, SO_ERROR);
    told_ready(t, "poll", l);
}

static void listen_unbound(struct scene *t)
{
    int l = tcp4(t, 1), c = tcp4(t, 0);
    struct name me = {.n = sizeof me.ss};
    told(t, "listen", K->listen(K, l, 1));
    told(t, "getsockname", K->getsockname(K, l, (struct sockaddr *)&me.ss, &me.n));
    told_name(t, "me", &me, t->port);
    struct name to = name4(1, ntohs(((struct sockaddr_in *)&me.ss)->sin_port));
    told(t, "connect", K->connect(K, c, SA(to)));
    told_fd(t, "accept", K->accept(K, l, NULL, NULL, 0));
}

static void listen_connected(struct scene *t)
{
    struct both b = connected(t);
    told(t, "listen", K->listen(K, b.c, 1));
    told(t, "listen accepted", K->listen(K, b.s, 1));
    struct name a = any4(t->port + 1);
    told(t, "bind", K->bind(K, b.c, SA(a)));
    told(t, "connect accepted", K->connect(K, b.s, SA(a)));
}

static void queue(struct scene *t)
{
    int l = listener(t, t->port, 1), c[2];
    struct name to = name4(1, t->port);
    told_ready(t, "empty", l);
    for (int i = 0; i < 2; i++) {
        c[i] = tcp4(t, 0);
        told(t, "connect", K->connect(K, c[i], SA(to)));
        told(t, "send", K->sendto(K, c[i], i ? "B" : "A", 1, 0, NULL, 0));
    }
    await(t, l, POLLIN);
    told_ready(t, "two", l);
    for (int i = 0; i < 2; i++) {
        char b = 0;
        int s = K->accept(K, l, NULL, NULL, 0);
        told_fd(t, "accept", s);
        told_bytes(t, "recv", K->recvfrom(K, s, &b, 1, 0, NULL, NULL), &b);
    }
    told_ready(t, "empty again", l);
}

static void queue_length_0(struct scene *t)
{
    int l = listener(t, t->port, 0);
    struct name to = name4(1, t->port);
    for (int i = 0; i < 2; i++) {
        int c = make(t, 0, AF_INET, SOCK_STREAM | SOCK_NONBLOCK);
        K->connect(K, c, SA(to));
        K->settle(K);
    }
    nonblocking(t, l);
    told_fd(t, "accept", K->accept(K, l, NULL, NULL, 0));
    K->settle(K);
    told_fd(t, "accept", K->accept(K, l, NULL, NULL, 0));
}

static void negative_backlog(struct scene *t)
{
    int l = listener(t, t->port, -1);
    struct name to = name4(1, t->port);
    for (int i = 0; i < 20; i++)
        K->connect(K, make(t, 0, AF_INET, SOCK_STREAM | SOCK_NONBLOCK), SA(to));
    K->settle(K);
    nonblocking(t, l);
    int n = 0;
    for (int s; (s = keep(t, K->accept(K, l, NULL, NULL, 0))) >= 0;)
        n++;
    say(t, "%d", n);
}

static void accepted_flags(struct scene *t)
{
    int l = listener(t, t->port, 5);
    struct name to = name4(1, t->port);
    nonblocking(t, l);
    for (int i = 0; i < 2; i++) {
        int c = tcp4(t, 0);
        told(t, "connect", K->connect(K, c, SA(to)));
        await(t, l, POLLIN);
        int s = keep(t, K->accept(K, l, NULL, NULL, i ? SOCK_NONBLOCK | SOCK_CLOEXEC : 0));
        told(t, "F_GETFL", K->fcntl(K, s, F_GETFL, 0) & O_NONBLOCK);
        told(t, "F_GETFD", K->fcntl(K, s, F_GETFD, 0));
    }
}

static void reset_in_the_queue(struct scene *t)
{
    int l = listener(t, t->port, 1), c = tcp4(t, 0);
    struct linger g = {1, 0};
    struct name to = name4(1, t->port);
    char b;
    told(t, "connect", K->connect(K, c, SA(to)));
    K->setsockopt(K, c, SOL_SOCKET, SO_LINGER, &g, sizeof g);
    told(t, "close with reset", K->close(K, c));
    gone(t, c);
    K->settle(K);
    told_ready(t, "listener", l);
    int s = K->accept(K, l, NULL, NULL, 0);
    told_fd(t, "accept", s);
    told_ready(t, "accepted", s);
    told(t, "recv", K->recvfrom(K, s, &b, 1, MSG_DONTWAIT, NULL, NULL));
    told(t, "recv", K->recvfrom(K, s, &b, 1, MSG_DONTWAIT, NULL, NULL));
}

static void ended_in_the_queue(struct scene *t)
{
    int l = listener(t, t->port, 1), c = tcp4(t, 0);
    struct name to = name4(1, t->port);
    char b[8];
    told(t, "connect", K->connect(K, c, SA(to)));
    told(t, "send", K->sendto(K, c, "bye", 3, 0, NULL, 0));
    told(t, "close", K->close(K, c));
    gone(t, c);
    K->settle(K);
    int s = K->accept(K, l, NULL, NULL, 0);
    told_fd(t, "accept", s);
    told_bytes(t, "recv", K->recvfrom(K, s, b, 8, 0, NULL, NULL), b);
    told_bytes(t, "recv", K->recvfrom(K, s, b, 8, 0, NULL, NULL), b);
}

static void listener_ends(struct scene *t)
{
    int l = listener(t, t->port, 1), c = tcp4(t, 0);
    struct name to = name4(1, t->port);
    char b;
    told(t, "connect", K->connect(K, c, SA(to)));
    told(t, "close", K->close(K, l));
    gone(t, l);
    await(t, c, POLLIN);
    told(t, "recv", K->recvfrom(K, c, &b, 1, 0, NULL, NULL));
    int d = tcp4(t, 0);
    told(t, "connect", K->connect(K, d, SA(to)));
}

static void listener_shut_down(struct scene *t)
{
    int l = listener(t, t->port, 1), c = tcp4(t, 0), d = tcp4(t, 0);
    struct name to = name4(1, t->port);
    told(t, "SHUT_WR", K->shutdown(K, l, SHUT_WR));
    told(t, "connect", K->connect(K, c, SA(to)));
    told(t, "SHUT_RD", K->shutdown(K, l, SHUT_RD));
    told_ready(t, "poll", l);
    told(t, "accept", K->accept(K, l, NULL, NULL, 0));
    told(t, "connect", K->connect(K, d, SA(to)));
    told(t, "listen", K->listen(K, l, 1));
    told(t, "connect", K->connect(K, d, SA(to)));
    told_fd(t, "accept", K->accept(K, l, NULL, NULL, 0));
}

static void disconnect(struct scene *t)
{
    struct both b = connected(t);
    struct name nobody = {.n = sizeof(struct sockaddr_in)}, to = name4(1, t->port), me = {.n = sizeof me.ss};
    char c;
    nobody.ss.ss_family = AF_UNSPEC;
    told(t, "connect to nobody", K->connect(K, b.c, SA(nobody)));
    await(t, b.s, POLLIN);
    told(t, "peer's recv", K->recvfrom(K, b.s, &c, 1, 0, NULL, NULL));
    told(t, "getpeername", K->getpeername(K, b.c, (struct sockaddr *)&me.ss, &me.n));
    told_ready(t, "poll", b.c);
    me.n = sizeof me.ss;
    told(t, "getsockname", K->getsockname(K, b.c, (struct sockaddr *)&me.ss, &me.n));
    told_name(t, "me", &me, t->port);
    told(t, "send", K->sendto(K, b.c, "x", 1, MSG_NOSIGNAL, NULL, 0));
    told(t, "connect", K->connect(K, b.c, SA(to)));
    told_fd(t, "accept", K->accept(K, b.l, NULL, NULL, 0));
    told(t, "send", K->sendto(K, b.c, "x", 1, MSG_NOSIGNAL, NULL, 0));
}

static void same_pair_twice(struct scene *t)
{
    listener(t, t->port, 5);
    struct name from = any4(t->port + 1), to = name4(1, t->port);
    for (int i = 0; i < 2; i++) {
        int c = tcp4(t, 0), on = 1;
        K->setsockopt(K, c, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        told(t, "bind", K->bind(K, c, SA(from)));
        told(t, "connect", K->connect(K, c, SA(to)));
    }
}

const struct behaviour behave_opening[] = {
    {"opening: connect and accept", connect_and_accept},
    {"opening: both families on one listener", over_ip6},
    {"opening: connect to a mapped address", to_mapped},
    {"opening: a listener for IPv4 does not hear IPv6", four_does_not_hear_six},
    {"opening: refused", refused},
    {"opening: refused, then taken", refused_then_taken},
    {"opening: refused, without waiting", refused_without_waiting},
    {"opening: refused, and read", refused_read},
    {"opening: without waiting", without_waiting},
    {"opening: calls while it opens", while_it_opens},
    {"opening: shutdown while it opens", shutdown_while_it_opens},
    {"opening: given up", give_up_opening},
    {"opening: shut down before", shut_before},
    {"opening: SO_SNDTIMEO of connect", time_limit_of_connect},
    {"opening: wrong addresses", wrong_addresses},
    {"opening: link-local addresses need a scope", link_local},
    {"opening: accept where nothing is to accept", no_accept},
    {"opening: SO_RCVTIMEO of accept", accept_time_limit},
    {"opening: calls on a listener", calls_on_a_listener},
    {"opening: listen without bind", listen_unbound},
    {"opening: listen on a connection", listen_connected},
    {"opening: the queue keeps the order", queue},
    {"opening: a backlog of 0", queue_length_0},
    {"opening: a backlog of -1", negative_backlog},
    {"opening: what accept4 sets", accepted_flags},
    {"opening: reset in the queue", reset_in_the_queue},
    {"opening: ended in the queue", ended_in_the_queue},
    {"opening: the listener is closed", listener_ends},
    {"opening: the listener is shut down", listener_shut_down},
    {"opening: connect to AF_UNSPEC", disconnect},
    {"opening: the same two ends twice", same_pair_twice},
    {NULL, NULL},
};
