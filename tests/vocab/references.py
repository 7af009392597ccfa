"""Tokenizers written from their descriptions, for the vocabulary types without published vectors.

Each takes a vocabulary as a GGUF file has it and turns text into tokens, slowly and plainly.
"""

import ast

from gguf import GGUFReader

NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = range(1, 7)


class Vocabulary:
    """The tokenizer part of a GGUF file."""

    def __init__(self, path):
        fields = GGUFReader(path).fields

        def value(key, default=None):
            field = fields.get("tokenizer.ggml." + key)
            return default if field is None else field.contents()

        self.model = value("model")
        self.tokens = value("tokens")
        self.scores = value("scores")
        self.types = value("token_type")
        self.unknown = value("unknown_token_id")
        self.charsmap = bytes(value("precompiled_charsmap", []))


class Rwkv:
    """Greedy longest match over bytes (RWKV world tokenizer). Tokens are Python byte literals."""

    def __init__(self, vocabulary):
        self.ids = {}
        for token, text in enumerate(vocabulary.tokens):
            if vocabulary.types[token] in (CONTROL, UNUSED):
                continue
            # The file has the inside of a string literal: text, or bytes as \x escapes.
            literal = ast.literal_eval('b"' + _escape_literal(text) + '"')
            self.ids[literal] = token
        self.longest = max(map(len, self.ids))
        self.unknown = vocabulary.unknown

    def encode(self, text):
        data = text.encode()
        result, at = [], 0
        while at < len(data):
            for size in range(min(self.longest, len(data) - at), 0, -1):
                token = self.ids.get(data[at : at + size])
                if token is not None:
                    result.append(token)
                    at += size
                    break
            else:
                result.append(self.unknown)
                at += 1
        return result


def _escape_literal(text):
    """Characters outside ASCII as the escapes of their UTF-8 bytes; a bare quote escaped."""
    parts = []
    escaped = False
    for character in text:
        if ord(character) >= 128:
            parts.append("".join(f"\\x{byte:02x}" for byte in character.encode()))
        elif character == '"' and not escaped:
            parts.append('\\"')
        else:
            parts.append(character)
        escaped = character == "\\" and not escaped
    return "".join(parts)


class Plamo2:
    """The segmentation of least cost; a character that no token covers costs 1e7 and becomes its
    UTF-8 bytes. Among equal ones the longest first token wins (PLaMo-2's tokenizer)."""

    def __init__(self, vocabulary):
        self.costs = {}
        self.bytes = {}
        for token, text in enumerate(vocabulary.tokens):
            if vocabulary.types[token] == BYTE:
                self.bytes[int(text[3:5], 16)] = token
            else:
                # Costs are whole numbers: scores times 10,000, halves away from zero.
                scaled = vocabulary.scores[token] * 1e4
                cost = -int(scaled + (0.5 if scaled >= 0 else -0.5))
                self.costs[text] = (token, cost)
        self.longest = max(map(len, self.costs))

    def encode(self, text):
        text = text.removeprefix("\ufeff")
        # best[i]: (cost of text[i:], length of its first token, that token or None).
        best = [(0, 0, None)] * (len(text) + 1)
        for at in range(len(text) - 1, -1, -1):
            choices = []
            for size in range(min(self.longest, len(text) - at), 0, -1):
                entry = self.costs.get(text[at : at + size])
                if entry is not None:
                    choices.append((best[at + size][0] + entry[1], size, entry[0]))
            choices.append((best[at + 1][0] + 10_000_000, 1, None))
            best[at] = min(choices, key=lambda choice: choice[0])
        result, at = [], 0
        while at < len(text):
            _, size, token = best[at]
            if token is None:
                result += [self.bytes[byte] for byte in text[at].encode()]
            else:
                result.append(token)
            at += size
        return result


class Unigram:
    """Hugging Face's own Unigram model and SentencePiece normalizer, built from the file's tables."""

    def __init__(self, vocabulary):
        from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

        # Control tokens never come out of text: they get a score that cannot win, and a spelling
        # that no text has.
        pieces = [
            (f"\x00{token}", -1e9) if kind in (CONTROL, UNUSED) else (text, score)
            for token, (text, score, kind) in enumerate(
                zip(vocabulary.tokens, vocabulary.scores, vocabulary.types)
            )
        ]
        lowest = min(
            score
            for score, kind in zip(vocabulary.scores, vocabulary.types)
            if kind == NORMAL
        )
        # The unknown token's cost follows from the lowest score of a text token, so the tokens
        # made impossible must not lower it.
        pieces = [(text, max(score, lowest)) for text, score in pieces]
        tokenizer = Tokenizer(models.Unigram(pieces, unk_id=vocabulary.unknown))
        steps = []
        if vocabulary.charsmap:
            steps.append(normalizers.Precompiled(vocabulary.charsmap))
        steps.append(normalizers.Replace(Regex(" {2,}"), " "))
        steps.append(normalizers.Strip())
        tokenizer.normalizer = normalizers.Sequence(steps)
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always", split=False)
        self.tokenizer = tokenizer

    def encode(self, text):
        return self.tokenizer.encode(text, add_special_tokens=False).ids


REFERENCES = {"rwkv": Rwkv, "plamo2": Plamo2, "t5": Unigram}
