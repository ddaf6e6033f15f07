/* SPDX-License-Identifier: MIT
 *
 * Threat V46, what a flood of SYNs leaves to others: connections that transfer at the same time are as fast as without it, the memory in use does not
 * change, and the backlog of one listener is all that it takes of the table. Time is virtual; a round is one batch in and one batch out.
 */
#include "support/victim_case.h"

enum { SYNS = 64, TEXT = 500, SEGMENTS = 1500, ROUND_US = 6400, MAX_OUT = 256 };

static uint8_t frames[SYNS + 8][FORGE_BYTES_MAX];
static uint32_t forged_syns;

static void add(struct pl_frame *in, unsigned *n, const struct forged *f)
{
    memset(&in[*n], 0, sizeof in[*n]);
    in[*n].span[0] = (struct pl_span){frames[*n], forge_tcp(frames[*n], f)};
    in[*n].nspans = 1;
    ++*n;
}

static void add_syns(struct pl_frame *in, unsigned *n, unsigned how_many, uint16_t port)
{
    for (unsigned i = 0; i < how_many; i++, forged_syns++) {
        bool v6 = forged_syns & 1;
        struct forged f = {.src = victim_stranger(v6, 1000 + forged_syns % 1000000, (uint16_t)(1024 + forged_syns % 60000)),
                           .dst = victim_endpoint(v6, port), .seq = forged_syns * 2654435761u, .flags = PL_SYN, .wnd = 1000,
                           .opts = {.have = WIRE_OPT_MSS | WIRE_OPT_TIMESTAMPS, .mss = 1460, .ts_val = forged_syns}};
        add(in, n, &f);
    }
}

/* One end that sends SEGMENTS segments and is sent as many bytes. */
struct transfer {
    struct peer p;
    uint32_t sent, acked, got, given;     /* bytes: the peer's sent and acknowledged; the victim's that it got, that the program gave */
};

static void heard(struct transfer *s, const struct forged *f)
{
    if (f->dst.port != s->p.at.port || memcmp(f->dst.addr.b, s->p.at.addr.b, 16) != 0) return;
    if (f->seq == s->p.ack) {
        s->p.ack += (uint32_t)f->text_bytes;
        s->got += (uint32_t)f->text_bytes;
    }
    s->acked = f->ack - (s->p.iss + 1);
    if (f->opts.have & WIRE_OPT_TIMESTAMPS) s->p.ts_ecr = f->opts.ts_val;
}

static bool finished(const struct transfer *s) { return s->acked >= SEGMENTS * TEXT && s->got >= SEGMENTS * TEXT; }

static void program(struct transfer *s)
{
    static char bytes[4 * TEXT];
    while (pl_recv(v.s, s->p.c, bytes, sizeof bytes) > 0)
        ;
    uint32_t left = SEGMENTS * TEXT - s->given, n = left < 2 * TEXT ? left : 2 * TEXT;
    ptrdiff_t took = n ? pl_send(v.s, s->p.c, bytes, n) : 0;
    s->given += took > 0 ? (uint32_t)took : 0;
}

/* How many rounds the two streams take, with a flood in front of and behind each of their segments, and a device that takes `most_out` frames a round. */
static unsigned rounds(unsigned syns, unsigned most_out, struct transfer s[2])
{
    static uint8_t room[MAX_OUT][PL_HEADER_BYTES_MAX];
    struct pl_frame in[SYNS + 8], out[MAX_OUT];
    unsigned round = 0;
    pl_trace_fn *trace = v.env.trace;
    v.env.trace = NULL;                   /* nobody reads the flood frame by frame */
    for (; !finished(&s[0]) || !finished(&s[1]); round++) {
        unsigned n = 0;
        if (round > 50 * SEGMENTS) fail_msg("stands still: %u and %u bytes of %u", s[0].got, s[1].got, SEGMENTS * TEXT);
        for (unsigned k = 0; k < 2; k++) {
            add_syns(in, &n, syns / 2, VICTIM_PORT);
            struct forged f = peer_segment(&s[k].p, PL_ACK | PL_PSH);
            f.opts.ts_val = s[k].p.ts_val = round + 1000;
            bool more = s[k].sent < SEGMENTS * TEXT && s[k].sent - s[k].acked < 3000;
            f.text_bytes = more ? TEXT : 0;
            add(in, &n, &f);
            s[k].sent += (uint32_t)f.text_bytes;
            s[k].p.seq += (uint32_t)f.text_bytes;
        }
        v.now += ROUND_US * PL_US;
        assert_int_equal(pl_rx(v.s, 0, in, n, v.now), PL_OK);
        program(&s[0]);
        program(&s[1]);
        (void)victim_events(&v, 0);
        memset(out, 0, sizeof out[0] * most_out);
        for (unsigned i = 0; i < most_out; i++)
            out[i].span[0] = (struct pl_span){room[i], sizeof room[i]};
        int got = pl_tx(v.s, 0, out, most_out, v.now);
        for (int i = 0; i < got; i++) {
            uint8_t flat[FORGE_BYTES_MAX];
            size_t bytes = 0;
            struct forged f;
            for (unsigned k = 0; k < out[i].nspans; k++) {
                memcpy(flat + bytes, out[i].span[k].base, out[i].span[k].len);
                bytes += out[i].span[k].len;
            }
            assert_true(forge_read(flat, bytes, &f));
            heard(&s[0], &f);
            heard(&s[1], &f);
        }
    }
    v.env.trace = trace;
    return round;
}

