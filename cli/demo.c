/* SPDX-License-Identifier: MIT */
/*
 * cli/demo.c - `pons demo`: what a bridge is good for, in five seconds.
 *
 * The same 200 files are fetched twice by the same libcurl: one by one, as a
 * synchronous program does, and then bridged, 64 at once. The server is
 * `pons serve`, in a thread and on a runtime of its own.
 */

#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "batch.h"
#include "chosen.h"
#include "command.h"
#include "interrupt.h"
#include "pons/pons.h"
#include "say.h"
#include "serve.h"
#include "site.h"

enum {
    FILES = 200,
    WORK_MS = 20,    // of the server, for each reply
    URL_BYTES = 64,  // http://127.0.0.1:65535/199.bin
    BODY_MAX = 32768 // more than any file of the site
};

/* The server, in a thread of its own. */
struct demo_server {
    struct serve serve;
    int stop; // eventfd; owned
    pthread_t thread;
    pthread_mutex_t lock; // guards the rest
    pthread_cond_t changed;
    int port; // 0: not ready yet; -errno: it did not start
};

struct demo {
    struct pons_runtime *runtime;
    int interrupt;
    struct site site;
    struct demo_server server;
    char (*urls)[URL_BYTES];    // owned; of the files
    double one_by_one, bridged; // seconds
    unsigned wrong; // bodies that did not come, or with another digest
};

