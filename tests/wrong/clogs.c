/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/clogs.c - breaks R8: each wake leaves a byte in a pipe in
 * blocking mode, that poll takes out: there may be no room for one more.
 */

#include "adapted.h"

#include <fcntl.h>

enum { FROM, TO, BUFFER = 4096 }; // in the state: both ends

static int
clogs_open(struct pons_reactor **out, const struct pons_config *config,
           const struct pons_host *host, struct pons_reason *reason)
{
    int err = adapted_open(out, config, host, reason), ends[2];

    if (err < 0)
        return err;
    if (pipe2(ends, O_CLOEXEC) < 0) {
        err = host->refuse(reason, -errno, "pipe: %s", strerror(errno));
        adapter_close(*out);
        return err;
    }
    adapted_state(*out)[FROM] = (uintptr_t)ends[FROM];
    adapted_state(*out)[TO] = (uintptr_t)ends[TO];
    return 0;
}

static void
clogs_close_ends(struct pons_reactor *r)
{
    close((int)adapted_state(r)[FROM]);
    close((int)adapted_state(r)[TO]);
}

static void
clogs_close(struct pons_reactor *r)
{
    clogs_close_ends(r);
    adapter_close(r);
}

static void
clogs_forked(struct pons_reactor *r)
{
    clogs_close_ends(r);
    adapter_forked(r);
}

static int
clogs_wake(struct pons_reactor *r)
{
    int saved = errno;

    (void)!write((int)adapted_state(r)[TO], "", 1);
    errno = saved;
    return adapter_wake(r);
}

static int
clogs_poll(struct pons_reactor *r, struct pons_event *events, unsigned cap,
           uint64_t deadline_ns)
{
    int n = adapter_poll(r, events, cap, deadline_ns);
    struct pollfd bell = {.fd = (int)adapted_state(r)[FROM], .events = POLLIN};
    char rings[BUFFER];

    while (poll(&bell, 1, 0) > 0)
        (void)!read(bell.fd, rings, sizeof rings);
    return n;
}

REACTOR("clogs", adapted_ops.open = clogs_open, adapted_ops.close = clogs_close,
        adapted_ops.forked = clogs_forked, adapted_ops.wake = clogs_wake,
        adapted_ops.poll = clogs_poll)
