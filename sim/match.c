/* SPDX-License-Identifier: MIT
 *
 * match.c: the predicates of impair.h: what a rule may look for in a frame. Reads no further than the frame goes; what it cannot read
 * does not match.
 */
#include "sim/impair.h"

static unsigned get16(const uint8_t *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

/* The TCP segment inside the frame; NULL if there is none. *len: from the TCP header on, as the IP header has it. */
static const uint8_t *find_tcp(const struct packet *p, bool ethernet, size_t *len)
{
    const uint8_t *b = p->bytes;
    size_t n = p->len;
    if (ethernet) {
        if (n < 14) return NULL;
        b += 14, n -= 14;
    }
    if (n < 20) return NULL;
    size_t header, total;
    if (b[0] >> 4 == 4) {
        header = (size_t)(b[0] & 15) * 4;
        total = get16(b + 2);
        if (b[9] != 6 || header < 20 || total < header) return NULL;
    } else {
        header = 40;
        if (b[0] >> 4 != 6 || n < 40 || b[6] != 6) return NULL;
        total = 40 + get16(b + 4);
    }
    if (total > n || total - header < 20) return NULL;
    *len = total - header;
    return b + header;
}

bool match_tcp(void *user, const struct packet *p)
{
    const struct match_tcp *m = user;
    size_t len;
    const uint8_t *t = find_tcp(p, m->ethernet, &len);
    if (!t) return false;
    size_t header = (size_t)(t[12] >> 4) * 4;
    if (header < 20 || header > len) return false;
    uint32_t seq = (uint32_t)get16(t + 4) << 16 | get16(t + 6);
    if ((t[13] & m->flags_mask) != m->flags) return false;
    if (m->port && get16(t) != m->port && get16(t + 2) != m->port) return false;
    if (m->seq_given && seq != m->seq) return false;
    return len - header >= m->len_min;
}
