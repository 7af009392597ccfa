"""`mullama perplexity`: numbers worked out in echo_engine.py, windows, and what is refused."""

import json
import math
import os
import tempfile
import unittest

import echo_engine
from program import ECHO, Running, fixture, run

TEXT = "The quick brown fox jumps over the lazy dog, as it does in every such text. " * 3


def by_hand(text, window, stride):
    """The log-probabilities that count."""
    tokens = echo_engine.tokenize(text)
    windows = []
    if stride == 0:
        for begin in range(0, len(tokens) - window + 1, window):
            part = [echo_engine.BOS, *tokens[begin + 1:begin + window]]
            windows.append((part, window // 2 + 1))
    else:
        count = -(-(len(tokens) - window) // stride)
        windows = [(tokens[i * stride:i * stride + window], window - stride)
                   for i in range(count)]
    return [[echo_engine.logprob(part[:i], part[i]) for i in range(first, window)]
            for part, first in windows]


class Numbers(unittest.TestCase):
    def check(self, window, stride, *arguments):
        result = run("perplexity", *ECHO, "-c", str(window), *arguments, "--json",
                     stdin=TEXT.encode())
        self.assertEqual((result.code, result.err), (0, ""))
        value = json.loads(result.out)
        parts = by_hand(TEXT, window, stride)
        numbers = [number for part in parts for number in part]
        mean = sum(numbers) / len(numbers)
        variance = sum(number * number for number in numbers) / len(numbers) - mean * mean
        self.assertAlmostEqual(value["mean_logprob"], mean, places=5)
        self.assertAlmostEqual(value["perplexity"] / math.exp(-mean), 1, places=5)
        error = math.sqrt(variance / (len(numbers) - 1)) * math.exp(-mean)
        self.assertAlmostEqual(value["error"] / error, 1, places=4)
        self.assertEqual(value["n_tokens"], len(echo_engine.tokenize(TEXT)))
        self.assertEqual(value["n_scored"], len(numbers))
        self.assertEqual((value["window"], value["stride"]), (window, stride))
        so_far = []
        for i, got in enumerate(value["windows"]):
            so_far += parts[i]
            self.assertAlmostEqual(got / math.exp(-sum(so_far) / len(so_far)), 1, places=5)
        self.assertEqual(len(value["windows"]), len(parts))

    def test_windows_side_by_side(self):
        self.check(32, 0)
        self.check(33, 0)
        self.check(200, 0)

    def test_windows_that_overlap(self):
        self.check(32, 8, "--stride", "8")
        self.check(50, 49, "--stride", "49")

    def test_in_pieces(self):
        # A window in several decodes.
        self.check(64, 0, "-b", "10")

    def test_text(self):
        value = json.loads(run("perplexity", *ECHO, "-c", "32", "--json", stdin=TEXT.encode()).out)
        result = run("perplexity", *ECHO, "-c", "32", stdin=TEXT.encode())
        self.assertEqual(result.out, f"{value['perplexity']:.4f} +/- {value['error']:.5f}\n")
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "text.txt")
            with open(path, "w", encoding="utf-8") as file:
                file.write(TEXT)
            self.assertEqual(run("perplexity", *ECHO, "-c", "32", "--file", path).out, result.out)

    def test_the_first_ones_only(self):
        every = json.loads(run("perplexity", fixture("llama"), "-c", "16", "--json",
                               stdin=TEXT.encode()).out)
        some = json.loads(run("perplexity", fixture("llama"), "-c", "16", "--chunks", "3",
                              "--json", stdin=TEXT.encode()).out)
        self.assertEqual(some["windows"], every["windows"][:3])
        self.assertEqual(some["perplexity"], every["windows"][2])


class Progress(unittest.TestCase):
    def test_on_a_terminal(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "text.txt")
            with open(path, "w", encoding="utf-8") as file:
                file.write(TEXT)
            slow = ("--override-kv", "echo.microseconds_per_token=int:3000")
            running = Running("perplexity", *ECHO, *slow, "-c", "32", "--file", path,
                              terminal=("stderr",))
            running.read(until=b"window 2 of 7", stream="stderr")
            running.interrupt()
            self.assertEqual(running.wait(), 130)


class Refusals(unittest.TestCase):
    def test_no_text(self):
        result = run("perplexity", *ECHO)
        self.assertEqual(result.code, 2)
        self.assertIn("--file", result.err)

    def test_too_short(self):
        result = run("perplexity", *ECHO, stdin=b"short")
        self.assertEqual((result.code, result.out), (2, ""))
        self.assertIn("7 tokens", result.err)
        self.assertIn("at least 512", result.err)

    def test_what_does_not_fit(self):
        result = run("perplexity", *ECHO, "-c", "2", stdin=TEXT.encode())
        self.assertEqual(result.code, 2)
        self.assertIn("at:       --ctx-size", result.err)
        result = run("perplexity", *ECHO, "-c", "32", "--stride", "32", stdin=TEXT.encode())
        self.assertEqual(result.code, 2)
        self.assertIn("at:       --stride", result.err)

    def test_kinds_of_model(self):
        for model in ("bert_mean", "t5"):
            result = run("perplexity", fixture(model), "-c", "16", stdin=TEXT.encode())
            self.assertEqual((result.code, result.out), (1, ""), model)
            self.assertIn("token by token", result.err)


if __name__ == "__main__":
    unittest.main()
