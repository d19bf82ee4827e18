/* SPDX-License-Identifier: MIT */
#ifndef LOCALHOST_H
#define LOCALHOST_H

/*
 * tests/localhost.h - a bare system has no /etc/hosts, and "localhost" no
 * address.
 */

#include <netdb.h>
#include <stddef.h>

#include "unit.h"

static inline int
localhost_is_known(void)
{
    struct addrinfo *found;

    if (getaddrinfo("localhost", "1", NULL, &found) != 0)
        return 0;
    freeaddrinfo(found);
    return 1;
}

#define NEEDS_LOCALHOST()                                         \
    do {                                                          \
        if (!localhost_is_known())                                \
            SKIP("this system has no address for \"localhost\""); \
    } while (0)

#endif /* LOCALHOST_H */
