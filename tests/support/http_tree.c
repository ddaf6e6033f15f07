/* SPDX-License-Identifier: MIT
 *
 * http_tree.c: see http_tree.h.
 */
#include "support/http_tree.h"

#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char base[PATH_MAX / 2], root[PATH_MAX / 2 + 8];

static void require(int ok, const char *what)
{
    if (!ok) {
        perror(what);
        abort();
    }
}

const char *tree_make(void)
{
    const char *tmp = getenv("TMPDIR");
    snprintf(base, sizeof base, "%s/parley-http-XXXXXX", tmp && strlen(tmp) < 200 ? tmp : "/tmp");
    require(mkdtemp(base) != NULL, base);
    snprintf(root, sizeof root, "%s/root", base);
    require(mkdir(root, 0755) == 0, root);
    tree_file("../secret", "secret");
    return root;
}

const char *tree_path(const char *name)
{
    static char paths[4][PATH_MAX];
    static unsigned turn;
    char *path = paths[turn++ % 4];
    snprintf(path, PATH_MAX, "%s/%s", root, name);
    return path;
}

void tree_dir(const char *name)
{
    require(mkdir(tree_path(name), 0755) == 0, name);
}

void tree_file(const char *name, const char *text)
{
    FILE *f = fopen(tree_path(name), "w");
    require(f != NULL && fputs(text, f) >= 0 && fclose(f) == 0, name);
}

char tree_large_byte(size_t i)
{
    uint32_t x = (uint32_t)(i >> 2) * 2654435761u;
    return (char)(x >> (8 * (i & 3)));
}

void tree_large_file(const char *name, size_t n)
{
    char *bytes = malloc(n);
    FILE *f = fopen(tree_path(name), "w");
    require(bytes != NULL && f != NULL, name);
    for (size_t i = 0; i < n; i++)
        bytes[i] = tree_large_byte(i);
    require(fwrite(bytes, 1, n, f) == n && fclose(f) == 0, name);
    free(bytes);
}

void tree_link(const char *target, const char *name)
{
    require(symlink(target, tree_path(name)) == 0, name);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

void tree_remove(void)
{
    if (base[0])
        nftw(base, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    base[0] = '\0';
}
