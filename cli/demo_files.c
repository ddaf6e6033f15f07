/* SPDX-License-Identifier: MIT
 *
 * demo_files.c: see demo_files.h.
 */
#include "cli/demo_files.h"
#include "sim/program.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define PIECE 65536

void demo_files_path(const struct demo_files *f, const char *name, char *path, size_t size)
{
    snprintf(path, size, "%s/%s", f->dir, name);
}

static void remove_all(const char *dir)
{
    char path[512];
    DIR *d = opendir(dir);
    for (struct dirent *e; d && (e = readdir(d)) != NULL;) {
        if (e->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "%s/%.200s", dir, e->d_name);
        unlink(path);
    }
    if (d) closedir(d);
    rmdir(dir);
}

/* Makes the folder, tells its name, and removes it when the program is gone: at no moment is there a folder and no guard. Ctrl-C reaches the whole process
 * group; the guard outlives it for the moment that it needs. */
static _Noreturn void stand_guard(char *dir, int fd)
{
    char byte;
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);             /* the program may be gone before it hears the name */
    int nothing = open("/dev/null", O_RDWR);
    for (int i = 0; i < 3; i++)
        dup2(nothing, i);
    if (!mkdtemp(dir)) _exit(errno);      /* why, for the program */
    if (write(fd, dir, strlen(dir) + 1) > 0)
        while (read(fd, &byte, 1) < 0 && errno == EINTR)
            ;
    remove_all(dir);
    _exit(0);
}

static bool set_guard(struct demo_files *f)
{
    int ends[2];
    char name[sizeof f->dir];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) return false;
    f->guard = fork();
    if (f->guard == 0) {
        close(ends[1]);
        stand_guard(f->dir, ends[0]);
    }
    close(ends[0]);
    ssize_t n = f->guard > 0 ? read(ends[1], name, sizeof name) : 0;
    if (n > 0 && name[n - 1] == 0) {
        memcpy(f->dir, name, (size_t)n);
        f->guard_fd = ends[1];
        return true;
    }
    int status = 0;
    close(ends[1]);
    if (f->guard > 0 && waitpid(f->guard, &status, 0) == f->guard && WIFEXITED(status)) errno = WEXITSTATUS(status);
    return false;
}

static bool write_file(const char *path, uint64_t bytes)
{
    static uint8_t piece[PIECE];
    FILE *out = fopen(path, "wb");
    if (!out) return false;
    for (uint64_t at = 0; at < bytes; at += PIECE) {
        size_t n = bytes - at < PIECE ? (size_t)(bytes - at) : PIECE;
        pattern_fill(1, at, piece, n);
        if (fwrite(piece, 1, n, out) != n) break;
    }
    bool good = !ferror(out);
    return fclose(out) == 0 && good;
}

bool demo_files_make(struct demo_files *f, const char *name, uint64_t bytes)
{
    char path[512];
    const char *tmp = getenv("TMPDIR");
    snprintf(f->dir, sizeof f->dir, "%s/parley-demo-XXXXXX", tmp && *tmp == '/' && strlen(tmp) < 150 ? tmp : "/tmp");
    if (!set_guard(f)) return false;
    demo_files_path(f, name, path, sizeof path);
    if (write_file(path, bytes)) return true;
    int error = errno;
    demo_files_remove(f);
    errno = error;
    return false;
}

void demo_files_remove(struct demo_files *f)
{
    close(f->guard_fd);
    while (waitpid(f->guard, NULL, 0) < 0 && errno == EINTR)
        ;
}

/* RFC 1952 section 8: four bits at a time need a table of sixteen. */
static uint32_t crc_add(uint32_t crc, const uint8_t *bytes, size_t n)
{
    static const uint32_t table[16] = {0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
        0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};
    for (size_t i = 0; i < n; i++) {
        crc = table[(crc ^ bytes[i]) & 15] ^ (crc >> 4);
        crc = table[(crc ^ (bytes[i] >> 4)) & 15] ^ (crc >> 4);
    }
    return crc;
}

bool demo_files_crc(const struct demo_files *f, const char *name, uint32_t *crc, uint64_t *bytes)
{
    static uint8_t piece[PIECE];
    char path[512];
    size_t n;
    demo_files_path(f, name, path, sizeof path);
    FILE *in = fopen(path, "rb");
    *crc = 0xffffffff;
    *bytes = 0;
    if (!in) return false;
    while ((n = fread(piece, 1, sizeof piece, in)) > 0) {
        *crc = crc_add(*crc, piece, n);
        *bytes += n;
    }
    *crc = ~*crc;
    bool good = !ferror(in);
    fclose(in);
    return good;
}

bool demo_files_equal(const struct demo_files *f, const char *a, const char *b)
{
    static uint8_t piece[2][PIECE];
    char path[2][512];
    size_t n[2] = {1, 1};
    demo_files_path(f, a, path[0], sizeof path[0]);
    demo_files_path(f, b, path[1], sizeof path[1]);
    FILE *in[2] = {fopen(path[0], "rb"), fopen(path[1], "rb")};
    bool same = in[0] && in[1];
    while (same && n[0]) {
        for (int i = 0; i < 2; i++)
            n[i] = fread(piece[i], 1, PIECE, in[i]);
        same = n[0] == n[1] && !memcmp(piece[0], piece[1], n[0]);
    }
    for (int i = 0; i < 2; i++)
        if (in[i]) fclose(in[i]);
    return same;
}
