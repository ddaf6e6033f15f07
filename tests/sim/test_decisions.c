/* SPDX-License-Identifier: MIT
 *
 * Every decision is a trace event with its reason: each reason that concerns a sender occurs, its numbers are those of the connection at that moment, and
 * nothing that a sender decides goes without an event. support/decisions.h listens; here is what it listens to: the scripts, and bad networks under each
 * congestion control.
 */
#include "support/unit.h"

#include <dirent.h>
#include <stdio.h>

#include "drill/run.h"
#include "sim/pair.h"
#include "sim/run.h"
#include "support/decisions.h"

static struct decisions heard;

static void nothing_was_wrong(void)
{
    unsigned wrongs = heard.wrongs;
    heard.wrongs = 0;
    if (wrongs)
        fail_msg("%u wrong, the first: %s", wrongs, heard.wrong);
}

/* ------------------------------------------------------------------ scripts ------------------------------------------------------------------ */

static void hear_script(void *user, const struct pl_stack *s, const struct pl_trace_event *e) { decisions_hear(user, s, e); }

static void play_script(const char *path)
{
    static char text[1 << 16];
    char error[700] = "", *failure_text = NULL;
    size_t bytes;
    FILE *f = fopen(path, "r"), *failure = open_memstream(&failure_text, &bytes);
    assert_non_null(f);
    size_t n = fread(text, 1, sizeof text, f);
    fclose(f);
    assert_true(n < sizeof text);
    struct drill_script *s = drill_parse(path, text, n, error, sizeof error);
    if (!s)
        fail_msg("%s", error);
    decisions_begin(&heard, path);
    bool good = drill_run(s, &(struct drill_options){.hears = hear_script, .hears_user = &heard}, failure);
    fclose(failure);
    if (!good)
        fail_msg("%s", failure_text);
    drill_free(s);
    free(failure_text);
}

static void scripts_tell_the_truth(void **state)
{
    static const char *const folders[] = {"close", "congestion", "cubic", "data", "frto", "icmp", "keepalive", "life", "loss", "options", "pacing", "prr",
                                          "rack", "sack", "sack_sender", "timer", "tlp", "undo", "window"};
    unsigned played = 0;
    (void)state;
    for (unsigned i = 0; i < COUNT_OF(folders); i++) {
        struct dirent **names;
        char path[300];
        snprintf(path, sizeof path, "tests/script/%s", folders[i]);
        int n = scandir(path, &names, NULL, alphasort);
        assert_true(n > 0);
        for (int k = 0; k < n; k++) {
            snprintf(path, sizeof path, "tests/script/%s/%s", folders[i], names[k]->d_name);
            if (strstr(path, ".pkt")) {
                play_script(path);
                played++;
            }
            free(names[k]);
        }
        free(names);
    }
    assert_true(played > 200);
    nothing_was_wrong();
}

/* ---------------------------------------------------------------- bad networks ---------------------------------------------------------------- */

struct ear {
    struct sim_node *node;
};

static void hear_node(void *user, const struct pl_trace_event *e)
{
    const struct ear *a = user;
    decisions_hear(&heard, a->node->stack, e);
}

static void play_network(const char *name, const char *text)
{
    char error[300] = "";
    struct ear ear[SIM_NODES_MAX];
    decisions_begin(&heard, name);
    struct scenario *s = scenario_read(text, strlen(text), error, sizeof error);
    if (!s)
        fail_msg("%s", error);
    struct sim_run *r = run_new(s, 1, error, sizeof error);
    if (!r)
        fail_msg("%s", error);
    for (unsigned i = 0; i < s->nodes; i++) {
        if (s->node[i].router)
            continue;
        ear[i] = (struct ear){r->node[i]};
        sim_node_trace(r->node[i], hear_node, &ear[i]);
    }
    if (!run_play(r, PL_S, NULL, NULL))
        fail_msg("%s", sim_failure(r->sim));
    run_free(r);
    scenario_free(s);
}

