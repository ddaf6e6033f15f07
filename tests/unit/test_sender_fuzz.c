/* SPDX-License-Identifier: MIT
 *
 * A sender whose peer acknowledges, reports, reports twice, forgets and closes its window as it likes: a run is a seed; PARLEY_FUZZ_SEEDS=FIRST-LAST runs
 * others. Whatever the peer says, these hold (threats V32 to V34, V53; RFC 9293 3.8, RFC 2018 8, RFC 5681 3.1, RFC 6298 5):
 *
 *   - the stack's own invariants (config.check); cwnd and ssthresh are at least one segment, and not more than PL_CC_CWND_MAX;
 *   - when all is said that can be said, and something is not acknowledged, a timer runs; and no timer fires for ever at one instant;
 *   - once the peer is honest everything arrives, within a time that the time-outs bound, and not much of it more than once.
 */
#include "support/unit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/prng.h"
#include "base/seq.h"
#include "support/played.h"
#include <parley/cc.h>

enum { MSS = 1000, GAPS = 64, STEPS = 300, RTO_MAX_S = 8 };

static char where[80];
static void say_where(int signal)
{
    ssize_t ignored = write(2, where, strlen(where));
    (void)ignored;
    (void)signal;
}

struct run {
    struct played p;
    struct prng r;
    uint32_t una, nxt, written;           /* what the peer acknowledged last, the highest that was sent, what the program wrote; offsets */
    bool finished;                        /* the program has no more to send: its FIN takes the number `written` */
    bool other_control;                   /* BBR or `none` were at work, whose window follows from something else */
    bool plausible;                       /* the peer speaks of whole segments, as a real one would, and of one round trip time */
};

static uint32_t any(struct run *f, uint32_t below) { return prng_below(&f->r, below); }

static struct pl_config config_of(struct prng *r)
{
    struct pl_config c = duo_config();
    c.timestamps = prng_below(r, 2);
    c.sack = prng_below(r, 4) != 0;
    c.loss_probe = prng_below(r, 4) != 0;
    c.validate_window = prng_below(r, 4) != 0;
    c.congestion_control = (uint8_t)prng_below(r, 4);
    c.cc_state_bytes = PL_CC_STATE_BYTES;
    c.rto_max = RTO_MAX_S * PL_S;
    c.data_retries = 100;
    c.sndbuf_bytes = c.sndbuf_max = 1 << (12 + prng_below(r, 6));
    c.chunks_max = 400;
    c.records_per_conn_max = prng_below(r, 3) ? 256 : 1 + prng_below(r, 8);
    if (c.records_max < c.records_per_conn_max || prng_below(r, 2))
        c.records_max = c.records_per_conn_max + 1;
    return c;
}

static void open_one(struct run *f, unsigned seed)
{
    prng_seed(&f->r, seed);
    struct pl_config c = config_of(&f->r);
    bool six = any(f, 2);
    played_init(&f->p, six, &c);
    if (any(f, 2)) {
        struct pl_iface_params gso = {.mtu = 1500, .link = PL_LINK_IP, .gso_bytes = (1u << (13 + any(f, 4))) - 1};
        played_iface(&f->p, &gso);
    }
    struct wire_tcp_opts o = {.have = WIRE_OPT_MSS | WIRE_OPT_SACK_PERMITTED, .mss = MSS, .wscale = (uint8_t)any(f, 8)};
    o.mss = any(f, 3) ? o.mss : (uint16_t)(48 + any(f, 1400));
    o.have |= (any(f, 2) ? WIRE_OPT_TIMESTAMPS : 0) | (any(f, 2) ? WIRE_OPT_WSCALE : 0);
    uint32_t iss = any(f, 4) ? any(f, 1u << 31) * 2 : 0xffffffff - any(f, 60000);
    if (pl_set(f->p.d.s[1], f->p.listener, PL_OPT_ISN, iss) != PL_OK)
        fail();
    played_open(&f->p, &o, (uint16_t)(any(f, 4) ? 60000 : any(f, 60000)), any(f, 3) * 40 * PL_MS, NULL);
    f->una = f->nxt = f->written = 0;
    f->plausible = any(f, 2);
    f->other_control = c.congestion_control >= PL_CC_BBR;
    f->finished = false;
    if (any(f, 2))
        pl_set(f->p.d.s[1], f->p.c, PL_OPT_NODELAY, 1);
}

