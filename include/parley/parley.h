/* SPDX-License-Identifier: MIT
 *
 * parley.h: TCP/IP as a library. You hand it one block of memory, the time and the packets; it hands you packets, events, and the time
 * at which it wants to be called again.
 *
 *     repeat {
 *         take all events with pl_event_next and act on them (pl_recv, pl_send, pl_accept, ...);
 *         pl_tx on every ready interface until it gives 0;
 *     } until both give nothing;                       (events first: the answer then carries the acknowledgement)
 *     sleep until pl_deadline(), or until a device has a frame for pl_rx; then pl_rx or pl_poll with the new time.
 *
 * A stack belongs to one thread at a time; different stacks share nothing. Every call takes the time of the last door (pl_rx, pl_tx,
 * pl_poll) as "now"; a time that goes backwards is clamped and counted. Unless said otherwise a call returns 0 (PL_OK) or a negative
 * enum pl_error, and a stale or foreign handle gives PL_EHANDLE. Pointers handed in are read during the call and never kept, except
 * struct pl_env. Structs that may grow carry their size first and are filled by a _default() or given as (pointer, size).
 */
#ifndef PARLEY_H
#define PARLEY_H

#include <parley/types.h>
#include <parley/cc.h>
#include <parley/trace.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct pl_stack pl_stack;
typedef uint64_t pl_handle;               /* slot in the low 32 bits, generation above; 0 is no handle */
typedef pl_handle pl_conn;
typedef pl_handle pl_listener;
typedef pl_handle pl_udp;
typedef pl_handle pl_incoming;            /* a SYN that waits for the program's decision */

/* ---------------------------------------------------------------- the block ---------------------------------------------------------------- */

/* What the block of memory cannot hold: pointers. Owned by the caller, must outlive its use by the stack; may serve several stacks of
 * one thread. Zero it, then set what is wanted. */
struct pl_env {
    pl_trace_fn *trace;                   /* NULL: nobody listens */
    void *trace_user;
    uint32_t cpu;                         /* filled by pl_stack_init and pl_stack_attach if it is 0 */
    uint32_t cc_count;                    /* congestion controls of the program's own: PL_CC_USER + i is cc[i]. Where a connection's is missing, NewReno */
    const struct pl_cc_ops *cc;           /* stands in. The caller's, as long as the environment */
};

