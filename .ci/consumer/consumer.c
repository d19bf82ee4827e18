/* SPDX-License-Identifier: MIT */
/*
 * .ci/consumer/consumer.c - a stranger's program: one task, one answer.
 */

#include <pons/pons.h>
#include <stdio.h>

static int64_t
answer(void *arg)
{
    return *(int64_t *)arg;
}

int
main(void)
{
    struct pons_runtime *rt;
    int64_t given = 42, got = 0;
    int err = pons_runtime_new(&rt, NULL);

    if (err < 0) {
        fprintf(stderr, "%s\n", pons_last_error());
        return 1;
    }
    err = pons_block_on(rt, answer, &given, &got);
    pons_runtime_unref(rt);
    return err < 0 || got != given;
}
