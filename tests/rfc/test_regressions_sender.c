/* SPDX-License-Identifier: MIT
 *
 * test_regressions_sender.c: rules of the sending side that were broken once: round trip times (RFC 6298), congestion (RFC 5681), windows and their
 * probes (RFC 9293 3.8.6). The receiving side and the life of connections: test_regressions.c.
 */
#include "support/played.h"

#include "base/seq.h"
#include "transport/tcp/models/window.h"

static struct pl_config roomy(void)
{
    struct pl_config c = duo_config();
    c.sndbuf_bytes = 65536;
    c.chunks_max = 400;
    return c;
}

/* ------------------------------------------------------------------ round trip times ------------------------------------------------------------------ */

/* A peer that acknowledges everything it gets, in order, 500 ms later. Returns how many segments came more than once. */
static unsigned writes_one_by_one_over_half_a_second(struct played *p, unsigned writes)
{
    struct {
        pl_time at;
        uint32_t ack;
    } answer[400];
    unsigned first = 0, n = 0, repeats = 0;
    uint32_t nxt = 0;
    for (unsigned i = 1; i <= writes; i++) {
        played_sends(p, 1000);
        for (struct forged s; played_status(p).snd.una - p->first < 1000 * i;) {
            while (played_takes(p, &s)) {
                assert_true(s.text_bytes == 1000 && n < COUNT_OF(answer));
                repeats += s.seq != nxt;
                nxt = s.seq == nxt ? nxt + 1000 : nxt;
                answer[n].at = p->d.now + 500 * PL_MS;
                answer[n++].ack = nxt;
            }
            if (first < n && answer[first].at <= pl_deadline(p->d.s[1])) {
                p->d.now = answer[first].at;
                played_gives(p, PL_ACK, 0, answer[first++].ack, 0);
                duo_drain_events(&p->d);
            } else {
                assert_true(played_next_deadline(p));
            }
            assert_int_equal(played_status(p).state, PL_ESTABLISHED);
        }
    }
    return repeats;
}

/* RFC 6298 5 ("until an RTT sample is taken"), RFC 9293 3.8.1, MUST-18: else a path slower than the time-out never gives a sample. */
static void the_time_out_stays_backed_off_until_there_is_a_sample(void **state)
{
    struct pl_config config = roomy();
    struct played p;
    played_init(&p, SIX(state), &config);
    played_open(&p, &(struct wire_tcp_opts){.have = WIRE_OPT_MSS, .mss = 1000}, 60000, 1 * PL_MS, NULL);
    assert_true(played_status(&p).rto <= 300 * PL_MS);
    unsigned repeats = writes_one_by_one_over_half_a_second(&p, 40);
    assert_in_range(repeats, 1, 10);
    assert_true(played_status(&p).rto > 500 * PL_MS);
    assert_true(played_status(&p).srtt > 300 * PL_MS);
    played_free(&p);
}

/* MUST-18, RFC 6298 3-a: "RTT samples MUST NOT be made using segments that were retransmitted (and thus for which it is ambiguous whether the reply was
 * for the first instance of the packet or a later instance)": an ACK that covers such a segment says nothing about those that waited behind it, either. */
static void an_ack_of_something_repeated_gives_no_sample(void **state)
{
    struct pl_config config = roomy();
    struct played p;
    played_init(&p, SIX(state), &config);
    played_open(&p, &(struct wire_tcp_opts){.have = WIRE_OPT_MSS, .mss = 1000}, 60000, 100 * PL_MS, NULL);
    struct pl_tcp_status before = played_status(&p);
    assert_true(before.srtt == 100 * PL_MS);
    played_sends(&p, 2000);
    assert_int_equal(played_drains(&p), 2);                  /* the first is lost, the second arrives */
    assert_true(played_next_deadline(&p));
    struct forged s;
    assert_true(played_takes(&p, &s));
    assert_int_equal(s.seq, 0);
    p.d.now += 50 * PL_MS;
    played_gives(&p, PL_ACK, 0, 2000, 0);
    assert_int_equal(played_status(&p).snd.una - p.first, 2000);
    assert_true(played_status(&p).srtt == before.srtt);
    played_sends(&p, 1000);                                   /* not repeated: a sample again */
    played_drains(&p);
    p.d.now += 20 * PL_MS;
    played_gives(&p, PL_ACK, 0, 3000, 0);
    assert_true(played_status(&p).srtt < before.srtt);
    played_free(&p);
}

