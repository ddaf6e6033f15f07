/* SPDX-License-Identifier: MIT
 *
 * Reading scripts: what is written comes out, and what is wrong is named with its line.
 */
#include "support/unit.h"

#include "drill/calls.h"
#include "drill/script.h"

static struct drill_script *read_text(const char *text)
{
    char error[300] = "";
    struct drill_script *s = drill_parse("t.pkt", text, strlen(text), error, sizeof error);
    if (!s)
        print_message("%s\n", error);
    assert_non_null(s);
    return s;
}

static void wrong(const char *text, const char *says)
{
    char error[300] = "";
    struct drill_script *s = drill_parse("t.pkt", text, strlen(text), error, sizeof error);
    assert_null(s);
    if (!strstr(error, says))
        print_message("\"%s\": %s\n", text, error);
    assert_non_null(strstr(error, says));
}

static void times_in_all_their_forms(void **state)
{
    (void)state;
    static const struct { const char *text; int base; bool range; int64_t us, until; } forms[] = {
        {"0 f() = 0", DRILL_AT, false, 0, 0},           {"1.5 f() = 0", DRILL_AT, false, 1500000, 0},      {"+.000001 f() = 0", DRILL_AFTER, false, 1, 0},
        {"+2 f() = 0", DRILL_AFTER, false, 2000000, 0}, {"* > . 1:1(0) ack 1", DRILL_ANY, false, 0, 0},    {"1~2 > . 1:1(0) ack 1", DRILL_AT, true, 1000000, 2000000},
        {"+1~+2.5 > . 1:1(0) ack 1", DRILL_AFTER, true, 1000000, 2500000},
    };
    for (size_t i = 0; i < COUNT_OF(forms); i++) {
        struct drill_script *s = read_text(forms[i].text);
        assert_int_equal(s->events->time.base, forms[i].base);
        assert_int_equal(s->events->time.range, forms[i].range);
        assert_int_equal(s->events->time.us, forms[i].us);
        assert_int_equal(s->events->time.until_us, forms[i].until);
        drill_free(s);
    }
}

static void a_blocking_call_has_two_times(void **state)
{
    (void)state;
    struct drill_script *s = read_text("+.1...0.2 read(4, ..., 1000) = 1000");
    assert_true(s->events->call->blocking);
    assert_int_equal(s->events->time.us, 100000);
    assert_int_equal(s->events->call->until.us, 200000);
    assert_int_equal(s->events->call->until.base, DRILL_AFTER);
    drill_free(s);
}

static void calls_with_every_kind_of_value(void **state)
{
    (void)state;
    struct drill_script *s = read_text("0 call(3, -1, 0x10, ..., \"a\\n\\x41\\\"\", A|B|1, [1, {fd=4, events=POLLIN}], {iov(1)=[{..., 7}]}, htons(80)) = -1 EAGAIN (Try, again)\n+0 g() = ...");
    struct drill_value *v = s->events->call->args;
    assert_int_equal(v->number, 3);
    assert_int_equal((v = v->next)->number, -1);
    assert_int_equal((v = v->next)->number, 16);
    assert_int_equal((v = v->next)->kind, VALUE_ANY);
    v = v->next;
    assert_int_equal(v->bytes, 4);
    assert_memory_equal(v->text, "a\nA\"", 4);
    v = v->next;
    assert_int_equal(v->kind, VALUE_OR);
    assert_string_equal(v->first->next->text, "B");
    assert_int_equal(v->first->next->next->number, 1);
    v = v->next;
    assert_int_equal(v->kind, VALUE_LIST);
    assert_string_equal(v->first->next->first->next->name, "events");
    assert_string_equal(v->first->next->first->next->text, "POLLIN");
    v = v->next;
    assert_string_equal(v->first->name, "iov");
    assert_int_equal(v->first->first->first->next->number, 7);
    assert_int_equal((v = v->next)->kind, VALUE_CALL);
    assert_int_equal(v->first->number, 80);
    assert_int_equal(s->events->call->result->number, -1);
    assert_string_equal(s->events->call->error, "EAGAIN");
    assert_null(s->events->next->call->result);
    assert_null(s->events->next->call->error);
    drill_free(s);
}

