/* SPDX-License-Identifier: MIT
 *
 * neighbors.c: the table of neighbours, what the state machine of link/neighbor.h asks for, and the ARP and ND messages that move it.
 *
 * The table is found through the stack's keyed table of flows, so a look-up costs the same with ten neighbours and with ten thousand. A full
 * table makes room by letting the least needed of a few entries go.
 */
#include "internet/ip6.h"
#include "internet/ndp.h"
#include "link/arp.h"
#include "link/ethernet.h"
#include "stack/net.h"
#include "stack/rx.h"
#include "wire/eth_hdr.h"
#include "wire/ip_proto.h"

enum { EVICT_LOOK = 16 };                 /* entries looked at to make room: bounds the work that a stranger's ARP can cause */

static void key_of(struct flow *key, int iface, const uint8_t addr[16])
{
    *key = (struct flow){.zone = (uint32_t)iface + 1, .protocol = FLOW_PROTOCOL_NEIGHBOR, .kind = FLOW_NEIGHBOR};
    memcpy(key->remote, addr, 16);
}

static uint32_t ref_of(const pl_stack *s, uint32_t slot) { return flow_ref(&s->flows, FLOW_NEIGHBOR, slot); }

uint32_t neighbor_find(const pl_stack *s, int iface, const uint8_t addr[16])
{
    struct flow key;
    key_of(&key, iface, addr);
    uint32_t ref = flow_find(&s->flows, &key);
    return ref ? ref - s->flows.first[FLOW_NEIGHBOR] : 0;
}

static bool make_room(pl_stack *s, uint32_t from)
{
    uint32_t best = 0, capacity = s->neighbors.capacity;
    unsigned best_spare = 0;
    for (uint32_t k = 0; k < EVICT_LOOK && k < capacity; k++) {
        uint32_t slot = (from + k) % capacity + 1;
        if (!slots_live(&s->neighbors, slot))
            continue;
        const struct neighbor *n = neighbor_at(s, slot);
        unsigned spare = n->parked.count ? 0 : nud_spare(&n->nud, s->now);
        bool older = best && spare == best_spare && n->nud.used < neighbor_at(s, best)->nud.used;
        if (spare > best_spare || (spare && older))
            best = slot, best_spare = spare;
    }
    if (best)
        neighbor_remove(s, best);
    return best != 0;
}

uint32_t neighbor_make(pl_stack *s, int iface, const uint8_t addr[16])
{
    uint32_t slot = neighbor_find(s, iface, addr);
    if (slot)
        return slot;
    struct flow key;
    key_of(&key, iface, addr);
    uint32_t spread = flow_hash(&s->flows, &key);
    slot = slots_take(&s->neighbors);
    if (slot == 0 && make_room(s, spread))
        slot = slots_take(&s->neighbors);
    if (slot == 0)
        return 0;
    struct neighbor *n = neighbor_at(s, slot);
    n->flow = key;
    n->iface = iface;
    nud_init(&n->nud, spread);
    n->nud.used = s->now;
    flow_insert(&s->flows, ref_of(s, slot));
    return slot;
}

void neighbor_remove(pl_stack *s, uint32_t slot)
{
    struct neighbor *n = neighbor_at(s, slot);
    uint32_t ref = ref_of(s, slot);
    int iface = n->iface;
    refs_requeue(s, &n->parked, iface);   /* each will look for its next hop again */
    owed_wake(s, iface, slot);
    flow_remove(&s->flows, ref);
    wheel_clear(&s->wheel, ref);
    slots_give(&s->neighbors, slot);
}

/* Everything that waits is told, and may go on to fail or to try another way. */
static void give_up(pl_stack *s, struct neighbor *n, uint32_t slot)
{
    for (uint32_t k = n->parked.count; k && n->parked.head; k--) {
        uint32_t ref = n->parked.head;
        ref_unqueue(s, ref);
        ref_ready(s, ref, n->iface);
        if (flow_kind_of(&s->flows, ref) != FLOW_UDP)
            tcp_neighbor_failed(s, ref);
    }
    owed_wake(s, n->iface, slot);
}

static void ask(pl_stack *s, const struct neighbor *n, bool unicast)
{
    const uint8_t *target = n->flow.remote, *mac = unicast ? n->nud.mac : NULL;
    uint32_t source = route_source(&s->addrs, n->iface, target);
    if (source == 0) {
        trace_drop(s, n->iface, PL_DROP_NO_ROUTE);
        return;
    }
    const uint8_t *local = ((const struct addr_entry *)slots_at(&s->addrs, source))->addr;
    if (wire_addr_is_ip4(target))
        owed_arp(s, n->iface, WIRE_ARP_REQUEST, mac, local, target);
    else
        owed_nd_solicit(s, n->iface, mac, local, target);
}

void neighbor_acts(pl_stack *s, uint32_t slot, enum nud_act act)
{
    struct neighbor *n = neighbor_at(s, slot);
    switch (act) {
    case NUD_NOTHING:
        break;
    case NUD_ASK:
    case NUD_ASK_UNICAST:
        ask(s, n, act == NUD_ASK_UNICAST);
        break;
    case NUD_RESOLVED:
        refs_requeue(s, &n->parked, n->iface);
        owed_wake(s, n->iface, slot);
        break;
    case NUD_GIVE_UP:
        give_up(s, n, slot);
        break;
    case NUD_REMOVE:
        neighbor_remove(s, slot);
        return;
    }
    if (n->nud.when != PL_NEVER)
        ref_deadline(s, ref_of(s, slot), n->nud.when);
}