struct pl_config {
    uint32_t size;                        /* sizeof(struct pl_config), set by pl_config_default */
    /* How many of each there can be. Every table can be sized down to 1. */
    uint32_t connections_max;
    uint32_t half_open_max;               /* passive connections whose handshake is not finished */
    uint32_t time_wait_max;               /* full: the oldest is recycled */
    uint32_t listeners_max;
    uint32_t udp_max;                     /* UDP and echo sockets */
    uint32_t ifaces_max;
    uint32_t addrs_max;                   /* in all, over all interfaces */
    uint32_t routes_max;
    uint32_t neighbors_max;
    uint32_t paths_max;                   /* remembered path MTUs */
    uint32_t flights_max;                 /* connections with data outstanding at one time; 0: connections_max */
    uint32_t cc_state_bytes;              /* what the congestion control may remember of each of them: a multiple of 8, 48 (NewReno) to PL_CC_STATE_BYTES
                                             (448, all of them). One that needs more cannot be chosen */
    uint32_t records_max;                 /* entries of all retransmission queues together */
    uint32_t records_per_conn_max;
    uint32_t gaps_max;                    /* connections with out-of-order data at one time; 0: connections_max */
    uint32_t gaps_per_conn_max;           /* out-of-order ranges of one connection */
    uint32_t chunks_max;                  /* chunks of chunk_bytes for all streams together */
    uint32_t chunk_bytes;                 /* power of two, 256 .. 65536 */
    uint32_t window_overcommit;           /* 1 .. 65536: what is held and what windows let peers send may reach so many times the chunks; 8. With 1
                                             nothing is promised that there is no room for; in any case no promise is taken back */
    uint32_t owed_max;                    /* replies waiting, per interface: power of two */
    /* TCP defaults for new connections; docs/defaults.md */
    uint32_t sndbuf_bytes, rcvbuf_bytes;  /* 1 .. 2^30: the first sizes; 1 MiB */
    uint32_t sndbuf_max, rcvbuf_max;      /* 0 .. 2^30: auto-tuning lets them grow up to this, as far as chunks_max allows; 16 MiB, 15 MiB. Not more than
                                             the first size: fixed. The scale of windows follows from rcvbuf_max */
    uint32_t syn_retries;                 /* 7: SYN repeated this often, then ETIMEDOUT */
    uint32_t syn_ack_retries;             /* 5 */
    uint32_t data_retries;                /* 15 */
    uint32_t orphan_retries;              /* 8 */
    uint32_t challenge_acks;              /* 10, at most 255: ACKs in challenge_period, per connection, that somebody else may have provoked (RFC 5961 7) */
    uint32_t orphans_max;                 /* connections whose handle was given back: more, and the oldest is reset; 0: 3/4 of connections_max */
    uint32_t orphans_per_peer_max;        /* the same of one address (an IPv6 /64): more, and the new one is reset; 0: half of connections_max */
    uint32_t backlog_default;             /* half-open plus finished connections of a listener */
    pl_time msl;                          /* 30 s: TIME-WAIT lasts 2 MSL */
    pl_time rto_initial, rto_min, rto_max;/* 1 s, 200 ms, 120 s */
    pl_time delayed_ack;                  /* 40 ms, at most 500 ms (MUST-40) */
    pl_time challenge_period;             /* 5 s, at most 24 days */
    pl_time user_timeout;                 /* 0: only data_retries bound it; at most 49 days, as are the keepalive times */
    pl_time user_timeout_min, user_timeout_max;      /* 100 s, 1 h: limits of one that the peer's option brings about (RFC 5482 3.1) */
    pl_time deferred_timeout;             /* 30 s: a SYN at a deferred listener that the program has not decided on by then is let go */
    pl_time fin_wait_2_timeout;           /* 60 s, for connections nobody owns */
    pl_time orphan_timeout;               /* 120 s without progress */
    pl_time orphan_lifetime;              /* 15 min, progress or not; at most 24 days */
    pl_time keepalive_idle, keepalive_interval; uint32_t keepalive_probes;   /* 7200 s, 75 s, 9; off unless set on the connection */
    uint8_t congestion_control;           /* enum pl_cc_algorithm, of new connections: PL_CC_CUBIC */
    bool loss_probe;                      /* tail loss probes (RFC 8985 7): true */
    bool validate_window;                 /* a window that is not used is kept, with caution (RFC 7661): true. Else it is given up when idle (RFC 5681 4.1) */
    bool syn_cookies;                     /* answer SYNs that there is no room to remember, after an overflow only; true */
    bool user_timeout_option;             /* PL_OPT_USER_TIMEOUT_OPTION of new connections: false */
    bool window_scaling, timestamps, sack;/* offered and accepted; all true */
    bool mem_is_zero;                     /* the block is already zero: init touches no page but the first */
    bool check;                           /* assert the invariants of a connection after every event */
    uint8_t hop_limit;                    /* 64 */
    uint8_t seed[32];                     /* the secret behind sequence numbers, ports, timestamps and tables: from the system's random source, or
                                             fixed for a reproducible run. All zero is refused */
};

/* Fills *config for a program on an ordinary host (64 MiB). `size` is sizeof(struct pl_config). The seed stays zero: set it. */
void pl_config_default(struct pl_config *config, size_t size);
/* The same for a small device: four connections with buffers in 64 KiB; see docs/architecture.md for other sizes. */
void pl_config_small(struct pl_config *config, size_t size);
/* Bytes of the block for this config; 0 if a field is out of range. */
size_t pl_stack_size(const struct pl_config *);
/* Why pl_stack_size gave 0: a sentence naming the field; NULL if the config is fine. */
const char *pl_config_problem(const struct pl_config *);
/* Makes a stack in `block` (64-byte aligned, `bytes` long, owned by the caller until the end). The stack is the block. PL_EINVAL: the
 * config is out of range; PL_ESIZE: too few bytes. */
int pl_stack_init(void *block, size_t bytes, const struct pl_config *, struct pl_env *, pl_time now, pl_stack **out);
/* After the block was copied, mapped elsewhere or read from a file: makes it usable here. PL_ELAYOUT: made by another build or not a stack. */
int pl_stack_attach(void *block, size_t bytes, struct pl_env *, pl_stack **out);
/* Moves the whole stack in time: everything that was due at t is due at t + by. */
void pl_stack_shift_time(pl_stack *, pl_time by);
/* Gives a copy secrets of its own when copy and original both live on: existing connections keep their numbers, new ones differ. */
void pl_stack_reseed(pl_stack *, const uint8_t seed[32]);
/* The longest time, in ns, within which everything that nobody owns (connections whose handles were given back, half-open and TIME-WAIT entries) returns to
 * CLOSED, whatever its peer and the network do; 0 if a field is out of range (the seed may be missing). `text` (NULL: not wanted) gets what it consists of, lines, cut to size. */
pl_time pl_longest_life(const struct pl_config *, char *text, size_t size);
size_t pl_stack_bytes(const pl_stack *);

/* Called for a mistake of our own, never for anything from the wire or the program; must not return. The embedder supplies it, os/host does for programs on
 * Linux (print and abort); with memcpy, memmove, memset and memcmp it is all that the library needs. */
