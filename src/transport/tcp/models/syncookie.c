/* SPDX-License-Identifier: MIT */
#include "transport/tcp/models/syncookie.h"
#include <string.h>

enum { MSS_KINDS = 8, COUNTER_BITS = 5, NO_SCALE = 15, SACK_BIT = 16, TS_BITS = 64 };

static const uint16_t mss_kinds[MSS_KINDS] = {48, 536, 1200, 1360, 1400, 1440, 1460, 8940};

static uint32_t mss_index(uint16_t mss)   /* the largest that is not larger */
{
    uint32_t i = MSS_KINDS - 1;
    while (i > 0 && mss_kinds[i] > mss)
        i--;
    return i;
}

static uint32_t option_bits(const struct tcp_options *o) { return (o->wscale_ok ? o->snd_wscale : NO_SCALE) | (o->sack_ok ? SACK_BIT : 0); }

uint32_t syncookie_clock(uint32_t clock, const struct tcp_options *o)
{
    uint32_t ts = (clock & ~(uint32_t)(TS_BITS - 1)) | option_bits(o);
    return ts - clock < 1u << 31 && ts != clock ? ts - TS_BITS : ts;     /* never ahead of the clock: RFC 7323 5.3 would drop what follows */
}

static uint32_t hash(const struct siphash_key *key, const struct tcp_tuple *t, uint32_t irs, uint32_t low, uint32_t bits)
{
    uint32_t words[sizeof *t / 4 + 3];
    memcpy(words, t, sizeof *t);
    words[sizeof *t / 4] = irs;
    words[sizeof *t / 4 + 1] = low;
    words[sizeof *t / 4 + 2] = bits;
    return (uint32_t)siphash24(key, words, sizeof words) & 0xffffff00;
}

static uint32_t counter_at(pl_time now) { return (uint32_t)(now / SYNCOOKIE_PERIOD); }

uint32_t syncookie_make(const struct siphash_key *key, const struct tcp_tuple *t, uint32_t irs, const struct tcp_options *o, uint32_t ts_val, pl_time now)
{
    uint32_t counter = counter_at(now), index = mss_index(o->peer_mss), bits = o->ts_ok ? ts_val & (TS_BITS - 1) : TS_BITS;
    return hash(key, t, irs, counter << 3 | index, bits) | (counter & ((1u << COUNTER_BITS) - 1)) << 3 | index;
}

bool syncookie_check(const struct siphash_key *key, const struct tcp_tuple *t, uint32_t irs, uint32_t iss, bool has_ts, uint32_t ts_ecr, pl_time now,
                     struct tcp_options *o)
{
    uint32_t index = iss & (MSS_KINDS - 1), told = iss >> 3 & ((1u << COUNTER_BITS) - 1);
    uint32_t age = (counter_at(now) - told) & ((1u << COUNTER_BITS) - 1);
    uint32_t bits = has_ts ? ts_ecr & (TS_BITS - 1) : TS_BITS;
    if (age > 1 || age > counter_at(now) || (hash(key, t, irs, (counter_at(now) - age) << 3 | index, bits) ^ iss) & 0xffffff00)
        return false;
    memset(o, 0, sizeof *o);
    o->peer_mss = mss_kinds[index];
    o->ts_ok = has_ts;
    if (has_ts) {
        o->wscale_ok = (bits & NO_SCALE) != NO_SCALE;
        o->snd_wscale = o->wscale_ok ? (uint8_t)(bits & NO_SCALE) : 0;
        o->sack_ok = (bits & SACK_BIT) != 0;
    }
    return true;
}
