/* SPDX-License-Identifier: MIT
 *
 * steps.c: see steps.h. The child stops itself before and after the call; in between its parent lets it go on by one instruction at a time.
 */
#include "support/steps.h"

#include "support/unit.h"

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

static void child(void (*fn)(void *), void *user)
{
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0) _exit(1);
    raise(SIGSTOP);
    fn(user);
    raise(SIGSTOP);
    _exit(0);
}

/* Runs it; false: it cannot be traced. */
static bool count(void (*fn)(void *), void *user, uint64_t *steps)
{
    int status;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) child(fn, user);
    if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status)) return false;
    *steps = 0;
    do {
        if (ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL) < 0 || waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status)) break;
        ++*steps;
    } while (WSTOPSIG(status) == SIGTRAP);
    bool stopped = WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP;
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    return stopped;
}

static void nothing(void *user) { (void)user; }

bool steps_possible(void)
{
    uint64_t n;
    return count(nothing, NULL, &n);
}

uint64_t steps_of(void (*fn)(void *), void *user)
{
    uint64_t n;
    if (!count(fn, user, &n)) fail_msg("what was counted did not come to its end");
    return n;
}
