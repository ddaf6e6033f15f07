/* SPDX-License-Identifier: MIT
 *
 * Many connections over one small pool, and programs that act on events alone, as a real one would: some read at once, some slowly, some not at all, some die and
 * others come in their place; sizes of buffers change at run time; the path loses and reorders. A run is a seed; PARLEY_FUZZ_SEEDS=FIRST-LAST runs others.
 * Whatever happens, these hold (RFC 9293 3.8.6.2.1, SHLD-14; docs/architecture.md, sections 3 and 5):
 *
 *   - the stacks' own invariants (config.check); each chunk is in one chain;
 *   - no right edge moves left, neither the true one nor what is told of it, but for rounding by the scale;
 *   - whose programs read both ways are done within a bounded time, whatever the others leave unread, if the pool has a share for each;
 *   - once nobody hogs memory any more and nothing is lost everybody is done within a bounded time;
 *   - when all is closed nothing is used, kept or promised.
 */
#include "support/unit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/prng.h"
#include "base/seq.h"
#include "stack/stack.h"
#include "support/duo.h"

enum { CONNS_MAX = 200, FLYING_MAX = 3000, FRAME = 1600 };

static char where[160];
static void say_where(int signal)
{
    ssize_t ignored = write(2, where, strlen(where));
    (void)ignored;
    (void)signal;
}

enum kind { READS, SLOW, HOG, DIES, KINDS };

struct side {
    pl_conn c;                            /* 0: not open yet, or given back */
    uint32_t given, got;
    struct right_edge edge;
    bool may_read, may_write, over;
    pl_time read_at;
};

struct conn {
    struct side side[2];
    enum kind kind;
    uint16_t port;
    uint32_t each[2];                     /* bytes that each side sends */
    pl_time dies_at;
};

struct flying {
    pl_time due;
    uint16_t n;
    uint8_t to;
    uint8_t frame[FRAME];
};

struct crowd {
    struct duo d;
    struct prng r;
    struct conn conn[CONNS_MAX];
    unsigned conns;
    uint16_t of_slot[2][CONNS_MAX * 2 + 2];              /* connection + 1 */
    uint16_t of_port[65536];
    pl_listener l;
    bool ipv6, calm;                      /* calm: nobody hogs, dies or loses any more */
    unsigned loss;                        /* of 100 */
    pl_time delay, jitter;
    struct flying *fly;
    unsigned flies;
    uint64_t looked;
};

static uint32_t any(struct crowd *w, uint32_t below) { return prng_below(&w->r, below); }
static uint8_t pattern(unsigned port, unsigned host, uint32_t at) { return (uint8_t)(at * 7 + (at >> 8) + port * 31 + host); }
static uint32_t slot_of(pl_handle h) { return (uint32_t)h & 0x3fffffff; }

static void opens(struct crowd *w, unsigned i, enum kind kind)
{
    struct conn *k = &w->conn[i];
    struct pl_tcp_status st;
    *k = (struct conn){.kind = kind, .each = {any(w, 3) ? 1000 + any(w, 12000) : 0, any(w, 3) ? 1000 + any(w, 12000) : 0}};
    k->side[0].c = duo_connect(&w->d, 0, w->ipv6, 80);
    assert_int_equal(pl_status(w->d.s[0], k->side[0].c, &st, sizeof st), PL_OK);
    k->port = st.local.port;
    k->side[0].may_write = true;
    k->dies_at = w->d.now + any(w, 5000) * PL_MS;
    w->of_slot[0][slot_of(k->side[0].c)] = (uint16_t)(i + 1);
    w->of_port[k->port] = (uint16_t)(i + 1);
}

static void accepts(struct crowd *w)
{
    pl_conn c;
    struct pl_tcp_status st;
    while (pl_accept(w->d.s[1], w->l, &c, NULL) == PL_OK) {
        assert_int_equal(pl_status(w->d.s[1], c, &st, sizeof st), PL_OK);
        unsigned i = w->of_port[st.remote.port];
        assert_true(i != 0);
        struct conn *k = &w->conn[i - 1];
        if (k->port != st.remote.port || k->side[1].c || k->side[1].over) {          /* of one that is gone */
            assert_int_equal(pl_abort(w->d.s[1], c) == PL_OK || st.state == PL_CLOSED, 1);
            assert_int_equal(pl_close(w->d.s[1], c), PL_OK);
            continue;
        }
        k->side[1] = (struct side){.c = c, .may_read = true, .may_write = true};
        w->of_slot[1][slot_of(c)] = (uint16_t)i;
    }
}

