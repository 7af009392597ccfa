"""`mullama run`: where the prompt comes from, what stops the text, what is written where."""

import json
import pathlib
import tempfile
import unittest

from program import ECHO, GREEDY, Running, fixture, run


# Nothing to measure.
ONE_THREAD = ("-t", "1", "--threads-batch", "1")


class Prompt(unittest.TestCase):
    def test_argument(self):
        result = run("run", *ECHO, *GREEDY, "hello there")
        self.assertEqual((result.code, result.out, result.err), (0, "hello there", ""))

    def test_standard_input(self):
        result = run("run", *ECHO, *GREEDY, stdin=b"from a pipe")
        self.assertEqual((result.code, result.out), (0, "from a pipe"))

    def test_dash_is_standard_input(self):
        result = run("run", *ECHO, *GREEDY, "-", stdin=b"from a pipe")
        self.assertEqual((result.code, result.out), (0, "from a pipe"))

    def test_standard_input_comes_before_the_argument(self):
        self.assertEqual(run("run", *ECHO, *GREEDY, "b", stdin=b"a").out, "a b")
        self.assertEqual(run("run", *ECHO, *GREEDY, "b", stdin=b"a\n").out, "a\nb")
        self.assertEqual(run("run", *ECHO, *GREEDY, "b", stdin=b"").out, "b")

    def test_none(self):
        result = run("run", *ECHO)
        self.assertEqual(result.code, 2)
        self.assertIn("PROMPT is missing", result.err)
        self.assertIn("mullama run --help", result.err)

    def test_brackets_and_braces_are_text(self):
        for prompt in ("[INST] a, b [/INST]", "{}", "[]", "[a,b]", "%%", "'a'", '"a"'):
            self.assertEqual(run("run", *ECHO, *GREEDY, prompt).out, prompt)

    def test_unicode(self):
        for prompt in ("Grüße 👩‍👩‍👧 漢字", "a\u0301", "\u200b"):
            self.assertEqual(run("run", *ECHO, *GREEDY, prompt).out, prompt)

    def test_invalid_utf8_is_refused_with_its_offset(self):
        result = run("run", *ECHO, stdin=b"abc\xff")
        self.assertEqual(result.code, 2)
        self.assertIn("offset:   3", result.err)
        self.assertEqual(result.out, "")

    def test_embedded_nul(self):
        self.assertEqual(run("run", *ECHO, *GREEDY, stdin=b"a\0b").out_bytes, b"a\0b")


class Adapters(unittest.TestCase):
    def text(self, *arguments):
        result = run("run", fixture("llama"), *GREEDY, *ONE_THREAD, "-n", "12", "Hello", *arguments)
        self.assertEqual((result.code, result.err), (0, ""))
        return result.out

    def refused(self, code, words, *arguments):
        result = run("run", fixture("llama"), *GREEDY, "-n", "1", "Hello", *arguments)
        self.assertEqual((result.code, result.out), (code, ""))
        self.assertIn(words, result.err)

    def test_change_the_text_by_their_scales(self):
        lora, vector = fixture("lora_llama"), fixture("vector_llama")
        plain = self.text()
        self.assertNotEqual(self.text("--lora", lora), plain)
        self.assertEqual(self.text("--lora", lora), self.text("--lora", lora + "=1.0"))
        self.assertNotEqual(self.text("--control-vector", vector + "=-8"), plain)
        self.assertEqual(self.text("--lora", lora + "=0", "--control-vector", vector + "=0"), plain)
        self.assertEqual(self.text("--lora", lora + "=0.5", "--lora", lora + "=-0.5",
                                   "--control-vector", vector + "=1",
                                   "--control-vector", vector + "=-1")[:3], plain[:3])

    def test_control_vectors_change_the_layers_asked_for(self):
        def text(*arguments):
            result = run("run", fixture("llama_deep"), *GREEDY, *ONE_THREAD, "-n", "12", "Hello",
                         "--control-vector", fixture("vector_deep") + "=-8", *arguments)
            self.assertEqual((result.code, result.err), (0, ""))
            return result.out

        every = text()
        self.assertEqual(text("--control-vector-layer-range", "1,4"), every)
        self.assertNotEqual(text("--control-vector-layer-range", "2,3"), every)

    def test_mistakes_are_named(self):
        layers = ("--control-vector", fixture("vector_llama"), "--control-vector-layer-range")
        self.refused(2, "FIRST,LAST", *layers, "1")
        self.refused(2, "from 1 on", *layers, "0,1")
        self.refused(2, "first before the last", *layers, "2,1")
        self.refused(2, "needs a --control-vector", "--control-vector-layer-range", "1,1")
        self.refused(2, "at:       --control-vector-layer-range", *layers, "1,9")
        self.refused(3, "nowhere", "--lora", "nowhere.gguf=2")
        self.refused(3, "nowhere=x", "--lora", "nowhere=x")
        self.refused(2, "finite scale", "--lora", "a.gguf=inf")
        self.refused(2, "finite scale", "--control-vector", "a.gguf=1e99")
        self.refused(2, "needs a path", "--lora", "=1")
        self.refused(3, "is a control vector", "--lora", fixture("vector_llama"))
        self.refused(3, "is a LoRA", "--control-vector", fixture("lora_llama"))
        self.refused(3, "is a model", "--lora", fixture("llama"))
        self.refused(3, "blk.3.ffn_up", "--lora", fixture("lora_deep"))


