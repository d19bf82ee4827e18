/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/prods.c - breaks R1: for each event it wakes the thread that had
 * it before.
 */

#include "adapted.h"

#include <signal.h>

enum { NOW, BEFORE }; // owners, in the reactor's state
enum { PATIENCE_MS = 100 };

static int prods_hearings; // by all threads

static void
prods_heard(int signal)
{
    (void)signal;
    poni_add(&prods_hearings, 1);
}

static void
prods_wake(pid_t thread)
{
    int before = poni_load_seq(&prods_hearings);

    if (tgkill(getpid(), thread, SIGUSR2) < 0)
        return; // it is gone
    for (int i = 0; i < PATIENCE_MS; i++)
        if (poni_load_seq(&prods_hearings) == before)
            poll(NULL, 0, 1); // then it sleeps again
}

static int
prods_bind(struct pons_reactor *r)
{
    const struct sigaction restarts = {.sa_handler = prods_heard,
                                       .sa_flags = SA_RESTART};
    uintptr_t *owner = adapted_state(r), self = (uintptr_t)gettid();

    (void)sigaction(SIGUSR2, &restarts, NULL);
    if (owner[NOW] != self)
        owner[BEFORE] = owner[NOW];
    owner[NOW] = self;
    return adapter_bind(r);
}

static int
prods_poll(struct pons_reactor *r, struct pons_event *events, unsigned cap,
           uint64_t deadline_ns)
{
    pid_t before = (pid_t)adapted_state(r)[BEFORE];
    int n = adapter_poll(r, events, cap, deadline_ns);

    if (n > 0 && before != 0)
        prods_wake(before);
    return n;
}

REACTOR("prods", adapted_ops.bind = prods_bind, adapted_ops.poll = prods_poll)
