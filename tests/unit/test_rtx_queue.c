/* SPDX-License-Identifier: MIT
 *
 * The retransmission queue, which is the scoreboard as well, against a model that keeps one entry per sequence number: RFC 9293 3.8.1, RFC 6298 3,
 * RFC 2018 5, RFC 6675 4, RFC 8985 6.2.
 */
#include "support/unit.h"

#include "base/prng.h"
#include "base/seq.h"
#include "transport/tcp/models/rtx_queue.h"
#include "transport/tcp/models/timestamps.h"

enum { RECORDS = 40, CHUNK = 256, CHUNKS = 64, SPACE = CHUNK * (CHUNKS - 1), MSS = 100, AMPLE = 1 << 20 };

/* Pools and a queue over a stream of SPACE bytes in which byte n of the sequence space holds the value n * 31. */
struct bench {
    struct slots records;
    struct chunks chunks;
    struct stream stream;
    struct rtx_queue q;
    uint32_t una, nxt, fack;
    pl_time now;
    struct {
        bool lost, again, sacked;         /* marked lost; sent more than once; reported by a block */
        pl_time sent;
    } model[SPACE];                       /* by offset from the first sequence number ever */
    uint32_t first;                       /* that sequence number */
    bool unsorted;                        /* something that was lost flies again: the list begins with that */
    unsigned whole;                       /* how often there was no record to split one */
    unsigned part, refused;               /* blocks that covered a record partly: carved, or no record to spare */
    _Alignas(64) uint8_t memory[32768 + CHUNK * CHUNKS + 64 * CHUNKS];
};

static struct bench *bench_of(uint32_t first, uint32_t records)
{
    struct bench *b = aligned_alloc(64, (sizeof *b + 63) / 64 * 64);
    memset(b, 0, sizeof *b);
    assert_true(slots_bytes(sizeof(struct rtx_record), RECORDS) <= 16384);
    slots_init(&b->records, b->memory, sizeof(struct rtx_record), records);
    chunks_init(&b->chunks, b->memory + 16384, CHUNK, CHUNKS);
    b->first = b->una = b->nxt = b->fack = first;
    b->now = 1;
    for (uint32_t n = 0; n < SPACE; n++) {
        uint8_t byte = (uint8_t)(n * 31);
        assert_int_equal(stream_append(&b->chunks, &b->stream, &byte, 1), 1);
    }
    return b;
}

static struct bench *bench_new(uint32_t first) { return bench_of(first, RECORDS); }
static uint32_t offset(const struct bench *b, uint32_t seq) { return seq - b->first; }
static struct rtx_record *at(const struct bench *b, uint32_t id) { return rtx_at(&b->records, id); }
static struct rtx_when when(const struct rtx_record *r, uint32_t end) { return (struct rtx_when){.sent = r->sent, .end = end, .order = r->order}; }

/* ------------------------------------------------------------------ the model ------------------------------------------------------------------ */

static void compare_list(const struct bench *b, const struct rtx_list *l, bool lost, uint32_t count, bool sorted)
{
    uint32_t n = 0, earlier = 0;
    for (uint32_t id = l->first; id; earlier = id, id = at(b, id)->later, n++) {
        const struct rtx_record *r = at(b, id);
        assert_int_equal((r->flags & RTX_LOST) != 0, lost);
        assert_false(r->flags & RTX_SACKED);
        assert_int_equal(r->earlier, earlier);
        if (sorted && earlier) {          /* in order of their last transmission */
            struct rtx_when w = when(r, r->seq + r->len), e = when(at(b, earlier), at(b, earlier)->seq + at(b, earlier)->len);
            assert_true(rtx_sent_after(&w, &e));
        }
    }
    assert_int_equal(l->last, earlier);
    assert_int_equal(n, count);
}

