/* SPDX-License-Identifier: MIT
 *
 * ss.h: what `ss -tinoea` of iproute2 says of one socket of the kernel's namespace: the words of its line, looked up by name.
 */
#ifndef PARLEY_TESTS_SS_H
#define PARLEY_TESTS_SS_H

#include "support/rig.h"

struct ss {
    char state[16];                       /* "ESTAB", "SYN-SENT", "FIN-WAIT-2", ... */
    char timer[16];                       /* "", "on", "keepalive", "timewait", "persist" */
    unsigned timer_ms, timer_retries;
    char line[2000];
};

bool ss_installed(void);
/* The line of the socket or entry with these ports; the kernel's first. our_port 0: its listener. False: there is none. */
bool ss_find(struct rig *, uint16_t kernel_port, uint16_t our_port, struct ss *);
/* Whether the line has this word: "ts", "sack", "ecn". */
bool ss_word(const struct ss *, const char *word);
/* The number behind "name:" in thousandths, -1: it is not there. `second`: the one behind the next comma or slash. */
int64_t ss_milli(const struct ss *, const char *name);
int64_t ss_milli_second(const struct ss *, const char *name);
/* The same where it is a whole number; 0 when it is not there, as ss leaves out what is zero. */
int64_t ss_number(const struct ss *, const char *name);

#endif
