#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
tests/commands_everywhere_test.py - `pons demo`, `pons fetch` and `pons serve`
over every reactor that is built, with 0, 1, 2 and 4 workers.

    commands_everywhere_test.py PONS [TEST...]

What each command can do is tests/command_test.py's; here is that an engine and
a number of workers change nothing.
"""

import concurrent.futures
import itertools
import json
import signal
import sys
import unittest
import urllib.request

import command_test as command

WORKERS = ("0", "1", "2", "4")
FILES = {"f%d" % i: bytes(range(256)) * (i * 12) for i in range(20)}

# The demo sleeps for most of its four seconds.
AT_ONCE = 4


def reactors():
    """What does I/O, is built, and works here: null only pretends."""
    told = command.pons("list", "--json",
                        PONS_PLUGIN_PATH_ADD=command.WRAPPERS)
    return sorted({e["name"] for e in json.loads(told.stdout)
                   if e["kind"] in ("reactor", "poller") and e["usable"]
                   and e["name"] != "null"})


def get(url):
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with direct.open(url, timeout=command.LIMIT) as reply:
        return reply.read()


class CommandsEverywhere(command.Test):
    def everywhere(self, body):
        places = [{"PONS_REACTOR": reactor, "PONS_WORKERS": workers,
                   "PONS_PLUGIN_PATH_ADD": command.WRAPPERS}
                  for reactor, workers in itertools.product(reactors(),
                                                            WORKERS)]
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as threads:
            running = [threads.submit(body, place) for place in places]
        for place, done in zip(places, running):
            with self.subTest(**place):
                done.result()

    def test_the_reactors_are_those_that_are_built(self):
        self.assertEqual(sorted(set(reactors()) & {"epoll", "poll", "libev",
                                                   "libuv"}),
                         sorted(["epoll", "poll", *command.wrappers()]))

    def test_the_demo(self):
        def demo(place):
            result = command.pons("demo", **place)
            self.assertEqual((result.returncode, result.stderr), (0, ""))
            self.assertIn("all 400 digests are right", result.stdout)
            self.assertIn("\nreactor %s " % place["PONS_REACTOR"],
                          result.stdout)
        self.everywhere(demo)

    def test_fetch(self):
        root = self.make("root")
        command.site(root, FILES)
        with command.Serve(root) as server:
            urls = {server.url(name): command.sha256(data)
                    for name, data in FILES.items()}

            def fetch(place):
                rows = self.fetch_rows(*urls, **place)
                self.assertEqual({url: row.get("sha256")
                                  for url, row in rows.items()}, urls)
            self.everywhere(fetch)

    def test_serve(self):
        root = self.make("root")
        command.site(root, FILES)

        def serve(place):
            with command.Serve(root, **place) as server:
                self.assertEqual(server.reactor, place["PONS_REACTOR"])
                for name, data in FILES.items():
                    self.assertEqual(get(server.url(name)), data)
                self.assertEqual(server.end(signal.SIGTERM)[0], 0)
        self.everywhere(serve)


if __name__ == "__main__":
    command.use(sys.argv.pop(1))
    unittest.main(verbosity=2)
