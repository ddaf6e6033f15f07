/* SPDX-License-Identifier: MIT
 *
 * udp.c: UDP (RFC 768, RFC 1122 4.1) and echo sockets: datagrams on their way in and out.
 *
 * A datagram that arrives is copied once, into the socket's queue; one that leaves is sent from its place in the queue, as spans. The queue to
 * send is first in, first out: while its first datagram waits for a neighbour, those behind it wait too, for three seconds at most.
 */
#include "stack/udp.h"
#include "base/bytes.h"
#include "base/checksum.h"
#include "stack/net.h"
#include "wire/icmp6_hdr.h"
#include "wire/ip_proto.h"
#include "wire/udp_hdr.h"

enum { RECORD_BYTES = sizeof(struct udp_record), ECHO_IN_HEADER = 2 };        /* an echo's sequence number stands in the ICMP header */

static bool is_echo(const struct udp_sock *u) { return u->flow.protocol == WIRE_PROTO_ICMP4; }
static uint32_t ref_of(const pl_stack *s, uint32_t slot) { return flow_ref(&s->flows, FLOW_UDP, slot); }

/* ------------------------------------------------------------ in ------------------------------------------------------------ */

/* The socket that this packet is for: a slot, or 0. */
static uint32_t find_socket(const pl_stack *s, const struct packet *p, uint8_t protocol, uint16_t local_port, uint16_t remote_port)
{
    struct flow key = {.protocol = protocol, .local_port = local_port, .remote_port = remote_port, .zone = p->dst.zone};
    memcpy(key.local, p->dst.b, 16);
    memcpy(key.remote, p->src.b, 16);
    uint32_t ref = flow_find_bound(&s->flows, &key);
    return ref && flow_kind_of(&s->flows, ref) == FLOW_UDP ? ref - s->flows.first[FLOW_UDP] : 0;
}

bool udp_has_chunks_for(const pl_stack *s, const struct stream *q, uint32_t bytes)
{
    uint32_t room = stream_room(&s->pools.chunks, q);
    return bytes <= room || (bytes - room + s->pools.chunks.chunk_bytes - 1) >> s->pools.chunks.shift <= chunks_spare(&s->pools.chunks);
}

static void append_from_frame(pl_stack *s, struct stream *q, const struct pl_frame *f, uint32_t off, uint32_t n)
{
    for (unsigned k = 0; k < f->nspans && n; k++) {
        uint32_t here = (uint32_t)f->span[k].len;
        if (off >= here) {
            off -= here;
            continue;
        }
        uint32_t piece = here - off < n ? here - off : n;
        stream_append(&s->pools.chunks, q, (const uint8_t *)f->span[k].base + off, piece);
        n -= piece;
        off = 0;
    }
}

static enum pl_drop queue_received(pl_stack *s, uint32_t slot, const struct packet *p, uint16_t port, uint32_t off, uint32_t bytes)
{
    struct udp_sock *u = udp_at(s, slot);
    struct udp_record r = {.zone = p->src.zone, .port = port, .bytes = bytes};
    uint32_t need = RECORD_BYTES + bytes;
    if (u->received.len + need > u->rcvbuf_bytes || !udp_has_chunks_for(s, &u->received, need))
        return PL_DROP_UDP_FULL;
    memcpy(r.remote, p->src.b, 16);
    memcpy(r.local, p->dst.b, 16);
    stream_append(&s->pools.chunks, &u->received, &r, RECORD_BYTES);
    append_from_frame(s, &u->received, p->frame, off, bytes);
    u->received_records++;
    event_post(s, ref_of(s, slot), PL_EV_READABLE);
    return PL_DROP_NONE;
}

