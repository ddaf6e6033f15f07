/* SPDX-License-Identifier: MIT
 *
 * A catch-all listener: TCP for every address and port that no other listener takes. Host 1 has one; host 0, or a peer played by hand, speaks to
 * hosts that do not exist.
 */
#include "rfc/peer.h"
#include "support/make_packet.h"

enum { IRS = 7000, ISS = 100, HIS = 5000 };

struct all {
    struct duo d;
    bool six;
    pl_listener l;
};

static struct pl_endpoint elsewhere(bool six, uint16_t port) { return forge_endpoint(six ? "2001:db8:77::7" : "198.51.100.7", port); }

static void init(struct all *w, void **state, const struct pl_config *config, bool deferred)
{
    struct pl_listen_params p = {.catch_all = true, .deferred = deferred};
    duo_init(&w->d, config, false);
    w->six = SIX(state);
    assert_int_equal(pl_listen(w->d.s[1], &p, &w->l), PL_OK);
    struct pl_route all = {.destination = forge_endpoint(w->six ? "::" : "0.0.0.0", 0).addr, .iface = 0};
    assert_int_equal(pl_route_add(w->d.s[0], &all), PL_OK);
}

static struct forged segment(const struct all *w, struct pl_endpoint to, uint8_t flags, uint32_t seq, uint32_t ack)
{
    return (struct forged){.src = duo_endpoint(0, w->six, HIS), .dst = to, .seq = seq, .ack = ack, .wnd = 9000, .flags = flags};
}

static void gives(struct all *w, struct pl_endpoint to, uint8_t flags, uint32_t seq, uint32_t ack)
{
    struct forged f = segment(w, to, flags, seq, ack);
    duo_give_segment(&w->d, 1, &f);
}

static void answers(struct all *w, struct pl_endpoint from, uint8_t flags, struct forged *f)
{
    assert_true(duo_take_segment(&w->d, 1, f));
    assert_int_equal(f->flags, flags);
    assert_memory_equal(f->src.addr.b, from.addr.b, 16);
    assert_int_equal(f->src.port, from.port);
}

static void silent(struct all *w)
{
    struct forged f;
    assert_false(duo_take_segment(&w->d, 1, &f));
}

static uint64_t drops(const struct all *w, enum pl_drop drop)
{
    struct pl_counters n;
    pl_counters(w->d.s[1], &n, sizeof n);
    return n.drops[drop];
}

/* A whole life: handshake, text both ways, both FINs, TIME-WAIT's ACK: every segment comes from the address that the client meant. */
static void a_connection_to_any_address_and_port(void **state)
{
    struct all w;
    uint8_t got[100];
    pl_conn c[2];
    struct pl_endpoint remote;
    struct pl_tcp_status st;
    init(&w, state, NULL, false);
    struct pl_connect_params p = {.remote = elsewhere(w.six, 1234)};
    assert_int_equal(pl_connect(w.d.s[0], &p, &c[0]), PL_OK);
    duo_exchange(&w.d);
    assert_int_equal(pl_accept(w.d.s[1], w.l, &c[1], &remote), PL_OK);
    assert_int_equal(pl_status(w.d.s[1], c[1], &st, sizeof st), PL_OK);
    assert_memory_equal(&st.local, &p.remote, sizeof st.local);         /* whom the peer meant */
    assert_int_equal(pl_send(w.d.s[0], c[0], "question", 8), 8);
    assert_int_equal(pl_send(w.d.s[1], c[1], "answer", 6), 6);
    duo_exchange(&w.d);
    assert_int_equal(pl_recv(w.d.s[1], c[1], got, sizeof got), 8);
    assert_int_equal(pl_recv(w.d.s[0], c[0], got, sizeof got), 6);
    assert_int_equal(pl_finish(w.d.s[1], c[1]), PL_OK);                 /* host 1 first: TIME-WAIT is there */
    duo_exchange(&w.d);
    assert_int_equal(pl_finish(w.d.s[0], c[0]), PL_OK);
    duo_exchange(&w.d);
    assert_int_equal(pl_status(w.d.s[0], c[0], &st, sizeof st), PL_OK);
    assert_int_equal(st.state, PL_CLOSED);
    assert_int_equal(st.error, 0);
    assert_int_equal(pl_close(w.d.s[1], c[1]), PL_OK);
    struct forged f = {.src = st.local, .dst = st.remote, .seq = st.snd.nxt - 1, .ack = st.rcv.nxt, .wnd = 9000, .flags = PL_FIN | PL_ACK};
    duo_give_segment(&w.d, 1, &f);        /* the client's FIN again: TIME-WAIT answers, from there */
    answers(&w, p.remote, PL_ACK, &f);
    duo_run(&w.d, 61 * PL_S);
    assert_int_equal(pl_close(w.d.s[1], w.l), PL_OK);
    assert_null(block_is_empty(w.d.s[1]));
    duo_free(&w.d);
}

