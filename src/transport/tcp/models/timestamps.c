/* SPDX-License-Identifier: MIT */
#include "transport/tcp/models/timestamps.h"
#include "base/seq.h"

bool timestamps_paws_rejects(const struct timestamps *t, uint32_t ts_val, pl_time now)
{
    return seq_lt(ts_val, t->recent) && now - t->recent_at < TIMESTAMPS_STALE;
}

void timestamps_received(struct timestamps *t, uint32_t ts_val, uint32_t seg_seq, pl_time now)
{
    bool newer = seq_ge(ts_val, t->recent) || now - t->recent_at >= TIMESTAMPS_STALE;
    if (newer && seq_le(seg_seq, t->last_ack_sent)) {
        t->recent = ts_val;
        t->recent_at = now;
    }
}
