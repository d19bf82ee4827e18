/* SPDX-License-Identifier: MIT */
/*
 * tests/dump_test.c - pons_dump(): every task once, with what it waits for, and
 * none the worse for it (P8).
 */

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <string.h>

#include "everywhere.h"
#include "pons/scope.h"
#include "pons/time.h"
#include "told.h"

enum {
    SLEEPERS = 50, // tasks that are there all the time
    DUMPS = 200,   // while others come and go
    PINGS = 3000,  // between two tasks that are looked at
    NAMES = 16,
};

static unsigned
times(const char *text, const char *part)
{
    unsigned n = 0;

    while ((text = strstr(text, part)) != NULL) {
        text += strlen(part);
        n++;
    }
    return n;
}

/* Dumps until `part` is there. */
static char *
dumped_with(struct pons_runtime *rt, const char *part)
{
    char *text = dumped(rt);

    while (strstr(text, part) == NULL) {
        free(text);
        let_others_run();
        text = dumped(rt);
    }
    return text;
}

static struct pons_task *
spawn_named(const char *name, pons_fiber_f *fn, void *arg)
{
    struct pons_spawn_options o = {
        .size = sizeof o, .name = name, .where = PONS_HERE};
    struct pons_task *t;

    CHECK_EQ(pons_spawn_with(NULL, fn, arg, &t, &o), 0);
    return t;
}

static struct pons_task *
spawn_future_named(const char *name, struct pons_future *f)
{
    struct pons_spawn_options o = {
        .size = sizeof o, .name = name, .where = PONS_HERE};
    struct pons_task *t;

    CHECK_EQ(pons_spawn_future_with(NULL, f, &t, &o), 0);
    return t;
}

static void
end(struct pons_task *t)
{
    pons_cancel(t);
    CHECK_EQ(pons_join(t, NULL), 0);
}

static void
in_places(body_f *body)
{
    within("epoll", "0", body, NULL);
    within("epoll", "2", body, NULL);
    everywhere_in_fibers(body, NULL);
}

/* --- what it says --- */

static void
nothing_runs_in_a_new_runtime(void)
{
    static const char *const workers[] = {"0", "3"};

    for (int i = 0; i < 2; i++) {
        struct pons_runtime *rt = runtime_of("epoll", workers[i]);
        char *text = dumped(rt), expected[32];

        snprintf(expected, sizeof expected, "0 tasks; %s workers;", workers[i]);
        CHECK_HAS(text, expected);
        CHECK_HAS(text, "pool: 0 threads, 0 jobs queued");
        CHECK_EQ(times(text, "\n"), 1);
        free(text);
        pons_runtime_unref(rt);
    }
}

struct what {
    struct pons_stream *s[2];
    char *text;
};

static int64_t
receives(void *arg)
{
    struct what *w = arg;
    char byte;

    return pons_recv(w->s[0], &byte, 1);
}

static int64_t
reads_line(void *arg)
{
    struct what *w = arg;
    char line[8];

    return pons_read_line(w->s[0], line, sizeof line);
}

static int64_t
sends_much(void *arg)
{
    struct what *w = arg;
    char *bytes = calloc(1, 1 << 20);
    int64_t n = pons_send_all(w->s[0], bytes, 1 << 20);

    free(bytes);
    return n;
}

static int64_t
watches(void *arg)
{
    struct what *w = arg;

    return pons_ready_wait(w->s[0], POLLPRI);
}

static int64_t
accepts(void *arg)
{
    struct what *w = arg;
    struct pons_stream *out;

    return pons_accept(w->s[0], &out);
}

static int64_t
sleeps(void *arg)
{
    (void)arg;
    return pons_sleep_until(PONS_NEVER);
}

static int64_t
joins(void *arg)
{
    struct pons_task *t = spawn_named("joined one", sleeps, arg);
    int64_t answer;

    CHECK_EQ(pons_join(t, &answer), 0);
    return answer;
}

static int64_t
job(void *arg)
{
    (void)arg;
    while (!pons_job_cancelled())
        (void)sched_yield();
    return 0;
}

static int64_t
blocks(void *arg)
{
    int64_t answer;

    return pons_blocking(job, arg, &answer);
}

static int64_t
closes_a_scope(void *arg)
{
    struct pons_scope s;

    pons_scope_open(&s, PONS_NEVER);
    CHECK_EQ(pons_scope_spawn(&s, sleeps, arg), 0);
    CHECK_EQ(pons_scope_spawn(&s, sleeps, arg), 0);
    return pons_scope_close(&s);
}

