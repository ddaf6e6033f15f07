/* SPDX-License-Identifier: MIT */
#include "transport/tcp/models/isn.h"

uint32_t isn_choose(const struct tcp_secrets *s, const struct tcp_tuple *t, pl_time now)
{
    return (uint32_t)(now / (4 * PL_US)) + (uint32_t)siphash24(&s->isn, t, sizeof *t);
}

uint32_t isn_timestamp_offset(const struct tcp_secrets *s, const struct tcp_tuple *t) { return (uint32_t)siphash24(&s->timestamps, t, sizeof *t); }
