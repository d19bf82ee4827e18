/* SPDX-License-Identifier: MIT */
/*
 * cli/bench_catalog.c - see cli/bench_catalog.h.
 */

#include "bench_catalog.h"

#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"
#include "bench_child.h"
#include "say.h"

enum { PATH_BYTES = 4096 };

static const uint64_t DESCRIBE_NS = 10000000000; // it only prints

// clang-format off
const char *const bench_peers[] = {
    "tokio", "tokio-current-thread", "async-executor", "libuv", "libev", "go",
    "glib", "asio", "threads", NULL,
};
// clang-format on

static const char *const axis_names[AXES] = {"reactor", "pool", "workers"};

static const char *const kind_folders[KINDS] = {"", "/limits", "/peers"};

static void
texts_free(char **texts)
{
    for (char **t = texts; t && *t; t++)
        free(*t);
    free(texts);
}

static void
offer_fini(struct bench_offer *o)
{
    free(o->program);
    free(o->name);
    free(o->workload);
    free(o->subject);
    free(o->measures);
    free(o->how);
    free(o->silent);
    free(o->version);
    texts_free(o->cases);
    texts_free(o->heavy);
    texts_free(o->brief);
    texts_free(o->mains);
}

void
bench_catalog_fini(struct bench_catalog *c)
{
    for (size_t i = 0; i < c->count; i++)
        offer_fini(&c->offers[i]);
    free(c->offers);
    free(c->dir);
    *c = (struct bench_catalog){0};
}

/* --- one line of --describe --- */

static char *
text_of(const json_t *line, const char *member)
{
    const char *text = json_string_value(json_object_get(line, member));

    return strdup(text ? text : "");
}

static int
has_text(const json_t *array, const char *text)
{
    for (size_t i = 0; i < json_array_size(array); i++) {
        const char *one = json_string_value(json_array_get(array, i));

        if (one && strcmp(one, text) == 0)
            return 1;
    }
    return 0;
}

static char **
texts_of(const json_t *array)
{
    size_t count = json_array_size(array);
    char **texts = calloc(count + 1, sizeof *texts);

    for (size_t i = 0; texts && i < count; i++) {
        const char *one = json_string_value(json_array_get(array, i));

        texts[i] = strdup(one ? one : "");
        if (!texts[i])
            return texts; // shorter; texts_whole() sees it
    }
    return texts;
}

/* For each text of `array` what `object` has under it. */
static char **
texts_by(const json_t *array, const json_t *object)
{
    size_t count = json_array_size(array);
    char **texts = calloc(count + 1, sizeof *texts);

    for (size_t i = 0; texts && i < count; i++) {
        const char *one = json_string_value(json_array_get(array, i));

        texts[i] = text_of(object, one ? one : "");
        if (!texts[i])
            return texts; // likewise
    }
    return texts;
}

/* Whether they are all of `array`. */
static int
texts_whole(char *const *texts, const json_t *array)
{
    size_t count = 0;

    while (texts && texts[count])
        count++;
    return texts && count == json_array_size(array);
}

static int
offer_whole(const struct bench_offer *o)
{
    return o->program && o->name && o->workload && o->subject && o->measures &&
           o->how && o->silent && o->version;
}

/* The next offer of `c`, which has room for it. */
static int
offer_read(struct bench_catalog *c, enum bench_kind kind, const char *path,
           const json_t *line)
{
    struct bench_offer *o = &c->offers[c->count];
    const json_t *axes = json_object_get(line, "axes");
    const json_t *cases = json_object_get(line, "cases");
    const json_t *heavy = json_object_get(line, "heavy");
    const json_t *brief = json_object_get(line, "brief");
    const json_t *mains = json_object_get(line, "mains");
    const json_t *serves = json_object_get(line, "serves");
    const json_t *spread = json_object_get(line, "spread");

    *o = (struct bench_offer){.kind = kind,
                              .program = strdup(path),
                              .name = strdup(strrchr(path, '/') + 1),
                              .workload = text_of(line, "workload"),
                              .subject = text_of(line, "subject"),
                              .measures = text_of(line, "measures"),
                              .how = text_of(line, "how"),
                              .silent = text_of(line, "silent"),
                              .version = text_of(line, "version"),
                              .serves = json_array_size(serves) > 0,
                              .spread = json_is_true(spread),
                              .cases = texts_of(cases),
                              .heavy = texts_of(heavy),
                              .brief = texts_of(brief),
                              .mains = texts_by(cases, mains)};
    for (unsigned i = 0; i < AXES; i++)
        if (has_text(axes, axis_names[i]))
            o->axes |= 1u << i;
    c->count++;
    if (!offer_whole(o) || !texts_whole(o->cases, cases) ||
        !texts_whole(o->heavy, heavy) || !texts_whole(o->brief, brief) ||
        !texts_whole(o->mains, cases))
        return -ENOMEM;
    if (!*o->workload || !*o->subject || (!o->serves && !o->cases[0]))
        return -EPROTO;
    return 0;
}

static int
catalog_line(struct bench_catalog *c, enum bench_kind kind, const char *path,
             const char *text, size_t length)
{
    struct bench_offer *grown =
        realloc(c->offers, (c->count + 1) * sizeof *grown);
    json_t *line;
    int err;

    if (!grown)
        return -ENOMEM;
    c->offers = grown;
    line = json_loadb(text, length, 0, NULL);
    err = line ? offer_read(c, kind, path, line) : -EPROTO;
    json_decref(line);
    return err;
}

