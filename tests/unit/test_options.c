/* SPDX-License-Identifier: MIT
 *
 * What the handshake agrees on: RFC 9293 3.2 and 3.7.1, RFC 7323 2 and 3, RFC 2018 2.
 */
#include "support/unit.h"

#include "transport/tcp/models/options.h"

/* RFC 7323 2.2-b, 2.3-c */
static void a_feature_is_on_only_if_both_sides_want_it(void **state)
{
    (void)state;
    for (unsigned mine = 0; mine < 8; mine++)
        for (unsigned theirs = 0; theirs < 8; theirs++) {
            struct wire_tcp_opts peer = {.wscale = 3};
            peer.have = (uint8_t)((theirs & 1 ? WIRE_OPT_WSCALE : 0) | (theirs & 2 ? WIRE_OPT_TIMESTAMPS : 0) | (theirs & 4 ? WIRE_OPT_SACK_PERMITTED : 0));
            struct tcp_options_wish wish = {.wscale = mine & 1, .timestamps = mine & 2, .sack = mine & 4, .rcv_wscale = 5};
            struct tcp_options o = {0};
            options_agree(&o, &peer, &wish, false);
            unsigned both = mine & theirs;
            assert_int_equal(o.wscale_ok, (both & 1) != 0);
            assert_int_equal(o.ts_ok, (both & 2) != 0);
            assert_int_equal(o.sack_ok, (both & 4) != 0);
            assert_int_equal(o.snd_wscale, both & 1 ? 3 : 0);        /* RFC 7323 2.2: neither direction, or both */
            assert_int_equal(o.rcv_wscale, both & 1 ? 5 : 0);
        }
}

/* RFC 7323 2.3-f */
static void a_scale_above_14_counts_as_14(void **state)                                 /* RFC 7323 2.3, threats V30 */
{
    (void)state;
    for (unsigned scale = 0; scale < 256; scale++) {
        struct wire_tcp_opts peer = {.have = WIRE_OPT_WSCALE, .wscale = (uint8_t)scale};
        struct tcp_options_wish wish = {.wscale = true};
        struct tcp_options o = {0};
        options_agree(&o, &peer, &wish, false);
        assert_int_equal(o.snd_wscale, scale < 14 ? scale : 14);
    }
}

static void without_the_option_the_mss_is_the_default(void **state)                     /* RFC 9293 3.7.1, MUST-15 */
{
    (void)state;
    struct wire_tcp_opts none = {0}, some = {.have = WIRE_OPT_MSS, .mss = 1460};
    struct tcp_options_wish wish = {.wscale = false};
    struct tcp_options o = {0};
    options_agree(&o, &none, &wish, false);
    assert_int_equal(o.peer_mss, 536);
    options_agree(&o, &none, &wish, true);
    assert_int_equal(o.peer_mss, 1220);
    options_agree(&o, &some, &wish, true);
    assert_int_equal(o.peer_mss, 1460);
}

static void a_full_segment_is_the_least_of_peer_and_path_less_options(void **state)     /* RFC 9293 3.7.1, MUST-16; threats V31 */
{
    static const struct {
        uint32_t mtu;
        uint16_t peer, mss;
        bool ipv6, ts;
    } rows[] = {
        {1500, 1460, 1460, false, false}, {1500, 1460, 1448, false, true}, {1500, 1440, 1440, true, false}, {1500, 1440, 1428, true, true},
        {1500, 65535, 1460, false, false}, {1500, 536, 536, false, false},  {1500, 536, 524, false, true},   {9000, 8960, 8960, false, false},
        {1280, 1440, 1220, true, false},   {576, 1460, 536, false, false},  {1500, 0, 48, false, false},      {1500, 0, 48, false, true},
        {1500, 8, 48, false, true},        {1500, 48, 48, false, true},     {1500, 60, 48, false, true},      {1500, 61, 49, false, true},
        {0, 1460, 48, false, false},       {40, 1460, 48, true, true},      {65535, 65535, 65495, false, false},
    };
    (void)state;
    for (unsigned i = 0; i < COUNT_OF(rows); i++) {
        struct tcp_options o = {.peer_mss = rows[i].peer, .ts_ok = rows[i].ts};
        options_set_mss(&o, rows[i].mtu, rows[i].ipv6);
        assert_int_equal(o.mss, rows[i].mss);
    }
}

static void the_announced_mss_is_the_mtu_less_fixed_headers(void **state)               /* RFC 9293 3.7.1, MUST-14, 67 */
{
    (void)state;
    assert_int_equal(options_mss_to_announce(1500, false), 1460);
    assert_int_equal(options_mss_to_announce(1500, true), 1440);
    assert_int_equal(options_mss_to_announce(576, false), 536);
    assert_int_equal(options_mss_to_announce(65535, false), 65495);
    assert_int_equal(options_mss_to_announce(100000, true), 65535);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_feature_is_on_only_if_both_sides_want_it),
        cmocka_unit_test(a_scale_above_14_counts_as_14),
        cmocka_unit_test(without_the_option_the_mss_is_the_default),
        cmocka_unit_test(a_full_segment_is_the_least_of_peer_and_path_less_options),
        cmocka_unit_test(the_announced_mss_is_the_mtu_less_fixed_headers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