class Stopping(unittest.TestCase):
    def test_max_tokens(self):
        self.assertEqual(run("run", *ECHO, *GREEDY, "abcdef", "-n", "3").out, "abc")
        self.assertEqual(run("run", *ECHO, *GREEDY, "abcdef", "-n", "0").out, "")
        self.assertEqual(run("run", *ECHO, *GREEDY, "abcdef", "-n", "-1").out, "abcdef")

    def test_stop_strings(self):
        self.assertEqual(run("run", *ECHO, *GREEDY, "abcdef", "--stop", "de").out, "abc")
        both = run("run", *ECHO, *GREEDY, "abcdef", "--stop", "zz", "--stop", "[c]", "--stop", "b")
        self.assertEqual(both.out, "a")

    def test_full_context(self):
        # 256 is the least that the engine makes.
        text = "x" * 200
        result = run("run", *ECHO, *GREEDY, text, "-c", "256", "--json")
        self.assertEqual(result.code, 0)
        self.assertEqual(json.loads(result.out.splitlines()[-1])["stop_reason"], "context")

    def test_prompt_that_does_not_fit(self):
        result = run("run", *ECHO, "x" * 1000, "-c", "256")
        self.assertEqual(result.code, 1)
        self.assertRegex(result.err, r"^mullama: error: ")
        self.assertIn("actual:", result.err)

    def test_interrupt(self):
        slow = ("--override-kv", "echo.microseconds_per_token=int:10000")
        process = Running("run", *ECHO, *GREEDY, *slow, "abcdefgh" * 12, "--stats")
        process.read(b"abc")
        process.interrupt()
        self.assertEqual(process.wait(), 130)
        self.assertIn(b"eval count", process.text["stderr"])
        self.assertIn(b"stop reason:          cancelled", process.text["stderr"])

    def test_interrupt_while_the_prompt_is_read(self):
        slow = ("--override-kv", "echo.microseconds_per_token=int:10000")
        process = Running("run", *ECHO, *slow, "x" * 3000, "-b", "16", *ONE_THREAD,
                          terminal=("stderr",))
        process.read(b"reading the prompt", "stderr")
        process.interrupt()
        self.assertEqual(process.wait(), 130)
        self.assertEqual(process.text["stdout"], b"")


class Json(unittest.TestCase):
    def lines(self, *arguments):
        result = run("run", *ECHO, *GREEDY, "--json", *arguments)
        self.assertEqual(result.code, 0, result.err)
        return [json.loads(line) for line in result.out.splitlines()]

    def test_events(self):
        *tokens, done = self.lines("hé")
        self.assertEqual([event["type"] for event in tokens], ["token"] * len(tokens))
        self.assertEqual([event["index"] for event in tokens], list(range(len(tokens))))
        self.assertEqual("".join(event["text"] for event in tokens), "hé")
        self.assertEqual(done["type"], "done")
        self.assertEqual(done["text"], "hé")
        self.assertEqual(done["stop_reason"], "end")
        self.assertIsNone(done["stop"])
        self.assertEqual(done["generated_tokens"], len(tokens))
        self.assertGreater(done["prompt_tokens"], 0)

    def test_stop_string_is_named(self):
        done = self.lines("abc", "--stop", "c")[-1]
        self.assertEqual((done["stop_reason"], done["stop"], done["text"]), ("string", "c", "ab"))

    def test_logprobs(self):
        *tokens, _ = self.lines("ab", "--logprobs", "3")
        for event in tokens:
            self.assertLess(event["logprob"], 0)
            self.assertEqual(len(event["top"]), 3)
            # Greedy: the token is the likeliest one.
            self.assertEqual(event["top"][0]["token"], event["token"])
            values = [entry["logprob"] for entry in event["top"]]
            self.assertEqual(values, sorted(values, reverse=True))
        *tokens, _ = self.lines("ab")
        self.assertNotIn("logprob", tokens[0])

    def test_error(self):
        result = run("run", "/nowhere.gguf", "x", "--json")
        self.assertEqual(result.code, 3)
        self.assertEqual(result.out, "")
        error = json.loads(result.err)["error"]
        self.assertEqual(error["code"], "not_found")
        self.assertIn("/nowhere.gguf", error["message"])


