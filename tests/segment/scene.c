/* SPDX-License-Identifier: MIT */
#include "segment/scene.h"

#include "support/unit.h"

enum { RCVBUF = 1024, NOBODYS_PORT = 81, OLD_WND = 65535, NEW_WND = 60000 };

static bool is(const struct scene *s, const char *state)
{
    size_t n = strlen(state);
    return strncmp(s->is.state, state, n) == 0 && (s->is.state[n] == '\0' || s->is.state[n] == '/');
}

static void put_text(struct forged *f, size_t n)
{
    static uint8_t text[FORGE_BYTES_MAX];
    assert_true(n <= sizeof text);
    for (size_t i = 0; i < n; i++)
        text[i] = scene_byte(f->seq + (f->flags & PL_SYN ? 1 : 0) + (uint32_t)i);
    f->text = text;
    f->text_bytes = n;
}

static void says(struct scene *s, uint8_t flags, uint32_t ack, size_t text_bytes)
{
    struct forged f = peer_segment(&s->peer, flags);
    f.ack = ack;
    put_text(&f, text_bytes);
    s->peer.seq += (uint32_t)text_bytes + (flags & PL_FIN ? 1 : 0);
    assert_int_equal(victim_give(&s->v, &f), PL_DROP_NONE);
}

static void peer_has_all(struct scene *s)
{
    says(s, PL_ACK, s->peer.ack, 0);
    s->snd.una = s->peer.ack;
}

/* 10 bytes of ours that are acknowledged, 20 of the peer's that are read, and 5 of ours that are under way. */
static void talk(struct scene *s)
{
    uint8_t bytes[20];
    assert_int_equal(pl_send(s->v.s, s->peer.c, "0123456789", 10), 10);
    peer_hears(&s->peer, PL_ACK | PL_PSH, 10, PL_WHY_DATA_NEW);
    s->snd.una = s->peer.ack;
    says(s, PL_ACK | PL_PSH, s->snd.una, 20);
    peer_hears(&s->peer, PL_ACK, 0, PL_WHY_ACK_NOW);
    assert_int_equal(pl_recv(s->v.s, s->peer.c, bytes, 20), 20);
    assert_int_equal(pl_send(s->v.s, s->peer.c, "abcde", 5), 5);
    peer_hears(&s->peer, PL_ACK | PL_PSH, 5, PL_WHY_DATA_NEW);
}

/* Text that nobody reads, up to `but` bytes less than the window. */
static void fill(struct scene *s, uint32_t but)
{
    s->unread_seq = s->peer.seq;
    s->unread = peer_status(&s->peer).rcv.wnd - but;
    says(s, PL_ACK | PL_PSH, s->snd.una, s->unread);
    peer_hears(&s->peer, PL_ACK, 0, PL_WHY_ACK_NOW);
}

static void we_finish(struct scene *s)
{
    if (s->orphan && !is(s, "TIME-WAIT"))
        assert_int_equal(pl_close(s->v.s, s->peer.c), PL_OK);
    else
        assert_int_equal(pl_finish(s->v.s, s->peer.c), PL_OK);
    peer_hears(&s->peer, PL_FIN | PL_ACK, 0, PL_WHY_FIN_CLOSE);
}

static void peer_finishes(struct scene *s)
{
    says(s, PL_FIN | PL_ACK, s->snd.una, 0);
    peer_hears(&s->peer, PL_ACK, 0, PL_WHY_ACK_FIN);
}

static void synchronised(struct scene *s)
{
    bool heard = is(s, "CLOSE-WAIT") || is(s, "LAST-ACK") || is(s, "CLOSING") || is(s, "TIME-WAIT");
    s->snd.una = s->peer.ack;
    talk(s);
    if (is(s, "ESTABLISHED/quiet") || is(s, "CLOSING"))
        peer_has_all(s);
    if (s->is.closed)
        fill(s, heard ? 1 : 0);           /* the FIN takes the last place */
    if (is(s, "ESTABLISHED/gap")) {
        s->peer.seq += 20;
        says(s, PL_ACK | PL_PSH, s->snd.una, 10);
        s->peer.seq -= 30;
        peer_hears(&s->peer, PL_ACK, 0, PL_WHY_ACK_OUT_OF_ORDER);
    }
    if (is(s, "CLOSE-WAIT") || is(s, "LAST-ACK"))
        peer_finishes(s);
    if (is(s, "FIN-WAIT-1") || is(s, "FIN-WAIT-2") || is(s, "CLOSING") || is(s, "LAST-ACK") || is(s, "TIME-WAIT"))
        we_finish(s);
    if (is(s, "FIN-WAIT-2") || is(s, "TIME-WAIT"))
        peer_has_all(s);
    if (is(s, "CLOSING") || is(s, "TIME-WAIT"))
        peer_finishes(s);
    if (!is(s, "TIME-WAIT"))
        return;
    if (s->orphan)
        assert_int_equal(pl_close(s->v.s, s->peer.c), PL_OK);
    victim_wait(&s->v, PL_S);             /* so that a 2 MSL that begins anew can be told from the old one */
}

