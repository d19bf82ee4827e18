/* SPDX-License-Identifier: MIT */
/*
 * cli/transfer.c - one URL fetched.
 *
 * libcurl's bytes are gathered in one of two chunks. A full chunk goes to the
 * blocking pool, where it is hashed and written, while the other one fills;
 * when both are full libcurl is told to pause, and the sender with it. So a
 * body of any size takes two chunks of memory, and neither hashing nor a slow
 * disk ever holds up the worker that drives the sockets.
 */

#include "transfer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "body.h"
#include "pons/bridge.h"
#include "pons/time.h"

enum {
    CHUNK_BYTES = 128 * 1024, // a job's worth: its hand-over is lost in it
    REDIRECTS_MAX = 10,       // as browsers: a circle is longer than that
    CONNECT_SECONDS = 30,     // without --timeout
    STALL_SECONDS = 30,       // without --timeout: no byte in that time
};

/*
 *           transfer_start             both chunks are full
 *   IDLE ------------------> RECEIVING --------------------> PAUSED
 *    ^                         |    ^                           |
 *    |                         |    +---------------------------+
 *    |   libcurl has ended     |          a job has ended
 *    |                         v
 *    +--------------------- DRAINING
 *       the last job has ended
 *
 * Any state goes to IDLE by a failure or transfer_abort. A job may be in course
 * in all of them but IDLE; while it is, the body is the job's.
 */
enum transfer_state {
    TRANSFER_IDLE,
    TRANSFER_RECEIVING,
    TRANSFER_PAUSED,
    TRANSFER_DRAINING,
};

struct chunk {
    char *bytes; // owned; CHUNK_BYTES
    size_t used;
};

struct transfer {
    const struct transfer_setting *setting;
    enum transfer_state state;
    struct row *row; // borrowed; NULL: IDLE
    uint64_t started_ns;

    struct curl_job curl;
    char error[CURL_ERROR_SIZE];

    struct chunk chunks[2];
    unsigned filling; // which of them; the other is the job's, or empty

    struct any_member *member; // armed: `job` is in course
    struct pons_blocking job;
    struct body body;
    enum { JOB_MORE, JOB_LAST } job_kind; // set before the job starts
};

static struct chunk *
transfer_job_chunk(struct transfer *t)
{
    return &t->chunks[!t->filling];
}

/* On a pool thread. */
static int64_t
transfer_work(void *arg)
{
    struct transfer *t = arg;
    const struct chunk *c = transfer_job_chunk(t);
    int err = 0;

    if (c->used > 0)
        err = body_add(&t->body, c->bytes, c->used);
    if (err == 0 && t->job_kind == JOB_LAST)
        err = body_end(&t->body, t->row->digest);
    return err;
}

/* On a pool thread, or here when there is none to be had. */
static int64_t
transfer_discard(void *arg)
{
    struct transfer *t = arg;

    body_discard(&t->body);
    return 0;
}

/* Gives the chunk that was being filled to the pool. */
static void
transfer_submit(struct transfer *t, int kind)
{
    t->job_kind = kind;
    t->filling = !t->filling;
    t->chunks[t->filling].used = 0;
    pons_blocking_init(&t->job, NULL, transfer_work, t);
    any_arm(t->member, &t->job.base);
}

/* The row is decided: the transfer is idle again. */
static void
transfer_settle(struct transfer *t, enum row_state state)
{
    t->row->state = state;
    t->row->time_ns = pons_now() - t->started_ns;
    t->row = NULL;
    t->state = TRANSFER_IDLE;
}

static void
transfer_end(struct transfer *t, enum row_state state)
{
    transfer_settle(t, state);
    t->setting->ended(t->setting->arg, t);
}

/* Ends it unsuccessfully; row->reason is set. No job is in course. */
static void
transfer_give_up(struct transfer *t)
{
    t->row->digest[0] = '\0';
    if (t->body.fd >= 0 && pons_blocking(transfer_discard, t, NULL) < 0)
        transfer_discard(t);
}

