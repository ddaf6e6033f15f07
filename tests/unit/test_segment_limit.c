/* SPDX-License-Identifier: MIT
 *
 * test_segment_limit.c: what a program may say before the handshake: the size of segments (PL_OPT_MSS), how often the SYN is repeated
 * (PL_OPT_SYN_RETRIES), and a receive buffer that the window scale has to follow.
 */
#include "support/duo.h"
#include "support/unit.h"

static struct duo d;

static int setup(void **state)
{
    (void)state;
    duo_init(&d, NULL, false);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    duo_free(&d);
    return 0;
}

/* The handshake of host 0 with host 1, both segments looked at; the connection of host 1. */
static pl_conn shake(pl_conn c, pl_listener l, struct forged *syn, struct forged *answer)
{
    pl_conn s;
    (void)c;
    assert_true(duo_take_segment(&d, 0, syn));
    duo_give_segment(&d, 1, syn);
    assert_true(duo_take_segment(&d, 1, answer));
    duo_give_segment(&d, 0, answer);
    duo_exchange(&d);
    assert_int_equal(pl_accept(d.s[1], l, &s, NULL), PL_OK);
    return s;
}

static uint32_t first_segment(unsigned host, pl_conn c)
{
    static const uint8_t text[3000];
    struct forged f;
    assert_true(pl_send(d.s[host], c, text, sizeof text) > 1000);
    assert_true(duo_take_segment(&d, host, &f));
    return f.text_bytes;
}

static void a_limit_is_announced_and_kept_by_who_connects(void **state)
{
    (void)state;
    struct forged syn, answer;
    pl_listener l = duo_listen(&d, 1, 80, 0);
    pl_conn c = duo_connect(&d, 0, false, 80);
    int64_t v;
    assert_int_equal(pl_set(d.s[0], c, PL_OPT_MSS, 500), PL_OK);
    assert_int_equal(pl_get(d.s[0], c, PL_OPT_MSS, &v), PL_OK);
    assert_int_equal(v, 500);
    pl_conn s = shake(c, l, &syn, &answer);
    assert_int_equal(syn.opts.mss, 500);
    assert_int_equal(answer.opts.mss, 1460);
    assert_int_equal(first_segment(0, c), 500);
    assert_int_equal(first_segment(1, s), 500);
}

static void a_limit_of_the_listener_holds_for_its_connections(void **state)
{
    (void)state;
    struct forged syn, answer;
    pl_listener l = duo_listen(&d, 1, 80, 0);
    assert_int_equal(pl_set(d.s[1], l, PL_OPT_MSS, 500), PL_OK);
    pl_conn c = duo_connect(&d, 0, true, 80), s = shake(c, l, &syn, &answer);
    assert_int_equal(syn.opts.mss, 1440);
    assert_int_equal(answer.opts.mss, 500);
    assert_int_equal(first_segment(0, c), 500);
    assert_int_equal(first_segment(1, s), 500);
}

static void a_limit_can_be_set_and_taken_back_later(void **state)
{
    (void)state;
    pl_conn both[2];
    duo_open(&d, false, 80, both);
    assert_int_equal(pl_set(d.s[0], both[0], PL_OPT_MSS, 700), PL_OK);
    assert_int_equal(first_segment(0, both[0]), 700);
    assert_int_equal(pl_set(d.s[0], both[0], PL_OPT_MSS, 0), PL_OK);
    struct forged f;
    assert_true(duo_take_segment(&d, 0, &f));
    assert_int_equal(f.text_bytes, 1460);
    assert_int_equal(pl_set(d.s[0], both[0], PL_OPT_MSS, 47), PL_EINVAL);
    assert_int_equal(pl_set(d.s[0], both[0], PL_OPT_MSS, 65496), PL_EINVAL);
}

