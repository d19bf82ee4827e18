/* SPDX-License-Identifier: MIT */
#ifndef PONI_CATALOG_H
#define PONI_CATALOG_H

/*
 * core/catalog.h - the engines that there are: built in, and in plugin files.
 *
 * Directories are read in this order: PONS_PLUGIN_PATH (or, without it,
 * nothing), PONS_PLUGIN_PATH_ADD, then the built-in plugins, then the directory
 * of the installation (unless PONS_PLUGIN_PATH replaces it). Last come those
 * that Pons knows by name and that nothing brought. Of two engines with one
 * name the first wins and the other is reported. Files are known by their note;
 * their code is loaded only when an engine of theirs is asked for.
 */

#include "pons/plugin.h"
#include "settings.h"

enum poni_entry_status {
    ENTRY_USABLE_MAYBE, // nothing is known against it
    ENTRY_SHADOWED,     // an earlier entry has the same name
    ENTRY_DISABLED,     // by PONS_PLUGINS_DISABLE
    ENTRY_BROKEN,       // the file is not a plugin, or not ours to trust
    ENTRY_ABSENT,       // Pons knows the name, but it is not installed here
};

/* One engine of one plugin (or one file that is broken). Strings are owned. */
struct poni_entry {
    struct poni_entry *next;
    enum poni_entry_status status;
    char *name;    // of the engine; of the file if its note is broken
    uint32_t kind; // enum pons_kind; 0 if the note is broken
    char *path;    // of the file; NULL: built in
    char *plugin, *version, *licence; // NULL if the note is broken
    uint32_t abi_min, abi_max;
    char *why;              // a sentence, for all but USABLE_MAYBE
    uint64_t device, inode; // of the file
    const struct pons_plugin *descriptor; // a file's: NULL until loaded
    const struct pons_engine *engine;     // NULL until loaded
};

struct poni_catalog {
    struct poni_entry *entries;           // in order of precedence
    const struct poni_settings *settings; // borrowed
};

/* The plugins that are compiled in, best first; NULL at the end. */
extern const struct pons_plugin *const *const poni_builtins[];

/* 0, or -errno with the sentence (a directory of PONS_PLUGIN_PATH that is not
 * there, not absolute, or writable by others). */
int poni_catalog_open(struct poni_catalog **out,
                      const struct poni_settings *settings);
void poni_catalog_close(struct poni_catalog *c);

/* SETTING_REACTOR or SETTING_POOL: which setting chooses engines of `kind`. */
enum poni_setting poni_kind_setting(uint32_t kind);

/* Whose engines `which` chooses among: of PONS_FILES those of PONS_REACTOR. */
enum poni_setting poni_setting_among(enum poni_setting which);

/* -ENOENT with the sentence: what there is, and the nearest. `which` is
 * SETTING_REACTOR, SETTING_FILES or SETTING_POOL; SETTINGS: all. */
int poni_catalog_unknown(const struct poni_catalog *c, const char *label,
                         const char *word, enum poni_setting which);

/*
 * The entries of the file `path`, which is added if it is not there yet, as if
 * its directory had been searched. `*first` is its first one; the others follow
 * it and have its device and inode. -EINVAL (not absolute), -EPERM with the
 * sentence; a file that is broken is an entry that is.
 */
int poni_catalog_file(struct poni_catalog *c, const char *label,
                      const char *path, struct poni_entry **first);

/*
 * The entry that `word` means: a name, or the path of a file with one engine of
 * that kind. The first that is not shadowed, though it be broken: who names it
 * is told why. -ENOENT, -EINVAL, -EPERM with the sentence.
 */
int poni_catalog_find(struct poni_catalog *c, const char *label,
                      const char *word, enum poni_setting which,
                      struct poni_entry **found);

/*
 * Loads and checks the plugin of `e`, so that e->engine is set. Does nothing if
 * it is. -EPERM for one that is DISABLED, -ENOENT for one that is ABSENT,
 * -EINVAL etc. with the sentence, which begins with the path, or the name of
 * one without.
 */
int poni_entry_load(struct poni_entry *e);

/* The same; the reason alone, for those who say themselves whose it is. */
int poni_entry_try(struct poni_entry *e, struct pons_reason *reason);

/*
 * Whether `e` can be used here: loads it, opens an engine with the defaults and
 * closes it. 0, or -errno with the reason in words.
 */
int poni_entry_probe(struct poni_entry *e, struct pons_reason *reason);

/* The services that plugins get. One per process. */
const struct pons_host *poni_host(void);

/* What became of one engine that a setting might have chosen. */
enum poni_verdict {
    VERDICT_CHOSEN,
    VERDICT_REFUSED,   // not usable here
    VERDICT_NOT_TRIED, // another came first, or it is never chosen by itself
};

struct poni_candidate {
    const struct poni_entry *entry; // borrowed from the catalog
    enum poni_verdict verdict;
    char *why; // owned
};

/*
 * What one setting chose: the engine, its options, and the story. `poni_choose`
 * reads SETTING_REACTOR (reactors and pollers), SETTING_FILES (the same, and
 * pool, which is no engine: NULL) or SETTING_POOL and tries the candidates in
 * order: `try_open(arg, engine, config, reason)` opens one for good and answers
 * 0, or -errno with the reason in words.
 *
 * When it fails (-EINVAL, -ENOENT, -ENOTSUP) the sentence has the story, and
 * `out` holds nothing. (-ENOMEM may come after try_open succeeded: whoever
 * keeps what that opened in `arg` closes it.)
 */
struct poni_choice {
    struct poni_entry *entry;
    struct pons_config *config; // owned
    char *story;                // owned: lines of why and why not, for explain
    struct poni_candidate *candidates; // owned: the same for machines
    unsigned candidate_count;          // in the order in which they come
};

typedef int poni_try_open_f(void *arg, const struct pons_engine *engine,
                            const struct pons_config *config,
                            struct pons_reason *reason);

int poni_choose(struct poni_choice *out, struct poni_catalog *c,
                enum poni_setting which, poni_try_open_f *try_open, void *arg);
void poni_choice_fini(struct poni_choice *choice);

/* How far a probe has come: what an engine that never returns was doing. */
enum poni_probe_stage {
    PROBE_LOAD, // nothing of it has been called yet, but its entry function
    PROBE_OPEN,
    PROBE_BIND, // of a pool: never
    PROBE_CLOSE,
    PROBE_ENDED,
};

struct poni_probed {
    enum poni_probe_stage stage;
    uint64_t open_ns; // that open() took
    uint64_t caps;    // of the reactor; that of a poller is the adapter's
};

/* A try_open that closes what it opened: for those who only want to know. Of a
 * poller it opens what a runtime would, a reactor over it. `arg` is a struct
 * poni_probed, which it keeps up to date, or NULL. */
int poni_probe(void *arg, const struct pons_engine *engine,
               const struct pons_config *config, struct pons_reason *reason);

#endif /* PONI_CATALOG_H */
