/* SPDX-License-Identifier: MIT
 *
 * test_kernel_resets.c: every RST between us and the kernel, in each role: what the program that it hits is told, by RFC 9293 3.5.2, 3.5.3, 3.6.1 and
 * docs/defaults.md (mission M10, M12, M20), and how both find out that one of them has lost the connection (3.5.1).
 */
#include "support/skip.h"
#include "support/talk.h"
#include "support/unit.h"

#include <errno.h>
#include <netinet/in.h>
#include <unistd.h>

/* Brings both ends to where the RST is to hit. */
enum where { OPEN, WE_FINISHED, KERNEL_FINISHED, WHERES };
static void bring(struct talk *t, enum where w)
{
    if (w == WE_FINISHED) {
        assert_int_equal(pl_finish(t->rig->stack, t->conn), 0);
        talk_meets(t, PL_FIN_WAIT_2, TALK_K_CLOSE_WAIT);
    } else if (w == KERNEL_FINISHED) {
        assert_int_equal(shutdown(t->fd, SHUT_WR), 0);
        talk_meets(t, PL_CLOSE_WAIT, TALK_K_FIN_WAIT2);
    }
}

static void kernel_resets(struct talk *t)
{
    static const struct linger at_once = {1, 0};
    assert_int_equal(setsockopt(t->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
    close(t->fd);
    t->fd = -1;
}

static void we_are_told(struct talk *t, int error)
{
    if (!rig_run(t->rig, talk_has_error, t, RIG_PATIENCE)) fail_msg("no error came, in state %d", (int)talk_status(t).state);
    assert_int_equal(pl_error(t->rig->stack, t->conn), error);
    assert_int_equal(talk_status(t).state, PL_CLOSED);
    assert_int_equal(pl_send(t->rig->stack, t->conn, "x", 1), error);
}

static bool kernel_closed(void *user)
{
    return talk_info(user).tcpi_state == TALK_K_CLOSE;
}
static void kernel_is_told(struct talk *t, int error)
{
    if (!rig_run(t->rig, kernel_closed, t, RIG_PATIENCE)) fail_msg("the kernel is in state %d", talk_info(t).tcpi_state);
    assert_int_equal(talk_kernel_error(t), error);
}

/* ---- on purpose */

static void the_kernel_aborts_in_each_state(void **state)
{
    struct rig r;
    if (!rig_open(&r, *state, NULL)) SKIP_BECAUSE(rig_why);
    TALK_EACH_ROLE_AND_VERSION for (enum where w = OPEN; w < WHERES; w++) {
        struct talk t = talk_open(&r, version, client);
        assert_int_equal(send(t.fd, "last words", 10, MSG_NOSIGNAL), 10);
        while (!(pl_ready(r.stack, t.conn) & PL_EV_READABLE))
            rig_run(&r, NULL, NULL, PL_MS);
        bring(&t, w);
        kernel_resets(&t);
        we_are_told(&t, PL_ECONNRESET);
        assert_int_equal(pl_recv(r.stack, t.conn, talk_buffer, 100), 10);      /* what had arrived before it is read first */
        assert_int_equal(pl_recv(r.stack, t.conn, talk_buffer, 100), w == KERNEL_FINISHED ? 0 : PL_ECONNRESET);
        talk_close(&t);
    }
    rig_close(&r);
}

static void we_abort_in_each_state(void **state)
{
    struct rig r;
    if (!rig_open(&r, *state, NULL)) SKIP_BECAUSE(rig_why);
    TALK_EACH_ROLE_AND_VERSION for (enum where w = OPEN; w < WHERES; w++) {
        struct talk t = talk_open(&r, version, client);
        bring(&t, w);
        assert_int_equal(pl_abort(r.stack, t.conn), 0);
        kernel_is_told(&t, w == WE_FINISHED ? EPIPE : ECONNRESET);             /* it has read our FIN already: there is nothing more to receive */
        errno = 0;
        assert_int_equal(send(t.fd, "x", 1, MSG_NOSIGNAL), -1);
        assert_int_equal(errno, EPIPE);
        talk_close(&t);
    }
    rig_close(&r);
}

/* ---- for want of a reader: RFC 9293 3.6.1, SHLD-3 */

static void text_for_a_kernels_socket_that_was_closed_is_reset(void **state)
{
    struct rig r;
    if (!rig_open(&r, *state, NULL)) SKIP_BECAUSE(rig_why);
    TALK_EACH_ROLE_AND_VERSION {
        struct talk t = talk_open(&r, version, client);
        close(t.fd);
        t.fd = -1;
        talk_meets(&t, PL_CLOSE_WAIT, -1);
        assert_int_equal(pl_send(r.stack, t.conn, "anybody there?", 14), 14);
        we_are_told(&t, PL_ECONNRESET);
        talk_close(&t);
    }
    rig_close(&r);
}

static void text_for_a_handle_that_was_given_back_is_reset(void **state)
{
    struct rig r;
    if (!rig_open(&r, *state, NULL)) SKIP_BECAUSE(rig_why);
    TALK_EACH_ROLE_AND_VERSION {
        struct talk t = talk_open(&r, version, client);
        uint64_t before = talk_sent_because(&r, PL_WHY_RST_DATA_AFTER_CLOSE);
        assert_int_equal(pl_close(r.stack, t.conn), 0);
        t.conn = 0;
        for (int i = 0; i < 2000 && talk_info(&t).tcpi_state != TALK_K_CLOSE_WAIT; i++)
            rig_run(&r, NULL, NULL, PL_MS);
        assert_int_equal(send(t.fd, "anybody there?", 14, MSG_NOSIGNAL), 14);
        kernel_is_told(&t, EPIPE);
        assert_int_equal(talk_sent_because(&r, PL_WHY_RST_DATA_AFTER_CLOSE), before + 1);
        talk_close(&t);
    }
    rig_close(&r);
}

static void closing_with_text_unread_is_a_reset_both_ways(void **state)
{
    struct rig r;
    if (!rig_open(&r, *state, NULL)) SKIP_BECAUSE(rig_why);
    TALK_EACH_ROLE_AND_VERSION {
        struct talk t = talk_open(&r, version, client);
        assert_int_equal(pl_send(r.stack, t.conn, "unread", 6), 6);
        for (int i = 0; i < 2000 && recv(t.fd, talk_buffer, 1, MSG_PEEK) != 1; i++)
            rig_run(&r, NULL, NULL, PL_MS);
        close(t.fd);
        t.fd = -1;
        we_are_told(&t, PL_ECONNRESET);
        talk_close(&t);

        t = talk_open(&r, version, client);
        assert_int_equal(send(t.fd, "unread", 6, MSG_NOSIGNAL), 6);
        for (int i = 0; i < 2000 && !(pl_ready(r.stack, t.conn) & PL_EV_READABLE); i++)
            rig_run(&r, NULL, NULL, PL_MS);
        assert_int_equal(pl_close(r.stack, t.conn), 0);
        t.conn = 0;
        kernel_is_told(&t, ECONNRESET);
        talk_close(&t);
    }
    rig_close(&r);
}

/* ---- whom nobody has accepted */

static bool we_have_one(void *user)
{
    const struct talk *t = user;
    return pl_ready(t->rig->stack, t->listener) & PL_EV_ACCEPTABLE;
}
static bool we_are_open(void *user) { return talk_status(user).state == PL_ESTABLISHED; }

static void a_listener_that_goes_resets_whom_it_has_not_handed_out(void **state)
{
    struct rig r;
    if (!rig_open(&r, *state, NULL)) SKIP_BECAUSE(rig_why);
    r.patience = PL_MS;
    for (int version = 4; version <= 6; version += 2) {
        struct talk t = {.rig = &r, .version = version, .kernel_listener = -1};
        talk_begin(&t, 0, 0);
        assert_true(rig_run(&r, we_have_one, &t, RIG_PATIENCE));
        assert_int_equal(pl_close(r.stack, t.listener), 0);
        t.listener = 0;
        kernel_is_told(&t, ECONNRESET);
        talk_close(&t);

        t = (struct talk){.rig = &r, .version = version, .client = true, .kernel_listener = -1};
        talk_begin(&t, 0, 0);
        assert_true(rig_run(&r, we_are_open, &t, RIG_PATIENCE));
        close(t.kernel_listener);
        t.kernel_listener = -1;
        we_are_told(&t, PL_ECONNRESET);
        talk_close(&t);
    }
    rig_close(&r);
}

/* ---- half-open connections, RFC 9293 3.5.1: one end has lost its memory. TCP_REPAIR takes the kernel's without a word, ours is aborted unheard. */

static void kernel_forgets(struct talk *t)
{
    assert_int_equal(setsockopt(t->fd, IPPROTO_TCP, TCP_REPAIR, &(int){1}, sizeof(int)), 0);
    close(t->fd);
    t->fd = -1;
}
static void we_forget(struct talk *t)
{
    assert_int_equal(pl_abort(t->rig->stack, t->conn), 0);
    assert_int_equal(pl_close(t->rig->stack, t->conn), 0);
    t->conn = 0;
    assert_int_equal(rig_lose(t->rig), 1);
}

/* Figure 11: text from the end that still believes in it. */
static void text_for_a_forgotten_connection_is_reset(void **state)
{
    struct rig r;
    if (!rig_open(&r, *state, NULL)) SKIP_BECAUSE(rig_why);
    TALK_EACH_ROLE_AND_VERSION {
        struct talk t = talk_open(&r, version, client);
        kernel_forgets(&t);
        rig_run(&r, NULL, NULL, 5 * PL_MS);
        assert_int_equal(talk_status(&t).state, PL_ESTABLISHED);
        assert_int_equal(pl_send(r.stack, t.conn, "still there?", 12), 12);
        we_are_told(&t, PL_ECONNRESET);
        talk_close(&t);

        t = talk_open(&r, version, client);
        we_forget(&t);
        rig_run(&r, NULL, NULL, 5 * PL_MS);
        assert_int_equal(talk_info(&t).tcpi_state, TALK_K_ESTABLISHED);
        assert_int_equal(send(t.fd, "still there?", 12, MSG_NOSIGNAL), 12);
        kernel_is_told(&t, ECONNRESET);
        talk_close(&t);
    }
    rig_close(&r);
}

/* Figure 10: the end that forgot opens again from the same port. Its SYN is answered with an ACK, that with a RST, and its next SYN makes a connection. */
static void who_forgot_and_opens_again_gets_through(void **state)
{
    struct rig r;
    if (!rig_open(&r, *state, NULL)) SKIP_BECAUSE(rig_why);
    for (int version = 4; version <= 6; version += 2) {
        struct talk t = talk_open(&r, version, false);
        uint16_t kernel_port = t.kernel_port;
        pl_conn old = t.conn;
        kernel_forgets(&t);
        uint64_t resets = talk_drops(&r, PL_DROP_TCP_RST_TAKEN);
        talk_again(&t, 0, kernel_port);
        assert_int_equal(talk_drops(&r, PL_DROP_TCP_RST_TAKEN), resets + 1);
        assert_int_equal(pl_error(r.stack, old), PL_ECONNRESET);
        assert_int_equal(pl_close(r.stack, old), 0);
        talk_stream(&t, talk_to_kernel, 10000);
        talk_close(&t);

        t = talk_open(&r, version, true);
        uint16_t our_port = talk_status(&t).local.port;
        int old_fd = t.fd;
        we_forget(&t);
        resets = talk_sent_because(&r, PL_WHY_RST_BAD_ACK);
        talk_again(&t, our_port, 0);
        assert_int_equal(talk_sent_because(&r, PL_WHY_RST_BAD_ACK), resets + 1);
        assert_int_equal(recv(old_fd, talk_buffer, 1, 0), -1);
        assert_int_equal(errno, ECONNRESET);
        close(old_fd);
        talk_stream(&t, talk_from_kernel, 10000);
        talk_close(&t);
    }
    rig_close(&r);
}

#define CASE(kind, f) {.name = kind ": " #f, .test_func = f, .initial_state = (void *)(uintptr_t)rig_kind(kind)}
#define WITH_AND_WITHOUT_LINK(f) CASE("tun+gso", f), CASE("tap", f)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_AND_WITHOUT_LINK(the_kernel_aborts_in_each_state),
        WITH_AND_WITHOUT_LINK(we_abort_in_each_state),
        WITH_AND_WITHOUT_LINK(text_for_a_kernels_socket_that_was_closed_is_reset),
        WITH_AND_WITHOUT_LINK(text_for_a_handle_that_was_given_back_is_reset),
        WITH_AND_WITHOUT_LINK(closing_with_text_unread_is_a_reset_both_ways),
        WITH_AND_WITHOUT_LINK(a_listener_that_goes_resets_whom_it_has_not_handed_out),
        WITH_AND_WITHOUT_LINK(text_for_a_forgotten_connection_is_reset),
        CASE("tun+gso", who_forgot_and_opens_again_gets_through),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
