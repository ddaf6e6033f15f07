/* SPDX-License-Identifier: MIT
 *
 * api_incoming.c: a deferred listener: the program decides on each SYN before it is answered. RFC 9293 3.10.7.2; RFC 792, RFC 4443 3.1.
 *
 * Until then the SYN is a half-open entry that sends nothing (HALF_DEFERRED, tcp_rx.c). Yes makes it an ordinary one, whose SYN-ACK is due.
 */
#include "internet/ip4.h"
#include "internet/ip6.h"
#include "stack/net.h"
#include "wire/icmp6_hdr.h"
#include "wire/tcp_hdr.h"

static struct half_open *incoming_at(const pl_stack *s, uint32_t slot) { return slots_at(&s->half_opens, slot); }

static void tell(struct pl_endpoint *e, const uint8_t addr[16], uint32_t zone, uint16_t port)
{
    if (!e)
        return;
    *e = (struct pl_endpoint){.addr = {.zone = route_addr_is_link_local6(addr) ? zone : 0}, .port = port};
    memcpy(e->addr.b, addr, 16);
}

int pl_incoming_next(pl_stack *s, pl_listener handle, pl_incoming *out, struct pl_endpoint *local, struct pl_endpoint *remote)
{
    uint32_t l_slot = handle_slot(s, handle, HANDLE_LISTENER);
    if (!l_slot || !out)
        return l_slot ? PL_EINVAL : PL_EHANDLE;
    struct listener *l = slots_at(&s->listeners, l_slot);
    if (!l->deferred)
        return PL_EINVAL;
    uint32_t ref = list_pop(&l->incoming, stack_ready_nodes(s));
    if (!ref)
        return PL_EAGAIN;
    uint32_t slot = ref - s->flows.first[FLOW_HALF_OPEN];
    const struct flow *f = &incoming_at(s, slot)->flow;
    *out = handle_of(HANDLE_INCOMING, &s->half_opens, slot);
    tell(local, f->local, f->zone, f->local_port);
    tell(remote, f->remote, f->zone, f->remote_port);
    if (l->incoming.count)
        event_post(s, flow_ref(&s->flows, FLOW_LISTENER, l_slot), PL_EV_INCOMING);
    return PL_OK;
}

/* RFC 9293 3.10.7.2 third, as if the SYN had come now: "<SEQ=ISS><ACK=RCV.NXT><CTL=SYN,ACK>". */
int pl_incoming_accept(pl_stack *s, pl_incoming handle, uint64_t cookie)
{
    uint32_t slot = handle_slot(s, handle, HANDLE_INCOMING);
    if (!slot)
        return PL_EHANDLE;
    struct half_open *h = incoming_at(s, slot);
    struct path path;
    if (path_find_flow(s, &h->flow, &path) != PL_OK)
        return PL_ENETUNREACH;
    uint32_t ref = flow_ref(&s->flows, FLOW_HALF_OPEN, slot);
    h->cookie = cookie;
    h->flags = (uint8_t)((h->flags & ~HALF_DEFERRED) | HALF_SYN_DUE);
    h->resend_at = s->now + s->config.rto_initial;       /* RFC 9293 3.8.3, MUST-22: whether or not the device takes the SYN-ACK */
    ref_deadline(s, ref, h->resend_at);
    ref_unqueue(s, ref);                  /* it may not have been given yet: a handle is as good from pl_entry_next */
    ref_ready(s, ref, path.iface);
    return PL_OK;
}

/* RFC 9293 3.10.7.1: "<SEQ=0><ACK=SEG.SEQ+SEG.LEN><CTL=RST,ACK>". */
static void reset(pl_stack *s, const struct half_open *h)
{
    const struct listener *l = slots_at(&s->listeners, h->listener);
    struct owed_tcp o = {.flow = h->flow, .ack = h->irs + 1, .flags = PL_RST | PL_ACK, .of_connection = true, .why = PL_WHY_RST_DENIED, .tos = l->like.tos,
                         .hop_limit = l->like.hop_limit};
    owed_tcp(s, -1, &o);
}

/* RFC 792: the error quotes the internet header and 64 bits of what follows; RFC 4443 2.4(c): as much as there is. What is left of the SYN is its
 * header without options, and that has all that its sender looks for. */
static void complain(pl_stack *s, const struct half_open *h, enum pl_refusal how)
{
    static const uint8_t code4[] = {[PL_REFUSE_HOST_UNREACHABLE] = WIRE_ICMP4_HOST, [PL_REFUSE_NET_UNREACHABLE] = WIRE_ICMP4_NET,
                                    [PL_REFUSE_PROHIBITED] = WIRE_ICMP4_ADMIN};
    static const uint8_t code6[] = {[PL_REFUSE_HOST_UNREACHABLE] = WIRE_ICMP6_ADDRESS, [PL_REFUSE_NET_UNREACHABLE] = WIRE_ICMP6_NO_ROUTE,
                                    [PL_REFUSE_PROHIBITED] = WIRE_ICMP6_ADMIN};
    uint8_t quote[40 + WIRE_TCP_BYTES];
    const struct flow *f = &h->flow;
    bool ip6 = tcp_ipv6(f);
    unsigned n = ip6 ? ip6_write(quote, &(struct ip6_out){.local = f->remote, .remote = f->local, .protocol = WIRE_PROTO_TCP, .hop_limit = 64,
                                                          .payload_bytes = WIRE_TCP_BYTES})
                     : ip4_write(quote, &(struct ip4_out){.local = f->remote, .remote = f->local, .protocol = WIRE_PROTO_TCP, .hop_limit = 64,
                                                          .dont_fragment = true, .payload_bytes = WIRE_TCP_BYTES});
    wire_tcp_write(quote + n, &(struct wire_tcp){.src_port = f->remote_port, .dst_port = f->local_port, .seq = h->irs, .hdr_bytes = WIRE_TCP_BYTES,
                                                 .flags = PL_SYN, .wnd = h->snd_wnd});
    owed_refusal(s, f, ip6 ? WIRE_ICMP6_UNREACHABLE : WIRE_ICMP4_UNREACHABLE, ip6 ? code6[how] : code4[how], quote, n + WIRE_TCP_BYTES);
}

void incoming_refuse(pl_stack *s, uint32_t slot, enum pl_refusal how, enum pl_reason why)
{
    struct half_open *h = incoming_at(s, slot);
    if (how == PL_REFUSE_RESET)
        reset(s, h);
    else if (how != PL_REFUSE_SILENTLY)
        complain(s, h, how);
    h->flags &= (uint8_t)~HALF_DEFERRED;  /* decided: nothing to be told of */
    half_open_end(s, slot, why);
}

int pl_incoming_refuse(pl_stack *s, pl_incoming handle, enum pl_refusal how)
{
    uint32_t slot = handle_slot(s, handle, HANDLE_INCOMING);
    if (!slot)
        return PL_EHANDLE;
    if ((unsigned)how > PL_REFUSE_SILENTLY)
        return PL_EINVAL;
    incoming_refuse(s, slot, how, PL_WHY_CALL_REFUSE);
    return PL_OK;
}
