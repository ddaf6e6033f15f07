/* SPDX-License-Identifier: MIT
 *
 * One-line descriptions: the exact text for each kind of frame, and sense for frames cut at any length or filled with noise.
 */
#include "support/unit.h"

#include "base/bytes.h"
#include "base/prng.h"
#include "support/guard.h"
#include "wire/arp_hdr.h"
#include "wire/describe.h"
#include "wire/eth_hdr.h"
#include "wire/icmp6_hdr.h"
#include "wire/ip4_hdr.h"
#include "wire/ip6_hdr.h"
#include "wire/tcp_hdr.h"
#include "wire/tcp_opts.h"
#include "wire/udp_hdr.h"

struct frame {
    uint8_t b[256];
    size_t n;
};

static void put_ip4(struct frame *f, uint8_t protocol, uint16_t payload, uint16_t frag_off, bool mf)
{
    struct wire_ip4 h = {.ttl = 64,
                         .protocol = protocol,
                         .total_bytes = (uint16_t)(20 + payload),
                         .id = 77,
                         .frag_off = frag_off,
                         .mf = mf,
                         .src = IP4(192, 0, 2, 1),
                         .dst = IP4(192, 0, 2, 2)};
    wire_ip4_write(f->b + f->n, &h);
    f->n += 20;
}

static void put_ip6(struct frame *f, uint8_t next, uint16_t payload)
{
    struct wire_ip6 h = {.next = next, .payload_bytes = payload, .src = {0xfe, 0x80, [15] = 1}, .dst = {0x20, 0x01, 0x0d, 0xb8, [15] = 2}};
    wire_ip6_write(f->b + f->n, &h);
    f->n += 40;
}

static void put_tcp(struct frame *f, uint8_t flags, const struct wire_tcp_opts *o)
{
    unsigned opts = o ? wire_tcp_opts_write(f->b + f->n + 20, o) : 0;
    struct wire_tcp h = {.src_port = 1234,
                         .dst_port = 80,
                         .seq = 100,
                         .ack = flags & PL_ACK ? 300 : 0,
                         .hdr_bytes = (uint8_t)(20 + opts),
                         .flags = flags,
                         .wnd = 65535,
                         .up = 5};
    wire_tcp_write(f->b + f->n, &h);
    f->n += 20 + opts;
}

static void put_icmp(struct frame *f, uint8_t type, uint8_t code, uint32_t word)
{
    struct wire_icmp h = {.type = type, .code = code, .word = word};
    wire_icmp_write(f->b + f->n, &h);
    f->n += 8;
}

static void put_eth(struct frame *f, uint16_t type)
{
    struct wire_eth h = {.dst = {2, 0, 0, 0, 0, 2}, .src = {2, 0, 0, 0, 0, 1}, .type = type};
    wire_eth_write(f->b + f->n, &h);
    f->n += 14;
}

static void says(const struct frame *f, enum wire_medium medium, const char *expected)
{
    char line[300];
    struct text t = text_of(line, sizeof line);
    wire_describe(&t, guard_copy(f->b, f->n), f->n, medium);
    assert_string_equal(line, expected);
    guard_reset();
}

static void tcp_segments(void **state)
{
    (void)state;
    struct frame f = {.n = 0};
    put_ip4(&f, WIRE_PROTO_TCP, 20, 0, false);
    put_tcp(&f, PL_SYN, NULL);
    says(&f, WIRE_MEDIUM_IP, "IPv4 192.0.2.1 > 192.0.2.2 TCP 1234 > 80 SYN seq=100 ack=0 len=0 win=65535");

    f.n = 0;
    put_eth(&f, WIRE_ETH_IP4);
    put_ip4(&f, WIRE_PROTO_TCP, 40, 0, false);
    struct wire_tcp_opts syn = {
        .have = WIRE_OPT_MSS | WIRE_OPT_WSCALE | WIRE_OPT_SACK_PERMITTED | WIRE_OPT_TIMESTAMPS, .mss = 1460, .wscale = 7, .ts_val = 1, .ts_ecr = 2};
    put_tcp(&f, PL_SYN | PL_ACK, &syn);
    says(&f, WIRE_MEDIUM_ETHERNET,
         "IPv4 192.0.2.1 > 192.0.2.2 TCP 1234 > 80 SYN,ACK seq=100 ack=300 len=0 win=65535 mss=1460 wscale=7 sackOK ts=1/2");

    /* Only the headers are at hand: the length comes from IP. */
    f.n = 0;
    put_ip6(&f, WIRE_PROTO_TCP, 20 + 20 + 1400);
    struct wire_tcp_opts sack = {.have = WIRE_OPT_SACK, .nsack = 2, .sack = {{10, 20}, {30, 40}}};
    put_tcp(&f, PL_FIN | PL_PSH | PL_ACK | PL_URG, &sack);
    says(&f, WIRE_MEDIUM_IP,
         "IPv6 fe80::1 > 2001:db8::2 TCP 1234 > 80 FIN,PSH,ACK,URG seq=100 ack=300 len=1400 win=65535 urg=5 sack=10-20,30-40");
}

