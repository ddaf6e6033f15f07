/* SPDX-License-Identifier: MIT
 *
 * decode.h: where the layers of one frame begin and end. For readers that are handed bytes and not a trace event: the layer printer, and
 * the notes of the wire on the ladder. Judges nothing: what does not fit its layer's form ends the decoding there and is payload.
 */
#ifndef VIEW_DECODE_H
#define VIEW_DECODE_H

#include <parley/trace.h>

enum view_layer { VIEW_ETHERNET, VIEW_ARP, VIEW_IP4, VIEW_IP6, VIEW_TCP, VIEW_UDP, VIEW_ICMP4, VIEW_ICMP6, VIEW_PAYLOAD, VIEW_PADDING };

#define VIEW_LAYERS_MAX 6

struct view_part {
    enum view_layer layer;
    size_t at, len;                       /* bytes of this layer's own header; of the payload for VIEW_PAYLOAD, VIEW_PADDING */
};

struct view_frame {
    struct view_part part[VIEW_LAYERS_MAX];
    unsigned parts;
    struct pl_endpoint source, destination;
    bool has_segment;
    struct pl_trace_segment segment;      /* wnd as in the header: the scale is not known from one frame */
    uint8_t protocol;                     /* as in struct pl_trace_event */
};

void view_decode(struct view_frame *, const uint8_t *frame, size_t len, bool ethernet);
const struct view_part *view_find(const struct view_frame *, enum view_layer);   /* NULL: not there */

/* "SYN,ACK"; "-" if none. Order: SYN FIN RST PSH URG ECE CWR ACK. Needs 40 bytes at most; returns buf. */
const char *view_flags(uint8_t flags, char *buf, size_t size);
/* The options compactly: "mss=1460 wscale=8 sackOK ts=12/0 sack=100-200,300-400"; "" if none. Returns buf, cut to size. */
const char *view_options(const struct pl_trace_segment *, char *buf, size_t size);
/* Seconds with six digits behind the point: "0.000000". 32 bytes at most; returns buf. */
const char *view_time(pl_time, char *buf, size_t size);
/* A span of time in the unit that suits it: "200 ms", "1.5 s", "60 s", "10 us", "7 ns". 40 bytes at most; returns buf. */
const char *view_duration(pl_time, char *buf, size_t size);
/* "192.0.2.1", "2001:db8::1" (RFC 5952), "fe80::1%2"; "192.0.2.1:80", "[2001:db8::1]:80", the port left out if 0. 80 bytes at most;
 * return buf.
 * (The core has the same for programs; views read the trace and call nothing else.) */
const char *view_addr(const struct pl_addr *, char *buf, size_t size);
const char *view_endpoint(const struct pl_endpoint *, char *buf, size_t size);
const char *view_protocol(uint8_t protocol);           /* "TCP", "UDP", "ICMP", "ICMPv6", "ARP"; "IP" for others */

#endif
