/* SPDX-License-Identifier: MIT
 *
 * rtx_queue.h: what was sent and is not yet acknowledged: one pooled record per segment (or super-frame), in sequence order, each pointing
 * at its bytes. RFC 9293 3.8.1 speaks of the "retransmission queue", RFC 6675 3 of the "scoreboard": it is both.
 *
 * A record is flying, or lost (not before it is sent again), or sacked: the peer's blocks say that it has arrived. The flying ones form a list in order of
 * their last transmission, for RACK; the lost ones a list in the order in which they go again. Sacked neighbours are one record.
 *
 * pipe = the bytes believed to be in the network: those of flying records, and of lost ones what was sent again.
 */
#ifndef TCP_MODELS_RTX_QUEUE_H
#define TCP_MODELS_RTX_QUEUE_H

#include "base/chunks.h"
#include "base/slots.h"
#include "transport/tcp/models/rate.h"

enum rtx_flag { RTX_RETRANSMITTED = 1, RTX_LOST = 2, RTX_FIN = 4, RTX_SACKED = 8 };

struct rtx_record {
    pl_time sent;                         /* last transmission: RFC 8985 4-b */
    uint32_t seq, len;                    /* sequence space, the FIN included */
    struct stream_at at;                  /* the first byte */
    uint32_t next, prev;                  /* in sequence order */
    uint32_t later, earlier;              /* in the list of those that fly, or are lost */
    uint8_t flags;                        /* enum rtx_flag */
    uint8_t transmissions;
    union {
        uint16_t segs;                    /* RTX_SACKED: segments that it stands for */
        uint16_t order;                   /* else: the number of its last transmission: orders those of one instant */
    };
    uint32_t again;                       /* RTX_LOST, and there was none to split it with: so many bytes of its front were sent again since */
    struct rate_snapshot rate;
};

struct rtx_list {
    uint32_t first, last;
};
struct rtx_queue {
    uint32_t head, tail, count;
    uint32_t pipe;                        /* bytes */
    uint32_t repeated;                    /* of them those that were sent again */
    struct rtx_list flying, gone;         /* gone: lost */
    uint32_t lost;                        /* records marked lost */
    uint64_t lost_bytes;                  /* ever */
    uint32_t sacked, sacked_segs;         /* bytes, segments */
    uint32_t fack;                        /* RACK.fack, RFC 8985 6.2 step 3: the highest sequence number known to have arrived */
    uint32_t finger[2];                   /* where searches ended, 0: nowhere: ACKs speak of two places, where holes are filled and where new text arrives */
    uint16_t order;                       /* transmissions ever, modulo 2^16 */
    uint16_t pad_;
};

/* A transmission: when, as the how manieth, and up to where. Much leaves at the same instant, what is repeated behind what is new: its number tells the order,
 * and only for the parts of one the sequence number does, which RFC 8985 6.2 would go by. */
struct rtx_when {
    pl_time sent;
    uint32_t end;
    uint16_t order;
    uint16_t pad_;
};
/* RACK_sent_after */
static inline bool rtx_sent_after(const struct rtx_when *a, const struct rtx_when *b)
{
    if (a->sent != b->sent)
        return a->sent > b->sent;
    return a->order != b->order ? (int16_t)(a->order - b->order) > 0 : (int32_t)(a->end - b->end) > 0;
}

/* What an ACK says, and what follows from it: filled over its acknowledgement number and its blocks. */
struct rtx_heard {
    /* given */
    pl_time now, min_rtt;
    uint32_t recover, mss;
    uint32_t ts_offset, ts_ecr;
    bool echo;                            /* ts_ecr is there */
    bool rates;                           /* `last` and `rate` are wanted */
    /* found. `rack` holds if `valid`, `last` and `rate` if `any` */
    bool repeated;                        /* something newly acknowledged by number was sent more than once: its time says nothing of the path */
    bool reordered;                       /* RFC 8985 6.2 step 3: an original arrived after one that was sent later */
    bool original;                        /* something below `recover` that was sent once only arrived: RFC 5682 3.1 */
    bool any, valid;                      /* something arrived; of that, something with a time that counts: RFC 8985 6.2 step 2 */
    uint32_t delivered;                   /* bytes that were not known to have arrived */
    uint32_t sacked;                      /* of them by blocks */
    pl_time sample;                       /* when the newest record that was sent exactly once was sent; 0: none (Karn, RFC 6298 3-a) */
    struct rtx_when rack;                 /* the most recently sent one that is valid */
    struct rtx_when last;                 /* the most recently sent of all, and what was known then */
    struct rate_snapshot rate;
};

/* The part that is found, at its beginning. */
static inline void rtx_heard_nothing(struct rtx_heard *h)
{
    h->repeated = h->reordered = h->original = h->any = h->valid = false;
    h->delivered = h->sacked = 0;
    h->sample = 0;
}
/* 0 when the pool is empty or the queue has its maximum. */
uint32_t rtx_append(struct slots *, struct rtx_queue *, uint32_t max, uint32_t seq, uint32_t len, struct stream_at at, bool fin, pl_time now);
void rtx_ack(struct slots *, const struct chunks *, struct rtx_queue *, uint32_t una, struct rtx_heard *);
/* The peer has [lo, hi): RFC 2018. Looks at `*budget` records at most and takes what it looked at from it; where it stopped, the next search goes on.
 * Whole segments only: no block makes more records than there were segments. */
void rtx_sack(struct slots *, const struct chunks *, struct rtx_queue *, uint32_t max, uint32_t lo, uint32_t hi, uint32_t *budget, struct rtx_heard *);
void rtx_mark_lost(struct slots *, struct rtx_queue *, uint32_t record);
/* The first `most` bytes of the queue; a longer record is split first, if the pool and `max` let it. */
void rtx_mark_front_lost(struct slots *, const struct chunks *, struct rtx_queue *, uint32_t max, uint32_t most);
void rtx_mark_all_lost(struct slots *, struct rtx_queue *);         /* all that is not sacked */
void rtx_forget_sacks(struct slots *, struct rtx_queue *);          /* RFC 2018 8: the peer has thrown away what it had: it is lost */
void rtx_unmark_lost(struct slots *, struct rtx_queue *);           /* what is lost and was not sent again is believed to fly */
uint32_t rtx_first_lost(const struct slots *, const struct rtx_queue *);        /* what goes again next; 0: nothing */
/* What goes next of a lost record (or, if it is not lost, from its beginning): its place, and its first sequence number. */
uint32_t rtx_next_again(struct slots *, const struct chunks *, uint32_t record, struct stream_at *);
/* From there `n` of the record's sequence numbers are sent again. It is split, so that only they count as sent; a pool without a record to spare, or a
 * queue that has its maximum, leaves it whole and lost, and remembers how far it went. */
void rtx_sent_again(struct slots *, const struct chunks *, struct rtx_queue *, uint32_t max, uint32_t record, uint32_t n, pl_time now);
/* The last `most` bytes as a record of their own; 0: there is none to spare, or they are sacked or lost. */
uint32_t rtx_cut_tail(struct slots *, const struct chunks *, struct rtx_queue *, uint32_t max, uint32_t most);
void rtx_free(struct slots *, struct rtx_queue *);
static inline struct rtx_record *rtx_at(const struct slots *records, uint32_t record) { return (struct rtx_record *)slots_array(records) + record; }

#endif
