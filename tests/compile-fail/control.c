/* SPDX-License-Identifier: MIT */
/*
 * tests/compile-fail/control.c
 *
 * What the others do wrong, done right: compiles.
 */

#include <pons/pons.h>

static int64_t
answer(void *arg)
{
    return *(int64_t *)arg;
}

static enum pons_poll
answer_poll(struct pons_future *f, struct pons_waker *w)
{
    (void)w;
    f->result = 42;
    return PONS_READY;
}

static const struct pons_future_ops answer_ops = {
    .size = sizeof answer_ops,
    .name = "answer",
    .poll = answer_poll,
};

int
main(void)
{
    struct pons_runtime *rt;
    struct pons_task *t;
    struct pons_future f;
    int64_t arg = 42, result;

    pons_future_init(&f, &answer_ops);
    if (pons_runtime_new(&rt, NULL) < 0)
        return 1;
    if (pons_spawn(rt, answer, &arg, &t) < 0 || pons_join(t, &result) < 0)
        return 1;
    if (pons_block_on(rt, answer, &arg, &result) < 0)
        return 1;
    return pons_await(&f) != 42;
}
