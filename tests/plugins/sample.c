/* SPDX-License-Identifier: MIT */
/*
 * tests/plugins/sample.c - a plugin, and each way to get one wrong.
 *
 * Built once per variant, with -DSAMPLE_<VARIANT>. `good` is right: a poller
 * that reports nothing. Every other variant differs from it in one thing.
 */

#include "pons/poller.h"
#include "pons/pool.h"
#include "pons/reactor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* Those that are not pollers. */
#if defined(SAMPLE_reactor) || defined(SAMPLE_reactor_returns_five) ||   \
    defined(SAMPLE_reactor_makes_nothing) ||                             \
    defined(SAMPLE_reactor_without_ops) || defined(SAMPLE_bind_fails) || \
    defined(SAMPLE_bind_dies)
#define REACTOR
#endif

#define MINOR_NEXT (PONS_ABI + 1)
#define MAJOR_NEXT ((PONS_ABI_MAJOR + 1) << 16)

/* What the note says. */
#if defined(SAMPLE_other_major)
#define NOTE_MIN MAJOR_NEXT
#define NOTE_MAX MAJOR_NEXT
#elif defined(SAMPLE_newer_minor)
#define NOTE_MIN MINOR_NEXT
#define NOTE_MAX MINOR_NEXT
#elif defined(SAMPLE_newer_range)
#define NOTE_MIN (PONS_ABI_MAJOR << 16)
#define NOTE_MAX MINOR_NEXT
#else
#define NOTE_MIN (PONS_ABI_MAJOR << 16)
#define NOTE_MAX PONS_ABI
#endif

#if defined(SAMPLE_note_kind)
#define NOTE_ENGINES "engine:sample"
#elif defined(SAMPLE_note_auto)
#define NOTE_ENGINES "poller:auto"
#elif defined(SAMPLE_note_path)
#define NOTE_ENGINES "poller:../sample"
#elif defined(SAMPLE_engines_lie)
#define NOTE_ENGINES "poller:sample,poller:more"
#elif defined(SAMPLE_two)
#define NOTE_ENGINES "poller:sample,pool:other,poller:second"
#elif defined(REACTOR)
#define NOTE_ENGINES "reactor:sample"
#else
#define NOTE_ENGINES "poller:sample"
#endif

#if defined(SAMPLE_name_lies)
#define NOTE_NAME "simple"
#else
#define NOTE_NAME "sample"
#endif

#if defined(SAMPLE_note_reserved)
#define NOTE_RESERVED 1
#else
#define NOTE_RESERVED 0
#endif

/* What the descriptor says. */
#if defined(SAMPLE_other_major)
#define ABI MAJOR_NEXT
#elif defined(SAMPLE_newer_minor) || defined(SAMPLE_newer_range) || \
    defined(SAMPLE_abi_lies)
#define ABI MINOR_NEXT
#else
#define ABI PONS_ABI
#endif

#if defined(SAMPLE_version_lies)
#define VERSION "2.0"
#else
#define VERSION "1.0"
#endif

/* One that claims to be longer than what it needs, as a newer one would be. */
struct bigger_ops {
    struct pons_poller_ops ops;
    void (*more)(void);
};

static struct pons_poller sample __attribute__((unused));

static int
sample_open(struct pons_poller **out, const struct pons_config *config,
            const struct pons_host *host, struct pons_reason *reason)
{
    (void)out;
    (void)config;
    (void)host;
    (void)reason;
#if defined(SAMPLE_refuses)
    return host->refuse(reason, -EPERM, "it is Sunday");
#elif defined(SAMPLE_open_refuses_wildly)
    return host->refuse(reason, -EPERM, "one\nsample: works\033[2J");
#elif defined(SAMPLE_open_returns_five)
    return 5;
#elif defined(SAMPLE_open_makes_nothing)
    return 0;
#elif defined(SAMPLE_open_dies)
    abort();
#elif defined(SAMPLE_open_exits)
    _exit(0);
#elif defined(SAMPLE_open_hangs)
    while (pause() < 0)
        continue;
    return 0;
#else
    if (host->config_uint(config, "events") == 13)
        return -EDOM;
    *out = &sample;
    return 0;
#endif
}

static void
sample_close(struct pons_poller *p)
{
    (void)p;
#if defined(SAMPLE_close_dies)
    abort();
#endif
}

static int
sample_control(struct pons_poller *p, int fd, uint64_t cookie, unsigned had,
               unsigned want)
{
    (void)p;
    (void)fd;
    (void)cookie;
    (void)had;
    (void)want;
    return 0;
}

