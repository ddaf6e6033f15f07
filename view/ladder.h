/* SPDX-License-Identifier: MIT
 *
 * ladder.h: the sequence diagram of the textbooks, on a terminal, from the trace of both ends.
 *
 *                 client                                                                   server
 *       0.000000 SYN-SENT     ──SYN seq=0 ack=0 len=0 win=65535──────────────────────────▶ SYN-RECEIVED
 *                connect() was called: ask the peer to open, telling it our first sequence number [RFC 9293 3.10.1]
 *
 * A segment is one row at the time of its sending, with both sides' states after it: the sender's after sending, the receiver's after
 * taking it. Where that would mislead, because segments cross each other (simultaneous open and close), overtake each other, or are long
 * under way, a segment is two half rows, as in the figures of RFC 9293: one where it leaves, one where it arrives. So a row is printed
 * when it is known what became of the segment, and everything behind it waits.
 */
#ifndef VIEW_LADDER_H
#define VIEW_LADDER_H

#include <parley/trace.h>
#include <stdio.h>

enum ladder_quiet {                       /* what is not shown */
    LADDER_NO_STATES = 1,                 /* changes of state that no segment explains */
    LADDER_NO_TIMERS = 2,
    LADDER_NO_DECISIONS = 4,
    LADDER_NO_REASONS = 8,
    LADDER_NO_OPTIONS = 16,
    LADDER_NO_OTHERS = 32,                /* frames that are not TCP */
};

struct ladder_opts {
    FILE *out;
    unsigned width;                       /* columns, 80 .. 200 */
    bool colour, unicode;
    unsigned quiet;                       /* bits of enum ladder_quiet */
    bool one_sided;                       /* only side 0 is traced (the peer is a kernel): its segments are rows at once */
    uint16_t port;                        /* only TCP and UDP with this port on either end; 0: all */
    pl_time patience;                     /* a segment under way for longer gets its half row; 0: 1 s */
    const char *name[2];                  /* of side 0 (left) and 1 (right) */
};

/* For this stream and this environment: 100 columns; colour if it is a terminal and NO_COLOR is not set; UTF-8 if the locale of the
 * environment (LC_ALL, LC_CTYPE, LANG: the first that is set) says so. */
void ladder_opts_default(struct ladder_opts *, FILE *out);

struct ladder;
/* The options are copied, the names too. NULL: no memory. */
struct ladder *ladder_new(const struct ladder_opts *);
/* An event of the trace of `side` (0 or 1). */
void ladder_event(struct ladder *, unsigned side, const struct pl_trace_event *);

/* What the wire did. The notes of one frame are told by whoever owns the wire: LADDER_SENT for each frame in the order of the PL_TRACE_OUT
 * events of that side; then what befalls it; LADDER_ARRIVING right before the receiver gets it. Without notes the ladder pairs what is sent
 * with what arrives by its numbers; then it cannot know of losses. */
enum ladder_wire { LADDER_SENT, LADDER_LOST, LADDER_DUPLICATED, LADDER_DELAYED, LADDER_CORRUPTED, LADDER_INJECTED, LADDER_ARRIVING };
struct ladder_note {
    enum ladder_wire what;
    unsigned from;                        /* side that the frame comes from */
    pl_time now;
    uint64_t id;                          /* of the frame, its copies share it */
    uint32_t copy;                        /* 0: the original */
    pl_time extra;                        /* LADDER_DELAYED: by how much; PL_NEVER: until others have passed */
    const char *why;                      /* LADDER_LOST: by what; may be NULL */
    const uint8_t *frame;
    size_t frame_bytes;
    bool ethernet;
};
void ladder_note_link(struct ladder *, const struct ladder_note *);

/* A state that no event tells: of the listener before the first segment, of a kernel that was asked. */
void ladder_set_state(struct ladder *, unsigned side, enum pl_state);
/* A line of the narrator's, at its place in time. */
void ladder_say(struct ladder *, pl_time now, const char *text);
/* Prints what waits: segments still under way get their half row. */
void ladder_flush(struct ladder *);
void ladder_free(struct ladder *);        /* flushes */

#endif
