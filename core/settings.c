/* SPDX-License-Identifier: MIT */
/*
 * core/settings.c - four sources, strongest first: the program, the
 * environment, a file, the defaults.
 *
 * Nothing is ignored: a PONS_ variable that is not in the table is an error,
 * and so is an empty value, since it is unclear what it means. Under setuid the
 * environment is the caller's and not the owner's, and chooses nothing.
 */

#include "settings.h"

#include "fail.h"
#include "settings_file.h"

#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#define FIELD_END(type, member) \
    (offsetof(struct type, member) + sizeof(((struct type *)0)->member))

enum {
    SETTINGS_SIZE_MIN = FIELD_END(pons_settings, config), // of ABI 0.1
    SETTINGS_SIZE_MAX = 4096, // more is no size, but what lay on the stack
    PROCESSORS_MAX = 8192,    // bits for sched_getaffinity(2)
};

static const struct setting_row {
    const char *variable, *key;
    size_t field; // of struct pons_settings
} rows[SETTINGS] = {
#define ROW(NAME, name)                                            \
    {                                                              \
        "PONS_" #NAME, #name, offsetof(struct pons_settings, name) \
    }
    [SETTING_REACTOR] = ROW(REACTOR, reactor),
    [SETTING_FILES] = ROW(FILES, files),
    [SETTING_POOL] = ROW(POOL, pool),
    [SETTING_WORKERS] = ROW(WORKERS, workers),
    [SETTING_STALL] = ROW(STALL, stall),
    [SETTING_PLUGIN_PATH] = ROW(PLUGIN_PATH, plugin_path),
    [SETTING_PLUGIN_PATH_ADD] = ROW(PLUGIN_PATH_ADD, plugin_path_add),
    [SETTING_PLUGINS_DISABLE] = ROW(PLUGINS_DISABLE, plugins_disable),
    [SETTING_LOG] = ROW(LOG, log),
    [SETTING_STATS] = ROW(STATS, stats),
    [SETTING_CONFIG] = ROW(CONFIG, config),
#undef ROW
};

const char *
poni_setting_variable(enum poni_setting which)
{
    return rows[which].variable;
}

const char *
poni_setting_key(enum poni_setting which)
{
    return rows[which].key;
}

int
poni_setting_set(struct poni_settings *s, enum poni_setting which,
                 const char *text, const char *origin, const char *label, ...)
{
    struct poni_value *v = &s->value[which];
    va_list args;

    va_start(args, label);
    if (vasprintf(&v->label, label, args) < 0)
        v->label = NULL;
    va_end(args);
    v->origin = strdup(origin);
    v->text = text != NULL ? strdup(text) : NULL;
    if (v->label != NULL && v->origin != NULL &&
        (v->text != NULL || text == NULL))
        return 0;
    return poni_fail(-ENOMEM, "%s: out of memory", rows[which].variable);
}

/* ---- what the program passes ---- */

static int
program_tail_is_zero(const struct pons_settings *given)
{
    const unsigned char *tail = (const unsigned char *)given;

    for (size_t i = sizeof *given; i < given->size; i++)
        if (tail[i] != 0)
            return 0;
    return 1;
}

static int
program_check(const struct pons_settings *given)
{
    const uint32_t known = PONS_NO_ENVIRONMENT | PONS_NO_EXTERNAL_PLUGINS;

    if (given->size < SETTINGS_SIZE_MIN || given->size > SETTINGS_SIZE_MAX)
        return poni_fail(-EINVAL,
                         "pons_settings: size: wanted %d or more, found %u; "
                         "begin with PONS_SETTINGS_INIT",
                         SETTINGS_SIZE_MIN, given->size);
    if (!program_tail_is_zero(given))
        return poni_fail(-E2BIG,
                         "pons_settings: a setting beyond the %zu bytes that "
                         "libpons %s knows is set; use a newer libpons",
                         sizeof *given, PONS_VERSION);
    if ((given->flags & ~known) != 0)
        return poni_fail(-EINVAL,
                         "pons_settings: flags: 0x%x is not known; wanted "
                         "PONS_NO_ENVIRONMENT, PONS_NO_EXTERNAL_PLUGINS or 0",
                         given->flags & ~known);
    return 0;
}

static int
program_read(struct poni_settings *s, const struct pons_settings *given)
{
    struct pons_settings own = {0};
    int err = program_check(given);

    if (err < 0)
        return err;
    memcpy(&own, given, given->size < sizeof own ? given->size : sizeof own);
    s->flags = own.flags;
    for (unsigned i = 0; i < SETTINGS && err == 0; i++) {
        const char *text;

        memcpy(&text, (const char *)&own + rows[i].field, sizeof text);
        if (text == NULL)
            continue;
        if (*text == '\0')
            return poni_fail(-EINVAL,
                             "the program's %s is empty; NULL leaves it to "
                             "others",
                             rows[i].key);
        err = poni_setting_set(s, i, text, "the program", "the program's %s",
                               rows[i].key);
    }
    return err;
}

/* ---- the environment ---- */

static int
environment_row(const char *name, size_t length)
{
    for (int i = 0; i < SETTINGS; i++)
        if (strlen(rows[i].variable) == length &&
            memcmp(rows[i].variable, name, length) == 0)
            return i;
    return -1;
}

