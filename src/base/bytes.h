/* SPDX-License-Identifier: MIT
 *
 * bytes.h: numbers in network order, and a cursor that fails sticky so that a header reads as a list of its fields.
 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
static inline uint16_t swap_be16(uint16_t v) { return __builtin_bswap16(v); }
static inline uint32_t swap_be32(uint32_t v) { return __builtin_bswap32(v); }
#else
static inline uint16_t swap_be16(uint16_t v) { return v; }
static inline uint32_t swap_be32(uint32_t v) { return v; }
#endif
static inline uint16_t get_be16(const uint8_t *p)
{
    uint16_t v;
    memcpy(&v, p, sizeof v);
    return swap_be16(v);
}
static inline uint32_t get_be32(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return swap_be32(v);
}
static inline void put_be16(uint8_t *p, uint16_t v)
{
    v = swap_be16(v);
    memcpy(p, &v, sizeof v);
}
static inline void put_be32(uint8_t *p, uint32_t v)
{
    v = swap_be32(v);
    memcpy(p, &v, sizeof v);
}

/* A read past the end yields zeros and sets `bad`; check it once, after the last field. */
struct reader {
    const uint8_t *p, *end;
    bool bad;
};

static inline struct reader reader_of(const void *bytes, size_t n)
{
    const uint8_t *p = bytes;
    return (struct reader){p, p + n, false};
}
static inline size_t reader_left(const struct reader *r) { return (size_t)(r->end - r->p); }
static inline const uint8_t *read_bytes(struct reader *r, size_t n)   /* NULL when fewer than n are left */
{
    if (r->bad || reader_left(r) < n) {
        r->bad = true;
        return NULL;
    }
    const uint8_t *at = r->p;
    r->p += n;
    return at;
}
static inline uint8_t read_u8(struct reader *r)
{
    const uint8_t *p = read_bytes(r, 1);
    return p ? *p : 0;
}
static inline uint16_t read_be16(struct reader *r)
{
    const uint8_t *p = read_bytes(r, 2);
    return p ? get_be16(p) : 0;
}
static inline uint32_t read_be32(struct reader *r)
{
    const uint8_t *p = read_bytes(r, 4);
    return p ? get_be32(p) : 0;
}
static inline void read_copy(struct reader *r, void *to, size_t n)
{
    const uint8_t *p = read_bytes(r, n);
    if (p)
        memcpy(to, p, n);
    else
        memset(to, 0, n);
}

#endif
