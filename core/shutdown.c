/* SPDX-License-Identifier: MIT */
/*
 * core/shutdown.c - how a runtime ends.
 *
 *   1  phase CLOSING: what is spawned from now on is born cancelled
 *   2  every task is cancelled; the tasks end, or the deadline comes
 *   3  the pool: queued jobs are cancelled, running ones awaited
 *   4  phase CLOSED: nothing is spawned from outside any more; what was, ends
 *   5  phase STOPPED: workers leave, each drains its reactor first
 *   6  reactors are closed; memory goes with the last hold
 *
 * Tasks that are left at the deadline go on where they are, and who joins one
 * gets its answer: the workers leave with the last. The rest is leaked then.
 */

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "buffers.h"
#include "fail.h"
#include "futex.h"
#include "lock.h"
#include "multishot.h"
#include "runtime.h"
#include "self.h"
#include "shutdown.h"

enum {
    LOOK_NS = 10000000, // how long a task's end or birth may go unseen: who
                        // ends or spawns one, as a task, does not fence that
                        // from its look at the phase
};

uint64_t
poni_tasks_alive(struct pons_runtime *rt)
{
    uint64_t finished = 0, spawned;

    /* The ends before the births: then 0 is a moment that was (core/runtime.h).
     * Acquire keeps that order. */
    for (unsigned i = 0; i < rt->seat_count; i++)
        finished += poni_load_acquire(&rt->seats[i].finished);
    spawned = poni_load_acquire(&rt->slab.spawned);
    for (unsigned i = 0; i < rt->seat_count; i++)
        spawned += poni_load_acquire(&rt->seats[i].slab.spawned);
    return spawned - finished;
}

/* Until those have posted who had seen that they may. */
static void
runtime_wait_posted(struct pons_runtime *rt)
{
    while (poni_load_seq(&rt->posting) > 0)
        (void)sched_yield(); // a few instructions of somebody's
}

/* From here on who comes from outside sees the new phase. */
static void
runtime_enter(struct pons_runtime *rt, enum runtime_phase phase)
{
    poni_store_seq(&rt->phase, (uint32_t)phase);
    runtime_wait_posted(rt);
}

/* No task is left: nothing is posted any more, and the workers leave. */
static void
runtime_stop(struct pons_runtime *rt)
{
    runtime_enter(rt, RUNTIME_STOPPED);
    poni_store_seq(&rt->stop, 1);
    for (unsigned i = 0; i < rt->seat_count; i++)
        poni_seat_ring(&rt->seats[i]);
}

/* A futex word that counts ends: shutdown sleeps on it. */
void
poni_task_finished(struct pons_runtime *rt)
{
    /* Pairs with the swap in shutdown_leave(): one of the two sees that both
     * the shutdown and the last task have ended. */
    poni_add_seq(&rt->ends, 1);
    poni_futex_wake(&rt->ends, 1);
    poni_seat_ring(&rt->seats[0]); // where shutdown drives by hand
    if (poni_load_seq(&rt->shutdown) == SHUTDOWN_DONE &&
        poni_tasks_alive(rt) == 0)
        runtime_stop(rt);
}

static void
cancel_visit(struct pons_task *t, void *arg)
{
    (void)arg;
    if (poni_load_relaxed(&t->word) & TASK_CANCELLED)
        return;
    /* A reference first, so that it is the same task that is cancelled. */
    if (task_ref_found(&t->word) == 0)
        return;
    pons_cancel(t);
    poni_task_unref(t);
}

static void
each_task(struct pons_runtime *rt,
          void (*visit)(struct pons_task *t, void *runtime))
{
    poni_slab_each(&rt->slab, visit, rt);
    for (unsigned i = 0; i < rt->seat_count; i++)
        poni_slab_each(&rt->seats[i].slab, visit, rt);
}

static void
cancel_all(struct pons_runtime *rt)
{
    each_task(rt, cancel_visit);
}

/* With workers: sleeps until the last task has ended. Walks again meanwhile, by
 * the clock: an end may come at any time. */
static void
drain_by_workers(struct pons_runtime *rt, uint64_t deadline_ns)
{
    uint64_t look, walk = pons_after_ns(LOOK_NS);

    do {
        uint32_t ends = poni_load_acquire(&rt->ends);

        if (poni_tasks_alive(rt) == 0)
            return;
        look = pons_after_ns(LOOK_NS);
        if (look > deadline_ns)
            look = deadline_ns;
        (void)poni_futex_wait(&rt->ends, ends, look);
        if (pons_now() >= walk) {
            cancel_all(rt);
            walk = pons_after_ns(LOOK_NS);
        }
    } while (deadline_ns == PONS_NEVER || pons_now() < deadline_ns);
}

