/* SPDX-License-Identifier: MIT
 *
 * udp.h: a UDP or echo socket: a flow, and two queues of datagrams. Each queue is a stream of [struct udp_record][payload] in chunks, bounded in
 * bytes by the socket's buffer sizes.
 */
#ifndef STACK_UDP_H
#define STACK_UDP_H

#include "stack/stack.h"

struct udp_record {                       /* in front of each datagram in a queue */
    uint8_t remote[16], local[16];
    uint32_t zone;
    uint16_t port;                        /* the remote's */
    uint16_t pad_;
    uint32_t bytes;                       /* of payload */
    uint32_t pad2_;
};

struct udp_sock {
    struct flow flow;                     /* kind FLOW_UDP; protocol 17, or 1 for an echo socket */
    uint64_t cookie;
    struct stream received, to_send;
    uint32_t received_records, to_send_records;
    uint32_t rcvbuf_bytes, sndbuf_bytes;
    int32_t error;                        /* reported by ICMP, told once */
    uint8_t hop_limit, tos;
    bool short_of_room;                   /* a send was refused: PL_EV_WRITABLE is wanted */
    uint8_t pad_;
    struct path path;                     /* of the datagram at the front of to_send */
    bool path_known;
    uint8_t pad2_[7];
};

/* For pl_ready, pl_error, pl_set and pl_get of a UDP handle. */
uint32_t udp_ready(const pl_stack *, uint32_t slot);                /* enum pl_event_bit */
int udp_set(pl_stack *, uint32_t slot, enum pl_option, int64_t value);
int udp_get(const pl_stack *, uint32_t slot, enum pl_option, int64_t *value);
/* udp.c for api_udp.c and iface.c: chunks for `bytes` more in this queue? The first datagram to send may have got a way. */
bool udp_has_chunks_for(const pl_stack *, const struct stream *, uint32_t bytes);
void udp_kick(pl_stack *, uint32_t slot);
static inline struct udp_sock *udp_at(const pl_stack *s, uint32_t slot) { return slots_at(&s->udps, slot); }

#endif
