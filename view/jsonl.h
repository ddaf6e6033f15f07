/* SPDX-License-Identifier: MIT
 *
 * jsonl.h: the trace as JSON, one object per event and line. The keys always come in the same order; a key whose value says nothing in
 * this event (no segment, no drop) is left out. Times are integers in nanoseconds, states and reasons are names.
 *
 *     {"time_ns":0,"node":"client","kind":"out","protocol":"TCP","local":"192.0.2.1:49152","remote":"192.0.2.2:80","conn":4294967296,
 *      "state_before":"CLOSED","state_after":"SYN-SENT","why":"SYN_CONNECT","text":"...","rule":"RFC 9293 3.10.1",
 *      "segment":{"flags":"SYN","seq":0,"ack":0,"len":0,"win":65535,...},"frame_bytes":60}
 */
#ifndef VIEW_JSONL_H
#define VIEW_JSONL_H

#include <parley/trace.h>
#include <stdio.h>

void jsonl_event(FILE *, const char *node, const struct pl_trace_event *, bool with_frame /* its bytes as hex, key "frame" */);
/* A JSON string with its quotes: control characters, quotes and backslashes escaped, bytes that are no valid UTF-8 as \ufffd. */
void jsonl_string(FILE *, const char *);

#endif
