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
    assert_int_equal(d.s[0]->pools.conns.used, 0);
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
    assert_true(pl_send(d.s[0], c[0], bytes, sizeof bytes) == 7 * 256);       /* the chunks have run out, but the one for what arrives: it waits */
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
    assert_int_equal(d.s[0]->pools.gaps.used, 1);
    duo_give_segment(&d, 0, &fin);
    assert_int_equal(pl_recv(d.s[0], c[0], &byte, 1), 0);
    assert_int_equal(d.s[0]->pools.gaps.used, 0);          /* what lies behind the end of the stream is of no use */
    assert_int_equal(d.s[0]->pools.chunks.used, 0);
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
    assert_int_equal(d.s[0]->pools.chunks.used, (sizeof text + 255) / 256);        /* still charged */
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
    assert_int_equal(d.s[0]->pools.chunks.used, 0);
    duo_free(&d);
}

/* ------------------------------------------------------------------ handles ------------------------------------------------------------------ */

/* Every call that takes a handle says that there is no such object. */
static void all_calls_refuse(pl_stack *s, pl_handle h)
{
    uint8_t bytes[8];
    struct pl_span span;
    struct pl_tcp_status st;
    struct pl_endpoint e = {.port = 1};
    pl_conn c;
    int64_t v;
    assert_int_equal(pl_accept(s, h, &c, NULL), PL_EHANDLE);
    assert_int_equal(pl_send(s, h, bytes, 1), PL_EHANDLE);
    assert_int_equal(pl_recv(s, h, bytes, 1), PL_EHANDLE);
    assert_int_equal(pl_send_reserve(s, h, 1, &span), PL_EHANDLE);
    assert_int_equal(pl_send_commit(s, h, 1), PL_EHANDLE);
    assert_int_equal(pl_recv_peek(s, h, &span, 1), PL_EHANDLE);
    assert_int_equal(pl_recv_consume(s, h, 1), PL_EHANDLE);
    assert_int_equal(pl_finish(s, h), PL_EHANDLE);
    assert_int_equal(pl_abort(s, h), PL_EHANDLE);
    assert_int_equal(pl_close(s, h), PL_EHANDLE);
    assert_int_equal(pl_status(s, h, &st, sizeof st), PL_EHANDLE);
    assert_int_equal(pl_error(s, h), PL_EHANDLE);
    assert_int_equal(pl_explain(s, h, (char *)bytes, sizeof bytes), PL_EHANDLE);
    assert_int_equal(pl_set_cookie(s, h, 1), PL_EHANDLE);
    assert_int_equal(pl_set(s, h, PL_OPT_NODELAY, 1), PL_EHANDLE);
    assert_int_equal(pl_get(s, h, PL_OPT_NODELAY, &v), PL_EHANDLE);
    assert_int_equal(pl_udp_send(s, h, &e, bytes, 1), PL_EHANDLE);
    assert_int_equal(pl_udp_recv(s, h, &e, bytes, 1), PL_EHANDLE);
    assert_int_equal(pl_ready(s, h), 0);
}

static void what_is_no_handle_is_refused(void **state)
{
    (void)state;
    struct duo d;
    pl_conn c[2];
    duo_init(&d, NULL, false);
    duo_open(&d, false, 80, c);
    static const pl_handle nonsense[] = {0, 1, 2, 0x40000001, 0x80000001, 0xc0000001, 0x3fffffff, UINT32_MAX, UINT64_MAX, 1ull << 32, 0x100000000ull | 0x3fffffff};
    for (unsigned n = 0; n < COUNT_OF(nonsense); n++)
        all_calls_refuse(d.s[0], nonsense[n]);
    for (unsigned bit = 0; bit < 64; bit++)          /* a live one with a bit changed: another slot, kind or generation */
        all_calls_refuse(d.s[0], c[0] ^ 1ull << bit);
    duo_free(&d);
}

static void a_handle_that_was_given_back_is_stale_for_ever(void **state)
{
    (void)state;
    struct duo d;
    pl_handle old[50];
    duo_init(&d, NULL, false);
    for (unsigned n = 0; n < COUNT_OF(old); n++) {   /* the slot is used again and again */
        old[n] = duo_connect(&d, 0, false, 80);
        assert_int_equal(pl_close(d.s[0], old[n]), PL_OK);
        for (unsigned k = 0; k <= n; k++)
            all_calls_refuse(d.s[0], old[k]);
    }
    duo_free(&d);
}

