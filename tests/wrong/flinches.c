/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/flinches.c - breaks R9: a CONNECT that a signal interrupts has
 * EINTR as its result.
 */

#include "adapted.h"

#include <time.h>

static int
flinches_submit(struct pons_reactor *r, struct pons_op *op)
{
    struct timespec handshake = {.tv_nsec = 200000};

    if (op->opcode != PONS_OP_CONNECT || nanosleep(&handshake, NULL) == 0)
        return adapter_submit(r, op);
    op->res = -errno;
    return PONS_SUBMIT_DONE;
}

REACTOR("flinches", adapted_ops.submit = flinches_submit)
