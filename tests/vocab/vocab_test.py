"""UGM, RWKV and PLaMo-2 against independent tokenizers: no published vectors exist for them.

    vocab_test.py TOKEN_FILTER VOCABULARY...

Tries hand-picked and random texts on each vocabulary. MULLAMA_TEST_SEED is the random texts' seed.
"""

import os
import random
import subprocess
import sys
import unittest

from references import NORMAL, REFERENCES, Vocabulary

HAND_PICKED = [
    "",
    " ",
    "   ",
    "a",
    "Hello, world!",
    " leading and trailing ",
    "two  spaces   and\ttabs\nand lines\r\n",
    "ﬁne ligatures, ｆｕｌｌ ｗｉｄｔｈ, ① and ½",
    "Ünïcödé und Straße",
    "日本語のテキスト、漢字かな交じり。",
    "🦙 llama 👩‍👩‍👧 family",
    "\u00a0no-break\u2003em space",
    "naïve café résumé — “quotes” … ‘single’",
    "1234567890 3.14159 1e-9",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "don't can't won't I'm you're",
    "def f(x):\n    return x ** 2  # square",
    "\x00\x01\x7f",
    "\ufeffmarked",
    "العربية עברית हिन्दी ไทย",
]


class VocabTest(unittest.TestCase):
    program: str
    seed: int
    paths: list

    def random_texts(self, vocabulary, count):
        """Half of them glued together from the vocabulary's own pieces, so that long tokens meet.

        Only ordinary ones: llama.cpp, unlike the references, also finds special tokens of these
        vocabularies in plain text (docs/model-files.md).
        """
        generator = random.Random(self.seed)
        pieces = [
            text.replace("▁", " ")
            for text, kind in zip(vocabulary.tokens, vocabulary.types)
            if kind == NORMAL and len(text) < 20
        ]
        alphabet = "abc xyzABC 0123.,!?'\"\n\téüß漢字🦙\u200d"
        for _ in range(count):
            size = generator.randrange(1, 40)
            if generator.random() < 0.5:
                yield "".join(generator.choice(pieces) for _ in range(size))
            else:
                yield "".join(generator.choice(alphabet) for _ in range(size))

    def test_tokens_equal_the_reference(self):
        for path in self.paths:
            vocabulary = Vocabulary(path)
            reference = REFERENCES[vocabulary.model](vocabulary)
            texts = HAND_PICKED + list(self.random_texts(vocabulary, 400))
            output = subprocess.run(
                [self.program, path],
                input="".join(text.encode().hex() + "\n" for text in texts),
                capture_output=True,
                text=True,
                check=True,
            ).stdout.splitlines()
            self.assertEqual(len(output), len(texts))
            for text, line in zip(texts, output):
                with self.subTest(path=path, seed=self.seed, text=text):
                    self.assertEqual([int(token) for token in line.split()], reference.encode(text))


if __name__ == "__main__":
    VocabTest.program, *VocabTest.paths = sys.argv[1:]
    VocabTest.seed = int(os.environ.get("MULLAMA_TEST_SEED") or 1)
    print("seed", VocabTest.seed)
    unittest.main(argv=sys.argv[:1], verbosity=2)
