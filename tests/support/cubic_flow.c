/* SPDX-License-Identifier: MIT */
#include "support/cubic_flow.h"

#include "base/check.h"

void flow_init(struct flow *f, uint32_t mss, uint32_t cwnd, uint32_t ssthresh, pl_time rtt)
{
    *f = (struct flow){.cc = {.cwnd = cwnd, .ssthresh = ssthresh, .mss = mss}, .now = 5 * PL_S, .rtt = rtt};
    cubic_on_start(NULL, &f->cc, &f->c, f->now, 0);
}

void flow_ack(struct flow *f, uint32_t bytes)
{
    f->una += bytes;
    struct pl_cc_ack a = {.now = f->now, .acked = bytes, .delivered = bytes, .srtt = f->rtt, .rtt = f->rtt, .una = f->una, .nxt = f->una + f->cc.cwnd,
                          .phase = f->phase, .limited = !f->idle};
    cubic_on_ack(NULL, &f->cc, &f->c, &a);
}

void flow_round(struct flow *f, uint32_t most)
{
    uint32_t window = f->cc.cwnd, segments = (window + f->cc.mss - 1) / f->cc.mss, acks = segments < most ? segments : most;
    pl_time began = f->now;
    for (uint32_t n = 0, done = 0; n < acks; n++) {
        uint32_t upto = (uint32_t)((uint64_t)window * (n + 1) / acks);
        f->now = began + f->rtt * (n + 1) / acks;
        flow_ack(f, upto - done);
        done = upto;
    }
}

void flow_lose(struct flow *f)
{
    cubic_on_loss(NULL, &f->cc, &f->c, f->now, f->cc.cwnd);
    f->cc.cwnd = f->cc.ssthresh;
}

void flow_after_a_loss(struct flow *f, uint32_t mss, uint32_t cwnd, pl_time rtt)
{
    flow_init(f, mss, cwnd, cwnd, rtt);
    flow_lose(f);
    flow_ack(f, mss);
    CHECK(f->c.stage.running);
}
