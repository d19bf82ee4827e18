/* SPDX-License-Identifier: MIT */
#ifndef PONI_SHUTDOWN_H
#define PONI_SHUTDOWN_H

/*
 * core/shutdown.h - what the other files of the core do for a runtime's end.
 */

#include "runtime.h"

/* A worker that leaves: waits for what is still in its reactor. */
void poni_seat_drain(struct poni_seat *s);

/* Whether the caller is a task or a job of `rt`. */
int poni_inside(const struct pons_runtime *rt);

#endif /* PONI_SHUTDOWN_H */
