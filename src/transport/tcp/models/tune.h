/* SPDX-License-Identifier: MIT
 *
 * tune.h: how large the two buffers of a connection should be. RFC 9293 3.8.6 leaves the size of the window to the receiver, RFC 7323 1 says what a small one costs.
 *
 * Receiving ("dynamic right-sizing"): a peer can send one window in a round trip. So the receiver counts what arrives in each of its own round trips, and as
 * long as its program takes that at once it offers at least twice as much: then the peer's congestion window decides, not ours. A round trip ends when the
 * peer echoes a timestamp that is younger than the trip (RFC 7323 4); without timestamps when as much time as a measured round trip has passed, or, if none
 * was measured, when a whole buffer arrived, which is a window and so at least one round trip.
 * Sending: what is sent must be kept until it is acknowledged, a congestion window of it, and the next window has to wait behind it.
 * A peer that echoes falsely makes rounds longer or shorter, and so gets itself a larger or smaller window: `max` at most, as by sending fast.
 * Memory: all connections have one ceiling. It comes down from `max` to `first` as the pool runs short, so those who have most give back most.
 */
#ifndef TCP_MODELS_TUNE_H
#define TCP_MODELS_TUNE_H

#include <stdbool.h>
#include <stdint.h>

enum { TUNE_UNIT_SHIFT = 14 };            /* what arrived in the round before is remembered in 16 KiB, in two bytes */

struct tune_round {                       /* a round trip of the receiver, in progress */
    bool echoes;                          /* the peer sends timestamps */
    uint32_t echo;                        /* then: TSecr of the segment that arrived */
    uint32_t began, now;                  /* our timestamps' clock, ms: when the round began, and now */
    uint32_t srtt_ms;                     /* 0: not measured */
    uint32_t arrived, rcvbuf;             /* bytes that arrived in order in this round; the buffer */
};
bool tune_round_over(const struct tune_round *);
/* The size that the receive buffer should have after a round in which so many bytes arrived, and in the one before so many: twice as much, and what a peer
 * needs that doubles its rate meanwhile. */
uint32_t tune_rcvbuf(uint32_t arrived, uint32_t before);
/* Where much is unread the program is what the peer waits for: a larger buffer would only be filled, too. */
static inline bool tune_program_lags(uint32_t unread, uint32_t rcvbuf) { return unread > rcvbuf / 4; }
/* The size that the send buffer should have: two congestion windows, and some of the third so that it grows in steps. 0: the present size will do. */
uint32_t tune_sndbuf(uint32_t cwnd, uint32_t present);
/* The largest size that a buffer may have now: `max` while half of all is left or more, `first` when an eighth is, in between in proportion. */
uint32_t tune_ceiling(uint32_t first, uint32_t max, uint64_t left, uint64_t all);
/* The ceiling moves with every segment, so a size that is near it stays: where it is in the way growth begins when it is half as high again, and goes half of the
 * way; it comes down when it is an eighth too large. */
static inline bool tune_below(uint32_t size, uint32_t ceiling) { return ceiling > size && ceiling - size > size / 2; }
/* The size that a buffer of `from` bytes takes which should have `wanted`. `largest`: what it could be with memory enough. `from`: not worth a change. */
uint32_t tune_grown(uint32_t from, uint32_t wanted, uint32_t ceiling, uint32_t largest);
static inline bool tune_shrinks(uint32_t from, uint32_t ceiling) { return from > ceiling && from - ceiling > ceiling / 8; }
/* Coming down may take many small steps, as a buffer empties: is this one worth telling? Four of an octave are. */
bool tune_step_is_told(uint32_t from, uint32_t to);
/* The program waits for room to send and there is so much: should it be told? A quarter of the buffer, or 64 KiB: not for each ACK. */
static inline bool tune_worth_telling(uint32_t sndbuf, uint32_t used)
{
    uint32_t step = sndbuf / 4 < 65536 ? sndbuf / 4 : 65536;
    return used < sndbuf && sndbuf - used >= step;
}

#endif
