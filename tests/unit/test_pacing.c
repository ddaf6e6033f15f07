/* SPDX-License-Identifier: MIT
 *
 * Pacing: in quanta of max(2 MSS, 1 ms at the rate), at most 64 KiB, or as the congestion control says; who comes late may make good one quantum
 * (docs/architecture.md section 5). A control of the program's own sets the rate. Host 1 of a duo; its peer is played by hand.
 */
#include "support/played.h"

enum { MSS = 1000 };

static struct {
    uint64_t rate;
    uint32_t quantum;
} wish;

static void on_start(void *user, struct pl_cc *cc, void *state, pl_time now, pl_time srtt)
{
    (void)user, (void)state, (void)now, (void)srtt;
    cc->cwnd = PL_CC_CWND_MAX;
    cc->pacing_rate = wish.rate;
    cc->quantum = wish.quantum;
}

static void on_ack(void *user, struct pl_cc *cc, void *state, const struct pl_cc_ack *a)
{
    (void)user, (void)state, (void)a;
    cc->pacing_rate = wish.rate;
    cc->quantum = wish.quantum;
}

static const struct pl_cc_ops paced = {.name = "paced", .flags = PL_CC_OWN_RECOVERY, .state_bytes = 8, .on_start = on_start, .on_ack = on_ack};

static void opened(struct played *p, void **state, uint64_t rate, uint32_t quantum)
{
    struct pl_config c = duo_config();
    wish.rate = rate;
    wish.quantum = quantum;
    c.sndbuf_bytes = 1 << 20;
    c.chunks_max = 4000;
    c.records_max = c.records_per_conn_max = 2000;
    c.loss_probe = false;
    played_init(p, SIX(state), &c);
    p->d.env[1].cc = &paced;
    p->d.env[1].cc_count = 1;
    played_open(p, &(struct wire_tcp_opts){.have = WIRE_OPT_MSS | WIRE_OPT_WSCALE | WIRE_OPT_SACK_PERMITTED, .mss = MSS, .wscale = 7}, 60000, 100 * PL_MS, NULL);
    assert_int_equal(pl_set(p->d.s[1], p->c, PL_OPT_CONGESTION, PL_CC_USER), PL_OK);
}

static void sends(struct played *p, unsigned segments)
{
    for (unsigned n = 0; n < segments; n += 20)
        played_sends(p, 20 * MSS);
}

static void later(struct played *p, pl_time at)
{
    p->d.now = at;
    pl_poll(p->d.s[1], at);
}

/* The clock goes to the moment at which something may go again: not before, and exactly then. Returns how many segments. */
static unsigned next_quantum(struct played *p)
{
    unsigned n = 0;
    for (unsigned i = 0; n == 0 && i < 10; i++) {        /* it may be woken early */
        duo_drain_events(&p->d);
        pl_time next = pl_deadline(p->d.s[1]);
        assert_true(next > p->d.now && next != PL_NEVER);
        assert_int_equal(played_drains(p), 0);
        later(p, next);
        n = played_drains(p);
    }
    assert_true(n > 0);
    return n;
}

static void quanta_follow_each_other_at_the_rate(void **state)
{
    static const struct { uint64_t rate; uint32_t quantum; unsigned segments; pl_time each; } rows[] = {
        {1000000, 0, 2, 2 * PL_MS},                      /* 2 MSS is more than 1 ms of it */
        {10000000, 0, 10, 1 * PL_MS},                    /* 1 ms */
        {3500000, 0, 3, 857142},                         /* whole segments of it: 3000 of 3500 bytes */
        {100000000, 0, 65, 650 * PL_US},                 /* 64 KiB at most */
        {1000000, 5 * MSS, 5, 5 * PL_MS},                /* as the control says */
        {1000000, MSS, 1, 1 * PL_MS},
        {1000000, 1, 1, 1 * PL_MS},                      /* a segment in any case */
        {1000000, 5 * MSS + 999, 5, 5 * PL_MS},
        {100000000, 1 << 20, 65, 650 * PL_US},
    };
    for (unsigned i = 0; i < COUNT_OF(rows); i++) {
        struct played p;
        opened(&p, state, rows[i].rate, rows[i].quantum);
        sends(&p, 600);
        assert_int_equal(played_drains(&p), 2 * rows[i].segments);   /* the first one counts as late */
        pl_time at = p.d.now;
        for (unsigned n = 1; n < 5; n++) {
            assert_int_equal(next_quantum(&p), rows[i].segments);
            assert_in_range(p.d.now, at + n * rows[i].each, at + n * rows[i].each + n);
        }
        played_free(&p);
    }
}

