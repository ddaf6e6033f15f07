/* SPDX-License-Identifier: MIT
 *
 * option.c: getsockopt and setsockopt: socket(7), and where the levels part. What a connection inherits is kept in struct sock_options and given to the
 * stack when there is a connection.
 */
#include <linux/sock_diag.h>
#include <linux/socket.h>
#include <netinet/tcp.h>
#include <sys/time.h>

#include "os/posix/sock/inside.h"

enum { RCVBUF_MIN = 2304, SNDBUF_MIN = 4608, BUFFER_MAX = 1 << 29 };      /* as getsockopt tells them: twice what was asked */

void option_defaults(struct sock *s)
{
    s->opt = (struct sock_options){.rcvlowat = 1, .ttl = -1, .hops = -1, .quickack = true};
}

int option_to_stack(struct sock *s, enum pl_option option, int64_t value)
{
    if (!s->handle || s->over)
        return 0;
    int e = pl_set(s->world->stack, s->handle, option, value);
    return e == PL_EUNSUPPORTED ? -ENOPROTOOPT : sock_errno(e);
}

static void ip_apply(struct sock *s)
{
    bool ip4 = !s->v6 || sock_address_is_ip4(&s->remote.addr);
    int hops = ip4 ? s->opt.ttl : s->opt.hops, tos = ip4 ? s->opt.tos : s->opt.tclass;
    if (hops > 0)
        option_to_stack(s, PL_OPT_HOP_LIMIT, hops);
    if (tos)
        option_to_stack(s, PL_OPT_DSCP, tos >> 2);
}

void option_apply(struct sock *s)
{
    const struct sock_options *o = &s->opt;
    if (o->rcvbuf)
        option_to_stack(s, PL_OPT_RCVBUF, o->rcvbuf);
    if (o->sndbuf)
        option_to_stack(s, PL_OPT_SNDBUF, o->sndbuf);
    if (o->buf_lock_set && s->kind == SOCK_KIND_TCP)
        option_to_stack(s, PL_OPT_BUFFERS_FIXED, o->buf_lock);
    ip_apply(s);
    if (s->kind != SOCK_KIND_TCP)
        return;
    if (o->keep_idle)
        option_to_stack(s, PL_OPT_KEEPALIVE_IDLE, o->keep_idle * (int64_t)PL_S);
    if (o->keep_interval)
        option_to_stack(s, PL_OPT_KEEPALIVE_INTERVAL, o->keep_interval * (int64_t)PL_S);
    if (o->keep_count)
        option_to_stack(s, PL_OPT_KEEPALIVE_PROBES, o->keep_count);
    if (o->keepalive)
        option_to_stack(s, PL_OPT_KEEPALIVE, 1);
    if (o->nodelay)
        option_to_stack(s, PL_OPT_NODELAY, 1);
    if (o->cork)
        option_to_stack(s, PL_OPT_CORK, 1);
    if (o->maxseg)
        option_to_stack(s, PL_OPT_MSS, o->maxseg);
    if (o->syn_count)
        option_to_stack(s, PL_OPT_SYN_RETRIES, o->syn_count);
    if (o->congestion)
        option_to_stack(s, PL_OPT_CONGESTION, o->congestion - 1);
    if (o->user_timeout_ms)
        option_to_stack(s, PL_OPT_USER_TIMEOUT, o->user_timeout_ms * (int64_t)PL_MS);
}

/* ------------------------------------------------------------ values ------------------------------------------------------------ */

int option_int_in(const void *value, socklen_t bytes, int *v)
{
    if (bytes < sizeof *v)
        return -EINVAL;
    if (!value)
        return -EFAULT;
    memcpy(v, value, sizeof *v);
    return 0;
}

int option_out(const void *value, size_t size, void *to, socklen_t *bytes)
{
    if ((int)*bytes < 0)
        return -EINVAL;
    if (*bytes > size)
        *bytes = (socklen_t)size;
    if (!to && *bytes)
        return -EFAULT;
    if (*bytes)
        memcpy(to, value, *bytes);
    return 0;
}

/* socket(7): a time of 0 is for ever; a negative one is over at once. */
static int timeout_in(const void *value, socklen_t bytes, pl_time *out)
{
    struct timeval tv;
    if (bytes < sizeof tv)
        return -EINVAL;
    if (!value)
        return -EFAULT;
    memcpy(&tv, value, sizeof tv);
    if (tv.tv_usec < 0 || tv.tv_usec >= 1000000)
        return -EDOM;
    if (tv.tv_sec < 0)
        *out = 1;
    else if (tv.tv_sec > INT32_MAX)
        *out = 0;
    else
        *out = (pl_time)tv.tv_sec * PL_S + (pl_time)tv.tv_usec * PL_US;
    return 0;
}