static struct peer_wish wish(const struct scene *s)
{
    struct peer_wish w = {.iss = s->is.irs, .victim_iss = s->is.iss, .fix_iss = true, .iss_given = true, .wnd = OLD_WND};
    if (s->agreed)
        w.opts = (struct wire_tcp_opts){.have = WIRE_OPT_TIMESTAMPS, .ts_val = s->is.ts};
    return w;
}

/* The SYN of a new connection meets the TIME-WAIT of an old one: all numbers are new from here on. */
static void reopen(struct scene *s)
{
    struct forged f, syn_ack;
    s->peer.c = 0;
    s->orphan = false;
    s->is.irs = s->peer.seq;
    s->is.ts += s->agreed;
    f = peer_segment(&s->peer, PL_SYN);
    f.opts.ts_val = s->peer.ts_val = s->is.ts;
    assert_int_equal(victim_give(&s->v, &f), PL_DROP_NONE);
    assert_true(victim_take(&s->v, &syn_ack));
    assert_int_equal(syn_ack.flags, PL_SYN | PL_ACK);
    s->peer.seq++;
    s->is.iss = syn_ack.seq;
    s->peer.ack = syn_ack.seq + 1;
    s->peer.ts_ecr = syn_ack.opts.ts_val;
}

static void reach(struct scene *s)
{
    struct peer_wish w = wish(s), *wished = &w;
    if (is(s, "CLOSED") || is(s, "LISTEN")) {
        s->peer = (struct peer){.v = &s->v, .at = victim_stranger(s->is.v6, 0, 40000),
                                .victim = victim_endpoint(s->is.v6, s->listens ? VICTIM_PORT : NOBODYS_PORT), .seq = s->is.irs,
                                .irs = s->is.iss, .ack = s->is.iss + 1, .ts = s->agreed, .ts_val = s->is.ts};
        if (s->listens)
            assert_int_equal(pl_set(s->v.s, s->v.listener, PL_OPT_ISN, s->is.iss), PL_OK);
    } else if (is(s, "SYN-RECEIVED/reopened")) {
        s->is.state = "TIME-WAIT/listener";
        s->peer = peer_connects(&s->v, s->is.v6, wished);
        synchronised(s);
        reopen(s);
        s->is.state = "SYN-RECEIVED/reopened";
    } else if (is(s, "SYN-RECEIVED/passive")) {
        s->peer = peer_half_open(&s->v, s->is.v6, wished);
    } else if (is(s, "SYN-SENT") || is(s, "SYN-RECEIVED")) {
        struct forged f, syn;
        s->peer = peer_called(&s->v, s->is.v6, wished);
        s->peer.seq = s->is.irs;
        if (is(s, "SYN-SENT"))
            return;
        f = peer_segment(&s->peer, PL_SYN);
        f.opts = w.opts;
        if (is(s, "SYN-RECEIVED/text")) {
            s->unread = s->is.closed ? RCVBUF : 10;
            s->unread_seq = s->is.irs + 1;
            put_text(&f, s->unread);
        }
        assert_int_equal(victim_give(&s->v, &f), PL_DROP_NONE);
        assert_true(victim_take(&s->v, &syn));
        s->peer.seq += 1 + s->unread;
    } else {
        s->peer = s->listens || is(s, "ESTABLISHED/quiet") ? peer_connects(&s->v, s->is.v6, wished) : peer_accepts(&s->v, s->is.v6, wished);
        synchronised(s);
    }
}

/* What the segments' numbers are made from. */
static void note(struct scene *s)
{
    const struct tcp *c = scene_conn(s);
    s->snd.nxt = s->peer.ack;
    s->rcv.nxt = s->peer.seq;
    s->snd.max_wnd = OLD_WND;
    s->rcv.wnd = RCVBUF;
    if (scene_entry(s) && !is(s, "SYN-RECEIVED"))
        s->rcv.wnd = scene_entry(s)->rcv_wnd;
    else if (c && c->state != PL_SYN_SENT)
        s->rcv.wnd = c->rcv.wnd;
    if (c && tcp_synchronised(c)) {
        s->snd.wnd = c->snd.wnd, s->snd.wl1 = c->snd.wl1, s->snd.wl2 = c->snd.wl2;
        assert_int_equal(c->rcv.nxt, s->rcv.nxt);
        assert_int_equal(c->snd.nxt, s->snd.nxt);
        assert_int_equal(c->snd.una, s->snd.una);
        assert_int_equal(c->snd.max_wnd, s->snd.max_wnd);
    } else {
        s->snd.una = s->is.iss;
    }
    if (is(s, "TIME-WAIT"))
        s->snd.una = s->snd.nxt;
    assert_true(s->is.closed ? s->rcv.wnd == 0 : s->rcv.wnd > 20);
}

