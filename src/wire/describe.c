/* SPDX-License-Identifier: MIT
 *
 * describe.c: one line of text for a frame. Uses the same codecs as the stack, so a trace shows what the stack saw.
 */
#include "wire/describe.h"
#include <string.h>
#include "base/bytes.h"
#include "wire/arp_hdr.h"
#include "wire/eth_hdr.h"
#include "wire/icmp6_hdr.h"
#include "wire/ip4_hdr.h"
#include "wire/ip6_hdr.h"
#include "wire/tcp_hdr.h"
#include "wire/tcp_opts.h"
#include "wire/udp_hdr.h"

/* What an IP header carries: the bytes at hand and how many there should be. */
struct payload {
    const uint8_t *at;
    size_t n, claimed;
    uint8_t protocol;
};

static void put_number(struct text *t, const char *name, uint64_t v)
{
    text_put(t, name);
    text_u64(t, v);
}

static void put_ip(struct text *t, const uint8_t a[16])
{
    struct pl_addr addr = {.zone = 0};
    memcpy(addr.b, a, 16);
    text_addr(t, &addr);
}

static void put_hw(struct text *t, const uint8_t hw[6])
{
    for (unsigned i = 0; i < 6; i++) {
        if (i)
            text_char(t, ':');
        text_hex(t, hw[i], 2);
    }
}

static void put_two(struct text *t, const uint8_t src[16], const uint8_t dst[16])
{
    put_ip(t, src);
    text_put(t, " > ");
    put_ip(t, dst);
    text_char(t, ' ');
}

static void put_ports(struct text *t, const char *protocol, uint16_t src, uint16_t dst)
{
    text_put(t, protocol);
    text_u64(t, src);
    text_put(t, " > ");
    text_u64(t, dst);
}

static void put_short(struct text *t, const char *what, size_t n)
{
    text_put(t, what);
    text_put(t, " header cut short (");
    text_u64(t, n);
    text_put(t, n == 1 ? " byte)" : " bytes)");
}

/* What is left of `claimed` bytes behind a header. */
static void put_len(struct text *t, size_t claimed, size_t hdr_bytes)
{
    if (claimed >= hdr_bytes)
        put_number(t, " len=", claimed - hdr_bytes);
    else
        text_put(t, " len=?");            /* the IP length is smaller than the header */
}

void wire_describe_flags(struct text *t, uint8_t flags)
{
    static const struct {
        uint8_t bit;
        char name[4];
    } names[] = {{PL_SYN, "SYN"}, {PL_FIN, "FIN"}, {PL_RST, "RST"}, {PL_PSH, "PSH"},
                 {PL_ACK, "ACK"}, {PL_URG, "URG"}, {PL_ECE, "ECE"}, {PL_CWR, "CWR"}};
    bool some = false;
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (!(flags & names[i].bit))
            continue;
        if (some)
            text_char(t, ',');
        text_put(t, names[i].name);
        some = true;
    }
    if (!some)
        text_char(t, '.');
}

static void put_tcp_options(struct text *t, const uint8_t *bytes, size_t n)
{
    struct wire_tcp_opts o;
    wire_tcp_opts_read(bytes, n, &o);
    if (o.have & WIRE_OPT_MSS)
        put_number(t, " mss=", o.mss);
    if (o.have & WIRE_OPT_WSCALE)
        put_number(t, " wscale=", o.wscale);
    if (o.have & WIRE_OPT_SACK_PERMITTED)
        text_put(t, " sackOK");
    if (o.have & WIRE_OPT_TIMESTAMPS) {
        put_number(t, " ts=", o.ts_val);
        put_number(t, "/", o.ts_ecr);
    }
    if (o.have & WIRE_OPT_USER_TIMEOUT) {
        put_number(t, " uto=", o.user_timeout & 0x7fff);
        text_char(t, o.user_timeout & 0x8000 ? 'm' : 's');
    }
    for (unsigned i = 0; i < o.nsack; i++) {
        put_number(t, i ? "," : " sack=", o.sack[i].lo);
        put_number(t, "-", o.sack[i].hi);
    }
    if (o.malformed)
        text_put(t, " (malformed options)");
}

