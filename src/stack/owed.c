/* SPDX-License-Identifier: MIT
 *
 * owed.c: replies that belong to no connection: RST, ARP and ND, echo replies, ICMP errors.
 *
 * What arrives only records what is owed: a descriptor in the ring of the interface through which the reply will go, with its text, if it has
 * any, in a chain of chunks. pl_tx later writes the frame (owed_tx). A descriptor whose next hop is not resolved yet stays in the ring and is
 * passed over until the neighbour is known. Nothing here grows: a full ring is a counted drop, and a quarter of it is kept for ARP and ND,
 * without which the others could not go.
 */
#include "stack/owed.h"
#include "base/checksum.h"
#include "internet/icmp4.h"
#include "internet/ip6.h"
#include "internet/ndp.h"
#include "link/ethernet.h"
#include "stack/net.h"
#include "transport/tcp/models/options.h"
#include "wire/arp_hdr.h"
#include "wire/eth_hdr.h"
#include "wire/icmp6_hdr.h"
#include "wire/ip4_hdr.h"
#include "wire/tcp_hdr.h"

enum {
    ERRORS_PER_S = 100, ERRORS_BURST = 50,                          /* RFC 4443 2.4(f), RFC 1812 4.3.2.8 */
    RSTS_PER_S = 1000, RSTS_BURST = 500,
};

static struct owed *ring_of(const pl_stack *s, int iface)
{
    return (struct owed *)stack_at(s, s->owed) + (size_t)iface * s->config.owed_max;
}

static struct owed *ring_at(const pl_stack *s, int iface, const struct iface *i, uint32_t k)
{
    return ring_of(s, iface) + ((i->owed_head + k) & (s->config.owed_max - 1));
}

/* A token bucket, kept as the time at which it would be full again: `burst` at once, then `per_s`. */
static bool allowed(pl_time *full_at, pl_time now, uint32_t per_s, uint32_t burst)
{
    pl_time each = PL_S / per_s;
    if (*full_at < now)
        *full_at = now;
    if (*full_at - now > each * (burst - 1))
        return false;
    *full_at += each;
    return true;
}

static bool is_link_kind(enum owed_kind kind) { return kind == OWED_ARP || kind == OWED_ND; }

static struct owed *push(pl_stack *s, int iface, enum owed_kind kind)
{
    struct iface *i = stack_iface(s, iface);
    uint32_t room = s->config.owed_max;
    if (!is_link_kind(kind))
        room -= room / 4;
    if (i == NULL || i->owed_count >= room) {
        trace_drop(s, iface, PL_DROP_OWED_FULL);
        return NULL;
    }
    struct owed *e = ring_at(s, iface, i, i->owed_count++);
    memset(e, 0, sizeof *e);
    e->kind = (uint8_t)kind;
    return e;
}

/* Takes entry k out of the ring; those in front of it move up by one. */
static void take_out(pl_stack *s, int iface, struct iface *i, uint32_t k)
{
    for (; k; k--)
        *ring_at(s, iface, i, k) = *ring_at(s, iface, i, k - 1);
    memset(ring_at(s, iface, i, 0), 0, sizeof(struct owed));
    i->owed_head++;
    i->owed_count--;
}

static void give_text(pl_stack *s, const struct owed *e, bool handed_out)
{
    for (uint32_t chunk = e->text_head, next; chunk; chunk = next) {
        next = chunks_next(&s->pools.chunks, chunk);
        if (handed_out)
            net_spend(s, chunk);
        else
            chunks_give(&s->pools.chunks, chunk);
    }
}

/* Copies bytes [off, off + n) of a frame into chunks. False: the pool has not enough of them. */
static bool keep_text(pl_stack *s, struct owed *e, const struct pl_frame *f, uint32_t off, uint32_t n)
{
    struct stream text = {0};
    for (unsigned k = 0; k < f->nspans && text.len < n; k++) {
        uint32_t here = (uint32_t)f->span[k].len, left = n - text.len;
        if (off >= here) {
            off -= here;
            continue;
        }
        uint32_t piece = here - off < left ? here - off : left;
        if (stream_append(&s->pools.chunks, &text, (const uint8_t *)f->span[k].base + off, piece) < piece)
            break;
        off = 0;
    }
    if (text.len < n) {
        stream_free(&s->pools.chunks, &text);
        return false;
    }
    e->text_head = text.head;
    e->text_bytes = n;
    return true;
}

