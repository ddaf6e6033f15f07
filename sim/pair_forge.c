/* SPDX-License-Identifier: MIT
 *
 * pair_forge.c: frames that no stack sent: repeated from earlier, or made by hand. Made here byte by byte and not with the core's own
 * codecs, so that the two check each other.
 */
#include "sim/pair_private.h"
#include <string.h>

static void put16(uint8_t *p, unsigned v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
    put16(p, v >> 16);
    put16(p + 2, v & 0xffff);
}

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint32_t sum(uint32_t s, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i + 1 < n; i += 2)
        s += (uint32_t)p[i] << 8 | p[i + 1];
    if (n % 2) s += (uint32_t)p[n - 1] << 8;
    return s;
}

static unsigned fold(uint32_t s)
{
    while (s >> 16)
        s = (s & 0xffff) + (s >> 16);
    return ~s & 0xffff;
}

void pair_read_frame(struct pair_segment *s, const uint8_t *frame, size_t len, bool ethernet)
{
    size_t at = ethernet ? 14 : 0;
    bool six = frame[at] >> 4 == 6;
    size_t tcp = at + (six ? 40 : (size_t)(frame[at] & 15) * 4);
    size_t end = at + (six ? 40 + ((size_t)frame[at + 4] << 8 | frame[at + 5]) : ((size_t)frame[at + 2] << 8 | frame[at + 3]));
    const uint8_t *t = frame + tcp;
    if (end > len) end = len;
    s->flags = t[13];
    s->seq = get32(t + 4);
    s->ack = t[13] & PL_ACK ? get32(t + 8) : 0;
    s->len = (uint32_t)(end - tcp - (size_t)(t[12] >> 4) * 4);
    s->win = (uint32_t)t[14] << 8 | t[15];
    s->client_port = s->from == PAIR_CLIENT ? (uint16_t)(t[0] << 8 | t[1]) : (uint16_t)(t[2] << 8 | t[3]);
    s->seg = (struct pl_trace_segment){.flags = s->flags, .seq = s->seq, .ack = s->ack, .len = s->len, .wnd = s->win,
        .wnd_raw = (uint16_t)s->win, .segs = 1};
}

void pair_replay(struct pair *p, size_t segment, pl_time at)
{
    if (segment >= p->segments) {
        sim_fail(p->sim, "pair_replay: there is no segment %zu", segment);
        return;
    }
    /* The tap adds a segment and may move the array, so the frame is named before. */
    const uint8_t *frame = p->segment[segment].frame;
    size_t n = p->segment[segment].frame_bytes;
    enum pair_side from = p->segment[segment].from;
    sim_inject(p->link, !from, frame, n, at);
}

void pair_forge(struct pair *p, enum pair_side from, const struct pair_forged *f, pl_time at)
{
    uint8_t b[14 + 40 + 20 + 1500] = {0};
    bool ethernet = p->link->params.ethernet, six = p->opts.v6;
    size_t ip = ethernet ? 14 : 0, header = six ? 40 : 20, text = f->text_bytes > 1400 ? 1400 : f->text_bytes;
    const struct pl_addr *addr = six ? p->opts.hosts.v6 : p->opts.hosts.v4;
    uint8_t *t = b + ip + header, *h = b + ip;
    if (ethernet) {
        b[0] = b[6] = 2;
        b[5] = (uint8_t)(p->node[!from]->number + 1);
        b[11] = (uint8_t)(p->node[from]->number + 1);
        put16(b + 12, six ? 0x86dd : 0x0800);
    }
    if (six) {
        h[0] = 0x60;
        put16(h + 4, (unsigned)(20 + text));
        h[6] = 6, h[7] = 64;
        memcpy(h + 8, addr[from].b, 16);
        memcpy(h + 24, addr[!from].b, 16);
    } else {
        h[0] = 0x45;
        put16(h + 2, (unsigned)(40 + text));
        h[8] = 64, h[9] = 6;
        memcpy(h + 12, addr[from].b + 12, 4);
        memcpy(h + 16, addr[!from].b + 12, 4);
        put16(h + 10, fold(sum(0, h, 20)));
    }
    put16(t, from == PAIR_CLIENT ? f->client_port : f->server_port);
    put16(t + 2, from == PAIR_CLIENT ? f->server_port : f->client_port);
    put32(t + 4, f->seq);
    put32(t + 8, f->ack);
    t[12] = 5 << 4;
    t[13] = f->flags;
    put16(t + 14, f->window);
    if (text) memcpy(t + 20, f->text, text);
    uint32_t pseudo = six ? sum(0, h + 8, 32) : sum(0, h + 12, 8);
    put16(t + 16, fold(sum(pseudo + 6 + (uint32_t)(20 + text), t, 20 + text)));
    sim_inject(p->link, !from, b, ip + header + 20 + text, at);
}
