/* SPDX-License-Identifier: MIT
 *
 * script.h: a script of segments and system calls, as it was read: packetdrill's language. docs/scripts.md is its tour.
 *
 *     +0   socket(..., SOCK_STREAM, IPPROTO_TCP) = 3              a call and what it must return
 *     +.1  < S 0:0(0) win 1000 <mss 1000>                         a packet that arrives
 *     +0   > S. 0:0(0) ack 1 <...>                                a packet that must be sent, and when
 *     +0   `sysctl -q net.ipv4.tcp_sack=0`                        a setting
 *     +0   %{ assert tcpi_snd_cwnd == 10 }%                       what TCP_INFO must say
 *
 * scan.c reads words and numbers, parse.c lines, calls and values, parse_packet.c packets. Everything belongs to the script and goes with it.
 */
#ifndef DRILL_SCRIPT_H
#define DRILL_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum drill_base { DRILL_AT, DRILL_AFTER, DRILL_ANY };      /* since the start of the script; since the event before; whenever */
struct drill_time {
    uint8_t base;                         /* enum drill_base */
    bool range;                           /* between us and until_us */
    int64_t us, until_us;
};

enum drill_value_kind { VALUE_NUMBER, VALUE_WORD, VALUE_STRING, VALUE_ANY /* ... */, VALUE_LIST /* [a, b] */, VALUE_STRUCT /* {name=value, ...} */,
                        VALUE_CALL /* htons(80) */, VALUE_OR /* a | b */ };
struct drill_value {
    enum drill_value_kind kind;
    int64_t number;
    const char *text;                     /* a word, a string's bytes, a function's name */
    size_t bytes;                         /* of a string */
    const char *name;                     /* as a field of a struct: its name */
    struct drill_value *first, *next;     /* what is inside; the one beside it */
};

struct drill_call {
    const char *name;
    struct drill_value *args;             /* chained by next */
    struct drill_value *result;           /* NULL: any */
    const char *error;                    /* "EAGAIN", or NULL */
    bool blocking;                        /* "...": it returns at `until`, not before */
    struct drill_time until;
};

enum drill_protocol { DRILL_TCP = 6, DRILL_UDP = 17, DRILL_ICMP = 1 };
enum drill_option_kind { OPTION_EOL = 0, OPTION_NOP = 1, OPTION_MSS = 2, OPTION_WSCALE = 3, OPTION_SACK_OK = 4, OPTION_SACK = 5, OPTION_TS = 8,
                         OPTION_MD5 = 19, OPTION_UTO = 28, OPTION_FAST_OPEN = 34, OPTION_ACCECN_0 = 172, OPTION_ACCECN_1 = 174, OPTION_EXPERIMENT = 254 };
struct drill_option {
    uint8_t kind;                         /* as on the wire */
    uint8_t n;                            /* values, or SACK blocks * 2 */
    bool any;                             /* its values do not matter */
    uint32_t value[8];                    /* mss; shift; edges of blocks; val, ecr; the three counters of AccECN; minutes or seconds */
    uint8_t raw_bytes, raw[38];           /* a cookie, or whatever follows the length */
};

enum { DRILL_ECN_ANY = -1 };
struct drill_packet {
    bool in;                              /* '<': arrives; '>': must be sent */
    uint8_t protocol;                     /* enum drill_protocol */
    int8_t ecn;                           /* 0 not ECT, 1 ECT(1), 2 ECT(0), 3 CE, DRILL_ECN_ANY */
    int16_t tos, ttl;                     /* -1: any, or the default */
    int8_t dont_fragment;                 /* of what is sent, over IPv4; -1: any */
    int32_t flow_label;
    int32_t src_port, dst_port;           /* -1: those of the socket at hand */
    /* TCP; of an ICMP message: what it quotes */
    bool any_flags, has_ack, has_window, has_urgent, any_options, has_seq;
    uint16_t flags;                       /* FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32, ECE 64, CWR 128, AE 256 */
    uint32_t seq, end, text, ack, window, urgent;
    unsigned noptions;
    struct drill_option option[20];
    /* ICMP */
    const char *icmp_type, *icmp_code;    /* "unreachable", "frag_needed"; numbers as text */
    uint8_t quoted_protocol;              /* 6 or 17 */
    int64_t mtu, echo_id;                 /* -1: none */
};

enum drill_kind { EVENT_PACKET, EVENT_CALL, EVENT_SHELL, EVENT_CODE };
struct drill_event {
    int line, last_line;
    struct drill_time time;
    enum drill_kind kind;
    struct drill_packet *packet;
    struct drill_call *call;
    const char *text;                     /* what stands between the quotes, or between %{ and }% */
    const char *source;                   /* the whole event as it was written */
    struct drill_event *next;
};

struct drill_setting {                    /* --name=value before the first event */
    const char *name, *value;             /* value: "" if there is none */
    int line;
    struct drill_setting *next;
};

struct drill_script {
    const char *name;
    struct drill_setting *settings;
    struct drill_event *events;
    void *memory;                         /* everything above */
};

/* Reads a script. NULL: error says "name:line: what is wrong" (and what was expected). `text` need not outlive the call. */
struct drill_script *drill_parse(const char *name, const char *text, size_t bytes, char *error, size_t error_size);
void drill_free(struct drill_script *);

#endif
