/* SPDX-License-Identifier: MIT
 *
 * ethernet.c: whom a frame is for. A device in promiscuous mode, or a hub, shows us the frames of others too.
 */
#include "link/ethernet.h"
#include <string.h>
#include "wire/eth_hdr.h"

const uint8_t ethernet_broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

enum ethernet_for ethernet_for(const uint8_t dst[6], const uint8_t ours[6])
{
    if (memcmp(dst, ours, 6) == 0)
        return ETHERNET_US;
    if (!wire_eth_is_group(dst))
        return ETHERNET_OTHERS;
    return memcmp(dst, ethernet_broadcast, 6) == 0 ? ETHERNET_BROADCAST : ETHERNET_GROUP;
}

bool ethernet_is_station(const uint8_t addr[6])
{
    static const uint8_t zero[6] = {0};
    return !wire_eth_is_group(addr) && memcmp(addr, zero, 6) != 0;
}
