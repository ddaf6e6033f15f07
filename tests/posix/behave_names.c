/* SPDX-License-Identifier: MIT
 *
 * behave_names.c: socket, bind, getsockname, getpeername, and who may have which port.
 */
#include "behave.h"

#define K t->k

static void kinds(struct scene *t)
{
    static const struct { int domain, type, protocol; } tries[] = {
        {AF_INET, SOCK_STREAM, 0}, {AF_INET, SOCK_STREAM, IPPROTO_TCP}, {AF_INET6, SOCK_STREAM, 0}, {AF_INET, SOCK_DGRAM, IPPROTO_UDP},
        {AF_INET6, SOCK_DGRAM, 0}, {AF_INET, SOCK_STREAM, IPPROTO_UDP}, {AF_INET, SOCK_DGRAM, IPPROTO_TCP}, {AF_INET, SOCK_SEQPACKET, 0},
        {AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0}, {999, SOCK_STREAM, 0}, {AF_INET, 99, 0}, {AF_INET, SOCK_STREAM, -1},
        {AF_INET, SOCK_STREAM, 1000}, {AF_INET, 0, 0}, {AF_UNSPEC, SOCK_STREAM, 0}};
    for (size_t i = 0; i < sizeof tries / sizeof *tries; i++) {
        char what[64] = "socket 00";
        what[7] = (char)('0' + i / 10), what[8] = (char)('0' + i % 10);
        told_fd(t, what, K->socket(K, 0, tries[i].domain, tries[i].type, tries[i].protocol));
    }
}

static void where(struct scene *t, const char *what, int fd, bool peer)
{
    struct name a = {.n = sizeof a.ss};
    int e = peer ? K->getpeername(K, fd, (struct sockaddr *)&a.ss, &a.n) : K->getsockname(K, fd, (struct sockaddr *)&a.ss, &a.n);
    if (e)
        told(t, what, e);
    else
        told_name(t, what, &a, t->port);
}

static void unbound(struct scene *t)
{
    int s = tcp4(t, 0), s6 = tcp6(t, 0);
    where(t, "getsockname", s, false);
    where(t, "getpeername", s, true);
    where(t, "getsockname 6", s6, false);
    where(t, "getpeername 6", s6, true);
}

static void bind_and_name(struct scene *t)
{
    int s = tcp4(t, 0);
    struct name a = name4(0, t->port);
    told(t, "bind", K->bind(K, s, SA(a)));
    where(t, "getsockname", s, false);
    a = name4(0, t->port + 1);
    told(t, "bind again", K->bind(K, s, SA(a)));
}

static void bind_any_port(struct scene *t)
{
    int s = tcp4(t, 0);
    struct name a = any4(0);
    told(t, "bind", K->bind(K, s, SA(a)));
    where(t, "getsockname", s, false);
    told(t, "bind again", K->bind(K, s, SA(a)));
}

static void bind_not_ours(struct scene *t)
{
    int s = tcp4(t, 0), s6 = tcp6(t, 0), u = udp4(t, 0);
    struct name a = name4(1, t->port), a6 = name6(1, t->port);
    told(t, "bind", K->bind(K, s, SA(a)));
    told(t, "bind 6", K->bind(K, s6, SA(a6)));
    told(t, "bind udp", K->bind(K, u, SA(a)));
}

static void bind_wrong_size(struct scene *t)
{
    int s = tcp4(t, 0), s6 = tcp6(t, 0);
    struct name a = name4(0, t->port), a6 = name6(0, t->port);
    told(t, "bind, 15 bytes", K->bind(K, s, (struct sockaddr *)&a.ss, 15));
    told(t, "bind, 1 byte", K->bind(K, s, (struct sockaddr *)&a.ss, 1));
    told(t, "bind, 28 bytes", K->bind(K, s, (struct sockaddr *)&a.ss, 28));
    told(t, "bind 6, 16 bytes", K->bind(K, s6, (struct sockaddr *)&a6.ss, 16));
    told(t, "bind 6, 24 bytes", K->bind(K, s6, (struct sockaddr *)&a6.ss, 24));
}

static void bind_wrong_family(struct scene *t)
{
    int s = tcp4(t, 0), s6 = tcp6(t, 0);
    struct name a = any4(t->port), a6 = any6(t->port), unspec = any4(t->port), unspec_ours = name4(0, t->port);
    unspec.ss.ss_family = unspec_ours.ss.ss_family = AF_UNSPEC;
    told(t, "bind 6 to a 4", K->bind(K, s, SA(a6)));
    told(t, "bind 4 to a 6", K->bind(K, s6, SA(a)));
    told(t, "bind an address without family", K->bind(K, s, SA(unspec_ours)));
    told(t, "bind nothing without family", K->bind(K, s, SA(unspec)));
}

