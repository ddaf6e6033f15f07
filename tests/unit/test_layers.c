/* SPDX-License-Identifier: MIT
 *
 * test_layers.c: one message through the layers, and the decoder below it on every kind of frame, cut anywhere.
 */
#include "support/unit.h"

#include "support/guard.h"
#include "view/decode.h"
#include "view/layers.h"

static char *got;
static size_t got_bytes;

static struct layers_opts opts(bool ethernet)
{
    struct layers_opts o;
    FILE *stream = open_memstream(&got, &got_bytes);
    layers_opts_default(&o, stream);
    o.colour = false;
    o.unicode = true;
    o.ethernet = ethernet;
    return o;
}

static void expect(struct layers_opts *o, const char *want)
{
    fclose(o->out);
    if (strcmp(got, want)) fprintf(stderr, "%s", got);        /* cmocka's messages are cut */
    assert_true(!strcmp(got, want));
    free(got);
}

/* Ethernet, IPv4, TCP with timestamps, and the first line of a request; the TCP checksum is set by the test that looks at it. */
static const uint8_t http_frame[] = {
    0x02, 0x00, 0x00, 0x00, 0x00, 0x02, 0x02, 0x00, 0x00, 0x00, 0x00, 0x01, 0x08, 0x00,                                     /* Ethernet */
    0x45, 0x00, 0x00, 0x46, 0x12, 0x34, 0x40, 0x00, 0x40, 0x06, 0xa4, 0x7a, 0xc0, 0x00, 0x02, 0x01, 0xc0, 0x00, 0x02, 0x02, /* IPv4 */
    0xc0, 0x00, 0x00, 0x50, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x01, 0x80, 0x18, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, /* TCP */
    0x01, 0x01, 0x08, 0x0a, 0x00, 0x00, 0x00, 0x07, 0x00, 0x00, 0x00, 0x09,                                                 /* timestamps */
    'G', 'E', 'T', ' ', '/', ' ', 'H', 'T', 'T', 'P', '/', '1', '.', '0', '\r', '\n', '\r', '\n',
};

static void a_request_over_ethernet_shows_every_layer_and_field(void **x)
{
    (void)x;
    struct layers_opts o = opts(true);
    uint8_t f[sizeof http_frame];
    memcpy(f, http_frame, sizeof f);
    f[50] = 0x53, f[51] = 0x9d;
    o.application = "HTTP";
    layers_print(&o, f, sizeof f);
    expect(&o,
           "▼ on the way down, each layer puts its header in front:\n"
           "   application  HTTP         18 bytes\n"
           "   transport    TCP          50 bytes  = 32 of its own + 18 from above\n"
           "   network      IPv4         70 bytes  = 20 of its own + 50 from above\n"
           "   data link    Ethernet     84 bytes  = 14 of its own + 70 from above\n"
           "[Ethernet 14 | IPv4 20 | TCP 20+12 | HTTP 18]\n"
           "Ethernet, data link layer: bytes 0 to 13\n"
           "  0000  02 00 00 00 00 02 02 00 00 00 00 01 08 00\n"
           "         0  6       destination            02:00:00:00:00:02\n"
           "         6  6       source                 02:00:00:00:00:01\n"
           "        12  2       type                   0x0800: IPv4\n"
           "IPv4, network layer: bytes 14 to 33\n"
           "  000e  45 00 00 46 12 34 40 00 40 06 a4 7a c0 00 02 01\n"
           "  001e  c0 00 02 02\n"
           "        14  4 bits  version                4\n"
           "        14  4 bits  header length          5 words: 20 bytes\n"
           "        15  6 bits  DSCP                   0\n"
           "        15  2 bits  ECN                    0\n"
           "        16  2       total length           70\n"
           "        18  2       identification         0x1234\n"
           "        20  3 bits  flags                  DF: not to be fragmented\n"
           "        20  13 bits fragment offset        0\n"
           "        22  1       time to live           64\n"
           "        23  1       protocol               6: TCP\n"
           "        24  2       header checksum        0xa47a: right\n"
           "        26  4       source address         192.0.2.1\n"
           "        30  4       destination address    192.0.2.2\n"
           "TCP, transport layer: bytes 34 to 65\n"
           "  0022  c0 00 00 50 00 00 00 01 00 00 00 01 80 18 ff ff\n"
           "  0032  53 9d 00 00 01 01 08 0a 00 00 00 07 00 00 00 09\n"
           "        34  2       source port            49152\n"
           "        36  2       destination port       80\n"
           "        38  4       sequence number        1\n"
           "        42  4       acknowledgment number  1\n"
           "        46  4 bits  data offset            8 words: 32 bytes\n"
           "        46  4 bits  reserved               0\n"
           "        47  1       control bits           PSH,ACK\n"
           "        48  2       window                 65535\n"
           "        50  2       checksum               0x539d: right\n"
           "        52  2       urgent pointer         0 (not valid: no URG flag)\n"
           "        54  1       option                 no operation: padding\n"
           "        55  1       option                 no operation: padding\n"
           "        56  10      option                 timestamps: mine 7, your last 9\n"
           "HTTP, application layer: bytes 66 to 83\n"
           "  0042  47 45 54 20 2f 20 48 54 54 50 2f 31 2e 30 0d 0a  GET / HTTP/1.0..\n"
           "  0052  0d 0a                                            ..\n"
           "▲ on the way up, each layer takes its header off:\n"
           "   data link    Ethernet     84 - 14 = 70: is it for this station? the type says who gets the rest\n"
           "   network      IPv4         70 - 20 = 50: is it for this host? the protocol says who gets the rest\n"
           "   transport    TCP          50 - 32 = 18: which connection? in order, whole, once, to the program\n"
           "   application  HTTP         18 bytes arrive\n");
}

