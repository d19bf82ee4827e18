/* SPDX-License-Identifier: MIT */
/*
 * tests/bench_baseline_test.c - cli/bench_baseline.c, which compares a result
 * with an earlier one.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/bench_baseline.h"
#include "cli/bench_environment.h"
#include "cli/bench_json.h"
#include "unit.h"

enum { VALUES = 11, FEW = 3 };

static char path[] = "/tmp/pons-test-baseline-XXXXXX";
static char said[8192]; // by the last comparison

/* `count` values from `low` to `high`. */
static void
add_figure(struct bench_row *row, const char *metric, const char *unit,
           double low, double high, int count)
{
    for (int i = 0; i < count; i++)
        CHECK_EQ(bench_row_value(row, metric, unit,
                                 low + (high - low) * i / (count - 1)),
                 0);
}

static struct bench_row *
add_row(struct bench_result *r, const char *workload, const char *case_name,
        const char *reactor)
{
    const struct bench_key key = {
        .workload = (char *)workload,
        .case_name = (char *)case_name,
        .subject = (char *)"pons",
        .axis = {(char *)reactor, (char *)"", (char *)"1"}};
    struct bench_row *row = bench_row_add(r, &key);

    CHECK(row != NULL);
    return row;
}

/* A result of one row with one figure. */
static void
one_figure(struct bench_result *r, const char *metric, const char *unit,
           double low, double high, int count)
{
    *r = (struct bench_result){0};
    add_figure(add_row(r, "yield", "fibers", "epoll"), metric, unit, low, high,
               count);
}

static void
file_begin(void)
{
    int fd;

    memcpy(path + strlen(path) - 6, "XXXXXX", 6);
    fd = mkstemp(path);

    CHECK(fd >= 0);
    close(fd);
}

static void
write_result(const struct bench_result *r)
{
    FILE *f = fopen(path, "we");

    CHECK(f != NULL);
    CHECK_EQ(bench_json_write(r, f), 0);
    fclose(f);
}

/* How many are worse; `said` has the words. */
static int
compare(struct bench_result *was, struct bench_result *is)
{
    struct bench_baseline *b;
    FILE *out = fmemopen(said, sizeof said, "w");
    int worse;

    CHECK(out != NULL);
    file_begin();
    write_result(was);
    CHECK_EQ(bench_baseline_open(&b, path), 0);
    worse = bench_baseline_compare(b, is, out);
    fclose(out);
    bench_baseline_close(b);
    unlink(path);
    bench_result_fini(was);
    bench_result_fini(is);
    return worse;
}

static int
compare_figures(const char *metric, const char *unit, double was_low,
                double was_high, double is_low, double is_high)
{
    struct bench_result was, is;

    one_figure(&was, metric, unit, was_low, was_high, VALUES);
    one_figure(&is, metric, unit, is_low, is_high, VALUES);
    return compare(&was, &is);
}

/* --- figures --- */

static void
the_same_again_is_neither_worse_nor_better(void)
{
    CHECK_EQ(compare_figures("wall", "ns", 100, 110, 100, 110), 0);
    CHECK_HAS(said, "1 figures compared: 0 worse, 0 better, 1 within noise");
}

static void
a_figure_beyond_noise_and_floor_is_worse(void)
{
    CHECK_EQ(compare_figures("wall", "ns", 100, 104, 120, 124), 1);
    CHECK_HAS(said, "worse    yield, fibers, pons epoll 1 worker: wall 122 ns, "
                    "was 102 ns (+20 %)");
    CHECK_HAS(said, "1 worse, 0 better");
}

static void
less_is_better(void)
{
    CHECK_EQ(compare_figures("wall", "ns", 120, 124, 100, 104), 0);
    CHECK_HAS(said, "better   yield, fibers, pons epoll 1 worker: wall 102 ns, "
                    "was 122 ns (-16 %)");
}

static void
of_what_is_per_second_more_is_better(void)
{
    CHECK_EQ(compare_figures("calls", "1/s", 120, 124, 100, 104), 1);
    CHECK_EQ(compare_figures("bytes", "B/s", 100, 104, 120, 124), 0);
    CHECK_HAS(said, "0 worse, 1 better");
}

