/* SPDX-License-Identifier: MIT
 *
 * progress.h: one line on stderr that says how far a long transfer is, for a person who waits: only on a terminal that the data itself does not
 * fill, only after a second, five times a second.
 */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <parley/types.h>
#include <stdbool.h>

struct progress {
    bool wanted, shown;
    pl_time began, told;
};

/* data_on_stdout: the transfer itself goes there. */
void progress_begin(struct progress *, bool data_on_stdout, pl_time now);
/* of: how much it will be in all; UINT64_MAX: not known. */
void progress_tell(struct progress *, const char *verb, uint64_t bytes, uint64_t of, pl_time now);
void progress_end(struct progress *);     /* wipes the line */

#endif
