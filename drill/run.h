/* SPDX-License-Identifier: MIT
 *
 * run.h: running a script on a target.
 */
#ifndef DRILL_RUN_H
#define DRILL_RUN_H

#include "drill/script.h"
#include "drill/target.h"
#include <parley/parley.h>

struct drill_options {                    /* from the command line; a script's own settings come after them */
    bool ipv6;
    int64_t tolerance_us;                 /* how far a time may be off; 0: the script's, or 4 ms */
    bool strict;                          /* at the end nothing may have been sent that the script did not expect */
    bool story;                           /* a script that fails tells what happened: the ladder */
    const char *settings;                 /* "name=value,..." or NULL */
    FILE *says;                           /* where print goes; NULL: nowhere */
    FILE *times;                          /* when each packet was sent that the script looked at, and what it was; NULL: nowhere */
    const char *plug;                     /* the shared object to run it on; NULL: the library in this process */
    drill_hears_fn *hears;                /* the trace of the stack in this process, each event as it happens; NULL: nobody listens */
    void *hears_user;
};

/* Runs it. True: it holds. False: `failure` gets "name:line: what was expected, and what happened", and the ladder so far if it is wanted. */
bool drill_run(const struct drill_script *, const struct drill_options *, FILE *failure);

#endif
