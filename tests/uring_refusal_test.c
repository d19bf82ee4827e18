/* SPDX-License-Identifier: MIT */
/*
 * tests/uring_refusal_test.c - a machine without io_uring: why, in words that
 * say what to change (R15).
 *
 * /proc/sys/kernel/io_uring_disabled is a file of the test's own.
 */

#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "forbid.h"
#include "uring_rig.h"

enum { LOCKED = 64 * 1024 }; // what may be

static const char *sysctl_says; // NULL: there is no such file

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);

static int
sysctl_open(void)
{
    int fds[2];

    if (sysctl_says == NULL) {
        errno = ENOENT;
        return -1;
    }
    CHECK_EQ(pipe(fds), 0);
    CHECK_EQ(write(fds[1], sysctl_says, strlen(sysctl_says)),
             strlen(sysctl_says));
    close(fds[1]);
    return fds[0];
}

int
__wrap_open(const char *path, int flags, ...)
{
    unsigned mode = 0;
    va_list args;

    if (strcmp(path, "/proc/sys/kernel/io_uring_disabled") == 0)
        return sysctl_open();
    va_start(args, flags);
    if (flags & O_CREAT)
        mode = va_arg(args, unsigned);
    va_end(args);
    return __real_open(path, flags, mode);
}

static void
says(int err, const char *part, const char *more)
{
    struct pons_reason reason;

    CHECK_EQ(poni_uring_refuse(test_host(), &reason, err), err);
    CHECK_HAS(reason.text, part);
    CHECK_HAS(reason.text, more);
}

static void
the_sysctl_is_named_with_what_it_says(void)
{
    sysctl_says = "1\n";
    says(-EPERM, "kernel.io_uring_disabled is 1", "kernel.io_uring_group");
    sysctl_says = "2\n";
    says(-EPERM, "kernel.io_uring_disabled is 2", "switched off");
}

static void
else_it_is_a_filter_or_a_security_module(void)
{
    static const char *const allow[] = {"0\n", "", NULL};

    for (int i = 0; i < 3; i++) {
        sysctl_says = allow[i];
        says(-EPERM, "Operation not permitted", "seccomp filter");
        says(-EACCES, "Permission denied", "security module");
    }
}

static void
memory_is_named_with_its_limit(void)
{
    struct rlimit few = {LOCKED, LOCKED}, most;

    CHECK_EQ(getrlimit(RLIMIT_MEMLOCK, &most), 0);
    if (most.rlim_cur == RLIM_INFINITY)
        says(-ENOMEM, "no memory for a ring", "fewer entries");
    if (most.rlim_max < LOCKED)
        SKIP("less than %d bytes may be locked here", LOCKED);
    CHECK_EQ(setrlimit(RLIMIT_MEMLOCK, &few), 0);
    says(-ENOMEM, "64 KiB", "ulimit -l");
}

static void
the_kernel_is_too_old_or_has_none(void)
{
    says(-ENOSYS, "older than Linux 5.1 or built without it", "seccomp");
    says(-EINVAL, "too old", "Linux 5.19");
}

static void
all_else_is_the_system_calls_word(void)
{
    says(-EMFILE, "io_uring_setup", "Too many open files");
}

/* Not asked for its reasons, but opened. */
static void
open_says_so_and_keeps_nothing(void)
{
    struct pons_reason reason;
    struct pons_reactor *r;

    sysctl_says = "0\n";
    forbid(SYS_io_uring_setup, EPERM);
    CHECK_EQ(test_open(&r, poni_builtin_uring->engines, &reason), -EPERM);
    CHECK_HAS(reason.text, "seccomp filter");
    CHECK_EQ(test_pieces, 0);
}

static const struct unit_test tests[] = {
    {"the_sysctl_is_named_with_what_it_says",
     the_sysctl_is_named_with_what_it_says},
    {"else_it_is_a_filter_or_a_security_module",
     else_it_is_a_filter_or_a_security_module},
    {"memory_is_named_with_its_limit", memory_is_named_with_its_limit},
    {"the_kernel_is_too_old_or_has_none", the_kernel_is_too_old_or_has_none},
    {"all_else_is_the_system_calls_word", all_else_is_the_system_calls_word},
    {"open_says_so_and_keeps_nothing", open_says_so_and_keeps_nothing},
    {0},
};

int
main(int argc, char **argv)
{
    return unit_main("uring_refusal", tests, argc, argv);
}
