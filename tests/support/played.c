/* SPDX-License-Identifier: MIT */
#include "support/played.h"

#include "support/make_packet.h"

bool played_four = false, played_six = true;

void played_init(struct played *p, bool ipv6, const struct pl_config *config)
{
    *p = (struct played){.ipv6 = ipv6, .peer_port = PLAYED_PEER_PORT, .wnd = 60000};
    duo_init(&p->d, config, false);
    p->listener = duo_listen(&p->d, 1, PLAYED_PORT, 0);
}

void played_free(struct played *p) { duo_free(&p->d); }

struct forged played_segment(const struct played *p, uint8_t flags, uint32_t seq, uint32_t ack, size_t text)
{
    struct forged s = {.src = duo_endpoint(0, p->ipv6, p->peer_port), .dst = duo_endpoint(1, p->ipv6, PLAYED_PORT), .seq = PLAYED_ISS + 1 + seq,
                       .ack = flags & PL_ACK ? p->first + ack : 0, .wnd = p->wnd, .flags = flags, .text_bytes = text};
    if (p->ts) {
        s.opts.have = WIRE_OPT_TIMESTAMPS;
        s.opts.ts_val = (uint32_t)(p->d.now / PL_MS);
        s.opts.ts_ecr = p->echo;
    }
    return s;
}

void played_gives(struct played *p, uint8_t flags, uint32_t seq, uint32_t ack, size_t text)
{
    struct forged s = played_segment(p, flags, seq, ack, text);
    duo_give_segment(&p->d, 1, &s);
}

void played_sacks(struct played *p, uint32_t ack, uint32_t lo, uint32_t hi)
{
    struct forged s = played_segment(p, PL_ACK, 0, ack, 0);
    if (lo != hi) {
        s.opts.have |= WIRE_OPT_SACK;
        s.opts.nsack = 1;
        s.opts.sack[0] = (struct wire_tcp_sack){p->first + lo, p->first + hi};
    }
    duo_give_segment(&p->d, 1, &s);
}

bool played_takes(struct played *p, struct forged *s)
{
    if (!duo_take_segment(&p->d, 1, s))
        return false;
    p->echo = s->opts.ts_val;
    s->seq -= p->first;
    s->ack -= PLAYED_ISS + 1;
    return true;
}

unsigned played_drains(struct played *p)
{
    struct forged s;
    unsigned n = 0;
    while (played_takes(p, &s))
        n++;
    return n;
}

void played_open(struct played *p, const struct wire_tcp_opts *o, uint16_t wnd, pl_time rtt, struct forged *syn_ack)
{
    struct forged r;
    struct forged s = played_segment(p, PL_SYN, (uint32_t)-1, 0, 0);
    s.opts = *o;
    s.opts.ts_val = (uint32_t)(p->d.now / PL_MS);
    s.wnd = p->wnd = wnd;
    duo_give_segment(&p->d, 1, &s);
    assert_true(duo_take_segment(&p->d, 1, &r));
    assert_int_equal(r.flags, PL_SYN | PL_ACK);
    p->first = r.seq + 1;
    p->ts = r.opts.have & WIRE_OPT_TIMESTAMPS;
    p->echo = r.opts.ts_val;
    p->d.now += rtt;
    played_gives(p, PL_ACK, 0, 0, 0);
    assert_int_equal(pl_accept(p->d.s[1], p->listener, &p->c, NULL), PL_OK);
    duo_drain_events(&p->d);
    if (syn_ack)
        *syn_ack = r;
}

void played_open_plain(struct played *p, uint16_t mss)
{
    played_open(p, &(struct wire_tcp_opts){.have = WIRE_OPT_MSS, .mss = mss}, 60000, 0, NULL);
}

bool played_next_deadline(struct played *p)
{
    duo_drain_events(&p->d);
    pl_time at = pl_deadline(p->d.s[1]);
    if (at == PL_NEVER)
        return false;
    if (at > p->d.now)
        p->d.now = at;
    pl_poll(p->d.s[1], p->d.now);
    return true;
}

void played_wait(struct played *p, pl_time at)
{
    for (unsigned n = 0; n < 100000; n++) {
        duo_drain_events(&p->d);
        pl_time next = pl_deadline(p->d.s[1]);
        if (next > at)
            break;
        if (next <= p->d.now)
            break;                        /* something to send: nobody takes it */
        p->d.now = next;
        pl_poll(p->d.s[1], p->d.now);
    }
    p->d.now = at;
    pl_poll(p->d.s[1], at);
}

bool played_hears(struct played *p, struct forged *s)
{
    do
        if (played_takes(p, s))
            return true;
    while (played_next_deadline(p));
    return false;
}

struct pl_tcp_status played_status(const struct played *p)
{
    struct pl_tcp_status q;
    assert_int_equal(pl_status(p->d.s[1], p->c, &q, sizeof q), PL_OK);
    return q;
}

void played_sends(struct played *p, size_t n)
{
    static const char text[1 << 16];
    assert_true(n <= sizeof text);
    assert_int_equal(pl_send(p->d.s[1], p->c, text, n), n);
}

size_t played_reads(struct played *p)
{
    static char room[4096];
    size_t sum = 0;
    for (ptrdiff_t n; (n = pl_recv(p->d.s[1], p->c, room, sizeof room)) > 0;)
        sum += (size_t)n;
    return sum;
}

void played_iface(struct played *p, const struct pl_iface_params *params)
{
    assert_int_equal(pl_iface_remove(p->d.s[1], 0), PL_OK);
    assert_int_equal(pl_iface_add(p->d.s[1], params), 0);
    for (unsigned v6 = 0; v6 < 2; v6++) {
        struct pl_endpoint e = duo_endpoint(1, v6, 0);
        assert_int_equal(pl_addr_add(p->d.s[1], 0, &e.addr, v6 ? 64 : 24), PL_OK);
    }
}

void played_icmp(struct played *p, uint8_t type, uint8_t code, uint32_t word, const uint8_t *quoted, size_t n)
{
    uint8_t message[8 + 576], frame[FORGE_BYTES_MAX];
    struct made m = {.version = p->ipv6 ? 6 : 4, .protocol = p->ipv6 ? 58 : 1, .payload = message};
    struct pl_addr from = duo_endpoint(0, p->ipv6, 0).addr, to = duo_endpoint(1, p->ipv6, 0).addr;
    size_t skip = p->ipv6 ? 0 : 12, l4;
    n = n < 576 ? n : 576;
    memcpy(m.from, from.b + skip, 16 - skip);
    memcpy(m.to, to.b + skip, 16 - skip);
    memset(message, 0, 8);
    message[0] = type, message[1] = code;
    for (unsigned i = 0; i < 4; i++)
        message[4 + i] = (uint8_t)(word >> (24 - 8 * i));
    memcpy(message + 8, quoted, n);
    m.payload_bytes = 8 + n;
    duo_give(&p->d, 1, frame, make_packet(&m, frame, &l4));
}
