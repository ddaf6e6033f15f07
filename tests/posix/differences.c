/* SPDX-License-Identifier: MIT */
#include "differences.h"

#include <stddef.h>

const struct difference differences[] = {
    {"options: TCP_SYNCNT", "get TCP_SYNCNT = 6, 4 bytes", "get TCP_SYNCNT = 7, 4 bytes"},
    {"options: SO_REUSEPORT", "set SO_REUSEPORT 1 = 0", "set SO_REUSEPORT 1 = ENOPROTOOPT"},
    {"options: TCP_DEFER_ACCEPT", "set TCP_DEFER_ACCEPT 5 = 0", "set TCP_DEFER_ACCEPT 5 = ENOPROTOOPT"},
    {"opening: link-local addresses need a scope", "sendto without scope = 1", "sendto without scope = EINVAL"},
    {"datagrams: to everybody, without a route", "sendto = ENETUNREACH", "sendto = EACCES"},
    {"datagrams: larger than the MTU", "3000 bytes = 3000", "3000 bytes = EMSGSIZE"},
    {"datagrams: two who reuse", "bind = 0", "bind = EADDRINUSE"},
    {NULL, NULL, NULL},
};
