/* SPDX-License-Identifier: MIT */
/*
 * core/stats.c - see core/stats.h.
 *
 * Each counter has one writer, a seat's owner; a reader adds them up. The sum
 * is not a moment's, but every counter in it only grows.
 */

#include "stats.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fail.h"
#include "future.h"

static void
seat_add(struct pons_stats *sum, const struct poni_seat *s)
{
    sum->polls += poni_load_relaxed(&s->polls);
    sum->steals += poni_load_relaxed(&s->steals);
    sum->parks += poni_load_relaxed(&s->parks);
    sum->bells += poni_load_relaxed(&s->bells);
    sum->ops += poni_load_relaxed(&s->ops);
    sum->ops_inline += poni_load_relaxed(&s->ops_inline);
    sum->timers_fired += poni_load_relaxed(&s->timers.fired);
    sum->spawned += poni_load_relaxed(&s->slab.spawned);
}

static void
stats_take(struct pons_runtime *rt, struct pons_stats *stats)
{
    struct poni_pool_figures pool;

    *stats = (struct pons_stats){.size = sizeof *stats, .workers = rt->workers};
    stats->tasks_now = poni_tasks_alive(rt);
    stats->spawned = poni_load_relaxed(&rt->slab.spawned);
    for (unsigned i = 0; i < rt->seat_count; i++)
        seat_add(stats, &rt->seats[i]);
    poni_pool_figures(rt->pool, &pool);
    stats->jobs = pool.jobs;
    stats->jobs_refused = pool.refused;
    stats->pool_threads_now = pool.threads;
}

int
pons_runtime_stats(struct pons_runtime *rt, struct pons_stats *stats)
{
    struct pons_stats all;
    uint32_t size = stats->size;
    int err = poni_runtime_check(rt);

    if (err < 0)
        return err;
    if (size < 2 * sizeof(uint32_t))
        return poni_fail(-EINVAL,
                         "pons_stats.size is %u: set it to sizeof the "
                         "struct",
                         size);
    stats_take(rt, &all);
    memset(stats, 0, size);
    memcpy(stats, &all, size < sizeof all ? size : sizeof all);
    stats->size = size;
    return 0;
}

/* --- PONS_STATS --- */

struct stats_writer {
    struct pons_future base;
    struct pons_runtime *rt;
    struct pons_sleep sleep;
    uint64_t next_ns;
    int fd;
};

static void
writer_line(struct stats_writer *w)
{
    struct pons_stats s;
    char line[512];
    int n;

    stats_take(w->rt, &s);
    n = snprintf(line, sizeof line,
                 "{\"time_ns\":%llu,\"workers\":%u,\"spawned\":%llu,"
                 "\"tasks_now\":%llu,\"polls\":%llu,\"steals\":%llu,"
                 "\"parks\":%llu,\"bells\":%llu,\"ops\":%llu,"
                 "\"ops_inline\":%llu,\"jobs\":%llu,\"jobs_refused\":%llu,"
                 "\"pool_threads_now\":%llu,\"timers_fired\":%llu}\n",
                 (unsigned long long)pons_now(), s.workers,
                 (unsigned long long)s.spawned, (unsigned long long)s.tasks_now,
                 (unsigned long long)s.polls, (unsigned long long)s.steals,
                 (unsigned long long)s.parks, (unsigned long long)s.bells,
                 (unsigned long long)s.ops, (unsigned long long)s.ops_inline,
                 (unsigned long long)s.jobs, (unsigned long long)s.jobs_refused,
                 (unsigned long long)s.pool_threads_now,
                 (unsigned long long)s.timers_fired);
    if (write(w->fd, line, (size_t)n) != n)
        poni_log(PONS_LOG_WARN, "stats",
                 "a line of PONS_STATS was not written");
}

static enum pons_poll
writer_poll(struct pons_future *f, struct pons_waker *waker)
{
    struct stats_writer *w = pons_container_of(f, struct stats_writer, base);

    PONS_BEGIN(f);
    do {
        writer_line(w);
        w->next_ns += PONS_S;
        pons_sleep_init(&w->sleep, w->next_ns);
        PONS_AWAIT(f, waker, &w->sleep);
    } while (w->sleep.base.result == 0);
    writer_line(w); // the last word, at shutdown
    PONS_END(f);
}

static void
writer_drop(struct pons_future *f)
{
    struct stats_writer *w = pons_container_of(f, struct stats_writer, base);

    close(w->fd);
    free(w);
}

static const struct pons_future_ops writer_ops = {
    .size = sizeof writer_ops,
    .name = "stats",
    .poll = writer_poll,
    .drop = writer_drop,
};

int
poni_stats_start(struct pons_runtime *rt)
{
    const struct poni_value *v = &rt->settings.value[SETTING_STATS];
    struct stats_writer *w;

    if (v->text == NULL)
        return 0;
    w = calloc(1, sizeof *w);
    if (w == NULL)
        return poni_fail(-ENOMEM, "no memory for PONS_STATS");
    w->fd = open(v->text, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (w->fd < 0) {
        free(w);
        return poni_fail(-errno, "%s: \"%s\" cannot be written: %s", v->origin,
                         v->text, strerror(errno));
    }
    pons_future_init(&w->base, &writer_ops);
    w->rt = rt;
    w->next_ns = pons_now();
    return pons_spawn_future(rt, &w->base, NULL);
}
