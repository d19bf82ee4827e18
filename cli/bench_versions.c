/* SPDX-License-Identifier: MIT */
/*
 * cli/bench_versions.c - see cli/bench_versions.h.
 */

#include "bench_versions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench_child.h"

enum { VERSION_BYTES = 64 }; // longer ones are cut

static const uint64_t VERSION_NS = 5000000000; // it only prints

static const char unknown[] = "version unknown";

/* See bench/peers/NAME/packages. */
static const struct {
    const char *peer, *package;
} packages[] = {
    {"tokio", "librust-tokio-dev"},
    {"tokio-current-thread", "librust-tokio-dev"},
    {"async-executor", "librust-async-executor-dev"},
    {"libuv", "libuv1-dev"},
    {"libev", "libev-dev"},
    {"go", "golang-go"},
    {"glib", "libglib2.0-dev"},
    {"asio", "libboost-dev"},
    {"threads", "libc6"},
};

/* The first word of what `words` prints, but for the `skipped` before it. */
static void
word_of(const char *const *words, unsigned skipped, char *word, size_t size)
{
    const struct bench_child child = {.argv = (char *const *)words,
                                      .limit_ns = VERSION_NS,
                                      .cpu = -1,
                                      .interrupt = -1};
    struct bench_ended *ended = malloc(sizeof *ended);
    const char *text = "";

    if (ended && bench_child_run(&child, ended) == 0)
        text = ended->out;
    for (; skipped > 0; skipped--) {
        text += strcspn(text, " \n");
        text += strspn(text, " ");
    }
    snprintf(word, size, "%.*s", (int)strcspn(text, " \n"), text);
    free(ended);
    if (!*word)
        snprintf(word, size, "%s", unknown);
}

static void
package_version(const char *peer, char *version, size_t size)
{
    const char *words[] = {"dpkg-query", "--show", "--showformat=${Version}",
                           NULL, NULL};

    snprintf(version, size, "%s", unknown);
    for (unsigned i = 0; i < sizeof packages / sizeof *packages; i++)
        if (strcmp(packages[i].peer, peer) == 0) {
            words[3] = packages[i].package;
            word_of(words, 0, version, size);
        }
}

/* By its own program, or as a server of another's. */
static int
is_measured(const struct bench_result *r, const char *program)
{
    for (size_t i = 0; i < r->row_count; i++) {
        const struct bench_trial *t = &r->rows[i].trial;

        if ((t->program && strcmp(t->program, program) == 0) ||
            (t->server && strcmp(t->server, program) == 0))
            return 1;
    }
    return 0;
}

/* A program that offers several workloads is one peer. */
static int
is_known(const struct bench_catalog *c, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (c->offers[k].kind == KIND_PEER &&
            strcmp(c->offers[k].program, c->offers[i].program) == 0)
            return 1;
    return 0;
}

static void
add_peers(struct bench_environment *e, const struct bench_catalog *c,
          const struct bench_result *r)
{
    char all[sizeof e->facts->text] = "", version[VERSION_BYTES];

    for (size_t i = 0; i < c->count; i++) {
        const struct bench_offer *o = &c->offers[i];
        size_t used = strlen(all);

        if (o->kind != KIND_PEER || is_known(c, i) ||
            !is_measured(r, o->program))
            continue;
        if (*o->version)
            snprintf(version, sizeof version, "%s", o->version);
        else
            package_version(o->name, version, sizeof version);
        snprintf(all + used, sizeof all - used, "%s%s %s", used ? ", " : "",
                 o->name, version);
    }
    if (*all)
        bench_environment_add(e, "peers", "%s", all);
}

/* "wrk debian/4.1.0-3+b2 [epoll] ...": and it ends with 1. */
static void
add_wrk(struct bench_environment *e, const struct bench_result *r)
{
    const char *words[] = {"wrk", "-v", NULL};
    char version[VERSION_BYTES];
    size_t i = 0;

    while (i < r->row_count && strcmp(r->rows[i].key.workload, "http") != 0)
        i++;
    if (i == r->row_count)
        return;
    word_of(words, 1, version, sizeof version);
    bench_environment_add(e, "wrk", "%s", version);
}

void
bench_versions_add(struct bench_environment *e, const struct bench_catalog *c,
                   const struct bench_result *r)
{
    add_peers(e, c, r);
    add_wrk(e, r);
}
