/* SPDX-License-Identifier: MIT
 *
 * pcap.h: --pcap FILE: the trace's frames as a capture file (view/pcapng.h), written as they come.
 */
#ifndef CLI_PCAP_H
#define CLI_PCAP_H

#include "view/pcapng.h"

struct cli_pcap {
    FILE *out;                            /* NULL: nothing is captured, and all calls do nothing */
    pl_time offset;                       /* added to the trace's times */
    pl_time last;                         /* of the latest frame, offset included */
    int error;                            /* errno of the first write that failed; 0: none did */
    struct pcapng file;
};

/* False: errno says why not. */
bool cli_pcap_open(struct cli_pcap *, const char *path, pl_time offset);
int cli_pcap_interface(struct cli_pcap *, const char *name, bool ethernet);
void cli_pcap_event(struct cli_pcap *, int interface, const struct pl_trace_event *);
/* So that the file is good up to here whatever happens next. */
void cli_pcap_flush(struct cli_pcap *);
/* False: not everything could be written; errno says why. */
bool cli_pcap_close(struct cli_pcap *);

#endif
