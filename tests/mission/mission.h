/* SPDX-License-Identifier: MIT
 *
 * mission.h: what the tests of the mission's rows share. Each case runs over IPv4 and over IPv6: `BOTH(case)` in the table of a program.
 */
#ifndef PARLEY_TESTS_MISSION_H
#define PARLEY_TESTS_MISSION_H

#include "sim/pair.h"
#include "support/unit.h"
#include <inttypes.h>
#include <stdio.h>

typedef void mission_configure(struct pl_config *, enum pair_side, void *user);

extern bool mission_four, mission_six;
#define BOTH(f)                                                                                                                        \
    {#f "_ipv4", f, NULL, NULL, &mission_four}, {#f "_ipv6", f, NULL, NULL, &mission_six}
/* Whether this run of the case is the one over IPv6. */
#define SIX(state) (**(bool **)(state))

/* Two hosts with initial numbers 0 and 0; configure may be NULL. */
void mission_start(struct pair *, void **state, mission_configure *, void *user);
/* The same with initial numbers `client` and `server`; -1: keyed clock. */
void mission_start_isn(struct pair *, void **state, int64_t client, int64_t server, mission_configure *, void *user);
/* Nothing is left of any connection at that side: no record in any state but LISTEN. */
void mission_assert_clean(struct pair *, enum pair_side);
/* A server on port 80 that holds what it accepts, a client that connected to it and holds, both ESTABLISHED,
    nothing in flight. The segments so
 * far are marked as seen. Returns the client's connection; the server's is *accepted. */
struct program_conn *mission_establish(struct pair *, struct program_conn **accepted);
/* The status of a connection that must be alive. */
struct pl_tcp_status mission_status(const struct program_conn *);
/* The latest segment sent by a side. */
const struct pair_segment *mission_last(const struct pair *, enum pair_side from);

/* The states that the side's connection with the latest client port went through: "CLOSED SYN-SENT ESTABLISHED",
    from its trace. Each change
 * must begin where the one before ended. */
void mission_assert_states(const struct pair *, enum pair_side, const char *expected);
/* pair_forge with `bytes` of TCP options (a multiple of 4, at most 40). */
void mission_forge_options(struct pair *, enum pair_side from, const struct pair_forged *, const void *options, size_t bytes, pl_time at);
/* The TCP header of a kept frame. */
const uint8_t *mission_tcp_header(const struct pair *, const struct pair_segment *);
/* Switches the client off: the test plays its part with forged segments. */
void mission_play_client(struct pair *);

#define RUN(p) assert_int_equal(pair_run(p), SIM_IDLE)
#define RUN_FOR(p, t) assert_int_not_equal(pair_run_for(p, t), SIM_FAILED)
#define EXPECT(p, lines) assert_true(pair_expect(p, lines))
#define STACK(c) ((c)->program->node->stack)

#endif
