/* SPDX-License-Identifier: MIT
 *
 * router.h: a node that passes IP packets on, at once and in order; what waits, waits in the queue of the link that it goes out on, so several hosts behind one
 * router share that link. A packet larger than that link's MTU is answered with ICMP (RFC 1191, RFC 8201), one that may be fragmented too is not: it is lost.
 *
 * Hosts of a world with routers have addresses by number, 1 to 254: 10.0.0.number and fd00::number; routers 10.0.1.number and fd00::1:number.
 */
#ifndef SIM_ROUTER_H
#define SIM_ROUTER_H

#include "sim/world.h"

#define ROUTER_NO_WAY (-1)

struct router {
    unsigned number;                      /* 1 .. 254, among the routers */
    int8_t way[256];                      /* interface to the host of that number */
    uint64_t forwarded, too_large, no_way, hops_ended;
};

extern const struct sim_node_ops router_ops;           /* machine: a struct router of the caller's */
void router_init(struct router *, unsigned number);    /* no way to anybody */
struct pl_addr router_host_address(unsigned number, bool v6);

#endif
