/* SPDX-License-Identifier: MIT
 *
 * demo_files.h: the folder that act c serves from and fetches to. It is gone when this process is, whichever way it ends: a child that does
 * nothing else waits for that and removes it.
 */
#ifndef CLI_DEMO_FILES_H
#define CLI_DEMO_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct demo_files {
    char dir[200];
    int guard_fd;                         /* closed by the end of this process; the guard reads the other end */
    pid_t guard;
};

/* Makes the folder in $TMPDIR or /tmp with a file `name` of `bytes` bytes in it. False: errno says why not. */
bool demo_files_make(struct demo_files *, const char *name, uint64_t bytes);
void demo_files_remove(struct demo_files *);
void demo_files_path(const struct demo_files *, const char *name, char *path, size_t size);
/* CRC-32 (as of gzip and zip) and length of a file there. False: it cannot be read. */
bool demo_files_crc(const struct demo_files *, const char *name, uint32_t *crc, uint64_t *bytes);
/* Whether two files there are the same, byte for byte. */
bool demo_files_equal(const struct demo_files *, const char *a, const char *b);

#endif