/* A record agrees with each of its sequence numbers in the model, and points at its own bytes. */
static void compare_record(const struct bench *b, const struct rtx_record *r)
{
    assert_true(r->len > 0);
    for (uint32_t n = 0; n < r->len; n++) {
        uint32_t k = offset(b, r->seq + n);
        assert_int_equal(b->model[k].lost, (r->flags & RTX_LOST) && n >= r->again);
        assert_int_equal(b->model[k].sacked, (r->flags & RTX_SACKED) != 0);
        if (r->flags & RTX_SACKED)        /* neighbours became one: what they were sent by does not matter any more */
            continue;
        assert_int_equal(b->model[k].again, (r->flags & RTX_RETRANSMITTED) != 0);
        assert_true(b->model[k].sent == r->sent);
    }
    struct pl_span span;
    uint32_t covered;
    assert_int_equal(stream_spans_at(&b->chunks, r->at, 1, &span, 1, &covered), 1);
    assert_int_equal(*(uint8_t *)span.base, (uint8_t)(offset(b, r->seq) * 31));
}

/* Everything that the queue says of itself, and of each record, agrees with the model. */
static void compare(struct bench *b)
{
    uint32_t seq = b->una, pipe = 0, repeated = 0, lost = 0, count = 0, sacked = 0, segs = 0, prev = 0, cursor = 0;
    for (uint32_t id = b->q.head; id; prev = id, id = at(b, id)->next) {
        const struct rtx_record *r = at(b, id);
        assert_int_equal(r->seq, seq);
        assert_int_equal(r->prev, prev);
        compare_record(b, r);
        if (r->flags & RTX_SACKED) {
            assert_true(r->segs > 0);
            assert_false(prev && at(b, prev)->flags & RTX_SACKED);
            sacked += r->len;
            segs += r->segs;
        }
        lost += (r->flags & RTX_LOST) != 0;
        cursor += (id == b->q.finger[0]) + (id == b->q.finger[1]);
        seq += r->len;
        count++;
    }
    for (uint32_t s = b->una; s != b->nxt; s++)
        pipe += !b->model[offset(b, s)].lost && !b->model[offset(b, s)].sacked,
            repeated += !b->model[offset(b, s)].lost && !b->model[offset(b, s)].sacked && b->model[offset(b, s)].again;
    assert_int_equal(seq, b->nxt);
    assert_int_equal(b->q.tail, prev);
    assert_int_equal(b->q.pipe, pipe);
    assert_int_equal(b->q.repeated, repeated);
    assert_int_equal(b->q.lost, lost);
    assert_int_equal(b->q.count, count);
    assert_int_equal(b->records.used, count);
    assert_int_equal(b->q.sacked, sacked);
    assert_int_equal(b->q.sacked_segs, segs);
    assert_int_equal(cursor, (b->q.finger[0] != 0) + (b->q.finger[1] != 0));
    if (count)
        assert_int_equal(b->q.fack, b->fack);
    uint32_t flying = 0;
    for (uint32_t id = b->q.head; id; id = at(b, id)->next)
        flying += !(at(b, id)->flags & (RTX_LOST | RTX_SACKED));
    compare_list(b, &b->q.flying, false, flying, !b->unsorted);
    compare_list(b, &b->q.gone, true, lost, false);
    uint32_t next = rtx_first_lost(&b->records, &b->q);      /* the first of all, if it is lost; else who was lost first */
    assert_int_equal(next, lost && at(b, b->q.head)->flags & RTX_LOST ? b->q.head : b->q.gone.first);
}

/* What the model expects to be heard of a record's part that ends at `end`. */
static void expect_heard(struct bench *b, const struct rtx_record *r, uint32_t bytes, uint32_t end, struct rtx_heard *h)
{
    struct rtx_when w = when(r, end);
    bool again = r->flags & RTX_RETRANSMITTED;
    h->delivered += bytes;
    if (!again) {
        h->sample = r->sent > h->sample ? r->sent : h->sample;
        h->original |= seq_le(end, h->recover);
        h->reordered |= seq_lt(end, b->fack);
    }
    if (seq_gt(end, b->fack))
        b->fack = end;
    if (!h->any || rtx_sent_after(&w, &h->last))
        h->last = w;
    h->any = true;
    if (!(again && h->now - r->sent < h->min_rtt) && (!h->valid || rtx_sent_after(&w, &h->rack)))
        h->valid = true, h->rack = w;
}

