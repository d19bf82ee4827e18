/* SPDX-License-Identifier: MIT */
#ifndef PONS_BASE_H
#define PONS_BASE_H

/*
 * pons/base.h - what every other header of Pons stands on.
 *
 * Results     0, or a count where there is one, or a negated errno. The
 *             sentence for the last failure is pons_last_error()'s.
 * Durations   uint64_t nanoseconds, named ..._ns.
 * Deadlines   uint64_t nanoseconds of CLOCK_MONOTONIC; PONS_NEVER is none.
 * Structs     that callers embed are frozen within a major version: their sizes
 *             are asserted here and reserved words are zeroed by ..._init().
 */

#include <stddef.h>
#include <stdint.h>

#define PONS_VERSION "0.1.0"

/* The plugin and library ABI: major in the high half, minor in the low. */
#define PONS_ABI_MAJOR 0u
#define PONS_ABI_MINOR 1u
#define PONS_ABI       ((PONS_ABI_MAJOR << 16) | PONS_ABI_MINOR)

#define PONS_NEVER UINT64_MAX

#if defined(__GNUC__)
#define PONS_API           __attribute__((visibility("default")))
#define PONS_MUST_USE      __attribute__((warn_unused_result))
#define PONS_PRINTF(f, a)  __attribute__((format(printf, f, a)))
#define PONS_FALLTHROUGH   __attribute__((fallthrough))
#define PONS_CLEANUP(func) __attribute__((cleanup(func)))
#else
#define PONS_API
#define PONS_MUST_USE
#define PONS_PRINTF(f, a)
#define PONS_FALLTHROUGH
#define PONS_CLEANUP(func)
#endif

#ifdef __cplusplus
#define PONS_EXTERN_C                 extern "C"
#define PONS_STATIC_ASSERT(cond, msg) static_assert(cond, msg)
#else
#define PONS_EXTERN_C
#define PONS_STATIC_ASSERT(cond, msg) _Static_assert(cond, msg)
#endif

#define PONS_STRING_(x) #x
#define PONS_STRING(x)  PONS_STRING_(x)

/* The place in the source where it stands, "file.c:12": a task's birth. */
#define PONS_HERE __FILE__ ":" PONS_STRING(__LINE__)

/* The struct of `type` whose `member` is at `ptr`. */
#define pons_container_of(ptr, type, member) \
    ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

#endif /* PONS_BASE_H */
