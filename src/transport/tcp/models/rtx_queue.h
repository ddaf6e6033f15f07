/* SPDX-License-Identifier: MIT
 *
 * rtx_queue.h: what was sent and is not yet acknowledged: one pooled record per segment (or super-frame), in sequence order, each pointing
 * at its bytes. RFC 9293 3.8.1 speaks of the "retransmission queue".
 *
 * pipe = the bytes believed to be in the network: every record counts, except those marked lost, of which what was sent again counts.
 */
#ifndef TCP_MODELS_RTX_QUEUE_H
#define TCP_MODELS_RTX_QUEUE_H

#include "base/chunks.h"
#include "base/slots.h"

enum rtx_flag { RTX_RETRANSMITTED = 1, RTX_LOST = 2, RTX_FIN = 4 };

struct rtx_record {
    pl_time sent;                         /* last transmission */
    uint32_t seq, len;                    /* sequence space, the FIN included */
    struct stream_at at;                  /* the first byte */
    uint32_t next, prev;
    uint8_t flags;                        /* enum rtx_flag */
    uint8_t transmissions;
    uint16_t pad_;
    uint32_t again;                       /* RTX_LOST, and no record was left to split it: so many bytes of its front were sent again since */
};

struct rtx_queue {
    uint32_t head, tail, count;
    uint32_t pipe;                        /* bytes */
    uint32_t lost;                        /* records marked lost */
    uint32_t first_lost;                  /* no lost record lies before this one; 0: look from the head */
};

struct rtx_acked {
    uint32_t bytes;                       /* sequence space newly acknowledged */
    pl_time sent;                         /* when the newest record that was sent exactly once was sent; 0: none (Karn, RFC 6298 3-a) */
    bool repeated;                        /* something of it was sent more than once: the time says nothing of the path */
};

/* 0 when the pool is empty or the queue has its maximum. */
uint32_t rtx_append(struct slots *, struct rtx_queue *, uint32_t max, uint32_t seq, uint32_t len, struct stream_at at, bool fin, pl_time now);
struct rtx_acked rtx_ack(struct slots *, const struct chunks *, struct rtx_queue *, uint32_t una);
void rtx_mark_lost(struct slots *, struct rtx_queue *, uint32_t record);
/* The first `most` bytes of the queue; a longer record is split first. */
void rtx_mark_front_lost(struct slots *, const struct chunks *, struct rtx_queue *, uint32_t most);
void rtx_mark_all_lost(struct slots *, struct rtx_queue *);
uint32_t rtx_first_lost(struct slots *, struct rtx_queue *);        /* 0: none */
/* What goes next of a lost record: its place, and its first sequence number. */
uint32_t rtx_next_again(struct slots *, const struct chunks *, uint32_t record, struct stream_at *);
/* From there `n` of the record's sequence numbers are sent again. It is split, so that only they count as sent; a pool without a record to spare leaves it
 * whole and lost, and remembers how far it went. */
void rtx_sent_again(struct slots *, const struct chunks *, struct rtx_queue *, uint32_t record, uint32_t n, pl_time now);
void rtx_free(struct slots *, struct rtx_queue *);
static inline struct rtx_record *rtx_at(const struct slots *records, uint32_t record) { return (struct rtx_record *)slots_array(records) + record; }

#endif
