/* SPDX-License-Identifier: MIT
 *
 * stack.h: the block, and the map of this folder: the only place where the layers meet.
 *
 *   stack.c      the block: its size, its making, attaching, shifting in time
 *   rx.c         pl_rx: a frame's way up: link, internet, then udp.c or tcp_rx.c
 *   tx.c         pl_tx: who may send next on an interface, and the frame's way down
 *   tcp_rx.c     a TCP segment: demultiplexing, input, and what follows from it
 *   tcp_tx.c     a TCP segment on its way out
 *   records.c    life and death of connections, half-open and TIME-WAIT entries
 *   orphans.c    how many connections there may be that nobody owns
 *   longest.c    how long anything can last that nobody owns
 *   owed.c       replies that belong to no connection: one bounded ring per interface
 *   path.c       routes, source addresses and neighbours for a destination
 *   deadlines.c  when each record wants to be called; ready lists; parking on neighbours
 *   events.c     what the program is told
 *   api_*.c      the public calls; api_incoming.c: SYNs that wait for the program; api_entries.c: half-open and TIME-WAIT entries, told
 *   trace.c      telling the trace sink
 *
 * There is no pointer in the block but `env`, which pl_stack_attach sets anew: pools find their memory by offsets from themselves, and links
 * are slot numbers, 0 for none.
 */
#ifndef STACK_STACK_H
#define STACK_STACK_H

#include "base/check.h"
#include "base/chunks.h"
#include "base/list.h"
#include "base/prng.h"
#include "base/siphash.h"
#include "base/slots.h"
#include "base/wheel.h"
#include "transport/flows.h"
#include "transport/tcp/tcp.h"
#include <parley/parley.h>

/* What a config or an option may ask for: 100 years. A sum of such a time and now must not wrap. */
#define STACK_LONGEST_TIMEOUT ((pl_time)100 * 365 * 86400 * PL_S)

struct stack_secrets {
    struct tcp_secrets tcp;
    struct siphash_key ports, fragments;
};

struct iface {
    struct pl_iface_params params;
    bool in_use, ready;
    uint16_t pad_;
    struct list queue;                    /* refs with something to send here */
    uint32_t owed_head, owed_count;       /* ring of struct owed, config.owed_max long, in `owed` below */
    uint32_t turn;                        /* fairness between owed replies and the queue */
    pl_time error_limit, rst_limit;       /* token buckets of ICMP errors and of RSTs: when the next one were due at the steady rate */
    uint64_t rx_frames, rx_bytes, tx_frames, tx_bytes, drops;
};

struct listener {
    struct flow flow;
    uint64_t cookie;
    struct list accept;                   /* finished connections: refs, linked through conn_nodes */
    struct list incoming;                 /* deferred: half-open entries that pl_incoming_next has not given yet, through the ready nodes */
    uint32_t half_open, backlog;          /* half-open entries that came through it; bound of each of both */
    int64_t isn;                          /* PL_OPT_ISN; -1: keyed clock */
    bool catch_all, deferred;
    struct tcp_inherited like;            /* the options that its connections inherit */
};

