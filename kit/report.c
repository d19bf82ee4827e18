/* SPDX-License-Identifier: MIT */
/*
 * kit/report.c - see kit/report.h.
 *
 * A line for each rule; below it what failed and what was skipped. What passed
 * is counted: its names are in the JSON.
 */

#include "report.h"

#include <gnu/libc-version.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "cli/say.h"
#include "tests.h"

struct report_system {
    char text[512];
};

static struct report_system
report_system(void)
{
    struct report_system s = {""};
    struct utsname u = {0};

    uname(&u);
    snprintf(s.text, sizeof s.text, "%s %s %s, glibc %s, %ld processors",
             u.sysname, u.release, u.machine, gnu_get_libc_version(),
             sysconf(_SC_NPROCESSORS_ONLN));
    return s;
}

static const char *
report_kind(const struct kit_exam *e)
{
    switch (e->entry->kind) {
    case PONS_KIND_POLLER:
        return "poller";
    case PONS_KIND_POOL:
        return "pool";
    default:
        return "reactor";
    }
}

int
kit_report_holds(const struct kit_exam *e)
{
    return e->unusable == NULL && !e->interrupted &&
           kit_exam_count(e, NULL, KIT_FAILED) == 0;
}

/* --- the page --- */

static void
print_head(const struct kit_exam *e, FILE *out)
{
    const struct poni_entry *n = e->entry;

    fprintf(out, "%s (%s) of %s %s, licence %s, ABI %u.%u to %u.%u, ", n->name,
            report_kind(e), n->plugin, n->version, n->licence, n->abi_min >> 16,
            n->abi_min & 0xffff, n->abi_max >> 16, n->abi_max & 0xffff);
    say_plain(out, n->path != NULL ? n->path : "built in");
    fprintf(out, "\non %s, Pons %s\n\n", report_system().text, PONS_VERSION);
}

/* What the test's process said, each line marked as its. */
static void
print_heard(const char *heard, FILE *out)
{
    while (*heard != '\0') {
        int length = (int)strcspn(heard, "\n");
        char line[256];

        snprintf(line, sizeof line, "%.*s", length, heard);
        fputs("           | ", out);
        say_plain(out, line);
        fputc('\n', out);
        heard += length + (heard[length] == '\n');
    }
}

static void
print_failed(const struct kit_result *r, FILE *out)
{
    fprintf(out, "  FAILED   %s\n           ", r->test->name);
    say_plain(out, r->sentence);
    fputc('\n', out);
    if (r->heard != NULL)
        print_heard(r->heard, out);
}

/* Whether the tests of `a` and `b` were skipped for one reason. */
static int
print_skips_alike(const struct kit_result *a, const struct kit_result *b)
{
    return a->outcome == KIT_SKIPPED && b->outcome == KIT_SKIPPED &&
           strcmp(a->test->rule, b->test->rule) == 0 &&
           strcmp(a->sentence, b->sentence) == 0;
}

/* The first of those alike stands for all. */
static void
print_skipped(const struct kit_exam *e, unsigned i, FILE *out)
{
    const struct kit_result *r = &e->results[i];
    unsigned alike = 1;

    for (unsigned n = 0; n < i; n++)
        if (print_skips_alike(&e->results[n], r))
            return;
    for (unsigned n = i + 1; n < e->count; n++)
        alike += (unsigned)print_skips_alike(&e->results[n], r);
    if (alike == 1)
        fprintf(out, "  skipped  %s:\n           ", r->test->name);
    else
        fprintf(out, "  skipped  %u tests: ", alike);
    say_plain(out, r->sentence);
    fputc('\n', out);
}

static const char *
print_word(unsigned passed, unsigned failed, unsigned skipped)
{
    if (failed > 0)
        return "FAILED";
    if (passed > 0)
        return "passed";
    return skipped > 0 ? "skipped" : "not run";
}

static void
print_rule(const struct kit_exam *e, const struct kit_rule *rule, FILE *out)
{
    unsigned passed = kit_exam_count(e, rule->number, KIT_PASSED);
    unsigned failed = kit_exam_count(e, rule->number, KIT_FAILED);
    unsigned skipped = kit_exam_count(e, rule->number, KIT_SKIPPED);
    unsigned not_run = kit_exam_count(e, rule->number, KIT_NOT_RUN);

    if (passed + failed + skipped + not_run == 0)
        return; // not chosen
    fprintf(out, "%-7s  %-9s  %-7s  %u passed", rule->number, rule->word,
            print_word(passed, failed, skipped), passed);
    if (failed > 0)
        fprintf(out, ", %u failed", failed);
    if (skipped > 0)
        fprintf(out, ", %u skipped", skipped);
    if (not_run > 0)
        fprintf(out, ", %u not run", not_run);
    fputc('\n', out);
    for (unsigned i = 0; i < e->count; i++) {
        const struct kit_result *r = &e->results[i];

        if (strcmp(r->test->rule, rule->number) != 0)
            continue;
        if (r->outcome == KIT_FAILED)
            print_failed(r, out);
        else if (r->outcome == KIT_SKIPPED)
            print_skipped(e, i, out);
    }
}

