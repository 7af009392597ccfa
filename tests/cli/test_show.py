"""`mullama show`: what a file is, and what is wrong with one that is no model."""

import json
import pathlib
import tempfile
import unittest

from program import ECHO, FIXTURES, fixture, run

MANIFEST = json.loads((FIXTURES / "manifest.json").read_text())["fixtures"]


def facts(name: str) -> dict:
    return next(row for row in MANIFEST if row["name"] == name)


class Describe(unittest.TestCase):
    def test_table(self):
        result = run("show", fixture("llama"))
        self.assertEqual((result.code, result.err), (0, ""))
        self.assertRegex(result.out, r"(?m)^  architecture +llama$")
        self.assertRegex(result.out, r"(?m)^  context length +1024$")
        self.assertRegex(result.out, r"(?m)^  vocabulary +512 tokens, spm$")
        self.assertRegex(result.out, r"(?m)^  fingerprint +[0-9a-f]{32}$")
        self.assertRegex(result.out, r"(?m)^  total +\d")
        self.assertRegex(result.out, r"(?m)^  bos +1 +\"<s>\"$")

    def test_json_says_what_the_fixture_is(self):
        for row in MANIFEST:
            if row["kind"] != "model":
                continue
            result = run("show", "--json", str(FIXTURES / row["files"][0]))
            self.assertEqual(result.code, 0, f"{row['name']}: {result.err}")
            value = json.loads(result.out)
            for ours, theirs in (("architecture", "arch"), ("vocabulary_type", "vocab"),
                                 ("vocabulary_size", "n_vocab"), ("parameters", "n_params"),
                                 ("context_length", "n_ctx_train"), ("layers", "n_layer"),
                                 ("embedding_length", "n_embd")):
                self.assertEqual(value[ours], row[theirs], f"{row['name']}: {ours}")
            self.assertIn(row["arch"], value["description"])
            self.assertRegex(value["fingerprint"], "^[0-9a-f]{32}$")

    def test_capabilities(self):
        for name, wanted in (("llama", {"decoder"}), ("moe", {"decoder", "experts"}),
                             ("recurrent", {"decoder", "recurrent"}),
                             ("swa", {"decoder", "sliding-window"}),
                             ("t5", {"decoder", "encoder"}), ("bert_mean", {"encoder", "embedding"}),
                             ("bert_rank", {"rerank"}), ("hybrid", {"hybrid"})):
            value = json.loads(run("show", "--json", fixture(name)).out)
            self.assertLessEqual(wanted, set(value["capabilities"]), name)

    def test_metadata(self):
        result = run("show", "--metadata", fixture("llama"))
        self.assertEqual(result.code, 0)
        self.assertRegex(result.out, r"(?m)^  general\.architecture +string +\"llama\"$")
        # A vocabulary of 512 is not written out.
        self.assertRegex(result.out, r"(?m)^  tokenizer\.ggml\.tokens +string\[512\] +.*\.\.\.")
        value = json.loads(run("show", "--json", "--metadata", fixture("llama")).out)
        self.assertEqual(value["metadata"]["general.architecture"], "llama")
        self.assertEqual(len(value["metadata"]["tokenizer.ggml.tokens"]), 512)
        self.assertEqual(len(value["metadata"]), facts("llama")["n_kv"])

    def test_override(self):
        value = json.loads(run("show", "--json", "--metadata", "--override-kv",
                               "general.name=str:Another", "--override-kv",
                               "llama.context_length=int:512", fixture("llama")).out)
        self.assertEqual(value["metadata"]["general.name"], "Another")
        self.assertEqual(value["metadata"]["llama.context_length"], 512)
        self.assertEqual(value["context_length"], 512)
        self.assertEqual(value["memory"]["n_ctx"], 512)

    def test_memory_grows_with_the_context(self):
        def memory(size):
            return json.loads(run("show", "--json", "-c", size, fixture("llama")).out)["memory"]

        small, large = memory("256"), memory("1024")
        self.assertEqual((small["n_ctx"], large["n_ctx"]), (256, 1024))
        self.assertEqual(small["host_context"] * 4, large["host_context"])
        self.assertGreater(large["total"], small["total"])

    def test_template(self):
        result = run("show", "--template", *ECHO)
        self.assertEqual(result.code, 0)
        self.assertIn("{% for message in messages %}", result.out)
        value = json.loads(run("show", "--json", *ECHO).out)
        self.assertEqual(value["chat_template"], result.out)
        self.assertIn("chat-template", value["capabilities"])
        none = run("show", "--template", fixture("vocab_wpm"))
        self.assertEqual(none.code, 1)
        self.assertIn("no chat template", none.err)

    def test_a_file_that_is_called_anything(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "Modell ohne Endung é"
            path.write_bytes(pathlib.Path(fixture("llama")).read_bytes())
            self.assertEqual(run("show", str(path)).code, 0)


class Broken(unittest.TestCase):
    def test_every_broken_file_gives_an_error_that_says_why(self):
        broken = [row for row in MANIFEST if row["kind"] == "broken"]
        self.assertGreater(len(broken), 10)
        for row in broken:
            # What is wrong with the weights themselves is looked for where that was asked for.
            how = ("--check-tensors", "--probe") if row["needs"] == "check_tensors" else ()
            result = run("show", "--json", *how, str(FIXTURES / row["files"][0]))
            self.assertEqual(result.code, 3, f"{row['name']}: {result.out}{result.err}")
            error = json.loads(result.err)["error"]
            self.assertGreater(len(error["message"]), 10, row["name"])

    def test_missing(self):
        result = run("show", "/nowhere/model.gguf")
        self.assertEqual((result.code, result.out), (3, ""))
        self.assertIn("/nowhere/model.gguf", result.err)

    def test_folder(self):
        self.assertEqual(run("show", "/").code, 3)


class Probe(unittest.TestCase):
    def test_a_sound_model(self):
        result = run("show", "--probe", "--json", fixture("llama"))
        self.assertEqual(result.code, 0, result.err)
        self.assertEqual(json.loads(result.out)["architecture"], "llama")

    def test_every_kind_of_model(self):
        for name in ("t5", "bert_mean", "recurrent", "bert_rank"):
            result = run("show", "--probe", fixture(name))
            self.assertEqual(result.code, 0, f"{name}: {result.err}")

    def test_settings_reach_the_child(self):
        result = run("show", "--probe", "--devices", "none", "--load-mode", "read", "--no-repack",
                     "--check-tensors", "--gpu-layers", "0", "--split-mode", "none",
                     "--override-kv", "llama.context_length=int:512",
                     fixture("llama"))
        self.assertEqual(result.code, 0, result.err)

    def test_protocol(self):
        self.assertEqual(run("probe", "--backend=llama", "--", fixture("llama")).out, "ok\n")
        refused = run("probe", "--backend=llama", "--", "/nowhere.gguf")
        self.assertEqual(refused.code, 3)
        code, parameter, message = refused.out.split("\n", 2)
        self.assertEqual((code, parameter), ("11", "path"))
        self.assertIn("/nowhere.gguf", message)


if __name__ == "__main__":
    unittest.main()
