/* SPDX-License-Identifier: MIT
 *
 * m16_http.c: mission M16: HTTP on top. HTTP/1.0 (RFC 1945 1.3): one connection per request, the server ends it after the answer. HTTP/1.1 (RFC 9112
 * 9.3): many requests on one connection, also without waiting for the earlier answers, which come in order.
 */
#include "mission/mission.h"
#include "support/http_tree.h"
#include "support/web.h"

static unsigned count(const char *in, const char *what)
{
    unsigned n = 0;
    for (const char *at = in; (at = strstr(at, what)) != NULL; at++)
        n++;
    return n;
}

/* The side of the first FIN of the connection with that number (by the client's port), -1: none. */
static int first_fin(const struct pair *p, uint16_t client_port)
{
    for (size_t i = 0; i < p->segments; i++)
        if (p->segment[i].client_port == client_port && p->segment[i].flags & PL_FIN) return (int)p->segment[i].from;
    return -1;
}

static uint16_t port_of(struct web *w, unsigned client)
{
    struct pl_tcp_status s;
    assert_int_equal(pl_status(w->pair.node[PAIR_CLIENT]->stack, w->client[client].conn, &s, sizeof s), 0);
    return s.local.port;
}

static void in_http_1_0_the_server_ends_the_connection_after_its_answer(void **state)
{
    static struct web w;
    web_start(&w, SIX(state), NULL);
    for (unsigned i = 0; i < 3; i++) {
        unsigned c = web_dial(&w);
        uint16_t port = port_of(&w, c);
        web_type(&w, c, "GET /one HTTP/1.0\r\n\r\n");
        RUN_FOR(&w.pair, 1 * PL_S);
        assert_true(w.client[c].ended);
        assert_int_equal(w.client[c].error, 0);
        assert_int_equal(first_fin(&w.pair, port), PAIR_SERVER);
        assert_non_null(strstr(w.client[c].text, "\r\n\r\nthe first\n"));
        assert_int_equal(count(w.client[c].text, "HTTP/1.1 200 OK"), 1);
        web_hang_up(&w, c);
    }
    RUN_FOR(&w.pair, 300 * PL_S);
    assert_int_equal(http_parley_connections(w.server), 0);
    assert_int_equal(http_parley_requests(w.server), 3);
    mission_assert_clean(&w.pair, PAIR_CLIENT);
    mission_assert_clean(&w.pair, PAIR_SERVER);
    web_end(&w);
}

static void in_http_1_1_one_connection_carries_many_requests(void **state)
{
    static struct web w;
    web_start(&w, SIX(state), NULL);
    unsigned c = web_dial(&w);
    uint16_t port = port_of(&w, c);
    for (unsigned i = 0; i < 20; i++) {
        web_forget(&w, c);
        web_type(&w, c, i % 2 ? "GET /one HTTP/1.1\r\nHost: a\r\n\r\n" : "GET /two HTTP/1.1\r\nHost: a\r\n\r\n");
        RUN_FOR(&w.pair, 1 * PL_S);
        assert_non_null(strstr(w.client[c].text, i % 2 ? "\r\n\r\nthe first\n" : "\r\n\r\nthe second\n"));
    }
    assert_false(w.client[c].ended);
    assert_int_equal(first_fin(&w.pair, port), -1);
    assert_int_equal(http_parley_connections(w.server), 1);
    assert_int_equal(http_parley_requests(w.server), 20);
    web_hang_up(&w, c);
    RUN_FOR(&w.pair, 300 * PL_S);
    mission_assert_clean(&w.pair, PAIR_SERVER);
    web_end(&w);
}

static void pipelined_requests_are_answered_in_order(void **state)
{
    static struct web w;
    web_start(&w, SIX(state), NULL);
    unsigned c = web_dial(&w);
    web_type(&w, c, "GET /one HTTP/1.1\r\nHost: a\r\n\r\nGET /two HTTP/1.1\r\nHost: a\r\n\r\nGET /large HTTP/1.1\r\nHost: a\r\n\r\n"
                    "GET /nosuch HTTP/1.1\r\nHost: a\r\n\r\nGET /one HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    RUN_FOR(&w.pair, 5 * PL_S);
    /* The large file may hold any byte, so each text is looked for behind the end of the one before. */
    const char *first = strstr(w.client[c].text, "the first\n");
    assert_non_null(first);
    const char *second = strstr(first, "the second\n");
    assert_non_null(second);
    const char *large = strstr(second, "Content-Length: 40000\r\n");
    assert_non_null(large);
    const char *body = strstr(large, "\r\n\r\n") + 4;
    for (size_t i = 0; i < 40000; i++)
        if (body[i] != tree_large_byte(i)) fail_msg("byte %zu of the large file differs", i);
    assert_int_equal(strncmp(body + 40000, "HTTP/1.1 404 Not Found\r\n", 24), 0);
    assert_int_equal(count(body + 40000, "the first\n"), 1);
    assert_true(w.client[c].ended);
    web_hang_up(&w, c);
    web_end(&w);
}

/* The same when the network loses a tenth of everything: HTTP need not know. */
static void losses_below_change_nothing_above(void **state)
{
    static struct web w;
    web_start(&w, SIX(state), NULL);
    impair_loss(pair_impair(&w.pair, PAIR_CLIENT), 100000);
    impair_loss(pair_impair(&w.pair, PAIR_SERVER), 100000);
    unsigned c = web_dial(&w);
    web_type(&w, c, "GET /large HTTP/1.1\r\nHost: a\r\n\r\nGET /two HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    RUN_FOR(&w.pair, 120 * PL_S);
    const char *body = strstr(w.client[c].text, "\r\n\r\n");
    assert_non_null(body);
    for (size_t i = 0; i < 40000; i++)
        if (body[4 + i] != tree_large_byte(i)) fail_msg("byte %zu of the large file differs", i);
    assert_non_null(strstr(body + 40004, "the second\n"));
    assert_true(w.client[c].ended);
    web_hang_up(&w, c);
    web_end(&w);
}

static int setup(void **state)
{
    (void)state;
    tree_make();
    tree_file("one", "the first\n");
    tree_file("two", "the second\n");
    tree_large_file("large", 40000);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    tree_remove();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(in_http_1_0_the_server_ends_the_connection_after_its_answer),
        BOTH(in_http_1_1_one_connection_carries_many_requests),
        BOTH(pipelined_requests_are_answered_in_order),
        BOTH(losses_below_change_nothing_above),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
