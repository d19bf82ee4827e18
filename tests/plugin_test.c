/* SPDX-License-Identifier: MIT */
/*
 * tests/plugin_test.c - from a directory to a loaded engine: catalog, loader,
 * choice. Against plugins that are right, and each kind that is not.
 *
 * The built-in plugins here are the test's own, so that it does not depend on
 * which ones the library has.
 */

#include "core/catalog.h"
#include "core/fail.h"
#include "pons/poller.h"
#include "pons/pool.h"
#include "scratch.h"

#include <dlfcn.h>
#include <errno.h>

/* ---- the built-in plugins: pollers high, low, sunday, byname; pool plain ----
 */

static struct pons_poller poller;
static struct pons_pool_policy policy;
static int opened; // and not closed again

static int
fake_open(struct pons_poller **out, const struct pons_config *config,
          const struct pons_host *host, struct pons_reason *reason)
{
    (void)reason;
    if (host->config_uint(config, "events") == 13)
        return -EDOM; // without a reason in words
    opened++;
    *out = &poller;
    return 0;
}

static int
fake_open_sunday(struct pons_poller **out, const struct pons_config *config,
                 const struct pons_host *host, struct pons_reason *reason)
{
    (void)out;
    (void)config;
    return host->refuse(reason, -EPERM, "it is %s", "Sunday");
}

static void
fake_close(struct pons_poller *p)
{
    (void)p;
    opened--;
}

static int
fake_control(struct pons_poller *p, int fd, uint64_t cookie, unsigned had,
             unsigned want)
{
    (void)p, (void)fd, (void)cookie, (void)had, (void)want;
    return 0;
}

static int
fake_wait(struct pons_poller *p, struct pons_ready *ready, unsigned cap,
          uint64_t deadline_ns)
{
    (void)p, (void)ready, (void)cap, (void)deadline_ns;
    return 0;
}

static int
fake_wake(struct pons_poller *p)
{
    (void)p;
    return 0;
}

static int
plain_open(struct pons_pool_policy **out, const struct pons_config *config,
           const struct pons_host *host, struct pons_reason *reason)
{
    (void)config, (void)host, (void)reason;
    opened++;
    *out = &policy;
    return 0;
}

static void
plain_close(struct pons_pool_policy *p)
{
    (void)p;
    opened--;
}

static struct pons_pool_admission
plain_on_submit(struct pons_pool_policy *p, const struct pons_pool_view *v,
                const struct pons_job *job)
{
    (void)p, (void)v, (void)job;
    return (struct pons_pool_admission){0};
}

static struct pons_pool_target
plain_on_tick(struct pons_pool_policy *p, const struct pons_pool_view *v)
{
    (void)p, (void)v;
    return (struct pons_pool_target){0};
}

static uint64_t
plain_on_idle(struct pons_pool_policy *p, const struct pons_pool_view *v,
              uint64_t parked_ns)
{
    (void)p, (void)v, (void)parked_ns;
    return 0;
}

static uint32_t
plain_pick(struct pons_pool_policy *p, const struct pons_pool_view *v)
{
    (void)p, (void)v;
    return 0;
}

#define POLLER_OPS(name_, open_)                                       \
    {                                                                  \
        .abi = PONS_ABI, .size = sizeof(struct pons_poller_ops),       \
        .name = name_, .open = open_, .close = fake_close,             \
        .control = fake_control, .wait = fake_wait, .wake = fake_wake, \
    }

static const struct pons_poller_ops high_ops = POLLER_OPS("high", fake_open);
static const struct pons_poller_ops low_ops = POLLER_OPS("low", fake_open);
static const struct pons_poller_ops byname_ops =
    POLLER_OPS("byname", fake_open);
static const struct pons_poller_ops sunday_ops =
    POLLER_OPS("sunday", fake_open_sunday);

static const struct pons_pool_ops plain_ops = {
    .abi = PONS_ABI,
    .size = sizeof plain_ops,
    .name = "plain",
    .open = plain_open,
    .close = plain_close,
    .on_submit = plain_on_submit,
    .on_tick = plain_on_tick,
    .on_idle = plain_on_idle,
    .pick = plain_pick,
};

static const struct pons_option fake_options[] = {
    {.name = "events",
     .type = PONS_OPTION_UINT,
     .fallback = "64",
     .min = 1,
     .max = 4096,
     .help = "events per call"},
    {0},
};

#define POLLER(name_, rank_)                                     \
    {                                                            \
        .kind = PONS_KIND_POLLER, .rank = rank_, .name = #name_, \
        .summary = "for this test", .options = fake_options,     \
        .table = &name_##_ops,                                   \
    }

static const struct pons_engine fake_engines[] = {
    POLLER(low, 2),
    POLLER(byname, 0),
    POLLER(sunday, 90),
    POLLER(high, 50),
    {0},
};

static const struct pons_engine plain_engines[] = {
    {.kind = PONS_KIND_POOL,
     .rank = 1,
     .name = "plain",
     .summary = "for this test",
     .table = &plain_ops},
    {0},
};

static const struct pons_plugin fake = {
    .abi = PONS_ABI,
    .size = sizeof fake,
    .name = "fake",
    .version = "1",
    .licence = "MIT",
    .engines = fake_engines,
};

static const struct pons_plugin pools = {
    .abi = PONS_ABI,
    .size = sizeof pools,
    .name = "pools",
    .version = "1",
    .licence = "MIT",
    .engines = plain_engines,
};

static const struct pons_plugin *const fake_at = &fake, *const pools_at =
                                                            &pools;
const struct pons_plugin *const *const poni_builtins[] = {&fake_at, &pools_at,
                                                          NULL};

