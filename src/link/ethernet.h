/* SPDX-License-Identifier: MIT
 *
 * ethernet.h: whom a frame is for, RFC 894 and RFC 1122 2.3.3.
 */
#ifndef LINK_ETHERNET_H
#define LINK_ETHERNET_H

#include <stdbool.h>
#include <stdint.h>

enum ethernet_for { ETHERNET_US, ETHERNET_BROADCAST, ETHERNET_GROUP, ETHERNET_OTHERS };

extern const uint8_t ethernet_broadcast[6];

enum ethernet_for ethernet_for(const uint8_t dst[6], const uint8_t ours[6]);
/* Can it be one station's address? Not a group, not all zero. */
bool ethernet_is_station(const uint8_t addr[6]);

#endif