static void assert_heard(const struct rtx_heard *got, const struct rtx_heard *want)
{
    assert_int_equal(got->delivered, want->delivered);
    assert_int_equal(got->sacked, want->sacked);
    assert_int_equal(got->repeated, want->repeated);
    assert_int_equal(got->reordered, want->reordered);
    assert_int_equal(got->original, want->original);
    assert_true(got->sample == want->sample);
    assert_int_equal(got->any, want->any);
    assert_int_equal(got->valid, want->valid);
    if (want->valid)
        assert_true(got->rack.sent == want->rack.sent && got->rack.end == want->rack.end && got->rack.order == want->rack.order);
    if (want->any)
        assert_true(got->last.sent == want->last.sent && got->last.end == want->last.end && got->last.order == want->last.order);
}

/* ---------------------------------------------------------------- what happens ---------------------------------------------------------------- */

static void append(struct bench *b, uint32_t n)
{
    if (offset(b, b->nxt) + n > SPACE || n == 0)
        return;
    struct stream_at pos = stream_find(&b->chunks, &b->stream, b->nxt - b->una);
    bool room = b->records.used < b->records.capacity;
    if (!b->q.head)
        b->fack = b->nxt, b->unsorted = false;
    uint32_t id = rtx_append(&b->records, &b->q, b->records.capacity, b->nxt, n, pos, false, b->now);
    assert_int_equal(id != 0, room);
    if (!id)
        return;
    for (uint32_t k = 0; k < n; k++) {
        b->model[offset(b, b->nxt) + k].lost = b->model[offset(b, b->nxt) + k].again = b->model[offset(b, b->nxt) + k].sacked = false;
        b->model[offset(b, b->nxt) + k].sent = b->now;
    }
    b->nxt += n;
}

static void ack(struct bench *b, uint32_t una, struct rtx_heard *h)
{
    struct rtx_heard want = *h;
    for (uint32_t id = b->q.head; id && seq_lt(at(b, id)->seq, una); id = at(b, id)->next) {
        const struct rtx_record *r = at(b, id);
        uint32_t end = seq_lt(una, r->seq + r->len) ? una : r->seq + r->len;
        if (r->flags & RTX_SACKED)
            continue;
        want.repeated |= (r->flags & RTX_RETRANSMITTED) != 0;
        expect_heard(b, r, end - r->seq, end, &want);
    }
    rtx_ack(&b->records, &b->chunks, &b->q, una, h);
    assert_heard(h, &want);
    if (seq_lt(b->fack, una))
        b->fack = una;
    stream_drop(&b->chunks, &b->stream, una - b->una);
    b->una = una;
}

/* A block: records that it covers whole; of one that it covers partly the segments that it covers whole, if there are records to spare. */
static void sack(struct bench *b, uint32_t lo, uint32_t hi, struct rtx_heard *h)
{
    struct rtx_heard want = *h;
    bool scarce = b->records.used + 4 > b->records.capacity;
    uint32_t budget = AMPLE, unsure = 0;
    for (uint32_t id = b->q.head; id; id = at(b, id)->next) {
        const struct rtx_record *r = at(b, id);
        uint32_t from = seq_gt(lo, r->seq) ? lo - r->seq : 0, to = seq_lt(hi, r->seq + r->len) ? hi - r->seq : r->len;
        if (seq_ge(r->seq, hi) || seq_ge(lo, r->seq + r->len) || r->flags & RTX_SACKED)
            continue;
        if (from || to < r->len) {
            from = (from + MSS - 1) / MSS * MSS;
            to -= to < r->len ? to % MSS : 0;
            if (from >= to || r->again)
                continue;
            b->part++;
            if (scarce) {                 /* it may be refused for want of records: ask the queue what became of it */
                unsure++;
                continue;
            }
        }
        expect_heard(b, r, to - from, r->seq + to, &want);
        want.sacked += to - from;
        for (uint32_t k = from; k < to; k++)
            b->model[offset(b, r->seq) + k].sacked = true, b->model[offset(b, r->seq) + k].lost = false;
    }
    rtx_sack(&b->records, &b->chunks, &b->q, b->records.capacity, lo, hi, &budget, h);
    if (!unsure) {
        assert_heard(h, &want);
        return;
    }
    b->refused++;
    b->fack = b->q.fack;                  /* whole segments within the block only, all the same */
    for (uint32_t id = b->q.head; id; id = at(b, id)->next)
        for (uint32_t k = 0; k < at(b, id)->len && at(b, id)->flags & RTX_SACKED; k++) {
            uint32_t s = at(b, id)->seq + k;
            assert_true(b->model[offset(b, s)].sacked || (seq_ge(s, lo) && seq_lt(s, hi)));
            b->model[offset(b, s)].sacked = true, b->model[offset(b, s)].lost = false;
        }
}

