/* SPDX-License-Identifier: MIT
 *
 * test_scenario.c: scenarios as text: each mistake has its sentence and its line; each example in sim/scenarios/ runs and shows what it is for; a run is (scenario,
 * seed) and nothing else.
 */
#include "support/unit.h"

#include "sim/run.h"
#include <dirent.h>
#include <stdio.h>

#define SCENARIOS "sim/scenarios"          /* tests run at the top of the checkout */

#define NET "time 1s\nhost a\nhost b\nlink a b\n"

static void each_mistake_has_its_line_and_sentence(void **x)
{
    (void)x;
    static const struct { const char *text, *error; } bad[] = {
        {"", "it does not say how long it runs: time 30s"},
        {"time 0s", "line 1: time 0s: a run lasts longer than that"},
        {"time 1s", "nothing happens in it: flow A B bulk"},
        {"time 1s\nwarmup 1s\nhost a\nhost b\nlink a b\nflow a b bulk", "the warmup lasts as long as the run, or longer"},
        {"\n# remark\nhots a", "line 3: there is no \"hots\"; a line begins with one of seed time warmup host router link way impair flow at"},
        {"time", "line 1: the form is: time T"},
        {"time 1s 2s", "line 1: the form is: time T"},
        {"time 5", "line 1: time 5: expected a time such as 20ms or 1.5s, at most 1000h"},
        {"time 1.s", "line 1: time 1.s: expected a time such as 20ms or 1.5s, at most 1000h"},
        {"time 0.5ns", "line 1: time 0.5ns: expected a time such as 20ms or 1.5s, at most 1000h"},
        {"time 99999999999999999999999s", "line 1: time 99999999999999999999999s: expected a time such as 20ms or 1.5s, at most 1000h"},
        {"time 1001h", "line 1: time 1001h: expected a time such as 20ms or 1.5s, at most 1000h"},
        {"seed x", "line 1: seed x: expected a whole number of up to 19 digits"},
        {"host a/b", "line 1: \"a/b\" is no name: up to 15 letters, digits, - and _"},
        {"host sixteenletters_x", "line 1: \"sixteenletters_x\" is no name: up to 15 letters, digits, - and _"},
        {"host a\nrouter a", "line 2: a was named in line 1 already"},
        {"host a x=1", "line 1: there is no \"x\" here; there is cc sndbuf rcvbuf sndbuf-max rcvbuf-max timestamps sack wscale csum-offload delayed-ack rto-min"},
        {"host a cc=vegas", "line 1: cc=vegas: expected one of newreno cubic bbr none"},
        {"host a sndbuf=1", "line 1: sndbuf=1: expected a number of bytes such as 1500 or 64kB, from 2KiB to 1GiB"},
        {"host a sndbuf=1MiB sndbuf-max=64kB", "line 1: sndbuf-max is less than sndbuf"},
        {"host a rcvbuf-max=64kB rcvbuf=1MiB", "line 1: rcvbuf-max is less than rcvbuf"},
        {"\033[2J\007", "line 1: there is no \"?[2J?\"; a line begins with one of seed time warmup host router link way impair flow at"},
        {"host a sack=maybe", "line 1: sack=maybe: expected on or off"},
        {"host a sack=on sack=off", "line 1: sack is said twice"},
        {"link a b", "line 1: no host or router \"a\" was named above"},
        {"host a\nlink a a", "line 2: a link has two ends"},
        {NET "link b a", "line 5: b and a were linked in line 4 already"},
        {NET "host c\nlink a c", "line 6: host a has a link already; what has several is a router"},
        {"host a\nhost b\nlink a b rate=fast", "line 3: rate=fast: expected a rate such as 10Mbit, from 8bit to 100Gbit"},
        {"host a\nhost b\nlink a b rate=200Gbit", "line 3: rate=200Gbit: expected a rate such as 10Mbit, from 8bit to 100Gbit"},
        {"host a\nhost b\nlink a b queue=0", "line 3: queue=0: expected a whole number, at least 1"},
        {"host a\nhost b\nlink a b aqm=red", "line 3: aqm=red: expected one of droptail codel"},
        {"host a\nhost b\nlink a b ecn", "line 3: target, interval and ecn are CoDel's: aqm=codel"},
        {"host a\nhost b\nlink a b mtu=100", "line 3: mtu=100: expected a whole number, from 576 to 65535"},
        {NET "way a=b rate=1Mbit", "line 5: \"a=b\" is no way: a>b is one, a<>b are both"},
        {NET "way a<b rate=1Mbit", "line 5: \"a<b\" is no way: a>b is one, a<>b are both"},
        {NET "way a>c rate=1Mbit", "line 5: no host or router \"c\" was named above"},
        {NET "host c\nway a>c rate=1Mbit", "line 6: no link between a and c was named above"},
        {NET "at soon a>b down", "line 5: at soon: expected a time such as 20ms or 1.5s, at most 1000h"},
        {NET "at 1s a>b down now", "line 5: nothing may follow \"down\""},
        {NET "at 1s a>b target=1ms", "line 5: target, interval and ecn are CoDel's: aqm=codel"},
        {NET "impair a>b fire", "line 5: there is no impairment \"fire\"; there is loss burst duplicate delay reorder corrupt strip bleach-ecn mark-ecn block-icmp"},
        {NET "impair a>b loss chance=101%", "line 5: chance=101%: expected a chance such as 1% or 0.01%"},
        {NET "impair a>b loss chance=0.00001%", "line 5: chance=0.00001%: expected a chance such as 1% or 0.01%"},
        {NET "impair a>b loss chance=1% nth=3", "line 5: chance, nth and mask exclude each other"},
        {NET "impair a>b loss count=3", "line 5: count goes with nth"},
        {NET "impair a>b loss mask=012", "line 5: mask=012: expected up to 64 digits 0 and 1, the first frame's first"},
        {NET "impair a>b loss only=udp", "line 5: only=udp: expected one of data ack syn icmp"},
        {NET "impair a>b loss from=2s until=1s", "line 5: it ends before it begins"},
        {NET "impair a>b burst enter=1%", "line 5: burst needs enter=CHANCE and leave=CHANCE"},
        {NET "impair a>b burst chance=1%", "line 5: there is no \"chance\" here; there is only from until enter leave bad good"},
        {NET "impair a>b delay chance=1%", "line 5: delay needs by=..."},
        {NET "impair a>b reorder", "line 5: reorder needs behind=..."},
        {NET "impair a>b strip", "line 5: strip needs options=..."},
        {NET "impair a>b strip options=mss,wscales", "line 5: options=mss,wscales: expected some of, with commas between: mss wscale sackok timestamps sack uto other"},
        {NET "impair a>b block-icmp only=data", "line 5: block-icmp is about ICMP only"},
        {NET "flow a b", "line 5: the form is: flow A B KIND [setting=value ...]"},
        {NET "flow a b flood", "line 5: there is no flow \"flood\"; there is bulk request rated onoff"},
        {NET "flow a a bulk", "line 5: a flow goes from one host to another"},
        {NET "flow a b request size=1", "line 5: request needs size=BYTES and answer=BYTES"},
        {NET "flow a b bulk cc=", "line 5: cc=: expected one of newreno cubic bbr none"},
        {NET "flow a b rated", "line 5: rated needs rate=RATE"},
        {NET "flow a b onoff on=1s", "line 5: onoff needs on=TIME and off=TIME"},
        {NET "flow a b bulk start=2s stop=1s", "line 5: it stops before it starts"},
        {NET "flow a b bulk name=x\nflow a b bulk name=x", "line 6: a flow named x stands in line 5 already"},
        {NET "router r\nflow a r bulk", "line 6: r is a router: flows go from host to host"},
        {NET "way b>a mtu=1279\nflow b a rated rate=1Mbit v6", "line 6: IPv6 needs an MTU of 1280; that of b has 1279"},
        {NET "host c\nflow a c bulk", "line 6: no links lead from a to c"},
        {"time 1s\nhost a\nhost b\nhost c\nlink a b\nlink b c", "line 6: host b has a link already; what has several is a router"},
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        char error[500] = "";
        struct scenario *s = scenario_read(bad[i].text, strlen(bad[i].text), error, sizeof error);
        if (s || strcmp(error, bad[i].error)) fail_msg("%s\ngives: %s\ninstead of: %s", bad[i].text, s ? "no error" : error, bad[i].error);
    }
    char error[100];
    assert_null(scenario_read("time 1s\0", 8, error, sizeof error));
    assert_string_equal(error, "it holds a byte 0: this is no text");
}