struct pl_stack {
    uint64_t magic;
    uint32_t version, layout;             /* layout: a hash of the sizes that matter */
    uint64_t bytes;
    struct pl_env *env;
    pl_time now;
    pl_time shifted;                      /* sum of pl_stack_shift_time: clocks seen on the wire leave it out */
    struct pl_config config;
    struct tcp_pools pools;
    struct slots half_opens, time_waits, listeners, udps;
    struct slots ifaces, addrs, routes, neighbors, paths;
    struct wheel wheel;                   /* one deadline per ref */
    struct flows flows;
    uint64_t ready_nodes;                 /* offset of struct list_node[refs + 1]: a ref's place on an interface's queue or parked on a neighbour */
    uint64_t event_nodes;                 /* offset of struct list_node[event refs + 1]: connections, UDP sockets, listeners; `on` = the bits pending */
    uint64_t conn_nodes;                  /* offset of struct list_node[connections_max + 1]: accept queues, waiting for chunks */
    uint64_t owed;                        /* offset of struct owed[ifaces_max][owed_max] */
    struct list events, chunk_waiters;
    struct list orphans;                  /* by age, through the conn nodes */
    uint64_t orphan_counts;               /* offset of uint32_t[orphan_buckets]: see orphans.c */
    uint32_t orphan_buckets, pad_;
    uint32_t time_wait_oldest, time_wait_newest, time_waits_parked;
    uint32_t catch_all;                   /* the listener for what no other takes, 0: none */
    bool foreign;                         /* there was one: connections of addresses that are not ours may be left */
    struct stack_secrets secrets;
    pl_time cookies_until;                /* cookies are believed until then: the half-open table overflowed shortly before */
    uint32_t port_counter, ip_id;
    uint32_t last_conn;                   /* the slot that the last segment was for: the next is likely to be for it, too */
    uint32_t spent;                       /* chain of pinned chunks whose datagrams were sent; see net.h */
    uint32_t gaps_turn;                   /* slot of `gaps` that was shed last for want of memory */
    /* what only observes: left out when blocks are compared. The counters are last: making a stack touches all but them, one page */
    struct prng prng;
    struct pl_counters counters;
};
_Static_assert(offsetof(struct pl_stack, counters) <= 4096, "init touches the first page of a zeroed block only");

/* What one pl_rx shares between its frames. */
struct rx_run {
    struct tcp_ctx x;                     /* for connections: made once */
    uint32_t conn;                        /* the slot of a connection for which conn_after, with the results in x, is still to come; 0: none */
};

/* What a frame is found to be on its way up, and what became of it. */
struct packet {
    const struct pl_frame *frame;
    struct rx_run *run;
    const uint8_t *bytes;                 /* the frame's first `contiguous` bytes in one piece: its first span, or a copy in `scratch` */
    uint8_t *scratch;
    uint32_t contiguous, frame_bytes;
    uint32_t ip_off, l4_off, l4_bytes;    /* the internet header, and the transport's header and payload (padding cut off) */
    int32_t iface;
    uint8_t family, protocol, hop_limit, tos;         /* 4 or 6 */
    bool csum_ok, to_group;               /* to_group: to multicast or broadcast, of the link or of IP */
    bool foreign;                         /* to an address that is not ours, for which a catch-all listener speaks */
    uint8_t state_before, state_after;
    uint16_t drop;                        /* enum pl_drop: the result */
    uint16_t l4_first_bytes;              /* contiguous bytes from l4_off on */
    bool has_seg;
    struct pl_addr src, dst;
    uint64_t conn, cookie;
    uint16_t src_port, dst_port;
    struct pl_trace_segment seg;
};

/* A destination, resolved as far as it can be. Kept by connections; checked before each use. */
struct path {
    int32_t iface;
    uint32_t neighbor;                    /* slot, 0 on links without neighbours */
    uint32_t neighbor_generation;
    uint32_t mtu;                         /* of the path: min(interface, learned) */
};

enum tx_verdict {
    TX_NOTHING,                           /* nothing written; the ref is off the queue */
    TX_WROTE,                             /* one frame written; the caller asks again when its turn comes */
    TX_WROTE_LAST,                        /* one frame written, and there is no need to ask: the ref is off the queue */
    TX_PARKED,                            /* nothing written: waits for a neighbour */
};

static inline void *stack_at(const pl_stack *s, uint64_t offset) { return (void *)((uintptr_t)s + offset); }
static inline struct list_node *stack_ready_nodes(const pl_stack *s) { return stack_at(s, s->ready_nodes); }
static inline struct list_node *stack_event_nodes(const pl_stack *s) { return stack_at(s, s->event_nodes); }
static inline struct list_node *stack_conn_nodes(const pl_stack *s) { return stack_at(s, s->conn_nodes); }
static inline struct iface *stack_iface(const pl_stack *s, int32_t number)      /* NULL: no such interface. Number n lies in slot n + 1 */
{
    if ((uint32_t)number >= s->ifaces.capacity)
        return NULL;
    struct iface *i = slots_at(&s->ifaces, (uint32_t)number + 1);
    return i->in_use ? i : NULL;          /* a slot that is free, or was never used, is zero */
}