static void say_who(const struct crowd *);
static void events(struct crowd *w, unsigned h)
{
    struct pl_event e;
    while (pl_event_next(w->d.s[h], &e)) {
        if (h == 1 && e.handle == w->l) {
            accepts(w);
            continue;
        }
        unsigned i = w->of_slot[h][slot_of(e.handle)];
        if (!i || w->conn[i - 1].side[h].c != e.handle)
            continue;
        struct side *s = &w->conn[i - 1].side[h];
        s->may_read |= (e.bits & PL_EV_READABLE) != 0;
        s->may_write |= (e.bits & (PL_EV_WRITABLE | PL_EV_CONNECTED)) != 0;
        if (e.bits & PL_EV_CLOSED) {
            if (w->conn[i - 1].kind != DIES) {
                say_who(w);
                fail_msg("%s: connection %u is over at host %u after %llu ms: error %d", where, i - 1, h, (unsigned long long)(w->d.now / PL_MS - 1000000), pl_error(w->d.s[h], s->c));
            }
            assert_int_equal(pl_close(w->d.s[h], s->c), PL_OK);
            s->c = 0, s->over = true;
        }
    }
}

static void dies(struct crowd *w, unsigned i)
{
    struct conn *k = &w->conn[i];
    unsigned h = any(w, 2);
    struct side *s = &k->side[h];
    if (!s->c)
        return;
    if (any(w, 3) == 0)
        (void)pl_abort(w->d.s[h], s->c);
    assert_int_equal(pl_close(w->d.s[h], s->c), PL_OK);
    s->c = 0, s->over = true;
    k->dies_at = PL_NEVER;
}

static void reads(struct crowd *w, struct conn *k, unsigned h)
{
    struct side *s = &k->side[h];
    uint8_t b[3000];
    if (!s->may_read || w->d.now < s->read_at || (!w->calm && k->kind == HOG))
        return;
    ptrdiff_t got = pl_recv(w->d.s[h], s->c, b, 1 + any(w, sizeof b));
    if (got == PL_EAGAIN)
        s->may_read = false;
    else if (k->kind != DIES)
        assert_true(got > 0);
    for (ptrdiff_t n = 0; n < got; n++, s->got++)
        assert_int_equal(b[n], pattern(k->port, !h, s->got));
    if (got <= 0)
        s->may_read = false;
    if (k->kind == SLOW)
        s->read_at = w->d.now + any(w, 100) * PL_MS;
}

static void writes(struct crowd *w, struct conn *k, unsigned h)
{
    struct side *s = &k->side[h];
    uint8_t b[3000];
    if (!s->may_write || s->given == k->each[h])
        return;
    uint32_t n = k->each[h] - s->given < sizeof b ? k->each[h] - s->given : (uint32_t)sizeof b;
    for (uint32_t at = 0; at < n; at++)
        b[at] = pattern(k->port, h, s->given + at);
    ptrdiff_t took = pl_send(w->d.s[h], s->c, b, n);
    assert_true(took > 0 || took == PL_EAGAIN || k->kind == DIES);
    s->given += took > 0 ? (uint32_t)took : 0;
    s->may_write = took == (ptrdiff_t)n;  /* else it is told */
}

static void changes_a_size(struct crowd *w, struct side *s, unsigned h)
{
    static const enum pl_option o[] = {PL_OPT_RCVBUF, PL_OPT_RCVBUF, PL_OPT_SNDBUF, PL_OPT_BUFFERS_FIXED};
    unsigned n = any(w, 4);
    int64_t v = n == 3 ? any(w, 4) : any(w, 2) ? 1 + any(w, 4000) : 1 + any(w, 300000);
    assert_int_equal(pl_set(w->d.s[h], s->c, o[n], v), PL_OK);
    s->may_write = true;                  /* it knows itself that there may be room now */
}