static void sane(struct run *f)
{
    struct pl_tcp_status s = played_status(&f->p);
    if (s.state == PL_CLOSED || s.state >= PL_TIME_WAIT)
        return;
    assert_in_range(s.cwnd_bytes, s.mss, PL_CC_CWND_MAX);
    assert_in_range(s.ssthresh_bytes, s.mss, PL_CC_CWND_MAX);
    if (!f->other_control)                /* whatever it says: not faster than slow start by what it acknowledged, RFC 5681 3.1, RFC 3465 */
        assert_in_range(s.cwnd_bytes, 1, 14600 + 10 * s.peer_mss + s.bytes_acked);
    assert_true(seq_le(s.snd.una, s.snd.nxt));
    assert_in_range(s.sacked_bytes + s.lost_bytes, 0, s.snd.nxt - s.snd.una);
}

static bool outstanding(struct run *f)
{
    struct pl_tcp_status s = played_status(&f->p);
    return s.sndbuf_used || (f->finished && s.snd.una - f->p.first < f->written + 1);
}

/* All has been taken: who waits has a timer, and one that lies ahead. */
static void waits_for_something(struct run *f)
{
    duo_drain_events(&f->p.d);
    pl_time at = pl_deadline(f->p.d.s[1]);
    assert_true(at > f->p.d.now);
    if (outstanding(f))
        assert_true(at != PL_NEVER);
}

/* A super-frame counts as one segment, and its checksum is the device's business. */
static bool take(struct run *f, struct forged *s)
{
    static uint8_t frame[70000];
    uint8_t headers[PL_HEADER_BYTES_MAX];
    struct pl_frame o = {.nspans = 1, .span = {{headers, sizeof headers}}};
    size_t n = 0;
    if (pl_tx(f->p.d.s[1], 0, &o, 1, f->p.d.now) != 1)
        return false;
    for (unsigned i = 0; i < o.nspans; n += o.span[i++].len)
        memcpy(frame + n, o.span[i].base, o.span[i].len);
    (void)forge_read(frame, n, s);
    assert_int_equal(s->src.port, PLAYED_PORT);
    s->text = NULL;
    s->seq -= f->p.first;
    f->p.echo = s->opts.ts_val;
    uint32_t end = s->seq + (uint32_t)s->text_bytes + (s->flags & PL_FIN ? 1 : 0);
    if (seq_gt(end, f->nxt))
        f->nxt = end;
    return true;
}

static void takes(struct run *f, unsigned most)
{
    struct forged s;
    for (unsigned n = 0; n < most; n++)
        if (!take(f, &s)) {
            waits_for_something(f);
            return;
        }
}

static uint32_t somewhere(struct run *f)
{
    uint32_t span = f->nxt - f->una, mss = played_status(&f->p).mss;
    uint32_t at = any(f, span + 1);
    return f->una + (f->plausible || any(f, 4) ? at / mss * mss : at);
}

/* An ACK that says anything. */
static void babble(struct run *f)
{
    uint32_t ack = any(f, 4) ? f->una : any(f, 3) ? somewhere(f) : f->nxt;
    if (any(f, 40) == 0)
        ack = f->una - any(f, 5000);
    if (any(f, 60) == 0)
        ack = f->nxt + 1 + any(f, 5000);
    if (any(f, 6) == 0)
        f->p.wnd = (uint16_t)(any(f, 3) ? any(f, 65536) : any(f, 3) * 700);
    struct forged s = played_segment(&f->p, PL_ACK, 0, ack, 0);
    if (any(f, 3)) {
        s.opts.have |= WIRE_OPT_SACK;
        s.opts.nsack = (uint8_t)(1 + any(f, f->p.ts ? 3 : 4));
        for (unsigned i = 0; i < s.opts.nsack; i++) {
            uint32_t a = somewhere(f), b = any(f, 3) && !f->plausible ? a + any(f, 5000) : somewhere(f);
            if (any(f, 10) == 0)
                a = f->una;
            if (f->plausible && any(f, 2))
                b = f->nxt;
            if (seq_gt(b, f->nxt) && any(f, 20))
                b = f->nxt;
            s.opts.sack[i] = (struct wire_tcp_sack){f->p.first + a, f->p.first + b};
        }
        if (any(f, 4) == 0)
            s.opts.sack[0] = (struct wire_tcp_sack){f->p.first + f->una - any(f, 4000), f->p.first + ack};
    }
    if (f->p.ts && any(f, 3) == 0)
        s.opts.ts_ecr -= any(f, 1000);
    duo_give_segment(&f->p.d, 1, &s);
    f->una = played_status(&f->p).snd.una - f->p.first;
}