static const struct { const char *name, *time, *link, *more; } networks[] = {
    {"losses at random", "10s", "queue=50", "impair a>b loss chance=1%\nflow a b bulk\n"},
    {"bursts of losses", "20s", "queue=50", "impair a>b burst enter=0.05% leave=20% bad=100%\nflow a b bulk\n"},
    {"a full queue", "10s", "queue=20", "flow a b bulk\n"},
    {"a long queue", "10s", "queue=2000", "flow a b bulk\n"},
    {"reordering", "10s", "queue=50", "impair a>b reorder chance=1% behind=8\nflow a b bulk\n"},
    {"jitter and acknowledgements lost", "10s", "jitter=10ms queue=50", "impair b>a loss chance=30%\nflow a b bulk\n"},
    {"a path that stands still", "20s", "queue=50", "at 4s a<>b delay=600ms\nat 5s a<>b delay=20ms\nat 10s a<>b down\nat 13s a<>b up\nflow a b bulk\n"},
    {"requests over losses", "30s", "queue=50", "impair a<>b loss chance=5%\nflow b a request size=100 answer=30kB think=100ms\n"},
    {"on and off", "30s", "queue=50", "impair a>b loss chance=0.1%\nflow a b onoff on=1s off=3s\n"},
    {"five minutes of silence", "900s", "queue=50", "flow a b onoff on=1s off=400s\n"},
};

static void bad_networks_tell_the_truth(void **state)
{
    static const char *const hosts[] = {"cc=newreno", "cc=newreno sack=off", "cc=newreno timestamps=off", "cc=cubic", "cc=cubic timestamps=off",
                                        "cc=cubic sack=off timestamps=off", "cc=bbr", "cc=bbr sack=off", "cc=none"};
    (void)state;
    for (unsigned n = 0; n < COUNT_OF(networks); n++)
        for (unsigned h = 0; h < COUNT_OF(hosts); h++) {
            char text[1000], name[100];
            snprintf(name, sizeof name, "%s, %s", networks[n].name, hosts[h]);
            snprintf(text, sizeof text, "time %s\nhost a %s\nhost b\nlink a b rate=10Mbit delay=20ms %s\n%s", networks[n].time, hosts[h], networks[n].link,
                     networks[n].more);
            play_network(name, text);
        }
    nothing_was_wrong();
}

/* ------------------------------------------------------------- programs and memory ------------------------------------------------------------- */

static void small_tables(struct pl_config *c, enum pair_side side, void *user)
{
    (void)side, (void)user;
    c->flights_max = 1;
}

static struct pair *open_pair(const char *name, void (*configure)(struct pl_config *, enum pair_side, void *), struct ear ear[2])
{
    static struct pair p;
    struct pair_opts o;
    pair_opts_default(&o);
    o.configure = configure;
    assert_int_equal(pair_init(&p, &o), 0);
    decisions_begin(&heard, name);
    for (unsigned i = 0; i < 2; i++) {
        ear[i] = (struct ear){p.node[i]};
        sim_node_trace(p.node[i], hear_node, &ear[i]);
    }
    return &p;
}

static void go(struct pair *p, pl_time span)
{
    assert_int_not_equal(pair_run_for(p, span), SIM_FAILED);
}

static void sends(struct pair *p, struct program_conn *c, uint64_t bytes)
{
    c->plan.send_bytes += bytes;
    program_pump(c);
    sim_settle(p->node[0]);
    go(p, 2 * PL_S);
}

/* Two connections take turns with the one flight that there is. */
static void a_path_is_forgotten(void **state)
{
    struct ear ear[2];
    struct pair *p = open_pair("one flight for two", small_tables, ear);
    (void)state;
    assert_int_equal(pair_listen(p, 80, plan_hold()), 0);
    struct program_conn *c[2] = {pair_connect(p, 80, plan_hold()), pair_connect(p, 80, plan_hold())};
    go(p, PL_S);
    for (unsigned i = 0; i < 4; i++)
        sends(p, c[i % 2], 100000);
    pair_free(p);
    nothing_was_wrong();
}

