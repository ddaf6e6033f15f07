/* SPDX-License-Identifier: MIT
 *
 * tcp_opts.c: TCP options, RFC 9293 3.2, RFC 7323 2.2 and 3.2, RFC 2018 2 and 3, RFC 5482 3.3.
 *
 * Theory of operation. Each option is a kind and, but for EOL and NOP, a length that includes both. An option with a length that is wrong
 * for its kind ends the parse: after it nothing can be trusted to be where it seems.
 */
#include "wire/tcp_opts.h"
#include "base/bytes.h"

enum kind { EOL = 0, NOP = 1, MSS = 2, WSCALE = 3, SACK_PERMITTED = 4, SACK = 5, TIMESTAMPS = 8, USER_TIMEOUT = 28 };   /* RFC 5482 3.3-b */
enum { OPTIONS_BYTES_MAX = 40, BLOCK_BYTES = 8 };

/* The options as peers send them on nearly every data segment (RFC 7323 appendix A): worth one comparison. */
static bool only_timestamps(const uint8_t *p, size_t n, struct wire_tcp_opts *o)
{
    if (n != 12 || get_be32(p) != 0x0101080a)
        return false;
    o->have = WIRE_OPT_TIMESTAMPS;
    o->ts_val = get_be32(p + 4);
    o->ts_ecr = get_be32(p + 8);
    return true;
}

static bool read_sack(const uint8_t *body, size_t n, struct wire_tcp_opts *o)
{
    if (n == 0 || n % BLOCK_BYTES || n / BLOCK_BYTES > 4)
        return false;
    o->nsack = (uint8_t)(n / BLOCK_BYTES);
    for (unsigned i = 0; i < o->nsack; i++) {
        o->sack[i].lo = get_be32(body + BLOCK_BYTES * i);
        o->sack[i].hi = get_be32(body + BLOCK_BYTES * i + 4);
    }
    o->have |= WIRE_OPT_SACK;
    return true;
}

/* `n` bytes of body. False: the length does not fit the kind. */
static bool read_option(uint8_t kind, const uint8_t *body, size_t n, struct wire_tcp_opts *o)
{
    switch (kind) {
    case MSS:
        if (n != 2)
            return false;
        o->mss = get_be16(body);
        o->have |= WIRE_OPT_MSS;
        return true;
    case WSCALE:
        if (n != 1)
            return false;
        o->wscale = body[0];
        o->have |= WIRE_OPT_WSCALE;
        return true;
    case SACK_PERMITTED:
        if (n != 0)
            return false;
        o->have |= WIRE_OPT_SACK_PERMITTED;
        return true;
    case TIMESTAMPS:
        if (n != 8)
            return false;
        o->ts_val = get_be32(body);
        o->ts_ecr = get_be32(body + 4);
        o->have |= WIRE_OPT_TIMESTAMPS;
        return true;
    case USER_TIMEOUT:                    /* RFC 5482 3.3-c: of length 4 */
        if (n != 2)
            return false;
        o->user_timeout = get_be16(body);
        o->have |= WIRE_OPT_USER_TIMEOUT;
        return true;
    case SACK:
        return read_sack(body, n, o);
    default:
        return true;                      /* RFC 9293 3.1, MUST-6: an unknown option is ignored; its length is all it takes */
    }
}

/* RFC 9293 3.1, 3.2: MUST-4: EOL, NOP, MSS. MUST-64: byte by byte, aligned or not. MUST-68: what is neither EOL nor NOP has a length. */
void wire_tcp_opts_read(const uint8_t *bytes, size_t n, struct wire_tcp_opts *o)
{
    *o = (struct wire_tcp_opts){.have = 0};
    if (n == 0 || only_timestamps(bytes, n, o))
        return;
    struct reader r = reader_of(bytes, n);
    while (reader_left(&r)) {
        uint8_t kind = read_u8(&r);
        if (kind == EOL)
            return;
        if (kind == NOP)
            continue;
        /* RFC 9293 3.1, MUST-7: an illegal length must not crash us; threats V29: nor end the connection. */
        uint8_t length = read_u8(&r);
        const uint8_t *body = length >= 2 ? read_bytes(&r, length - 2u) : NULL;
        if (!body || !read_option(kind, body, length - 2u, o)) {
            o->malformed = 1;
            return;
        }
    }
}

static uint8_t *put2(uint8_t *p, uint8_t a, uint8_t b)
{
    p[0] = a, p[1] = b;
    return p + 2;
}

static uint8_t *put_timestamps(uint8_t *p, const struct wire_tcp_opts *o)
{
    p = put2(p, TIMESTAMPS, 10);
    put_be32(p, o->ts_val);
    put_be32(p + 4, o->ts_ecr);
    return p + 8;
}

static uint8_t *put_sack(uint8_t *p, unsigned room, const struct wire_tcp_opts *o)
{
    unsigned count = o->nsack < 4 ? o->nsack : 4;
    if (room < 4 + BLOCK_BYTES || count == 0)
        return p;
    if (count > (room - 4) / BLOCK_BYTES)
        count = (room - 4) / BLOCK_BYTES;
    p = put2(p, NOP, NOP);
    p = put2(p, SACK, (uint8_t)(2 + BLOCK_BYTES * count));
    for (unsigned i = 0; i < count; i++, p += BLOCK_BYTES) {
        put_be32(p, o->sack[i].lo);
        put_be32(p + 4, o->sack[i].hi);
    }
    return p;
}

/* RFC 9293 3.1, MUST-69: NOPs stand in front, whole words come out, and so there is no padding that would have to be zero. */
unsigned wire_tcp_opts_write(uint8_t *bytes, const struct wire_tcp_opts *o)
{
    uint8_t *p = bytes;
    if (o->have == WIRE_OPT_TIMESTAMPS) {     /* nearly every segment */
        put_be32(p, 0x0101080a);
        put_be32(p + 4, o->ts_val);
        put_be32(p + 8, o->ts_ecr);
        return 12;
    }
    bool timestamps = o->have & WIRE_OPT_TIMESTAMPS, permitted = o->have & WIRE_OPT_SACK_PERMITTED;
    if (o->have & WIRE_OPT_MSS) {
        p = put2(p, MSS, 4);
        put_be16(p, o->mss);
        p += 2;
    }
    /* Where both are sent, sackOK stands in the two bytes that align the timestamps; else NOPs do. */
    if (permitted || timestamps) {
        if (!(permitted && timestamps))
            p = put2(p, NOP, NOP);
        if (permitted)
            p = put2(p, SACK_PERMITTED, 2);
        if (timestamps)
            p = put_timestamps(p, o);
    }
    if (o->have & WIRE_OPT_WSCALE) {
        p = put2(p, NOP, WSCALE);
        p = put2(p, 3, o->wscale);
    }
    if (o->have & WIRE_OPT_USER_TIMEOUT) {
        p = put2(p, USER_TIMEOUT, 4);
        put_be16(p, o->user_timeout);
        p += 2;
    }
    if (o->have & WIRE_OPT_SACK)
        p = put_sack(p, OPTIONS_BYTES_MAX - (unsigned)(p - bytes), o);
    return (unsigned)(p - bytes);
}
