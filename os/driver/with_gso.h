/* SPDX-License-Identifier: MIT
 *
 * with_gso.h: segmentation for a device that has none. On the way out super-frames are cut into segments and checksums completed; on the
 * way in, segments of one flow that follow each other within one batch may be joined, so that the stack handles them once.
 */
#ifndef OS_DRIVER_WITH_GSO_H
#define OS_DRIVER_WITH_GSO_H

#include <parley/driver.h>

struct with_gso_params {
    uint32_t gso_bytes;                   /* the largest super-frame to offer; 0: 65535 */
    bool join;                            /* join what arrives, after its checksum was found right */
};

/* Wraps `inner`, which belongs to the new driver from then on. Returns 0, PL_EINVAL, PL_ENOMEM; on error `inner` stays the caller's. */
int with_gso_open(struct pl_driver *inner, const struct with_gso_params *, struct pl_driver **out);

#endif
