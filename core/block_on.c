/* SPDX-License-Identifier: MIT */
/*
 * core/block_on.c - synchronous code calls code that waits: pons/bridge.h.
 *
 * The function runs on the caller's own stack, with a context that names the
 * runtime. Nothing is spawned and nobody is woken for it. Without workers the
 * maker's thread sits on seat 0 meanwhile, so that its waits drive the tasks.
 */

#include <errno.h>

#include "fail.h"
#include "runtime.h"
#include "self.h"

static int64_t
block_call(struct pons_runtime *rt, pons_fiber_f *fn, void *arg)
{
    struct poni_self *self = &poni_self;
    struct poni_context here = {.runtime = rt}, *outer = self->context;
    struct poni_seat *seat = NULL, *outer_seat = self->seat;
    int64_t answer;

    if (outer != NULL)
        here.frames = outer->frames; // deadlines outside count inside
    if (rt != NULL && (outer_seat == NULL || outer_seat->runtime != rt))
        seat = poni_sit(rt);
    self->context = &here;
    answer = fn(arg);
    poni_frames_end(&here, outer != NULL ? outer->frames : NULL);
    self->context = outer;
    if (seat != NULL)
        poni_unsit(seat);
    self->seat = outer_seat;
    return answer;
}

int
pons_block_on(struct pons_runtime *rt, pons_fiber_f *fn, void *arg,
              int64_t *result)
{
    int64_t answer;
    int err;

    if (poni_self.polling)
        return poni_refuse_poll("pons_block_on()", "the future form of what it "
                                                   "waits for");
    if (rt != NULL && (err = poni_runtime_check(rt)) < 0)
        return err;
    answer = poni_self.task != NULL ? fn(arg) : block_call(rt, fn, arg);
    if (result != NULL)
        *result = answer;
    return 0;
}

static int64_t
await_arg(void *f)
{
    return pons_await(f);
}

int
pons_block_on_future(struct pons_runtime *rt, struct pons_future *f,
                     int64_t *result)
{
    return pons_block_on(rt, await_arg, f, result);
}
