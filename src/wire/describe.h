/* SPDX-License-Identifier: MIT
 *
 * describe.h: one line of text for a frame, for traces and pictures. Any bytes may be given; what cannot be read is said, not guessed.
 *
 *   IPv4 192.0.2.1 > 192.0.2.2 TCP 1234 > 80 SYN seq=100 ack=0 len=0 win=65535
 *   ARP who-has 192.0.2.2 tell 192.0.2.1 (02:00:00:00:00:01)
 *   IPv6 fe80::1 > ff02::1:ff00:2 ICMPv6 neighbour solicitation fe80::2
 */
#ifndef WIRE_DESCRIBE_H
#define WIRE_DESCRIBE_H

#include <stddef.h>
#include <stdint.h>
#include "base/text.h"

enum wire_medium { WIRE_MEDIUM_ETHERNET, WIRE_MEDIUM_IP };          /* IP: a TUN device, frames start with the IP header */

/* `n` bytes are at hand; the payload may be missing (a trace often keeps headers only): len= comes from the IP header. */
void wire_describe(struct text *, const uint8_t *bytes, size_t n, enum wire_medium);
/* The same from the IP header on. */
void wire_describe_ip(struct text *, const uint8_t *bytes, size_t n);
/* "SYN,ACK", "FIN,ACK", "." for no flag; enum pl_tcp_flag in the order SYN FIN RST PSH ACK URG ECE CWR. */
void wire_describe_flags(struct text *, uint8_t flags);

#endif
