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
    pcapng_begin(&p->file, p->out);
    return true;
}

int cli_pcap_interface(struct cli_pcap *p, const char *name, bool ethernet)
{
    return p->out ? pcapng_interface(&p->file, name, ethernet) : -1;
}

void cli_pcap_event(struct cli_pcap *p, int interface, const struct pl_trace_event *event)
{
    if (!p->out) return;
    struct pl_trace_event e = *event;
    e.now += p->offset;
    p->last = e.now;
    pcapng_event(&p->file, interface, &e);
}

void cli_pcap_flush(struct cli_pcap *p)
{
    if (p->out) fflush(p->out);
}

bool cli_pcap_close(struct cli_pcap *p)
{
    if (!p->out) return true;
    errno = 0;
    bool good = fflush(p->out) == 0 && !ferror(p->out);
    int error = errno;
    good = fclose(p->out) == 0 && good;
    if (error) errno = error;
    p->out = NULL;
    return good;
}
