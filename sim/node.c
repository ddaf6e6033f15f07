/* SPDX-License-Identifier: MIT
 *
 * node.c: the host: its alarm clock and its trace. See node.h; the loop that runs it is in world.c.
 */
#include "sim/world.h"
#include <stdio.h>
#include <stdlib.h>

void sim_node_wake(struct sim_node *n, pl_time at)
{
    if (at != PL_NEVER && at < n->sim->now) at = n->sim->now;
    n->timer_generation++;
    n->timer_at = at;
    if (at == PL_NEVER) return;
    queue_put(&n->sim->queue, &(struct sim_item){.at = at, .what = SIM_TIMER, .node = n, .generation = n->timer_generation});
}

static void trace_all(void *user, const struct pl_trace_event *e)
{
    struct sim_node *n = user;
    for (unsigned i = 0; i < n->sinks; i++)
        n->sink[i](n->sink_user[i], e);
}

void sim_node_trace(struct sim_node *n, pl_trace_fn *fn, void *user)
{
    if (n->sinks == SIM_SINKS_MAX) {
        fprintf(stderr, "sim: more than %d readers of the trace of %s\n", SIM_SINKS_MAX, n->name);
        abort();
    }
    n->sink[n->sinks] = fn;
    n->sink_user[n->sinks++] = user;
    n->env.trace = trace_all;
    n->env.trace_user = n;
}

void sim_node_power(struct sim_node *n, bool on)
{
    n->dead = !on;
    n->wake_at = PL_NEVER;                /* a living host is armed again when it settles */
}

void sim_node_free(struct sim_node *n)
{
    free(n->memory);
    free(n);
}
