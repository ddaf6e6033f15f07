/* SPDX-License-Identifier: MIT
 *
 * api_options.c: pl_set and pl_get, and the questions that any handle answers. RFC 9293 3.9.1.
 */
#include "stack/net.h"

static bool within(int64_t v, int64_t low, int64_t high) { return v >= low && v <= high; }

static int set_conn(pl_stack *s, uint32_t slot, struct tcp *c, enum pl_option o, int64_t v)
{
    switch (o) {
    case PL_OPT_NODELAY:                  /* RFC 9293 3.7.4, MUST-17 */
        if (!within(v, 0, 1))
            return PL_EINVAL;
        c->nodelay = v != 0;
        return PL_OK;
    case PL_OPT_CORK:
        if (!within(v, 0, 1))
            return PL_EINVAL;
        c->cork = v != 0;
        return PL_OK;
    case PL_OPT_DELAYED_ACK:
        if (!within(v, 0, 1))
            return PL_EINVAL;
        c->no_delack = v == 0;
        return PL_OK;
    case PL_OPT_KEEPALIVE:                /* RFC 9293 3.8.4, MUST-24 */
        if (!within(v, 0, 1))
            return PL_EINVAL;
        c->keepalive = v != 0;
        if (c->keepalive)
            timers_set(&c->timers, TIMER_KEEPALIVE, s->now + s->config.keepalive_idle);
        else
            timers_clear(&c->timers, TIMER_KEEPALIVE);
        return PL_OK;
    case PL_OPT_USER_TIMEOUT:             /* RFC 9293 3.8.3, MUST-21 */
        if (!within(v, 0, (int64_t)STACK_LONGEST_TIMEOUT))
            return PL_EINVAL;
        c->user_timeout = (pl_time)v;
        return PL_OK;
    case PL_OPT_SNDBUF:
        if (!within(v, 1, 1 << 30))
            return PL_EINVAL;
        c->sndbuf_bytes = (uint32_t)v;    /* what is in it stays; pl_send takes more once there is less */
        if (c->wants_write && c->snd_stream.len < c->sndbuf_bytes && !c->orphan)
            event_post(s, flow_ref(&s->flows, FLOW_CONN, slot), PL_EV_WRITABLE);
        return PL_OK;
    case PL_OPT_RCVBUF:
        if (!within(v, 1, 1 << 30))
            return PL_EINVAL;
        c->rcvbuf_bytes = (uint32_t)v;    /* not below what the agreed scale can express */
        if (c->rcvbuf_bytes < 1u << c->opt.rcv_wscale)
            c->rcvbuf_bytes = 1u << c->opt.rcv_wscale;
        return PL_OK;
    case PL_OPT_DSCP:                     /* RFC 9293 3.9.1.9, MUST-48, SHLD-21: at any time */
        if (!within(v, 0, 63))
            return PL_EINVAL;
        c->tos = (uint8_t)(v << 2 | (c->tos & 3));
        return PL_OK;
    case PL_OPT_HOP_LIMIT:                /* RFC 9293 3.9.2, MUST-49 */
        if (!within(v, 1, 255))
            return PL_EINVAL;
        c->hop_limit = (uint8_t)v;
        return PL_OK;
    case PL_OPT_KEEPALIVE_IDLE:
    case PL_OPT_KEEPALIVE_INTERVAL:
    case PL_OPT_KEEPALIVE_PROBES:
        return PL_EUNSUPPORTED;           /* per connection; the config's hold for all */
    default:
        return PL_EINVAL;
    }
}

int pl_set(pl_stack *s, pl_handle h, enum pl_option o, int64_t v)
{
    uint32_t slot;
    if ((slot = handle_slot(s, h, HANDLE_CONN)) != 0) {
        struct tcp *c = conn_at(s, slot);
        if (c->released && o == PL_OPT_KEEPALIVE)
            return PL_ENOTCONN;           /* no timer of a dead connection runs */
        int e = set_conn(s, slot, c, o, v);
        if (e == PL_OK && !c->released) {
            uint32_t ref = flow_ref(&s->flows, FLOW_CONN, slot);
            ref_ready(s, ref, c->path_iface);
            ref_deadline(s, ref, timers_next(&c->timers));
        }
        return e;
    }
    if ((slot = handle_slot(s, h, HANDLE_LISTENER)) != 0) {
        if (o != PL_OPT_ISN || !within(v, -1, UINT32_MAX))
            return PL_EINVAL;
        ((struct listener *)slots_at(&s->listeners, slot))->isn = v;
        return PL_OK;
    }
    if ((slot = handle_slot(s, h, HANDLE_UDP)) != 0)
        return udp_set(s, slot, o, v);
    return PL_EHANDLE;
}

