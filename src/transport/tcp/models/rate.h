/* SPDX-License-Identifier: MIT
 *
 * rate.h: delivery-rate samples: how fast did the network deliver the newest flight? draft-ietf-ccwg-bbr section 4.1.
 *
 * Each transmission takes a snapshot P of the connection's counts C along. When it is known to have arrived, what was delivered since over the time that this
 * took is the sample RS: RS.delivered / max(send_elapsed, ack_elapsed), so that ACKs that bunch do not make the path look faster than it is.
 *
 *   sent again or for the first time     rate_sent        OnPacketSent
 *   an ACK arrives                       rate_limited     CheckIfApplicationLimited; also before the program's data is taken, and when a timer runs out
 *                                        struct rate_round = {0}                   InitRateSample
 *     for each segment, or part of it    rate_delivered   UpdateRateSample
 *     believed to be lost                rate_lost        C.lost
 *     at its end                         rate_finish      GenerateRateSample
 */
#ifndef TCP_MODELS_RATE_H
#define TCP_MODELS_RATE_H

#include <parley/cc.h>

/* 4.1.2.1.1: per connection. Zeroed at its start. */
struct rate {
    uint64_t delivered, lost;             /* C.delivered, C.lost: bytes of the connection's life */
    uint64_t app_limited;                 /* C.app_limited: C.delivered at which the gap in the stream has been acknowledged; 0: none */
    pl_time delivered_time;               /* C.delivered_time */
    pl_time first_send_time;              /* C.first_send_time */
};

/* 4.1.2.1.2: per transmission. P.send_time and P.packet_id (the segment's end) are the record's own. */
struct rate_snapshot {
    pl_time delivered_time;               /* P.delivered_time */
    pl_time first_send_time;              /* P.first_send_time */
    uint32_t delivered, lost;             /* P.delivered, P.lost, modulo 2^32: much less than that happens while a segment is under way */
    uint32_t tx_in_flight : 31;           /* P.tx_in_flight */
    uint32_t is_app_limited : 1;          /* P.is_app_limited */
    uint32_t pad_;
};
_Static_assert(sizeof(struct rate_snapshot) == 32, "each record of the retransmission queue has one");

/* 4.1.2.1.3: RS while an ACK is processed. */
struct rate_round {
    uint64_t prior_delivered;             /* RS.prior_delivered */
    pl_time send_elapsed, ack_elapsed;    /* RS.send_elapsed, RS.ack_elapsed */
    uint32_t newly_acked, newly_lost;     /* RS.newly_acked, RS.newly_lost */
    uint32_t last_acked;                  /* RS.last_acked_packet_id */
    uint32_t lost;                        /* P.lost of that segment */
    uint32_t tx_in_flight;
    bool has_data, is_app_limited;
    uint16_t pad_;
};

/* `bytes` go at `now`; with them `in_flight` bytes are in the network. */
void rate_sent(struct rate *, struct rate_snapshot *, pl_time now, uint32_t bytes, uint32_t in_flight);
/* `bytes` of the transmission at `sent`, which ends before sequence number `end`, are newly known to have arrived: called once for each byte. */
void rate_delivered(struct rate *, struct rate_round *, const struct rate_snapshot *, uint32_t bytes, pl_time sent, uint32_t end, pl_time now);
/* `bytes` of it, from `seq` on, are newly believed to be lost. rs NULL: not by an ACK. `why`, if not NULL, is what the congestion control is to be told. */
void rate_lost(struct rate *, struct rate_round *, const struct rate_snapshot *, uint32_t seq, uint32_t bytes, pl_time now, struct pl_cc_lost *why);
/* min_rtt: the smallest of the connection's life, 0: not known. */
void rate_finish(struct rate *, const struct rate_round *, pl_time min_rtt, struct pl_cc_rate *);
/* unsent: bytes that wait to be sent for the first time; to_repeat: that are lost and not sent again. If nothing waits though the window has room, what is
 * measured until this gap has been acknowledged says little of the path. */
void rate_limited(struct rate *, uint32_t unsent, uint32_t to_repeat, uint32_t in_flight, uint32_t cwnd);

#endif
