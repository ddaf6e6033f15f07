/* SPDX-License-Identifier: MIT
 *
 * figures.h: what some pairs of measurements say: medians, and the ratio with its 95 % interval.
 */
#ifndef BENCH_PATH_FIGURES_H
#define BENCH_PATH_FIGURES_H

enum { FIGURES_MAX = 99 };

double figures_median(const double *values, int n);      /* n of 1 .. FIGURES_MAX */

struct ratio {
    double middle, low, high;             /* low 0 and high infinite: too few pairs to say */
};
/* The geometric mean of b[i] / a[i] and the interval in which it lies with 95 % confidence: Student's, of the ratios' logarithms, for a ratio of two thirds is
 * as far from 1 as one of three halves. All values above 0. */
struct ratio figures_ratio(const double *a, const double *b, int n);

#endif