/* Finds the way of a reply and a place for it. NULL: counted. */
static struct owed *push_on(pl_stack *s, enum owed_kind kind, const struct path *on, const uint8_t local[16], const struct pl_addr *remote);

static struct owed *push_ip(pl_stack *s, int iface, enum owed_kind kind, struct pl_addr *local, const struct pl_addr *remote)
{
    struct path path;
    if (path_is_group(s, remote) || path_find(s, remote, local, &path) != PL_OK) {
        trace_drop(s, iface, PL_DROP_NO_ROUTE);
        return NULL;
    }
    return push_on(s, kind, &path, local->b, remote);
}

/* In the name of a record, whose local address may be no address of ours. */
static struct owed *push_flow(pl_stack *s, int iface, enum owed_kind kind, const struct flow *f)
{
    struct path path;
    struct pl_addr remote = {.zone = f->zone};
    memcpy(remote.b, f->remote, 16);
    if (path_is_group(s, &remote) || path_find_flow(s, f, &path) != PL_OK) {
        trace_drop(s, iface, PL_DROP_NO_ROUTE);
        return NULL;
    }
    return push_on(s, kind, &path, f->local, &remote);
}

static struct owed *push_on(pl_stack *s, enum owed_kind kind, const struct path *on, const uint8_t local[16], const struct pl_addr *remote)
{
    struct path path = *on;
    struct owed *e = push(s, path.iface, kind);
    if (e == NULL)
        return NULL;
    e->path = path;
    e->zone = remote->zone;
    e->hop_limit = s->config.hop_limit;
    memcpy(e->local, local, 16);
    memcpy(e->remote, remote->b, 16);
    return e;
}

/* Undoes the push that came last. */
static void unpush(pl_stack *s, const struct owed *e)
{
    struct iface *i = stack_iface(s, e->path.iface);
    i->owed_count--;
    memset(ring_at(s, e->path.iface, i, i->owed_count), 0, sizeof *e);
}

void owed_tcp(pl_stack *s, int iface, const struct owed_tcp *o)
{
    struct iface *i = stack_iface(s, iface);
    if (i && (o->flags & PL_RST) && !o->of_connection && !allowed(&i->rst_limit, s->now, RSTS_PER_S, RSTS_BURST)) {
        trace_drop(s, iface, PL_DROP_OWED_LIMIT);
        return;
    }
    struct owed *e = push_flow(s, iface, OWED_TCP, &o->flow);
    if (e == NULL)
        return;
    e->protocol = WIRE_PROTO_TCP;
    e->tos = o->tos;
    if (o->hop_limit)
        e->hop_limit = o->hop_limit;
    e->code = o->flags;
    e->why = o->why;
    e->local_port = o->flow.local_port, e->remote_port = o->flow.remote_port;
    e->u.word[0] = o->seq, e->u.word[1] = o->ack;
    e->type = o->opts, e->nd_flags = o->wscale;
    e->wnd = o->wnd;
    e->u.word[2] = o->ts_val, e->u.word[3] = o->ts_ecr;
}

void owed_arp(pl_stack *s, int iface, uint16_t op, const uint8_t *mac, const uint8_t sender[16], const uint8_t target[16])
{
    struct owed *e = push(s, iface, OWED_ARP);
    if (e == NULL)
        return;
    e->type = (uint8_t)op;
    e->why = op == WIRE_ARP_REQUEST ? PL_WHY_ARP_REQUEST : PL_WHY_ARP_REPLY;
    memcpy(e->mac, mac ? mac : ethernet_broadcast, 6);
    memcpy(e->local, sender, 16);
    memcpy(e->remote, target, 16);
}

