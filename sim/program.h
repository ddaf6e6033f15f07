/* SPDX-License-Identifier: MIT
 *
 * program.h: small programs for the hosts of the simulation: a source that sends a pattern, a sink that verifies it, an echo, or one that
 * only holds the connection while a test acts. One `struct program` per host, any number of connections, each with its plan.
 *
 * A program never waits and never polls: it acts on events, as a real one would.
 */
#ifndef SIM_PROGRAM_H
#define SIM_PROGRAM_H

#include "sim/world.h"

struct program_plan {
    uint64_t send_bytes;                  /* of the pattern `salt`, as fast as the stack takes them */
    uint64_t salt;
    size_t write_bytes;                   /* bytes of one pl_send; 0: as many as there are */
    bool echo;                            /* sends back what it receives, behind send_bytes */
    bool verify;                          /* what is received must be the pattern `expect_salt` from its start */
    uint64_t expect_salt;
    bool hold;                            /* does not finish of its own accord */
    bool finish_last;                     /* finishes only after the peer has */
    bool paused;                          /* does not read */
    bool blank;                           /* sends zeros, and only counts what it receives: for long runs, where the pattern would cost more than TCP */
    void *tag;                            /* the maker's; nothing here looks at it */
    bool keep_handle;                     /* does not pl_close when the connection is over */
};
/* The common ones. */
struct program_plan plan_hold(void);                          /* reads, and leaves the rest to the test */
struct program_plan plan_source(uint64_t bytes, uint64_t salt);    /* sends, finishes, reads to the end */
struct program_plan plan_sink(uint64_t expect_salt);          /* verifies, finishes after the peer */
struct program_plan plan_echo(void);

struct program;
struct program_conn {
    struct program *program;
    unsigned number;                      /* in order of making, within the program */
    struct program_plan plan;             /* may be changed at any time; then program_pump */
    pl_conn handle;                       /* 0: given back */
    struct pl_endpoint remote;
    uint64_t sent, received;
    uint64_t events;                      /* all bits of events so far, by count */
    uint32_t seen_bits;                   /* all bits of events so far */
    bool accepted, connected, peer_finished, finished, over;
    int error;                            /* PL_E*, 0: none */
    bool mismatch;                        /* what was received is not the pattern, first at mismatch_at */
    uint64_t mismatch_at;
    uint64_t digest;                      /* of all bytes received, in order */
    pl_time finished_at, over_at;
    uint8_t *pending;                     /* received, not yet echoed */
    size_t pending_bytes, pending_first;
};

struct program_port {
    pl_listener handle;
    struct program_plan plan;             /* of the connections that it accepts */
};

#define PROGRAM_PORTS_MAX 64

struct program {
    struct sim_node *node;
    struct program_conn **conn;
    unsigned conns, capacity;
    struct program_port port[PROGRAM_PORTS_MAX];
    unsigned ports;
    /* Told of every event before the program acts on it; may be NULL. */
    void (*watch)(struct program *, struct program_conn * /* NULL: of a listener */, uint32_t bits);
    /* The same, after it has acted; may change the plan and pump. */
    void (*acted)(struct program *, struct program_conn *);
    void *user;
};

struct program *program_new(struct sim_node *);               /* becomes the node's on_event and user */
void program_free(struct program *);                          /* forgets; closes nothing */
/* 0 or PL_E*. isn: of the connections to come; -1: keyed clock. */
int program_listen(struct program *, const struct pl_endpoint *local, const struct program_plan *, int64_t isn);
/* NULL if pl_connect refuses (*error says why, if not NULL). params->cookie is overwritten. */
struct program_conn *program_connect(struct program *, struct pl_connect_params params, const struct program_plan *, int *error);
/* Does what the plan allows now: reads, writes, finishes. Call it after a change of plan. */
void program_pump(struct program_conn *);
/* The connection's next calls, for tests that act themselves. */
ptrdiff_t program_send_pattern(struct program_conn *, size_t n);   /* the next n bytes of the plan's pattern; bytes taken or PL_E* */
int program_finish(struct program_conn *);
int program_abort(struct program_conn *);
int program_close(struct program_conn *);

uint8_t pattern_byte(uint64_t salt, uint64_t offset);
void pattern_fill(uint64_t salt, uint64_t offset, uint8_t *to, size_t n);

#endif
