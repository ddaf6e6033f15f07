/* SPDX-License-Identifier: MIT
 *
 * isn.h: initial sequence numbers and timestamp offsets. RFC 9293 3.4.1: ISN = M + F(local, remote, secret), M a clock of 4 us.
 */
#ifndef TCP_MODELS_ISN_H
#define TCP_MODELS_ISN_H

#include "base/siphash.h"
#include <parley/types.h>

struct tcp_secrets {
    struct siphash_key isn, timestamps, cookies;
};
struct tcp_tuple {                        /* as hashed: 40 bytes without padding */
    uint8_t local[16], remote[16];
    uint16_t local_port, remote_port;
    uint32_t zone;
};
uint32_t isn_choose(const struct tcp_secrets *, const struct tcp_tuple *, pl_time now);      /* MUST-8, 9, SHLD-1 */
uint32_t isn_timestamp_offset(const struct tcp_secrets *, const struct tcp_tuple *);

#endif