static struct owed *push_nd(pl_stack *s, int iface, const uint8_t mac[6], const uint8_t local[16], const uint8_t remote[16],
                            const uint8_t target[16])
{
    struct owed *e = push(s, iface, OWED_ND);
    if (e == NULL)
        return NULL;
    e->protocol = WIRE_PROTO_ICMP6;
    e->hop_limit = 255;
    memcpy(e->mac, mac, 6);
    memcpy(e->local, local, 16);
    memcpy(e->remote, remote, 16);
    memcpy(e->u.target, target, 16);
    return e;
}

void owed_nd_solicit(pl_stack *s, int iface, const uint8_t *mac, const uint8_t local[16], const uint8_t target[16])
{
    uint8_t group[16], group_mac[6];
    ip6_solicited_node(group, target);
    wire_eth_multicast(group_mac, group);
    struct owed *e = push_nd(s, iface, mac ? mac : group_mac, local, mac ? target : group, target);
    if (e == NULL)
        return;
    e->type = WIRE_ICMP6_NEIGHBOR_SOLICIT;
    e->why = PL_WHY_ND_SOLICIT;
}

void owed_nd_advertise(pl_stack *s, int iface, const uint8_t mac[6], const uint8_t target[16], const uint8_t remote[16], bool solicited)
{
    struct owed *e = push_nd(s, iface, mac, target, remote, target);
    if (e == NULL)
        return;
    e->type = WIRE_ICMP6_NEIGHBOR_ADVERT;
    e->nd_flags = solicited ? OWED_ND_SOLICITED : 0;
    e->why = PL_WHY_ND_ADVERTISE;
}

static struct owed *push_icmp(pl_stack *s, const struct packet *p, enum owed_kind kind, uint8_t type, uint8_t code)
{
    struct pl_addr local = p->dst;
    if (path_is_group(s, &local))
        local = (struct pl_addr){.zone = 0};                        /* an answer comes from one of us, not from a group */
    struct owed *e = push_ip(s, p->iface, kind, &local, &p->src);
    if (e == NULL)
        return NULL;
    e->protocol = p->family == 4 ? WIRE_PROTO_ICMP4 : WIRE_PROTO_ICMP6;
    e->type = type;
    e->code = code;
    return e;
}

static uint32_t ip_hdr_bytes(uint8_t family) { return family == 4 ? 20 : 40; }

/* The text must fit into the spans of one frame, and the reply into one packet. */
static bool fits(const pl_stack *s, const struct owed *e, uint8_t family, uint32_t text_bytes)
{
    return text_bytes <= (uint32_t)(PL_SPANS - 1) << s->pools.chunks.shift && ip_hdr_bytes(family) + WIRE_ICMP_BYTES + text_bytes <= e->path.mtu;
}

enum pl_drop owed_echo(pl_stack *s, const struct packet *p)
{
    struct owed *e = push_icmp(s, p, OWED_ECHO, p->family == 4 ? WIRE_ICMP4_ECHO_REPLY : WIRE_ICMP6_ECHO_REPLY, 0);
    if (e == NULL)
        return PL_DROP_NONE;              /* counted by what stood in its way */
    uint32_t text_bytes = p->l4_bytes - WIRE_ICMP_BYTES;
    enum pl_drop drop = PL_DROP_NONE;
    if (!fits(s, e, p->family, text_bytes))
        drop = PL_DROP_OWED_TOO_BIG;
    else if (!keep_text(s, e, p->frame, p->l4_off + WIRE_ICMP_BYTES, text_bytes))
        drop = PL_DROP_OWED_NO_CHUNK;
    if (drop) {
        unpush(s, e);
        return drop;
    }
    e->tos = p->tos & 0xfc;               /* the DSCP of the request (RFC 1122 3.2.2.6); ECN is not echoed */
    e->why = PL_WHY_ECHO_REPLY;
    e->u.word[0] = get_be32(p->bytes + p->l4_off + 4);
    return PL_DROP_NONE;
}

/* RFC 1122 3.2.2: not about ICMP errors, not about what was sent to a group; fragments and impossible sources never get here. */
static bool may_complain(const struct packet *p)
{
    if (p->to_group)
        return false;
    if (p->family == 4 && p->protocol == WIRE_PROTO_ICMP4)
        return p->l4_first_bytes && icmp4_may_be_complained_of(p->bytes[p->l4_off]);
    return !route_addr_is_zero(p->src.b);
}

