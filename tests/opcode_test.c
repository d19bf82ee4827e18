/* SPDX-License-Identifier: MIT */
/*
 * tests/opcode_test.c - core/opcode.c: the operations' names, ways and calls;
 * and who is said to do them.
 */

#include "core/opcode.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "core/adapter.h"
#include "core/runtime.h"
#include "everywhere.h"
#include "scratch.h"

static void
every_opcode_has_a_name_of_its_own(void)
{
    for (unsigned i = 0; i < PONS_OPCODES; i++)
        for (unsigned j = 0; j < i; j++)
            CHECK(strcmp(poni_opcode_name(i), poni_opcode_name(j)) != 0);
    CHECK_HAS(poni_opcode_name(PONS_OP_OPENAT), "openat");
    CHECK_HAS(poni_opcode_name(PONS_OPCODES), "unknown");
}

static void
reading_at_an_offset_is_another_way_than_at_the_position(void)
{
    struct pons_op op = {.opcode = PONS_OP_READ, .offset = PONS_AT_POSITION};

    CHECK_EQ(poni_op_way(&op), WAY_WAITS);
    op.offset = 0;
    CHECK_EQ(poni_op_way(&op), WAY_BLOCKS);
    op.opcode = PONS_OP_WRITE;
    CHECK_EQ(poni_op_way(&op), WAY_BLOCKS);
    op.opcode = PONS_OP_RECVMSG;
    CHECK_EQ(poni_op_way(&op), WAY_WAITS);
    op.opcode = PONS_OP_SHUTDOWN;
    CHECK_EQ(poni_op_way(&op), WAY_AT_ONCE);
    op.opcode = PONS_OP_FSYNC;
    CHECK_EQ(poni_op_way(&op), WAY_BLOCKS);
}

/* Whatever it is: a result, and errno kept. */
static void
a_call_keeps_errno(void)
{
    struct pons_op op = {.opcode = PONS_OP_FSYNC, .fd = -1};

    errno = 77;
    CHECK_EQ(poni_op_call(&op), -EBADF);
    CHECK_EQ(poni_op_try(&op), 1);
    CHECK_EQ(op.res, -EBADF);
    op.opcode = PONS_OP_RECV; // waits: not called here
    CHECK_EQ(poni_op_call(&op), -ENOSYS);
    op.opcode = PONS_OPCODES;
    CHECK_EQ(poni_op_call(&op), -ENOSYS);
    op.opcode = PONS_OP_NOP;
    op.len = 9;
    CHECK_EQ(poni_op_call(&op), 9);
    CHECK_EQ(errno, 77);
}

static void
a_socket_is_made_and_shut_at_once(void)
{
    struct pons_op op = {.opcode = PONS_OP_SOCKET,
                         .fd = AF_INET,
                         .len = SOCK_STREAM | SOCK_CLOEXEC};
    int fd = poni_op_call(&op);

    CHECK(fd >= 0);
    CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    op = (struct pons_op){.opcode = PONS_OP_SHUTDOWN, .fd = fd, .len = SHUT_WR};
    CHECK_EQ(poni_op_call(&op), -ENOTCONN);
    op.len = 99;
    CHECK_EQ(poni_op_call(&op), -EINVAL);
    close(fd);
}

/* --- what is cached --- */

static void
only_a_whole_read_counts_as_cached(void)
{
    char *path = scratch_path("cached"), text[8] = "";
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600), fds[2];
    struct iovec part = {text, 4};
    struct pons_op op = {
        .opcode = PONS_OP_READ, .fd = fd, .addr = text, .len = 4, .offset = 1};

    CHECK(fd >= 0);
    CHECK_EQ(write(fd, "abcdef", 6), 6);
    errno = 77;
    if (preadv2(fd, &part, 1, 0, RWF_NOWAIT) < 0)
        SKIP("RWF_NOWAIT on a file of %s: %s", path, strerror(errno));
    CHECK_EQ(poni_op_read_cached(&op), 1);
    CHECK_EQ(op.res, 4);
    CHECK_EQ(memcmp(text, "bcde", 4), 0);
    op.offset = 4; // short: that is for pread(2) to say
    CHECK_EQ(poni_op_read_cached(&op), 0);
    op.len = 0;
    CHECK_EQ(poni_op_read_cached(&op), 0);
    op.len = 1;
    op.fd = -1;
    CHECK_EQ(poni_op_read_cached(&op), 0);
    op.fd = fd;
    op.opcode = PONS_OP_WRITE;
    CHECK_EQ(poni_op_read_cached(&op), 0);
    CHECK_EQ(pipe2(fds, O_CLOEXEC), 0);
    op.opcode = PONS_OP_READ;
    op.fd = fds[0];
    CHECK_EQ(poni_op_read_cached(&op), 0);
    CHECK_EQ(errno, 77);
    close(fds[0]);
    close(fds[1]);
    close(fd);
    free(path);
}

