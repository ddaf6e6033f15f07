/* SPDX-License-Identifier: MIT
 *
 * control.c: fcntl and ioctl: tcp(7), udp(7), socket(7).
 */
#include <fcntl.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>

#include "os/posix/sock/inside.h"

int sock_fcntl(struct sock_world *w, int fd, int command, long argument)
{
    struct sock *s = sock_find(w, fd);
    if (!s)
        return -EBADF;
    switch (command) {
    case F_GETFL:
        return O_RDWR | (s->nonblock ? O_NONBLOCK : 0);
    case F_SETFL:                         /* fcntl(2): of the others, those that a socket knows nothing of are ignored */
        s->nonblock = (argument & O_NONBLOCK) != 0;
        return 0;
    case F_GETFD:
        return s->cloexec ? FD_CLOEXEC : 0;
    case F_SETFD:
        s->cloexec = (argument & FD_CLOEXEC) != 0;
        return 0;
    default:
        return -EINVAL;
    }
}

static int readable(struct sock *s)
{
    sock_sync(s);
    if (s->kind == SOCK_KIND_UDP)
        return s->held ? (int)s->held->bytes : 0;
    return s->state == SOCK_LISTENING ? -EINVAL : (int)stream_readable(s);
}

/* How much the peer did not acknowledge, or (unsent) how much was not sent yet. */
static int to_send(struct sock *s, bool unsent)
{
    struct pl_tcp_status st;
    if (s->kind == SOCK_KIND_UDP)
        return unsent ? -ENOTTY : -EOPNOTSUPP;           /* the stack does not say */
    if (s->state == SOCK_LISTENING)
        return -EINVAL;
    if (!s->handle || pl_status(s->world->stack, s->handle, &st, sizeof st) != PL_OK)
        return 0;
    uint32_t sent = st.snd.nxt - st.snd.una;
    if (!unsent)
        return (int)st.sndbuf_used;
    return sent < st.sndbuf_used ? (int)(st.sndbuf_used - sent) : 0;
}

int sock_ioctl(struct sock_world *w, int fd, unsigned long request, void *argument)
{
    struct sock *s = sock_find(w, fd);
    int v;
    if (!s)
        return -EBADF;
    if (request == FIONBIO) {
        if (!argument)
            return -EFAULT;
        memcpy(&v, argument, sizeof v);
        s->nonblock = v != 0;
        return 0;
    }
    if (s->kind == SOCK_KIND_EPOLL)
        return -ENOTTY;
    if (request == FIONREAD) {
        v = readable(s);
    } else if (request == SIOCOUTQ || request == SIOCOUTQNSD) {
        v = to_send(s, request == SIOCOUTQNSD);
    } else if (request == SIOCATMARK && s->kind == SOCK_KIND_TCP) {
        sock_sync(s);
        v = s->urgent != URGENT_NONE && s->mark == s->taken;
    } else {
        return -ENOTTY;
    }
    if (v < 0)
        return v;
    if (!argument)
        return -EFAULT;
    memcpy(argument, &v, sizeof v);
    return 0;
}
