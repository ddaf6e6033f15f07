/* SPDX-License-Identifier: MIT
 *
 * pcapng.h: the trace as a capture file that Wireshark reads: each frame with the reason for which it was sent, or what became of it, as
 * the packet's comment; changes of state, timers and decisions are comments of the next frame of their interface. Little-endian, times in
 * nanoseconds. (draft-ietf-opsawg-pcapng)
 */
#ifndef VIEW_PCAPNG_H
#define VIEW_PCAPNG_H

#include <parley/trace.h>
#include <stdio.h>

#define PCAPNG_INTERFACES_MAX 16
#define PCAPNG_NOTE_BYTES 600

struct pcapng {
    FILE *out;
    unsigned interfaces;
    char note[PCAPNG_INTERFACES_MAX][PCAPNG_NOTE_BYTES];     /* what happened since the interface's last frame */
};

/* Writes the file's head. The stream stays the caller's; errors are left to ferror(out). */
void pcapng_begin(struct pcapng *, FILE *out);
/* Declares an interface ("client tun0"); at any time before its first frame. Returns its number; -1: PCAPNG_INTERFACES_MAX are in use. */
int pcapng_interface(struct pcapng *, const char *name, bool ethernet);
/* One frame. comment: NULL or "": none. */
void pcapng_frame(struct pcapng *, int interface, pl_time, const struct pl_span *, unsigned nspans, bool inbound, const char *comment);
/* One event of the trace of that interface's stack. Events without a frame are kept for the next comment, as far as there is room. */
void pcapng_event(struct pcapng *, int interface, const struct pl_trace_event *);
/* One more line for the comment of the interface's next frame: whole, or not at all when PCAPNG_NOTE_BYTES are full. */
void pcapng_note(struct pcapng *, int interface, const char *line);

#endif
