/* SPDX-License-Identifier: MIT */
/*
 * core/finder.c - looks for plugins in directories, and reads their notes.
 *
 * No code of a file runs here. A file that cannot be used becomes an entry that
 * is BROKEN, with its reason: who asks for it by name, or lists what there is,
 * learns why. A directory that the user named and that is wrong is an error.
 */

#include "finder.h"

#include "descriptor.h"
#include "fail.h"
#include "image.h"
#include "trust.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef PONS_PLUGIN_DIR
#define PONS_PLUGIN_DIR "/usr/local/lib/pons" // the build says where it is
#endif

static const char *
base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

static int
file_broken(struct poni_catalog *c, const char *path, const struct stat *st,
            const struct pons_reason *reason)
{
    struct poni_entry *e =
        poni_entry_new(c, base_name(path), path, NULL, NULL, NULL);

    poni_log(PONS_LOG_WARN, "plugin", "%s: %s", path, reason->text);
    if (e == NULL)
        return -ENOMEM;
    e->device = st->st_dev;
    e->inode = st->st_ino;
    return poni_entry_reject(e, ENTRY_BROKEN, reason->text);
}

/* An entry for each engine of the note; `wrong`: all are broken. */
static int
file_entries(struct poni_catalog *c, const char *path, const struct stat *st,
             const struct poni_note *note, const char *wrong)
{
    int err = 0;

    for (unsigned i = 0; i < note->engine_count && err == 0; i++) {
        struct poni_entry *e =
            poni_entry_new(c, note->engines[i].name, path, note->raw.name,
                           note->raw.version, note->raw.licence);

        if (e == NULL)
            return -ENOMEM;
        e->kind = note->engines[i].kind;
        e->abi_min = note->raw.abi_min;
        e->abi_max = note->raw.abi_max;
        e->device = st->st_dev;
        e->inode = st->st_ino;
        err = wrong != NULL ? poni_entry_reject(e, ENTRY_BROKEN, wrong)
                            : poni_disable_mark(c, e);
    }
    return err;
}

/* A link leads to a directory that was not checked with the rest. */
static int
link_trust(const char *path, struct pons_reason *reason)
{
    char *real = realpath(path, NULL);
    struct pons_reason why;
    struct stat st;
    int err = 0;

    if (real == NULL)
        return poni_refuse(reason, -errno, "%s", strerror(errno));
    *strrchr(real, '/') = '\0';
    if (stat(*real != '\0' ? real : "/", &st) < 0)
        err = poni_refuse(reason, -errno, "%s: %s", real, strerror(errno));
    else if (poni_trust_check(&st, &why) < 0)
        err =
            poni_refuse(reason, -EPERM, "is in %.80s: %.140s", real, why.text);
    free(real);
    return err;
}

struct poni_entry *
poni_finder_known(const struct poni_catalog *c, const struct stat *st)
{
    struct poni_entry *e = c->entries;

    while (e != NULL && (e->path == NULL || e->device != st->st_dev ||
                         e->inode != st->st_ino))
        e = e->next;
    return e;
}

int
poni_finder_check(const char *path, int fd, const struct stat *st,
                  const struct poni_note *note, struct pons_reason *reason)
{
    int err = poni_trust_check(st, reason);

    if (err == 0)
        err = link_trust(path, reason);
    if (err == 0)
        err = poni_abi_check(note->raw.abi_min, note->raw.abi_max, reason);
    return err < 0 ? err : poni_image_check(fd, reason);
}

int
poni_finder_file(struct poni_catalog *c, const char *path)
{
    struct pons_reason reason = {""};
    struct poni_note note;
    struct stat st = {0};
    int fd = poni_trust_open(path, &st, &reason), err;

    if (fd < 0)
        return file_broken(c, path, &st, &reason);
    if (poni_finder_known(c, &st) != NULL) {
        close(fd);
        return 0;
    }
    err = poni_note_read(fd, &note, &reason);
    if (err < 0) {
        close(fd);
        return file_broken(c, path, &st, &reason);
    }
    err = poni_finder_check(path, fd, &st, &note, &reason);
    close(fd);
    if (err < 0)
        poni_log(PONS_LOG_WARN, "plugin", "%s: %s", path, reason.text);
    return file_entries(c, path, &st, &note, err < 0 ? reason.text : NULL);
}

static int
is_plugin_file(const struct dirent *d)
{
    size_t n = strlen(d->d_name);

    return n > 3 && strcmp(d->d_name + n - 3, ".so") == 0;
}

/* By bytes: the order must not depend on the locale. */
static int
by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int
directory_trust(const char *path, struct pons_reason *reason)
{
    struct stat st;

    if (path[0] != '/')
        return poni_refuse(reason, -EINVAL, "is not an absolute path");
    if (stat(path, &st) < 0)
        return poni_refuse(reason, -errno, "%s", strerror(errno));
    if (!S_ISDIR(st.st_mode))
        return poni_refuse(reason, -ENOTDIR, "is not a directory");
    return poni_trust_check(&st, reason);
}

/* *reason is set if the directory itself is wrong. */
static int
directory_add(struct poni_catalog *c, const char *path,
              struct pons_reason *reason)
{
    int err = directory_trust(path, reason), n;
    struct dirent **found;
    char *file;

    if (err < 0)
        return err;
    n = scandir(path, &found, is_plugin_file, by_name);
    if (n < 0)
        return poni_refuse(reason, -errno, "%s", strerror(errno));
    for (int i = 0; i < n; i++) {
        if (err == 0 && asprintf(&file, "%s/%s", path, found[i]->d_name) < 0)
            err = poni_fail(-ENOMEM, "%s: out of memory", path);
        if (err == 0) {
            err = poni_finder_file(c, file);
            free(file);
        }
        free(found[i]);
    }
    free(found);
    return err;
}

int
poni_finder_path(struct poni_catalog *c, enum poni_setting which)
{
    const struct poni_value *v = &c->settings->value[which];
    char *copy, *rest, *directory;
    struct pons_reason reason = {""};
    int err = 0;

    if (v->text == NULL)
        return 0;
    copy = rest = strdup(v->text);
    if (copy == NULL)
        return poni_fail(-ENOMEM, "%s: out of memory", v->label);
    while (err == 0 && (directory = strsep(&rest, ":")) != NULL) {
        if (*directory == '\0')
            err = poni_fail(-EINVAL,
                            "%s: \"%s\" has an empty item; wanted absolute "
                            "directories, separated by colons",
                            v->label, v->text);
        else
            err = directory_add(c, directory, &reason);
        if (err < 0 && reason.text[0] != '\0')
            poni_fail(err, "%s: %s: %s", v->label, directory, reason.text);
    }
    free(copy);
    return err;
}

int
poni_finder_installed(struct poni_catalog *c)
{
    struct pons_reason reason = {""};
    struct stat st = {0};
    int err;

    if (c->settings->value[SETTING_PLUGIN_PATH].text != NULL)
        return 0;
    err = directory_add(c, PONS_PLUGIN_DIR, &reason);
    if (err == -ENOENT && reason.text[0] != '\0')
        return 0;
    if (err < 0 && reason.text[0] != '\0')
        return file_broken(c, PONS_PLUGIN_DIR, &st, &reason);
    return err;
}