static void limits_are_named(void **x)
{
    (void)x;
    static const struct { const char *line, *error; unsigned n; } many[] = {
        {"host h%u", "more than 64 hosts and routers", 70}, {"flow a b bulk name=f%u", "more than 64 flows", 70},
        {"at %us a>b down", "more than 256 changes", 300}, {"impair a>b loss nth=1%u", "more than 128 impairments, or 32 of one link", 40}};
    for (size_t i = 0; i < COUNT_OF(many); i++) {
        static char text[20000];
        char error[300] = "";
        size_t at = (size_t)sprintf(text, NET);
        for (unsigned k = 0; k < many[i].n; k++) {
            at += (size_t)sprintf(text + at, many[i].line, k);
            text[at++] = '\n';
        }
        assert_null(scenario_read(text, at, error, sizeof error));
        if (!strstr(error, many[i].error)) fail_msg("%s: %s", many[i].line, error);
    }
    char words[200] = "host a", error[100];
    for (unsigned i = 0; i < 40; i++)
        strcat(words, " x");
    assert_null(scenario_read(words, strlen(words), error, sizeof error));
    assert_string_equal(error, "line 1: more than 32 words");
}

static void no_bytes_whatever_break_the_reader(void **x)
{
    (void)x;
    /* A good scenario with words left out, doubled, cut and exchanged for others' */
    static const char good[] = NET "router r\nway a>b rate=10Mbit delay=5ms jitter=1ms queue=10 aqm=codel target=5ms ecn mtu=1400\n"
                               "impair a<>b burst enter=1% leave=10%\nimpair a>b strip options=mss,sack only=syn\nimpair a>b loss mask=0101\n"
                               "at 1s a>b rate=1Mbit\nflow a b onoff on=1s off=20ms rate=1Mbit bytes=10kB v6 name=x\n";
    struct sim_prng dice;
    unsigned fine = 0;
    sim_prng_seed(&dice, 5);
    for (unsigned round = 0; round < 20000; round++) {
        char text[sizeof good + 100], error[500];
        size_t n = sizeof good - 1;
        memcpy(text, good, n);
        for (unsigned k = sim_prng_below(&dice, 4); k > 0; k--) {
            size_t at = sim_prng_below(&dice, (uint32_t)n), from = sim_prng_below(&dice, (uint32_t)n), len = sim_prng_below(&dice, 12);
            if (at + len > n || from + len > n) continue;
            if (k & 1) memmove(text + at, text + from, len);
            else text[at] = " \n=,.%<>#09az-"[sim_prng_below(&dice, 14)];
        }
        if (!(round & 7)) n = sim_prng_below(&dice, (uint32_t)n);
        struct scenario *s = scenario_read(text, n, error, sizeof error);
        fine += s != NULL;
        scenario_free(s);
    }
    assert_in_range(fine, 3000, 17000);
}

