/* SPDX-License-Identifier: MIT
 *
 * pl_explain: a true sentence for each state and for what it waits for. Each row brings a connection there and names what must be said; what is not so
 * must not be said.
 */
#include "support/played.h"

/* Sentences of which a row names those that hold; all others must be missing. */
static const char *const sentences[] = {
    "our SYN waits for the device", "our SYN is sent", "our answer waits", "both SYNs are sent", "open in both directions",
    "waiting for the peer to acknowledge our FIN", "waiting for the peer to finish", "waiting for our program to finish", "both sides finished at once",
    "both sides have finished; waiting for the peer to ack", "waiting 2 MSL", "the connection is over", "our FIN goes when everything before it has gone",
    "the handshake comes first", "the peer's window is closed", "the peer's window is full", "the congestion window is full", "too small to be worth",
    "the rest of the congestion window", "spread over time",
    "corked", "Nagle", "are not acknowledged", "taken for lost", "what was lost goes first", "wait to be sent", "wait to be read", "ahead of a gap",
    "It failed", "The peer does not answer", "The network says", "Window probe in", "It goes anyway in", "Retransmission in", "Delayed ACK in",
    "Keepalive check in", "Time limit in", "about to go",
};

static void says(struct duo *d, unsigned host, pl_conn c, const char *state, const char *const *expected, unsigned n)
{
    char text[1000];
    int len = pl_explain(d->s[host], c, text, sizeof text);
    assert_true(len > 0 && (size_t)len == strlen(text));
    if (strncmp(text, state, strlen(state)) != 0 || text[strlen(state)] != ':')
        fail_msg("not %s: %s", state, text);
    for (unsigned i = 0; i < n; i++)
        if (!strstr(text, expected[i]))
            fail_msg("\"%s\" is missing: %s", expected[i], text);
    for (unsigned s = 0; s < COUNT_OF(sentences); s++) {
        bool wanted = false;
        for (unsigned i = 0; i < n; i++)
            wanted |= strstr(expected[i], sentences[s]) || strstr(sentences[s], expected[i]);
        if (!wanted && strstr(text, sentences[s]))
            fail_msg("\"%s\" is not so: %s", sentences[s], text);
    }
}
#define SAYS(p, state, ...) says(&(p)->d, 1, (p)->c, state, (const char *const[]){__VA_ARGS__}, COUNT_OF(((const char *const[]){__VA_ARGS__})))
#define SAYS_OF(d, c, state, ...) says(d, 0, c, state, (const char *const[]){__VA_ARGS__}, COUNT_OF(((const char *const[]){__VA_ARGS__})))

static void fresh(struct played *p, void **state)
{
    played_init(p, SIX(state), NULL);
    played_open_plain(p, 1000);
    (void)played_drains(p);
}

static void an_opening_connection(void **state)
{
    struct duo d;
    struct forged syn, r;
    duo_init(&d, NULL, false);
    pl_conn c = duo_connect(&d, 0, SIX(state), 80);
    SAYS_OF(&d, c, "SYN-SENT", "our SYN waits for the device");
    assert_int_equal(pl_send(d.s[0], c, "text", 4), 4);
    assert_true(duo_take_segment(&d, 0, &syn));
    SAYS_OF(&d, c, "SYN-SENT", "our SYN is sent", "4 bytes wait to be sent: the handshake comes first", "Retransmission in 1 s");
    struct forged crossed = {.src = syn.dst, .dst = syn.src, .seq = 7000, .wnd = 20000, .flags = PL_SYN};
    duo_give_segment(&d, 0, &crossed);
    SAYS_OF(&d, c, "SYN-RECEIVED", "both SYNs are sent", "the handshake comes first", "wait to be sent", "Retransmission in");
    assert_true(duo_take_segment(&d, 0, &r));
    SAYS_OF(&d, c, "SYN-RECEIVED", "both SYNs are sent", "the handshake comes first", "wait to be sent", "Retransmission in");
    struct forged ack = {.src = syn.dst, .dst = syn.src, .seq = 7001, .ack = syn.seq + 1, .wnd = 20000, .flags = PL_ACK};
    duo_give_segment(&d, 0, &ack);
    SAYS_OF(&d, c, "ESTABLISHED", "open in both directions", "wait to be sent", "about to go");
    struct forged rst = {.src = syn.dst, .dst = syn.src, .seq = 7001, .flags = PL_RST};
    duo_give_segment(&d, 0, &rst);
    SAYS_OF(&d, c, "CLOSED", "the connection is over", "It failed: ");
    duo_free(&d);
}

