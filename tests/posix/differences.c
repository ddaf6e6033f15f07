/* SPDX-License-Identifier: MIT */
#include "differences.h"

#include <stddef.h>

const struct difference differences[] = {
    {"options: TCP_SYNCNT", "get TCP_SYNCNT = 6, 4 bytes", "get TCP_SYNCNT = 7, 4 bytes"},
    {"options: TCP_SYNCNT", "set TCP_SYNCNT 3 = 0", "set TCP_SYNCNT 3 = ENOPROTOOPT"},
    {"options: TCP_SYNCNT", "get TCP_SYNCNT = 3, 4 bytes", "get TCP_SYNCNT = 7, 4 bytes"},
    {"options: SO_REUSEPORT", "set SO_REUSEPORT 1 = 0", "set SO_REUSEPORT 1 = ENOPROTOOPT"},
    {"options: TCP_DEFER_ACCEPT", "set TCP_DEFER_ACCEPT 5 = 0", "set TCP_DEFER_ACCEPT 5 = ENOPROTOOPT"},
    {"options: TCP_MAXSEG", "set TCP_MAXSEG 1000 = 0", "set TCP_MAXSEG 1000 = ENOPROTOOPT"},
    {"options: TCP_MAXSEG", "get TCP_MAXSEG = 1000, 4 bytes", "get TCP_MAXSEG = 536, 4 bytes"},
    {"options: TCP_MAXSEG", "set TCP_MAXSEG 10 = EINVAL", "set TCP_MAXSEG 10 = ENOPROTOOPT"},
    {"options: TCP_MAXSEG", "set TCP_MAXSEG 40000 = EINVAL", "set TCP_MAXSEG 40000 = ENOPROTOOPT"},
    {"datagrams: to everybody, without a route", "sendto = ENETUNREACH", "sendto = EACCES"},
    {"datagrams: larger than the MTU", "3000 bytes = 3000", "3000 bytes = EMSGSIZE"},
    {"datagrams: two who reuse", "bind = 0", "bind = EADDRINUSE"},
    {NULL, NULL, NULL},
};
