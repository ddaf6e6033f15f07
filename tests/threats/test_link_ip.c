/* SPDX-License-Identifier: MIT
 *
 * Threats V1 to V24 and V27, the rows that concern link and internet layer, through the doors of a real stack. Each row puts one frame in (it
 * ends at an unreadable page), names the counter that must move and what may be said in return, and then checks that good packets of both
 * families are still answered. The victim is host 2, the other side host 1.
 */
#include "support/unit.h"

#include "base/bytes.h"
#include "support/net_play.h"
#include "wire/eth_hdr.h"
#include "wire/icmp6_hdr.h"
#include "wire/ip4_hdr.h"

static struct host h;

static int make(void **state)
{
    (void)state;
    host_make(&h, 2, PL_LINK_ETHERNET, NULL);
    host_knows(&h, 1);
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    host_free(&h);
    return 0;
}

static void still_alive(const char *after)
{
    static const int families[] = {4, 6};
    for (unsigned i = 0; i < 2; i++) {
        struct frame f;
        frame_echo(&f, families[i], 1, 2);
        host_rx(&h, f.b, f.n);
        if (!host_tx(&h) || h.out_why != PL_WHY_ECHO_REPLY || memcmp(h.out + h.out_l4 + 8, "abcdefgh", 8) != 0)
            fail_msg("after %s a good packet is not answered any more", after);
        assert_false(host_tx(&h));
    }
}

struct row {
    const char *name;
    void (*build)(struct frame *);
    enum pl_drop drop;
    enum pl_reason reply;                 /* the one frame said in return; 0: silence */
};

static void run_rows(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct frame f;
        rows[i].build(&f);
        uint64_t before = host_drops(&h, rows[i].drop);
        host_rx(&h, f.b, f.n);
        if (h.traced_drop != rows[i].drop)
            fail_msg("%s: %s, not %s", rows[i].name, pl_drop_name((enum pl_drop)h.traced_drop), pl_drop_name(rows[i].drop));
        if (rows[i].drop)
            assert_int_equal(host_drops(&h, rows[i].drop), before + 1);
        if (host_tx(&h) != (rows[i].reply != 0) || (rows[i].reply && h.out_why != rows[i].reply))
            fail_msg("%s: said %s", rows[i].name, h.out_bytes ? pl_reason_name((enum pl_reason)h.out_why) : "nothing");
        if (host_tx(&h))
            fail_msg("%s: said more than one thing", rows[i].name);
        still_alive(rows[i].name);
        host_wait(&h, h.now + PL_S);      /* refills the token buckets */
    }
}
#define RUN(rows) run_rows(rows, COUNT_OF(rows))

/* ------------------------------------------------------------ link ------------------------------------------------------------ */

static void v1_every_short_frame_is_dropped_and_nothing_read_beyond_it(void **state)
{
    (void)state;
    static const int families[] = {4, 6};
    for (unsigned i = 0; i < 2; i++) {
        struct frame f;
        frame_echo(&f, families[i], 1, 2);
        for (size_t n = 0; n < f.n; n++) {
            host_rx(&h, f.b, n);
            if (n < (families[i] == 4 ? 34u : 54u))
                assert_int_equal(h.traced_drop, PL_DROP_RUNT);
            else
                assert_int_equal(h.traced_drop, PL_DROP_IP_LENGTH);
        }
    }
    struct frame f;
    frame_arp(&f, 1, h.mac, (const uint8_t[]){2, 0, 0, 0, 0, 1}, host_addr(1, 4).b, host_addr(2, 4).b);
    for (size_t n = 14; n < f.n; n++) {
        host_rx(&h, f.b, n);
        assert_int_equal(h.traced_drop, PL_DROP_ARP_MALFORMED);
    }
    assert_false(host_tx(&h));
    still_alive("short frames");
}

static void arp_of(struct frame *f, uint16_t op, const uint8_t *dst_mac, unsigned sender_mac, struct pl_addr sender, struct pl_addr target)
{
    uint8_t mac[6];
    mac_of(sender_mac, mac);
    frame_arp(f, op, dst_mac, mac, sender.b, target.b);
}
static const uint8_t ALL[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, OURS[6] = {2, 0, 0, 0, 0, 2};

static void to_another_station(struct frame *f) { frame_echo(f, 4, 1, 2), f->b[5] = 9; }
static void unknown_type(struct frame *f) { frame_echo(f, 4, 1, 2), put_be16(f->b + 12, 0x88cc); }
static void vlan_tag(struct frame *f) { frame_echo(f, 4, 1, 2), put_be16(f->b + 12, WIRE_ETH_VLAN); }
static void length_type(struct frame *f) { frame_echo(f, 4, 1, 2), put_be16(f->b + 12, 46); }
static void ip6_under_ip4_type(struct frame *f) { frame_echo(f, 6, 1, 2), put_be16(f->b + 12, WIRE_ETH_IP4); }
static void ip4_under_ip6_type(struct frame *f) { frame_udp(f, 4, 1, 2, 1, 2, "123456789012345678", 18), put_be16(f->b + 12, WIRE_ETH_IP6); }
static void broadcast_of_unicast(struct frame *f) { frame_echo(f, 4, 1, 2), memset(f->b, 0xff, 6); }
static void syn_in_broadcast(struct frame *f) { frame_tcp(f, 4, 1, 2, 5, 6, PL_SYN, 1, 0), memset(f->b, 0xff, 6); }

static void the_link_takes_only_what_is_for_us(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"frame for another station", to_another_station, PL_DROP_NOT_FOR_US_LINK, 0},
        {"unknown type", unknown_type, PL_DROP_ETHERTYPE, 0},
        {"tagged", vlan_tag, PL_DROP_ETHERTYPE, 0},
        {"802.3 length", length_type, PL_DROP_ETHERTYPE, 0},
        {"IPv6 under IPv4's type", ip6_under_ip4_type, PL_DROP_IP_VERSION, 0},
        {"IPv4 under IPv6's type", ip4_under_ip6_type, PL_DROP_IP_VERSION, 0},
        {"RFC 1122 3.3.6: unicast in a broadcast", broadcast_of_unicast, PL_DROP_IP_NOT_FOR_US, 0},
        {"MUST-57: SYN in a broadcast", syn_in_broadcast, PL_DROP_TCP_BROADCAST, 0},
    };
    RUN(rows);
}

static void unasked_reply(struct frame *f) { arp_of(f, 2, OURS, 66, host_addr(1, 4), host_addr(2, 4)); }
static void unasked_reply_broadcast(struct frame *f) { arp_of(f, 2, ALL, 66, host_addr(1, 4), host_addr(1, 4)); }
static void gratuitous_request(struct frame *f) { arp_of(f, 1, ALL, 66, host_addr(1, 4), host_addr(1, 4)); }
static void our_address_claimed(struct frame *f) { arp_of(f, 1, ALL, 66, host_addr(2, 4), host_addr(2, 4)); }
static void our_address_claimed_in_reply(struct frame *f) { arp_of(f, 2, OURS, 66, host_addr(2, 4), host_addr(2, 4)); }
static void for_somebody_else(struct frame *f) { arp_of(f, 1, ALL, 1, host_addr(1, 4), host_addr(9, 4)); }
static void reverse_arp(struct frame *f) { arp_of(f, 3, ALL, 1, host_addr(1, 4), host_addr(2, 4)); }
static void bad_hlen(struct frame *f) { arp_of(f, 1, ALL, 1, host_addr(1, 4), host_addr(2, 4)), f->b[18] = 8; }
static void bad_plen(struct frame *f) { arp_of(f, 1, ALL, 1, host_addr(1, 4), host_addr(2, 4)), f->b[19] = 16; }
static void bad_hardware(struct frame *f) { arp_of(f, 1, ALL, 1, host_addr(1, 4), host_addr(2, 4)), f->b[15] = 6; }
static void group_sender(struct frame *f) { arp_of(f, 1, ALL, 1, host_addr(1, 4), host_addr(2, 4)), f->b[22] |= 1; }
static void good_request(struct frame *f) { arp_of(f, 1, ALL, 1, host_addr(1, 4), host_addr(2, 4)); }

