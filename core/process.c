/* SPDX-License-Identifier: MIT */
/*
 * core/process.c - waiting for child processes: waitid(2), and a descriptor
 * that tells when it is worth a look.
 *
 * The trap is what a pidfd does not tell: it becomes readable when the process
 * ends, not when it stops or continues, and there is none for a group.
 */

#include "pons/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "call.h"

/* si_pid is 0 where waitid(2) has found nothing, which is no failure; then the
 * kernel has written it. */
int
poni_waitid_look(struct pons_op *op)
{
    int saved = errno, options = (int)op->op_flags, n;
    siginfo_t own, *info = op->addr2 != NULL ? op->addr2 : &own;

    do
        n = waitid((idtype_t)op->len, (id_t)op->fd, info, options | WNOHANG);
    while (n < 0 && errno == EINTR);
    op->res = n < 0 ? -errno : 0;
    errno = saved;
    return n < 0 || (options & WNOHANG) || info->si_pid != 0;
}

int
poni_waitid_open(const struct pons_op *op)
{
    int saved = errno, fd = -1;

    if ((op->op_flags & (WEXITED | WSTOPPED | WCONTINUED)) != WEXITED)
        return -1;
    if (op->len == P_PID)
        fd = (int)syscall(SYS_pidfd_open, op->fd, 0);
    else if (op->len == P_PIDFD)
        fd = fcntl(op->fd, F_DUPFD_CLOEXEC, 0);
    errno = saved;
    return fd;
}

void
pons_waitid_init(struct pons_waitid *w, int which, unsigned id, void *info,
                 int options)
{
    struct pons_op *op =
        poni_call_init(&w->base, PONS_OP_WAITID, (int)id, CALL_CANCELS);

    op->len = (uint32_t)which;
    op->addr2 = info;
    op->op_flags = (uint32_t)options;
}

int
pons_waitid(int which, unsigned id, void *info, int options)
{
    struct pons_waitid w;

    pons_waitid_init(&w, which, id, info, options);
    return (int)poni_call_await(&w.base, "waitid");
}
