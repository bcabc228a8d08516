"""Find matching lines in a file. Runs as a program of its own for patterns that nobody vouches for (search.py).

As a program: standard input is JSON [path, pattern, [limit, from the end, start], seconds, bytes of memory]; each match is a
line of JSON, [line, offset, text]; the last line is the number of all, or null; a pattern that is none is a line of JSON text.
Standard library only.
"""

from __future__ import annotations

import json
import re
import resource
import signal
import sys
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path

# Of a line, for matching and in the answer.
LONGEST_LINE = 64 * 1024
LONGEST_SHOWN = 500

# Once all that is shown has been found, the others are only counted, and not for longer than this.
COUNTING_SECONDS = 2.0

Line = tuple[int, int, str]
# How many lines to give, whether those at the end, and from which byte on.
Wanted = tuple[int, bool, int]


def survey(path: Path, pattern: re.Pattern[str], wanted: Wanted) -> Iterator[Line | int | None]:
    """Give the lines that match and are wanted, and at the end how many do; None when counting them takes too long."""
    limit, from_end, start = wanted
    last: deque[Line] = deque(maxlen=limit if from_end else 0)
    count, deadline = 0, 0.0
    for line in find_lines(path, pattern, start):
        count += 1
        last.append(line)
        if not from_end and count <= limit:
            yield line
            deadline = time.monotonic() + COUNTING_SECONDS
        elif not from_end and time.monotonic() > deadline:
            yield None
            return
    yield from last
    yield count


def find_lines(path: Path, pattern: re.Pattern[str], start: int = 0) -> Iterator[Line]:
    """Give the lines from byte `start` on that match: number from 1, byte offset, and text, cut around a match in a long one."""
    with path.open("rb") as file:
        number = offset = 0
        while raw := file.readline(LONGEST_LINE):
            number += 1
            text = raw.rstrip(b"\r\n").decode(errors="replace")
            if offset >= start and (match := pattern.search(text)):
                yield number, offset, _around(text, match.start())
            offset += len(raw)
            while not raw.endswith(b"\n") and (raw := file.readline(LONGEST_LINE)):
                offset += len(raw)  # the rest of a long line


def _around(text: str, at: int) -> str:
    if len(text) <= LONGEST_SHOWN:
        return text
    start = max(0, min(at - LONGEST_SHOWN // 4, len(text) - LONGEST_SHOWN))
    end = start + LONGEST_SHOWN
    return f"{'…' if start else ''}{text[start:end]}{'…' if end < len(text) else ''}"


def main() -> None:
    """Answer one request. The kernel ends this process when its time is over: no Python code could."""
    path, pattern, wanted, seconds, memory = json.load(sys.stdin)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    try:
        compiled = re.compile(pattern)
    except (re.error, OverflowError, RecursionError, MemoryError) as error:
        sys.stdout.write(json.dumps(str(error) or type(error).__name__) + "\n")
        return
    for line in survey(Path(path), compiled, wanted):
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
