/* SPDX-License-Identifier: MIT
 *
 * ss.c: see ss.h. One line looks like this:
 *
 *     ESTAB 0 0 10.9.0.2:80 10.9.0.1:5000 timer:(on,204ms,0) uid:.. ino:.. sk:.. <-> ts sack cubic wscale:8,8 rto:204 rtt:0.4/0.2 mss:1448 ...
 */
#include "support/ss.h"

#include "support/unit.h"

#include <stdio.h>
#include <unistd.h>

bool ss_installed(void)
{
    static int known;                     /* 0: not asked yet, 1: yes, -1: no */
    if (known == 0) known = system("ss -V >/dev/null 2>&1") == 0 ? 1 : -1;
    return known > 0;
}

static bool ends_in_port(const char *end, uint16_t port)
{
    const char *colon = strrchr(end, ':');
    return colon && (port ? strtoul(colon + 1, NULL, 10) == port : strcmp(colon, ":*") == 0);
}

static void read_timer(struct ss *s)
{
    const char *at = strstr(s->line, "timer:(");
    double n = 0;
    char unit[8] = "";
    if (!at) return;
    if (sscanf(at, "timer:(%15[^,],%lf%7[a-z],%u", s->timer, &n, unit, &s->timer_retries) < 3) return;
    /* "1min24sec" is more than any test waits for */
    s->timer_ms = (unsigned)(strcmp(unit, "ms") == 0 ? n : strcmp(unit, "sec") == 0 ? n * 1000 : n * 60000);
}

bool ss_find(struct rig *r, uint16_t kernel_port, uint16_t our_port, struct ss *s)
{
    static const char *const argv[] = {"ss", "-tinoeaHO", NULL};
    int out[2];
    bool found = false;
    assert_int_equal(pipe(out), 0);
    pid_t pid = testnet_spawn(&r->net, RIG_KERNEL, argv, out[1]);
    assert_true(pid > 0);
    close(out[1]);
    FILE *f = fdopen(out[0], "r");
    assert_non_null(f);
    memset(s, 0, sizeof *s);
    for (char line[sizeof s->line]; fgets(line, sizeof line, f);) {
        char state[16], local[80], remote[80];
        if (found || sscanf(line, "%15s %*u %*u %79s %79s", state, local, remote) != 3) continue;
        found = ends_in_port(local, kernel_port) && ends_in_port(remote, our_port);
        if (!found) continue;
        strcpy(s->state, state);
        strcpy(s->line, line);
        s->line[strcspn(s->line, "\n")] = ' ';
        read_timer(s);
    }
    fclose(f);
    assert_int_equal(testnet_wait(pid), 0);
    return found;
}

static const char *behind(const struct ss *s, const char *name, const char *with)
{
    char word[40];
    snprintf(word, sizeof word, " %s%s", name, with);
    const char *at = strstr(s->line, word);
    return at ? at + strlen(word) : NULL;
}

bool ss_word(const struct ss *s, const char *word) { return behind(s, word, " ") != NULL; }

int64_t ss_milli(const struct ss *s, const char *name)
{
    const char *at = behind(s, name, ":");
    return at ? (int64_t)(strtod(at, NULL) * 1000 + 0.5) : -1;
}

int64_t ss_milli_second(const struct ss *s, const char *name)
{
    const char *at = behind(s, name, ":"), *second = at ? strpbrk(at, ",/ ") : NULL;
    return second && *second != ' ' ? (int64_t)(strtod(second + 1, NULL) * 1000 + 0.5) : -1;
}

int64_t ss_number(const struct ss *s, const char *name)
{
    const char *at = behind(s, name, ":");
    return at ? strtoll(at, NULL, 10) : 0;
}
