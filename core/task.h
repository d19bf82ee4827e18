/* SPDX-License-Identifier: MIT */
#ifndef PONI_TASK_H
#define PONI_TASK_H

/*
 * core/task.h - a spawned future or function: what stands beside its own
 * struct.
 *
 * Who may touch what:
 *   word              any thread, by core/task_state.h only
 *   next              whoever holds the queue that the task is on
 *   kind, where, name, runtime: set once, before the word says that it is there
 *   scope             set once, before it is queued; who runs it
 *   started, asked, seat, run: the thread that runs it
 *   result            the thread that runs it, until DONE; then the joiner
 *   joiner            the joiner until JOINING is set, then who ends the task
 *   siblings          under the scope's lock
 */

#include "fiber.h"
#include "pons/scope.h"
#include "pons/task.h"
#include "task_state.h"

enum task_kind { KIND_STACKLESS, KIND_FIBER };

struct pons_task {
    uint32_t word;
    uint8_t kind;    // enum task_kind
    uint8_t started; // has been polled, or has a stack
    uint8_t asked;   // its future was told of the cancel
    uint8_t migratable : 1, stack_log2 : 7;
    struct pons_task *next; // on a run queue, an inbox, the injection queue
    struct poni_seat *seat; // a started pinned fiber's; else where it ran last
    union {
        struct pons_future *future; // stackless
        struct {
            pons_fiber_f *fn; // a fiber that has not started
            void *arg;
        } call;
        struct {
            struct poni_fiber *fiber; // a fiber that has
            struct poni_context *context;
        } stack;
    } run;
    struct pons_runtime *runtime;
    const char *where, *name;
    union {
        int64_t result;            // once it has ended
        struct pons_future *waits; // a fiber's wait in course, for dump
    } out;
    struct pons_waker joiner;
    struct pons_scope *scope;
    struct pons_task *sibling, **sibling_at;
};

PONS_STATIC_ASSERT(sizeof(struct pons_task) <= 128, "an idle task: 128 bytes");

extern const struct pons_waker_ops poni_task_waker_ops;

/* A waker of `t`, lent: no reference is taken. */
static inline struct pons_waker
poni_task_waker(struct pons_task *t)
{
    struct pons_waker w = {&poni_task_waker_ops, t};

    return w;
}

/* Never NULL. */
const char *poni_task_name(const struct pons_task *t);

/* Any thread that keeps the task alive. */
void poni_task_wake(struct pons_task *t);
void poni_task_unref(struct pons_task *t);

/* For core/run.h. Polls a task whose word says CANCELLED. */
enum pons_poll poni_task_poll_cancelled(struct pons_task *t,
                                        struct pons_waker *w);

/* For core/run.h: runs a fiber for the first time. 1: it has ended. */
int poni_task_start_fiber(struct pons_task *t);

/* For core/run.h: `t` has run to its end. Frees what it ran on, drops its
 * future, and tells its scope and its joiner. The owner of `seat`. */
void poni_task_finish(struct poni_seat *seat, struct pons_task *t);

/* What a task is born with, beside its work. */
struct poni_birth {
    const char *where, *name;
    struct pons_scope *scope; // or NULL
    uint64_t stack_bytes;     // of a fiber; 0: the usual
    uint32_t migratable;
    uint32_t pinned; // a fiber: starts on no other seat than its maker's
};

int poni_task_spawn_fiber(struct pons_runtime *rt, pons_fiber_f *fn, void *arg,
                          struct pons_task **task, const struct poni_birth *b);
int poni_task_spawn_future(struct pons_runtime *rt, struct pons_future *f,
                           struct pons_task **task, const struct poni_birth *b);

/* The scope's half of a birth and an end; core/scope.c. */
int poni_scope_add(struct pons_scope *s, struct pons_task *t);
void poni_scope_remove(struct pons_scope *s, struct pons_task *t);

#endif /* PONI_TASK_H */