void pl_panic(const char *file, int line, const char *what);

/* ---------------------------------------------------------------- the doors ---------------------------------------------------------------- */

/* Frames that arrived on `iface`, `n` of them. Bad ones are dropped, counted and traced, never an error. PL_EINVAL: no such interface. */
int pl_rx(pl_stack *, int iface, const struct pl_frame *, size_t n, pl_time now);
/* Writes up to `n` frames to send on `iface`. Each frame's span[0] must describe PL_HEADER_BYTES_MAX or more writable bytes; the other
 * spans are set by the stack, point into its block and hold until the next call other than pl_tx. Returns frames written, 0: nothing to say. */
int pl_tx(pl_stack *, int iface, struct pl_frame *, size_t n, pl_time now);
/* Fires the timers that are due; emits nothing. */
void pl_poll(pl_stack *, pl_time now);
/* When pl_poll (or any door) is wanted next: 0 while output for a ready interface or an event is pending, PL_NEVER if nothing is. */
pl_time pl_deadline(const pl_stack *);
/* A driver that completes later sets PL_F_HOLD and a cookie before pl_tx returns to the loop, and ends the hold with pl_tx_done. */
int pl_tx_hold(pl_stack *, const struct pl_frame *);
void pl_tx_done(pl_stack *, const struct pl_frame *);
/* A full device is not ready: its output no longer counts for pl_deadline, and pl_tx on it gives 0. Interfaces start ready. */
int pl_iface_ready(pl_stack *, int iface, bool ready);

enum pl_event_bit {
    PL_EV_ACCEPTABLE = 1,                 /* listener: pl_accept will give a connection */
    PL_EV_CONNECTED = 2,                  /* pl_connect succeeded */
    PL_EV_READABLE = 4,                   /* pl_recv will not give PL_EAGAIN: there are bytes, the end of the stream, or an error */
    PL_EV_WRITABLE = 8,                   /* pl_send will not give PL_EAGAIN: with PL_EV_CONNECTED (one from pl_accept can be written at once); when there is
                                             room after it took fewer bytes than asked (a quarter of the send buffer, or 64 KiB); and when the connection is over (an error then) */
    PL_EV_PEER_FINISHED = 16,             /* the peer will send nothing more */
    PL_EV_ERROR = 32,                     /* the connection failed: pl_error says why */
    PL_EV_URGENT = 128,                   /* the peer says that urgent data is ahead (MUST-31, 32); pl_urgent tells how much */
    PL_EV_TROUBLE = 256,                  /* not failed yet, but the network complains or the peer is silent: status.soft_error (MUST-47) */
    PL_EV_USER_TIMEOUT = 512,             /* the peer advertised a user timeout (RFC 5482): status.peer_user_timeout */
    PL_EV_INCOMING = 1024,                /* deferred listener: pl_incoming_next will give a SYN */
    PL_EV_WITHDRAWN = 2048,               /* deferred listener: a SYN that pl_incoming_next gave is gone undecided (reset by its sender, or too late): its handle is stale */
    PL_EV_CLOSED = 64,                    /* the connection is over (CLOSED or TIME-WAIT): pl_close gives the handle back */
};
struct pl_event {
    pl_handle handle;
    uint64_t cookie;                      /* the program's, as given to pl_listen, pl_connect, pl_set_cookie, pl_udp_open */
    uint32_t bits;                        /* enum pl_event_bit: what is new since the last event of this handle */
    uint32_t pad_;
};
/* Takes the next event; false: none. An event tells news: of bytes and datagrams that are left unread nothing is told until more come, so read until
 * PL_EAGAIN, or ask pl_ready. Connections and SYNs that still wait are told again after each that is taken. News of a handle that nobody took yet are one event. */
bool pl_event_next(pl_stack *, struct pl_event *);
/* The level: which of the bits hold now. */
uint32_t pl_ready(const pl_stack *, pl_handle);

/* ---------------------------------------------------------------- interfaces ---------------------------------------------------------------- */

