/* SPDX-License-Identifier: MIT
 *
 * tune.h: how large the two buffers of a connection should be. RFC 9293 3.8.6 leaves the size of the window to the receiver, RFC 7323 1 says what a small one costs.
 *
 * Receiving ("dynamic right-sizing"): a peer can send one window in a round trip. So the receiver counts what its program took in each of its own round
 * trips, and offers at least twice as much: then the peer's congestion window decides, not ours. A round trip ends when the peer echoes a timestamp that is
 * younger than the trip (RFC 7323 4); without timestamps when as much time as a measured round trip has passed, or, if none was measured, when a whole
 * buffer was taken, which is a window and so at least one round trip.
 * Sending: what is sent must be kept until it is acknowledged, a congestion window of it, and the next window has to wait behind it.
 * Memory: all connections have one ceiling. It comes down from `max` to `first` as the pool runs short, so those who have most give back most.
 */
#ifndef TCP_MODELS_TUNE_H
#define TCP_MODELS_TUNE_H

#include <stdbool.h>
#include <stdint.h>

enum { TUNE_UNIT_SHIFT = 14 };            /* what was taken in the round before is remembered in 16 KiB, in two bytes */

struct tune_round {                       /* a round trip of the receiver, in progress */
    bool echoes;                          /* the peer sends timestamps */
    uint32_t echo;                        /* then: TSecr of the segment that arrived */
    uint32_t began, now;                  /* our timestamps' clock, ms: when the round began, and now */
    uint32_t srtt_ms;                     /* 0: not measured */
    uint32_t took, rcvbuf;                /* bytes that the program took in this round; the buffer */
};
bool tune_round_over(const struct tune_round *);
/* The size that the receive buffer should have after a round in which the program took so many bytes, and in the one before so many: twice as much, and what
 * a peer needs that doubles its rate meanwhile. */
uint32_t tune_rcvbuf(uint32_t took, uint32_t before);
/* The size that the send buffer should have: two congestion windows, and some of the third so that it grows in steps. 0: the present size will do. */
uint32_t tune_sndbuf(uint32_t cwnd, uint32_t present);
/* The largest size that a buffer may have now: `max` while half of all is left or more, `first` when an eighth is, in between in proportion. */
uint32_t tune_ceiling(uint32_t first, uint32_t max, uint64_t left, uint64_t all);
/* A change that is too small to be worth one: less than a sixteenth. */
static inline bool tune_too_small(uint32_t from, uint32_t to) { return (from < to ? to - from : from - to) < from / 16 + 1; }
/* The program waits for room to send and there is so much: should it be told? A quarter of the buffer, or 64 KiB: not for each ACK. */
static inline bool tune_worth_telling(uint32_t sndbuf, uint32_t used)
{
    uint32_t step = sndbuf / 4 < 65536 ? sndbuf / 4 : 65536;
    return used < sndbuf && sndbuf - used >= step;
}

#endif
