/* SPDX-License-Identifier: MIT
 *
 * facts.h: what this machine lets parley do, found out by trying, and what to do about the rest: for `parley doctor`.
 */
#ifndef OS_HOST_FACTS_H
#define OS_HOST_FACTS_H

enum host_verdict {
    HOST_GOOD,
    HOST_LESS,                            /* works, but slower or with less */
    HOST_MISSING,
};

struct host_fact {
    const char *name;                     /* "/dev/net/tun"; static */
    const char *used_for;                 /* "parley serve --tun; the demo against the kernel"; static */
    enum host_verdict verdict;
    char is[320];                         /* what was found, or why it is refused; a sentence without a full stop */
    char advice[320];                     /* what to do about it; empty when good */
};

#define HOST_FACTS_MAX 16

/* Fills at most `max` facts (HOST_FACTS_MAX is enough) in the order in which they are to be read; returns how many. Makes namespaces of its
 * own to try things in and leaves nothing behind; changes nothing outside them. */
int host_facts(struct host_fact *, int max);

#endif
