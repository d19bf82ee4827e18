/* SPDX-License-Identifier: MIT */
/*
 * kit/reactor_owner.c - R1: a reactor goes from one thread to another.
 */

#include "kit.h"

#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/atomic.h"

struct owner {
    struct pons_reactor *r;
    struct pons_op *op;
    int submitted, leave;
};

static void *
owner_submits_and_spins(void *arg)
{
    struct owner *o = arg;

    kit_check_result(o->r->ops->bind(o->r), 0, "bind");
    kit_pends(o->r, o->op);
    /* Pairs with the acquire in owner_spins(): the reactor is handed over. */
    poni_store_release(&o->submitted, 1);
    while (!poni_load_acquire(&o->leave))
        continue;
    return NULL;
}

static void
owner_spins(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    struct pons_op op;
    pthread_t thread;
    char c;
    int fds[2];

    kit_unix_pair(fds, SOCK_STREAM);
    op = kit_op(PONS_OP_RECV, fds[0], &c, 1);
    struct owner o = {.r = r, .op = &op};

    KIT_EQ(pthread_create(&thread, NULL, owner_submits_and_spins, &o), 0,
           "pthread_create");
    while (!poni_load_acquire(&o.submitted))
        continue;
    kit_check_result(r->ops->bind(r), 0, "bind by the new owner");
    kit_say(fds[1], "x");
    kit_awaits(r, &op, 1);
    kit_ends(r, kit_op(PONS_OP_SEND, fds[0], &c, 1), 1);
    /* Pairs with the acquire in owner_submits_and_spins(): carries nothing. */
    poni_store_release(&o.leave, 1);
    pthread_join(thread, NULL);
    kit_close_pair(r, fds);
    kit_close(r);
}

const struct kit_test kit_owner_tests[] = {
    {"R1", "ops end at the new owner while the old one spins",
     KIT_IO | KIT_MOVES, NULL, owner_spins},
    {0},
};