static uint32_t nth(struct bench *b, uint32_t n)
{
    uint32_t id = b->q.head;
    for (; n; n--)
        id = at(b, id)->next;
    return id;
}

static void model_lost(struct bench *b, uint32_t seq, uint32_t n)
{
    for (uint32_t k = 0; k < n; k++)
        if (!b->model[offset(b, seq) + k].sacked)
            b->model[offset(b, seq) + k].lost = true;
}

static void lose(struct bench *b, uint32_t id)
{
    model_lost(b, at(b, id)->seq, at(b, id)->len);
    rtx_mark_lost(&b->records, &b->q, id);
}

static void lose_all(struct bench *b)
{
    rtx_mark_all_lost(&b->records, &b->q);
    model_lost(b, b->una, b->nxt - b->una);
}

/* RFC 5681 3.2 (2): one segment, even of a super-frame; without a record to spare all of it. One that is lost already is lost whole. */
static void lose_front(struct bench *b, uint32_t most)
{
    const struct rtx_record *r = at(b, b->q.head);
    uint32_t n = r->len > most && !(r->flags & RTX_LOST) && b->records.used < b->records.capacity ? most : r->len;
    model_lost(b, b->una, n);
    rtx_mark_front_lost(&b->records, &b->chunks, &b->q, UINT32_MAX, most);
}

static void find_again(struct bench *b)       /* what was lost flies after all */
{
    for (uint32_t s = b->una; s != b->nxt; s++)
        b->model[offset(b, s)].lost = false;
    b->unsorted |= b->q.lost != 0;
    rtx_unmark_lost(&b->records, &b->q);
}

static void renege(struct bench *b)           /* RFC 2018 8 */
{
    for (uint32_t s = b->una; s != b->nxt; s++)
        if (b->model[offset(b, s)].sacked)
            b->model[offset(b, s)].sacked = false, b->model[offset(b, s)].lost = true;
    for (uint32_t id = b->q.head; id; id = at(b, id)->next)              /* one record again: of what it was made of, it has the first's time */
        for (uint32_t k = 0; k < at(b, id)->len; k++) {
            b->model[offset(b, at(b, id)->seq) + k].sent = at(b, id)->sent;
            b->model[offset(b, at(b, id)->seq) + k].again = at(b, id)->flags & RTX_RETRANSMITTED;
        }
    rtx_forget_sacks(&b->records, &b->q);
    b->fack = b->una;
}

static void cut_tail(struct bench *b, uint32_t most)
{
    const struct rtx_record *r = at(b, b->q.tail);
    uint32_t id = b->q.tail, len = r->len, used = b->records.used, start = r->seq;
    bool refused = r->flags & (RTX_SACKED | RTX_LOST) || (len > most && used == b->records.capacity);
    uint32_t got = rtx_cut_tail(&b->records, &b->chunks, &b->q, UINT32_MAX, most);
    if (refused) {
        assert_int_equal(got, 0);
        return;
    }
    assert_int_equal(got, b->q.tail);
    assert_int_equal(got == id, len <= most);
    assert_int_equal(at(b, got)->len, (len - 1) % most + 1);
    assert_int_equal(at(b, got)->seq + at(b, got)->len, b->nxt);
    assert_int_equal(b->records.used, used + (got != id));
    assert_true(seq_ge(at(b, got)->seq, start));
}

