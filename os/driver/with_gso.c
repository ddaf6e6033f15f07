/* SPDX-License-Identifier: MIT
 *
 * with_gso.c: see with_gso.h. The way in is join.c.
 *
 * Out: segments are gathered in batches of BATCH for the inner device. If it takes only part of a super-frame's segments, the super-frame
 * is copied to `rest` and counts as taken; the rest goes out before anything else, at the next send or recv, and deadline() asks for one
 * soon.
 */
#include "os/driver/with_gso.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/checksum.h"
#include "os/driver/frame.h"
#include "os/driver/join.h"
#include "os/driver/segment.h"

enum { BATCH = 64 };

struct with_gso {
    struct pl_driver driver;
    struct pl_driver *inner;
    bool join, finish;
    uint32_t cpu;
    struct pl_frame out[BATCH];
    uint8_t header[BATCH][SEGMENT_HEADER_BYTES_MAX];
    struct pl_frame rest;                 /* rest_cut goes through it; valid while resting */
    struct segmenter rest_cut;
    bool resting;
    pl_time retry_at;                     /* when to try the rest again; 0: not said yet */
    bool refused;                         /* the caller was sent away, and has not come back yet */
    uint8_t *rest_bytes;
    struct pl_frame in[JOIN_FRAMES_MAX];
};

static bool link_is_ethernet(const struct with_gso *g) { return g->driver.params.link == PL_LINK_ETHERNET; }

/* Sends what is left of a super-frame. Returns 1: nothing is left, 0: the device is full, or an error. */
static int send_rest(struct with_gso *g)
{
    g->retry_at = 0;
    while (g->resting) {
        uint32_t first = g->rest_cut.index;
        int n = 0;
        while (n < BATCH && segmenter_next(&g->rest_cut, &g->out[n], g->header[n]))
            n++;
        int sent = n > 0 ? g->inner->ops->send(g->inner, g->out, n) : 0;
        if (sent < 0) return sent;
        g->rest_cut.index = first + (uint32_t)sent;
        if (g->rest_cut.index >= g->rest_cut.segments || n == 0) g->resting = false;
        else if (sent < n) return 0;
    }
    return 1;
}

/* Keeps a copy of a super-frame of which `sent` segments are gone. */
static void keep_rest(struct with_gso *g, const struct pl_frame *f, uint32_t sent)
{
    size_t n = frame_bytes(f);
    if (n > FRAME_BYTES_MAX) {
        g->driver.errors++;
        return;
    }
    frame_gather(f, g->rest_bytes);
    g->rest = *f;
    g->rest.span[0] = (struct pl_span){g->rest_bytes, n};
    g->rest.nspans = 1;
    g->resting = segmenter_begin(&g->rest_cut, &g->rest, link_is_ethernet(g), g->finish, g->cpu);
    g->rest_cut.index = sent;
}

static bool needs_work(const struct with_gso *g, const struct pl_frame *f)
{
    return f->gso_segs > 1 || (g->finish && f->flags & PL_F_CSUM_PARTIAL);
}

/* Sends one frame that has to be cut up or completed. Returns 1: taken, 0: device full, or an error. */
static int send_cut(struct with_gso *g, const struct pl_frame *f)
{
    struct segmenter cut;
    if (f->gso_segs <= 1 && frame_finish_checksum(f, &g->out[0], g->header[0], g->cpu)) return g->inner->ops->send(g->inner, g->out, 1);
    if (f->gso_segs <= 1 || !segmenter_begin(&cut, f, link_is_ethernet(g), g->finish, g->cpu)) {
        g->driver.errors++;
        return 1;
    }
    uint32_t gone = 0;
    while (gone < cut.segments) {
        int n = 0;
        while (n < BATCH && segmenter_next(&cut, &g->out[n], g->header[n]))
            n++;
        if (n == 0) {
            g->driver.errors++;           /* more spans than a frame can have */
            return 1;
        }
        int sent = g->inner->ops->send(g->inner, g->out, n);
        if (sent < 0) return sent;
        gone += (uint32_t)sent;
        if (sent < n) {
            if (gone == 0) return 0;
            keep_rest(g, f, gone);
            return 1;
        }
    }
    return 1;
}