static bool sum_ok(const pl_stack *s, const struct packet *p, const struct wire_udp *h)
{
    if (h->sum == 0)
        return p->family == 4;            /* RFC 768: none was computed; RFC 8200 8.1: over IPv6 there must be one */
    if (p->csum_ok)
        return true;
    uint32_t sum = csum_pseudo(p->src.b, p->dst.b, WIRE_PROTO_UDP, h->bytes);
    sum = csum_add(sum, csum_spans(p->frame->span, p->frame->nspans, p->l4_off, h->bytes, s->env->cpu));
    return csum_fold(sum) == 0xffff;
}

static void nobody_listens(pl_stack *s, struct packet *p)
{
    p->drop = PL_DROP_UDP_NO_PORT;
    if (p->family == 4)                   /* RFC 1122 4.1.3.1, RFC 4443 3.1 */
        owed_error(s, p, WIRE_ICMP4_UNREACHABLE, WIRE_ICMP4_PORT, 0, PL_WHY_ICMP_PORT_UNREACHABLE);
    else
        owed_error(s, p, WIRE_ICMP6_UNREACHABLE, WIRE_ICMP6_PORT, 0, PL_WHY_ICMP_PORT_UNREACHABLE);
}

void udp_rx(pl_stack *s, struct packet *p)
{
    struct wire_udp h;
    uint32_t n = p->l4_first_bytes < p->l4_bytes ? p->l4_first_bytes : p->l4_bytes;
    if (!wire_udp_read(p->bytes + p->l4_off, n, &h) || h.bytes < WIRE_UDP_BYTES || h.bytes > p->l4_bytes) {
        p->drop = PL_DROP_UDP_LENGTH;
        return;
    }
    p->src_port = h.src_port, p->dst_port = h.dst_port;
    if (!sum_ok(s, p, &h)) {
        p->drop = PL_DROP_UDP_CHECKSUM;
        return;
    }
    uint32_t slot = find_socket(s, p, WIRE_PROTO_UDP, h.dst_port, h.src_port);
    if (slot == 0) {
        nobody_listens(s, p);
        return;
    }
    p->conn = handle_of(HANDLE_UDP, &s->udps, slot);
    p->cookie = udp_at(s, slot)->cookie;
    p->drop = (uint16_t)queue_received(s, slot, p, h.src_port, p->l4_off + WIRE_UDP_BYTES, h.bytes - (uint32_t)WIRE_UDP_BYTES);
}

enum pl_drop echo_rx(pl_stack *s, struct packet *p, uint16_t ident)
{
    uint32_t slot = find_socket(s, p, WIRE_PROTO_ICMP4, ident, 0);
    if (slot == 0)
        return PL_DROP_ICMP_TYPE;
    p->conn = handle_of(HANDLE_UDP, &s->udps, slot);
    p->cookie = udp_at(s, slot)->cookie;
    return queue_received(s, slot, p, 0, p->l4_off + 6, p->l4_bytes - 6);
}

enum pl_drop udp_rx_icmp(pl_stack *s, const struct flow *quoted, int error)
{
    struct flow key = *quoted;
    uint32_t ref = flow_find_bound(&s->flows, &key);
    if (ref == 0 || flow_kind_of(&s->flows, ref) != FLOW_UDP)
        return PL_DROP_ICMP_QUOTE;
    struct udp_sock *u = flow_at(&s->flows, ref);
    u->error = error;                     /* RFC 1122 4.1.3.3, MUST: passed to the program */
    event_post(s, ref, PL_EV_ERROR);
    return PL_DROP_NONE;
}

/* ------------------------------------------------------------ out ------------------------------------------------------------ */

/* The first datagram leaves the queue. Frames of this pl_tx may point into its chunks: they stay until the next other door. */
static void drop_first(pl_stack *s, struct udp_sock *u, uint32_t n)
{
    uint32_t spent[PL_SPANS + 1], count = 0;
    uint32_t whole = n == u->to_send.len ? u->to_send.count : (u->to_send.head_off + n) >> s->pools.chunks.shift;
    CHECK(whole <= PL_SPANS + 1);         /* a datagram has no more spans than a frame */
    for (uint32_t chunk = u->to_send.head; count < whole; chunk = chunks_next(&s->pools.chunks, chunk))
        spent[count++] = chunk;
    for (uint32_t k = 0; k < count; k++)
        chunks_pin(&s->pools.chunks, spent[k]);
    stream_drop(&s->pools.chunks, &u->to_send, n);
    for (uint32_t k = 0; k < count; k++)
        net_spent_add(s, spent[k]);
    u->to_send_records--;
    u->path_known = false;
}

