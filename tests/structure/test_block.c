/* SPDX-License-Identifier: MIT
 *
 * docs/architecture.md section 3: one block of memory, and no pointer in it. A copy of it is a snapshot, and a snapshot continues bit for bit,
 * also when it was moved in time; free slots are zero; making a stack touches one page.
 */
#include "support/unit.h"

#include <sys/mman.h>
#include <unistd.h>

#include "link/neighbor.h"
#include "stack/net.h"
#include "support/duo.h"
#include "support/havoc.h"

/* ------------------------------------------------------------------ snapshots ------------------------------------------------------------------ */

/* What was under way at the moments when runs were copied: a test that copies only idle stacks proves nothing. */
static struct {
    unsigned conns, half_opens, time_waits, gaps, flights, datagrams, parked, owed, lost;
} met;

static void meet(const pl_stack *s)
{
    met.conns += s->pools.conns.used;
    met.half_opens += s->half_opens.used;
    met.time_waits += s->time_waits.used;
    met.gaps += s->pools.gaps.used;
    met.flights += s->pools.flights.used;
    for (uint32_t n = slots_next(&s->udps, 0); n; n = slots_next(&s->udps, n))
        met.datagrams += udp_at(s, n)->received_records + udp_at(s, n)->to_send_records;
    for (uint32_t n = slots_next(&s->neighbors, 0); n; n = slots_next(&s->neighbors, n))
        met.parked += neighbor_at(s, n)->parked.count;
    for (uint32_t n = slots_next(&s->ifaces, 0); n; n = slots_next(&s->ifaces, n))
        met.owed += ((struct iface *)slots_at(&s->ifaces, n))->owed_count;
    for (uint32_t n = slots_next(&s->pools.records, 0); n; n = slots_next(&s->pools.records, n))
        met.lost += (rtx_at(&s->pools.records, n)->flags & RTX_LOST) != 0;
}

static void blocks_equal(const pl_stack *a, const pl_stack *b)
{
    const uint8_t *x = (const uint8_t *)a, *y = (const uint8_t *)b;
    for (size_t n = 0; n < a->bytes; n++) {
        if (n == offsetof(struct pl_stack, env))
            n += sizeof a->env;
        if (x[n] != y[n])
            print_error("%sbyte %zu of the block differs: %s\n", havoc_where(), n, block_place(a, n));
        assert_int_equal(x[n], y[n]);
    }
}

/* Runs a copy beside the original, with the same inputs; all that both say is equal after each step. */
static void run_beside(unsigned seed, unsigned from, unsigned steps, pl_time shift)
{
    struct havoc *r = havoc_new(seed);
    while (r->step < from)
        havoc_step(r);
    havoc_settle_devices(r);
    meet(r->h[0].s);
    meet(r->h[1].s);
    struct havoc *copy = havoc_fork(r, shift);
    for (unsigned n = 0; n < steps; n++) {
        havoc_step(r);
        havoc_step(copy);
        if (r->log != copy->log)
            print_error("%scopied at step %u, moved by %llu\n", havoc_where(), from, (unsigned long long)shift);
        assert_true(r->log == copy->log);
    }
    assert_true(r->now + shift == copy->now);
    if (shift == 0) {
        blocks_equal(r->h[0].s, copy->h[0].s);
        blocks_equal(r->h[1].s, copy->h[1].s);
    }
    havoc_free(copy);
    havoc_free(r);
}

static void a_copy_continues_bit_for_bit(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= 300; seed++)
        run_beside(seed, 20 + seed * 7 % 500, 200, 0);
    print_message("copied with %u connections, %u half-open, %u in TIME-WAIT, %u with gaps, %u with flights, %u datagrams, %u parked, %u owed, %u lost\n", met.conns,
                  met.half_opens, met.time_waits, met.gaps, met.flights, met.datagrams, met.parked, met.owed, met.lost);
    assert_true(met.conns > 100 && met.half_opens > 10 && met.time_waits > 0 && met.flights > 30);
    assert_true(met.gaps > 0 && met.datagrams > 0 && met.parked > 0 && met.owed > 0 && met.lost > 0);
}