static void put_tcp(struct text *t, const struct payload *p)
{
    struct wire_tcp h;
    if (!wire_tcp_read(p->at, p->n, &h)) {
        if (p->n >= WIRE_TCP_BYTES)
            put_number(t, "TCP header with data offset ", h.hdr_bytes / 4);
        else
            put_short(t, "TCP", p->n);
        return;
    }
    put_ports(t, "TCP ", h.src_port, h.dst_port);
    text_char(t, ' ');
    wire_describe_flags(t, h.flags);
    put_number(t, " seq=", h.seq);
    put_number(t, " ack=", h.ack);
    put_len(t, p->claimed, h.hdr_bytes);
    put_number(t, " win=", h.wnd);
    if (h.flags & PL_URG)
        put_number(t, " urg=", h.up);
    put_tcp_options(t, p->at + WIRE_TCP_BYTES, h.hdr_bytes - WIRE_TCP_BYTES);
}

static void put_udp(struct text *t, const struct payload *p)
{
    struct wire_udp h;
    if (!wire_udp_read(p->at, p->n, &h)) {
        put_short(t, "UDP", p->n);
        return;
    }
    put_ports(t, "UDP ", h.src_port, h.dst_port);
    put_len(t, h.bytes, WIRE_UDP_BYTES);
}

/* Text inside, not pointed to: tables with pointers would need relocation, and the core has no data that is ever written. */
struct name {
    uint8_t type, code;
    char text[30];
};
enum { ANY = 255 };

static const struct name icmp4_names[] = {
    {WIRE_ICMP4_ECHO, ANY, "echo request"},
    {WIRE_ICMP4_ECHO_REPLY, ANY, "echo reply"},
    {WIRE_ICMP4_UNREACHABLE, WIRE_ICMP4_NET, "network unreachable"},
    {WIRE_ICMP4_UNREACHABLE, WIRE_ICMP4_HOST, "host unreachable"},
    {WIRE_ICMP4_UNREACHABLE, WIRE_ICMP4_PROTOCOL, "protocol unreachable"},
    {WIRE_ICMP4_UNREACHABLE, WIRE_ICMP4_PORT, "port unreachable"},
    {WIRE_ICMP4_UNREACHABLE, WIRE_ICMP4_FRAG_NEEDED, "fragmentation needed"},
    {WIRE_ICMP4_UNREACHABLE, ANY, "destination unreachable"},
    {WIRE_ICMP4_SOURCE_QUENCH, ANY, "source quench"},
    {WIRE_ICMP4_REDIRECT, ANY, "redirect"},
    {WIRE_ICMP4_TIME_EXCEEDED, ANY, "time exceeded"},
    {WIRE_ICMP4_PARAMETER, ANY, "parameter problem"},
    {ANY, ANY, ""},
};
static const struct name icmp6_names[] = {
    {WIRE_ICMP6_ECHO, ANY, "echo request"},
    {WIRE_ICMP6_ECHO_REPLY, ANY, "echo reply"},
    {WIRE_ICMP6_UNREACHABLE, WIRE_ICMP6_NO_ROUTE, "no route"},
    {WIRE_ICMP6_UNREACHABLE, WIRE_ICMP6_ADDRESS, "address unreachable"},
    {WIRE_ICMP6_UNREACHABLE, WIRE_ICMP6_PORT, "port unreachable"},
    {WIRE_ICMP6_UNREACHABLE, ANY, "destination unreachable"},
    {WIRE_ICMP6_TOO_BIG, ANY, "packet too big"},
    {WIRE_ICMP6_TIME_EXCEEDED, ANY, "time exceeded"},
    {WIRE_ICMP6_PARAMETER, ANY, "parameter problem"},
    {WIRE_ICMP6_MLD_QUERY, ANY, "multicast listener query"},
    {WIRE_ICMP6_MLD_REPORT, ANY, "multicast listener report"},
    {WIRE_ICMP6_MLD2_REPORT, ANY, "multicast listener report"},
    {WIRE_ICMP6_MLD_DONE, ANY, "multicast listener done"},
    {WIRE_ICMP6_ROUTER_SOLICIT, ANY, "router solicitation"},
    {WIRE_ICMP6_ROUTER_ADVERT, ANY, "router advertisement"},
    {WIRE_ICMP6_NEIGHBOR_SOLICIT, ANY, "neighbour solicitation"},
    {WIRE_ICMP6_NEIGHBOR_ADVERT, ANY, "neighbour advertisement"},
    {WIRE_ICMP6_REDIRECT, ANY, "redirect"},
    {ANY, ANY, ""},
};