static void a_peer_that_never_answers_a_syn(void **state)
{
    struct duo d;
    struct forged f;
    duo_init(&d, NULL, false);
    pl_conn c = duo_connect(&d, 0, SIX(state), 80);
    for (unsigned i = 0; i < 60; i++) {
        (void)duo_take_segment(&d, 0, &f);
        duo_drain_events(&d);
        d.now += PL_S;
        pl_poll(d.s[0], d.now);
    }
    SAYS_OF(&d, c, "SYN-SENT", "our SYN is sent", "The peer does not answer", "Retransmission in");
    duo_free(&d);
}

static void what_holds_text_back(void **state)
{
    struct played p;
    fresh(&p, state);
    SAYS(&p, "ESTABLISHED", "open in both directions");
    assert_int_equal(pl_set(p.d.s[1], p.c, PL_OPT_CORK, 1), PL_OK);
    played_sends(&p, 10);
    (void)played_drains(&p);
    SAYS(&p, "ESTABLISHED", "open in both directions", "10 bytes wait to be sent: the program corked it", "It goes anyway in");
    assert_int_equal(pl_set(p.d.s[1], p.c, PL_OPT_CORK, 0), PL_OK);
    (void)played_drains(&p);
    SAYS(&p, "ESTABLISHED", "open in both directions", "10 bytes of sequence space are not acknowledged", "Retransmission in");
    played_sends(&p, 5);
    (void)played_drains(&p);
    SAYS(&p, "ESTABLISHED", "open in both directions", "are not acknowledged", "5 bytes wait to be sent", "Nagle", "Retransmission in");
    p.wnd = 10;
    played_gives(&p, PL_ACK, 0, 10, 0);
    (void)played_drains(&p);
    played_gives(&p, PL_ACK, 0, 15, 0);
    SAYS(&p, "ESTABLISHED", "open in both directions");
    played_sends(&p, 30);
    (void)played_drains(&p);
    SAYS(&p, "ESTABLISHED", "open in both directions", "30 bytes wait to be sent", "too small to be worth", "It goes anyway in");
    p.wnd = 0;
    played_gives(&p, PL_ACK, 0, 15, 0);
    (void)played_drains(&p);
    SAYS(&p, "ESTABLISHED", "open in both directions", "30 bytes wait to be sent", "the peer's window is closed", "Window probe in");
    p.wnd = 1000;
    played_gives(&p, PL_ACK, 0, 15, 0);
    played_sends(&p, 1970);
    (void)played_drains(&p);
    SAYS(&p, "ESTABLISHED", "open in both directions", "1000 bytes wait to be sent", "the peer's window is full", "are not acknowledged", "Retransmission in");
    played_free(&p);
}

static void what_the_congestion_window_holds_back(void **state)
{
    struct pl_config config = duo_config();
    struct played p;
    config.sndbuf_bytes = 60000;
    config.congestion_control = PL_CC_NEWRENO;
    played_init(&p, SIX(state), &config);
    played_open_plain(&p, 1000);
    played_sends(&p, 20000);
    (void)played_drains(&p);
    played_gives(&p, PL_ACK, 0, 300, 0);  /* 300 fly less, the window is 300 larger */
    assert_int_equal(played_drains(&p), 0);
    SAYS(&p, "ESTABLISHED", "open in both directions", "are not acknowledged", "wait to be sent: the rest of the congestion window is less than a segment", "Retransmission in");
    played_free(&p);
}

static void what_is_lost(void **state)
{
    struct pl_config config = duo_config();
    struct played p;
    config.sndbuf_bytes = 60000;
    played_init(&p, SIX(state), &config);
    played_open_plain(&p, 1000);
    played_sends(&p, 20000);
    (void)played_drains(&p);
    SAYS(&p, "ESTABLISHED", "open in both directions", "are not acknowledged", "wait to be sent", "the congestion window is full", "Retransmission in");
    assert_true(played_next_deadline(&p));
    SAYS(&p, "ESTABLISHED", "open in both directions", "are not acknowledged", "segments are taken for lost", "wait to be sent: what was lost goes first");
    for (int i = 0; i < 4; i++) {
        (void)played_drains(&p);
        assert_true(played_next_deadline(&p));
    }
    (void)played_drains(&p);
    SAYS(&p, "ESTABLISHED", "open in both directions", "The peer does not answer", "are not acknowledged", "taken for lost", "what was lost goes first", "wait to be sent",
         "Retransmission in");
    played_free(&p);
}

