/* SPDX-License-Identifier: MIT
 *
 * icmp6.c: types and codes of ICMPv6, and the quotation of the packet that caused an error.
 */
#include "internet/icmp6.h"
#include "wire/icmp6_hdr.h"

enum { CODE_NEXT_HEADER = 1 };            /* of a Parameter Problem: unrecognized Next Header */

static void trouble(const uint8_t *bytes, uint32_t n, const struct wire_icmp *h, struct icmp_news *news)
{
    if (!wire_quote_read(bytes + WIRE_ICMP_BYTES, n - WIRE_ICMP_BYTES, &news->quote) || news->quote.version != 6 || !news->quote.has_seq) {
        news->drop = PL_DROP_ICMP_QUOTE;
        return;
    }
    news->kind = ICMP_TROUBLE;
    news->error = PL_EHOSTUNREACH;
    if (h->type == WIRE_ICMP6_TOO_BIG) {
        news->kind = ICMP_TOO_BIG;
        news->error = PL_EMSGSIZE;
        news->mtu = h->word;
    } else if (h->type == WIRE_ICMP6_UNREACHABLE) {
        news->hard = true;
        if (h->code == WIRE_ICMP6_PORT)
            news->error = PL_ECONNREFUSED;
        else if (h->code == WIRE_ICMP6_NO_ROUTE)
            news->error = PL_ENETUNREACH;
    } else if (h->type == WIRE_ICMP6_PARAMETER && h->code == CODE_NEXT_HEADER) {
        news->hard = true;                /* RFC 4443 3.4: what IPv4 calls protocol unreachable */
        news->error = PL_ECONNREFUSED;
    }
}

void icmp6_judge(const uint8_t *bytes, uint32_t n, struct icmp_news *news)
{
    *news = (struct icmp_news){.kind = ICMP_NOTHING};
    struct wire_icmp h;
    if (!wire_icmp_read(bytes, n, &h)) {
        news->drop = PL_DROP_ICMP_MALFORMED;
        return;
    }
    switch (h.type) {
    case WIRE_ICMP6_ECHO:
        news->kind = ICMP_ECHO;
        break;
    case WIRE_ICMP6_ECHO_REPLY:
        news->kind = ICMP_ECHO_REPLY;
        news->ident = wire_icmp_id(&h);
        break;
    case WIRE_ICMP6_UNREACHABLE:
    case WIRE_ICMP6_TOO_BIG:
    case WIRE_ICMP6_TIME_EXCEEDED:
    case WIRE_ICMP6_PARAMETER:
        trouble(bytes, n, &h, news);
        break;
    case WIRE_ICMP6_NEIGHBOR_SOLICIT:
    case WIRE_ICMP6_NEIGHBOR_ADVERT:
        news->kind = ICMP_ND;
        break;
    default:
        news->drop = PL_DROP_ICMP_TYPE;
        break;
    }
}
