/* SPDX-License-Identifier: MIT */
#include "support/duo.h"

#include <stdlib.h>
#include <string.h>

#include "base/seq.h"
#include "support/unit.h"

static const uint8_t macs[2][6] = {{2, 0, 0, 0, 0, 1}, {2, 0, 0, 0, 0, 2}};

struct pl_config duo_config(void)
{
    struct pl_config c;
    pl_config_small(&c, sizeof c);
    c.timestamps = false;
    c.check = true;
    c.mem_is_zero = true;
    memset(c.seed, 7, sizeof c.seed);
    return c;
}

void duo_init(struct duo *d, const struct pl_config *config, bool ethernet)
{
    struct pl_config c = config ? *config : duo_config();
    *d = (struct duo){.now = 1000 * PL_S};
    for (unsigned h = 0; h < 2; h++) {
        struct pl_iface_params params = {.mtu = 1500, .link = ethernet ? PL_LINK_ETHERNET : PL_LINK_IP};
        memcpy(params.mac, macs[h], 6);
        d->s[h] = block_new(&c, &d->env[h], d->now);
        assert_int_equal(pl_iface_add(d->s[h], &params), 0);
        for (unsigned v6 = 0; v6 < 2; v6++) {
            struct pl_endpoint e = duo_endpoint(h, v6, 0);
            assert_int_equal(pl_addr_add(d->s[h], 0, &e.addr, v6 ? 64 : 24), PL_OK);
        }
    }
}

void duo_free(struct duo *d)
{
    block_free(d->s[0]);
    block_free(d->s[1]);
    *d = (struct duo){.now = 0};
}

struct pl_endpoint duo_endpoint(unsigned host, bool ipv6, uint16_t port)
{
    static const char *const text[2][2] = {{"192.0.2.1", "2001:db8::1"}, {"192.0.2.2", "2001:db8::2"}};
    return forge_endpoint(text[host][ipv6], port);
}

pl_listener duo_listen(struct duo *d, unsigned host, uint16_t port, uint32_t backlog)
{
    struct pl_listen_params p = {.local = {.port = port}, .backlog = backlog};
    pl_listener l = 0;
    assert_int_equal(pl_listen(d->s[host], &p, &l), PL_OK);
    return l;
}

pl_conn duo_connect(struct duo *d, unsigned from, bool ipv6, uint16_t port)
{
    struct pl_connect_params p = {.remote = duo_endpoint(1 - from, ipv6, port)};
    pl_conn c = 0;
    assert_int_equal(pl_connect(d->s[from], &p, &c), PL_OK);
    return c;
}

void duo_open(struct duo *d, bool ipv6, uint16_t port, pl_conn both[2])
{
    pl_listener l = duo_listen(d, 1, port, 0);
    both[0] = duo_connect(d, 0, ipv6, port);
    duo_exchange(d);
    assert_int_equal(pl_accept(d->s[1], l, &both[1], NULL), PL_OK);
    assert_int_equal(pl_close(d->s[1], l), PL_OK);
    duo_drain_events(d);
}

size_t duo_take(struct duo *d, unsigned host, uint8_t frame[DUO_FRAME_BYTES])
{
    uint8_t room[PL_HEADER_BYTES_MAX];
    struct pl_frame f;
    size_t n = 0;
    memset(&f, 0, sizeof f);
    f.span[0] = (struct pl_span){room, sizeof room};
    int got = pl_tx(d->s[host], 0, &f, 1, d->now);
    assert_in_range(got, 0, 1);
    for (unsigned i = 0; got && i < f.nspans; i++) {
        assert_true(n + f.span[i].len <= DUO_FRAME_BYTES);
        memcpy(frame + n, f.span[i].base, f.span[i].len);
        n += f.span[i].len;
    }
    d->frames[host] += n != 0;
    return n;
}

void duo_give(struct duo *d, unsigned host, const uint8_t *frame, size_t bytes)
{
    struct pl_frame f;
    memset(&f, 0, sizeof f);
    f.span[0] = (struct pl_span){(void *)(uintptr_t)frame, bytes};
    f.nspans = 1;
    assert_int_equal(pl_rx(d->s[host], 0, &f, 1, d->now), PL_OK);
}

bool duo_take_segment(struct duo *d, unsigned host, struct forged *f)
{
    uint8_t frame[DUO_FRAME_BYTES];
    for (size_t n; (n = duo_take(d, host, frame)) != 0;)
        if (forge_read(frame, n, f)) {
            f->text = NULL;
            return true;
        }
    return false;
}

void duo_give_segment(struct duo *d, unsigned host, const struct forged *f)
{
    uint8_t frame[FORGE_BYTES_MAX];
    duo_give(d, host, frame, forge_tcp(frame, f));
}

void right_edge_stays(struct right_edge *e, const struct pl_tcp_status *st, const struct forged *f)
{
    uint32_t edge = st->rcv.nxt + st->rcv.wnd, told = f->ack + ((uint32_t)f->wnd << st->rcv_wscale);
    if (e->open) {
        assert_true(seq_ge(edge, e->edge));
        assert_true(seq_gt(told + (1u << st->rcv_wscale), e->told));
    }
    assert_true(seq_ge(edge, told));
    e->edge = edge;
    e->told = e->open && seq_gt(e->told, told) ? e->told : told;
    e->open = true;
}

void duo_exchange(struct duo *d)
{
    uint8_t frame[DUO_FRAME_BYTES];
    pl_poll(d->s[0], d->now);
    pl_poll(d->s[1], d->now);
    for (unsigned quiet = 0, host = 0, n = 0; quiet < 2; host = 1 - host) {
        size_t bytes = duo_take(d, host, frame);
        quiet = bytes ? 0 : quiet + 1;
        if (bytes && !d->cut[host])
            duo_give(d, 1 - host, frame, bytes);
        assert_true(++n < 100000);
    }
}

void duo_run(struct duo *d, pl_time by)
{
    pl_time stop = d->now + by;
    for (unsigned n = 0; n < 1000000; n++) {
        duo_exchange(d);
        duo_drain_events(d);
        pl_time a = pl_deadline(d->s[0]), b = pl_deadline(d->s[1]), next = a < b ? a : b;
        if (next > stop)
            break;
        d->now = next > d->now ? next : d->now + 1;
    }
    d->now = stop;
    duo_exchange(d);
    duo_drain_events(d);
}

void duo_drain_events(struct duo *d)
{
    struct pl_event e;
    for (unsigned h = 0; h < 2; h++)
        while (pl_event_next(d->s[h], &e)) {
        }
}

uint32_t duo_events(struct duo *d, unsigned host, pl_handle h)
{
    struct pl_event e;
    uint32_t bits = 0;
    while (pl_event_next(d->s[host], &e))
        bits |= e.handle == h ? e.bits : 0;
    return bits;
}
