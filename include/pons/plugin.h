/* SPDX-License-Identifier: MIT */
#ifndef PONS_PLUGIN_H
#define PONS_PLUGIN_H

/*
 * pons/plugin.h - how an engine is found, described, configured and loaded.
 *
 * A plugin is a shared object with one entry function and one ELF note. The
 * note says what is inside without running its code; the entry function hands
 * over the tables. A plugin links nothing from libpons: what it needs comes
 * through pons_host.
 *
 *     static const struct pons_option options[] = {
 *         {.name = "events", .type = PONS_OPTION_UINT, .fallback = "64",
 *          .min = 1, .max = 4096, .help = "events per system call"},
 *         {0},
 *     };
 *     static const struct pons_engine engines[] = {
 *         {.kind = PONS_KIND_POLLER, .name = "mine", .rank = 10,
 *          .summary = "...", .options = options, .table = &mine_ops},
 *         {0},
 *     };
 *     static const struct pons_plugin plugin = {
 *         .abi = PONS_ABI, .size = sizeof plugin, .name = "mine",
 *         .version = "1.0", .licence = "MIT", .engines = engines,
 *     };
 *     PONS_PLUGIN(plugin, "mine", "1.0", "MIT", "poller:mine")
 *
 *     cc -shared -fPIC $(pkg-config --cflags pons) mine.c -o mine.so
 *
 * PONS_PLUGIN() makes the note, which repeats the table's name, version,
 * licence and engines (kind:name, in the same order); loading compares the two.
 *
 * Ownership   All tables and strings are static.
 *
 * Threads     The entry function is called once per process, by any thread.
 *
 * Failure     A refusal names the path, the field, what was wanted, what was
 *             found and the way out.
 *
 * Tables begin with abi and size and grow at the end. Reserved fields are zero,
 * and are checked.
 */

#include "base.h"
#include "error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Why an engine is not usable here, in words (R15). */
struct pons_reason {
    char text[240];
};

PONS_STATIC_ASSERT(sizeof(struct pons_reason) == 240, "ABI: pons_reason");

/* The settings of one engine, parsed and checked against its options. */
struct pons_config;

/* What the core does for plugins. Valid as long as anything of them lives. */
struct pons_host {
    uint32_t abi, size; /* of the core; of this struct */

    /* Nanoseconds of CLOCK_MONOTONIC, or of a virtual clock (R13). */
    uint64_t (*now)(const struct pons_host *h);

    /* Zeroed memory, aligned for any type (at least 64 for sizes from 64 on);
     * NULL when there is none. */
    void *(*alloc)(const struct pons_host *h, size_t size);
    void (*free)(const struct pons_host *h, void *memory, size_t size);

    uint64_t (*random)(const struct pons_host *h);

    PONS_PRINTF(4, 5)
    void (*log)(const struct pons_host *h, enum pons_log_level level,
                const char *part, const char *format, ...);

    /* Writes the sentence of a refusal and returns `err`. */
    PONS_PRINTF(3, 4)
    int (*refuse)(struct pons_reason *reason, int err, const char *format, ...);

    /* The value of an option of the engine's table; its type must match. */
    uint64_t (*config_uint)(const struct pons_config *c, const char *name);
    const char *(*config_text)(const struct pons_config *c, const char *name);

    void *data; /* the core's */
    uint64_t reserved[4];
};

PONS_STATIC_ASSERT(offsetof(struct pons_host, reserved) == 80,
                   "ABI: pons_host");

enum pons_option_type {
    PONS_OPTION_UINT = 1, /* a number; min and max count */
    PONS_OPTION_BOOL,     /* yes or no: 1 or 0 */
    PONS_OPTION_DURATION, /* 10ms, 5s, 2m; in ns; min and max count */
    PONS_OPTION_BYTES,    /* 512, 64k, 2M; min and max count */
    PONS_OPTION_CHOICE,   /* one of `choices`: as text, and as its index */
    PONS_OPTION_TEXT,
};

struct pons_option {
    const char *name; /* NULL ends the table */
    uint32_t type;    /* enum pons_option_type */
    uint32_t reserved;
    const char *fallback; /* the default, as a user would write it */
    uint64_t min, max;
    const char *choices; /* "a|b|c" */
    const char *help;    /* one line */
};