enum pl_link { PL_LINK_IP, PL_LINK_ETHERNET };          /* frames start with the IP header (TUN), or with an Ethernet header */
struct pl_iface_params {
    uint32_t mtu;                         /* bytes of IP packet: 576 .. 65535; 1280 and more for IPv6 */
    uint32_t gso_bytes;                   /* 0, or the largest super-frame that the device takes, headers included, up to 65535 */
    uint8_t link;                         /* enum pl_link */
    bool csum_offload;                    /* the device completes transport checksums (PL_F_CSUM_PARTIAL) */
    uint8_t mac[6];                       /* Ethernet only: unicast */
};
struct pl_iface_info {
    struct pl_iface_params params;
    bool ready, up;
    uint64_t rx_frames, rx_bytes, tx_frames, tx_bytes, drops;
};
/* Returns the interface's number (0, 1, ...), PL_ENOMEM when ifaces_max are in use, PL_EINVAL. */
int pl_iface_add(pl_stack *, const struct pl_iface_params *);
/* Takes an interface away with its addresses, routes and neighbours; every connection on it fails with PL_ENETDOWN. PL_EINVAL: no such interface. */
int pl_iface_remove(pl_stack *, int iface);
int pl_iface_info(const pl_stack *, int iface, struct pl_iface_info *, size_t size);
/* An address of ours. prefix_bits: of its own family (24, 64); what shares the prefix is on the link and needs no route. PL_EINVAL (no such interface, no
 * address of a host, IPv6 on an MTU below 1280), PL_EADDRINUSE (ours already), PL_ENOMEM (addrs_max). */
int pl_addr_add(pl_stack *, int iface, const struct pl_addr *, unsigned prefix_bits);
int pl_addr_remove(pl_stack *, int iface, const struct pl_addr *);    /* PL_EINVAL, PL_EADDRNOTAVAIL (not ours on it) */
struct pl_route {
    struct pl_addr destination, gateway;  /* gateway unspecified: on the link */
    uint32_t prefix_bits;                 /* of its own family; 0 with an IPv4-mapped zero destination (::ffff:0.0.0.0) is the IPv4 default */
    int32_t iface;
    uint32_t metric, pad_;
};
int pl_route_add(pl_stack *, const struct pl_route *);                /* PL_EINVAL (no such interface, two families), PL_ENOMEM (routes_max) */
int pl_route_remove(pl_stack *, const struct pl_route *);             /* PL_EINVAL, PL_ENETUNREACH (there is none like it) */
struct pl_neighbor {
    struct pl_addr addr;
    int32_t iface;
    uint8_t mac[6];
    bool permanent;
    uint8_t state;                        /* 0 incomplete, 1 reachable, 2 stale, 3 delay, 4 probe, 5 permanent, 6 failed */
};
int pl_neighbor_add(pl_stack *, const struct pl_neighbor *);          /* permanent. PL_EINVAL (not Ethernet, no unicast mac), PL_ENOMEM (neighbors_max) */
int pl_neighbor_remove(pl_stack *, int iface, const struct pl_addr *);/* PL_EINVAL, PL_EHOSTUNREACH (not known) */
/* The address of ours that packets to `remote` would come from, and the MTU on the way there (NULL: not asked for). Sends nothing.
 * PL_ENETUNREACH, PL_EADDRNOTAVAIL, PL_EHOSTUNREACH (its neighbour failed just now). */
int pl_path(pl_stack *, const struct pl_addr *remote, struct pl_addr *local, uint32_t *mtu);
/* Lists: *cursor starts at 0; false at the end. */
bool pl_addr_next(const pl_stack *, uint32_t *cursor, int *iface, struct pl_addr *, unsigned *prefix_bits);
bool pl_route_next(const pl_stack *, uint32_t *cursor, struct pl_route *);
bool pl_neighbor_next(const pl_stack *, uint32_t *cursor, struct pl_neighbor *);

/* ---------------------------------------------------------------- TCP: RFC 9293 section 3.10 ---------------------------------------------------------------- */

struct pl_listen_params {
    struct pl_endpoint local;             /* address unspecified (all zero): both families, every address of ours; one family: PL_ZONE_IP6 */
    uint32_t backlog;                     /* 0: the config's */
    bool catch_all;                       /* takes what no other listener does: every port, every unicast address, ours or not (local must be all zero; one per stack) */
    bool deferred;                        /* no SYN is answered before pl_incoming_accept says so */
    uint16_t pad_;
    uint64_t cookie;                      /* inherited by accepted connections until pl_set_cookie */
};
/* Passive OPEN. PL_EADDRINUSE, PL_EADDRNOTAVAIL, PL_ENOMEM, PL_EINVAL (port 0; with catch_all: an address or port).
 *
 * What pl_set sets on a listener is inherited by the connections that come of it, beginning with their SYN-ACK; each may change it for itself.
 *
 * A catch-all listener is for a program that stands between (a VPN client, a virtual machine's monitor): with deferred it lets a connection be made only
 * after the one behind it was. pl_status tells the address that the peer meant. While one exists, and for its connections afterwards, the stack takes TCP for
 * other hosts' addresses and answers from them; frames must reach it (a TUN, a gateway's link address) and its routes must lead back. */
int pl_listen(pl_stack *, const struct pl_listen_params *, pl_listener *);
/* Takes the oldest finished connection. PL_EAGAIN: none yet. */
int pl_accept(pl_stack *, pl_listener, pl_conn *, struct pl_endpoint *remote /* or NULL */);