/* A program that comes by too late gets what it missed, one quantum at most; so one that is a little late loses nothing. */
static void who_comes_late_makes_good_one_quantum(void **state)
{
    struct played p;
    opened(&p, state, 1000000, 0);
    sends(&p, 200);
    assert_int_equal(played_drains(&p), 4);
    pl_time start = p.d.now;
    assert_int_equal(next_quantum(&p), 2);
    assert_true(p.d.now == start + 2 * PL_MS);
    later(&p, start + 5 * PL_MS);         /* a segment's time late: that one, and the quantum that is due by then */
    assert_int_equal(played_drains(&p), 3);
    assert_int_equal(next_quantum(&p), 2);
    assert_true(p.d.now == start + 7 * PL_MS);
    later(&p, start + 13 * PL_MS);        /* two quanta late: one of them, and the one that is due */
    assert_int_equal(played_drains(&p), 4);
    later(&p, start + 100 * PL_MS);       /* 42 quanta late: the same, the rest of what was missed is gone */
    assert_int_equal(played_drains(&p), 4);
    assert_int_equal(next_quantum(&p), 2);
    assert_true(p.d.now == start + 102 * PL_MS);
    played_free(&p);
}

static void over_a_second_exactly_the_rate_goes(void **state)
{
    struct played p;
    opened(&p, state, 123456, 0);
    sends(&p, 300);
    pl_time start = p.d.now;
    unsigned sent = played_drains(&p);
    for (;;) {
        duo_drain_events(&p.d);
        pl_time next = pl_deadline(p.d.s[1]);
        assert_true(next > p.d.now);
        if (next > start + PL_S)
            break;
        later(&p, next);
        sent += played_drains(&p);
        played_gives(&p, PL_ACK, 0, sent * MSS, 0);      /* no timer meddles */
        sent += played_drains(&p);
    }
    assert_in_range(sent * MSS, 123456, 123456 + 4 * MSS);
    played_free(&p);
}

/* What is repeated is spread as well; a loss probe is not: it has waited long enough. */
static void what_is_repeated_is_paced_too(void **state)
{
    struct played p;
    struct forged f, s;
    opened(&p, state, 1000000, 0);
    sends(&p, 40);
    for (unsigned i = 0; played_status(&p).snd.nxt != p.first + 40 * MSS; i++) {
        assert_true(i < 100);
        later(&p, p.d.now + 2 * PL_MS);
        played_drains(&p);
    }
    p.d.now += 100 * PL_MS;
    f = played_segment(&p, PL_ACK, 0, 0, 0);
    f.opts = (struct wire_tcp_opts){.have = WIRE_OPT_SACK, .nsack = 1, .sack = {{p.first + 20 * MSS, p.first + 40 * MSS}}};
    duo_give_segment(&p.d, 1, &f);        /* the first half is lost */
    unsigned n = 0;
    while (played_takes(&p, &s))
        assert_int_equal(s.seq, MSS * n++);
    assert_int_equal(n, 4);
    assert_int_equal(next_quantum(&p), 2);
    assert_int_equal(next_quantum(&p), 2);
    played_free(&p);
}

static void without_a_rate_nothing_waits(void **state)
{
    struct played p;
    opened(&p, state, 1000000, 0);
    sends(&p, 200);
    assert_int_equal(played_drains(&p), 4);
    wish.rate = 0;
    played_gives(&p, PL_ACK, 0, MSS, 0);
    assert_int_equal(played_drains(&p), 196);
    played_free(&p);
}

