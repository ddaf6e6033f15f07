/* SPDX-License-Identifier: MIT
 *
 * program.c: see program.h.
 */
#include "support/program.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WORDS_MAX 40

const char *program_path(void)
{
    static char path[4200];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 10);
    if (n < 0) abort();
    path[n] = '\0';
    strcpy(strrchr(path, '/'), "/parley");
    return path;
}

static _Noreturn void become(const char *words, int out, int err, int (*before)(void))
{
    char *copy = strdup(words), *argv[WORDS_MAX + 2], *rest = NULL;
    const char *path = program_path();
    int n = 0, nothing = open("/dev/null", O_RDWR);
    argv[n++] = strdup("parley");
    for (char *w = strtok_r(copy, " ", &rest); w && n <= WORDS_MAX; w = strtok_r(NULL, " ", &rest))
        argv[n++] = w;
    argv[n] = NULL;
    dup2(nothing, 0);
    dup2(out < 0 ? nothing : out, 1);
    dup2(err < 0 ? nothing : err, 2);
    setenv("LC_ALL", "C", 1);
    unsetenv("NO_COLOR");
    int refused = before ? before() : 0;
    if (refused) _exit(refused);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGINT, SIG_DFL);              /* who starts the tests in the background makes them deaf to it, and what they start */
    signal(SIGQUIT, SIG_DFL);
    execv(path, argv);
    dprintf(2, "cannot run %s: %s\n", path, strerror(errno));
    _exit(127);
}

pid_t program_start(const char *words, int fd)
{
    pid_t pid = fork();
    if (pid == 0) become(words, fd, fd, NULL);
    return pid;
}

/* Reads both pipes to their end. */
static void collect(struct program_run *r, int out, int err)
{
    struct pollfd p[2] = {{.fd = out, .events = POLLIN}, {.fd = err, .events = POLLIN}};
    char **text[2] = {&r->out, &r->err};
    size_t *bytes[2] = {&r->out_bytes, &r->err_bytes};
    for (int i = 0; i < 2; i++)
        *text[i] = calloc(1, 1);
    while (p[0].fd >= 0 || p[1].fd >= 0) {
        if (poll(p, 2, -1) < 0 && errno != EINTR) break;
        for (int i = 0; i < 2; i++) {
            if (!p[i].revents) continue;
            *text[i] = realloc(*text[i], *bytes[i] + 65537);
            ssize_t n = read(p[i].fd, *text[i] + *bytes[i], 65536);
            if (n <= 0) p[i].fd = -1;
            else *bytes[i] += (size_t)n;
            (*text[i])[*bytes[i]] = '\0';
        }
    }
}

struct program_run *program_run(const char *words, int (*before)(void))
{
    struct program_run *r = calloc(1, sizeof *r);
    int out[2], err[2];
    if (!r || pipe2(out, O_CLOEXEC) < 0 || pipe2(err, O_CLOEXEC) < 0) abort();
    pid_t pid = fork();
    if (pid == 0) become(words, out[1], err[1], before);
    close(out[1]);
    close(err[1]);
    collect(r, out[0], err[0]);
    close(out[0]);
    close(err[0]);
    r->status = program_await(pid, 5);
    return r;
}

void program_forget(struct program_run *r)
{
    free(r->out);
    free(r->err);
    free(r);
}

int program_await(pid_t pid, double seconds)
{
    int status;
    for (double waited = 0; waited < seconds; waited += 0.01) {
        pid_t got = waitpid(pid, &status, WNOHANG);
        if (got == pid) return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        if (got < 0 && errno != EINTR) return -1;
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    return -1;
}

unsigned program_count(const char *in, const char *what)
{
    unsigned n = 0;
    for (const char *at = in; (at = strstr(at, what)) != NULL; at += strlen(what))
        n++;
    return n;
}
