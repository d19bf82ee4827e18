/* SPDX-License-Identifier: MIT */
/*
 * backends/uring_probe.c - what this kernel can do, found by trying; and why it
 * cannot, in words.
 *
 * A small ring is made for it and goes again. No version is looked at, but two
 * operations that came with 6.7 and 6.8 tell that what was broken before them
 * works: CLOSE (a file just closed was busy for a while) and multishot accept
 * (descriptors got lost when completions overflowed).
 */

#include "uring.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { ENTRIES = 8, TRIED_MAX = 32 };

/* --- why not --- */

/* The number in /proc/sys/kernel/io_uring_disabled; 0 if it says nothing. */
static int
probe_sysctl(void)
{
    int fd = open("/proc/sys/kernel/io_uring_disabled", O_RDONLY | O_CLOEXEC);
    char digit = '0';

    if (fd >= 0) {
        if (read(fd, &digit, 1) != 1)
            digit = '0';
        close(fd);
    }
    return digit - '0';
}

static int
probe_refuse_forbidden(const struct pons_host *host, struct pons_reason *reason,
                       int err)
{
    switch (probe_sysctl()) {
    case 1:
        return host->refuse(reason, err,
                            "io_uring is for privileged processes only here: "
                            "sysctl kernel.io_uring_disabled is 1 (0 allows "
                            "it; so does kernel.io_uring_group)");
    case 2:
        return host->refuse(reason, err,
                            "io_uring is switched off: sysctl "
                            "kernel.io_uring_disabled is 2 (0 allows it)");
    default:
        return host->refuse(reason, err,
                            "io_uring is forbidden (%s), by a seccomp filter "
                            "such as a container's, or a security module",
                            strerror(-err));
    }
}

static int
probe_refuse_memory(const struct pons_host *host, struct pons_reason *reason)
{
    struct rlimit most;

    if (getrlimit(RLIMIT_MEMLOCK, &most) < 0 || most.rlim_cur == RLIM_INFINITY)
        return host->refuse(reason, -ENOMEM,
                            "no memory for a ring; fewer entries need less");
    return host->refuse(reason, -ENOMEM,
                        "no memory for a ring; what may be locked (ulimit -l, "
                        "LimitMEMLOCK=) is %llu KiB; fewer entries need less",
                        (unsigned long long)most.rlim_cur / 1024);
}

int
poni_uring_refuse(const struct pons_host *host, struct pons_reason *reason,
                  int err)
{
    switch (err) {
    case -ENOSYS:
        return host->refuse(reason, err,
                            "there is no io_uring: the kernel is older than "
                            "Linux 5.1 or built without it, or a sandbox or "
                            "seccomp filter hides it");
    case -EPERM:
    case -EACCES:
        return probe_refuse_forbidden(host, reason, err);
    case -ENOMEM:
        return probe_refuse_memory(host, reason);
    case -EINVAL:
        return host->refuse(reason, err,
                            "the kernel's io_uring is too old: this needs "
                            "Linux 5.19");
    default:
        return host->refuse(reason, err, "io_uring_setup: %s", strerror(-err));
    }
}

/* --- what it can do --- */

/* A bit for each opcode that the kernel knows; none if it may not be asked. */
static uint64_t
probe_opcodes(const struct uring_ring *r)
{
    union {
        struct io_uring_probe head;
        char room[sizeof(struct io_uring_probe) +
                  URING_OPS * sizeof(struct io_uring_probe_op)];
    } probe;
    uint64_t bits = 0;

    memset(&probe, 0, sizeof probe);
    if (poni_uring_register(r, IORING_REGISTER_PROBE, &probe, URING_OPS) < 0)
        return 0;
    for (unsigned i = 0; i < probe.head.ops_len && i < URING_OPS; i++)
        if (probe.head.ops[i].flags & IO_URING_OP_SUPPORTED)
            bits |= UINT64_C(1) << probe.head.ops[i].op;
    return bits;
}

enum tried {
    TRY_NOTHING,
    TRY_CANCEL, // of everything
    TRY_POLL,   // multishot, as are the next two
    TRY_ACCEPT,
    TRY_RECV,
    TRY_WRITE, // with RWF_NOSIGNAL
    TRY_SEND_ZC,
    TRY_REPORT, // the same, which says whether it was copied
    TRIED
};

