/* SPDX-License-Identifier: MIT
 *
 * program.c: sources, sinks, echoes. See program.h.
 *
 * The cookie of a connection is its number plus one; that of a listener has LISTENER set.
 */
#include "sim/program.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LISTENER ((uint64_t)1 << 63)
#define PIECE 65536

struct program_plan plan_hold(void)
{
    return (struct program_plan){.hold = true};
}

struct program_plan plan_source(uint64_t bytes, uint64_t salt)
{
    return (struct program_plan){.send_bytes = bytes, .salt = salt};
}

struct program_plan plan_sink(uint64_t expect_salt)
{
    return (struct program_plan){.verify = true, .expect_salt = expect_salt, .finish_last = true};
}

struct program_plan plan_echo(void)
{
    return (struct program_plan){.echo = true, .finish_last = true};
}

uint8_t pattern_byte(uint64_t salt, uint64_t offset)
{
    return (uint8_t)(sim_prng_mix(salt, offset >> 3) >> (8 * (offset & 7)));
}

void pattern_fill(uint64_t salt, uint64_t offset, uint8_t *to, size_t n)
{
    uint64_t word = sim_prng_mix(salt, offset >> 3);
    for (size_t i = 0; i < n; i++, offset++) {
        if ((offset & 7) == 0) word = sim_prng_mix(salt, offset >> 3);
        to[i] = (uint8_t)(word >> (8 * (offset & 7)));
    }
}

static void *must(void *p)
{
    if (!p) {
        fputs("sim: out of memory\n", stderr);
        abort();
    }
    return p;
}

static void give_up(struct program_conn *c, int error)
{
    if (!c->error) c->error = error;
    c->over = true;
    if (!c->over_at) c->over_at = c->program->node->sim->now;
}

static pl_stack *stack_of(struct program_conn *c)
{
    return c->program->node->stack;
}

/* ---------------------------------------- reading and writing ---------------------------------------- */

static void take(struct program_conn *c, const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n && !c->plan.blank; i++) {
        c->digest = (c->digest ^ bytes[i]) * 0x100000001b3u;
        if (c->plan.verify && !c->mismatch && bytes[i] != pattern_byte(c->plan.expect_salt, c->received + i)) {
            c->mismatch = true;
            c->mismatch_at = c->received + i;
        }
    }
    c->received += n;
    if (!c->plan.echo) return;
    c->pending = must(realloc(c->pending, c->pending_bytes + n));
    memcpy(c->pending + c->pending_bytes, bytes, n);
    c->pending_bytes += n;
}

/* An echo reads no further than it can send: else it would hoard what a slow peer does not take. */
static bool may_read(const struct program_conn *c)
{
    return c->handle && !c->plan.paused && !c->peer_finished && !c->error && !(c->plan.echo && c->pending_first < c->pending_bytes);
}

static bool read_some(struct program_conn *c)
{
    static uint8_t piece[PIECE];
    if (!may_read(c)) return false;
    ptrdiff_t n = pl_recv(stack_of(c), c->handle, piece, sizeof piece);
    if (n > 0) {
        take(c, piece, (size_t)n);
        return true;
    }
    if (n == 0) c->peer_finished = true;
    else if (n != PL_EAGAIN && n != PL_ENOTCONN) give_up(c, (int)n);
    return n == 0;
}

ptrdiff_t program_send_pattern(struct program_conn *c, size_t n)
{
    static uint8_t piece[PIECE];
    static const uint8_t zeros[PIECE];
    if (n > sizeof piece) n = sizeof piece;
    if (!c->plan.blank) pattern_fill(c->plan.salt, c->sent, piece, n);
    ptrdiff_t took = pl_send(stack_of(c), c->handle, c->plan.blank ? zeros : piece, n);
    if (took > 0) c->sent += (uint64_t)took;
    return took;
}

static bool write_result(struct program_conn *c, ptrdiff_t n)
{
    if (n < 0 && n != PL_EAGAIN) give_up(c, (int)n);
    return n > 0;
}

static bool write_some(struct program_conn *c)
{
    if (!c->handle || c->finished || c->error) return false;
    if (c->sent < c->plan.send_bytes) {
        uint64_t n = c->plan.send_bytes - c->sent;
        if (c->plan.write_bytes && n > c->plan.write_bytes) n = c->plan.write_bytes;
        return write_result(c, program_send_pattern(c, n > PIECE ? PIECE : (size_t)n));
    }
    if (c->pending_first == c->pending_bytes) return false;
    ptrdiff_t n = pl_send(stack_of(c), c->handle, c->pending + c->pending_first, c->pending_bytes - c->pending_first);
    if (n > 0) c->pending_first += (size_t)n;
    if (c->pending_first == c->pending_bytes) c->pending_first = c->pending_bytes = 0;
    return write_result(c, n);
}

static bool wants_to_finish(const struct program_conn *c)
{
    if (!c->handle || c->finished || c->error || c->plan.hold || !(c->connected || c->accepted)) return false;
    if (c->sent < c->plan.send_bytes || c->pending_first < c->pending_bytes) return false;
    return c->peer_finished || !c->plan.finish_last;
}

