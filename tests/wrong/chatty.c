/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/chatty.c - breaks R6: each submit is a system call.
 */

#include "pretence.h"

static int
chatty_submit(struct pons_reactor *r, struct pons_op *op)
{
    (void)getppid();
    return null_submit(r, op);
}

PRETENCE("chatty", pretence_ops.submit = chatty_submit,
         pretence_caps = PONS_REACTOR_COMPLETION)
