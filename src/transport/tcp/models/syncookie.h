/* SPDX-License-Identifier: MIT
 *
 * syncookie.h: answering a SYN without remembering it, when there is no room left to remember. RFC 4987 3.6.
 *
 * What the SYN said is put into the numbers that the peer must send back:
 *
 *     ISS  = | keyed hash: 24 bits | minute counter: 5 bits | index of the MSS: 3 bits |
 *     TSval = the clock, rounded down to 64 ms, with the peer's window scale (4 bits) and SACK (1 bit) in its low bits
 *
 * The hash is over the addresses, the ports, the peer's ISN and everything else that is stored so, with a secret: nobody who has not seen our answer
 * can make it up (1 in 2^24 for a guess), and after two minutes it is worth nothing. Used only after an overflow (threats V46, V47).
 */
#ifndef TCP_MODELS_SYNCOOKIE_H
#define TCP_MODELS_SYNCOOKIE_H

#include "transport/tcp/models/isn.h"
#include "transport/tcp/models/options.h"

#define SYNCOOKIE_PERIOD (64 * PL_S)      /* of the counter; a cookie is good in its own period and the next */

/* The low bits of the timestamp for these agreed options, and back. Without timestamps only the MSS is kept. */
uint32_t syncookie_clock(uint32_t clock, const struct tcp_options *);
/* `ts_val` as sent (0 without timestamps). */
uint32_t syncookie_make(const struct siphash_key *, const struct tcp_tuple *, uint32_t irs, const struct tcp_options *, uint32_t ts_val, pl_time now);
/* Is `iss` a cookie for this peer? Then *o holds what was agreed (rcv_wscale is not kept: the caller knows it). ts_ecr: as echoed; has_ts: the
 * segment carries timestamps. */
bool syncookie_check(const struct siphash_key *, const struct tcp_tuple *, uint32_t irs, uint32_t iss, bool has_ts, uint32_t ts_ecr, pl_time now,
                     struct tcp_options *o);

#endif
