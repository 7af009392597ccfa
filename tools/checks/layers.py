#!/usr/bin/env python3
"""Refuses an include or a call that design.md's table of layers doesn't allow.

    layers.py [--root DIR]     check a tree (default: this repository)
    layers.py --self-test      see each rule fail on a planted violation
"""

from __future__ import annotations

import argparse
import dataclasses
import pathlib
import re
import sys
import tempfile

# Headers of an inference engine, and of llama.cpp's helper library.
ENGINE = r"(llama(-cpp)?|ggml([-_][a-z0-9_-]+)?|gguf|mtmd(-helper)?)\.h"
UNSTABLE = r"(.*/)?llama-ext\.h"
COMMON = r"(common/)?(chat|common|sampling|log|json-schema-to-grammar|jinja/[a-z]+)\.h"

# Headers that exist to call the operating system. The standard library's own are not among them.
SYSTEM = (
    r"(unistd|fcntl|dlfcn|pthread|sched|poll|signal|spawn|termios|dirent|syslog|pwd|grp|netdb|"
    r"windows|winsock2|ws2tcpip|io|direct|process|psapi|shlobj|tlhelp32|link|crt_externs|"
    r"cpuid|execinfo)\.h|(sys|linux|mach|mach-o|net|netinet|arpa)/.*|csignal"
)

# What reaches around the contract to the process that the library is a guest in.
PROCESS = re.compile(
    r"(?<![\w.>:])(?:std::|::)?"
    r"(cout|cerr|clog|printf|fprintf|vprintf|vfprintf|puts|putchar|fputs|perror|"
    r"getenv|secure_getenv|setenv|putenv|exit|_exit|_Exit|quick_exit|atexit|"
    r"setlocale|chdir|signal|sigaction|fork|system|popen|set_terminate)\b\s*(\(|<<)"
)

STREAMS = r"iostream|print"
NETWORK = r"curl/.*|boost/.*|openssl/.*"
ARGUMENTS = r"CLI/.*"


@dataclasses.dataclass(frozen=True)
class Layer:
    """A folder and what it may do; of several that match a file, the longest counts."""

    folder: str
    project: str  # the project's own headers it may include, by their names from the include root
    system: bool = False  # may include the operating system's headers
    process: bool = False  # may touch the process: its streams, environment, exit
    foreign: str = ""  # third-party headers it may include


ENGINES_SEE = r"backend/common/.*|backend/[^/]*|platform/.*|base/.*|mullama/.*"
LAYERS = [
    Layer("include/mullama", r"mullama/.*"),
    Layer("src/base", r"base/.*|mullama/.*"),
    Layer("src/platform", r"platform/.*|base/.*|mullama/.*", system=True, process=True),
    Layer("src/backend", r"backend/[^/]*|base/.*|mullama/.*"),
    Layer("src/backend/registry.cpp",
          r"backend/(echo|llama)/backend\.hpp|backend/[^/]*|base/.*|mullama/.*"),
    Layer("src/backend/common", r"backend/common/.*|backend/[^/]*|base/.*|mullama/.*"),
    Layer("src/backend/echo", rf"backend/echo/.*|{ENGINES_SEE}"),
    Layer("src/backend/llama", rf"backend/llama/.*|{ENGINES_SEE}", foreign=ENGINE),
    Layer("src/backend/llama/unstable.cpp", rf"backend/llama/.*|{ENGINES_SEE}",
          foreign=f"{ENGINE}|{UNSTABLE}"),
    Layer("src/retrieval", r"retrieval/.*|base/.*|mullama/.*"),
    Layer("src/core",
          r"core/.*|retrieval/.*|backend/[^/]*|platform/.*|base/.*|mullama/.*"),
    Layer("src/capi", r"capi/.*|core/.*|retrieval/.*|base/.*|mullama/.*"),
    Layer("apps/client", r"client/.*|mullama/.*", system=True, process=True),
    Layer("apps/cli", r"cli/.*|client/.*|mullama/.*", system=True, process=True,
          foreign=ARGUMENTS),
    Layer("tests/capi", r"support/.*|mullama/.*", system=True, process=True, foreign=r"gtest/.*"),
    Layer("tests/cli", r"support/.*|platform/.*|base/.*", system=True, process=True,
          foreign=r"gtest/.*"),
    Layer("examples", r"mullama/.*", system=True, process=True),
]

INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]')


def without_comments_and_strings(text: str) -> str:
    """The code alone, on the same lines."""

    def blank(match: re.Match[str]) -> str:
        return re.sub(r"[^\n]", " ", match.group(0))

    pattern = r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\''
    return re.sub(pattern, blank, text, flags=re.DOTALL)