static void any_other_listener_is_asked_first(void **state)
{
    struct all w;
    struct forged f;
    pl_conn c;
    init(&w, state, NULL, true);
    pl_listener http = duo_listen(&w.d, 1, 80, 0);
    struct pl_endpoint ours = duo_endpoint(1, w.six, 80), other = duo_endpoint(1, w.six, 81), there = elsewhere(w.six, 80);
    gives(&w, ours, PL_SYN, IRS, 0);
    answers(&w, ours, PL_SYN | PL_ACK, &f);              /* not deferred: the plain listener's */
    gives(&w, ours, PL_ACK, IRS + 1, f.seq + 1);
    assert_int_equal(pl_accept(w.d.s[1], http, &c, NULL), PL_OK);
    struct pl_endpoint asked[2] = {other, there};
    for (unsigned i = 0; i < 2; i++) {    /* another port of ours; the same port elsewhere: a listener on every address of ours is not for that */
        pl_incoming in;
        struct pl_endpoint local;
        gives(&w, asked[i], PL_SYN, IRS, 0);
        silent(&w);
        assert_int_equal(pl_incoming_next(w.d.s[1], w.l, &in, &local, NULL), PL_OK);
        assert_memory_equal(&local, &asked[i], sizeof local);
        assert_int_equal(pl_incoming_refuse(w.d.s[1], in, PL_REFUSE_RESET), PL_OK);
        answers(&w, asked[i], PL_RST | PL_ACK, &f);
    }
    duo_free(&w.d);
}

/* RFC 792, RFC 1812 4.3.2.4: the error comes from us, not from the host that is said to be unreachable; without an address of our own, from there. */
static void who_says_that_a_host_is_unreachable(void **state)
{
    for (unsigned bare = 0; bare < 2; bare++) {
        struct all w;
        uint8_t frame[DUO_FRAME_BYTES];
        pl_incoming in;
        init(&w, state, NULL, true);
        struct pl_endpoint us = duo_endpoint(1, w.six, 0), there = elsewhere(w.six, 443);
        if (bare) {
            struct pl_route all = {.destination = forge_endpoint(w.six ? "::" : "0.0.0.0", 0).addr, .iface = 0};
            assert_int_equal(pl_addr_remove(w.d.s[1], 0, &us.addr), PL_OK);
            assert_int_equal(pl_route_add(w.d.s[1], &all), PL_OK);
        }
        gives(&w, there, PL_SYN, IRS, 0);
        assert_int_equal(pl_incoming_next(w.d.s[1], w.l, &in, NULL, NULL), PL_OK);
        assert_int_equal(pl_incoming_refuse(w.d.s[1], in, PL_REFUSE_HOST_UNREACHABLE), PL_OK);
        size_t n = duo_take(&w.d, 1, frame);
        const uint8_t *source = w.six ? frame + 8 : frame + 12, *want = bare ? there.addr.b : us.addr.b;
        assert_true(n > 48);
        assert_memory_equal(source, w.six ? want : want + 12, w.six ? 16 : 4);
        duo_free(&w.d);
    }
}

