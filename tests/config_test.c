/* SPDX-License-Identifier: MIT */
/*
 * tests/config_test.c - typed options, the numbers in them, and the nearest
 * word.
 */

#include "core/fail.h"
#include "core/settings.h"
#include "unit.h"

#include <errno.h>
#include <string.h>

static const struct pons_option table[] = {
    {.name = "max",
     .type = PONS_OPTION_UINT,
     .fallback = "512",
     .min = 1,
     .max = 4096,
     .help = "threads"},
    {.name = "keepalive",
     .type = PONS_OPTION_DURATION,
     .fallback = "10s",
     .min = 1000000,
     .max = UINT64_C(3600000000000),
     .help = "how long"},
    {.name = "buffer",
     .type = PONS_OPTION_BYTES,
     .fallback = "64k",
     .min = 512,
     .max = 2 << 20,
     .help = "bytes"},
    {.name = "strict",
     .type = PONS_OPTION_BOOL,
     .fallback = "no",
     .help = "whether"},
    {.name = "order",
     .type = PONS_OPTION_CHOICE,
     .fallback = "fifo",
     .choices = "fifo|lifo|random",
     .help = "which first"},
    {.name = "over",
     .type = PONS_OPTION_TEXT,
     .fallback = "",
     .help = "what below"},
    {0},
};

static void
numbers_are_digits_and_fit(void)
{
    static const char *const wrong[] = {"",   "-1",   "+1",  " 1",   "1 ",
                                        "1x", "0x10", "1.5", "1_000"};
    uint64_t n;

    CHECK_EQ(poni_number_parse("0", &n), 0);
    CHECK_EQ(n, 0);
    CHECK_EQ(poni_number_parse("18446744073709551615", &n), 0);
    CHECK(n == UINT64_MAX);
    CHECK_EQ(poni_number_parse("18446744073709551616", &n), -ERANGE);
    CHECK_EQ(poni_number_parse("99999999999999999999999", &n), -ERANGE);
    for (unsigned i = 0; i < sizeof wrong / sizeof *wrong; i++)
        CHECK_EQ(poni_number_parse(wrong[i], &n), -EINVAL);
}

static void
durations_have_a_unit(void)
{
    static const struct {
        const char *text;
        uint64_t ns;
    } right[] = {
        {"100ns", 100},
        {"500us", 500000},
        {"10ms", 10000000},
        {"5s", UINT64_C(5000000000)},
        {"2m", UINT64_C(120000000000)},
        {"1h", UINT64_C(3600000000000)},
    };
    static const char *const wrong[] = {"10",  "0",    "",   "ms", "10 ms",
                                        "-1s", "1.5s", "1S", "1d", "1s1ms"};
    char text[32];
    uint64_t ns;

    for (unsigned i = 0; i < sizeof right / sizeof *right; i++) {
        CHECK_EQ(poni_duration_parse(right[i].text, &ns), 0);
        CHECK(ns == right[i].ns);
        poni_duration_write(text, sizeof text, ns);
        CHECK_EQ(strcmp(text, right[i].text), 0);
    }
    for (unsigned i = 0; i < sizeof wrong / sizeof *wrong; i++)
        CHECK_EQ(poni_duration_parse(wrong[i], &ns), -EINVAL);
    CHECK_EQ(poni_duration_parse("5124095577h", &ns), -ERANGE);
}

static void
bytes_may_have_a_unit(void)
{
    static const char *const wrong[] = {"", "1K", "1kB", "1T", "k", "1 k"};
    char text[32];
    uint64_t n;

    CHECK_EQ(poni_bytes_parse("512", &n), 0);
    CHECK_EQ(n, 512);
    CHECK_EQ(poni_bytes_parse("64k", &n), 0);
    CHECK_EQ(n, 65536);
    poni_bytes_write(text, sizeof text, n);
    CHECK_EQ(strcmp(text, "64k"), 0);
    CHECK_EQ(poni_bytes_parse("3G", &n), 0);
    CHECK(n == UINT64_C(3) << 30);
    poni_bytes_write(text, sizeof text, 1025);
    CHECK_EQ(strcmp(text, "1025"), 0);
    CHECK_EQ(poni_bytes_parse("17179869184G", &n), -ERANGE);
    for (unsigned i = 0; i < sizeof wrong / sizeof *wrong; i++)
        CHECK_EQ(poni_bytes_parse(wrong[i], &n), -EINVAL);
}

