/* SPDX-License-Identifier: MIT
 *
 * test_review.c: rules that a reading of the code beside the RFCs found broken, each with its paragraph. Host 1 of a duo; its peer is played by hand.
 */
#include "support/played.h"

static struct pl_config roomy(void)
{
    struct pl_config c = duo_config();
    c.sndbuf_bytes = 65536;
    c.chunks_max = 400;
    return c;
}

static void opened(struct played *p, void **state, const struct pl_config *config, uint8_t have)
{
    played_init(p, SIX(state), config);
    played_open(p, &(struct wire_tcp_opts){.have = (uint8_t)(WIRE_OPT_MSS | have), .mss = 1000}, 60000, 10 * PL_MS, NULL);
}

/* All that is sent now: how many bytes of text. */
static size_t text_now(struct played *p)
{
    struct forged s;
    size_t sum = 0;
    while (played_takes(p, &s))
        sum += s.text_bytes;
    return sum;
}

/* ------------------------------------------------------------------ congestion ------------------------------------------------------------------ */

/* RFC 5681 4.1: "a TCP SHOULD set cwnd to no more than RW before beginning transmission if the TCP has not sent data in an interval exceeding the
 * retransmission timeout", RW = min(IW, cwnd). */
static void after_idle_the_window_is_the_restart_window(void **state)
{
    struct pl_config config = roomy();
    struct played p;
    config.validate_window = false;       /* else RFC 7661: it stays */
    opened(&p, state, &config, 0);
    played_sends(&p, 10000);
    assert_int_equal(text_now(&p), 10000);
    p.d.now += 10 * PL_MS;
    played_gives(&p, PL_ACK, 0, 10000, 0);
    assert_true(played_status(&p).cwnd_bytes >= 18000);
    played_wait(&p, p.d.now + 60 * PL_S);
    played_sends(&p, 30000);
    assert_int_equal(text_now(&p), 10000);
    assert_int_equal(played_status(&p).cwnd_bytes, 10000);
    played_free(&p);
}

/* The same with a pause shorter than the RTO: what is known of the path is not old. */
static void without_a_pause_the_window_stays(void **state)
{
    struct pl_config config = roomy();
    struct played p;
    opened(&p, state, &config, 0);
    played_sends(&p, 10000);
    assert_int_equal(text_now(&p), 10000);
    p.d.now += 10 * PL_MS;
    played_gives(&p, PL_ACK, 0, 10000, 0);
    played_wait(&p, p.d.now + 50 * PL_MS);
    played_sends(&p, 30000);
    assert_int_equal(text_now(&p), 18000);
    played_free(&p);
}

/* RFC 6582 3.2 (2): "checks the value of recover to see if the Cumulative Acknowledgment field covers more than recover", ack_number - 1 > recover; (4):
 * after a time-out recover is "the highest sequence number transmitted": the answers to what was repeated needlessly are no sign of a loss. */
static void duplicates_after_a_time_out_that_tell_of_needless_repeats(void **state)
{
    for (unsigned more = 0; more < 2; more++) {
        struct pl_config config = roomy();
        struct played p;
        struct forged s;
        opened(&p, state, &config, 0);
        played_sends(&p, 10000);
        assert_int_equal(text_now(&p), 10000);           /* the first four are lost */
        assert_true(played_next_deadline(&p));
        assert_true(played_takes(&p, &s) && s.seq == 0);
        assert_false(played_takes(&p, &s));
        unsigned repeats = 0;
        for (uint32_t ack = 1000; ack < 4000; ack += 1000) {
            played_gives(&p, PL_ACK, 0, ack, 0);
            while (played_takes(&p, &s))
                repeats += s.seq < 10000;
        }
        assert_int_equal(repeats, 6);                    /* RFC 5681 3.1: slow start: two for one */
        if (more)
            played_sends(&p, 10000);                     /* follows directly */
        played_gives(&p, PL_ACK, 0, 10000, 0);           /* the fourth filled the gap; the others came twice, each is acknowledged */
        if (!more)
            played_sends(&p, 10000);
        assert_int_equal(text_now(&p), 5000);
        uint32_t before = played_status(&p).ssthresh_bytes;
        uint64_t repeated = played_status(&p).retransmits;
        for (unsigned i = 0; i < 4; i++)
            played_gives(&p, PL_ACK, 0, 10000, 0);
        text_now(&p);
        assert_int_equal(played_status(&p).retransmits, repeated);
        assert_int_equal(played_status(&p).ssthresh_bytes, before);
        /* a loss behind recover is one */
        played_gives(&p, PL_ACK, 0, 11000, 0);
        text_now(&p);
        for (unsigned i = 0; i < 3; i++)
            played_gives(&p, PL_ACK, 0, 11000, 0);
        assert_true(played_takes(&p, &s) && s.seq == 11000);
        assert_true(played_status(&p).retransmits == repeated + 1);
        played_free(&p);
    }
}