static void room_again(pl_stack *s, uint32_t slot)
{
    struct udp_sock *u = udp_at(s, slot);
    if (!u->short_of_room)
        return;
    u->short_of_room = false;
    event_post(s, ref_of(s, slot), PL_EV_WRITABLE);
}

static void fail_first(pl_stack *s, uint32_t slot, const struct udp_record *r, int error)
{
    struct udp_sock *u = udp_at(s, slot);
    u->error = error;
    drop_first(s, u, RECORD_BYTES + r->bytes);
    event_post(s, ref_of(s, slot), PL_EV_ERROR);
    room_again(s, slot);
}

static void addrs_of(const struct udp_record *r, struct pl_addr *local, struct pl_addr *remote)
{
    *local = (struct pl_addr){.zone = route_addr_is_link_local6(r->local) ? r->zone : 0};
    *remote = (struct pl_addr){.zone = route_scope_of(r->remote) <= ROUTE_SCOPE_LINK && !wire_addr_is_ip4(r->remote) ? r->zone : 0};
    memcpy(local->b, r->local, 16);
    memcpy(remote->b, r->remote, 16);
}

/* Looks at the first datagram until there is one that has a way: true. Those without are dropped, and the program is told. */
static bool first_has_path(pl_stack *s, uint32_t slot, struct udp_record *r)
{
    struct udp_sock *u = udp_at(s, slot);
    while (u->to_send_records) {
        stream_copy(&s->pools.chunks, &u->to_send, 0, r, RECORD_BYTES);
        struct pl_addr local, remote;
        addrs_of(r, &local, &remote);
        int error = u->path_known ? PL_OK : path_find(s, &remote, &local, &u->path);
        if (error == PL_OK) {
            u->path_known = true;
            return true;
        }
        fail_first(s, slot, r, error);
    }
    return false;
}

void udp_kick(pl_stack *s, uint32_t slot)
{
    struct udp_record r;
    if (first_has_path(s, slot, &r))
        ref_ready(s, ref_of(s, slot), udp_at(s, slot)->path.iface);
}

static void write_transport(pl_stack *s, const struct udp_sock *u, const struct udp_record *r, struct pl_frame *f, unsigned ip)
{
    uint8_t *to = (uint8_t *)f->span[0].base + ip;
    bool ip4 = wire_addr_is_ip4(r->remote);
    bool echo = is_echo(u);
    uint32_t bytes = echo ? r->bytes + WIRE_ICMP_BYTES - ECHO_IN_HEADER : r->bytes + (uint32_t)WIRE_UDP_BYTES;
    unsigned sum_at = echo ? 2 : 6;
    if (echo) {
        wire_icmp_write(to, &(struct wire_icmp){.type = ip4 ? WIRE_ICMP4_ECHO : WIRE_ICMP6_ECHO});
        put_be16(to + 4, u->flow.local_port);
        stream_copy(&s->pools.chunks, (struct stream *)(uintptr_t)&u->to_send, RECORD_BYTES, to + 6, ECHO_IN_HEADER);
    } else {
        wire_udp_write(to, &(struct wire_udp){.src_port = u->flow.local_port, .dst_port = r->port, .bytes = (uint16_t)bytes});
    }
    uint32_t pseudo = csum_pseudo(r->local, r->remote, echo ? WIRE_PROTO_ICMP6 : WIRE_PROTO_UDP, bytes);
    if (!echo && stack_iface(s, u->path.iface)->params.csum_offload) {
        uint16_t partial = csum_fold(pseudo);
        memcpy(to + sum_at, &partial, 2);
        f->flags = PL_F_CSUM_PARTIAL;
        f->csum_start = (uint16_t)ip, f->csum_off = (uint16_t)sum_at;
        return;
    }
    uint32_t sum = csum_spans(f->span, f->nspans, ip, bytes, s->env->cpu);
    if (!echo || !ip4)                    /* ICMP over IPv4 has no pseudo-header */
        sum = csum_add(sum, pseudo);
    csum_store(to + sum_at, sum, !echo);
}

