/* SPDX-License-Identifier: MIT
 *
 * behave_stream.c: bytes of a connection: the send and receive families and their flags.
 */
#include "behave.h"

#include <linux/sockios.h>

#define K t->k

static ssize_t get(struct scene *t, int fd, void *b, size_t n, int flags) { return K->recvfrom(K, fd, b, n, flags, NULL, NULL); }
static ssize_t put(struct scene *t, int fd, const char *text, int flags) { return K->sendto(K, fd, text, strlen(text), flags, NULL, 0); }

static void there_and_back(struct scene *t)
{
    struct both b = connected(t);
    char c[16];
    told(t, "send", put(t, b.c, "hello", 0));
    told_bytes(t, "recv", get(t, b.s, c, sizeof c, 0), c);
    told(t, "write", K->write(K, b.s, "world", 5));
    told_bytes(t, "read", K->read(K, b.c, c, sizeof c), c);
}

static void pieces(struct scene *t)
{
    struct both b = connected(t);
    char c[16];
    told(t, "send", put(t, b.c, "abcdef", 0));
    told(t, "send", put(t, b.c, "gh", 0));
    K->settle(K);
    told_bytes(t, "recv 4", get(t, b.s, c, 4, 0), c);
    told_bytes(t, "recv 16", get(t, b.s, c, 16, 0), c);
}

static void nothing_there(struct scene *t)
{
    struct both b = connected(t);
    char c;
    told(t, "MSG_DONTWAIT", get(t, b.c, &c, 1, MSG_DONTWAIT));
    nonblocking(t, b.c);
    told(t, "O_NONBLOCK", get(t, b.c, &c, 1, 0));
    told(t, "read", K->read(K, b.c, &c, 1));
}

static void peek(struct scene *t)
{
    struct both b = connected(t);
    char c[16];
    told(t, "send", put(t, b.c, "abcdef", 0));
    await(t, b.s, POLLIN);
    told_bytes(t, "peek 3", get(t, b.s, c, 3, MSG_PEEK), c);
    told_bytes(t, "peek 16", get(t, b.s, c, 16, MSG_PEEK), c);
    told_bytes(t, "recv 2", get(t, b.s, c, 2, 0), c);
    told_bytes(t, "peek 16", get(t, b.s, c, 16, MSG_PEEK | MSG_DONTWAIT), c);
    told_bytes(t, "recv 16", get(t, b.s, c, 16, 0), c);
    told(t, "peek", get(t, b.s, c, 16, MSG_PEEK | MSG_DONTWAIT));
}

static void dropped(struct scene *t)
{
    struct both b = connected(t);
    char c[16] = "################";
    told(t, "send", put(t, b.c, "abcdef", 0));
    await(t, b.s, POLLIN);
    told(t, "recv MSG_TRUNC 4", get(t, b.s, c, 4, MSG_TRUNC));
    say(t, "%.4s", c);
    told_bytes(t, "recv 16", get(t, b.s, c, 16, 0), c);
}

