/* SPDX-License-Identifier: MIT */
/*
 * core/main.c - PONS_MAIN: the main thread is worker 0, and runs main as a
 * fiber.
 */

#include <stdio.h>

#include "pons/time.h"
#include "runtime.h"
#include "seat.h"
#include "self.h"

enum { MOMENT_NS = 100000 }; // longer than a task takes to end

struct main_call {
    int (*fn)(int argc, char **argv);
    int argc;
    char **argv;
    struct pons_runtime *rt;
};

static int64_t
main_fiber(void *arg)
{
    struct main_call *call = arg;
    int64_t status = call->fn(call->argc, call->argv);

    poni_store_release(&call->rt->main_ended, 1);
    poni_seat_ring(&call->rt->seats[0]); // it may sleep: we may run elsewhere
    return status;
}

int
pons_main(int (*fn)(int argc, char **argv), int argc, char **argv)
{
    struct main_call call = {fn, argc, argv, NULL};
    struct pons_spawn_options o = {.size = sizeof o,
                                   .name = "main",
                                   .stack_bytes = 8 << 20,
                                   .where = "PONS_MAIN"};
    struct pons_task *task = NULL;
    struct poni_seat *seat;
    int64_t status = 2;
    int err = poni_runtime_make(&call.rt, NULL, 1);

    if (err < 0) {
        fprintf(stderr, "pons: %s\n", pons_last_error());
        return 2;
    }
    seat = &call.rt->seats[0];
    poni_store_relaxed(&seat->sat, SEAT_TAKEN);
    poni_self.seat = seat;
    (void)poni_seat_bind(seat);
    err = pons_spawn_with(call.rt, main_fiber, &call, &task, &o);
    if (err == 0) {
        poni_seat_work(seat, &call.rt->main_ended, 1, PONS_NEVER);
        while (!pons_task_ended(task)) // its last lines, elsewhere: no ring
            poni_seat_step(seat, pons_now() + MOMENT_NS);
        status = task->out.result;
        pons_detach(task);
    }
    (void)pons_runtime_shutdown(call.rt, PONS_NEVER);
    poni_self.seat = NULL;
    pons_runtime_unref(call.rt);
    return (int)status;
}
