/* SPDX-License-Identifier: MIT */
/*
 * tests/task_test.c - pons/task.h: born, woken, joined, cancelled, dropped
 * once.
 */

#include "crew.h"
#include "everywhere.h"
#include "gate.h"

#include <string.h>

#include "core/atomic.h"
#include "pons/scope.h"
#include "pons/time.h"

/* --- a stackless task that waits at a gate and counts its drops --- */

struct guest {
    struct pons_future base;
    struct gate *gate;
    struct gate_wait wait;
    int polls, drops;
    int64_t wait_result;
};

static enum pons_poll
guest_poll(struct pons_future *f, struct pons_waker *w)
{
    struct guest *g = pons_container_of(f, struct guest, base);

    g->polls++;
    CHECK_EQ(g->drops, 0);
    PONS_BEGIN(f);
    gate_wait_init(&g->wait, g->gate);
    PONS_AWAIT(f, w, &g->wait);
    g->wait_result = g->wait.base.result;
    PONS_RETURN(f, g->wait_result < 0 ? g->wait_result : 7);
    PONS_END(f);
}

static void
guest_drop(struct pons_future *f)
{
    pons_container_of(f, struct guest, base)->drops++;
}

static const struct pons_future_ops guest_ops = {
    .size = sizeof guest_ops,
    .name = "guest",
    .poll = guest_poll,
    .drop = guest_drop,
};

static void
guest_init(struct guest *g, struct gate *gate)
{
    *g = (struct guest){.gate = gate};
    pons_future_init(&g->base, &guest_ops);
}

static int64_t
guest_fiber(void *arg)
{
    int64_t answer = gate_await(arg);

    return answer < 0 ? answer : 7;
}

static int64_t
join_of(struct pons_task *t)
{
    int64_t answer = 4711;

    CHECK_EQ(pons_join(t, &answer), 0);
    return answer;
}

/* --- born and joined --- */

static void
body_join(void *unused)
{
    struct gate gate = {0}, open = {.opened = 1};
    struct pons_task *fiber, *stackless;
    struct guest g;

    (void)unused;
    guest_init(&g, &gate);
    CHECK_EQ(pons_spawn_future(NULL, &g.base, &stackless), 0);
    gate_until_awaited(&gate);
    CHECK_EQ(pons_task_ended(stackless), 0);
    CHECK_EQ(g.drops, 0);
    gate_open(&gate);
    CHECK_EQ(join_of(stackless), 7);
    CHECK_EQ(g.drops, 1);

    CHECK_EQ(pons_spawn(NULL, guest_fiber, &open, &fiber), 0);
    CHECK_EQ(join_of(fiber), 7);
    CHECK_EQ(pons_spawn(NULL, guest_fiber, &open, &fiber), 0);
    CHECK_EQ(pons_join(fiber, NULL), 0); // who does not care for the answer
}

static void
join_returns_the_answer_of_a_fiber_and_of_a_future(void)
{
    everywhere_in_fibers(body_join, NULL);
    within("epoll", "2", body_join, NULL);
    within("poll", "0", body_join, NULL);
}

static void
body_join_ended(void *unused)
{
    struct gate open = {.opened = 1};
    struct pons_task *t;

    (void)unused;
    CHECK_EQ(pons_spawn(NULL, guest_fiber, &open, &t), 0);
    while (!pons_task_ended(t))
        let_others_run();
    CHECK_EQ(join_of(t), 7);
}

static void
a_task_that_has_ended_can_be_joined(void)
{
    everywhere_in_fibers(body_join_ended, NULL);
}

static void
body_detach(void *unused)
{
    struct gate gate = {0};
    static struct guest g;
    struct pons_task *t;

    (void)unused;
    guest_init(&g, &gate);
    CHECK_EQ(pons_spawn_future(NULL, &g.base, &t), 0);
    gate_until_awaited(&gate);
    pons_detach(t);
    gate_open(&gate);
    while (poni_load_acquire(&g.drops) == 0)
        let_others_run();

    gate = (struct gate){0};
    guest_init(&g, &gate);
    CHECK_EQ(pons_spawn_future(NULL, &g.base, NULL), 0);
    gate_open(&gate);
    while (poni_load_acquire(&g.drops) == 0)
        let_others_run();
    CHECK_EQ(g.drops, 1);
    pons_detach(NULL);
}

static void
a_detached_task_goes_on_and_is_dropped_once(void)
{
    everywhere_in_fibers(body_detach, NULL);
}