/* --- who does it --- */

static const char *
who(const struct pons_runtime *rt, const char *name)
{
    static char text[96];
    const char *found;

    for (unsigned i = 0;; i++) {
        found = poni_operation_explain(rt, i, text, sizeof text);
        CHECK(found != NULL);
        if (strcmp(found, name) == 0)
            return text;
    }
}

static void
who_does_an_operation_is_said(void)
{
    struct pons_runtime *rt = runtime_of("poll", "1");
    unsigned n = 0;
    char text[96];

    CHECK_HAS(who(rt, "recv"), "poll");
    CHECK_HAS(who(rt, "recvmsg"), "poll");
    CHECK_HAS(who(rt, "shutdown"), "poll");
    CHECK_HAS(who(rt, "read"), "poll");
    CHECK_HAS(who(rt, "pread"), "if cached, else the pool elastic");
    CHECK_HAS(who(rt, "pwrite"), "the pool elastic");
    CHECK_HAS(who(rt, "openat"), "the pool elastic");
    CHECK_HAS(who(rt, "waitid"), "a pidfd in poll");
    CHECK_HAS(who(rt, "recv, multishot"), "poll");
    CHECK_HAS(who(rt, "send, zero-copy"), "poll, by a plain send");
    while (poni_operation_explain(rt, n, text, sizeof text) != NULL)
        n++;
    CHECK_EQ(n, 33);                      // of issue and design
    rt->seats[0].reactor->opcodes[0] = 0; // an older engine
    CHECK_HAS(who(rt, "recv"), "poll");
    CHECK_HAS(who(rt, "recvmsg"), "poll's poll");
    CHECK_HAS(who(rt, "socket"), "at once");
    pons_runtime_unref(rt);
}

static void
pons_files_takes_files_from_the_reactor(void)
{
    struct pons_settings s = PONS_SETTINGS_INIT;
    struct pons_runtime *rt = runtime_of("null", "1");

    CHECK_HAS(who(rt, "fsync"), "null");
    CHECK_HAS(who(rt, "pread"), "null");
    CHECK_HAS(who(rt, "openat"), "the pool");
    pons_runtime_unref(rt);
    s.flags = PONS_NO_ENVIRONMENT | PONS_NO_EXTERNAL_PLUGINS;
    s.reactor = "null";
    s.files = "pool";
    CHECK_EQ(pons_runtime_new(&rt, &s), 0);
    CHECK_HAS(who(rt, "fsync"), "the pool");
    CHECK_EQ(strcmp(who(rt, "pread"), "the pool elastic"), 0);
    CHECK_HAS(who(rt, "recv"), "null");
    CHECK_EQ(strcmp(who(rt, "send, zero-copy"), "null"), 0);
    pons_runtime_unref(rt);
}

#define TEST(name)  \
    {               \
#name, name \
    }

static const struct unit_test tests[] = {
    TEST(every_opcode_has_a_name_of_its_own),
    TEST(reading_at_an_offset_is_another_way_than_at_the_position),
    TEST(a_call_keeps_errno),
    TEST(a_socket_is_made_and_shut_at_once),
    TEST(only_a_whole_read_counts_as_cached),
    TEST(who_does_an_operation_is_said),
    TEST(pons_files_takes_files_from_the_reactor),
    {0},
};

int
main(int argc, char **argv)
{
    return unit_main("opcode", tests, argc, argv);
}
