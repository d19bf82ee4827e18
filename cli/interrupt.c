/* SPDX-License-Identifier: MIT */
/*
 * cli/interrupt.c - SIGINT, SIGTERM and SIGHUP as a descriptor to wait for.
 */

#include "interrupt.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

static int
is_ignored(int signal)
{
    struct sigaction action;

    return sigaction(signal, NULL, &action) == 0 &&
           action.sa_handler == SIG_IGN;
}

int
interrupt_open(void)
{
    sigset_t signals;
    int fd, err;

    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    if (!is_ignored(SIGHUP)) // a signal that is blocked comes all the same
        sigaddset(&signals, SIGHUP);
    err = pthread_sigmask(SIG_BLOCK, &signals, NULL);
    if (err)
        return -err;
    fd = signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

void
interrupt_close(int fd)
{
    struct signalfd_siginfo came;
    sigset_t signals;

    while (read(fd, &came, sizeof came) > 0)
        ;
    close(fd);
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_UNBLOCK, &signals, NULL);
}

int
interrupt_came(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};

    return poll(&p, 1, 0) > 0;
}