/* ---------------------------------------- runs ---------------------------------------- */

static struct scenario *scenario;
static struct sim_run *run;

static int end(void **x)
{
    (void)x;
    run_free(run);
    scenario_free(scenario);
    run = NULL;
    scenario = NULL;
    return 0;
}

static void load(const char *text, size_t n, const char *name)
{
    char error[500];
    end(NULL);
    scenario = scenario_read(text, n, error, sizeof error);
    if (!scenario) fail_msg("%s: %s", name, error);
}

static void load_example(const char *name)
{
    static char text[20000];
    char path[300];
    snprintf(path, sizeof path, SCENARIOS "/%s", name);
    FILE *f = fopen(path, "r");
    if (!f) fail_msg("%s cannot be read", path);
    size_t n = fread(text, 1, sizeof text, f);
    fclose(f);
    load(text, n, path);
}

static void play(uint64_t seed, pl_time every)
{
    char why[600];
    run_free(run);
    run = run_new(scenario, seed, why, sizeof why);
    if (!run) fail_msg("%s", why);
    if (!run_play(run, every, NULL, NULL)) fail_msg("%s", sim_failure(run->sim));
}

static void example(const char *name)
{
    load_example(name);
    play(scenario->seed, PL_S);
}

static void text(const char *t)
{
    load(t, strlen(t), "text");
    play(scenario->seed, 0);
}

static const struct sim_direction *way(unsigned link, unsigned from)
{
    return &run->sim->link[link]->dir[from];
}

