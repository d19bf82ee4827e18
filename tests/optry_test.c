/* SPDX-License-Identifier: MIT */
/*
 * tests/optry_test.c - one system call, without blocking and without a signal.
 *
 * The ways for older kernels are taken by forbidding the newer ones (seccomp).
 */

#include "core/adapter.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "unit.h"

enum {
    NOWAIT = 0x8, // RWF_NOWAIT
    NOSIGNAL = 0x100,
};

static char big[1 << 20];

static struct pons_op
op_make(int opcode, int fd, void *addr, size_t len)
{
    return (struct pons_op){.opcode = (uint8_t)opcode,
                            .fd = fd,
                            .addr = addr,
                            .len = (uint32_t)len,
                            .offset = PONS_AT_POSITION};
}

/* The result, or -EAGAIN for "it would block"; errno must be kept. */
static int
try(int opcode, int fd, void *addr, size_t len)
{
    struct pons_op op = op_make(opcode, fd, addr, len);
    int ended;

    errno = 77;
    ended = poni_op_try(&op);
    CHECK_EQ(errno, 77);
    CHECK(!ended || op.res != -EAGAIN);
    return ended ? op.res : -EAGAIN;
}

/* preadv2 and pwritev2 with one of `flags` say EOPNOTSUPP from now on. */
static void
forbid(unsigned flags)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_preadv2, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pwritev2, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                 offsetof(struct seccomp_data, args[5])),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, flags, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EOPNOTSUPP),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};

    CHECK_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
        SKIP("seccomp: %s", strerror(errno));
}

/* Empty, full, dead: a pipe in the given mode. */
static void
pipe_works(int flags)
{
    int fds[2], n;

    CHECK_EQ(pipe2(fds, O_CLOEXEC | flags), 0);
    CHECK_EQ(try(PONS_OP_READ, fds[0], big, 1), -EAGAIN);
    CHECK_EQ(try(PONS_OP_WRITE, fds[1], "abc", 3), 3);
    CHECK_EQ(try(PONS_OP_READ, fds[0], big, 2), 2);
    CHECK_EQ(try(PONS_OP_READ, fds[0], big, sizeof big), 1);
    do
        n = try(PONS_OP_WRITE, fds[1], big, sizeof big);
    while (n > 0);
    CHECK_EQ(n, -EAGAIN);
    close(fds[0]);
    CHECK_EQ(try(PONS_OP_WRITE, fds[1], "x", 1), -EPIPE);
    CHECK_EQ(try(PONS_OP_WRITE, fds[1], "x", 1), -EPIPE);
    close(fds[1]);
    CHECK_EQ(pipe2(fds, O_CLOEXEC | flags), 0);
    close(fds[1]);
    CHECK_EQ(try(PONS_OP_READ, fds[0], big, 1), 0);
    close(fds[0]);
}

static void
pipes_in_both_modes(void)
{
    struct sigaction now;
    sigset_t pending, mask;

    pipe_works(O_NONBLOCK);
    pipe_works(0);
    CHECK_EQ(sigaction(SIGPIPE, NULL, &now), 0);
    CHECK(now.sa_handler == SIG_DFL); // alive, then, because none came
    CHECK_EQ(sigpending(&pending), 0);
    CHECK_EQ(sigismember(&pending, SIGPIPE), 0);
    CHECK_EQ(sigprocmask(SIG_BLOCK, NULL, &mask), 0);
    CHECK_EQ(sigismember(&mask, SIGPIPE), 0);
}

static void
a_pipe_neither_blocks_nor_signals(void)
{
    pipes_in_both_modes();
}

static void
nor_does_it_before_linux_6_18(void)
{
    forbid(NOSIGNAL);
    pipes_in_both_modes();
}

static void
nor_does_it_where_nowait_is_unknown(void)
{
    forbid(NOSIGNAL | NOWAIT);
    pipes_in_both_modes();
}

/* A SIGPIPE that is the application's is left to it; so is its mask. */
static void
a_pending_sigpipe_stays_pending(void)
{
    sigset_t mask, pending;
    int fds[2];

    forbid(NOSIGNAL);
    sigemptyset(&mask);
    sigaddset(&mask, SIGPIPE);
    CHECK_EQ(sigprocmask(SIG_BLOCK, &mask, NULL), 0);
    raise(SIGPIPE);
    CHECK_EQ(pipe2(fds, O_CLOEXEC), 0);
    close(fds[0]);
    CHECK_EQ(try(PONS_OP_WRITE, fds[1], "x", 1), -EPIPE);
    CHECK_EQ(sigpending(&pending), 0);
    CHECK_EQ(sigismember(&pending, SIGPIPE), 1);
    CHECK_EQ(sigprocmask(SIG_BLOCK, NULL, &mask), 0);
    CHECK_EQ(sigismember(&mask, SIGPIPE), 1);
    close(fds[1]);
}

