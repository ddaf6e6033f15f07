/* SPDX-License-Identifier: MIT
 *
 * layers.h: one message through the layers, byte by byte: what each layer adds on the way down and takes off on the way up, every byte of
 * the frame under its layer, every header field with its offset in the frame, its size, name and value.
 *
 *     [Ethernet 14 | IPv4 20 | TCP 20+12 | HTTP 78]
 */
#ifndef VIEW_LAYERS_H
#define VIEW_LAYERS_H

#include <parley/trace.h>
#include <stdio.h>

struct layers_opts {
    FILE *out;
    bool colour, unicode;
    bool ethernet;                        /* the frame begins with an Ethernet header; else with IP */
    const char *application;              /* what the payload is: "HTTP"; NULL: "data" */
    size_t payload_max;                   /* bytes of payload shown; 0: 256 */
    bool no_fields, no_summary;           /* leave out the fields; the ways down and up */
};

/* As ladder_opts_default: by the stream and the environment. */
void layers_opts_default(struct layers_opts *, FILE *out);
/* Bytes that are no frame of the said kind are shown as data. */
void layers_print(const struct layers_opts *, const uint8_t *frame, size_t bytes);
/* The frame of an event (PL_TRACE_IN, PL_TRACE_OUT); nothing for one without a frame. */
void layers_event(const struct layers_opts *, const struct pl_trace_event *);

#endif
