/* SPDX-License-Identifier: MIT */
/*
 * tests/completion_test.c - core/completion.c: ended once, from anywhere, a
 * signal handler that has interrupted the scheduler included.
 */

#include "pons/completion.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/fiber.h"
#include "core/fork.h"
#include "core/runtime.h"
#include "core/self.h"
#include "core/switch.h"
#include "core/task.h"
#include "core/waiter.h"
#include "crew.h"
#include "everywhere.h"
#include "pons/time.h"

enum {
#if defined(PONI_TSAN)
    STORM = 100, // completions of each waiter
    RACES = 1000,
#elif defined(PONI_ASAN)
    STORM = 100,
    RACES = 5000,
#else
    STORM = 300,
    RACES = 5000,
#endif
    BUSY = 4,    // tasks beside the waiters
    WAITING = 1, // core/completion.c: COMPLETION_WAITING
};

static int
completion_is_awaited(struct pons_completion *c)
{
    return poni_load_acquire(&c->base.state) == WAITING;
}

static int64_t
complete_when_awaited(void *arg)
{
    struct pons_completion *c = arg;

    while (!completion_is_awaited(c))
        let_others_run();
    return pons_completion_complete(c, 42);
}

/* --- before, during, once --- */

static void
body_before(void *unused)
{
    struct pons_completion c;

    (void)unused;
    pons_completion_init(&c);
    CHECK_EQ(c.base.result, -EINPROGRESS);
    CHECK_EQ(pons_completion_complete(&c, -7), 0);
    CHECK_EQ(pons_await(&c.base), -7);
}

static void
completed_before_the_wait_is_its_result(void)
{
    everywhere(body_before, NULL);
}

static void
body_during(void *arg)
{
    void (*start)(struct agent *, pons_fiber_f *, void *) =
        arg ? agent_start_thread : agent_start;
    struct pons_completion c;
    struct agent a;

    for (int i = 0; i < 10; i++) {
        pons_completion_init(&c);
        start(&a, complete_when_awaited, &c);
        CHECK_EQ(pons_await(&c.base), 42);
        CHECK_EQ(agent_join(&a), 0);
    }
}

static void
completed_by_another_task_ends_the_wait(void)
{
    everywhere(body_during, NULL);
}

static void
completed_by_another_thread_ends_the_wait(void)
{
    everywhere(body_during, (void *)1);
}

static void
the_second_to_complete_is_refused_and_ignored(void)
{
    struct pons_completion c;

    pons_completion_init(&c);
    CHECK_EQ(pons_completion_complete(&c, 1), 0);
    CHECK_EQ(pons_completion_complete(&c, 2), -EALREADY);
    CHECK_EQ(pons_await(&c.base), 1);
    CHECK_EQ(pons_completion_complete(&c, 3), -EALREADY);
    CHECK_EQ(c.base.result, 1);
}

static struct pons_completion shared;
static int answers[CREW_MAX];

static void
complete_shared(int who)
{
    answers[who] = pons_completion_complete(&shared, who);
}

static void
of_several_at_once_one_completes(void)
{
    for (int round = 0; round < 200; round++) {
        int64_t winner;

        pons_completion_init(&shared);
        crew_run(4, complete_shared);
        winner = pons_await(&shared.base);
        for (int i = 0; i < 4; i++)
            CHECK_EQ(answers[i], i == winner ? 0 : -EALREADY);
    }
}

static void
body_spawned(void *unused)
{
    struct pons_completion c;
    struct pons_task *t;
    int64_t answer;

    (void)unused;
    pons_completion_init(&c);
    CHECK_EQ(pons_spawn_future(NULL, &c.base, &t), 0);
    CHECK_EQ(complete_when_awaited(&c), 0);
    CHECK_EQ(pons_join(t, &answer), 0);
    CHECK_EQ(answer, 42);
}

static void
as_a_task_of_its_own_it_ends_when_completed(void)
{
    everywhere_in_fibers(body_spawned, NULL);
}

/* --- wakers --- */

struct bell {
    int rings, references;
    struct pons_completion *cancels; /* when it is rung */
};

static void
bell_clone(void *data)
{
    ((struct bell *)data)->references++;
}

