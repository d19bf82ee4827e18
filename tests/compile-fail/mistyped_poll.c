/* SPDX-License-Identifier: MIT */
/*
 * tests/compile-fail/mistyped_poll.c
 *
 * A future's poll is no pons_poll_f.
 * EXPECT: incompatible-(function-)?pointer-types
 */

#include <pons/pons.h>

static enum pons_poll
answer_poll(struct pons_future *f)
{
    f->result = 42;
    return PONS_READY;
}

const struct pons_future_ops answer_ops;
const struct pons_future_ops answer_ops = {
    .size = sizeof answer_ops,
    .name = "answer",
    .poll = answer_poll,
};
