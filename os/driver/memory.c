/* SPDX-License-Identifier: MIT
 *
 * memory.c: see memory.h.
 *
 * Each direction is a ring of slots. The slots that recv described stay taken until the next recv, because the caller still reads them.
 */
#include "os/driver/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "os/driver/frame.h"

enum { FRAMES_DEFAULT = 256 };

struct slot {
    struct pl_frame frame;
    uint8_t *bytes;
    size_t capacity;
};

struct direction {
    struct slot *slots;
    unsigned head, count, lent;           /* lent: of the first slots, handed out by the last recv */
    bool refused;                         /* a send found it full */
};

struct cable {
    struct direction way[2];              /* [i]: what end i receives */
    unsigned frames_max;
    bool closed[2];
};

struct end {
    struct pl_driver driver;
    struct cable *cable;
    int number;
};

static void take_back(struct cable *c, struct direction *d)
{
    d->head = (d->head + d->lent) % c->frames_max;
    d->count -= d->lent;
    d->lent = 0;
}

static int memory_recv(struct pl_driver *driver, struct pl_frame *frames, int n)
{
    struct end *e = (struct end *)driver;
    struct direction *d = &e->cable->way[e->number];
    take_back(e->cable, d);
    if (d->count == 0 && e->cable->closed[!e->number]) return PL_ENETDOWN;
    while (d->lent < d->count && (int)d->lent < n) {
        const struct slot *s = &d->slots[(d->head + d->lent) % e->cable->frames_max];
        frames[d->lent++] = s->frame;
        driver->rx_frames++;
        driver->rx_bytes += s->frame.span[0].len;
    }
    return (int)d->lent;
}

/* The sender's frame as the receiver is to see it. */
static bool put(struct slot *s, const struct pl_frame *f)
{
    size_t n = frame_bytes(f);
    if (s->capacity < n) {
        uint8_t *bytes = realloc(s->bytes, n);
        if (!bytes) return false;
        s->bytes = bytes;
        s->capacity = n;
    }
    frame_gather(f, s->bytes);
    s->frame = (struct pl_frame){.nspans = 1, .gso_size = f->gso_size, .gso_segs = f->gso_segs ? f->gso_segs : 1};
    s->frame.span[0] = (struct pl_span){s->bytes, n};
    if (f->flags & PL_F_CSUM_PARTIAL) s->frame.flags = PL_F_CSUM_OK;
    return true;
}

static int memory_send(struct pl_driver *driver, const struct pl_frame *frames, int n)
{
    struct end *e = (struct end *)driver;
    struct cable *c = e->cable;
    struct direction *d = &c->way[!e->number];
    if (c->closed[!e->number]) return PL_ENETDOWN;
    int taken = 0;
    for (; taken < n; taken++) {
        size_t bytes = frame_bytes(&frames[taken]);
        if (bytes == 0 || bytes > FRAME_BYTES_MAX) {
            driver->errors++;
            continue;
        }
        if (d->count == c->frames_max) {
            d->refused = true;
            break;
        }
        if (!put(&d->slots[(d->head + d->count) % c->frames_max], &frames[taken])) {
            driver->errors++;
            continue;
        }
        d->count++;
        driver->tx_frames++;
        driver->tx_bytes += bytes;
    }
    if (taken == n) d->refused = false;
    return taken;
}

static int memory_pollfd(struct pl_driver *driver)
{
    (void)driver;
    return -1;
}

static pl_time memory_deadline(struct pl_driver *driver, pl_time now)
{
    struct end *e = (struct end *)driver;
    struct cable *c = e->cable;
    const struct direction *in = &c->way[e->number], *out = &c->way[!e->number];
    bool news = in->count > in->lent || c->closed[!e->number] || (out->refused && out->count < c->frames_max);
    return news ? now : PL_NEVER;
}

static void cable_free(struct cable *c)
{
    for (int i = 0; i < 2; i++) {
        for (unsigned k = 0; c->way[i].slots && k < c->frames_max; k++)
            free(c->way[i].slots[k].bytes);
        free(c->way[i].slots);
    }
    free(c);
}

static void memory_close(struct pl_driver *driver)
{
    struct end *e = (struct end *)driver;
    e->cable->closed[e->number] = true;
    if (e->cable->closed[!e->number]) cable_free(e->cable);
    free(e);
}

static const struct pl_driver_ops memory_ops = {memory_recv, memory_send, memory_pollfd, memory_deadline, memory_close};

static bool valid(const struct pl_iface_params *p)
{
    return p->mtu > 0 && p->mtu <= 65535 && p->gso_bytes <= 65535 && p->link <= PL_LINK_ETHERNET;
}

static struct end *end_new(struct cable *c, int number, const struct pl_iface_params *params)
{
    struct end *e = calloc(1, sizeof *e);
    if (!e) return NULL;
    e->driver.ops = &memory_ops;
    e->driver.params = *params;
    snprintf(e->driver.name, sizeof e->driver.name, "memory-%c", 'a' + number);
    e->cable = c;
    e->number = number;
    return e;
}

int memory_pair_open(const struct memory_params *p, struct pl_driver **a, struct pl_driver **b)
{
    if (!valid(&p->a) || !valid(&p->b) || p->frames_max > 1u << 20) return PL_EINVAL;
    struct cable *c = calloc(1, sizeof *c);
    if (!c) return PL_ENOMEM;
    c->frames_max = p->frames_max ? p->frames_max : FRAMES_DEFAULT;
    struct end *ends[2] = {end_new(c, 0, &p->a), end_new(c, 1, &p->b)};
    c->way[0].slots = calloc(c->frames_max, sizeof *c->way[0].slots);
    c->way[1].slots = calloc(c->frames_max, sizeof *c->way[1].slots);
    if (!ends[0] || !ends[1] || !c->way[0].slots || !c->way[1].slots) {
        free(ends[0]);
        free(ends[1]);
        cable_free(c);
        return PL_ENOMEM;
    }
    *a = &ends[0]->driver;
    *b = &ends[1]->driver;
    return 0;
}