static void
intervals_that_meet_are_noise(void)
{
    CHECK_EQ(compare_figures("wall", "ns", 50, 200, 130, 260), 0);
    CHECK_HAS(said, "1 within noise");
}

static void
a_difference_below_a_tenth_is_noise(void)
{
    CHECK_EQ(compare_figures("wall", "ns", 1000, 1001, 1090, 1091), 0);
    CHECK_EQ(compare_figures("wall", "ns", 1000, 1001, 1110, 1111), 1);
}

static void
a_difference_below_what_its_unit_can_mean_is_noise(void)
{
    CHECK_EQ(compare_figures("system", "ns", 0.1, 0.11, 1, 1.05), 0);
    CHECK_EQ(compare_figures("system", "ns", 0.1, 0.11, 1.3, 1.35), 1);
    CHECK_EQ(compare_figures("switches", "1", 0, 0, 0.005, 0.006), 0);
    CHECK_EQ(compare_figures("switches", "1", 0, 0, 0.5, 0.6), 1);
}

static void
too_few_values_are_not_compared(void)
{
    struct bench_result was, is;

    one_figure(&was, "wall", "ns", 100, 101, VALUES);
    one_figure(&is, "wall", "ns", 200, 201, FEW);
    CHECK_EQ(compare(&was, &is), -ENODATA);
    CHECK_HAS(said, "0 figures compared");
    CHECK_HAS(said, "1 of too few values");
}

static void
counts_and_single_events_are_not_compared(void)
{
    CHECK_EQ(compare_figures("ops", "1", 100, 101, 200, 201), -ENODATA);
    CHECK_EQ(compare_figures("max", "ns", 100, 101, 200, 201), -ENODATA);
    CHECK_HAS(said, "0 figures compared");
}

static void
another_unit_is_another_figure(void)
{
    struct bench_result was, is;

    one_figure(&was, "wall", "ns", 100, 101, VALUES);
    one_figure(&is, "wall", "us", 200, 201, VALUES);
    CHECK_EQ(compare(&was, &is), -ENODATA);
    CHECK_HAS(said, "0 figures compared");
}

/* --- rows --- */

static void
rows_with_the_same_key_are_compared(void)
{
    struct bench_result was = {0}, is = {0};

    add_figure(add_row(&was, "yield", "fibers", "epoll"), "wall", "ns", 100,
               101, VALUES);
    add_figure(add_row(&was, "yield", "fibers", "poll"), "wall", "ns", 200, 201,
               VALUES);
    add_figure(add_row(&is, "yield", "fibers", "poll"), "wall", "ns", 200, 201,
               VALUES);
    add_figure(add_row(&is, "yield", "fibers", "epoll"), "wall", "ns", 100, 101,
               VALUES);
    CHECK_EQ(compare(&was, &is), 0);
    CHECK_HAS(said, "2 figures compared: 0 worse, 0 better, 2 within noise\n");
}

static void
new_and_missing_rows_are_said(void)
{
    struct bench_result was = {0}, is = {0};

    add_figure(add_row(&was, "yield", "fibers", "epoll"), "wall", "ns", 100,
               101, VALUES);
    add_figure(add_row(&is, "yield", "fibers", "uring"), "wall", "ns", 900, 901,
               VALUES);
    add_figure(&was.rows[0], "user", "ns", 50, 51, VALUES);
    CHECK_EQ(compare(&was, &is), -ENODATA);
    CHECK_HAS(said, "new      yield, fibers, pons uring 1 worker\n");
    CHECK_HAS(said, "missing  yield, fibers, pons epoll 1 worker\n");
    CHECK_HAS(said, "1 rows are new, 1 missing");
}

