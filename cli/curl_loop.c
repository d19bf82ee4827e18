/* SPDX-License-Identifier: MIT */
/*
 * cli/curl_loop.c - libcurl's multi interface, driven by Pons.
 *
 * libcurl says through one callback what it waits for on which socket, and
 * through another when it wants to be called at the latest. The first becomes a
 * stream and a pons_ready_wait per socket (a watch), the second a pons_sleep;
 * when one of them ends, libcurl is told. It knows nothing of Pons.
 *
 * Two traps. libcurl closes a socket as soon as its callback for
 * CURL_POLL_REMOVE returns, so that callback must wait until no operation is in
 * flight on it: all of this runs in a fiber, where a callback may wait. And
 * libcurl changes its mind several times in one call, so watches are armed
 * between turns, not in callbacks.
 */

#include "curl_loop.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "pons/stream.h"
#include "pons/time.h"

struct watch {
    struct curl_loop *loop;
    struct any_member *member; // armed: `wait` is in course
    struct pons_stream *stream;
    struct pons_ready_wait wait;
    short wanted; // events that libcurl waits for
    short armed;  // events that `wait` waits for; 0: it is not armed
    enum { WATCH_SETTLED, WATCH_CHANGED } state;
    LIST_ENTRY(watch) link; // CHANGED: on loop->changed
};

struct curl_loop {
    CURLM *multi;
    struct any *any;
    LIST_HEAD(, watch) changed; // `wanted` and `armed` may differ
    struct any_member *timer;
    struct pons_sleep sleep;
    uint64_t deadline_ns; // when libcurl wants to be called; PONS_NEVER
    int broken;           // -errno: libcurl said that it cannot go on
};

static void
watch_change(struct watch *w)
{
    if (w->state == WATCH_CHANGED)
        return;
    w->state = WATCH_CHANGED;
    LIST_INSERT_HEAD(&w->loop->changed, w, link);
}

static void
watch_unchange(struct watch *w)
{
    if (w->state == WATCH_SETTLED)
        return;
    w->state = WATCH_SETTLED;
    LIST_REMOVE(w, link);
}

/* Makes what is armed what is wanted. */
static void
watch_settle(struct watch *w)
{
    watch_unchange(w);
    if (w->armed == w->wanted)
        return;
    any_disarm(w->member);
    w->armed = w->wanted;
    if (w->wanted == 0)
        return;
    pons_ready_wait_init(&w->wait, w->stream, w->wanted);
    any_arm(w->member, &w->wait.base);
}

/*
 * A hang-up or an error is told as what libcurl waits for: the read or write
 * that it then makes finds the true reason, which CURL_CSELECT_ERR would hide.
 */
static int
watch_bits(const struct watch *w)
{
    int64_t events = w->wait.base.result;
    int bits = 0;

    if (events < 0)
        return CURL_CSELECT_ERR;
    if (events & (POLLERR | POLLHUP | POLLNVAL))
        events |= w->wanted;
    if (events & POLLIN)
        bits |= CURL_CSELECT_IN;
    if (events & POLLOUT)
        bits |= CURL_CSELECT_OUT;
    return bits;
}

static void
loop_act(struct curl_loop *loop, curl_socket_t fd, int bits)
{
    int running;

    if (curl_multi_socket_action(loop->multi, fd, bits, &running) != CURLM_OK)
        loop->broken = -EIO;
}

static void
watch_ended(void *arg)
{
    struct watch *w = arg;
    int bits = watch_bits(w);

    w->armed = 0;
    watch_change(w);
    /* The last use of w: libcurl may be done with the socket in here. */
    loop_act(w->loop, pons_stream_fd(w->stream), bits);
}

static void
watch_free(struct watch *w)
{
    any_disarm(w->member);
    any_member_free(w->member);
    watch_unchange(w);
    if (w->stream && pons_stream_release(w->stream) < 0)
        w->loop->broken = -EIO; // the socket is libcurl's to close
    free(w);
}

static struct watch *
watch_new(struct curl_loop *loop, curl_socket_t fd)
{
    struct watch *w = calloc(1, sizeof *w);

    if (!w)
        return NULL;
    w->loop = loop;
    if (any_member_new(&w->member, loop->any, watch_ended, w) == 0 &&
        pons_stream_adopt(&w->stream, fd) == 0 &&
        curl_multi_assign(loop->multi, fd, w) == CURLM_OK)
        return w;
    watch_free(w);
    return NULL;
}