/* RFC 6298 3, for the SYN-ACK: repeated by its timer, or because the peer's SYN came again. */
static void a_repeated_syn_ack_gives_no_sample(void **state)
{
    for (unsigned by_timer = 0; by_timer < 2; by_timer++) {
        struct played p;
        struct forged r, s, again;
        played_init(&p, SIX(state), NULL);
        s = played_segment(&p, PL_SYN, (uint32_t)-1, 0, 0);
        duo_give_segment(&p.d, 1, &s);
        assert_true(duo_take_segment(&p.d, 1, &r) && !duo_take_segment(&p.d, 1, &again));
        if (by_timer) {
            assert_true(played_next_deadline(&p));
        } else {
            p.d.now += 400 * PL_MS;
            duo_give_segment(&p.d, 1, &s);
        }
        assert_true(duo_take_segment(&p.d, 1, &r));
        assert_int_equal(r.flags, PL_SYN | PL_ACK);
        p.first = r.seq + 1;
        p.d.now += 30 * PL_MS;
        played_gives(&p, PL_ACK, 0, 0, 0);
        assert_int_equal(pl_accept(p.d.s[1], p.listener, &p.c, NULL), PL_OK);
        assert_true(played_status(&p).srtt == 0);
        played_free(&p);
    }
}

/* RFC 6298 3, for the SYN: repeated by its timer, or as the SYN-ACK of a simultaneous open. */
static void a_repeated_syn_gives_no_sample(void **state)
{
    for (unsigned crossed = 0; crossed < 2; crossed++) {
        struct duo d;
        struct forged r;
        struct pl_tcp_status q;
        uint8_t frame[DUO_FRAME_BYTES];
        duo_init(&d, NULL, false);
        pl_conn c = duo_connect(&d, 1, SIX(state), 80);
        assert_true(duo_take_segment(&d, 1, &r) && duo_take(&d, 1, frame) == 0);
        struct forged s = {.src = r.dst, .dst = r.src, .seq = 7000, .wnd = 60000, .flags = PL_SYN, .ack = r.seq + 1};
        if (crossed) {
            d.now += 400 * PL_MS;
            s.ack = 0;
            duo_give_segment(&d, 1, &s);
            s.seq++;
            s.flags = PL_ACK;
            s.ack = r.seq + 1;
        } else {
            d.now = pl_deadline(d.s[1]);
            pl_poll(d.s[1], d.now);
            s.flags = PL_SYN | PL_ACK;
        }
        assert_true(duo_take_segment(&d, 1, &r));
        assert_true(r.flags & PL_SYN);
        d.now += 30 * PL_MS;
        duo_give_segment(&d, 1, &s);
        assert_int_equal(pl_status(d.s[1], c, &q, sizeof q), PL_OK);
        assert_int_equal(q.state, PL_ESTABLISHED);
        assert_true(q.srtt == 0);
        duo_free(&d);
    }
}

/* ------------------------------------------------------------------ congestion ------------------------------------------------------------------ */

/* Text bytes of the frames that host 1 has to say with sequence numbers below `below`, super-frames allowed; *largest: bytes of headers and one segment. */
static uint32_t takes_frames(struct played *p, uint32_t below, uint32_t *all, uint32_t *largest)
{
    static uint8_t room[PL_HEADER_BYTES_MAX];
    struct pl_frame f;
    uint32_t repeated = 0;
    *all = *largest = 0;
    for (;;) {
        memset(&f, 0, sizeof f);
        f.span[0] = (struct pl_span){room, sizeof room};
        if (pl_tx(p->d.s[1], 0, &f, 1, p->d.now) != 1)
            return repeated;
        const uint8_t *tcp = room + (p->ipv6 ? 40 : 20);
        uint32_t seq = (uint32_t)tcp[4] << 24 | (uint32_t)tcp[5] << 16 | (uint32_t)tcp[6] << 8 | tcp[7], text = 0;
        for (unsigned i = 1; i < f.nspans; i++)
            text += (uint32_t)f.span[i].len;
        uint32_t whole = (uint32_t)f.span[0].len + (f.gso_size ? f.gso_size : text);
        *largest = whole > *largest ? whole : *largest;
        *all += text;
        repeated += seq_lt(seq, below) ? text : 0;
    }
}

