/* SPDX-License-Identifier: MIT */
#include "transport/tcp/models/prr.h"

void prr_begin(struct prr *p, uint32_t recover_fs) { *p = (struct prr){.recover_fs = recover_fs ? recover_fs : 1}; }

uint32_t prr_ack(struct prr *p, const struct prr_ack *a)
{
    p->delivered += a->delivered;
    int64_t count;
    if (a->inflight > a->ssthresh) {      /* proportional: prr_out follows prr_delivered as ssthresh does RecoverFS; rounded up */
        count = (int64_t)(((uint64_t)p->delivered * a->ssthresh + p->recover_fs - 1) / p->recover_fs) - p->out;
    } else {                              /* PRR-CRB, or with good progress PRR-SSRB: up to ssthresh again, not faster than that */
        int64_t owed = (int64_t)p->delivered - p->out;
        count = owed > (int64_t)a->delivered ? owed : (int64_t)a->delivered;
        if (a->safe)
            count += a->mss;
        int64_t room = (int64_t)a->ssthresh - a->inflight;
        count = count < room ? count : room;
    }
    if (count < 0)
        count = 0;
    if (p->out == 0 && count == 0)        /* "Force a fast retransmit upon entering recovery" */
        count = a->mss;
    return a->inflight + (uint32_t)count;
}