static int no_dots(const struct dirent *e)
{
    return e->d_name[0] != '.';
}

static void every_example_is_the_same_twice_and_another_with_another_seed(void **x)
{
    (void)x;
    struct dirent **name;
    int n = scandir(SCENARIOS, &name, no_dots, alphasort);
    assert_in_range(n, 9, 100);
    for (int i = 0; i < n; i++) {
        load_example(name[i]->d_name);
        play(1, PL_S);
        uint64_t first = run->digest;
        play(1, 77 * PL_MS);               /* cut elsewhere: no difference */
        if (run->digest != first) fail_msg("%s differs from itself", name[i]->d_name);
        play(2, PL_S);
        if (run->digest == first) fail_msg("%s is the same with another seed", name[i]->d_name);
        free(name[i]);
    }
    free(name);
}

static void four_equal_flows_share_the_bottleneck(void **x)
{
    (void)x;
    example("fairness.txt");
    uint64_t sum = 0;
    for (unsigned i = 0; i < 4; i++) {
        print_message("flow %u: %llu bit/s\n", i + 1, (unsigned long long)run_goodput(run, i));
        sum += run_goodput(run, i);
    }
    print_message("Jain's index: %u of 10000\n", run_fairness(run));
    assert_true(run_fairness(run) >= 9500);
    /* what the link carries less headers, with timestamps: 1448 of 1500 */
    assert_in_range(sum, 20000000ull * 1448 / 1500 * 95 / 100, 20000000ull * 1448 / 1500 * 101 / 100);  /* text from behind a hole may count late */
    assert_true(way(4, 0)->lost_full > 0);
    assert_int_equal(way(4, 0)->fullest, 100);
}

static void jain_is_one_for_equals_and_one_nth_for_a_monopoly(void **x)
{
    (void)x;
    assert_int_equal(jain((const uint64_t[]){7, 7, 7}, 3), 10000);
    assert_int_equal(jain((const uint64_t[]){UINT64_MAX / 2, UINT64_MAX / 2}, 2), 10000);
    assert_int_equal(jain((const uint64_t[]){1000000000, 0, 0, 0}, 4), 2500);
    assert_int_equal(jain((const uint64_t[]){3, 1}, 2), 8000);         /* 16 / (2 * 10) */
    assert_int_equal(jain((const uint64_t[]){5}, 1), 0);
    assert_int_equal(jain((const uint64_t[]){0, 0}, 2), 0);
}

static void codel_keeps_the_queue_short_where_drop_tail_does_not(void **x)
{
    (void)x;
    example("codel.txt");
    pl_time short_one = hist_permille(&way(1, 0)->wait, 900);
    assert_true(way(1, 0)->lost_codel > 0);
    assert_int_equal(way(1, 0)->lost_full, 0);
    assert_true(run_goodput(run, 0) > 7000000);
    scenario->link[1].params[0].queue = SIM_DROP_TAIL;
    play(1, 0);
    pl_time long_one = hist_permille(&way(1, 0)->wait, 900);
    print_message("queue delay, 90 %%: CoDel %llu us, drop-tail %llu us\n", (unsigned long long)(short_one / PL_US), (unsigned long long)(long_one / PL_US));
    assert_true(short_one < 15 * PL_MS);
    assert_true(long_one > 100 * PL_MS);
}

static void a_bad_way_is_survived(void **x)
{
    (void)x;
    example("impairments.txt");
    assert_int_equal(traffic_received(&run->flow[0]), 20000000);
    assert_true(run->flow[0].retransmits > 10);
    const struct impair *im = sim_link_impair(run->sim->link[0], 0), *back = sim_link_impair(run->sim->link[0], 1);
    for (unsigned i = 0; i < im->rules; i++)
        assert_true(im->rule[i].hit > 0);
    /* one in ten bare acknowledgements */
    assert_in_range(back->rule[0].hit, back->rule[0].seen * 8 / 100, back->rule[0].seen * 12 / 100);
    assert_true(back->rule[0].seen > 3000);
}

static void bursts_and_masks_hit_what_they_say(void **x)
{
    (void)x;
    example("bursts.txt");
    assert_int_equal(traffic_received(&run->flow[0]), 10000000);
    assert_true(way(0, 0)->lost_way > 0);
    example("mask.txt");
    assert_int_equal(traffic_received(&run->flow[0]), 2000000);
    assert_int_equal(way(0, 0)->lost_way, 6);
    assert_int_equal(run->flow[0].retransmits, 6);
}

