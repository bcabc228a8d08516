"""What was decided about a machine's connections, kept in a file that the next operation on the workspace adds to its history.

Like decisions are counted together, and a guest that asks for a hundred thousand different hosts gets a line for the first
hundreds and then sums: the file grows slowly whatever the guest does, and the counts stay true.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple, TypeVar

# What a kill of the keeper can lose.
_EVERY_SECONDS = 1.0
# Lines of their own: so many at once, and then one more each few seconds; about 3 MB a day at the very worst.
_BURST = 500
_SECONDS_PER_LINE = 5.0
# Without a line to spend, sums are written this often.
_SUM_SECONDS = 60.0
_MOST_KINDS = 1000
# An answer about a throwaway machine tells no more than these.
_MOST_KEPT = 30
# Nor does the answer about a command tell more refusals that were made while it ran.
_MOST_TOLD = 5

Key = TypeVar("Key")
Line = dict[str, object]
Outcome = Literal["allowed", "refused", "failed"]


class Decision(NamedTuple):
    """What was decided; two that are equal are counted together. Without a port it was about a name alone."""

    outcome: Outcome
    host: str
    port: int | None
    address: str | None = None
    reason: str = ""


@dataclass(slots=True)
class _Count:
    count: int
    first_ms: int
    last_ms: int


class Decisions:
    """The record of one machine."""

    def __init__(self, path: Path | None, after: Callable[[float, Callable[[], None]], None]) -> None:
        self._path = path
        self._after = after
        self._pending: dict[Decision, _Count] = {}
        self._beyond: dict[Outcome, _Count] = {}  # more kinds than are kept apart
        self._lines = float(_BURST)
        self._filled_at = time.monotonic()
        self._due = False
        self._kept: list[Line] = []
        self._refused: dict[Decision, float] = {}  # the last of them, and when; the latest stands last

    def note(self, decision: Decision, count: int = 1) -> None:
        """Count a decision; it is in the file a second later."""
        now = time.time_ns() // 1_000_000
        if decision.outcome == "refused":
            self._refused.pop(decision, None)
            self._refused[decision] = time.monotonic()
            if len(self._refused) > _MOST_KEPT:
                del self._refused[next(iter(self._refused))]
        if decision in self._pending or len(self._pending) < _MOST_KINDS:
            _merge(self._pending, decision, _Count(count, now, now))
        else:
            _merge(self._beyond, decision.outcome, _Count(count, now, now))
        if not self._due and self._path is not None:
            self._due = True
            self._after(_EVERY_SECONDS if self._earned() >= 1 else _SUM_SECONDS, self._on_time)

    def flush(self) -> None:
        """Write what has been counted."""
        if not self._pending and not self._beyond:
            return
        whole = int(self._earned())
        lines = [_line(decision, count) for decision, count in list(self._pending.items())[:whole]]
        self._lines -= len(lines)
        for decision, count in list(self._pending.items())[whole:]:
            _merge(self._beyond, decision.outcome, count)
        lines += [_sum(outcome, count) for outcome, count in self._beyond.items()]
        self._pending.clear()
        self._beyond.clear()
        if self._path is not None:
            self._write("".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines).encode())
        else:
            self._kept = [*self._kept, *lines][-_MOST_KEPT:]

    def kept(self) -> list[Line]:
        """Give what has no file to be in: the last of a throwaway machine's decisions."""
        return self._kept

    def refused_since(self, moment: float) -> list[Line]:
        """Give the first kinds of what was refused after a moment of time.monotonic()."""
        refused = [decision for decision, last in self._refused.items() if last >= moment][:_MOST_TOLD]
        return [_told(decision) for decision in refused]

    def _on_time(self) -> None:
        self._due = False
        self.flush()

    def _earned(self) -> float:
        now = time.monotonic()
        self._lines = min(float(_BURST), self._lines + (now - self._filled_at) / _SECONDS_PER_LINE)
        self._filled_at = now
        return self._lines

    def _write(self, data: bytes) -> None:
        assert self._path is not None
        # A disk that is full must not end the machine; what is missing shows as decisions that nobody logged.
        with suppress(OSError):
            file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.write(file, data)
            finally:
                os.close(file)


def _merge(counts: dict[Key, _Count], key: Key, more: _Count) -> None:
    known = counts.get(key)
    if known is None:
        counts[key] = more
    else:
        known.count += more.count
        known.last_ms = more.last_ms


def _line(decision: Decision, count: _Count) -> Line:
    return {**_told(decision), "count": count.count, "at": count.first_ms}


def _told(decision: Decision) -> Line:
    return {key: value for key, value in decision._asdict().items() if value not in (None, "")}


def _sum(outcome: Outcome, count: _Count) -> Line:
    return {"outcome": outcome, "host": "(various)", "count": count.count, "at": count.first_ms}
