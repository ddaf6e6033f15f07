/* SPDX-License-Identifier: MIT */
#include "support/forge.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checksum.h"
#include "internet/ip4.h"
#include "internet/ip6.h"
#include "wire/ip_proto.h"
#include "wire/tcp_hdr.h"
#include <parley/parley.h>

static bool mapped(const struct pl_addr *a)
{
    static const uint8_t prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    return memcmp(a->b, prefix, 12) == 0;
}

size_t forge_tcp(uint8_t *to, const struct forged *f)
{
    bool ip4 = mapped(&f->src.addr);
    size_t at = ip4 ? 20 : 40;
    unsigned header = WIRE_TCP_BYTES + wire_tcp_opts_write(to + at + WIRE_TCP_BYTES, &f->opts);
    uint32_t bytes = (uint32_t)(header + f->text_bytes);
    struct wire_tcp h = {.src_port = f->src.port, .dst_port = f->dst.port, .seq = f->seq, .ack = f->ack, .hdr_bytes = (uint8_t)header, .flags = f->flags,
                         .wnd = f->wnd, .up = f->up};
    if (at + bytes > FORGE_BYTES_MAX)
        abort();
    wire_tcp_write(to + at, &h);
    if (f->text)
        memcpy(to + at + header, f->text, f->text_bytes);
    else
        memset(to + at + header, 'x', f->text_bytes);
    uint32_t sum = csum_add(csum_pseudo(f->src.addr.b, f->dst.addr.b, WIRE_PROTO_TCP, bytes), csum_bytes(to + at, bytes, 0));
    csum_store(to + at + 16, sum, false);
    if (ip4)
        ip4_write(to, &(struct ip4_out){.local = f->src.addr.b, .remote = f->dst.addr.b, .protocol = WIRE_PROTO_TCP, .hop_limit = 64,
                                        .dont_fragment = true, .payload_bytes = bytes});
    else
        ip6_write(to, &(struct ip6_out){.local = f->src.addr.b, .remote = f->dst.addr.b, .protocol = WIRE_PROTO_TCP, .hop_limit = 64, .payload_bytes = bytes});
    return at + bytes;
}

bool forge_read(const uint8_t *frame, size_t n, struct forged *f)
{
    struct wire_tcp h;
    *f = (struct forged){.seq = 0};
    bool ip4 = n && frame[0] >> 4 == 4;
    size_t at = ip4 ? 20 : 40;
    if (n < at + WIRE_TCP_BYTES || frame[ip4 ? 9 : 6] != WIRE_PROTO_TCP || !wire_tcp_read(frame + at, n - at, &h))
        return false;
    if (ip4) {
        f->src.addr.b[10] = f->src.addr.b[11] = f->dst.addr.b[10] = f->dst.addr.b[11] = 0xff;
        memcpy(f->src.addr.b + 12, frame + 12, 4);
        memcpy(f->dst.addr.b + 12, frame + 16, 4);
    } else {
        memcpy(f->src.addr.b, frame + 8, 16);
        memcpy(f->dst.addr.b, frame + 24, 16);
    }
    uint32_t sum = csum_add(csum_pseudo(f->src.addr.b, f->dst.addr.b, WIRE_PROTO_TCP, (uint32_t)(n - at)), csum_bytes(frame + at, n - at, 0));
    f->src.port = h.src_port, f->dst.port = h.dst_port;
    f->seq = h.seq, f->ack = h.ack, f->wnd = h.wnd, f->up = h.up, f->flags = h.flags;
    f->text = frame + at + h.hdr_bytes;
    f->text_bytes = n - at - h.hdr_bytes;
    wire_tcp_opts_read(frame + at + WIRE_TCP_BYTES, (size_t)(h.hdr_bytes - WIRE_TCP_BYTES), &f->opts);
    return csum_fold(sum) == 0xffff;
}

struct pl_endpoint forge_endpoint(const char *addr, uint16_t port)
{
    struct pl_endpoint e = {.port = port};
    if (pl_addr_parse(addr, &e.addr) != PL_OK)
        abort();
    return e;
}