static void waitall(struct scene *t)
{
    struct both b = connected(t);
    struct timeval tv = {0, 30000};
    char c[16];
    told(t, "send", put(t, b.c, "abc", 0));
    await(t, b.s, POLLIN);
    told_bytes(t, "MSG_WAITALL 3", get(t, b.s, c, 3, MSG_WAITALL), c);
    told(t, "send", put(t, b.c, "abc", 0));
    await(t, b.s, POLLIN);
    K->setsockopt(K, b.s, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
    told_bytes(t, "MSG_WAITALL 8, in time", get(t, b.s, c, 8, MSG_WAITALL), c);
    told_bytes(t, "MSG_WAITALL 8, nothing", get(t, b.s, c, 8, MSG_WAITALL), c);
    told(t, "send", put(t, b.c, "abc", 0));
    await(t, b.s, POLLIN);
    told_bytes(t, "MSG_WAITALL | MSG_DONTWAIT", get(t, b.s, c, 8, MSG_WAITALL | MSG_DONTWAIT), c);
    told(t, "send", put(t, b.c, "xyz", 0));
    told(t, "shutdown", K->shutdown(K, b.c, SHUT_WR));
    await(t, b.s, POLLRDHUP);
    told_bytes(t, "MSG_WAITALL 8, the end", get(t, b.s, c, 8, MSG_WAITALL), c);
}

static void vectors(struct scene *t)
{
    struct both b = connected(t);
    char x[3] = "", y[5] = "";
    struct iovec out[3] = {{(void *)(uintptr_t)"ab", 2}, {NULL, 0}, {(void *)(uintptr_t)"cdefg", 5}}, in[2] = {{x, 3}, {y, 5}};
    told(t, "writev", K->writev(K, b.c, out, 3));
    await(t, b.s, POLLIN);
    told(t, "readv", K->readv(K, b.s, in, 2));
    say(t, "%.3s %.4s", x, y);
    told(t, "writev of none", K->writev(K, b.c, out, 0));
    told(t, "writev of -1", K->writev(K, b.c, out, -1));
    told(t, "readv of none", K->readv(K, b.s, in, 0));
    told(t, "writev of 1025", K->writev(K, b.c, out, 1025));
}

static void messages(struct scene *t)
{
    struct both b = connected(t);
    char x[4] = "", name[64], control[64];
    struct iovec v = {(void *)(uintptr_t)"abcd", 4}, w = {x, 4};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1}, in = {.msg_iov = &w, .msg_iovlen = 1, .msg_name = name, .msg_namelen = sizeof name,
                                                                .msg_control = control, .msg_controllen = sizeof control, .msg_flags = 0x7f};
    told(t, "sendmsg", K->sendmsg(K, b.c, &m, 0));
    await(t, b.s, POLLIN);
    told_bytes(t, "recvmsg", K->recvmsg(K, b.s, &in, 0), x);
    say(t, "name %d, control %d, flags %x", (int)in.msg_namelen, (int)in.msg_controllen, in.msg_flags);
    m.msg_iovlen = 1025;
    told(t, "sendmsg of 1025", K->sendmsg(K, b.c, &m, 0));
    m.msg_iovlen = 0;
    told(t, "sendmsg of none", K->sendmsg(K, b.c, &m, 0));
}

static void no_bytes(struct scene *t)
{
    struct both b = connected(t);
    char c;
    told(t, "send 0", K->sendto(K, b.c, "", 0, 0, NULL, 0));
    told(t, "write 0", K->write(K, b.c, "", 0));
    told(t, "recv 0, nothing there", get(t, b.s, &c, 0, MSG_DONTWAIT));
    told(t, "read 0, nothing there", K->read(K, b.s, &c, 0));
    told(t, "send", put(t, b.c, "x", 0));
    await(t, b.s, POLLIN);
    told(t, "recv 0", get(t, b.s, &c, 0, MSG_DONTWAIT));
    told_bytes(t, "recv 1", get(t, b.s, &c, 1, 0), &c);
}

static void name_of_recvfrom(struct scene *t)
{
    struct both b = connected(t);
    char c;
    struct name from = {.n = sizeof from.ss}, to = name4(1, t->port + 1);
    told(t, "sendto another", K->sendto(K, b.c, "x", 1, 0, SA(to)));
    told_bytes(t, "recvfrom", K->recvfrom(K, b.s, &c, 1, 0, (struct sockaddr *)&from.ss, &from.n), &c);
    say(t, "name %d", (int)from.n);
}

static void never_connected(struct scene *t)
{
    int s = tcp4(t, 0), n = -1;
    char c;
    unsigned pipes = K->pipes;
    told(t, "send", put(t, s, "x", 0));
    say(t, "%u SIGPIPE", K->pipes - pipes);
    told(t, "recv", get(t, s, &c, 1, 0));
    told(t, "read", K->read(K, s, &c, 1));
    told(t, "write", K->write(K, s, "x", 1));
    told(t, "shutdown", K->shutdown(K, s, SHUT_RDWR));
    told(t, "FIONREAD", K->ioctl(K, s, FIONREAD, &n));
    say(t, "%d", n);
    told_ready(t, "poll", s);
}

