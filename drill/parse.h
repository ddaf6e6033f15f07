/* SPDX-License-Identifier: MIT
 *
 * parse.h: what parse.c and parse_packet.c have of each other.
 */
#ifndef DRILL_PARSE_H
#define DRILL_PARSE_H

#include "drill/scan.h"

struct drill_packet *parse_packet(struct scan *);             /* '<' or '>' is next */

#endif
