/* SPDX-License-Identifier: MIT
 *
 * tcp_cookie.c: a listener without room for another half-open entry: SYN cookies, RFC 4987 3.6. What is in a cookie: models/syncookie.h.
 *
 * Cookies are believed only for two periods after the last one was sent: nobody can try out acknowledgements on a listener that is not under load.
 */
#include "stack/net.h"
#include "transport/tcp/models/syncookie.h"
#include "wire/tcp_opts.h"

/* The scale is the config's, whatever the listener's buffer: a cookie does not remember what was told. */
static struct tcp_options_wish wish(const pl_stack *s)
{
    uint32_t first = s->config.rcvbuf_bytes, max = s->config.rcvbuf_max;
    return (struct tcp_options_wish){.wscale = s->config.window_scaling, .timestamps = s->config.timestamps, .sack = s->config.sack,
                                     .rcv_wscale = window_scale_for(first < max ? max : first)};
}

void cookie_send(pl_stack *s, int iface, const struct listener *l, const struct flow *key, const struct tcp_seg *seg)
{
    struct tcp_tuple t = tcp_tuple(key);
    struct tcp_options_wish w = wish(s);
    struct tcp_options o = {0};
    uint32_t ts_val = 0;
    options_agree(&o, &seg->opts, &w, tcp_ipv6(key));
    if (o.ts_ok)                          /* what is not in the timestamp cannot be remembered */
        ts_val = syncookie_clock(timestamps_clock(isn_timestamp_offset(&s->secrets.tcp, &t), s->now - s->shifted), &o);
    else
        o.wscale_ok = o.sack_ok = false;
    uint32_t iss = syncookie_make(&s->secrets.tcp.cookies, &t, seg->seq, &o, ts_val, s->now - s->shifted);
    uint8_t opts = (uint8_t)(WIRE_OPT_MSS | (o.wscale_ok ? WIRE_OPT_WSCALE : 0) | (o.sack_ok ? WIRE_OPT_SACK_PERMITTED : 0) | (o.ts_ok ? WIRE_OPT_TIMESTAMPS : 0));
    uint32_t room = l->like.rcvbuf_bytes;
    struct owed_tcp answer = {.flow = *key, .seq = iss, .ack = seg->seq + 1, .flags = PL_SYN | PL_ACK, .why = PL_WHY_SYN_ACK_COOKIE,
                              .tos = l->like.tos, .hop_limit = l->like.hop_limit, .wnd = (uint16_t)(room < 65535 ? room : 65535),
                              .opts = opts, .wscale = w.rcv_wscale, .ts_val = ts_val, .ts_ecr = seg->opts.ts_val};
    owed_tcp(s, iface, &answer);
    s->cookies_until = s->now + 2 * SYNCOOKIE_PERIOD;
}

bool cookie_accepts(pl_stack *s, const struct listener *l, const struct flow *key, const struct tcp_seg *seg, struct tcp_ctx *x, struct tcp *c)
{
    struct tcp_tuple t = tcp_tuple(key);
    struct tcp_options o;
    bool has_ts = s->config.timestamps && (seg->opts.have & WIRE_OPT_TIMESTAMPS);
    uint32_t irs = seg->seq - 1, iss = seg->ack - 1;
    if (s->now >= s->cookies_until || (seg->flags & (PL_SYN | PL_RST | PL_ACK)) != PL_ACK ||
        !syncookie_check(&s->secrets.tcp.cookies, &t, irs, iss, has_ts, seg->opts.ts_ecr, s->now - s->shifted, &o) || !scratch_init(s, x, key, &l->like, c))
        return false;
    /* as half_open_thaw would make it */
    struct half_open h = {.iss = iss, .irs = irs, .peer_mss = o.peer_mss, .snd_wnd = seg->wnd_raw, .snd_wscale = o.snd_wscale & 15,
                          .rcv_wscale = o.wscale_ok ? wish(s).rcv_wscale & 15 : 0, .ts_recent = seg->opts.ts_val,
                          .flags = (uint8_t)((o.wscale_ok ? HALF_WSCALE : 0) | (o.ts_ok ? HALF_TS : 0) | (o.sack_ok ? HALF_SACK : 0))};
    c->ts.offset = tcp_timestamp_offset(x, key);
    half_open_thaw(x, &h, c);
    return true;
}
