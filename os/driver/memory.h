/* SPDX-License-Identifier: MIT
 *
 * memory.h: a cable inside the process: two drivers, each receives what the other sends. For tests, and for two stacks in one program.
 *
 * Both ends belong to one thread. Nothing to poll: deadline() says "now" while frames wait or a refused send can be tried again. A frame
 * whose checksum was left to the device (PL_F_CSUM_PARTIAL) arrives vouched for (PL_F_CSUM_OK): it never left memory.
 */
#ifndef OS_DRIVER_MEMORY_H
#define OS_DRIVER_MEMORY_H

#include <parley/driver.h>

struct memory_params {
    struct pl_iface_params a, b;          /* what each end says of itself */
    unsigned frames_max;                  /* frames under way in each direction; 0: 256 */
};

/* Makes both ends. Closing one makes the other report PL_ENETDOWN once it has received what was under way. Returns 0, PL_EINVAL (an MTU of
 * 0 or above 65535, or super-frames above that), PL_ENOMEM. */
int memory_pair_open(const struct memory_params *, struct pl_driver **a, struct pl_driver **b);

#endif
