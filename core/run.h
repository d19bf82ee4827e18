/* SPDX-License-Identifier: MIT */
#ifndef PONI_RUN_H
#define PONI_RUN_H

/*
 * core/run.h - a worker runs a task until it waits or ends.
 *
 * Inlined into the scheduler's loop, for its only caller: a fiber's switch that
 * stands in a call makes every return above it a wrong prediction on both sides
 * (core/switch.h). Measured with 1000 fibers in turn: 42 ns a yield with two
 * calls in between, 26 without.
 */

#include "fiber.h"
#include "future.h"
#include "seat.h"
#include "self.h"
#include "task.h"

/* 1: it has ended. `word` is the word before it began to run. */
static inline int
run_stackless(struct pons_task *t, uint32_t word)
{
    struct pons_waker w = poni_task_waker(t);
    enum pons_poll answer;

    poni_self.polling = 1;
    if (word & TASK_CANCELLED) {
        answer = poni_task_poll_cancelled(t, &w);
    } else {
        t->started = 1;
        answer = pons_future_poll(t->run.future, &w);
    }
    poni_self.polling = 0;
    return answer == PONS_READY;
}

static inline __attribute__((always_inline)) int
run_fiber(struct poni_seat *s, struct pons_task *t)
{
    t->seat = s;
    if (!t->started)
        return poni_task_start_fiber(t);
    poni_self.context = t->run.stack.context;
    return poni_fiber_resume(t->run.stack.fiber);
}

static inline __attribute__((always_inline)) void
poni_task_run(struct poni_seat *s, struct pons_task *t)
{
    struct poni_context *outer = poni_self.context;
    uint32_t word = task_begin(&t->word);
    int ended;

    s->budget = BUDGET;
    s->has_yielded = 0;
    poni_count(&s->polls);
    poni_self.task = t;
    poni_self.context = NULL;
    if (t->kind == KIND_FIBER)
        ended = run_fiber(s, t);
    else
        ended = run_stackless(t, word);
    poni_self.context = outer;
    if (ended) {
        poni_task_finish(s, t); // still as this task: drop() belongs to it
        return;
    }
    poni_self.task = NULL;
    if (s->has_yielded)
        poni_seat_push_yielded(s, t);
    else if (task_pending(&t->word) == OWES_ENQUEUE)
        poni_seat_push(s, t);
}

#endif /* PONI_RUN_H */
