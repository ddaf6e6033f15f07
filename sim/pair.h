/* SPDX-License-Identifier: MIT
 *
 * pair.h: two hosts on one link, for the tests of the mission and the demonstration:
 *
 *     client 192.0.2.1, 2001:db8::1      one link, 10 ms each way      server 192.0.2.2, 2001:db8::2
 *
 * with programs on both, everything that happened kept (events of both traces, every segment and its fate), and expectations in a form that
 * reads like the figures of RFC 9293:
 *
 *     struct pair p;
 *     pair_init(&p, NULL);
 *     pair_listen(&p, 80, plan_echo());
 *     pair_connect(&p, 80, plan_source(99, 1));
 *     assert_int_equal(pair_run(&p), SIM_IDLE);
 *     assert_true(pair_expect(&p, "C> SYN     seq=0 ack=0 len=0 win=65535 states=SYN-SENT,SYN-RECEIVED\n"
 *                                 "S> SYN,ACK seq=0 ack=1 len=0\n"
 *                                 "*\n"));
 */
#ifndef SIM_PAIR_H
#define SIM_PAIR_H

#include "sim/program.h"
#include "sim/world.h"

enum pair_side { PAIR_CLIENT, PAIR_SERVER };

struct pair_opts {
    uint64_t seed;
    struct sim_hosts_params hosts;        /* the link, and the addresses */
    bool v6;                              /* pair_connect goes over IPv6 */
    int64_t isn[2];                       /* initial sequence numbers; -1: keyed clock */
    uint16_t client_port;                 /* of the first pair_connect, one higher with each; 0: the stack chooses */
    /* Changes the config of one side before its stack is made; may be NULL. */
    void (*configure)(struct pl_config *, enum pair_side, void *user);
    void *user;
};
/* Seed 1, 10 ms, no rate limit, IP link, MTU 1500, ISNs 0 and 0, client ports from 49152, small tables, the config's invariant checks
 * on. */
void pair_opts_default(struct pair_opts *);

enum pair_fate { PAIR_FLYING, PAIR_ARRIVED, PAIR_LOST };

/* A TCP segment that was put on the link, in order of sending. Injected ones are there too. */
struct pair_segment {
    uint64_t id;                          /* of its frame on the link */
    enum pair_side from;
    pl_time sent, arrived;                /* arrived: of the first copy; PL_NEVER: not yet */
    enum pair_fate fate;
    const char *lost_why;
    uint8_t flags;
    uint32_t seq, ack, len, win;
    uint16_t why, drop;                   /* enum pl_reason of the sender (0: injected); enum pl_drop of the receiver */
    unsigned copies;                      /* made by the network */
    bool injected, delayed, corrupted;
    uint8_t state[2]; /* of each side after the segment: sender's after sending, receiver's after taking it (before: 0xff) */
    uint16_t client_port;
    struct pl_trace_segment seg;          /* everything else, options included */
    uint8_t *frame;                       /* as sent */
    size_t frame_bytes;
};

/* One event of one trace. e.seg points to `seg`, e.frame is NULL. */
struct pair_event {
    enum pair_side side;
    struct pl_trace_event e;
    struct pl_trace_segment seg;
};

struct pair {
    struct pair_opts opts;
    struct sim *sim;
    struct sim_node *node[2];
    struct program *program[2];
    struct sim_link *link;
    struct pair_segment *segment;
    size_t segments, segment_capacity;
    struct pair_event *event;
    size_t events, event_capacity;
    size_t expected;                      /* segments that pair_expect has dealt with */
    uint16_t next_port;
    uint16_t port;                        /* the client's, of the latest pair_connect */
    /* kept by pair */
    bool listening;                       /* the server: on some port */
    size_t untold[2];                     /* first segment of that side whose frame was not seen on the link yet */
    size_t arriving[2];                   /* segment about to arrive there; SIZE_MAX: none */
};

/* Builds it (opts NULL: the default). Returns 0 or PL_E*; then sim_failure(p->sim) says more. pair_free is due in any case. */
int pair_init(struct pair *, const struct pair_opts *);
void pair_free(struct pair *);

/* Passive OPEN of the server's port on all its addresses. 0 or PL_E*. */
int pair_listen(struct pair *, uint16_t port, struct program_plan);
/* Active OPEN by the client. NULL: refused (sim_failure says why). */
struct program_conn *pair_connect(struct pair *, uint16_t port, struct program_plan);
/* Active OPEN by either side with ports given: for simultaneous open. local port 0: chosen. */
struct program_conn *pair_connect_from(struct pair *, enum pair_side, uint16_t local_port, uint16_t remote_port, struct program_plan);
/* The nth connection (from 0) of a side, in order of making; NULL: not yet. */
struct program_conn *pair_conn(struct pair *, enum pair_side, unsigned n);
struct impair *pair_impair(struct pair *, enum pair_side from);

enum sim_end pair_run(struct pair *);                          /* until idle, 1 hour of virtual time at most */
enum sim_end pair_run_for(struct pair *, pl_time);
/* Runs step by step until the side is in that state, `within` at most. Whether it is. */
bool pair_run_to_state(struct pair *, enum pair_side, enum pl_state, pl_time within);

/* State of the latest pair_connect's connection at that side, from its trace (so TIME-WAIT and half-open entries count). Before anything
 * happened the server is in LISTEN if it listens. CLOSED: none. */
enum pl_state pair_state(const struct pair *, enum pair_side);
size_t pair_segments(const struct pair *);                     /* p->segment[0 .. n) */
size_t pair_count_events(const struct pair *, enum pair_side, enum pl_trace_kind, unsigned why);   /* why 0: any */
size_t pair_count_drops(const struct pair *, enum pair_side, enum pl_drop);
/* Whether a connection's program saw a whole and right transfer of n bytes and the end of the stream. */
bool pair_received(const struct program_conn *, uint64_t n);

/* The frame of an earlier segment arrives (again) at the other side at `at`: an old duplicate. */
void pair_replay(struct pair *, size_t segment, pl_time at);
/* A segment made by hand, from `from` with that client port and server port, arrives at `at`. Checksums are right. */
struct pair_forged {
    uint16_t client_port, server_port;
    uint8_t flags;
    uint32_t seq, ack;
    uint16_t window;
    const void *text;
    size_t text_bytes;
};
void pair_forge(struct pair *, enum pair_side from, const struct pair_forged *, pl_time at);

/* Compares all segments since the last pair_expect with `lines`, one segment a line, in order of sending:
 *
 *     C> SYN,ACK seq=1 ack=2 len=0 win=65535 why=SYN_CONNECT states=SYN-SENT,LISTEN at=10ms lost
 *
 * Who sends (C> or S>) and the flags (a set, "-" for none; "?" for whatever) must be there; what else is there is compared: seq ack len
 * win mss, why (enum pl_reason), drop (enum pl_drop), states (client's and server's after it), at (ns, us, ms, s), arrives (same), one of
 * `lost`, `arrived`, `flying`, and `copied`, `delayed`, `corrupted`, `injected`. A line `*` stands for any number of segments, a line that
 * begins with # for nothing. On a difference both are printed side by side on stderr and the result is false. */
bool pair_expect(struct pair *, const char *lines);
/* The segments as such lines, for a failing test's output or a golden file; frees nothing: the caller frees. */
char *pair_text(const struct pair *);

#endif
