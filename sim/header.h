/* SPDX-License-Identifier: MIT
 *
 * header.h: what routers and middleboxes read and write in the headers of a frame under way. They read no further than the frame goes; what cannot be read is left
 * alone. Checksums are kept right (RFC 1624).
 */
#ifndef SIM_HEADER_H
#define SIM_HEADER_H

#include "sim/packet.h"

enum header_ecn { HEADER_NOT_ECT, HEADER_ECT1, HEADER_ECT0, HEADER_CE };

/* Bits of options to strip, as they stand in struct pl_trace_segment.opts. */
enum header_option { HEADER_MSS = 1, HEADER_WSCALE = 2, HEADER_SACK_OK = 4, HEADER_TIMESTAMPS = 8, HEADER_SACK = 16, HEADER_USER_TIMEOUT = 32, HEADER_OTHER = 64 };

int header_ecn(const struct packet *, bool ethernet);          /* enum header_ecn (RFC 3168 5); -1: no IP */
bool header_mark(struct packet *, bool ethernet);              /* CE, if it is ECT or CE. Whether it is CE now */
bool header_bleach(struct packet *, bool ethernet);            /* Not-ECT. Whether that changed it */
/* TCP options of these kinds become NOPs. Whether there were any. */
bool header_strip(struct packet *, bool ethernet, unsigned options);
bool header_is_icmp(const struct packet *, bool ethernet);     /* ICMP, or ICMPv6 other than Neighbour Discovery */
/* The TCP header and the length from there on as the IP header has it; NULL: no TCP. */
const uint8_t *header_tcp(const struct packet *, bool ethernet, size_t *len);
/* One word of a checksummed header changes: the sum that fits then. */
uint16_t header_sum_fix(uint16_t sum, uint16_t before, uint16_t after);

#endif