/* Without a record to split it, one that is lost stays whole, and only what was sent of it counts as sent: the rest stays lost. */
static void resend(struct bench *b, uint32_t id, uint32_t most)
{
    struct rtx_record *r = at(b, id);
    struct stream_at pos;
    if (r->flags & RTX_SACKED)
        return;
    uint32_t seq = r->seq, len = r->len, off = r->again, n = most < len - off ? most : len - off;
    bool split = off == 0 && n < len && b->records.used < b->records.capacity;
    assert_int_equal(rtx_next_again(&b->records, &b->chunks, id, &pos), seq + off);
    assert_int_equal(*(chunks_at(&b->chunks, pos.chunk) + pos.off), (uint8_t)(offset(b, seq + off) * 31));
    rtx_sent_again(&b->records, &b->chunks, &b->q, UINT32_MAX, id, n, b->now);
    assert_int_equal(r->seq, seq);
    assert_int_equal(r->len, split ? n : len);
    b->whole += !split && off + n < len;
    for (uint32_t k = 0; k < r->len; k++) {
        if (k >= off && k < off + n)
            b->model[offset(b, seq) + k].lost = false;
        b->model[offset(b, seq) + k].again = true;       /* whose answer is it? No sample */
        b->model[offset(b, seq) + k].sent = b->now;
    }
}

/* ---------------------------------------------------------------- at random ---------------------------------------------------------------- */

static void one_ack(struct bench *b, struct prng *p)
{
    uint32_t out = b->nxt - b->una;
    struct rtx_heard h = {.now = b->now, .mss = MSS, .rates = true, .min_rtt = prng_below(p, 8), .recover = b->una + prng_below(p, out + 1)};
    if (prng_below(p, 3) == 0)
        ack(b, b->una + 1 + prng_below(p, prng_below(p, 2) ? out : 1 + out / 8), &h);
    for (uint32_t n = prng_below(p, 4); n && b->nxt != b->una; n--) {
        uint32_t lo = b->una + prng_below(p, b->nxt - b->una), hi = lo + 1 + prng_below(p, b->nxt - lo);
        if (prng_below(p, 2)) {           /* as blocks are: whole records */
            lo = at(b, nth(b, prng_below(p, b->q.count)))->seq;
            const struct rtx_record *last = at(b, nth(b, prng_below(p, b->q.count)));
            hi = seq_gt(last->seq + last->len, lo) ? last->seq + last->len : b->nxt;
        }
        sack(b, lo, hi, &h);
    }
}

static void one_step(struct bench *b, struct prng *p)
{
    uint32_t out = b->nxt - b->una, kind = prng_below(p, 24);
    if (kind < 8 || !out)
        append(b, prng_below(p, 3) ? MSS : 1 + prng_below(p, 700));
    else if (kind < 13)
        one_ack(b, p);
    else if (kind < 15)
        lose(b, nth(b, prng_below(p, b->q.count)));
    else if (kind == 15 && prng_below(p, 4) == 0)
        lose_all(b);
    else if (kind == 16 && !(at(b, b->q.head)->flags & RTX_SACKED))
        lose_front(b, MSS);
    else if (kind == 17 && prng_below(p, 3) == 0)
        find_again(b);
    else if (kind == 18 && prng_below(p, 4) == 0)
        renege(b);
    else if (kind == 19)
        cut_tail(b, MSS);
    else {
        uint32_t id = rtx_first_lost(&b->records, &b->q);
        if (!id || prng_below(p, 4) == 0)
            id = nth(b, prng_below(p, b->q.count));
        resend(b, id, prng_below(p, 2) ? MSS : 1 + prng_below(p, 600));
    }
}