static void v23_arp_is_believed_only_when_it_was_asked(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"unasked reply", unasked_reply, PL_DROP_ARP_UNASKED, 0},
        {"unasked reply to all", unasked_reply_broadcast, PL_DROP_ARP_UNASKED, 0},
        {"gratuitous request", gratuitous_request, PL_DROP_ARP_NOT_FOR_US, 0},
        {"our address claimed", our_address_claimed, PL_DROP_ARP_CONFLICT, 0},
        {"our address claimed in a reply", our_address_claimed_in_reply, PL_DROP_ARP_CONFLICT, 0},
        {"a question for somebody else", for_somebody_else, PL_DROP_ARP_NOT_FOR_US, 0},
        {"RARP", reverse_arp, PL_DROP_ARP_MALFORMED, 0},
        {"hardware length 8", bad_hlen, PL_DROP_ARP_MALFORMED, 0},
        {"protocol length 16", bad_plen, PL_DROP_ARP_MALFORMED, 0},
        {"hardware 6", bad_hardware, PL_DROP_ARP_MALFORMED, 0},
        {"a group as sender", group_sender, PL_DROP_ARP_MALFORMED, 0},
        {"a good question", good_request, PL_DROP_NONE, PL_WHY_ARP_REPLY},
    };
    RUN(rows);
    uint32_t cursor = 0;
    struct pl_neighbor n;
    while (pl_neighbor_next(h.s, &cursor, &n))                      /* nobody got in by any of them */
        assert_true(n.permanent && n.mac[5] == 1);
}

/* Without permanent entries: what the victim believes of host 3 after host 3's own question and a forged answer. */
static void v23_a_forged_answer_does_not_redirect_a_neighbour(void **state)
{
    (void)state;
    struct frame f;
    arp_of(&f, 1, ALL, 3, host_addr(3, 4), host_addr(2, 4));
    host_rx(&h, f.b, f.n);
    assert_true(host_tx(&h));
    arp_of(&f, 2, OURS, 66, host_addr(3, 4), host_addr(2, 4));
    host_rx(&h, f.b, f.n);
    assert_int_equal(h.traced_drop, PL_DROP_ARP_UNASKED);
    frame_echo(&f, 4, 3, 2);
    host_rx(&h, f.b, f.n);
    assert_true(host_tx(&h));
    assert_int_equal(h.out[5], 3);
    still_alive("a forged answer");
}

/* ------------------------------------------------------------ IPv4 ------------------------------------------------------------ */

static void ip4(struct frame *f) { frame_echo(f, 4, 1, 2); }
static void total_beyond_frame(struct frame *f) { ip4(f), put_be16(f->b + 16, 1500), wire_ip4_sum_set(f->b + 14, 20); }
static void total_10(struct frame *f) { ip4(f), put_be16(f->b + 16, 10), wire_ip4_sum_set(f->b + 14, 20); }
static void ihl_15_total_40(struct frame *f)
{
    frame_udp(f, 4, 1, 2, 1, 2, "0123456789012345678901234567890123456789", 40);
    f->b[14] = 0x4f;
    put_be16(f->b + 16, 40);
    wire_ip4_sum_set(f->b + 14, 60);
}
static void ihl_0(struct frame *f) { ip4(f), f->b[14] = 0x40; }
static void ihl_4(struct frame *f) { ip4(f), f->b[14] = 0x44; }
static void ihl_15_in_20(struct frame *f) { frame_ip(f, 4, 1, 2, 17), f->b[14] = 0x4f; }
static void version_5(struct frame *f) { ip4(f), f->b[14] = 0x55; }
static void bad_header_sum(struct frame *f) { ip4(f), f->b[24] ^= 1; }

static void with_options(struct frame *f, const uint8_t *options, size_t n)
{
    struct frame plain;
    frame_echo(&plain, 4, 1, 2);
    *f = plain;
    memcpy(f->b + 34, options, n);
    memcpy(f->b + 34 + n, plain.b + 34, plain.n - 34);
    f->n = plain.n + n;
    f->l4 += n;
    f->b[14] = (uint8_t)(0x45 + n / 4);
    frame_fix(f);
}
static void option_len_0(struct frame *f) { with_options(f, (const uint8_t[]){7, 0, 4, 0}, 4); }
static void option_len_1(struct frame *f) { with_options(f, (const uint8_t[]){7, 1, 4, 0}, 4); }
static void option_beyond(struct frame *f) { with_options(f, (const uint8_t[]){131, 39, 4, 0}, 4); }
static void option_last_byte(struct frame *f) { with_options(f, (const uint8_t[]){1, 1, 1, 131}, 4); }
static void lsrr(struct frame *f) { with_options(f, (const uint8_t[]){131, 7, 4, 192, 0, 2, 9, 0}, 8); }
static void ssrr(struct frame *f) { with_options(f, (const uint8_t[]){137, 7, 4, 192, 0, 2, 9, 0}, 8); }
static void record_route(struct frame *f) { with_options(f, (const uint8_t[]){7, 7, 4, 0, 0, 0, 0, 0}, 8); }
static void protocol_4(struct frame *f) { ip4(f), f->b[23] = 4, frame_fix(f); }
static void protocol_41(struct frame *f) { ip4(f), f->b[23] = 41, frame_fix(f); }
static void igmp_too_many_sources(struct frame *f)
{
    frame_ip(f, 4, 1, 2, 2);
    frame_add(f, (const uint8_t[]){0x11, 0, 0xee, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 12);
    frame_fix(f);
}
static void first_fragment(struct frame *f) { ip4(f), put_be16(f->b + 20, 0x2000), wire_ip4_sum_set(f->b + 14, 20); }
static void overlapping_fragment(struct frame *f) { ip4(f), put_be16(f->b + 20, 0x0003), wire_ip4_sum_set(f->b + 14, 20); }
static void ping_of_death(struct frame *f) { ip4(f), put_be16(f->b + 20, 0x1fff), wire_ip4_sum_set(f->b + 14, 20); }
static void tiny_fragment(struct frame *f)
{
    frame_ip(f, 4, 1, 2, 6);
    frame_add(f, "12345678", 8);
    frame_fix(f);
    put_be16(f->b + 20, 0x2000);
    wire_ip4_sum_set(f->b + 14, 20);
}
static void for_another_host(struct frame *f) { ip4(f), f->b[33] = 77, frame_fix(f); }
static void for_another_net(struct frame *f) { ip4(f), f->b[30] = 10, frame_fix(f); }

static void v2_to_v12_lengths_options_and_fragments_of_ipv4(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"V2 total length beyond the frame", total_beyond_frame, PL_DROP_IP_LENGTH, 0},
        {"V3 total length 10", total_10, PL_DROP_IP_HEADER, 0},
        {"V3 IHL 15, total length 40", ihl_15_total_40, PL_DROP_IP_HEADER, 0},
        {"V5 IHL 0", ihl_0, PL_DROP_IP_HEADER, 0},
        {"V5 IHL 4", ihl_4, PL_DROP_IP_HEADER, 0},
        {"V5 IHL 15 in 20 bytes", ihl_15_in_20, PL_DROP_IP_HEADER, 0},
        {"version 5", version_5, PL_DROP_IP_VERSION, 0},
        {"header checksum", bad_header_sum, PL_DROP_IP_CHECKSUM, 0},
        {"V6 option length 0", option_len_0, PL_DROP_IP_OPTIONS, 0},
        {"V6 option length 1", option_len_1, PL_DROP_IP_OPTIONS, 0},
        {"V6 option beyond the header", option_beyond, PL_DROP_IP_OPTIONS, 0},
        {"V6 option at the last byte", option_last_byte, PL_DROP_IP_OPTIONS, 0},
        {"V7 loose source route", lsrr, PL_DROP_IP_SOURCE_ROUTE, 0},
        {"V7 strict source route", ssrr, PL_DROP_IP_SOURCE_ROUTE, 0},
        {"V7 record route is taken, and not reflected", record_route, PL_DROP_NONE, PL_WHY_ECHO_REPLY},
        {"V8 IP in IP", protocol_4, PL_DROP_IP_PROTOCOL, PL_WHY_ICMP_PROTOCOL_UNREACHABLE},
        {"V8 IPv6 in IP", protocol_41, PL_DROP_IP_PROTOCOL, PL_WHY_ICMP_PROTOCOL_UNREACHABLE},
        {"V26 IGMPv3 query with 65535 sources", igmp_too_many_sources, PL_DROP_IP_PROTOCOL, PL_WHY_ICMP_PROTOCOL_UNREACHABLE},
        {"V9 first fragment", first_fragment, PL_DROP_IP_FRAGMENT, 0},
        {"V9 overlapping fragment", overlapping_fragment, PL_DROP_IP_FRAGMENT, 0},
        {"V10 ping of death", ping_of_death, PL_DROP_IP_FRAGMENT, 0},
        {"V12 first fragment without a transport header", tiny_fragment, PL_DROP_IP_FRAGMENT, 0},
        {"for another host", for_another_host, PL_DROP_IP_NOT_FOR_US, 0},
        {"for another net", for_another_net, PL_DROP_IP_NOT_FOR_US, 0},
    };
    RUN(rows);
    struct frame f;
    record_route(&f);
    host_rx(&h, f.b, f.n);
    assert_true(host_tx(&h));
    assert_int_equal(h.out[14], 0x45);    /* V7: options are never echoed */
}

