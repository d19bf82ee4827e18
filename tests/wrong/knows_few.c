/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/knows_few.c - breaks R8: wakes of more than a few threads are not
 * heard.
 */

#include "adapted.h"

enum { FEW = 4 };

static int32_t knows_few_threads[FEW]; // 0: nobody yet

static int
knows_few_wake(struct pons_reactor *r)
{
    for (int i = 0; i < FEW; i++) {
        int32_t nobody = 0, self = gettid();

        if (poni_load_relaxed(&knows_few_threads[i]) == self ||
            poni_cas_seq(&knows_few_threads[i], &nobody, self))
            return adapter_wake(r);
    }
    return 0;
}

REACTOR("knows_few", adapted_ops.wake = knows_few_wake)
