/* SPDX-License-Identifier: MIT
 *
 * words.c: the version, and addresses as text. The names of errors, drops, reasons and states are in base/words.c.
 */
#include "base/text.h"
#include <parley/parley.h>

const char *pl_version(void) { return "0.1.0"; }

static size_t length(const char *s)
{
    const volatile char *p = s;           /* volatile: or the compiler makes this a call of strlen */
    size_t n = 0;
    while (p[n])
        n++;
    return n;
}

int pl_addr_parse(const char *s, struct pl_addr *out) { return s && text_parse_addr(s, length(s), out) ? PL_OK : PL_EINVAL; }

const char *pl_addr_text(const struct pl_addr *a, char *buf, size_t size)
{
    struct text t = text_of(buf, size);
    text_addr(&t, a);
    return buf;
}

const char *pl_endpoint_text(const struct pl_endpoint *e, char *buf, size_t size)
{
    struct text t = text_of(buf, size);
    text_endpoint(&t, e);
    return buf;
}
