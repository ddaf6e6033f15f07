/* SPDX-License-Identifier: MIT
 *
 * test_rows.c: `parley demo --row MN` shows what row MN of docs/mission.md says: for each row the facts, in the order in which they are printed.
 * TIME-LIMIT: 120 s
 */
#include "support/program.h"
#include "support/skip.h"
#include "support/unit.h"
#include "os/host/testnet.h"
#include <stdio.h>

#define FACTS_MAX 14

static const struct row {
    const char *name;
    const char *facts[FACTS_MAX];         /* each is searched behind the one before */
} rows[] = {
    {"M1", {"SYN-SENT", "SYN seq=100 ack=0", "SYN-RECEIVED", "ESTABLISHED", "SYN,ACK seq=300 ack=101", "SYN-RECEIVED", "ACK seq=101 ack=301 len=0", "ESTABLISHED"}},
    {"M2", {"SYN seq=100 ack=0 len=0", "SYN,ACK seq=300 ack=101 len=0", "FIN,ACK seq=200 ack=420 len=0", "ACK seq=420 ack=201 len=0", "SYN seq=0 ack=0"}},
    {"M3", {"ACK seq=1001 ack=77777", "the acknowledgement does not cover our SYN-ACK", "RST seq=77777", "SYN,ACK seq=5000 ack=77777", "RST seq=77777",
        "stays in SYN-SENT", "ESTABLISHED"}},
    {"M4", {"options: mss=1460 wscale=8 sackOK ts=", "options: mss=1460 wscale=0 sackOK ts=", "at most 1448 bytes", "32768 ahead", "1048576 ahead", "len=1448", "len=1448",
        "len=104"}},
    {"M5", {"SYN seq=90 ack=0", "SYN,ACK seq=300 ack=91", "RST seq=91", "With two messages the server would have been", "SYN,ACK seq=5000 ack=4711", "RST seq=4711",
        "SYN,ACK seq=5000 ack=4711", "RST seq=4711", "ESTABLISHED", "len=300", "nothing new in the segment", "has read 300 bytes: none twice"}},
    {"M6", {"lost on the way", "1.000000", "no answer to our SYN in time: ask again", "SYN,ACK seq=300", "lost on the way", "our SYN-ACK is not acknowledged yet: repeat it",
        "third message", "lost on the way", "127.000000", "all retransmissions are used up", "is told: the peer did not answer in time", "31.010000",
        "SYN-RECEIVED -> CLOSED", "The server forgets it"}},
    {"M7", {"SYN-SENT", "SYN-SENT", "SYN-RECEIVED", "ESTABLISHED", "FIN-WAIT-1", "CLOSING", "TIME-WAIT", "TIME-WAIT -> CLOSED"}},
    {"M8", {"FIN-WAIT-1", "CLOSE-WAIT", "FIN-WAIT-2", "LAST-ACK", "TIME-WAIT", "CLOSED", "60.", "TIME-WAIT -> CLOSED", "still has 2000 bytes to say", "len=1448",
        "This time the server closes first", "FIN-WAIT-1", "LAST-ACK", "TIME-WAIT"}},
    {"M9", {"TIME-WAIT", "lost on the way", "FIN,ACK", "ACK seq=102", "TIME-WAIT -> CLOSED", "out of the network, a minute late", "len=500",
        "the timestamp is older than one already seen", "has read 0 bytes of it, and the connection stands"}},
    {"M10", {"Nobody says anything for thirty days", "0 segments were sent meanwhile, both are ESTABLISHED", "2592000", "len=5", "has read 5 bytes"}},
    {"M11", {"asks for keepalive", "7200.2", "ask whether the peer is still there", "machine dies", "timer, after 7200 s of silence", "lost on the way|switched off",
        "timer, after 7275 s", "timer, after 7800 s", "CLOSED", "RST", "Nine questions without an answer", "did not answer in time"}},
    {"M12", {"RST,ACK seq=0 ack=101", "connection refused", "PSH,ACK", "URG", "up=1", "was told of it", "RST", "connection reset by the peer", "sequence number        101",
        "data offset            8 words: 32 bytes", "urgent pointer         0 (not valid: no URG flag)"}},
    {"M13", {"SYN seq=0 ack=0", "PSH,ACK seq=1 ack=1 len=99", "PSH,ACK seq=1 ack=100 len=119", "ACK seq=100 ack=120", "FIN,ACK seq=100 ack=120", "ACK seq=120 ack=101",
        "FIN,ACK seq=120 ack=101", "ACK seq=101 ack=121", "SYN,ACK seq=1999 ack=1000", "ACK seq=1000 ack=2000"}},
    {"M14", {"lost on the way", "has read 12000 bytes", "a copy that the network made", "a bit was inverted on the way", "checksum", "14480 of 14480 bytes, each compared"}},
    {"M15", {"pl_listen() -- client CLOSED, server LISTEN", "pl_connect() -- client SYN-SENT, server LISTEN", "pl_accept() gives the server its connection",
        "client ESTABLISHED, server ESTABLISHED", "pl_finish()", "client FIN-WAIT-1, server CLOSE-WAIT", "client TIME-WAIT, server CLOSED", "client CLOSED, server CLOSED"}},
    {"M16", {"HTTP/1.0: one request", "FIN,PSH,ACK", "\"this is /one\"", "three requests at once", "\"this is /one\", \"this is /two\", \"this is /three\"",
        "needs no handshake", "\"this is /four\""}},
    {"M17", {"heartbeat 1", "network up", "heartbeat 3", "client online", "falls silent", "120.01", "FIN,ACK", "program has forgotten it", "as if the network broke",
        "the retransmission timer", "counts the network down"}},
    {"M18", {"14 of its own + 89 from above", "Ethernet 14 | IPv4 20 | TCP 20+12 | HTTP 37", "103 - 14 = 89", "200 OK"}},
    {"M19", {"No handshake", "UDP 5000 > 53", "reads \"question\"", "reads \"answer\"", "lost on the way", "reads \"first\"", "reads \"third\"", "ICMP", "connection refused"}},
    {"M20", {"curl", "SYN,ACK", "Linux says of its side (as in ss -tan): ESTABLISHED", "TIME-WAIT", "curl from parley, IPv4", "every byte the same",
        "parley get", "Linux says", "parley from the kernel's sockets, IPv6"}}};

