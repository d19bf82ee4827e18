/* SPDX-License-Identifier: MIT */
/*
 * tests/scheduler_test.c - core/seat.c as its users meet it: everything runs,
 * nobody starves, work is shared, and who has none sleeps.
 */

#include "core/fiber.h"
#include "core/runtime.h"
#include "core/self.h"
#include "crew.h"
#include "everywhere.h"
#include "gate.h"

#include <dirent.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "pons/time.h"

static int64_t
join_of(struct pons_task *t)
{
    int64_t answer = 4711;

    CHECK_EQ(pons_join(t, &answer), 0);
    return answer;
}

static struct pons_spawn_options
migratable(void)
{
    struct pons_spawn_options o = {.size = sizeof o,
                                   .flags = PONS_SPAWN_MIGRATABLE};

    return o;
}

/* --- many of all kinds --- */

enum {
#if defined(PONI_TSAN)
    MANY = 300, // it knows about 8,000 stacks in a life
    ROUNDS = 200,
#elif defined(PONI_ASAN)
    MANY = 3000,
    ROUNDS = 500,
#else
    MANY = 10000,
    ROUNDS = 2000,
#endif
    YIELDS = 5,
};

struct yielder {
    struct pons_future base;
    struct pons_yield yield;
    struct pons_task *task;
    int left;
    uint32_t *ended;
};

static int64_t
yield_often(void *arg)
{
    struct yielder *y = arg;

    while (y->left-- > 0)
        CHECK_EQ(pons_yield(), 0);
    poni_add(y->ended, 1);
    return YIELDS;
}

static enum pons_poll
yielder_poll(struct pons_future *f, struct pons_waker *w)
{
    struct yielder *y = pons_container_of(f, struct yielder, base);

    PONS_BEGIN(f);
    while (y->left-- > 0) {
        pons_yield_init(&y->yield);
        PONS_AWAIT(f, w, &y->yield);
        CHECK_EQ(y->yield.base.result, 0);
    }
    poni_add(y->ended, 1);
    PONS_RETURN(f, YIELDS);
    PONS_END(f);
}

static const struct pons_future_ops yielder_ops = {
    .size = sizeof yielder_ops,
    .name = "yielder",
    .poll = yielder_poll,
};

static void
spawn_of_kind(struct pons_runtime *rt, struct yielder *y, int kind)
{
    struct pons_spawn_options o = migratable();

    if (kind == 0)
        CHECK_EQ(pons_spawn(rt, yield_often, y, &y->task), 0);
    else if (kind == 1)
        CHECK_EQ(pons_spawn_with(rt, yield_often, y, &y->task, &o), 0);
    else
        CHECK_EQ(pons_spawn_future(rt, &y->base, &y->task), 0);
}

static struct yielder crowd[MANY];

static void
spawn_crowd(struct pons_runtime *rt, int from, int to, uint32_t *ended)
{
    for (int i = from; i < to; i++) {
        crowd[i] = (struct yielder){.left = YIELDS, .ended = ended};
        pons_future_init(&crowd[i].base, &yielder_ops);
        spawn_of_kind(rt, &crowd[i], i % 3);
    }
}

static void
join_crowd(int from, int to)
{
    for (int i = from; i < to; i++)
        CHECK_EQ(join_of(crowd[i].task), YIELDS);
}

static void
body_crowd(void *unused)
{
    uint32_t ended = 0;

    (void)unused;
    spawn_crowd(NULL, 0, MANY, &ended);
    join_crowd(0, MANY);
    CHECK_EQ(ended, MANY);
}

static void
ten_thousand_tasks_of_all_kinds_run_to_their_ends(void)
{
    static const char *const workers[] = {"0", "1", "2", "4"};

    for (const char *const *r = reactors_here(); *r != NULL; r++)
        for (int w = 0; w < 4; w++)
            within(*r, workers[w], body_crowd, NULL);
}

static struct pons_runtime *outside_rt;

enum { OUTSIDERS = 3, SHARE = MANY / OUTSIDERS };

