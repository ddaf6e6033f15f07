/* SPDX-License-Identifier: MIT
 *
 * test_world.c: the deterministic network with machines simpler than a TCP stack in its hosts: what they send is written down beforehand,
 * and what they receive is written into a log.
 */
#include "sim/world.h"
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* A machine sends `burst` frames of `bytes` bytes, numbered in their first byte, every `every` ns from time `first` on, `bursts` times. */
struct machine {
    struct sim_node *node;
    pl_time next, every;
    unsigned bursts, burst, pending, serial;
    size_t bytes;
    bool echo;                            /* sends what it receives back, once */
    uint8_t echo_byte;
    bool lies_about_deadline, sends_forever, has_events_forever;
    pl_time polled, polls;
};

static char log_text[100000];
static struct sim *sim;

static void say(const char *format, ...)
{
    size_t n = strlen(log_text);
    va_list args;
    va_start(args, format);
    vsnprintf(log_text + n, sizeof log_text - n, format, args);
    va_end(args);
}

static int machine_rx(struct sim_node *n, int iface, const struct pl_frame *f, size_t count, pl_time now)
{
    struct machine *m = n->machine;
    for (size_t i = 0; i < count; i++) {
        const uint8_t *b = f[i].span[0].base;
        say("%" PRIu64 " %s/%d got %zu:%u\n", now, n->name, iface, f[i].span[0].len, b[0]);
        if (m->echo) {
            m->pending++;
            m->echo_byte = b[0];
        }
    }
    return 0;
}

static int machine_tx(struct sim_node *n, int iface, struct pl_frame *f, size_t count, pl_time now)
{
    static uint8_t body[70000];
    struct machine *m = n->machine;
    size_t i = 0;
    (void)iface;
    (void)now;
    for (; i < count && (m->pending || m->sends_forever); i++) {
        if (!m->sends_forever) m->pending--;
        uint8_t *first = f[i].span[0].base;
        first[0] = m->echo ? m->echo_byte : (uint8_t)m->serial++;
        f[i].span[0].len = 1;
        f[i].span[1] = (struct pl_span){body, (m->bytes ? m->bytes : 1) - 1};
        f[i].nspans = 2;
    }
    return (int)i;
}

static void machine_poll(struct sim_node *n, pl_time now)
{
    struct machine *m = n->machine;
    m->polls++;
    m->polled = now;
    while (m->bursts && m->next <= now) {
        m->bursts--;
        m->pending += m->burst;
        m->next += m->every;
    }
}

static pl_time machine_deadline(const struct sim_node *n)
{
    const struct machine *m = n->machine;
    if (m->lies_about_deadline || m->pending) return 0;
    return m->bursts ? m->next : PL_NEVER;
}

static bool machine_event(struct sim_node *n, struct pl_event *e)
{
    const struct machine *m = n->machine;
    *e = (struct pl_event){.handle = 7, .bits = PL_EV_READABLE};
    return m->has_events_forever;
}

static const struct sim_node_ops machine_ops = {machine_rx, machine_tx, machine_poll, machine_deadline, machine_event};

static void tap(void *user, const struct sim_tap_event *e)
{
    static const char *const name[] = {"sent", "lost", "duplicated", "delayed", "corrupted", "injected", "arriving"};
    (void)user;
    if (e->fate == SIM_SENT || e->fate == SIM_ARRIVING) return;
    say("%" PRIu64 " side %u #%" PRIu64 ".%u %s%s%s\n", e->now, e->from, e->packet->id, (unsigned)e->packet->copy, name[e->fate],
        e->why ? ": " : "", e->why ? e->why : "");
}

static struct machine a, b;

static struct sim_link *world(uint64_t seed, struct sim_link_params p)
{
    log_text[0] = 0;
    sim = sim_new(seed);
    a.node = sim_add_node(sim, "a", &machine_ops, &a);
    b.node = sim_add_node(sim, "b", &machine_ops, &b);
    sim_tap(sim, tap, NULL);
    return sim_add_link(sim, &p, a.node, 0, b.node, 0);
}