static void
a_thread_outside_any_wait_may_spawn_and_join(void)
{
    static const char *const workers[] = {"0", "1", "2"};

    for (int i = 0; i < 3; i++) {
        struct pons_runtime *rt = runtime_of("epoll", workers[i]);
        struct gate open = {.opened = 1};
        struct pons_task *t;

        CHECK_EQ(pons_spawn(rt, guest_fiber, &open, &t), 0);
        CHECK_EQ(join_of(t), 7);
        pons_runtime_unref(rt);
    }
}

/* --- spawning that fails --- */

static void
check_refused(struct pons_runtime *rt, const struct pons_spawn_options *o,
              int err, const char *words)
{
    struct gate gate = {0};
    struct pons_task *t = NULL;
    struct guest g;

    guest_init(&g, &gate);
    CHECK_EQ(pons_spawn_with(rt, guest_fiber, &gate, &t, o), err);
    CHECK_HAS(pons_last_error(), words);
    CHECK_EQ(pons_spawn_future_with(rt, &g.base, &t, o), err);
    CHECK_HAS(pons_last_error(), words);
    CHECK_EQ(g.polls, 0);
    CHECK_EQ(g.drops, 1); // consumed, whatever happens
}

static void
a_future_whose_spawn_fails_is_dropped(void)
{
    struct pons_spawn_options o = {.size = sizeof o};
    struct pons_runtime *rt = runtime_of("epoll", "1");

    check_refused(NULL, &o, -EINVAL, "no current runtime");
    o.size = 8;
    check_refused(rt, &o, -EINVAL, "size is 8");
    o.size = sizeof o;
    o.flags = 2;
    check_refused(rt, &o, -EINVAL, "unknown bits 0x2");
    o.flags = 0;
    o.reserved[3] = 1;
    check_refused(rt, &o, -EINVAL, "reserved[3] is not zero");
    o.reserved[3] = 0;
    o.stack_bytes = UINT64_C(1) << 40;
    check_refused(rt, &o, -EINVAL, "stack_bytes is 1099511627776");
    pons_runtime_unref(rt);
}

/* --- joining oneself --- */

struct self_joiner {
    struct pons_future base;
    struct pons_task *task;
    struct pons_join join;
    uint32_t done;
};

static int64_t
join_self(void *arg)
{
    struct self_joiner *s = arg;

    CHECK_EQ(pons_join(s->task, NULL), -EDEADLK);
    CHECK_HAS(pons_last_error(), "joins itself");
    pons_detach(s->task); // it was not consumed
    poni_store_release(&s->done, 1);
    return 0;
}

static enum pons_poll
self_joiner_poll(struct pons_future *f, struct pons_waker *w)
{
    struct self_joiner *s = pons_container_of(f, struct self_joiner, base);

    PONS_BEGIN(f);
    pons_join_init(&s->join, s->task);
    CHECK_EQ(s->join.base.result, -EINPROGRESS);
    PONS_AWAIT(f, w, &s->join); // consumes the handle
    PONS_RETURN(f, s->join.base.result);
    PONS_END(f);
}

static void
self_joiner_drop(struct pons_future *f)
{
    struct self_joiner *s = pons_container_of(f, struct self_joiner, base);

    CHECK_EQ(f->result, -EDEADLK);
    poni_store_release(&s->done, 1);
}

static const struct pons_future_ops self_joiner_ops = {
    .size = sizeof self_joiner_ops,
    .name = "self_joiner",
    .poll = self_joiner_poll,
    .drop = self_joiner_drop,
};

static void
body_join_self(void *unused)
{
    struct self_joiner fiber = {.done = 0}, stackless = {.done = 0};

    (void)unused;
    CHECK_EQ(pons_spawn(NULL, join_self, &fiber, &fiber.task), 0);
    while (!poni_load_acquire(&fiber.done))
        let_others_run();
    pons_future_init(&stackless.base, &self_joiner_ops);
    CHECK_EQ(pons_spawn_future(NULL, &stackless.base, &stackless.task), 0);
    while (!poni_load_acquire(&stackless.done))
        let_others_run();
}

static void
joining_oneself_is_edeadlk(void)
{
    everywhere_in_fibers(body_join_self, NULL);
}

/* --- cancel --- */