/* ---- a catalog, from settings that the program passes ---- */

static struct pons_settings given = {.size = sizeof given,
                                     .flags = PONS_NO_ENVIRONMENT};
static struct poni_settings settings;
static struct poni_catalog *catalog;

/* Without a plugin path an empty one, so that what is installed on this machine
 * does not matter. */
static int
open_catalog(void)
{
    static char *empty;
    int err, own = given.plugin_path == NULL &&
                   (given.flags & PONS_NO_EXTERNAL_PLUGINS) == 0;

    if (own && empty == NULL)
        empty = scratch_directory("empty");
    if (own)
        given.plugin_path = empty;
    err = poni_settings_read(&settings, &given);
    CHECK_EQ(err, 0);
    if (own)
        given.plugin_path = NULL;
    err = poni_catalog_open(&catalog, &settings);
    if (err < 0)
        poni_settings_fini(&settings);
    return err;
}

static void
close_catalog(void)
{
    poni_catalog_close(catalog);
    poni_settings_fini(&settings);
}

/* The entry of this name in this directory, or (NULL) the built-in one. */
static struct poni_entry *
entry(const char *name, const char *directory)
{
    for (struct poni_entry *e = catalog->entries; e != NULL; e = e->next)
        if (strcmp(e->name, name) == 0 &&
            (directory == NULL ? e->path == NULL
                               : unit_has(e->path, directory)))
            return e;
    fprintf(stderr, "no entry %s\n", name);
    exit(1);
}

static unsigned
entries_named(const char *name)
{
    unsigned n = 0;

    for (struct poni_entry *e = catalog->entries; e != NULL; e = e->next)
        n += strcmp(e->name, name) == 0;
    return n;
}

/* A directory "d" with the variant as d/sample.so, which is the plugin path. */
static void
path_with(const char *sample)
{
    char *from = scratch_sample(sample);

    given.plugin_path = scratch_directory("d");
    free(scratch_copy("d/sample.so", from));
    free(from);
}

static int
choose(struct poni_choice *choice, enum poni_setting which)
{
    return poni_choose(choice, catalog, which, poni_probe, NULL);
}

/* ---- finding ---- */

static void
built_in_plugins_need_no_directory(void)
{
    struct poni_entry *e;

    CHECK_EQ(open_catalog(), 0);
    e = entry("high", NULL);
    CHECK_EQ(e->status, ENTRY_USABLE_MAYBE);
    CHECK_EQ(e->kind, PONS_KIND_POLLER);
    CHECK_EQ(e->abi_min, PONS_ABI_MAJOR << 16); // as the note of a file has it
    CHECK_EQ(e->abi_max, PONS_ABI);
    CHECK(e->engine == NULL);
    CHECK_EQ(poni_entry_load(e), 0);
    CHECK(e->engine == &fake_engines[3]);
    CHECK_EQ(poni_entry_load(entry("plain", NULL)), 0);
    close_catalog();
}

static void
a_plugin_is_found_by_path_and_works(void)
{
    struct pons_reason reason;
    struct poni_entry *e;

    path_with("good");
    CHECK_EQ(open_catalog(), 0);
    e = entry("sample", "/d/sample.so");
    CHECK_EQ(e->status, ENTRY_USABLE_MAYBE);
    CHECK_HAS(e->plugin, "sample");
    CHECK_HAS(e->version, "1.0");
    CHECK_HAS(e->licence, "MIT");
    CHECK_EQ(poni_entry_probe(e, &reason), 0);
    CHECK_EQ(e->engine->rank, 5);
    close_catalog();
}

static void
no_code_runs_before_an_engine_is_asked_for(void)
{
    void *loaded;

    path_with("good");
    CHECK_EQ(open_catalog(), 0);
    loaded = dlopen(entry("sample", "/d/")->path, RTLD_NOW | RTLD_NOLOAD);
    CHECK(loaded == NULL);
    close_catalog();
}

static void
a_plugin_is_entered_once_per_process(void)
{
    struct pons_reason reason;

    path_with("two");
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(open_catalog(), 0);
        CHECK_EQ(poni_entry_probe(entry("sample", "/d/"), &reason), 0);
        CHECK_EQ(poni_entry_probe(entry("second", "/d/"), &reason), 0);
        CHECK_EQ(poni_entry_probe(entry("other", "/d/"), &reason), 0);
        close_catalog();
    }
}

static void
the_added_path_comes_after_the_path(void)
{
    char *good = scratch_sample("good");

    given.plugin_path = scratch_directory("d");
    given.plugin_path_add = scratch_directory("e");
    free(scratch_copy("d/x.so", good));
    free(scratch_copy("e/y.so", good));
    free(scratch_copy("e/ignored.so.1", good));
    free(good);
    CHECK_EQ(open_catalog(), 0);
    CHECK_EQ(entry("sample", "/d/x.so")->status, ENTRY_USABLE_MAYBE);
    CHECK_EQ(entry("sample", "/e/y.so")->status, ENTRY_SHADOWED);
    CHECK_HAS(entry("sample", "/e/y.so")->why, "/d/x.so comes first");
    CHECK_EQ(entries_named("sample"), 2);
    close_catalog();
}

static int shadow_lines;

static void
hear_shadow(void *arg, enum pons_log_level level, const char *part,
            const char *line)
{
    (void)arg, (void)level, (void)part;
    shadow_lines += unit_has(line, "comes first and has the same name");
}