static int begin(void **x)
{
    (void)x;
    memset(&a, 0, sizeof a);
    memset(&b, 0, sizeof b);
    return 0;
}

static int end(void **x)
{
    (void)x;
    sim_free(sim);
    sim = NULL;
    return 0;
}

static void transmission_time_is_exact_and_rounded_up(void **x)
{
    (void)x;
    assert_int_equal(sim_transmit_ns(1500, 0), 0);
    assert_int_equal(sim_transmit_ns(1500, 1000000000), 12000);
    assert_int_equal(sim_transmit_ns(1, 3), 2666666667);
    assert_int_equal(sim_transmit_ns(1, 1), 8 * PL_S);
    assert_int_equal(sim_transmit_ns(65535, 100000000000), 5243);      /* 5242.8 */
    assert_int_equal(sim_transmit_ns(2147483648, 1), 17179869184 * PL_S);
    assert_int_equal(sim_transmit_ns(1, UINT64_MAX), 1);
}

static void a_frame_needs_its_transmission_and_the_delay(void **x)
{
    (void)x;
    a = (struct machine){.next = 5, .bursts = 1, .burst = 3, .bytes = 1250};
    world(1, (struct sim_link_params){.rate = 1000000, .delay = 7 * PL_MS});
    assert_int_equal(sim_run_idle(sim, PL_NEVER), SIM_IDLE);
    /* 1250 bytes at 1 Mbit/s: 10 ms each, one after the other; 7 ms of way; the first starts at 5 ns */
    assert_string_equal(log_text, "17000005 b/0 got 1250:0\n27000005 b/0 got 1250:1\n37000005 b/0 got 1250:2\n");
    assert_int_equal(sim->now, 37000005);
}

static void without_a_rate_only_the_delay_counts(void **x)
{
    (void)x;
    a = (struct machine){.next = 0, .bursts = 1, .burst = 2, .bytes = 1250};
    world(1, (struct sim_link_params){.delay = 7});
    assert_int_equal(sim_run_idle(sim, PL_NEVER), SIM_IDLE);
    assert_string_equal(log_text, "7 b/0 got 1250:0\n7 b/0 got 1250:1\n");
}

static void directions_do_not_wait_for_each_other(void **x)
{
    (void)x;
    a = (struct machine){.bursts = 1, .burst = 1, .bytes = 1250};
    b = (struct machine){.bursts = 1, .burst = 1, .bytes = 1250};
    world(1, (struct sim_link_params){.rate = 1000000});
    sim_run_idle(sim, PL_NEVER);
    assert_string_equal(log_text, "10000000 b/0 got 1250:0\n10000000 a/0 got 1250:0\n");
}

static void nothing(struct sim *s, void *user)
{
    say("%" PRIu64 " call %s\n", s->now, (const char *)user);
}

static void equal_times_happen_in_order_of_insertion(void **x)
{
    (void)x;
    world(1, (struct sim_link_params){0});
    for (unsigned i = 0; i < 26; i++) {
        static char name[26][2];
        name[i][0] = (char)('a' + i);
        sim_at(sim, i % 2 ? 50 : 100, nothing, name[i]);
    }
    sim_run_idle(sim, PL_NEVER);
    char want[2000] = "";
    for (unsigned round = 0; round < 2; round++)
        for (unsigned i = 1 - round; i < 26; i += 2)
            sprintf(want + strlen(want), "%u call %c\n", round ? 100 : 50, 'a' + i);
    assert_string_equal(log_text, want);
}

static void a_full_queue_drops_the_newest(void **x)
{
    (void)x;
    a = (struct machine){.bursts = 1, .burst = 5, .bytes = 1250};
    world(1, (struct sim_link_params){.rate = 1000000, .queue_packets = 2});
    sim_run_idle(sim, PL_NEVER);
    /* one is being transmitted, two wait */
    assert_string_equal(log_text, "0 side 0 #4.0 lost: the link's queue is full\n0 side 0 #5.0 lost: the link's queue is full\n"
                                  "10000000 b/0 got 1250:0\n20000000 b/0 got 1250:1\n30000000 b/0 got 1250:2\n");
    end(NULL);
    a = (struct machine){.bursts = 1, .burst = 4, .bytes = 1250};
    world(1, (struct sim_link_params){.rate = 1000000, .queue_bytes = 2499});
    sim_run_idle(sim, PL_NEVER);
    assert_string_equal(log_text, "0 side 0 #3.0 lost: the link's queue is full\n0 side 0 #4.0 lost: the link's queue is full\n"
                                  "10000000 b/0 got 1250:0\n20000000 b/0 got 1250:1\n");
}