static void a_handle_of_another_kind_is_refused(void **state)
{
    (void)state;
    struct duo d;
    uint8_t bytes[8];
    struct pl_endpoint e = {.port = 5000};
    struct pl_tcp_status st;
    pl_conn c = 0;
    pl_udp u;
    duo_init(&d, NULL, false);
    pl_listener l = duo_listen(&d, 0, 80, 0);
    assert_int_equal(pl_udp_open(d.s[0], &e, 0, &u), PL_OK);
    assert_int_equal(pl_send(d.s[0], l, bytes, 1), PL_EHANDLE);
    assert_int_equal(pl_recv(d.s[0], u, bytes, 1), PL_EHANDLE);
    assert_int_equal(pl_status(d.s[0], l, &st, sizeof st), PL_EHANDLE);
    assert_int_equal(pl_accept(d.s[0], u, &c, NULL), PL_EHANDLE);
    assert_int_equal(pl_udp_send(d.s[0], l, &e, bytes, 1), PL_EHANDLE);
    assert_int_equal(pl_finish(d.s[0], u), PL_EHANDLE);
    assert_int_equal(pl_abort(d.s[0], l), PL_EHANDLE);
    c = duo_connect(&d, 0, false, 81);
    assert_int_equal(pl_accept(d.s[0], c, &c, NULL), PL_EHANDLE);
    assert_int_equal(pl_udp_recv(d.s[0], c, NULL, bytes, 1), PL_EHANDLE);
    duo_free(&d);
}

static void after_a_reset_what_was_received_is_readable_then_the_error(void **state)    /* RFC 9293 3.10.7.4 second; docs/architecture.md 3 */
{
    (void)state;
    struct duo d;
    pl_conn c[2];
    uint8_t bytes[16];
    duo_init(&d, NULL, false);
    duo_open(&d, false, 80, c);
    assert_int_equal(pl_send(d.s[1], c[1], "remembered", 10), 10);
    duo_exchange(&d);
    assert_int_equal(pl_abort(d.s[1], c[1]), PL_OK);
    duo_exchange(&d);
    assert_int_equal(d.s[0]->pools.conns.used, 1);         /* the slot lives as long as the handle */
    assert_int_equal(pl_error(d.s[0], c[0]), PL_ECONNRESET);
    assert_int_equal(pl_send(d.s[0], c[0], "x", 1), PL_ECONNRESET);
    assert_true(pl_ready(d.s[0], c[0]) & PL_EV_READABLE);
    assert_int_equal(pl_recv(d.s[0], c[0], bytes, 4), 4);
    assert_int_equal(pl_recv(d.s[0], c[0], bytes + 4, 12), 6);
    assert_memory_equal(bytes, "remembered", 10);
    assert_int_equal(pl_recv(d.s[0], c[0], bytes, 4), PL_ECONNRESET);
    assert_int_equal(pl_close(d.s[0], c[0]), PL_OK);
    assert_int_equal(d.s[0]->pools.conns.used, 0);
    fine(block_chunks_are_accounted(d.s[0]));
    duo_free(&d);
}

/* ------------------------------------------------------------------ events: edges and levels ------------------------------------------------------------------ */

static void an_event_is_queued_once_until_it_is_taken(void **state)
{
    (void)state;
    struct duo d;
    pl_conn c[2];
    struct pl_event e;
    uint8_t bytes[64];
    duo_init(&d, NULL, false);
    duo_open(&d, false, 80, c);
    for (unsigned n = 0; n < 5; n++) {
        assert_int_equal(pl_send(d.s[1], c[1], "more", 4), 4);
        duo_exchange(&d);
    }
    assert_true(pl_event_next(d.s[0], &e));
    assert_true(e.handle == c[0]);
    assert_int_equal(e.bits, PL_EV_READABLE);
    assert_false(pl_event_next(d.s[0], &e));         /* five arrivals, one event */
    assert_true(pl_ready(d.s[0], c[0]) & PL_EV_READABLE);            /* taking it does not change the level */
    assert_int_equal(pl_send(d.s[1], c[1], "more", 4), 4);
    duo_exchange(&d);
    assert_true(pl_event_next(d.s[0], &e));          /* it was taken: what comes now is news again */
    assert_int_equal(pl_recv(d.s[0], c[0], bytes, sizeof bytes), 24);
    assert_false(pl_ready(d.s[0], c[0]) & PL_EV_READABLE);
    assert_false(pl_event_next(d.s[0], &e));
    duo_free(&d);
}

static void bits_of_one_handle_come_together(void **state)
{
    (void)state;
    struct duo d;
    pl_conn c[2];
    struct pl_event e;
    duo_init(&d, NULL, false);
    duo_open(&d, false, 80, c);
    assert_int_equal(pl_set_cookie(d.s[0], c[0], 0xfeedbeef), PL_OK);
    assert_int_equal(pl_send(d.s[1], c[1], "last", 4), 4);
    duo_exchange(&d);
    assert_int_equal(pl_close(d.s[1], c[1]), PL_OK);
    duo_exchange(&d);
    assert_int_equal(pl_deadline(d.s[0]), 0);        /* an event waits */
    assert_true(pl_event_next(d.s[0], &e));
    assert_int_equal(e.bits, PL_EV_READABLE | PL_EV_PEER_FINISHED);
    assert_true(e.cookie == 0xfeedbeef);
    assert_false(pl_event_next(d.s[0], &e));
    assert_true(pl_deadline(d.s[0]) > d.now);
    duo_free(&d);
}

