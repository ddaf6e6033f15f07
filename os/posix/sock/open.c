/* SPDX-License-Identifier: MIT
 *
 * open.c: listen, accept, connect: POSIX, connect(2), accept(2), listen(2).
 */
#include "os/posix/sock/inside.h"

/* ------------------------------------------------------------ listen ------------------------------------------------------------ */

/* Linux: a queue of `backlog` holds one connection more; a negative one is as long as may be. */
static uint32_t queue_length(const struct sock_world *w, int backlog)
{
    if (backlog < 0 || backlog > w->somaxconn)
        backlog = w->somaxconn;
    return (uint32_t)backlog + 1;
}

int sock_listen(struct sock_world *w, int fd, int backlog)
{
    struct sock *s;
    int error = sock_find_socket(w, fd, &s);
    if (error)
        return error;
    if (s->kind != SOCK_KIND_TCP)
        return -EOPNOTSUPP;
    if (s->state == SOCK_LISTENING) {
        pl_set(w->stack, s->handle, PL_OPT_BACKLOG, queue_length(w, backlog));
        return 0;
    }
    if (s->state != SOCK_IDLE || s->over || s->connect_unreported)
        return -EINVAL;
    if ((error = sock_bind_chosen(s)) != 0)
        return error;
    if (sock_listen_conflict(s))
        return -EADDRINUSE;
    pl_listener handle;
    error = pl_listen(w->stack, &(struct pl_listen_params){.local = s->local, .backlog = queue_length(w, backlog)}, &handle);
    if (error)
        return sock_errno(error);
    sock_attach(s, handle);
    s->state = SOCK_LISTENING;
    if (w->isn_fixed)
        pl_set(w->stack, handle, PL_OPT_ISN, w->isn);
    option_apply(s);                      /* connections have them from their SYN-ACK on */
    s->shut_rd = s->shut_wr = false;
    return 0;
}

/* ------------------------------------------------------------ accept ------------------------------------------------------------ */

static void adopt(struct sock *l, struct sock *s, pl_conn conn, const struct pl_endpoint *remote, int flags)
{
    struct pl_tcp_status st;
    s->v6 = l->v6;
    s->opt = l->opt;
    s->nonblock = (flags & SOCK_NONBLOCK) != 0;
    s->cloexec = (flags & SOCK_CLOEXEC) != 0;
    s->state = SOCK_CONNECTED;
    s->remote = *remote;
    if (pl_status(l->world->stack, conn, &st, sizeof st) == PL_OK)
        s->local = st.local;
    sock_attach(s, conn);
    option_apply(s);
    sock_sync(s);
}

int sock_accept(struct sock_world *w, int fd, struct sockaddr *sa, socklen_t *bytes, int flags, struct sock_op *op)
{
    struct sock *l, *s;
    pl_conn conn;
    struct pl_endpoint remote;
    int error = flags & ~(SOCK_NONBLOCK | SOCK_CLOEXEC) ? -EINVAL : sock_find_again(w, fd, op, &l);
    if (error)
        return error;
    if (l->kind != SOCK_KIND_TCP)
        return -EOPNOTSUPP;
    if (l->state != SOCK_LISTENING)
        return -EINVAL;
    int made = sock_make(w, SOCK_KIND_TCP, &s);      /* first the descriptor: for want of one nothing is lost */
    if (made < 0)
        return made;
    /* The stack repeats that there are more; that is no edge. What it said before may be one. */
    sock_take_events(w, NULL);
    error = pl_accept(w->stack, l->handle, &conn, &remote);
    sock_take_events(w, l);
    if (error) {
        sock_drop(s);
        if (error != PL_EAGAIN || l->nonblock)
            return sock_errno(error);
        return (int)sock_wait(l, op, POLLIN, l->opt.rcv_timeout, -EAGAIN);
    }
    adopt(l, s, conn, &remote, flags);
    error = sa ? sock_address_out(s, &remote, sa, bytes) : 0;
    if (error) {
        sock_close(w, made, NULL);
        return error;
    }
    return made;
}

/* ------------------------------------------------------------ connect ------------------------------------------------------------ */

/* The names go back to what bind() said, and a new connection may be tried. */
static void unconnect(struct sock *s)
{
    sock_detach(s);
    s->state = SOCK_IDLE;
    s->remote = (struct pl_endpoint){.port = 0};
    s->over = s->peer_finished = s->shut_rd = s->shut_wr = s->error_seen = s->connect_unreported = s->refuses = false;
    s->urgent = URGENT_NONE;
    s->taken = 0;
    if (!s->bound_addr)
        sock_address_any(s, &s->local.addr);
}

int sock_disconnect(struct sock *s)
{
    if (s->kind == SOCK_KIND_UDP)
        return datagram_connect(s, NULL);
    sock_sync(s);
    bool alive = (s->state == SOCK_CONNECTING || s->state == SOCK_CONNECTED) && !s->over;
    if (alive)
        pl_abort(s->world->stack, s->handle);
    unconnect(s);
    s->error = alive ? ECONNRESET : 0;    /* Linux: whoever still waits on it hears of it */
    return 0;
}