/* RFC 5681 3.2 (2), (4): ssthresh is half of FlightSize, "the amount of data that has been sent but not yet cumulatively acknowledged", whatever ICMP
 * said of the path meanwhile (RFC 1191 6.4: no sign of congestion). */
static void a_loss_right_after_the_path_got_narrower(void **state)
{
    struct pl_config config = roomy();
    config.congestion_control = PL_CC_NEWRENO;
    struct played p;
    struct forged f;
    uint8_t frame[DUO_FRAME_BYTES];
    played_init(&p, SIX(state), &config);
    played_open(&p, &(struct wire_tcp_opts){.have = WIRE_OPT_MSS, .mss = 1400}, 60000, 10 * PL_MS, NULL);
    played_sends(&p, 28000);
    size_t n = duo_take(&p.d, 1, frame);
    assert_true(forge_read(frame, n, &f) && f.text_bytes == 1400);
    text_now(&p);
    played_gives(&p, PL_ACK, 0, 0, 0);
    played_gives(&p, PL_ACK, 0, 0, 0);
    assert_int_equal(text_now(&p), 2800);
    played_icmp(&p, SIX(state) ? 2 : 3, SIX(state) ? 0 : 4, 1300, frame, n);
    assert_true(played_status(&p).mss < 1400);
    played_gives(&p, PL_ACK, 0, 0, 0);
    assert_in_range(played_status(&p).ssthresh_bytes, 7000 - 1400, 7000 + 1400);
    played_free(&p);
}

/* A connection that was reset with text under way has nothing under way any more, and status and explanation say so. */
static void what_a_dead_connection_had_under_way(void **state)
{
    struct pl_config config = roomy();
    struct played p;
    char text[400];
    opened(&p, state, &config, WIRE_OPT_SACK_PERMITTED);
    played_sends(&p, 5000);
    assert_int_equal(text_now(&p), 5000);
    assert_int_equal(played_status(&p).in_flight_bytes, 5000);
    played_gives(&p, PL_RST, 0, 0, 0);
    struct pl_tcp_status s = played_status(&p);
    assert_int_equal(s.state, PL_CLOSED);
    assert_int_equal(s.error, PL_ECONNRESET);
    assert_true(s.snd.nxt != s.snd.una);                 /* never acknowledged */
    assert_int_equal(s.in_flight_bytes, 0);
    assert_int_equal(s.lost_bytes, 0);
    assert_int_equal(s.sacked_bytes, 0);
    assert_int_equal(s.phase, PL_CC_OPEN);
    assert_true(pl_explain(p.d.s[1], p.c, text, sizeof text) > 0);
    assert_null(strstr(text, "are not acknowledged"));
    played_free(&p);
}

/* RFC 3042 2: "If the connection is using selective acknowledgments, the data sender MUST NOT send new segments in response to duplicate ACKs that contain
 * no new SACK information". */
