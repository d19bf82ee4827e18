/* SPDX-License-Identifier: MIT */
/*
 * kit/storm.c - signals that come all the time, in the middle of everything.
 */

#include "kit.h"

#include <signal.h>

void
kit_ignore(int signal)
{
    (void)signal;
}

timer_t
kit_storm(void (*handler)(int), long us)
{
    struct sigevent how = {.sigev_notify = SIGEV_SIGNAL,
                           .sigev_signo = SIGUSR1};
    struct itimerspec every = {.it_value.tv_nsec = us * 1000,
                               .it_interval.tv_nsec = us * 1000};
    struct sigaction action = {.sa_handler = handler}; // no SA_RESTART
    timer_t timer;

    KIT_SYS(sigaction(SIGUSR1, &action, NULL));
    KIT_SYS(timer_create(CLOCK_MONOTONIC, &how, &timer));
    KIT_SYS(timer_settime(timer, 0, &every, NULL));
    return timer;
}
