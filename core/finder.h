/* SPDX-License-Identifier: MIT */
#ifndef PONI_FINDER_H
#define PONI_FINDER_H

/*
 * core/finder.h - how the entries of a catalog come about: for core/catalog.c,
 * core/finder.c (files and directories), core/known.c (what is not installed)
 * and core/disable.c (what is not to be used). All fail with the sentence.
 */

#include <sys/stat.h>

#include "catalog.h"
#include "note.h"

/* Appends an entry with copies of all texts; NULL: out of memory. */
struct poni_entry *poni_entry_new(struct poni_catalog *c, const char *name,
                                  const char *path, const char *plugin,
                                  const char *version, const char *licence);

/* `e` is not to be used, and why. */
int poni_entry_reject(struct poni_entry *e, enum poni_entry_status status,
                      const char *why);

/* Adds what is in the directories of PONS_PLUGIN_PATH or PONS_PLUGIN_PATH_ADD.
 */
int poni_finder_path(struct poni_catalog *c, enum poni_setting which);

/* The directory of the installation, which need not be there. */
int poni_finder_installed(struct poni_catalog *c);

/* One file. Same device and inode = same plugin: a second mention adds nothing.
 */
int poni_finder_file(struct poni_catalog *c, const char *path);

/* What is against an open file whose note is right: who may write it, its ABI,
 * whether it is whole. -errno with the reason. */
int poni_finder_check(const char *path, int fd, const struct stat *st,
                      const struct poni_note *note, struct pons_reason *reason);

/* The first entry of this file, or NULL. */
struct poni_entry *poni_finder_known(const struct poni_catalog *c,
                                     const struct stat *st);

/* Whether `word` means `e`: its name, or that of a file that is no plugin with
 * or without its ".so". */
int poni_entry_is_called(const struct poni_entry *e, const char *word,
                         enum poni_setting which);

/* Adds those that Pons knows by name and that nothing else brought: ABSENT. */
int poni_known_add(struct poni_catalog *c);

/* Whether PONS_PLUGINS_DISABLE is a list of patterns. */
int poni_disable_check(const struct poni_value *v);

/* Marks `e` DISABLED if a pattern names it. */
int poni_disable_mark(const struct poni_catalog *c, struct poni_entry *e);

/* Whether each name and glob in it names something. */
int poni_disable_used(const struct poni_catalog *c);

#endif /* PONI_FINDER_H */