void program_pump(struct program_conn *c)
{
    bool busy = true;
    while (busy) {
        busy = read_some(c);
        if (write_some(c)) busy = true;
    }
    if (wants_to_finish(c)) program_finish(c);
    if (c->over && c->handle && !c->plan.keep_handle) program_close(c);
}

int program_finish(struct program_conn *c)
{
    int rc = pl_finish(stack_of(c), c->handle);
    if (rc) return rc;
    c->finished = true;
    c->finished_at = c->program->node->sim->now;
    return 0;
}

int program_abort(struct program_conn *c)
{
    return pl_abort(stack_of(c), c->handle);
}

int program_close(struct program_conn *c)
{
    int rc = pl_close(stack_of(c), c->handle);
    c->handle = 0;
    return rc;
}

/* ---------------------------------------- connections come and go ---------------------------------------- */

static struct program_conn *add_conn(struct program *p, const struct program_plan *plan)
{
    if (p->conns == p->capacity) {
        p->capacity = p->capacity ? 2 * p->capacity : 8;
        p->conn = must(realloc(p->conn, p->capacity * sizeof *p->conn));
    }
    struct program_conn *c = must(calloc(1, sizeof *c));
    c->program = p;
    c->plan = *plan;
    c->digest = 0xcbf29ce484222325u;
    c->number = p->conns;
    p->conn[p->conns++] = c;
    return c;
}

static void accept_all(struct program *p, struct program_port *port)
{
    pl_conn handle;
    struct pl_endpoint remote;
    int rc;
    while ((rc = pl_accept(p->node->stack, port->handle, &handle, &remote)) == 0) {
        struct program_conn *c = add_conn(p, &port->plan);
        c->handle = handle;
        c->remote = remote;
        c->accepted = true;
        pl_set_cookie(p->node->stack, handle, c->number + 1);
        program_pump(c);
        if (p->acted) p->acted(p, c);
    }
    if (rc != PL_EAGAIN) sim_fail(p->node->sim, "pl_accept of %s gave %s", p->node->name, pl_error_name(rc));
}

static void conn_event(struct program_conn *c, uint32_t bits)
{
    c->events++;
    c->seen_bits |= bits;
    if (bits & PL_EV_CONNECTED) c->connected = true;
    if (bits & PL_EV_ERROR) {
        c->error = pl_error(stack_of(c), c->handle);
    }
    if (bits & (PL_EV_CLOSED | PL_EV_ERROR)) {
        /* What was received before the end is still to be read. */
        int error = c->error;
        c->error = 0;
        while (read_some(c))
            ;
        c->error = error ? error : c->error;
        c->over = true;
        c->over_at = c->program->node->sim->now;
    }
    program_pump(c);
}

static void on_event(struct sim_node *n, const struct pl_event *e)
{
    struct program *p = n->user;
    if (e->cookie & LISTENER) {
        if (p->watch) p->watch(p, NULL, e->bits);
        for (unsigned i = 0; i < p->ports; i++)
            if (p->port[i].handle == e->handle) accept_all(p, &p->port[i]);
        return;
    }
    if (e->cookie == 0 || e->cookie > p->conns || p->conn[e->cookie - 1]->handle != e->handle) {
        sim_fail(n->sim, "%s got an event for a handle that it does not have: %#llx, cookie %llu, bits %#x", n->name,
            (unsigned long long)e->handle, (unsigned long long)e->cookie, (unsigned)e->bits);
        return;
    }
    struct program_conn *c = p->conn[e->cookie - 1];
    if (p->watch) p->watch(p, c, e->bits);
    if (c->handle != e->handle) return;
    conn_event(c, e->bits);
    if (p->acted) p->acted(p, c);
}

struct program *program_new(struct sim_node *n)
{
    struct program *p = must(calloc(1, sizeof *p));
    p->node = n;
    n->user = p;
    n->on_event = on_event;
    return p;
}

void program_free(struct program *p)
{
    if (!p) return;
    for (unsigned i = 0; i < p->conns; i++) {
        free(p->conn[i]->pending);
        free(p->conn[i]);
    }
    free(p->conn);
    free(p);
}

int program_listen(struct program *p, const struct pl_endpoint *local, const struct program_plan *plan, int64_t isn)
{
    if (p->ports == PROGRAM_PORTS_MAX) return PL_ENOMEM;
    struct program_port *port = &p->port[p->ports];
    int rc = pl_listen(p->node->stack, &(struct pl_listen_params){.local = *local, .cookie = LISTENER}, &port->handle);
    if (!rc && isn >= 0) rc = pl_set(p->node->stack, port->handle, PL_OPT_ISN, isn);
    if (rc) return rc;
    port->plan = *plan;
    p->ports++;
    return 0;
}

struct program_conn *program_connect(struct program *p, struct pl_connect_params params, const struct program_plan *plan, int *error)
{
    struct program_conn *c = add_conn(p, plan);
    params.cookie = c->number + 1;
    int rc = pl_connect(p->node->stack, &params, &c->handle);
    if (error) *error = rc;
    if (rc) {
        p->conns--;
        free(c);
        return NULL;
    }
    c->remote = params.remote;
    /* Bytes may be queued before the connection stands. */
    write_some(c);
    return c;
}
