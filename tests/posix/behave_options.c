/* SPDX-License-Identifier: MIT
 *
 * behave_options.c: getsockopt and setsockopt.
 */
#include "behave.h"

#define K t->k

static void flags(struct scene *t)
{
    static const struct { const char *what; int level, name; } of[] = {
        {"SO_REUSEADDR", SOL_SOCKET, SO_REUSEADDR}, {"SO_KEEPALIVE", SOL_SOCKET, SO_KEEPALIVE}, {"SO_OOBINLINE", SOL_SOCKET, SO_OOBINLINE},
        {"SO_BROADCAST", SOL_SOCKET, SO_BROADCAST}, {"TCP_NODELAY", IPPROTO_TCP, TCP_NODELAY}, {"TCP_CORK", IPPROTO_TCP, TCP_CORK}};
    int s = tcp4(t, 0);
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        get_int(t, of[i].what, s, of[i].level, of[i].name);
        set_int(t, of[i].what, s, of[i].level, of[i].name, 5);
        get_int(t, of[i].what, s, of[i].level, of[i].name);
        set_int(t, of[i].what, s, of[i].level, of[i].name, 0);
        get_int(t, of[i].what, s, of[i].level, of[i].name);
    }
}

static void only_to_read(struct scene *t)
{
    static const struct { const char *what; int name; } of[] = {{"SO_TYPE", SO_TYPE}, {"SO_DOMAIN", SO_DOMAIN}, {"SO_PROTOCOL", SO_PROTOCOL},
                                                                  {"SO_ERROR", SO_ERROR}, {"SO_ACCEPTCONN", SO_ACCEPTCONN}, {"SO_SNDLOWAT", SO_SNDLOWAT}};
    int s = tcp4(t, 0), u = make(t, 0, AF_INET6, SOCK_DGRAM);
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        get_int(t, of[i].what, s, SOL_SOCKET, of[i].name);
        get_int(t, of[i].what, u, SOL_SOCKET, of[i].name);
        set_int(t, of[i].what, s, SOL_SOCKET, of[i].name, 1);
    }
}

static void sizes(struct scene *t)
{
    int s = tcp4(t, 0), v = 1;
    unsigned char b[8];
    socklen_t n = 1;
    told(t, "set, 3 bytes", K->setsockopt(K, s, SOL_SOCKET, SO_KEEPALIVE, &v, 3));
    told(t, "set, 0 bytes", K->setsockopt(K, s, IPPROTO_TCP, TCP_NODELAY, &v, 0));
    told(t, "set, 8 bytes", K->setsockopt(K, s, SOL_SOCKET, SO_KEEPALIVE, &v, 8));
    told(t, "set from nowhere", K->setsockopt(K, s, SOL_SOCKET, SO_KEEPALIVE, NULL, 4));
    told(t, "set tcp from nowhere", K->setsockopt(K, s, IPPROTO_TCP, TCP_NODELAY, NULL, 4));
    memset(b, 0xee, sizeof b);
    told(t, "get, 1 byte", K->getsockopt(K, s, SOL_SOCKET, SO_KEEPALIVE, b, &n));
    say(t, "%d bytes: %02x %02x", (int)n, b[0], b[1]);
    n = 8;
    told(t, "get, 8 bytes", K->getsockopt(K, s, SOL_SOCKET, SO_KEEPALIVE, b, &n));
    say(t, "%d bytes: %02x", (int)n, b[4]);
    n = (socklen_t)-1;
    told(t, "get, -1 bytes", K->getsockopt(K, s, SOL_SOCKET, SO_KEEPALIVE, b, &n));
    n = 4;
    told(t, "get to nowhere", K->getsockopt(K, s, SOL_SOCKET, SO_KEEPALIVE, NULL, &n));
    told(t, "get without size", K->getsockopt(K, s, SOL_SOCKET, SO_KEEPALIVE, b, NULL));
}