static void
body_cancel_waiting(void *unused)
{
    struct gate gate = {0};
    struct pons_task *t;
    struct guest g;

    (void)unused;
    guest_init(&g, &gate);
    CHECK_EQ(pons_spawn_future(NULL, &g.base, &t), 0);
    gate_until_awaited(&gate);
    pons_cancel(t);
    pons_cancel(t);
    CHECK_EQ(join_of(t), -ECANCELED);
    CHECK_EQ(gate.cancels, 1); // told once
    CHECK_EQ(g.drops, 1);

    gate = (struct gate){0};
    CHECK_EQ(pons_spawn(NULL, guest_fiber, &gate, &t), 0);
    gate_until_awaited(&gate);
    pons_cancel(t);
    CHECK_EQ(join_of(t), -ECANCELED);
    CHECK_EQ(gate.cancels, 1);
}

static void
cancel_ends_the_wait_in_course(void)
{
    everywhere_in_fibers(body_cancel_waiting, NULL);
}

/* Every unmasked wait of a cancelled fiber answers so. */
static int64_t
try_all_waits(void *arg)
{
    struct gate *gate = arg;
    struct pons_yield y;
    struct pons_sleep s;

    CHECK_EQ(gate_await(gate), -ECANCELED);
    CHECK_EQ(pons_cancelled(), 1);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(pons_sleep(PONS_S * 1000), -ECANCELED);
        CHECK_EQ(pons_sleep_until(0), -ECANCELED);
        CHECK_EQ(pons_yield(), -ECANCELED);
        pons_yield_init(&y);
        CHECK_EQ(pons_await(&y.base), -ECANCELED);
        pons_sleep_init(&s, PONS_NEVER);
        CHECK_EQ(pons_await(&s.base), -ECANCELED);
        CHECK_EQ(gate_await(gate), -ECANCELED); // a foreign leaf is told
    }
    return 5;
}

struct sticky {
    struct pons_future base;
    struct gate *gate;
    union {
        struct gate_wait gate;
        struct pons_sleep sleep;
        struct pons_yield yield;
    } child;
    int round;
};

static enum pons_poll
sticky_poll(struct pons_future *f, struct pons_waker *w)
{
    struct sticky *s = pons_container_of(f, struct sticky, base);

    PONS_BEGIN(f);
    gate_wait_init(&s->child.gate, s->gate);
    PONS_AWAIT(f, w, &s->child.gate);
    CHECK_EQ(s->child.gate.base.result, -ECANCELED);
    CHECK_EQ(pons_cancelled(), 1);
    for (s->round = 0; s->round < 3; s->round++) {
        pons_sleep_init(&s->child.sleep, PONS_NEVER);
        PONS_AWAIT(f, w, &s->child.sleep);
        CHECK_EQ(s->child.sleep.base.result, -ECANCELED);
        pons_yield_init(&s->child.yield);
        PONS_AWAIT(f, w, &s->child.yield);
        CHECK_EQ(s->child.yield.base.result, -ECANCELED);
    }
    PONS_RETURN(f, 5);
    PONS_END(f);
}

static const struct pons_future_ops sticky_ops = {
    .size = sizeof sticky_ops,
    .name = "sticky",
    .poll = sticky_poll,
};

static void
body_sticky(void *unused)
{
    struct gate a = {0}, b = {0};
    struct sticky s = {.gate = &b};
    struct pons_task *t;

    (void)unused;
    CHECK_EQ(pons_spawn(NULL, try_all_waits, &a, &t), 0);
    gate_until_awaited(&a);
    pons_cancel(t);
    CHECK_EQ(join_of(t), 5);
    pons_future_init(&s.base, &sticky_ops);
    CHECK_EQ(pons_spawn_future(NULL, &s.base, &t), 0);
    gate_until_awaited(&b);
    pons_cancel(t);
    CHECK_EQ(join_of(t), 5);
}

static void
cancel_is_sticky(void)
{
    everywhere_in_fibers(body_sticky, NULL);
}

/* With 0 workers nothing runs before this thread waits. */
static int64_t
cancel_unstarted(void *unused)
{
    struct gate gate = {0}, other = {0};
    struct pons_task *t;
    struct guest g;

    (void)unused;
    guest_init(&g, &gate);
    CHECK_EQ(pons_spawn_future(NULL, &g.base, &t), 0);
    pons_cancel(t);
    CHECK_EQ(g.polls, 0);
    CHECK_EQ(join_of(t), -ECANCELED);
    CHECK(g.polls > 0); // it may look
    CHECK_EQ(gate.cancels, 1);
    CHECK_EQ(g.drops, 1);
    CHECK_EQ(pons_spawn(NULL, try_all_waits, &other, &t), 0);
    pons_cancel(t);
    CHECK_EQ(join_of(t), 5);
    return 0;
}