static void
the_first_of_two_with_one_name_wins_and_the_other_is_reported(void)
{
    char *good = scratch_sample("good"), *two = scratch_sample("two");

    given.plugin_path = scratch_directory("d");
    free(scratch_copy("d/1.so", good));
    free(scratch_copy("d/2.so", two));
    free(good);
    free(two);
    pons_log_hook(hear_shadow, NULL, PONS_LOG_INFO);
    CHECK_EQ(open_catalog(), 0);
    pons_log_hook(NULL, NULL, PONS_LOG_OFF);
    CHECK_EQ(shadow_lines, 1);
    CHECK_EQ(entry("sample", "/d/1.so")->status, ENTRY_USABLE_MAYBE);
    CHECK_EQ(entry("sample", "/d/2.so")->status, ENTRY_SHADOWED);
    CHECK_EQ(entry("second", "/d/2.so")->status, ENTRY_USABLE_MAYBE);
    close_catalog();
}

static void
one_file_under_two_names_is_one_plugin(void)
{
    char *link, *file;

    path_with("good");
    file = scratch_path("d/sample.so");
    link = scratch_path("d/zample.so");
    CHECK_EQ(symlink("sample.so", link), 0);
    free(link);
    link = scratch_path("d/hard.so");
    CHECK_EQ(linkat(AT_FDCWD, file, AT_FDCWD, link, 0), 0);
    free(link);
    free(file);
    CHECK_EQ(open_catalog(), 0);
    CHECK_EQ(entries_named("sample"), 1);
    close_catalog();
}

static void
a_wrong_plugin_path_is_an_error(void)
{
    char *directory = scratch_directory("d"), *text, *file;
    static const struct {
        const char *path;
        int err;
        const char *part;
    } wrong[] = {
        {"plugins", -EINVAL, "is not an absolute path"},
        {"/nowhere/at/all", -ENOENT, "No such file"},
        {"/dev/null", -ENOTDIR, "is not a directory"},
        {"/:", -EINVAL, "empty item"},
        {"/tmp::/", -EINVAL, "empty item"},
    };

    for (unsigned i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        given.plugin_path_add = wrong[i].path;
        if (unit_has(wrong[i].path, "/tmp")) {
            CHECK(asprintf(&text, "%s::/", directory) > 0);
            given.plugin_path_add = text;
        }
        CHECK_EQ(open_catalog(), wrong[i].err);
        CHECK_HAS(pons_last_error(), "the program's plugin_path_add");
        CHECK_HAS(pons_last_error(), wrong[i].part);
    }
    free(text);
    file = scratch_text("file", "");
    given.plugin_path_add = NULL;
    given.plugin_path = file;
    CHECK_EQ(open_catalog(), -ENOTDIR);
    CHECK_HAS(pons_last_error(), "the program's plugin_path: ");
    free(file);
    free(directory);
}

static void
a_directory_that_others_may_write_is_an_error(void)
{
    path_with("good");
    CHECK_EQ(chmod(given.plugin_path, 0777), 0);
    CHECK_EQ(open_catalog(), -EPERM);
    CHECK_HAS(pons_last_error(), given.plugin_path);
    CHECK_HAS(pons_last_error(), "everybody may write to it (mode 0777)");
    CHECK_EQ(chmod(given.plugin_path, 01777), 0);
    CHECK_EQ(open_catalog(), -EPERM);
    CHECK_EQ(chmod(given.plugin_path, 0775), 0);
    CHECK_EQ(open_catalog(), -EPERM);
    CHECK_HAS(pons_last_error(), "its group may write to it");
    CHECK_EQ(chmod(given.plugin_path, 0755), 0);
    CHECK_EQ(open_catalog(), 0);
    close_catalog();
}

/* `sample` cannot be used, for this reason; asking for it says so, and the
 * choice goes on without it. */
static void
check_broken_sample(const char *why)
{
    struct poni_choice choice;
    struct poni_entry *e;

    CHECK_EQ(open_catalog(), 0);
    e = entry("sample", "/d/sample.so");
    CHECK_EQ(e->status, ENTRY_BROKEN);
    CHECK_HAS(e->why, why);
    CHECK_EQ(poni_entry_load(e), -EINVAL);
    CHECK_HAS(pons_last_error(), "/d/sample.so: ");
    CHECK_HAS(pons_last_error(), why);
    CHECK_EQ(choose(&choice, SETTING_REACTOR), 0);
    CHECK_EQ(strcmp(choice.entry->name, "high"), 0);
    CHECK_HAS(choice.story, why);
    poni_choice_fini(&choice);
    close_catalog();
    given.reactor = "sample";
    CHECK_EQ(open_catalog(), 0);
    CHECK_EQ(choose(&choice, SETTING_REACTOR), -ENOTSUP);
    CHECK_HAS(pons_last_error(), "the program's reactor");
    CHECK_HAS(pons_last_error(), why);
    close_catalog();
    given.reactor = NULL;
}

static void
a_file_that_others_may_write_is_broken(void)
{
    char *file;

    path_with("good");
    file = scratch_path("d/sample.so");
    CHECK_EQ(chmod(file, 0666), 0);
    check_broken_sample("everybody may write to it (mode 0666)");
    CHECK_EQ(chmod(file, 0664), 0);
    check_broken_sample("its group may write to it (mode 0664)");
    free(file);
}

static void
a_broken_file_takes_no_name_away(void)
{
    char *good = scratch_sample("good"), *first;

    given.plugin_path = scratch_directory("d");
    first = scratch_copy("d/1.so", good);
    free(scratch_copy("d/2.so", good));
    CHECK_EQ(chmod(first, 0666), 0);
    CHECK_EQ(open_catalog(), 0);
    CHECK_EQ(entry("sample", "/d/1.so")->status, ENTRY_BROKEN);
    CHECK_EQ(entry("sample", "/d/2.so")->status, ENTRY_USABLE_MAYBE);
    close_catalog();
    free(first);
    free(good);
}