static void
spawn_from_outside(int who)
{
    static uint32_t ended;

    spawn_crowd(outside_rt, who * SHARE, (who + 1) * SHARE, &ended);
    join_crowd(who * SHARE, (who + 1) * SHARE);
}

static void
several_threads_may_spawn_from_outside(void)
{
    static const char *const workers[] = {"1", "2", "4"};

    for (int w = 0; w < 3; w++) {
        outside_rt = runtime_of("epoll", workers[w]);
        crew_run(OUTSIDERS, spawn_from_outside);
        pons_runtime_unref(outside_rt);
    }
}

/* Each round is over only when all have been run: one that lies about while the
 * workers sleep would lie for ever. */
static uint32_t lone_ended;

static int64_t
count_lone(void *unused)
{
    (void)unused;
    poni_add(&lone_ended, 1);
    return 0;
}

static void
spawn_one_and_wait_for_all(int who)
{
    (void)who;
    for (uint32_t i = 1; i <= ROUNDS; i++) {
        CHECK_EQ(pons_spawn(outside_rt, count_lone, NULL, NULL), 0);
        while (poni_load_acquire(&lone_ended) < i * OUTSIDERS)
            crew_relax();
        crew_meet();
    }
}

static void
what_comes_from_outside_is_never_left_lying(void)
{
    for (int w = 1; w <= 2; w++) {
        outside_rt = runtime_of("epoll", w == 1 ? "1" : "2");
        lone_ended = 0;
        crew_run(OUTSIDERS, spawn_one_and_wait_for_all);
        pons_runtime_unref(outside_rt);
    }
}

/* --- sharing --- */

/* Holds its worker, without a wait, until it is let go. */
struct hog {
    uint32_t holds, go;
    pid_t thread;
};

static int64_t
hog_run(void *arg)
{
    struct hog *h = arg;

    h->thread = gettid();
    poni_store_release(&h->holds, 1);
    while (!poni_load_acquire(&h->go))
        (void)sched_yield(); // the processor, not the worker
    return 0;
}

static struct pons_task *
hog_start(struct pons_runtime *rt, struct hog *h)
{
    struct pons_task *t;

    CHECK_EQ(pons_spawn(rt, hog_run, h, &t), 0);
    while (!poni_load_acquire(&h->holds))
        (void)sched_yield();
    return t;
}

enum { LOAD = 200 };

static uint32_t load_ended;

/* Spawns, and then holds its worker until others have done all of it. */
static int64_t
spawn_and_hold(void *unused)
{
    (void)unused;
    for (int i = 0; i < LOAD; i++) {
        crowd[i] = (struct yielder){.ended = &load_ended};
        pons_future_init(&crowd[i].base, &yielder_ops);
        spawn_of_kind(NULL, &crowd[i], i % 3);
    }
    while (poni_load_acquire(&load_ended) < LOAD)
        (void)sched_yield();
    join_crowd(0, LOAD);
    return 0;
}

static void
the_tasks_of_a_busy_worker_are_stolen(void)
{
    static const char *const workers[] = {"2", "4"};

    for (int i = 0; i < 10; i++) {
        struct pons_runtime *rt = runtime_of("epoll", workers[i % 2]);
        struct pons_stats stats = {.size = sizeof stats};
        struct pons_task *t;

        load_ended = 0;
        CHECK_EQ(pons_spawn(rt, spawn_and_hold, NULL, &t), 0);
        CHECK_EQ(join_of(t), 0);
        CHECK_EQ(pons_runtime_stats(rt, &stats), 0);
        CHECK(stats.steals >= LOAD);
        pons_runtime_unref(rt);
    }
}

/* Two that hold their workers until a burst of work has been done: by a third,
 * though nobody was called for it while somebody was on its way. */
enum { BURST = 8 };

static struct hog burst_hog, other_hog;

