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
 *   opcode    fd       addr      addr2      len     offset  op_flags
 *   NOP       -        -         -          res     -       -
 *   ACCEPT    listener sockaddr  socklen_t* -       -       SOCK_...
 *   CONNECT   socket   sockaddr  -          its len -       -
 *   RECV      socket   buffer    -          bytes   -       MSG_...
 *   SEND      socket   buffer    -          bytes   -       MSG_...
 *   READ      any      buffer    -          bytes   at, -1  -
 *   WRITE     any      buffer    -          bytes   at, -1  -
 *   POLL      any      -         -          events  -       -
 *
 * `events` are POLLIN, POLLOUT and so on of poll(2), and so is POLL's result.
 * ACCEPT gives a new descriptor, close-on-exec and non-blocking as op_flags
 * say; its result is the taker's to close. SEND never raises SIGPIPE.
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
    PONS_OPCODES, /* how many; grows at the end */
};

/* Offset of READ and WRITE that means: where the descriptor stands. */
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
