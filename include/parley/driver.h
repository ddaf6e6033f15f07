/* SPDX-License-Identifier: MIT
 *
 * driver.h: what a network device looks like to the host loop. Drivers wrap drivers: segmentation, faults and capture are middleware with the
 * same interface. A driver belongs to one thread.
 */
#ifndef PARLEY_DRIVER_H
#define PARLEY_DRIVER_H

#include <parley/parley.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pl_driver;

struct pl_driver_ops {
    /* Receives up to n frames, each frame's spans pointing to memory of the driver that holds until the next recv. Returns frames, 0: none now,
     * PL_ENETDOWN: the device is gone, PL_EIO. Never blocks. */
    int (*recv)(struct pl_driver *, struct pl_frame *, int n);
    /* Sends frames; returns how many were taken (0: device full, try when writable), PL_ENETDOWN, PL_EIO. The bytes are no longer needed on
     * return. Never blocks. */
    int (*send)(struct pl_driver *, const struct pl_frame *, int n);
    /* The descriptor to poll and the poll(2) events to wait for in order to receive; *timeout is lowered to when the driver wants to be asked
     * again anyway (PL_NEVER: not). -1: none (an in-memory driver). */
    int (*pollfd)(struct pl_driver *);
    pl_time (*deadline)(struct pl_driver *, pl_time now);   /* may be NULL: never */
    void (*close)(struct pl_driver *);    /* frees everything, undoes what it made, closes what it wraps */
};

struct pl_driver {
    const struct pl_driver_ops *ops;
    struct pl_iface_params params;        /* what to give to pl_iface_add */
    char name[32];                        /* for messages: "tun0" */
    uint64_t rx_frames, tx_frames, rx_bytes, tx_bytes, errors;
};

#ifdef __cplusplus
}
#endif
#endif
