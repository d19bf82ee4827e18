/* SPDX-License-Identifier: MIT */
/*
 * core/descriptor.c - checks the tables of a plugin, field by field.
 *
 * A plugin is code of this process and could do anything; what is checked here
 * is the honest mistake: another version, a field forgotten, a note that was
 * not kept in step. Nothing of a table is looked at before its size says it is
 * there.
 */

#include "descriptor.h"

#include "fail.h"
#include "pons/poller.h"
#include "pons/pool.h"
#include "pons/reactor.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define FIELD_END(type, member) \
    (offsetof(struct type, member) + sizeof(((struct type *)0)->member))

/* What every table begins with. */
struct table_head {
    uint32_t abi, size;
    const char *name;
};

/* A function that must be there. */
struct table_function {
    const char *name; // NULL ends the list
    size_t offset;
};

#define FUNCTION(type, member)                 \
    {                                          \
#member, offsetof(struct type, member) \
    }

static const struct table_function reactor_functions[] = {
    FUNCTION(pons_reactor_ops, open),   FUNCTION(pons_reactor_ops, bind),
    FUNCTION(pons_reactor_ops, close),  FUNCTION(pons_reactor_ops, submit),
    FUNCTION(pons_reactor_ops, cancel), FUNCTION(pons_reactor_ops, poll),
    FUNCTION(pons_reactor_ops, wake),   {NULL, 0},
};

static const struct table_function poller_functions[] = {
    FUNCTION(pons_poller_ops, open),    FUNCTION(pons_poller_ops, close),
    FUNCTION(pons_poller_ops, control), FUNCTION(pons_poller_ops, wait),
    FUNCTION(pons_poller_ops, wake),    {NULL, 0},
};

static const struct table_function pool_functions[] = {
    FUNCTION(pons_pool_ops, open),
    FUNCTION(pons_pool_ops, close),
    FUNCTION(pons_pool_ops, on_submit),
    FUNCTION(pons_pool_ops, on_tick),
    FUNCTION(pons_pool_ops, on_idle),
    FUNCTION(pons_pool_ops, pick),
    {NULL, 0},
};

/* By kind. `size` is that of ABI 0.1: later ones are longer. */
static const struct table_shape {
    size_t size;
    size_t reserved, reserved_size; // where it must be zero; size 0: nowhere
    const struct table_function *functions;
} shapes[] = {
    [PONS_KIND_REACTOR] = {FIELD_END(pons_reactor_ops, wake), 0, 0,
                           reactor_functions},
    [PONS_KIND_POLLER] = {FIELD_END(pons_poller_ops, wake),
                          offsetof(struct pons_poller_ops, reserved),
                          sizeof(uint32_t), poller_functions},
    [PONS_KIND_POOL] = {FIELD_END(pons_pool_ops, pick),
                        offsetof(struct pons_pool_ops, reserved),
                        sizeof(uint64_t), pool_functions},
};

static uint32_t
abi_major(uint32_t abi)
{
    return abi >> 16;
}

static uint32_t
abi_minor(uint32_t abi)
{
    return abi & 0xffff;
}

int
poni_abi_check(uint32_t min, uint32_t max, struct pons_reason *reason)
{
    if (min <= PONS_ABI && abi_major(max) >= abi_major(PONS_ABI))
        return 0;
    return poni_refuse(
        reason, -ENOTSUP,
        "ABI: wanted one that works with %u.%u, found %" PRIu32 ".%" PRIu32
        " to %" PRIu32 ".%" PRIu32 "; %s",
        PONS_ABI_MAJOR, PONS_ABI_MINOR, abi_major(min), abi_minor(min),
        abi_major(max), abi_minor(max),
        min > PONS_ABI ? "use a newer libpons, or an older plugin"
                       : "build the plugin with the headers of this libpons");
}

/* `abi` of a table: our major, and no newer than we are unless the note says
 * that the plugin works with us. */
