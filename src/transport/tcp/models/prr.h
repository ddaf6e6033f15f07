/* SPDX-License-Identifier: MIT
 *
 * prr.h: how fast the window goes down to ssthresh while a loss is repaired: proportional rate reduction, RFC 9937.
 */
#ifndef TCP_MODELS_PRR_H
#define TCP_MODELS_PRR_H

#include <stdbool.h>
#include <stdint.h>

struct prr {                              /* bytes */
    uint32_t delivered, out;              /* prr_delivered, prr_out: since the episode began */
    uint32_t recover_fs;                  /* RecoverFS */
    uint32_t pad_;
};
struct prr_ack {
    uint32_t delivered;                   /* DeliveredData, of this ACK */
    uint32_t inflight, ssthresh, mss;
    bool safe;                            /* SafeACK: SND.UNA advanced and no further loss came to light */
};

void prr_begin(struct prr *, uint32_t recover_fs);                          /* RFC 9937 6.1: once for each answer to a loss */
uint32_t prr_ack(struct prr *, const struct prr_ack *);                     /* RFC 9937 6.2: cwnd */
static inline void prr_sent(struct prr *p, uint32_t bytes) { p->out += bytes; }     /* RFC 9937 6.3 */

#endif
