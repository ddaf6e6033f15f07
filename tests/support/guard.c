/* SPDX-License-Identifier: MIT
 *
 * guard.c: see guard.h.
 */
#include "support/guard.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static size_t page_bytes(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

static size_t room_for(size_t n)
{
    size_t page = page_bytes();
    return (n + page - 1) / page * page;
}

void *guard_alloc(size_t n)
{
    size_t room = room_for(n);
    uint8_t *block = mmap(NULL, room + page_bytes(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (block == MAP_FAILED || mprotect(block + room, page_bytes(), PROT_NONE) != 0) {
        perror("guard_alloc");
        abort();
    }
    return block + room - n;
}

void *guard_copy(const void *bytes, size_t n)
{
    void *p = guard_alloc(n);
    if (n > 0)
        memcpy(p, bytes, n);
    return p;
}

void guard_free(void *p, size_t n)
{
    size_t room = room_for(n);
    munmap((uint8_t *)p + n - room, room + page_bytes());
}
