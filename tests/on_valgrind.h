/* SPDX-License-Identifier: MIT */
#ifndef ON_VALGRIND_H
#define ON_VALGRIND_H

/*
 * tests/on_valgrind.h - RUNNING_ON_VALGRIND, also where valgrind's header is
 * not installed.
 */

#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#else
#define RUNNING_ON_VALGRIND 0
#endif

#endif /* ON_VALGRIND_H */