static void
server_say(struct demo_server *s, int port)
{
    pthread_mutex_lock(&s->lock);
    if (s->port == 0)
        s->port = port;
    pthread_cond_signal(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

static void
server_ready(void *arg, int port)
{
    server_say(arg, port);
}

static void *
server_thread(void *arg)
{
    struct demo_server *s = arg;
    struct pons_runtime *rt;
    int err = chosen_runtime_new(&rt);

    if (err == 0) {
        err = serve_files(rt, &s->serve);
        pons_runtime_unref(rt);
    }
    server_say(s, err < 0 ? err : -ECANCELED);
    return NULL;
}

static void
server_stop(struct demo_server *s)
{
    eventfd_write(s->stop, 1);
    pthread_join(s->thread, NULL);
    close(s->stop);
}

static int
server_wait(struct demo_server *s)
{
    int port;

    pthread_mutex_lock(&s->lock);
    while (s->port == 0)
        pthread_cond_wait(&s->changed, &s->lock);
    port = s->port;
    pthread_mutex_unlock(&s->lock);
    return port;
}

/* Its port, once clients may connect; or -errno, and then it is not running. */
static int
server_start(struct demo_server *s, int root)
{
    int port, err;

    s->stop = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (s->stop < 0)
        return -errno;
    s->serve = (struct serve){.root = root,
                              .host = "127.0.0.1",
                              .port = "0",
                              .delay_ns = WORK_MS * PONS_MS,
                              .stop = s->stop,
                              .ready = server_ready,
                              .arg = s};
    err = pthread_create(&s->thread, NULL, server_thread, s);
    if (err) {
        close(s->stop);
        return -err;
    }
    port = server_wait(s);
    if (port < 0)
        server_stop(s);
    return port;
}

/* What the one-by-one way receives into. */
struct received {
    char bytes[BODY_MAX];
    size_t size;
};

static size_t
receive(char *bytes, size_t one, size_t size, void *arg)
{
    struct received *r = arg;

    (void)one;
    if (size > sizeof r->bytes - r->size)
        return CURL_WRITEFUNC_ERROR;
    memcpy(r->bytes + r->size, bytes, size);
    r->size += size;
    return size;
}

/* Whether the body of `url` has `digest`. */
static int
fetch_plainly(CURL *easy, const char *url, struct received *r,
              const char *digest)
{
    char found[DIGEST_TEXT];

    r->size = 0;
    curl_easy_setopt(easy, CURLOPT_URL, url);
    return curl_easy_perform(easy) == CURLE_OK &&
           digest_of(r->bytes, r->size, found) == 0 &&
           strcmp(found, digest) == 0;
}

static int
demo_one_by_one(struct demo *d)
{
    struct received *r = malloc(sizeof *r);
    CURL *easy = curl_easy_init();
    uint64_t start = pons_now();
    int err = r && easy ? 0 : -ENOMEM;

    if (err == 0) {
        curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, receive);
        curl_easy_setopt(easy, CURLOPT_WRITEDATA, r);
        curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
        curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    }
    for (unsigned i = 0; err == 0 && i < d->site.count; i++) {
        if (!fetch_plainly(easy, d->urls[i], r, d->site.files[i].digest))
            d->wrong++;
        if (interrupt_came(d->interrupt))
            err = -EINTR;
    }
    d->one_by_one = (double)(pons_now() - start) / 1e9;
    curl_easy_cleanup(easy);
    free(r);
    return err;
}

static int
demo_bridged(struct demo *d)
{
    struct batch b = {.count = d->site.count,
                      .jobs = BATCH_JOBS,
                      .dir = -1,
                      .direct = 1,
                      .quiet = 1,
                      .stop = d->interrupt};
    uint64_t start = pons_now();
    int err;

    b.rows = calloc(b.count, sizeof *b.rows);
    if (!b.rows)
        return -ENOMEM;
    for (unsigned i = 0; i < b.count; i++)
        b.rows[i].url = d->urls[i];
    err = batch_run(d->runtime, &b);
    d->bridged = (double)(pons_now() - start) / 1e9;
    for (unsigned i = 0; i < b.count; i++)
        if (b.rows[i].state != ROW_OK ||
            strcmp(b.rows[i].digest, d->site.files[i].digest) != 0)
            d->wrong++;
    free(b.rows);
    return b.interrupted ? -EINTR : err;
}

static int
demo_make_urls(struct demo *d, int port)
{
    d->urls = calloc(d->site.count, sizeof *d->urls);
    if (!d->urls)
        return -ENOMEM;
    for (unsigned i = 0; i < d->site.count; i++)
        snprintf(d->urls[i], URL_BYTES, "http://127.0.0.1:%d/%s", port,
                 d->site.files[i].name);
    return 0;
}

static int
demo_race(struct demo *d, int port)
{
    int err = demo_make_urls(d, port);

    if (err < 0)
        return err;
    printf("%u files, %llu bytes, served by `pons serve' with %d ms of work "
           "per reply\n\n",
           d->site.count, (unsigned long long)d->site.bytes, WORK_MS);
    fflush(stdout);
    err = demo_one_by_one(d);
    if (err < 0)
        return err;
    printf("  one by one  %7.3f s   libcurl alone, a synchronous program\n",
           d->one_by_one);
    fflush(stdout);
    err = demo_bridged(d);
    if (err == 0)
        printf("  bridged     %7.3f s   libcurl on Pons, %d at once\n"
               "  ratio       %7.1f x\n\n",
               d->bridged, BATCH_JOBS, d->one_by_one / d->bridged);
    return err;
}

static void
demo_conclude(const struct demo *d)
{
    if (d->wrong)
        printf("%u of %u digests are wrong\n\n", d->wrong, 2 * d->site.count);
    else
        printf("all %u digests are right\n\n", 2 * d->site.count);
    printf("%s%s\n", chosen_reactor(d->runtime)->story,
           chosen_pool(d->runtime)->story);
    fputs("Now you:\n  ", stdout);
    say_word(stdout, program_invocation_name);
    puts(" fetch https://www.debian.org/ https://www.kernel.org/ "
         "https://www.gnu.org/");
}

static int
demo_with_site(struct demo *d)
{
    int port = server_start(&d->server, d->site.dir);
    int err;

    if (port < 0) {
        say_error("demo: the server did not start: %s", strerror(-port));
        return STATUS_FAILED;
    }
    err = demo_race(d, port);
    server_stop(&d->server);
    if (err == -EINTR)
        return STATUS_INTERRUPTED;
    if (err < 0) {
        say_error("demo: %s", strerror(-err));
        return STATUS_FAILED;
    }
    demo_conclude(d);
    return d->wrong ? STATUS_FAILED : STATUS_OK;
}

static int
demo_run(void *values, int count, char **operands)
{
    struct demo d = {.server = {.lock = PTHREAD_MUTEX_INITIALIZER,
                                .changed = PTHREAD_COND_INITIALIZER}};
    int status = STATUS_FAILED;
    int err;

    (void)values;
    (void)count;
    (void)operands;
    d.interrupt = interrupt_open();
    curl_global_init(CURL_GLOBAL_DEFAULT);
    err = chosen_runtime_new(&d.runtime);
    if (err < 0) {
        say_pons_error(err);
        status = STATUS_USAGE;
        goto close_interrupt;
    }
    err = site_make(&d.site, FILES);
    if (err == 0) {
        status = demo_with_site(&d);
        site_remove(&d.site);
    } else {
        say_error("demo: cannot make a directory of files: %s", strerror(-err));
    }
    free(d.urls);
    pons_runtime_unref(d.runtime);
close_interrupt:
    curl_global_cleanup();
    if (d.interrupt >= 0)
        close(d.interrupt);
    return status;
}

static const struct option demo_options[] = {{0}};

const struct command demo_command = {
    .name = "demo",
    .operands = "",
    .summary = "200 files fetched one by one, then bridged: see the difference",
    .text = "",
    .options = demo_options,
    .values_size = sizeof(int),
    .least = 0,
    .most = 0,
    .run = demo_run,
};