/* CURLMOPT_SOCKETFUNCTION. -1 makes libcurl give up. */
static int
loop_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *watch)
{
    struct curl_loop *loop = arg;
    struct watch *w = watch;

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (w)
            watch_free(w);
        return 0;
    }
    if (!w)
        w = watch_new(loop, fd);
    if (!w)
        return -1;
    w->wanted = 0;
    if (what & CURL_POLL_IN)
        w->wanted |= POLLIN;
    if (what & CURL_POLL_OUT)
        w->wanted |= POLLOUT;
    watch_change(w);
    return 0;
}

/* CURLMOPT_TIMERFUNCTION. libcurl must not be called from in here. */
static int
loop_timer(CURLM *multi, long timeout_ms, void *arg)
{
    struct curl_loop *loop = arg;

    (void)multi;
    loop->deadline_ns =
        timeout_ms < 0 ? PONS_NEVER : pons_after_ms((uint64_t)timeout_ms);
    return 0;
}

static void
timer_ended(void *arg)
{
    struct curl_loop *loop = arg;

    if (pons_now() < loop->deadline_ns)
        return; // it was set later meanwhile; timer_settle() sleeps on
    loop->deadline_ns = PONS_NEVER;
    loop_act(loop, CURL_SOCKET_TIMEOUT, 0);
}

/* A sleep that ends too early is let be: cheaper than to end it and begin anew,
 * and libcurl moves its deadline with nearly every packet. */
static void
timer_settle(struct curl_loop *loop)
{
    if (any_armed(loop->timer)) {
        if (loop->sleep.deadline_ns <= loop->deadline_ns)
            return;
        any_disarm(loop->timer);
    }
    if (loop->deadline_ns == PONS_NEVER)
        return;
    pons_sleep_init(&loop->sleep, loop->deadline_ns);
    any_arm(loop->timer, &loop->sleep.base);
}

static void
loop_settle(struct curl_loop *loop)
{
    struct watch *w;

    while ((w = LIST_FIRST(&loop->changed)))
        watch_settle(w);
    timer_settle(loop);
}

/* Calls back for the jobs that have ended; they may start others. */
static void
loop_reap(struct curl_loop *loop)
{
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(loop->multi, &left))) {
        struct curl_job *job = NULL;
        CURLcode code = message->data.result; // gone once it is removed
        CURL *easy = message->easy_handle;

        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&job);
        curl_multi_remove_handle(loop->multi, easy);
        job->done(job->arg, code);
    }
}

static int
loop_setup(struct curl_loop *loop, unsigned connections)
{
    CURLM *m = loop->multi;

    return curl_multi_setopt(m, CURLMOPT_SOCKETFUNCTION, loop_socket) ||
                   curl_multi_setopt(m, CURLMOPT_SOCKETDATA, loop) ||
                   curl_multi_setopt(m, CURLMOPT_TIMERFUNCTION, loop_timer) ||
                   curl_multi_setopt(m, CURLMOPT_TIMERDATA, loop) ||
                   curl_multi_setopt(m, CURLMOPT_MAXCONNECTS, (long)connections)
               ? -ENOMEM
               : 0;
}

int
curl_loop_new(struct curl_loop **out, struct any *any, unsigned connections)
{
    struct curl_loop *loop = calloc(1, sizeof *loop);
    int err = -ENOMEM;

    if (!loop)
        return -ENOMEM;
    LIST_INIT(&loop->changed);
    loop->any = any;
    loop->deadline_ns = PONS_NEVER;
    loop->multi = curl_multi_init();
    if (loop->multi)
        err = any_member_new(&loop->timer, any, timer_ended, loop);
    if (err == 0)
        err = loop_setup(loop, connections);
    if (err < 0)
        curl_loop_free(loop);
    else
        *out = loop;
    return err;
}

void
curl_loop_free(struct curl_loop *loop)
{
    if (!loop)
        return;
    if (loop->timer)
        any_disarm(loop->timer);
    /* May call loop_socket() for connections that were kept. */
    curl_multi_cleanup(loop->multi);
    any_member_free(loop->timer);
    free(loop);
}

int
curl_loop_start(struct curl_loop *loop, struct curl_job *job)
{
    if (curl_easy_setopt(job->easy, CURLOPT_PRIVATE, job) != CURLE_OK ||
        curl_multi_add_handle(loop->multi, job->easy) != CURLM_OK)
        return -ENOMEM;
    return 0;
}

void
curl_loop_stop(struct curl_loop *loop, struct curl_job *job)
{
    curl_multi_remove_handle(loop->multi, job->easy);
}

int
curl_loop_turn(struct curl_loop *loop)
{
    int err;

    loop_settle(loop);
    err = any_turn(loop->any);
    loop_reap(loop);
    return loop->broken ? loop->broken : err;
}
