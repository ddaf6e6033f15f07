/* SPDX-License-Identifier: MIT
 *
 * address.c: from struct sockaddr to struct pl_endpoint and back, and from the stack's errors to errno.
 *
 * The unspecified address has three forms: ::ffff:0.0.0.0 is every IPv4 address of ours, :: with the zone PL_ZONE_IP6 every IPv6 address, and ::
 * alone every address.
 */
#include "os/posix/sock/inside.h"

static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
enum { SIN6_BYTES_MIN = 24 };             /* without sin6_scope_id, which RFC 2133 did not have */

bool sock_address_is_ip4(const struct pl_addr *a) { return memcmp(a->b, mapped, 12) == 0; }

bool sock_address_is_any(const struct pl_addr *a)
{
    static const uint8_t zero[16] = {0};
    return memcmp(a->b, zero, 16) == 0 || (sock_address_is_ip4(a) && memcmp(a->b + 12, zero, 4) == 0);
}

static uint32_t number(const uint8_t *b) { return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3]; }

/* RFC 919: all ones behind the prefix of one of our addresses. */
static bool is_directed_broadcast(pl_stack *stack, uint32_t a)
{
    uint32_t cursor = 0;
    struct pl_addr ours;
    int iface;
    unsigned prefix;
    while (pl_addr_next(stack, &cursor, &iface, &ours, &prefix)) {
        uint32_t host = prefix < 31 ? UINT32_MAX >> prefix : 0;
        if (host && sock_address_is_ip4(&ours) && a == (number(ours.b + 12) | host))
            return true;
    }
    return false;
}

bool sock_address_is_group(const struct sock *s, const struct pl_addr *a, bool *broadcast)
{
    bool ip4 = sock_address_is_ip4(a);
    *broadcast = ip4 && (number(a->b + 12) == UINT32_MAX || is_directed_broadcast(s->world->stack, number(a->b + 12)));
    return *broadcast || (ip4 ? (a->b[12] & 0xf0) == 0xe0 : a->b[0] == 0xff);
}

void sock_address_any(const struct sock *s, struct pl_addr *a)
{
    *a = (struct pl_addr){.zone = s->v6 && s->opt.v6_only ? PL_ZONE_IP6 : 0};
    if (!s->v6)
        memcpy(a->b, mapped, 12);
}

bool sock_address_overlaps(const struct pl_addr *a, const struct pl_addr *b)
{
    bool any_a = sock_address_is_any(a), any_b = sock_address_is_any(b);
    if (!any_a && !any_b)
        return memcmp(a, b, sizeof *a) == 0;
    /* which families each of both covers: 1 IPv4, 2 IPv6 */
    int covers_a = sock_address_is_ip4(a) ? 1 : any_a && a->zone != PL_ZONE_IP6 ? 3 : 2;
    int covers_b = sock_address_is_ip4(b) ? 1 : any_b && b->zone != PL_ZONE_IP6 ? 3 : 2;
    return (covers_a & covers_b) != 0;
}

static void in4(const struct sockaddr *sa, struct pl_endpoint *e)
{
    struct sockaddr_in in;
    memcpy(&in, sa, sizeof in);
    *e = (struct pl_endpoint){.port = ntohs(in.sin_port)};
    memcpy(e->addr.b, mapped, 12);
    memcpy(e->addr.b + 12, &in.sin_addr, 4);
}

int sock_address_in(const struct sock *s, const struct sockaddr *sa, socklen_t bytes, struct pl_endpoint *e)
{
    sa_family_t family;
    if (bytes < (s->v6 ? (socklen_t)SIN6_BYTES_MIN : sizeof(struct sockaddr_in)))
        return -EINVAL;
    memcpy(&family, &sa->sa_family, sizeof family);
    if (family != (s->v6 ? AF_INET6 : AF_INET))
        return -EAFNOSUPPORT;
    if (!s->v6) {
        in4(sa, e);
        return 0;
    }
    struct sockaddr_in6 in = {.sin6_scope_id = 0};
    memcpy(&in, sa, bytes < sizeof in ? bytes : sizeof in);
    *e = (struct pl_endpoint){.port = ntohs(in.sin6_port)};
    memcpy(e->addr.b, &in.sin6_addr, 16);
    if (in.sin6_addr.s6_addr[0] == 0xfe && (in.sin6_addr.s6_addr[1] & 0xc0) == 0x80) {
        if (in.sin6_scope_id == 0)
            return -EINVAL;               /* RFC 4007 6: of which link? */
        e->addr.zone = in.sin6_scope_id;
    }
    if (s->opt.v6_only && sock_address_is_ip4(&e->addr))
        return -ENETUNREACH;
    return 0;
}

static socklen_t sock_address_bytes(const struct sock *s) { return s->v6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in); }

int sock_address_out(const struct sock *s, const struct pl_endpoint *e, struct sockaddr *sa, socklen_t *bytes)
{
    union {
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
    } u;
    if (!bytes)
        return -EFAULT;
    if ((int)*bytes < 0)
        return -EINVAL;
    memset(&u, 0, sizeof u);
    if (s->v6) {
        u.in6.sin6_family = AF_INET6;
        u.in6.sin6_port = htons(e->port);
        u.in6.sin6_scope_id = e->addr.zone == PL_ZONE_IP6 ? 0 : e->addr.zone;
        memcpy(&u.in6.sin6_addr, e->addr.b, 16);
    } else {
        u.in.sin_family = AF_INET;
        u.in.sin_port = htons(e->port);
        memcpy(&u.in.sin_addr, e->addr.b + 12, 4);
    }
    socklen_t whole = sock_address_bytes(s);
    if (sa)
        memcpy(sa, &u, *bytes < whole ? *bytes : whole);
    *bytes = whole;
    return 0;
}

int sock_errno(int e)
{
    switch (e) {
    case PL_OK: return 0;
    case PL_EAGAIN: return -EAGAIN;
    case PL_EHANDLE: return -EBADF;
    case PL_ENOMEM: return -ENOBUFS;
    case PL_EUNSUPPORTED: return -EOPNOTSUPP;
    case PL_EADDRINUSE: return -EADDRINUSE;
    case PL_EADDRNOTAVAIL: return -EADDRNOTAVAIL;
    case PL_EADDRINVALID: return -ENETUNREACH;
    case PL_ENOTCONN: return -ENOTCONN;
    case PL_EISCONN: return -EISCONN;
    case PL_ECLOSING: return -EPIPE;
    case PL_EPIPE: return -EPIPE;
    case PL_EMSGSIZE: return -EMSGSIZE;
    case PL_ECONNREFUSED: return -ECONNREFUSED;
    case PL_ECONNRESET: return -ECONNRESET;
    case PL_ECONNABORTED: return -ECONNABORTED;
    case PL_ETIMEDOUT: return -ETIMEDOUT;
    case PL_EHOSTUNREACH: return -EHOSTUNREACH;
    case PL_ENETUNREACH: return -ENETUNREACH;
    case PL_ENETDOWN: return -ENETDOWN;
    case PL_EIO: return -EIO;
    default: return -EINVAL;              /* PL_EINVAL; PL_ESIZE and PL_ELAYOUT are never a call's on a stack that is there */
    }
}