/* Only TCP, only to what can be somebody's address; without such a listener nothing. */
static void what_is_not_caught(void **state)
{
    static const char *const never[2][4] = {{"224.0.0.9", "127.0.0.1", "192.0.2.255", "255.255.255.255"}, {"ff02::9", "::1", "fe80::99", "ff0e::1"}};
    struct all w;
    struct forged f;
    init(&w, state, NULL, false);
    for (unsigned i = 0; i < 4; i++)
        gives(&w, forge_endpoint(never[w.six][i], 80), PL_SYN, IRS, 0);
    silent(&w);
    uint8_t frame[DUO_FRAME_BYTES];
    struct forged syn = segment(&w, elsewhere(w.six, 80), PL_SYN, IRS, 0);
    size_t n = forge_tcp(frame, &syn);
    frame[w.six ? 6 : 9] = 17;            /* the same bytes as UDP */
    if (!w.six)
        frame[11] = (uint8_t)(frame[11] - 11);           /* the header's sum follows */
    uint64_t before = drops(&w, PL_DROP_IP_NOT_FOR_US);
    duo_give(&w.d, 1, frame, n);
    assert_int_equal(drops(&w, PL_DROP_IP_NOT_FOR_US), before + 1);
    assert_int_equal(duo_take(&w.d, 1, frame), 0);
    gives(&w, elsewhere(w.six, 80), PL_ACK, IRS, 5);     /* RFC 9293 3.10.7.2 second, for every host */
    answers(&w, elsewhere(w.six, 80), PL_RST, &f);
    duo_free(&w.d);
    duo_init(&w.d, NULL, false);
    gives(&w, elsewhere(w.six, 80), PL_SYN, IRS, 0);
    assert_int_equal(drops(&w, PL_DROP_IP_NOT_FOR_US), 1);
    silent(&w);
    duo_free(&w.d);
}

/* Its connections live on; for the rest of that host we are silent again, as a host is about packets for others. */
static void after_it_is_closed(void **state)
{
    struct all w;
    struct forged f;
    pl_conn c;
    init(&w, state, NULL, false);
    struct pl_endpoint there = elsewhere(w.six, 80);
    gives(&w, there, PL_SYN, IRS, 0);
    answers(&w, there, PL_SYN | PL_ACK, &f);
    uint32_t iss = f.seq;
    gives(&w, there, PL_ACK, IRS + 1, iss + 1);
    assert_int_equal(pl_accept(w.d.s[1], w.l, &c, NULL), PL_OK);
    assert_int_equal(pl_close(w.d.s[1], w.l), PL_OK);
    f = segment(&w, there, PL_ACK | PL_PSH, IRS + 1, iss + 1);
    f.text_bytes = 10;
    duo_give_segment(&w.d, 1, &f);
    char got[20];
    assert_int_equal(pl_recv(w.d.s[1], c, got, sizeof got), 10);
    w.d.now += PL_S;
    pl_poll(w.d.s[1], w.d.now);
    answers(&w, there, PL_ACK, &f);
    gives(&w, elsewhere(w.six, 81), PL_SYN, IRS, 0);
    gives(&w, elsewhere(w.six, 81), PL_ACK, IRS, 5);
    silent(&w);
    assert_int_equal(drops(&w, PL_DROP_IP_NOT_FOR_US), 2);
    gives(&w, duo_endpoint(1, w.six, 81), PL_SYN, IRS, 0);              /* our own closed port says so, as ever */
    answers(&w, duo_endpoint(1, w.six, 81), PL_RST | PL_ACK, &f);
    duo_free(&w.d);
}

/* A message of the peer (a router, for once) to that address. */
static void icmp(struct all *w, struct pl_addr to, uint8_t type, uint8_t code, uint16_t mtu, const void *behind, size_t n)
{
    uint8_t message[8 + 200] = {type, code, 0, 0, 0, 0, (uint8_t)(mtu >> 8), (uint8_t)mtu}, frame[FORGE_BYTES_MAX];
    struct pl_addr from = duo_endpoint(0, w->six, 0).addr;
    struct made m = {.version = w->six ? 6 : 4, .protocol = w->six ? 58 : 1, .payload = message, .payload_bytes = 8 + n};
    size_t skip = w->six ? 0 : 12, l4;
    memcpy(m.from, from.b + skip, 16 - skip);
    memcpy(m.to, to.b + skip, 16 - skip);
    memcpy(message + 8, behind, n);
    duo_give(&w->d, 1, frame, make_packet(&m, frame, &l4));
}

