#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
tests/bench_load_test.py - bench/load.c by bench/echo, against servers that are
slow once, or wrong.

    bench_load_test.py ECHO [TEST...]
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

ECHO = ""
LIMIT = 60  # seconds; nothing takes that long unless it hangs

# What it does before it says its port, and with a message; `seen` is how many
# came before that. It ends with its stdin, as bench/server.h says.
SERVER = """#!%s
import os, select, socket, sys, threading, time
listener = socket.create_server(("127.0.0.1", 0), backlog=100)
%s
print(listener.getsockname()[1], flush=True)
epoll = select.epoll()
epoll.register(listener, select.EPOLLIN)
epoll.register(0, select.EPOLLIN | select.EPOLLHUP)
conns = {}
seen = 0
while True:
    for fd, _ in epoll.poll():
        if fd == 0:
            sys.exit(0)
        if fd == listener.fileno():
            conn = listener.accept()[0]
            conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            conns[conn.fileno()] = conn
            epoll.register(conn, select.EPOLLIN)
            continue
        try:
            message = conns[fd].recv(65536)
        except ConnectionResetError:
            message = b""
        if not message:
            epoll.unregister(fd)
            conns.pop(fd).close()
            continue
        %s
        conns[fd].sendall(message)
        seen += 1
"""


def server(message="pass", start=""):
    return SERVER % (sys.executable, start, message)


class Load(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="pons bench ")
        self.addCleanup(shutil.rmtree, self.dir)

    def echo(self, case, program, *words, status=0):
        """The figures by metric, or the line that says why there are none."""
        path = os.path.join(self.dir, "server")
        with open(path, "w", encoding="utf-8") as f:
            f.write(program)
        os.chmod(path, 0o755)
        done = subprocess.run(
            [ECHO, "--case", case, "--repeat", "1", "--subject", "slow",
             "--server", path, *words], capture_output=True, text=True,
            timeout=LIMIT, stdin=subprocess.DEVNULL, check=False)
        self.assertEqual(done.returncode, status, done)
        if status:
            return done.stderr
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        return {line.get("metric"): line for line in lines}

    def test_an_open_loop_counts_from_when_a_message_was_due(self):
        """A stall of 0.2 s keeps 50 messages waiting in their sockets, but 4000
        of the 10,000 are due meanwhile: more than a tenth of all are late by
        more than half of it."""
        figures = self.echo("50 conn 64 B open", server(
            "seen == 2000 and time.sleep(0.2)"))
        self.assertEqual(figures["ops"]["values"], [10000])
        self.assertGreaterEqual(figures["p90"]["values"][0], 100e6)

    def test_a_rate_is_that_of_an_open_loop(self):
        """The last of 500 is due after 499 of 2 ms each."""
        figures = self.echo("50 conn 64 B open", server(), "--quick",
                            "--rate", "500")
        self.assertEqual(figures["ops"]["values"], [500])
        self.assertGreaterEqual(figures["wall"]["values"][0],
                                2e6 * 499 / 500)

    def test_calls_are_those_of_the_server(self):
        """A recv and a send for each message, and three that it adds."""
        figures = self.echo("50 conn 64 B", server(
            "[os.getppid() for _ in range(3)]"), "--quick", "--count", "calls")
        if None in figures:
            self.skipTest(figures[None]["skipped"])
        calls = figures["server calls"]["values"][0]
        self.assertGreaterEqual(calls, 5)
        self.assertLess(calls, 5 + 3)  # epoll_wait at most, and less often

    def test_user_time_is_a_part_of_all(self):
        """This server is an interpreter, so a part that can be seen."""
        figures = self.echo("50 conn 64 B", server(
            "[i for i in range(500)]"), "--quick", "--count", "user")
        if None in figures:
            self.skipTest(figures[None]["skipped"])
        cpu, user, system = (figures["server " + n]["values"][0]
                             for n in ("cpu", "user", "system"))
        self.assertGreater(user, 0)
        self.assertGreater(system, 0)
        self.assertAlmostEqual((user + system) / cpu, 1, places=3)

    def test_what_cannot_be_counted_is_no_word(self):
        done = subprocess.run(
            [ECHO, "--subject", "s", "--count", "sheep"], capture_output=True,
            text=True, timeout=LIMIT, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("--count calls|user", done.stderr)

    def test_an_answer_that_is_not_the_message_fails(self):
        for wrong in ("message = message[:-1] + b'?'",  # another byte
                      "message = message * 2",          # twice
                      "message = b'?' * len(message) if seen == 60 else "
                      "message"):                       # once, in the middle
            said = self.echo("50 conn 64 B", server(wrong), status=1)
            self.assertIn("comparing what the server sent", said, wrong)

    def test_switches_of_threads_that_have_ended_make_no_figure(self):
        """5000 of a thread that ends once the load has begun: the others have
        fewer."""
        figures = self.echo("50 conn 64 B", server(start="""
begun, end = threading.Event(), threading.Event()
def switch():
    for _ in range(5000):
        time.sleep(1e-6)
    begun.set()
    end.wait()
thread = threading.Thread(target=switch)
thread.start()
begun.wait()""", message="seen == 100 and (end.set(), thread.join())"), "--quick")
        self.assertNotIn("server switches", figures)

    def test_a_server_that_cannot_run_is_skipped_with_its_reason(self):
        figures = self.echo("1 conn 64 B",
                            "#!/bin/sh\necho no such engine here\nexit 77\n")
        self.assertEqual(figures[None]["skipped"], "no such engine here")


if __name__ == "__main__":
    if len(sys.argv) < 2 or not os.access(sys.argv[1], os.X_OK):
        sys.exit("usage: bench_load_test.py ECHO [TEST...]")
    ECHO = os.path.abspath(sys.argv[1])
    unittest.main(argv=sys.argv[:1] + sys.argv[2:], verbosity=2)
