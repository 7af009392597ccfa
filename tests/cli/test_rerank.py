"""`mullama rerank`: order, formats, sources, and what is refused."""

import json
import struct
import unittest

from program import ECHO, fixture, run

QUERY = ("--query", "what is a fox")
DOCUMENTS = ("the fox is quick", "a dog", "", "the fox is quick")


# Nothing to be measured first.
ONE_THREAD = ("--threads", "1", "--threads-batch", "1")


def scores(model, *arguments, **more):
    result = run("rerank", fixture(model), *QUERY, *arguments, *ONE_THREAD, "--json", **more)
    assert result.code == 0, result.err
    return json.loads(result.out)


def as_float(number):
    """The float that JSON's fewest digits stand for, whose own digits may round the other way."""
    return struct.unpack("f", struct.pack("f", number))[0]


class Order(unittest.TestCase):
    def test_best_first(self):
        for model in ("bert_rank", "qwen_rank"):
            # One at a time, so that equal documents have equal scores.
            value = scores(model, *DOCUMENTS, "--batch-size", "64")
            self.assertEqual(value["query"], "what is a fox")
            found = value["results"]
            self.assertEqual(sorted(row["index"] for row in found), [0, 1, 2, 3])
            self.assertEqual([row["score"] for row in found],
                             sorted((row["score"] for row in found), reverse=True))
            self.assertEqual([row["document"] for row in found],
                             [DOCUMENTS[row["index"]] for row in found])
            # Equals stay in their order.
            places = [row["index"] for row in found]
            self.assertLess(places.index(0), places.index(3))

    def test_as_they_came(self):
        exact = ("--flash-attention", "off")
        plain = scores("bert_rank", *DOCUMENTS, "--no-sort", *exact)["results"]
        self.assertEqual([row["index"] for row in plain], [0, 1, 2, 3])
        for i, document in enumerate(DOCUMENTS):
            alone = scores("bert_rank", document, *exact)["results"]
            self.assertAlmostEqual(alone[0]["score"], plain[i]["score"], places=5)

    def test_top(self):
        every = scores("bert_rank", *DOCUMENTS)["results"]
        for count in (0, 1, 3, 9):
            self.assertEqual(scores("bert_rank", *DOCUMENTS, "--top", str(count))["results"],
                             every[:count])

    def test_classes(self):
        for row in scores("qwen_rank", *DOCUMENTS)["results"]:
            self.assertEqual(len(row["scores"]), 2)
            self.assertEqual(row["score"], row["scores"][0])
            self.assertAlmostEqual(sum(row["scores"]), 1, places=5)
        self.assertNotIn("scores", scores("bert_rank", *DOCUMENTS)["results"][0])

    def test_text(self):
        rows = scores("bert_rank", *DOCUMENTS)["results"]
        result = run("rerank", fixture("bert_rank"), *QUERY, *DOCUMENTS, *ONE_THREAD)
        self.assertEqual(result.out.splitlines(),
                         [f"{as_float(row['score']):.6f}\t{row['index']}\t{row['document']}"
                          for row in rows])

    def test_lines(self):
        wanted = scores("bert_rank", "one", "two")
        self.assertEqual(scores("bert_rank", stdin=b"one\ntwo\n"), wanted)
        self.assertEqual(scores("bert_rank", "-", stdin=b"one\r\ntwo"), wanted)


class Refusals(unittest.TestCase):
    def test_mistakes(self):
        result = run("rerank", fixture("bert_rank"), "a")
        self.assertEqual(result.code, 2)
        self.assertIn("--query is missing", result.err)
        result = run("rerank", fixture("bert_rank"), *QUERY)
        self.assertEqual(result.code, 2)
        self.assertIn("DOCUMENT is missing", result.err)

    def test_no_reranker(self):
        for model in ("llama", "bert_mean", "t5"):
            result = run("rerank", fixture(model), *QUERY, "a")
            self.assertEqual((result.code, result.out), (1, ""), model)
            self.assertIn("reranker", result.err)
        result = run("rerank", *ECHO, *QUERY, "a", "--json")
        self.assertEqual(result.code, 1)
        self.assertEqual(json.loads(result.err)["error"]["code"], "unsupported")

    def test_too_long(self):
        long = "fox " * 600
        result = run("rerank", fixture("bert_rank"), *QUERY, "a", long)
        self.assertEqual((result.code, result.out), (1, ""))
        self.assertIn("documents[1]", result.err)
        self.assertEqual(len(scores("bert_rank", "a", long, "--truncate")["results"]), 2)


if __name__ == "__main__":
    unittest.main()
