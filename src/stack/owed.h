/* SPDX-License-Identifier: MIT
 *
 * owed.h: the descriptor of a reply that belongs to no connection. Each interface has a ring of config.owed_max of them.
 */
#ifndef STACK_OWED_H
#define STACK_OWED_H

#include "stack/stack.h"

enum owed_kind { OWED_NONE, OWED_TCP, OWED_ARP, OWED_ND, OWED_ECHO, OWED_ERROR };

struct owed {
    uint8_t kind;                         /* enum owed_kind */
    uint8_t waiting;                      /* its next hop is being asked for: owed_wake clears this */
    uint8_t protocol, hop_limit, tos;
    uint8_t type, code;                   /* ICMP; OWED_ARP: the operation; OWED_TCP: the flags */
    uint8_t nd_flags;                     /* OWED_ND: enum owed_nd_flag */
    uint16_t why;                         /* enum pl_reason */
    uint16_t local_port, remote_port, wnd;/* OWED_TCP */
    uint8_t mac[6];                       /* OWED_ARP, OWED_ND: where the frame goes */
    uint32_t zone;
    uint8_t local[16], remote[16];
    union {
        uint32_t word[4];                 /* OWED_TCP: seq, ack, ts_val, ts_ecr (type: its options, nd_flags: its window scale). OWED_ECHO, OWED_ERROR: [0] bytes 4..7 of the ICMP header */
        uint8_t target[16];               /* OWED_ND */
    } u;
    struct path path;                     /* OWED_TCP, OWED_ECHO, OWED_ERROR */
    uint32_t text_head, text_bytes;       /* OWED_ECHO, OWED_ERROR: chain of chunks with what follows the ICMP header */
};
_Static_assert(sizeof(struct owed) <= 128, "small configs have few bytes for these");

enum owed_nd_flag { OWED_ND_SOLICITED = 1, OWED_ND_NO_LLADDR = 2 };

/* Pushed by neighbors.c and rx.c. Every one is bounded: a full ring or an empty token bucket is a counted drop. */
void owed_arp(pl_stack *, int iface, uint16_t op, const uint8_t *mac /* NULL: broadcast */, const uint8_t sender[16], const uint8_t target[16]);
void owed_nd_solicit(pl_stack *, int iface, const uint8_t *mac /* NULL: to the group */, const uint8_t local[16], const uint8_t target[16]);
void owed_nd_advertise(pl_stack *, int iface, const uint8_t mac[6], const uint8_t target[16], const uint8_t remote[16], bool solicited);
/* Answers the echo request in `p`. */
enum pl_drop owed_echo(pl_stack *, const struct packet *p);
/* Tells the sender of `p` of an error, if the rules of RFC 1122 3.2.2 and RFC 4443 2.4(e) allow it. `word`: bytes 4..7 of the header. */
void owed_error(pl_stack *, const struct packet *p, uint8_t type, uint8_t code, uint32_t word, enum pl_reason);
/* An ICMP error about the SYN of a half-open entry, which is quoted as far as it is remembered: `n` bytes from its IP header on. Limited like all errors. */
void owed_refusal(pl_stack *, const struct flow *, uint8_t type, uint8_t code, const uint8_t *quote, uint32_t n);
/* A neighbour resolved or failed: what waits for it is looked at again. */
void owed_wake(pl_stack *, int iface, uint32_t neighbor);
/* The interface goes: everything owed on it is let go. */
void owed_clear(pl_stack *, int iface);

#endif
