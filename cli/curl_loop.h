/* SPDX-License-Identifier: MIT */
#ifndef CLI_CURL_LOOP_H
#define CLI_CURL_LOOP_H

/*
 * cli/curl_loop.h - libcurl's multi interface, driven by Pons.
 *
 *     curl_loop_new(&loop, any, 64);
 *     err = curl_loop_start(loop, &job);
 *     while (running)
 *         err = curl_loop_turn(loop);      // calls body_arrived(me, code)
 *
 * The caller sets the easy handle up as for curl_easy_perform(), and leaves
 * CURLOPT_PRIVATE to the loop.
 *
 * Ownership   Jobs and easy handles are borrowed from start until their
 * callback begins or curl_loop_stop(). Threads     One fiber: libcurl is not to
 * be entered twice. The fiber may have other members in `any`; their callbacks
 * may use the loop.
 */

#include <curl/curl.h>

#include "any.h"

struct curl_loop;

typedef void curl_done_f(void *arg, CURLcode code);

struct curl_job {
    CURL *easy;
    curl_done_f *done;
    void *arg;
};

/* 0 or -ENOMEM. At most `connections` are kept open for the next job. */
int curl_loop_new(struct curl_loop **out, struct any *any,
                  unsigned connections);

/* No job is started. NULL is allowed and does nothing. */
void curl_loop_free(struct curl_loop *loop);

/* 0 or -ENOMEM. */
int curl_loop_start(struct curl_loop *loop, struct curl_job *job);

/* Gives the job up; its callback is not called. */
void curl_loop_stop(struct curl_loop *loop, struct curl_job *job);

/* One turn of `any`, for libcurl and all others. 0, or -ECANCELED; or -EIO when
 * libcurl can go no further. */
PONS_MUST_USE int curl_loop_turn(struct curl_loop *loop);

#endif /* CLI_CURL_LOOP_H */
