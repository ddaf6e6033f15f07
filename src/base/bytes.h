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

static inline uint16_t get_be16(const uint8_t *p) { return (uint16_t)((unsigned)p[0] << 8 | p[1]); }
static inline uint32_t get_be32(const uint8_t *p) { return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3]; }
static inline void put_be16(uint8_t *p, uint16_t v) { p[0] = (uint8_t)(v >> 8), p[1] = (uint8_t)v; }
static inline void put_be32(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 24), p[1] = (uint8_t)(v >> 16), p[2] = (uint8_t)(v >> 8), p[3] = (uint8_t)v;
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
