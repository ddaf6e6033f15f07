/* SPDX-License-Identifier: MIT
 *
 * option_tcp.c: IPPROTO_TCP: tcp(7).
 */
#include <netinet/tcp.h>

#include "os/posix/sock/inside.h"

enum { KEEP_SECONDS_MAX = 32767, COUNT_MAX = 127, SYN_COUNT_MAX = 100, MSS_DEFAULT = 536, MSS_MIN = 88, MSS_MAX = 32767 };

/* Under the names that Linux gives them; parley's own name of the first goes as well. */
static const char *const ALGORITHMS[PL_CC_USER] = {[PL_CC_NEWRENO] = "reno", [PL_CC_CUBIC] = "cubic", [PL_CC_BBR] = "bbr", [PL_CC_NONE] = "none"};

static const char *algorithm_name(const struct sock_world *w, uint32_t algorithm)
{
    if (algorithm < PL_CC_USER)
        return ALGORITHMS[algorithm];
    return w->env && algorithm - PL_CC_USER < w->env->cc_count ? w->env->cc[algorithm - PL_CC_USER].name : "";
}

/* -1: there is none of that name. A program's own may bear any name; what is built in goes first. */
static int algorithm_by_name(const struct sock_world *w, const char *name)
{
    if (strcmp(name, "newreno") == 0)
        return PL_CC_NEWRENO;
    uint32_t n = PL_CC_USER + (w->env ? w->env->cc_count : 0);
    for (uint32_t i = 0; i < n; i++)
        if (strcmp(algorithm_name(w, i), name) == 0)
            return (int)i;
    return -1;
}

/* A number with its bounds: kept, and given to the stack in its own unit. */
static int set_bounded(struct sock *s, int *field, int v, int most, enum pl_option option, int64_t unit)
{
    if (v < 1 || v > most)
        return -EINVAL;
    int error = option_to_stack(s, option, v * unit);
    if (error == 0)
        *field = v;
    return error;
}

static int set_flag(struct sock *s, bool *field, int v, enum pl_option option)
{
    *field = v != 0;
    return option_to_stack(s, option, v != 0);
}

/* tcp(7): TCP_MAXSEG: of what is announced and of what is sent; 0 takes it back. */
static int set_segment_size(struct sock *s, int v)
{
    if (v && (v < MSS_MIN || v > MSS_MAX))
        return -EINVAL;
    s->opt.maxseg = v;
    return option_to_stack(s, PL_OPT_MSS, v);
}

/* tcp(7): a name, cut to what it may be long; the zero at its end may be missing. */
static int set_congestion(struct sock *s, const void *value, socklen_t bytes)
{
    char name[16] = "";
    if (bytes < 1)
        return -EINVAL;
    memcpy(name, value, strnlen(value, bytes < sizeof name ? bytes : sizeof name - 1));
    int algorithm = algorithm_by_name(s->world, name);
    if (algorithm < 0)
        return -ENOENT;
    int error = option_to_stack(s, PL_OPT_CONGESTION, algorithm);
    if (error == 0)
        s->opt.congestion = 1 + algorithm;
    return error;
}

int option_tcp_set(struct sock *s, int name, const void *value, socklen_t bytes)
{
    int v;
    if (name == TCP_CONGESTION)
        return value ? set_congestion(s, value, bytes) : -EFAULT;
    int error = option_int_in(value, bytes, &v);
    if (error)
        return error;
    switch (name) {
    case TCP_NODELAY: return set_flag(s, &s->opt.nodelay, v, PL_OPT_NODELAY);
    case TCP_CORK: return set_flag(s, &s->opt.cork, v, PL_OPT_CORK);
    case TCP_QUICKACK: s->opt.quickack = v != 0; return option_to_stack(s, PL_OPT_DELAYED_ACK, v == 0);
    case TCP_KEEPIDLE: return set_bounded(s, &s->opt.keep_idle, v, KEEP_SECONDS_MAX, PL_OPT_KEEPALIVE_IDLE, (int64_t)PL_S);
    case TCP_KEEPINTVL: return set_bounded(s, &s->opt.keep_interval, v, KEEP_SECONDS_MAX, PL_OPT_KEEPALIVE_INTERVAL, (int64_t)PL_S);
    case TCP_KEEPCNT: return set_bounded(s, &s->opt.keep_count, v, COUNT_MAX, PL_OPT_KEEPALIVE_PROBES, 1);
    case TCP_USER_TIMEOUT:
        if (v < 0)
            return -EINVAL;
        s->opt.user_timeout_ms = v;
        return option_to_stack(s, PL_OPT_USER_TIMEOUT, v * (int64_t)PL_MS);
    case TCP_SYNCNT: return set_bounded(s, &s->opt.syn_count, v, SYN_COUNT_MAX, PL_OPT_SYN_RETRIES, 1);
    case TCP_MAXSEG: return set_segment_size(s, v);
    case TCP_DEFER_ACCEPT: return v > 0 ? -ENOPROTOOPT : 0;
    default: return -ENOPROTOOPT;
    }
}

static int segment_size(const struct sock *s)
{
    struct pl_tcp_status st;
    if (s->opt.maxseg && (s->over || s->state == SOCK_IDLE || s->state == SOCK_LISTENING))
        return s->opt.maxseg;
    if (s->state != SOCK_CONNECTED || pl_status(s->world->stack, s->handle, &st, sizeof st) != PL_OK)
        return MSS_DEFAULT;
    return (int)st.mss;
}

int option_tcp_get(struct sock *s, int name, void *to, socklen_t *bytes)
{
    const struct sock_options *o = &s->opt;
    const struct pl_config *c = &s->world->config;
    int v;
    sock_sync(s);
    switch (name) {
    case TCP_NODELAY: v = o->nodelay; break;
    case TCP_CORK: v = o->cork; break;
    case TCP_QUICKACK: v = o->quickack; break;
    case TCP_KEEPIDLE: v = o->keep_idle ? o->keep_idle : (int)(c->keepalive_idle / PL_S); break;
    case TCP_KEEPINTVL: v = o->keep_interval ? o->keep_interval : (int)(c->keepalive_interval / PL_S); break;
    case TCP_KEEPCNT: v = o->keep_count ? o->keep_count : (int)c->keepalive_probes; break;
    case TCP_USER_TIMEOUT: v = o->user_timeout_ms; break;
    case TCP_SYNCNT: v = o->syn_count ? o->syn_count : (int)c->syn_retries; break;
    case TCP_DEFER_ACCEPT: v = 0; break;
    case TCP_MAXSEG: v = segment_size(s); break;
    case TCP_CONGESTION: {
        char name16[16] = "";
        strncat(name16, algorithm_name(s->world, o->congestion ? (uint32_t)o->congestion - 1 : c->congestion_control), sizeof name16 - 1);
        return option_out(name16, sizeof name16, to, bytes);
    }
    case TCP_CC_INFO: return option_out(NULL, 0, to, bytes);       /* none of them has anything to tell */
    case TCP_INFO: return info_tcp(s, to, bytes);
    default: return -ENOPROTOOPT;
    }
    return option_out(&v, sizeof v, to, bytes);
}
