/* SPDX-License-Identifier: MIT */
/*
 * core/seat.c - the scheduler: what a worker does on its seat.
 *
 * Ready tasks stand in five places, looked at in this order:
 *
 *   lifo     what the running task has just woken: its data is in the cache
 *   pinned   started fibers of this thread (every other time, so that neither
 *            they nor the ring starve)
 *   ring     any seat may take them
 *   local    the rest of the ring, when it is full; refills it when it is empty
 *   yielded  tasks that let others run, until the reactor was turned
 *
 * A worker that finds nothing looks at the injection queue, steals, looks on
 * for a while (core/spin.h), and sleeps in its reactor.
 */

#include "seat.h"

#include <string.h>

#include "fail.h"
#include "io.h"
#include "lock.h"
#include "run.h"
#include "runtime.h"
#include "self.h"
#include "spin.h"

enum {
    BATCH = RUNQUEUE_SLOTS / 2, // tasks that the ring is refilled with
};

static int
list_empty(const struct tasklist *l)
{
    return l->first == NULL;
}

static void
list_init(struct tasklist *l)
{
    l->first = NULL;
    l->end = &l->first;
    l->count = 0;
}

static void
list_push(struct tasklist *l, struct pons_task *t)
{
    t->next = NULL;
    *l->end = t;
    l->end = &t->next;
    l->count++;
}

static struct pons_task *
list_pop(struct tasklist *l)
{
    struct pons_task *t = l->first;

    if (t == NULL)
        return NULL;
    l->first = t->next;
    l->count--;
    if (l->first == NULL)
        l->end = &l->first;
    return t;
}

/* Moves all of `from` behind `to`. */
static void
list_splice(struct tasklist *to, struct tasklist *from)
{
    if (list_empty(from))
        return;
    *to->end = from->first;
    to->end = from->end;
    to->count += from->count;
    list_init(from);
}

static int
task_is_pinned(const struct pons_task *t)
{
    return t->kind == KIND_FIBER && t->started && !t->migratable;
}

/* Somebody sleeps: calls him if the ring has been behind for longer than a wake
 * costs. */
__attribute__((noinline)) static void
seat_offer_sleeper(struct poni_seat *s)
{
    struct pons_runtime *rt = s->runtime;
    uint64_t now;

    if (poni_load_relaxed(&rt->searchers) != 0)
        return;
    now = poni_ticks();
    if (s->busy_since == 0) {
        s->busy_since = now;
    } else if (now - s->busy_since >
               poni_wake_ns() * poni_ticks_per_us() / 1000) {
        s->busy_since = now;
        poni_notify_one(rt);
    }
}

static inline void
seat_offer(struct poni_seat *s)
{
    if (poni_load_relaxed(&s->runtime->sleepers) != 0)
        seat_offer_sleeper(s);
}

/* --- queues --- */

static inline void
seat_push_ring(struct poni_seat *s, struct pons_task *t)
{
    if (!list_empty(&s->local) || !runqueue_push(&s->ring, t))
        list_push(&s->local, t);
}

void
poni_seat_push_pinned(struct poni_seat *s, struct pons_task *t)
{
    list_push(&s->pinned, t);
}

void
poni_seat_push(struct poni_seat *s, struct pons_task *t)
{
    if (task_is_pinned(t))
        poni_seat_push_pinned(s, t);
    else
        seat_push_ring(s, t);
}

void
poni_seat_push_new(struct poni_seat *s, struct pons_task *t)
{
    seat_push_ring(s, t);
    if (s->runtime->workers < 2)
        return;
    /* Pairs with the fence in seat_announce(): Dekker. */
    poni_fence();
    if (poni_load_relaxed(&s->runtime->sleepers) != 0 &&
        runqueue_count(&s->ring) >= NEW_WORK)
        poni_notify_one(s->runtime);
}

/* The running task has woken `t`: it is next, and what was next queues. */
static void
seat_push_lifo(struct poni_seat *s, struct pons_task *t)
{
    struct pons_task *before = s->lifo;

    s->lifo = t;
    if (before != NULL)
        seat_push_ring(s, before);
}