static void flags_are_named(void **state)
{
    (void)state;
    char line[64];
    struct text t = text_of(line, sizeof line);
    wire_describe_flags(&t, 0);
    text_char(&t, ' ');
    wire_describe_flags(&t, 0xff);
    assert_string_equal(line, ". SYN,FIN,RST,PSH,ACK,URG,ECE,CWR");
}

static void udp_arp_and_others(void **state)
{
    (void)state;
    struct frame f = {.n = 0};
    put_ip4(&f, WIRE_PROTO_UDP, 20, 0, false);
    struct wire_udp udp = {.src_port = 53, .dst_port = 5353, .bytes = 20};
    wire_udp_write(f.b + f.n, &udp);
    f.n += 8;
    says(&f, WIRE_MEDIUM_IP, "IPv4 192.0.2.1 > 192.0.2.2 UDP 53 > 5353 len=12");

    f.n = 0;
    put_eth(&f, WIRE_ETH_ARP);
    struct wire_arp arp = {.op = WIRE_ARP_REQUEST, .sender_hw = {2, 0, 0, 0, 0, 0xab}, .sender = IP4(192, 0, 2, 1), .target = IP4(192, 0, 2, 2)};
    wire_arp_write(f.b + f.n, &arp);
    f.n += 28;
    says(&f, WIRE_MEDIUM_ETHERNET, "ARP who-has 192.0.2.2 tell 192.0.2.1 (02:00:00:00:00:ab)");
    put_be16(f.b + 14 + 6, WIRE_ARP_REPLY);
    says(&f, WIRE_MEDIUM_ETHERNET, "ARP 192.0.2.1 is-at 02:00:00:00:00:ab");

    f.n = 0;
    put_eth(&f, WIRE_ETH_VLAN);
    f.n += 4;
    says(&f, WIRE_MEDIUM_ETHERNET, "Ethernet type 0x8100 len=4");

    f.n = 0;
    put_ip4(&f, 132, 100, 0, false);
    says(&f, WIRE_MEDIUM_IP, "IPv4 192.0.2.1 > 192.0.2.2 protocol 132 len=100");

    f.n = 0;
    put_ip4(&f, WIRE_PROTO_UDP, 1480, 1480, true);
    says(&f, WIRE_MEDIUM_IP, "IPv4 192.0.2.1 > 192.0.2.2 fragment id=77 off=1480 more protocol 17 len=1480");
}

static void icmp_messages(void **state)
{
    (void)state;
    struct frame f = {.n = 0};
    put_ip4(&f, WIRE_PROTO_ICMP4, 64, 0, false);
    put_icmp(&f, WIRE_ICMP4_ECHO, 0, wire_icmp_echo_word(5, 6));
    says(&f, WIRE_MEDIUM_IP, "IPv4 192.0.2.1 > 192.0.2.2 ICMP echo request id=5 seq=6 len=56");

    f.n = 0;
    put_ip4(&f, WIRE_PROTO_ICMP4, 48, 0, false);
    put_icmp(&f, WIRE_ICMP4_UNREACHABLE, WIRE_ICMP4_FRAG_NEEDED, 1400);
    put_ip4(&f, WIRE_PROTO_TCP, 1480, 0, false);
    put_tcp(&f, PL_ACK, NULL);
    says(&f, WIRE_MEDIUM_IP,
         "IPv4 192.0.2.1 > 192.0.2.2 ICMP fragmentation needed mtu=1400 of TCP 192.0.2.1:1234 > 192.0.2.2:80 seq=100");

    f.n = 0;
    put_ip6(&f, WIRE_PROTO_ICMP6, 24);
    struct wire_nd nd = {.type = WIRE_ICMP6_NEIGHBOR_SOLICIT, .target = {0xfe, 0x80, [15] = 2}};
    wire_nd_write(f.b + f.n, &nd);
    f.n += 24;
    says(&f, WIRE_MEDIUM_IP, "IPv6 fe80::1 > 2001:db8::2 ICMPv6 neighbour solicitation fe80::2");

    f.n = 0;
    put_ip6(&f, WIRE_PROTO_ICMP6, 8 + 40);
    put_icmp(&f, WIRE_ICMP6_TOO_BIG, 0, 1280);
    put_ip6(&f, WIRE_PROTO_NONE, 0);
    says(&f, WIRE_MEDIUM_IP, "IPv6 fe80::1 > 2001:db8::2 ICMPv6 packet too big mtu=1280 of fe80::1 > 2001:db8::2");

    f.n = 0;
    put_ip6(&f, WIRE_PROTO_ICMP6, 8);
    put_icmp(&f, 200, 3, 0);
    says(&f, WIRE_MEDIUM_IP, "IPv6 fe80::1 > 2001:db8::2 ICMPv6 type 200 code 3");
}

