/* SPDX-License-Identifier: MIT
 *
 * options.h: what the two sides agreed on in the handshake. RFC 9293 3.2, 3.7.1; RFC 7323; RFC 2018.
 */
#ifndef TCP_MODELS_OPTIONS_H
#define TCP_MODELS_OPTIONS_H

#include "wire/tcp_opts.h"

enum { TCP_MSS_DEFAULT_IPV4 = 536, TCP_MSS_DEFAULT_IPV6 = 1220, TCP_MSS_FLOOR = 48 };

struct tcp_options {
    uint16_t peer_mss;                    /* as announced, or the default: MUST-15 */
    uint16_t mss;                         /* text bytes of a full-sized segment as sent now: options and path counted in */
    uint16_t mss_max;                     /* the program's limit of what is announced and of what is sent, options of the segment not counted; 0: none */
    uint8_t snd_wscale, rcv_wscale;
    bool wscale_ok : 1, ts_ok : 1, sack_ok : 1;
    uint8_t pad_;
};

struct tcp_options_wish {                 /* what this side offers, or is willing to accept */
    bool wscale, timestamps, sack;
    uint8_t rcv_wscale;
};

/* The peer's SYN or SYN-ACK: a feature is on only if both sides want it. */
void options_agree(struct tcp_options *, const struct wire_tcp_opts *peer, const struct tcp_options_wish *, bool ipv6);
static inline uint16_t options_limit(uint16_t mss, uint16_t mss_max) { return mss_max && mss_max < mss ? mss_max : mss; }
/* RFC 9293 3.7.1, MUST-16: the size of a full segment: min(peer's MSS, path MTU less fixed headers, mss_max) less options; never below the floor. */
void options_set_mss(struct tcp_options *, uint32_t mtu, bool ipv6);
/* The MSS to announce: MUST-14, 67. */
uint16_t options_mss_to_announce(uint32_t mtu, bool ipv6);

#endif
