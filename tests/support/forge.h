/* SPDX-License-Identifier: MIT
 *
 * forge.h: TCP segments made by hand, and read back, as frames of a link without header (PL_LINK_IP). Checksums are right.
 */
#ifndef PARLEY_TESTS_FORGE_H
#define PARLEY_TESTS_FORGE_H

#include "wire/tcp_opts.h"
#include <parley/types.h>

enum { FORGE_BYTES_MAX = 2048 };

struct forged {
    struct pl_endpoint src, dst;          /* of one family */
    uint32_t seq, ack;
    uint16_t wnd, up;
    uint8_t flags;                        /* enum pl_tcp_flag */
    struct wire_tcp_opts opts;
    const void *text;                     /* NULL: text_bytes times 'x' */
    size_t text_bytes;
};
/* Writes the frame to `to` (FORGE_BYTES_MAX of room) and returns its length. */
size_t forge_tcp(uint8_t *to, const struct forged *);
/* Reads a frame back; false: not TCP, cut short or a wrong checksum. `text` points into the frame. */
bool forge_read(const uint8_t *frame, size_t bytes, struct forged *);

/* "192.0.2.1" and 80 as an endpoint; the text must be right. */
struct pl_endpoint forge_endpoint(const char *addr, uint16_t port);

#endif