static void a_copy_moved_in_time_does_the_same_that_much_later(void **state)
{
    static const pl_time shifts[] = {1, 16383, 16384, 999999999, 3600 * PL_S + 7, 30 * 86400 * PL_S, 365 * 86400 * PL_S + 1};
    (void)state;
    for (unsigned seed = 1; seed <= 300; seed++)
        run_beside(seed, 20 + seed * 7 % 500, 200, shifts[seed % COUNT_OF(shifts)]);
}

static void a_reseeded_copy_keeps_its_connections_and_chooses_new_numbers(void **state)
{
    (void)state;
    struct duo d;
    pl_conn c[2], next[2];
    struct pl_tcp_status before, after, fresh[2];
    uint8_t seed[32] = {9, 9, 9}, byte;
    struct pl_env env = {.trace = NULL};
    duo_init(&d, NULL, false);
    duo_open(&d, false, 80, c);
    pl_stack *copy = block_copy(d.s[0], &env);
    pl_stack_reseed(copy, seed);
    pl_status(d.s[0], c[0], &before, sizeof before);
    pl_status(copy, c[0], &after, sizeof after);
    assert_memory_equal(&before, &after, sizeof before);
    struct pl_connect_params p = {.remote = duo_endpoint(1, false, 81)};
    assert_int_equal(pl_connect(d.s[0], &p, &next[0]), PL_OK);
    assert_int_equal(pl_connect(copy, &p, &next[1]), PL_OK);
    pl_status(d.s[0], next[0], &fresh[0], sizeof fresh[0]);
    pl_status(copy, next[1], &fresh[1], sizeof fresh[1]);
    assert_int_not_equal(fresh[0].snd.iss, fresh[1].snd.iss);
    assert_int_not_equal(fresh[0].local.port, fresh[1].local.port);
    block_free(d.s[0]);
    d.s[0] = copy;                        /* the copy takes the original's place, and the old connection works */
    assert_true(pl_send(d.s[1], c[1], "x", 1) == 1);
    duo_exchange(&d);
    assert_true(pl_recv(d.s[0], c[0], &byte, 1) == 1);
    duo_free(&d);
}

/* ------------------------------------------------------------------ making and attaching ------------------------------------------------------------------ */

static void attach_refuses_what_is_not_a_whole_stack_of_this_build(void **state)
{
    (void)state;
    struct pl_config c = duo_config();
    struct pl_env env = {.trace = NULL};
    pl_stack *s = block_new(&c, &env, 0), *out = NULL;
    size_t bytes = pl_stack_bytes(s);
    uint8_t *garbage = aligned_alloc(64, bytes + 64);
    assert_int_equal(pl_stack_attach(s, bytes, &env, &out), PL_OK);
    assert_ptr_equal(out, s);
    assert_int_equal(pl_stack_attach(s, bytes - 1, &env, &out), PL_ESIZE);
    assert_int_equal(pl_stack_attach(s, 0, &env, &out), PL_ELAYOUT);
    assert_int_equal(pl_stack_attach(s, sizeof *s - 1, &env, &out), PL_ELAYOUT);
    for (unsigned fill = 0; fill < 256; fill++) {
        memset(garbage, (int)fill, bytes);
        assert_int_equal(pl_stack_attach(garbage, bytes, &env, &out), PL_ELAYOUT);
    }
    static const size_t at[] = {offsetof(struct pl_stack, magic), offsetof(struct pl_stack, version), offsetof(struct pl_stack, layout)};
    for (unsigned n = 0; n < COUNT_OF(at); n++) {
        memcpy(garbage, s, bytes);
        garbage[at[n]] ^= 1;
        assert_int_equal(pl_stack_attach(garbage, bytes, &env, &out), PL_ELAYOUT);
    }
    assert_int_equal(pl_stack_attach(NULL, bytes, &env, &out), PL_EINVAL);
    assert_int_equal(pl_stack_attach(s, bytes, NULL, &out), PL_EINVAL);
    assert_int_equal(pl_stack_attach(s, bytes, &env, NULL), PL_EINVAL);
    memcpy(garbage + 8, s, bytes);
    assert_int_equal(pl_stack_attach(garbage + 8, bytes, &env, &out), PL_EINVAL);
    free(garbage);
    block_free(s);
}

struct wrong {
    const char *field;
    size_t at;
    unsigned bytes;
    uint64_t value;
};
#define WRONG(field, value) {#field, offsetof(struct pl_config, field), (unsigned)sizeof(((struct pl_config *)0)->field), (value)}