static void
bell_notify(void *data)
{
    struct bell *b = data;

    b->rings++;
    if (b->cancels != NULL)
        pons_future_cancel(&b->cancels->base);
    errno = EIO;
    sched_yield(); // a waiter that could be gone already would be now
}

static void
bell_release(void *data)
{
    ((struct bell *)data)->references--;
}

static void
bell_wake(void *data)
{
    bell_notify(data);
    bell_release(data);
}

static const struct pons_waker_ops bell_ops = {
    .size = sizeof bell_ops,
    .clone = bell_clone,
    .wake = bell_wake,
    .notify = bell_notify,
    .release = bell_release,
};

static void
the_waker_of_the_latest_poll_is_woken(void)
{
    struct bell first = {.rings = 0}, second = {.rings = 0};
    struct pons_waker one = {&bell_ops, &first}, two = {&bell_ops, &second};
    struct pons_completion c;

    pons_completion_init(&c);
    CHECK_EQ(pons_future_poll(&c.base, &one), PONS_PENDING);
    CHECK_EQ(pons_future_poll(&c.base, &two), PONS_PENDING);
    CHECK_EQ(pons_future_poll(&c.base, &two), PONS_PENDING);
    CHECK_EQ(first.references, 0);
    CHECK_EQ(second.references, 1);
    CHECK_EQ(pons_completion_complete(&c, 9), 0);
    CHECK_EQ(first.rings, 0);
    CHECK_EQ(second.rings, 1);
    CHECK_EQ(pons_future_poll(&c.base, &two), PONS_READY);
    CHECK_EQ(second.references, 0);
    CHECK_EQ(c.base.result, 9);
}

static void
completing_keeps_errno(void)
{
    struct bell b = {.rings = 0};
    struct pons_waker w = {&bell_ops, &b};
    struct pons_completion c;

    pons_completion_init(&c);
    CHECK_EQ(pons_future_poll(&c.base, &w), PONS_PENDING);
    errno = EDOM;
    CHECK_EQ(pons_completion_complete(&c, 0), 0);
    CHECK_EQ(errno, EDOM);
    CHECK_EQ(b.rings, 1);
    CHECK_EQ(pons_future_poll(&c.base, &w), PONS_READY);
}

/* The waiter looks all the time and frees what it waited for at once: under
 * ASan nothing of it is touched by the completer afterwards. */
static struct pons_completion *fleeting;

static int64_t
complete_fleeting(void *arg)
{
    struct pons_completion *c;

    (void)arg;
    for (int i = 0; i < RACES; i++) {
        while ((c = poni_swap(&fleeting, NULL)) == NULL)
            sched_yield();
        while (!completion_is_awaited(c))
            poni_pause();
        CHECK_EQ(pons_completion_complete(c, i), 0);
    }
    return 0;
}

static void
the_completer_lets_go_before_the_wait_ends(void)
{
    struct agent a;

    agent_start_thread(&a, complete_fleeting, NULL);
    for (int i = 0; i < RACES; i++) {
        struct pons_completion *c = malloc(sizeof *c);
        struct bell *b = calloc(1, sizeof *b);
        struct pons_waker w = {&bell_ops, b};

        pons_completion_init(c);
        poni_store_release(&fleeting, c);
        while (pons_future_poll(&c->base, &w) == PONS_PENDING)
            sched_yield();
        CHECK_EQ(c->base.result, i);
        CHECK_EQ(b->references, 0);
        free(b);
        free(c);
    }
    CHECK_EQ(agent_join(&a), 0);
}

/* --- cancel --- */

static int64_t
await_completion(void *arg)
{
    struct pons_completion *c = arg;

    return pons_await(&c->base);
}

static void
body_cancelled(void *unused)
{
    struct pons_completion c;
    struct pons_task *t;
    int64_t answer;

    (void)unused;
    pons_completion_init(&c);
    CHECK_EQ(pons_spawn(NULL, await_completion, &c, &t), 0);
    while (!completion_is_awaited(&c))
        let_others_run();
    pons_cancel(t);
    CHECK_EQ(pons_join(t, &answer), 0);
    CHECK_EQ(answer, -ECANCELED);
    CHECK_EQ(pons_completion_complete(&c, 1), -ECANCELED);
    CHECK_EQ(pons_completion_complete(&c, 1), -ECANCELED);
}