void owed_error(pl_stack *s, const struct packet *p, uint8_t type, uint8_t code, uint32_t word, enum pl_reason why)
{
    struct iface *i = stack_iface(s, p->iface);
    if (!may_complain(p))
        return;
    if (!allowed(&i->error_limit, s->now, ERRORS_PER_S, ERRORS_BURST)) {
        trace_drop(s, p->iface, PL_DROP_OWED_LIMIT);
        return;
    }
    struct owed *e = push_icmp(s, p, OWED_ERROR, type, code);
    if (e == NULL)
        return;
    uint32_t quote = p->l4_off ? p->l4_off - p->ip_off + p->l4_bytes : p->frame_bytes - p->ip_off;
    uint32_t most = p->family == 4 ? ICMP4_QUOTE_MAX : ICMP6_QUOTE_MAX;
    if (quote > most)
        quote = most;
    if (!fits(s, e, p->family, quote) || !keep_text(s, e, p->frame, p->ip_off, quote)) {
        unpush(s, e);
        trace_drop(s, p->iface, PL_DROP_OWED_NO_CHUNK);
        return;
    }
    e->why = (uint16_t)why;
    e->u.word[0] = word;
}

void owed_refusal(pl_stack *s, const struct flow *f, uint8_t type, uint8_t code, const uint8_t *quote, uint32_t n)
{
    struct path path;
    int32_t iface = path_find_flow(s, f, &path) == PL_OK ? path.iface : -1;
    struct iface *i = stack_iface(s, iface);
    if (i == NULL) {
        trace_drop(s, iface, PL_DROP_NO_ROUTE);
        return;
    }
    if (!allowed(&i->error_limit, s->now, ERRORS_PER_S, ERRORS_BURST)) {
        trace_drop(s, iface, PL_DROP_OWED_LIMIT);
        return;
    }
    struct owed *e = push_flow(s, iface, OWED_ERROR, f);
    if (e == NULL)
        return;
    uint32_t source = f->foreign ? route_source(&s->addrs, iface, f->remote) : 0;
    if (source)                           /* RFC 1812 4.3.2.4: from an address of the host that says it, if it has one there */
        memcpy(e->local, ((const struct addr_entry *)slots_at(&s->addrs, source))->addr, 16);
    struct pl_frame frame = {.span = {{(void *)(uintptr_t)quote, n}}, .nspans = 1};
    if (!keep_text(s, e, &frame, 0, n)) {
        unpush(s, e);
        trace_drop(s, iface, PL_DROP_OWED_NO_CHUNK);
        return;
    }
    e->protocol = wire_addr_is_ip4(f->remote) ? WIRE_PROTO_ICMP4 : WIRE_PROTO_ICMP6;
    e->type = type;
    e->code = code;
    e->why = PL_WHY_ICMP_REFUSAL;
}

void owed_wake(pl_stack *s, int iface, uint32_t neighbor)
{
    const struct iface *i = stack_iface(s, iface);
    for (uint32_t k = 0; i && k < i->owed_count; k++) {
        struct owed *e = ring_at(s, iface, i, k);
        if (e->path.neighbor == neighbor)
            e->waiting = 0;
    }
}

void owed_clear(pl_stack *s, int iface)
{
    struct iface *i = stack_iface(s, iface);
    while (i && i->owed_count) {
        give_text(s, ring_at(s, iface, i, 0), false);
        take_out(s, iface, i, 0);
    }
}

bool owed_pending(const pl_stack *s, int iface)
{
    const struct iface *i = stack_iface(s, iface);
    for (uint32_t k = 0; i && k < i->owed_count; k++)
        if (!ring_at(s, iface, i, k)->waiting)
            return true;
    return false;
}

/* ------------------------------------------------------------ writing ------------------------------------------------------------ */

