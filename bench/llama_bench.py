#!/usr/bin/env python3
"""`mullama bench` with its defaults against llama-bench at 1 and 2 threads, interleaved.

    llama_bench.py MULLAMA LLAMA_BENCH MODEL [ROUNDS]

Prints the medians in tokens a second and our ratio to the best of llama-bench's. Both are asked for
the same prompt and generation lengths; a round runs each program once.
"""

import json
import statistics
import subprocess
import sys

PROMPT, GENERATE = 128, 64


def run(command):
    return json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)


def llama_bench(program, model, threads):
    rows = run([program, "-m", model, "-p", str(PROMPT), "-n", str(GENERATE), "-r", "3",
                "-t", str(threads), "-o", "json"])
    return {"prompt" if row["n_prompt"] else "generate": row["avg_ts"] for row in rows}


def mullama_bench(program, model):
    rows = run([program, "bench", model, "-p", str(PROMPT), "-n", str(GENERATE), "-r", "3", "--json"])
    return {"prompt" if row["n_prompt"] else "generate": row["tokens_per_second"]
            for row in rows["tests"]}


def main():
    mullama, peer, model = sys.argv[1:4]
    rounds = int(sys.argv[4]) if len(sys.argv) > 4 else 9
    runs = {
        "mullama": lambda: mullama_bench(mullama, model),
        "llama-bench, 1 thread": lambda: llama_bench(peer, model, 1),
        "llama-bench, 2 threads": lambda: llama_bench(peer, model, 2),
    }
    results = {name: [] for name in runs}
    for _ in range(rounds):
        for name, call in runs.items():
            results[name].append(call())
    print(f"{model}, medians of {rounds} rounds, tokens a second")
    for test, length in (("prompt", PROMPT), ("generate", GENERATE)):
        medians = {
            name: statistics.median(row[test] for row in rows) for name, rows in results.items()
        }
        for name, value in medians.items():
            print(f"  {test:>8} {length:4}  {name:24} {value:12.0f}")
        best = max(value for name, value in medians.items() if name != "mullama")
        ratio = medians["mullama"] / best
        print(f"  {test:>8}       ratio to the best of llama-bench: {ratio:.3f} (target: 0.97)")


if __name__ == "__main__":
    main()
