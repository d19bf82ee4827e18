/* SPDX-License-Identifier: MIT */
/*
 * bench/limits/zerocopy.c - what a send without a copy costs, and what it
 * spares: by size, beside a plain send of the same ring.
 *
 * Loopback copies all the same, later. So datagrams go to a network device that
 * throws them away (dummy, or ifb where there is no dummy), in a namespace of
 * this program's own, which takes root. That is the best a device can do: a
 * buffer is free at once.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <liburing.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"

/* Younger than liburing 2.3. */
#define REPORT_USAGE (1u << 3) // Linux 6.2
#define COPIED       (1u << 31)

enum {
    AT_ONCE = 8, // sends per system call, each of a buffer of its own
    FEW = AT_ONCE,
    MANY = 512, // buffers: more than a cache holds
    SENDS = 100000,
    BUFFER = 64 * 1024, // a datagram has less
    PORT = 7,
};

#define DEVICE                                                       \
    "(ip link add pons0 mtu 65535 type dummy ||"                     \
    " ip link add pons0 mtu 65535 type ifb) 2>/dev/null &&"          \
    " ip addr add 10.77.0.1/24 dev pons0 && ip link set pons0 up &&" \
    " ip link set lo up"

static struct io_uring ring;
static char *buffers;

/* NULL, or why not. */
static const char *
network(void)
{
    static enum { NEW, READY, REFUSED } state;

    if (state == NEW) {
        state =
            unshare(CLONE_NEWNET) == 0 && system(DEVICE) == 0 ? READY : REFUSED;
        if (state == READY) {
            bench_must(io_uring_queue_init(2 * AT_ONCE, &ring, 0) == 0,
                       "a ring");
            buffers = aligned_alloc(4096, (size_t)MANY * BUFFER);
            bench_must(buffers != NULL, "buffers");
            memset(buffers, 'x', (size_t)MANY * BUFFER);
        }
    }
    return state == READY ? NULL
                          : "a network namespace with a device of its own "
                            "needs root, and ip(8)";
}

static int
connected_to(const char *address)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    bench_must(inet_pton(AF_INET, address, &to.sin_addr) == 1 &&
                   connect(fd, (struct sockaddr *)&to, sizeof to) == 0,
               "connect");
    return fd;
}

/* Takes what comes, and throws it away when it has no more room. */
static int
listening(void)
{
    struct sockaddr_in here = {.sin_family = AF_INET,
                               .sin_port = htons(PORT),
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    bench_must(bind(fd, (struct sockaddr *)&here, sizeof here) == 0, "bind");
    return fd;
}

/* The next of so many buffers. */
static void
fill(int fd, size_t bytes, unsigned count, int zero_copy)
{
    static unsigned turn;

    for (int i = 0; i < AT_ONCE; i++) {
        struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);
        char *buffer = buffers + (size_t)(turn++ % count) * BUFFER;

        if (zero_copy)
            io_uring_prep_send_zc(sqe, fd, buffer, bytes, 0, REPORT_USAGE);
        else
            io_uring_prep_send(sqe, fd, buffer, bytes, 0);
    }
}

/* How many of the next sends have ended were copied all the same. */
static unsigned
take(unsigned completions, size_t bytes)
{
    unsigned copied = 0;

    for (unsigned i = 0; i < completions; i++) {
        struct io_uring_cqe *cqe;

        bench_must(io_uring_wait_cqe(&ring, &cqe) == 0, "a completion");
        if (cqe->flags & IORING_CQE_F_NOTIF)
            copied += ((unsigned)cqe->res & COPIED) != 0;
        else
            bench_must(cqe->res == (int)bytes, "a send");
        io_uring_cqe_seen(&ring, cqe);
    }
    return copied;
}

