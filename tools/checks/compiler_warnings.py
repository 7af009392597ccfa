#!/usr/bin/env python3
"""Sees that a build folder refuses a compiler warning in our code.

    compiler_warnings.py BUILD     compile planted files the way BUILD compiles src/base
"""

from __future__ import annotations

import json
import pathlib
import shlex
import subprocess
import sys
import tempfile

PLANTED = {
    "shadow": "int f(int a) { { int a = 1; return a; } }",
    "conversion": "int f(long a) { return a; }",
    "unused": "int f(int a) { return 1; }",
}
CLEAN = "int f(int a) { return a; }"


def main() -> int:
    database = json.loads(pathlib.Path(sys.argv[1], "compile_commands.json").read_text())
    entry = next(entry for entry in database if "/src/base/" in entry["file"])
    command = shlex.split(entry["command"])
    failures = []
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder, "planted.cpp")
        # The same command on another file, with another output and without dependency files.
        start = command.index("-c") if "-c" in command else len(command)
        command = [*command[: command.index("-o")], *command[command.index("-o") + 2 : start]]
        for name, code in {"clean": CLEAN, **PLANTED}.items():
            source.write_text(code + "\n")
            result = subprocess.run([*command, "-fsyntax-only", str(source)],
                                    cwd=entry["directory"], capture_output=True, text=True)
            if (result.returncode == 0) != (name == "clean"):
                failures.append(f"{name}: the compiler said {result.returncode}\n{result.stderr}")
    print(*failures, sep="\n", end="\n" if failures else "")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
