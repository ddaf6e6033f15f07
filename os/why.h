/* SPDX-License-Identifier: MIT
 *
 * why.h: an error and the sentence that goes with it, in one expression: return why_not(why, size, PL_EINVAL, "there is no %s", name);
 */
#ifndef OS_WHY_H
#define OS_WHY_H

#include <stddef.h>

int why_not(char *why, size_t size, int error, const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
