/* SPDX-License-Identifier: MIT
 *
 * http_tree.h: a directory to serve, made for one test program and removed after it.
 */
#ifndef PARLEY_TESTS_HTTP_TREE_H
#define PARLEY_TESTS_HTTP_TREE_H

#include <stddef.h>

/* Makes an empty directory TREE/root and a file TREE/secret beside it; the path of TREE/root, kept until tree_remove. */
const char *tree_make(void);
/* A path below the root, in a static buffer (one of four, in turn). */
const char *tree_path(const char *name);
void tree_dir(const char *name);
void tree_file(const char *name, const char *text);
/* A file of n bytes in which byte i depends on i. */
void tree_large_file(const char *name, size_t n);
char tree_large_byte(size_t i);
void tree_link(const char *target, const char *name);
void tree_remove(void);

#endif
