/* SPDX-License-Identifier: MIT */
/*
 * cli/http.c - HTTP/1.1 as a server of files speaks it.
 *
 * Requests are parsed one at a time, whatever came with them: the parser pauses
 * at the end of each, and the rest of the buffer waits until the reply has
 * gone. So pipelined requests are answered in order.
 *
 * A body means nothing here. A request that has one is answered and then the
 * connection ends, so nothing in a body is ever taken for a request.
 */

#include "http.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "pons/time.h"

enum {
    LINGER_MS = 1000,           // for the client to see the end and close
    LINGER_BYTES = 1024 * 1024, // that are read and thrown away meanwhile
};

static const char date_format[] = "%a, %d %b %Y %H:%M:%S GMT";

static struct http_reader *
reader_of(http_parser *p)
{
    return p->data;
}

static int
on_message_begin(http_parser *p)
{
    struct http_reader *r = reader_of(p);

    r->request = (struct http_request){.modified_since = -1};
    r->hosts = 0;
    r->in_value = 0;
    r->field[0] = r->value[0] = '\0';
    return 0;
}

static int
on_url(http_parser *p, const char *at, size_t length)
{
    struct http_request *q = &reader_of(p)->request;

    if (q->target_size + length > HTTP_TARGET) {
        q->status = 414;
        return -1;
    }
    memcpy(q->target + q->target_size, at, length);
    q->target_size += length;
    q->target[q->target_size] = '\0';
    return 0;
}

/* Appends what fits. */
static void
append(char text[HTTP_FIELD], const char *at, size_t length)
{
    size_t used = strlen(text);

    if (length > HTTP_FIELD - 1 - used)
        length = HTTP_FIELD - 1 - used;
    memcpy(text + used, at, length);
    text[used + length] = '\0';
}

/* A field and its value are complete. */
static void
field_end(struct http_reader *r)
{
    struct tm tm = {0};

    if (strcasecmp(r->field, "host") == 0)
        r->hosts++;
    if (strcasecmp(r->field, "if-modified-since") == 0 &&
        strptime(r->value, date_format, &tm))
        r->request.modified_since = timegm(&tm);
    r->field[0] = r->value[0] = '\0';
    r->in_value = 0;
}

static int
on_header_field(http_parser *p, const char *at, size_t length)
{
    struct http_reader *r = reader_of(p);

    if (r->in_value)
        field_end(r);
    append(r->field, at, length);
    return 0;
}

static int
on_header_value(http_parser *p, const char *at, size_t length)
{
    struct http_reader *r = reader_of(p);

    r->in_value = 1;
    append(r->value, at, length);
    return 0;
}

/* `GET http://host/path` is allowed, and so is a path alone. */
static int
request_find_path(struct http_request *q)
{
    struct http_parser_url url;

    q->path = q->target;
    q->path_size = q->target_size;
    if (q->target[0] == '/')
        return 0;
    http_parser_url_init(&url);
    if (http_parser_parse_url(q->target, q->target_size, 0, &url) != 0 ||
        !(url.field_set & (1u << UF_SCHEMA)))
        return -EINVAL;
    q->path = "/";
    q->path_size = 1;
    if (url.field_set & (1u << UF_PATH)) {
        q->path = q->target + url.field_data[UF_PATH].off;
        q->path_size = url.field_data[UF_PATH].len;
    }
    return 0;
}

static int
request_status(const http_parser *p, struct http_reader *r)
{
    if (p->http_major != 1)
        return 505;
    if (p->method != HTTP_GET && p->method != HTTP_HEAD)
        return 405;
    if (r->hosts > 1 || (r->hosts == 0 && p->http_minor > 0))
        return 400;
    if (request_find_path(&r->request) < 0)
        return 400;
    return 0;
}

static int
on_headers_complete(http_parser *p)
{
    struct http_reader *r = reader_of(p);
    struct http_request *q = &r->request;
    int has_body = (p->flags & F_CHUNKED) ||
                   (p->content_length > 0 && p->content_length != UINT64_MAX);

    if (r->in_value)
        field_end(r);
    q->status = request_status(p, r);
    q->head_only = p->method == HTTP_HEAD;
    q->keep_alive = http_should_keep_alive(p) && !has_body &&
                    (q->status == 0 || q->status == 405);
    p->upgrade = 0;  // an offer, and we decline
    return has_body; // 1: the parser does not wait for it
}

static int
on_message_complete(http_parser *p)
{
    reader_of(p)->state = HTTP_RECEIVED;
    http_parser_pause(p, 1);
    return 0;
}

static const http_parser_settings parser_settings = {
    .on_message_begin = on_message_begin,
    .on_url = on_url,
    .on_header_field = on_header_field,
    .on_header_value = on_header_value,
    .on_headers_complete = on_headers_complete,
    .on_message_complete = on_message_complete,
};

