"""`mullama embed`: where texts come from, the formats, and numbers worked out in echo_engine.py."""

import json
import os
import struct
import tempfile
import unittest

import echo_engine
from program import ECHO, Running, fixture, run

MEAN = (*ECHO, "--pooling", "mean")
TEXTS = ("the quick fox", "é", "a longer text than the others, with a number: 12")


class Numbers(unittest.TestCase):
    def assertAlike(self, row, wanted):
        self.assertEqual(len(row), len(wanted))
        for number, its in zip(row, wanted):
            self.assertAlmostEqual(number, its, places=6)

    def test_rows_are_what_they_should_be(self):
        result = run("embed", *MEAN, *TEXTS, "--json")
        self.assertEqual((result.code, result.err), (0, ""))
        value = json.loads(result.out)
        self.assertEqual(result.out.count("\n"), 1)
        self.assertEqual((value["n_embd"], value["pooling"], value["normalized"]),
                         (16, "mean", True))
        self.assertEqual(value["tokens"], [len(echo_engine.tokenize(text)) for text in TEXTS])
        for row, text in zip(value["embeddings"], TEXTS, strict=True):
            self.assertAlike(row, echo_engine.unit(echo_engine.mean_embedding(text)))

    def test_as_long_as_they_are(self):
        value = json.loads(run("embed", *MEAN, *TEXTS, "--json", "--no-normalize").out)
        self.assertFalse(value["normalized"])
        for row, text in zip(value["embeddings"], TEXTS, strict=True):
            self.assertAlike(row, echo_engine.mean_embedding(text))

    def test_poolings(self):
        tokens = echo_engine.tokenize("ab")
        for pooling, token in (("cls", tokens[0]), ("last", tokens[-1])):
            value = json.loads(run("embed", *ECHO, "--pooling", pooling, "ab", "--json").out)
            self.assertAlike(value["embeddings"][0],
                             echo_engine.unit(echo_engine.embedding(token)))

    def test_of_each_token(self):
        result = run("embed", *ECHO, "--pooling", "none", "ab", "c", "--json")
        value = json.loads(result.out)
        for rows, text in zip(value["embeddings"], ("ab", "c"), strict=True):
            tokens = echo_engine.tokenize(text)
            for row, token in zip(rows, tokens, strict=True):
                self.assertAlike(row, echo_engine.unit(echo_engine.embedding(token)))
        text = run("embed", *ECHO, "--pooling", "none", "ab", "c").out
        self.assertEqual(len(text.splitlines()), 7)

    def test_special_tokens(self):
        value = json.loads(run("embed", *MEAN, "a", "--no-special", "--json").out)
        self.assertAlike(value["embeddings"][0],
                         echo_engine.unit(echo_engine.embedding(ord("a"))))

    def test_each_line_is_its_own(self):
        # More texts than are computed at a time, on a real model. Flash attention would round to
        # half precision.
        model = (fixture("bert_mean"), "--flash-attention", "off", "--json")
        texts = ["fox " * (i % 7 + 1) + str(i) for i in range(70)]
        together = json.loads(run("embed", *model, *texts).out)
        for i in (0, 33, 69):
            alone = json.loads(run("embed", *model, texts[i]).out)
            for a, b in zip(alone["embeddings"][0], together["embeddings"][i], strict=True):
                self.assertAlmostEqual(a, b, places=5)


