/* SPDX-License-Identifier: MIT
 *
 * test_with_gso.c: super-frames cut into segments, segments joined to super-frames; judged by packets made and read by hand.
 */
#include "support/unit.h"

#include "os/driver/frame.h"
#include "os/driver/join.h"
#include "os/driver/memory.h"
#include "os/driver/with_gso.h"
#include "support/guard.h"
#include "support/make_packet.h"

enum { MSS = 1448 };

static uint8_t payload[65536];
static uint8_t wire[70000];
static const uint8_t timestamps[12] = {1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8};

static int fill_payload(void **state)
{
    (void)state;
    uint32_t x = 1;
    for (size_t i = 0; i < sizeof payload; i++)
        payload[i] = (uint8_t)((x = x * 1664525 + 1013904223) >> 24);
    return 0;
}

/* A wrapped end of a cable, and the bare other end. */
struct rig {
    struct pl_driver *gso, *far;
    bool ethernet;
};

static struct rig rig_of(bool ethernet, unsigned frames_max, bool csum_offload, bool join)
{
    struct pl_iface_params p = {.mtu = 1500, .link = ethernet ? PL_LINK_ETHERNET : PL_LINK_IP, .csum_offload = csum_offload};
    struct pl_driver *near;
    struct rig r = {.ethernet = ethernet};
    assert_int_equal(memory_pair_open(&(struct memory_params){.a = p, .b = p, .frames_max = frames_max}, &near, &r.far), 0);
    assert_int_equal(with_gso_open(near, &(struct with_gso_params){.join = join}, &r.gso), 0);
    return r;
}

static void rig_close(struct rig *r)
{
    r->gso->ops->close(r->gso);
    r->far->ops->close(r->far);
}

static struct made tcp_of(bool ethernet, int version, size_t bytes)
{
    struct made m = {.ethernet = ethernet, .version = version, .protocol = 6, .sport = 80, .dport = 4711, .ip_id = 0xfffe, .window = 512,
                     .seq = 0xffffff00, .ack = 77, .flags = PL_ACK | PL_PSH | PL_FIN | PL_CWR, .payload = payload, .payload_bytes = bytes,
                     .partial = true};
    memcpy(m.options, timestamps, 12);
    m.options_bytes = 12;
    return m;
}

/* The frame as the stack would give it: headers in the first span, the payload in pieces of odd lengths. */
static struct pl_frame super_frame(const struct made *m, size_t piece, uint16_t gso_size)
{
    size_t l4, n = make_packet(m, wire, &l4), header = n - m->payload_bytes;
    struct pl_frame f = {.nspans = 1, .flags = PL_F_CSUM_PARTIAL, .csum_start = (uint16_t)l4, .csum_off = m->protocol == 6 ? 16 : 6};
    f.span[0] = (struct pl_span){wire, header};
    f.hdr_len = (uint16_t)header;
    for (size_t at = 0; at < m->payload_bytes; at += piece) {
        size_t len = m->payload_bytes - at < piece ? m->payload_bytes - at : piece;
        f.span[f.nspans++] = (struct pl_span){wire + header + at, len};
        assert_in_range(f.nspans, 1, PL_SPANS);
    }
    f.gso_segs = 1;
    if (gso_size && m->payload_bytes > gso_size) {
        f.gso_size = gso_size;
        f.gso_segs = (uint16_t)((m->payload_bytes + gso_size - 1) / gso_size);
    }
    return f;
}

/* Reads everything from the far end and compares it with the segments that `m` cut by `size` must give, from segment `from` on. Returns the
 * next one. */
