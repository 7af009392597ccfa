#!/usr/bin/env python3
"""Refuses a library that offers its hosts more, or less, than the contract.

    exports.py LIBRARY...      shared or static libraries, against include/mullama
    exports.py --self-test     see a leaking and an incomplete library refused
"""

from __future__ import annotations

import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile

INCLUDE = pathlib.Path(__file__).resolve().parents[2] / "include" / "mullama"
DECLARATION = re.compile(r"^MULLAMA_API\b[^;{]*?\b(mullama_\w+)\s*\(", re.MULTILINE)
NM = os.environ.get("NM", "nm")


def declared(headers: pathlib.Path) -> set[str]:
    names: set[str] = set()
    for header in headers.glob("*.h"):
        names.update(DECLARATION.findall(header.read_text(encoding="utf-8")))
    return names


def exported(library: pathlib.Path) -> set[str]:
    shared = ".so" in library.name or library.suffix in {".dylib", ".dll"}
    command = [NM, "--defined-only", "--extern-only", *(["--dynamic"] if shared else []), library]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    names = set()
    for line in lines:
        kind, _, name = line.rpartition(" ")
        # An absolute symbol is the name of a symbol version.
        if kind.strip() and not kind.endswith(" A"):
            names.add(name.partition("@")[0])
    return names


def problems_of(library: pathlib.Path, headers: pathlib.Path) -> list[str]:
    contract, names = declared(headers), exported(library)
    found = [f"{library.name} exports {name}, which isn't in the contract"
             for name in sorted(names - contract)]
    found += [f"{library.name} lacks {name}, which the headers declare"
              for name in sorted(contract - names)]
    if not contract:
        found.append(f"{headers} declares nothing")
    return found


def self_test() -> list[str]:
    failures = []
    with tempfile.TemporaryDirectory() as folder:
        here = pathlib.Path(folder)
        (here / "x.h").write_text("MULLAMA_API int\nmullama_good(int a);\n")
        for name, code, wanted in [
            ("good", "int mullama_good(int a) { return a; }", False),
            ("leak", "int mullama_good(int a) { return a; } int llama_leak;", True),
            ("foreign", "int mullama_good(int a) { return a; } int mullama_secret;", True),
            ("incomplete", "int mullama_other(int a) { return a; }", True),
        ]:
            (here / "x.c").write_text(code + "\n")
            subprocess.run(["cc", "-c", "-fPIC", "-o", here / "x.o", here / "x.c"], check=True)
            shared, static = here / f"lib{name}.so", here / f"lib{name}.a"
            subprocess.run(["cc", "-shared", "-o", shared, here / "x.o"], check=True)
            subprocess.run(["ar", "rcs", static, here / "x.o"], check=True)
            for library in (shared, static):
                found = problems_of(library, here)
                if bool(found) != wanted:
                    failures.append(f"{library.name}: {found or 'nothing was found'}")
    return failures


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("libraries", nargs="*", type=pathlib.Path)
    parser.add_argument("--self-test", action="store_true")
    arguments = parser.parse_args()
    if arguments.self_test:
        found = self_test()
    elif arguments.libraries:
        found = [problem for library in arguments.libraries
                 for problem in problems_of(library, INCLUDE)]
    else:
        parser.error("name a library")
    print(*found, sep="\n", end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
