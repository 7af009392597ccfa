#!/usr/bin/env python3
"""Runs the snippets of README.md and docs/*.md, so that what they say is true.

    check_docs.py --program PATH --library PATH --fixtures DIR --cc CC --cxx CXX [PAGE...]

The language after the opening fence says what is done with a block:

    sh        run, and must succeed
    console   lines after "$ " are run; the lines below each are what it prints, "..." is any text
    c, cpp    a whole program is compiled and run with a model's path as its argument; a fragment is
              compiled inside a function that has `path`. A program whose first line is a comment
              with a file name, such as // hello.c, is left under it for the blocks that follow
    others    read only

All blocks of a page run in one scratch folder, in order, with `mullama` and the installed names of
the library in reach; model.gguf there is a tiny model. A comment <!-- not run: reason --> on the
line before a fence leaves a block out.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
FENCE = re.compile(r"^```(\w*)\s*$")
LEFT_OUT = re.compile(r"^<!-- not run: .+ -->\s*$")
FILE_NAME = re.compile(r"^(?://|/\*)\s*([\w.]+\.(?:c|cpp))\b")
LANGUAGES = ("sh", "console", "c", "cpp")

C_FRAGMENT = """#include <mullama/mullama.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
{includes}
void fragment(const char *path);
void fragment(const char *path) {{
    (void)path;
{body}
}}
int main(void) {{ return 0; }}
"""

CPP_FRAGMENT = """#include <mullama/mullama.hpp>
#include <iostream>
{includes}
void fragment(const char *path);
void fragment([[maybe_unused]] const char *path) {{
{body}
}}
int main() {{}}
"""


@dataclasses.dataclass
class Block:
    page: pathlib.Path
    line: int
    language: str
    text: str
    left_out: bool


class Failed(Exception):
    pass


def blocks_of(page: pathlib.Path) -> list[Block]:
    blocks = []
    current = None
    before = ""
    for number, line in enumerate(page.read_text().splitlines(), 1):
        fence = FENCE.match(line)
        if current is None and fence:
            current = Block(page, number, fence[1], "", bool(LEFT_OUT.match(before)))
        elif current is not None and line.strip() == "```":
            blocks.append(current)
            current = None
        elif current is not None:
            current.text += line + "\n"
        if line.strip():
            before = line
    if current is not None:
        raise Failed(f"{page}:{current.line}: this block does not end")
    return blocks


class Page:
    """The scratch folder of one page, and what can be done in it."""

    def __init__(self, arguments: argparse.Namespace, folder: pathlib.Path):
        self.arguments = arguments
        self.folder = folder
        library = arguments.library.resolve()
        (folder / "model.gguf").symlink_to(arguments.fixtures.resolve() / "llama.gguf")
        (folder / "notes.txt").write_text("The first line.\nThe second line.\n")
        pkg_config = folder / ".pkgconfig"
        pkg_config.mkdir()
        (pkg_config / "mullama.pc").write_text(
            "Name: mullama\nDescription: the build folder's\nVersion: 0\n"
            f"Cflags: -I{ROOT / 'include'}\nLibs: -L{library.parent} -lmullama\n"
        )
        bin_folder = folder / ".bin"
        bin_folder.mkdir()
        (bin_folder / "mullama").symlink_to(arguments.program.resolve())
        self.environment = os.environ | {
            "PATH": f"{bin_folder}:{os.environ['PATH']}",
            "PKG_CONFIG_PATH": str(pkg_config),
            "LD_LIBRARY_PATH": str(library.parent),
            "LC_ALL": "C.UTF-8",
        }

    def execute(self, command: list[str]) -> str:
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=250,
            check=False,
        )
        output = done.stdout.decode("utf-8", "replace")
        if done.returncode != 0:
            raise Failed(f"exit code {done.returncode}:\n{output}")
        return output

    def sh(self, text: str) -> None:
        self.execute(["bash", "-euo", "pipefail", "-c", text])

    def console(self, text: str) -> None:
        # A prompt, its continuation lines, and what is printed up to the next prompt.
        parts = re.split(r"^\$ ", text, flags=re.MULTILINE)
        if parts[0].strip():
            raise Failed("a console block starts with a line after '$ '")
        for part in parts[1:]:
            lines = part.splitlines()
            command = [lines.pop(0)]
            while command[-1].endswith("\\"):
                command.append(lines.pop(0))
            # Failing is what some examples are about: they show the message.
            shown = self.execute(["bash", "-c", "\n".join(command) + "\ntrue"])
            wanted = "\n".join(lines).rstrip()
            pattern = ".*".join(re.escape(piece) for piece in wanted.split("..."))
            if wanted and not re.fullmatch(pattern, shown.rstrip(), re.DOTALL):
                raise Failed(f"$ {command[0]}\nprinted\n{shown}\nand the page says\n{wanted}")

    def program(self, text: str, language: str) -> None:
        whole = re.search(r"^int main\(", text, re.MULTILINE) is not None
        named = FILE_NAME.match(text)
        source = self.folder / (named[1] if named else f"snippet.{language}")
        if whole:
            source.write_text(text)
        else:
            lines = text.splitlines()
            frame = C_FRAGMENT if language == "c" else CPP_FRAGMENT
            includes = "\n".join(line for line in lines if line.startswith("#include"))
            body = "\n".join(line for line in lines if not line.startswith("#include"))
            source.write_text(frame.format(includes=includes, body=body))
        compiler = (
            [self.arguments.cc, "-std=c99"] if language == "c" else [self.arguments.cxx, "-std=c++20"]
        )
        binary = self.folder / ".program"
        library = self.arguments.library.resolve()
        self.execute(
            [*compiler, "-Wall", "-Wextra", "-Wno-unused-variable", "-Werror",
             f"-I{ROOT / 'include'}", str(source), str(library), "-o", str(binary)]
        )
        if whole and not self.execute([str(binary), "model.gguf"]).strip():
            raise Failed("it ran and printed nothing")


def check(page: pathlib.Path, arguments: argparse.Namespace) -> list[str]:
    failures = []
    ran = 0
    with tempfile.TemporaryDirectory() as folder:
        scratch = Page(arguments, pathlib.Path(folder))
        for block in blocks_of(page):
            if block.left_out or block.language not in LANGUAGES:
                continue
            try:
                if block.language in ("c", "cpp"):
                    scratch.program(block.text, block.language)
                elif block.language == "sh":
                    scratch.sh(block.text)
                else:
                    scratch.console(block.text)
            except (Failed, subprocess.TimeoutExpired) as failure:
                failures.append(f"{page.relative_to(ROOT)}:{block.line}: {failure}")
            ran += 1
    print(f"{page.relative_to(ROOT)}: {ran} snippets, {len(failures)} failed")
    return failures


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", type=pathlib.Path, required=True, help="the program mullama")
    parser.add_argument("--library", type=pathlib.Path, required=True, help="libmullama.so")
    parser.add_argument("--fixtures", type=pathlib.Path, required=True, help="models/fixtures' output")
    parser.add_argument("--cc", default="cc")
    parser.add_argument("--cxx", default="c++")
    parser.add_argument("pages", nargs="*", type=pathlib.Path, help="default: README.md, docs/*.md")
    arguments = parser.parse_args()

    pages = arguments.pages or [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    failures = []
    for page in pages:
        failures += check(page.resolve(), arguments)
    for failure in failures:
        print(failure, file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
