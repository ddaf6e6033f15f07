/* SPDX-License-Identifier: MIT
 *
 * tun.h: a network interface of the Linux kernel whose cable ends in this process. TUN carries IP packets, TAP Ethernet frames.
 *
 * Needs a /dev/net/tun that may be opened, and CAP_NET_ADMIN in the network namespace (or an existing device that belongs to the user).
 */
#ifndef OS_DRIVER_TUN_H
#define OS_DRIVER_TUN_H

#include <parley/driver.h>

struct tun_params {
    const char *name;                     /* NULL or "": the kernel chooses; "tun%d": it fills in the number */
    bool tap;
    bool offload;                         /* super-frames and unfinished checksums in both directions (IFF_VNET_HDR, TUNSETOFFLOAD) */
    bool up;                              /* bring the kernel's side up; else somebody else does */
    uint32_t mtu;                         /* 0: 1500. 576 .. 65535. For a device that may not be changed: its own */
    uint8_t mac[6];                       /* TAP: of our end. All zero: a random one. Not the kernel's own, which is the other end */
    int fd;                               /* > 0: a descriptor that tun_open made in another process or namespace; it is ours from now on,
                                             and its interface is left as it is */
};

/* Makes or attaches to the interface. Returns 0, or PL_EINVAL, PL_ENETDOWN (not possible here), PL_ENOMEM with a sentence in `why`. The
 * interface goes away with pl_driver close, unless it was made persistent by somebody else. */
int tun_open(const struct tun_params *, struct pl_driver **out, char *why, size_t why_size);
/* The descriptor, to be passed on. */
int tun_fd(const struct pl_driver *);

#endif