static const struct pl_iface_params segmenting = {.mtu = 1500, .link = PL_LINK_IP, .gso_bytes = 65535};

/* RFC 5681 3.2 (2), (3): "the TCP sender SHOULD use ... retransmit of what appears to be the missing segment", one of them, however many left as one
 * super-frame. */
static void fast_retransmit_repeats_one_segment(void **state)
{
    struct pl_config config = roomy();
    config.sndbuf_bytes = 200000;
    config.chunks_max = 600;
    struct played p;
    uint32_t all, largest, acked = 0;
    played_init(&p, SIX(state), &config);
    played_iface(&p, &segmenting);
    played_open(&p, &(struct wire_tcp_opts){.have = WIRE_OPT_MSS | WIRE_OPT_WSCALE, .mss = 1000, .wscale = 7}, 60000, 0, NULL);
    for (unsigned i = 0; i < 4; i++)
        played_sends(&p, 50000);
    for (unsigned round = 0; round < 3; round++) {
        takes_frames(&p, p.first, &all, &largest);
        p.d.now += 10 * PL_MS;
        played_gives(&p, PL_ACK, 0, acked += all, 0);
    }
    takes_frames(&p, p.first, &all, &largest);
    assert_true(all > 20000);
    uint32_t edge = played_status(&p).snd.nxt, repeated = 0;
    for (unsigned i = 0; i < 40; i++) {                       /* the first segment is missing: all others tell of it */
        played_gives(&p, PL_ACK, 0, acked, 0);
        repeated += takes_frames(&p, edge, &all, &largest);
    }
    assert_int_equal(repeated, 1000);
    played_free(&p);
}

/* RFC 5681 3.2 (2): "ssthresh ... no more than the value given in equation (4) ... the additional data sent in limited transmit MUST NOT be included in
 * this calculation." */
static void what_limited_transmit_sent_is_no_part_of_ssthresh(void **state)
{
    struct pl_config config = roomy();
    config.congestion_control = PL_CC_NEWRENO;
    struct played p;
    played_init(&p, SIX(state), &config);
    played_open_plain(&p, 1000);
    played_sends(&p, 40000);
    played_drains(&p);
    assert_int_equal(played_status(&p).in_flight_bytes, 10000);
    for (unsigned i = 0; i < 2; i++) {
        played_gives(&p, PL_ACK, 0, 0, 0);
        assert_int_equal(played_drains(&p), 1);               /* RFC 3042 */
    }
    played_gives(&p, PL_ACK, 0, 0, 0);
    assert_int_equal(played_status(&p).ssthresh_bytes, 5000);
    played_free(&p);
}

/* RFC 5681 2 (b): a duplicate acknowledgement carries no data: neither the peer's text nor its probes of our window are one. */
static void a_probe_of_our_window_is_no_duplicate_acknowledgement(void **state)
{
    struct pl_config config = roomy();
    config.rcvbuf_bytes = 1000;
    struct played p;
    struct forged s;
    played_init(&p, SIX(state), &config);
    played_open_plain(&p, 1000);
    played_gives(&p, PL_ACK, 0, 0, 1000);
    played_drains(&p);
    played_sends(&p, 5000);
    played_drains(&p);
    uint32_t before = played_status(&p).ssthresh_bytes;
    for (unsigned i = 0; i < 6; i++)
        played_gives(&p, PL_ACK, 1000, 0, 1);
    while (played_takes(&p, &s))
        assert_int_equal(s.text_bytes, 0);
    assert_int_equal(played_status(&p).ssthresh_bytes, before);
    assert_int_equal(played_status(&p).retransmits, 0);
    played_free(&p);
}

/* RFC 5681 4.1: "if the TCP has not sent data in an interval exceeding the retransmission timeout", cwnd is at most the restart window when it begins
 * again: the path of then is not the path of now. */
