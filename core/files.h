/* SPDX-License-Identifier: MIT */
#ifndef PONI_FILES_H
#define PONI_FILES_H

/*
 * core/files.h - the second engine of a seat, for operations on files
 * (PONS_FILES).
 *
 * It has the seat's owner, and nobody sleeps in it: while it has something its
 * pollable descriptor is watched by the seat's own reactor, where the owner
 * sleeps. It is asked, without waiting, until it has nothing more to tell (R7
 * of pons/reactor.h),
 *
 *   between tasks         if it has something in flight
 *   before a sleep        if it is `due`: it was given something
 *   after one             if its descriptor became readable
 *
 * An engine that answers poll with an error is given up: what comes then goes
 * where it would go without.
 */

#include "catalog.h"
#include "pons/reactor.h"

struct poni_seat;
struct pons_runtime;

/* The owner's, but for `broken`. */
struct poni_files {
    struct pons_reactor *reactor; // NULL: the seat has none
    int fd;                       // its pollable descriptor
    int broken;                   // -errno: given up; any thread reads it
    uint64_t inflight;            // ops that it has
    uint32_t due;
    uint32_t watched;     // `watch` is with the seat's reactor
    struct pons_op watch; // USER_FILES
};

/* Chooses by PONS_FILES, and opens one on each seat; the reactors are there. 0,
 * or -errno with the sentence. */
int poni_files_make(struct pons_runtime *rt);

/* Whether PONS_FILES says anything but the reactor's own choice. */
int poni_files_is_chosen(const struct poni_settings *settings);

/* A try_open for poni_choose() that closes what it opened: for those who only
 * want to know. `beside` is a struct poni_files_beside. */
int poni_files_probe(void *beside, const struct pons_engine *engine,
                     const struct pons_config *config,
                     struct pons_reason *reason);

struct poni_files_beside {
    const struct poni_choice *reactor; // its entry may be NULL: not known
    uint64_t caps;                     // of it
};

/* The engine that does `op` there, if that is another than the seat's reactor;
 * else NULL. */
struct pons_reactor *poni_files_engine(const struct poni_seat *s,
                                       const struct pons_op *op);

/* The owner: asks it, if it has something in flight. */
void poni_files_look(struct poni_seat *s);

/* The owner is about to sleep in the seat's reactor. 1: it must not, for
 * something has ended or is about to. */
int poni_files_settle(struct poni_seat *s);

/* The owner: the seat's reactor tells of the descriptor. */
void poni_files_event(struct poni_seat *s, uint32_t flags);

/* The owner, when it has nothing in flight: nothing is watched any more. */
void poni_files_leave(struct poni_seat *s);

/* Any thread, after that, or before it was ever used. */
void poni_files_close(struct poni_seat *s);

#endif /* PONI_FILES_H */
