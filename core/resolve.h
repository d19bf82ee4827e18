/* SPDX-License-Identifier: MIT */
#ifndef PONI_RESOLVE_H
#define PONI_RESOLVE_H

/*
 * core/resolve.h - names to addresses, by getaddrinfo(3) on the blocking pool.
 *
 * A look-up owns copies of the names: when its waiter is cancelled, or its
 * deadline comes, the waiter goes and the job's end frees what is left (P3).
 * Two references: the waiter's and the job's.
 *
 *    PENDING ---> DONE        done(), on any thread
 *        \------> ABANDONED   the waiter has gone
 */

#include <netdb.h>

#include "pons/bridge.h"

enum resolve_state { RESOLVE_PENDING, RESOLVE_DONE, RESOLVE_ABANDONED };

struct poni_resolve {
    uint32_t refs;
    uint32_t lock;  // guards state and waker
    uint32_t state; // enum resolve_state
    int flags;      // of getaddrinfo
    struct pons_waker waker;
    struct pons_job job;
    struct addrinfo *found;
    int error;        // EAI_..., once DONE
    int system_error; // errno for EAI_SYSTEM
    char *host;       // NULL: none; points into `names`
    char *service;
    char names[];
};

/* NULL: no memory. `host` NULL: none. The caller gets a reference. */
struct poni_resolve *poni_resolve_new(const char *host, const char *service,
                                      int flags);
void poni_resolve_unref(struct poni_resolve *l);

/* 0: it has begun, or is done; else -errno. */
int poni_resolve_begin(struct poni_resolve *l);

/* 1: done; 0: `w` is woken when it is. */
int poni_resolve_wait(struct poni_resolve *l, struct pons_waker *w);

/* The waiter goes: nobody is woken any more. */
void poni_resolve_abandon(struct poni_resolve *l);

/* 0, or what a look-up that is done came to, with the sentence. */
int poni_resolve_failure(const struct poni_resolve *l);

#endif /* PONI_RESOLVE_H */