class Sampling(unittest.TestCase):
    def test_seed_repeats(self):
        def text(seed):
            return run("run", *ECHO, "abcdefgh" * 20, "--seed", seed, "--temperature", "3",
                       "--top-k", "0", "--top-p", "1", "--min-p", "0", "-n", "40",
                       "--ignore-end").out_bytes

        self.assertEqual(text("1"), text("1"))
        self.assertNotEqual(text("1"), text("2"))

    def test_flags_come_from_the_table(self):
        text = run("run", "--help").out
        for flag in ("--temperature", "--top-k", "--top-p", "--min-p", "--repeat-penalty",
                     "--repeat-last-n", "--frequency-penalty", "--presence-penalty", "--seed"):
            self.assertIn(flag, text)

    def test_range(self):
        result = run("run", *ECHO, "x", "--top-p", "1.5")
        self.assertEqual(result.code, 2)
        self.assertIn("--top-p must be between 0 and 1, not 1.5", result.err)
        result = run("run", *ECHO, "x", "--top-k", "many")
        self.assertEqual(result.code, 2)
        self.assertIn("--top-k must be a whole number", result.err)

    def test_stages(self):
        self.assertEqual(run("run", *ECHO, "ab", "--samplers", "greedy").out, "ab")
        result = run("run", *ECHO, "ab", "--samplers", "greedy", "--top-k", "3")
        self.assertEqual(result.code, 2)
        self.assertIn("top_k", result.err)
        result = run("run", *ECHO, "ab", "--samplers", "top_q,dist")
        self.assertEqual(result.code, 2)
        self.assertIn("top_q", result.err + result.out)

    def test_biases_and_repetition(self):
        # What rules a byte out: the echo engine's next choice comes instead.
        result = run("run", *ECHO, *GREEDY, "abc", "--logit-bias", "98=-inf", "-n", "2")
        self.assertEqual(result.code, 0, result.err)
        self.assertNotIn("b", result.out)
        for wrong in ("98", "98=", "b=1", "98=high", "-1=2", "98=inf"):
            result = run("run", *ECHO, *GREEDY, "abc", "--logit-bias", wrong)
            self.assertNotEqual(result.code, 0, wrong)
            self.assertIn("--logit-bias", result.err, wrong)
        # With a repetition ruled out by force the text cannot be the prompt's.
        dry = ("--dry-multiplier", "100", "--dry-allowed-length", "1")
        repeated = run("run", *ECHO, *GREEDY, "abababab", *dry, "-n", "8")
        self.assertEqual(repeated.code, 0, repeated.err)
        self.assertNotEqual(repeated.out, "abababab")
        broken = run("run", *ECHO, *GREEDY, "abababab", *dry, "-n", "8",
                     "--dry-sequence-breakers", "a", "--dry-sequence-breakers", "b")
        self.assertEqual(broken.out, "abababab", broken.err)

    def test_presets(self):
        for preset in ("precise", "balanced", "creative"):
            result = run("run", *ECHO, "abc", "--preset", preset, "--seed", "1", "-n", "3")
            self.assertEqual(result.code, 0, result.err)
        self.assertEqual(run("run", *ECHO, "abc", "--preset", "precise", *GREEDY).out, "abc")
        result = run("run", *ECHO, "abc", "--preset", "wild")
        self.assertEqual(result.code, 2, result.err)
        self.assertIn("--preset", result.err)
        result = run("run", *ECHO, "abc", "--preset", "model")
        self.assertIn("recommends no sampling", result.err)
        recommended = ("--override-kv", "general.sampling.temp=float:0", "--preset", "model")
        self.assertEqual(run("run", *ECHO, "abc", *recommended).out, "abc")


