/* SPDX-License-Identifier: MIT
 *
 * out_of_order.h: text that arrived before the text in front of it: written in place into the receive stream, with a set of ranges that
 * says which bytes are there. RFC 9293 3.10.7.4 seventh; bounded in gaps (threats V35). The first data for a byte wins (V36).
 */
#ifndef TCP_MODELS_OUT_OF_ORDER_H
#define TCP_MODELS_OUT_OF_ORDER_H

#include "base/ranges.h"
#include "base/seq.h"
#include "wire/tcp_opts.h"

struct ooo_recent {                       /* the range reported first in the next SACK option, RFC 2018 4 */
    uint32_t lo, hi;
};
/* SACK blocks, the newest first; `most` blocks at most. Returns how many. */
unsigned ooo_sack_blocks(const struct ranges *, struct ooo_recent newest, struct wire_tcp_opts *, unsigned most);

#endif