static void v4_padding_of_the_link_is_no_data(void **state)
{
    (void)state;
    pl_udp u;
    struct frame f;
    uint8_t got[64], pad[14] = "PADDINGPADDIN";
    assert_int_equal(pl_udp_open(h.s, &(struct pl_endpoint){.port = 99}, 0, &u), PL_OK);
    frame_udp(&f, 4, 1, 2, 1, 99, "abcd", 4);
    frame_add(&f, pad, sizeof pad);
    host_rx(&h, f.b, f.n);
    assert_int_equal(pl_udp_recv(h.s, u, NULL, got, sizeof got), 4);
    assert_memory_equal(got, "abcd", 4);
    frame_echo(&f, 6, 1, 2);
    frame_add(&f, pad, sizeof pad);
    host_rx(&h, f.b, f.n);
    assert_true(host_tx(&h));
    assert_int_equal(h.out_bytes, f.n - sizeof pad);
    still_alive("padding");
}

static void v13_identifications_cannot_be_foretold(void **state)
{
    (void)state;
    static bool seen[65536];
    memset(seen, 0, sizeof seen);
    host_knows(&h, 3);
    unsigned sequential = 0;
    uint16_t last[2] = {0};
    for (unsigned i = 0; i < 20000; i++) {
        struct frame f;
        frame_echo(&f, 4, i & 1 ? 3 : 1, 2);
        host_rx(&h, f.b, f.n);
        assert_true(host_tx(&h));
        uint16_t id = get_be16(h.out + 18);
        uint16_t step = (uint16_t)(id - last[i & 1]);
        sequential += step <= 16;
        last[i & 1] = id;
        if (!(i & 1)) {
            assert_false(seen[id]);       /* and none comes twice within 65536 datagrams to the same host */
            seen[id] = true;
        }
    }
    assert_true(sequential < 20);         /* by chance: 20000 * 17 / 65536 = 5 */
}

/* ------------------------------------------------------------ IPv6 ------------------------------------------------------------ */

/* An echo request behind extension headers. */
static void behind(struct frame *f, uint8_t next, const uint8_t *ext, size_t n)
{
    frame_ip(f, 6, 1, 2, next);
    frame_add(f, ext, n);
    f->l4 = f->n;
    frame_add(f, (const uint8_t[]){128, 0, 0, 0, 0, 7, 0, 1, 'a', 'b'}, 10);
    frame_fix(f);
    uint8_t saved = f->b[f->l4 - 8];      /* frame_sum looks for the protocol there */
    f->b[f->l4 - 8] = WIRE_PROTO_ICMP6;
    frame_sum(f);
    f->b[f->l4 - 8] = saved;
}
#define BEHIND(f, next, ...) behind(f, next, (const uint8_t[]){__VA_ARGS__}, sizeof(const uint8_t[]){__VA_ARGS__})

static void v6_length_beyond(struct frame *f) { frame_echo(f, 6, 1, 2), put_be16(f->b + 18, 1460); }
static void v6_for_another(struct frame *f) { frame_echo(f, 6, 1, 2), f->b[53] = 77; }
static void v6_other_group(struct frame *f) { frame_echo(f, 6, 1, 2), memset(f->b + 38, 0, 16), f->b[38] = 0xff, f->b[39] = 2, f->b[53] = 0xfb; }
static void padded_hop_by_hop(struct frame *f) { BEHIND(f, 0, 58, 0, 1, 4, 0, 0, 0, 0); }
static void hop_by_hop_255(struct frame *f) { BEHIND(f, 0, 58, 255, 1, 4, 0, 0, 0, 0); }
static void padn_beyond(struct frame *f) { BEHIND(f, 60, 58, 0, 1, 99, 0, 0, 0, 0); }
static void chain_of_200(struct frame *f)
{
    frame_ip(f, 6, 1, 2, 60);
    for (unsigned i = 0; i < 200; i++)
        frame_add(f, (const uint8_t[]){60, 0, 1, 4, 0, 0, 0, 0}, 8);
    frame_fix(f);
}
static void hop_by_hop_late(struct frame *f) { BEHIND(f, 60, 0, 0, 1, 4, 0, 0, 0, 0, 58, 0, 1, 4, 0, 0, 0, 0); }
static void option_discard(struct frame *f) { BEHIND(f, 60, 58, 0, 0x7e, 4, 0, 0, 0, 0); }
static void option_report(struct frame *f) { BEHIND(f, 60, 58, 0, 0xbe, 4, 0, 0, 0, 0); }
static void to_all_nodes(struct frame *f)
{
    memset(f->b + 38, 0, 16);
    f->b[38] = 0xff, f->b[39] = 2, f->b[53] = 1;
}
static void option_report_group(struct frame *f) { option_report(f), to_all_nodes(f); }
static void option_report_unicast(struct frame *f) { BEHIND(f, 60, 58, 0, 0xfe, 4, 0, 0, 0, 0); }
static void option_report_unicast_group(struct frame *f) { option_report_unicast(f), to_all_nodes(f); }
static void option_report_about_error(struct frame *f) { option_report(f), f->b[f->l4] = 1; }
static void routing_header_0(struct frame *f)
{
    frame_ip(f, 6, 1, 2, 43);
    uint8_t rh[8 + 40 * 16] = {58, 80, 0, 40};
    frame_add(f, rh, sizeof rh);
    frame_add(f, (const uint8_t[]){128, 0, 0, 0, 0, 7, 0, 1}, 8);
    frame_fix(f);
}
static void routing_header_done(struct frame *f) { BEHIND(f, 43, 58, 0, 0, 0, 0, 0, 0, 0); }
static void jumbo(struct frame *f) { BEHIND(f, 0, 58, 0, 0xc2, 4, 0xff, 0xff, 0xff, 0xff), put_be16(f->b + 18, 0); }
static void jumbo_zero(struct frame *f) { BEHIND(f, 0, 58, 0, 0xc2, 4, 0, 0, 0, 0), put_be16(f->b + 18, 0); }
static void jumbo_beside_length(struct frame *f) { BEHIND(f, 0, 58, 0, 0xc2, 4, 0, 0, 0, 16); }
static void atomic_fragment(struct frame *f) { BEHIND(f, 44, 58, 0, 0, 0, 1, 2, 3, 4); }
static void v6_first_fragment(struct frame *f) { BEHIND(f, 44, 58, 0, 0, 1, 1, 2, 3, 4); }
static void v6_later_fragment(struct frame *f) { BEHIND(f, 44, 58, 0, 0, 0x18, 1, 2, 3, 4); }
static void v6_fragment_beyond(struct frame *f) { BEHIND(f, 44, 58, 0, 0xff, 0xf8, 1, 2, 3, 4); }
static void unknown_next_header(struct frame *f) { frame_echo(f, 6, 1, 2), f->b[20] = 132; }
static void no_next_header(struct frame *f) { frame_echo(f, 6, 1, 2), f->b[20] = 59; }
static void ip4_in_ip6(struct frame *f) { frame_echo(f, 6, 1, 2), f->b[20] = 4; }
static void ip6_in_ip6(struct frame *f) { frame_echo(f, 6, 1, 2), f->b[20] = 41; }
static void icmp4_over_ip6(struct frame *f) { frame_echo(f, 6, 1, 2), f->b[20] = 1; }

