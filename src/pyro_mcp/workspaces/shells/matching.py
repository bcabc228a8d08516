"""Try a regular expression that somebody else wrote, in bounded time: in a process of its own, which the kernel ends.

A thread that matches holds the interpreter, and `(a+)+$` never ends. As a program: the first line of standard input is JSON
[pattern, seconds, bytes of memory], each further one a text; the answer to each is a line, `true`, `false`, or why not.
Standard library only where it is a program.
"""

from __future__ import annotations

import json
import re
import resource
import signal
import subprocess
import sys
from contextlib import ExitStack, suppress
from typing import IO, Self

_SECONDS = 2.0
_MEMORY = 1 << 30
_LONGEST_PATTERN = 4096


class Matcher:
    """Whether a pattern is found in texts; lines begin and end at ^ and $."""

    def __init__(self, pattern: str) -> None:
        from pyro_mcp.errors import InvalidRequest  # not where this file is the program

        if len(pattern) > _LONGEST_PATTERN:
            raise InvalidRequest(
                f"the pattern is longer than {_LONGEST_PATTERN} characters", hint="Wait for less."
            )
        self._pattern = pattern
        self._plain = re.escape(pattern) == pattern
        self._stack = ExitStack()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def matches(self, text: str) -> bool:
        """Tell whether it is found. Raises InvalidRequest for a pattern that is none, or takes too long."""
        if self._plain:
            return self._pattern in text
        answer = self._ask(json.dumps(text))
        if isinstance(answer, bool):
            return answer
        from pyro_mcp.errors import InvalidRequest

        raise InvalidRequest(
            f"{self._pattern[:80]!r} cannot be waited for",
            details=str(answer or f"matching takes more than {_SECONDS:g} s"),
            hint="Put a backslash before characters that are meant as they are; avoid repeats within repeats.",
        )

    def _ask(self, line: str) -> object:
        process = self._process or self._start()
        assert process.stdin is not None
        assert process.stdout is not None
        with suppress(BrokenPipeError):
            process.stdin.write(f"{line}\n".encode())
            process.stdin.flush()
        answer = process.stdout.readline()
        return json.loads(answer) if answer else None

    def _start(self) -> subprocess.Popen[bytes]:
        from pyro_mcp.host.processes import child

        program = [sys.executable, "-I", "-S", __file__]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        process = self._stack.enter_context(child(program, **pipes))
        for pipe in (process.stdin, process.stdout):
            assert pipe is not None
            self._stack.callback(_close, pipe)
        self._process = process
        assert process.stdin is not None
        process.stdin.write(f"{json.dumps([self._pattern, _SECONDS, _MEMORY])}\n".encode())
        return process


def _close(pipe: IO[bytes]) -> None:
    with suppress(BrokenPipeError):
        pipe.close()


def main() -> None:
    """Answer until nobody asks any more; one that takes too long ends this process."""
    pattern, seconds, memory = json.loads(sys.stdin.readline())
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    answer: object
    for line in sys.stdin:
        signal.setitimer(signal.ITIMER_REAL, seconds)
        try:
            answer = re.search(pattern, json.loads(line), re.MULTILINE) is not None
        except (re.error, OverflowError, RecursionError, MemoryError) as error:
            answer = str(error) or type(error).__name__
        signal.setitimer(signal.ITIMER_REAL, 0)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
