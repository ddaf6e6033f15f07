/* SPDX-License-Identifier: MIT
 *
 * Auto-tuning of both buffers over the deterministic network: long fat paths are filled from cold; what is not needed, or fixed by the program, does not grow;
 * with many connections on a small pool sizes grow, come down again and are fair, no right edge moves left, and every transfer ends.
 */
#include "support/unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/seq.h"
#include "sim/program.h"
#include "support/forge.h"

enum { CONNS_MAX = 24 };

struct decisions {
    unsigned n[PL_WHY_COUNT];
    uint32_t largest;                     /* size that was decided on */
};

struct edge {                             /* of the window that one side offers */
    uint32_t edge, told;
    bool open;
};

struct world {
    struct sim *sim;
    struct sim_node *node[2];
    struct sim_link *link;
    struct program *program[2];
    struct program_conn *c[CONNS_MAX][2];
    unsigned conns;
    struct decisions decisions[2];
    struct edge edge[CONNS_MAX][2];
    uint64_t looked;                      /* segments whose window was compared */
    struct sim_prng dice;
};

static void hear(void *user, const struct pl_trace_event *e)
{
    struct decisions *d = user;
    if (e->kind != PL_TRACE_DECISION)
        return;
    d->n[e->why]++;
    if (e->why == PL_WHY_RCVBUF_GROWN || e->why == PL_WHY_SNDBUF_GROWN) {
        assert_true(e->b > e->a);
        d->largest = e->b > d->largest ? (uint32_t)e->b : d->largest;
    }
    if (e->why == PL_WHY_RCVBUF_SHRUNK || e->why == PL_WHY_SNDBUF_SHRUNK)
        assert_true(e->b < e->a);
}

/* SHLD-14: what is announced never lies left of what was announced, but for rounding by the scale; the true edge never moves left at all, nor beyond it. */
static void watch(void *user, const struct sim_tap_event *e)
{
    struct world *w = user;
    struct forged f;
    if (e->fate != SIM_SENT || !forge_read(e->packet->bytes, e->packet->len, &f) || f.flags & (PL_SYN | PL_RST))
        return;
    for (unsigned i = 0; i < w->conns; i++) {
        struct pl_tcp_status st;
        struct edge *k = &w->edge[i][e->from];
        const struct program_conn *c = w->c[i][e->from];
        if (!c || !c->handle || pl_status(w->node[e->from]->stack, c->handle, &st, sizeof st) != PL_OK || st.local.port != f.src.port || st.remote.port != f.dst.port)
            continue;
        if (st.state == PL_CLOSED || st.state == PL_TIME_WAIT)
            return;
        uint32_t edge = st.rcv.nxt + st.rcv.wnd, told = f.ack + ((uint32_t)f.wnd << st.rcv_wscale);
        if (k->open) {
            assert_true(seq_ge(edge, k->edge));
            assert_true(seq_gt(told + (1u << st.rcv_wscale), k->told));
        }
        assert_true(seq_ge(edge, told));
        k->told = k->open && seq_gt(k->told, told) ? k->told : told;
        k->edge = edge;
        k->open = true;
        w->looked++;
        return;
    }
}

static struct world *open_world(const struct pl_config config[2], struct sim_link_params link, uint64_t seed)
{
    static const char *const name[] = {"client", "server"};
    struct world *w = calloc(1, sizeof *w);
    struct sim_hosts_params hosts = {.link = link};
    w->sim = sim_new(seed);
    sim_prng_seed(&w->dice, seed);
    for (unsigned i = 0; i < 2; i++) {
        w->node[i] = sim_add_host(w->sim, name[i], &config[i]);
        assert_non_null(w->node[i]);
        sim_node_trace(w->node[i], hear, &w->decisions[i]);
        w->program[i] = program_new(w->node[i]);
    }
    hosts.v4[0] = forge_endpoint("192.0.2.1", 0).addr, hosts.v4[1] = forge_endpoint("192.0.2.2", 0).addr;
    w->link = sim_connect_hosts(w->sim, w->node[0], w->node[1], &hosts);
    assert_non_null(w->link);
    sim_tap(w->sim, watch, w);
    return w;
}

static void close_world(struct world *w)
{
    program_free(w->program[0]);
    program_free(w->program[1]);
    sim_free(w->sim);
    free(w);
}

