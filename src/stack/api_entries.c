/* SPDX-License-Identifier: MIT
 *
 * api_entries.c: what is no connection: half-open and TIME-WAIT entries, listed and explained.
 */
#include "base/text.h"
#include "stack/net.h"
#include "wire/ip_proto.h"

static void told(struct pl_endpoint *e, const uint8_t addr[16], uint32_t zone, uint16_t port)
{
    memcpy(e->addr.b, addr, 16);
    e->addr.zone = zone;
    e->port = port;
}

static void tell(const struct flow *f, enum pl_state state, struct pl_entry *e)
{
    *e = (struct pl_entry){.state = state, .until = PL_NEVER};
    told(&e->local, f->local, f->zone, f->local_port);
    told(&e->remote, f->remote, f->zone, f->remote_port);
}

static void tell_half_open(const pl_stack *s, const struct half_open *h, struct pl_entry *e)
{
    tell(&h->flow, PL_SYN_RECEIVED, e);
    e->deferred = h->flags & HALF_DEFERRED;
    e->reopens = h->flags & HALF_REOPENS;
    e->retries = h->retries;
    e->until = h->resend_at ? h->resend_at : PL_NEVER;
    e->handle = handle_of(HANDLE_LISTENER, &s->listeners, h->listener);
}

static void tell_time_wait(const pl_stack *s, const struct time_wait *w, struct pl_entry *e)
{
    tell(&w->flow, PL_TIME_WAIT, e);
    e->reopens = w->parked;
    e->until = w->until;
    e->handle = w->owner && !conn_at(s, w->owner)->orphan ? conn_at(s, w->owner)->handle : 0;
}

/* The cursor counts half-open slots first, then TIME-WAIT slots. */
bool pl_entry_next(const pl_stack *s, uint32_t *cursor, struct pl_entry *out, size_t size)
{
    struct pl_entry e;
    uint32_t first = s->half_opens.capacity, half = *cursor < first ? slots_next(&s->half_opens, *cursor) : 0;
    if (half) {
        *cursor = half;
        tell_half_open(s, slots_at(&s->half_opens, half), &e);
    } else {
        uint32_t wait = slots_next(&s->time_waits, *cursor < first ? 0 : *cursor - first);
        if (!wait)
            return false;
        *cursor = first + wait;
        tell_time_wait(s, slots_at(&s->time_waits, wait), &e);
    }
    memcpy(out, &e, size < sizeof e ? size : sizeof e);
    return true;
}

static void lasts(struct text *t, const char *before, pl_time left, const char *after)
{
    text_put(t, before);
    text_duration(t, left);
    text_put(t, after);
}

static pl_time left_until(const pl_stack *s, pl_time until) { return until > s->now ? until - s->now : 0; }

size_t time_wait_explain(const pl_stack *s, uint32_t slot, char *buffer, size_t size)
{
    const struct time_wait *w = slots_at(&s->time_waits, slot);
    struct text t = text_of(buffer, size);
    lasts(&t, "It ends in ", left_until(s, w->until), ": if the peer repeats its FIN, our last ACK was lost and goes again, and the wait begins anew; ");
    text_put(&t, "and what is still under way of it cannot harm a new connection on the same ports. ");
    if (w->parked)
        text_put(&t, "A newer SYN came for these ports; if nothing comes of it the wait goes on. ");
    return t.len;
}

static size_t half_open_explain(const pl_stack *s, const struct half_open *h, char *buffer, size_t size)
{
    struct text t = text_of(buffer, size);
    if (h->flags & HALF_DEFERRED) {
        lasts(&t, "SYN-RECEIVED: the SYN is not answered before the program decides; it is let go in ", left_until(s, h->resend_at), ". ");
        return t.len;
    }
    text_put(&t, h->flags & HALF_SENT ? "SYN-RECEIVED: our SYN-ACK is sent; waiting for the peer to acknowledge it. " : "SYN-RECEIVED: our SYN-ACK is about to go. ");
    if (h->resend_at)
        lasts(&t, h->retries < s->config.syn_ack_retries ? "It is repeated in " : "It is given up in ", left_until(s, h->resend_at), ". ");
    return t.len;
}

int pl_entry_explain(const pl_stack *s, const struct pl_entry *e, char *text, size_t size)
{
    if (!e || size == 0)
        return PL_EINVAL;
    struct flow key = {.local_port = e->local.port, .remote_port = e->remote.port, .zone = e->remote.addr.zone, .protocol = WIRE_PROTO_TCP};
    memcpy(key.local, e->local.addr.b, 16);
    memcpy(key.remote, e->remote.addr.b, 16);
    key.hash = flow_hash(&s->flows, &key);
    enum flow_kind kind = e->state == PL_TIME_WAIT ? FLOW_TIME_WAIT : FLOW_HALF_OPEN;
    uint32_t ref = flow_find_kind(&s->flows, &key, kind);
    if (!ref)
        return PL_EHANDLE;
    uint32_t slot = ref - s->flows.first[kind];
    if (kind == FLOW_HALF_OPEN)
        return (int)half_open_explain(s, slots_at(&s->half_opens, slot), text, size);
    struct text t = text_of(text, size);
    text_put(&t, "TIME-WAIT: both sides have finished. ");
    return (int)(t.len < size ? t.len + time_wait_explain(s, slot, text + t.len, size - t.len) : t.len);
}
