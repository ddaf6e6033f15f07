/* SPDX-License-Identifier: MIT
 *
 * Ethernet and ARP: every truncation (threats V1), known bytes, group addresses.
 */
#include "support/unit.h"

#include "support/guard.h"
#include "wire/arp_hdr.h"
#include "wire/eth_hdr.h"

static const uint8_t arp_request[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1, 0x08, 0x06, 0, 1, 8, 0, 6, 4, 0,
                                      1,    2,    0,    0,    0,    0,    1, 192, 0, 2, 1, 0, 0, 0, 0, 0, 0, 192, 0, 2, 2};

static void the_ethernet_header_is_read_and_written(void **state)
{
    (void)state;
    struct wire_eth h;
    for (size_t n = 0; n <= sizeof arp_request; n++)
        assert_int_equal(wire_eth_read(guard_copy(arp_request, n), n, &h), n >= 14);
    assert_true(wire_eth_is_broadcast(h.dst) && wire_eth_is_group(h.dst));
    assert_false(wire_eth_is_broadcast(h.src) || wire_eth_is_group(h.src));
    assert_int_equal(h.type, WIRE_ETH_ARP);
    uint8_t back[14];
    wire_eth_write(back, &h);
    assert_memory_equal(back, arp_request, 14);
    guard_reset();
}

static void the_arp_packet_is_read_and_written(void **state)
{
    (void)state;
    static const uint8_t sender[16] = IP4(192, 0, 2, 1), target[16] = IP4(192, 0, 2, 2);
    struct wire_arp h;
    for (size_t n = 0; n <= 28; n++)
        assert_int_equal(wire_arp_read(guard_copy(arp_request + 14, n), n, &h), n == 28);
    assert_int_equal(h.op, WIRE_ARP_REQUEST);
    assert_memory_equal(h.sender, sender, 16);
    assert_memory_equal(h.target, target, 16);
    assert_memory_equal(h.sender_hw, arp_request + 6, 6);
    uint8_t back[28];
    wire_arp_write(back, &h);
    assert_memory_equal(back, arp_request + 14, 28);
    guard_reset();
}

static void arp_of_other_address_kinds_is_refused(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 6; i++) {    /* hardware, protocol, both lengths: threats V23 */
        uint8_t bytes[28];
        struct wire_arp h;
        memcpy(bytes, arp_request + 14, 28);
        bytes[i] ^= 1;
        assert_false(wire_arp_read(guard_copy(bytes, 28), 28, &h));
    }
    guard_reset();
}

static void group_addresses_map_to_ethernet(void **state)
{
    (void)state;
    static const uint8_t six[16] = {0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0x12, 0x34, 0x56}, four[16] = IP4(239, 255, 1, 2);
    static const uint8_t six_hw[6] = {0x33, 0x33, 0xff, 0x12, 0x34, 0x56}, four_hw[6] = {0x01, 0x00, 0x5e, 0x7f, 1, 2};
    uint8_t hw[6];
    wire_eth_multicast(hw, six);
    assert_memory_equal(hw, six_hw, 6);
    wire_eth_multicast(hw, four);
    assert_memory_equal(hw, four_hw, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_ethernet_header_is_read_and_written),
        cmocka_unit_test(the_arp_packet_is_read_and_written),
        cmocka_unit_test(arp_of_other_address_kinds_is_refused),
        cmocka_unit_test(group_addresses_map_to_ethernet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
