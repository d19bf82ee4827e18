#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
tests/command_test.py - the pons command, from outside.

    command_test.py PONS [TEST...]

PONS is the binary; shared plugins stand in `plugins` beside it, those that are
not built in in `wrappers`. Whatever waits
has a time limit, which only a hang can reach; nothing is ordered by sleeping.
Real clients (curl, wrk) and a real server (python3 -m http.server) are used
where there are such; what is missing is skipped aloud.
"""

import ctypes
import hashlib
import html
import json
import os
import re
import resource
import shlex
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.parse

PONS = ""
PLUGINS = ""
WRAPPERS = ""
HERE = os.path.dirname(os.path.abspath(__file__))
LIMIT = 60  # seconds; nothing takes that long unless it hangs


def use(path):
    global PONS, PLUGINS, WRAPPERS
    PONS = os.path.abspath(path)
    PLUGINS = os.path.join(os.path.dirname(PONS), "plugins")
    WRAPPERS = os.path.join(os.path.dirname(PONS), "wrappers")


def environment(**settings):
    """The environment without settings of Pons and without proxies."""
    env = {k: v for k, v in os.environ.items()
           if not k.startswith("PONS_") and not k.lower().endswith("_proxy")}
    env.update(settings)
    return env


def pons(*words, before=None, **settings):
    return subprocess.run([PONS, *words], env=environment(**settings),
                          stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=LIMIT, preexec_fn=before)


def wrappers():
    """The reactors that are not built in, where their libraries were there."""
    return [n for n in ("libev", "libuv")
            if os.path.exists(os.path.join(WRAPPERS, n + ".so"))]


def sha256(data):
    return hashlib.sha256(data).hexdigest()


class Process:
    """A program that prints a first line when it is ready."""

    def __init__(self, *words, before=None, **settings):
        self.process = subprocess.Popen(
            words, env=environment(**settings), stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            preexec_fn=before)
        self.timer = threading.Timer(LIMIT, self.process.kill)
        self.timer.daemon = True
        self.timer.start()
        self.first = self.process.stdout.readline()
        if not self.first:
            raise AssertionError("it did not start: " +
                                 self.process.stderr.read())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()
        self.timer.cancel()

    def line(self):
        return self.process.stdout.readline().rstrip("\n")

    def end(self, how=None):
        """Ends it by a signal, or by closing its input; the rest it said."""
        if how is not None:
            self.process.send_signal(how)
        out, err = self.process.communicate(timeout=LIMIT)
        self.timer.cancel()
        return self.process.returncode, out, err


class BadServer(Process):
    def __init__(self, peers=1, certificate=None):
        super().__init__(sys.executable, os.path.join(HERE, "bad_server.py"),
                         str(peers), *([certificate] if certificate else []))
        self.port = int(self.first)
        self.scheme = "https" if certificate else "http"

    def url(self, path):
        return "%s://127.0.0.1:%d%s" % (self.scheme, self.port, path)

    @staticmethod
    def body(name):
        return (name.encode() + b"\n") * 1000


class Serve(Process):
    def __init__(self, root, *options, before=None, **settings):
        super().__init__(PONS, "serve", root, "-p", "0", *options,
                         before=before, **settings)
        found = re.fullmatch(r"serving (.*) on http://(.*):(\d+) "
                             r"\(reactor (\w+), pool (\w+)\)\n", self.first)
        if not found:
            raise AssertionError("unexpected: " + self.first)
        self.root, self.host = found[1], found[2]
        self.port = int(found[3])
        self.reactor, self.pool = found[4], found[5]

    def url(self, path=""):
        return "http://127.0.0.1:%d/%s" % (self.port, path)

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), LIMIT)

    def say(self, data):
        """Sends bytes and returns all that comes until the server closes."""
        with self.connect() as s:
            s.sendall(data)
            return read_all(s)

    def get(self, target, *fields, method="GET"):
        """One request, status and body."""
        head = "%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" % (
            method, target)
        head += "".join(f + "\r\n" for f in fields) + "\r\n"
        return split_reply(self.say(head.encode("latin-1")))


def read_all(s):
    pieces = []
    while piece := s.recv(65536):
        pieces.append(piece)
    return b"".join(pieces)


def split_reply(data):
    """(status, fields, body) of a reply that ends with the connection."""
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    fields = dict(f.lower().split(": ", 1) for f in lines[1:] if ": " in f)
    status = int(lines[0].split(" ")[1]) if " " in lines[0] else 0
    return status, fields, body


def read_replies(s, count):
    """So many replies with Content-Length from one connection."""
    data, replies = b"", []
    while len(replies) < count:
        while b"\r\n\r\n" not in data:
            more = s.recv(65536)
            if not more:
                raise AssertionError("closed after %d" % len(replies))
            data += more
        status, fields, data = split_reply(data)
        size = int(fields.get("content-length", "0"))
        while len(data) < size:
            more = s.recv(65536)
            if not more:
                raise AssertionError("closed inside of a body")
            data += more
        replies.append((status, data[:size]))
        data = data[size:]
    return replies


def site(root, files):
    for name, data in files.items():
        path = os.path.join(root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(data)


def without_openat2():
    """Before exec: openat2(2) answers ENOSYS, as on Linux before 5.6."""
    libc = ctypes.CDLL(None, use_errno=True)
    openat2 = 437
    code = struct.pack("HBBI" * 4,
                       0x20, 0, 0, 0,              # load the call's number
                       0x15, 0, 1, openat2,        # is it that one?
                       0x06, 0, 0, 0x00050000 | 38,  # ENOSYS
                       0x06, 0, 0, 0x7fff0000)     # else allow
    program = ctypes.create_string_buffer(code)

    class Filter(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("code", ctypes.c_void_p)]

    f = Filter(4, ctypes.cast(program, ctypes.c_void_p))
    if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, ctypes.byref(f), 0, 0):
        os._exit(99)


class Test(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="pons-test-")
        self.addCleanup(shutil.rmtree, self.dir, ignore_errors=True)

    def path(self, *names):
        return os.path.join(self.dir, *names)

    def make(self, *names):
        path = self.path(*names)
        os.makedirs(path)
        return path

    def refused(self, result, *parts):
        """Exit status 2, one sentence with all the parts, no output."""
        self.assertEqual(result.returncode, 2, result)
        self.assertTrue(result.stderr.startswith("pons: "), result.stderr)
        self.assertEqual(result.stdout, "")
        for part in parts:
            self.assertIn(part, result.stderr)

    def fetch_rows(self, *words, status=0, before=None, **settings):
        result = pons("fetch", "--json", *words, before=before, **settings)
        self.assertEqual(result.returncode, status, result)
        return {row["url"]: row for row in json.loads(result.stdout)}


class Words(Test):
    def test_no_command_is_wrong_usage(self):
        result = pons()
        self.assertEqual(result.returncode, 2)
        self.assertIn("usage: pons", result.stderr)
        self.assertEqual(result.stdout, "")

    def test_unknown_command_names_the_nearest(self):
        self.refused(pons("fech"), '"fech"', 'did you mean "fetch"?')
        self.refused(pons("help", "srve"), '"srve"', 'did you mean "serve"?')
        self.refused(pons("--versoin"), '"--versoin"')

    def test_unknown_option_names_the_nearest(self):
        self.refused(pons("fetch", "--jbs", "3", "http://x/"), '"--jbs"',
                     'did you mean "--jobs"?')
        self.refused(pons("list", "--jsn"), '"--jsn"',
                     'did you mean "--json"?')
        self.refused(pons("serve", "--dealy=3s", "."), '"--dealy"',
                     'did you mean "--delay"?')
        self.refused(pons("demo", "-x"), '"-x"')

    def test_a_wrong_value_names_option_value_and_what_is_allowed(self):
        for words, parts in (
                (["fetch", "-j", "0", "x"], ["--jobs", '"0"', "1 to 1000"]),
                (["fetch", "-j1001", "x"], ["--jobs", '"1001"']),
                (["fetch", "--jobs=-1", "x"], ["--jobs", '"-1"']),
                (["fetch", "--jobs=3x", "x"], ["--jobs", '"3x"']),
                (["fetch", "-t", "5", "x"], ["--timeout", '"5"', "unit"]),
                (["fetch", "-t", "48h", "x"], ["--timeout", '"48h"', "24h"]),
                (["fetch", "-t", "-1s", "x"], ["--timeout", '"-1s"']),
                (["fetch", "x", "-j"], ["--jobs", "N"]),
                (["fetch", "--json=yes", "x"], ["--json"]),
                (["fetch", "-o", "", "x"], ["--output"]),
                (["serve", "-p", "65536", "."], ["--port", '"65536"']),
                (["serve", "-d", "20", "."], ["--delay", '"20"', "unit"])):
            with self.subTest(words=words):
                self.refused(pons(*words), *parts)

    def test_too_few_and_too_many_operands_are_refused(self):
        self.refused(pons("fetch"), "URL")
        self.refused(pons("serve"), "DIR")
        self.refused(pons("serve", "a", "b"), '"b"')
        self.refused(pons("explain", "it"), '"it"')
        self.refused(pons("list", "epoll", "poll"), '"poll"')

    def test_help_and_version(self):
        for words in (["--help"], ["-h"], ["help"]):
            result = pons(*words)
            self.assertEqual((result.returncode, result.stderr), (0, ""))
            for name in ("fetch", "serve", "demo", "list", "explain",
                         "conform"):
                self.assertIn("\n  %s " % name, result.stdout)
        result = pons("--version")
        self.assertEqual(result.returncode, 0)
        self.assertRegex(result.stdout, r"^pons \d+\.\d+\.\d+ ")

    def test_each_command_has_help_both_ways(self):
        for name in ("fetch", "serve", "demo", "list", "explain",
                     "conform"):
            one, two = pons("help", name), pons(name, "--help")
            self.assertEqual((one.returncode, one.stderr), (0, ""))
            self.assertEqual(one.stdout, two.stdout)
            self.assertIn("usage: pons %s" % name, one.stdout)
            for line in one.stdout.splitlines():
                self.assertLessEqual(len(line), 80, line)

    def output_to(self, path, before=None, *words):
        with open(path, "w") as out:
            return subprocess.run([PONS, *(words or ["list"])], env=environment(),
                                  stdout=out, stderr=subprocess.PIPE,
                                  text=True, timeout=LIMIT, preexec_fn=before)

    def test_output_that_cannot_be_written_is_a_failure(self):
        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))

        for words in (["list"], ["list", "--json"], ["explain"]):
            full = self.output_to("/dev/full", None, *words)
            self.assertEqual(full.returncode, 1)
            self.assertIn("No space left", full.stderr)
        large = self.output_to(self.path("out"), limit)
        self.assertEqual(large.returncode, 1)
        self.assertIn("File too large", large.stderr)


class Settings(Test):
    def test_each_misuse_names_variable_word_and_way_out(self):
        for setting, value, *parts in (
                ("PONS_REACTOR", "epol", '"epol"', '"epoll"'),
                ("PONS_REACTOR", "epoll,pol", '"pol"', '"poll"'),
                ("PONS_REACTOR", "epoll:evnts=5", "evnts", "events"),
                ("PONS_REACTOR", "epoll:events=0", "events", "0", "1 to"),
                ("PONS_REACTOR", "epoll:events=many", "events", "many"),
                ("PONS_REACTOR", "epoll:events=5:events=6", "events"),
                ("PONS_REACTOR", "epoll:events", "events"),
                ("PONS_REACTOR", "epoll,,poll", "empty"),
                ("PONS_REACTOR", "libuv", "libuv: not installed",
                 "there is no libuv.so", "libuv1-dev", "use epoll or auto"),
                ("PONS_REACTOR", "urnig,epoll", '"urnig"',
                 'did you mean "uring"?'),
                ("PONS_PLUGINS_DISABLE", "epol_*", '"epol_*"', '"epoll"'),
                ("PONS_REACTOR", "epoll:events=[5", "]"),
                ("PONS_REACTOR", "elastic", "elastic"),
                ("PONS_REACTOR", "../epoll", "../epoll"),
                ("PONS_POOL", "elastc", '"elastc"', '"elastic"'),
                ("PONS_POOL", "elastic:keepalive=5", "keepalive=5", "unit"),
                ("PONS_POOL", "elastic:max=0", "max=0", "1 to"),
                ("PONS_WORKERS", "two", '"two"'),
                ("PONS_WORKERS", "65", '"65"', "64"),
                ("PONS_WORKERS", "-1", '"-1"'),
                ("PONS_STALL", "10", '"10"', "unit"),
                ("PONS_STALL", "10ms", '"10ms"', "wanted off", "unset it",
                 "pons_dump() shows where each was born"),
                ("PONS_LOG", "loud", '"loud"'),
                ("PONS_LOG", "xyzzy=debug", "the parts are"),
                ("PONS_FILES", "urnig", "no engine for files", '"urnig"',
                 'did you mean "uring"?'),
                ("PONS_FILES", "poll", "poll", "when a descriptor is ready",
                 "wanted", "such as uring, or pool"),
                ("PONS_FILES", "epoll", "epoll", "PONS_REACTOR_FILES",
                 "such as uring, or pool"),
                ("PONS_FILES", "null", "null", "PONS_CONTROL_POLLABLE_FD",
                 "such as uring, or pool"),
                ("PONS_FILES", "elastic", '"elastic"', "epoll", "pool, auto"),
                ("PONS_FILES", "pool:max=4", "pool takes no options"),
                ("PONS_FILES", "auto,pool", "auto stands alone"),
                ("PONS_PLUGIN_PATH", "here", "here", "absolute"),
                ("PONS_PLUGIN_PATH", "/nowhere/at/all", "/nowhere/at/all"),
                ("PONS_CONFIG", "/nowhere.conf", "/nowhere.conf"),
                ("PONS_CONFIG", "pons.conf", "absolute", "/etc/pons.conf"),
                ("PONS_REACTR", "epoll", "PONS_REACTR",
                 "mean PONS_REACTOR?"),
                ("PONS_WORKERS", "", "empty")):
            with self.subTest(setting=setting, value=value):
                self.refused(pons("explain", **{setting: value}), setting,
                             *parts)

    def test_a_wrong_line_of_a_file_is_named(self):
        conf = self.path("pons.conf")
        for text, *parts in (
                ("# fine\nreactor = epol\n", ":2", '"epol"', '"epoll"'),
                ("workers = 2\n\nworkes = 2\n", ":3", '"workes"',
                 '"workers"'),
                ("workers 2\n", ":1")):
            with self.subTest(text=text):
                with open(conf, "w") as f:
                    f.write(text)
                self.refused(pons("explain", PONS_CONFIG=conf), conf, *parts)

    def test_every_command_refuses_wrong_settings(self):
        root = self.make("root")
        for words in (["fetch", "http://127.0.0.1:1/"], ["serve", root],
                      ["demo"], ["explain"]):
            with self.subTest(words=words):
                self.refused(pons(*words, PONS_REACTOR="epol"),
                             "PONS_REACTOR", '"epol"', '"epoll"')
        for words in (["list"], ["demo"]):
            with self.subTest(words=words):
                self.refused(pons(*words, PONS_WORKER="1"), "PONS_WORKER",
                             'mean PONS_WORKERS?')

    def test_what_transfers_bytes_refuses_the_reactor_that_does_not(self):
        root = self.make("root")
        conf = self.path("pons.conf")
        with open(conf, "w") as f:
            f.write("reactor = null\n")
        for words in (["fetch", "http://127.0.0.1:1/"], ["serve", root],
                      ["demo"]):
            with self.subTest(words=words):
                self.refused(pons(*words, PONS_REACTOR="null"),
                             "PONS_REACTOR: ", "null does no I/O", "epoll")
                self.refused(pons(*words, PONS_CONFIG=conf), conf + ":1",
                             "null does no I/O")
        self.assertEqual(pons("explain", PONS_REACTOR="null").returncode, 0)

    def test_a_disabled_engine_is_named_once(self):
        result = pons("explain", PONS_REACTOR="epoll",
                      PONS_PLUGINS_DISABLE="epoll")
        self.refused(result, "epoll: not usable here: disabled by")
        self.assertNotIn("epoll: epoll", result.stderr)

    def test_an_engine_that_is_not_installed_is_passed_over(self):
        result = pons("explain", PONS_REACTOR="libuv,epoll")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertRegex(result.stdout, r"(?m)^  libuv: not installed: ")
        self.assertRegex(result.stdout, r"(?m)^reactor epoll ")
        told = json.loads(pons("explain", "--json",
                               PONS_REACTOR="libuv,epoll").stdout)
        self.assertEqual([(c["name"], c["verdict"])
                          for c in told["reactor"]["candidates"]],
                         [("libuv", "not usable"), ("epoll", "chosen")])

    def test_explain_names_choice_and_origin_of_each_setting(self):
        conf = self.path("pons.conf")
        with open(conf, "w") as f:
            f.write("workers = 3\n")
        result = pons("explain", "--json", PONS_REACTOR="poll,epoll",
                      PONS_POOL="fixed", PONS_CONFIG=conf)
        self.assertEqual(result.returncode, 0, result)
        told = json.loads(result.stdout)
        self.assertEqual(told["reactor"]["name"], "poll")
        self.assertEqual(told["pool"]["name"], "fixed")
        self.assertEqual([(c["name"], c["verdict"])
                          for c in told["reactor"]["candidates"]][:2],
                         [("poll", "chosen"), ("epoll", "not tried")])
        settings = told["settings"]
        self.assertEqual(settings["PONS_WORKERS"]["value"], "3")
        self.assertIn(conf, settings["PONS_WORKERS"]["origin"])
        self.assertIn("PONS_REACTOR", settings["PONS_REACTOR"]["origin"])
        self.assertIn("default", settings["PONS_STALL"]["origin"])

    def test_explain_says_who_does_each_operation(self):
        result = pons("explain", "-v", PONS_REACTOR="poll", PONS_POOL="fixed")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertRegex(result.stdout, r"(?m)^  recvmsg +poll$")
        self.assertRegex(result.stdout, r"(?m)^  openat +the pool fixed$")
        self.assertRegex(result.stdout, r"(?m)^  waitid +a pidfd in poll;")
        self.assertNotIn("openat", pons("explain").stdout)
        told = json.loads(pons("explain", "--json",
                               PONS_REACTOR="null").stdout)["operations"]
        self.assertEqual((told["fsync"], told["openat"]),
                         ("null", "the pool elastic"))
        told = json.loads(pons("explain", "--json", PONS_REACTOR="null",
                               PONS_FILES="pool").stdout)["operations"]
        self.assertEqual((told["fsync"], told["recv"]),
                         ("the pool elastic", "null"))

    def test_explain_says_which_engine_does_files(self):
        settings = {"PONS_REACTOR": "poll", "PONS_FILES": "libuv,pool"}
        told = json.loads(pons("explain", "--json", **settings).stdout)
        self.assertEqual(told["files"]["name"], "pool")
        self.assertEqual([(c["name"], c["verdict"])
                          for c in told["files"]["candidates"]],
                         [("libuv", "not usable"), ("pool", "chosen")])
        self.assertEqual(told["operations"]["pread"], "the pool elastic")
        self.assertEqual(told["reports"], [])
        result = pons("explain", **settings)
        self.assertRegex(result.stdout, r"(?m)^files pool ")
        self.assertRegex(result.stdout, r"(?m)^  libuv: not installed: ")
        for settings in ({}, {"PONS_FILES": "auto"}):
            told = json.loads(pons("explain", "--json", **settings).stdout)
            self.assertIsNone(told["files"])

    def test_list_ends_with_what_is_wrong_with_files(self):
        result = pons("list", PONS_FILES="poll")
        self.assertEqual(result.returncode, 2, result)
        self.assertRegex(result.stderr,
                         "^pons: PONS_FILES: poll: .* such as uring, or pool")
        self.assertEqual(pons("list", PONS_FILES="poll,pool").returncode, 0)

    def test_explain_in_words_says_the_same(self):
        result = pons("explain", PONS_REACTOR="poll", PONS_WORKERS="2")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertIn("poll", result.stdout)
        self.assertRegex(result.stdout, r"PONS_WORKERS +2 ")
        self.assertEqual([l for l in result.stdout.splitlines()
                          if "workers" in l.lower()],
                         ["  PONS_WORKERS            2  (PONS_WORKERS)"])


class List(Test):
    def plugin(self, name, source, change=None):
        """A copy of a shared plugin in a directory of its own."""
        source = os.path.join(PLUGINS, source + ".so")
        if not os.path.exists(source):
            self.skipTest("no " + source)
        path = os.path.join(self.make(name.partition(".")[0]), name)
        with open(source, "rb") as f:
            data = bytearray(f.read())
        if change:
            data = change(data)
        with open(path, "wb") as f:
            f.write(data)
        return path

    @staticmethod
    def note(data):
        """Where the note's owner stands; ABI and name follow it."""
        return data.index(b"Pons\0\0\0\0")

    @staticmethod
    def dynamic(data):
        """Where its dynamic section stands, and its size."""
        headers, size, count = (struct.unpack_from("<Q", data, 32)[0],
                                *struct.unpack_from("<HH", data, 54))
        for i in range(count):
            at = headers + i * size
            if struct.unpack_from("<I", data, at)[0] == 2:
                return (struct.unpack_from("<Q", data, at + 8)[0],
                        struct.unpack_from("<Q", data, at + 32)[0])
        raise AssertionError("no PT_DYNAMIC")

    def test_list_shows_the_built_in_engines(self):
        result = pons("list")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        for name, kind in (("epoll", "poller"), ("poll", "poller"),
                           ("elastic", "pool"), ("fixed", "pool"),
                           ("inline", "pool")):
            self.assertRegex(result.stdout,
                             r"(?m)^%s +%s .* usable$" % (name, kind))

    def test_list_of_one_shows_its_options(self):
        (engine,) = json.loads(pons("list", "epoll", "--json").stdout)
        self.assertEqual((engine["name"], engine["kind"], engine["usable"],
                          engine["path"]), ("epoll", "poller", True, None))
        options = {o["name"]: o for o in engine["options"]}
        self.assertEqual(options["events"]["type"], "number")
        self.assertIn("1 to", options["events"]["allowed"])
        self.assertIn("events=", pons("list", "epoll").stdout)

    def test_list_of_an_unknown_name_names_the_nearest(self):
        self.refused(pons("list", "epol"), '"epol"', '"epoll"')
        self.refused(pons("list", "/nowhere.so"), "/nowhere.so")

    def test_a_name_is_offered_once_though_a_copy_has_it_too(self):
        path = self.plugin("copy.so", "poll")
        for words, env in ((["list", "nil"], {}),
                           (["list"], {"PONS_PLUGINS_DISABLE": "pol"}),
                           (["explain"], {"PONS_REACTOR": "pol"})):
            result = pons(*words, PONS_PLUGIN_PATH=os.path.dirname(path),
                          **env)
            self.refused(result, "there are: ", "poll")
            names = result.stderr.split("there are: ")[1].split(";")[0]
            self.assertEqual(names.split(", ").count("poll"), 1, names)

    def test_a_relative_path_is_a_file_too(self):
        path = self.plugin("near.so", "poll")
        relative = os.path.join(".", os.path.relpath(path))
        (engine,) = json.loads(pons("list", relative, "--json").stdout)
        self.assertEqual((engine["name"], engine["path"]),
                         ("poll", os.path.realpath(path)))
        self.refused(pons("list", "./nowhere.so"),
                     "list: ./nowhere.so: No such file")

    def test_behind_the_list_stands_what_is_wrong_with_the_settings(self):
        for setting, value, *parts in (
                ("PONS_REACTOR", "epol", '"epol"', '"epoll"'),
                ("PONS_REACTOR", "epoll:evnts=1", '"evnts"', '"events"'),
                ("PONS_REACTOR", "libuv", "not installed"),
                ("PONS_POOL", "elastik", '"elastik"', '"elastic"'),
                ("PONS_POOL", "elastic:max=0", "max=0", "1 to")):
            for words in ((), ("epoll",), ("--json",)):
                with self.subTest(setting=setting, value=value, words=words):
                    result = pons("list", *words, **{setting: value})
                    self.assertEqual(result.returncode, 2, result)
                    self.assertIn("epoll", result.stdout)
                    self.assertIn("pons: " + setting + ": ", result.stderr)
                    for part in parts:
                        self.assertIn(part, result.stderr)
        both = pons("list", PONS_REACTOR="epol", PONS_POOL="elastik")
        self.assertEqual(both.returncode, 2)
        self.assertIn("PONS_REACTOR: ", both.stderr)
        self.assertIn("PONS_POOL: ", both.stderr)

    def test_known_engines_are_listed_though_not_installed(self):
        self.assertRegex(pons("list").stdout,
                         r"(?m)^libuv +poller +- +-  not installed: .*plugin")
        (engine,) = json.loads(pons("list", "libuv", "--json").stdout)
        self.assertEqual((engine["usable"], engine["status"]),
                         (False, "not installed"))

    def test_the_abi_is_told_alike_of_both_forms(self):
        path = self.plugin("abi.so", "poll")
        out = pons("list", "poll", PONS_PLUGIN_PATH=os.path.dirname(path))
        found = re.findall(r"ABI (.*)", out.stdout)
        self.assertEqual(len(found), 2, out.stdout)
        self.assertEqual(found[0], found[1])

    def test_disabled_engines_are_listed_as_such(self):
        out = pons("list", PONS_PLUGINS_DISABLE="epo*").stdout
        self.assertRegex(out, r"(?m)^epoll .*  disabled by .*PONS_PLUGINS_DIS")

    def test_a_copy_elsewhere_is_found_and_works(self):
        path = self.plugin("other-name.so", "poll")
        env = {"PONS_PLUGIN_PATH": os.path.dirname(path)}
        engines = json.loads(pons("list", "poll", "--json", **env).stdout)
        self.assertEqual((engines[0]["path"], engines[0]["usable"]),
                         (path, True))
        self.assertEqual(engines[1]["status"], "shadowed")
        with BadServer() as server:
            rows = self.fetch_rows(server.url("/ok/x"), PONS_REACTOR="poll",
                                   **env)
        self.assertEqual(rows[server.url("/ok/x")]["sha256"],
                         sha256(server.body("x")))

    def broken(self, path, *parts):
        """Listed with its reason, and an error for who asks for it."""
        listed = pons("list", PONS_PLUGIN_PATH=os.path.dirname(path))
        self.assertEqual(listed.returncode, 0, listed)
        line = [l for l in listed.stdout.splitlines() if path in l]
        self.assertEqual(len(line), 1, listed.stdout)
        for part in parts:
            self.assertIn(part, line[0])
        self.refused(pons("explain", PONS_REACTOR=path), path, *parts)

    def test_a_file_that_is_no_plugin_is_broken(self):
        path = os.path.join(self.make("text"), "text.so")
        with open(path, "w") as f:
            f.write("#!/bin/sh\n")
        self.broken(path, "ELF")

    def test_an_empty_file_is_broken(self):
        path = os.path.join(self.make("empty"), "empty.so")
        open(path, "w").close()
        self.broken(path)

    def test_a_plugin_of_another_abi_is_broken(self):
        def change(data):
            at = self.note(data)
            data[at + 8:at + 16] = struct.pack("<II", 99 << 16, 99 << 16)
            return data
        self.broken(self.plugin("abi.so", "poll", change), "99.0", "ABI")

    def test_a_truncated_plugin_is_broken(self):
        def change(data):
            return data[:self.note(data) + 30]
        self.broken(self.plugin("cut.so", "poll", change))

    def test_a_note_that_lies_is_an_error_of_its_plugin(self):
        def change(data):
            at = self.note(data)
            data[at + 16:at + 20] = b"lied"
            return data
        path = self.plugin("lie.so", "poll", change)
        self.refused(pons("explain", PONS_REACTOR=path), path, "lied")

    def test_a_plugin_with_a_damaged_dynamic_section_is_broken(self):
        def change(data):
            at, size = self.dynamic(data)
            data[at:at + size] = b"\x7f" * size
            return data
        path = self.plugin("garbage.so", "epoll", change)
        self.broken(path, "is damaged: ")
        told = pons("explain", "--json",
                    PONS_PLUGIN_PATH=os.path.dirname(path))
        self.assertEqual(json.loads(told.stdout)["reactor"]["name"], "epoll")

    def test_a_plugin_that_others_may_write_is_broken(self):
        path = self.plugin("open.so", "poll")
        os.chmod(path, 0o666)
        self.broken(path, "writ")


