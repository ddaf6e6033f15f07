/* SPDX-License-Identifier: MIT
 *
 * join.c: see join.h.
 *
 * Two segments are joined only if the receiving TCP could not tell the difference: everything in their headers is equal (options, window,
 * acknowledgement number, hop limit, ECN bits, ...) except the IPv4 identification, lengths and checksums; the second begins where the
 * first ends; all but the last are of one size. PSH and FIN may stand on the last only, and end the joining. SYN, RST and URG, CWR after
 * the first, empty segments, IPv4 options and IPv6 extension headers stay alone. RFC 5681 4.2 and RFC 3168 6.1.3 count segments: gso_segs
 * does.
 */
#include "os/driver/join.h"

#include <string.h>
#include "base/bytes.h"
#include "base/checksum.h"
#include "os/driver/segment.h"

struct flow {
    struct layout at;
    uint32_t next_seq;
    uint32_t payload;                     /* bytes of it joined so far: the header's lengths are set at the end */
    bool open;                            /* more may be joined */
};

static bool checksum_right(const struct pl_frame *f, const struct layout *at, uint32_t cpu)
{
    if (f->flags & PL_F_CSUM_OK) return true;
    size_t n = at->end - at->l4;
    uint32_t sum = csum_add(layout_pseudo(f->span[0].base, at, n), csum_spans(f->span, f->nspans, at->l4, n, cpu));
    return csum_fold(sum) == 0xffff;
}

/* A segment that could be joined to others at all. */
static bool suitable(const struct pl_frame *f, bool ethernet, struct layout *at)
{
    if (f->nspans != 1 || f->gso_segs > 1 || !layout_find(f->span[0].base, f->span[0].len, ethernet, at)) return false;
    const uint8_t *p = f->span[0].base;
    if (at->protocol != 6 || at->end > f->span[0].len || at->end == at->payload) return false;
    if (at->l4 - at->l3 != (at->version == 4 ? 20 : 40)) return false;
    if (at->version == 4 && csum_fold(csum_bytes(p + at->l3, 20, 0)) != 0xffff) return false;
    return (p[at->l4 + 13] & (PL_SYN | PL_RST | PL_URG | PL_ACK)) == PL_ACK;
}

/* Equal but for what differs from segment to segment. */
static bool same_headers(const uint8_t *a, const uint8_t *b, const struct layout *at)
{
    if (memcmp(a, b, at->l3) != 0) return false;
    const uint8_t *x = a + at->l3, *y = b + at->l3;
    if (at->version == 4) {
        /* 2..5: length, identification; 10, 11: checksum */
        if (memcmp(x, y, 2) != 0 || memcmp(x + 6, y + 6, 4) != 0 || memcmp(x + 12, y + 12, 8) != 0) return false;
    } else if (memcmp(x, y, 4) != 0 || memcmp(x + 6, y + 6, 34) != 0) {     /* 4, 5: length */
        return false;
    }
    x = a + at->l4, y = b + at->l4;
    /* ports; acknowledgement number and data offset; flags; window; options. 4..7: sequence number; 16..17: checksum */
    if (memcmp(x, y, 4) != 0 || memcmp(x + 8, y + 8, 5) != 0 || memcmp(x + 14, y + 14, 2) != 0) return false;
    uint8_t differ = (uint8_t)((x[13] ^ y[13]) & ~(PL_PSH | PL_FIN | PL_CWR));
    if (differ || y[13] & PL_CWR) return false;
    return memcmp(x + 20, y + 20, (size_t)(at->payload - at->l4 - 20)) == 0;
}

/* Of the same connection, whatever else differs: what is behind it in the batch must not overtake it. */
static bool same_flow(const uint8_t *a, const struct layout *x, const uint8_t *b, const struct layout *y)
{
    if (x->version != y->version || x->l3 != y->l3 || x->l4 != y->l4) return false;
    bool ip = x->version == 4 ? memcmp(a + x->l3 + 12, b + x->l3 + 12, 8) == 0 : memcmp(a + x->l3 + 8, b + x->l3 + 8, 32) == 0;
    return ip && memcmp(a + x->l4, b + x->l4, 4) == 0;
}

/* Joins f to `to`. False: it cannot be. */
static bool join_one(struct pl_frame *to, struct flow *flow, const struct pl_frame *f, const struct layout *at)
{
    uint8_t *header = to->span[0].base;
    uint8_t *more = f->span[0].base;
    uint32_t payload = at->end - at->payload;
    if (!flow->open || to->nspans == PL_SPANS || at->payload != flow->at.payload) return false;
    if (get_be32(more + at->l4 + 4) != flow->next_seq) return false;
    if (payload > to->gso_size || flow->at.payload - flow->at.l3 + flow->payload + payload > 65535) return false;
    if (!same_headers(header, more, at)) return false;

    to->span[to->nspans++] = (struct pl_span){more + at->payload, payload};
    to->gso_segs++;
    to->flags |= PL_F_CSUM_OK;
    header[at->l4 + 13] |= more[at->l4 + 13] & (PL_PSH | PL_FIN);
    flow->next_seq += payload;
    flow->payload += payload;
    flow->open = payload == to->gso_size && !(more[at->l4 + 13] & (PL_PSH | PL_FIN));
    return true;
}

int join_frames(const struct pl_frame *in, int n, struct pl_frame *out, bool ethernet, uint32_t cpu)
{
    struct flow flows[JOIN_FRAMES_MAX];
    int k = 0;
    for (int i = 0; i < n; i++) {
        struct layout at;
        bool joinable = suitable(&in[i], ethernet, &at) && checksum_right(&in[i], &at, cpu);
        bool readable = joinable || (in[i].nspans > 0 && layout_find(in[i].span[0].base, in[i].span[0].len, ethernet, &at));
        int same = k;
        while (readable && --same >= 0)
            if (flows[same].at.version && same_flow(out[same].span[0].base, &flows[same].at, in[i].span[0].base, &at)) break;
        if (joinable && same >= 0 && same < k && join_one(&out[same], &flows[same], &in[i], &at)) continue;

        out[k] = in[i];
        flows[k] = (struct flow){.at = readable ? at : (struct layout){0}};
        if (joinable) {
            const uint8_t *p = in[i].span[0].base;
            flows[k].payload = at.end - at.payload;
            flows[k].open = !(p[at.l4 + 13] & (PL_PSH | PL_FIN));
            flows[k].next_seq = get_be32(p + at.l4 + 4) + flows[k].payload;
            out[k].span[0].len = at.end;      /* without Ethernet's padding, so that more can follow */
            out[k].gso_size = (uint16_t)flows[k].payload;
            out[k].gso_segs = 1;
        }
        k++;
    }
    /* A frame to which nothing was joined is what it was. */
    for (int i = 0; i < k; i++) {
        if (out[i].gso_segs <= 1) out[i].gso_size = 0;
        else if (flows[i].payload) layout_set_payload(out[i].span[0].base, &flows[i].at, flows[i].payload);
    }
    return k;
}