static void without_ethernet_the_frame_begins_with_ip(void **x)
{
    (void)x;
    struct layers_opts o = opts(false);
    o.no_fields = true;
    o.unicode = false;
    layers_print(&o, http_frame + 14, sizeof http_frame - 14);
    expect(&o,
           "v on the way down, each layer puts its header in front:\n"
           "   application  data         18 bytes\n"
           "   transport    TCP          50 bytes  = 32 of its own + 18 from above\n"
           "   network      IPv4         70 bytes  = 20 of its own + 50 from above\n"
           "[IPv4 20 | TCP 20+12 | data 18]\n"
           "IPv4, network layer: bytes 0 to 19\n"
           "  0000  45 00 00 46 12 34 40 00 40 06 a4 7a c0 00 02 01\n"
           "  0010  c0 00 02 02\n"
           "TCP, transport layer: bytes 20 to 51\n"
           "  0014  c0 00 00 50 00 00 00 01 00 00 00 01 80 18 ff ff\n"
           "  0024  00 00 00 00 01 01 08 0a 00 00 00 07 00 00 00 09\n"
           "data, application layer: bytes 52 to 69\n"
           "  0034  47 45 54 20 2f 20 48 54 54 50 2f 31 2e 30 0d 0a  GET / HTTP/1.0..\n"
           "  0044  0d 0a                                            ..\n"
           "^ on the way up, each layer takes its header off:\n"
           "   network      IPv4         70 - 20 = 50: is it for this host? the protocol says who gets the rest\n"
           "   transport    TCP          50 - 32 = 18: which connection? in order, whole, once, to the program\n"
           "   application  data         18 bytes arrive\n");
}