static void unknown(struct scene *t)
{
    int s = tcp4(t, 0), u = udp4(t, 0), six = tcp6(t, 0);
    set_int(t, "SOL_SOCKET 9999", s, SOL_SOCKET, 9999, 1);
    get_int(t, "SOL_SOCKET 9999", s, SOL_SOCKET, 9999);
    set_int(t, "TCP 9999", s, IPPROTO_TCP, 9999, 1);
    get_int(t, "TCP 9999", s, IPPROTO_TCP, 9999);
    set_int(t, "IP 9999", s, IPPROTO_IP, 9999, 1);
    get_int(t, "IP 9999", s, IPPROTO_IP, 9999);
    set_int(t, "IPV6 9999", six, IPPROTO_IPV6, 9999, 1);
    get_int(t, "IPV6 9999", six, IPPROTO_IPV6, 9999);
    set_int(t, "level 9999", s, 9999, 1, 1);
    get_int(t, "level 9999", s, 9999, 1);
    set_int(t, "TCP_NODELAY on udp", u, IPPROTO_TCP, TCP_NODELAY, 1);
    get_int(t, "TCP_NODELAY on udp", u, IPPROTO_TCP, TCP_NODELAY);
    set_int(t, "IPV6_V6ONLY on a 4", s, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    get_int(t, "IPV6_V6ONLY on a 4", s, IPPROTO_IPV6, IPV6_V6ONLY);
    set_int(t, "IP_TTL on a 6", six, IPPROTO_IP, IP_TTL, 7);
    get_int(t, "IP_TTL on a 6", six, IPPROTO_IP, IP_TTL);
}

static void buffers(struct scene *t)
{
    int s = tcp4(t, 0);
    static const int of[2] = {SO_RCVBUF, SO_SNDBUF};
    for (int i = 0; i < 2; i++) {
        const char *what = i ? "SO_SNDBUF" : "SO_RCVBUF";
        set_int(t, what, s, SOL_SOCKET, of[i], 20000);
        get_int(t, what, s, SOL_SOCKET, of[i]);
        set_int(t, what, s, SOL_SOCKET, of[i], 1);
        get_int(t, what, s, SOL_SOCKET, of[i]);
    }
}

static void buffer_locks(struct scene *t)
{
    int s = tcp4(t, 0), u = make(t, 0, AF_INET, SOCK_DGRAM);
    for (int v = -1; v <= 4; v++) {
        set_int(t, "SO_BUF_LOCK", s, SOL_SOCKET, SO_BUF_LOCK, v);
        get_int(t, "SO_BUF_LOCK", s, SOL_SOCKET, SO_BUF_LOCK);
    }
    set_int(t, "SO_BUF_LOCK", s, SOL_SOCKET, SO_BUF_LOCK, 0);
    set_int(t, "SO_SNDBUF", s, SOL_SOCKET, SO_SNDBUF, 20000);
    get_int(t, "SO_BUF_LOCK", s, SOL_SOCKET, SO_BUF_LOCK);
    set_int(t, "SO_RCVBUF", s, SOL_SOCKET, SO_RCVBUF, 20000);
    get_int(t, "SO_BUF_LOCK", s, SOL_SOCKET, SO_BUF_LOCK);
    set_int(t, "SO_BUF_LOCK", s, SOL_SOCKET, SO_BUF_LOCK, 2);
    get_int(t, "SO_SNDBUF", s, SOL_SOCKET, SO_SNDBUF);
    set_int(t, "SO_BUF_LOCK of datagrams", u, SOL_SOCKET, SO_BUF_LOCK, 1);
    get_int(t, "SO_BUF_LOCK of datagrams", u, SOL_SOCKET, SO_BUF_LOCK);
}

static void times(struct scene *t)
{
    int s = tcp4(t, 0);
    struct timeval tv = {0, 0};
    socklen_t n = sizeof tv;
    told(t, "get", K->getsockopt(K, s, SOL_SOCKET, SO_RCVTIMEO, &tv, &n));
    say(t, "%ld %ld, %d bytes", (long)tv.tv_sec, (long)tv.tv_usec, (int)n);
    tv = (struct timeval){3, 500000};
    told(t, "set", K->setsockopt(K, s, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv));
    told(t, "get", K->getsockopt(K, s, SOL_SOCKET, SO_RCVTIMEO, &tv, &n));
    say(t, "%ld %ld", (long)tv.tv_sec, (long)tv.tv_usec);
    tv = (struct timeval){0, 1000000};
    told(t, "too many microseconds", K->setsockopt(K, s, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv));
    tv = (struct timeval){0, -1};
    told(t, "negative microseconds", K->setsockopt(K, s, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv));
    told(t, "too short", K->setsockopt(K, s, SOL_SOCKET, SO_SNDTIMEO, &tv, 8));
    tv = (struct timeval){0, 0};
    told(t, "off", K->setsockopt(K, s, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv));
    told(t, "get", K->getsockopt(K, s, SOL_SOCKET, SO_RCVTIMEO, &tv, &n));
    say(t, "%ld %ld", (long)tv.tv_sec, (long)tv.tv_usec);
}

static void tcp_numbers(struct scene *t)
{
    static const struct { const char *what; int name, good, low, high; } of[] = {
        {"TCP_KEEPIDLE", TCP_KEEPIDLE, 60, 0, 32768}, {"TCP_KEEPINTVL", TCP_KEEPINTVL, 10, 0, 32768}, {"TCP_KEEPCNT", TCP_KEEPCNT, 3, 0, 128},
        {"TCP_USER_TIMEOUT", TCP_USER_TIMEOUT, 30000, -1, 0}};
    int s = tcp4(t, 0);
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        set_int(t, of[i].what, s, IPPROTO_TCP, of[i].name, of[i].good);
        get_int(t, of[i].what, s, IPPROTO_TCP, of[i].name);
        set_int(t, of[i].what, s, IPPROTO_TCP, of[i].name, of[i].low);
        set_int(t, of[i].what, s, IPPROTO_TCP, of[i].name, of[i].high);
    }
}

