/* SPDX-License-Identifier: MIT */
#include "drill/node.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct node_sent {
    struct node_sent *next;
    pl_time at;
    size_t n;
    uint8_t packet[];
};

#define MAPPED {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}      /* an IPv4 address inside: its first 12 bytes */

bool node_address(const char *text, struct pl_addr *to)
{
    *to = (struct pl_addr){.b = MAPPED};
    return strchr(text, ':') ? inet_pton(AF_INET6, text, to->b) == 1 : inet_pton(AF_INET, text, to->b + 12) == 1;
}

bool node_add_address(struct node *n, const struct pl_addr *a)
{
    static const uint8_t mapped[12] = MAPPED;
    int e = pl_addr_add(n->stack, n->iface, a, memcmp(a->b, mapped, 12) == 0 ? 32 : 128);
    return e == PL_OK || e == PL_EADDRINUSE;
}

static bool connect_net(struct node *n, uint32_t mtu)
{
    struct pl_iface_params params = {.mtu = mtu, .link = PL_LINK_IP};
    n->iface = pl_iface_add(n->stack, &params);
    struct pl_route v4 = {.destination = {.b = MAPPED}, .iface = n->iface}, v6 = {.iface = n->iface};
    return n->iface >= 0 && pl_route_add(n->stack, &v4) == PL_OK && pl_route_add(n->stack, &v6) == PL_OK;
}

int node_open(struct node *n, const struct node_params *p, char *error, size_t size)
{
    const struct pl_config *config = &p->config->stack;
    struct sock_params sockets = {.config = config, .env = &n->env, .now = n->now, .first_fd = p->first_fd, .files_max = p->files_max, .seed = 1,
                                  .isn_fixed = p->config->isn_fixed, .isn = p->config->isn};
    n->block_bytes = pl_stack_size(config);
    if (!n->block_bytes) {
        snprintf(error, size, "these settings make no stack: %s", pl_config_problem(config));
        return -EINVAL;
    }
    void *block = mmap(NULL, n->block_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);    /* zero, and touched where it is used */
    n->block = block == MAP_FAILED ? NULL : block;
    if (n->block && pl_stack_init(n->block, n->block_bytes, config, &n->env, n->now, &n->stack) == PL_OK) {
        sockets.stack = n->stack;
        n->world = sock_world_new(&sockets);
    }
    if (n->world && connect_net(n, p->mtu))
        return 0;
    snprintf(error, size, "a stack of %zu bytes behind an interface with mtu %u cannot be made", n->block_bytes, p->mtu);
    node_close(n);
    return -ENOMEM;
}

void node_close(struct node *n)
{
    if (n->world)
        sock_world_free(n->world);
    if (n->block)
        munmap(n->block, n->block_bytes);
    for (struct node_sent *s = n->first, *next; s; s = next) {
        next = s->next;
        free(s);
    }
    n->world = NULL, n->block = NULL, n->stack = NULL, n->first = n->last = NULL;
}

static void keep(struct node *n, const struct pl_frame *f)
{
    size_t bytes = 0;
    for (unsigned k = 0; k < f->nspans; k++)
        bytes += f->span[k].len;
    struct node_sent *s = malloc(sizeof *s + bytes);
    if (!s)
        return;                           /* whoever waits for it misses it, and says so */
    *s = (struct node_sent){.at = n->now, .n = bytes};
    uint8_t *to = s->packet;
    for (unsigned k = 0; k < f->nspans; to += f->span[k].len, k++)
        memcpy(to, f->span[k].base, f->span[k].len);
    if (n->last)
        n->last->next = s;
    else
        n->first = s;
    n->last = s;
}

void node_settle(struct node *n)
{
    uint8_t header[PL_HEADER_BYTES_MAX];
    for (bool more = true; more;) {
        more = false;
        sock_turn(n->world, n->now);
        for (;;) {
            struct pl_frame f = {.nspans = 1};
            f.span[0] = (struct pl_span){header, sizeof header};
            if (pl_tx(n->stack, n->iface, &f, 1, n->now) <= 0)
                break;
            keep(n, &f);
            more = true;
        }
    }
}

void node_arrives(struct node *n, const void *packet, size_t bytes)
{
    struct pl_frame f = {.nspans = 1};
    f.span[0] = (struct pl_span){(void *)(uintptr_t)packet, (uint32_t)bytes};
    pl_rx(n->stack, n->iface, &f, 1, n->now);
}

bool node_take(struct node *n, void *to, size_t room, size_t *bytes, pl_time *sent)
{
    struct node_sent *s = n->first;
    *bytes = s ? s->n : 0;
    if (!s)
        return false;
    bool fits = s->n <= room;
    if (fits)
        memcpy(to, s->packet, s->n);
    *sent = s->at;
    n->first = s->next;
    if (!n->first)
        n->last = NULL;
    free(s);
    return fits;
}
