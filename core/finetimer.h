/* SPDX-License-Identifier: MIT */
#ifndef PONI_FINETIMER_H
#define PONI_FINETIMER_H

/*
 * core/finetimer.h - a timerfd that ends the waits of a poller which counts in
 * milliseconds (R11). The poller waits for most of the time, the timer for the
 * rest. The owner's.
 */

#include "pons/plugin.h"

struct poni_finetimer {
    const struct pons_host *host;
    int fd;            // for the poller to watch; or -1
    uint64_t armed_ns; // when it goes off; 0: never
};

/* 0 or -errno. */
int poni_finetimer_open(struct poni_finetimer *t, const struct pons_host *h);
void poni_finetimer_close(struct poni_finetimer *t);

/* What the poller shall wait until, so that nobody is later than `deadline_ns`
 * (not 0, not PONS_NEVER). It may come back before. */
uint64_t poni_finetimer_split(struct poni_finetimer *t, uint64_t deadline_ns);

/* The poller has reported it. */
void poni_finetimer_heard(struct poni_finetimer *t);

#endif /* PONI_FINETIMER_H */
