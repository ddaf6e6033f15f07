/* SPDX-License-Identifier: MIT
 *
 * arp.h: what an ARP packet asks of us, RFC 826, with the caution of RFC 5227 and of the threats' row V23: nobody is believed who was not
 * asked, but for those who ask us something and will be answered anyway.
 */
#ifndef LINK_ARP_H
#define LINK_ARP_H

#include "wire/arp_hdr.h"
#include <parley/trace.h>

/* What the stack knows of the addresses in the packet. */
struct arp_facts {
    const uint8_t *our_mac;
    bool target_is_ours, sender_is_ours;
    bool sender_on_link;                  /* within the prefix of an address of this interface, and one that a host can have */
    bool asked;                           /* a request of ours for the sender's address is unanswered */
};

struct arp_verdict {
    bool answer;                          /* with a reply to the sender */
    bool heard;                           /* the sender's link address may be learned as unproven */
    bool answered;                        /* it answers our request */
    enum pl_drop drop;                    /* PL_DROP_NONE when it was of use */
};

struct arp_verdict arp_judge(const struct wire_arp *, const struct arp_facts *);

#endif
