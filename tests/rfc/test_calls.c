/* SPDX-License-Identifier: MIT
 *
 * RFC 9293 3.9.1, 3.9.2: what the program may ask for, and what IP gets to see of it.
 */
#include "rfc/peer.h"

static uint8_t buffer[8192];

/* MUST-41, MUST-42: a listener on the port of a connection in SYN-SENT or SYN-RECEIVED: allowed, harmless to the connection, and it works. */
static void a_listener_on_the_port_of_an_opening_connection(void **state)
{
    for (unsigned crossed = 0; crossed < 2; crossed++) {
        struct duo d;
        struct forged syn, f;
        struct pl_tcp_status before, after;
        pl_conn c;
        duo_init(&d, NULL, false);
        struct pl_connect_params params = {.remote = duo_endpoint(1, SIX(state), 80), .local.port = 4000};
        assert_int_equal(pl_connect(d.s[0], &params, &c), PL_OK);
        assert_true(duo_take_segment(&d, 0, &syn));
        if (crossed) {
            f = (struct forged){.src = syn.dst, .dst = syn.src, .seq = 7000, .wnd = 1000, .flags = PL_SYN};
            duo_give_segment(&d, 0, &f);
            assert_true(duo_take_segment(&d, 0, &f));
        }
        assert_int_equal(pl_status(d.s[0], c, &before, sizeof before), PL_OK);
        assert_int_equal(before.state, crossed ? PL_SYN_RECEIVED : PL_SYN_SENT);
        duo_listen(&d, 0, 4000, 0);
        assert_int_equal(pl_status(d.s[0], c, &after, sizeof after), PL_OK);
        assert_memory_equal(&before, &after, sizeof before);
        f = (struct forged){.src = duo_endpoint(1, SIX(state), 5555), .dst = syn.src, .seq = 1, .wnd = 1000, .flags = PL_SYN};
        duo_give_segment(&d, 0, &f);                     /* for the listener */
        assert_true(duo_take_segment(&d, 0, &f));
        assert_int_equal(f.flags, PL_SYN | PL_ACK);
        assert_int_equal(f.dst.port, 5555);
        f = (struct forged){.src = syn.dst, .dst = syn.src, .seq = 7000, .ack = syn.seq + 1, .wnd = 1000, .flags = PL_SYN | PL_ACK};
        duo_give_segment(&d, 0, &f);                     /* for the connection */
        assert_int_equal(pl_status(d.s[0], c, &after, sizeof after), PL_OK);
        assert_int_equal(after.state, PL_ESTABLISHED);
        duo_free(&d);
    }
}

static size_t take_raw(struct duo *d, unsigned host, uint8_t frame[DUO_FRAME_BYTES], struct forged *f)
{
    size_t n = duo_take(d, host, frame);
    if (n)
        assert_true(forge_read(frame, n, f));
    return n;
}

/* MUST-43, MUST-45: the local address that OPEN gives is the source of every segment, to the last. */
static void the_given_local_address_stands_in_every_segment(void **state)
{
    struct duo d;
    uint8_t frame[DUO_FRAME_BYTES];
    struct forged f;
    pl_conn c[2];
    struct pl_addr second = forge_endpoint(SIX(state) ? "2001:db8::77" : "192.0.2.77", 0).addr;
    duo_init(&d, NULL, false);
    assert_int_equal(pl_addr_add(d.s[0], 0, &second, SIX(state) ? 64 : 24), PL_OK);
    pl_listener l = duo_listen(&d, 1, 80, 0);
    struct pl_connect_params params = {.remote = duo_endpoint(1, SIX(state), 80), .local.addr = second};
    assert_int_equal(pl_connect(d.s[0], &params, &c[0]), PL_OK);
    unsigned seen = 0;
    for (unsigned round = 0; round < 8; round++) {
        for (size_t n; (n = take_raw(&d, 0, frame, &f)) != 0; seen++) {
            assert_memory_equal(f.src.addr.b, second.b, 16);
            duo_give(&d, 1, frame, n);
        }
        for (size_t n; (n = take_raw(&d, 1, frame, &f)) != 0;) {
            assert_memory_equal(f.dst.addr.b, second.b, 16);
            duo_give(&d, 0, frame, n);
        }
        if (round == 2) {
            assert_int_equal(pl_send(d.s[0], c[0], buffer, 100), 100);
            assert_int_equal(pl_accept(d.s[1], l, &c[1], NULL), PL_OK);
        }
        if (round == 4) {
            assert_int_equal(pl_finish(d.s[0], c[0]), PL_OK);
            assert_int_equal(pl_finish(d.s[1], c[1]), PL_OK);
        }
    }
    assert_true(seen >= 4);
    duo_free(&d);
}

