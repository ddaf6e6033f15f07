/* SPDX-License-Identifier: MIT
 *
 * packet.h: packets between a script and a wire.
 *
 * Written here, and not with the core's codecs, so that a mistake in those cannot hide itself: what a script says is put into bytes and read from bytes
 * by code that the stack does not use.
 *
 * A script's numbers are its own. The stack's initial sequence number is what it is; the script calls it what it likes, mostly 0. So it is with timestamps.
 * A flow remembers the difference. What the peer sends is taken as it is written.
 */
#ifndef DRILL_PACKET_H
#define DRILL_PACKET_H

#include "drill/script.h"

enum { DRILL_PACKET_BYTES = 65536 + 64, DRILL_STAMPS = 256, DRILL_TICKS = 250 };        /* a millisecond */

struct drill_address {
    uint8_t b[16];                        /* IPv4: the first four */
};

struct drill_flow {
    bool ipv6;
    uint8_t protocol;
    struct drill_address local, remote;   /* local: the stack's */
    uint16_t local_port, remote_port;
    bool isn_known;
    uint32_t isn_offset;                  /* the stack's numbers are the script's plus this */
    bool ended;                           /* a FIN or RST went by: a SYN may begin a new incarnation */
    bool anew;                            /* one has begun; isn_before: the isn_offset of the one before */
    uint32_t isn_before;
    unsigned nstamps;                     /* timestamps that the stack has sent: as the script calls them, as they are */
    struct { uint32_t script, live; } stamp[DRILL_STAMPS];
    uint16_t ip_id;
};

/* Puts a packet that arrives into bytes. Returns its length; 0: error says why it cannot be. */
size_t drill_packet_build(const struct drill_packet *, struct drill_flow *, uint8_t out[DRILL_PACKET_BYTES], char *error, size_t error_size);
/* Reads what the stack sent: numbers as they are on the wire, `in` false. False: error says what is wrong with it (checksums are checked). */
bool drill_packet_read(const uint8_t *bytes, size_t n, struct drill_packet *, struct drill_flow *ends, char *error, size_t error_size);
/* Does a packet that was sent belong to the flow? */
bool drill_packet_of(const struct drill_flow *flow, const struct drill_flow *ends);
/* Is it what the script wants? It then teaches the flow its ISN and timestamps. A new incarnation's SYN is written with its distance from the number of the
 * one before, by the clock of 4 us; what time is off by, DRILL_TICKS at most, is learned. False: error names the field, what was wanted and what was sent. */
bool drill_packet_matches(const struct drill_packet *want, const struct drill_packet *sent, struct drill_flow *, char *error, size_t error_size);
/* As a script would write it, in the script's numbers. */
void drill_packet_print(const struct drill_packet *, const struct drill_flow *, char *text, size_t size);

#endif
