/* SPDX-License-Identifier: MIT */
/*
 * tests/fail_test.c - the sentence behind an error.
 */

#include "core/fail.h"
#include "on_valgrind.h"
#include "unit.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/resource.h>

static void
there_is_a_sentence_before_any_failure(void)
{
    CHECK_HAS(pons_last_error(), "no call has failed");
}

static void
the_sentence_is_that_of_the_last_failure(void)
{
    CHECK_EQ(poni_fail(-EINVAL, "first %d", 1), -EINVAL);
    CHECK_EQ(poni_fail(-ENOENT, "second %s", "one"), -ENOENT);
    CHECK_EQ(strcmp(pons_last_error(), "second one"), 0);
}

static void
a_sentence_may_quote_the_one_before(void)
{
    poni_fail(-EINVAL, "inner");
    poni_fail(-EINVAL, "outer: %s", pons_last_error());
    poni_fail(-EINVAL, "more: %s", pons_last_error());
    CHECK_EQ(strcmp(pons_last_error(), "more: outer: inner"), 0);
}

static void
a_sentence_that_is_too_long_ends_in_dots(void)
{
    size_t n;

    poni_fail(-EINVAL, "%05000d", 1);
    n = strlen(pons_last_error());
    CHECK(n > 1000 && n < 5000);
    CHECK_EQ(strcmp(pons_last_error() + n - 3, "..."), 0);
}

static void
errno_is_kept(void)
{
    struct pons_reason reason;

    errno = ENOTTY;
    poni_fail(-EINVAL, "%s", "x");
    poni_refuse(&reason, -EINVAL, "%s", "x");
    pons_last_error();
    CHECK_EQ(errno, ENOTTY);
}

static void *
fail_elsewhere(void *arg)
{
    CHECK_HAS(pons_last_error(), "no call has failed");
    poni_fail(-EIO, "elsewhere");
    CHECK_HAS(pons_last_error(), "elsewhere");
    return arg;
}

static void
each_thread_has_its_own(void)
{
    pthread_t thread;

    poni_fail(-EINVAL, "here");
    CHECK_EQ(pthread_create(&thread, NULL, fail_elsewhere, NULL), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    CHECK_EQ(strcmp(pons_last_error(), "here"), 0);
}

static void
a_reason_is_cut_with_dots(void)
{
    struct pons_reason reason;

    CHECK_EQ(poni_refuse(&reason, -EPERM, "%0500d", 1), -EPERM);
    CHECK_EQ(strlen(reason.text), sizeof reason.text - 1);
    CHECK_HAS(reason.text, "...");
    CHECK_EQ(poni_refuse(NULL, -EPERM, "nobody asks"), -EPERM);
}

static void
a_plain_result_speaks_unless_more_was_said(void)
{
    struct poni_fail_mark before = poni_fail_mark();

    poni_fail_plain(before, -ECONNRESET, "recv");
    CHECK_EQ(strcmp(pons_last_error(),
                    "recv: Connection reset by peer (ECONNRESET)"),
             0);
    poni_fail_plain(before, -ECONNRESET, "later"); // there was one since
    CHECK_HAS(pons_last_error(), "recv: ");
    before = poni_fail_mark();
    poni_fail(-EINVAL, "more than the number");
    poni_fail_plain(before, -EINVAL, "recv");
    CHECK_EQ(strcmp(pons_last_error(), "more than the number"), 0);
    poni_fail_plain(poni_fail_mark(), -999999, "job");
    CHECK_EQ(strcmp(pons_last_error(), "job: its answer was -999999"), 0);
    poni_fail_plain(poni_fail_mark(), INT64_MIN, NULL);
    CHECK_HAS(pons_last_error(), "wait: its answer was");
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define LIMITED 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define LIMITED 0
#endif
#endif
#ifndef LIMITED
#define LIMITED 1
#endif

static void
without_memory_the_error_still_has_a_sentence(void)
{
    struct rlimit none = {0, 0};
    void *list = NULL, **p;

    if (!LIMITED)
        SKIP("a sanitizer's allocator does not obey RLIMIT_AS");
    if (RUNNING_ON_VALGRIND)
        SKIP("valgrind's own memory is under RLIMIT_AS too");
    CHECK_EQ(setrlimit(RLIMIT_AS, &none), 0);
    while ((p = malloc(1024)) != NULL) {
        *p = list;
        list = p;
    }
    CHECK_EQ(poni_fail(-ENOMEM, "not kept"), -ENOMEM);
    CHECK_HAS(pons_last_error(), "no memory for the sentence");
    while ((p = list) != NULL) {
        list = *p;
        free(p);
    }
    CHECK_EQ(poni_fail(-EINVAL, "kept again"), -EINVAL);
    CHECK_HAS(pons_last_error(), "kept again");
}

static const struct unit_test tests[] = {
    {"there_is_a_sentence_before_any_failure",
     there_is_a_sentence_before_any_failure},
    {"the_sentence_is_that_of_the_last_failure",
     the_sentence_is_that_of_the_last_failure},
    {"a_sentence_may_quote_the_one_before",
     a_sentence_may_quote_the_one_before},
    {"a_sentence_that_is_too_long_ends_in_dots",
     a_sentence_that_is_too_long_ends_in_dots},
    {"errno_is_kept", errno_is_kept},
    {"each_thread_has_its_own", each_thread_has_its_own},
    {"a_reason_is_cut_with_dots", a_reason_is_cut_with_dots},
    {"a_plain_result_speaks_unless_more_was_said",
     a_plain_result_speaks_unless_more_was_said},
    {"without_memory_the_error_still_has_a_sentence",
     without_memory_the_error_still_has_a_sentence},
    {0},
};

int
main(int argc, char **argv)
{
    return unit_main("fail", tests, argc, argv);
}
