/* SPDX-License-Identifier: MIT
 *
 * The doors, handles and events as include/parley/parley.h promises them.
 */
#include "support/unit.h"

#include "support/duo.h"

static void fine(const char *wrong)
{
    if (wrong)
        print_error("%s\n", wrong);
    assert_null(wrong);
}

/* ------------------------------------------------------------------ what goes is gone ------------------------------------------------------------------ */

static void unread_text_of_a_dead_waiting_connection_goes_with_its_listener(void **state)
{
    (void)state;
    struct duo d;
    duo_init(&d, NULL, false);
    pl_listener l = duo_listen(&d, 1, 80, 0);
    pl_conn c = duo_connect(&d, 0, false, 80);
    duo_exchange(&d);
    assert_int_equal(pl_send(d.s[0], c, "never read", 10), 10);
    duo_exchange(&d);
    assert_int_equal(pl_abort(d.s[0], c), PL_OK);
    duo_exchange(&d);                     /* the RST: dead before anybody accepted it */
    assert_int_equal(pl_close(d.s[1], l), PL_OK);
    assert_int_equal(pl_close(d.s[0], c), PL_OK);
    duo_run(&d, 1 * PL_S);
    fine(block_is_empty(d.s[0]));
    fine(block_is_empty(d.s[1]));
    duo_free(&d);
}

static void an_interface_takes_everything_off_its_queue_with_it(void **state)
{
    (void)state;
    struct duo d;
    uint8_t frame[DUO_FRAME_BYTES];
    duo_init(&d, NULL, false);
    pl_udp u;
    struct pl_endpoint local = {.port = 9}, to = duo_endpoint(1, false, 9);
    assert_int_equal(pl_udp_open(d.s[0], &local, 1, &u), PL_OK);
    assert_int_equal(pl_udp_send(d.s[0], u, &to, "1", 1), PL_OK);
    assert_true(duo_take(&d, 0, frame) > 0);         /* sent, and asked again when its turn comes */
    assert_int_equal(pl_iface_remove(d.s[0], 0), PL_OK);
    assert_int_equal(pl_close(d.s[0], u), PL_OK);
    pl_poll(d.s[0], d.now);
    fine(block_is_empty(d.s[0]));
    duo_free(&d);
}

/* ------------------------------------------------------------------ the deadline ------------------------------------------------------------------ */

static void pl_tx_says_zero_only_when_there_is_nothing_to_say(void **state)
{
    (void)state;
    for (unsigned before = 0; before < 2; before++) {
        struct duo d;
        uint8_t frame[DUO_FRAME_BYTES];
        duo_init(&d, NULL, true);
        for (unsigned n = 0; n < before; n++)
            assert_int_equal(duo_take(&d, 0, frame), 0);             /* whoever's turn it is */
        duo_connect(&d, 0, false, 80);
        assert_true(duo_take(&d, 0, frame) > 0);                     /* the SYN waits for ARP, and ARP goes */
        assert_int_equal(duo_take(&d, 0, frame), 0);
        assert_true(pl_deadline(d.s[0]) > d.now);
        duo_free(&d);
    }
}

static void a_user_timeout_counts_from_when_there_was_something_to_wait_for(void **state)       /* RFC 9293 3.10.8, RFC 5482 3 */
{
    (void)state;
    struct duo d;
    pl_conn c[2];
    duo_init(&d, NULL, false);
    duo_open(&d, false, 80, c);
    assert_int_equal(pl_set(d.s[0], c[0], PL_OPT_USER_TIMEOUT, (int64_t)(10 * PL_S)), PL_OK);
    uint8_t bytes[6000] = {0};            /* the peer's program reads nothing, so its window closes */
    pl_send(d.s[0], c[0], bytes, 4096);
    duo_run(&d, 100 * PL_S);
    struct pl_tcp_status st;
    assert_int_equal(pl_status(d.s[0], c[0], &st, sizeof st), PL_OK);
    assert_int_equal(st.snd.wnd, 0);
    assert_int_equal(st.sndbuf_used, 0);
    assert_true(pl_send(d.s[0], c[0], bytes, 100) == 100);           /* after a long silence, into a closed window */
    duo_run(&d, 9 * PL_S);
    assert_int_equal(pl_error(d.s[0], c[0]), 0);
    duo_run(&d, 2 * PL_S);
    assert_int_equal(pl_error(d.s[0], c[0]), PL_ETIMEDOUT);
    duo_free(&d);
}