static void whatever_happens_agrees_with_the_model(void **state)
{
    (void)state;
    unsigned whole = 0, part = 0, refused = 0;
    for (unsigned seed = 0; seed < 120; seed++) {
        struct prng p;
        prng_seed(&p, seed);
        struct bench *b = bench_of(seed % 2 ? 0xfffff000u : 1000u, seed % 3 ? 8 : RECORDS);         /* half of them across the wrap */
        for (; b->now < 1000; b->now += prng_below(&p, 2)) {             /* many things happen at the same instant */
            one_step(b, &p);
            compare(b);
        }
        rtx_free(&b->records, &b->q);
        assert_int_equal(b->records.used, 0);
        whole += b->whole, part += b->part, refused += b->refused;
        free(b);
    }
    print_message("%u left whole, %u covered partly, %u of them without records to spare\n", whole, part, refused);
    assert_true(whole > 100 && part > 1000 && refused > 100);
}

/* ------------------------------------------------------------------ one by one ------------------------------------------------------------------ */

static void a_queue_at_its_bound_takes_nothing_more(void **state)
{
    (void)state;
    struct bench *b = bench_new(7);
    for (unsigned n = 0; n < 3; n++)
        assert_true(rtx_append(&b->records, &b->q, 3, 7 + n, 1, (struct stream_at){1, 0}, false, 1) != 0);
    assert_int_equal(rtx_append(&b->records, &b->q, 3, 10, 1, (struct stream_at){1, 0}, false, 1), 0);
    assert_int_equal(b->q.count, 3);
    free(b);
}

static void the_fin_stays_with_the_last_piece_of_a_split(void **state)
{
    (void)state;
    struct bench *b = bench_new(100);
    uint32_t id = rtx_append(&b->records, &b->q, RECORDS, 100, 301, stream_find(&b->chunks, &b->stream, 0), true, 1);
    rtx_mark_all_lost(&b->records, &b->q);
    rtx_sent_again(&b->records, &b->chunks, &b->q, UINT32_MAX, id, 200, 2);
    assert_int_equal(b->q.count, 2);
    assert_false(at(b, b->q.head)->flags & RTX_FIN);
    assert_true(at(b, b->q.tail)->flags & RTX_FIN);
    assert_true(at(b, b->q.tail)->flags & RTX_LOST);
    /* text of a full segment with the FIN behind it goes as one: the FIN takes no room in the segment */
    rtx_sent_again(&b->records, &b->chunks, &b->q, UINT32_MAX, b->q.tail, 101, 3);
    assert_int_equal(b->q.count, 2);
    assert_int_equal(b->q.lost, 0);
    free(b);
}

/* RFC 2018 8: what the peer had and threw away goes again, the FIN too, and as something that was sent twice if a part of it was. */
static void what_was_merged_and_is_lost_again_is_whole(void **state)
{
    (void)state;
    struct bench *b = bench_new(100);
    append(b, 100);
    append(b, 100);
    rtx_append(&b->records, &b->q, RECORDS, 300, 101, stream_find(&b->chunks, &b->stream, 200), true, 1);
    uint32_t second = at(b, b->q.head)->next, budget = AMPLE;
    rtx_mark_lost(&b->records, &b->q, second);
    rtx_sent_again(&b->records, &b->chunks, &b->q, UINT32_MAX, second, 100, 5);
    struct rtx_heard h = {.now = 9, .mss = MSS};
    rtx_sack(&b->records, &b->chunks, &b->q, RECORDS, 100, 401, &budget, &h);
    assert_int_equal(b->q.count, 1);
    assert_int_equal(b->q.sacked_segs, 3);
    rtx_forget_sacks(&b->records, &b->q);
    assert_int_equal(at(b, b->q.head)->flags, RTX_FIN | RTX_LOST | RTX_RETRANSMITTED);
    assert_int_equal(at(b, b->q.head)->len, 301);
    free(b);
}

