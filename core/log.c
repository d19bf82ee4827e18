/* SPDX-License-Identifier: MIT */
/*
 * core/log.c - one line at a time, to a hook or to stderr.
 *
 * Almost always nobody listens, so the question "is this wanted" is one relaxed
 * load of the highest level that anybody asked for. Lines are rare; what
 * decides about them stands under a lock, which is not held while the hook
 * runs. Since the hook's argument is borrowed until the hook is replaced,
 * replacing waits for the calls that are still inside the old one.
 */

#include "fail.h"

#include "atomic.h"
#include "futex.h"
#include "lock.h"
#include "settings.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    PARTS_MAX = 16,    // part=level in one PONS_LOG
    PART_BYTES = 24,   // of a part's name, with its end
    LINE_BYTES = 1024, // of a line; a longer one ends in "..."
};

/* What PONS_LOG says. */
struct log_rules {
    int level; // of the parts that are not named
    unsigned count;
    struct log_part {
        char name[PART_BYTES];
        int level;
    } parts[PARTS_MAX];
};

static uint32_t log_lock; // guards all below but log_max
static struct log_rules log_rules;
static pons_log_f *log_hook;
static void *log_hook_arg;
static int log_hook_level;
static uint32_t log_turn;     // 0 or 1: which of log_calls a new call counts in
static uint32_t log_calls[2]; // that are inside a hook

static int log_max; // written under the lock, read by anyone

static pthread_once_t log_once = PTHREAD_ONCE_INIT;

static const char *const log_levels[] = {"off",  "error", "warn",
                                         "info", "debug", NULL};

/* The parts of this library. Other plugins have their own, so another word is
 * allowed, unless it is nearly one of these: then it is misspelt. */
static const char *const log_parts[] = {
    "plugin", "settings", "task",  "runtime", "reactor", "pool",   "stream",
    "timer",  "fiber",    "scope", "stats",   "epoll",   "poll",   "null",
    "uring",  "libev",    "libuv", "elastic", "fixed",   "inline", NULL};

static void
log_before_fork(void)
{
    poni_lock(&log_lock);
}

static void
log_after_fork_parent(void)
{
    poni_unlock(&log_lock);
}

/* The threads that were inside the hook are not in the child. */
static void
log_after_fork_child(void)
{
    log_calls[0] = log_calls[1] = 0;
    poni_unlock(&log_lock);
}

static void
log_watch_forks(void)
{
    (void)pthread_atfork(log_before_fork, log_after_fork_parent,
                         log_after_fork_child);
}

static int
log_level_of(const struct log_rules *rules, const char *part)
{
    for (unsigned i = 0; i < rules->count; i++)
        if (strcmp(rules->parts[i].name, part) == 0)
            return rules->parts[i].level;
    return rules->level;
}

/* Under the lock. */
static int
log_passes(int level, const char *part)
{
    if (log_hook != NULL)
        return level <= log_hook_level;
    return level <= log_level_of(&log_rules, part);
}

/* Under the lock. */
static void
log_publish_max(void)
{
    int max = log_rules.level;

    for (unsigned i = 0; i < log_rules.count; i++)
        if (log_rules.parts[i].level > max)
            max = log_rules.parts[i].level;
    if (log_hook != NULL)
        max = log_hook_level;
    /* Pairs with the relaxed load in poni_log_wanted(): a hint only. */
    poni_store_relaxed(&log_max, max);
}

int
poni_log_wanted(enum pons_log_level level, const char *part)
{
    int passes;

    if ((int)level > poni_load_relaxed(&log_max) || (int)level <= PONS_LOG_OFF)
        return 0;
    poni_lock(&log_lock);
    passes = log_passes((int)level, part);
    poni_unlock(&log_lock);
    return passes;
}