void neighbor_fires(pl_stack *s, uint32_t slot)
{
    if (slots_live(&s->neighbors, slot))
        neighbor_acts(s, slot, nud_fires(&neighbor_at(s, slot)->nud, s->now));
}

void neighbors_iface_gone(pl_stack *s, int iface)
{
    for (uint32_t slot = slots_next(&s->neighbors, 0); slot; slot = slots_next(&s->neighbors, slot))
        if (neighbor_at(s, slot)->iface == iface)
            neighbor_remove(s, slot);
}

/* The station named its own link address while asking for ours: it will be answered, so it is worth remembering (RFC 826, RFC 4861 7.2.3). */
static void heard(pl_stack *s, int iface, const uint8_t addr[16], const uint8_t mac[6])
{
    uint32_t slot = neighbor_make(s, iface, addr);
    if (slot)
        neighbor_acts(s, slot, nud_heard(&neighbor_at(s, slot)->nud, mac, s->now));
}

static bool can_be_host_on_link(const pl_stack *s, int iface, const uint8_t addr[16])
{
    return !route_addr_is_martian_source(addr) && route_addr_on_link(&s->addrs, iface, addr) &&
           !route_addr_is_directed_broadcast(&s->addrs, iface, addr);
}

enum pl_drop arp_rx(pl_stack *s, struct packet *p, const struct iface *i)
{
    struct wire_arp a;
    if (!wire_arp_read(p->bytes + WIRE_ETH_BYTES, p->contiguous - WIRE_ETH_BYTES, &a))
        return PL_DROP_ARP_MALFORMED;
    memcpy(p->src.b, a.sender, 16);
    memcpy(p->dst.b, a.target, 16);
    uint32_t slot = neighbor_find(s, p->iface, a.sender);
    struct nud *n = slot ? &neighbor_at(s, slot)->nud : NULL;
    struct arp_facts facts = {
        .our_mac = i->params.mac,
        .target_is_ours = route_addr_find(&s->addrs, p->iface, a.target, 0) != 0,
        .sender_is_ours = route_addr_find(&s->addrs, p->iface, a.sender, 0) != 0,
        .sender_on_link = can_be_host_on_link(s, p->iface, a.sender),
        .asked = n && (n->state == NUD_INCOMPLETE || n->state == NUD_PROBE || n->state == NUD_FAILED),
    };
    struct arp_verdict v = arp_judge(&a, &facts);
    if (v.heard)
        heard(s, p->iface, a.sender, a.sender_hw);
    if (v.answered)
        neighbor_acts(s, slot, nud_answered(n, a.sender_hw, true, true, s->now));
    if (v.answer)
        owed_arp(s, p->iface, WIRE_ARP_REPLY, a.sender_hw, a.target, a.sender);
    return v.drop;
}

static enum pl_drop solicitation_rx(pl_stack *s, const struct packet *p, const struct nd_in *in)
{
    static const uint8_t all_nodes[16] = {0xff, 0x02, [15] = 0x01};
    if (!route_addr_find(&s->addrs, p->iface, in->target, 0))
        return PL_DROP_ND_NOT_FOR_US;
    if (route_addr_is_zero(p->src.b)) {
        /* RFC 4861 7.2.4, RFC 4862 5.4.3: somebody is about to take our address; all nodes are told that it is taken */
        uint8_t group[6];
        wire_eth_multicast(group, all_nodes);
        owed_nd_advertise(s, p->iface, group, in->target, all_nodes, false);
        return PL_DROP_NONE;
    }
    const uint8_t *from = p->bytes + WIRE_ETH_ADDR_BYTES;
    if (in->hw && can_be_host_on_link(s, p->iface, p->src.b))
        heard(s, p->iface, p->src.b, in->hw);
    owed_nd_advertise(s, p->iface, in->hw ? in->hw : from, in->target, p->src.b, true);
    return PL_DROP_NONE;
}

enum pl_drop nd_rx(pl_stack *s, struct packet *p, const struct iface *i)
{
    struct nd_in in;
    if (i->params.link != PL_LINK_ETHERNET)
        return PL_DROP_ICMP_TYPE;         /* no link addresses here, so nothing to discover */
    if (p->l4_first_bytes < p->l4_bytes)
        return PL_DROP_ND_INVALID;        /* longer than any such message needs to be */
    enum pl_drop drop = ndp_judge(p->bytes + p->l4_off, p->l4_bytes, p->src.b, p->dst.b, p->hop_limit, &in);
    if (drop)
        return drop;
    if (in.solicitation)
        return solicitation_rx(s, p, &in);
    if (route_addr_find(&s->addrs, p->iface, in.target, 0))
        return PL_DROP_ARP_CONFLICT;
    uint32_t slot = neighbor_find(s, p->iface, in.target);
    if (slot == 0)
        return PL_DROP_ND_UNASKED;        /* RFC 4861 7.2.5: no entry, no interest */
    struct nud *n = &neighbor_at(s, slot)->nud;
    neighbor_acts(s, slot, nud_answered(n, in.hw, in.solicited, in.override, s->now));
    return PL_DROP_NONE;
}
