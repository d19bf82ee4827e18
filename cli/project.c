/* SPDX-License-Identifier: MIT */
/*
 * cli/project.c - a folder made of templates, whole or not at all.
 *
 * The files are written into a folder beside, with a name that nobody else has,
 * which then gets its own name in one step. The trap is that step: rename(2)
 * takes the place of an empty folder, and so is told not to. A signal that
 * would end the process waits meanwhile, for what is beside to be taken away.
 */

#include "project.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "interrupt.h"
#include "say.h"
#include "template.h"

struct project {
    const char *kind, *name;
    int interrupt; // cli/interrupt.h; or -errno
    int folder;    // the one beside
};

static int
project_has(const struct project *p, const struct template *t)
{
    return *t->kind == '\0' || strcmp(t->kind, p->kind) == 0;
}

/* The text with the name in it. */
static void
project_print(FILE *out, const char *text, const char *name)
{
    const char *next;

    while ((next = strstr(text, TEMPLATE_NAME)) != NULL) {
        fwrite(text, 1, (size_t)(next - text), out);
        fputs(name, out);
        text = next + strlen(TEMPLATE_NAME);
    }
    fputs(text, out);
}

/* NULL without memory. */
static char *
project_text(const char *text, const char *name)
{
    char *all = NULL;
    size_t size;
    FILE *out = open_memstream(&all, &size);

    if (out == NULL)
        return NULL;
    project_print(out, text, name);
    if (fclose(out) == 0)
        return all;
    free(all);
    return NULL;
}

static int
project_write_file(const struct project *p, const char *file, const char *text)
{
    int fd =
        openat(p->folder, file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    FILE *out = fd >= 0 ? fdopen(fd, "w") : NULL;
    int err = 0;

    if (out == NULL) {
        err = -errno;
        if (fd >= 0)
            close(fd);
        return err;
    }
    project_print(out, text, p->name);
    if (ferror(out))
        err = -errno;
    if (fclose(out) != 0 && err == 0)
        err = -errno;
    return err;
}

/* How many files; what a failed one leaves is taken away by the caller. */
static int
project_write(const struct project *p)
{
    int count = 0, err = 0;

    for (const struct template *t = templates; t->file != NULL; t++) {
        char *file;

        if (!project_has(p, t))
            continue;
        file = project_text(t->file, p->name);
        err = file != NULL ? project_write_file(p, file, t->text) : -ENOMEM;
        free(file);
        if (err == 0 && p->interrupt >= 0 && interrupt_came(p->interrupt))
            err = -EINTR;
        if (err < 0)
            return err;
        count++;
    }
    return count;
}

static void
project_remove(const struct project *p)
{
    for (const struct template *t = templates; t->file != NULL; t++) {
        char *file = project_has(p, t) ? project_text(t->file, p->name) : NULL;

        if (file != NULL)
            (void)unlinkat(p->folder, file, 0);
        free(file);
    }
}

/* As mkdir(2) would have made it: mkdtemp(3) makes it for the owner alone. */
static int
project_share(const struct project *p)
{
    mode_t mask = umask(0);

    umask(mask);
    return fchmod(p->folder, 0777 & ~mask) < 0 ? -errno : 0;
}

/* -EEXIST. Where a file system does not know RENAME_NOREPLACE (EINVAL), an
 * empty folder is replaced that comes between two calls. */
static int
project_move(const char *beside, const char *dir)
{
    if (renameat2(AT_FDCWD, beside, AT_FDCWD, dir, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL)
        return -errno;
    if (access(dir, F_OK) == 0)
        return -EEXIST;
    return rename(beside, dir) < 0 ? -errno : 0;
}

/* `beside` is there, and empty. */
static int
project_fill(struct project *p, const char *beside, const char *dir)
{
    int count, err;

    p->folder = open(beside, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (p->folder < 0)
        return -errno;
    err = count = project_write(p);
    if (err >= 0)
        err = project_share(p);
    if (err >= 0)
        err = project_move(beside, dir);
    if (err < 0)
        project_remove(p);
    close(p->folder);
    return err < 0 ? err : count;
}

/* "some/dir" has its files in "some/.dir.XXXXXX" first. NULL without memory. */
static char *
project_beside(const char *dir)
{
    const char *slash = strrchr(dir, '/');
    const char *last = slash != NULL ? slash + 1 : dir;
    char *beside;

    if (asprintf(&beside, "%.*s.%s.XXXXXX", (int)(last - dir), dir, last) < 0)
        return NULL;
    return beside;
}

/* Without the slashes at its end; NULL without memory. */
static char *
project_dir(const char *dir)
{
    size_t n = strlen(dir);

    while (n > 1 && dir[n - 1] == '/')
        n--;
    return strndup(dir, n);
}

static int
project_try(struct project *p, const char *given)
{
    char *dir = project_dir(given);
    char *beside = dir != NULL ? project_beside(dir) : NULL;
    int result = -ENOMEM;

    if (beside == NULL)
        goto free_dir;
    if (mkdtemp(beside) == NULL) {
        result = -errno;
    } else {
        result = project_fill(p, beside, dir);
        if (result < 0)
            (void)rmdir(beside);
    }
    free(beside);
free_dir:
    free(dir);
    return result;
}

int
project_make(const char *dir, const char *kind, const char *name)
{
    struct project p = {.kind = kind, .name = name};
    int result;

    p.interrupt = interrupt_open();
    result = project_try(&p, dir);
    if (p.interrupt >= 0)
        interrupt_close(p.interrupt);
    if (result == -EINTR)
        say_error("new: interrupted; nothing was written");
    else if (result == -EEXIST)
        say_error("new: %s is there already; name another folder, or remove it",
                  dir);
    else if (result < 0)
        say_error("new: cannot make the folder %s: %s; nothing was written",
                  dir, strerror(-result));
    return result;
}
