/* SPDX-License-Identifier: MIT */
#include "transport/tcp/models/user_timeout.h"

/* RFC 5482 3.3-d, 3.3-e: 15 bits without a sign, of seconds or of minutes. */
uint16_t user_timeout_word(uint64_t ms)
{
    enum { MOST = 0x7fff };
    uint64_t seconds = (ms + 999) / 1000, minutes = (ms + 59999) / 60000;
    if (seconds <= MOST)
        return (uint16_t)(seconds ? seconds : 1);        /* RFC 5482 3.4-a: zero is never sent */
    return (uint16_t)(USER_TIMEOUT_MINUTES | (minutes < MOST ? minutes : MOST));
}

uint64_t user_timeout_ms(uint16_t word)
{
    uint64_t n = word & 0x7fff;
    return word & USER_TIMEOUT_MINUTES ? n * 60000 : n * 1000;
}

static uint64_t larger(uint64_t a, uint64_t b) { return a > b ? a : b; }

/* RFC 5482 3.1-d, 3.1-e: USER_TIMEOUT = min(U_LIMIT, max(ADV_UTO, REMOTE_UTO, L_LIMIT)); RFC 5482 3.1-g: L_LIMIT is more than the RTO. */
uint32_t user_timeout_both(const struct user_timeout_wishes *w)
{
    uint64_t lower = larger(w->lower_ms, w->rto_ms + 1);
    uint64_t t = larger(larger(w->ours_ms, w->theirs_ms), lower), upper = larger(w->upper_ms, lower);
    t = t < upper ? t : upper;
    return t < UINT32_MAX ? (uint32_t)t : UINT32_MAX;
}
