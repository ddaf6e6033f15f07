/* SPDX-License-Identifier: MIT
 *
 * timestamps.h: the timestamps option, RFC 7323: the clock that peers see, the echo, and protection against wrapped sequence numbers.
 *
 * The clock ticks every millisecond from an offset that is a keyed hash of the connection's addresses and ports: monotonic from one incarnation to
 * the next, unrelated between peers (threats V58), and recomputable without state.
 */
#ifndef TCP_MODELS_TIMESTAMPS_H
#define TCP_MODELS_TIMESTAMPS_H

#include <parley/types.h>

struct timestamps {
    pl_time recent_at;                    /* when TS.Recent was set */
    uint32_t offset;
    uint32_t recent;                      /* TS.Recent */
    uint32_t last_ack_sent;               /* Last.ACK.sent */
    uint32_t pad_;
};

#define TIMESTAMPS_STALE ((pl_time)24 * 86400 * PL_S)               /* RFC 7323 5.5: older than this, TS.Recent proves nothing */

/* RFC 7323 4.1, 5.4-a, 5.4-b, 5.4-c: 1 ms: real time, less than 2^31 bytes fit into one, and it repeats after 49 days. RFC 7323 7: offset. */
static inline uint32_t timestamps_clock(uint32_t offset, pl_time now) { return offset + (uint32_t)(now / PL_MS); }
/* RFC 7323 5.3-a R1: is the segment older than what was seen before? */
bool timestamps_paws_rejects(const struct timestamps *, uint32_t ts_val, pl_time now);
/* RFC 7323 4.3-a, 4.3-b, 4.3-c, 5.2-a: which timestamp to echo. Call only for acceptable segments. */
void timestamps_received(struct timestamps *, uint32_t ts_val, uint32_t seg_seq, pl_time now);

#endif
