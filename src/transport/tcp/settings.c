/* SPDX-License-Identifier: MIT
 *
 * settings.c: the options of a connection: their ranges, and what setting one does. RFC 9293 3.9.1, 3.8.3, 3.8.4; RFC 5482.
 *
 * Apart from the handles, so that what a listener remembers can be applied to the connections that come from it: check when it is given, apply when a
 * connection is made.
 */
#include "transport/tcp/models/user_timeout.h"
#include "transport/tcp/tcp.h"

struct span_of {
    int64_t min, max;                     /* max 0: no option of a connection */
};

static struct span_of span_of(enum pl_option o)
{
    const int64_t longest = (int64_t)TCP_LONGEST_TIMEOUT;
    switch (o) {
    case PL_OPT_NODELAY:
    case PL_OPT_CORK:
    case PL_OPT_DELAYED_ACK:
    case PL_OPT_KEEPALIVE:
    case PL_OPT_USER_TIMEOUT_OPTION:
    case PL_OPT_USER_TIMEOUT_CHANGEABLE:
        return (struct span_of){0, 1};
    case PL_OPT_KEEPALIVE_IDLE:
    case PL_OPT_KEEPALIVE_INTERVAL:
        return (struct span_of){1, longest};
    case PL_OPT_KEEPALIVE_PROBES:
        return (struct span_of){1, 255};
    case PL_OPT_USER_TIMEOUT:
        return (struct span_of){0, longest};
    case PL_OPT_USER_TIMEOUT_ADVERTISED:
        return (struct span_of){0, (int64_t)(USER_TIMEOUT_WORD_MS_MAX * PL_MS)};
    case PL_OPT_SNDBUF:
    case PL_OPT_RCVBUF:
        return (struct span_of){1, 1 << 30};
    case PL_OPT_BUFFERS_FIXED:
        return (struct span_of){0, PL_SNDBUF_FIXED | PL_RCVBUF_FIXED};
    case PL_OPT_MSS:
        return (struct span_of){0, 65495};
    case PL_OPT_SYN_RETRIES:
        return (struct span_of){1, 100};
    case PL_OPT_CONGESTION:
        return (struct span_of){0, 255};
    case PL_OPT_DSCP:
        return (struct span_of){0, 63};
    case PL_OPT_HOP_LIMIT:
        return (struct span_of){1, 255};
    default:
        return (struct span_of){0, 0};
    }
}

int tcp_setting_check(const struct pl_env *env, const struct pl_config *config, enum pl_option o, int64_t v)
{
    struct span_of s = span_of(o);
    if (o == PL_OPT_MSS && v && v < TCP_MSS_FLOOR)
        return PL_EINVAL;
    if (o == PL_OPT_CONGESTION && (v < 0 || !cc_exists(env, (uint32_t)v, config->cc_state_bytes)))
        return PL_EINVAL;
    return s.max && v >= s.min && v <= s.max ? PL_OK : PL_EINVAL;
}

/* What the peer was promised stays true, and what is queued stays queued. */
static void set_buffers(struct tcp_ctx *x, struct tcp *c, enum pl_option o, uint32_t v)
{
    switch (o) {
    case PL_OPT_SNDBUF:
        c->sndbuf_bytes = v;              /* what is in it stays; SEND takes more once there is less */
        c->sndbuf_fixed = true;
        return;
    case PL_OPT_RCVBUF:
        c->rcvbuf_bytes = v;
        c->rcvbuf_fixed = true;
        break;
    default:
        c->sndbuf_fixed = v & PL_SNDBUF_FIXED;
        c->rcvbuf_fixed = v & PL_RCVBUF_FIXED;
        break;
    }
    if (c->state == PL_SYN_SENT && !c->syn_sent)         /* the scale is not fixed yet: RFC 7323 2.3 */
        c->opt.rcv_wscale = window_scale_for(tcp_rcvbuf_most(x, c));
    tcp_rcvbuf_scaled(c);                 /* not below what the agreed scale can express */
}

