/* SPDX-License-Identifier: MIT
 *
 * figures.c: see figures.h.
 */
#include "bench/path/figures.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int by_value(const void *x, const void *y) { return *(const double *)x < *(const double *)y ? -1 : *(const double *)x > *(const double *)y; }

double figures_median(const double *values, int n)
{
    double sorted[FIGURES_MAX];
    memcpy(sorted, values, sizeof *sorted * (size_t)n);
    qsort(sorted, (size_t)n, sizeof *sorted, by_value);
    return n % 2 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}

/* The 97.5 % point of Student's distribution; beyond the table its value at the row before, which is on the safe side. */
static double student(int freedom)
{
    static const double t[] = {12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
        2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042};
    int last = sizeof t / sizeof *t;
    return t[(freedom < last ? freedom : last) - 1];
}

struct ratio figures_ratio(const double *a, const double *b, int n)
{
    double sum = 0, squares = 0;
    for (int i = 0; i < n; i++)
        sum += log(b[i] / a[i]);
    double mean = sum / n;
    for (int i = 0; i < n; i++)
        squares += pow(log(b[i] / a[i]) - mean, 2);
    if (n < 2) return (struct ratio){exp(mean), 0, INFINITY};
    double half = student(n - 1) * sqrt(squares / (n - 1) / n);
    return (struct ratio){exp(mean), exp(mean - half), exp(mean + half)};
}