/* A port that another socket bound without connecting it yet is not the stack's to know, and not for us. */
static bool port_is_anothers(const struct sock *s, const struct pl_endpoint *local)
{
    const struct sock_world *w = s->world;
    for (int i = 0; i < w->files_high; i++) {
        const struct sock *o = w->file[i];
        if (o && o != s && o->kind == SOCK_KIND_TCP && o->local.port == local->port && o->state == SOCK_IDLE &&
            sock_address_overlaps(&o->local.addr, &local->addr))
            return true;
    }
    return false;
}

static int open_connection(struct sock *s, const struct pl_endpoint *remote)
{
    struct pl_connect_params p = {.remote = *remote, .local = s->local, .isn_fixed = s->world->isn_fixed, .isn = s->world->isn};
    struct pl_tcp_status st;
    if (sock_address_is_any(&p.local.addr))
        p.local.addr = (struct pl_addr){.zone = 0};
    for (int tries = 0; tries < 64; tries++) {
        pl_conn conn;
        int error = pl_connect(s->world->stack, &p, &conn);
        if (error == PL_EADDRINUSE || error == PL_EISCONN)
            return -EADDRNOTAVAIL;        /* Linux: this pair of ends is taken */
        if (error)
            return sock_errno(error);
        pl_status(s->world->stack, conn, &st, sizeof st);
        if (s->local.port || !port_is_anothers(s, &st.local)) {
            s->local = st.local;
            sock_attach(s, conn);
            return 0;
        }
        pl_close(s->world->stack, conn);  /* nothing of it was sent */
    }
    return -EADDRNOTAVAIL;
}

static int begin(struct sock *s, const struct sockaddr *sa, socklen_t bytes)
{
    struct pl_endpoint remote;
    int error = sock_address_in(s, sa, bytes, &remote);
    bool broadcast;
    if (error)
        return error;
    if (s->kind == SOCK_KIND_UDP)
        return datagram_connect(s, &remote);
    if (sock_address_is_group(s, &remote.addr, &broadcast))
        return -ENETUNREACH;
    if (remote.port == 0)
        return -ECONNREFUSED;             /* nobody can listen there */
    if (s->v6 && sock_address_is_ip4(&s->local.addr) && !sock_address_is_ip4(&remote.addr))
        return -EAFNOSUPPORT;             /* bound to a mapped address */
    if (s->handle)
        unconnect(s);                     /* of a connection that failed before */
    error = open_connection(s, &remote);
    if (error)
        return error;
    s->state = SOCK_CONNECTING;
    s->remote = remote;
    s->error_seen = s->over = false;
    s->error = 0;
    option_apply(s);
    return 0;
}

/* What a connect() that was begun has come to. */
static int outcome(struct sock *s, struct sock_op *op, bool fresh)
{
    sock_sync(s);
    if (s->state == SOCK_CONNECTED && !s->over) {
        s->connect_unreported = false;
        return 0;
    }
    if (s->over) {
        int error = sock_error_take(s);
        if (s->state == SOCK_CONNECTED && error == 0) {      /* it came, and it went */
            s->connect_unreported = false;
            return 0;
        }
        unconnect(s);
        return error ? error : -ECONNABORTED;
    }
    if (s->nonblock || !op)
        return fresh ? -EINPROGRESS : -EALREADY;
    return (int)sock_wait(s, op, POLLOUT, s->opt.snd_timeout, fresh ? -EINPROGRESS : -EALREADY);
}

static int connect_stream(struct sock *s, const struct sockaddr *sa, socklen_t bytes, struct sock_op *op)
{
    sock_sync(s);
    if (op && op->begun)                  /* waits already */
        return outcome(s, op, !op->repeated);
    if (s->connect_unreported) {
        if (op)
            op->repeated = true;
        return outcome(s, op, false);
    }
    if (s->state == SOCK_LISTENING || s->state == SOCK_CONNECTED)
        return -EISCONN;
    int error = begin(s, sa, bytes);
    if (error)
        return error;
    s->connect_unreported = true;
    return outcome(s, op, true);
}

int sock_connect(struct sock_world *w, int fd, const struct sockaddr *sa, socklen_t bytes, struct sock_op *op)
{
    struct sock *s;
    sa_family_t family;
    int error = sock_find_again(w, fd, op, &s);
    if (error)
        return error;
    if (!sa)
        return -EFAULT;
    if (bytes < sizeof family)
        return -EINVAL;
    memcpy(&family, &sa->sa_family, sizeof family);
    if (family == AF_UNSPEC)
        return sock_disconnect(s);
    return s->kind == SOCK_KIND_UDP ? begin(s, sa, bytes) : connect_stream(s, sa, bytes, op);
}
