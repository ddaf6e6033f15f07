/* SPDX-License-Identifier: MIT
 *
 * differences.h: the lines in which parley's sockets say something else than the kernel's, as docs/sockets.md lists and justifies them.
 */
#ifndef TESTS_POSIX_DIFFERENCES_H
#define TESTS_POSIX_DIFFERENCES_H

struct difference {
    const char *name;                     /* the behaviour's */
    const char *kernel, *parley;          /* what they say */
};
extern const struct difference differences[];           /* the last one has no name */

#endif