static unsigned expect_segments(struct rig *r, const struct made *m, size_t size, unsigned from)
{
    struct pl_frame in[16];
    unsigned segments = (unsigned)((m->payload_bytes + size - 1) / size);
    for (int n; (n = r->far->ops->recv(r->far, in, 16)) > 0;)
        for (int i = 0; i < n; i++, from++) {
            struct read_packet p;
            size_t at = from * size, len = m->payload_bytes - at < size ? m->payload_bytes - at : size;
            assert_true(from < segments);
            assert_true(read_packet(in[i].span[0].base, in[i].span[0].len, r->ethernet, &p));
            assert_int_equal(p.payload_bytes, len);
            assert_memory_equal(p.payload, payload + at, len);
            assert_true(p.ip_sum_right);
            if (m->version == 4) assert_int_equal(p.ip_id, (uint16_t)(m->ip_id + from));
            assert_int_equal(in[i].gso_segs, 1);
            if (m->protocol == 6) {
                uint8_t flags = m->flags;
                if (from > 0) flags &= (uint8_t)~PL_CWR;
                if (from + 1 < segments) flags &= (uint8_t) ~(PL_PSH | PL_FIN);
                assert_int_equal(p.flags, flags);
                assert_int_equal(p.seq, (uint32_t)(m->seq + at));
                assert_int_equal(p.ack, m->ack);
                assert_int_equal(p.window, m->window);
                assert_int_equal(p.options_bytes, m->options_bytes);
                assert_memory_equal(p.options, m->options, m->options_bytes);
            }
            if (in[i].flags & PL_F_CSUM_OK) {
                /* The device was to finish it: doing so must give the right sum. */
                uint8_t *field = (uint8_t *)in[i].span[0].base + p.l4 + (m->protocol == 6 ? 16 : 6);
                uint32_t sum = 0xffff ^ slow_sum((uint8_t *)in[i].span[0].base + p.l4, in[i].span[0].len - p.l4, 0);
                field[0] = (uint8_t)(sum >> 8);
                field[1] = (uint8_t)sum;
                assert_true(read_packet(in[i].span[0].base, in[i].span[0].len, r->ethernet, &p));
            }
            assert_true(p.l4_sum_right);
        }
    return from;
}

static void cut_all(bool ethernet, int version, bool csum_offload)
{
    static const size_t sizes[] = {1, MSS - 1, MSS, MSS + 1, 10 * MSS, 60000, 64000};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        struct rig r = rig_of(ethernet, 64, csum_offload, false);
        struct made m = tcp_of(ethernet, version, sizes[i]);
        struct pl_frame f = super_frame(&m, 4097, MSS);
        assert_int_equal(r.gso->ops->send(r.gso, &f, 1), 1);
        assert_int_equal(expect_segments(&r, &m, MSS, 0), (sizes[i] + MSS - 1) / MSS);
        assert_int_equal(r.gso->errors, 0);
        rig_close(&r);
    }
}

static void ip4_super_frames_become_right_segments(void **state)
{
    (void)state;
    cut_all(false, 4, false);
    cut_all(true, 4, false);
}

static void ip6_super_frames_become_right_segments(void **state)
{
    (void)state;
    cut_all(false, 6, false);
    cut_all(true, 6, false);
}

static void a_device_that_sums_gets_the_pseudo_header_sum(void **state)
{
    (void)state;
    cut_all(true, 4, true);
    cut_all(false, 6, true);
}

static void udp_super_frames_become_datagrams(void **state)
{
    (void)state;
    struct rig r = rig_of(false, 64, false, false);
    struct made m = {.version = 4, .protocol = 17, .sport = 1, .dport = 2, .payload = payload, .payload_bytes = 5000, .partial = true};
    struct pl_frame f = super_frame(&m, 5000, 1000);
    assert_int_equal(r.gso->ops->send(r.gso, &f, 1), 1);
    assert_int_equal(expect_segments(&r, &m, 1000, 0), 5);
    rig_close(&r);
}

static void a_single_unfinished_checksum_is_finished_and_the_senders_bytes_stay(void **state)
{
    (void)state;
    uint8_t before[200];
    for (int version = 4; version <= 6; version += 2) {
        struct rig r = rig_of(true, 8, false, false);
        struct made m = tcp_of(true, version, 99);
        struct pl_frame f = super_frame(&m, 33, 0);
        memcpy(before, wire, sizeof before);
        assert_int_equal(r.gso->ops->send(r.gso, &f, 1), 1);
        assert_memory_equal(before, wire, sizeof before);
        assert_int_equal(expect_segments(&r, &m, 99, 0), 1);
        rig_close(&r);
    }
}