static int bound(struct scene *t, const char *what, int host, int domain, const struct name *a, bool reuse)
{
    int s = make(t, host, domain, SOCK_STREAM), on = reuse;
    K->setsockopt(K, s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    told(t, what, K->bind(K, s, SA(*a)));
    return s;
}

static void two_on_a_port(struct scene *t)
{
    struct name any = any4(t->port), one = name4(0, t->port), other = any4(t->port + 1);
    bound(t, "first on any", 0, AF_INET, &any, false);
    bound(t, "second on any", 0, AF_INET, &any, false);
    bound(t, "second on one", 0, AF_INET, &one, false);
    bound(t, "second who reuses", 0, AF_INET, &any, true);
    bound(t, "another port", 0, AF_INET, &other, false);
}

static void two_who_reuse(struct scene *t)
{
    struct name any = any4(t->port);
    int a = bound(t, "first", 0, AF_INET, &any, true), b = bound(t, "second", 0, AF_INET, &any, true);
    told(t, "first listens", K->listen(K, a, 1));
    told(t, "second listens", K->listen(K, b, 1));
    bound(t, "third", 0, AF_INET, &any, true);
}

static void families_on_a_port(struct scene *t)
{
    struct name four = any4(t->port), six = any6(t->port);
    int a = bound(t, "4 on any", 0, AF_INET, &four, false);
    bound(t, "6 on any, both families", 0, AF_INET6, &six, false);
    int only = tcp6(t, 0);
    set_int(t, "V6ONLY", only, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    told(t, "6 on any, 6 only", K->bind(K, only, SA(six)));
    told(t, "4 listens", K->listen(K, a, 1));
    told(t, "6 listens", K->listen(K, only, 1));
}

static void v6_only(struct scene *t)
{
    int s = tcp6(t, 0);
    struct name a = mapped(0, t->port), v6 = any6(t->port);
    get_int(t, "V6ONLY", s, IPPROTO_IPV6, IPV6_V6ONLY);
    set_int(t, "V6ONLY", s, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    told(t, "bind mapped", K->bind(K, s, SA(a)));
    a = mapped(1, t->port);
    told(t, "connect mapped", K->connect(K, s, SA(a)));
    told(t, "bind", K->bind(K, s, SA(v6)));
    set_int(t, "V6ONLY after bind", s, IPPROTO_IPV6, IPV6_V6ONLY, 0);
}

static void bind_mapped(struct scene *t)
{
    int s = tcp6(t, 0);
    struct name a = mapped(0, t->port);
    told(t, "bind", K->bind(K, s, SA(a)));
    where(t, "getsockname", s, false);
    a = name6(1, t->port);
    told(t, "connect to a 6", K->connect(K, s, SA(a)));
}

static void names_of_a_connection(struct scene *t)
{
    struct both b = connected(t);
    where(t, "client's own", b.c, false);
    where(t, "client's peer", b.c, true);
    where(t, "server's own", b.s, false);
    where(t, "listener's own", b.l, false);
    where(t, "listener's peer", b.l, true);
    where(t, "server's peer", b.s, true);
}

static void a_short_name(struct scene *t)
{
    struct both b = connected(t);
    unsigned char small[16];
    socklen_t n = 4;
    memset(small, 0xee, sizeof small);
    told(t, "getsockname into 4 bytes", K->getsockname(K, b.s, (struct sockaddr *)small, &n));
    say(t, "length %d, fifth byte %02x", (int)n, small[4]);
    n = (socklen_t)-1;
    told(t, "getsockname into -1 bytes", K->getsockname(K, b.s, (struct sockaddr *)small, &n));
    n = 0;
    told(t, "getpeername into 0 bytes", K->getpeername(K, b.s, (struct sockaddr *)small, &n));
    say(t, "length %d", (int)n);
}

static void bound_before_connect(struct scene *t)
{
    int l = listener(t, t->port, 1), c = tcp4(t, 0);
    struct name a = any4(t->port + 1), to = name4(1, t->port), from = {.n = sizeof from.ss};
    told(t, "bind", K->bind(K, c, SA(a)));
    told(t, "connect", K->connect(K, c, SA(to)));
    where(t, "getsockname", c, false);
    told_fd(t, "accept", K->accept(K, l, (struct sockaddr *)&from.ss, &from.n, 0));
    told_name(t, "from", &from, t->port);
}

static void port_of_a_connection(struct scene *t)
{
    struct both b = connected(t);
    K->close(K, b.l);
    gone(t, b.l);
    struct name any = any4(t->port);
    bound(t, "bind", 1, AF_INET, &any, false);
    bound(t, "bind who reuses", 1, AF_INET, &any, true);
}

static void port_of_a_closed_connection(struct scene *t)
{
    struct both b = connected(t);
    K->close(K, b.l);
    gone(t, b.l);
    K->close(K, b.s);                     /* nobody owns it any more, but the client did not close yet */
    gone(t, b.s);
    K->settle(K);
    struct name any = any4(t->port);
    bound(t, "bind", 1, AF_INET, &any, false);
    bound(t, "bind who reuses", 1, AF_INET, &any, true);
}

static void port_in_time_wait(struct scene *t)
{
    struct both b = connected(t);
    K->close(K, b.l);
    gone(t, b.l);
    K->close(K, b.s);                     /* the server ends first: TIME-WAIT is its */
    gone(t, b.s);
    K->settle(K);
    K->close(K, b.c);
    gone(t, b.c);
    K->settle(K);
    struct name any = any4(t->port);
    bound(t, "bind", 1, AF_INET, &any, false);
    int s = bound(t, "bind who reuses", 1, AF_INET, &any, true);
    told(t, "listen", K->listen(K, s, 1));
}

static void bad_descriptors(struct scene *t)
{
    struct name a = any4(t->port);
    char c;
    int e = keep(t, K->epoll_create(K, 0, 0));
    told(t, "bind -1", K->bind(K, -1, SA(a)));
    told(t, "listen -1", K->listen(K, -1, 1));
    told(t, "connect -1", K->connect(K, -1, SA(a)));
    told(t, "accept -1", K->accept(K, -1, NULL, NULL, 0));
    told(t, "close -1", K->close(K, -1));
    told(t, "shutdown -1", K->shutdown(K, -1, 0));
    told(t, "recv -1", K->recvfrom(K, -1, &c, 1, 0, NULL, NULL));
    told(t, "bind an epoll", K->bind(K, e, SA(a)));
    told(t, "listen on an epoll", K->listen(K, e, 1));
    told(t, "send to an epoll", K->sendto(K, e, &c, 1, 0, NULL, 0));
    told(t, "read an epoll", K->read(K, e, &c, 1));
    told(t, "write an epoll", K->write(K, e, &c, 1));
    told(t, "getpeername of an epoll", K->getpeername(K, e, (struct sockaddr *)&a.ss, &a.n));
}

static void closed_descriptor(struct scene *t)
{
    int s = tcp4(t, 0);
    char c = 0;
    told(t, "close", K->close(K, s));
    gone(t, s);
    told(t, "close again", K->close(K, s));
    told(t, "send", K->sendto(K, s, &c, 1, 0, NULL, 0));
    told(t, "listen", K->listen(K, s, 1));
}

static void lowest_descriptor(struct scene *t)
{
    int a = tcp4(t, 0), b = tcp4(t, 0), c = tcp4(t, 0);
    K->close(K, b);
    gone(t, b);
    int d = tcp4(t, 0);
    say(t, "%s, %s", a < b && b < c ? "in order" : "not in order", d == b ? "the lowest again" : "another");
}

static void flags(struct scene *t)
{
    int s = make(t, 0, AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC), b = tcp4(t, 0);
    told(t, "F_GETFL", K->fcntl(K, s, F_GETFL, 0) & (O_ACCMODE | O_NONBLOCK));
    told(t, "F_GETFD", K->fcntl(K, s, F_GETFD, 0));
    told(t, "F_SETFL", K->fcntl(K, s, F_SETFL, 0));
    told(t, "F_GETFL", K->fcntl(K, s, F_GETFL, 0) & (O_ACCMODE | O_NONBLOCK));
    told(t, "F_GETFD", K->fcntl(K, b, F_GETFD, 0));
    told(t, "F_SETFD", K->fcntl(K, b, F_SETFD, FD_CLOEXEC));
    told(t, "F_GETFD", K->fcntl(K, b, F_GETFD, 0));
    int on = 1;
    told(t, "FIONBIO", K->ioctl(K, b, FIONBIO, &on));
    told(t, "F_GETFL", K->fcntl(K, b, F_GETFL, 0) & (O_ACCMODE | O_NONBLOCK));
    told(t, "unknown", K->fcntl(K, b, 9999, 0));
    told(t, "unknown ioctl", K->ioctl(K, b, 0x4711, &on));
}

const struct behaviour behave_names[] = {
    {"names: kinds of sockets", kinds},
    {"names: of a socket that has none", unbound},
    {"names: bind, and the name", bind_and_name},
    {"names: bind to port 0", bind_any_port},
    {"names: bind to an address of others", bind_not_ours},
    {"names: bind with a wrong size", bind_wrong_size},
    {"names: bind with a wrong family", bind_wrong_family},
    {"names: two on one port", two_on_a_port},
    {"names: two who reuse", two_who_reuse},
    {"names: families on one port", families_on_a_port},
    {"names: IPv6 only", v6_only},
    {"names: bind to a mapped address", bind_mapped},
    {"names: of a connection", names_of_a_connection},
    {"names: a buffer that is too short", a_short_name},
    {"names: bound before connect", bound_before_connect},
    {"names: the port of an open connection", port_of_a_connection},
    {"names: the port of a connection that was closed here", port_of_a_closed_connection},
    {"names: the port of TIME-WAIT", port_in_time_wait},
    {"names: no descriptor, no socket", bad_descriptors},
    {"names: a closed descriptor", closed_descriptor},
    {"names: the lowest free descriptor", lowest_descriptor},
    {"names: fcntl and FIONBIO", flags},
    {NULL, NULL},
};