static int64_t
burst_and_hold(void *unused)
{
    (void)unused;
    poni_store_release(&burst_hog.holds, 1);
    while (!poni_load_acquire(&burst_hog.go))
        (void)sched_yield();
    for (int i = 0; i < BURST; i++) {
        crowd[i] = (struct yielder){.ended = &load_ended};
        pons_future_init(&crowd[i].base, &yielder_ops);
        spawn_of_kind(NULL, &crowd[i], i % 3);
    }
    /* But for one on this worker and one on the other hog's, which those come
     * to next: nobody is called for them. */
    while (poni_load_acquire(&load_ended) < BURST - 2)
        (void)sched_yield();
    poni_store_release(&other_hog.go, 1);
    join_crowd(0, BURST);
    return 0;
}

static void
work_is_shared_when_who_was_called_found_other_work(void)
{
    struct pons_runtime *rt = runtime_of("epoll", "4");

    for (int i = 0; i < ROUNDS; i++) {
        struct pons_task *burst, *other;

        burst_hog = other_hog = (struct hog){0};
        load_ended = 0;
        CHECK_EQ(pons_spawn(rt, burst_and_hold, NULL, &burst), 0);
        while (!poni_load_acquire(&burst_hog.holds))
            (void)sched_yield();
        poni_store_release(&burst_hog.go, 1);
        for (int k = 0; k < i % 32; k++) // so that they meet somewhere
            poni_pause();
        CHECK_EQ(pons_spawn(rt, hog_run, &other_hog, &other), 0);
        CHECK_EQ(join_of(burst), 0);
        CHECK_EQ(join_of(other), 0);
    }
    pons_runtime_unref(rt);
}

/* --- threads of fibers --- */

enum { WALKERS = 40, STEPS = 50 };

static int64_t
stay(void *arg)
{
    pid_t thread = gettid();

    for (int i = 0; i < STEPS; i++) {
        CHECK_EQ(gate_await(&((struct gate *)arg)[i]), 0);
        CHECK_EQ(gettid(), thread);
        CHECK_EQ(pons_yield(), 0);
        CHECK_EQ(gettid(), thread);
        if (i % 10 == 0)
            CHECK_EQ(pons_sleep(PONS_US), 0);
        CHECK_EQ(gettid(), thread);
    }
    return 0;
}

static int64_t
open_gates(void *arg)
{
    for (int i = 0; i < STEPS; i++) {
        gate_open(&((struct gate *)arg)[i]);
        if (i % 3 == 0)
            CHECK_EQ(pons_yield(), 0);
    }
    return 0;
}

static void
body_stay(void *unused)
{
    static struct gate gates[WALKERS][STEPS];
    struct pons_task *walkers[WALKERS], *openers[WALKERS];

    (void)unused;
    memset(gates, 0, sizeof gates);
    for (int i = 0; i < WALKERS; i++)
        CHECK_EQ(pons_spawn(NULL, stay, gates[i], &walkers[i]), 0);
    for (int i = 0; i < WALKERS; i++)
        CHECK_EQ(pons_spawn(NULL, open_gates, gates[i], &openers[i]), 0);
    for (int i = 0; i < WALKERS; i++) {
        CHECK_EQ(join_of(openers[i]), 0);
        CHECK_EQ(join_of(walkers[i]), 0);
    }
}

static void
a_fiber_stays_on_its_thread(void)
{
    everywhere_in_fibers(body_stay, NULL);
}

enum { MOVERS = 8 };

struct mover {
    struct gate gate;
    uint32_t first, then; // threads
};

static int64_t
move(void *arg)
{
    struct mover *m = arg;

    poni_store_release(&m->first, (uint32_t)gettid());
    CHECK_EQ(gate_await(&m->gate), 0);
    poni_store_release(&m->then, (uint32_t)gettid());
    return 0;
}

struct migration {
    struct hog other; // holds the other worker at first
    struct mover movers[MOVERS];
};

static int
moved(struct migration *m)
{
    int n = 0;

    for (int i = 0; i < MOVERS; i++)
        n += poni_load_acquire(&m->movers[i].then) != 0;
    return n;
}

/*
 * All movers start here, as the other worker is held. Then this one is held,
 * and all that this fiber has woken has to go to the other: but for the last,
 * which is to be the next here, and is not stolen.
 */
