/* SPDX-License-Identifier: MIT
 *
 * random.c: see random.h.
 */
#include "os/host/random.h"

#include <errno.h>
#include <stdint.h>
#include <sys/random.h>

bool host_random(void *bytes, size_t n)
{
    uint8_t *at = bytes;
    while (n > 0) {
        ssize_t got = getrandom(at, n, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;
        at += got;
        n -= (size_t)got;
    }
    return true;
}
