/* SPDX-License-Identifier: MIT */
/*
 * tests/settings_test.c - the four sources of settings, and their mistakes.
 *
 * Started as `settings_test --secure`, it is the setuid program of a test: it
 * exits with 0 if the environment chose nothing.
 */

#include "core/fail.h"
#include "core/settings.h"
#include "scratch.h"

#include <errno.h>
#include <grp.h>
#include <sched.h>
#include <sys/wait.h>

static struct poni_settings
settings(const struct pons_settings *given)
{
    struct poni_settings s;

    if (poni_settings_read(&s, given) == 0)
        return s;
    fprintf(stderr, "%s\n", pons_last_error());
    exit(1);
}

/* Reads the file, which holds `text`. */
static int
read_file(struct poni_settings *s, const char *text)
{
    struct pons_settings given = PONS_SETTINGS_INIT;
    char *path = scratch_text("pons.conf", text);
    int err;

    given.config = path;
    err = poni_settings_read(s, &given);
    free(path);
    return err;
}

static void
check_value(const struct poni_settings *s, enum poni_setting which,
            const char *text, const char *origin)
{
    CHECK(s->value[which].text != NULL);
    CHECK_EQ(strcmp(s->value[which].text, text), 0);
    CHECK_HAS(s->value[which].origin, origin);
}

static void
without_any_source_there_are_defaults(void)
{
    struct poni_settings s = settings(NULL);

    for (int i = 0; i < SETTINGS; i++) {
        CHECK(s.value[i].text == NULL);
        CHECK_HAS(s.value[i].origin, "the default");
    }
    CHECK(s.stall_ns == UINT64_MAX);
    CHECK_EQ(s.flags, 0);
    poni_settings_fini(&s);
}

static void
workers_default_to_the_processors_that_are_allowed(void)
{
    struct poni_settings s;
    cpu_set_t one, all;
    int n;

    CHECK_EQ(sched_getaffinity(0, sizeof all, &all), 0);
    n = CPU_COUNT(&all);
    s = settings(NULL);
    CHECK_EQ(s.workers, n < WORKERS_MAX ? n : WORKERS_MAX);
    poni_settings_fini(&s);
    CPU_ZERO(&one);
    for (int i = 0; i < CPU_SETSIZE && CPU_COUNT(&one) == 0; i++)
        if (CPU_ISSET(i, &all))
            CPU_SET(i, &one);
    CHECK_EQ(sched_setaffinity(0, sizeof one, &one), 0);
    s = settings(NULL);
    CHECK_EQ(s.workers, 1);
    poni_settings_fini(&s);
}

static void
the_stronger_source_wins(void)
{
    struct pons_settings given = PONS_SETTINGS_INIT;
    struct poni_settings s;
    char *path = scratch_text("pons.conf", "# ours\n\n"
                                           "reactor = a\n"
                                           "pool=b:x=1\n"
                                           "\tplugins_disable =  c,d \n"
                                           "workers = 7");

    CHECK_EQ(setenv("PONS_CONFIG", path, 1), 0);
    s = settings(NULL);
    check_value(&s, SETTING_REACTOR, "a", "pons.conf:3");
    check_value(&s, SETTING_POOL, "b:x=1", "pons.conf:4");
    check_value(&s, SETTING_PLUGINS_DISABLE, "c,d", "pons.conf:5");
    CHECK_EQ(s.workers, 7);
    poni_settings_fini(&s);

    CHECK_EQ(setenv("PONS_REACTOR", "e", 1), 0);
    CHECK_EQ(setenv("PONS_WORKERS", "0", 1), 0);
    s = settings(NULL);
    check_value(&s, SETTING_REACTOR, "e", "PONS_REACTOR");
    check_value(&s, SETTING_POOL, "b:x=1", "pons.conf:4");
    CHECK_EQ(s.workers, 0);
    poni_settings_fini(&s);

    given.reactor = "p";
    s = settings(&given);
    check_value(&s, SETTING_REACTOR, "p", "the program");
    CHECK_HAS(s.value[SETTING_REACTOR].label, "the program's reactor");
    CHECK_EQ(s.workers, 0);
    poni_settings_fini(&s);
    free(path);
}

