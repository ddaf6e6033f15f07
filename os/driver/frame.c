/* SPDX-License-Identifier: MIT
 *
 * frame.c: a frame's bytes, wherever its spans are.
 */
#include "os/driver/frame.h"

#include <string.h>

size_t frame_bytes(const struct pl_frame *f)
{
    size_t n = 0;
    for (unsigned i = 0; i < f->nspans; i++)
        n += f->span[i].len;
    return n;
}

void frame_gather(const struct pl_frame *f, void *to)
{
    uint8_t *at = to;
    for (unsigned i = 0; i < f->nspans; i++) {
        if (f->span[i].len) memcpy(at, f->span[i].base, f->span[i].len);
        at += f->span[i].len;
    }
}

int frame_slice(const struct pl_frame *f, size_t off, size_t n, struct pl_span *out, int max)
{
    int spans = 0;
    for (unsigned i = 0; i < f->nspans && n > 0; i++) {
        size_t len = f->span[i].len;
        if (off >= len) {
            off -= len;
            continue;
        }
        size_t take = len - off < n ? len - off : n;
        if (spans == max) return -1;
        out[spans++] = (struct pl_span){(uint8_t *)f->span[i].base + off, take};
        n -= take;
        off = 0;
    }
    return n == 0 ? spans : -1;
}