static void after_a_pause_the_congestion_window_is_at_most_the_initial_one(void **state)
{
    struct pl_config config = roomy();
    struct played p;
    struct forged s;
    uint32_t sent = 0, burst = 0;
    config.validate_window = false;
    config.records_max = config.records_per_conn_max = 100;   /* so that the congestion window is what bounds it */
    played_init(&p, SIX(state), &config);
    played_open_plain(&p, 1000);
    for (unsigned round = 0; round < 4; round++) {            /* slow start: 10, 20, 40 segments */
        played_sends(&p, (size_t)10000 << (round < 2 ? round : 2));
        while (played_takes(&p, &s))
            sent += (uint32_t)s.text_bytes;
        p.d.now += 10 * PL_MS;
        played_gives(&p, PL_ACK, 0, sent, 0);
        duo_drain_events(&p.d);
        while (played_takes(&p, &s))
            sent += (uint32_t)s.text_bytes;
        p.d.now += 10 * PL_MS;
        played_gives(&p, PL_ACK, 0, sent, 0);
        duo_drain_events(&p.d);
    }
    assert_true(played_status(&p).cwnd_bytes >= 40000);
    assert_int_equal(played_status(&p).in_flight_bytes, 0);
    p.d.now += 10 * PL_S;
    played_sends(&p, 40000);
    while (played_takes(&p, &s))
        burst += (uint32_t)s.text_bytes;
    assert_int_equal(burst, 10000);
    played_free(&p);
}

/* ------------------------------------------------------------------ segment sizes ------------------------------------------------------------------ */

static void open_with_gaps(struct played *p, bool timestamps)
{
    uint8_t have = (uint8_t)(WIRE_OPT_MSS | WIRE_OPT_SACK_PERMITTED | (timestamps ? WIRE_OPT_TIMESTAMPS : 0));
    played_open(p, &(struct wire_tcp_opts){.have = have, .mss = p->ipv6 ? 1440 : 1460}, 60000, 0, NULL);
    for (uint32_t i = 1; i <= 4; i++)
        played_gives(p, PL_ACK, 2000 * i, 0, 100);
    played_drains(p);
}

/* RFC 9293 3.7.1, MUST-16: Eff.snd.MSS = min(SendMSS+20, MMS_S) - TCPhdrsize - IPoptionsize: the header with the options of this very segment. */
static void text_with_sack_blocks_fits_the_mtu(void **state)
{
    for (unsigned timestamps = 0; timestamps < 2; timestamps++) {
        struct pl_config config = roomy();
        struct played p;
        struct forged s;
        uint8_t frame[DUO_FRAME_BYTES];
        uint32_t text = 0;
        config.timestamps = true;
        config.rcvbuf_bytes = 16384;
        played_init(&p, SIX(state), &config);
        open_with_gaps(&p, timestamps);
        played_sends(&p, 8000);
        for (size_t n; (n = duo_take(&p.d, 1, frame)) != 0;) {
            assert_true(n <= 1500);
            assert_true(forge_read(frame, n, &s));
            text += (uint32_t)s.text_bytes;
        }
        assert_true(text >= 7000);
        played_free(&p);
    }
}

/* The same for what the device cuts up: each segment repeats the super-frame's options. */
static void segments_of_super_frames_with_sack_blocks_fit_the_mtu(void **state)
{
    struct pl_config config = roomy();
    struct played p;
    uint32_t all, largest;
    config.timestamps = true;
    config.rcvbuf_bytes = 16384;
    played_init(&p, SIX(state), &config);
    played_iface(&p, &segmenting);
    open_with_gaps(&p, true);
    played_sends(&p, 40000);
    takes_frames(&p, p.first, &all, &largest);
    assert_true(all >= 10000);
    assert_in_range(largest, 1400, 1500);
    played_free(&p);
}

/* ------------------------------------------------------------------ windows ------------------------------------------------------------------ */

/* RFC 9293 3.8.6, SHLD-17 ("A TCP sender must be robust against window shrinking"), 3.8.6.1, MUST-35: "As long as the receiving TCP peer continues to send
 * acknowledgments in response to the probe segments, the sending TCP endpoint MUST allow the connection to stay open." */