static void tcp_defaults(struct scene *t)
{
    int s = tcp4(t, 0);
    get_int(t, "TCP_KEEPIDLE", s, IPPROTO_TCP, TCP_KEEPIDLE);
    get_int(t, "TCP_KEEPINTVL", s, IPPROTO_TCP, TCP_KEEPINTVL);
    get_int(t, "TCP_KEEPCNT", s, IPPROTO_TCP, TCP_KEEPCNT);
    get_int(t, "TCP_USER_TIMEOUT", s, IPPROTO_TCP, TCP_USER_TIMEOUT);
    get_int(t, "TCP_QUICKACK", s, IPPROTO_TCP, TCP_QUICKACK);
    get_int(t, "TCP_DEFER_ACCEPT", s, IPPROTO_TCP, TCP_DEFER_ACCEPT);
    get_int(t, "TCP_MAXSEG", s, IPPROTO_TCP, TCP_MAXSEG);
    get_int(t, "SO_RCVLOWAT", s, SOL_SOCKET, SO_RCVLOWAT);
    get_int(t, "SO_PRIORITY", s, SOL_SOCKET, SO_PRIORITY);
    get_int(t, "IP_TTL", s, IPPROTO_IP, IP_TTL);
    get_int(t, "IP_TOS", s, IPPROTO_IP, IP_TOS);
    get_int(t, "SO_REUSEPORT", s, SOL_SOCKET, SO_REUSEPORT);
}

static void syn_count(struct scene *t)
{
    int s = tcp4(t, 0);
    get_int(t, "TCP_SYNCNT", s, IPPROTO_TCP, TCP_SYNCNT);
    set_int(t, "TCP_SYNCNT", s, IPPROTO_TCP, TCP_SYNCNT, 0);
    set_int(t, "TCP_SYNCNT", s, IPPROTO_TCP, TCP_SYNCNT, 256);
    set_int(t, "TCP_SYNCNT", s, IPPROTO_TCP, TCP_SYNCNT, 3);
    get_int(t, "TCP_SYNCNT", s, IPPROTO_TCP, TCP_SYNCNT);
}

static void reuse_port(struct scene *t) { set_int(t, "SO_REUSEPORT", tcp4(t, 0), SOL_SOCKET, SO_REUSEPORT, 1); }
static void defer_accept(struct scene *t) { set_int(t, "TCP_DEFER_ACCEPT", listener(t, t->port, 1), IPPROTO_TCP, TCP_DEFER_ACCEPT, 5); }

static void max_segment(struct scene *t)
{
    int s = tcp4(t, 0);
    set_int(t, "TCP_MAXSEG", s, IPPROTO_TCP, TCP_MAXSEG, 1000);
    get_int(t, "TCP_MAXSEG", s, IPPROTO_TCP, TCP_MAXSEG);
    set_int(t, "TCP_MAXSEG", s, IPPROTO_TCP, TCP_MAXSEG, 10);
    set_int(t, "TCP_MAXSEG", s, IPPROTO_TCP, TCP_MAXSEG, 40000);
}

