/* SPDX-License-Identifier: MIT */
#include "transport/tcp/models/window.h"

uint8_t window_scale_for(uint32_t max)
{
    uint8_t scale = 0;
    while (scale < 14 && ((uint32_t)65535 << scale) < max)
        scale++;
    return scale;
}

static uint32_t cap(uint32_t room, uint8_t scale)
{
    uint32_t most = (uint32_t)65535 << scale;
    return room < most ? room : most;
}

/* RFC 9293 3.8.6.2.2, MUST-39: the edge moves only when it can move by min(half the buffer, one segment). */
static bool worthwhile(uint32_t current, uint32_t room, uint32_t mss, uint32_t rcvbuf)
{
    uint32_t step = rcvbuf / 2 < mss ? rcvbuf / 2 : mss;
    return room > current && room - current >= (step ? step : 1);
}

/* What the field can say of this room. */
static uint32_t sayable(uint32_t room, uint8_t scale) { return cap(room, scale) >> scale << scale; }

uint32_t window_to_offer(uint32_t current, uint32_t room, uint32_t mss, uint32_t rcvbuf, uint8_t scale)
{
    if (room <= current)
        return current;
    uint32_t most = sayable(room, scale), unit = (uint32_t)1 << scale, up = (current + unit - 1) >> scale << scale;
    if (worthwhile(current, most, mss, cap(rcvbuf, scale)))   /* whenever window_update_due, or the update would say nothing, for ever */
        return most;
    return up <= most ? up : current;     /* only if it fits: else each ACK would promise a little more than there is */
}

uint16_t window_field(uint32_t wnd, uint8_t scale)
{
    uint32_t field = wnd >> scale;
    return (uint16_t)(field < 65535 ? field : 65535);
}

bool window_update_due(uint32_t current, uint32_t room, uint32_t mss, uint32_t rcvbuf, uint8_t scale)
{
    room = sayable(room, scale);
    if (room <= current)
        return false;
    /* Unasked only for a large step: half of what can be offered, or two segments while the peer may be stuck for want of room. */
    uint32_t half = cap(rcvbuf, scale) / 2, step = current < 2 * mss && 2 * mss < half ? 2 * mss : half;
    return room - current >= (step ? step : 1);
}

uint32_t window_worth_sending(const struct window_question *q)
{
    if (q->sendable == 0)
        return 0;
    uint32_t whole = q->sendable - q->sendable % q->mss;
    bool all = q->sendable == q->unsent;
    if (all && (!q->nagle || !q->in_flight))    /* (2), (3): everything, and Nagle has nothing to wait for */
        return q->sendable;
    if (whole)                                  /* (1): full-sized segments go; the rest waits with what follows */
        return whole;
    if (q->max_wnd && q->sendable >= q->max_wnd / 2 && (!q->nagle || !q->in_flight || !all))
        return q->sendable;                     /* (3): half of the largest window: a peer with a small buffer */
    return q->overridden ? q->sendable : 0;     /* (4): the override time-out */
}
