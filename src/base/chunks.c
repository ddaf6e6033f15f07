/* SPDX-License-Identifier: MIT
 *
 * chunks.c: the pool of chunks and the streams made of them.
 *
 * Theory of operation. Byte `off` of a stream lies `head_off + off` bytes from the start of its head chunk; that number's high bits are
 * the index of a chunk in the chain, its low bits the place inside. The chain is contiguous: it covers every index up to count - 1, also
 * where nothing was written yet. Chunks given back together go to the front of the free list in the order of the chain, so that the next
 * stream gets neighbours in memory, which stream_spans then describes as one span.
 */
#include "base/chunks.h"
#include <string.h>
#include "base/check.h"

enum chunk_state { CHUNK_FREE, CHUNK_TAKEN, CHUNK_LEFT };   /* left: given back, still pinned */

static size_t round64(size_t n) { return (n + 63) & ~(size_t)63; }
static uint32_t least(uint32_t a, uint32_t b) { return a < b ? a : b; }

size_t chunks_bytes(uint32_t chunk_bytes, uint32_t capacity)
{
    return round64((size_t)chunk_bytes * capacity) + round64(sizeof(struct chunk_meta) * (size_t)capacity);
}

void chunks_init(struct chunks *p, void *memory, uint32_t chunk_bytes, uint32_t capacity)
{
    CHECK(chunk_bytes && (chunk_bytes & (chunk_bytes - 1)) == 0);
    uint64_t at = (uint64_t)((char *)memory - (char *)p);
    *p = (struct chunks){.zero = at - chunk_bytes,
                         .meta = at + round64((size_t)chunk_bytes * capacity),
                         .chunk_bytes = chunk_bytes,
                         .shift = (uint32_t)__builtin_ctz(chunk_bytes),
                         .capacity = capacity,
                         .low = capacity < 10 ? 0 : capacity < 16 ? 1 : capacity / 16};
}

uint32_t chunks_take(struct chunks *p)
{
    uint32_t chunk = p->free_head;
    if (chunk)
        p->free_head = chunks_meta(p, chunk)->next;
    else if (p->fresh < p->capacity)
        chunk = ++p->fresh;
    else
        return 0;
    *chunks_meta(p, chunk) = (struct chunk_meta){.next = 0, .pins = 0, .state = CHUNK_TAKEN};
    p->used++;
    return chunk;
}

/* Gives back `k` chunks of a chain from `first` on; returns the chunk that followed them. */
static uint32_t give_run(struct chunks *p, uint32_t first, uint32_t k)
{
    uint32_t run_head = 0, chunk = first;
    struct chunk_meta *run_tail = NULL;
    for (; k; k--) {
        CHECK(chunk - 1 < p->fresh);
        struct chunk_meta *m = chunks_meta(p, chunk);
        CHECK(m->state == CHUNK_TAKEN);
        uint32_t next = m->next;
        if (m->pins) {
            *m = (struct chunk_meta){.next = 0, .pins = m->pins, .state = CHUNK_LEFT};
        } else {
            m->state = CHUNK_FREE;
            if (run_tail)
                run_tail->next = chunk;
            else
                run_head = chunk;
            run_tail = m;
            p->used--;
        }
        chunk = next;
    }
    if (run_tail) {
        run_tail->next = p->free_head;
        p->free_head = run_head;
    }
    return chunk;
}

void chunks_give(struct chunks *p, uint32_t chunk) { give_run(p, chunk, 1); }

void chunks_pin(struct chunks *p, uint32_t chunk)
{
    CHECK(chunk - 1 < p->fresh);
    struct chunk_meta *m = chunks_meta(p, chunk);
    CHECK(m->state != CHUNK_FREE && m->pins < UINT16_MAX);
    m->pins++;
}

void chunks_unpin(struct chunks *p, uint32_t chunk)
{
    CHECK(chunk - 1 < p->fresh);
    struct chunk_meta *m = chunks_meta(p, chunk);
    CHECK(m->pins);
    if (--m->pins == 0 && m->state == CHUNK_LEFT) {
        *m = (struct chunk_meta){.next = p->free_head, .pins = 0, .state = CHUNK_FREE};
        p->free_head = chunk;
        p->used--;
    }
}

/* So many of the spare chunks are not for this stream. */
static uint32_t leaves(const struct chunks *p, const struct stream *s)
{
    if (s->yields == STREAM_ARRIVES)
        return s->count ? p->low : 0;
    return s->yields ? (p->low + 1) / 2 : 0;
}

/* Its own first, then what is spare. */
static bool may_take(const struct chunks *p, const struct stream *s, uint32_t n)
{
    uint32_t more = n > s->kept ? n - s->kept : 0;
    return more == 0 || (uint64_t)more + leaves(p, s) <= chunks_spare(p);
}

