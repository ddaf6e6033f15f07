/* SPDX-License-Identifier: MIT
 *
 * cc.h: congestion control as a plug-in: how much of a connection may fly, and how fast it goes. NewReno, CUBIC, BBR and `none` are built in; a
 * program's own stand in pl_env.cc. Which one a connection uses: config.congestion_control, PL_OPT_CONGESTION (at any time).
 *
 * An algorithm hears what happened and sets cc->cwnd, cc->ssthresh and cc->pacing_rate. Finding and repeating what was lost is not its concern: the stack
 * does that (RFC 8985), and while it repairs it lets segments go at the pace of RFC 9937 (PRR), unless the algorithm has PL_CC_OWN_RECOVERY.
 *
 * Units: bytes, nanoseconds, bytes per second. Integers only; it must not call the stack, nor keep anything but in cc and its state, so that a copy of the
 * block goes on as the original does.
 */
#ifndef PARLEY_CC_H
#define PARLEY_CC_H

#include <parley/types.h>

#ifdef __cplusplus
extern "C" {
#endif

enum pl_cc_algorithm { PL_CC_NEWRENO, PL_CC_CUBIC, PL_CC_BBR, PL_CC_NONE, PL_CC_USER };   /* PL_CC_USER + i: pl_env.cc[i] */
enum { PL_CC_STATE_BYTES = 448, PL_CC_CWND_MAX = 1 << 30 };

/* What the stack goes by. */
struct pl_cc {
    uint32_t cwnd;                        /* may fly; the stack never lets it fall below one MSS */
    uint32_t ssthresh;                    /* PL_CC_CWND_MAX: none yet */
    uint64_t pacing_rate;                 /* 0: not paced. However low it is, nothing waits for it longer than max(1 s, RTO) */
    uint32_t mss;                         /* set by the stack: payload of a full-sized segment */
    uint32_t quantum;                     /* paced: so much may go at once; 0: the stack's rule, max(2 MSS, 1 ms at pacing_rate), at most 64 KiB */
};

enum pl_cc_phase {
    PL_CC_OPEN,                           /* nothing is missing, as far as is known */
    PL_CC_RECOVERY,                       /* a loss is being repaired: from on_loss to on_recovered */
    PL_CC_LOSS,                           /* the same after a time-out */
};

/* A delivery-rate sample, draft-ietf-ccwg-bbr section 4.1 (RS); of the newest segment that this ACK says has arrived. */
struct pl_cc_rate {
    bool valid;                           /* the interval says something of the path. The rest holds whenever something arrived */
    bool app_limited;                     /* RS.is_app_limited: the program had too little to send when it was sent */
    uint32_t delivered;                   /* RS.delivered: bytes that arrived in the interval */
    pl_time interval;                     /* RS.interval */
    uint64_t prior_delivered;             /* RS.prior_delivered: P.delivered of that segment */
    uint32_t tx_in_flight;                /* RS.tx_in_flight: P.tx_in_flight: in flight right after it was sent, it included */
    uint32_t lost;                        /* RS.lost: bytes lost between its sending and now */
};

/* What one ACK brought. */
struct pl_cc_ack {
    pl_time now;
    uint32_t acked;                       /* bytes that SND.UNA advanced */
    uint32_t delivered;                   /* RS.newly_acked: bytes newly known to have arrived, cumulatively or selectively */
    uint32_t lost;                        /* RS.newly_lost: bytes newly believed to be lost */
    uint32_t in_flight_before, in_flight; /* the pipe before this ACK, and after it and the losses it revealed */
    uint64_t delivered_total, lost_total; /* C.delivered, C.lost: of the connection's life */
    pl_time rtt;                          /* a sample, 0: none */
    pl_time srtt, min_rtt;                /* 0: not known yet */
    uint32_t una, nxt;                    /* SND.UNA after it, SND.NXT: rounds of HyStart++ */
    uint8_t phase;                        /* enum pl_cc_phase, after it */
    bool limited;                         /* the window was used: growing it is justified (RFC 7661 4.1, RFC 9438 5.8) */
    bool app_limited;                     /* C.app_limited != 0 */
    bool paced;                           /* segments are spread over time: slow start need not be limited (RFC 9406 4.3) */
    bool no_sack;                         /* the peer reports no SACK: one loss in a round trip is noticed, not more */
    bool after_rto;                       /* a repair after a time-out is under way, or this ends it: what is acknowledged may have arrived long ago, so slow
                                           * start grows by one MSS at most (RFC 3465 2.3, RFC 5681 3.1) */
    struct pl_cc_rate rate;
};

/* A segment (or part of a super-frame) that is newly believed to be lost. */
struct pl_cc_lost {
    pl_time now;
    uint32_t bytes, seq;                  /* seq: of its first byte: what was lost side by side can be told from what was lost apart */
    uint64_t delivered_total, lost_total; /* C.delivered, C.lost, these bytes included */
    uint64_t prior_delivered;             /* P.delivered */
    uint32_t lost_since_sent;             /* C.lost - P.lost: these bytes included */
    uint32_t tx_in_flight;                /* P.tx_in_flight */
    bool app_limited;                     /* P.is_app_limited */
};

enum pl_cc_flag {
    PL_CC_OWN_RECOVERY = 1,               /* cwnd stays the algorithm's while a loss is repaired, after a time-out too */
    PL_CC_WANTS_RATE = 2,                 /* pl_cc_ack.rate is to be filled, on_lost to be called */
};

/* `state`: pl_cc_ops.state_bytes, aligned to 8, zeroed before on_start and the algorithm's own thereafter; it is lost when a connection that has been idle must give it up
 * for want of memory, and on_start comes again. `user` is pl_env.cc[i].user. A function that is NULL is not called. */
struct pl_cc_ops {
    const char *name;                     /* for people: at most 15 characters */
    uint32_t flags;                       /* enum pl_cc_flag */
    uint32_t state_bytes;                 /* of state that it uses; 0: PL_CC_STATE_BYTES. config.cc_state_bytes must be as much */
    void *user;
    /* First of all, and when the connection changes to this algorithm: cwnd and ssthresh are as they should be until more is known. srtt 0: not known. */
    void (*on_start)(void *user, struct pl_cc *, void *state, pl_time now, pl_time srtt);
    /* Each ACK that brought something: bytes that arrived, or losses that it revealed. In recovery too (see phase). */
    void (*on_ack)(void *user, struct pl_cc *, void *state, const struct pl_cc_ack *);
    /* A loss was noticed and fast recovery begins: sets ssthresh; without PL_CC_OWN_RECOVERY the stack leads cwnd there. flight: FlightSize (RFC 5681 2), as
     * far as it was validated (RFC 7661 4.4.1). */
    void (*on_loss)(void *user, struct pl_cc *, void *state, pl_time now, uint32_t flight);
    /* The retransmission timer ran out: sets ssthresh and cwnd. first: not a back-off of the same. */
    void (*on_rto)(void *user, struct pl_cc *, void *state, pl_time now, uint32_t flight, bool first);
    /* Everything that was outstanding when the loss was noticed has arrived. Without PL_CC_OWN_RECOVERY cwnd is about ssthresh. */
    void (*on_recovered)(void *user, struct pl_cc *, void *state, pl_time now);
    /* What on_loss or on_rto answered to was no loss (RFC 3522, 4015, 2883, 5682): as if it had not been called. */
    void (*on_undo)(void *user, struct pl_cc *, void *state, pl_time now);
    /* Something is sent after nothing was in flight for `idle`. RFC 7661 is the stack's without PL_CC_OWN_RECOVERY. */
    void (*on_restart)(void *user, struct pl_cc *, void *state, pl_time now, pl_time idle, bool app_limited);
    void (*on_lost)(void *user, struct pl_cc *, void *state, const struct pl_cc_lost *);        /* PL_CC_WANTS_RATE */
    /* What it is doing, in a word or two, for status and explanations; a static string. */
    const char *(*on_describe)(void *user, const struct pl_cc *, const void *state);
};

#ifdef __cplusplus
}
#endif
#endif
