/* SPDX-License-Identifier: MIT */
/*
 * bench/bench.c - see bench/bench.h.
 */

#include "bench.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum {
    REPEAT = 11,
    REPEAT_MAX = 1000,
    SERIES_MAX = 32, // metrics of one case
    QUICKER = 20,
    RATE_MAX = 1000000000,
};

struct series {
    const char *metric, *unit;
    double values[REPEAT_MAX];
    unsigned count;
};

struct words {
    const char *workload, *case_name;
    const char *server, *subject;
    unsigned repeat, rate; // 0: the case's own
    int quick, describe, cold;
    enum bench_count count;
};

struct bench_run {
    const struct words *words;
    int warming_up;
    uint64_t began;
    struct rusage used;
    unsigned series_count;
    struct series series[SERIES_MAX];
    char skipped[256];
};

/* --- time and figures --- */

void
bench_must(int ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "bench: %s failed\n", what);
    exit(1);
}

uint64_t
bench_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static double
timeval_ns(struct timeval t)
{
    return (double)t.tv_sec * 1e9 + (double)t.tv_usec * 1e3;
}

static double
resident_bytes(void)
{
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "re");

    if (f && fscanf(f, "%*d %ld", &pages) != 1)
        pages = 0;
    if (f)
        fclose(f);
    return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

uint64_t
bench_ops(const struct bench_run *r, uint64_t full)
{
    if (!r->words->quick)
        return full;
    return full > QUICKER ? full / QUICKER : 1;
}

int
bench_is_quick(const struct bench_run *r)
{
    return r->words->quick;
}

const char *
bench_server(const struct bench_run *r)
{
    return r->words->server;
}

enum bench_count
bench_count(const struct bench_run *r)
{
    return r->words->count;
}

uint64_t
bench_interval_ns(const struct bench_run *r, uint64_t usual)
{
    return r->words->rate ? 1000000000 / r->words->rate : usual;
}

void
bench_value(struct bench_run *r, const char *metric, const char *unit,
            double value)
{
    struct series *s = r->series;

    if (r->warming_up)
        return;
    while (s < r->series + r->series_count && strcmp(s->metric, metric) != 0)
        s++;
    if (s == r->series + r->series_count) {
        bench_must(r->series_count < SERIES_MAX, "room for one more metric");
        r->series_count++;
        s->metric = metric;
        s->unit = unit;
        s->count = 0;
    }
    if (s->count < REPEAT_MAX)
        s->values[s->count++] = value;
}

void
bench_start(struct bench_run *r)
{
    getrusage(RUSAGE_SELF, &r->used);
    (void)prctl(BENCH_MARK, 1);
    r->began = bench_now();
}

void
bench_stop(struct bench_run *r, uint64_t ops)
{
    double wall = (double)(bench_now() - r->began), n = (double)ops;
    struct rusage *was = &r->used, now;

    (void)prctl(BENCH_MARK, 0);
    getrusage(RUSAGE_SELF, &now);
    bench_value(r, "wall", "ns", wall / n);
    bench_value(r, "user", "ns",
                (timeval_ns(now.ru_utime) - timeval_ns(was->ru_utime)) / n);
    bench_value(r, "system", "ns",
                (timeval_ns(now.ru_stime) - timeval_ns(was->ru_stime)) / n);
    bench_value(r, "switches", "1",
                (double)(now.ru_nvcsw + now.ru_nivcsw - was->ru_nvcsw -
                         was->ru_nivcsw) /
                    n);
    bench_value(r, "rss", "B", resident_bytes());
    bench_value(r, "ops", "1", n);
}

void
bench_latencies(struct bench_run *r, const struct histogram *h)
{
    bench_value(r, "p50", "ns", (double)histogram_quantile(h, 0.5));
    bench_value(r, "p90", "ns", (double)histogram_quantile(h, 0.9));
    bench_value(r, "p99", "ns", (double)histogram_quantile(h, 0.99));
    bench_value(r, "p99.9", "ns", (double)histogram_quantile(h, 0.999));
    bench_value(r, "max", "ns", (double)histogram_max(h));
}