static void a_peer_that_took_its_window_back_and_answers_is_not_given_up(void **state)
{
    struct pl_config config = roomy();
    struct played p;
    struct forged s;
    unsigned answered = 0;
    played_init(&p, SIX(state), &config);
    played_open(&p, &(struct wire_tcp_opts){.have = WIRE_OPT_MSS, .mss = 1000}, 5000, 0, NULL);
    played_sends(&p, 3000);
    played_drains(&p);
    p.wnd = 0;
    played_gives(&p, PL_ACK, 0, 0, 0);
    while (answered < 60) {
        assert_true(played_next_deadline(&p));
        for (; played_takes(&p, &s); answered++)
            played_gives(&p, PL_ACK, 0, 0, 0);
        assert_int_equal(played_status(&p).error, 0);
        assert_int_equal(played_status(&p).state, PL_ESTABLISHED);
    }
    p.wnd = 5000;                         /* it opens again: what was in flight is sent again, the rest follows */
    played_gives(&p, PL_ACK, 0, 0, 0);
    uint32_t got = 0;
    for (unsigned n = 0; n < 100 && got < 3000; n++) {
        while (played_takes(&p, &s))
            if (s.seq == got && s.text_bytes)
                got += (uint32_t)s.text_bytes, played_gives(&p, PL_ACK, 0, got, 0);
        if (got < 3000)
            assert_true(played_next_deadline(&p));
    }
    assert_int_equal(got, 3000);
    assert_int_equal(played_status(&p).snd.una - p.first, 3000);
    played_free(&p);
}

/* RFC 9293 3.8.6.1, MUST-35 and 3.8.3, MUST-20: answered probes go on for ever, unanswered ones do not. */
static void probes_of_a_closed_window_end_only_when_nobody_answers(void **state)
{
    for (unsigned answers = 0; answers < 2; answers++) {
        struct pl_config config = roomy();
        struct played p;
        unsigned probes = 0;
        played_init(&p, SIX(state), &config);
        played_open(&p, &(struct wire_tcp_opts){.have = WIRE_OPT_MSS, .mss = 1000}, 0, 0, NULL);
        played_sends(&p, 1000);
        pl_time begin = p.d.now;
        while (played_status(&p).state == PL_ESTABLISHED && probes < 200) {
            struct forged s;
            assert_true(played_next_deadline(&p));
            for (; played_takes(&p, &s); probes++)
                if (answers)
                    played_gives(&p, PL_ACK, 0, 0, 0);
        }
        assert_int_equal(played_status(&p).state, answers ? PL_ESTABLISHED : PL_CLOSED);
        assert_int_equal(played_status(&p).error, answers ? 0 : PL_ETIMEDOUT);
        if (!answers)                     /* MUST-23's sense: not in a hurry, either */
            assert_in_range(p.d.now - begin, 100 * PL_S, 3600 * PL_S);
        played_free(&p);
    }
}

/* RFC 9293 3.8.6.2.2, MUST-39: a closed window is opened, unasked, when it can grow by min(half the buffer, MSS): also where two segments are more than
 * the field can say. */
static void a_window_smaller_than_two_large_segments_is_offered_again(void **state)
{
    struct pl_config config = duo_config();
    struct played p;
    struct forged s;
    uint32_t at = 0, edge = 65535;
    config.window_scaling = false;
    config.rcvbuf_bytes = 200000;
    config.chunks_max = 500;
    played_init(&p, SIX(state), &config);
    played_iface(&p, &(struct pl_iface_params){.mtu = 65535, .link = PL_LINK_IP});
    played_open_plain(&p, 40000);
    for (unsigned quiet = 0; quiet < 3; quiet++) {            /* the peer fills the buffer, as far as it may */
        for (; at < edge; quiet = 0) {
            uint32_t n = edge - at < 1000 ? edge - at : 1000;
            played_gives(&p, PL_ACK, at, 0, n);
            at += n;
            while (played_takes(&p, &s))
                edge = s.ack + s.wnd;
        }
        played_next_deadline(&p);
        while (played_takes(&p, &s))
            edge = s.ack + s.wnd;
    }
    assert_in_range(at, 200000 - 40000, 200000);
    assert_int_equal(s.wnd, 0);
    assert_int_equal(played_reads(&p), at);
    assert_true(played_takes(&p, &s));
    assert_int_equal(s.wnd, 65535);
    assert_true(window_update_due(0, 1 << 20, 40000, 1 << 20, 0));
    played_free(&p);
}

