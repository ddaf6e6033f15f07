/* SPDX-License-Identifier: MIT
 *
 * victim_case.h: for a program whose cases have one victim each: `v`, made before the case and looked through after it. Included by the program's own
 * source only.
 */
#ifndef PARLEY_TESTS_VICTIM_CASE_H
#define PARLEY_TESTS_VICTIM_CASE_H

#include "support/unit.h"
#include "support/victim.h"

static struct victim v;

static inline int make(void **state)
{
    (void)state;
    victim_make(&v, NULL);
    return 0;
}

static inline struct pl_config config_with_timestamps(void)
{
    struct pl_config c = victim_config();
    c.timestamps = true;
    return c;
}

static inline int make_with_timestamps(void **state)
{
    struct pl_config c = config_with_timestamps();
    (void)state;
    victim_make(&v, &c);
    return 0;
}

static inline int unmake(void **state)
{
    (void)state;
    victim_free(&v);
    return 0;
}

/* Another one in the middle of a case. */
static inline void remake(const struct pl_config *c)
{
    victim_free(&v);
    victim_make(&v, c);
}

/* The peer's connection is aborted, the handle given back; what is said about it is not looked at. */
static inline void forget(struct peer *p)
{
    (void)pl_abort(v.s, p->c);
    assert_int_equal(pl_close(v.s, p->c), PL_OK);
    (void)victim_hush(&v);
}

/* How many connections and entries are in a state. */
static inline unsigned count(enum pl_state state)
{
    uint32_t counts[PL_STATE_COUNT];
    pl_states(v.s, counts);
    return counts[state];
}

#endif
