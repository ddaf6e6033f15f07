/* SPDX-License-Identifier: MIT */
#include "transport/tcp/models/isn.h"
#include <string.h>

uint32_t isn_choose(const struct tcp_secrets *s, const struct tcp_tuple *t, pl_time now)
{
    return (uint32_t)(now / (4 * PL_US)) + (uint32_t)siphash24(&s->isn, t, sizeof *t);
}

/* Fewer rounds than the ISN's: who learns an offset learns when the clock began, which lets nobody in (threats V58). */
uint32_t isn_timestamp_offset(const struct tcp_secrets *s, const struct tcp_tuple *t)
{
    uint64_t words[sizeof *t / 8];
    memcpy(words, t, sizeof words);
    return (uint32_t)siphash13_words(&s->timestamps, words, sizeof words / 8);
}
