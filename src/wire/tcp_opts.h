/* SPDX-License-Identifier: MIT
 *
 * tcp_opts.h: TCP options, RFC 9293 3.2 (EOL, NOP, MSS), RFC 7323 (window scale, timestamps), RFC 2018 (SACK), RFC 5482
 * (user timeout).
 *
 * Reading is tolerant: an option with a bad length ends the parse, what was read before counts (threats V29); an unknown option is
 * skipped (MUST-6). Values are not judged here: scale 15 or MSS 0 is reported as it stands.
 */
#ifndef WIRE_TCP_OPTS_H
#define WIRE_TCP_OPTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum wire_tcp_opt { WIRE_OPT_MSS = 1, WIRE_OPT_WSCALE = 2, WIRE_OPT_SACK_PERMITTED = 4, WIRE_OPT_TIMESTAMPS = 8, WIRE_OPT_SACK = 16, WIRE_OPT_USER_TIMEOUT = 32 };

struct wire_tcp_sack {
    uint32_t lo, hi;
};
struct wire_tcp_opts {
    uint8_t have;                         /* enum wire_tcp_opt */
    uint8_t wscale;
    uint16_t mss;
    uint32_t ts_val, ts_ecr;
    uint8_t nsack, malformed;             /* malformed: the parse ended at a bad length */
    uint16_t user_timeout;                /* RFC 5482 3.3: the granularity bit and 15 bits, as they stand there */
    struct wire_tcp_sack sack[4];
};
void wire_tcp_opts_read(const uint8_t *bytes, size_t n, struct wire_tcp_opts *);
/* Writes what `have` says, in the order of docs/defaults.md: on a SYN mss, sackOK, TS, nop, wscale (without timestamps mss, nop, nop, sackOK, nop,
 * wscale; without SACK mss, nop, nop, TS, nop, wscale), then the user timeout; otherwise nop, nop, TS; user timeout; nop, nop, SACK. Returns bytes written: a multiple of 4, <= 40; as many
 * SACK blocks as fit. */
unsigned wire_tcp_opts_write(uint8_t *bytes, const struct wire_tcp_opts *);

#endif
