/* SPDX-License-Identifier: MIT */
/*
 * tests/null_test.c - the options of backends/null.c; its rules are kit/'s.
 */

#include "test_host.h"
#include "unit.h"

extern const struct pons_plugin *const poni_builtin_null;

static void
inline_ends_ops_in_submit(void)
{
    struct pons_op op = {.opcode = PONS_OP_SEND, .fd = -1, .len = 9};
    struct pons_reason reason;
    struct pons_reactor *r;
    struct pons_event ev;

    CHECK_EQ(
        test_open_with(&r, poni_builtin_null->engines, "inline", 1, &reason),
        0);
    CHECK_EQ(r->ops->submit(r, &op), PONS_SUBMIT_DONE);
    CHECK_EQ(op.res, 9);
    op.opcode = PONS_OP_CONNECT;
    CHECK_EQ(r->ops->submit(r, &op), PONS_SUBMIT_DONE);
    CHECK_EQ(op.res, 0);
    CHECK_EQ(r->ops->poll(r, &ev, 1, 0), 0);
    r->ops->close(r);
}

static const struct unit_test tests[] = {
    {"inline_ends_ops_in_submit", inline_ends_ops_in_submit},
    {0},
};

int
main(int argc, char **argv)
{
    return unit_main("null", tests, argc, argv);
}