static int64_t
push_away(void *arg)
{
    struct pons_spawn_options o = migratable();
    struct pons_task *tasks[MOVERS];
    struct migration *m = arg;

    for (int i = 0; i < MOVERS; i++)
        CHECK_EQ(pons_spawn_with(NULL, move, &m->movers[i], &tasks[i], &o), 0);
    for (int i = 0; i < MOVERS; i++)
        gate_until_awaited(&m->movers[i].gate);
    for (int i = 0; i < MOVERS; i++)
        gate_open(&m->movers[i].gate);
    poni_store_release(&m->other.go, 1);
    while (moved(m) < MOVERS - 1)
        (void)sched_yield();
    for (int i = 0; i < MOVERS; i++) {
        uint32_t then = poni_load_acquire(&m->movers[i].then);

        CHECK_EQ(poni_load_acquire(&m->movers[i].first), gettid());
        CHECK(then == 0 || then == (uint32_t)m->other.thread);
    }
    for (int i = 0; i < MOVERS; i++)
        CHECK_EQ(join_of(tasks[i]), 0);
    return 0;
}

static void
a_migratable_fiber_goes_on_where_there_is_room(void)
{
    for (int i = 0; i < 20; i++) {
        struct pons_runtime *rt = runtime_of("epoll", "2");
        struct migration m = {.other = {0}};
        struct pons_task *hog = hog_start(rt, &m.other), *t;

        CHECK_EQ(pons_spawn(rt, push_away, &m, &t), 0);
        CHECK_EQ(join_of(t), 0);
        CHECK_EQ(join_of(hog), 0);
        pons_runtime_unref(rt);
    }
}

/* --- nobody starves --- */

/* Until the victims have had their turns. */
static uint32_t victims_left;

static int
over(void)
{
    return poni_load_acquire(&victims_left) == 0;
}

/* Is ready again as soon as it has run: wakes itself. */
static enum pons_poll
restless_poll(struct pons_future *f, struct pons_waker *w)
{
    if (over()) {
        f->result = 0;
        return PONS_READY;
    }
    pons_waker_notify(w);
    return PONS_PENDING;
}

static const struct pons_future_ops restless_ops = {
    .size = sizeof restless_ops,
    .name = "restless",
    .poll = restless_poll,
};

/* Two that wake each other: each is the other's next one. */
struct player {
    struct pons_future base;
    struct player *other;
    uint32_t lock;
    struct pons_waker waker; // NULL: not there yet, or gone
};

static void
player_leave(struct player *p, const struct pons_waker *w)
{
    poni_lock(&p->lock);
    if (w != NULL)
        pons_waker_set(&p->waker, w);
    else
        pons_waker_drop(&p->waker);
    poni_unlock(&p->lock);
}

static void
player_wake(struct player *p)
{
    struct pons_waker w = {NULL, NULL};

    poni_lock(&p->lock);
    pons_waker_set(&w, &p->waker);
    poni_unlock(&p->lock);
    pons_waker_wake(&w);
}

static enum pons_poll
player_poll(struct pons_future *f, struct pons_waker *w)
{
    struct player *p = pons_container_of(f, struct player, base);
    int last = over();

    player_leave(p, last ? NULL : w);
    player_wake(p->other);
    f->result = 0;
    return last ? PONS_READY : PONS_PENDING;
}

static const struct pons_future_ops player_ops = {
    .size = sizeof player_ops,
    .name = "player",
    .poll = player_poll,
};

/* A fiber that yields, one that sleeps, a stackless task, one from outside. */
enum { TURNS = 20 };

static int64_t
victim_yields(void *unused)
{
    (void)unused;
    for (int i = 0; i < TURNS; i++)
        CHECK_EQ(pons_yield(), 0);
    poni_sub(&victims_left, 1);
    return 0;
}

static int64_t
victim_sleeps(void *unused)
{
    (void)unused;
    for (int i = 0; i < 3; i++)
        CHECK_EQ(pons_sleep(100 * PONS_US), 0);
    poni_sub(&victims_left, 1);
    return 0;
}

struct passer {
    struct gate gates[2];
};

