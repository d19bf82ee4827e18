/* SPDX-License-Identifier: MIT */
#ifndef LOCALHOST_H
#define LOCALHOST_H

/*
 * tests/localhost.h - a bare system has no /etc/hosts, and "localhost" no
 * address.
 */

#include <netdb.h>
#include <sys/socket.h>

#include "unit.h"

static inline int
localhost_is_known(void)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *found;

    if (getaddrinfo("localhost", "1", &hints, &found) != 0)
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
