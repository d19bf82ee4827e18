/* SPDX-License-Identifier: MIT */
#ifndef CLI_TRANSFER_H
#define CLI_TRANSFER_H

/*
 * cli/transfer.h - one URL fetched: libcurl receives, the pool hashes and
 * writes.
 *
 * A transfer is used again for one row after the other.
 *
 * Ownership   Rows, the any and the loop are borrowed.
 * Threads     The fiber of the curl_loop.
 */

#include <stdint.h>

#include "curl_loop.h"
#include "digest.h"

enum { REASON_TEXT = 256 }; // of a row: one sentence; longer ones are cut

enum row_state {
    ROW_WAITING,
    ROW_RUNNING,
    ROW_OK,
    ROW_FAILED, // `reason` says why
};

/* One line of the table. */
struct row {
    const char *url;
    const char *file; // its name in the directory; NULL: not kept
    enum row_state state;
    long status; // of HTTP; 0: there was no answer
    uint64_t bytes;
    uint64_t time_ns;
    char digest[DIGEST_TEXT]; // "" unless the whole body came
    char reason[REASON_TEXT];
};

struct transfer;

typedef void transfer_ended_f(void *arg, struct transfer *t);

/* What the transfers of one batch have in common. */
struct transfer_setting {
    struct any *any;
    struct curl_loop *loop;
    int dir;                 // where files go; -1: nowhere
    int direct;              // no proxy, whatever the environment says
    const char *cacert;      // file of certificates; NULL: the system's
    uint64_t timeout_ns;     // of each; 0: as long as something comes
    transfer_ended_f *ended; // the row is ROW_OK or ROW_FAILED
    void *arg;
};

/* 0 or -ENOMEM. Borrows `setting`. */
int transfer_new(struct transfer **out, const struct transfer_setting *setting);

/* Not running. NULL is allowed and does nothing. */
void transfer_free(struct transfer *t);

/* Begins `row`, which is ROW_WAITING. A failure is the row's, and told like any
 * other: ended() may be called from in here. */
void transfer_start(struct transfer *t, struct row *row);

/* Ends what is in course with `reason`; ended() is not called. Not running is
 * allowed and does nothing. */
void transfer_abort(struct transfer *t, const char *reason);

#endif /* CLI_TRANSFER_H */