/* Two pinned fibers that pass a turn to and fro: woken, not yielding. */
static int64_t
victim_passes(void *arg)
{
    struct passer *p = arg;

    for (int i = 0; i < TURNS; i++) {
        CHECK_EQ(gate_await(&p->gates[0]), 0);
        p->gates[0].opened = 0;
        gate_open(&p->gates[1]);
    }
    poni_sub(&victims_left, 1);
    return 0;
}

static int64_t
victim_passes_back(void *arg)
{
    struct passer *p = arg;

    for (int i = 0; i < TURNS; i++) {
        gate_open(&p->gates[0]);
        CHECK_EQ(gate_await(&p->gates[1]), 0);
        p->gates[1].opened = 0;
    }
    poni_sub(&victims_left, 1);
    return 0;
}

static int64_t
victim_reads(void *arg)
{
    char byte;

    CHECK_EQ(pons_recv(arg, &byte, 1), 1);
    poni_sub(&victims_left, 1);
    return 0;
}

/* What never has nothing to do. */
enum crowding { RESTLESS = 1, PLAYERS = 2, FIBERS = 4 };

static int64_t
restless_fiber(void *unused)
{
    (void)unused;
    while (!over())
        CHECK_EQ(pons_yield(), 0);
    return 0;
}

struct crush {
    int crowding;
    int offset; // shifts who runs at even and who at odd ticks
};

static void
crush_spawn(struct crush *c, struct pons_future *restless,
            struct player *players, struct pons_task **tasks)
{
    int n = 0;

    for (int i = 0; i < 2; i++) {
        players[i] = (struct player){.other = &players[1 - i]};
        pons_future_init(&players[i].base, &player_ops);
    }
    for (int i = 0; i < 2; i++) {
        if (c->crowding & RESTLESS) {
            pons_future_init(&restless[i], &restless_ops);
            CHECK_EQ(pons_spawn_future(NULL, &restless[i], &tasks[n++]), 0);
        }
        if (c->crowding & PLAYERS) {
            CHECK_EQ(pons_spawn_future(NULL, &players[i].base, &tasks[n++]), 0);
        }
        if (c->crowding & FIBERS)
            CHECK_EQ(pons_spawn(NULL, restless_fiber, NULL, &tasks[n++]), 0);
    }
}

static void
body_crush(void *arg)
{
    struct crush *c = arg;
    struct pons_future restless[2];
    struct player players[2];
    struct passer passer = {.gates = {{0}, {0}}};
    struct pons_task *crowding[6] = {NULL}, *victims[5];
    struct pons_stream *ends[2];

    victims_left = 5;
    stream_pair(ends);
    for (int i = 0; i < c->offset; i++)
        CHECK_EQ(pons_spawn(NULL, count_lone, NULL, NULL), 0);
    crush_spawn(c, restless, players, crowding);
    CHECK_EQ(pons_spawn(NULL, victim_yields, NULL, &victims[0]), 0);
    CHECK_EQ(pons_spawn(NULL, victim_sleeps, NULL, &victims[1]), 0);
    CHECK_EQ(pons_spawn(NULL, victim_passes, &passer, &victims[2]), 0);
    CHECK_EQ(pons_spawn(NULL, victim_passes_back, &passer, &victims[3]), 0);
    CHECK_EQ(pons_spawn(NULL, victim_reads, ends[0], &victims[4]), 0);
    CHECK_EQ(pons_yield(), 0);
    CHECK_EQ(pons_send(ends[1], "x", 1), 1);
    for (int i = 0; i < 5; i++)
        CHECK_EQ(join_of(victims[i]), 0);
    for (int i = 0; i < 6 && crowding[i] != NULL; i++)
        CHECK_EQ(join_of(crowding[i]), 0);
    pons_stream_close(ends[0]);
    pons_stream_close(ends[1]);
}

static void
crush_everywhere(int crowding)
{
    for (int offset = 0; offset < 4; offset++) {
        struct crush c = {crowding, offset};

        within("epoll", "1", body_crush, &c);
        within("epoll", "0", body_crush, &c);
        if (offset == 3)
            everywhere_in_fibers(body_crush, &c);
    }
}

static void
tasks_that_wake_themselves_starve_nobody(void)
{
    crush_everywhere(RESTLESS);
}

