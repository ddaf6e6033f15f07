/* SPDX-License-Identifier: MIT
 *
 * packet.c: copies of frames. See packet.h.
 */
#include "sim/packet.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct packet *packet_alloc(size_t len)
{
    struct packet *p = malloc(sizeof *p + len);
    if (!p) {
        fputs("sim: out of memory\n", stderr);
        abort();
    }
    memset(p, 0, sizeof *p);
    p->len = len;
    return p;
}

struct packet *packet_from_bytes(const void *bytes, size_t len)
{
    struct packet *p = packet_alloc(len);
    if (len) memcpy(p->bytes, bytes, len);
    return p;
}

struct packet *packet_from_frame(const struct pl_frame *f)
{
    size_t len = 0, at = 0;
    for (unsigned i = 0; i < f->nspans; i++)
        len += f->span[i].len;
    struct packet *p = packet_alloc(len);
    for (unsigned i = 0; i < f->nspans; i++) {
        if (f->span[i].len) memcpy(p->bytes + at, f->span[i].base, f->span[i].len);
        at += f->span[i].len;
    }
    p->gso_size = f->gso_size;
    p->gso_segs = f->gso_segs;
    p->csum_start = f->csum_start;
    p->csum_off = f->csum_off;
    p->hdr_len = f->hdr_len;
    p->flags = f->flags;
    p->not_before = f->not_before;
    return p;
}

struct packet *packet_copy(const struct packet *from)
{
    struct packet *p = packet_alloc(from->len);
    memcpy(p, from, sizeof *p + from->len);
    return p;
}

void packet_free(struct packet *p)
{
    free(p);
}

void packet_frame(struct packet *p, struct pl_frame *f)
{
    memset(f, 0, sizeof *f);
    f->span[0] = (struct pl_span){p->bytes, p->len};
    f->nspans = 1;
    if (p->flags & (PL_F_CSUM_PARTIAL | PL_F_CSUM_OK)) f->flags = PL_F_CSUM_OK;
    f->gso_size = p->gso_size;
    f->gso_segs = p->gso_segs;
    f->hdr_len = p->hdr_len;
}

unsigned packet_segs(const struct packet *p)
{
    return p->gso_segs ? p->gso_segs : 1;
}
