"""Search a large file with a regular expression that somebody else wrote, in bounded time and memory.

Python's expressions can take forever (`(a+)+$`) and cannot be stopped from inside the process: a thread that matches holds the
interpreter. So a process of its own matches, line by line, which the kernel ends when its time is over. A pattern without any
special character needs none of this.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pyro_mcp.errors import InvalidRequest
from pyro_mcp.host.processes import child
from pyro_mcp.workspaces.outputs import matcher
from pyro_mcp.workspaces.outputs.matcher import Line, survey

SECONDS = 10.0
_MEMORY = 1 << 30
_LONGEST_PATTERN = 4096


@dataclass(frozen=True)
class Match:
    """A line that matches: its number from 1, where it begins, and its text, cut around the match when it is long."""

    line: int
    offset: int
    text: str


@dataclass(frozen=True)
class Found:
    """What was found. `total`: how many lines match; None when that took too long to count, or the time was over (`gave_up`)."""

    matches: tuple[Match, ...]
    total: int | None
    gave_up: bool = False

    @property
    def complete(self) -> bool:
        """Whether these are all."""
        return self.total == len(self.matches)


def search(
    path: Path,
    pattern: str,
    limit: int,
    *,
    from_end: bool = False,
    start: int = 0,
    seconds: float | None = None,
) -> Found:
    """Find the first `limit` lines that match from byte `start` on, or the last; InvalidRequest is for a pattern that is none."""
    if len(pattern) > _LONGEST_PATTERN:
        raise InvalidRequest(
            f"the pattern is longer than {_LONGEST_PATTERN} characters", hint="Search for less."
        )
    if re.escape(pattern) == pattern:
        return _found(list(survey(path, re.compile(pattern), (limit, from_end, start))), gave_up=False)
    request = json.dumps([str(path), pattern, (limit, from_end, start), seconds or SECONDS, _MEMORY]).encode()
    with child(
        _program(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        answer, _ = process.communicate(request)
    lines = [json.loads(line) for line in answer.split(b"\n")[:-1]]
    if lines and isinstance(lines[-1], str):
        raise InvalidRequest(
            f"{pattern[:80]!r} is not a regular expression",
            details=lines[-1],
            hint="Put a backslash before characters that are meant as they are.",
        )
    return _found(lines, gave_up=process.returncode != 0)


def _program() -> list[str]:
    return [sys.executable, "-I", "-S", str(Path(matcher.__file__))]


def _found(lines: Sequence[Line | int | None], *, gave_up: bool) -> Found:
    matches = tuple(Match(*line) for line in lines if not isinstance(line, int | None))
    total = lines[-1] if lines and isinstance(lines[-1], int) and not gave_up else None
    return Found(matches, total, gave_up)
