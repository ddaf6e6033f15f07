/* SPDX-License-Identifier: MIT
 *
 * The served directory: what can be reached in it, and that nothing outside can.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/host/http_files.h"
#include "support/http_tree.h"

static struct http_root root;

static int make_tree(void **state)
{
    (void)state;
    const char *dir = tree_make();
    tree_file("a.txt", "hello");
    tree_file("b.html", "<p>");
    tree_dir("sub");
    tree_file("sub/index.html", "index");
    tree_dir("list");
    tree_file("list/x & <y>\"'.txt", "1");
    tree_file("list/c:d", "22");
    tree_file("list/.hidden", "no");
    tree_dir("list/deeper");
    tree_dir("odd");
    tree_dir("odd/index.html");
    tree_file("bs\\..\\x", "backslash");
    tree_link("../secret", "out");
    tree_link("..", "up");
    tree_link("/etc", "etc");
    tree_link("sub/../../secret", "detour");
    tree_link("a.txt", "inside");
    tree_link("loop", "loop");
    tree_link("/proc/self/root", "magic");
    mkfifo(tree_path("fifo"), 0644);
    return http_root_open(&root, dir, true);
}

static int remove_tree(void **state)
{
    (void)state;
    http_root_close(&root);
    tree_remove();
    return 0;
}

/* The status for a path, and the start of what is read from it. */
static int get(const char *path, char text[64])
{
    struct http_content c;
    int status = http_content_open(&root, path, strlen(path), &c);
    text[0] = '\0';
    if (status == 200) {
        ptrdiff_t n = http_content_read(&c, 0, text, 63);
        assert_true(n >= 0);
        text[n] = '\0';
        http_content_close(&c);
    } else {
        assert_int_equal(c.fd, -1);
        assert_null(c.text);
    }
    return status;
}