static void
tasks_that_wake_each_other_starve_nobody(void)
{
    crush_everywhere(PLAYERS);
}

static void
fibers_that_yield_starve_nobody(void)
{
    crush_everywhere(FIBERS);
}

static void
all_of_them_together_starve_nobody(void)
{
    crush_everywhere(RESTLESS | PLAYERS);
    crush_everywhere(RESTLESS | PLAYERS | FIBERS);
}

static void
what_comes_from_outside_gets_its_turn_among_the_busy(void)
{
    struct pons_runtime *rt = runtime_of("epoll", "1");
    struct pons_future restless[2];
    struct pons_task *t[2], *victim;

    victims_left = 1;
    for (int i = 0; i < 2; i++) {
        pons_future_init(&restless[i], &restless_ops);
        CHECK_EQ(pons_spawn_future(rt, &restless[i], &t[i]), 0);
    }
    CHECK_EQ(pons_spawn(rt, victim_yields, NULL, &victim), 0);
    CHECK_EQ(join_of(victim), 0);
    for (int i = 0; i < 2; i++)
        CHECK_EQ(join_of(t[i]), 0);
    pons_runtime_unref(rt);
}

/* --- the budget --- */

/* Does what is always ready, and never yields by itself. */
static int64_t
always_ready_polls(void *arg)
{
    while (!over())
        CHECK_EQ(pons_ready_wait(arg, POLLIN), POLLIN);
    return 0;
}

static int64_t
always_over_sleeps(void *unused)
{
    (void)unused;
    while (!over())
        CHECK_EQ(pons_sleep_until(0), 0);
    return 0;
}

struct eager {
    struct pons_future base;
    struct pons_stream *stream;
    struct pons_ready_wait wait;
};

static enum pons_poll
eager_poll(struct pons_future *f, struct pons_waker *w)
{
    struct eager *e = pons_container_of(f, struct eager, base);

    PONS_BEGIN(f);
    while (!over()) {
        pons_ready_wait_init(&e->wait, e->stream, POLLIN);
        PONS_AWAIT(f, w, &e->wait);
        CHECK_EQ(e->wait.base.result, POLLIN);
    }
    PONS_END(f);
}

static const struct pons_future_ops eager_ops = {
    .size = sizeof eager_ops,
    .name = "eager",
    .poll = eager_poll,
};

static void
body_budget(void *kind)
{
    struct pons_task *glutton, *victim;
    struct pons_stream *ends[2];
    struct eager e;

    victims_left = 1;
    stream_pair(ends);
    CHECK_EQ(pons_send(ends[1], "x", 1), 1);
    e.stream = ends[0];
    pons_future_init(&e.base, &eager_ops);
    if (*(int *)kind == 0)
        CHECK_EQ(pons_spawn(NULL, always_ready_polls, ends[0], &glutton), 0);
    else if (*(int *)kind == 1)
        CHECK_EQ(pons_spawn_future(NULL, &e.base, &glutton), 0);
    else
        CHECK_EQ(pons_spawn(NULL, always_over_sleeps, NULL, &glutton), 0);
    CHECK_EQ(pons_spawn(NULL, victim_yields, NULL, &victim), 0);
    CHECK_EQ(join_of(victim), 0);
    CHECK_EQ(join_of(glutton), 0);
    pons_stream_close(ends[0]);
    pons_stream_close(ends[1]);
}

static void
what_is_always_ready_uses_up_a_budget(void)
{
    for (int kind = 0; kind < 3; kind++) {
        within("epoll", "0", body_budget, &kind);
        within("epoll", "1", body_budget, &kind);
        within("poll", "1", body_budget, &kind);
        within("poll", "0", body_budget, &kind);
    }
}

/* --- two runtimes --- */

enum { EXCHANGES = 2000 };

static int64_t
exchange(void *arg)
{
    struct gate *gates = arg;

    for (int i = 0; i < EXCHANGES; i++) {
        CHECK_EQ(gate_await(&gates[0]), 0);
        gates[0].opened = 0;
        gate_open(&gates[1]);
    }
    return 0;
}

