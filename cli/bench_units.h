/* SPDX-License-Identifier: MIT */
#ifndef CLI_BENCH_UNITS_H
#define CLI_BENCH_UNITS_H

/*
 * cli/bench_units.h - quantities as people read them: three digits, and the
 * unit that fits.
 */

#include <stddef.h>

/* "12.3 us" of 12345 "ns", "8.50 KiB" of 8704 "B", "0.25" of 0.25 "1"; any
 * other unit as it is. */
void bench_units_write(char *text, size_t size, double value, const char *unit);

#endif /* CLI_BENCH_UNITS_H */