void
bench_skip(struct bench_run *r, const char *reason)
{
    snprintf(r->skipped, sizeof r->skipped, "%s", reason);
}

/* --- lines --- */

static void
print_text(const char *text)
{
    putchar('"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            putchar('\\');
        putchar((unsigned char)*text < ' ' ? ' ' : *text);
    }
    putchar('"');
}

static void
print_member(const char *name, const char *text)
{
    printf(",\"%s\":", name);
    print_text(text);
}

static void
print_key(const struct bench_workload *w, const struct bench_case *c,
          const struct bench_run *r)
{
    const char *subject = r->words->subject;

    printf("{\"workload\":");
    print_text(w->name);
    print_member("case", c->name);
    print_member("subject", subject ? subject : w->subject);
}

static void
print_series(const struct bench_workload *w, const struct bench_case *c,
             const struct bench_run *r, const struct series *s)
{
    print_key(w, c, r);
    print_member("metric", s->metric);
    print_member("unit", s->unit);
    printf(",\"values\":[");
    for (unsigned i = 0; i < s->count; i++)
        printf("%s%.6g", i ? "," : "", s->values[i]);
    printf("]}\n");
}

static void
print_case(const struct bench_workload *w, const struct bench_case *c,
           const struct bench_run *r)
{
    if (*r->skipped) {
        print_key(w, c, r);
        print_member("skipped", r->skipped);
        printf("}\n");
    } else {
        for (unsigned i = 0; i < r->series_count; i++)
            print_series(w, c, r, &r->series[i]);
    }
    fflush(stdout);
}

static int
case_is_any(const struct bench_case *c)
{
    return c->name != NULL;
}

static int
case_is_heavy(const struct bench_case *c)
{
    return c->heavy;
}

static int
case_is_brief(const struct bench_case *c)
{
    return c->brief;
}

static void
print_cases(const char *member, const struct bench_workload *w,
            int (*is_meant)(const struct bench_case *))
{
    const char *comma = "";

    printf(",\"%s\":[", member);
    for (const struct bench_case *c = w->cases; c->name; c++) {
        if (!is_meant(c))
            continue;
        printf("%s", comma);
        print_text(c->name);
        comma = ",";
    }
    putchar(']');
}

/* {"lateness":"p99"} */
static void
print_mains(const struct bench_workload *w)
{
    const char *comma = "";

    printf(",\"mains\":{");
    for (const struct bench_case *c = w->cases; c->name; c++) {
        if (!c->main)
            continue;
        printf("%s", comma);
        print_text(c->name);
        putchar(':');
        print_text(c->main);
        comma = ",";
    }
    putchar('}');
}

static void
describe(const struct bench_workload *w)
{
    static const char *const axes[] = {"reactor", "pool", "workers"};
    const char *comma = "";

    printf("{\"workload\":");
    print_text(w->name);
    print_member("subject", w->subject);
    print_member("measures", w->measures);
    print_member("how", w->how);
    print_member("silent", w->silent);
    printf(",\"axes\":[");
    for (unsigned i = 0; i < sizeof axes / sizeof axes[0]; i++) {
        if (!(w->axes & 1u << i))
            continue;
        printf("%s\"%s\"", comma, axes[i]);
        comma = ",";
    }
    putchar(']');
    print_cases("cases", w, case_is_any);
    print_cases("heavy", w, case_is_heavy);
    print_cases("brief", w, case_is_brief);
    print_mains(w);
    printf(",\"spread\":%s}\n", w->spread ? "true" : "false");
}

/* --- the program --- */

