/* SPDX-License-Identifier: MIT
 *
 * message.c: the send and receive families, each made one struct msghdr; and the pieces of a message.
 */
#include <limits.h>

#include "os/posix/sock/inside.h"

size_t message_bytes(const struct msghdr *m)
{
    size_t n = 0;
    for (size_t i = 0; i < (size_t)m->msg_iovlen; i++)
        n += m->msg_iov[i].iov_len;
    return n;
}

static void copy(const struct msghdr *m, size_t at, uint8_t *bytes, size_t n, bool out)
{
    size_t start = 0, done = 0;
    for (size_t i = 0; i < (size_t)m->msg_iovlen && done < n; start += m->msg_iov[i].iov_len, i++) {
        const struct iovec *v = &m->msg_iov[i];
        if (at + done >= start + v->iov_len)
            continue;
        size_t skip = at + done - start, piece = v->iov_len - skip < n - done ? v->iov_len - skip : n - done;
        if (out)
            memcpy((uint8_t *)v->iov_base + skip, bytes + done, piece);
        else
            memcpy(bytes + done, (const uint8_t *)v->iov_base + skip, piece);
        done += piece;
    }
}

void message_put(const struct msghdr *m, size_t at, const void *bytes, size_t n) { copy(m, at, (uint8_t *)(uintptr_t)bytes, n, true); }
void message_get(const struct msghdr *m, size_t at, void *bytes, size_t n) { copy(m, at, bytes, n, false); }

static int check(const struct msghdr *m)
{
    if (!m)
        return -EFAULT;
    if ((size_t)m->msg_iovlen > IOV_MAX)
        return -EMSGSIZE;
    size_t sum = 0;
    for (size_t i = 0; i < (size_t)m->msg_iovlen; i++) {
        if (m->msg_iov[i].iov_len > (size_t)SSIZE_MAX - sum)
            return -EINVAL;
        if (m->msg_iov[i].iov_len && !m->msg_iov[i].iov_base)
            return -EFAULT;
        sum += m->msg_iov[i].iov_len;
    }
    return 0;
}

ssize_t sock_sendmsg(struct sock_world *w, int fd, const struct msghdr *m, int flags, struct sock_op *op)
{
    struct sock *s;
    int error = sock_find_again(w, fd, op, &s);
    if (!error)
        error = check(m);
    if (error)
        return error;
    return s->kind == SOCK_KIND_UDP ? datagram_send(s, m, flags, op) : stream_send(s, m, flags, op);
}

ssize_t sock_recvmsg(struct sock_world *w, int fd, struct msghdr *m, int flags, struct sock_op *op)
{
    struct sock *s;
    int error = sock_find_again(w, fd, op, &s);
    if (!error)
        error = check(m);
    if (error)
        return error;
    int before = m->msg_flags;
    m->msg_flags = 0;
    ssize_t n = s->kind == SOCK_KIND_UDP ? datagram_receive(s, m, flags, op) : stream_receive(s, m, flags, op);
    if (n >= 0) {
        m->msg_controllen = 0;
        if (s->kind == SOCK_KIND_TCP)
            m->msg_namelen = 0;
    } else {
        m->msg_flags = before;
    }
    return n;
}

ssize_t sock_sendto(struct sock_world *w, int fd, const void *bytes, size_t n, int flags, const struct sockaddr *to, socklen_t to_bytes,
                    struct sock_op *op)
{
    struct iovec v = {(void *)(uintptr_t)bytes, n};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_name = (void *)(uintptr_t)to, .msg_namelen = to ? to_bytes : 0};
    return sock_sendmsg(w, fd, &m, flags, op);
}

ssize_t sock_recvfrom(struct sock_world *w, int fd, void *bytes, size_t n, int flags, struct sockaddr *from, socklen_t *from_bytes, struct sock_op *op)
{
    struct iovec v = {bytes, n};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_name = from, .msg_namelen = from && from_bytes ? *from_bytes : 0};
    if (from && !from_bytes)
        return -EFAULT;
    ssize_t got = sock_recvmsg(w, fd, &m, flags, op);
    if (got >= 0 && from)
        *from_bytes = m.msg_namelen;
    return got;
}

ssize_t sock_send(struct sock_world *w, int fd, const void *bytes, size_t n, int flags, struct sock_op *op)
{
    return sock_sendto(w, fd, bytes, n, flags, NULL, 0, op);
}

ssize_t sock_recv(struct sock_world *w, int fd, void *bytes, size_t n, int flags, struct sock_op *op)
{
    return sock_recvfrom(w, fd, bytes, n, flags, NULL, NULL, op);
}

/* read and write know no such thing as "not a socket": an epoll descriptor is merely none that can be read. */
static int is_socket(struct sock_world *w, int fd)
{
    struct sock *s;
    int error = sock_find_socket(w, fd, &s);
    return error == -ENOTSOCK ? -EINVAL : error;
}

ssize_t sock_write(struct sock_world *w, int fd, const void *bytes, size_t n, struct sock_op *op)
{
    int error = is_socket(w, fd);
    return error ? error : sock_sendto(w, fd, bytes, n, 0, NULL, 0, op);
}

/* read(2): "if count is zero ... returns zero and has no other effects" */
ssize_t sock_read(struct sock_world *w, int fd, void *bytes, size_t n, struct sock_op *op)
{
    int error = is_socket(w, fd);
    return error || n == 0 ? error : sock_recvfrom(w, fd, bytes, n, 0, NULL, NULL, op);
}

ssize_t sock_writev(struct sock_world *w, int fd, const struct iovec *v, int count, struct sock_op *op)
{
    struct msghdr m = {.msg_iov = (struct iovec *)(uintptr_t)v, .msg_iovlen = (size_t)count};
    int error = is_socket(w, fd);
    return error ? error : count < 0 || count > IOV_MAX ? -EINVAL : sock_sendmsg(w, fd, &m, 0, op);
}

ssize_t sock_readv(struct sock_world *w, int fd, const struct iovec *v, int count, struct sock_op *op)
{
    struct msghdr m = {.msg_iov = (struct iovec *)(uintptr_t)v, .msg_iovlen = (size_t)count};
    int error = is_socket(w, fd);
    if (error || count < 0 || count > IOV_MAX)
        return error ? error : -EINVAL;
    return message_bytes(&m) == 0 ? 0 : sock_recvmsg(w, fd, &m, 0, op);
}