static void
after_a_cancelled_wait_completing_says_so(void)
{
    everywhere_in_fibers(body_cancelled, NULL);
}

static void
a_deadline_ends_the_wait(void)
{
    struct pons_completion c;
    int64_t answer = 0;

    pons_completion_init(&c);
    CHECK_EQ(pons_timeout(pons_after_ms(1), await_completion, &c, &answer),
             -ETIME);
    CHECK_EQ(pons_completion_complete(&c, 1), -ECANCELED);
}

static int64_t
await_both_late(void *arg)
{
    struct pons_completion *c = arg;

    while (!pons_cancelled())
        let_others_run();
    CHECK_EQ(pons_await(&c[0].base), 42);
    return pons_await(&c[1].base);
}

struct late {
    struct pons_future base;
    struct pons_yield yield;
    struct pons_completion *c;
};

static enum pons_poll
late_poll(struct pons_future *f, struct pons_waker *w)
{
    struct late *l = pons_container_of(f, struct late, base);

    PONS_BEGIN(f);
    while (!pons_cancelled()) {
        pons_yield_init(&l->yield);
        PONS_AWAIT(f, w, &l->yield);
    }
    PONS_AWAIT(f, w, &l->c[0]);
    CHECK_EQ(l->c[0].base.result, 42);
    PONS_AWAIT(f, w, &l->c[1]);
    PONS_RETURN(f, l->c[1].base.result);
    PONS_END(f);
}

static const struct pons_future_ops late_ops = {
    .size = sizeof late_ops,
    .name = "late",
    .poll = late_poll,
};

static void
body_late(void *stackless)
{
    struct pons_completion c[2];
    struct late l = {.c = c};
    struct pons_task *t;
    int64_t answer;

    pons_future_init(&l.base, &late_ops);
    pons_completion_init(&c[0]);
    pons_completion_init(&c[1]);
    CHECK_EQ(pons_completion_complete(&c[0], 42), 0);
    if (stackless)
        CHECK_EQ(pons_spawn_future(NULL, &l.base, &t), 0);
    else
        CHECK_EQ(pons_spawn(NULL, await_both_late, c, &t), 0);
    let_others_run();
    pons_cancel(t);
    CHECK_EQ(pons_join(t, &answer), 0);
    CHECK_EQ(answer, -ECANCELED);
    CHECK_EQ(pons_completion_complete(&c[1], 42), -ECANCELED);
}

/* P3: what was taken is not lost. */
static void
a_cancelled_task_gets_what_was_completed_before(void)
{
    everywhere_in_fibers(body_late, NULL);
    everywhere_in_fibers(body_late, (void *)1);
}

static void
a_cancel_comes_too_late_once_it_is_being_completed(void)
{
    struct pons_completion c;
    struct bell b = {.cancels = &c};
    struct pons_waker w = {&bell_ops, &b};

    pons_completion_init(&c);
    CHECK_EQ(pons_future_poll(&c.base, &w), PONS_PENDING);
    CHECK_EQ(pons_completion_complete(&c, 5), 0);
    pons_future_cancel(&c.base);
    CHECK_EQ(pons_future_poll(&c.base, &w), PONS_READY);
    CHECK_EQ(c.base.result, 5);
}

struct race {
    struct pons_completion c;
    uint32_t turn; // the round that the completer may begin
};

static int64_t
race_complete(void *arg)
{
    struct race *r = arg;
    int64_t taken = 0;

    for (uint32_t i = 1; i <= RACES; i++) {
        while (poni_load_acquire(&r->turn) != i)
            sched_yield();
        if (pons_completion_complete(&r->c, i) == 0)
            taken++;
        poni_store_release(&r->turn, 0);
    }
    return taken;
}

