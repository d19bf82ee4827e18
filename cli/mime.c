/* SPDX-License-Identifier: MIT */
/*
 * cli/mime.c - the content type of a file, by its name.
 *
 * What is not known is bytes: a browser then saves it and guesses nothing.
 */

#include "mime.h"

#include <string.h>
#include <strings.h>

// clang-format off
static const struct {
    const char *ending, *type;
} types[] = {
    {"html",  "text/html; charset=utf-8"},
    {"htm",   "text/html; charset=utf-8"},
    {"css",   "text/css; charset=utf-8"},
    {"js",    "text/javascript; charset=utf-8"},
    {"mjs",   "text/javascript; charset=utf-8"},
    {"txt",   "text/plain; charset=utf-8"},
    {"md",    "text/markdown; charset=utf-8"},
    {"csv",   "text/csv; charset=utf-8"},
    {"c",     "text/plain; charset=utf-8"},
    {"h",     "text/plain; charset=utf-8"},
    {"log",   "text/plain; charset=utf-8"},
    {"json",  "application/json"},
    {"xml",   "application/xml"},
    {"pdf",   "application/pdf"},
    {"wasm",  "application/wasm"},
    {"zip",   "application/zip"},
    {"gz",    "application/gzip"},
    {"xz",    "application/x-xz"},
    {"zst",   "application/zstd"},
    {"tar",   "application/x-tar"},
    {"png",   "image/png"},
    {"jpg",   "image/jpeg"},
    {"jpeg",  "image/jpeg"},
    {"gif",   "image/gif"},
    {"webp",  "image/webp"},
    {"avif",  "image/avif"},
    {"svg",   "image/svg+xml"},
    {"ico",   "image/vnd.microsoft.icon"},
    {"mp3",   "audio/mpeg"},
    {"ogg",   "audio/ogg"},
    {"wav",   "audio/wav"},
    {"mp4",   "video/mp4"},
    {"webm",  "video/webm"},
    {"woff",  "font/woff"},
    {"woff2", "font/woff2"},
    {"ttf",   "font/ttf"},
};
// clang-format on

const char *
mime_type(const char *name)
{
    const char *slash = strrchr(name, '/');
    const char *dot = strrchr(slash ? slash : name, '.');

    for (unsigned i = 0; dot && i < sizeof types / sizeof types[0]; i++)
        if (strcasecmp(dot + 1, types[i].ending) == 0)
            return types[i].type;
    return "application/octet-stream";
}
