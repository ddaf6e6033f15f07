/* SPDX-License-Identifier: MIT
 *
 * text.h: the trace as lines of text, one per event, for logs (here folded):
 *
 *     0.000000 client out 192.0.2.1:49152 > 192.0.2.2:80 TCP SYN seq=0 ack=0 len=0 win=65535 mss=1460 SYN-SENT:
 *     connect() was called: ... [RFC 9293 3.10.1]
 */
#ifndef VIEW_TEXT_H
#define VIEW_TEXT_H

#include <parley/trace.h>
#include <stdio.h>

#define TEXT_LINE_MAX 900                 /* bytes that any line needs, with its end */

/* Writes the line without a newline, cut to size, terminated. Returns its length. `node`: who traces; NULL or "": nothing is said. */
size_t text_event(char *buf, size_t size, const char *node, const struct pl_trace_event *);
/* The same with a newline to a stream. */
void text_print(FILE *, const char *node, const struct pl_trace_event *);

#endif
