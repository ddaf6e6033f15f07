/* SPDX-License-Identifier: MIT */
#include "transport/tcp/models/rate.h"

#include "base/seq.h"

/* A count of 64 bits of which the snapshot kept the lower half: it was at most 2^32 - 1 less than `now`. */
static uint64_t since(uint64_t now, uint32_t then) { return now - (uint32_t)((uint32_t)now - then); }

/* draft-ietf-ccwg-bbr 4.1.2.2, OnPacketSent: "If there is no data in flight yet, then we can start the delivery rate interval at the current time" */
void rate_sent(struct rate *c, struct rate_snapshot *p, pl_time now, uint32_t bytes, uint32_t in_flight)
{
    if (in_flight <= bytes)
        c->first_send_time = c->delivered_time = now;
    *p = (struct rate_snapshot){
        .delivered_time = c->delivered_time,
        .first_send_time = c->first_send_time,
        .delivered = (uint32_t)c->delivered,
        .lost = (uint32_t)c->lost,
        .tx_in_flight = in_flight & 0x7fffffff,
        .is_app_limited = c->app_limited != 0,
    };
}

/* 4.1.2.3, IsNewestPacket: "Is the given Packet the most recently sent packet that has been delivered?" */
static bool newest(const struct rate *c, const struct rate_round *rs, pl_time sent, uint32_t end)
{
    return sent > c->first_send_time || (sent == c->first_send_time && seq_gt(end, rs->last_acked));
}

/* 4.1.2.3, UpdateRateSample. */
void rate_delivered(struct rate *c, struct rate_round *rs, const struct rate_snapshot *p, uint32_t bytes, pl_time sent, uint32_t end, pl_time now)
{
    c->delivered += bytes;
    c->delivered_time = now;
    rs->newly_acked += bytes;
    if (rs->has_data && !newest(c, rs, sent, end))
        return;
    rs->has_data = true;
    rs->prior_delivered = since(c->delivered, p->delivered);
    rs->is_app_limited = p->is_app_limited;
    rs->send_elapsed = sent - p->first_send_time;
    rs->ack_elapsed = now - p->delivered_time;
    rs->last_acked = end;
    rs->lost = p->lost;
    rs->tx_in_flight = p->tx_in_flight;
    c->first_send_time = sent;
}

void rate_lost(struct rate *c, struct rate_round *rs, const struct rate_snapshot *p, uint32_t seq, uint32_t bytes, pl_time now, struct pl_cc_lost *why)
{
    c->lost += bytes;
    if (rs)
        rs->newly_lost += bytes;
    if (why)
        *why = (struct pl_cc_lost){
            .now = now,
            .bytes = bytes,
            .seq = seq,
            .delivered_total = c->delivered,
            .lost_total = c->lost,
            .prior_delivered = since(c->delivered, p->delivered),
            .lost_since_sent = (uint32_t)c->lost - p->lost,
            .tx_in_flight = p->tx_in_flight,
            .app_limited = p->is_app_limited,
        };
}

/* 4.1.2.3, GenerateRateSample. */
void rate_finish(struct rate *c, const struct rate_round *rs, pl_time min_rtt, struct pl_cc_rate *out)
{
    *out = (struct pl_cc_rate){0};
    /* "Clear app-limited field if bubble is ACKed and gone." */
    if (c->app_limited && c->delivered > c->app_limited)
        c->app_limited = 0;
    if (!rs->has_data)
        return;                           /* "nothing delivered on this ACK" */
    out->app_limited = rs->is_app_limited;
    out->prior_delivered = rs->prior_delivered;
    out->delivered = (uint32_t)(c->delivered - rs->prior_delivered);
    out->interval = rs->send_elapsed > rs->ack_elapsed ? rs->send_elapsed : rs->ack_elapsed;
    out->tx_in_flight = rs->tx_in_flight;
    out->lost = (uint32_t)c->lost - rs->lost;
    /* "Normally we expect interval >= MinRTT": what is shorter comes of an ACK of an earlier transmission than the last (4.1.3.5, approach 1). */
    out->valid = out->interval && out->interval >= min_rtt;
}

/* 4.1.2.4, CheckIfApplicationLimited and MarkConnectionAppLimited. C.pending_transmissions is 0 always: a segment is formed when it leaves. */
void rate_limited(struct rate *c, uint32_t unsent, uint32_t to_repeat, uint32_t in_flight, uint32_t cwnd)
{
    if (unsent || to_repeat || in_flight >= cwnd)
        return;
    c->app_limited = c->delivered + in_flight;
    if (!c->app_limited)
        c->app_limited = 1;
}