/* A deferred listener: PL_EV_INCOMING; pl_incoming_next; then, soon or later, accept or refuse, which ends the handle. Repeated SYNs are ignored meanwhile. As
 * many may wait as the listener's backlog says (then SYNs are dropped, never answered with a cookie), each for config.deferred_timeout; the peer's RST
 * withdraws one. A handle that is over gives PL_EHANDLE, and PL_EV_WITHDRAWN said so. */
/* The oldest SYN not given yet. local: whom the peer means. Either may be NULL. PL_EAGAIN: none; PL_EINVAL: the listener is not deferred. */
int pl_incoming_next(pl_stack *, pl_listener, pl_incoming *, struct pl_endpoint *local, struct pl_endpoint *remote);
/* The SYN is answered; pl_accept on the listener gives the connection, with this cookie, once the handshake is done. PL_ENETUNREACH: no way to the peer
 * now (the handle stays). */
int pl_incoming_accept(pl_stack *, pl_incoming, uint64_t cookie);
enum pl_refusal {
    PL_REFUSE_RESET,                      /* RST: "connection refused" */
    PL_REFUSE_HOST_UNREACHABLE,           /* ICMP: host (IPv6: address) unreachable */
    PL_REFUSE_NET_UNREACHABLE,            /* ICMP: net unreachable, no route */
    PL_REFUSE_PROHIBITED,                 /* ICMP: communication administratively prohibited */
    PL_REFUSE_SILENTLY,
};
/* The peer is told in this way (ICMP is limited like all of it), and nothing is remembered. PL_EINVAL: `how` is none of these. pl_close on the handle resets. */
int pl_incoming_refuse(pl_stack *, pl_incoming, enum pl_refusal how);

struct pl_connect_params {
    struct pl_endpoint remote;
    struct pl_endpoint local;             /* address unspecified: chosen by route (MUST-44); port 0: chosen (RFC 6056) */
    uint64_t cookie;
    uint32_t isn;                         /* used when isn_fixed: for tests and demonstrations */
    bool isn_fixed;
};
/* Active OPEN. The handle is valid at once; PL_EV_CONNECTED or PL_EV_ERROR follows. PL_EADDRINVALID (MUST-46), PL_ENETUNREACH, PL_EISCONN (a connection
 * between these addresses and ports exists), PL_EADDRINUSE (it is in TIME-WAIT, and a new one could not be told from it: RFC 6191), PL_EADDRNOTAVAIL
 * (the address is not ours, or every port is taken), PL_ENOMEM, PL_EINVAL (remote port 0). */
int pl_connect(pl_stack *, const struct pl_connect_params *, pl_conn *);

/* SEND: takes up to n bytes into the send buffer. Returns bytes taken (> 0), PL_EAGAIN (buffer full; PL_EV_WRITABLE follows), PL_EPIPE (after
 * pl_finish), PL_ENOTCONN, or the error the connection died of. Before ESTABLISHED bytes are queued. */
ptrdiff_t pl_send(pl_stack *, pl_conn, const void *bytes, size_t n);
/* SEND with the urgent flag: as pl_send; what was taken, and all before it that the peer has not acknowledged, is announced as urgent (RFC 9293 3.8.5).
 * New programs should not use it (SHLD-13). Urgent data stays in the stream. */
ptrdiff_t pl_send_urgent(pl_stack *, pl_conn, const void *bytes, size_t n);
/* Bytes from the next one to read up to and including the last urgent one (MUST-33); 0: none is known to be ahead. PL_EHANDLE. */
ptrdiff_t pl_urgent(const pl_stack *, pl_conn);
/* RECEIVE: gives up to n bytes. Returns bytes (> 0), 0 at the end of the stream (peer finished), PL_EAGAIN (PL_EV_READABLE follows),
 * or the error the connection died of, after everything that was received has been read. */
ptrdiff_t pl_recv(pl_stack *, pl_conn, void *bytes, size_t n);
/* In place. reserve: *span is writable room (len 0: none), valid until the next call on the stack; commit: n <= span.len bytes of it are sent. */
int pl_send_reserve(pl_stack *, pl_conn, size_t want, struct pl_span *);
int pl_send_commit(pl_stack *, pl_conn, size_t n);
/* peek: describes what is readable in up to max spans, returns spans (0: end of stream) or an error as pl_recv; consume: n bytes were read. */
int pl_recv_peek(pl_stack *, pl_conn, struct pl_span *, unsigned max);
int pl_recv_consume(pl_stack *, pl_conn, size_t n);
/* CLOSE of our direction: the FIN follows what is queued; receiving goes on (half-close). PL_ENOTCONN, PL_ECLOSING (done before). */
int pl_finish(pl_stack *, pl_conn);
/* Gives the handle back; always succeeds on a live handle. An open connection is finished in the background; with unread data it is reset (SHLD-3).
 * For a listener: waiting connections are reset. For UDP: what is queued is dropped. */
