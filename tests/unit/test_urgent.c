/* SPDX-License-Identifier: MIT
 *
 * test_urgent: RFC 9293 3.8.5: urgent data is announced, told to the program, and stays in the stream.
 */
#include "support/duo.h"
#include "support/unit.h"

static ptrdiff_t read_all(struct duo *d, unsigned host, pl_conn c, char *text, size_t n)
{
    ptrdiff_t got = pl_recv(d->s[host], c, text, n);
    return got;
}

/* MUST-30, 32, 33, 62: two runs of urgent data of any length; the program learns of each, and how much is left. MUST-31 */
static void the_program_is_told_of_urgent_data_and_how_much_is_ahead(void **state)
{
    struct duo d;
    pl_conn c[2];
    char text[8000];
    bool ipv6 = *(const bool *)*state;
    duo_init(&d, NULL, false);
    duo_open(&d, ipv6, 80, c);
    duo_drain_events(&d);
    memset(text, 'u', sizeof text);
    assert_int_equal(pl_send(d.s[0], c[0], text, 10), 10);
    assert_int_equal(pl_send_urgent(d.s[0], c[0], text, 3000), 3000);
    duo_exchange(&d);
    assert_true(duo_events(&d, 1, c[1]) & PL_EV_URGENT);
    assert_int_equal(pl_urgent(d.s[1], c[1]), 3010);
    assert_int_equal(read_all(&d, 1, c[1], text, 10), 10);
    assert_int_equal(pl_urgent(d.s[1], c[1]), 3000);
    assert_true(pl_ready(d.s[1], c[1]) & PL_EV_URGENT);
    assert_int_equal(pl_send_urgent(d.s[0], c[0], text, 1), 1);
    duo_exchange(&d);
    assert_true(duo_events(&d, 1, c[1]) & PL_EV_URGENT);            /* MUST-32: the pointer advanced */
    assert_int_equal(pl_urgent(d.s[1], c[1]), 3001);
    assert_int_equal(read_all(&d, 1, c[1], text, sizeof text), 3001);
    assert_int_equal(pl_urgent(d.s[1], c[1]), 0);
    assert_false(pl_ready(d.s[1], c[1]) & PL_EV_URGENT);
    assert_int_equal(pl_send(d.s[0], c[0], text, 5), 5);
    duo_exchange(&d);
    assert_false(duo_events(&d, 1, c[1]) & PL_EV_URGENT);           /* what follows is not urgent */
    assert_int_equal(pl_urgent(d.s[1], c[1]), 0);
    duo_free(&d);
}

/* The header: URG on every segment before SND.UP, the pointer counts from the segment's own number (RFC 9293 3.1). MUST-30, 62 */
static void segments_point_to_the_byte_after_the_urgent_data(void **state)
{
    struct duo d;
    pl_conn c[2];
    struct forged f;
    char text[4000] = {0};
    bool ipv6 = *(const bool *)*state;
    duo_init(&d, NULL, false);
    duo_open(&d, ipv6, 80, c);
    assert_int_equal(pl_send_urgent(d.s[0], c[0], text, sizeof text), sizeof text);
    uint32_t left = sizeof text;
    while (left && duo_take_segment(&d, 0, &f)) {
        assert_true(f.flags & PL_URG);
        assert_int_equal(f.up, left);
        left -= (uint32_t)f.text_bytes;
    }
    assert_int_equal(left, 0);
    duo_free(&d);
}

/* V37, V38, V39: a pointer of zero, one far ahead, one without the flag: nothing is read past anything, nothing but the pointer is believed. */
static void odd_urgent_pointers_do_no_harm(void **state)
{
    struct duo d;
    pl_conn c[2];
    struct pl_tcp_status st;
    char text[16];
    bool ipv6 = *(const bool *)*state;
    duo_init(&d, NULL, false);
    duo_open(&d, ipv6, 80, c);
    duo_drain_events(&d);
    assert_int_equal(pl_status(d.s[1], c[1], &st, sizeof st), PL_OK);
    struct forged f = {.src = st.remote, .dst = st.local, .seq = st.rcv.nxt, .ack = st.snd.nxt, .wnd = 1000, .flags = PL_ACK | PL_URG,
                       .up = 0, .text = "a", .text_bytes = 1};
    duo_give_segment(&d, 1, &f);
    assert_int_equal(pl_urgent(d.s[1], c[1]), 0);                   /* V37 */
    f.seq++, f.up = 0xffff, f.flags = PL_ACK;
    duo_give_segment(&d, 1, &f);
    assert_int_equal(pl_urgent(d.s[1], c[1]), 0);                   /* no flag: no meaning */
    f.seq++, f.flags |= PL_URG;
    duo_give_segment(&d, 1, &f);
    assert_true(duo_events(&d, 1, c[1]) & PL_EV_URGENT);
    assert_int_equal(pl_urgent(d.s[1], c[1]), 2 + 0xffff);          /* V38: the pointer lies ahead of what has arrived */
    assert_int_equal(pl_recv(d.s[1], c[1], text, sizeof text), 3);
    assert_memory_equal(text, "aaa", 3);
    assert_int_equal(pl_urgent(d.s[1], c[1]), 0xffff - 1);
    duo_free(&d);
}

int main(void)
{
    static bool v4 = false, v6 = true;
    const struct CMUnitTest tests[] = {
        {"the program is told of urgent data and how much is ahead, IPv4", the_program_is_told_of_urgent_data_and_how_much_is_ahead, NULL, NULL, &v4},
        {"the program is told of urgent data and how much is ahead, IPv6", the_program_is_told_of_urgent_data_and_how_much_is_ahead, NULL, NULL, &v6},
        {"segments point to the byte after the urgent data, IPv4", segments_point_to_the_byte_after_the_urgent_data, NULL, NULL, &v4},
        {"segments point to the byte after the urgent data, IPv6", segments_point_to_the_byte_after_the_urgent_data, NULL, NULL, &v6},
        {"odd urgent pointers do no harm, IPv4", odd_urgent_pointers_do_no_harm, NULL, NULL, &v4},
        {"odd urgent pointers do no harm, IPv6", odd_urgent_pointers_do_no_harm, NULL, NULL, &v6},
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