static void
a_plugin_of_another_abi_is_known_by_its_note(void)
{
    path_with("other_major");
    check_broken_sample("wanted one that works with 0.1");
}

static void
a_file_made_writable_after_it_was_found_is_not_loaded(void)
{
    char *file;

    path_with("good");
    file = scratch_path("d/sample.so");
    CHECK_EQ(open_catalog(), 0);
    CHECK_EQ(chmod(file, 0666), 0);
    CHECK_EQ(poni_entry_load(entry("sample", "/d/")), -EPERM);
    CHECK_HAS(pons_last_error(), "everybody may write to it");
    close_catalog();
    free(file);
}

static void
a_link_into_a_directory_that_others_may_write_is_broken(void)
{
    char *open_to_all = scratch_directory("open"), *link, *target;
    char *good = scratch_sample("good");

    given.plugin_path = scratch_directory("d");
    target = scratch_copy("open/sample.so", good);
    link = scratch_path("d/sample.so");
    CHECK_EQ(symlink(target, link), 0);
    CHECK_EQ(chmod(open_to_all, 0777), 0);
    check_broken_sample("everybody may write to it");
    free(good);
    free(link);
    free(target);
    free(open_to_all);
}

static void
what_is_no_plugin_is_listed_with_its_reason(void)
{
    static const struct {
        const char *name, *why;
    } broken[] = {
        {"text.so", "is no ELF file"},  {"short.so", "truncated"},
        {"fifo.so", "is a fifo"},       {"folder.so", "is a directory"},
        {"nowhere.so", "No such file"}, {"nonote.so", "has no Pons note"},
    };
    char *good = scratch_sample("good"), *none = scratch_sample("no_note");
    size_t size;
    char *bytes = scratch_read(good, &size), *path;
    struct poni_choice choice;

    given.plugin_path = scratch_directory("d");
    free(scratch_text("d/text.so", "#!/bin/sh\n"));
    free(scratch_bytes("d/short.so", bytes, 100));
    free(scratch_directory("d/folder.so"));
    free(scratch_copy("d/nonote.so", none));
    path = scratch_path("d/fifo.so");
    CHECK_EQ(mkfifo(path, 0644), 0);
    free(path);
    path = scratch_path("d/nowhere.so");
    CHECK_EQ(symlink("/nowhere/at/all.so", path), 0);
    free(path);
    free(bytes);
    free(good);
    free(none);
    CHECK_EQ(open_catalog(), 0);
    for (unsigned i = 0; i < sizeof broken / sizeof *broken; i++) {
        CHECK_EQ(entry(broken[i].name, "/d/")->status, ENTRY_BROKEN);
        CHECK_HAS(entry(broken[i].name, "/d/")->why, broken[i].why);
    }
    close_catalog();
    given.reactor = "text";
    CHECK_EQ(open_catalog(), 0);
    CHECK_EQ(choose(&choice, SETTING_REACTOR), -ENOTSUP);
    CHECK_HAS(pons_last_error(), "/d/text.so: not usable here: is no ELF");
    close_catalog();
}

static void
a_program_can_forbid_files(void)
{
    struct poni_choice choice;
    char *path;

    path_with("good");
    given.flags |= PONS_NO_EXTERNAL_PLUGINS;
    CHECK_EQ(open_catalog(), -EINVAL);
    CHECK_HAS(pons_last_error(), "contradicts PONS_NO_EXTERNAL_PLUGINS");
    CHECK_EQ(setenv("PONS_PLUGIN_PATH", given.plugin_path, 1), 0);
    free((void *)given.plugin_path);
    given.plugin_path = NULL;
    given.flags = PONS_NO_EXTERNAL_PLUGINS;
    CHECK_EQ(open_catalog(), 0);
    CHECK_EQ(entries_named("sample"), 0);
    close_catalog();
    given.reactor = path = scratch_path("d/sample.so");
    CHECK_EQ(open_catalog(), 0);
    CHECK_EQ(choose(&choice, SETTING_REACTOR), -EPERM);
    CHECK_HAS(pons_last_error(), "built-in plugins only");
    close_catalog();
    free(path);
}

/* ---- PONS_PLUGINS_DISABLE ---- */

static void
what_is_disabled_is_never_used(void)
{
    struct poni_choice choice;

    path_with("good");
    given.plugins_disable = "high,sam*";
    CHECK_EQ(open_catalog(), 0);
    CHECK_EQ(entry("high", NULL)->status, ENTRY_DISABLED);
    CHECK_HAS(entry("sample", "/d/")->why,
              "disabled by \"sam*\" in the program's plugins_disable");
    CHECK_EQ(entry("low", NULL)->status, ENTRY_USABLE_MAYBE);
    CHECK_EQ(poni_entry_load(entry("high", NULL)), -EPERM);
    CHECK_EQ(choose(&choice, SETTING_REACTOR), 0);
    CHECK_EQ(strcmp(choice.entry->name, "low"), 0);
    CHECK_HAS(choice.story, "high (built in): not usable: disabled by");
    poni_choice_fini(&choice);
    close_catalog();
    given.reactor = "high";
    CHECK_EQ(open_catalog(), 0);
    CHECK_EQ(choose(&choice, SETTING_REACTOR), -ENOTSUP);
    CHECK_HAS(pons_last_error(),
              "reactor: high: not usable here: disabled by \"high\"");
    close_catalog();
}

