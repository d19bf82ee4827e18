/* SPDX-License-Identifier: MIT */
/*
 * cli/bench_child.c - see cli/bench_child.h.
 *
 * The end of the program is what ends a run, and not that of its output: what
 * it left behind may hold the pipes open for ever.
 */

#include "bench_child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "children.h"
#include "pons/time.h"

enum { CHILD_NOT_STARTED = 127 }; // as a shell says it

/* One of the two streams that are caught. */
struct caught {
    int fd; // -1: at its end
    char *text;
    size_t length;
};

static void
child_prepare(const struct bench_child *c, pid_t parent, const int out[2],
              const int err[2])
{
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    sigset_t none;
    cpu_set_t set;

    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) // it was too late for that
        _exit(CHILD_NOT_STARTED);
    signal(SIGXFSZ, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    dup2(null, STDIN_FILENO);
    dup2(out[1], STDOUT_FILENO);
    dup2(err[1], STDERR_FILENO);
    CPU_ZERO(&set);
    CPU_SET((size_t)(c->cpu < 0 ? 0 : c->cpu), &set);
    if (c->cpu >= 0 && sched_setaffinity(0, sizeof set, &set) < 0)
        dprintf(STDERR_FILENO, "cannot be pinned to processor %d\n", c->cpu);
    for (const struct bench_setting *s = c->settings; s && s->name; s++) {
        if (s->value)
            setenv(s->name, s->value, 1);
        else
            unsetenv(s->name);
    }
}

static void
child_become(const struct bench_child *c)
{
    if (c->tracer)
        _exit(c->tracer(c->argv));
    execvp(c->argv[0], c->argv);
    dprintf(STDERR_FILENO, "cannot be started: %s\n", strerror(errno));
    _exit(CHILD_NOT_STARTED);
}

/* Takes what there is to read. */
static void
caught_read(struct caught *w)
{
    char spilt[4096]; // what is beyond CHILD_WORDS
    size_t room = CHILD_WORDS - 1 - w->length;
    ssize_t n;

    if (room > 0)
        n = read(w->fd, w->text + w->length, room);
    else
        n = read(w->fd, spilt, sizeof spilt);
    if (n > 0 && room > 0) {
        w->length += (size_t)n;
        w->text[w->length] = '\0';
    }
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
        close(w->fd);
        w->fd = -1;
    }
}

/* The program has ended; this may wait neither for what it left behind, nor for
 * as long as that goes on writing. */
static void
caught_drain(struct caught *w)
{
    struct pollfd p = {.fd = w->fd, .events = POLLIN};

    while (w->fd >= 0 && w->length < CHILD_WORDS - 1 && poll(&p, 1, 0) > 0)
        caught_read(w);
    if (w->fd >= 0)
        close(w->fd);
}

static int
milliseconds_until(uint64_t deadline_ns)
{
    uint64_t now = pons_now(), left;

    if (now >= deadline_ns)
        return 0;
    left = (deadline_ns - now) / 1000000 + 1;
    return left > 60000 ? 60000 : (int)left;
}

/* Until the program ends (0), is late (-ETIME), or is to stop (-EINTR). */
static int
child_watch(const struct bench_child *c, int pidfd, struct caught *out,
            struct caught *err, uint64_t deadline_ns)
{
    for (;;) {
        struct pollfd p[] = {
            {.fd = pidfd, .events = POLLIN},
            {.fd = c->interrupt, .events = POLLIN},
            {.fd = out->fd, .events = POLLIN},
            {.fd = err->fd, .events = POLLIN},
        };
        int timeout = milliseconds_until(deadline_ns);

        if (poll(p, 4, timeout) < 0 && errno != EINTR)
            return -errno;
        if (p[2].revents)
            caught_read(out);
        if (p[3].revents)
            caught_read(err);
        if (p[0].revents)
            return 0;
        if (p[1].revents)
            return -EINTR;
        if (timeout == 0)
            return -ETIME;
    }
}

/* The child `pid` runs; `out` and `err` are its ends to read. */
static int
child_follow(const struct bench_child *c, struct bench_ended *ended, pid_t pid,
             int out_fd, int err_fd, uint64_t began_ns,
             const struct children *before)
{
    struct caught out = {.fd = out_fd, .text = ended->out};
    struct caught err = {.fd = err_fd, .text = ended->err};
    int pidfd = pidfd_open(pid, 0);
    int result = -errno;

    if (pidfd >= 0) {
        result = child_watch(c, pidfd, &out, &err, began_ns + c->limit_ns);
        close(pidfd);
    }
    ended->wall_ns = pons_now() - began_ns;
    /* Before it is waited for: till then nobody else has its number. */
    kill(-pid, SIGKILL);
    kill(pid, SIGKILL); // whose group may not be its own yet
    while (wait4(pid, &ended->status, 0, &ended->use) < 0 && errno == EINTR)
        ;
    while (waitpid(-pid, NULL, 0) > 0 || errno == EINTR)
        ;                     // what it left behind, which is our child now
    children_end_all(before); // and what had left its group
    caught_drain(&out);
    caught_drain(&err);
    return result;
}

int
bench_child_run(const struct bench_child *c, struct bench_ended *ended)
{
    uint64_t began_ns = pons_now();
    int out[2], err[2];
    struct children before;
    pid_t own = getpid(), pid;
    int result;

    memset(ended, 0, sizeof *ended);
    children_adopt(&before);
    if (pipe2(out, O_CLOEXEC) < 0)
        return -errno;
    if (pipe2(err, O_CLOEXEC) < 0) {
        result = -errno;
        goto close_out;
    }
    fflush(NULL);
    pid = fork();
    if (pid < 0) {
        result = -errno;
        goto close_err;
    }
    if (pid == 0) {
        child_prepare(c, own, out, err);
        child_become(c);
    }
    setpgid(pid, pid); // as the child does: whoever is first
    close(out[1]);
    close(err[1]);
    return child_follow(c, ended, pid, out[0], err[0], began_ns, &before);
close_err:
    close(err[0]);
    close(err[1]);
close_out:
    close(out[0]);
    close(out[1]);
    return result;
}

/* The last line of `text` that is not empty, without its newline. */
static void
last_line(const char *text, char *line, size_t size)
{
    const char *end = text + strlen(text), *begin;

    while (end > text && end[-1] == '\n')
        end--;
    begin = end;
    while (begin > text && begin[-1] != '\n')
        begin--;
    snprintf(line, size, "%.*s", (int)(end - begin), begin);
}

void
bench_child_why(const struct bench_ended *ended, char *text, size_t size)
{
    char line[256];

    last_line(ended->err, line, sizeof line);
    if (WIFSIGNALED(ended->status))
        snprintf(text, size, "killed by signal %d (%s)%s%s",
                 WTERMSIG(ended->status), strsignal(WTERMSIG(ended->status)),
                 *line ? ": " : "", line);
    else
        snprintf(text, size, "ended with %d%s%s", WEXITSTATUS(ended->status),
                 *line ? ": " : "", line);
}