static void
the_environment_can_be_forbidden(void)
{
    struct pons_settings given = PONS_SETTINGS_INIT;
    struct poni_settings s;

    given.flags = PONS_NO_ENVIRONMENT;
    CHECK_EQ(setenv("PONS_REACTOR", "e", 1), 0);
    CHECK_EQ(setenv("PONS_REACTR", "e", 1), 0);
    CHECK_EQ(setenv("PONS_WORKERS", "many", 1), 0);
    s = settings(&given);
    CHECK(s.value[SETTING_REACTOR].text == NULL);
    CHECK_EQ(s.flags, PONS_NO_ENVIRONMENT);
    poni_settings_fini(&s);
}

static void
an_unknown_variable_is_an_error_with_the_nearest(void)
{
    struct poni_settings s;

    CHECK_EQ(setenv("PONS_REACTR", "epoll", 1), 0);
    CHECK_EQ(poni_settings_read(&s, NULL), -EINVAL);
    CHECK_HAS(pons_last_error(), "PONS_REACTR: there is no such variable");
    CHECK_HAS(pons_last_error(), "did you mean PONS_REACTOR?");
    CHECK_HAS(pons_last_error(), "PONS_PLUGIN_PATH_ADD");
    unsetenv("PONS_REACTR");
    CHECK_EQ(setenv("PONS_", "1", 1), 0);
    CHECK_EQ(poni_settings_read(&s, NULL), -EINVAL);
}

static void
a_wrong_value_is_an_error_that_names_its_variable(void)
{
    static const struct {
        const char *variable, *value;
        int err;
        const char *part, *more;
    } wrong[] = {
        {"PONS_REACTOR", "", -EINVAL, "is empty", "unset it"},
        {"PONS_LOG", "", -EINVAL, "is empty", "unset it"},
        {"PONS_WORKERS", "65", -EINVAL, "\"65\"", "wanted 0 to 64"},
        {"PONS_WORKERS", "-1", -EINVAL, "\"-1\"", "wanted 0 to 64"},
        {"PONS_WORKERS", "+1", -EINVAL, "\"+1\"", "wanted 0 to 64"},
        {"PONS_WORKERS", " 1", -EINVAL, "\" 1\"", "wanted 0 to 64"},
        {"PONS_WORKERS", "two", -EINVAL, "\"two\"", "wanted 0 to 64"},
        {"PONS_WORKERS", "18446744073709551618", -EINVAL, "\"1844", "0 to 64"},
        {"PONS_STALL", "10", -EINVAL, "\"10\" is no duration", "or off"},
        {"PONS_STALL", "10ms", -ENOTSUP, "does not watch", "wanted off"},
        {"PONS_STATS", "stats", -EINVAL, "\"stats\"", "not an absolute path"},
        {"PONS_LOG", "inf", -EINVAL, "\"inf\"", "did you mean \"info\"?"},
        {"PONS_CONFIG", "pons.conf", -EINVAL, "absolute path", "pons.conf"},
        {"PONS_CONFIG", "/nowhere/pons.conf", -ENOENT, "/nowhere", "No such"},
        {"PONS_CONFIG", "/dev/null", -EINVAL, "a device", "regular file"},
        {"PONS_CONFIG", "/", -EISDIR, "a directory", "regular file"},
    };
    struct poni_settings s;

    for (unsigned i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        CHECK_EQ(setenv(wrong[i].variable, wrong[i].value, 1), 0);
        CHECK_EQ(poni_settings_read(&s, NULL), wrong[i].err);
        CHECK_HAS(pons_last_error(), wrong[i].variable);
        CHECK_HAS(pons_last_error(), wrong[i].part);
        CHECK_HAS(pons_last_error(), wrong[i].more);
        unsetenv(wrong[i].variable);
    }
}

static void
what_does_what_the_default_does_is_allowed(void)
{
    struct poni_settings s;

    CHECK_EQ(setenv("PONS_STALL", "off", 1), 0);
    CHECK_EQ(setenv("PONS_FILES", "pool", 1), 0);
    CHECK_EQ(setenv("PONS_WORKERS", "64", 1), 0);
    CHECK_EQ(setenv("PONS_LOG", "off,plugin=off", 1), 0);
    s = settings(NULL);
    CHECK_EQ(s.workers, 64);
    CHECK(s.stall_ns == UINT64_MAX);
    poni_settings_fini(&s);
}

