/* SPDX-License-Identifier: MIT */
/*
 * kit/pair.c - descriptors with two ends, one of them the engine's; and files.
 */

#include "kit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CHUNK = 4096 };

void
kit_unix_pair(int fds[2], int type)
{
    KIT_SYS(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds));
    KIT_SYS(fcntl(fds[0], F_SETFL, O_NONBLOCK));
}

int
kit_tcp_socket(int flags)
{
    return KIT_SYS(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0));
}

void
kit_connect(int fd, const struct sockaddr_in *address)
{
    KIT_SYS(connect(fd, (const struct sockaddr *)address, sizeof *address));
}

void
kit_bind(int fd, struct sockaddr_in *address)
{
    socklen_t size = sizeof *address;

    *address = (struct sockaddr_in){.sin_family = AF_INET,
                                    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    KIT_SYS(bind(fd, (struct sockaddr *)address, size));
    KIT_SYS(getsockname(fd, (struct sockaddr *)address, &size));
}

int
kit_tcp_listener(struct sockaddr_in *address, int flags)
{
    int fd = kit_tcp_socket(flags);

    kit_bind(fd, address);
    KIT_SYS(listen(fd, 16));
    return fd;
}

void
kit_tcp_nobody(struct sockaddr_in *address)
{
    kit_bind(kit_tcp_socket(0), address);
}

void
kit_tcp_pair(int fds[2])
{
    struct sockaddr_in address;
    int listener = kit_tcp_listener(&address, 0);

    fds[1] = kit_tcp_socket(0);
    kit_connect(fds[1], &address);
    fds[0] =
        KIT_SYS(accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK));
    close(listener);
}

void
kit_pipe(int fds[2])
{
    KIT_SYS(pipe2(fds, O_CLOEXEC | O_NONBLOCK));
}

int
kit_file(void)
{
    struct rlimit most;

    KIT_SYS(getrlimit(RLIMIT_FSIZE, &most));
    if (most.rlim_cur < KIT_FILE_BYTES)
        kit_skip("a file may have %llu bytes here at most (ulimit -f), and the "
                 "test wants %d",
                 (unsigned long long)most.rlim_cur, KIT_FILE_BYTES);
    return KIT_SYS(memfd_create("a file", MFD_CLOEXEC));
}

void
kit_high_pair(int fds[2])
{
    struct rlimit l;
    int low;

    KIT_SYS(getrlimit(RLIMIT_NOFILE, &l));
    if (l.rlim_max <= KIT_HIGH)
        kit_skip("a process may have %llu descriptors here at most (ulimit -n "
                 "-H), and the test wants one above %d",
                 (unsigned long long)l.rlim_max, KIT_HIGH);
    if (l.rlim_cur <= KIT_HIGH) {
        l.rlim_cur = KIT_HIGH + 1;
        KIT_SYS(setrlimit(RLIMIT_NOFILE, &l));
    }
    kit_unix_pair(fds, SOCK_STREAM);
    low = fds[0];
    fds[0] = KIT_SYS(fcntl(low, F_DUPFD_CLOEXEC, KIT_HIGH));
    close(low);
}

void
kit_close_pair(struct pons_reactor *r, int fds[2])
{
    kit_forget(r, fds[0]);
    close(fds[1]);
}

void
kit_say(int fd, const char *text)
{
    size_t n = strlen(text);

    KIT_EQ(write(fd, text, n), n, "bytes that the kit itself could write");
}

/* poll(2) says beforehand, whatever the descriptor's mode is. */
static int
pair_is(int fd, short events)
{
    struct pollfd p = {.fd = fd, .events = events};

    return poll(&p, 1, 0) == 1 && (p.revents & events) != 0;
}

void
kit_fill(int fd)
{
    static const char bytes[CHUNK];
    int flags = KIT_SYS(fcntl(fd, F_GETFL));

    KIT_SYS(fcntl(fd, F_SETFL, flags | O_NONBLOCK));
    while (write(fd, bytes, sizeof bytes) > 0 || errno == EINTR)
        continue;
    while (write(fd, bytes, 1) > 0 || errno == EINTR)
        continue;
    KIT_SYS(fcntl(fd, F_SETFL, flags));
}

void
kit_drain(int fd)
{
    char bytes[CHUNK];

    while (pair_is(fd, POLLIN) && read(fd, bytes, sizeof bytes) > 0)
        continue;
}
