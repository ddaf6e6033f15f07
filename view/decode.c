/* SPDX-License-Identifier: MIT
 *
 * decode.c: Ethernet (DIX), ARP (RFC 826), IPv4 (RFC 791), IPv6 (RFC 8200), TCP (RFC 9293), UDP (RFC 768), ICMP: their extents.
 */
#include "view/decode.h"
#include <string.h>

static unsigned get16(const uint8_t *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)get16(p) << 16 | get16(p + 2);
}

/* What is left to decode: bytes [at, end) of the frame. */
struct rest {
    const uint8_t *b;
    size_t at, end;
};

static void add(struct view_frame *v, enum view_layer layer, size_t at, size_t len)
{
    if (v->parts < VIEW_LAYERS_MAX && len) v->part[v->parts++] = (struct view_part){layer, at, len};
}

static void header(struct view_frame *v, struct rest *r, enum view_layer layer, size_t len)
{
    add(v, layer, r->at, len);
    r->at += len;
}

static void set_ip4(struct pl_endpoint *e, const uint8_t *p)
{
    e->addr.b[10] = e->addr.b[11] = 0xff;
    memcpy(e->addr.b + 12, p, 4);
}

static void option(struct pl_trace_segment *s, const uint8_t *o, unsigned len)
{
    switch (o[0]) {
    case 2:
        if (len == 4) s->opts |= 1, s->mss = (uint16_t)get16(o + 2);
        break;
    case 3:
        if (len == 3) s->opts |= 2, s->wscale = o[2];
        break;
    case 4:
        if (len == 2) s->opts |= 4;
        break;
    case 5:
        for (unsigned i = 2; i + 8 <= len && s->nsack < 4; i += 8, s->nsack++) {
            s->opts |= 16;
            s->sack[2 * s->nsack] = get32(o + i);
            s->sack[2 * s->nsack + 1] = get32(o + i + 4);
        }
        break;
    case 8:
        if (len == 10) s->opts |= 8, s->ts_val = get32(o + 2), s->ts_ecr = get32(o + 6);
        break;
    default: break;
    }
}

static bool decode_tcp(struct view_frame *v, struct rest *r)
{
    const uint8_t *t = r->b + r->at;
    size_t n = r->end - r->at;
    if (n < 20) return false;
    size_t len = (size_t)(t[12] >> 4) * 4;
    if (len < 20 || len > n) return false;
    struct pl_trace_segment *s = &v->segment;
    v->has_segment = true;
    v->source.port = (uint16_t)get16(t);
    v->destination.port = (uint16_t)get16(t + 2);
    s->flags = t[13];
    s->seq = get32(t + 4);
    s->ack = s->flags & PL_ACK ? get32(t + 8) : 0;
    s->wnd_raw = (uint16_t)get16(t + 14);
    s->wnd = s->wnd_raw;
    s->up = (uint16_t)get16(t + 18);
    s->len = (uint32_t)(n - len);
    s->segs = 1;
    for (size_t i = 20; i < len && t[i] != 0;) {
        unsigned l = t[i] == 1 ? 1 : i + 1 < len ? t[i + 1] : 0;
        if (l == 0 || i + l > len || (t[i] != 1 && l < 2)) break;
        if (l >= 2) option(s, t + i, l);
        i += l;
    }
    header(v, r, VIEW_TCP, len);
    return true;
}

static void decode_transport(struct view_frame *v, struct rest *r, unsigned protocol)
{
    const uint8_t *t = r->b + r->at;
    size_t n = r->end - r->at;
    v->protocol = (uint8_t)protocol;
    if (protocol == 6) {
        decode_tcp(v, r);
    } else if (protocol == 17 && n >= 8) {
        v->source.port = (uint16_t)get16(t);
        v->destination.port = (uint16_t)get16(t + 2);
        header(v, r, VIEW_UDP, 8);
    } else if (protocol == 1 && n >= 8) {
        header(v, r, VIEW_ICMP4, 8);
    } else if (protocol == 58 && n >= 8) {
        header(v, r, VIEW_ICMP6, 8);
    }
}

static void decode_ip(struct view_frame *v, struct rest *r)
{
    const uint8_t *p = r->b + r->at;
    size_t n = r->end - r->at;
    if (n >= 20 && p[0] >> 4 == 4) {
        size_t len = (size_t)(p[0] & 15) * 4, total = get16(p + 2);
        if (len < 20 || total < len || total > n) return;
        set_ip4(&v->source, p + 12);
        set_ip4(&v->destination, p + 16);
        r->end = r->at + total;
        header(v, r, VIEW_IP4, len);
        if (!(get16(p + 6) & 0x1fff)) decode_transport(v, r, p[9]);
        else v->protocol = p[9];
    } else if (n >= 40 && p[0] >> 4 == 6) {
        if (40 + get16(p + 4) > n) return;
        memcpy(v->source.addr.b, p + 8, 16);
        memcpy(v->destination.addr.b, p + 24, 16);
        r->end = r->at + 40 + get16(p + 4);
        header(v, r, VIEW_IP6, 40);
        decode_transport(v, r, p[6]);
    }
}

void view_decode(struct view_frame *v, const uint8_t *frame, size_t len, bool ethernet)
{
    struct rest r = {frame, 0, len};
    memset(v, 0, sizeof *v);
    if (!ethernet) {
        decode_ip(v, &r);
    } else if (len >= 14) {
        unsigned type = get16(frame + 12);
        header(v, &r, VIEW_ETHERNET, 14);
        if (type == 0x0800 || type == 0x86dd) {
            decode_ip(v, &r);
        } else if (type == 0x0806 && len >= 42) {
            r.end = 42;
            header(v, &r, VIEW_ARP, 28);
        }
    }
    add(v, VIEW_PAYLOAD, r.at, r.end - r.at);
    add(v, VIEW_PADDING, r.end, len - r.end);
}

const struct view_part *view_find(const struct view_frame *v, enum view_layer layer)
{
    for (unsigned i = 0; i < v->parts; i++)
        if (v->part[i].layer == layer) return &v->part[i];
    return NULL;
}
