/* SPDX-License-Identifier: MIT */
/*
 * kit/spy.c - see kit/spy.h.
 *
 * System calls are watched by syscall user dispatch (Linux 5.11): while a byte
 * of the thread's says so, each one is a SIGSYS instead. Threads of a pool
 * block all signals, so that one is let through.
 *
 * What is lent is a copy in a page that cannot be read after the call; the next
 * one is in another page.
 */

#include "spy.h"

#include <errno.h>
#include <linux/prctl.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "core/fail.h"
#include "core/fiber.h"
#include "core/settings.h"

#ifdef PONI_ASAN
#include <sanitizer/lsan_interface.h>
#endif

/* Set before the pool is there. */
static const struct pons_pool_ops *spied;
static struct kit_spy spy;

/* --- what is lent --- */

enum { PAGES = 8, PAGE = 65536 }; // whatever the size of the system's pages

struct spy_loan {
    struct pons_pool_view view;
    struct pons_job job;
};

/* The pool's lock guards them. */
static char *spy_pages;
static unsigned spy_turn;

static struct spy_loan *
spy_loan(void)
{
    return (struct spy_loan *)(void *)(spy_pages + spy_turn % PAGES * PAGE);
}

static void
spy_protect(int how)
{
    if (mprotect(spy_loan(), PAGE, how) < 0)
        kit_fail("the kit's own mprotect: %s", strerror(errno));
}

static void
spy_lend(const struct pons_pool_view **v, const struct pons_job **job)
{
    struct spy_loan *loan = spy_loan();

    spy_protect(PROT_READ | PROT_WRITE);
    loan->view = **v;
    *v = &loan->view;
    if (job != NULL) {
        loan->job = **job;
        *job = &loan->job;
    }
    spy_protect(PROT_READ);
}

static void
spy_take_back(void)
{
    spy_protect(PROT_NONE);
    spy_turn++;
}

/* --- whom a hook calls --- */

static __thread const char *spy_hook; // that this thread is in, or NULL
static __thread volatile char spy_selector;
static __thread int spy_armed;

static void
spy_trap(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)context;
    spy_selector = SYSCALL_DISPATCH_FILTER_ALLOW;
    kit_fail("%s makes system call %d, with the pool's lock held",
             spy_hook != NULL ? spy_hook : "a hook", info->si_syscall);
}

/* 0, or -errno: this system has no such thing. */
static int
spy_arm(void)
{
    sigset_t trap;

    sigemptyset(&trap);
    sigaddset(&trap, SIGSYS);
    pthread_sigmask(SIG_UNBLOCK, &trap, NULL);
    if (prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, 0, 0,
              &spy_selector) < 0)
        return -errno;
    spy_armed = 1;
    return 0;
}

static void
spy_enter(const char *hook, const struct pons_pool_view **v,
          const struct pons_job **job)
{
    if (spy.lends)
        spy_lend(v, job);
    if (spy.no_system && !spy_armed && spy_arm() < 0)
        kit_fail("the kit's own prctl: %s", strerror(errno));
    spy_hook = hook;
    if (spy.no_system)
        spy_selector = SYSCALL_DISPATCH_FILTER_BLOCK;
}

static void
spy_leave(void)
{
    spy_selector = SYSCALL_DISPATCH_FILTER_ALLOW;
    spy_hook = NULL;
    if (spy.lends)
        spy_take_back();
}

/* --- the policy --- */

static struct pons_pool_admission
spy_on_submit(struct pons_pool_policy *p, const struct pons_pool_view *v,
              const struct pons_job *job)
{
    const struct pons_pool_view *lent = v;
    struct pons_pool_admission answer;

    spy_enter("on_submit", &lent, &job);
    answer = spied->on_submit(p, lent, job);
    spy_leave();
    if (spy.on_submit != NULL)
        spy.on_submit(v, answer);
    return answer;
}

static struct pons_pool_target
spy_on_tick(struct pons_pool_policy *p, const struct pons_pool_view *v)
{
    const struct pons_pool_view *lent = v;
    struct pons_pool_target answer;

    spy_enter("on_tick", &lent, NULL);
    answer = spied->on_tick(p, lent);
    spy_leave();
    if (spy.on_tick != NULL)
        spy.on_tick(v, answer);
    return answer;
}

