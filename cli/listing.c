/* SPDX-License-Identifier: MIT */
/*
 * cli/listing.c - a page that shows what is in a directory.
 *
 * File names are anybody's words: as text they are escaped for HTML, as links
 * encoded for URLs. Names with a leading dot are served but not shown.
 */

#include "listing.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAMES_MAX = 10000 }; // shown: a page of a megabyte; more are counted

struct names {
    char **name; // owned; a directory's ends with a slash
    size_t count, room;
    size_t left_out;
};

static void
names_free(struct names *n)
{
    for (size_t i = 0; i < n->count; i++)
        free(n->name[i]);
    free(n->name);
}

static int
names_add(struct names *n, const char *name, int is_directory)
{
    char *copy;

    if (n->count == n->room) {
        size_t room = n->room ? n->room * 2 : 64;
        char **more = realloc(n->name, room * sizeof *more);

        if (!more)
            return -ENOMEM;
        n->name = more;
        n->room = room;
    }
    if (asprintf(&copy, "%s%s", name, is_directory ? "/" : "") < 0)
        return -ENOMEM;
    n->name[n->count++] = copy;
    return 0;
}

/* A link is what it leads to; serving it may still be refused. */
static int
is_directory(int dir, const struct dirent *e)
{
    struct stat st;

    if (e->d_type == DT_DIR || e->d_type == DT_REG)
        return e->d_type == DT_DIR;
    return fstatat(dir, e->d_name, &st, 0) == 0 && S_ISDIR(st.st_mode);
}

static int
names_read(struct names *n, DIR *dir)
{
    const struct dirent *e;
    int err = 0;

    while (err == 0 && (errno = 0, e = readdir(dir))) {
        if (e->d_name[0] == '.')
            continue;
        if (n->count == NAMES_MAX)
            n->left_out++;
        else
            err = names_add(n, e->d_name, is_directory(dirfd(dir), e));
    }
    return err < 0 ? err : -errno;
}

static int
compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
escape(FILE *out, const char *text)
{
    for (; *text; text++) {
        switch (*text) {
        case '&':
            fputs("&amp;", out);
            break;
        case '<':
            fputs("&lt;", out);
            break;
        case '>':
            fputs("&gt;", out);
            break;
        case '"':
            fputs("&quot;", out);
            break;
        default:
            fputc(*text, out);
        }
    }
}

void
listing_encode(FILE *out, const char *path)
{
    for (; *path; path++) {
        unsigned char c = (unsigned char)*path;

        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
            (c >= '0' && c <= '9') || strchr("/._-~", c))
            fputc(c, out);
        else
            fprintf(out, "%%%02X", c);
    }
}

static void
page_write(FILE *out, const char *path, const struct names *n)
{
    const char *shown = strcmp(path, ".") == 0 ? "" : path;

    fputs("<!DOCTYPE html>\n<meta charset=\"utf-8\">\n<title>/", out);
    escape(out, shown);
    fputs("</title>\n<h1>/", out);
    escape(out, shown);
    fputs("</h1>\n<ul>\n", out);
    if (*shown)
        fputs("<li><a href=\"../\">../</a>\n", out);
    for (size_t i = 0; i < n->count; i++) {
        fputs("<li><a href=\"./", out); // "./": a name may look like a scheme
        listing_encode(out, n->name[i]);
        fputs("\">", out);
        escape(out, n->name[i]);
        fputs("</a>\n", out);
    }
    fputs("</ul>\n", out);
    if (n->left_out)
        fprintf(out, "<p>and %zu more\n", n->left_out);
}

int
listing_make(int fd, const char *path, char **text, size_t *size)
{
    struct names n = {NULL, 0, 0, 0};
    DIR *dir = fdopendir(fd);
    FILE *out;
    int err;

    if (!dir) {
        err = -errno;
        close(fd);
        return err;
    }
    err = names_read(&n, dir);
    closedir(dir);
    if (err < 0)
        goto free_names;
    if (n.count > 0)
        qsort(n.name, n.count, sizeof *n.name, compare);
    out = open_memstream(text, size);
    err = out ? 0 : -errno;
    if (err < 0)
        goto free_names;
    page_write(out, path, &n);
    if (fclose(out) != 0) {
        err = -ENOMEM;
        free(*text);
        *text = NULL;
    }
free_names:
    names_free(&n);
    return err;
}
