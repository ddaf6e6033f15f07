/* SPDX-License-Identifier: MIT */
#include "rfc/peer.h"

bool peer_four = false, peer_six = true;

void peer_open(struct peer *p, void **state, const struct pl_config *config, uint8_t have)
{
    struct forged syn, ack;
    *p = (struct peer){.wnd = PEER_WND, .ts_val = 100};
    duo_init(&p->d, config, false);
    p->c = duo_connect(&p->d, 0, SIX(state), 80);
    assert_true(duo_take_segment(&p->d, 0, &syn));
    assert_int_equal(syn.flags, PL_SYN);
    p->iss = syn.seq;
    have = (uint8_t)(WIRE_OPT_MSS | (have & syn.opts.have));
    p->timestamps = have & WIRE_OPT_TIMESTAMPS;
    struct forged f = {.src = syn.dst, .dst = syn.src, .seq = PEER_ISS, .ack = syn.seq + 1, .wnd = PEER_WND, .flags = PL_SYN | PL_ACK,
                       .opts = {.have = have, .mss = PEER_MSS, .ts_val = p->ts_val, .ts_ecr = syn.opts.ts_val}};
    duo_give_segment(&p->d, 0, &f);
    assert_true(duo_take_segment(&p->d, 0, &ack));
    assert_int_equal(ack.flags, PL_ACK);
    assert_int_equal(peer_status(p).state, PL_ESTABLISHED);
    duo_drain_events(&p->d);
}

void peer_free(struct peer *p) { duo_free(&p->d); }

struct pl_tcp_status peer_status(const struct peer *p)
{
    struct pl_tcp_status s;
    assert_int_equal(pl_status(p->d.s[0], p->c, &s, sizeof s), PL_OK);
    return s;
}

struct forged peer_segment(const struct peer *p, uint8_t flags, int32_t seq_off, size_t text_bytes)
{
    struct pl_tcp_status s = peer_status(p);
    struct forged f = {.src = s.remote, .dst = s.local, .seq = s.rcv.nxt + (uint32_t)seq_off, .ack = s.snd.nxt, .wnd = p->wnd, .flags = flags,
                       .text_bytes = text_bytes};
    if (p->timestamps)
        f.opts = (struct wire_tcp_opts){.have = WIRE_OPT_TIMESTAMPS, .ts_val = p->ts_val};
    return f;
}

void peer_says(struct peer *p, const struct forged *f) { duo_give_segment(&p->d, 0, f); }

void peer_acks(struct peer *p, uint32_t ack)
{
    struct forged f = peer_segment(p, PL_ACK, 0, 0);
    f.ack = ack;
    peer_says(p, &f);
}

bool peer_hears(struct peer *p, struct forged *f) { return duo_take_segment(&p->d, 0, f); }

unsigned peer_hears_all(struct peer *p, struct forged *last)
{
    struct forged f;
    unsigned n = 0;
    while (peer_hears(p, &f)) {
        n++;
        if (last)
            *last = f;
    }
    return n;
}

void peer_waits(struct peer *p, pl_time by)
{
    pl_time stop = p->d.now + by;
    for (;;) {
        duo_drain_events(&p->d);
        pl_time next = pl_deadline(p->d.s[0]);
        if (next > stop || next <= p->d.now)
            break;
        p->d.now = next;
        pl_poll(p->d.s[0], p->d.now);
    }
    if (pl_deadline(p->d.s[0]) > p->d.now)
        p->d.now = stop;
    pl_poll(p->d.s[0], p->d.now);
}

void peer_waits_for_deadline(struct peer *p)
{
    struct forged f;
    assert_false(peer_hears(p, &f));
    duo_drain_events(&p->d);
    pl_time next = pl_deadline(p->d.s[0]);
    assert_true(next > p->d.now && next != PL_NEVER);
    p->d.now = next;
    pl_poll(p->d.s[0], p->d.now);
}

void peer_waits_to_hear(struct peer *p, struct forged *f)
{
    do
        peer_waits_for_deadline(p);
    while (!peer_hears(p, f));
}

uint64_t peer_drops(const struct peer *p, enum pl_drop drop)
{
    struct pl_counters c;
    assert_int_equal(pl_counters(p->d.s[0], &c, sizeof c), PL_OK);
    return c.drops[drop];
}
