/* SPDX-License-Identifier: MIT
 *
 * Streams in chunks against plain byte arrays: several streams share one small pool, so that it runs dry; some chunks are pinned.
 */
#include "support/unit.h"

#include <sys/mman.h>
#include <unistd.h>

#include "base/chunks.h"
#include "base/prng.h"

enum { STREAMS = 3, WIDTH = 6000, PINS = 8 };

struct model {
    struct stream s;
    uint8_t byte[WIDTH];                  /* from the first byte of the stream */
    bool known[WIDTH];                    /* written, in order or ahead */
    uint32_t len;
};

struct world {
    struct chunks *p;
    struct model m[STREAMS];
    struct {
        uint32_t chunk;
        uint8_t sample;                   /* of the chunk's first byte, which must not change while it is pinned and was left */
        bool left;
    } pin[PINS];
    struct prng g;
    uint8_t noise[WIDTH];
};

static struct chunks *make_pool(uint32_t chunk_bytes, uint32_t capacity)
{
    size_t bytes = 64 + chunks_bytes(chunk_bytes, capacity);
    struct chunks *p = aligned_alloc(64, bytes);
    memset(p, 0, bytes);
    chunks_init(p, (char *)p + 64, chunk_bytes, capacity);
    return p;
}

static struct world *make_world(uint32_t chunk_bytes, uint32_t capacity, uint64_t seed)
{
    struct world *w = calloc(1, sizeof *w);
    w->p = make_pool(chunk_bytes, capacity);
    prng_seed(&w->g, seed);
    return w;
}

/* Fresh random bytes each time, so that a stale one is noticed. */
static const uint8_t *noise(struct world *w, uint32_t n)
{
    for (uint32_t i = 0; i < n; i += 8) {
        uint64_t v = prng_next(&w->g);
        memcpy(w->noise + i, &v, n - i < 8 ? n - i : 8);
    }
    return w->noise;
}

static void model_write(struct model *m, uint32_t off, const uint8_t *bytes, uint32_t n)
{
    memcpy(m->byte + off, bytes, n);
    memset(m->known + off, true, n * sizeof m->known[0]);
}

static uint32_t room_in(const struct model *m) { return WIDTH - m->len; }

static void do_append(struct world *w, struct model *m)
{
    uint32_t n = prng_below(&w->g, room_in(m) + 1);
    if (prng_below(&w->g, 3))
        n = n < 300 ? n : 300;
    const uint8_t *bytes = noise(w, n);
    uint32_t taken = stream_append(w->p, &m->s, bytes, n);
    assert_true(taken <= n);
    model_write(m, m->len, bytes, taken);
    m->len += taken;
    if (taken < n) {
        assert_int_equal(chunks_free(w->p), 0);
        assert_int_equal(stream_room(w->p, &m->s), 0);
    }
}

static void do_write_at(struct world *w, struct model *m)
{
    if (room_in(m) < 2)
        return;
    uint32_t off = m->len + prng_below(&w->g, room_in(m) - 1), n = 1 + prng_below(&w->g, WIDTH - off < 900 ? WIDTH - off : 900);
    uint32_t need = (m->s.head_off + off + n + w->p->chunk_bytes - 1) / w->p->chunk_bytes;
    bool fits = need <= m->s.count || need - m->s.count <= chunks_free(w->p);
    const uint8_t *bytes = noise(w, n);
    uint32_t used = w->p->used;
    assert_int_equal(stream_write_at(w->p, &m->s, off, bytes, n), fits);
    if (fits)
        model_write(m, off, bytes, n);
    else
        assert_int_equal(w->p->used, used);
}

/* What was written ahead and has become contiguous turns valid, as when a receiver's gap closes. */
static void do_extend(struct world *w, struct model *m)
{
    uint32_t n = 0;
    while (m->len + n < WIDTH && m->known[m->len + n])
        n++;
    n = prng_below(&w->g, n + 1);
    stream_extend(&m->s, n);
    m->len += n;
}

