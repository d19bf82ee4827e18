/* SPDX-License-Identifier: MIT */
/*
 * bench/server.c - see bench/server.h.
 *
 * The processor time is the process's CPU clock: unlike the files in
 * /proc/PID/task it knows the threads that have ended. Of a thread that runs it
 * may be a tick behind, so it is read once the server sleeps, before and after
 * a load. The split into user and system is sampled by the kernel and given in
 * hundredths of a second: it is right to some percents, and left out where
 * there are few.
 */

#include "server.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "counters.h"

enum {
    NOT_FOUND = 127,      // exit status, as shells have it
    CANNOT_RUN = 77,      // exit status, as automake's tests have it
    START_MS = 10000,     // to print its port: peers have run times to load
    END_MS = 5000,        // to end when told
    LINE_MAX_BYTES = 512, // of a port or a reason
    TICKS_MIN = 20,       // fewer samples do not make a share
    SETTLE_STEP_NS = 100000,
    SETTLE_STEPS = 200, // 20 ms, and others may have the processor meanwhile
};

/* --- processors --- */

/* As the environment asks for; one where it says nothing, and of a server that
 * does not vary with it, for which `pons bench` sets nothing. */
static int
workers(void)
{
    const char *text = getenv("PONS_WORKERS");

    return text ? atoi(text) : 1;
}

/* Whoever started us may have pinned us: that is widened again. */
static void
pin(enum side side)
{
    cpu_set_t all, own;

    memset(&all, 0xff, sizeof all);
    if (sched_setaffinity(0, sizeof all, &all) < 0 ||
        sched_getaffinity(0, sizeof all, &all) < 0)
        return;
    own = sides_of(&all, side, workers());
    bench_must(sched_setaffinity(0, sizeof own, &own) == 0, "pinning");
}

/* --- start and end --- */

const char *
server_beside(const char *name)
{
    static char path[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    char *slash;

    if (n < 0)
        return NULL;
    path[n] = 0;
    slash = strrchr(path, '/');
    n = slash + 1 - path;
    if (strlen(name) >= sizeof path - (size_t)n)
        return NULL;
    strcpy(slash + 1, name);
    return path;
}

/* Between fork and exec. */
static void
become(char *const argv[], enum side side, const int in[2], const int out[2])
{
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (dup2(in[0], STDIN_FILENO) < 0 || dup2(out[1], STDOUT_FILENO) < 0)
        _exit(NOT_FOUND);
    pin(side);
    execvp(argv[0], argv);
    fprintf(stderr, "bench: cannot run %s: %s\n", argv[0], strerror(errno));
    _exit(NOT_FOUND);
}

/* Byte by byte: what follows the line is not ours to take. */
static size_t
read_line(int fd, char *line, size_t size)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    size_t n = 0;

    while (n + 1 < size && poll(&ready, 1, START_MS) == 1 &&
           read(fd, line + n, 1) == 1 && line[n] != '\n')
        n++;
    line[n] = 0;
    return n;
}

