/* SPDX-License-Identifier: MIT
 *
 * rtnl.h: the kernel's interfaces, addresses and routes, in the network namespace of the calling process: rtnetlink(7) without a library.
 *
 * Every function returns 0 or -errno: -EPERM (needs CAP_NET_ADMIN there), -ENODEV (no such interface), -EEXIST, -EINVAL, ...
 */
#ifndef OS_HOST_RTNL_H
#define OS_HOST_RTNL_H

#include <parley/types.h>

int rtnl_link_up(const char *name, bool up);
int rtnl_link_mtu(const char *name, uint32_t mtu);
int rtnl_link_delete(const char *name);
/* A cable between this namespace and the one that the descriptor `peer_ns` (of a /proc/PID/ns/net) names; both ends are down at first. */
int rtnl_veth_add(const char *name, const char *peer, int peer_ns, uint32_t mtu);
/* IPv6 addresses are usable when it returns, if the interface is up (no duplicate address detection). The prefix is in bits of the
 * address's own family. */
int rtnl_addr_add(const char *name, const struct pl_addr *, unsigned prefix_bits);
/* `via` NULL: on the link. A prefix of 0 is the default route of the destination's family. */
int rtnl_route_add(const char *name, const struct pl_addr *to, unsigned prefix_bits, const struct pl_addr *via);
/* Writes /proc/sys/net/<path>, for instance "ipv6/conf/tap0/disable_ipv6". */
int rtnl_sysctl(const char *path, const char *value);

#endif
