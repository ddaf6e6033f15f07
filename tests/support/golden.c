/* SPDX-License-Identifier: MIT
 *
 * golden.c: see golden.h.
 */
#include "support/golden.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void play(const struct golden_cell *cell, char *line)
{
    char text[GOLDEN_LINE - GOLDEN_KEY] = "", why[700] = "";
    double sum[GOLDEN_SUMS] = {0};
    struct scenario *s = scenario_read(cell->scenario, strlen(cell->scenario), why, sizeof why);
    for (unsigned i = 0; !why[0] && i < (cell->runs ? cell->runs : 1); i++) {
        struct sim_run *r = run_new(s, i + 1, why, sizeof why);
        if (r && !run_play(r, 0, NULL, NULL)) snprintf(why, sizeof why, "%s", sim_failure(r->sim));
        if (!why[0]) cell->take(r, sum);
        run_free(r);
    }
    if (why[0]) snprintf(text, sizeof text, "FAIL: %.200s", why);
    else cell->judge(cell, sum, text, sizeof text);
    snprintf(line, GOLDEN_LINE, "%s %s", cell->key, text);
    scenario_free(s);
}

static bool wanted(const struct golden_cell *cell, char *const *words)
{
    if (cell->left_out) return false;
    for (; words && *words; words++)
        if (!strstr(cell->key, *words)) return false;
    return true;
}

/* The dearest that has not begun; n: none. */
static size_t next_cell(const struct golden_cell *cell, size_t n, char *const *words, const bool *begun)
{
    size_t best = n;
    for (size_t i = 0; i < n; i++)
        if (!begun[i] && wanted(&cell[i], words) && (best == n || cell[i].cost > cell[best].cost)) best = i;
    return best;
}

struct players {
    size_t running, done, of;
    struct { pid_t pid; size_t cell; } player[64];
    struct timespec began;
    bool told;
};

static void begin(struct players *p, const struct golden_cell *cell, size_t i, char (*line)[GOLDEN_LINE])
{
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        play(&cell[i], line[i]);
        _exit(0);
    }
    if (pid < 0) play(&cell[i], line[i]);
    else p->player[p->running].pid = pid, p->player[p->running++].cell = i;
}

static void end(struct players *p, const struct golden_cell *cell, char (*line)[GOLDEN_LINE])
{
    int status = 0;
    pid_t pid = waitpid(-1, &status, 0);
    size_t k = 0;
    while (k < p->running && p->player[k].pid != pid)
        k++;
    if (k == p->running) return;
    size_t i = p->player[k].cell;
    p->player[k] = p->player[--p->running];
    p->done++;
    if (!line[i][0] || status) snprintf(line[i], GOLDEN_LINE, "%s FAIL: the process that played it ended with status %#x", cell[i].key, (unsigned)status);
    if (!p->told) return;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    fprintf(stderr, "%s%zu of %zu cells, %ld s%s%s%s", isatty(STDERR_FILENO) ? "\r\033[K" : "", p->done, p->of, (long)(now.tv_sec - p->began.tv_sec),
        isatty(STDERR_FILENO) ? "" : ": ", isatty(STDERR_FILENO) ? "" : line[i], isatty(STDERR_FILENO) ? p->done == p->of ? "\n" : "" : "\n");
}

void golden_play(const struct golden_cell *cell, size_t n, char *const *words, bool told, char (*line)[GOLDEN_LINE])
{
    bool *begun = calloc(n, sizeof *begun);
    char(*shared)[GOLDEN_LINE] = mmap(NULL, n * sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    struct players p = {.told = told};
    if (!begun || shared == MAP_FAILED) {
        fputs("golden: out of memory\n", stderr);
        abort();
    }
    clock_gettime(CLOCK_MONOTONIC, &p.began);
    for (size_t i = 0; i < n; i++)
        p.of += wanted(&cell[i], words);
    for (;;) {
        size_t i = next_cell(cell, n, words, begun);
        if (i < n && p.running < 64 && (long)p.running < (cpus > 0 ? cpus : 1)) {
            begun[i] = true;
            begin(&p, cell, i, shared);
        } else if (p.running) {
            end(&p, cell, shared);
        } else {
            break;
        }
    }
    memcpy(line, shared, n * sizeof *shared);
    munmap(shared, n * sizeof *shared);
    free(begun);
}

/* ---------------------------------------- the file ---------------------------------------- */

struct file {
    char *text, *at;
};

static bool open_file(struct file *f, const char *path)
{
    FILE *in = fopen(path, "r");
    size_t n = 0, size = 1 << 20;
    *f = (struct file){.text = malloc(size)};
    if (!in || !f->text) {
        if (in) fclose(in);
        free(f->text);
        f->text = NULL;
        return false;
    }
    n = fread(f->text, 1, size - 1, in);
    fclose(in);
    f->text[n] = '\0';
    return true;
}

/* The file's line with the cell's key, in `line`; false: there is none. */
static bool line_of(const struct file *f, const struct golden_cell *cell, char line[GOLDEN_LINE])
{
    size_t len = strlen(cell->key);
    for (const char *at = f->text; at && *at; at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL) {
        if (strncmp(at, cell->key, len) || at[len] != ' ') continue;
        snprintf(line, GOLDEN_LINE, "%.*s", (int)strcspn(at, "\n"), at);
        return true;
    }
    return false;
}

unsigned golden_compare(const char *path, size_t n, const struct golden_cell *cell, char (*line)[GOLDEN_LINE])
{
    struct file f;
    unsigned bad = 0;
    if (!open_file(&f, path)) {
        printf("%s: %s; `make golden` writes it\n", path, strerror(errno));
        return 1;
    }
    for (size_t i = 0; i < n; i++) {
        char before[GOLDEN_LINE] = "(no such line)";
        if (!line[i][0]) continue;
        bool same = line_of(&f, &cell[i], before) && !strcmp(before, line[i]);
        if (same && !strstr(line[i], "FAIL")) continue;
        bad++;
        if (same) printf("  %s\n", line[i]);
        else printf("- %s\n+ %s\n", before, line[i]);
    }
    if (bad) printf("%u lines of %s differ or fail; `make golden` writes what is so now, and git shows what that changes\n", bad, path);
    free(f.text);
    return bad;
}

bool golden_write(const char *path, const char *head, size_t n, const struct golden_cell *cell, char (*line)[GOLDEN_LINE])
{
    struct file f;
    bool there = open_file(&f, path);
    FILE *out = fopen(path, "w");
    if (!out) {
        if (there) free(f.text);
        return false;
    }
    fputs(head, out);
    for (size_t i = 0; i < n; i++) {
        char before[GOLDEN_LINE];
        if (line[i][0]) fprintf(out, "%s\n", line[i]);
        else if (there && line_of(&f, &cell[i], before)) fprintf(out, "%s\n", before);
    }
    if (there) free(f.text);
    return fclose(out) == 0;
}
