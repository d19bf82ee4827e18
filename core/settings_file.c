/* SPDX-License-Identifier: MIT */
/*
 * core/settings_file.c - lines `key = value`, and # comments.
 *
 * A key is a variable without PONS_, in small letters. A # that begins a word
 * behind a value is refused: whoever writes it means a comment, and it would
 * become part of the value.
 */

#include "settings_file.h"

#include "fail.h"
#include "trust.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILE_MAX = 64 << 10 }; // bytes; a file of settings has some hundred

/* A file being read. */
struct settings_file {
    struct poni_settings *settings;
    const char *path;
    unsigned line;              // counted from 1
    unsigned said_in[SETTINGS]; // line that set it; 0: none
};

static char *
trim(char *text)
{
    char *end = text + strlen(text);

    while (end > text && (end[-1] == ' ' || end[-1] == '\t'))
        *--end = '\0';
    return text + strspn(text, " \t");
}

static int
file_key(const struct settings_file *f, const char *key,
         enum poni_setting *which)
{
    const char *names[SETTINGS + 1] = {NULL}, *nearest;
    char all[256] = "";

    for (*which = 0; *which < SETTING_CONFIG; ++*which) {
        names[*which] = poni_setting_key(*which);
        if (strcmp(key, names[*which]) == 0)
            return 0;
        strcat(strcat(all, " "), names[*which]);
    }
    nearest = poni_nearest(key, names);
    return poni_fail(
        -EINVAL, "%s:%u: there is no setting \"%s\"; there are:%s%s%s%s",
        f->path, f->line, key, all, nearest ? "; did you mean \"" : "",
        nearest ? nearest : "", nearest ? "\"?" : "");
}

static int
file_set(struct settings_file *f, const char *key, const char *value)
{
    enum poni_setting which;
    int err = file_key(f, key, &which);
    char *origin;

    if (err < 0)
        return err;
    if (f->said_in[which] != 0)
        return poni_fail(-EINVAL,
                         "%s:%u: %s is said twice, first in line %u; say it "
                         "once",
                         f->path, f->line, key, f->said_in[which]);
    f->said_in[which] = f->line;
    if (*value == '\0')
        return poni_fail(-EINVAL, "%s:%u: %s has no value; take the line out",
                         f->path, f->line, key);
    if (f->settings->value[which].text != NULL)
        return 0; // a stronger source has said it
    if (asprintf(&origin, "%s:%u", f->path, f->line) < 0)
        return poni_fail(-ENOMEM, "%s:%u: out of memory", f->path, f->line);
    err = poni_setting_set(f->settings, which, value, origin, "%s: %s", origin,
                           key);
    free(origin);
    return err;
}

static int
file_line(struct settings_file *f, char *line)
{
    char *equals, *key, *value;

    for (const char *c = line; *c != '\0'; c++)
        if (iscntrl((unsigned char)*c) && *c != '\t')
            return poni_fail(-EINVAL,
                             "%s:%u: contains the control character %d; wanted "
                             "plain text",
                             f->path, f->line, *c);
    line = trim(line);
    if (*line == '\0' || *line == '#')
        return 0;
    equals = strchr(line, '=');
    if (equals == NULL)
        return poni_fail(-EINVAL,
                         "%s:%u: \"%s\" has no \"=\"; wanted key = "
                         "value",
                         f->path, f->line, line);
    *equals = '\0';
    key = trim(line);
    value = trim(equals + 1);
    if (*value == '#' || strstr(value, " #") != NULL ||
        strstr(value, "\t#") != NULL)
        return poni_fail(-EINVAL,
                         "%s:%u: a # comment behind a value; give it a line of "
                         "its own",
                         f->path, f->line);
    return file_set(f, key, value);
}

static int
file_lines(struct settings_file *f, char *text, size_t size)
{
    char *end = text + size;
    int err = 0;

    while (text < end && err == 0) {
        char *newline = memchr(text, '\n', (size_t)(end - text));

        if (newline == NULL)
            newline = end;
        *newline = '\0';
        f->line++;
        if (strlen(text) != (size_t)(newline - text))
            return poni_fail(-EINVAL, "%s:%u: contains a zero byte", f->path,
                             f->line);
        err = file_line(f, text);
        text = newline + 1;
    }
    return err;
}

/* How many bytes were read, at most FILE_MAX + 1. */
static ssize_t
file_bytes(int fd, char *text)
{
    size_t size = 0;
    ssize_t n;

    while (size <= FILE_MAX) {
        n = pread(fd, text + size, FILE_MAX + 1 - size, (off_t)size);
        if (n < 0 && errno != EINTR)
            return -errno;
        if (n == 0)
            break;
        size += n > 0 ? (size_t)n : 0;
    }
    return (ssize_t)size;
}

static int
file_read(struct settings_file *f, int fd)
{
    char *text = malloc(FILE_MAX + 2);
    ssize_t size;
    int err;

    if (text == NULL)
        return poni_fail(-ENOMEM, "%s: out of memory", f->path);
    size = file_bytes(fd, text);
    if (size < 0)
        err = poni_fail((int)size, "%s: %s", f->path, strerror((int)-size));
    else if (size > FILE_MAX)
        err = poni_fail(-EFBIG, "%s: more than %d bytes", f->path, FILE_MAX);
    else
        err = file_lines(f, text, (size_t)size);
    free(text);
    return err;
}

int
poni_settings_file(struct poni_settings *s, const char *label, const char *path)
{
    struct settings_file f = {.settings = s, .path = path};
    struct pons_reason reason;
    struct stat st;
    int fd, err;

    if (path[0] != '/')
        return poni_fail(-EINVAL,
                         "%s: \"%s\" is not an absolute path; write it from "
                         "the root, as /etc/pons.conf",
                         label, path);
    fd = poni_trust_open(path, &st, &reason);
    if (fd < 0)
        return poni_fail(fd, "%s: %s: %s", label, path, reason.text);
    err = poni_trust_check(&st, &reason);
    if (err < 0)
        poni_fail(err, "%s: %s: %s", label, path, reason.text);
    else
        err = file_read(&f, fd);
    close(fd);
    return err;
}
