/* SPDX-License-Identifier: MIT */
#ifndef EVERYWHERE_H
#define EVERYWHERE_H

/*
 * tests/everywhere.h - one body of a test, run wherever a program may wait.
 *
 *     everywhere(body, arg);
 *
 * calls body(arg) with each of reactors_here() times 0, 1, 2 and 4 workers, in
 * a fiber and on this thread inside pons_block_on(); and last on this thread
 * with no runtime at all. After a failed CHECK the place is named.
 *
 * A test that is content with one reactor names epoll, and has the one that the
 * variable UNIT_REACTOR names, where that is set; everywhere() then is the
 * thread with no runtime alone (.ci/reactors). One that is about what uring has
 * not says NEEDS_READINESS().
 *
 * An agent is a second line of work for such a body: a task where there is a
 * runtime, else a thread; or a thread in any case.
 */

#include <pthread.h>

#include "pons/bridge.h"
#include "pons/error.h"
#include "pons/runtime.h"
#include "pons/stream.h"
#include "pons/task.h"
#include "unit.h"

/* Those that do I/O and are built: epoll, poll, libev and libuv where their
 * libraries are, and uring where liburing's header is and io_uring is allowed;
 * NULL at the end. */
const char *const *reactors_here(void);
int reactor_is_here(const char *name);

typedef void body_f(void *arg);

void everywhere(body_f *body, void *arg);

/* With a runtime only: `fibers` alone, or on the thread too. */
void everywhere_in_fibers(body_f *body, void *arg);

/* Whether UNIT_REACTOR is uring. */
int only_completes(void);

/* For tests of streams that have a home, of ops that end in submit, and of
 * files on the pool. */
#define NEEDS_READINESS()                                            \
    do {                                                             \
        if (only_completes())                                        \
            SKIP("uring has no homes, and does by itself and later " \
                 "what this one is about");                          \
    } while (0)

/* From now on runtimes have that PONS_FILES, uring with options perhaps, and
 * everywhere() leaves out the reactor uring itself. 0: io_uring is not allowed
 * here, which is said. */
int everywhere_beside(const char *files);

/* A runtime of the test's own. `workers` is a decimal number. */
struct pons_runtime *runtime_of(const char *reactor, const char *workers);
struct pons_runtime *runtime_with_pool(const char *workers, const char *pool);
struct pons_runtime *runtime_with(const char *reactor, const char *workers,
                                  const char *pool);

/* Calls body(arg) in block_on of such a runtime, and unrefs it. */
void within(const char *reactor, const char *workers, body_f *body, void *arg);

struct agent {
    struct pons_task *task; /* NULL: a thread */
    pthread_t thread;
    pons_fiber_f *fn;
    void *arg;
    int64_t result;
};

void agent_start(struct agent *a, pons_fiber_f *fn, void *arg);
void agent_start_thread(struct agent *a, pons_fiber_f *fn, void *arg);
int64_t agent_join(struct agent *a);

/* Both ends as streams; of a socketpair, or of a pipe (out[0] reads). */
void stream_pair(struct pons_stream *out[2]);
void stream_pipe(struct pons_stream *out[2]);

/* How many operations wait in a direction (0: reading) of `s`, the one in
 * course included. */
unsigned stream_waiting(struct pons_stream *s, int direction);

/* Yields until that is `n`. The one in course has then been started. */
void stream_until(struct pons_stream *s, int direction, unsigned n);

/* Lets others run: yields the task, and the processor. */
void let_others_run(void);

/* Threads of this process, and open descriptors. */
int threads_now(void);
int descriptors_now(void);

/* Until there are as many threads as that. */
void threads_until(int n);

#endif /* EVERYWHERE_H */