/* One of "this|or that". */
static const char *find(const char *in, const char *fact, size_t *n)
{
    char copy[200];
    const char *first = NULL;
    snprintf(copy, sizeof copy, "%s", fact);
    for (char *rest = NULL, *one = strtok_r(copy, "|", &rest); one && !first; one = strtok_r(NULL, "|", &rest)) {
        first = strstr(in, one);
        *n = strlen(one);
    }
    return first;
}

/* Texts are wrapped anywhere: one blank instead of each line's end and its indentation. */
static void unwrap(char *text)
{
    char *to = text;
    for (const char *from = text; *from; from++) {
        if (*from != '\n') {
            *to++ = *from;
            continue;
        }
        *to++ = ' ';
        while (from[1] == ' ')
            from++;
    }
    *to = '\0';
}

static void shows(const struct row *row)
{
    char words[40];
    snprintf(words, sizeof words, "demo --row %s --size 2", row->name);
    struct program_run *r = program_run(words, NULL);
    assert_int_equal(r->status, 0);
    unwrap(r->out);
    const char *at = r->out;
    for (size_t i = 0; i < FACTS_MAX && row->facts[i]; i++) {
        size_t n = 0;
        /* M18's layers use "|" themselves. */
        const char *there = strcmp(row->name, "M18") ? find(at, row->facts[i], &n) : strstr(at, row->facts[i]);
        if (!there) fail_msg("%s: \"%s\" is not shown, or not in this order:\n%s", row->name, row->facts[i], r->out);
        at = there + (n ? n : strlen(row->facts[i]));
    }
    program_forget(r);
}

static void every_row_of_the_mission_is_shown_by_its_scenes(void **state)
{
    char why[300];
    (void)state;
    assert_int_equal(COUNT_OF(rows), 20);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char name[8];
        snprintf(name, sizeof name, "M%zu", i + 1);
        assert_string_equal(rows[i].name, name);
        if (i + 1 == 20 && !testnet_af_packet_possible(why, sizeof why)) SKIP_BECAUSE(why);
        shows(&rows[i]);
    }
}

/* The list names every row, and each of its scenes can be played. */
static void the_list_says_which_scene_shows_which_row(void **state)
{
    (void)state;
    struct program_run *r = program_run("demo --list", NULL);
    for (unsigned i = 1; i <= 20; i++) {
        char name[8];
        snprintf(name, sizeof name, "M%u", i);
        const char *at = strstr(r->out, name);
        while (at && at[strlen(name)] >= '0' && at[strlen(name)] <= '9')
            at = strstr(at + 1, name);
        if (!at) fail_msg("the list does not mention %s", name);
    }
    program_forget(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_list_says_which_scene_shows_which_row),
        cmocka_unit_test(every_row_of_the_mission_is_shown_by_its_scenes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