/* True: somebody could do more at once. */
static bool programs(struct crowd *w)
{
    bool more = false;
    for (unsigned i = 0; i < w->conns; i++) {
        struct conn *k = &w->conn[i];
        if (k->kind == DIES && !w->calm && w->d.now >= k->dies_at)
            dies(w, i);
        if (k->kind == DIES && !w->calm && !k->side[0].c && !k->side[1].c)
            opens(w, i, DIES);
        for (unsigned h = 0; h < 2; h++) {
            struct side *s = &k->side[h];
            if (!s->c)
                continue;
            if (any(w, 400) == 0)
                changes_a_size(w, s, h);
            reads(w, k, h);
            writes(w, k, h);
            more |= (s->may_read && w->d.now >= s->read_at && (w->calm || k->kind != HOG)) || (s->may_write && s->given < k->each[h]);
        }
    }
    return more;
}

static void watch(struct crowd *w, unsigned host, const struct forged *f)
{
    unsigned i = w->of_port[host ? f->dst.port : f->src.port];
    struct pl_tcp_status st;
    if (!i || (f->flags & (PL_SYN | PL_RST)))
        return;
    struct side *s = &w->conn[i - 1].side[host];
    if (!s->c || w->conn[i - 1].port != (host ? f->dst.port : f->src.port) || pl_status(w->d.s[host], s->c, &st, sizeof st) != PL_OK || st.state < PL_ESTABLISHED ||
        st.state == PL_TIME_WAIT)
        return;
    right_edge_stays(&s->edge, &st, f);
    w->looked++;
}

static bool takes_frames(struct crowd *w)
{
    bool moved = false;
    uint8_t frame[DUO_FRAME_BYTES];
    struct forged f;
    for (unsigned h = 0; h < 2; h++)
        for (size_t n; (n = duo_take(&w->d, h, frame)) != 0; moved = true) {
            assert_true(forge_read(frame, n, &f));
            watch(w, h, &f);
            if ((!w->calm && any(w, 100) < w->loss) || w->flies == FLYING_MAX || n > FRAME)
                continue;
            struct flying *y = &w->fly[w->flies++];
            y->due = w->d.now + w->delay + (w->jitter ? any(w, (uint32_t)(w->jitter / PL_US)) * PL_US : 0);
            y->n = (uint16_t)n, y->to = !h;
            memcpy(y->frame, frame, n);
        }
    return moved;
}

static pl_time next_frame(const struct crowd *w)
{
    pl_time at = PL_NEVER;
    for (unsigned i = 0; i < w->flies; i++)
        at = w->fly[i].due < at ? w->fly[i].due : at;
    return at;
}

static bool delivers(struct crowd *w)
{
    unsigned first = UINT32_MAX;
    for (unsigned i = 0; i < w->flies; i++)
        if (w->fly[i].due <= w->d.now && (first == UINT32_MAX || w->fly[i].due < w->fly[first].due))
            first = i;
    if (first == UINT32_MAX)
        return false;
    struct flying y = w->fly[first];
    memmove(&w->fly[first], &w->fly[first + 1], (--w->flies - first) * sizeof *w->fly);      /* in order, if of one time */
    duo_give(&w->d, y.to, y.frame, y.n);
    return true;
}

static bool finished(const struct crowd *w, const struct conn *k)
{
    if (k->kind == DIES)
        return true;
    if (k->kind == HOG && !w->calm)
        return true;
    return k->side[0].got == k->each[1] && k->side[1].got == k->each[0];
}

static unsigned unfinished(const struct crowd *w)
{
    unsigned n = 0;
    for (unsigned i = 0; i < w->conns; i++)
        n += !finished(w, &w->conn[i]);
    return n;
}

static pl_time next_reading(const struct crowd *w)
{
    pl_time at = PL_NEVER;
    for (unsigned i = 0; i < w->conns; i++) {
        const struct conn *k = &w->conn[i];
        for (unsigned h = 0; h < 2; h++)
            if (k->side[h].c && k->side[h].may_read && k->side[h].read_at > w->d.now && k->side[h].read_at < at)
                at = k->side[h].read_at;
        if (k->kind == DIES && !w->calm && k->dies_at > w->d.now && k->dies_at < at)
            at = k->dies_at;
    }
    return at;
}

static void instant(struct crowd *w)
{
    unsigned n = 0;
    for (bool more = true; more;) {
        more = delivers(w);
        events(w, 0);
        events(w, 1);
        more |= programs(w);
        more |= takes_frames(w);
        if (++n > 200000)
            fail_msg("%s: no end of this instant", where);
    }
}

