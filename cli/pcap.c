/* SPDX-License-Identifier: MIT
 *
 * pcap.c: see pcap.h.
 */
#include "cli/pcap.h"
#include <errno.h>

bool cli_pcap_open(struct cli_pcap *p, const char *path, pl_time offset)
{
    p->out = fopen(path, "wb");
    if (!p->out) return false;
    p->offset = p->last = offset;
    p->error = 0;
    pcapng_begin(&p->file, p->out);
    return true;
}

int cli_pcap_interface(struct cli_pcap *p, const char *name, bool ethernet)
{
    return p->out ? pcapng_interface(&p->file, name, ethernet) : -1;
}

/* errno does not last until the end, and stdio tells an error once. */
static void keep_error(struct cli_pcap *p)
{
    if (!p->error && ferror(p->out)) p->error = errno ? errno : EIO;
}

void cli_pcap_event(struct cli_pcap *p, int interface, const struct pl_trace_event *event)
{
    if (!p->out) return;
    struct pl_trace_event e = *event;
    e.now += p->offset;
    p->last = e.now;
    pcapng_event(&p->file, interface, &e);
    keep_error(p);
}

void cli_pcap_flush(struct cli_pcap *p)
{
    if (!p->out) return;
    fflush(p->out);
    keep_error(p);
}

bool cli_pcap_close(struct cli_pcap *p)
{
    if (!p->out) return true;
    cli_pcap_flush(p);
    if (fclose(p->out) != 0 && !p->error) p->error = errno;
    p->out = NULL;
    errno = p->error;
    return !p->error;
}