static void
transfer_fail(struct transfer *t, int err)
{
    if (t->state == TRANSFER_RECEIVING || t->state == TRANSFER_PAUSED)
        curl_loop_stop(t->setting->loop, &t->curl);
    if (t->row->file)
        snprintf(t->row->reason, REASON_TEXT, "cannot write %.200s: %s",
                 t->row->file, strerror(-err));
    else
        snprintf(t->row->reason, REASON_TEXT, "cannot hash the body: %s",
                 strerror(-err));
    transfer_give_up(t);
    transfer_end(t, ROW_FAILED);
}

/* The whole body is hashed and kept. */
static void
transfer_complete(struct transfer *t)
{
    if (t->row->status < 400) {
        transfer_end(t, ROW_OK);
        return;
    }
    snprintf(t->row->reason, REASON_TEXT, "HTTP status %ld", t->row->status);
    transfer_end(t, ROW_FAILED);
}

static void
transfer_worked(void *arg)
{
    struct transfer *t = arg;
    int64_t err = t->job.base.result;

    if (err < 0) {
        transfer_fail(t, (int)err);
        return;
    }
    switch (t->state) {
    case TRANSFER_PAUSED:
        t->state = TRANSFER_RECEIVING;
        /* May call transfer_receive() at once, with what it held back. */
        curl_easy_pause(t->curl.easy, CURLPAUSE_CONT);
        break;
    case TRANSFER_DRAINING:
        if (t->job_kind == JOB_LAST)
            transfer_complete(t);
        else
            transfer_submit(t, JOB_LAST);
        break;
    case TRANSFER_IDLE:
    case TRANSFER_RECEIVING:
        break;
    }
}

/* The answer of an error is hashed, but it is not what was asked for. */
static int
transfer_first_bytes(struct transfer *t)
{
    curl_easy_getinfo(t->curl.easy, CURLINFO_RESPONSE_CODE, &t->row->status);
    if (t->row->status >= 400)
        t->row->file = NULL;
    return body_start(&t->body, t->row->file ? t->setting->dir : -1,
                      t->row->file);
}

/* CURLOPT_WRITEFUNCTION: at most CURL_MAX_WRITE_SIZE bytes at a time. */
static size_t
transfer_receive(char *bytes, size_t one, size_t size, void *arg)
{
    struct transfer *t = arg;
    struct chunk *c = &t->chunks[t->filling];

    (void)one;
    if (c->used + size > CHUNK_BYTES) {
        if (any_armed(t->member)) {
            t->state = TRANSFER_PAUSED;
            return CURL_WRITEFUNC_PAUSE;
        }
        transfer_submit(t, JOB_MORE);
        c = &t->chunks[t->filling];
    }
    if (t->row->bytes == 0 && transfer_first_bytes(t) < 0)
        return CURL_WRITEFUNC_ERROR;
    memcpy(c->bytes + c->used, bytes, size);
    c->used += size;
    t->row->bytes += size;
    return size;
}

/* libcurl's words; for a connection it knows only that there was none. */
static void
transfer_explain(struct transfer *t, CURLcode code)
{
    const char *words = t->error[0] ? t->error : curl_easy_strerror(code);
    long number = 0;

    curl_easy_getinfo(t->curl.easy, CURLINFO_OS_ERRNO, &number);
    if (code == CURLE_COULDNT_CONNECT && number > 0)
        snprintf(t->row->reason, REASON_TEXT, "cannot connect: %s",
                 strerror((int)number));
    else
        snprintf(t->row->reason, REASON_TEXT, "%s", words);
}

static void
transfer_received(void *arg, CURLcode code)
{
    struct transfer *t = arg;
    int err = 0;

    curl_easy_getinfo(t->curl.easy, CURLINFO_RESPONSE_CODE, &t->row->status);
    t->state = TRANSFER_DRAINING;
    if (code != CURLE_OK) {
        transfer_explain(t, code);
        any_disarm(t->member);
        transfer_give_up(t);
        transfer_end(t, ROW_FAILED);
        return;
    }
    if (t->row->bytes == 0)
        err = transfer_first_bytes(t);
    if (err < 0)
        transfer_fail(t, err);
    else if (!any_armed(t->member))
        transfer_submit(t, JOB_LAST);
}

static long
milliseconds(uint64_t ns)
{
    return (long)((ns + PONS_MS - 1) / PONS_MS);
}

