/* SPDX-License-Identifier: MIT */
#ifndef PONS_OP_H
#define PONS_OP_H

/*
 * pons/op.h - one operation given to a reactor, and the opcodes there are.
 *
 * A user meets a pons_op inside pons_recv and its kin (pons/stream.h), a
 * reactor gets it from the core (pons/reactor.h). Line 0 is all that a
 * completion touches, line 1 holds the arguments.
 *
 * Sockets, pipes and readiness. These wait, and every reactor does them (R2):
 *
 *   opcode    fd       addr      addr2      len     offset  op_flags
 *   NOP       -        -         -          res     -       -
 *   ACCEPT    listener sockaddr  socklen_t* -       -       SOCK_...
 *   CONNECT   socket   sockaddr  -          its len -       -
 *   RECV      socket   buffer    -          bytes   -       MSG_...
 *   SEND      socket   buffer    -          bytes   -       MSG_...
 *   RECVMSG   socket   msghdr    -          -       -       MSG_...
 *   SENDMSG   socket   msghdr    -          -       -       MSG_...
 *   READ      any      buffer    -          bytes   -1      -
 *   WRITE     any      buffer    -          bytes   -1      -
 *   POLL      any      -         -          events  -       -
 *
 * Files, names and the like. These end by themselves; a reactor may leave them
 * to the core (UNSUPPORTED):
 *
 *   READ      file     buffer    -          bytes   at      -
 *   WRITE     file     buffer    -          bytes   at      -
 *   READV     file     iovec     -          parts   at      RWF_...
 *   WRITEV    file     iovec     -          parts   at      RWF_...
 *   OPENAT    folder   path      -          mode    -       O_...
 *   CLOSE     any      -         -          -       -       -
 *   FSYNC     file     -         -          -       -       -
 *   FDATASYNC file     -         -          -       -       -
 *   FALLOCATE file     -         = size     mode    at      -
 *   FTRUNCATE file     -         -          -       size    -
 *   STATX     folder   path      statx      mask    -       AT_...
 *   RENAMEAT  folder   path      new path   -       -       RENAME_...
 *   UNLINKAT  folder   path      -          -       -       AT_...
 *   MKDIRAT   folder   path      -          mode    -       -
 *   LINKAT    folder   path      new path   -       -       AT_...
 *   SYMLINKAT folder   target    new path   -       -       -
 *   SPLICE    to       -         = from at  bytes   to at   SPLICE_F_...
 *   SHUTDOWN  socket   -         -          SHUT_.. -       -
 *   WAITID    id       -         siginfo    P_...   -       W...
 *   SOCKET    domain   -         -          type    -       -
 *
 * Multishot (R10): one op, many events; a capability. addr and len of
 * RECV_MULTI are the reactor's:
 *
 *   opcode       fd       addr  addr2  len     offset  op_flags   buffer_group
 *   ACCEPT_MULTI listener -     -      -       -       SOCK_...   -
 *   RECV_MULTI   socket   -     -      -       -       MSG_...    group
 *   POLL_MULTI   any      -     -      events  -       -          -
 *
 * Zero-copy (R2): a capability. What is not declared the core asks for as SEND:
 *
 *   opcode       fd       addr   addr2     len     offset  op_flags
 *   SEND_ZC      socket   buffer -         bytes   -       MSG_...
 *
 * "= x" is in offset2, which shares its place with addr2. fd2 is the folder of
 * the new path, SPLICE's source, and SOCKET's protocol; -1 as an offset is
 * PONS_AT_POSITION.
 *
 * `events` are POLLIN, POLLOUT and so on of poll(2), and so is POLL's result.
 * ACCEPT (each of a multishot, too), OPENAT and SOCKET give a new descriptor,
 * close-on-exec and non-blocking as their flags say; it is the taker's to
 * close. Nothing raises SIGPIPE.
 *
 * Ownership   Caller-owned. From submit until its last event the op and all it
 *             points to stay where they are (R2).
 */

#include "base.h"

enum pons_opcode {
    PONS_OP_NOP,
    PONS_OP_ACCEPT,
    PONS_OP_CONNECT,
    PONS_OP_RECV,
    PONS_OP_SEND,
    PONS_OP_READ,
    PONS_OP_WRITE,
    PONS_OP_POLL,
    PONS_OP_RECVMSG,
    PONS_OP_SENDMSG,
    PONS_OP_READV,
    PONS_OP_WRITEV,
    PONS_OP_OPENAT,
    PONS_OP_CLOSE,
    PONS_OP_FSYNC,
    PONS_OP_FDATASYNC,
    PONS_OP_FALLOCATE,
    PONS_OP_FTRUNCATE,
    PONS_OP_STATX,
    PONS_OP_RENAMEAT,
    PONS_OP_UNLINKAT,
    PONS_OP_MKDIRAT,
    PONS_OP_LINKAT,
    PONS_OP_SYMLINKAT,
    PONS_OP_SPLICE,
    PONS_OP_SHUTDOWN,
    PONS_OP_WAITID,
    PONS_OP_SOCKET,
    PONS_OP_ACCEPT_MULTI,
    PONS_OP_RECV_MULTI,
    PONS_OP_POLL_MULTI,
    PONS_OP_SEND_ZC,
    PONS_OPCODES, /* how many; grows at the end */
};

/* An offset that means: where the descriptor stands. */
#define PONS_AT_POSITION UINT64_MAX

struct pons_reactor;

struct pons_op {
    /* Line 0. `next` and `backend` are the reactor's while it has the op. */
    struct pons_op *next;
    uint8_t opcode; /* enum pons_opcode */
    uint8_t state;  /* the core's */
    uint16_t flags; /* the core's */
    int32_t fd;
    int32_t res; /* set by submit when it answers DONE */
    uint32_t event_flags;
    void *user;                   /* the core's */
    struct pons_reactor *reactor; /* which one has, or had, the op */
    uint64_t backend[3];

    /* Line 1. Read by submit; a reactor that retries may read it again. */
    void *addr;
    union {
        void *addr2;
        uint64_t offset2;
    };
    uint64_t offset;
    uint32_t len;
    uint32_t op_flags;
    uint16_t buffer_group, buffer_index;
    int32_t fd2;
    uint64_t backend2;
    uint64_t core[2]; /* the core's inbox */
};

PONS_STATIC_ASSERT(sizeof(struct pons_op) == 128, "ABI: pons_op");
PONS_STATIC_ASSERT(offsetof(struct pons_op, addr) == 64, "ABI: pons_op");

#endif /* PONS_OP_H */
