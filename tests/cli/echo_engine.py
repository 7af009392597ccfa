"""What the echo engine computes, worked out here from its description (src/backend/echo)."""

from __future__ import annotations

import math

MASK = (1 << 64) - 1
BOS, SEP = 256, 259
N_VOCAB = 265
WIDTH = 16


def mix(number: int) -> int:
    number = (number + 0x9E3779B97F4A7C15) & MASK
    number = ((number ^ (number >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    number = ((number ^ (number >> 27)) * 0x94D049BB133111EB) & MASK
    return number ^ (number >> 31)


def fraction(number: int) -> float:
    return (number >> 11) * 2.0**-53


def tokenize(text: str) -> list[int]:
    return [BOS, *text.encode(), SEP]


def embedding(token: int) -> list[float]:
    return [2 * fraction(mix(token << 32 | (i + 1))) - 1 for i in range(WIDTH)]


def mean_embedding(text: str) -> list[float]:
    rows = [embedding(token) for token in tokenize(text)]
    return [sum(column) / len(rows) for column in zip(*rows)]


def unit(row: list[float]) -> list[float]:
    length = math.sqrt(sum(number * number for number in row))
    return [number / length for number in row]


def logprob(before: list[int], token: int) -> float:
    """Of a token after others that are all of one text, where the engine waits for its end."""
    spread, confidence = 4.0, 6 / 7
    noise = [-spread * fraction(mix(i)) for i in range(N_VOCAB)]
    average = (1 - math.exp(-spread)) / spread
    peak = math.log((N_VOCAB - 1) * average * confidence / (1 - confidence))
    start = mix(before[-1] << 32 | len(before)) % N_VOCAB
    logits = [noise[(start + i) % N_VOCAB] for i in range(N_VOCAB)]
    logits[SEP] = peak
    return logits[token] - math.log(sum(math.exp(logit) for logit in logits))