static void a_narrow_middle_is_told_of_or_swallows(void **x)
{
    (void)x;
    example("mtu.txt");
    assert_int_equal(traffic_received(&run->flow[0]), 10000000);
    assert_int_equal(traffic_received(&run->flow[1]), 1000000);
    assert_true(run->router[2].too_large >= 2);        /* r, at the start and after the change */
    assert_true(run->router[3].too_large >= 1);        /* s, of the IPv6 flow */
    assert_int_equal(way(1, 0)->lost_mtu, 0);
    example("blackhole.txt");
    assert_int_equal(traffic_received(&run->flow[0]), 0);
    assert_true(run->router[2].too_large >= 5);
    assert_true(way(0, 1)->lost_way >= 5);
}

static void boxes_in_the_middle_meddle(void **x)
{
    (void)x;
    example("middleboxes.txt");
    assert_int_equal(traffic_received(&run->flow[0]), 10000000);
    assert_int_equal(sim_link_impair(run->sim->link[0], 0)->rule[0].hit, 1);
    struct pl_counters c;
    pl_counters(run->node[1]->stack, &c, sizeof c);
    assert_int_equal(c.drops[PL_DROP_TCP_CHECKSUM], 0);
}

static void a_way_that_changes(void **x)
{
    (void)x;
    example("changes.txt");
    assert_true(traffic_received(&run->flow[0]) > 10000000);
    const struct sim_direction *down = way(0, 1);
    assert_int_equal(down->params.rate, 2000000);
    assert_int_equal(down->params.queue_packets, 20);
    assert_int_equal(down->params.delay, 10 * PL_MS);
    assert_int_equal(way(0, 0)->params.rate, 5000000);
    assert_true(down->lost_way > 0);                   /* while it was down */
    assert_true(run->flow[0].rtt.max > 500 * PL_MS);
}

static void each_kind_of_program_does_what_it_says(void **x)
{
    (void)x;
    example("programs.txt");
    const struct traffic *copy = &run->flow[0], *web = &run->flow[1], *call = &run->flow[2], *video = &run->flow[3];
    assert_int_equal(traffic_received(copy), 40000000);
    assert_true(copy->done_at > 0);
    assert_in_range(web->conn[1]->received, (web->asked - 1) * 200, web->asked * 200);     /* the last may be on its way at the end */
    assert_true(web->done >= web->asked - 1 && web->done > 200);
    assert_int_equal(web->conn[0]->received / 30000, web->done);
    assert_true(hist_permille(&web->turn, 500) > 24 * PL_MS);
    assert_in_range(run_goodput(run, 2), 1960000, 2040000);
    assert_in_range(call->conn[0]->sent, 7400000, 7500000);
    /* 10 Mbit/s for one second of three, from 1 s on: ten times in 29 s, the last time too */
    assert_in_range(video->conn[0]->sent, 12200000, 12500000);
}

static void flows_end_when_told(void **x)
{
    (void)x;
    text("time 20s\nhost a\nhost b\nlink a b rate=10Mbit delay=10ms queue=50\nflow a b request size=100 answer=1000 count=7\n"
         "flow a b bulk stop=2s\nflow a b rated rate=1Mbit bytes=100kB\nflow a b onoff on=10ms off=1s bytes=50kB\nflow a b bulk start=30s");
    assert_int_equal(run->flow[0].done, 7);
    assert_int_equal(run->flow[0].asked, 7);
    assert_true(run->flow[0].done_at > 0);
    assert_true(run->flow[1].conn[0]->finished && run->flow[1].conn[0]->sent == run->flow[1].conn[1]->received);
    assert_in_range(run->flow[1].conn[0]->finished_at, 2 * PL_S, 3 * PL_S);
    assert_int_equal(traffic_received(&run->flow[2]), 100000);
    assert_in_range(run->flow[2].done_at, 800 * PL_MS, 1500 * PL_MS);
    assert_int_equal(traffic_received(&run->flow[3]), 50000);
    assert_null(run->flow[4].conn[0]);
    assert_int_equal(run_goodput(run, 4), 0);
}

