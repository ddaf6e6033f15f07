/* SPDX-License-Identifier: MIT
 *
 * http_socket_io.c: see http_socket_io.h.
 */
#include "os/host/http_socket_io.h"

#include <errno.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

_Static_assert(sizeof(struct pl_span) == sizeof(struct iovec) && offsetof(struct pl_span, len) == offsetof(struct iovec, iov_len),
               "a span is laid out like an iovec");

void http_socket_init(struct http_socket *s, int fd, void *buffer, size_t room)
{
    *s = (struct http_socket){.fd = fd, .buffer = buffer, .room = room};
    /* Whole answers leave in one write; the last segment of one must not wait for the acknowledgement of another. */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
}

int http_socket_error(int error)
{
    switch (error) {
    case EAGAIN:
#if EWOULDBLOCK != EAGAIN
    case EWOULDBLOCK:
#endif
    case EINTR:
        return PL_EAGAIN;
    case ECONNREFUSED:
        return PL_ECONNREFUSED;
    case ECONNRESET:
        return PL_ECONNRESET;
    case ECONNABORTED:
        return PL_ECONNABORTED;
    case ENOTCONN:
        return PL_ENOTCONN;
    case EPIPE:
        return PL_EPIPE;
    case ETIMEDOUT:
        return PL_ETIMEDOUT;
    case EHOSTUNREACH:
        return PL_EHOSTUNREACH;
    case ENETUNREACH:
        return PL_ENETUNREACH;
    case ENETDOWN:
        return PL_ENETDOWN;
    case EADDRNOTAVAIL:
        return PL_EADDRNOTAVAIL;
    default:
        return PL_EIO;
    }
}

static int socket_recv_peek(void *conn, struct pl_span *span)
{
    struct http_socket *s = conn;
    if (s->n == 0) {
        ssize_t r = recv(s->fd, s->buffer, s->room, MSG_DONTWAIT);
        if (r <= 0)
            return r == 0 ? 0 : http_socket_error(errno);
        s->at = 0;
        s->n = (size_t)r;
    }
    *span = (struct pl_span){s->buffer + s->at, s->n};
    return 1;
}

static int socket_recv_consume(void *conn, size_t n)
{
    struct http_socket *s = conn;
    if (n > s->n)
        return PL_EINVAL;
    s->at += n;
    s->n -= n;
    return PL_OK;
}

static ptrdiff_t socket_send(void *conn, const struct pl_span *spans, int n)
{
    struct http_socket *s = conn;
    struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)spans, .msg_iovlen = (size_t)n};
    ssize_t r = sendmsg(s->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    return r >= 0 ? r : http_socket_error(errno);
}

static int socket_finish(void *conn)
{
    struct http_socket *s = conn;
    return shutdown(s->fd, SHUT_WR) == 0 ? PL_OK : http_socket_error(errno);
}

static void socket_close(void *conn)
{
    struct http_socket *s = conn;
    close(s->fd);
    s->fd = -1;
}

static void socket_abort(void *conn)
{
    struct http_socket *s = conn;
    setsockopt(s->fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger));
    socket_close(conn);
}

const struct http_io http_socket_io = {
    .recv_peek = socket_recv_peek, .recv_consume = socket_recv_consume, .send = socket_send, .finish = socket_finish, .close = socket_close,
    .abort = socket_abort,
};

socklen_t http_socket_address(const char *address, uint16_t port, struct sockaddr_storage *out)
{
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM}, *found;
    char service[8];
    snprintf(service, sizeof service, "%u", port);
    if (getaddrinfo(address, service, &hints, &found) != 0)
        return 0;
    socklen_t len = found->ai_addrlen;
    memcpy(out, found->ai_addr, len);
    freeaddrinfo(found);
    return len;
}

int http_poll_ms(pl_time deadline, pl_time now)
{
    if (deadline == PL_NEVER)
        return -1;
    if (deadline <= now)
        return 0;
    pl_time ms = (deadline - now + PL_MS - 1) / PL_MS;
    return ms > INT_MAX ? INT_MAX : (int)ms;
}

pl_time http_clock(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (pl_time)t.tv_sec * PL_S + (pl_time)t.tv_nsec;
}
