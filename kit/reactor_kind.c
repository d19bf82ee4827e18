/* SPDX-License-Identifier: MIT */
/*
 * kit/reactor_kind.c - R9: every kind of descriptor, and numbers that come back
 * as another kind.
 */

#include "kit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ROOM = 16, REUSES = 200, UNKNOWN = 200 };

static void
kind_eventfd(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    int fd = KIT_SYS(eventfd(0, EFD_CLOEXEC));
    uint64_t count = 0, five = 5;
    struct pons_op op = kit_op(PONS_OP_READ, fd, &count, sizeof count);

    kit_pends(r, &op);
    KIT_SYS(write(fd, &five, sizeof five));
    kit_awaits(r, &op, sizeof count);
    KIT_EQ(count, 5, "the count of an eventfd");
    kit_ends(r, kit_op(PONS_OP_WRITE, fd, &five, sizeof five), sizeof five);
    kit_ends(r, op, sizeof count);
    kit_ends(r, kit_op(PONS_OP_READ, fd, &count, 1), -EINVAL);
    kit_forget(r, fd);
    kit_close(r);
}

static void
kind_tty(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), slave;
    struct pons_op op;
    char text[ROOM];

    if (master < 0)
        kit_skip("this system has no ttys here: /dev/ptmx cannot be opened");
    KIT_SYS(grantpt(master));
    KIT_SYS(unlockpt(master));
    slave = KIT_SYS(open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC));
    op = kit_op(PONS_OP_READ, slave, text, sizeof text);
    kit_pends(r, &op);
    kit_ends(r, kit_op(PONS_OP_WRITE, master, "hi\nho\n", 6), 6);
    kit_awaits(r, &op, 3); // a line at a time
    kit_ends(r, kit_op(PONS_OP_READ, slave, text, sizeof text), 3);
    kit_forget(r, slave);
    kit_forget(r, master);
    kit_close(r);
}

static void
kind_devices(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    int nothing = KIT_SYS(open("/dev/null", O_RDWR | O_CLOEXEC));
    int zero = KIT_SYS(open("/dev/zero", O_RDWR | O_CLOEXEC));
    int folder = KIT_SYS(open("/", O_RDONLY | O_CLOEXEC));
    char text[ROOM] = "";

    kit_ends(r, kit_op(PONS_OP_READ, nothing, text, 4), 0);
    kit_ends(r, kit_op(PONS_OP_WRITE, nothing, text, 4), 4);
    kit_ends(r, kit_op(PONS_OP_READ, zero, text, 4), 4);
    kit_ends(r, kit_op(PONS_OP_READ, folder, text, 4), -EISDIR);
    kit_forget(r, nothing);
    kit_forget(r, zero);
    kit_forget(r, folder);
    kit_close(r);
}

/* A reader that leaves while a writer waits, and before. */
static void
kind_pipe_without_reader(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    struct pons_op op;
    int fds[2];

    kit_pipe(fds);
    kit_fill(fds[1]);
    op = kit_op(PONS_OP_WRITE, fds[1], "x", 1);
    kit_pends(r, &op);
    close(fds[0]);
    kit_awaits(r, &op, -EPIPE);
    kit_ends(r, kit_op(PONS_OP_WRITE, fds[1], "x", 1), -EPIPE);
    kit_forget(r, fds[1]);
    kit_close(r);
}

static void
kind_pipe_without_writer(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    struct pons_op op;
    char c;
    int fds[2];

    kit_pipe(fds);
    op = kit_op(PONS_OP_READ, fds[0], &c, 1);
    kit_pends(r, &op);
    close(fds[1]);
    kit_awaits(r, &op, 0);
    kit_ends(r, kit_op(PONS_OP_POLL, fds[0], NULL, POLLIN), POLLHUP);
    kit_forget(r, fds[0]);
    kit_close(r);
}

/* Done, or left to the pool: a file's op ends by itself. */
static void
kind_write_file(struct pons_reactor *r, int fd, uint64_t offset)
{
    char text[4] = "abcd";
    struct pons_op op = kit_op(PONS_OP_WRITE, fd, text, sizeof text);
    int how;

    op.offset = offset;
    how = kit_submit(r, &op);
    if (how == PONS_SUBMIT_PENDING)
        kit_awaits(r, &op, sizeof text);
    else if (how == PONS_SUBMIT_DONE)
        kit_check_result(op.res, sizeof text, "WRITE to a file");
}

static void
kind_file(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    int fd = kit_file();

    kind_write_file(r, fd, 0);
    kind_write_file(r, fd, PONS_AT_POSITION);
    kit_quiet(r);
    close(fd);
    kit_close(r);
}

static void
kind_unknown(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    struct pons_op op = kit_op(UNKNOWN, -1, NULL, 0);

    KIT_EQ(kit_submit(r, &op), PONS_SUBMIT_UNSUPPORTED,
           "submit of opcode %d, which there is not", UNKNOWN);
    kit_quiet(r);
    kit_close(r);
}

/* Above what select(2) and tables of the usual size have room for. */
static void
kind_high(struct kit *k)
{
    struct pons_reactor *r;
    struct pons_op op;
    char c;
    int fds[2];

    kit_high_pair(fds);
    r = kit_open(k);
    op = kit_op(PONS_OP_RECV, fds[0], &c, 1);
    kit_pends(r, &op);
    kit_say(fds[1], "x");
    kit_awaits(r, &op, 1);
    kit_ends(r, kit_op(PONS_OP_SEND, fds[0], "y", 1), 1);
    kit_close_pair(r, fds);
    kit_close(r);
}

/* A pair of the kind number `i`, of three. */
static void
kind_pair(int fds[2], int i)
{
    if (i == 0)
        kit_unix_pair(fds, SOCK_STREAM);
    else if (i == 1)
        kit_tcp_pair(fds);
    else
        kit_pipe(fds);
}

/* The number of a descriptor comes back as something else, and what was left
 * over is reported to nobody. */
static void
kind_reuse(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    char text[ROOM];
    int fds[2];

    for (int i = 0; i < REUSES; i++) {
        int opcode = i % 3 == 2 ? PONS_OP_READ : PONS_OP_RECV;
        struct pons_op op;

        kind_pair(fds, i % 3);
        op = kit_op(opcode, fds[0], text, sizeof text);
        kit_pends(r, &op);
        if (i % 2 == 0)
            kit_say(fds[1], "x");
        else
            r->ops->cancel(r, &op);
        kit_awaits(r, &op, i % 2 == 0 ? 1 : -ECANCELED);
        kit_say(fds[1], "left over");
        kit_close_pair(r, fds);
    }
    kit_quiet(r);
    kit_close(r);
}

const struct kit_test kit_kind_tests[] = {
    {"R9", "an eventfd works", KIT_IO, NULL, kind_eventfd},
    {"R9", "a tty works", KIT_IO, NULL, kind_tty},
    {"R9", "devices and folders work", KIT_IO, NULL, kind_devices},
    {"R9", "a pipe without reader is EPIPE and raises no signal", KIT_IO, NULL,
     kind_pipe_without_reader},
    {"R9", "a pipe without writer has ended", KIT_IO, NULL,
     kind_pipe_without_writer},
    {"R9", "a descriptor number may be high", KIT_IO, NULL, kind_high},
    {"R9", "a descriptor number may be used again", KIT_IO, NULL, kind_reuse},
    {"R2", "files are done or left to the pool", KIT_IO, NULL, kind_file},
    {"R2", "an unknown op is UNSUPPORTED", KIT_IO, NULL, kind_unknown},
    {0},
};