/* One task, named "it", in `fn`: the dump has it once, waiting in `waits`. */
static void
shows(pons_fiber_f *fn, struct what *w, const char *waits, int fd)
{
    char part[80], *text, *line;
    struct pons_task *t = spawn_named("it", fn, w);

    if (fd >= 0)
        snprintf(part, sizeof part, "%s%d", waits, fd);
    else
        snprintf(part, sizeof part, "%s", waits);
    text = dumped_with(pons_runtime_current(), part);
    CHECK_EQ(times(text, "fiber \"it\""), 1);
    line = strstr(text, "fiber \"it\"");
    *strchr(line, '\n') = '\0';
    CHECK_HAS(line, part);
    CHECK_HAS(line, "born at tests/dump_test.c:");
    CHECK_HAS(line, ": waits in ");
    free(text);
    end(t);
}

static void
leaves_body(void *arg)
{
    struct what w;
    int fd;

    (void)arg;
    stream_pair(w.s);
    fd = pons_stream_fd(w.s[0]);
    shows(receives, &w, "recv on descriptor ", fd);
    shows(reads_line, &w, "recv on descriptor ", fd);
    shows(watches, &w, "poll on descriptor ", fd);
    shows(sends_much, &w, "send on descriptor ", fd);
    pons_stream_close(w.s[0]);
    pons_stream_close(w.s[1]);
    stream_pipe(w.s);
    shows(receives, &w, "read on descriptor ", pons_stream_fd(w.s[0]));
    pons_stream_close(w.s[0]);
    pons_stream_close(w.s[1]);
    CHECK_EQ(pons_tcp_listen(&w.s[0], "127.0.0.1", "0", 0), 0);
    shows(accepts, &w, "accept on descriptor ", pons_stream_fd(w.s[0]));
    pons_stream_close(w.s[0]);
    shows(sleeps, &w, "sleep, ", -1);
    shows(joins, &w, "join of joined one, born at tests/dump_test.c:", -1);
    shows(blocks, &w, "blocking job", -1);
    shows(closes_a_scope, &w, "close of a scope with 2 tasks", -1);
}

static void
p8_each_wait_is_described(void)
{
    in_places(leaves_body);
}

static void
queued_body(void *arg)
{
    struct pons_task *t[2];
    struct what w;
    char *text;

    (void)arg;
    stream_pair(w.s);
    for (unsigned i = 0; i < 2; i++) {
        t[i] = spawn_named("it", receives, &w);
        stream_until(w.s[0], 0, i + 1);
    }
    text = dumped_with(pons_runtime_current(), ", behind another");
    CHECK_EQ(times(text, ", behind another"), 1);
    free(text);
    end(t[1]);
    end(t[0]);
    pons_stream_close(w.s[0]);
    pons_stream_close(w.s[1]);
}

static void
queued_operation_is_said_to_be_behind_another(void)
{
    in_places(queued_body);
}

/* Stackless: the leaf is found through the children. */
struct deep {
    struct pons_future base;
    struct pons_timeout timeout;
    struct pons_read_line line;
    struct pons_stream *s;
    char bytes[8];
};

static enum pons_poll
deep_poll(struct pons_future *f, struct pons_waker *w)
{
    struct deep *d = pons_container_of(f, struct deep, base);

    PONS_BEGIN(f);
    pons_read_line_init(&d->line, d->s, d->bytes, sizeof d->bytes);
    pons_timeout_init(&d->timeout, pons_after_ms(60000), &d->line.base);
    PONS_AWAIT(f, w, &d->timeout);
    PONS_RETURN(f, d->timeout.base.result);
    PONS_END(f);
}

static const struct pons_future_ops deep_ops = {
    .size = sizeof deep_ops, .name = "deep", .poll = deep_poll};

/* Waits for nothing that is known. */
static enum pons_poll
mute_poll(struct pons_future *f, struct pons_waker *w)
{
    (void)w;
    f->result = 0;
    return f->state ? PONS_READY : PONS_PENDING;
}

static void
mute_cancel(struct pons_future *f)
{
    f->state = 1;
}

static const struct pons_future_ops mute_ops = {.size = sizeof mute_ops,
                                                .name = "mute",
                                                .poll = mute_poll,
                                                .cancel = mute_cancel};
static const struct pons_future_ops nameless_ops = {
    .size = sizeof nameless_ops, .poll = mute_poll, .cancel = mute_cancel};