static void make_flooded(void)
{
    struct pl_config c = config_with_timestamps();
    c.half_open_max = 1024;
    c.owed_max = 128;
    remake(&c);
}

static unsigned transfers(unsigned syns, unsigned most_out)
{
    make_flooded();
    struct transfer s[2] = {{.sent = 0}, {.sent = 0}};
    for (unsigned v6 = 0; v6 < 2; v6++)
        s[v6].p = peer_connects(&v, v6, &(struct peer_wish){.opts = {.have = WIRE_OPT_MSS | WIRE_OPT_TIMESTAMPS, .mss = 1460, .ts_val = 1}});
    size_t bytes = pl_stack_bytes(v.s);
    unsigned n = rounds(syns, most_out, s);
    assert_int_equal(pl_stack_bytes(v.s), bytes);
    assert_int_equal(v.s->pools.conns.used, 2);
    assert_true(v.s->half_opens.used <= 1024);
    for (unsigned v6 = 0; v6 < 2; v6++) {
        struct pl_tcp_status st = peer_status(&s[v6].p);
        assert_int_equal(st.retransmits, 0);
        assert_int_equal(st.bytes_received, SEGMENTS * TEXT);
        forget(&s[v6].p);
    }
    return n;
}

static void v46_transfers_are_as_fast_as_without_the_flood(void **state)
{
    (void)state;
    unsigned quiet = transfers(0, 128);
    unsigned flooded = transfers(SYNS, 128);
    print_message("rounds: %u, in the flood %u\n", quiet, flooded);
    assert_true(flooded <= quiet + 2);    /* the device takes all */
    /* It takes a quarter of what the flood alone would be answered with: the connections have their share of it all the same. */
    quiet = transfers(0, 16);
    flooded = transfers(SYNS, 16);
    print_message("rounds on a device that is too slow for the flood: %u, in the flood %u\n", quiet, flooded);
    assert_true(flooded <= 2 * quiet);
}

/* All that a stack has is in its block, whose size is fixed; how much of it is taken must not follow the number of SYNs either. */
static void v46_what_is_taken_does_not_grow(void **state)
{
    struct pl_frame in[SYNS];
    uint32_t half_opens = 0, chunks = 0;
    (void)state;
    make_flooded();
    struct peer p = peer_connects(&v, false, NULL);
    for (unsigned round = 0; round < 2000; round++) {
        unsigned n = 0;
        add_syns(in, &n, SYNS, VICTIM_PORT);
        v.now += 100 * PL_US;
        assert_int_equal(pl_rx(v.s, 0, in, n, v.now), PL_OK);
        (void)victim_hush(&v);
        if (round == 100) half_opens = v.s->half_opens.used, chunks = chunks_free(&v.s->pools.chunks);
        if (round < 100) continue;
        assert_int_equal(v.s->half_opens.used, half_opens);
        assert_int_equal(chunks_free(&v.s->pools.chunks), chunks);
        assert_int_equal(v.s->pools.conns.used + v.s->pools.flights.used + v.s->pools.records.used + v.s->pools.gaps.used + v.s->time_waits.used, 1);
    }
    assert_int_equal(half_opens, 1024);   /* the backlog */
    forget(&p);
}

/* The flood is on one port: its listener's backlog bounds what it takes, and the other listener answers from memory, not by cookie. */
static void v46_one_listeners_backlog_is_all_it_takes(void **state)
{
    struct pl_frame in[SYNS];
    unsigned n = 0;
    pl_listener other;
    (void)state;
    make_flooded();
    assert_int_equal(pl_listen(v.s, &(struct pl_listen_params){.local = {.port = 81}, .backlog = 10}, &other), PL_OK);
    add_syns(in, &n, SYNS, 81);
    assert_int_equal(pl_rx(v.s, 0, in, n, v.now), PL_OK);
    (void)victim_hush(&v);
    assert_int_equal(v.s->half_opens.used, 10);
    assert_int_equal(victim_drops(&v, PL_DROP_TCP_COOKIE_SENT), SYNS - 10);
    for (unsigned v6 = 0; v6 < 2; v6++) {
        struct peer p = peer_connects(&v, v6, &(struct peer_wish){.number = 5});
        forget(&p);
    }
    assert_int_equal(victim_drops(&v, PL_DROP_TCP_COOKIE_SENT), SYNS - 10);
    assert_int_equal(pl_close(v.s, other), PL_OK);
    assert_int_equal(v.s->half_opens.used, 0);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, make, unmake)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(v46_transfers_are_as_fast_as_without_the_flood),
        CASE(v46_what_is_taken_does_not_grow),
        CASE(v46_one_listeners_backlog_is_all_it_takes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
