/* SPDX-License-Identifier: MIT
 *
 * cc_link.h: one bottleneck in virtual time, for a congestion control alone. Senders that always have something to send (or as much as a program gives) put
 * packets into a queue of so many bytes; each packet that leaves it comes back as an ACK after the path's delay; one that finds the queue full, or has no
 * luck, does not. A sender knows a packet to be lost when one that was sent three later is acknowledged, or when nothing comes back for long. Packets are
 * numbered as they go, so nothing is ambiguous: what is tested is the control, not the repair.
 */
#ifndef PARLEY_TESTS_CC_LINK_H
#define PARLEY_TESTS_CC_LINK_H

#include "base/prng.h"
#include "transport/tcp/models/rate.h"

enum { CC_LINK_FLOWS = 4, CC_LINK_RING = 1 << 15 };

struct cc_packet {
    struct rate_snapshot p;
    pl_time sent;
    bool arrived, lost;
};
struct cc_flow {
    struct pl_cc cc;
    uint64_t state[PL_CC_STATE_BYTES / 8];
    const struct pl_cc_ops *ops;
    struct rate rate;
    struct cc_packet *ring;               /* by number */
    uint64_t una, nxt, scanned;           /* packets; those below `scanned` have arrived or are lost */
    uint64_t recover;                     /* the ACK of one sent from here on ends the recovery */
    uint32_t in_flight;
    uint8_t phase;                        /* enum pl_cc_phase */
    bool no_sack, spurious;               /* spurious: each recovery ends with on_undo: nothing was lost */
    pl_time start, next_send, min_rtt, srtt, last_heard, last_sent;
    uint64_t app_rate;                    /* bytes per second that the program gives from app_at on, 0: always enough */
    pl_time app_at;
    uint64_t app_sent;
    uint64_t losses, rtos;                /* packets; time-outs */
    pl_time max_rtt;                      /* since somebody zeroed it */
    uint32_t min_in_flight;               /* likewise, after an ACK */
    uint32_t visits[16];                  /* how often each phase began */
    const char *phases[16];               /* the words of on_describe, as they came to be known */
    unsigned phase_now;
};
struct cc_in_air {
    pl_time at;                           /* the ACK arrives */
    uint64_t number;
    uint32_t flow;
};
struct cc_link {
    uint64_t rate;                        /* bytes per second */
    pl_time rtt, now, free_at;            /* free_at: when the last packet in the queue will have left */
    pl_time slot;                         /* 0, or ACKs come only at multiples of it: aggregation */
    uint32_t queue_bytes, mss;
    uint32_t loss_ppm;
    uint32_t black_out;                   /* so many packets more are lost, whatever the luck */
    struct prng luck;
    struct cc_flow flow[CC_LINK_FLOWS];
    uint32_t flows;
    struct cc_in_air *air;                /* in the order of arrival */
    uint32_t air_head, air_tail;
};

void cc_link_init(struct cc_link *, uint64_t bits_per_second, pl_time rtt, uint32_t queue_bytes);
struct cc_flow *cc_link_add(struct cc_link *, const struct pl_cc_ops *, pl_time start);
void cc_link_free(struct cc_link *);
void cc_link_run(struct cc_link *, pl_time duration);
const char *cc_flow_phase(const struct cc_flow *);
unsigned cc_flow_visits(const struct cc_flow *, const char *phase);
/* Until the flow is in that phase; false: it never was within `at_most`. */
bool cc_link_run_to_phase(struct cc_link *, struct cc_flow *, const char *phase, pl_time at_most);
/* Runs so long; what arrived of this flow meanwhile, in hundredths of what the link could carry. */
unsigned cc_link_share(struct cc_link *, struct cc_flow *, pl_time duration);

#endif