static void a_listener_with_more_waiting_says_so_again(void **state)
{
    (void)state;
    struct duo d;
    struct pl_event e;
    pl_conn c;
    duo_init(&d, NULL, false);
    pl_listener l = duo_listen(&d, 1, 80, 0);
    for (unsigned n = 0; n < 3; n++)
        duo_connect(&d, 0, n & 1, 80);
    duo_exchange(&d);
    for (unsigned n = 0; n < 3; n++) {
        assert_true(pl_event_next(d.s[1], &e));
        assert_true(e.handle == l && e.bits == PL_EV_ACCEPTABLE);
        assert_true(pl_ready(d.s[1], l) & PL_EV_ACCEPTABLE);
        assert_int_equal(pl_accept(d.s[1], l, &c, NULL), PL_OK);
    }
    assert_false(pl_event_next(d.s[1], &e));
    assert_int_equal(pl_accept(d.s[1], l, &c, NULL), PL_EAGAIN);
    assert_int_equal(pl_ready(d.s[1], l), 0);
    duo_free(&d);
}

static void writable_comes_after_a_send_that_took_less(void **state)
{
    (void)state;
    struct duo d;
    pl_conn c[2];
    uint8_t bytes[6000] = {0};
    duo_init(&d, NULL, false);
    duo_open(&d, false, 80, c);
    assert_int_equal(pl_send(d.s[0], c[0], bytes, 100), 100);
    duo_exchange(&d);
    assert_int_equal(duo_events(&d, 0, c[0]) & PL_EV_WRITABLE, 0);   /* nobody asked */
    assert_int_equal(pl_send(d.s[0], c[0], bytes, sizeof bytes), 4096);
    assert_int_equal(pl_send(d.s[0], c[0], bytes, 1), PL_EAGAIN);
    assert_false(pl_ready(d.s[0], c[0]) & PL_EV_WRITABLE);
    duo_exchange(&d);
    assert_true(duo_events(&d, 0, c[0]) & PL_EV_WRITABLE);
    assert_true(pl_ready(d.s[0], c[0]) & PL_EV_WRITABLE);
    duo_free(&d);
}

/* ------------------------------------------------------------------ time ------------------------------------------------------------------ */

static void a_time_that_goes_backwards_is_clamped_and_counted(void **state)
{
    (void)state;
    struct duo d;
    struct pl_counters before, after;
    pl_conn c[2];
    duo_init(&d, NULL, false);
    duo_open(&d, false, 80, c);
    d.cut[0] = true;
    assert_int_equal(pl_send(d.s[0], c[0], "x", 1), 1);
    duo_exchange(&d);
    duo_drain_events(&d);
    pl_time due = pl_deadline(d.s[0]);
    assert_true(due > d.now && due != PL_NEVER);
    pl_counters(d.s[0], &before, sizeof before);
    pl_poll(d.s[0], d.now - 500 * PL_S);
    pl_poll(d.s[0], 0);
    assert_int_equal(pl_tx(d.s[0], 0, NULL, 0, 1), 0);
    assert_int_equal(pl_rx(d.s[0], 0, NULL, 0, d.now - 1), PL_OK);
    pl_counters(d.s[0], &after, sizeof after);
    assert_int_equal(after.time_backwards - before.time_backwards, 4);
    assert_true(pl_deadline(d.s[0]) == due);         /* and nothing else happened */
    pl_poll(d.s[0], d.now);               /* the same time again is fine */
    pl_counters(d.s[0], &before, sizeof before);
    assert_int_equal(after.time_backwards, before.time_backwards);
    duo_free(&d);
}

static void deadlines_of_a_few_records_move_by_exactly_that_much(void **state)
{
    static const pl_time shifts[] = {1, 16383, 16385, 1000000007, 86400 * PL_S + 3};
    (void)state;
    for (unsigned n = 0; n < COUNT_OF(shifts); n++) {
        struct duo d;
        pl_conn c[2];
        duo_init(&d, NULL, false);
        duo_open(&d, false, 80, c);
        d.cut[0] = true;
        assert_int_equal(pl_send(d.s[0], c[0], "x", 1), 1);
        duo_exchange(&d);
        duo_drain_events(&d);
        pl_time before = pl_deadline(d.s[0]);
        pl_stack_shift_time(d.s[0], shifts[n]);
        assert_true(pl_deadline(d.s[0]) == before + shifts[n]);
        duo_free(&d);
    }
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
        cmocka_unit_test(what_is_no_handle_is_refused),
        cmocka_unit_test(a_handle_that_was_given_back_is_stale_for_ever),
        cmocka_unit_test(a_handle_of_another_kind_is_refused),
        cmocka_unit_test(after_a_reset_what_was_received_is_readable_then_the_error),
        cmocka_unit_test(an_event_is_queued_once_until_it_is_taken),
        cmocka_unit_test(bits_of_one_handle_come_together),
        cmocka_unit_test(a_listener_with_more_waiting_says_so_again),
        cmocka_unit_test(writable_comes_after_a_send_that_took_less),
        cmocka_unit_test(a_time_that_goes_backwards_is_clamped_and_counted),
        cmocka_unit_test(deadlines_of_a_few_records_move_by_exactly_that_much),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