/* --- programs --- */

static int
catalog_lines(struct bench_catalog *c, enum bench_kind kind, const char *path,
              const char *text, const char *why)
{
    size_t before = c->count;
    int err = 0;

    while (err == 0 && *text) {
        size_t length = strcspn(text, "\n");

        if (length > 0)
            err = catalog_line(c, kind, path, text, length);
        text += length + (text[length] == '\n');
    }
    if (err != -EPROTO && !(err == 0 && c->count == before))
        return err;
    say_error("bench: %s does not describe itself%s%s, and is left out", path,
              *why ? ": " : "", why);
    while (c->count > before)
        offer_fini(&c->offers[--c->count]);
    return 0;
}

static int
catalog_program(struct bench_catalog *c, enum bench_kind kind, const char *path)
{
    const char *words[] = {path, "--describe", NULL};
    const struct bench_child child = {.argv = (char *const *)words,
                                      .limit_ns = DESCRIBE_NS,
                                      .cpu = -1,
                                      .interrupt = -1};
    struct bench_ended *ended = malloc(sizeof *ended);
    char why[512] = "";
    int err;

    if (!ended)
        return -ENOMEM;
    err = bench_child_run(&child, ended);
    if (err < 0)
        snprintf(why, sizeof why, "%s", strerror(-err));
    else if (ended->status != 0)
        bench_child_why(ended, why, sizeof why);
    if (*why)
        *ended->out = '\0';
    err = catalog_lines(c, kind, path, ended->out, why);
    free(ended);
    return err;
}

/* A file that can be run; libraries and directories that lie about are not. */
static int
is_program(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
           access(path, X_OK) == 0;
}

/*
 * The programs in `dir`, by name. Servers of the drivers (NAME_server) describe
 * nothing: they are started by the drivers alone.
 */
static int
catalog_folder(struct bench_catalog *c, enum bench_kind kind)
{
    struct dirent **names = NULL;
    char dir[PATH_BYTES], path[PATH_BYTES];
    int count, err = 0;

    snprintf(dir, sizeof dir, "%s%s", c->dir, kind_folders[kind]);
    count = scandir(dir, &names, NULL, alphasort);
    if (count < 0 && kind != KIND_OURS)
        return 0; // none were built
    if (count < 0) {
        err = -errno;
        say_error("bench: %s: %s", dir, strerror(-err));
        return err;
    }
    for (int i = 0; i < count; i++) {
        const char *name = names[i]->d_name;
        const char *server = strstr(name, "_server");

        if (err == 0 && name[0] != '.' && !(server && !server[7]) &&
            snprintf(path, sizeof path, "%s/%s", dir, name) < PATH_BYTES &&
            is_program(path))
            err = catalog_program(c, kind, path);
        free(names[i]);
    }
    free(names);
    return err;
}

/* Beside the command where it was built, or below libexec. */
static int
default_dir(char *dir, size_t size)
{
    char self[PATH_BYTES];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    const char *const places[] = {"../libexec/pons/bench", "bench"};

    if (n < 0) {
        int err = -errno;

        say_error("bench: /proc/self/exe: %s; --dir says where the programs "
                  "are",
                  strerror(-err));
        return err;
    }
    self[n] = '\0';
    *strrchr(self, '/') = '\0';
    for (unsigned i = 0; i < sizeof places / sizeof places[0]; i++) {
        char place[2 * PATH_BYTES];

        snprintf(place, sizeof place, "%s/%s", self, places[i]);
        if (strlen(place) < size && access(place, X_OK) == 0) {
            strcpy(dir, place);
            return 0;
        }
    }
    say_error("bench: there are no programs in %s/%s or %s/%s; --dir says "
              "where they are",
              self, places[0], self, places[1]);
    return -ENOENT;
}

static int
offer_is_before(const struct bench_offer *a, const struct bench_offer *b)
{
    return a->kind != b->kind ? a->kind < b->kind : a->serves < b->serves;
}

/* Those that are measured with another program after those that measure; else
 * they keep their order. */
static void
catalog_sort(struct bench_catalog *c)
{
    for (size_t i = 1; i < c->count; i++) {
        struct bench_offer moved = c->offers[i];
        size_t k = i;

        for (; k > 0 && offer_is_before(&moved, &c->offers[k - 1]); k--)
            c->offers[k] = c->offers[k - 1];
        c->offers[k] = moved;
    }
}

int
bench_catalog_open(struct bench_catalog *out, const char *dir)
{
    char found[PATH_BYTES];
    int err = 0;

    *out = (struct bench_catalog){0};
    if (!dir) {
        err = default_dir(found, sizeof found);
        dir = found;
    }
    if (err == 0 && !(out->dir = strdup(dir)))
        err = -ENOMEM;
    for (enum bench_kind kind = 0; err == 0 && kind < KINDS; kind++)
        err = catalog_folder(out, kind);
    if (err == -ENOMEM)
        say_error("bench: %s", strerror(ENOMEM));
    if (err < 0)
        bench_catalog_fini(out);
    else
        catalog_sort(out);
    return err;
}

const char **
bench_catalog_workloads(const struct bench_catalog *c)
{
    const char **names = calloc(c->count + 1, sizeof *names);
    size_t count = 0;

    for (size_t i = 0; names && i < c->count; i++) {
        size_t k = 0;

        while (k < count && strcmp(names[k], c->offers[i].workload) != 0)
            k++;
        if (k == count)
            names[count++] = c->offers[i].workload;
    }
    return names;
}