static int
field_abi(const char *field, uint32_t abi, const struct poni_note *note,
          struct pons_reason *reason)
{
    if (note != NULL && (abi < note->raw.abi_min || abi > note->raw.abi_max))
        return poni_refuse(
            reason, -EINVAL,
            "%s: found %" PRIu32 ".%" PRIu32 ", but the note says %" PRIu32
            ".%" PRIu32 " to %" PRIu32 ".%" PRIu32,
            field, abi_major(abi), abi_minor(abi), abi_major(note->raw.abi_min),
            abi_minor(note->raw.abi_min), abi_major(note->raw.abi_max),
            abi_minor(note->raw.abi_max));
    if (abi_major(abi) == PONS_ABI_MAJOR && (abi <= PONS_ABI || note != NULL))
        return 0;
    return poni_refuse(reason, -ENOTSUP,
                       "%s: wanted %u.0 to %u.%u, found %" PRIu32 ".%" PRIu32
                       "; build the plugin with the headers of this libpons",
                       field, PONS_ABI_MAJOR, PONS_ABI_MAJOR, PONS_ABI_MINOR,
                       abi_major(abi), abi_minor(abi));
}

static int
field_zero(const char *field, const void *bytes, size_t size,
           struct pons_reason *reason)
{
    const unsigned char *b = bytes;

    for (size_t i = 0; i < size; i++)
        if (b[i] != 0)
            return poni_refuse(reason, -EINVAL,
                               "%s: wanted 0, found 0x%02x in byte %zu", field,
                               b[i], i);
    return 0;
}

/* A text that the note has too. */
static int
field_text(const char *field, const char *text, const char *noted,
           struct pons_reason *reason)
{
    if (text == NULL)
        return poni_refuse(reason, -EINVAL, "%s: wanted a text, found NULL",
                           field);
    if (noted != NULL && strcmp(text, noted) != 0)
        return poni_refuse(reason, -EINVAL,
                           "%s: found \"%.32s\", but the note says \"%s\"",
                           field, text, noted);
    return 0;
}

/* Whether one of `engines` has this name: engines may share a table. */
static int
engine_named(const struct pons_engine *engines, const char *name)
{
    for (; engines->kind != 0; engines++)
        if (strcmp(engines->name, name) == 0)
            return 1;
    return 0;
}

static int
table_check(const struct pons_engine *e, const struct pons_engine *engines,
            const struct poni_note *note, struct pons_reason *reason)
{
    const struct table_shape *shape = &shapes[e->kind];
    const struct table_head *head = e->table;
    const char *table = e->table;
    char field[64];
    int err;

    if (head == NULL)
        return poni_refuse(reason, -EINVAL,
                           "engine %s: table: wanted one, found NULL", e->name);
    snprintf(field, sizeof field, "engine %s: table.abi", e->name);
    err = field_abi(field, head->abi, note, reason);
    if (err < 0)
        return err;
    if (head->size < shape->size)
        return poni_refuse(reason, -EINVAL,
                           "engine %s: table.size: wanted at least %zu, found "
                           "%" PRIu32,
                           e->name, shape->size, head->size);
    snprintf(field, sizeof field, "engine %s: table.reserved", e->name);
    err = field_zero(field, table + shape->reserved, shape->reserved_size,
                     reason);
    if (err < 0)
        return err;
    if (head->name == NULL || !engine_named(engines, head->name))
        return poni_refuse(reason, -EINVAL,
                           "engine %s: table.name: wanted the engine's, found "
                           "%.32s",
                           e->name, head->name ? head->name : "NULL");
    for (const struct table_function *f = shape->functions; f->name; f++) {
        void (*function)(void);

        memcpy(&function, table + f->offset, sizeof function);
        if (function == NULL)
            return poni_refuse(reason, -EINVAL,
                               "engine %s: table.%s: wanted a function, found "
                               "NULL",
                               e->name, f->name);
    }
    return 0;
}

static int
engine_check(const struct pons_engine *e, const struct pons_engine *engines,
             const struct poni_note *note, struct pons_reason *reason)
{
    struct pons_reason option;
    char field[64];
    int err;

    snprintf(field, sizeof field, "engine %s: reserved", e->name);
    err = field_zero(field, e->reserved, sizeof e->reserved, reason);
    if (err < 0)
        return err;
    if (e->summary == NULL)
        return poni_refuse(reason, -EINVAL,
                           "engine %s: summary: wanted a text, found NULL",
                           e->name);
    err = table_check(e, engines, note, reason);
    if (err < 0)
        return err;
    if (poni_options_check(e->options, &option) < 0)
        return poni_refuse(reason, -EINVAL, "engine %s: %.180s", e->name,
                           option.text);
    return 0;
}

