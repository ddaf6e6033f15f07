/* SPDX-License-Identifier: MIT
 *
 * progress.c: see progress.h.
 */
#include "cli/progress.h"
#include "cli/cli.h"
#include <stdio.h>
#include <unistd.h>

void progress_begin(struct progress *p, bool data_on_stdout, pl_time now)
{
    *p = (struct progress){.wanted = !cli_as_json && isatty(STDERR_FILENO) && !(data_on_stdout && isatty(STDOUT_FILENO)), .began = now};
}

void progress_tell(struct progress *p, const char *verb, uint64_t bytes, uint64_t of, pl_time now)
{
    char whole[40] = "";
    pl_time took = now - p->began;
    if (!p->wanted || took < PL_S || now - p->told < 200 * PL_MS) return;
    p->told = now;
    p->shown = true;
    if (of != UINT64_MAX) snprintf(whole, sizeof whole, " of %.1f", (double)of / (1 << 20));
    fprintf(stderr, "\r  %s %.1f%s MiB in %.0f s, %.1f MiB/s   ", verb, (double)bytes / (1 << 20), whole, (double)took / PL_S,
        (double)bytes / (1 << 20) / ((double)took / PL_S));
}

void progress_end(struct progress *p)
{
    if (p->shown) fprintf(stderr, "\r%79s\r", "");
    p->shown = false;
}
