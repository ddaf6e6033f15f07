/* SPDX-License-Identifier: MIT */
#include "drill/settings.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum unit { COUNT, BYTES, TIME, FLAG, COUNT8, ALGORITHM };

struct field {
    const char *name;
    enum unit unit;
    size_t at;
};
#define F(name, unit) {#name, unit, offsetof(struct pl_config, name)}
static const struct field fields[] = {
    F(connections_max, COUNT), F(half_open_max, COUNT), F(time_wait_max, COUNT), F(listeners_max, COUNT), F(udp_max, COUNT), F(flights_max, COUNT), F(records_max, COUNT),
    F(records_per_conn_max, COUNT), F(gaps_max, COUNT), F(gaps_per_conn_max, COUNT), F(chunks_max, COUNT), F(chunk_bytes, BYTES), F(owed_max, COUNT),
    F(sndbuf_bytes, BYTES), F(rcvbuf_bytes, BYTES), F(sndbuf_max, BYTES), F(rcvbuf_max, BYTES), F(syn_retries, COUNT), F(syn_ack_retries, COUNT), F(data_retries, COUNT), F(orphan_retries, COUNT),
    F(backlog_default, COUNT), F(msl, TIME), F(rto_initial, TIME), F(rto_min, TIME), F(rto_max, TIME), F(delayed_ack, TIME), F(user_timeout, TIME),
    F(fin_wait_2_timeout, TIME), F(orphan_timeout, TIME), F(keepalive_idle, TIME), F(keepalive_interval, TIME), F(keepalive_probes, COUNT), F(syn_cookies, FLAG),
    F(validate_window, FLAG),
    F(user_timeout_option, FLAG), F(user_timeout_min, TIME), F(user_timeout_max, TIME), F(challenge_acks, COUNT), F(challenge_period, TIME),
    F(window_scaling, FLAG), F(timestamps, FLAG), F(sack, FLAG), F(hop_limit, COUNT8), F(check, FLAG), F(loss_probe, FLAG),
    F(congestion_control, ALGORITHM),
};

/* What Linux calls the same. Of lists such as tcp_rmem the middle number is the default, the last the largest of auto-tuning. */
static const struct { const char *theirs, *ours; } sysctls[] = {
    {"net.ipv4.tcp_sack", "sack"},                            {"net.ipv4.tcp_timestamps", "timestamps"},                {"net.ipv4.tcp_window_scaling", "window_scaling"},
    {"net.ipv4.tcp_syncookies", "syn_cookies"},               {"net.ipv4.tcp_syn_retries", "syn_retries"},              {"net.ipv4.tcp_synack_retries", "syn_ack_retries"},
    {"net.ipv4.tcp_retries2", "data_retries"},                {"net.ipv4.tcp_orphan_retries", "orphan_retries"},        {"net.ipv4.tcp_fin_timeout", "fin_wait_2_timeout"},
    {"net.ipv4.tcp_keepalive_time", "keepalive_idle"},        {"net.ipv4.tcp_keepalive_intvl", "keepalive_interval"},   {"net.ipv4.tcp_keepalive_probes", "keepalive_probes"},
    {"net.ipv4.tcp_rmem", "rcvbuf_bytes"},                    {"net.ipv4.tcp_wmem", "sndbuf_bytes"},                    {"net.ipv4.ip_default_ttl", "hop_limit"},
    {"net.ipv4.tcp_max_syn_backlog", "half_open_max"},        {"net.ipv4.tcp_max_tw_buckets", "time_wait_max"},
    {"net.ipv4.tcp_congestion_control", "congestion_control"},
};

static const struct { const char *name; enum pl_cc_algorithm is; } algorithms[] = {
    {"reno", PL_CC_NEWRENO}, {"newreno", PL_CC_NEWRENO}, {"cubic", PL_CC_CUBIC}, {"bbr", PL_CC_BBR}, {"none", PL_CC_NONE},
};

/* Settings of Linux that say what parley does anyway: the only value that is true. */
static const struct { const char *name, *value; } facts[] = {
    {"net.ipv4.tcp_ecn", "0"},           {"net.ipv4.tcp_fastopen", "0"},       {"net.ipv4.tcp_rfc1337", "1"},
    {"net.ipv4.tcp_recovery", "1"},      {"net.ipv4.tcp_no_metrics_save", "1"}, {"net.ipv4.tcp_mtu_probing", "0"},
    {"net.ipv4.tcp_stdurg", "1"},       {"net.ipv4.tcp_abort_on_overflow", "0"},    {"net.ipv4.tcp_frto", "2"},
    {"net.ipv4.tcp_slow_start_after_idle", "0"}, {"net.ipv4.tcp_autocorking", "0"}, {"net.ipv4.tcp_dsack", "1"},
};

