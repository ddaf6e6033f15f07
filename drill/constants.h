/* SPDX-License-Identifier: MIT
 *
 * constants.h: the names that scripts use for numbers: AF_INET, O_NONBLOCK, EPOLLIN, TCP_NODELAY, ... and fields of struct tcp_info.
 */
#ifndef DRILL_CONSTANTS_H
#define DRILL_CONSTANTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool drill_constant(const char *name, int64_t *value);
int drill_errno(const char *name);        /* "EAGAIN" -> EAGAIN; 0: no such error */
const char *drill_errno_name(int number); /* "EAGAIN"; "?" */
/* "tcpi_rtt" of a struct tcp_info of `bytes` bytes; TCPI_OPT_SACK, TCP_ESTABLISHED, TCP_CA_Open and so on, too. */
bool drill_info(const char *name, const void *info, size_t bytes, double *value);

#endif