static void congestion(struct scene *t)
{
    int s = tcp4(t, 0);
    char b[16] = "";
    socklen_t n = sizeof b;
    told(t, "set reno", K->setsockopt(K, s, IPPROTO_TCP, TCP_CONGESTION, "reno", 4));
    told(t, "get", K->getsockopt(K, s, IPPROTO_TCP, TCP_CONGESTION, b, &n));
    say(t, "%s, %d bytes", b, (int)n);
    told(t, "set cubic", K->setsockopt(K, s, IPPROTO_TCP, TCP_CONGESTION, "cubic\0more", 10));
    told(t, "get", K->getsockopt(K, s, IPPROTO_TCP, TCP_CONGESTION, b, &n));
    say(t, "%s, %d bytes", b, (int)n);
    told(t, "set an unknown one", K->setsockopt(K, s, IPPROTO_TCP, TCP_CONGESTION, "nosuch", 6));
    told(t, "set nothing", K->setsockopt(K, s, IPPROTO_TCP, TCP_CONGESTION, "", 0));
    n = 2;
    told(t, "get 2 bytes", K->getsockopt(K, s, IPPROTO_TCP, TCP_CONGESTION, b, &n));
}

static void congestion_of_a_connection(struct scene *t)
{
    int l = listener(t, t->port, 1), c = tcp4(t, 0);
    char b[16] = "";
    socklen_t n = sizeof b;
    struct name to = name4(1, t->port);
    told(t, "the listener's", K->setsockopt(K, l, IPPROTO_TCP, TCP_CONGESTION, "reno", 4));
    told(t, "connect", K->connect(K, c, SA(to)));
    int s = K->accept(K, l, NULL, NULL, 0);
    told_fd(t, "accept", s);
    told(t, "get", K->getsockopt(K, s, IPPROTO_TCP, TCP_CONGESTION, b, &n));
    say(t, "%s", b);
    told(t, "change", K->setsockopt(K, s, IPPROTO_TCP, TCP_CONGESTION, "cubic", 5));
    told(t, "get", K->getsockopt(K, s, IPPROTO_TCP, TCP_CONGESTION, b, &n));
    say(t, "%s", b);
    told(t, "get the listener's", K->getsockopt(K, l, IPPROTO_TCP, TCP_CONGESTION, b, &n));
    say(t, "%s", b);
}

static void ttl_and_tos(struct scene *t)
{
    int s = tcp4(t, 0), six = tcp6(t, 0);
    unsigned char byte = 0x48;
    set_int(t, "IP_TTL", s, IPPROTO_IP, IP_TTL, 7);
    get_int(t, "IP_TTL", s, IPPROTO_IP, IP_TTL);
    set_int(t, "IP_TTL", s, IPPROTO_IP, IP_TTL, 0);
    set_int(t, "IP_TTL", s, IPPROTO_IP, IP_TTL, 256);
    set_int(t, "IP_TTL", s, IPPROTO_IP, IP_TTL, -1);
    get_int(t, "IP_TTL", s, IPPROTO_IP, IP_TTL);
    set_int(t, "IP_TOS", s, IPPROTO_IP, IP_TOS, 0xb8);
    get_int(t, "IP_TOS", s, IPPROTO_IP, IP_TOS);
    set_int(t, "IP_TOS", s, IPPROTO_IP, IP_TOS, 0xb9);
    get_int(t, "IP_TOS with ECN bits", s, IPPROTO_IP, IP_TOS);
    told(t, "one byte", K->setsockopt(K, s, IPPROTO_IP, IP_TOS, &byte, 1));
    get_int(t, "IP_TOS", s, IPPROTO_IP, IP_TOS);
    socklen_t n = 1;
    told(t, "get one byte", K->getsockopt(K, s, IPPROTO_IP, IP_TOS, &byte, &n));
    say(t, "%02x, %d bytes", byte, (int)n);
    set_int(t, "IPV6_UNICAST_HOPS", six, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 9);
    get_int(t, "IPV6_UNICAST_HOPS", six, IPPROTO_IPV6, IPV6_UNICAST_HOPS);
    set_int(t, "IPV6_UNICAST_HOPS", six, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 256);
    set_int(t, "IPV6_UNICAST_HOPS", six, IPPROTO_IPV6, IPV6_UNICAST_HOPS, -1);
    get_int(t, "IPV6_UNICAST_HOPS", six, IPPROTO_IPV6, IPV6_UNICAST_HOPS);
    set_int(t, "IPV6_TCLASS", six, IPPROTO_IPV6, IPV6_TCLASS, 0xb8);
    get_int(t, "IPV6_TCLASS", six, IPPROTO_IPV6, IPV6_TCLASS);
    set_int(t, "IPV6_TCLASS", six, IPPROTO_IPV6, IPV6_TCLASS, 256);
}