static void
sends(struct bench_run *r, const char *address, size_t bytes, unsigned count,
      int zero_copy)
{
    unsigned completions = zero_copy ? 2 * AT_ONCE : AT_ONCE;
    uint64_t ops = bench_ops(r, SENDS), copied = 0;
    const char *why = network();
    int fd, other;

    if (why != NULL) {
        bench_skip(r, why);
        return;
    }
    other = listening();
    fd = connected_to(address);
    bench_start(r);
    for (uint64_t i = 0; i < ops; i += AT_ONCE) {
        fill(fd, bytes, count, zero_copy);
        bench_must(io_uring_submit_and_wait(&ring, completions) == AT_ONCE,
                   "io_uring_enter");
        copied += take(completions, bytes);
    }
    bench_stop(r, ops);
    bench_value(r, "copied", "", (double)copied / (double)ops);
    close(fd);
    close(other);
}

#define CASE(where, address, n, count)              \
    static void where##_##n(struct bench_run *r)    \
    {                                               \
        sends(r, address, (n)*1024, count, 0);      \
    }                                               \
    static void where##_zc_##n(struct bench_run *r) \
    {                                               \
        sends(r, address, (n)*1024, count, 1);      \
    }
#define DEVICE_CASE(n)   CASE(device, "10.77.0.2", n, FEW)
#define COLD_CASE(n)     CASE(cold, "10.77.0.2", n, MANY)
#define LOOPBACK_CASE(n) CASE(loopback, "127.0.0.1", n, FEW)

DEVICE_CASE(1)
DEVICE_CASE(2)
DEVICE_CASE(4)
DEVICE_CASE(8)
DEVICE_CASE(16)
DEVICE_CASE(32)
DEVICE_CASE(63)
COLD_CASE(4)
COLD_CASE(8)
COLD_CASE(16)
COLD_CASE(32)
COLD_CASE(63)
LOOPBACK_CASE(4)
LOOPBACK_CASE(16)
LOOPBACK_CASE(63)

// clang-format off
#define CASES(way) \
    {.name = "device, 1 KiB", .run = device##way##1}, \
    {.name = "device, 2 KiB", .run = device##way##2}, \
    {.name = "device, 4 KiB", .run = device##way##4}, \
    {.name = "device, 8 KiB", .run = device##way##8}, \
    {.name = "device, 16 KiB", .run = device##way##16}, \
    {.name = "device, 32 KiB", .run = device##way##32}, \
    {.name = "device, 63 KiB", .run = device##way##63}, \
    {.name = "device, not in the cache, 4 KiB", .run = cold##way##4}, \
    {.name = "device, not in the cache, 8 KiB", .run = cold##way##8}, \
    {.name = "device, not in the cache, 16 KiB", .run = cold##way##16}, \
    {.name = "device, not in the cache, 32 KiB", .run = cold##way##32}, \
    {.name = "device, not in the cache, 63 KiB", .run = cold##way##63}, \
    {.name = "loopback, 4 KiB", .run = loopback##way##4}, \
    {.name = "loopback, 16 KiB", .run = loopback##way##16}, \
    {.name = "loopback, 63 KiB", .run = loopback##way##63}, \
    {0}
// clang-format on

#define HOW                                                                   \
    "datagrams from eight buffers in turn, or 512, eight per system call of " \
    "io_uring, to a device that throws them away, or to a socket that "       \
    "nobody reads"

#define SILENT "what a driver and its hardware do; TCP's acknowledgements"

static const struct bench_case plain_cases[] = {CASES(_)};
static const struct bench_case zero_copy_cases[] = {CASES(_zc_)};

static const struct bench_workload plain = {
    .name = "zerocopy",
    .subject = "send",
    .measures = "a send that copies",
    .how = HOW,
    .silent = SILENT,
    .cases = plain_cases,
};

static const struct bench_workload zero_copy = {
    .name = "zerocopy",
    .subject = "send_zc",
    .measures = "a send that lends its buffer, to the end of that",
    .how = HOW,
    .silent = SILENT,
    .cases = zero_copy_cases,
};

int
main(int argc, char **argv)
{
    return bench_main(
        (const struct bench_workload *const[]){&plain, &zero_copy, NULL}, argc,
        argv);
}