static void an_echo_request_over_ipv6(void **x)
{
    (void)x;
    static const uint8_t f[] = {
        0x60, 0x02, 0x34, 0x56, 0x00, 0x0a, 0x3a, 0x40, 0x20, 0x01, 0x0d, 0xb8, 0,    0,    0,   0,   0,
        0,    0,    0,    0,    0,    0,    1,    0x20, 0x01, 0x0d, 0xb8, 0,    0,    0,    0,   0,   0,
        0,    0,    0,    0,    0,    2,    0x80, 0x00, 0xa9, 0xa7, 0x12, 0x34, 0x00, 0x01, 'h', 'i',
    };
    struct layers_opts o = opts(false);
    o.no_summary = true;
    layers_print(&o, f, sizeof f);
    expect(&o,
           "[IPv6 40 | ICMPv6 8 | data 2]\n"
           "IPv6, network layer: bytes 0 to 39\n"
           "  0000  60 02 34 56 00 0a 3a 40 20 01 0d b8 00 00 00 00\n"
           "  0010  00 00 00 00 00 00 00 01 20 01 0d b8 00 00 00 00\n"
           "  0020  00 00 00 00 00 00 00 02\n"
           "         0  4 bits  version                6\n"
           "         0  8 bits  traffic class          DSCP 0, ECN 0\n"
           "         1  20 bits flow label             0x23456\n"
           "         4  2       payload length         10\n"
           "         6  1       next header            58: ICMPv6\n"
           "         7  1       hop limit              64\n"
           "         8  16      source address         2001:db8::1\n"
           "        24  16      destination address    2001:db8::2\n"
           "ICMPv6, network layer: bytes 40 to 47\n"
           "  0028  80 00 a9 a7 12 34 00 01\n"
           "        40  1       type                   128: echo request\n"
           "        41  1       code                   0\n"
           "        42  2       checksum               0xa9a7: right\n"
           "        44  2       identifier             4660\n"
           "        46  2       sequence number        1\n"
           "data, application layer: bytes 48 to 49\n"
           "  0030  68 69                                            hi\n");
}

static void an_arp_request_filled_up_by_the_link(void **x)
{
    (void)x;
    uint8_t f[60] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0,   0, 0, 0, 1, 8, 6, 0, 1, 8, 0,   6, 4, 0,
                     1,    2,    0,    0,    0,    0,    1, 192, 0, 2, 1, 0, 0, 0, 0, 0, 0, 192, 0, 2, 2};
    struct layers_opts o = opts(true);
    layers_print(&o, f, sizeof f);
    expect(&o,
           "▼ on the way down, each layer puts its header in front:\n"
           "   data link    ARP          28 bytes  = 28 of its own\n"
           "   data link    Ethernet     42 bytes  = 14 of its own + 28 from above\n"
           "                             60 bytes  = 42 + 18 to fill the link's frame up\n"
           "[Ethernet 14 | ARP 28 | padding 18]\n"
           "Ethernet, data link layer: bytes 0 to 13\n"
           "  0000  ff ff ff ff ff ff 02 00 00 00 00 01 08 06\n"
           "         0  6       destination            ff:ff:ff:ff:ff:ff\n"
           "         6  6       source                 02:00:00:00:00:01\n"
           "        12  2       type                   0x0806: ARP\n"
           "ARP, data link layer: bytes 14 to 41\n"
           "  000e  00 01 08 00 06 04 00 01 02 00 00 00 00 01 c0 00\n"
           "  001e  02 01 00 00 00 00 00 00 c0 00 02 02\n"
           "        14  2       hardware               1: Ethernet\n"
           "        16  2       protocol               0x0800: IPv4\n"
           "        18  1       hardware length        6\n"
           "        19  1       protocol length        4\n"
           "        20  2       opcode                 1: who has the target address?\n"
           "        22  6       sender hardware        02:00:00:00:00:01\n"
           "        28  4       sender protocol        192.0.2.1\n"
           "        32  6       target hardware        00:00:00:00:00:00\n"
           "        38  4       target protocol        192.0.2.2\n"
           "padding, data link layer: bytes 42 to 59\n"
           "  002a  00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00  ................\n"
           "  003a  00 00                                            ..\n"
           "▲ on the way up, each layer takes its header off:\n"
           "   data link    Ethernet     60 - 14 = 46: is it for this station? the type says who gets the rest\n"
           "   data link    ARP          46 - 28 = 18: it is for this layer itself\n"
           "                             18 - 18 = 0: the link filled its frame up\n");
}

