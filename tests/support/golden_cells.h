/* SPDX-License-Identifier: MIT
 *
 * golden_cells.h: the tables below tests/sim/golden/: goodput.txt (how fast, against what the RFCs expect), shares.txt (who gets how much of a bottleneck),
 * delay.txt (how long frames wait there) and fill.txt (a long fat pipe from cold).
 */
#ifndef PARLEY_TESTS_GOLDEN_CELLS_H
#define PARLEY_TESTS_GOLDEN_CELLS_H

#include "support/golden.h"

struct golden_table {
    const char *path, *head;              /* head: the remarks that the file begins with */
    struct golden_cell *cell;
    size_t n;
};
/* Cells that cost more than `dearest` (Mbit/s for a minute, as expected) are left out. */
struct golden_table golden_goodput(double dearest);
struct golden_table golden_shares(void);
struct golden_table golden_delay(void);
struct golden_table golden_fill(void);
/* Plays a table and compares, or writes its file: how many lines are wrong. */
unsigned golden_check(const struct golden_table *, char *const *words, bool write, bool told);

#endif