static int with_gso_send(struct pl_driver *driver, const struct pl_frame *frames, int n)
{
    struct with_gso *g = (struct with_gso *)driver;
    int i = 0;
    g->refused = false;
    while (i < n) {
        int taken = send_rest(g);
        g->refused = taken == 0;
        if (taken < 1) return i > 0 ? i : taken;
        if (needs_work(g, &frames[i])) {
            taken = send_cut(g, &frames[i]);
        } else {
            int run = 1;
            while (i + run < n && !needs_work(g, &frames[i + run]))
                run++;
            taken = g->inner->ops->send(g->inner, &frames[i], run);
        }
        if (taken < 1) return i > 0 ? i : taken;
        for (int k = 0; k < taken; k++) {
            driver->tx_frames++;
            driver->tx_bytes += frame_bytes(&frames[i + k]);
        }
        i += taken;
    }
    return n;
}

static int with_gso_recv(struct pl_driver *driver, struct pl_frame *frames, int n)
{
    struct with_gso *g = (struct with_gso *)driver;
    int error = send_rest(g);
    if (error < 0) return error;
    int got;
    if (g->join) {
        got = g->inner->ops->recv(g->inner, g->in, n < JOIN_FRAMES_MAX ? n : JOIN_FRAMES_MAX);
        if (got > 0) got = join_frames(g->in, got, frames, link_is_ethernet(g), g->cpu);
    } else {
        got = g->inner->ops->recv(g->inner, frames, n);
    }
    for (int i = 0; i < got; i++) {
        driver->rx_frames++;
        driver->rx_bytes += frame_bytes(&frames[i]);
    }
    return got;
}

static int with_gso_pollfd(struct pl_driver *driver)
{
    struct with_gso *g = (struct with_gso *)driver;
    return g->inner->ops->pollfd(g->inner);
}

static pl_time with_gso_deadline(struct pl_driver *driver, pl_time now)
{
    struct with_gso *g = (struct with_gso *)driver;
    pl_time at = g->inner->ops->deadline ? g->inner->ops->deadline(g->inner, now) : PL_NEVER;
    /* The caller was sent away because of the rest; the rest is gone, and the device has no way to say that there is room again. */
    if (g->refused && !g->resting) return now;
    /* The caller does not know that something waits, so it does not poll for room. */
    if (g->resting && g->retry_at == 0) g->retry_at = now + PL_MS;
    return g->resting && g->retry_at < at ? g->retry_at : at;
}

static void with_gso_close(struct pl_driver *driver)
{
    struct with_gso *g = (struct with_gso *)driver;
    g->inner->ops->close(g->inner);
    free(g->rest_bytes);
    free(g);
}

static const struct pl_driver_ops with_gso_ops = {with_gso_recv, with_gso_send, with_gso_pollfd, with_gso_deadline, with_gso_close};

int with_gso_open(struct pl_driver *inner, const struct with_gso_params *p, struct pl_driver **out)
{
    if (p->gso_bytes > 65535 || (p->gso_bytes && p->gso_bytes < inner->params.mtu)) return PL_EINVAL;
    struct with_gso *g = calloc(1, sizeof *g);
    uint8_t *rest_bytes = malloc(FRAME_BYTES_MAX);
    if (!g || !rest_bytes) {
        free(g);
        free(rest_bytes);
        return PL_ENOMEM;
    }
    g->driver.ops = &with_gso_ops;
    g->driver.params = inner->params;
    g->driver.params.gso_bytes = p->gso_bytes ? p->gso_bytes : 65535;
    g->driver.params.csum_offload = true;
    snprintf(g->driver.name, sizeof g->driver.name, "%s", inner->name);
    g->inner = inner;
    g->join = p->join;
    g->finish = !inner->params.csum_offload;
    g->cpu = cpu_probe();
    g->rest_bytes = rest_bytes;
    *out = &g->driver;
    return 0;
}