static void
stackless_body(void *arg)
{
    struct pons_runtime *rt = pons_runtime_current();
    struct pons_future mute, nameless;
    struct pons_stream *s[2];
    struct pons_task *t[3];
    struct deep d;
    char *text;

    (void)arg;
    stream_pair(s);
    pons_future_init(&d.base, &deep_ops);
    d.s = s[0];
    pons_future_init(&mute, &mute_ops);
    pons_future_init(&nameless, &nameless_ops);
    t[0] = spawn_future_named("the deep one", &d.base);
    t[1] = spawn_future_named(NULL, &mute);
    t[2] = spawn_future_named("x", &nameless);
    free(dumped_with(rt, ": waits in recv on descriptor "));
    free(dumped_with(rt, ": waits in mute\n"));
    text = dumped_with(rt, ": waits in a future\n");
    CHECK_EQ(times(text, "stackless \"the deep one\""), 1);
    CHECK_EQ(times(text, "stackless \"task\""), 1);
    CHECK_EQ(times(text, "stackless \"x\""), 1);
    free(text);
    for (int i = 0; i < 3; i++)
        end(t[i]);
    pons_stream_close(s[0]);
    pons_stream_close(s[1]);
}

static void
leaf_of_a_stackless_task_is_found(void)
{
    in_places(stackless_body);
}

/* --- states --- */

static int64_t
dumps(void *arg)
{
    struct what *w = arg;

    w->text = dumped(pons_runtime_current());
    return 0;
}

static int64_t
hides(void *arg)
{
    struct what *w = arg;
    struct pons_mask m;
    char byte;

    pons_mask_open(&m, 60 * PONS_S);
    CHECK_EQ(pons_recv(w->s[0], &byte, 1), 1);
    pons_mask_close(&m);
    return 0;
}

static void
states_body(void *arg)
{
    struct pons_task *t;
    struct what w;
    char *text;

    (void)arg;
    t = spawn_named("it", dumps, &w);
    CHECK_EQ(pons_join(t, NULL), 0);
    CHECK_HAS(w.text, "fiber \"it\" born at tests/dump_test.c:");
    CHECK_HAS(w.text, ": runs\n");
    free(w.text);
    stream_pair(w.s);
    t = spawn_named("it", hides, &w);
    stream_until(w.s[0], 0, 1);
    pons_cancel(t);
    text = dumped_with(pons_runtime_current(), ", cancelled");
    CHECK_EQ(times(text, ", cancelled\n"), 1);
    free(text);
    CHECK_EQ(pons_send(w.s[1], "x", 1), 1);
    CHECK_EQ(pons_join(t, NULL), 0);
    pons_stream_close(w.s[0]);
    pons_stream_close(w.s[1]);
}

static void
p8_running_and_cancelled_tasks_are_shown_as_such(void)
{
    struct pons_runtime *rt = runtime_of("epoll", "0");
    struct pons_task *t;
    char *text;

    CHECK_EQ(pons_spawn(rt, sleeps, NULL, &t), 0);
    text = dumped(rt); // nobody has run it
    CHECK_HAS(text, "fiber \"fiber\" born at tests/dump_test.c:");
    CHECK_HAS(text, ": ready\n");
    CHECK_HAS(text, "1 tasks; 0 workers");
    free(text);
    end(t);
    text = dumped(rt);
    CHECK_HAS(text, "0 tasks; 0 workers");
    free(text);
    pons_runtime_unref(rt);
    in_places(states_body);
}

/* --- while they run --- */

static const char *const names[] = {"n00", "n01", "n02", "n03", "n04", "n05",
                                    "n06", "n07", "n08", "n09", "n10", "n11",
                                    "n12", "n13", "n14", "n15"};

static int64_t
naps_and_yields(void *arg)
{
    int *stop = arg;

    while (!__atomic_load_n(stop, __ATOMIC_ACQUIRE)) {
        (void)!pons_yield();
        (void)!pons_sleep(10000);
    }
    return 0;
}

static int64_t
short_life(void *arg)
{
    (void)arg;
    return pons_yield();
}

static int64_t
breeds(void *arg)
{
    int *stop = arg;

    while (!__atomic_load_n(stop, __ATOMIC_ACQUIRE)) {
        struct pons_task *t[8];
        struct pons_scope s;

        pons_scope_open(&s, PONS_NEVER);
        for (int i = 0; i < 8; i++)
            CHECK_EQ(pons_scope_spawn(&s, short_life, NULL), 0);
        CHECK_EQ(pons_scope_close(&s), 0);
        for (int i = 0; i < 8; i++)
            CHECK_EQ(pons_spawn(NULL, short_life, NULL, &t[i]), 0);
        for (int i = 0; i < 8; i++)
            CHECK_EQ(pons_join(t[i], NULL), 0);
    }
    return 0;
}

