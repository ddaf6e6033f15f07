/* SPDX-License-Identifier: MIT
 *
 * guard.h: memory that ends at a page which nobody may touch, so that reading or writing one byte too far kills the test.
 */
#ifndef PARLEY_TESTS_GUARD_H
#define PARLEY_TESTS_GUARD_H

#include <stddef.h>

/* n bytes (n may be 0), zeroed, whose end is the start of a PROT_NONE page. Aborts the test program when there is no memory. */
void *guard_alloc(size_t n);
/* The same, filled with a copy of bytes[0, n). */
void *guard_copy(const void *bytes, size_t n);
/* Gives back what guard_alloc or guard_copy gave; n as it was then. */
void guard_free(void *p, size_t n);
/* Gives back everything that was not freed yet. */
void guard_reset(void);

#endif