static void
options_that_are_not_said_have_their_defaults(void)
{
    struct pons_config *c;

    CHECK_EQ(poni_config_new(&c, "PONS_POOL", "elastic", table, NULL, 0), 0);
    CHECK_EQ(poni_config_uint(c, "max"), 512);
    CHECK(poni_config_uint(c, "keepalive") == UINT64_C(10000000000));
    CHECK_EQ(poni_config_uint(c, "buffer"), 65536);
    CHECK_EQ(poni_config_uint(c, "strict"), 0);
    CHECK_EQ(poni_config_uint(c, "order"), 0);
    CHECK_EQ(strcmp(poni_config_text(c, "order"), "fifo"), 0);
    CHECK_EQ(strcmp(poni_config_text(c, "over"), ""), 0);
    poni_config_free(c);
}

static void
options_that_are_said_win(void)
{
    struct poni_pair pairs[] = {
        {(char *)"max", (char *)"4096"},
        {(char *)"keepalive", (char *)"1ms"},
        {(char *)"buffer", (char *)"2M"},
        {(char *)"strict", (char *)"yes"},
        {(char *)"order", (char *)"random"},
        {(char *)"over", (char *)"a b"},
    };
    struct pons_config *c;

    CHECK_EQ(poni_config_new(&c, "PONS_POOL", "elastic", table, pairs, 6), 0);
    CHECK_EQ(poni_config_uint(c, "max"), 4096);
    CHECK_EQ(poni_config_uint(c, "keepalive"), 1000000);
    CHECK_EQ(poni_config_uint(c, "buffer"), 2 << 20);
    CHECK_EQ(poni_config_uint(c, "strict"), 1);
    CHECK_EQ(poni_config_uint(c, "order"), 2);
    CHECK_EQ(strcmp(poni_config_text(c, "order"), "random"), 0);
    CHECK_EQ(strcmp(poni_config_text(c, "over"), "a b"), 0);
    poni_config_free(c);
}

static void
a_wrong_option_is_refused_with_what_is_allowed(void)
{
    static const struct {
        const char *key, *value, *part, *more;
    } wrong[] = {
        {"mx", "1", "no option \"mx\"", "did you mean \"max\"?"},
        {"threads", "1", "it has: max keepalive", "no option"},
        {"max", "0", "max=0 is out of range", "1 to 4096"},
        {"max", "4097", "out of range", "1 to 4096"},
        {"max", "99999999999999999999", "out of range", "1 to 4096"},
        {"max", "many", "max=many is not valid", "a number"},
        {"keepalive", "10", "not valid", "with its unit (ns us ms s m h)"},
        {"keepalive", "2h", "out of range", "1ms to 1h"},
        {"buffer", "1", "out of range", "512 to 2M"},
        {"strict", "true", "not valid", "yes or no"},
        {"strict", "", "not valid", "yes or no"},
        {"order", "fif", "not valid", "fifo|lifo|random"},
        {"order", "fifo|lifo", "not valid", "fifo|lifo|random"},
        {"order", "", "not valid", "fifo|lifo|random"},
    };
    struct pons_config *c;

    for (unsigned i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct poni_pair pair = {(char *)wrong[i].key, (char *)wrong[i].value};

        CHECK_EQ(poni_config_new(&c, "PONS_POOL", "elastic", table, &pair, 1),
                 -EINVAL);
        CHECK_HAS(pons_last_error(), "PONS_POOL: elastic");
        CHECK_HAS(pons_last_error(), wrong[i].part);
        CHECK_HAS(pons_last_error(), wrong[i].more);
    }
}

static void
an_engine_without_options_takes_none(void)
{
    struct poni_pair pair = {(char *)"max", (char *)"1"};
    struct pons_config *c;

    CHECK_EQ(poni_config_new(&c, "PONS_POOL", "inline", NULL, &pair, 1),
             -EINVAL);
    CHECK_HAS(pons_last_error(), "takes no options");
    CHECK_EQ(poni_config_new(&c, "PONS_POOL", "inline", NULL, NULL, 0), 0);
    CHECK_EQ(poni_config_uint(c, "max"), 0);
    CHECK_EQ(strcmp(poni_config_text(c, "max"), ""), 0);
    poni_config_free(c);
}

static int heard;

static void
hear(void *arg, enum pons_log_level level, const char *part, const char *line)
{
    (void)arg;
    (void)level;
    (void)part;
    CHECK_HAS(line, "asks for option");
    heard++;
}

static void
an_engine_that_asks_wrongly_is_logged(void)
{
    struct pons_config *c;

    CHECK_EQ(poni_config_new(&c, "PONS_POOL", "elastic", table, NULL, 0), 0);
    pons_log_hook(hear, NULL, PONS_LOG_ERROR);
    CHECK_EQ(poni_config_uint(c, "nothing"), 0);
    CHECK_EQ(poni_config_uint(c, "over"), 0);
    CHECK_EQ(strcmp(poni_config_text(c, "max"), ""), 0);
    CHECK_EQ(heard, 3);
    pons_log_hook(NULL, NULL, PONS_LOG_OFF);
    poni_config_free(c);
}

