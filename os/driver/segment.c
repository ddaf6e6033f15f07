/* SPDX-License-Identifier: MIT
 *
 * segment.c: see segment.h.
 */
#include "os/driver/segment.h"

#include <string.h>
#include "base/bytes.h"
#include "base/checksum.h"
#include "os/driver/frame.h"

enum { ETHERNET_BYTES = 14, IP4_BYTES = 20, IP6_BYTES = 40, TCP_BYTES = 20, UDP_BYTES = 8, TCP = 6, UDP = 17 };

/* RFC 791 3.1. False for a fragment: its payload is not a transport packet. */
static bool find_ip4(const uint8_t *p, size_t n, struct layout *at)
{
    if (n < at->l3 + (size_t)IP4_BYTES) return false;
    const uint8_t *ip = p + at->l3;
    unsigned header = (ip[0] & 15u) * 4, length = get_be16(ip + 2);
    if (header < IP4_BYTES || length < header || (get_be16(ip + 6) & 0x3fff)) return false;
    at->protocol = ip[9];
    at->l4 = (uint16_t)(at->l3 + header);
    at->end = at->l3 + length;
    return true;
}

/* RFC 8200 3, 4.1: past hop-by-hop (0), routing (43) and destination (60) options. */
static bool find_ip6(const uint8_t *p, size_t n, struct layout *at)
{
    if (n < at->l3 + (size_t)IP6_BYTES) return false;
    const uint8_t *ip = p + at->l3;
    size_t l4 = at->l3 + (size_t)IP6_BYTES;
    at->end = at->l3 + IP6_BYTES + get_be16(ip + 4);
    at->protocol = ip[6];
    while (at->protocol == 0 || at->protocol == 43 || at->protocol == 60) {
        if (n < l4 + 8) return false;
        at->protocol = p[l4];
        l4 += 8 + p[l4 + 1] * (size_t)8;
    }
    if (l4 > 4096) return false;
    at->l4 = (uint16_t)l4;
    return true;
}

bool layout_find(const uint8_t *p, size_t n, bool ethernet, struct layout *at)
{
    *at = (struct layout){0};
    if (ethernet) {
        if (n < ETHERNET_BYTES) return false;
        unsigned type = get_be16(p + 12);
        if (type != 0x0800 && type != 0x86dd) return false;
        at->l3 = ETHERNET_BYTES;
    }
    if (n <= at->l3) return false;
    at->version = p[at->l3] >> 4;
    if (at->version == 4 ? !find_ip4(p, n, at) : at->version == 6 ? !find_ip6(p, n, at) : true) return false;

    size_t header = UDP_BYTES;
    if (at->protocol == TCP) {
        if (n < at->l4 + (size_t)TCP_BYTES) return false;
        header = (p[at->l4 + 12] >> 4) * (size_t)4;
        if (header < TCP_BYTES) return false;
    } else if (at->protocol != UDP) {
        return false;
    }
    if (n < at->l4 + header || at->end < at->l4 + header) return false;
    at->payload = (uint16_t)(at->l4 + header);
    return true;
}

void layout_set_payload(uint8_t *header, const struct layout *at, size_t payload)
{
    uint8_t *ip = header + at->l3;
    size_t l4_bytes = (size_t)(at->payload - at->l4) + payload;
    if (at->version == 4) {
        put_be16(ip + 2, (uint16_t)(at->l4 - at->l3 + l4_bytes));
        put_be16(ip + 10, 0);
        csum_store(ip + 10, csum_bytes(ip, (size_t)(at->l4 - at->l3), 0), false);
    } else {
        put_be16(ip + 4, (uint16_t)(at->l4 - at->l3 - IP6_BYTES + l4_bytes));
    }
    if (at->protocol == UDP) put_be16(header + at->l4 + 4, (uint16_t)l4_bytes);
}

uint32_t layout_pseudo(const uint8_t *header, const struct layout *at, size_t n)
{
    const uint8_t *ip = header + at->l3;
    if (at->version == 6) return csum_pseudo(ip + 8, ip + 24, at->protocol, (uint32_t)n);
    uint8_t from[16] = {[10] = 0xff, [11] = 0xff}, to[16] = {[10] = 0xff, [11] = 0xff};
    memcpy(from + 12, ip + 12, 4);
    memcpy(to + 12, ip + 16, 4);
    return csum_pseudo(from, to, at->protocol, (uint32_t)n);
}

