/* SPDX-License-Identifier: MIT */
/*
 * tests/everywhere.c - see tests/everywhere.h.
 */

#include "everywhere.h"

#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/lock.h"
#include "core/stream.h"

static const char *place_reactor, *place_workers, *place_kind;
static const char *place_files; // PONS_FILES; NULL: not set

static void
say_place(void)
{
    if (place_kind != NULL)
        fprintf(stderr, "  in: reactor %s%s%s, %s workers, %s\n", place_reactor,
                place_files ? ", files by " : "",
                place_files ? place_files : "", place_workers, place_kind);
}

static void
enter_place(const char *reactor, const char *workers, const char *kind)
{
    static int registered;

    if (!registered++)
        atexit(say_place);
    place_reactor = reactor;
    place_workers = workers;
    place_kind = kind;
}

/* Of the reactors those that are not built in. */
static int
is_a_file(const char *reactor)
{
    return strncmp(reactor, "lib", 3) == 0;
}

static struct pons_runtime *
runtime_make(const char *reactor, const char *workers, const char *pool)
{
    struct pons_settings s = PONS_SETTINGS_INIT;
    struct pons_runtime *rt;

    s.flags = PONS_NO_ENVIRONMENT;
    if (is_a_file(reactor))
        s.plugin_path = TEST_WRAPPER_DIR;
    else
        s.flags |= PONS_NO_EXTERNAL_PLUGINS;
    s.reactor = reactor;
    s.workers = workers;
    s.pool = pool;
    s.files = place_files;
    if (pons_runtime_new(&rt, &s) < 0)
        fprintf(stderr, "%s\n", pons_last_error());
    CHECK(rt != NULL);
    return rt;
}

/* UNIT_REACTOR, for tests that are content with one; or NULL. */
static const char *
reactor_instead(void)
{
    return getenv("UNIT_REACTOR");
}

int
only_completes(void)
{
    return reactor_instead() != NULL && strcmp(reactor_instead(), "uring") == 0;
}

/* With its first loop in the process libuv opens a pipe for good. */
struct pons_runtime *
runtime_with(const char *reactor, const char *workers, const char *pool)
{
    static int opened;
    int before;

    if (reactor_instead() != NULL && strcmp(reactor, "epoll") == 0)
        reactor = reactor_instead();
    if (strncmp(reactor, "libuv", 5) == 0 && !opened++) {
        before = descriptors_now();
        pons_runtime_unref(runtime_make("libuv", "0", NULL));
        unit_for_good = descriptors_now() - before;
    }
    return runtime_make(reactor, workers, pool);
}

struct pons_runtime *
runtime_of(const char *reactor, const char *workers)
{
    return runtime_with(reactor, workers, NULL);
}

struct pons_runtime *
runtime_with_pool(const char *workers, const char *pool)
{
    return runtime_with("epoll", workers, pool);
}

/* Where a container or an emulator allows no io_uring, all else is tested. */
static int
uring_is_usable(void)
{
    struct pons_settings s = PONS_SETTINGS_INIT;
    struct pons_runtime *rt;

    s.flags = PONS_NO_ENVIRONMENT | PONS_NO_EXTERNAL_PLUGINS;
    s.reactor = "uring";
    s.workers = "0";
    if (pons_runtime_new(&rt, &s) < 0) {
        fprintf(stderr, "SKIP reactors_here: %s\n", pons_last_error());
        return 0;
    }
    pons_runtime_unref(rt);
    return 1;
}

const char *const *
reactors_here(void)
{
    static const char *here[6];
    unsigned n = 0;

    if (here[0] != NULL)
        return here;
    here[n++] = "epoll";
    here[n++] = "poll";
#ifdef TEST_LIBEV
    here[n++] = "libev";
#endif
#ifdef TEST_LIBUV
    here[n++] = "libuv";
#endif
#ifdef TEST_URING
    if (uring_is_usable())
        here[n++] = "uring";
#else
    (void)uring_is_usable;
#endif
    return here;
}

int
reactor_is_here(const char *name)
{
    const char *const *r = reactors_here();

    while (*r != NULL && strcmp(*r, name) != 0)
        r++;
    return *r != NULL;
}

int
everywhere_beside(const char *files)
{
#ifdef TEST_URING
    (void)reactors_here();
    if (only_completes()) {
        fprintf(stderr, "SKIP everywhere_beside: uring is the reactor\n");
        return 0;
    }
    place_files = NULL;
    if (!uring_is_usable())
        return 0;
    place_files = files;
    return 1;
#else
    fprintf(stderr, "SKIP everywhere_beside: %s is not built\n", files);
    return 0;
#endif
}

struct body {
    body_f *fn;
    void *arg;
};

static int64_t
body_run(void *arg)
{
    struct body *b = arg;

    b->fn(b->arg);
    return 0;
}

static int64_t
body_in_fiber(void *arg)
{
    struct pons_task *t;
    int64_t answer;

    CHECK_EQ(pons_spawn(NULL, body_run, arg, &t), 0);
    CHECK_EQ(pons_join(t, &answer), 0);
    CHECK_EQ(answer, 0);
    return 0;
}

static void
block_and_unref(struct pons_runtime *rt, pons_fiber_f *fn, struct body *b)
{
    int64_t answer;

    CHECK_EQ(pons_block_on(rt, fn, b, &answer), 0);
    CHECK_EQ(answer, 0);
    pons_runtime_unref(rt);
}