static void put_icmp_name(struct text *t, const struct name *names, uint8_t type, uint8_t code)
{
    for (; names->text[0]; names++) {
        if (names->type == type && (names->code == code || names->code == ANY)) {
            text_put(t, names->text);
            return;
        }
    }
    put_number(t, "type ", type);
    put_number(t, " code ", code);
}

/* " of TCP 192.0.2.1:1234 > 192.0.2.2:80 seq=100" */
static void put_quote(struct text *t, const uint8_t *bytes, size_t n)
{
    struct wire_quote q;
    if (!wire_quote_read(bytes, n, &q))
        return;
    bool ports = q.has_ports && (q.protocol == WIRE_PROTO_TCP || q.protocol == WIRE_PROTO_UDP);
    text_put(t, q.protocol == WIRE_PROTO_TCP ? " of TCP " : q.protocol == WIRE_PROTO_UDP ? " of UDP " : " of ");
    struct pl_endpoint end = {.port = q.src_port};
    memcpy(end.addr.b, q.src, 16);
    if (ports)
        text_endpoint(t, &end);
    else
        text_addr(t, &end.addr);
    text_put(t, " > ");
    memcpy(end.addr.b, q.dst, 16);
    end.port = q.dst_port;
    if (ports)
        text_endpoint(t, &end);
    else
        text_addr(t, &end.addr);
    if (q.has_seq && q.protocol == WIRE_PROTO_TCP)
        put_number(t, " seq=", q.seq);
}

static void put_icmp(struct text *t, const struct payload *p)
{
    bool six = p->protocol == WIRE_PROTO_ICMP6;
    struct wire_icmp h;
    if (!wire_icmp_read(p->at, p->n, &h)) {
        put_short(t, six ? "ICMPv6" : "ICMP", p->n);
        return;
    }
    text_put(t, six ? "ICMPv6 " : "ICMP ");
    put_icmp_name(t, six ? icmp6_names : icmp4_names, h.type, h.code);
    struct wire_nd nd;
    bool echo = six ? h.type == WIRE_ICMP6_ECHO || h.type == WIRE_ICMP6_ECHO_REPLY
                    : h.type == WIRE_ICMP4_ECHO || h.type == WIRE_ICMP4_ECHO_REPLY;
    if (echo) {
        put_number(t, " id=", wire_icmp_id(&h));
        put_number(t, " seq=", wire_icmp_seq(&h));
        put_len(t, p->claimed, WIRE_ICMP_BYTES);
    } else if (six && (h.type == WIRE_ICMP6_NEIGHBOR_SOLICIT || h.type == WIRE_ICMP6_NEIGHBOR_ADVERT)) {
        if (wire_nd_read(p->at, p->n, &nd)) {
            text_char(t, ' ');
            put_ip(t, nd.target);
        }
    } else if (six ? wire_icmp6_is_error(h.type) : wire_icmp4_is_error(h.type)) {
        if (six && h.type == WIRE_ICMP6_TOO_BIG)
            put_number(t, " mtu=", h.word);
        if (!six && h.type == WIRE_ICMP4_UNREACHABLE && h.code == WIRE_ICMP4_FRAG_NEEDED)
            put_number(t, " mtu=", wire_icmp4_mtu(&h));
        put_quote(t, p->at + WIRE_ICMP_BYTES, p->n - WIRE_ICMP_BYTES);
    }
}

static void put_payload(struct text *t, const struct payload *p)
{
    switch (p->protocol) {
    case WIRE_PROTO_TCP: put_tcp(t, p); break;
    case WIRE_PROTO_UDP: put_udp(t, p); break;
    case WIRE_PROTO_ICMP4:
    case WIRE_PROTO_ICMP6: put_icmp(t, p); break;
    default:
        put_number(t, "protocol ", p->protocol);
        put_len(t, p->claimed, 0);
    }
}

static void put_fragment(struct text *t, uint32_t id, uint16_t off, bool mf, const struct payload *p)
{
    put_number(t, "fragment id=", id);
    put_number(t, " off=", off);
    if (mf)
        text_put(t, " more");
    put_number(t, " protocol ", p->protocol);
    put_len(t, p->claimed, 0);
}

