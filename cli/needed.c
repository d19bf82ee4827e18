/* SPDX-License-Identifier: MIT */
/*
 * cli/needed.c - see cli/needed.h.
 *
 * dlopen(3) would find them, too, and run their code: the names are the file's,
 * and the file may be an enemy's. So the cache and the directories are read
 * here. A file counts as found if it is a shared object for this machine; the
 * loader passes over others, as this does.
 */

#include "needed.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/elf_file.h"
#include "core/trust.h"

#ifndef CACHE_PATH
#define CACHE_PATH "/etc/ld.so.cache" // a test has its own
#endif

#define CACHE_MAGIC "glibc-ld.so.cache1.1"

enum {
    CACHE_MAX = 64 << 20, // bytes; usual is a hundred thousand
    CACHE_HEAD = 48,      // bytes before its entries
    CACHE_ENTRY = 24,     // bytes of each: flags, name, path, ...
    SEARCH_MAX = 64,      // directories of one list; usual is two
};

/* What is looked at for each library of one file. */
struct search {
    const char *rpath, *runpath; // the image's, or NULL
    char *origin;                // owned: the file's directory
    char *cache;                 // owned: from its magic on; NULL: none
    size_t cache_size;
    Dl_serinfo *system; // owned; NULL: the loader does not tell
};

/* ---- one file ---- */

static int
file_is_library(const char *path)
{
    struct pons_reason reason;
    struct poni_elf elf;
    struct stat st;
    int fd = poni_trust_open(path, &st, &reason), err;

    if (fd < 0)
        return 0;
    err = poni_elf_open(&elf, fd, &reason);
    close(fd);
    return err == 0;
}

/* `path` (consumed) if it is one, else NULL. */
static char *
path_if_library(char *path)
{
    if (path != NULL && file_is_library(path))
        return path;
    free(path);
    return NULL;
}

static char *
path_in(const char *directory, size_t length, const char *name)
{
    char *path;

    if (asprintf(&path, "%.*s/%s", (int)length, directory, name) < 0)
        return NULL;
    return path_if_library(path);
}

/* ---- lists of directories ---- */

/* One item of a list: $ORIGIN, or ${ORIGIN}, at its start is the directory of
 * the file. Empty is the one that we are in. */
static char *
item_try(const struct search *s, const char *item, size_t length,
         const char *name)
{
    static const char *const tokens[] = {"$ORIGIN", "${ORIGIN}"};
    char *directory, *path;

    for (unsigned i = 0; i < 2; i++) {
        size_t n = strlen(tokens[i]);

        if (length < n || memcmp(item, tokens[i], n) != 0)
            continue;
        if (asprintf(&directory, "%s%.*s", s->origin, (int)(length - n),
                     item + n) < 0)
            return NULL;
        path = path_in(directory, strlen(directory), name);
        free(directory);
        return path;
    }
    return length == 0 ? path_in(".", 1, name) : path_in(item, length, name);
}

static char *
list_try(const struct search *s, const char *list, const char *separators,
         const char *name)
{
    char *path = NULL;

    for (unsigned i = 0; list != NULL && path == NULL && i < SEARCH_MAX; i++) {
        size_t length = strcspn(list, separators);

        path = item_try(s, list, length, name);
        list = list[length] != '\0' ? list + length + 1 : NULL;
    }
    return path;
}

static char *
system_try(const struct search *s, const char *name)
{
    char *path = NULL;

    for (unsigned i = 0; s->system && i < s->system->dls_cnt && !path; i++) {
        const char *directory = s->system->dls_serpath[i].dls_name;

        path = path_in(directory, strlen(directory), name);
    }
    return path;
}

/* ---- ldconfig's cache ---- */

static uint32_t
cache_word(const struct search *s, size_t at)
{
    uint32_t word;

    memcpy(&word, s->cache + at, sizeof word);
    return word;
}

/* The text at `at`; NULL: the cache has none there. */
static const char *
cache_text(const struct search *s, uint32_t at)
{
    return at < s->cache_size ? s->cache + at : NULL;
}

