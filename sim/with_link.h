/* SPDX-License-Identifier: MIT
 *
 * with_link.h: a link of the simulation in front of a real device, in real time: what is sent leaves the device when it has come through the link's queue,
 * transmitter, impairment and delay, and what the device has had comes the same way back. It is the code that runs in virtual time (link.h); only the clock is
 * another.
 *
 * It is a driver around a driver, for a stack's loop; between two devices it stands as a relay when somebody passes on what each of them receives.
 *
 * Nothing here sleeps: whoever drives it asks again at deadline(). What was to leave the link at a time and was fetched later than that is late; how much, is
 * kept (with_link_late), so that who measures knows what the machine added.
 */
#ifndef SIM_WITH_LINK_H
#define SIM_WITH_LINK_H

#include "sim/world.h"
#include <parley/driver.h>

enum { WITH_LINK_OUT, WITH_LINK_IN };     /* directions: towards the device, and from it */

struct with_link_params {
    struct sim_link_params link;          /* of both directions */
    uint32_t loss[2];                     /* per million, of each direction */
    uint64_t seed;                        /* the same seed and loss: the same frames are lost, counted from the first, whichever the direction */
    pl_time (*clock)(void);               /* as the loop's, for example host_now */
};

/* Wraps `inner`, which belongs to the new driver from then on. Super-frames are offered to nobody, and pass if the device has some. Returns 0, PL_EINVAL (no
 * clock), PL_ENOMEM; on error `inner` stays the caller's. */
int with_link_open(struct pl_driver *inner, const struct with_link_params *, struct pl_driver **out);
/* The link inside: its counters, its impairment, its world for taps. Side 0 is ours, side 1 the device. */
struct sim_link *with_link_link(struct pl_driver *);
/* ns by which frames of both directions left the link too late. */
const struct hist *with_link_late(const struct pl_driver *);
/* Frames that came through the link and that the device had no room for. */
uint64_t with_link_refused(const struct pl_driver *);

#endif
