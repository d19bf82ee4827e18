/* SPDX-License-Identifier: MIT */
/*
 * core/main.c - PONS_MAIN: the main thread is worker 0, and runs main as a
 * fiber.
 */

#include <stdio.h>

#include "pons/task.h"
#include "runtime.h"
#include "seat.h"
#include "self.h"
#include "task.h"

enum { MAIN_FAILED = 2, MAIN_STACK_BYTES = 8 << 20 };

struct main_call {
    int (*fn)(int argc, char **argv);
    int argc, called;
    char **argv;
};

static int64_t
main_fiber(void *arg)
{
    struct main_call *call = arg;

    call->called = 1;
    return call->fn(call->argc, call->argv);
}

/* The calling thread is worker 0 until main has ended. Pinned: no other worker
 * may start it. */
static int
main_run(struct main_call *call, struct pons_runtime *rt)
{
    static const struct poni_birth birth = {.where = "PONS_MAIN",
                                            .name = "main",
                                            .stack_bytes = MAIN_STACK_BYTES,
                                            .pinned = 1};
    struct poni_seat *seat = &rt->seats[0];
    struct pons_task *task;
    int64_t status = MAIN_FAILED;
    int err;

    poni_store_relaxed(&seat->sat, SEAT_TAKEN);
    poni_self.seat = seat;
    (void)poni_seat_bind(seat);
    err = poni_task_spawn_fiber(rt, main_fiber, call, &task, &birth);
    if (err == 0)
        err = pons_join(task, &status);
    if (!call->called) {
        fprintf(stderr, "pons: main was not called: %s\n",
                err < 0 ? pons_last_error() : "no memory for its stack");
        status = MAIN_FAILED;
    }
    (void)pons_runtime_shutdown(rt, PONS_NEVER);
    poni_self.seat = NULL;
    return (int)status;
}

int
pons_main(int (*fn)(int argc, char **argv), int argc, char **argv)
{
    struct main_call call = {.fn = fn, .argc = argc, .argv = argv};
    struct pons_runtime *rt;
    int status;

    if (poni_runtime_make(&rt, NULL, 1) < 0) {
        fprintf(stderr, "pons: %s\n", pons_last_error());
        return MAIN_FAILED;
    }
    status = main_run(&call, rt);
    pons_runtime_unref(rt);
    return status;
}
