/* SPDX-License-Identifier: MIT
 *
 * vnet.h: the header that Linux puts in front of a packet at TUN, TAP and AF_PACKET when asked to (struct virtio_net_hdr): it says which
 * checksum is unfinished and of how many segments a super-frame consists. And the receive side that both kinds of device share.
 *
 * Source: Virtual I/O Device (VIRTIO) 1.2, section 5.1.6; Linux reads and writes it in the byte order of the machine.
 */
#ifndef OS_DRIVER_VNET_H
#define OS_DRIVER_VNET_H

#include <linux/virtio_net.h>
#include <parley/driver.h>
#include "os/driver/segment.h"

/* The header for a frame that is to be sent. False: the frame is a super-frame that the kernel could not cut up. */
bool vnet_describe(struct virtio_net_hdr *, const struct pl_frame *, bool ethernet);

enum vnet_verdict {
    VNET_FRAME,                           /* the frame's flags and GSO fields are set */
    VNET_SPLIT,                           /* UDP super-frame: to be cut up here, since pl_rx takes super-frames of TCP only */
    VNET_BAD,                             /* not to be understood */
};
/* What the header of a received frame says; frame->span[0] holds all of it. */
enum vnet_verdict vnet_apply(const struct virtio_net_hdr *, struct pl_frame *, bool ethernet);

/* Reads one packet into buf: returns its length, 0: none now, or PL_ENETDOWN / PL_EIO. PL_EINVAL: there was one, which is to be skipped.
 * Fills *header if the device has one. */
typedef ptrdiff_t vnet_read_fn(struct pl_driver *, struct virtio_net_hdr *header, void *buf, size_t n);

struct vnet_rx {
    uint8_t *memory;                      /* the one buffer, small enough to stay in the cache */
    size_t bytes;
    size_t packet_bytes_max;              /* the largest packet there can be */
    bool ethernet, vnet;
    bool splitting;
    struct pl_frame whole;                /* being split */
    struct segmenter split;
    uint8_t (*header)[SEGMENT_HEADER_BYTES_MAX];
};
bool vnet_rx_init(struct vnet_rx *, bool ethernet, bool vnet, size_t mtu);      /* false: out of memory */
void vnet_rx_free(struct vnet_rx *);
/* The recv of a driver. */
int vnet_rx_batch(struct vnet_rx *, struct pl_driver *, struct pl_frame *, int n, vnet_read_fn *);

#endif