static void what_the_stack_still_held_at_a_stop_takes_time_too(void **x)
{
    (void)x;
    /* A megabyte is in the send buffer after two seconds of 1 Mbit/s: it counts, and so does the time that it takes. */
    text("time 60s\nhost a sndbuf=1MiB\nhost b\nlink a b rate=1Mbit delay=20ms\nflow a b bulk stop=2s\nflow b a request size=1 answer=500kB start=20s stop=22s");
    assert_in_range(traffic_received(&run->flow[0]), 1000000, 1400000);
    assert_in_range(run->flow[0].done_at, 8 * PL_S, 12 * PL_S);
    assert_in_range(run_goodput(run, 0), 900000, 965333);
    assert_int_equal(traffic_received(&run->flow[1]), 500000);
    assert_in_range(run->flow[1].done_at, 24 * PL_S, 25 * PL_S);
    assert_in_range(run_goodput(run, 1), 900000, 965333);
}

static void a_rate_holds_over_short_times_on(void **x)
{
    (void)x;
    /* Half of 1 kbit/s, though a byte takes eight times as long as each time on, and a portion of 1448 bytes longer than the run */
    text("time 11s\nhost a\nhost b\nlink a b rate=10Mbit delay=1ms\nflow a b onoff on=1ms off=1ms rate=1kbit stop=10s");
    assert_in_range(traffic_received(&run->flow[0]), 620, 625);
    /* one tick at most is to come: the world's queue does not grow with the times on */
    assert_in_range(run->sim->queue.capacity, 1, 64);
}

static void a_largest_buffer_alone_is_the_largest(void **x)
{
    (void)x;
    text("time 3s\nhost a\nhost b rcvbuf-max=64kB\nlink a b delay=50ms\nflow a b bulk");
    assert_in_range(run_goodput(run, 0), 1000000, 65536 * 8 * 10);     /* 64 kB, and no more, each round trip */
}

static void whole_windows_at_one_instant_are_no_standstill(void **x)
{
    (void)x;
    text("time 900ms\nhost a sndbuf=120MiB csum-offload\nhost b rcvbuf=120MiB csum-offload\nlink a b delay=100ms mtu=576\nflow a b bulk cc=none");
    assert_true(traffic_received(&run->flow[0]) > 110 << 20);
    /* but what takes no time at all is */
    load(NET "flow a b bulk", sizeof NET "flow a b bulk" - 1, "no time");
    char why[300];
    run_free(run);
    run = run_new(scenario, 1, why, sizeof why);
    assert_false(run_play(run, 0, NULL, NULL));
    assert_non_null(strstr(sim_failure(run->sim), "the clock stands still"));
}

static void no_two_links_have_the_same_name(void **x)
{
    (void)x;
    text("time 1s\nhost a\nrouter a-b\nrouter b-c\nhost c\nlink a b-c\nlink b-c a-b\nlink a-b c delay=1ms\nflow a c rated rate=1Mbit");
    assert_string_equal(scenario->link[0].name, "a-b-c");
    assert_string_equal(scenario->link[1].name, "b-c-a-b");
    assert_string_equal(scenario->link[2].name, "a-b-c.3");
}

static void what_was_before_the_warmup_is_not_measured(void **x)
{
    (void)x;
    /* A full queue for three seconds; little after the warmup */
    text("time 9s\nwarmup 5s\nhost a\nhost b\nlink a b rate=10Mbit delay=10ms queue=100\nflow a b bulk stop=3s\nflow a b request size=1000 answer=1000 start=6s think=100ms");
    assert_int_equal(run->flow[0].rtt.n, 0);
    assert_int_equal(run_flow_counts(run, 0).segments, 0);
    assert_int_equal(run_goodput(run, 0), 0);
    assert_true(run->flow[0].segments > 2000);
    assert_in_range(way(0, 0)->fullest, 0, 3);
    assert_true(way(0, 0)->wait.max < 10 * PL_MS);
    /* a queue that stands at the end of the warmup was there */
    text("time 3s\nwarmup 1s\nhost a\nhost b\nlink a b delay=10ms rate=1Mbit queue=1000\nflow a b bulk bytes=200kB");
    assert_in_range(way(0, 0)->fullest, 20, 100);
}