class Fetch(Test):
    def test_many_from_a_real_server_have_the_right_digests(self):
        root = self.make("root")
        sizes = [0, 1, 1000, 16384, 131072, 131073, 262144, 300000, 3000000]
        files = {"f%d" % i: os.urandom(sizes[i % len(sizes)])
                 for i in range(40)}
        site(root, files)
        with Process(sys.executable, "-u", "-m", "http.server", "0", "--bind",
                     "127.0.0.1", "--directory", root) as server:
            port = int(re.search(r"port (\d+)", server.first)[1])
            urls = {"http://127.0.0.1:%d/%s" % (port, n): d
                    for n, d in files.items()}
            rows = self.fetch_rows(*urls, "-o", self.path("out"), "-j", "8")
        for url, data in urls.items():
            row = rows[url]
            self.assertEqual((row["ok"], row["status"], row["bytes"],
                              row["sha256"]),
                             (True, 200, len(data), sha256(data)), row)
            with open(self.path("out", row["file"]), "rb") as f:
                self.assertEqual(f.read(), data)
        self.assertEqual(len(os.listdir(self.path("out"))), len(files))

    def test_the_table_has_a_line_for_each_url(self):
        with BadServer() as server:
            good, bad = server.url("/ok/x"), server.url("/status/404")
            result = pons("fetch", good, bad)
        self.assertEqual(result.returncode, 1)
        head, one, two = result.stdout.splitlines()
        self.assertIn("SHA-256", head)
        self.assertRegex(one, r"^%s +200 +2000 +\d+\.\d+s +%s$" % (
            re.escape(good), sha256(server.body("x"))))
        self.assertRegex(two, r"^%s +404 .*HTTP status 404$" %
                         re.escape(bad))

    def test_each_failure_is_a_row_and_harms_no_other(self):
        with BadServer() as server:
            with socket.socket() as taken:
                taken.bind(("127.0.0.1", 0))  # and nobody listens
                refused = "http://127.0.0.1:%d/" % taken.getsockname()[1]
                bad = {
                    refused: "refused",
                    # Without a network even a dead name takes its time.
                    "http://nobody.invalid/": "nobody.invalid|timed out",
                    "ftp://127.0.0.1/": "rotocol",
                    "http://127.0.0.1:99999/": "",
                    "http://[::1/": "",
                    server.url("/circle"): "redirects",
                    server.url("/elsewhere"): "rotocol",
                    server.url("/stall"): "timed out",
                    server.url("/stall-late"): "timed out",
                    server.url("/reset"): "reset",
                    server.url("/reset-late"): "reset",
                    server.url("/empty"): "mpty reply",
                    server.url("/garbage"): "",
                    server.url("/short"): "remaining",
                    server.url("/chunks-cut"): "",
                    server.url("/chunks-bad"): "",
                    server.url("/negative"): "",
                    server.url("/status/404"): "404",
                    server.url("/status/503"): "503",
                }
                good = {server.url("/ok/%d" % i): server.body(str(i))
                        for i in range(20)}
                good[server.url("/moved")] = server.body("")
                good[server.url("/long")] = b"four"
                good[server.url("/chunks")] = b"hello"
                urls = [u for pair in zip(bad, good) for u in pair]
                urls += [u for u in [*bad, *good] if u not in urls]
                rows = self.fetch_rows(*urls, "-t", "3s", "-o",
                                       self.path("out"), status=1)
        for url, part in bad.items():
            self.assertFalse(rows[url]["ok"], rows[url])
            self.assertRegex(rows[url]["error"], part or ".")
        for url, data in good.items():
            self.assertEqual(rows[url].get("sha256"), sha256(data), rows[url])
        self.assertEqual(sorted(os.listdir(self.path("out"))),
                         sorted(rows[u]["file"] for u in good))

    def test_many_failures_at_once_are_as_many_rows(self):
        urls = ["nonsense://x/%d" % i for i in range(1000)]
        rows = self.fetch_rows(*urls, "-j", "3", status=1)
        self.assertEqual(len(rows), len(urls))
        self.assertTrue(all(r["error"] for r in rows.values()))

    def test_jobs_is_how_many_run_at_once(self):
        # All of them meet in the server, so there were 7 at once.
        with BadServer(peers=7) as server:
            urls = [server.url("/meet/%d" % i) for i in range(21)]
            # A time limit: without one libcurl looks every second by itself.
            self.fetch_rows(*urls, "-j", "7", "-t", "30s")
            _, out, _ = server.end()
        self.assertEqual(out.splitlines()[-1], "most 7")

    def test_one_job_is_one_at_a_time(self):
        with BadServer() as server:
            self.fetch_rows(*[server.url("/ok/%d" % i) for i in range(20)],
                            "-j", "1")
            _, out, _ = server.end()
        lines = out.splitlines()
        self.assertEqual(lines[:-1], ["/ok/%d" % i for i in range(20)])
        self.assertEqual(lines[-1], "most 1")

    def test_names_of_files_are_harmless_and_unique(self):
        with BadServer() as server:
            paths = ["/ok/same", "/ok/same?a", "/ok/same#b", "/ok/..%2fup",
                     "/ok/.hidden", "/ok/a%20b;rm", "/ok/", "/ok/" + "n" * 400]
            rows = self.fetch_rows(*map(server.url, paths), "-o",
                                   self.path("out"))
        names = [rows[server.url(p)]["file"] for p in paths]
        self.assertEqual(len(set(names)), len(paths))
        self.assertEqual(sorted(names), sorted(os.listdir(self.path("out"))))
        for name in names:
            self.assertRegex(name, r"^[A-Za-z0-9_+,=@~-][A-Za-z0-9._+,=@~-]*$")
            self.assertLessEqual(len(name), 220)
        self.assertEqual(os.listdir(self.dir), ["out"])

    def test_a_full_disk_is_a_row(self):
        def small_disk():
            """A disk of 64 KiB, seen by this process alone."""
            libc = ctypes.CDLL(None, use_errno=True)
            new_namespace, private = 0x20000, 0x44000
            if libc.unshare(new_namespace) or \
                    libc.mount(b"none", b"/", None, private, None) or \
                    libc.mount(b"none", out.encode(), b"tmpfs", 0,
                               b"size=64k"):
                os._exit(99)

        out = self.make("out")
        with BadServer() as server:
            urls = [server.url(p) for p in ("/ok/x", "/big/5000000", "/ok/y")]
            result = pons("fetch", "--json", "-j", "1", "-o", out, *urls,
                          before=small_disk)
        if result.returncode == 99:
            self.skipTest("no right to mount a small disk")
        self.assertEqual(result.returncode, 1, result)
        one, large, two = json.loads(result.stdout)
        self.assertIn("No space left on device", large["error"])
        self.assertNotIn("sha256", large)
        self.assertEqual(one["sha256"], sha256(server.body("x")))
        # What was written of the large one has made room again.
        self.assertEqual(two["sha256"], sha256(server.body("y")))

    def test_a_limit_of_file_size_is_a_row_and_leaves_no_part(self):
        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (100000, 100000))

        with BadServer() as server:
            large, small = server.url("/big/5000000"), server.url("/ok/x")
            rows = self.fetch_rows("-o", self.path("out"), large, small,
                                   status=1, before=limit)
        self.assertIn("File too large", rows[large]["error"])
        self.assertEqual(rows[small]["sha256"], sha256(server.body("x")))
        self.assertEqual(os.listdir(self.path("out")), ["x"])

    def test_an_output_directory_that_cannot_be_is_wrong_usage(self):
        self.refused(pons("fetch", "-o", "/dev/null", "http://x/"),
                     "/dev/null")
        self.refused(pons("fetch", "-o", "/nowhere/at/all", "http://x/"),
                     "/nowhere/at/all")

    def test_a_large_body_does_not_stay_in_memory(self):
        size = 256 << 20
        with BadServer() as server:
            process = subprocess.Popen(
                [PONS, "fetch", "--json", server.url("/big/%d" % size)],
                env=environment(), stdout=subprocess.PIPE)
            timer = threading.Timer(LIMIT, process.kill)
            timer.start()
            out = process.stdout.read()
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            process.stdout.close()
            timer.cancel()
        self.assertEqual(process.returncode, 0)
        (row,) = json.loads(out)
        piece = bytes(range(256)) * 1024
        digest = hashlib.sha256()
        for _ in range(size // len(piece)):
            digest.update(piece)
        self.assertEqual(row["sha256"], digest.hexdigest())
        with open(PONS, "rb") as f:
            sanitized = re.search(b"__[at]san_init", f.read())
        if not sanitized:  # that takes memory of its own
            self.assertLess(usage.ru_maxrss, 100 << 10)  # KiB

    def test_interrupted_it_prints_the_table_so_far(self):
        for how in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(how=how), BadServer() as server:
                urls = [server.url(p)
                        for p in ("/ok/x", "/stall-late", "/ok/y")]
                process = subprocess.Popen(
                    [PONS, "fetch", "--json", "-j", "1", "-o",
                     self.path("out%d" % how), *urls], env=environment(),
                    stdout=subprocess.PIPE, text=True)
                while server.line() != "/stall-late":
                    pass  # then the first one is done
                process.send_signal(how)
                out, _ = process.communicate(timeout=LIMIT)
                self.assertEqual(process.returncode, 130)
                one, two, three = json.loads(out)
                self.assertEqual(one["sha256"], sha256(server.body("x")))
                self.assertEqual(two["error"], "interrupted")
                self.assertIn("not started", three["error"])
                self.assertEqual(os.listdir(self.path("out%d" % how)), ["x"])

    def test_nothing_is_drawn_unless_stderr_is_a_terminal(self):
        with BadServer() as server:
            self.assertEqual(pons("fetch", server.url("/ok")).stderr, "")

    def test_on_a_terminal_it_draws_how_far_it_is(self):
        ours, theirs = os.openpty()
        with BadServer(peers=2) as server:
            process = subprocess.Popen(
                [PONS, "fetch", server.url("/meet/1"), server.url("/meet/2")],
                env=environment(), stdout=subprocess.DEVNULL, stderr=theirs)
            os.close(theirs)
            drawn = b""
            try:
                while more := os.read(ours, 4096):
                    drawn += more
            except OSError:
                pass  # how a terminal says that nobody writes any more
            self.assertEqual(process.wait(LIMIT), 0)
        os.close(ours)
        self.assertIn(b"0/2", drawn)
        self.assertTrue(drawn.endswith(b"\r\x1b[K"), drawn)

    def test_https_is_verified(self):
        if not shutil.which("openssl"):
            self.skipTest("no openssl to make a certificate with")
        cert = self.path("cert.pem")
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes",
             "-days", "2", "-subj", "/CN=127.0.0.1", "-addext",
             "subjectAltName=IP:127.0.0.1", "-keyout", self.path("key.pem"),
             "-out", self.path("only.pem")], check=True, capture_output=True,
            timeout=LIMIT)
        with open(cert, "w") as f:
            for part in ("only.pem", "key.pem"):
                with open(self.path(part)) as g:
                    f.write(g.read())
        with BadServer(certificate=cert) as server:
            urls = {server.url("/ok/%d" % i): server.body(str(i))
                    for i in range(20)}
            rows = self.fetch_rows(*urls, "--cacert", self.path("only.pem"))
            for url, data in urls.items():
                self.assertEqual(rows[url]["sha256"], sha256(data))
            url = server.url("/ok")
            row = self.fetch_rows(url, status=1)[url]
            self.assertIn("certificate", row["error"])

    def test_the_same_on_every_engine_pool_and_number_of_workers(self):
        root = self.make("root")
        files = {"f%d" % i: os.urandom(i * 3001) for i in range(50)}
        site(root, files)
        for reactor in ["epoll", "poll", *wrappers()]:
            for pool in ("elastic", "fixed", "inline"):
                for workers in ("0", "1", "4"):
                    env = {"PONS_REACTOR": reactor, "PONS_POOL": pool,
                           "PONS_WORKERS": workers,
                           "PONS_PLUGIN_PATH_ADD": WRAPPERS}
                    with self.subTest(**env), \
                            Serve(root, **env) as server:
                        self.assertEqual((server.reactor, server.pool),
                                         (reactor, pool))
                        rows = self.fetch_rows(
                            *[server.url(n) for n in files], **env)
                        for name, data in files.items():
                            self.assertEqual(
                                rows[server.url(name)].get("sha256"),
                                sha256(data), rows[server.url(name)])
                        self.assertEqual(server.end(signal.SIGTERM)[0], 0)