static void describe_ip4(struct text *t, const uint8_t *bytes, size_t n)
{
    struct wire_ip4 h;
    if (!wire_ip4_read(bytes, n, &h)) {
        if (n >= WIRE_IP4_BYTES && h.hdr_bytes < WIRE_IP4_BYTES)
            put_number(t, "IPv4 header with length ", h.hdr_bytes);
        else
            put_short(t, "IPv4", n);
        return;
    }
    size_t claimed = h.total_bytes >= h.hdr_bytes ? (size_t)h.total_bytes - h.hdr_bytes : 0;
    struct payload p = {bytes + h.hdr_bytes, n - h.hdr_bytes, claimed, h.protocol};
    if (p.n > claimed)
        p.n = claimed;                    /* what follows is padding of the link */
    text_put(t, "IPv4 ");
    put_two(t, h.src, h.dst);
    if (h.total_bytes < h.hdr_bytes)
        put_number(t, "with total length ", h.total_bytes);
    else if (h.frag_off || h.mf)
        put_fragment(t, h.id, h.frag_off, h.mf, &p);
    else
        put_payload(t, &p);
}

static void describe_ip6(struct text *t, const uint8_t *bytes, size_t n)
{
    static const char problems[][40] = {"",
                                        "extension header cut short",
                                        "too many extension headers",
                                        "option longer than its header",
                                        "hop-by-hop options out of place",
                                        "routing header not understood",
                                        "unknown option (drop)",
                                        "unknown option (report)",
                                        "unknown option (report to unicast)"};
    struct wire_ip6 h;
    struct wire_ip6_chain c;
    if (!wire_ip6_read(bytes, n, &h)) {
        put_short(t, "IPv6", n);
        return;
    }
    size_t whole = (size_t)WIRE_IP6_BYTES + h.payload_bytes;
    if (n > whole)
        n = whole;
    text_put(t, "IPv6 ");
    put_two(t, h.src, h.dst);
    if (!wire_ip6_walk(bytes, n, &c)) {
        text_put(t, problems[c.problem]);
        put_number(t, " at ", c.problem_at);
        return;
    }
    struct payload p = {bytes + c.off, n - c.off, whole - c.off, c.next};
    if (c.has_frag && (c.frag_off || c.mf))
        put_fragment(t, c.frag_id, c.frag_off, c.mf, &p);
    else
        put_payload(t, &p);
}

void wire_describe_ip(struct text *t, const uint8_t *bytes, size_t n)
{
    if (n == 0)
        text_put(t, "nothing (0 bytes)");
    else if (bytes[0] >> 4 == 4)
        describe_ip4(t, bytes, n);
    else if (bytes[0] >> 4 == 6)
        describe_ip6(t, bytes, n);
    else
        put_number(t, "IP version ", bytes[0] >> 4);
}

static void describe_arp(struct text *t, const uint8_t *bytes, size_t n)
{
    struct wire_arp h;
    if (!wire_arp_read(bytes, n, &h)) {
        if (n < WIRE_ARP_BYTES)
            put_short(t, "ARP", n);
        else
            text_put(t, "ARP not of IPv4 over Ethernet");
        return;
    }
    if (h.op == WIRE_ARP_REQUEST) {
        text_put(t, "ARP who-has ");
        put_ip(t, h.target);
        text_put(t, " tell ");
        put_ip(t, h.sender);
        text_put(t, " (");
        put_hw(t, h.sender_hw);
        text_char(t, ')');
    } else if (h.op == WIRE_ARP_REPLY) {
        text_put(t, "ARP ");
        put_ip(t, h.sender);
        text_put(t, " is-at ");
        put_hw(t, h.sender_hw);
    } else {
        put_number(t, "ARP operation ", h.op);
    }
}

void wire_describe(struct text *t, const uint8_t *bytes, size_t n, enum wire_medium medium)
{
    struct wire_eth h;
    if (medium == WIRE_MEDIUM_IP) {
        wire_describe_ip(t, bytes, n);
        return;
    }
    if (!wire_eth_read(bytes, n, &h)) {
        put_short(t, "Ethernet", n);
        return;
    }
    if (h.type == WIRE_ETH_ARP) {
        describe_arp(t, bytes + WIRE_ETH_BYTES, n - WIRE_ETH_BYTES);
    } else if (h.type == WIRE_ETH_IP4 || h.type == WIRE_ETH_IP6) {
        wire_describe_ip(t, bytes + WIRE_ETH_BYTES, n - WIRE_ETH_BYTES);
    } else {
        text_put(t, "Ethernet type 0x");
        text_hex(t, h.type, 4);
        put_number(t, " len=", n - WIRE_ETH_BYTES);
    }
}
