/* SPDX-License-Identifier: MIT */
/*
 * cli/inspection.c - see cli/inspection.h.
 *
 * All that is against a file is found by those who ask it before they load one
 * (core/finder.c, core/image.c). Only what they leave to the system's loader is
 * looked for here: the libraries.
 */

#include "inspection.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/fail.h"
#include "core/finder.h"
#include "core/image.h"
#include "core/trust.h"

/* As much of the library's name as leaves room for the rest. */
static void
loader_refuse_missing(struct pons_reason *reason, const char *name)
{
    poni_refuse(reason, -ENOENT,
                "needs %.80s, which is not here; install what has it, or name "
                "its directory in LD_LIBRARY_PATH",
                name);
}

static int
inspection_load(struct inspection *i, const char *path, int fd)
{
    const char *missing;
    int err;

    if (poni_elf_identify(&i->elf, fd, &i->loader) < 0)
        return 0;
    i->depth = INSPECTION_ELF;
    err = poni_image_open(&i->image, fd, &i->loader);
    if (err < 0)
        return err == -ENOMEM ? err : 0;
    i->depth = INSPECTION_IMAGE;
    err = needed_find(&i->needed, i->image, path);
    if (err < 0)
        return err;
    missing = needed_missing(&i->needed);
    if (missing != NULL)
        loader_refuse_missing(&i->loader, missing);
    return 0;
}

static int
inspection_read(struct inspection *i, const char *path, int fd,
                const struct stat *st)
{
    int err = inspection_load(i, path, fd);

    if (err < 0)
        return err;
    if (poni_note_read(fd, &i->note, &i->unnoted) < 0)
        i->pons = i->unnoted;
    else
        i->noted = 1;
    if (i->noted && poni_finder_check(path, fd, st, &i->note, &i->pons) == 0)
        i->pons = i->loader;
    return 0;
}

int
inspection_open(struct inspection *i, const char *path)
{
    struct stat st;
    int fd, err;

    memset(i, 0, sizeof *i);
    fd = poni_trust_open(path, &st, &i->loader);
    if (fd < 0) {
        i->unnoted = i->pons = i->loader;
        return 0;
    }
    i->depth = INSPECTION_FILE;
    i->size = (uint64_t)st.st_size;
    err = inspection_read(i, path, fd, &st);
    close(fd);
    return err;
}

void
inspection_close(struct inspection *i)
{
    needed_fini(&i->needed);
    poni_image_close(i->image);
    i->image = NULL;
}
