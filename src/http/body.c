/* SPDX-License-Identifier: MIT
 *
 * body.c: bodies by length and until the connection ends; chunks are in chunked.c. RFC 9112 section 6.3.
 */
#include "http/body.h"

#include <string.h>

void http_body_reset(struct http_body *b, int framing, uint64_t length, uint64_t bytes_max)
{
    memset(b, 0, sizeof *b);
    b->framing = (uint8_t)framing;
    b->bytes_max = bytes_max;
    b->left = framing == PL_HTTP_BODY_LENGTH ? length : 0;
}

static int take(struct http_body *b, size_t n, size_t *used, size_t *data)
{
    *used = n;
    *data = n;
    b->total += n;
    return n > 0 ? HTTP_BODY_DATA : HTTP_BODY_MORE;
}

int http_body_feed(struct http_body *b, const char *in, size_t n, size_t *used, size_t *data)
{
    *used = 0;
    *data = 0;
    switch (b->framing) {
    case PL_HTTP_BODY_LENGTH:
        if (b->left == 0)
            return HTTP_BODY_END;
        if (n > b->left)
            n = (size_t)b->left;
        b->left -= n;
        return take(b, n, used, data);
    case PL_HTTP_BODY_CHUNKED:
        return http_chunked_feed(b, in, n, used, data);
    case PL_HTTP_BODY_UNTIL_CLOSE:
        return take(b, n, used, data);
    default:
        return HTTP_BODY_END;
    }
}