static void a_udp_checksum_of_zero_is_sent_as_ones(void **state)
{
    (void)state;                          /* RFC 768 */
    struct rig r = rig_of(false, 8, false, false);
    uint8_t two[2] = {0, 0};
    struct made m = {.version = 4, .protocol = 17, .sport = 1, .dport = 2, .payload = two, .payload_bytes = 2};
    size_t l4;
    make_packet(&m, wire, &l4);
    memcpy(two, wire + l4 + 6, 2);        /* payload = checksum of the packet without it: the whole then sums to zero */
    m.partial = true;
    struct pl_frame f = super_frame(&m, 2, 0), in;
    assert_int_equal(r.gso->ops->send(r.gso, &f, 1), 1);
    assert_int_equal(r.far->ops->recv(r.far, &in, 1), 1);
    struct read_packet p;
    assert_true(read_packet(in.span[0].base, in.span[0].len, false, &p));
    assert_int_equal(p.l4_sum_field, 0xffff);
    assert_true(p.l4_sum_right);
    rig_close(&r);
}

static void a_device_that_fills_up_in_the_middle_loses_and_repeats_nothing(void **state)
{
    (void)state;
    struct rig r = rig_of(false, 4, false, false);
    struct made m = tcp_of(false, 4, 20 * MSS);
    struct pl_frame f[2] = {super_frame(&m, 4096, MSS)};
    f[1] = f[0];
    assert_int_equal(r.gso->ops->send(r.gso, f, 1), 1);
    memset(wire + f[0].hdr_len, 0xee, m.payload_bytes);       /* the bytes are no longer needed */
    pl_time due = r.gso->ops->deadline(r.gso, 1000);
    assert_true(due != PL_NEVER);
    assert_true(due == r.gso->ops->deadline(r.gso, 2000));       /* it comes nearer */
    unsigned next = 0;
    struct pl_frame none;
    while (next < 20) {
        next = expect_segments(&r, &m, MSS, next);
        assert_int_equal(r.gso->ops->recv(r.gso, &none, 1), 0);   /* sends more of the rest */
    }
    assert_int_equal(expect_segments(&r, &m, MSS, next), 20);
    assert_true(r.gso->ops->deadline(r.gso, 1000) == PL_NEVER);
    /* While a rest waits, nothing overtakes it. */
    f[0] = f[1] = super_frame(&m, 4096, MSS);
    assert_int_equal(r.gso->ops->send(r.gso, f, 2), 1);
    assert_int_equal(r.gso->ops->send(r.gso, f + 1, 1), 0);
    rig_close(&r);
}

static void who_was_sent_away_because_of_a_rest_is_told_when_it_is_gone(void **state)
{
    (void)state;                          /* a device without a descriptor has no other way to say so */
    struct rig r = rig_of(false, 4, false, false);
    struct made m = tcp_of(false, 4, 6 * MSS);
    struct pl_frame f = super_frame(&m, 4096, MSS), in[4];
    assert_int_equal(r.gso->ops->send(r.gso, &f, 1), 1);
    assert_int_equal(r.gso->ops->send(r.gso, &f, 1), 0);
    assert_true(r.gso->ops->deadline(r.gso, 1000) > 1000);
    assert_int_equal(r.far->ops->recv(r.far, in, 4), 4);
    assert_int_equal(r.far->ops->recv(r.far, in, 4), 0);
    assert_int_equal(r.gso->ops->recv(r.gso, in, 4), 0);
    assert_true(r.gso->ops->deadline(r.gso, 1000) == 1000);
    assert_int_equal(r.gso->ops->send(r.gso, &f, 1), 1);
    rig_close(&r);
}

static void a_device_gone_is_reported(void **state)
{
    (void)state;
    struct rig r = rig_of(false, 4, false, true);
    struct made m = tcp_of(false, 4, 20 * MSS);
    struct pl_frame f = super_frame(&m, 4096, MSS), in;
    r.far->ops->close(r.far);
    assert_int_equal(r.gso->ops->send(r.gso, &f, 1), PL_ENETDOWN);
    assert_int_equal(r.gso->ops->recv(r.gso, &in, 1), PL_ENETDOWN);
    r.gso->ops->close(r.gso);
}

