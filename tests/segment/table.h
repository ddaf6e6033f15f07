/* SPDX-License-Identifier: MIT
 *
 * table.h: tests/segment/table.txt, read. Its opening comment says what stands in it. A mistake in it ends the test program with the number of the line.
 */
#ifndef SEGMENT_TABLE_H
#define SEGMENT_TABLE_H

#include <stdbool.h>
#include <stdint.h>

enum { TABLE_STATES_MAX = 32, TABLE_KINDS_MAX = 128, TABLE_ROWS_MAX = 256, TABLE_GROUPS_MAX = 64 };
enum table_stamps { STAMPS_NONE, STAMPS_UNASKED, STAMPS_LATE, STAMPS_NEWER, STAMPS_EQUAL, STAMPS_OLD, STAMPS_MISSING, STAMPS };
enum table_answer {
    ANSWER_NOTHING, ANSWER_ACK, ANSWER_ACK_DELAYED, ANSWER_ACK_AGAIN, ANSWER_CHALLENGE, ANSWER_SYN_ACK, ANSWER_NEW_SYN_ACK, ANSWER_RST_OF_ACK,
    ANSWER_RST_OF_SEQ, ANSWER_RST_OF_NXT
};
enum table_told {                         /* what the program is told, and what became of the numbers */
    TOLD_OPENED = 1, TOLD_TO_ACCEPT = 2, TOLD_END = 4, TOLD_URGENT = 8, TOLD_ACKED = 16, TOLD_CLOSED = 32, TOLD_RESET = 64, TOLD_REFUSED = 128,
    TOLD_HELD = 256, TOLD_RESTART = 512, TOLD_WINDOW_FULL = 1024
};

struct table_set { uint64_t bits[2]; };
struct table_kind {
    const char *name, *seq, *ack, *text;  /* sums, as in the file; ack "-": none */
    uint16_t up;
    uint8_t flags;
};
struct table_row {
    struct table_set states, kinds, stamps;
    unsigned windows;                     /* 1: open, 2: closed */
    enum table_answer answer;
    const char *next;                     /* a state's name, or "same" */
    unsigned told, bytes, kept;           /* kept: text that came with a SYN, told later */
    uint16_t drop;                        /* enum pl_drop */
    const char *rule;
    unsigned line;
};
struct table {
    const char *states[TABLE_STATES_MAX];
    unsigned nstates;
    struct table_kind kinds[TABLE_KINDS_MAX];
    unsigned nkinds;
    const char *stamps[STAMPS];
    unsigned nstamps;
    struct { const char *name; unsigned what; struct table_set set; } groups[TABLE_GROUPS_MAX];
    unsigned ngroups;
    struct table_row rows[TABLE_ROWS_MAX], absent[TABLE_ROWS_MAX];
    unsigned nrows, nabsent;
};

const struct table *table_read(void);
/* How many rows speak of the cell; *first is one of them. absent: how many declarations say that it cannot exist. */
unsigned table_rows(unsigned state, unsigned kind, unsigned stamps, bool closed, const struct table_row **first);
unsigned table_absent(unsigned state, bool closed);

#endif
