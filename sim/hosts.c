/* SPDX-License-Identifier: MIT
 *
 * hosts.c: hosts with a real stack, and two of them on a link with addresses.
 */
#include "sim/world.h"
#include <string.h>

struct sim_node *sim_add_host(struct sim *s, const char *name, const struct pl_config *config)
{
    struct sim_node *n = sim_add_node(s, name, &sim_stack_ops, NULL);
    if (!n) return NULL;
    int rc = sim_node_stack(n, config);
    if (!rc) return n;
    const char *problem = pl_config_problem(&n->config);
    sim_fail(s, "no stack for %s: %s%s%s", name, pl_error_name(rc), problem ? ": " : "", problem ? problem : "");
    s->nodes--;
    sim_node_free(n);
    return NULL;
}

static bool is_set(const struct pl_addr *a)
{
    static const uint8_t zero[16];
    return memcmp(a->b, zero, sizeof zero) != 0;
}

/* A new interface with its addresses. Returns its number or PL_E*. */
static int add_iface(struct sim_node *n, const struct sim_hosts_params *p, unsigned side)
{
    struct pl_iface_params ip = {.mtu = p->link.mtu ? p->link.mtu : 1500, .gso_bytes = p->gso_bytes, .csum_offload = p->csum_offload};
    ip.link = p->link.ethernet ? PL_LINK_ETHERNET : PL_LINK_IP;
    if (p->link.ethernet) {
        ip.mac[0] = 2;
        ip.mac[5] = (uint8_t)(n->number + 1);
    }
    int iface = pl_iface_add(n->stack, &ip);
    int rc = 0;
    if (iface >= 0 && is_set(&p->v4[side])) rc = pl_addr_add(n->stack, iface, &p->v4[side], 24);
    if (iface >= 0 && !rc && is_set(&p->v6[side])) rc = pl_addr_add(n->stack, iface, &p->v6[side], 64);
    return rc ? rc : iface;
}

struct sim_link *sim_connect_hosts(struct sim *s, struct sim_node *a, struct sim_node *b, const struct sim_hosts_params *p)
{
    int ia = add_iface(a, p, 0), ib = add_iface(b, p, 1);
    if (ia < 0 || ib < 0) {
        sim_fail(s, "an interface for %s: %s", ia < 0 ? a->name : b->name, pl_error_name(ia < 0 ? ia : ib));
        return NULL;
    }
    return sim_add_link(s, &p->link, a, ia, b, ib);
}