static void packets_with_every_part(void **state)
{
    (void)state;
    struct drill_script *s = read_text("0 < [ce] (tos 0x10, ttl 3) 5000 > 80 FSRP.UEWA 1:4(3) ack 5 win 6 urg 7\n"
                                       "   <mss 1460,nop,wscale 7,sackOK,TS val 8 ecr 9,sack 1:2 3:4,eol,FO abcd,ECN e1b 1 ceb 2 e0b 3,uto 5m,kind 77 0x0102>\n"
                                       "+0 > (df 1) - 0:0(0) <...>\n+0 > udp (10)\n+0 < icmp unreachable frag_needed mtu 1200 [1:11(10)]\n+0 < [udp (3)] icmp 3\n4 > . 1:1(0) ack 1");
    const struct drill_packet *p = s->events->packet;
    assert_true(p->in);
    assert_int_equal(p->ecn, 3);
    assert_int_equal(p->tos, 0x10);
    assert_int_equal(p->ttl, 3);
    assert_int_equal(p->dont_fragment, -1);
    assert_int_equal(s->events->next->packet->dont_fragment, 1);
    assert_int_equal(p->src_port, 5000);
    assert_int_equal(p->dst_port, 80);
    assert_int_equal(p->flags, 0x1ff);
    assert_int_equal(p->text, 3);
    assert_int_equal(p->window, 6);
    assert_int_equal(p->urgent, 7);
    assert_int_equal(p->noptions, 11);
    assert_int_equal(p->option[5].n, 4);
    assert_int_equal(p->option[7].raw_bytes, 2);
    assert_int_equal(p->option[8].kind, OPTION_ACCECN_1);
    assert_int_equal(p->option[9].value[1], 1);
    assert_int_equal(p->option[10].raw[1], 2);
    p = s->events->next->packet;
    assert_false(p->in);
    assert_int_equal(p->flags, 0);
    assert_true(p->any_options);
    p = s->events->next->next->packet;
    assert_int_equal(p->protocol, DRILL_UDP);
    assert_int_equal(p->text, 10);
    p = s->events->next->next->next->packet;
    assert_int_equal(p->protocol, DRILL_ICMP);
    assert_int_equal(p->mtu, 1200);
    assert_int_equal(p->quoted_protocol, DRILL_TCP);
    p = s->events->next->next->next->next->packet;
    assert_int_equal(p->quoted_protocol, DRILL_UDP);
    assert_null(p->icmp_code);            /* the 4 on the next line is a time */
    assert_int_equal(s->events->next->next->next->next->next->time.us, 4000000);
    drill_free(s);
}

static void settings_comments_shell_and_code(void **state)
{
    (void)state;
    struct drill_script *s = read_text("// one\n# two\n--mtu=1400 --x\n/* three\n */ `sysctl a=1`\n+0 f() = 0 // four\n+0 %{\nassert x == 1\n}%\n");
    assert_string_equal(s->settings->name, "mtu");
    assert_string_equal(s->settings->value, "1400");
    assert_string_equal(s->settings->next->name, "x");
    assert_string_equal(s->events->text, "sysctl a=1");
    assert_int_equal(s->events->line, 5);
    assert_string_equal(s->events->next->source, "+0 f() = 0");
    assert_string_equal(s->events->next->next->text, "\nassert x == 1\n");
    assert_int_equal(s->events->next->next->line, 7);
    drill_free(s);
}