/* RFC 8985 7.3: the last segment of a super-frame: the FIN that goes with it takes none of its room; a FIN alone is one. */
static void the_last_segment_is_cut_off(void **state)
{
    static const struct { uint32_t len; bool fin; uint32_t cut; } rows[] = {
        {300, false, 100}, {301, false, 1}, {250, false, 50}, {100, false, 100}, {301, true, 101}, {250, true, 50}, {101, true, 101}, {1, true, 1}, {201, true, 101},
    };
    (void)state;
    for (unsigned i = 0; i < COUNT_OF(rows); i++) {
        struct bench *b = bench_new(100);
        rtx_append(&b->records, &b->q, RECORDS, 100, rows[i].len, stream_find(&b->chunks, &b->stream, 0), rows[i].fin, 1);
        uint32_t id = rtx_cut_tail(&b->records, &b->chunks, &b->q, UINT32_MAX, MSS);
        assert_int_equal(id, b->q.tail);
        assert_int_equal(at(b, id)->len, rows[i].cut);
        assert_int_equal((at(b, id)->flags & RTX_FIN) != 0, rows[i].fin);
        assert_int_equal(b->q.count, rows[i].cut < rows[i].len ? 2 : 1);
        free(b);
    }
}

/* MUST-18, RFC 6298 3-a */
static void a_split_record_that_was_repeated_gives_no_sample(void **state)              /* RFC 6298 3, Karn */
{
    (void)state;
    struct bench *b = bench_new(1);
    b->now = 10;
    append(b, 400);
    lose_all(b);
    b->now = 20;
    resend(b, b->q.head, 100);            /* [1, 101) repeated, [101, 401) lost and sent once */
    b->now = 30;
    struct rtx_heard h = {.now = 30, .mss = MSS};
    rtx_ack(&b->records, &b->chunks, &b->q, 101, &h);
    assert_true(h.sample == 0 && h.repeated);
    free(b);
}

/* RFC 8985 6.2 step 2: of what was repeated, an answer that comes too soon or that echoes an older timestamp says nothing; but an echo speaks only of what the
 * acknowledgement number covers. */
static void an_answer_to_an_earlier_copy_is_not_taken_for_one_to_the_last(void **state)
{
    static const struct { bool by_block, echo; uint32_t echoed_ms; pl_time min_rtt; bool valid; } rows[] = {
        {false, false, 0, 50 * PL_MS, true},  {false, false, 0, 50 * PL_MS + 1, false}, {false, true, 100, 0, true},  {false, true, 99, 0, false},
        {false, true, 100, 51 * PL_MS, false}, {true, false, 0, 50 * PL_MS, true},      {true, false, 0, 51 * PL_MS, false}, {true, true, 99, 0, true},
    };
    (void)state;
    for (unsigned i = 0; i < COUNT_OF(rows); i++)
        for (unsigned again = 0; again < 2; again++) {
            struct bench *b = bench_new(1);
            const uint32_t ts_offset = 0xfffffff0;
            b->now = again ? 10 * PL_MS : 100 * PL_MS;
            append(b, 200);
            b->now = 100 * PL_MS;
            if (again) {
                lose_all(b);
                resend(b, b->q.head, 200);
            }
            struct rtx_heard h = {.now = 150 * PL_MS, .mss = MSS, .min_rtt = rows[i].min_rtt, .echo = rows[i].echo, .ts_offset = ts_offset,
                                  .ts_ecr = timestamps_clock(ts_offset, rows[i].echoed_ms * PL_MS)};
            uint32_t budget = AMPLE;
            if (rows[i].by_block)
                rtx_sack(&b->records, &b->chunks, &b->q, RECORDS, 1, 201, &budget, &h);
            else
                rtx_ack(&b->records, &b->chunks, &b->q, 201, &h);
            assert_int_equal(h.valid, rows[i].valid || !again);
            assert_true(h.any);
            free(b);
        }
}