static void
the_log_is_configured(void)
{
    struct pons_settings given = PONS_SETTINGS_INIT;
    struct poni_settings s;

    given.log = "warn";
    s = settings(&given);
    CHECK(poni_log_wanted(PONS_LOG_WARN, "task"));
    CHECK(!poni_log_wanted(PONS_LOG_INFO, "task"));
    poni_settings_fini(&s);
}

static void
a_wrong_line_is_an_error_with_file_and_line(void)
{
    static const struct {
        const char *text, *line, *part;
    } wrong[] = {
        {"reactr = epoll\n", ":1:", "did you mean \"reactor\"?"},
        {"\n# x\nspeed = 9\n", ":3:", "there is no setting \"speed\""},
        {"PONS_REACTOR = epoll\n", ":1:", "there are: reactor files pool"},
        {"config = /x\n", ":1:", "there is no setting \"config\""},
        {"reactor\n", ":1:", "has no \"=\""},
        {"= epoll\n", ":1:", "there is no setting \"\""},
        {"reactor =\n", ":1:", "reactor has no value"},
        {"pool = a\nreactor = a\npool = b\n", ":3:", "first in line 1"},
        {"workers = 2 # two\n", ":1:", "a # comment behind a value"},
        {"workers = # two\n", ":1:", "a # comment behind a value"},
        {"workers = 99\n", ":1: workers: ", "wanted 0 to 64"},
        {"\nstall = 5\n", ":2: stall: ", "is no duration"},
        {"log = inf\n", ":1: log: ", "did you mean \"info\"?"},
        {"reactor = epoll\r\n", ":1:", "control character 13"},
    };
    struct poni_settings s;

    for (unsigned i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        CHECK_EQ(read_file(&s, wrong[i].text), -EINVAL);
        CHECK_HAS(pons_last_error(), "/pons.conf");
        CHECK_HAS(pons_last_error(), wrong[i].line);
        CHECK_HAS(pons_last_error(), wrong[i].part);
    }
    CHECK_EQ(read_file(&s, "#x\n  # y = 1\n\n  reactor = a\tb#c  "), 0);
    check_value(&s, SETTING_REACTOR, "a\tb#c", ":4");
    poni_settings_fini(&s);
}

static void
a_file_that_is_no_text_is_an_error(void)
{
    struct pons_settings given = PONS_SETTINGS_INIT;
    char *big = calloc(1, 70000), *path;
    struct poni_settings s;

    CHECK(big != NULL);
    path = scratch_bytes("zero.conf", "reactor = a\0b\n", 14);
    given.config = path;
    CHECK_EQ(poni_settings_read(&s, &given), -EINVAL);
    CHECK_HAS(pons_last_error(), ":1: contains a zero byte");
    free(path);
    memset(big, '\n', 70000);
    path = scratch_bytes("big.conf", big, 70000);
    given.config = path;
    CHECK_EQ(poni_settings_read(&s, &given), -EFBIG);
    CHECK_HAS(pons_last_error(), "more than 65536 bytes");
    free(path);
    free(big);
    path = scratch_path("fifo.conf");
    CHECK_EQ(mkfifo(path, 0600), 0);
    given.config = path;
    CHECK_EQ(poni_settings_read(&s, &given), -EINVAL);
    CHECK_HAS(pons_last_error(), "a fifo");
    free(path);
}

static void
a_file_that_others_may_write_is_refused(void)
{
    struct pons_settings given = PONS_SETTINGS_INIT;
    char *path = scratch_text("pons.conf", "workers = 2\n");
    struct poni_settings s;

    given.config = path;
    CHECK_EQ(chmod(path, 0646), 0);
    CHECK_EQ(poni_settings_read(&s, &given), -EPERM);
    CHECK_HAS(pons_last_error(), "everybody may write to it (mode 0646)");
    CHECK_EQ(chmod(path, 0664), 0);
    CHECK_EQ(poni_settings_read(&s, &given), -EPERM);
    CHECK_HAS(pons_last_error(), "its group may write to it");
    CHECK_HAS(pons_last_error(), path);
    CHECK_EQ(chmod(path, 0644), 0);
    CHECK_EQ(poni_settings_read(&s, &given), 0);
    poni_settings_fini(&s);
    free(path);
}