static void init_names_the_field_that_is_out_of_range(void **state)
{
    static const struct wrong rows[] = {
        WRONG(size, 0),          WRONG(size, 8),           WRONG(connections_max, 0), WRONG(connections_max, UINT32_MAX), WRONG(half_open_max, 0),
        WRONG(time_wait_max, 0), WRONG(listeners_max, 0),  WRONG(udp_max, 0),         WRONG(ifaces_max, 0),               WRONG(ifaces_max, 16385),
        WRONG(addrs_max, 0),     WRONG(routes_max, 0),     WRONG(neighbors_max, 0),   WRONG(paths_max, 0),                WRONG(flights_max, UINT32_MAX),
        WRONG(records_max, 1),   WRONG(records_per_conn_max, 0), WRONG(gaps_max, UINT32_MAX), WRONG(gaps_per_conn_max, 0), WRONG(gaps_per_conn_max, 65537),
        WRONG(chunks_max, 0),    WRONG(chunk_bytes, 0),    WRONG(chunk_bytes, 255),   WRONG(chunk_bytes, 300),            WRONG(chunk_bytes, 131072),
        WRONG(owed_max, 0),      WRONG(owed_max, 3),       WRONG(owed_max, 131072),   WRONG(sndbuf_bytes, 0),             WRONG(sndbuf_bytes, (1u << 30) + 1),
        WRONG(rcvbuf_bytes, 0),  WRONG(rcvbuf_bytes, (1u << 30) + 1),
        WRONG(sndbuf_max, (1u << 30) + 1), WRONG(rcvbuf_max, (1u << 30) + 1), WRONG(syn_retries, 101), WRONG(syn_ack_retries, 101), WRONG(data_retries, 101),
        WRONG(orphan_retries, 101), WRONG(backlog_default, 0), WRONG(hop_limit, 0),   WRONG(msl, 0),                      WRONG(msl, 3601 * PL_S),
        WRONG(rto_initial, 0),   WRONG(rto_min, 0),        WRONG(rto_max, 0),         WRONG(rto_max, 3601 * PL_S),        WRONG(delayed_ack, 500 * PL_MS),
        WRONG(keepalive_idle, 0), WRONG(keepalive_interval, 0), WRONG(orphan_timeout, 0), WRONG(fin_wait_2_timeout, 0),   WRONG(user_timeout, PL_NEVER),
        WRONG(orphan_timeout, PL_NEVER), WRONG(keepalive_probes, UINT32_MAX),
        WRONG(keepalive_probes, 0), WRONG(user_timeout_min, 0), WRONG(user_timeout_max, 0), WRONG(user_timeout_max, PL_NEVER),
        WRONG(cc_state_bytes, 40), WRONG(cc_state_bytes, 100), WRONG(cc_state_bytes, 456), WRONG(congestion_control, PL_CC_BBR),
    };
    (void)state;
    struct pl_config good = duo_config();
    struct pl_env env = {.trace = NULL};
    pl_stack *s = block_new(&good, &env, 0), *out;
    assert_null(pl_config_problem(&good));
    for (unsigned n = 0; n < COUNT_OF(rows); n++) {
        struct pl_config c = good;
        memcpy((uint8_t *)&c + rows[n].at, &rows[n].value, rows[n].bytes);
        const char *problem = pl_config_problem(&c);
        if (!problem || !strstr(problem, rows[n].field))
            print_error("%s = %llu: %s\n", rows[n].field, (unsigned long long)rows[n].value, problem ? problem : "taken");
        assert_non_null(problem);
        assert_non_null(strstr(problem, rows[n].field));
        assert_int_equal(pl_stack_size(&c), 0);
        assert_int_equal(pl_stack_init(s, 1 << 20, &c, &env, 0, &out), PL_EINVAL);
    }
    struct pl_config c = good;
    memset(c.seed, 0, sizeof c.seed);
    assert_non_null(strstr(pl_config_problem(&c), "seed"));
    assert_non_null(pl_config_problem(NULL));
    assert_int_equal(pl_stack_init(s, pl_stack_size(&good) - 1, &good, &env, 0, &out), PL_ESIZE);
    assert_int_equal(pl_stack_init((uint8_t *)s + 8, pl_stack_size(&good), &good, &env, 0, &out), PL_EINVAL);
    assert_int_equal(pl_stack_init(s, pl_stack_size(&good), &good, NULL, 0, &out), PL_EINVAL);
    block_free(s);
}