/* RFC 9293 3.9.2.2, RFC 1191, RFC 8201: what a router says of a connection concerns it, whoever's address it has; nothing else is heard in that name. */
static void icmp_about_its_connections_is_heard(void **state)
{
    struct all w;
    struct forged f;
    pl_conn c;
    struct pl_tcp_status st;
    uint8_t sent[DUO_FRAME_BYTES];
    static char text[3000];
    init(&w, state, NULL, false);
    struct pl_endpoint there = elsewhere(w.six, 80);
    f = segment(&w, there, PL_SYN, IRS, 0);
    f.opts = (struct wire_tcp_opts){.have = WIRE_OPT_MSS, .mss = 1460};
    duo_give_segment(&w.d, 1, &f);
    answers(&w, there, PL_SYN | PL_ACK, &f);
    gives(&w, there, PL_ACK, IRS + 1, f.seq + 1);
    assert_int_equal(pl_accept(w.d.s[1], w.l, &c, NULL), PL_OK);
    assert_int_equal(pl_send(w.d.s[1], c, text, sizeof text), sizeof text);
    size_t n = duo_take(&w.d, 1, sent);
    assert_true(n > 1400);
    icmp(&w, there.addr, w.six ? 2 : 3, w.six ? 0 : 4, 1300, sent, 200);
    assert_int_equal(pl_status(w.d.s[1], c, &st, sizeof st), PL_OK);
    assert_int_equal(st.mss, 1300 - (w.six ? 60 : 40));
    uint64_t before = drops(&w, PL_DROP_IP_NOT_FOR_US);
    icmp(&w, there.addr, w.six ? 128 : 8, 0, 7, text, 20);              /* a ping */
    assert_int_equal(drops(&w, PL_DROP_IP_NOT_FOR_US), before + 1);
    duo_free(&w.d);
}

/* RFC 4987 3.6: one that is not deferred may answer with cookies when it has no room, in anybody's name. */
static void cookies_come_from_there_too(void **state)
{
    struct pl_config config = duo_config();
    struct all w;
    struct forged f;
    pl_conn c;
    config.half_open_max = 1;
    config.timestamps = true;
    init(&w, state, &config, false);
    gives(&w, elsewhere(w.six, 80), PL_SYN, IRS, 0);
    answers(&w, elsewhere(w.six, 80), PL_SYN | PL_ACK, &f);
    gives(&w, elsewhere(w.six, 81), PL_SYN, IRS, 0);
    answers(&w, elsewhere(w.six, 81), PL_SYN | PL_ACK, &f);
    assert_int_equal(drops(&w, PL_DROP_TCP_COOKIE_SENT), 1);
    gives(&w, elsewhere(w.six, 81), PL_ACK, IRS + 1, f.seq + 1);
    assert_int_equal(pl_accept(w.d.s[1], w.l, &c, NULL), PL_OK);
    duo_free(&w.d);
}

static void one_for_a_stack_and_no_address(void **state)
{
    struct all w;
    pl_listener l;
    init(&w, state, NULL, false);
    struct pl_listen_params p = {.catch_all = true};
    assert_int_equal(pl_listen(w.d.s[1], &p, &l), PL_EADDRINUSE);
    assert_int_equal(pl_close(w.d.s[1], w.l), PL_OK);
    p.local.port = 80;
    assert_int_equal(pl_listen(w.d.s[1], &p, &l), PL_EINVAL);
    p.local = duo_endpoint(1, w.six, 0);
    assert_int_equal(pl_listen(w.d.s[1], &p, &l), PL_EINVAL);
    p = (struct pl_listen_params){.catch_all = true, .deferred = true};
    assert_int_equal(pl_listen(w.d.s[1], &p, &l), PL_OK);
    assert_int_equal(pl_close(w.d.s[1], l), PL_OK);
    assert_null(block_is_empty(w.d.s[1]));
    duo_free(&w.d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(a_connection_to_any_address_and_port),
        BOTH(any_other_listener_is_asked_first),
        BOTH(who_says_that_a_host_is_unreachable),
        BOTH(what_is_not_caught),
        BOTH(after_it_is_closed),
        BOTH(icmp_about_its_connections_is_heard),
        BOTH(cookies_come_from_there_too),
        BOTH(one_for_a_stack_and_no_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