static void what_cannot_be_cut_is_counted(void **state)
{
    (void)state;
    struct rig r = rig_of(true, 4, false, false);
    struct made m = tcp_of(true, 4, 5000);
    struct pl_frame f = super_frame(&m, 5000, MSS);
    wire[12] = 0x12;                      /* not IP */
    assert_int_equal(r.gso->ops->send(r.gso, &f, 1), 1);
    assert_int_equal(r.gso->errors, 1);
    struct pl_frame in;
    assert_int_equal(r.far->ops->recv(r.far, &in, 1), 0);
    rig_close(&r);
}

/* The way in. Frames are made in a store of their own, each ending at a page that nobody may touch. */
static struct pl_frame segment_of(const struct made *m, bool vouched)
{
    size_t l4, n = make_packet(m, wire, &l4);
    struct pl_frame f = {.nspans = 1, .gso_segs = 1, .flags = vouched ? PL_F_CSUM_OK : 0};
    f.span[0] = (struct pl_span){guard_copy(wire, n), n};
    return f;
}

/* Segment i of a stream. */
static struct made piece_of(bool ethernet, int version, unsigned i, size_t size)
{
    struct made m = tcp_of(ethernet, version, size);
    m.partial = false;
    m.flags = PL_ACK;
    m.seq += (uint32_t)(i * size);
    m.ip_id = (uint16_t)(m.ip_id + i);
    m.payload = payload + i * size;
    return m;
}

static void segments_in_a_row_become_one_super_frame(void **state)
{
    (void)state;
    for (int version = 4; version <= 6; version += 2)
        for (int ethernet = 0; ethernet < 2; ethernet++) {
            struct pl_frame in[10], out[10];
            for (unsigned i = 0; i < 10; i++) {
                struct made m = piece_of(ethernet, version, i, MSS);
                if (i == 9) m.flags |= PL_PSH | PL_FIN, m.payload_bytes = 100;
                in[i] = segment_of(&m, i & 1);
            }
            assert_int_equal(join_frames(in, 10, out, ethernet, 0), 1);
            assert_int_equal(out[0].gso_size, MSS);
            assert_int_equal(out[0].gso_segs, 10);
            assert_int_equal(out[0].flags, PL_F_CSUM_OK);
            size_t n = frame_bytes(&out[0]);
            frame_gather(&out[0], wire);
            struct read_packet p;
            assert_true(read_packet(wire, n, ethernet, &p));
            assert_true(p.ip_sum_right);
            assert_int_equal(p.payload_bytes, 9 * MSS + 100);
            assert_memory_equal(p.payload, payload, 9 * MSS + 100);
            assert_int_equal(p.flags, PL_ACK | PL_PSH | PL_FIN);
            assert_int_equal(p.seq, 0xffffff00);
            guard_reset();
        }
}

static void cutting_and_joining_gives_back_the_super_frame(void **state)
{
    (void)state;
    struct rig r = rig_of(true, 64, false, true);
    struct made m = tcp_of(true, 4, 15 * MSS + 3);
    m.flags = PL_ACK | PL_PSH;
    struct pl_frame f = super_frame(&m, 4096, MSS), in[64];
    assert_int_equal(r.gso->ops->send(r.gso, &f, 1), 1);
    int n = r.far->ops->recv(r.far, in, 64);
    assert_int_equal(n, 16);
    assert_int_equal(r.far->ops->send(r.far, in, n), n);
    assert_int_equal(r.gso->ops->recv(r.gso, in, 64), 1);
    assert_int_equal(in[0].gso_segs, 16);
    assert_int_equal(in[0].gso_size, MSS);
    rig_close(&r);
}

/* Joins two segments of which the second is changed; returns how many frames come out. */
static int join_two(void (*change)(struct made *first, struct made *second))
{
    struct made a = piece_of(false, 4, 0, 500), b = piece_of(false, 4, 1, 500);
    change(&a, &b);
    struct pl_frame in[2] = {segment_of(&a, true), segment_of(&b, true)}, out[2];
    int n = join_frames(in, 2, out, false, 0);
    if (n == 2)
        for (int i = 0; i < 2; i++) {
            assert_int_equal(out[i].gso_segs, 1);
            assert_int_equal(out[i].gso_size, 0);
        }
    guard_reset();
    return n;
}