static int timeout_out(pl_time t, void *to, socklen_t *bytes)
{
    struct timeval tv = {(time_t)(t / PL_S), (suseconds_t)(t % PL_S / PL_US)};
    return option_out(&tv, sizeof tv, to, bytes);
}

static int clamp(int v, int low, int high) { return v < low ? low : v > high ? high : v; }

/* socket(7): of a size that was set twice that, as long as it stays so; twice what has become of it, if it was unlocked. Else the present size, which is the
 * config's at first. */
static int buffer_size(const struct sock *s, bool receive)
{
    int set = receive ? s->opt.rcvbuf : s->opt.sndbuf;
    int64_t v = set, now;
    if (s->handle && !(set && s->opt.buf_lock & (receive ? SOCK_RCVBUF_LOCK : SOCK_SNDBUF_LOCK)) &&
        pl_get(s->world->stack, s->handle, receive ? PL_OPT_RCVBUF : PL_OPT_SNDBUF, &now) == PL_OK)
        v = now;
    else if (!set)
        v = receive ? s->world->config.rcvbuf_bytes : s->world->config.sndbuf_bytes;
    return !set ? (int)v : v > INT32_MAX / 2 ? INT32_MAX : (int)(2 * v);
}

/* ------------------------------------------------------------ SOL_SOCKET ------------------------------------------------------------ */

_Static_assert((int)PL_SNDBUF_FIXED == SOCK_SNDBUF_LOCK && (int)PL_RCVBUF_FIXED == SOCK_RCVBUF_LOCK, "the bits of PL_OPT_BUFFERS_FIXED are SO_BUF_LOCK's");

static int set_buffer(struct sock *s, int v, bool receive)
{
    int twice = clamp(v < 0 || v > BUFFER_MAX ? BUFFER_MAX : v * 2, receive ? RCVBUF_MIN : SNDBUF_MIN, 2 * (BUFFER_MAX / 2));
    *(receive ? &s->opt.rcvbuf : &s->opt.sndbuf) = twice / 2;
    s->opt.buf_lock |= receive ? SOCK_RCVBUF_LOCK : SOCK_SNDBUF_LOCK;
    return option_to_stack(s, receive ? PL_OPT_RCVBUF : PL_OPT_SNDBUF, twice / 2);
}

/* socket(7) has no word of it: a bit for each buffer that is not auto-tuned; setting a size sets its bit. */
static int set_buf_lock(struct sock *s, int v)
{
    if (v & ~SOCK_BUF_LOCK_MASK)
        return -EINVAL;
    s->opt.buf_lock = v;
    s->opt.buf_lock_set = true;
    return s->kind == SOCK_KIND_TCP ? option_to_stack(s, PL_OPT_BUFFERS_FIXED, v) : 0;        /* datagrams' buffers do not change by themselves */
}

static int set_linger(struct sock *s, const void *value, socklen_t bytes)
{
    struct linger l;
    if (bytes < sizeof l)
        return -EINVAL;
    memcpy(&l, value, sizeof l);
    s->opt.linger.l_onoff = l.l_onoff != 0;
    if (l.l_onoff)
        s->opt.linger.l_linger = l.l_linger < 0 ? INT32_MAX : l.l_linger;
    return 0;
}

static int socket_set(struct sock *s, int name, const void *value, socklen_t bytes)
{
    int v;
    int error = option_int_in(value, bytes, &v);
    if (error)
        return error;
    switch (name) {
    case SO_REUSEADDR: s->opt.reuse_addr = v != 0; return 0;
    case SO_KEEPALIVE:
        s->opt.keepalive = v != 0;
        return s->kind == SOCK_KIND_TCP ? option_to_stack(s, PL_OPT_KEEPALIVE, v != 0) : 0;
    case SO_OOBINLINE: s->opt.oob_inline = v != 0; return 0;
    case SO_BROADCAST: s->opt.broadcast = v != 0; return 0;
    case SO_PRIORITY: s->opt.priority = v; return 0;
    case SO_LINGER: return set_linger(s, value, bytes);
    case SO_RCVTIMEO: return timeout_in(value, bytes, &s->opt.rcv_timeout);
    case SO_SNDTIMEO: return timeout_in(value, bytes, &s->opt.snd_timeout);
    case SO_RCVBUF: return set_buffer(s, v, true);
    case SO_SNDBUF: return set_buffer(s, v, false);
    case SO_BUF_LOCK: return set_buf_lock(s, v);
    case SO_RCVLOWAT: s->opt.rcvlowat = v < 0 ? INT32_MAX : v ? v : 1; return 0;
    case SO_REUSEPORT: return v ? -ENOPROTOOPT : 0;      /* not built: several listeners on one port */
    default: return -ENOPROTOOPT;         /* SO_TYPE, SO_ERROR, ... cannot be set; others are not known */
    }
}