#if !defined(SAMPLE_null_function)
static int
sample_wait(struct pons_poller *p, struct pons_ready *ready, unsigned cap,
            uint64_t deadline_ns)
{
    (void)p;
    (void)ready;
    (void)cap;
    (void)deadline_ns;
    return 0;
}
#endif

static int
sample_wake(struct pons_poller *p)
{
    (void)p;
    return 0;
}

static const struct bigger_ops sample_ops __attribute__((unused)) = {
    .ops =
        {
#if defined(SAMPLE_table_abi)
            .abi = MAJOR_NEXT,
#else
            .abi = ABI,
#endif
#if defined(SAMPLE_small_table)
            .size = offsetof(struct pons_poller_ops, wake),
#elif defined(SAMPLE_big_table)
            .size = sizeof(struct bigger_ops),
#else
            .size = sizeof(struct pons_poller_ops),
#endif
#if defined(SAMPLE_table_name)
            .name = "simple",
#else
            .name = "sample",
#endif
#if defined(SAMPLE_table_reserved)
            .reserved = 5,
#endif
            .open = sample_open,
            .close = sample_close,
            .control = sample_control,
#if !defined(SAMPLE_null_function)
            .wait = sample_wait,
#endif
            .wake = sample_wake,
        },
};

#if defined(REACTOR)
#define KIND  PONS_KIND_REACTOR
#define TABLE &reactor_ops

static const struct pons_reactor_ops reactor_ops; // below; it names open()

static struct pons_reactor reactor __attribute__((unused)) = {
    .caps = PONS_REACTOR_PINNED | PONS_REACTOR_VIRTUAL_TIME};

static int
reactor_open(struct pons_reactor **out, const struct pons_config *config,
             const struct pons_host *host, struct pons_reason *reason)
{
    (void)out;
    (void)config;
    (void)host;
    (void)reason;
#if defined(SAMPLE_reactor_returns_five)
    return 5;
#elif !defined(SAMPLE_reactor_without_ops)
    reactor.ops = &reactor_ops;
#endif
#if !defined(SAMPLE_reactor_makes_nothing)
    *out = &reactor;
#endif
    return 0;
}

static int
reactor_bind(struct pons_reactor *r)
{
    (void)r;
#if defined(SAMPLE_bind_dies)
    abort();
#elif defined(SAMPLE_bind_fails)
    return -EXDEV;
#endif
    return 0;
}

static void
reactor_close(struct pons_reactor *r)
{
    (void)r;
}

static int
reactor_submit(struct pons_reactor *r, struct pons_op *op)
{
    (void)r;
    (void)op;
    return PONS_SUBMIT_UNSUPPORTED;
}

static void
reactor_cancel(struct pons_reactor *r, struct pons_op *op)
{
    (void)r;
    (void)op;
}

static int
reactor_poll(struct pons_reactor *r, struct pons_event *events, unsigned cap,
             uint64_t deadline_ns)
{
    (void)r;
    (void)events;
    (void)cap;
    (void)deadline_ns;
    return 0;
}

static int
reactor_wake(struct pons_reactor *r)
{
    (void)r;
    return 0;
}

static const struct pons_reactor_ops reactor_ops = {
    .abi = PONS_ABI,
    .size = sizeof reactor_ops,
    .name = "sample",
    .open = reactor_open,
    .bind = reactor_bind,
    .close = reactor_close,
    .submit = reactor_submit,
    .cancel = reactor_cancel,
    .poll = reactor_poll,
    .wake = reactor_wake,
};
#else
#define KIND  PONS_KIND_POLLER
#define TABLE &sample_ops
#endif

static const struct pons_option sample_options[] = {
    {.name = "events",
     .type = PONS_OPTION_UINT,
#if defined(SAMPLE_bad_option)
     .fallback = "5000",
#else
     .fallback = "64",
#endif
     .min = 1,
     .max = 4096,
     .help = "events per call"},
    {0},
};

#if defined(SAMPLE_two)
static struct pons_pool_admission
other_on_submit(struct pons_pool_policy *p, const struct pons_pool_view *v,
                const struct pons_job *job)
{
    (void)p;
    (void)v;
    (void)job;
    return (struct pons_pool_admission){.verdict = PONS_POOL_REFUSE};
}

static int
other_open(struct pons_pool_policy **out, const struct pons_config *config,
           const struct pons_host *host, struct pons_reason *reason)
{
    static struct pons_pool_policy other;

    (void)config;
    (void)host;
    (void)reason;
    *out = &other;
    return 0;
}

static void
other_close(struct pons_pool_policy *p)
{
    (void)p;
}

static struct pons_pool_target
other_on_tick(struct pons_pool_policy *p, const struct pons_pool_view *v)
{
    (void)p;
    (void)v;
    return (struct pons_pool_target){0};
}

