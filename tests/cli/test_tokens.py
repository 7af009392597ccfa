"""`mullama tokenize` and `mullama detokenize`: there and back."""

import json
import unittest

from program import ECHO, fixture, run

VOCABULARIES = ("vocab_spm", "vocab_bpe", "vocab_wpm", "vocab_ugm", "vocab_rwkv", "vocab_plamo2")


class There(unittest.TestCase):
    def test_ids_on_one_line(self):
        result = run("tokenize", fixture("llama"), "the quick brown fox")
        self.assertEqual(result.code, 0, result.err)
        self.assertRegex(result.out, r"^\d+( \d+)*\n$")

    def test_pieces(self):
        ids = run("tokenize", fixture("llama"), "the fox").out.split()
        rows = [row.split("\t") for row in
                run("tokenize", "--pieces", fixture("llama"), "the fox").out.splitlines()]
        self.assertEqual([row[0] for row in rows], ids)
        self.assertIn('"', rows[0][1])

    def test_json(self):
        ids = run("tokenize", fixture("llama"), "the fox").out.split()
        value = json.loads(run("tokenize", "--json", fixture("llama"), "the fox").out)
        self.assertEqual(value, {"tokens": [int(token) for token in ids]})
        value = json.loads(run("tokenize", "--json", "--pieces", "--no-special", *ECHO, "aé").out)
        # Half a character is no string.
        self.assertEqual(value["pieces"], ["a", [0xC3], [0xA9]])

    def test_special_tokens(self):
        with_bos = run("tokenize", fixture("llama"), "a").out.split()
        without = run("tokenize", "--no-special", fixture("llama"), "a").out.split()
        self.assertEqual(with_bos[1:], without)
        read = run("tokenize", "--no-special", "--parse-special", fixture("llama"), "</s>").out
        self.assertEqual(len(read.split()), 1)
        spelled = run("tokenize", "--no-special", fixture("llama"), "</s>").out
        self.assertGreater(len(spelled.split()), 1)

    def test_standard_input(self):
        wanted = run("tokenize", *ECHO, "ab\nc").out
        self.assertEqual(run("tokenize", *ECHO, "-", stdin=b"ab\nc").out, wanted)
        self.assertEqual(run("tokenize", *ECHO, stdin=b"ab\nc").out, wanted)
        nothing = run("tokenize", *ECHO)
        self.assertEqual(nothing.code, 2)
        self.assertIn("TEXT is missing", nothing.err)

    def test_invalid_utf8(self):
        result = run("tokenize", fixture("llama"), "-", stdin=b"ab\xc3(")
        self.assertEqual(result.code, 2)
        self.assertIn("offset:   2", result.err)


class Back(unittest.TestCase):
    def test_every_vocabulary(self):
        for name in VOCABULARIES:
            ids = run("tokenize", "--no-special", fixture(name), "the").out.split()
            result = run("detokenize", fixture(name), *ids)
            self.assertEqual(result.code, 0, result.err)
            self.assertEqual(result.out.strip(), "the", name)

    def test_forms_of_a_list(self):
        ids = run("tokenize", *ECHO, "héllo").out.split()
        for stdin in (" ".join(ids), ",".join(ids), json.dumps([int(x) for x in ids]),
                      "\n".join(ids) + "\n"):
            for dash in ((), ("-",)):
                result = run("detokenize", *ECHO, *dash, stdin=stdin.encode())
                self.assertEqual((result.code, result.out), (0, "héllo"), stdin)
        self.assertEqual(run("detokenize", *ECHO, *ids).out, "héllo")
        self.assertEqual(run("detokenize", *ECHO, "[" + ",".join(ids) + "]").out, "héllo")

    def test_bytes_come_out_as_they_are(self):
        ids = run("tokenize", "--no-special", *ECHO, "é").out.split()
        self.assertEqual(run("detokenize", *ECHO, ids[0]).out_bytes, b"\xc3")
        value = json.loads(run("detokenize", "--json", *ECHO, ids[0]).out)
        self.assertEqual(value, {"text": "\ufffd"})

    def test_special_tokens(self):
        ids = run("tokenize", *ECHO, "a").out.split()
        self.assertEqual(run("detokenize", *ECHO, *ids).out, "a")
        self.assertEqual(run("detokenize", "--show-special", *ECHO, *ids).out, "<|bos|>a<|sep|>")
        ids = run("tokenize", fixture("llama"), "a").out.split()
        shown = run("detokenize", "--show-special", fixture("llama"), *ids).out
        removed = run("detokenize", "--show-special", "--remove-special", fixture("llama"), *ids)
        self.assertEqual(shown, "<s>" + removed.out)
        self.assertEqual(removed.out.strip(), "a")

    def test_what_is_no_token(self):
        result = run("detokenize", fixture("llama"), "1", "x")
        self.assertEqual(result.code, 2)
        self.assertIn("'x'", result.err)
        for token in ("512", "-1"):
            result = run("detokenize", fixture("llama"), "1", token)
            self.assertEqual(result.code, 2, token)
            self.assertIn(token, result.err)


if __name__ == "__main__":
    unittest.main()