/* The client sends so many bytes; the other side takes them. */
static void open_conns(struct world *w, unsigned n, uint64_t bytes)
{
    struct program_plan sink = {.blank = true, .keep_handle = true}, source = {.send_bytes = bytes, .blank = true, .keep_handle = true};
    struct pl_connect_params to = {.remote = forge_endpoint("192.0.2.2", 80)};
    if (w->conns == 0)
        assert_int_equal(program_listen(w->program[1], &(struct pl_endpoint){.port = 80}, &sink, -1), 0);
    for (unsigned i = 0; i < n; i++) {
        w->c[w->conns][0] = program_connect(w->program[0], to, &source, NULL);
        assert_non_null(w->c[w->conns][0]);
        for (unsigned ms = 0; ms < 60000 && w->program[1]->conns == w->conns; ms++)
            assert_int_not_equal(sim_run_until(w->sim, w->sim->now + PL_MS), SIM_FAILED);
        assert_int_equal(w->program[1]->conns, w->conns + 1);
        w->c[w->conns][1] = w->program[1]->conn[w->conns];
        w->conns++;
    }
}

static struct pl_tcp_status status(const struct world *w, unsigned conn, unsigned side)
{
    struct pl_tcp_status st;
    assert_int_equal(pl_status(w->node[side]->stack, w->c[conn][side]->handle, &st, sizeof st), PL_OK);
    return st;
}

static void go(struct world *w, pl_time span)
{
    if (sim_run_until(w->sim, w->sim->now + span) == SIM_FAILED)
        fail_msg("%s", sim_failure(w->sim));
}

/* Bits a second that the server's program gets in the next `span`. */
static uint64_t goodput(struct world *w, pl_time span)
{
    uint64_t before = w->c[0][1]->received;
    go(w, span);
    return (w->c[0][1]->received - before) * 8 * 1000 / (span / PL_MS);
}

static const struct pl_config *both(const struct pl_config *c)
{
    static struct pl_config two[2];
    two[0] = two[1] = *c;
    return two;
}

/* ------------------------------------------------------------ long fat paths ------------------------------------------------------------ */

#define GBIT 1000000000ull
#define WITHOUT_HEADERS(rate) ((rate) / 1500 * 1448)

static struct pl_config default_config(void)
{
    struct pl_config c;
    pl_config_default(&c, sizeof c);
    return c;
}

static void a_gigabit_over_100_ms_is_filled_with_the_default_config(void **state)
{
    (void)state;
    struct pl_config c = default_config();
    struct world *w = open_world(both(&c), (struct sim_link_params){.rate = GBIT, .delay = 50 * PL_MS, .queue_packets = 8334}, 1);
    open_conns(w, 1, UINT64_MAX / 2);
    go(w, 1500 * PL_MS - w->sim->now);    /* 12.5 MB is ten doublings of 14.6 kB */
    assert_true(goodput(w, 500 * PL_MS) >= WITHOUT_HEADERS(GBIT) * 99 / 100);
    assert_int_equal(status(w, 0, 1).rcvbuf_bytes, c.rcvbuf_max);
    assert_int_equal(status(w, 0, 1).rcvbuf_bound, PL_BUFFER_LARGEST);
    assert_int_equal(status(w, 0, 0).sndbuf_bytes, c.sndbuf_max);
    assert_int_equal(status(w, 0, 0).sndbuf_bound, PL_BUFFER_LARGEST);
    assert_int_equal(w->decisions[0].n[PL_WHY_RCVBUF_GROWN], 0);       /* who receives nothing needs nothing */
    assert_int_equal(status(w, 0, 1).sndbuf_bytes, c.sndbuf_bytes);
    close_world(w);
}

/* As long as the windows are in the way of slow start it would be later: 300 ms * log2(37.5 MB / 14.6 kB) = 3.4 s. */
static void a_gigabit_over_300_ms_is_filled_from_cold(bool timestamps, uint32_t first)
{
    struct pl_config c = default_config();
    c.sndbuf_bytes = c.rcvbuf_bytes = first;
    c.sndbuf_max = c.rcvbuf_max = 64000000;
    c.chunks_max = 140000000 / c.chunk_bytes;
    c.records_max = c.records_per_conn_max = 64000;
    c.timestamps = timestamps;
    struct world *w = open_world(both(&c), (struct sim_link_params){.rate = GBIT, .delay = 150 * PL_MS, .queue_packets = 25000}, 1);
    open_conns(w, 1, UINT64_MAX / 2);
    assert_int_equal(status(w, 0, 0).rcv_wscale, 10);
    go(w, 4500 * PL_MS - w->sim->now);
    uint64_t got = goodput(w, 300 * PL_MS);
    print_message("first size %u, timestamps %d: %llu bit/s\n", first, timestamps, (unsigned long long)got);
    assert_true(got >= WITHOUT_HEADERS(GBIT) * 99 / 100);
    assert_true(status(w, 0, 1).rcvbuf_bytes >= 50000000);
    close_world(w);
}