static const struct {
    const char *path;
    int status;                           /* with openat2 */
    int walk_status;                      /* without: links are not followed at all */
    const char *text;
} rows[] = {
    {"/a.txt", 200, 200, "hello"},
    {"/a.txt/", 404, 404, ""},
    {"/nothing", 404, 404, ""},
    {"/sub", 301, 301, ""},
    {"/sub/", 200, 200, "index"},
    {"/sub/nothing", 404, 404, ""},
    {"/list/", 200, 200, "<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"><title>/list/"},
    {"/", 200, 200, "<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"><title>/</tit"},
    {"/odd/", 200, 200, "<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"><title>/odd/<"},
    {"/bs\\..\\x", 200, 200, "backslash"},
    {"/list/.hidden", 404, 404, ""},
    {"/fifo", 403, 403, ""},
    /* out of the root */
    {"/../secret", 404, 404, ""},
    {"/sub/../../secret", 404, 404, ""},
    {"/out", 404, 404, ""},
    {"/up/secret", 404, 404, ""},
    {"/up/", 404, 404, ""},
    {"/etc/passwd", 404, 404, ""},
    {"/etc/", 404, 404, ""},
    {"/detour", 404, 404, ""},
    {"/magic/etc/passwd", 404, 404, ""},
    {"/loop", 404, 404, ""},
    /* a link that stays inside */
    {"/inside", 200, 404, "hello"},
};

static void nothing_outside_of_the_root_is_reached(void **state)
{
    (void)state;
    for (int walk = 0; walk < 2; walk++) {
        root.walk = walk;
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
            char text[64];
            int status = get(rows[i].path, text), expected = walk ? rows[i].walk_status : rows[i].status;
            if (status != expected)
                print_error("%s (walk %d)\n", rows[i].path, walk);
            assert_int_equal(status, expected);
            if (status == 200)
                assert_memory_equal(text, rows[i].text, strlen(rows[i].text) < 63 ? strlen(rows[i].text) + 1 : 63);
        }
    }
    root.walk = false;
}

static void paths_that_are_no_paths_are_not_found(void **state)
{
    (void)state;
    struct http_content c;
    static char longer[PATH_MAX + 10];
    memset(longer, 'x', sizeof longer);
    longer[0] = '/';
    for (int walk = 0; walk < 2; walk++) {
        root.walk = walk;
        assert_int_equal(http_content_open(&root, "/a.txt\0/x", 9, &c), 404);
        assert_int_equal(http_content_open(&root, "", 0, &c), 404);
        assert_int_equal(http_content_open(&root, "a.txt", 5, &c), 404);
        assert_int_equal(http_content_open(&root, longer, PATH_MAX, &c), 404);
        longer[300] = '\0';                /* one name of 299 bytes */
        assert_int_equal(http_content_open(&root, longer, 300, &c), 404);
        longer[300] = 'x';
    }
    root.walk = false;
}

static void lists_are_escaped_and_sorted_and_hide_what_is_hidden(void **state)
{
    (void)state;
    struct http_content c;
    assert_int_equal(http_content_open(&root, "/list/", 6, &c), 200);
    assert_string_equal(c.type, "text/html; charset=utf-8");
    assert_int_equal(strlen(c.text), c.bytes);
    assert_non_null(strstr(c.text, "<a href=\"../\">../</a>"));
    assert_non_null(
        strstr(c.text, "<a href=\"./x%20%26%20%3Cy%3E%22%27.txt\">x &amp; &lt;y&gt;&quot;&#39;.txt</a></td><td align=\"right\">1<"));
    assert_non_null(strstr(c.text, "<a href=\"./c%3Ad\">c:d</a></td><td align=\"right\">2<"));
    assert_non_null(strstr(c.text, "<a href=\"./deeper/\">deeper/</a>"));
    assert_null(strstr(c.text, "hidden"));
    assert_true(strstr(c.text, "c:d") < strstr(c.text, "deeper"));
    char part[8] = "";
    assert_int_equal(http_content_read(&c, c.bytes - 3, part, 8), 3);
    assert_string_equal(part, "l>\n");
    assert_int_equal(http_content_read(&c, c.bytes, part, 8), 0);
    http_content_close(&c);
    root.listing = false;
    assert_int_equal(http_content_open(&root, "/list/", 6, &c), 403);
    assert_int_equal(http_content_open(&root, "/odd/", 5, &c), 403);
    assert_int_equal(http_content_open(&root, "/sub/", 5, &c), 200);
    http_content_close(&c);
    root.listing = true;
}

static void files_have_types_and_tags_that_change_with_them(void **state)
{
    (void)state;
    struct http_content before, after;
    assert_int_equal(http_content_open(&root, "/a.txt", 6, &before), 200);
    assert_string_equal(before.type, "text/plain; charset=utf-8");
    assert_int_equal(before.bytes, 5);
    assert_true(before.modified_s > 1500000000);
    struct timespec times[2] = {{1000000000, 1}, {1000000000, 1}};
    assert_int_equal(utimensat(AT_FDCWD, tree_path("a.txt"), times, 0), 0);
    assert_int_equal(http_content_open(&root, "/a.txt", 6, &after), 200);
    assert_string_not_equal(before.etag, after.etag);
    assert_int_equal(after.modified_s, 1000000000);
    assert_true(after.etag[0] == '"' && after.etag[strlen(after.etag) - 1] == '"');
    http_content_close(&before);
    http_content_close(&after);
    assert_string_equal(http_media_type("/x/Y.HTML"), "text/html; charset=utf-8");
    assert_string_equal(http_media_type("/x.html/y"), "application/octet-stream");
    assert_string_equal(http_media_type("y."), "application/octet-stream");
    assert_string_equal(http_media_type("a.b.svg"), "image/svg+xml");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_outside_of_the_root_is_reached),
        cmocka_unit_test(paths_that_are_no_paths_are_not_found),
        cmocka_unit_test(lists_are_escaped_and_sorted_and_hide_what_is_hidden),
        cmocka_unit_test(files_have_types_and_tags_that_change_with_them),
    };
    return cmocka_run_group_tests(tests, make_tree, remove_tree);
}
