/* SPDX-License-Identifier: MIT */
#ifndef CLI_HTTP_H
#define CLI_HTTP_H

/*
 * cli/http.h - HTTP/1.1 as a server of files speaks it: requests in, heads of
 * replies out. The parser is http_parser.
 *
 * Threads     A fiber or thread that may wait, one at a time.
 */

#include <http_parser.h>
#include <stdint.h>
#include <time.h>

#include "pons/stream.h"

enum {
    HTTP_BUFFER = 8192,      // of a connection: most requests fit in once
    HTTP_TARGET = 4096,      // bytes of a request's target: longer is 414
    HTTP_HEAD_MAX = 16384,   // bytes of a request's head: longer is 431
    HTTP_FIELD = 64,         // bytes of a field's name and of its value that
                             // are looked at: those that matter are shorter
    HTTP_REPLY_HEAD = 16384, // room for a reply's head: three bytes for each of
                             // a target, and the rest
    HTTP_IDLE_SECONDS = 30,  // between requests
    HTTP_REQUEST_SECONDS = 10 // from a request's first byte to its last
};

struct http_request {
    int status;     // 0, or what is wrong with it: 400, 405, 414, 431, 505
    int head_only;  // HEAD
    int keep_alive; // the connection may serve another one
    time_t modified_since; // -1: not asked
    char target[HTTP_TARGET + 1];
    size_t target_size;
    const char *path; // inside `target`: the host of an absolute one is skipped
    size_t path_size;
};

/* The receiving side of one connection. */
struct http_reader {
    struct pons_stream *stream; // borrowed
    http_parser parser;
    struct http_request request; // the one that is being read
    enum {
        HTTP_BETWEEN, // no byte of a request has come
        HTTP_RECEIVING,
        HTTP_RECEIVED, // all of it
    } state;
    int hosts; // Host fields
    int in_value;
    char field[HTTP_FIELD], value[HTTP_FIELD]; // cut
    char buffer[HTTP_BUFFER];
    size_t begin, end; // received, not parsed: the next requests
};

void http_reader_init(struct http_reader *r, struct pons_stream *s);

/*
 * Reads the next request into r->request. 1: it is there, or cannot be (then
 * its status says so, and it is the last); 0: the client has ended; -ETIME:
 * nothing came for too long; -errno.
 */
PONS_MUST_USE int http_read(struct http_reader *r);

struct http_reply {
    int status;
    const char *type;     // NULL: none
    const char *location; // NULL: none
    uint64_t size;        // of the body
    time_t modified;      // -1: not known
    int keep_alive;
};

/* Writes the head of a reply; its length. `out` has HTTP_REPLY_HEAD bytes. */
size_t http_head(char *out, const struct http_reply *reply);

/* "Not Found" for 404. Static. */
const char *http_words(int status);

/*
 * After the last reply, before close: says that no more is sent, and reads what
 * still comes. Without that the kernel would reset the connection, and the
 * client might never see the reply.
 */
void http_linger(struct http_reader *r);

#endif /* CLI_HTTP_H */
