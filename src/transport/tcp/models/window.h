/* SPDX-License-Identifier: MIT
 *
 * window.h: flow control: how much room to offer, and when it is worth sending. RFC 9293 3.8.6, RFC 7323 2.
 */
#ifndef TCP_MODELS_WINDOW_H
#define TCP_MODELS_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

/* The smallest scale with which `max` bytes can be announced (RFC 7323 2.3-f: at most 14). */
uint8_t window_scale_for(uint32_t max);
/* The receive window to offer now. `current` is what is still on offer (RCV.WND), `room` the free bytes. Never smaller than `current`: the right
 * edge does not move left (SHLD-14, RFC 7323 2.4-b), nor right while there is no room (MAY-8); grows only by a worthwhile step (MUST-39), or to
 * the next multiple of the scale's unit if there is room: what is promised is there. */
uint32_t window_to_offer(uint32_t current, uint32_t room, uint32_t mss, uint32_t rcvbuf, uint8_t scale);
/* The 16 bits for the header, rounded down: RFC 7323 2.4-c: the receiver goes on by the true edge, up to a unit further right. */
uint16_t window_field(uint32_t wnd, uint8_t scale);
/* Is the offer so much larger than `current` that the peer should be told without being asked? */
bool window_update_due(uint32_t current, uint32_t room, uint32_t mss, uint32_t rcvbuf, uint8_t scale);

struct window_question {                  /* the sender's silly-window question, RFC 9293 3.8.6.2.1 */
    uint32_t sendable;                    /* bytes that are unsent and inside the peer's and the congestion window */
    uint32_t unsent;                      /* bytes that are unsent */
    uint32_t mss, max_wnd;                /* the largest window the peer ever offered */
    bool in_flight, nagle, overridden;
};
/* Bytes to send now: 0 = wait for more, for an ACK, or for the override time-out (MUST-38); full segments when there are any (SHLD-28). */
uint32_t window_worth_sending(const struct window_question *);

#endif
