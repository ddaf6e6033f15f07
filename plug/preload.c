/* SPDX-License-Identifier: MIT
 *
 * preload.c: packetdrill makes some calls itself, not through the interface. When this object is also preloaded (LD_PRELOAD), they come here: what
 * concerns a descriptor of the plug is answered by it, everything else by the system.
 *
 *   getsockopt   TCP_INFO, TCP_CC_INFO, SO_MEMINFO for the code between %{ and }%
 *   close        of descriptors that a script left open
 *   system       shell lines of a script: settings; anything else is refused with a message
 *   times        it waits for clock ticks at its start, to be in step with the kernel's: virtual time has no ticks
 *   mlockall     it wants never to be paged out: virtual time does not mind
 */
#include "plug/plug.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/times.h>

#define PRELOADED __attribute__((visibility("default")))

enum { MEMINFO = 55, MEMINFO_VARS = 9 };  /* SO_MEMINFO, and what it gives: numbers of bytes that the kernel's sockets hold */

/* parley accounts memory by chunk, in one pool: per socket there is what is in its buffers. */
static int memory_info(struct plug *p, int fd, void *value, socklen_t *bytes)
{
    uint32_t v[MEMINFO_VARS] = {0};
    int n;
    socklen_t size = sizeof n;
    if (plug_getsockopt(p, fd, SOL_SOCKET, SO_RCVBUF, &n, &size) == 0)
        v[1] = (uint32_t)n;
    size = sizeof n;
    if (plug_getsockopt(p, fd, SOL_SOCKET, SO_SNDBUF, &n, &size) == 0)
        v[3] = (uint32_t)n;
    *bytes = *bytes < sizeof v ? *bytes : sizeof v;
    memcpy(value, v, *bytes);
    return 0;
}

PRELOADED int getsockopt(int fd, int level, int name, void *restrict value, socklen_t *restrict bytes)
{
    struct plug *p = plug_last;
    if (!plug_has(p, fd))
        return (int)syscall(SYS_getsockopt, fd, level, name, value, bytes);
    if (level == SOL_SOCKET && name == MEMINFO && value && bytes)
        return memory_info(p, fd, value, bytes);
    return plug_getsockopt(p, fd, level, name, value, bytes);
}

PRELOADED int close(int fd)
{
    struct plug *p = plug_last;
    return plug_has(p, fd) ? plug_close(p, fd) : (int)syscall(SYS_close, fd);
}

PRELOADED int system(const char *line)
{
    char error[300];
    struct plug *p = plug_last;
    if (!line)
        return 1;
    if (!p) {
        fprintf(stderr, "parley: \"%s\": the plug is not loaded\n", line);
        return 1 << 8;
    }
    pthread_mutex_lock(&p->lock);
    struct drill_config config = p->config;
    bool good = drill_shell(&config, line, error, sizeof error);
    if (good && p->node.stack && memcmp(&config, &p->config, sizeof config) != 0) {
        snprintf(error, sizeof error, "\"%s\": settings are made before the first packet or call: the stack is there now", line);
        good = false;
    }
    if (good)
        p->config = config;
    pthread_mutex_unlock(&p->lock);
    if (!good)
        fprintf(stderr, "parley: %s\n", error);
    return good ? 0 : 1 << 8;
}

PRELOADED clock_t times(struct tms *to)
{
    static clock_t ticks;
    if (to)
        *to = (struct tms){0};
    return ticks++;
}

PRELOADED int mlockall(int flags)
{
    (void)flags;
    return 0;
}
