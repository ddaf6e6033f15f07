/* SPDX-License-Identifier: MIT
 *
 * golden.h: results of simulated runs, kept in git: a text file with a line for each cell (a scenario, and what is asked of it). A run of the cells makes the same
 * lines again, byte for byte, on every machine; so whatever changes a result shows as a diff of the file, and `make golden` writes it anew.
 *
 * A line is the cell's key, which no other line begins with, and what its `judge` says: numbers, and a verdict. A verdict that begins with FAIL is one whether the
 * file says so or not. Lines that begin with # are the file's own.
 */
#ifndef PARLEY_TESTS_GOLDEN_H
#define PARLEY_TESTS_GOLDEN_H

#include "sim/run.h"

enum { GOLDEN_KEY = 64, GOLDEN_LINE = 300, GOLDEN_SUMS = 8 };

struct golden_cell {
    char key[GOLDEN_KEY];
    bool left_out;                        /* not played; its line in the file stays */
    char scenario[3000];
    unsigned runs;                        /* with the seeds 1, 2, ...; 0 counts as 1 */
    double cost;                          /* what it takes, in any unit: the dearest begin first */
    void (*take)(const struct sim_run *, double sum[GOLDEN_SUMS]);       /* adds what each run brings */
    void (*judge)(const struct golden_cell *, const double sum[GOLDEN_SUMS], char *text, size_t size);
    double number[6];                     /* the judge's */
};

/* Plays the cells whose key contains each of `words` (NULL: all), as many at a time as there are processors, in processes of their own; line[i] gets cell i's line,
 * "": left out. What does not even run has a line that says why, with FAIL. `told`: what becomes known is told on stderr while it runs. */
void golden_play(const struct golden_cell *, size_t n, char *const *words, bool told, char (*line)[GOLDEN_LINE]);
/* Compares with the lines of the file that have the same keys: a difference, a line that fails, or one that is not there, is shown on stdout. How many there are of these. */
unsigned golden_compare(const char *path, size_t n, const struct golden_cell *, char (*line)[GOLDEN_LINE]);
/* Puts the lines in the place of those with their keys; the others of the cells stay. The file then has the cells in their order below `head` (lines that begin with #).
 * False: errno says why not. */
bool golden_write(const char *path, const char *head, size_t n, const struct golden_cell *, char (*line)[GOLDEN_LINE]);

#endif
