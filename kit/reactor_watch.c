/* SPDX-License-Identifier: MIT */
/*
 * kit/reactor_watch.c - R9: POLL says what poll(2) says, and waits asleep.
 */

#include "kit.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

static void
watch_beside_read(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    struct pons_op ops[3], hup;
    char c;
    int fds[2];

    kit_unix_pair(fds, SOCK_STREAM);
    kit_ends(r, kit_op(PONS_OP_POLL, fds[0], NULL, POLLIN | POLLOUT), POLLOUT);
    ops[0] = kit_op(PONS_OP_POLL, fds[0], NULL, POLLIN);
    ops[1] = kit_op(PONS_OP_POLL, fds[0], NULL, POLLIN | POLLRDHUP);
    ops[2] = kit_op(PONS_OP_RECV, fds[0], &c, 1);
    hup = kit_op(PONS_OP_POLL, fds[0], NULL, 0);
    for (int i = 0; i < 3; i++)
        kit_pends(r, &ops[i]);
    kit_pends(r, &hup);
    kit_quiet(r);
    kit_say(fds[1], "x");
    kit_await_all(r, ops, 3);
    kit_check_result(ops[0].res, POLLIN, "POLL of POLLIN");
    kit_check_result(ops[1].res, POLLIN, "POLL of POLLIN and POLLRDHUP");
    kit_check_result(ops[2].res, 1, "RECV beside POLLs");
    kit_quiet(r);
    close(fds[1]);
    kit_awaits(r, &hup, POLLHUP);
    kit_forget(r, fds[0]);
    kit_close(r);
}

/* Waits, and does not spin meanwhile. */
static void
watch_sleeps(struct pons_reactor *r)
{
    KIT_WANT(kit_sleeps(r),
             "poll spins instead of sleeping, while something is there that "
             "nobody waits for");
}

/* Waited for while bytes lie unread: neither missed nor found by spinning. */
static void
watch_half_close(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    struct pons_op hup;
    char c;
    int fds[2];

    kit_tcp_pair(fds);
    kit_say(fds[1], "unread");
    hup = kit_op(PONS_OP_POLL, fds[0], NULL, POLLRDHUP);
    kit_pends(r, &hup);
    watch_sleeps(r);
    KIT_SYS(shutdown(fds[1], SHUT_WR));
    kit_awaits(r, &hup, POLLRDHUP);
    kit_ends(r, kit_op(PONS_OP_RECV, fds[0], &c, 1), 1);
    kit_ends(r, kit_op(PONS_OP_POLL, fds[0], NULL, POLLRDHUP), POLLRDHUP);
    kit_close_pair(r, fds);
    kit_close(r);
}

static void
watch_urgent(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    struct pons_op hup, urgent;
    int fds[2], res;

    kit_tcp_pair(fds);
    kit_say(fds[1], "unread");
    hup = kit_op(PONS_OP_POLL, fds[0], NULL, POLLRDHUP);
    kit_pends(r, &hup);
    urgent = kit_op(PONS_OP_POLL, fds[0], NULL, POLLPRI);
    kit_pends(r, &urgent);
    watch_sleeps(r);
    KIT_SYS(send(fds[1], "!", 1, MSG_OOB));
    kit_awaits(r, &urgent, POLLPRI);
    watch_sleeps(r); // although the urgent byte is still there
    close(fds[1]);
    res = kit_await(r, &hup);
    KIT_WANT(res > 0 && res & POLLRDHUP,
             "POLL of POLLRDHUP on a closed stream: wanted POLLRDHUP, found "
             "%#x",
             (unsigned)res);
    kit_forget(r, fds[0]);
    kit_close(r);
}

const struct kit_test kit_watch_tests[] = {
    {"R9", "several polls wait beside a read", KIT_IO, NULL, watch_beside_read},
    {"R9", "a half-close is seen behind unread bytes", KIT_IO, "R11 R12",
     watch_half_close},
    {"R9", "urgent data is seen behind unread bytes", KIT_IO, "R11 R12",
     watch_urgent},
    {0},
};