static int64_t
exchange_back(void *arg)
{
    struct gate *gates = arg;

    for (int i = 0; i < EXCHANGES; i++) {
        gate_open(&gates[0]);
        CHECK_EQ(gate_await(&gates[1]), 0);
        gates[1].opened = 0;
    }
    return 0;
}

static void
tasks_of_two_runtimes_wake_each_other(void)
{
    for (int i = 0; i < 4; i++) {
        struct pons_runtime *a = runtime_of("epoll", i & 1 ? "2" : "1");
        struct pons_runtime *b = runtime_of("poll", i & 2 ? "2" : "1");
        struct gate gates[2] = {{0}, {0}};
        struct pons_spawn_options o = migratable();
        struct pons_task *x, *y;

        CHECK_EQ(pons_spawn(a, exchange, gates, &x), 0);
        CHECK_EQ(pons_spawn_with(b, exchange_back, gates, &y, &o), 0);
        CHECK_EQ(join_of(x), 0);
        CHECK_EQ(join_of(y), 0);
        pons_runtime_unref(a);
        pons_runtime_unref(b);
    }
}

/* --- P9: who has nothing to do does nothing --- */

/* Of our workers; a sanitizer has threads of its own. */
static uint64_t
context_switches(void)
{
    char path[300], line[200];
    uint64_t sum = 0;
    int workers = 0;
    struct dirent *e;
    DIR *dir = opendir("/proc/self/task");

    CHECK(dir != NULL);
    while ((e = readdir(dir)) != NULL) {
        unsigned long long n;
        int ours = 0;
        FILE *f;

        if (e->d_name[0] == '.')
            continue;
        (void)snprintf(path, sizeof path, "/proc/self/task/%s/status",
                       e->d_name);
        f = fopen(path, "r");
        CHECK(f != NULL);
        while (fgets(line, sizeof line, f) != NULL) {
            ours |= strncmp(line, "Name:\tpons-", 11) == 0;
            if (sscanf(line, "voluntary_ctxt_switches: %llu", &n) == 1 ||
                sscanf(line, "nonvoluntary_ctxt_switches: %llu", &n) == 1)
                sum += ours ? n : 0;
        }
        fclose(f);
        workers += ours;
    }
    closedir(dir);
    CHECK(workers > 0);
    return sum;
}

static void
idle_on(const char *reactor, const char *workers)
{
    struct pons_runtime *rt = runtime_of(reactor, workers);
    uint64_t before;
    uint32_t ended = 0;

    spawn_crowd(rt, 0, 100, &ended);
    join_crowd(0, 100);
    do { // they settle; then there has to be a time without a switch
        before = context_switches();
        (void)poll(NULL, 0, 100);
    } while (context_switches() != before);
    pons_runtime_unref(rt);
}

static void
p9_idle_workers_make_no_context_switches(void)
{
    idle_on("epoll", "4");
    idle_on("poll", "4");
    idle_on("epoll", "1");
}

static const struct unit_test tests[] = {
#define T(name)     \
    {               \
#name, name \
    }
    T(ten_thousand_tasks_of_all_kinds_run_to_their_ends),
    T(several_threads_may_spawn_from_outside),
    T(what_comes_from_outside_is_never_left_lying),
    T(the_tasks_of_a_busy_worker_are_stolen),
    T(work_is_shared_when_who_was_called_found_other_work),
    T(a_fiber_stays_on_its_thread),
    T(a_migratable_fiber_goes_on_where_there_is_room),
    T(tasks_that_wake_themselves_starve_nobody),
    T(tasks_that_wake_each_other_starve_nobody),
    T(fibers_that_yield_starve_nobody),
    T(all_of_them_together_starve_nobody),
    T(what_comes_from_outside_gets_its_turn_among_the_busy),
    T(what_is_always_ready_uses_up_a_budget),
    T(tasks_of_two_runtimes_wake_each_other),
    T(p9_idle_workers_make_no_context_switches),
#undef T
    {0},
};

int
main(int argc, char **argv)
{
    return unit_main("scheduler", tests, argc, argv);
}