/* On no descriptor: what is not known is EINVAL, and all else is not. */
static void
probe_fill(struct uring_ring *r, int bell, const uint64_t *zero)
{
    struct io_uring_sqe *sqe;

    sqe = uring_next_entry(r);
    io_uring_prep_nop(sqe);
    sqe->user_data = TRY_NOTHING;
    sqe = uring_next_entry(r);
    io_uring_prep_cancel64(sqe, 0,
                           IORING_ASYNC_CANCEL_ANY | IORING_ASYNC_CANCEL_ALL);
    sqe->user_data = TRY_CANCEL;
    sqe = uring_next_entry(r);
    io_uring_prep_poll_multishot(sqe, -1, 0);
    sqe->user_data = TRY_POLL;
    sqe = uring_next_entry(r);
    io_uring_prep_multishot_accept(sqe, -1, NULL, NULL, 0);
    sqe->user_data = TRY_ACCEPT;
    sqe = uring_next_entry(r);
    io_uring_prep_recv_multishot(sqe, -1, NULL, 0, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->user_data = TRY_RECV;
    sqe = uring_next_entry(r);
    io_uring_prep_write(sqe, bell, zero, sizeof *zero, 0);
    sqe->rw_flags = URING_RWF_NOSIGNAL;
    sqe->user_data = TRY_WRITE;
    sqe = uring_next_entry(r);
    io_uring_prep_send_zc(sqe, -1, NULL, 0, 0, 0);
    sqe->user_data = TRY_SEND_ZC;
    sqe = uring_next_entry(r);
    io_uring_prep_send_zc(sqe, -1, NULL, 0, 0, URING_ZC_REPORT_USAGE);
    sqe->user_data = TRY_REPORT;
}

/* How one ended; or that it has let go of its buffer, which is the last of it.
 * How many have ended. */
static unsigned
probe_take(const struct io_uring_cqe *cqe, int32_t ended[TRIED])
{
    if (!(cqe->flags & IORING_CQE_F_NOTIF))
        ended[cqe->user_data] = cqe->res;
    return !(cqe->flags & IORING_CQE_F_MORE);
}

/* 0 or -errno, and how each ended. */
static int
probe_try(struct uring_ring *r, int bell, int32_t ended[TRIED])
{
    const uint64_t zero = 0;
    unsigned left = TRIED;

    probe_fill(r, bell, &zero);
    for (int i = 0; i < TRIED_MAX && left > 0; i++) {
        int n =
            poni_uring_ring_enter(r, uring_unsubmitted(r), left, PONS_NEVER);

        if (n < 0 && n != -EINTR)
            return n;
        while (uring_has_completions(r)) {
            const struct io_uring_cq *cq = &r->io.cq;
            const struct io_uring_cqe *cqe =
                &cq->cqes[*cq->khead & cq->ring_mask];

            left -= probe_take(cqe, ended);
            io_uring_cq_advance(&r->io, 1);
        }
    }
    return left == 0 ? 0 : -EINVAL;
}

static uint64_t
probe_multishot(uint64_t ops, const int32_t ended[TRIED])
{
    uint64_t bits = 0;

    if (ended[TRY_POLL] != -EINVAL)
        bits |= UINT64_C(1) << PONS_OP_POLL_MULTI;
    if (ended[TRY_ACCEPT] != -EINVAL && ops >> URING_OP_FIXED_FD_INSTALL & 1)
        bits |= UINT64_C(1) << PONS_OP_ACCEPT_MULTI;
    if (ended[TRY_RECV] != -EINVAL && ops != 0) // it can be registered with
        bits |= UINT64_C(1) << PONS_OP_RECV_MULTI;
    return bits;
}

static void
probe_tell(struct uring_can *can, uint64_t ops, const int32_t ended[TRIED])
{
    can->opcodes = poni_uring_opcodes(ops);
    if (!(ops >> URING_OP_WAITID & 1))
        can->opcodes &= ~(UINT64_C(1) << PONS_OP_CLOSE);
    can->opcodes |= probe_multishot(ops, ended);
    if (ended[TRY_SEND_ZC] != -EINVAL)
        can->opcodes |= UINT64_C(1) << PONS_OP_SEND_ZC;
    can->reports = ended[TRY_REPORT] != -EINVAL;
    can->nosignal = ended[TRY_WRITE] >= 0;
    can->registers = ops != 0;
}

int
poni_uring_probe(struct uring_can *can, const struct pons_host *host, int bell,
                 struct pons_reason *reason)
{
    unsigned flags = IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG;
    int32_t ended[TRIED] = {0};
    struct uring_ring r;
    int err;

    err = poni_uring_ring_open(&r, ENTRIES, 2 * ENTRIES, flags);
    if (err < 0)
        return poni_uring_refuse(host, reason, err);
    err = probe_try(&r, bell, ended);
    if (err < 0) {
        err = host->refuse(reason, err, "io_uring_enter: %s", strerror(-err));
    } else if (ended[TRY_CANCEL] == -EINVAL || ended[TRY_POLL] == -EINVAL) {
        err = poni_uring_refuse(host, reason, -EINVAL);
    } else {
        probe_tell(can, probe_opcodes(&r), ended);
    }
    poni_uring_ring_close(&r);
    return err;
}