def layer_of(path: str) -> Layer | None:
    matching = [layer for layer in LAYERS if path == layer.folder or
                path.startswith(layer.folder + "/")]
    return max(matching, key=lambda layer: len(layer.folder), default=None)


def include_problem(layer: Layer, quoted: bool, name: str) -> str | None:
    def matches(pattern: str) -> bool:
        return bool(pattern) and re.fullmatch(pattern, name) is not None

    if matches(layer.foreign):
        return None
    if matches(ENGINE) or matches(UNSTABLE) or (quoted and matches(COMMON) and "/" in name):
        return f"{layer.folder} may not include llama.cpp's {name}"
    if matches(SYSTEM):
        return None if layer.system else (
            f"{layer.folder} may not call the operating system ({name}); src/platform does")
    if matches(STREAMS) and not layer.process:
        return f"{layer.folder} may not use the process's streams ({name})"
    if matches(NETWORK) or matches(ARGUMENTS):
        return f"{layer.folder} may not include {name}"
    if quoted and "/" in name and not matches(layer.project):
        return f"{layer.folder} may not include {name}"
    if quoted and name.startswith(".."):
        return f"{layer.folder} includes {name}: name it from the include root"
    return None


def problems_of(root: pathlib.Path, path: pathlib.Path) -> list[str]:
    relative = path.relative_to(root).as_posix()
    layer = layer_of(relative)
    if layer is None:
        return []
    text = path.read_text(encoding="utf-8")
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        match = INCLUDE.match(line)
        problem = match and include_problem(layer, match.group(1) == '"', match.group(2))
        if problem:
            found.append(f"{relative}:{number}: {problem}")
    if not layer.process and path.suffix != ".h":
        for number, line in enumerate(without_comments_and_strings(text).splitlines(), 1):
            match = PROCESS.search(line)
            if match:
                found.append(f"{relative}:{number}: {layer.folder} may not call "
                             f"{match.group(1)}: the library is a guest in its host")
    return found


def check(root: pathlib.Path) -> list[str]:
    found = []
    for layer in sorted({layer.folder.split("/")[0] for layer in LAYERS}):
        for path in sorted((root / layer).rglob("*")):
            if path.suffix in {".c", ".cpp", ".h", ".hpp"}:
                found += problems_of(root, path)
    return found


PLANTED = {
    "src/core/model.cpp": '#include "llama.h"\n',
    "src/core/engine.cpp": '#include "backend/llama/model.hpp"\n',
    "src/core/files.cpp": "#include <unistd.h>\n",
    "src/core/say.cpp": 'void f() {\n    std::printf("x");\n}\n',
    "src/core/environment.cpp": 'auto *x = getenv("HOME");\n',
    "src/core/up.cpp": '#include "capi/barrier.hpp"\n',
    "src/core/http.cpp": "#include <curl/curl.h>\n",
    "src/backend/port.hpp": "#include <llama.h>\n",
    "src/backend/echo/model.cpp": '#include "core/model.hpp"\n',
    "src/backend/llama/model.cpp": '#include "../src/llama-ext.h"\n',
    "src/platform/file.cpp": '#include "core/model.hpp"\n',
    "src/capi/model.cpp": '#include "backend/port.hpp"\n',
    "src/capi/quit.cpp": "void g() { std::exit(1); }\n",
    "apps/cli/run.cpp": '#include "core/model.hpp"\n',
    "tests/capi/model_test.cpp": '#include "core/model.hpp"\n',
    "include/mullama/model.h": '#include "base/error.hpp"\n',
}
ALLOWED = {
    "src/core/good.cpp": '#include "backend/port.hpp"\n// printf("in a comment")\n'
                         'const char *s = "exit(1)";\nvoid f() { stream.exit(); snprintf(b, 1, s); }\n',
    "src/backend/llama/good.cpp": "#include <llama.h>\n#include <ggml-backend.h>\n",
    "src/backend/llama/unstable.cpp": '#include "../src/llama-ext.h"\n',
    "src/platform/good.cpp": "#include <sys/mman.h>\n",
    "apps/cli/good.cpp": "#include <CLI/CLI.hpp>\n#include <iostream>\n",
}


def self_test() -> list[str]:
    failures = []
    for name, text in {**PLANTED, **ALLOWED}.items():
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, name)
            path.parent.mkdir(parents=True)
            path.write_text(text, encoding="utf-8")
            found = check(pathlib.Path(folder))
        if (name in PLANTED) != bool(found):
            failures.append(f"{name}: {found or 'the planted violation was not found'}")
    return failures


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=pathlib.Path,
                        default=pathlib.Path(__file__).resolve().parents[2])
    parser.add_argument("--self-test", action="store_true")
    arguments = parser.parse_args()
    found = self_test() if arguments.self_test else check(arguments.root)
    print(*found, sep="\n", end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