/* stack.c: the clock of the block: clamps and counts a time that goes backwards. */
void stack_now(pl_stack *, pl_time now);

/* tcp_rx.c: everything about a TCP segment from its header on. Sets p->drop, states, conn, seg. */
void tcp_rx(pl_stack *, struct packet *p);
/* Several segments in a row for one connection have one conn_after. Before anything but the next of them touches a record, this is called. */
void tcp_rx_settle(pl_stack *, struct rx_run *);
/* An ICMP error quotes a TCP segment of ours: local/remote as in the quoted packet, seq its sequence number. `error` is what the program
 * would be told (PL_EHOSTUNREACH, PL_ENETUNREACH, PL_ECONNREFUSED, PL_EMSGSIZE with mtu). `hard`: may end a handshake. Returns the drop
 * (PL_DROP_NONE: acted on; PL_DROP_ICMP_QUOTE, PL_DROP_ICMP_QUOTE_SEQ). */
enum pl_drop tcp_rx_icmp(pl_stack *, const struct flow *quoted, uint32_t seq, int error, bool hard, uint32_t mtu);
/* tcp_tx.c: a connection, half-open or TIME-WAIT entry whose turn it is. */
struct tx_door {                          /* one pl_tx */
    struct iface *i;
    int iface;                            /* its number */
    struct tcp_ctx x;                     /* sending results in nothing: made once for all segments */
    struct tcp_want want;                 /* of the connection whose turn it is: what it sent last; WANT_NOTHING before that */
};
enum tx_verdict tcp_tx(pl_stack *, struct tx_door *, uint32_t ref, struct pl_frame *);
void tcp_tx_pauses(pl_stack *, uint32_t ref);     /* it sent and may want to go on; a device that is full now may not ask again for long: its timers run */
/* The program's or the network's news about an interface or neighbour, for every connection on it. */
void tcp_iface_gone(pl_stack *, int iface);

/* tcp_cookie.c: a listener without room for half-open entries. */
void cookie_send(pl_stack *, int iface, const struct listener *, const struct flow *key, const struct tcp_seg *);      /* answers the SYN, remembers nothing */
/* Is this ACK the answer to a cookie? Then *scratch is the connection as it was when the SYN-ACK left. */
bool cookie_accepts(pl_stack *, const struct listener *, const struct flow *key, const struct tcp_seg *, struct tcp_ctx *, struct tcp *scratch);

/* udp.c */
void udp_rx(pl_stack *, struct packet *p);
enum pl_drop udp_rx_icmp(pl_stack *, const struct flow *quoted, int error);      /* echo sockets too: protocol 1, local_port = identifier */
enum pl_drop echo_rx(pl_stack *, struct packet *p, uint16_t ident);               /* an echo reply; bytes from l4_off + 6 are the datagram */
enum tx_verdict udp_tx(pl_stack *, uint32_t ref, int iface, struct pl_frame *);
void udp_close_slot(pl_stack *, uint32_t slot);
void udp_iface_gone(pl_stack *, int iface);

/* owed.c */
struct owed_tcp {                         /* a segment without connection: RST, or a SYN-ACK that carries a cookie */
    struct flow flow;                     /* ours is local */
    uint32_t seq, ack;
    uint8_t flags, tos, hop_limit;        /* hop_limit 0: the config's */
    bool of_connection;                   /* of a connection of ours: not limited like answers to strangers */
    uint16_t why;                         /* enum pl_reason */
    uint16_t wnd;
    uint8_t opts, wscale;                 /* enum wire_tcp_opt; a SYN-ACK's MSS follows from the path */
    uint32_t ts_val, ts_ecr;
};
void owed_tcp(pl_stack *, int iface, const struct owed_tcp *);      /* full or over the limit: a counted drop */
bool owed_pending(const pl_stack *, int iface);
bool owed_tx(pl_stack *, int iface, struct pl_frame *);             /* writes the next reply that can go; false: none can now */