/* RFC 8985 6.2: of those of one instant, the later transmission counts, whatever its sequence number; of one transmission, the hind part. */
static void what_went_last_at_one_instant_was_sent_last(void **state)
{
    (void)state;
    struct bench *b = bench_new(1);
    append(b, 100);
    append(b, 100);
    b->now = 20;
    append(b, 300);
    lose(b, b->q.head);
    resend(b, b->q.head, 100);            /* behind the third, at the same time */
    struct rtx_when third = when(at(b, b->q.tail), 501), again = when(at(b, b->q.head), 101);
    assert_true(rtx_sent_after(&again, &third));
    assert_false(rtx_sent_after(&third, &again));
    struct rtx_heard h = {.now = 30, .mss = MSS};
    uint32_t budget = AMPLE;
    rtx_sack(&b->records, &b->chunks, &b->q, RECORDS, 201, 401, &budget, &h);     /* two segments of it */
    struct rtx_when rest = when(at(b, b->q.tail), 501);
    assert_int_equal(h.rack.end, 401);
    assert_true(rtx_sent_after(&rest, &h.rack));
    free(b);
}

/* Threats V33, RFC 6675: of its budget a block takes what it looked at, and never more; blocks that are told again get everywhere in the end. */
static void a_block_looks_at_no_more_than_its_budget(void **state)
{
    (void)state;
    for (uint32_t most = 2; most < 8; most++) {
        struct bench *b = bench_new(1);
        for (unsigned n = 0; n < RECORDS; n++)
            append(b, MSS);
        unsigned calls = 0;
        for (uint32_t before = 1; before != b->q.sacked; calls++) {
            struct rtx_heard h = {.now = 5, .mss = MSS};
            uint32_t budget = most;
            before = b->q.sacked;
            rtx_sack(&b->records, &b->chunks, &b->q, RECORDS, 1 + 10 * MSS, 1 + 38 * MSS, &budget, &h);
            assert_true(budget <= most);
            assert_true(h.sacked <= most * MSS);
            if (calls > 200)
                fail_msg("a budget of %u gets nowhere", most);
            if (b->q.sacked == before && b->q.sacked < 28 * MSS)     /* on its way to the block */
                before = b->q.sacked + 1;
        }
        assert_int_equal(b->q.sacked, 28 * MSS);
        assert_int_equal(b->q.sacked_segs, 28);
        assert_int_equal(b->q.count, 13);
        free(b);
    }
}

/* Nothing that the blocks say makes more records than there were segments. */
static void no_block_makes_more_records_than_segments(void **state)
{
    (void)state;
    struct prng p;
    prng_seed(&p, 11477);
    for (unsigned round = 0; round < 200; round++) {
        struct bench *b = bench_new(1);
        append(b, 10 * MSS);
        append(b, 10 * MSS);
        for (unsigned n = 0; n < 300; n++) {
            struct rtx_heard h = {.now = 5, .mss = MSS};
            uint32_t budget = AMPLE, lo = 1 + prng_below(&p, 20 * MSS), hi = lo + 1 + prng_below(&p, 3 * MSS);
            rtx_sack(&b->records, &b->chunks, &b->q, RECORDS, lo, hi, &budget, &h);
            assert_true(b->q.count <= 20);
        }
        free(b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_happens_agrees_with_the_model),
        cmocka_unit_test(a_queue_at_its_bound_takes_nothing_more),
        cmocka_unit_test(the_fin_stays_with_the_last_piece_of_a_split),
        cmocka_unit_test(what_was_merged_and_is_lost_again_is_whole),
        cmocka_unit_test(the_last_segment_is_cut_off),
        cmocka_unit_test(a_split_record_that_was_repeated_gives_no_sample),
        cmocka_unit_test(an_answer_to_an_earlier_copy_is_not_taken_for_one_to_the_last),
        cmocka_unit_test(what_went_last_at_one_instant_was_sent_last),
        cmocka_unit_test(a_block_looks_at_no_more_than_its_budget),
        cmocka_unit_test(no_block_makes_more_records_than_segments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
