/* SPDX-License-Identifier: MIT
 *
 * A script's settings: what is set is set, what cannot be is refused with its name, and isn=N is the number that is on the wire.
 */
#include "support/unit.h"

#include <stdlib.h>

#include "drill/run.h"
#include "drill/settings.h"

static struct drill_config config;
static char error[300];

static bool set(const char *list) { return drill_settings(&config, list, error, sizeof error); }

static void refused(const char *list, const char *what)
{
    assert_false(set(list));
    if (!strstr(error, what))
        fail_msg("%s: %s", list, error);
}

static void by_name_and_unit(void **state)
{
    (void)state;
    assert_true(set("rto_min=200ms,msl=1.5s,rcvbuf_bytes=64K,sack=0,user_timeout_option=1,user_timeout_min=100,challenge_acks=3,challenge_period=2s"));
    assert_int_equal(config.stack.rto_min, 200 * PL_MS);
    assert_int_equal(config.stack.msl, 1500 * PL_MS);
    assert_int_equal(config.stack.rcvbuf_bytes, 65536);
    assert_false(config.stack.sack);
    assert_true(config.stack.user_timeout_option);
    assert_int_equal(config.stack.user_timeout_min, 100000 * PL_MS);
    assert_int_equal(config.stack.challenge_acks, 3);
    assert_int_equal(config.stack.challenge_period, 2000 * PL_MS);
}

static void how_a_sender_repairs(void **state)
{
    (void)state;
    static const struct { const char *name; enum pl_cc_algorithm is; } algorithms[] = {
        {"none", PL_CC_NONE}, {"bbr", PL_CC_BBR}, {"newreno", PL_CC_NEWRENO}, {"cubic", PL_CC_CUBIC}, {"reno", PL_CC_NEWRENO},
    };
    for (size_t i = 0; i < COUNT_OF(algorithms); i++)
        for (int theirs = 0; theirs < 2; theirs++) {
            char list[80];
            snprintf(list, sizeof list, "%s=%s", theirs ? "net.ipv4.tcp_congestion_control" : "congestion_control", algorithms[i].name);
            config.stack.congestion_control = 99;
            assert_true(set(list));
            assert_int_equal(config.stack.congestion_control, algorithms[i].is);
        }
    assert_true(set("loss_probe=0"));
    assert_false(config.stack.loss_probe);
    assert_true(set("net.ipv4.tcp_early_retrans=3"));
    assert_true(config.stack.loss_probe);
    assert_true(set("net.ipv4.tcp_early_retrans=0"));
    assert_false(config.stack.loss_probe);
    assert_true(set("net.ipv4.tcp_recovery=1,net.ipv4.tcp_frto=2"));     /* what is so anyway */
    refused("congestion_control=vegas", "congestion_control: \"vegas\" is not reno, cubic, bbr or none");
    refused("net.ipv4.tcp_early_retrans=1", "tcp_early_retrans: \"1\" is not 0");
    refused("net.ipv4.tcp_recovery=0", "parley knows 1 only");
    refused("net.ipv4.tcp_frto=0", "parley knows 2 only");
}

/* Least, default, most; of auto-tuning the last is the largest. */
static void lists_as_linux_has_them(void **state)
{
    (void)state;
    struct drill_config c = config;
    assert_true(drill_setting(&c, "net.ipv4.tcp_rmem", "4096 131072 6291456", error, sizeof error));
    assert_int_equal(c.stack.rcvbuf_bytes, 131072);
    assert_int_equal(c.stack.rcvbuf_max, 6291456);
    assert_true(drill_setting(&c, "net.ipv4.tcp_wmem", "4096,16384", error, sizeof error));
    assert_int_equal(c.stack.sndbuf_bytes, 16384);
    assert_int_equal(c.stack.sndbuf_max, 16384);
    assert_true(drill_setting(&c, "net.ipv4.tcp_moderate_rcvbuf", "0", error, sizeof error));
    assert_int_equal(c.stack.rcvbuf_max, 0);
    assert_true(drill_setting(&c, "net.ipv4.tcp_moderate_rcvbuf", "1", error, sizeof error));
    assert_int_equal(c.stack.rcvbuf_max, 15 << 20);
}

static void what_cannot_be(void **state)
{
    (void)state;
    refused("rto_min=soon", "rto_min: \"soon\" is not a time");
    refused("colour=red", "no setting \"colour\"");
    refused("sack", "name=value expected");
    refused("isn=4294967296", "isn: \"4294967296\" is not a sequence number");
    refused("isn=first", "isn: \"first\" is not a sequence number");
}

static void first_number(void **state)
{
    (void)state;
    assert_false(config.isn_fixed);
    assert_true(set("isn=4294967295"));
    assert_true(config.isn_fixed);
    assert_int_equal(config.isn, 4294967295u);
}

/* A script's numbers are relative, so it cannot see the setting itself: the ladder of one that fails does. */
static void on_the_wire(const char *open, const char *last)
{
    char text[600], *said = NULL;
    size_t bytes;
    snprintf(text, sizeof text, "+0 `parley isn=4294967000`\n+0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n%s+0 %%{ assert 1 == 2 }%%\n", open);
    struct drill_script *s = drill_parse("t.pkt", text, strlen(text), error, sizeof error);
    if (!s)
        fail_msg("%s", error);
    FILE *f = open_memstream(&said, &bytes);
    assert_false(drill_run(s, &(struct drill_options){.story = true}, f));
    fclose(f);
    drill_free(s);
    if (!strstr(said, "1 == 2 does not hold") || !strstr(said, last))
        fail_msg("%s: not in: %s", last, said);
    free(said);
}

static void of_clients_and_servers(void **state)
{
    (void)state;
    on_the_wire("+0 fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0\n+0 connect(3, ..., ...) = -1 EINPROGRESS (now in progress)\n+0 > S 0:0(0) <...>\n", "SYN seq=4294967000 ");
    on_the_wire("+0 bind(3, ..., ...) = 0\n+0 listen(3, 1) = 0\n+0 < S 0:0(0) win 1000\n+0 > S. 0:0(0) ack 1 <...>\n", "SYN,ACK seq=4294967000 ");
}

static int fresh(void **state)
{
    (void)state;
    memset(&config, 0, sizeof config);
    return 0;
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test_setup(by_name_and_unit, fresh),
        cmocka_unit_test_setup(how_a_sender_repairs, fresh),
        cmocka_unit_test_setup(lists_as_linux_has_them, fresh),
        cmocka_unit_test_setup(what_cannot_be, fresh),
        cmocka_unit_test_setup(first_number, fresh),
        cmocka_unit_test(of_clients_and_servers),
    };
    return cmocka_run_group_tests_name("settings", cases, NULL, NULL);
}
