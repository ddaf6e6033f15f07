/* SPDX-License-Identifier: MIT
 *
 * option_ip.c: IPPROTO_IP and IPPROTO_IPV6: ip(7), ipv6(7). RFC 9293 3.9.1.9 and 3.9.2: the program sets DSCP and hop limit of its connection.
 */
#include "os/posix/sock/inside.h"

enum { NO_ECN = ~3 };

/* Which family's options count: that of the peer. */
static bool speaks_ip4(const struct sock *s) { return !s->v6 || (s->remote.port && sock_address_is_ip4(&s->remote.addr)); }

/* The ECN bits belong to the transport (RFC 3168). */
static int set_class(struct sock *s, bool ip4, int *field, int v)
{
    *field = v & NO_ECN & 0xff;
    return ip4 == speaks_ip4(s) ? option_to_stack(s, PL_OPT_DSCP, *field >> 2) : 0;
}

static int set_hops(struct sock *s, bool ip4, int *field, int v)
{
    *field = v;
    return ip4 == speaks_ip4(s) ? option_to_stack(s, PL_OPT_HOP_LIMIT, v < 0 ? s->world->config.hop_limit : v) : 0;
}

static int mtu_of(struct sock *s, int *v)
{
    uint32_t mtu;
    sock_sync(s);
    if (s->state != SOCK_CONNECTED || s->over)
        return -ENOTCONN;
    int e = pl_path(s->world->stack, &s->remote.addr, NULL, &mtu);
    *v = (int)mtu;
    return sock_errno(e);
}

/* ip(7): one byte will do for these. */
static int small_int_in(const void *value, socklen_t bytes, int *v)
{
    uint8_t byte;
    if (bytes >= sizeof *v)
        return option_int_in(value, bytes, v);
    if (!value && bytes)
        return -EFAULT;
    if (bytes == 0)
        return -EINVAL;
    memcpy(&byte, value, 1);
    *v = byte;
    return 0;
}

int option_ip_set(struct sock *s, int name, const void *value, socklen_t bytes)
{
    int v;
    int error = small_int_in(value, bytes, &v);
    if (name == IP_TOS || name == IP_TTL) {
        if (error)
            return error;
        if (name == IP_TOS)
            return set_class(s, true, &s->opt.tos, v);
        return v == -1 || (v >= 1 && v <= 255) ? set_hops(s, true, &s->opt.ttl, v) : -EINVAL;
    }
    return -ENOPROTOOPT;
}

int option_ip_get(struct sock *s, int name, void *to, socklen_t *bytes)
{
    int v, error = 0;
    switch (name) {
    case IP_TOS: v = s->opt.tos; break;
    case IP_TTL: v = s->opt.ttl < 0 ? s->world->config.hop_limit : s->opt.ttl; break;
    case IP_MTU: error = mtu_of(s, &v); break;
    default: return -ENOPROTOOPT;
    }
    if (error)
        return error;
    if (*bytes < sizeof v && *bytes > 0 && v >= 0 && v <= 255) {
        uint8_t byte = (uint8_t)v;
        return option_out(&byte, 1, to, bytes);
    }
    return option_out(&v, sizeof v, to, bytes);
}

/* ipv6(7), RFC 3493 5.3: before the socket has an address, or never. */
static int set_v6_only(struct sock *s, int v)
{
    if (s->local.port || s->state != SOCK_IDLE || s->over)
        return -EINVAL;
    s->opt.v6_only = v != 0;
    sock_address_any(s, &s->local.addr);
    return 0;
}

int option_ip6_set(struct sock *s, int name, const void *value, socklen_t bytes)
{
    int v;
    int error = option_int_in(value, bytes, &v);
    if (name != IPV6_V6ONLY && name != IPV6_UNICAST_HOPS && name != IPV6_TCLASS)
        return -ENOPROTOOPT;
    if (error)
        return error;
    if (name == IPV6_V6ONLY)
        return set_v6_only(s, v);
    if (v < -1 || v > 255)
        return -EINVAL;
    if (name == IPV6_TCLASS)
        return set_class(s, false, &s->opt.tclass, v < 0 ? 0 : v);
    return v == 0 ? -EINVAL : set_hops(s, false, &s->opt.hops, v);     /* no packet leaves with none */
}

int option_ip6_get(struct sock *s, int name, void *to, socklen_t *bytes)
{
    int v, error = 0;
    switch (name) {
    case IPV6_V6ONLY: v = s->opt.v6_only; break;
    case IPV6_UNICAST_HOPS: v = s->opt.hops < 0 ? s->world->config.hop_limit : s->opt.hops; break;
    case IPV6_TCLASS: v = s->opt.tclass; break;
    case IPV6_MTU: error = mtu_of(s, &v); break;
    default: return -ENOPROTOOPT;
    }
    return error ? error : option_out(&v, sizeof v, to, bytes);
}
