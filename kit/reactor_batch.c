/* SPDX-License-Identifier: MIT */
/*
 * kit/reactor_batch.c - R6: an engine that completes operations makes no system
 * call for each.
 *
 * A child uses the engine and is traced; it brackets what is counted with two
 * calls of getppid(2), whose arguments nobody reads but the tracer.
 */

#include "kit.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "verdict.h"

#define FAR_NS UINT64_C(3600000000000) // a deadline that is not used

enum {
    OPS = 4, // any queue has room for so few
    ROUNDS = 12,
    BEGIN = 0x6b69, // the first argument of the brackets
    END = 0x6b6a,
    TRACED = SIGTRAP | 0x80, // with PTRACE_O_TRACESYSGOOD
};

/* --- the child --- */

static void
batch_begin(int allowed)
{
    syscall(SYS_getppid, BEGIN, allowed);
}

static void
batch_end(void)
{
    syscall(SYS_getppid, END, 0);
}

/* Deadlines are of three kinds, one for each round. */
static uint64_t
batch_deadline(int round)
{
    if (round % 3 == 0)
        return PONS_NEVER;
    return round % 3 == 1 ? kit_now() + FAR_NS : 0;
}

/* OPS of a kind: how many of them pend. */
static int
batch_submit(struct pons_reactor *r, struct pons_op *ops)
{
    int how[OPS], pending = 0;

    batch_begin(0);
    for (int i = 0; i < OPS; i++)
        how[i] = kit_submit(r, &ops[i]);
    batch_end();
    for (int i = 0; i < OPS; i++)
        pending += how[i] == PONS_SUBMIT_PENDING;
    return pending;
}

static void
batch_take(struct pons_reactor *r, int pending, int round)
{
    struct pons_event ev[OPS];
    int n;

    for (int taken = 0; taken < pending; taken += n) {
        uint64_t deadline = batch_deadline(round);

        batch_begin(1);
        n = r->ops->poll(r, ev, OPS, deadline);
        batch_end();
        KIT_WANT(n >= 0 && n <= OPS, "poll with room for %d: found %d", OPS, n);
    }
}

static void
batch_round(struct pons_reactor *r, int fds[2], int round)
{
    struct pons_op ops[OPS];
    char bytes[OPS] = "abc";
    int pending;

    for (int i = 0; i < OPS; i++)
        ops[i] = kit_op(PONS_OP_RECV, fds[0], &bytes[i], 1);
    pending = batch_submit(r, ops);
    kit_say(fds[1], "abcd");
    batch_take(r, pending, round);
    for (int i = 0; i < OPS; i++)
        ops[i] = kit_op(PONS_OP_SEND, fds[0], &bytes[i], 1);
    batch_take(r, batch_submit(r, ops), round);
    for (int i = 0; i < OPS; i++)
        ops[i] = kit_op(PONS_OP_POLL, fds[0], NULL, POLLOUT);
    batch_take(r, batch_submit(r, ops), round);
    kit_drain(fds[1]);
}

static _Noreturn void
batch_child(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    int fds[2];

    kit_unix_pair(fds, SOCK_STREAM);
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
        kit_skip("this system allows no ptrace here: %s", strerror(errno));
    raise(SIGSTOP);
    for (int i = 0; i < ROUNDS; i++)
        batch_round(r, fds, i);
    kit_child_ends();
}

/* --- the tracer --- */

struct batch_count {
    int counting;
    long made, allowed;
};

static void
batch_entered(struct batch_count *c, const struct __ptrace_syscall_info *info)
{
    uint64_t bracket = info->entry.args[0];

    if (info->entry.nr == SYS_getppid && bracket == BEGIN) {
        *c = (struct batch_count){1, 0, (long)info->entry.args[1]};
    } else if (info->entry.nr == SYS_getppid && bracket == END) {
        KIT_WANT(c->made <= c->allowed,
                 "%s: wanted at most %ld system calls, found %ld",
                 c->allowed == 0 ? "submit" : "poll", c->allowed, c->made);
        c->counting = 0;
    } else if (c->counting && info->entry.nr != SYS_clock_gettime) {
        /* The host's clock, where the kernel has no page for it. */
        c->made++;
    }
}

/* Until the child has ended: its status. */
static int
batch_trace(pid_t pid)
{
    struct batch_count count = {0};
    int status, signal = 0;

    KIT_SYS(waitpid(pid, &status, 0));
    if (!WIFSTOPPED(status))
        return status; // it is not traced
    KIT_SYS(ptrace(PTRACE_SETOPTIONS, pid, NULL,
                   PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL));
    for (;;) {
        struct __ptrace_syscall_info info;

        KIT_SYS(ptrace(PTRACE_SYSCALL, pid, NULL, signal));
        KIT_SYS(waitpid(pid, &status, 0));
        if (!WIFSTOPPED(status))
            return status;
        signal = WSTOPSIG(status) == TRACED ? 0 : WSTOPSIG(status);
        if (signal != 0)
            continue;
        KIT_SYS(ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info));
        if (info.op == PTRACE_SYSCALL_INFO_ENTRY)
            batch_entered(&count, &info);
    }
}

static void
batch_system_calls(struct kit *k)
{
    pid_t pid = kit_fork();
    int status;

    if (pid == 0)
        batch_child(k);
    kit_verdict_child(pid);
    status = batch_trace(pid);
    if (WIFEXITED(status) && WEXITSTATUS(status) == KIT_STATUS_TOLD)
        _exit(KIT_STATUS_TOLD); // the verdict is there
    KIT_EQ(status, 0, "the status of a child of the test");
}

const struct kit_test kit_batch_tests[] = {
    {"R6", "submit makes no system call, and poll one", KIT_COMPLETION, NULL,
     batch_system_calls},
    {0},
};