static void init_touches_one_page_of_a_zeroed_block(void **state)
{
    (void)state;
    struct pl_config c;
    struct pl_env env = {.trace = NULL};
    pl_stack *s;
    pl_config_default(&c, sizeof c);
    memset(c.seed, 1, sizeof c.seed);
    c.connections_max = 100000, c.chunks_max = 100000;
    c.mem_is_zero = true;
    size_t bytes = pl_stack_size(&c), page = (size_t)sysconf(_SC_PAGESIZE), pages = (bytes + page - 1) / page, resident = 0;
    void *block = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    assert_ptr_not_equal(block, MAP_FAILED);
    madvise(block, bytes, MADV_NOHUGEPAGE);          /* else one touch makes 512 pages resident */
    assert_int_equal(pl_stack_init(block, bytes, &c, &env, 0, &s), PL_OK);
    unsigned char *in = calloc(pages, 1);
    assert_int_equal(mincore(block, bytes, in), 0);
    for (size_t n = 0; n < pages; n++)
        resident += in[n] & 1;
    assert_int_equal(resident, 1);
    free(in);
    munmap(block, bytes);
}

static void two_connections_fit_into_8_kib_without_buffers(void **state)
{
    (void)state;
    struct pl_config c = duo_config();
    c.connections_max = 2;
    c.half_open_max = c.time_wait_max = c.listeners_max = c.udp_max = c.ifaces_max = c.addrs_max = c.routes_max = c.neighbors_max = c.paths_max = 1;
    c.flights_max = 2, c.gaps_max = 1, c.gaps_per_conn_max = 2;
    c.records_max = 8, c.records_per_conn_max = 4;
    c.owed_max = 1, c.chunk_bytes = 256, c.chunks_max = 16;
    print_message("%zu bytes with %zu of buffers\n", pl_stack_size(&c), chunks_bytes(c.chunk_bytes, c.chunks_max));
    assert_true(pl_stack_size(&c) - chunks_bytes(c.chunk_bytes, c.chunks_max) <= 8192);
    c.addrs_max = 2;                      /* the duo has two addresses; and it works */
    c.sndbuf_bytes = c.rcvbuf_bytes = 1024;
    struct duo d;
    duo_init(&d, &c, false);
    for (unsigned n = 0; n < 2; n++) {
        pl_conn both[2];
        uint8_t bytes[1000] = {1};
        duo_open(&d, n, 80, both);
        for (unsigned turn = 0; turn < 5; turn++) {
            assert_true(pl_send(d.s[0], both[0], bytes, sizeof bytes) == sizeof bytes);
            duo_run(&d, 1 * PL_S);
            assert_true(pl_recv(d.s[1], both[1], bytes, sizeof bytes) == sizeof bytes);
            duo_run(&d, 1 * PL_S);
        }
    }
    duo_free(&d);
}

/* ------------------------------------------------------------------ nothing is left ------------------------------------------------------------------ */

static void fine(const char *wrong)
{
    if (wrong)
        print_error("%s\n", wrong);
    assert_null(wrong);
}

enum ending { CLOSE, CLOSE_BY_PEER, BOTH_AT_ONCE, ABORT, RESET, UNREAD, TIMED_OUT, REFUSED, LISTENER_GONE, HALF_OPEN_GONE, ENDINGS };