/* path.c */
/* Where `remote` is reached, and from which address: *local is wanted (an address of ours) or unspecified and then chosen.
 * PL_ENETUNREACH, PL_EADDRNOTAVAIL, PL_EHOSTUNREACH (neighbour known to have failed just now). Starts no resolution. */
int path_find(pl_stack *, const struct pl_addr *remote, struct pl_addr *local, struct path *);
int path_find_flow(pl_stack *, const struct flow *, struct path *);  /* the same for a record's addresses; its local one may be foreign */
/* Is the next hop's link address known? 0: yes (or not needed). PL_EAGAIN: being asked for now; park on path->neighbor. PL_EHOSTUNREACH.
 * May renew the path when its neighbour entry was replaced. */
int path_resolve(pl_stack *, const struct pl_addr *remote, const struct pl_addr *local, struct path *);
/* Progress confirms the neighbour (RFC 4861 7.3.1); repeated retransmission doubts it. */
void path_confirm(pl_stack *, const struct path *);
void path_doubt(pl_stack *, const struct path *);
bool path_is_ours(const pl_stack *, const struct pl_addr *);        /* an address of one of our interfaces */
bool path_is_group(const pl_stack *, const struct pl_addr *);       /* multicast, limited or directed broadcast, unspecified */
/* The path MTU towards a destination as learned from ICMP (tcp_rx_icmp was told); path_find reports it. */
void path_mtu_learned(pl_stack *, const struct pl_addr *remote, uint32_t mtu);

struct ip_out {                           /* the internet header of a packet on its way out */
    const uint8_t *local, *remote;        /* 16 bytes each; both IPv4-mapped or both IPv6 */
    uint8_t protocol, hop_limit, tos;     /* tos: DSCP << 2 | ECN */
    bool dont_fragment;
    uint32_t payload_bytes;               /* transport header and text; a super-frame's may exceed the MTU */
};
/* Writes link and internet header to `to` (room PL_HEADER_BYTES_MAX) and returns their length. The path was resolved. Counts and
 * checksums of IPv4 included; IP id by keyed counter. */
unsigned path_write_headers(pl_stack *, const struct iface *, const struct path *, const struct ip_out *, uint8_t *to);
void neighbor_fires(pl_stack *, uint32_t slot);                     /* its deadline has come */

/* deadlines.c */
void ref_deadline(pl_stack *, uint32_t ref, pl_time when);          /* wheel only. Lazy: an earlier deadline stays and is asked again */
void ref_ready(pl_stack *, uint32_t ref, int iface);                /* onto the interface's queue, unless it is on a queue already */
void ref_park(pl_stack *, uint32_t ref, uint32_t neighbor);         /* onto the neighbour's list */
void ref_off(pl_stack *, uint32_t ref);                             /* off every list and off the wheel: the record goes */
void ref_unqueue(pl_stack *, uint32_t ref);                         /* off the ready or parked list only */
void ref_undecided(pl_stack *, uint32_t ref, uint32_t listener);    /* a half-open entry that sends nothing, onto its listener's list */
void refs_requeue(pl_stack *, struct list *parked, int iface);      /* a neighbour resolved: everything parked is ready again */
void refs_forget(pl_stack *, int iface);                            /* the interface goes: nobody waits in its queue any more */
void deadlines_run(pl_stack *);                                     /* everything due at s->now */
bool stack_has_output(const pl_stack *);

/* events.c */
void event_post(pl_stack *, uint32_t ref, uint32_t bits);           /* conn, UDP or listener ref */
void event_drop(pl_stack *, uint32_t ref);