static void
the_name_of_a_plugin_disables_all_its_engines(void)
{
    given.plugins_disable = "fake";
    CHECK_EQ(open_catalog(), 0);
    CHECK_EQ(entry("low", NULL)->status, ENTRY_DISABLED);
    CHECK_EQ(entry("plain", NULL)->status, ENTRY_USABLE_MAYBE);
    close_catalog();
}

static void
disabling_what_is_not_there_is_an_error(void)
{
    static const struct {
        const char *text;
        int err;
        const char *part;
    } wrong[] = {
        {"hihg", -ENOENT, "did you mean \"high\"?"},
        {"high,nothing", -ENOENT, "there is no plugin \"nothing\""},
        {"high,,low", -EINVAL, "empty item"},
        {"/usr/lib/x.so", -EINVAL, "no name or glob"},
        {"high, low", -EINVAL, "no name or glob"},
        {"nothing*", -ENOENT, "there is no plugin \"nothing*\""},
        {"*l*w*w*", -ENOENT, "did you mean \"low\"?"},
        {"low,hihg*", -ENOENT, "did you mean \"high\"?"},
        {"*hg", -ENOENT, "there are: low, byname, sunday, high, plain"},
    };

    for (unsigned i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        given.plugins_disable = wrong[i].text;
        CHECK_EQ(open_catalog(), wrong[i].err);
        CHECK_HAS(pons_last_error(), "the program's plugins_disable");
        CHECK_HAS(pons_last_error(), wrong[i].part);
    }
}

static void
disabling_what_pons_knows_but_is_not_here_is_no_error(void)
{
    given.plugins_disable = "uring,lib*";
    CHECK_EQ(open_catalog(), 0);
    CHECK_EQ(entry("uring", NULL)->status, ENTRY_ABSENT);
    close_catalog();
}

/* ---- loading: each wrong plugin ---- */

static void
check_refused(const char *sample, int err, const char *part)
{
    char *from = scratch_sample(sample), *path, *name;
    struct poni_entry *e;

    CHECK(asprintf(&name, "d/%s.so", sample) > 0);
    path = scratch_copy(name, from);
    CHECK_EQ(open_catalog(), 0);
    e = entry("sample", path);
    if (e->status == ENTRY_BROKEN) {
        CHECK_HAS(e->why, part);
    } else {
        CHECK_EQ(poni_entry_load(e), err);
        CHECK_HAS(pons_last_error(), path);
        CHECK_HAS(pons_last_error(), part);
        CHECK(e->engine == NULL);
        CHECK_EQ(poni_entry_load(e), err); // and again, from memory
        CHECK_HAS(pons_last_error(), part);
    }
    close_catalog();
    unlink(path);
    free(path);
    free(name);
    free(from);
}

static void
a_plugin_of_another_abi_is_refused(void)
{
    given.plugin_path = scratch_directory("d");
    check_refused("other_major", -ENOTSUP, "wanted one that works with 0.1");
    check_refused("newer_minor", -ENOTSUP, "found 0.2 to 0.2");
    check_refused("entry_newer", -ENOTSUP, "it needs a newer host");
    check_refused("table_abi", -EINVAL, "table.abi: found 1.0");
}

static void
a_plugin_that_differs_from_its_note_is_refused(void)
{
    given.plugin_path = scratch_directory("d");
    check_refused("abi_lies", -EINVAL,
                  "descriptor.abi: found 0.2, but the note says 0.0 to 0.1");
    check_refused("name_lies", -EINVAL,
                  "descriptor.name: found \"sample\", but the note says "
                  "\"simple\"");
    check_refused("version_lies", -EINVAL, "descriptor.version: found \"2.0\"");
    check_refused("engines_lie", -EINVAL,
                  "engines: found 1, but the note says "
                  "\"poller:sample,poller:more\"");
}

static void
a_plugin_with_a_wrong_descriptor_is_refused(void)
{
    given.plugin_path = scratch_directory("d");
    check_refused("reserved", -EINVAL, "descriptor.reserved: wanted 0");
    check_refused("small_descriptor", -EINVAL, "descriptor.size: wanted at le");
    check_refused("no_engines", -EINVAL, "engines: wanted at least one");
    check_refused("engine_reserved", -EINVAL, "engine sample: reserved: want");
    check_refused("no_summary", -EINVAL, "engine sample: summary");
    check_refused("bad_option", -EINVAL, "events=5000 is out of range");
}

static void
a_plugin_with_a_wrong_table_is_refused(void)
{
    given.plugin_path = scratch_directory("d");
    check_refused("no_table", -EINVAL, "table: wanted one, found NULL");
    check_refused("small_table", -EINVAL, "table.size: wanted at least");
    check_refused("table_reserved", -EINVAL, "table.reserved: wanted 0");
    check_refused("table_name", -EINVAL, "table.name: wanted the engine's");
    check_refused("null_function", -EINVAL, "table.wait: wanted a function");
}

static void
a_plugin_that_cannot_be_entered_is_refused(void)
{
    given.plugin_path = scratch_directory("d");
    check_refused("no_entry", -EINVAL, "has no function pons_plugin_v1");
    check_refused("entry_fails", -EIO, "it returned -5 (Input/output error)");
    check_refused("no_descriptor", -EINVAL, "descriptor: wanted one");
    check_refused("undefined", -ENOEXEC, "sample_that_is_nowhere");
}

