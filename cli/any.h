/* SPDX-License-Identifier: MIT */
#ifndef CLI_ANY_H
#define CLI_ANY_H

/*
 * cli/any.h - waits for whichever of many futures ends first.
 *
 *     any_new(&any);
 *     any_member_new(&m, any, socket_ready, watch);
 *     pons_ready_wait_init(&watch->wait, watch->stream, POLLIN);
 *     any_arm(m, &watch->wait.base);
 *     while (!finished)
 *         err = any_turn(any);     // calls socket_ready(watch) and its kin
 *
 * A turn costs per future that was woken, not per future that is waited for:
 * each member has a waker of its own.
 *
 * Ownership   A member borrows its future from any_arm() until its callback or
 *             any_disarm(). Members are freed before their any.
 * Threads     One task or thread (the owner) calls all of this. Wakers work
 * from any thread, also after their member is gone.
 */

#include "pons/future.h"

struct any;
struct any_member;

typedef void any_ended_f(void *arg);

/* 0 or -ENOMEM. */
int any_new(struct any **out);
void any_free(struct any *a);

/* When the member's future has ended, a turn calls ended(arg). */
int any_member_new(struct any_member **out, struct any *a, any_ended_f *ended,
                   void *arg);

/* Not armed. NULL is allowed and does nothing. */
void any_member_free(struct any_member *m);

/* Waits for `f`, which has not been polled, from the next turn on. */
void any_arm(struct any_member *m, struct pons_future *f);

/* Whether it has a future: from arm until its callback begins, or disarm. */
int any_armed(const struct any_member *m);

/* Cancels the future and waits until it has ended; no callback. Not armed is
 * allowed and does nothing. */
void any_disarm(struct any_member *m);

/* Waits until at least one future has ended, and calls back for each that has.
 * 0, or -ECANCELED when the owner was asked to end. */
PONS_MUST_USE int any_turn(struct any *a);

#endif /* CLI_ANY_H */