static void from_a_mebibyte(void **state) { (void)state; a_gigabit_over_300_ms_is_filled_from_cold(true, 1 << 20); }
static void from_64_kibibytes(void **state) { (void)state; a_gigabit_over_300_ms_is_filled_from_cold(true, 1 << 16); }
static void from_a_mebibyte_without_timestamps(void **state) { (void)state; a_gigabit_over_300_ms_is_filled_from_cold(false, 1 << 20); }

/* What the cases above are worth: without auto-tuning a round trip carries one buffer. */
static void fixed_buffers_carry_one_of_them_in_a_round_trip(void **state)
{
    (void)state;
    struct pl_config c = default_config();
    for (unsigned fixed = 0; fixed < 3; fixed++) {
        struct world *w = open_world(both(&c), (struct sim_link_params){.rate = GBIT, .delay = 50 * PL_MS}, 1);
        open_conns(w, 1, UINT64_MAX / 2);
        if (fixed == 0)
            assert_int_equal(pl_set(w->node[1]->stack, w->c[0][1]->handle, PL_OPT_RCVBUF, 1 << 20), PL_OK);
        else if (fixed == 1)
            assert_int_equal(pl_set(w->node[0]->stack, w->c[0][0]->handle, PL_OPT_SNDBUF, 1 << 20), PL_OK);
        else
            assert_int_equal(pl_set(w->node[1]->stack, w->c[0][1]->handle, PL_OPT_BUFFERS_FIXED, PL_RCVBUF_FIXED), PL_OK);
        go(w, PL_S);
        assert_in_range(goodput(w, 500 * PL_MS), 75000000, 87000000);         /* 1 MiB in 100 ms: 83.9 Mbit/s */
        assert_int_equal(fixed == 1 ? status(w, 0, 0).sndbuf_bound : status(w, 0, 1).rcvbuf_bound, PL_BUFFER_FIXED);
        unsigned side = fixed == 1 ? 0 : 1;
        int64_t is;
        assert_int_equal(pl_get(w->node[side]->stack, w->c[0][side]->handle, PL_OPT_BUFFERS_FIXED, &is), PL_OK);
        assert_int_equal(is, fixed == 1 ? PL_SNDBUF_FIXED : PL_RCVBUF_FIXED);
        /* and it can be switched on again */
        assert_int_equal(pl_set(w->node[side]->stack, w->c[0][side]->handle, PL_OPT_BUFFERS_FIXED, 0), PL_OK);
        go(w, 800 * PL_MS);
        assert_true(goodput(w, 200 * PL_MS) >= WITHOUT_HEADERS(GBIT) * 99 / 100);
        assert_int_equal(pl_get(w->node[side]->stack, w->c[0][side]->handle, fixed == 1 ? PL_OPT_SNDBUF : PL_OPT_RCVBUF, &is), PL_OK);
        assert_true(is > 12 << 20);
        close_world(w);
    }
}

/* A program that takes 8 Mbit/s has its 100 kB in a round trip, however much the peer would send. */
static void a_slow_reader_gets_no_larger_window(void **state)
{
    (void)state;
    struct pl_config c = default_config();
    struct world *w = open_world(both(&c), (struct sim_link_params){.rate = GBIT, .delay = 50 * PL_MS}, 1);
    open_conns(w, 1, UINT64_MAX / 2);
    w->c[0][1]->plan.paused = true;
    uint8_t b[10000];
    for (unsigned i = 0; i < 800; i++) {
        ptrdiff_t got = pl_recv(w->node[1]->stack, w->c[0][1]->handle, b, sizeof b);
        assert_true(got > 0 || got == PL_EAGAIN);
        sim_settle(w->node[1]);
        go(w, 10 * PL_MS);
    }
    assert_int_equal(status(w, 0, 1).rcvbuf_bytes, c.rcvbuf_bytes);
    assert_int_equal(status(w, 0, 1).rcvbuf_bound, PL_BUFFER_TUNED);
    assert_true(status(w, 0, 1).rcvbuf_used > 900 << 10);              /* and the peer was there to fill it */
    close_world(w);
}