static void
a_newer_plugin_that_works_with_us_is_taken(void)
{
    static const char *const right[] = {"newer_range", "big_table"};
    struct pons_reason reason;

    for (unsigned i = 0; i < 2; i++) {
        char *from = scratch_sample(right[i]), *name;

        CHECK(asprintf(&name, "d%u", i) > 0);
        given.plugin_path = scratch_directory(name);
        free(name);
        CHECK(asprintf(&name, "d%u/sample.so", i) > 0);
        free(scratch_copy(name, from));
        free(name);
        free(from);
        CHECK_EQ(open_catalog(), 0);
        CHECK_EQ(poni_entry_probe(entry("sample", "/sample.so"), &reason), 0);
        close_catalog();
        free((void *)given.plugin_path);
    }
}

static void
a_file_replaced_after_it_was_loaded_is_refused(void)
{
    char *two = scratch_sample("two"), *old, *new;

    path_with("good");
    CHECK_EQ(open_catalog(), 0);
    CHECK_EQ(poni_entry_load(entry("sample", "/d/")), 0);
    close_catalog();
    old = scratch_path("d/sample.so");
    new = scratch_copy("d/new.so", two);
    CHECK_EQ(rename(new, old), 0);
    CHECK_EQ(open_catalog(), 0);
    CHECK_EQ(poni_entry_load(entry("sample", "/d/")), -ESTALE);
    CHECK_HAS(pons_last_error(), "was replaced after it was loaded");
    close_catalog();
    free(new);
    free(old);
    free(two);
}

/* ---- choosing ---- */

/* What `reactor` = text chooses. */
static void
check_chosen(const char *text, const char *name, const char *story)
{
    struct poni_choice choice;

    given.reactor = text;
    CHECK_EQ(open_catalog(), 0);
    if (choose(&choice, SETTING_REACTOR) < 0) {
        fprintf(stderr, "%s: %s\n", text, pons_last_error());
        exit(1);
    }
    CHECK_EQ(strcmp(choice.entry->name, name), 0);
    CHECK(choice.entry->engine != NULL && choice.config != NULL);
    CHECK_HAS(choice.story, story);
    poni_choice_fini(&choice);
    close_catalog();
    CHECK_EQ(opened, 0);
}

static void
check_not_chosen(const char *text, int err, const char *part, const char *more)
{
    struct poni_choice choice;

    given.reactor = text;
    CHECK_EQ(open_catalog(), 0);
    CHECK_EQ(choose(&choice, SETTING_REACTOR), err);
    CHECK_HAS(pons_last_error(), "the program's reactor: ");
    CHECK_HAS(pons_last_error(), part);
    CHECK_HAS(pons_last_error(), more);
    close_catalog();
    CHECK_EQ(opened, 0);
}

static void
auto_takes_the_highest_rank_that_is_usable(void)
{
    check_chosen(NULL, "high",
                 "reactor high (built in): PONS_REACTOR is auto "
                 "(the default)");
    check_chosen("auto", "high", "sunday (built in): not usable: it is Sunday");
    check_chosen("auto", "high", "low (built in): not tried: a lower rank (2)");
    check_chosen("auto", "high",
                 "byname (built in): not tried: only by its "
                 "name (rank 0)");
    check_chosen("auto", "high",
                 "high (built in): chosen: the highest rank "
                 "that is usable (50)");
}

static void
auto_never_takes_rank_zero(void)
{
    struct poni_choice choice;

    given.plugins_disable = "high,low";
    CHECK_EQ(open_catalog(), 0);
    CHECK_EQ(choose(&choice, SETTING_REACTOR), -ENOTSUP);
    CHECK_HAS(pons_last_error(), "no reactor is usable here");
    CHECK_HAS(pons_last_error(), "it is Sunday");
    close_catalog();
}

static void
auto_considers_files_by_their_rank(void)
{
    path_with("good");
    given.plugins_disable = "high";
    check_chosen("auto", "sample", "sample.so): chosen: the highest rank");
}

static void
auto_loads_nothing_that_is_shadowed(void)
{
    char *good = scratch_sample("good");
    struct poni_choice choice;

    path_with("good");
    free(scratch_copy("d/second.so", good));
    free(good);
    CHECK_EQ(open_catalog(), 0);
    CHECK_EQ(choose(&choice, SETTING_REACTOR), 0);
    poni_choice_fini(&choice);
    CHECK(entry("sample", "/d/sample.so")->engine != NULL);
    CHECK(entry("sample", "/d/second.so")->engine == NULL);
    close_catalog();
}

static void
one_name_is_that_or_an_error(void)
{
    check_chosen("low", "low",
                 "low (built in): chosen: it is the one that was "
                 "asked for");
    check_chosen("byname", "byname", "chosen");
    check_not_chosen("sunday", -ENOTSUP,
                     "reactor: sunday: not usable here: it is Sunday", "");
    check_not_chosen("low:events=13", -ENOTSUP, "low", "Numerical argument");
}

static void
of_a_list_the_first_usable_is_taken(void)
{
    check_chosen("sunday,low,high", "low",
                 "sunday (built in): not usable: it "
                 "is Sunday");
    check_chosen("sunday,low,high", "low",
                 "low (built in): chosen: the first "
                 "of the list that is usable");
    check_chosen("sunday,low,high", "low", "high (built in): not tried");
    check_chosen("low:events=13,low:events=14", "low", "chosen");
    check_not_chosen("sunday,sunday", -ENOTSUP, "no reactor is usable here",
                     "sunday: it is Sunday; sunday: it is Sunday");
}

/* Of which engines Pons knows see core/known.c. */
static void
a_known_engine_that_is_not_installed_is_passed_over_in_a_list(void)
{
    check_chosen("libev,low", "low", "\n  libev: not installed: ");
    check_chosen("libev:method=5,low", "low", "; its options were not check");
    check_chosen("low,libev,libuv", "low", "\n  libuv: not installed: ");
    check_not_chosen("libev,sunday", -ENOTSUP, "no reactor is usable here",
                     "libev: not installed: ");
    check_not_chosen("libev,lwo", -ENOENT, "there is no reactor \"lwo\"",
                     "did you mean \"low\"?");
}