static void a_bound_that_lies_behind_is_due_next_not_now(void **state)
{
    (void)state;
    struct duo d;
    pl_conn c[2];
    duo_init(&d, NULL, false);
    duo_open(&d, false, 80, c);
    d.cut[0] = true;
    assert_true(pl_send(d.s[0], c[0], "lost", 4) == 4);
    duo_run(&d, 5 * PL_S);
    assert_int_equal(pl_set(d.s[0], c[0], PL_OPT_USER_TIMEOUT, (int64_t)(1 * PL_S)), PL_OK);
    duo_exchange(&d);
    duo_drain_events(&d);
    assert_true(pl_deadline(d.s[0]) > d.now);
    duo_run(&d, 1);
    assert_int_equal(pl_error(d.s[0], c[0]), PL_ETIMEDOUT);
    duo_free(&d);
}

static void an_orphan_dies_in_time_on_an_interface_that_never_gets_ready(void **state)        /* docs/defaults.md: orphans; threats V49 */
{
    (void)state;
    struct duo d;
    pl_conn c[2];
    duo_init(&d, NULL, false);
    duo_open(&d, false, 80, c);
    assert_int_equal(pl_iface_ready(d.s[0], 0, false), PL_OK);
    assert_true(pl_send(d.s[0], c[0], "stuck", 5) == 5);
    assert_int_equal(pl_close(d.s[0], c[0]), PL_OK);
    assert_true(pl_deadline(d.s[0]) > d.now);        /* its output does not count */
    duo_run(&d, 121 * PL_S);
    assert_int_equal(d.s[0]->conns.used, 0);
    duo_free(&d);
}

static void a_device_that_took_one_frame_and_is_full_leaves_the_time_out_armed(void **state)
{
    (void)state;
    struct duo d;
    uint8_t frame[DUO_FRAME_BYTES];
    duo_init(&d, NULL, false);
    duo_connect(&d, 0, false, 80);
    assert_true(duo_take(&d, 0, frame) > 0);
    assert_int_equal(pl_deadline(d.s[0]), 0);        /* perhaps there is more */
    assert_int_equal(pl_iface_ready(d.s[0], 0, false), PL_OK);
    assert_true(pl_deadline(d.s[0]) == d.now + 1 * PL_S);            /* RFC 6298 2.1 */
    duo_free(&d);
}

/* ------------------------------------------------------------------ events ------------------------------------------------------------------ */

static void no_event_for_a_handle_that_was_given_back(void **state)
{
    (void)state;
    struct duo d;
    pl_conn c[2];
    struct pl_config config = duo_config();
    struct pl_event e;
    config.chunks_max = 8, config.chunk_bytes = 256;
    config.sndbuf_bytes = 1 << 20;
    duo_init(&d, &config, false);
    duo_open(&d, false, 80, c);
    uint8_t bytes[8192] = {0};
    assert_true(pl_send(d.s[0], c[0], bytes, sizeof bytes) == 8 * 256);       /* the chunks have run out: it waits for some */
    assert_int_equal(pl_close(d.s[0], c[0]), PL_OK);
    for (unsigned n = 0; n < 3; n++) {
        duo_exchange(&d);
        assert_false(pl_event_next(d.s[0], &e));
        assert_true(pl_recv(d.s[1], c[1], bytes, sizeof bytes) > 0 || n);
    }
    duo_free(&d);
}

/* ------------------------------------------------------------------ what the wire must not do ------------------------------------------------------------------ */

static struct forged from_peer(struct duo *d, pl_conn c, uint8_t flags, int32_t seq_off, size_t text_bytes)
{
    struct pl_tcp_status st;
    assert_int_equal(pl_status(d->s[0], c, &st, sizeof st), PL_OK);
    return (struct forged){.src = st.remote, .dst = st.local, .seq = st.rcv.nxt + (uint32_t)seq_off, .ack = st.snd.nxt, .wnd = 5000, .flags = flags,
                           .text_bytes = text_bytes};
}

static void a_fin_in_front_of_text_that_came_early_ends_the_stream(void **state)       /* nonsense of the peer's: its FIN is final */
{
    (void)state;
    struct duo d;
    pl_conn c[2];
    duo_init(&d, NULL, false);
    duo_open(&d, false, 80, c);
    struct forged early = from_peer(&d, c[0], PL_ACK, 1, 50), fin = from_peer(&d, c[0], PL_ACK | PL_FIN, 0, 0);
    uint8_t byte;
    duo_give_segment(&d, 0, &early);
    assert_int_equal(d.s[0]->gaps.used, 1);
    duo_give_segment(&d, 0, &fin);
    assert_int_equal(pl_recv(d.s[0], c[0], &byte, 1), 0);
    assert_int_equal(d.s[0]->gaps.used, 0);          /* what lies behind the end of the stream is of no use */
    assert_int_equal(d.s[0]->chunks.used, 0);
    duo_free(&d);
}

/* ------------------------------------------------------------------ what the program must not do ------------------------------------------------------------------ */

