/* SPDX-License-Identifier: MIT */
/*
 * tests/builtin_test.c - the library's own plugins: compiled in, and as shared
 * objects, from the same files.
 *
 * The shared objects are those of this build, in TEST_PLUGIN_DIR.
 */

#include "core/catalog.h"
#include "core/fail.h"
#include "scratch.h"

#include <errno.h>

#ifndef TEST_PLUGIN_DIR
#define TEST_PLUGIN_DIR "/nowhere" // a static build has no shared objects
#endif

static const char *const files[] = {"epoll", "poll",
#ifdef PONS_URING
                                    "uring",
#endif
                                    "null",  "elastic", "inline"};

static struct pons_settings given = {.size = sizeof given,
                                     .flags = PONS_NO_ENVIRONMENT};
static struct poni_settings settings;
static struct poni_catalog *catalog;

static void
open_catalog(void)
{
    int err = poni_settings_read(&settings, &given);

    if (err == 0)
        err = poni_catalog_open(&catalog, &settings);
    if (err < 0)
        fprintf(stderr, "%s\n", pons_last_error());
    CHECK_EQ(err, 0);
}

static void
close_catalog(void)
{
    poni_catalog_close(catalog);
    poni_settings_fini(&settings);
}

static void
probe(struct poni_entry *e)
{
    struct pons_reason reason;

    if (poni_entry_probe(e, &reason) == 0)
        return;
    if (strcmp(e->name, "uring") == 0) { // not everywhere allowed
        fprintf(stderr, "SKIP probe: uring: %s\n", reason.text);
        return;
    }
    fprintf(stderr, "%s: %s\n", e->name, reason.text);
    exit(1);
}

static void
check_choice(enum poni_setting which, const char *name)
{
    struct poni_choice choice;

    CHECK_EQ(poni_choose(&choice, catalog, which, poni_probe, NULL), 0);
    CHECK_EQ(strcmp(choice.entry->name, name), 0);
    poni_choice_fini(&choice);
}

static void
every_built_in_engine_is_right_and_usable(void)
{
    unsigned n = 0;

    given.flags |= PONS_NO_EXTERNAL_PLUGINS;
    open_catalog();
    for (struct poni_entry *e = catalog->entries; e != NULL; e = e->next) {
        if (e->status == ENTRY_ABSENT)
            continue;
        n++;
        CHECK_EQ(e->status, ENTRY_USABLE_MAYBE);
        CHECK(e->path == NULL);
        probe(e);
    }
    CHECK(n >= 6); // epoll poll null elastic fixed inline
    close_catalog();
}

static void
auto_takes_epoll_and_elastic(void)
{
    given.flags |= PONS_NO_EXTERNAL_PLUGINS;
    open_catalog();
    check_choice(SETTING_REACTOR, "epoll");
    check_choice(SETTING_POOL, "elastic");
    close_catalog();
}

/* Copies of all shared objects in a directory of our own, so that nobody else
 * may write there; under other names, which must not matter. */
static void
copy_all(void)
{
    given.plugin_path = scratch_directory("d");
    for (unsigned i = 0; i < sizeof files / sizeof *files; i++) {
        char *from, *to;

        CHECK(asprintf(&from, "%s/%s.so", TEST_PLUGIN_DIR, files[i]) > 0);
        if (access(from, F_OK) != 0)
            SKIP("a static build has no %s", from);
        CHECK(asprintf(&to, "d/a-copy-%u.so", i) > 0);
        free(scratch_copy(to, from));
        free(from);
        free(to);
    }
}

static void
copies_as_shared_objects_come_first_and_work(void)
{
    copy_all();
    open_catalog();
    for (struct poni_entry *e = catalog->entries; e != NULL; e = e->next) {
        if (e->status == ENTRY_ABSENT)
            continue;
        if (e->path == NULL) {
            CHECK_EQ(e->status, ENTRY_SHADOWED);
            continue;
        }
        CHECK_EQ(e->status, ENTRY_USABLE_MAYBE);
        probe(e);
        CHECK_HAS(e->version, PONS_VERSION);
    }
    check_choice(SETTING_REACTOR, "epoll");
    check_choice(SETTING_POOL, "elastic");
    close_catalog();
}

static const struct unit_test tests[] = {
    {"every_built_in_engine_is_right_and_usable",
     every_built_in_engine_is_right_and_usable},
    {"auto_takes_epoll_and_elastic", auto_takes_epoll_and_elastic},
    {"copies_as_shared_objects_come_first_and_work",
     copies_as_shared_objects_come_first_and_work},
    {0},
};

int
main(int argc, char **argv)
{
    return unit_main("builtin", tests, argc, argv);
}