void
poni_inject(struct pons_runtime *rt, struct pons_task *t)
{
    t->next = NULL;
    poni_lock(&rt->inject_lock);
    *rt->inject_end = t;
    rt->inject_end = &t->next;
    /* Relaxed: the fence in poni_notify_one() orders it before the bits. */
    poni_store_relaxed(&rt->inject_count, rt->inject_count + 1);
    poni_unlock(&rt->inject_lock);
    poni_notify_one(rt);
}

static void
seat_post_ready(struct poni_seat *s, struct pons_task *t)
{
    struct pons_task *head = poni_load_relaxed(&s->ready_inbox);

    do
        t->next = head;
    while (!poni_cas(&s->ready_inbox, &head, t));
    poni_seat_ring(s);
}

/*
 * `posting` holds up the runtime's end between the look at `word` and the push:
 * what was pushed is read (core/shutdown.c).
 */
static int
seat_post_unless(struct poni_seat *s, struct pons_op *op, const uint32_t *word,
                 uint32_t closed)
{
    struct pons_runtime *rt = s->runtime;
    struct pons_op *head = poni_load_relaxed(&s->op_inbox);
    int open;

    poni_add_seq(&rt->posting, 1);
    open = poni_load_seq(word) != closed;
    if (open) {
        do
            op->core[0] = (uintptr_t)head;
        while (!poni_cas(&s->op_inbox, &head, op));
        poni_seat_ring(s);
    }
    poni_sub_seq(&rt->posting, 1);
    return open;
}

int
poni_seat_post_op(struct poni_seat *s, struct pons_op *op)
{
    return seat_post_unless(s, op, &s->runtime->phase, RUNTIME_STOPPED);
}

int
poni_seat_post_recall(struct poni_seat *s, struct pons_op *op)
{
    return seat_post_unless(s, op, &s->drained, 1);
}

/* `posting` keeps the seat's reactor there until it was rung. */
void
poni_seat_post_task(struct poni_seat *s, struct pons_task *t)
{
    struct pons_runtime *rt = s->runtime;

    poni_add_seq(&rt->posting, 1);
    if (poni_load_seq(&rt->phase) != RUNTIME_STOPPED)
        seat_post_ready(s, t);
    poni_sub_seq(&rt->posting, 1);
}

void
poni_task_enqueue(struct pons_task *t)
{
    struct poni_self *self = &poni_self; // nothing here suspends
    struct poni_seat *s = self->seat;

    if (task_is_pinned(t) && t->seat != s) {
        seat_post_ready(t->seat, t);
        return;
    }
    if (s == NULL || s->runtime != t->runtime) {
        poni_inject(t->runtime, t);
        return;
    }
    if (self->task != NULL && !task_is_pinned(t))
        seat_push_lifo(s, t);
    else
        poni_seat_push(s, t);
    seat_offer(s);
}

void
poni_seat_yield(struct poni_seat *s, struct pons_waker *w)
{
    if (w->ops == &poni_task_waker_ops && w->data == poni_self.task)
        s->has_yielded = 1;
    else
        pons_waker_notify(w);
}

void
poni_seat_push_yielded(struct poni_seat *s, struct pons_task *t)
{
    list_push(task_is_pinned(t) ? &s->yielded_pinned : &s->yielded, t);
}

/* --- the owner looks around --- */

static struct pons_task *
seat_pop_ring(struct poni_seat *s)
{
    struct pons_task *t = runqueue_pop(&s->ring);

    if (t != NULL)
        return t;
    s->busy_since = 0;
    t = list_pop(&s->local);
    if (s->runtime->seat_count == 1)
        return t; // there is nobody to steal: spare the ring
    for (int i = 1; i < BATCH && !list_empty(&s->local); i++)
        (void)runqueue_push(&s->ring, list_pop(&s->local));
    return t;
}