static void
a_wrong_struct_is_refused(void)
{
    struct {
        struct pons_settings known;
        uint64_t later[2];
    } newer = {PONS_SETTINGS_INIT, {0}};
    struct pons_settings given = PONS_SETTINGS_INIT;
    struct poni_settings s;

    given.size = 0;
    CHECK_EQ(poni_settings_read(&s, &given), -EINVAL);
    CHECK_HAS(pons_last_error(), "size");
    given.size = sizeof given - 8;
    CHECK_EQ(poni_settings_read(&s, &given), -EINVAL);
    given.size = 0xffffffff;
    CHECK_EQ(poni_settings_read(&s, &given), -EINVAL);
    given.size = sizeof given;
    given.flags = 4;
    CHECK_EQ(poni_settings_read(&s, &given), -EINVAL);
    CHECK_HAS(pons_last_error(), "0x4");
    given.flags = 0;
    given.workers = "";
    CHECK_EQ(poni_settings_read(&s, &given), -EINVAL);
    CHECK_HAS(pons_last_error(), "the program's workers is empty");

    newer.known.size = sizeof newer;
    newer.known.workers = "3";
    CHECK_EQ(poni_settings_read(&s, &newer.known), 0);
    CHECK_EQ(s.workers, 3);
    poni_settings_fini(&s);
    newer.later[1] = 1;
    CHECK_EQ(poni_settings_read(&s, &newer.known), -E2BIG);
    CHECK_HAS(pons_last_error(), "newer libpons");
}

/* A copy of this program that is setuid root, run by nobody. */
static int
run_secure(const char *copy)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        if (setgroups(0, NULL) < 0 || setgid(65534) < 0 || setuid(65534) < 0)
            _exit(9);
        setenv("PONS_REACTOR", "e", 1);
        setenv("PONS_UNKNOWN", "e", 1);
        setenv("PONS_WORKERS", "9", 1);
        execl(copy, copy, "--secure", (char *)NULL);
        _exit(9);
    }
    CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

enum { NOT_SECURE = 3 }; // exit status of --secure: AT_SECURE was not set

static void
under_setuid_the_environment_chooses_nothing(void)
{
    char *copy;
    int status;

    if (geteuid() != 0)
        SKIP("only root can make a setuid program of another user");
    copy = scratch_copy("secure", "/proc/self/exe");
    CHECK_EQ(chmod(copy, 04755), 0);
    status = run_secure(copy);
    free(copy);
    if (status == NOT_SECURE || status == 9)
        SKIP("the scratch directory does not allow setuid programs");
    CHECK_EQ(status, 0);
}

static int
secure_main(void)
{
    struct poni_settings s;

    if (secure_getenv("PONS_REACTOR") != NULL)
        return NOT_SECURE;
    if (poni_settings_read(&s, NULL) < 0)
        return 4;
    if (s.value[SETTING_REACTOR].text != NULL ||
        s.value[SETTING_WORKERS].text != NULL)
        return 5;
    poni_settings_fini(&s);
    return 0;
}

static const struct unit_test tests[] = {
    {"without_any_source_there_are_defaults",
     without_any_source_there_are_defaults},
    {"workers_default_to_the_processors_that_are_allowed",
     workers_default_to_the_processors_that_are_allowed},
    {"the_stronger_source_wins", the_stronger_source_wins},
    {"the_environment_can_be_forbidden", the_environment_can_be_forbidden},
    {"an_unknown_variable_is_an_error_with_the_nearest",
     an_unknown_variable_is_an_error_with_the_nearest},
    {"a_wrong_value_is_an_error_that_names_its_variable",
     a_wrong_value_is_an_error_that_names_its_variable},
    {"what_does_what_the_default_does_is_allowed",
     what_does_what_the_default_does_is_allowed},
    {"the_log_is_configured", the_log_is_configured},
    {"a_wrong_line_is_an_error_with_file_and_line",
     a_wrong_line_is_an_error_with_file_and_line},
    {"a_file_that_is_no_text_is_an_error", a_file_that_is_no_text_is_an_error},
    {"a_file_that_others_may_write_is_refused",
     a_file_that_others_may_write_is_refused},
    {"a_wrong_struct_is_refused", a_wrong_struct_is_refused},
    {"under_setuid_the_environment_chooses_nothing",
     under_setuid_the_environment_chooses_nothing},
    {0},
};

int
main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--secure") == 0)
        return secure_main();
    return unit_main("settings", tests, argc, argv);
}
