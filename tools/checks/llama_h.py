#!/usr/bin/env python3
"""Refuses docs/llama_h.md unless it lists every function of llama.h once, and names nothing that
llama.h or include/mullama lacks.

    llama_h.py LLAMA_CPP_DIR    check the page against the header of this source tree
    llama_h.py --self-test      see bad pages refused
"""

from __future__ import annotations

import argparse
import collections
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "llama_h.md"
INCLUDE = ROOT / "include" / "mullama"

COMMENTS = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
THEIRS = re.compile(r"\bLLAMA_API\b[^;{}]*?\b(llama_\w+)\s*\(")
STRUCT = re.compile(r"typedef struct \w+ \{(.*?)\n\} (\w+);", re.DOTALL)
NAME = re.compile(r"`(\w+(?:\.\w+)?)`")


def functions_of(llama_h: str) -> set[str]:
    return set(THEIRS.findall(COMMENTS.sub("", llama_h)))


def names_of(headers: list[str]) -> set[str]:
    """What the contract declares: functions, types, constants, and fields as "type.field"."""
    names: set[str] = set()
    for text in headers:
        code = COMMENTS.sub("", text)
        names.update(re.findall(r"\b(?:mullama|MULLAMA)_\w+", code))
        for body, name in STRUCT.findall(code):
            names.update(f"{name}.{field}" for field in re.findall(r"(\w+);", body))
    return names


def problems_of(page: str, theirs: set[str], ours: set[str]) -> list[str]:
    found = []
    listed: collections.Counter[str] = collections.Counter()
    for number, line in enumerate(page.splitlines(), 1):
        cells = [cell.strip() for cell in line.strip().strip("|").split(" | ")]
        if not line.startswith("| `llama_"):
            continue
        if len(cells) != 3:
            found.append(f"line {number} has {len(cells)} cells, not 3")
            continue
        listed.update(NAME.findall(cells[0]))
        covered = [name for name in NAME.findall(cells[1]) if name.lower().startswith("mullama_")]
        found += [f"line {number} names {name}, which include/mullama lacks"
                  for name in covered if name not in ours]
        if not covered and not cells[2]:
            found.append(f"line {number} says neither which function of ours covers "
                         f"{cells[0]}, nor why none should")
    found += [f"{name} is missing" for name in sorted(theirs - set(listed))]
    found += [f"{name} is listed, and llama.h lacks it" for name in sorted(set(listed) - theirs)]
    found += [f"{name} is listed {count} times" for name, count in listed.items() if count > 1]
    if not theirs:
        found.append("llama.h declares nothing")
    return found


def self_test() -> list[str]:
    theirs = functions_of("""
        // LLAMA_API void llama_commented(void);
        LLAMA_API int32_t llama_one(
            struct llama_model * model);
        DEPRECATED(LLAMA_API void llama_two(void), "use llama_one() instead");
        LLAMA_API struct llama_model * llama_three(const char * path);
    """)
    ours = names_of(["typedef struct mullama_o {\n    int field;\n} mullama_o_t;\n"
                     "MULLAMA_API int mullama_one(void);"])
    good = ("| `llama_one`, `llama_two` | `mullama_one` |  |\n"
            "| `llama_three` | `mullama_o_t.field` | a note |\n")
    failures = []
    for name, page, wanted in [
        ("good", good, 0),
        ("reason", good.replace("`mullama_one`", "none"), 1),
        ("missing", good.splitlines()[0], 1),
        ("unknown", good + "| `llama_four` | `mullama_one` |  |\n", 1),
        ("twice", good + "| `llama_one` | `mullama_one` |  |\n", 1),
        ("renamed", good.replace("mullama_one", "mullama_uno"), 1),
        ("field", good.replace(".field", ".fields"), 1),
        ("cells", good.replace(" |  |\n", " |\n"), 3),
    ]:
        found = problems_of(page, theirs, ours)
        if len(found) != wanted:
            failures.append(f"{name}: {found or 'nothing was found'}")
    return failures


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("llama_cpp", nargs="?", type=pathlib.Path)
    parser.add_argument("--self-test", action="store_true")
    arguments = parser.parse_args()
    if arguments.self_test:
        found = self_test()
    elif arguments.llama_cpp is not None:
        header = (arguments.llama_cpp / "include" / "llama.h").read_text(encoding="utf-8")
        headers = [path.read_text(encoding="utf-8") for path in INCLUDE.glob("*.h")]
        found = [f"{PAGE.relative_to(ROOT)}: {problem}" for problem in
                 problems_of(PAGE.read_text(encoding="utf-8"), functions_of(header),
                             names_of(headers))]
    else:
        parser.error("name llama.cpp's source folder")
    print(*found, sep="\n", end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
