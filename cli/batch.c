/* SPDX-License-Identifier: MIT */
/*
 * cli/batch.c - many URLs fetched, so many at once.
 *
 * One fiber has it all: libcurl, the transfers, the signal and the progress
 * line are members of one `any`, whose turns are the main loop. It is a task
 * and not the caller's own wait, so that the sockets are the reactor's.
 */

#include "batch.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "pons/bridge.h"
#include "pons/stream.h"
#include "pons/task.h"
#include "pons/time.h"
#include "progress.h"

enum {
    STACK_BYTES = 512 * 1024, // libcurl, and OpenSSL below it, run on it
    TICK_MS = 100,            // a progress line that moves and costs nothing
};

struct batch_course {
    struct batch *batch;
    struct transfer_setting setting;
    struct any *any;

    struct transfer **transfers; // all of them
    struct transfer **idle;      // a stack of those without a row
    unsigned transfer_count, idle_count;
    unsigned next; // row to start

    struct pons_stream *stop;
    struct any_member *stop_member;
    struct pons_ready_wait stop_wait;

    struct progress progress;
    struct any_member *tick_member;
    struct pons_sleep tick;
};

static void
course_ended(void *arg, struct transfer *t)
{
    struct batch_course *c = arg;

    /* Its next row is started by the main loop and not here: rows that fail as
     * they start would be nested as deep as there are rows. */
    c->idle[c->idle_count++] = t;
}

static unsigned
course_running(const struct batch_course *c)
{
    return c->transfer_count - c->idle_count;
}

static void
course_start_rows(struct batch_course *c)
{
    while (c->idle_count > 0 && c->next < c->batch->count)
        transfer_start(c->idle[--c->idle_count], &c->batch->rows[c->next++]);
}

/* Ends what runs, and starts nothing more. */
static void
course_abort(struct batch_course *c, const char *reason)
{
    for (unsigned i = 0; i < c->transfer_count; i++)
        transfer_abort(c->transfers[i], reason);
    memcpy(c->idle, c->transfers, c->transfer_count * sizeof *c->idle);
    c->idle_count = c->transfer_count;
    for (; c->next < c->batch->count; c->next++) {
        struct row *row = &c->batch->rows[c->next];

        row->state = ROW_FAILED;
        snprintf(row->reason, REASON_TEXT, "not started: %s", reason);
    }
}

static void
course_stopped(void *arg)
{
    struct batch_course *c = arg;

    c->batch->interrupted = 1;
    course_abort(c, "interrupted");
}

static void
course_draw(const struct batch_course *c)
{
    unsigned done = c->next - course_running(c);
    uint64_t bytes = 0;

    for (unsigned i = 0; i < c->next; i++)
        bytes += c->batch->rows[i].bytes;
    progress_draw(&c->progress, done, c->batch->count, bytes);
}

static void
course_tick(void *arg)
{
    struct batch_course *c = arg;

    course_draw(c);
    pons_sleep_init(&c->tick, pons_after_ms(TICK_MS));
    any_arm(c->tick_member, &c->tick.base);
}

static int
course_open_transfers(struct batch_course *c)
{
    unsigned count = c->batch->jobs;

    if (count > c->batch->count)
        count = c->batch->count;
    c->transfers = calloc(count, sizeof(struct transfer *));
    c->idle = calloc(count, sizeof(struct transfer *));
    if (!c->transfers || !c->idle)
        return -ENOMEM;
    for (; c->transfer_count < count; c->transfer_count++) {
        struct transfer **t = &c->transfers[c->transfer_count];
        int err = transfer_new(t, &c->setting);

        if (err < 0)
            return err;
        c->idle[c->idle_count++] = *t;
    }
    return 0;
}

static int
course_open_stop(struct batch_course *c)
{
    int err;

    if (c->batch->stop < 0)
        return 0;
    err = any_member_new(&c->stop_member, c->any, course_stopped, c);
    if (err == 0)
        err = pons_stream_adopt(&c->stop, c->batch->stop);
    if (err < 0)
        return err;
    pons_ready_wait_init(&c->stop_wait, c->stop, POLLIN);
    any_arm(c->stop_member, &c->stop_wait.base);
    return 0;
}

static int
course_open_progress(struct batch_course *c)
{
    int err;

    if (!c->batch->quiet)
        progress_open(&c->progress);
    if (!progress_wanted(&c->progress))
        return 0;
    err = any_member_new(&c->tick_member, c->any, course_tick, c);
    if (err == 0)
        course_tick(c);
    return err;
}

static int
course_open(struct batch_course *c)
{
    int err = any_new(&c->any);

    if (err < 0)
        return err;
    c->setting = (struct transfer_setting){.any = c->any,
                                           .dir = c->batch->dir,
                                           .direct = c->batch->direct,
                                           .timeout_ns = c->batch->timeout_ns,
                                           .cacert = c->batch->cacert,
                                           .ended = course_ended,
                                           .arg = c};
    err = curl_loop_new(&c->setting.loop, c->any, c->batch->jobs);
    if (err == 0)
        err = course_open_transfers(c);
    if (err == 0)
        err = course_open_stop(c);
    if (err == 0)
        err = course_open_progress(c);
    return err;
}

static void
course_close_member(struct any_member *m)
{
    if (m)
        any_disarm(m);
    any_member_free(m);
}

static void
course_close(struct batch_course *c)
{
    progress_clear(&c->progress);
    course_close_member(c->tick_member);
    course_close_member(c->stop_member);
    /* The descriptor is the caller's: there is nothing to do about a failure.
     */
    if (c->stop && pons_stream_release(c->stop) < 0)
        c->stop = NULL;
    for (unsigned i = 0; i < c->transfer_count; i++)
        transfer_free(c->transfers[i]);
    curl_loop_free(c->setting.loop);
    any_free(c->any);
    free(c->transfers);
    free(c->idle);
}

static int64_t
batch_fiber(void *arg)
{
    struct batch_course c = {.batch = arg};
    int err = course_open(&c);

    if (err == 0)
        course_start_rows(&c);
    while (err == 0 && course_running(&c) > 0) {
        err = curl_loop_turn(c.setting.loop);
        if (err < 0)
            course_abort(&c, strerror(-err));
        course_start_rows(&c);
    }
    course_close(&c);
    return err;
}

static int64_t
batch_block(void *arg)
{
    const struct pons_spawn_options how = {.size = sizeof how,
                                           .stack_bytes = STACK_BYTES,
                                           .name = "batch",
                                           .where = PONS_HERE};
    struct pons_task *task;
    int64_t result = 0;
    int err = pons_spawn_with(NULL, batch_fiber, arg, &task, &how);

    if (err == 0)
        err = pons_join(task, &result);
    return err < 0 ? err : result;
}

int
batch_run(struct pons_runtime *rt, struct batch *b)
{
    int64_t result = 0;
    int err = pons_block_on(rt, batch_block, b, &result);

    return err < 0 ? err : (int)result;
}