static void what_waits_for_the_program(void **state)
{
    struct played p;
    fresh(&p, state);
    assert_int_equal(pl_set(p.d.s[1], p.c, PL_OPT_KEEPALIVE, 1), PL_OK);
    SAYS(&p, "ESTABLISHED", "open in both directions", "Keepalive check in 7200 s");
    played_gives(&p, PL_ACK, 100, 0, 50);
    (void)played_drains(&p);
    SAYS(&p, "ESTABLISHED", "open in both directions", "1 runs of bytes arrived ahead of a gap", "Keepalive check in");
    played_gives(&p, PL_ACK, 0, 0, 100);
    (void)played_drains(&p);
    SAYS(&p, "ESTABLISHED", "open in both directions", "150 bytes wait to be read", "Keepalive check in");
    assert_int_equal(pl_set(p.d.s[1], p.c, PL_OPT_KEEPALIVE, 0), PL_OK);
    for (unsigned i = 0; i < 9; i++)      /* the quick ACKs of a connection's first segments are used up */
        played_gives(&p, PL_ACK | PL_PSH, 150 + i, 0, 1), (void)played_drains(&p);
    played_gives(&p, PL_ACK, 159, 0, 1);
    SAYS(&p, "ESTABLISHED", "open in both directions", "160 bytes wait to be read", "Delayed ACK in 40 ms");
    assert_int_equal(pl_set(p.d.s[1], p.c, PL_OPT_USER_TIMEOUT, (int64_t)(30 * PL_S)), PL_OK);
    played_sends(&p, 1);
    (void)played_drains(&p);
    SAYS(&p, "ESTABLISHED", "open in both directions", "wait to be read", "are not acknowledged", "Retransmission in", "Time limit in 30 s");
    played_free(&p);
}

static void the_closing_states(void **state)
{
    struct played p;
    fresh(&p, state);
    played_sends(&p, 10);
    assert_int_equal(pl_finish(p.d.s[1], p.c), PL_OK);
    p.wnd = 0;
    played_gives(&p, PL_ACK, 0, 0, 0);
    SAYS(&p, "FIN-WAIT-1", "our FIN goes when everything before it has gone", "wait to be sent", "the peer's window is closed");
    p.wnd = 60000;
    played_gives(&p, PL_ACK, 0, 0, 0);
    (void)played_drains(&p);
    SAYS(&p, "FIN-WAIT-1", "waiting for the peer to acknowledge our FIN", "11 bytes of sequence space are not acknowledged", "Retransmission in");
    played_gives(&p, PL_ACK, 0, 11, 0);
    SAYS(&p, "FIN-WAIT-2", "our FIN is acknowledged; waiting for the peer to finish");
    played_gives(&p, PL_FIN | PL_ACK, 0, 11, 0);
    (void)played_drains(&p);
    SAYS(&p, "TIME-WAIT", "both sides have finished; waiting 2 MSL");
    played_wait(&p, p.d.now + 61 * PL_S);
    SAYS(&p, "CLOSED", "the connection is over");
    played_free(&p);

    fresh(&p, state);
    assert_int_equal(pl_finish(p.d.s[1], p.c), PL_OK);
    (void)played_drains(&p);
    played_gives(&p, PL_FIN | PL_ACK, 0, 0, 0);
    (void)played_drains(&p);
    SAYS(&p, "CLOSING", "both sides finished at once", "waiting for the peer to acknowledge our FIN", "are not acknowledged", "Retransmission in");
    played_free(&p);

    fresh(&p, state);
    played_gives(&p, PL_FIN | PL_ACK, 0, 0, 0);
    (void)played_drains(&p);
    SAYS(&p, "CLOSE-WAIT", "the peer has finished sending; waiting for our program to finish");
    assert_int_equal(pl_finish(p.d.s[1], p.c), PL_OK);
    (void)played_drains(&p);
    SAYS(&p, "LAST-ACK", "both sides have finished; waiting for the peer to acknowledge our FIN", "are not acknowledged", "Retransmission in");
    played_gives(&p, PL_ACK, 1, 1, 0);
    SAYS(&p, "CLOSED", "the connection is over");
    played_free(&p);
}

static void what_the_network_says(void **state)
{
    struct played p;
    uint8_t frame[DUO_FRAME_BYTES];
    fresh(&p, state);
    played_sends(&p, 10);
    size_t n = duo_take(&p.d, 1, frame);
    if (SIX(state))
        played_icmp(&p, 1, 0, 0, frame, n);
    else
        played_icmp(&p, 3, 1, 0, frame, n);
    SAYS(&p, "ESTABLISHED", "open in both directions", "The network says: ", "are not acknowledged", "Retransmission in");
    played_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(an_opening_connection),
        BOTH(a_peer_that_never_answers_a_syn),
        BOTH(what_holds_text_back),
        BOTH(what_the_congestion_window_holds_back),
        BOTH(what_is_lost),
        BOTH(what_waits_for_the_program),
        BOTH(the_closing_states),
        BOTH(what_the_network_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