static void take_up(struct chunks *p, struct stream *s, uint32_t spare)
{
    uint32_t n = least(s->keep - s->count - s->kept, spare);
    s->kept = (uint8_t)(s->kept + n);
    p->kept += n;
}

/* It has given some back: they are its own first. */
static void top_up(struct chunks *p, struct stream *s)
{
    if (s->count + s->kept < s->keep)
        take_up(p, s, chunks_spare(p));
}

void stream_keep(struct chunks *p, struct stream *s, uint32_t n)
{
    s->keep = (uint8_t)least(n, 255);
    uint32_t most = s->keep > s->count ? s->keep - s->count : 0;
    if (s->kept > most) {
        p->kept -= s->kept - most;
        s->kept = (uint8_t)most;
    }
    if (s->count + s->kept < s->keep)
        take_up(p, s, chunks_to_send(p));
}

/* One more chunk at the back of the chain, or 0. */
static uint32_t grow(struct chunks *p, struct stream *s)
{
    if (s->kept)
        s->kept--, p->kept--;
    else if (chunks_spare(p) <= leaves(p, s))
        return 0;
    uint32_t chunk = chunks_take(p);
    if (s->tail)
        chunks_meta(p, s->tail)->next = chunk;
    else
        s->head = chunk;
    s->tail = chunk;
    s->count++;
    return chunk;
}

/* The chunk with this index, index < count. */
static uint32_t chunk_of(const struct chunks *p, struct stream *s, uint32_t index)
{
    uint32_t chunk = s->head, at = 0;
    if (index == s->count - 1) {
        chunk = s->tail, at = index;
    } else if (s->cursor && s->cursor_index <= index) {
        chunk = s->cursor, at = s->cursor_index;
    }
    for (; at < index; at++)
        chunk = chunks_next(p, chunk);
    s->cursor = chunk, s->cursor_index = index;
    return chunk;
}

uint32_t stream_append(struct chunks *p, struct stream *s, const void *bytes, uint32_t n)
{
    const uint8_t *from = bytes;
    uint32_t taken = 0;
    while (taken < n) {
        uint32_t end = s->head_off + s->len, index = end >> p->shift, at = end & (p->chunk_bytes - 1);
        uint32_t chunk = index + 1 == s->count ? s->tail : index < s->count ? chunk_of(p, s, index) : grow(p, s);
        if (chunk == 0)
            break;
        uint32_t piece = least(n - taken, p->chunk_bytes - at);
        memcpy(chunks_at(p, chunk) + at, from + taken, piece);
        taken += piece;
        s->len += piece;
    }
    return taken;
}

bool stream_write_at(struct chunks *p, struct stream *s, uint32_t off, const void *bytes, uint32_t n)
{
    if (n == 0)
        return true;
    const uint8_t *from = bytes;
    uint64_t begin = (uint64_t)s->head_off + off;
    uint64_t chunks = ((begin + n - 1) >> p->shift) + 1;       /* that the chain must have */
    if (chunks > s->count && (chunks > UINT32_MAX || !may_take(p, s, (uint32_t)chunks - s->count)))
        return false;
    while (s->count < chunks)
        grow(p, s);
    struct stream_at to = stream_find(p, s, off);
    for (uint32_t left = n; left; to.chunk = chunks_next(p, to.chunk), to.off = 0) {
        uint32_t piece = least(left, p->chunk_bytes - to.off);
        memcpy(chunks_at(p, to.chunk) + to.off, from, piece);
        from += piece, left -= piece;
    }
    if (s->ahead < off + n)
        s->ahead = off + n;
    return true;
}

uint32_t stream_room(const struct chunks *p, const struct stream *s) { return (s->count << p->shift) - s->head_off - s->len; }

void stream_extend(struct stream *s, uint32_t n)
{
    s->len += n;
    s->reserved = 0;
}

/* Of a chain of one, which is what is mostly given. */
static void give_one(struct chunks *p, uint32_t chunk)
{
    CHECK(chunk - 1 < p->fresh);
    struct chunk_meta *m = chunks_meta(p, chunk);
    CHECK(m->state == CHUNK_TAKEN);
    *m = (struct chunk_meta){.next = m->pins ? 0 : p->free_head, .pins = m->pins, .state = m->pins ? CHUNK_LEFT : CHUNK_FREE};
    if (m->pins)
        return;
    p->free_head = chunk;
    p->used--;
}

static void empty(struct chunks *p, struct stream *s)
{
    if (s->count == 1)
        give_one(p, s->head);
    else
        give_run(p, s->head, s->count);
    s->head = s->tail = s->count = s->head_off = s->len = s->cursor = s->cursor_index = s->ahead = 0;
    s->reserved = 0;
    top_up(p, s);
}