static void
body_race(void *unused)
{
    struct race r = {.turn = 0};
    int64_t answer, taken = 0;
    struct pons_task *t;
    struct agent a;

    (void)unused;
    agent_start_thread(&a, race_complete, &r);
    for (uint32_t i = 1; i <= RACES; i++) {
        pons_completion_init(&r.c);
        CHECK_EQ(pons_spawn(NULL, await_completion, &r.c, &t), 0);
        if (i % 2)
            while (!completion_is_awaited(&r.c))
                let_others_run();
        poni_store_release(&r.turn, i);
        if (i % 3)
            sched_yield();
        pons_cancel(t);
        CHECK_EQ(pons_join(t, &answer), 0);
        CHECK(answer == i || answer == -ECANCELED);
        taken += answer == i;
        while (poni_load_acquire(&r.turn) != 0)
            sched_yield();
    }
    CHECK_EQ(agent_join(&a), taken);
}

static void
of_cancel_and_complete_one_wins_and_both_know(void)
{
    within("epoll", "1", body_race, NULL);
    within("poll", "2", body_race, NULL);
}

/* --- signals --- */

/* What the handler completes: whatever stands here, once. */
enum slot { SLOT_FIBER, SLOT_MIGRATABLE, SLOT_STACKLESS, SLOT_THREAD, SLOTS };
static struct pons_completion *slots[SLOTS];
static uint32_t handled;

static void
on_signal(int signal)
{
    (void)signal;
    for (int i = 0; i < SLOTS; i++) {
        struct pons_completion *c = poni_swap(&slots[i], NULL);

        if (c != NULL && pons_completion_complete(c, i) != 0)
            abort();
    }
    poni_add(&handled, 1);
}

/* This thread gets the signal; workers block all until asked. */
static void
open_to_signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    CHECK_EQ(pthread_sigmask(SIG_UNBLOCK, &set, NULL), 0);
}

static void
install_handler(void)
{
    struct sigaction action = {.sa_handler = on_signal};

    CHECK_EQ(sigaction(SIGUSR1, &action, NULL), 0);
}

struct storm {
    pthread_t target;
    uint32_t over;    // signals may stop
    uint32_t waiting; // waiters that have not ended
};

static int64_t
storm_blow(void *arg)
{
    struct storm *s = arg;

    while (!poni_load_acquire(&s->over)) {
        CHECK_EQ(pthread_kill(s->target, SIGUSR1), 0);
        sched_yield();
    }
    return 0;
}

static void
storm_await(enum slot slot)
{
    struct pons_completion c;

    for (int i = 0; i < STORM; i++) {
        pons_completion_init(&c);
        poni_store_release(&slots[slot], &c);
        if (i % 3 == 0)
            (void)!pons_yield();
        CHECK_EQ(pons_await(&c.base), slot);
    }
}

static int64_t
storm_fiber(void *arg)
{
    storm_await(SLOT_FIBER);
    poni_sub(&((struct storm *)arg)->waiting, 1);
    return 0;
}

static int64_t
storm_migratable(void *arg)
{
    storm_await(SLOT_MIGRATABLE);
    poni_sub(&((struct storm *)arg)->waiting, 1);
    return 0;
}

struct storm_task {
    struct pons_future base;
    struct pons_completion c;
    struct storm *storm;
    int left;
};

static enum pons_poll
storm_poll(struct pons_future *f, struct pons_waker *w)
{
    struct storm_task *s = pons_container_of(f, struct storm_task, base);

    PONS_BEGIN(f);
    while (s->left-- > 0) {
        pons_completion_init(&s->c);
        poni_store_release(&slots[SLOT_STACKLESS], &s->c);
        PONS_AWAIT(f, w, &s->c);
        CHECK_EQ(s->c.base.result, SLOT_STACKLESS);
    }
    poni_sub(&s->storm->waiting, 1);
    PONS_END(f);
}

static const struct pons_future_ops storm_ops = {
    .size = sizeof storm_ops,
    .name = "storm",
    .poll = storm_poll,
};

static int64_t
nothing(void *arg)
{
    (void)arg;
    return 0;
}

/* Keeps the queues of this seat in motion. */
static int64_t
storm_busy(void *arg)
{
    struct storm *s = arg;
    struct pons_task *t;

    while (poni_load_acquire(&s->waiting) > 0) {
        (void)!pons_yield();
        CHECK_EQ(pons_spawn(NULL, nothing, NULL, &t), 0);
        CHECK_EQ(pons_join(t, NULL), 0);
    }
    return 0;
}

