/* SPDX-License-Identifier: MIT */
#ifndef KIT_SPY_H
#define KIT_SPY_H

/*
 * kit/spy.h - a policy around the policy under test: it hears every question
 * and every answer, and changes neither.
 */

#include "kit.h"
#include "pons/pool.h"

/* Called with the pool's lock held, after the answer. NULL: not. */
struct kit_spy {
    void (*on_submit)(const struct pons_pool_view *v,
                      struct pons_pool_admission answer);
    void (*on_tick)(const struct pons_pool_view *v,
                    struct pons_pool_target answer);
    void (*on_idle)(const struct pons_pool_view *v, uint64_t parked_ns,
                    uint64_t answer);
    void (*pick)(const struct pons_pool_view *v, uint32_t answer);

    int lends;     // view and job can be read during the call, and no longer
    int no_host;   // a call of the host's in a hook is a failure
    int no_system; // a system call in a hook is one
};

/* Policies that are opened from now on are watched by `spy`. Skips the test
 * where system calls cannot be watched. */
void kit_spy(const struct kit_spy *spy);

/* For kit/work.c: what stands in the place of `ops`, and of the host. */
const struct pons_pool_ops *kit_spy_ops(const struct pons_pool_ops *ops);
const struct pons_host *kit_spy_host(void);

#endif /* KIT_SPY_H */
