/* SPDX-License-Identifier: MIT */
/*
 * cli/fetch.c - `pons fetch URL...`: an ordinary synchronous program that
 * fetches many URLs at once.
 *
 * main's thread waits in pons_block_on(), the batch runs on the runtime. What
 * is here: words in, table out.
 */

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "batch.h"
#include "chosen.h"
#include "command.h"
#include "descriptors.h"
#include "filename.h"
#include "interrupt.h"
#include "pons/pons.h"
#include "say.h"

enum { URL_COLUMN_MOST = 60 }; // longer URLs push their line to the right

struct fetch_values {
    uint64_t jobs;
    uint64_t timeout_ns;
    const char *dir;
    const char *cacert;
    int json;
};

static const struct option fetch_options[] = {
    {'j', "jobs", "N", OPTION_NUMBER, offsetof(struct fetch_values, jobs), 1,
     BATCH_JOBS_MAX, "at most N transfers at once, 1 to 1000 (default 64)"},
    {'o', "output", "DIR", OPTION_TEXT, offsetof(struct fetch_values, dir), 0,
     0, "keep the bodies as files in DIR, made if need be"},
    {'t', "timeout", "TIME", OPTION_DURATION,
     offsetof(struct fetch_values, timeout_ns), PONS_MS, 86400 * PONS_S,
     "give up a URL after TIME (500ms, 10s, 2m)"},
    {0, "cacert", "FILE", OPTION_TEXT, offsetof(struct fetch_values, cacert), 0,
     0, "trust the certificates in FILE, not the system's"},
    {0, "json", NULL, OPTION_FLAG, offsetof(struct fetch_values, json), 0, 0,
     "the table as JSON"},
    {0},
};

struct fetch {
    struct pons_runtime *runtime;
    struct batch batch;
    struct filenames names;
};

static int
fetch_open_dir(const char *dir)
{
    int fd;

    if (mkdir(dir, 0777) < 0 && errno != EEXIST)
        return -errno;
    fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

static int
fetch_open_rows(struct fetch *f, int count, char **urls)
{
    f->batch.rows = calloc((size_t)count, sizeof(struct row));
    if (!f->batch.rows)
        return -ENOMEM;
    f->batch.count = (unsigned)count;
    for (int i = 0; i < count; i++) {
        struct row *row = &f->batch.rows[i];

        row->url = urls[i];
        if (f->batch.dir < 0)
            continue;
        row->file = filename_for(&f->names, urls[i]);
        if (!row->file)
            return -ENOMEM;
    }
    return 0;
}

static void
table_line(const struct row *row, int width)
{
    char status[24] = "-";

    if (row->status > 0)
        snprintf(status, sizeof status, "%ld", row->status);
    say_plain(stdout, row->url);
    for (int i = (int)strlen(row->url); i < width; i++)
        fputc(' ', stdout);
    printf("  %6s  %10llu  %8.3fs  ", status, (unsigned long long)row->bytes,
           (double)row->time_ns / 1e9);
    if (row->state == ROW_OK)
        fputs(row->digest, stdout);
    else
        say_plain(stdout, row->reason);
    fputc('\n', stdout);
}

static void
table_print(const struct batch *b)
{
    int width = 3;

    for (unsigned i = 0; i < b->count; i++) {
        int length = (int)strlen(b->rows[i].url);

        if (length > width && length <= URL_COLUMN_MOST)
            width = length;
    }
    printf("%-*s  %6s  %10s  %9s  %s\n", width, "URL", "STATUS", "BYTES",
           "TIME", "SHA-256 (or what went wrong)");
    for (unsigned i = 0; i < b->count; i++)
        table_line(&b->rows[i], width);
}

static json_t *
row_json(const struct row *row)
{
    json_t *o = json_pack("{s:s, s:b, s:i, s:I, s:f}", "url", row->url, "ok",
                          row->state == ROW_OK, "status", (int)row->status,
                          "bytes", (json_int_t)row->bytes, "seconds",
                          (double)row->time_ns / 1e9);

    if (!o) // a URL that is not UTF-8
        return json_pack("{s:s, s:b, s:s}", "url", "", "ok", 0, "error",
                         "the URL is not UTF-8");
    if (row->digest[0])
        json_object_set_new(o, "sha256", json_string(row->digest));
    if (row->state == ROW_OK && row->file)
        json_object_set_new(o, "file", json_string(row->file));
    if (row->state != ROW_OK) {
        json_t *reason = json_string(row->reason);

        json_object_set_new(o, "error",
                            reason ? reason : json_string("not UTF-8"));
    }
    return o;
}

static void
table_print_json(const struct batch *b)
{
    json_t *rows = json_array();

    for (unsigned i = 0; i < b->count; i++)
        json_array_append_new(rows, row_json(&b->rows[i]));
    json_dumpf(rows, stdout, JSON_INDENT(2));
    fputc('\n', stdout);
    json_decref(rows);
}

static int
fetch_status(const struct batch *b, int64_t err)
{
    if (b->interrupted)
        return STATUS_INTERRUPTED;
    if (err < 0)
        return STATUS_FAILED;
    for (unsigned i = 0; i < b->count; i++)
        if (b->rows[i].state != ROW_OK)
            return STATUS_FAILED;
    return STATUS_OK;
}

/* The runtime is made and the rows are there. */
static int
fetch_course(struct fetch *f, const struct fetch_values *v)
{
    int err = batch_run(f->runtime, &f->batch);

    if (err < 0)
        say_error("fetch: %s", strerror(-err));
    if (v->json)
        table_print_json(&f->batch);
    else
        table_print(&f->batch);
    return fetch_status(&f->batch, err);
}

static int
fetch_run(void *values, int count, char **urls)
{
    const struct fetch_values *v = values;
    struct fetch f = {
        .batch = {.jobs = v->jobs ? (unsigned)v->jobs : BATCH_JOBS,
                  .timeout_ns = v->timeout_ns,
                  .cacert = v->cacert,
                  .dir = -1,
                  .stop = -1},
    };
    int status = STATUS_USAGE;
    int err;

    if (v->dir) {
        f.batch.dir = fetch_open_dir(v->dir);
        if (f.batch.dir < 0) {
            say_error("fetch: cannot open directory %s: %s", v->dir,
                      strerror(-f.batch.dir));
            return STATUS_USAGE;
        }
    }
    descriptors_allow_all();
    f.batch.stop = interrupt_open();
    curl_global_init(CURL_GLOBAL_DEFAULT);
    err = fetch_open_rows(&f, count, urls);
    if (err < 0) {
        say_error("fetch: %s", strerror(-err));
        status = STATUS_FAILED;
        goto free_rows;
    }
    err = chosen_runtime_new(&f.runtime);
    if (err < 0) {
        say_pons_error(err);
        goto free_rows;
    }
    status = fetch_course(&f, v);
    pons_runtime_unref(f.runtime);
free_rows:
    free(f.batch.rows);
    filenames_free(&f.names);
    curl_global_cleanup();
    if (f.batch.stop >= 0)
        close(f.batch.stop);
    if (f.batch.dir >= 0)
        close(f.batch.dir);
    return status;
}

const struct command fetch_command = {
    .name = "fetch",
    .operands = "URL...",
    .summary = "fetch many http and https URLs at once, and hash them",
    .text =
        "Prints a line for each URL: status, bytes, time, and the SHA-256 of "
        "its body, or\nwhy it failed. The exit status is 0 if all came whole "
        "with a status below 400.\n",
    .options = fetch_options,
    .values_size = sizeof(struct fetch_values),
    .least = 1,
    .most = UINT32_MAX,
    .run = fetch_run,
};