void
within(const char *reactor, const char *workers, body_f *fn, void *arg)
{
    struct body b = {fn, arg};

    enter_place(reactor, workers, "block_on");
    block_and_unref(runtime_of(reactor, workers), body_run, &b);
    place_kind = NULL;
}

static void
with_runtimes(body_f *fn, void *arg, int in_block_on)
{
    static const char *const workers[] = {"0", "1", "2", "4"};
    struct body b = {fn, arg};

    if (reactor_instead() != NULL)
        return; // each has its turn without
    for (const char *const *r = reactors_here(); *r != NULL; r++)
        for (int w = 0; w < 4; w++) {
            if (place_files != NULL && strcmp(*r, "uring") == 0)
                continue;
            enter_place(*r, workers[w], "fiber");
            block_and_unref(runtime_of(*r, workers[w]), body_in_fiber, &b);
            if (in_block_on)
                within(*r, workers[w], fn, arg);
        }
    place_kind = NULL;
}

void
everywhere_in_fibers(body_f *fn, void *arg)
{
    with_runtimes(fn, arg, 0);
}

void
everywhere(body_f *fn, void *arg)
{
    with_runtimes(fn, arg, 1);
    enter_place("none", "no", "thread");
    fn(arg);
    place_kind = NULL;
}

/* --- agents --- */

static void *
agent_thread(void *arg)
{
    struct agent *a = arg;

    a->result = a->fn(a->arg);
    return NULL;
}

void
agent_start_thread(struct agent *a, pons_fiber_f *fn, void *arg)
{
    *a = (struct agent){.fn = fn, .arg = arg};
    CHECK_EQ(pthread_create(&a->thread, NULL, agent_thread, a), 0);
}

void
agent_start(struct agent *a, pons_fiber_f *fn, void *arg)
{
    if (pons_runtime_current() == NULL) {
        agent_start_thread(a, fn, arg);
        return;
    }
    *a = (struct agent){.fn = fn, .arg = arg};
    CHECK_EQ(pons_spawn(NULL, fn, arg, &a->task), 0);
}

static int64_t
join_thread(void *arg)
{
    struct agent *a = arg;

    return pthread_join(a->thread, NULL);
}

int64_t
agent_join(struct agent *a)
{
    int64_t joined = 0;

    if (a->task != NULL)
        CHECK_EQ(pons_join(a->task, &a->result), 0);
    else
        CHECK_EQ(pons_blocking(join_thread, a, &joined), 0);
    CHECK_EQ(joined, 0);
    return a->result;
}

/* --- streams --- */

void
stream_pair(struct pons_stream *out[2])
{
    int fds[2];

    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    CHECK_EQ(pons_stream_adopt(&out[0], fds[0]), 0);
    CHECK_EQ(pons_stream_adopt(&out[1], fds[1]), 0);
}

void
stream_pipe(struct pons_stream *out[2])
{
    int fds[2];

    CHECK_EQ(pipe(fds), 0);
    CHECK_EQ(pons_stream_adopt(&out[0], fds[0]), 0);
    CHECK_EQ(pons_stream_adopt(&out[1], fds[1]), 0);
}

/* Those that wait for somebody else; *busy: one is just being started. */
static unsigned
way_count(struct pons_stream *s, int direction, int *busy)
{
    const struct stream_way *way = &s->way[direction];
    unsigned n = 0;

    poni_lock(&s->lock);
    *busy = way->current != NULL && (way->current->state == IO_STARTING ||
                                     way->current->state == IO_TURN ||
                                     way->current->state == IO_POSTED);
    n = way->current != NULL;
    for (const struct pons_op *op = way->queue; op != NULL; op = op->next)
        n++;
    poni_unlock(&s->lock);
    return n;
}

unsigned
stream_waiting(struct pons_stream *s, int direction)
{
    int busy;

    return way_count(s, direction, &busy);
}

void
stream_until(struct pons_stream *s, int direction, unsigned n)
{
    int busy;

    while (way_count(s, direction, &busy) != n || busy)
        let_others_run();
}

void
let_others_run(void)
{
    (void)!pons_yield();
    (void)sched_yield();
}

/* --- the process --- */

static int
entries(const char *path)
{
    DIR *dir = opendir(path);
    int n = -2; // . and ..

    CHECK(dir != NULL);
    while (readdir(dir) != NULL)
        n++;
    closedir(dir);
    return n;
}

static void *
say_id(void *id)
{
    *(pid_t *)id = gettid();
    return NULL;
}

/* A sanitizer's own thread comes with our first one, and stays. Ours is listed
 * for a while after it was joined. */
static void
first_thread(void)
{
    char path[64];
    pthread_t t;
    pid_t id;

    CHECK_EQ(pthread_create(&t, NULL, say_id, &id), 0);
    CHECK_EQ(pthread_join(t, NULL), 0);
    snprintf(path, sizeof path, "/proc/self/task/%d", (int)id);
    while (access(path, F_OK) == 0)
        (void)sched_yield();
}

/* Not the entries of /proc/self/task: a listing ends early where the thread
 * that it has come to ends. */
int
threads_now(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    char line[128];
    int n = 0;
    FILE *f;

    pthread_once(&once, first_thread);
    f = fopen("/proc/self/status", "re");
    CHECK(f != NULL);
    while (n == 0 && fgets(line, sizeof line, f) != NULL)
        (void)sscanf(line, "Threads: %d", &n);
    fclose(f);
    CHECK(n > 0);
    return n;
}

int
descriptors_now(void)
{
    return entries("/proc/self/fd") - 1 - unit_for_good; // its own
}

void
threads_until(int n)
{
    while (threads_now() != n)
        (void)sched_yield();
}