static void a_commit_is_bounded_by_what_was_reserved(void **state)
{
    (void)state;
    struct duo d;
    pl_conn c[2];
    struct pl_config config = duo_config();
    struct pl_span span;
    config.sndbuf_bytes = 100;
    duo_init(&d, &config, false);
    duo_open(&d, false, 80, c);
    assert_int_equal(pl_send_reserve(d.s[0], c[0], 1000, &span), PL_OK);
    assert_int_equal(span.len, 100);
    assert_int_equal(pl_send_commit(d.s[0], c[0], 101), PL_EINVAL);
    assert_int_equal(pl_send_commit(d.s[0], c[0], 100), PL_OK);
    assert_int_equal(pl_send_commit(d.s[0], c[0], 1), PL_EINVAL);    /* nothing is reserved */
    duo_exchange(&d);
    fine(block_chunks_are_accounted(d.s[0]));
    duo_free(&d);
}

static void options_of_a_dead_connection_change_nothing(void **state)
{
    (void)state;
    struct duo d;
    pl_conn c[2];
    duo_init(&d, NULL, false);
    duo_open(&d, false, 80, c);
    assert_int_equal(pl_abort(d.s[0], c[0]), PL_OK);
    pl_set(d.s[0], c[0], PL_OPT_KEEPALIVE, 1);
    pl_finish(d.s[0], c[0]);
    assert_int_equal(pl_close(d.s[0], c[0]), PL_OK);
    duo_run(&d, 3 * 3600 * PL_S);
    fine(block_is_empty(d.s[0]));
    duo_free(&d);
}

/* ------------------------------------------------------------------ holding ------------------------------------------------------------------ */

static void a_held_frame_keeps_its_text_though_it_was_acknowledged(void **state)
{
    (void)state;
    struct duo d;
    pl_conn c[2];
    struct pl_config config = duo_config();
    config.chunk_bytes = 256, config.chunks_max = 16;
    duo_init(&d, &config, false);
    duo_open(&d, false, 80, c);
    uint8_t text[1400], other[1400], room[PL_HEADER_BYTES_MAX], flat[DUO_FRAME_BYTES];
    for (unsigned n = 0; n < sizeof text; n++)
        text[n] = (uint8_t)(n * 7), other[n] = (uint8_t)~text[n];
    assert_true(pl_send(d.s[0], c[0], text, sizeof text) == sizeof text);
    struct pl_frame f;
    memset(&f, 0, sizeof f);
    f.span[0] = (struct pl_span){room, sizeof room};
    assert_int_equal(pl_tx(d.s[0], 0, &f, 1, d.now), 1);
    assert_int_equal(pl_tx_hold(d.s[0], &f), PL_OK);
    size_t n = 0;
    for (unsigned i = 0; i < f.nspans; n += f.span[i].len, i++)
        memcpy(flat + n, f.span[i].base, f.span[i].len);
    duo_give(&d, 1, flat, n);
    duo_exchange(&d);                     /* acknowledged: the stream lets the chunks go */
    assert_int_equal(d.s[0]->chunks.used, (sizeof text + 255) / 256);        /* still charged */
    for (unsigned k = 0; k < 8; k++) {    /* others may use what is free, and only that */
        pl_send(d.s[0], c[0], other, sizeof other);
        duo_exchange(&d);
        pl_recv(d.s[1], c[1], flat, sizeof flat);
        n = 0;
        for (unsigned i = 1; i < f.nspans; n += f.span[i].len, i++)
            assert_memory_equal(f.span[i].base, text + n, f.span[i].len);
        assert_int_equal(n, sizeof text);
    }
    pl_tx_done(d.s[0], &f);
    duo_exchange(&d);
    while (pl_recv(d.s[1], c[1], flat, sizeof flat) > 0)
        duo_exchange(&d);
    assert_int_equal(d.s[0]->chunks.used, 0);
    duo_free(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unread_text_of_a_dead_waiting_connection_goes_with_its_listener),
        cmocka_unit_test(an_interface_takes_everything_off_its_queue_with_it),
        cmocka_unit_test(pl_tx_says_zero_only_when_there_is_nothing_to_say),
        cmocka_unit_test(a_user_timeout_counts_from_when_there_was_something_to_wait_for),
        cmocka_unit_test(a_bound_that_lies_behind_is_due_next_not_now),
        cmocka_unit_test(an_orphan_dies_in_time_on_an_interface_that_never_gets_ready),
        cmocka_unit_test(a_device_that_took_one_frame_and_is_full_leaves_the_time_out_armed),
        cmocka_unit_test(no_event_for_a_handle_that_was_given_back),
        cmocka_unit_test(a_fin_in_front_of_text_that_came_early_ends_the_stream),
        cmocka_unit_test(a_commit_is_bounded_by_what_was_reserved),
        cmocka_unit_test(options_of_a_dead_connection_change_nothing),
        cmocka_unit_test(a_held_frame_keeps_its_text_though_it_was_acknowledged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