/* A segment at a byte per second would take 17 minutes: the pace never holds anything longer than max(1 s, RTO). So what timed out goes when it should
 * (RFC 6298 5.4), and a rate that rises is not held up by what left at the one before. */
static void no_pace_is_slower_than_the_timer(void **state)
{
    struct played p;
    opened(&p, state, 1, 0);
    sends(&p, 20);
    later(&p, p.d.now + 3600 * PL_S);
    assert_in_range(played_drains(&p), 1, 4);
    pl_time at = p.d.now;
    for (unsigned n = 1; n <= 4; n++) {
        next_quantum(&p);
        assert_in_range(p.d.now, at + PL_S / 2, at + n * PL_S);
    }
    wish.rate = 1000000;
    played_gives(&p, PL_ACK, 0, MSS, 0);
    played_drains(&p);
    at = p.d.now;
    for (unsigned n = 0; n < 4; n++)
        next_quantum(&p);
    assert_in_range(p.d.now, at, at + PL_S + 10 * PL_MS);
    played_free(&p);
}

static void an_acknowledgement_does_not_wait_for_the_pace(void **state)
{
    struct played p;
    struct forged s;
    opened(&p, state, 10000, 0);
    sends(&p, 20);
    assert_int_equal(played_drains(&p), 4);
    played_gives(&p, PL_ACK, 0, 0, MSS);
    assert_true(played_takes(&p, &s));
    assert_true(s.text_bytes == 0 && s.ack == MSS);
    assert_false(played_takes(&p, &s));
    played_free(&p);
}

/* A device that cuts gets a quantum as one frame. */
static void a_quantum_is_one_super_frame(void **state)
{
    struct played p;
    struct pl_frame f = {.nspans = 1};
    uint8_t headers[PL_HEADER_BYTES_MAX];
    size_t bytes[6] = {0};
    unsigned n = 0;
    struct pl_iface_params segmenting = {.mtu = 1500, .link = PL_LINK_IP, .gso_bytes = 65535};
    struct pl_config c = duo_config();
    wish.rate = 10000000, wish.quantum = 0;
    c.sndbuf_bytes = 1 << 20;
    c.chunk_bytes = 65536, c.chunks_max = 40;
    played_init(&p, SIX(state), &c);
    p.d.env[1].cc = &paced, p.d.env[1].cc_count = 1;
    played_iface(&p, &segmenting);
    played_open(&p, &(struct wire_tcp_opts){.have = WIRE_OPT_MSS | WIRE_OPT_WSCALE, .mss = MSS, .wscale = 7}, 60000, 0, NULL);
    assert_int_equal(pl_set(p.d.s[1], p.c, PL_OPT_CONGESTION, PL_CC_USER), PL_OK);
    sends(&p, 100);
    for (;;) {
        f.nspans = 1;
        f.span[0] = (struct pl_span){headers, sizeof headers};
        if (pl_tx(p.d.s[1], 0, &f, 1, p.d.now) != 1 || n == 6)
            break;
        for (unsigned k = 1; k < f.nspans; k++)
            bytes[n] += f.span[k].len;
        n++;
    }
    assert_int_equal(n, 2);               /* a quantum, and the one of credit */
    assert_int_equal(bytes[0], 10 * MSS);
    assert_int_equal(bytes[1], 10 * MSS);
    played_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(quanta_follow_each_other_at_the_rate),
        BOTH(who_comes_late_makes_good_one_quantum),
        BOTH(over_a_second_exactly_the_rate_goes),
        BOTH(what_is_repeated_is_paced_too),
        BOTH(without_a_rate_nothing_waits),
        BOTH(no_pace_is_slower_than_the_timer),
        BOTH(an_acknowledgement_does_not_wait_for_the_pace),
        BOTH(a_quantum_is_one_super_frame),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
