/* SPDX-License-Identifier: MIT */
#ifndef PONI_REPORTS_H
#define PONI_REPORTS_H

/*
 * core/reports.h - what engines have reported while this process runs: that
 * they fell back, or gave up (R15). The log says it once, to who listens then;
 * here it stays, for explain and the dump (P8).
 */

#include <stdio.h>

enum {
    REPORTS_MAX = 8,    // kept, of different texts; then the oldest goes
    REPORT_BYTES = 256, // of a text, with its end
    REPORT_PART = 32,   // of the engine's name, with its end
};

struct poni_report {
    char part[REPORT_PART], text[REPORT_BYTES];
    unsigned times;
};

/* Any thread. */
void poni_reports_add(const char *part, const char *text);

/* The oldest first. How many. */
unsigned poni_reports_take(struct poni_report out[REPORTS_MAX]);

/* A line of each: "reported by uring: ...". */
void poni_reports_print(FILE *out);

#endif /* PONI_REPORTS_H */