static bool bad(char *error, size_t size, const char *name, const char *value, const char *wanted)
{
    snprintf(error, size, "setting %s: \"%s\" is not %s", name, value, wanted);
    return false;
}

static bool read_number(const char *text, double *v, const char **rest)
{
    char *end;
    errno = 0;
    *v = strtod(text, &end);
    *rest = end;
    return end != text && errno == 0 && *v >= 0 && *v < 1e18;
}

static bool read_time(const char *text, pl_time *out)
{
    double v;
    const char *unit;
    if (!read_number(text, &v, &unit))
        return false;
    double in_ns = strcmp(unit, "ns") == 0 ? 1 : strcmp(unit, "us") == 0 ? 1e3 : strcmp(unit, "ms") == 0 ? 1e6 : strcmp(unit, "s") == 0 || !*unit ? 1e9 : 0;
    *out = (pl_time)(v * in_ns + .5);
    return in_ns > 0 && v * in_ns < 1e19;
}

static bool read_count(const char *text, uint64_t most, uint32_t *out)
{
    double v;
    const char *unit;
    if (!read_number(text, &v, &unit))
        return false;
    double times = !*unit ? 1 : strcmp(unit, "K") == 0 ? 1024 : strcmp(unit, "M") == 0 ? 1048576. : strcmp(unit, "G") == 0 ? 1073741824. : 0;
    if (times < 1 || v * times > (double)most)
        return false;
    *out = (uint32_t)(v * times);
    return true;
}

static bool set(struct drill_config *c, const struct field *f, const char *value, char *error, size_t size)
{
    uint8_t *to = (uint8_t *)&c->stack + f->at;
    uint32_t n;
    pl_time t;
    switch (f->unit) {
    case TIME:
        if (!read_time(value, &t))
            return bad(error, size, f->name, value, "a time, as 200ms or 1s");
        memcpy(to, &t, sizeof t);
        return true;
    case FLAG:
        if (strcmp(value, "0") != 0 && strcmp(value, "1") != 0 && strcmp(value, "2") != 0)
            return bad(error, size, f->name, value, "0 or 1");
        *(bool *)to = *value != '0';
        return true;
    case ALGORITHM:
        for (size_t i = 0; i < sizeof algorithms / sizeof algorithms[0]; i++)
            if (strcmp(algorithms[i].name, value) == 0) {
                *to = (uint8_t)algorithms[i].is;
                return true;
            }
        return bad(error, size, f->name, value, "reno, cubic, bbr or none");
    case COUNT8:
        if (!read_count(value, 255, &n))
            return bad(error, size, f->name, value, "a number up to 255");
        *to = (uint8_t)n;
        return true;
    default:
        if (!read_count(value, UINT32_MAX, &n))
            return bad(error, size, f->name, value, f->unit == BYTES ? "a size below 4G, as 65536 or 64K" : "a number");
        memcpy(to, &n, sizeof n);
        return true;
    }
}

/* "4096 131072 6291456": least, default, most. The value after `n` others; the last stands for those that are missing. */
static const char *one_of(const char *value, unsigned n, char *room, size_t size)
{
    const char *from = value;
    for (; n; n--) {
        const char *next = from + strcspn(from, " \t,");
        next += strspn(next, " \t,");
        from = *next ? next : from;
    }
    snprintf(room, size, "%.*s", (int)strcspn(from, " \t,"), from);
    return room;
}

/* 3 and 4: with tail loss probes. What 1 and 2 switched on is in no stack any more (RFC 5827). */
static const char *early_retrans(const char *value) { return strcmp(value, "3") == 0 || strcmp(value, "4") == 0 ? "1" : strcmp(value, "0") == 0 ? "0" : NULL; }

