"""`mullama run --state-save`, then `--state-load` in a new process: the tokens of one long run, for
every decoder fixture and every way to store keys and values."""

import concurrent.futures
import json
import os
import pathlib
import tempfile
import unittest

from program import FIXTURES, GREEDY, fixture, run

CACHE_TYPES = ("f32", "f16", "bf16", "q8_0", "q4_0", "q4_1", "iq4_nl", "q5_0", "q5_1")
PROMPT = "Once upon a time there was"
USUAL = ("-t", "1", "--threads-batch", "1", "-c", "256", "--ignore-end", "--json")
SEEDED = ("--temperature", "1.5", "--seed", "7", "--top-k", "0", "--top-p", "1")


def models(capability: str) -> list[str]:
    """The fixtures that can do this, each once; those of other tensor types are no others."""
    rows = json.loads((FIXTURES / "manifest.json").read_text(encoding="utf-8"))["fixtures"]
    return [
        row["name"]
        for row in rows
        if row["kind"] == "model" and "type" not in row and "same_as" not in row and capability in row["capabilities"]
    ]


ENCODERS = models("encoder")
DECODERS = [name for name in models("decoder") if name not in ENCODERS]


def tokens_of(result) -> list[int]:
    lines = [json.loads(line) for line in result.out.splitlines()]
    return [line["token"] for line in lines if line["type"] == "token"]


class NewProcess(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def tokens(self, *arguments: str) -> list[int]:
        result = run("run", *arguments)
        self.assertEqual((result.code, result.err), (0, ""), arguments)
        return tokens_of(result)

    def goes_on(self, model: str, cache: str) -> bool:
        """Whether the model can have such a cache; if so, that nothing shows a run was cut."""
        common = (fixture(model), *USUAL, "--cache-type-k", cache, "--cache-type-v", cache)
        state = str(self.folder / f"{model}-{cache}.state")
        first = run("run", *common, *GREEDY, PROMPT, "-n", "8")
        if first.code != 0:
            self.assertEqual(first.code, 2, first.err)
            self.assertIn(f"the cache type {cache} does not fit this model", first.err)
            self.assertIn("not a multiple of 32", first.err)
            return False
        whole = tokens_of(first)
        head = self.tokens(*common, *GREEDY, PROMPT, "-n", "3", "--state-save", state)
        tail = self.tokens(*common, *GREEDY, "-n", "5", "--state-load", state)
        self.assertEqual(head + tail, whole, (model, cache))

        # Chance starts anew in a new process: so the cut is where the prompt ends.
        whole = self.tokens(*common, *SEEDED, PROMPT, "-n", "8")
        self.tokens(*common, *SEEDED, PROMPT, "-n", "0", "--state-save", state)
        tail = self.tokens(*common, *SEEDED, "-n", "8", "--state-load", state)
        self.assertEqual(tail, whole, (model, cache))
        return True

    def test_goes_on_as_one_long_run(self):
        self.assertGreaterEqual(len(DECODERS), 9)
        cases = [(model, cache) for cache in CACHE_TYPES for model in DECODERS]
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as threads:
            done = dict(zip(cases, threads.map(lambda case: self.goes_on(*case), cases)))
        for cache in CACHE_TYPES:
            # None goes untested because no fixture can have it.
            for model in ("llama_wide", "swa_wide", "hybrid_wide"):
                self.assertTrue(done[model, cache], (model, cache))
        for model in DECODERS:
            self.assertTrue(done[model, "f16"], model)

    def test_another_cache_is_named(self):
        state = str(self.folder / "llama.state")
        common = (fixture("llama_wide"), *USUAL, *GREEDY, "-n", "1")
        self.tokens(*common, PROMPT, "--state-save", state)
        for flag, cache, name in (("--cache-type-k", "q8_0", "type_k"),
                                  ("--cache-type-v", "bf16", "type_v")):
            result = run("run", *common, "--state-load", state, flag, cache)
            self.assertEqual((result.code, result.out), (2, ""), result.err)
            error = json.loads(result.err)["error"]
            self.assertEqual(error["parameter"], flag)
            self.assertIn(f'({name}) differs: "f16" in the state, "{cache}" here', error["message"])

    def test_adapters_are_named(self):
        state = str(self.folder / "llama.state")
        common = (fixture("llama"), *USUAL, *GREEDY, "-n", "1")
        lora = ("--lora", fixture("lora_llama") + "=0.5")
        self.tokens(*common, *lora, PROMPT, "--state-save", state)
        result = run("run", *common, "--state-load", state)
        self.assertEqual((result.code, result.out), (2, ""), result.err)
        self.assertRegex(result.err, r"adapters in effect .* in the state, none here")
        self.tokens(*common, *lora, "--state-load", state)

    def test_what_cannot_be_saved_says_why(self):
        state = self.folder / "t5.state"
        result = run("run", fixture("t5"), *USUAL, *GREEDY, PROMPT, "-n", "1", "--state-save",
                     str(state))
        # Before anything was generated.
        self.assertEqual((result.code, result.out), (2, ""), result.err)
        self.assertIn("cannot be saved or loaded", result.err)
        self.assertFalse(state.exists())


if __name__ == "__main__":
    unittest.main()