static void a_window_that_cannot_be_said_does_not_grow(void **state)
{
    (void)state;
    struct pl_config c[2] = {default_config(), default_config()};
    c[0].window_scaling = false;
    c[1].rcvbuf_bytes = 30000;
    struct world *w = open_world(c, (struct sim_link_params){.rate = GBIT, .delay = 50 * PL_MS}, 1);
    open_conns(w, 1, UINT64_MAX / 2);
    go(w, 3 * PL_S);
    assert_int_equal(status(w, 0, 1).rcvbuf_bytes, 65535);
    assert_int_equal(status(w, 0, 1).rcvbuf_bound, PL_BUFFER_UNSCALED);
    char text[500];
    assert_true(pl_explain(w->node[1]->stack, w->c[0][1]->handle, text, sizeof text) > 0);
    assert_non_null(strstr(text, "The receive buffer has 65535 bytes; the peer does not scale windows"));
    close_world(w);
}

/* ------------------------------------------------------------ memory ------------------------------------------------------------ */

/* A pool of 2 MiB for all; each may have 8 KiB to 1 MiB. */
static struct pl_config small_pool(void)
{
    struct pl_config c = default_config();
    c.connections_max = CONNS_MAX + 8;
    c.half_open_max = c.time_wait_max = CONNS_MAX;
    c.chunk_bytes = 1024;
    c.chunks_max = 2048;
    c.sndbuf_bytes = c.rcvbuf_bytes = 8 << 10;
    c.sndbuf_max = c.rcvbuf_max = 1 << 20;
    c.gaps_max = 0;
    c.check = true;
    return c;
}

static uint64_t sum_of_send_buffers(const struct world *w, unsigned from, unsigned to, uint32_t *least, uint32_t *most)
{
    uint64_t sum = 0;
    *least = UINT32_MAX, *most = 0;
    for (unsigned i = from; i < to; i++) {
        uint32_t n = status(w, i, 0).sndbuf_bytes;
        *least = n < *least ? n : *least;
        *most = n > *most ? n : *most;
        sum += n;
    }
    return sum;
}

/* One has the pool for itself and grows; others come, and it gives back; in the end all have as much; when they have gone it may grow again. */
static void who_has_most_gives_most(void **state)
{
    (void)state;
    struct pl_config c = small_pool();
    struct world *w = open_world(both(&c), (struct sim_link_params){.rate = 100000000, .delay = 40 * PL_MS, .queue_packets = 6000}, 5);
    open_conns(w, 1, UINT64_MAX / 2);
    go(w, 3 * PL_S);
    uint32_t alone = status(w, 0, 0).sndbuf_bytes, least, most;
    assert_true(alone > 800 << 10);
    open_conns(w, 15, UINT64_MAX / 2);
    go(w, 20 * PL_S);
    uint64_t sum = sum_of_send_buffers(w, 0, 16, &least, &most);
    print_message("alone %u, of 16: %u to %u, together %llu; shrunk %u times\n", alone, least, most, (unsigned long long)sum, w->decisions[0].n[PL_WHY_SNDBUF_SHRUNK]);
    assert_true(sum <= (uint64_t)c.chunk_bytes * c.chunks_max);
    assert_true(sum >= (uint64_t)c.chunk_bytes * c.chunks_max / 2);    /* and yet it is used */
    assert_true(most < 2 * least);
    assert_true(status(w, 0, 0).sndbuf_bytes < alone / 4);
    assert_true(w->decisions[0].n[PL_WHY_SNDBUF_SHRUNK] > 0);
    unsigned bound = 0, one = 0;          /* those that are at their share at this moment; the others are on their way to it */
    for (unsigned i = 0; i < 16; i++)
        if (status(w, i, 0).sndbuf_bound == PL_BUFFER_MEMORY) one = i, bound++;
    assert_true(bound >= 4);
    char text[600];
    assert_true(pl_explain(w->node[0]->stack, w->c[one][0]->handle, text, sizeof text) > 0);
    assert_non_null(strstr(text, "as much as each may have of the memory that is left"));
    for (unsigned i = 1; i < 16; i++)
        assert_int_equal(program_abort(w->c[i][0]), PL_OK);
    go(w, 10 * PL_S);
    assert_true(status(w, 0, 0).sndbuf_bytes > alone / 2);
    assert_true(w->looked > 10000);
    close_world(w);
}

static bool all_done(const struct world *w, uint64_t bytes)
{
    for (unsigned i = 0; i < w->conns; i++)
        if (w->c[i][1]->received < bytes)
            return false;
    return true;
}