class Wrappers(Test):
    """Reactors over a library: shared objects only."""

    def setUp(self):
        super().setUp()
        if wrappers() != ["libev", "libuv"]:
            self.skipTest("libev and libuv are not both built")

    @staticmethod
    def pons(*words, **settings):
        return pons(*words, PONS_PLUGIN_PATH_ADD=WRAPPERS, **settings)

    def test_list_has_them_with_their_options(self):
        for name, option in (("libev", "method"), ("libuv", "files")):
            (engine,) = json.loads(self.pons("list", name, "--json").stdout)
            self.assertEqual(
                (engine["name"], engine["kind"], engine["usable"],
                 engine["rank"], engine["path"]),
                (name, "poller", True, 0,
                 os.path.join(WRAPPERS, name + ".so")))
            self.assertEqual([o["name"] for o in engine["options"]], [option])

    def test_where_they_are_not_it_says_what_to_install(self):
        for name, package in (("libev", "libev-dev"), ("libuv", "libuv1-dev")):
            (line,) = [n for n in pons("list").stdout.splitlines()
                       if n.startswith(name)]
            self.assertIn("not installed: there is no %s.so" % name, line)
            self.assertIn("Debian's %s is installed" % package, line)
            self.refused(pons("explain", PONS_REACTOR=name), "PONS_REACTOR",
                         name + ": not installed", package,
                         "use epoll or auto")
            out = pons("explain", PONS_REACTOR=name + ",epoll").stdout
            self.assertRegex(out, r"(?m)^  %s: not installed: " % name)

    def test_explain_says_whose_the_files_are(self):
        for value, who in (("libuv", "the pool elastic"),
                           ("libuv:files=libuv", "libuv")):
            told = json.loads(self.pons("explain", "--json",
                                        PONS_REACTOR=value).stdout)
            self.assertEqual((told["operations"]["pwrite"],
                              told["operations"]["fsync"],
                              told["operations"]["openat"]),
                             (who, who, "the pool elastic"))

    def test_auto_never_takes_them(self):
        out = self.pons("explain", "--json",
                        PONS_PLUGINS_DISABLE="epoll,uring").stdout
        self.assertEqual(json.loads(out)["reactor"]["name"], "poll")

    def test_each_misuse_names_the_word_and_what_is_allowed(self):
        for value, *parts in (
                ("libev:method=epol", "method=epol", "auto|epoll|poll|select"),
                ("libev:method=iouring", "method=iouring", "auto|epoll"),
                ("libev:method", "method"),
                ("libev:metod=poll", '"metod"', '"method"'),
                ("libev:method=poll:method=poll", "method"),
                ("libuv:files=uring", "files=uring", "pool"),
                ("libuv:file=pool", '"file"', '"files"'),
                ("libuw", '"libuw"', '"libuv"')):
            with self.subTest(value=value):
                self.refused(self.pons("explain", PONS_REACTOR=value),
                             "PONS_REACTOR", *parts)

    def test_the_method_is_the_options_and_never_libevs_variables(self):
        for value, method in (("libev", "epoll"), ("libev:method=auto", "epoll"),
                              ("libev:method=epoll", "epoll"),
                              ("libev:method=poll", "poll"),
                              ("libev:method=select", "select")):
            result = self.pons("explain", PONS_REACTOR=value,
                               PONS_LOG="libev=info", LIBEV_FLAGS="2")
            self.assertRegex(result.stderr,
                             r"libev: libev [0-9.]+ by %s\n" % method)