static uint8_t tos_of(const uint8_t *frame) { return frame[0] >> 4 == 4 ? frame[1] : (uint8_t)(frame[0] << 4 | frame[1] >> 4); }
static uint8_t ttl_of(const uint8_t *frame) { return frame[frame[0] >> 4 == 4 ? 8 : 7]; }

/* MUST-48, MUST-49, SHLD-21, SHLD-22: DSCP and TTL as set, from the next segment on: text, ACKs, FIN and RST; the config's TTL before. */
static void dscp_and_ttl_are_those_that_the_program_set(void **state)
{
    static const uint8_t dscps[] = {46, 0, 63, 10};
    struct pl_config config = duo_config();
    struct peer p;
    uint8_t frame[DUO_FRAME_BYTES];
    struct forged f;
    config.hop_limit = 77;
    peer_open(&p, state, &config, 0);
    pl_stack *s = p.d.s[0];
    assert_int_equal(pl_send(s, p.c, buffer, 10), 10);
    assert_true(take_raw(&p.d, 0, frame, &f));
    assert_int_equal(tos_of(frame), 0);
    assert_int_equal(ttl_of(frame), 77);
    for (unsigned i = 0; i < COUNT_OF(dscps); i++) {
        peer_acks(&p, peer_status(&p).snd.nxt);
        assert_int_equal(pl_set(s, p.c, PL_OPT_DSCP, dscps[i]), PL_OK);
        assert_int_equal(pl_set(s, p.c, PL_OPT_HOP_LIMIT, 5 + i), PL_OK);
        assert_int_equal(pl_send(s, p.c, buffer, 10), 10);
        assert_true(take_raw(&p.d, 0, frame, &f));
        assert_int_equal(f.text_bytes, 10);
        assert_int_equal(tos_of(frame), dscps[i] << 2);
        assert_int_equal(ttl_of(frame), 5 + i);
        f = peer_segment(&p, PL_ACK | PL_PSH, 0, 10);
        peer_says(&p, &f);
        assert_true(take_raw(&p.d, 0, frame, &f));       /* the ACK */
        assert_int_equal(tos_of(frame), dscps[i] << 2);
        assert_int_equal(ttl_of(frame), 5 + i);
    }
    assert_int_equal(pl_abort(s, p.c), PL_OK);
    assert_true(take_raw(&p.d, 0, frame, &f));
    assert_true(f.flags & PL_RST);
    assert_int_equal(tos_of(frame), 10 << 2);
    assert_int_equal(pl_set(s, p.c, PL_OPT_DSCP, 64), PL_EINVAL);
    assert_int_equal(pl_set(s, p.c, PL_OPT_HOP_LIMIT, 0), PL_EINVAL);
    peer_free(&p);
}

/* SHLD-20: a program that never asks for events misses nothing but them. */
static void a_program_need_not_take_events(void **state)
{
    struct duo d;
    pl_conn c[2];
    duo_init(&d, NULL, false);
    duo_open(&d, SIX(state), 80, c);
    for (unsigned i = 0; i < 1000; i++) {
        assert_int_equal(pl_send_urgent(d.s[0], c[0], buffer, 500), 500);
        duo_exchange(&d);
        assert_int_equal(pl_recv(d.s[1], c[1], buffer, sizeof buffer), 500);
        duo_exchange(&d);
    }
    assert_int_equal(pl_abort(d.s[0], c[0]), PL_OK);
    duo_exchange(&d);
    assert_int_equal(pl_recv(d.s[1], c[1], buffer, sizeof buffer), PL_ECONNRESET);
    assert_int_equal(pl_close(d.s[0], c[0]), PL_OK);
    assert_int_equal(pl_close(d.s[1], c[1]), PL_OK);
    assert_null(block_is_empty(d.s[0]));
    assert_null(block_is_empty(d.s[1]));
    duo_free(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(a_listener_on_the_port_of_an_opening_connection),
        BOTH(the_given_local_address_stands_in_every_segment),
        BOTH(dscp_and_ttl_are_those_that_the_program_set),
        BOTH(a_program_need_not_take_events),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