int pl_close(pl_stack *, pl_handle);
/* ABORT: RST, and everything queued is dropped; the handle stays until pl_close. */
int pl_abort(pl_stack *, pl_conn);
/* Aborts every connection, those whose handles were given back included: for a program that ends. TIME-WAIT entries and listeners stay. */
void pl_abort_all(pl_stack *);

/* STATUS */
enum pl_buffer_bound {                    /* why a buffer does not grow */
    PL_BUFFER_TUNED,                      /* it does when there is need */
    PL_BUFFER_FIXED,                      /* PL_OPT_SNDBUF, PL_OPT_RCVBUF or the config gave it this size */
    PL_BUFFER_LARGEST,                    /* config.sndbuf_max, config.rcvbuf_max */
    PL_BUFFER_MEMORY,                     /* more would be too much of the chunks that are left, or of what may be promised (window_overcommit) */
    PL_BUFFER_UNSCALED,                   /* the peer does not scale windows: no larger one can be said (RFC 7323 2.3) */
};
struct pl_tcp_status {
    struct pl_endpoint local, remote;
    enum pl_state state;
    int error;                            /* 0 or enum pl_error */
    int soft_error;                       /* what the network last complained of since there was progress (MUST-47): 0, PL_EHOSTUNREACH, ... */
    struct { uint32_t una, nxt, wnd, up, wl1, wl2, iss; } snd;
    struct { uint32_t nxt, wnd, up, irs; } rcv;
    uint32_t mss;                         /* payload bytes per segment as now sent */
    uint32_t peer_mss;                    /* as the peer announced */
    uint8_t snd_wscale, rcv_wscale;
    bool timestamps, sack, window_scaling, owned;
    uint32_t sndbuf_bytes, sndbuf_used, rcvbuf_bytes, rcvbuf_used;    /* the present sizes; used: not yet acknowledged, not yet read */
    uint8_t sndbuf_bound, rcvbuf_bound;   /* enum pl_buffer_bound */
    uint32_t cwnd_bytes, ssthresh_bytes, in_flight_bytes;
    pl_time srtt, rttvar, rto, min_rtt;   /* srtt 0: no sample yet */
    uint32_t backoffs;                    /* retransmissions in a row without progress */
    uint64_t bytes_sent, bytes_acked, bytes_received, bytes_retransmitted;
    uint64_t segs_out, segs_in, retransmits;
    pl_time user_timeout, peer_user_timeout;         /* in force, 0: none; as the peer last advertised it, 0: it did not (RFC 5482) */
    uint64_t cookie;                      /* the program's: what a connection from a deferred listener was accepted with */
    /* Congestion. Static strings, or those of the program's own (pl_env.cc) */
    const char *cc_name;                  /* "cubic" */
    const char *cc_doing;                 /* in a word or two: "slow start"; "" as long as nothing was sent */
    uint8_t phase;                        /* enum pl_cc_phase: open, a repair after fast detection, one after a time-out */
    bool window_validated;                /* the congestion window was used lately, as far as half of it (RFC 7661 4.3) */
    bool reordering_seen;                 /* segments have overtaken each other on this path (RFC 8985 6.2) */
    bool delivery_limited;                /* delivery_rate: the program, not the path, was what limited it */
    uint32_t pad_;
    uint64_t pacing_rate;                 /* bytes a second; 0: not paced */
    uint64_t delivery_rate;               /* bytes a second that arrived in the last round trip which was fully used, or in a later one that was faster; 0: not
                                             known yet. An algorithm that asks for samples has it from the last of them */
    /* The scoreboard, in bytes: snd.nxt - snd.una = in flight (no limited transmit, no duplicates counted) + lost + sacked */
    uint32_t sacked_bytes;                /* the peer has them, behind a gap */
    uint32_t lost_bytes;                  /* believed to be lost, and not sent again yet */
    uint32_t repeated_bytes;              /* sent again, and under way */
    uint32_t rcv_space_bytes;             /* what arrived in the last complete round trip of the receiver, in steps of 16 KiB (auto-tuning; 0 where it is fixed) */
    pl_time reo_wnd;                      /* RACK.reo_wnd as of now: for so long what is missing may be late before it counts as lost */
    uint64_t bytes_delivered;             /* ever: acknowledged by number or by block */
    /* From here to sndbuf_limited_time: since something was first sent, or, where config.flights_max is smaller than connections_max, since the connection last had to
     * give up what it knew of its path while it was idle. */
    uint64_t bytes_lost;                  /* ever believed to be lost: what was a mistake, and what was lost twice, included */
    uint32_t recoveries, time_outs, loss_probes;     /* repairs after fast detection; after time-outs (back-offs included); tail loss probes that went */
    uint32_t undone, reneged;             /* answers to a loss that were taken back (RFC 4015); the peer threw away what it had reported (RFC 2018 8) */
    pl_time busy_time;                    /* something was under way or waited to be sent; of that, */
    pl_time rwnd_limited_time;            /*   the peer's window was what held it back; */
    pl_time sndbuf_limited_time;          /*   the program was refused room in the send buffer, though the congestion window had some */
    /* How long ago; PL_NEVER: never */
    pl_time since_sent;                   /* text was last sent, or sent again */
    pl_time since_heard;                  /* something acceptable arrived (tcpi_last_ack_recv) */
    pl_time since_progress;               /* SND.UNA advanced, or something came to be outstanding */
};
int pl_status(const pl_stack *, pl_conn, struct pl_tcp_status *, size_t size);
int pl_error(const pl_stack *, pl_handle);                          /* 0, or what the connection died of */
/* What the connection waits for, in a sentence or two. Returns the length written (cut to size, always terminated). */
int pl_explain(const pl_stack *, pl_conn, char *text, size_t size);
/* Half-open and TIME-WAIT entries, which are no connections (yet, any more) and mostly have no handle. */
struct pl_entry {
    struct pl_endpoint local, remote;
    enum pl_state state;                  /* PL_SYN_RECEIVED or PL_TIME_WAIT */
    bool deferred;                        /* waits for the program's decision */
    bool reopens;                         /* SYN_RECEIVED on the ports of a TIME-WAIT entry, and that entry: it goes on waiting if nothing comes of the SYN */
    uint8_t retries;                      /* SYN_RECEIVED: how often the SYN-ACK was repeated */
    uint8_t pad_;
    pl_time until;                        /* TIME_WAIT: its end. SYN_RECEIVED: when the SYN-ACK is repeated or given up; deferred: the decision's deadline. PL_NEVER */
    pl_handle handle;                     /* TIME_WAIT: the connection's, while its program holds it. SYN_RECEIVED: its listener's. 0: none */
};
/* *cursor starts at 0; false at the end. `size` is sizeof(struct pl_entry). */
bool pl_entry_next(const pl_stack *, uint32_t *cursor, struct pl_entry *, size_t size);
/* What it waits for, as pl_explain. PL_EHANDLE: there is no such entry any more (state, local and remote are looked at). */
int pl_entry_explain(const pl_stack *, const struct pl_entry *, char *text, size_t size);
/* How many connections of each state there are, half-open and TIME-WAIT entries included. */
void pl_states(const pl_stack *, uint32_t counts[PL_STATE_COUNT]);
/* The same for those that hold this TCP port of ours on this address (unspecified: on any): who asks whether a port may be bound again. Walks every
 * record. */