/* write(2) to a pipe that nobody reads must not kill the application (P10). */
static void
log_write(const char *line, size_t size)
{
    struct timespec now = {0, 0};
    sigset_t pipe_set, before, pending;

    sigemptyset(&pipe_set);
    sigaddset(&pipe_set, SIGPIPE);
    sigemptyset(&pending);
    sigpending(&pending);
    pthread_sigmask(SIG_BLOCK, &pipe_set, &before);
    if (write(STDERR_FILENO, line, size) < 0 && errno == EPIPE &&
        !sigismember(&pending, SIGPIPE))
        sigtimedwait(&pipe_set, NULL, &now);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* The hook and its argument, counted in; NULL: the line goes to stderr, if
 * *passes. */
static pons_log_f *
log_enter(int level, const char *part, void **arg, uint32_t *turn, int *passes)
{
    pons_log_f *hook = NULL;

    poni_lock(&log_lock);
    *passes = log_passes(level, part);
    if (*passes && log_hook != NULL) {
        hook = log_hook;
        *arg = log_hook_arg;
        *turn = log_turn;
        log_calls[log_turn]++;
    }
    poni_unlock(&log_lock);
    return hook;
}

static void
log_leave(uint32_t turn)
{
    int last;

    poni_lock(&log_lock);
    if (log_calls[turn] > 0) // not so in a child that the hook itself forked
        log_calls[turn]--;
    last = log_calls[turn] == 0;
    poni_unlock(&log_lock);
    if (last)
        poni_futex_wake(&log_calls[turn], INT_MAX);
}

/* A line is one line, whatever a path or a note in it contains. */
static void
log_clean(char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < ' ' || *text == 127)
            *text = '?';
}

void
poni_logv(enum pons_log_level level, const char *part, const char *format,
          va_list args)
{
    int saved = errno, passes, n;
    char line[LINE_BYTES];
    pons_log_f *hook;
    uint32_t turn;
    size_t head;
    void *arg;

    if ((int)level > poni_load_relaxed(&log_max) || (int)level <= PONS_LOG_OFF)
        return;
    hook = log_enter((int)level, part, &arg, &turn, &passes);
    if (!passes)
        return;
    snprintf(line, sizeof line / 2, "pons: %s: %s: ",
             log_levels[level <= PONS_LOG_DEBUG ? level : PONS_LOG_DEBUG],
             part);
    head = strlen(line);
    n = vsnprintf(line + head, sizeof line - head - 1, format, args);
    if (n >= (int)(sizeof line - head - 1))
        memcpy(line + sizeof line - 5, "...", 4);
    log_clean(line);
    if (hook != NULL) {
        hook(arg, level, part, line + head);
        log_leave(turn);
    } else {
        head = strlen(line);
        line[head] = '\n';
        log_write(line, head + 1);
    }
    errno = saved;
}

void
poni_log(enum pons_log_level level, const char *part, const char *format, ...)
{
    va_list args;

    if ((int)level > poni_load_relaxed(&log_max))
        return;
    va_start(args, format);
    poni_logv(level, part, format, args);
    va_end(args);
}

/* Under the lock, which it gives up while it sleeps. */
static void
log_wait_until_left(uint32_t turn)
{
    while (log_calls[turn] != 0) {
        uint32_t inside = log_calls[turn];

        poni_unlock(&log_lock);
        poni_futex_wait(&log_calls[turn], inside, UINT64_MAX);
        poni_lock(&log_lock);
    }
}

void
pons_log_hook(pons_log_f *log, void *arg, enum pons_log_level level)
{
    uint32_t old;

    pthread_once(&log_once, log_watch_forks);
    poni_lock(&log_lock);
    log_wait_until_left(log_turn ^ 1); // another replacement is under way
    old = log_turn;
    log_turn ^= 1;
    log_hook = log;
    log_hook_arg = arg;
    log_hook_level = (int)level;
    log_publish_max();
    log_wait_until_left(old);
    poni_unlock(&log_lock);
}

static int
log_level_parse(const char *origin, const char *word, int *level)
{
    const char *nearest;

    for (*level = 0; log_levels[*level] != NULL; ++*level)
        if (strcmp(word, log_levels[*level]) == 0)
            return 0;
    nearest = poni_nearest(word, log_levels);
    return poni_fail(-EINVAL,
                     "%s: \"%s\" is no level; wanted off, error, warn, info or "
                     "debug%s%s%s",
                     origin, word, nearest ? "; did you mean \"" : "",
                     nearest ? nearest : "", nearest ? "\"?" : "");
}

