/* SPDX-License-Identifier: MIT
 *
 * delack.h: when is an acknowledgement due? RFC 9293 3.8.6.3, RFC 5681 4.2.
 *
 * Steps tell this module what arrived; it knows how many ACKs are owed and why. In-order data owes at most one ACK, whatever its amount; each
 * out-of-order segment owes one of its own, because the peer counts duplicates (RFC 5681 3.2).
 */
#ifndef TCP_MODELS_DELACK_H
#define TCP_MODELS_DELACK_H

#include <parley/types.h>

struct delack {
    uint8_t now;                          /* ACKs owed at once */
    uint8_t waiting;                      /* segments of in-order text not yet acknowledged */
    uint8_t quick;                        /* full-sized or pushed segments at the connection's start that are acknowledged at once */
    uint8_t pad_;
    uint16_t why;                         /* enum pl_reason of what is owed at once */
    uint16_t pad2_;
};

void delack_owe(struct delack *, uint16_t why);                     /* one ACK, at once */
void delack_owe_duplicate(struct delack *, uint16_t why, uint8_t most);      /* one more ACK, at once, up to so many */
/* In-order text of `segs` segments arrived. True: start the delay if it does not run. */
bool delack_text(struct delack *, unsigned segs, bool full_or_pushed);
void delack_sent(struct delack *);                                  /* an ACK left, alone or with data: one owed is paid; all of in-order text is */

#endif