static void do_drop(struct world *w, struct model *m)
{
    uint32_t n = prng_below(&w->g, 4) ? prng_below(&w->g, m->len + 1) : m->len;
    stream_drop(w->p, &m->s, n);
    memmove(m->byte, m->byte + n, WIDTH - n);
    memmove(m->known, m->known + n, WIDTH - n);
    memset(m->known + WIDTH - n, false, n);
    m->len -= n;
    bool ahead = false;
    for (uint32_t i = m->len; i < WIDTH; i++)
        ahead |= m->known[i];
    if (m->len == 0 && !ahead && !m->s.reserved)
        assert_int_equal(m->s.count, 0);          /* an idle stream owns nothing */
}

static void do_trim(struct world *w, struct model *m)
{
    stream_trim(w->p, &m->s);
    memset(m->known + m->len, false, WIDTH - m->len);
    assert_int_equal(m->s.count, m->len ? (m->s.head_off + m->len + w->p->chunk_bytes - 1) / w->p->chunk_bytes : 0);
}

static void do_reserve(struct world *w, struct model *m)
{
    uint32_t want = 1 + prng_below(&w->g, 500), room;
    if (want > room_in(m))
        return;
    bool dry = stream_room(w->p, &m->s) == 0 && chunks_free(w->p) == 0;
    uint8_t *at = stream_reserve(w->p, &m->s, want, &room);
    assert_int_equal(at != NULL, room != 0);
    assert_int_equal(room == 0, dry);
    assert_true(room <= want);
    if (!at)
        return;
    bool drop_between = prng_below(&w->g, 3) == 0;
    if (drop_between)
        do_drop(w, m);                    /* an ACK came while the program was filling */
    uint32_t n = prng_below(&w->g, room + 1);
    const uint8_t *bytes = noise(w, n);
    memcpy(at, bytes, n);
    stream_extend(&m->s, n);
    model_write(m, m->len, bytes, n);
    m->len += n;
}

static uint32_t gather(const struct pl_span *spans, unsigned n, uint8_t *to)
{
    uint32_t done = 0;
    for (unsigned i = 0; i < n; i++) {
        assert_true(spans[i].len > 0);
        memcpy(to + done, spans[i].base, spans[i].len);
        done += (uint32_t)spans[i].len;
    }
    return done;
}

static void do_look(struct world *w, struct model *m)
{
    static uint8_t out[WIDTH];
    uint32_t off = prng_below(&w->g, m->len + 1), n = prng_below(&w->g, m->len - off + 1), covered;
    stream_copy(w->p, &m->s, off, out, n);
    assert_memory_equal(out, m->byte + off, n);
    struct pl_span spans[PL_SPANS];
    unsigned max = 1 + prng_below(&w->g, PL_SPANS), count = stream_spans(w->p, &m->s, off, n, spans, max, &covered);
    assert_true(count <= max && (covered == n || count == max));
    assert_int_equal(gather(spans, count, out), covered);
    assert_memory_equal(out, m->byte + off, covered);
    if (n) {
        struct stream before = m->s;
        struct stream_at at = stream_find(w->p, &m->s, off);
        before.cursor = m->s.cursor, before.cursor_index = m->s.cursor_index;
        assert_memory_equal(&before, &m->s, sizeof before);    /* only the cursor moved */
        uint32_t again;
        assert_int_equal(stream_spans_at(w->p, at, n, spans, max, &again), count);
        assert_int_equal(again, covered);
    }
}

static void do_pin(struct world *w, struct model *m)
{
    unsigned i = prng_below(&w->g, PINS);
    if (w->pin[i].chunk) {
        if (w->pin[i].left)
            assert_int_equal(chunks_at(w->p, w->pin[i].chunk)[0], w->pin[i].sample);
        chunks_unpin(w->p, w->pin[i].chunk);
        w->pin[i].chunk = 0;
    } else if (m->s.len) {
        w->pin[i].chunk = stream_find(w->p, &m->s, prng_below(&w->g, m->s.len)).chunk;
        w->pin[i].left = false;
        chunks_pin(w->p, w->pin[i].chunk);
    }
}