void scene_make(struct scene *s, const struct scene_params *p)
{
    struct pl_config c = victim_config();
    *s = (struct scene){.is = *p, .agreed = p->stamps >= STAMPS_NEWER};
    c.timestamps = p->stamps >= STAMPS_LATE;
    c.rcvbuf_bytes = RCVBUF;
    c.connections_max = c.half_open_max = c.time_wait_max = c.flights_max = c.gaps_max = c.backlog_default = 2;
    c.chunks_max = 40;
    c.records_max = 64;
    s->orphan = strstr(p->state, "/orphan") || is(s, "TIME-WAIT/listener");
    bool reopened = is(s, "SYN-RECEIVED/reopened");
    s->orphan |= reopened;
    s->listens = is(s, "LISTEN") || is(s, "SYN-RECEIVED/passive") || is(s, "TIME-WAIT/listener") || reopened;
    victim_make(&s->v, &c);
    reach(s);
    if (is(s, "TIME-WAIT"))
        s->entry = !(s->twin = is(s, "TIME-WAIT/full"));
    (void)victim_events(&s->v, 0);
    victim_silent(&s->v);
    note(s);
    s->saved = malloc(s->v.s->bytes);
    assert_non_null(s->saved);
    memcpy(s->saved, s->v.s, s->v.s->bytes);
}

void scene_again(struct scene *s) { memcpy(s->v.s, s->saved, s->v.s->bytes); }

void scene_free(struct scene *s)
{
    free(s->saved);
    victim_free(&s->v);
}

/* A sum like R+W-5. */
static uint32_t value(const struct scene *s, const char *sum)
{
    uint32_t total = 0, term, half = s->snd.una + (s->snd.nxt - s->snd.una) / 2;
    while (*sum) {
        bool minus = *sum == '-';
        sum += *sum == '-' || *sum == '+';
        switch (*sum) {
        case 'R': term = s->rcv.nxt, sum++; break;
        case 'W': term = s->rcv.wnd, sum++; break;
        case 'I': term = s->is.irs, sum++; break;
        case 'U': term = s->snd.una, sum++; break;
        case 'N': term = s->snd.nxt, sum++; break;
        case 'P': term = half, sum++; break;
        case 'M': term = s->snd.max_wnd, sum++; break;
        case 'H': term = 0x80000000, sum++; break;
        default: {
            char *end;
            term = (uint32_t)strtoul(sum, &end, 10);
            assert_true(end != sum);
            sum = end;
        }
        }
        total += minus ? -term : term;
    }
    return total;
}

struct forged scene_segment(const struct scene *s, const struct table_kind *k)
{
    static const int32_t stamp[STAMPS] = {[STAMPS_UNASKED] = 1, [STAMPS_LATE] = 1, [STAMPS_NEWER] = 1, [STAMPS_EQUAL] = 0, [STAMPS_OLD] = -1};
    struct forged f = {.src = s->peer.at, .dst = s->peer.victim, .seq = value(s, k->seq), .flags = k->flags, .wnd = NEW_WND, .up = k->up};
    put_text(&f, value(s, k->text));
    f.ack = strcmp(k->ack, "-") == 0 ? 0 : value(s, k->ack);
    if (s->is.stamps != STAMPS_NONE && s->is.stamps != STAMPS_MISSING)
        f.opts = (struct wire_tcp_opts){.have = WIRE_OPT_TIMESTAMPS, .ts_val = s->is.ts + (uint32_t)stamp[s->is.stamps], .ts_ecr = s->peer.ts_ecr};
    return f;
}

/* ------------------------------------------------------------ inside ------------------------------------------------------------ */

static const void *only(const struct slots *pool)
{
    uint32_t slot = slots_next(pool, 0);
    return slot ? slots_at(pool, slot) : NULL;
}

const struct tcp *scene_conn(const struct scene *s) { return only(&s->v.s->pools.conns); }
const struct half_open *scene_half_open(const struct scene *s) { return only(&s->v.s->half_opens); }
struct time_wait *scene_entry(const struct scene *s) { return (struct time_wait *)(uintptr_t)only(&s->v.s->time_waits); }

uint32_t scene_held(const struct scene *s)
{
    struct tcp_ctx x = stack_tcp_ctx(s->v.s);
    const struct tcp *c = scene_conn(s);
    const struct ranges *gaps = c && c->gaps ? tcp_gaps(&x, c) : NULL;
    uint32_t sum = 0;
    for (uint32_t i = 0; gaps && i < gaps->count; i++)
        sum += gaps->at[i].hi - gaps->at[i].lo;
    return sum;
}
