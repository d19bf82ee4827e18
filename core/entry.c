/* SPDX-License-Identifier: MIT */
/*
 * core/entry.c - loads the plugin of a catalog entry.
 *
 * Nothing is ever unmapped (RTLD_NODELETE): threads of a plugin's library, its
 * thread-local destructors and the constant tables that runtimes hold may
 * outlive any moment that we could choose. So what is loaded is remembered for
 * the whole process, and the entry function is called once.
 */

#include "catalog.h"

#include "descriptor.h"
#include "fail.h"
#include "image.h"
#include "trust.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef PONS_STATIC
#define PONS_STATIC 0
#endif

/* A file whose entry function was called. Never freed. */
struct entry_image {
    struct entry_image *next;
    void *handle; // dlopen(3) gives the same one again
    uint64_t device, inode;
    const struct pons_plugin *descriptor; // NULL: refused
    int err;
    struct pons_reason reason; // of the refusal
};

/* Guards the list, and serialises loading: a second caller must not get a
 * plugin whose entry function is still running. Held while that runs; it calls
 * nothing of ours that loads. */
static pthread_mutex_t entry_lock = PTHREAD_MUTEX_INITIALIZER;
static struct entry_image *entry_images;

/* Asks the plugin for its descriptor. */
static int
image_enter(struct entry_image *i, const struct poni_note *note)
{
    const struct pons_plugin *descriptor = NULL;
    pons_plugin_entry_f *enter;
    void *symbol = dlsym(i->handle, PONS_PLUGIN_ENTRY);
    int err;

    if (symbol == NULL)
        return poni_refuse(&i->reason, -EINVAL,
                           "has no function %s; its source must end with "
                           "PONS_PLUGIN, and the function must be exported",
                           PONS_PLUGIN_ENTRY);
    memcpy(&enter, &symbol, sizeof enter);
    err = enter(poni_host(), &descriptor);
    if (err == -ENOTSUP)
        return poni_refuse(&i->reason, err,
                           "it needs a newer host than ABI %u.%u; use a newer "
                           "libpons, or an older plugin",
                           PONS_ABI_MAJOR, PONS_ABI_MINOR);
    if (err != 0)
        return poni_refuse(&i->reason, err < 0 ? err : -EINVAL,
                           "%s: wanted 0, it returned %d%s%s%s",
                           PONS_PLUGIN_ENTRY, err, err < 0 ? " (" : "",
                           err < 0 ? strerror(-err) : "", err < 0 ? ")" : "");
    err = poni_descriptor_check(descriptor, note, &i->reason);
    if (err == 0)
        i->descriptor = descriptor;
    return err;
}

static struct entry_image *
image_find(const void *handle)
{
    struct entry_image *i = entry_images;

    while (i != NULL && i->handle != handle)
        i = i->next;
    return i;
}

/* The image of `handle`, entered. NULL: out of memory. */
static struct entry_image *
image_get(void *handle, const struct poni_note *note, const struct stat *st)
{
    struct entry_image *i = image_find(handle);

    if (i != NULL)
        return i;
    i = calloc(1, sizeof *i);
    if (i == NULL)
        return NULL;
    i->handle = handle;
    i->device = st->st_dev;
    i->inode = st->st_ino;
    i->err = image_enter(i, note);
    i->next = entry_images;
    entry_images = i;
    return i;
}

/* dlerror(3), without the path that it begins with. */
static int
entry_refuse_open(const struct poni_entry *e, struct pons_reason *reason)
{
    const char *text = dlerror();
    size_t n = strlen(e->path);

    if (strncmp(text, e->path, n) == 0 && strncmp(text + n, ": ", 2) == 0)
        text += n + 2;
    return poni_refuse(reason, -ENOEXEC, "%s", text);
}

static int
entry_open(struct poni_entry *e, const struct poni_note *note,
           const struct stat *st, struct pons_reason *reason)
{
    void *handle = dlopen(e->path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    struct entry_image *i;

    if (handle == NULL)
        return entry_refuse_open(e, reason);
    i = image_get(handle, note, st);
    if (i == NULL)
        return poni_refuse(reason, -ENOMEM, "out of memory");
    if (i->device != st->st_dev || i->inode != st->st_ino)
        return poni_refuse(reason, -ESTALE,
                           "was replaced after it was loaded; start the "
                           "program again");
    if (i->descriptor == NULL) {
        *reason = i->reason;
        return i->err;
    }
    e->descriptor = i->descriptor;
    return 0;
}

/* What the catalog saw may be long ago: looks again before code runs. */
static int
entry_look_again(const struct poni_entry *e, struct poni_note *note,
                 struct stat *st, struct pons_reason *reason)
{
    int fd = poni_trust_open(e->path, st, reason), err;

    if (fd < 0)
        return fd;
    err = poni_trust_check(st, reason);
    if (err == 0)
        err = poni_note_read(fd, note, reason);
    if (err == 0)
        err = poni_abi_check(note->raw.abi_min, note->raw.abi_max, reason);
    if (err == 0)
        err = poni_image_check(fd, reason);
    close(fd);
    return err;
}

static int
entry_load_file(struct poni_entry *e, struct pons_reason *reason)
{
    struct poni_note *note = malloc(sizeof *note);
    struct stat st;
    int err;

    if (note == NULL)
        return poni_refuse(reason, -ENOMEM, "out of memory");
    err = entry_look_again(e, note, &st, reason);
    if (err == 0) {
        pthread_mutex_lock(&entry_lock);
        err = entry_open(e, note, &st, reason);
        pthread_mutex_unlock(&entry_lock);
    }
    free(note);
    return err;
}

static const struct pons_engine *
entry_engine(const struct poni_entry *e)
{
    const struct pons_engine *engine = e->descriptor->engines;

    while (engine->kind != 0 &&
           (engine->kind != e->kind || strcmp(engine->name, e->name) != 0))
        engine++;
    return engine->kind != 0 ? engine : NULL;
}

int
poni_entry_try(struct poni_entry *e, struct pons_reason *reason)
{
    int err;

    if (e->engine != NULL)
        return 0;
    if (e->status == ENTRY_DISABLED)
        return poni_refuse(reason, -EPERM, "%s", e->why);
    if (e->status == ENTRY_BROKEN)
        return poni_refuse(reason, -EINVAL, "%s", e->why);
    if (e->status == ENTRY_ABSENT)
        return poni_refuse(reason, -ENOENT, "%s", e->why);
    if (PONS_STATIC && e->path != NULL)
        err = poni_refuse(reason, -ENOTSUP,
                          "this program is linked statically and has the "
                          "built-in plugins only; link it dynamically");
    else if (e->path != NULL)
        err = entry_load_file(e, reason);
    else
        err = poni_descriptor_check(e->descriptor, NULL, reason);
    if (err < 0)
        return err;
    e->engine = entry_engine(e);
    if (e->engine == NULL)
        return poni_refuse(reason, -ESTALE,
                           "was replaced and has no engine %s any more",
                           e->name);
    return 0;
}

int
poni_entry_load(struct poni_entry *e)
{
    struct pons_reason reason = {""};
    int err = poni_entry_try(e, &reason);

    return err < 0 ? poni_fail(err, "%s: %s", e->path ? e->path : e->name,
                               reason.text)
                   : 0;
}