static void the_queue_empties_as_frames_start(void **x)
{
    (void)x;
    a = (struct machine){.bursts = 500, .burst = 1, .every = 10 * PL_MS, .bytes = 1250};
    struct sim_link *l = world(1, (struct sim_link_params){.rate = 1000000, .queue_packets = 1});
    sim_run_idle(sim, PL_NEVER);
    assert_int_equal(l->dir[0].lost, 0);
    assert_int_equal(l->dir[0].delivered, 500);
    assert_int_equal(sim->now, 5 * PL_S);
}

static void a_frame_above_the_mtu_is_lost(void **x)
{
    (void)x;
    a = (struct machine){.bursts = 1, .burst = 1, .bytes = 1501};
    world(1, (struct sim_link_params){.mtu = 1500});
    sim_run_idle(sim, PL_NEVER);
    assert_string_equal(log_text, "0 side 0 #1.0 lost: larger than the link's MTU\n");
    end(NULL);
    a = (struct machine){.bursts = 1, .burst = 1, .bytes = 1514};
    world(1, (struct sim_link_params){.mtu = 1500, .ethernet = true});
    sim_run_idle(sim, PL_NEVER);
    assert_string_equal(log_text, "0 b/0 got 1514:0\n");
}

static void impairments_act_per_direction_and_are_told(void **x)
{
    (void)x;
    a = (struct machine){.bursts = 1, .burst = 5, .bytes = 10};
    b = (struct machine){.bursts = 1, .burst = 1, .bytes = 10};
    struct sim_link *l = world(1, (struct sim_link_params){.delay = 10});
    impair_drop_nth(sim_link_impair(l, 0), 1);
    impair_duplicate_nth(sim_link_impair(l, 0), 2);
    impair_delay_nth(sim_link_impair(l, 0), 3, 5);
    impair_reorder_nth(sim_link_impair(l, 0), 4, 1);
    sim_run_idle(sim, PL_NEVER);
    assert_string_equal(log_text,
        "0 side 0 #1.0 lost: lost on the way\n"
        "0 side 0 #2.1 duplicated: the network repeats it\n"
        "0 side 0 #3.0 delayed: delayed on the way\n"
        "0 side 0 #4.0 delayed: held back until others have overtaken it\n"
        "10 b/0 got 10:1\n10 b/0 got 10:1\n10 b/0 got 10:4\n10 b/0 got 10:3\n10 a/0 got 10:0\n15 b/0 got 10:2\n");
}

static void a_held_frame_that_nobody_overtakes_arrives_later(void **x)
{
    (void)x;
    a = (struct machine){.bursts = 1, .burst = 1, .bytes = 10};
    struct sim_link *l = world(1, (struct sim_link_params){.delay = 10});
    impair_reorder_nth(sim_link_impair(l, 0), 1, 3)->delay = 100;
    sim_run_idle(sim, PL_NEVER);
    assert_string_equal(log_text, "0 side 0 #1.0 delayed: held back until others have overtaken it\n110 b/0 got 10:0\n");
}

static void an_injected_frame_arrives_at_its_time(void **x)
{
    (void)x;
    struct sim_link *l = world(1, (struct sim_link_params){.delay = 10});
    sim_inject(l, 1, "\x63old", 4, 77);
    sim_run_idle(sim, PL_NEVER);
    assert_string_equal(log_text, "0 side 0 #1.0 injected\n77 b/0 got 4:99\n");
}

