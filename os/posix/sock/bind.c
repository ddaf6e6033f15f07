/* SPDX-License-Identifier: MIT
 *
 * bind.c: who may have which port, and the names of both ends. POSIX bind, getsockname, getpeername; socket(7) SO_REUSEADDR.
 *
 * The stack knows listeners, connections and UDP sockets; a TCP socket that is bound and nothing else is known here only. Connections that nobody
 * owns any more (TIME-WAIT among them) are known there only: pl_port_states.
 */
#include "os/posix/sock/inside.h"

/* Two sockets may share a port if their addresses do not overlap, or if both say SO_REUSEADDR and neither listens. */
static bool conflicts(const struct sock *s, const struct sock *other, const struct pl_endpoint *want)
{
    if (other == s || other->kind != s->kind || other->local.port != want->port || !sock_address_overlaps(&other->local.addr, &want->addr))
        return false;
    return !(s->opt.reuse_addr && other->opt.reuse_addr && other->state != SOCK_LISTENING);
}

/* A connection without owner still holds its port: SO_REUSEADDR says that the program knows (RFC 9293 3.10.1 needs only that the pair of ends differs). */
static bool left_over(const struct sock *s, const struct pl_endpoint *want)
{
    uint32_t n[PL_STATE_COUNT];
    struct pl_endpoint e = *want;
    if (s->kind != SOCK_KIND_TCP || s->opt.reuse_addr)
        return false;
    if (sock_address_is_any(&e.addr))
        e.addr = (struct pl_addr){.zone = 0};
    pl_port_states(s->world->stack, &e, n);
    for (int state = 0; state < PL_STATE_COUNT; state++)
        if (state != PL_LISTEN && n[state])
            return true;
    return false;
}

static bool is_free(const struct sock *s, const struct pl_endpoint *want)
{
    const struct sock_world *w = s->world;
    for (int i = 0; i < w->files_high; i++)
        if (w->file[i] && conflicts(s, w->file[i], want))
            return false;
    return !left_over(s, want);
}

bool sock_listen_conflict(const struct sock *s)
{
    const struct sock_world *w = s->world;
    for (int i = 0; i < w->files_high; i++) {
        const struct sock *o = w->file[i];
        if (o && o != s && o->kind == SOCK_KIND_TCP && o->local.port == s->local.port && o->state == SOCK_LISTENING &&
            sock_address_overlaps(&o->local.addr, &s->local.addr))
            return true;
    }
    return false;
}

/* RFC 6056 3.3.2: a random one, and on from there until one is free. */
static int choose_port(struct sock *s, struct pl_endpoint *want)
{
    struct sock_world *w = s->world;
    uint32_t range = (uint32_t)w->port_max - w->port_min + 1u, start = (uint32_t)(sock_random(w) % range);
    bool reuse = s->opt.reuse_addr;
    s->opt.reuse_addr = false;            /* a port for us alone */
    want->port = 0;
    for (uint32_t i = 0; i < range && want->port == 0; i++) {
        struct pl_endpoint e = {want->addr, (uint16_t)(w->port_min + (start + i) % range), 0};
        if (is_free(s, &e))
            want->port = e.port;
    }
    s->opt.reuse_addr = reuse;
    return want->port ? 0 : -EADDRINUSE;
}

int sock_bind_chosen(struct sock *s)
{
    if (s->local.port)
        return 0;
    int e = choose_port(s, &s->local);
    return e ? -EAGAIN : 0;
}

/* "One of ours" is asked of the stack's list. A group is an address for datagrams. */
static bool may_bind(struct sock *s, const struct pl_addr *a)
{
    uint32_t cursor = 0;
    struct pl_addr ours;
    int iface;
    unsigned prefix;
    bool broadcast;
    if (s->kind == SOCK_KIND_UDP && sock_address_is_group(s, a, &broadcast))
        return true;
    while (pl_addr_next(s->world->stack, &cursor, &iface, &ours, &prefix))
        if (memcmp(ours.b, a->b, 16) == 0 && ours.zone == a->zone)
            return true;
    return false;
}

/* AF_UNSPEC with 0.0.0.0 is taken for AF_INET, as programs wrote it once. */
static int address_to_bind(const struct sock *s, const struct sockaddr *sa, socklen_t bytes, struct pl_endpoint *e)
{
    if (!sa)
        return -EFAULT;
    int error = sock_address_in(s, sa, bytes, e);
    struct sockaddr_in in;
    if (error == -ENETUNREACH)
        return -EINVAL;                   /* an IPv4 address on a socket for IPv6 only */
    if (error != -EAFNOSUPPORT || s->v6)
        return error;
    memcpy(&in, sa, sizeof in);
    if (in.sin_family != AF_UNSPEC || in.sin_addr.s_addr != htonl(INADDR_ANY))
        return -EAFNOSUPPORT;
    *e = (struct pl_endpoint){.port = ntohs(in.sin_port)};
    return 0;
}

int sock_bind(struct sock_world *w, int fd, const struct sockaddr *sa, socklen_t bytes)
{
    struct sock *s;
    struct pl_endpoint e;
    int error = sock_find_socket(w, fd, &s);
    if (!error)
        error = address_to_bind(s, sa, bytes, &e);
    if (error)
        return error;
    bool any = sock_address_is_any(&e.addr) && !(s->v6 && sock_address_is_ip4(&e.addr));
    if (!sock_address_is_any(&e.addr) && !may_bind(s, &e.addr))
        return -EADDRNOTAVAIL;
    if (s->local.port || s->state != SOCK_IDLE || s->over)
        return -EINVAL;
    if (any)
        sock_address_any(s, &e.addr);
    s->port_mine = e.port == 0;
    if (e.port == 0)
        error = choose_port(s, &e);
    else if (!is_free(s, &e))
        error = -EADDRINUSE;
    if (error)
        return error;
    s->local = e;
    s->bound_port = !s->port_mine;
    s->bound_addr = !sock_address_is_any(&e.addr);
    if (s->kind == SOCK_KIND_UDP && (error = datagram_open(s)) != 0) {
        s->local = (struct pl_endpoint){.port = 0};
        sock_address_any(s, &s->local.addr);
        s->bound_port = s->bound_addr = false;
    }
    return error;
}

int sock_getsockname(struct sock_world *w, int fd, struct sockaddr *sa, socklen_t *bytes)
{
    struct sock *s;
    int error = sock_find_socket(w, fd, &s);
    return error ? error : !sa ? -EFAULT : sock_address_out(s, &s->local, sa, bytes);
}

int sock_getpeername(struct sock_world *w, int fd, struct sockaddr *sa, socklen_t *bytes)
{
    struct sock *s;
    int error = sock_find_socket(w, fd, &s);
    if (error)
        return error;
    sock_sync(s);
    if (s->state != SOCK_CONNECTED || s->over)
        return -ENOTCONN;
    return !sa ? -EFAULT : sock_address_out(s, &s->remote, sa, bytes);
}