static int
environment_unknown(const char *name, size_t length)
{
    const char *names[SETTINGS + 1] = {NULL}, *nearest = NULL;
    char all[256] = "", *word = strndup(name, length);

    for (int i = 0; i < SETTINGS; i++) {
        names[i] = rows[i].variable;
        strcat(strcat(all, " "), names[i]);
    }
    if (word != NULL)
        nearest = poni_nearest(word, names);
    free(word);
    return poni_fail(-EINVAL,
                     "%.*s: there is no such variable; there are:%s%s%s%s",
                     (int)length, name, all, nearest ? "; did you mean " : "",
                     nearest ? nearest : "", nearest ? "?" : "");
}

static int
environment_take(struct poni_settings *s, const char *entry)
{
    size_t length = strcspn(entry, "=");
    int row = environment_row(entry, length);
    const char *text = entry[length] == '=' ? entry + length + 1 : "";

    if (row < 0)
        return environment_unknown(entry, length);
    if (*text == '\0')
        return poni_fail(-EINVAL, "%s: is empty; unset it, or give it a value",
                         rows[row].variable);
    if (s->value[row].text != NULL)
        return 0; // the program has said it
    return poni_setting_set(s, (enum poni_setting)row, text, rows[row].variable,
                            "%s", rows[row].variable);
}

static int
environment_read(struct poni_settings *s)
{
    int err = 0;

    if ((s->flags & PONS_NO_ENVIRONMENT) != 0 || getauxval(AT_SECURE) != 0)
        return 0;
    for (char **e = environ; e != NULL && *e != NULL && err == 0; e++)
        if (strncmp(*e, "PONS_", 5) == 0)
            err = environment_take(s, *e);
    return err;
}

/* ---- the defaults, and what is checked here ---- */

static int
defaults_fill(struct poni_settings *s)
{
    int err = 0;

    for (unsigned i = 0; i < SETTINGS && err == 0; i++)
        if (s->value[i].text == NULL)
            err = poni_setting_set(s, i, NULL, "the default", "%s",
                                   rows[i].variable);
    return err;
}

static uint32_t
workers_default(void)
{
    cpu_set_t bits[PROCESSORS_MAX / CPU_SETSIZE];
    long n;

    memset(bits, 0, sizeof bits);
    if (sched_getaffinity(0, sizeof bits, bits) == 0)
        n = CPU_COUNT_S(sizeof bits, bits);
    else
        n = sysconf(_SC_NPROCESSORS_ONLN);
    if (n < 1)
        return 1;
    return n < WORKERS_MAX ? (uint32_t)n : WORKERS_MAX;
}

static int
workers_read(struct poni_settings *s)
{
    const struct poni_value *v = &s->value[SETTING_WORKERS];
    uint64_t n;

    s->workers = workers_default();
    if (v->text == NULL)
        return 0;
    if (poni_number_parse(v->text, &n) < 0 || n > WORKERS_MAX)
        return poni_fail(-EINVAL,
                         "%s: \"%s\" is not a number of workers; wanted 0 to "
                         "%d",
                         v->label, v->text, WORKERS_MAX);
    s->workers = (uint32_t)n;
    return 0;
}

static int
stall_read(struct poni_settings *s)
{
    const struct poni_value *v = &s->value[SETTING_STALL];
    uint64_t ns;

    s->stall_ns = UINT64_MAX;
    if (v->text == NULL || strcmp(v->text, "off") == 0)
        return 0;
    if (poni_duration_parse(v->text, &ns) < 0)
        return poni_fail(-EINVAL,
                         "%s: \"%s\" is no duration with its unit, nor off; "
                         "wanted off, as this version has no other value",
                         v->label, v->text);
    return poni_fail(-ENOTSUP,
                     "%s: \"%s\": this version of Pons (%s) does not watch "
                     "for tasks that do not yield; wanted off, or unset it; "
                     "pons_dump() shows where each was born, and which run",
                     v->label, v->text, PONS_VERSION);
}

/* The file itself is core/stats.c's. */
static int
stats_read(const struct poni_settings *s)
{
    const struct poni_value *v = &s->value[SETTING_STATS];

    if (v->text == NULL || v->text[0] == '/')
        return 0;
    return poni_fail(-EINVAL,
                     "%s: \"%s\" is not an absolute path; wanted one of a file "
                     "to write to",
                     v->label, v->text);
}

static int
log_read(const struct poni_settings *s)
{
    const struct poni_value *v = &s->value[SETTING_LOG];

    return v->text != NULL ? poni_log_configure(v->label, v->text) : 0;
}

int
poni_settings_read(struct poni_settings *out, const struct pons_settings *given)
{
    int err = 0;

    memset(out, 0, sizeof *out);
    if (given != NULL)
        err = program_read(out, given);
    if (err == 0)
        err = environment_read(out);
    if (err == 0 && out->value[SETTING_CONFIG].text != NULL)
        err = poni_settings_file(out, out->value[SETTING_CONFIG].label,
                                 out->value[SETTING_CONFIG].text);
    if (err == 0)
        err = defaults_fill(out);
    if (err == 0)
        err = workers_read(out);
    if (err == 0)
        err = stall_read(out);
    if (err == 0)
        err = stats_read(out);
    if (err == 0)
        err = log_read(out); // last: the log is the whole process's
    if (err < 0)
        poni_settings_fini(out);
    return err;
}

void
poni_settings_fini(struct poni_settings *s)
{
    for (unsigned i = 0; i < SETTINGS; i++) {
        free(s->value[i].text);
        free(s->value[i].origin);
        free(s->value[i].label);
    }
    memset(s, 0, sizeof *s);
}