/* RFC 9293 3.8.4, MUST-24, 27 */
static void set_keepalive(struct tcp_ctx *x, struct tcp *c, enum pl_option o, int64_t v)
{
    if (o == PL_OPT_KEEPALIVE)
        c->keepalive = v != 0;
    else if (o == PL_OPT_KEEPALIVE_IDLE)
        c->keepalive_idle_ms = tcp_ms((pl_time)v);
    else if (o == PL_OPT_KEEPALIVE_INTERVAL)
        c->keepalive_interval_ms = tcp_ms((pl_time)v);
    else
        c->keepalive_probes = (uint8_t)v;
    keepalive_rearm(x, c, o == PL_OPT_KEEPALIVE);
}

static void set_user_timeout(struct tcp_ctx *x, struct tcp *c, enum pl_option o, int64_t v)
{
    if (o == PL_OPT_USER_TIMEOUT) {       /* RFC 9293 3.8.3, MUST-21: R2, in time */
        c->user_timeout_ms = tcp_ms((pl_time)v);
        c->uto_changeable = false;        /* RFC 5482 3-a: the program's word holds */
    } else if (o == PL_OPT_USER_TIMEOUT_OPTION) {
        c->uto_enabled = v != 0;
        c->uto_due &= c->uto_enabled;
    } else if (o == PL_OPT_USER_TIMEOUT_CHANGEABLE) {
        c->uto_changeable = v != 0;
    } else {
        c->adv_uto = v ? user_timeout_word(tcp_ms((pl_time)v)) : 0;
    }
    user_timeout_tell(x, c);
    life_rearm(x, c);
}

void tcp_setting_apply(struct tcp_ctx *x, struct tcp *c, enum pl_option o, int64_t v)
{
    switch (o) {
    case PL_OPT_NODELAY:                  /* RFC 9293 3.7.4, MUST-17 */
        c->nodelay = v != 0;
        break;
    case PL_OPT_CORK:
        c->cork = v != 0;
        break;
    case PL_OPT_DELAYED_ACK:
        c->no_delack = v == 0;
        break;
    case PL_OPT_KEEPALIVE:
    case PL_OPT_KEEPALIVE_IDLE:
    case PL_OPT_KEEPALIVE_INTERVAL:
    case PL_OPT_KEEPALIVE_PROBES:
        set_keepalive(x, c, o, v);
        break;
    case PL_OPT_SNDBUF:
    case PL_OPT_RCVBUF:
    case PL_OPT_BUFFERS_FIXED:
        set_buffers(x, c, o, (uint32_t)v);
        break;
    case PL_OPT_DSCP:                     /* RFC 9293 3.9.1.9, MUST-48, SHLD-21: at any time */
        c->tos = (uint8_t)(v << 2 | (c->tos & 3));
        break;
    case PL_OPT_HOP_LIMIT:                /* RFC 9293 3.9.2, MUST-49 */
        c->hop_limit = (uint8_t)v;
        break;
    case PL_OPT_MSS:                      /* less than RFC 9293 3.7.1 allows is always allowed */
        c->opt.mss_max = (uint16_t)v;
        options_set_mss(&c->opt, c->path_mtu, tcp_ipv6(&c->flow));
        break;
    case PL_OPT_SYN_RETRIES:              /* RFC 9293 3.8.3, SHLD-10: R1 and R2 "configurable"; MUST-23's three minutes are the default */
        c->syn_retries_max = (uint8_t)v;
        break;
    case PL_OPT_CONGESTION:
        c->algorithm = (uint8_t)v;
        tcp_flight_algorithm(x, c);
        break;
    default:
        set_user_timeout(x, c, o, v);
        break;
    }
}