static void
run_case(const struct bench_workload *w, const struct bench_case *c,
         const struct words *words)
{
    struct bench_run *r = calloc(1, sizeof *r);

    bench_must(r != NULL, "memory");
    r->words = words;
    if (!c->cold && !words->cold) {
        r->warming_up = 1;
        c->run(r);
        r->warming_up = 0;
    }
    for (unsigned i = 0; i < words->repeat && !*r->skipped; i++)
        c->run(r);
    print_case(w, c, r);
    free(r);
}

/* Of a server's figures the subject is only what they are called. */
static int
is_wanted(const struct words *words, const struct bench_workload *w)
{
    if (words->workload && strcmp(words->workload, w->name) != 0)
        return 0;
    return !words->subject || words->server ||
           strcmp(words->subject, w->subject) == 0;
}

/* How many cases had the names asked for. */
static unsigned
run_cases(const struct bench_workload *const *w, const struct words *words)
{
    unsigned found = 0;

    for (; *w; w++) {
        if (!is_wanted(words, *w))
            continue;
        for (const struct bench_case *c = (*w)->cases; c->name; c++) {
            if (words->case_name && strcmp(words->case_name, c->name) != 0)
                continue;
            found++;
            run_case(*w, c, words);
        }
    }
    return found;
}

static int
read_number(const char *text, unsigned long most, unsigned *number)
{
    char *end;
    unsigned long n;

    errno = 0;
    n = strtoul(text, &end, 10);
    if (errno || end == text || *end || n < 1 || n > most)
        return -1;
    *number = (unsigned)n;
    return 0;
}

static int
read_count(const char *text, enum bench_count *count)
{
    if (strcmp(text, "calls") == 0)
        *count = BENCH_COUNT_CALLS;
    else if (strcmp(text, "user") == 0)
        *count = BENCH_COUNT_USER;
    else
        return -1;
    return 0;
}

/* A word that takes the next one. */
static int
read_pair(struct words *words, const char *word, const char *next)
{
    if (strcmp(word, "--workload") == 0)
        words->workload = next;
    else if (strcmp(word, "--case") == 0)
        words->case_name = next;
    else if (strcmp(word, "--server") == 0)
        words->server = next;
    else if (strcmp(word, "--subject") == 0)
        words->subject = next;
    else if (strcmp(word, "--repeat") == 0)
        return read_number(next, REPEAT_MAX, &words->repeat);
    else if (strcmp(word, "--rate") == 0)
        return read_number(next, RATE_MAX, &words->rate);
    else if (strcmp(word, "--count") == 0)
        return read_count(next, &words->count);
    else
        return -1;
    return 0;
}

static int
read_words(struct words *words, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i], *next = argv[i + 1];

        if (strcmp(word, "--quick") == 0)
            words->quick = 1;
        else if (strcmp(word, "--describe") == 0)
            words->describe = 1;
        else if (strcmp(word, "--no-warm-up") == 0)
            words->cold = 1;
        else if (!next || read_pair(words, word, argv[++i]) < 0)
            return -1;
    }
    return words->server && !words->subject ? -1 : 0;
}

int
bench_main(const struct bench_workload *const *workloads, int argc, char **argv)
{
    struct words words = {.repeat = REPEAT};

    if (read_words(&words, argc, argv) < 0) {
        fprintf(stderr,
                "usage: %s [--workload W] [--case C] [--repeat N] [--quick] "
                "[--no-warm-up]\n       [--subject NAME [--server PROGRAM] "
                "[--count calls|user]] [--rate R]\n"
                "       %s --describe\nN is from 1 to %d, R from 1 to %d\n",
                argv[0], argv[0], REPEAT_MAX, RATE_MAX);
        return 2;
    }
    if (words.describe) {
        for (const struct bench_workload *const *w = workloads; *w; w++)
            describe(*w);
        return 0;
    }
    if (run_cases(workloads, &words) == 0) {
        fprintf(stderr, "%s: no such workload or case; see --describe\n",
                argv[0]);
        return 2;
    }
    return 0;
}