static void v12_to_v16_extension_headers(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"V2 payload length beyond the frame", v6_length_beyond, PL_DROP_IP_LENGTH, 0},
        {"for another host", v6_for_another, PL_DROP_IP_NOT_FOR_US, 0},
        {"for a group that is not ours", v6_other_group, PL_DROP_IP_NOT_FOR_US, 0},
        {"a good hop-by-hop header", padded_hop_by_hop, PL_DROP_NONE, PL_WHY_ECHO_REPLY},
        {"V14 hop-by-hop of 2048 bytes", hop_by_hop_255, PL_DROP_IP6_EXTENSION, 0},
        {"V14 PadN beyond its header", padn_beyond, PL_DROP_IP6_EXTENSION, PL_WHY_ICMP_PARAMETER_PROBLEM},
        {"V14 200 headers", chain_of_200, PL_DROP_IP6_EXTENSION, 0},
        {"V14 hop-by-hop not first", hop_by_hop_late, PL_DROP_IP6_EXTENSION, PL_WHY_ICMP_PARAMETER_PROBLEM},
        {"unknown option: discard", option_discard, PL_DROP_IP6_EXTENSION, 0},
        {"unknown option: report", option_report, PL_DROP_IP6_EXTENSION, PL_WHY_ICMP_PARAMETER_PROBLEM},
        {"unknown option: report, to a group", option_report_group, PL_DROP_IP6_EXTENSION, PL_WHY_ICMP_PARAMETER_PROBLEM},
        {"unknown option: report unless group", option_report_unicast, PL_DROP_IP6_EXTENSION, PL_WHY_ICMP_PARAMETER_PROBLEM},
        {"unknown option: report unless group, to a group", option_report_unicast_group, PL_DROP_IP6_EXTENSION, 0},
        {"V18 unknown option in front of an error", option_report_about_error, PL_DROP_IP6_EXTENSION, 0},
        {"V15 routing header 0 with 40 addresses", routing_header_0, PL_DROP_IP6_ROUTING, PL_WHY_ICMP_PARAMETER_PROBLEM},
        {"V15 routing header with nothing left", routing_header_done, PL_DROP_NONE, PL_WHY_ECHO_REPLY},
        {"V16 jumbo 0xffffffff", jumbo, PL_DROP_IP6_JUMBO, 0},
        {"V16 jumbo 0", jumbo_zero, PL_DROP_IP6_JUMBO, 0},
        {"V16 jumbo beside a length", jumbo_beside_length, PL_DROP_IP6_JUMBO, PL_WHY_ICMP_PARAMETER_PROBLEM},
        {"V12 atomic fragment", atomic_fragment, PL_DROP_NONE, PL_WHY_ECHO_REPLY},
        {"V9 first fragment", v6_first_fragment, PL_DROP_IP_FRAGMENT, 0},
        {"V9 later fragment", v6_later_fragment, PL_DROP_IP_FRAGMENT, 0},
        {"V10 fragment beyond 65535", v6_fragment_beyond, PL_DROP_IP_FRAGMENT, 0},
        {"unknown next header", unknown_next_header, PL_DROP_IP_PROTOCOL, PL_WHY_ICMP_PARAMETER_PROBLEM},
        {"no next header", no_next_header, PL_DROP_IP_PROTOCOL, 0},
        {"V8 IPv4 in IPv6", ip4_in_ip6, PL_DROP_IP_PROTOCOL, PL_WHY_ICMP_PARAMETER_PROBLEM},
        {"V8 IPv6 in IPv6", ip6_in_ip6, PL_DROP_IP_PROTOCOL, PL_WHY_ICMP_PARAMETER_PROBLEM},
        {"ICMP for IPv4 over IPv6", icmp4_over_ip6, PL_DROP_IP_PROTOCOL, PL_WHY_ICMP_PARAMETER_PROBLEM},
    };
    RUN(rows);
    struct frame f;
    unknown_next_header(&f);
    host_rx(&h, f.b, f.n);
    assert_true(host_tx(&h));
    assert_int_equal(h.out[h.out_l4], WIRE_ICMP6_PARAMETER);
    assert_int_equal(h.out[h.out_l4 + 1], 1);
    assert_int_equal(get_be32(h.out + h.out_l4 + 4), 6);            /* points at the Next Header field */
    assert_memory_equal(h.out + h.out_l4 + 8, f.b + 14, f.n - 14);  /* and quotes the packet */
}

/* ------------------------------------------------------------ addresses ------------------------------------------------------------ */

static void from4(struct frame *f, uint32_t src) { frame_echo(f, 4, 1, 2), put_be32(f->b + 26, src), frame_fix(f); }
static void from_loopback(struct frame *f) { from4(f, 0x7f000001); }
static void from_multicast(struct frame *f) { from4(f, 0xe0000001); }
static void from_broadcast(struct frame *f) { from4(f, 0xffffffff); }
static void from_zero(struct frame *f) { from4(f, 0); }
static void from_ourselves(struct frame *f) { from4(f, 0xc0000202); }
static void to_loopback(struct frame *f) { frame_echo(f, 4, 1, 2), put_be32(f->b + 30, 0x7f000001), frame_fix(f); }
static void land(struct frame *f) { frame_tcp(f, 4, 2, 2, 80, 80, PL_SYN, 1, 0), f->b[11] = 1; }
static void land6(struct frame *f) { frame_tcp(f, 6, 2, 2, 80, 80, PL_SYN, 1, 0), f->b[11] = 1; }
static void from6(struct frame *f, const uint8_t src[16]) { frame_echo(f, 6, 1, 2), memcpy(f->b + 22, src, 16), frame_sum(f); }
static void from_loopback6(struct frame *f) { from6(f, (const uint8_t[16]){[15] = 1}); }
static void from_multicast6(struct frame *f) { from6(f, (const uint8_t[16]){0xff, 2, [15] = 1}); }
static void from_mapped(struct frame *f) { from6(f, (const uint8_t[16])IP4(192, 0, 2, 1)); }
static void echo_from_nobody(struct frame *f) { from6(f, (const uint8_t[16]){0}); }
static void from_ourselves6(struct frame *f) { from6(f, host_addr(2, 6).b); }
static void from_directed_broadcast(struct frame *f) { from4(f, 0xc00002ff); }