/* RFC 9293 3.8.3: R2 of a SYN is the program's to choose. */
static void the_syn_is_repeated_as_often_as_was_said(void **state)
{
    (void)state;
    d.cut[0] = true;
    pl_conn c = duo_connect(&d, 0, false, 80);
    int64_t v;
    assert_int_equal(pl_get(d.s[0], c, PL_OPT_SYN_RETRIES, &v), PL_OK);
    assert_int_equal(v, 7);
    assert_int_equal(pl_set(d.s[0], c, PL_OPT_SYN_RETRIES, 0), PL_EINVAL);
    assert_int_equal(pl_set(d.s[0], c, PL_OPT_SYN_RETRIES, 2), PL_OK);
    duo_run(&d, 6900 * PL_MS);
    assert_int_equal(pl_error(d.s[0], c), 0);
    assert_int_equal(d.frames[0], 3);
    duo_run(&d, 200 * PL_MS);             /* 1 + 2 + 4 seconds */
    assert_int_equal(pl_error(d.s[0], c), PL_ETIMEDOUT);
    assert_int_equal(d.frames[0], 3);
}

/* RFC 7323 2.3: the scale is fixed by the SYN, and until then follows the buffer. */
static void a_buffer_set_before_the_syn_decides_its_scale(void **state)
{
    (void)state;
    struct forged syn, later;
    pl_listener l = duo_listen(&d, 1, 80, 0);
    pl_conn c = duo_connect(&d, 0, false, 80);
    assert_int_equal(pl_set(d.s[0], c, PL_OPT_RCVBUF, 1 << 20), PL_OK);
    shake(c, l, &syn, &later);
    assert_int_equal(syn.opts.wscale, 5);           /* 2^20 >> 5 is the first that fits into 16 bits */
    assert_int_equal(syn.wnd, 65535);
}

/* An auto-tuned buffer: the largest size decides, unless the program fixes it; and no buffer is smaller than what the scale can say. */
static void the_largest_size_decides_the_scale(void **state)
{
    (void)state;
    struct pl_config config = duo_config();
    struct forged syn, answer;
    int64_t v;
    config.rcvbuf_bytes = 100;
    config.rcvbuf_max = 64000000;
    duo_free(&d);
    duo_init(&d, &config, false);
    pl_listener l = duo_listen(&d, 1, 80, 0), small = duo_listen(&d, 1, 81, 0);
    pl_conn c = duo_connect(&d, 0, false, 80), s = shake(c, l, &syn, &answer);
    assert_int_equal(syn.opts.wscale, 10);
    assert_int_equal(answer.opts.wscale, 10);
    assert_int_equal(pl_get(d.s[0], c, PL_OPT_RCVBUF, &v), PL_OK);
    assert_int_equal(v, 1024);
    assert_int_equal(pl_get(d.s[1], s, PL_OPT_RCVBUF, &v), PL_OK);
    assert_int_equal(v, 1024);
    assert_int_equal(pl_set(d.s[1], small, PL_OPT_RCVBUF, 4000), PL_OK);
    c = duo_connect(&d, 0, false, 81);
    assert_int_equal(pl_set(d.s[0], c, PL_OPT_BUFFERS_FIXED, PL_RCVBUF_FIXED), PL_OK);
    s = shake(c, small, &syn, &answer);
    assert_int_equal(syn.opts.wscale, 0);
    assert_int_equal(answer.opts.wscale, 0);
    assert_int_equal(answer.wnd, 4000);
    assert_int_equal(pl_get(d.s[1], s, PL_OPT_BUFFERS_FIXED, &v), PL_OK);
    assert_int_equal(v, PL_RCVBUF_FIXED | PL_SNDBUF_FIXED);            /* the send buffer by the config */
    assert_int_equal(pl_set(d.s[1], s, PL_OPT_BUFFERS_FIXED, 4), PL_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_limit_is_announced_and_kept_by_who_connects, setup, teardown),
        cmocka_unit_test_setup_teardown(a_limit_of_the_listener_holds_for_its_connections, setup, teardown),
        cmocka_unit_test_setup_teardown(a_limit_can_be_set_and_taken_back_later, setup, teardown),
        cmocka_unit_test_setup_teardown(the_syn_is_repeated_as_often_as_was_said, setup, teardown),
        cmocka_unit_test_setup_teardown(a_buffer_set_before_the_syn_decides_its_scale, setup, teardown),
        cmocka_unit_test_setup_teardown(the_largest_size_decides_the_scale, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