class ServeFiles(Test):
    FILES = {"plain.txt": b"plain\n", "sub/index.html": b"<p>index\n",
             "sub/page.html": b"<p>page\n", "list/b&<c>.txt": b"b",
             "list/a b%.png": b"a", "list/deep/x": b"x", "empty": b"",
             "big": os.urandom(1500001)}

    def setUp(self):
        super().setUp()
        self.root = self.make("root")
        site(self.root, self.FILES)

    def curl(self, *words):
        if not shutil.which("curl"):
            self.skipTest("no curl")
        return subprocess.run(["curl", "-sS", "--max-time", str(LIMIT),
                               "--noproxy", "*", *words],
                              capture_output=True, env=environment())

    def test_curl_gets_the_files(self):
        with Serve(self.root) as server:
            for name, data in self.FILES.items():
                result = self.curl(server.url(urllib.parse.quote(name)))
                self.assertEqual((result.returncode, result.stdout),
                                 (0, data), name)

    def test_curl_keeps_the_connection(self):
        with Serve(self.root) as server:
            for files in (["plain.txt", "big"], ["nothing", "plain.txt"],
                          ["empty", "sub/"], ["list/", "big"]):
                result = self.curl("-v", *map(server.url, files))
                self.assertEqual(result.returncode, 0)
                self.assertIn(b"Re-using existing connection", result.stderr)
            result = self.curl("-v", "-I", server.url("plain.txt"),
                               server.url("big"))
            self.assertIn(b"Re-using existing connection", result.stderr)

    def test_types_and_dates_and_lengths(self):
        with Serve(self.root) as server:
            os.utime(os.path.join(self.root, "plain.txt"), (1e9, 1e9))
            status, fields, _ = server.get("/plain.txt")
            self.assertEqual(status, 200)
            self.assertEqual(fields["content-type"],
                             "text/plain; charset=utf-8")
            self.assertEqual(fields["content-length"], "6")
            self.assertEqual(fields["last-modified"],
                             "sun, 09 sep 2001 01:46:40 gmt")
            for path, kind in (("/sub/", "text/html; charset=utf-8"),
                               ("/list/a%20b%25.png", "image/png"),
                               ("/big", "application/octet-stream")):
                self.assertEqual(server.get(path)[1]["content-type"], kind)

    def test_head_is_get_without_the_body(self):
        with Serve(self.root) as server:
            for path in ("/plain.txt", "/big", "/list/", "/nothing", "/sub"):
                got = server.get(path)
                head = server.get(path, method="HEAD")
                del got[1]["date"], head[1]["date"]
                self.assertEqual(head, (got[0], got[1], b""))
                self.assertEqual(int(got[1]["content-length"]), len(got[2]))

    def test_unchanged_since_is_304(self):
        with Serve(self.root) as server:
            when = server.get("/plain.txt")[1]["last-modified"].title()
            when = when.replace("Gmt", "GMT")
            status, _, body = server.get("/plain.txt",
                                         "If-Modified-Since: " + when)
            self.assertEqual((status, body), (304, b""))
            old = "If-Modified-Since: Sun, 09 Sep 2001 01:46:40 GMT"
            self.assertEqual(server.get("/plain.txt", old)[0], 200)
            self.assertEqual(
                server.get("/plain.txt", "If-Modified-Since: soon")[0], 200)

    def test_a_directory_is_its_index_or_a_listing(self):
        with Serve(self.root) as server:
            self.assertEqual(server.get("/sub/")[2],
                             self.FILES["sub/index.html"])
            for name in ("/sub", "/list"):
                status, fields, _ = server.get(name)
                self.assertEqual((status, fields["location"]),
                                 (301, name + "/"))
            page = server.get("/list/")[2].decode()
            links = re.findall(r'<a href="([^"]*)">([^<]*)</a>', page)
            self.assertEqual([html.unescape(t) for _, t in links],
                             ["../", "a b%.png", "b&<c>.txt", "deep/"])
            for link, _ in links[1:]:
                path = urllib.parse.urljoin("/list/", link)
                self.assertEqual(server.get(path)[0], 200)

    def test_a_redirect_never_names_another_host(self):
        with Serve(self.root) as server:
            for path in ("//sub", "///sub", "/.//sub"):
                status, fields, _ = server.get(path)
                self.assertEqual((status, fields["location"]), (301, "/sub/"))

    def test_pipelined_requests_are_answered_in_order(self):
        names = ["plain.txt", "nothing", "big", "sub/", "empty", "plain.txt"]
        with Serve(self.root) as server, server.connect() as s:
            s.sendall(b"".join(b"GET /%s HTTP/1.1\r\nHost: x\r\n\r\n" %
                               n.encode() for n in names))
            replies = read_replies(s, len(names))
        self.assertEqual([r[0] for r in replies],
                         [200, 404, 200, 200, 200, 200])
        self.assertEqual(replies[2][1], self.FILES["big"])
        self.assertEqual(replies[3][1], self.FILES["sub/index.html"])
        self.assertEqual(replies[5][1], self.FILES["plain.txt"])

    def test_a_request_may_come_byte_by_byte(self):
        with Serve(self.root) as server, server.connect() as s:
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for _ in range(2):
                for byte in b"GET /plain.txt HTTP/1.1\r\nHost: x\r\n\r\n":
                    s.sendall(bytes([byte]))
                self.assertEqual(read_replies(s, 1),
                                 [(200, self.FILES["plain.txt"])])

    def test_old_clients_get_their_connection_closed(self):
        with Serve(self.root) as server:
            reply = server.say(b"GET /plain.txt HTTP/1.0\r\n\r\n")
            self.assertEqual(split_reply(reply)[2], self.FILES["plain.txt"])

    def test_an_absolute_target_is_its_path(self):
        with Serve(self.root) as server:
            self.assertEqual(server.get("http://y/plain.txt?q")[2],
                             self.FILES["plain.txt"])
            self.assertEqual(server.get("/plain.txt?a/../b")[2],
                             self.FILES["plain.txt"])

    def test_wrong_requests_get_their_status(self):
        get = b"GET / HTTP/1.1\r\nHost: x\r\n"
        end = b"Connection: close\r\n\r\n"
        long_field = b"X: " + b"x" * 200000 + b"\r\n\r\n"
        many_fields = b"X: y\r\n" * 4000 + b"\r\n"
        with Serve(self.root) as server:
            for said, status in (
                    (b"nonsense\r\n\r\n", 400),
                    (b"\0\0\0\0", 400),
                    (b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03", 400),  # TLS
                    (b"GET / HTTP/1.1\r\n\r\n", 400),
                    (get + b"Host: y\r\n\r\n", 400),
                    (b"GET plain.txt HTTP/1.1\r\nHost: x\r\n\r\n", 400),
                    (b"GET * HTTP/1.1\r\nHost: x\r\n\r\n", 400),
                    (get.replace(b"/", b"/%", 1) + end, 400),
                    (get.replace(b"/", b"/%2", 1) + end, 400),
                    (get.replace(b"/", b"/%zz", 1) + end, 400),
                    (get + b"Content-Length: 3\r\n"
                     b"Transfer-Encoding: chunked\r\n\r\n", 400),
                    (get + b"Content-Length: x\r\n\r\n", 400),
                    (b"GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505),
                    (get + long_field, 431),
                    (get + many_fields, 431),
                    (b"GET /" + b"x" * 5000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
                     414),
                    (b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n"
                     b"Connection: close\r\n\r\n", 405)):
                with self.subTest(said=said[:60]):
                    self.assertEqual(split_reply(server.say(said))[0], status)
            for method in ("POST", "PUT", "DELETE", "OPTIONS", "TRACE"):
                status, fields, _ = server.get("/plain.txt", method=method)
                self.assertEqual((status, fields["allow"]),
                                 (405, "get, head"))

    def test_a_body_is_never_taken_for_a_request(self):
        inner = b"GET /plain.txt HTTP/1.1\r\nHost: x\r\n\r\n"
        with Serve(self.root) as server:
            for method, status in ((b"POST", 405), (b"GET", 200)):
                said = method + b" /empty HTTP/1.1\r\nHost: x\r\n" \
                    b"Content-Length: %d\r\n\r\n" % len(inner) + inner
                reply = server.say(said)
                self.assertEqual(split_reply(reply)[0], status)
                self.assertEqual(reply.count(b"HTTP/1.1 "), 1)

    def test_a_body_is_not_waited_for(self):
        with Serve(self.root) as server:
            reply = server.say(b"POST / HTTP/1.1\r\nHost: x\r\n"
                               b"Expect: 100-continue\r\n"
                               b"Content-Length: 1000\r\n\r\n")
            self.assertEqual(split_reply(reply)[0], 405)

    def test_an_upgrade_is_declined(self):
        with Serve(self.root) as server, server.connect() as s:
            for _ in range(2):
                s.sendall(b"GET /plain.txt HTTP/1.1\r\nHost: x\r\n"
                          b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n")
                self.assertEqual(read_replies(s, 1),
                                 [(200, self.FILES["plain.txt"])])

    def escapes(self):
        """Ways out of the root; the secret stands beside it."""
        site(self.dir, {"secret": b"secret\n", "beside/secret": b"secret\n"})
        links = {"abs": self.path("secret"), "up": "../secret",
                 "dir": "..", "root": "/", "deep": "list/../../secret",
                 "magic": "/proc/self/cwd/secret"}
        for name, to in links.items():
            os.symlink(to, os.path.join(self.root, name))
        self_fd = "/proc/self/fd/3"
        os.symlink(self_fd, os.path.join(self.root, "fd"))
        return ["/../secret", "/sub/../../secret", "/..", "/../", "/./../secret",
                "/%2e%2e/secret", "/%2E%2E%2Fsecret", "/..%2fsecret",
                "/sub/..%2f..%2fsecret", "/%2e./secret", "/.%2e/secret",
                "//../secret", "/sub/%2e%2e/%2e%2e/secret",
                "/..%5csecret", "/..\\secret", "/%252e%252e/secret",
                "/plain.txt%00", "/..%00/secret", "/%c0%ae%c0%ae/secret",
                "/%", "/%2", "/%zz", "/a%2", "http://x/../secret",
                "/abs", "/up", "/dir/secret", "/dir/", "/root/etc/passwd",
                "/deep", "/magic", "/fd", "/../beside/secret",
                self.path("secret"), "/" + self.path("secret")]

    def nothing_escapes(self, server):
        for target in self.escapes():
            with self.subTest(target=target):
                status, _, body = server.get(target)
                self.assertIn(status, (400, 404))
                self.assertNotIn(b"secret\n", body)
                self.assertNotIn(b"root:", body)

    def test_no_path_leaves_the_directory(self):
        with Serve(self.root) as server:
            self.nothing_escapes(server)
            self.assertEqual(server.get("/plain.txt")[0], 200)

    def test_no_path_leaves_the_directory_without_openat2(self):
        try:
            server = Serve(self.root, before=without_openat2)
        except (AssertionError, subprocess.SubprocessError):
            self.skipTest("no right to filter system calls")
        with server:
            self.nothing_escapes(server)
            os.symlink("plain.txt", os.path.join(self.root, "within"))
            self.assertEqual(server.get("/within")[0], 404)  # no link at all
            self.assertEqual(server.get("/sub/page.html")[2],
                             self.FILES["sub/page.html"])
            self.assertEqual(server.get("/list/deep/x")[2], b"x")
            self.assertIn(b"deep/", server.get("/list/")[2])

    def test_links_within_the_directory_are_followed(self):
        os.symlink("plain.txt", os.path.join(self.root, "within"))
        os.symlink("../plain.txt", os.path.join(self.root, "list", "within"))
        with Serve(self.root) as server:
            self.assertEqual(server.get("/within")[2],
                             self.FILES["plain.txt"])
            self.assertEqual(server.get("/list/within")[2],
                             self.FILES["plain.txt"])

    def test_pipes_sockets_and_devices_are_not_there(self):
        os.mkfifo(os.path.join(self.root, "pipe"))
        with socket.socket(socket.AF_UNIX) as s, Serve(self.root) as server:
            s.bind(os.path.join(self.root, "socket"))
            for path in ("/pipe", "/socket", "/plain.txt/", "/plain.txt/x",
                         "/" + "n" * 300):
                self.assertEqual(server.get(path)[0], 404, path)

    def test_what_may_not_be_read_is_403(self):
        def nobody():
            if os.getuid() == 0:
                os.setgroups([])
                os.setgid(65534)
                os.setuid(65534)

        os.chmod(self.dir, 0o755)
        os.chmod(os.path.join(self.root, "plain.txt"), 0)
        os.chmod(os.path.join(self.root, "list"), 0)
        try:
            server = Serve(self.root, before=nobody)
        except (AssertionError, OSError, subprocess.SubprocessError):
            self.skipTest("%s is not everybody's to run" % PONS)
        with server:
            self.assertEqual(server.get("/plain.txt")[0], 403)
            self.assertEqual(server.get("/list/")[0], 403)
            self.assertEqual(server.get("/empty")[0], 200)
        os.chmod(os.path.join(self.root, "list"), 0o755)

    def test_clients_that_go_away_harm_nobody(self):
        with Serve(self.root) as server:
            for i in range(50):
                s = server.connect()
                s.sendall(b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n"[:20 + i])
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                             struct.pack("ii", 1, 0))
                s.close()
            self.assertEqual(server.get("/plain.txt")[0], 200)

    def test_more_clients_than_descriptors_all_get_their_reply(self):
        def few():
            resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))

        with Serve(self.root, before=few) as server:
            clients = [server.connect() for _ in range(80)]
            for i, s in enumerate(clients):
                s.sendall(b"GET /plain.txt HTTP/1.1\r\nHost: x\r\n"
                          b"Connection: close\r\n\r\n")
            for s in clients:
                with s:
                    self.assertIn(split_reply(read_all(s))[0], (200, 503))

    def test_wrk_sees_no_error(self):
        if not shutil.which("wrk"):
            self.skipTest("no wrk")
        with Serve(self.root) as server:
            result = subprocess.run(
                ["wrk", "-t1", "-c50", "-d1s", server.url("plain.txt")],
                capture_output=True, text=True, timeout=LIMIT)
            self.assertEqual(result.returncode, 0)
            self.assertNotIn("Non-2xx", result.stdout)
            self.assertNotIn("Socket errors", result.stdout)
            self.assertRegex(result.stdout, r"[1-9]\d* requests in")
            self.assertEqual(server.end(signal.SIGINT)[0], 0)

    def test_int_and_term_end_it_with_0(self):
        for how in (signal.SIGINT, signal.SIGTERM):
            for settings in ({}, {"PONS_WORKERS": "0"}):
                with Serve(self.root, **settings) as server, \
                        server.connect() as idle, server.connect() as slow:
                    idle.sendall(b"GET /plain.txt HTTP/1.1\r\nHost: x\r\n\r\n")
                    read_replies(idle, 1)
                    slow.sendall(b"GET /pl")
                    status, out, err = server.end(how)
                    self.assertEqual((status, out, err), (0, "", ""))
                    self.assertEqual(read_all(idle), b"")

    def test_a_reply_in_course_is_finished(self):
        size = 50 << 20  # more than what sockets hold
        with open(os.path.join(self.root, "huge"), "wb") as f:
            f.truncate(size)
        with Serve(self.root) as server, server.connect() as s:
            s.sendall(b"GET /huge HTTP/1.1\r\nHost: x\r\n\r\n")
            begin = s.recv(100)
            server.process.send_signal(signal.SIGTERM)
            with self.assertRaises(ConnectionError):
                while True:  # until it has begun to end
                    server.connect().close()
            _, fields, body = split_reply(begin + read_all(s))
            self.assertEqual(len(body), size)
            self.assertEqual(server.end()[0], 0)

    def test_a_delay_is_never_shorter(self):
        with Serve(self.root, "--delay=150ms") as server:
            start = time.monotonic()
            self.assertEqual(server.get("/plain.txt")[0], 200)
            self.assertGreaterEqual(time.monotonic() - start, 0.15)

    def test_what_cannot_be_served_is_said(self):
        self.refused(pons("serve", self.path("nothing")), "nothing")
        self.refused(pons("serve", os.path.join(self.root, "plain.txt")),
                     "plain.txt")
        with Serve(self.root) as server:
            result = pons("serve", self.root, "-p", str(server.port))
            self.assertEqual(result.returncode, 1)
            self.assertIn("Address already in use", result.stderr)
        result = pons("serve", self.root, "--bind", "192.0.2.1")
        self.assertEqual(result.returncode, 1)
        self.assertTrue(result.stderr.startswith("pons: serve: "), result)

    def test_the_address_may_be_ipv6(self):
        with socket.socket(socket.AF_INET6) as s:
            try:
                s.bind(("::1", 0))
            except OSError:
                self.skipTest("no IPv6 here")
        with Serve(self.root, "--bind", "::1") as server:
            self.assertEqual(server.host, "[::1]")
            with socket.create_connection(("::1", server.port), LIMIT) as s:
                s.sendall(b"GET /plain.txt HTTP/1.1\r\nHost: x\r\n\r\n")
                self.assertEqual(read_replies(s, 1)[0][0], 200)


class Demo(Test):
    def test_all_digests_are_right_and_nothing_is_left(self):
        result = pons("demo", TMPDIR=self.dir)
        self.assertEqual((result.returncode, result.stderr), (0, ""), result)
        self.assertIn("all 400 digests are right", result.stdout)
        for part in ("one by one", "bridged", "ratio", "reactor", "pool",
                     "\n  %s fetch https://" % shlex.quote(PONS)):
            self.assertIn(part, result.stdout)
        self.assertEqual(os.listdir(self.dir), [])

    def test_interrupted_it_leaves_nothing(self):
        with Process(PONS, "demo", TMPDIR=self.dir) as demo:
            self.assertNotEqual(os.listdir(self.dir), [])
            status, out, _ = demo.end(signal.SIGINT)
        self.assertEqual(status, 130)
        self.assertNotIn("one by one", out)
        self.assertEqual(os.listdir(self.dir), [])


if __name__ == "__main__":
    if len(sys.argv) < 2 or not os.access(sys.argv[1], os.X_OK):
        sys.exit("usage: command_test.py PONS [TEST...]")
    use(sys.argv[1])
    unittest.main(argv=sys.argv[:1] + sys.argv[2:], verbosity=2)
