/* SPDX-License-Identifier: MIT
 *
 * icmp4.c: types and codes of ICMP, and the quotation of the packet that caused an error.
 */
#include "internet/icmp4.h"
#include "base/bytes.h"

static void dropped(struct icmp_news *news, enum pl_drop drop)
{
    news->kind = ICMP_NOTHING;
    news->drop = drop;
}

/* RFC 1122 3.2.2.1 and 4.2.3.9: which of the codes say that nobody will answer. */
static int error_of(uint8_t code)
{
    switch (code) {
    case WIRE_ICMP4_PROTOCOL:
    case WIRE_ICMP4_PORT:
        return PL_ECONNREFUSED;
    case WIRE_ICMP4_NET:
    case WIRE_ICMP4_NET_UNKNOWN:
    case 11:                              /* net unreachable for the type of service */
        return PL_ENETUNREACH;
    default:
        return PL_EHOSTUNREACH;
    }
}

static void trouble(const uint8_t *bytes, uint32_t n, const struct wire_icmp *h, struct icmp_news *news)
{
    const uint8_t *quoted = bytes + WIRE_ICMP_BYTES;
    uint32_t quoted_n = n - WIRE_ICMP_BYTES;
    if (!wire_quote_read(quoted, quoted_n, &news->quote) || news->quote.version != 4 || !news->quote.has_seq) {
        dropped(news, PL_DROP_ICMP_QUOTE);
        return;
    }
    news->kind = ICMP_TROUBLE;
    news->error = PL_EHOSTUNREACH;
    if (h->type != WIRE_ICMP4_UNREACHABLE)
        return;                           /* time exceeded, parameter problem: soft, RFC 9293 3.9.2.2 */
    if (h->code == WIRE_ICMP4_FRAG_NEEDED) {
        news->kind = ICMP_TOO_BIG;
        news->error = PL_EMSGSIZE;
        news->mtu = wire_icmp4_mtu(h);
        news->quoted_bytes = get_be16(quoted + 2);
        return;
    }
    news->error = error_of(h->code);
    news->hard = true;
}

void icmp4_judge(const uint8_t *bytes, uint32_t n, struct icmp_news *news)
{
    *news = (struct icmp_news){.kind = ICMP_NOTHING};
    struct wire_icmp h;
    if (!wire_icmp_read(bytes, n, &h)) {
        news->drop = PL_DROP_ICMP_MALFORMED;
        return;
    }
    switch (h.type) {
    case WIRE_ICMP4_ECHO:
        news->kind = ICMP_ECHO;
        break;
    case WIRE_ICMP4_ECHO_REPLY:
        news->kind = ICMP_ECHO_REPLY;
        news->ident = wire_icmp_id(&h);
        break;
    case WIRE_ICMP4_UNREACHABLE:
    case WIRE_ICMP4_TIME_EXCEEDED:
    case WIRE_ICMP4_PARAMETER:
        trouble(bytes, n, &h, news);
        break;
    case WIRE_ICMP4_SOURCE_QUENCH:        /* RFC 9293 MUST-55, RFC 6633 */
        news->drop = PL_DROP_ICMP_SOURCE_QUENCH;
        break;
    default:                              /* redirects too: whoever can forge one would choose our next hop */
        news->drop = PL_DROP_ICMP_TYPE;
        break;
    }
}

bool icmp4_may_be_complained_of(uint8_t type) { return type == WIRE_ICMP4_ECHO || type == WIRE_ICMP4_ECHO_REPLY; }