static void limited_transmit_needs_news_where_there_is_sack(void **state)
{
    for (unsigned sack = 0; sack < 2; sack++) {
        struct pl_config config = roomy();
        struct played p;
        opened(&p, state, &config, sack ? WIRE_OPT_SACK_PERMITTED : 0);
        played_sends(&p, 20000);
        assert_int_equal(text_now(&p), 10000);
        for (unsigned i = 0; i < 2; i++)
            played_gives(&p, PL_ACK, 0, 0, 0);
        assert_int_equal(text_now(&p), sack ? 0 : 2000);
        struct forged f = played_segment(&p, PL_ACK, 0, 0, 0);
        f.opts.have |= WIRE_OPT_SACK;
        f.opts.nsack = 1;
        f.opts.sack[0].lo = p.first + 1000, f.opts.sack[0].hi = p.first + 4000;
        duo_give_segment(&p.d, 1, &f);
        played_free(&p);
        if (!sack)
            continue;
        opened(&p, state, &config, WIRE_OPT_SACK_PERMITTED);
        played_sends(&p, 20000);
        assert_int_equal(text_now(&p), 10000);
        f = played_segment(&p, PL_ACK, 0, 0, 0);
        f.opts.have |= WIRE_OPT_SACK;
        f.opts.nsack = 1;
        f.opts.sack[0].lo = p.first + 1000, f.opts.sack[0].hi = p.first + 2000;
        duo_give_segment(&p.d, 1, &f);
        assert_int_equal(text_now(&p), 1000);
        f.opts.sack[0].hi = p.first + 3000;
        duo_give_segment(&p.d, 1, &f);
        assert_int_equal(text_now(&p), 1000);
        played_free(&p);
    }
}

/* ------------------------------------------------------------------ time ------------------------------------------------------------------ */

/* RFC 9293 3.8.3, MUST-21: R2 is the program's to set, also to a day: the number of repeats does not decide then. */
static void a_long_user_timeout_is_kept(void **state)
{
    for (unsigned closed = 0; closed < 2; closed++) {
        struct pl_config config = roomy();
        struct played p;
        opened(&p, state, &config, 0);
        assert_int_equal(pl_set(p.d.s[1], p.c, PL_OPT_USER_TIMEOUT, (int64_t)(86400 * PL_S)), PL_OK);
        if (closed) {
            p.wnd = 0;
            played_gives(&p, PL_ACK, 0, 0, 0);
        }
        pl_time began = p.d.now;
        played_sends(&p, 1000);
        for (text_now(&p); p.d.now < began + 86000 * PL_S; text_now(&p)) {
            assert_true(played_next_deadline(&p));
            if (p.d.now < began + 86400 * PL_S)
                assert_int_equal(played_status(&p).state, PL_ESTABLISHED);
        }
        while (played_next_deadline(&p))
            text_now(&p);
        assert_int_equal(played_status(&p).state, PL_CLOSED);
        assert_int_equal(pl_error(p.d.s[1], p.c), PL_ETIMEDOUT);
        assert_true(p.d.now >= began + 86400 * PL_S && p.d.now <= began + 86401 * PL_S);
        played_free(&p);
    }
}

/* ------------------------------------------------------------------ acknowledgements ------------------------------------------------------------------ */

/* RFC 9293 3.10.7.4 first: what is not acceptable is dropped, its acknowledgement with it; so a probe, which is meant to be not acceptable, pays no ACK
 * that is owed, nor tells of a window (3.8.6.3, MUST-40). */
static void a_probe_pays_no_acknowledgement(void **state)
{
    struct pl_config config = roomy();
    struct played p;
    struct forged s;
    opened(&p, state, &config, 0);
    for (uint32_t i = 0; i < 8; i++) {                       /* the first are acknowledged at once */
        played_gives(&p, PL_ACK | PL_PSH, i, 0, 1);
        text_now(&p);
    }
    p.wnd = 0;
    played_gives(&p, PL_ACK, 8, 0, 0);
    played_sends(&p, 1000);
    assert_false(played_takes(&p, &s));
    duo_drain_events(&p.d);
    pl_time probe = pl_deadline(p.d.s[1]);
    p.d.now = probe - 5 * PL_MS;
    pl_poll(p.d.s[1], p.d.now);
    played_gives(&p, PL_ACK, 8, 0, 1);
    assert_false(played_takes(&p, &s));                      /* delayed */
    assert_true(played_next_deadline(&p));
    assert_true(p.d.now == probe && played_takes(&p, &s));
    assert_true(s.seq == (uint32_t)-1 && s.text_bytes == 0);
    assert_false(played_takes(&p, &s));
    assert_true(played_next_deadline(&p));
    assert_true(p.d.now <= probe - 5 * PL_MS + 40 * PL_MS && played_takes(&p, &s));
    assert_true(s.seq == 0 && s.ack == 9);
    played_free(&p);
}