static void
a_wrong_table_is_refused(void)
{
    struct pons_option wrong[][2] = {
        {{.name = "a b", .type = 1, .fallback = "1", .max = 9, .help = ""}},
        {{.name = "a", .type = 9, .fallback = "1", .max = 9, .help = ""}},
        {{.name = "a", .type = 0, .fallback = "1", .max = 9, .help = ""}},
        {{.name = "a",
          .type = 1,
          .reserved = 1,
          .fallback = "1",
          .max = 9,
          .help = ""}},
        {{.name = "a", .type = 1, .max = 9, .help = ""}},
        {{.name = "a", .type = 1, .fallback = "1", .max = 9}},
        {{.name = "a", .type = 1, .fallback = "1", .help = ""}},
        {{.name = "a",
          .type = 1,
          .fallback = "1",
          .min = 2,
          .max = 1,
          .help = ""}},
        {{.name = "a", .type = 5, .fallback = "x", .help = ""}},
    };
    struct pons_option twice[] = {table[0], table[0], {0}};
    struct pons_option endless[OPTIONS_MAX + 2] = {{0}};
    char names[OPTIONS_MAX + 2][8];
    struct pons_reason reason;

    CHECK_EQ(poni_options_check(table, &reason), 0);
    CHECK_EQ(poni_options_check(NULL, &reason), 0);
    for (unsigned i = 0; i < sizeof wrong / sizeof *wrong; i++)
        CHECK_EQ(poni_options_check(wrong[i], &reason), -EINVAL);
    CHECK_EQ(poni_options_check(twice, &reason), -EINVAL);
    CHECK_HAS(reason.text, "stands twice");
    for (unsigned i = 0; i < OPTIONS_MAX + 1; i++) {
        snprintf(names[i], sizeof names[i], "o%u", i);
        endless[i] = table[0];
        endless[i].name = names[i];
    }
    CHECK_EQ(poni_options_check(endless, &reason), -EINVAL);
    CHECK_HAS(reason.text, "has no end");
}

static void
the_nearest_word_is_near(void)
{
    static const char *const names[] = {"epoll", "poll", "null",
                                        "uring", "low",  NULL};
    static const struct {
        const char *word, *nearest;
    } cases[] = {
        {"epol", "epoll"},   {"eopll", "epoll"}, {"EPOLL", "epoll"},
        {"lwo", "low"},      {"pol", "poll"},    {"urnig", "uring"},
        {"uringg", "uring"}, {"nil", "null"},    {"kqueue", NULL},
        {"", NULL},          {"x", NULL},        {"completely", NULL},
    };
    char longest[200];

    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *nearest = poni_nearest(cases[i].word, names);

        if (cases[i].nearest == NULL)
            CHECK(nearest == NULL);
        else
            CHECK_HAS(nearest, cases[i].nearest);
    }
    memset(longest, 'e', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    CHECK(poni_nearest(longest, names) == NULL);
}

static void
names_are_no_paths(void)
{
    static const char *const wrong[] = {"",
                                        "a/b",
                                        "..",
                                        "a..b",
                                        "a b",
                                        "a,b",
                                        "a:b",
                                        "a=b",
                                        "[a]",
                                        "a*",
                                        "a\n",
                                        "\xc3\xa4",
                                        "abcdefghijklmnopqrstuvwxyzabcdef"};

    CHECK(poni_name_ok("epoll"));
    CHECK(poni_name_ok("lib-uv_1.2+x"));
    CHECK(poni_name_ok("abcdefghijklmnopqrstuvwxyzabcde"));
    CHECK(!poni_name_ok(NULL));
    for (unsigned i = 0; i < sizeof wrong / sizeof *wrong; i++)
        CHECK(!poni_name_ok(wrong[i]));
}

static const struct unit_test tests[] = {
    {"numbers_are_digits_and_fit", numbers_are_digits_and_fit},
    {"durations_have_a_unit", durations_have_a_unit},
    {"bytes_may_have_a_unit", bytes_may_have_a_unit},
    {"options_that_are_not_said_have_their_defaults",
     options_that_are_not_said_have_their_defaults},
    {"options_that_are_said_win", options_that_are_said_win},
    {"a_wrong_option_is_refused_with_what_is_allowed",
     a_wrong_option_is_refused_with_what_is_allowed},
    {"an_engine_without_options_takes_none",
     an_engine_without_options_takes_none},
    {"an_engine_that_asks_wrongly_is_logged",
     an_engine_that_asks_wrongly_is_logged},
    {"a_wrong_table_is_refused", a_wrong_table_is_refused},
    {"the_nearest_word_is_near", the_nearest_word_is_near},
    {"names_are_no_paths", names_are_no_paths},
    {0},
};

int
main(int argc, char **argv)
{
    return unit_main("config", tests, argc, argv);
}