static void change_nothing(struct made *a, struct made *b) { (void)a, (void)b; }
static void change_shorter(struct made *a, struct made *b) { (void)a, b->payload_bytes = 1; }
static void change_push(struct made *a, struct made *b) { (void)a, b->flags |= PL_PSH; }
static void change_longer(struct made *a, struct made *b) { (void)a, b->payload_bytes = 501; }
static void change_gap(struct made *a, struct made *b) { (void)a, b->seq++; }
static void change_ack(struct made *a, struct made *b) { (void)a, b->ack++; }
static void change_window(struct made *a, struct made *b) { (void)a, b->window++; }
static void change_option(struct made *a, struct made *b) { (void)a, b->options[5]++; }
static void change_no_options(struct made *a, struct made *b) { (void)a, b->options_bytes = 0; }
static void change_port(struct made *a, struct made *b) { (void)a, b->sport++; }
static void change_address(struct made *a, struct made *b) { (void)a, b->from[3] = b->to[3] = 9; }
static void change_syn(struct made *a, struct made *b) { (void)a, b->flags |= PL_SYN; }
static void change_rst(struct made *a, struct made *b) { (void)a, b->flags |= PL_RST; }
static void change_urg(struct made *a, struct made *b) { (void)a, b->flags |= PL_URG; }
static void change_ece(struct made *a, struct made *b) { (void)a, b->flags |= PL_ECE; }
static void change_cwr(struct made *a, struct made *b) { (void)a, b->flags |= PL_CWR; }
static void change_no_ack(struct made *a, struct made *b) { (void)a, b->flags = 0; }
static void change_empty(struct made *a, struct made *b) { (void)a, b->payload_bytes = 0; }
static void change_first_push(struct made *a, struct made *b) { (void)b, a->flags |= PL_PSH; }
static void change_first_fin(struct made *a, struct made *b) { (void)b, a->flags |= PL_FIN; }

static void only_what_tcp_could_not_tell_apart_is_joined(void **state)
{
    (void)state;
    assert_int_equal(join_two(change_nothing), 1);
    assert_int_equal(join_two(change_shorter), 1);
    assert_int_equal(join_two(change_push), 1);
    void (*const apart[])(struct made *, struct made *) = {
        change_longer, change_gap, change_ack, change_window, change_option, change_no_options, change_port, change_address, change_syn,
        change_rst, change_urg, change_ece, change_cwr, change_no_ack, change_empty, change_first_push, change_first_fin};
    for (size_t i = 0; i < COUNT_OF(apart); i++)
        assert_int_equal(join_two(apart[i]), 2);
}

static void a_wrong_checksum_is_not_joined_and_not_vouched_for(void **state)
{
    (void)state;
    struct made a = piece_of(false, 4, 0, 500), b = piece_of(false, 4, 1, 500);
    for (int which = 0; which < 2; which++) {
        struct pl_frame in[2] = {segment_of(&a, false), segment_of(&b, false)}, out[2];
        ((uint8_t *)in[which].span[0].base)[60] ^= 1;
        assert_int_equal(join_frames(in, 2, out, false, 0), 2);
        assert_int_equal(out[0].flags | out[1].flags, 0);
    }
    struct pl_frame in[2] = {segment_of(&a, true), segment_of(&b, true)}, out[2];
    ((uint8_t *)in[1].span[0].base)[8] ^= 1;      /* the IPv4 header's own checksum is never vouched for */
    assert_int_equal(join_frames(in, 2, out, false, 0), 2);
    guard_reset();
}

