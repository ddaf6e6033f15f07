/* SPDX-License-Identifier: MIT
 *
 * newreno.h: how much may fly: slow start, congestion avoidance, and the answers to loss. RFC 5681, RFC 6582, RFC 6928.
 */
#ifndef TCP_CC_NEWRENO_H
#define TCP_CC_NEWRENO_H

#include <stdbool.h>
#include <stdint.h>

struct cc {
    uint32_t cwnd, ssthresh;              /* bytes */
    uint32_t acked;                       /* bytes acknowledged since the window last grew, in congestion avoidance */
    uint32_t pad_;
};
enum { CC_CWND_MAX = 1 << 30 };

uint32_t cc_initial_window(uint32_t mss);                           /* RFC 6928 2 */
void cc_init(struct cc *, uint32_t mss, bool syn_was_lost);
/* `limited`: the window was full, so growing it is justified (RFC 7661 4.1: a window that is not used proves nothing). */
void cc_on_ack(struct cc *, uint32_t acked, uint32_t mss, bool limited);
void cc_on_rto(struct cc *, uint32_t flight, uint32_t mss, bool first);    /* RFC 5681 3.1; first: not a back-off of the same segment */
void cc_on_loss(struct cc *, uint32_t flight, uint32_t mss);       /* fast retransmit: RFC 5681 3.2 (2), (3) */
void cc_on_duplicate(struct cc *, uint32_t mss);                    /* RFC 5681 3.2 (4) */
void cc_on_partial(struct cc *, uint32_t acked, uint32_t mss);      /* RFC 6582 3.2 (3) */
void cc_on_recovered(struct cc *, uint32_t flight, uint32_t mss);   /* RFC 6582 3.2 (3), full acknowledgement */
void cc_on_idle(struct cc *, uint32_t mss);                         /* RFC 5681 4.1 */

#endif
