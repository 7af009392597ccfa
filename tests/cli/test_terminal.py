"""On a terminal: colours, progress, and text that cannot steer it."""

import unittest

from program import ECHO, GREEDY, Running, fixture, run

SLOW = ("--override-kv", "echo.microseconds_per_token=int:2000")


class Colours(unittest.TestCase):
    def error(self, terminal=("stderr",), **changes):
        process = Running("show", "/nowhere.gguf", terminal=terminal, **changes)
        self.assertEqual(process.wait(), 3)
        return process.text["stderr"]

    def test_only_on_a_terminal(self):
        self.assertIn(b"\x1b[1;31merror:\x1b[0m", self.error())
        self.assertNotIn(b"\x1b", self.error(terminal=()))

    def test_they_can_be_turned_off(self):
        self.assertNotIn(b"\x1b", self.error(NO_COLOR="1"))
        self.assertNotIn(b"\x1b", self.error(TERM="dumb"))
        self.assertIn(b"\x1b", self.error(NO_COLOR=""))


class ProgressBar(unittest.TestCase):
    arguments = ("run", *ECHO, *GREEDY, *SLOW, "x" * 400, "-b", "16", "-t", "1", "--threads-batch",
                 "1", "-n", "1")

    def test_shown_and_erased(self):
        process = Running(*self.arguments, terminal=("stderr",))
        self.assertEqual(process.wait(), 0)
        shown = process.text["stderr"]
        self.assertRegex(shown.decode(), r"reading the prompt +\d+% [█░]+")
        self.assertTrue(shown.endswith(b"\r\x1b[K"), shown[-20:])

    def test_ascii_where_the_terminal_knows_no_more(self):
        process = Running(*self.arguments, terminal=("stderr",), LC_ALL="C")
        self.assertEqual(process.wait(), 0)
        self.assertRegex(process.text["stderr"].decode("ascii"), r"% [#.]+")

    def test_nothing_in_a_pipe(self):
        self.assertEqual(run(*self.arguments).err, "")


class Output(unittest.TestCase):
    def test_text_ends_its_line(self):
        process = Running("run", *ECHO, *GREEDY, "abc", terminal=("stdout",))
        self.assertEqual(process.wait(), 0)
        self.assertEqual(process.text["stdout"], b"abc\r\n")

    def test_escape_sequences_are_defused(self):
        evil = "a\x1b]0;title\x07\x9b31mb"
        process = Running("run", *ECHO, *GREEDY, evil, terminal=("stdout",))
        self.assertEqual(process.wait(), 0)
        self.assertEqual(process.text["stdout"].decode(),
                         "a\ufffd]0;title\ufffd\ufffd31mb\r\n")
        # In a pipe they are the text, and nothing else is.
        self.assertEqual(run("run", *ECHO, *GREEDY, evil).out, evil)

    def test_titles_stand_out(self):
        process = Running("show", fixture("llama"), terminal=("stdout",))
        self.assertEqual(process.wait(), 0)
        self.assertIn(b"\x1b[1mModel\x1b[0m", process.text["stdout"])


if __name__ == "__main__":
    unittest.main()