static void icmp(struct run *f)
{
    uint8_t frame[FORGE_BYTES_MAX];
    struct forged s = {.src = duo_endpoint(1, f->p.ipv6, PLAYED_PORT), .dst = duo_endpoint(0, f->p.ipv6, f->p.peer_port), .seq = f->p.first + somewhere(f),
                       .ack = PLAYED_ISS + 1, .flags = PL_ACK};
    size_t n = forge_tcp(frame, &s);
    uint32_t mtu = (f->p.ipv6 ? 1280 : 552) + any(f, 240);
    played_icmp(&f->p, f->p.ipv6 ? 2 : 3, f->p.ipv6 ? 0 : 4, mtu, frame, n);
}

static void writes(struct run *f)
{
    static const char text[1 << 17];
    if (f->finished)
        return;
    size_t bytes = 1 + any(f, any(f, 3) ? 3000 : 100000);
    ptrdiff_t n = any(f, 30) ? pl_send(f->p.d.s[1], f->p.c, text, bytes) : pl_send_urgent(f->p.d.s[1], f->p.c, text, bytes);
    if (n > 0)
        f->written += (uint32_t)n;
}

static void passes(struct run *f, pl_time until)
{
    f->p.d.now = until;
    pl_poll(f->p.d.s[1], until);
}

static void changes(struct run *f, unsigned control)
{
    f->other_control |= control >= PL_CC_BBR;
    assert_int_equal(pl_set(f->p.d.s[1], f->p.c, PL_OPT_CONGESTION, control), PL_OK);
}

static void moves_in_time(struct run *f)
{
    pl_time by = any(f, 100) * PL_S;
    pl_stack_shift_time(f->p.d.s[1], by);
    f->p.d.now += by;
}

static void step(struct run *f)
{
    switch (any(f, 16)) {
    case 0: case 1: case 2: writes(f); break;
    case 3: case 4: takes(f, 1000); break;
    case 5: takes(f, 1 + any(f, 5)); break;
    case 6: case 7: passes(f, f->p.d.now + (f->plausible ? 50 : any(f, 200)) * PL_MS); break;
    case 8: case 9: (void)played_next_deadline(&f->p); break;
    case 10:
        if (any(f, 20) == 0)
            changes(f, any(f, 4));
        else if (any(f, 4) == 0)
            icmp(f);
        else if (any(f, 20) == 0)
            moves_in_time(f);
        else if (any(f, 40) == 0 && !f->finished)
            f->finished = pl_finish(f->p.d.s[1], f->p.c) == PL_OK;
        break;
    default: babble(f); break;
    }
    sane(f);
}

/* ------------------------------------------------------------------ the honest peer ------------------------------------------------------------------ */

struct honest {
    uint32_t rcv;
    struct { uint32_t lo, hi; } gap[GAPS];
    unsigned gaps;
    uint64_t got;
};

