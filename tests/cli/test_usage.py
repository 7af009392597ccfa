"""Arguments, help, exit codes, and streams that end early."""

import os
import subprocess
import unittest

from program import ECHO, PROGRAM, environment, fixture, run

COMMANDS = ("run", "tokenize", "detokenize", "embed", "rerank", "perplexity", "show", "bench",
            "devices", "version")


class Help(unittest.TestCase):
    def test_program(self):
        for flag in ("--help", "-h"):
            result = run(flag)
            self.assertEqual((result.code, result.err), (0, ""))
            for command in COMMANDS:
                self.assertRegex(result.out, rf"(?m)^  {command} ")
            self.assertNotRegex(result.out, r"(?m)^  probe ")
            self.assertIn("Examples:", result.out)

    def test_commands(self):
        for command in COMMANDS:
            result = run(command, "--help")
            self.assertEqual((result.code, result.err), (0, ""), command)
            self.assertIn(f"Usage: mullama {command}", result.out)
            self.assertIn("--json", result.out)

    def test_lines_fit(self):
        for command in COMMANDS:
            for line in run(command, "--help").out.splitlines():
                self.assertLessEqual(len(line), 100, line)


class Mistakes(unittest.TestCase):
    def check(self, *arguments, says):
        result = run(*arguments)
        self.assertEqual((result.code, result.out), (2, ""), arguments)
        self.assertRegex(result.err, r"^mullama: error: .")
        self.assertIn(says, result.err)
        self.assertIn("--help", result.err)

    def test_mistakes(self):
        self.check(says="which command")
        self.check("walk", says="walk")
        self.check("run", says="PATH")
        self.check("show", says="PATH")
        self.check("run", *ECHO, "a", "b", says="no PATH")
        self.check("run", "model", "a", "b", says="b")
        self.check("run", *ECHO, "a", "--frobnicate", says="--frobnicate")
        self.check("run", *ECHO, "a", "-n", "x", says="--max-tokens")
        self.check("run", *ECHO, "a", "-c", "-5", says="--ctx-size")
        self.check("run", *ECHO, "a", "--load-mode", "fast", says="auto|read|mmap")
        self.check("run", *ECHO, "a", "--tensor-split", "1,x", says="--tensor-split")

    def test_what_the_library_refuses_is_named_by_its_flag(self):
        result = run("run", *ECHO, "a", "-t", "-3")
        self.assertEqual(result.code, 2)
        self.assertIn("at:       --threads", result.err)
        result = run("run", fixture("llama"), "a", "--devices", "GPU77")
        self.assertEqual(result.code, 2)
        self.assertIn("GPU77", result.err)
        result = run("run", fixture("llama"), "a", "--override-kv", "nonsense")
        self.assertEqual(result.code, 2)
        self.assertIn("--override-kv", result.err)
        self.assertEqual(run("run", "--backend", "toaster", "x", "a").code, 2)

    def test_the_last_of_two_counts(self):
        self.assertEqual(run("run", *ECHO, "abc", "--temperature", "0", "-n", "9", "-n", "2").out,
                         "ab")


class Streams(unittest.TestCase):
    def start(self, **streams):
        return subprocess.Popen([*PROGRAM, "run", *ECHO, "x" * 2000, "--temperature", "0"],
                                stdin=subprocess.DEVNULL, env=environment(), **streams)

    def test_a_reader_that_goes_away(self):
        process = self.start(stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        process.stdout.close()
        self.assertEqual(process.stderr.read(), b"")
        process.stderr.close()
        self.assertEqual(process.wait(60), 141)

    def test_head(self):
        done = subprocess.run(
            ["sh", "-c", '"$@" | head -c 10', "sh", *PROGRAM, "run", *ECHO, "abcdefghij" * 100,
             "--temperature", "0"],
            capture_output=True, stdin=subprocess.DEVNULL, env=environment(), check=False)
        self.assertEqual((done.stdout, done.stderr), (b"abcdefghij", b""))

    @unittest.skipUnless(os.path.exists("/dev/full"), "no /dev/full")
    def test_full_disk(self):
        with open("/dev/full", "wb") as full:
            process = self.start(stdout=full, stderr=subprocess.PIPE)
            error = process.stderr.read().decode()
            process.stderr.close()
            self.assertEqual(process.wait(60), 1)
        self.assertRegex(error, r"^mullama: error: .*No space left")


if __name__ == "__main__":
    unittest.main()
