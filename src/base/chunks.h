/* SPDX-License-Identifier: MIT
 *
 * chunks.h: the pool of equal chunks, and byte streams made of chains of them.
 *
 * Every byte a connection holds lies in a chunk. A stream is a chain: append at the back and drop at the front in O(1), and a cursor
 * remembers the chunk where the last look-up ended, so that sending or reading on from there is O(1) as well. An empty stream owns no
 * chunk. Out-of-order bytes are written in place, beyond `len`; the receiver remembers which of them are there.
 *
 * A stream may keep chunks: as many as it lacks of `keep` are set aside in the pool, and nobody else gets them. What is left to all is "spare".
 * The last spare chunks are not for everybody (enum stream_yields): what arrives takes nothing of the last sixteenth of the pool, what is to be sent nothing of the
 * half of that; but a stream that holds nothing may begin with any chunk to take what arrives. So whoever fills the pool, by sending or by leaving unread, those
 * whose programs read get on, one chunk at a time.
 *
 * A chunk may be pinned (a driver still sends from it): it leaves its stream but returns to the pool only with the last pin.
 */
#ifndef BASE_CHUNKS_H
#define BASE_CHUNKS_H

#include <parley/types.h>

struct chunk_meta {
    uint32_t next;                        /* in a chain or in the free list */
    uint16_t pins;
    uint16_t state;                       /* 0 free, 1 in a chain, 2 given back but pinned */
};

struct chunks {
    uint64_t zero, meta;                  /* offsets from this struct: of what would be chunk 0, and of chunk 1's meta */
    uint32_t chunk_bytes, shift;          /* chunk_bytes = 1 << shift */
    uint32_t capacity, used, fresh, free_head;
    uint32_t kept;                        /* of the free ones: set aside by streams */
    uint32_t low;                         /* spare chunks that streams which yield leave to the others: STREAM_ARRIVES all, STREAM_LEAVES half of them */
    uint64_t promised;                    /* bytes that peers were told they may send, and that are not here yet: whoever promises adds and subtracts */
    uint64_t promises_max;                /* bound of what is used and what is promised together; 0 until it is set */
};

size_t chunks_bytes(uint32_t chunk_bytes, uint32_t capacity);       /* data and meta; multiple of 64. chunk_bytes: power of two */
void chunks_init(struct chunks *, void *memory, uint32_t chunk_bytes, uint32_t capacity);
uint32_t chunks_take(struct chunks *);                              /* 0: none left. Content is undefined, next = 0 */
void chunks_give(struct chunks *, uint32_t chunk);
void chunks_pin(struct chunks *, uint32_t chunk);
void chunks_unpin(struct chunks *, uint32_t chunk);
static inline uint32_t chunks_free(const struct chunks *p) { return p->capacity - p->used; }
static inline uint32_t chunks_spare(const struct chunks *p) { return p->capacity - p->used - p->kept; }
/* Of which a STREAM_LEAVES may take one. */
static inline uint32_t chunks_to_send(const struct chunks *p)
{
    uint32_t left = (p->low + 1) / 2, spare = chunks_spare(p);
    return spare > left ? spare - left : 0;
}
static inline struct chunk_meta *chunks_meta(const struct chunks *p, uint32_t chunk)
{
    return (struct chunk_meta *)((uintptr_t)p + p->meta) + (chunk - 1);
}
static inline uint8_t *chunks_at(const struct chunks *p, uint32_t chunk)
{
    return (uint8_t *)((uintptr_t)p + p->zero + ((size_t)chunk << p->shift));
}
static inline uint32_t chunks_next(const struct chunks *p, uint32_t chunk) { return chunks_meta(p, chunk)->next; }

struct stream {
    uint32_t head, tail;                  /* first and last chunk, 0 = none */
    uint32_t count;                       /* chunks in the chain */
    uint32_t head_off;                    /* where the first byte lies in the head chunk */
    uint32_t len;                         /* bytes that are in order and valid */
    uint32_t cursor, cursor_index;        /* a chunk of the chain and its index from the head; 0 = none */
    uint32_t ahead;                       /* bytes up to here were written out of order (stream_write_at): keeps their chunks alive */
    uint8_t reserved;                     /* stream_reserve handed out room that stream_extend has not yet ended */
    uint8_t keep, kept;                   /* stream_keep: the chain and what is kept make so many; what is kept now */
    uint8_t yields;                       /* enum stream_yields */
};
enum stream_yields { STREAM_TAKES = 0, STREAM_ARRIVES, STREAM_LEAVES };

struct stream_at {                        /* a place in a stream */
    uint32_t chunk, off;
};

/* From now on the stream has at least `n` chunks, those of its chain counted, as soon as the pool has spare ones: tried now and whenever it gives
 * chunks back. 0: gives up what it keeps. At most 255. What it has to begin with is taken where a stream that is to be sent might take it. */
void stream_keep(struct chunks *, struct stream *, uint32_t n);
/* Each returns what it says; none ever takes more than the pool has. Offsets count from the first byte of the stream. */
uint32_t stream_append(struct chunks *, struct stream *, const void *bytes, uint32_t n);          /* bytes taken, may be < n */
bool stream_write_at(struct chunks *, struct stream *, uint32_t off, const void *bytes, uint32_t n);   /* false: pool empty, nothing written */
uint32_t stream_room(const struct chunks *, const struct stream *);                              /* bytes behind `len` in chunks already owned */
void stream_extend(struct stream *, uint32_t n);                                                 /* n bytes behind `len` (written in place) become valid */
/* From the front, n <= len. Nothing left, nothing written ahead and nothing reserved: all chunks go back. */
void stream_drop(struct chunks *, struct stream *, uint32_t n);
void stream_trim(struct chunks *, struct stream *);                                              /* gives back chunks wholly behind `len` */
void stream_free(struct chunks *, struct stream *);                                              /* everything, what is kept as well; the stream is zero */
struct stream_at stream_find(const struct chunks *, struct stream *, uint32_t off);              /* off within the chain; moves the cursor */
void stream_copy(const struct chunks *, struct stream *, uint32_t off, void *to, uint32_t n);    /* off + n <= len */
/* Do n bytes of the chain, valid or written ahead, equal these? */
bool stream_same(const struct chunks *, struct stream *, uint32_t off, const void *bytes, uint32_t n);
/* Describes bytes [off, off + n) as spans (chunks that follow each other in memory share one); returns how many spans (<= max); *covered is n or what fits in max spans. */
unsigned stream_spans(const struct chunks *, struct stream *, uint32_t off, uint32_t n, struct pl_span *, unsigned max, uint32_t *covered);
/* The same, starting at a place found before (the retransmission queue keeps one); does not move the cursor. */
unsigned stream_spans_at(const struct chunks *, struct stream_at, uint32_t n, struct pl_span *, unsigned max, uint32_t *covered);
/* Writable room at the back, taking a chunk if the last one is full: up to `want` bytes, *room says how many (0: pool empty, and then
 * NULL is returned). Commit with stream_extend, also to give up (n = 0); until then the room stays, whatever is dropped in front of it. */
uint8_t *stream_reserve(struct chunks *, struct stream *, uint32_t want, uint32_t *room);

#endif