static void
check_dump(const char *text)
{
    const char *last = text;
    unsigned lines = times(text, "\n") - 1;

    for (int i = 0; i < NAMES; i++)
        CHECK_EQ(times(text, names[i]), 1);
    CHECK_EQ(times(text, "\"asleep\""), SLEEPERS);
    CHECK_EQ(times(text, "\ntask ") + (strncmp(text, "task ", 5) == 0), lines);
    while (strchr(last, '\n')[1] != '\0')
        last = strchr(last, '\n') + 1;
    CHECK_EQ(strtoul(last, NULL, 10), lines); // as it counts itself
}

static int64_t
dumps_often(void *rt)
{
    for (int i = 0; i < DUMPS; i++) {
        char *text = dumped(rt);

        check_dump(text);
        free(text);
        (void)sched_yield();
    }
    return 0;
}

static int64_t
crowd(void *arg)
{
    struct pons_task *moving[NAMES], *asleep[SLEEPERS], *bred[2];
    struct agent dumpers[2];
    int stop = 0;

    for (int i = 0; i < NAMES; i++)
        moving[i] = spawn_named(names[i], naps_and_yields, &stop);
    for (int i = 0; i < SLEEPERS; i++)
        asleep[i] = spawn_named("asleep", sleeps, NULL);
    for (int i = 0; i < 2; i++) {
        bred[i] = spawn_named("breeder", breeds, &stop);
        agent_start_thread(&dumpers[i], dumps_often, arg);
    }
    for (int i = 0; i < 2; i++)
        CHECK_EQ(agent_join(&dumpers[i]), 0);
    __atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
    for (int i = 0; i < NAMES; i++)
        CHECK_EQ(pons_join(moving[i], NULL), 0);
    for (int i = 0; i < SLEEPERS; i++)
        end(asleep[i]);
    for (int i = 0; i < 2; i++)
        CHECK_EQ(pons_join(bred[i], NULL), 0);
    return 0;
}

static void
each_task_is_shown_once_while_they_come_and_go(void)
{
    static const char *const workers[] = {"0", "1", "4"};

    for (int i = 0; i < 3; i++) {
        struct pons_runtime *rt = runtime_of("epoll", workers[i]);

        CHECK_EQ(pons_block_on(rt, crowd, rt, NULL), 0);
        pons_runtime_unref(rt);
    }
}

struct pinger {
    struct pons_stream *s;
    int first;
};

static int64_t
pings(void *arg)
{
    struct pinger *p = arg;
    char byte = 'p';

    for (int i = 0; i < PINGS; i++) {
        if (p->first)
            CHECK_EQ(pons_send(p->s, &byte, 1), 1);
        CHECK_EQ(pons_recv(p->s, &byte, 1), 1);
        if (!p->first)
            CHECK_EQ(pons_send(p->s, &byte, 1), 1);
    }
    return 0;
}

struct looker {
    struct pons_runtime *rt;
    int over;
};

static int64_t
dumps_until_over(void *arg)
{
    struct looker *l = arg;

    while (!__atomic_load_n(&l->over, __ATOMIC_ACQUIRE))
        free(dumped(l->rt));
    return 0;
}

static void
no_wake_is_lost_on_a_task_that_is_looked_at(void)
{
    struct pons_runtime *rt = runtime_of("epoll", "2");
    struct looker l = {.rt = rt};
    struct pons_stream *s[2];
    struct pinger p[2];
    struct pons_task *t[2];
    struct agent dumper;

    stream_pair(s);
    agent_start_thread(&dumper, dumps_until_over, &l);
    for (int i = 0; i < 2; i++) {
        p[i] = (struct pinger){s[i], i};
        CHECK_EQ(pons_spawn(rt, pings, &p[i], &t[i]), 0);
    }
    for (int i = 0; i < 2; i++)
        CHECK_EQ(pons_join(t[i], NULL), 0);
    __atomic_store_n(&l.over, 1, __ATOMIC_RELEASE);
    CHECK_EQ(agent_join(&dumper), 0);
    pons_stream_close(s[0]);
    pons_stream_close(s[1]);
    pons_runtime_unref(rt);
}

static const struct unit_test tests[] = {
#define T(name)     \
    {               \
#name, name \
    }
    T(nothing_runs_in_a_new_runtime),
    T(p8_each_wait_is_described),
    T(queued_operation_is_said_to_be_behind_another),
    T(leaf_of_a_stackless_task_is_found),
    T(p8_running_and_cancelled_tasks_are_shown_as_such),
    T(each_task_is_shown_once_while_they_come_and_go),
    T(no_wake_is_lost_on_a_task_that_is_looked_at),
#undef T
    {0},
};

int
main(int argc, char **argv)
{
    return unit_main("dump", tests, argc, argv);
}
