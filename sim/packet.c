/* SPDX-License-Identifier: MIT
 *
 * packet.c: copies of frames. See packet.h.
 */
#include "sim/packet.h"
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(SANITIZED)
#define KEEPS 0
#else
#define KEEPS 1
#endif
#define KEPT_MAX 4096                     /* enough for what comes and goes; a full pipe's worth of frames has no need to stay */

/* Freed packets with room for ordinary frames: the smaller ones (acknowledgements) and the larger ones. */
static const size_t room[] = {128, 1600};
static _Thread_local struct packet *kept[2];
static _Thread_local unsigned kept_n[2];

static unsigned class_of(size_t len) { return !KEEPS ? 2 : len <= room[0] ? 0 : len <= room[1] ? 1 : 2; }

static struct packet *packet_alloc(size_t len)
{
    unsigned class = class_of(len);
    struct packet *p = class < 2 ? kept[class] : NULL;
    if (p) {
        kept[class] = p->next;
        kept_n[class]--;
    } else {
        p = malloc(sizeof *p + (class < 2 ? room[class] : len));
    }
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
    unsigned class = p ? class_of(p->len) : 2;
    if (class == 2 || kept_n[class] >= KEPT_MAX) {
        free(p);
        return;
    }
    p->next = kept[class];
    kept[class] = p;
    kept_n[class]++;
}

void packet_frame(struct packet *p, struct pl_frame *f)
{
    /* Of the spans only the first is looked at: clearing the others would cost more than all else here. */
    memset(&f->nspans, 0, sizeof *f - offsetof(struct pl_frame, nspans));
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