/* RFC 5681 4.2, 2: "the receiver SHOULD send an immediate duplicate ACK", which "carries no data": text that leaves meanwhile is none. */
static void text_is_no_duplicate_acknowledgement(void **state)
{
    struct pl_config config = roomy();
    struct played p;
    struct forged s;
    opened(&p, state, &config, 0);
    played_sends(&p, 5000);
    for (uint32_t i = 1; i <= 3; i++)
        played_gives(&p, PL_ACK, i * 100, 0, 100);
    unsigned bare = 0;
    while (played_takes(&p, &s)) {
        assert_int_equal(s.ack, 0);
        bare += s.text_bytes == 0;
    }
    assert_int_equal(bare, 3);
    played_free(&p);
}

/* RFC 9293 3.7.4: cork: what does not fill a segment waits, also behind full ones in a super-frame. */
static void a_cork_holds_the_rest_of_a_super_frame(void **state)
{
    for (unsigned gso = 0; gso < 2; gso++) {
        struct pl_config config = roomy();
        struct played p;
        played_init(&p, SIX(state), &config);
        played_iface(&p, &(struct pl_iface_params){.mtu = 1500, .gso_bytes = gso ? 16000 : 0});
        played_open(&p, &(struct wire_tcp_opts){.have = WIRE_OPT_MSS, .mss = 500}, 60000, 10 * PL_MS, NULL);
        assert_int_equal(pl_set(p.d.s[1], p.c, PL_OPT_CORK, 1), PL_OK);
        played_sends(&p, 1300);
        assert_int_equal(text_now(&p), 1000);
        assert_int_equal(pl_set(p.d.s[1], p.c, PL_OPT_CORK, 0), PL_OK);
        played_gives(&p, PL_ACK, 0, 1000, 0);
        assert_int_equal(text_now(&p), 300);
        played_free(&p);
    }
}

/* ------------------------------------------------------------------ what the program hears ------------------------------------------------------------------ */

/* RFC 9293 3.8.5, MUST-32, and RFC 5482 3.1-b: what happened before the program had taken the connection is told when it has. */
static void what_came_before_accept_is_told(void **state)
{
    struct pl_config config = roomy();
    struct played p;
    struct forged r;
    config.user_timeout_option = true;
    played_init(&p, SIX(state), &config);
    struct forged s = played_segment(&p, PL_SYN, (uint32_t)-1, 0, 0);
    s.opts = (struct wire_tcp_opts){.have = WIRE_OPT_MSS | WIRE_OPT_USER_TIMEOUT, .mss = 1000, .user_timeout = 200};
    duo_give_segment(&p.d, 1, &s);
    assert_true(duo_take_segment(&p.d, 1, &r));
    p.first = r.seq + 1;
    s = played_segment(&p, PL_ACK | PL_URG, 0, 0, 10);
    s.up = 20;
    duo_give_segment(&p.d, 1, &s);
    assert_int_equal(pl_accept(p.d.s[1], p.listener, &p.c, NULL), PL_OK);
    uint32_t bits = duo_events(&p.d, 1, p.c);
    assert_true(bits & PL_EV_READABLE);
    assert_true(bits & PL_EV_URGENT);
    assert_true(bits & PL_EV_USER_TIMEOUT);
    assert_int_equal(pl_urgent(p.d.s[1], p.c), 20);
    played_free(&p);
}

/* RFC 9293 3.1: "The urgent pointer is ... a positive offset from the sequence number in this segment", which is the SYN's in a SYN-ACK. */
static void the_urgent_pointer_of_a_syn_ack(void **state)
{
    struct played p;
    struct forged r;
    played_init(&p, SIX(state), NULL);
    pl_conn c = duo_connect(&p.d, 1, SIX(state), 81);
    assert_true(duo_take_segment(&p.d, 1, &r));
    struct forged s = {.src = r.dst, .dst = r.src, .seq = 7000, .ack = r.seq + 1, .wnd = 9000, .flags = PL_SYN | PL_ACK | PL_URG, .up = 5, .text_bytes = 10};
    duo_give_segment(&p.d, 1, &s);
    assert_int_equal(pl_urgent(p.d.s[1], c), 4);             /* 7005 is the octet behind; 7001 the first of text */
    played_free(&p);
}

