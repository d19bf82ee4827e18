/* SPDX-License-Identifier: MIT */
/*
 * core/stack_report.c - names the fiber that ran over its stack.
 *
 * The handler runs on a stack of its own, since the fiber's is used up: each
 * worker has one (sigaltstack), and leaves SIGSEGV and SIGBUS open, which our
 * threads otherwise block. It only reads: the task is in thread-local storage.
 */

#include "stack_report.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "atomic.h"
#include "fail.h"
#include "fiber.h"
#include "pons/fiber.h"
#include "self.h"
#include "task.h"

enum { HANDLER_STACK = 32 << 10 }; // bytes; the handler calls write() only

static const int signals[] = {SIGSEGV, SIGBUS};
static struct sigaction before[2];
static uint32_t reporting; // 1: installed
static __thread void *handler_stack;

static void
say(const char *text)
{
    (void)!write(STDERR_FILENO, text, strlen(text));
}

static void
say_overflow(void)
{
    const struct pons_task *t = poni_self.task;

    say("pons: error: fiber: stack overflow in \"");
    say(t != NULL ? poni_task_name(t) : "?");
    say("\" born at ");
    say(t != NULL && t->where != NULL ? t->where : "?");
    say("; give it more with pons_spawn_options.stack_bytes\n");
}

static void
on_fault(int number, siginfo_t *info, void *context)
{
    const struct sigaction *old = &before[number == SIGBUS];

    if (poni_fiber_guard_hit(info->si_addr))
        say_overflow();
    if (old->sa_flags & SA_SIGINFO) {
        old->sa_sigaction(number, info, context);
    } else if (old->sa_handler != SIG_DFL && old->sa_handler != SIG_IGN) {
        old->sa_handler(number);
    } else if (info->si_code > 0) {
        (void)signal(number,
                     SIG_DFL); // the instruction faults again, and ends us
    } else if (old->sa_handler == SIG_DFL) {
        (void)signal(number, SIG_DFL);
        (void)raise(number); // it was sent, and comes only as often
    }
}

void
poni_stack_report_enter(void)
{
    stack_t own = {.ss_size = HANDLER_STACK};
    sigset_t faults;

    if (!poni_load_acquire(&reporting))
        return;
    handler_stack = own.ss_sp = malloc(HANDLER_STACK);
    if (own.ss_sp == NULL || sigaltstack(&own, NULL) < 0)
        return; // without one the overflow ends the program unnamed
    sigemptyset(&faults);
    sigaddset(&faults, SIGSEGV);
    sigaddset(&faults, SIGBUS);
    pthread_sigmask(SIG_UNBLOCK, &faults, NULL);
}

void
poni_stack_report_leave(void)
{
    stack_t none = {.ss_flags = SS_DISABLE};

    if (handler_stack == NULL)
        return;
    (void)sigaltstack(&none, NULL);
    free(handler_stack);
    handler_stack = NULL;
}

int
pons_stack_report(void)
{
    struct sigaction sa = {.sa_flags = SA_SIGINFO | SA_ONSTACK};
    uint32_t none = 0;

    if (!poni_cas_seq(&reporting, &none, 1))
        return 0;
    sa.sa_sigaction = on_fault;
    sigemptyset(&sa.sa_mask);
    for (int i = 0; i < 2; i++)
        if (sigaction(signals[i], &sa, &before[i]) < 0)
            return poni_fail(-errno, "no handler for signal %d: %s", signals[i],
                             strerror(errno));
    poni_stack_report_enter(); // this thread may drive a runtime, too
    return 0;
}