/* records.c */
struct tcp_ctx stack_tcp_ctx(pl_stack *);
static inline struct tcp *conn_at(const pl_stack *s, uint32_t slot) { return (struct tcp *)slots_array(&s->pools.conns) + slot; }
uint32_t conn_new(pl_stack *, const struct flow *, const struct path *, uint64_t cookie);   /* slot, 0: none free */
void conn_after(pl_stack *, uint32_t slot, struct tcp_ctx *);       /* whatever a call on the connection results in; may free the slot */
void wake_chunk_waiters(pl_stack *);                                 /* chunks may have come back: whoever was refused for want of them is told */
void conn_forget(pl_stack *, uint32_t slot);                        /* frees the slot if nobody needs it any more */
void conn_fires(pl_stack *, uint32_t slot);
/* `like`: of its listener, NULL: the config's. False: no path to the peer. */
bool scratch_init(pl_stack *, struct tcp_ctx *, const struct flow *, const struct tcp_inherited *like, struct tcp *);
bool half_open_scratch(pl_stack *, struct tcp_ctx *, uint32_t slot, struct tcp *);          /* the same, and thawed */
void half_open_after(pl_stack *, uint32_t slot, struct tcp *scratch, struct tcp_ctx *);     /* freezes or frees */
void half_open_fires(pl_stack *, uint32_t slot);
void half_open_end(pl_stack *, uint32_t slot, enum pl_reason);      /* traced, and freed */
/* api_incoming.c: a deferred one, told as the program wishes, and freed. */
void incoming_refuse(pl_stack *, uint32_t slot, enum pl_refusal, enum pl_reason);
void half_open_adopted(pl_stack *, uint32_t slot);                  /* freed: a connection takes its place */
void time_wait_fires(pl_stack *, uint32_t slot);
void time_wait_park(pl_stack *, uint32_t slot);                     /* a half-open entry stands in front of it */
void time_wait_restarted(pl_stack *, uint32_t slot);                /* its 2 MSL begin anew */
size_t time_wait_explain(const pl_stack *, uint32_t slot, char *text, size_t size);          /* for how long yet; api_entries.c */
void time_wait_end(pl_stack *, uint32_t slot, enum pl_reason);
void listener_end(pl_stack *, uint32_t slot);

/* orphans.c */
void orphan_begins(pl_stack *, uint32_t slot, struct tcp_ctx *);    /* the handle was given back; conn_after follows. May end it, or another */
void orphan_ends(pl_stack *, uint32_t slot);                        /* the stack lets go of the connection */
uint32_t orphans_most(const struct pl_config *);
uint32_t orphans_most_of_peer(const struct pl_config *);
uint32_t orphans_buckets(const struct pl_config *);                 /* power of two */

/* trace.c */
void trace_in(pl_stack *, const struct packet *p);                  /* counts the drop, tells the sink */
struct trace_out {
    uint16_t why;
    uint8_t protocol, state;
    uint64_t conn, cookie;
    struct pl_endpoint local, remote;
    const struct pl_trace_segment *seg;   /* or NULL */
};
void trace_count_out(pl_stack *, struct iface *, uint32_t bytes, uint16_t why);              /* counts only */
void trace_out(pl_stack *, int iface, const struct pl_frame *, const struct trace_out *);   /* counts, tells */
void trace_drop(pl_stack *, int iface, enum pl_drop);               /* a drop that has no frame: an owed reply that was let go */

/* Handles. The kind is in the top two bits of the slot half. */
enum handle_kind { HANDLE_CONN = 0, HANDLE_LISTENER = 1, HANDLE_UDP = 2, HANDLE_INCOMING = 3 };
static inline pl_handle handle_of(enum handle_kind kind, const struct slots *pool, uint32_t slot)
{
    return (uint64_t)slots_generation(pool, slot) << 32 | (uint64_t)kind << 30 | slot;
}
/* The slot behind a live handle of this kind, or 0. */
uint32_t handle_slot(const pl_stack *, pl_handle, enum handle_kind);

#endif
