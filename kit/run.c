/* SPDX-License-Identifier: MIT */
/*
 * kit/run.c - see kit/run.h.
 *
 * The clock of the time limit is the kit's, not an alarm(2) of the test's:
 * engines and tests may block signals. The end of the process is what ends a
 * test, not that of its output, which something it left behind may hold open
 * and write to for ever. What it left behind goes with it: its group is killed,
 * and who has left that is our child by then.
 *
 * Time in which the process could run and was not let, since others did, is
 * added to its limit: on a busy machine slowness is no fault of the engine.
 */

#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/children.h"
#include "core/atomic.h"
#include "core/fail.h"
#include "need.h"
#include "pons/time.h"
#include "queued.h"

enum {
    MS = 1000000,
    POLL_MS = 60000, // at most so long at once
    PATIENCE = 60,   // time limits that a test may take, whatever it waits for
};

/* What is known of a test's process while it runs. */
struct run {
    const struct kit_limits *limits;
    struct kit_verdict *verdict; // shared with it
    pid_t pid;
    int pidfd;
    int words; // the end to read of its stdout and stderr
    struct children before;
    char heard[KIT_HEARD];
    size_t length;
};

/* --- in the process --- */

/* As much of something as tests need, if there may be so much. */
static void
child_allow(__rlimit_resource_t what, rlim_t needed)
{
    struct rlimit l;

    if (getrlimit(what, &l) < 0 || l.rlim_cur >= needed)
        return;
    l.rlim_cur = l.rlim_max < needed ? l.rlim_max : needed;
    (void)setrlimit(what, &l);
}

static void
child_prepare(pid_t parent, int words)
{
    const struct rlimit no_core = {0};
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    sigset_t none;

    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) // it was too late for that
        _exit(KIT_STATUS_TOLD);
    setrlimit(RLIMIT_CORE, &no_core);
    child_allow(RLIMIT_NOFILE, KIT_DESCRIPTORS);
    child_allow(RLIMIT_FSIZE, KIT_FILE_BYTES);
    signal(SIGXFSZ, SIG_DFL);
    signal(SIGPIPE, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    dup2(null, STDIN_FILENO);
    dup2(words, STDOUT_FILENO);
    dup2(words, STDERR_FILENO);
    close(null);
    close(words);
}

static _Noreturn void
child_run(const struct kit_test *test, struct poni_entry *entry,
          const struct poni_item *given)
{
    struct kit k = {.entry = entry, .given = given};
    const char *unmet;

    if (poni_entry_load(entry) < 0)
        kit_fail("it cannot be loaded: %s", pons_last_error());
    k.engine = entry->engine;
    if (kit_is_given(&k) && !kit_takes_given(&k))
        kit_unusable(pons_last_error());
    unmet = kit_need_unmet(&k, test->needs);
    if (unmet != NULL)
        kit_skip("%s", unmet);
    test->run(&k);
    poni_config_free(k.config);
    kit_verdict_pass();
    exit(0); // and not _exit: a sanitizer has its say
}

/* --- in the kit --- */

static void
run_hear(struct run *r)
{
    char dropped[512];
    ssize_t n;

    if (r->length < sizeof r->heard - 1)
        n = read(r->words, r->heard + r->length,
                 sizeof r->heard - 1 - r->length);
    else
        n = read(r->words, dropped, sizeof dropped);
    if (n > 0 && r->length < sizeof r->heard - 1)
        r->length += (size_t)n;
    if (n != 0)
        return;
    close(r->words);
    r->words = -1;
}

/* What was said last, and may wait in the pipe. */
static void
run_hear_rest(struct run *r)
{
    struct pollfd p = {.fd = r->words, .events = POLLIN};

    while (r->words >= 0 && r->length < sizeof r->heard - 1 &&
           poll(&p, 1, 0) > 0)
        run_hear(r);
    if (r->words >= 0)
        close(r->words);
}

static int
run_milliseconds(uint64_t deadline_ns)
{
    uint64_t now = pons_now(), left;

    if (now >= deadline_ns)
        return 0;
    left = (deadline_ns - now) / MS + 1;
    return left > POLL_MS ? POLL_MS : (int)left;
}

/* Until the process ends (0), is late (-ETIME), or all is to stop (-EINTR). */
static int
run_watch(struct run *r, uint64_t deadline_ns)
{
    for (;;) {
        struct pollfd p[] = {
            {.fd = r->pidfd, .events = POLLIN},
            {.fd = r->limits->interrupt, .events = POLLIN},
            {.fd = r->words, .events = POLLIN},
        };
        int timeout = run_milliseconds(deadline_ns);

        if (poll(p, 3, timeout) < 0 && errno != EINTR)
            return -errno;
        if (p[2].revents)
            run_hear(r);
        if (p[0].revents)
            return 0;
        if (p[1].revents)
            return -EINTR;
        if (timeout == 0)
            return -ETIME;
    }
}