void pl_port_states(const pl_stack *, const struct pl_endpoint *local, uint32_t counts[PL_STATE_COUNT]);
int pl_set_cookie(pl_stack *, pl_handle, uint64_t cookie);
bool pl_conn_next(const pl_stack *, uint32_t *cursor, pl_conn *);

enum pl_option {
    PL_OPT_NODELAY,                       /* 0/1: Nagle off (MUST-17) */
    PL_OPT_KEEPALIVE,                     /* 0/1 (MUST-24, 25) */
    PL_OPT_KEEPALIVE_IDLE, PL_OPT_KEEPALIVE_INTERVAL,  /* ns, 1 to 49 days, rounded up to whole milliseconds (MUST-27) */
    PL_OPT_KEEPALIVE_PROBES,              /* 1..255 without answer end the connection */
    PL_OPT_USER_TIMEOUT,                  /* ns, rounded up to whole milliseconds, at most 2^32 - 1 of them (49 days); 0: off */
    PL_OPT_SNDBUF, PL_OPT_RCVBUF,         /* bytes, 1 .. 2^30, at any time: the present size; who sets it ends the auto-tuning of this buffer. Lowered: what is in
                                             the buffer stays, and the window closes as text arrives: its right edge never moves left.
                                             Raised: beyond what the window scale of the handshake can say it is of no use */
    PL_OPT_DSCP,                          /* 0..63 (MUST-48) */
    PL_OPT_HOP_LIMIT,                     /* 1..255 (MUST-49) */
    PL_OPT_DELAYED_ACK,                   /* 0/1 */
    PL_OPT_ISN,                           /* listener: the ISN of its next connections, -1 for the keyed clock; for tests and demonstrations */
    PL_OPT_CORK,                          /* 0/1 */
    PL_OPT_USER_TIMEOUT_OPTION,           /* 0/1: the user timeout option is sent and heeded (RFC 5482: ENABLED) */
    PL_OPT_USER_TIMEOUT_CHANGEABLE,       /* 0/1: the peer's option may change PL_OPT_USER_TIMEOUT (CHANGEABLE): 1 until the program sets that */
    PL_OPT_USER_TIMEOUT_ADVERTISED,       /* ns, at most 32767 minutes, rounded up to seconds or minutes: what is advertised (ADV_UTO); 0: the user timeout if
                                             the program set it, else the config's, else 5 minutes */
    PL_OPT_MSS,                           /* at most so many bytes of text in a segment, announced to the peer and sent; 48 .. 65495, 0: no limit but the path's.
                                             What is announced: before the SYN goes, or on a listener (not by SYN cookies) */
    PL_OPT_SYN_RETRIES,                   /* 1 .. 100: the SYN is repeated this often; on a listener without effect */
    PL_OPT_CONGESTION,                    /* enum pl_cc_algorithm: at any time; the window stays (but that of `none`), the rest begins anew. PL_EINVAL: there is none of that
                                             number, or it needs more state than config.cc_state_bytes */
    PL_OPT_BACKLOG,                       /* listener: as in pl_listen_params, 1 and more; what waits already stays */
    PL_OPT_BUFFERS_FIXED,                 /* PL_SNDBUF_FIXED, PL_RCVBUF_FIXED, both or 0: which of the buffers is not auto-tuned */
};
enum { PL_SNDBUF_FIXED = 1, PL_RCVBUF_FIXED = 2 };
/* On a connection, or on a listener for the connections to come. PL_EINVAL: value out of range or option not of this kind of handle; PL_ENOTCONN: the connection
 * is over (pl_set only). */