static void flows_that_interleave_are_joined_each_and_nothing_overtakes(void **state)
{
    (void)state;
    struct pl_frame in[8], out[8];
    for (unsigned i = 0; i < 8; i++) {
        struct made m = piece_of(false, 4, i / 2, 300);
        m.sport = (uint16_t)(1000 + (i & 1));
        if (i == 4) m.ack++;              /* flow 1000: 0 1 | 2 3: the third differs */
        if (i == 6) m.ack++;
        in[i] = segment_of(&m, false);
    }
    assert_int_equal(join_frames(in, 8, out, false, 0), 3);
    assert_int_equal(out[0].gso_segs, 2);
    assert_int_equal(out[1].gso_segs, 4);
    assert_int_equal(out[2].gso_segs, 2);
    guard_reset();
}

static void padding_of_short_ethernet_frames_is_no_payload(void **state)
{
    (void)state;
    struct made a = piece_of(true, 4, 0, 2), b = piece_of(true, 4, 1, 2);
    a.options_bytes = b.options_bytes = 0;
    struct pl_frame in[2], out[2];
    uint8_t padded[2][60] = {{0}};
    size_t l4;
    make_packet(&a, wire, &l4), memcpy(padded[0], wire, 56);
    make_packet(&b, wire, &l4), memcpy(padded[1], wire, 56);
    for (int i = 0; i < 2; i++) {
        in[i] = (struct pl_frame){.nspans = 1};
        memset(padded[i] + 56, 0xaa, 4);
        in[i].span[0] = (struct pl_span){padded[i], 60};
    }
    assert_int_equal(join_frames(in, 2, out, true, 0), 1);
    assert_int_equal(frame_bytes(&out[0]), 58);
    frame_gather(&out[0], wire);
    assert_memory_equal(wire + 54, payload, 4);
}

static void cut_short_or_garbled_frames_read_no_byte_too_many(void **state)
{
    (void)state;
    uint32_t x = 7;
    for (int version = 4; version <= 6; version += 2) {
        struct made m = piece_of(true, version, 0, 20);
        size_t l4, n = make_packet(&m, wire, &l4);
        for (size_t cut = 0; cut <= n; cut++)
            for (int garble = 0; garble < 20; garble++) {
                struct pl_frame in[2] = {{.nspans = 1}, {.nspans = 1}}, out[2];
                for (int i = 0; i < 2; i++) {
                    in[i].span[0] = (struct pl_span){guard_copy(wire, cut), cut};
                    in[i].flags = PL_F_CSUM_OK;
                    for (int k = 0; k < garble && cut > 12; k++) {
                        x = x * 1664525 + 1013904223;
                        ((uint8_t *)in[i].span[0].base)[12 + (x >> 8) % (cut - 12)] ^= (uint8_t)(x >> 24);
                    }
                }
                int k = join_frames(in, 2, out, true, 0);
                assert_in_range(k, 1, 2);
                guard_reset();
            }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ip4_super_frames_become_right_segments),
        cmocka_unit_test(ip6_super_frames_become_right_segments),
        cmocka_unit_test(a_device_that_sums_gets_the_pseudo_header_sum),
        cmocka_unit_test(udp_super_frames_become_datagrams),
        cmocka_unit_test(a_single_unfinished_checksum_is_finished_and_the_senders_bytes_stay),
        cmocka_unit_test(a_udp_checksum_of_zero_is_sent_as_ones),
        cmocka_unit_test(a_device_that_fills_up_in_the_middle_loses_and_repeats_nothing),
        cmocka_unit_test(who_was_sent_away_because_of_a_rest_is_told_when_it_is_gone),
        cmocka_unit_test(a_device_gone_is_reported),
        cmocka_unit_test(what_cannot_be_cut_is_counted),
        cmocka_unit_test(segments_in_a_row_become_one_super_frame),
        cmocka_unit_test(cutting_and_joining_gives_back_the_super_frame),
        cmocka_unit_test(only_what_tcp_could_not_tell_apart_is_joined),
        cmocka_unit_test(a_wrong_checksum_is_not_joined_and_not_vouched_for),
        cmocka_unit_test(flows_that_interleave_are_joined_each_and_nothing_overtakes),
        cmocka_unit_test(padding_of_short_ethernet_frames_is_no_payload),
        cmocka_unit_test(cut_short_or_garbled_frames_read_no_byte_too_many),
    };
    return cmocka_run_group_tests(tests, fill_payload, NULL);
}