/* MUST-63 */
static void v17_martians_and_land(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"from 127.0.0.1", from_loopback, PL_DROP_IP_MARTIAN, 0},
        {"from a group", from_multicast, PL_DROP_IP_MARTIAN, 0},
        {"from broadcast", from_broadcast, PL_DROP_IP_MARTIAN, 0},
        {"from 0.0.0.0", from_zero, PL_DROP_IP_MARTIAN, 0},
        {"from ourselves", from_ourselves, PL_DROP_IP_MARTIAN, 0},
        {"to 127.0.0.1", to_loopback, PL_DROP_IP_MARTIAN, 0},
        {"land", land, PL_DROP_TCP_LAND, 0},
        {"land, IPv6", land6, PL_DROP_TCP_LAND, 0},
        {"from ::1", from_loopback6, PL_DROP_IP_MARTIAN, 0},
        {"from ff02::1", from_multicast6, PL_DROP_IP_MARTIAN, 0},
        {"from a mapped address", from_mapped, PL_DROP_IP_MARTIAN, 0},
        {"echo from ::", echo_from_nobody, PL_DROP_IP_MARTIAN, 0},
        {"from ourselves, IPv6", from_ourselves6, PL_DROP_IP_MARTIAN, 0},
        {"from the directed broadcast", from_directed_broadcast, PL_DROP_IP_MARTIAN, 0},
    };
    RUN(rows);
}

/* ------------------------------------------------------------ ICMP ------------------------------------------------------------ */

static void udp_closed_port(struct frame *f) { frame_udp(f, 4, 1, 2, 5, 9, "x", 1); }
static void udp_closed_port6(struct frame *f) { frame_udp(f, 6, 1, 2, 5, 9, "x", 1); }
static void udp_broadcast(struct frame *f)
{
    frame_udp(f, 4, 1, 2, 5, 9, "x", 1);
    memset(f->b, 0xff, 6);
    f->b[33] = 0xff;
    frame_fix(f);
    frame_sum(f);
}
static void udp_group6(struct frame *f) { frame_udp(f, 6, 1, 2, 5, 9, "x", 1), to_all_nodes(f), frame_sum(f); }
static void error_unknown_protocol(struct frame *f)
{
    struct frame inner;
    frame_udp(&inner, 4, 2, 1, 5, 9, "x", 1);
    frame_icmp(f, 4, 1, 2, WIRE_ICMP4_UNREACHABLE, WIRE_ICMP4_PORT, 0, inner.b + 14, inner.n - 14);
}
static void error_about_error(struct frame *f)
{
    struct frame inner;
    error_unknown_protocol(&inner);
    inner.b[29] = 2, inner.b[33] = 1;     /* as if we had sent it */
    frame_fix(&inner);
    frame_icmp(f, 4, 1, 2, WIRE_ICMP4_UNREACHABLE, WIRE_ICMP4_PORT, 0, inner.b + 14, inner.n - 14);
}
static void unknown_error6(struct frame *f) { frame_icmp(f, 6, 1, 2, 100, 0, 0, "12345678", 8); }
static void redirect(struct frame *f) { frame_icmp(f, 4, 1, 2, WIRE_ICMP4_REDIRECT, 1, 0xc0000209, "12345678901234567890", 20); }
static void source_quench(struct frame *f) { frame_icmp(f, 4, 1, 2, WIRE_ICMP4_SOURCE_QUENCH, 0, 0, "12345678901234567890", 20); }
static void timestamp_request(struct frame *f) { frame_icmp(f, 4, 1, 2, 13, 0, 0, "123456789012", 12); }
static void router_advertisement(struct frame *f) { frame_icmp(f, 6, 1, 2, WIRE_ICMP6_ROUTER_ADVERT, 0, 0x40000e10, "12345678", 8), f->b[21] = 255; }
static void mld_zero_group(struct frame *f) { frame_icmp(f, 6, 1, 2, WIRE_ICMP6_MLD_QUERY, 0, 0, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\377\377", 20); }
static void cut_echo(struct frame *f, int family, size_t n)
{
    frame_echo(f, family, 1, 2);
    f->n = f->l4 + n;
    frame_fix(f);
    frame_sum(f);
}
static void echo_of_4(struct frame *f) { cut_echo(f, 4, 4); }
static void echo_of_7(struct frame *f) { cut_echo(f, 4, 7); }
static void echo6_of_4(struct frame *f) { cut_echo(f, 6, 4); }
static void empty_icmp(struct frame *f) { frame_ip(f, 4, 1, 2, 1); }
static void empty_icmp6(struct frame *f) { frame_ip(f, 6, 1, 2, 58); }
static void bad_icmp_sum(struct frame *f) { frame_echo(f, 4, 1, 2), f->b[f->l4 + 2] ^= 1; }
static void bad_icmp6_sum(struct frame *f) { frame_echo(f, 6, 1, 2), f->b[f->l4 + 2] ^= 1; }
static void smallest_echo(struct frame *f) { frame_icmp(f, 4, 1, 2, WIRE_ICMP4_ECHO, 0, 1, NULL, 0); }

static void v18_and_v19_errors_are_answered_with_silence(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"closed port", udp_closed_port, PL_DROP_UDP_NO_PORT, PL_WHY_ICMP_PORT_UNREACHABLE},
        {"closed port, IPv6", udp_closed_port6, PL_DROP_UDP_NO_PORT, PL_WHY_ICMP_PORT_UNREACHABLE},
        {"V18 broadcast to a closed port", udp_broadcast, PL_DROP_UDP_NO_PORT, 0},
        {"V18 multicast to a closed port", udp_group6, PL_DROP_UDP_NO_PORT, 0},
        {"V18 an error about nothing of ours", error_unknown_protocol, PL_DROP_ICMP_QUOTE, 0},
        {"V18 an error about an error", error_about_error, PL_DROP_ICMP_QUOTE, 0},
        {"V18 an unknown error, IPv6", unknown_error6, PL_DROP_ICMP_TYPE, 0},
        {"redirect", redirect, PL_DROP_ICMP_TYPE, 0},
        {"MUST-55 source quench", source_quench, PL_DROP_ICMP_SOURCE_QUENCH, 0},
        {"timestamp request", timestamp_request, PL_DROP_ICMP_TYPE, 0},
        {"V25 router advertisement", router_advertisement, PL_DROP_ICMP_TYPE, 0},
        {"V26 MLD query of group zero", mld_zero_group, PL_DROP_ICMP_TYPE, 0},
        {"V19 echo of 4 bytes", echo_of_4, PL_DROP_ICMP_MALFORMED, 0},
        {"V19 echo of 7 bytes", echo_of_7, PL_DROP_ICMP_MALFORMED, 0},
        {"V19 ICMPv6 echo of 4 bytes", echo6_of_4, PL_DROP_ICMP_MALFORMED, 0},
        {"V19 no ICMP at all", empty_icmp, PL_DROP_ICMP_CHECKSUM, 0},
        {"V19 no ICMPv6 at all", empty_icmp6, PL_DROP_ICMP_CHECKSUM, 0},
        {"ICMP checksum", bad_icmp_sum, PL_DROP_ICMP_CHECKSUM, 0},
        {"ICMPv6 checksum", bad_icmp6_sum, PL_DROP_ICMP_CHECKSUM, 0},
        {"an echo without text", smallest_echo, PL_DROP_NONE, PL_WHY_ECHO_REPLY},
    };
    RUN(rows);
}

static void v18_a_token_bucket_bounds_errors(void **state)
{
    (void)state;
    unsigned errors = 0;
    for (unsigned i = 0; i < 1000; i++) {
        struct frame f;
        udp_closed_port(&f);
        host_rx(&h, f.b, f.n);
        errors += host_tx_all(&h);
    }
    assert_int_equal(errors, 50);
    assert_int_equal(host_drops(&h, PL_DROP_OWED_LIMIT), 950);
    for (unsigned ms = 0; ms < 1000; ms++) {                        /* and a hundred a second from then on */
        struct frame f;
        host_wait(&h, h.now + PL_MS);
        udp_closed_port(&f);
        host_rx(&h, f.b, f.n);
        errors += host_tx_all(&h);
    }
    assert_in_range(errors, 50 + 99, 50 + 101);
    still_alive("a flood");
}