static int get_conn(const pl_stack *s, const struct tcp *c, enum pl_option o, int64_t *v)
{
    switch (o) {
    case PL_OPT_NODELAY: *v = c->nodelay; return PL_OK;
    case PL_OPT_CORK: *v = c->cork; return PL_OK;
    case PL_OPT_DELAYED_ACK: *v = !c->no_delack; return PL_OK;
    case PL_OPT_KEEPALIVE: *v = c->keepalive; return PL_OK;
    case PL_OPT_KEEPALIVE_IDLE: *v = (int64_t)s->config.keepalive_idle; return PL_OK;
    case PL_OPT_KEEPALIVE_INTERVAL: *v = (int64_t)s->config.keepalive_interval; return PL_OK;
    case PL_OPT_KEEPALIVE_PROBES: *v = s->config.keepalive_probes; return PL_OK;
    case PL_OPT_USER_TIMEOUT: *v = (int64_t)c->user_timeout; return PL_OK;
    case PL_OPT_SNDBUF: *v = c->sndbuf_bytes; return PL_OK;
    case PL_OPT_RCVBUF: *v = c->rcvbuf_bytes; return PL_OK;
    case PL_OPT_DSCP: *v = c->tos >> 2; return PL_OK;
    case PL_OPT_HOP_LIMIT: *v = c->hop_limit; return PL_OK;
    default: return PL_EINVAL;
    }
}

int pl_get(const pl_stack *s, pl_handle h, enum pl_option o, int64_t *v)
{
    uint32_t slot;
    if (!v)
        return PL_EINVAL;
    if ((slot = handle_slot(s, h, HANDLE_CONN)) != 0)
        return get_conn(s, conn_at(s, slot), o, v);
    if ((slot = handle_slot(s, h, HANDLE_LISTENER)) != 0) {
        *v = ((const struct listener *)slots_at(&s->listeners, slot))->isn;
        return o == PL_OPT_ISN ? PL_OK : PL_EINVAL;
    }
    if ((slot = handle_slot(s, h, HANDLE_UDP)) != 0)
        return udp_get(s, slot, o, v);
    return PL_EHANDLE;
}

int pl_set_cookie(pl_stack *s, pl_handle h, uint64_t cookie)
{
    uint32_t slot;
    if ((slot = handle_slot(s, h, HANDLE_CONN)) != 0)
        conn_at(s, slot)->cookie = cookie;
    else if ((slot = handle_slot(s, h, HANDLE_LISTENER)) != 0)
        ((struct listener *)slots_at(&s->listeners, slot))->cookie = cookie;
    else if ((slot = handle_slot(s, h, HANDLE_UDP)) != 0)
        udp_at(s, slot)->cookie = cookie;
    else
        return PL_EHANDLE;
    return PL_OK;
}

int pl_error(const pl_stack *s, pl_handle h)
{
    uint32_t slot;
    if ((slot = handle_slot(s, h, HANDLE_CONN)) != 0)
        return conn_at(s, slot)->error;
    if ((slot = handle_slot(s, h, HANDLE_UDP)) != 0)
        return udp_at(s, slot)->error;
    return handle_slot(s, h, HANDLE_LISTENER) ? PL_OK : PL_EHANDLE;
}

uint32_t pl_ready(const pl_stack *s, pl_handle h)
{
    uint32_t slot;
    if ((slot = handle_slot(s, h, HANDLE_CONN)) != 0) {
        struct tcp_ctx x = stack_tcp_ctx((pl_stack *)(uintptr_t)s);
        return tcp_user_ready(&x, conn_at(s, slot));
    }
    if ((slot = handle_slot(s, h, HANDLE_LISTENER)) != 0)
        return ((const struct listener *)slots_at(&s->listeners, slot))->accept.count ? PL_EV_ACCEPTABLE : 0;
    if ((slot = handle_slot(s, h, HANDLE_UDP)) != 0)
        return udp_ready(s, slot);
    return 0;
}

int pl_counters(const pl_stack *s, struct pl_counters *out, size_t size)
{
    if (!out)
        return PL_EINVAL;
    memcpy(out, &s->counters, size < sizeof s->counters ? size : sizeof s->counters);
    return PL_OK;
}