static void write_frame(pl_stack *s, struct udp_sock *u, const struct udp_record *r, struct pl_frame *f)
{
    bool echo = is_echo(u), ip4 = wire_addr_is_ip4(r->remote);
    uint32_t in_header = echo ? ECHO_IN_HEADER : 0, spanned = r->bytes - in_header, covered = 0;
    struct ip_out out = {.local = r->local,
                         .remote = r->remote,
                         .protocol = !echo ? WIRE_PROTO_UDP : ip4 ? WIRE_PROTO_ICMP4 : WIRE_PROTO_ICMP6,
                         /* RFC 1112 6.1: a group's datagram stays on the link unless the program says otherwise */
                         .hop_limit = u->hop_limit ? u->hop_limit : route_addr_is_multicast(r->remote) ? 1 : s->config.hop_limit,
                         .tos = u->tos,
                         .payload_bytes = spanned + 8};             /* both headers have 8 bytes */
    unsigned ip = path_write_headers(s, stack_iface(s, u->path.iface), &u->path, &out, f->span[0].base);
    f->span[0].len = ip + 8;
    f->hdr_len = (uint16_t)(ip + 8);
    f->nspans = 1;
    f->flags = 0;
    f->gso_size = 0, f->gso_segs = 1;
    f->csum_start = f->csum_off = 0;
    f->not_before = 0;
    f->cookie = 0;
    if (spanned)
        f->nspans = (uint8_t)(1 + stream_spans(&s->pools.chunks, &u->to_send, RECORD_BYTES + in_header, spanned, f->span + 1, PL_SPANS - 1, &covered));
    CHECK(covered == spanned);            /* pl_udp_send took only what fits */
    write_transport(s, u, r, f, ip);
}

enum tx_verdict udp_tx(pl_stack *s, uint32_t ref, int iface, struct pl_frame *f)
{
    uint32_t slot = ref - s->flows.first[FLOW_UDP];
    struct udp_sock *u = udp_at(s, slot);
    struct udp_record r;
    for (;;) {
        if (!first_has_path(s, slot, &r)) {
            ref_unqueue(s, ref);
            return TX_NOTHING;
        }
        if (u->path.iface != iface) {
            ref_unqueue(s, ref);
            ref_ready(s, ref, u->path.iface);
            return TX_NOTHING;
        }
        struct pl_addr local, remote;
        addrs_of(&r, &local, &remote);
        int error = path_resolve(s, &remote, &local, &u->path);
        if (error == PL_OK)
            break;
        if (error == PL_EAGAIN) {
            ref_unqueue(s, ref);
            ref_park(s, ref, u->path.neighbor);
            return TX_PARKED;
        }
        fail_first(s, slot, &r, error);
    }
    write_frame(s, u, &r, f);
    struct trace_out told = {.why = is_echo(u) ? PL_WHY_ECHO_REQUEST : PL_WHY_UDP_DATAGRAM,
                             .protocol = !is_echo(u) ? WIRE_PROTO_UDP : wire_addr_is_ip4(r.remote) ? WIRE_PROTO_ICMP4 : WIRE_PROTO_ICMP6,
                             .conn = handle_of(HANDLE_UDP, &s->udps, slot),
                             .cookie = u->cookie};
    addrs_of(&r, &told.local.addr, &told.remote.addr);
    told.local.port = is_echo(u) ? 0 : u->flow.local_port;
    told.remote.port = r.port;
    trace_out(s, iface, f, &told);
    drop_first(s, u, RECORD_BYTES + r.bytes);
    room_again(s, slot);
    return TX_WROTE;
}

