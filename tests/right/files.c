/* SPDX-License-Identifier: MIT */
/*
 * tests/right/files.c - does every operation there is by itself, at once where
 * it does not wait, so that their tests are run; but SEND_ZC, which is
 * tests/right/lends.c's.
 */

#include "tests/wrong/adapted.h"

#include "core/opcode.h"

static int
files_open(struct pons_reactor **out, const struct pons_config *config,
           const struct pons_host *host, struct pons_reason *reason)
{
    int err = adapted_open(out, config, host, reason);

    if (err < 0)
        return err;
    (*out)->caps |= PONS_REACTOR_FILES;
    (*out)->opcodes[0] = (UINT64_C(1) << PONS_OP_SEND_ZC) - 1;
    return 0;
}

static int
files_submit(struct pons_reactor *r, struct pons_op *op)
{
    if (op->opcode >= PONS_OPCODES || poni_op_way(op) == WAY_WAITS)
        return adapter_submit(r, op);
    op->res = poni_op_call(op);
    return PONS_SUBMIT_DONE;
}

REACTOR("files", adapted_ops.open = files_open,
        adapted_ops.submit = files_submit)