static void frame_is(struct pl_frame *f, unsigned hdr_bytes)
{
    f->span[0].len = hdr_bytes;
    f->nspans = 1;
    f->flags = 0;
    f->gso_size = 0, f->gso_segs = 1;
    f->csum_start = f->csum_off = 0;
    f->hdr_len = (uint16_t)hdr_bytes;
    f->not_before = 0;
    f->cookie = 0;
}

static void write_arp(const struct iface *i, const struct owed *e, struct pl_frame *f)
{
    uint8_t *to = f->span[0].base;
    struct wire_eth eth = {.type = WIRE_ETH_ARP};
    memcpy(eth.dst, e->mac, 6);
    memcpy(eth.src, i->params.mac, 6);
    wire_eth_write(to, &eth);
    struct wire_arp a = {.op = e->type};
    memcpy(a.sender_hw, i->params.mac, 6);
    if (e->type == WIRE_ARP_REPLY)
        memcpy(a.target_hw, e->mac, 6);
    memcpy(a.sender, e->local, 16);
    memcpy(a.target, e->remote, 16);
    wire_arp_write(to + WIRE_ETH_BYTES, &a);
    frame_is(f, WIRE_ETH_BYTES + WIRE_ARP_BYTES);
}

static void write_nd(const struct iface *i, const struct owed *e, struct pl_frame *f)
{
    uint8_t *to = f->span[0].base, *nd = to + WIRE_ETH_BYTES + 40;
    struct wire_eth eth = {.type = WIRE_ETH_IP6};
    memcpy(eth.dst, e->mac, 6);
    memcpy(eth.src, i->params.mac, 6);
    wire_eth_write(to, &eth);
    unsigned n = e->type == WIRE_ICMP6_NEIGHBOR_SOLICIT ? ndp_solicit_write(nd, e->u.target, i->params.mac)
                                                        : ndp_advertise_write(nd, e->u.target, i->params.mac, e->nd_flags & OWED_ND_SOLICITED);
    ip6_write(to + WIRE_ETH_BYTES, &(struct ip6_out){.local = e->local, .remote = e->remote, .protocol = WIRE_PROTO_ICMP6,
                                                     .hop_limit = 255, .payload_bytes = n});
    uint32_t sum = csum_add(csum_pseudo(e->local, e->remote, WIRE_PROTO_ICMP6, n), csum_bytes(nd, n, 0));
    csum_store(nd + 2, sum, false);
    frame_is(f, WIRE_ETH_BYTES + 40 + n);
}

static unsigned write_ip(pl_stack *s, const struct owed *e, uint32_t payload_bytes, uint8_t *to)
{
    struct ip_out out = {.local = e->local, .remote = e->remote, .protocol = e->protocol, .hop_limit = e->hop_limit, .tos = e->tos,
                         .dont_fragment = e->kind == OWED_TCP, .payload_bytes = payload_bytes};
    return path_write_headers(s, stack_iface(s, e->path.iface), &e->path, &out, to);
}

static void write_icmp(pl_stack *s, const struct owed *e, struct pl_frame *f)
{
    uint32_t bytes = WIRE_ICMP_BYTES + e->text_bytes;
    unsigned ip = write_ip(s, e, bytes, f->span[0].base);
    uint8_t *icmp = (uint8_t *)f->span[0].base + ip;
    wire_icmp_write(icmp, &(struct wire_icmp){.type = e->type, .code = e->code, .word = e->u.word[0]});
    frame_is(f, ip + WIRE_ICMP_BYTES);
    uint32_t covered;
    if (e->text_bytes)
        f->nspans = (uint8_t)(1 + stream_spans_at(&s->pools.chunks, (struct stream_at){e->text_head, 0}, e->text_bytes, f->span + 1, PL_SPANS - 1,
                                                  &covered));
    uint32_t sum = csum_spans(f->span, f->nspans, ip, bytes, s->env->cpu);
    if (e->protocol == WIRE_PROTO_ICMP6)
        sum = csum_add(sum, csum_pseudo(e->local, e->remote, WIRE_PROTO_ICMP6, bytes));
    csum_store(icmp + 2, sum, false);
}