/* Its status, after it and all that it left behind are gone. */
static int
run_reap(const struct run *r)
{
    int status = 0;

    /* Before it is waited for: till then nobody else has its number. */
    kill(-r->pid, SIGKILL);
    kill(r->pid, SIGKILL); // whose group may not be its own yet
    while (waitpid(r->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    children_end_all(&r->before);
    return status;
}

__attribute__((format(printf, 2, 3))) static void
run_failed(struct kit_result *result, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(result->sentence, sizeof result->sentence, format, args);
    va_end(args);
    result->outcome = KIT_FAILED;
}

/* The process ended in a way that no check has told. */
static void
run_judge_end(struct kit_result *result, int status, const char *when)
{
    if (WIFSIGNALED(status))
        run_failed(result, "%sthe process was killed by signal %d (%s)", when,
                   WTERMSIG(status), strsignal(WTERMSIG(status)));
    else
        run_failed(result, "%sthe process exited with status %d", when,
                   WEXITSTATUS(status));
}

static void
run_judge(struct kit_result *result, const struct run *r, int late, int status)
{
    const struct kit_verdict *v = r->verdict;

    result->outcome = v->outcome;
    memcpy(result->sentence, v->sentence, sizeof v->sentence);
    result->sentence[sizeof v->sentence - 1] = '\0';
    result->hangs = late;
    if (late)
        run_failed(result, "it hangs: the test did not end within %.3g s",
                   (double)r->limits->test_ns / 1e9);
    else if (v->outcome == KIT_RUNNING)
        run_judge_end(result, status, "in the middle of the test ");
    else if (v->outcome == KIT_PASSED && status != 0)
        run_judge_end(result, status, "when the test had passed, ");
}

/* How long the process, or a child that it waits for, could run and was not
 * let. */
static uint64_t
run_queued_ns(const struct run *r)
{
    int32_t child = poni_load_relaxed(&r->verdict->child);
    uint64_t ns = poni_load_relaxed(&r->verdict->queued_ns);

    return ns + kit_queued_ns(r->pid) + (child > 0 ? kit_queued_ns(child) : 0);
}

/* The time that others took: no more than it had not a processor's worth, so
 * that threads that wait for each other's processor are not waited for. */
static uint64_t
run_starved_ns(const struct run *r, uint64_t began_ns)
{
    int32_t child = poni_load_relaxed(&r->verdict->child);
    uint64_t ran_ns = kit_ran_ns(r->pid) + (child > 0 ? kit_ran_ns(child) : 0);
    uint64_t queued_ns = run_queued_ns(r), passed_ns = pons_now() - began_ns;
    uint64_t lacks_ns = passed_ns > ran_ns ? passed_ns - ran_ns : 0;

    return queued_ns < lacks_ns ? queued_ns : lacks_ns;
}

/* As run_watch(), with the time that others took. */
static int
run_watch_patiently(struct run *r, uint64_t began_ns)
{
    uint64_t limit_ns = r->limits->test_ns, starved_ns = 0;
    uint64_t most_ns = (PATIENCE - 1) * limit_ns, before_ns;
    int err;

    do {
        before_ns = starved_ns;
        err = run_watch(r, began_ns + limit_ns + before_ns);
        starved_ns = run_starved_ns(r, began_ns);
        if (starved_ns > most_ns)
            starved_ns = most_ns;
    } while (err == -ETIME && starved_ns > before_ns + MS);
    return err;
}

/* The child is there. */
static int
run_follow(struct run *r, struct kit_result *result)
{
    uint64_t began_ns = pons_now();
    int err, status;

    setpgid(r->pid, r->pid); // as the child does: whoever is first
    r->pidfd = pidfd_open(r->pid, 0);
    err = r->pidfd < 0 ? -errno : run_watch_patiently(r, began_ns);
    status = run_reap(r);
    if (r->pidfd >= 0)
        close(r->pidfd);
    run_hear_rest(r);
    result->took_ns = pons_now() - began_ns;
    if (err < 0 && err != -ETIME)
        return err;
    run_judge(result, r, err == -ETIME, status);
    if (r->length > 0)
        result->heard = strndup(r->heard, r->length);
    return 0;
}

static int
run_fork(struct run *r, struct kit_result *result, struct poni_entry *entry,
         const struct poni_item *given)
{
    pid_t own = getpid();
    int words[2];

    children_adopt(&r->before);
    if (pipe2(words, O_CLOEXEC) < 0)
        return -errno;
    fflush(NULL);
    r->pid = fork();
    if (r->pid < 0) {
        int err = -errno;

        close(words[0]);
        close(words[1]);
        return err;
    }
    if (r->pid == 0) {
        close(words[0]);
        child_prepare(own, words[1]);
        kit_verdict_use(r->verdict);
        child_run(result->test, entry, given);
    }
    close(words[1]);
    r->words = words[0];
    return run_follow(r, result);
}

int
kit_run_test(struct kit_result *result, struct poni_entry *entry,
             const struct poni_item *given, const struct kit_limits *limits)
{
    struct run r = {.limits = limits};
    int err;

    r.verdict = mmap(NULL, sizeof *r.verdict, PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (r.verdict == MAP_FAILED)
        return -errno;
    r.verdict->outcome = KIT_RUNNING;
    err = run_fork(&r, result, entry, given);
    munmap(r.verdict, sizeof *r.verdict);
    return err;
}