class Grammar(unittest.TestCase):
    WORD = 'root ::= [A-Z] [a-z]{4} "!"'

    def test_text(self):
        result = run("run", *ECHO, *GREEDY, "Hello there", "--grammar", self.WORD)
        self.assertEqual((result.code, result.out, result.err), (0, "Hello!", ""))

    def test_file(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "größe.gbnf")
            path.write_text("# a word\n" + self.WORD + "\n", encoding="utf-8")
            result = run("run", *ECHO, *GREEDY, "Hello there", "--grammar-file", str(path))
            self.assertEqual((result.code, result.out), (0, "Hello!"), result.err)
            path.write_text("", encoding="utf-8")
            result = run("run", *ECHO, "x", "--grammar-file", str(path))
            self.assertEqual(result.code, 2)
            self.assertIn("--grammar-file names an empty file", result.err)
            for wrong in (folder, str(path) + ".not"):
                result = run("run", *ECHO, "x", "--grammar-file", wrong)
                self.assertEqual(result.code, 2)
                self.assertIn("--grammar-file names a file that cannot be read", result.err)

    def test_root_in_any_order(self):
        rules = ("--grammar", 'number ::= [0-9]+ "."\nword ::= [a-z]{2} "."')
        root = ("--grammar-root", "word")
        for flags in (rules + root, root + rules):
            result = run("run", *ECHO, *GREEDY, "ab", *flags)
            self.assertEqual((result.code, result.out), (0, "ab."), result.err)
        result = run("run", *ECHO, *GREEDY, "ab", *rules)
        self.assertEqual(result.code, 2)
        self.assertIn('no rule "root"', result.err)
        self.assertIn("--grammar-root", result.err)

    def test_triggers(self):
        flags = ("--grammar", 'root ::= "<" [0-9] ">"', "--grammar-triggers", "<")
        result = run("run", *ECHO, *GREEDY, "sum: <5", *flags)
        self.assertEqual((result.code, result.out), (0, "sum: <5>"), result.err)

    def test_mistakes_are_shown_with_their_place(self):
        result = run("run", *ECHO, "x", "--grammar", 'root ::= a\na ::= "x" )')
        self.assertEqual(result.code, 2)
        self.assertIn("grammar, line 2, column 11: expected an item", result.err)
        self.assertIn("at:       --grammar", result.err)


class Statistics(unittest.TestCase):
    def test_stats_go_to_standard_error(self):
        for flag in ("--stats", "--verbose"):
            result = run("run", *ECHO, *GREEDY, "abc", flag)
            self.assertEqual((result.code, result.out), (0, "abc"))
            for label in ("total duration:", "load duration:", "prompt eval count:",
                          "prompt eval rate:", "eval count:", "eval rate:", "stop reason:"):
                self.assertIn(label, result.err)


class RealModel(unittest.TestCase):
    def test_greedy_text_does_not_depend_on_how_it_is_computed(self):
        wanted = run("run", fixture("llama"), "the", *GREEDY, "-n", "12", *ONE_THREAD)
        self.assertEqual(wanted.code, 0, wanted.err)
        self.assertNotEqual(wanted.out, "")
        for how in (("-b", "1"), ("--load-mode", "read"), ("--load-mode", "mmap"),
                    ("--no-repack",), ("-t", "0", "--threads-batch", "0"), ("--devices", "none"),
                    ("--gpu-layers", "0"), ("--check-tensors",)):
            other = run("run", fixture("llama"), "the", *GREEDY, "-n", "12", *ONE_THREAD, *how)
            self.assertEqual((other.code, other.out_bytes), (0, wanted.out_bytes), how)

    def test_every_kind_of_decoder(self):
        for name in ("llama", "qwen", "moe", "recurrent", "rwkv", "hybrid", "plamo2", "swa", "t5"):
            result = run("run", fixture(name), "the", *GREEDY, "-n", "8", "--ignore-end", "--json",
                         *ONE_THREAD)
            self.assertEqual(result.code, 0, f"{name}: {result.err}")
            self.assertEqual(json.loads(result.out.splitlines()[-1])["generated_tokens"], 8, name)

    def test_an_encoder_does_not_generate(self):
        result = run("run", fixture("bert_mean"), "the")
        self.assertEqual(result.code, 1)
        self.assertRegex(result.err, r"^mullama: error: ")

    def test_engine_lines(self):
        quiet = run("run", fixture("llama"), "the", "-n", "1", *ONE_THREAD)
        self.assertEqual(quiet.err, "")
        loud = run("run", fixture("llama"), "the", "-n", "1", "--log-level", "debug",
                   *ONE_THREAD)
        self.assertRegex(loud.err, r"(?m)^mullama: (debug|info): ")


if __name__ == "__main__":
    unittest.main()
