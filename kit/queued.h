/* SPDX-License-Identifier: MIT */
#ifndef KIT_QUEUED_H
#define KIT_QUEUED_H

/*
 * kit/queued.h - how long a process could run and was not let, since others
 * did.
 */

#include <stdint.h>
#include <sys/types.h>

/* The threads that it has now, added up; 0 if it has gone, or nothing is known.
 * Of threads that wait for each other in turn that is what it seems to be. */
uint64_t kit_queued_ns(pid_t pid);

/* How long it ran, on all processors together; 0 as above. */
uint64_t kit_ran_ns(pid_t pid);

/* The calling thread may end before its test: what it was queued for is kept in
 * the verdict then. */
void kit_queued_keep(void);

#endif /* KIT_QUEUED_H */
