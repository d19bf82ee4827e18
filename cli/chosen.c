/* SPDX-License-Identifier: MIT */
/*
 * cli/chosen.c - what a runtime was made of. The one file of the command that
 * knows how a runtime looks inside.
 */

#include "chosen.h"

#include <errno.h>
#include <string.h>

#include "core/fail.h"
#include "core/opcode.h"
#include "core/runtime.h"

/* Whether ops end as if they had succeeded, and nothing was done. */
static int
chosen_pretends(const struct pons_runtime *rt)
{
    return strcmp(rt->reactor.entry->name, "null") == 0;
}

int
chosen_runtime_new(struct pons_runtime **out)
{
    int err = pons_runtime_new(out, NULL);

    if (err < 0 || !chosen_pretends(*out))
        return err;
    err = poni_fail(-EINVAL,
                    "%s: the reactor null does no I/O, it is for measuring the "
                    "runtime; wanted another one here, such as epoll, or auto",
                    (*out)->settings.value[SETTING_REACTOR].label);
    pons_runtime_unref(*out);
    *out = NULL;
    return err;
}

const struct poni_choice *
chosen_reactor(const struct pons_runtime *rt)
{
    return &rt->reactor;
}

const struct poni_choice *
chosen_files(const struct pons_runtime *rt)
{
    return rt->files.entry != NULL ? &rt->files : NULL;
}

const struct poni_choice *
chosen_pool(const struct pons_runtime *rt)
{
    return &rt->policy;
}

const char *
chosen_operation(const struct pons_runtime *rt, unsigned i, char *who,
                 size_t size)
{
    return poni_operation_explain(rt, i, who, size);
}

const struct poni_settings *
chosen_settings(const struct pons_runtime *rt)
{
    return &rt->settings;
}