/* The parser cannot go on: the request is an error, and the last. */
static void
reader_fail(struct http_reader *r)
{
    struct http_request *q = &r->request;

    if (HTTP_PARSER_ERRNO(&r->parser) == HPE_HEADER_OVERFLOW)
        q->status = 431;
    else if (q->status == 0)
        q->status = 400;
    q->keep_alive = 0;
    r->state = HTTP_RECEIVED;
}

static void
reader_parse(struct http_reader *r)
{
    r->begin += http_parser_execute(&r->parser, &parser_settings,
                                    r->buffer + r->begin, r->end - r->begin);
    if (HTTP_PARSER_ERRNO(&r->parser) == HPE_PAUSED)
        http_parser_pause(&r->parser, 0);
    else if (HTTP_PARSER_ERRNO(&r->parser) != HPE_OK)
        reader_fail(r);
}

/* As pons_recv(), with a deadline. */
static int64_t
reader_receive(struct http_reader *r, uint64_t deadline_ns)
{
    struct pons_timeout timeout;
    struct pons_recv recv;

    pons_recv_init(&recv, r->stream, r->buffer, sizeof r->buffer);
    pons_timeout_init(&timeout, deadline_ns, &recv.base);
    return pons_await(&timeout.base);
}

static void
limit_heads(void)
{
    http_parser_set_max_header_size(HTTP_HEAD_MAX);
}

void
http_reader_init(struct http_reader *r, struct pons_stream *s)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, limit_heads);
    r->stream = s;
    r->state = HTTP_BETWEEN;
    r->begin = r->end = 0;
    http_parser_init(&r->parser, HTTP_REQUEST);
    r->parser.data = r;
    on_message_begin(&r->parser); // a first byte may be wrong already
}

int
http_read(struct http_reader *r)
{
    uint64_t deadline_ns = pons_after_ms(HTTP_IDLE_SECONDS * 1000);

    r->state = HTTP_BETWEEN;
    for (;;) {
        int64_t n;

        if (r->begin < r->end) {
            if (r->state == HTTP_BETWEEN) {
                r->state = HTTP_RECEIVING;
                deadline_ns = pons_after_ms(HTTP_REQUEST_SECONDS * 1000);
            }
            reader_parse(r);
        }
        if (r->state == HTTP_RECEIVED)
            return 1;
        n = reader_receive(r, deadline_ns);
        if (n <= 0)
            return (int)n;
        r->begin = 0;
        r->end = (size_t)n;
    }
}

const char *
http_words(int status)
{
    switch (status) {
    case 200:
        return "OK";
    case 301:
        return "Moved Permanently";
    case 304:
        return "Not Modified";
    case 400:
        return "Bad Request";
    case 403:
        return "Forbidden";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 414:
        return "URI Too Long";
    case 431:
        return "Request Header Fields Too Large";
    case 503:
        return "Service Unavailable";
    case 505:
        return "HTTP Version Not Supported";
    default:
        return "Internal Server Error";
    }
}

/* Grows by snprintf(); what does not fit is an error of ours, and cut. */
struct text {
    char *out;
    size_t used, room;
};

__attribute__((format(printf, 2, 3))) static void
add(struct text *t, const char *format, ...)
{
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(t->out + t->used, t->room - t->used, format, args);
    va_end(args);
    if (n > 0 && (size_t)n < t->room - t->used)
        t->used += (size_t)n;
}

static void
add_date(struct text *t, const char *field, time_t when)
{
    struct tm tm;
    char text[40];

    if (gmtime_r(&when, &tm) &&
        strftime(text, sizeof text, date_format, &tm) > 0)
        add(t, "%s: %s\r\n", field, text);
}

size_t
http_head(char *out, const struct http_reply *reply)
{
    struct text t = {out, 0, HTTP_REPLY_HEAD};

    add(&t, "HTTP/1.1 %d %s\r\nServer: pons\r\n", reply->status,
        http_words(reply->status));
    add_date(&t, "Date", time(NULL));
    if (reply->modified >= 0)
        add_date(&t, "Last-Modified", reply->modified);
    if (reply->type)
        add(&t, "Content-Type: %s\r\nX-Content-Type-Options: nosniff\r\n",
            reply->type);
    if (reply->location)
        add(&t, "Location: %s\r\n", reply->location);
    if (reply->status == 405)
        add(&t, "Allow: GET, HEAD\r\n");
    if (reply->status != 304)
        add(&t, "Content-Length: %llu\r\n", (unsigned long long)reply->size);
    if (!reply->keep_alive)
        add(&t, "Connection: close\r\n");
    else
        add(&t, "Connection: keep-alive\r\n");
    add(&t, "\r\n");
    return t.used;
}

void
http_linger(struct http_reader *r)
{
    uint64_t deadline_ns = pons_after_ms(LINGER_MS);
    size_t bytes = 0;

    if (shutdown(pons_stream_fd(r->stream), SHUT_WR) < 0)
        return;
    while (bytes < LINGER_BYTES) {
        int64_t n = reader_receive(r, deadline_ns);

        if (n <= 0)
            return;
        bytes += (size_t)n;
    }
}
