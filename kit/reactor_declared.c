/* SPDX-License-Identifier: MIT */
/*
 * kit/reactor_declared.c - R9 of the operations that an engine may have or not:
 * messages and sockets, files and names. Those that it declares are tried, and
 * the system call is made beside.
 *
 * R2 allows UNSUPPORTED for what ends by itself, declared or not: then there is
 * nothing to compare.
 */

#include "kit.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/opcode.h"

static int
declared(const struct pons_reactor *r, unsigned opcode)
{
    return (r->opcodes[opcode / 64] >> opcode % 64 & 1) != 0;
}

/* "wanted 3, found 2", unless the engine leaves it to the core. */
static void
declared_ends(struct pons_reactor *r, struct pons_op op, int64_t wanted)
{
    int how;

    if (!declared(r, op.opcode))
        return;
    how = kit_submit(r, &op);
    if (how == PONS_SUBMIT_UNSUPPORTED)
        return;
    kit_check_result(how == PONS_SUBMIT_DONE ? op.res : kit_await(r, &op),
                     wanted, "%s", poni_opcode_name(op.opcode));
}

static int64_t
said(int64_t n)
{
    return n < 0 ? -errno : n;
}

/* --- messages --- */

static struct pons_op
message_op(int opcode, int fd, struct msghdr *m, int flags)
{
    struct pons_op op = kit_op(opcode, fd, m, 0);

    op.op_flags = (uint32_t)flags;
    return op;
}

