/* SPDX-License-Identifier: MIT
 *
 * with_link.c: see with_link.h.
 *
 * A world of two machines that do nothing of their own: `near` is the loop that we are a driver of, `far` the device. Whenever we are called, everything that is
 * due by now happens first, at the times at which it should have; only then is what is new put on the link, at this time.
 */
#include "sim/with_link.h"
#include <stdio.h>
#include <stdlib.h>

enum { BATCH = 32, BATCHES_MAX = 8 };     /* taken from the device in one go */

struct with_link {
    struct pl_driver driver;
    struct pl_driver *inner;
    pl_time (*clock)(void);
    struct sim *sim;
    struct sim_link *link;
    struct fifo arrived;                  /* and not received yet */
    struct fifo lent;                     /* described by the last recv */
    struct hist late;
    uint64_t refused;
    int error;                            /* of the device: told once everything that came before it was received */
};

/* ---- the machines */

static int nothing_to_send(struct sim_node *n, int iface, struct pl_frame *f, size_t count, pl_time now)
{
    (void)n, (void)iface, (void)f, (void)count, (void)now;
    return 0;
}
static void nothing_to_do(struct sim_node *n, pl_time now) { (void)n, (void)now; }
static pl_time never(const struct sim_node *n)
{
    (void)n;
    return PL_NEVER;
}
static bool no_event(struct sim_node *n, struct pl_event *e)
{
    (void)n, (void)e;
    return false;
}

static void note_lateness(struct with_link *w, pl_time due)
{
    pl_time now = w->clock();
    hist_add(&w->late, now > due ? now - due : 0);
}

static int near_rx(struct sim_node *n, int iface, const struct pl_frame *f, size_t count, pl_time due)
{
    struct with_link *w = n->machine;
    (void)iface;
    for (size_t i = 0; i < count; i++)
        fifo_put(&w->arrived, packet_from_frame(&f[i]), due);
    note_lateness(w, due);
    return 0;
}

static int far_rx(struct sim_node *n, int iface, const struct pl_frame *f, size_t count, pl_time due)
{
    struct with_link *w = n->machine;
    (void)iface;
    int sent = w->inner->ops->send(w->inner, f, (int)count);
    if (sent < 0 && !w->error) w->error = sent;
    if (sent >= 0) w->refused += count - (size_t)sent;
    note_lateness(w, due);
    return 0;
}

static const struct sim_node_ops near_ops = {near_rx, nothing_to_send, nothing_to_do, never, no_event};
static const struct sim_node_ops far_ops = {far_rx, nothing_to_send, nothing_to_do, never, no_event};

/* ---- the driver */

/* What is due has happened, and the world's clock shows the time. */
static void catch_up(struct with_link *w)
{
    pl_time now = w->clock();
    if (sim_run_until(w->sim, now > w->sim->now ? now : w->sim->now) == SIM_FAILED && !w->error) w->error = PL_EIO;
}

static void put_on(struct with_link *w, unsigned side, const struct pl_frame *frames, int n)
{
    for (int i = 0; i < n; i++)
        sim_link_send(w->link, side, packet_from_frame(&frames[i]), w->sim->now);
}

static void take_from_device(struct with_link *w)
{
    struct pl_frame frames[BATCH];
    int n = BATCH;
    for (int i = 0; i < BATCHES_MAX && n == BATCH && !w->error; i++) {
        n = w->inner->ops->recv(w->inner, frames, BATCH);
        if (n < 0) w->error = n;
        else put_on(w, WITH_LINK_IN, frames, n);
    }
}

static int link_recv(struct pl_driver *driver, struct pl_frame *frames, int n)
{
    struct with_link *w = (struct with_link *)driver;
    int got = 0;
    fifo_free(&w->lent);
    catch_up(w);
    take_from_device(w);
    catch_up(w);                          /* a link without delay has delivered by now */
    for (struct packet *p; got < n && (p = fifo_take(&w->arrived)) != NULL; got++) {
        fifo_put(&w->lent, p, w->sim->now);
        packet_frame(p, &frames[got]);
        driver->rx_frames++;
        driver->rx_bytes += p->len;
    }
    return got || !w->error ? got : w->error;
}

static int link_send(struct pl_driver *driver, const struct pl_frame *frames, int n)
{
    struct with_link *w = (struct with_link *)driver;
    catch_up(w);
    if (w->error) return w->error;
    put_on(w, WITH_LINK_OUT, frames, n);
    driver->tx_frames += (uint64_t)n;
    for (int i = 0; i < n; i++)
        for (unsigned k = 0; k < frames[i].nspans; k++)
            driver->tx_bytes += frames[i].span[k].len;
    catch_up(w);
    return n;
}

static int link_pollfd(struct pl_driver *driver)
{
    struct with_link *w = (struct with_link *)driver;
    return w->inner->ops->pollfd(w->inner);
}

static pl_time link_deadline(struct pl_driver *driver, pl_time now)
{
    struct with_link *w = (struct with_link *)driver;
    pl_time due = sim_next(w->sim), inner = w->inner->ops->deadline ? w->inner->ops->deadline(w->inner, now) : PL_NEVER;
    if (w->arrived.packets || w->error) return now;
    return due < inner ? due : inner;
}

static void link_close(struct pl_driver *driver)
{
    struct with_link *w = (struct with_link *)driver;
    w->inner->ops->close(w->inner);
    fifo_free(&w->arrived);
    fifo_free(&w->lent);
    sim_free(w->sim);
    free(w);
}

static const struct pl_driver_ops link_ops = {link_recv, link_send, link_pollfd, link_deadline, link_close};

int with_link_open(struct pl_driver *inner, const struct with_link_params *p, struct pl_driver **out)
{
    if (!p->clock) return PL_EINVAL;
    struct with_link *w = calloc(1, sizeof *w);
    if (!w) return PL_ENOMEM;
    w->inner = inner;
    w->clock = p->clock;
    w->driver.ops = &link_ops;
    w->driver.params = inner->params;
    w->driver.params.gso_bytes = 0;
    w->driver.params.csum_offload = false;
    snprintf(w->driver.name, sizeof w->driver.name, "%.20s on a link", inner->name);
    w->sim = sim_new(p->seed);
    w->sim->now = p->clock();
    struct sim_link_params link = p->link;
    link.ethernet = inner->params.link == PL_LINK_ETHERNET;
    struct sim_node *near = sim_add_node(w->sim, "near", &near_ops, w), *far = sim_add_node(w->sim, "far", &far_ops, w);
    w->link = sim_add_link(w->sim, &link, near, 0, far, 0);
    for (unsigned i = 0; i < 2; i++) {
        struct impair *im = sim_link_impair(w->link, i);
        impair_init(im, p->seed);         /* the same dice in both directions */
        im->ethernet = link.ethernet;
        if (p->loss[i]) impair_loss(im, p->loss[i]);
    }
    *out = &w->driver;
    return 0;
}

struct sim_link *with_link_link(struct pl_driver *driver) { return ((struct with_link *)driver)->link; }
const struct hist *with_link_late(const struct pl_driver *driver) { return &((const struct with_link *)driver)->late; }
uint64_t with_link_refused(const struct pl_driver *driver) { return ((const struct with_link *)driver)->refused; }