PONS_STATIC_ASSERT(sizeof(struct pons_option) == 56, "ABI: pons_option");

enum pons_kind {
    PONS_KIND_REACTOR = 1, /* table: struct pons_reactor_ops */
    PONS_KIND_POLLER,      /* table: struct pons_poller_ops; chosen by
                              PONS_REACTOR like a reactor */
    PONS_KIND_POOL,        /* table: struct pons_pool_ops */
};

/* One name that a user can choose. */
struct pons_engine {
    uint32_t kind; /* enum pons_kind; 0 ends the list */
    uint32_t rank; /* `auto` tries the highest first; 0: never by itself */
    const char *name;
    const char *summary;               /* one line */
    const struct pons_option *options; /* NULL: none */
    const void *table;
    uint64_t reserved[2];
};

PONS_STATIC_ASSERT(sizeof(struct pons_engine) == 56, "ABI: pons_engine");

struct pons_plugin {
    uint32_t abi, size; /* PONS_ABI it was built with; of this struct */
    const char *name, *version, *licence;
    const struct pons_engine *engines;
    uint64_t reserved[4];
};

PONS_STATIC_ASSERT(offsetof(struct pons_plugin, reserved) == 40,
                   "ABI: pons_plugin");

#define PONS_PLUGIN_ENTRY "pons_plugin_v1"

/*
 * The entry. The host's abi and size say what it offers; the plugin answers
 * with its own. 0, or -ENOTSUP if the plugin needs a newer host.
 */
typedef int pons_plugin_entry_f(const struct pons_host *host,
                                const struct pons_plugin **out);

/*
 * The note: owner "Pons", type 1, in section .note.pons. Its descriptor is this
 * struct; the texts are padded with zeros.
 */
#define PONS_NOTE_OWNER "Pons"
#define PONS_NOTE_TYPE  1u

struct pons_note {
    uint32_t owner_size, text_size, type; /* Elf64_Nhdr */
    char owner[8];
    uint32_t abi_min, abi_max; /* that the plugin works with */
    char name[32], version[16], licence[32];
    char engines[160]; /* "kind:name,kind:name"; kind: reactor poller pool */
    uint32_t reserved[4];
};

PONS_STATIC_ASSERT(sizeof(struct pons_note) == 284, "ABI: pons_note");

/*
 * Ends a plugin's file: the note and the entry function. In the library itself
 * (PONS_BUILTIN is the plugin's identifier) it is a plain symbol instead.
 */
#ifdef PONS_BUILTIN
#define PONS_BUILTIN_NAME_(id) poni_builtin_##id
#define PONS_BUILTIN_NAME(id)  PONS_BUILTIN_NAME_(id)
#define PONS_PLUGIN(plugin, name_, version_, licence_, engines_) \
    const struct pons_plugin *const PONS_BUILTIN_NAME(PONS_BUILTIN) = &(plugin);
#else
#define PONS_PLUGIN(plugin, name_, version_, licence_, engines_)               \
    __attribute__((                                                            \
        section(".note.pons"), used,                                           \
        aligned(4))) static const struct pons_note pons_plugin_note = {        \
        sizeof(PONS_NOTE_OWNER),                                               \
        sizeof(struct pons_note) - offsetof(struct pons_note, abi_min),        \
        PONS_NOTE_TYPE,                                                        \
        PONS_NOTE_OWNER,                                                       \
        PONS_ABI_MAJOR << 16,                                                  \
        PONS_ABI,                                                              \
        name_,                                                                 \
        version_,                                                              \
        licence_,                                                              \
        engines_,                                                              \
        {0, 0, 0, 0}};                                                         \
    PONS_EXTERN_C PONS_API int pons_plugin_v1(const struct pons_host *host,    \
                                              const struct pons_plugin **out); \
    PONS_EXTERN_C PONS_API int pons_plugin_v1(const struct pons_host *host,    \
                                              const struct pons_plugin **out)  \
    {                                                                          \
        (void)host;                                                            \
        *out = &(plugin);                                                      \
        return 0;                                                              \
    }
#endif

#ifdef __cplusplus
}
#endif
#endif /* PONS_PLUGIN_H */