static void
a_task_cancelled_before_it_ran_begins_and_finds_every_wait_cancelled(void)
{
    struct pons_runtime *rt = runtime_of("epoll", "0");

    CHECK_EQ(pons_block_on(rt, cancel_unstarted, NULL, NULL), 0);
    pons_runtime_unref(rt);
}

/* What has come before the cancel is the result. */
static int64_t
cancel_and_open(void *unused)
{
    struct gate gate = {0};
    struct pons_task *t;
    struct guest g;

    (void)unused;
    guest_init(&g, &gate);
    CHECK_EQ(pons_spawn_future(NULL, &g.base, &t), 0);
    gate_until_awaited(&gate);
    gate_open(&gate);
    gate.opened = 1;
    pons_cancel(t); // not yet polled again
    CHECK_EQ(join_of(t), -ECANCELED);
    CHECK_EQ(g.polls, 2); // both in one poll
    return 0;
}

static void
wake_and_cancel_coalesce_into_one_poll(void)
{
    struct pons_runtime *rt = runtime_of("epoll", "0");

    CHECK_EQ(pons_block_on(rt, cancel_and_open, NULL, NULL), 0);
    pons_runtime_unref(rt);
}

/* --- a cancelled joiner --- */

struct chain {
    struct gate inner_gate, outer_gate;
    struct pons_task *inner;
    int64_t joined, answer;
};

static int64_t
chain_inner(void *arg)
{
    struct chain *c = arg;

    CHECK_EQ(gate_await(&c->inner_gate), -ECANCELED);
    return 31; // it answers what it likes
}

static int64_t
chain_outer(void *arg)
{
    struct chain *c = arg;

    poni_store_release(&c->outer_gate.waiting, 1);
    c->joined = pons_join(c->inner, &c->answer);
    return pons_sleep(0); // still cancelled
}

struct chain_future {
    struct pons_future base;
    struct chain *chain;
    struct pons_join join;
};

static enum pons_poll
chain_poll(struct pons_future *f, struct pons_waker *w)
{
    struct chain_future *c = pons_container_of(f, struct chain_future, base);

    PONS_BEGIN(f);
    pons_join_init(&c->join, c->chain->inner);
    poni_store_release(&c->chain->outer_gate.waiting, 1);
    PONS_AWAIT(f, w, &c->join);
    c->chain->answer = c->join.base.result;
    PONS_END(f);
}

static const struct pons_future_ops chain_ops = {
    .size = sizeof chain_ops,
    .name = "chain",
    .poll = chain_poll,
};

static void
body_cancelled_joiner(void *unused)
{
    struct chain c = {.answer = 0};
    struct chain_future f = {.chain = &c};
    struct pons_task *outer;

    (void)unused;
    CHECK_EQ(pons_spawn(NULL, chain_inner, &c, &c.inner), 0);
    gate_until_awaited(&c.inner_gate);
    CHECK_EQ(pons_spawn(NULL, chain_outer, &c, &outer), 0);
    gate_until_awaited(&c.outer_gate);
    pons_cancel(outer);
    CHECK_EQ(join_of(outer), -ECANCELED);
    CHECK_EQ(c.joined, 0);
    CHECK_EQ(c.answer, 31);

    c = (struct chain){.answer = 0};
    CHECK_EQ(pons_spawn(NULL, chain_inner, &c, &c.inner), 0);
    gate_until_awaited(&c.inner_gate);
    pons_future_init(&f.base, &chain_ops);
    CHECK_EQ(pons_spawn_future(NULL, &f.base, &outer), 0);
    gate_until_awaited(&c.outer_gate);
    pons_cancel(outer);
    CHECK_EQ(join_of(outer), 0);
    CHECK_EQ(c.answer, 31);
}

static void
a_cancelled_joiner_cancels_and_awaits_the_task(void)
{
    everywhere_in_fibers(body_cancelled_joiner, NULL);
}

/* --- wakes from several threads while it is polled --- */

enum { WAKERS = 3, WAKES = 4000 };

struct storm {
    struct pons_future base;
    struct pons_waker wakers[WAKERS]; // clones, one for each thread
    uint64_t posted[WAKERS];
    uint32_t ready, drops;
};

