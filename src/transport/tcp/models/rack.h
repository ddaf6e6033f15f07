/* SPDX-License-Identifier: MIT
 *
 * rack.h: which segments are lost? RACK: one that was sent before another that has arrived, and is missing for longer than reordering explains. RFC 8985 6.
 * And the tail loss probe: RFC 8985 7.
 */
#ifndef TCP_MODELS_RACK_H
#define TCP_MODELS_RACK_H

#include "transport/tcp/models/rtx_queue.h"

struct rack {
    struct rtx_when segment;              /* RACK.xmit_ts, .end_seq: the most recently sent segment that has arrived, if `known` */
    pl_time rtt;                          /* RACK.rtt: of that segment */
    pl_time min_rtt, min_next;            /* RACK.min_RTT: the smallest of this and the last RACK_MIN_PERIOD, and of this one alone; 0: none */
    pl_time min_since;
    uint32_t dsack_round;                 /* if dsack_seen: SND.NXT when the peer last told of a duplicate */
    uint32_t probe_end;                   /* TLP.end_seq, if probe_out */
    uint16_t reo_wnd_mult;
    uint8_t reo_wnd_persist;
    bool known, reordering_seen, dsack_seen;
    bool tells_duplicates;                /* the peer has told of a duplicate at some time: RFC 3522 3.2 (5) */
    bool probe_out, probe_again;          /* a loss probe is under way; TLP.is_retrans */
    bool sampled;                         /* a round-trip time was measured since the last probe */
    bool replicates;                      /* the network delivers some of it twice: RFC 2883 5.1 */
};
#define RACK_MIN_PERIOD (150 * PL_S)
enum { RACK_DUP_THRESH = 3, RACK_REO_WND_PERSIST = 16 };

/* How RACK_update_reo_wnd is asked. */
struct rack_question {
    pl_time now, srtt;
    uint32_t una, nxt;
    bool repairing;                       /* in fast or time-out recovery */
    bool dsack;                           /* this ACK tells of a duplicate */
};
struct rack_verdict {
    pl_time timeout;                      /* look again after so long; 0: no need */
    uint32_t bytes;                       /* newly marked lost */
    bool again;                           /* of them some that had been repeated already */
    pl_time again_sent;                   /* when the latest of those was */
};

void rack_init(struct rack *);
void rack_rtt(struct rack *, pl_time sample, pl_time now);                  /* step 1: RACK.min_RTT */
void rack_update(struct rack *, const struct rtx_heard *);                  /* steps 2 and 3 */
void rack_dsack(struct rack *, const struct rack_question *);               /* step 4: once an ACK, before rack_detect */
void rack_recovered(struct rack *);                                         /* step 4: a recovery ends */
pl_time rack_reo_wnd(const struct rack *, const struct rtx_queue *, const struct rack_question *);
/* Step 5. `lost` is called for each record that is marked, before it is. */
typedef void rack_lost_fn(void *user, struct rtx_record *);
struct rack_verdict rack_detect(const struct rack *, struct slots *, struct rtx_queue *, const struct rack_question *, rack_lost_fn *, void *user);
/* RFC 8985 6.3 */
void rack_mark_on_rto(const struct rack *, struct slots *, struct rtx_queue *, const struct rack_question *, rack_lost_fn *, void *user);
/* TLP_calc_PTO, RFC 8985 7.2, without its last rule. single: one segment is in flight */
pl_time rack_pto(pl_time srtt, bool single, pl_time max_ack_delay);

#endif