static void
a_known_engine_alone_says_what_to_use(void)
{
#ifndef TEST_PLUGIN_DIR
    SKIP("a static build can have no more than it has");
#endif
    check_not_chosen("libev", -ENOTSUP,
                     "reactor: libev: not installed: there is no libev.so in "
                     "the plugin directories",
                     "Debian's libev-dev is installed; use epoll or auto");
    check_not_chosen("epoll", -ENOTSUP, "epoll: not installed",
                     "built without it");
    check_not_chosen("uring", -ENOTSUP, "uring: not installed",
                     "where Debian's liburing-dev is installed");
    check_not_chosen("urnig", -ENOENT, "not installed: epoll, poll, null, uri",
                     "did you mean \"uring\"?");
    given.flags |= PONS_NO_EXTERNAL_PLUGINS;
    check_not_chosen("libev", -ENOTSUP, "libev: not installed",
                     "the program allows built-in plugins only");
}

/* It takes no name away: neither from one that is there, nor the reason of one
 * that is broken; and it has no rank. */
static void
what_is_not_installed_stands_behind_what_is(void)
{
    struct poni_choice choice;

    given.plugin_path = scratch_directory("d");
    free(scratch_text("d/uring.so", "no"));
    check_not_chosen("uring", -ENOTSUP, "/d/uring.so: not usable here",
                     "is no ELF file");
    given.reactor = NULL;
    CHECK_EQ(open_catalog(), 0);
    CHECK_EQ(entries_named("uring"), 0);
    CHECK_EQ(choose(&choice, SETTING_REACTOR), 0);
    CHECK(!unit_has(choice.story, "libev"));
    poni_choice_fini(&choice);
    CHECK_EQ(poni_entry_load(entry("libev", NULL)), -ENOENT);
    CHECK_HAS(pons_last_error(), "libev: not installed");
    close_catalog();
}

static void
candidates_are_told_for_machines(void)
{
    struct poni_choice choice;

    given.reactor = "sunday,low,high";
    CHECK_EQ(open_catalog(), 0);
    CHECK_EQ(choose(&choice, SETTING_REACTOR), 0);
    CHECK_EQ(choice.candidate_count, 3);
    CHECK_EQ(choice.candidates[0].verdict, VERDICT_REFUSED);
    CHECK_HAS(choice.candidates[0].why, "it is Sunday");
    CHECK_EQ(choice.candidates[1].verdict, VERDICT_CHOSEN);
    CHECK(choice.candidates[1].entry == choice.entry);
    CHECK_EQ(choice.candidates[2].verdict, VERDICT_NOT_TRIED);
    poni_choice_fini(&choice);
    close_catalog();
}

static void
a_mistake_anywhere_in_a_list_is_an_error(void)
{
    check_not_chosen("hihg", -ENOENT, "there is no reactor \"hihg\"",
                     "did you mean \"high\"?");
    check_not_chosen("hihg", -ENOENT, "there are: low, byname, sunday, high",
                     "auto");
    check_not_chosen("mine", -ENOENT, "there is no reactor \"mine\"",
                     "PONS_PLUGIN_PATH_ADD");
    check_not_chosen("low,hihg", -ENOENT, "\"hihg\"", "\"high\"");
    check_not_chosen("low,high:evnts=2", -EINVAL, "no option \"evnts\"",
                     "did you mean \"events\"?");
    check_not_chosen("low:events=0,high", -EINVAL, "out of range", "1 to 4096");
    check_not_chosen("plain", -ENOENT, "there is no reactor \"plain\"", "");
    check_not_chosen("low,", -EINVAL, "empty item", "");
    check_not_chosen("low,auto", -EINVAL, "auto stands alone", "");
    check_not_chosen("auto:events=1", -EINVAL, "auto stands alone", "");
    check_not_chosen("lib/low", -EINVAL, "neither a name", "absolute path");
    check_not_chosen("..", -EINVAL, "neither a name", "no ..");
}

static void
an_absolute_path_is_a_file_to_load(void)
{
    char *good = scratch_sample("good"), *two = scratch_sample("two"), *path,
         *text;

    free(scratch_directory("d"));
    path = scratch_copy("d/mine.so", good);
    CHECK(asprintf(&text, "%s:events=7", path) > 0);
    check_chosen(text, "sample", "/d/mine.so): chosen");
    free(text);
    CHECK(asprintf(&text, "%s:events=0", path) > 0);
    check_not_chosen(text, -EINVAL, "out of range", "sample");
    free(text);
    CHECK_EQ(chmod(path, 0666), 0);
    check_not_chosen(path, -ENOTSUP, path, "everybody may write to it");
    free(path);
    path = scratch_copy("d/two.so", two);
    check_not_chosen(path, -EINVAL, "several engines", "sample and second");
    free(path);
    path = scratch_text("d/text.so", "no");
    check_not_chosen(path, -ENOTSUP, path, "is no ELF file");
    check_not_chosen("/nowhere/x.so", -ENOENT, "/nowhere/x.so", "No such");
    check_not_chosen("/", -ENOTSUP, "is a directory", "");
    free(path);
    free(good);
    free(two);
}