static CURLcode
transfer_set_limits(const struct transfer *t)
{
    CURL *e = t->curl.easy;
    uint64_t timeout_ns = t->setting->timeout_ns;

    if (timeout_ns)
        return curl_easy_setopt(e, CURLOPT_TIMEOUT_MS,
                                milliseconds(timeout_ns));
    curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS);
    curl_easy_setopt(e, CURLOPT_LOW_SPEED_LIMIT, 1L);
    return curl_easy_setopt(e, CURLOPT_LOW_SPEED_TIME, (long)STALL_SECONDS);
}

/*
 * Those whose failure would change what is fetched are looked at; the others
 * cannot fail in a libcurl that has them.
 */
static CURLcode
transfer_setup(struct transfer *t)
{
    CURL *e = t->curl.easy;
    CURLcode code;

    curl_easy_reset(e);
    curl_easy_setopt(e, CURLOPT_ERRORBUFFER, t->error);
    curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    /* Or giving up a name look-up would wait here until it has ended. */
    curl_easy_setopt(e, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(e, CURLOPT_USERAGENT, "pons/" PONS_VERSION);
    curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(e, CURLOPT_MAXREDIRS, (long)REDIRECTS_MAX);
    curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, transfer_receive);
    curl_easy_setopt(e, CURLOPT_WRITEDATA, t);
    if (t->setting->direct)
        curl_easy_setopt(e, CURLOPT_NOPROXY, "*");
    code = transfer_set_limits(t);
    if (code == CURLE_OK && t->setting->cacert)
        code = curl_easy_setopt(e, CURLOPT_CAINFO, t->setting->cacert);
    if (code == CURLE_OK) // of redirects too
        code = curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
    if (code == CURLE_OK)
        code = curl_easy_setopt(e, CURLOPT_URL, t->row->url);
    return code;
}

int
transfer_new(struct transfer **out, const struct transfer_setting *setting)
{
    struct transfer *t = calloc(1, sizeof *t);
    int err;

    if (!t)
        return -ENOMEM;
    t->setting = setting;
    t->curl.done = transfer_received;
    t->curl.arg = t;
    t->curl.easy = curl_easy_init();
    t->chunks[0].bytes = malloc(CHUNK_BYTES);
    t->chunks[1].bytes = malloc(CHUNK_BYTES);
    err = body_open(&t->body);
    if (err == 0)
        err = any_member_new(&t->member, setting->any, transfer_worked, t);
    if (!t->curl.easy || !t->chunks[0].bytes || !t->chunks[1].bytes)
        err = -ENOMEM;
    if (err < 0)
        transfer_free(t);
    else
        *out = t;
    return err;
}

void
transfer_free(struct transfer *t)
{
    if (!t)
        return;
    any_member_free(t->member);
    body_close(&t->body);
    free(t->chunks[0].bytes);
    free(t->chunks[1].bytes);
    curl_easy_cleanup(t->curl.easy);
    free(t);
}

void
transfer_start(struct transfer *t, struct row *row)
{
    CURLcode code;

    t->row = row;
    row->state = ROW_RUNNING;
    t->started_ns = pons_now();
    t->error[0] = '\0';
    t->chunks[0].used = t->chunks[1].used = 0;
    code = transfer_setup(t);
    if (code == CURLE_OK && curl_loop_start(t->setting->loop, &t->curl) < 0)
        code = CURLE_OUT_OF_MEMORY;
    if (code == CURLE_OK) {
        t->state = TRANSFER_RECEIVING;
        return;
    }
    snprintf(row->reason, REASON_TEXT, "%s", curl_easy_strerror(code));
    transfer_end(t, ROW_FAILED);
}

void
transfer_abort(struct transfer *t, const char *reason)
{
    if (t->state == TRANSFER_IDLE)
        return;
    if (t->state != TRANSFER_DRAINING)
        curl_loop_stop(t->setting->loop, &t->curl);
    any_disarm(t->member);
    snprintf(t->row->reason, REASON_TEXT, "%s", reason);
    transfer_give_up(t);
    transfer_settle(t, ROW_FAILED);
}