static enum pons_poll
storm_poll(struct pons_future *f, struct pons_waker *w)
{
    struct storm *s = pons_container_of(f, struct storm, base);
    uint64_t sum = 0;

    if (!s->ready) {
        for (int i = 0; i < WAKERS; i++)
            pons_waker_set(&s->wakers[i], w);
        poni_store_release(&s->ready, 1);
    }
    for (int i = 0; i < WAKERS; i++)
        sum += poni_load_relaxed(&s->posted[i]);
    if (sum < WAKERS * WAKES)
        return PONS_PENDING;
    f->result = (int64_t)sum;
    return PONS_READY;
}

static void
storm_drop(struct pons_future *f)
{
    pons_container_of(f, struct storm, base)->drops++;
}

static const struct pons_future_ops storm_ops = {
    .size = sizeof storm_ops,
    .name = "storm",
    .poll = storm_poll,
    .drop = storm_drop,
};

static struct storm *storm;

/* Whoever comes too late wakes a task that has ended. */
static void
storm_work(int who)
{
    while (!poni_load_acquire(&storm->ready))
        crew_relax();
    for (uint64_t i = 1; i <= WAKES; i++) {
        poni_store_relaxed(&storm->posted[who], i);
        pons_waker_notify(&storm->wakers[who]);
    }
    if (who % 2)
        pons_waker_wake(&storm->wakers[who]);
    else
        pons_waker_drop(&storm->wakers[who]);
}

static void
storm_on(const char *reactor, const char *workers)
{
    struct pons_runtime *rt = runtime_of(reactor, workers);
    struct pons_stats stats = {.size = sizeof stats};
    struct storm s = {.ready = 0};
    struct pons_task *t;

    storm = &s;
    pons_future_init(&s.base, &storm_ops);
    CHECK_EQ(pons_spawn_future(rt, &s.base, &t), 0);
    crew_run(WAKERS, storm_work);
    CHECK_EQ(join_of(t), WAKERS * WAKES);
    CHECK_EQ(s.drops, 1);
    CHECK_EQ(pons_runtime_stats(rt, &stats), 0);
    CHECK(stats.polls <= WAKERS * (WAKES + 1) + 2); // none without a wake
    pons_runtime_unref(rt);
}

static void
every_wake_is_followed_by_a_poll(void)
{
    for (int i = 0; i < 5; i++) {
        storm_on("epoll", "1");
        storm_on("epoll", "2");
        storm_on("poll", "4");
    }
}

/* A fiber is woken by a thread each time it has said that it waits. */
enum { TURNS = 5000 };

static struct gate turn_gates[2];

static int64_t
turns(void *unused)
{
    (void)unused;
    for (int i = 0; i < TURNS; i++) {
        CHECK_EQ(gate_await(&turn_gates[i % 2]), 0);
        turn_gates[i % 2].opened = 0;
        poni_store_release(&turn_gates[i % 2].waiting, 0);
        poni_store_release(&turn_gates[1 - i % 2].cancels, i + 1);
    }
    return TURNS;
}

static void
a_fiber_is_woken_by_a_thread_every_time(void)
{
    for (int w = 0; w < 2; w++) {
        struct pons_runtime *rt = runtime_of("epoll", w ? "2" : "1");
        struct pons_task *t;

        memset(turn_gates, 0, sizeof turn_gates);
        CHECK_EQ(pons_spawn(rt, turns, NULL, &t), 0);
        for (int i = 0; i < TURNS; i++) {
            while (i > 0 && poni_load_acquire(&turn_gates[i % 2].cancels) != i)
                crew_relax();
            gate_open(&turn_gates[i % 2]);
        }
        CHECK_EQ(join_of(t), TURNS);
        pons_runtime_unref(rt);
    }
}

/* --- the waker of a task --- */

struct keeper {
    struct pons_future base;
    struct pons_waker waker;
    uint32_t kept;
};

static enum pons_poll
keeper_poll(struct pons_future *f, struct pons_waker *w)
{
    struct keeper *k = pons_container_of(f, struct keeper, base);

    pons_waker_set(&k->waker, w);
    poni_store_release(&k->kept, 1);
    f->result = 3;
    return PONS_READY;
}

static const struct pons_future_ops keeper_ops = {
    .size = sizeof keeper_ops,
    .name = "keeper",
    .poll = keeper_poll,
};

static void
body_waker_outlives(void *unused)
{
    struct keeper k = {.kept = 0};
    struct pons_task *t;

    (void)unused;
    pons_future_init(&k.base, &keeper_ops);
    CHECK_EQ(pons_spawn_future(NULL, &k.base, &t), 0);
    CHECK_EQ(join_of(t), 3);
    pons_waker_notify(&k.waker);
    pons_waker_notify(&k.waker);
    pons_waker_wake(&k.waker); // the last reference
}