static uint32_t
other_pick(struct pons_pool_policy *p, const struct pons_pool_view *v)
{
    (void)p;
    (void)v;
    return 0;
}

static uint64_t
other_on_idle(struct pons_pool_policy *p, const struct pons_pool_view *v,
              uint64_t parked_ns)
{
    (void)p;
    (void)v;
    (void)parked_ns;
    return PONS_POOL_EXIT;
}

static const struct pons_pool_ops other_ops = {
    .abi = PONS_ABI,
    .size = sizeof other_ops,
    .name = "other",
    .open = other_open,
    .close = other_close,
    .on_submit = other_on_submit,
    .on_tick = other_on_tick,
    .on_idle = other_on_idle,
    .pick = other_pick,
};
#endif

static const struct pons_engine sample_engines[] __attribute__((unused)) = {
    {
        .kind = KIND,
        .rank = 5,
        .name = "sample",
#if !defined(SAMPLE_no_summary)
        .summary = "reports nothing",
#endif
        .options = sample_options,
#if !defined(SAMPLE_no_table)
        .table = TABLE,
#endif
#if defined(SAMPLE_engine_reserved)
        .reserved = {0, 7},
#endif
    },
#if defined(SAMPLE_two)
    {.kind = PONS_KIND_POOL,
     .name = "other",
     .summary = "refuses everything",
     .table = &other_ops},
    {.kind = PONS_KIND_POLLER,
     .name = "second",
     .summary = "the same table once more",
     .options = sample_options,
     .table = &sample_ops},
#endif
    {0},
};

static const struct pons_plugin sample_plugin = {
    .abi = ABI,
#if defined(SAMPLE_small_descriptor)
    .size = sizeof sample_plugin - 8,
#else
    .size = sizeof sample_plugin,
#endif
    .name = "sample",
    .version = VERSION,
    .licence = "MIT",
#if !defined(SAMPLE_no_engines)
    .engines = sample_engines,
#endif
#if defined(SAMPLE_reserved)
    .reserved = {0, 0, 0, 1},
#endif
};

#if !defined(SAMPLE_no_note)
__attribute__((section(".note.pons"), used,
               aligned(4))) static const struct pons_note sample_note = {
    sizeof(PONS_NOTE_OWNER),
    sizeof(struct pons_note) - offsetof(struct pons_note, abi_min),
    PONS_NOTE_TYPE,
    PONS_NOTE_OWNER,
    NOTE_MIN,
    NOTE_MAX,
    NOTE_NAME,
    "1.0",
    "MIT",
    NOTE_ENGINES,
    {0, 0, NOTE_RESERVED, 0}};
#endif

#if defined(SAMPLE_two_notes)
__attribute__((section(".note.pons"), used,
               aligned(4))) static const struct pons_note sample_note_again = {
    sizeof(PONS_NOTE_OWNER),
    sizeof(struct pons_note) - offsetof(struct pons_note, abi_min),
    PONS_NOTE_TYPE,
    PONS_NOTE_OWNER,
    NOTE_MIN,
    NOTE_MAX,
    NOTE_NAME,
    "1.0",
    "MIT",
    NOTE_ENGINES,
    {0, 0, 0, 0}};
#endif

#if defined(SAMPLE_no_entry)
#define ENTRY pons_plugin_v0
#else
#define ENTRY pons_plugin_v1
#endif

#if defined(SAMPLE_undefined)
extern int sample_that_is_nowhere(void);
#endif

/* Leaves a trace of having run: the file that SAMPLE_TRACE names. */
#if defined(SAMPLE_traces) || defined(SAMPLE_load_dies)
__attribute__((constructor)) static void
sample_constructor(void)
{
    const char *path = getenv("SAMPLE_TRACE");

    if (path != NULL)
        close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
#if defined(SAMPLE_load_dies)
    abort();
#endif
}
#endif

PONS_API int ENTRY(const struct pons_host *host,
                   const struct pons_plugin **out);

PONS_API int
ENTRY(const struct pons_host *host, const struct pons_plugin **out)
{
    static int entered;

    if (entered++ != 0)
        return -EALREADY; // once per process
#if defined(SAMPLE_undefined)
    if (sample_that_is_nowhere())
        return 0;
#elif defined(SAMPLE_entry_fails)
    return -EIO;
#elif defined(SAMPLE_entry_newer)
    return -ENOTSUP;
#elif defined(SAMPLE_no_descriptor)
    return 0;
#endif
    if (host->abi >> 16 != PONS_ABI_MAJOR || host->size < sizeof *host)
        return -ENOTSUP;
    *out = &sample_plugin;
    return 0;
}