void stream_free(struct chunks *p, struct stream *s)
{
    give_run(p, s->head, s->count);
    p->kept -= s->kept;
    *s = (struct stream){.head = 0};
}

void stream_drop(struct chunks *p, struct stream *s, uint32_t n)
{
    CHECK(n <= s->len);
    s->len -= n;
    s->ahead -= least(n, s->ahead);
    if (s->len == 0 && s->ahead == 0 && !s->reserved) {
        empty(p, s);
        return;
    }
    uint32_t begin = s->head_off + n, k = least(begin >> p->shift, s->count);
    s->head_off = begin - (k << p->shift);
    if (k == 0)
        return;
    s->head = give_run(p, s->head, k);
    s->count -= k;
    if (s->count == 0)
        s->tail = 0;
    if (s->cursor_index < k)
        s->cursor = s->cursor_index = 0;
    else
        s->cursor_index -= k;
    top_up(p, s);
}

void stream_trim(struct chunks *p, struct stream *s)
{
    uint32_t end = s->head_off + s->len;
    uint32_t keep = s->reserved ? (end >> p->shift) + 1 : (end + p->chunk_bytes - 1) >> p->shift;
    if (s->len == 0 && !s->reserved)
        keep = 0;
    s->ahead = least(s->ahead, s->len);
    if (keep >= s->count)
        return;
    if (keep == 0) {
        empty(p, s);
        return;
    }
    uint32_t last = chunk_of(p, s, keep - 1);                  /* and the cursor stays on what remains */
    give_run(p, chunks_next(p, last), s->count - keep);
    chunks_meta(p, last)->next = 0;
    s->tail = last;
    s->count = keep;
    top_up(p, s);
}

struct stream_at stream_find(const struct chunks *p, struct stream *s, uint32_t off)
{
    uint32_t at = s->head_off + off, index = at >> p->shift;
    if (index >= s->count)
        return (struct stream_at){0, 0};
    return (struct stream_at){chunk_of(p, s, index), at & (p->chunk_bytes - 1)};
}

void stream_copy(const struct chunks *p, struct stream *s, uint32_t off, void *to, uint32_t n)
{
    CHECK(off <= s->len && n <= s->len - off);
    uint8_t *out = to;
    if (n == 0)
        return;
    for (struct stream_at from = stream_find(p, s, off);; from.chunk = chunks_next(p, from.chunk), from.off = 0) {
        uint32_t piece = least(n, p->chunk_bytes - from.off);
        memcpy(out, chunks_at(p, from.chunk) + from.off, piece);
        out += piece, n -= piece;
        if (n == 0)
            break;
    }
}

bool stream_same(const struct chunks *p, struct stream *s, uint32_t off, const void *bytes, uint32_t n)
{
    const uint8_t *with = bytes;
    for (struct stream_at at = stream_find(p, s, off); n; at.chunk = chunks_next(p, at.chunk), at.off = 0) {
        uint32_t piece = least(n, p->chunk_bytes - at.off);
        CHECK(at.chunk);
        if (memcmp(with, chunks_at(p, at.chunk) + at.off, piece) != 0)
            return false;
        with += piece, n -= piece;
    }
    return true;
}

unsigned stream_spans(const struct chunks *p, struct stream *s, uint32_t off, uint32_t n, struct pl_span *spans, unsigned max,
                      uint32_t *covered)
{
    *covered = 0;
    return n ? stream_spans_at(p, stream_find(p, s, off), n, spans, max, covered) : 0;
}

unsigned stream_spans_at(const struct chunks *p, struct stream_at at, uint32_t n, struct pl_span *spans, unsigned max, uint32_t *covered)
{
    unsigned count = 0;
    uint32_t done = 0;
    uint8_t *end = NULL;                  /* of the span before */
    for (; done < n && at.chunk; at.chunk = chunks_next(p, at.chunk), at.off = 0) {
        uint32_t piece = least(n - done, p->chunk_bytes - at.off);
        if (piece == 0)                   /* a place kept at the very end of a chunk */
            continue;
        uint8_t *base = chunks_at(p, at.chunk) + at.off;
        if (base == end) {
            spans[count - 1].len += piece;
        } else {
            if (count == max)
                break;
            spans[count++] = (struct pl_span){base, piece};
        }
        end = base + piece;
        done += piece;
    }
    *covered = done;
    return count;
}

uint8_t *stream_reserve(struct chunks *p, struct stream *s, uint32_t want, uint32_t *room)
{
    uint32_t end = s->head_off + s->len, index = end >> p->shift, at = end & (p->chunk_bytes - 1);
    uint32_t chunk = index < s->count ? chunk_of(p, s, index) : grow(p, s);
    *room = 0;
    if (chunk == 0)
        return NULL;
    s->reserved = 1;
    *room = least(want, p->chunk_bytes - at);
    return chunks_at(p, chunk) + at;
}
