/* SPDX-License-Identifier: MIT */
/*
 * core/finetimer.c - see core/finetimer.h.
 */

#include "finetimer.h"

#include <errno.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum {
    NEAR_NS = 2000000,  // nearer deadlines are the timer's
    LATE_NS = 1000000,  // what a wait in whole milliseconds may be late
    SECOND = 1000000000 // in ns
};

int
poni_finetimer_open(struct poni_finetimer *t, const struct pons_host *h)
{
    t->host = h;
    t->armed_ns = 0;
    t->fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    return t->fd < 0 ? -errno : 0;
}

void
poni_finetimer_close(struct poni_finetimer *t)
{
    if (t->fd >= 0)
        close(t->fd);
}

uint64_t
poni_finetimer_split(struct poni_finetimer *t, uint64_t deadline_ns)
{
    struct itimerspec at = {
        .it_value = {.tv_sec = (time_t)(deadline_ns / SECOND),
                     .tv_nsec = (long)(deadline_ns % SECOND)}};
    uint64_t now = t->host->now(t->host);

    if (deadline_ns <= now)
        return 0;
    if (deadline_ns - now >= NEAR_NS)
        return deadline_ns - LATE_NS;
    if (t->armed_ns == deadline_ns)
        return PONS_NEVER;
    if (timerfd_settime(t->fd, TFD_TIMER_ABSTIME, &at, NULL) < 0)
        return deadline_ns;
    t->armed_ns = deadline_ns;
    return PONS_NEVER;
}

/* Reading makes it quiet. If it was armed anew meanwhile there is nothing to
 * read, and the next wait arms it once more. */
void
poni_finetimer_heard(struct poni_finetimer *t)
{
    uint64_t times;

    (void)!read(t->fd, &times, sizeof times);
    t->armed_ns = 0;
}