static void receives(struct honest *h, uint32_t lo, uint32_t hi)
{
    h->got += hi - lo;
    for (unsigned i = 0; i < h->gaps;) {                     /* what touches it becomes part of it */
        if (seq_le(h->gap[i].lo, hi) && seq_le(lo, h->gap[i].hi)) {
            lo = seq_lt(h->gap[i].lo, lo) ? h->gap[i].lo : lo;
            hi = seq_gt(h->gap[i].hi, hi) ? h->gap[i].hi : hi;
            h->gap[i] = h->gap[--h->gaps];
        } else {
            i++;
        }
    }
    if (seq_le(lo, h->rcv))
        h->rcv = seq_gt(hi, h->rcv) ? hi : h->rcv;
    else if (h->gaps < GAPS)
        h->gap[h->gaps].lo = lo, h->gap[h->gaps++].hi = hi;
}

static void says(struct run *f, struct honest *h)
{
    struct forged s = played_segment(&f->p, PL_ACK, 0, h->rcv, 0);
    if (h->gaps && played_status(&f->p).sack) {
        s.opts.have |= WIRE_OPT_SACK;
        for (unsigned i = 0; i < h->gaps && i < 3; i++)
            s.opts.sack[s.opts.nsack++] = (struct wire_tcp_sack){f->p.first + h->gap[h->gaps - 1 - i].lo, f->p.first + h->gap[h->gaps - 1 - i].hi};
    }
    duo_give_segment(&f->p.d, 1, &s);
}

static void fails_to_end(struct run *f, const struct honest *h)
{
    char text[1000];
    struct pl_tcp_status s = played_status(&f->p);
    pl_explain(f->p.d.s[1], f->p.c, text, sizeof text);
    fail_msg("has %u of %u: %s; %s, pipe %u, lost %u, sacked %u, cwnd %u, pacing %u", h->rcv, f->written + 1, text, s.cc_name, s.in_flight_bytes, s.lost_bytes,
             s.sacked_bytes, s.cwnd_bytes, (unsigned)s.pacing_rate);
}

static void ends_well(struct run *f)
{
    struct honest h = {.rcv = f->una};
    pl_time began = f->p.d.now, bound = began + 120 * PL_S;
    f->p.wnd = 60000;
    if (!f->finished)
        f->finished = pl_finish(f->p.d.s[1], f->p.c) == PL_OK;
    uint32_t left = f->written + 1 - f->una;
    says(f, &h);
    unsigned idle = 0;
    while (h.rcv != f->written + 1) {
        struct forged s;
        bool heard = false;
        while (take(f, &s)) {
            uint32_t n = (uint32_t)s.text_bytes + (s.flags & PL_FIN ? 1 : 0);
            heard = true;
            if (n)
                receives(&h, s.seq, s.seq + n);
        }
        if (heard) {
            idle = 0;
            passes(f, f->p.d.now + 20 * PL_MS);
            says(f, &h);
        } else {
            assert_true(++idle < 1000);
            assert_true(played_next_deadline(&f->p));
        }
        if (f->p.d.now >= bound)
            fails_to_end(f, &h);
        sane(f);
    }
    assert_true(h.got <= 3 * (uint64_t)left + 4 * 65536);
}

static void play(unsigned seed)
{
    struct run f;
    snprintf(where, sizeof where, "seed %u\n", seed);
    open_one(&f, seed);
    for (unsigned n = 0; n < STEPS; n++) {
        snprintf(where, sizeof where, "seed %u, step %u\n", seed, n);
        step(&f);
        if (played_status(&f.p).state != PL_ESTABLISHED && !f.finished)
            break;
    }
    snprintf(where, sizeof where, "seed %u, at the end\n", seed);
    enum pl_state st = played_status(&f.p).state;
    if (st == PL_ESTABLISHED || st == PL_FIN_WAIT_1)
        ends_well(&f);
    played_free(&f.p);
}

static void whatever_the_peer_says(void **state)
{
    (void)state;
    unsigned first = 1, last = 400;
    const char *asked = getenv("PARLEY_FUZZ_SEEDS");
    if (asked)
        sscanf(asked, "%u-%u", &first, &last);
    signal(SIGABRT, say_where);
    for (unsigned seed = first; seed <= last; seed++)
        play(seed);
    where[0] = 0;
}

static int tell_where(void **state)
{
    (void)state;
    if (where[0])
        print_message("%s", where);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_teardown(whatever_the_peer_says, tell_where)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
