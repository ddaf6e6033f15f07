/* SPDX-License-Identifier: MIT
 *
 * datagram.c: UDP sockets. RFC 768, udp(7), POSIX.
 *
 * The stack's socket is bound and nothing else; being connected is done here: datagrams of others are dropped as they are taken out of the
 * stack, and so are errors when there is no peer whose they could be. One datagram is held, so that it can be looked at before it is read.
 */
#include "os/posix/sock/inside.h"

static bool connected(const struct sock *s) { return s->state == SOCK_CONNECTED; }

int datagram_open(struct sock *s)
{
    pl_udp handle;
    uint16_t port = s->local.port;
    int error = sock_bind_chosen(s);
    if (error || s->handle)
        return error;
    error = pl_udp_open(s->world->stack, &s->local, 0, &handle);
    if (error) {
        s->local.port = port;
        return sock_errno(error);
    }
    sock_attach(s, handle);
    option_apply(s);
    return 0;
}

static void drop_first(struct sock *s)
{
    struct held *h = s->held;
    s->held = h->next;
    if (!s->held)
        s->held_last = NULL;
    free(h);
}

void datagram_forget(struct sock *s)
{
    while (s->held)
        drop_first(s);
}

static bool from_peer(const struct sock *s, const struct pl_endpoint *from)
{
    return !connected(s) || (from->port == s->remote.port && memcmp(from->addr.b, s->remote.addr.b, 16) == 0);
}

static void hold(struct sock *s, size_t n, const struct pl_endpoint *from)
{
    struct held *h = malloc(sizeof *h + n);
    if (!h)
        return;                           /* as lost on the way */
    *h = (struct held){.from = *from, .bytes = n};
    memcpy(h->payload, s->world->scratch, n);
    if (s->held_last)
        s->held_last->next = h;
    else
        s->held = h;
    s->held_last = h;
}

/* One out of the stack: held, or dropped. False: there is none. */
static bool pull_one(struct sock *s)
{
    struct sock_world *w = s->world;
    struct pl_endpoint from;
    ptrdiff_t n = pl_udp_recv(w->stack, s->handle, &from, w->scratch, sizeof w->scratch);
    if (n == PL_EAGAIN)
        return false;
    if (n < 0 && connected(s))
        s->error = -sock_errno((int)n);
    else if (n >= 0 && from_peer(s, &from))
        hold(s, (size_t)n, &from);
    return true;
}

void datagram_pull(struct sock *s)
{
    while (s->handle && !s->held && pull_one(s)) {
    }
}

/* connect(2): the peer; the address that packets to it come from becomes our own. */
int datagram_connect(struct sock *s, const struct pl_endpoint *peer)
{
    if (!peer) {
        s->state = SOCK_IDLE;
        s->remote = (struct pl_endpoint){.port = 0};
        if (!s->bound_addr)
            sock_address_any(s, &s->local.addr);
        return 0;
    }
    bool broadcast;
    struct pl_addr local;
    if (sock_address_is_group(s, &peer->addr, &broadcast) && broadcast && !s->opt.broadcast)
        return -EACCES;
    int error = pl_path(s->world->stack, &peer->addr, &local, NULL);
    if (error)
        return sock_errno(error);
    if ((error = datagram_open(s)) != 0)
        return error;
    while (pull_one(s)) {                 /* what came before stays readable */
    }
    s->state = SOCK_CONNECTED;
    s->remote = *peer;
    if (!s->bound_addr)
        s->local.addr = local;
    return 0;
}

/* ------------------------------------------------------------ out ------------------------------------------------------------ */

static int destination(struct sock *s, const struct msghdr *m, struct pl_endpoint *to)
{
    bool broadcast;
    if (!m->msg_name || m->msg_namelen == 0) {
        if (!connected(s))
            return -EDESTADDRREQ;
        *to = s->remote;
    } else {
        int error = sock_address_in(s, m->msg_name, m->msg_namelen, to);
        if (error)
            return error;
    }
    if (to->port == 0)
        return -EINVAL;
    return sock_address_is_group(s, &to->addr, &broadcast) && broadcast && !s->opt.broadcast ? -EACCES : 0;
}

ssize_t datagram_send(struct sock *s, const struct msghdr *m, int flags, struct sock_op *op)
{
    size_t n = message_bytes(m);
    struct pl_endpoint to;
    if (n > 65535)
        return -EMSGSIZE;
    if (flags & MSG_OOB)
        return -EOPNOTSUPP;
    int error = destination(s, m, &to);
    if (error)
        return error;
    if (n > 65507)
        return -EMSGSIZE;
    datagram_pull(s);
    if (s->shut_wr)
        return -EPIPE;
    if (s->error)
        return sock_error_take(s);
    if ((error = datagram_open(s)) != 0)
        return error;
    message_get(m, 0, s->world->scratch, n);
    error = pl_udp_send(s->world->stack, s->handle, &to, s->world->scratch, n);
    if (error == PL_OK)
        return (ssize_t)n;
    if (error != PL_EAGAIN)
        return sock_errno(error);
    return s->nonblock || (flags & MSG_DONTWAIT) ? -EAGAIN : sock_wait(s, op, POLLOUT, s->opt.snd_timeout, -EAGAIN);
}

/* ------------------------------------------------------------ in ------------------------------------------------------------ */

ssize_t datagram_receive(struct sock *s, struct msghdr *m, int flags, struct sock_op *op)
{
    datagram_pull(s);
    if (s->error)
        return sock_error_take(s);
    if (!s->held) {
        bool wait = op && !s->nonblock && !(flags & MSG_DONTWAIT);
        if (wait && s->shut_rd)
            return 0;
        return wait ? sock_wait(s, op, POLLIN, s->opt.rcv_timeout, -EAGAIN) : -EAGAIN;
    }
    size_t room = message_bytes(m), n = s->held->bytes, give = n < room ? n : room;
    message_put(m, 0, s->held->payload, give);
    if (n > room)
        m->msg_flags |= MSG_TRUNC;
    if (m->msg_name)
        sock_address_out(s, &s->held->from, m->msg_name, &m->msg_namelen);
    if (!(flags & MSG_PEEK)) {
        drop_first(s);
        datagram_pull(s);
    }
    return (ssize_t)(flags & MSG_TRUNC ? n : give);
}