static void write_tcp(pl_stack *s, const struct iface *i, const struct owed *e, struct pl_frame *f, struct pl_trace_segment *seg)
{
    struct wire_tcp_opts opts = {.have = e->type, .wscale = e->nd_flags, .ts_val = e->u.word[2], .ts_ecr = e->u.word[3]};
    uint8_t options[40];
    opts.mss = options_mss_to_announce(e->path.mtu, !wire_addr_is_ip4(e->local));
    unsigned option_bytes = e->type ? wire_tcp_opts_write(options, &opts) : 0, header = WIRE_TCP_BYTES + option_bytes;
    unsigned ip = write_ip(s, e, header, f->span[0].base);
    uint8_t *tcp = (uint8_t *)f->span[0].base + ip;
    wire_tcp_write(tcp, &(struct wire_tcp){.src_port = e->local_port, .dst_port = e->remote_port, .seq = e->u.word[0], .ack = e->u.word[1],
                                           .hdr_bytes = (uint8_t)header, .flags = e->code, .wnd = e->wnd});
    memcpy(tcp + WIRE_TCP_BYTES, options, option_bytes);
    frame_is(f, ip + header);
    uint32_t sum = csum_pseudo(e->local, e->remote, WIRE_PROTO_TCP, header);
    if (i->params.csum_offload) {
        uint16_t partial = csum_fold(sum);
        memcpy(tcp + 16, &partial, 2);
        f->flags = PL_F_CSUM_PARTIAL;
        f->csum_start = (uint16_t)ip, f->csum_off = 16;
    } else {
        csum_store(tcp + 16, csum_add(sum, csum_bytes(tcp, header, s->env->cpu)), false);
    }
    *seg = (struct pl_trace_segment){.seq = e->u.word[0], .ack = e->u.word[1], .flags = e->code, .segs = 1, .wnd = e->wnd, .wnd_raw = e->wnd, .opts = e->type,
                                     .mss = opts.mss, .wscale = opts.wscale, .ts_val = opts.ts_val, .ts_ecr = opts.ts_ecr};
}

static void write_frame(pl_stack *s, int iface, const struct iface *i, const struct owed *e, struct pl_frame *f)
{
    struct pl_trace_segment seg;
    struct trace_out told = {.why = e->why, .protocol = e->protocol, .seg = NULL};
    memcpy(told.local.addr.b, e->local, 16);
    memcpy(told.remote.addr.b, e->remote, 16);
    told.local.port = e->local_port, told.remote.port = e->remote_port;
    switch ((enum owed_kind)e->kind) {
    case OWED_ARP:
        write_arp(i, e, f);
        break;
    case OWED_ND:
        write_nd(i, e, f);
        break;
    case OWED_TCP:
        write_tcp(s, i, e, f, &seg);
        told.seg = &seg;
        break;
    default:
        write_icmp(s, e, f);
        break;
    }
    trace_out(s, iface, f, &told);
}

/* May entry e go now? PL_EAGAIN: it waits for its next hop. */
static int resolve(pl_stack *s, struct owed *e)
{
    if (is_link_kind((enum owed_kind)e->kind))
        return PL_OK;
    struct pl_addr local = {.zone = e->zone}, remote = {.zone = e->zone};
    memcpy(local.b, e->local, 16);
    memcpy(remote.b, e->remote, 16);
    return path_resolve(s, &remote, &local, &e->path);
}

bool owed_tx(pl_stack *s, int iface, struct pl_frame *f)
{
    struct iface *i = stack_iface(s, iface);
    for (uint32_t k = 0; i && k < i->owed_count;) {
        struct owed *e = ring_at(s, iface, i, k);
        int wait = e->waiting ? PL_EAGAIN : resolve(s, e);
        if (wait == PL_EAGAIN) {
            e->waiting = 1;
            k++;
            continue;
        }
        if (wait == PL_OK)
            write_frame(s, iface, i, e, f);
        else
            trace_drop(s, iface, PL_DROP_NEIGHBOR_FAILED);
        give_text(s, e, wait == PL_OK);
        take_out(s, iface, i, k);
        if (wait == PL_OK)
            return true;
    }
    return false;
}