/* RFC 9293 3.9.1.8, MUST-47: a neighbour that does not answer is trouble that the program hears of. */
static void a_lost_neighbour_is_told(void **state)
{
    struct duo d;
    pl_conn both[2];
    struct pl_event e;
    uint32_t told = 0;
    struct pl_endpoint other = duo_endpoint(1, SIX(state), 0);
    duo_init(&d, NULL, true);
    duo_open(&d, SIX(state), 80, both);
    duo_drain_events(&d);
    assert_int_equal(pl_neighbor_remove(d.s[0], 0, &other.addr), PL_OK);
    d.cut[1] = true;
    assert_int_equal(pl_send(d.s[0], both[0], "text", 4), 4);
    for (pl_time stop = d.now + 60 * PL_S; d.now < stop;) {
        duo_exchange(&d);
        while (pl_event_next(d.s[0], &e))
            told |= e.handle == both[0] ? e.bits : 0;
        pl_time next = pl_deadline(d.s[0]);
        d.now = next < stop ? next > d.now ? next : d.now + 1 : stop;
        pl_poll(d.s[0], d.now);
    }
    struct pl_tcp_status st;
    assert_int_equal(pl_status(d.s[0], both[0], &st, sizeof st), PL_OK);
    assert_true(st.soft_error != 0);
    assert_true(told & PL_EV_TROUBLE);
    duo_free(&d);
}

static unsigned closed_by[PL_WHY_COUNT];

static void note_closing(void *user, const struct pl_trace_event *e)
{
    (void)user;
    if (e->kind == PL_TRACE_STATE && e->state_after == PL_CLOSED)
        closed_by[e->why]++;
}

/* RFC 1122 3.3.1: nobody answers for the peer's address: no packet of the network's said so, and the trace does not claim one did. */
static void an_attempt_without_a_neighbour_says_why(void **state)
{
    struct duo d;
    duo_init(&d, NULL, true);
    memset(closed_by, 0, sizeof closed_by);
    d.env[0].trace = note_closing;
    struct pl_endpoint other = duo_endpoint(1, SIX(state), 80);
    (void)pl_neighbor_remove(d.s[0], 0, &other.addr);
    d.cut[0] = d.cut[1] = true;
    pl_conn c = duo_connect(&d, 0, SIX(state), 80);
    for (pl_time stop = d.now + 60 * PL_S; d.now < stop;) {
        duo_exchange(&d);
        duo_drain_events(&d);
        pl_time next = pl_deadline(d.s[0]);
        d.now = next < stop ? next > d.now ? next : d.now + 1 : stop;
        pl_poll(d.s[0], d.now);
    }
    assert_int_equal(pl_error(d.s[0], c), PL_EHOSTUNREACH);
    assert_int_equal(closed_by[PL_WHY_NO_WAY], 1);
    assert_int_equal(closed_by[PL_WHY_GOT_ICMP], 0);
    duo_free(&d);
}

/* parley.h, pl_send: after PL_EAGAIN "PL_EV_WRITABLE follows", whoever had the memory: here datagrams that have just been sent. The loop is the one of
 * docs/architecture.md. */
static void memory_that_comes_back_from_a_frame_is_told_of(void **state)
{
    struct pl_config config = duo_config();
    struct played p;
    struct pl_event e;
    struct pl_endpoint any = {.port = 9}, to = duo_endpoint(0, SIX(state), 9);
    pl_udp u;
    uint8_t frame[DUO_FRAME_BYTES] = {0};
    config.chunks_max = 8;
    opened(&p, state, &config, 0);
    assert_int_equal(pl_udp_open(p.d.s[1], &any, 0, &u), PL_OK);
    while (pl_udp_send(p.d.s[1], u, &to, frame, 400) == PL_OK) {
    }
    while (pl_udp_send(p.d.s[1], u, &to, frame, 1) == PL_OK) {
    }
    while (pl_send(p.d.s[1], p.c, frame, 100) > 0) {         /* what is kept for it */
    }
    assert_int_equal(pl_send(p.d.s[1], p.c, "text", 4), PL_EAGAIN);
    bool told = false, busy = true;
    while (busy) {
        busy = false;
        while (pl_event_next(p.d.s[1], &e))
            busy = true, told |= e.handle == p.c && (e.bits & PL_EV_WRITABLE);
        while (duo_take(&p.d, 1, frame))
            busy = true;
    }
    assert_true(told);
    assert_int_equal(pl_send(p.d.s[1], p.c, "text", 4), 4);
    played_free(&p);
}

static uint64_t shed(const struct played *p)
{
    struct pl_counters n;
    pl_counters(p->d.s[1], &n, sizeof n);
    return n.early_text_shed;
}