static void what_cannot_be_read_is_said(void **state)
{
    (void)state;
    struct frame f = {.n = 0};
    says(&f, WIRE_MEDIUM_ETHERNET, "Ethernet header cut short (0 bytes)");
    says(&f, WIRE_MEDIUM_IP, "nothing (0 bytes)");
    f.n = 1;
    f.b[0] = 0x45;
    says(&f, WIRE_MEDIUM_IP, "IPv4 header cut short (1 byte)");
    f.b[0] = 0x50;
    says(&f, WIRE_MEDIUM_IP, "IP version 5");
    f.n = 0;
    put_ip4(&f, WIRE_PROTO_TCP, 20, 0, false);
    put_tcp(&f, PL_SYN, NULL);
    f.b[32] = 0x40;
    says(&f, WIRE_MEDIUM_IP, "IPv4 192.0.2.1 > 192.0.2.2 TCP header with data offset 4");
    f.b[0] = 0x44;
    says(&f, WIRE_MEDIUM_IP, "IPv4 header with length 16");
    f.b[0] = 0x45;
    put_be16(f.b + 2, 10);
    says(&f, WIRE_MEDIUM_IP, "IPv4 192.0.2.1 > 192.0.2.2 with total length 10");
}

static void every_truncation_and_random_changes_are_survived(void **state)
{
    (void)state;
    struct frame f = {.n = 0};
    put_eth(&f, WIRE_ETH_IP6);
    put_ip6(&f, WIRE_PROTO_DSTOPTS, 200);
    memset(f.b + f.n, 0, 8);
    f.b[f.n] = WIRE_PROTO_ICMP6;
    f.n += 8;
    put_icmp(&f, WIRE_ICMP6_UNREACHABLE, 4, 0);
    put_ip6(&f, WIRE_PROTO_TCP, 1000);
    put_tcp(&f, PL_ACK, NULL);
    struct prng g;
    prng_seed(&g, 1);
    uint8_t *end = (uint8_t *)guard_alloc(256) + 256;
    for (unsigned round = 0; round < 60000; round++) {
        size_t n = round <= f.n ? round : prng_below(&g, (uint32_t)f.n + 1);
        uint8_t *p = end - n;
        memcpy(p, f.b, n);
        for (unsigned changes = round <= f.n ? 0 : prng_below(&g, 6); changes && n; changes--) {
            static const uint8_t likely[] = {0x45, 0x46, 0x60, 6, 17, 1, 58, 0, 44, 60, 8, 0x86, 255};
            p[prng_below(&g, (uint32_t)n)] = (uint8_t)(prng_below(&g, 2) ? likely[prng_below(&g, sizeof likely)] : prng_next(&g));
        }
        size_t cap = 1 + prng_below(&g, 200);
        char *line = guard_alloc(cap);
        struct text t = text_of(line, cap);
        wire_describe(&t, p, n, prng_below(&g, 4) ? WIRE_MEDIUM_ETHERNET : WIRE_MEDIUM_IP);
        assert_true(t.len == strlen(line) && t.len < cap);
        assert_true(t.len > 0 || cap == 1);
        guard_free(line, cap);
    }
    guard_reset();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tcp_segments),
        cmocka_unit_test(flags_are_named),
        cmocka_unit_test(udp_arp_and_others),
        cmocka_unit_test(icmp_messages),
        cmocka_unit_test(what_cannot_be_read_is_said),
        cmocka_unit_test(every_truncation_and_random_changes_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