/* What was not validated is gone with the algorithm: that is no use of the window. */
static void a_program_chooses_with_an_unused_window(void **state)
{
    struct ear ear[2];
    struct pair *p = open_pair("an unused window", NULL, ear);
    (void)state;
    assert_int_equal(pair_listen(p, 80, plan_hold()), 0);
    struct program_conn *c = pair_connect(p, 80, plan_hold());
    go(p, PL_S);
    sends(p, c, 1000000);
    struct pl_tcp_status st;
    unsigned used = heard.seen[PL_WHY_WINDOW_USED];
    c->plan.send_bytes += 1000;
    program_pump(c);
    sim_settle(p->node[0]);
    go(p, 5 * PL_MS);                     /* under way */
    assert_int_equal(pl_status(p->node[0]->stack, c->handle, &st, sizeof st), PL_OK);
    assert_false(st.window_validated);
    assert_int_equal(pl_set(p->node[0]->stack, c->handle, PL_OPT_CONGESTION, PL_CC_NEWRENO), PL_OK);
    go(p, PL_S);
    assert_int_equal(heard.seen[PL_WHY_WINDOW_USED], used);
    pair_free(p);
    nothing_was_wrong();
}

/* From each algorithm to each other, under way and at rest, with losses. */
static void programs_choose(void **state)
{
    struct ear ear[2];
    struct pair *p = open_pair("programs choose", NULL, ear);
    (void)state;
    impair_add(pair_impair(p, PAIR_CLIENT), &(struct impair_rule){.kind = IMPAIR_DROP, .per_million = 10000});
    assert_int_equal(pair_listen(p, 80, plan_hold()), 0);
    struct program_conn *c = pair_connect(p, 80, plan_hold());
    go(p, PL_S);
    for (unsigned from = 0; from < PL_CC_NONE; from++)
        for (unsigned to = 0; to < PL_CC_NONE; to++)
            for (unsigned under_way = 0; under_way < 2; under_way++) {
                assert_int_equal(pl_set(p->node[0]->stack, c->handle, PL_OPT_CONGESTION, from), PL_OK);
                c->plan.send_bytes += 300000;
                program_pump(c);
                sim_settle(p->node[0]);
                go(p, under_way ? 35 * PL_MS : 5 * PL_S);
                assert_int_equal(pl_set(p->node[0]->stack, c->handle, PL_OPT_CONGESTION, to), PL_OK);
                sends(p, c, 100000);
            }
    assert_true(heard.seen[PL_WHY_CC_CHOSEN] > 10);
    pair_free(p);
    nothing_was_wrong();
}

/* The last segment, which carries the FIN, is lost: alone, and with another before it. */
static void an_end_is_lost(struct pair *p, uint64_t mask, uint64_t bytes)
{
    impair_add(pair_impair(p, PAIR_CLIENT), &(struct impair_rule){.kind = IMPAIR_DROP, .masked = true, .mask = mask});
    assert_int_equal(pair_listen(p, 80, plan_sink(7)), 0);
    pair_connect(p, 80, plan_source(bytes, 7));
    assert_int_equal(pair_run(p), SIM_IDLE);
    assert_true(pair_received(pair_conn(p, PAIR_SERVER, 0), bytes));
    pair_free(p);
}

static void no_sack(struct pl_config *c, enum pair_side side, void *user)
{
    (void)side, (void)user;
    c->sack = false;
}

/* Frames of the client: SYN, its third message, and as many segments as the text has: the initial window. */
static void the_end_is_lost(void **state)
{
    struct ear ear[2];
    (void)state;
    an_end_is_lost(open_pair("the end is lost", NULL, ear), 1 << 4 | 1 << 8, 8 * 1448);
    an_end_is_lost(open_pair("the end is lost, no SACK", no_sack, ear), 1 << 4 | 1 << 8, 8 * 1448);
    an_end_is_lost(open_pair("the end alone is lost, no SACK", no_sack, ear), 1 << 8, 8 * 1448);
    nothing_was_wrong();
}

static void own_start(void *user, struct pl_cc *cc, void *state, pl_time now, pl_time srtt)
{
    (void)user, (void)state, (void)now, (void)srtt;
    cc->pacing_rate = 1000000;
}
static void own_ack(void *user, struct pl_cc *cc, void *state, const struct pl_cc_ack *a)
{
    (void)user, (void)state;
    cc->cwnd += a->acked;
}
static const char *own_describe(void *user, const struct pl_cc *cc, const void *state)
{
    (void)user, (void)state;
    return cc->cwnd / 50000 % 2 ? "this" : "that";
}
static const struct pl_cc_ops own = {.name = "own", .state_bytes = 8, .on_start = own_start, .on_ack = own_ack, .on_describe = own_describe};