/* One connection from SYN to nothing. */
static void live_and_die(struct duo *d, enum ending how, bool ipv6)
{
    uint8_t bytes[3000] = {0};
    pl_listener l = how == REFUSED ? 0 : duo_listen(d, 1, 80, 0);
    pl_conn a = duo_connect(d, 0, ipv6, 80), b = 0;
    if (how == HALF_OPEN_GONE) {          /* the SYN-ACK never arrives */
        d->cut[1] = true;
        duo_exchange(d);
        assert_int_equal(d->s[1]->half_opens.used, 1);
    }
    duo_exchange(d);
    if (how != REFUSED && how != LISTENER_GONE && how != HALF_OPEN_GONE)
        assert_int_equal(pl_accept(d->s[1], l, &b, NULL), PL_OK);
    if (how != REFUSED && how != HALF_OPEN_GONE) {
        assert_int_equal(pl_send(d->s[0], a, bytes, sizeof bytes), sizeof bytes);
        d->cut[0] = how == TIMED_OUT;
        duo_exchange(d);
        if (b && how != UNREAD)
            pl_recv(d->s[1], b, bytes, sizeof bytes);
    }
    if (l)
        assert_int_equal(pl_close(d->s[1], l), PL_OK);
    duo_drain_events(d);
    if (how == ABORT)
        assert_int_equal(pl_abort(d->s[0], a), PL_OK);
    if (how == RESET)
        assert_int_equal(pl_abort(d->s[1], b), PL_OK);
    if (how == BOTH_AT_ONCE)
        assert_int_equal(pl_finish(d->s[1], b), PL_OK), assert_int_equal(pl_finish(d->s[0], a), PL_OK);
    bool peer_first = how == CLOSE_BY_PEER || how == UNREAD || how == RESET;
    if (b && peer_first)
        assert_int_equal(pl_close(d->s[1], b), PL_OK);
    duo_exchange(d);
    assert_int_equal(pl_close(d->s[0], a), PL_OK);
    duo_exchange(d);
    if (b && !peer_first)
        assert_int_equal(pl_close(d->s[1], b), PL_OK);
    duo_exchange(d);
    if (how == TIMED_OUT || how == HALF_OPEN_GONE) {
        duo_run(d, 400 * PL_S);
        d->cut[0] = d->cut[1] = false;
    }
}

static void after_10000_connections_of_every_manner_nothing_is_left(void **state)
{
    (void)state;
    struct duo d;
    unsigned states[ENDINGS] = {0};
    duo_init(&d, NULL, true);
    for (unsigned n = 0; n < 10000; n++) {
        enum ending how = n % 50 == 49 ? TIMED_OUT : n % 50 == 48 ? HALF_OPEN_GONE : (enum ending)(n % 50 % TIMED_OUT);
        if (n % 50 == 47)
            how = REFUSED;
        if (n % 50 == 46)
            how = LISTENER_GONE;
        live_and_die(&d, how, n & 1);
        states[how]++;
        assert_int_equal(d.s[0]->pools.conns.used + d.s[1]->pools.conns.used, 0);
        assert_int_equal(d.s[0]->pools.chunks.used + d.s[1]->pools.chunks.used, 0);
    }
    for (unsigned how = 0; how < ENDINGS; how++)
        assert_true(states[how] > 0);
    duo_run(&d, 61 * PL_S);               /* the last TIME-WAIT entries */
    for (unsigned h = 0; h < 2; h++) {
        fine(block_is_empty(d.s[h]));
        assert_int_equal(pl_iface_remove(d.s[h], 0), PL_OK);
        fine(block_is_empty(d.s[h]));
        assert_int_equal(d.s[h]->neighbors.used + d.s[h]->addrs.used + d.s[h]->routes.used + d.s[h]->ifaces.used, 0);
    }
    duo_free(&d);
}

static void an_interface_that_goes_takes_every_kind_of_record_with_it(void **state)
{
    (void)state;
    struct duo d;
    pl_conn c[2], dying[2];
    uint8_t byte;
    duo_init(&d, NULL, false);
    duo_open(&d, false, 80, c);
    duo_open(&d, true, 81, dying);
    pl_close(d.s[0], dying[0]);
    duo_exchange(&d);
    pl_close(d.s[1], dying[1]);
    duo_exchange(&d);
    assert_int_equal(d.s[0]->time_waits.used, 1);
    pl_listener l = duo_listen(&d, 0, 90, 0);
    d.cut[0] = true;
    pl_conn peer = duo_connect(&d, 1, false, 90);
    duo_exchange(&d);
    assert_int_equal(d.s[0]->half_opens.used, 1);
    assert_true(pl_send(d.s[0], c[0], "x", 1) == 1);
    assert_true(pl_send(d.s[1], c[1], "y", 1) == 1);
    duo_exchange(&d);
    assert_int_equal(pl_iface_remove(d.s[0], 0), PL_OK);
    assert_int_equal(pl_recv(d.s[0], c[0], &byte, 1), 1);            /* what was received stays readable; then the error */
    assert_int_equal(pl_recv(d.s[0], c[0], &byte, 1), PL_ENETDOWN);
    assert_int_equal(pl_error(d.s[0], c[0]), PL_ENETDOWN);
    assert_int_equal(pl_close(d.s[0], c[0]), PL_OK);
    assert_int_equal(pl_close(d.s[0], l), PL_OK);
    pl_event_next(d.s[0], &(struct pl_event){.bits = 0});
    fine(block_is_empty(d.s[0]));
    (void)peer;
    duo_free(&d);
}

