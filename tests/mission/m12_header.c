/* SPDX-License-Identifier: MIT
 *
 * m12_header.c: mission M12: the header, RFC 9293 3.1, read from the bytes of real frames: 20 bytes plus options, every field and flag
 * with its meaning.
 */
#include "mission/mission.h"

struct header {
    unsigned src, dst, offset, reserved, flags, window, checksum, urgent;
    uint32_t seq, ack;
    const uint8_t *options, *text;
    size_t option_bytes, text_bytes;
};

static unsigned u16(const uint8_t *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

static uint32_t u32(const uint8_t *p)
{
    return (uint32_t)u16(p) << 16 | u16(p + 2);
}

static struct header header_of(const struct pair *p, const struct pair_segment *s)
{
    const uint8_t *t = mission_tcp_header(p, s), *end = s->frame + s->frame_bytes;
    struct header h = {u16(t), u16(t + 2), (unsigned)(t[12] >> 4) * 4, t[12] & 15, t[13], u16(t + 14), u16(t + 16), u16(t + 18),
        u32(t + 4), u32(t + 8),
        t + 20, t + (t[12] >> 4) * 4, 0, 0};
    assert_true(h.offset >= 20 && t + h.offset <= end);
    h.option_bytes = h.offset - 20;
    h.text_bytes = (size_t)(end - h.text);
    return h;
}

/* RFC 9293 3.1: one's complement over the pseudo-header, the header and the text: a correct sum gives all ones. */
static uint32_t sum_of(const struct pair *p, const struct pair_segment *s)
{
    const uint8_t *t = mission_tcp_header(p, s);
    size_t n = s->frame_bytes - (size_t)(t - s->frame), addresses = p->opts.v6 ? 8 : 12, bytes = p->opts.v6 ? 32 : 8;
    uint32_t sum = 6 + (uint32_t)n;
    for (size_t i = 0; i < bytes; i++)
        sum += i % 2 ? s->frame[addresses + i] : (uint32_t)s->frame[addresses + i] << 8;
    for (size_t i = 0; i < n; i++)
        sum += i % 2 ? t[i] : (uint32_t)t[i] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

static void without_timestamps(struct pl_config *c, enum pair_side side, void *user)
{
    (void)side;
    (void)user;
    c->timestamps = false;
}

static void every_field_stands_where_the_rfc_draws_it(void **state)
{
    struct pair p;
    mission_start_isn(&p, state, 0x01020304, 0x0a0b0c0d, without_timestamps, NULL);
    struct program_conn *c = mission_establish(&p, NULL);
    static const char text[] = "seventeen bytes..";
    assert_int_equal(pl_send(STACK(c), c->handle, text, 17), 17);
    RUN(&p);
    struct header h = header_of(&p, &p.segment[3]);
    assert_int_equal(h.src, 49152);
    assert_int_equal(h.dst, 80);
    assert_int_equal(h.seq, 0x01020305);
    assert_int_equal(h.ack, 0x0a0b0c0e);
    assert_int_equal(h.offset, 20);
    assert_int_equal(h.reserved, 0);
    assert_int_equal(h.flags, 0x18);
    assert_int_equal(h.window, 1048576 >> 8);
    assert_int_equal(h.urgent, 0);
    assert_int_equal(h.text_bytes, 17);
    assert_memory_equal(h.text, text, 17);
    assert_int_equal(sum_of(&p, &p.segment[3]), 0xffff);
    pair_free(&p);
}

/* MUST-14, MAY-3, SHLD-5, RFC 7323 3.2-a */
static void the_syn_has_its_options_in_the_usual_order(void **state)
{
    struct pair p;
    mission_start(&p, state, NULL, NULL);
    mission_establish(&p, NULL);
    unsigned mss = SIX(state) ? 1440 : 1460;
    for (unsigned i = 0; i < 2; i++) {
        struct header h = header_of(&p, &p.segment[i]);
        assert_int_equal(h.offset, 40);
        const uint8_t want[] = {2, 4, (uint8_t)(mss >> 8), (uint8_t)mss, 4, 2, 8, 10};
        assert_memory_equal(h.options, want, sizeof want);             /* mss, sackOK, TS */
        assert_memory_equal(h.options + 16, ((const uint8_t[]){1, 3, 3, 8}), 4);       /* nop, wscale */
        assert_int_equal(u32(h.options + 12) == 0, i == 0);            /* the echo belongs to the ACK bit */
    }
    struct header ack = header_of(&p, &p.segment[2]);
    assert_int_equal(ack.offset, 32);
    assert_memory_equal(ack.options, ((const uint8_t[]){1, 1, 8, 10}), 4);
    pair_free(&p);
    mission_start(&p, state, without_timestamps, NULL);
    mission_establish(&p, NULL);
    struct header h = header_of(&p, &p.segment[0]);
    const uint8_t want[] = {2, 4, (uint8_t)(mss >> 8), (uint8_t)mss, 1, 1, 4, 2, 1, 3, 3, 8};
    assert_int_equal(h.option_bytes, sizeof want);
    assert_memory_equal(h.options, want, sizeof want);
    assert_int_equal(header_of(&p, &p.segment[2]).offset, 20);
    pair_free(&p);
}

/* A whole life with data both ways, refused and reset connections: what every frame has in common. MUST-2 */
static void in_every_segment_the_sum_is_right_and_what_means_nothing_is_zero(void **state)
{
    struct pair p;
    unsigned flags_seen = 0, odd = 0;
    mission_start(&p, state, NULL, NULL);
    assert_int_equal(pair_listen(&p, 80, plan_echo()), 0);
    struct program_plan talker = plan_source(30001, 1);
    talker.write_bytes = 777;
    assert_non_null(pair_connect(&p, 80, talker));
    assert_non_null(pair_connect(&p, 81, plan_hold()));                /* refused */
    assert_non_null(pair_connect(&p, 80, plan_source(0, 1)));          /* only opened and closed */
    struct program_conn *c = pair_connect(&p, 80, plan_hold());
    RUN_FOR(&p, 5 * PL_S);
    assert_int_equal(program_abort(c), 0);
    RUN(&p);
    for (size_t i = 0; i < p.segments; i++) {
        struct header h = header_of(&p, &p.segment[i]);
        assert_int_equal(sum_of(&p, &p.segment[i]), 0xffff);
        assert_int_equal(h.reserved, 0);
        assert_int_equal(h.flags & (PL_URG | PL_ECE | PL_CWR), 0);     /* nobody asked for urgency or ECN */
        assert_int_equal(h.urgent, 0);
        if (!(h.flags & PL_ACK)) assert_int_equal(h.ack, 0);
        if (h.flags & PL_RST) assert_int_equal(h.window, 0);
        assert_int_equal(h.text_bytes, p.segment[i].len);
        assert_int_equal(h.seq, p.segment[i].seq);
        flags_seen |= 1u << (h.flags & 0x1f);
        odd += h.text_bytes % 2;
    }
    assert_true(odd > 0);
    assert_true(flags_seen & 1u << PL_SYN && flags_seen & 1u << (PL_SYN | PL_ACK) && flags_seen & 1u << PL_ACK &&
        flags_seen & 1u << (PL_PSH | PL_ACK) &&
        flags_seen & 1u << (PL_FIN | PL_ACK) && flags_seen & 1u << PL_RST && flags_seen & 1u << (PL_RST | PL_ACK));
    pair_free(&p);
}

/* -------------------- flags -------------------- */

/* An established pair without timestamps, whose client the test plays: SND.NXT 1 there, RCV.NXT 1. */
static struct program_conn *server_of(struct pair *p, void **state)
{
    struct program_conn *s;
    mission_start(p, state, without_timestamps, NULL);
    mission_establish(p, &s);
    mission_play_client(p);
    return s;
}

static void arrives(struct pair *p, uint8_t flags, uint32_t seq, uint32_t ack, const char *text)
{
    struct pair_forged f = {p->port, 80, flags, seq, ack, 1000, text, text ? strlen(text) : 0};
    pair_forge(p, PAIR_CLIENT, &f, p->sim->now + 1 * PL_MS);
    RUN_FOR(p, 100 * PL_MS);
}

static void the_ack_number_counts_only_with_the_ack_bit(void **state)
{
    struct pair p;
    struct program_conn *s = server_of(&p, state);
    assert_int_equal(program_send_pattern(s, 100), 100);
    RUN_FOR(&p, 1 * PL_MS);
    arrives(&p, PL_PSH, 1, 101, "no ack bit");                         /* the number would acknowledge our 100 bytes */
    EXPECT(&p, "S> PSH,ACK seq=1 len=100\n C> PSH injected drop=TCP_NO_ACK\n");
    assert_int_equal(mission_status(s).snd.una, 1);
    assert_int_equal(s->received, 0);
    arrives(&p, PL_PSH | PL_ACK, 1, 101, "with it");
    assert_int_equal(mission_status(s).snd.una, 101);
    assert_int_equal(s->received, 7);
    pair_free(&p);
}

/* MUST-60, 61, SHLD-28 */
static void psh_stands_on_the_last_segment_of_what_the_program_gave(void **state)
{
    struct pair p;
    mission_start(&p, state, without_timestamps, NULL);
    struct program_conn *s, *c = mission_establish(&p, &s);
    uint32_t mss = mission_status(c).mss;
    assert_int_equal(program_send_pattern(c, 3 * mss + 10), 3 * mss + 10);
    RUN(&p);
    size_t pushed = 0;
    for (size_t i = 3; i < p.segments; i++)
        if (p.segment[i].from == PAIR_CLIENT && p.segment[i].len) {
            bool last = p.segment[i].seq + p.segment[i].len == 3 * mss + 11;
            assert_int_equal((p.segment[i].flags & PL_PSH) != 0, last);
            pushed += last;
        }
    assert_int_equal(pushed, 1);
    pair_free(&p);
}

static void text_is_handed_up_at_once_with_or_without_psh(void **state)
{
    struct pair p;
    struct program_conn *s = server_of(&p, state);
    pair_forge(&p, PAIR_CLIENT, &(struct pair_forged){p.port, 80, PL_ACK | PL_PSH, 1, 1, 1000, "pushed", 6}, p.sim->now + 1 * PL_MS);
    RUN_FOR(&p, 1 * PL_MS);
    assert_int_equal(s->received, 6);
    pair_forge(&p, PAIR_CLIENT, &(struct pair_forged){p.port, 80, PL_ACK, 7, 1, 1000, "not", 3}, p.sim->now + 1 * PL_MS);
    RUN_FOR(&p, 1 * PL_MS);
    assert_int_equal(s->received, 9);
    pair_free(&p);
}

/* `arrives` with an urgent pointer. */
static void arrives_pointing(struct pair *p, uint8_t flags, uint32_t seq, uint16_t urgent, const char *text)
{
    struct pair_forged f = {p->port, 80, flags, seq, 1, 1000, text, strlen(text)};
    uint8_t b[200];
    pair_forge(p, PAIR_CLIENT, &f, p->sim->now + 3600 * PL_S);         /* only for its bytes: it arrives when all is over */
    const struct pair_segment *t = &p->segment[p->segments - 1];
    size_t n = t->frame_bytes, at = p->opts.v6 ? 40 : 20;
    memcpy(b, t->frame, n);
    b[at + 18] = (uint8_t)(urgent >> 8);
    b[at + 19] = (uint8_t)urgent;
    uint32_t sum = u16(b + at + 16) + (~(uint32_t)urgent & 0xffff);    /* the complement goes down by what was added */
    sum = (sum & 0xffff) + (sum >> 16);
    b[at + 16] = (uint8_t)(sum >> 8);
    b[at + 17] = (uint8_t)sum;
    sim_inject(p->link, PAIR_SERVER, b, n, p->sim->now + 1 * PL_MS);
    RUN_FOR(p, 5 * PL_MS);
}

static void the_urgent_pointer_counts_only_with_urg_and_urgent_text_is_text(void **state)
{
    struct pair p;
    struct program_conn *s = server_of(&p, state);
    s->plan.paused = true;
    arrives_pointing(&p, PL_ACK | PL_PSH, 1, 5, "calm text");
    assert_int_equal(pair_count_drops(&p, PAIR_SERVER, PL_DROP_TCP_CHECKSUM), 0);
    assert_int_equal(mission_status(s).rcvbuf_used, 9);
    assert_int_equal(pl_urgent(STACK(s), s->handle), 0);
    assert_int_equal(s->seen_bits & PL_EV_URGENT, 0);
    arrives_pointing(&p, PL_ACK | PL_PSH | PL_URG, 10, 4, "urgent text");
    assert_int_equal(mission_status(s).rcvbuf_used, 20);
    assert_int_equal(s->seen_bits & PL_EV_URGENT, PL_EV_URGENT);
    assert_int_equal(pl_urgent(STACK(s), s->handle), 13);              /* nine calm bytes and four: the pointer names the byte behind */
    s->plan.paused = false;
    program_pump(s);
    assert_int_equal(s->received, 20);
    assert_int_equal(pl_urgent(STACK(s), s->handle), 0);
    pair_free(&p);
}

static void urgent_data_goes_with_urg_and_a_pointer_from_its_segments_number(void **state)
{
    struct pair p;
    mission_start(&p, state, without_timestamps, NULL);
    struct program_conn *s, *c = mission_establish(&p, &s);
    assert_int_equal(pl_send(STACK(c), c->handle, "calm", 4), 4);
    RUN(&p);
    assert_int_equal(pl_send_urgent(STACK(c), c->handle, "urgent", 6), 6);
    RUN(&p);
    assert_int_equal(pl_send(STACK(c), c->handle, "calm", 4), 4);
    RUN(&p);
    EXPECT(&p, "C> PSH,ACK     seq=1  len=4\n S> ACK\n"
               "C> PSH,URG,ACK seq=5  len=6\n S> ACK\n"
               "C> PSH,ACK     seq=11 len=4\n S> ACK\n");
    for (size_t i = 3; i < p.segments; i++) {
        struct header h = header_of(&p, &p.segment[i]);
        if (h.flags & PL_URG) assert_int_equal(h.urgent, 6);          /* MUST-62: to the byte behind the urgent ones */
        else assert_int_equal(h.urgent, 0);
    }
    assert_int_equal(s->received, 14);
    pair_free(&p);
}

/* MUST-12, RFC 5961 3.2-a */
static void rst_exactly_at_rcv_nxt_ends_the_connection(void **state)
{
    struct pair p;
    struct program_conn *s = server_of(&p, state);
    arrives(&p, PL_RST, 1, 0, NULL);
    EXPECT(&p, "C> RST injected drop=TCP_RST_TAKEN\n");                /* and no answer: a RST is never answered */
    assert_int_equal(s->error, PL_ECONNRESET);
    assert_int_equal(pair_state(&p, PAIR_SERVER), PL_CLOSED);
    assert_true(s->seen_bits & PL_EV_ERROR && s->seen_bits & PL_EV_CLOSED);
    mission_assert_states(&p, PAIR_SERVER, "LISTEN SYN-RECEIVED ESTABLISHED CLOSED");
    pair_free(&p);
}

/* RFC 5961 1.1, 3.2, 3.2-b, 3.2-c, 3.2-d */
static void rst_elsewhere_in_the_window_is_challenged_outside_it_is_nothing(void **state)
{
    struct pair p;
    struct program_conn *s = server_of(&p, state);
    arrives(&p, PL_RST, 2, 0, NULL);
    uint32_t edge = mission_status(s).rcv.nxt + mission_status(s).rcv.wnd;
    arrives(&p, PL_RST, edge - 1, 0, NULL);
    arrives(&p, PL_RST, edge, 0, NULL);                                /* the right edge is outside */
    arrives(&p, PL_RST, 0, 0, NULL);
    EXPECT(&p, "C> RST injected drop=TCP_RST_CHALLENGED\n S> ACK seq=1 ack=1 len=0 why=ACK_CHALLENGE\n"
               "C> RST injected drop=TCP_RST_CHALLENGED\n S> ACK seq=1 ack=1 len=0 why=ACK_CHALLENGE\n"
               "C> RST injected drop=TCP_RST_OUTSIDE\n"
               "C> RST injected drop=TCP_RST_OUTSIDE\n");
    assert_int_equal(mission_status(s).state, PL_ESTABLISHED);
    pair_free(&p);
}

static void rst_refuses_a_connection_nobody_listens_for(void **state)
{
    struct pair p;
    struct program_plan keep = plan_hold();
    keep.keep_handle = true;
    mission_start_isn(&p, state, 500, 0, NULL, NULL);
    struct program_conn *c = pair_connect(&p, 81, keep);
    RUN(&p);
    EXPECT(&p, "C> SYN     seq=500 ack=0\n"
               "S> RST,ACK seq=0   ack=501 win=0 why=RST_REFUSED\n");
    assert_int_equal(c->error, PL_ECONNREFUSED);
    assert_true(c->over_at == 20 * PL_MS);
    pair_free(&p);
}

static void ece_and_cwr_on_a_syn_are_not_answered_unless_configured_and_harm_nothing(void **state)
{
    struct pair p;
    mission_start(&p, state, NULL, NULL);
    mission_play_client(&p);
    assert_int_equal(pair_listen(&p, 80, plan_hold()), 0);
    pair_forge(&p, PAIR_CLIENT, &(struct pair_forged){5000, 80, PL_SYN | PL_ECE | PL_CWR, 100, 0, 1000, NULL, 0}, 1 * PL_MS);
    pair_forge(&p, PAIR_CLIENT, &(struct pair_forged){5000, 80, PL_ACK | PL_ECE | PL_CWR, 101, 1, 1000, "text", 4}, 2 * PL_MS);
    RUN_FOR(&p, 3 * PL_MS);
    assert_non_null(pair_conn(&p, PAIR_SERVER, 0));
    assert_int_equal(pair_conn(&p, PAIR_SERVER, 0)->received, 4);
    pair_free(&p);
}

/* -------------------- what is no header -------------------- */

/* The frame of a good data segment with one byte of its TCP header changed; the sum is put right when asked. */
static enum pl_drop changed(void **state, unsigned byte, uint8_t value, bool sum)
{
    uint8_t b[200];
    struct pair p;
    struct program_conn *s;
    mission_start(&p, state, without_timestamps, NULL);
    struct program_conn *c = mission_establish(&p, &s);
    p.link->down = true;
    assert_int_equal(program_send_pattern(c, 40), 40);
    RUN_FOR(&p, 1 * PL_MS);
    const struct pair_segment *t = mission_last(&p, PAIR_CLIENT);
    assert_int_equal(t->len, 40);
    size_t n = t->frame_bytes, at = p.opts.v6 ? 40 : 20;
    memcpy(b, t->frame, n);
    if (sum) {                                                         /* RFC 1624: HC' = ~(~HC + ~m + m') */
        unsigned w = byte & ~1u;
        uint32_t x = (~u16(b + at + 16) & 0xffff) + (~u16(b + at + w) & 0xffff);
        b[at + byte] = value;
        x += u16(b + at + w);
        while (x >> 16)
            x = (x & 0xffff) + (x >> 16);
        x = ~x & 0xffff;
        b[at + 16] = (uint8_t)(x >> 8);
        b[at + 17] = (uint8_t)x;
    }
    b[at + byte] = value;
    size_t before = p.segments;
    sim_inject(p.link, PAIR_SERVER, b, n, p.sim->now + 1 * PL_MS);
    RUN_FOR(&p, 2 * PL_MS);
    enum pl_drop drop = PL_DROP_NONE;
    for (size_t i = 0; i < p.events; i++)
        if (p.event[i].side == PAIR_SERVER && p.event[i].e.kind == PL_TRACE_IN) drop = (enum pl_drop)p.event[i].e.drop;
    unsigned header = byte == 12 ? (unsigned)(value >> 4) * 4 : 20;    /* what counts as options is no text */
    assert_int_equal(s->received, drop == PL_DROP_NONE ? 60 - header : 0);
    assert_true(p.segments >= before);
    pair_free(&p);
    return drop;
}

/* MUST-3 */
static void a_wrong_sum_is_dropped_whatever_byte_it_is(void **state)
{
    for (unsigned byte = 0; byte < 60; byte++) {
        if (byte == 12) continue;                                      /* the data offset: below */
        assert_int_equal(changed(state, byte, 0xa5, false), PL_DROP_TCP_CHECKSUM);
    }
}

static void a_data_offset_below_five_or_beyond_the_segment_is_dropped(void **state)
{
    for (unsigned words = 0; words < 16; words++) {
        enum pl_drop drop = changed(state, 12, (uint8_t)(words << 4), true);
        assert_int_equal(drop, words < 5 ? PL_DROP_TCP_HEADER : PL_DROP_NONE);
    }
    struct pair p;
    struct program_conn *s = server_of(&p, state);
    /* 20 bytes of TCP whose offset says 24 */
    uint8_t b[60] = {0};
    size_t at = p.opts.v6 ? 40 : 20;
    pair_forge(&p, PAIR_CLIENT, &(struct pair_forged){p.port, 80, PL_ACK, 1, 1, 1000, NULL, 0}, p.sim->now);
    const struct pair_segment *t = &p.segment[p.segments - 1];
    memcpy(b, t->frame, at + 20);
    b[at + 12] = 6 << 4;
    uint32_t x = u16(b + at + 16) - 0x1000u;                           /* the sum's complement goes down by what the header went up */
    b[at + 16] = (uint8_t)(x >> 8);
    sim_inject(p.link, PAIR_SERVER, b, at + 20, p.sim->now + 1 * PL_MS);
    RUN_FOR(&p, 2 * PL_MS);
    assert_int_equal(pair_count_drops(&p, PAIR_SERVER, PL_DROP_TCP_HEADER), 1);
    assert_int_equal(mission_status(s).state, PL_ESTABLISHED);
    pair_free(&p);
}

static void reserved_bits_are_ignored(void **state)
{
    assert_int_equal(changed(state, 12, 5 << 4 | 0x0e, true), PL_DROP_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(every_field_stands_where_the_rfc_draws_it),
        BOTH(the_syn_has_its_options_in_the_usual_order),
        BOTH(in_every_segment_the_sum_is_right_and_what_means_nothing_is_zero),
        BOTH(the_ack_number_counts_only_with_the_ack_bit),
        BOTH(psh_stands_on_the_last_segment_of_what_the_program_gave),
        BOTH(text_is_handed_up_at_once_with_or_without_psh),
        BOTH(the_urgent_pointer_counts_only_with_urg_and_urgent_text_is_text),
        BOTH(urgent_data_goes_with_urg_and_a_pointer_from_its_segments_number),
        BOTH(rst_exactly_at_rcv_nxt_ends_the_connection),
        BOTH(rst_elsewhere_in_the_window_is_challenged_outside_it_is_nothing),
        BOTH(rst_refuses_a_connection_nobody_listens_for),
        BOTH(ece_and_cwr_on_a_syn_are_not_answered_unless_configured_and_harm_nothing),
        BOTH(a_wrong_sum_is_dropped_whatever_byte_it_is),
        BOTH(a_data_offset_below_five_or_beyond_the_segment_is_dropped),
        BOTH(reserved_bits_are_ignored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