class Formats(unittest.TestCase):
    def setUp(self):
        self.rows = json.loads(run("embed", *MEAN, *TEXTS, "--json").out)["embeddings"]

    def test_text(self):
        for arguments in ((), ("--format", "text")):
            result = run("embed", *MEAN, *TEXTS, *arguments)
            self.assertEqual([[float(number) for number in line.split(" ")]
                              for line in result.out.splitlines()], self.rows)

    def test_json(self):
        self.assertEqual(json.loads(run("embed", *MEAN, *TEXTS, "--format", "json").out)
                         ["embeddings"], self.rows)

    def test_ndjson(self):
        lines = run("embed", *MEAN, *TEXTS, "--format", "ndjson").out.splitlines()
        values = [json.loads(line) for line in lines]
        self.assertEqual([value["embedding"] for value in values], self.rows)
        self.assertEqual([value["text"] for value in values], list(TEXTS))
        self.assertEqual([value["index"] for value in values], [0, 1, 2])

    def test_raw(self):
        result = run("embed", *MEAN, *TEXTS, "--format", "raw")
        numbers = struct.unpack(f"<{len(result.out_bytes) // 4}f", result.out_bytes)
        wanted = [number for row in self.rows for number in row]
        self.assertEqual(len(numbers), len(wanted))
        # JSON has the shortest decimals that read back as the same float.
        self.assertEqual(numbers, struct.unpack(f"<{len(wanted)}f",
                                                struct.pack(f"<{len(wanted)}f", *wanted)))
        running = Running("embed", *MEAN, "a", "--format", "raw", terminal=("stdout",))
        self.assertEqual(running.wait(), 2)
        self.assertIn(b"not for a terminal", running.text["stderr"])

    def test_what_is_none(self):
        result = run("embed", *MEAN, "a", "--format", "yaml")
        self.assertEqual(result.code, 2)
        self.assertIn("text|json|ndjson|raw", result.err)


class Sources(unittest.TestCase):
    def test_lines(self):
        wanted = run("embed", *MEAN, "one", "", "three").out
        lines = b"one\n\nthree\n"
        self.assertEqual(run("embed", *MEAN, stdin=lines).out, wanted)
        self.assertEqual(run("embed", *MEAN, "-", stdin=lines).out, wanted)
        self.assertEqual(run("embed", *MEAN, stdin=b"one\r\n\r\nthree").out, wanted)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "lines.txt")
            with open(path, "wb") as file:
                file.write(lines)
            self.assertEqual(run("embed", *MEAN, "--file", path).out, wanted)
            result = run("embed", *MEAN, "--file", path, "more")
            self.assertEqual(result.code, 2)
            self.assertIn("not both", result.err)
            result = run("embed", *MEAN, "--file", path + ".gone")
            self.assertEqual(result.code, 2)
            self.assertIn("at:       --file", result.err)

    def test_nothing(self):
        result = run("embed", *MEAN)
        self.assertEqual(result.code, 2)
        self.assertIn("TEXT is missing", result.err)
        result = run("embed", *MEAN, stdin=b"")
        self.assertEqual((result.code, result.out, result.err), (0, "", ""))
        self.assertEqual(json.loads(run("embed", *MEAN, "--json", stdin=b"").out)["embeddings"],
                         [])


class Refusals(unittest.TestCase):
    def test_pooling_is_missing(self):
        result = run("embed", fixture("llama"), "a")
        self.assertEqual((result.code, result.out), (2, ""))
        self.assertIn("--pooling mean", result.err)

    def test_too_long(self):
        long = "fox " * 600
        result = run("embed", fixture("bert_mean"), "a", long)
        self.assertEqual((result.code, result.out), (1, ""))
        self.assertIn("texts[1]", result.err)
        self.assertIn("at most 512 tokens", result.err)
        # More room does not help where the model knows no more positions.
        result = run("embed", fixture("bert_mean"), "a", long, "-c", "4096", "-b", "4096")
        self.assertEqual(result.code, 1)
        self.assertIn("positions", result.err)
        result = run("embed", fixture("bert_mean"), "a", long, "--truncate", "--json")
        self.assertEqual(result.code, 0, result.err)
        self.assertEqual(len(json.loads(result.out)["embeddings"]), 2)
        error = json.loads(run("embed", fixture("bert_mean"), long, "--format", "ndjson").err)
        self.assertEqual(error["error"]["code"], "no_space")

    def test_what_is_no_text(self):
        result = run("embed", *MEAN, stdin=b"good\nab\xff\n")
        self.assertEqual((result.code, result.out), (2, ""))
        self.assertIn("offset:   2", result.err)

    def test_kinds_of_model(self):
        result = run("embed", fixture("t5"), "a", "--pooling", "mean")
        self.assertEqual(result.code, 2)
        self.assertIn("encoder-decoder", result.err)
        self.assertEqual(run("embed", fixture("bert_mean"), "a", "--pooling", "rank").code, 2)
        self.assertEqual(run("embed", fixture("bert_rank"), "a").code, 1)


if __name__ == "__main__":
    unittest.main()