static void
body_storm(void *unused)
{
    struct pons_spawn_options o = {.size = sizeof o,
                                   .flags = PONS_SPAWN_MIGRATABLE};
    struct storm s = {.target = pthread_self(), .waiting = 3};
    struct storm_task task = {.storm = &s, .left = STORM};
    struct pons_task *tasks[3 + BUSY];
    struct agent storm;

    (void)unused;
    open_to_signals();
    agent_start_thread(&storm, storm_blow, &s);
    pons_future_init(&task.base, &storm_ops);
    CHECK_EQ(pons_spawn(NULL, storm_fiber, &s, &tasks[0]), 0);
    CHECK_EQ(pons_spawn_with(NULL, storm_migratable, &s, &tasks[1], &o), 0);
    CHECK_EQ(pons_spawn_future(NULL, &task.base, &tasks[2]), 0);
    for (int i = 0; i < BUSY; i++)
        CHECK_EQ(pons_spawn(NULL, storm_busy, &s, &tasks[3 + i]), 0);
    storm_await(SLOT_THREAD);
    for (int i = 0; i < 3 + BUSY; i++)
        CHECK_EQ(pons_join(tasks[i], NULL), 0);
    poni_store_release(&s.over, 1);
    CHECK_EQ(agent_join(&storm), 0);
    CHECK(handled > 0);
}

static int64_t
fiber_storm(void *arg)
{
    body_storm(arg);
    return 0;
}

static void
storm_on(const char *reactor, const char *workers)
{
    struct pons_runtime *rt = runtime_of(reactor, workers);
    struct pons_task *t;

    install_handler();
    CHECK_EQ(pons_spawn(rt, fiber_storm, NULL, &t), 0);
    CHECK_EQ(pons_join(t, NULL), 0);
    pons_runtime_unref(rt);
}

/* A fiber takes the signal on its worker's thread: between fibers, too. */
static void
needs_one_mask_per_thread(void)
{
#ifdef PONI_SWITCH_UCONTEXT
    SKIP("ucontext gives each fiber a signal mask of its own");
#endif
}

static void
a_storm_of_signals_loses_no_completion_on_epoll(void)
{
    needs_one_mask_per_thread();
    storm_on("epoll", "1");
    storm_on("epoll", "2");
}

static void
a_storm_of_signals_loses_no_completion_on_poll(void)
{
    needs_one_mask_per_thread();
    storm_on("poll", "1");
    storm_on("poll", "2");
}

static void
a_storm_of_signals_loses_no_completion_without_workers(void)
{
    install_handler();
    within("epoll", "0", body_storm, NULL);
    within("poll", "0", body_storm, NULL);
}

/* --- the sleeper itself is interrupted --- */

struct sleeper {
    pthread_t thread;
    const uint32_t *word; // of its waiter
    const uint64_t *sleepers;
};

static int64_t
signal_sleeper(void *arg)
{
    struct sleeper *s = arg;

    if (s->sleepers != NULL)
        while (poni_load_seq(s->sleepers) == 0)
            sched_yield();
    else
        while (poni_load_seq(s->word) != WAITER_ASLEEP &&
               poni_load_seq(s->word) != WAITER_POLLING)
            sched_yield();
    return pthread_kill(s->thread, SIGUSR1);
}

static void
await_signal(struct sleeper *s)
{
    struct pons_completion c;
    struct agent a;

    s->thread = pthread_self();
    open_to_signals();
    install_handler();
    for (int i = 0; i < 20; i++) {
        pons_completion_init(&c);
        poni_store_release(&slots[SLOT_FIBER], &c);
        agent_start_thread(&a, signal_sleeper, s);
        CHECK_EQ(pons_await(&c.base), SLOT_FIBER);
        CHECK_EQ(agent_join(&a), 0);
    }
}

static void
body_asleep(void *unused)
{
    struct sleeper s = {.sleepers = &pons_runtime_current()->sleepers};

    (void)unused;
    await_signal(&s);
}

static int64_t
fiber_asleep(void *arg)
{
    body_asleep(arg);
    return 0;
}

