/* SPDX-License-Identifier: MIT */
/*
 * kit/reactor_refusal.c - R15: what an engine does where it cannot work.
 *
 * The first test is the first of all: where open says in words why not, there
 * is nothing else to test here.
 */

#include "kit.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MS = 1000000, TRIES = 1000 }; // an engine needs less than so much

static void
refusal_opens(struct kit *k)
{
    struct pons_reason reason;
    struct pons_reactor *r;
    int err = kit_try_open(k, &r, &reason);

    KIT_WANT(err <= 0, "open: wanted 0 or -errno, found %d", err);
    if (err == 0) {
        kit_close(r);
        return;
    }
    KIT_WANT(reason.text[0] != '\0',
             "open refused with %s: wanted a reason in words, found none",
             strerror(-err));
    kit_unusable(reason.text);
}

/* What open says with so many more descriptors and pieces of memory than there
 * are (-1: any number): either way nothing is kept. */
static int
refusal_open(struct kit *k, int descriptors, long pieces)
{
    struct rlimit all, few;
    struct pons_reason reason;
    struct pons_reactor *r;
    long before = kit_host_pieces();
    int err;

    KIT_SYS(getrlimit(RLIMIT_NOFILE, &all));
    few = all;
    if (descriptors >= 0) {
        int next = KIT_SYS(dup(STDIN_FILENO));

        close(next);
        few.rlim_cur = (rlim_t)(next + descriptors);
    }
    KIT_SYS(setrlimit(RLIMIT_NOFILE, &few));
    kit_host_limit(pieces);
    err = kit_try_open(k, &r, &reason);
    kit_host_limit(-1);
    KIT_SYS(setrlimit(RLIMIT_NOFILE, &all));
    if (err == 0)
        kit_close(r);
    else
        KIT_WANT(reason.text[0] != '\0',
                 "open refused with %s: wanted a reason in words, found none",
                 strerror(-err));
    KIT_EQ(kit_host_pieces(), before,
           "pieces of the host's memory that are kept after %s",
           err == 0 ? "close" : "a refusal");
    return err;
}

static void
refusal_descriptors(struct kit *k)
{
    for (int n = 0; n < TRIES; n++) {
        int next = KIT_SYS(dup(STDIN_FILENO)), err;

        close(next);
        err = refusal_open(k, n, -1);
        KIT_EQ(KIT_SYS(dup(STDIN_FILENO)), next,
               "the lowest free descriptor after open with %d left", n);
        close(next);
        if (err == 0)
            return;
        kit_check_result(err, -EMFILE, "open with %d descriptors left", n);
    }
    kit_fail("open with %d descriptors left: wanted 0", TRIES);
}

static void
refusal_memory(struct kit *k)
{
    for (int n = 0; n < TRIES; n++) {
        int err = refusal_open(k, -1, n);

        if (err == 0)
            return;
        kit_check_result(err, -ENOMEM, "open with memory for %d pieces", n);
    }
    kit_fail("open with memory for %d pieces: wanted 0", TRIES);
}

/* As before Linux 5.11, or in a container: it is refused in words, or works. */
static void
refusal_old_kernel(struct kit *k)
{
    struct pons_reason reason;
    struct pons_reactor *r;
    struct pons_event ev;
    int err;

    kit_forbid(SYS_epoll_pwait2, ENOSYS);
    err = kit_try_open(k, &r, &reason);
    if (err < 0) {
        KIT_WANT(reason.text[0] != '\0', "open refused without a reason");
        return;
    }
    kit_check_result(r->ops->bind(r), 0, "bind");
    for (unsigned i = 1; i < 30; i++) {
        uint64_t deadline = kit_now() + i * MS / 10;

        kit_check_result(r->ops->poll(r, &ev, 1, deadline), 0,
                         "poll until %u00 us from now", i);
        KIT_WANT(kit_now() >= deadline,
                 "poll came back %llu ns before its deadline",
                 (unsigned long long)(deadline - kit_now()));
    }
    kit_close(r);
}

const struct kit_test kit_refusal_tests[] = {
    {"R15", "open succeeds, or says in words why not", KIT_ALL, NULL,
     refusal_opens},
    {"R15", "without descriptors open is refused and keeps nothing", KIT_ALL,
     NULL, refusal_descriptors},
    {"R15", "without memory open is refused and keeps nothing", KIT_ALL, NULL,
     refusal_memory},
    {"R15", "epoll_pwait2 may be missing", KIT_ALL, "R11", refusal_old_kernel},
    {0},
};
