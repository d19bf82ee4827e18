/* SPDX-License-Identifier: MIT */
#ifndef KIT_REPORT_H
#define KIT_REPORT_H

/*
 * kit/report.h - what an exam has shown: a page that an engine's author can
 * ship, and the same for machines.
 *
 * As JSON:
 *
 *     {"engine": "epoll", "kind": "poller", "path": null, "plugin": "epoll",
 *      "version": "0.1.0", "licence": "MIT", "abi_min": "0.0",
 *      "abi_max": "0.1", "pons": "0.1.0", "system": "Linux 6.1 ...",
 *      "only": null, "holds": true, "interrupted": false, "unusable": null,
 *      "tests": [{"rule": "R5", "test": "...", "outcome": "passed",
 *                 "sentence": null, "stderr": null, "seconds": 0.001}]}
 *
 * "outcome" is passed, failed, skipped or "not run"; "sentence" is what failed
 * or why it was skipped.
 */

#include <jansson.h>
#include <stdio.h>

#include "exam.h"

void kit_report_print(const struct kit_exam *e, FILE *out);

/* The caller's; NULL without memory. */
json_t *kit_report_json(const struct kit_exam *e);

/* Whether no rule is broken, and nothing is left to run. */
int kit_report_holds(const struct kit_exam *e);

#endif /* KIT_REPORT_H */