static void
a_waker_may_outlive_its_task(void)
{
    everywhere_in_fibers(body_waker_outlives, NULL);
}

/* --- joined by a foreign executor, woken at random --- */

struct tally {
    uint32_t clones, wakes, releases;
};

static void
tally_clone(void *data)
{
    poni_add(&((struct tally *)data)->clones, 1);
}

static void
tally_wake(void *data)
{
    poni_add(&((struct tally *)data)->wakes, 1);
}

static void
tally_release(void *data)
{
    poni_add(&((struct tally *)data)->releases, 1);
}

static const struct pons_waker_ops tally_ops = {
    .size = sizeof tally_ops,
    .clone = tally_clone,
    .wake = tally_wake,
    .notify = tally_wake,
    .release = tally_release,
};

/* Polls the join with one waker after the other, while the task ends. */
static void
a_join_may_be_polled_again_with_other_wakers_while_the_task_ends(void)
{
    struct pons_runtime *rt = runtime_of("epoll", "1");

    for (int i = 0; i < 2000; i++) {
        struct tally tallies[3] = {{0}};
        struct gate gate = {0};
        struct pons_task *t;
        struct pons_join j;
        struct guest g;
        uint32_t n = 0, clones = 0, ends = 0;
        enum pons_poll answer;

        guest_init(&g, &gate);
        CHECK_EQ(pons_spawn_future(rt, &g.base, &t), 0);
        pons_join_init(&j, t);
        do {
            struct pons_waker w = {&tally_ops, &tallies[n / 2 % 3]};

            answer = pons_future_poll(&j.base, &w);
            if (n++ == (uint32_t)(i % 20))
                gate_open(&gate);
        } while (answer == PONS_PENDING);
        CHECK_EQ(j.base.result, 7);
        CHECK_EQ(g.drops, 1);
        do { // the task may be about to wake or release the last clone
            clones = ends = 0;
            for (int k = 0; k < 3; k++) {
                clones += poni_load_acquire(&tallies[k].clones);
                ends += poni_load_acquire(&tallies[k].wakes) +
                        poni_load_acquire(&tallies[k].releases);
            }
        } while (clones != ends);
    }
    pons_runtime_unref(rt);
}

/* --- P1: waiting inside poll() --- */

static char logged[400];
static int log_lines;

static void
keep_line(void *arg, enum pons_log_level level, const char *part,
          const char *line)
{
    (void)arg;
    (void)level;
    CHECK_HAS(part, "task");
    (void)snprintf(logged, sizeof logged, "%s", line);
    log_lines++;
}

static const char *born; // the place in the source of the task below

static void
check_refusal(int64_t answer, const char *instead)
{
    CHECK_EQ(answer, -EDEADLK);
    CHECK_EQ(log_lines, 1);
    CHECK_HAS(logged, "inside poll() of");
    CHECK_HAS(logged, born);
    CHECK_HAS(logged, instead);
    CHECK_HAS(pons_last_error(), instead);
    log_lines = 0;
}

static struct pons_task *open_task; // a handle to try pons_join() on

static int64_t
never_called(void *unused)
{
    (void)unused;
    CHECK(!"called inside poll()");
    return 0;
}

static void
try_all_calling_forms(void)
{
    struct pons_scope scope;
    struct pons_sleep s;
    int64_t answer = 12;

    check_refusal(pons_sleep(1), "struct pons_sleep");
    check_refusal(pons_sleep_until(0), "struct pons_sleep");
    check_refusal(pons_yield(), "struct pons_yield");
    pons_sleep_init(&s, 0);
    check_refusal(pons_await(&s.base), "PONS_AWAIT");
    s.base.ops->cancel(&s.base);
    check_refusal(pons_join(open_task, &answer), "struct pons_join");
    check_refusal(pons_timeout(PONS_NEVER, never_called, NULL, &answer),
                  "struct pons_timeout");
    check_refusal(pons_block_on(NULL, never_called, NULL, &answer),
                  "future form");
    check_refusal(pons_block_on_future(NULL, &s.base, &answer), "future form");
    check_refusal(pons_blocking(never_called, NULL, &answer),
                  "struct pons_blocking");
    pons_scope_open(&scope, PONS_NEVER);
    check_refusal(pons_scope_close(&scope), "struct pons_scope_close");
    CHECK_EQ(answer, 12);
}

