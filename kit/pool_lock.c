/* SPDX-License-Identifier: MIT */
/*
 * kit/pool_lock.c - B8 and B9: what a policy may do while the pool's lock is
 * held: look at what it is lent, and answer.
 */

#include "kit.h"

#include "spy.h"
#include "work.h"

static void
lock_exercise(struct kit *k, const struct kit_spy *spy)
{
    struct poni_pool *p;

    kit_spy(spy);
    p = kit_pool_open(k);
    kit_pool_exercise(p);
    kit_pool_close(p);
}

static void
lock_calls_nobody(struct kit *k)
{
    lock_exercise(k, &(struct kit_spy){.no_host = 1});
}

static void
lock_makes_no_system_call(struct kit *k)
{
    lock_exercise(k, &(struct kit_spy){.no_system = 1});
}

static void
lock_borrows(struct kit *k)
{
    lock_exercise(k, &(struct kit_spy){.lends = 1});
}

const struct kit_test kit_pool_lock_tests[] = {
    {"B8", "a hook asks the host for nothing", KIT_ALL, NULL,
     lock_calls_nobody},
    {"B8", "a hook makes no system call", KIT_ALL, NULL,
     lock_makes_no_system_call},
    {"B9", "view and job are not touched after the call", KIT_ALL, NULL,
     lock_borrows},
    {0},
};