/* The victim connects to host 1; returns its SYN's sequence number. */
static uint32_t connect_out(int family, pl_conn *c)
{
    struct pl_connect_params params = {.remote = {.addr = host_addr(1, family), .port = 80}, .local = {.port = 5000}, .isn = 1000, .isn_fixed = true};
    assert_int_equal(pl_connect(h.s, &params, c), PL_OK);
    assert_true(host_tx(&h));
    assert_int_equal(h.out_why, PL_WHY_SYN_CONNECT);
    return get_be32(h.out + h.out_l4 + 4);
}

/* ... and is answered, by a peer that announces the MSS of a link of 9000 bytes: what holds is the path. */
static void connected_out(int family, pl_conn *c)
{
    struct frame f;
    uint32_t iss = connect_out(family, c);
    frame_tcp(&f, family, 1, 2, 80, 5000, PL_SYN | PL_ACK, 7000, iss + 1);
    f.b[f.n - 8] = 0x60;
    frame_add(&f, (const uint8_t[]){2, 4, 8960 >> 8, 8960 & 255}, 4);
    frame_fix(&f);
    frame_sum(&f);
    host_rx(&h, f.b, f.n);
    host_tx_all(&h);
    struct pl_tcp_status st;
    assert_int_equal(pl_status(h.s, *c, &st, sizeof st), PL_OK);
    assert_int_equal(st.state, PL_ESTABLISHED);
}

/* An error from host 1 about our segment with this sequence number. */
static void error_about(struct frame *f, int family, uint8_t type, uint8_t code, uint32_t word, uint32_t seq, uint16_t local_port)
{
    struct frame inner;
    frame_tcp(&inner, family, 2, 1, local_port, 80, PL_ACK, seq, 1);
    if (family == 4) {
        put_be16(inner.b + 16, 1500);     /* it was larger than what is quoted */
        wire_ip4_sum_set(inner.b + 14, 20);
    }
    frame_icmp(f, family, 1, 2, type, code, word, inner.b + 14, (family == 4 ? 20u : 40u) + 8);
}

static void v20_quotations_cut_short_or_malformed(void **state)
{
    (void)state;
    pl_conn c;
    connected_out(4, &c);
    struct frame whole, f;
    error_about(&whole, 4, WIRE_ICMP4_UNREACHABLE, WIRE_ICMP4_PORT, 0, 1001, 5000);
    for (size_t n = 0; n < 28; n++) {
        frame_icmp(&f, 4, 1, 2, WIRE_ICMP4_UNREACHABLE, WIRE_ICMP4_PORT, 0, whole.b + whole.l4 + 8, n);
        host_rx(&h, f.b, f.n);
        assert_int_equal(h.traced_drop, PL_DROP_ICMP_QUOTE);
    }
    static const uint8_t firsts[] = {0x4f, 0x40, 0x44, 0x55, 0x65};
    for (unsigned i = 0; i < sizeof firsts; i++) {
        uint8_t quote[28];
        memcpy(quote, whole.b + whole.l4 + 8, 28);
        quote[0] = firsts[i];
        frame_icmp(&f, 4, 1, 2, WIRE_ICMP4_UNREACHABLE, WIRE_ICMP4_PORT, 0, quote, 28);
        host_rx(&h, f.b, f.n);
        assert_int_equal(h.traced_drop, PL_DROP_ICMP_QUOTE);
    }
    still_alive("short quotations");
}

static uint32_t mss_of(pl_conn c)
{
    struct pl_tcp_status st;
    assert_int_equal(pl_status(h.s, c, &st, sizeof st), PL_OK);
    return st.mss;
}

static void v21_only_a_plausible_mtu_about_a_segment_in_flight_is_believed(void **state)
{
    (void)state;
    static const struct {
        int family;
        uint32_t mtu, seq_off;
        uint16_t port;
        enum pl_drop drop;
        uint32_t mss;                     /* if it is believed */
    } rows[] = {
        {4, 1400, 100, 5000, PL_DROP_ICMP_QUOTE_SEQ, 0}, {4, 1400, UINT32_MAX, 5000, PL_DROP_ICMP_QUOTE_SEQ, 0}, {4, 1400, 0, 5001, PL_DROP_ICMP_QUOTE, 0},
        {4, 1500, 0, 5000, PL_DROP_ICMP_MTU, 0}, {4, 9000, 0, 5000, PL_DROP_ICMP_MTU, 0}, {6, 1279, 0, 5000, PL_DROP_ICMP_MTU, 0},
        {6, 0, 0, 5000, PL_DROP_ICMP_MTU, 0}, {6, 68, 0, 5000, PL_DROP_ICMP_MTU, 0}, {6, 0xffffffff, 0, 5000, PL_DROP_ICMP_MTU, 0},
        {6, 1300, 1, 5000, PL_DROP_ICMP_QUOTE_SEQ, 0}, {4, 1400, 0, 5000, PL_DROP_NONE, 1360}, {4, 68, 0, 5000, PL_DROP_NONE, 512},
        {4, 0, 0, 5000, PL_DROP_NONE, 1452}, {6, 1300, 0, 5000, PL_DROP_NONE, 1240}, {4, 1, 0, 5000, PL_DROP_NONE, 512},
    };
    for (unsigned i = 0; i < COUNT_OF(rows); i++) {
        pl_conn c;
        struct frame f;
        connected_out(rows[i].family, &c);
        uint32_t before = mss_of(c);
        assert_int_equal(before, rows[i].family == 4 ? 1460 : 1440);
        assert_int_equal(pl_send(h.s, c, "x", 1), 1);
        host_tx_all(&h);                                            /* one byte is in flight */
        struct pl_tcp_status st;
        assert_int_equal(pl_status(h.s, c, &st, sizeof st), PL_OK);
        error_about(&f, rows[i].family, rows[i].family == 4 ? WIRE_ICMP4_UNREACHABLE : WIRE_ICMP6_TOO_BIG, rows[i].family == 4 ? 4 : 0, rows[i].mtu,
                    st.snd.una + rows[i].seq_off, rows[i].port);
        host_rx(&h, f.b, f.n);
        if (h.traced_drop != rows[i].drop)
            fail_msg("row %u: %s, not %s", i, pl_drop_name((enum pl_drop)h.traced_drop), pl_drop_name(rows[i].drop));
        assert_int_equal(pl_status(h.s, c, &st, sizeof st), PL_OK);
        assert_int_equal(st.state, PL_ESTABLISHED);
        assert_int_equal(mss_of(c), rows[i].drop ? before : rows[i].mss);
        pl_abort(h.s, c);
        pl_close(h.s, c);
        host_tx_all(&h);
        still_alive("a forged MTU");
        host_wait(&h, h.now + 700 * PL_S);                          /* forgotten */
    }
}

/* MUST-54, RFC 7323 5.7 */
static void v21_what_is_learned_holds_for_the_next_connection_and_not_below_the_floor(void **state)
{
    (void)state;
    static const struct {
        int family;
        uint32_t mtu, mss;
    } rows[] = {{4, 1400, 1360}, {4, 68, 512}, {6, 1300, 1240}};
    for (unsigned i = 0; i < COUNT_OF(rows); i++) {
        pl_conn c;
        struct frame f;
        connected_out(rows[i].family, &c);
        uint8_t text[2000] = {0};
        assert_true(pl_send(h.s, c, text, sizeof text) > 0);
        assert_true(host_tx(&h));
        uint32_t seq = get_be32(h.out + h.out_l4 + 4);
        error_about(&f, rows[i].family, rows[i].family == 4 ? WIRE_ICMP4_UNREACHABLE : WIRE_ICMP6_TOO_BIG, rows[i].family == 4 ? 4 : 0, rows[i].mtu,
                    seq, 5000);
        host_rx(&h, f.b, f.n);
        assert_int_equal(h.traced_drop, PL_DROP_NONE);
        assert_int_equal(mss_of(c), rows[i].mss);
        while (host_tx(&h))
            assert_true(h.out_bytes - 14 <= rows[i].mss + (rows[i].family == 4 ? 40u : 60u) && (rows[i].family == 6 || (h.out[20] & 0x40)));   /* DF */
        uint32_t learned = mss_of(c);
        pl_abort(h.s, c);
        pl_close(h.s, c);
        host_tx_all(&h);
        connected_out(rows[i].family, &c);
        assert_int_equal(mss_of(c), learned);
        pl_abort(h.s, c);
        pl_close(h.s, c);
        host_tx_all(&h);
        host_wait(&h, h.now + 700 * PL_S);                          /* and is forgotten */
        connected_out(rows[i].family, &c);
        assert_true(mss_of(c) > learned);
        pl_abort(h.s, c);
        pl_close(h.s, c);
        host_tx_all(&h);
    }
}