static void goes_on(struct crowd *w, pl_time until)
{
    pl_time next = next_frame(w), reading = next_reading(w), a = pl_deadline(w->d.s[0]), b = pl_deadline(w->d.s[1]);
    next = a < next ? a : next;
    next = b < next ? b : next;
    next = reading < next ? reading : next;
    next = until < next ? until : next;
    w->d.now = next > w->d.now ? next : w->d.now + 1;
    pl_poll(w->d.s[0], w->d.now);
    pl_poll(w->d.s[1], w->d.now);
    assert_null(block_chunks_are_accounted(w->d.s[0]));
    assert_null(block_chunks_are_accounted(w->d.s[1]));
}

static void say_who(const struct crowd *w)
{
    for (unsigned h = 0; h < 2; h++)
        print_error("host %u: used %u kept %u of %u, promised %llu\n", h, w->d.s[h]->pools.chunks.used, w->d.s[h]->pools.chunks.kept, w->d.s[h]->pools.chunks.capacity,
                    (unsigned long long)w->d.s[h]->pools.chunks.promised);
    for (unsigned h = 0; h < 2; h++) {
        struct pl_counters n;
        (void)pl_counters(w->d.s[h], &n, sizeof n);
        for (unsigned i = 0; i < PL_DROP_COUNT; i++)
            if (n.drops[i])
                print_error("host %u: drop %u: %llu; flies %u\n", h, i, (unsigned long long)n.drops[i], w->flies);
    }
    for (unsigned i = 0; i < w->conns; i++)
        for (unsigned h = 0; h < 2 && !finished(w, &w->conn[i]); h++) {
            char text[2000] = "";
            if (w->conn[i].side[h].c)
                (void)pl_explain(w->d.s[h], w->conn[i].side[h].c, text, sizeof text);
            const struct tcp *c = w->conn[i].side[h].c ? (const struct tcp *)slots_at(&w->d.s[h]->pools.conns, slot_of(w->conn[i].side[h].c)) : NULL;
            if (c)
                print_error("snd: %u chunks, kept %u/%u; rcv: %u chunks, kept %u/%u; window %u of %u\n", c->snd_stream.count, c->snd_stream.kept, c->snd_stream.keep, c->rcv_stream.count,
                            c->rcv_stream.kept, c->rcv_stream.keep, c->rcv.wnd, c->rcvbuf_bytes);
            print_error("connection %u kind %d host %u: given %u of %u, got %u of %u, may_write %d may_read %d\n%s\n", i, w->conn[i].kind, h, w->conn[i].side[h].given, w->conn[i].each[h],
                        w->conn[i].side[h].got, w->conn[i].each[!h], w->conn[i].side[h].may_write, w->conn[i].side[h].may_read, text);
        }
}

static void run(struct crowd *w, pl_time span, bool must)
{
    pl_time until = w->d.now + span;
    for (instant(w); unfinished(w) && w->d.now < until; instant(w))
        goes_on(w, until);
    if (must && unfinished(w)) {
        say_who(w);
        fail_msg("%s: %u of %u are not done, %s", where, unfinished(w), w->conns, w->calm ? "though nobody hogs memory" : "though they read");
    }
}

static struct pl_config config_of(struct crowd *w, bool *shares)
{
    struct pl_config c = duo_config();
    c.connections_max = c.flights_max = w->conns * 2;    /* those that die leave orphans */
    c.gaps_max = any(w, 3) ? w->conns : 1 + any(w, w->conns);
    c.half_open_max = c.backlog_default = w->conns;
    c.orphans_max = c.orphans_per_peer_max = w->conns;
    c.records_max = 16 * w->conns;
    c.records_per_conn_max = 2 + any(w, 60);
    c.timestamps = any(w, 2), c.sack = any(w, 3) != 0;
    c.window_overcommit = (uint32_t[]){1, 2, 8, 64}[any(w, 4)];
    c.rcvbuf_bytes = any(w, 2) ? 1500 + any(w, 6000) : 4000 + any(w, 100000);
    c.sndbuf_bytes = 1500 + any(w, 8000);
    c.rcvbuf_max = any(w, 2) ? c.rcvbuf_bytes * (1 + any(w, 20)) : 0;
    c.sndbuf_max = any(w, 2) ? c.sndbuf_bytes * (1 + any(w, 20)) : 0;
    *shares = any(w, 4) != 0;
    uint32_t full = w->conns * 2 * 2 * (1500 / c.chunk_bytes + 2);       /* so that each has a segment's share */
    c.chunks_max = *shares ? full + any(w, full) : full / 8 + any(w, full);
    c.data_retries = 100;                 /* who sends to a program that does not read waits for it: that is not the subject here */
    c.rto_max = 4 * PL_S;
    c.challenge_acks = 100;
    return c;
}

