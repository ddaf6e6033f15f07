/* SPDX-License-Identifier: MIT
 *
 * The retransmission queue against a model that keeps one entry per sequence number: RFC 9293 3.8.1, RFC 6298 3.
 */
#include "support/unit.h"

#include "base/prng.h"
#include "base/seq.h"
#include "transport/tcp/models/rtx_queue.h"

enum { RECORDS = 24, CHUNK = 256, CHUNKS = 64, SPACE = CHUNK * (CHUNKS - 1) };

/* Pools and a queue over a stream of SPACE bytes in which byte n of the sequence space holds the value n * 31. */
struct bench {
    struct slots records;
    struct chunks chunks;
    struct stream stream;
    struct rtx_queue q;
    uint32_t una, nxt;
    pl_time now;
    struct {
        bool lost, again;                 /* marked lost; sent more than once */
        pl_time sent;
    } model[SPACE];                       /* by offset from the first sequence number ever */
    uint32_t first;                       /* that sequence number */
    unsigned whole;                       /* how often there was no record to split one */
    _Alignas(64) uint8_t memory[32768 + CHUNK * CHUNKS + 64 * CHUNKS];
};

static struct bench *bench_new(uint32_t first)
{
    struct bench *b = aligned_alloc(64, (sizeof *b + 63) / 64 * 64);
    memset(b, 0, sizeof *b);
    assert_true(slots_bytes(sizeof(struct rtx_record), RECORDS) <= 16384);
    slots_init(&b->records, b->memory, sizeof(struct rtx_record), RECORDS);
    chunks_init(&b->chunks, b->memory + 16384, CHUNK, CHUNKS);
    b->first = b->una = b->nxt = first;
    for (uint32_t n = 0; n < SPACE; n++) {
        uint8_t byte = (uint8_t)(n * 31);
        assert_int_equal(stream_append(&b->chunks, &b->stream, &byte, 1), 1);
    }
    return b;
}

static uint32_t offset(const struct bench *b, uint32_t seq) { return seq - b->first; }

/* Everything that the queue says of itself, and of each record, agrees with the model. */
static void compare(struct bench *b)
{
    uint32_t seq = b->una, pipe = 0, lost = 0, count = 0, first_lost = 0, prev = 0;
    for (uint32_t id = b->q.head; id; prev = id, id = rtx_at(&b->records, id)->next) {
        const struct rtx_record *r = rtx_at(&b->records, id);
        assert_int_equal(r->seq, seq);
        assert_int_equal(r->prev, prev);
        assert_true(r->len > 0);
        for (uint32_t n = 0; n < r->len; n++) {
            uint32_t at = offset(b, seq + n);
            assert_int_equal(b->model[at].lost, (r->flags & RTX_LOST) && n >= r->again);
            assert_int_equal(b->model[at].again, (r->flags & RTX_RETRANSMITTED) != 0);
            assert_true(b->model[at].sent == r->sent);
        }
        struct pl_span span;
        uint32_t covered;                 /* the record points at its own bytes */
        assert_int_equal(stream_spans_at(&b->chunks, r->at, 1, &span, 1, &covered), 1);
        assert_int_equal(*(uint8_t *)span.base, (uint8_t)(offset(b, seq) * 31));
        if (r->flags & RTX_LOST) {
            lost++;
            pipe += r->again;
            first_lost = first_lost ? first_lost : id;
        } else {
            pipe += r->len;
        }
        seq += r->len;
        count++;
    }
    assert_int_equal(seq, b->nxt);
    assert_int_equal(b->q.tail, prev);
    assert_int_equal(b->q.pipe, pipe);
    assert_int_equal(b->q.lost, lost);
    assert_int_equal(b->q.count, count);
    assert_int_equal(b->records.used, count);
    assert_int_equal(rtx_first_lost(&b->records, &b->q), first_lost);
}

static void append(struct bench *b, uint32_t n)
{
    if (offset(b, b->nxt) + n > SPACE || n == 0)
        return;
    struct stream_at at = stream_find(&b->chunks, &b->stream, b->nxt - b->una);
    bool room = b->records.used < RECORDS;
    uint32_t id = rtx_append(&b->records, &b->q, RECORDS, b->nxt, n, at, false, b->now);
    assert_int_equal(id != 0, room);
    if (!id)
        return;
    for (uint32_t k = 0; k < n; k++) {
        b->model[offset(b, b->nxt) + k].lost = b->model[offset(b, b->nxt) + k].again = false;
        b->model[offset(b, b->nxt) + k].sent = b->now;
    }
    b->nxt += n;
}

