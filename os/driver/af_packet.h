/* SPDX-License-Identifier: MIT
 *
 * af_packet.h: an existing Ethernet interface, shared with the kernel: raw frames by an AF_PACKET socket.
 *
 * The kernel goes on seeing every frame. So its side of the interface is to have no address of ours, or it would answer too, with resets
 * (testnet.h makes such links). Needs CAP_NET_RAW in the network namespace.
 */
#ifndef OS_DRIVER_AF_PACKET_H
#define OS_DRIVER_AF_PACKET_H

#include <parley/driver.h>

struct af_packet_params {
    const char *name;                     /* the interface; it must be up to carry anything */
    uint8_t mac[6];                       /* all zero: the interface's own; any other only where the interface lets it through (bridges) */
    int fd;                               /* > 0: a fresh AF_PACKET socket made in another namespace; it is ours from now on */
};

/* Returns 0, or PL_EINVAL (no such interface, not Ethernet), PL_ENETDOWN (not allowed), PL_ENOMEM with a sentence in `why`. */
int af_packet_open(const struct af_packet_params *, struct pl_driver **out, char *why, size_t why_size);
/* A socket for params.fd. -1 with errno. */
int af_packet_socket(void);

#endif
