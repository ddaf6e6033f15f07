/* SPDX-License-Identifier: MIT
 *
 * peer.h: one stack of ours, host 0 of a duo, with a connection to a peer that the test plays by hand. Each case runs over IPv4 and IPv6.
 */
#ifndef PARLEY_TESTS_RFC_PEER_H
#define PARLEY_TESTS_RFC_PEER_H

#include "support/duo.h"
#include "support/unit.h"

extern bool peer_four, peer_six;
#define BOTH(f)                                                                                                                        \
    {#f "_ipv4", f, NULL, NULL, &peer_four}, {#f "_ipv6", f, NULL, NULL, &peer_six}
#define SIX(state) (*(const bool *)*(state))

enum { PEER_MSS = 1000, PEER_WND = 20000, PEER_ISS = 7000 };

struct peer {
    struct duo d;
    pl_conn c;
    uint32_t iss;                         /* ours */
    uint16_t wnd;                         /* that peer_segment announces; PEER_WND at first */
    bool timestamps;                      /* agreed: peer_segment carries ts_val, and echoes nothing */
    uint32_t ts_val;                      /* 100 at first */
};

/* A connection opened by us, ESTABLISHED, everything acknowledged, no events waiting. config NULL: duo_config(), whose connections have no
 * timestamps. The peer offers MSS and `have` (enum wire_tcp_opt) as far as we did. */
void peer_open(struct peer *, void **state, const struct pl_config *, uint8_t have);
void peer_free(struct peer *);
struct pl_tcp_status peer_status(const struct peer *);
/* A segment of the peer's: seq = our RCV.NXT + seq_off, ack = our SND.NXT. */
struct forged peer_segment(const struct peer *, uint8_t flags, int32_t seq_off, size_t text_bytes);
void peer_says(struct peer *, const struct forged *);
/* A bare ACK. */
void peer_acks(struct peer *, uint32_t ack);
/* Whether we say something now, and what. */
bool peer_hears(struct peer *, struct forged *);
/* All that we say now; the last of it in *last if there is any and last is not NULL. Returns how many. */
unsigned peer_hears_all(struct peer *, struct forged *last);
/* Time passes, timers fire, and what we say is left to be heard. */
void peer_waits(struct peer *, pl_time by);
/* Until our next deadline; there must be nothing to hear before. peer_waits_to_hear: from deadline to deadline until we say something. */
void peer_waits_for_deadline(struct peer *);
void peer_waits_to_hear(struct peer *, struct forged *);
uint64_t peer_drops(const struct peer *, enum pl_drop);

#endif