/* ------------------------------------------------------------------ four connections in 64 KiB ------------------------------------------------------------------ */

enum { PAGE = 20000 };

static void four_connections_in_64_kib_serve_a_page(void **state)
{
    (void)state;
    struct duo d;
    struct pl_config c = duo_config();
    assert_true(pl_stack_size(&c) <= 65536);
    duo_init(&d, &c, true);
    pl_listener l = duo_listen(&d, 1, 80, 0);
    pl_conn client[4], server[4];
    uint32_t asked[4] = {0}, sent[4] = {0}, got[4] = {0};
    uint8_t mark[2][4];
    bool ended[4] = {false};
    for (unsigned n = 0; n < 4; n++)
        client[n] = duo_connect(&d, 0, n & 1, 80);
    duo_exchange(&d);
    for (unsigned n = 0; n < 4; n++) {
        struct pl_endpoint remote;
        struct pl_tcp_status st;
        assert_int_equal(pl_accept(d.s[1], l, &server[n], &remote), PL_OK);
        assert_int_equal(pl_status(d.s[0], client[n], &st, sizeof st), PL_OK);
        mark[0][n] = (uint8_t)st.local.port, mark[1][n] = (uint8_t)remote.port;      /* each page is different */
        assert_int_equal(pl_send(d.s[0], client[n], "GET", 3), 3);
    }
    for (unsigned round = 0; round < 10000 && !(ended[0] && ended[1] && ended[2] && ended[3]); round++) {
        uint8_t bytes[512];
        duo_run(&d, 1 * PL_MS);
        for (unsigned n = 0; n < 4; n++) {
            ptrdiff_t k = pl_recv(d.s[1], server[n], bytes, sizeof bytes);
            asked[n] += k > 0 ? (uint32_t)k : 0;
            for (unsigned i = 0; i < sizeof bytes; i++)
                bytes[i] = (uint8_t)((sent[n] + i) * 13 + mark[1][n]);
            uint32_t left = PAGE - sent[n];
            k = asked[n] == 3 && left ? pl_send(d.s[1], server[n], bytes, left < sizeof bytes ? left : sizeof bytes) : 0;
            sent[n] += k > 0 ? (uint32_t)k : 0;
            if (sent[n] == PAGE && server[n])
                assert_int_equal(pl_close(d.s[1], server[n]), PL_OK), server[n] = 0;
            while ((k = pl_recv(d.s[0], client[n], bytes, sizeof bytes)) > 0)
                for (ptrdiff_t i = 0; i < k; i++, got[n]++)
                    assert_int_equal(bytes[i], (uint8_t)(got[n] * 13 + mark[0][n]));
            ended[n] |= k == 0;
        }
    }
    for (unsigned n = 0; n < 4; n++) {
        assert_true(ended[n]);
        assert_int_equal(got[n], PAGE);
    }
    duo_free(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_copy_continues_bit_for_bit),
        cmocka_unit_test(a_copy_moved_in_time_does_the_same_that_much_later),
        cmocka_unit_test(a_reseeded_copy_keeps_its_connections_and_chooses_new_numbers),
        cmocka_unit_test(attach_refuses_what_is_not_a_whole_stack_of_this_build),
        cmocka_unit_test(init_names_the_field_that_is_out_of_range),
        cmocka_unit_test(init_touches_one_page_of_a_zeroed_block),
        cmocka_unit_test(two_connections_fit_into_8_kib_without_buffers),
        cmocka_unit_test(after_10000_connections_of_every_manner_nothing_is_left),
        cmocka_unit_test(an_interface_that_goes_takes_every_kind_of_record_with_it),
        cmocka_unit_test(four_connections_in_64_kib_serve_a_page),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
