/* SPDX-License-Identifier: MIT */
#ifndef PONI_SIGPIPE_H
#define PONI_SIGPIPE_H

/*
 * core/sigpipe.h - a system call that cannot be told not to raise SIGPIPE.
 */

#include <signal.h>

struct poni_sigpipe {
    sigset_t mask; // the thread's, to be put back
    int was_pending;
};

/* From here to poni_sigpipe_end() this thread sees none of its own. Keeps errno
 * there: whether it is EPIPE says whether one was raised. */
void poni_sigpipe_begin(struct poni_sigpipe *s);
void poni_sigpipe_end(const struct poni_sigpipe *s, int failed);

#endif /* PONI_SIGPIPE_H */