static void mistakes_are_named_with_their_line(void **state)
{
    (void)state;
    static const struct { const char *text, *says; } mistakes[] = {
        {"", "no event"},
        {"\n\nfoo", "t.pkt:3: a time expected"},
        {"0 > Q 1:1(0)", "flags expected"},
        {"0 > S 1:2(0)", "1 bytes"},
        {"0 > S", "a sequence number expected"},
        {"0 f(1 = 1", "\")\" expected"},
        {"0 f(", "a value expected"},
        {"0 f() 1", "\"=\" expected"},
        {"0 f(\"x) = 1", "no end"},
        {"0 `x", "no end"},
        {"0 %{ x", "no end"},
        {"/* x", "no end"},
        {"0 < . 1:1(0) ack 1 <...>", "written out"},
        {"0 < . 1:1(0) ack 1 <bogus 1>", "option \"bogus\""},
        {"0 < . 1:1(0) ack 1 win 65536", "16 bits"},
        {"0 < . 1:1(0) ack 4294967296", "32 bits"},
        {"2~1 > . 1:1(0) ack 1", "ends before it begins"},
        {"2...1 f() = 0", "after it began"},
        {"0 f([[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]) = 0", "nested"},
        {"0 f(99999999999999999999) = 0", "too large"},
    };
    for (size_t i = 0; i < COUNT_OF(mistakes); i++)
        wrong(mistakes[i].text, mistakes[i].says);
}

/* What no run would understand is named before there is one. */
static void calls_that_cannot_be_made_are_named(void **state)
{
    (void)state;
    static const struct { const char *text, *says; } calls[] = {
        {"0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 wrote(3, ..., 5) = 5", "t.pkt:2: the call wrote"},
        {"0 socket(..., SOCK_STRAEM, 0) = 3", "SOCK_STRAEM is not known"},
        {"0 listen(3, 1, 2) = 0", "fewer arguments"},
        {"0 listen(3) = 0", "missing"},
        {"0 poll([{fd=1, events=POLLIN, revents=0}], 2, 0) = 0", "asked for"},
    };
    for (size_t i = 0; i < COUNT_OF(calls); i++) {
        char error[300] = "";
        struct drill_script *s = read_text(calls[i].text);
        assert_false(drill_calls_known(s, error, sizeof error));
        if (!strstr(error, calls[i].says))
            fail_msg("%s: %s", calls[i].text, error);
        drill_free(s);
    }
    struct drill_script *s = read_text("0 write(3, ..., 5) = 5");
    char error[300];
    assert_true(drill_calls_known(s, error, sizeof error));
    drill_free(s);
}

/* A script cut off anywhere is read or refused; nothing is read behind its end (the sanitizers watch). */
static void a_script_cut_off_anywhere_does_no_harm(void **state)
{
    (void)state;
    static const char text[] = "--a=b\n0 f(1, [2, {x=\"y\"}], A|B) = -1 EPERM (no)\n+.1~+.2 < [ect0] 1 > 2 S. 0:3(3) ack 4 win 5 <mss 6,TS val 7 ecr 8,FO ab>\n+0 `x`\n+0 %{ y }%\n";
    for (size_t n = 0; n < sizeof text; n++) {
        char error[300], *copy = malloc(n ? n : 1);
        memcpy(copy, text, n);
        struct drill_script *s = drill_parse("t", copy, n, error, sizeof error);
        free(copy);
        if (!s)
            assert_int_equal(strncmp(error, "t:", 2), 0);
        drill_free(s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_in_all_their_forms),          cmocka_unit_test(a_blocking_call_has_two_times),       cmocka_unit_test(calls_with_every_kind_of_value),
        cmocka_unit_test(packets_with_every_part),           cmocka_unit_test(settings_comments_shell_and_code),    cmocka_unit_test(mistakes_are_named_with_their_line),
        cmocka_unit_test(calls_that_cannot_be_made_are_named),
        cmocka_unit_test(a_script_cut_off_anywhere_does_no_harm),
    };
    return cmocka_run_group_tests_name("drill.parse", tests, NULL, NULL);
}