static uint64_t
spy_on_idle(struct pons_pool_policy *p, const struct pons_pool_view *v,
            uint64_t parked_ns)
{
    const struct pons_pool_view *lent = v;
    uint64_t answer;

    spy_enter("on_idle", &lent, NULL);
    answer = spied->on_idle(p, lent, parked_ns);
    spy_leave();
    if (spy.on_idle != NULL)
        spy.on_idle(v, parked_ns, answer);
    return answer;
}

static uint32_t
spy_pick(struct pons_pool_policy *p, const struct pons_pool_view *v)
{
    const struct pons_pool_view *lent = v;
    uint32_t answer;

    spy_enter("pick", &lent, NULL);
    answer = spied->pick(p, lent);
    spy_leave();
    if (spy.pick != NULL)
        spy.pick(v, answer);
    return answer;
}

static void
spy_close(struct pons_pool_policy *p)
{
    spied->close(p);
}

static struct pons_pool_ops spy_ops = {
    .abi = PONS_ABI,
    .size = sizeof spy_ops,
    .close = spy_close,
    .on_submit = spy_on_submit,
    .on_tick = spy_on_tick,
    .on_idle = spy_on_idle,
    .pick = spy_pick,
};

const struct pons_pool_ops *
kit_spy_ops(const struct pons_pool_ops *ops)
{
    spied = ops;
    spy_ops.name = ops->name;
    spy_ops.open = ops->open;
    return &spy_ops;
}

/* --- its host --- */

static void
spy_called(const char *what)
{
    if (spy.no_host && spy_hook != NULL)
        kit_fail("%s calls the host's %s(), with the pool's lock held",
                 spy_hook, what);
}

static uint64_t
spy_now(const struct pons_host *h)
{
    spy_called("now");
    return kit_host()->now(h);
}

static void *
spy_alloc(const struct pons_host *h, size_t size)
{
    void *memory;

    spy_called("alloc");
    memory = kit_host()->alloc(h, size);
#ifdef PONI_ASAN
    /* It is counted, and B11's tests judge it, not the end of any test. */
    __lsan_ignore_object(memory);
#endif
    return memory;
}

static void
spy_free(const struct pons_host *h, void *memory, size_t size)
{
    spy_called("free");
    kit_host()->free(h, memory, size);
}

static uint64_t
spy_random(const struct pons_host *h)
{
    spy_called("random");
    return kit_host()->random(h);
}

PONS_PRINTF(4, 5)
static void
spy_log(const struct pons_host *h, enum pons_log_level level, const char *part,
        const char *format, ...)
{
    char text[256];
    va_list args;

    spy_called("log");
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    kit_host()->log(h, level, part, "%s", text);
}

static uint64_t
spy_config_uint(const struct pons_config *c, const char *name)
{
    spy_called("config_uint");
    return poni_config_uint(c, name);
}

static const char *
spy_config_text(const struct pons_config *c, const char *name)
{
    spy_called("config_text");
    return poni_config_text(c, name);
}

static const struct pons_host spy_host = {
    .abi = PONS_ABI,
    .size = sizeof spy_host,
    .now = spy_now,
    .alloc = spy_alloc,
    .free = spy_free,
    .random = spy_random,
    .log = spy_log,
    .refuse = poni_refuse,
    .config_uint = spy_config_uint,
    .config_text = spy_config_text,
};

const struct pons_host *
kit_spy_host(void)
{
    return &spy_host;
}

/* --- the test's --- */

static void
spy_watch_system(void)
{
    struct sigaction trap = {.sa_sigaction = spy_trap, .sa_flags = SA_SIGINFO};

#if defined(PONI_ASAN) || defined(PONI_TSAN)
    kit_skip("a sanitizer makes system calls of its own");
#endif
    KIT_SYS(sigaction(SIGSYS, &trap, NULL));
    if (spy_arm() < 0)
        kit_skip("this system cannot watch system calls: %s", strerror(errno));
}

void
kit_spy(const struct kit_spy *s)
{
    spy = *s;
    if (spy.no_system)
        spy_watch_system();
    if (!spy.lends)
        return;
    spy_pages =
        mmap(NULL, PAGES * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (spy_pages == MAP_FAILED)
        kit_fail("the kit's own mmap: %s", strerror(errno));
}