int tcp_setting_get(const struct tcp_ctx *x, const struct tcp *c, enum pl_option o, int64_t *v)
{
    switch (o) {
    case PL_OPT_NODELAY: *v = c->nodelay; return PL_OK;
    case PL_OPT_CORK: *v = c->cork; return PL_OK;
    case PL_OPT_DELAYED_ACK: *v = !c->no_delack; return PL_OK;
    case PL_OPT_KEEPALIVE: *v = c->keepalive; return PL_OK;
    case PL_OPT_KEEPALIVE_IDLE: *v = (int64_t)(c->keepalive_idle_ms * PL_MS); return PL_OK;
    case PL_OPT_KEEPALIVE_INTERVAL: *v = (int64_t)(c->keepalive_interval_ms * PL_MS); return PL_OK;
    case PL_OPT_KEEPALIVE_PROBES: *v = c->keepalive_probes; return PL_OK;
    case PL_OPT_USER_TIMEOUT: *v = (int64_t)(c->user_timeout_ms * PL_MS); return PL_OK;
    case PL_OPT_USER_TIMEOUT_OPTION: *v = c->uto_enabled; return PL_OK;
    case PL_OPT_USER_TIMEOUT_CHANGEABLE: *v = c->uto_changeable; return PL_OK;
    case PL_OPT_USER_TIMEOUT_ADVERTISED: *v = (int64_t)(user_timeout_ms(user_timeout_advertised(x, c)) * PL_MS); return PL_OK;
    case PL_OPT_SNDBUF: *v = c->sndbuf_bytes; return PL_OK;
    case PL_OPT_RCVBUF: *v = c->rcvbuf_bytes; return PL_OK;
    case PL_OPT_BUFFERS_FIXED: *v = (c->sndbuf_fixed ? PL_SNDBUF_FIXED : 0) | (c->rcvbuf_fixed ? PL_RCVBUF_FIXED : 0); return PL_OK;
    case PL_OPT_DSCP: *v = c->tos >> 2; return PL_OK;
    case PL_OPT_HOP_LIMIT: *v = c->hop_limit; return PL_OK;
    case PL_OPT_MSS: *v = c->opt.mss_max; return PL_OK;
    case PL_OPT_SYN_RETRIES: *v = c->syn_retries_max ? c->syn_retries_max : x->config->syn_retries; return PL_OK;
    case PL_OPT_CONGESTION: *v = c->algorithm; return PL_OK;
    default: return PL_EINVAL;
    }
}

/* RFC 9293 3.9.1.1, 3.9.2: a passive connection begins with what was set on its listener. Timers start when something is heard. */
void tcp_inherit(struct tcp *c, const struct tcp_inherited *from)
{
    c->sndbuf_bytes = from->sndbuf_bytes;
    c->rcvbuf_bytes = from->rcvbuf_bytes;
    c->sndbuf_fixed = from->sndbuf_fixed;
    c->rcvbuf_fixed = from->rcvbuf_fixed;
    c->rcv.wnd = c->rcvbuf_bytes < 65535 ? c->rcvbuf_bytes : 65535;
    c->user_timeout_ms = from->user_timeout_ms;
    c->keepalive_idle_ms = from->keepalive_idle_ms;
    c->keepalive_interval_ms = from->keepalive_interval_ms;
    c->keepalive_probes = from->keepalive_probes;
    c->adv_uto = from->adv_uto;
    c->algorithm = from->algorithm;
    c->opt.mss_max = from->mss_max;
    c->hop_limit = from->hop_limit;
    c->tos = from->tos;
    c->nodelay = from->nodelay;
    c->keepalive = from->keepalive;
    c->no_delack = from->no_delack;
    c->cork = from->cork;
    c->uto_enabled = from->uto_enabled;
    c->uto_changeable = from->uto_changeable;
}

void tcp_bequeath(const struct tcp *c, struct tcp_inherited *to)
{
    *to = (struct tcp_inherited){.sndbuf_bytes = c->sndbuf_bytes, .rcvbuf_bytes = c->rcvbuf_bytes, .user_timeout_ms = c->user_timeout_ms,
                                 .keepalive_idle_ms = c->keepalive_idle_ms, .keepalive_interval_ms = c->keepalive_interval_ms,
                                 .keepalive_probes = c->keepalive_probes, .adv_uto = c->adv_uto, .algorithm = c->algorithm, .mss_max = c->opt.mss_max, .hop_limit = c->hop_limit, .tos = c->tos,
                                 .nodelay = c->nodelay, .keepalive = c->keepalive, .no_delack = c->no_delack, .cork = c->cork,
                                 .uto_enabled = c->uto_enabled, .uto_changeable = c->uto_changeable,
                                 .sndbuf_fixed = c->sndbuf_fixed, .rcvbuf_fixed = c->rcvbuf_fixed};
}
