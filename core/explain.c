/* SPDX-License-Identifier: MIT */
/*
 * core/explain.c - what was chosen and why, and who does which operation (P8).
 */

#include <stdio.h>

#include "opcode.h"
#include "reports.h"
#include "runtime.h"

/* What a program can ask for; an offset of 0 where the opcode has two ways. */
static const struct operation {
    const char *name; // NULL: the opcode's
    enum pons_opcode opcode;
    uint64_t offset;
} operations[] = {
    {NULL, PONS_OP_ACCEPT, 0},
    {NULL, PONS_OP_CONNECT, 0},
    {NULL, PONS_OP_RECV, 0},
    {NULL, PONS_OP_SEND, 0},
    {NULL, PONS_OP_RECVMSG, 0},
    {NULL, PONS_OP_SENDMSG, 0},
    {NULL, PONS_OP_READ, PONS_AT_POSITION},
    {NULL, PONS_OP_WRITE, PONS_AT_POSITION},
    {NULL, PONS_OP_POLL, 0},
    {NULL, PONS_OP_SHUTDOWN, 0},
    {NULL, PONS_OP_SOCKET, 0},
    {"pread", PONS_OP_READ, 0},
    {"pwrite", PONS_OP_WRITE, 0},
    {"preadv", PONS_OP_READV, 0},
    {"pwritev", PONS_OP_WRITEV, 0},
    {NULL, PONS_OP_OPENAT, 0},
    {NULL, PONS_OP_CLOSE, 0},
    {NULL, PONS_OP_FSYNC, 0},
    {NULL, PONS_OP_FDATASYNC, 0},
    {NULL, PONS_OP_FALLOCATE, 0},
    {NULL, PONS_OP_FTRUNCATE, 0},
    {NULL, PONS_OP_STATX, 0},
    {NULL, PONS_OP_RENAMEAT, 0},
    {NULL, PONS_OP_UNLINKAT, 0},
    {NULL, PONS_OP_MKDIRAT, 0},
    {NULL, PONS_OP_LINKAT, 0},
    {NULL, PONS_OP_SYMLINKAT, 0},
    {NULL, PONS_OP_SPLICE, 0},
    {NULL, PONS_OP_WAITID, 0},
    {NULL, PONS_OP_ACCEPT_MULTI, 0},
    {NULL, PONS_OP_RECV_MULTI, 0},
    {NULL, PONS_OP_POLL_MULTI, 0},
    {NULL, PONS_OP_SEND_ZC, 0},
};

/* The same questions, in the same order, as core/io.c and core/call.c ask. */
static void
operation_who(const struct pons_runtime *rt, const struct pons_op *op,
              char *who, size_t size)
{
    const struct pons_reactor *r = rt->seats[0].reactor;
    const char *reactor = r->ops->name, *pool = rt->policy.entry->name;
    const struct pons_reactor *files = poni_files_engine(&rt->seats[0], op);
    enum poni_way way = poni_op_way(op);

    if (files != NULL)
        (void)snprintf(who, size, "%s, beside %s", files->ops->name, reactor);
    else if (poni_reactor_does(r, op) &&
             !(rt->files_on_pool && way == WAY_BLOCKS))
        (void)snprintf(who, size, "%s", reactor);
    else if (way == WAY_AT_ONCE)
        (void)snprintf(who, size, "the caller, at once");
    else if (op->opcode == PONS_OP_SEND_ZC)
        (void)snprintf(who, size, "%s, by a plain send", reactor);
    else if (way == WAY_WAITS)
        (void)snprintf(who, size, "the caller, when %s's poll says so",
                       reactor);
    else if (op->opcode == PONS_OP_READ && !rt->files_on_pool)
        (void)snprintf(who, size, "the caller, if cached, else the pool %s",
                       pool);
    else if (op->opcode == PONS_OP_WAITID)
        (void)snprintf(who, size, "a pidfd in %s; for groups the pool %s",
                       reactor, pool);
    else
        (void)snprintf(who, size, "the pool %s", pool);
}

const char *
poni_operation_explain(const struct pons_runtime *rt, unsigned i, char *who,
                       size_t size)
{
    const struct operation *o = &operations[i];
    struct pons_op op = {.opcode = 0};

    if (i >= sizeof operations / sizeof *operations)
        return NULL;
    op.opcode = (uint8_t)o->opcode;
    op.offset = o->offset;
    operation_who(rt, &op, who, size);
    return o->name != NULL ? o->name : poni_opcode_name(o->opcode);
}

int
pons_runtime_explain(struct pons_runtime *rt, FILE *out)
{
    int err = poni_runtime_check(rt);

    if (err < 0)
        return err;
    fprintf(out, "%s\n", rt->reactor.story);
    if (rt->files.story != NULL)
        fprintf(out, "%s\n", rt->files.story);
    fprintf(out, "%s\n", rt->policy.story);
    fprintf(out, "workers %u, by %s\n", rt->workers,
            rt->settings.value[SETTING_WORKERS].origin);
    poni_reports_print(out);
    return 0;
}