bool segmenter_begin(struct segmenter *s, const struct pl_frame *f, bool ethernet, bool finish, uint32_t cpu)
{
    *s = (struct segmenter){.frame = f, .finish = finish, .cpu = cpu, .segments = 1};
    if (f->nspans == 0 || !layout_find(f->span[0].base, f->span[0].len, ethernet, &s->at)) return false;
    size_t total = frame_bytes(f);
    if (s->at.payload > SEGMENT_HEADER_BYTES_MAX || s->at.end > total) return false;
    size_t payload = s->at.end - s->at.payload;
    if (f->gso_size && payload > f->gso_size) s->segments = (uint32_t)((payload + f->gso_size - 1) / f->gso_size);
    return true;
}

/* The fields of the copied header that differ from segment to segment. */
static void number_segment(const struct segmenter *s, uint8_t *header, size_t offset)
{
    if (s->at.version == 4) {
        uint8_t *id = header + s->at.l3 + 4;
        put_be16(id, (uint16_t)(get_be16(id) + s->index));
    }
    if (s->at.protocol != TCP) return;
    uint8_t *tcp = header + s->at.l4;
    put_be32(tcp + 4, get_be32(tcp + 4) + (uint32_t)offset);
    if (s->index > 0) tcp[13] &= (uint8_t)~PL_CWR;
    if (s->index + 1 < s->segments) tcp[13] &= (uint8_t) ~(PL_FIN | PL_PSH);
}

/* Stores the checksum, or what the device is to add to: the pseudo-header's sum, not complemented. */
static void sum_segment(const struct segmenter *s, struct pl_frame *out, uint8_t *header, size_t payload)
{
    size_t l4_bytes = (size_t)(s->at.payload - s->at.l4) + payload;
    uint16_t off = s->at.protocol == TCP ? 16 : 6;
    uint8_t *field = header + s->at.l4 + off;
    uint32_t sum = layout_pseudo(header, &s->at, l4_bytes);
    if (s->finish) {
        put_be16(field, 0);
        sum = csum_add(sum, csum_spans(out->span, out->nspans, s->at.l4, l4_bytes, s->cpu));
        csum_store(field, sum, s->at.protocol == UDP);
    } else {
        csum_store(field, 0xffffu ^ csum_fold(sum), false);
        out->flags = PL_F_CSUM_PARTIAL;
        out->csum_start = s->at.l4;
        out->csum_off = off;
    }
}

bool segmenter_next(struct segmenter *s, struct pl_frame *out, uint8_t *header)
{
    if (s->index >= s->segments) return false;
    const struct pl_frame *f = s->frame;
    size_t payload = s->at.end - s->at.payload, offset = (size_t)s->index * f->gso_size;
    if (s->segments > 1) payload = payload - offset < f->gso_size ? payload - offset : f->gso_size;

    memcpy(header, f->span[0].base, s->at.payload);
    number_segment(s, header, offset);
    layout_set_payload(header, &s->at, payload);

    /* Field by field: the unused spans of a frame are most of it. */
    out->span[0] = (struct pl_span){header, s->at.payload};
    int spans = frame_slice(f, s->at.payload + offset, payload, out->span + 1, PL_SPANS - 1);
    if (spans < 0) return false;
    out->nspans = (uint8_t)(1 + spans);
    out->flags = 0;
    out->gso_size = out->csum_start = out->csum_off = 0;
    out->gso_segs = 1;
    out->hdr_len = s->at.payload;
    out->rx_time = f->rx_time;
    out->not_before = f->not_before;
    out->cookie = 0;
    sum_segment(s, out, header, payload);
    s->index++;
    return true;
}

bool frame_finish_checksum(const struct pl_frame *f, struct pl_frame *out, uint8_t *header, uint32_t cpu)
{
    size_t field = (size_t)f->csum_start + f->csum_off, total = frame_bytes(f), copied = field + 2;
    if (f->nspans == 0 || copied > SEGMENT_HEADER_BYTES_MAX || copied > f->span[0].len) return false;
    *out = *f;
    memcpy(header, f->span[0].base, copied);
    out->span[0] = (struct pl_span){header, copied};
    int spans = frame_slice(f, copied, total - copied, out->span + 1, PL_SPANS - 1);
    if (spans < 0) return false;
    out->nspans = (uint8_t)(1 + spans);
    out->flags = (uint8_t)(f->flags & ~PL_F_CSUM_PARTIAL);
    out->csum_start = out->csum_off = 0;
    /* The field holds the pseudo-header's sum and so adds it. A UDP checksum that comes out as zero is sent as ones (RFC 768). */
    csum_store(header + field, csum_spans(out->span, out->nspans, f->csum_start, total - f->csum_start, cpu), f->csum_off == 6);
    return true;
}