static void closes(struct crowd *w)
{
    for (unsigned i = 0; i < w->conns; i++)
        for (unsigned h = 0; h < 2; h++) {
            if (w->conn[i].side[h].c) {
                (void)pl_abort(w->d.s[h], w->conn[i].side[h].c);
                assert_int_equal(pl_close(w->d.s[h], w->conn[i].side[h].c), PL_OK);
            }
            w->conn[i].side[h].c = 0, w->conn[i].side[h].over = true;    /* whoever is accepted now is given back at once */
        }
    pl_time until = w->d.now + 2000 * PL_S;
    for (instant(w); w->d.now < until && (w->flies || pl_deadline(w->d.s[0]) != PL_NEVER || pl_deadline(w->d.s[1]) != PL_NEVER); instant(w))
        goes_on(w, until);
    for (unsigned h = 0; h < 2; h++) {
        struct chunks *p = &w->d.s[h]->pools.chunks;
        if (p->used || p->kept || p->promised)
            fail_msg("%s: host %u is left with %u used, %u kept, %llu promised", where, h, p->used, p->kept, (unsigned long long)p->promised);
    }
}

static void one(unsigned seed)
{
    struct crowd *w = calloc(1, sizeof *w);
    bool shares;
    w->fly = malloc(sizeof *w->fly * FLYING_MAX);
    prng_seed(&w->r, seed);
    snprintf(where, sizeof where, "seed %u\n", seed);
    w->conns = seed % 4 == 0 ? 50 + any(w, CONNS_MAX - 50) : 4 + any(w, 30);
    w->ipv6 = any(w, 2);
    w->loss = any(w, 2) ? 0 : 1 + any(w, 10);
    w->delay = any(w, 30) * PL_MS, w->jitter = any(w, 2) ? any(w, 20) * PL_MS : 0;
    struct pl_config c = config_of(w, &shares);
    duo_init(&w->d, &c, false);
    w->l = duo_listen(&w->d, 1, 80, w->conns);
    unsigned hogs = any(w, 4), dying = any(w, 3);
    for (unsigned i = 0; i < w->conns; i++)
        opens(w, i, any(w, 6) < hogs ? HOG : any(w, 6) < dying ? DIES : any(w, 2) ? READS : SLOW);
    run(w, shares ? 900 * PL_S : 60 * PL_S, shares);
    w->calm = true;
    for (unsigned i = 0; i < w->conns; i++)
        if (w->conn[i].kind == DIES)
            for (unsigned h = 0; h < 2; h++)
                if (w->conn[i].side[h].c) {
                    (void)pl_abort(w->d.s[h], w->conn[i].side[h].c);
                    assert_int_equal(pl_close(w->d.s[h], w->conn[i].side[h].c), PL_OK);
                    w->conn[i].side[h].c = 0;
                }
    run(w, 900 * PL_S, true);
    assert_true(w->looked > 0);
    closes(w);
    duo_free(&w->d);
    free(w->fly);
    free(w);
}

static void many_share_a_small_pool(void **state)
{
    static const unsigned found[] = {1015, 2020};        /* a pool of ten chunks, all in send buffers; both sides' ACKs stand at the right edge */
    unsigned first = 1, last = 24;
    const char *seeds = getenv("PARLEY_FUZZ_SEEDS");
    (void)state;
    if (seeds)
        assert_int_equal(sscanf(seeds, "%u-%u", &first, &last), 2);
    signal(SIGABRT, say_where);
    for (unsigned seed = first; seed <= last; seed++)
        one(seed);
    for (unsigned i = 0; !seeds && i < COUNT_OF(found); i++)
        one(found[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_share_a_small_pool),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
