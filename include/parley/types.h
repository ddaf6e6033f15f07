/* SPDX-License-Identifier: MIT
 *
 * types.h: the words every part of parley shares: time, addresses, spans, frames, errors, TCP states.
 *
 * This header includes nothing of parley's and may be included by every rank, by C11 and by C++17.
 */
#ifndef PARLEY_TYPES_H
#define PARLEY_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Time is an argument: nanoseconds since an epoch of the caller's choosing that never moves backwards. The core never asks a clock. */
typedef uint64_t pl_time;
#define PL_NEVER UINT64_MAX               /* "no deadline" */
#define PL_US ((pl_time)1000)
#define PL_MS ((pl_time)1000000)
#define PL_S  ((pl_time)1000000000)

/* An address is 16 bytes in network order; an IPv4 address is held as ::ffff:a.b.c.d. `zone` is the interface number plus one for
 * link-local IPv6 addresses, else 0. All zero bytes: unspecified. */
struct pl_addr {
    uint8_t b[16];
    uint32_t zone;
};

/* Where a program binds (pl_listen, pl_udp_open), an address of zero bytes means every address of ours. With this zone only the IPv6 ones; the
 * mapped ::ffff:0.0.0.0 means only the IPv4 ones. A port may then be bound once for each family. */
#define PL_ZONE_IP6 UINT32_MAX

struct pl_endpoint {
    struct pl_addr addr;
    uint16_t port;                        /* host order */
    uint16_t pad_;
};

/* A run of bytes. Laid out like struct iovec, so that drivers can pass an array of them to readv and writev. */
struct pl_span {
    void *base;
    size_t len;
};

#define PL_SPANS 20                       /* spans in one frame: one of headers and up to 64 KiB in chunks of 4 KiB */
#define PL_HEADER_BYTES_MAX 160           /* the header room that pl_tx needs in span[0]: Ethernet + IPv6 + TCP with options, rounded up */

enum pl_frame_flag {
    PL_F_CSUM_OK = 1,                     /* in: the transport checksum is vouched for by the link (verified, or never left memory) */
    PL_F_CSUM_PARTIAL = 2,                /* out: the device adds the sum of [csum_start, end) at csum_start + csum_off */
    PL_F_HOLD = 4,                        /* out, set by the driver: the spans stay in use until pl_tx_done(cookie) */
};

/* One frame of the link, or one super-frame of `gso_segs` TCP segments of `gso_size` payload bytes each (the last may be shorter). */
struct pl_frame {
    struct pl_span span[PL_SPANS];
    uint8_t nspans, flags;                /* flags: enum pl_frame_flag */
    uint16_t gso_size;                    /* payload bytes per segment, 0: not a super-frame */
    uint16_t gso_segs;                    /* segments in this frame; 0 counts as 1 */
    uint16_t csum_start, csum_off;        /* with PL_F_CSUM_PARTIAL; from the start of the frame */
    uint16_t hdr_len;                     /* out: bytes of header in front of the payload (all in span[0]); in: the same, 0: unknown */
    uint32_t pad_;
    pl_time rx_time;                      /* in: when the device received it, 0: unknown */
    pl_time not_before;                   /* out: earliest departure, 0: at once */
    uint64_t cookie;                      /* out: names the held frame */
};

/* Connection states, RFC 9293 section 3.3.2. X(name, spelling as in the RFC) */
#define PL_STATES(X)                                                                                                                   \
    X(CLOSED, "CLOSED")                                                                                                                \
    X(LISTEN, "LISTEN")                                                                                                                \
    X(SYN_SENT, "SYN-SENT")                                                                                                            \
    X(SYN_RECEIVED, "SYN-RECEIVED")                                                                                                    \
    X(ESTABLISHED, "ESTABLISHED")                                                                                                      \
    X(FIN_WAIT_1, "FIN-WAIT-1")                                                                                                        \
    X(FIN_WAIT_2, "FIN-WAIT-2")                                                                                                        \
    X(CLOSE_WAIT, "CLOSE-WAIT")                                                                                                        \
    X(CLOSING, "CLOSING")                                                                                                              \
    X(LAST_ACK, "LAST-ACK")                                                                                                            \
    X(TIME_WAIT, "TIME-WAIT")
enum pl_state {
#define X(name, text) PL_##name,
    PL_STATES(X)
#undef X
    PL_STATE_COUNT
};

/* Header flags as they stand in the TCP header, RFC 9293 section 3.1. */
enum pl_tcp_flag {
    PL_FIN = 0x01,
    PL_SYN = 0x02,
    PL_RST = 0x04,
    PL_PSH = 0x08,
    PL_ACK = 0x10,
    PL_URG = 0x20,
    PL_ECE = 0x40,
    PL_CWR = 0x80,
};

/* Errors are negative. X(name, sentence) */
#define PL_ERRORS(X)                                                                                                                   \
    X(EINVAL, "an argument is out of range or does not fit the object it was used on")                                                 \
    X(EAGAIN, "nothing to do now; wait for an event and try again")                                                                    \
    X(EHANDLE, "no such object: the handle was given back, or never was")                                                              \
    X(ENOMEM, "the block is full: a table sized by the config has no free slot")                                                       \
    X(ESIZE, "the block of memory is smaller than pl_stack_size() says")                                                               \
    X(ELAYOUT, "the block was made by another build or version, or is not a stack")                                                    \
    X(EUNSUPPORTED, "this part is not built yet")                                                                                      \
    X(EADDRINUSE, "the address and port are taken")                                                                                    \
    X(EADDRNOTAVAIL, "the address is not one of ours, or no free port is left")                                                        \
    X(EADDRINVALID, "the remote address cannot be a peer (unspecified, broadcast or multicast)")                                       \
    X(ENOTCONN, "the connection does not exist yet or any more")                                                                       \
    X(EISCONN, "the connection already exists")                                                                                        \
    X(ECLOSING, "connection closing: the program has already finished sending")                                                        \
    X(EPIPE, "the connection is closed for sending")                                                                                   \
    X(EMSGSIZE, "the datagram is larger than the path or the buffer takes")                                                            \
    X(ECONNREFUSED, "connection refused by the peer")                                                                                  \
    X(ECONNRESET, "connection reset by the peer")                                                                                      \
    X(ECONNABORTED, "connection aborted by this side")                                                                                 \
    X(ETIMEDOUT, "the peer did not answer in time")                                                                                    \
    X(EHOSTUNREACH, "no route to the host, or its neighbour did not answer")                                                           \
    X(ENETUNREACH, "no route to the network")                                                                                          \
    X(ENETDOWN, "the interface was taken away")                                                                                        \
    X(EIO, "the device failed")
enum pl_error {
    PL_OK = 0,
    PL_ERROR_FIRST_ = -1000,              /* far from errno values, so that the two can never be mistaken for each other */
#define X(name, text) PL_##name,
    PL_ERRORS(X)
#undef X
    PL_ERROR_END_
};
const char *pl_strerror(int error);       /* a sentence; for 0 "no error", "?" for what is none of these. Static */
const char *pl_error_name(int error);     /* "PL_ETIMEDOUT" */

#ifdef __cplusplus
}
#endif
#endif
