/* SPDX-License-Identifier: MIT
 *
 * What an ARP packet asks of us: RFC 826, RFC 5227 2.1.1 and 2.4, threats V23. And whom an Ethernet frame is for.
 */
#include "support/unit.h"

#include "link/arp.h"
#include "link/ethernet.h"
#include "support/guard.h"

static const uint8_t OURS[6] = {2, 0, 0, 0, 0, 1};

static struct wire_arp packet(uint16_t op)
{
    return (struct wire_arp){.op = op, .sender_hw = {2, 0, 0, 0, 0, 2}, .sender = IP4(192, 0, 2, 2), .target = IP4(192, 0, 2, 1)};
}

static struct arp_facts facts(void) { return (struct arp_facts){.our_mac = OURS, .target_is_ours = true, .sender_on_link = true}; }

static void a_request_for_us_is_answered_and_the_sender_remembered(void **state)
{
    (void)state;
    struct wire_arp a = packet(WIRE_ARP_REQUEST);
    struct arp_facts f = facts();
    struct arp_verdict v = arp_judge(&a, &f);
    assert_true(v.answer && v.heard && !v.answered);
    assert_int_equal(v.drop, PL_DROP_NONE);
    f.sender_on_link = false;             /* answered, but not to be reached there */
    v = arp_judge(&a, &f);
    assert_true(v.answer && !v.heard);
}

static void a_request_for_others_is_not_ours(void **state)
{
    (void)state;
    struct wire_arp a = packet(WIRE_ARP_REQUEST);
    struct arp_facts f = facts();
    f.target_is_ours = false;
    struct arp_verdict v = arp_judge(&a, &f);
    assert_false(v.answer || v.heard || v.answered);
    assert_int_equal(v.drop, PL_DROP_ARP_NOT_FOR_US);
}

static void a_probe_is_answered_and_teaches_nothing(void **state)
{
    (void)state;
    struct wire_arp a = packet(WIRE_ARP_REQUEST);
    memset(a.sender + 12, 0, 4);
    struct arp_facts f = facts();
    struct arp_verdict v = arp_judge(&a, &f);
    assert_true(v.answer && !v.heard);
}

static void v23_an_unasked_reply_is_not_believed(void **state)
{
    (void)state;
    struct wire_arp a = packet(WIRE_ARP_REPLY);
    struct arp_facts f = facts();
    struct arp_verdict v = arp_judge(&a, &f);
    assert_false(v.answer || v.heard || v.answered);
    assert_int_equal(v.drop, PL_DROP_ARP_UNASKED);
    f.asked = true;
    f.target_is_ours = false;
    assert_int_equal(arp_judge(&a, &f).drop, PL_DROP_ARP_UNASKED);
    f.target_is_ours = true;
    v = arp_judge(&a, &f);
    assert_true(v.answered && !v.answer && !v.heard);
    assert_int_equal(v.drop, PL_DROP_NONE);
}

static void v23_whoever_claims_our_address_is_counted_and_nothing_else(void **state)
{
    (void)state;
    for (uint16_t op = 1; op <= 2; op++) {
        struct wire_arp a = packet(op);
        struct arp_facts f = facts();
        f.sender_is_ours = f.asked = true;
        struct arp_verdict v = arp_judge(&a, &f);
        assert_false(v.answer || v.heard || v.answered);
        assert_int_equal(v.drop, PL_DROP_ARP_CONFLICT);
        memcpy(a.sender_hw, OURS, 6);     /* our own frame come back */
        assert_int_equal(arp_judge(&a, &f).drop, PL_DROP_ARP_NOT_FOR_US);
    }
}

static void v23_other_operations_and_senders_that_are_no_station(void **state)
{
    (void)state;
    struct arp_facts f = facts();
    f.asked = true;
    for (unsigned op = 0; op < 65536; op++) {
        if (op == WIRE_ARP_REQUEST || op == WIRE_ARP_REPLY)
            continue;
        struct wire_arp a = packet((uint16_t)op);
        assert_int_equal(arp_judge(&a, &f).drop, PL_DROP_ARP_MALFORMED);
    }
    static const uint8_t bad[][6] = {{0}, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, {1, 0, 0x5e, 0, 0, 1}};
    for (unsigned i = 0; i < COUNT_OF(bad); i++) {
        for (uint16_t op = 1; op <= 2; op++) {
            struct wire_arp a = packet(op);
            memcpy(a.sender_hw, bad[i], 6);
            assert_int_equal(arp_judge(&a, &f).drop, PL_DROP_ARP_MALFORMED);
        }
    }
}

static void whom_a_frame_is_for(void **state)
{
    (void)state;
    static const struct {
        uint8_t dst[6];
        enum ethernet_for to;
        bool station;
    } rows[] = {
        {{2, 0, 0, 0, 0, 1}, ETHERNET_US, true},        {{2, 0, 0, 0, 0, 2}, ETHERNET_OTHERS, true},
        {{0}, ETHERNET_OTHERS, false},                  {{3, 0, 0, 0, 0, 1}, ETHERNET_GROUP, false},
        {{0x33, 0x33, 0, 0, 0, 1}, ETHERNET_GROUP, false}, {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, ETHERNET_BROADCAST, false},
        {{0xff, 0xff, 0xff, 0xff, 0xff, 0xfe}, ETHERNET_GROUP, false},
    };
    for (unsigned i = 0; i < COUNT_OF(rows); i++) {
        const uint8_t *dst = guard_copy(rows[i].dst, 6);
        assert_int_equal(ethernet_for(dst, OURS), rows[i].to);
        assert_int_equal(ethernet_is_station(dst), rows[i].station);
    }
    guard_reset();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_for_us_is_answered_and_the_sender_remembered),
        cmocka_unit_test(a_request_for_others_is_not_ours),
        cmocka_unit_test(a_probe_is_answered_and_teaches_nothing),
        cmocka_unit_test(v23_an_unasked_reply_is_not_believed),
        cmocka_unit_test(v23_whoever_claims_our_address_is_counted_and_nothing_else),
        cmocka_unit_test(v23_other_operations_and_senders_that_are_no_station),
        cmocka_unit_test(whom_a_frame_is_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