/* Room for PIPE_BUF is all that poll(2) promises of a pipe in blocking mode. */
static void
a_plain_write_does_not_wait_half_way(void)
{
    int fds[2], n;

    forbid(NOSIGNAL | NOWAIT);
    CHECK_EQ(pipe2(fds, O_CLOEXEC), 0);
    CHECK_EQ(fcntl(fds[1], F_SETPIPE_SZ, 8192), 8192);
    while ((n = try(PONS_OP_WRITE, fds[1], big, sizeof big)) != -EAGAIN)
        CHECK(n > 0 && n <= PIPE_BUF);
    close(fds[0]);
    close(fds[1]);
}

static void
sockets_neither_block_nor_signal(void)
{
    int fds[2], n;

    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    CHECK_EQ(try(PONS_OP_RECV, fds[0], big, 1), -EAGAIN);
    CHECK_EQ(try(PONS_OP_READ, fds[0], big, 1), -EAGAIN);
    CHECK_EQ(try(PONS_OP_SEND, fds[0], "ab", 2), 2);
    CHECK_EQ(try(PONS_OP_WRITE, fds[0], "cd", 2), 2);
    CHECK_EQ(try(PONS_OP_RECV, fds[1], big, 1), 1);
    CHECK_EQ(try(PONS_OP_READ, fds[1], big, 9), 3);
    do
        n = try(PONS_OP_SEND, fds[0], big, sizeof big);
    while (n > 0);
    CHECK_EQ(n, -EAGAIN);
    CHECK_EQ(try(PONS_OP_WRITE, fds[0], big, 1), -EAGAIN);
    close(fds[1]);
    CHECK_EQ(try(PONS_OP_SEND, fds[0], "x", 1), -EPIPE);
    CHECK_EQ(try(PONS_OP_WRITE, fds[0], "x", 1), -EPIPE);
    close(fds[0]);
}

static void
flags_that_would_change_the_rules_are_refused(void)
{
    static const int bad[] = {MSG_DONTWAIT, MSG_WAITALL};
    int fds[2];

    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    for (int i = 0; i < 2; i++)
        for (int opcode = PONS_OP_RECV; opcode <= PONS_OP_SEND; opcode++) {
            struct pons_op op = op_make(opcode, fds[0], big, 1);

            op.op_flags = (uint32_t)bad[i];
            CHECK_EQ(poni_op_try(&op), 1);
            CHECK_EQ(op.res, -EINVAL);
        }
    close(fds[0]);
    close(fds[1]);
}

static int
tcp_listener(struct sockaddr_in *address, int flags)
{
    socklen_t size = sizeof *address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);

    *address = (struct sockaddr_in){.sin_family = AF_INET,
                                    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    CHECK_EQ(bind(fd, (struct sockaddr *)address, sizeof *address), 0);
    CHECK_EQ(listen(fd, 4), 0);
    CHECK_EQ(getsockname(fd, (struct sockaddr *)address, &size), 0);
    return fd;
}

static void
a_listener_in_blocking_mode_is_refused_in_words(void)
{
    struct sockaddr_in address;
    int fd = tcp_listener(&address, 0);

    CHECK_EQ(try(PONS_OP_ACCEPT, fd, NULL, 0), -EINVAL);
    CHECK_HAS(pons_last_error(), "blocking mode");
    close(fd);
    fd = tcp_listener(&address, SOCK_NONBLOCK);
    CHECK_EQ(try(PONS_OP_ACCEPT, fd, NULL, 0), -EAGAIN);
    close(fd);
    fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    CHECK_EQ(try(PONS_OP_ACCEPT, fd, NULL, 0), -ENOTSOCK);
    close(fd);
}

static void
connect_starts_once_and_then_asks(void)
{
    struct sockaddr_in address;
    int listener = tcp_listener(&address, 0), taken;

    for (int flags = 0; flags <= SOCK_NONBLOCK; flags += SOCK_NONBLOCK) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
        struct pons_op op =
            op_make(PONS_OP_CONNECT, fd, &address, sizeof address);
        struct pollfd p = {.fd = fd, .events = POLLOUT};

        if (!poni_op_try(&op)) {
            CHECK_EQ(op.backend2, 1);
            CHECK_EQ(poll(&p, 1, -1), 1);
            CHECK_EQ(poni_op_try(&op), 1);
        }
        CHECK_EQ(op.res, 0);
        CHECK_EQ(fcntl(fd, F_GETFL) & O_NONBLOCK, flags ? O_NONBLOCK : 0);
        taken = accept(listener, NULL, NULL);
        close(taken);
        close(fd);
    }
    close(listener);
}

