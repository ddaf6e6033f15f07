/* SPDX-License-Identifier: MIT
 *
 * traffic.h: one flow of a scenario: what two programs say to each other over one TCP connection, and what can be measured of it.
 *
 * The client's host opens the connection. Bulk, rated and on-off traffic goes from client to server; with requests the server's answers are what counts.
 */
#ifndef SIM_TRAFFIC_H
#define SIM_TRAFFIC_H

#include "sim/hist.h"
#include "sim/program.h"

enum traffic_kind {
    TRAFFIC_BULK,                         /* as fast as the stack takes it */
    TRAFFIC_REQUEST,                      /* `request` bytes, `answer` bytes back, a pause of `think`, again; `count` times (0: for ever) */
    TRAFFIC_RATED,                        /* `rate` bits a second */
    TRAFFIC_ONOFF,                        /* for `on` bulk (rate 0) or rated, for `off` nothing */
};

struct traffic_plan {
    uint8_t kind;                         /* enum traffic_kind */
    bool v6;
    bool cc_given;
    uint8_t cc;                           /* enum pl_cc_algorithm of both ends, if it is given; else the hosts' */
    uint64_t bytes;                       /* in all, 0: no end (TRAFFIC_REQUEST: see count) */
    uint64_t rate, request, answer;
    uint32_t count;
    pl_time start, stop;                  /* stop 0: with the run */
    pl_time think, on, off;
};

/* A segment of text that was sent and is not acknowledged, for round-trip times. */
struct traffic_sent {
    uint32_t end;
    bool again;                           /* part of it was sent more than once: no sample (Karn) */
    pl_time at;
};

struct traffic {
    struct traffic_plan plan;
    struct sim *sim;
    struct program *client, *server;
    struct pl_endpoint remote;
    struct program_conn *conn[2];         /* client's, server's; NULL: not yet */
    int error;                            /* why it did not begin, or what it died of; PL_E*, 0: none */
    bool sending;                         /* on-off: on */
    pl_time on_since, on_before;          /* on-off: how long it was on earlier, in all */
    bool ticking;                         /* a tick is to come */
    uint32_t asked, answered, done;       /* requests sent, answered by the server, whole answers got */
    pl_time asked_at;
    pl_time done_at;                      /* all bytes arrived, after a `stop` the end of what had been sent; 0: not, or there is no end */
    struct hist turn;                     /* ns from request to whole answer */
    /* From the trace of the side that sends what counts. */
    struct hist rtt;                      /* ns from a segment to the acknowledgement that ends with it */
    uint64_t segments, retransmits, retransmitted_bytes;
    uint64_t recoveries, time_outs, probes, undone;      /* losses noticed by acknowledgements; the retransmission timer; loss probes; what of these was undone */
    uint32_t sent_max;
    bool sent_any;
    struct traffic_sent *ring;
    size_t ring_first, ring_n, ring_size;
};

/* The server listens at remote.port now; the client connects at plan.start. The traffic must stay where it is; it takes the programs' `acted`. 0 or PL_E*. */
int traffic_begin(struct traffic *, struct sim *, struct program *client, struct program *server, struct pl_endpoint remote, const struct traffic_plan *);
/* An event of the trace of the side that sends what counts (traffic_sender), for this flow's port. */
void traffic_trace(struct traffic *, const struct pl_trace_event *);
unsigned traffic_sender(const struct traffic *);       /* 0: the client, 1: the server */
uint64_t traffic_received(const struct traffic *);     /* bytes of what counts that the other program got */
void traffic_free(struct traffic *);

#endif