/* Without: does their work, a step at a time. What was born on the seat before
 * it was ours is all to be seen now; what other workers (PONS_MAIN) have, the
 * next walk sees, by the clock, too. */
static void
drain_by_hand(struct pons_runtime *rt, struct poni_seat *s,
              uint64_t deadline_ns)
{
    uint64_t walk = pons_after_ns(LOOK_NS);

    cancel_all(rt);
    while (poni_tasks_alive(rt) > 0 && pons_now() < deadline_ns) {
        poni_seat_step(s, walk < deadline_ns ? walk : deadline_ns);
        if (pons_now() < walk)
            continue;
        if (rt->workers > 1)
            cancel_all(rt);
        walk = pons_after_ns(LOOK_NS);
    }
}

/* Who has taken the seat's bit is about to ring, whatever has woken the owner
 * meanwhile: a task that another runtime's wakes may be over by then. */
static void
seat_wait_bells(const struct poni_seat *s)
{
    /* Pairs with the release in seat_bell(). */
    while (poni_load_acquire(&s->bells) != s->bells_owed)
        (void)sched_yield(); // a system call of somebody's
}

/* What other runtimes' tasks still wait for in this reactor. The owner.
 * Multishots, which may wait for nobody's next, go on elsewhere. */
void
poni_seat_drain(struct poni_seat *s)
{
    struct pons_runtime *rt = s->runtime;
    int announced = 0;

    for (;; announced = 1) {
        /* Announced before the look, as for any sleep (core/seat.h). */
        s->bells_owed +=
            !(__atomic_fetch_or(&rt->sleepers, s->bit, __ATOMIC_SEQ_CST) &
              s->bit) &&
            announced;
        poni_seat_read_inboxes(s);
        poni_multi_leave_all(s);
        if (poni_seat_inflight(s) == 0)
            poni_files_leave(s);
        if (poni_seat_inflight(s) == 0 || pons_now() >= rt->stop_by_ns)
            break;
        poni_seat_poll(s, rt->stop_by_ns);
    }
    s->bells_owed += !(
        __atomic_fetch_and(&rt->sleepers, ~s->bit, __ATOMIC_SEQ_CST) & s->bit);
    poni_store_seq(&s->drained, 1);
    runtime_wait_posted(rt);
    poni_seat_read_inboxes(s); // recalls of what has ended
    seat_wait_bells(s);
}

/* Joins those that come; the others are left with what they hold. */
static unsigned
join_workers(struct pons_runtime *rt, uint64_t deadline_ns)
{
    struct timespec at;
    unsigned stuck = 0;

    for (unsigned i = 0; i < rt->workers; i++) {
        int err;

        if (i == 0 && rt->worker0_is_main)
            continue;
        at.tv_sec = (time_t)(deadline_ns / PONS_S);
        at.tv_nsec = (long)(deadline_ns % PONS_S);
        err = deadline_ns == PONS_NEVER
                  ? pthread_join(rt->threads[i], NULL)
                  : pthread_clockjoin_np(rt->threads[i], NULL, CLOCK_MONOTONIC,
                                         &at);
        if (err != 0) {
            pthread_detach(rt->threads[i]);
            poni_runtime_hold(rt); // for ever: it may still touch all of this
            stuck++;
        }
    }
    return stuck;
}

static void
close_reactors(struct pons_runtime *rt)
{
    for (unsigned i = 0; i < rt->seat_count; i++) {
        struct poni_seat *s = &rt->seats[i];

        if (s->reactor == NULL)
            continue;
        if (poni_seat_inflight(s) > 0) {
            poni_log(PONS_LOG_ERROR, "runtime",
                     "%llu operations of other runtimes are still in reactor "
                     "%s of seat %u: it is left open",
                     (unsigned long long)poni_seat_inflight(s),
                     s->reactor->ops->name, i);
            poni_runtime_hold(rt);
            continue;
        }
        poni_files_close(s);
        s->reactor->ops->close(s->reactor);
        poni_buffers_close(s);
        s->reactor = NULL;
    }
}

/* The seat that this thread works on meanwhile; NULL: the workers do it all, or
 * the maker did not leave it in time. */
static struct poni_seat *
shutdown_seat(struct pons_runtime *rt, uint64_t deadline_ns)
{
    struct poni_seat *s = poni_self.seat;

    if (s != NULL && s->runtime == rt)
        return s;
    return rt->workers == 0 ? poni_sit_for_shutdown(rt, deadline_ns) : NULL;
}

static void
drain(struct pons_runtime *rt, struct poni_seat *hand, uint64_t deadline_ns)
{
    if (hand != NULL)
        drain_by_hand(rt, hand, deadline_ns);
    else
        drain_by_workers(rt, deadline_ns);
}