static char *
cache_try(const struct search *s, const char *name)
{
    uint32_t count;
    char *path = NULL;

    if (s->cache == NULL)
        return NULL;
    count = cache_word(s, sizeof CACHE_MAGIC - 1);
    if (count > (s->cache_size - CACHE_HEAD) / CACHE_ENTRY)
        return NULL;
    for (uint32_t i = 0; i < count && path == NULL; i++) {
        size_t at = CACHE_HEAD + (size_t)i * CACHE_ENTRY;
        const char *key = cache_text(s, cache_word(s, at + 4));
        const char *value = cache_text(s, cache_word(s, at + 8));

        if (key && value && strcmp(key, name) == 0)
            path = path_if_library(strdup(value));
    }
    return path;
}

/* The cache of an old version stands before that which is read here. */
static void
cache_take(struct search *s, char *bytes, size_t size)
{
    char *at = memmem(bytes, size, CACHE_MAGIC, sizeof CACHE_MAGIC - 1);

    if (at == NULL || size - (size_t)(at - bytes) < CACHE_HEAD) {
        free(bytes);
        return;
    }
    s->cache_size = size - (size_t)(at - bytes);
    memmove(bytes, at, s->cache_size);
    bytes[s->cache_size] = '\0'; // all its texts have an end
    s->cache = bytes;
}

static void
cache_read(struct search *s)
{
    struct pons_reason reason;
    struct stat st;
    char *bytes;
    ssize_t n;
    int fd = poni_trust_open(CACHE_PATH, &st, &reason);

    if (fd < 0)
        return;
    if (st.st_size > 0 && st.st_size <= CACHE_MAX &&
        (bytes = malloc((size_t)st.st_size + 1)) != NULL) {
        n = pread(fd, bytes, (size_t)st.st_size, 0);
        cache_take(s, bytes, n > 0 ? (size_t)n : 0);
    }
    close(fd);
}

/* ---- the search ---- */

static void
system_read(struct search *s)
{
    void *self = dlopen(NULL, RTLD_LAZY);
    Dl_serinfo size;

    if (self == NULL)
        return;
    if (dlinfo(self, RTLD_DI_SERINFOSIZE, &size) == 0 &&
        (s->system = malloc(size.dls_size)) != NULL) {
        s->system->dls_size = size.dls_size;
        s->system->dls_cnt = size.dls_cnt;
        if (dlinfo(self, RTLD_DI_SERINFO, s->system) != 0)
            s->system->dls_cnt = 0;
    }
    dlclose(self);
}

static int
search_open(struct search *s, const struct poni_image *im, const char *path)
{
    char *slash;

    memset(s, 0, sizeof *s);
    s->runpath = poni_image_text(im, DT_RUNPATH, 0);
    s->rpath = s->runpath ? NULL : poni_image_text(im, DT_RPATH, 0);
    s->origin = realpath(path, NULL);
    if (s->origin == NULL)
        s->origin = strdup("/"); // it has gone meanwhile
    if (s->origin == NULL)
        return -ENOMEM;
    slash = strrchr(s->origin, '/');
    *slash = '\0';
    cache_read(s);
    system_read(s);
    return 0;
}

static void
search_close(struct search *s)
{
    free(s->origin);
    free(s->cache);
    free(s->system);
}

static char *
search_library(const struct search *s, const char *name)
{
    char *path;

    if (strchr(name, '/') != NULL)
        return path_if_library(strdup(name));
    path = list_try(s, s->rpath, ":", name);
    if (path == NULL)
        path = list_try(s, secure_getenv("LD_LIBRARY_PATH"), ":;", name);
    if (path == NULL)
        path = list_try(s, s->runpath, ":", name);
    if (path == NULL)
        path = cache_try(s, name);
    return path != NULL ? path : system_try(s, name);
}

int
needed_find(struct needed *n, const struct poni_image *im, const char *path)
{
    struct search s;
    const char *name;
    int err = search_open(&s, im, path);

    n->count = n->left_out = 0;
    if (err < 0)
        return err;
    while ((name = poni_image_text(im, DT_NEEDED, n->count)) &&
           n->count < NEEDED_MAX)
        n->libraries[n->count++] = (struct needed_library){
            .name = name,
            .path = search_library(&s, name),
        };
    while (poni_image_text(im, DT_NEEDED, n->count + n->left_out))
        n->left_out++;
    search_close(&s);
    return 0;
}

const char *
needed_missing(const struct needed *n)
{
    for (unsigned i = 0; i < n->count; i++)
        if (n->libraries[i].path == NULL)
            return n->libraries[i].name;
    return NULL;
}

void
needed_fini(struct needed *n)
{
    for (unsigned i = 0; i < n->count; i++)
        free(n->libraries[i].path);
    n->count = 0;
}
