/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/closes_twice.c - breaks R9: forget closes a copy of its own a
 * second time, when the number may be somebody else's.
 */

#include "adapted.h"

#include <fcntl.h>

enum { LOOKS = 200 }; // for somebody else; so that it happens here and now

static int
closes_twice_forget(struct pons_reactor *r, int fd)
{
    int copy = dup(fd);

    close(copy);
    for (int i = 0; i < LOOKS && fcntl(copy, F_GETFD) < 0; i++)
        continue;
    close(copy);
    return adapter_forget(r, fd);
}

REACTOR("closes_twice", adapted_ops.forget = closes_twice_forget)
