/* SPDX-License-Identifier: MIT
 *
 * resolve.c: from the name of a host to its addresses. See host.h.
 */
#include "cli/host.h"
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>

static bool is_four(const struct pl_addr *a)
{
    return !memcmp(a->b, (const uint8_t[12]){[10] = 0xff, [11] = 0xff}, 12);
}

static bool have_family(const struct cli_host *h, bool want_four)
{
    for (int i = 0; i < h->ours.n; i++)
        if (is_four(&h->ours.of[i].addr) == want_four) return true;
    return false;
}

int cli_resolve(const struct cli_host *h, const char *name, struct pl_addr *to, int max, const char **why)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list, *a;
    int n = 0;
    *why = "no address of a family that this link has";
    if (!strcmp(name, "localhost") && h->kernels.n) {
        for (; n < h->kernels.n && n < max; n++)
            to[n] = h->kernels.of[n].addr;
        return n;
    }
    if (pl_addr_parse(name, to) == 0) return 1;
    int error = getaddrinfo(name, NULL, &hints, &list);
    if (error) {
        *why = gai_strerror(error);
        return 0;
    }
    for (a = list; a && n < max; a = a->ai_next) {
        struct pl_addr addr = {.b = {[10] = 0xff, [11] = 0xff}};
        if (a->ai_family == AF_INET) memcpy(addr.b + 12, &((struct sockaddr_in *)(void *)a->ai_addr)->sin_addr, 4);
        else if (a->ai_family == AF_INET6) memcpy(addr.b, &((struct sockaddr_in6 *)(void *)a->ai_addr)->sin6_addr, 16);
        else continue;
        if (have_family(h, is_four(&addr))) to[n++] = addr;
    }
    freeaddrinfo(list);
    return n;
}
