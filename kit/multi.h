/* SPDX-License-Identifier: MIT */
#ifndef KIT_MULTI_H
#define KIT_MULTI_H

/*
 * kit/multi.h - what tests of R10 use: a multishot op, and buffers that are
 * lent.
 *
 * The trap is asking for more than the rule does: a success may be the last
 * event at any time, so who waits for the next one submits again; and no buffer
 * left is said by submit or by an event.
 */

#include "kit.h"

/* What tests of R10 stand on beside their rule's own: their ops wait, end and
 * are cancelled as others. */
#define KIT_MULTI_ON "R1 R2 R4 R5 R8 R9 R11 R12 R14"

/* Its address is in op.user, and events find it there. */
struct kit_multi {
    struct pons_reactor *r;
    struct pons_op how; // as it is submitted, each time
    struct pons_op op;  // the reactor's while it is pending
    int pending;
};

struct kit_told {
    struct kit_multi *of;
    struct pons_op *op; // of->op, or one that is not multishot: `of` is NULL
    int res;
    int buffer; // the number of what is lent, or -1
};

/* `len` is what a POLL_MULTI waits for; all else is in `how`. */
struct kit_multi kit_multi_of(struct pons_reactor *r, int opcode, int fd,
                              unsigned len);

/* Submits it, unless it is pending. 1: it is; or how it ended at once, -errno
 * or 0. */
int kit_multi_arm(struct kit_multi *m);

/* The next event, which may be of any op. */
struct kit_told kit_told_next(struct pons_reactor *r);

/* What an event says, which is checked for what all rules of multishot ops
 * have in common. */
struct kit_told kit_told_by(const struct pons_event *ev);

/* Its next event; submits it if it is not pending. */
struct kit_told kit_multi_next(struct kit_multi *m);

/* Its next event, which is a success. */
struct kit_told kit_multi_succeeds(struct kit_multi *m);

/* Its next event, or the end at once, is an error (or 0) and the last. */
void kit_multi_ends(struct kit_multi *m, int wanted);

/* Asks for its end, if it is pending. */
void kit_multi_cancel(struct kit_multi *m);

/* The same, and awaits it: what comes before is of no interest, and lends
 * nothing. */
void kit_multi_stop(struct kit_multi *m);

/* --- buffers --- */

struct kit_lent {
    struct pons_reactor *r;
    struct pons_buffers buffers;
    char *out; // by number: it is lent
    unsigned count_out;
};

/* Lends so many buffers. Freed after kit_close(). */
struct kit_lent kit_lend(struct pons_reactor *r, unsigned group, unsigned size,
                         unsigned count);
void kit_lent_free(struct kit_lent *l);

/* The bytes of an event that lends a buffer; it is out from now on. */
const char *kit_lent_take(struct kit_lent *l, const struct kit_told *t);
void kit_lent_return(struct kit_lent *l, int buffer);
void kit_lent_return_all(struct kit_lent *l);

/* What control says to RETURN. */
int kit_lent_try_return(struct pons_reactor *r, unsigned group, unsigned index);

/* --- a stream in which each byte says where it stands --- */

struct kit_count {
    unsigned sent, told;
};

/* Sends `n` more bytes. */
void kit_count_send(struct kit_count *c, int fd, unsigned n);

/* These are the next ones. */
void kit_count_check(struct kit_count *c, const char *bytes, int n);

/* What an event has brought is next; its buffer goes back. */
void kit_count_take(struct kit_count *c, struct kit_lent *l,
                    const struct kit_told *t);

/* The rest is there to be read: nothing is lost. */
void kit_count_rest(struct kit_count *c, int fd);

#endif /* KIT_MULTI_H */
