/* SPDX-License-Identifier: MIT */
/*
 * cli/connection.c - one client of `pons serve`.
 *
 * A fiber: it reads a request, looks on the blocking pool for what it names,
 * replies, and does so again. The same job that opens a file reads its first
 * piece behind the room for the head, so a small file is one job and one send.
 *
 * While it replies the end of the server is masked: who was promised a body
 * gets it. Between requests the end is seen at once.
 */

#include "connection.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "content.h"
#include "http.h"
#include "pons/bridge.h"
#include "pons/time.h"

enum {
    PIECE_BYTES = 64 * 1024, // of a file in one send
    SEND_SECONDS = 30,       // for a piece: slower clients are given up
    GRACE_SECONDS = 5,       // for a reply in course when the server ends
};

struct connection {
    struct pons_stream *stream; // owned
    int root;
    uint64_t delay_ns;
    struct http_reader reader;
    struct content content; // of the request in course
    int64_t piece;          // bytes of the file in `out`; -errno of the read
    /* A head, moved to the end of its room, and then a piece: one send. */
    char out[HTTP_REPLY_HEAD + PIECE_BYTES];
};

static char *
connection_piece(struct connection *c)
{
    return c->out + HTTP_REPLY_HEAD;
}

/* On a pool thread. */
static int64_t
job_open(void *arg)
{
    struct connection *c = arg;
    const struct http_request *q = &c->reader.request;

    content_open(&c->content, c->root, q->path, q->path_size);
    if (c->content.status == 200 && c->content.modified >= 0 &&
        q->modified_since >= c->content.modified)
        c->content.status = 304;
    c->piece = 0;
    if (c->content.fd >= 0 && c->content.status == 200 && !q->head_only)
        c->piece = content_read(&c->content, connection_piece(c), PIECE_BYTES);
    if (c->content.fd >= 0 && (uint64_t)c->piece == c->content.size)
        content_close(&c->content);
    return 0;
}

/* On a pool thread. */
static int64_t
job_read(void *arg)
{
    struct connection *c = arg;

    c->piece = content_read(&c->content, connection_piece(c), PIECE_BYTES);
    return 0;
}

/* On a pool thread, or here when there is none to be had. */
static int64_t
job_close(void *arg)
{
    struct connection *c = arg;

    content_close(&c->content);
    return 0;
}

/* 0, or -errno: the connection is of no more use. */
static int
send_bytes(struct connection *c, const char *bytes, size_t size)
{
    struct pons_timeout timeout;
    struct pons_send_all send;
    int64_t sent;

    if (size == 0)
        return 0;
    pons_send_all_init(&send, c->stream, bytes, size);
    pons_timeout_init(&timeout, pons_after_ms(SEND_SECONDS * 1000), &send.base);
    sent = pons_await(&timeout.base);
    if (sent < 0)
        return (int)sent;
    return (size_t)sent == size ? 0 : -EPIPE;
}

/* Sends the head and the first `size` bytes of the piece. */
static int
send_head(struct connection *c, const struct http_reply *reply, size_t size)
{
    size_t length = http_head(c->out, reply);
    char *start = connection_piece(c) - length;

    memmove(start, c->out, length);
    return send_bytes(c, start, length + size);
}

/*
 * The rest of the file, of which `sent` bytes have gone. A file that became
 * shorter breaks the promise of its length: only an end of the connection can
 * say so. What it has grown by is left out.
 */
static int
send_rest(struct connection *c, uint64_t sent)
{
    uint64_t left = c->content.size - sent;
    int err = 0;

    while (err == 0 && left > 0) {
        size_t size;

        err = pons_blocking(job_read, c, NULL);
        if (err < 0)
            return err;
        if (c->piece <= 0)
            return -EIO;
        size = (uint64_t)c->piece < left ? (size_t)c->piece : (size_t)left;
        err = send_bytes(c, connection_piece(c), size);
        left -= size;
    }
    return err;
}

static int
reply_file(struct connection *c, const struct http_reply *reply)
{
    uint64_t size = (uint64_t)(c->piece > 0 ? c->piece : 0);
    int err;

    if (c->piece < 0)
        return -EIO;
    if (size > reply->size)
        size = reply->size;
    err = send_head(c, reply, size);
    return err < 0 ? err : send_rest(c, size);
}

static int
reply_listing(struct connection *c, const struct http_reply *reply)
{
    int err = send_head(c, reply, 0);

    return err < 0 ? err : send_bytes(c, c->content.text, c->content.size);
}

/* All but 200 and 304: the status in words. */
static int
reply_words(struct connection *c, struct http_reply *reply, int head_only)
{
    int size = snprintf(connection_piece(c), PIECE_BYTES, "%d %s\n",
                        reply->status, http_words(reply->status));

    reply->type = "text/plain; charset=utf-8";
    reply->size = (uint64_t)size;
    reply->location = c->content.text;
    return send_head(c, reply, head_only ? 0 : (size_t)size);
}

static int
connection_reply(struct connection *c)
{
    const struct http_request *q = &c->reader.request;
    struct http_reply reply = {.status = c->content.status,
                               .type = c->content.type,
                               .size = c->content.size,
                               .modified = c->content.modified,
                               .keep_alive = q->keep_alive};

    if (reply.status != 200 && reply.status != 304)
        return reply_words(c, &reply, q->head_only);
    if (reply.status == 304 || q->head_only)
        return send_head(c, &reply, 0);
    if (c->content.text)
        return reply_listing(c, &reply);
    return reply_file(c, &reply);
}

/* 0, or -errno: no reply could be given, or not all of it. */
static int
connection_answer(struct connection *c)
{
    const struct http_request *q = &c->reader.request;
    int err = 0;

    c->content =
        (struct content){.status = q->status, .modified = -1, .fd = -1};
    if (q->status == 0 && c->delay_ns)
        err = pons_sleep(c->delay_ns);
    if (q->status == 0 && err == 0)
        err = pons_blocking(job_open, c, NULL);
    if (err == -EBUSY || err == -EAGAIN || err == -ETIME) {
        c->content.status = 503;
        err = 0;
    }
    if (err == 0)
        err = connection_reply(c);
    if (c->content.fd >= 0 && pons_blocking(job_close, c, NULL) < 0)
        job_close(c);
    content_close(&c->content); // its text
    return err;
}

struct connection *
connection_new(struct pons_stream *stream, int root, uint64_t delay_ns)
{
    struct connection *c = malloc(sizeof *c); // large, and most of it unused
    int on = 1;

    if (!c) {
        pons_stream_close(stream);
        return NULL;
    }
    /* A head and a listing are two sends: the second must not wait for the
     * client's acknowledgement. Without it replies are only slower. */
    (void)setsockopt(pons_stream_fd(stream), IPPROTO_TCP, TCP_NODELAY, &on,
                     sizeof on);
    c->stream = stream;
    c->root = root;
    c->delay_ns = delay_ns;
    http_reader_init(&c->reader, stream);
    return c;
}

void
connection_free(struct connection *c)
{
    pons_stream_close(c->stream);
    free(c);
}

int64_t
connection_serve(void *connection)
{
    struct connection *c = connection;
    int last = 0;

    while (!last && http_read(&c->reader) > 0) {
        struct pons_mask mask;
        int err;

        pons_mask_open(&mask, GRACE_SECONDS * PONS_S);
        err = connection_answer(c);
        last = err < 0 || !c->reader.request.keep_alive;
        if (last && err == 0)
            http_linger(&c->reader);
        pons_mask_close(&mask);
    }
    connection_free(c);
    return 0;
}
