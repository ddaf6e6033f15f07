/* SPDX-License-Identifier: MIT
 *
 * program_net.h: a namespace in which `parley` makes its interface and the kernel is its peer, and a tree of files; for the tests of programs.
 */
#ifndef PARLEY_TESTS_PROGRAM_NET_H
#define PARLEY_TESTS_PROGRAM_NET_H

#include "os/host/testnet.h"
#include "support/skip.h"

extern struct testnet program_net;        /* one node, if program_net_works */
extern bool program_net_works;
extern char program_net_why[300];         /* why not */

/* The tree with "small" (hello) and "large", and the namespace, in which a TUN was made once to see that it can be. */
void program_net_open(size_t large_bytes);
void program_net_close(void);

#define NEEDS_TUN                                                                                                                                     \
    if (!program_net_works) SKIP_BECAUSE(program_net_why)

#endif