/* Behind the names of jobs, as far as there is room. */
static void
name_visit(struct pons_task *t, void *arg)
{
    struct pons_runtime *rt = arg;
    size_t used = strlen(rt->left.names), size = sizeof rt->left.names;

    if (task_ref_found(&t->word) == 0)
        return;
    snprintf(rt->left.names + used, size - used, "%s%s born at %s",
             used > 0 ? ", " : "", poni_task_name(t),
             t->where != NULL ? t->where : "?");
    poni_task_unref(t);
}

/* Tasks and jobs end; `hand` may be NULL. */
static void
shutdown_empty(struct pons_runtime *rt, struct poni_seat *hand,
               uint64_t deadline_ns)
{
    drain(rt, hand, deadline_ns);
    rt->left.jobs = poni_pool_shutdown(rt->pool, deadline_ns, rt->left.names,
                                       sizeof rt->left.names);
    runtime_enter(rt, RUNTIME_CLOSED);
    drain(rt, hand, deadline_ns); // what came in meanwhile, born cancelled
    rt->left.tasks = poni_tasks_alive(rt);
    if (rt->left.tasks > 0)
        each_task(rt, name_visit);
    rt->stop_by_ns = deadline_ns;
}

/* No task is left: the workers leave. How many are stuck, in a hook perhaps. */
static unsigned
shutdown_stop(struct pons_runtime *rt, struct poni_seat *hand,
              uint64_t deadline_ns)
{
    runtime_stop(rt);
    if (hand != NULL)
        poni_seat_drain(hand);
    return join_workers(rt, deadline_ns) + (rt->workers == 0 && hand == NULL);
}

/* The workers stay for the tasks that are left. */
static void
detach_workers(struct pons_runtime *rt)
{
    for (unsigned i = rt->worker0_is_main ? 1 : 0; i < rt->workers; i++)
        pthread_detach(rt->threads[i]);
}

static void
shutdown_run(struct pons_runtime *rt, uint64_t deadline_ns)
{
    struct poni_self caller = poni_self; // a task of another runtime, perhaps
    struct poni_seat *hand;
    unsigned stuck = 0;

    poni_store_seq(&rt->phase, RUNTIME_CLOSING);
    cancel_all(rt); // before the seat: whom its maker waits for ends, too
    hand = shutdown_seat(rt, deadline_ns);
    poni_self.task = NULL;
    poni_self.polling = 0;
    shutdown_empty(rt, hand, deadline_ns);
    if (rt->left.tasks == 0)
        stuck = shutdown_stop(rt, hand, deadline_ns);
    else
        detach_workers(rt);
    if (hand != NULL && hand != caller.seat)
        poni_unsit(hand);
    /* A maker inside its block_on has nothing to drive any more. */
    poni_self.seat =
        hand == caller.seat && rt->left.tasks == 0 ? NULL : caller.seat;
    poni_self.task = caller.task;
    poni_self.polling = caller.polling;
    if (rt->left.tasks + rt->left.jobs == 0 && stuck == 0)
        close_reactors(rt);
    else
        poni_runtime_hold(rt); // leaked, with what still runs
}

/* Over, for those who wait, too. */
static void
shutdown_leave(struct pons_runtime *rt)
{
    /* Pairs with the addition in poni_task_finished(). */
    (void)poni_swap_seq(&rt->shutdown, SHUTDOWN_DONE);
    poni_futex_wake(&rt->shutdown, INT32_MAX);
    if (rt->left.tasks > 0 && poni_tasks_alive(rt) == 0)
        runtime_stop(rt);
}

static int64_t
shutdown_answer(const struct pons_runtime *rt)
{
    if (rt->left.tasks + rt->left.jobs > 0)
        (void)poni_fail(-EBUSY,
                        "shutdown left %llu tasks and %u jobs running%s%s",
                        (unsigned long long)rt->left.tasks, rt->left.jobs,
                        rt->left.names[0] ? ": " : "", rt->left.names);
    return (int64_t)(rt->left.tasks + rt->left.jobs);
}

int64_t
pons_runtime_shutdown(struct pons_runtime *rt, uint64_t timeout_ns)
{
    uint32_t first = SHUTDOWN_NONE;
    int err = poni_runtime_check(rt);

    if (err < 0)
        return err;
    if (poni_inside(rt))
        return poni_fail(-EDEADLK,
                         "a task or job of a runtime that shut it down would "
                         "wait for itself; leave that to another thread");
    if (!poni_cas_seq(&rt->shutdown, &first, SHUTDOWN_RUNS)) {
        while (poni_load_acquire(&rt->shutdown) == SHUTDOWN_RUNS)
            poni_futex_wait(&rt->shutdown, SHUTDOWN_RUNS, PONS_NEVER);
        return shutdown_answer(rt);
    }
    shutdown_run(rt, pons_after_ns(timeout_ns));
    shutdown_leave(rt);
    return shutdown_answer(rt);
}
