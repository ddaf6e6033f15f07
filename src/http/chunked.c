/* SPDX-License-Identifier: MIT
 *
 * chunked.c: the chunked transfer coding, both ways. RFC 9112 section 7.1.
 *
 *     SIZE --digits--> EXT --CRLF--> DATA --left bytes--> DATA_CR -> DATA_LF -> SIZE
 *                        \--CRLF of the chunk of size 0--> TRAILER (line after line) --empty line--> DONE
 *
 * Chunk lines are where request smuggling likes to hide (extensions with a lone LF, sizes that wrap around, "0x" or a sign before the
 * size), so each line end is exactly CRLF, a size is made of hex digits and fits into 63 bits, and an extension must begin
 * with ';' and holds no control character but HTAB.
 */
#include "http/body.h"
#include "http/chars.h"

enum chunk_phase {
    SIZE = 0,
    BLANK,
    EXT,
    SIZE_LF,
    DATA,
    DATA_CR,
    DATA_LF,
    TRAILER_START,
    TRAILER_NAME,
    TRAILER_VALUE,
    TRAILER_LF,
    LAST_LF,
    DONE
};

static int chunk_size(struct http_body *b, char c)
{
    int digit = http_hex(c);
    b->line_bytes++;
    if (digit < 0) {
        if (b->line_bytes == 1)
            return HTTP_BODY_BAD;         /* no digit at all: "", "-1", "+1", ";x" */
        if (c != '\r' && c != ';' && !http_is_blank(c))
            return HTTP_BODY_BAD;
        b->phase = c == '\r' ? SIZE_LF : c == ';' ? EXT : BLANK;
        return HTTP_BODY_MORE;
    }
    /* RFC 9112 7.1: prevent errors by integer overflow. Leading zeros are harmless, but bounded by the length of the line. */
    if (b->left > (UINT64_MAX >> 5) || b->line_bytes > HTTP_CHUNK_LINE_MAX)
        return HTTP_BODY_BAD;
    b->left = b->left * 16 + (unsigned)digit;
    return HTTP_BODY_MORE;
}

/* Extensions are skipped (7.1.1: unrecognised ones MUST be ignored), with limits. */
static int chunk_ext(struct http_body *b, char c)
{
    if (++b->line_bytes > HTTP_CHUNK_LINE_MAX || ++b->ext_bytes > HTTP_CHUNK_EXT_MAX)
        return HTTP_BODY_BAD;
    if (c == '\r' && !b->quoted && b->phase == EXT) {
        b->phase = SIZE_LF;
        return HTTP_BODY_MORE;
    }
    if ((http_is_ctl(c) && c != '\t') || (b->phase == BLANK && c != ';' && !http_is_blank(c)))
        return HTTP_BODY_BAD;
    if (c == ';')
        b->phase = EXT;
    if (b->quoted == 2)
        b->quoted = 1;
    else if (b->quoted && c == '\\')
        b->quoted = 2;
    else if (c == '"')
        b->quoted = !b->quoted;
    return HTTP_BODY_MORE;
}

static int trailer(struct http_body *b, char c)
{
    if (++b->line_bytes > HTTP_TRAILER_BYTES_MAX)
        return HTTP_BODY_BAD;
    if (b->phase == TRAILER_START && c == '\r') {
        b->phase = LAST_LF;
        return HTTP_BODY_MORE;
    }
    if (b->phase == TRAILER_VALUE) {
        if (c == '\r')
            b->phase = TRAILER_LF;
        else if (http_is_ctl(c) && c != '\t')
            return HTTP_BODY_BAD;
        return HTTP_BODY_MORE;
    }
    /* RFC 9112 5.1: name ":" without blanks between; a folded line begins with a blank and is refused here, too. */
    if (c == ':' && b->phase == TRAILER_NAME)
        b->phase = TRAILER_VALUE;
    else if (http_is_tchar(c))
        b->phase = TRAILER_NAME;
    else
        return HTTP_BODY_BAD;
    return HTTP_BODY_MORE;
}

/* A byte outside of chunk data. */
static int chunk_byte(struct http_body *b, char c)
{
    switch (b->phase) {
    case SIZE:
        return chunk_size(b, c);
    case BLANK:
    case EXT:
        return chunk_ext(b, c);
    case SIZE_LF:
        b->phase = b->left > 0 ? DATA : TRAILER_START;
        b->line_bytes = 0;
        if (c == '\n' && b->left > b->bytes_max - b->total)
            return HTTP_BODY_TOO_LARGE;
        return c == '\n' ? HTTP_BODY_MORE : HTTP_BODY_BAD;
    case DATA_CR:
        b->phase = DATA_LF;
        return c == '\r' ? HTTP_BODY_MORE : HTTP_BODY_BAD;
    case DATA_LF:
        b->phase = SIZE;
        return c == '\n' ? HTTP_BODY_MORE : HTTP_BODY_BAD;
    case TRAILER_LF:
        b->phase = TRAILER_START;
        b->line_bytes++;
        return c == '\n' ? HTTP_BODY_MORE : HTTP_BODY_BAD;
    case LAST_LF:
        b->phase = DONE;
        return c == '\n' ? HTTP_BODY_END : HTTP_BODY_BAD;
    default:
        return trailer(b, c);
    }
}

int http_chunked_feed(struct http_body *b, const char *in, size_t n, size_t *used, size_t *data)
{
    int r = HTTP_BODY_MORE;
    size_t i = 0;
    if (b->phase == DONE)
        return HTTP_BODY_END;
    while (i < n && r == HTTP_BODY_MORE) {
        if (b->phase == DATA) {
            size_t run = n - i < b->left ? n - i : (size_t)b->left;
            b->left -= run;
            b->total += run;
            if (b->left == 0)
                b->phase = DATA_CR;
            i += run;
            *data = run;
            r = HTTP_BODY_DATA;
        } else {
            r = chunk_byte(b, in[i++]);
        }
    }
    *used = i;
    return r;
}

size_t http_chunk_open(char out[HTTP_CHUNK_HEAD_BYTES], uint64_t n)
{
    size_t at = 0;
    int shift = 60;
    while (shift > 0 && (n >> shift) == 0)
        shift -= 4;
    for (; shift >= 0; shift -= 4)
        out[at++] = "0123456789abcdef"[(n >> shift) & 15];
    out[at++] = '\r';
    out[at++] = '\n';
    return at;
}
