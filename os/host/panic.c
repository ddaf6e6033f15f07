/* SPDX-License-Identifier: MIT
 *
 * panic.c: what a hosted program does when the core finds a mistake of its own: say where, and stop.
 *
 * The core leaves this one function to its embedder (together with memcpy, memmove, memset and memcmp it is all that the core needs from
 * outside). A bare-metal program supplies its own, which must not return.
 */
#include <stdio.h>
#include <stdlib.h>

_Noreturn void pl_panic(const char *file, int line, const char *what);

_Noreturn void pl_panic(const char *file, int line, const char *what)
{
    fprintf(stderr, "parley: %s:%d: this must not happen: %s\n", file, line, what);
    abort();
}