static struct pons_task *
seat_next(struct poni_seat *s)
{
    struct pons_task *t = s->lifo;

    if (t != NULL && s->lifo_run++ < LIFO_RUN) {
        s->lifo = NULL;
        return t;
    }
    s->lifo_run = 0;
    s->pinned_first ^= 1; // not by the tick: that may beat with the LIFO's run
    if (s->pinned_first && (t = list_pop(&s->pinned)) != NULL)
        return t;
    if ((t = seat_pop_ring(s)) != NULL || (t = list_pop(&s->pinned)) != NULL)
        return t;
    t = s->lifo;
    s->lifo = NULL;
    return t;
}

/* Everything that was posted, oldest first. */
void
poni_seat_read_inboxes(struct poni_seat *s)
{
    struct pons_task *t, *tasks = NULL;
    struct pons_op *op, *ops = NULL;

    if (poni_load_relaxed(&s->ready_inbox) != NULL) {
        /* Acquire pairs with the posters' swaps: the links are in place. */
        for (t = poni_swap(&s->ready_inbox, NULL); t != NULL;) {
            struct pons_task *next = t->next;

            t->next = tasks;
            tasks = t;
            t = next;
        }
        while ((t = tasks) != NULL) {
            tasks = t->next;
            poni_seat_push(s, t);
        }
    }
    if (poni_load_relaxed(&s->op_inbox) == NULL)
        return;
    for (op = poni_swap(&s->op_inbox, NULL); op != NULL;) {
        struct pons_op *next = (struct pons_op *)(uintptr_t)op->core[0];

        op->core[0] = (uintptr_t)ops;
        ops = op;
        op = next;
    }
    while ((op = ops) != NULL) {
        ops = (struct pons_op *)(uintptr_t)op->core[0];
        poni_io_posted(s, op);
    }
}

static void
seat_fire_timers(struct poni_seat *s)
{
    if (poni_timers_earliest(&s->timers) != PONS_NEVER)
        poni_timers_fire(&s->timers, pons_now());
}

int
poni_seat_bind(struct poni_seat *s)
{
    int err = s->reactor->ops->bind(s->reactor);

    if (err == 0 && s->files.reactor != NULL)
        err = s->files.reactor->ops->bind(s->files.reactor);
    return err;
}

static void
seat_ask(struct poni_seat *s, uint64_t deadline_ns)
{
    struct pons_event events[EVENTS];
    int n = s->reactor->ops->poll(s->reactor, events, EVENTS, deadline_ns);

    if (n < 0)
        poni_log(PONS_LOG_ERROR, "reactor", "%s: poll failed for good: %s",
                 s->reactor->ops->name, strerror(-n));
    for (int i = 0; i < n; i++)
        poni_io_event(s, events[i].op, events[i].res, events[i].flags);
}

/* Sleeps in the reactor until something happens, or only looks (deadline 0). */
void
poni_seat_poll(struct poni_seat *s, uint64_t deadline_ns)
{
    if (poni_files_settle(s))
        return;
    seat_ask(s, deadline_ns);
    if (s->files.due)
        poni_files_look(s);
}

/* Between tasks: I/O, inboxes, timers; then those that yielded. I/O first: what
 * has ended is a result, though a cancel or a deadline has come since. */
static void
seat_turn(struct poni_seat *s)
{
    if (s->inflight > 0)
        seat_ask(s, 0);
    poni_files_look(s);
    poni_seat_read_inboxes(s);
    seat_fire_timers(s);
    list_splice(&s->local, &s->yielded);
    list_splice(&s->pinned, &s->yielded_pinned);
}

/* A share of the injection queue. How many. */
static unsigned
seat_take_injected(struct poni_seat *s)
{
    struct pons_runtime *rt = s->runtime;
    struct pons_task *first, *t;
    unsigned n, share;

    if (poni_load_relaxed(&rt->inject_count) == 0)
        return 0;
    poni_lock(&rt->inject_lock);
    share = rt->inject_count / rt->seat_count + 1;
    share = share < BATCH ? share : BATCH;
    first = rt->inject;
    for (n = 0, t = first; t != NULL && n < share; n++)
        t = t->next;
    rt->inject = t;
    if (t == NULL)
        rt->inject_end = &rt->inject;
    poni_store_relaxed(&rt->inject_count, rt->inject_count - n);
    poni_unlock(&rt->inject_lock);
    for (unsigned i = 0; i < n; i++) {
        t = first;
        first = t->next;
        poni_seat_push(s, t);
    }
    return n;
}

