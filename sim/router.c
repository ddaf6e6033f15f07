/* SPDX-License-Identifier: MIT
 *
 * router.c: see router.h.
 */
#include "sim/router.h"
#include "sim/header.h"
#include <string.h>

#define QUOTE_MAX 548                     /* of the packet that an error quotes: the whole error has 576 bytes (RFC 1812 4.3.2.3) */

void router_init(struct router *r, unsigned number)
{
    memset(r, 0, sizeof *r);
    r->number = number;
    memset(r->way, ROUTER_NO_WAY, sizeof r->way);
}

struct pl_addr router_host_address(unsigned number, bool v6)
{
    struct pl_addr a = {.b = {0}};
    if (v6) {
        a.b[0] = 0xfd;
    } else {
        a.b[10] = a.b[11] = 0xff;
        a.b[12] = 10;
    }
    a.b[15] = (uint8_t)number;
    return a;
}

static void put16(uint8_t *p, unsigned v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static uint32_t add_up(const uint8_t *p, size_t n, uint32_t sum)
{
    for (size_t i = 0; i < n; i++)
        sum += i & 1 ? p[i] : (uint32_t)p[i] << 8;
    return sum;
}

static unsigned fold(uint32_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

/* The number of the host that the packet is for, or comes from; 0: none of ours. */
static unsigned host_number(const struct packet *p, bool source)
{
    static const uint8_t net4[3] = {10, 0, 0}, net6[15] = {0xfd};
    const uint8_t *b = p->bytes;
    if (b[0] >> 4 == 4) return memcmp(b + (source ? 12 : 16), net4, 3) ? 0 : b[source ? 15 : 19];
    return memcmp(b + (source ? 8 : 24), net6, 15) ? 0 : b[source ? 23 : 39];
}

static void send_to(struct sim_node *n, struct packet *p, unsigned host)
{
    struct router *r = n->machine;
    int iface = host ? r->way[host] : ROUTER_NO_WAY;
    if (iface == ROUTER_NO_WAY) {
        r->no_way++;
        packet_free(p);
        return;
    }
    r->forwarded++;
    sim_link_send(n->link[iface], n->link_side[iface], p, n->sim->now);
}

/* RFC 792, RFC 1191 4: destination unreachable, fragmentation needed. */
static size_t error4(const struct router *r, const struct packet *p, uint32_t mtu, uint8_t *e)
{
    size_t quoted = p->len < QUOTE_MAX ? p->len : QUOTE_MAX;
    e[0] = 0x45;
    put16(e + 2, (unsigned)(28 + quoted));
    e[8] = 64;
    e[9] = 1;
    e[12] = 10;
    e[14] = 1;
    e[15] = (uint8_t)r->number;
    memcpy(e + 16, p->bytes + 12, 4);
    put16(e + 10, fold(add_up(e, 20, 0)));
    e[20] = 3;
    e[21] = 4;
    put16(e + 26, mtu);
    memcpy(e + 28, p->bytes, quoted);
    put16(e + 22, fold(add_up(e + 20, 8 + quoted, 0)));
    return 28 + quoted;
}

/* RFC 4443 3.2: packet too big. */
static size_t error6(const struct router *r, const struct packet *p, uint32_t mtu, uint8_t *e)
{
    size_t quoted = p->len < QUOTE_MAX ? p->len : QUOTE_MAX;
    e[0] = 0x60;
    put16(e + 4, (unsigned)(8 + quoted));
    e[6] = 58;
    e[7] = 64;
    e[8] = 0xfd;
    e[21] = 1;
    e[23] = (uint8_t)r->number;
    memcpy(e + 24, p->bytes + 8, 16);
    e[40] = 2;
    put16(e + 44, mtu >> 16);
    put16(e + 46, mtu & 0xffff);
    memcpy(e + 48, p->bytes, quoted);
    put16(e + 42, fold(add_up(e + 8, 40 + quoted, (uint32_t)(8 + quoted) + 58)));
    return 48 + quoted;
}

static void refuse(struct sim_node *n, struct packet *p, uint32_t mtu)
{
    struct router *r = n->machine;
    uint8_t e[48 + QUOTE_MAX] = {0};
    bool v6 = p->bytes[0] >> 4 == 6;
    r->too_large++;
    if ((v6 || p->bytes[6] & 0x40) && !header_is_icmp(p, false)) {
        size_t len = v6 ? error6(r, p, mtu, e) : error4(r, p, mtu, e);
        send_to(n, packet_from_bytes(e, len), host_number(p, true));
    }
    packet_free(p);
}

/* Takes one off the hop limit. False: it ends here. */
static bool hop(struct packet *p)
{
    uint8_t *b = p->bytes, *limit = b[0] >> 4 == 4 ? b + 8 : b + 7;
    if (*limit <= 1) return false;
    uint16_t before = (uint16_t)(limit[0] << 8 | b[9]), sum = (uint16_t)(b[10] << 8 | b[11]);
    --*limit;
    if (b[0] >> 4 == 4) put16(b + 10, header_sum_fix(sum, before, (uint16_t)(limit[0] << 8 | b[9])));
    return true;
}

static void forward(struct sim_node *n, struct packet *p)
{
    struct router *r = n->machine;
    if (header_ecn(p, false) < 0) {
        r->no_way++;
        packet_free(p);
        return;
    }
    unsigned host = host_number(p, false);
    int iface = host ? r->way[host] : ROUTER_NO_WAY;
    uint32_t mtu = iface == ROUTER_NO_WAY ? 0 : n->link[iface]->dir[n->link_side[iface]].params.mtu;
    if (mtu && p->len > mtu) {
        refuse(n, p, mtu);
    } else if (!hop(p)) {
        r->hops_ended++;
        packet_free(p);
    } else {
        send_to(n, p, host);
    }
}

static int router_rx(struct sim_node *n, int iface, const struct pl_frame *f, size_t count, pl_time now)
{
    (void)iface;
    (void)now;
    for (size_t i = 0; i < count; i++) {
        struct packet *p = packet_from_frame(&f[i]);
        p->id = f[i].cookie;              /* observers know it again */
        forward(n, p);
    }
    return 0;
}

static int router_tx(struct sim_node *n, int iface, struct pl_frame *f, size_t count, pl_time now)
{
    (void)n, (void)iface, (void)f, (void)count, (void)now;
    return 0;
}

static void router_poll(struct sim_node *n, pl_time now)
{
    (void)n, (void)now;
}

static pl_time router_deadline(const struct sim_node *n)
{
    (void)n;
    return PL_NEVER;
}

static bool router_event_next(struct sim_node *n, struct pl_event *e)
{
    (void)n, (void)e;
    return false;
}

const struct sim_node_ops router_ops = {router_rx, router_tx, router_poll, router_deadline, router_event_next};
