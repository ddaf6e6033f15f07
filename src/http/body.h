/* SPDX-License-Identifier: MIT
 *
 * body.h: where the body of a message ends: by length, by chunks, or with the connection. RFC 9112 sections 6 and 7.1.
 *
 * The decoder never copies: it points at the runs of body bytes within the bytes that it is given.
 */
#ifndef PARLEY_HTTP_BODY_H
#define PARLEY_HTTP_BODY_H

#include <parley/http.h>

enum { HTTP_BODY_MORE = 0, HTTP_BODY_DATA, HTTP_BODY_END, HTTP_BODY_BAD, HTTP_BODY_TOO_LARGE };

#define HTTP_CHUNK_LINE_MAX    256        /* a chunk-size line with its extensions */
#define HTTP_CHUNK_EXT_MAX     16384      /* all extensions of one body together, RFC 9112 section 7.1.1 */
#define HTTP_TRAILER_BYTES_MAX 8192       /* a trailer section; read and dropped, RFC 9112 section 7.1.2 */

struct http_body {
    uint64_t left;                        /* LENGTH: bytes to come; CHUNKED: of this chunk */
    uint64_t total;                       /* body bytes delivered */
    uint64_t bytes_max;                   /* CHUNKED: a chunk that leads beyond is refused before its first byte */
    uint32_t line_bytes;                  /* of the chunk-size line or the trailer section being read */
    uint32_t ext_bytes;                   /* of chunk extensions seen so far */
    uint8_t framing;                      /* enum pl_http_framing */
    uint8_t phase;                        /* enum chunk_phase, chunked.c */
    uint8_t quoted;                       /* in a quoted string of an extension: 0, 1, or 2 after a backslash */
    uint8_t pad_[5];
};

void http_body_reset(struct http_body *, int framing, uint64_t length, uint64_t bytes_max);

/* Consumes bytes up to the next run of body bytes or the end. *used bytes are consumed, the last *data of them are body bytes
 * (HTTP_BODY_DATA). HTTP_BODY_END may come with n == 0 and comes once for each reset; HTTP_BODY_BAD: the framing is
 * broken; HTTP_BODY_TOO_LARGE: more than bytes_max. */
int http_body_feed(struct http_body *, const char *in, size_t n, size_t *used, size_t *data);

/* chunked.c */
int http_chunked_feed(struct http_body *, const char *in, size_t n, size_t *used, size_t *data);
#define HTTP_CHUNK_HEAD_BYTES 18          /* 16 digits and CRLF */
/* Writes the line that opens a chunk of n > 0 bytes; returns its length. Behind the bytes belongs a CRLF. */
size_t http_chunk_open(char out[HTTP_CHUNK_HEAD_BYTES], uint64_t n);

#endif