static void a_udp_datagram_with_a_wrong_checksum(void **x)
{
    (void)x;
    static const uint8_t f[] = {0x46, 0, 0, 34, 0, 1, 0, 0,    64,   17, 0xf3, 0xc5, 192, 0,    2,    1,   192,
                                0,    2, 2, 1,  1, 1, 0, 0x13, 0x88, 0,  53,   0,    10,  0xbe, 0xef, 'h', 'i'};
    struct layers_opts o = opts(false);
    o.no_summary = true;
    layers_print(&o, f, sizeof f);
    expect(&o,
           "[IPv4 20+4 | UDP 8 | data 2]\n"
           "IPv4, network layer: bytes 0 to 23\n"
           "  0000  46 00 00 22 00 01 00 00 40 11 f3 c5 c0 00 02 01\n"
           "  0010  c0 00 02 02 01 01 01 00\n"
           "         0  4 bits  version                4\n"
           "         0  4 bits  header length          6 words: 24 bytes\n"
           "         1  6 bits  DSCP                   0\n"
           "         1  2 bits  ECN                    0\n"
           "         2  2       total length           34\n"
           "         4  2       identification         0x0001\n"
           "         6  3 bits  flags                  may be fragmented\n"
           "         6  13 bits fragment offset        0\n"
           "         8  1       time to live           64\n"
           "         9  1       protocol               17: UDP\n"
           "        10  2       header checksum        0xf3c5: right\n"
           "        12  4       source address         192.0.2.1\n"
           "        16  4       destination address    192.0.2.2\n"
           "        20          options                4 bytes\n"
           "UDP, transport layer: bytes 24 to 31\n"
           "  0018  13 88 00 35 00 0a be ef\n"
           "        24  2       source port            5000\n"
           "        26  2       destination port       53\n"
           "        28  2       length                 10\n"
           "        30  2       checksum               0xbeef: WRONG\n"
           "data, application layer: bytes 32 to 33\n"
           "  0020  68 69                                            hi\n");
}

static void a_long_payload_is_cut(void **x)
{
    (void)x;
    uint8_t f[100];
    memset(f, 'x', sizeof f);
    struct layers_opts o = opts(false);
    o.no_summary = true;
    o.payload_max = 20;
    layers_print(&o, f, sizeof f);
    expect(&o,
           "[data 100]\n"
           "data, application layer: bytes 0 to 99\n"
           "  0000  78 78 78 78 78 78 78 78 78 78 78 78 78 78 78 78  xxxxxxxxxxxxxxxx\n"
           "  0010  78 78 78 78                                      xxxx\n"
           "        and 80 more bytes\n");
}

static void decoding_stops_at_the_end_wherever_a_frame_is_cut(void **x)
{
    (void)x;
    struct view_frame v;
    for (size_t n = 0; n <= sizeof http_frame; n++) {
        view_decode(&v, guard_copy(http_frame, n), n, true);
        size_t total = 0;
        for (unsigned i = 0; i < v.parts; i++) {
            assert_int_equal(v.part[i].at, total);     /* every byte belongs to exactly one part */
            total += v.part[i].len;
        }
        assert_int_equal(total, n);
        assert_int_equal(v.has_segment, n == sizeof http_frame);
        guard_reset();
    }
}

static void any_bytes_can_be_printed(void **x)
{
    (void)x;
    uint64_t dice = 1;
    for (int round = 0; round < 3000; round++) {
        uint8_t f[sizeof http_frame];
        memcpy(f, http_frame, sizeof f);
        for (int i = 0; i < 4; i++) {
            dice = dice * 6364136223846793005u + 1442695040888963407u;
            f[(dice >> 33) % sizeof f] ^= (uint8_t)(dice >> 56);
        }
        size_t n = (size_t)(dice >> 20) % (sizeof f + 1);
        struct layers_opts o = opts(true);
        layers_print(&o, guard_copy(f, n), n);
        fclose(o.out);
        assert_true(got_bytes > 0);
        free(got);
        guard_reset();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_over_ethernet_shows_every_layer_and_field),
        cmocka_unit_test(without_ethernet_the_frame_begins_with_ip),
        cmocka_unit_test(an_echo_request_over_ipv6),
        cmocka_unit_test(an_arp_request_filled_up_by_the_link),
        cmocka_unit_test(a_udp_datagram_with_a_wrong_checksum),
        cmocka_unit_test(a_long_payload_is_cut),
        cmocka_unit_test(decoding_stops_at_the_end_wherever_a_frame_is_cut),
        cmocka_unit_test(any_bytes_can_be_printed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
