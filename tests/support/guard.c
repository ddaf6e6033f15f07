/* SPDX-License-Identifier: MIT
 *
 * guard.c: see guard.h. A block is [page with its links][pages for n bytes][page that may not be touched].
 */
#include "support/guard.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct block {
    struct block *next, *prev;
    size_t bytes;
};

static struct block all = {&all, &all, 0};

static size_t page_bytes(void) { return (size_t)sysconf(_SC_PAGESIZE); }

static size_t room_for(size_t n)
{
    size_t page = page_bytes();
    return (n + page - 1) / page * page;
}

void *guard_alloc(size_t n)
{
    size_t page = page_bytes(), usable = page + room_for(n);
    uint8_t *at = mmap(NULL, usable + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED || mprotect(at + usable, page, PROT_NONE) != 0) {
        perror("guard_alloc");
        abort();
    }
    struct block *b = (struct block *)(void *)at;
    *b = (struct block){all.next, &all, usable + page};
    b->next->prev = b;
    all.next = b;
    return at + usable - n;
}

void *guard_copy(const void *bytes, size_t n)
{
    void *p = guard_alloc(n);
    if (n > 0)
        memcpy(p, bytes, n);
    return p;
}

static void release(struct block *b)
{
    b->next->prev = b->prev;
    b->prev->next = b->next;
    munmap(b, b->bytes);
}

void guard_free(void *p, size_t n)
{
    release((struct block *)(void *)((uint8_t *)p + n - room_for(n) - page_bytes()));
}

void guard_reset(void)
{
    while (all.next != &all)
        release(all.next);
}
