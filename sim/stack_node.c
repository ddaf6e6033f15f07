/* SPDX-License-Identifier: MIT
 *
 * stack_node.c: the node whose machine is a real pl_stack.
 */
#include "sim/world.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define HUGE ((size_t)1 << 21)
#define HUGE_ALIGN(p) ((void *)(((uintptr_t)(p) + HUGE - 1) & ~(HUGE - 1)))

static int stack_rx(struct sim_node *n, int iface, const struct pl_frame *f, size_t count, pl_time now)
{
    return pl_rx(n->stack, iface, f, count, now);
}

static int stack_tx(struct sim_node *n, int iface, struct pl_frame *f, size_t count, pl_time now)
{
    return pl_tx(n->stack, iface, f, count, now);
}

static void stack_poll(struct sim_node *n, pl_time now)
{
    pl_poll(n->stack, now);
}

static pl_time stack_deadline(const struct sim_node *n)
{
    return pl_deadline(n->stack);
}

static bool stack_event_next(struct sim_node *n, struct pl_event *e)
{
    return pl_event_next(n->stack, e);
}

const struct sim_node_ops sim_stack_ops = {stack_rx, stack_tx, stack_poll, stack_deadline, stack_event_next};

int sim_node_stack(struct sim_node *n, const struct pl_config *config)
{
    static const uint8_t zero[32];
    if (config) n->config = *config;
    else pl_config_default(&n->config, sizeof n->config);
    if (!memcmp(n->config.seed, zero, sizeof zero)) {
        struct sim_prng dice;
        sim_prng_seed(&dice, sim_prng_mix(n->sim->seed, 0x5eed0000u + n->number));
        for (unsigned i = 0; i < sizeof zero; i++)
            n->config.seed[i] = (uint8_t)(sim_prng_next(&dice) >> 56);
    }
    n->block_bytes = pl_stack_size(&n->config);
    if (!n->block_bytes) return PL_EINVAL;
    free(n->memory);
    n->memory = n->config.mem_is_zero ? calloc(1, n->block_bytes + 63) : malloc(n->block_bytes + 63);
    if (!n->memory) return PL_ENOMEM;
    n->block = (void *)(((uintptr_t)n->memory + 63) / 64 * 64);
    /* Not zeroed unless the config says that it is: what the stack does not initialise must not matter. */
    if (!n->config.mem_is_zero) memset(n->block, 0xa5, n->block_bytes);
    else if (n->block_bytes > HUGE) madvise(HUGE_ALIGN(n->block), n->block_bytes - HUGE, MADV_HUGEPAGE);      /* fewer faults where buffers are large */
    int rc = pl_stack_init(n->block, n->block_bytes, &n->config, &n->env, n->sim->now, &n->stack);
    if (!rc) n->ops = &sim_stack_ops;
    return rc;
}