/* A lossy run with both sides talking and answering. */
static const char *long_run(uint64_t seed)
{
    static char kept[2][sizeof log_text];
    static int turn;
    memset(&a, 0, sizeof a);
    memset(&b, 0, sizeof b);
    a = (struct machine){.bursts = 100, .burst = 3, .every = PL_MS, .bytes = 900};
    b = (struct machine){.echo = true, .bytes = 64};
    struct sim_link *l = world(seed, (struct sim_link_params){.rate = 20000000, .delay = 3 * PL_MS, .queue_packets = 20});
    for (unsigned i = 0; i < 2; i++) {
        impair_loss(sim_link_impair(l, i), 50000);
        impair_add(sim_link_impair(l, i), &(struct impair_rule){.kind = IMPAIR_DELAY, .per_million = 100000, .delay = 2 * PL_MS});
        impair_add(sim_link_impair(l, i), &(struct impair_rule){.kind = IMPAIR_DUPLICATE, .per_million = 50000});
        impair_add(sim_link_impair(l, i), &(struct impair_rule){.kind = IMPAIR_CORRUPT, .per_million = 50000, .bit = IMPAIR_ANY_BIT});
        impair_add(sim_link_impair(l, i), &(struct impair_rule){.kind = IMPAIR_REORDER, .per_million = 50000, .behind = 2});
    }
    sim_run_idle(sim, PL_NEVER);
    end(NULL);
    turn = !turn;
    return strcpy(kept[turn], log_text);
}

static void the_same_seed_gives_the_same_bytes(void **x)
{
    (void)x;
    const char *first = long_run(42);
    assert_true(strlen(first) > 8000);
    assert_string_equal(first, long_run(42));
    assert_string_not_equal(long_run(42), long_run(43));
}

static void a_run_can_be_cut_anywhere_without_a_difference(void **x)
{
    (void)x;
    char whole[4000];
    a = (struct machine){.bursts = 10, .burst = 2, .every = 10, .bytes = 100};
    world(1, (struct sim_link_params){.delay = 25});
    sim_run_idle(sim, PL_NEVER);
    strcpy(whole, log_text);
    end(NULL);
    a = (struct machine){.bursts = 10, .burst = 2, .every = 10, .bytes = 100};
    world(1, (struct sim_link_params){.delay = 25});
    for (pl_time t = 0; t < 200; t += 7)
        sim_run_until(sim, t);
    assert_string_equal(log_text, whole);
}

static void run_until_stops_at_the_time_and_tells_the_stacks(void **x)
{
    (void)x;
    a = (struct machine){.next = 100, .bursts = 1, .burst = 1, .bytes = 1};
    world(1, (struct sim_link_params){.delay = 10});
    assert_int_equal(sim_run_until(sim, 105), SIM_BOUND);
    assert_int_equal(sim->now, 105);
    assert_int_equal(b.polled, 105);
    assert_string_equal(log_text, "");
    assert_int_equal(sim_run_until(sim, 110), SIM_IDLE);
    assert_string_equal(log_text, "110 b/0 got 1:0\n");
}

static void run_idle_stops_at_its_bound(void **x)
{
    (void)x;
    a = (struct machine){.next = 100, .every = 100, .bursts = 1000000, .burst = 1, .bytes = 1};
    world(1, (struct sim_link_params){0});
    assert_int_equal(sim_run_idle(sim, 1000), SIM_BOUND);
    assert_int_equal(sim->now, 1000);
}

static void idle_is_not_put_off_by_a_deadline_that_was_taken_back(void **x)
{
    (void)x;
    world(1, (struct sim_link_params){0});
    sim_node_wake(a.node, 500);
    sim_node_wake(a.node, PL_NEVER);
    assert_int_equal(sim_run_idle(sim, PL_NEVER), SIM_IDLE);
    assert_int_equal(sim->now, 0);
}

static void on_time(struct sim_node *n)
{
    const struct machine *m = n->machine;
    say("%" PRIu64 " %s wakes, polled at %" PRIu64 "\n", n->sim->now, n->name, m->polled);
}

static void a_program_is_woken_when_it_asked(void **x)
{
    (void)x;
    world(1, (struct sim_link_params){0});
    a.node->on_time = b.node->on_time = on_time;
    sim_node_wake(b.node, 30);
    sim_node_wake(a.node, 20);
    sim_run_idle(sim, PL_NEVER);
    assert_string_equal(log_text, "20 a wakes, polled at 20\n30 b wakes, polled at 30\n");
}

