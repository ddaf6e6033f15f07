/* SPDX-License-Identifier: MIT
 *
 * rx.h: what rx.c hands on to its neighbours in this folder.
 */
#ifndef STACK_RX_H
#define STACK_RX_H

#include "stack/stack.h"

/* neighbors.c. Both return the drop. */
enum pl_drop arp_rx(pl_stack *, struct packet *, const struct iface *);
enum pl_drop nd_rx(pl_stack *, struct packet *, const struct iface *);
/* icmp_rx.c: ICMP and ICMPv6. */
void icmp_rx(pl_stack *, struct packet *, const struct iface *);

#endif
