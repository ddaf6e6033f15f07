/* SPDX-License-Identifier: MIT
 *
 * arp.c: RFC 826 "Packet Reception", as a disposition.
 */
#include "link/arp.h"
#include "link/ethernet.h"
#include <string.h>

static bool is_any(const uint8_t addr[16]) { return (addr[12] | addr[13] | addr[14] | addr[15]) == 0; }

static struct arp_verdict dropped(enum pl_drop drop) { return (struct arp_verdict){.drop = drop}; }

struct arp_verdict arp_judge(const struct wire_arp *a, const struct arp_facts *f)
{
    if (a->op != WIRE_ARP_REQUEST && a->op != WIRE_ARP_REPLY)       /* RARP and others were never part of it: threats V23 */
        return dropped(PL_DROP_ARP_MALFORMED);
    if (!ethernet_is_station(a->sender_hw))
        return dropped(PL_DROP_ARP_MALFORMED);
    /* RFC 5227 2.4: another station uses our address. It is told to nobody but the program, which may choose another */
    if (f->sender_is_ours)
        return dropped(memcmp(a->sender_hw, f->our_mac, 6) == 0 ? PL_DROP_ARP_NOT_FOR_US : PL_DROP_ARP_CONFLICT);
    if (a->op == WIRE_ARP_REPLY) {
        if (!f->asked || !f->target_is_ours)
            return dropped(PL_DROP_ARP_UNASKED);
        return (struct arp_verdict){.answered = true};
    }
    if (!f->target_is_ours)
        return dropped(PL_DROP_ARP_NOT_FOR_US);
    /* RFC 5227 2.1.1: a probe, from a station that has no address yet, is answered and teaches nothing */
    return (struct arp_verdict){.answer = true, .heard = f->sender_on_link && !is_any(a->sender)};
}