static int memory_info(struct sock *s, void *to, socklen_t *bytes)
{
    uint32_t m[SK_MEMINFO_VARS] = {0};
    struct pl_tcp_status st;
    m[SK_MEMINFO_RCVBUF] = (uint32_t)buffer_size(s, true);
    m[SK_MEMINFO_SNDBUF] = (uint32_t)buffer_size(s, false);
    if (s->kind == SOCK_KIND_TCP && s->handle && pl_status(s->world->stack, s->handle, &st, sizeof st) == PL_OK) {
        m[SK_MEMINFO_RMEM_ALLOC] = st.rcvbuf_used;
        m[SK_MEMINFO_WMEM_ALLOC] = m[SK_MEMINFO_WMEM_QUEUED] = st.sndbuf_used;
    }
    return option_out(m, sizeof m, to, bytes);
}

static int error_out(struct sock *s)
{
    sock_sync(s);
    return -sock_error_take(s);
}

static int socket_get(struct sock *s, int name, void *to, socklen_t *bytes)
{
    int v;
    const struct sock_options *o = &s->opt;
    switch (name) {
    case SO_REUSEADDR: v = o->reuse_addr; break;
    case SO_REUSEPORT: v = 0; break;
    case SO_KEEPALIVE: v = o->keepalive; break;
    case SO_OOBINLINE: v = o->oob_inline; break;
    case SO_BROADCAST: v = o->broadcast; break;
    case SO_PRIORITY: v = o->priority; break;
    case SO_RCVBUF: v = buffer_size(s, true); break;
    case SO_SNDBUF: v = buffer_size(s, false); break;
    case SO_BUF_LOCK: v = o->buf_lock; break;
    case SO_RCVLOWAT: v = o->rcvlowat; break;
    case SO_SNDLOWAT: v = 1; break;
    case SO_TYPE: v = s->kind == SOCK_KIND_TCP ? SOCK_STREAM : SOCK_DGRAM; break;
    case SO_PROTOCOL: v = s->kind == SOCK_KIND_TCP ? IPPROTO_TCP : IPPROTO_UDP; break;
    case SO_DOMAIN: v = s->v6 ? AF_INET6 : AF_INET; break;
    case SO_ACCEPTCONN: v = s->state == SOCK_LISTENING; break;
    case SO_ERROR: v = error_out(s); break;
    case SO_LINGER: return option_out(&o->linger, sizeof o->linger, to, bytes);
    case SO_RCVTIMEO: return timeout_out(o->rcv_timeout, to, bytes);
    case SO_SNDTIMEO: return timeout_out(o->snd_timeout, to, bytes);
    case SO_MEMINFO: return memory_info(s, to, bytes);
    default: return -ENOPROTOOPT;
    }
    return option_out(&v, sizeof v, to, bytes);
}

/* ------------------------------------------------------------ levels ------------------------------------------------------------ */

int sock_setsockopt(struct sock_world *w, int fd, int level, int name, const void *value, socklen_t bytes)
{
    struct sock *s;
    int error = sock_find_socket(w, fd, &s);
    if (error)
        return error;
    if ((int)bytes < 0)
        return -EINVAL;
    if (level == SOL_SOCKET)
        return socket_set(s, name, value, bytes);
    if (level == IPPROTO_TCP && s->kind == SOCK_KIND_TCP)
        return option_tcp_set(s, name, value, bytes);
    if (level == IPPROTO_IP)
        return option_ip_set(s, name, value, bytes);
    return level == IPPROTO_IPV6 && s->v6 ? option_ip6_set(s, name, value, bytes) : -ENOPROTOOPT;
}

int sock_getsockopt(struct sock_world *w, int fd, int level, int name, void *value, socklen_t *bytes)
{
    struct sock *s;
    int error = sock_find_socket(w, fd, &s);
    if (error)
        return error;
    if (!bytes)
        return -EFAULT;
    if ((int)*bytes < 0)
        return -EINVAL;
    if (level == SOL_SOCKET)
        return socket_get(s, name, value, bytes);
    if (level == IPPROTO_TCP && s->kind == SOCK_KIND_TCP)
        return option_tcp_get(s, name, value, bytes);
    if (level == IPPROTO_IP)
        return option_ip_get(s, name, value, bytes);
    return level == IPPROTO_IPV6 && s->v6 ? option_ip6_get(s, name, value, bytes) : -EOPNOTSUPP;
}