int pl_set(pl_stack *, pl_handle, enum pl_option, int64_t value);
int pl_get(const pl_stack *, pl_handle, enum pl_option, int64_t *value);

/* ---------------------------------------------------------------- UDP and echo ---------------------------------------------------------------- */

/* local.port 0: chosen. A socket bound to one address of ours gets the datagrams for it even if another is bound to all.
 * PL_EADDRINUSE (exactly this address and port), PL_EADDRNOTAVAIL, PL_ENOMEM. */
int pl_udp_open(pl_stack *, const struct pl_endpoint *local, uint64_t cookie, pl_udp *);
/* An ICMP echo socket: local->port is the identifier (0: chosen). Datagrams are 2 bytes of sequence number (network order) plus data;
 * send sends requests, recv gives the answers. */
int pl_echo_open(pl_stack *, const struct pl_endpoint *local, uint64_t cookie, pl_udp *);
/* One datagram, whole or not at all. PL_EMSGSIZE, PL_EAGAIN (no memory now), PL_ENETUNREACH, PL_EADDRINVALID. */
int pl_udp_send(pl_stack *, pl_udp, const struct pl_endpoint *to, const void *bytes, size_t n);
/* One datagram. Returns its length even if `n` was smaller (the rest is lost), PL_EAGAIN, or a reported ICMP error once. */
ptrdiff_t pl_udp_recv(pl_stack *, pl_udp, struct pl_endpoint *from, void *bytes, size_t n);

/* ---------------------------------------------------------------- words and numbers ---------------------------------------------------------------- */

struct pl_counters {
    uint64_t drops[PL_DROP_COUNT];
    uint64_t sent[PL_WHY_SENT_COUNT];     /* frames out by reason */
    uint64_t connections_opened, connections_accepted, connections_failed, connections_reset;
    uint64_t time_backwards, trace_events;           /* doors called with an earlier time than before; frames told to the trace sink */
    uint64_t orphans_reset;               /* given up because there were too many */
    uint64_t early_text_shed;             /* how often text behind gaps was let go because memory was short */
    uint64_t timestamps_forgotten;        /* third messages of a handshake without the timestamps that were agreed on, and taken (threats V59) */
    uint64_t overlaps_differing;          /* segments that bring other bytes for a place that has some already: the first ones stay (threats V36) */
    uint64_t wscale_too_large;            /* SYNs with a window scale above 14, taken for 14 (RFC 7323 2.3) */
};
int pl_counters(const pl_stack *, struct pl_counters *, size_t size);
const char *pl_version(void);
/* Text to addresses and back: "192.0.2.1", "2001:db8::1". PL_EINVAL if it is none. pl_addr_text needs 64 bytes at most and returns buf. */
int pl_addr_parse(const char *text, struct pl_addr *);
const char *pl_addr_text(const struct pl_addr *, char *buf, size_t size);
const char *pl_endpoint_text(const struct pl_endpoint *, char *buf, size_t size);   /* "192.0.2.1:80", "[2001:db8::1]:80"; 72 bytes at most */

#ifdef __cplusplus
}
#endif
#endif