static void the_index_of_fairness_is_of_bulk_flows_alone(void **x)
{
    (void)x;
    text("time 3s\nhost a\nhost b\nlink a b rate=10Mbit delay=10ms queue=50\nflow a b rated rate=1kbit\nflow a b bulk");
    assert_int_equal(run_fairness(run), 0);
}

static void a_request_waits_think_and_its_turn_is_from_asking_on(void **x)
{
    (void)x;
    /* The handshake takes 100 ms; then 100 ms to the answer, 400 ms of thought */
    text("time 4050ms\nhost a\nhost b\nlink a b delay=50ms\nflow a b request size=100 answer=100 think=400ms");
    const struct traffic *t = &run->flow[0];
    assert_int_equal(t->asked, 8);                     /* at 0, 600, 1100, ... 4100 would be the next */
    assert_int_equal(t->done, 8);
    assert_int_equal(t->turn.min, 100 * PL_MS);
    assert_int_equal(t->turn.max, 200 * PL_MS);
}

static void repeated_bytes_changes_masks_and_chances_are_exact(void **x)
{
    (void)x;
    text("time 1m\nhost a\nhost b\nlink a b delay=50ms rate=10Mbit\nimpair a>b loss mask=0010 only=data\nimpair a>b loss chance=0%\nat 1s a>b delay=20ms\nat 1s a>b delay=30ms\n"
         "flow a b rated rate=1Mbit bytes=60kB");
    assert_int_equal(run->sim->now, 60 * PL_S);
    assert_int_equal(run->flow[0].retransmits, 1);
    assert_int_equal(run->flow[0].retransmitted_bytes, 1448);
    assert_int_equal(sim_link_impair(run->sim->link[0], 0)->rule[1].hit, 0);
    assert_int_equal(way(0, 0)->params.delay, 30 * PL_MS);     /* at one time the text's order holds */
    assert_int_equal(way(0, 0)->lost_way, 1);
    /* The third, and no other: a request of ten segments says which by when the others came. */
    const struct impair_rule *rule = &sim_link_impair(run->sim->link[0], 0)->rule[0];
    assert_int_equal(rule->mask, 4);
}

static void a_nanosecond_is_another_run(void **x)
{
    (void)x;
    text("time 3s\nhost a\nhost b\nlink a b delay=10ms\nflow a b rated rate=1Mbit");
    uint64_t first = run->digest;
    text("time 3s\nhost a\nhost b\nlink a b delay=10000001ns\nflow a b rated rate=1Mbit");
    assert_true(run->digest != first);
}

static void round_trips_and_repeats_are_counted_exactly(void **x)
{
    (void)x;
    text("time 5s\nhost a\nhost b\nlink a b delay=50ms\nimpair a>b loss nth=3 only=data\nflow a b rated rate=1Mbit bytes=60kB");
    const struct traffic *t = &run->flow[0];
    assert_int_equal(t->retransmits, 1);
    assert_int_equal(traffic_received(t), 60000);
    assert_int_equal(t->rtt.min, 100 * PL_MS);
    assert_in_range(t->rtt.max, 100 * PL_MS, 141 * PL_MS);     /* with a delayed acknowledgement */
    /* Ten segments at once, and the third again: what stood behind the hole says nothing of the way. */
    text("time 5s\nhost a\nhost b\nlink a b delay=50ms\nimpair b>a loss nth=3 only=data\nflow a b request size=1 answer=14480 think=1h");
    assert_int_equal(run->flow[0].retransmits, 1);
    assert_true(run->flow[0].rtt.n > 0);
    assert_in_range(run->flow[0].rtt.max, 100 * PL_MS, 141 * PL_MS);
}

static int64_t control_of(unsigned flow, unsigned end)
{
    const struct program_conn *c = run->flow[flow].conn[end];
    int64_t cc = -1;
    assert_int_equal(pl_get(c->program->node->stack, c->handle, PL_OPT_CONGESTION, &cc), 0);
    return cc;
}

static void congestion_control_is_the_host_s_unless_the_flow_says_another(void **x)
{
    (void)x;
    text("time 1s\nhost a cc=cubic\nhost b cc=bbr\nlink a b rate=10Mbit delay=10ms\nflow a b bulk\nflow a b bulk cc=none\nflow a b request size=1 answer=100000 think=1h cc=newreno");
    static const int64_t want[3][2] = {{PL_CC_CUBIC, PL_CC_BBR}, {PL_CC_NONE, PL_CC_NONE}, {PL_CC_NEWRENO, PL_CC_NEWRENO}};
    for (unsigned i = 0; i < 3; i++)
        for (unsigned end = 0; end < 2; end++)
            assert_int_equal(control_of(i, end), want[i][end]);
}

