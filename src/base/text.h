/* SPDX-License-Identifier: MIT
 *
 * text.h: writing text without stdio. Never overruns: what does not fit is cut, and the result is always terminated (cap >= 1).
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <parley/types.h>

struct text {
    char *at;
    size_t cap, len;                      /* len counts what was written, without the terminator */
};
static inline struct text text_of(char *buffer, size_t cap)
{
    if (cap)
        buffer[0] = 0;
    return (struct text){buffer, cap, 0};
}
void text_put(struct text *, const char *s);
void text_char(struct text *, char c);
void text_u64(struct text *, uint64_t v);
void text_i64(struct text *, int64_t v);
void text_hex(struct text *, uint64_t v, unsigned digits);
void text_addr(struct text *, const struct pl_addr *);              /* 192.0.2.1 or RFC 5952 text, %zone when not 0 */
void text_endpoint(struct text *, const struct pl_endpoint *);      /* 192.0.2.1:80, [2001:db8::1]:80 */
void text_duration(struct text *, pl_time);                         /* 200 ms, 1.5 s, 40 us, 7 ns, never */
/* Parses an address in the forms that text_addr writes (and any valid RFC 4291 form; zone only as a number). */
bool text_parse_addr(const char *s, size_t n, struct pl_addr *out);

#endif
