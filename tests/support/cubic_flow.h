/* SPDX-License-Identifier: MIT
 *
 * cubic_flow.h: one flow under CUBIC, its ACKs, and round trips of them.
 */
#ifndef PARLEY_TESTS_CUBIC_FLOW_H
#define PARLEY_TESTS_CUBIC_FLOW_H

#include "transport/tcp/cc/cubic.h"

/* The window is always used, unless `idle`. */
struct flow {
    struct pl_cc cc;
    struct cubic c;
    pl_time now, rtt;
    uint32_t una;
    uint8_t phase;
    bool idle;
};

void flow_init(struct flow *, uint32_t mss, uint32_t cwnd, uint32_t ssthresh, pl_time rtt);
void flow_ack(struct flow *, uint32_t bytes);
/* A round trip: the window that there was at its beginning is acknowledged, in at most `most` ACKs that are spread over it. */
void flow_round(struct flow *, uint32_t most);
/* Fast recovery that the stack led to ssthresh and that is over. */
void flow_lose(struct flow *);
/* A flow in congestion avoidance that lost at `cwnd` and has begun its epoch. */
void flow_after_a_loss(struct flow *, uint32_t mss, uint32_t cwnd, pl_time rtt);

#endif
