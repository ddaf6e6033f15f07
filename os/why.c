/* SPDX-License-Identifier: MIT
 *
 * why.c: see why.h.
 */
#include "os/why.h"

#include <stdarg.h>
#include <stdio.h>

int why_not(char *why, size_t size, int error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(why, size, format, args);
    va_end(args);
    return error;
}
