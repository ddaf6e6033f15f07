/* SPDX-License-Identifier: MIT
 *
 * block.h: looking into the block of a stack: what must hold of it whatever happened, and that nothing is left when all is closed.
 */
#ifndef PARLEY_TESTS_BLOCK_H
#define PARLEY_TESTS_BLOCK_H

#include "stack/stack.h"

/* 64-byte aligned memory for this config, zeroed, and a stack made in it; aborts the test program when that fails. */
pl_stack *block_new(const struct pl_config *, struct pl_env *, pl_time now);
void block_free(pl_stack *);
/* A copy at another address, attached to `env`. */
pl_stack *block_copy(const pl_stack *, struct pl_env *);

/* NULL: fine; else what is wrong, in words (static storage). */
const char *block_free_slots_are_zero(const pl_stack *);            /* every slot that is not taken, of every pool, and every idle node */
const char *block_chunks_are_accounted(const pl_stack *);           /* each taken chunk is in exactly one chain */
const char *block_is_empty(const pl_stack *);                       /* no connection, entry, listener, socket, neighbour, chunk or deadline is left */

/* The slot pools by number, NULL at the end; *name is told. */
const struct slots *block_pool(const pl_stack *, unsigned n, const char **name);
/* Where a byte of the block is: "byte 12 of the slot 1 of conns". */
const char *block_place(const pl_stack *, size_t byte);

#endif
