/* SPDX-License-Identifier: MIT */
#ifndef KIT_POLLER_H
#define KIT_POLLER_H

/*
 * kit/poller.h - what tests of pollers use: one without the adapter.
 */

#include "kit.h"
#include "pons/poller.h"

struct pons_poller *kit_poller_open(struct kit *k);
void kit_poller_close(struct pons_poller *p);

/* control(), which succeeds. */
void kit_control(struct pons_poller *p, int fd, uint64_t cookie, unsigned had,
                 unsigned want);

/* One report, however long it takes; it is well formed. */
struct pons_ready kit_report(struct pons_poller *p);

/* Looks until nothing is reported any more; the directions that were. */
unsigned kit_reported(struct pons_poller *p);

/* A look: nothing is reported, `because`. */
void kit_no_report(struct pons_poller *p, const char *because);

#endif /* KIT_POLLER_H */
