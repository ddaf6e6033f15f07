/* SPDX-License-Identifier: MIT
 *
 * net_play.h: a stack whose wire is in the test's hands: frames made byte by byte go in, each ending at an unreadable page, and what the stack
 * has to say comes out one frame at a time. Two such stacks may also be joined back to back.
 *
 * Host n is 192.0.2.n/24, fe80::n and 2001:db8::n/64 with the link address 02:00:00:00:00:n, on a link of MTU 1500.
 */
#ifndef PARLEY_TESTS_NET_PLAY_H
#define PARLEY_TESTS_NET_PLAY_H

#include <parley/parley.h>
#include "wire/ip_proto.h"

struct host {
    pl_stack *s;
    struct pl_env env;
    void *block;
    size_t block_bytes;
    unsigned number;
    int iface;
    pl_time now;
    uint8_t mac[6];
    uint8_t out[66000];                   /* the frame that host_tx gave last, in one piece */
    size_t out_bytes;
    unsigned out_l4;                      /* where its transport header begins (0: not IP) */
    uint16_t out_why;                     /* enum pl_reason, from the trace */
    unsigned traced_in, traced_out;
    uint16_t traced_drop;                 /* of the last frame in */
};

/* Ends the test program if it fails. `change` alters the config first; may be NULL. */
void host_make(struct host *, unsigned number, enum pl_link, void (*change)(struct pl_config *));
void host_free(struct host *);
struct pl_addr host_addr(unsigned number, int family);              /* 4, 6, or 0 for the link-local one (zone 1) */
void host_knows(struct host *, unsigned number);                    /* permanent neighbours: all addresses of host `number` */
void host_rx(struct host *, const void *frame, size_t n);
bool host_tx(struct host *);                                        /* false: it has nothing to say */
unsigned host_tx_all(struct host *);                                /* how many frames it had to say */
void host_wait(struct host *, pl_time until);                       /* virtual time passes, timers fire; output stays inside */
uint64_t host_drops(const struct host *, enum pl_drop);
uint64_t host_sent(const struct host *, enum pl_reason);
/* Frames go to and fro, and timers fire, until both are silent or `until`. Returns frames carried. */
unsigned hosts_run(struct host *, struct host *, pl_time until);

/* A frame under construction: Ethernet header at 0, IP header at 14. */
struct frame {
    uint8_t b[4096];
    size_t n;                             /* bytes of the whole frame */
    size_t l4;                            /* where the transport header begins */
    int family;
    bool ethernet;
};
/* From host `from` to host `to`: link and internet header with an empty payload. */
void frame_ip(struct frame *, int family, unsigned from, unsigned to, uint8_t protocol);
void frame_add(struct frame *, const void *bytes, size_t n);
/* Sets lengths and the IPv4 header checksum by what is there now. */
void frame_fix(struct frame *);
/* The checksum of the transport (TCP, UDP, ICMP, ICMPv6) over everything from l4 on. */
void frame_sum(struct frame *);
void frame_udp(struct frame *, int family, unsigned from, unsigned to, uint16_t src_port, uint16_t dst_port, const void *text, size_t n);
void frame_tcp(struct frame *, int family, unsigned from, unsigned to, uint16_t src_port, uint16_t dst_port, uint8_t flags, uint32_t seq,
               uint32_t ack);
void frame_icmp(struct frame *, int family, unsigned from, unsigned to, uint8_t type, uint8_t code, uint32_t word, const void *text, size_t n);
void frame_echo(struct frame *, int family, unsigned from, unsigned to);    /* a request, 8 bytes of text */
void frame_arp(struct frame *, uint16_t op, const uint8_t *dst_mac, const uint8_t *sender_mac, const uint8_t sender[16], const uint8_t target[16]);
void frame_nd(struct frame *, unsigned from, unsigned to, const void *message, size_t n);   /* hop limit 255, link-local addresses */
void mac_of(unsigned number, uint8_t mac[6]);

#endif