static enum pons_poll
rude_poll(struct pons_future *f, struct pons_waker *w)
{
    (void)w;
    try_all_calling_forms();
    if (f->state++ == 0)
        return PONS_PENDING; // until the cancel
    f->result = 0;
    return PONS_READY;
}

static void
rude_act(struct pons_future *f)
{
    (void)f;
    try_all_calling_forms();
}

static const struct pons_future_ops rude_ops = {
    .size = sizeof rude_ops,
    .name = "rude",
    .poll = rude_poll,
    .cancel = rude_act,
    .drop = rude_act,
};

static void
body_rude_task(void *unused)
{
    struct pons_spawn_options o = {
        .size = sizeof o, .name = "rude one", .where = "here.c:77"};
    struct gate gate = {0};
    struct pons_future f;
    struct pons_task *t;

    (void)unused;
    CHECK_EQ(pons_spawn(NULL, guest_fiber, &gate, &open_task), 0);
    born = "task \"rude one\", born at here.c:77";
    pons_future_init(&f, &rude_ops);
    CHECK_EQ(pons_spawn_future_with(NULL, &f, &t, &o), 0);
    pons_cancel(t);
    CHECK_EQ(join_of(t), 0);
    gate_open(&gate);
    CHECK_EQ(join_of(open_task), 7); // the handle was not consumed
}

static void
p1_waiting_inside_poll_cancel_or_drop_is_edeadlk_and_named(void)
{
    pons_log_hook(keep_line, NULL, PONS_LOG_ERROR);
    everywhere_in_fibers(body_rude_task, NULL);
    pons_log_hook(NULL, NULL, PONS_LOG_OFF);
}

static enum pons_poll
tame_poll(struct pons_future *f, struct pons_waker *w)
{
    (void)w;
    try_all_calling_forms();
    f->result = 0;
    return PONS_READY;
}

static const struct pons_future_ops tame_ops = {
    .size = sizeof tame_ops,
    .name = "tame",
    .poll = tame_poll,
};

/* A future that a fiber or a thread awaits is not a task, and is refused too.
 */
static void
body_rude_future(void *on_thread)
{
    struct gate gate = {0};
    struct pons_future f;
    struct pons_runtime *rt = pons_runtime_current();

    if (rt != NULL)
        CHECK_EQ(pons_spawn(rt, guest_fiber, &gate, &open_task), 0);
    born =
        on_thread != NULL ? "a future of this thread" : "\"fiber\", born at ";
    pons_future_init(&f, &tame_ops);
    CHECK_EQ(pons_await(&f), 0);
    gate_open(&gate);
    CHECK_EQ(join_of(open_task), 7);
    CHECK_EQ(pons_yield(), 0); // and afterwards one may wait again
}

static void
p1_a_future_of_a_fiber_or_thread_may_not_wait_inside_poll(void)
{
    int on_thread;

    pons_log_hook(keep_line, NULL, PONS_LOG_ERROR);
    everywhere_in_fibers(body_rude_future, NULL);
    within("epoll", "1", body_rude_future, &on_thread);
    within("epoll", "0", body_rude_future, &on_thread);
    pons_log_hook(NULL, NULL, PONS_LOG_OFF);
}

/* --- many, from everywhere --- */

enum { SPAWNERS = 3, SPAWNS = 500 };

static struct pons_runtime *shared_rt;
static uint32_t ended_tasks, dropped_guests;

static int64_t
count_end(void *arg)
{
    (void)arg;
    poni_add(&ended_tasks, 1);
    return 1;
}

static void
counted_drop(struct pons_future *f)
{
    poni_add(&dropped_guests, 1);
    free(pons_container_of(f, struct guest, base));
}

/* Wakes itself once, so that it is queued twice in its life. */
static enum pons_poll
instant_poll(struct pons_future *f, struct pons_waker *w)
{
    if (f->state++ == 0) {
        pons_waker_notify(w);
        return PONS_PENDING;
    }
    f->result = 7;
    return PONS_READY;
}

static const struct pons_future_ops instant_ops = {
    .size = sizeof instant_ops,
    .name = "instant",
    .poll = instant_poll,
    .drop = counted_drop,
};

