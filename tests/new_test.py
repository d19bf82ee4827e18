#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
tests/new_test.py - `pons new`, and the projects that it makes.

    new_test.py PONS BUILD [TEST...]

BUILD is installed into a place of its own, and what is built is built against
that alone. PONS is the binary of the same build.
"""

import os
import re
import resource
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import unittest

PONS = ""
BUILD = ""
LIMIT = 300  # seconds; nothing takes that long unless it hangs
KINDS = {"reactor": {"CMakeLists.txt", "README.md", "mine.c", "call.h",
                     "waiting.h"},
         "poller": {"CMakeLists.txt", "README.md", "mine.c"},
         "pool": {"CMakeLists.txt", "README.md", "mine.c"}}
SETTING = {"reactor": "PONS_REACTOR", "poller": "PONS_REACTOR",
           "pool": "PONS_POOL"}


def environment(settings):
    """The environment without settings of Pons and without proxies."""
    env = {k: v for k, v in os.environ.items()
           if not k.startswith("PONS_") and not k.lower().endswith("_proxy")}
    env.update(settings)
    return env


def run(*words, cwd=None, before=None, **settings):
    return subprocess.run(words, cwd=cwd, env=environment(settings),
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT,
                          preexec_fn=before)


def nobody():
    if os.getuid() == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)


class Test(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="pons_new_")
        self.addCleanup(folder.cleanup)
        self.dir = folder.name

    def path(self, *parts):
        return os.path.join(self.dir, *parts)

    def pons(self, *words, **how):
        return run(PONS, *words, cwd=self.dir, **how)

    def works(self, result):
        self.assertEqual((result.returncode, result.stderr), (0, ""), result)
        return result.stdout

    def refused(self, status, sentence, *words, **how):
        """With one line on stderr, and nothing written."""
        before = sorted(os.listdir(self.dir))
        result = self.pons("new", *words, **how)
        self.assertEqual((result.returncode, result.stdout), (status, ""),
                         result)
        self.assertEqual(result.stderr, "pons: new: " + sentence + "\n")
        self.assertEqual(sorted(os.listdir(self.dir)), before)


class Words(Test):
    def test_help_says_what_there_is(self):
        self.assertRegex(self.works(self.pons("--help")), r"(?m)^  new  +start")
        text = self.works(self.pons("new", "--help"))
        for part in ("usage: pons new [OPTION...] reactor|poller|pool NAME "
                     "[DIR]\n", "  reactor  ", "  poller  ", "  pool  ",
                     "write-a-reactor.md and write-a-pool-policy.md"):
            self.assertIn(part, text)

    def test_the_operands_are_a_kind_a_name_and_a_folder(self):
        wanted = "wants reactor|poller|pool NAME [DIR]; `pons help new' " \
            "says more"
        self.refused(2, wanted)
        self.refused(2, wanted, "poller")
        self.refused(2, '"more" is one operand too many; `pons help new\' says '
                     "more", "poller", "mine", "here", "more")

    def test_an_unknown_kind_is_told_what_there_is(self):
        self.refused(2, 'there is no kind of engine "polar"; there are: '
                     'reactor, poller, pool; did you mean "poller"?',
                     "polar", "mine")
        self.refused(2, 'there is no kind of engine "x"; there are: reactor, '
                     "poller, pool", "x", "mine")

    def test_a_name_is_an_identifier(self):
        for name in ("", "9lives", "_x", "a-b", "a.b", "a b", "../x", "a/b",
                     "naïve", "x" * 32, "a\nb"):
            with self.subTest(name=name):
                self.refused(2, '"%s" cannot name an engine; wanted a letter, '
                             "then letters, digits and _, at most 31 in all" %
                             name, "poller", name)

    def test_the_names_of_the_library_are_its_own(self):
        for name in ("pons", "poni", "pons_x", "poni_x"):
            self.refused(2, '"%s" cannot name an engine; pons_ and poni_ begin '
                         "the library's own names" % name, "pool", name)
        self.refused(2, '"auto" cannot name an engine; in PONS_REACTOR and '
                     "PONS_POOL it means the best one", "reactor", "auto")
        self.works(self.pons("new", "pool", "ponsx"))

    def test_the_name_of_an_engine_is_taken(self):
        for name in ("epoll", "poll", "null", "elastic", "fixed", "inline"):
            for kind in KINDS:
                self.refused(2, 'there is an engine "%s" already (is built in);'
                             " choose another name" % name, kind, name)
        self.refused(2, 'there is an engine "libuv" already (is one of '
                     "Pons's own, not installed here); choose another name",
                     "reactor", "libuv")

    def test_the_folder_may_not_be_there(self):
        os.mkdir(self.path("empty"))
        with open(self.path("file"), "w"):
            pass
        os.symlink("nowhere", self.path("link"))
        for there in ("empty", "empty/", "file", "link", "."):
            self.refused(1, "%s is there already; name another folder, or "
                         "remove it" % there, "poller", "mine", there)
        self.refused(1, "file is there already; name another folder, or remove "
                     "it", "poller", "file")
        self.assertEqual(os.listdir(self.path("empty")), [])

    def test_what_cannot_be_written_leaves_nothing(self):
        self.refused(1, "cannot make the folder no/where: No such file or "
                     "directory; nothing was written", "poller", "mine",
                     "no/where")
        self.refused(1, "cannot make the folder : No such file or directory; "
                     "nothing was written", "poller", "mine", "")
        self.refused(1, "cannot make the folder %s: File name too long; "
                     "nothing was written" % ("n" * 300), "poller", "mine",
                     "n" * 300)

    def test_a_file_that_does_not_fit_leaves_nothing(self):
        self.works(self.pons("new", "pool", "mine", "whole"))
        largest = max(f.stat().st_size for f in os.scandir(self.path("whole")))
        with open(PONS, "rb") as f:
            if b"__tsan_init" in f.read():  # that writes a file before main()
                self.skipTest("TSan wants larger files")
        for limit in (0, 100, largest - 1):
            self.refused(1, "cannot make the folder mine: File too large; "
                         "nothing was written", "pool", "mine",
                         before=lambda: resource.setrlimit(
                             resource.RLIMIT_FSIZE, (limit, limit)))

    def test_an_interrupt_leaves_nothing(self):
        def comes(number):  # before the first file
            signal.pthread_sigmask(signal.SIG_BLOCK, [number])
            os.kill(os.getpid(), number)

        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            self.refused(130, "interrupted; nothing was written", "poller",
                         "mine", before=lambda: comes(number))

    def test_a_place_that_is_not_ours_is_left_alone(self):
        os.mkdir(self.path("locked"))
        os.chmod(self.path("locked"), 0o555)
        os.chmod(self.dir, 0o755)
        try:
            self.refused(1, "cannot make the folder locked/mine: Permission "
                         "denied; nothing was written", "poller", "mine",
                         "locked/mine", before=nobody)
        except (PermissionError, subprocess.SubprocessError):
            self.skipTest("%s is not everybody's to run" % PONS)

    def test_wrong_settings_are_said(self):
        result = self.pons("new", "poller", "mine", PONS_RECTOR="x")
        self.assertEqual((result.returncode, result.stdout), (2, ""))
        self.assertIn("PONS_RECTOR", result.stderr)
        self.assertEqual(os.listdir(self.dir), [])


class Folder(Test):
    def test_each_kind_has_its_files(self):
        for kind, files in KINDS.items():
            said = self.works(self.pons("new", kind, "mine", kind))
            self.assertEqual(set(os.listdir(self.path(kind))), files)
            self.assertEqual(said, "mine: a %s, in %d files. Now:\n\n  cd %s\n"
                             "  cmake -B build && cmake --build build\n"
                             "  ctest --test-dir build\n"
                             "  PONS_PLUGIN_PATH_ADD=$PWD/build pons list mine"
                             "\n" % (kind, len(files), kind))
            for name in files:
                with open(self.path(kind, name)) as f:
                    text = f.read()
                self.assertNotIn("MINE", text)
                self.assertTrue(text.endswith("\n"), name)

    def test_the_folder_is_called_as_the_engine_by_itself(self):
        self.works(self.pons("new", "pool", "my_own"))
        self.assertIn("my_own.c", os.listdir(self.path("my_own")))
        self.assertEqual(os.listdir(self.dir), ["my_own"])

    def test_the_folder_may_be_called_anything(self):
        for name in ("it's  here", "-", "a/b/", "$(x)", "..a"):
            os.makedirs(self.path("a"), exist_ok=True)
            said = self.works(self.pons("new", "poller", "mine", "--", name))
            word = re.search(r"(?m)^  cd (.*)$", said)[1]
            self.assertEqual(shlex.split(word),
                             ["./-" if name == "-" else name])
            self.assertIn("mine.c", os.listdir(self.path(name)))

    def test_modes_are_those_of_the_umask(self):
        for mask in (0o22, 0o77, 0o2):
            name = "m%o" % mask
            self.works(self.pons("new", "poller", name,
                                 before=lambda: os.umask(mask)))
            mode = os.stat(self.path(name)).st_mode
            self.assertEqual(mode & 0o777, 0o777 & ~mask)
            mode = os.stat(self.path(name, "README.md")).st_mode
            self.assertEqual(mode & 0o777, 0o666 & ~mask)


class Project(Test):
    """Built against what is installed, and nothing else."""

    @classmethod
    def setUpClass(cls):
        cls.prefix = tempfile.TemporaryDirectory(prefix="pons_prefix_")
        result = run("cmake", "--install", BUILD, "--prefix", cls.prefix.name)
        if result.returncode != 0:
            raise AssertionError(result.stderr)
        cls.command = os.path.join(cls.prefix.name, "bin", "pons")

    @classmethod
    def tearDownClass(cls):
        cls.prefix.cleanup()

    def make(self, kind, name="mine", umask=0o22):
        self.works(run(self.command, "new", kind, name, cwd=self.dir,
                       before=lambda: os.umask(umask)))
        return self.path(name)

    def build(self, folder, *options, umask=0o22):
        """Its build folder."""
        done = run("cmake", "-G", "Ninja", "-B", "build",
                   "-DCMAKE_PREFIX_PATH=" + self.prefix.name,
                   "-DCMAKE_COMPILE_WARNING_AS_ERROR=ON", *options, cwd=folder,
                   before=lambda: os.umask(umask))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        done = run("cmake", "--build", "build", cwd=folder,
                   before=lambda: os.umask(umask))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return os.path.join(folder, "build")

    def listed(self, kind, build):
        said = self.works(run(self.command, "list", "mine",
                              PONS_PLUGIN_PATH=build))
        self.assertRegex(said, r"^mine +%s +- +%s/mine\.so  usable\n" %
                         (kind, re.escape(build)))

    def headers(self):
        return "-I" + os.path.join(self.prefix.name, "include")

    def test_each_builds_and_is_listed(self):
        for kind in KINDS:
            for compiler in ("gcc", "clang"):
                with self.subTest(kind=kind, compiler=compiler):
                    folder = self.make(kind)
                    build = self.build(folder,
                                       "-DCMAKE_C_COMPILER=" + compiler,
                                       "-DCMAKE_C_FLAGS=-Wall -Wextra -Wshadow "
                                       "-Wstrict-prototypes "
                                       "-Wmissing-prototypes")
                    self.listed(kind, build)
                    os.rename(folder, self.path(kind + compiler))

    def test_each_conforms(self):
        for kind in KINDS:
            folder = self.make(kind)
            build = self.build(folder)
            done = run("ctest", "--test-dir", build, "--output-on-failure")
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertIn("100% tests passed, 0 tests failed out of 1",
                          done.stdout)
            os.rename(folder, self.path(kind))

    def served(self, **settings):
        """What `pons serve' says of itself, and a file that it has served."""
        with open(self.path("file"), "w") as f:
            f.write("text\n" * 100000)
        server = subprocess.Popen(
            [self.command, "serve", self.dir, "-p", "0"],
            env=environment(settings), stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True)
        timer = threading.Timer(LIMIT, server.kill)
        timer.start()
        try:
            said = server.stdout.readline()
            url = re.search(r"http://\S+", said)[0] + "/file"
            got = run(self.command, "fetch", "-o", self.path("got"), url,
                      **settings)
            self.assertEqual(got.returncode, 0, got.stderr)
            with open(self.path("got", "file")) as f:
                return said, f.read()
        finally:
            server.terminate()
            server.communicate()
            timer.cancel()

    def test_each_works(self):
        for kind in KINDS:
            folder = self.make(kind)
            settings = {"PONS_PLUGIN_PATH": self.build(folder),
                        SETTING[kind]: "mine"}
            said, text = self.served(**settings)
            self.assertIn("pool mine" if kind == "pool" else "reactor mine",
                          said)
            self.assertEqual(text, "text\n" * 100000)
            os.rename(folder, self.path(kind))
            shutil.rmtree(self.path("got"))

    def test_one_may_be_built_by_hand(self):
        for kind in KINDS:
            folder = self.make(kind)
            done = run("cc", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC",
                       self.headers(), "mine.c", "-o", "mine.so", cwd=folder)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.listed(kind, folder)
            os.rename(folder, self.path(kind))

    def test_it_is_installed_where_it_is_found(self):
        build = self.build(self.make("poller"))
        self.works(run("cmake", "--install", build, "--prefix",
                       self.path("usr")))
        plugins = [folder for folder, _, files in os.walk(self.path("usr"))
                   if files == ["mine.so"]]
        self.assertEqual(len(plugins), 1)
        self.assertEqual(os.path.basename(plugins[0]), "pons")
        self.listed("poller", plugins[0])

    def test_the_guides_are_installed(self):
        for guide in ("write-a-reactor.md", "write-a-pool-policy.md"):
            self.assertTrue(os.path.exists(os.path.join(
                self.prefix.name, "share", "doc", "pons", guide)))

    def test_it_builds_where_the_command_is_not_installed(self):
        folder = self.make("poller")
        os.rename(self.command, self.command + ".away")
        try:
            build = self.build(folder)
        finally:
            os.rename(self.command + ".away", self.command)
        self.listed("poller", build)

    def test_a_umask_that_lets_the_group_write_does_no_harm(self):
        folder = self.make("pool", umask=0o2)
        self.listed("pool", self.build(folder, umask=0o2))

    def test_a_name_that_is_on_the_plugin_path_is_taken(self):
        build = self.build(self.make("pool"))
        result = run(self.command, "new", "reactor", "mine", self.path("two"),
                     PONS_PLUGIN_PATH_ADD=build)
        self.assertEqual(result.returncode, 2)
        self.assertEqual(result.stderr, 'pons: new: there is an engine "mine" '
                         "already (%s/mine.so); choose another name\n" % build)
        self.assertFalse(os.path.exists(self.path("two")))

    def test_any_name_compiles(self):
        names = ["all", "call", "config", "double", "eventfd", "int", "linux",
                 "mem", "place", "pthread", "Q", "self", "sem", "sigaction",
                 "str", "submit", "test", "time", "waiting", "x" * 31]
        for kind in KINDS:
            for name in names:
                folder = self.make(kind, name)
                done = run("gcc", "-fsyntax-only", "-Wall", "-Wextra",
                           "-Werror", self.headers(), name + ".c", cwd=folder)
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                os.rename(folder, self.path(kind + name))

    def test_a_name_that_means_something_to_cmake_builds(self):
        for name in ("test", "install"):
            build = self.build(self.make("pool", name))
            self.assertTrue(os.path.exists(os.path.join(build, name + ".so")))


if __name__ == "__main__":
    if len(sys.argv) < 3 or not os.access(sys.argv[1], os.X_OK):
        sys.exit("usage: new_test.py PONS BUILD [TEST...]")
    PONS, BUILD = (os.path.abspath(p) for p in sys.argv[1:3])
    unittest.main(argv=sys.argv[:1] + sys.argv[3:], verbosity=2)