/* The exit status; -1 for a death by signal, or one of ours that was due. */
static int
await_end(struct server *s)
{
    struct pollfd end = {.fd = s->process, .events = POLLIN};
    int status;

    if (poll(&end, 1, END_MS) != 1)
        (void)kill(s->pid, SIGKILL);
    bench_must(waitpid(s->pid, &status, 0) == s->pid, "waitpid");
    close(s->process);
    close(s->output);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int
server_start_on(struct server *s, enum side side, char *const argv[],
                char *line, size_t size)
{
    int in[2], out[2];

    bench_must(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0, "pipe");
    fflush(stdout);
    s->pid = fork();
    bench_must(s->pid >= 0, "fork");
    if (s->pid == 0)
        become(argv, side, in, out);
    close(in[0]);
    close(out[1]);
    s->process = pidfd_open(s->pid, 0);
    bench_must(s->process >= 0, "pidfd_open");
    s->input = in[1];
    s->output = out[0];
    s->port = 0;
    s->counters = NULL;
    pin(LOAD_SIDE);
    if (read_line(s->output, line, size) > 0)
        return 0;
    close(s->input);
    bench_must(await_end(s) == NOT_FOUND,
               "waiting for the server's first line");
    return -1;
}

int
server_start(struct server *s, char *const argv[], char *line, size_t size)
{
    return server_start_on(s, SERVER_SIDE, argv, line, size);
}

void
server_end(struct server *s, int signal)
{
    close(s->input);
    if (signal)
        (void)kill(s->pid, signal);
    bench_must(await_end(s) == 0, "the server's end");
}

int
server_start_echo(struct server *s, struct bench_run *r, enum side side)
{
    const char *program =
        bench_server(r) ? bench_server(r) : server_beside("echo_server");
    char *argv[] = {(char *)program, (char *)"--serve", (char *)"echo", NULL};
    char line[LINE_MAX_BYTES], *end;
    long port;

    bench_must(program != NULL, "finding the server");
    bench_must(server_start_on(s, side, argv, line, sizeof line) == 0, program);
    port = strtol(line, &end, 10);
    if (*end == 0 && port > 0 && port <= USHRT_MAX) {
        s->port = (int)port;
        return 0;
    }
    close(s->input);
    bench_must(await_end(s) == CANNOT_RUN, "the server's start");
    bench_skip(r, line);
    return -1;
}

/* --- measuring --- */

static FILE *
open_proc(const struct server *s, const char *name)
{
    char path[300];
    FILE *f;

    snprintf(path, sizeof path, "/proc/%d/%s", (int)s->pid, name);
    f = fopen(path, "re");
    bench_must(f != NULL, path);
    return f;
}

static uint64_t
read_cpu_clock(const struct server *s)
{
    struct timespec t;
    clockid_t clock;

    bench_must(clock_getcpuclockid(s->pid, &clock) == 0 &&
                   clock_gettime(clock, &t) == 0,
               "the server's clock");
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* utime and stime follow the name, which may hold blanks and parentheses. */
static void
read_ticks(const struct server *s, struct server_used *used)
{
    char line[1024] = "";
    unsigned long user = 0, system = 0;
    FILE *f = open_proc(s, "stat");
    char *name_end;

    bench_must(fgets(line, sizeof line, f) != NULL, "stat");
    fclose(f);
    name_end = strrchr(line, ')');
    bench_must(name_end && sscanf(name_end + 1,
                                  " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u "
                                  "%*u %lu %lu",
                                  &user, &system) == 2,
               "stat");
    used->user_ticks = user;
    used->system_ticks = system;
}

/* What is said of all threads there are. */
struct threads {
    uint64_t switches;
    unsigned running; // or ready to
};

static void
read_thread(const struct server *s, const char *tid, struct threads *t)
{
    char path[300], line[256], state;
    unsigned long n;
    FILE *f;

    snprintf(path, sizeof path, "/proc/%d/task/%s/status", (int)s->pid, tid);
    f = fopen(path, "re");
    if (!f)
        return; // it has ended meanwhile
    while (fgets(line, sizeof line, f)) {
        if (sscanf(line, "voluntary_ctxt_switches: %lu", &n) == 1 ||
            sscanf(line, "nonvoluntary_ctxt_switches: %lu", &n) == 1)
            t->switches += n;
        else if (sscanf(line, "State: %c", &state) == 1)
            t->running += state == 'R';
    }
    fclose(f);
}

static struct threads
read_threads(const struct server *s)
{
    struct threads t = {0, 0};
    struct dirent *e;
    char path[64];
    DIR *dir;

    snprintf(path, sizeof path, "/proc/%d/task", (int)s->pid);
    dir = opendir(path);
    bench_must(dir != NULL, path);
    while ((e = readdir(dir)) != NULL)
        if (e->d_name[0] != '.')
            read_thread(s, e->d_name, &t);
    closedir(dir);
    return t;
}

/* Until all threads sleep: seen twice, for one that lies down says so before it
 * is accounted. A server that never sleeps is taken as it is. */
static void
settle(const struct server *s)
{
    const struct timespec pause = {0, SETTLE_STEP_NS};
    unsigned asleep = 0;

    for (int i = 0; i < SETTLE_STEPS && asleep < 2; i++) {
        asleep = read_threads(s).running ? 0 : asleep + 1;
        nanosleep(&pause, NULL);
    }
}

int
server_count(struct server *s, struct bench_run *r)
{
    char why[256];

    if (bench_count(r) == BENCH_COUNT_NOTHING)
        return 0;
    s->counters = counters_start(s->pid, bench_count(r), why, sizeof why);
    if (s->counters)
        return 0;
    bench_skip(r, why);
    return -1;
}

void
server_read(const struct server *s, struct server_used *used)
{
    settle(s);
    used->cpu_ns = read_cpu_clock(s);
    read_ticks(s, used);
    used->switches = read_threads(s).switches;
}

double
server_resident(const struct server *s)
{
    FILE *f = open_proc(s, "smaps_rollup");
    unsigned long kib = 0;
    char line[256];

    while (fgets(line, sizeof line, f) && sscanf(line, "Rss: %lu", &kib) != 1)
        ;
    fclose(f);
    return (double)kib * 1024;
}

/* The user space's part of the time; less than 0: it is not known. */
static double
user_share(const struct server_used *now, const struct server_used *before)
{
    double user = (double)(now->user_ticks - before->user_ticks);
    double ticks = user + (double)(now->system_ticks - before->system_ticks);

    return ticks >= TICKS_MIN ? user / ticks : -1;
}

void
server_values(struct server *s, struct bench_run *r,
              const struct server_used *before, uint64_t ops)
{
    enum bench_count what = s->counters ? bench_count(r) : BENCH_COUNT_NOTHING;
    double n = (double)ops, cpu, share, counted = 0;
    struct server_used now;

    if (s->counters)
        counted = counters_stop(s->counters);
    s->counters = NULL;
    server_read(s, &now);
    cpu = (double)(now.cpu_ns - before->cpu_ns) / n;
    share = what == BENCH_COUNT_USER ? counted : user_share(&now, before);
    bench_value(r, "server cpu", "ns", cpu);
    if (what == BENCH_COUNT_CALLS)
        bench_value(r, "server calls", "1", counted / n);
    if (share >= 0) {
        bench_value(r, "server user", "ns", cpu * share);
        bench_value(r, "server system", "ns", cpu * (1 - share));
    }
    if (now.switches >= before->switches) // else those of some are gone
        bench_value(r, "server switches", "1",
                    (double)(now.switches - before->switches) / n);
    bench_value(r, "server rss", "B", server_resident(s));
}