/* ------------------------------------------------------------ life ------------------------------------------------------------ */

void udp_close_slot(pl_stack *s, uint32_t slot)
{
    struct udp_sock *u = udp_at(s, slot);
    uint32_t ref = ref_of(s, slot);
    ref_off(s, ref);
    event_drop(s, ref);
    flow_remove(&s->flows, ref);
    stream_free(&s->pools.chunks, &u->received);
    stream_free(&s->pools.chunks, &u->to_send);
    slots_give(&s->udps, slot);
}

/* Called when the interface's addresses are gone already. What waited on it goes another way if there is one; a socket that lost a datagram or
 * its own address is told. */
void udp_iface_gone(pl_stack *s, int iface)
{
    for (uint32_t slot = slots_next(&s->udps, 0); slot; slot = slots_next(&s->udps, slot)) {
        struct udp_sock *u = udp_at(s, slot);
        uint32_t waiting = u->to_send_records;
        if (u->path.iface == iface)
            u->path_known = false;
        ref_unqueue(s, ref_of(s, slot));  /* wherever it waited: it finds its way again */
        udp_kick(s, slot);
        struct pl_addr local = {.zone = u->flow.zone};
        memcpy(local.b, u->flow.local, 16);
        bool bound = !path_is_group(s, &local);      /* unspecified is one, too */
        if (u->to_send_records == waiting && (!bound || path_is_ours(s, &local)))
            continue;
        u->error = PL_ENETDOWN;
        event_post(s, ref_of(s, slot), PL_EV_ERROR);
    }
}

uint32_t udp_ready(const pl_stack *s, uint32_t slot)
{
    const struct udp_sock *u = udp_at(s, slot);
    uint32_t bits = 0;
    if (u->received_records)
        bits |= PL_EV_READABLE;
    if (u->to_send.len < u->sndbuf_bytes)
        bits |= PL_EV_WRITABLE;
    if (u->error)
        bits |= PL_EV_ERROR;
    return bits;
}

int udp_set(pl_stack *s, uint32_t slot, enum pl_option option, int64_t value)
{
    struct udp_sock *u = udp_at(s, slot);
    switch (option) {
    case PL_OPT_SNDBUF:
    case PL_OPT_RCVBUF:
        if (value < 1 || value > (int64_t)1 << 30)
            return PL_EINVAL;
        *(option == PL_OPT_SNDBUF ? &u->sndbuf_bytes : &u->rcvbuf_bytes) = (uint32_t)value;
        return PL_OK;
    case PL_OPT_DSCP:
        if (value < 0 || value > 63)
            return PL_EINVAL;
        u->tos = (uint8_t)(value << 2);
        return PL_OK;
    case PL_OPT_HOP_LIMIT:
        if (value < 1 || value > 255)
            return PL_EINVAL;
        u->hop_limit = (uint8_t)value;
        return PL_OK;
    default:
        return PL_EINVAL;
    }
}

int udp_get(const pl_stack *s, uint32_t slot, enum pl_option option, int64_t *value)
{
    const struct udp_sock *u = udp_at(s, slot);
    switch (option) {
    case PL_OPT_SNDBUF:
        *value = u->sndbuf_bytes;
        return PL_OK;
    case PL_OPT_RCVBUF:
        *value = u->rcvbuf_bytes;
        return PL_OK;
    case PL_OPT_DSCP:
        *value = u->tos >> 2;
        return PL_OK;
    case PL_OPT_HOP_LIMIT:
        *value = u->hop_limit ? u->hop_limit : s->config.hop_limit;
        return PL_OK;
    default:
        return PL_EINVAL;
    }
}