/* Pinned chunks that left their streams keep their content from then on. */
static void watch_pins(struct world *w)
{
    for (unsigned i = 0; i < PINS; i++) {
        uint32_t chunk = w->pin[i].chunk;
        if (!chunk || w->pin[i].left || chunks_meta(w->p, chunk)->state == 1)
            continue;
        w->pin[i].left = true;
        w->pin[i].sample = chunks_at(w->p, chunk)[0];
    }
}

static void compare(struct world *w)
{
    uint32_t owned = 0, left = 0;
    for (unsigned i = 0; i < STREAMS; i++) {
        struct model *m = &w->m[i];
        assert_int_equal(m->s.len, m->len);
        uint32_t chunk = m->s.head, last = 0;
        for (uint32_t n = 0; n < m->s.count; n++, last = chunk, chunk = chunks_next(w->p, chunk)) {
            assert_int_equal(chunks_meta(w->p, chunk)->state, 1);
            if (m->s.cursor == chunk)
                assert_int_equal(m->s.cursor_index, n);
            for (uint32_t in = 0; in < w->p->chunk_bytes; in++) {
                uint32_t at = n * w->p->chunk_bytes + in;
                if (at >= m->s.head_off && at - m->s.head_off < WIDTH && m->known[at - m->s.head_off])
                    assert_true(chunks_at(w->p, chunk)[in] == m->byte[at - m->s.head_off]);
            }
        }
        assert_int_equal(chunk, 0);
        assert_int_equal(last, m->s.tail);
        owned += m->s.count;
    }
    for (uint32_t chunk = 1; chunk <= w->p->fresh; chunk++)
        left += chunks_meta(w->p, chunk)->state == 2;
    assert_int_equal(w->p->used, owned + left);
}

static void random_run(uint32_t chunk_bytes, uint32_t capacity, uint64_t seed)
{
    struct world *w = make_world(chunk_bytes, capacity, seed);
    for (unsigned round = 0; round < 10000; round++) {
        struct model *m = &w->m[prng_below(&w->g, STREAMS)];
        switch (prng_below(&w->g, 13)) {
        case 0:
        case 1:
        case 2: do_append(w, m); break;
        case 3:
        case 4: do_write_at(w, m); break;
        case 5: do_extend(w, m); break;
        case 6:
        case 7: do_drop(w, m); break;
        case 8: do_look(w, m); break;
        case 9: do_reserve(w, m); break;
        case 10: do_pin(w, m); break;
        case 11:
            if (prng_below(&w->g, 4) == 0)
                do_trim(w, m);
            break;
        default:
            if (prng_below(&w->g, 20) == 0) {
                stream_free(w->p, &m->s);
                memset(m->known, false, sizeof m->known);
                m->len = 0;
            }
        }
        watch_pins(w);
        if (round % 8 == 0)
            compare(w);
        do_look(w, m);
    }
    for (unsigned i = 0; i < PINS; i++)
        if (w->pin[i].chunk)
            chunks_unpin(w->p, w->pin[i].chunk);
    static const struct stream zero;
    for (unsigned i = 0; i < STREAMS; i++) {
        stream_free(w->p, &w->m[i].s);
        assert_memory_equal(&w->m[i].s, &zero, sizeof zero);
    }
    assert_int_equal(w->p->used, 0);
    for (uint32_t n = 0; n < capacity; n++)                     /* every chunk came home */
        assert_true(chunks_take(w->p) != 0);
    assert_int_equal(chunks_take(w->p), 0);
    free(w->p);
    free(w);
}

static void agrees_with_a_byte_array(void **state)
{
    (void)state;
    random_run(256, 100, 1);
    random_run(1024, 40, 2);
    random_run(65536, 6, 3);
}

