/* SPDX-License-Identifier: MIT */
#include "transport/tcp/models/options.h"

static uint32_t fixed_headers(bool ipv6) { return (ipv6 ? 40u : 20u) + 20u; }

void options_agree(struct tcp_options *o, const struct wire_tcp_opts *peer, const struct tcp_options_wish *wish, bool ipv6)
{
    /* RFC 9293 3.7.1, MUST-15: no option means the default. A tiny value is raised only where it is used (threats V31). */
    o->peer_mss = peer->have & WIRE_OPT_MSS ? peer->mss : ipv6 ? TCP_MSS_DEFAULT_IPV6 : TCP_MSS_DEFAULT_IPV4;
    /* RFC 7323 2.2-b, 2.3-c: scaling is on only if both sent the option. RFC 7323 2.3-f: more than 14 counts as 14. */
    o->wscale_ok = wish->wscale && (peer->have & WIRE_OPT_WSCALE);
    o->snd_wscale = o->wscale_ok ? (peer->wscale > 14 ? 14 : peer->wscale) : 0;
    o->rcv_wscale = o->wscale_ok ? wish->rcv_wscale : 0;
    o->ts_ok = wish->timestamps && (peer->have & WIRE_OPT_TIMESTAMPS);       /* RFC 7323 3.2-f */
    o->sack_ok = wish->sack && (peer->have & WIRE_OPT_SACK_PERMITTED);       /* RFC 2018 2 */
}

void options_set_mss(struct tcp_options *o, uint32_t mtu, bool ipv6)
{
    uint32_t mss = mtu > fixed_headers(ipv6) ? mtu - fixed_headers(ipv6) : TCP_MSS_FLOOR;
    if (o->peer_mss < mss)
        mss = o->peer_mss;
    if (o->mss_max && o->mss_max < mss)
        mss = o->mss_max;
    if (o->ts_ok)
        mss = mss > 12 ? mss - 12 : 0;
    o->mss = (uint16_t)(mss < TCP_MSS_FLOOR ? TCP_MSS_FLOOR : mss);
}

uint16_t options_mss_to_announce(uint32_t mtu, bool ipv6)
{
    uint32_t mss = mtu - fixed_headers(ipv6);
    return (uint16_t)(mss < 65535 ? mss : 65535);
}