/* All memory that is not kept for somebody is taken by datagrams. */
static void fill_memory(struct played *p, pl_udp u, bool six)
{
    static const char text[400];
    struct pl_endpoint to = duo_endpoint(0, six, 9);
    for (size_t n = sizeof text; n; n = n > 1 ? 1 : 0)
        while (pl_udp_send(p->d.s[1], u, &to, text, n) == PL_OK) {
        }
}

/* RFC 2018 8: letting go what is held is "discouraged": for one segment that found no room, one connection's is, whatever else comes in the same batch. */
static void one_starved_segment_sheds_one_connection_only(void **state)
{
    struct pl_config config = duo_config();
    struct played p;
    struct pl_endpoint any = {.port = 9};
    pl_udp u;
    config.connections_max = 8;
    config.gaps_max = 8;
    config.chunks_max = 64;
    config.rcvbuf_bytes = 20000;
    played_init(&p, SIX(state), &config);
    for (uint16_t n = 1; n <= 4; n++) {
        p.peer_port = (uint16_t)(PLAYED_PEER_PORT + n);
        played_open_plain(&p, 1000);
        if (n < 4)
            played_gives(&p, PL_ACK, 300, 0, 100);           /* early */
        played_drains(&p);
    }
    assert_int_equal(pl_udp_open(p.d.s[1], &any, 0, &u), PL_OK);
    fill_memory(&p, u, SIX(state));
    uint32_t seq = 0;
    while (shed(&p) == 0) {
        played_gives(&p, PL_ACK, seq, 0, 500);
        seq = played_status(&p).rcv.nxt - PLAYED_ISS - 1;
        assert_true(seq < 15000);
    }
    assert_int_equal(shed(&p), 1);
    fill_memory(&p, u, SIX(state));
    uint8_t frame[3][FORGE_BYTES_MAX];
    struct pl_frame f[3] = {{.nspans = 1}, {.nspans = 1}, {.nspans = 1}};
    for (unsigned n = 0; n < 3; n++) {
        struct forged s = played_segment(&p, PL_ACK, seq, 0, n ? 0 : 500);
        f[n].span[0] = (struct pl_span){frame[n], forge_tcp(frame[n], &s)};
    }
    assert_int_equal(pl_rx(p.d.s[1], 0, f, 3, p.d.now), PL_OK);
    assert_int_equal(shed(&p), 2);
    played_free(&p);
}

/* ------------------------------------------------------------------ entries ------------------------------------------------------------------ */

/* RFC 9293 3.8.3, MUST-22; parley.h: PL_EV_CONNECTED or PL_EV_ERROR follows pl_connect, though the device takes nothing. And the first SYN's time-out
 * counts from when it left. */
static void connect_ends_though_the_device_takes_nothing(void **state)
{
    for (unsigned late = 0; late < 2; late++) {
        struct played p;
        struct forged r;
        played_init(&p, SIX(state), NULL);
        assert_int_equal(pl_iface_ready(p.d.s[1], 0, false), PL_OK);
        pl_conn c = duo_connect(&p.d, 1, SIX(state), 81);
        if (late) {
            played_wait(&p, p.d.now + 1700 * PL_MS);
            assert_int_equal(pl_iface_ready(p.d.s[1], 0, true), PL_OK);
            assert_true(duo_take_segment(&p.d, 1, &r));
            duo_drain_events(&p.d);
            pl_time at = p.d.now + 1 * PL_S;
            played_wait(&p, at - 1);
            assert_false(duo_take_segment(&p.d, 1, &r));
            played_wait(&p, at + 20 * PL_MS);
            assert_true(duo_take_segment(&p.d, 1, &r));
        } else {
            while (played_next_deadline(&p)) {
            }
            assert_int_equal(pl_error(p.d.s[1], c), PL_ETIMEDOUT);
        }
        played_free(&p);
    }
}