static void what_a_sender_goes_through_is_counted(void **x)
{
    (void)x;
    text("time 5s\nhost a\nhost b\nlink a b delay=50ms\nimpair a>b loss nth=30 only=data\nflow a b bulk bytes=200kB");
    assert_int_equal(run->flow[0].recoveries, 1);
    assert_int_equal(run->flow[0].time_outs, 0);
    /* Nothing gets through for two seconds: a probe, where these are on, and time-outs. */
    struct pl_config c;
    pl_config_default(&c, sizeof c);
    text("time 9s\nhost a\nhost b\nlink a b rate=10Mbit delay=50ms\nat 1s a>b down\nat 3s a>b up\nflow a b bulk");
    assert_int_equal(run->flow[0].probes, c.loss_probe);
    assert_int_equal(run->flow[0].time_outs, 2);
    /* Everything is half a second late once: the time-out was none. */
    text("time 9s\nwarmup 4s\nhost a\nhost b\nlink a b rate=10Mbit delay=20ms queue=40\nat 2s a>b delay=520ms\nat 2.1s a>b delay=20ms\nflow a b bulk");
    assert_true(run->flow[0].undone >= 1);
    assert_int_equal(run_flow_counts(run, 0).undone, 0);      /* before the warmup's end */
    /* The network makes two of one; what it drops is lost all the same. */
    text("time 60s\nhost a\nhost b\nlink a b rate=10Mbit delay=20ms queue=64\nimpair a>b duplicate chance=5% only=data\nflow a b bulk");
    assert_true(run->flow[0].recoveries > 5);
    assert_int_equal(run->flow[0].undone, 0);
}

static void checksums_are_the_device_s_where_the_host_says_so(void **x)
{
    (void)x;
    text("time 2s\nhost a csum-offload\nhost b csum-offload\nlink a b rate=10Mbit delay=10ms\nflow a b bulk");
    uint64_t first = run->digest, received = traffic_received(&run->flow[0]);
    assert_true(received > 1000000);
    text("time 2s\nhost a\nhost b\nlink a b rate=10Mbit delay=10ms\nflow a b bulk");
    assert_int_equal(traffic_received(&run->flow[0]), received);
    assert_true(run->digest != first);                 /* other bytes in the checksum field, and nothing else */
}

int main(void)
{
#define T(name) cmocka_unit_test_teardown(name, end)
    const struct CMUnitTest tests[] = {
        T(each_mistake_has_its_line_and_sentence),
        T(limits_are_named),
        T(no_bytes_whatever_break_the_reader),
        T(every_example_is_the_same_twice_and_another_with_another_seed),
        T(four_equal_flows_share_the_bottleneck),
        T(jain_is_one_for_equals_and_one_nth_for_a_monopoly),
        T(codel_keeps_the_queue_short_where_drop_tail_does_not),
        T(a_bad_way_is_survived),
        T(bursts_and_masks_hit_what_they_say),
        T(a_narrow_middle_is_told_of_or_swallows),
        T(boxes_in_the_middle_meddle),
        T(a_way_that_changes),
        T(each_kind_of_program_does_what_it_says),
        T(flows_end_when_told),
        T(what_the_stack_still_held_at_a_stop_takes_time_too),
        T(a_rate_holds_over_short_times_on),
        T(a_largest_buffer_alone_is_the_largest),
        T(whole_windows_at_one_instant_are_no_standstill),
        T(no_two_links_have_the_same_name),
        T(what_was_before_the_warmup_is_not_measured),
        T(the_index_of_fairness_is_of_bulk_flows_alone),
        T(a_request_waits_think_and_its_turn_is_from_asking_on),
        T(repeated_bytes_changes_masks_and_chances_are_exact),
        T(a_nanosecond_is_another_run),
        T(round_trips_and_repeats_are_counted_exactly),
        T(congestion_control_is_the_host_s_unless_the_flow_says_another),
        T(what_a_sender_goes_through_is_counted),
        T(checksums_are_the_device_s_where_the_host_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