static void
spawn_all_ways(int who)
{
    for (int i = 0; i < SPAWNS; i++) {
        struct guest *g = calloc(1, sizeof *g);
        struct pons_task *a, *b;

        pons_future_init(&g->base, &instant_ops);
        CHECK_EQ(pons_spawn(shared_rt, count_end, NULL, &a), 0);
        CHECK_EQ(pons_spawn_future(shared_rt, &g->base, &b), 0);
        switch ((i + who) % 4) {
        case 0:
            CHECK_EQ(join_of(a), 1);
            CHECK_EQ(join_of(b), 7);
            break;
        case 1:
            pons_detach(a);
            pons_detach(b);
            break;
        case 2:
            pons_detach(b);
            CHECK_EQ(join_of(a), 1);
            break;
        default:
            pons_cancel(a);
            pons_cancel(b);
            pons_detach(a);
            CHECK_EQ(join_of(b), 7);
            break;
        }
    }
}

static void
many_threads_may_spawn_join_detach_and_cancel(void)
{
    static const char *const workers[] = {"1", "2", "4"};

    for (int i = 0; i < 3; i++) {
        struct pons_stats stats = {.size = sizeof stats};

        ended_tasks = dropped_guests = 0;
        shared_rt = runtime_of("epoll", workers[i]);
        crew_run(SPAWNERS, spawn_all_ways);
        do // those that were detached
            CHECK_EQ(pons_runtime_stats(shared_rt, &stats), 0);
        while (stats.tasks_now > 0);
        CHECK_EQ(stats.spawned, 2 * SPAWNERS * SPAWNS);
        pons_runtime_unref(shared_rt);
        CHECK_EQ(ended_tasks, SPAWNERS * SPAWNS);
        CHECK_EQ(dropped_guests, SPAWNERS * SPAWNS);
    }
}

static void
unref_right_after_the_last_join_always_returns(void)
{
    for (int i = 0; i < 400; i++) {
        struct pons_runtime *rt = runtime_of("epoll", i % 2 ? "2" : "1");
        struct pons_task *t;

        CHECK_EQ(pons_spawn(rt, count_end, NULL, &t), 0);
        if (i % 4 < 2)
            CHECK_EQ(join_of(t), 1);
        else
            pons_detach(t);
        pons_runtime_unref(rt);
    }
}

static const struct unit_test tests[] = {
    {"join_returns_the_answer_of_a_fiber_and_of_a_future",
     join_returns_the_answer_of_a_fiber_and_of_a_future},
    {"a_task_that_has_ended_can_be_joined",
     a_task_that_has_ended_can_be_joined},
    {"a_detached_task_goes_on_and_is_dropped_once",
     a_detached_task_goes_on_and_is_dropped_once},
    {"a_thread_outside_any_wait_may_spawn_and_join",
     a_thread_outside_any_wait_may_spawn_and_join},
    {"a_future_whose_spawn_fails_is_dropped",
     a_future_whose_spawn_fails_is_dropped},
    {"joining_oneself_is_edeadlk", joining_oneself_is_edeadlk},
    {"cancel_ends_the_wait_in_course", cancel_ends_the_wait_in_course},
    {"cancel_is_sticky", cancel_is_sticky},
    {"a_task_cancelled_before_it_ran_begins_and_finds_every_wait_cancelled",
     a_task_cancelled_before_it_ran_begins_and_finds_every_wait_cancelled},
    {"wake_and_cancel_coalesce_into_one_poll",
     wake_and_cancel_coalesce_into_one_poll},
    {"a_cancelled_joiner_cancels_and_awaits_the_task",
     a_cancelled_joiner_cancels_and_awaits_the_task},
    {"every_wake_is_followed_by_a_poll", every_wake_is_followed_by_a_poll},
    {"a_fiber_is_woken_by_a_thread_every_time",
     a_fiber_is_woken_by_a_thread_every_time},
    {"a_waker_may_outlive_its_task", a_waker_may_outlive_its_task},
    {"a_join_may_be_polled_again_with_other_wakers_while_the_task_ends",
     a_join_may_be_polled_again_with_other_wakers_while_the_task_ends},
    {"p1_waiting_inside_poll_cancel_or_drop_is_edeadlk_and_named",
     p1_waiting_inside_poll_cancel_or_drop_is_edeadlk_and_named},
    {"p1_a_future_of_a_fiber_or_thread_may_not_wait_inside_poll",
     p1_a_future_of_a_fiber_or_thread_may_not_wait_inside_poll},
    {"many_threads_may_spawn_join_detach_and_cancel",
     many_threads_may_spawn_join_detach_and_cancel},
    {"unref_right_after_the_last_join_always_returns",
     unref_right_after_the_last_join_always_returns},
    {0},
};

int
main(int argc, char **argv)
{
    return unit_main("task", tests, argc, argv);
}