/* What a program may do at any time: read or not, and change its mind about the sizes. */
static void act_at_random(struct world *w)
{
    static const uint32_t size[] = {1, 3000, 8192, 50000, 400000, 2000000};
    unsigned i = (unsigned)sim_prng_below(&w->dice, w->conns), side = (unsigned)sim_prng_below(&w->dice, 2);
    struct program_conn *c = w->c[i][side];
    pl_stack *s = w->node[side]->stack;
    int64_t v = size[sim_prng_below(&w->dice, COUNT_OF(size))];
    if (!c->handle || c->over)
        return;
    switch (sim_prng_below(&w->dice, 6)) {
    case 0: (void)pl_set(s, c->handle, PL_OPT_RCVBUF, v); break;
    case 1: (void)pl_set(s, c->handle, PL_OPT_SNDBUF, v); break;
    case 2: (void)pl_set(s, c->handle, PL_OPT_BUFFERS_FIXED, (int64_t)sim_prng_below(&w->dice, 4)); break;
    default:
        w->c[i][1]->plan.paused = !w->c[i][1]->plan.paused;
        program_pump(w->c[i][1]);
        break;
    }
    sim_settle(w->node[0]);
    sim_settle(w->node[1]);
}

/* Programs read or stand still, change sizes, lose segments: as long as a program reads it gets its bytes, and in the end all have all. */
static void many_on_a_small_pool_all_finish(void **state)
{
    uint64_t grown = 0, shrunk[2] = {0, 0}, looked = 0;
    (void)state;
    for (unsigned seed = 1; seed <= 8; seed++) {
        struct pl_config c[2] = {small_pool(), small_pool()};
        for (unsigned i = 0; i < 2; i++) {
            c[i].chunks_max = 300 << (seed + i) % 4;
            c[i].window_overcommit = 1 + seed % 3 * 7;
            c[i].timestamps = seed % 4 != 0;
        }
        struct world *w = open_world(c, (struct sim_link_params){.rate = 50000000, .delay = (seed % 3 + 1) * 10 * PL_MS, .queue_packets = 400}, seed);
        if (seed % 2)
            impair_add(&w->link->dir[seed / 2 % 2].impair, &(struct impair_rule){.kind = IMPAIR_DROP, .per_million = 10000});
        const uint64_t bytes = 700000;
        open_conns(w, 16, bytes);
        for (unsigned n = 0; n < 300 && !all_done(w, bytes); n++) {
            go(w, 20 * PL_MS);
            act_at_random(w);
        }
        for (unsigned i = 0; i < w->conns; i++) {
            w->c[i][1]->plan.paused = false;
            (void)pl_set(w->node[0]->stack, w->c[i][0]->handle, PL_OPT_BUFFERS_FIXED, 0);
            (void)pl_set(w->node[1]->stack, w->c[i][1]->handle, PL_OPT_BUFFERS_FIXED, 0);
            program_pump(w->c[i][1]);
        }
        sim_settle(w->node[1]);
        for (unsigned n = 0; n < 900 && !all_done(w, bytes); n++)
            go(w, PL_S);
        for (unsigned i = 0; i < w->conns; i++)
            if (w->c[i][1]->received != bytes)
                fail_msg("seed %u: connection %u has %llu of %llu bytes", seed, i, (unsigned long long)w->c[i][1]->received, (unsigned long long)bytes);
        for (unsigned i = 0; i < 2; i++) {
            grown += w->decisions[i].n[PL_WHY_RCVBUF_GROWN] + w->decisions[i].n[PL_WHY_SNDBUF_GROWN];
            shrunk[0] += w->decisions[i].n[PL_WHY_RCVBUF_SHRUNK];
            shrunk[1] += w->decisions[i].n[PL_WHY_SNDBUF_SHRUNK];
        }
        looked += w->looked;
        close_world(w);
    }
    print_message("grown %llu times, shrunk %llu and %llu times, %llu windows looked at\n", (unsigned long long)grown, (unsigned long long)shrunk[0],
                  (unsigned long long)shrunk[1], (unsigned long long)looked);
    assert_true(grown > 200 && shrunk[0] > 2 && shrunk[1] > 2 && looked > 20000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_gigabit_over_100_ms_is_filled_with_the_default_config),
        cmocka_unit_test(from_a_mebibyte),
        cmocka_unit_test(from_64_kibibytes),
        cmocka_unit_test(from_a_mebibyte_without_timestamps),
        cmocka_unit_test(fixed_buffers_carry_one_of_them_in_a_round_trip),
        cmocka_unit_test(a_slow_reader_gets_no_larger_window),
        cmocka_unit_test(a_window_that_cannot_be_said_does_not_grow),
        cmocka_unit_test(who_has_most_gives_most),
        cmocka_unit_test(many_on_a_small_pool_all_finish),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