/* Those of log_parts, for a sentence. */
static void
log_parts_say(char *text, size_t size)
{
    size_t used = 0;

    *text = '\0';
    for (unsigned i = 0; log_parts[i] != NULL && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%s",
                                 i > 0 ? ", " : "", log_parts[i]);
}

static int
log_part_parse(struct log_rules *rules, const char *origin, char *name,
               const char *level)
{
    const char *near = poni_nearest(name, log_parts);
    struct log_part *part = &rules->parts[rules->count];
    char parts[LINE_BYTES / 2];

    if (*name == '\0' || strlen(name) >= PART_BYTES)
        return poni_fail(-EINVAL,
                         "%s: \"%s\" is no part; wanted part=level with a name "
                         "of 1 to %d letters",
                         origin, name, PART_BYTES - 1);
    if (near != NULL && strcmp(near, name) != 0) {
        log_parts_say(parts, sizeof parts);
        return poni_fail(-EINVAL,
                         "%s: there is no part \"%s\"; the parts are %s; did "
                         "you mean \"%s\"?",
                         origin, name, parts, near);
    }
    for (unsigned i = 0; i < rules->count; i++)
        if (strcmp(rules->parts[i].name, name) == 0)
            return poni_fail(-EINVAL, "%s: \"%s\" is said twice; say it once",
                             origin, name);
    if (rules->count == PARTS_MAX)
        return poni_fail(-EINVAL, "%s: more than %d parts", origin, PARTS_MAX);
    strcpy(part->name, name);
    rules->count++;
    return log_level_parse(origin, level, &part->level);
}

static int
log_rules_parse(struct log_rules *rules, const char *origin, char *spec)
{
    char *word, *level;

    for (int first = 1; (word = strsep(&spec, ",")) != NULL; first = 0) {
        int err;

        level = strchr(word, '=');
        if (level != NULL) {
            *level = '\0';
            err = log_part_parse(rules, origin, word, level + 1);
        } else if (first) {
            err = log_level_parse(origin, word, &rules->level);
        } else {
            err = poni_fail(-EINVAL,
                            "%s: \"%s\" stands behind a comma; wanted "
                            "part=level there, and one level before all parts",
                            origin, word);
        }
        if (err < 0)
            return err;
    }
    return 0;
}

static int
log_part_is_ours(const char *name)
{
    for (unsigned i = 0; log_parts[i] != NULL; i++)
        if (strcmp(log_parts[i], name) == 0)
            return 1;
    return 0;
}

int
poni_log_check(const char *origin, const char *spec,
               int (*is_engine)(void *arg, const char *name), void *arg)
{
    char words[LINE_BYTES], parts[LINE_BYTES / 2], *rest = words, *word, *end;

    snprintf(words, sizeof words, "%s", spec);
    while ((word = strsep(&rest, ",")) != NULL) {
        end = strchr(word, '=');
        if (end == NULL)
            continue;
        *end = '\0';
        if (log_part_is_ours(word) || is_engine(arg, word))
            continue;
        log_parts_say(parts, sizeof parts);
        return poni_fail(-ENOENT,
                         "%s: there is no part \"%s\", and no engine of that "
                         "name; the parts are %s",
                         origin, word, parts);
    }
    return 0;
}

int
poni_log_configure(const char *origin, const char *spec)
{
    struct log_rules rules = {.level = PONS_LOG_OFF};
    char words[LINE_BYTES];
    int err;

    if (strlen(spec) >= sizeof words)
        return poni_fail(-EINVAL, "%s: longer than %zu bytes", origin,
                         sizeof words - 1);
    strcpy(words, spec);
    err = log_rules_parse(&rules, origin, words);
    if (err < 0)
        return err;
    pthread_once(&log_once, log_watch_forks);
    poni_lock(&log_lock);
    log_rules = rules;
    log_publish_max();
    poni_unlock(&log_lock);
    return 0;
}