/* Its own congestion control, which the next to attach the block does not have. */
static void a_program_has_its_own(void **state)
{
    struct ear ear[2];
    struct pair *p = open_pair("its own", NULL, ear);
    (void)state;
    assert_int_equal(pair_listen(p, 80, plan_hold()), 0);
    struct program_conn *c = pair_connect(p, 80, plan_hold());
    p->node[0]->env.cc = &own;
    p->node[0]->env.cc_count = 1;
    go(p, PL_S);
    assert_int_equal(pl_set(p->node[0]->stack, c->handle, PL_OPT_CONGESTION, PL_CC_USER), PL_OK);
    sends(p, c, 300000);
    assert_true(heard.seen[PL_WHY_CC_OWN] > 1);
    p->node[0]->env.cc_count = 0;
    sends(p, c, 100000);
    assert_int_equal(heard.seen[PL_WHY_CC_GONE], 1);
    pair_free(p);
    nothing_was_wrong();
}

static void small_pool(struct pl_config *c, enum pair_side side, void *user)
{
    (void)side, (void)user;
    c->chunk_bytes = 1024;
    c->chunks_max = 600;
    c->sndbuf_bytes = c->rcvbuf_bytes = 8 << 10;
    c->sndbuf_max = c->rcvbuf_max = 1 << 20;
    c->window_overcommit = 8;
    c->records_max = c->records_per_conn_max = 8192;
}

static void tiny_pool(struct pl_config *c, enum pair_side side, void *user)
{
    small_pool(c, side, user);
    c->chunks_max = 150;
    c->window_overcommit = 64;
    c->rcvbuf_bytes = c->rcvbuf_max = 200000;
    c->sndbuf_max = c->sndbuf_bytes;
}

/* One alone, then sixteen; some do not read for a while, and segments are lost. */
static void sixteen_share(struct pair *p)
{
    assert_int_equal(pair_listen(p, 80, plan_sink(7)), 0);
    for (unsigned i = 0; i < 16; i++) {
        pair_connect(p, 80, plan_source(1000000, 7));
        go(p, i ? 50 * PL_MS : 2 * PL_S);
    }
    impair_add(pair_impair(p, PAIR_CLIENT), &(struct impair_rule){.kind = IMPAIR_DROP, .per_million = 50000});
    for (unsigned n = 0; n < 60; n++) {
        for (unsigned i = 0; i < 16; i++) {
            struct program_conn *c = pair_conn(p, PAIR_SERVER, i);
            if (!c)
                continue;                 /* its handshake was not done yet: there was no memory */
            c->plan.paused = n < 50 && (i + n / 5) % 3 == 0;
            program_pump(c);
        }
        sim_settle(p->node[1]);
        go(p, 500 * PL_MS);
    }
    pair_free(p);
}

static void memory_is_short(void **state)
{
    struct ear ear[2];
    (void)state;
    sixteen_share(open_pair("memory is short", small_pool, ear));
    sixteen_share(open_pair("memory is very short", tiny_pool, ear));
    nothing_was_wrong();
}

/* ------------------------------------------------------------------- reasons ------------------------------------------------------------------- */

/* What concerns the opening and closing of connections, receivers, and what is no TCP; other tests have these. All others, those to come included, must be seen
 * here. */
