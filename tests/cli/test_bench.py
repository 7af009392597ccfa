"""`mullama bench`: the rows of llama-bench."""

import json
import unittest

from program import ECHO, Running, fixture, run


class Bench(unittest.TestCase):
    def test_table(self):
        result = run("bench", fixture("llama"), "-p", "32", "-n", "8", "-r", "2", "-t", "1")
        self.assertEqual((result.code, result.err), (0, ""))
        head, rule, prompt, generate = result.out.splitlines()
        self.assertEqual([cell.strip() for cell in head.split("|")[1:-1]],
                         ["model", "size", "params", "backend", "threads", "test", "t/s"])
        self.assertRegex(rule, r"^(\| -+:? )+\|$")
        for row, test in ((prompt, "pp32"), (generate, "tg8")):
            cells = [cell.strip() for cell in row.split("|")[1:-1]]
            self.assertEqual(cells[4:6], ["1", test])
            self.assertRegex(cells[6], r"^\d+\.\d\d ± \d+\.\d\d$")
        # A terminal shows it in columns.
        self.assertEqual(len({len(line) for line in result.out.splitlines()}), 1)

    def test_json(self):
        # Not a real model: two threads on a busy machine take minutes.
        result = run("bench", *ECHO, "-p", "16,32", "-n", "4", "-r", "3", "-t", "1,2", "--json")
        value = json.loads(result.out)
        self.assertEqual([(row["test"], row["n_threads"]) for row in value["tests"]],
                         [("pp16", 1), ("pp32", 1), ("tg4", 1),
                          ("pp16", 2), ("pp32", 2), ("tg4", 2)])
        for row in value["tests"]:
            self.assertEqual(len(row["nanoseconds"]), 3)
            tokens = row["n_prompt"] + row["n_generate"]
            rates = [tokens * 1e9 / time for time in row["nanoseconds"]]
            self.assertAlmostEqual(row["tokens_per_second"], sum(rates) / 3, places=3)

    def test_with_adapters(self):
        arguments = ("bench", fixture("llama"), "-p", "8", "-n", "0", "-r", "1", "-t", "1")
        result = run(*arguments, "--lora", fixture("lora_llama"),
                     "--control-vector", fixture("vector_llama") + "=0.5")
        self.assertEqual((result.code, result.err), (0, ""))
        result = run(*arguments, "--lora", fixture("lora_deep"))
        self.assertEqual(result.code, 3)

    def test_threads_are_measured(self):
        value = json.loads(run("bench", fixture("llama"), "-p", "16", "-n", "4", "-r", "1",
                               "--json").out)
        for row in value["tests"]:
            self.assertGreaterEqual(row["n_threads"], 1)

    def test_time_is_what_it_took(self):
        slow = ("--override-kv", "echo.microseconds_per_token=int:2000")
        value = json.loads(run("bench", *ECHO, *slow, "-p", "0", "-n", "10", "-r", "2", "-t", "1",
                               "--json").out)
        (row,) = value["tests"]
        for time in row["nanoseconds"]:
            self.assertGreaterEqual(time, 10 * 2_000_000)
        self.assertLessEqual(row["tokens_per_second"], 500)

    def test_usage(self):
        self.assertEqual(run("bench", *ECHO, "-r", "0").code, 2)
        self.assertEqual(run("bench", *ECHO, "-p", "1,x").code, 2)
        self.assertEqual(run("bench").code, 2)

    def test_interrupt_keeps_what_was_measured(self):
        slow = ("--override-kv", "echo.microseconds_per_token=int:1000")
        process = Running("bench", *ECHO, *slow, "-p", "1", "-n", "500", "-r", "100", "-t", "1",
                          terminal=("stderr",))
        process.read(b"measuring tg500", "stderr")
        process.interrupt()
        self.assertEqual(process.wait(), 130)
        self.assertIn(b"pp1", process.text["stdout"])


if __name__ == "__main__":
    unittest.main()
