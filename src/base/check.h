/* SPDX-License-Identifier: MIT
 *
 * check.h: assertions for our own mistakes. They stay on in release. Nothing from the wire, a file or a user may trip one.
 */
#ifndef BASE_CHECK_H
#define BASE_CHECK_H

/* Supplied by os/host, or by the embedder on bare metal. Does not return. */
_Noreturn void pl_panic(const char *file, int line, const char *what);

#define CHECK(condition) ((condition) ? (void)0 : pl_panic(__FILE__, __LINE__, #condition))

#endif