/* RFC 9293 3.8.3: the repeats of a SYN-ACK are bounded, from the yes on, whether or not the device takes it. */
static void an_accepted_syn_ends_though_the_device_takes_nothing(void **state)
{
    struct played p;
    pl_listener l;
    pl_incoming in;
    uint32_t n[PL_STATE_COUNT];
    played_init(&p, SIX(state), NULL);
    assert_int_equal(pl_listen(p.d.s[1], &(struct pl_listen_params){.local.port = 81, .deferred = true}, &l), PL_OK);
    struct forged s = played_segment(&p, PL_SYN, (uint32_t)-1, 0, 0);
    s.dst.port = 81;
    duo_give_segment(&p.d, 1, &s);
    assert_int_equal(pl_incoming_next(p.d.s[1], l, &in, NULL, NULL), PL_OK);
    assert_int_equal(pl_iface_ready(p.d.s[1], 0, false), PL_OK);
    assert_int_equal(pl_incoming_accept(p.d.s[1], in, 1), PL_OK);
    played_wait(&p, p.d.now + 300 * PL_S);
    pl_states(p.d.s[1], n);
    assert_int_equal(n[PL_SYN_RECEIVED], 0);
    played_free(&p);
}

/* RFC 6191 2, RFC 7323 5.4: a second since the old connection was last heard is a second, though the stack was moved in time. */
static void a_move_in_time_does_not_let_ports_be_used_again(void **state)
{
    struct pl_config config = duo_config();
    struct played p;
    struct forged r;
    config.timestamps = true;
    played_init(&p, SIX(state), &config);
    struct pl_connect_params cp = {.remote = duo_endpoint(0, SIX(state), 81), .local.port = 4000};
    pl_conn c, again;
    assert_int_equal(pl_connect(p.d.s[1], &cp, &c), PL_OK);
    assert_true(duo_take_segment(&p.d, 1, &r));
    struct forged s = {.src = r.dst, .dst = r.src, .seq = 7000, .ack = r.seq + 1, .wnd = 9000, .flags = PL_SYN | PL_ACK,
                       .opts = {.have = WIRE_OPT_TIMESTAMPS, .ts_val = 100, .ts_ecr = r.opts.ts_val}};
    duo_give_segment(&p.d, 1, &s);
    assert_int_equal(pl_close(p.d.s[1], c), PL_OK);
    played_drains(&p);
    s.flags = PL_ACK | PL_FIN, s.seq++, s.ack++;
    duo_give_segment(&p.d, 1, &s);
    uint32_t n[PL_STATE_COUNT];
    pl_states(p.d.s[1], n);
    assert_int_equal(n[PL_TIME_WAIT], 1);
    played_drains(&p);
    played_wait(&p, p.d.now + 3 * PL_S);
    s.flags = PL_ACK, s.seq++, s.text_bytes = 5;             /* it speaks */
    duo_give_segment(&p.d, 1, &s);
    assert_int_equal(played_drains(&p), 1);
    pl_stack_shift_time(p.d.s[1], 7 * PL_S);
    p.d.now += 7 * PL_S;
    pl_poll(p.d.s[1], p.d.now);
    assert_int_equal(pl_connect(p.d.s[1], &cp, &again), PL_EADDRINUSE);
    played_wait(&p, p.d.now + 2 * PL_S);
    assert_int_equal(pl_connect(p.d.s[1], &cp, &again), PL_OK);
    played_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(after_idle_the_window_is_the_restart_window),
        BOTH(without_a_pause_the_window_stays),
        BOTH(duplicates_after_a_time_out_that_tell_of_needless_repeats),
        BOTH(a_loss_right_after_the_path_got_narrower),
        BOTH(what_a_dead_connection_had_under_way),
        BOTH(what_a_dead_connection_had_under_way),
        BOTH(limited_transmit_needs_news_where_there_is_sack),
        BOTH(a_long_user_timeout_is_kept),
        BOTH(a_probe_pays_no_acknowledgement),
        BOTH(text_is_no_duplicate_acknowledgement),
        BOTH(a_cork_holds_the_rest_of_a_super_frame),
        BOTH(what_came_before_accept_is_told),
        BOTH(the_urgent_pointer_of_a_syn_ack),
        BOTH(a_lost_neighbour_is_told),
        BOTH(an_attempt_without_a_neighbour_says_why),
        BOTH(memory_that_comes_back_from_a_frame_is_told_of),
        BOTH(one_starved_segment_sheds_one_connection_only),
        BOTH(connect_ends_though_the_device_takes_nothing),
        BOTH(an_accepted_syn_ends_though_the_device_takes_nothing),
        BOTH(a_move_in_time_does_not_let_ports_be_used_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