static const uint16_t elsewhere[] = {
    PL_WHY_SYN_CONNECT, PL_WHY_SYN_REPEAT, PL_WHY_SYN_ACK_ANSWER, PL_WHY_SYN_ACK_REPEAT, PL_WHY_SYN_ACK_COOKIE, PL_WHY_SYN_ACK_CROSSED, PL_WHY_ACK_HANDSHAKE,
    PL_WHY_ACK_NOW, PL_WHY_ACK_SECOND, PL_WHY_ACK_DELAYED, PL_WHY_ACK_OUT_OF_ORDER, PL_WHY_ACK_GAP_FILLED, PL_WHY_ACK_FIN, PL_WHY_ACK_DUPLICATE,
    PL_WHY_ACK_DSACK, PL_WHY_ACK_TIME_WAIT, PL_WHY_ACK_TOO_NEW, PL_WHY_ACK_CHALLENGE, PL_WHY_WINDOW_UPDATE, PL_WHY_PROBE_KEEPALIVE, PL_WHY_RST_CLOSED,
    PL_WHY_RST_REFUSED, PL_WHY_RST_DENIED, PL_WHY_RST_BAD_ACK, PL_WHY_RST_ABORT, PL_WHY_RST_UNREAD, PL_WHY_RST_DATA_AFTER_CLOSE, PL_WHY_RST_TIMEOUT,
    PL_WHY_TOO_MANY_ORPHANS, PL_WHY_ARP_REQUEST, PL_WHY_ARP_REPLY, PL_WHY_ND_SOLICIT, PL_WHY_ND_ADVERTISE, PL_WHY_ECHO_REPLY, PL_WHY_ECHO_REQUEST,
    PL_WHY_ICMP_PORT_UNREACHABLE, PL_WHY_ICMP_PROTOCOL_UNREACHABLE, PL_WHY_ICMP_REFUSAL, PL_WHY_ICMP_PARAMETER_PROBLEM, PL_WHY_UDP_DATAGRAM,
    PL_WHY_CALL_CONNECT, PL_WHY_CALL_FINISH, PL_WHY_CALL_ABORT, PL_WHY_GOT_SYN, PL_WHY_GOT_SYN_ACK, PL_WHY_GOT_SYN_CROSSED, PL_WHY_GOT_ACK_OF_SYN,
    PL_WHY_GOT_FIN, PL_WHY_GOT_ACK_OF_FIN, PL_WHY_GOT_RST, PL_WHY_GOT_ICMP, PL_WHY_GOT_NEW_SYN, PL_WHY_TIME_WAIT_AGAIN, PL_WHY_TIME_WAIT_REUSED,
    PL_WHY_CALL_REFUSE, PL_WHY_NO_WAY, PL_WHY_TIMER_UNDECIDED, PL_WHY_TIMER_KEEPALIVE, PL_WHY_TIMER_USER, PL_WHY_TIMER_2MSL, PL_WHY_TIMER_FIN_WAIT_2,
    PL_WHY_TIMER_ORPHAN, PL_WHY_TIMER_ORPHAN_LIFETIME, PL_WHY_RECYCLED, PL_WHY_LISTENER_CLOSED, PL_WHY_IFACE_GONE, PL_WHY_WSCALE_CLAMPED,
    PL_WHY_USER_TIMEOUT_ADOPTED, PL_WHY_SYN_DEFERRED,
};

static bool is_elsewhere(unsigned why)
{
    for (unsigned i = 0; i < COUNT_OF(elsewhere); i++)
        if (elsewhere[i] == why)
            return true;
    return false;
}

static void each_reason_of_a_sender_was_seen(void **state)
{
    static const uint16_t all[] = {
#define X(name, sentence, rule) PL_WHY_##name,
#include <parley/reasons.def>
#undef X
    };
    (void)state;
    unsigned missing = 0;
    for (unsigned i = 0; i < COUNT_OF(all); i++) {
        if (heard.seen[all[i]] == 0 && !is_elsewhere(all[i])) {
            print_message("never seen: %s\n", pl_reason_name((enum pl_reason)all[i]));
            missing++;
        }
    }
    print_message("%u frames looked at\n", heard.looked);
    assert_int_equal(missing, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scripts_tell_the_truth),
        cmocka_unit_test(bad_networks_tell_the_truth),
        cmocka_unit_test(a_path_is_forgotten),
        cmocka_unit_test(a_program_chooses_with_an_unused_window),
        cmocka_unit_test(programs_choose),
        cmocka_unit_test(the_end_is_lost),
        cmocka_unit_test(a_program_has_its_own),
        cmocka_unit_test(memory_is_short),
        cmocka_unit_test(each_reason_of_a_sender_was_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