/* What stands in the msghdr beside the bytes, if nothing was there at first. */
static void
declared_message_waits(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    struct sockaddr_in here, there, from = {0};
    int fd = KIT_SYS(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    int other = KIT_SYS(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    char text[2];
    struct iovec part = {text, sizeof text};
    struct msghdr m = {.msg_name = &from,
                       .msg_namelen = sizeof from,
                       .msg_iov = &part,
                       .msg_iovlen = 1};
    struct pons_op op = message_op(PONS_OP_RECVMSG, fd, &m, 0);

    if (!declared(r, PONS_OP_RECVMSG)) {
        kit_close(r);
        kit_skip("it does not declare RECVMSG");
    }
    kit_bind(fd, &here);
    kit_bind(other, &there);
    kit_connect(other, &here);
    kit_pends(r, &op);
    kit_say(other, "abc");
    kit_awaits(r, &op, sizeof text);
    KIT_WANT(m.msg_namelen == sizeof from && from.sin_port == there.sin_port,
             "RECVMSG that had to wait: wanted the sender's address in "
             "msg_name, found %u bytes, port %u",
             (unsigned)m.msg_namelen, ntohs(from.sin_port));
    KIT_WANT(m.msg_flags & MSG_TRUNC,
             "RECVMSG that had to wait, of a packet that is too long: wanted "
             "MSG_TRUNC in msg_flags, found 0x%x",
             (unsigned)m.msg_flags);
    kit_forget(r, fd);
    close(other);
    kit_close(r);
}

static void
declared_message(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    char text[4] = "", more[4] = "";
    struct iovec parts[2] = {{text, 2}, {more, 2}};
    struct msghdr m = {.msg_iov = parts, .msg_iovlen = 2};
    struct pons_op op;
    int fds[2];

    if (!declared(r, PONS_OP_RECVMSG) || !declared(r, PONS_OP_SENDMSG)) {
        kit_close(r);
        kit_skip("it does not declare RECVMSG and SENDMSG");
    }
    kit_unix_pair(fds, SOCK_DGRAM);
    op = message_op(PONS_OP_RECVMSG, fds[0], &m, 0);
    kit_pends(r, &op);
    kit_say(fds[1], "abc");
    kit_awaits(r, &op, 3);
    KIT_WANT(
        memcmp(text, "ab", 2) == 0 && more[0] == 'c',
        "RECVMSG in two parts: wanted \"ab\" and \"c\", found \"%.2s\" and "
        "\"%.1s\"",
        text, more);
    kit_say(fds[1], "too long");
    kit_ends(r, message_op(PONS_OP_RECVMSG, fds[0], &m, MSG_PEEK), 4);
    KIT_WANT(m.msg_flags & MSG_TRUNC,
             "RECVMSG of a packet that is too long: wanted MSG_TRUNC in "
             "msg_flags, found 0x%x",
             (unsigned)m.msg_flags);
    kit_ends(r, message_op(PONS_OP_RECVMSG, fds[0], &m, 0), 4);
    kit_ends(r, message_op(PONS_OP_RECVMSG, fds[0], &m, MSG_DONTWAIT), -EINVAL);
    kit_ends(r, message_op(PONS_OP_SENDMSG, fds[0], &m, 0), 4);
    kit_ends(r, message_op(PONS_OP_SENDMSG, fds[0], &m, MSG_DONTWAIT), -EINVAL);
    op = message_op(PONS_OP_RECVMSG, fds[0], &m, 0);
    kit_pends(r, &op);
    r->ops->cancel(r, &op);
    kit_awaits(r, &op, -ECANCELED);
    close(fds[1]);
    kit_ends(r, message_op(PONS_OP_SENDMSG, fds[0], &m, 0), -ECONNREFUSED);
    kit_ends(r, message_op(PONS_OP_RECVMSG, -1, &m, 0), -EBADF);
    kit_ends(r, message_op(PONS_OP_SENDMSG, -1, &m, 0), -EBADF);
    kit_forget(r, fds[0]);
    kit_close(r);
}

static void
declared_socket(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    struct pons_op op = kit_op(PONS_OP_SOCKET, AF_INET, NULL,
                               SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK);
    int fds[2], fd;
    char c;

    if (declared(r, PONS_OP_SOCKET) &&
        (fd = kit_submit(r, &op)) != PONS_SUBMIT_UNSUPPORTED) {
        fd = fd == PONS_SUBMIT_DONE ? op.res : kit_await(r, &op);
        KIT_WANT(fd >= 0, "SOCKET: wanted a descriptor, found %d", fd);
        KIT_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC, "F_GETFD of the new socket");
        KIT_EQ(fcntl(fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK,
               "O_NONBLOCK of the new socket");
        declared_ends(r, kit_op(PONS_OP_SHUTDOWN, fd, NULL, SHUT_WR),
                      -ENOTCONN);
        close(fd);
        op.fd = 99;
        declared_ends(r, op, -EAFNOSUPPORT);
    }
    kit_unix_pair(fds, SOCK_STREAM);
    declared_ends(r, kit_op(PONS_OP_SHUTDOWN, fds[0], NULL, SHUT_WR), 0);
    if (declared(r, PONS_OP_SHUTDOWN))
        KIT_EQ(recv(fds[1], &c, 1, MSG_DONTWAIT), 0,
               "the other side of a SHUTDOWN reads");
    declared_ends(r, kit_op(PONS_OP_SHUTDOWN, fds[0], NULL, 99), -EINVAL);
    declared_ends(r, kit_op(PONS_OP_SHUTDOWN, -1, NULL, SHUT_WR), -EBADF);
    kit_close_pair(r, fds);
    kit_close(r);
}

/* --- files --- */

/* A folder of the test's own, and its name. */
static int
folder_open(char name[32])
{
    strcpy(name, "/tmp/pons-kit-XXXXXX");
    KIT_WANT(mkdtemp(name) != NULL, "mkdtemp: %s", strerror(errno));
    return KIT_SYS(open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

static void
folder_close(int folder, const char *name)
{
    close(folder);
    KIT_SYS(rmdir(name));
}

static struct pons_op
at(struct pons_op op, uint64_t offset)
{
    op.offset = offset;
    return op;
}

static void
bytes_at_offsets(struct pons_reactor *r, int fd)
{
    char text[8] = "";
    struct iovec parts[2] = {{text, 2}, {text + 4, 2}};
    struct pons_op op;

    KIT_SYS(pwrite(fd, "abcdefgh", 8, 0));
    if (r->caps & PONS_REACTOR_FILES) {
        KIT_EQ(kit_run(r, at(kit_op(PONS_OP_READ, fd, text, 3), 2)), 3,
               "READ of 3 at 2");
        KIT_WANT(memcmp(text, "cde", 3) == 0,
                 "READ of 3 at 2 of \"abcdefgh\": wanted \"cde\", found "
                 "\"%.3s\"",
                 text);
        KIT_EQ(kit_run(r, at(kit_op(PONS_OP_WRITE, fd, "X", 1), 1)), 1,
               "WRITE of 1 at 1");
        KIT_EQ(kit_run(r, at(kit_op(PONS_OP_READ, fd, text, 3), 99)), 0,
               "READ behind the end");
        KIT_SYS(pread(fd, text, 2, 0));
        KIT_EQ(text[1], 'X', "the byte that WRITE has written");
    }
    op = at(kit_op(PONS_OP_READV, fd, parts, 2), 3);
    declared_ends(r, op, 4);
    op.op_flags = RWF_NOWAIT;
    declared_ends(r, op, -EINVAL);
    declared_ends(r, at(kit_op(PONS_OP_WRITEV, fd, parts, 2), 10), 4);
    declared_ends(r, at(kit_op(PONS_OP_READV, -1, parts, 2), 0), -EBADF);
    KIT_EQ(lseek(fd, 0, SEEK_CUR), 0, "where the file stands");
}

static void
sizes(struct pons_reactor *r, int fd)
{
    struct pons_op op = at(kit_op(PONS_OP_FALLOCATE, fd, NULL, 0), 100);
    struct stat st;

    declared_ends(r, kit_op(PONS_OP_FSYNC, fd, NULL, 0), 0);
    declared_ends(r, kit_op(PONS_OP_FSYNC, -1, NULL, 0), -EBADF);
    declared_ends(r, kit_op(PONS_OP_FDATASYNC, fd, NULL, 0), 0);
    declared_ends(r, kit_op(PONS_OP_FDATASYNC, -1, NULL, 0), -EBADF);
    declared_ends(r, at(kit_op(PONS_OP_FTRUNCATE, fd, NULL, 0), 50), 0);
    KIT_SYS(fstat(fd, &st));
    if (declared(r, PONS_OP_FTRUNCATE))
        KIT_WANT(st.st_size == 50 || st.st_size <= 14,
                 "FTRUNCATE to 50: found a size of %lld",
                 (long long)st.st_size);
    op.offset2 = 28;
    declared_ends(r, op, said(fallocate(fd, 0, 100, 28)));
    op.offset2 = 0;
    declared_ends(r, op, -EINVAL);
}

static void
declared_bytes(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    char name[32];
    int folder = folder_open(name);
    int fd = KIT_SYS(openat(folder, "x", O_RDWR | O_CREAT | O_CLOEXEC, 0600));

    bytes_at_offsets(r, fd);
    sizes(r, fd);
    kit_forget(r, fd);
    KIT_SYS(unlinkat(folder, "x", 0));
    folder_close(folder, name);
    kit_close(r);
}

/* Whatever the engine leaves to the core is made by the test. */
static void
name_ends(struct pons_reactor *r, struct pons_op op, int64_t wanted,
          int64_t (*instead)(const struct pons_op *op))
{
    int how =
        declared(r, op.opcode) ? kit_submit(r, &op) : PONS_SUBMIT_UNSUPPORTED;

    if (how == PONS_SUBMIT_UNSUPPORTED)
        kit_check_result(said(instead(&op)), wanted, "the system call itself");
    else
        kit_check_result(how == PONS_SUBMIT_DONE ? op.res : kit_await(r, &op),
                         wanted, "%s", poni_opcode_name(op.opcode));
}

static int64_t
system_name(const struct pons_op *op)
{
    switch (op->opcode) {
    case PONS_OP_MKDIRAT:
        return mkdirat(op->fd, op->addr, op->len);
    case PONS_OP_LINKAT:
        return linkat(op->fd, op->addr, op->fd2, op->addr2, (int)op->op_flags);
    case PONS_OP_SYMLINKAT:
        return symlinkat(op->addr, op->fd, op->addr2);
    case PONS_OP_RENAMEAT:
        return renameat2(op->fd, op->addr, op->fd2, op->addr2, op->op_flags);
    default:
        return unlinkat(op->fd, op->addr, (int)op->op_flags);
    }
}

static struct pons_op
names(int opcode, int folder, const char *from, const char *to, unsigned flags)
{
    struct pons_op op = kit_op(opcode, folder, (void *)(uintptr_t)from, 0);

    op.fd2 = folder;
    op.addr2 = (void *)(uintptr_t)to;
    op.op_flags = flags;
    return op;
}

static void
look(struct pons_reactor *r, int folder)
{
    struct statx st = {0};
    struct pons_op op = kit_op(PONS_OP_STATX, folder, (void *)(uintptr_t) "one",
                               STATX_BASIC_STATS);

    op.addr2 = &st;
    declared_ends(r, op, 0);
    KIT_WANT(!(st.stx_mask & STATX_NLINK) || st.stx_nlink == 2,
             "STATX of a file with two names: wanted 2 links, found %u",
             st.stx_nlink);
    op.addr = (void *)(uintptr_t) "none";
    declared_ends(r, op, -ENOENT);
    op.op_flags = 1u << 30;
    declared_ends(r, op, -EINVAL);
}

static void
declared_names(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    char name[32];
    int folder = folder_open(name);
    struct pons_op op =
        kit_op(PONS_OP_MKDIRAT, folder, (void *)(uintptr_t) "box", 0700);

    close(KIT_SYS(openat(folder, "one", O_RDWR | O_CREAT | O_CLOEXEC, 0600)));
    name_ends(r, op, 0, system_name);
    name_ends(r, op, -EEXIST, system_name);
    op = names(PONS_OP_LINKAT, folder, "one", "box/two", 0);
    name_ends(r, op, 0, system_name);
    name_ends(r, op, -EEXIST, system_name);
    look(r, folder);
    op = names(PONS_OP_SYMLINKAT, folder, "anything", "sign", 0);
    name_ends(r, op, 0, system_name);
    name_ends(r, op, -EEXIST, system_name);
    op = names(PONS_OP_RENAMEAT, folder, "one", "sign", RENAME_NOREPLACE);
    name_ends(r, op, -EEXIST, system_name);
    op.op_flags = 0;
    name_ends(r, op, 0, system_name);
    name_ends(r, op, -ENOENT, system_name);
    op = names(PONS_OP_UNLINKAT, folder, "box", NULL, 0);
    name_ends(r, op, -EISDIR, system_name);
    op.op_flags = AT_REMOVEDIR;
    name_ends(r, op, -ENOTEMPTY, system_name);
    name_ends(r, names(PONS_OP_UNLINKAT, folder, "box/two", NULL, 0), 0,
              system_name);
    name_ends(r, op, 0, system_name);
    name_ends(r, names(PONS_OP_UNLINKAT, folder, "sign", NULL, 0), 0,
              system_name);
    folder_close(folder, name);
    kit_close(r);
}

static void
declared_open(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    char name[32];
    int folder = folder_open(name), how;
    struct pons_op op =
        kit_op(PONS_OP_OPENAT, folder, (void *)(uintptr_t) "x", 0640);
    struct stat st;

    (void)umask(0);
    op.op_flags = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC;
    how = declared(r, PONS_OP_OPENAT) ? kit_submit(r, &op)
                                      : PONS_SUBMIT_UNSUPPORTED;
    if (how != PONS_SUBMIT_UNSUPPORTED) {
        int fd = how == PONS_SUBMIT_DONE ? op.res : kit_await(r, &op);

        KIT_WANT(fd >= 0, "OPENAT: wanted a descriptor, found %d", fd);
        KIT_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC, "F_GETFD of the new file");
        KIT_SYS(fstat(fd, &st));
        KIT_EQ(st.st_mode & 07777, 0640, "its mode");
        declared_ends(r, op, -EEXIST);
        if (declared(r, PONS_OP_CLOSE)) {
            declared_ends(r, kit_op(PONS_OP_CLOSE, fd, NULL, 0), 0);
            declared_ends(r, kit_op(PONS_OP_CLOSE, fd, NULL, 0), -EBADF);
        }
        close(fd);
        KIT_SYS(unlinkat(folder, "x", 0));
    }
    op.op_flags = O_RDONLY;
    declared_ends(r, op, -ENOENT);
    folder_close(folder, name);
    kit_close(r);
}

static void
declared_splice(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    struct pons_op op;
    char text[4] = "", name[32];
    int fds[2], folder = folder_open(name);
    int fd = KIT_SYS(openat(folder, "x", O_RDWR | O_CREAT | O_CLOEXEC, 0600));

    kit_pipe(fds);
    KIT_SYS(pwrite(fd, "abcd", 4, 0));
    op = kit_op(PONS_OP_SPLICE, fds[1], NULL, 2);
    op.fd2 = fd;
    op.offset2 = 1;
    if (declared(r, PONS_OP_SPLICE)) {
        declared_ends(r, op, 2);
        (void)!read(fds[0], text, sizeof text);
        KIT_WANT(text[0] == 0 || memcmp(text, "bc", 2) == 0,
                 "SPLICE of 2 from 1 of \"abcd\": wanted \"bc\", found "
                 "\"%.2s\"",
                 text);
        op.op_flags = SPLICE_F_NONBLOCK;
        declared_ends(r, op, -EINVAL);
    }
    kit_forget(r, fds[0]);
    kit_forget(r, fds[1]);
    kit_forget(r, fd);
    KIT_SYS(unlinkat(folder, "x", 0));
    folder_close(folder, name);
    kit_close(r);
}

static void
declared_waitid(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    pid_t child = kit_fork();
    siginfo_t info = {0};
    struct pons_op op = kit_op(PONS_OP_WAITID, child, NULL, P_PID);
    int how;

    if (child == 0)
        _exit(7);
    op.addr2 = &info;
    op.op_flags = WEXITED;
    how = declared(r, PONS_OP_WAITID) ? kit_submit(r, &op)
                                      : PONS_SUBMIT_UNSUPPORTED;
    if (how == PONS_SUBMIT_UNSUPPORTED) {
        KIT_SYS(waitid(P_PID, (id_t)child, &info, WEXITED));
    } else {
        kit_check_result(how == PONS_SUBMIT_DONE ? op.res : kit_await(r, &op),
                         0, "WAITID");
        KIT_EQ(info.si_status, 7, "the child's status");
        declared_ends(r, op, -ECHILD);
    }
    kit_close(r);
}

const struct kit_test kit_declared_tests[] = {
    {"R9", "messages come and go as by the system calls", KIT_IO, "R4",
     declared_message},
    {"R9", "a message that had to wait says whose it is, and how long", KIT_IO,
     NULL, declared_message_waits},
    {"R9", "sockets are made and shut as by the system calls", KIT_IO, "R4",
     declared_socket},
    {"R9", "bytes of files are where the system calls have them", KIT_IO, "R4",
     declared_bytes},
    {"R9", "names are made and moved as by the system calls", KIT_IO, "R4",
     declared_names},
    {"R9", "files are opened and closed as by the system calls", KIT_IO, "R4",
     declared_open},
    {"R9", "SPLICE moves what the system call moves", KIT_IO, "R4",
     declared_splice},
    {"R9", "WAITID says what the system call says", KIT_IO, "R4",
     declared_waitid},
    {0},
};
