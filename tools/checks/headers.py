#!/usr/bin/env python3
"""Refuses a public header that doesn't compile alone, as C99 and as C++20, without a warning.

    headers.py                 check include/mullama
    headers.py --self-test     see bad headers refused
"""

from __future__ import annotations

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

INCLUDE = pathlib.Path(__file__).resolve().parents[2] / "include"
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion", "-Werror"]
C = [os.environ.get("CC", "cc"), "-x", "c", "-std=c99", "-Wstrict-prototypes"]
CXX = [os.environ.get("CXX", "c++"), "-x", "c++", "-std=c++20"]


def problems_of(header: pathlib.Path, include: pathlib.Path) -> list[str]:
    name = header.relative_to(include).as_posix()
    # Twice, so that the guard is tried too. The second declaration is for -Wpedantic, which wants a
    # translation unit to hold something.
    source = f'#include "{name}"\n#include "{name}"\nextern int mullama_not_empty;\n'
    found = []
    for language, compiler in [("C99", C), ("C++20", CXX)]:
        if header.suffix == ".hpp" and language == "C99":
            continue
        result = subprocess.run(
            [*compiler, *WARNINGS, "-fsyntax-only", f"-I{include}", "-"],
            input=source, text=True, capture_output=True, check=False)
        if result.returncode != 0:
            found.append(f"{name} doesn't compile alone as {language}:\n{result.stderr}")
    return found


def check(include: pathlib.Path) -> list[str]:
    headers = sorted([*include.rglob("*.h"), *include.rglob("*.hpp")])
    if not headers:
        return [f"{include} has no headers"]
    return [problem for header in headers for problem in problems_of(header, include)]


def self_test() -> list[str]:
    failures = []
    for name, text, wanted in [
        ("good.h", "#ifndef G\n#define G\n#include <stddef.h>\ntypedef size_t good_t;\n#endif\n",
         False),
        ("needs_another.h", "#ifndef G\n#define G\nsize_t f(void);\n#endif\n", True),
        ("cxx_only.h", "#ifndef G\n#define G\nint f(int &x);\n#endif\n", True),
        ("c_only.h", "#ifndef G\n#define G\nstruct s { int new; };\n#endif\n", True),
        ("no_guard.h", "struct s { int x; };\n", True),
        ("good.hpp", "#pragma once\n#include <string>\n", False),
        ("bad.hpp", "#pragma once\nstd::string f();\n", True),
    ]:
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, name).write_text(text)
            found = check(pathlib.Path(folder))
        if bool(found) != wanted:
            failures.append(f"{name}: {found or 'nothing was found'}")
    return failures


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--self-test", action="store_true")
    found = self_test() if parser.parse_args().self_test else check(INCLUDE)
    print(*found, sep="\n", end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