static void
a_path_with_the_wrong_kind_is_an_error(void)
{
    char *good = scratch_sample("good"), *path;
    struct poni_choice choice;

    free(scratch_directory("d"));
    path = scratch_copy("d/mine.so", good);
    given.pool = path;
    CHECK_EQ(open_catalog(), 0);
    CHECK_EQ(choose(&choice, SETTING_POOL), -EINVAL);
    CHECK_HAS(pons_last_error(), "the program's pool");
    CHECK_HAS(pons_last_error(), "has no engine for this, but sample");
    close_catalog();
    free(path);
    free(good);
}

static void
pools_are_chosen_like_reactors(void)
{
    struct poni_choice choice;

    CHECK_EQ(open_catalog(), 0);
    CHECK_EQ(choose(&choice, SETTING_POOL), 0);
    CHECK_EQ(strcmp(choice.entry->name, "plain"), 0);
    CHECK_HAS(choice.story, "pool plain (built in)");
    poni_choice_fini(&choice);
    close_catalog();
    given.pool = "plian";
    CHECK_EQ(open_catalog(), 0);
    CHECK_EQ(choose(&choice, SETTING_POOL), -ENOENT);
    CHECK_HAS(pons_last_error(), "did you mean \"plain\"?");
    close_catalog();
    given.pool = "plain:max=3";
    CHECK_EQ(open_catalog(), 0);
    CHECK_EQ(choose(&choice, SETTING_POOL), -EINVAL);
    CHECK_HAS(pons_last_error(), "plain takes no options");
    close_catalog();
}

static void
a_probe_says_why_not(void)
{
    struct pons_reason reason;

    path_with("refuses");
    CHECK_EQ(open_catalog(), 0);
    CHECK_EQ(poni_entry_probe(entry("sunday", NULL), &reason), -EPERM);
    CHECK_HAS(reason.text, "it is Sunday");
    CHECK_EQ(poni_entry_probe(entry("sample", "/d/"), &reason), -EPERM);
    CHECK_HAS(reason.text, "it is Sunday");
    CHECK_EQ(poni_entry_probe(entry("low", NULL), &reason), 0);
    CHECK_EQ(opened, 0);
    close_catalog();
}

/* ---- the host ---- */

static void
the_host_serves(void)
{
    const struct pons_host *h = poni_host();
    unsigned char *memory = h->alloc(h, 1000);
    uint64_t now = h->now(h);

    CHECK_EQ(h->abi, PONS_ABI);
    CHECK_EQ(h->size, sizeof *h);
    CHECK(memory != NULL && (uintptr_t)memory % 64 == 0);
    for (int i = 0; i < 1000; i++)
        CHECK_EQ(memory[i], 0);
    h->free(h, memory, 1000);
    h->free(h, h->alloc(h, 0), 0);
    CHECK(h->alloc(h, SIZE_MAX) == NULL);
    CHECK(h->now(h) >= now);
    CHECK(h->random(h) != h->random(h));
}

static const struct unit_test tests[] = {
#define TEST(name)  \
    {               \
#name, name \
    }
    TEST(built_in_plugins_need_no_directory),
    TEST(a_plugin_is_found_by_path_and_works),
    TEST(no_code_runs_before_an_engine_is_asked_for),
    TEST(a_plugin_is_entered_once_per_process),
    TEST(the_added_path_comes_after_the_path),
    TEST(the_first_of_two_with_one_name_wins_and_the_other_is_reported),
    TEST(one_file_under_two_names_is_one_plugin),
    TEST(a_wrong_plugin_path_is_an_error),
    TEST(a_directory_that_others_may_write_is_an_error),
    TEST(a_file_that_others_may_write_is_broken),
    TEST(a_broken_file_takes_no_name_away),
    TEST(a_plugin_of_another_abi_is_known_by_its_note),
    TEST(a_file_made_writable_after_it_was_found_is_not_loaded),
    TEST(a_link_into_a_directory_that_others_may_write_is_broken),
    TEST(what_is_no_plugin_is_listed_with_its_reason),
    TEST(a_program_can_forbid_files),
    TEST(what_is_disabled_is_never_used),
    TEST(the_name_of_a_plugin_disables_all_its_engines),
    TEST(disabling_what_is_not_there_is_an_error),
    TEST(disabling_what_pons_knows_but_is_not_here_is_no_error),
    TEST(a_plugin_of_another_abi_is_refused),
    TEST(a_plugin_that_differs_from_its_note_is_refused),
    TEST(a_plugin_with_a_wrong_descriptor_is_refused),
    TEST(a_plugin_with_a_wrong_table_is_refused),
    TEST(a_plugin_that_cannot_be_entered_is_refused),
    TEST(a_newer_plugin_that_works_with_us_is_taken),
    TEST(a_file_replaced_after_it_was_loaded_is_refused),
    TEST(auto_takes_the_highest_rank_that_is_usable),
    TEST(auto_never_takes_rank_zero),
    TEST(auto_considers_files_by_their_rank),
    TEST(auto_loads_nothing_that_is_shadowed),
    TEST(one_name_is_that_or_an_error),
    TEST(of_a_list_the_first_usable_is_taken),
    TEST(a_known_engine_that_is_not_installed_is_passed_over_in_a_list),
    TEST(a_known_engine_alone_says_what_to_use),
    TEST(what_is_not_installed_stands_behind_what_is),
    TEST(candidates_are_told_for_machines),
    TEST(a_mistake_anywhere_in_a_list_is_an_error),
    TEST(an_absolute_path_is_a_file_to_load),
    TEST(a_path_with_the_wrong_kind_is_an_error),
    TEST(pools_are_chosen_like_reactors),
    TEST(a_probe_says_why_not),
    TEST(the_host_serves),
    {0},
};

int
main(int argc, char **argv)
{
    return unit_main("plugin", tests, argc, argv);
}
