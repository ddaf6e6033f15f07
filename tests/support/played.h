/* SPDX-License-Identifier: MIT
 *
 * played.h: a stack (host 1 of a duo) whose peer is played by hand, with connections that are open already. Sequence numbers are offsets: 0 is
 * the first byte of text of that side.
 */
#ifndef PARLEY_TESTS_PLAYED_H
#define PARLEY_TESTS_PLAYED_H

#include "support/duo.h"
#include "support/unit.h"

extern bool played_four, played_six;
#define BOTH(f)                                                                                                                        \
    {#f "_ipv4", f, NULL, NULL, &played_four}, {#f "_ipv6", f, NULL, NULL, &played_six}
#define SIX(state) (**(bool **)(state))

enum { PLAYED_PORT = 80, PLAYED_PEER_PORT = 5000, PLAYED_ISS = 1000 };

struct played {
    struct duo d;
    bool ipv6, ts;                        /* ts: the peer's segments carry timestamps, a millisecond a tick */
    uint16_t wnd;                         /* the field in the peer's segments */
    pl_listener listener;
    pl_conn c;
    uint16_t peer_port;
    uint32_t first;                       /* sequence number of our first byte of text */
    uint32_t echo;                        /* the timestamp seen last */
};

/* A stack with a listener, no connection yet. config NULL: duo_config(). */
void played_init(struct played *, bool ipv6, const struct pl_config *);
void played_free(struct played *);
/* The peer's SYN, answered, acknowledged `rtt` later: a connection, accepted. The SYN-ACK is *syn_ack unless that is NULL. */
void played_open(struct played *, const struct wire_tcp_opts *, uint16_t wnd, pl_time rtt, struct forged *syn_ack);
/* mss alone, no other option; window 60000; no round trip time to speak of. */
void played_open_plain(struct played *, uint16_t mss);

/* A segment of the peer: SEQ = offset in its text, ACK = offset in ours. */
struct forged played_segment(const struct played *, uint8_t flags, uint32_t seq, uint32_t ack, size_t text);
void played_gives(struct played *, uint8_t flags, uint32_t seq, uint32_t ack, size_t text);
/* A bare ACK with one block, [lo, hi) of our text; lo = hi: none. */
void played_sacks(struct played *, uint32_t ack, uint32_t lo, uint32_t hi);
/* The next segment of ours to this peer, its seq and ack made offsets; false: nothing to say. */
bool played_takes(struct played *, struct forged *);
/* From deadline to deadline until it says something; false: it never does. */
bool played_hears(struct played *, struct forged *);
/* All that it has to say: how many segments. */
unsigned played_drains(struct played *);
/* Time passes until `at`, the timers on the way fire. What is sent stays inside. */
void played_wait(struct played *, pl_time at);
/* The clock goes to the next deadline and its timers fire; false: there is none. */
bool played_next_deadline(struct played *);
struct pl_tcp_status played_status(const struct played *);
/* n bytes given to the connection, all of them taken. */
void played_sends(struct played *, size_t n);
/* Reads everything that is there: how much. */
size_t played_reads(struct played *);
/* Host 1's interface is replaced by one like this. */
void played_iface(struct played *, const struct pl_iface_params *);
/* An ICMP error of that type and code arrives that quotes this frame of ours. `word`: bytes 4 to 7. */
void played_icmp(struct played *, uint8_t type, uint8_t code, uint32_t word, const uint8_t *frame, size_t n);

#endif
