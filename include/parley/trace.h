/* SPDX-License-Identifier: MIT
 *
 * trace.h: everything the core does, as events: one per frame in, frame out, drop, change of state, timer and decision. Counters apart,
 * this is all that the views, the capture writer, the recorder and the tests ever read.
 */
#ifndef PARLEY_TRACE_H
#define PARLEY_TRACE_H

#include <parley/types.h>

#ifdef __cplusplus
extern "C" {
#endif

enum pl_drop {
    PL_DROP_NONE,
#define X(name, sentence, rule) PL_DROP_##name,
#include <parley/drops.def>
#undef X
    PL_DROP_COUNT
};

enum pl_reason {
    PL_WHY_NONE,
#define X(name, sentence, rule) PL_WHY_##name,
#include <parley/reasons.def>
#undef X
    PL_WHY_COUNT,
    PL_WHY_SENT_COUNT = PL_WHY_CALL_CONNECT              /* those of frames stand first */
};

enum pl_trace_kind {
    PL_TRACE_IN,                          /* a frame arrived: told after it was processed, so state_before/state_after frame its effect. `drop` says
                                             whether it was taken; `why` is unused. One per frame, always */
    PL_TRACE_OUT,                         /* a frame leaves: `why` */
    PL_TRACE_STATE,                       /* a connection changed state: state_before, state_after, `why` */
    PL_TRACE_TIMER,                       /* a timer acted: `why`; a = its interval in ns (TIMER_RTO: the RTO; where something is given up: for how long it was
                                             tried) */
    PL_TRACE_DECISION,                    /* congestion, window or path decision: `why`; a, b are the numbers it concerns (before, after) */
};

/* What a reader wants to know of a TCP segment without parsing it. Lengths in bytes. */
struct pl_trace_segment {
    uint32_t seq, ack;                    /* ack: 0 unless flags has PL_ACK */
    uint32_t len;                         /* text only, without SYN and FIN */
    uint32_t wnd;                         /* as meant: scaled, once the scale is known */
    uint16_t wnd_raw, up;                 /* as in the header */
    uint8_t flags;                        /* enum pl_tcp_flag */
    uint8_t opts;                         /* 1 MSS, 2 window scale, 4 SACK permitted, 8 timestamps, 16 SACK, 32 user timeout */
    uint8_t wscale, nsack;
    uint16_t mss, segs;                   /* segs: segments that this (super-)frame stands for, at least 1 */
    uint32_t ts_val, ts_ecr;
    uint32_t sack[8];                     /* lo, hi, lo, hi, ... */
    uint32_t user_timeout_s;              /* as the option says, in seconds */
};

/* Valid for the length of the call. */
struct pl_trace_event {
    pl_time now;
    uint8_t kind;                         /* enum pl_trace_kind */
    uint8_t state_before, state_after;    /* enum pl_state; equal where nothing changed; CLOSED where there is no connection */
    uint8_t protocol;                     /* 6 TCP, 17 UDP, 1 ICMP, 58 ICMPv6, 0 ARP and what is not IP */
    uint16_t why;                         /* enum pl_reason */
    uint16_t drop;                        /* enum pl_drop */
    int32_t iface;                        /* -1: none */
    uint32_t nspans;
    uint64_t conn;                        /* handle, 0: none (half-open and TIME-WAIT entries, replies without connection) */
    uint64_t cookie;                      /* the program's cookie of that handle */
    struct pl_endpoint local, remote;     /* port 0 where the protocol has none */
    const struct pl_trace_segment *seg;   /* NULL: not TCP, or not readable */
    const struct pl_span *frame;          /* the frame's bytes from its link header on, `nspans` spans; NULL for events without one */
    uint32_t frame_bytes;
    uint16_t gso_size, pad_;
    int64_t a, b;
};

typedef void pl_trace_fn(void *user, const struct pl_trace_event *);   /* may not call the stack */

const char *pl_drop_name(enum pl_drop);          /* "TCP_PAWS"; "?" out of range. Static strings, as all below */
const char *pl_drop_text(enum pl_drop);          /* the sentence */
const char *pl_drop_rule(enum pl_drop);          /* where the rule stands */
const char *pl_reason_name(enum pl_reason);
const char *pl_reason_text(enum pl_reason);
const char *pl_reason_rule(enum pl_reason);
const char *pl_state_name(enum pl_state);        /* as the RFC spells it: "SYN-SENT" */

#ifdef __cplusplus
}
#endif
#endif
