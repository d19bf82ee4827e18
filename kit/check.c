/* SPDX-License-Identifier: MIT */
/*
 * kit/check.c - how a test ends: the checks of kit/kit.h, and the page that
 * tells the kit.
 *
 * Whatever becomes of the test's process, its verdict stands in a page that it
 * shares with the kit. The first one counts: threads and forked children of the
 * test may fail, too, and what fails after that is a consequence.
 */

#include "verdict.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/atomic.h"
#include "kit.h"
#include "queued.h"

static struct kit_verdict *verdict; // of the test that runs in this process

void
kit_verdict_use(struct kit_verdict *v)
{
    verdict = v;
}

/* Takes the right to end the test. */
static int
check_takes(enum kit_outcome outcome)
{
    uint32_t running = KIT_RUNNING;

    /* The kit reads when the process is gone: there is no partner. */
    return poni_cas_seq(&verdict->outcome, &running, (uint32_t)outcome);
}

PONS_PRINTF(2, 0)
static _Noreturn void
check_ends(enum kit_outcome outcome, const char *format, va_list args)
{
    if (check_takes(outcome))
        vsnprintf(verdict->sentence, sizeof verdict->sentence, format, args);
    _exit(KIT_STATUS_TOLD);
}

void
kit_verdict_pass(void)
{
    (void)check_takes(KIT_PASSED);
}

/* Relaxed: numbers, and nothing that goes with them. */
void
kit_verdict_child(pid_t child)
{
    poni_store_relaxed(&verdict->child, (int32_t)child);
}

void
kit_verdict_queued(uint64_t ns)
{
    poni_add_relaxed(&verdict->queued_ns, ns);
}

void
kit_verdict_child_ended(pid_t child)
{
    kit_verdict_queued(kit_queued_ns(child));
    poni_store_relaxed(&verdict->child, 0);
}

void
kit_fail(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    check_ends(KIT_FAILED, format, args);
}

void
kit_skip(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    check_ends(KIT_SKIPPED, format, args);
}

PONS_PRINTF(2, 3)
static _Noreturn void
check_says(enum kit_outcome outcome, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    check_ends(outcome, format, args);
}

void
kit_unusable(const char *why)
{
    check_says(KIT_UNUSABLE, "%s", why);
}

void
kit_check_equal(int64_t found, int64_t wanted, const char *format, ...)
{
    char what[KIT_SENTENCE / 2];
    va_list args;

    if (found == wanted)
        return;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    kit_fail("%s: wanted %lld, found %lld", what, (long long)wanted,
             (long long)found);
}

/* "3", "-EPIPE". */
static void
result_text(int64_t result, char *text, size_t size)
{
    const char *name =
        result < 0 && result > -4096 ? strerrorname_np((int)-result) : NULL;

    if (name != NULL)
        snprintf(text, size, "-%s", name);
    else
        snprintf(text, size, "%lld", (long long)result);
}

void
kit_check_result(int64_t found, int64_t wanted, const char *format, ...)
{
    char what[KIT_SENTENCE / 2], is[32], was[32];
    va_list args;

    if (found == wanted)
        return;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    result_text(found, is, sizeof is);
    result_text(wanted, was, sizeof was);
    kit_fail("%s: wanted %s, found %s", what, was, is);
}

/* Whether this system lacks what a test needs. Of descriptors an engine may
 * have taken too many; but if there are few, they are too few for a test. */
static int
system_is_short(int err)
{
    struct rlimit most;

    if (err == EMFILE)
        return getrlimit(RLIMIT_NOFILE, &most) == 0 &&
               most.rlim_cur < KIT_DESCRIPTORS;
    return err == ENFILE || err == ENOMEM;
}

int
kit_check_system(int64_t value, const char *call)
{
    if (value >= 0)
        return (int)value;
    if (system_is_short(errno))
        kit_skip("the kit's own %s: %s", call, strerror(errno));
    kit_fail("the kit's own %s: %s", call, strerror(errno));
}

void
kit_check_thread(int err, const char *call)
{
    if (err == EAGAIN || err == ENOMEM)
        kit_skip("the kit's own %s: %s", call, strerror(err));
    KIT_EQ(err, 0, "the kit's own %s", call);
}
