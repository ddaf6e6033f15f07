/* SPDX-License-Identifier: MIT
 *
 * api_options.c: pl_set and pl_get, and the questions that any handle answers. RFC 9293 3.9.1.
 */
#include "stack/net.h"

static bool within(int64_t v, int64_t low, int64_t high) { return v >= low && v <= high; }

static int set_conn(pl_stack *s, uint32_t slot, enum pl_option o, int64_t v)
{
    struct tcp_ctx x = stack_tcp_ctx(s);
    struct tcp *c = conn_at(s, slot);
    int e = tcp_setting_check(s->env, &s->config, o, v);
    if (e != PL_OK)
        return e;
    if (c->released)
        return PL_ENOTCONN;
    tcp_setting_apply(&x, c, o, v);
    if (o == PL_OPT_SNDBUF && c->wants_write && c->snd_stream.len < c->sndbuf_bytes && !c->orphan)
        event_post(s, flow_ref(&s->flows, FLOW_CONN, slot), PL_EV_WRITABLE);
    uint32_t ref = flow_ref(&s->flows, FLOW_CONN, slot);
    ref_ready(s, ref, c->path_iface);
    ref_deadline(s, ref, timers_next(&c->timers));
    return PL_OK;
}

/* What is an option of connections goes for those to come, from their SYN-ACK on. */
static int set_listener(pl_stack *s, struct listener *l, enum pl_option o, int64_t v)
{
    struct tcp_ctx x = stack_tcp_ctx(s);
    struct tcp c = {.state = PL_CLOSED};
    if (o == PL_OPT_ISN && within(v, -1, UINT32_MAX)) {
        l->isn = v;
    } else if (o == PL_OPT_BACKLOG && within(v, 1, UINT32_MAX)) {
        l->backlog = (uint32_t)v;
    } else if (tcp_setting_check(s->env, &s->config, o, v) == PL_OK) {
        tcp_inherit(&c, &l->like);
        tcp_setting_apply(&x, &c, o, v);
        tcp_bequeath(&c, &l->like);
    } else {
        return PL_EINVAL;
    }
    return PL_OK;
}

static int get_listener(pl_stack *s, const struct listener *l, enum pl_option o, int64_t *v)
{
    struct tcp_ctx x = stack_tcp_ctx(s);
    struct tcp c = {.state = PL_CLOSED};
    *v = o == PL_OPT_BACKLOG ? (int64_t)l->backlog : l->isn;
    if (o == PL_OPT_ISN || o == PL_OPT_BACKLOG)
        return PL_OK;
    tcp_inherit(&c, &l->like);
    return tcp_setting_get(&x, &c, o, v);
}

int pl_set(pl_stack *s, pl_handle h, enum pl_option o, int64_t v)
{
    uint32_t slot;
    if ((slot = handle_slot(s, h, HANDLE_CONN)) != 0)
        return set_conn(s, slot, o, v);
    if ((slot = handle_slot(s, h, HANDLE_LISTENER)) != 0)
        return set_listener(s, slots_at(&s->listeners, slot), o, v);
    if ((slot = handle_slot(s, h, HANDLE_UDP)) != 0)
        return udp_set(s, slot, o, v);
    return PL_EHANDLE;
}

int pl_get(const pl_stack *s, pl_handle h, enum pl_option o, int64_t *v)
{
    uint32_t slot;
    if (!v)
        return PL_EINVAL;
    if ((slot = handle_slot(s, h, HANDLE_CONN)) != 0) {
        struct tcp_ctx x = stack_tcp_ctx((pl_stack *)(uintptr_t)s);
        return tcp_setting_get(&x, conn_at(s, slot), o, v);
    }
    if ((slot = handle_slot(s, h, HANDLE_LISTENER)) != 0)
        return get_listener((pl_stack *)(uintptr_t)s, slots_at(&s->listeners, slot), o, v);
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
    if ((slot = handle_slot(s, h, HANDLE_LISTENER)) != 0) {
        const struct listener *l = slots_at(&s->listeners, slot);
        return (l->accept.count ? PL_EV_ACCEPTABLE : 0) | (l->incoming.count ? PL_EV_INCOMING : 0);
    }
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