static void power_on(struct sim *s, void *user)
{
    (void)s;
    sim_node_power(user, true);
}

static void a_host_without_power_neither_takes_nor_gives(void **x)
{
    (void)x;
    a = (struct machine){.bursts = 3, .burst = 1, .every = 10, .bytes = 1};
    b = (struct machine){.next = 5, .bursts = 1, .burst = 1, .bytes = 1};
    world(1, (struct sim_link_params){0});
    sim_node_power(b.node, false);
    sim_at(sim, 15, power_on, b.node);
    assert_int_equal(sim_run_idle(sim, PL_NEVER), SIM_IDLE);
    assert_string_equal(log_text, "0 side 0 #1.0 lost: the host is switched off\n10 side 0 #2.0 lost: the host is switched off\n"
                                  "15 a/0 got 1:0\n20 b/0 got 1:2\n");
}

static void a_deadline_that_is_not_in_the_future_is_reported(void **x)
{
    (void)x;
    world(1, (struct sim_link_params){0});
    a.lies_about_deadline = true;
    assert_int_equal(sim_run_idle(sim, PL_NEVER), SIM_FAILED);
    assert_non_null(strstr(sim_failure(sim), "a is idle but its deadline is 0"));
}

static void a_stack_that_never_stops_sending_is_reported(void **x)
{
    (void)x;
    world(1, (struct sim_link_params){0});
    sim->spin_limit = 1000;
    b.sends_forever = true;
    assert_int_equal(sim_run_idle(sim, PL_NEVER), SIM_FAILED);
    assert_non_null(strstr(sim_failure(sim), "b does not come to rest: "));
    assert_non_null(strstr(sim_failure(sim), "last frame: 1 bytes on interface 0"));
}

static void a_stack_that_never_stops_telling_is_reported(void **x)
{
    (void)x;
    world(1, (struct sim_link_params){0});
    sim->spin_limit = 1000;
    b.has_events_forever = true;
    assert_int_equal(sim_run_idle(sim, PL_NEVER), SIM_FAILED);
    assert_non_null(strstr(sim_failure(sim), "last event: handle 0x7 bits 0x4"));
}

static void a_storm_between_hosts_at_one_instant_is_reported(void **x)
{
    (void)x;
    a = (struct machine){.bursts = 1, .burst = 1, .bytes = 1, .echo = true};
    b = (struct machine){.echo = true, .bytes = 1};
    world(1, (struct sim_link_params){0});
    sim->spin_limit = 1000;
    assert_int_equal(sim_run_idle(sim, PL_NEVER), SIM_FAILED);
    assert_non_null(strstr(sim_failure(sim), "the clock stands still"));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        T(transmission_time_is_exact_and_rounded_up),
        T(a_frame_needs_its_transmission_and_the_delay),
        T(without_a_rate_only_the_delay_counts),
        T(directions_do_not_wait_for_each_other),
        T(equal_times_happen_in_order_of_insertion),
        T(a_full_queue_drops_the_newest),
        T(the_queue_empties_as_frames_start),
        T(a_frame_above_the_mtu_is_lost),
        T(impairments_act_per_direction_and_are_told),
        T(a_held_frame_that_nobody_overtakes_arrives_later),
        T(an_injected_frame_arrives_at_its_time),
        T(the_same_seed_gives_the_same_bytes),
        T(a_run_can_be_cut_anywhere_without_a_difference),
        T(run_until_stops_at_the_time_and_tells_the_stacks),
        T(run_idle_stops_at_its_bound),
        T(idle_is_not_put_off_by_a_deadline_that_was_taken_back),
        T(a_program_is_woken_when_it_asked),
        T(a_host_without_power_neither_takes_nor_gives),
        T(a_deadline_that_is_not_in_the_future_is_reported),
        T(a_stack_that_never_stops_sending_is_reported),
        T(a_stack_that_never_stops_telling_is_reported),
        T(a_storm_between_hosts_at_one_instant_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