static void counts(struct scene *t)
{
    struct both b = connected(t);
    int n = -1;
    char c[8];
    told(t, "FIONREAD", K->ioctl(K, b.s, FIONREAD, &n));
    say(t, "%d", n);
    told(t, "send", put(t, b.c, "abcdef", 0));
    await(t, b.s, POLLIN);
    told(t, "FIONREAD", K->ioctl(K, b.s, FIONREAD, &n));
    say(t, "%d", n);
    told(t, "recv", get(t, b.s, c, 2, 0));
    told(t, "FIONREAD", K->ioctl(K, b.s, FIONREAD, &n));
    say(t, "%d", n);
    told(t, "shutdown", K->shutdown(K, b.c, SHUT_WR));
    await(t, b.s, POLLRDHUP);
    told(t, "FIONREAD, with the end behind it", K->ioctl(K, b.s, FIONREAD, &n));
    say(t, "%d", n);
    K->elapse(K, 100);
    told(t, "SIOCOUTQ", K->ioctl(K, b.s, SIOCOUTQ, &n));
    say(t, "%d", n);
    told(t, "SIOCOUTQNSD", K->ioctl(K, b.s, SIOCOUTQNSD, &n));
    say(t, "%d", n);
}

/* The peer does not read, until nothing more can be written; then it does. */
static void full(struct scene *t)
{
    struct both b = connected(t);
    static char block[65536];
    ssize_t n;
    size_t sent = 0, got = 0;
    int queued = 0, small = 8192;
    K->setsockopt(K, b.c, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    nonblocking(t, b.c);
    for (int quiet = 0; quiet < 3;) {
        n = K->sendto(K, b.c, block, sizeof block, 0, NULL, 0);
        sent += n > 0 ? (size_t)n : 0;
        quiet = n > 0 ? 0 : quiet + 1;
        K->settle(K);
    }
    told(t, "at last", n);
    told_ready(t, "full", b.c);
    K->ioctl(K, b.c, SIOCOUTQ, &queued);
    say(t, "something is queued: %d", queued > 0);
    while (got < sent && (n = K->recvfrom(K, b.s, block, sizeof block, 0, NULL, NULL)) > 0)
        got += (size_t)n;
    say(t, "all came: %d", got == sent);
    K->settle(K);
    await(t, b.c, POLLOUT);
    told_ready(t, "empty", b.c);
}

static void send_time_limit(struct scene *t)
{
    struct both b = connected(t);
    static char block[1 << 20];
    int small = 8192;
    struct timeval tv = {0, 50000};
    ssize_t n;
    K->setsockopt(K, b.c, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    K->setsockopt(K, b.c, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv);
    do
        n = K->sendto(K, b.c, block, sizeof block, 0, NULL, 0);
    while (n == (ssize_t)sizeof block);
    say(t, "then a part: %d", n > 0);
    while ((n = K->sendto(K, b.c, block, sizeof block, 0, NULL, 0)) > 0)
        ;
    told(t, "then", n);
}

static void receive_time_limit(struct scene *t)
{
    struct both b = connected(t);
    struct timeval tv = {0, 20000};
    char c;
    told(t, "SO_RCVTIMEO", K->setsockopt(K, b.c, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv));
    told(t, "recv", get(t, b.c, &c, 1, 0));
    told(t, "read", K->read(K, b.c, &c, 1));
}

static void low_water(struct scene *t)
{
    struct both b = connected(t);
    char c[8];
    set_int(t, "SO_RCVLOWAT", b.s, SOL_SOCKET, SO_RCVLOWAT, 4);
    told(t, "send", put(t, b.c, "abc", 0));
    K->settle(K);
    told_ready(t, "three", b.s);
    told(t, "send", put(t, b.c, "d", 0));
    K->settle(K);
    told_ready(t, "four", b.s);
    told_bytes(t, "recv", get(t, b.s, c, 8, 0), c);
    told(t, "send", put(t, b.c, "ef", 0));
    K->settle(K);
    told_bytes(t, "recv without waiting", get(t, b.s, c, 8, MSG_DONTWAIT), c);
}

static void corked(struct scene *t)
{
    struct both b = connected(t);
    char c[16];
    set_int(t, "TCP_CORK", b.c, IPPROTO_TCP, TCP_CORK, 1);
    told(t, "send", put(t, b.c, "abc", 0));
    K->settle(K);
    told_bytes(t, "recv", get(t, b.s, c, 16, MSG_DONTWAIT), c);
    set_int(t, "TCP_CORK", b.c, IPPROTO_TCP, TCP_CORK, 0);
    K->settle(K);
    told_bytes(t, "recv", get(t, b.s, c, 16, MSG_DONTWAIT), c);
    told(t, "send MSG_MORE", put(t, b.c, "abc", MSG_MORE));
    K->settle(K);
    told_bytes(t, "recv", get(t, b.s, c, 16, MSG_DONTWAIT), c);
    told(t, "send", put(t, b.c, "def", 0));
    K->settle(K);
    told_bytes(t, "recv", get(t, b.s, c, 16, MSG_DONTWAIT), c);
}

static void uncork_by_shutdown(struct scene *t)
{
    struct both b = connected(t);
    char c[16];
    told(t, "send MSG_MORE", put(t, b.c, "abc", MSG_MORE));
    told(t, "shutdown", K->shutdown(K, b.c, SHUT_WR));
    await(t, b.s, POLLRDHUP);
    told_bytes(t, "recv", get(t, b.s, c, 16, MSG_DONTWAIT), c);
    told_bytes(t, "recv", get(t, b.s, c, 16, MSG_DONTWAIT), c);
}

static void no_memory_to_read_to(struct scene *t)
{
    struct both b = connected(t);
    told(t, "send from nowhere", K->sendto(K, b.c, NULL, 4, 0, NULL, 0));
    told(t, "send", put(t, b.c, "x", 0));
    await(t, b.s, POLLIN);
    told(t, "recv to nowhere", get(t, b.s, NULL, 4, 0));
}

static void over_ip6(struct scene *t)
{
    int l = tcp6(t, 1), c = tcp6(t, 0);
    struct name any = any6(t->port), to = name6(1, t->port);
    char b[16];
    told(t, "bind", K->bind(K, l, SA(any)));
    told(t, "listen", K->listen(K, l, 1));
    told(t, "connect", K->connect(K, c, SA(to)));
    int s = K->accept(K, l, NULL, NULL, 0);
    told_fd(t, "accept", s);
    told(t, "send", put(t, c, "hello", 0));
    told_bytes(t, "recv", get(t, s, b, sizeof b, 0), b);
    told(t, "shutdown", K->shutdown(K, c, SHUT_WR));
    told_bytes(t, "recv", get(t, s, b, sizeof b, 0), b);
    told(t, "send", put(t, s, "world", 0));
    told_bytes(t, "recv", get(t, c, b, 5, MSG_WAITALL), b);
}

static void large(struct scene *t)
{
    struct both b = connected(t);
    static uint8_t out[200000], in[200000];
    size_t sent = 0, got = 0;
    for (size_t i = 0; i < sizeof out; i++)
        out[i] = (uint8_t)(i * 7 + i / 251);
    nonblocking(t, b.c);
    while (got < sizeof in) {
        ssize_t n = sent < sizeof out ? K->sendto(K, b.c, out + sent, sizeof out - sent, 0, NULL, 0) : 0;
        sent += n > 0 ? (size_t)n : 0;
        n = K->recvfrom(K, b.s, in + got, sizeof in - got, 0, NULL, NULL);
        if (n <= 0)
            break;
        got += (size_t)n;
    }
    say(t, "%zu bytes, %s", got, memcmp(in, out, sizeof in) == 0 ? "all right" : "wrong");
}

const struct behaviour behave_stream[] = {
    {"stream: there and back", there_and_back},
    {"stream: pieces", pieces},
    {"stream: nothing there", nothing_there},
    {"stream: MSG_PEEK", peek},
    {"stream: MSG_TRUNC", dropped},
    {"stream: MSG_WAITALL", waitall},
    {"stream: readv and writev", vectors},
    {"stream: sendmsg and recvmsg", messages},
    {"stream: no bytes", no_bytes},
    {"stream: recvfrom and sendto have no name", name_of_recvfrom},
    {"stream: never connected", never_connected},
    {"stream: FIONREAD, SIOCOUTQ", counts},
    {"stream: full, and empty again", full},
    {"stream: SO_SNDTIMEO", send_time_limit},
    {"stream: SO_RCVTIMEO", receive_time_limit},
    {"stream: SO_RCVLOWAT", low_water},
    {"stream: TCP_CORK and MSG_MORE", corked},
    {"stream: shutdown lets go what was held back", uncork_by_shutdown},
    {"stream: no memory", no_memory_to_read_to},
    {"stream: over IPv6", over_ip6},
    {"stream: 200,000 bytes", large},
    {NULL, NULL},
};