static void
a_handler_wakes_the_worker_that_it_interrupts_in_its_sleep(void)
{
    needs_one_mask_per_thread();
#ifdef PONI_TSAN
    SKIP("TSan keeps a signal back that comes just before a sleep");
#endif
    for (const char *const *r = reactors_here(); *r != NULL; r++) {
        struct pons_runtime *rt = runtime_of(*r, "1");
        struct pons_task *t;

        CHECK_EQ(pons_spawn(rt, fiber_asleep, NULL, &t), 0);
        CHECK_EQ(pons_join(t, NULL), 0);
        pons_runtime_unref(rt);
    }
}

static void
a_handler_wakes_block_on_without_workers(void)
{
    for (const char *const *r = reactors_here(); *r != NULL; r++)
        within(*r, "0", body_asleep, NULL);
}

static void
a_handler_wakes_a_thread_without_a_runtime(void)
{
    struct sleeper s = {.word = &poni_waiter_self()->word};

    await_signal(&s);
}

/* Ends with the completion; waits for bytes, too. */
struct either {
    struct pons_future base;
    struct pons_completion c;
    struct pons_ready_wait ready;
};

static enum pons_poll
either_poll(struct pons_future *f, struct pons_waker *w)
{
    struct either *e = pons_container_of(f, struct either, base);

    if (e->ready.base.result == -EINPROGRESS)
        (void)pons_future_poll(&e->ready.base, w);
    if (e->c.base.result == -EINPROGRESS)
        (void)pons_future_poll(&e->c.base, w);
    if (e->c.base.result == -EINPROGRESS)
        return PONS_PENDING;
    if (e->ready.base.result == -EINPROGRESS) {
        pons_future_cancel(&e->ready.base);
        if (pons_future_poll(&e->ready.base, w) == PONS_PENDING)
            return PONS_PENDING;
    }
    f->result = e->c.base.result;
    return PONS_READY;
}

static const struct pons_future_ops either_ops = {
    .size = sizeof either_ops,
    .name = "either",
    .poll = either_poll,
};

static void
a_handler_wakes_a_thread_that_polls_descriptors(void)
{
    struct sleeper s = {.word = &poni_waiter_self()->word,
                        .thread = pthread_self()};
    struct pons_stream *pair[2];
    struct either e;
    struct agent a;

    install_handler();
    stream_pair(pair);
    for (int i = 0; i < 20; i++) {
        pons_future_init(&e.base, &either_ops);
        pons_completion_init(&e.c);
        pons_ready_wait_init(&e.ready, pair[0], POLLIN);
        poni_store_release(&slots[SLOT_FIBER], &e.c);
        agent_start_thread(&a, signal_sleeper, &s);
        CHECK_EQ(pons_await(&e.base), SLOT_FIBER);
        CHECK_EQ(e.ready.base.result, -ECANCELED);
        CHECK_EQ(agent_join(&a), 0);
    }
    pons_stream_close(pair[0]);
    pons_stream_close(pair[1]);
}

/* --- who waits is elsewhere, or nobody --- */

static void
in_a_forked_child_completing_is_refused_and_wakes_nobody(void)
{
    struct pons_runtime *rt = runtime_of("epoll", "1");
    struct pons_completion c;
    struct pons_task *t;
    int64_t answer;
    int status;
    pid_t pid;

    pons_completion_init(&c);
    CHECK_EQ(pons_spawn(rt, await_completion, &c, &t), 0);
    while (!completion_is_awaited(&c) || poni_load_seq(&rt->sleepers) == 0)
        sched_yield();
    pid = fork();
    CHECK(pid >= 0);
    if (pid == 0 && poni_epoch_is(rt->epoch))
        _exit(UNIT_SKIPPED);
    if (pid == 0)
        _exit(pons_completion_complete(&c, 1) != -EOWNERDEAD ||
              poni_load_seq(&rt->sleepers) == 0);
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    if (WIFEXITED(status) && WEXITSTATUS(status) == UNIT_SKIPPED)
        SKIP("MADV_WIPEONFORK does nothing here (qemu)");
    CHECK_EQ(status, 0);
    CHECK(poni_load_seq(&rt->sleepers) != 0);
    CHECK_EQ(pons_completion_complete(&c, 2), 0);
    CHECK_EQ(pons_join(t, &answer), 0);
    CHECK_EQ(answer, 2);
    pons_runtime_unref(rt);
}

