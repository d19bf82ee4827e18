/* SPDX-License-Identifier: MIT */
#ifndef PONI_SYS_H
#define PONI_SYS_H

/*
 * core/sys.h - recv(2) and send(2) as the kernel has them: 0 or a count, or
 * -errno; errno is left alone.
 *
 * The C library's are cancellation points: in a process with threads each
 * changes the thread's state before and after by a locked operation, which
 * costs more than all that we do for the call. What never waits needs none. The
 * sanitizers have to see the call, and other processors have the library's.
 */

#include <errno.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#if defined(__has_feature)
#define SYS_HAS(feature) __has_feature(feature)
#else
#define SYS_HAS(feature) 0
#endif

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || \
    SYS_HAS(address_sanitizer) || SYS_HAS(thread_sanitizer) ||       \
    SYS_HAS(memory_sanitizer)
#define SYS_BY_LIBRARY 1
#elif defined(__x86_64__) && defined(__LP64__)
#define SYS_BY_LIBRARY 0

/* recvfrom(2) and sendto(2), to and from nobody in particular. */
static inline long
sys_transfer(int sends, int fd, void *buffer, size_t size, int flags)
{
    register long r10 __asm__("r10") = flags;
    register long r8 __asm__("r8") = 0;
    register long r9 __asm__("r9") = 0;
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"((long)(sends ? SYS_sendto : SYS_recvfrom)),
                       "D"((long)fd), "S"(buffer), "d"(size), "r"(r10), "r"(r8),
                       "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}
#elif defined(__aarch64__) && defined(__LP64__)
#define SYS_BY_LIBRARY 0

static inline long
sys_transfer(int sends, int fd, void *buffer, size_t size, int flags)
{
    register long x8 __asm__("x8") = sends ? SYS_sendto : SYS_recvfrom;
    register long x0 __asm__("x0") = fd;
    register void *x1 __asm__("x1") = buffer;
    register size_t x2 __asm__("x2") = size;
    register long x3 __asm__("x3") = flags;
    register long x4 __asm__("x4") = 0;
    register long x5 __asm__("x5") = 0;

    __asm__ volatile("svc 0"
                     : "+r"(x0)
                     : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                     : "memory", "cc");
    return x0;
}
#else
#define SYS_BY_LIBRARY 1
#endif

#if SYS_BY_LIBRARY
static inline long
sys_transfer(int sends, int fd, void *buffer, size_t size, int flags)
{
    int saved = errno;
    long n =
        sends ? send(fd, buffer, size, flags) : recv(fd, buffer, size, flags);

    n = n < 0 ? -errno : n;
    errno = saved;
    return n;
}
#endif

static inline long
poni_sys_recv(int fd, void *buffer, size_t size, int flags)
{
    return sys_transfer(0, fd, buffer, size, flags);
}

static inline long
poni_sys_send(int fd, void *buffer, size_t size, int flags)
{
    return sys_transfer(1, fd, buffer, size, flags);
}

#endif /* PONI_SYS_H */
