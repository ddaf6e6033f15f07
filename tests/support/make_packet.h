/* SPDX-License-Identifier: MIT
 *
 * make_packet.h: packets made and checked by hand, byte by byte, with nothing of parley's: for tests of what parley makes and reads.
 */
#ifndef PARLEY_TESTS_MAKE_PACKET_H
#define PARLEY_TESTS_MAKE_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct made {
    bool ethernet;
    int version;                          /* 4 or 6; 10.9.0.1 to .2, fd09::1 to ::2 unless `to` and `from` say otherwise */
    uint8_t from[16], to[16];             /* IPv4 in the first 4; all zero: the above */
    uint8_t mac_from[6], mac_to[6];
    uint16_t sport, dport, ip_id, window;
    uint8_t protocol;                     /* 6, 17, 1, 58 */
    uint8_t flags;                        /* TCP's */
    uint32_t seq, ack;
    uint8_t options[40];                  /* TCP's */
    size_t options_bytes;                 /* multiple of 4 */
    const uint8_t *payload;               /* ICMP: the whole message, checksum field zero */
    size_t payload_bytes;
    bool partial;                         /* leave the transport checksum to the device: the field holds the pseudo-header's sum */
};

/* Writes the packet to `to` and returns its length; *l4: where the transport header stands. */
size_t make_packet(const struct made *, uint8_t *to, size_t *l4);

struct read_packet {
    int version;
    uint8_t protocol, flags;
    uint16_t sport, dport, ip_id, window;
    uint32_t seq, ack;
    const uint8_t *from, *to;             /* addresses, in the packet */
    const uint8_t *options, *payload;
    size_t l4, options_bytes, payload_bytes;
    bool ip_sum_right, l4_sum_right;      /* IPv6 has no header checksum: true */
    uint16_t l4_sum_field;
};
/* Takes a packet apart. False: not TCP, UDP, ICMP over IPv4 or IPv6, or lengths that do not fit. */
bool read_packet(const uint8_t *, size_t n, bool ethernet, struct read_packet *);

/* One's complement sum, the slow way of RFC 1071 4.1, not complemented. `sum` goes on from a former piece of even length. */
uint32_t slow_sum(const uint8_t *, size_t n, uint32_t sum);

#endif
