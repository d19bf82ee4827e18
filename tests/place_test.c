/* SPDX-License-Identifier: MIT */
/*
 * tests/place_test.c - core/place.c: a text for each place, the same each time.
 */

#include <stdio.h>
#include <string.h>

#include "crew.h"
#include "pons/task.h"
#include "unit.h"

enum { LINES = 3000, CREW = 4 };

static void
a_place_is_its_file_and_line(void)
{
    CHECK_EQ(strcmp(pons_place("src/a.cpp", 12), "src/a.cpp:12"), 0);
    CHECK_EQ(strcmp(pons_place("", 0), ":0"), 0);
    CHECK_EQ(strcmp(pons_place("a", 4294967295u), "a:4294967295"), 0);
}

static void
the_same_place_has_the_same_text_whoever_asks(void)
{
    char file[] = "src/a.cpp";
    const char *place = pons_place(file, 12);

    CHECK(pons_place("src/a.cpp", 12) == place);
    file[4] = 'b'; // another file, at the same address
    CHECK_EQ(strcmp(pons_place(file, 12), "src/b.cpp:12"), 0);
    CHECK_EQ(strcmp(place, "src/a.cpp:12"), 0);
}

static void
files_that_end_alike_are_told_apart(void)
{
    const char *one = pons_place("one/a_long_file_name.cpp", 1);

    CHECK_EQ(strcmp(pons_place("two/a_long_file_name.cpp", 1),
                    "two/a_long_file_name.cpp:1"),
             0);
    CHECK(pons_place("one/a_long_file_name.cpp", 1) == one);
}

static const char *seen[CREW][LINES];

static void
ask_for_all(int who)
{
    for (unsigned i = 0; i < LINES; i++)
        seen[who][i] = pons_place(i % 2 ? "odd.cpp" : "even.cpp", i);
}

static void
many_places_asked_for_at_once_are_told_apart(void)
{
    crew_run(CREW, ask_for_all);
    for (unsigned i = 0; i < LINES; i++) {
        char wanted[40];

        snprintf(wanted, sizeof wanted, "%s.cpp:%u", i % 2 ? "odd" : "even", i);
        for (int who = 0; who < CREW; who++)
            CHECK_EQ(strcmp(seen[who][i], wanted), 0);
        CHECK(pons_place(i % 2 ? "odd.cpp" : "even.cpp", i) ==
              pons_place(i % 2 ? "odd.cpp" : "even.cpp", i));
    }
}

static const struct unit_test tests[] = {
    {"a_place_is_its_file_and_line", a_place_is_its_file_and_line},
    {"the_same_place_has_the_same_text_whoever_asks",
     the_same_place_has_the_same_text_whoever_asks},
    {"files_that_end_alike_are_told_apart",
     files_that_end_alike_are_told_apart},
    {"many_places_asked_for_at_once_are_told_apart",
     many_places_asked_for_at_once_are_told_apart},
    {0},
};

int
main(int argc, char **argv)
{
    return unit_main("place", tests, argc, argv);
}
