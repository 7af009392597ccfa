"""Runs the program under test: in pipes as scripts do, and on a terminal as people do."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import pty
import select
import shlex
import signal
import subprocess
import time

PROGRAM = shlex.split(os.environ["MULLAMA_PROGRAM"])
FIXTURES = pathlib.Path(os.environ["MULLAMA_FIXTURES"])

# An engine with no weights: it repeats the prompt.
ECHO = ("--backend", "echo")
GREEDY = ("--temperature", "0")


def fixture(name: str) -> str:
    return str(FIXTURES / f"{name}.gguf")


@dataclasses.dataclass
class Result:
    code: int
    out: str
    err: str
    out_bytes: bytes


def environment(**changes: str) -> dict[str, str]:
    """This process's environment without what steers colours, and with the changes."""
    kept = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "TERM", "LC_ALL", "LANG")}
    return kept | {"TERM": "xterm", "LC_ALL": "C.UTF-8"} | changes


def run(*arguments: str, stdin: bytes | None = None, **changes: str) -> Result:
    """Runs it to its end in pipes. stdin: None is /dev/null."""
    done = subprocess.run(
        [*PROGRAM, *arguments],
        input=stdin,
        stdin=subprocess.DEVNULL if stdin is None else None,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(**changes),
        timeout=120,
        check=False,
    )
    return Result(
        done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode(), done.stdout
    )


class Running:
    """A run in progress, its streams pipes or terminals."""

    def __init__(self, *arguments: str, terminal: tuple[str, ...] = (), **changes: str):
        self._masters = {}
        streams = {}
        to_close = []
        for stream in ("stdout", "stderr"):
            if stream in terminal:
                master, slave = pty.openpty()
                self._masters[stream] = master
                streams[stream] = slave
                to_close.append(slave)
            else:
                streams[stream] = subprocess.PIPE
        self.process = subprocess.Popen(
            [*PROGRAM, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=streams["stdout"],
            stderr=streams["stderr"],
            env=environment(**changes),
        )
        for descriptor in to_close:
            os.close(descriptor)
        for stream in ("stdout", "stderr"):
            if stream not in self._masters:
                self._masters[stream] = getattr(self.process, stream).fileno()
        self.text = {"stdout": b"", "stderr": b""}

    def read(self, until: bytes | None = None, stream: str = "stdout", seconds: float = 60) -> None:
        """Reads both streams: until one of them shows something, or both ended."""
        deadline = time.monotonic() + seconds
        while self._masters and (until is None or until not in self.text[stream]):
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"{until!r} did not come; got {self.text}")
            by_descriptor = {d: name for name, d in self._masters.items()}
            for descriptor in select.select(list(by_descriptor), [], [], left)[0]:
                try:
                    data = os.read(descriptor, 65536)
                except OSError:  # EIO: a terminal's other end is closed
                    data = b""
                name = by_descriptor[descriptor]
                if data:
                    self.text[name] += data
                else:
                    del self._masters[name]

    def interrupt(self) -> None:
        self.process.send_signal(signal.SIGINT)

    def wait(self) -> int:
        """Reads to the end and answers the exit code."""
        self.read()
        code = self.process.wait(60)
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()
        return code
