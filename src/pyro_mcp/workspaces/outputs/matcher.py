"""Find matching lines in a file. Runs as a program of its own for patterns that nobody vouches for (search.py).

As a program: standard input is JSON [path, pattern, limit, seconds, bytes of memory]; each match is a line of JSON,
[line, offset, text]; a pattern that is none is a line of JSON text. Standard library only.
"""

from __future__ import annotations

import json
import re
import resource
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

# Of a line, for matching and in the answer.
LONGEST_LINE = 64 * 1024
LONGEST_SHOWN = 500

Line = tuple[int, int, str]


def find_lines(path: Path, pattern: re.Pattern[str], limit: int) -> Iterator[Line]:
    """Give the first `limit` lines that match: number from 1, byte offset, and text, cut around the match when it is long."""
    with path.open("rb") as file:
        number = offset = found = 0
        while found < limit and (raw := file.readline(LONGEST_LINE)):
            number += 1
            text = raw.rstrip(b"\r\n").decode(errors="replace")
            if match := pattern.search(text):
                found += 1
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
    path, pattern, limit, seconds, memory = json.load(sys.stdin)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    try:
        compiled = re.compile(pattern)
    except (re.error, OverflowError, RecursionError, MemoryError) as error:
        sys.stdout.write(json.dumps(str(error) or type(error).__name__) + "\n")
        return
    for line in find_lines(Path(path), compiled, limit):
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