/* Kind and name of each, before anything else of them is used. */
static int
engines_heads(const struct pons_plugin *p, struct pons_reason *reason)
{
    unsigned n = 0;

    if (p->engines == NULL || p->engines->kind == 0)
        return poni_refuse(reason, -EINVAL,
                           "engines: wanted at least one, found none");
    for (const struct pons_engine *e = p->engines; e->kind != 0; e++, n++) {
        if (n == NOTE_ENGINES_MAX)
            return poni_refuse(reason, -EINVAL,
                               "engines: more than %d, or their list has no "
                               "end",
                               NOTE_ENGINES_MAX);
        if (poni_kind_name(e->kind) == NULL)
            return poni_refuse(reason, -EINVAL,
                               "engines[%u].kind: wanted %d to %d, found "
                               "%" PRIu32,
                               n, PONS_KIND_REACTOR, PONS_KIND_POOL, e->kind);
        if (!poni_name_ok(e->name) || strcmp(e->name, "auto") == 0)
            return poni_refuse(reason, -EINVAL,
                               "engines[%u].name: wanted 1 to %d of a-z 0-9 _ "
                               "- + . and not auto, found %.32s",
                               n, NAME_BYTES - 1, e->name ? e->name : "NULL");
    }
    return 0;
}

/* The engines, in this order, are those of the note. */
static int
engines_noted(const struct pons_plugin *p, const struct poni_note *note,
              struct pons_reason *reason)
{
    unsigned n = 0;

    for (const struct pons_engine *e = p->engines; e->kind != 0; e++, n++)
        if (n >= note->engine_count || note->engines[n].kind != e->kind ||
            strcmp(note->engines[n].name, e->name) != 0)
            return poni_refuse(reason, -EINVAL,
                               "engines[%u]: found %s:%s, but the note says "
                               "\"%s\"",
                               n, poni_kind_name(e->kind), e->name,
                               note->raw.engines);
    if (n == note->engine_count)
        return 0;
    return poni_refuse(reason, -EINVAL,
                       "engines: found %u, but the note says \"%s\"", n,
                       note->raw.engines);
}

static int
engines_check(const struct pons_plugin *p, const struct poni_note *note,
              struct pons_reason *reason)
{
    int err = engines_heads(p, reason);

    if (err == 0 && note != NULL)
        err = engines_noted(p, note, reason);
    for (const struct pons_engine *e = p->engines; err == 0 && e->kind; e++)
        err = engine_check(e, p->engines, note, reason);
    return err;
}

int
poni_descriptor_check(const struct pons_plugin *p, const struct poni_note *note,
                      struct pons_reason *reason)
{
    const struct pons_note *raw = note != NULL ? &note->raw : NULL;
    int err;

    if (p == NULL)
        return poni_refuse(reason, -EINVAL,
                           "descriptor: wanted one, found NULL");
    err = field_abi("descriptor.abi", p->abi, note, reason);
    if (err < 0)
        return err;
    if (p->size < FIELD_END(pons_plugin, reserved))
        return poni_refuse(reason, -EINVAL,
                           "descriptor.size: wanted at least %zu, found "
                           "%" PRIu32,
                           FIELD_END(pons_plugin, reserved), p->size);
    err = field_zero("descriptor.reserved", p->reserved, sizeof p->reserved,
                     reason);
    if (err == 0)
        err = field_text("descriptor.name", p->name, raw ? raw->name : NULL,
                         reason);
    if (err == 0)
        err = field_text("descriptor.version", p->version,
                         raw ? raw->version : NULL, reason);
    if (err == 0)
        err = field_text("descriptor.licence", p->licence,
                         raw ? raw->licence : NULL, reason);
    return err < 0 ? err : engines_check(p, note, reason);
}