static void ack(struct bench *b, uint32_t una)
{
    pl_time newest = 0;                   /* Karn: the newest record that was sent once and is touched */
    for (uint32_t id = b->q.head; id && seq_lt(rtx_at(&b->records, id)->seq, una); id = rtx_at(&b->records, id)->next)
        if (!b->model[offset(b, rtx_at(&b->records, id)->seq)].again)
            newest = rtx_at(&b->records, id)->sent;
    struct rtx_acked a = rtx_ack(&b->records, &b->chunks, &b->q, una);
    assert_int_equal(a.bytes, una - b->una);
    assert_true(a.sent == newest);
    stream_drop(&b->chunks, &b->stream, una - b->una);
    b->una = una;
}

static uint32_t nth(struct bench *b, uint32_t n)
{
    uint32_t id = b->q.head;
    for (; n; n--)
        id = rtx_at(&b->records, id)->next;
    return id;
}

static void lose(struct bench *b, uint32_t id)
{
    const struct rtx_record *r = rtx_at(&b->records, id);
    for (uint32_t k = 0; k < r->len; k++)
        b->model[offset(b, r->seq) + k].lost = true;
    rtx_mark_lost(&b->records, &b->q, id);
}

static void lose_all(struct bench *b)
{
    rtx_mark_all_lost(&b->records, &b->q);
    for (uint32_t s = b->una; s != b->nxt; s++)
        b->model[offset(b, s)].lost = true;
}

/* Without a record to split it, one that is lost stays whole, and only what was sent of it counts as sent: the rest stays lost. */
static void resend(struct bench *b, uint32_t id, uint32_t most)
{
    struct rtx_record *r = rtx_at(&b->records, id);
    struct stream_at at;
    uint32_t seq = r->seq, len = r->len, off = r->again, n = most < len - off ? most : len - off;
    bool split = off == 0 && n < len && b->records.used < RECORDS;
    assert_int_equal(rtx_next_again(&b->records, &b->chunks, id, &at), seq + off);
    assert_int_equal(*(chunks_at(&b->chunks, at.chunk) + at.off), (uint8_t)(offset(b, seq + off) * 31));
    rtx_sent_again(&b->records, &b->chunks, &b->q, id, n, b->now);
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

static void random_acks_losses_and_repeats_agree_with_the_model(void **state)
{
    (void)state;
    unsigned whole = 0;
    for (unsigned seed = 0; seed < 40; seed++) {
        struct prng p;
        prng_seed(&p, seed);
        struct bench *b = bench_new(seed % 2 ? 0xfffff000u : 1000u);         /* half of them across the wrap */
        for (b->now = 1; b->now < 600; b->now++) {
            uint32_t kind = prng_below(&p, 10), out = b->nxt - b->una;
            if (kind < 4)
                append(b, prng_below(&p, 700));
            else if (kind < 6 && out)
                ack(b, b->una + 1 + prng_below(&p, prng_below(&p, 2) ? out : 1 + out / 8));
            else if (kind == 6 && out)
                lose(b, nth(b, prng_below(&p, b->q.count)));
            else if (kind == 7 && out && prng_below(&p, 4) == 0)
                lose_all(b);
            else if (out) {
                uint32_t id = rtx_first_lost(&b->records, &b->q);
                if (!id || prng_below(&p, 4) == 0)
                    id = nth(b, prng_below(&p, b->q.count));
                resend(b, id, 1 + prng_below(&p, 600));
            }
            compare(b);
        }
        rtx_free(&b->records, &b->q);
        assert_int_equal(b->records.used, 0);
        whole += b->whole;
        free(b);
    }
    assert_true(whole > 0);
}

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
    rtx_sent_again(&b->records, &b->chunks, &b->q, id, 200, 2);
    assert_int_equal(b->q.count, 2);
    assert_false(rtx_at(&b->records, b->q.head)->flags & RTX_FIN);
    assert_true(rtx_at(&b->records, b->q.tail)->flags & RTX_FIN);
    assert_true(rtx_at(&b->records, b->q.tail)->flags & RTX_LOST);
    /* text of a full segment with the FIN behind it goes as one: the FIN takes no room in the segment */
    rtx_sent_again(&b->records, &b->chunks, &b->q, b->q.tail, 101, 3);
    assert_int_equal(b->q.count, 2);
    assert_int_equal(b->q.lost, 0);
    free(b);
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
    struct rtx_acked a = rtx_ack(&b->records, &b->chunks, &b->q, 101);
    assert_true(a.sent == 0);
    free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_acks_losses_and_repeats_agree_with_the_model),
        cmocka_unit_test(a_queue_at_its_bound_takes_nothing_more),
        cmocka_unit_test(the_fin_stays_with_the_last_piece_of_a_split),
        cmocka_unit_test(a_split_record_that_was_repeated_gives_no_sample),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