static void
workloads_that_were_not_run_are_counted_and_not_missing(void)
{
    struct bench_result was = {0}, is = {0};

    add_figure(add_row(&was, "yield", "fibers", "epoll"), "wall", "ns", 100,
               101, VALUES);
    add_figure(add_row(&was, "idle", "4 workers", "epoll"), "wall", "ns", 100,
               101, VALUES);
    add_figure(add_row(&is, "yield", "fibers", "epoll"), "wall", "ns", 100, 101,
               VALUES);
    CHECK_EQ(compare(&was, &is), 0);
    CHECK(strstr(said, "missing") == NULL);
    CHECK_HAS(said, "1 rows of workloads that were not run");
}

static void
a_row_that_fails_now_is_worse(void)
{
    struct bench_result was, is = {0};

    one_figure(&was, "wall", "ns", 100, 101, VALUES);
    bench_row_end(add_row(&is, "yield", "fibers", "epoll"), ROW_FAILED,
                  "ended with 1");
    CHECK_EQ(compare(&was, &is), 1);
    CHECK_HAS(said, "worse    yield, fibers, pons epoll 1 worker: failed: "
                    "ended with 1\n");
}

static void
a_row_that_is_skipped_now_is_missing_with_its_reason(void)
{
    struct bench_result was, is = {0};

    one_figure(&was, "wall", "ns", 100, 101, VALUES);
    bench_row_end(add_row(&is, "yield", "fibers", "epoll"), ROW_SKIPPED,
                  "not allowed here");
    CHECK_EQ(compare(&was, &is), -ENODATA);
    CHECK_HAS(said, "missing  yield, fibers, pons epoll 1 worker: not allowed "
                    "here\n");
    CHECK_HAS(said, "0 rows are new, 1 missing");
}

static void
a_row_that_failed_before_is_new_when_it_works(void)
{
    struct bench_result was = {0}, is;

    bench_row_end(add_row(&was, "yield", "fibers", "epoll"), ROW_FAILED,
                  "ended with 1");
    add_figure(add_row(&was, "yield", "stackless", "epoll"), "wall", "ns", 100,
               101, VALUES);
    one_figure(&is, "wall", "ns", 100, 101, VALUES);
    CHECK_EQ(compare(&was, &is), -ENODATA);
    CHECK_HAS(said, "new      yield, fibers");
}

static void
another_machine_is_noted(void)
{
    struct bench_result was, is;

    one_figure(&was, "wall", "ns", 100, 101, VALUES);
    one_figure(&is, "wall", "ns", 100, 101, VALUES);
    was.environment = bench_environment_new();
    is.environment = bench_environment_new();
    CHECK(was.environment && is.environment);
    strcpy(was.environment->facts[0].text, "Plan 9 \033[2J");
    was.quick = 1;
    CHECK_EQ(compare(&was, &is), 0);
    CHECK_HAS(said, "note     kernel was \"Plan 9 ?[2J\"\n");
    CHECK_HAS(said, "note     it was with --quick");
    CHECK(strstr(said, "note     machine") == NULL);
}

/* --- files --- */

static void
check_file(const char *text, const char *complaint)
{
    struct bench_baseline *b;
    char word[512] = "";
    int pipes[2];
    FILE *f;

    file_begin();
    f = fopen(path, "we");
    fputs(text, f);
    fclose(f);
    CHECK_EQ(pipe(pipes), 0);
    CHECK(dup2(pipes[1], STDERR_FILENO) >= 0);
    CHECK_EQ(bench_baseline_open(&b, path), -EINVAL);
    CHECK(read(pipes[0], word, sizeof word - 1) > 0);
    dup2(STDOUT_FILENO, STDERR_FILENO);
    close(pipes[0]);
    close(pipes[1]);
    unlink(path);
    CHECK_HAS(word, path);
    CHECK_HAS(word, complaint);
}

#define KEY                                                \
    "\"workload\":\"w\",\"case\":\"c\",\"subject\":\"s\"," \
    "\"reactor\":\"\",\"pool\":\"\",\"workers\":\"1\""