static void agrees_with_a_byte_array_when_the_pool_runs_dry(void **state)
{
    (void)state;
    random_run(256, 20, 4);
    random_run(256, 3, 5);
    random_run(4096, 1, 6);
    random_run(256, 0, 7);
}

static void neighbours_in_memory_share_a_span(void **state)
{
    (void)state;
    struct chunks *p = make_pool(4096, 32);
    static uint8_t bytes[16 * 4096];
    struct stream s = {0};
    struct pl_span spans[4];
    uint32_t covered;
    for (unsigned round = 0; round < 3; round++) {             /* also when the chunks were used before */
        assert_int_equal(stream_append(p, &s, bytes, sizeof bytes), sizeof bytes);
        assert_int_equal(stream_spans(p, &s, 100, sizeof bytes - 100, spans, 4, &covered), 1);
        assert_int_equal(covered, sizeof bytes - 100);
        stream_drop(p, &s, sizeof bytes);
        assert_int_equal(p->used, 0);
    }
    free(p);
}

static void dropping_the_valid_bytes_keeps_what_was_written_ahead(void **state)
{
    (void)state;
    struct chunks *p = make_pool(256, 8);
    struct stream s = {0};
    uint8_t out[3];
    assert_int_equal(stream_append(p, &s, "abc", 3), 3);
    assert_true(stream_write_at(p, &s, 5, "fgh", 3));
    stream_drop(p, &s, 3);
    assert_int_equal(s.count, 1);
    assert_int_equal(stream_append(p, &s, "de", 2), 2);
    stream_extend(&s, 3);
    stream_copy(p, &s, 2, out, 3);
    assert_memory_equal(out, "fgh", 3);
    stream_drop(p, &s, 5);
    assert_int_equal(p->used, 0);
    free(p);
}

static void room_given_up_leaves_an_idle_stream_empty(void **state)
{
    (void)state;
    struct chunks *p = make_pool(256, 2);
    struct stream s = {0};
    uint32_t room;
    assert_non_null(stream_reserve(p, &s, 1000, &room));
    assert_int_equal(room, 256);
    stream_trim(p, &s);
    assert_int_equal(s.count, 1);         /* still promised */
    stream_extend(&s, 0);
    stream_trim(p, &s);
    assert_int_equal(s.count, 0);
    assert_int_equal(p->used, 0);
    free(p);
}

static void a_copied_pool_works(void **state)
{
    (void)state;
    size_t bytes = 64 + chunks_bytes(256, 8);
    struct chunks *p = make_pool(256, 8), *copy = aligned_alloc(64, bytes);
    struct stream s = {0};
    char out[3];
    stream_append(p, &s, "xyz", 3);
    memcpy(copy, p, bytes);
    memset(p, 0xee, bytes);
    free(p);
    stream_copy(copy, &s, 0, out, 3);
    assert_memory_equal(out, "xyz", 3);
    stream_free(copy, &s);
    assert_int_equal(copy->used, 0);
    free(copy);
}

static void init_touches_no_page_but_its_own(void **state)
{
    (void)state;
    size_t page = (size_t)sysconf(_SC_PAGESIZE), bytes = chunks_bytes(4096, 100);
    assert_int_equal(bytes % 64, 0);
    size_t pages = (bytes + page - 1) / page;
    char *block = mmap(NULL, (1 + pages) * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(block != MAP_FAILED);
    mprotect(block + page, pages * page, PROT_NONE);
    chunks_init((struct chunks *)(void *)block, block + page, 4096, 100);
    munmap(block, (1 + pages) * page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_a_byte_array),
        cmocka_unit_test(agrees_with_a_byte_array_when_the_pool_runs_dry),
        cmocka_unit_test(neighbours_in_memory_share_a_span),
        cmocka_unit_test(dropping_the_valid_bytes_keeps_what_was_written_ahead),
        cmocka_unit_test(room_given_up_leaves_an_idle_stream_empty),
        cmocka_unit_test(a_copied_pool_works),
        cmocka_unit_test(init_touches_no_page_but_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