/* "epoll keeps the rules: 52 tests passed, 3 skipped." */
static void
print_last_line(const struct kit_exam *e, FILE *out)
{
    const char *comma = "";

    fprintf(out, "\n%s ", e->entry->name);
    if (kit_exam_count(e, NULL, KIT_FAILED) > 0) {
        fputs("breaks ", out);
        for (const struct kit_rule *r = kit_rules(e->entry->kind);
             r->number != NULL; r++) {
            if (kit_exam_count(e, r->number, KIT_FAILED) == 0)
                continue;
            fprintf(out, "%s%s", comma, r->number);
            comma = ", ";
        }
    } else if (e->interrupted) {
        fputs("was interrupted", out);
    } else {
        fputs("keeps the rules", out);
        if (e->only != NULL)
            fprintf(out, " as far as --only \"%s\" looks", e->only);
    }
    fprintf(out, ": %u tests passed, %u failed, %u skipped",
            kit_exam_count(e, NULL, KIT_PASSED),
            kit_exam_count(e, NULL, KIT_FAILED),
            kit_exam_count(e, NULL, KIT_SKIPPED));
    if (e->interrupted)
        fprintf(out, ", %u not run", kit_exam_count(e, NULL, KIT_NOT_RUN));
    fputs(".\n", out);
}

void
kit_report_print(const struct kit_exam *e, FILE *out)
{
    print_head(e, out);
    if (e->unusable != NULL) {
        fprintf(out, "%s is not usable here: ", e->entry->name);
        say_plain(out, e->unusable);
        fputc('\n', out);
        return;
    }
    for (const struct kit_rule *r = kit_rules(e->entry->kind);
         r->number != NULL; r++)
        print_rule(e, r, out);
    print_last_line(e, out);
}

/* --- JSON --- */

/* Of text that is no UTF-8, or was cut in the middle of a letter, what is
 * ASCII. */
static json_t *
json_ascii(const char *text)
{
    char *ascii = strdup(text);
    json_t *value;

    if (ascii == NULL)
        return json_null();
    for (char *c = ascii; *c != '\0'; c++)
        if ((unsigned char)*c >= 0x80)
            *c = '?';
    value = json_string(ascii);
    free(ascii);
    return value != NULL ? value : json_null();
}

static json_t *
json_text(const char *text)
{
    json_t *value = text != NULL ? json_string(text) : json_null();

    return value != NULL ? value : json_ascii(text);
}

static json_t *
json_version(uint32_t abi)
{
    char text[32];

    snprintf(text, sizeof text, "%u.%u", abi >> 16, abi & 0xffff);
    return json_string(text);
}

static const char *
json_outcome(enum kit_outcome outcome)
{
    switch (outcome) {
    case KIT_PASSED:
        return "passed";
    case KIT_FAILED:
        return "failed";
    case KIT_SKIPPED:
        return "skipped";
    default:
        return "not run";
    }
}

static json_t *
json_tests(const struct kit_exam *e)
{
    json_t *array = json_array();

    for (unsigned i = 0; i < e->count; i++) {
        const struct kit_result *r = &e->results[i];
        const char *sentence = *r->sentence != '\0' ? r->sentence : NULL;

        json_array_append_new(
            array, json_pack("{s:s, s:s, s:s, s:o, s:o, s:f}", "rule",
                             r->test->rule, "test", r->test->name, "outcome",
                             json_outcome(r->outcome), "sentence",
                             json_text(sentence), "stderr", json_text(r->heard),
                             "seconds", (double)r->took_ns / 1e9));
    }
    return array;
}

json_t *
kit_report_json(const struct kit_exam *e)
{
    const struct poni_entry *n = e->entry;

    return json_pack(
        "{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:s, s:s, s:o, s:b, s:b, "
        "s:o, s:o}",
        "engine", n->name, "kind", report_kind(e), "path", json_text(n->path),
        "plugin", json_text(n->plugin), "version", json_text(n->version),
        "licence", json_text(n->licence), "abi_min", json_version(n->abi_min),
        "abi_max", json_version(n->abi_max), "pons", PONS_VERSION, "system",
        report_system().text, "only", json_text(e->only), "holds",
        kit_report_holds(e), "interrupted", e->interrupted, "unusable",
        json_text(e->unusable), "tests", json_tests(e));
}