bool drill_setting(struct drill_config *c, const char *name, const char *value, char *error, size_t size)
{
    char room[64];
    for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++)
        if (strcmp(facts[i].name, name) == 0) {
            if (strcmp(facts[i].value, value) == 0)
                return true;
            snprintf(error, size, "setting %s=%s: parley knows %s only", name, value, facts[i].value);
            return false;
        }
    if (strcmp(name, "net.ipv4.tcp_early_retrans") == 0) {
        if (!early_retrans(value))
            return bad(error, size, name, value, "0 (no loss probes) or 3");
        value = early_retrans(value);
        name = "loss_probe";
    }
    for (size_t i = 0; i < sizeof sysctls / sizeof sysctls[0]; i++)
        if (strcmp(sysctls[i].theirs, name) == 0) {
            name = sysctls[i].ours;
            if (strstr(name, "buf_bytes") && !drill_setting(c, *name == 'r' ? "rcvbuf_max" : "sndbuf_max", one_of(value, 2, room, sizeof room), error, size))
                return false;
            value = one_of(value, 1, room, sizeof room);
            break;
        }
    if (strcmp(name, "net.ipv4.tcp_moderate_rcvbuf") == 0)
        name = "rcvbuf_max", value = strcmp(value, "0") == 0 ? "0" : strcmp(value, "1") == 0 ? "15M" : value;
    if (strcmp(name, "isn") == 0) {
        c->isn_fixed = read_count(value, UINT32_MAX, &c->isn);
        return c->isn_fixed || bad(error, size, name, value, "a sequence number");
    }
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (strcmp(fields[i].name, name) == 0)
            return set(c, &fields[i], value, error, size);
    snprintf(error, size, "there is no setting \"%s\": it is no field of struct pl_config that scripts may set (rto_min=200ms), nor a sysctl that docs/scripts.md names (net.ipv4.tcp_sack=0)", name);
    return false;
}

bool drill_settings(struct drill_config *c, const char *list, char *error, size_t size)
{
    while (*list) {
        char name[64], value[64];
        size_t n = strcspn(list, ",");
        const char *is = memchr(list, '=', n);
        if (!is || is == list || (size_t)(is - list) >= sizeof name || n - (size_t)(is - list) > sizeof value) {
            snprintf(error, size, "\"%.*s\": name=value expected", (int)n, list);
            return false;
        }
        snprintf(name, sizeof name, "%.*s", (int)(is - list), list);
        snprintf(value, sizeof value, "%.*s", (int)(list + n - is - 1), is + 1);
        if (!drill_setting(c, name, value, error, size))
            return false;
        list += n + (list[n] == ',');
    }
    return true;
}

/* The next word of a shell line, quotes taken off; what is between '=' and the end of a quoted word may hold blanks. */
static bool next_word(const char **line, char *word, size_t size)
{
    const char *p = *line + strspn(*line, " \t\n");
    size_t n = 0;
    char quote = 0;
    if (!*p)
        return false;
    for (; *p && (quote || !isspace((unsigned char)*p)); p++) {
        if (quote ? *p == quote : *p == '"' || *p == '\'')
            quote = quote ? 0 : *p;
        else if (n + 1 < size)
            word[n++] = *p;
    }
    word[n] = 0;
    *line = p;
    return true;
}

static bool one_line(struct drill_config *c, const char *line, char *error, size_t size)
{
    char word[200];
    const char *rest = line;
    if (!next_word(&rest, word, sizeof word) || word[0] == '#')
        return true;
    const char *program = strrchr(word, '/') ? strrchr(word, '/') + 1 : word;
    bool sysctl = strcmp(program, "sysctl") == 0;
    if (!sysctl && strcmp(program, "parley") != 0) {
        snprintf(error, size, "\"%s\": no command runs in a script; settings can be made with sysctl NAME=VALUE or parley NAME=VALUE", line);
        return false;
    }
    while (next_word(&rest, word, sizeof word)) {
        char *is = strchr(word, '=');
        if (word[0] == '-' && sysctl)
            continue;                     /* -q, -w */
        if (strcmp(word, ">/dev/null") == 0 || strcmp(word, "2>&1") == 0 || strcmp(word, "&>/dev/null") == 0)
            continue;
        if (!is) {
            snprintf(error, size, "\"%s\": NAME=VALUE expected", word);
            return false;
        }
        *is = 0;
        for (char *p = word; *p; p++)
            *p = *p == '/' ? '.' : *p;
        if (!drill_setting(c, word, is + 1, error, size))
            return false;
    }
    return true;
}

bool drill_shell(struct drill_config *c, const char *line, char *error, size_t size)
{
    while (*line) {
        char one[400];
        size_t n = strcspn(line, "\n;");
        snprintf(one, sizeof one, "%.*s", (int)n, line);
        if (n >= sizeof one) {
            snprintf(error, size, "this shell line is too long");
            return false;
        }
        if (!one_line(c, one, error, size))
            return false;
        line += n + (line[n] != 0);
    }
    return true;
}