/* Nothing in a quoted datagram can be checked but its ports: what it teaches lies between the floor and what is known all the more. */
static void v21_a_quoted_datagram_teaches_nothing_below_the_floor(void **state)
{
    (void)state;
    static const struct {
        int family;
        uint32_t mtu, mss;
    } rows[] = {{4, 68, 512}, {4, 1, 512}, {4, 9000, 1460}, {6, 68, 1440}, {6, 1279, 1440}, {6, 1280, 1220}, {6, 0xffffffff, 1440}};
    for (unsigned i = 0; i < COUNT_OF(rows); i++) {
        struct pl_endpoint local = {.port = 5353}, remote = {.addr = host_addr(1, rows[i].family), .port = 53};
        struct frame inner, f;
        pl_udp u;
        pl_conn c;
        assert_int_equal(pl_udp_open(h.s, &local, 0, &u), PL_OK);
        assert_int_equal(pl_udp_send(h.s, u, &remote, "hello", 5), PL_OK);
        host_tx_all(&h);
        frame_ip(&inner, rows[i].family, 2, 1, 17);
        frame_add(&inner, (const uint8_t[]){5353 >> 8, 5353 & 255, 0, 53, 0, 13, 0, 0}, 8);
        frame_fix(&inner);
        if (rows[i].family == 4) {
            put_be16(inner.b + 16, 1500);
            wire_ip4_sum_set(inner.b + 14, 20);
        }
        frame_icmp(&f, rows[i].family, 1, 2, rows[i].family == 4 ? WIRE_ICMP4_UNREACHABLE : WIRE_ICMP6_TOO_BIG, rows[i].family == 4 ? 4 : 0, rows[i].mtu,
                   inner.b + 14, (rows[i].family == 4 ? 20u : 40u) + 8);
        host_rx(&h, f.b, f.n);
        connected_out(rows[i].family, &c);
        assert_int_equal(mss_of(c), rows[i].mss);
        pl_abort(h.s, c);
        pl_close(h.s, c);
        pl_close(h.s, u);
        host_tx_all(&h);
        still_alive("a forged MTU about a datagram");
        host_wait(&h, h.now + 700 * PL_S);
    }
}

/* MUST-56a, SHLD-26 */
static void v22_a_forged_hard_error_ends_no_established_connection(void **state)
{
    (void)state;
    static const int families[] = {4, 6};
    for (unsigned i = 0; i < 2; i++) {
        pl_conn c;
        struct frame f;
        struct pl_tcp_status st;
        connected_out(families[i], &c);
        assert_int_equal(pl_send(h.s, c, "hello", 5), 5);
        assert_true(host_tx(&h));
        uint32_t seq = get_be32(h.out + h.out_l4 + 4);
        for (uint8_t code = 0; code <= 15; code++) {
            if (families[i] == 4 && code == WIRE_ICMP4_FRAG_NEEDED)
                continue;
            error_about(&f, families[i], families[i] == 4 ? WIRE_ICMP4_UNREACHABLE : WIRE_ICMP6_UNREACHABLE, code, 0, seq, 5000);
            host_rx(&h, f.b, f.n);
            assert_int_equal(h.traced_drop, PL_DROP_NONE);
            assert_int_equal(pl_status(h.s, c, &st, sizeof st), PL_OK);
            assert_int_equal(st.state, PL_ESTABLISHED);
            assert_int_equal(pl_error(h.s, c), 0);
        }
        pl_abort(h.s, c);
        pl_close(h.s, c);
        host_tx_all(&h);
    }
    still_alive("forged errors");
}

/* ------------------------------------------------------------ Neighbour Discovery, UDP ------------------------------------------------------------ */

static void solicit(struct frame *f)
{
    uint8_t m[32] = {135, [24] = 1, 1, 2, 0, 0, 0, 0, 1};
    memcpy(m + 8, host_addr(2, 0).b, 16);
    frame_nd(f, 1, 2, m, sizeof m);
}
static void ns_hop_limit_64(struct frame *f) { solicit(f), f->b[21] = 64; }
static void ns_option_0(struct frame *f) { solicit(f), f->b[f->l4 + 25] = 0, frame_sum(f); }
static void ns_option_beyond(struct frame *f) { solicit(f), f->b[f->l4 + 25] = 9, frame_sum(f); }
static void ns_group_target(struct frame *f) { solicit(f), f->b[f->l4 + 8] = 0xff, frame_sum(f); }
static void ns_other_target(struct frame *f) { solicit(f), f->b[f->l4 + 23] = 99, frame_sum(f); }
static void ns_code_1(struct frame *f) { solicit(f), f->b[f->l4 + 1] = 1, frame_sum(f); }
static void ns_cut(struct frame *f) { solicit(f), f->n = f->l4 + 20, frame_fix(f), frame_sum(f); }
static void dad(struct frame *f)          /* somebody is about to take our address */
{
    solicit(f);
    f->n -= 8;
    memset(f->b + 22, 0, 16);
    memcpy(f->b + 38, (const uint8_t[16]){0xff, 2, [11] = 1, 0xff, 0, 0, 2}, 16);
    wire_eth_multicast(f->b, f->b + 38);
    frame_fix(f);
    frame_sum(f);
}
static void dad_with_address(struct frame *f)
{
    solicit(f);
    memset(f->b + 22, 0, 16);
    frame_sum(f);
}
static void advert(struct frame *f, unsigned target, uint8_t flags)
{
    uint8_t m[32] = {136, [4] = flags, [24] = 2, 1, 2, 0, 0, 0, 0, 66};
    memcpy(m + 8, host_addr(target, 0).b, 16);
    frame_nd(f, 1, 2, m, sizeof m);
}
static void na_unasked(struct frame *f) { advert(f, 5, 0x60); }
static void na_ours(struct frame *f) { advert(f, 2, 0x60); }
static void na_of_permanent(struct frame *f) { advert(f, 1, 0x60); }
static void na_solicited_to_group(struct frame *f) { advert(f, 5, 0x60), to_all_nodes(f), frame_sum(f); }