/* The handshake stands still while the queue of the listener is full. */
static void
connect_is_not_done_while_it_is_under_way(void)
{
    struct sockaddr_in address;
    int listener = tcp_listener(&address, 0), fds[64], n = 0;
    struct pons_op op;

    CHECK_EQ(listen(listener, 0), 0);
    for (; n < 64; n++) { // until the queue is full
        fds[n] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        op = op_make(PONS_OP_CONNECT, fds[n], &address, sizeof address);
        if (!poni_op_try(&op)) {
            CHECK_EQ(op.backend2, 1);
            if (!poni_op_try(&op))
                break;
        }
        CHECK_EQ(op.res, 0);
    }
    CHECK(n < 64);
    CHECK_EQ(poni_op_try(&op), 0);
    for (int i = 0; i <= n; i++)
        close(fds[i]);
    close(listener);
}

static void
poll_tells_what_holds_now(void)
{
    int fds[2];

    CHECK_EQ(pipe2(fds, O_CLOEXEC), 0);
    CHECK_EQ(try(PONS_OP_POLL, fds[0], NULL, POLLIN), -EAGAIN);
    CHECK_EQ(try(PONS_OP_POLL, fds[1], NULL, POLLIN | POLLOUT), POLLOUT);
    close(fds[1]);
    CHECK_EQ(try(PONS_OP_POLL, fds[0], NULL, 0), POLLHUP);
    CHECK_EQ(try(PONS_OP_POLL, fds[1], NULL, POLLIN), -EBADF);
    CHECK_EQ(try(PONS_OP_POLL, -1, NULL, POLLIN), -EBADF);
    close(fds[0]);
}

static void
a_read_at_an_offset_leaves_the_position(void)
{
    char path[] = "/tmp/pons_optry_XXXXXX", text[4];
    int fd = mkstemp(path);
    struct pons_op op = op_make(PONS_OP_READ, fd, text, 2);

    CHECK_EQ(unlink(path), 0);
    CHECK_EQ(write(fd, "abcd", 4), 4);
    CHECK_EQ(lseek(fd, 1, SEEK_SET), 1);
    op.offset = 2;
    CHECK_EQ(poni_op_try(&op), 1);
    CHECK_EQ(op.res, 2);
    CHECK_EQ(memcmp(text, "cd", 2), 0);
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 1);
    CHECK_EQ(try(PONS_OP_READ, fd, text, 2), 2);
    CHECK_EQ(memcmp(text, "bc", 2), 0);
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 3);
    close(fd);
}

static void
each_op_says_what_it_waits_for(void)
{
    static const struct {
        int opcode, events;
    } rows[] = {
        {PONS_OP_NOP, 0},        {PONS_OP_ACCEPT, POLLIN},
        {PONS_OP_RECV, POLLIN},  {PONS_OP_READ, POLLIN},
        {PONS_OP_SEND, POLLOUT}, {PONS_OP_WRITE, POLLOUT},
        {PONS_OP_POLL, POLLPRI}, {PONS_OP_CONNECT, POLLOUT},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct pons_op op = op_make(rows[i].opcode, 0, NULL, POLLPRI);

        CHECK_EQ(poni_op_events(&op), rows[i].events);
    }
    struct pons_op op = op_make(PONS_OP_RECV, 0, NULL, 1);

    op.op_flags = MSG_ERRQUEUE;
    CHECK_EQ(poni_op_events(&op), POLLERR);
    op.op_flags = MSG_OOB;
    CHECK_EQ(poni_op_events(&op), POLLPRI);
    CHECK_EQ(try(PONS_OP_NOP, -1, NULL, 5), 5);
    CHECK_EQ(try(PONS_OPCODES, -1, NULL, 5), -ENOSYS);
}

#define TEST(name)  \
    {               \
#name, name \
    }

static const struct unit_test tests[] = {
    TEST(a_pipe_neither_blocks_nor_signals),
    TEST(nor_does_it_before_linux_6_18),
    TEST(nor_does_it_where_nowait_is_unknown),
    TEST(a_pending_sigpipe_stays_pending),
    TEST(a_plain_write_does_not_wait_half_way),
    TEST(sockets_neither_block_nor_signal),
    TEST(flags_that_would_change_the_rules_are_refused),
    TEST(a_listener_in_blocking_mode_is_refused_in_words),
    TEST(connect_starts_once_and_then_asks),
    TEST(connect_is_not_done_while_it_is_under_way),
    TEST(poll_tells_what_holds_now),
    TEST(a_read_at_an_offset_leaves_the_position),
    TEST(each_op_says_what_it_waits_for),
    {0},
};

int
main(int argc, char **argv)
{
    return unit_main("optry", tests, argc, argv);
}
