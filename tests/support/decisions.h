/* SPDX-License-Identifier: MIT
 *
 * decisions.h: an ear on a stack's trace that believes nothing: at each event it looks at the connection (pl_status), and holds that
 *
 *   - the numbers of a decision are those of the connection at this moment, and before it;
 *   - what it says has happened: it is not told when nothing changed;
 *   - what a sender decides is told: between two frames cwnd, ssthresh, the phase, pacing, the algorithm and what it does, the counts of repairs, time-outs and
 *     mistakes change by an event that says so, or by what an ACK does ordinarily: growth by what has arrived; the steps of PRR (RFC 9937) while a loss is
 *     repaired; all that BBR makes of its model.
 *
 * A trace sink may not call the stack. This one does: pl_status and pl_explain only read, and nowhere else can be seen what is true at this moment.
 */
#ifndef PARLEY_TESTS_DECISIONS_H
#define PARLEY_TESTS_DECISIONS_H

#include <parley/parley.h>

enum { DECISIONS_KNOWN = 64 };

struct decisions_conn {
    const pl_stack *stack;
    pl_conn conn;
    struct pl_tcp_status frame, event;    /* at the last frame; at the last event of any kind */
    uint16_t told[PL_WHY_COUNT];          /* since the last frame */
};

struct decisions {
    const char *run;                      /* what is played, for the sentence below */
    unsigned seen[PL_WHY_COUNT];          /* of these reasons, of all connections */
    unsigned looked;                      /* frames at which a connection was looked at */
    unsigned wrongs;
    char wrong[600];                      /* the first thing that was not so */
    struct decisions_conn known[DECISIONS_KNOWN];
    unsigned next;
};

/* Another run begins: stacks and connections of earlier ones are forgotten, what was seen is not. */
void decisions_begin(struct decisions *, const char *run);
void decisions_hear(struct decisions *, const pl_stack *, const struct pl_trace_event *);

#endif