static void
a_file_that_is_no_result_is_refused(void)
{
    check_file("", "line 1");
    check_file("{\n\"figures\": oops}", "line 2");
    check_file("[1]", "it has no \"figures\"");
    check_file("{\"figures\":[7]}", "figure 1 has no \"workload\"");
    check_file("{\"figures\":[{" KEY ",\"skipped\":\"x\"},{" KEY "}]}",
               "figure 2 has no \"metric\"");
    check_file("{\"figures\":[{" KEY ",\"metric\":\"wall\",\"unit\":\"ns\","
               "\"values\":[]}]}",
               "figure 1 has no \"values\"");
    check_file("{\"figures\":[{" KEY ",\"metric\":\"wall\",\"unit\":\"ns\","
               "\"values\":[1,\"2\"]}]}",
               "figure 1 has no \"values\"");
    check_file("{\"figures\":[{" KEY ",\"metric\":\"wall\",\"values\":[1]}]}",
               "figure 1 has no \"unit\"");
}

static void
reasons_do_not_make_up_for_what_a_figure_lacks(void)
{
    check_file("{\"figures\":[{" KEY ",\"skipped\":\"x\",\"values\":[1]}]}",
               "figure 1 has no \"metric\"");
    check_file("{\"figures\":[{" KEY ",\"failed\":\"x\",\"metric\":\"wall\","
               "\"unit\":\"ns\",\"values\":7}]}",
               "figure 1 has no \"values\"");
}

static void
a_file_that_nothing_can_be_compared_with_is_refused(void)
{
    check_file("{\"figures\":[]}", "there is nothing to compare with");
    check_file("{\"figures\":[{" KEY ",\"skipped\":\"x\"}]}",
               "there is nothing to compare with");
    check_file("{\"figures\":[{" KEY ",\"metric\":\"wall\",\"unit\":\"ns\","
               "\"values\":[1,2,3,4,5]}]}",
               "no figure of 6 values or more");
}

static void
a_file_that_is_not_there_is_refused(void)
{
    struct bench_baseline *b;

    CHECK_EQ(bench_baseline_open(&b, "/no/such/file"), -ENOENT);
}

static const struct unit_test tests[] = {
    {"the_same_again_is_neither_worse_nor_better",
     the_same_again_is_neither_worse_nor_better},
    {"a_figure_beyond_noise_and_floor_is_worse",
     a_figure_beyond_noise_and_floor_is_worse},
    {"less_is_better", less_is_better},
    {"of_what_is_per_second_more_is_better",
     of_what_is_per_second_more_is_better},
    {"intervals_that_meet_are_noise", intervals_that_meet_are_noise},
    {"a_difference_below_a_tenth_is_noise",
     a_difference_below_a_tenth_is_noise},
    {"a_difference_below_what_its_unit_can_mean_is_noise",
     a_difference_below_what_its_unit_can_mean_is_noise},
    {"too_few_values_are_not_compared", too_few_values_are_not_compared},
    {"counts_and_single_events_are_not_compared",
     counts_and_single_events_are_not_compared},
    {"another_unit_is_another_figure", another_unit_is_another_figure},
    {"rows_with_the_same_key_are_compared",
     rows_with_the_same_key_are_compared},
    {"new_and_missing_rows_are_said", new_and_missing_rows_are_said},
    {"workloads_that_were_not_run_are_counted_and_not_missing",
     workloads_that_were_not_run_are_counted_and_not_missing},
    {"a_row_that_fails_now_is_worse", a_row_that_fails_now_is_worse},
    {"a_row_that_is_skipped_now_is_missing_with_its_reason",
     a_row_that_is_skipped_now_is_missing_with_its_reason},
    {"a_row_that_failed_before_is_new_when_it_works",
     a_row_that_failed_before_is_new_when_it_works},
    {"another_machine_is_noted", another_machine_is_noted},
    {"a_file_that_is_no_result_is_refused",
     a_file_that_is_no_result_is_refused},
    {"reasons_do_not_make_up_for_what_a_figure_lacks",
     reasons_do_not_make_up_for_what_a_figure_lacks},
    {"a_file_that_nothing_can_be_compared_with_is_refused",
     a_file_that_nothing_can_be_compared_with_is_refused},
    {"a_file_that_is_not_there_is_refused",
     a_file_that_is_not_there_is_refused},
    {0},
};

int
main(int argc, char **argv)
{
    return unit_main("bench_baseline", tests, argc, argv);
}