static int
seat_has_work(const struct poni_seat *s)
{
    return s->lifo != NULL || !list_empty(&s->pinned) ||
           !list_empty(&s->local) || runqueue_count(&s->ring) > 0 ||
           !list_empty(&s->yielded) || !list_empty(&s->yielded_pinned);
}

/* Whether a turn could bring anything but the reactor's I/O, or others have
 * tasks to steal, which come after I/O. */
static int
seat_turns(const struct poni_seat *s)
{
    uint64_t timer = poni_timers_earliest(&s->timers);

    return s->runtime->seat_count > 1 || seat_has_work(s) ||
           poni_seat_posted(s) || s->files.inflight > 0 ||
           (timer != PONS_NEVER && timer <= pons_now());
}

/*
 * How many tasks until the next turn: one round. What becomes ready meanwhile
 * would queue behind these anyway, and what they give the reactor goes to the
 * kernel at once: more turns would be system calls for nothing. And one more:
 * if there is none the seat is idle, and looks and sleeps by one call.
 */
static unsigned
seat_round(const struct poni_seat *s)
{
    unsigned n =
        runqueue_count(&s->ring) + s->local.count + s->pinned.count + 1;

    if (n < TURN_LEAST)
        return TURN_LEAST;
    return n < TURN_MOST ? n : TURN_MOST;
}

/* There is nothing to run but what has yielded: takes a turn, and what was
 * injected, and if there is still nothing sleeps once. A sleep that finds
 * I/O ends at once, so a look just before it is a system call too many. */
static void
seat_idle(struct poni_seat *s, const uint32_t *word, uint32_t value,
          uint64_t deadline_ns)
{
    int turns = seat_turns(s);

    if (turns)
        seat_turn(s);
    if (seat_take_injected(s) > 0 || seat_has_work(s)) {
        poni_seat_end_search(s);
        if (turns)
            s->turn_in = seat_round(s);
        return;
    }
    poni_seat_rest(s, word, value, deadline_ns);
    s->turn_in = seat_round(s);
}

void
poni_seat_work(struct poni_seat *s, const uint32_t *word, uint32_t value,
               uint64_t deadline_ns)
{
    s->working = 1;
    /* Acquire pairs with the release of who changes the word. */
    while (poni_load_acquire(word) != value) {
        struct pons_task *t;

        if (s->turn_in-- == 0) {
            seat_turn(s);
            (void)seat_take_injected(s);
            s->turn_in = seat_round(s);
            if (runqueue_count(&s->ring) > 0)
                seat_offer(s);
            if (s->searching || poni_load_relaxed(&s->called_to_search))
                poni_seat_end_search(s);
        }
        t = seat_next(s);
        if (t != NULL) {
            if (s->searching)
                poni_seat_end_search(s);
            poni_task_run(s, t);
            continue;
        }
        if (deadline_ns != PONS_NEVER && pons_now() >= deadline_ns)
            break;
        seat_idle(s, word, value, deadline_ns);
    }
    if (s->searching || poni_load_relaxed(&s->called_to_search))
        poni_seat_end_search(s);
    s->working = 0;
}

void
poni_seat_step(struct poni_seat *s, uint64_t deadline_ns)
{
    static const uint32_t never = 0;
    struct pons_task *t;

    t = seat_next(s);
    if (t != NULL) {
        poni_seat_end_search(s);
        poni_task_run(s, t);
    } else {
        seat_idle(s, &never, 1, deadline_ns);
    }
}

void
poni_seat_init(struct poni_seat *s, struct pons_runtime *rt, unsigned index)
{
    s->runtime = rt;
    s->index = index;
    s->bit = UINT64_C(1) << index;
    s->random = index + 1;
    s->turn_in = TURN_LEAST;
    list_init(&s->local);
    list_init(&s->pinned);
    list_init(&s->yielded);
    list_init(&s->yielded_pinned);
    poni_timers_init(&s->timers);
    poni_slab_init(&s->slab, 0);
}
