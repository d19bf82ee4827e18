/* SPDX-License-Identifier: MIT */
#ifndef PONI_SETTINGS_H
#define PONI_SETTINGS_H

/*
 * core/settings.h - what the program, the environment, the PONS_CONFIG file and
 * the defaults say, in that order of strength; each value with its origin.
 */

#include "pons/plugin.h"
#include "pons/runtime.h"

/* In the order of the table in core/settings.c, which names them. */
enum poni_setting {
    SETTING_REACTOR,
    SETTING_FILES,
    SETTING_POOL,
    SETTING_WORKERS,
    SETTING_STALL,
    SETTING_PLUGIN_PATH,
    SETTING_PLUGIN_PATH_ADD,
    SETTING_PLUGINS_DISABLE,
    SETTING_LOG,
    SETTING_STATS,
    SETTING_CONFIG,
    SETTINGS,
};

/* A text and where it is from: "PONS_REACTOR", "/etc/x.conf:3", "the program",
 * "the default". `label` begins a sentence about it: "PONS_REACTOR",
 * "/etc/x.conf:3: reactor", "the program's reactor". All owned. */
struct poni_value {
    char *text; // NULL: the default, which means "not set"
    char *origin, *label;
};

struct poni_settings {
    struct poni_value value[SETTINGS];
    uint32_t flags; // enum pons_settings_flags

    /* Read and checked. */
    uint32_t workers;  // how many
    uint64_t stall_ns; // UINT64_MAX: off
};

enum { WORKERS_MAX = 64 }; // seats; a word of bits names them all

/* Reads and checks all sources. 0, or -EINVAL etc. with the sentence. */
int poni_settings_read(struct poni_settings *out,
                       const struct pons_settings *given);
void poni_settings_fini(struct poni_settings *s);

/* "PONS_REACTOR" for SETTING_REACTOR; and its key in a file, "reactor". */
const char *poni_setting_variable(enum poni_setting which);
const char *poni_setting_key(enum poni_setting which);

/*
 * One item of a list `name[:key=value]...[,name...]`. Texts point into memory
 * of the list. A name or value that begins with `[` has been taken whole,
 * without its brackets.
 */
struct poni_item {
    char *name;
    struct poni_pair {
        char *key, *value;
    } * pairs;
    unsigned pair_count;
};

struct poni_list {
    struct poni_item *items;
    unsigned count;
    char *memory;
};

/* -EINVAL with the sentence (empty item, repeated key, no '=', no ']'). */
int poni_list_parse(struct poni_list *out, const char *origin,
                    const char *text);
void poni_list_fini(struct poni_list *l);

/*
 * The values of an engine's options: `pairs` over the defaults of `table`
 * (NULL: no options). -EINVAL with the sentence: origin, word, what is allowed,
 * nearest match. `out` is freed by poni_config_free().
 */
int poni_config_new(struct pons_config **out, const char *origin,
                    const char *engine, const struct pons_option *table,
                    const struct poni_pair *pairs, unsigned pair_count);
void poni_config_free(struct pons_config *c);

/* Whether two configurations of one engine are the same in every word. */
int poni_config_same(const struct pons_config *a, const struct pons_config *b);

/* For pons_host. */
uint64_t poni_config_uint(const struct pons_config *c, const char *name);
const char *poni_config_text(const struct pons_config *c, const char *name);

/* The entry of `names` (NULL-terminated) nearest to `word`, or NULL if none is
 * near. For "did you mean". */
const char *poni_nearest(const char *word, const char *const *names);

/* Names of engines, plugins and options: letters, digits and _ - + . but no
 * "..", fewer than NAME_BYTES of them. */
int poni_name_ok(const char *name);

enum {
    NAME_BYTES = 32,  // of a name, with its end; as in struct pons_note
    OPTIONS_MAX = 64, // in one table: a longer one has lost its end
};

/* What `o` allows, in words: "1 to 4096", "1ms to 1h", "yes or no", "a|b". */
void poni_option_range(const struct pons_option *o, char *text, size_t size);

/* The value of `text`: a number, an index, 1 or 0. -EINVAL with the reason. */
int poni_option_parse(const struct pons_option *o, const char *text,
                      uint64_t *n, struct pons_reason *reason);

/* Whether a table can be relied upon. NULL is an empty one. */
int poni_options_check(const struct pons_option *table,
                       struct pons_reason *reason);

/* "4096"; "10ms", "5s", "500us", "100ns", "2m", "1h" in ns; "512", "64k", "2M",
 * "1G". -EINVAL, or -ERANGE beyond 64 bits; without sentence. */
int poni_number_parse(const char *text, uint64_t *n);
int poni_duration_parse(const char *text, uint64_t *ns);
int poni_bytes_parse(const char *text, uint64_t *bytes);

/* The same back, in the largest unit that is exact. */
void poni_duration_write(char *text, size_t size, uint64_t ns);
void poni_bytes_write(char *text, size_t size, uint64_t bytes);

#endif /* PONI_SETTINGS_H */