static void mtu(struct scene *t)
{
    int s = tcp4(t, 0);
    get_int(t, "IP_MTU", s, IPPROTO_IP, IP_MTU);
    struct both b = connected(t);
    get_int(t, "IP_MTU", b.c, IPPROTO_IP, IP_MTU);
    get_int(t, "IP_MTU", b.s, IPPROTO_IP, IP_MTU);
}

static void inherited(struct scene *t)
{
    int l = listener(t, t->port, 1), c = tcp4(t, 0);
    struct linger g = {1, 9};
    struct timeval tv = {3, 0};
    struct name to = name4(1, t->port);
    socklen_t n = sizeof g;
    set_int(t, "SO_KEEPALIVE", l, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_int(t, "TCP_NODELAY", l, IPPROTO_TCP, TCP_NODELAY, 1);
    set_int(t, "SO_OOBINLINE", l, SOL_SOCKET, SO_OOBINLINE, 1);
    set_int(t, "SO_RCVLOWAT", l, SOL_SOCKET, SO_RCVLOWAT, 3);
    set_int(t, "SO_RCVBUF", l, SOL_SOCKET, SO_RCVBUF, 30000);
    set_int(t, "SO_SNDBUF", l, SOL_SOCKET, SO_SNDBUF, 30000);
    set_int(t, "IP_TOS", l, IPPROTO_IP, IP_TOS, 0x48);
    set_int(t, "IP_TTL", l, IPPROTO_IP, IP_TTL, 9);
    set_int(t, "TCP_USER_TIMEOUT", l, IPPROTO_TCP, TCP_USER_TIMEOUT, 9999);
    K->setsockopt(K, l, SOL_SOCKET, SO_LINGER, &g, sizeof g);
    K->setsockopt(K, l, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
    told(t, "connect", K->connect(K, c, SA(to)));
    int s = K->accept(K, l, NULL, NULL, 0);
    told_fd(t, "accept", s);
    get_int(t, "SO_REUSEADDR", s, SOL_SOCKET, SO_REUSEADDR);
    get_int(t, "SO_KEEPALIVE", s, SOL_SOCKET, SO_KEEPALIVE);
    get_int(t, "TCP_NODELAY", s, IPPROTO_TCP, TCP_NODELAY);
    get_int(t, "SO_OOBINLINE", s, SOL_SOCKET, SO_OOBINLINE);
    get_int(t, "SO_RCVLOWAT", s, SOL_SOCKET, SO_RCVLOWAT);
    get_int(t, "SO_RCVBUF", s, SOL_SOCKET, SO_RCVBUF);
    get_int(t, "SO_SNDBUF", s, SOL_SOCKET, SO_SNDBUF);
    get_int(t, "SO_BUF_LOCK", s, SOL_SOCKET, SO_BUF_LOCK);
    get_int(t, "IP_TOS", s, IPPROTO_IP, IP_TOS);
    get_int(t, "IP_TTL", s, IPPROTO_IP, IP_TTL);
    get_int(t, "TCP_USER_TIMEOUT", s, IPPROTO_TCP, TCP_USER_TIMEOUT);
    get_int(t, "SO_ACCEPTCONN", s, SOL_SOCKET, SO_ACCEPTCONN);
    memset(&g, 0, sizeof g);
    K->getsockopt(K, s, SOL_SOCKET, SO_LINGER, &g, &n);
    tv = (struct timeval){0, 0};
    n = sizeof tv;
    K->getsockopt(K, s, SOL_SOCKET, SO_RCVTIMEO, &tv, &n);
    say(t, "linger %d %d, time %ld", g.l_onoff, g.l_linger, (long)tv.tv_sec);
    g.l_onoff = 0;
    K->setsockopt(K, s, SOL_SOCKET, SO_LINGER, &g, sizeof g);
}

static void info_of_a_connection(struct scene *t)
{
    struct both b = connected(t);
    struct tcp_info i;
    socklen_t n = sizeof i;
    char c[8];
    K->sendto(K, b.c, "abcdef", 6, 0, NULL, 0);
    told(t, "recv", K->recvfrom(K, b.s, c, 8, 0, NULL, NULL));
    K->elapse(K, 100);
    memset(&i, 0xee, sizeof i);
    told(t, "TCP_INFO", K->getsockopt(K, b.c, IPPROTO_TCP, TCP_INFO, &i, &n));
    say(t, "state %d, options %x, unacked %u, sacked %u, lost %u, retransmits %d, total %u", i.tcpi_state, i.tcpi_options & 7, i.tcpi_unacked, i.tcpi_sacked,
        i.tcpi_lost, i.tcpi_retransmits, i.tcpi_total_retrans);
    say(t, "mss %u, advertised %u, cwnd %d, ca_state %d, probes %d, backoff %d", i.tcpi_snd_mss, i.tcpi_advmss, i.tcpi_snd_cwnd >= 10, i.tcpi_ca_state,
        i.tcpi_probes, i.tcpi_backoff);
    say(t, "whole: %d, %s", n == sizeof i, i.tcpi_rto >= 200000 && i.tcpi_rto <= 3000000 ? "a sane time-out" : "a strange time-out");
    n = 8;
    told(t, "8 bytes of it", K->getsockopt(K, b.c, IPPROTO_TCP, TCP_INFO, &i, &n));
    say(t, "%d", (int)n);
}

static void segment_size_of_a_connection(struct scene *t)
{
    struct both b = connected(t);
    get_int(t, "TCP_MAXSEG", b.c, IPPROTO_TCP, TCP_MAXSEG);
    get_int(t, "TCP_MAXSEG", b.s, IPPROTO_TCP, TCP_MAXSEG);
}

static void memory(struct scene *t)
{
    struct both b = connected(t);
    uint32_t m[9] = {0};
    socklen_t n = sizeof m;
    told(t, "SO_MEMINFO", K->getsockopt(K, b.c, SOL_SOCKET, SO_MEMINFO, m, &n));
    say(t, "%d bytes, to read %u, to send %u", (int)n, m[0], m[2]);
    K->sendto(K, b.s, "abc", 3, 0, NULL, 0);
    await(t, b.c, POLLIN);
    n = sizeof m;
    told(t, "SO_MEMINFO", K->getsockopt(K, b.c, SOL_SOCKET, SO_MEMINFO, m, &n));
    say(t, "something to read: %d", m[0] > 0);
    n = 64;
    unsigned char info[64];
    told(t, "TCP_CC_INFO", K->setsockopt(K, b.c, IPPROTO_TCP, TCP_CONGESTION, "reno", 4));
    told(t, "TCP_CC_INFO", K->getsockopt(K, b.c, IPPROTO_TCP, TCP_CC_INFO, info, &n));
    say(t, "%d bytes", (int)n);
}

static void over_ip6(struct scene *t)
{
    int l = tcp6(t, 1), c = tcp6(t, 0);
    struct name any = any6(t->port), to = name6(1, t->port);
    told(t, "bind", K->bind(K, l, SA(any)));
    told(t, "listen", K->listen(K, l, 1));
    set_int(t, "IPV6_TCLASS", c, IPPROTO_IPV6, IPV6_TCLASS, 0x48);
    set_int(t, "IPV6_UNICAST_HOPS", c, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 5);
    get_int(t, "IPV6_MTU", c, IPPROTO_IPV6, IPV6_MTU);
    told(t, "connect", K->connect(K, c, SA(to)));
    int s = K->accept(K, l, NULL, NULL, 0);
    told_fd(t, "accept", s);
    get_int(t, "IPV6_MTU", c, IPPROTO_IPV6, IPV6_MTU);
    get_int(t, "IPV6_TCLASS", c, IPPROTO_IPV6, IPV6_TCLASS);
    get_int(t, "IPV6_UNICAST_HOPS", c, IPPROTO_IPV6, IPV6_UNICAST_HOPS);
    get_int(t, "TCP_MAXSEG", s, IPPROTO_TCP, TCP_MAXSEG);
    get_int(t, "SO_DOMAIN", s, SOL_SOCKET, SO_DOMAIN);
    get_int(t, "IPV6_V6ONLY", s, IPPROTO_IPV6, IPV6_V6ONLY);
}

static void segments_of_a_limit(struct scene *t)
{
    int l = tcp4(t, 1), c = tcp4(t, 0);
    struct name to = name4(1, t->port);
    set_int(t, "TCP_MAXSEG", l, IPPROTO_TCP, TCP_MAXSEG, 1000);
    told(t, "bind", K->bind(K, l, SA(to)));
    told(t, "listen", K->listen(K, l, 1));
    get_int(t, "TCP_MAXSEG of the listener", l, IPPROTO_TCP, TCP_MAXSEG);
    told(t, "connect", K->connect(K, c, SA(to)));
    int s = K->accept(K, l, NULL, NULL, 0);
    told_fd(t, "accept", s);
    get_int(t, "TCP_MAXSEG of the client", c, IPPROTO_TCP, TCP_MAXSEG);
    get_int(t, "TCP_MAXSEG of the server", s, IPPROTO_TCP, TCP_MAXSEG);
}

static void on_a_dead_connection(struct scene *t)
{
    struct both b = connected(t);
    reset_by_peer(t, &b);
    set_int(t, "TCP_NODELAY", b.c, IPPROTO_TCP, TCP_NODELAY, 1);
    set_int(t, "SO_KEEPALIVE", b.c, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_int(t, "IP_TTL", b.c, IPPROTO_IP, IP_TTL, 5);
    get_int(t, "TCP_NODELAY", b.c, IPPROTO_TCP, TCP_NODELAY);
}

static void keepalive_of_a_connection(struct scene *t)
{
    struct both b = connected(t);
    set_int(t, "TCP_KEEPIDLE", b.c, IPPROTO_TCP, TCP_KEEPIDLE, 60);
    set_int(t, "TCP_KEEPINTVL", b.c, IPPROTO_TCP, TCP_KEEPINTVL, 7);
    set_int(t, "TCP_KEEPCNT", b.c, IPPROTO_TCP, TCP_KEEPCNT, 3);
    get_int(t, "TCP_KEEPIDLE", b.c, IPPROTO_TCP, TCP_KEEPIDLE);
    get_int(t, "TCP_KEEPINTVL", b.c, IPPROTO_TCP, TCP_KEEPINTVL);
    get_int(t, "TCP_KEEPCNT", b.c, IPPROTO_TCP, TCP_KEEPCNT);
    set_int(t, "SO_KEEPALIVE", b.c, SOL_SOCKET, SO_KEEPALIVE, 1);
}

const struct behaviour behave_options[] = {
    {"options: flags", flags},
    {"options: only to be read", only_to_read},
    {"options: sizes", sizes},
    {"options: unknown ones", unknown},
    {"options: buffers", buffers},
    {"options: SO_BUF_LOCK", buffer_locks},
    {"options: time limits", times},
    {"options: numbers of TCP", tcp_numbers},
    {"options: defaults", tcp_defaults},
    {"options: TCP_SYNCNT", syn_count},
    {"options: SO_REUSEPORT", reuse_port},
    {"options: TCP_DEFER_ACCEPT", defer_accept},
    {"options: TCP_MAXSEG", max_segment},
    {"options: TCP_CONGESTION", congestion},
    {"options: TCP_CONGESTION of a connection", congestion_of_a_connection},
    {"options: hop limit and class", ttl_and_tos},
    {"options: IP_MTU", mtu},
    {"options: inherited", inherited},
    {"options: TCP_INFO", info_of_a_connection},
    {"options: TCP_MAXSEG of a connection", segment_size_of_a_connection},
    {"options: SO_MEMINFO and TCP_CC_INFO", memory},
    {"options: over IPv6", over_ip6},
    {"options: TCP_MAXSEG of a listener", segments_of_a_limit},
    {"options: on a dead connection", on_a_dead_connection},
    {"options: keepalive of a connection", keepalive_of_a_connection},
    {NULL, NULL},
};