/* RFC 9293 3.8.6.2.2: a window update moves the window: one that does not would be due again at once, for ever. */
static void a_window_update_that_is_due_moves_the_edge(void **state)
{
    static const uint32_t sizes[] = {1, 48, 536, 1460, 8960, 32767, 32768, 40000, 65495};
    static const uint32_t buffers[] = {1, 100, 2920, 4096, 65535, 65536, 80001, 200000, 1 << 20, 1 << 30};
    (void)state;
    for (unsigned i = 0; i < COUNT_OF(sizes); i++)
        for (unsigned k = 0; k < COUNT_OF(buffers); k++)
            for (uint8_t scale = 0; scale <= 14; scale += 2)
                for (uint32_t room = 0; room <= buffers[k]; room += 1 + buffers[k] / 37)
                    for (uint32_t wnd = 0; wnd <= room; wnd += 1 + buffers[k] / 41)
                        if (window_update_due(wnd, room, sizes[i], buffers[k], scale))
                            assert_false(window_update_due(window_to_offer(wnd, room, sizes[i], buffers[k], scale), room, sizes[i], buffers[k], scale));
}

/* RFC 9293 3.7.1, MUST-67: the MSS option says what this host can receive: the interface's MTU, whatever is known of the way there. */
static void the_mss_announced_follows_from_the_interface(void **state)
{
    static const uint32_t mtu = 1300;     /* learned: above the least of IPv6 */
    struct played p;
    struct forged s, r;
    uint8_t frame[DUO_FRAME_BYTES];
    struct pl_config config = roomy();
    played_init(&p, SIX(state), &config);
    played_open(&p, &(struct wire_tcp_opts){.have = WIRE_OPT_MSS, .mss = 1400}, 60000, 0, &r);
    uint16_t whole = SIX(state) ? 1440 : 1460;
    assert_int_equal(r.opts.mss, whole);
    played_sends(&p, 2000);
    size_t n = duo_take(&p.d, 1, frame);
    played_icmp(&p, p.ipv6 ? 2 : 3, p.ipv6 ? 0 : 4, mtu, frame, n);
    assert_int_equal(played_status(&p).mss, mtu - (p.ipv6 ? 60 : 40));
    played_drains(&p);
    p.peer_port++;                        /* the answer to a SYN of the same host */
    s = played_segment(&p, PL_SYN, (uint32_t)-1, 0, 0);
    duo_give_segment(&p.d, 1, &s);
    while (duo_take_segment(&p.d, 1, &r) && !(r.flags & PL_SYN)) {
    }
    assert_int_equal(r.flags, PL_SYN | PL_ACK);
    assert_int_equal(r.opts.mss, whole);
    duo_connect(&p.d, 1, p.ipv6, 99);     /* and a SYN of ours to it */
    while (duo_take_segment(&p.d, 1, &r) && r.flags != PL_SYN) {
    }
    assert_int_equal(r.flags, PL_SYN);
    assert_int_equal(r.opts.mss, whole);
    played_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(the_time_out_stays_backed_off_until_there_is_a_sample),
        BOTH(an_ack_of_something_repeated_gives_no_sample),
        BOTH(a_repeated_syn_ack_gives_no_sample),
        BOTH(a_repeated_syn_gives_no_sample),
        BOTH(fast_retransmit_repeats_one_segment),
        BOTH(what_limited_transmit_sent_is_no_part_of_ssthresh),
        BOTH(a_probe_of_our_window_is_no_duplicate_acknowledgement),
        BOTH(after_a_pause_the_congestion_window_is_at_most_the_initial_one),
        BOTH(text_with_sack_blocks_fits_the_mtu),
        BOTH(segments_of_super_frames_with_sack_blocks_fit_the_mtu),
        BOTH(a_peer_that_took_its_window_back_and_answers_is_not_given_up),
        BOTH(probes_of_a_closed_window_end_only_when_nobody_answers),
        BOTH(a_window_smaller_than_two_large_segments_is_offered_again),
        cmocka_unit_test(a_window_update_that_is_due_moves_the_edge),
        BOTH(the_mss_announced_follows_from_the_interface),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