static void v24_neighbour_discovery_is_checked(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"a good solicitation", solicit, PL_DROP_NONE, PL_WHY_ND_ADVERTISE},
        {"hop limit 64", ns_hop_limit_64, PL_DROP_ND_INVALID, 0},
        {"option length 0", ns_option_0, PL_DROP_ND_INVALID, 0},
        {"option beyond the end", ns_option_beyond, PL_DROP_ND_INVALID, 0},
        {"a group as target", ns_group_target, PL_DROP_ND_INVALID, 0},
        {"for somebody else", ns_other_target, PL_DROP_ND_NOT_FOR_US, 0},
        {"code 1", ns_code_1, PL_DROP_ND_INVALID, 0},
        {"cut short", ns_cut, PL_DROP_ND_INVALID, 0},
        {"duplicate address detection of our address", dad, PL_DROP_NONE, PL_WHY_ND_ADVERTISE},
        {"the same with a link address", dad_with_address, PL_DROP_ND_INVALID, 0},
        {"unasked advertisement", na_unasked, PL_DROP_ND_UNASKED, 0},
        {"our address advertised by another", na_ours, PL_DROP_ARP_CONFLICT, 0},
        {"solicited, yet to a group", na_solicited_to_group, PL_DROP_ND_INVALID, 0},
        {"a permanent neighbour advertised elsewhere", na_of_permanent, PL_DROP_NONE, 0},
    };
    RUN(rows);
    uint32_t cursor = 0;
    struct pl_neighbor n;
    while (pl_neighbor_next(h.s, &cursor, &n))
        assert_true(n.permanent && n.mac[5] == 1);
    struct frame f;
    dad(&f);
    host_rx(&h, f.b, f.n);
    assert_true(host_tx(&h));
    assert_memory_equal(h.out + 38, ((const uint8_t[16]){0xff, 2, [15] = 1}), 16);      /* told to all nodes */
    assert_int_equal(h.out[h.out_l4 + 4], 0x20);                                        /* override, not solicited */
    assert_int_equal(h.out[21], 255);
}

static void udp_len_7(struct frame *f) { frame_udp(f, 4, 1, 2, 5, 99, "abcd", 4), put_be16(f->b + f->l4 + 4, 7), frame_sum(f); }
static void udp_len_0(struct frame *f) { frame_udp(f, 6, 1, 2, 5, 99, "abcd", 4), put_be16(f->b + f->l4 + 4, 0), frame_sum(f); }
static void udp_len_beyond(struct frame *f) { frame_udp(f, 4, 1, 2, 5, 99, "abcd", 4), put_be16(f->b + f->l4 + 4, 13), frame_sum(f); }
static void udp_cut(struct frame *f) { frame_ip(f, 4, 1, 2, 17), frame_add(f, "\0\5\0\143\0\10\0", 7), frame_fix(f); }
static void udp_bad_sum(struct frame *f) { frame_udp(f, 4, 1, 2, 5, 99, "abcd", 4), f->b[f->l4 + 6] ^= 1; }
static void udp6_bad_sum(struct frame *f) { frame_udp(f, 6, 1, 2, 5, 99, "abcd", 4), f->b[f->l4 + 6] ^= 1; }
static void udp_no_sum(struct frame *f) { frame_udp(f, 4, 1, 2, 5, 99, "abcd", 4), put_be16(f->b + f->l4 + 6, 0); }
static void udp6_no_sum(struct frame *f) { frame_udp(f, 6, 1, 2, 5, 99, "abcd", 4), put_be16(f->b + f->l4 + 6, 0); }

static void v27_udp_lengths_and_checksums(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"length 7", udp_len_7, PL_DROP_UDP_LENGTH, 0},
        {"length 0", udp_len_0, PL_DROP_UDP_LENGTH, 0},
        {"length beyond the packet", udp_len_beyond, PL_DROP_UDP_LENGTH, 0},
        {"7 bytes", udp_cut, PL_DROP_UDP_LENGTH, 0},
        {"checksum", udp_bad_sum, PL_DROP_UDP_CHECKSUM, 0},
        {"checksum, IPv6", udp6_bad_sum, PL_DROP_UDP_CHECKSUM, 0},
        {"no checksum over IPv6", udp6_no_sum, PL_DROP_UDP_CHECKSUM, 0},
        {"no checksum over IPv4 is allowed", udp_no_sum, PL_DROP_NONE, 0},
    };
    pl_udp u;
    assert_int_equal(pl_udp_open(h.s, &(struct pl_endpoint){.port = 99}, 0, &u), PL_OK);
    RUN(rows);
    uint8_t got[8];
    assert_int_equal(pl_udp_recv(h.s, u, NULL, got, sizeof got), 4);
    assert_int_equal(pl_udp_recv(h.s, u, NULL, got, sizeof got), PL_EAGAIN);
    struct frame f;                       /* less than the packet is fine: the rest is nobody's */
    frame_udp(&f, 4, 1, 2, 5, 99, "abcdefgh", 8);
    put_be16(f.b + f.l4 + 4, 12);
    f.n -= 4;
    frame_sum(&f);
    f.n += 4;
    host_rx(&h, f.b, f.n);
    assert_int_equal(pl_udp_recv(h.s, u, NULL, got, sizeof got), 4);
}

static void any_frame_may_come(void **state)
{
    (void)state;
    struct frame f;
    uint64_t x = 88172645463325252u;
    for (unsigned round = 0; round < 60000; round++) {
        static void (*const seeds[])(struct frame *) = {ip4, lsrr, solicit, dad, na_unasked, good_request, routing_header_0, atomic_fragment,
                                                        padded_hop_by_hop, udp_closed_port6, error_unknown_protocol, land, syn_in_broadcast};
        seeds[round % COUNT_OF(seeds)](&f);
        x ^= x << 13, x ^= x >> 7, x ^= x << 17;
        for (unsigned k = 0; k < 1 + (x & 3); k++) {
            x ^= x << 13, x ^= x >> 7, x ^= x << 17;
            f.b[(x >> 8) % f.n] = (uint8_t)(x & 7 ? x >> 40 : 0);
        }
        if (x & 64)
            f.n -= (x >> 20) % f.n;
        else if (x & 128 && f.b[12] == 0x08 && f.b[13] == 0 && f.n > 34)
            wire_ip4_sum_set(f.b + 14, 20);
        host_rx(&h, f.b, f.n);
        host_tx_all(&h);
        if (round % 1000 == 0) {
            host_wait(&h, h.now + PL_S);
            host_tx_all(&h);
        }
    }
    host_wait(&h, h.now + 1000 * PL_S);
    host_tx_all(&h);
    still_alive("60000 damaged frames");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(v1_every_short_frame_is_dropped_and_nothing_read_beyond_it, make, unmake),
        cmocka_unit_test_setup_teardown(the_link_takes_only_what_is_for_us, make, unmake),
        cmocka_unit_test_setup_teardown(v23_arp_is_believed_only_when_it_was_asked, make, unmake),
        cmocka_unit_test_setup_teardown(v23_a_forged_answer_does_not_redirect_a_neighbour, make, unmake),
        cmocka_unit_test_setup_teardown(v2_to_v12_lengths_options_and_fragments_of_ipv4, make, unmake),
        cmocka_unit_test_setup_teardown(v4_padding_of_the_link_is_no_data, make, unmake),
        cmocka_unit_test_setup_teardown(v13_identifications_cannot_be_foretold, make, unmake),
        cmocka_unit_test_setup_teardown(v12_to_v16_extension_headers, make, unmake),
        cmocka_unit_test_setup_teardown(v17_martians_and_land, make, unmake),
        cmocka_unit_test_setup_teardown(v18_and_v19_errors_are_answered_with_silence, make, unmake),
        cmocka_unit_test_setup_teardown(v18_a_token_bucket_bounds_errors, make, unmake),
        cmocka_unit_test_setup_teardown(v20_quotations_cut_short_or_malformed, make, unmake),
        cmocka_unit_test_setup_teardown(v21_only_a_plausible_mtu_about_a_segment_in_flight_is_believed, make, unmake),
        cmocka_unit_test_setup_teardown(v21_what_is_learned_holds_for_the_next_connection_and_not_below_the_floor, make, unmake),
        cmocka_unit_test_setup_teardown(v21_a_quoted_datagram_teaches_nothing_below_the_floor, make, unmake),
        cmocka_unit_test_setup_teardown(v22_a_forged_hard_error_ends_no_established_connection, make, unmake),
        cmocka_unit_test_setup_teardown(v24_neighbour_discovery_is_checked, make, unmake),
        cmocka_unit_test_setup_teardown(v27_udp_lengths_and_checksums, make, unmake),
        cmocka_unit_test_setup_teardown(any_frame_may_come, make, unmake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
