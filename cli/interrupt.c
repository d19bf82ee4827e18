/* SPDX-License-Identifier: MIT */
/*
 * cli/interrupt.c - SIGINT and SIGTERM as a descriptor to wait for.
 */

#include "interrupt.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/signalfd.h>

int
interrupt_open(void)
{
    sigset_t signals;
    int fd, err;

    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    err = pthread_sigmask(SIG_BLOCK, &signals, NULL);
    if (err)
        return -err;
    fd = signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

int
interrupt_came(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};

    return poll(&p, 1, 0) > 0;
}