static int64_t
await_masked(void *arg)
{
    struct pons_mask m;
    int64_t answer;

    pons_mask_open(&m, PONS_NEVER);
    answer = await_completion(arg);
    pons_mask_close(&m);
    return answer;
}

static int
complete_left_behind(void)
{
    struct pons_runtime *rt = runtime_of("epoll", "1");
    struct pons_completion c;
    struct pons_task *t;

    pons_completion_init(&c);
    CHECK_EQ(pons_spawn(rt, await_masked, &c, &t), 0);
    while (!completion_is_awaited(&c))
        sched_yield();
    CHECK_EQ(pons_runtime_shutdown(rt, 1), 1);
    return pons_completion_complete(&c, 1);
}

/* In a process of its own: the runtime stays, with what it was left with. */
static void
completing_for_a_task_that_shutdown_left_behind_is_harmless(void)
{
    int status;
    pid_t pid;

#ifdef PONI_TSAN
    SKIP("TSan has no threads in forked children");
#endif
    pid = fork();
    CHECK(pid >= 0);
    if (pid == 0)
        _exit(complete_left_behind() != 0);
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(status, 0);
}

static const struct unit_test tests[] = {
    {"completed_before_the_wait_is_its_result",
     completed_before_the_wait_is_its_result},
    {"completed_by_another_task_ends_the_wait",
     completed_by_another_task_ends_the_wait},
    {"completed_by_another_thread_ends_the_wait",
     completed_by_another_thread_ends_the_wait},
    {"the_second_to_complete_is_refused_and_ignored",
     the_second_to_complete_is_refused_and_ignored},
    {"of_several_at_once_one_completes", of_several_at_once_one_completes},
    {"as_a_task_of_its_own_it_ends_when_completed",
     as_a_task_of_its_own_it_ends_when_completed},
    {"the_waker_of_the_latest_poll_is_woken",
     the_waker_of_the_latest_poll_is_woken},
    {"completing_keeps_errno", completing_keeps_errno},
    {"the_completer_lets_go_before_the_wait_ends",
     the_completer_lets_go_before_the_wait_ends},
    {"after_a_cancelled_wait_completing_says_so",
     after_a_cancelled_wait_completing_says_so},
    {"a_deadline_ends_the_wait", a_deadline_ends_the_wait},
    {"a_cancelled_task_gets_what_was_completed_before",
     a_cancelled_task_gets_what_was_completed_before},
    {"a_cancel_comes_too_late_once_it_is_being_completed",
     a_cancel_comes_too_late_once_it_is_being_completed},
    {"of_cancel_and_complete_one_wins_and_both_know",
     of_cancel_and_complete_one_wins_and_both_know},
    {"a_storm_of_signals_loses_no_completion_on_epoll",
     a_storm_of_signals_loses_no_completion_on_epoll},
    {"a_storm_of_signals_loses_no_completion_on_poll",
     a_storm_of_signals_loses_no_completion_on_poll},
    {"a_storm_of_signals_loses_no_completion_without_workers",
     a_storm_of_signals_loses_no_completion_without_workers},
    {"a_handler_wakes_the_worker_that_it_interrupts_in_its_sleep",
     a_handler_wakes_the_worker_that_it_interrupts_in_its_sleep},
    {"a_handler_wakes_block_on_without_workers",
     a_handler_wakes_block_on_without_workers},
    {"a_handler_wakes_a_thread_without_a_runtime",
     a_handler_wakes_a_thread_without_a_runtime},
    {"a_handler_wakes_a_thread_that_polls_descriptors",
     a_handler_wakes_a_thread_that_polls_descriptors},
    {"in_a_forked_child_completing_is_refused_and_wakes_nobody",
     in_a_forked_child_completing_is_refused_and_wakes_nobody},
    {"completing_for_a_task_that_shutdown_left_behind_is_harmless",
     completing_for_a_task_that_shutdown_left_behind_is_harmless},
    {0},
};

int
main(int argc, char **argv)
{
    return unit_main("completion", tests, argc, argv);
}
